/** Pure. What a lane waits for before it tries its first row again. */
import type { Reason, WaitFor } from './model/result.ts'

export type HoldKind = 'session' | 'recipient' | 'time' | 'disk'

export interface Hold {
  readonly kind: HoldKind
  readonly wait: WaitFor
  readonly reason: Reason
  /** When it ends by itself, milliseconds since the epoch. */
  readonly until: number | undefined
  /** From when on the senders are told. */
  readonly tellAt: number
}

/** A network's number is taken between these, milliseconds: no busy loop, and no sleep past all patience. */
export const RETRY_MIN_MS = 10
export const RETRY_MAX_MS = 60 * 60_000
/** What was waited for has happened already, as far as we know: the message crossed the news. Milliseconds. */
export const CROSSED_SESSION_MS = 1_000
export const CROSSED_RECIPIENT_MS = 15_000

export interface Known {
  /** The session is online now. */
  readonly online: boolean
  /** Somebody at the other end is known to be online now. */
  readonly present: boolean
  /** When the senders are to hear that nothing gets through. */
  readonly tellAt: number
}

export const holdFor = (wait: WaitFor, reason: Reason, now: number, known: Known): Hold => {
  const base = { wait, reason, tellAt: known.tellAt }
  if (wait === 'recipient-online')
    return {
      ...base,
      kind: 'recipient',
      until: known.present ? now + CROSSED_RECIPIENT_MS : undefined,
      tellAt: known.present ? known.tellAt : now,
    }
  if (wait === 'session-online')
    return { ...base, kind: 'session', until: known.online ? now + CROSSED_SESSION_MS : undefined }
  return { ...base, kind: 'time', until: now + Math.min(Math.max(wait, RETRY_MIN_MS), RETRY_MAX_MS) }
}

const GIVE_UP_AGAIN_MS = 1_000
/** A timer cannot sleep longer, milliseconds. */
const SLEEP_MAX_MS = 24 * 60 * 60_000

/** The next moment at which a lane that is held has something to do. */
export const nextWake = (hold: Hold, giveUpAt: number | undefined, now: number): number => {
  // What is past giving up may be under way just now.
  const patience = giveUpAt === undefined ? undefined : Math.max(giveUpAt, now + GIVE_UP_AGAIN_MS)
  const moments = [hold.until, hold.tellAt > now ? hold.tellAt : undefined, patience].filter(
    (moment) => moment !== undefined,
  )
  return Math.max(now + 1, Math.min(now + SLEEP_MAX_MS, ...moments))
}
