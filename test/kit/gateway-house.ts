/** The daemon's parts in this process: the real core and the real gateway on a real socket and a real store, and MSN as a test tells it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { IrcGatewayAdapter } from '../../adapters/irc-gateway/index.ts'
import { ircGatewayConfig } from '../../adapters/irc-gateway/config.ts'
import { capabilities } from '../../adapters/msn/capabilities.ts'
import type { HostingAdapter } from '../../adapters/module.ts'
import type { Account, AdapterContext, Delivery, RosterRequest } from '../../bridge/adapter.ts'
import { systemClock } from '../../bridge/clock.ts'
import type { MessageBody } from '../../bridge/model/body.ts'
import type { Inbound, Membership, Outbound, RosterChange } from '../../bridge/model/events.ts'
import type { AccountId, ChatId, ChatRef, MessageId, NetworkId, UserId, UserRef } from '../../bridge/model/ids.ts'
import type { Availability, PresenceState } from '../../bridge/model/presence.ts'
import type { DeliveryResult } from '../../bridge/model/result.ts'
import { textOf } from '../../bridge/model/text.ts'
import { createMetrics } from '../../bridge/ops/metrics.ts'
import { hashPassword } from '../../bridge/passwords.ts'
import { openBox } from '../../bridge/secrets.ts'
import { SqliteStore } from '../../bridge/store/sqlite.ts'
import { compose, type Parts } from '../../compose.ts'
import { checkConfig } from '../../config/load.ts'
import { FakeAdapter } from './fake-adapter.ts'
import { recordingLog, recordingMetrics } from './observers.ts'
import { Watch } from './watch.ts'

export const RETRO = 'retro' as NetworkId
export const GATEWAY = 'irc' as NetworkId
export const DOMAIN = 'example.com'
export const PASSWORD = 'swordfish'
export const CONTROL = '&bitlbee'

/** What the tests are about costs nothing here. */
const CHEAP = { N: 16, r: 1, p: 1 }
/** Turns of the event loop without anything under way. */
const QUIET_TURNS = 25

/** How a contact is, on the list of everybody here. */
export interface ListedContact {
  readonly name: string
  readonly presence: PresenceState
  readonly listed: boolean
  readonly blocked: boolean
  readonly groups: readonly string[]
}

export interface GatewayHouseOptions {
  /** Flow YAML added to the gateway: "offline_as: hidden". */
  readonly gateway?: string
  /** Who lives there, each with an account on MSN that is signed in. */
  readonly people?: readonly string[]
  /** By local part. */
  readonly contacts?: ReadonlyMap<string, ListedContact>
}

export const address = (name: string): UserId => `${name}@${DOMAIN}` as UserId
export const accountOf = (name: string): AccountId => `retro:${address(name)}` as AccountId
const localPart = (user: string): string => user.split('@')[0] ?? user
const capitalized = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1)

export const contactAs = (name: string, more: Partial<ListedContact> = {}): ListedContact => ({
  name: capitalized(name),
  presence: { show: 'online' },
  listed: true,
  blocked: false,
  groups: [],
  ...more,
})

export class GatewayHouse {
  readonly folder = mkdtempSync(join(tmpdir(), 'msn-bridge-gateway-'))
  readonly log = recordingLog()
  readonly contacts: Map<string, ListedContact>
  /** What reached MSN, in order: "bob: hi", "bob,carol: invites dave", "is BSY fixing bugs", "adds dave". */
  readonly heard: string[] = []
  /** Accounts that cannot sign in, with the words of why. */
  readonly refusesSignIn = new Map<string, string>()
  /** What becomes of the next message. */
  next: DeliveryResult | undefined
  readonly #options: GatewayHouseOptions
  readonly #watch = new Watch()
  #run: Run | undefined
  #minted = 0

  private constructor(options: GatewayHouseOptions) {
    this.#options = options
    this.contacts = new Map(options.contacts)
  }

  static async start(options: GatewayHouseOptions = {}): Promise<GatewayHouse> {
    const house = new GatewayHouse(options)
    try {
      await house.open()
      for (const name of options.people ?? []) await house.signIn(name)
    } catch (error) {
      await house.dispose()
      throw error
    }
    return house
  }

  get port(): number {
    const [line = ''] = this.#running.gateway.describe()
    const port = /on [^ ]+:(\d+)/.exec(line)?.[1]
    if (port === undefined) throw new Error(`the gateway does not run: ${line}`)
    return Number(port)
  }

  get parts(): Parts {
    return this.#running.parts
  }

  /** Starts the daemon, on what it has kept. */
  async open(): Promise<void> {
    const { log, folder } = this
    const text = `
data: ${folder}
networks:
  - { id: retro, type: msn, server: "127.0.0.1:1863", passport: { login: "https://127.0.0.1/login" }, timing: { backoff_ms: [100] } }
  - { id: irc, type: irc-gateway, listen: "127.0.0.1:0"${this.#options.gateway === undefined ? '' : `, ${this.#options.gateway}`} }
`
    const loaded = checkConfig(text, { name: 'config.yaml', base: folder, env: {} })
    if (loaded.kind === 'broken') throw new Error(loaded.problems.join('\n'))
    const { config } = loaded
    const found = config.networks.find(({ id }) => id === String(GATEWAY))
    const retro: FakeAdapter = new FakeAdapter({
      network: RETRO,
      capabilities: { ...capabilities, pipeline: 1 },
      open: (request, of) => {
        if (request.kind === 'group') this.#hears(`opens ${[...request.members].sort().map(localPart).join(',')}`)
        return Promise.resolve({ kind: 'opened', chat: retro.chat(request, of) })
      },
    })
    retro.connecting = (of) => this.#connecting(of, retro)
    retro.behave = (delivery) => this.#delivered(delivery, retro)
    retro.askedRoster = (request, of) => this.#asked(request, of, retro)
    const gateway = new CapturedGateway({
      network: GATEWAY,
      config: ircGatewayConfig.parse({ ...found, listen: '127.0.0.1:0' }),
      dataFolder: folder,
      secret: () => '',
    })
    const adapters = new Map<NetworkId, HostingAdapter>([
      [RETRO, retro],
      [GATEWAY, gateway],
    ])
    const store = new SqliteStore({ file: join(folder, 'bridge.db'), clock: systemClock, log })
    await store.open()
    const state = store.adapterState(GATEWAY)
    for (const name of this.#options.people ?? []) {
      if ((await state.get(`user/${name}`)) !== undefined) continue
      const hash = await hashPassword(PASSWORD, CHEAP)
      await state.update([[`user/${name}`, JSON.stringify({ hash, setAt: 0 })]])
    }
    const parts = compose(
      {
        config,
        env: {},
        version: '1.2.3',
        clock: systemClock,
        log,
        metrics: { ...createMetrics(), metrics: recordingMetrics() },
      },
      { store, close: () => store.close() },
      adapters,
      { box: await openBox(folder, undefined), media: undefined },
    )
    this.#run = { parts, retro, gateway, store }
    for (const detail of await parts.accounts.start()) log.error({ detail }, 'an account cannot be used')
    await parts.hub.start({ people: [], links: [] })
    await parts.news.start(parts.accounts.all().map(({ id }) => id))
    await parts.ownStatus.start()
    await parts.networks.start()
    await this.until(() => parts.accounts.all().every(({ id }) => this.parts.supervisor.stateOf(id)?.kind === 'online'))
    await this.settle()
  }

  /** An account on MSN for somebody of the gateway, as if they had said so to root. */
  async signIn(name: string): Promise<void> {
    const { context } = this.#running.gateway
    if (context === undefined) throw new Error('the gateway does not run')
    const request = {
      from: { network: GATEWAY, user: name as UserId },
      fromName: name,
      via: String(GATEWAY) as AccountId,
      role: 'user',
    } as const
    await context.command({ ...request, line: `login retro ${address(name)}` })
    await context.command({ ...request, line: '', secret: PASSWORD })
    await this.until(() => this.parts.supervisor.stateOf(accountOf(name))?.kind === 'online')
    await this.settle()
  }

  async restart(): Promise<void> {
    await this.close()
    await this.open()
  }

  async close(): Promise<void> {
    const run = this.#run
    this.#run = undefined
    if (run === undefined) return
    const { outage, news, ownStatus, hub, supervisor, networks } = run.parts
    for (const step of [outage, news, ownStatus, hub, supervisor, networks]) await step.stop()
    await run.store.close()
  }

  async dispose(): Promise<void> {
    await this.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Everything that can go on by itself has done so. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS;) {
      await nextTurn()
      const busy = this.#run?.parts.hub.status().lanes.some(({ depth }) => depth > 0) === true
      quiet = busy ? 0 : quiet + 1
    }
  }

  /** Asked again in each turn of the event loop. The test's own time limit is the deadline. */
  async until(ask: () => boolean): Promise<void> {
    while (!ask()) await nextTurn()
  }

  /** Resolves with the first defined answer, asked again whenever MSN hears something. */
  untilHeard<Result>(ask: () => Result | undefined): Promise<Result> {
    return this.#watch.until(ask)
  }

  // What happens on MSN

  async shows(name: string, show: Availability, text = ''): Promise<void> {
    const presence: PresenceState = { show, ...(text === '' ? {} : { text }) }
    this.contacts.set(name, { ...(this.contacts.get(name) ?? contactAs(name)), presence })
    await this.#toAll((account) => ({ kind: 'presence', account, user: this.#user(name), state: presence }))
  }

  async isCalled(name: string, words: string): Promise<void> {
    this.contacts.set(name, { ...(this.contacts.get(name) ?? contactAs(name)), name: words })
    await this.#toAll((account) => ({ kind: 'profile', account, user: this.#user(name), name: words }))
  }

  async changes(name: string, change: RosterChange): Promise<void> {
    await this.#toAll((account) => ({
      kind: 'contact',
      account,
      user: this.#user(name),
      change,
      name: capitalized(name),
    }))
  }

  /** `with`: one, or those of a group. */
  async says(members: readonly string[], name: string, body: MessageBody, of: string, own = false): Promise<void> {
    await this.#emit({
      kind: 'message',
      ...this.#in(members, own ? of : name, of),
      id: `msn-${++this.#minted}` as MessageId,
      at: systemClock.now(),
      body,
      ...(own ? { own: true } : {}),
    })
  }

  async types(members: readonly string[], name: string, of: string): Promise<void> {
    await this.#emit({ kind: 'typing', ...this.#in(members, name, of), forMs: 6_000 })
  }

  async member(members: readonly string[], name: string, change: Membership, of: string): Promise<void> {
    await this.#emit({
      kind: 'member',
      ...this.#in(members, name, of),
      id: `msn-${++this.#minted}` as MessageId,
      at: systemClock.now(),
      user: this.#user(name),
      userName: capitalized(name),
      change,
    })
  }

  /** The connection of an account is lost, and comes back. */
  lose(of: string): void {
    const id = accountOf(of)
    const state = {
      kind: 'waiting',
      until: systemClock.now(),
      fault: { code: 'network', detail: 'the server closed the connection' },
    } as const
    const session = this.#running.retro.sessions.get(id)
    if (session !== undefined) session.state = state
    this.#running.retro.context?.sessionChanged(id, state)
  }

  get #running(): Run {
    if (this.#run === undefined) throw new Error('the house is not open')
    return this.#run
  }

  #user(name: string): UserRef {
    return { network: RETRO, user: address(name) }
  }

  #chat(members: readonly string[], of: string): ChatRef {
    const ids = members.map((name) => address(name)).sort()
    const { retro } = this.#running
    const [only = '' as UserId, ...others] = ids
    const chat = (others.length === 0 ? `dm:${only}` : `group:${ids.join('+')}`) as ChatId
    if (others.length > 0) retro.sessions.get(accountOf(of))?.people.set(chat, ids)
    return { network: RETRO, chat, account: accountOf(of) }
  }

  #in(members: readonly string[], name: string, of: string) {
    return { chat: this.#chat(members, of), sender: this.#user(name), senderName: capitalized(name) }
  }

  async #emit(event: Inbound): Promise<void> {
    await this.#running.retro.context?.emit(event)
  }

  async #toAll(make: (account: AccountId) => Inbound): Promise<void> {
    for (const id of this.#running.retro.sessions.keys()) await this.#emit(make(id))
  }

  async #connecting(of: Account, retro: FakeAdapter): Promise<void> {
    const wrong = this.refusesSignIn.get(localPart(of.login))
    this.#hears(`signs in as ${localPart(of.login)} with ${of.secret}`)
    if (wrong !== undefined) throw new Error(wrong)
    setImmediate(() => void this.#tellList(of.id, retro))
  }

  async #tellList(account: AccountId, retro: FakeAdapter): Promise<void> {
    const contacts = [...this.contacts].map(([name, { name: words, listed, blocked, groups }]) => ({
      user: this.#user(name),
      name: words,
      listed,
      blocked,
      hasUs: true,
      groups,
    }))
    await retro.context?.emit({ kind: 'roster', account, contacts })
    for (const [name, { presence, listed }] of this.contacts)
      if (listed && presence.show !== 'offline')
        await retro.context?.emit({ kind: 'presence', account, user: this.#user(name), state: presence })
  }

  async #delivered({ chat, op }: Delivery, retro: FakeAdapter): Promise<DeliveryResult> {
    const words = wordsOf(op)
    const place = chat === undefined ? '' : `${chatWords(chat.chat)}: `
    if (words !== undefined) this.#hears(place + words)
    const result = op.kind === 'message' ? this.next : undefined
    if (result !== undefined) this.next = undefined
    return result ?? retro.done()
  }

  async #asked(request: RosterRequest, account: AccountId, retro: FakeAdapter) {
    if (request.kind === 'rename') {
      this.#hears(`is called ${request.name}`)
      return { kind: 'done' } as const
    }
    if (request.kind === 'picture') return { kind: 'done' } as const
    if (request.kind !== 'add' && request.kind !== 'remove' && request.kind !== 'block' && request.kind !== 'unblock') {
      const { kind: what, ...more } = request
      this.#hears([what, ...Object.values(more)].join(' '))
      return { kind: 'done' } as const
    }
    const { kind, user } = request
    this.#hears(`${kind}s ${localPart(user)}`)
    const change = CHANGES[kind]
    const name = localPart(user)
    const before = this.contacts.get(name) ?? contactAs(name, { presence: { show: 'offline' }, listed: false })
    if (kind === 'add' || kind === 'remove') this.contacts.set(name, { ...before, listed: kind === 'add' })
    else this.contacts.set(name, { ...before, blocked: kind === 'block' })
    await retro.context?.emit({ kind: 'contact', account, user: { network: RETRO, user }, change })
    return { kind: 'done' } as const
  }

  #hears(line: string): void {
    this.heard.push(line)
    this.#watch.changed()
  }
}

interface Run {
  readonly parts: Parts
  readonly retro: FakeAdapter
  readonly gateway: CapturedGateway
  readonly store: SqliteStore
}

class CapturedGateway extends IrcGatewayAdapter {
  context: AdapterContext | undefined

  override start(context: AdapterContext): Promise<void> {
    this.context = context
    return super.start(context)
  }
}

const CHANGES = { add: 'added', remove: 'removed', block: 'blocked', unblock: 'unblocked' } as const

/** "bob", "bob,carol" */
const chatWords = (chat: string): string =>
  chat
    .replace(/^(dm|group):/, '')
    .split('+')
    .map(localPart)
    .join(',')

const wordsOf = (op: Outbound): string | undefined => {
  switch (op.kind) {
    case 'message': {
      const { body } = op
      if (body.kind === 'nudge') return '(nudge)'
      const text = textOf(body.text)
      return body.kind === 'action' ? `* ${text}` : body.kind === 'notice' ? `(notice) ${text}` : text
    }
    case 'member':
      return op.change === 'leave' ? 'leaves' : `${op.change}s ${localPart(op.user.user)}`
    case 'typing':
      return op.forMs > 0 ? 'types' : 'types no more'
    case 'presence':
      return `is ${STATUS[op.state.show]}${op.state.text === undefined ? '' : ` ${op.state.text}`}`
    case 'status':
      return `(bridge) ${textOf(op.text)}`
    case 'topic':
      return `topic ${op.topic}`
    case 'profile':
      return `is called ${op.name}`
    case 'edit':
    case 'redact':
    case 'reaction':
    case 'read':
    case 'company':
    case 'title':
    case 'delivery':
      return undefined
  }
}

const STATUS: Readonly<Record<Availability, string>> = {
  online: 'NLN',
  idle: 'IDL',
  away: 'AWY',
  brb: 'BRB',
  busy: 'BSY',
  phone: 'PHN',
  lunch: 'LUN',
  hidden: 'HDN',
  offline: 'FLN',
}

/** "AWY" -> away */
export const availabilityOf = (status: string): Availability => {
  const found = Object.entries(STATUS).find(([, code]) => code === status)?.[0]
  if (found === undefined) throw new Error(`${status} is no status of MSN`)
  return found as Availability
}
