/** What one lane waits for now, and the timer that wakes it: for the end of the wait, to tell the senders, or to give up. */
import type { Clock } from './adapter.ts'
import { type Hold, type HoldKind, holdFor, nextWake } from './hold.ts'
import type { HubLimits } from './limits.ts'
import type { Reason, WaitFor } from './model/result.ts'

export interface LaneHoldDeps {
  readonly clock: Clock
  readonly limits: HubLimits
  readonly online: () => boolean
  readonly present: () => boolean
  /** When the oldest row was accepted. */
  readonly oldest: () => number | undefined
  /** The moment has come; the hold is still on. */
  readonly woken: (hold: Hold) => void
}

export class LaneHold {
  readonly #deps: LaneHoldDeps
  #current: Hold | undefined
  /** Since when nothing has got through, though something should. */
  #stuckSince: number | undefined
  #timer: AbortController | undefined
  #stopped = false

  constructor(deps: LaneHoldDeps) {
    this.#deps = deps
  }

  get current(): Hold | undefined {
    return this.#current
  }

  /** As a result asks for it. */
  wait(wait: WaitFor, reason: Reason): void {
    const now = this.#deps.clock.now()
    const known = { online: this.#deps.online(), present: this.#deps.present(), tellAt: this.#tellAt(now) }
    this.#current = holdFor(wait, reason, now, known)
    this.#arm()
  }

  /** For what no result asks for: the session, or the disk. */
  enter(kind: HoldKind, reason: Reason): void {
    const tellAt = this.#tellAt(this.#deps.clock.now())
    this.#current = { kind, reason, wait: 'session-online', until: undefined, tellAt }
    this.#arm()
  }

  release(): void {
    this.#current = undefined
    this.#timer?.abort()
    this.#timer = undefined
  }

  /** Something got through or was settled: patience begins anew. */
  moved(): void {
    this.#stuckSince = undefined
  }

  /** It stays as it is, but nobody is woken any more. */
  stop(): void {
    this.#stopped = true
    this.#timer?.abort()
  }

  #tellAt(now: number): number {
    this.#stuckSince ??= now
    return this.#stuckSince + this.#deps.limits.tellWaitingAfterMs
  }

  #arm(): void {
    this.#timer?.abort()
    const hold = this.#current
    if (hold === undefined || hold.kind === 'disk' || this.#stopped) return
    const timer = new AbortController()
    this.#timer = timer
    const { clock, limits } = this.#deps
    const now = clock.now()
    const oldest = this.#deps.oldest()
    const giveUpAt = oldest === undefined ? undefined : oldest + limits.giveUpMs
    void clock.sleep(nextWake(hold, giveUpAt, now) - now, timer.signal).then(() => {
      if (!timer.signal.aborted) this.#wake(hold)
    })
  }

  #wake(hold: Hold): void {
    if (hold.until !== undefined && hold.until <= this.#deps.clock.now()) this.release()
    else this.#arm()
    this.#deps.woken(hold)
  }
}
