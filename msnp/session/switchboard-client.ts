import { MisuseError, type Machine, type Output } from '../../sansio/machine.ts'
import { isAddress } from '../model/address.ts'
import { CONTENT_TYPES, MAX_MESSAGE_BYTES, parseSaid } from '../model/content-types.ts'
import { TRAITS } from '../model/dialect.ts'
import { nameOf } from '../model/names.ts'
import { errorNumber } from '../wire/error-codes.ts'
import { encodeNick } from '../wire/escape.ts'
import type { Frame } from '../wire/frame.ts'
import { parseMime } from '../wire/mime.ts'
import { ClientLine } from './client-line.ts'
import { answerChallenge } from './notification-context.ts'
import { parseMember } from './member-words.ts'
import { Receipts } from './receipts.ts'
import { Ringing } from './ringing.ts'
import { keyOf } from './roster.ts'
import type {
  InviteOutcome,
  Member,
  SendOutcome,
  SwitchboardClientOptions,
  SwitchboardCommand,
  SwitchboardEvent,
  SwitchboardState,
} from './switchboard-client-states.ts'

/** People inside that are kept track of; old services allowed 5, later ones a few dozen. */
export const MAX_MEMBERS = 500
type Pending =
  | { readonly kind: 'enter' }
  | { readonly kind: 'challenge' }
  | { readonly kind: 'call'; readonly id: number; readonly email: string }
  | { readonly kind: 'message'; readonly id: number; readonly ack: 'A' | 'N' | 'D'; members: readonly string[] }

type Handler = (frame: Frame) => void

/**
 * The client's side of one switchboard: USR or ANS, then CAL, MSG and who comes and goes. Results of `invite` and `send`
 * that are still out when the connection ends are never told: whoever waits for one sees the close.
 * Source: docs/protocol.md, Switchboard.
 */
export class SwitchboardClient implements Machine<SwitchboardCommand, SwitchboardEvent> {
  readonly #options: SwitchboardClientOptions
  readonly #line = new ClientLine<SwitchboardEvent, Pending>()
  readonly #members = new Map<string, Member>()
  readonly #ringing = new Ringing()
  #state: SwitchboardState = { kind: 'idle' }
  #session: string | undefined
  /** Addresses of the members, shared by all messages that are written while nobody comes or goes. */
  #present: readonly string[] | undefined
  readonly #receipts = new Receipts()
  #lastUsed = 0
  #isShared = false

  constructor(options: SwitchboardClientOptions) {
    this.#options = options
  }

  get state(): SwitchboardState {
    return this.#line.closed ? { kind: 'closed' } : this.#state
  }

  /** Who is inside besides us, by address in lower case. */
  get members(): ReadonlyMap<string, Member> {
    return this.#members
  }

  /** Another session of our own account is here, or on its way. */
  get isShared(): boolean {
    return this.#isShared
  }

  /** The server's id of the session; undefined until the first CAL was answered. */
  get session(): string | undefined {
    return this.#session
  }

  /** When a message went either way, or the door opened. */
  get lastUsed(): number {
    return this.#lastUsed
  }

  get unknownLines(): number {
    return this.#line.unknownLines
  }

  get malformedLines(): number {
    return this.#line.malformedLines
  }

  get wakeAt(): number | undefined {
    if (this.#line.closed) return undefined
    const idleMs = this.#options.timings.switchboardIdleMs
    const at = Math.min(
      this.#line.requests.wakeAt ?? Infinity,
      this.#ringing.wakeAt ?? Infinity,
      this.#state.kind === 'open' && idleMs > 0 ? this.#lastUsed + idleMs : Infinity,
    )
    return at === Infinity ? undefined : at
  }

  receive(bytes: Uint8Array | null, now: number): readonly Output<SwitchboardEvent>[] {
    return this.#line.read(bytes, now, (frame) => this.#handle(frame))
  }

  command(command: SwitchboardCommand, now: number): readonly Output<SwitchboardEvent>[] {
    const line = this.#line
    if (line.closed) return []
    line.now = now
    switch (command.kind) {
      case 'open':
        this.#enter('USR', [this.#options.email, command.token])
        break
      case 'answer':
        this.#session = command.session
        this.#enter('ANS', [this.#options.email, command.token, command.session])
        break
      case 'invite':
        this.#mustBeOpen()
        if (line.requests.full || this.#ringing.full) {
          this.#invited(command.id, { kind: 'timeout', waitingFor: 'CAL' })
          break
        }
        line.ask('CAL', [command.email], { ...command, kind: 'call' }, this.#options.timings.commandMs)
        break
      case 'send':
        this.#mustBeOpen()
        this.#send(command)
        break
      case 'sit':
        this.#mustBeOpen()
        line.say('SIT', [0, command.email, ...(command.name === undefined ? [] : [encodeNick(command.name)])])
        break
      case 'confirm':
        this.#confirm(command.ordinal)
        break
      case 'leave':
        line.say('OUT')
        line.finish({ kind: 'done' })
        break
    }
    return line.flush()
  }

  tick(now: number): readonly Output<SwitchboardEvent>[] {
    const line = this.#line
    if (line.closed) return []
    line.now = now
    for (const { verb, what } of line.requests.expire(now)) {
      switch (what.kind) {
        case 'enter':
          line.finish({ kind: 'timeout', waitingFor: verb })
          break
        case 'call':
          this.#invited(what.id, { kind: 'timeout', waitingFor: 'CAL' })
          break
        case 'message':
          this.#unanswered(what)
          break
        case 'challenge':
          break
      }
    }
    for (const id of this.#ringing.expire(now)) this.#invited(id, { kind: 'timeout', waitingFor: 'JOI' })
    const idleMs = this.#options.timings.switchboardIdleMs
    if (this.#state.kind === 'open' && idleMs > 0 && this.#lastUsed + idleMs <= now) {
      line.emit({ kind: 'idle' })
      line.say('OUT')
      line.finish({ kind: 'done' })
    }
    return line.flush()
  }

  #enter(verb: 'USR' | 'ANS', params: readonly string[]): void {
    if (this.#state.kind !== 'idle') throw new MisuseError('a switchboard is entered once')
    this.#lastUsed = this.#line.now
    this.#state = { kind: 'entering', verb }
    this.#line.ask(verb, params, { kind: 'enter' }, this.#options.timings.commandMs)
  }

  #mustBeOpen(): void {
    if (this.#state.kind !== 'open') throw new MisuseError('the switchboard is not open yet')
  }

  #send({ id, payload, ack, spoken }: Extract<SwitchboardCommand, { kind: 'send' }>): void {
    const { requests } = this.#line
    const { ackMs, nakMs } = this.#options.timings
    const why =
      payload.length > MAX_MESSAGE_BYTES || (spoken?.payload.length ?? 0) > MAX_MESSAGE_BYTES
        ? 'too-large'
        : this.#members.size === 0
          ? 'empty'
          : requests.full
            ? 'backlog'
            : undefined
    if (why !== undefined) {
      this.#sent(id, { kind: 'not-written', why })
      return
    }
    this.#lastUsed = this.#line.now
    this.#present ??= [...this.#members.keys()]
    const members = this.#present
    if (spoken !== undefined) this.#line.say('SPK', [0, spoken.email], spoken.payload)
    // Before MSNP9 servers close the switchboard over a D.
    const word = ack === 'D' && !TRAITS[this.#options.dialect].directMessages ? 'A' : ack
    const trid = this.#line.ask(
      'MSG',
      [word],
      { kind: 'message', id, ack: ack === 'U' ? 'N' : ack, members },
      ack === 'N' ? nakMs : ackMs,
      payload,
    )
    if (ack !== 'U') return
    requests.drop(trid)
    this.#sent(id, { kind: 'sent', members })
  }

  #handle(frame: Frame): void {
    const code = errorNumber(frame.verb)
    if (code !== undefined) {
      this.#error(frame, code)
      return
    }
    const state = this.#state
    const handlers = state.kind === 'open' ? this.#open : state.kind === 'entering' ? this.#entering : undefined
    const handler = handlers !== undefined && Object.hasOwn(handlers, frame.verb) ? handlers[frame.verb] : undefined
    if (handler === undefined) this.#line.unknownLines++
    else handler(frame)
  }

  /** verb -> what to do at the door. */
  readonly #entering: Readonly<Record<string, Handler>> = {
    // USR 1 OK alice@example.com Alice%20A
    USR: (frame) => this.#entered('USR', frame),
    // IRO 1 1 2 carol@example.com Carol 268435456
    IRO: ({ params }) => {
      const member = memberOf(params.slice(3))
      if (member === undefined) this.#line.malformedLines++
      else this.#join(member)
    },
    // ANS 1 OK
    ANS: (frame) => this.#entered('ANS', frame),
    JOI: (frame) => this.#joined(frame),
    BYE: (frame) => this.#left(frame),
    CHL: (frame) => this.#challenge(frame),
    OUT: () => this.#out(),
  }

  /** verb -> what to do inside. */
  readonly #open: Readonly<Record<string, Handler>> = {
    // CAL 2 RINGING 11752013
    CAL: ({ params }) => {
      const request = this.#line.requests.takeFor('CAL', params[0])
      if (request?.what.kind !== 'call') {
        this.#line.unknownLines++
        return
      }
      this.#session = params[2] ?? this.#session
      this.#rings(request.what)
    },
    // JOI bob@example.com Bob 268435456
    JOI: (frame) => this.#joined(frame),
    // BYE bob@example.com / BYE bob@example.com 1
    BYE: (frame) => this.#left(frame),
    // MSG bob@example.com Bob 133
    MSG: (frame) => this.#message(frame),
    // ACK 4
    ACK: ({ params }) => {
      const what = this.#line.requests.takeFor('MSG', params[0])?.what
      if (what?.kind === 'message') this.#acknowledged(what)
    },
    // NAK 4
    NAK: ({ params }) => {
      const what = this.#line.requests.takeFor('MSG', params[0])?.what
      if (what?.kind === 'message') this.#sent(what.id, { kind: 'nak' })
    },
    CHL: (frame) => this.#challenge(frame),
    QRY: ({ params }) => void this.#line.requests.takeFor('QRY', params[0]),
    OUT: () => this.#out(),
    // Answers that nobody waits for: some services give them to clients that ask.
    QNG: () => undefined,
    USR: () => undefined,
    ANS: () => undefined,
  }

  #entered(verb: 'USR' | 'ANS', frame: Frame): void {
    if (this.#line.requests.takeFor(verb, frame.params[0]) === undefined) {
      this.#line.unknownLines++
    } else if (frame.params[1]?.toUpperCase() !== 'OK') {
      this.#line.violation(`${verb} without OK`, frame)
    } else {
      this.#state = { kind: 'open' }
      this.#lastUsed = this.#line.now
      this.#line.emit({ kind: 'ready' })
    }
  }

  /** It rings. Who has come meanwhile, or was there before us (215), need not be waited for. */
  #rings(call: Extract<Pending, { kind: 'call' }>): void {
    const key = keyOf(call.email)
    const member = this.#members.get(key)
    if (member !== undefined) this.#invited(call.id, { kind: 'joined', member })
    else if (this.#ringing.full) this.#invited(call.id, { kind: 'timeout', waitingFor: 'JOI' })
    else this.#ringing.add(call.id, key, this.#line.now + this.#options.timings.joinMs)
  }

  #joined({ params }: Frame): void {
    const member = memberOf(params)
    if (member === undefined) {
      this.#line.malformedLines++
      return
    }
    if (!this.#join(member)) return
    this.#line.emit({ kind: 'joined', member })
    for (const id of this.#ringing.answered(keyOf(member.email))) this.#invited(id, { kind: 'joined', member })
  }

  /** Whether they are new here. We ourselves are not told apart from our other places: nobody is to hear of them. */
  #join(member: Member): boolean {
    const key = keyOf(member.email)
    if (key === keyOf(this.#options.email)) {
      this.#isShared = true
      return false
    }
    if (this.#members.size >= MAX_MEMBERS && !this.#members.has(key)) return false
    const fresh = !this.#members.has(key)
    this.#members.set(key, member)
    this.#present = undefined
    return fresh
  }

  #left({ params: [email, reason] }: Frame): void {
    const key = email === undefined ? '' : keyOf(email)
    const member = this.#members.get(key)
    if (key === keyOf(this.#options.email)) {
      this.#isShared = false
      return
    }
    if (member === undefined) {
      this.#line.malformedLines++
      return
    }
    this.#members.delete(key)
    this.#present = undefined
    this.#line.emit({ kind: 'left', member, idle: reason === '1' })
    this.#withdraw(key)
  }

  /**
   * Whoever left before the ACK may never have had the message. Services that look say so with a NAK, right behind the
   * BYE; an ACK would prove nothing now, because some give one for an empty room.
   */
  #withdraw(key: string): void {
    const { requests, now } = this.#line
    const lost: number[] = []
    for (const { trid, what } of requests) {
      if (what.kind !== 'message' || !what.members.includes(key)) continue
      what.members = what.members.filter((member) => member !== key)
      if (what.members.length === 0) lost.push(trid)
    }
    for (const trid of lost) requests.hasten(trid, now + this.#options.timings.nakMs)
  }

  #acknowledged({ id, members }: Extract<Pending, { kind: 'message' }>): void {
    this.#sent(id, members.length === 0 ? { kind: 'left-before-ack' } : { kind: 'acked', members })
  }

  #unanswered({ id, ack, members }: Extract<Pending, { kind: 'message' }>): void {
    if (members.length === 0) this.#sent(id, { kind: 'left-before-ack' })
    else this.#sent(id, ack === 'N' ? { kind: 'sent', members } : { kind: 'timeout' })
  }

  #message({ params, payload }: Frame): void {
    const [email, nick] = params
    const ordinal = this.#receipts.next()
    if (payload === undefined || !isAddress(email) || params.length < 2) {
      this.#line.malformedLines++
      this.#confirm(ordinal)
      return
    }
    this.#lastUsed = this.#line.now
    const from = { email, name: nameOf(params.length > 2 ? (nick ?? email) : email) }
    const mime = parseMime(payload)
    const typing = mime.contentType === CONTENT_TYPES.control && parseSaid(mime).kind === 'typing'
    if (typing) {
      this.#line.emit({ kind: 'typing', from })
      this.#confirm(ordinal)
    } else this.#line.emit({ kind: 'message', from, payload: Uint8Array.from(payload), ordinal })
  }

  #confirm(ordinal: number): void {
    const upTo = this.#options.confirms === true ? this.#receipts.stored(ordinal) : undefined
    if (upTo !== undefined) this.#line.say('CFM', [0, upTo])
  }

  #challenge(frame: Frame): void {
    const { dialect, timings } = this.#options
    answerChallenge(this.#line, frame, dialect, { kind: 'challenge' }, timings.commandMs)
  }

  #out(): void {
    this.#line.emit({ kind: 'out' })
    this.#line.finish({ kind: 'done' })
  }

  #error({ params }: Frame, code: number): void {
    const { requests } = this.#line
    const request = requests.take(params[0]) ?? (this.#state.kind === 'entering' ? requests.takeOnly() : undefined)
    const what = request?.what
    switch (what?.kind) {
      case 'enter':
        this.#line.emit({ kind: 'refused', code })
        this.#line.finish({ kind: 'done' })
        break
      case 'call':
        // In the room already, or ringing already: either way they will be here.
        if (code === 215 && keyOf(what.email) !== keyOf(this.#options.email)) this.#rings(what)
        else this.#invited(what.id, { kind: 'refused', code })
        break
      case 'message':
        this.#sent(what.id, { kind: 'nak', code })
        break
      case 'challenge':
        break
      case undefined:
        this.#line.unknownLines++
    }
  }

  #invited(id: number, outcome: InviteOutcome): void {
    this.#line.emit({ kind: 'invited', id, outcome })
  }

  #sent(id: number, outcome: SendOutcome): void {
    this.#line.emit({ kind: 'sent', id, outcome })
  }
}

/** The client id comes from MSNP12 on. */
function memberOf(words: readonly string[]): Member | undefined {
  const read = parseMember(words)
  if (read === undefined) return undefined
  const { email, name, clientId } = read
  return { email, name, ...(clientId === undefined ? {} : { clientId }) }
}
