/** The daemon between an MSN service and people's IRC clients, with everything on disk. */
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { COST } from '../../bridge/passwords.ts'
import { Gateway, PASSWORD, STAR } from '../gateway.ts'
import { quantile, type Figures, type Part } from '../measure.ts'
import type { Child, Memory } from '../processes.ts'
import { collect, ms, type Taken } from '../taken.ts'
import { withService, type Running } from '../with-service.ts'

const CHATS = 25
const BURST = 500
/** Messages for a latency at a steady pace. */
const STEADY = 500
const EVERY_MS = 20
const SETTLE_MS = 1_000

const PERSON = { account: 'person0', password: PASSWORD }
const nicks = Array.from({ length: CHATS }, (_, index) => `user${index}`)

/** One person with a client at the gateway; the contacts are on their list, so that each has a query of their own. */
const withPerson = <T>(caps: readonly string[], work: (gateway: Gateway, running: Running) => Promise<T>): Promise<T> =>
  withService({ core: 1, users: CHATS + 2, star: true }, (running) =>
    Gateway.with({ people: 1, msn: running.ports }, async (gateway) => {
      await gateway.irc.ask('listen', gateway.port, { ...PERSON, caps })
      await running.load.ask('callBridge', running.ports, CHATS, STAR)
      return work(gateway, running)
    }),
  )

interface Way {
  readonly from: Child
  /** What `from` is asked before the number of messages. */
  readonly to: readonly unknown[]
  readonly at: Child
  readonly what: 'arrived' | 'heard'
}

/** Messages a second, for each of the bursts. */
async function bursts({ from, to, at, what }: Way): Promise<readonly number[]> {
  const rates: number[] = []
  for (let round = 0; round < 9; round++) {
    const first = await from.ask<number>('burst', ...to, BURST / CHATS)
    const { last } = await collect(at, what, BURST)
    rates.push((BURST * 1e6) / (last - first))
  }
  // The first rounds warm up.
  return rates.slice(4)
}

async function steady({ from, to, at, what }: Way): Promise<Taken> {
  await from.ask('talk', ...to, STEADY, EVERY_MS)
  return collect(at, what, STEADY)
}

export const gatewayRelay: Part = {
  name: 'gateway relay',
  about:
    `MSN client -> service -> msn account -> core on disk -> gateway -> an IRC client in another process, ${CHATS} chats, and ` +
    'back; direct: client -> service -> client; added: the difference, which is what the targets are for',
  targets: {
    added_p50_ms_at_50: { max: 1 },
    added_p99_ms_at_50: { max: 5 },
    back_added_p50_ms_at_50: { max: 1 },
    back_added_p99_ms_at_50: { max: 5 },
    burst_per_second: { min: 10_000 },
    back_burst_per_second: { min: 10_000 },
  },
  run: () =>
    withPerson([], async ({ irc }, { load, ports }): Promise<Figures> => {
      const there: Way = { from: load, to: [], at: irc, what: 'arrived' }
      const back: Way = { from: irc, to: [nicks], at: load, what: 'heard' }
      const thereRates = await bursts(there)
      const backRates = await bursts(back)
      // What the bursts left to do (receipts, a checkpoint of the database) is not part of a steady pace.
      await pause(SETTLE_MS)
      const direct = await load.ask<readonly number[]>('direct', ports, CHATS, STEADY, EVERY_MS)
      const { times } = await steady(there)
      const { times: backTimes } = await steady(back)
      return {
        direct_p50_ms_at_50: ms(direct, 0.5),
        direct_p99_ms_at_50: ms(direct, 0.99),
        p50_ms_at_50: ms(times, 0.5),
        p99_ms_at_50: ms(times, 0.99),
        added_p50_ms_at_50: ms(times, 0.5) - ms(direct, 0.5),
        added_p99_ms_at_50: ms(times, 0.99) - ms(direct, 0.99),
        back_p50_ms_at_50: ms(backTimes, 0.5),
        back_p99_ms_at_50: ms(backTimes, 0.99),
        back_added_p50_ms_at_50: ms(backTimes, 0.5) - ms(direct, 0.5),
        back_added_p99_ms_at_50: ms(backTimes, 0.99) - ms(direct, 0.99),
        burst_per_second: quantile(thereRates, 0.5),
        back_burst_per_second: quantile(backRates, 0.5),
      }
    }),
}

const CLIENTS = 1_000
/** Clients that are there before it is counted what more cost. */
const BEFORE = 100
const OF_ONE = 25
const REGISTRATIONS = 1_000
const AT_ONCE = 8
/** Accounts whose password is hashed as it is in life. */
const FIRST = 16

/** kB of RSS and of live objects for each of `CLIENTS` more, in a fresh process. */
const growth = (each: number): Promise<Memory> =>
  Gateway.with({ people: (BEFORE + CLIENTS) / each }, async ({ daemon, irc, port }): Promise<Memory> => {
    const hold = (from: number, to: number): Promise<unknown> =>
      irc.ask('hold', port, from / each, to / each, each, PASSWORD)
    await hold(0, BEFORE)
    const small = await daemon.ask<Memory>('memory')
    await hold(BEFORE, BEFORE + CLIENTS)
    const large = await daemon.ask<Memory>('memory')
    const slope = (of: keyof Memory): number => (large[of] - small[of]) / CLIENTS / 1024
    return { rss: slope('rss'), heap: slope('heap') }
  })

export const gatewayClients: Part = {
  name: 'gateway clients',
  about:
    `RSS of the daemon per attached client, slope over ${CLIENTS} more in a fresh process, and heap: its live objects; ` +
    `registrations: connection, PASS of a password that was right before, welcome, control channel, QUIT, ${AT_ONCE} at a ` +
    'time; first: people not seen since the start, whose password is hashed',
  targets: {
    kb_per_client: { max: 30 },
    [`kb_per_client_of_${OF_ONE}`]: { max: 30 },
    registrations_per_second: { min: 500 },
  },
  async run(): Promise<Figures> {
    const single = await growth(1)
    const several = await growth(OF_ONE)
    const registrations = (people: number, count: number, cost?: typeof COST): Promise<number> =>
      Gateway.with({ people, ...(cost === undefined ? {} : { cost }) }, async ({ irc, port }) => {
        const come = (visits: number): Promise<number> =>
          irc.ask('registrations', port, people, visits, AT_ONCE, PASSWORD)
        const first = await come(people)
        return count === 0 ? first : come(count)
      })
    return {
      kb_per_client: single.rss,
      heap_kb: single.heap,
      [`kb_per_client_of_${OF_ONE}`]: several.rss,
      [`heap_kb_of_${OF_ONE}`]: several.heap,
      registrations_per_second: await registrations(REGISTRATIONS, 2 * REGISTRATIONS),
      first_per_second: await registrations(FIRST, 0, COST),
    }
  },
}

const STORED = 1_000_000
const PAGE = 100
const PAGES = 500
/** Asked for before it is measured, as the first bursts are. */
const WARMING = 50
const CAPS = ['message-tags', 'server-time', 'batch', 'draft/chathistory']

/** A million like the first message, before it; gives whose conversation that is. */
const fill = (file: string): string => {
  const db = new Database(file)
  db.exec(`
    CREATE TEMP TABLE first AS SELECT chat, portal, stored_at, data FROM event
      WHERE json_extract(data, '$.kind') = 'message' ORDER BY row LIMIT 1;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${STORED})
    INSERT INTO event (id, chat, native, portal, stored_at, data)
    SELECT printf('e%09d', i), chat, 'n' || i, portal, stored_at - i, json_set(data, '$.id', 'n' || i, '$.at', stored_at - i)
    FROM n, first;
    INSERT INTO said (portal, at, row) SELECT portal, stored_at, row FROM event WHERE id LIKE 'e0%' ORDER BY stored_at;
  `)
  const sender = db.prepare("SELECT json_extract(data, '$.sender.user') FROM first").pluck().get()
  db.close()
  return String(sender).replace(/@.*/, '')
}

export const gatewayHistory: Part = {
  name: 'gateway history',
  about: `CHATHISTORY LATEST ${PAGE}, until the end of the batch, of a conversation with ${STORED.toLocaleString('en')} messages stored; the first ${WARMING} warm up`,
  targets: { p50_ms: { max: 5 }, p99_ms: { max: 5 } },
  run: () =>
    withPerson(CAPS, async (gateway, { load }): Promise<Figures> => {
      const { irc, port, database } = gateway
      await load.ask('burst', 1)
      await collect(irc, 'arrived', CHATS)
      await gateway.stop()
      const nick = fill(database)
      await gateway.run()
      await irc.ask('listen', port, { ...PERSON, caps: CAPS })
      const asked = await irc.ask<readonly number[]>('latest', nick, PAGE, WARMING + PAGES)
      const times = asked.slice(WARMING)
      return { p50_ms: quantile(times, 0.5), p99_ms: quantile(times, 0.99) }
    }),
}
