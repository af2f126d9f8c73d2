import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StoredInbound } from '../../../bridge/model/events.ts'
import type { ChatId, EventId, MessageId, NetworkId, PortalId, UserId } from '../../../bridge/model/ids.ts'
import { plain } from '../../../bridge/model/text.ts'
import { laneKey } from '../../../bridge/place.ts'
import { MOVED_EVERY, SELECT_LATEST, SELECT_SAID } from '../../../bridge/store/history-tables.ts'
import type { AcceptRequest, SaidRange } from '../../../bridge/store/port.ts'
import { SqliteStore } from '../../../bridge/store/sqlite.ts'
import { VirtualClock } from '../../kit/clock.ts'
import { recordingLog } from '../../kit/observers.ts'

let folder: string
let file: string
let store: SqliteStore

const open = async (): Promise<SqliteStore> => {
  store = new SqliteStore({ file, clock: new VirtualClock(), log: recordingLog() })
  await store.open()
  return store
}
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'msn-bridge-history-'))
  file = join(folder, 'bridge.db')
  await open()
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const network = 'matrix' as NetworkId
const chat = { network, chat: '!room' as ChatId }
const PORTAL = 'p1' as PortalId
const inChat = { chat, sender: { network, user: '@bob:hs' as UserId } }
const message = (id: string, at: number): StoredInbound => ({
  kind: 'message',
  ...inChat,
  id: id as MessageId,
  at,
  body: { kind: 'text', text: plain(id) },
})
const accept = (event: StoredInbound, more: Partial<AcceptRequest> = {}) =>
  store.accept({ id: `e-${event.id}` as EventId, portal: PORTAL, event, storedAt: 7, rows: [], ...more })
const ids = async (range: Partial<SaidRange> = {}, portal = PORTAL): Promise<readonly string[]> =>
  (await store.said(portal, { from: 'oldest', limit: 100, ...range })).map(({ id }) => id.replace('e-', ''))
const point = async (id: string) => {
  const found = await store.saidPoint(PORTAL, `e-${id}` as EventId)
  if (found === undefined) throw new Error(`${id} is not known`)
  return found
}
const counts = (): { readonly said: number; readonly lately: number } => {
  const db = new Database(file, { readonly: true })
  const rows = (table: string): number => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number
  const found = { said: rows('said'), lately: rows('said_lately') }
  db.close()
  return found
}
const planOf = (sql: string, values: Readonly<Record<string, unknown>>): string => {
  const db = new Database(file, { readonly: true })
  const rows = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(values) as readonly { readonly detail: string }[]
  db.close()
  return rows.map(({ detail }) => detail).join('; ')
}

describe('what was said', () => {
  test('comes in the order of its times, and what came first is first where those are the same', async () => {
    for (const [id, at] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
      ['b3', 20],
    ] as const)
      await accept(message(id, at))
    await accept(message('elsewhere', 15), { portal: 'p2' as PortalId })
    expect(await ids()).toEqual(['a', 'b1', 'b2', 'b3', 'c'])
    expect(await ids({ limit: 2 })).toEqual(['a', 'b1'])
    expect(await ids({ from: 'newest', limit: 2 })).toEqual(['b3', 'c'])
    expect(await ids({ after: await point('b1') })).toEqual(['b2', 'b3', 'c'])
    expect(await ids({ before: await point('b3') })).toEqual(['a', 'b1', 'b2'])
    expect(await ids({ after: await point('b1'), before: await point('b3') })).toEqual(['b2'])
    expect(await ids({ from: 'newest', limit: 1, before: await point('b3') })).toEqual(['b2'])
    expect(await ids({}, 'p3' as PortalId)).toEqual([])
  })

  test('is messages only, and of those none that was taken back', async () => {
    await accept(message('a', 1))
    await accept(message('b', 2))
    await accept({ kind: 'topic', ...inChat, id: 't' as MessageId, at: 3, topic: 'x' })
    await accept(
      { kind: 'redact', ...inChat, id: 'r' as MessageId, at: 4, target: 'a' as MessageId },
      {
        unsaid: 'e-a' as EventId,
      },
    )
    expect(await ids()).toEqual(['b'])
    expect(await store.saidPoint(PORTAL, 'e-a' as EventId)).toBeUndefined()
    expect(await store.saidPoint(PORTAL, 'e-t' as EventId)).toBeUndefined()
    expect(await store.saidPoint('p2' as PortalId, 'e-b' as EventId)).toBeUndefined()
  })

  test('has the time at which it came where its network gives none that is a number', async () => {
    await accept(message('a', Number.NaN))
    await accept(message('b', 6.9))
    expect(await ids()).toEqual(['b', 'a'])
    expect(await point('a')).toMatchObject({ at: 7 })
  })

  test('is pruned with the events', async () => {
    await accept(message('old', 1), { storedAt: 1 })
    await accept(message('new', 2), { storedAt: 100 })
    await store.prune(50, 10)
    expect(await ids()).toEqual(['new'])
  })

  test('was last said then, for each portal that has something between two times', async () => {
    await accept(message('a', 10))
    await accept(message('b', 20))
    await accept(message('c', 30), { portal: 'p2' as PortalId })
    const portals = [PORTAL, 'p2' as PortalId, 'p3' as PortalId]
    expect([...(await store.latestSaid(portals, 0, 100))]).toEqual([
      ['p1', 20],
      ['p2', 30],
    ])
    expect([...(await store.latestSaid(portals, 10, 30))]).toEqual([['p1', 20]])
    expect([...(await store.latestSaid(portals, 0, 20))]).toEqual([['p1', 10]])
  })
})

test('a database of the version before gets its times, without what was taken back', async () => {
  const lane = laneKey('bot' as never, { kind: 'channel', name: '!room' as ChatId })
  const row = { lane, event: 'e-d' as EventId, at: 1, ops: [], split: false, attempted: 0 }
  await accept(message('b', 20))
  await accept(message('a', 10))
  await accept(message('gone', 30))
  await accept({ kind: 'redact', ...inChat, id: 'r' as MessageId, at: 4, target: 'gone' as MessageId })
  await accept({ ...message('d', 40), chat: { network: 'msn' as NetworkId, chat: 'bob' as ChatId } }, { rows: [row] })
  await store.advance({ done: [{ seq: 1, part: 0, event: 'e-d' as EventId, lane, ids: ['there' as MessageId] }] })
  await accept({ kind: 'redact', ...inChat, id: 'r2' as MessageId, at: 5, target: 'there' as MessageId })
  expect(await ids()).toEqual(['a', 'b', 'gone', 'd'])
  await store.close()
  const db = new Database(file)
  db.exec(`
    DROP TABLE said;
    DROP TABLE said_lately;
    CREATE TABLE unnumbered (
      id TEXT NOT NULL UNIQUE,
      chat INTEGER NOT NULL REFERENCES chat (id),
      native TEXT NOT NULL,
      portal TEXT NOT NULL,
      stored_at INTEGER NOT NULL,
      data TEXT NOT NULL,
      UNIQUE (chat, native)
    ) STRICT;
    INSERT INTO unnumbered SELECT id, chat, native, portal, stored_at, data FROM event ORDER BY row;
    DROP TABLE event;
    ALTER TABLE unnumbered RENAME TO event;
    CREATE INDEX event_age ON event (stored_at);
    PRAGMA user_version = 3;
  `)
  db.close()
  await open()
  expect(await ids()).toEqual(['a', 'b'])
  await accept(message('c', 15))
  expect(await ids()).toEqual(['a', 'c', 'b'])
  expect(await accept(message('gone', 30))).toEqual({ kind: 'duplicate' })
})

test('fifty thousand messages are read through the index, whether in one conversation or in many', async () => {
  const db = new Database(file)
  db.exec(`
    INSERT INTO chat (id, network, chat, account) VALUES (99, 'matrix', '!big', '');
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
    INSERT INTO event (id, chat, native, portal, stored_at, data)
    SELECT 'x' || i, 99, i, CASE i % 2 WHEN 0 THEN 'p1' ELSE 'p' || (i % 1000) END, i,
      json_object('kind', 'message', 'id', i, 'at', i) FROM n;
    INSERT INTO said (portal, at, row) SELECT portal, stored_at, row FROM event;
  `)
  db.close()
  const range = { portal: 'p1', afterAt: 0, afterRow: 0, beforeAt: 1e15, beforeRow: 0, limit: 100 }
  for (const from of ['oldest', 'newest'] as const) {
    const plan = planOf(SELECT_SAID[from], range)
    expect(plan).toContain(
      'MERGE (UNION ALL); LEFT; SEARCH said USING PRIMARY KEY (portal=? AND (at,row)>(?,?) AND (at,row)<(?,?))',
    )
    expect(plan).toContain('SEARCH event USING INTEGER PRIMARY KEY (rowid=?)')
    expect(plan).not.toContain('SCAN event')
  }
  expect(planOf(SELECT_LATEST, { portal: 'p1', after: 0, before: 1e15 })).toContain(
    'SEARCH said USING PRIMARY KEY (portal=? AND at>? AND at<?)',
  )
  const newest = await ids({ from: 'newest', limit: 100 })
  expect(newest).toHaveLength(100)
  expect(newest.at(-1)).toBe('x49998')
  expect(await ids({ from: 'newest', limit: 3 }, 'p3' as PortalId)).toEqual(['x47003', 'x48003', 'x49003'])
})

test('what has moved on and what is new are one history: in order, without what was taken back, pruned alike', async () => {
  const written = Array.from({ length: MOVED_EVERY + 6 }, (_, index) => `m${index}`)
  // The times go up and down, so that old and new lie between each other.
  const timeOf = (index: number): number => (index * 97) % 1_000
  await Promise.all(written.map((id, index) => accept(message(id, timeOf(index)), { storedAt: index })))
  const inOrder = written.toSorted((a, b) => timeOf(written.indexOf(a)) - timeOf(written.indexOf(b)))
  expect(counts()).toEqual({ said: MOVED_EVERY, lately: 6 })
  expect(await ids({ limit: 1_000 })).toEqual(inOrder)
  expect(await ids({ from: 'newest', limit: 20 })).toEqual(inOrder.slice(-20))
  const middle = inOrder[100] ?? ''
  expect(await ids({ after: await point(middle), limit: 30 })).toEqual(inOrder.slice(101, 131))
  const last = (portals: readonly PortalId[]) => store.latestSaid(portals, 0, 1_000)
  expect((await last([PORTAL])).get(PORTAL)).toBe(timeOf(written.indexOf(inOrder.at(-1) ?? '')))

  const takenBack = ['m0', `m${MOVED_EVERY + 5}`]
  for (const target of takenBack)
    await accept(
      { kind: 'redact', ...inChat, id: `r-${target}` as MessageId, at: 4, target: target as MessageId },
      { unsaid: `e-${target}` as EventId, storedAt: 999 },
    )
  expect(await ids({ limit: 1_000 })).toEqual(inOrder.filter((id) => !takenBack.includes(id)))
  expect(counts()).toEqual({ said: MOVED_EVERY - 1, lately: 5 })
  for (const target of takenBack) expect(await store.saidPoint(PORTAL, `e-${target}` as EventId)).toBeUndefined()

  await store.prune(MOVED_EVERY + 2, 1_000)
  expect(counts()).toEqual({ said: 0, lately: 3 })
  expect(await ids()).toEqual(inOrder.filter((id) => Number(id.slice(1)) >= MOVED_EVERY + 2 && !takenBack.includes(id)))
})

test('what nobody had room for on the disk moves on later', async () => {
  await store.close()
  store = new SqliteStore({ file, clock: new VirtualClock(), log: recordingLog(), maxBytes: 200_000 })
  await store.open()
  let stored = 0
  for (; ; stored++) {
    const text = plain('x'.repeat(400))
    const event = { ...message(`f${stored}`, stored), body: { kind: 'text', text } } as StoredInbound
    if (
      await accept(event).then(
        () => false,
        () => true,
      )
    )
      break
  }
  expect(await ids({ limit: 1_000 })).toHaveLength(stored)
  await store.close()
  await open()
  expect(await ids({ limit: 1_000 })).toHaveLength(stored)
  for (let more = 0; more < MOVED_EVERY; more++) await accept(message(`g${more}`, more))
  expect(counts().said).toBeGreaterThanOrEqual(stored)
  expect(await ids({ limit: 1_000 })).toHaveLength(stored + MOVED_EVERY)
})

test('what was said to one alone is in no history', async () => {
  await accept(message('for all', 1))
  await accept({ ...message('for bob', 2), to: { network, user: '@bob:hs' as UserId } } as StoredInbound)
  expect(await ids()).toEqual(['for all'])
})
