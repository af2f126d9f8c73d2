import { expect, it, vi } from 'vitest'
import { MAX_IN_FLIGHT, PresenceEngine, REFRESH_MS, STALE_MS } from '../../../adapters/matrix/presence-engine.ts'
import { BUSY } from '../../../adapters/matrix/presence.ts'
import { StatusField } from '../../../adapters/matrix/status-field.ts'
import type { Call, Mxid } from '../../../adapters/matrix/types.ts'
import { BOB, failing, NETWORK, ScriptedHomeserver, TimedContext } from './scripted.ts'

const rig = async (
  options: Partial<{ mode: 'full' | 'on-change' | 'off'; perSecond: number; canSee: (ghost: Mxid) => boolean }> = {},
) => {
  const context = new TimedContext()
  const homeserver = new ScriptedHomeserver()
  const status = new StatusField({ homeserver, state: context.state })
  const engine = new PresenceEngine({
    network: NETWORK,
    homeserver,
    context,
    status,
    mode: options.mode ?? 'on-change',
    perSecond: options.perSecond ?? 5,
    refreshMs: REFRESH_MS,
    canSee: options.canSee ?? (() => true),
  })
  await engine.start()
  engine.online()
  return { engine, homeserver, context, clock: context.clock }
}

const ghost = (number: number): Mxid => `@msn_${number}:example.org`
const isPresence = ({ path }: Call): boolean => path.startsWith('/_matrix/client/v3/presence/')
const presences = (homeserver: ScriptedHomeserver): readonly string[] =>
  homeserver.calls.filter(isPresence).map(({ body }) => (body as { presence: string }).presence)
const statuses = (homeserver: ScriptedHomeserver) =>
  homeserver.calls.filter((call) => !isPresence(call)).map(({ method, body }) => [method, body])

it('tells the homeserver as the ghost, and nothing that it does not know', async () => {
  const { engine, homeserver, clock } = await rig()
  engine.set(BOB, { show: 'brb', text: 'coffee' })
  await clock.advance(1_000)
  expect(homeserver.calls.map(({ as, method, path, body }) => ({ as, method, path, body }))).toEqual([
    {
      as: BOB,
      method: 'PUT',
      path: `/_matrix/client/v3/presence/${encodeURIComponent(BOB)}/status`,
      body: { presence: 'unavailable', status_msg: 'coffee' },
    },
    {
      as: BOB,
      method: 'PUT',
      path: `/_matrix/client/v3/profile/${encodeURIComponent(BOB)}/m.status`,
      body: { 'm.status': { text: 'coffee', emoji: '🔜' } },
    },
  ])
  await engine.stop()
})

it('keeps the budget when 1,000 contacts change at once, in their order, the newest state last', async () => {
  const perSecond = 20
  const { engine, homeserver, context, clock } = await rig({ perSecond })
  const times: number[] = []
  homeserver.answer = () => {
    times.push(clock.now())
    return { ok: true, value: {} }
  }
  for (let number = 0; number < 1_000; number++) engine.set(ghost(number), { show: 'online' })
  for (let number = 0; number < 1_000; number++) engine.set(ghost(number), { show: 'idle' })
  expect(context.gauges.get('presence_waiting')).toBe(1_000)
  await clock.advance(10_000)
  // The last ones change once more before they were told.
  engine.set(ghost(999), { show: 'online' })
  await clock.advance(60_000)

  const first = times[0]!
  for (const time of times) {
    const within = times.filter((each) => each >= time && each < time + 1_000).length
    expect(within).toBeLessThanOrEqual(perSecond)
  }
  expect(times.at(-1)! - first).toBeLessThanOrEqual((1_000 / perSecond) * 1_000)
  expect(homeserver.calls.map(({ as }) => as)).toEqual(Array.from({ length: 1_000 }, (_, number) => ghost(number)))
  expect(
    presences(homeserver)
      .slice(0, 999)
      .every((each) => each === 'unavailable'),
  ).toBe(true)
  expect(presences(homeserver)[999]).toBe('online')
  expect(context.gauges.get('presence_waiting')).toBe(0)
  expect(context.counted.get('presence_requests done')).toBe(1_000)
  await engine.stop()
})

it('tells nothing twice, and never two things of one ghost at once', async () => {
  const { engine, homeserver, clock } = await rig({ perSecond: 100 })
  const answers: (() => void)[] = []
  homeserver.answer = () => new Promise((resolve) => answers.push(() => resolve({ ok: true, value: {} })))
  engine.set(BOB, { show: 'online' })
  await clock.advance(100)
  engine.set(BOB, { show: 'idle' })
  engine.set(BOB, { show: 'offline' })
  await clock.advance(100)
  expect(presences(homeserver)).toEqual(['online'])
  answers.shift()?.()
  await clock.advance(100)
  expect(presences(homeserver)).toEqual(['online', 'offline'])
  answers.shift()?.()
  engine.set(BOB, { show: 'offline' })
  await clock.advance(100)
  expect(presences(homeserver)).toHaveLength(2)
  await engine.stop()
})

it('has only so many requests under way', async () => {
  const { engine, homeserver, clock } = await rig({ perSecond: 100 })
  const answers: (() => void)[] = []
  homeserver.answer = () => new Promise((resolve) => answers.push(() => resolve({ ok: true, value: {} })))
  for (let number = 0; number < 10; number++) engine.set(ghost(number), { show: 'online' })
  await clock.advance(1_000)
  expect(homeserver.calls).toHaveLength(MAX_IN_FLIGHT)
  answers.shift()?.()
  await clock.advance(1_000)
  expect(homeserver.calls).toHaveLength(MAX_IN_FLIGHT + 1)
  await engine.stop()
})

it('says it again before the homeserver forgets it, changes first', async () => {
  const { engine, homeserver, clock } = await rig({ mode: 'full', perSecond: 1 })
  for (let number = 0; number < 5; number++) engine.set(ghost(number), { show: 'online' })
  engine.set(ghost(5), { show: 'offline' })
  await clock.advance(REFRESH_MS - 1)
  expect(homeserver.calls).toHaveLength(6)
  await clock.advance(1)
  engine.set(ghost(6), { show: 'online' })
  await clock.advance(6_000)
  expect(homeserver.calls.slice(6).map(({ as }) => as)).toEqual([0, 6, 1, 2, 3, 4].map(ghost))
  await engine.stop()
})

it('does not say it again where the homeserver remembers', async () => {
  const { engine, homeserver, clock } = await rig({ mode: 'on-change' })
  engine.set(BOB, { show: 'online' })
  await clock.advance(10 * REFRESH_MS)
  expect(homeserver.calls).toHaveLength(1)
  await engine.stop()
})

it('does nothing when it is off', async () => {
  const { engine, homeserver, clock } = await rig({ mode: 'off' })
  engine.set(BOB, { show: 'online' })
  engine.reassert(BOB)
  engine.look()
  await clock.advance(60_000)
  expect(homeserver.calls).toEqual([])
  expect(clock.sleeping).toBe(0)
  await engine.stop()
})

it('puts right that the homeserver takes a ghost who writes for online', async () => {
  const { engine, homeserver, clock } = await rig()
  engine.reassert(BOB)
  engine.set(BOB, { show: 'busy' })
  engine.set(ghost(1), { show: 'online' })
  engine.set(ghost(2), { show: 'offline' })
  await clock.advance(5_000)
  const before = homeserver.calls.length
  for (const each of [BOB, ghost(1), ghost(2)]) engine.reassert(each)
  await clock.advance(5_000)
  expect(homeserver.calls.slice(before).map(({ as, body }) => [as, body])).toEqual([
    [BOB, { presence: 'unavailable', status_msg: 'Busy' }],
    [ghost(2), { presence: 'offline' }],
  ])
  await engine.stop()
})

it('shows ghosts only where somebody can see them, and at once when somebody comes', async () => {
  let seen = false
  const { engine, homeserver, clock } = await rig({ mode: 'full', canSee: () => seen })
  engine.set(BOB, { show: 'online' })
  await clock.advance(60_000)
  expect(homeserver.calls).toEqual([])
  seen = true
  engine.look()
  await clock.advance(1_000)
  expect(presences(homeserver)).toEqual(['online'])
  seen = false
  await clock.advance(5 * REFRESH_MS)
  expect(presences(homeserver)).toEqual(['online'])
  // That they left is told all the same: the homeserver may keep them for minutes.
  engine.set(BOB, { show: 'offline' })
  await clock.advance(1_000)
  expect(presences(homeserver)).toEqual(['online', 'offline'])
  seen = true
  engine.set(BOB, { show: 'online' })
  await clock.advance(1_000)
  expect(presences(homeserver)).toEqual(['online', 'offline', 'online'])
  await engine.stop()
})

it('waits as long as the homeserver asks, and forgets nothing', async () => {
  const { engine, homeserver, context, clock } = await rig()
  homeserver.answer = () => failing({ kind: 'limited', retryAfterMs: 8_000, detail: 'slow down' })
  engine.set(BOB, { show: 'online' })
  await clock.advance(100)
  homeserver.answer = () => ({ ok: true, value: {} })
  engine.set(BOB, { show: 'idle' })
  await clock.advance(7_800)
  expect(homeserver.calls).toHaveLength(1)
  await clock.advance(200)
  expect(presences(homeserver)).toEqual(['online', 'unavailable'])
  expect(context.counted.get('presence_requests limited')).toBe(1)
  await engine.stop()
})

it('asserts everything anew when the homeserver is back', async () => {
  const { engine, homeserver, clock } = await rig()
  engine.set(ghost(1), { show: 'online' })
  engine.set(ghost(2), { show: 'offline' })
  await clock.advance(1_000)
  homeserver.answer = () => failing({ kind: 'unreachable', sent: false, detail: 'ECONNREFUSED' })
  engine.set(ghost(3), { show: 'idle' })
  await clock.advance(5_000)
  expect(homeserver.calls).toHaveLength(3)
  homeserver.answer = () => ({ ok: true, value: {} })
  engine.online()
  await clock.advance(5_000)
  expect(homeserver.calls.slice(3).map(({ as }) => as)).toEqual([ghost(1), ghost(3)])
  await engine.stop()
})

it('recovers by itself when nobody noticed that the homeserver was away', async () => {
  const { engine, homeserver, clock } = await rig()
  homeserver.answer = () => failing({ kind: 'unreachable', sent: true, detail: 'no answer' })
  engine.set(BOB, { show: 'online' })
  await clock.advance(10_000)
  expect(homeserver.calls).toHaveLength(1)
  homeserver.answer = () => ({ ok: true, value: {} })
  await clock.advance(30_000)
  expect(homeserver.calls).toHaveLength(2)
  await engine.stop()
})

it('does not repeat what the homeserver refuses', async () => {
  const { engine, homeserver, clock } = await rig()
  homeserver.answer = () => failing({ kind: 'refused', status: 403, errcode: 'M_FORBIDDEN', detail: 'no' })
  engine.set(BOB, { show: 'away' })
  await clock.advance(60_000)
  expect(homeserver.calls).toHaveLength(2)
  await engine.stop()
})

it('stops asking a homeserver that has no presence, until it is another one', async () => {
  const { engine, homeserver, context, clock } = await rig()
  homeserver.answer = () => failing({ kind: 'refused', status: 404, errcode: 'M_UNRECOGNIZED', detail: 'what?' })
  engine.set(BOB, { show: 'online' })
  engine.set(ghost(1), { show: 'online' })
  await clock.advance(60_000)
  expect(homeserver.calls).toHaveLength(1)
  expect(context.lines.map(({ message }) => message)).toEqual(['the homeserver has no presence'])
  homeserver.answer = () => ({ ok: true, value: {} })
  engine.online()
  engine.set(BOB, { show: 'online' })
  await clock.advance(1_000)
  expect(presences(homeserver)).toHaveLength(2)
  await engine.stop()
})

it('says busy once the homeserver can', async () => {
  const { engine, homeserver, clock } = await rig()
  engine.set(BOB, { show: 'busy' })
  await clock.advance(1_000)
  homeserver.features = { ...homeserver.features, busy: true }
  engine.online()
  await clock.advance(1_000)
  expect(presences(homeserver)).toEqual(['unavailable', BUSY])
  await engine.stop()
})

it('writes m.status only when its text changes, and takes it out when they go', async () => {
  const { engine, homeserver, context, clock } = await rig({ mode: 'full' })
  engine.set(BOB, { show: 'online', text: 'hi' })
  await clock.advance(3 * REFRESH_MS)
  engine.online()
  await clock.advance(1_000)
  expect(statuses(homeserver)).toEqual([['PUT', { 'm.status': { text: 'hi', emoji: '💬' } }]])
  engine.set(BOB, { show: 'offline' })
  await clock.advance(1_000)
  expect(statuses(homeserver).slice(1)).toEqual([['DELETE', undefined]])
  expect([...context.stored]).toEqual([])
  await engine.stop()
})

it('does not try m.status again where there are no such fields', async () => {
  const { engine, homeserver, clock } = await rig()
  homeserver.answer = (call) =>
    isPresence(call)
      ? { ok: true, value: {} }
      : failing({ kind: 'refused', status: 404, errcode: 'M_UNRECOGNIZED', detail: 'what?' })
  engine.set(BOB, { show: 'online', text: 'one' })
  await clock.advance(1_000)
  engine.set(BOB, { show: 'online', text: 'two' })
  engine.set(ghost(1), { show: 'online', text: 'three' })
  await clock.advance(5_000)
  expect(statuses(homeserver)).toHaveLength(1)
  expect(presences(homeserver)).toHaveLength(3)
  await engine.stop()
})

it('takes out a status of before its restart that nobody has any more', async () => {
  const context = new TimedContext()
  const homeserver = new ScriptedHomeserver()
  const make = (): PresenceEngine =>
    new PresenceEngine({
      network: NETWORK,
      homeserver,
      context,
      status: new StatusField({ homeserver, state: context.state }),
      mode: 'on-change',
      perSecond: 5,
      refreshMs: REFRESH_MS,
      canSee: () => true,
    })
  const before = make()
  await before.start()
  before.set(BOB, { show: 'online', text: 'hi' })
  before.set(ghost(1), { show: 'online', text: 'ho' })
  await context.clock.advance(2_000)
  await before.stop()

  const after = make()
  await after.start()
  after.set(ghost(1), { show: 'online', text: 'ho' })
  await context.clock.advance(STALE_MS + 2_000)
  await after.stop()
  expect(statuses(homeserver).slice(2)).toEqual([['DELETE', undefined]])
  expect(homeserver.calls.at(-1)?.as).toBe(BOB)
})

it('ends without leaving anything behind', async () => {
  const { engine, homeserver, clock } = await rig({ mode: 'full' })
  engine.set(BOB, { show: 'online' })
  await clock.advance(1_000)
  await engine.stop()
  await engine.stop()
  engine.set(BOB, { show: 'idle' })
  await clock.advance(60_000)
  expect(homeserver.calls).toHaveLength(1)
  await vi.waitFor(() => expect(clock.sleeping).toBe(0))
})
