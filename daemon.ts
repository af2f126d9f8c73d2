/** The daemon from start to stop. What is started first is stopped last. */
import type { AccountAdmin, HostingAdapter } from './adapters/module.ts'
import { createAdapter } from './adapters/registry.ts'
import type { Account } from './bridge/adapter.ts'
import { openDataFolder } from './bridge/data-folder.ts'
import type { Identity } from './bridge/identity.ts'
import { linkEnd } from './bridge/link.ts'
import type { AccountId, NetworkId } from './bridge/model/ids.ts'
import { mediaKey } from './bridge/media/links.ts'
import { AdminPage } from './bridge/ops/admin.ts'
import type { Report } from './bridge/ops/report.ts'
import type { LinkEnd } from './bridge/portals.ts'
import { openBox } from './bridge/secrets.ts'
import { buildReport } from './bridge/status-report.ts'
import { compose, type DaemonOptions, type Parts } from './compose.ts'
import { configuredPeople, configuredUsers, secretKey, secretReader } from './config/apply.ts'
import { servesFiles } from './config/cross-checks.ts'
import { configuredPictures } from './config/pictures.ts'
import { trustingOurselves } from './config/own-service.ts'

/** A port of ours that is taken is asked for again after so long. */
const LISTEN_RETRY_MS = 2_000

interface Listener {
  /** Resolves with its port; rejects with a sentence when that cannot be had. */
  start(): Promise<number>
}

/** Why the daemon cannot start: one sentence with the remedy. */
export class StartRefused extends Error {}

export class Daemon {
  readonly #options: DaemonOptions
  readonly #startedAt: number
  readonly #admin: AdminPage
  /** Networks whose adapter could not be made, and why. */
  readonly #unmade = new Map<NetworkId, string>()
  #adminPort: number | undefined
  readonly #stopping = new AbortController()
  readonly #opening: Promise<void>[] = []
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
    const { config, env, log, clock } = this.#options
    const data = await openDataFolder(config.data, clock, log)
    try {
      const adapters = await this.#makeAdapters()
      const box = await openBox(config.data, secretKey(config, env))
      if (box.trouble !== undefined) log.error({ detail: box.trouble }, 'no passwords can be stored')
      this.#parts = compose(this.#options, data, adapters, { box, media: this.#mediaKey() })
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
      await this.#step('account news', parts.news.stop())
      await this.#step('friend requests', parts.friends.settled())
      await this.#step('own status', parts.ownStatus.stop())
      await this.#step('hub', parts.hub.stop())
      await this.#step('sessions', parts.supervisor.stop())
      await this.#step('networks', parts.networks.stop())
      await this.#step('files', parts.blobs.stop())
      await this.#step('data folder', parts.data.close())
    }
    this.#stopping.abort()
    await Promise.all(this.#opening)
    if (parts?.media !== undefined) await this.#step('links to files', parts.media.stop())
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

  /** Tries an account, or those of a network, now. Answers which had been waiting or disconnected. */
  async reconnect(name: string): Promise<readonly AccountId[]> {
    const tried: AccountId[] = []
    for (const account of this.#parts?.accounts.all() ?? []) {
      const isMeant = String(account.id) === name || String(account.network) === name
      if (isMeant && (await this.#parts?.logins.reconnect(account)) === true) tried.push(account.id)
    }
    return tried
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

  async #startParts(parts: Parts): Promise<void> {
    const { hub, networks, accounts, adapters, media, blobs, news, ownStatus, ownPictures } = parts
    const { config, log } = this.#options
    // Without them everything else works.
    await blobs.start().catch((error: unknown) => log.error({ detail: String(error) }, 'no files can be kept'))
    for (const detail of await accounts.start()) log.error({ detail }, 'an account cannot be used')
    const { users, problems } = configuredUsers(config, adapters)
    for (const detail of problems) log.error({ detail }, 'a user of a person cannot be used')
    hub.identity.configure(users)
    const all = accounts.all()
    const people = configuredPeople(
      config,
      all.filter(({ id }) => accounts.originOf(id) !== 'signed-in'),
    )
    await hub.start({ people, links: this.#links(adapters, all) })
    await news.start(all.map(({ id }) => id))
    await ownStatus.start()
    const pictures = await configuredPictures(config, (account, detail) =>
      log.error({ account, detail }, 'a picture of the config cannot be read'),
    )
    await ownPictures.start(pictures)
    await this.#open(
      this.#admin,
      (port) => {
        this.#adminPort = port
        log.info({ port }, 'the admin page is open')
      },
      (detail) => log.error({ detail }, 'no admin page, will try again'),
    )
    if (media !== undefined)
      await this.#open(
        media,
        (port) => log.info({ port }, 'links to files are open'),
        (detail) => log.error({ detail }, 'no links to files, will try again'),
      )
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

  /** A port that is taken keeps nothing else down: it is asked for until it is free. */
  async #open(listener: Listener, opened: (port: number) => void, failed: (detail: string) => void): Promise<void> {
    try {
      opened(await listener.start())
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error))
      this.#opening.push(this.#openLater(listener, opened))
    }
  }

  async #openLater(listener: Listener, opened: (port: number) => void): Promise<void> {
    const { signal } = this.#stopping
    for (;;) {
      await this.#options.clock.sleep(LISTEN_RETRY_MS, signal)
      if (signal.aborted) return
      const port = await listener.start().catch(() => undefined)
      if (port === undefined) continue
      opened(port)
      return
    }
  }

  /** `undefined`: there is nothing to sign links for, or nothing to sign them with. */
  #mediaKey(): string | undefined {
    const { config, log } = this.#options
    if (!servesFiles(config)) return undefined
    try {
      return mediaKey(config.data)
    } catch (error) {
      log.error({ detail: String(error) }, 'no links to files can be made')
      return undefined
    }
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

  async #step(what: string, ending: Promise<void>): Promise<void> {
    try {
      await ending
    } catch (error) {
      this.#options.log.error({ part: what, error: String(error) }, 'a part did not stop cleanly')
    }
  }
}
