/** What passes: names and pictures that fail are tried again, until something newer comes. */
import { beforeEach, expect, it } from 'vitest'
import type { Session } from '../../bridge/adapter.ts'
import { DEFAULT_BACKOFF } from '../../bridge/backoff.ts'
import { Ephemeral, type OwnState } from '../../bridge/ephemeral.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { AccountId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../bridge/model/result.ts'
import type { Openings } from '../../bridge/opening.ts'
import type { Store } from '../../bridge/store/port.ts'
import { VirtualClock } from '../kit/clock.ts'
import { recordingLog, recordingMetrics } from '../kit/observers.ts'

const account = 'matrix:bot' as AccountId
const avatar: FileRef = { network: '~files' as NetworkId, ref: 'x/image/png', name: 'picture', media: 'image' }
const profile = (name: string, user = 'bob@example.com'): OwnState => ({
  kind: 'profile',
  as: { kind: 'ghost', origin: { network: 'msn' as NetworkId, user: user as UserId }, name },
  name,
  avatar,
})
const RETRY: DeliveryResult = { kind: 'retry', reason: 'network', wait: 0, detail: 'the homeserver has not answered' }
const DONE: DeliveryResult = { kind: 'delivered', ids: [] }

let clock: VirtualClock
let told: string[]
let results: DeliveryResult[]
let state: 'online' | 'offline'
let isThere: boolean
let ephemeral: Ephemeral
beforeEach(() => {
  clock = new VirtualClock()
  told = []
  results = []
  state = 'online'
  isThere = true
  const session = {
    get state() {
      return { kind: state }
    },
    deliver: async ({ op }: { op: OwnState }) => {
      told.push(`${Math.round(clock.now() / 1_000)} ${op.kind === 'profile' ? op.name : op.kind}`)
      return results.shift() ?? DONE
    },
  } as unknown as Session
  ephemeral = new Ephemeral({
    clock,
    log: recordingLog(),
    metrics: recordingMetrics(),
    sessionOf: () => (isThere ? session : undefined),
    openings: { chatOf: () => undefined } as unknown as Openings,
    store: {} as Store,
    mint: () => 'id',
    deliverMs: 1_000,
  })
})
const start = (): number => Math.round(clock.now() / 1_000)
const pass = async (ms: number): Promise<void> => {
  for (let at = 0; at < ms; at += 1_000) await clock.advance(1_000)
}

it('a picture that fails is told again with growing pauses, and no more once it is there', async () => {
  const begun = start()
  results = [RETRY, RETRY, { ...RETRY, wait: 30_000 }]
  ephemeral.show(account, profile('Bob'))
  await pass(600_000)
  const [first = 0, second = 0] = DEFAULT_BACKOFF.waits.map((ms) => ms / 1_000)
  expect(told).toEqual([0, first, first + second, first + second + 30].map((seconds) => `${begun + seconds} Bob`))
})

it('something newer takes its place, and of others nothing is repeated', async () => {
  const begun = start()
  results = [RETRY, DONE, RETRY]
  ephemeral.show(account, profile('Bob'))
  ephemeral.show(account, profile('Carol', 'carol@example.com'))
  await pass(1_000)
  results = []
  ephemeral.show(account, profile('Bobby'))
  await pass(600_000)
  expect(told).toEqual([`${begun} Bob`, `${begun} Carol`, `${begun + 1} Bobby`])
})

it('waits for the session, and is over with the bridge', async () => {
  results = [RETRY, RETRY]
  ephemeral.show(account, profile('Bob'))
  await clock.settle()
  state = 'offline'
  await pass(30_000)
  expect(told).toHaveLength(1)
  state = 'online'
  await pass(300_000)
  expect(told).toHaveLength(2)
  ephemeral.stop()
  await pass(600_000)
  expect(told).toHaveLength(2)
})

it('is over with its account', async () => {
  results = [RETRY]
  ephemeral.show(account, profile('Bob'))
  await clock.settle()
  isThere = false
  await pass(300_000)
  isThere = true
  await pass(600_000)
  expect(told).toHaveLength(1)
})

it('what is refused, or is no name or picture, is not repeated', async () => {
  results = [{ kind: 'refused', reason: 'forbidden', detail: 'no' }, RETRY]
  ephemeral.show(account, profile('Bob'))
  ephemeral.show(account, { kind: 'presence', as: { kind: 'self' }, state: { show: 'online' } })
  await pass(600_000)
  expect(told).toHaveLength(2)
})
