/** What waits for something that the user of a client has still to give, as a password. In memory. */
import type { Clock } from '../../../bridge/adapter.ts'
import type { ClientPort } from '../types.ts'

/** So long may somebody look for it. Milliseconds. */
const WITHIN_MS = 5 * 60_000

export class Waits<What> {
  readonly #clock: Clock
  readonly #waiting = new WeakMap<ClientPort, { readonly what: What; readonly until: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Replaces what waited there before. */
  wait(client: ClientPort, what: What): void {
    this.#waiting.set(client, { what, until: this.#clock.now() + WITHIN_MS })
  }

  /** It is taken once. */
  take(client: ClientPort): What | undefined {
    const found = this.#waiting.get(client)
    this.#waiting.delete(client)
    return found !== undefined && this.#clock.now() < found.until ? found.what : undefined
  }
}
