/** The adapter with a store, a log and metrics, as the daemon runs it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accounts, create, type MsnServiceAdapter } from '../../../adapters/msn-service/index.ts'
import { msnServiceConfig, type MsnServiceConfig } from '../../../adapters/msn-service/config.ts'
import type { AccountAdmin } from '../../../adapters/module.ts'
import type { AdapterContext, AdapterState, CommandReply, CommandRequest } from '../../../bridge/adapter.ts'
import { systemClock } from '../../../bridge/clock.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import { SqliteStore } from '../../../bridge/store/sqlite.ts'
import { Messenger, type SignInOptions } from '../../kit/messenger.ts'
import { recordingLog, recordingMetrics } from '../../kit/observers.ts'
import { nobody } from '../../kit/nobody.ts'

export const HOME = 'home' as NetworkId

/** A state that is gone with the test. */
export const mapState = (): AdapterState & { readonly pairs: Map<string, string> } => {
  const pairs = new Map<string, string>()
  return {
    pairs,
    get: async (key) => pairs.get(key),
    list: async (prefix) => [...pairs].filter(([key]) => key.startsWith(prefix)).sort(),
    update: async (changes) => {
      for (const [key, value] of changes) {
        if (value === undefined) pairs.delete(key)
        else pairs.set(key, value)
      }
    },
  }
}

export const configOf = (more: Record<string, unknown> = {}): MsnServiceConfig =>
  msnServiceConfig.parse({
    id: 'home',
    type: 'msn-service',
    listen: '127.0.0.1:0',
    passport: { listen: '127.0.0.1:0' },
    ...more,
  })

/** A data folder that outlives a daemon, and daemons on it. */
export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'msn-service-'))
  readonly log = recordingLog()
  readonly metrics = recordingMetrics()
  /** What the bridge answers. */
  command: (request: CommandRequest) => Promise<CommandReply> = async () => ({ lines: [] })
  #store: SqliteStore | undefined
  #adapter: MsnServiceAdapter | undefined

  async start(more: Record<string, unknown> = {}): Promise<MsnServiceAdapter> {
    const adapter = create(this.#options(more))
    this.#adapter = adapter
    const context: AdapterContext = {
      log: this.log,
      clock: systemClock,
      metrics: this.metrics,
      emit: () => Promise.reject(new Error('nothing is bridged yet')),
      sessionChanged: () => undefined,
      state: await this.state(),
      command: (request) => this.command(request),
      claim: () => Promise.resolve({ kind: 'refused', detail: 'not here' }),
      ...nobody,
    }
    await adapter.start(context)
    return adapter
  }

  async stop(): Promise<void> {
    await this.#adapter?.stop()
    this.#adapter = undefined
    await this.#store?.close()
    this.#store = undefined
  }

  /** The folder is gone, too. */
  async end(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true })
  }

  async state(): Promise<AdapterState> {
    if (this.#store === undefined) {
      this.#store = new SqliteStore({ file: join(this.folder, 'bridge.db'), clock: systemClock, log: this.log })
      await this.#store.open()
    }
    return this.#store.adapterState(HOME)
  }

  /** The accounts without a daemon. */
  async offline(): Promise<AccountAdmin> {
    return accounts(this.#options({}), await this.state(), this.log)
  }

  get adapter(): MsnServiceAdapter {
    if (this.#adapter === undefined) throw new Error('the adapter does not run')
    return this.#adapter
  }

  get accounts(): AccountAdmin {
    const { accounts: admin } = this.adapter
    if (admin === undefined) throw new Error('the adapter does not run')
    return admin
  }

  /** The ports as the terminal shows them. */
  port(line: RegExp): number {
    const text = this.adapter.describe().join('\n')
    const port = new RegExp(`${line.source}[^\\n]*?127\\.0\\.0\\.1:(\\d+)`).exec(text)?.[1]
    if (port === undefined) throw new Error(`no ${line.source} in: ${text}`)
    return Number(port)
  }

  signIn(name: string, password: string, options: SignInOptions = {}): Promise<Messenger> {
    const where = { notification: this.port(/MSN service/), passport: this.port(/MSN login/) }
    return Messenger.signIn(where, `${name}@home.example`, password, options)
  }

  #options(more: Record<string, unknown>): Parameters<typeof create>[0] {
    return {
      network: HOME,
      config: configOf(more),
      dataFolder: this.folder,
      secret: () => {
        throw new Error('no secrets here')
      },
    }
  }
}
