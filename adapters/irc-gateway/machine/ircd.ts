import { MisuseError, type CloseReason, type Machine, type Output } from '../../../sansio/machine.ts'
import type { Cap } from '../wire/caps.ts'
import { parseLine, type ClientLine } from '../wire/line.ts'
import type { ServerMessage } from '../wire/message.ts'
import type { NumericName } from '../wire/numerics.ts'
import { ClientReader } from '../wire/reader.ts'
import { capability } from './capability.ts'
import { Client, type Outputs } from './client.ts'
import { Heartbeat } from './heartbeat.ts'
import type { IrcdCommand, IrcdEvent, IrcdOptions } from './ircd-events.ts'
import { LineQueue, type Read } from './line-queue.ts'
import { Registration } from './registration.ts'
import { welcome } from './welcome.ts'

type State =
  | { readonly kind: 'registering'; readonly registration: Registration }
  | { readonly kind: 'registered' }
  | { readonly kind: 'over' }

type Handler = (machine: IrcdMachine, line: ClientLine, out: Outputs, now: number) => void

/** A command that the machine answers itself. */
interface Row {
  /** Fewer parameters give 461. */
  readonly min: number
  /** Read at once, whatever waits. */
  readonly urgent?: true
  /** Before the registration is complete. */
  readonly before: Handler
  /** After it; absent: it is a `line` then. */
  readonly after?: Handler
}

const always = (handler: Handler): Pick<Row, 'before' | 'after'> => ({ before: handler, after: handler })

const REGISTERED: State = { kind: 'registered' }
const OVER: State = { kind: 'over' }
/** A web page can make a browser talk to any port; these are the words it begins with. */
const BROWSER: ReadonlySet<string> = new Set(['GET', 'POST', 'HEAD', 'PUT', 'OPTIONS', 'PATCH', 'DELETE'])

/**
 * Our end of one IRC client's connection. It knows lines, capabilities, passwords on their way and silence; who the
 * client is, whom it sees and what its commands do is decided outside. Sources: RFC 2812, 3.1; ircv3.net.
 */
export class IrcdMachine implements Machine<IrcdCommand, IrcdEvent> {
  readonly #options: IrcdOptions
  readonly #reader: ClientReader
  readonly #queue: LineQueue
  readonly #client: Client
  readonly #heartbeat: Heartbeat
  #state: State
  /** When lines go on that wait because of their number; undefined: none does. */
  #resumeAt: number | undefined

  constructor(options: IrcdOptions, now: number) {
    const { limits, server, address } = options
    this.#options = options
    this.#reader = new ClientReader(limits.maxTagBytes, limits.maxLineBytes)
    this.#queue = new LineQueue(limits, now)
    this.#client = new Client(server, address)
    this.#heartbeat = new Heartbeat(limits, now)
    this.#state = { kind: 'registering', registration: new Registration(this.#client, options, now) }
  }

  /** '' until the client has said it. */
  get nick(): string {
    return this.#client.nick
  }

  get username(): string {
    return this.#client.username
  }

  get realname(): string {
    return this.#client.realname
  }

  /** Another set after each change, so it may be kept. */
  get caps(): ReadonlySet<Cap> {
    return this.#client.caps
  }

  get account(): string | undefined {
    return this.#client.account
  }

  /** "nick!user@host"; what is not known yet is `*`. */
  get mask(): string {
    return this.#client.mask
  }

  get wakeAt(): number | undefined {
    switch (this.#state.kind) {
      case 'registering':
        return Math.min(this.#state.registration.until, this.#resumeAt ?? Infinity)
      case 'registered':
        return Math.min(this.#heartbeat.until, this.#resumeAt ?? Infinity)
      case 'over':
        return undefined
    }
  }

  receive(bytes: Uint8Array | null, now: number): readonly Output<IrcdEvent>[] {
    if (this.#state.kind === 'over') return []
    const out: Outputs = []
    if (bytes === null) {
      this.#letAllThrough(out, now)
      this.#end(out, 'Connection closed', { kind: 'lost', detail: 'end of stream' })
      return out
    }
    this.#heartbeat.heard(now)
    this.#reader.push(bytes)
    this.#read(out, now)
    return out
  }

  command(command: IrcdCommand, now: number): readonly Output<IrcdEvent>[] {
    // Answers may still come when a later line of the same packet has ended the connection.
    if (this.#state.kind === 'over') return []
    const out: Outputs = []
    switch (command.kind) {
      case 'send':
        this.#client.write(out, command.messages)
        break
      case 'authenticated':
        this.#asking().authenticated(command, out)
        this.#complete(out)
        this.#goOn(out, now)
        break
      case 'rejected':
        if (this.#asking().rejected(command, out)) {
          this.#complete(out)
          this.#goOn(out, now)
        } else this.#over(out, 'Access denied', { kind: 'done' })
        break
      case 'rename':
        if (this.#state.kind === 'registering') throw new MisuseError('nobody is renamed before they have a name')
        if (command.told === true) this.#client.nick = command.nick
        else this.#client.rename(out, command.nick)
        break
      case 'confirm':
        this.#heartbeat.await(command.token)
        this.#client.write(out, [{ verb: 'PING', params: [command.token] }])
        break
      case 'close':
        this.#over(out, command.reason, { kind: 'done' })
        break
    }
    return out
  }

  tick(now: number): readonly Output<IrcdEvent>[] {
    const out: Outputs = []
    const state = this.#state
    switch (state.kind) {
      case 'registering':
        if (state.registration.until <= now) {
          this.#over(out, 'Registration timed out', { kind: 'timeout', waitingFor: 'registration' })
        }
        break
      case 'registered':
        this.#checkLife(out, now)
        break
      case 'over':
        break
    }
    if (this.#resumeAt !== undefined && this.#resumeAt <= now) this.#goOn(out, now)
    return out
  }

  #checkLife(out: Outputs, now: number): void {
    const due = this.#heartbeat.due(now)
    if (due === 'ping') this.#client.write(out, [{ verb: 'PING', params: [this.#options.server] }])
    else if (due !== 'nothing') {
      this.#letAllThrough(out, now)
      this.#end(out, `Ping timeout: ${due.gone} seconds`, { kind: 'timeout', waitingFor: 'PONG' })
    }
  }

  get #registration(): Registration | undefined {
    return this.#state.kind === 'registering' ? this.#state.registration : undefined
  }

  get #isAsking(): boolean {
    return this.#registration?.isAsking === true
  }

  #asking(): Registration {
    const registration = this.#registration
    if (registration?.isAsking !== true) throw new MisuseError('nobody asked to be let in')
    return registration
  }

  #read(out: Outputs, now: number): void {
    while (this.#state.kind !== 'over') {
      const read = this.#reader.next()
      if (read === undefined) return
      if (read === 'endless') this.#endless(out)
      else if (typeof read === 'string') this.#take(out, read, 0, now)
      else {
        const line = parseLine(read.text)
        if (line !== undefined) this.#take(out, 'wrong' in line ? 'too-long' : line, read.bytes, now)
      }
    }
  }

  #endless(out: Outputs): void {
    this.#violation(out, 'Input line was too long', 'a line without an end', { verb: '', length: this.#reader.limit })
  }

  #take(out: Outputs, read: Read, bytes: number, now: number): void {
    const queue = this.#queue
    const verb = typeof read === 'string' ? '' : read.verb
    if (IrcdMachine.#ROWS.get(verb)?.urgent === true) this.#handle(out, read, now)
    else if (queue.isEmpty && !this.#isAsking && queue.admits(now)) this.#handle(out, read, now)
    else {
      queue.push(read, bytes)
      if (queue.isOverfull) this.#violation(out, 'Excess Flood', 'too many lines', { verb, length: queue.bytes })
      else if (!this.#isAsking) this.#resumeAt ??= queue.readyAt(now)
    }
  }

  /** What waits, as far as it may. */
  #goOn(out: Outputs, now: number): void {
    this.#resumeAt = undefined
    while (!this.#queue.isEmpty && !this.#isAsking) {
      if (!this.#queue.admits(now)) {
        this.#resumeAt = this.#queue.readyAt(now)
        return
      }
      this.#handleNext(out, now)
    }
  }

  /** The client is going: what it has said before counts, unless its password is still being checked. */
  #letAllThrough(out: Outputs, now: number): void {
    while (!this.#queue.isEmpty && !this.#isAsking) this.#handleNext(out, now)
  }

  #handleNext(out: Outputs, now: number): void {
    const read = this.#queue.shift()
    if (read !== undefined) this.#handle(out, read, now)
  }

  #handle(out: Outputs, read: Read, now: number): void {
    if (typeof read === 'string') this.#client.complain(out, read)
    else this.#obey(out, read, now)
  }

  #obey(out: Outputs, line: ClientLine, now: number): void {
    const client = this.#client
    const row = IrcdMachine.#ROWS.get(line.verb)
    const registering = this.#state.kind === 'registering'
    const handler = registering ? row?.before : row?.after
    if (row === undefined || handler === undefined) {
      if (registering) this.#stranger(out, line)
      else out.push({ kind: 'event', event: { kind: 'line', line } })
    } else if (line.params.length < row.min) {
      client.answer(out, line, [client.numeric('ERR_NEEDMOREPARAMS', [line.verb])])
    } else handler(this, line, out, now)
    if (registering) this.#complete(out)
  }

  #stranger(out: Outputs, line: ClientLine): void {
    if (BROWSER.has(line.verb)) this.#violation(out, 'Not a web server', 'a browser', { verb: line.verb, length: 0 })
    else this.#client.answer(out, line, [this.#client.numeric('ERR_NOTREGISTERED')])
  }

  static readonly #ROWS: ReadonlyMap<string, Row> = new Map<string, Row>([
    ['CAP', { min: 1, ...always((machine, line, out) => machine.#capability(line, out)) }],
    [
      'PASS',
      {
        min: 1,
        before: (machine, line, out) => machine.#registration?.pass(line, out),
        after: (machine, line, out) => machine.#refuse('ERR_ALREADYREGISTERED', line, out),
      },
    ],
    ['NICK', { min: 0, before: (machine, line, out) => machine.#registration?.nick(line, out) }],
    [
      'USER',
      {
        min: 4,
        before: (machine, line, out) => machine.#registration?.user(line, out),
        after: (machine, line, out) => machine.#refuse('ERR_ALREADYREGISTERED', line, out),
      },
    ],
    [
      'AUTHENTICATE',
      {
        min: 1,
        before: (machine, line, out) => machine.#registration?.authenticate(line, out),
        after: (machine, line, out) => machine.#refuse('ERR_SASLALREADY', line, out),
      },
    ],
    ['JOIN', { min: 0, before: (machine, line, out) => machine.#earlyJoin(line, out) }],
    ['PING', { min: 0, urgent: true, ...always((machine, line, out) => machine.#ping(line, out)) }],
    ['PONG', { min: 0, urgent: true, ...always((machine, line, out) => machine.#pong(line, out)) }],
    ['QUIT', { min: 0, urgent: true, ...always((machine, line, out, now) => machine.#quit(line, out, now)) }],
  ])

  #capability(line: ClientLine, out: Outputs): void {
    const step = capability(this.#client, this.#options.server, line, out)
    this.#registration?.negotiation(step)
  }

  #refuse(name: NumericName, line: ClientLine, out: Outputs): void {
    this.#client.answer(out, line, [this.#client.numeric(name)])
  }

  /** irssi says `JOIN :` before it registers. */
  #earlyJoin(line: ClientLine, out: Outputs): void {
    const [channels = ''] = line.params
    this.#client.answer(out, line, channels === '' ? [] : [this.#client.numeric('ERR_NOTREGISTERED')])
  }

  #ping(line: ClientLine, out: Outputs): void {
    const [token = ''] = line.params
    const pong: ServerMessage = { verb: 'PONG', params: [this.#options.server, token] }
    this.#client.answer(out, line, [token === '' ? this.#client.numeric('ERR_NOORIGIN') : pong])
  }

  #pong(line: ClientLine, out: Outputs): void {
    const token = this.#heartbeat.confirmed(line.params)
    if (token !== undefined) out.push({ kind: 'event', event: { kind: 'confirmed', token } })
    this.#client.answer(out, line, [])
  }

  #quit(line: ClientLine, out: Outputs, now: number): void {
    const [reason = ''] = line.params
    this.#letAllThrough(out, now)
    this.#end(out, reason, { kind: 'done' }, `Quit: ${reason}`)
  }

  #complete(out: Outputs): void {
    const registration = this.#registration
    if (registration?.isComplete(out) !== true) return
    const client = this.#client
    this.#state = REGISTERED
    client.write(out, welcome(this.#options, client.nick, client.mask))
    const { given } = registration
    if (given !== undefined && given !== client.nick) client.rename(out, given)
    const { nick, username, realname, account } = client
    out.push({ kind: 'event', event: { kind: 'registered', nick, username, realname, account } })
  }

  #violation(out: Outputs, reason: string, detail: string, at: { verb: string; length: number }): void {
    this.#end(out, reason, { kind: 'peer-violation', detail, at })
  }

  /** Whoever stands above hears of it, if they know the client at all. */
  #end(out: Outputs, reason: string, close: CloseReason, words = reason): void {
    if (this.#state.kind === 'registered') out.push({ kind: 'event', event: { kind: 'quit', reason } })
    this.#over(out, words, close)
  }

  #over(out: Outputs, reason: string, close: CloseReason): void {
    if (this.#state.kind === 'over') return
    const client = this.#client
    client.write(out, [{ verb: 'ERROR', params: [`Closing link: (${client.userAtHost}) [${reason}]`] }])
    this.#state = OVER
    this.#queue.clear()
    this.#reader.clear()
    this.#resumeAt = undefined
    out.push({ kind: 'close', reason: close })
  }
}
