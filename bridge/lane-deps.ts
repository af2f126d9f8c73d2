/** What a lane needs of the rest. */
import type { Absences } from './absences.ts'
import type { Clock, Logger, Session } from './adapter.ts'
import type { HubLimits } from './limits.ts'
import type { ChatRef, EventId, UserId } from './model/ids.ts'
import type { OpenResult } from './model/result.ts'
import type { LaneKey, NewRow, Store, Tell } from './store/port.ts'
import type { Told } from './tell.ts'

/** Messages that came by one lane, of which the same is told there. */
export type Spoken = readonly [Subject, ...Subject[]]
export interface Subject {
  readonly tell: Tell
  readonly event: EventId
  /** It is about bringing in this person. */
  readonly invited?: UserId
}

export interface LaneDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly limits: HubLimits
  readonly session: () => Session | undefined
  /** The chat, if it was opened in this session. */
  readonly chat: () => ChatRef | undefined
  readonly open: () => Promise<OpenResult>
  /** Somebody of this place is known to be online. */
  readonly recipientPresent: () => boolean
  /** The row that tells it; `undefined` where the senders' network shows nothing of the kind. */
  readonly tell: (subjects: Spoken, told: Told, to: LaneKey) => NewRow | undefined
  /** Senders there see a mark at each message, and not a line of text. */
  readonly marks: (lane: LaneKey) => boolean
  /** Rows for other lanes are on their way to the disk; call back what became of them. */
  readonly enqueue: (rows: readonly NewRow[]) => Enqueued
  readonly absences: Absences
  readonly count: (told: Told) => void
  /** A message is settled here. Answers whether it is delivered now, wherever else it had to go. */
  readonly settled: (event: EventId, delivered: boolean) => boolean
  /** Nothing is left to do. */
  readonly idle: () => void
}

export interface Enqueued {
  readonly rows: readonly NewRow[]
  committed(seqs: readonly number[]): void
  cancelled(): void
}
