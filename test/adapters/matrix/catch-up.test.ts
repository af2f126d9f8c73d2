/** What the homeserver has and did not bring is asked for, before what it brings, once, and only where it is ours. */
import { expect, test } from 'vitest'
import { CatchUp } from '../../../adapters/matrix/catch-up.ts'
import { NO_HOMESERVER } from '../../../adapters/matrix/failures.ts'
import type { ChatId } from '../../../bridge/model/ids.ts'
import type { Answer, Call, Room, RoomId } from '../../../adapters/matrix/types.ts'
import { BOT, failing, NETWORK, roomOf, Rooms, ScriptedHomeserver, TimedContext } from './scripted.ts'

interface Said {
  readonly event_id: string
  readonly room_id: RoomId
}
const said = (room: RoomId, id: string, at = 0): Said & Readonly<Record<string, unknown>> => ({
  event_id: id,
  room_id: room,
  type: 'm.room.message',
  origin_server_ts: at,
})
const entered = { type: 'm.room.member', state_key: BOT, content: { membership: 'join' } }

const MINUTE = 60_000
const WAITS_MS = 250 + 500 + 1_000 + 2_000
const GONE = failing({ kind: 'unreachable', sent: true, detail: 'gone' })

/** A homeserver with rooms, each with its events; `bring` is a transaction of it. */
class Rig {
  readonly homeserver = new ScriptedHomeserver()
  readonly context = new TimedContext()
  readonly table: Rooms
  readonly events = new Map<RoomId, object[]>()
  readonly taken: string[] = []
  readonly life = new AbortController()
  take = async (body: unknown): Promise<void> => {
    for (const { event_id } of (body as { readonly events: readonly Said[] }).events)
      // As the intake does.
      if (!this.taken.includes(event_id)) this.taken.push(event_id)
  }
  catchUp: CatchUp

  constructor(...rooms: readonly Room[]) {
    this.table = new Rooms(...rooms)
    this.homeserver.answer = (call) => this.answer(call)
    this.catchUp = this.#begin()
  }

  static async started(...rooms: readonly Room[]): Promise<Rig> {
    const rig = new Rig(...rooms)
    await rig.catchUp.start()
    return rig
  }

  /** The bridge is started anew. */
  async restart(): Promise<void> {
    this.catchUp = this.#begin()
    await this.catchUp.start()
  }

  /** Said, and not brought. */
  lose(room: RoomId, id: string, more: object = {}): Said {
    const event = { ...said(room, id, this.context.clock.now()), ...more }
    const events = this.events.get(room) ?? []
    this.events.set(room, [...events, event])
    return event
  }

  bring(room: RoomId, id: string, first = false): Promise<void> {
    return this.catchUp.transaction({ events: [this.lose(room, id)] }, first)
  }

  answer({ path, query }: Call): Answer<unknown> {
    const room = decodeURIComponent(/rooms\/([^/]+)\/messages/.exec(path)?.[1] ?? '') as RoomId
    const events = this.events.get(room) ?? []
    const until = Number(query?.['from'] ?? events.length)
    const start = Math.max(0, until - Number(query?.['limit']))
    const chunk = events
      .slice(start, until)
      .toReversed()
      .map((event) => ({ ...event, room_id: undefined }))
    return { ok: true, value: { chunk, ...(start > 0 ? { end: String(start) } : {}) } }
  }

  asked(): readonly string[] {
    return this.homeserver.calls.map(({ path }) => decodeURIComponent(path.split('/')[5] ?? ''))
  }

  /** Until nothing is looked at any more. */
  async quiet(): Promise<void> {
    await this.context.clock.advance(10 * MINUTE)
    await this.catchUp.settled()
  }

  #begin(): CatchUp {
    const { context, homeserver, table, life } = this
    return new CatchUp({
      network: NETWORK,
      context,
      homeserver,
      table,
      take: (body) => this.take(body),
      life: life.signal,
    })
  }
}

test('what was lost comes before what a new connection brings, and a known connection is not asked', async () => {
  const rig = await Rig.started(roomOf('!a'))
  await rig.bring('!a', '$1', true)
  await rig.context.clock.advance(MINUTE)
  const before = rig.homeserver.calls.length
  await rig.bring('!a', '$2')
  expect(rig.homeserver.calls).toHaveLength(before)
  rig.lose('!a', '$3')
  await rig.bring('!a', '$4', true)
  expect(rig.taken).toEqual(['$1', '$2', '$3', '$4'])
  expect(rig.homeserver.calls.at(-1)?.query).toMatchObject({ dir: 'b' })
  expect(rig.homeserver.calls).toHaveLength(before + 1)
})

test('a homeserver that answers only later: the transaction waits for what was lost', async () => {
  const rig = await Rig.started(roomOf('!a'))
  await rig.bring('!a', '$1', true)
  await rig.context.clock.advance(MINUTE)
  rig.lose('!a', '$2')
  let failures = 0
  rig.homeserver.answer = (call) => (failures++ < 2 ? GONE : rig.answer(call))
  const bringing = rig.bring('!a', '$3', true)
  await rig.context.clock.advance(WAITS_MS)
  await bringing
  expect(rig.taken).toEqual(['$1', '$2', '$3'])
})

test('one that goes on failing: two transactions are refused, and the third is taken all the same', async () => {
  const rig = await Rig.started(roomOf('!a'))
  await rig.bring('!a', '$1', true)
  await rig.context.clock.advance(MINUTE)
  rig.lose('!a', '$2')
  rig.homeserver.answer = () => GONE
  const body = { events: [rig.lose('!a', '$3')] }
  const outcomes: string[] = []
  for (let times = 0; times < 3; times++) {
    const bringing = rig.catchUp.transaction(body, true).then(
      () => outcomes.push('taken'),
      (error: unknown) => outcomes.push(String(error)),
    )
    await rig.context.clock.advance(WAITS_MS)
    await bringing
  }
  expect(outcomes).toEqual([
    'Error: what was said before could not be fetched',
    'Error: what was said before could not be fetched',
    'taken',
  ])
  expect(rig.taken).toEqual(['$1', '$3'])
  // What came meanwhile does not hide what is still missing.
  rig.homeserver.answer = (call) => rig.answer(call)
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).toEqual(['$1', '$3', '$2'])
})

test('what cannot be stored stays to be fetched', async () => {
  const rig = await Rig.started(roomOf('!a'))
  await rig.bring('!a', '$1', true)
  await rig.context.clock.advance(MINUTE)
  rig.lose('!a', '$2')
  const { take } = rig
  rig.take = async () => {
    throw new Error('the disk is full')
  }
  const bringing = expect(rig.bring('!a', '$3', true)).rejects.toThrow('could not be fetched')
  await rig.context.clock.advance(WAITS_MS)
  await bringing
  rig.take = take
  await rig.bring('!a', '$4')
  expect(rig.taken).toEqual(['$1', '$2', '$3', '$4'])
})

test('rooms in which nothing came are looked at when the homeserver is there again, one after the other', async () => {
  const rig = await Rig.started(roomOf('!a'), roomOf('!b'), roomOf('!c'))
  rig.lose('!b', '$b')
  rig.lose('!elsewhere', '$not ours')
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).toEqual(['$b'])
  expect(rig.asked().toSorted()).toEqual(['!a', '!b', '!c'])
  expect(rig.context.gauges.get('matrix_rooms_to_look_at')).toBe(0)
})

test('a room that waits to be looked at is looked at first when something is said in it', async () => {
  const rig = await Rig.started(...['!a', '!b', '!c'].map((room) => roomOf(room as RoomId)))
  rig.lose('!c', '$lost')
  rig.catchUp.all()
  await rig.bring('!c', '$next')
  expect(rig.taken).toEqual(['$lost', '$next'])
  await rig.quiet()
  expect(rig.asked().filter((room) => room === '!c')).toHaveLength(1)
})

test('where people talk is looked at when a connection is new, also if nothing came from there', async () => {
  const rig = await Rig.started(roomOf('!a'), roomOf('!b'), roomOf('!cold'))
  await rig.bring('!a', '$1', true)
  await rig.bring('!b', '$2')
  await rig.context.clock.advance(MINUTE)
  rig.lose('!a', '$lost')
  await rig.bring('!b', '$3', true)
  await rig.quiet()
  expect(rig.taken.toSorted()).toEqual(['$1', '$2', '$3', '$lost'])
  expect(rig.asked()).not.toContain('!cold')
})

test('behind a proxy that hides a restart all rooms are looked at once an hour', async () => {
  const rig = await Rig.started(roomOf('!a'), roomOf('!b'))
  await rig.bring('!a', '$1', true)
  rig.lose('!b', '$lost')
  for (let minutes = 0; minutes < 59; minutes += 3) {
    await rig.context.clock.advance(3 * MINUTE)
    rig.catchUp.alive()
  }
  await rig.quiet()
  expect(rig.taken).toEqual(['$1', '$lost'])
})

test('what does not fit into one answer is fetched page by page, oldest first', async () => {
  const rig = await Rig.started(roomOf('!a'))
  await rig.bring('!a', '$0', true)
  await rig.context.clock.advance(MINUTE)
  const lost = Array.from({ length: 250 }, (_, index) => rig.lose('!a', `$${index + 1}`).event_id)
  await rig.bring('!a', '$last', true)
  expect(rig.taken).toEqual(['$0', ...lost, '$last'])
})

test('what was said at the same moment as something that came may be listed before it', async () => {
  const rig = await Rig.started(roomOf('!a'))
  for (let count = 0; count < 30; count++) await rig.bring('!a', `$${count}`, count === 0)
  const listed = rig.events.get('!a') ?? []
  rig.events.set('!a', listed.toSpliced(28, 0, said('!a', '$lost', rig.context.clock.now())))
  await rig.context.clock.advance(MINUTE)
  await rig.bring('!a', '$next', true)
  expect(rig.taken.slice(-2)).toEqual(['$lost', '$next'])
  expect(rig.taken).toHaveLength(32)
})

test('after a restart of the bridge only what happened since is taken', async () => {
  const rig = await Rig.started(roomOf('!a'))
  await rig.bring('!a', '$1', true)
  await rig.context.clock.advance(10 * MINUTE)
  await rig.bring('!a', '$2')
  rig.lose('!a', '$3')
  await rig.context.clock.advance(30 * MINUTE)
  rig.taken.length = 0
  await rig.restart()
  rig.catchUp.all()
  await rig.quiet()
  // The last is looked at again and known by its id, the first is not.
  expect(rig.taken).toEqual(['$2', '$3'])
})

test('the age of an event is what the homeserver says, whatever its clock', async () => {
  const rig = await Rig.started(roomOf('!a'))
  rig.lose('!a', '$old', { origin_server_ts: rig.context.clock.now() * 2, unsigned: { age: 10 * MINUTE } })
  rig.lose('!a', '$new', { origin_server_ts: 0, unsigned: { age: 5 } })
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).toEqual(['$new'])
})

test('what was said before the bot came in, or before a room was linked, is not taken', async () => {
  const rig = await Rig.started(roomOf('!home', { kind: 'home' }))
  rig.lose('!home', '$1')
  rig.lose('!home', '$join', entered)
  rig.lose('!home', '$2')
  rig.lose('!linked', '$3')
  await rig.table.put(roomOf('!linked', { kind: 'channel' }))
  await rig.context.clock.advance(1)
  await rig.bring('!linked', '$4', true)
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).toEqual(['$4', '$2'])
  // Also by the next process.
  await rig.restart()
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).toEqual(['$4', '$2'])
})

test('a new name of the bot is no beginning', async () => {
  const rig = await Rig.started(roomOf('!a'))
  rig.lose('!a', '$lost')
  rig.lose('!a', '$renamed', { ...entered, unsigned: { prev_content: { membership: 'join' } } })
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).toEqual(['$lost', '$renamed'])
})

test('behind what somebody with a wrong clock said there may be more', async () => {
  const rig = await Rig.started(roomOf('!a'))
  rig.lose('!a', '$lost')
  rig.lose('!a', '$wrong', { origin_server_ts: 1 })
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).toEqual(['$lost'])
})

test('a homeserver that names the same place for ever is asked twice', async () => {
  const rig = await Rig.started(roomOf('!a'))
  const lost = rig.lose('!a', '$lost')
  const takes: number[] = []
  rig.take = async (body) => void takes.push((body as { readonly events: readonly Said[] }).events.length)
  rig.homeserver.answer = () => ({ ok: true, value: { chunk: [lost], end: 'here' } })
  rig.catchUp.all()
  await rig.quiet()
  expect([rig.homeserver.calls.length, takes]).toEqual([2, [1]])
})

test('a room that cannot be read holds up others once, and not each time that something is said in it', async () => {
  const rig = await Rig.started(roomOf('!broken'), roomOf('!b'))
  rig.homeserver.answer = (call) => (call.path.includes('broken') ? GONE : rig.answer(call))
  for (let times = 0; times < 2; times++) {
    const bringing = expect(rig.bring('!broken', `$${times}`, true)).rejects.toThrow('could not be fetched')
    await rig.context.clock.advance(WAITS_MS)
    await bringing
  }
  await rig.bring('!broken', '$2', true)
  await rig.bring('!b', '$3')
  // No time passes.
  await rig.bring('!broken', '$4')
  expect(rig.taken).toEqual(['$2', '$3', '$4'])
})

test('a room that can never be read is given up, so that the next start does not read all since then', async () => {
  const rig = await Rig.started(roomOf('!broken'), roomOf('!b'))
  rig.homeserver.answer = (call) => (call.path.includes('broken') ? GONE : rig.answer(call))
  rig.catchUp.all()
  for (let minutes = 0; minutes < 180; minutes++) {
    await rig.context.clock.advance(MINUTE)
    rig.catchUp.alive()
    await rig.bring('!b', `$${minutes}`)
  }
  rig.taken.length = 0
  await rig.restart()
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).not.toContain('$0')
  expect(rig.taken).toContain('$179')
})

test('what was said long ago is not offered again after a quiet time', async () => {
  const rig = await Rig.started(roomOf('!a'))
  await rig.bring('!a', '$1', true)
  await rig.context.clock.advance(90 * MINUTE)
  rig.catchUp.alive()
  await rig.quiet()
  rig.taken.length = 0
  await rig.restart()
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).toEqual([])
})

test('behind a proxy that connects anew for each transaction the rooms around are not read each time', async () => {
  const rooms = Array.from({ length: 20 }, (_, index) => `!${index}` as RoomId)
  const rig = await Rig.started(...rooms.map((room) => roomOf(room)))
  for (const room of rooms) await rig.bring(room, `$in${room}`)
  const transactions = 60
  for (let count = 0; count < transactions; count++) {
    await rig.context.clock.advance(2_000)
    await rig.bring('!0', `$${count}`, true)
  }
  await rig.quiet()
  // Its own room each time, and the nineteen others for the first five and once a minute.
  expect(rig.homeserver.calls.length).toBeLessThanOrEqual(transactions + 19 * (5 + 2 + 1))
  expect(rig.homeserver.calls.length).toBeGreaterThanOrEqual(transactions)
})

test('what is said in a channel between two links of it is not taken', async () => {
  const rig = await Rig.started(roomOf('!linked', { kind: 'channel' }))
  await rig.bring('!linked', '$1', true)
  await rig.table.remove('!linked' as string as ChatId)
  await rig.catchUp.forget('!linked')
  await rig.context.clock.advance(MINUTE)
  rig.lose('!linked', '$private')
  await rig.context.clock.advance(MINUTE)
  await rig.table.put(roomOf('!linked', { kind: 'channel' }))
  await rig.bring('!linked', '$2', true)
  rig.catchUp.all()
  await rig.quiet()
  await rig.restart()
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).toEqual(['$1', '$2'])
})

test('a clock that was set back keeps no room from being looked at', async () => {
  const rig = await Rig.started(roomOf('!a'))
  rig.context.stored.set('catch-up/heard', String(rig.context.clock.now() + 60 * MINUTE))
  await rig.restart()
  rig.lose('!a', '$lost')
  rig.catchUp.all()
  await rig.quiet()
  expect(rig.taken).toEqual(['$lost'])
})

test('a page of a proxy is no answer', async () => {
  const rig = await Rig.started(roomOf('!a'))
  rig.lose('!a', '$lost')
  let pages = 0
  rig.homeserver.answer = (call) =>
    pages++ === 0
      ? failing({ kind: 'refused', status: 404, errcode: NO_HOMESERVER, detail: 'HTTP 404' })
      : rig.answer(call)
  const bringing = rig.bring('!a', '$1', true)
  await rig.context.clock.advance(WAITS_MS)
  await bringing
  expect(rig.taken).toEqual(['$lost', '$1'])
})

test('a room that the bot may not see has nothing for us', async () => {
  const rig = await Rig.started(roomOf('!a'))
  rig.homeserver.answer = () => failing({ kind: 'refused', status: 403, errcode: 'M_FORBIDDEN', detail: 'not in it' })
  await rig.bring('!a', '$1', true)
  expect(rig.taken).toEqual(['$1'])
  expect(rig.homeserver.calls).toHaveLength(1)
})

test('who brings something while a room is being looked at has it looked at again', async () => {
  const rig = await Rig.started(roomOf('!a'))
  const { promise: late, resolve: answer } = Promise.withResolvers<Answer<unknown>>()
  rig.homeserver.answer = () => late
  rig.catchUp.all()
  await rig.context.clock.advance(MINUTE)
  rig.lose('!a', '$lost')
  const bringing = rig.bring('!a', '$1', true)
  rig.homeserver.answer = (call) => rig.answer(call)
  // It was asked before the restart.
  answer({ ok: true, value: { chunk: [] } })
  await bringing
  expect(rig.taken).toEqual(['$lost', '$1'])
})

test('it ends with the bridge', async () => {
  const rig = await Rig.started(roomOf('!a'), roomOf('!b'))
  rig.homeserver.answer = () => GONE
  rig.catchUp.all()
  rig.life.abort()
  await rig.catchUp.settled()
  expect(rig.homeserver.calls.length).toBeLessThan(3)
})
