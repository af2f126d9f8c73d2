/** What became of the lines of one delivery -> what became of the delivery. Pure but for minting ids. */
import type { MessageId } from '../../bridge/model/ids.ts'
import type { DeliveryResult, Reason } from '../../bridge/model/result.ts'
import type { LineOutcome } from './delivery.ts'

type Retry = Extract<DeliveryResult, { kind: 'retry' }>

export const OFFLINE: Retry = {
  kind: 'retry',
  reason: 'network',
  wait: 'session-online',
  detail: 'the IRC connection is down',
}

export const retryIn = (ms: number, reason: Reason, detail: string): Retry => ({
  kind: 'retry',
  reason,
  wait: Math.max(1, ms),
  detail,
})

export const resultOf = (
  outcomes: readonly LineOutcome[],
  mint: () => MessageId,
  backOffMs: number,
): DeliveryResult => {
  const ids: MessageId[] = []
  let refused: DeliveryResult | undefined
  let unsent: Extract<LineOutcome, { kind: 'unsent' }> | undefined
  for (const outcome of outcomes) {
    switch (outcome.kind) {
      case 'delivered':
        ids.push((outcome.msgid as MessageId | undefined) ?? mint())
        break
      case 'refused':
        refused = outcome
        break
      case 'unsent':
        unsent = outcome
        break
      case 'uncertain':
        return outcome
    }
  }
  if (unsent === undefined) return refused ?? { kind: 'delivered', ids }
  // Part of it may have been read already.
  if (ids.length > 0) return { kind: 'uncertain', detail: unsent.detail }
  return unsent.reason === 'rate-limited' ? retryIn(backOffMs, unsent.reason, unsent.detail) : OFFLINE
}

/** Nothing of it can have been read: somebody else may say it. */
export const mayBeSaidAgain = (outcomes: readonly LineOutcome[]): boolean =>
  outcomes.length > 0 &&
  outcomes.every((outcome) => outcome.kind === 'refused' || (outcome.kind === 'unsent' && outcome.reason === 'network'))
