/**
 * Pure. What somebody of another network is called on the homeserver, and who is meant by such an id:
 * bob@example.com on `retro` is `@msn_retro_bob=40example.com:domain`.
 *
 * After the prefix comes the network's id, `_`, and the user's id. Every byte of UTF-8 besides a-z 0-9 . _ - / is written
 * `=xx`, in lower-case hexadecimal; in the network's id `_` is written `=5f` too, so that the first `_` ends it. So each
 * person has exactly one id and each id means exactly one person.
 *
 * An id of more than 255 bytes is none: such a person has no ghost, and what they say is refused with a sentence. It is
 * not shortened, since two people must never become one.
 */
import type { NetworkId, UserId, UserRef } from '../../bridge/model/ids.ts'
import { MAX_ID_BYTES } from './ids.ts'
import type { Mxid } from './types.ts'

export interface GhostNames {
  /** What all ids begin with, after the `@`: `msn_`. */
  readonly prefix: string
  readonly domain: string
  /** Never a ghost, even where its name looks like one. */
  readonly bot: Mxid
}

const NETWORK_SAFE = /[a-z0-9./-]/
const USER_SAFE = /[a-z0-9._/-]/
const ESCAPED = /^(?:[a-z0-9._/-]|=[0-9a-f]{2})+$/

const escape = (text: string, safe: RegExp): string => {
  let escaped = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    const sign = String.fromCharCode(byte)
    escaped += byte < 0x80 && safe.test(sign) ? sign : `=${byte.toString(16).padStart(2, '0')}`
  }
  return escaped
}

/** undefined: nothing that `escape` makes. */
const unescape = (text: string, safe: RegExp): string | undefined => {
  if (!ESCAPED.test(text)) return undefined
  const bytes = text.replaceAll(/=([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const decoded = Buffer.from(bytes, 'latin1').toString('utf8')
  return escape(decoded, safe) === text ? decoded : undefined
}

/** Of somebody whose id is well-formed Unicode; half a character is written as U+FFFD. */
export const ghostIdOf = ({ prefix, domain }: GhostNames, { network, user }: UserRef): Mxid =>
  `@${prefix}${escape(network, NETWORK_SAFE)}_${escape(user, USER_SAFE)}:${domain}`

/** Short enough to be a user of a homeserver. */
export const isPossible = (id: Mxid): boolean => Buffer.byteLength(id) <= MAX_ID_BYTES

/** What stands between `@` and the domain. */
export const localpartOf = (id: Mxid): string => id.slice(1, id.indexOf(':'))

/** In the part of the homeserver's ids that is ours alone, whether it means somebody or not. */
export const isGhostId = ({ prefix, domain, bot }: GhostNames, id: string): boolean =>
  id !== bot && id.startsWith(`@${prefix}`) && id.endsWith(`:${domain}`)

/** undefined: nobody's ghost. */
export const ghostUserOf = (names: GhostNames, id: string): UserRef | undefined => {
  if (!isGhostId(names, id)) return undefined
  const text = id.slice(1 + names.prefix.length, id.length - names.domain.length - 1)
  const end = text.indexOf('_')
  if (end < 1) return undefined
  const network = unescape(text.slice(0, end), NETWORK_SAFE)
  const user = unescape(text.slice(end + 1), USER_SAFE)
  return network === undefined || user === undefined
    ? undefined
    : { network: network as NetworkId, user: user as UserId }
}
