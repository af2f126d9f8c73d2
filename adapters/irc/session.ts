/**
 * The bridge's account on an IRC network: one bot that speaks for everyone who has no connection of their own (puppets/).
 * It outlives connections and hands each of them what is to be said.
 */
import { randomUUID } from 'node:crypto'
import type { IrcMessage } from 'irc-framework'
import {
  SessionFault,
  type AdapterContext,
  type ChatRequest,
  type Delivery,
  type Session,
} from '../../bridge/adapter.ts'
import type { Capabilities } from '../../bridge/model/capabilities.ts'
import type { Outbound } from '../../bridge/model/events.ts'
import type { AccountId, ChatId, ChatRef, MessageId, NetworkId } from '../../bridge/model/ids.ts'
import type { DeliveryResult, OpenResult, RosterResult, SessionState } from '../../bridge/model/result.ts'
import { relayedOp } from '../../bridge/model/relayed.ts'
import { plain, type RichText } from '../../bridge/model/text.ts'
import { puppetCapabilities, relayCapabilities } from './capabilities.ts'
import { chatIdOf, fold, isChannelName, parseChannel, parseNick, sameName, userIdOf } from '../../irc/casemap.ts'
import { Commands } from './commands.ts'
import { Company, type CompanySettings, type CompanyView, type Told } from './company.ts'
import { Connection, type ConnectionSettings } from './connection.ts'
import type { LineOutcome } from './delivery.ts'
import type { Ending } from './faults.ts'
import { askerOf, readMessage } from './inbound.ts'
import { Inbox } from './inbox.ts'
import { Membership } from './membership.ts'
import { ChannelModes, readModes } from './modes.ts'
import { lineOf, LONGEST_PREFIX, partsOf, wiresOf, type Prefix } from './outbound.ts'
import { mayBeSaidAgain, OFFLINE, resultOf, retryIn } from './outcome.ts'
import type { Permissions } from './permissions.ts'
import { Playbacks } from './playbacks.ts'
import { PresenceDigest } from './presence.ts'
import type { Puppet } from './puppets/puppet.ts'
import { Puppets } from './puppets/puppets.ts'
import type { PuppetSettings } from './puppets/settings.ts'
import { SpeakingOrder } from './speaking-order.ts'
import { Watch } from './watch.ts'
import { AccountLookup } from './whois.ts'

export interface SessionSettings {
  readonly network: NetworkId
  readonly account: AccountId
  /** Begins a command in a channel. */
  readonly trigger: string
  readonly permissions: Permissions
  readonly channels: readonly { readonly name: string; readonly key: string | undefined }[]
  readonly rejoinMs: number
  readonly joinRetryMs: number
  readonly company: CompanySettings
  /** `channels` absent: all that are linked. */
  readonly presence: { readonly quietMs: number; readonly channels: readonly string[] | undefined } | undefined
  readonly nick: string
  readonly alternates: readonly string[]
  /** Absent: the bot speaks for all. */
  readonly puppets: PuppetSettings | undefined
  /** Read anew for each attempt; throws a sentence when a secret is missing. */
  readonly connection: () => ConnectionSettings
}

/** Keys of the adapter's state: what was opened for a link must be entered again after a restart. */
const CHANNEL_KEY = 'channel/'
const DIRECT_KEY = 'direct/'
/** Queries that are linked as chats. */
const MAX_DIRECT = 1_000
/** After the queue was full, a chat waits so long and keeps its order. */
const BACK_OFF_MS = 5_000
const MIN_TEND_MS = 10
const MAX_TEND_MS = 1_000

export class RelaySession implements Session {
  readonly account: AccountId
  readonly #settings: SessionSettings
  readonly #context: AdapterContext
  readonly #membership: Membership
  readonly #commands: Commands
  readonly #whois: AccountLookup
  readonly #inbox: Inbox
  readonly #digest: PresenceDigest | undefined
  readonly #puppets: Puppets | undefined
  readonly #modes = new ChannelModes()
  readonly #company: Company
  readonly #order = new SpeakingOrder()
  readonly #watch: Watch
  readonly #linked = new Set<ChatId>()
  readonly #direct = new Set<ChatId>()
  readonly #backedOff = new Map<ChatId, number>()
  #playbacks = new Playbacks()
  #state: SessionState = { kind: 'offline' }
  #connection: Connection | undefined
  /** Aborted when the connection that is online ends. */
  #over = new AbortController()
  /** Aborted when there is one again. */
  #away = new AbortController()
  #attempts = 0
  #idPrefix = ''
  #ordinal = 0

  constructor(settings: SessionSettings, context: AdapterContext) {
    const { account, permissions, rejoinMs, joinRetryMs, presence } = settings
    const { clock, log } = context
    this.account = account
    this.#settings = settings
    this.#context = context
    this.#membership = new Membership({ rejoinMs, retryMs: joinRetryMs }, clock, log, {
      joined: (channel) => {
        if (this.#puppets !== undefined) this.#connection?.control(`MODE ${channel}`)
      },
    })
    this.#whois = new AccountLookup(clock)
    this.#company = new Company(settings.company)
    this.#inbox = new Inbox((event) => context.emit(event), clock, log)
    this.#watch = new Watch((user, state) => {
      const seen = { kind: 'presence', account, user: { network: settings.network, user }, state } as const
      void context.emit(seen).catch(() => undefined)
    })
    this.#digest = presence === undefined ? undefined : new PresenceDigest(presence.quietMs)
    this.#puppets =
      settings.puppets === undefined
        ? undefined
        : new Puppets(settings.puppets, {
            network: settings.network,
            account,
            context,
            base: () => withoutCertificate(settings.connection()),
            reserved: [settings.nick, ...settings.alternates],
            keyOf: (channel) => settings.channels.find(({ name }) => chatIdOf(name) === channel)?.key,
            offer: (event) => this.#inbox.offer(event),
            mint: () => this.#mint(),
            remark: (channel, words) => this.#remark(channel, plain(words)),
          })
    this.#commands = new Commands({
      context,
      account,
      permissions,
      trigger: settings.trigger,
      accountOf: (nick) => this.#accountOf(nick),
      answer: (target, line) => this.#remark(target, line),
    })
  }

  /** What the config names and what links opened before a restart. */
  async load(): Promise<void> {
    for (const { name, key } of this.#settings.channels) this.#membership.want(name, key)
    for (const [, name] of await this.#context.state.list(CHANNEL_KEY)) {
      this.#membership.want(name)
      this.#linked.add(chatIdOf(name))
    }
    for (const [, nick] of await this.#context.state.list(DIRECT_KEY)) {
      this.#direct.add(chatIdOf(nick))
      this.#watch.add(nick)
    }
    await this.#puppets?.start()
  }

  /** For good. */
  async stop(): Promise<void> {
    await Promise.all([this.close(), this.#puppets?.stop()])
    this.#away.abort()
    this.#inbox.stop()
  }

  get state(): SessionState {
    return this.#state
  }

  capabilities(chat?: ChatRef): Capabilities {
    if (this.#puppets === undefined) return relayCapabilities
    return chat === undefined || this.#puppets.covers(chat.chat) ? puppetCapabilities : relayCapabilities
  }

  retry(): boolean {
    return this.#puppets?.retry() ?? false
  }

  /** "as msnbridge, in 3 of 3 channels" */
  /** A nick of the bot, or of a connection that speaks for a contact. */
  isOurs(nick: string): boolean {
    const connection = this.#connection
    const isBot = connection !== undefined && sameName(nick, connection.nick, connection.mapping)
    return isBot || this.#puppets?.isOurs(nick) === true
  }

  describe(): string {
    if (this.#state.kind !== 'online') return `as ${this.#settings.nick}, ${this.#state.kind}`
    const { joined, wanted } = this.#membership.counts
    const puppets = this.#puppets === undefined ? '' : `, ${this.#puppets.describe()}`
    return `as ${this.#connection?.nick ?? this.#settings.nick}, in ${joined} of ${wanted} channels${puppets}`
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#connection !== undefined) return
    this.#change({ kind: 'connecting', attempt: ++this.#attempts })
    try {
      const { log, clock, metrics } = this.#context
      const connection = new Connection(this.#connectionSettings(), clock, log, metrics, {
        online: () => this.#signedIn(connection),
        message: (message) => this.#message(connection, message),
        ended: (ending) => this.#ended(ending),
      })
      this.#connection = connection
      await connection.open(signal)
    } catch (error) {
      this.#connection = undefined
      if (!(error instanceof SessionFault)) throw error
      if (error.fault.code === 'shutdown') this.#change({ kind: 'offline' })
      else this.#change(this.#stateAfter({ fault: error.fault, stop: needsAPerson(error) }, error.retryAfter))
      throw error
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#connection?.quit('The bridge is going down'), this.#puppets?.close()])
    this.#connection = undefined
    this.#over.abort()
    this.#membership.offline()
    this.#change({ kind: 'offline' })
  }

  async open(request: ChatRequest, signal: AbortSignal): Promise<OpenResult> {
    switch (request.kind) {
      case 'portal':
      case 'home':
        return { kind: 'refused', reason: 'unsupported', detail: 'nobody lives on this network: link a channel' }
      case 'group':
        return { kind: 'refused', reason: 'unsupported', detail: 'IRC has channels, not groups: link a channel' }
      case 'direct':
        return this.#openDirect(request.with)
      case 'channel':
        return this.#openChannel(request.name, signal)
    }
  }

  members(): undefined {
    return undefined
  }

  /** A channel that the config names stays ours. */
  async drop({ chat }: ChatRef): Promise<void> {
    const key = isChannelName(chat) ? CHANNEL_KEY : DIRECT_KEY
    this.#linked.delete(chat)
    this.#direct.delete(chat)
    this.#watch.remove(chat)
    this.#backedOff.delete(chat)
    this.#puppets?.dropped(chat)
    if (!this.#settings.channels.some(({ name }) => chatIdOf(name) === chat)) {
      this.#membership.leave(chat)
      this.#tell(this.#company.forget(chat))
    }
    try {
      await this.#context.state.update([[key + chat, undefined]])
    } catch (error) {
      this.#context.log.warn({ error: String(error) }, 'a chat that was left is entered again after the next start')
    }
  }

  split(op: Outbound, chat: ChatRef): readonly Outbound[] {
    return partsOf(op, chat.chat, this.#prefix)
  }

  async deliver({ chat, op }: Delivery, signal: AbortSignal): Promise<DeliveryResult> {
    if (chat === undefined || op.kind === 'presence' || op.kind === 'profile') return this.#aboutOthers(op)
    if (op.kind === 'message') this.#puppets?.spoke(op.as)
    const own = this.#voiceOf(op, chat.chat)
    // Who speaks is settled now: among the bot's words a puppet that has just come would overtake them.
    const work = (): Promise<DeliveryResult> => this.#speak(op, chat, own === undefined ? 'bot' : 'puppet', signal)
    return this.#order.take(chat.chat, own?.nick ?? '', work)
  }

  /** Whoever has a connection of their own says it, else the bot. */
  async #speak(op: Outbound, chat: ChatRef, by: 'bot' | 'puppet', signal: AbortSignal): Promise<DeliveryResult> {
    const busy = this.#busyFor(chat.chat)
    if (busy > 0) return retryIn(busy, 'rate-limited', 'too many lines wait for the IRC server')
    if (this.#state.kind !== 'online' || signal.aborted) return OFFLINE
    const own = by === 'puppet' ? this.#voiceOf(op, chat.chat) : undefined
    if (own !== undefined) {
      const outcomes = await this.#through(own, op, chat.chat, signal)
      if (!mayBeSaidAgain(outcomes)) return this.#result(outcomes, chat.chat)
      const refused = outcomes.find((outcome) => outcome.kind === 'refused')
      if (refused !== undefined && op.kind === 'message' && isChannelName(chat.chat))
        this.#puppets?.muted(op.as, chat.chat, refused.detail)
    }
    if (isChannelName(chat.chat) && !this.#membership.isOpen(chat.chat)) {
      const obstacle = await this.#membership.enter(chat.chat, signal)
      if (obstacle !== undefined) return obstacle
    }
    const connection = this.#connection
    if (connection === undefined) return OFFLINE
    return this.#result(await this.#through(connection, relayedOp(op), chat.chat, signal), chat.chat)
  }

  #through(voice: Pick<Connection, 'prefix' | 'say'>, op: Outbound, chat: ChatId, signal: AbortSignal) {
    const wires = wiresOf(op, chat, voice.prefix, this.#modes.isPlain(chat) ? 'plain' : 'styled')
    return Promise.all(wires.map((wire) => voice.say(wire, signal)))
  }

  #result(outcomes: readonly LineOutcome[], chat: ChatId): DeliveryResult {
    if (outcomes.some((outcome) => outcome.kind === 'unsent' && outcome.reason === 'rate-limited')) {
      this.#backedOff.set(chat, this.#context.clock.now() + BACK_OFF_MS)
    }
    const result = resultOf(outcomes, () => this.#mint(), BACK_OFF_MS)
    // A query to somebody who is not there: nothing else goes to them.
    if (result.kind === 'refused' && result.reason === 'not-found' && !isChannelName(chat)) this.#puppets?.gone(chat)
    return result
  }

  #voiceOf(op: Outbound, chat: ChatId): Puppet | undefined {
    return op.kind === 'message' ? this.#puppets?.voiceOf(op.as, chat) : undefined
  }

  async roster(): Promise<RosterResult> {
    return { kind: 'refused', reason: 'unsupported', detail: 'IRC has no contact list' }
  }

  get #prefix(): Prefix {
    return this.#state.kind === 'online' && this.#connection !== undefined ? this.#connection.prefix : LONGEST_PREFIX
  }

  #connectionSettings(): ConnectionSettings {
    try {
      return this.#settings.connection()
    } catch (error) {
      throw new SessionFault({
        code: 'bad-credentials',
        detail: error instanceof Error ? error.message : String(error),
      })
    }
  }

  async #openDirect(user: string): Promise<OpenResult> {
    const nick = parseNick(user)
    if (typeof nick === 'object') return { kind: 'refused', reason: 'not-found', detail: nick.wrong }
    const chat = chatIdOf(nick)
    if (!this.#direct.has(chat) && this.#direct.size >= MAX_DIRECT) {
      return { kind: 'refused', reason: 'rate-limited', detail: 'too many people are linked on this IRC network' }
    }
    await this.#context.state.update([[DIRECT_KEY + chat, chat]])
    this.#direct.add(chat)
    this.#watch.add(nick)
    return { kind: 'opened', chat: { network: this.#settings.network, chat, account: this.account } }
  }

  async #openChannel(id: ChatId, signal: AbortSignal): Promise<OpenResult> {
    await this.#context.state.update([[CHANNEL_KEY + id, id]])
    this.#linked.add(id)
    const obstacle = await this.#membership.open(id, signal)
    return obstacle ?? { kind: 'opened', chat: { network: this.#settings.network, chat: id } }
  }

  /** Milliseconds that this chat still waits after the queue was full. */
  #busyFor(chat: ChatId): number {
    const left = (this.#backedOff.get(chat) ?? 0) - this.#context.clock.now()
    if (left <= 0) this.#backedOff.delete(chat)
    return left
  }

  /** Presence of contacts goes into the digest; the bot itself is as it is. */
  #aboutOthers(op: Outbound): DeliveryResult {
    if (op.kind === 'presence' && op.as.kind === 'ghost') {
      const { network, user } = op.as.origin
      this.#digest?.note(op.as.name, op.state, this.#context.clock.now(), `${network}/${user}`)
      if (op.in !== undefined) this.#puppets?.presence(op.as, op.state, op.in)
    } else if (op.kind === 'profile') void this.#puppets?.renamed(op.as, op.name)
    return { kind: 'delivered', ids: [] }
  }

  #mint(): MessageId {
    return `${this.#idPrefix}-${++this.#ordinal}` as MessageId
  }

  #change(state: SessionState): void {
    if (state.kind === 'offline' && this.#state.kind === 'offline') return
    this.#state = state
    this.#context.sessionChanged(this.account, state)
  }

  #stateAfter({ fault, stop }: Pick<Ending, 'fault' | 'stop'>, retryAfter = 0): SessionState {
    return stop ? { kind: 'stopped', fault } : { kind: 'waiting', until: this.#context.clock.now() + retryAfter, fault }
  }

  #signedIn(connection: Connection): void {
    this.#attempts = 0
    this.#idPrefix = randomUUID()
    this.#ordinal = 0
    this.#playbacks = new Playbacks()
    this.#over = new AbortController()
    this.#away.abort()
    this.#membership.online(connection)
    this.#watch.online(connection)
    this.#puppets?.botOnline(connection)
    this.#change({ kind: 'online', since: this.#context.clock.now() })
    void this.#tend(this.#over.signal)
  }

  #ended(ending: Ending): void {
    this.#over.abort()
    this.#connection = undefined
    this.#modes.forget()
    this.#puppets?.botLost()
    this.#watch.offline()
    this.#change(ending.fault.code === 'shutdown' ? { kind: 'offline' } : this.#stateAfter(ending, ending.retryAfter))
    this.#membership.offline()
    void this.#absent()
  }

  /** Who is in the channels is not known any more. If we are back soon, nobody sees that. */
  async #absent(): Promise<void> {
    const { clock } = this.#context
    this.#company.lost(clock.now())
    this.#away.abort()
    const away = (this.#away = new AbortController())
    await clock.sleep(this.#settings.company.graceMs, away.signal)
    if (away.signal.aborted) return
    for (const told of this.#company.gone()) this.#tell(told)
  }

  /** Joins and digests, as long as the connection lives. */
  async #tend(over: AbortSignal): Promise<void> {
    const { rejoinMs, joinRetryMs, presence, company } = this.#settings
    const shortest = Math.min(rejoinMs, joinRetryMs, company.quietMs, presence?.quietMs ?? MAX_TEND_MS)
    const tendMs = Math.min(MAX_TEND_MS, Math.max(MIN_TEND_MS, shortest / 4))
    while (!over.aborted) {
      this.#membership.tend()
      this.#watch.tend(this.#context.clock.now())
      this.#announce()
      this.#tellDue()
      await this.#context.clock.sleep(tendMs, over)
    }
  }

  #announce(): void {
    const text = this.#digest?.take(this.#context.clock.now())
    if (text === undefined) return
    // Where people are seen to come and go it need not be said.
    const linked = [...this.#linked].filter((chat) => this.#puppets?.covers(chat) !== true)
    for (const name of this.#settings.presence?.channels ?? linked) {
      if (this.#membership.isIn(name)) this.#remark(name, plain(text))
    }
  }

  #companyView(connection: Connection | undefined): CompanyView {
    const mapping = connection?.mapping ?? 'rfc1459'
    return {
      now: this.#context.clock.now(),
      fold: (nick) => fold(nick, mapping),
      isMe: (nick) => connection !== undefined && sameName(nick, connection.nick, mapping),
      isOurs: (nick) => this.isOurs(nick),
      channelOf: (name) => this.#membership.idOf(name),
      prefixes: connection?.prefixes ?? '',
    }
  }

  #tellDue(): void {
    for (const told of this.#company.due(this.#companyView(this.#connection))) this.#tell(told)
  }

  #tell(told: Told | undefined): void {
    if (told === undefined) return
    const { network } = this.#settings
    const people = told.nicks.map((nick) => ({ user: { network, user: userIdOf(nick) }, name: nick }))
    this.#inbox.offer({ kind: 'company', chat: { network, chat: told.chat }, people })
  }

  /** Something that is not kept if it cannot be said now. */
  #remark(target: string, text: RichText): void {
    const connection = this.#connection
    if (connection === undefined) return
    for (const wire of wiresOf({ kind: 'status', text }, target, connection.prefix)) connection.control(lineOf(wire))
  }

  #accountOf(nick: string): Promise<string | undefined> {
    // With account-tag a message without the tag comes from somebody who has not identified.
    if (this.#connection?.has('account-tag') !== false) return Promise.resolve(undefined)
    return this.#whois.accountOf(nick, (line) => this.#connection?.control(line) ?? false)
  }

  /** Into a channel that we do not know only an admin may bring us; there it can be linked. It is forgotten on a restart. */
  async #invited(message: IrcMessage): Promise<void> {
    const [, channel = ''] = message.params
    if (this.#membership.idOf(channel) !== undefined || typeof parseChannel(channel) !== 'string') return
    if (this.#commands.isBusy || !(await this.#commands.mayManage(askerOf(message, this.#settings.network)))) return
    if (this.#membership.want(channel)) this.#membership.tend()
  }

  #mode(message: IrcMessage): void {
    const [name, words] = readModes(message) ?? []
    const chat = name === undefined ? undefined : this.#membership.idOf(name)
    if (chat === undefined || words === undefined) return
    if (this.#modes.changed(chat, words)) this.#puppets?.eased(chat)
  }

  #message(connection: Connection, message: IrcMessage): void {
    this.#whois.message(message)
    this.#playbacks.message(message)
    this.#puppets?.seen(message)
    // What a server plays again says nothing of who is there now.
    if (!this.#playbacks.has(message.tags['batch'] ?? '')) {
      this.#tell(this.#company.message(message, this.#companyView(connection)))
      this.#watch.message(message)
    }
    this.#mode(message)
    if (message.command === 'INVITE' && sameName(message.params[0] ?? '', connection.nick, connection.mapping))
      void this.#invited(message)
    if (this.#membership.message(message)) return
    const reading = readMessage(message, {
      network: this.#settings.network,
      account: this.account,
      isOurs: (nick) => this.#puppets?.isOurs(nick) === true,
      nick: connection.nick,
      mapping: connection.mapping,
      trigger: this.#settings.trigger,
      channelOf: (name) => this.#membership.idOf(name),
      isDirect: (chat) => this.#direct.has(chat),
      isPlayback: (batch) => this.#playbacks.has(batch),
      now: this.#context.clock.now(),
      mint: () => this.#mint(),
    })
    if (reading?.kind === 'event') this.#inbox.offer(reading.event)
    else if (reading !== undefined) void this.#commands.run(reading)
  }
}

/** The bot's certificate would make them all the bot, for services that know it by that. */
const withoutCertificate = (settings: ConnectionSettings): ConnectionSettings => {
  const { tls, ...target } = settings.target
  if (tls === undefined) return settings
  return { ...settings, target: { ...target, tls: { ...tls, cert: undefined, key: undefined } } }
}

const needsAPerson = ({ fault }: SessionFault): boolean =>
  fault.code === 'banned' || fault.code === 'bad-credentials' || fault.code === 'signed-in-elsewhere'
