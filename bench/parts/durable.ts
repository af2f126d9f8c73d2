/** The whole way between an MSN client and another network, with every message on disk before it goes on. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Ports } from '../load.ts'
import { quantile, type Figures, type Part } from '../measure.ts'
import { Child } from '../processes.ts'

interface Taken {
  readonly times: readonly number[]
  /** Microseconds of the shared clock. */
  readonly last: number
}

const CHATS = 25
const BURST = 500
/** Messages for a latency at a steady pace. */
const STEADY = 500
const DEADLINE_MS = 30_000
const SETTLE_MS = 1_000

/** The bridge has a core of its own; the service shares the other one with the load. */
async function withBridge<T>(work: (bridge: Child, load: Child, ports: Ports) => Promise<T>): Promise<T> {
  const service = Child.start('service', 1)
  const load = Child.start('load', 1)
  const bridge = Child.start('bridge', 0)
  try {
    const ports = await service.ask<Ports>('start', CHATS + 2, false)
    await bridge.ask('start', ports, CHATS)
    await load.ask('callBridge', ports, CHATS)
    return await work(bridge, load, ports)
  } finally {
    await bridge.ask('clean')
    for (const child of [bridge, load, service]) await child.stop()
  }
}

/** Collects until `count` messages have arrived. */
async function collect(from: Child, what: 'arrived' | 'heard', count: number): Promise<Taken> {
  const times: number[] = []
  const until = Date.now() + DEADLINE_MS
  for (;;) {
    const taken = await from.ask<Taken>(what)
    times.push(...taken.times)
    if (times.length >= count) return { times, last: taken.last }
    if (Date.now() > until) throw new Error(`${times.length} of ${count} messages arrived`)
    await pause(5)
  }
}

const ms = (times: readonly number[], q: number): number => quantile(times, q) / 1000

async function steady(bridge: Child, load: Child, everyMs: number): Promise<readonly [Taken, Taken]> {
  await load.ask('talk', STEADY, everyMs)
  const there = await collect(bridge, 'arrived', STEADY)
  await bridge.ask('speakSteadily', CHATS, STEADY, everyMs)
  return [there, await collect(load, 'heard', STEADY)]
}

export const durable: Part = {
  name: 'durable relay',
  about:
    'MSN client -> service -> msn account -> core on disk -> a network in memory, and back; 25 chats; direct: client -> service -> client; added: the difference',
  targets: {
    added_p50_ms_at_50: { max: 1 },
    added_p99_ms_at_50: { max: 5 },
    burst_per_second: { min: 10_000 },
  },
  run: () =>
    withBridge(async (bridge, load, ports): Promise<Figures> => {
      for (let warm = 0; warm < 4; warm++) {
        await load.ask('burst', BURST / CHATS)
        await collect(bridge, 'arrived', BURST)
      }
      const rates: number[] = []
      for (let round = 0; round < 5; round++) {
        const first = await load.ask<number>('burst', BURST / CHATS)
        const { last } = await collect(bridge, 'arrived', BURST)
        rates.push((BURST * 1e6) / (last - first))
      }
      const back: number[] = []
      for (let round = 0; round < 5; round++) {
        const started = Number(process.hrtime.bigint() / 1000n)
        await Promise.all(Array.from({ length: CHATS }, (_, room) => bridge.ask('speak', room, BURST / CHATS)))
        const { last } = await collect(load, 'heard', BURST)
        back.push((BURST * 1e6) / (last - started))
      }
      // What the bursts left to do (receipts, a checkpoint of the database) is not part of a steady pace.
      await pause(SETTLE_MS)
      const direct = await load.ask<readonly number[]>('direct', ports, CHATS, STEADY, 20)
      const [there50, back50] = await steady(bridge, load, 20)
      const [there500, back500] = await steady(bridge, load, 2)
      return {
        direct_p50_ms_at_50: ms(direct, 0.5),
        direct_p99_ms_at_50: ms(direct, 0.99),
        p50_ms_at_50: ms(there50.times, 0.5),
        p99_ms_at_50: ms(there50.times, 0.99),
        added_p50_ms_at_50: ms(there50.times, 0.5) - ms(direct, 0.5),
        added_p99_ms_at_50: ms(there50.times, 0.99) - ms(direct, 0.99),
        back_p50_ms_at_50: ms(back50.times, 0.5),
        back_p99_ms_at_50: ms(back50.times, 0.99),
        p50_ms_at_500: ms(there500.times, 0.5),
        p99_ms_at_500: ms(there500.times, 0.99),
        back_p50_ms_at_500: ms(back500.times, 0.5),
        back_p99_ms_at_500: ms(back500.times, 0.99),
        burst_per_second: quantile(rates, 0.5),
        back_burst_per_second: quantile(back, 0.5),
      }
    }),
}
