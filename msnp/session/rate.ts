import type { Rate } from '../service/contract.ts'

/** A token bucket: `burst` at once, then one per interval. With `burst: 0` it never runs dry. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #at: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#at = now
  }

  /** Whether there was a token; it is gone then. */
  take(now: number): boolean {
    this.#refill(now)
    if (this.#rate.burst === 0) return true
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** When there is a token: `now`, or later. */
  readyAt(now: number): number {
    const { burst, intervalMs } = this.#rate
    this.#refill(now)
    return burst === 0 || this.#tokens >= 1 ? now : now + Math.ceil((1 - this.#tokens) * intervalMs)
  }

  #refill(now: number): void {
    const { burst, intervalMs } = this.#rate
    const elapsed = now - this.#at
    if (elapsed <= 0) return
    this.#tokens = Math.min(burst, this.#tokens + elapsed / intervalMs)
    this.#at = now
  }
}
