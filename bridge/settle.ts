/** Pure. What the result of one delivery means for its row, for the other parts of the message, and for the sender. */
import type { DeliveryResult, Reason, WaitFor } from './model/result.ts'
import type { MessageId } from './model/ids.ts'
import type { OutboxRow } from './store/port.ts'
import type { Told } from './tell.ts'

export interface Settlement {
  /** done: the row goes. queued: it is tried again. */
  readonly row: 'done' | 'queued'
  readonly ids: readonly MessageId[]
  /** The parts behind this one go with it. */
  readonly dropRest: boolean
  /** To be told now; absent when the sender knows already or need not. */
  readonly tell?: Told
  /** The lane waits. */
  readonly hold?: { readonly wait: WaitFor; readonly reason: Reason }
}

/** `row.told`: what the sender knows of this message. Each outcome is told once for all its parts. */
export const settle = (row: OutboxRow, result: DeliveryResult): Settlement => {
  const bad = row.told === 'partial' || row.told === 'uncertain' || row.told === 'refused'
  switch (result.kind) {
    case 'delivered': {
      const base = { row: 'done', ids: result.ids, dropRest: false } as const
      if (bad) return base
      const missed = result.missed ?? []
      if (missed.length > 0) return { ...base, tell: { outcome: 'partial', missed } }
      return row.parts === 0 || row.part === row.parts - 1 ? { ...base, tell: { outcome: 'delivered' } } : base
    }
    case 'uncertain': {
      const base = { row: 'done', ids: [], dropRest: false } as const
      return row.told === 'uncertain' || row.told === 'refused' ? base : { ...base, tell: { outcome: 'uncertain' } }
    }
    case 'refused': {
      // What is left would arrive with a hole before it, and the sender will send all of it again.
      const base = { row: 'done', ids: [], dropRest: true } as const
      return row.told === 'refused' ? base : { ...base, tell: { outcome: 'refused', reason: result.reason } }
    }
    case 'retry':
      return {
        row: 'queued',
        ids: [],
        dropRest: false,
        hold: { wait: result.wait, reason: result.reason },
      }
  }
}
