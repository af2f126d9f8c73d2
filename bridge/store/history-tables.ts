/**
 * What was said, in the order of the times that the networks gave. `said_at` is set for messages that nobody has taken
 * back, and for nothing else, so the index holds exactly what can be shown. Every function runs inside a transaction of
 * the caller.
 */
import type { MessageEvent, StoredInbound } from '../model/events.ts'
import type { EventId, PortalId } from '../model/ids.ts'
import type { SaidPoint, SaidRange, SaidRow } from './port.ts'
import type { Tables } from './tables.ts'

const FIRST: SaidPoint = { at: Number.MIN_SAFE_INTEGER, row: 0 }
const LAST: SaidPoint = { at: Number.MAX_SAFE_INTEGER, row: Number.MAX_SAFE_INTEGER }

export const SELECT_SAID: Readonly<Record<SaidRange['from'], string>> = {
  oldest: select('ASC'),
  newest: select('DESC'),
}

function select(order: 'ASC' | 'DESC'): string {
  return `SELECT id, data FROM event
    WHERE portal = ? AND said_at IS NOT NULL AND (said_at, rowid) > (?, ?) AND (said_at, rowid) < (?, ?)
    ORDER BY said_at ${order}, rowid ${order} LIMIT ?`
}

export const SELECT_LATEST = `SELECT said_at AS at FROM event
  WHERE portal = ? AND said_at IS NOT NULL AND said_at > ? AND said_at < ? ORDER BY said_at DESC LIMIT 1`

/** What a network says of the time is not always a whole number, and a column of whole numbers takes nothing else. */
export const saidAt = (event: StoredInbound, storedAt: number): number | null => {
  // What was said to one of them alone is no part of what all have said.
  if (event.kind !== 'message' || event.to !== undefined) return null
  const at = Math.trunc(event.at)
  return Number.isSafeInteger(at) ? at : storedAt
}

export const unsay = (tables: Tables, id: EventId): void => {
  tables.run('UPDATE event SET said_at = NULL WHERE id = ? AND said_at IS NOT NULL', id)
}

export const pointOf = (tables: Tables, portal: PortalId, id: EventId): SaidPoint | undefined =>
  tables.one<SaidPoint>(
    'SELECT said_at AS at, rowid AS row FROM event WHERE id = ? AND portal = ? AND said_at IS NOT NULL',
    id,
    portal,
  )

export const said = (tables: Tables, portal: PortalId, range: SaidRange): readonly SaidRow[] => {
  const { after = FIRST, before = LAST, from, limit } = range
  const rows = tables.all<{ id: EventId; data: string }>(
    SELECT_SAID[from],
    portal,
    after.at,
    after.row,
    before.at,
    before.row,
    limit,
  )
  const found = rows.map(({ id, data }): SaidRow => ({ id, event: JSON.parse(data) as MessageEvent }))
  return from === 'oldest' ? found : found.toReversed()
}

export const latest = (
  tables: Tables,
  portals: readonly PortalId[],
  after: number,
  before: number,
): ReadonlyMap<PortalId, number> => {
  const found = new Map<PortalId, number>()
  for (const portal of portals) {
    const row = tables.one<{ at: number }>(SELECT_LATEST, portal, after, before)
    if (row !== undefined) found.set(portal, row.at)
  }
  return found
}
