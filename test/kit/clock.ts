/** Time that a test turns by hand: an hour passes in a microsecond, and nothing happens by itself. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../bridge/adapter.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

export class VirtualClock implements Clock {
  #now: number
  readonly #sleepers = new Set<Sleeper>()

  constructor(now = Date.UTC(2004, 0, 1)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve()
        return
      }
      const wake = (): void => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper: Sleeper = { at: this.#now + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  /** How many wait. After a clean stop it is none. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  /** Lets `ms` pass: whoever wakes on the way does its work before time goes on. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.settle()
    for (let next = this.#nextBefore(end); next !== undefined; next = this.#nextBefore(end)) {
      this.#now = Math.max(this.#now, next.at)
      next.wake()
      await this.settle()
    }
    this.#now = end
    await this.settle()
  }

  /** Lets everything that can go on without time passing do so. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await nextTurn()
  }

  #nextBefore(end: number): Sleeper | undefined {
    let first: Sleeper | undefined
    for (const sleeper of this.#sleepers)
      if (sleeper.at <= end && (first === undefined || sleeper.at < first.at)) first = sleeper
    return first
  }
}
