import { expect, test } from 'vitest'
import { AccountNews, FLAPPING_TIMES, STABLE_MS, type News } from '../../bridge/account-news.ts'
import type { Account } from '../../bridge/adapter.ts'
import type { AccountId } from '../../bridge/model/ids.ts'
import type { Fault, SessionState } from '../../bridge/model/result.ts'
import { textOf } from '../../bridge/model/text.ts'
import { VirtualClock } from '../kit/clock.ts'
import { account } from '../kit/fake-adapter.ts'
import { LIBERA, startsHouses, unreachable } from '../kit/house.ts'
import { recordingLog, recordingMetrics } from '../kit/observers.ts'

const alice: Account = { ...account('retro:alice@x', 'retro', 'alice', 'alice@x'), secret: 'swordfish' }
const NOTICE_MS = 60_000

const rig = async (facts = new Map<string, string>(), takesLogin = true) => {
  const clock = new VirtualClock()
  const metrics = recordingMetrics()
  const told: News[] = []
  const news = new AccountNews({
    clock,
    log: recordingLog(),
    metrics,
    store: {
      accountFacts: async () => facts,
      setAccountFact: async (_, key, value) => {
        if (value !== undefined) facts.set(key, value)
      },
    },
    account: (id) => (id === alice.id ? alice : undefined),
    takesLogin: () => takesLogin,
    noticeAfterMs: () => NOTICE_MS,
    tell: async (_, one) => {
      told.push(one)
    },
  })
  await news.start([alice.id])
  const is = (state: SessionState): void => news.changed(alice.id, state)
  const words = (): readonly string[] => told.map(({ text }) => textOf(text))
  return { clock, metrics, told, news, is, words, facts }
}

const online: SessionState = { kind: 'online', since: 0 }
const connecting: SessionState = { kind: 'connecting', attempt: 1 }
const waiting: SessionState = { kind: 'waiting', until: 0, fault: unreachable }
const stopped = (code: Fault['code']): SessionState => ({
  kind: 'stopped',
  fault: { code, detail: 'host.example said no' },
})

test('a short outage, and the first connection after a start, are not told', async () => {
  const { clock, is, words, news } = await rig()
  is(connecting)
  is(online)
  is(waiting)
  await clock.advance(NOTICE_MS - 1)
  is(connecting)
  is(online)
  await clock.advance(10 * NOTICE_MS)
  expect(words()).toEqual([])
  await news.stop()
  expect(clock.sleeping).toBe(0)
})

test('a long outage is told once, in words without hosts, and its end', async () => {
  const { clock, is, words, told, news } = await rig()
  is(online)
  for (let time = 0; time < 20; time++) {
    is(waiting)
    is(connecting)
    await clock.advance(NOTICE_MS / 4)
  }
  expect(words()).toEqual([
    'alice@x on retro is not connected: the network cannot be reached. I keep trying; messages wait.',
  ])
  expect(told[0]).toMatchObject({
    about: { account: alice.id, network: 'retro', login: 'alice@x', state: 'TRANSIENT_DISCONNECT' },
  })
  expect(told[0]).not.toHaveProperty('mention')
  is(online)
  expect(words().slice(1)).toEqual(['alice@x on retro is connected again.'])
  await news.stop()
})

test.each([
  [
    'bad-credentials',
    'BAD_CREDENTIALS',
    'alice@x on retro is not connected: the network refuses its password. Messages wait. Say: login retro alice@x',
  ],
  [
    'signed-in-elsewhere',
    'LOGGED_OUT',
    'alice@x on retro is not connected: somebody signed in with this account elsewhere. Messages wait. I do not fight for it. To take it back say: reconnect retro:alice@x',
  ],
  [
    'banned',
    'UNKNOWN_ERROR',
    'alice@x on retro is not connected: the network has banned it. Messages wait. Ask the operators of the network; then say: reconnect retro:alice@x',
  ],
] as const)('after %s its owner is called at once, since they must act', async (code, state, words) => {
  const { is, told, words: said, news } = await rig()
  is(online)
  is(stopped(code))
  expect(said()).toEqual([words])
  expect(told[0]).toMatchObject({ mention: true, about: { state } })
  await news.stop()
})

test('whoever has lost the account to another client takes it back with one touch', async () => {
  const { is, told, words, news } = await rig()
  is(online)
  is(stopped('signed-in-elsewhere'))
  expect(told[0]?.choices).toEqual([{ key: '🔄', words: 'take it back', line: 'reconnect retro:alice@x' }])
  is(connecting)
  is(online)
  expect(words().at(-1)).toBe('alice@x on retro is connected.')
  await news.stop()
})

test('a password of the config is changed there', async () => {
  const { is, words, news } = await rig(new Map(), false)
  is(stopped('bad-credentials'))
  expect(words()[0]).toContain('Its password stands in the config: change it there, then say: reconnect retro:alice@x')
  await news.stop()
})

test('who reconnects hears how it ends, also when that is the same as before', async () => {
  const { is, words, news } = await rig()
  is(connecting)
  is(stopped('bad-credentials'))
  is(stopped('bad-credentials'))
  is(connecting)
  is(stopped('bad-credentials'))
  expect(words()).toHaveLength(2)
  await news.stop()
})

test('a restart does not tell again what they know, but tells what is different', async () => {
  const first = await rig()
  first.is(online)
  first.is(stopped('bad-credentials'))
  await first.news.stop()
  const second = await rig(first.facts)
  second.is(connecting)
  second.is(stopped('bad-credentials'))
  expect(second.words()).toEqual([])
  await second.news.stop()
  const third = await rig(first.facts)
  third.is(connecting)
  third.is(online)
  expect(third.words()).toEqual(['alice@x on retro is connected again.'])
  await third.news.stop()
})

test('a connection that comes and goes all day is told a few times, then summed up', async () => {
  const { clock, is, words, news } = await rig()
  is(online)
  for (let time = 0; time < 100; time++) {
    is(waiting)
    await clock.advance(NOTICE_MS)
    is(connecting)
    is(online)
    await clock.advance(NOTICE_MS)
  }
  const flapping = `alice@x on retro comes and goes (${FLAPPING_TIMES + 1} times within an hour): the network cannot be reached. I keep trying, and tell you when it has held for 30 minutes.`
  expect(words()).toHaveLength(2 * FLAPPING_TIMES + 1)
  expect(words().at(-1)).toBe(flapping)
  await clock.advance(STABLE_MS)
  expect(words().at(-1)).toBe('alice@x on retro is connected again.')
  is(waiting)
  await clock.advance(NOTICE_MS)
  expect(words().at(-1)).toContain('is not connected')
  await news.stop()
})

test('what somebody asked for and heard in the answer is not told again', async () => {
  const { clock, told, news } = await rig()
  news.changed(alice.id, connecting, true)
  news.changed(alice.id, waiting, true)
  await clock.advance(10 * NOTICE_MS)
  news.changed(alice.id, { kind: 'offline' })
  expect(told).toEqual([])
  await news.stop()
})

test('the metrics count accounts by state', async () => {
  const { is, metrics, news } = await rig()
  const count = (state: string): number | undefined => metrics.values.get(`account_state{state=${state}}`)
  is(online)
  expect(count('CONNECTED')).toBe(1)
  is(waiting)
  is(connecting)
  expect([count('CONNECTED'), count('TRANSIENT_DISCONNECT'), count('CONNECTING')]).toEqual([0, 1, 0])
  news.forget(alice.id)
  expect(count('TRANSIENT_DISCONNECT')).toBe(0)
  await news.stop()
})

const startHouse = startsHouses()

test('in the daemon: the owner reads it where they live, and nobody else does', async () => {
  const house = await startHouse()
  await house.login('alice@x')
  await house.login('eve@x', 'hunter2', { from: house.user('@eve:hs') })
  await house.lose('retro:alice@x', { code: 'signed-in-elsewhere', detail: 'OUT OTH' })
  expect(house.newsText()).toHaveLength(1)
  expect(house.newsText('@eve:hs')).toEqual([])
  await house.clock.advance(60 * 60_000)
  // Not fought for.
  expect(house.signIns).toEqual(['alice@x swordfish', 'eve@x hunter2'])
  expect(await house.ask('reconnect')).toEqual(['Reconnecting retro:alice@x.'])
  expect(house.newsText().at(-1)).toBe('alice@x on retro is connected.')
})

test('in the daemon: chats that the bridge made are spared what the owner reads once, and linked channels are not', async () => {
  const house = await startHouse()
  await house.login('alice@x')
  const users = Array.from({ length: 20 }, (_, index) => `c${index}@x`)
  for (const user of users) await house.ask(`start-chat ${user}`)
  expect(house.parts.hub.portals.all()).toHaveLength(20)
  const channel = { network: LIBERA, chat: '#bob' as never }
  const here = { from: house.user('op', LIBERA), via: 'libera' as AccountId, chat: channel, role: 'admin' as const }
  expect(await house.ask('link bob@x retro:alice@x', here)).toEqual([expect.stringContaining('is linked with bob@x')])
  house.accepts = () => unreachable
  await house.lose('retro:alice@x', unreachable)
  await house.clock.advance(10 * 60_000)
  const lines = house.matrix.ops('status').map((one) => one.in)
  expect(lines).toEqual(['home:@alice:hs'])
  expect(house.libera.ops('status').map((one) => [one.in, textOf(one.text)])).toEqual([
    ['#bob', expect.stringContaining('is not connected')],
  ])
})

test('in the daemon: a homeserver that is down is no news for the contacts of those who live there', async () => {
  const house = await startHouse()
  await house.login('alice@x')
  await house.ask('start-chat bob@x')
  const state = { kind: 'waiting', until: 0, fault: unreachable } as const
  house.matrix.connecting = () => Promise.reject(new Error('down'))
  house.matrix.session(account('matrix', 'matrix', 'bridge')).state = state
  house.matrix.context?.sessionChanged('matrix' as AccountId, state)
  await house.clock.advance(10 * 60_000)
  expect(house.parts.supervisor.stateOf('matrix' as AccountId)?.kind).toBe('waiting')
  expect(house.retro.ops('status')).toEqual([])
})
