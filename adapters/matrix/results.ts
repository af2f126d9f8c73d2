/** Pure. What the homeserver answered -> what became of a delivery. */
import type { MessageId } from '../../bridge/model/ids.ts'
import type { DeliveryResult, Reason } from '../../bridge/model/result.ts'
import { notOpened } from './answers.ts'
import { NO_HOMESERVER } from './failures.ts'
import { isEventId } from './ids.ts'
import type { Failure } from './types.ts'
import { textIn } from './untrusted.ts'

/** Done, and there is no event that anybody could point at. */
export const SILENT: DeliveryResult = { kind: 'delivered', ids: [] }

export const refused = (reason: Reason, detail: string): DeliveryResult => ({ kind: 'refused', reason, detail })

/** `value`: what was answered to a send. */
export const deliveredAs = (value: unknown): DeliveryResult => {
  const event = textIn(value, 'event_id')
  return isEventId(event) ? { kind: 'delivered', ids: [event as string as MessageId] } : SILENT
}

/** `again`: a second request would change nothing, so that one without an answer may be repeated. */
export const undelivered = (failure: Failure, again: boolean): DeliveryResult => {
  switch (failure.kind) {
    case 'refused':
      // An earlier attempt, or another client of the same person, has done it.
      if (failure.errcode === 'M_DUPLICATE_ANNOTATION') return SILENT
      // Something before the homeserver answers in its place, for now.
      if (failure.errcode === NO_HOMESERVER) return notOpened({ ...failure, kind: 'busy' }, 'no homeserver answers')
      return refused(reasonOf(failure), `the homeserver refuses it: ${failure.detail}`)
    case 'unreachable':
    case 'aborted':
      if (!again && (failure.kind === 'aborted' || failure.sent))
        return { kind: 'uncertain', detail: `the homeserver has not answered: ${failure.detail}` }
      return notOpened(failure, 'the homeserver has not answered')
    case 'busy':
    case 'limited':
    case 'token':
      return notOpened(failure, 'the homeserver does not take it now')
  }
}

/** Not in the room, or not allowed to speak there. */
export const isForbidden = (failure: Failure): boolean =>
  failure.kind === 'refused' && (failure.errcode === 'M_FORBIDDEN' || failure.status === 403)

const REASONS: Readonly<Record<string, Reason>> = {
  M_FORBIDDEN: 'forbidden',
  M_USER_DEACTIVATED: 'forbidden',
  M_GUEST_ACCESS_FORBIDDEN: 'forbidden',
  M_CONSENT_NOT_GIVEN: 'forbidden',
  M_TOO_LARGE: 'too-large',
  M_NOT_FOUND: 'not-found',
}

const reasonOf = ({ errcode, status }: Extract<Failure, { kind: 'refused' }>): Reason =>
  REASONS[errcode] ??
  (status === 413 ? 'too-large' : status === 404 ? 'not-found' : status === 403 ? 'forbidden' : 'protocol')
