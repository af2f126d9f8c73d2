/** A network that lives in memory, and does what a test tells it. */
import type {
  Account,
  Adapter,
  AdapterContext,
  ChatRequest,
  Delivery,
  HomePolicy,
  PeopleNews,
  RosterRequest,
  Session,
} from '../../bridge/adapter.ts'
import type { Capabilities } from '../../bridge/model/capabilities.ts'
import type { Outbound } from '../../bridge/model/events.ts'
import type { AccountId, ChatId, ChatRef, MessageId, NetworkId, PersonId, UserId } from '../../bridge/model/ids.ts'
import type { DeliveryResult, OpenResult, RosterResult, SessionState } from '../../bridge/model/result.ts'
import { plain, textOf } from '../../bridge/model/text.ts'

/** A network that can do everything. */
export const ableCapabilities: Capabilities = {
  ops: {
    message: 'native',
    edit: 'native',
    redact: 'native',
    reaction: 'native',
    member: 'native',
    topic: 'native',
    typing: 'native',
    read: 'native',
    company: 'native',
    presence: 'native',
    profile: 'native',
    title: 'native',
    delivery: 'native',
    status: 'native',
  },
  bodies: { text: 'native', action: 'native', notice: 'native', nudge: 'native', file: 'native' },
  puppets: 'native',
  replies: 'native',
  idempotent: false,
  pipeline: 1,
}

/** A network of lines of text, where one account speaks for all. */
export const plainCapabilities: Capabilities = {
  ops: {
    message: 'native',
    edit: 'text',
    redact: 'text',
    reaction: 'text',
    member: 'dropped',
    topic: 'text',
    typing: 'dropped',
    read: 'dropped',
    company: 'emulated',
    presence: 'emulated',
    profile: 'dropped',
    title: 'dropped',
    delivery: 'text',
    status: 'native',
  },
  bodies: { text: 'native', action: 'native', notice: 'native', nudge: 'text', file: 'text' },
  puppets: 'prefix',
  replies: 'lines',
  idempotent: false,
  pipeline: 1,
}

/** What a test sees of a delivery: "bob@x <- hello". */
export interface Delivered {
  readonly account: AccountId
  readonly delivery: Delivery
}

export interface FakeOptions {
  readonly network: string
  readonly role?: Adapter['role']
  readonly capabilities?: Capabilities
  /** Longer texts are split at this many characters. */
  readonly longest?: number
  readonly ownAccounts?: readonly Account[]
  /** What becomes of a delivery; delivered with a fresh id unless given. */
  readonly deliver?: (delivery: Delivery, account: AccountId, signal: AbortSignal) => Promise<DeliveryResult>
  readonly open?: (request: ChatRequest, account: AccountId) => Promise<OpenResult>
  /** People live here. */
  readonly homes?: HomePolicy
  /** Their contact lists are shown to them here. */
  readonly shows?: true
}

export const account = (id: string, network: string, person: string, login = id): Account => ({
  id: id as AccountId,
  network: network as NetworkId,
  person: person as PersonId,
  login,
  secret: '',
})

export class FakeAdapter implements Adapter {
  readonly network: NetworkId
  readonly role: Adapter['role']
  readonly homes?: HomePolicy
  readonly peopleChanged?: (news: PeopleNews) => void
  /** What it was told of those who live here. */
  readonly told: PeopleNews[] = []
  readonly sessions = new Map<AccountId, FakeSession>()
  /** Everything that was delivered, of all kinds, in the order of the calls. */
  readonly delivered: Delivered[] = []
  readonly #options: FakeOptions
  context: AdapterContext | undefined
  behave: NonNullable<FakeOptions['deliver']>
  /** What a sign-in does; nothing unless given. */
  connecting: (of: Account) => Promise<void> = () => Promise.resolve()
  /** What becomes of a roster request; by default names are refused, and all else is done. */
  askedRoster: ((request: RosterRequest, of: AccountId) => Promise<RosterResult>) | undefined
  /** Native ids given out so far. */
  minted = 0

  constructor(options: FakeOptions) {
    this.network = options.network as NetworkId
    this.role = options.role ?? 'joins'
    if (options.homes !== undefined) this.homes = options.homes
    if (options.shows === true) this.peopleChanged = (news) => void this.told.push(news)
    this.#options = options
    this.behave = options.deliver ?? (() => Promise.resolve(this.done()))
  }

  async start(context: AdapterContext): Promise<void> {
    this.context = context
  }

  async stop(): Promise<void> {
    for (const session of this.sessions.values()) await session.close()
  }

  session(of: Account): FakeSession {
    const known = this.sessions.get(of.id) ?? new FakeSession(this, of)
    this.sessions.set(of.id, known)
    return known
  }

  ownAccounts(): readonly Account[] {
    return this.#options.ownAccounts ?? []
  }

  parseChat(name: string): ChatId | { readonly wrong: string } {
    return /\s/.test(name) ? { wrong: `${name} is no chat: it has a blank in it` } : (name.toLowerCase() as ChatId)
  }

  parseUser(name: string): UserId | { readonly wrong: string } {
    return /\s/.test(name) ? { wrong: `${name} is no user: it has a blank in it` } : (name.toLowerCase() as UserId)
  }

  describe(): readonly string[] {
    return [`fake network ${this.network}`]
  }

  get capabilities(): Capabilities {
    return this.#options.capabilities ?? ableCapabilities
  }

  get longest(): number {
    return this.#options.longest ?? Number.POSITIVE_INFINITY
  }

  /** The result of a delivery that worked. */
  done(): DeliveryResult {
    return { kind: 'delivered', ids: [`${this.network}-${++this.minted}` as MessageId] }
  }

  open(request: ChatRequest, of: AccountId): Promise<OpenResult> {
    return this.#options.open?.(request, of) ?? Promise.resolve({ kind: 'opened', chat: this.chat(request, of) })
  }

  /** The delivered operations of one kind, with the chats they were for. */
  ops<Kind extends Outbound['kind']>(
    kind: Kind,
  ): readonly (Extract<Outbound, { kind: Kind }> & { readonly in?: ChatId })[] {
    type Seen = Extract<Outbound, { kind: Kind }> & { readonly in?: ChatId }
    return this.delivered
      .filter(({ delivery }) => delivery.op.kind === kind)
      .map(({ delivery: { chat, op } }) => ({ ...op, ...(chat === undefined ? {} : { in: chat.chat }) }) as Seen)
  }

  /** How this network names chats: not as its users, so that nobody can guess. */
  chat(request: ChatRequest, of: AccountId): ChatRef {
    const { network } = this
    switch (request.kind) {
      case 'direct':
        return { network, chat: `dm:${request.with}` as ChatId, account: of }
      case 'group':
        return { network, chat: `group:${[...new Set(request.members)].sort().join('+')}` as ChatId, account: of }
      case 'channel':
        return { network, chat: request.name }
      case 'portal':
        return { network, chat: `portal:${request.portal}` as ChatId }
      case 'home':
        return { network, chat: `home:${request.user}` as ChatId }
    }
  }

  /** Lines of what reached the network as messages or status: "#bob: <carol> hi". */
  get lines(): readonly string[] {
    return this.delivered.flatMap(({ delivery: { chat, op } }) => {
      const words = wordsOf(op)
      return words === undefined ? [] : [`${chat?.chat ?? '-'}: ${words}`]
    })
  }
}

const wordsOf = (op: Outbound): string | undefined => {
  switch (op.kind) {
    case 'message':
    case 'edit': {
      const words = op.body.kind === 'nudge' ? '(nudge)' : textOf(op.body.text)
      const who = op.as.kind === 'self' ? '' : `[${op.as.name}] `
      return `${op.kind === 'edit' ? 'edit ' : ''}${who}${words}`
    }
    case 'status':
      return `* ${textOf(op.text)}`
    case 'delivery':
      return `(${op.outcome} ${op.target})`
    case 'redact':
      return `redact ${op.target}`
    case 'reaction':
      return `react ${op.key} ${op.target}`
    case 'title':
    case 'member':
    case 'topic':
    case 'typing':
    case 'read':
    case 'company':
    case 'presence':
    case 'profile':
      return undefined
  }
}

export class FakeSession implements Session {
  readonly account: AccountId
  readonly #adapter: FakeAdapter
  readonly #of: Account
  state: SessionState = { kind: 'offline' }
  /** Chats that `drop` was called for. */
  readonly dropped: ChatRef[] = []
  /** What `members` answers, by chat. */
  readonly people = new Map<ChatId, readonly UserId[]>()
  /** What it was told while it was not online. */
  readonly foretold: Outbound[] = []
  /** Calls of `open`, for tests. */
  readonly opened: ChatRequest[] = []

  constructor(adapter: FakeAdapter, of: Account) {
    this.#adapter = adapter
    this.#of = of
    this.account = of.id
  }

  async connect(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    await this.#adapter.connecting(this.#of)
    this.state = { kind: 'online', since: 0 }
  }

  async close(): Promise<void> {
    this.state = { kind: 'offline' }
  }

  capabilities(): Capabilities {
    return this.#adapter.capabilities
  }

  open(request: ChatRequest): Promise<OpenResult> {
    this.opened.push(request)
    return this.#adapter.open(request, this.account)
  }

  members(chat: ChatRef): readonly UserId[] | undefined {
    return this.people.get(chat.chat)
  }

  async drop(chat: ChatRef): Promise<void> {
    this.dropped.push(chat)
  }

  split(op: Outbound): readonly Outbound[] {
    const { longest } = this.#adapter
    if (op.kind !== 'message' || op.body.kind === 'nudge') return [op]
    const { body } = op
    const words = textOf(body.text)
    if (words.length <= longest) return [op]
    const parts: Outbound[] = []
    for (let at = 0; at < words.length; at += longest)
      parts.push({ ...op, body: { ...body, text: plain(words.slice(at, at + longest)) } })
    return parts
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryResult> {
    if (this.state.kind !== 'online') {
      this.foretold.push(delivery.op)
      return { kind: 'retry', reason: 'network', wait: 'session-online', detail: 'not online' }
    }
    this.#adapter.delivered.push({ account: this.account, delivery })
    return this.#adapter.behave(delivery, this.account, signal)
  }

  async roster(request: RosterRequest): Promise<RosterResult> {
    const { askedRoster } = this.#adapter
    if (askedRoster !== undefined) return askedRoster(request, this.account)
    return request.kind === 'rename'
      ? { kind: 'refused', reason: 'unsupported', detail: 'Names cannot be changed here.' }
      : { kind: 'done' }
  }
}
