/** What a lane needs of the rest. */
import type { Clock, Logger, Session } from './adapter.ts'
import type { HubLimits } from './limits.ts'
import type { ChatRef, EventId } from './model/ids.ts'
import type { OpenResult } from './model/result.ts'
import type { NewRow, Place, Store, Tell } from './store/port.ts'
import type { Told } from './tell.ts'

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
  /** The row that tells it; `undefined` where the sender's network shows nothing of the kind. */
  readonly tell: (tell: Tell, event: EventId, told: Told, place: Place) => NewRow | undefined
  /** The sender sees a mark at each message, and not a line of text. */
  readonly marks: (tell: Tell) => boolean
  /** Rows for other lanes are on their way to the disk; call back what became of them. */
  readonly enqueue: (rows: readonly NewRow[]) => Enqueued
  readonly count: (told: Told) => void
  /** Nothing is left to do. */
  readonly idle: () => void
}

export interface Enqueued {
  readonly rows: readonly NewRow[]
  committed(seqs: readonly number[]): void
  cancelled(): void
}
