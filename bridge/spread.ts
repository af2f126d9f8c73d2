/** A message that goes to several places was delivered when it is at all of them. In memory: after a restart each place counts alone. */
import type { EventId } from './model/ids.ts'
import type { LaneKey, NewRow } from './store/port.ts'

/** Messages under way to several places that are remembered; of older ones each place counts alone. */
const EVENTS_LIMIT = 50_000

interface Places {
  readonly left: Set<LaneKey>
  /** It did not get to one of them, or nobody knows. */
  missed: boolean
}

export class Spread {
  readonly #events = new Map<EventId, Places>()

  /** The rows of one message. */
  begin(rows: readonly Pick<NewRow, 'event' | 'lane' | 'tell'>[]): void {
    const told = rows.filter(({ tell }) => tell !== undefined)
    const [first] = told
    if (first === undefined || told.length < 2) return
    const [oldest] = this.#events.keys()
    if (oldest !== undefined && this.#events.size >= EVENTS_LIMIT) this.#events.delete(oldest)
    this.#events.set(first.event, { left: new Set(told.map(({ lane }) => lane)), missed: false })
  }

  /** It is settled at one of the places. Answers whether it is delivered now, everywhere. */
  settled(event: EventId, lane: LaneKey, delivered: boolean): boolean {
    const places = this.#events.get(event)
    if (places === undefined) return delivered
    places.left.delete(lane)
    if (!delivered) places.missed = true
    if (places.left.size > 0) return false
    this.#events.delete(event)
    return !places.missed
  }
}
