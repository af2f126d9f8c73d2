/** How much and how long: each may be given in `HubDeps.limits`. */
export interface HubLimits {
  /** Rows that may wait in one lane; past it the sender is told `rate-limited`. */
  readonly laneRows: number
  /** Rows of one lane kept in memory; the rest stays on disk until they are gone. */
  readonly laneWindow: number
  /** A delivery that waited this long is given up, with a notice. Milliseconds. */
  readonly giveUpMs: number
  /** A delivery, or the opening of a chat, that takes longer is aborted. Milliseconds. */
  readonly deliverMs: number
  /** A wait for a session or a time is told to the sender when it lasts longer than this. Milliseconds. */
  readonly tellWaitingAfterMs: number
  /** How long `stop` lets deliveries under way finish. Milliseconds. */
  readonly stopMs: number
  /** Events before a crash that make a chat one of "the chats concerned". Milliseconds. */
  readonly gapWindowMs: number
  /** How long history is kept; 0 keeps it for ever. */
  readonly historyDays: number
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
export const DAY = 24 * 60 * MINUTE

export const defaultLimits: HubLimits = {
  laneRows: 10_000,
  laneWindow: 100,
  giveUpMs: 7 * DAY,
  deliverMs: 2 * MINUTE,
  tellWaitingAfterMs: 15 * SECOND,
  stopMs: 5 * SECOND,
  gapWindowMs: 10 * MINUTE,
  historyDays: 0,
}
