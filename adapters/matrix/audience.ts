/** Who would see a ghost: the people in whose chats it is, as far as they are there themselves. */
import type { ChatId } from '../../bridge/model/ids.ts'
import type { Mxid, RoomTable } from './types.ts'

/** Ghosts whose chats are remembered; of further ones we assume that somebody sees them. */
export const MAX_GHOSTS = 20_000
/** Chats of one ghost that are remembered: one for each of our people who know it, and some groups. */
export const MAX_CHATS = 64
/** People whose presence is remembered; the others count as there. */
export const MAX_PEOPLE = 10_000
/** Somebody who is shown as offline but reads or writes counts as there for so long: they only hide. */
export const ACTIVE_MS = 10 * 60_000

export class Audience {
  readonly #rooms: Pick<RoomTable, 'byChat'>
  readonly #chats = new Map<Mxid, Set<ChatId>>()
  /** Who is offline, and until when they count as there all the same. */
  readonly #away = new Map<Mxid, number>()

  constructor(rooms: Pick<RoomTable, 'byChat'>) {
    this.#rooms = rooms
  }

  /** The ghost takes part in this chat. */
  note(ghost: Mxid, chat: ChatId): void {
    const chats = this.#chats.get(ghost) ?? new Set()
    if (chats.size < MAX_CHATS) chats.add(chat)
    if (this.#chats.has(ghost) || this.#chats.size < MAX_GHOSTS) this.#chats.set(ghost, chats)
  }

  /** How the homeserver shows one of our people. Answers whether they have just come. */
  shown(user: Mxid, there: boolean): boolean {
    const was = this.#away.has(user)
    if (there) this.#away.delete(user)
    else if (!was && this.#away.size < MAX_PEOPLE) this.#away.set(user, 0)
    return there && was
  }

  /** One of our people did something that only somebody who looks at their screen does. Answers whether they have just come. */
  active(user: Mxid, now: number): boolean {
    const until = this.#away.get(user)
    if (until === undefined) return false
    this.#away.set(user, now + ACTIVE_MS)
    return until <= now
  }

  canSee(ghost: Mxid, now: number): boolean {
    const chats = this.#chats.get(ghost)
    if (chats === undefined) return true
    for (const chat of chats) {
      const room = this.#rooms.byChat(chat)
      if (room === undefined) chats.delete(chat)
      else if (room.owner === undefined || (this.#away.get(room.owner) ?? Number.POSITIVE_INFINITY) > now) return true
    }
    return false
  }

  /** We were not told for a while: everybody counts as there again. */
  forget(): void {
    this.#away.clear()
  }
}
