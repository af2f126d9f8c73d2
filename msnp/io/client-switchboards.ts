import { randomBytes } from 'node:crypto'
import type { Transport } from '../../sansio/drive.ts'
import type { Status } from '../model/status.ts'
import type { NotificationEvent, NotificationRequest, SignedIn } from '../session/notification-states.ts'
import { keyOf, onList } from '../session/roster.ts'
import type {
  ClientTimings,
  CommandResult,
  MsnClientEvent,
  MsnClientOptions,
  OpenSwitchboardResult,
  Switchboard,
  SwitchboardCloseReason,
} from './client-contract.ts'
import { commandRefusal, commandResult } from './client-results.ts'
import type { Door } from './door.ts'
import type { Answer } from './notification-connection.ts'
import { SwitchboardConnection } from './switchboard.ts'

/** Switchboards that one sign-in may have open or under way; further invitations are not answered. */
export const MAX_SWITCHBOARDS = 250

type Ring = Extract<NotificationEvent, { kind: 'ring' }>
type Failed = Extract<OpenSwitchboardResult, { ok: false }>
type Way = Parameters<SwitchboardConnection['enter']>[1]

export interface ClientSwitchboardsOptions {
  readonly timings: ClientTimings
  readonly client: Pick<MsnClientOptions, 'answers' | 'random'>
  readonly door: Door
  readonly now: () => number
  readonly ask: (request: NotificationRequest) => Promise<Answer>
  /** undefined: not signed in. */
  readonly session: () => SignedIn | undefined
  /** The status that we want to have. */
  readonly status: () => Status
  readonly setStatus: (status: Status) => Promise<CommandResult>
  readonly allowPrivate: () => boolean
  readonly onSocket: (socket: Transport) => void
  readonly onEvent: (event: MsnClientEvent) => void
}

/** The switchboards of one sign-in: opens ours, answers those of others, and ends them all. */
export class ClientSwitchboards {
  readonly #options: ClientSwitchboardsOptions
  readonly #open = new Set<SwitchboardConnection>()
  readonly #entering = new Set<SwitchboardConnection>()
  /** Aborts what is still connecting. */
  readonly #end = new AbortController()
  #connecting = 0

  constructor(options: ClientSwitchboardsOptions) {
    this.#options = options
  }

  get all(): ReadonlySet<Switchboard> {
    return this.#open
  }

  /** XFR, connect, USR. A ticket that is not accepted (911) is asked for anew, once. */
  async open(signal: AbortSignal | undefined): Promise<OpenSwitchboardResult> {
    const first = await this.#openOnce(signal)
    const stale = !first.ok && first.failure.kind === 'refused' && first.failure.code === 911
    return stale ? this.#openOnce(signal) : first
  }

  /** RNG: connect, ANS. Tells what comes of it as events. Never rejects. */
  async answer(ring: Ring): Promise<void> {
    const from = { email: ring.email, name: ring.name }
    if (!this.#welcome(ring) || this.#isInside(ring)) return
    const way = { kind: 'answer', token: ring.token, session: ring.session } as const
    const result = await this.#enter(ring, way, undefined, (switchboard) =>
      this.#options.onEvent({ kind: 'switchboard', switchboard, invitedBy: from }),
    )
    if (result.ok || result.failure.kind === 'aborted' || result.failure.kind === 'closed') return
    const { failure } = result
    const detail = failure.kind === 'unreachable' ? failure.detail : failure.kind === 'refused' ? failure.meaning : ''
    this.#options.onEvent({ kind: 'invitation-failed', from, detail })
  }

  closeAll(): void {
    this.#end.abort()
    for (const switchboard of [...this.#entering, ...this.#open]) switchboard.close()
  }

  async #openOnce(signal: AbortSignal | undefined): Promise<OpenSwitchboardResult> {
    const answer = await this.#transfer()
    if (signal?.aborted === true) return ABORTED
    if (answer.kind === 'switchboard') return this.#enter(answer, { kind: 'open', token: answer.token }, signal)
    if (answer.kind === 'refused' && answer.code === 913) return { ok: false, failure: { kind: 'hidden' } }
    const result = commandResult(answer, 'XFR')
    return result.ok ? unreachable('the server gave no switchboard') : result
  }

  /** 913 means that the server takes us for hidden or offline: unless we want to be, we say our status again. */
  async #transfer(): Promise<Answer> {
    const { ask, status, setStatus } = this.#options
    const answer = await ask({ kind: 'switchboard' })
    if (answer.kind !== 'refused' || answer.code !== 913 || status() === 'HDN') return answer
    const visible = await setStatus(status())
    return visible.ok ? ask({ kind: 'switchboard' }) : answer
  }

  #welcome({ email, name }: Ring): boolean {
    const { client, session } = this.#options
    const contact = session()?.roster.get(email)
    const blocked = contact !== undefined && onList(contact, 'BL')
    return client.answers === undefined ? !blocked : client.answers({ email, name })
  }

  #isInside({ session, email }: Ring): boolean {
    return [...this.#open].some((board) => board.session === session && board.open && board.members.has(keyOf(email)))
  }

  async #enter(
    target: { readonly host: string; readonly port: number },
    way: Way,
    signal: AbortSignal | undefined,
    onReady?: (switchboard: Switchboard) => void,
  ): Promise<OpenSwitchboardResult> {
    const { timings, door, now, session, allowPrivate } = this.#options
    const own = session()
    if (own === undefined) return { ok: false, failure: { kind: 'closed' } }
    if (this.#open.size + this.#entering.size + this.#connecting >= MAX_SWITCHBOARDS) {
      return unreachable(`${MAX_SWITCHBOARDS} switchboards are open already`)
    }
    const aborts = signal === undefined ? this.#end.signal : AbortSignal.any([signal, this.#end.signal])
    this.#connecting++
    const connected = await door('SB', {
      host: target.host,
      port: target.port,
      timeoutMs: timings.connectMs,
      allowPrivate: allowPrivate(),
      signal: aborts,
    })
    this.#connecting--
    if (!connected.ok) return connected.kind === 'aborted' ? ABORTED : unreachable(connected.detail)
    return new Promise((resolve) => {
      const board: SwitchboardConnection = new SwitchboardConnection({
        email: own.email,
        dialect: own.dialect,
        confirms: own.confirms,
        participants: own.participants,
        timings,
        now,
        nonce: this.#options.client.random?.() ?? randomBytes(16).toString('hex'),
        onReady: () => {
          settle()
          this.#open.add(board)
          onReady?.(board)
          resolve({ ok: true, switchboard: board })
        },
        onEvent: (event) => this.#options.onEvent({ ...event, switchboard: board }),
        onClose: (reason, entered) => {
          settle()
          this.#open.delete(board)
          if (entered) this.#options.onEvent({ kind: 'switchboard-closed', switchboard: board, reason })
          else resolve(aborts.aborted ? ABORTED : notEntered(reason, `${target.host}:${target.port}`))
        },
      })
      const onAbort = (): void => board.close()
      const settle = (): void => {
        this.#entering.delete(board)
        aborts.removeEventListener('abort', onAbort)
      }
      aborts.addEventListener('abort', onAbort, { once: true })
      this.#entering.add(board)
      this.#options.onSocket(connected.socket)
      board.enter(connected.socket, way)
      if (aborts.aborted) board.close()
    })
  }
}

const ABORTED: Failed = { ok: false, failure: { kind: 'aborted' } }

const unreachable = (detail: string): Failed => ({ ok: false, failure: { kind: 'unreachable', detail } })

function notEntered(reason: SwitchboardCloseReason, place: string): Failed {
  switch (reason.kind) {
    case 'refused':
      return { ok: false, failure: commandRefusal(reason.code) }
    case 'timeout':
      return { ok: false, failure: { kind: 'timeout', waitingFor: reason.waitingFor } }
    case 'lost':
    case 'peer-violation':
      return unreachable(`the switchboard ${place} ended the connection: ${reason.detail}`)
    case 'done':
    case 'idle':
    case 'ended-by-server':
      return unreachable(`the switchboard ${place} ended the connection`)
  }
}
