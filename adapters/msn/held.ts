/**
 * Events on their way into the core. The network does not wait for our disk: what was read is read. While the store takes
 * nothing (a full disk), events are held here in order and offered again.
 */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { PassingInbound, StoredInbound } from '../../bridge/model/events.ts'

/** Events held at most; with more, the oldest are lost and the operator is told. */
export const MAX_HELD = 10_000
/** Between offers, milliseconds. */
export const OFFER_AGAIN_MS = 1_000

interface HeldEvent {
  readonly event: StoredInbound
  readonly onStored: () => void
}

export class Held {
  readonly #context: AdapterContext
  readonly #events: HeldEvent[] = []
  readonly #stopping = new AbortController()
  #offering: Promise<void> | undefined
  #lost = 0

  constructor(context: AdapterContext) {
    this.#context = context
  }

  get size(): number {
    return this.#events.length
  }

  /** In the order of the calls, as far as the store takes them. `onStored`: it is on disk. */
  stored(event: StoredInbound, onStored: () => void = () => undefined): void {
    const held = { event, onStored }
    if (this.#offering !== undefined) this.#hold(held)
    else void this.#context.emit(event).then(onStored, (error: unknown) => this.#failed(held, error))
  }

  /** Not worth keeping when it cannot be told now. */
  passing(event: PassingInbound): void {
    void this.#context.emit(event).catch((error: unknown) => {
      this.#context.log.debug({ kind: event.kind, error: String(error) }, 'a passing event was not taken')
    })
  }

  /** What is still held stays untold. Twice is harmless. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#offering
  }

  #failed(held: HeldEvent, error: unknown): void {
    this.#hold(held)
    if (this.#offering !== undefined) return
    this.#context.log.warn({ error: String(error) }, 'what people said cannot be stored now and is held in memory')
    this.#offering = this.#offer()
  }

  #hold(held: HeldEvent): void {
    this.#events.push(held)
    if (this.#events.length <= MAX_HELD) return
    this.#events.shift()
    this.#lost++
    this.#context.metrics.count('msn_events_lost')
  }

  async #offer(): Promise<void> {
    const { clock, log } = this.#context
    while (this.#events.length > 0) {
      await clock.sleep(OFFER_AGAIN_MS, this.#stopping.signal)
      if (this.#stopping.signal.aborted) return
      await this.#flush()
    }
    this.#offering = undefined
    if (this.#lost > 0) log.error({ lost: this.#lost }, 'messages were lost while the store took nothing')
    else log.info({}, 'what was held in memory is stored now')
    this.#lost = 0
  }

  /** One after the other, until one is refused. */
  async #flush(): Promise<void> {
    for (let held = this.#events[0]; held !== undefined; held = this.#events[0]) {
      try {
        await this.#context.emit(held.event)
      } catch {
        return
      }
      held.onStored()
      // It may have had to make room meanwhile.
      if (this.#events[0] === held) this.#events.shift()
    }
  }
}
