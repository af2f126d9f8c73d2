/**
 * The daemon's parts with fake networks: `retro`, which people sign in to, `matrix`, where they live, `libera`, a relay, and,
 * where the config has it, `home`, a service that keeps accounts.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { AccountAdmin } from '../../adapters/module.ts'
import { type Account, type CommandRequest, SessionFault } from '../../bridge/adapter.ts'
import type { Inbound, Outbound, RosterEntry } from '../../bridge/model/events.ts'
import type { AccountId, ChatId, ChatRef, NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { Fault } from '../../bridge/model/result.ts'
import { textOf } from '../../bridge/model/text.ts'
import { createMetrics } from '../../bridge/ops/metrics.ts'
import { openBox } from '../../bridge/secrets.ts'
import { SqliteStore } from '../../bridge/store/sqlite.ts'
import { compose, type Parts } from '../../compose.ts'
import { configuredPeople, configuredUsers } from '../../config/apply.ts'
import { checkConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import { VirtualClock } from './clock.ts'
import { ableCapabilities, account, FakeAdapter, plainCapabilities } from './fake-adapter.ts'
import { recordingLog, type RecordingLog, recordingMetrics } from './observers.ts'

export const RETRO = 'retro' as NetworkId
export const MATRIX = 'matrix' as NetworkId
export const HOME = 'home' as NetworkId
export const LIBERA = 'libera' as NetworkId

const NETWORKS = `
networks:
  - { id: retro, type: msn, server: "127.0.0.1:1863", passport: { login: "https://127.0.0.1/login" } }
  - { id: matrix, type: matrix, homeserver: "http://127.0.0.1:8008", domain: hs }
  - { id: libera, type: irc, server: "127.0.0.1:6667", tls: false }
`

export interface HouseOptions {
  readonly folder?: string
  /** YAML besides the networks; instead of them when it has some. */
  readonly config?: string
  readonly env?: Readonly<Record<string, string>>
  readonly clock?: VirtualClock
  /** Networks that do not start. */
  readonly broken?: readonly NetworkId[]
}

/** Who signs in with which password; what else happens is thrown. */
export type Accepts = (of: Account, secret: string) => Fault | 'hangs' | undefined

export const wrongPassword: Fault = { code: 'bad-credentials', detail: 'the password is wrong' }
export const unreachable: Fault = { code: 'network', detail: 'login.example refused the connection' }

/** `accounts`: what the test makes of them. */
type FakeService = FakeAdapter & { accounts: AccountAdmin | undefined }

export class House {
  readonly folder: string
  readonly clock: VirtualClock
  readonly log: RecordingLog = recordingLog()
  readonly metrics = recordingMetrics()
  readonly config: Config
  readonly retro = new FakeAdapter({ network: 'retro', capabilities: plainCapabilities })
  readonly matrix = new FakeAdapter({
    network: 'matrix',
    role: 'hosts',
    capabilities: { ...ableCapabilities, idempotent: true },
    ownAccounts: [account('matrix', 'matrix', 'bridge', '@bot:hs')],
    homes: 'on-message',
    shows: true,
  })
  readonly libera = new FakeAdapter({
    network: 'libera',
    capabilities: plainCapabilities,
    ownAccounts: [account('libera', 'libera', 'bridge', 'msnbridge')],
  })
  readonly service: FakeService = Object.assign(
    new FakeAdapter({ network: 'home', role: 'hosts', capabilities: plainCapabilities }),
    { accounts: undefined },
  )
  /** Sign-ins to `retro`, as "bob@x swordfish". */
  readonly signIns: string[] = []
  accepts: Accepts = () => undefined
  readonly #options: HouseOptions
  readonly #store: SqliteStore
  #parts: Parts | undefined

  constructor(options: HouseOptions) {
    this.#options = options
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), 'msn-bridge-house-'))
    this.clock = options.clock ?? new VirtualClock()
    const text = `data: ${this.folder}\n${options.config?.includes('networks:') === true ? '' : NETWORKS}${options.config ?? ''}`
    const loaded = checkConfig(text, { name: 'config.yaml', base: '/nowhere', env: options.env ?? {} })
    if (loaded.kind === 'broken') throw new Error(loaded.problems.join('\n'))
    this.config = loaded.config
    this.#store = new SqliteStore({ file: join(this.folder, 'bridge.db'), clock: this.clock, log: this.log })
    this.retro.connecting = async (of) => {
      const { secret } = of
      this.signIns.push(`${of.login} ${secret}`)
      const fault = this.accepts(of, secret)
      if (fault === 'hangs') await this.clock.sleep(1e9)
      else if (fault !== undefined) throw new SessionFault(fault)
    }
  }

  get parts(): Parts {
    if (this.#parts === undefined) throw new Error('the house has not been started')
    return this.#parts
  }

  async start(): Promise<this> {
    const { config, clock, log, metrics } = this
    const env = this.#options.env ?? {}
    await this.#store.open()
    const { key } = config.secrets
    const box = await openBox(this.folder, key === undefined || !('env' in key) ? undefined : () => env[key.env] ?? '')
    const all: readonly (FakeAdapter | FakeService)[] = [this.retro, this.matrix, this.libera, this.service].filter(
      ({ network }) => config.networks.some(({ id }) => id === String(network)),
    )
    for (const adapter of all)
      if (this.#options.broken?.includes(adapter.network) === true)
        adapter.start = () => Promise.reject(new Error('its port is taken'))
    const adapters = new Map(all.map((adapter) => [adapter.network, adapter]))
    const page = { ...createMetrics(), metrics }
    const data = { store: this.#store, close: () => this.#store.close() }
    const parts = compose({ config, env, version: '1.2.3', clock, log, metrics: page }, data, adapters, {
      box,
      media: undefined,
    })
    this.#parts = parts
    for (const detail of await parts.accounts.start()) log.error({ detail }, 'an account cannot be used')
    parts.hub.identity.configure(configuredUsers(config, adapters).users)
    const fixed = parts.accounts.all().filter(({ id }) => parts.accounts.originOf(id) !== 'signed-in')
    await parts.hub.start({ people: configuredPeople(config, fixed), links: [] })
    await parts.news.start(parts.accounts.all().map(({ id }) => id))
    await parts.ownStatus.start()
    await parts.networks.start()
    await this.clock.advance(1_000)
    return this
  }

  /** Says a line to the bridge as somebody of `matrix`, in their home unless told otherwise. */
  async ask(line: string, more: Partial<CommandRequest> = {}): Promise<readonly string[]> {
    return (await this.reply(line, more)).lines
  }

  async reply(line: string, more: Partial<CommandRequest> = {}) {
    const from = more.from ?? this.user('@alice:hs')
    const { context } = this.adapterOf(from.network)
    if (context === undefined) throw new Error(`${from.network} has not been started`)
    const answer = context.command({
      from,
      fromName: 'Alice',
      via: String(from.network) as AccountId,
      chat: this.home(from.user),
      role: 'user',
      line,
      ...more,
    })
    await this.clock.advance(1_000)
    const { lines, secretNext } = await answer
    return { lines: lines.map(textOf), secretNext }
  }

  /** `login`, and the password when it is asked for. */
  async login(address: string, password = 'swordfish', more: Partial<CommandRequest> = {}): Promise<string> {
    const asked = await this.reply(`login retro ${address}`, more)
    if (asked.secretNext !== true) return asked.lines.join('\n')
    return (await this.ask('', { ...more, secret: password })).join('\n')
  }

  user(user: string, network = MATRIX) {
    return { network, user: user as UserId }
  }

  home(user: string): ChatRef {
    return { network: MATRIX, chat: `home:${user}` as ChatId }
  }

  adapterOf(network: NetworkId): FakeAdapter {
    const found = [this.retro, this.matrix, this.libera].find((adapter) => adapter.network === network)
    if (found === undefined) throw new Error(`no network ${network}`)
    return found
  }

  get accountIds(): readonly string[] {
    return this.parts.accounts
      .all()
      .map(({ id }) => String(id))
      .filter((id) => id.includes('@'))
  }

  /** Until nothing is under way to where people live. */
  async settle(): Promise<void> {
    await this.clock.advance(1_000)
    const isBusy = (): boolean => this.parts.hub.status().lanes.some(({ account: via }) => String(via) === 'matrix')
    for (let turn = 0; turn < 1_000 && isBusy(); turn++) await this.clock.settle()
  }

  /** What the bridge said to somebody where they live. */
  news(user = '@alice:hs'): readonly Extract<Outbound, { kind: 'status' }>[] {
    return this.matrix.ops('status').filter((one) => one.in === `home:${user}`)
  }

  newsText(user?: string): readonly string[] {
    return this.news(user).map(({ text }) => textOf(text))
  }

  async emit(event: Inbound): Promise<void> {
    await this.retro.context?.emit(event)
    await this.parts.friends.settled()
    await this.settle()
  }

  async roster(of: string, ...entries: readonly Partial<RosterEntry & { readonly address: string }>[]): Promise<void> {
    const contacts = entries.map(({ address = '', ...more }) => ({
      user: this.user(address, RETRO),
      name: '',
      listed: true,
      blocked: false,
      hasUs: true,
      ...more,
    }))
    await this.emit({ kind: 'roster', account: of as AccountId, contacts })
  }

  /** The session of an account of `retro` is lost. */
  async lose(id: string, fault: Fault): Promise<void> {
    const needsPerson = fault.code !== 'network' && fault.code !== 'protocol' && fault.code !== 'shutdown'
    const state = needsPerson
      ? ({ kind: 'stopped', fault } as const)
      : ({ kind: 'waiting', until: this.clock.now(), fault } as const)
    const session = this.retro.sessions.get(id as AccountId)
    if (session !== undefined) session.state = state
    this.retro.context?.sessionChanged(id as AccountId, state)
    await this.clock.advance(1_000)
  }

  /** Everything that lies in the data folder. */
  get files(): string {
    return readdirSync(this.folder)
      .map((name) => readFileSync(join(this.folder, name), 'latin1'))
      .join('\n')
  }

  async stop(): Promise<void> {
    const parts = this.#parts
    this.#parts = undefined
    if (parts === undefined) return
    const steps = [parts.outage, parts.news, parts.ownStatus, parts.hub, parts.supervisor, parts.networks]
    for (const step of steps) {
      const stopping = step.stop()
      await this.clock.advance(60_000)
      await stopping
    }
    await this.#store.close()
  }

  async dispose(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Starts houses for the tests of one file; each is disposed of after its test. */
export const startsHouses = (): ((options?: HouseOptions) => Promise<House>) => {
  const houses: House[] = []
  afterEach(async () => {
    for (const house of houses.splice(0)) await house.dispose()
  })
  return (options = {}) => {
    const house = new House(options)
    houses.push(house)
    return house.start()
  }
}
