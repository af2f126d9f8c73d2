/** The rows of one lane that are in memory: the first ones, in order. The rest waits on disk. */
import type { DeliveryOutcome, Outbound } from './model/events.ts'
import type { OutboxRow, RowRef } from './store/port.ts'

export interface Entry {
  row: OutboxRow
  /** starting: its attempt is being stored. underway: `deliver` was called. settling: its result is being stored. */
  phase: 'queued' | 'starting' | 'underway' | 'settling'
  /** As the session gets it; absent until it was prepared. */
  wire: Outbound | undefined
  /** Its delivery was under way when the last process ended. */
  left: boolean
  /** It is repeated, though it may have arrived: the network drops it then. */
  again: boolean
}

const before = (a: RowRef, b: RowRef): boolean => a.seq < b.seq || (a.seq === b.seq && a.part < b.part)

const newEntry = (row: OutboxRow): Entry => ({ row, phase: 'queued', wire: undefined, left: false, again: false })

export class LaneRows {
  readonly #window: number
  readonly entries: Entry[] = []
  /** Rows there are, on disk and here. */
  depth = 0
  /** There are rows behind those in memory. */
  moreOnDisk = false
  /** `at` of the first row, when it is not in memory. */
  #oldest: number | undefined

  constructor(window: number) {
    this.#window = window
  }

  /** After a start: all there is waits on disk. */
  stored(rows: number, oldest: number): void {
    this.depth = rows
    this.moreOnDisk = rows > 0
    this.#oldest = oldest
  }

  get oldest(): number | undefined {
    return this.entries[0]?.row.at ?? (this.depth > 0 ? this.#oldest : undefined)
  }

  get empty(): boolean {
    return this.depth === 0
  }

  /** A row was committed. Answers its entry unless it stays on disk for now. */
  append(row: OutboxRow): Entry | undefined {
    this.depth++
    this.#oldest ??= row.at
    if (this.moreOnDisk || this.entries.length >= this.#window) {
      this.moreOnDisk = true
      return undefined
    }
    return this.#insert(row)
  }

  /** What `Store.laneRows` answered to a request for what is behind `last`, made when there were `depth` rows. */
  loaded(rows: readonly OutboxRow[], depth: number): void {
    for (const row of rows) {
      const entry = this.#insert(row)
      if (entry !== undefined) entry.left = row.state === 'attempted'
    }
    // The disk knows better than our count.
    if (rows.length === 0 && depth === this.depth) this.depth = this.entries.length
    this.moreOnDisk = this.entries.length < this.depth
  }

  get last(): RowRef | undefined {
    return this.entries.at(-1)?.row
  }

  get room(): number {
    return this.#window - this.entries.length
  }

  /** One row became several. */
  split(entry: Entry, rows: readonly OutboxRow[]): void {
    const index = this.entries.indexOf(entry)
    if (index < 0) return
    this.entries.splice(index, 1, ...rows.map(newEntry))
    this.depth += rows.length - 1
  }

  remove(entry: Entry): void {
    const index = this.entries.indexOf(entry)
    if (index >= 0) this.entries.splice(index, 1)
    this.#gone()
  }

  /** Removed on disk; it may have been in memory or not. */
  removeRef(ref: RowRef): void {
    const index = this.entries.findIndex(({ row }) => row.seq === ref.seq && row.part === ref.part)
    if (index >= 0) this.entries.splice(index, 1)
    this.#gone()
  }

  /** Later parts of the same message that nobody has begun to deliver, in memory or not. */
  restOf(row: OutboxRow): readonly RowRef[] {
    const begun = new Set(
      this.entries
        .filter((entry) => entry.row.seq === row.seq && entry.phase !== 'queued')
        .map((entry) => entry.row.part),
    )
    const rest: RowRef[] = []
    for (let part = row.part + 1; part < row.parts; part++) if (!begun.has(part)) rest.push({ seq: row.seq, part })
    return rest
  }

  /** The sender knows this of all parts. */
  told(seq: number, outcome: DeliveryOutcome): void {
    for (const entry of this.entries) if (entry.row.seq === seq) entry.row = { ...entry.row, told: outcome }
  }

  #gone(): void {
    this.depth--
    if (this.depth <= 0) {
      this.depth = 0
      this.moreOnDisk = false
      this.#oldest = undefined
    }
  }

  #insert(row: OutboxRow): Entry | undefined {
    let at = this.entries.length
    for (; at > 0; at--) {
      const other = this.entries[at - 1]?.row
      if (other === undefined || before(other, row)) break
      if (!before(row, other)) return undefined
    }
    const entry = newEntry(row)
    this.entries.splice(at, 0, entry)
    return entry
  }
}
