/** What a transaction of the homeserver holds, checked: nothing that is malformed goes further. Pure. */
import { isEventId, isMxid, isRoomId } from './ids.ts'
import type { EphemeralEvent, RoomEvent } from './types.ts'
import { isRecord, recordOf, writtenOf } from './untrusted.ts'

export interface Transaction {
  readonly events: readonly RoomEvent[]
  readonly ephemeral: readonly EphemeralEvent[]
  /** How many were no events. */
  readonly malformed: number
}

export const readTransaction = (body: unknown): Transaction => {
  const { events, ephemeral, [OLD_EPHEMERAL]: older } = recordOf(body)
  const given = listOf(events)
  const read = given.flatMap((event) => readEvent(event) ?? [])
  const passing = once([...listOf(ephemeral), ...listOf(older)])
  const readPassing = passing.flatMap((event) => readEphemeral(event) ?? [])
  return {
    events: read,
    ephemeral: readPassing,
    malformed: given.length - read.length + passing.length - readPassing.length,
  }
}

/** Homeservers that know only the draft. Some send both. */
const OLD_EPHEMERAL = 'de.sorunome.msc2409.ephemeral'

export const readEvent = (value: unknown): RoomEvent | undefined => {
  if (!isRecord(value)) return undefined
  const { type, room_id, event_id, sender, origin_server_ts, content, state_key, redacts, unsigned } = value
  if (typeof type !== 'string' || !isRoomId(room_id) || !isEventId(event_id) || !isMxid(sender)) return undefined
  if (!isRecord(content)) return undefined
  return {
    type,
    room_id,
    event_id,
    sender,
    // Old servers let people choose it.
    origin_server_ts: typeof origin_server_ts === 'number' && origin_server_ts >= 0 ? origin_server_ts : 0,
    content,
    ...(typeof state_key === 'string' ? { state_key } : {}),
    ...(isEventId(redacts) ? { redacts } : {}),
    ...(isRecord(unsigned) ? { unsigned } : {}),
  }
}

const readEphemeral = (value: unknown): EphemeralEvent | undefined => {
  if (!isRecord(value)) return undefined
  const { type, room_id, sender, content } = value
  if (typeof type !== 'string' || !isRecord(content)) return undefined
  return {
    type,
    content,
    ...(isRoomId(room_id) ? { room_id } : {}),
    ...(isMxid(sender) ? { sender } : {}),
  }
}

const once = (values: readonly unknown[]): readonly unknown[] =>
  values.length < 2 ? values : [...new Map(values.map((value) => [writtenOf(value), value])).values()]

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
