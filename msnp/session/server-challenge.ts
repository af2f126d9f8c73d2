import type { ServiceTimings } from '../service/contract.ts'
import { isRightAnswer } from './challenge.ts'

/** Digits of a challenge; some clients miscalculate other lengths. */
const DIGITS = 20

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'asked'; readonly challenge: string; readonly until: number }

const IDLE: State = { kind: 'idle' }

/** When a client is challenged and whether it answers in time. Source: docs/protocol.md, Challenge. */
export class ServerChallenge {
  readonly #schedule: ServiceTimings['challenge']
  readonly #timeoutMs: number
  readonly #random: (bytes: number) => Uint8Array
  #state: State = IDLE

  constructor(schedule: ServiceTimings['challenge'], timeoutMs: number, random: (bytes: number) => Uint8Array) {
    this.#schedule = schedule
    this.#timeoutMs = timeoutMs
    this.#random = random
  }

  /** The client is where challenges begin. */
  begin(now: number): void {
    if (this.#schedule !== 'off') this.#state = { kind: 'waiting', until: now }
  }

  get wakeAt(): number | undefined {
    return this.#state.kind === 'idle' ? undefined : this.#state.until
  }

  /** send: put it on the wire now. late: the answer has not come. */
  due(now: number): { readonly kind: 'send'; readonly challenge: string } | { readonly kind: 'late' } | undefined {
    const state = this.#state
    if (state.kind === 'idle' || state.until > now) return undefined
    if (state.kind === 'asked') return { kind: 'late' }
    const challenge = Array.from(this.#random(DIGITS), (byte) => String(byte % 10)).join('')
    this.#state = { kind: 'asked', challenge, until: now + this.#timeoutMs }
    return { kind: 'send', challenge }
  }

  /** Whether this QRY answers the open challenge in time. `dialect` is the number in MSNP<n>. */
  isAnswered(product: string, payload: Uint8Array, dialect: number, now: number): boolean {
    const state = this.#state
    if (state.kind !== 'asked' || state.until <= now) return false
    if (!isRightAnswer(state.challenge, product, payload, dialect)) return false
    const schedule = this.#schedule
    this.#state = typeof schedule === 'number' ? { kind: 'waiting', until: now + schedule } : IDLE
    return true
  }
}
