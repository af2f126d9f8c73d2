/** Names of channels and people: when two spellings are the same, and what may be a name at all. Pure. */
import type { ChatId, UserId } from '../bridge/model/ids.ts'

/** What a server may say in 005 as CASEMAPPING. Mappings we do not know fold ASCII letters only, which all of them do. */
export type CaseMapping = 'ascii' | 'rfc1459' | 'strict-rfc1459'

export const caseMappingOf = (token: unknown): CaseMapping =>
  token === undefined || token === 'rfc1459' ? 'rfc1459' : token === 'strict-rfc1459' ? 'strict-rfc1459' : 'ascii'

/** rfc1459 counts `{|}~` as the lower case of `[\]^`; the strict form leaves out the last pair. */
const LAST_UPPER: Readonly<Record<CaseMapping, number>> = { ascii: 0x5a, 'strict-rfc1459': 0x5d, rfc1459: 0x5e }

export const fold = (name: string, mapping: CaseMapping): string => {
  const last = LAST_UPPER[mapping]
  return name.replace(/[A-Z[\\\]^]/g, (letter) => {
    const code = letter.charCodeAt(0)
    return code <= last ? String.fromCharCode(code + 32) : letter
  })
}

export const sameName = (one: string, other: string, mapping: CaseMapping): boolean =>
  fold(one, mapping) === fold(other, mapping)

/**
 * Ids are stored and must not change with the server's mood, so they fold ASCII letters only, whatever CASEMAPPING says.
 * Names that a server spells differently (`#a[b]` for `#a{b}`) are matched by `fold` against the chats we know.
 */
export const chatIdOf = (name: string): ChatId => fold(name, 'ascii') as ChatId
export const userIdOf = (nick: string): UserId => fold(nick, 'ascii') as UserId

/** Channel prefixes of RFC 2811; what a server says in CHANTYPES is always a part of them. */
export const CHANNEL_PREFIXES = '#&+!'

export const isChannelName = (name: string): boolean => name !== '' && CHANNEL_PREFIXES.includes(name.charAt(0))

/** Longest name that we take from a person; servers have limits of their own below it (CHANNELLEN, NICKLEN). */
export const MAX_NAME_BYTES = 200

const FORBIDDEN = /[\0\x07\r\n ,]/

export const parseChannel = (name: string): ChatId | { readonly wrong: string } => {
  if (!isChannelName(name)) return { wrong: `"${name}" is no channel: write it with its prefix, for example #friends` }
  if (name.length === 1 || FORBIDDEN.test(name) || Buffer.byteLength(name) > MAX_NAME_BYTES) {
    return { wrong: `"${name.slice(0, 60)}" is no channel: a name has no spaces and commas and is not too long` }
  }
  return chatIdOf(name)
}

export const parseNick = (nick: string): UserId | { readonly wrong: string } => {
  if (nick === '' || /^[\d:#&+!@~%-]|[\s!@,*?:]/.test(nick) || FORBIDDEN.test(nick)) {
    return { wrong: `"${nick.slice(0, 60)}" is no nickname` }
  }
  if (Buffer.byteLength(nick) > MAX_NAME_BYTES) return { wrong: 'that nickname is too long' }
  return userIdOf(nick)
}
