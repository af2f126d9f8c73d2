import { drive, type Driven, type Transport } from '../../sansio/drive.ts'
import type { CloseReason } from '../../sansio/machine.ts'
import type { Spoken } from '../model/spoken.ts'
import { wrongAddress } from '../session/client-requests.ts'
import { SwitchboardClient } from '../session/switchboard-client.ts'
import type {
  Member,
  SwitchboardClientOptions,
  SwitchboardCommand,
  SwitchboardEvent,
} from '../session/switchboard-client-states.ts'
import { errorCode } from '../wire/error-codes.ts'
import type { AckType, InviteResult, SendResult, Switchboard, SwitchboardCloseReason } from './client-contract.ts'

export interface SwitchboardConnectionOptions extends SwitchboardClientOptions {
  readonly nonce: string
  readonly participants: number
  readonly now: () => number
  /** Once, when we are in. */
  readonly onReady: () => void
  /** Everything that happens inside, after `onReady`. */
  readonly onEvent: (event: Passing) => void
  /** Once. `entered`: whether `onReady` was called before. */
  readonly onClose: (reason: SwitchboardCloseReason, entered: boolean) => void
}

/** What happens inside that is no answer to ourselves. */
export type Passing = Extract<SwitchboardEvent, { kind: 'joined' | 'left' | 'message' | 'typing' }>

type Way = Extract<SwitchboardCommand, { kind: 'open' | 'answer' }>

/** One switchboard on its socket. */
export class SwitchboardConnection implements Switchboard {
  readonly nonce: string
  readonly #options: SwitchboardConnectionOptions
  readonly #machine: SwitchboardClient
  readonly #invitations = new Map<number, (result: InviteResult) => void>()
  readonly #messages = new Map<number, (result: SendResult) => void>()
  #driven: Driven<SwitchboardCommand> | undefined
  #nextId = 1
  #entered = false
  #reason: SwitchboardCloseReason | undefined

  constructor(options: SwitchboardConnectionOptions) {
    this.nonce = options.nonce
    this.#options = options
    this.#machine = new SwitchboardClient(options)
  }

  get participants(): number {
    return this.#options.participants
  }

  get session(): string | undefined {
    return this.#machine.session
  }

  get members(): ReadonlyMap<string, Member> {
    return this.#machine.members
  }

  get isShared(): boolean {
    return this.#machine.isShared
  }

  get open(): boolean {
    return this.#machine.state.kind === 'open' && this.#driven?.closed === false
  }

  get lastUsed(): number {
    return this.#machine.lastUsed
  }

  /** Once. The socket is ours from now on. */
  enter(socket: Transport, way: Way): void {
    this.#driven = drive(socket, this.#machine, {
      now: this.#options.now,
      onEvent: (event) => this.#heard(event),
      onClose: (reason) => this.#closed(reason),
    })
    this.#driven.command(way)
  }

  invite(email: string): Promise<InviteResult> {
    if (wrongAddress(email) !== undefined) return Promise.resolve(refusal(208))
    return this.#ask<InviteResult>(this.#invitations, (id) => ({ kind: 'invite', id, email }), { kind: 'closed' })
  }

  send(payload: Uint8Array, ack: AckType, spoken?: Spoken): Promise<SendResult> {
    const closed = { kind: 'not-written', why: 'closed' } as const
    const as = spoken === undefined ? {} : { spoken }
    return this.#ask<SendResult>(this.#messages, (id) => ({ kind: 'send', id, payload, ack, ...as }), closed)
  }

  sit(email: string, name?: string): void {
    if (this.open) this.#driven?.command({ kind: 'sit', email, ...(name === undefined ? {} : { name }) })
  }

  confirm(ordinal: number): void {
    if (this.open) this.#driven?.command({ kind: 'confirm', ordinal })
  }

  close(): void {
    if (this.open) this.#driven?.command({ kind: 'leave' })
    else this.#driven?.close()
  }

  #ask<Result>(
    waiting: Map<number, (result: Result) => void>,
    command: (id: number) => SwitchboardCommand,
    closed: Result,
  ): Promise<Result> {
    return new Promise((resolve) => {
      if (!this.open) {
        resolve(closed)
        return
      }
      const id = this.#nextId++
      waiting.set(id, resolve)
      this.#driven?.command(command(id))
    })
  }

  #heard(event: SwitchboardEvent): void {
    switch (event.kind) {
      case 'ready':
        this.#entered = true
        this.#options.onReady()
        break
      case 'refused':
        this.#reason = { kind: 'refused', code: event.code }
        break
      case 'out':
        this.#reason = { kind: 'ended-by-server' }
        break
      case 'idle':
        this.#reason = { kind: 'idle' }
        break
      case 'invited': {
        const { outcome } = event
        settle(this.#invitations, event.id, outcome.kind === 'refused' ? refusal(outcome.code) : outcome)
        break
      }
      case 'sent':
        settle(this.#messages, event.id, event.outcome)
        break
      case 'joined':
      case 'left':
      case 'message':
      case 'typing':
        if (this.#entered) this.#options.onEvent(event)
        break
    }
  }

  #closed(reason: CloseReason): void {
    for (const id of [...this.#messages.keys()]) settle(this.#messages, id, { kind: 'lost' })
    for (const id of [...this.#invitations.keys()]) settle(this.#invitations, id, { kind: 'closed' })
    this.#options.onClose(this.#reason ?? reason, this.#entered)
  }
}

function settle<Result>(waiting: Map<number, (result: Result) => void>, id: number, result: Result): void {
  const resolve = waiting.get(id)
  waiting.delete(id)
  resolve?.(result)
}

function refusal(code: number): InviteResult {
  const { name, meaning } = errorCode(code)
  return { kind: 'refused', code, name, meaning }
}
