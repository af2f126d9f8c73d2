/** Pure. A row of the outbox becomes what its session gets: degraded, with the network's own ids, cut where it is too long. */
import type { Session } from './adapter.ts'
import { degrade, type Op } from './degrade.ts'
import type { Outbound } from './model/events.ts'
import type { ChatRef, EventId, MessageId } from './model/ids.ts'
import type { DeliveryResult } from './model/result.ts'
import { referenceOf, resolve, restore } from './references.ts'
import type { OutboxRow } from './store/port.ts'

export type Prepared =
  | { readonly kind: 'ready'; readonly wire: Outbound }
  /** It must be cut: the parts, as they are stored, and the first of them as it is delivered. */
  | { readonly kind: 'parts'; readonly ops: readonly Op[]; readonly first: Outbound }
  /** First the ids of that event must be looked up; `refer` goes on with them. */
  | { readonly kind: 'refers'; readonly op: Op; readonly to: EventId }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly result: DeliveryResult }
  /** The session threw: a bug of its adapter. What makes it throw would do so again at each start. */
  | { readonly kind: 'broken'; readonly detail: string }

type Subject = Pick<OutboxRow, 'op' | 'part' | 'parts' | 'at'>

export const prepare = (row: Subject, session: Session, chat: ChatRef): Prepared =>
  guarded(() => prepared(row, session, chat))

const prepared = (row: Subject, session: Session, chat: ChatRef): Prepared => {
  const able = degrade(row.op, session.capabilities(chat), row.at)
  if (able.kind === 'dropped') return NOTHING
  if (able.kind === 'refused') return { kind: 'refused', result: able }
  const to = referenceOf(able.op)
  return to === undefined ? referring(able.op, [], row, session, chat) : { kind: 'refers', op: able.op, to }
}

/** `ids`: what this network calls the event that `op` speaks of. */
export const refer = (op: Op, ids: readonly MessageId[], row: Subject, session: Session, chat: ChatRef): Prepared =>
  guarded(() => referring(op, ids, row, session, chat))

const referring = (op: Op, ids: readonly MessageId[], row: Subject, session: Session, chat: ChatRef): Prepared => {
  const wire = resolve(op, ids, row.part)
  if (wire === undefined) return NOTHING
  if (row.parts > 0) return { kind: 'ready', wire }
  // A message that went out in parts is taken back part by part.
  const pieces = op.kind === 'redact' ? ids.map((target) => ({ ...op, target })) : session.split(wire, chat)
  const [first] = pieces
  if (first === undefined) return NOTHING
  if (pieces.length === 1) return { kind: 'ready', wire: first }
  return { kind: 'parts', ops: pieces.map((piece) => restore(piece, referenceOf(op))), first }
}

const guarded = (work: () => Prepared): Prepared => {
  try {
    return work()
  } catch (error) {
    return { kind: 'broken', detail: error instanceof Error ? error.message : String(error) }
  }
}

const NOTHING: Prepared = { kind: 'nothing' }
