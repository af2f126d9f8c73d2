/** One commit of a lane: results of what was delivered, marks of what starts, and what the senders are told. */
import type { Entry, LaneRows } from './lane-rows.ts'
import type { Hold } from './hold.ts'
import type { DeliveryResult } from './model/result.ts'
import type { EventId } from './model/ids.ts'
import { settle } from './settle.ts'
import type { Advance, LaneKey, NewRow, OutboxRow, Place, RowRef, Tell } from './store/port.ts'
import type { Told } from './tell.ts'

export interface Result {
  readonly entry: Entry
  readonly result: DeliveryResult
  /** Given up after so many milliseconds. */
  readonly after?: number
  /** Nobody is to be told and nothing was delivered: there was nothing to do here. */
  readonly silent?: true
}

export interface StepDeps {
  readonly key: LaneKey
  readonly place: Place
  readonly rows: LaneRows
  /** The row that tells it; `undefined` where the sender's network shows nothing of the kind. */
  readonly tell: (tell: Tell, event: EventId, told: Told, place: Place) => NewRow | undefined
  readonly count: (told: Told) => void
}

export interface Step {
  readonly advance: Advance
  readonly add: readonly NewRow[]
  /** Makes memory agree, once the step is durable. */
  apply(): void
  /** Something was settled for good. */
  readonly moved: boolean
}

type Done = NonNullable<Advance['done']>[number]
type Marked = NonNullable<Advance['told']>[number]

export const laneStep = (
  deps: StepDeps,
  results: readonly Result[],
  starts: readonly Entry[],
  waits: readonly Entry[],
  hold: Hold | undefined,
): Step => {
  const { key, rows } = deps
  const done: Done[] = []
  const queued: RowRef[] = []
  const told: Marked[] = []
  const add: NewRow[] = []
  const apply: (() => void)[] = []

  const tell = (row: OutboxRow, words: Told): void => {
    apply.push(() => {
      if (row.op.kind !== 'delivery' && row.op.kind !== 'status') deps.count(words)
      rows.told(row.seq, words.outcome)
    })
    if (row.tell === undefined) return
    if (row.parts > 0 || words.outcome === 'waiting') told.push({ seq: row.seq, outcome: words.outcome })
    const line = deps.tell(row.tell, row.event, words, deps.place)
    if (line !== undefined) add.push(line)
  }

  for (const { entry, result, after, silent } of results) {
    const { row } = entry
    const outcome = settle(row, result)
    if (outcome.row === 'queued') {
      queued.push({ seq: row.seq, part: row.part })
      apply.push(() => {
        entry.phase = 'queued'
      })
      continue
    }
    done.push({ seq: row.seq, part: row.part, event: row.event, lane: key, ids: outcome.ids })
    apply.push(() => rows.remove(entry))
    if (outcome.dropRest)
      for (const rest of rows.restOf(row)) {
        done.push({ ...rest, event: row.event, lane: key, ids: [] })
        apply.push(() => rows.removeRef(rest))
      }
    if (outcome.tell === undefined || silent === true) continue
    const givenUp = outcome.tell.outcome === 'refused' && after !== undefined
    tell(row, givenUp ? { ...outcome.tell, after } : outcome.tell)
  }
  if (hold !== undefined)
    for (const { row } of waits) tell(row, { outcome: 'waiting', wait: hold.wait, reason: hold.reason })
  return {
    advance: { done, queued, told, attempted: starts.map(({ row: { seq, part } }) => ({ seq, part })) },
    add,
    apply: () => {
      for (const one of apply) one()
    },
    moved: done.length > 0,
  }
}
