/**
 * The packets of one message, put in order. Holds only what has come too early, and no more of that than allowed: what the
 * sender says the total will be is never a reason to take memory.
 */
export interface AssemblerOptions {
  readonly total: number
  /** Bytes that may wait for earlier ones. */
  readonly maxAhead: number
}

/** A packet costs its holder more than its bytes. */
const MAX_PIECES_AHEAD = 1_024
/** Packets of clients hold 1202 bytes. Of a message that comes crumb by crumb, each crumb would cost more than it holds. */
const FEW_PIECES = 64
const MIN_MEAN_BYTES = 128

export class Assembler {
  readonly total: number
  readonly #maxAhead: number
  readonly #ahead = new Map<number, Uint8Array>()
  #aheadBytes = 0
  #next = 0
  #pieces = 0

  constructor({ total, maxAhead }: AssemblerOptions) {
    this.total = total
    this.#maxAhead = maxAhead
  }

  /** Bytes that are there without a gap. */
  get received(): number {
    return this.#next
  }

  get complete(): boolean {
    return this.#next === this.total
  }

  /** What can be used now, in order. `wrong`: beyond the end, half over what was there, or too far ahead. Copies. */
  push(offset: number, bytes: Uint8Array): readonly Uint8Array[] | 'wrong' {
    const end = offset + bytes.length
    if (offset < 0 || end > this.total) return 'wrong'
    // Sent again, or nothing at all.
    if (end <= this.#next || bytes.length === 0) return []
    if (offset < this.#next || ++this.#pieces > FEW_PIECES + this.total / MIN_MEAN_BYTES) return 'wrong'
    if (offset > this.#next) return this.#hold(offset, bytes)
    this.#next = end
    const pieces = [Uint8Array.from(bytes), ...this.#following()]
    // Half over what came before it.
    for (const [at] of this.#ahead) if (at < this.#next) return 'wrong'
    return pieces
  }

  #hold(offset: number, bytes: Uint8Array): readonly Uint8Array[] | 'wrong' {
    const known = this.#ahead.get(offset)
    if (known !== undefined) return known.length === bytes.length ? [] : 'wrong'
    if (this.#aheadBytes + bytes.length > this.#maxAhead || this.#ahead.size >= MAX_PIECES_AHEAD) return 'wrong'
    this.#ahead.set(offset, Uint8Array.from(bytes))
    this.#aheadBytes += bytes.length
    return []
  }

  #following(): readonly Uint8Array[] {
    const pieces: Uint8Array[] = []
    for (let piece = this.#ahead.get(this.#next); piece !== undefined; piece = this.#ahead.get(this.#next)) {
      this.#ahead.delete(this.#next)
      this.#aheadBytes -= piece.length
      this.#next += piece.length
      pieces.push(piece)
    }
    return pieces
  }
}
