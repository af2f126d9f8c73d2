/** A sign-in, switchboards and a core that do as the test says. Nothing here knows a socket. */
import type { Account, AdapterContext, AdapterState, Clock, Delivery, Logger } from '../../../bridge/adapter.ts'
import type { Inbound } from '../../../bridge/model/events.ts'
import type { Outbound } from '../../../bridge/model/events.ts'
import type { AccountId, ChatId, ChatRef, EventId, NetworkId, PersonId, UserId } from '../../../bridge/model/ids.ts'
import type { DeliveryResult, SessionState } from '../../../bridge/model/result.ts'
import { VirtualClock } from '../../kit/clock.ts'
import { nobody } from '../../kit/nobody.ts'
import type { Channel } from '../../../adapters/msn/participants.ts'
import { MsnSession } from '../../../adapters/msn/session.ts'
import type { Line } from '../../../adapters/msn/line.ts'
import {
  errorCode,
  type AckType,
  type CommandResult,
  FilePorts,
  type Contact,
  type Group,
  type InviteResult,
  type Member,
  type MsnClientEvent,
  type MsnClientOptions,
  type OpenSwitchboardResult,
  type PersonalMessage,
  type Privacy,
  type SendResult,
  type SignInResult,
  type Spoken,
  type Status,
  type Switchboard,
} from '../../../msnp/index.ts'

const silent: Logger = { child: () => silent, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

export class MemoryState implements AdapterState {
  readonly values = new Map<string, string>()
  async get(key: string): Promise<string | undefined> {
    return this.values.get(key)
  }
  async list(prefix: string): Promise<readonly (readonly [string, string])[]> {
    return [...this.values].filter(([key]) => key.startsWith(prefix)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  }
  async update(changes: readonly (readonly [string, string | undefined])[]): Promise<void> {
    for (const [key, value] of changes) {
      if (value === undefined) this.values.delete(key)
      else this.values.set(key, value)
    }
  }
}

/** A test that waits longer for something has failed. Milliseconds. */
const PATIENCE_MS = 10_000

/** What the adapter sees of the bridge. */
export class Observer<Time extends Clock> {
  readonly clock: Time
  readonly state = new MemoryState()
  readonly events: Inbound[] = []
  readonly states: SessionState[] = []
  readonly #changed = new Set<() => void>()
  /** While set, stored events are refused with it. */
  trouble: Error | undefined
  readonly context: AdapterContext

  constructor(clock: Time) {
    this.clock = clock
    this.context = {
      log: silent,
      clock,
      metrics: { count: () => {}, gauge: () => {}, observe: () => {} },
      state: this.state,
      emit: async (event) => {
        if (this.trouble !== undefined) throw this.trouble
        this.events.push(event)
        this.#tell()
      },
      sessionChanged: (_account, state) => {
        this.states.push(state)
        this.#tell()
      },
      command: () => Promise.resolve({ lines: [] }),
      claim: () => Promise.resolve({ kind: 'refused', detail: 'not here' }),
      ...nobody,
    }
  }

  /** Resolves with the first answer of `look` that is not undefined, now or after some event. */
  async until<Found>(what: string, look: () => Found | undefined): Promise<Found> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error(`waited in vain for ${what}`)), PATIENCE_MS)
    try {
      for (;;) {
        const found = look()
        if (found !== undefined) return found
        await Promise.race([late.promise, new Promise<void>((resolve) => this.#changed.add(resolve))])
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #tell(): void {
    for (const resolve of this.#changed) resolve()
    this.#changed.clear()
  }

  of<Kind extends Inbound['kind']>(kind: Kind): Extract<Inbound, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<Inbound, { kind: Kind }> => event.kind === kind)
  }
}

export class FakeCore extends Observer<VirtualClock> {
  constructor() {
    super(new VirtualClock())
  }
}

export const refusedWith = (code: number) => ({
  kind: 'refused' as const,
  code,
  name: errorCode(code).name,
  meaning: errorCode(code).meaning,
})

export interface Sent {
  readonly payload: Uint8Array
  readonly spoken: Spoken | undefined
  readonly ack: AckType
  readonly answer: (result: SendResult) => void
}

export class FakeBoard implements Switchboard {
  readonly nonce: string
  readonly session = undefined
  readonly members = new Map<string, Member>()
  readonly lastUsed = 0
  isShared = false
  open = true
  participants = 0
  /** Who takes part through us, by address, and what was asked to that end. */
  readonly seated = new Map<string, string>()
  readonly seatings: string[] = []
  /** Ordinals that were said to be stored. */
  readonly confirmed: number[] = []
  /** What was written, in order, whispers excluded. */
  readonly sent: Sent[] = []
  readonly whispers: Uint8Array[] = []
  /** Whom we called and who has not answered yet. */
  readonly calls = new Map<string, (result: InviteResult) => void>()
  readonly called: string[] = []
  /** Answers to MSG A come at once. */
  automatic = true
  readonly #line: FakeLine
  #ordinal = 0

  constructor(line: FakeLine, nonce: string) {
    this.#line = line
    this.nonce = nonce
  }

  async invite(email: string): Promise<InviteResult> {
    this.called.push(email)
    const known = this.#line.answers.get(email)
    if (known === 'joins') {
      this.join(email)
      return { kind: 'joined', member: { email, name: email } }
    }
    if (known !== undefined) return known
    return new Promise((resolve) => this.calls.set(email, resolve))
  }

  async send(payload: Uint8Array, ack: AckType, spoken?: Spoken): Promise<SendResult> {
    if (!this.open) return { kind: 'not-written', why: 'closed' }
    const members = [...this.members.keys()]
    if (members.length === 0) return { kind: 'not-written', why: 'empty' }
    if (ack === 'U') {
      this.whispers.push(payload)
      return { kind: 'sent', members }
    }
    return new Promise((resolve) => {
      this.sent.push({ payload, spoken, ack, answer: resolve })
      if (this.automatic) resolve({ kind: 'acked', members })
    })
  }

  sit(email: string, name?: string): void {
    this.seatings.push(name === undefined ? `-${email}` : `+${email} ${name}`)
    if (name === undefined) this.seated.delete(email)
    else this.seated.set(email, name)
  }

  confirm(ordinal: number): void {
    this.confirmed.push(ordinal)
  }

  close(): void {
    this.end({ kind: 'done' })
  }

  // What the other side does.

  join(email: string, name = email): void {
    const member = { email, name }
    this.members.set(email.toLowerCase(), member)
    this.calls.get(email)?.({ kind: 'joined', member })
    this.#line.event({ kind: 'joined', switchboard: this, member })
  }

  refuse(email: string, result: InviteResult): void {
    this.calls.get(email)?.(result)
  }

  leave(email: string, idle = false): void {
    const member = this.members.get(email) ?? { email, name: email }
    this.members.delete(email)
    this.#line.event({ kind: 'left', switchboard: this, member, idle })
  }

  say(email: string, text: string): void {
    this.message(email, `Content-Type: text/plain; charset=UTF-8\r\n\r\n${text}`)
  }

  message(email: string, mime: string): void {
    const payload = Buffer.from(`MIME-Version: 1.0\r\n${mime}`)
    const from = this.members.get(email) ?? { email, name: email }
    this.#line.event({ kind: 'message', switchboard: this, from, payload, ordinal: ++this.#ordinal })
  }

  type(email: string): void {
    this.#line.event({ kind: 'typing', switchboard: this, from: { email, name: email } })
  }

  /** Nothing more can be done here, and what waits for an ACK is lost. */
  end(
    reason: Extract<MsnClientEvent, { kind: 'switchboard-closed' }>['reason'] = { kind: 'lost', detail: 'ECONNRESET' },
  ): void {
    if (!this.open) return
    this.open = false
    this.members.clear()
    for (const resolve of this.calls.values()) resolve({ kind: 'closed' })
    for (const { answer } of this.sent) answer({ kind: 'lost' })
    this.#line.event({ kind: 'switchboard-closed', switchboard: this, reason })
  }

  texts(): readonly string[] {
    return this.sent.map(({ payload }) => textOfPayload(payload))
  }
}

export const textOfPayload = (payload: Uint8Array): string => {
  const whole = Buffer.from(payload).toString()
  return whole.slice(whole.indexOf('\r\n\r\n') + 4)
}

export class FakeLine implements Line {
  readonly options: MsnClientOptions
  readonly contacts = new Map<string, Contact>()
  groups: readonly Group[] = []
  privacy: Privacy = 'AL'
  hasPersonalMessages = true
  name = 'Relay'
  status: Status | undefined
  signInResult: SignInResult = { ok: true }
  /** Done before `signIn` resolves. */
  beforeSignIn: () => void | Promise<void> = () => {}
  /** What happens when they are called; by default the test answers. */
  readonly answers = new Map<string, 'joins' | InviteResult>()
  readonly boards: FakeBoard[] = []
  /** So many may take part on the next switchboards through us. */
  participants = 0
  /** Answers to XFR in order; then every one succeeds. */
  readonly openings: OpenSwitchboardResult[] = []
  /** Everything else that was asked for, and answers to it in order; then all is well. */
  readonly asked: string[] = []
  readonly replies: CommandResult[] = []
  signedOut = false
  opened = 0

  constructor(options: MsnClientOptions) {
    this.options = options
  }

  async signIn(): Promise<SignInResult> {
    await this.beforeSignIn()
    this.status = this.options.status
    return this.signInResult
  }

  async signOut(): Promise<void> {
    if (this.signedOut) return
    this.signedOut = true
    for (const board of this.boards) board.close()
    this.event({ kind: 'closed', reason: { kind: 'signed-out' } })
  }

  setStatus = async (status: Status) => {
    const result = await this.#ask(`status ${status}`)
    if (result.ok) this.status = status
    return result
  }
  setPicture = (xml: string | undefined) => this.#ask(`picture ${xml ?? 'none'}`)
  setPersonalMessage = ({ text, media }: PersonalMessage) =>
    this.#ask(`say ${[text, ...(media?.args ?? [])].join(' | ')}`)
  rename = (name: string) => this.#ask(`rename ${name}`)
  add = async (email: string) => {
    const result = await this.#ask(`add ${email}`)
    if (result.ok) this.contact(email)
    return result
  }
  remove = (email: string) => this.#ask(`remove ${email}`)
  block = (email: string) => this.#ask(`block ${email}`)
  unblock = (email: string) => this.#ask(`unblock ${email}`)
  addGroup = (name: string) => this.#ask(`add group ${name}`)
  renameGroup = (group: string, name: string) => this.#ask(`rename group ${group} ${name}`)
  removeGroup = (group: string) => this.#ask(`remove group ${group}`)
  move = (email: string, group = 'none') => this.#ask(`move ${email} ${group}`)
  setPrivacy = (privacy: Privacy) => this.#ask(`privacy ${privacy}`)

  async openSwitchboard(): Promise<OpenSwitchboardResult> {
    this.opened++
    return this.openings.shift() ?? { ok: true, switchboard: this.#board() }
  }

  event(event: MsnClientEvent): void {
    this.options.onEvent(event)
  }

  /** Somebody calls us; the others are inside already. */
  ring(inviter: string, ...others: string[]): FakeBoard {
    const board = this.#board()
    for (const email of [inviter, ...others]) board.members.set(email, { email, name: email })
    this.event({ kind: 'switchboard', switchboard: board, invitedBy: { email: inviter, name: inviter } })
    return board
  }

  contact(email: string, more: Partial<Contact> = {}): Contact {
    const contact: Contact = {
      email,
      name: email,
      lists: 3,
      groups: [],
      phones: {},
      presence: undefined,
      ...more,
    }
    this.contacts.set(email.toLowerCase(), contact)
    return contact
  }

  #board(): FakeBoard {
    const board = new FakeBoard(this, `n${this.boards.length + 1}`)
    board.participants = this.participants
    this.boards.push(board)
    return board
  }

  async #ask(what: string): Promise<CommandResult> {
    this.asked.push(what)
    return this.replies.shift() ?? { ok: true }
  }
}

export const network = 'retro' as NetworkId
export const account: Account = {
  id: 'relay' as AccountId,
  network,
  person: 'alice' as PersonId,
  login: 'Relay@Example.com',
  secret: 'secret',
}
export const user = (email: string) => ({ network, user: email as UserId })
export const chatOf = (chat: string): ChatRef => ({ network, chat: chat as ChatId, account: account.id })

let deliveries = 0
export const words = (text: string): Outbound => ({
  kind: 'message',
  as: { kind: 'self' },
  body: { kind: 'text', text: [{ text }] },
  at: 0,
})

/** One account with its core; `line` is the sign-in of now. */
interface RigOptions {
  readonly mail?: boolean
  /** What the account stands for. */
  readonly channel?: Channel
}

export class Rig {
  readonly core = new FakeCore()
  readonly lines: FakeLine[] = []
  readonly session: MsnSession
  /** Prepares each new line before it signs in. */
  prepare: (line: FakeLine) => void = () => {}
  #ids = 0

  constructor({ mail = false, channel }: RigOptions = {}) {
    const addressOf = channel?.addressOf
    this.session = new MsnSession({
      mail,
      network,
      account: channel === undefined ? account : { ...account, login: channel.own },
      context: { ...this.core.context, ...(addressOf === undefined ? {} : { addressOf }) },
      client: () => ({ server: { host: '127.0.0.1', port: 1 }, passport: { login: 'https://127.0.0.1:1/' } }),
      openLine: (options) => {
        const line = new FakeLine(options)
        this.lines.push(line)
        this.prepare(line)
        return line
      },
      files: {
        receives: false,
        sends: false,
        maxBytes: 0,
        peersFrom: 6,
        direction: 'listen',
        ports: new FilePorts({ host: '127.0.0.1', from: 0, to: 0 }),
        publicHost: undefined,
        mayConnect: () => false,
        answerMs: 1_000,
        timings: {},
      },
      random: () => String(++this.#ids).padStart(32, '0'),
      pictures: { fetch: true, maxBytes: 200_000 },
    })
  }

  static async online(options: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(options)
    await rig.connect()
    return rig
  }

  get line(): FakeLine {
    const line = this.lines.at(-1)
    if (line === undefined) throw new Error('nobody signed in')
    return line
  }

  get board(): FakeBoard {
    const board = this.line.boards.at(-1)
    if (board === undefined) throw new Error('there is no switchboard')
    return board
  }

  async connect(): Promise<void> {
    await this.session.connect(new AbortController().signal)
  }

  settle(): Promise<void> {
    return this.core.clock.settle()
  }

  deliver(
    op: Outbound,
    chat: ChatRef | undefined,
    { id, signal }: { readonly id?: EventId; readonly signal?: AbortSignal } = {},
  ): Promise<DeliveryResult> {
    const delivery: Delivery = {
      id: id ?? (`event-${++deliveries}` as EventId),
      op,
      ...(chat === undefined ? {} : { chat }),
    }
    return this.session.deliver(delivery, signal ?? new AbortController().signal)
  }

  say(text: string, chat: ChatRef): Promise<DeliveryResult> {
    return this.deliver(words(text), chat)
  }

  async group(...members: string[]): Promise<ChatRef> {
    const opened = await this.session.open({ kind: 'group', members: members as UserId[] })
    if (opened.kind !== 'opened') throw new Error(opened.detail)
    return opened.chat
  }
}
