/** Pure. What a failed request means for whoever waits for it. */
import type { OpenResult } from '../../bridge/model/result.ts'
import type { Answer, Failure } from './types.ts'

export type NotOpened = Exclude<OpenResult, { kind: 'opened' }>

/** The homeserver does not answer, or cannot work: the session finds out when it is back. Milliseconds. */
const AGAIN_MS = 5_000

/** `what` begins the sentence: "the room with bob could not be made". */
export const notOpened = (failure: Failure, what: string): NotOpened => {
  switch (failure.kind) {
    case 'unreachable':
    case 'busy':
      return { kind: 'retry', reason: 'network', wait: AGAIN_MS, detail: `${what}: ${failure.detail}` }
    case 'limited':
      return { kind: 'retry', reason: 'rate-limited', wait: failure.retryAfterMs, detail: `${what}: ${failure.detail}` }
    case 'token':
    case 'aborted':
      return { kind: 'retry', reason: 'network', wait: 'session-online', detail: `${what}: ${failure.detail}` }
    case 'refused': {
      const reason = failure.errcode === 'M_NOT_FOUND' || failure.status === 404 ? 'not-found' : 'forbidden'
      return { kind: 'refused', reason, detail: `${what}: ${failure.detail}` }
    }
  }
}

/** Worth trying again later. */
export const isPassing = (failure: Failure): boolean => failure.kind !== 'refused'

/** A request for something that need not be there: undefined when it is not. */
export const unlessMissing = <Value>(answer: Answer<Value>): Answer<Value | undefined> =>
  !answer.ok && answer.failure.kind === 'refused' ? { ok: true, value: undefined } : answer

export const done = <Value>(value: Value): Answer<Value> => ({ ok: true, value })

export const refusal = (detail: string): { readonly ok: false; readonly failure: Failure } => ({
  ok: false,
  failure: { kind: 'refused', status: 403, errcode: 'M_FORBIDDEN', detail },
})
