/** WHO, as RFC 1459 has it and as WHOX extends it: one line for each, in the fields that were asked for. */
import type { ChannelMember, ChannelPort, ClientPort, Face } from '../types.ts'
import type { ServerMessage } from '../wire/message.ts'
import type { Answering, Asked, Commands } from './desk.ts'
import { seconds } from './channels.ts'
import { globOf } from './glob.ts'
import { numericFor, quoted, reply, sendAll } from './replies.ts'
import { isChannel, same, withoutStatus } from './sight.ts'

/** One who is answered for; `face` absent: the client's own self. */
interface Row {
  readonly nick: string
  readonly ident: string
  readonly host: string
  readonly realname: string
  readonly account: string
  readonly away: boolean
  readonly prefixes: string
  readonly channel: string
  readonly idle: number
}

/** `WHO &bitlbee %tcuihsnfdlaor,42`: what the letters stand for, in the order in which the answer has them. */
const FIELDS = 'tcuihsnfdlaor'
/** "255.255.255.255 is used when the server refuses to disclose the IP address" */
const NO_ADDRESS = '255.255.255.255'

interface Whox {
  readonly fields: ReadonlySet<string>
  readonly token: string
}

/** "The token MUST contain only digit characters and MUST contain at most 3 characters." */
const whoxOf = (word: string | undefined): Whox | undefined => {
  const match = /%([A-Za-z]*)(?:,(\d{1,3}))?/.exec(word ?? '')
  return match === null ? undefined : { fields: new Set(match[1] ?? ''), token: match[2] ?? '0' }
}

const who = (asked: Asked): Answering => {
  const { client, params, desk } = asked
  const [mask = '*', second] = params
  const whox = whoxOf(second)
  const { server } = desk.deps
  // `WHO * o`: operators, and there are none.
  const rows = whox === undefined && second === 'o' ? [] : rowsOf(asked, mask)
  const messages = Array.from(rows, (row) =>
    whox === undefined ? plainLine(client, server, row) : whoxLine(client, server, row, whox),
  )
  sendAll(client, messages)
  reply(client, 'RPL_ENDOFWHO', [quoted(mask)])
  return undefined
}

const rowsOf = (asked: Asked, mask: string): readonly Row[] => {
  const { client, sight } = asked
  const name = withoutStatus(mask)
  if (isChannel(name)) {
    const channel = sight.channel(name)
    return channel === undefined ? [] : channel.members().map((member) => memberRow(asked, channel, member))
  }
  const face = sight.face(mask)
  if (face !== undefined) return [faceRow(asked, face, placeOf(asked, face.nick))]
  if (same(mask, client.nick)) return [selfRow(asked, placeOf(asked, client.nick))]
  if (mask !== '*' && mask !== '0' && !/[*?]/.test(mask)) return []
  const fits = mask === '0' ? () => true : globOf(mask)
  const places = placesOf(asked)
  return [
    ...Array.from(sight.faces(), (one) => faceRow(asked, one, places.get(one.nick) ?? NOWHERE)),
    selfRow(asked, places.get(client.nick) ?? NOWHERE),
  ].filter((row) => [row.nick, row.ident, row.host, row.realname, row.account].some((text) => fits(text)))
}

interface Place {
  readonly channel: string
  readonly prefixes: string
}

const NOWHERE: Place = { channel: '*', prefixes: '' }

/** "an arbitrary channel the client is joined to" */
const placeOf = ({ sight }: Asked, nick: string): Place => {
  for (const channel of sight.channels()) {
    const member = channel.members().find((one) => one.nick === nick)
    if (member !== undefined) return { channel: channel.name, prefixes: member.prefixes }
  }
  return NOWHERE
}

const placesOf = ({ sight }: Asked): ReadonlyMap<string, Place> => {
  const places = new Map<string, Place>()
  for (const channel of sight.channels()) {
    for (const { nick, prefixes } of channel.members())
      if (!places.has(nick)) places.set(nick, { channel: channel.name, prefixes })
  }
  return places
}

const memberRow = (asked: Asked, { name }: ChannelPort, { face, prefixes }: ChannelMember): Row =>
  face === undefined ? selfRow(asked, { channel: name, prefixes }) : faceRow(asked, face, { channel: name, prefixes })

const faceRow = (_: Asked, face: Face, place: Place): Row => ({
  nick: face.nick,
  ident: face.ident,
  host: face.host,
  realname: face.realname,
  account: face.address,
  away: face.away !== undefined || !face.online,
  idle: 0,
  ...place,
})

const selfRow = ({ client, person, desk }: Asked, place: Place): Row => ({
  nick: client.nick,
  ident: client.username,
  host: client.host,
  realname: client.realname,
  account: person?.user ?? '',
  away: person?.away !== undefined,
  idle: Math.max(0, desk.deps.context.clock.now() - client.activeAt),
  ...place,
})

/** H: here. G: gone. Behind it the letters of the channel: all of them for multi-prefix. */
const flagsOf = (client: ClientPort, { away, prefixes }: Row): string =>
  `${away ? 'G' : 'H'}${client.caps.has('multi-prefix') ? prefixes : prefixes.slice(0, 1)}`

const plainLine = (client: ClientPort, server: string, row: Row): ServerMessage =>
  numericFor(
    client,
    'RPL_WHOREPLY',
    [row.channel, row.ident, row.host, server, row.nick, flagsOf(client, row)],
    `0 ${row.realname}`,
  )

const whoxLine = (client: ClientPort, server: string, row: Row, { fields, token }: Whox): ServerMessage => {
  const values: Readonly<Record<string, string>> = {
    t: token,
    c: row.channel,
    u: row.ident,
    i: NO_ADDRESS,
    h: row.host,
    s: server,
    n: row.nick,
    f: flagsOf(client, row),
    d: '0',
    l: seconds(row.idle),
    a: row.account === '' ? '0' : row.account,
    o: 'n/a',
    r: row.realname,
  }
  const wanted = Array.from(FIELDS)
    .filter((field) => fields.has(field))
    .map((field) => values[field] ?? '')
  const message = numericFor(client, 'RPL_WHOSPCRPL')
  return { ...message, params: [...message.params, ...wanted] }
}

export const WHO: Commands = { WHO: { min: 0, run: who } }
