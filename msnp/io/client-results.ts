/** What the ends and answers of the protocol mean to whoever uses the client. Pure. */
import type { CloseReason } from '../../sansio/machine.ts'
import { errorCode, reactionTo } from '../wire/error-codes.ts'
import type { ClientCloseReason, CommandFailure, CommandResult, SignInFailure } from './client-contract.ts'
import type { Answer, LineEnd } from './notification-connection.ts'

const AUTHENTICATION: readonly number[] = [205, 206, 208, 911, 917, 928]

/** A connection ended before we were online. `place`: host:port of the server. */
export function signInFailure(end: LineEnd, place: string): SignInFailure {
  switch (end.kind) {
    case 'redirect':
      return { kind: 'protocol', detail: `${place} sends us from server to server without end` }
    case 'refused':
      return refusal(end, place)
    case 'challenge-failed':
      return { kind: 'refused', code: end.code, detail: `${place} did not accept our answer to its challenge` }
    case 'no-ticket':
      return end.failure
    case 'out':
      return outFailure(end.why, place)
    case 'ended':
      return endFailure(end.reason, place)
  }
}

function refusal({ verb, code }: Extract<LineEnd, { kind: 'refused' }>, place: string): SignInFailure {
  if (code === 0) return { kind: 'refused', detail: `${place} speaks none of the dialects that were offered` }
  const { meaning, pauseMs } = errorCode(code)
  const detail = `${place} answered the sign-in with ${code}: ${meaning}`
  if (verb === 'USR' && AUTHENTICATION.includes(code)) return { kind: 'bad-credentials', code, detail }
  if (reactionTo(code, verb) !== 'retry') return { kind: 'refused', code, detail }
  return { kind: 'busy', code, detail, ...(pauseMs === undefined ? {} : { retryAfterMs: pauseMs }) }
}

function outFailure(why: 'elsewhere' | 'shutdown' | 'bare', place: string): SignInFailure {
  switch (why) {
    case 'elsewhere':
      return { kind: 'signed-in-elsewhere', detail: 'the account was signed in at another place at the same time' }
    case 'shutdown':
      return { kind: 'busy', detail: `${place} is shutting down` }
    case 'bare':
      return { kind: 'unreachable', detail: `${place} ended the connection during the sign-in` }
  }
}

function endFailure(reason: CloseReason, place: string): SignInFailure {
  switch (reason.kind) {
    case 'done':
      return { kind: 'aborted', detail: 'the sign-in was given up' }
    case 'timeout':
      return { kind: 'timeout', detail: `${place} does not answer: no ${reason.waitingFor} came` }
    case 'peer-violation':
      return { kind: 'protocol', detail: `${place} does not speak the protocol: ${reason.detail}` }
    case 'lost':
      return { kind: 'unreachable', detail: `the connection to ${place} broke during the sign-in: ${reason.detail}` }
  }
}

/** A connection ended on which we were online; a redirect is none of these. */
export function closeReason(end: Exclude<LineEnd, { kind: 'redirect' }>): ClientCloseReason {
  switch (end.kind) {
    case 'refused':
    case 'challenge-failed':
      return { kind: 'refused', code: end.code, detail: errorCode(end.code).meaning }
    case 'no-ticket':
      return { kind: 'protocol', detail: end.failure.detail }
    case 'out':
      switch (end.why) {
        case 'elsewhere':
          return { kind: 'signed-in-elsewhere' }
        case 'shutdown':
          return { kind: 'server-shutdown' }
        case 'bare':
          return { kind: 'lost', detail: 'the server said OUT' }
      }
    case 'ended':
      switch (end.reason.kind) {
        case 'done':
          return { kind: 'signed-out' }
        case 'timeout':
        case 'lost':
          return end.reason
        case 'peer-violation':
          return { kind: 'protocol', detail: end.reason.detail }
      }
  }
}

/** The answer of the server to one command. What is so already counts as done. */
export function commandResult(answer: Answer, verb: string): CommandResult {
  switch (answer.kind) {
    case 'done':
    case 'switchboard':
    case 'group':
    case 'url':
    case 'file':
      return { ok: true }
    case 'refused':
      return reactionTo(answer.code, verb) === 'in-sync'
        ? { ok: true }
        : { ok: false, failure: commandRefusal(answer.code) }
    case 'timeout':
      return { ok: false, failure: { kind: 'timeout', waitingFor: answer.verb } }
    case 'unreadable':
      return { ok: false, failure: { kind: 'timeout', waitingFor: `a readable ${answer.verb}` } }
    case 'closed':
    case 'invalid':
      return { ok: false, failure: answer }
  }
}

export function commandRefusal(code: number): CommandFailure {
  const { name, meaning, pauseMs } = errorCode(code)
  return { kind: 'refused', code, name, meaning, ...(pauseMs === undefined ? {} : { retryAfterMs: pauseMs }) }
}
