import type { Transport } from '../../sansio/drive.ts'
import { MisuseError } from '../../sansio/machine.ts'
import { clientId } from '../model/client-id.ts'
import { DIALECTS, TRAITS, type Dialect } from '../model/dialect.ts'
import type { PersonalMessage } from '../model/personal-message.ts'
import type { Status } from '../model/status.ts'
import { wrongAddress } from '../session/client-requests.ts'
import type { NotificationEvent, NotificationRequest, SignedIn } from '../session/notification-states.ts'
import type { Contact, Group, Privacy } from '../session/roster.ts'
import {
  DEFAULT_CLIENT_TIMINGS,
  type ClientCloseReason,
  type ClientTimings,
  type CommandResult,
  type MsnClientEvent,
  type MsnClientOptions,
  type OpenSwitchboardResult,
  type SignInFailure,
  type SignInResult,
  type Switchboard,
} from './client-contract.ts'
import { closeReason, commandResult, signInFailure } from './client-results.ts'
import { ClientSwitchboards } from './client-switchboards.ts'
import type { ServedTransport } from './connection.ts'
import { doorOf, type Door } from './door.ts'
import { isPrivateAddress } from './hosts.ts'
import {
  addContact,
  blockContact,
  moveContact,
  removeContact,
  unblockContact,
  type ListAccess,
} from './list-changes.ts'
import { Login } from './login.ts'
import { NotificationConnection, type Answer, type LineEnd } from './notification-connection.ts'

/** Servers that one sign-in may be sent through. */
export const MAX_REDIRECTS = 5
/** MSN 7.0 on others' screens: takes texts in several parts, drawings as GIF, winks and voice clips. */
export const DEFAULT_CLIENT_ID = clientId(4, ['chunks', 'inkGif', 'winks', 'voiceClips'])

type Phase =
  | { readonly kind: 'new' }
  | { readonly kind: 'signing-in' }
  | { readonly kind: 'online' }
  /** The server sent us to another one in the middle of the session. */
  | { readonly kind: 'moving' }
  | { readonly kind: 'over' }

/** One sign-in to an MSN network. It never reconnects: make a new one. */
export class MsnClient {
  readonly #options: MsnClientOptions
  readonly #timings: ClientTimings
  readonly #login: Login
  readonly #door: Door
  readonly #switchboards: ClientSwitchboards
  readonly #lists: ListAccess
  /** Aborts a sign-in or a move that is under way. */
  readonly #end = new AbortController()
  readonly #sockets = new Set<Transport>()
  #phase: Phase = { kind: 'new' }
  #line: NotificationConnection | undefined
  /** What is known since the last ticket was accepted; stays to be looked at when all is over. */
  #session: SignedIn | undefined
  #wanted: Status
  #picture: string | undefined
  #personal: PersonalMessage | undefined
  #allowPrivate: boolean | undefined
  #strangeLines = 0
  #localAddress: string | undefined

  constructor(options: MsnClientOptions) {
    this.#options = options
    this.#timings = { ...DEFAULT_CLIENT_TIMINGS, ...options.timings }
    this.#wanted = options.status ?? 'NLN'
    this.#picture = options.picture
    this.#personal = options.personalMessage
    this.#allowPrivate = options.allowPrivateHosts
    this.#login = new Login({ ...options, timeoutMs: this.#timings.passportMs, now: () => this.#now() })
    this.#door = doorOf(options, this.#timings, () => this.#now())
    this.#lists = { ask: (request) => this.ask(request), contact: (email) => this.#session?.roster.get(email) }
    this.#switchboards = new ClientSwitchboards({
      timings: this.#timings,
      client: options,
      door: this.#door,
      now: () => this.#now(),
      ask: (request) => this.ask(request),
      // Not `signedIn`: an invitation may come in one piece with the confirmation of our status.
      session: () => (this.#line?.online === true ? this.#session : undefined),
      status: () => this.#wanted,
      setStatus: (status) => this.setStatus(status),
      allowPrivate: () => this.#allowPrivate ?? false,
      onSocket: (socket) => this.#keep(socket),
      onEvent: (event) => this.#tell(event),
    })
  }

  /** By address in lower case. */
  get contacts(): ReadonlyMap<string, Contact> {
    return this.#session?.roster.contacts ?? new Map<string, Contact>()
  }

  get groups(): readonly Group[] {
    return this.#session?.roster.groups ?? []
  }

  /** Ours, as others see it; the address before the sign-in. */
  get name(): string {
    return this.#session?.name ?? this.#options.login
  }

  /** As the server last confirmed it. */
  get status(): Status | undefined {
    return this.#session?.status
  }

  /** Whether the dialect of this sign-in has them. */
  get hasPersonalMessages(): boolean {
    return this.#session !== undefined && TRAITS[this.#session.dialect].personalMessages
  }

  get privacy(): Privacy {
    return this.#session?.roster.privacy ?? 'AL'
  }

  /** Under which the server sees us, unless there is a router between. */
  get localAddress(): string | undefined {
    return this.#localAddress
  }

  get dialect(): Dialect | undefined {
    return this.#session?.dialect
  }

  /** Those that are open. */
  get switchboards(): ReadonlySet<Switchboard> {
    return this.#switchboards.all
  }

  /** Lines of notification servers that were unknown or lacked something; they were passed over. */
  get strangeLines(): number {
    return this.#strangeLines + (this.#line?.strangeLines ?? 0)
  }

  get signedIn(): boolean {
    return this.#phase.kind === 'online'
  }

  /** Once. Resolves when the lists are known and the server has confirmed our status. Never rejects. */
  async signIn(signal?: AbortSignal): Promise<SignInResult> {
    if (this.#phase.kind !== 'new') throw new MisuseError('one MsnClient is one sign-in')
    this.#phase = { kind: 'signing-in' }
    const wrong = wrongAddress(this.#options.login)
    if (wrong !== undefined) {
      this.#finish()
      return failed({ kind: 'bad-credentials', detail: `${JSON.stringify(this.#options.login)} is no login: ${wrong}` })
    }
    const result = await this.#reach(this.#options.server, signal)
    if (!result.ok) this.#finish()
    return result
  }

  /** Also what we ask for when a sign-in or a move is under way. */
  async setStatus(status: Status): Promise<CommandResult> {
    this.#wanted = status
    const features = this.#options.clientId ?? DEFAULT_CLIENT_ID
    const dialect = this.#session?.dialect
    const picture = dialect !== undefined && TRAITS[dialect].msnObject ? this.#picture : undefined
    const object = picture === undefined ? {} : { object: picture }
    return commandResult(await this.ask({ kind: 'status', status, clientId: features, ...object }), 'CHG')
  }

  /** The description of our display picture; undefined: none. Said at once when we are signed in, else with our status. */
  async setPicture(xml: string | undefined): Promise<CommandResult> {
    this.#picture = xml
    return this.signedIn ? this.setStatus(this.#wanted) : { ok: true }
  }

  /** What we write beside our name; said again after a move. Where the dialect has none, it counts as done. */
  async setPersonalMessage(message: PersonalMessage): Promise<CommandResult> {
    this.#personal = message
    const dialect = this.#session?.dialect
    if (dialect !== undefined && !TRAITS[dialect].personalMessages) return { ok: true }
    return commandResult(await this.ask({ kind: 'personal-message', message }), 'UUX')
  }

  /** Our own name. */
  async rename(name: string): Promise<CommandResult> {
    const email = this.#session?.email ?? this.#options.login
    return commandResult(await this.ask({ kind: 'rename', email, name }), 'REA')
  }

  /** Onto FL and AL, off BL. */
  add(email: string): Promise<CommandResult> {
    return addContact(this.#lists, email)
  }

  /** Off FL. */
  remove(email: string): Promise<CommandResult> {
    return removeContact(this.#lists, email)
  }

  /** Off AL, onto BL. */
  block(email: string): Promise<CommandResult> {
    return blockContact(this.#lists, email)
  }

  /** Off BL, onto AL. */
  unblock(email: string): Promise<CommandResult> {
    return unblockContact(this.#lists, email)
  }

  async addGroup(name: string): Promise<CommandResult> {
    return commandResult(await this.ask({ kind: 'group-add', name }), 'ADG')
  }

  async renameGroup(group: string, name: string): Promise<CommandResult> {
    return commandResult(await this.ask({ kind: 'group-rename', group, name }), 'REG')
  }

  /** Whoever is in it stays on the list. */
  async removeGroup(group: string): Promise<CommandResult> {
    return commandResult(await this.ask({ kind: 'group-remove', group }), 'RMG')
  }

  /** Somebody on FL into that group alone; without one, into none. */
  move(email: string, group?: string): Promise<CommandResult> {
    const hasGroup0 = this.#session === undefined || TRAITS[this.#session.dialect].number < 10
    return moveContact(this.#lists, email, group ?? (hasGroup0 ? '0' : undefined))
  }

  /** Whether people on neither AL nor BL may see us and call us. */
  async setPrivacy(privacy: Privacy): Promise<CommandResult> {
    if (this.privacy === privacy) return { ok: true }
    return commandResult(await this.ask({ kind: 'privacy', privacy }), 'BLP')
  }

  /** Any command by itself: groups, privacy, phone numbers, single lists. Never rejects. */
  ask(request: NotificationRequest): Promise<Answer> {
    return this.#line?.ask(request) ?? Promise.resolve({ kind: 'closed' })
  }

  /** A conversation of ours, still empty: `invite` somebody. Never rejects. */
  openSwitchboard(signal?: AbortSignal): Promise<OpenSwitchboardResult> {
    return this.#switchboards.open(signal)
  }

  /** OUT; ends the switchboards too. Resolves when all sockets are closed. Twice is harmless. */
  async signOut(): Promise<void> {
    const { kind } = this.#phase
    this.#end.abort()
    if (kind === 'new') this.#phase = { kind: 'over' }
    if (kind === 'online') this.#close({ kind: 'signed-out' })
    // Not `once`, which rejects when a socket ends with an error.
    await Promise.all([...this.#sockets].map((socket) => new Promise<void>((resolve) => socket.once('close', resolve))))
  }

  /** From server to server until we are online. */
  async #reach(server: { readonly host: string; readonly port: number }, signal?: AbortSignal): Promise<SignInResult> {
    const { signInMs, connectMs } = this.#timings
    const late = AbortSignal.timeout(signInMs)
    const aborts = AbortSignal.any([late, this.#end.signal, ...(signal === undefined ? [] : [signal])])
    let target = server
    let hops = 0
    let newTicket = true
    for (;;) {
      const place = `${target.host}:${target.port}`
      const configured = target === this.#options.server
      const connected = await this.#door('NS', {
        host: target.host,
        port: target.port,
        timeoutMs: connectMs,
        allowPrivate: configured || this.#allowPrivate === true,
        signal: aborts,
      })
      if (!connected.ok) {
        const { kind, detail } = connected
        return kind === 'aborted' ? givenUp(late, signInMs) : failed({ kind, detail })
      }
      const { socket } = connected
      if (configured) this.#allowPrivate ??= isPrivateAddress(socket.remoteAddress ?? '')
      const end = await this.#lineUp(socket, aborts)
      if (end === 'online') return { ok: true }
      if (aborts.aborted) return givenUp(late, signInMs)
      const stale = end.kind === 'refused' && end.ticket && STALE_TICKET.includes(end.code)
      if (end.kind === 'redirect' && hops++ < MAX_REDIRECTS) target = { host: end.host, port: end.port }
      else if (stale && newTicket) newTicket = false
      else return failed(signInFailure(end, place))
    }
  }

  /** One server: resolves when we are online there, or with how it ended before. */
  #lineUp(socket: ServedTransport, aborts: AbortSignal): Promise<LineEnd | 'online'> {
    const { login, dialects = DIALECTS } = this.#options
    const { promise, resolve } = Promise.withResolvers<LineEnd | 'online'>()
    const firstTrid = this.#line?.nextTrid ?? 1
    this.#strangeLines += this.#line?.strangeLines ?? 0
    let ended: LineEnd | undefined
    const line = new NotificationConnection({
      login,
      dialects,
      timings: this.#timings,
      firstTrid,
      confirms: this.#options.confirms ?? false,
      beside: this.#options.beside ?? false,
      now: () => this.#now(),
      ticket: (policy) => this.#login.ticket(policy, aborts),
      onEvent: (event) => {
        this.#heard(line, event)
        if (event.kind === 'synchronized' && event.first) void this.#appear(line, resolve)
      },
      onEnd: (end) => {
        ended = end
        resolve(end)
        this.#lost(line, end)
      },
    })
    const onAbort = (): void => line.close()
    aborts.addEventListener('abort', onAbort, { once: true })
    this.#line = line
    this.#keep(socket)
    this.#localAddress = socket.localAddress
    line.start(socket)
    if (aborts.aborted) line.close()
    return promise.then((end) => {
      aborts.removeEventListener('abort', onAbort)
      if (ended !== undefined) return ended
      this.#phase = { kind: 'online' }
      return end
    })
  }

  /** The lists are here; nobody sees us before we say our status. */
  async #appear(line: NotificationConnection, resolve: (end: LineEnd | 'online') => void): Promise<void> {
    const result = await this.setStatus(this.#wanted)
    if (result.ok) {
      // Nobody waits for the answer: without it we are as online as with it.
      if (this.#personal !== undefined) void this.setPersonalMessage(this.#personal)
      resolve('online')
      return
    }
    const { failure } = result
    if (failure.kind === 'refused') line.fail({ kind: 'refused', verb: 'CHG', code: failure.code, ticket: false })
    else line.fail({ kind: 'ended', reason: { kind: 'timeout', waitingFor: 'CHG' } })
  }

  #heard(line: NotificationConnection, event: NotificationEvent): void {
    if (this.#session !== line.session && line.session !== undefined)
      line.session.roster.onChange = () => this.#tell({ kind: 'arranged' })
    this.#session = line.session
    switch (event.kind) {
      case 'synchronized':
        this.#tell({ kind: 'roster', contacts: [...this.contacts.values()] })
        break
      case 'presence':
      case 'list':
      case 'personal-message':
      case 'own-name':
      case 'own-status':
      case 'messenger':
        this.#tell(event)
        break
      case 'ring':
        void this.#switchboards.answer(event)
        break
      case 'going-down':
        this.#tell({ kind: 'announcement', minutes: event.minutes })
        break
      case 'mail':
        this.#tell(event)
        break
      case 'ticket-needed':
      case 'redirect':
      case 'refused':
      case 'signed-in':
      case 'answer':
      case 'out':
      case 'challenge-failed':
        break
    }
  }

  /** A connection is over: what that means is said here only if we were online on it. */
  #lost(line: NotificationConnection, end: LineEnd): void {
    if (this.#phase.kind !== 'online' || line !== this.#line) return
    if (end.kind === 'redirect') void this.#move({ host: end.host, port: end.port })
    else this.#close(closeReason(end))
  }

  /** The switchboards stay: they are independent of the notification server. */
  async #move(target: { readonly host: string; readonly port: number }): Promise<void> {
    this.#phase = { kind: 'moving' }
    const result = await this.#reach(target)
    if (result.ok) return
    if (this.#end.signal.aborted) this.#close({ kind: 'signed-out' })
    else this.#close({ kind: 'move-failed', failure: result.failure })
  }

  #close(reason: ClientCloseReason): void {
    if (this.#phase.kind === 'over') return
    this.#finish()
    this.#options.onEvent({ kind: 'closed', reason })
  }

  #finish(): void {
    this.#switchboards.closeAll()
    this.#phase = { kind: 'over' }
    this.#line?.close()
  }

  #tell(event: MsnClientEvent): void {
    if (this.#phase.kind !== 'over') this.#options.onEvent(event)
  }

  #keep(socket: Transport): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now()
  }
}

/** The ticket was good and is not any more: they may live for 30 seconds only. */
const STALE_TICKET: readonly number[] = [911, 928]

const failed = ({ kind, detail, ...more }: SignInFailure): SignInResult => ({
  ok: false,
  failure: { kind, detail, ...more },
})

const givenUp = (late: AbortSignal, ms: number): SignInResult =>
  failed(
    late.aborted
      ? { kind: 'timeout', detail: `the sign-in took longer than ${ms} ms` }
      : { kind: 'aborted', detail: 'the sign-in was given up' },
  )
