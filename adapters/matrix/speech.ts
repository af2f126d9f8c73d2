/** Says when a room can no longer be read or spoken in: it was encrypted, or its power levels silence us. Once each. */
import { encryptedWords, unreadWords } from './encryption.ts'
import { ask, patiently } from './patience.ts'
import { creationOf, levelOf, levelToSpeak } from './power-levels.ts'
import { stateCall } from './room-calls.ts'
import type { RoomParts } from './room-parts.ts'
import type { Rooms } from './rooms.ts'
import type { Mxid, Room, RoomEvent } from './types.ts'

/** Ghosts of one room that are looked at and named. */
const MAX_LOOKED_AT = 50
const MAX_NAMED = 3
/** Stands for people who have not spoken yet. */
const ANYBODY = ''

type Cause = Pick<RoomEvent, 'event_id' | 'sender'>

export class Speech {
  readonly #parts: RoomParts
  readonly #rooms: Rooms

  constructor(parts: RoomParts, rooms: Rooms) {
    this.#parts = parts
    this.#rooms = rooms
  }

  /** Somebody, or the homeserver's own setting, has encrypted the room. */
  async encrypted(row: Room, cause: Cause): Promise<void> {
    if (row.encrypted) return
    await this.#say(row, encryptedWords(row), cause, 'encrypted')
    await this.#parts.table.change(row.chat, { encrypted: true })
  }

  /** A message that cannot be read. Answered the first time only. */
  async unreadable(row: Room, cause: Cause): Promise<void> {
    if (row.unread === true) return
    await this.#say(row, unreadWords(row), cause, 'unread')
    await this.#parts.table.change(row.chat, { unread: true, encrypted: true })
  }

  /** `levels`: untrusted content of `m.room.power_levels`. */
  async levels(row: Room, levels: unknown, cause: Cause): Promise<void> {
    const needed = levelToSpeak(levels)
    const silent = await this.#silent(row, levels, needed)
    const muted = silent.length > 0
    if (muted === (row.muted === true)) return
    await this.#parts.table.change(row.chat, { muted })
    if (!muted) return
    const names = silent.filter((id) => id !== ANYBODY)
    const shown = names.slice(0, MAX_NAMED).join(', ') + (names.length > MAX_NAMED ? ' and others' : '')
    await this.#say(
      row,
      `${shown === '' ? 'People of the other side' : shown} may not speak in this room: that takes the power level ` +
        `${needed} now. What they say cannot be shown until they have it, or until less is needed to send messages.`,
      cause,
      'muted',
    )
  }

  /** The homeserver did not take what a ghost had to say, though it is in the room. `detail`: its words. Said once. Never rejects. */
  async silenced({ chat }: Pick<Room, 'chat'>, detail: string): Promise<void> {
    const { table, context, homeserver } = this.#parts
    const row = table.byChat(chat)
    if (row === undefined || row.muted === true) return
    const text =
      `What people of the other side say cannot be shown here: they may not speak in this room (${detail}). ` +
      'Give them the power to send messages.'
    try {
      await table.change(chat, { muted: true })
      await this.#say(row, text, { event_id: `$muted-${context.clock.now()}`, sender: homeserver.bot }, 'muted')
    } catch (error) {
      context.log.warn(
        { room: row.room, error: String(error) },
        'a room where ghosts may not speak could not be told so',
      )
    }
  }

  async #silent(row: Room, levels: unknown, needed: number): Promise<readonly string[]> {
    const { ghosts } = this.#parts
    const there: readonly string[] = [...ghosts.inRoom(row.room)].slice(0, MAX_LOOKED_AT)
    const below = (there.length === 0 ? [ANYBODY] : there).filter((id) => levelOf(levels, id) < needed)
    if (below.length === 0) return below
    const creation = await ask(this.#parts, stateCall(row.room, 'm.room.create', '', {}))
    const { creators } = creationOf(creation.ok ? creation.value : undefined)
    return below.filter((id) => !creators.includes(id))
  }

  /** In the room; else to whom it belongs, else to who has done it, if the bot knows them. */
  async #say(row: Room, text: string, cause: Cause, about: string): Promise<void> {
    const { ghosts, table, context } = this.#parts
    const id = `${cause.event_id}/${about}`
    const said = await patiently(this.#parts, () => this.#rooms.homes.say(row.room, text, id))
    if (said.ok) return
    const doer: Mxid | undefined = ghosts.isOurs(cause.sender) ? undefined : table.homeOf(cause.sender)?.owner
    const reader = row.kind === 'home' ? undefined : (row.owner ?? doer)
    if (reader !== undefined) await patiently(this.#parts, () => this.#rooms.tell(reader, text, `${id}-home`))
    else context.log.warn({ room: row.room, about }, 'nobody could be told that a room is of no use any more')
  }
}
