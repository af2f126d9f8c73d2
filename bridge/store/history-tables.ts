/**
 * What was said, in the order of the times that the networks gave. Two tables hold exactly what can be shown: messages that
 * nobody has taken back. What is new is put at the end of `said_lately`; now and then all of it moves on into `said`, where
 * everything has its place. Every function runs inside a transaction of the caller.
 */
import type { MessageEvent, StoredInbound } from '../model/events.ts'
import type { EventId, PortalId } from '../model/ids.ts'
import type { SaidPoint, SaidRange, SaidRow } from './port.ts'
import type { Tables } from './tables.ts'

/** Rows of `event` between two moves. */
export const MOVED_EVERY = 256

const FIRST: SaidPoint = { at: Number.MIN_SAFE_INTEGER, row: 0 }
const LAST: SaidPoint = { at: Number.MAX_SAFE_INTEGER, row: Number.MAX_SAFE_INTEGER }

export const SELECT_SAID: Readonly<Record<SaidRange['from'], string>> = {
  oldest: select('ASC'),
  newest: select('DESC'),
}

function select(order: 'ASC' | 'DESC'): string {
  const points = (table: string): string =>
    `SELECT at, row FROM ${table} WHERE portal = @portal AND (at, row) > (@afterAt, @afterRow) AND (at, row) < (@beforeAt, @beforeRow)`
  return `SELECT event.id, event.data FROM (
      ${points('said')} UNION ALL ${points('said_lately')} ORDER BY at ${order}, row ${order} LIMIT @limit
    ) AS point CROSS JOIN event ON event.row = point.row`
}

export const SELECT_LATEST = `SELECT max(at) AS at FROM (
    SELECT max(at) AS at FROM said WHERE portal = @portal AND at > @after AND at < @before
    UNION ALL SELECT max(at) FROM said_lately WHERE portal = @portal AND at > @after AND at < @before)`

/** What a network says of the time is not always a whole number, and a column of whole numbers takes nothing else. */
const saidAt = (event: StoredInbound, storedAt: number): number | undefined => {
  // What was said to one of them alone is no part of what all have said.
  if (event.kind !== 'message' || event.to !== undefined) return undefined
  const at = Math.trunc(event.at)
  return Number.isSafeInteger(at) ? at : storedAt
}

/** After the event has become row `row`. */
export const say = (tables: Tables, row: number, portal: PortalId, event: StoredInbound, storedAt: number): void => {
  const at = saidAt(event, storedAt)
  if (at !== undefined) tables.run('INSERT INTO said_lately (row, portal, at) VALUES (?, ?, ?)', row, portal, at)
  if (row % MOVED_EVERY === 0) moveOn(tables)
}

const moveOn = (tables: Tables): void => {
  tables.run('INSERT INTO said (portal, at, row) SELECT portal, at, row FROM said_lately ORDER BY portal, at, row')
  tables.run('DELETE FROM said_lately')
}

/** Before its event is deleted, or when it was taken back. */
export const unsay = (tables: Tables, id: EventId): void => {
  const found = tables.one<{ row: number; portal: PortalId; data: string; storedAt: number }>(
    'SELECT row, portal, data, stored_at AS storedAt FROM event WHERE id = ?',
    id,
  )
  if (found === undefined) return
  const { row, portal, data, storedAt } = found
  const at = saidAt(JSON.parse(data) as StoredInbound, storedAt)
  if (at === undefined || tables.run('DELETE FROM said_lately WHERE row = ?', row) > 0) return
  tables.run('DELETE FROM said WHERE portal = ? AND at = ? AND row = ?', portal, at, row)
}

export const pointOf = (tables: Tables, portal: PortalId, id: EventId): SaidPoint | undefined => {
  const found = tables.one<{ row: number; data: string; storedAt: number }>(
    'SELECT row, data, stored_at AS storedAt FROM event WHERE id = ? AND portal = ?',
    id,
    portal,
  )
  if (found === undefined) return undefined
  const { row, data, storedAt } = found
  const at = saidAt(JSON.parse(data) as StoredInbound, storedAt)
  if (at === undefined) return undefined
  return tables.one<SaidPoint>(
    `SELECT at, row FROM said WHERE portal = ? AND at = ? AND row = ? UNION ALL SELECT at, row FROM said_lately WHERE row = ?`,
    portal,
    at,
    row,
    row,
  )
}

export const said = (tables: Tables, portal: PortalId, range: SaidRange): readonly SaidRow[] => {
  const { after = FIRST, before = LAST, from, limit } = range
  const rows = tables.all<{ id: EventId; data: string }>(SELECT_SAID[from], {
    portal,
    afterAt: after.at,
    afterRow: after.row,
    beforeAt: before.at,
    beforeRow: before.row,
    limit,
  })
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
    const at = tables.one<{ at: number | null }>(SELECT_LATEST, { portal, after, before })?.at
    if (typeof at === 'number') found.set(portal, at)
  }
  return found
}
