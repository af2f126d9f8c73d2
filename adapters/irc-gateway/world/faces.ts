/** Pure. What a contact looks like on IRC: bob!bob@example.com. */
import type { ContactView } from '../../../bridge/adapter.ts'
import type { NetworkId, UserId } from '../../../bridge/model/ids.ts'
import { cutToBytes } from '../../../irc/guard.ts'
import type { ContactKey, Face } from '../types.ts'
import type { Seen } from './presence.ts'
import { shownAs } from './presence.ts'

/** Bytes of either part of an address in a mask. */
const LONGEST_PART = 63

/** "bob@example.com" -> bob, example.com; "@bob:example.org" -> bob, example.org. */
export const addressParts = (user: UserId, network: NetworkId): { readonly ident: string; readonly host: string } => {
  const bare = user.replace(/^[@~+]+/, '')
  const at = bare.search(/[@:]/)
  const ident = at <= 0 ? bare : bare.slice(0, at)
  const host = at <= 0 ? '' : bare.slice(at + 1)
  return { ident: masked(ident) || 'user', host: masked(host) || masked(network) || 'unknown' }
}

/** No blank, `!`, `@` or control character, which would end a part of a mask. */
const masked = (part: string): string =>
  cutToBytes(part.replace(/[\s\u0000-\u0020\u007f!@*?:,]+/gu, '_').toWellFormed(), LONGEST_PART)

export const faceAs = (
  key: ContactKey,
  nick: string,
  network: NetworkId,
  view: ContactView | undefined,
  seen: Pick<Seen, 'online' | 'away'> | undefined,
): Face => ({
  contact: key,
  nick,
  ...addressParts(key.user, network),
  realname: view === undefined ? key.user : shownAs(view),
  address: key.user,
  online: seen?.online ?? false,
  away: seen === undefined ? 'Offline' : seen.away,
  status: seen?.online === true ? view?.presence?.text : undefined,
  listed: view?.listed ?? false,
  blocked: view?.blocked ?? false,
})

export const rootFace = (nick: string, server: string): Face => ({
  contact: undefined,
  nick,
  ident: 'root',
  host: server,
  realname: 'User manager',
  address: '',
  online: true,
  away: undefined,
  status: undefined,
  listed: true,
  blocked: false,
})
