/** What a client gets when it is registered: 001 to 005 and the message of the day. Pure. */
import { isupport, isupportLines } from '../wire/isupport.ts'
import type { ServerMessage } from '../wire/message.ts'
import { numeric } from '../wire/numerics.ts'
import type { IrcdOptions } from './ircd-events.ts'

/** Modes of people, of channels, and those of channels that take a parameter: what 004 lists. */
const USER_MODES = 'aiow'
const CHANNEL_MODES = 'Cnt'
const MEMBER_MODES = 'hov'

export const welcome = (options: IrcdOptions, nick: string, mask: string): readonly ServerMessage[] => {
  const { server, network, version, createdAt, limits } = options
  const tokens = isupport(limits.advertised)
  return [
    numeric('RPL_WELCOME', nick, [], `Welcome to the ${network} network, ${mask}`),
    numeric('RPL_YOURHOST', nick, [], `Your host is ${server}, running version ${version}`),
    numeric('RPL_CREATED', nick, [], `This server was created ${dateOf(createdAt)}`),
    numeric('RPL_MYINFO', nick, [server, version, USER_MODES, CHANNEL_MODES + MEMBER_MODES, MEMBER_MODES]),
    ...isupportLines(tokens).map((line) => numeric('RPL_ISUPPORT', nick, line)),
    ...motd(options, nick),
  ]
}

export const motd = ({ server, motd: lines }: IrcdOptions, nick: string): readonly ServerMessage[] =>
  lines.length === 0
    ? [numeric('ERR_NOMOTD', nick)]
    : [
        numeric('RPL_MOTDSTART', nick, [], `- ${server} Message of the day -`),
        ...lines.map((line) => numeric('RPL_MOTD', nick, [], `- ${line}`)),
        numeric('RPL_ENDOFMOTD', nick),
      ]

const dateOf = (time: number): string => {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? 'at an unknown time' : date.toUTCString()
}
