/** Negotiations that come in several packets, and which messages were complete lately. */
import { Buffer } from 'node:buffer'
import { Assembler } from './assembler.ts'
import type { Packet } from './packet.ts'
import { MAX_SLP_BYTES } from './slp.ts'

/** Negotiations under way at once; the oldest goes. */
const MAX_PARTIALS = 8
/** Messages that are remembered, so that what is sent again is acknowledged again and not done twice. */
const MAX_COMPLETED = 256
/** Milliseconds. */
const PARTIAL_MS = 60_000

interface Partial {
  readonly assembler: Assembler
  readonly pieces: Uint8Array[]
  readonly until: number
}

export class Partials {
  readonly #open = new Map<string, Partial>()
  readonly #completed = new Set<string>()

  /** The whole message when this was its last missing packet. */
  take(peer: string, packet: Packet, now: number): Uint8Array | undefined {
    if (packet.total > MAX_SLP_BYTES || packet.total === 0) return undefined
    if (packet.body.length === packet.total) return packet.body
    const key = keyOf(peer, packet)
    const partial = this.#open.get(key) ?? this.#begin(key, packet.total, now)
    const pieces =
      partial.assembler.total === packet.total ? partial.assembler.push(packet.offset, packet.body) : 'wrong'
    if (pieces === 'wrong') {
      this.#open.delete(key)
      return undefined
    }
    partial.pieces.push(...pieces)
    if (!partial.assembler.complete) return undefined
    this.#open.delete(key)
    return Buffer.concat(partial.pieces)
  }

  isCompleted(peer: string, packet: Packet): boolean {
    return this.#completed.has(keyOf(peer, packet))
  }

  completed(peer: string, packet: Packet): void {
    this.#completed.add(keyOf(peer, packet))
    if (this.#completed.size <= MAX_COMPLETED) return
    for (const oldest of this.#completed) {
      this.#completed.delete(oldest)
      return
    }
  }

  #begin(key: string, total: number, now: number): Partial {
    for (const [known, { until }] of this.#open) {
      if (until <= now || this.#open.size >= MAX_PARTIALS) this.#open.delete(known)
    }
    const partial = { assembler: new Assembler({ total, maxAhead: total }), pieces: [], until: now + PARTIAL_MS }
    this.#open.set(key, partial)
    return partial
  }
}

const keyOf = (peer: string, { session, id }: Packet): string => `${peer} ${session} ${id}`
