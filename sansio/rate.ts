/** A token bucket's measures. `burst: 0`: no limit. */
export interface Rate {
  readonly burst: number
  readonly intervalMs: number
}

/** Fractions of a millisecond that adding and subtracting intervals may leave behind. */
const ROUNDING_MS = 1e-6

/** A token bucket: `burst` at once, then one per interval. With `burst: 0` it never runs dry. */
export class TokenBucket {
  readonly #rate: Rate
  /** When all tokens are there again, if no more are taken. */
  #fullAt: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#fullAt = now
  }

  /** Whether there was a token; it is gone then. */
  take(now: number): boolean {
    if (this.#rate.burst === 0) return true
    if (this.#wait(now) > ROUNDING_MS) return false
    this.#fullAt = Math.max(this.#fullAt, now) + this.#rate.intervalMs
    return true
  }

  /** When there is a token: `now`, or later. */
  readyAt(now: number): number {
    const wait = this.#rate.burst === 0 ? 0 : this.#wait(now)
    return wait > ROUNDING_MS ? Math.ceil(now + wait - ROUNDING_MS) : now
  }

  /** Milliseconds until there is one; negative: since then. */
  #wait(now: number): number {
    const { burst, intervalMs } = this.#rate
    return this.#fullAt - (burst - 1) * intervalMs - now
  }
}
