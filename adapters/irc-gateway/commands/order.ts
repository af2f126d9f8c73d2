/**
 * The lines of one client in their order: what is said behind a line to root waits until root has answered. "rename bob
 * rob" and a word to rob in one packet is one thought.
 */
import type { Clock } from '../../../bridge/adapter.ts'
import type { ClientPort } from '../types.ts'
import type { ClientLine } from '../wire/line.ts'

/** Root may be slow, as at a sign-in: nobody waits longer for it than this. Milliseconds. */
export const ORDER_MS = 2_000
/** Lines of one client that wait; more are not held back. */
export const MOST_HELD = 500

/** They belong to the connection, and wait for nothing. */
const PASSES: ReadonlySet<string> = new Set(['PING', 'PONG', 'QUIT'])

interface Held {
  /** Lines to root that are not answered. */
  unanswered: number
  readonly lines: ClientLine[]
}

export class Order {
  readonly #clock: Clock
  readonly #start: (client: ClientPort, line: ClientLine) => void
  readonly #held = new Map<ClientPort, Held>()

  constructor(clock: Clock, start: (client: ClientPort, line: ClientLine) => void) {
    this.#clock = clock
    this.#start = start
  }

  take(client: ClientPort, line: ClientLine): void {
    const held = this.#held.get(client)
    if (held === undefined || PASSES.has(line.verb) || held.lines.length >= MOST_HELD) this.#start(client, line)
    else held.lines.push(line)
  }

  /** Root has heard something of that client, and answers when the promise is through. Answers when the others go on. */
  asked(client: ClientPort, answered: Promise<void>): Promise<void> {
    const held = this.#held.get(client) ?? { unanswered: 0, lines: [] }
    this.#held.set(client, held)
    held.unanswered++
    const early = new AbortController()
    return Promise.race([answered, this.#clock.sleep(ORDER_MS, early.signal)]).then(() => {
      early.abort()
      held.unanswered--
      this.#goOn(client, held)
    })
  }

  #goOn(client: ClientPort, held: Held): void {
    while (held.unanswered === 0) {
      const next = held.lines.shift()
      if (next === undefined) {
        this.#held.delete(client)
        return
      }
      this.#start(client, next)
    }
  }
}
