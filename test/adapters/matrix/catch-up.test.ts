/** What the homeserver has and did not bring is asked for, once, and only where it is ours. */
import { expect, test } from 'vitest'
import { CatchUp } from '../../../adapters/matrix/catch-up.ts'
import type { Answer, Call, Room } from '../../../adapters/matrix/types.ts'
import { BOT, failing, NETWORK, roomOf, Rooms, ScriptedHomeserver, TimedContext } from './scripted.ts'

const said = (id: string): object => ({ event_id: id, type: 'm.room.message' })
const entered = { event_id: '$join', type: 'm.room.member', state_key: BOT, content: { membership: 'join' } }

const rig = (...rooms: readonly Room[]) => {
  const homeserver = new ScriptedHomeserver()
  const context = new TimedContext()
  const table = new Rooms(...rooms)
  const taken: unknown[] = []
  const take = async (events: readonly unknown[]): Promise<void> => {
    for (const event of events) taken.push((event as { readonly event_id: string }).event_id)
  }
  const life = new AbortController()
  const catchUp = new CatchUp({ network: NETWORK, context, homeserver, table, take, life: life.signal })
  catchUp.start()
  const answers = (next: string, timelines: Readonly<Record<string, object>>): void => {
    const join = Object.fromEntries(Object.entries(timelines).map(([room, timeline]) => [room, { timeline }]))
    homeserver.answer = () => ({ ok: true, value: { next_batch: next, rooms: { join } } })
  }
  return { homeserver, context, table, taken, catchUp, answers, life }
}

test('the first time only the place is noted, and later what came since is taken', async () => {
  const { homeserver, catchUp, answers, taken, context } = rig(roomOf('!a'))
  answers('s1', { '!a': { events: [said('$old')] } })
  await catchUp.run()
  expect(taken).toEqual([])
  expect(context.stored.get('catch-up/since')).toBe('s1')
  answers('s2', { '!a': { events: [said('$1'), said('$2')] }, '!other': { events: [said('$not ours')] } })
  await catchUp.run()
  expect(taken).toEqual(['$1', '$2'])
  expect(homeserver.calls.at(-1)?.query).toMatchObject({ since: 's1', timeout: 0, set_presence: 'offline' })
  expect(context.stored.get('catch-up/since')).toBe('s2')
})

test('what does not fit into one answer is fetched page by page, oldest first', async () => {
  const { homeserver, catchUp, answers, taken } = rig(roomOf('!a'))
  answers('s1', {})
  await catchUp.run()
  const pages: Readonly<Record<string, Answer<unknown>>> = {
    p3: { ok: true, value: { chunk: [said('$4'), said('$3')], end: 'p2' } },
    p2: { ok: true, value: { chunk: [said('$2'), said('$1')] } },
  }
  const timeline = { events: [said('$5')], limited: true, prev_batch: 'p3' }
  homeserver.answer = ({ path, query }: Call) =>
    path.endsWith('/messages')
      ? (pages[String(query?.['from'])] ?? { ok: true, value: {} })
      : { ok: true, value: { next_batch: 's2', rooms: { join: { '!a': { timeline } } } } }
  await catchUp.run()
  expect(taken).toEqual(['$1', '$2', '$3', '$4', '$5'])
})

test('what was said before the bot came in, or before a room was linked, is not taken', async () => {
  const { catchUp, answers, taken, table } = rig(roomOf('!home', { kind: 'home' }))
  answers('s1', {})
  await catchUp.run()
  await table.put(roomOf('!linked', { kind: 'channel' }))
  const timelines = { '!home': { events: [said('$1'), entered, said('$2')] }, '!linked': { events: [said('$3')] } }
  answers('s2', timelines)
  await catchUp.run()
  expect(taken).toEqual(['$2'])
  answers('s3', { '!linked': { events: [said('$4')] } })
  await catchUp.run()
  expect(taken).toEqual(['$2', '$4'])
})

const GONE = failing({ kind: 'unreachable', sent: true, detail: 'gone' })
const WAITS_MS = 250 + 500 + 1_000 + 2_000

test('what could not be stored, or got no answer, is asked for again at once, in order', async () => {
  const { homeserver, context, answers, catchUp, taken } = rig(roomOf('!a'))
  answers('s1', {})
  expect(await catchUp.run()).toBe(true)
  let failures = 0
  homeserver.answer = () => {
    failures++
    if (failures === 2) answers('s2', { '!a': { events: [said('$1')] } })
    return GONE
  }
  const run = catchUp.run()
  await context.clock.advance(WAITS_MS)
  expect(await run).toBe(true)
  expect(failures).toBe(2)
  expect(taken).toEqual(['$1'])
  expect(context.stored.get('catch-up/since')).toBe('s2')
})

test('what cannot be stored stays to be fetched, and the third failure in a row lets the rest come', async () => {
  const { homeserver, context, table, answers, life } = rig(roomOf('!a'))
  answers('s1', {})
  let full = true
  const taken: unknown[] = []
  const take = async (events: readonly unknown[]): Promise<void> => {
    if (full) throw new Error('the disk is full')
    taken.push(...events)
  }
  const catchUp = new CatchUp({ network: NETWORK, context, homeserver, table, take, life: life.signal })
  await catchUp.run()
  answers('s2', { '!a': { events: [said('$1')] } })
  for (const mayGoOn of [false, false, true]) {
    const run = catchUp.run()
    await context.clock.advance(WAITS_MS)
    expect(await run).toBe(mayGoOn)
    expect(context.stored.get('catch-up/since')).toBe('s1')
  }
  full = false
  expect(await catchUp.run()).toBe(true)
  expect(taken).toHaveLength(1)
  full = true
  answers('s3', { '!a': { events: [said('$2')] } })
  const run = catchUp.run()
  await context.clock.advance(WAITS_MS)
  expect(await run).toBe(false)
})

test('who asks while a run is under way gets one that began after', async () => {
  const { homeserver, catchUp, answers } = rig(roomOf('!a'))
  answers('s1', {})
  await catchUp.run()
  const { promise: late, resolve: answer } = Promise.withResolvers<Answer<unknown>>()
  homeserver.answer = () => late
  const before = homeserver.calls.length
  const first = catchUp.run()
  const [second, third] = [catchUp.run(), catchUp.run()]
  answers('s2', {})
  answer({ ok: true, value: { next_batch: 's1', rooms: {} } })
  expect(await Promise.all([first, second, third])).toEqual([true, true, true])
  expect(homeserver.calls).toHaveLength(before + 2)
  await catchUp.settled()
})

test('a run ends with the bridge', async () => {
  const { homeserver, catchUp, life } = rig(roomOf('!a'))
  homeserver.answer = () => GONE
  const run = catchUp.run()
  life.abort()
  expect(await run).toBe(false)
  expect(homeserver.calls.length).toBeLessThan(3)
})

test('a homeserver that does not know it is not asked again until it is another', async () => {
  const { homeserver, catchUp } = rig()
  homeserver.answer = () => failing({ kind: 'refused', status: 404, errcode: 'M_UNRECOGNIZED', detail: 'what?' })
  await catchUp.run()
  await catchUp.run()
  expect(homeserver.calls).toHaveLength(1)
  catchUp.reset()
  await catchUp.run()
  expect(homeserver.calls).toHaveLength(2)
})
