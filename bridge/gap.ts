/**
 * After a crash something may be missing: what a foreign server had sent and we had not read. The chats concerned get one
 * line that says so.
 */
import type { EventId, NetworkId, PortalId } from './model/ids.ts'
import { plain } from './model/text.ts'
import { bridgeSpeaksIn } from './ends.ts'
import { laneOfLeg } from './place.ts'
import type { NewRow, Portal, Store } from './store/port.ts'

/** `yes` after a stop in good order, `no` while we run. */
export const CLEAN_KEY = 'clean-stop'

const WORDS = plain('The bridge was interrupted and is back. Messages sent in the meantime may be missing here.')

/** Whether the last process ended without `stop`. */
export const crashed = async (store: Store): Promise<boolean> => (await store.meta(CLEAN_KEY)) === 'no'

/**
 * Pure. One line for each chat of the portals that were active, where one of their networks goes on without us. `joins`:
 * we are a guest on that network. Contacts of somebody who lives elsewhere need not know that there is a bridge.
 */
export const gapRows = (
  portals: readonly Portal[],
  active: readonly PortalId[],
  joins: (network: NetworkId) => boolean,
  now: number,
  mint: () => string,
): readonly NewRow[] => {
  const concerned = new Set(active)
  return portals
    .filter((portal) => concerned.has(portal.id) && portal.legs.some((leg) => joins(leg.network)))
    .flatMap(bridgeSpeaksIn)
    .map(laneOfLeg)
    .filter((lane) => lane !== undefined)
    .map((lane) => ({
      lane,
      event: mint() as EventId,
      at: now,
      ops: [{ kind: 'status', text: WORDS }],
      split: false,
      attempted: 0,
    }))
}
