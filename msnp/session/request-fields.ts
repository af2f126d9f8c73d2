import { parseAddress } from '../model/address.ts'
import type { Dialect } from '../model/dialect.ts'
import { listOf } from '../model/lists.ts'
import type { ServiceLimits } from '../service/contract.ts'
import { decodeName } from '../wire/escape.ts'
import type { EditableList, NsEvent } from './notification-server-events.ts'

export interface RequestContext {
  readonly dialect: Dialect
  readonly limits: ServiceLimits
  readonly payload: Uint8Array | undefined
}

/** What a signed-in client asks, or the code that answers it. `words`: what follows the transaction id. */
export type Read = (trid: string, words: readonly string[], context: RequestContext) => NsEvent | number

/** A list that a client may edit, and an address. */
export function targetOf(
  word: string | undefined,
  address: string | undefined,
  limits: ServiceLimits,
): { readonly list: EditableList; readonly who: string } | number {
  if (word === undefined || address === undefined) return 300
  const list = listOf(word)
  if (list === undefined || list === 'RL' || list === 'PL') return 201
  const who = parseAddress(address, limits.addressBytes)
  return typeof who === 'number' ? who : { list, who }
}

/** A friendly name that its owner wants to be known by. */
export function friendlyName(word: string, limits: ServiceLimits): string | 209 {
  const name = decodeName(word)
  return word.length > limits.nameBytes || isBanned(name, limits) ? 209 : name
}

function isBanned(name: string, limits: ServiceLimits): boolean {
  if (limits.bannedWords.length === 0) return false
  const lower = name.toLowerCase()
  return limits.bannedWords.some((banned) => lower.includes(banned))
}
