import { TokenBucket } from '../../sansio/rate.ts'
import type { ServiceLimits } from '../service/contract.ts'

/** Why a connection is not even answered. */
export type Turned =
  'too many connections' | 'too many connections from one address' | 'connections from one address come too fast'

/** Addresses that are remembered; beyond it the one that has been quiet longest is forgotten. */
export const MAX_PLACES = 50_000

interface Place {
  open: number
  readonly rate: TokenBucket
}

/** Counts connections: in all, from one address, and how fast they come from there. */
export class Doorkeeper {
  readonly #limits: Pick<ServiceLimits, 'connections' | 'connectionsPerAddress' | 'connectionRate'>
  readonly #now: () => number
  /** The one that came last is last. */
  readonly #places = new Map<string, Place>()
  #total = 0

  constructor(
    limits: Pick<ServiceLimits, 'connections' | 'connectionsPerAddress' | 'connectionRate'>,
    now: () => number,
  ) {
    this.#limits = limits
    this.#now = now
  }

  get connections(): number {
    return this.#total
  }

  /** undefined: come in, and call `left` once at the end. */
  enter(address: string): Turned | undefined {
    const { connections, connectionsPerAddress } = this.#limits
    const place = this.#placeOf(address)
    if (!place.rate.take(this.#now())) return 'connections from one address come too fast'
    if (this.#total >= connections) return 'too many connections'
    if (place.open >= connectionsPerAddress) return 'too many connections from one address'
    place.open++
    this.#total++
    return undefined
  }

  left(address: string): void {
    const place = this.#places.get(placeOf(address))
    if (place !== undefined) place.open--
    this.#total--
  }

  #placeOf(address: string): Place {
    const key = placeOf(address)
    const found = this.#places.get(key)
    if (found !== undefined) {
      this.#places.delete(key)
      this.#places.set(key, found)
      return found
    }
    if (this.#places.size >= MAX_PLACES) this.#forgetOne()
    const place = { open: 0, rate: new TokenBucket(this.#limits.connectionRate, this.#now()) }
    this.#places.set(key, place)
    return place
  }

  /** Those with open connections stay: there are no more of them than connections. */
  #forgetOne(): void {
    for (const [key, { open }] of this.#places) {
      if (open > 0) continue
      this.#places.delete(key)
      return
    }
  }
}

/** One machine often has a whole /64 of IPv6: that counts as one address. */
export function placeOf(address: string): string {
  if (!address.includes(':') || address.toLowerCase().startsWith('::ffff:')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length)
  return [...groups, ...Array<string>(zeros).fill('0'), ...rest].slice(0, 4).join(':')
}
