import { MisuseError, type Machine, type Output } from '../../sansio/machine.ts'
import { errorNumber } from '../wire/error-codes.ts'
import type { Frame } from '../wire/frame.ts'
import { ClientLine } from './client-line.ts'
import type { Handlers, NotificationContext, NotificationTimings, Pending } from './notification-context.ts'
import { refused, SIGNED_IN } from './notification-lines.ts'
import { AUTHENTICATING, INTRODUCING, NEGOTIATING, refuse, sayTicket, sayVersions } from './notification-login.ts'
import { commandOf } from './client-requests.ts'
import type { NotificationCommand, NotificationEvent, NotificationState, SignedIn } from './notification-states.ts'
import { abandonSync } from './synchronization.ts'

export interface NotificationClientOptions {
  readonly timings: NotificationTimings
  /** Transaction ids go on counting when a redirect leads to another server. */
  readonly firstTrid?: number
  /** Whether to confirm what is said to us, where the server offers it. Default: no. */
  readonly confirms?: boolean
  /** Whether to stand beside the person's Messenger. Default: no. */
  readonly beside?: boolean
}

/**
 * The client's side of one connection to a dispatch or notification server: VER, CVR, USR, SYN, then whatever is
 * asked for, PNG in between, CHL answered at once. A redirect ends it. Source: docs/protocol.md, Sign-in.
 */
export class NotificationClient implements Machine<NotificationCommand, NotificationEvent> {
  readonly #line: ClientLine<NotificationEvent, Pending>
  readonly #context: NotificationContext
  #state: NotificationState = { kind: 'idle' }

  constructor({ timings, firstTrid, confirms = false, beside = false }: NotificationClientOptions) {
    this.#line = new ClientLine(firstTrid)
    this.#context = { line: this.#line, timings, confirms, beside, enter: (state) => void (this.#state = state) }
  }

  get state(): NotificationState {
    return this.#line.closed ? { kind: 'closed' } : this.#state
  }

  /** Lines that no state of ours has a use for. */
  get unknownLines(): number {
    return this.#line.unknownLines
  }

  /** Lines of a known verb that lack what they must have. */
  get malformedLines(): number {
    return this.#line.malformedLines
  }

  get nextTrid(): number {
    return this.#line.requests.next
  }

  get wakeAt(): number | undefined {
    if (this.#line.closed) return undefined
    const session = this.#session()
    const at = Math.min(
      this.#line.requests.wakeAt ?? Infinity,
      session?.pongBy ?? session?.pingAt ?? Infinity,
      session?.sync?.deadline ?? Infinity,
    )
    return at === Infinity ? undefined : at
  }

  receive(bytes: Uint8Array | null, now: number): readonly Output<NotificationEvent>[] {
    return this.#line.read(bytes, now, (frame) => this.#handle(frame))
  }

  command(command: NotificationCommand, now: number): readonly Output<NotificationEvent>[] {
    const line = this.#line
    if (line.closed) return []
    line.now = now
    const state = this.#state
    switch (command.kind) {
      case 'sign-in':
        if (state.kind !== 'idle' || command.dialects.length === 0) throw new MisuseError('sign-in comes first, once')
        sayVersions(this.#context, command.email, command.dialects)
        break
      case 'ticket':
        if (state.kind !== 'authenticating' || state.step !== 'needs-ticket') throw new MisuseError('no ticket is due')
        sayTicket(this.#context, state, command.ticket)
        break
      case 'request': {
        const session = this.#session()
        if (session === undefined) throw new MisuseError('nothing can be asked for before the sign-in')
        if (line.requests.full) {
          line.emit({ kind: 'answer', id: command.id, answer: { kind: 'timeout', verb: 'a free place' } })
          break
        }
        const { verb, params, payload } = commandOf(command.request, session)
        line.ask(verb, params, command, this.#context.timings.commandMs, payload)
        break
      }
      case 'sign-out':
        line.say('OUT')
        line.finish({ kind: 'done' })
        break
    }
    return line.flush()
  }

  tick(now: number): readonly Output<NotificationEvent>[] {
    const line = this.#line
    if (line.closed) return []
    line.now = now
    const session = this.#session()
    for (const { verb, what } of line.requests.expire(now)) {
      if (what.kind === 'login') line.finish({ kind: 'timeout', waitingFor: verb })
      else if (what.kind === 'request') {
        line.emit({ kind: 'answer', id: what.id, answer: { kind: 'timeout', verb } })
        // Some servers pass over a command in silence. Whether it is that or a dead line, a PNG tells.
        if (session !== undefined) session.pingAt = now
      }
    }
    if (session !== undefined) this.#keepAlive(session, now)
    return line.flush()
  }

  #keepAlive(session: SignedIn, now: number): void {
    const line = this.#line
    const { pingMs, pongMs } = this.#context.timings
    if (session.sync !== undefined && session.sync.deadline <= now) {
      if (session.sync.request === undefined) line.finish({ kind: 'timeout', waitingFor: 'LST' })
      else abandonSync(this.#context, session)
    }
    if (session.pongBy !== undefined) {
      if (session.pongBy <= now) line.finish({ kind: 'timeout', waitingFor: 'QNG' })
    } else if (session.pingAt <= now) {
      line.say('PNG')
      session.pongBy = now + pongMs
      session.pingAt = now + pingMs
    }
  }

  #session(): SignedIn | undefined {
    return 'session' in this.#state ? this.#state.session : undefined
  }

  #handle(frame: Frame): void {
    const code = errorNumber(frame.verb)
    if (code !== undefined) {
      this.#error(frame, code)
      return
    }
    const state = this.#state
    switch (state.kind) {
      case 'idle':
      case 'closed':
        this.#line.unknownLines++
        return
      case 'negotiating':
        this.#dispatch(NEGOTIATING, state, frame)
        return
      case 'introducing':
        this.#dispatch(INTRODUCING, state, frame)
        return
      case 'authenticating':
        this.#dispatch(AUTHENTICATING, state, frame)
        return
      case 'synchronizing':
      case 'online':
        this.#dispatch(SIGNED_IN, state, frame)
        return
    }
  }

  #dispatch<State>(handlers: Handlers<State>, state: State, frame: Frame): void {
    const handler = Object.hasOwn(handlers, frame.verb) ? handlers[frame.verb] : undefined
    if (handler === undefined) this.#line.unknownLines++
    else handler(this.#context, state, frame)
  }

  /** `217 15`; some early ones come without the transaction id. */
  #error(frame: Frame, code: number): void {
    const { requests } = this.#line
    const session = this.#session()
    const request = requests.take(frame.params[0]) ?? (session === undefined ? requests.takeOnly() : undefined)
    if (code === 540 && (request === undefined || request.what.kind === 'challenge')) {
      this.#line.emit({ kind: 'challenge-failed', code })
      this.#line.finish({ kind: 'done' })
      return
    }
    if (request === undefined) this.#line.unknownLines++
    else if (request.what.kind === 'login') refuse(this.#context, request.verb, code)
    else if (request.what.kind === 'request' && session !== undefined) {
      refused(this.#context, session, request.what, code)
    }
  }
}
