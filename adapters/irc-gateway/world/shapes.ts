/** Pure. What a client is told of a contact, as BitlBee writes it and as the client negotiated it. */
import { maskOf, type Face } from '../types.ts'
import type { Cap } from '../wire/caps.ts'
import type { ServerMessage } from '../wire/message.ts'
import { modesBetween, type Change } from './presence.ts'

/** Who is told of: an address only where there is an account behind it. */
export type Who = Pick<Face, 'nick' | 'ident' | 'host' | 'realname' | 'address'>

/** `who` is as they were before. */
export const shapeOf = (change: Change, who: Who, server: string, caps: ReadonlySet<Cap>): readonly ServerMessage[] => {
  const source = maskOf(who)
  switch (change.kind) {
    case 'join':
      return [
        joinLine(source, change.channel, caps, who.address, who.realname),
        ...modeLine(server, change.channel, modesBetween('', change.prefixes), who.nick),
      ]
    case 'part':
      return [{ source, verb: 'PART', params: [change.channel] }]
    case 'mode':
      return modeLine(server, change.channel, change.modes, who.nick)
    case 'quit':
      return [{ source, verb: 'QUIT', params: [change.words] }]
    case 'nick':
      return [{ source, verb: 'NICK', params: [change.to] }]
    case 'away':
      if (!caps.has('away-notify')) return []
      return [{ source, verb: 'AWAY', params: change.words === undefined ? [] : [change.words] }]
    case 'name':
      return caps.has('setname') ? [{ source, verb: 'SETNAME', params: [change.name] }] : []
  }
}

/** With extended-join: "JOIN &bitlbee bob@example.com :Bob". */
export const joinLine = (
  source: string,
  channel: string,
  caps: ReadonlySet<Cap>,
  account: string,
  realname: string,
): ServerMessage => ({
  source,
  verb: 'JOIN',
  params: caps.has('extended-join')
    ? [channel, account === '' ? '*' : account, realname === '' ? '*' : realname]
    : [channel],
})

/** ":localhost MODE &bitlbee +v bob"; each letter has the nick behind it. */
export const modeLine = (server: string, channel: string, modes: string, nick: string): readonly ServerMessage[] => {
  const letters = modes.replace(/[+-]/g, '').length
  if (letters === 0) return []
  return [{ source: server, verb: 'MODE', params: [channel, modes, ...Array<string>(letters).fill(nick)] }]
}
