/** A bridge with a homeserver that has been running for a while: its data folder, and the daemon on it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { Ghosts } from '../adapters/matrix/ghosts.ts'
import { portalRow } from '../adapters/matrix/portal-rooms.ts'
import { Table } from '../adapters/matrix/room-table.ts'
import { mxidOf, refOf, type MatrixDeps, type Mxid, type RoomId } from '../adapters/matrix/types.ts'
import type { PortalRequest } from '../bridge/adapter.ts'
import { systemClock } from '../bridge/clock.ts'
import type { AccountId, ChatId, NetworkId, PersonId, PortalId, UserId } from '../bridge/model/ids.ts'
import type { LegId, Portal } from '../bridge/store/port.ts'
import { SqliteStore } from '../bridge/store/sqlite.ts'
import { freePort, makeFolder, removeFolder, runCommand, startDaemon, type RunningDaemon } from '../test/kit/daemon.ts'
import { nobody } from '../test/kit/nobody.ts'
import { recordingLog, recordingMetrics } from '../test/kit/observers.ts'
import type { Ports } from './load.ts'
import { Child, pin } from './processes.ts'

const MSN = 'msn' as NetworkId
const MATRIX = 'matrix' as NetworkId
const DOMAIN = 'localhost'
const BOT: Mxid = `@msnbot:${DOMAIN}`
const SERVICE = 'matrix' as AccountId

/** Somebody on Matrix with an account on MSN, and a room with each of these contacts. */
export interface Resident {
  readonly login: string
  readonly contacts: readonly string[]
}

/** A room as the homeserver has to have it. */
export interface PlannedRoom {
  readonly owner: string
  readonly ghost: string
  readonly name: string
}

export interface HouseOptions {
  readonly residents: readonly Resident[]
  /** Where the MSN network is; absent: nobody answers there. */
  readonly msn?: Ports
  /** Requests a second for presence. */
  readonly presencePerSecond?: number
}

/** The homeserver and the data folder; `run` starts the daemon. */
export class House {
  readonly homeserver: Child
  readonly #folder: string
  #daemon: RunningDaemon | undefined

  private constructor(homeserver: Child, folder: string) {
    this.homeserver = homeserver
    this.#folder = folder
  }

  /** The homeserver shares a core with the load. */
  static async build(options: HouseOptions): Promise<House> {
    const house = new House(Child.start('homeserver', 1), makeFolder())
    try {
      await house.#build(options)
      return house
    } catch (error) {
      await house.end()
      throw error
    }
  }

  /** Milliseconds from the start of the process until it and the homeserver have met. With a core of its own after that. */
  async run(): Promise<number> {
    const started = performance.now()
    const daemon = await startDaemon({ folder: this.#folder, env: { BENCH_PASSWORD: 'secret' } })
    this.#daemon = daemon
    await this.online(SERVICE)
    const took = performance.now() - started
    pin(daemon.pid, 0)
    return took
  }

  /** Resolves when the account has signed in. */
  async online(account: string): Promise<void> {
    await this.#running.waitFor((entry) => entry['account'] === account && entry.msg === 'signed in', 60_000)
  }

  /** Resident memory of the daemon, MB. */
  get rss(): number {
    const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(this.#running.pid)], { encoding: 'utf8' })
    return Number(stdout) / 1024
  }

  /** SIGTERM, and its end. */
  async stop(): Promise<void> {
    await this.#running.stop()
    this.#daemon = undefined
  }

  /** SIGKILL; answers how many messages are on disk. */
  async kill(): Promise<number> {
    await this.#running.kill()
    this.#daemon = undefined
    const store = this.#store()
    await store.open()
    const lanes = await store.lanes()
    await store.close()
    return lanes.reduce((sum, { rows }) => sum + rows, 0)
  }

  async end(): Promise<void> {
    await this.#daemon?.kill()
    await this.homeserver.stop()
    removeFolder(this.#folder)
  }

  get #running(): RunningDaemon {
    if (this.#daemon === undefined) throw new Error('the daemon does not run')
    return this.#daemon
  }

  #store(): SqliteStore {
    return new SqliteStore({
      file: join(this.#folder, 'data', 'bridge.db'),
      clock: systemClock,
      log: recordingLog(),
    })
  }

  async #build({ residents, msn, presencePerSecond }: HouseOptions): Promise<void> {
    const nobody = await freePort()
    const homeserver = await freePort()
    const config = {
      data: './data',
      admin: { listen: `127.0.0.1:${await freePort()}` },
      networks: [
        {
          id: MSN,
          type: 'msn',
          server: `127.0.0.1:${msn?.notification ?? nobody}`,
          passport: { login: `http://127.0.0.1:${msn?.passport ?? nobody}/login2.srf` },
        },
        {
          id: MATRIX,
          type: 'matrix',
          homeserver: `http://127.0.0.1:${homeserver}`,
          domain: DOMAIN,
          listen: `127.0.0.1:${await freePort()}`,
          ...(presencePerSecond === undefined ? {} : { presence_per_second: presencePerSecond }),
        },
      ],
      people: residents.map((_, index) => ({
        id: `person${index}`,
        users: [{ network: MATRIX, user: ownerOf(index) }],
      })),
      accounts: residents.map(({ login }, index) => ({
        id: accountOf(index),
        network: MSN,
        person: `person${index}`,
        login,
        password: { env: 'BENCH_PASSWORD' },
      })),
    }
    // JSON is YAML.
    writeFileSync(join(this.#folder, 'config.yaml'), JSON.stringify(config))
    mkdirSync(join(this.#folder, 'data'))
    const { code, stderr } = await runCommand(['registration'], { folder: this.#folder })
    if (code !== 0) throw new Error(stderr)
    await this.homeserver.ask('start', homeserver, join(this.#folder, 'data', 'matrix-registration.yaml'))
    await this.#furnish(residents)
  }

  /** Rooms, ghosts and portals, as the bridge itself would have noted them. */
  async #furnish(residents: readonly Resident[]): Promise<void> {
    const store = this.#store()
    await store.open()
    const deps = quietDeps(store)
    const table = new Table(deps.context.state, deps.context.log)
    const ghosts = new Ghosts(deps, { prefix: 'msn_', name: '{name}' })
    const planned = residents.flatMap(({ contacts }, index) =>
      contacts.map((name): PlannedRoom => {
        const ghost = ghosts.idOf({ network: MSN, user: name as UserId })
        return { owner: ownerOf(index), ghost, name }
      }),
    )
    const rooms = await this.homeserver.ask<readonly RoomId[]>('furnish', planned)
    const all = residents.flatMap((resident, index) =>
      resident.contacts.map((contact) => ({ resident, index, contact })),
    )
    const portals = all.map(({ resident, index, contact }, at): Portal => {
      const room = rooms[at]
      if (room === undefined) throw new Error('the homeserver made too few rooms')
      return portalOf(at, index, resident, contact as UserId, room)
    })
    await store.updatePortals(portals, [])
    await Promise.all(
      portals.map(async ({ legs }, at) => {
        const room = rooms[at]
        const request = legs[1]?.request
        const [someone] = request?.kind === 'portal' ? request.with : []
        if (room === undefined || request?.kind !== 'portal' || someone === undefined) return
        await table.put(portalRow(room, mxidOf(request.owner), request, 'in'))
        await ghosts.enter(someone.user, someone.name, room)
      }),
    )
    await store.close()
  }
}

export const accountOf = (resident: number): string => `account${resident}`

const ownerOf = (resident: number): string => `@person${resident}:${DOMAIN}`

const portalOf = (at: number, resident: number, { login }: Resident, contact: UserId, room: RoomId): Portal => {
  const id = `portal${at}` as PortalId
  const account = accountOf(resident) as AccountId
  const request: PortalRequest = {
    kind: 'portal',
    portal: id,
    owner: ownerOf(resident) as UserId,
    account,
    login,
    direct: true,
    with: [{ user: { network: MSN, user: contact }, name: contact }],
  }
  const leg = { portal: id, flow: 'both' } as const
  const chat = { network: MSN, chat: contact as string as ChatId, account }
  return {
    id,
    kind: 'direct',
    origin: 'command',
    legs: [
      { ...leg, id: `${id}.0` as LegId, network: MSN, via: account, request: { kind: 'direct', with: contact }, chat },
      {
        ...leg,
        id: `${id}.1` as LegId,
        network: MATRIX,
        via: SERVICE,
        request,
        chat: refOf(MATRIX, room as string as ChatId),
      },
    ],
  }
}

/** For the parts of the adapter that keep notes: every request works, and nobody is asked. */
const quietDeps = (store: SqliteStore): MatrixDeps => {
  const request = <Value>() => Promise.resolve({ ok: true, value: {} as Value } as const)
  return {
    network: MATRIX,
    account: { id: SERVICE, network: MATRIX, person: 'bridge' as PersonId, login: BOT, secret: '' },
    homeserver: {
      domain: DOMAIN,
      bot: BOT,
      features: { devices: true, busy: false, roomVersion: '12' },
      request,
      insist: request,
    },
    context: {
      log: recordingLog(),
      clock: systemClock,
      metrics: recordingMetrics(),
      state: store.adapterState(MATRIX),
      emit: () => Promise.resolve(),
      sessionChanged: () => undefined,
      command: () => Promise.resolve({ lines: [] }),
      claim: () => Promise.resolve({ kind: 'refused', detail: 'not here' }),
      ...nobody,
    },
  }
}
