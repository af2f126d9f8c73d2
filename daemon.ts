/** The composition root: the only file that knows all parts. What is started first is stopped last. */
import { randomUUID } from 'node:crypto'
import type { AccountAdmin, HostingAdapter } from './adapters/module.ts'
import { createAdapter } from './adapters/registry.ts'
import type { Account, AdapterContext, Clock, Logger, Session } from './bridge/adapter.ts'
import { Commands } from './bridge/commands.ts'
import { type DataFolder, openDataFolder } from './bridge/data-folder.ts'
import { Hub } from './bridge/hub.ts'
import type { Identity } from './bridge/identity.ts'
import { linkEnd } from './bridge/link.ts'
import type { AccountId, NetworkId } from './bridge/model/ids.ts'
import type { Availability } from './bridge/model/presence.ts'
import type { SessionState } from './bridge/model/result.ts'
import type { RichText } from './bridge/model/text.ts'
import { Networks } from './bridge/networks.ts'
import { AdminPage } from './bridge/ops/admin.ts'
import type { MetricsPage } from './bridge/ops/metrics.ts'
import type { Report } from './bridge/ops/report.ts'
import { OutageNotices } from './bridge/outage.ts'
import { OwnStatus } from './bridge/own-status.ts'
import type { LinkEnd } from './bridge/portals.ts'
import { buildReport } from './bridge/status-report.ts'
import { Supervisor } from './bridge/supervisor.ts'
import { configuredAccounts, configuredPeople, patienceOf, secretReader, timingOf } from './config/apply.ts'
import { trustingOurselves } from './config/own-service.ts'
import type { Environment } from './config/load.ts'
import type { Config } from './config/schema.ts'

export interface DaemonOptions {
  readonly config: Config
  readonly env: Environment
  readonly version: string
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: MetricsPage
}

/** A port of the admin page that is taken is asked for again after so long. */
const ADMIN_RETRY_MS = 2_000

/** Why the daemon cannot start: one sentence with the remedy. */
export class StartRefused extends Error {}

/** What there is once the data folder is open and the adapters are made. */
interface Parts {
  readonly data: DataFolder
  readonly adapters: ReadonlyMap<NetworkId, HostingAdapter>
  readonly accounts: readonly Account[]
  readonly hub: Hub
  readonly networks: Networks
  readonly supervisor: Supervisor
  readonly outage: OutageNotices
  readonly ownStatus: OwnStatus
}

export class Daemon {
  readonly #options: DaemonOptions
  readonly #startedAt: number
  readonly #admin: AdminPage
  /** Networks whose adapter could not be made, and why. */
  readonly #unmade = new Map<NetworkId, string>()
  #adminPort: number | undefined
  readonly #stopping = new AbortController()
  #adminOpening: Promise<void> = Promise.resolve()
  #parts: Parts | undefined
  #started = false

  constructor(options: DaemonOptions) {
    this.#options = options
    this.#startedAt = options.clock.now()
    this.#admin = new AdminPage({
      ...options.config.admin.listen,
      hosts: options.config.admin.hosts,
      report: () => this.report(),
      metrics: options.metrics,
    })
  }

  /** Rejects with `StartRefused` or `StoreRefused`; nothing is left running then. */
  async start(): Promise<void> {
    const { config, log, clock } = this.#options
    const data = await openDataFolder(config.data, clock, log)
    try {
      const adapters = await this.#makeAdapters()
      this.#parts = this.#compose(data, adapters)
      await this.#startParts(this.#parts)
    } catch (error) {
      await this.stop()
      await data.close()
      throw error
    }
  }

  /** Lets what is under way finish, signs out, closes. Twice is harmless. */
  async stop(): Promise<void> {
    this.#started = false
    const parts = this.#parts
    this.#parts = undefined
    if (parts !== undefined) {
      await this.#step('outage notices', parts.outage.stop())
      await this.#step('own status', parts.ownStatus.stop())
      await this.#step('hub', parts.hub.stop())
      await this.#step('sessions', parts.supervisor.stop())
      await this.#step('networks', parts.networks.stop())
      await this.#step('data folder', parts.data.close())
    }
    this.#stopping.abort()
    await this.#adminOpening
    await this.#step('admin page', this.#admin.stop())
  }

  report(): Report {
    const { config, version, clock } = this.#options
    const parts = this.#parts
    return buildReport({
      version,
      startedAt: this.#startedAt,
      now: clock.now(),
      dataFolder: config.data,
      started: this.#started,
      networks: config.networks.map(({ id, type }) => {
        const network = id as NetworkId
        const why = this.#unmade.get(network)
        return {
          id,
          type,
          adapter: parts?.adapters.get(network),
          state:
            why === undefined ? (parts?.networks.stateOf(network) ?? { kind: 'starting' }) : { kind: 'failed', why },
        }
      }),
      sessions: parts?.supervisor.states() ?? [],
      hub: parts?.hub.status(),
    })
  }

  /** Where the admin page is; `undefined` when its port could not be had. */
  get adminPort(): number | undefined {
    return this.#adminPort
  }

  /** The accounts of a network that we host and that runs. */
  accountsOf(network: NetworkId): AccountAdmin | undefined {
    const parts = this.#parts
    return parts?.networks.stateOf(network).kind === 'running' ? parts.adapters.get(network)?.accounts : undefined
  }

  /** Who is who, while the daemon runs. */
  get identity(): Identity | undefined {
    return this.#parts?.hub.identity
  }

  get adapters(): ReadonlyMap<NetworkId, HostingAdapter> {
    return this.#parts?.adapters ?? new Map()
  }

  async backup(file: string): Promise<void> {
    if (this.#parts === undefined) throw new StartRefused('the daemon is stopping')
    await this.#parts.data.store.backup(file)
  }

  /** Tries an account, or those of a network, now. Answers which had been waiting. */
  reconnect(name: string): readonly AccountId[] {
    const states = this.#parts?.supervisor.states() ?? []
    return states
      .filter(({ account }) => String(account.id) === name || String(account.network) === name)
      .map(({ account }) => account.id)
      .filter((account) => this.#parts?.supervisor.reconnect(account) === true)
  }

  async #makeAdapters(): Promise<ReadonlyMap<NetworkId, HostingAdapter>> {
    const { config, env, log } = this.#options
    const adapters = new Map<NetworkId, HostingAdapter>()
    for (const each of config.networks) {
      const network = each.id as NetworkId
      try {
        const shared = { network, dataFolder: config.data, secret: secretReader(env) }
        const own = each.type === 'msn' ? trustingOurselves(config, each) : each
        adapters.set(network, await createAdapter(own, shared))
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        this.#unmade.set(network, why)
        log.error({ network, detail: why }, 'network cannot be used')
      }
    }
    return adapters
  }

  #compose(data: DataFolder, adapters: ReadonlyMap<NetworkId, HostingAdapter>): Parts {
    const { config, env, clock, log, metrics } = this.#options
    const accounts: readonly Account[] = [
      ...configuredAccounts(config, env),
      ...[...adapters.values()].flatMap((adapter) => adapter.ownAccounts()),
    ]
    const sessionOf = (id: AccountId): Session | undefined => {
      const account = accounts.find((each) => each.id === id)
      if (account === undefined || networks.stateOf(account.network).kind !== 'running') return undefined
      return adapters.get(account.network)?.session(account)
    }
    const hub = new Hub({
      store: data.store,
      clock,
      log,
      metrics: metrics.metrics,
      adapters,
      sessionOf,
      accounts: () => accounts,
      limits: { historyDays: config.history.days },
      patience: (id) => {
        const account = accounts.find((each) => each.id === id)
        return account === undefined ? undefined : patienceOf(config, account.network)
      },
    })
    const isOnline = (account: AccountId): boolean => supervisor.stateOf(account)?.kind === 'online'
    const outage = new OutageNotices({
      clock,
      account: (id) => accounts.find((account) => account.id === id),
      noticeAfterMs: (network) => timingOf(config, network).noticeAfterMs,
      announce: (account, text) => this.#announce(hub, account, text),
    })
    const ownStatus = new OwnStatus({
      clock,
      accounts: () => supervisor.states().map(({ account }) => account.id),
      linkedWith: (account) =>
        [...new Set(hub.portals.legsVia(account).flatMap(({ portal }) => portal.legs.map(({ via }) => via)))].filter(
          (via) => via !== account,
        ),
      isOnline,
      set: (account, show: Availability) =>
        hub.setOwn(account, { kind: 'presence', as: { kind: 'self' }, state: { show } }),
    })
    const changed = (account: AccountId, state: SessionState): void => {
      hub.sessionChanged(account, state)
      outage.changed(account, state)
      ownStatus.changed(state)
    }
    const supervisor = new Supervisor({
      clock,
      log,
      metrics: metrics.metrics,
      random: Math.random,
      adapters,
      supervision: (network) => timingOf(config, network),
      changed,
    })
    const commands = new Commands({
      clock,
      log,
      adapters,
      accounts: () => accounts,
      sessionOf,
      stateOf: (account) => supervisor.stateOf(account),
      reconnect: (account) => supervisor.reconnect(account),
      portals: hub.portals,
      roster: hub.roster,
      identity: hub.identity,
      accept: (event) => hub.accept(event),
      link: (ends) => hub.link(ends),
      unlink: (leg) => hub.unlink(leg),
      linksChanged: () => ownStatus.changed(),
      mint: randomUUID,
    })
    const contextOf = (network: NetworkId): AdapterContext => ({
      log: log.child({ network }),
      clock,
      metrics: metrics.metrics,
      emit: async (event) => {
        await hub.accept(event)
      },
      sessionChanged: (account, state) => supervisor.sessionChanged(account, state),
      state: data.store.adapterState(network),
      command: async (request) => ({ lines: await commands.run(request) }),
      claim: () => Promise.resolve({ kind: 'refused', detail: 'this network has no portals' }),
    })
    const networks = new Networks({
      clock,
      log,
      adapters,
      contextOf,
      random: Math.random,
      running: (network) => {
        for (const account of accounts) if (account.network === network) supervisor.keep(account)
      },
    })
    return { data, adapters, accounts, hub, networks, supervisor, outage, ownStatus }
  }

  async #startParts({ hub, networks, accounts, adapters }: Parts): Promise<void> {
    const { config, log } = this.#options
    await hub.start({ people: configuredPeople(config, accounts), links: this.#links(adapters, accounts) })
    try {
      this.#adminPort = await this.#admin.start()
    } catch (error) {
      log.error({ detail: error instanceof Error ? error.message : String(error) }, 'no admin page, will try again')
      this.#adminOpening = this.#openAdminLater()
    }
    await networks.start()
    const failures = config.networks.flatMap(({ id }) => {
      const network = id as NetworkId
      const state = networks.stateOf(network)
      const why = this.#unmade.get(network) ?? (state.kind === 'failed' ? state.why : undefined)
      return why === undefined ? [] : [why]
    })
    if (failures.length === config.networks.length) throw new StartRefused(failures.join('; '))
    this.#started = true
  }

  async #openAdminLater(): Promise<void> {
    const { signal } = this.#stopping
    while (this.#adminPort === undefined) {
      await this.#options.clock.sleep(ADMIN_RETRY_MS, signal)
      if (signal.aborted) return
      this.#adminPort = await this.#admin.start().catch(() => undefined)
    }
    this.#options.log.info({ port: this.#adminPort }, 'the admin page is open')
  }

  #links(
    adapters: ReadonlyMap<NetworkId, HostingAdapter>,
    accounts: readonly Account[],
  ): readonly (readonly LinkEnd[])[] {
    return this.#options.config.links.flatMap((ends, index) => {
      const parsed: LinkEnd[] = []
      for (const words of ends) {
        const end = linkEnd(words, adapters, accounts)
        if ('wrong' in end) {
          this.#options.log.error({ link: `links.${index}`, detail: end.wrong }, 'link cannot be used')
          return []
        }
        parsed.push(end)
      }
      return [parsed]
    })
  }

  #announce(hub: Hub, account: AccountId, text: RichText): void {
    for (const portal of new Set(hub.portals.legsVia(account).map((found) => found.portal.id)))
      hub.announce(portal, text, account).catch((error: unknown) => {
        this.#options.log.warn({ account, error: String(error) }, 'a notice could not be stored')
      })
  }

  async #step(what: string, ending: Promise<void>): Promise<void> {
    try {
      await ending
    } catch (error) {
      this.#options.log.error({ part: what, error: String(error) }, 'a part did not stop cleanly')
    }
  }
}
