/** What one room has that never came here: read backwards from its end, up to what is known. */
import { NO_HOMESERVER } from './failures.ts'
import { isEventId, isRoomId } from './ids.ts'
import { path } from './paths.ts'
import type { Answer, HomeserverPort, RoomId } from './types.ts'
import { isRecord, recordOf, textIn } from './untrusted.ts'

/** Events in the first answer, which is enough where nothing is missing, and in those after it. */
const FIRST_PAGE = 30
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
  const found = new Map<unknown, unknown>()
  const known = new Set<unknown>(bounds.known)
  let behind = 0
  let from: string | undefined
  pages: for (let page = 0; page < MAX_PAGES; page++) {
    const answer: Answer<unknown> = await homeserver.request<unknown>({
      method: 'GET',
      path: path`/_matrix/client/v3/rooms/${room}/messages`,
      query: { dir: 'b', filter: FILTER, ...(from === undefined ? { limit: FIRST_PAGE } : { limit: PAGE, from }) },
    })
    if (!answer.ok) {
      const { failure } = answer
      // A proxy that does not know of the homeserver yet says nothing of the room.
      if (failure.kind !== 'refused' || failure.errcode === NO_HOMESERVER) return answer
      break
    }
    const { chunk } = recordOf(answer.value)
    for (const event of Array.isArray(chunk) ? (chunk as readonly unknown[]) : []) {
      if (behind >= OVERLAP || isEntry(event, homeserver.bot)) break pages
      const id = recordOf(event)['event_id']
      // One that is old may be the word of somebody with a wrong clock, or of a server that was away: others stand behind it.
      const isNew = !known.has(id) && !isOld(event, bounds.after, now())
      // Who lists the events of one room does not say in each which room it is.
      if (isNew) found.set(id, isRecord(event) ? { ...event, room_id: room } : event)
      if (!isNew || behind > 0) behind++
    }
    const end = textIn(answer.value, 'end')
    if (end === undefined || end === from) break
    from = end
  }
  return { ok: true, value: [...found.values()].reverse() }
}

/** What the bot saw before it came in is not for us. A new name or picture of it is a join, too. */
const isEntry = (event: unknown, bot: string): boolean => {
  const { type, state_key, content, unsigned } = recordOf(event)
  if (type !== 'm.room.member' || state_key !== bot || recordOf(content)['membership'] !== 'join') return false
  return recordOf(recordOf(unsigned)['prev_content'])['membership'] !== 'join'
}

const isOld = (event: unknown, after: number, now: number): boolean => {
  const { origin_server_ts, unsigned } = recordOf(event)
  const { age } = recordOf(unsigned)
  // The clock of the homeserver may be another than ours; how old something is, it knows.
  const at = typeof age === 'number' ? now - age : origin_server_ts
  return typeof at === 'number' && at < after
}
