import type { Frame } from '../wire/frame.ts'
import type { ClientLine } from './client-line.ts'
import { challengeAnswer, productFor } from './challenge.ts'
import { TRAITS, type Dialect } from '../model/dialect.ts'
import type { NotificationEvent, NotificationRequest, NotificationState } from './notification-states.ts'
import { Buffer } from 'node:buffer'

/** What a command that waits for its answer was sent for. */
export type Pending =
  /** A step of the sign-in: an error or silence ends the connection. */
  | { readonly kind: 'login' }
  /** QRY: servers need not answer it. */
  | { readonly kind: 'challenge' }
  | {
      readonly kind: 'request'
      readonly id: number
      readonly request: NotificationRequest
      /** Of two commands that it takes, the second one is out. */
      readonly secondStep?: boolean
    }

/** Milliseconds. */
export interface NotificationTimings {
  readonly commandMs: number
  readonly pingMs: number
  readonly pongMs: number
}

/** What the handlers of lines work with. */
export interface NotificationContext {
  readonly line: ClientLine<NotificationEvent, Pending>
  readonly timings: NotificationTimings
  /** We say with CFM what we have stored, where the server has an ear for it. */
  readonly confirms: boolean
  /** We stand beside the person's Messenger, where the server knows such a thing. */
  readonly beside: boolean
  enter(state: NotificationState): void
}

export type Handler<State> = (context: NotificationContext, state: State, frame: Frame) => void
/** verb -> what to do. What is not in the table is counted and ignored. */
export type Handlers<State> = Readonly<Record<string, Handler<State>>>

/** host:port as XFR and RNG have it. */
export function parseHostPort(word: string | undefined): { readonly host: string; readonly port: number } | undefined {
  const parts = /^(?:\[([0-9a-f:.]{2,45})\]|([A-Za-z0-9._-]{1,255}))(?::(\d{1,5}))?$/i.exec(word ?? '')
  const host = parts?.[1] ?? parts?.[2]
  const port = Number(parts?.[3] ?? DEFAULT_PORT)
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}
const DEFAULT_PORT = 1863

/** CHL may come at any time after the version is agreed, and wants its answer within seconds. */
export function answerChallenge<What>(
  line: ClientLine<unknown, What>,
  frame: Frame,
  dialect: Dialect,
  what: What,
  timeoutMs: number,
): void {
  const challenge = frame.params.at(-1)
  if (challenge === undefined || challenge.length > MAX_CHALLENGE || line.requests.full) {
    line.malformedLines++
    return
  }
  const { number } = TRAITS[dialect]
  const product = productFor(number)
  const answer = challengeAnswer(challenge, product, number)
  line.ask('QRY', [product.id], what, timeoutMs, Buffer.from(answer, 'latin1'))
}
/** Characters; real ones have 20 or 27. */
const MAX_CHALLENGE = 256

/** XFR NS: another server is ours. Gives false when it is something else. */
export function redirected({ line }: NotificationContext, frame: Frame): boolean {
  if (frame.params[1]?.toUpperCase() !== 'NS') return false
  const target = parseHostPort(frame.params[2])
  if (target === undefined) line.violation('XFR NS without host:port', frame)
  else {
    line.emit({ kind: 'redirect', ...target })
    line.finish({ kind: 'done' })
  }
  return true
}

/** OUT: the server ends it. */
export function out({ line }: NotificationContext, frame: Frame): void {
  const word = frame.params[0]?.toUpperCase()
  const why = word === 'OTH' ? 'elsewhere' : word === 'SSD' ? 'shutdown' : 'bare'
  line.emit({ kind: 'out', why })
  line.finish(why === 'bare' ? { kind: 'lost', detail: 'the server said OUT' } : { kind: 'done' })
}

/** A line that we know and have no use for. */
export const ignore = (): void => undefined
