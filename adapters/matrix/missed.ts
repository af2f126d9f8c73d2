/** What one room has that never came here: read backwards from its end, up to what is known. */
import { isEventId, isRoomId } from './ids.ts'
import { path } from './paths.ts'
import type { Answer, HomeserverPort, RoomId } from './types.ts'
import { isRecord, recordOf, textIn } from './untrusted.ts'

/** Events in one answer; more are asked for page by page. */
const PAGE = 100
/** What is older than so many pages is not fetched. */
const MAX_PAGES = 50
/**
 * A room is listed by the depth of its events, and they are brought in the order in which they were stored: of those that
 * several people say at once, the one stored last may be listed earlier. So many are read behind one that is known.
 */
export const OVERLAP = 20
const TYPES: readonly string[] = [
  'm.room.message',
  'm.room.encrypted',
  'm.room.redaction',
  'm.room.member',
  'm.room.topic',
  'm.room.tombstone',
  'm.room.encryption',
  'm.room.power_levels',
  'm.reaction',
  'm.sticker',
]
const FILTER = JSON.stringify({ types: TYPES })

export interface Bounds {
  /** The last that came, `OVERLAP` at most. They may be gone from the room. */
  readonly known: readonly string[]
  /** What happened earlier came, or is not for us; by our clock, milliseconds since the epoch. */
  readonly after: number
}

export interface Place {
  readonly room: RoomId
  readonly event: string
}

/** Where the events of a transaction happened, of the types that are asked for here. */
export const placesIn = (body: unknown): readonly Place[] => {
  const { events } = recordOf(body)
  if (!Array.isArray(events)) return []
  return (events as readonly unknown[]).flatMap((each) => {
    const { room_id, event_id, type } = recordOf(each)
    const isAsked = typeof type === 'string' && TYPES.includes(type)
    return isAsked && isRoomId(room_id) && isEventId(event_id) ? [{ room: room_id, event: event_id }] : []
  })
}

export interface Missed {
  readonly homeserver: Pick<HomeserverPort, 'request' | 'bot'>
  readonly room: RoomId
  readonly bounds: Bounds
  readonly now: () => number
}

/** Oldest first, without those that are known. A refusal is an answer: there is nothing in that room for us. */
export const missedIn = async ({ homeserver, room, bounds, now }: Missed): Promise<Answer<readonly unknown[]>> => {
  const found: unknown[] = []
  const known = new Set<unknown>(bounds.known)
  let behind = 0
  let from: string | undefined
  pages: for (let page = 0; page < MAX_PAGES; page++) {
    const answer: Answer<unknown> = await homeserver.request<unknown>({
      method: 'GET',
      path: path`/_matrix/client/v3/rooms/${room}/messages`,
      query: { dir: 'b', limit: PAGE, filter: FILTER, ...(from === undefined ? {} : { from }) },
    })
    if (!answer.ok) {
      if (answer.failure.kind !== 'refused') return answer
      break
    }
    const { chunk } = recordOf(answer.value)
    for (const event of Array.isArray(chunk) ? (chunk as readonly unknown[]) : []) {
      if (behind >= OVERLAP || isBound(event, homeserver.bot, bounds.after, now())) break pages
      const isKnown = known.has(recordOf(event)['event_id'])
      // Who lists the events of one room does not say in each which room it is.
      if (!isKnown) found.push(isRecord(event) ? { ...event, room_id: room } : event)
      if (isKnown || behind > 0) behind++
    }
    from = textIn(answer.value, 'end')
    if (from === undefined) break
  }
  return { ok: true, value: found.reverse() }
}

/** What the bot saw before it came in is not for us, either. */
const isBound = (event: unknown, bot: string, after: number, now: number): boolean => {
  const { type, state_key, content, origin_server_ts, unsigned } = recordOf(event)
  if (type === 'm.room.member' && state_key === bot && recordOf(content)['membership'] === 'join') return true
  const { age } = recordOf(unsigned)
  // The clock of the homeserver may be another than ours; how old something is, it knows.
  const at = typeof age === 'number' ? now - age : origin_server_ts
  return typeof at === 'number' && at < after
}
