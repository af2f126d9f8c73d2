/**
 * IRC repeats nothing: an event that cannot be stored now (a full disk) is kept in memory and tried again, in order.
 */
import type { Clock, Logger } from '../../bridge/adapter.ts'
import type { Inbound } from '../../bridge/model/events.ts'

/** Events kept while nothing can be stored; then the newest are lost, and it is said. */
export const MAX_KEPT = 5_000
const RETRY_MS = 1_000

export class Inbox {
  readonly #emit: (event: Inbound) => Promise<void>
  readonly #clock: Clock
  readonly #log: Logger
  readonly #over = new AbortController()
  #kept: Inbound[] = []
  #retrying = false
  /** Since something could not be stored. */
  #lost = 0

  constructor(emit: (event: Inbound) => Promise<void>, clock: Clock, log: Logger) {
    this.#emit = emit
    this.#clock = clock
    this.#log = log
  }

  /** Events offered together are stored together; none waits for the one before. */
  offer(event: Inbound): void {
    if (this.#kept.length > 0) {
      this.#keep(event)
      return
    }
    this.#emit(event).catch((error: unknown) => {
      this.#keep(event)
      if (this.#retrying) return
      this.#log.error({ error: String(error) }, 'an IRC message cannot be stored, will try again')
      void this.#retry()
    })
  }

  #keep(event: Inbound): void {
    if (this.#kept.length < MAX_KEPT) this.#kept.push(event)
    else if (this.#lost++ === 0)
      this.#log.error({ kept: MAX_KEPT }, 'IRC messages are lost from now on: they cannot be stored and too many wait')
  }

  /** Ends the retries: what is still kept is lost with the process. */
  stop(): void {
    this.#over.abort()
  }

  async #retry(): Promise<void> {
    this.#retrying = true
    for (let next = this.#kept[0]; next !== undefined && !this.#over.signal.aborted; next = this.#kept[0]) {
      await this.#clock.sleep(RETRY_MS, this.#over.signal)
      while (next !== undefined && (await this.#stored(next))) {
        this.#kept.shift()
        next = this.#kept[0]
      }
    }
    this.#retrying = false
    if (this.#over.signal.aborted) return
    this.#log.info({ lost: this.#lost }, 'IRC messages are stored again')
    this.#lost = 0
  }

  async #stored(event: Inbound): Promise<boolean> {
    try {
      await this.#emit(event)
      return true
    } catch {
      return false
    }
  }
}
