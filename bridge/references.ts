/**
 * Pure. Operations in the outbox speak of our events; just before delivery these become what the leg's network calls them.
 */
import type { Op } from './degrade.ts'
import type { Outbound } from './model/events.ts'
import type { EventId, MessageId } from './model/ids.ts'

/** The event that this operation is about, if it is about one. */
export const referenceOf = (op: Op): EventId | undefined => {
  switch (op.kind) {
    case 'message':
      return op.replyTo
    case 'edit':
    case 'redact':
    case 'reaction':
    case 'delivery':
      return op.target
    case 'read':
      return op.upTo
    case 'member':
    case 'topic':
    case 'typing':
    case 'company':
    case 'presence':
    case 'profile':
    case 'title':
    case 'status':
      return undefined
  }
}

/**
 * `ids`: what the leg's network calls the event that is referred to, in order. `part`: a message of several parts is
 * taken back part by part. `undefined`: it never reached this leg, so there is nothing to do.
 */
export const resolve = (op: Op, ids: readonly MessageId[], part: number): Outbound | undefined => {
  const [first] = ids
  switch (op.kind) {
    case 'message': {
      const { replyTo, ...rest } = op
      return replyTo === undefined || first === undefined ? rest : { ...rest, replyTo: first }
    }
    case 'redact': {
      const target = ids[part]
      return target === undefined ? undefined : { ...op, target }
    }
    case 'edit':
      return first === undefined ? undefined : { ...op, target: first }
    case 'reaction':
      return first === undefined ? undefined : { ...op, target: first }
    case 'delivery':
      return first === undefined ? undefined : { ...op, target: first }
    case 'read': {
      const last = ids.at(-1)
      return last === undefined ? undefined : { ...op, upTo: last }
    }
    case 'member':
    case 'topic':
    case 'typing':
    case 'company':
    case 'presence':
    case 'profile':
    case 'title':
    case 'status':
      return op
  }
}

/** A part as it is stored: it speaks of the event again. */
export const restore = (piece: Outbound, reference: EventId | undefined): Op => {
  switch (piece.kind) {
    case 'message': {
      const { replyTo, ...rest } = piece
      return replyTo === undefined || reference === undefined ? rest : { ...rest, replyTo: reference }
    }
    case 'edit':
    case 'redact':
    case 'reaction':
    case 'delivery':
      return { ...piece, target: reference ?? missing() }
    case 'read':
      return { ...piece, upTo: reference ?? missing() }
    case 'member':
    case 'topic':
    case 'typing':
    case 'company':
    case 'presence':
    case 'profile':
    case 'title':
    case 'status':
      return piece
  }
}

const missing = (): never => {
  throw new Error('an adapter split an operation into one that refers to an event nobody spoke of')
}
