/** What the MSN service does alone: relay, sign-in, memory, presence. Server on core 0, load on core 1. */
import { DIALECTS } from '../../msnp/model/dialect.ts'
import type { Ports } from '../load.ts'
import { quantile, type Figures, type Part } from '../measure.ts'
import { Child, type Memory } from '../processes.ts'
import { withService } from '../with-service.ts'

const MESSAGES = 60_000

export const relay: Part = {
  name: 'switchboard relay',
  about: '100-byte text with ACK through the service, 60,000 messages; closed loop: one at a time',
  targets: { window_50: { min: 40_000 }, closed_loop: { min: 2_600 }, pairs_25: { min: 36_000 } },
  run: () =>
    withService({ core: 0, users: 50 }, async ({ ports, load }): Promise<Figures> => {
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
    withService({ core: 0, users: 2_000 }, async ({ ports, load }): Promise<Figures> => {
      await load.ask('signIns', ports, 500, 8)
      return { per_second: await load.ask<number>('signIns', ports, 2_000, 8) }
    }),
}

export const logins: Part = {
  name: 'sign-ins with the password',
  about:
    'the adapter with its database, scrypt and HTTPS: login page, then VER to CHG, then OUT, 8 at a time; ' +
    'first: accounts not seen since the start, whose password is hashed',
  targets: { per_second: { min: 150 } },
  async run(): Promise<Figures> {
    const accounts = Child.start('accounts', 0)
    const load = Child.start('load', 1)
    try {
      const emails = Array.from({ length: 16 }, (_, index) => `user${index}@bench.example`)
      const ports = await accounts.ask<Ports>('start', emails, 'secret')
      const { first, again } = await load.ask<{ first: number; again: number }>(
        'logins',
        ports,
        emails,
        'secret',
        1_600,
        8,
      )
      return { per_second: again, first_per_second: first }
    } finally {
      await load.stop()
      await accounts.ask('end')
      await accounts.stop()
    }
  },
}

/** kB for each of what is there at `large` and was not yet at `small`. */
const slope = (small: number, large: number): number => (large - small) / 9_000 / 1024

interface Growth {
  readonly rss: number
  readonly heap: number
  /** MB of RSS in the end. */
  readonly total: number
}

/** What 9,000 more cost where there are 1,000 already. */
async function growth(server: Child, add: (from: number, to: number) => Promise<unknown>): Promise<Growth> {
  await add(0, 1_000)
  const small = await server.ask<Memory>('memory')
  await add(1_000, 10_000)
  const large = await server.ask<Memory>('memory')
  return {
    rss: slope(small.rss, large.rss),
    heap: slope(small.heap, large.heap),
    total: large.rss / 1024 / 1024,
  }
}

/**
 * `visits`: sign-ins that have come and gone before. In a fresh process V8's young generation grows up to 128 MB while
 * people come, whoever they are, and is most of what is measured. After visits it has grown already, but sessions may
 * then fit into pages that the visits left: the truth lies above that figure, and above the live heap.
 */
const sessions = (contacts: number, visits: number): Promise<Growth> =>
  withService({ core: 0, users: 10_000, contacts }, async ({ ports, load, service }) => {
    const regulars = Array.from({ length: 100 }, (_, index) => `user${index}@bench.example`)
    if (visits > 0) await load.ask('logins', ports, regulars, 'secret', visits, 20)
    return growth(service, (from, to) => load.ask('hold', ports, from, to))
  })

async function bareSockets(): Promise<Growth> {
  const echo = Child.start('echo', 0)
  const load = Child.start('load', 1)
  try {
    const port = await echo.ask<number>('startSilent')
    return await growth(echo, (from, to) => load.ask('connect', port, to - from))
  } finally {
    await load.stop()
    await echo.stop()
  }
}

export const memory: Part = {
  name: 'memory',
  about:
    'RSS of the service per signed-in session, slope from 1,000 to 10,000 in a fresh process; ' +
    'heap: its live objects; warm: the same after 10,000 sign-ins that came and went',
  targets: { kb_per_session: { max: 10 } },
  async run(): Promise<Figures> {
    const fresh = await sessions(0, 0)
    const friends = await sessions(5, 0)
    const warm = await sessions(0, 10_000)
    const bare = await bareSockets()
    return {
      kb_per_session: fresh.rss,
      heap_kb: fresh.heap,
      rss_mb_at_10000: fresh.total,
      with_5_contacts_kb: friends.rss,
      heap_5_contacts_kb: friends.heap,
      warm_kb: warm.rss,
      bare_socket_kb: bare.rss,
      bare_socket_heap_kb: bare.heap,
    }
  },
}

export const fanOut: Part = {
  name: 'presence fan-out',
  about: 'one person with 500 contacts online changes status: until the last NLN has arrived',
  targets: { p50_ms: { max: 10 } },
  run: () =>
    withService({ core: 0, users: 500, star: true }, async ({ ports, load }): Promise<Figures> => {
      await load.ask('hold', ports, 0, 500)
      await load.ask('fanOut', ports, 20)
      const times = await load.ask<readonly number[]>('fanOut', ports, 50)
      return { p50_ms: quantile(times, 0.5), p99_ms: quantile(times, 0.99) }
    }),
}

export const mixedFanOut: Part = {
  name: '5-dialect presence fan-out',
  about:
    'one person of MSNP12 with a picture and 500 contacts online, 100 of each dialect from 8 to 12: a change of status until ' +
    'the last NLN has arrived, and a new personal message until the last of 200 UBX',
  targets: { p50_ms: { max: 10 }, personal_p50_ms: { max: 10 } },
  run: () =>
    withService({ core: 0, users: 500, star: true }, async ({ ports, load }): Promise<Figures> => {
      await load.ask('hold', ports, 0, 500, DIALECTS)
      await load.ask('fanOutMixed', ports, 20)
      const { presence, personal } = await load.ask<Record<'presence' | 'personal', readonly number[]>>(
        'fanOutMixed',
        ports,
        50,
      )
      return {
        p50_ms: quantile(presence, 0.5),
        p99_ms: quantile(presence, 0.99),
        personal_p50_ms: quantile(personal, 0.5),
        personal_p99_ms: quantile(personal, 0.99),
      }
    }),
}
