/** Peer-to-peer machines in one switchboard, without a network: in virtual time, and with the faults that a test wants. */
import { Buffer } from 'node:buffer'
import type { P2pCommand, P2pEvent, P2pLimits, P2pOutput, P2pTimings } from '../../msnp/p2p/contract.ts'
import { P2pEndpoint } from '../../msnp/p2p/endpoint.ts'
import { parsePacket, type Packet } from '../../msnp/p2p/packet.ts'
import { parseMime } from '../../msnp/wire/mime.ts'

export type Fate = 'pass' | 'lose' | 'twice' | 'late' | 'nak'

export interface Passing {
  readonly from: string
  /** undefined: not read as one. */
  readonly packet: Packet | undefined
  /** 0 for the first that this one sends. */
  readonly index: number
}

export interface Guest {
  readonly email: string
  readonly endpoint: P2pEndpoint
  readonly events: P2pEvent[]
  sent: number
  /** What is done at once with an event. */
  react: (event: P2pEvent) => readonly P2pCommand[]
}

/** A packet to the others, or the answer of the switchboard to who sent it. */
type Letter =
  | { readonly kind: 'packet'; readonly from: Guest; readonly payload: Uint8Array }
  | { readonly kind: 'answer'; readonly to: Guest; readonly id: number; readonly ok: boolean }

export class P2pRoom {
  readonly guests = new Map<string, Guest>()
  now = 1_000_000
  fate: (passing: Passing) => Fate = () => 'pass'
  /** What is done to a packet on its way. */
  bend: (payload: Uint8Array, passing: Passing) => Uint8Array = (payload) => payload
  longest = 0
  readonly #letters: Letter[] = []
  readonly #late: Letter[] = []

  enter(email: string, seed: number, more: { limits?: Partial<P2pLimits>; timings?: Partial<P2pTimings> } = {}): Guest {
    const endpoint = new P2pEndpoint({ own: email, random: randomOf(seed), ...more })
    const guest: Guest = { email, endpoint, events: [], sent: 0, react: () => [] }
    this.guests.set(email, guest)
    return guest
  }

  does(guest: Guest, command: P2pCommand): void {
    this.#take(guest, guest.endpoint.command(command, this.now))
  }

  leaves(guest: Guest): void {
    this.guests.delete(guest.email)
    for (const other of this.guests.values()) this.#take(other, other.endpoint.left(guest.email))
  }

  /** As if this one had sent it. */
  says(email: string, payload: Uint8Array): void {
    for (const other of this.guests.values()) {
      if (other.email !== email) this.#take(other, other.endpoint.receive(email, parseMime(payload), this.now))
    }
  }

  /** Until nothing is under way. */
  settle(): this {
    for (let turns = 0; turns < 200_000; turns++) {
      const letter = this.#letters.shift() ?? this.#late.shift()
      if (letter === undefined) return this
      if (letter.kind === 'packet') this.says(letter.from.email, letter.payload)
      else this.#take(letter.to, letter.to.endpoint.carried(letter.id, letter.ok, this.now))
    }
    throw new Error('the room does not come to rest')
  }

  /** Lets time pass; machines that want to be woken are. */
  passes(ms: number): this {
    const end = this.now + ms
    this.settle()
    for (let turns = 0; turns < 10_000; turns++) {
      const next = Math.min(...[...this.guests.values()].map(({ endpoint }) => endpoint.wakeAt ?? Infinity))
      if (next > end) break
      this.now = Math.max(this.now, next)
      for (const guest of this.guests.values()) {
        if ((guest.endpoint.wakeAt ?? Infinity) <= this.now) this.#take(guest, guest.endpoint.tick(this.now))
      }
      this.settle()
    }
    this.now = end
    return this
  }

  #take(guest: Guest, outputs: readonly P2pOutput[]): void {
    for (const output of outputs) {
      if (output.kind === 'event') {
        guest.events.push(output.event)
        for (const command of guest.react(output.event)) this.does(guest, command)
      } else this.#carry(guest, output.id, output.payload)
    }
  }

  #carry(guest: Guest, id: number, payload: Uint8Array): void {
    this.longest = Math.max(this.longest, payload.length)
    const passing = { from: guest.email, packet: parsePacket(parseMime(payload).body), index: guest.sent++ }
    const fate = this.fate(passing)
    const letter = { kind: 'packet', from: guest, payload: this.bend(payload, passing) } as const
    if (fate === 'pass') this.#letters.push(letter)
    else if (fate === 'twice') this.#letters.push(letter, letter)
    else if (fate === 'late') this.#late.push(letter)
    this.#letters.push({ kind: 'answer', to: guest, id, ok: fate !== 'nak' })
  }
}

/** The same numbers each time. */
export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}

/** Bytes that are not all alike. */
export const someBytes = (length: number, seed = 7): Buffer => {
  const random = randomOf(seed)
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at++) bytes[at] = random() & 0xff
  return bytes
}
