/** The whole way between an MSN client and another network, with every message on disk before it goes on. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Ports } from '../load.ts'
import { quantile, type Figures, type Part } from '../measure.ts'
import { Child } from '../processes.ts'
import { collect, ms, type Taken } from '../taken.ts'
import { withService } from '../with-service.ts'

const CHATS = 25
const BURST = 500
/** Messages for a latency at a steady pace. */
const STEADY = 500
const SETTLE_MS = 1_000

/** The bridge has a core of its own; the service shares the other one with the load. */
const withBridge = <T>(work: (bridge: Child, load: Child, ports: Ports) => Promise<T>): Promise<T> =>
  withService({ core: 1, users: CHATS + 2 }, async ({ ports, load }) => {
    const bridge = Child.start('bridge', 0)
    try {
      await bridge.ask('start', ports, CHATS)
      await load.ask('callBridge', ports, CHATS)
      return await work(bridge, load, ports)
    } finally {
      await bridge.ask('clean')
      await bridge.stop()
    }
  })

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
