/**
 * Members of a channel who take part in the conversations of its account, as far as there is room on the service: who has a
 * place on which switchboard. Time is an argument of the clock; nothing is waited for.
 */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { Outbound, Participant } from '../../bridge/model/events.ts'
import type { UserId, UserRef } from '../../bridge/model/ids.ts'
import type { Switchboard } from '../../msnp/index.ts'
import { oneLine, parseAddress } from './words.ts'

/** Whoever has said nothing for so long gives their place to somebody who speaks. Milliseconds. */
export const SILENT_MS = 10 * 60_000
/** Of a name, UTF-16 units. */
const MAX_NAME = 64

/** Somebody as the service knows them. */
export interface Speaker {
  readonly address: UserId
  readonly name: string
}

/** An account that stands for a channel. */
export interface Channel {
  readonly own: UserId
  readonly addressOf: NonNullable<AdapterContext['addressOf']>
}

/** undefined: it is somebody's account, or not on our own service. */
export const channelOf = (own: UserId, addressOf: AdapterContext['addressOf']): Channel | undefined =>
  addressOf === undefined || !own.startsWith('#') ? undefined : { own, addressOf }

/** Whose words they are, if their network is that of the channel. */
export const speakerOf = (op: Outbound, channel: Channel): Speaker | undefined => {
  if (op.kind !== 'message' || op.as.kind === 'self') return undefined
  return seen(op.as.origin, op.as.name, channel)
}

const seen = (user: UserRef, name: string, { own, addressOf }: Channel): Speaker | undefined => {
  const address = parseAddress(addressOf(user) ?? '')
  if (address === undefined || domainOf(address) !== domainOf(own)) return undefined
  return { address, name: oneLine(name, MAX_NAME) }
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)

interface Place {
  readonly name: string
  /** When they last said something there. */
  readonly spoke: number
}

export class Participants {
  readonly #channel: Channel
  readonly #now: () => number
  /** All who could have a place, by address, in the order in which they get one. */
  #people: ReadonlyMap<UserId, Speaker> = new Map()
  readonly #places = new Map<Switchboard, Map<UserId, Place>>()

  constructor(channel: Channel, now: () => number) {
    this.#channel = channel
    this.#now = now
  }

  /** They and nobody else are in the channel. */
  are(people: readonly Participant[]): void {
    const known = people.map(({ user, name }) => seen(user, name, this.#channel)).filter((one) => one !== undefined)
    this.#people = new Map(known.map((one) => [one.address, one]))
    for (const board of this.#places.keys()) this.#arrange(board)
  }

  /** A switchboard that the other one sees. */
  enter(board: Switchboard): void {
    if (board.participants === 0 || this.#places.has(board)) return
    this.#places.set(board, new Map())
    this.#arrange(board)
  }

  /** It is another conversation's, or over. */
  leave(board: Switchboard): void {
    for (const address of this.#places.get(board)?.keys() ?? []) board.sit(address)
    this.#places.delete(board)
  }

  /** Whether they have a place there now that they say something. */
  speaks(board: Switchboard, { address, name }: Speaker): boolean {
    const places = this.#places.get(board)
    if (places === undefined) return false
    const place = places.get(address)
    if (place === undefined) {
      if (!this.#people.has(address) || board.members.has(address)) return false
      if (places.size >= board.participants && !this.#makeRoom(board, places)) return false
      board.sit(address, name)
    }
    places.set(address, { name: place?.name ?? name, spoke: this.#now() })
    return true
  }

  #arrange(board: Switchboard): void {
    const places = this.#places.get(board)
    if (places === undefined) return
    for (const [address, place] of places) {
      const name = this.#people.get(address)?.name
      if (name === place.name) continue
      board.sit(address, name)
      if (name === undefined) places.delete(address)
      else places.set(address, { ...place, name })
    }
    for (const { address, name } of this.#people.values()) {
      if (places.size >= board.participants) return
      if (places.has(address) || board.members.has(address)) continue
      board.sit(address, name)
      places.set(address, { name, spoke: -Infinity })
    }
  }

  /** Whoever has been silent for the longest time goes, unless that is not long. */
  #makeRoom(board: Switchboard, places: Map<UserId, Place>): boolean {
    // Of those who said nothing here, the last in the order.
    const [silent] = [...places].reverse().sort(([, one], [, other]) => (one.spoke < other.spoke ? -1 : 1))
    if (silent === undefined || this.#now() - silent[1].spoke < SILENT_MS) return false
    board.sit(silent[0])
    places.delete(silent[0])
    return true
  }
}
