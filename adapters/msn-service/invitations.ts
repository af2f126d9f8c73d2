/** How many contacts elsewhere each of our people may add: `invited/<address>` in the adapter's state, the times of what still counts. */
import type { AdapterState, Clock } from '../../bridge/adapter.ts'

export interface Budget {
  readonly times: number
  readonly withinMs: number
}

/** People whose times are in memory. */
const MAX_REMEMBERED = 10_000
const INVITED = 'invited/'

export class Invitations {
  readonly #state: AdapterState
  readonly #clock: Pick<Clock, 'now'>
  readonly #budget: Budget
  readonly #times = new Map<string, readonly number[]>()

  constructor(state: AdapterState, clock: Pick<Clock, 'now'>, budget: Budget) {
    this.#state = state
    this.#clock = clock
    this.#budget = budget
  }

  /** Whether they may add one more; if so it counts, and that is on disk. */
  async take(by: string): Promise<boolean> {
    const stored = this.#times.has(by) ? undefined : await this.#state.get(INVITED + by)
    const now = this.#clock.now()
    const recent = this.#counting(this.#times.get(by) ?? read(stored), now)
    if (recent.length >= this.#budget.times) return false
    const next = [...recent, now]
    this.#times.delete(by)
    const [oldest] = this.#times.keys()
    if (oldest !== undefined && this.#times.size >= MAX_REMEMBERED) this.#times.delete(oldest)
    this.#times.set(by, next)
    await this.#state.update([[INVITED + by, JSON.stringify(next)]])
    return true
  }

  /** Takes away what does not count any more. */
  async sweep(): Promise<void> {
    const now = this.#clock.now()
    const over = (await this.#state.list(INVITED)).filter(([, text]) => this.#counting(read(text), now).length === 0)
    if (over.length > 0) await this.#state.update(over.map(([key]) => [key, undefined]))
  }

  #counting(times: readonly number[], now: number): readonly number[] {
    // A time to come is that of a clock that was wrong.
    return times.filter((at) => at <= now && now - at < this.#budget.withinMs)
  }
}

const read = (text: string | undefined): readonly number[] => {
  try {
    const times: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(times) ? times.filter((at) => typeof at === 'number') : []
  } catch {
    return []
  }
}
