/** New rows of one lane whose commit is under way, counted: nothing may pass those that will queue. */
import type { Outbound } from './model/events.ts'
import type { Prepared } from './prepare.ts'
import type { NewRow, OutboxRow } from './store/port.ts'

/** A row that is delivered as soon as the commit that brings it is done. */
export interface Reserved {
  readonly row: NewRow
  readonly wire: Outbound
}

/** Cut, and its first part marked as attempted; `undefined` where it is not ready to go. */
export const reservedFor = (row: NewRow, first: Prepared): Reserved | undefined => {
  if (first.kind === 'ready') return { row: { ...row, attempted: 1 }, wire: first.wire }
  if (first.kind === 'parts') return { row: { ...row, ops: first.ops, split: true, attempted: 1 }, wire: first.first }
  return undefined
}

/** The parts of a new row, as they were committed under this number. */
export const storedRows = (row: NewRow, seq: number): readonly OutboxRow[] =>
  row.ops.map((op, part) => ({
    seq,
    part,
    parts: row.split ? row.ops.length : 0,
    lane: row.lane,
    event: row.event,
    op,
    state: part < row.attempted ? 'attempted' : 'queued',
    at: row.at,
    ...(row.tell === undefined ? {} : { tell: row.tell }),
  }))

export class LaneArrivals {
  /** All rows on their way, */
  #pending = 0
  /** those of them that are delivered right after their commit, */
  #reserved = 0
  /** and parts that are not. */
  #queueing = 0

  get pending(): number {
    return this.#pending
  }

  get reserved(): number {
    return this.#reserved
  }

  get queueing(): number {
    return this.#queueing
  }

  announced(reserved: Reserved | undefined): void {
    this.#count(reserved, 1)
  }

  /** Committed, or never to come. */
  arrived(reserved: Reserved | undefined): void {
    this.#count(reserved, -1)
  }

  #count(reserved: Reserved | undefined, by: 1 | -1): void {
    this.#pending += by
    if (reserved !== undefined) this.#reserved += by
    // The other parts of a reserved message will queue.
    this.#queueing += by * (reserved === undefined ? 1 : reserved.row.ops.length - 1)
  }
}
