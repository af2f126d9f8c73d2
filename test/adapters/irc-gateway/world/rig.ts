/** A world with fakes around it: people that a test sets, events that are kept, clients that write down what they are told. */
import type {
  AccountView,
  AdapterContext,
  ClaimRequest,
  ClaimResult,
  CommandReply,
  CommandRequest,
  ContactView,
  Delivery,
  PeopleNews,
  PortalRequest,
  Said,
} from '../../../../bridge/adapter.ts'
import type { MessageBody } from '../../../../bridge/model/body.ts'
import type { Choice, Inbound, Outbound, Puppet } from '../../../../bridge/model/events.ts'
import type {
  AccountId,
  ChatId,
  EventId,
  MessageId,
  NetworkId,
  PortalId,
  UserId,
} from '../../../../bridge/model/ids.ts'
import type { Availability } from '../../../../bridge/model/presence.ts'
import type { SessionState } from '../../../../bridge/model/result.ts'
import { plain } from '../../../../bridge/model/text.ts'
import type { ChannelPort, ClientPort, ContactKey, Face, PersonPort } from '../../../../adapters/irc-gateway/types.ts'
import type { Cap } from '../../../../adapters/irc-gateway/wire/caps.ts'
import { encode, type ServerMessage } from '../../../../adapters/irc-gateway/wire/message.ts'
import { directChat } from '../../../../adapters/irc-gateway/world/chats.ts'
import { People } from '../../../../adapters/irc-gateway/world/people.ts'
import type { Person } from '../../../../adapters/irc-gateway/world/person.ts'
import { GatewaySession } from '../../../../adapters/irc-gateway/world/session.ts'
import { VirtualClock } from '../../../kit/clock.ts'
import { nobody } from '../../../kit/nobody.ts'
import { answers } from './settled.ts'

export const GATEWAY = 'gate' as NetworkId
export const MSN = 'msn' as NetworkId
export const ALICE = 'alice' as UserId
export const RETRO = 'retro' as AccountId
export const WORK = 'work' as AccountId

export const text = (words: string): MessageBody => ({ kind: 'text', text: plain(words) })
export const key = (user: string, account: AccountId = RETRO): ContactKey => ({ account, user: user as UserId })
export const BOB = key('bob@home.example')
export const CAROL = key('carol@home.example')

const online: SessionState = { kind: 'online', since: 0 }

/** BitlBee's, as root's table has them. */
export const DEFAULTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    nick_format: '%-@nick',
    nick_lowercase: 'false',
    nick_underscores: 'false',
    utf8_nicks: 'false',
    root_nick: 'root',
    ops: 'both',
    show_users: 'online+,special%,away',
    fill_by: 'all',
    private: 'true',
    handle_unknown: 'add_channel',
    offline_user_quits: 'true',
    simulate_netsplit: 'true',
    self_messages: 'true',
    to_char: ': ',
    away_reply_timeout: '3600',
    display_timestamps: 'true',
    timezone: 'utc',
    paste_buffer: 'false',
    paste_buffer_delay: '200',
    typing_notice: 'false',
  }),
)

export class FakeClient implements ClientPort {
  readonly username = 'al'
  realname = 'Alice'
  readonly host: string
  readonly tls = false
  readonly connectedAt = 0
  readonly activeAt = 0
  readonly person: PersonPort | undefined = undefined
  readonly caps: ReadonlySet<Cap>
  readonly lines: string[] = []
  closed: string | undefined
  nick: string
  readonly #seen: { at: number } = { at: 0 }

  constructor(nick = 'alice', caps: readonly Cap[] = [], host = 'localhost') {
    this.nick = nick
    this.caps = new Set(caps)
    this.host = host
  }

  get mask(): string {
    return `${this.nick}!${this.username}@${this.host}`
  }

  setRealname(realname: string): void {
    this.realname = realname
  }

  send(...messages: readonly ServerMessage[]): void {
    for (const message of messages) this.lines.push(encode(message, this.caps, 'localhost').replace(/\r\n$/, ''))
  }

  numeric(code: string, ...params: readonly string[]): void {
    this.send({ verb: code, params: [this.nick, ...params] })
  }

  rename(nick: string): void {
    if (nick === this.nick) return
    this.send({ source: this.mask, verb: 'NICK', params: [nick] })
    this.nick = nick
  }

  close(reason: string): void {
    this.closed = reason
  }

  /** What came since it was asked last. */
  news(): readonly string[] {
    const { at } = this.#seen
    this.#seen.at = this.lines.length
    return this.lines.slice(at)
  }
}

export class FakeBridge implements AdapterContext {
  readonly clock = new VirtualClock(Date.UTC(2004, 0, 1, 10, 11))
  readonly events: Inbound[] = []
  readonly claims: ClaimRequest[] = []
  readonly commands: CommandRequest[] = []
  readonly states: SessionState[] = []
  readonly stored: Map<string, string>
  readonly accounts: AccountView[] = []
  readonly contacts = new Map<AccountId, Map<UserId, ContactView>>()
  readonly written: Said[] = []
  readonly warnings: string[] = []
  answerClaim: (request: ClaimRequest) => ClaimResult | Promise<ClaimResult> = ({ chat }) => ({
    kind: 'claimed',
    request: portal([], { chat: chat.chat }),
  })
  answerCommand: (request: CommandRequest) => CommandReply = () => ({ lines: [] })
  /** Before the history answers. */
  beforeHistory: () => Promise<void> = () => Promise.resolve()
  refuses = false
  writes = 0

  constructor(stored: ReadonlyMap<string, string>) {
    this.stored = new Map(stored)
  }

  readonly log = {
    child: () => this.log,
    debug: () => undefined,
    info: () => undefined,
    warn: (fields: object, message: string) => void this.warnings.push(`${message} ${JSON.stringify(fields)}`),
    error: () => undefined,
  }
  readonly metrics = { count: () => undefined, gauge: () => undefined, observe: () => undefined }
  readonly state = {
    get: (name: string) => Promise.resolve(this.stored.get(name)),
    list: (prefix: string) =>
      Promise.resolve(
        [...this.stored].filter(([name]) => name.startsWith(prefix)).toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ),
    update: (changes: readonly (readonly [string, string | undefined])[]) => {
      if (this.refuses) return Promise.reject(new Error('disk full'))
      this.writes++
      for (const [name, value] of changes) {
        if (value === undefined) this.stored.delete(name)
        else this.stored.set(name, value)
      }
      return Promise.resolve()
    },
  }
  readonly people = {
    networks: [],
    accountsOf: (owner: UserId) => (owner === ALICE ? this.accounts : []),
    contactsOf: (account: AccountId) => [...(this.contacts.get(account)?.values() ?? [])],
    contact: (account: AccountId, user: UserId) => this.contacts.get(account)?.get(user),
  }
  readonly files = nobody.files
  readonly history: AdapterContext['history'] = {
    said: async ({ chat }, { after, before, limit }) => {
      await this.beforeHistory()
      const since = after?.kind === 'time' ? after.at : Number.NEGATIVE_INFINITY
      const all = this.written.filter(({ event }) => event.chat.chat === chat && event.at > since)
      const end = before?.kind === 'message' ? all.findIndex(({ id }) => id === before.id) : all.length
      // So many come in one answer, whatever is asked for.
      return all.slice(0, Math.max(0, end)).slice(-Math.min(limit, 1_000))
    },
    latest: () => Promise.resolve([]),
  }

  emit(event: Inbound): Promise<void> {
    if (this.refuses) return Promise.reject(new Error('disk full'))
    this.events.push(event)
    return Promise.resolve()
  }

  sessionChanged(_account: AccountId, state: SessionState): void {
    this.states.push(state)
  }

  command(request: CommandRequest): Promise<CommandReply> {
    this.commands.push(request)
    return Promise.resolve(this.answerCommand(request))
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    this.claims.push(request)
    return this.answerClaim(request)
  }

  leave(): Promise<string | undefined> {
    return Promise.resolve(undefined)
  }
}

export const portal = (
  users: readonly string[],
  more: { readonly chat?: ChatId; readonly title?: string; readonly direct?: boolean; readonly id?: string } = {},
): PortalRequest => ({
  kind: 'portal',
  portal: (more.id ?? 'p1') as PortalId,
  owner: ALICE,
  account: RETRO,
  login: 'alice@home.example',
  direct: more.direct ?? users.length === 1,
  with: users.map((user) => ({ user: { network: MSN, user: user as UserId }, name: user })),
  ...(more.title === undefined ? {} : { title: more.title }),
})

export class World {
  readonly bridge: FakeBridge
  readonly people: People
  readonly session: GatewaySession
  readonly asked: { readonly text: string; readonly choices: readonly Choice[] }[] = []
  readonly confirming: ClientPort[] = []
  readonly faces: string[] = []
  #minted = 0
  #delivered = 0

  constructor(options: { readonly stored?: ReadonlyMap<string, string>; readonly playback?: number } = {}) {
    this.bridge = new FakeBridge(options.stored ?? new Map())
    const world = {
      deps: {
        network: GATEWAY,
        account: 'gate' as AccountId,
        context: this.bridge,
        server: 'localhost',
        control: '&bitlbee',
      },
      questions: {
        ask: (_: PersonPort, asking: { readonly text: string; readonly choices: readonly Choice[] }) => {
          this.asked.push(asking)
          return Promise.resolve()
        },
      },
      defaults: DEFAULTS,
      playback: options.playback ?? 500,
      mint: () => `m${++this.#minted}`,
      knows: (user: UserId) => user === ALICE,
      roleOf: () => 'user' as const,
      confirm: (client: ClientPort) => void this.confirming.push(client),
      faceChanged: (_: PersonPort, before: Face | undefined, after: Face | undefined) =>
        void this.faces.push(`${shortFace(before)} -> ${shortFace(after)}`),
      markOf: (_: UserId, { name }: ChannelPort): ServerMessage => ({ verb: 'MARKREAD', params: [name, '*'] }),
    } as const
    this.people = new People(world)
    this.session = new GatewaySession(world, this.people)
    void this.session.connect()
  }

  alice(): Promise<Person> {
    return this.people.get(ALICE)
  }

  account(id: AccountId = RETRO, state: SessionState = online, login = 'alice@home.example'): void {
    const view = { id, network: MSN, login: login as UserId, state, wanted: true, fixed: false, picture: 'none' }
    const at = this.bridge.accounts.findIndex((one) => one.id === id)
    if (at === -1) this.bridge.accounts.push(view)
    else this.bridge.accounts[at] = view
    this.tell({ kind: 'account', owner: ALICE, account: id })
  }

  without(id: AccountId): void {
    this.bridge.accounts.splice(
      this.bridge.accounts.findIndex((one) => one.id === id),
      1,
    )
    this.bridge.contacts.delete(id)
    this.tell({ kind: 'account', owner: ALICE, account: id })
  }

  contact(
    { account, user }: ContactKey,
    show: Availability | undefined,
    more: Partial<ContactView> & { text?: string } = {},
  ): void {
    const { text: words, ...rest } = more
    const list = this.bridge.contacts.get(account) ?? new Map<UserId, ContactView>()
    this.bridge.contacts.set(account, list)
    list.set(user, {
      user,
      name: '',
      listed: true,
      blocked: false,
      hasUs: true,
      ...(show === undefined ? {} : { presence: words === undefined ? { show } : { show, text: words } }),
      ...rest,
    })
    this.tell({ kind: 'contact', owner: ALICE, account, user })
  }

  remove({ account, user }: ContactKey): void {
    this.bridge.contacts.get(account)?.delete(user)
    this.tell({ kind: 'contact', owner: ALICE, account, user })
  }

  tell(news: PeopleNews): void {
    this.people.peopleChanged(news)
  }

  async attached(client = new FakeClient()): Promise<{ person: Person; client: FakeClient }> {
    const person = await this.alice()
    person.attach(client)
    await this.bridge.clock.settle()
    client.news()
    return { person, client }
  }

  async deliver(op: Outbound, chat: ChatId, more: Partial<Pick<Delivery, 'again' | 'id'>> = {}): Promise<MessageId> {
    const id = more.id ?? (`e${++this.#delivered}` as EventId)
    const delivery: Delivery = { id, chat: { network: GATEWAY, chat }, op, ...(more.again ? { again: true } : {}) }
    answers(await this.session.deliver(delivery)).delivered()
    return id as string as MessageId
  }

  /** A contact says it, in their talk with alice; it is in the history then. */
  async hears(
    from: ContactKey,
    body: MessageBody,
    more: { readonly again?: true; readonly chat?: ChatId; readonly at?: number } = {},
  ) {
    const chat = more.chat ?? directChat(ALICE, from)
    const at = more.at ?? this.bridge.clock.now()
    const op: Outbound = { kind: 'message', as: ghost(from), body, at }
    const id = `e${++this.#delivered}` as EventId
    this.bridge.written.push({
      id: id as string as MessageId,
      event: {
        kind: 'message',
        chat: { network: GATEWAY, chat },
        sender: { network: MSN, user: from.user },
        senderName: from.user,
        id: `foreign-${id}` as MessageId,
        at,
        body,
      },
    })
    return this.deliver(op, chat, { id, ...(more.again ? { again: true } : {}) })
  }
}

const shortFace = (face: Face | undefined): string =>
  face === undefined
    ? 'nobody'
    : `${face.nick}${face.online ? '' : ' offline'}${face.online && face.away !== undefined ? ` ${face.away}` : ''}`

export const ghost = ({ user }: ContactKey, name: string = user): Puppet => ({
  kind: 'ghost',
  origin: { network: MSN, user },
  name,
})
