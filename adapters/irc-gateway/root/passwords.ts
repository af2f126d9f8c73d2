/** What waits for a password that its owner enters by /OPER, so that no client writes it into a log. In memory. */
import type { Clock } from '../../../bridge/adapter.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import type { ClientPort } from '../types.ts'

/** So long may somebody look for it. Milliseconds. */
const WITHIN_MS = 5 * 60_000

export type Waiting =
  | { readonly kind: 'identify' | 'register'; readonly name: string }
  | { readonly kind: 'login'; readonly network: NetworkId; readonly address: string }
  | { readonly kind: 'own' }
  | { readonly kind: 'drop' }

export class Passwords {
  readonly #clock: Clock
  readonly #waiting = new WeakMap<ClientPort, { readonly what: Waiting; readonly until: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Replaces what waited there before. */
  wait(client: ClientPort, what: Waiting): void {
    this.#waiting.set(client, { what, until: this.#clock.now() + WITHIN_MS })
  }

  /** It is taken once. */
  take(client: ClientPort): Waiting | undefined {
    const found = this.#waiting.get(client)
    this.#waiting.delete(client)
    return found !== undefined && this.#clock.now() < found.until ? found.what : undefined
  }
}
