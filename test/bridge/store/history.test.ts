import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StoredInbound } from '../../../bridge/model/events.ts'
import type { ChatId, EventId, MessageId, NetworkId, PortalId, UserId } from '../../../bridge/model/ids.ts'
import { plain } from '../../../bridge/model/text.ts'
import { laneKey } from '../../../bridge/place.ts'
import { SELECT_LATEST, SELECT_SAID } from '../../../bridge/store/history-tables.ts'
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
const planOf = (sql: string, ...values: readonly unknown[]): string => {
  const db = new Database(file, { readonly: true })
  const rows = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as readonly { readonly detail: string }[]
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
  db.exec('DROP INDEX event_said; ALTER TABLE event DROP COLUMN said_at; PRAGMA user_version = 3')
  db.close()
  await open()
  expect(await ids()).toEqual(['a', 'b'])
  await accept(message('c', 15))
  expect(await ids()).toEqual(['a', 'c', 'b'])
})

test('fifty thousand messages are read through the index, whether in one conversation or in many', async () => {
  const db = new Database(file)
  db.exec(`
    INSERT INTO chat (id, network, chat, account) VALUES (99, 'matrix', '!big', '');
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
    INSERT INTO event (id, chat, native, portal, stored_at, data, said_at)
    SELECT 'x' || i, 99, i, CASE i % 2 WHEN 0 THEN 'p1' ELSE 'p' || (i % 1000) END, i,
      json_object('kind', 'message', 'id', i, 'at', i), i FROM n;
  `)
  db.close()
  for (const from of ['oldest', 'newest'] as const) {
    const plan = planOf(SELECT_SAID[from], 'p1', 0, 0, 1e15, 1e15, 100)
    expect(plan).toBe('SEARCH event USING INDEX event_said (portal=? AND said_at>? AND said_at<?)')
  }
  expect(planOf(SELECT_LATEST, 'p1', 0, 1e15)).toMatch(/^SEARCH event USING COVERING INDEX event_said \(portal=\?/)
  const newest = await ids({ from: 'newest', limit: 100 })
  expect(newest).toHaveLength(100)
  expect(newest.at(-1)).toBe('x49998')
  expect(await ids({ from: 'newest', limit: 3 }, 'p3' as PortalId)).toEqual(['x47003', 'x48003', 'x49003'])
})

test('what was said to one alone is in no history', async () => {
  await accept(message('for all', 1))
  await accept({ ...message('for bob', 2), to: { network, user: '@bob:hs' as UserId } } as StoredInbound)
  expect(await ids()).toEqual(['for all'])
})
