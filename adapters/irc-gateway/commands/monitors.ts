/**
 * Which nicks each client watches: it is told that one has come or gone, and, with extended-monitor, what else has changed
 * of somebody with whom no channel is shared. Sources: ircv3.net, monitor and extended-monitor.
 */
import { fold } from '../../../irc/casemap.ts'
import { maskOf, type ClientPort, type Face, type PersonPort } from '../types.ts'
import { works, type Cap } from '../wire/caps.ts'
import { CASE_MAPPING, ISUPPORT_LIMITS } from '../wire/isupport.ts'
import type { ServerMessage } from '../wire/message.ts'
import { numericFor, packed, roomFor } from './replies.ts'
import { same } from './sight.ts'

/** What follows from how somebody was and is. */
type Change =
  | { readonly kind: 'online'; readonly face: Face }
  | { readonly kind: 'away' | 'name'; readonly face: Face }
  | { readonly kind: 'host'; readonly face: Face; readonly from: Face }
  | { readonly kind: 'offline'; readonly nick: string }

const changesOf = (before: Face | undefined, after: Face | undefined): readonly Change[] => {
  const was = before?.online === true ? before : undefined
  const is = after?.online === true ? after : undefined
  // Another spelling of the same name: nobody has come or gone.
  if (was === undefined || is === undefined || !same(was.nick, is.nick)) {
    return [
      ...(was === undefined ? [] : [{ kind: 'offline', nick: was.nick } as const]),
      ...(is === undefined ? [] : [{ kind: 'online', face: is } as const]),
    ]
  }
  return [
    ...(was.ident === is.ident && was.host === is.host ? [] : [{ kind: 'host', face: is, from: was } as const]),
    ...(was.realname === is.realname ? [] : [{ kind: 'name', face: is } as const]),
    ...(was.away === is.away ? [] : [{ kind: 'away', face: is } as const]),
  ]
}

/** The nicks that clients watch: by folded nick, as they wrote them. */
export class Monitors {
  readonly #lists = new WeakMap<ClientPort, Map<string, string>>()
  readonly #server: string

  constructor(server: string) {
    this.#server = server
  }

  of(client: ClientPort): ReadonlyMap<string, string> {
    return this.#lists.get(client) ?? new Map<string, string>()
  }

  /** False: the list is full. */
  add(client: ClientPort, nick: string): boolean {
    let list = this.#lists.get(client)
    if (list === undefined) {
      list = new Map()
      this.#lists.set(client, list)
    }
    const key = fold(nick, CASE_MAPPING)
    if (list.has(key)) return true
    if (list.size >= ISUPPORT_LIMITS.monitor) return false
    list.set(key, nick)
    return true
  }

  remove(client: ClientPort, nick: string): void {
    this.#lists.get(client)?.delete(fold(nick, CASE_MAPPING))
  }

  clear(client: ClientPort): void {
    this.#lists.delete(client)
  }

  watches(client: ClientPort, nick: string): boolean {
    return this.#lists.get(client)?.has(fold(nick, CASE_MAPPING)) === true
  }

  /** To be called when somebody whom the person sees was and is not the same; undefined: has no nick. */
  changed(person: PersonPort, before: Face | undefined, after: Face | undefined): void {
    const changes = changesOf(before, after)
    if (changes.length === 0) return
    let shared: boolean | undefined
    const sharesChannel = (nick: string): boolean => (shared ??= meets(person, nick))
    for (const client of person.clients) {
      if (!this.#lists.has(client)) continue
      const messages = changes.flatMap((change) => this.#news(client, change, sharesChannel))
      if (messages.length > 0) client.send(...messages)
    }
  }

  #news(client: ClientPort, change: Change, sharesChannel: (nick: string) => boolean): readonly ServerMessage[] {
    switch (change.kind) {
      case 'online':
        return this.watches(client, change.face.nick) ? onlineLines(client, this.#server, [change.face]) : []
      case 'offline':
        return this.watches(client, change.nick) ? offlineLines(client, this.#server, [change.nick]) : []
      case 'away':
      case 'name':
      case 'host': {
        const { nick } = change.face
        const [cap, message] = extended(change)
        const wanted = works(client.caps, 'extended-monitor') && works(client.caps, cap) && this.watches(client, nick)
        return wanted && !sharesChannel(nick) ? [message] : []
      }
    }
  }
}

/** Whoever is in a channel with them is told there. */
const meets = (person: PersonPort, nick: string): boolean => {
  for (const channel of person.channels())
    if (channel.members().some((member) => member.face !== undefined && same(member.nick, nick))) return true
  return false
}

const extended = (change: Extract<Change, { kind: 'away' | 'name' | 'host' }>): readonly [Cap, ServerMessage] => {
  const { face } = change
  const source = maskOf(face)
  switch (change.kind) {
    case 'away':
      return ['away-notify', { source, verb: 'AWAY', params: face.away === undefined ? [] : [face.away] }]
    case 'name':
      return ['setname', { source, verb: 'SETNAME', params: [face.realname] }]
    case 'host':
      return ['chghost', { source: maskOf(change.from), verb: 'CHGHOST', params: [face.ident, face.host] }]
  }
}

type ListName = 'RPL_MONONLINE' | 'RPL_MONOFFLINE' | 'RPL_MONLIST'

export const monitorLines = (
  client: ClientPort,
  server: string,
  name: ListName,
  words: readonly string[],
): readonly ServerMessage[] =>
  packed(words, roomFor(server, client, []), ',').map((line) => numericFor(client, name, [], line))

export const onlineLines = (
  client: ClientPort,
  server: string,
  faces: readonly Pick<Face, 'nick' | 'ident' | 'host'>[],
): readonly ServerMessage[] => monitorLines(client, server, 'RPL_MONONLINE', faces.map(maskOf))

export const offlineLines = (client: ClientPort, server: string, nicks: readonly string[]): readonly ServerMessage[] =>
  monitorLines(client, server, 'RPL_MONOFFLINE', nicks)
