import { drive, type Driven, type Transport } from '../../sansio/drive.ts'
import type { CloseReason } from '../../sansio/machine.ts'
import type { Dialect } from '../model/dialect.ts'
import { wrongRequest } from '../session/client-requests.ts'
import { NotificationClient } from '../session/notification-client.ts'
import type {
  NotificationAnswer,
  NotificationCommand,
  NotificationEvent,
  NotificationRequest,
  SignedIn,
} from '../session/notification-states.ts'
import type { ClientTimings } from './client-contract.ts'
import type { LoginFailure, LoginResult } from './login-http.ts'

/** Why one connection to a dispatch or notification server is over. */
export type LineEnd =
  | { readonly kind: 'redirect'; readonly host: string; readonly port: number }
  /** `ticket`: a ticket was shown before. */
  | { readonly kind: 'refused'; readonly verb: string; readonly code: number; readonly ticket: boolean }
  | { readonly kind: 'out'; readonly why: 'elsewhere' | 'shutdown' | 'bare' }
  | { readonly kind: 'challenge-failed'; readonly code: number }
  | { readonly kind: 'no-ticket'; readonly failure: LoginFailure }
  | { readonly kind: 'ended'; readonly reason: CloseReason }

export type Answer =
  NotificationAnswer | { readonly kind: 'closed' } | { readonly kind: 'invalid'; readonly detail: string }

export interface NotificationConnectionOptions {
  readonly login: string
  readonly dialects: readonly Dialect[]
  readonly timings: ClientTimings
  readonly firstTrid: number
  readonly confirms: boolean
  readonly beside: boolean
  readonly now: () => number
  /** Asked when the server wants a ticket. Never rejects. */
  readonly ticket: (policy: string) => Promise<LoginResult>
  readonly onEvent: (event: NotificationEvent) => void
  /** Once. */
  readonly onEnd: (end: LineEnd) => void
}

/** One connection to a dispatch or notification server, on its socket. */
export class NotificationConnection {
  readonly #options: NotificationConnectionOptions
  readonly #machine: NotificationClient
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #driven: Driven<NotificationCommand> | undefined
  #nextId = 1
  #ticketShown = false
  #end: LineEnd | undefined
  #session: SignedIn | undefined

  constructor(options: NotificationConnectionOptions) {
    this.#options = options
    this.#machine = new NotificationClient(options)
  }

  /** What is known since the ticket was accepted; stays when the connection is over. */
  get session(): SignedIn | undefined {
    return this.#session
  }

  get online(): boolean {
    return this.#machine.state.kind === 'online' && this.#driven?.closed === false
  }

  get strangeLines(): number {
    return this.#machine.unknownLines + this.#machine.malformedLines
  }

  get nextTrid(): number {
    return this.#machine.nextTrid
  }

  /** Once. The socket is ours from now on. */
  start(socket: Transport): void {
    const { login, dialects, now } = this.#options
    this.#driven = drive(socket, this.#machine, {
      now,
      onEvent: (event) => this.#heard(event),
      onClose: (reason) => this.#closed(reason),
    })
    this.#driven.command({ kind: 'sign-in', email: login, dialects })
  }

  /** Never rejects. */
  ask(request: NotificationRequest): Promise<Answer> {
    const wrong = this.#session === undefined ? undefined : wrongRequest(request, this.#session.dialect)
    if (wrong !== undefined) return Promise.resolve({ kind: 'invalid', detail: wrong })
    return new Promise((resolve) => {
      if (!this.online) {
        resolve({ kind: 'closed' })
        return
      }
      const id = this.#nextId++
      this.#waiting.set(id, resolve)
      this.#driven?.command({ kind: 'request', id, request })
    })
  }

  /** OUT, and the end. Twice is harmless. */
  close(): void {
    this.#driven?.command({ kind: 'sign-out' })
  }

  /** As `close`, for a reason of ours. */
  fail(end: LineEnd): void {
    this.#end ??= end
    this.close()
  }

  #heard(event: NotificationEvent): void {
    switch (event.kind) {
      case 'ticket-needed':
        void this.#showTicket(event.policy)
        break
      case 'redirect':
        this.#end = { kind: 'redirect', host: event.host, port: event.port }
        break
      case 'refused':
        this.#end = { kind: 'refused', verb: event.verb, code: event.code, ticket: this.#ticketShown }
        break
      case 'out':
      case 'challenge-failed':
        this.#end = event
        break
      case 'answer': {
        const resolve = this.#waiting.get(event.id)
        this.#waiting.delete(event.id)
        resolve?.(event.answer)
        break
      }
      case 'signed-in':
        this.#session = event.session
        break
      case 'synchronized':
      case 'presence':
      case 'list':
      case 'personal-message':
      case 'own-name':
      case 'own-status':
      case 'messenger':
      case 'ring':
      case 'going-down':
      case 'mail':
        this.#options.onEvent(event)
        break
    }
  }

  async #showTicket(policy: string): Promise<void> {
    const result = await this.#options.ticket(policy)
    if (result.kind === 'ticket') {
      this.#ticketShown = true
      this.#driven?.command({ kind: 'ticket', ticket: result.ticket })
    } else this.fail({ kind: 'no-ticket', failure: result })
  }

  #closed(reason: CloseReason): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const resolve of waiting) resolve({ kind: 'closed' })
    this.#options.onEnd(this.#end ?? { kind: 'ended', reason })
  }
}
