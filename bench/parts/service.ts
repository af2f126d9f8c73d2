/** What the MSN service does alone: relay, sign-in, memory, presence. Server on core 0, load on core 1. */
import type { Ports } from '../load.ts'
import { quantile, type Figures, type Part } from '../measure.ts'
import { Child } from '../processes.ts'

const MESSAGES = 60_000

async function withService<T>(
  users: number,
  star: boolean,
  work: (ports: Ports, load: Child, service: Child) => Promise<T>,
): Promise<T> {
  const service = Child.start('service', 0)
  const load = Child.start('load', 1)
  try {
    return await work(await service.ask<Ports>('start', users, star), load, service)
  } finally {
    await load.stop()
    await service.stop()
  }
}

export const relay: Part = {
  name: 'switchboard relay',
  about: '100-byte text with ACK through the service, 60,000 messages; closed loop: one at a time',
  targets: { window_50: { min: 40_000 }, closed_loop: { min: 2_600 }, pairs_25: { min: 36_000 } },
  run: () =>
    withService(50, false, async (ports, load): Promise<Figures> => {
      await load.ask('open', ports, 1)
      await load.ask('relay', 5_000, 50)
      const window = await load.ask<number>('relay', MESSAGES, 50)
      await load.ask('latency', 2_000)
      const loop = await load.ask<{ p50: number; p99: number; rate: number }>('latency', 5_000)
      await load.ask('open', ports, 25)
      await load.ask('relay', 500, 10)
      const pairs = await load.ask<number>('relay', MESSAGES / 25, 10)
      return { window_50: window, closed_loop: loop.rate, p50_ms: loop.p50, p99_ms: loop.p99, pairs_25: pairs }
    }),
}

export const signIns: Part = {
  name: 'sign-ins',
  about: 'VER to CHG on the notification server, ticket in hand, 8 at a time',
  targets: { per_second: { min: 1_000 } },
  run: () =>
    withService(2_000, false, async (ports, load): Promise<Figures> => {
      await load.ask('signIns', ports, 500, 8)
      return { per_second: await load.ask<number>('signIns', ports, 2_000, 8) }
    }),
}

export const memory: Part = {
  name: 'memory',
  about: 'RSS of the service per signed-in session, slope from 1,000 to 10,000',
  targets: { kb_per_session: { max: 10 } },
  run: () =>
    withService(10_000, false, async (ports, load, service): Promise<Figures> => {
      await load.ask('hold', ports, 0, 1_000)
      const small = await service.ask<number>('rss')
      await load.ask('hold', ports, 1_000, 10_000)
      const large = await service.ask<number>('rss')
      return { kb_per_session: (large - small) / 9_000 / 1024, rss_mb_at_10000: large / 1024 / 1024 }
    }),
}

export const fanOut: Part = {
  name: 'presence fan-out',
  about: 'one person with 500 contacts online changes status: until the last NLN has arrived',
  targets: { p50_ms: { max: 10 } },
  run: () =>
    withService(500, true, async (ports, load): Promise<Figures> => {
      await load.ask('hold', ports, 0, 500)
      await load.ask('fanOut', ports, 20)
      const times = await load.ask<readonly number[]>('fanOut', ports, 50)
      return { p50_ms: quantile(times, 0.5), p99_ms: quantile(times, 0.99) }
    }),
}
