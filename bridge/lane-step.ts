/** One commit of a lane: results of what was delivered, marks of what starts, and what the senders are told. */
import type { Entry, LaneRows } from './lane-rows.ts'
import type { Hold } from './hold.ts'
import type { LaneDeps, Subject } from './lane-deps.ts'
import type { DeliveryOutcome } from './model/events.ts'
import type { DeliveryResult } from './model/result.ts'
import { invitedBy } from './plan.ts'
import { settle } from './settle.ts'
import type { Advance, LaneKey, NewRow, OutboxRow, RowRef } from './store/port.ts'
import type { Told } from './tell.ts'

export interface Result {
  readonly entry: Entry
  readonly result: DeliveryResult
  /** Given up after so many milliseconds. */
  readonly after?: number
  /** Why, in a half-sentence of our own. */
  readonly detail?: string
  /** Nobody is to be told and nothing was delivered: there was nothing to do here. */
  readonly silent?: true
}

export interface StepDeps extends Pick<LaneDeps, 'tell' | 'marks' | 'absences' | 'count' | 'settled'> {
  readonly key: LaneKey
  readonly rows: LaneRows
  readonly now: number
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
  const notices = new Notices(deps)
  const apply: (() => void)[] = []
  /** What is told of a message in this very step: its other parts must not say it again. */
  const news = new Map<number, DeliveryOutcome>()

  /** `everywhere`: there is nothing left of which the sender waits to hear. */
  const tell = (row: OutboxRow, words: Told, everywhere = true): void => {
    news.set(row.seq, words.outcome)
    apply.push(() => {
      if (row.op.kind !== 'delivery' && row.op.kind !== 'status') deps.count(words)
      rows.told(row.seq, words.outcome)
    })
    if (row.tell === undefined || (words.outcome === 'delivered' && !everywhere)) return
    if (row.parts > 0 || words.outcome === 'waiting') told.push({ seq: row.seq, outcome: words.outcome })
    const { lane } = row.tell
    const { absences, now } = deps
    const missed = words.outcome === 'partial' ? words.missed : words.outcome === 'delivered' ? [] : undefined
    if (missed !== undefined && !deps.marks(lane)) {
      const isNews = missed.length > 0 && absences.isNews(key, lane, missed, now)
      if (isNews || missed.length === 0) apply.push(() => absences.note(key, lane, missed, now))
      if (!isNews) return
    }
    const invited = invitedBy(row.op)
    notices.add({ tell: row.tell, event: row.event, ...(invited === undefined ? {} : { invited }) }, words)
  }

  for (const { entry, result, after, detail, silent } of results) {
    const known = news.get(entry.row.seq)
    const row = known === undefined ? entry.row : { ...entry.row, told: known }
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
    const isLast = row.parts === 0 || row.part === row.parts - 1 || outcome.dropRest
    const good = silent === true || outcome.tell?.outcome === 'delivered'
    const everywhere = isLast && deps.settled(row.event, good)
    if (outcome.tell === undefined || silent === true) continue
    const why = { ...(after === undefined ? {} : { after }), ...(detail === undefined ? {} : { detail }) }
    tell(row, outcome.tell.outcome === 'refused' ? { ...outcome.tell, ...why } : outcome.tell, everywhere)
  }
  if (hold !== undefined)
    for (const { row } of waits) tell(row, { outcome: 'waiting', wait: hold.wait, reason: hold.reason })
  return {
    advance: { done, queued, told, attempted: starts.map(({ row: { seq, part } }) => ({ seq, part })) },
    add: notices.rows(),
    apply: () => {
      for (const one of apply) one()
    },
    moved: done.length > 0,
  }
}

/** Rows whose sender is to hear now that they wait. By text one is enough: the first. */
export const waitersOf = (
  entries: readonly Entry[],
  results: readonly Result[],
  hold: Hold | undefined,
  { clock, marks }: Pick<LaneDeps, 'clock' | 'marks'>,
): readonly Entry[] => {
  if (hold === undefined || hold.kind === 'disk' || hold.tellAt > clock.now()) return []
  const again = new Set(results.filter(({ result }) => result.kind === 'retry').map(({ entry }) => entry))
  const heard = new Set<LaneKey>()
  const waits: Entry[] = []
  for (const entry of entries) {
    const { tell, told, part, seq } = entry.row
    if (tell === undefined || entry.left || (entry.phase !== 'queued' && !again.has(entry))) continue
    if (told === 'waiting') heard.add(tell.lane)
    if (told !== undefined || (part > 0 && waits.some((other) => other.row.seq === seq))) continue
    if (heard.has(tell.lane) && !marks(tell.lane)) continue
    heard.add(tell.lane)
    waits.push(entry)
  }
  return waits
}

/** What is to be told, together where it is the same for the same place: after a crash one line, and not one for each message. */
class Notices {
  readonly #deps: StepDeps
  readonly #groups = new Map<string, { readonly told: Told; readonly subjects: [Subject, ...Subject[]] }>()

  constructor(deps: StepDeps) {
    this.#deps = deps
  }

  add(subject: Subject, told: Told): void {
    const { tell, event, invited } = subject
    const alone = this.#deps.marks(tell.lane) ? event : ''
    const key = JSON.stringify([tell.lane, told, alone, invited === undefined])
    const group = this.#groups.get(key)
    if (group === undefined) this.#groups.set(key, { told, subjects: [subject] })
    else group.subjects.push(subject)
  }

  rows(): readonly NewRow[] {
    return [...this.#groups.values()]
      .map(({ told, subjects }) => this.#deps.tell(subjects, told, this.#deps.key))
      .filter((row) => row !== undefined)
  }
}
