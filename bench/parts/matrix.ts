/** The daemon between a homeserver and an MSN service, with everything on disk. */
import { setTimeout as pause } from 'node:timers/promises'
import { accountOf, House, type HouseOptions } from '../matrix.ts'
import { quantile, type Figures, type Part } from '../measure.ts'
import type { Child } from '../processes.ts'
import { collect, ms, type Taken } from '../taken.ts'
import { withService } from '../with-service.ts'

const ROOMS = 50
const BURST = 1_000
/** Messages for a latency at a steady pace. */
const STEADY = 500
const EVERY_MS = 20
const SETTLE_MS = 1_000

const BRIDGE = 'bridge@bench.example'
const emails = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `user${index}@bench.example`)

async function withHouse<T>(options: HouseOptions, work: (house: House) => Promise<T>): Promise<T> {
  const house = await House.build(options)
  try {
    return await work(house)
  } finally {
    await house.end()
  }
}

export const matrixRelay: Part = {
  name: 'matrix relay',
  about:
    'MSN client -> service -> daemon -> homeserver, 50 rooms, and back; direct: client -> service -> client; added: the difference',
  targets: { added_p50_ms_at_50: { max: 3 }, burst_per_second: { min: 1_000 } },
  run: () =>
    withService({ core: 1, users: ROOMS + 2 }, ({ ports: msn, load }) =>
      withHouse({ residents: [{ login: BRIDGE, contacts: emails(ROOMS) }], msn }, async (house): Promise<Figures> => {
        const { homeserver } = house
        await house.run()
        await house.online(accountOf(0))
        await load.ask('callBridge', msn, ROOMS)
        const there: number[] = []
        for (let round = 0; round < 5; round++) {
          const first = await load.ask<number>('burst', BURST / ROOMS)
          const { last } = await collect(homeserver, 'arrived', BURST)
          there.push((BURST * 1e6) / (last - first))
        }
        const back: number[] = []
        for (let round = 0; round < 5; round++) {
          const first = await homeserver.ask<number>('burst', BURST)
          const { last } = await collect(load, 'heard', BURST)
          back.push((BURST * 1e6) / (last - first))
        }
        // What the bursts left to do (receipts, a checkpoint of the database) is not part of a steady pace.
        await pause(SETTLE_MS)
        const direct = await load.ask<readonly number[]>('direct', msn, ROOMS, STEADY, EVERY_MS)
        await load.ask('talk', STEADY, EVERY_MS)
        const steady = await collect(homeserver, 'arrived', STEADY)
        await homeserver.ask('talk', STEADY, EVERY_MS)
        const steadyBack: Taken = await collect(load, 'heard', STEADY)
        return {
          direct_p50_ms_at_50: ms(direct, 0.5),
          direct_p99_ms_at_50: ms(direct, 0.99),
          p50_ms_at_50: ms(steady.times, 0.5),
          p99_ms_at_50: ms(steady.times, 0.99),
          added_p50_ms_at_50: ms(steady.times, 0.5) - ms(direct, 0.5),
          added_p99_ms_at_50: ms(steady.times, 0.99) - ms(direct, 0.99),
          back_p50_ms_at_50: ms(steadyBack.times, 0.5),
          back_p99_ms_at_50: ms(steadyBack.times, 0.99),
          // The first rounds warm up.
          burst_per_second: quantile(there.slice(2), 0.5),
          back_burst_per_second: quantile(back.slice(2), 0.5),
        }
      }),
    ),
}

const EVENTS = 6_000

export const matrixIntake: Part = {
  name: 'matrix intake',
  about:
    'transactions of 100 messages, one after the other, until the last 200, 50 rooms; the MSN network is away, so that all ' +
    'wait on disk, where they are counted after a kill -9',
  targets: { events_per_second: { min: 6_000 } },
  run: () =>
    withHouse({ residents: [{ login: BRIDGE, contacts: emails(ROOMS) }] }, async (house): Promise<Figures> => {
      await house.run()
      const rates: number[] = []
      for (let round = 0; round < 5; round++)
        rates.push((EVENTS * 1000) / (await house.homeserver.ask<number>('transactions', EVENTS)))
      const onDisk = await house.kill()
      if (onDisk !== 5 * EVENTS) throw new Error(`${onDisk} of ${5 * EVENTS} messages are on disk`)
      return { events_per_second: quantile(rates.slice(2), 0.5), first_per_second: rates[0] ?? Number.NaN }
    }),
}

const PEOPLE = 50
const CONTACTS = 200

export const matrixRestart: Part = {
  name: 'matrix restart',
  about:
    `${PEOPLE} people with an MSN account and ${CONTACTS} contacts each, every contact a ghost with a portal; ready: from the ` +
    'start of the process, on all cores, until it and the homeserver have met; all: until the last account is on MSN, where the bridge signs ' +
    'in five a second; RSS a while after that',
  targets: { ready_s: { max: 5 }, rss_mb: { max: 300 } },
  run: () => {
    const users = emails(PEOPLE * CONTACTS)
    const residents = Array.from({ length: PEOPLE }, (_, index) => ({
      login: users[index * CONTACTS] ?? '',
      // As the service has them on the list: those who come next.
      contacts: Array.from(
        { length: CONTACTS },
        (__, step) => users[(index * CONTACTS + step + 1) % users.length] ?? '',
      ),
    }))
    return withService({ core: 1, users: users.length, contacts: CONTACTS }, ({ ports: msn }) =>
      withHouse({ residents, msn }, async (house): Promise<Figures> => {
        const everybody = (): Promise<unknown> =>
          Promise.all(residents.map((_, index) => house.online(accountOf(index))))
        // What only a first start has to do.
        await house.run()
        await everybody()
        await pause(SETTLE_MS)
        await house.stop()
        const started = performance.now()
        const ready = await house.run()
        const early = house.rss
        await everybody()
        const all = performance.now() - started
        await pause(10 * SETTLE_MS)
        return { ready_s: ready / 1000, all_s: all / 1000, rss_mb_when_ready: early, rss_mb: house.rss }
      }),
    )
  },
}

const CROWD = 1_000
const BUDGET = 200
const PRESENCE_DEADLINE_MS = 60_000

interface Shown {
  readonly showing: number
  readonly written: number
  readonly requests: number
  readonly busiest: number
  readonly backwards: number
}

/** Waits until every ghost shows this. */
async function untilShown(homeserver: Child, text: string, inProfile: string): Promise<Shown> {
  const until = Date.now() + PRESENCE_DEADLINE_MS
  for (;;) {
    const shown = await homeserver.ask<Shown>('presence', text, inProfile)
    if (shown.showing === CROWD && shown.written === (inProfile === '' ? 0 : CROWD)) return shown
    if (Date.now() > until) throw new Error(`${shown.showing} of ${CROWD} ghosts show "${text}"`)
    await pause(50)
  }
}

export const matrixPresence: Part = {
  name: 'matrix presence',
  about:
    `${CROWD} MSN contacts change status at once, and again while that is being told; presence_per_second: ${BUDGET}; busiest: ` +
    'requests a second in any five seconds; stale: ghosts that do not show the newest in the end, or went back to an older one on the way',
  targets: { busiest_per_second: { max: BUDGET }, stale: { max: 0 } },
  run: () =>
    withService({ core: 1, users: CROWD, star: true }, ({ ports: msn, load }) =>
      withHouse(
        {
          residents: [{ login: 'star@bench.example', contacts: emails(CROWD) }],
          msn,
          presencePerSecond: BUDGET,
        },
        async (house): Promise<Figures> => {
          const { homeserver } = house
          await house.run()
          await house.online(accountOf(0))
          await homeserver.ask('presenceBegins', [])
          await load.ask('hold', msn, 0, CROWD)
          await untilShown(homeserver, 'online', '')
          await homeserver.ask('presenceBegins', ['Away', 'Busy', 'Out to lunch'])
          const started = performance.now()
          for (const status of ['AWY', 'BSY', 'LUN']) {
            await load.ask('change', status)
            await pause(SETTLE_MS)
          }
          const { requests, busiest } = await untilShown(homeserver, 'Out to lunch', 'Out to lunch')
          const seconds = (performance.now() - started) / 1000
          await pause(SETTLE_MS)
          const end = await homeserver.ask<Shown>('presence', 'Out to lunch', 'Out to lunch')
          return {
            busiest_per_second: Math.max(busiest, end.busiest),
            per_second: requests / seconds,
            requests,
            all_newest_s: seconds,
            stale: 2 * CROWD - end.showing - end.written + end.backwards,
          }
        },
      ),
    ),
}
