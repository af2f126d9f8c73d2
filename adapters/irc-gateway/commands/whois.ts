/** WHOIS and WHOWAS. */
import { maskOf, type Face } from '../types.ts'
import type { Answering, Asked, Commands } from './desk.ts'
import { seconds } from './channels.ts'
import { listOf, packed, quoted, reply, roomFor } from './replies.ts'
import { same } from './sight.ts'

/** Nicks of one request that are answered. */
const MAX_ASKED = 20

const whois = (asked: Asked): Answering => {
  const { client, params, sight } = asked
  // `WHOIS server nick`, and `WHOIS nick nick` as clients write it to learn the idle time: the last one is asked for.
  const wanted = params[1] ?? params[0] ?? ''
  const nicks = listOf(wanted)
  if (nicks.length === 0) {
    reply(client, 'ERR_NONICKNAMEGIVEN')
    return
  }
  for (const nick of nicks.slice(0, MAX_ASKED)) {
    const face = sight.face(nick)
    if (face !== undefined) ofFace(asked, face)
    else if (same(nick, client.nick)) ofSelf(asked)
    else reply(client, 'ERR_NOSUCHNICK', [quoted(nick)])
  }
  reply(client, 'RPL_ENDOFWHOIS', [wanted.replace(/[\s\0]+/g, '_').slice(0, MAX_ENDED)])
  return undefined
}

/** Of what was asked for, repeated at the end. */
const MAX_ENDED = 300

const ofFace = (asked: Asked, face: Face): void => {
  const { client, desk } = asked
  const { nick } = face
  reply(client, 'RPL_WHOISUSER', [nick, face.ident, face.host, '*'], face.realname === '' ? nick : face.realname)
  channels(asked, nick)
  reply(
    client,
    'RPL_WHOISSERVER',
    [nick, desk.deps.server],
    face.contact === undefined ? 'The bridge itself' : `${networkOf(asked, face)} account ${face.address}`,
  )
  if (face.away !== undefined) reply(client, 'RPL_AWAY', [nick, face.away])
  else if (!face.online) reply(client, 'RPL_AWAY', [nick, 'User is offline'])
  if (face.status !== undefined && face.status !== '') reply(client, 'RPL_WHOISSPECIAL', [nick], face.status)
  if (face.blocked) reply(client, 'RPL_WHOISSPECIAL', [nick], 'is blocked by you')
  if (face.contact !== undefined && !face.listed) reply(client, 'RPL_WHOISSPECIAL', [nick], 'is not on your list')
  if (face.address !== '') reply(client, 'RPL_WHOISACCOUNT', [nick, face.address])
}

/** "msn": the network in which the contact's account is. */
const networkOf = ({ person }: Asked, { contact }: Face): string =>
  person?.accounts().find(({ id }) => id === contact?.account)?.network ?? 'foreign'

const ofSelf = (asked: Asked): void => {
  const { client, person, desk } = asked
  const { nick } = client
  reply(client, 'RPL_WHOISUSER', [nick, client.username, client.host, '*'], client.realname)
  channels(asked, nick)
  reply(client, 'RPL_WHOISSERVER', [nick, desk.deps.server], 'You are here')
  if (person?.away !== undefined) reply(client, 'RPL_AWAY', [nick, person.away])
  const idle = Math.max(0, desk.deps.context.clock.now() - client.activeAt)
  reply(client, 'RPL_WHOISIDLE', [nick, seconds(idle), seconds(client.connectedAt)])
  if (client.tls) reply(client, 'RPL_WHOISSECURE', [nick])
  if (person !== undefined) reply(client, 'RPL_WHOISACCOUNT', [nick, person.user])
}

const channels = ({ client, sight, desk }: Asked, nick: string): void => {
  const words: string[] = []
  for (const channel of sight.channels()) {
    const member = channel.members().find((one) => one.nick === nick)
    if (member !== undefined)
      words.push((client.caps.has('multi-prefix') ? member.prefixes : member.prefixes.slice(0, 1)) + channel.name)
  }
  for (const line of packed(words, roomFor(desk.deps.server, client, [nick]), ' '))
    reply(client, 'RPL_WHOISCHANNELS', [nick], line)
}

const whowas = ({ client, params }: Asked): Answering => {
  for (const nick of listOf(params[0]).slice(0, MAX_ASKED)) {
    reply(client, 'ERR_WASNOSUCHNICK', [quoted(nick)])
    reply(client, 'RPL_ENDOFWHOWAS', [quoted(nick)])
  }
  return undefined
}

const ison = ({ client, sight, params, desk }: Asked): Answering => {
  const here = params
    .flatMap((param) => param.split(' '))
    .flatMap((nick) => {
      const face = sight.face(nick)
      return face?.online === true ? [face.nick] : nick !== '' && same(nick, client.nick) ? [client.nick] : []
    })
  const lines = packed(new Set(here), roomFor(desk.deps.server, client, []), ' ')
  for (const line of lines) client.numeric('303', line)
  if (lines.length === 0) client.numeric('303', '')
  return undefined
}

/** "up to 5 nicknames" */
const MAX_USERHOST = 5

const userhost = ({ client, person, sight, params }: Asked): Answering => {
  const words = params
    .flatMap((param) => param.split(' '))
    .slice(0, MAX_USERHOST)
    .flatMap((nick) => {
      const face = sight.face(nick)
      if (face !== undefined)
        return [`${face.nick}=${face.away === undefined && face.online ? '+' : '-'}${userAt(face)}`]
      if (!same(nick, client.nick)) return []
      return [`${client.nick}=${person?.away === undefined ? '+' : '-'}${client.username}@${client.host}`]
    })
  client.numeric('302', words.join(' '))
  return undefined
}

const userAt = (face: Face): string => maskOf(face).slice(face.nick.length + 1)

/** Addresses are nobody's business: everybody is told their own alone. */
const userip = ({ client, params }: Asked): Answering => {
  const own = params.flatMap((param) => param.split(' ')).some((nick) => same(nick, client.nick))
  client.numeric('340', own ? `${client.nick}=+${client.username}@${client.host}` : '')
  return undefined
}

export const WHOIS: Commands = {
  WHOIS: { min: 0, run: whois },
  WHOWAS: { min: 1, run: whowas },
  ISON: { min: 1, run: ison },
  USERHOST: { min: 1, run: userhost },
  USERIP: { min: 1, run: userip },
}
