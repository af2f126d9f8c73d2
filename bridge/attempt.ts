/** One call of `deliver`: with a deadline, and with an end even where an adapter breaks its contract. */
import type { Clock, Delivery, Session } from './adapter.ts'
import type { DeliveryResult } from './model/result.ts'

/** Half a minute for an adapter that does not end a delivery it was told to abort. Milliseconds. */
const ABORT_GRACE_MS = 30_000

export interface Attempt {
  /** Asks the adapter to end it and to say what it knows. */
  abort(): void
}

/** Calls `finished` once. `broke` says how the adapter broke the contract: the outcome is uncertain then. */
export const attempt = (
  session: Session,
  delivery: Delivery,
  clock: Clock,
  deadlineMs: number,
  finished: (result: DeliveryResult) => void,
  broke: (detail: string) => void,
): Attempt => {
  const abort = new AbortController()
  const ended = new AbortController()
  const finish = (result: DeliveryResult): void => {
    if (ended.signal.aborted) return
    // With a reason of its own no error is made up, which would cost more than all the rest of this.
    ended.abort('ended')
    finished(result)
  }
  const broken = (detail: string): void => {
    if (ended.signal.aborted) return
    broke(detail)
    finish({ kind: 'uncertain', detail })
  }
  const watch = async (): Promise<void> => {
    await clock.sleep(deadlineMs, ended.signal)
    if (ended.signal.aborted) return
    abort.abort()
    await clock.sleep(ABORT_GRACE_MS, ended.signal)
    broken('a delivery did not end when it was aborted')
  }
  const call = async (): Promise<DeliveryResult> => session.deliver(delivery, abort.signal)
  call().then(finish, (error: unknown) => broken(error instanceof Error ? error.message : String(error)))
  void watch()
  return { abort: () => abort.abort() }
}
