/** A daemon with the gateway: its data folder, a process for it, and one for the IRC clients. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDataFolder } from '../bridge/data-folder.ts'
import { systemClock } from '../bridge/clock.ts'
import type { NetworkId } from '../bridge/model/ids.ts'
import { type Cost, hashPassword } from '../bridge/passwords.ts'
import { freePort, makeFolder, removeFolder } from '../test/kit/daemon.ts'
import { recordingLog } from '../test/kit/observers.ts'
import type { Ports } from './load.ts'
import { Child } from './processes.ts'

export const PASSWORD = 'secret'
/** The account of the service that the first of the people is signed in with: everybody there is on its list. */
export const STAR = 'star@bench.example'

const GATEWAY = 'gateway' as NetworkId
const RELAY = 'relay'
/** Where it is not measured how long a password takes. */
const CHEAP: Cost = { N: 2, r: 1, p: 1 }
/** What the config takes at most: no rate at all. */
const OFF = 1_000_000

export interface GatewayOptions {
  /** Accounts of the gateway, person0 to person<people - 1>. */
  readonly people: number
  /** The first of them is signed in here. */
  readonly msn?: Ports
  /** Of their passwords; absent: nearly nothing. */
  readonly cost?: Cost
}

export class Gateway {
  readonly daemon: Child
  readonly irc: Child
  readonly port: number
  readonly #folder: string
  readonly #accounts: readonly string[]

  private constructor(folder: string, port: number, accounts: readonly string[]) {
    // The clients share a core with the load.
    this.daemon = Child.start('daemon', 0)
    this.irc = Child.start('irc', 1)
    this.port = port
    this.#folder = folder
    this.#accounts = accounts
  }

  get database(): string {
    return join(this.#folder, 'data', 'bridge.db')
  }

  async run(): Promise<void> {
    await this.daemon.ask('start', this.#folder, this.#accounts, { BENCH_PASSWORD: PASSWORD })
  }

  async stop(): Promise<void> {
    await this.daemon.ask('stop')
  }

  /** Runs for as long as `work` does. */
  static async with<T>(options: GatewayOptions, work: (gateway: Gateway) => Promise<T>): Promise<T> {
    const folder = makeFolder()
    const port = await freePort()
    const gateway = new Gateway(folder, port, options.msn === undefined ? [] : [RELAY])
    try {
      // JSON is YAML.
      writeFileSync(join(folder, 'config.yaml'), JSON.stringify(await configOf(options, port)))
      await furnish(join(folder, 'data'), options)
      await gateway.run()
      return await work(gateway)
    } finally {
      await gateway.irc.stop()
      await gateway.daemon.stop()
      removeFolder(folder)
    }
  }
}

const configOf = async ({ msn }: GatewayOptions, port: number) => ({
  data: './data',
  admin: { listen: `127.0.0.1:${await freePort()}` },
  networks: [
    {
      id: GATEWAY,
      type: 'irc-gateway',
      listen: `127.0.0.1:${port}`,
      limits: { lines_per_second: OFF, burst: OFF, strangers_per_address: OFF },
    },
    ...(msn === undefined
      ? []
      : [
          {
            id: 'msn',
            type: 'msn',
            server: `127.0.0.1:${msn.notification}`,
            passport: { login: `http://127.0.0.1:${msn.passport}/login2.srf` },
          },
        ]),
  ],
  people: [{ id: 'first', users: [{ network: GATEWAY, user: 'person0' }] }],
  accounts:
    msn === undefined
      ? []
      : [{ id: RELAY, network: 'msn', person: 'first', login: STAR, password: { env: 'BENCH_PASSWORD' } }],
})

/** The accounts of the gateway, all with one hash: it is read as often all the same. */
async function furnish(folder: string, { people, cost = CHEAP }: GatewayOptions): Promise<void> {
  const { store, close } = await opened(folder)
  const row = JSON.stringify({ hash: await hashPassword(PASSWORD, cost), setAt: systemClock.now() })
  await store.adapterState(GATEWAY).update(Array.from({ length: people }, (_, index) => [`user/person${index}`, row]))
  await close()
}

const opened = async (folder: string) => {
  const data = await openDataFolder(folder, systemClock, recordingLog())
  return { store: data.store, close: () => data.close() }
}
