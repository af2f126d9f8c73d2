/** The core with fake networks on a real database in a temporary folder. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { Account } from '../../bridge/adapter.ts'
import { Hub, type HubDeps, type HubLimits } from '../../bridge/hub.ts'
import type { MessageBody } from '../../bridge/model/body.ts'
import type { MessageEvent } from '../../bridge/model/events.ts'
import type {
  AccountId,
  ChatId,
  ChatRef,
  MessageId,
  NetworkId,
  PersonId,
  UserId,
  UserRef,
} from '../../bridge/model/ids.ts'
import { plain } from '../../bridge/model/text.ts'
import type { LinkEnd } from '../../bridge/portals.ts'
import type { Store } from '../../bridge/store/port.ts'
import { SqliteStore } from '../../bridge/store/sqlite.ts'
import { VirtualClock } from './clock.ts'
import { account, ableCapabilities, FakeAdapter, type FakeOptions, plainCapabilities } from './fake-adapter.ts'
import { recordingLog, type RecordingLog, recordingMetrics } from './observers.ts'

export interface CoreOptions {
  readonly msn?: Partial<FakeOptions>
  readonly irc?: Partial<FakeOptions>
  /** A third network, where alice lives. */
  readonly matrix?: Partial<FakeOptions>
  /** Accounts besides `relay` and the bots. */
  readonly more?: readonly Account[]
  /** What else the hub is given. */
  readonly hub?: Partial<Pick<HubDeps, 'linkOf' | 'ownPresence'>>
  readonly links?: readonly (readonly LinkEnd[])[]
  readonly limits?: Partial<HubLimits>
  readonly patience?: (account: AccountId) => number | undefined
  readonly folder?: string
  readonly clock?: VirtualClock
  readonly people?: readonly string[]
  readonly wrap?: (store: Store) => Store
  /** Sessions are online when the hub starts. */
  readonly offline?: boolean
  /** A session does not exist before it is online: its network has not started. */
  readonly lateSessions?: boolean
  /** The id of an account that the config has no more. */
  readonly without?: string
  readonly file?: Partial<ConstructorParameters<typeof SqliteStore>[0]>
}

export const relay = account('relay', 'msn', 'alice', 'relay@home.example')
export const bot = account('bot', 'irc', 'bridge', 'msnbridge')
export const host = account('host', 'matrix', 'bridge', '@bot:hs')
/** Who alice is on the third network. */
export const alice: UserRef = { network: 'matrix' as NetworkId, user: '@alice:hs' as UserId }

export const contact = (user: string): LinkEnd => ({
  kind: 'contact',
  network: 'msn' as NetworkId,
  account: relay.id,
  user: user as UserId,
})
export const group = (...members: readonly string[]): LinkEnd => ({
  kind: 'group',
  network: 'msn' as NetworkId,
  account: relay.id,
  members: members as readonly UserId[],
})
export const lobby: LinkEnd = { kind: 'lobby', network: 'msn' as NetworkId, account: relay.id }
export const channel = (name: string): LinkEnd => ({
  kind: 'channel',
  network: 'irc' as NetworkId,
  account: bot.id,
  chat: name as ChatId,
})

export const msnChat = (user: string): ChatRef => ({
  network: 'msn' as NetworkId,
  chat: `dm:${user}` as ChatId,
  account: relay.id,
})
export const room = (name: string): ChatRef => ({ network: 'matrix' as NetworkId, chat: name as ChatId })
export const ircChat = (name: string): ChatRef => ({ network: 'irc' as NetworkId, chat: name as ChatId })

let native = 0

/** A message in a chat; each call has an id of its own unless one is given. */
export const message = (
  chat: ChatRef,
  sender: string,
  said: string | MessageBody,
  more: Partial<MessageEvent> = {},
): MessageEvent => ({
  kind: 'message',
  chat,
  sender: { network: chat.network, user: sender as UserId },
  id: `native-${++native}` as MessageId,
  at: 0,
  body: typeof said === 'string' ? { kind: 'text', text: plain(said) } : said,
  ...more,
})

export class Core {
  readonly folder: string
  readonly clock: VirtualClock
  readonly store: Store
  readonly hub: Hub
  readonly msn: FakeAdapter
  readonly irc: FakeAdapter
  readonly matrix: FakeAdapter
  readonly log: RecordingLog
  readonly metrics: ReturnType<typeof recordingMetrics>
  readonly accounts: readonly Account[]
  readonly #options: CoreOptions
  readonly #sqlite: SqliteStore

  constructor(options: CoreOptions = {}) {
    this.#options = options
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), 'msn-bridge-core-'))
    this.clock = options.clock ?? new VirtualClock()
    this.log = recordingLog()
    this.metrics = recordingMetrics()
    this.#sqlite = new SqliteStore({
      file: join(this.folder, 'bridge.db'),
      clock: this.clock,
      log: this.log,
      ...options.file,
    })
    this.store = options.wrap?.(this.#sqlite) ?? this.#sqlite
    this.msn = new FakeAdapter({ network: 'msn', capabilities: plainCapabilities, ...options.msn })
    this.irc = new FakeAdapter({
      network: 'irc',
      capabilities: { ...plainCapabilities, ops: { ...plainCapabilities.ops, delivery: 'text' } },
      ownAccounts: [bot],
      ...options.irc,
    })
    this.matrix = new FakeAdapter({
      network: 'matrix',
      capabilities: { ...ableCapabilities, idempotent: true },
      ownAccounts: [host],
      homes: 'on-message',
      ...options.matrix,
    })
    const all = options.matrix === undefined ? [this.msn, this.irc] : [this.msn, this.irc, this.matrix]
    const adapters = new Map(all.map((adapter) => [adapter.network, adapter]))
    this.accounts = [relay, bot, host, ...(options.more ?? [])].filter(
      ({ id, network }) => id !== options.without && adapters.has(network),
    )
    const { accounts } = this
    const sessionOf = (id: AccountId) => {
      const found = accounts.find((one) => one.id === id)
      if (found === undefined) return undefined
      const session = adapters.get(found.network)?.session(found)
      return options.lateSessions === true && session?.state.kind === 'offline' ? undefined : session
    }
    this.hub = new Hub({
      store: this.store,
      clock: this.clock,
      log: this.log,
      metrics: this.metrics,
      adapters,
      sessionOf,
      accounts: () => accounts,
      ...options.hub,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.patience === undefined ? {} : { patience: options.patience }),
    })
  }

  async start(): Promise<this> {
    await this.store.open()
    if (this.#options.offline !== true) for (const one of this.accounts) this.sessionFor(one).state = online
    await this.hub.start({
      people: (this.#options.people ?? ['alice', 'bridge']).map((id) => ({ id: id as PersonId, name: id })),
      links: this.#options.links ?? [[contact('bob@x'), channel('#bob')]],
    })
    if (this.#options.matrix !== undefined) await this.hub.identity.link(alice, relay.person)
    await this.settle()
    return this
  }

  sessionFor(of: Account) {
    const adapter = [this.msn, this.irc, this.matrix].find(({ network }) => network === of.network)
    return (adapter ?? this.msn).session(of)
  }

  async goOnline(of: Account): Promise<void> {
    this.sessionFor(of).state = online
    this.hub.sessionChanged(of.id, online)
    await this.settle()
  }

  async goOffline(of: Account): Promise<void> {
    const state = { kind: 'offline' } as const
    this.sessionFor(of).state = state
    this.hub.sessionChanged(of.id, state)
    await this.settle()
  }

  /** All that can happen without time passing has happened. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) await this.clock.settle()
  }

  /** In order, then everything that follows from it. */
  async say(...events: readonly MessageEvent[]): Promise<void> {
    await Promise.all(events.map((event) => this.hub.accept(event)))
    await this.settle()
  }

  /** As a crash leaves it: nothing is finished, nothing is marked. */
  async crash(): Promise<void> {
    await this.#sqlite.close()
    void this.hub.stop().catch(() => undefined)
  }

  async stop(): Promise<void> {
    const stopping = this.hub.stop()
    await this.clock.advance(60_000)
    await stopping
    await this.store.close()
  }

  async dispose(): Promise<void> {
    await this.stop().catch(() => undefined)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const online = { kind: 'online', since: 0 } as const

export { ableCapabilities, plainCapabilities }

/** Starts cores for the tests of one file; each is disposed of after its test. */
export const startsCores = (): ((options?: CoreOptions) => Promise<Core>) => {
  const cores: Core[] = []
  afterEach(async () => {
    for (const core of cores.splice(0)) await core.dispose()
  })
  return (options = {}) => {
    const core = new Core(options)
    cores.push(core)
    return core.start()
  }
}
