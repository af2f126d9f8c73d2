import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Outbound, StoredInbound } from '../../../bridge/model/events.ts'
import type {
  AccountId,
  ChatId,
  EventId,
  MessageId,
  NetworkId,
  PersonId,
  PortalId,
  UserId,
} from '../../../bridge/model/ids.ts'
import { plain } from '../../../bridge/model/text.ts'
import { laneKey } from '../../../bridge/place.ts'
import { type LegId, type NewRow, type Portal, StoreUnavailable } from '../../../bridge/store/port.ts'
import { SCHEMA_VERSION } from '../../../bridge/store/schema.ts'
import { SqliteStore } from '../../../bridge/store/sqlite.ts'
import { VirtualClock } from '../../kit/clock.ts'
import { recordingLog } from '../../kit/observers.ts'

let folder: string
let file: string
let clock: VirtualClock
const stores: SqliteStore[] = []

const open = async (more: Partial<ConstructorParameters<typeof SqliteStore>[0]> = {}): Promise<SqliteStore> => {
  const store = new SqliteStore({ file, clock, log: recordingLog(), ...more })
  stores.push(store)
  await store.open()
  return store
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msn-bridge-store-'))
  file = join(folder, 'bridge.db')
  clock = new VirtualClock()
})
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const network = 'msn' as NetworkId
const chat = { network, chat: 'bob' as ChatId, account: 'relay' as AccountId }
const portal = 'p1' as PortalId
const lane = laneKey('bot' as AccountId, { kind: 'channel', name: '#bob' as ChatId })
const other = laneKey('bot' as AccountId, { kind: 'channel', name: '#eve' as ChatId })
const op = (words: string): Outbound<EventId> => ({
  kind: 'message',
  as: { kind: 'self' },
  body: { kind: 'text', text: plain(words) },
  at: 1,
})
const event = (id: string, words = 'x'): StoredInbound => ({
  kind: 'message',
  chat,
  sender: { network, user: 'bob' as UserId },
  id: id as MessageId,
  at: 1,
  body: { kind: 'text', text: plain(words) },
})
const row = (id: string, more: Partial<NewRow> = {}): NewRow => ({
  lane,
  event: id as EventId,
  at: 1,
  ops: [op(id)],
  split: false,
  attempted: 0,
  ...more,
})
const request = (id: string, native = id, rows: readonly NewRow[] = [row(id)]) => ({
  id: id as EventId,
  portal,
  event: event(native),
  storedAt: clock.now(),
  rows,
})

describe('events and the outbox', () => {
  test('an event is stored with its rows, and once for each native id of a chat', async () => {
    const store = await open()
    expect(await store.accept(request('e1', 'n1'))).toEqual({ kind: 'stored', seqs: [1] })
    expect(await store.accept(request('e2', 'n1'))).toEqual({ kind: 'duplicate' })
    const elsewhere = { ...event('n1'), chat: { network, chat: 'bob' as ChatId } }
    expect(await store.accept({ ...request('e3'), event: elsewhere })).toMatchObject({ kind: 'stored' })
    expect((await store.laneRows(lane, undefined, 10)).map((one) => one.event)).toEqual(['e1', 'e3'])
  })

  test('everything asked for in one turn is one transaction, in the order of asking', async () => {
    const store = await open()
    const reader = new Database(file, { readonly: true })
    const visible = reader.prepare<[], { count: number }>('SELECT count(*) AS count FROM event')
    const done: number[] = []
    const counts = new Set<number | undefined>()
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        store.accept(request(`e${index}`)).then(() => {
          done.push(index)
          counts.add(visible.get()?.count)
        }),
      ),
    )
    reader.close()
    expect([...counts]).toEqual([100])
    expect(done).toEqual(Array.from({ length: 100 }, (_, index) => index))
    expect((await store.laneRows(lane, undefined, 200)).map((one) => one.event)).toEqual(
      done.map((index) => `e${index}`),
    )
  })

  test('a write that fails harms none of its group', async () => {
    const store = await open()
    const bad = store.putIdentity({ user: { network, user: 'x' as UserId }, person: 'nobody' as PersonId })
    const results = await Promise.allSettled([store.accept(request('e1')), bad, store.accept(request('e2'))])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await store.lanes()).toEqual([{ lane, rows: 2, oldest: 1 }])
    expect(store.health).toEqual({ kind: 'ok' })
  })

  test('a step of a lane is stored whole: results, marks, and what is to be told', async () => {
    const store = await open()
    await store.accept(
      request('e1', 'n1', [row('e1', { tell: { lane: other, name: 'carol' } }), row('e1', { lane: other })]),
    )
    await store.advance({ split: [{ seq: 1, ops: [op('a'), op('b')] }], attempted: [{ seq: 1, part: 0 }] })
    expect(await store.laneRows(lane, undefined, 10)).toMatchObject([
      { seq: 1, part: 0, parts: 2, state: 'attempted', op: op('a'), tell: { lane: other, name: 'carol' } },
      { seq: 1, part: 1, parts: 2, state: 'queued', op: op('b'), tell: { lane: other, name: 'carol' } },
    ])
    const ids = ['m1', 'm2'] as MessageId[]
    await store.advance({
      done: [{ seq: 1, part: 0, event: 'e1' as EventId, lane, ids }],
      told: [{ seq: 1, outcome: 'uncertain' }],
      add: [row('e9')],
      meta: [['k', 'v']],
    })
    await store.advance({ done: [{ seq: 1, part: 1, event: 'e1' as EventId, lane, ids: ['m3' as MessageId] }] })
    expect(await store.laneRows(lane, undefined, 10)).toMatchObject([{ event: 'e9', seq: 3 }])
    expect(await store.nativesOf('e1' as EventId, undefined, lane)).toEqual(['m1', 'm2', 'm3'])
    expect(await store.nativesOf('e1' as EventId, chat, other)).toEqual(['n1'])
    expect(await store.eventOf(chat, other, 'n1' as MessageId)).toBe('e1')
    expect(await store.eventOf(chat, lane, 'm2' as MessageId)).toBe('e1')
    expect(await store.eventOf(chat, other, 'm2' as MessageId)).toBeUndefined()
    expect(await store.meta('k')).toBe('v')
  })

  test('rows are read page by page, and numbers go on after a restart', async () => {
    const store = await open()
    for (const id of ['e1', 'e2', 'e3']) await store.accept(request(id))
    const [first, second] = await store.laneRows(lane, undefined, 2)
    expect([first?.event, second?.event]).toEqual(['e1', 'e2'])
    expect((await store.laneRows(lane, second, 2)).map((one) => one.event)).toEqual(['e3'])
    await store.close()
    const again = await open()
    expect(await again.accept(request('e4'))).toEqual({ kind: 'stored', seqs: [4] })
  })

  test('history is pruned in batches, except what the outbox still speaks of', async () => {
    const store = await open()
    for (const id of ['e1', 'e2', 'e3']) await store.accept(request(id, id, []))
    await store.accept(request('e4'))
    await store.advance({
      add: [row('x')],
      done: [{ seq: 99, part: 0, event: 'e1' as EventId, lane, ids: ['m' as MessageId] }],
    })
    await clock.advance(1_000)
    await store.accept(request('e5', 'e5', []))
    expect(await store.prune(clock.now(), 2)).toBe(2)
    expect(await store.prune(clock.now(), 2)).toBe(1)
    expect(await store.prune(clock.now(), 2)).toBe(0)
    expect(await store.nativesOf('e1' as EventId, chat, lane)).toEqual([])
    expect(await store.nativesOf('e4' as EventId, chat, lane)).toEqual(['e4'])
    expect(await store.nativesOf('e5' as EventId, chat, lane)).toEqual(['e5'])
  })

  test('the last active portals are those of the last minutes and those with rows', async () => {
    const store = await open()
    await store.accept({ ...request('e1'), portal: 'waiting' as PortalId })
    await store.accept({ ...request('e2', 'e2', []), portal: 'old' as PortalId })
    await clock.advance(3_600_000)
    await store.accept({ ...request('e3', 'e3', []), portal: 'new' as PortalId })
    expect((await store.lastActivePortals(600_000)).toSorted()).toEqual(['new', 'waiting'])
  })
})

describe('facts', () => {
  test('people, identities, facts, contacts, portals and the state of adapters survive a restart', async () => {
    const store = await open()
    const person = 'alice' as PersonId
    const user = { network, user: 'alice@x' as UserId }
    const relay = 'relay' as AccountId
    const row = { account: relay, user: 'bob' as UserId, name: 'Bob', listed: true, blocked: false, hasUs: true }
    const legs: Portal['legs'] = [
      {
        id: 'l1' as LegId,
        portal,
        network,
        via: relay,
        request: { kind: 'direct', with: 'bob' as UserId },
        chat,
        flow: 'both',
      },
      { id: 'l2' as LegId, portal, network, via: relay, request: { kind: 'lobby' }, flow: 'out' },
    ]
    await store.putPerson({ id: person, name: 'Alice' })
    await store.putIdentity({ user, person })
    await store.setAccountFact(relay, 'status', 'busy')
    await store.updateContacts(relay, [row, { ...row, user: 'eve' as UserId }], [])
    await store.updateContacts(relay, [], ['eve' as UserId])
    await store.updatePortals([{ id: portal, kind: 'lobby', origin: 'command', legs }], [])
    await store.setLegChat('l2' as LegId, { network, chat: 'c' as ChatId })
    await store.adapterState(network).update([
      ['a/1', 'x'],
      ['a/2', 'y'],
      ['b%', 'z'],
    ])
    await store.adapterState(network).update([['a/2', undefined]])
    await store.close()

    const again = await open()
    expect(await again.people()).toEqual([{ id: person, name: 'Alice' }])
    expect(await again.identities()).toEqual([{ user, person }])
    expect(await again.accountFacts(relay)).toEqual(new Map([['status', 'busy']]))
    expect(await again.allContacts()).toEqual([row])
    expect(await again.portals()).toEqual([
      { id: portal, kind: 'lobby', origin: 'command', legs: [legs[0], { ...legs[1], chat: { network, chat: 'c' } }] },
    ])
    expect(await again.adapterState(network).list('a/')).toEqual([['a/1', 'x']])
    expect(await again.adapterState('other' as NetworkId).get('a/1')).toBeUndefined()
    await again.removePerson(person)
    expect(await again.identities()).toEqual([])
    await again.updatePortals([], [portal])
    expect(await again.portals()).toEqual([])
  })
})

describe('opening', () => {
  test('refuses a database of a newer version with one clear sentence', async () => {
    await (await open()).close()
    const db = new Database(file)
    db.pragma(`user_version = ${SCHEMA_VERSION + 1}`)
    db.close()
    await expect(open()).rejects.toThrow(
      `was written by a newer msn-bridge (its schema is ${SCHEMA_VERSION + 1}, this version knows ${SCHEMA_VERSION}): run that version`,
    )
  })

  test('refuses the database of another program', async () => {
    const db = new Database(file)
    db.exec('CREATE TABLE theirs (x)')
    db.close()
    await expect(open()).rejects.toThrow('is a database of another program: choose another data folder')
  })

  test('refuses a folder that cannot be made, with the remedy', async () => {
    writeFileSync(join(folder, 'file'), '')
    file = join(folder, 'file', 'data', 'bridge.db')
    await expect(open()).rejects.toThrow(/cannot be opened .* check that its folder exists, is writable and has space/)
  })
})

test('a backup taken while messages flow opens and holds what was committed before', async () => {
  const store = await open()
  for (let index = 0; index < 200; index++) await store.accept(request(`a${index}`))
  const copy = join(folder, 'copy.db')
  let more = true
  const flow = (async () => {
    for (let index = 0; more; index++) await store.accept(request(`b${index}`))
  })()
  await store.backup(copy)
  more = false
  await flow
  const db = new Database(copy, { readonly: true })
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(db.prepare("SELECT count(*) AS count FROM event WHERE id LIKE 'a%'").get()).toEqual({ count: 200 })
  db.close()
  await expect(store.backup(copy)).rejects.toThrow('exists already')
  await expect(store.backup(join(folder, 'nowhere', 'copy.db'))).rejects.toThrow('cannot be written')
})

describe('a full disk', () => {
  const fill = async (store: SqliteStore): Promise<number> => {
    for (let index = 0; ; index++)
      try {
        await store.accept({ ...request(`f${index}`, `f${index}`, []), event: event(`f${index}`, 'x'.repeat(5_000)) })
      } catch (error) {
        expect(error).toBeInstanceOf(StoreUnavailable)
        return index
      }
  }

  test('rejects what cannot be stored, says so, keeps what was stored, and recovers by itself', async () => {
    const store = await open({ maxBytes: 400_000, probeMs: 1_000 })
    const changes: string[] = []
    store.onHealth((health) => changes.push(health.kind))
    const stored = await fill(store)
    expect(stored).toBeGreaterThan(10)
    expect(store.health).toMatchObject({ kind: 'unavailable', detail: expect.stringContaining('disk is full') })
    expect(await store.nativesOf('f0' as EventId, chat, lane)).toEqual(['f0'])
    let back = false
    void store.whenAvailable().then(() => (back = true))
    // Space returns: history goes.
    await store.prune(clock.now() + 1, 20)
    await clock.advance(1_000)
    expect(back).toBe(true)
    expect(store.health).toEqual({ kind: 'ok' })
    expect(await store.accept(request('after'))).toMatchObject({ kind: 'stored' })
    expect(changes).toEqual(['unavailable', 'ok'])
  })

  test('is over by itself when a probe succeeds, without any other write', async () => {
    const store = await open({ maxBytes: 400_000, probeMs: 1_000 })
    await fill(store)
    expect(store.health.kind).toBe('unavailable')
    // The probe is small enough for what is left of the last page.
    await clock.advance(1_000)
    expect(store.health.kind).toBe('ok')
  })

  test('fails none of the others of one turn that still fit', async () => {
    const store = await open({ maxBytes: 400_000 })
    const big = { ...request('big', 'big', []), event: event('big', 'x'.repeat(1_000_000)) }
    const results = await Promise.allSettled([
      store.accept(request('a')),
      store.accept(big),
      store.accept(request('b')),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })
})

test('a closed store answers nothing more, and closing twice is harmless', async () => {
  const store = await open()
  const last = store.accept(request('e1'))
  await store.close()
  expect(await last).toMatchObject({ kind: 'stored' })
  await store.close()
  await expect(store.accept(request('e2'))).rejects.toThrow('closed')
})
