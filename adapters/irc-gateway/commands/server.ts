/** What the server tells of itself, and what only an operator may have, whom there is none. */
import type { ServerMessage } from '../wire/message.ts'
import type { Answering, Asked, Command, Commands } from './desk.ts'
import { HELP, HELP_INDEX } from './help.ts'
import { isoTime, numericFor, quoted, reply, sendAll } from './replies.ts'

const motd = ({ client, desk }: Asked): Answering => {
  sendAll(client, motdOf(client, desk.deps.server, desk.deps.facts.motd()))
  return undefined
}

/** Of the registration, too. */
const motdOf = (client: Asked['client'], server: string, words: readonly string[]): readonly ServerMessage[] =>
  words.length === 0
    ? [numericFor(client, 'ERR_NOMOTD')]
    : [
        numericFor(client, 'RPL_MOTDSTART', [], `- ${server} Message of the day - `),
        ...words.map((line) => numericFor(client, 'RPL_MOTD', [], `- ${line}`)),
        numericFor(client, 'RPL_ENDOFMOTD'),
      ]

const lusers = ({ client, sight, desk }: Asked): Answering => {
  const { people, clients, strangers } = desk.deps.facts.counts()
  reply(client, 'RPL_LUSERCLIENT', [], `There are ${people} users and 0 invisible on 1 servers`)
  reply(client, 'RPL_LUSEROP', ['0'])
  reply(client, 'RPL_LUSERUNKNOWN', [String(strangers)])
  reply(client, 'RPL_LUSERCHANNELS', [String([...sight.channels()].length)])
  reply(client, 'RPL_LUSERME', [], `I have ${clients} clients and 0 servers`)
  return undefined
}

const version = ({ client, desk }: Asked): Answering => {
  reply(client, 'RPL_VERSION', [desk.deps.facts.version, desk.deps.server], 'MSN in your IRC client')
  return undefined
}

const time = ({ client, desk }: Asked): Answering => {
  reply(client, 'RPL_TIME', [desk.deps.server], isoTime(desk.deps.context.clock.now()))
  return undefined
}

const admin = ({ client, desk }: Asked): Answering => {
  reply(client, 'RPL_ADMINME', [desk.deps.server])
  reply(client, 'RPL_ADMINLOC1', [], 'This server is a bridge to MSN, run by whoever gave you its address')
  reply(client, 'RPL_ADMINLOC2', [], 'Say "help" in the control channel to learn what it can do')
  reply(client, 'RPL_ADMINEMAIL', [], 'Ask the one who runs it')
  return undefined
}

const info = ({ client, desk }: Asked): Answering => {
  const { version: number, startedAt } = desk.deps.facts
  reply(client, 'RPL_INFO', [], `${number}: MSN Messenger in your IRC client`)
  reply(client, 'RPL_INFO', [], `Up since ${isoTime(startedAt)}`)
  reply(client, 'RPL_ENDOFINFO')
  return undefined
}

const stats = ({ client, params, desk }: Asked): Answering => {
  const letter = quoted((params[0] ?? '*').slice(0, 1))
  if (letter === 'u') {
    const up = Math.floor((desk.deps.context.clock.now() - desk.deps.facts.startedAt) / 1000)
    const clock = [Math.floor(up / 3600) % 24, Math.floor(up / 60) % 60, up % 60]
    const [hours = '', minutes = '', rest = ''] = clock.map((part) => String(part).padStart(2, '0'))
    reply(client, 'RPL_STATSUPTIME', [], `Server Up ${Math.floor(up / 86_400)} days ${hours}:${minutes}:${rest}`)
  }
  reply(client, 'RPL_ENDOFSTATS', [letter])
  return undefined
}

const links = ({ client, desk }: Asked): Answering => {
  const { server } = desk.deps
  reply(client, 'RPL_LINKS', [server, server], '0 msn-bridge')
  reply(client, 'RPL_ENDOFLINKS', ['*'])
  return undefined
}

const users = ({ client, desk }: Asked): Answering => {
  const { people } = desk.deps.facts.counts()
  reply(client, 'RPL_LOCALUSERS', [String(people), String(people)], `Current local users ${people}, max ${people}`)
  return undefined
}

/** Longest subject that is looked for. */
const MAX_SUBJECT = 20

const help = ({ client, params }: Asked): Answering => {
  const subject = (params[0] ?? '').toUpperCase().slice(0, MAX_SUBJECT)
  const [first, ...rest] = subject === '' || subject === 'INDEX' ? HELP_INDEX : (HELP[subject] ?? [])
  const named = quoted(subject === '' ? 'index' : subject)
  if (first === undefined) {
    reply(client, 'ERR_HELPNOTFOUND', [named])
    return
  }
  reply(client, 'RPL_HELPSTART', [named], first)
  for (const line of rest) reply(client, 'RPL_HELPTXT', [named], line)
  reply(client, 'RPL_ENDOFHELP', [named])
  return undefined
}

const oper = ({ client, params, desk }: Asked): Answering =>
  desk.deps.root.oper(client, params[0] ?? '', params[1] ?? '')

const ping = ({ client, params, desk }: Asked): Answering => {
  const [token = ''] = params
  if (token === '') {
    reply(client, 'ERR_NOORIGIN')
    return
  }
  client.send({ verb: 'PONG', params: [desk.deps.server, token] })
  return undefined
}

const nothing = (): Answering => undefined

const forOperators: Command = {
  min: 0,
  run: ({ client }) => {
    reply(client, 'ERR_NOPRIVILEGES')
    return undefined
  },
}

const registered: Command = {
  min: 0,
  run: ({ client }) => {
    reply(client, 'ERR_ALREADYREGISTERED')
    return undefined
  },
}

export const SERVER: Commands = {
  MOTD: { min: 0, run: motd },
  LUSERS: { min: 0, run: lusers },
  VERSION: { min: 0, run: version },
  TIME: { min: 0, run: time },
  ADMIN: { min: 0, run: admin },
  INFO: { min: 0, run: info },
  STATS: { min: 0, run: stats },
  LINKS: { min: 0, run: links },
  USERS: { min: 0, run: users },
  HELP: { min: 0, run: help },
  HELPOP: { min: 0, run: help },
  OPER: { min: 2, run: oper },
  PING: { min: 0, run: ping },
  PONG: { min: 0, run: nothing },
  // NAMESX and UHNAMES are what multi-prefix and userhost-in-names were called before there were capabilities.
  PROTOCTL: { min: 0, run: nothing },
  PASS: registered,
  USER: registered,
  CONNECT: forOperators,
  DIE: forOperators,
  GLINE: forOperators,
  KILL: forOperators,
  KLINE: forOperators,
  REHASH: forOperators,
  RESTART: forOperators,
  SQUIT: forOperators,
  TRACE: forOperators,
  WALLOPS: forOperators,
}
