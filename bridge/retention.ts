/** Deletes history past its time, a little at once. */
import type { Clock, Logger } from './adapter.ts'
import { DAY } from './limits.ts'
import type { Store } from './store/port.ts'

const EVERY_MS = 60 * 60_000
/** Events deleted in one transaction, and the pause before the next, milliseconds: messages come first. */
const BATCH = 500
const PAUSE_MS = 50

/** `days` 0: for ever. Ends with `signal`. */
export const keepHistory = async (
  store: Store,
  clock: Clock,
  log: Logger,
  days: number,
  signal: AbortSignal,
): Promise<void> => {
  while (days > 0 && !signal.aborted) {
    try {
      const deleted = await store.prune(clock.now() - days * DAY, BATCH)
      await clock.sleep(deleted === BATCH ? PAUSE_MS : EVERY_MS, signal)
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      log.warn({ detail }, 'old history could not be deleted')
      await clock.sleep(EVERY_MS, signal)
    }
  }
}
