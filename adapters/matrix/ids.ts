/** What people, configs and homeservers call rooms and users. Pure. */
import type { Addressed } from '../../bridge/adapter.ts'
import { escapeWord, unescapeWord } from '../../bridge/model/escape.ts'
import type { ChatId, UserId } from '../../bridge/model/ids.ts'
import type { MatrixEventId, Mxid, RoomId } from './types.ts'

/** The specification's limit for ids of users, rooms and events, bytes. */
export const MAX_ID_BYTES = 255

const USER = /^@[^\s:\0]*:[^\s\0]+$/
const ALIAS = /^#[^\s:\0]+:[^\s\0]+$/
const ROOM = /^![^\s\0]+$/
const EVENT = /^\$[^\s\0]+$/

/** Half a character cannot stand in a URL. */
const isSound = (text: string): boolean => Buffer.byteLength(text) <= MAX_ID_BYTES && text.isWellFormed()

export const isMxid = (value: unknown): value is Mxid => typeof value === 'string' && USER.test(value) && isSound(value)

/** Never look into it: newer room versions have no domain in it. */
export const isRoomId = (value: unknown): value is RoomId =>
  typeof value === 'string' && ROOM.test(value) && isSound(value)

export const isAlias = (value: unknown): value is `#${string}:${string}` =>
  typeof value === 'string' && ALIAS.test(value) && isSound(value)

export const isEventId = (value: unknown): value is MatrixEventId =>
  typeof value === 'string' && EVENT.test(value) && isSound(value)

/** What stands after the first colon: `example.org`, `example.org:8448`. */
export const domainOf = (user: Mxid): string => user.slice(user.indexOf(':') + 1)

/** As people share rooms and users: `https://matrix.to/#/@bob:example.org`, `matrix:u/bob:example.org`. */
const shared = (text: string): string => {
  const web = /^https:\/\/matrix\.to\/#\/([^?/]+)/.exec(text)?.[1]
  if (web !== undefined) return decoded(web)
  const uri = /^matrix:(u|user|r|room|roomid)\/([^?/]+)/.exec(text)
  if (uri?.[2] === undefined) return text
  const sigil = uri[1] === 'roomid' ? '!' : uri[1]?.startsWith('u') === true ? '@' : '#'
  return `${sigil}${decoded(uri[2])}`
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `!id`, `#alias:domain`, or a link to one. */
export const parseRoom = (name: string, domain: string): ChatId | { readonly wrong: string } => {
  const room = shared(name.trim())
  if (isRoomId(room) || isAlias(room)) return room as string as ChatId
  return { wrong: `${name} is no room: write its address #name:${domain} or its id !abc:${domain}` }
}

/** `@name:domain`, or a link to one. */
export const parseMxid = (name: string, domain: string): UserId | { readonly wrong: string } => {
  const user = shared(name.trim())
  if (isMxid(user)) return user as string as UserId
  return { wrong: `${name} is no Matrix user: write @name:${domain}` }
}

/** The port of a server, where a colon cannot stand. */
const PORT = '..'

/** `bob=example.org`: the localpart, escaped, and the server behind the last `=`. */
export const addressedMxid = (local: string): Addressed | undefined => {
  const at = local.lastIndexOf('=')
  const name = at < 1 ? undefined : unescapeWord(local.slice(0, at))
  const server = local.slice(at + 1).replace(PORT, ':')
  const user = `@${name ?? ''}:${server}`
  if (name === undefined || !/^[a-z0-9.-]+(:\d{1,5})?$/.test(server) || !isMxid(user)) return undefined
  return { kind: 'user', user: user as string as UserId, name, server }
}

/** What `addressedMxid` reads. `undefined`: the server has no such name. */
export const addressOfMxid = (user: Mxid): string | undefined => {
  const server = domainOf(user).toLowerCase().replace(':', PORT)
  return /^[a-z0-9.-]+$/.test(server) ? `${escapeWord(user.slice(1, user.indexOf(':')))}=${server}` : undefined
}
