import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { type Direct, Intake, type IntakeDeps, MAX_DONE, MAX_WAITING } from '../../../adapters/matrix/intake.ts'
import type { EphemeralEvent, RoomEvent } from '../../../adapters/matrix/types.ts'
import type { Inbound } from '../../../bridge/model/events.ts'
import type { ChatId, MessageId, UserId } from '../../../bridge/model/ids.ts'
import { plain } from '../../../bridge/model/text.ts'
import { Watch } from '../../kit/watch.ts'
import '../../kit/properties.ts'
import { NETWORK, TimedContext } from './scripted.ts'

/** What is on disk outlives an intake. */
let disk: TimedContext
let watch: Watch
/** In the order in which it happened: "emit $1", "act $2". */
let happened: string[]
let passed: EphemeralEvent[]
/** Ids of events whose act does not end until it is let go, or fails so often. */
let held: Map<string, Promise<void>>
let failing: Map<string, number>
let emitFails: boolean
let updateFails: boolean

beforeEach(() => {
  disk = new TimedContext()
  watch = new Watch()
  happened = []
  passed = []
  held = new Map()
  failing = new Map()
  emitFails = false
  updateFails = false
})

const note = (what: string): void => {
  happened.push(what)
  watch.changed()
}

const happenings = (count: number): Promise<readonly string[]> =>
  watch.until(() => (happened.length >= count ? happened : undefined))

/** Messages are direct; everything else needs acting. Noise is nothing. */
const direct = (event: RoomEvent): Direct => {
  if (event.type === 'noise') return 'nothing'
  if (event.type === 'bug') throw new Error('a bug')
  return event.type === 'm.room.message' ? inbound(event) : undefined
}

const inbound = (event: RoomEvent): Inbound => ({
  kind: 'message',
  id: event.event_id as string as MessageId,
  at: event.origin_server_ts,
  chat: { network: NETWORK, chat: event.room_id as string as ChatId },
  sender: { network: NETWORK, user: event.sender as string as UserId },
  body: { kind: 'text', text: plain('hello') },
})

const newIntake = (more: Partial<IntakeDeps> = {}): Intake =>
  new Intake({
    network: NETWORK,
    clock: disk.clock,
    log: disk.log,
    metrics: { ...disk.metrics, gauge: () => watch.changed() },
    state: {
      ...disk.state,
      update: async (changes) => {
        if (updateFails) throw new Error('disk full')
        await disk.state.update(changes)
      },
    },
    direct,
    emit: async (event) => {
      if (emitFails) throw new Error('disk full')
      if ('id' in event) note(`emit ${event.id}`)
    },
    act: async (event) => {
      note(`act ${event.event_id}`)
      await held.get(event.event_id)
      const left = failing.get(event.event_id) ?? 0
      if (left > 0) {
        failing.set(event.event_id, left - 1)
        throw new Error('not now')
      }
    },
    ephemeral: (event) => passed.push(event),
    conceal: (event) => event,
    ...more,
  })

const started = async (more: Partial<IntakeDeps> = {}): Promise<Intake> => {
  const intake = newIntake(more)
  await intake.start()
  return intake
}

const eventOf = (id: string, type = 'm.room.message', room = '!a:hs'): object => ({
  type,
  room_id: room,
  event_id: `$${id}`,
  sender: '@alice:hs',
  origin_server_ts: 1,
  content: {},
})
const message = (id: string, room?: string): object => eventOf(id, 'm.room.message', room)
const state = (id: string, room?: string): object => eventOf(id, 'm.room.member', room)

const keys = (prefix: string): readonly string[] => [...disk.stored.keys()].filter((key) => key.startsWith(prefix))
/** Nothing waits any more, in memory and on disk. */
const idle = (intake: Intake): Promise<unknown> =>
  watch.until(() => intake.waiting === 0 && keys('intake/todo/').length === 0)

test('messages go straight to the bridge, in order, and nothing else is stored', async () => {
  const intake = await started()
  await intake.transaction({ events: [message('1'), eventOf('x', 'noise'), message('2', '!b:hs'), message('3')] })
  expect(happened).toEqual(['emit $1', 'emit $2', 'emit $3'])
  expect(disk.stored.size).toBe(0)
})

test('an event that needs acting is on disk before the answer, and done after it', async () => {
  const letGo = Promise.withResolvers<undefined>()
  held.set('$1', letGo.promise)
  const intake = await started()
  await intake.transaction({ events: [state('1')] })
  expect(keys('intake/todo/')).toHaveLength(1)
  letGo.resolve(undefined)
  await idle(intake)
  expect(happened).toEqual(['act $1'])
  expect([...disk.stored.values()]).toEqual(['$1'])
})

test('what comes behind an act in its room waits for it; other rooms do not', async () => {
  const letGo = Promise.withResolvers<undefined>()
  held.set('$1', letGo.promise)
  const intake = await started()
  await intake.transaction({ events: [state('1'), message('2'), message('3', '!b:hs'), state('4', '!c:hs')] })
  await intake.transaction({ events: [message('5'), message('6', '!b:hs')] })
  await happenings(4)
  expect(happened.toSorted()).toEqual(['act $1', 'act $4', 'emit $3', 'emit $6'])
  letGo.resolve(undefined)
  await idle(intake)
  expect(happened.slice(4)).toEqual(['emit $2', 'emit $5'])
})

test('what is nothing yet is looked at again behind what its room waits for', async () => {
  let isOurs = false
  const intake = newIntake({
    direct: (event) => (event.type === 'm.room.message' && !isOurs ? 'nothing' : direct(event)),
    act: (event) => {
      note(`act ${event.event_id}`)
      isOurs = true
      return Promise.resolve()
    },
  })
  await intake.start()
  await intake.transaction({ events: [message('0'), state('1'), message('2')] })
  expect(await happenings(2)).toEqual(['act $1', 'emit $2'])
})

test('transaction ids do not matter: an event is acted on once, however often it comes', async () => {
  const intake = await started()
  for (let count = 0; count < 3; count++) await intake.transaction({ events: [state('1'), state('1')] })
  await idle(intake)
  await intake.transaction({ events: [state('1')] })
  expect(happened).toEqual(['act $1'])
})

test('after a crash, what was left is acted on, in order, and what was done is not', async () => {
  const before = await started()
  await before.transaction({ events: [state('0')] })
  await idle(before)
  held.set('$1', new Promise(() => undefined))
  await before.transaction({ events: [state('1'), message('2'), state('3')] })
  held.clear()
  happened = []
  const after = await started()
  await idle(after)
  expect(happened).toEqual(['act $1', 'emit $2', 'act $3'])
  await after.transaction({ events: [state('0'), state('1'), state('3'), state('4')] })
  await idle(after)
  expect(happened.slice(3)).toEqual(['act $4'])
})

test('a disk that takes no messages fails the transaction, and the next try stores them', async () => {
  const intake = await started()
  emitFails = true
  await expect(intake.transaction({ events: [message('1'), state('2')] })).rejects.toThrow('disk full')
  expect(disk.stored.size).toBe(0)
  emitFails = false
  await intake.transaction({ events: [message('1'), state('2')] })
  await idle(intake)
  expect(happened).toEqual(['emit $1', 'act $2'])
})

test('a disk that takes no acts fails the transaction, and none is done before it is stored', async () => {
  const intake = await started()
  updateFails = true
  await expect(intake.transaction({ events: [state('1')] })).rejects.toThrow('disk full')
  expect(happened).toEqual([])
  updateFails = false
  await intake.transaction({ events: [state('1')] })
  await idle(intake)
  expect(happened).toEqual(['act $1'])
})

test('an act that fails is tried again, and holds up its room only', async () => {
  failing.set('$1', 2)
  const intake = await started()
  await intake.transaction({ events: [state('1'), message('2'), state('3', '!b:hs')] })
  await happenings(2)
  await disk.clock.advance(6_000)
  await idle(intake)
  expect(happened.filter((what) => what !== 'act $3')).toEqual(['act $1', 'act $1', 'act $1', 'emit $2'])
})

test('an act that never works is given up, so that its room goes on', async () => {
  failing.set('$1', Infinity)
  const intake = await started()
  await intake.transaction({ events: [state('1'), state('2')] })
  await disk.clock.advance(600_000)
  await idle(intake)
  expect(happened.filter((what) => what === 'act $1')).toHaveLength(6)
  expect(happened.at(-1)).toBe('act $2')
  expect(disk.lines.at(-1)).toMatchObject({ level: 'warn', fields: { event: '$1', again: false } })
})

test('while the disk is full nothing is given up', async () => {
  failing.set('$1', Infinity)
  const intake = await started()
  await intake.transaction({ events: [state('1')] })
  updateFails = true
  await disk.clock.advance(3_600_000)
  expect(intake.waiting).toBe(1)
  failing.clear()
  updateFails = false
  await disk.clock.advance(600_000)
  await idle(intake)
  expect(happened.at(-1)).toBe('act $1')
})

test('a stop waits for what is under way and leaves the rest for the next start', async () => {
  const letGo = Promise.withResolvers<undefined>()
  held.set('$1', letGo.promise)
  const intake = await started()
  await intake.transaction({ events: [state('1'), state('2')] })
  const stopped = intake.stop()
  letGo.resolve(undefined)
  await stopped
  expect(happened).toEqual(['act $1'])
  await expect(intake.transaction({ events: [state('3')] })).rejects.toThrow('the bridge is stopping')
  await idle(await started())
  expect(happened).toEqual(['act $1', 'act $2'])
})

test('a failing act sees the stop and is tried again after the next start', async () => {
  const intake = await started({
    act: (event, signal) =>
      new Promise((_, reject) => {
        note(`act ${event.event_id}`)
        signal.addEventListener('abort', () => reject(new Error('stopped')))
      }),
  })
  await intake.transaction({ events: [state('1')] })
  await intake.stop()
  await idle(await started())
  expect(happened).toEqual(['act $1', 'act $1'])
})

test('a secret is taken out before anything is on disk', async () => {
  held.set('$1', new Promise(() => undefined))
  const intake = await started({ conceal: (event) => ({ ...event, content: { body: '' } }) })
  await intake.transaction({ events: [{ ...state('1'), content: { body: 'swordfish' } }] })
  expect([...disk.stored.values()].join()).not.toContain('swordfish')
  expect(disk.stored.size).toBe(1)
})

test('passing events are read under both names, each once', async () => {
  const typing = (room: string) => ({ type: 'm.typing', room_id: room, content: { user_ids: [] } })
  const intake = await started()
  await intake.transaction({
    ephemeral: [typing('!a:hs'), typing('!b:hs')],
    'de.sorunome.msc2409.ephemeral': [typing('!a:hs'), typing('!c:hs'), 'rubbish'],
  })
  expect(passed.map(({ room_id }) => room_id)).toEqual(['!a:hs', '!b:hs', '!c:hs'])
})

test('what is malformed or cannot be read is counted and left out', async () => {
  const intake = await started()
  const nameless = { ...message('0'), event_id: undefined }
  const wrong = [null, 7, {}, nameless, { ...message('1'), sender: 'alice' }, { ...message('1'), content: 'x' }]
  await intake.transaction({ events: [...wrong, eventOf('b', 'bug'), message('2')] })
  expect(happened).toEqual(['emit $2'])
  expect(disk.counted.get('matrix_events')).toBe(wrong.length + 2)
})

test('what is nested too deep to be written down does not keep out what comes after it', async () => {
  const depth = 20_000
  const deep: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth))
  const intake = await started()
  await intake.transaction({
    events: [{ ...state('deep'), content: { deep } }, state('1'), message('2', '!b:hs')],
    ephemeral: [
      { type: 'm.typing', room_id: '!a:hs', content: { user_ids: deep } },
      { type: 'm.typing', room_id: '!b:hs', content: { user_ids: [] } },
    ],
  })
  await idle(intake)
  expect(happened.toSorted()).toEqual(['act $1', 'emit $2'])
  expect(passed.map(({ room_id }) => room_id)).toContain('!b:hs')
})

test('a transaction with more than may wait is taken when nothing waits: it would be brought again for ever', async () => {
  const intake = await started()
  const many = Array.from({ length: MAX_WAITING + 1 }, (_, index) => state(String(index), `!${index % 7}:hs`))
  await intake.transaction({ events: many })
  await idle(intake)
  expect(happened).toHaveLength(MAX_WAITING + 1)
})

test('when too much waits, the homeserver keeps what needs acting', async () => {
  held.set('$1', new Promise(() => undefined))
  const intake = await started()
  const many = Array.from({ length: MAX_WAITING }, (_, index) => state(String(index + 1)))
  await intake.transaction({ events: many })
  await expect(intake.transaction({ events: [state('more')] })).rejects.toThrow('wait to be acted on already')
  await intake.transaction({ events: [message('other', '!b:hs')] })
  expect(happened.at(-1)).toBe('emit $other')
})

test('only so many acts are remembered as done', async () => {
  const intake = await started()
  const count = MAX_DONE + 50
  for (let first = 0; first < count; first += 1_000) {
    const some = Array.from({ length: Math.min(1_000, count - first) }, (_, index) =>
      state(String(first + index), `!${index % 7}:hs`),
    )
    await intake.transaction({ events: some })
    await idle(intake)
  }
  expect(happened).toHaveLength(count)
  expect(keys('intake/done/')).toHaveLength(MAX_DONE)
})

test('whatever comes, it is taken', async () => {
  const part = fc.oneof(fc.anything(), fc.constantFrom('m.room.message', '!a:hs', '$1', '@a:hs', 5))
  const event = fc.record({ type: part, room_id: part, event_id: part, sender: part, content: part, state_key: part })
  const body = fc.oneof(fc.anything(), fc.record({ events: fc.oneof(fc.array(event), part), ephemeral: part }))
  const intake = await started()
  await fc.assert(
    fc.asyncProperty(body, async (given) => {
      await intake.transaction(given)
    }),
  )
})
