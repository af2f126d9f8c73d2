import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ACTIVE_MS, Audience } from '../../../adapters/matrix/audience.ts'
import { Doings, MAX_UNDER_WAY } from '../../../adapters/matrix/doings.ts'
import { Ephemeral } from '../../../adapters/matrix/ephemeral.ts'
import type { Grant } from '../../../adapters/matrix/permissions.ts'
import { markRead } from '../../../adapters/matrix/receipts.ts'
import type { EphemeralEvent, Mxid, Room } from '../../../adapters/matrix/types.ts'
import { GhostTyping, GIVEN_UP_MS, LASTS_MS, RENEW_MS, REPEAT_MS } from '../../../adapters/matrix/typing.ts'
import type { ChatId } from '../../../bridge/model/ids.ts'
import '../../kit/properties.ts'
import {
  ACCOUNT,
  ALICE,
  BOB,
  BOT,
  CAROL,
  isOurs,
  NETWORK,
  roomOf,
  Rooms,
  ScriptedHomeserver,
  TimedContext,
} from './scripted.ts'

const ROOM = roomOf('!room')

const rig = (...others: readonly Room[]) => {
  const context = new TimedContext()
  const rooms = new Rooms(ROOM, ...others)
  const audience = new Audience(rooms)
  const grants = new Map<Mxid, Grant>([
    [ALICE, 'user'],
    [CAROL, 'relay'],
  ])
  let came = 0
  const ephemeral = new Ephemeral({
    network: NETWORK,
    account: ACCOUNT,
    context,
    rooms,
    ghosts: { isOurs },
    grantOf: (user) => grants.get(user) ?? 'none',
    audience,
    moreToSee: () => came++,
  })
  return { context, clock: context.clock, ephemeral, audience, came: () => came }
}

const typing = (...users: readonly unknown[]): EphemeralEvent => ({
  type: 'm.typing',
  room_id: '!room',
  content: { user_ids: users },
})
const presence = (sender: Mxid, show: string, text?: string): EphemeralEvent => ({
  type: 'm.presence',
  sender,
  content: { presence: show, ...(text === undefined ? {} : { status_msg: text }) },
})
const receipt = (content: Readonly<Record<string, unknown>>): EphemeralEvent => ({
  type: 'm.receipt',
  room_id: '!room',
  content,
})

it('passes on that the owner types, again and again, until they stop', async () => {
  const { context, clock, ephemeral } = rig()
  await ephemeral.take(typing(ALICE))
  expect(context.events).toEqual([
    {
      kind: 'typing',
      chat: { network: 'matrix', chat: '!room' },
      sender: { network: 'matrix', user: ALICE },
      forMs: LASTS_MS,
    },
  ])
  await clock.advance(3 * REPEAT_MS)
  expect(context.events).toHaveLength(4)
  await ephemeral.take(typing())
  await clock.advance(3 * REPEAT_MS)
  expect(context.events).toHaveLength(4)
  expect(clock.sleeping).toBe(0)
})

it('gives up when the end of it never comes', async () => {
  const { context, clock, ephemeral } = rig()
  await ephemeral.take(typing(ALICE))
  await clock.advance(10 * GIVEN_UP_MS)
  expect(context.events).toHaveLength(GIVEN_UP_MS / REPEAT_MS)
  expect(clock.sleeping).toBe(0)
})

it('passes on the typing of nobody but those who may speak', async () => {
  const { context, clock, ephemeral } = rig(
    roomOf('!plumbed', { kind: 'channel', relay: true }),
    roomOf('!home', { kind: 'home' }),
    roomOf('!secret', { encrypted: true }),
  )
  await ephemeral.take(typing(BOB, BOT, CAROL, '@stranger:elsewhere.example'))
  await ephemeral.take({ ...typing(ALICE), room_id: '!home' })
  await ephemeral.take({ ...typing(ALICE), room_id: '!secret' })
  await ephemeral.take({ ...typing(ALICE), room_id: '!unknown' })
  await clock.advance(REPEAT_MS)
  expect(context.events).toEqual([])
  await ephemeral.take({ ...typing(CAROL), room_id: '!plumbed' })
  expect(context.events).toMatchObject([{ sender: { user: CAROL } }])
  ephemeral.clear()
  await clock.advance(REPEAT_MS)
  expect(context.events).toHaveLength(1)
  expect(clock.sleeping).toBe(0)
})

it('passes on what the owner has read, and nothing that is private', async () => {
  const { context, ephemeral } = rig()
  await ephemeral.take(
    receipt({
      $one: {
        'm.read': { [ALICE]: { ts: 1 }, [BOB]: { ts: 1 }, [CAROL]: { ts: 2 } },
        'm.read.private': { [ALICE]: {} },
      },
      $two: { 'm.read.private': { [ALICE]: { ts: 3 } } },
      $three: { 'm.read': { [ALICE]: { ts: 4, thread_id: 'main' } } },
    }),
  )
  expect(context.events).toMatchObject([
    { kind: 'read', chat: { chat: '!room' }, sender: { user: ALICE }, upTo: '$one' },
    { kind: 'read', sender: { user: ALICE }, upTo: '$three' },
  ])
})

it('passes on how available our people are, and not our own ghosts', async () => {
  const { context, ephemeral } = rig()
  await ephemeral.take(presence(ALICE, 'unavailable', 'Be right back'))
  await ephemeral.take(presence(ALICE, 'offline'))
  await ephemeral.take(presence(BOB, 'online'))
  await ephemeral.take(presence(BOT, 'online'))
  await ephemeral.take(presence(CAROL, 'online'))
  expect(context.events).toEqual([
    { kind: 'presence', account: 'matrix', user: { network: 'matrix', user: ALICE }, state: { show: 'brb' } },
    { kind: 'presence', account: 'matrix', user: { network: 'matrix', user: ALICE }, state: { show: 'offline' } },
  ])
})

it('counts what makes no sense, and goes on', async () => {
  const { context, ephemeral } = rig()
  const broken: readonly EphemeralEvent[] = [
    { type: 'm.typing', content: { user_ids: [] } },
    { type: 'm.typing', room_id: '!room', content: {} },
    receipt({ nonsense: {} }),
    presence(ALICE, 'dancing'),
    { type: 'm.presence', content: { presence: 'online' } },
  ]
  for (const event of broken) await ephemeral.take(event)
  await ephemeral.take({ type: 'org.example.unknown', content: {} })
  expect(context.counted.get('matrix_broken_ephemeral')).toBe(broken.length)
  context.refuseToStore = true
  await ephemeral.take(presence(ALICE, 'online'))
  expect(context.counted.get('matrix_broken_ephemeral')).toBe(broken.length)
})

it('takes anything without a complaint', async () => {
  const { ephemeral } = rig()
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('m.typing', 'm.receipt', 'm.presence'),
      fc.dictionary(fc.constantFrom('user_ids', 'presence', 'status_msg', '$event'), fc.jsonValue()),
      async (type, content) => {
        await ephemeral.take({ type, room_id: '!room', sender: ALICE, content })
      },
    ),
  )
  ephemeral.clear()
})

it('knows for whom a ghost is worth a request', async () => {
  const { clock, ephemeral, audience, came } = rig(roomOf('!carol', { owner: CAROL }))
  const sees = (): boolean => audience.canSee(BOB, clock.now())
  expect(sees()).toBe(true)
  audience.note(BOB, '!room' as ChatId)
  await ephemeral.take(presence(ALICE, 'offline'))
  expect(sees()).toBe(false)
  // Of another who is in a chat with the same ghost nothing is known.
  audience.note(BOB, '!carol' as ChatId)
  expect(sees()).toBe(true)
  expect(came()).toBe(0)
  await ephemeral.take(presence(ALICE, 'online'))
  expect(came()).toBe(1)
})

it('counts somebody as there who is shown offline but writes', async () => {
  const { clock, ephemeral, audience, came } = rig()
  audience.note(BOB, '!room' as ChatId)
  await ephemeral.take(presence(ALICE, 'offline'))
  await ephemeral.take(typing(ALICE))
  await ephemeral.take(typing())
  await ephemeral.take(typing(ALICE))
  await ephemeral.take(typing())
  expect(came()).toBe(1)
  expect(audience.canSee(BOB, clock.now())).toBe(true)
  await clock.advance(ACTIVE_MS)
  expect(audience.canSee(BOB, clock.now())).toBe(false)
  await ephemeral.take(receipt({ $one: { 'm.read': { [ALICE]: {} } } }))
  expect(came()).toBe(2)
  await clock.advance(ACTIVE_MS)
  ephemeral.clear()
  expect(audience.canSee(BOB, clock.now())).toBe(true)
})

it('shows a ghost typing, not too often, and ends it with what it says', async () => {
  const homeserver = new ScriptedHomeserver()
  const { clock } = rig()
  const typists = new GhostTyping(homeserver, clock)
  await typists.show(BOB, '!room', 5_000)
  await clock.advance(RENEW_MS - 1)
  expect(await typists.show(BOB, '!room', 5_000)).toBeUndefined()
  await clock.advance(1)
  await typists.show(BOB, '!room', 5_000)
  await typists.said(BOB, '!room')
  expect(await typists.said(BOB, '!room')).toBeUndefined()
  await typists.show(BOB, '!room', 5_000)
  await clock.advance(5_000)
  expect(await typists.said(BOB, '!room')).toBeUndefined()
  expect(homeserver.said).toEqual([
    [`PUT /rooms/!room/typing/${BOB}`, { typing: true, timeout: 5_000 }],
    [`PUT /rooms/!room/typing/${BOB}`, { typing: true, timeout: 5_000 }],
    [`PUT /rooms/!room/typing/${BOB}`, { typing: false }],
    [`PUT /rooms/!room/typing/${BOB}`, { typing: true, timeout: 5_000 }],
  ])
  expect(homeserver.calls.every(({ as }) => as === BOB)).toBe(true)
})

it('marks as the ghost what it has read', async () => {
  const homeserver = new ScriptedHomeserver()
  await markRead(homeserver, BOB, '!room', '$event/1')
  expect(homeserver.calls).toEqual([
    {
      method: 'POST',
      path: `/_matrix/client/v3/rooms/${encodeURIComponent('!room')}/receipt/m.read/%24event%2F1`,
      as: BOB,
      body: {},
    },
  ])
})

it('lets a ghost do things that nobody waits for, and puts right what it is shown as', async () => {
  const homeserver = new ScriptedHomeserver()
  const { clock, audience } = rig()
  const told: string[] = []
  const life = new AbortController()
  const doings = new Doings({
    homeserver,
    audience,
    typing: new GhostTyping(homeserver, clock),
    engine: {
      set: (ghost, { show }) => told.push(`${ghost} ${show}`),
      reassert: (ghost) => told.push(`${ghost} again`),
    },
    life: life.signal,
  })
  doings.presence(BOB, { show: 'away' }, '!nobody' as ChatId)
  expect(audience.canSee(BOB, clock.now())).toBe(false)
  doings.typing(ROOM, BOB, 5_000)
  await clock.settle()
  doings.spoke(ROOM, BOB)
  doings.read(ROOM, BOB, '$event')
  await clock.settle()
  expect(homeserver.said.map(([call]) => call)).toEqual([
    `PUT /rooms/!room/typing/${BOB}`,
    `PUT /rooms/!room/typing/${BOB}`,
    'POST /rooms/!room/receipt/m.read/$event',
  ])
  expect(told).toEqual([`${BOB} away`, ...Array.from({ length: 4 }, () => `${BOB} again`)])
})

it('drops what ghosts do when too much of it is under way', async () => {
  const homeserver = new ScriptedHomeserver()
  homeserver.answer = () => new Promise(() => undefined)
  const { clock, audience } = rig()
  const life = new AbortController()
  const engine = { set: () => undefined, reassert: () => undefined }
  const typing = new GhostTyping(homeserver, clock)
  const doings = new Doings({ homeserver, audience, typing, engine, life: life.signal })
  for (let number = 0; number < 2 * MAX_UNDER_WAY; number++) doings.read(ROOM, BOB, `$event${number}`)
  await clock.settle()
  expect(homeserver.calls).toHaveLength(MAX_UNDER_WAY)
})
