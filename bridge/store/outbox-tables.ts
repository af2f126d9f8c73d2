/** Events, outbox rows and receipts in SQLite. Every function here runs inside a transaction of the caller. */
import type { Outbound, StoredInbound } from '../model/events.ts'
import type { ChatRef, EventId, MessageId, PortalId } from '../model/ids.ts'
import { say, unsay } from './history-tables.ts'
import type {
  AcceptRequest,
  AcceptResult,
  Advance,
  LaneKey,
  LaneSummary,
  NewRow,
  OutboxRow,
  RowRef,
  Tell,
} from './port.ts'
import type { Tables } from './tables.ts'

interface OutboxRecord {
  readonly seq: number
  readonly part: number
  readonly parts: number
  readonly lane: string
  readonly event: string
  readonly op: string
  readonly attempted: number
  readonly at: number
  readonly tell: string | null
  readonly tell_name: string | null
  readonly tell_quote: string | null
  readonly told: string | null
}

const INSERT_ROW = `INSERT INTO outbox (seq, part, parts, lane, event, op, attempted, at, tell, tell_name, tell_quote)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const SELECT_ROWS = `SELECT seq, part, parts, own.key AS lane, event, op, attempted, at, other.key AS tell, tell_name, tell_quote, told
  FROM outbox JOIN lane AS own ON own.id = outbox.lane LEFT JOIN lane AS other ON other.id = outbox.tell`

const rowOf = (record: OutboxRecord): OutboxRow => ({
  seq: record.seq,
  part: record.part,
  parts: record.parts,
  lane: record.lane as LaneKey,
  event: record.event as EventId,
  op: JSON.parse(record.op) as Outbound<EventId>,
  state: record.attempted === 1 ? 'attempted' : 'queued',
  at: record.at,
  ...(record.tell === null ? {} : { tell: tellOf(record.tell as LaneKey, record) }),
  ...(record.told === null ? {} : { told: record.told as NonNullable<OutboxRow['told']> }),
})

const tellOf = (lane: LaneKey, { tell_name, tell_quote }: OutboxRecord): Tell => ({
  lane,
  name: tell_name ?? '',
  ...(tell_quote === null ? {} : { quote: tell_quote }),
})

export const accept = (tables: Tables, request: AcceptRequest): AcceptResult => {
  const { id, portal, event, storedAt, rows, unsaid } = request
  const row = tables.add(
    'INSERT INTO event (id, chat, native, portal, stored_at, data) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (chat, native) DO NOTHING',
    id,
    tables.chat(event.chat),
    event.id,
    portal,
    storedAt,
    JSON.stringify(event),
  )
  if (row === undefined) return { kind: 'duplicate' }
  say(tables, row, portal, event, storedAt)
  if (unsaid !== undefined) unsay(tables, unsaid)
  return { kind: 'stored', seqs: rows.map((row) => addRow(tables, row)) }
}

const addRow = (tables: Tables, row: NewRow): number => {
  const seq = tables.nextSeq()
  const lane = tables.lane(row.lane)
  const tell = row.tell === undefined ? null : tables.lane(row.tell.lane)
  const parts = row.split ? row.ops.length : 0
  for (const [part, op] of row.ops.entries())
    tables.run(
      INSERT_ROW,
      seq,
      part,
      parts,
      lane,
      row.event,
      JSON.stringify(op),
      part < row.attempted ? 1 : 0,
      row.at,
      tell,
      row.tell?.name ?? null,
      row.tell?.quote ?? null,
    )
  return seq
}

export const advance = (tables: Tables, step: Advance): { readonly seqs: readonly number[] } => {
  for (const { seq, ops } of step.split ?? []) splitRow(tables, seq, ops)
  for (const { seq, part } of step.attempted ?? [])
    tables.run('UPDATE outbox SET attempted = 1 WHERE seq = ? AND part = ?', seq, part)
  for (const { seq, part } of step.queued ?? [])
    tables.run('UPDATE outbox SET attempted = 0 WHERE seq = ? AND part = ?', seq, part)
  for (const { seq, outcome } of step.told ?? []) tables.run('UPDATE outbox SET told = ? WHERE seq = ?', outcome, seq)
  for (const row of step.done ?? []) {
    tables.run('DELETE FROM outbox WHERE seq = ? AND part = ?', row.seq, row.part)
    if (row.ids.length > 0) addReceipts(tables, row.event, row.lane, row.ids)
  }
  const seqs = (step.add ?? []).map((row) => addRow(tables, row))
  for (const [key, value] of step.meta ?? []) setMeta(tables, key, value)
  return { seqs }
}

const splitRow = (tables: Tables, seq: number, ops: readonly Outbound<EventId>[]): void => {
  for (const [part, op] of ops.entries())
    if (part === 0)
      tables.run('UPDATE outbox SET op = ?, parts = ? WHERE seq = ? AND part = 0', JSON.stringify(op), ops.length, seq)
    else
      tables.run(
        `INSERT INTO outbox (seq, part, parts, lane, event, op, attempted, at, tell, tell_name, tell_quote, told)
         SELECT seq, ?, ?, lane, event, ?, 0, at, tell, tell_name, tell_quote, told FROM outbox WHERE seq = ? AND part = 0`,
        part,
        ops.length,
        JSON.stringify(op),
        seq,
      )
}

/** Several parts of one event add to each other. For the first, which is the only one nearly always, nothing is looked up. */
const addReceipts = (tables: Tables, event: EventId, lane: LaneKey, ids: readonly MessageId[]): void => {
  const number = tables.lane(lane)
  for (const [position, native] of ids.entries())
    if (tables.run(FIRST_RECEIPT, event, number, position, native) === 0)
      tables.run(NEXT_RECEIPT, event, number, native, event, number)
}

const FIRST_RECEIPT = 'INSERT INTO receipt (event, lane, position, native) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'
const NEXT_RECEIPT = `INSERT INTO receipt (event, lane, position, native)
  SELECT ?, ?, coalesce(max(position) + 1, 0), ? FROM receipt WHERE event = ? AND lane = ?`

export const setMeta = (tables: Tables, key: string, value: string | undefined): void => {
  if (value === undefined) tables.run('DELETE FROM meta WHERE key = ?', key)
  else
    tables.run(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      key,
      value,
    )
}

export const eventOf = (tables: Tables, chat: ChatRef, lane: LaneKey, native: MessageId): EventId | undefined => {
  const read = tables.one<{ id: EventId }>(
    'SELECT id FROM event WHERE chat = ? AND native = ?',
    tables.knownChat(chat) ?? 0,
    native,
  )
  if (read !== undefined) return read.id
  return tables.one<{ event: EventId }>(
    'SELECT event FROM receipt WHERE lane = ? AND native = ? LIMIT 1',
    tables.knownLane(lane) ?? 0,
    native,
  )?.event
}

export const eventById = (tables: Tables, id: EventId): StoredInbound | undefined => {
  const row = tables.one<{ data: string }>('SELECT data FROM event WHERE id = ?', id)
  return row === undefined ? undefined : (JSON.parse(row.data) as StoredInbound)
}

export const nativesOf = (
  tables: Tables,
  event: EventId,
  chat: ChatRef | undefined,
  lane: LaneKey,
): readonly MessageId[] => {
  const here = chat === undefined ? undefined : tables.knownChat(chat)
  const read =
    here === undefined
      ? undefined
      : tables.one<{ native: MessageId }>('SELECT native FROM event WHERE id = ? AND chat = ?', event, here)
  if (read !== undefined) return [read.native]
  return tables
    .all<{ native: MessageId }>(
      'SELECT native FROM receipt WHERE event = ? AND lane = ? ORDER BY position',
      event,
      tables.knownLane(lane) ?? 0,
    )
    .map((row) => row.native)
}

export const lastActivePortals = (tables: Tables, windowMs: number): readonly PortalId[] =>
  tables
    .all<{ portal: PortalId }>(
      `SELECT DISTINCT portal FROM event WHERE stored_at >= (SELECT max(stored_at) FROM event) - ?
       UNION SELECT event.portal FROM outbox JOIN event ON event.id = outbox.event`,
      windowMs,
    )
    .map((row) => row.portal)

export const lanes = (tables: Tables): readonly LaneSummary[] =>
  tables.all<LaneSummary>(
    'SELECT lane.key AS lane, count(*) AS rows, min(at) AS oldest FROM outbox JOIN lane ON lane.id = outbox.lane GROUP BY outbox.lane',
  )

export const laneRows = (
  tables: Tables,
  lane: LaneKey,
  after: RowRef | undefined,
  limit: number,
): readonly OutboxRow[] =>
  tables
    .all<OutboxRecord>(
      `${SELECT_ROWS} WHERE outbox.lane = ? AND (seq, part) > (?, ?) ORDER BY seq, part LIMIT ?`,
      tables.knownLane(lane) ?? 0,
      after?.seq ?? 0,
      after?.part ?? 0,
      limit,
    )
    .map(rowOf)

/** An event that the outbox still speaks of stays: its native id is needed to tell what became of it. */
export const prune = (tables: Tables, before: number, limit: number): number => {
  const old = tables.all<{ id: EventId }>(
    `SELECT id FROM event WHERE stored_at < ? AND id NOT IN (SELECT event FROM outbox) ORDER BY stored_at LIMIT ?`,
    before,
    limit,
  )
  for (const { id } of old) {
    unsay(tables, id)
    tables.run('DELETE FROM receipt WHERE event = ?', id)
    tables.run('DELETE FROM event WHERE id = ?', id)
  }
  return old.length
}
