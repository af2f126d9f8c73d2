/** How often somebody may try something: so many times within so long, for each key. In memory. */
import type { Clock } from './adapter.ts'

export interface ThrottleRule {
  readonly times: number
  readonly withinMs: number
}

/** Keys remembered; past it the one that was used longest ago is forgotten. */
const KEYS_LIMIT = 1_000

export class Throttle {
  readonly #clock: Clock
  readonly #rule: ThrottleRule
  readonly #tries = new Map<string, readonly number[]>()

  constructor(clock: Clock, rule: ThrottleRule) {
    this.#clock = clock
    this.#rule = rule
  }

  /** Counts a try. Answers 0, or for how many milliseconds they must wait; then it did not count. */
  take(key: string): number {
    const now = this.#clock.now()
    const { times, withinMs } = this.#rule
    const recent = (this.#tries.get(key) ?? []).filter((at) => now - at < withinMs)
    const [oldest] = recent
    if (oldest !== undefined && recent.length >= times) return oldest + withinMs - now
    this.#tries.delete(key)
    if (this.#tries.size >= KEYS_LIMIT) {
      const [first] = this.#tries.keys()
      if (first !== undefined) this.#tries.delete(first)
    }
    this.#tries.set(key, [...recent, now])
    return 0
  }

  /** It went well: what was tried counts no more. */
  forget(key: string): void {
    this.#tries.delete(key)
  }
}
