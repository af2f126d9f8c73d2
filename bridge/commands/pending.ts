/** What the bridge has asked somebody, until they answer it or some time has passed. In memory. */
import type { Clock } from '../adapter.ts'

/** Questions remembered; past it the oldest is forgotten. */
const PENDING_LIMIT = 1_000

export class Pending<Value> {
  readonly #clock: Clock
  readonly #withinMs: number
  readonly #values = new Map<string, { readonly value: Value; readonly until: number }>()

  constructor(clock: Clock, withinMs: number) {
    this.#clock = clock
    this.#withinMs = withinMs
  }

  /** Replaces what was asked there before. */
  put(key: string, value: Value): void {
    this.#values.delete(key)
    const [oldest] = this.#values.keys()
    if (oldest !== undefined && this.#values.size >= PENDING_LIMIT) this.#values.delete(oldest)
    this.#values.set(key, { value, until: this.#clock.now() + this.#withinMs })
  }

  /** An answer is taken once. */
  take(key: string): Value | undefined {
    const found = this.#values.get(key)
    this.#values.delete(key)
    return found !== undefined && this.#clock.now() < found.until ? found.value : undefined
  }
}
