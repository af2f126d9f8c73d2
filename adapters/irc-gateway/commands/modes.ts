/**
 * MODE, of channels and of oneself. Nothing can be changed; what clients ask by habit is answered: irssi and WeeChat ask
 * `MODE &bitlbee b` of each channel, whose lists are empty.
 */
import type { ChannelPort, ClientPort } from '../types.ts'
import type { Answering, Asked, Commands } from './desk.ts'
import { seconds } from './channels.ts'
import { quoted, reply } from './replies.ts'
import { isChannel, same } from './sight.ts'

/** C is a control channel: BitlBee's scripts find theirs so. */
const CHANNEL_MODES: Readonly<Record<ChannelPort['kind'], string>> = { control: '+ntC', group: '+nt' }
/** May be set, and mean nothing: who has which letter follows from presence and `ops`. */
const SILENT = 'ntCohv'
/** What clients set on themselves when they connect. */
const OWN_MODES = /^[+\-BDRZiorswx]$/
/** Letters of one MODE that are answered. */
const MAX_LETTERS = 20

const mode = (asked: Asked): Answering => {
  const { client, sight, params } = asked
  const [name = '', letters] = params
  if (!isChannel(name)) ownMode(asked, name, letters)
  else {
    const channel = sight.channel(name)
    if (channel === undefined) reply(client, 'ERR_NOSUCHCHANNEL', [quoted(name)])
    else if (letters !== undefined) channelModes(client, channel, letters)
    else {
      reply(client, 'RPL_CHANNELMODEIS', [channel.name, CHANNEL_MODES[channel.kind]])
      reply(client, 'RPL_CREATIONTIME', [channel.name, seconds(channel.createdAt)])
    }
  }
  return undefined
}

const channelModes = (client: ClientPort, channel: ChannelPort, letters: string): void => {
  let on = true
  for (const letter of Array.from(letters).slice(0, MAX_LETTERS)) {
    if (letter === '+' || letter === '-') on = letter === '+'
    else if (letter === 'b') reply(client, 'RPL_ENDOFBANLIST', [channel.name])
    else if (letter === 'q') reply(client, 'RPL_ENDOFQUIETLIST', [channel.name, 'q'])
    else if (letter === 'e') client.numeric('349', channel.name, 'End of channel exception list')
    else if (letter === 'I') client.numeric('347', channel.name, 'End of channel invite list')
    else if (!SILENT.includes(letter)) reply(client, 'ERR_UNKNOWNMODE', [quoted(letter)])
    else if (!on && CHANNEL_MODES[channel.kind].includes(letter))
      reply(client, 'ERR_CHANOPRIVSNEEDED', [channel.name], 'The modes of channels are what they are here')
  }
}

const ownMode = ({ client, sight }: Asked, nick: string, letters: string | undefined): void => {
  if (!same(nick, client.nick)) {
    if (sight.face(nick) === undefined) reply(client, 'ERR_NOSUCHNICK', [quoted(nick)])
    else reply(client, 'ERR_USERSDONTMATCH')
  } else if (letters === undefined) reply(client, 'RPL_UMODEIS', ['+'])
  else if (Array.from(letters).some((letter) => !OWN_MODES.test(letter))) reply(client, 'ERR_UMODEUNKNOWNFLAG')
}

export const MODES: Commands = { MODE: { min: 1, run: mode } }
