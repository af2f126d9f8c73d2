/** The lines about people and lists, read. undefined: they lack what they must have. Pure. */
import { isAddress } from '../model/address.ts'
import { parseClientId } from '../model/client-id.ts'
import type { ContactId } from '../model/ids.ts'
import { listOf, type ListName } from '../model/lists.ts'
import { nameOf } from '../model/names.ts'
import { statusOf } from '../model/status.ts'
import { decodeName } from '../wire/escape.ts'
import type { Presence } from './roster.ts'

/** Characters of a display picture object that we keep; a longer one counts as none. */
const MAX_OBJECT = 4_096
const NUMBER = /^\d+$/

/** `bob@example.com Bob 11 0,1`; the groups may be missing, or stand there for people who are not on FL. */
export function parseLst(words: readonly string[]) {
  const [email, nick, bits, groups = ''] = words
  if (!isAddress(email) || nick === undefined || bits === undefined || !NUMBER.test(bits)) return undefined
  return { email, name: nameOf(nick), lists: Number(bits) & 15, groups: groups.split(',').filter((id) => id !== '') }
}

/** One change of a list. */
export interface ListLine {
  readonly list: ListName
  readonly email: string
  readonly name: string | undefined
  readonly group: string | undefined
  readonly id?: ContactId
  /** Out of a group is not off the list, though it be the last one: from MSNP10 on. */
  readonly staysListed?: boolean
}

/** `FL 28 bob@example.com Bob 0`, after the transaction id. Some servers leave the version out. */
export function parseAdd(words: readonly string[]): ListLine | undefined {
  const [list, email, [nick, group]] = listWords(words)
  if (list === undefined || !isAddress(email)) return undefined
  return { list, email, name: nick === undefined ? undefined : nameOf(nick), group: list === 'FL' ? group : undefined }
}

/** `FL 30 bob@example.com 2`, after the transaction id. */
export function parseRem(words: readonly string[]): ListLine | undefined {
  const [list, email, [group]] = listWords(words)
  if (list === undefined || !isAddress(email)) return undefined
  return { list, email, name: undefined, group: list === 'FL' ? group : undefined }
}

function listWords(words: readonly string[]): [ListName | undefined, string | undefined, readonly string[]] {
  const [word = '', ...rest] = words
  const [email, ...others] = NUMBER.test(rest[0] ?? '') ? rest.slice(1) : rest
  return [listOf(word), email, others]
}

export interface PresenceLine {
  readonly email: string
  readonly name: string
  readonly presence: Presence
}

/** `NLN bob@example.com Bob 268435456 %3Cmsnobj...`: the words of NLN, and of ILN after its transaction id. */
export function parsePresence(words: readonly string[]): PresenceLine | undefined {
  const [code = '', email, nick, client = '0', object] = words
  const status = statusOf(code)
  if (status === undefined || !isAddress(email) || nick === undefined) return undefined
  return {
    email,
    name: nameOf(nick),
    presence: { status, clientId: parseClientId(client) ?? 0, object: objectOf(object) },
  }
}

/** No picture is said as nothing, as 0 or as an empty element. */
function objectOf(word: string | undefined): string | undefined {
  if (word === undefined || word === '0' || word.length > MAX_OBJECT) return undefined
  const object = decodeName(word)
  return /^<msnobj\s*\/>$/i.test(object) ? undefined : object
}

/**
 * `PHM 1%20555`, which is about the last LST; `35 bob@example.com PHM 1%20555` or without the version, outside of a
 * list. Without a value the number is cleared.
 */
export function parseBpr(words: readonly string[]) {
  const at = isAddress(words[0]) ? 0 : isAddress(words[1]) ? 1 : -1
  const code = words[at + 1]
  if (code === undefined) return undefined
  const value = words[at + 2]
  return { email: words[at], code, value: value === undefined ? undefined : nameOf(value) }
}
