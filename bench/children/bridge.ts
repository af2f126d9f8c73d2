/** The durable core between an `msn` account and a network in memory; its database is on a real disk. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { msnConfig } from '../../adapters/msn/config.ts'
import { create } from '../../adapters/msn/index.ts'
import type { Adapter, AdapterContext } from '../../bridge/adapter.ts'
import { systemClock } from '../../bridge/clock.ts'
import { Hub } from '../../bridge/hub.ts'
import type { AccountId, ChatId, MessageId, NetworkId, PersonId, UserId } from '../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../bridge/model/result.ts'
import { plain, textOf } from '../../bridge/model/text.ts'
import { SqliteStore } from '../../bridge/store/sqlite.ts'
import { ableCapabilities, account, FakeAdapter } from '../../test/kit/fake-adapter.ts'
import { nobody } from '../../test/kit/nobody.ts'
import { recordingLog, recordingMetrics } from '../../test/kit/observers.ts'
import type { Ports } from '../load.ts'
import { answer, sharedClock } from '../processes.ts'
import { keepHeapSmall } from '../../bridge/ops/heap.ts'

keepHeapSmall()

const MSN = 'msn' as NetworkId
const FAR = 'far' as NetworkId
const folder = mkdtempSync(join(tmpdir(), 'msn-bridge-bench-'))
const log = recordingLog()
const relay = { ...account('relay', 'msn', 'alice', 'bridge@bench.example'), secret: 'secret' }
const far = account('far', 'far', 'bridge')

/** Microseconds on the way, one for each text that arrived at the far side. */
let arrived: number[] = []
let lastArrival = 0
let hub: Hub | undefined
let spoken = 0

const adapter: FakeAdapter = new FakeAdapter({
  network: 'far',
  capabilities: { ...ableCapabilities, pipeline: 16 },
  deliver: ({ op }): Promise<DeliveryResult> => {
    const sent =
      op.kind === 'message' && op.body.kind === 'text' ? /t=(\d+)/.exec(textOf(op.body.text))?.[1] : undefined
    if (sent !== undefined) {
      lastArrival = sharedClock()
      arrived.push(lastArrival - Number(sent))
    }
    adapter.delivered.length = 0
    return Promise.resolve(adapter.done())
  },
})

async function start(ports: Ports, chats: number): Promise<void> {
  const store = new SqliteStore({ file: join(folder, 'bridge.db'), clock: systemClock, log })
  await store.open()
  const msn = create({
    network: MSN,
    config: msnConfig.parse({
      id: 'msn',
      type: 'msn',
      server: `127.0.0.1:${ports.notification}`,
      passport: { login: `http://127.0.0.1:${ports.passport}/login2.srf` },
    }),
    dataFolder: folder,
    secret: () => '',
  })
  const adapters = new Map<NetworkId, Adapter>([
    [MSN, msn],
    [FAR, adapter],
  ])
  const core = new Hub({
    store,
    clock: systemClock,
    log,
    metrics: recordingMetrics(),
    adapters,
    sessionOf: (id) => adapters.get(id === relay.id ? MSN : FAR)?.session(id === relay.id ? relay : far),
    accounts: () => [relay, far],
    limits: { historyDays: 0 },
  })
  hub = core
  const context = (network: NetworkId): AdapterContext => ({
    log,
    clock: systemClock,
    metrics: recordingMetrics(),
    state: store.adapterState(network),
    emit: async (event) => {
      await core.accept(event)
    },
    sessionChanged: (id: AccountId, state) => core.sessionChanged(id, state),
    command: () => Promise.resolve({ lines: [] }),
    claim: () => Promise.resolve({ kind: 'refused', detail: 'not here' }),
    ...nobody,
  })
  for (const [network, each] of adapters) await each.start(context(network))
  await core.start({
    people: [{ id: 'alice' as PersonId, name: 'alice' }],
    links: Array.from({ length: chats }, (_, index) => [
      { kind: 'contact', network: MSN, account: relay.id, user: `user${index}@bench.example` as UserId },
      { kind: 'channel', network: FAR, account: far.id, chat: `room${index}` as ChatId },
    ]),
  })
  await adapter.session(far).connect()
  core.sessionChanged(far.id, adapter.session(far).state)
  await msn.session(relay).connect(AbortSignal.timeout(10_000))
}

async function speak(room: number): Promise<void> {
  await hub?.accept({
    kind: 'message',
    chat: { network: FAR, chat: `room${room}` as ChatId },
    sender: { network: FAR, user: 'amy' as UserId },
    senderName: 'amy',
    id: `far-${++spoken}` as MessageId,
    at: Date.now(),
    body: { kind: 'text', text: plain(`t=${sharedClock()}`) },
  })
}

answer({
  start,
  /** What has arrived since the last call: microseconds on the way, and when the last one came. */
  arrived: () => {
    const taken = arrived
    arrived = []
    return { times: taken, last: lastArrival }
  },
  /** Somebody at the far side speaks in a room, so often at once, with the time in the text. */
  speak: async (room: number, count: number) => {
    await Promise.all(Array.from({ length: count }, () => speak(room)))
  },
  /** `count` messages, one each `everyMs`, over the rooms in turn. */
  speakSteadily: async (rooms: number, count: number, everyMs: number) => {
    for (let index = 0; index < count; index++) {
      await systemClock.sleep(everyMs)
      void speak(index % rooms)
    }
  },
  log: () => log.lines.map(({ level, message, fields }) => `${level} ${message} ${JSON.stringify(fields)}`),
  clean: () => rm(folder, { recursive: true }),
})
