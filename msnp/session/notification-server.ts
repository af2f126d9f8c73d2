import { MisuseError, type CloseReason, type Machine, type Output } from '../../sansio/machine.ts'
import { TokenBucket } from '../../sansio/rate.ts'
import { parseAddress } from '../model/address.ts'
import { BESIDE_CLIENT } from '../model/beside.ts'
import { knownDialects, TRAITS, type Dialect } from '../model/dialect.ts'
import type { ServiceLimits, ServiceTimings } from '../service/contract.ts'
import { encodeNick } from '../wire/escape.ts'
import { encodeFrame, Framer, isFault, SERVER_LIMITS, type Frame, type FrameFault } from '../wire/frame.ts'
import { verbOf, type Verb } from '../wire/verbs.ts'
import type { NsCommand, NsEvent } from './notification-server-events.ts'
import { localAnswer, requestOf } from './notification-requests.ts'
import { ServerChallenge } from './server-challenge.ts'

export interface NotificationServerOptions {
  /** DS: a dispatch server, which sends clients on to a notification server. */
  readonly role: 'NS' | 'DS'
  readonly limits: ServiceLimits
  readonly timings: ServiceTimings
  /** A web page of the service, named where real servers offered downloads. */
  readonly site: string
  /** So many bytes that nobody can guess, for challenges. */
  random(bytes: number): Uint8Array
}

/** Commands over the rate that get 800, one after the other, before the connection is closed. */
export const MAX_COMMANDS_OVER_RATE = 100
/** A client that has sent PNG before is lost after so many intervals of silence. */
export const SILENT_INTERVALS = 3

/**
 * What the connection is up to. signed-out: the handshake, as far as `dialect` and `email` show. proving: a ticket is
 * being checked, and what comes after it waits.
 */
type Stage = 'signed-out' | 'proving' | 'signed-in' | 'over'
type Outputs = Output<NsEvent>[]

const NOTHING: readonly Output<NsEvent>[] = []
const TRID = /^\d{1,10}$/
const MAX_TRID = 0xffffffff
/** What may be asked before sign-in. */
const HANDSHAKE: ReadonlySet<string> = new Set(['VER', 'CVR', 'CVQ', 'INF', 'USR'])

/**
 * The service's end of a connection to a dispatch or notification server: framing, the handshake, the form of every
 * request, and what needs no knowledge of accounts. Requests come out as events and are answered by commands.
 * Source: docs/protocol.md, Dispatch and login; Errors.
 */
export class NotificationServer implements Machine<NsCommand, NsEvent> {
  readonly #options: NotificationServerOptions
  readonly #framer = new Framer('client', SERVER_LIMITS)
  readonly #rate: TokenBucket
  readonly #signInUntil: number
  #stage: Stage = 'signed-out'
  #dialect: Dialect | undefined
  /** Who the last `USR TWN I` said they are, until they are signed in. */
  #email: string | undefined
  /** The client wants to stand beside the person's Messenger. */
  #isBeside = false
  #challenge: ServerChallenge | undefined
  #heardAt: number
  #hasPinged = false
  #overRate = 0

  constructor(options: NotificationServerOptions, now: number) {
    this.#options = options
    this.#rate = new TokenBucket(options.limits.commandRate, now)
    this.#signInUntil = now + options.timings.signInMs
    this.#heardAt = now
  }

  get wakeAt(): number | undefined {
    switch (this.#stage) {
      case 'signed-out':
      case 'proving':
        return this.#signInUntil
      case 'signed-in': {
        const challengeAt = this.#challenge?.wakeAt
        if (!this.#hasPinged) return challengeAt
        return challengeAt === undefined ? this.#silentUntil : Math.min(challengeAt, this.#silentUntil)
      }
      case 'over':
        return undefined
    }
  }

  receive(bytes: Uint8Array | null, now: number): readonly Output<NsEvent>[] {
    if (this.#stage === 'over') return NOTHING
    const out: Outputs = []
    if (bytes === null) {
      this.#close(out, { kind: 'lost', detail: 'end of stream' })
      return out
    }
    this.#heardAt = now
    this.#framer.push(bytes)
    this.#read(out, now)
    return out
  }

  command(command: NsCommand, now: number): readonly Output<NsEvent>[] {
    const out: Outputs = []
    // What was asked before the line of the same packet that ended the connection is answered; nothing else is said.
    if (this.#stage === 'over' && !ANSWERS.has(command.kind)) return NOTHING
    switch (command.kind) {
      case 'push':
        out.push({ kind: 'write', bytes: command.bytes })
        break
      case 'reply':
        write(out, command.verb, [command.trid, ...command.words])
        break
      case 'error':
        write(out, String(command.code), [command.trid])
        break
      case 'policy':
        write(out, 'USR', [command.trid, 'TWN', 'S', command.policy])
        break
      case 'redirect':
        write(out, 'XFR', [command.trid, 'NS', command.to, 0, command.own])
        this.#close(out, DONE)
        break
      case 'welcome':
        if (this.#stage !== 'proving' || this.#dialect === undefined) throw new MisuseError('nobody showed a ticket')
        this.#stage = 'signed-in'
        this.#email = undefined
        write(out, 'USR', [
          command.trid,
          'OK',
          command.email,
          ...(TRAITS[this.#dialect].nameInUsrOk ? [encodeNick(command.name)] : []),
          1,
          0,
        ])
        if (TRAITS[this.#dialect].mobileCredits) write(out, 'SBS', [0, 'null'])
        out.push({ kind: 'write', bytes: encodeFrame('MSG', ['Hotmail', 'Hotmail'], command.profile) })
        this.#read(out, now)
        break
      case 'refuse':
        write(out, String(command.code), [command.trid])
        this.#close(out, DONE)
        break
      case 'challenge':
        this.#beginChallenges(out, now)
        break
      case 'out':
        write(out, 'OUT', command.why === undefined ? [] : [command.why])
        this.#close(out, DONE)
        break
    }
    return out
  }

  tick(now: number): readonly Output<NsEvent>[] {
    const out: Outputs = []
    switch (this.#stage) {
      case 'signed-out':
      case 'proving':
        if (this.#signInUntil <= now) this.#close(out, { kind: 'timeout', waitingFor: 'sign-in' })
        break
      case 'signed-in':
        if (this.#hasPinged && this.#silentUntil <= now) this.#close(out, { kind: 'timeout', waitingFor: 'PNG' })
        else this.#challengeIfDue(out, now)
        break
      case 'over':
        break
    }
    return out
  }

  get #silentUntil(): number {
    return this.#heardAt + SILENT_INTERVALS * this.#options.timings.pingMs
  }

  #read(out: Outputs, now: number): void {
    while (this.#stage === 'signed-out' || this.#stage === 'signed-in') {
      const frame = this.#framer.next()
      if (frame === undefined) break
      if (isFault(frame)) this.#violation(out, faultWords(frame), frame.verb, frame.length)
      else this.#take(out, frame, now)
    }
    this.#framer.settle()
    if (this.#stage === 'proving' && this.#framer.waiting > SERVER_LIMITS.payload) {
      this.#violation(out, 'too much before being let in', 'USR', this.#framer.waiting)
    }
  }

  #take(out: Outputs, frame: Frame, now: number): void {
    if (!this.#rate.take(now)) {
      this.#tooFast(out, frame)
      return
    }
    this.#overRate = 0
    switch (frame.verb) {
      case 'OUT':
        this.#close(out, DONE)
        return
      case 'PNG':
        this.#pong(out)
        return
      default:
        this.#transaction(out, frame, now)
    }
  }

  /** `800 12`; without a transaction id, as for PNG, silence. */
  #tooFast(out: Outputs, frame: Frame): void {
    this.#overRate += 1
    const trid = tridOf(frame)
    if (this.#overRate > MAX_COMMANDS_OVER_RATE) this.#violation(out, 'too many commands', frame.verb, 0)
    else if (trid !== undefined) write(out, '800', [trid])
  }

  #transaction(out: Outputs, frame: Frame, now: number): void {
    const trid = tridOf(frame)
    const code = this.#misplaced(verbOf(frame.verb), frame, trid)
    if (code !== undefined || trid === undefined) {
      this.#answer(out, String(code ?? 201), [trid ?? 0])
      // Without a number that answers can carry, a handshake leads nowhere.
      if (frame.verb === 'VER' && code === 201) this.#violation(out, 'no transaction id', 'VER', 0)
      return
    }
    const words = frame.params.slice(1)
    switch (frame.verb) {
      case 'VER':
        this.#versions(out, trid, words)
        return
      case 'CVR':
      case 'CVQ':
        this.#clientVersion(out, frame.verb, trid, words)
        return
      case 'INF':
        this.#answer(out, 'INF', [trid, 'TWN'])
        return
      case 'USR':
        this.#user(out, trid, words)
        return
      case 'QRY':
        this.#answerToChallenge(out, trid, words, frame.payload, now)
        return
      default:
        this.#request(out, frame, trid, words)
    }
  }

  /**
   * The code for a command that does not belong here: 200 unknown, or of a later dialect, 300 or 201 no transaction id,
   * 302 too early, 502 gone since an earlier dialect.
   */
  #misplaced(verb: Verb | undefined, frame: Frame, trid: string | undefined): number | undefined {
    const number = this.#dialect === undefined ? undefined : TRAITS[this.#dialect].number
    if (verb?.client === undefined || !verb.roles.includes('NS')) return 200
    const { since = 0, until = Infinity, client } = verb
    if (number !== undefined && number < since) return 200
    if (trid === undefined) return frame.params.length === 0 ? 300 : 201
    if (this.#stage !== 'signed-in') return HANDSHAKE.has(verb.verb) ? undefined : 302
    return number !== undefined && number > Math.min(until, client.until ?? Infinity) ? 502 : undefined
  }

  /** `VER 1 MSNP9 MSNP8 CVR0`: the newest that both know comes first in the answer, then the rest as offered. */
  #versions(out: Outputs, trid: string, words: readonly string[]): void {
    if (this.#dialect !== undefined) {
      write(out, '715', [trid])
      this.#violation(out, 'a second VER', 'VER', 0)
      return
    }
    if (words.length === 0) {
      write(out, '300', [trid])
      return
    }
    const common = [...new Set(knownDialects(words))]
    const chosen = common.reduce<Dialect | undefined>(
      (best, dialect) => (best === undefined || TRAITS[dialect].number > TRAITS[best].number ? dialect : best),
      undefined,
    )
    if (chosen === undefined) {
      write(out, 'VER', [trid, 0])
      this.#close(out, DONE)
      return
    }
    this.#dialect = chosen
    write(out, 'VER', [trid, chosen, ...common.filter((dialect) => dialect !== chosen), 'CVR0'])
  }

  /** The client's own version three times, so that it sees no reason to update itself. */
  #clientVersion(out: Outputs, verb: 'CVR' | 'CVQ', trid: string, words: readonly string[]): void {
    const version = words[5]
    this.#isBeside = words[6] === BESIDE_CLIENT
    const { site } = this.#options
    if (version === undefined) this.#answer(out, '300', [trid])
    else this.#answer(out, verb, [trid, version, version, version, site, site])
  }

  /** `USR 3 TWN I alice@example.com`, then `USR 4 TWN S <ticket>`. */
  #user(out: Outputs, trid: string, [way, step, ...rest]: readonly string[]): void {
    const [first] = rest
    const dialect = this.#dialect
    if (this.#stage === 'signed-in') this.#answer(out, '207', [trid])
    else if (dialect === undefined) write(out, '302', [trid])
    else if (way === undefined || step === undefined || first === undefined) write(out, '300', [trid])
    else if (way.toUpperCase() !== 'TWN') write(out, '201', [trid])
    else if (step.toUpperCase() === 'I') this.#identify(out, trid, first, dialect)
    else if (step.toUpperCase() !== 'S') write(out, '201', [trid])
    else if (this.#email === undefined) {
      write(out, '911', [trid])
      this.#close(out, DONE)
    } else {
      this.#stage = 'proving'
      // A blank inside the ticket, as printed in some descriptions, is not part of it.
      out.push({
        kind: 'event',
        event: {
          kind: 'prove',
          trid,
          email: this.#email,
          dialect,
          ticket: rest.join(''),
          ...(this.#isBeside ? { beside: true } : {}),
        },
      })
    }
  }

  #identify(out: Outputs, trid: string, word: string, dialect: Dialect): void {
    const email = parseAddress(word, this.#options.limits.addressBytes)
    if (typeof email === 'number') {
      write(out, String(email), [trid])
      return
    }
    this.#email = email
    out.push({ kind: 'event', event: { kind: 'identify', trid, email, dialect } })
  }

  #request(out: Outputs, { verb, payload }: Frame, trid: string, words: readonly string[]): void {
    const dialect = this.#dialect
    const read = dialect === undefined ? undefined : requestOf(verb, dialect)
    if (read === undefined || dialect === undefined) {
      const answer = localAnswer(verb, words, this.#options.site)
      if (typeof answer === 'number') this.#answer(out, String(answer), [trid])
      else this.#answer(out, verb, [trid, ...answer])
      return
    }
    const event = read(trid, words, { dialect, limits: this.#options.limits, payload })
    if (typeof event === 'number') this.#answer(out, String(event), [trid])
    else out.push({ kind: 'event', event })
  }

  /** `QNG 50` from MSNP9 on: the seconds until the next PNG should come. */
  #pong(out: Outputs): void {
    this.#hasPinged = true
    const seconds = this.#dialect !== undefined && TRAITS[this.#dialect].qngSeconds
    this.#answer(out, 'QNG', seconds ? [Math.round(this.#options.timings.pingMs / 1000)] : [])
  }

  #beginChallenges(out: Outputs, now: number): void {
    const { challenge, challengeMs } = this.#options.timings
    if (challenge === 'off' || this.#challenge !== undefined) return
    this.#challenge = new ServerChallenge(challenge, challengeMs, (bytes) => this.#options.random(bytes))
    this.#challenge.begin(now)
    this.#challengeIfDue(out, now)
  }

  #challengeIfDue(out: Outputs, now: number): void {
    const due = this.#challenge?.due(now)
    if (due === undefined) return
    if (due.kind === 'send') write(out, 'CHL', [0, due.challenge])
    else {
      write(out, '540', [0])
      this.#close(out, { kind: 'timeout', waitingFor: 'QRY' })
    }
  }

  /** Where nobody is challenged, an answer is as right as any. */
  #answerToChallenge(
    out: Outputs,
    trid: string,
    [product]: readonly string[],
    payload: Uint8Array | undefined,
    now: number,
  ): void {
    if (product === undefined || payload === undefined || this.#dialect === undefined) {
      this.#answer(out, '300', [trid])
    } else if (
      this.#options.timings.challenge === 'off' ||
      this.#challenge?.isAnswered(product, payload, TRAITS[this.#dialect].number, now) === true
    ) {
      this.#answer(out, 'QRY', [trid])
    } else {
      write(out, '540', [trid])
      this.#violation(out, 'a wrong or late answer to a challenge', 'QRY', payload.length)
    }
  }

  /** An answer of our own. Once requests may be waiting for theirs, it waits behind them. */
  #answer(out: Outputs, verb: string, params: readonly (string | number)[]): void {
    if (this.#stage !== 'signed-in') write(out, verb, params)
    else out.push({ kind: 'event', event: { kind: 'in-turn', bytes: encodeFrame(verb, params) } })
  }

  #violation(out: Outputs, detail: string, verb: string, length: number): void {
    this.#close(out, { kind: 'peer-violation', detail, at: { verb, length } })
  }

  #close(out: Outputs, reason: CloseReason): void {
    this.#stage = 'over'
    out.push({ kind: 'close', reason })
  }
}

const DONE: CloseReason = { kind: 'done' }
const ANSWERS: ReadonlySet<NsCommand['kind']> = new Set(['push', 'reply', 'error'])

/** The transaction id of a command, as it came; undefined if there is none that an answer can carry. */
function tridOf({ params }: Frame): string | undefined {
  const [word] = params
  return word !== undefined && TRID.test(word) && Number(word) <= MAX_TRID ? word : undefined
}

const faultWords = (fault: FrameFault): string => {
  switch (fault.fault) {
    case 'line-too-long':
      return 'a line that is too long'
    case 'payload-too-long':
      return 'a payload that is too long'
    case 'bad-length':
      return 'a length that is no number'
  }
}

const write = (out: Outputs, verb: string, params: readonly (string | number)[]): void => {
  out.push({ kind: 'write', bytes: encodeFrame(verb, params) })
}
