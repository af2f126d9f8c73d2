import { MisuseError, type CloseReason, type Machine, type Output } from '../../sansio/machine.ts'
import { TokenBucket } from '../../sansio/rate.ts'
import { TRAITS, type Dialect } from '../model/dialect.ts'
import type { ServiceLimits, ServiceTimings } from '../service/contract.ts'
import { decodeName, encodeNick } from '../wire/escape.ts'
import { encodeFrame, Framer, isFault, SERVER_LIMITS, type Frame, type FrameFault } from '../wire/frame.ts'
import { verbOf } from '../wire/verbs.ts'
import { formatMember } from './member-words.ts'
import { isMalformedP2p } from './p2p-check.ts'
import { Given } from './receipts.ts'
import { ServerChallenge } from './server-challenge.ts'
import type { AckType, Person, SwitchboardCommand, SwitchboardEvent } from './switchboard-server-events.ts'

export interface SwitchboardServerOptions {
  readonly limits: ServiceLimits
  readonly timings: ServiceTimings
  readonly random: (bytes: number) => Uint8Array
}

type State =
  | { readonly kind: 'new'; readonly until: number }
  /** A USR or ANS waits for its answer; what comes after it waits too. */
  | { readonly kind: 'asking'; readonly until: number; readonly verb: 'USR' | 'ANS'; readonly trid: string }
  | { readonly kind: 'inside'; readonly dialect: Dialect }
  | { readonly kind: 'over' }

/** Bytes of a client that sends faster than it may, before it is read from no more for now, */
export const FULL_BYTES = 64 * 1024
/** and before the connection is closed: what came through the gateway cannot be left unread. */
export const MAX_HELD_BYTES = 256 * 1024

type Outputs = Output<SwitchboardEvent>[]

const OVER: State = { kind: 'over' }
const TRID = /^\d{1,10}$/
const SESSION = /^\d{1,10}$/
const COUNT = /^\d{1,15}$/
const isAckType = (word: string): word is AckType => word.length === 1 && 'UNADS'.includes(word)

/**
 * The service's end of one switchboard connection. It knows the lines and their order; who may enter, whom a message
 * reaches and who is there is decided outside. Source: docs/protocol.md, Switchboard.
 */
export class SwitchboardServer implements Machine<SwitchboardCommand, SwitchboardEvent> {
  readonly #options: SwitchboardServerOptions
  readonly #framer: Framer
  #messages: TokenBucket
  readonly #commands: TokenBucket
  readonly #calls: TokenBucket
  readonly #challenge: ServerChallenge
  #state: State
  /** When reading goes on after too many messages; 0: it does not wait. */
  #heldUntil = 0
  readonly #given = new Given()

  constructor(options: SwitchboardServerOptions, now: number) {
    const { limits, timings } = options
    this.#options = options
    this.#framer = new Framer('client', { line: SERVER_LIMITS.line, payload: limits.messageBytes })
    this.#messages = new TokenBucket(limits.messageRate, now)
    this.#commands = new TokenBucket(limits.commandRate, now)
    this.#calls = new TokenBucket(limits.callRate, now)
    this.#challenge = new ServerChallenge(timings.switchboardChallenge, timings.challengeMs, options.random)
    this.#state = { kind: 'new', until: now + timings.signInMs }
  }

  get wakeAt(): number | undefined {
    switch (this.#state.kind) {
      case 'new':
      case 'asking':
        return this.#state.until
      case 'inside':
        return earliest(this.#challenge.wakeAt, this.#heldUntil === 0 ? undefined : this.#heldUntil)
      case 'over':
        return undefined
    }
  }

  get isFull(): boolean {
    return this.#heldUntil > 0 && this.#framer.waiting > FULL_BYTES
  }

  receive(bytes: Uint8Array | null, now: number): readonly Output<SwitchboardEvent>[] {
    if (this.#state.kind === 'over') return []
    const out: Outputs = []
    if (bytes === null) {
      this.#readLast(out, now)
      return out
    }
    this.#framer.push(bytes)
    this.#read(out, now)
    return out
  }

  command(command: SwitchboardCommand, now: number): readonly Output<SwitchboardEvent>[] {
    const out: Outputs = []
    switch (command.kind) {
      // Answers may still be due when a later line of the same packet has ended the connection.
      case 'relay':
        this.#given.give()
        out.push({ kind: 'write', bytes: command.bytes })
        break
      case 'ack':
        write(out, 'ACK', [command.trid])
        break
      case 'nak':
        write(out, 'NAK', [command.trid])
        break
      case 'ringing':
        write(out, 'CAL', [command.trid, 'RINGING', command.session])
        break
      case 'error':
        write(out, String(command.code), [command.trid])
        break
      case 'joined':
        write(out, 'JOI', memberWords(command.person, this.#state))
        break
      case 'left':
        write(out, 'BYE', [command.email])
        break
      case 'admitted': {
        const asking = this.#asking()
        if (asking === undefined) break
        this.#admit(out, asking, command)
        this.#challenge.begin(now)
        this.#challengeIfDue(out, now)
        this.#read(out, now)
        break
      }
      case 'refused': {
        const asking = this.#asking()
        if (asking === undefined) break
        write(out, String(command.code), [asking.trid])
        this.#close(out, { kind: 'done' })
        break
      }
      case 'end':
        if (this.#state.kind === 'over') break
        write(out, 'OUT', [])
        this.#close(out, { kind: 'done' })
        break
    }
    return out
  }

  /** undefined: the client is gone by now. */
  #asking(): Extract<State, { readonly kind: 'asking' }> | undefined {
    const state = this.#state
    if (state.kind === 'over') return undefined
    if (state.kind !== 'asking') throw new MisuseError('nobody asked to be let in')
    return state
  }

  tick(now: number): readonly Output<SwitchboardEvent>[] {
    const out: Outputs = []
    const state = this.#state
    switch (state.kind) {
      case 'new':
      case 'asking':
        if (state.until <= now) this.#close(out, { kind: 'timeout', waitingFor: 'USR or ANS' })
        break
      case 'inside':
        this.#challengeIfDue(out, now)
        if (this.#heldUntil > 0 && this.#heldUntil <= now) this.#read(out, now)
        break
      case 'over':
        break
    }
    return out
  }

  #read(out: Outputs, now: number): void {
    this.#heldUntil = 0
    while (this.#state.kind === 'new' || this.#state.kind === 'inside') {
      const ready = this.#messages.readyAt(now)
      if (ready > now) {
        if (this.#framer.waiting > 0) this.#heldUntil = ready
        break
      }
      const frame = this.#framer.next()
      if (frame === undefined) break
      if (isFault(frame)) this.#violation(out, faultWords(frame), frame.verb, frame.length)
      else this.#take(out, frame, now)
    }
    this.#framer.settle()
    const { waiting } = this.#framer
    if (this.#heldUntil > 0 && waiting > MAX_HELD_BYTES) this.#violation(out, 'too many messages', 'MSG', waiting)
    else if (this.#state.kind === 'asking' && waiting > SERVER_LIMITS.payload)
      this.#violation(out, 'too much before being let in', this.#state.verb, waiting)
  }

  /** They have ended. What waits because they were fast is said all the same, as much of it as may come at once. */
  #readLast(out: Outputs, now: number): void {
    if (this.#heldUntil > 0) {
      this.#messages = new TokenBucket(this.#options.limits.messageRate, now)
      this.#read(out, now)
    }
    if (this.#state.kind !== 'over') this.#close(out, { kind: 'lost', detail: 'end of stream' })
  }

  #take(out: Outputs, frame: Frame, now: number): void {
    if (frame.verb === 'MSG') {
      this.#message(out, frame, now)
      return
    }
    if (frame.verb === 'SPK') {
      this.#speak(out, frame, now)
      return
    }
    if (!this.#isReceipt(frame) && !this.#commands.take(now)) {
      this.#violation(out, 'too many commands', frame.verb, 0)
      return
    }
    switch (frame.verb) {
      case 'OUT':
        this.#close(out, { kind: 'done' })
        return
      case 'PNG':
        this.#pong(out)
        return
      default:
        this.#transaction(out, frame, now)
    }
  }

  /** CFM for what it was given since the last one: as many as there are messages, and no faster than those came. */
  #isReceipt({ verb, params: [trid = '', count = '', ...more] }: Frame): boolean {
    // What is answered with an error confirms nothing, and could come without end.
    const isWhole = TRID.test(trid) && COUNT.test(count) && more.length === 0
    return verb === 'CFM' && isWhole && this.#given.isNew(Number(count))
  }

  #transaction(out: Outputs, frame: Frame, now: number): void {
    const [trid, ...params] = frame.params
    if (trid === undefined || !TRID.test(trid)) {
      write(out, verbOf(frame.verb)?.client === undefined ? '200' : trid === undefined ? '300' : '201', ['0'])
      return
    }
    switch (frame.verb) {
      case 'USR':
      case 'ANS':
        this.#ask(out, frame.verb, trid, params)
        return
      case 'CAL':
        this.#call(out, trid, params, now)
        return
      case 'CFM':
        this.#confirmed(out, trid, params)
        return
      case 'SIT':
        this.#sit(out, trid, params)
        return
      case 'QRY':
        this.#answerToChallenge(out, trid, params, frame.payload, now)
        return
      case 'CVR':
      case 'CVQ':
        this.#version(out, frame.verb, trid, params)
        return
      case 'INF':
        write(out, 'INF', [trid, 'TWN'])
        return
      default:
        write(out, '200', [trid])
    }
  }

  #message(out: Outputs, frame: Frame, now: number): void {
    const [trid, ack] = frame.params
    const { payload } = frame
    const fault =
      frame.params.length < 3 || trid === undefined || ack === undefined || payload === undefined
        ? '300'
        : frame.params.length > 3 || !TRID.test(trid)
          ? '201'
          : this.#state.kind === 'inside'
            ? undefined
            : '302'
    this.#messages.take(now)
    if (fault !== undefined || trid === undefined || ack === undefined || payload === undefined) {
      write(out, fault ?? '300', [trid !== undefined && TRID.test(trid) ? trid : '0'])
    } else if (!isAckType(ack)) {
      this.#violation(out, 'an acknowledgement type that does not exist', 'MSG', payload.length)
    } else if (ack === 'D' && isMalformedP2p(payload)) {
      write(out, '282', [trid])
    } else {
      out.push({ kind: 'event', event: { kind: 'message', trid, ack, payload } })
    }
  }

  #ask(out: Outputs, verb: 'USR' | 'ANS', trid: string, params: readonly string[]): void {
    const [email, ticket, session] = params
    const expected = verb === 'USR' ? 2 : 3
    const state = this.#state
    if (state.kind !== 'new') {
      write(out, '207', [trid])
    } else if (email === undefined || ticket === undefined || params.length < expected) {
      write(out, '300', [trid])
    } else if (params.length > expected || (session !== undefined && !SESSION.test(session))) {
      write(out, '201', [trid])
    } else {
      this.#state = { kind: 'asking', until: state.until, verb, trid }
      out.push({
        kind: 'event',
        event: session === undefined ? { kind: 'enter', email, ticket } : { kind: 'answer', email, ticket, session },
      })
    }
  }

  #admit(
    out: Outputs,
    asking: { readonly verb: 'USR' | 'ANS'; readonly trid: string },
    {
      self,
      dialect,
      present,
    }: { readonly self: Person; readonly dialect: Dialect; readonly present: readonly Person[] },
  ): void {
    this.#state = { kind: 'inside', dialect }
    if (asking.verb === 'USR') {
      write(out, 'USR', [asking.trid, 'OK', self.email, encodeNick(self.name)])
      return
    }
    present.forEach((person, index) => {
      write(out, 'IRO', [asking.trid, index + 1, present.length, ...memberWords(person, this.#state)])
    })
    write(out, 'ANS', [asking.trid, 'OK'])
  }

  #call(out: Outputs, trid: string, params: readonly string[], now: number): void {
    const [email] = params
    if (this.#state.kind !== 'inside') write(out, '302', [trid])
    else if (email === undefined) write(out, '300', [trid])
    else if (params.length > 1) write(out, '201', [trid])
    else if (!this.#calls.take(now)) write(out, '713', [trid])
    else out.push({ kind: 'event', event: { kind: 'call', trid, email } })
  }

  #confirmed(out: Outputs, trid: string, params: readonly string[]): void {
    const [count] = params
    if (this.#state.kind !== 'inside') write(out, '302', [trid])
    else if (count === undefined) write(out, '300', [trid])
    else if (params.length > 1 || !COUNT.test(count)) write(out, '201', [trid])
    else {
      this.#given.confirmed(Number(count))
      out.push({ kind: 'event', event: { kind: 'confirmed', count: Number(count) } })
    }
  }

  #sit(out: Outputs, trid: string, params: readonly string[]): void {
    const [email, word] = params
    if (this.#state.kind !== 'inside') write(out, '302', [trid])
    else if (email === undefined) write(out, '300', [trid])
    else if (params.length > 2) write(out, '201', [trid])
    else if (word !== undefined && word.length > this.#options.limits.nameBytes) write(out, '209', [trid])
    else {
      const name = word === undefined ? undefined : decodeName(word)
      out.push({ kind: 'event', event: { kind: 'sit', trid, email, name } })
    }
  }

  /** It belongs to the message behind it, and there are as many of them. */
  #speak(out: Outputs, frame: Frame, now: number): void {
    const [trid, email] = frame.params
    const { payload } = frame
    this.#messages.take(now)
    if (trid === undefined || email === undefined || payload === undefined || frame.params.length < 3)
      write(out, '300', [trid !== undefined && TRID.test(trid) ? trid : '0'])
    else if (frame.params.length > 3 || !TRID.test(trid)) write(out, '201', [TRID.test(trid) ? trid : '0'])
    else if (this.#state.kind !== 'inside') write(out, '302', [trid])
    else out.push({ kind: 'event', event: { kind: 'speak', email, payload } })
  }

  #version(out: Outputs, verb: 'CVR' | 'CVQ', trid: string, params: readonly string[]): void {
    const version = params[5]
    if (version === undefined) write(out, '300', [trid])
    else write(out, verb, [trid, version, version, version, INFO_URL, INFO_URL])
  }

  /** `QNG 50` from MSNP9 on: the seconds until the next PNG should come. */
  #pong(out: Outputs): void {
    const state = this.#state
    const seconds = state.kind === 'inside' && TRAITS[state.dialect].qngSeconds
    write(out, 'QNG', seconds ? [Math.round(this.#options.timings.pingMs / 1000)] : [])
  }

  /** Where nobody is challenged, an answer is as right as any. */
  #answerToChallenge(
    out: Outputs,
    trid: string,
    params: readonly string[],
    payload: Uint8Array | undefined,
    now: number,
  ): void {
    const state = this.#state
    const [product] = params
    if (state.kind !== 'inside') write(out, '302', [trid])
    else if (product === undefined || payload === undefined || params.length < 2) write(out, '300', [trid])
    else if (params.length > 2) write(out, '201', [trid])
    else if (
      this.#options.timings.switchboardChallenge === 'off' ||
      this.#challenge.isAnswered(product, payload, TRAITS[state.dialect].number, now)
    ) {
      write(out, 'QRY', [trid])
    } else {
      write(out, '540', [trid])
      this.#violation(out, 'a wrong or late answer to a challenge', 'QRY', payload.length)
    }
  }

  #challengeIfDue(out: Outputs, now: number): void {
    const due = this.#challenge.due(now)
    if (due === undefined) return
    if (due.kind === 'send') write(out, 'CHL', ['0', due.challenge])
    else {
      write(out, '540', ['0'])
      this.#close(out, { kind: 'timeout', waitingFor: 'QRY' })
    }
  }

  #violation(out: Outputs, detail: string, verb: string, length: number): void {
    this.#close(out, { kind: 'peer-violation', detail, at: { verb, length } })
  }

  #close(out: Outputs, reason: CloseReason): void {
    this.#state = OVER
    out.push({ kind: 'close', reason })
  }
}

/** Somebody inside, as IRO and JOI have them in the dialect of whoever reads it. */
const memberWords = ({ email, name, clientId }: Person, reader: State): readonly string[] =>
  formatMember({ email, name, clientId }, reader.kind === 'inside' && TRAITS[reader.dialect].memberClientIds)

/** Told to a client that asks for its version; there is nothing to download. */
const INFO_URL = 'http://messenger.msn.com'

const faultWords = (fault: FrameFault): string => {
  switch (fault.fault) {
    case 'line-too-long':
      return 'a line that is too long'
    case 'payload-too-long':
      return 'a message that is too long'
    case 'bad-length':
      return 'a length that is no number'
  }
}

const earliest = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)

const write = (out: Outputs, verb: string, params: readonly (string | number)[]): void => {
  out.push({ kind: 'write', bytes: encodeFrame(verb, params) })
}
