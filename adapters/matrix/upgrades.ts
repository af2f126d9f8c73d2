/**
 * Rooms that are replaced by a newer version: the bot and the ghosts move, and the chat stays the same. A room that does
 * not let the bot in is said, and entered when somebody invites it.
 */
import { ask, patiently } from './patience.ts'
import { BOT_LEVEL, creationOf, levelOf } from './power-levels.ts'
import { domainOf, isRoomId } from './ids.ts'
import { inviteCall, joinCall, leaveCall, stateCall } from './room-calls.ts'
import { spaceOf } from './portal-rooms.ts'
import type { RoomParts } from './room-parts.ts'
import type { Rooms } from './rooms.ts'
import type { Mxid, Room, RoomEvent, RoomId } from './types.ts'
import { recordOf, textIn } from './untrusted.ts'

const REASON = 'This room was replaced.'

export class Upgrades {
  readonly #parts: RoomParts
  readonly #rooms: Rooms

  constructor(parts: RoomParts, rooms: Rooms) {
    this.#parts = parts
    this.#rooms = rooms
  }

  /** Whose next room this is. */
  waitingFor(room: RoomId): Room | undefined {
    for (const row of this.#parts.table.all()) if (row.next === room) return row
    return undefined
  }

  /** `m.room.tombstone` of a room of ours, or of one that we are about to leave. */
  async tombstone(event: RoomEvent): Promise<void> {
    const { table } = this.#parts
    const next = textIn(event.content, 'replacement_room')
    const moved = this.#movedFrom(event.room_id)
    if (moved !== undefined) return this.#settle(moved, event.room_id)
    const row = table.byRoom(event.room_id)
    if (row === undefined || !isRoomId(next) || next === row.room) return
    if (table.byRoom(next) !== undefined) {
      await this.#say(row, event, 'This room was replaced by one that is bridged already, so I stay here.')
      return
    }
    await this.#enter(row, next, event, domainOf(event.sender))
  }

  /** The bot, or the ghost `by`, is invited to the room that `row` waits for. */
  async invited(row: Room, event: RoomEvent, by?: Mxid): Promise<void> {
    if (row.next === undefined) return
    if (by !== undefined) await this.#bring(row.next, by)
    await this.#enter(row, row.next, event, domainOf(event.sender))
  }

  async #enter(row: Room, next: RoomId, event: RoomEvent, via: string): Promise<void> {
    const { table } = this.#parts
    const joined = await ask(this.#parts, joinCall(next, {}, via))
    if (!joined.ok) {
      await table.change(row.chat, { next })
      const text = 'This room was replaced, and I am not let into the new one: invite me there, and I will go on in it.'
      if (row.next !== next) await this.#say(row, event, text)
      return
    }
    const creation = await ask(this.#parts, stateCall(next, 'm.room.create', '', {}))
    const predecessor = creation.ok ? recordOf(creation.value)['predecessor'] : undefined
    if (textIn(predecessor, 'room_id') !== row.room) {
      await ask(this.#parts, leaveCall(next, {}, 'This room does not replace one of mine.'))
      await this.#say(
        row,
        event,
        'This room names another as its replacement, but that one says otherwise: I stay here.',
      )
      return
    }
    const version = creationOf(creation.ok ? creation.value : undefined).roomVersion
    this.#parts.context.log.info({ room: row.room, next, version }, 'a room was upgraded')
    const moved = await table.change(row.chat, {
      room: next,
      next: undefined,
      from: row.room,
      botOut: false,
      muted: false,
    })
    if (moved !== undefined) await this.#settle(moved, row.room)
  }

  /** Everything but the room's row, which has changed already. May be repeated. */
  async #settle(row: Room, old: RoomId): Promise<void> {
    const { ghosts, spaces, table, context, life } = this.#parts
    for (const ghost of [...ghosts.inRoom(old)]) {
      const user = ghosts.userOf(ghost)
      if (user === undefined) continue
      const entered = await patiently(this.#parts, () => ghosts.enter(user, undefined, row.room, life))
      if (!entered.ok) context.log.warn({ room: row.room, detail: entered.failure.detail }, 'a ghost cannot follow')
    }
    const [ghost] = ghosts.inRoom(row.room)
    await patiently(this.#parts, () => this.#rooms.portals.dress(row, ghost, life))
    const whose = row.request === undefined ? undefined : spaceOf(row.request)
    if (whose !== undefined) {
      await patiently(this.#parts, () => spaces.add(whose, row.room, life))
      await spaces.remove(whose.owner, whose.account, old)
    }
    for (const gone of [...ghosts.inRoom(old)]) {
      const user = ghosts.userOf(gone)
      if (user !== undefined) await patiently(this.#parts, () => ghosts.leave(user, old, REASON, life))
    }
    await ask(this.#parts, leaveCall(old, {}, REASON))
    await this.#checkPower(row)
    await table.change(row.chat, { from: undefined })
  }

  /** Whoever replaces a room has all the power; from version 12 on, the bot had more than its level said, and loses it. */
  async #checkPower(row: Room): Promise<void> {
    if (row.kind !== 'portal') return
    const levels = await ask(this.#parts, stateCall(row.room, 'm.room.power_levels', '', {}))
    if (!levels.ok || levelOf(levels.value, this.#parts.homeserver.bot) >= BOT_LEVEL) return
    const text = `I go on here, but with less power than before: give me the power level ${BOT_LEVEL}, so that I can name this room and delete it when you ask for that.`
    await patiently(this.#parts, () => this.#rooms.homes.say(row.room, text, `upgraded/${row.room}`))
  }

  /** A ghost is let in where the bot is not: it asks the bot in. */
  async #bring(room: RoomId, ghost: Mxid): Promise<void> {
    const { ghosts, homeserver, life } = this.#parts
    const user = ghosts.userOf(ghost)
    if (user === undefined) return
    const entered = await patiently(this.#parts, () => ghosts.enter(user, undefined, room, life))
    if (entered.ok) await ask(this.#parts, inviteCall(room, homeserver.bot, { as: ghost }))
  }

  #movedFrom(room: RoomId): Room | undefined {
    for (const row of this.#parts.table.all()) if (row.from === room) return row
    return undefined
  }

  async #say(row: Room, event: RoomEvent, text: string): Promise<void> {
    const id = `${event.event_id}/upgrade`
    const said = await patiently(this.#parts, () => this.#rooms.homes.say(row.room, text, id))
    if (row.owner !== undefined && (!said.ok || row.kind === 'portal')) {
      const { owner } = row
      const whole = `${row.request?.title ?? row.room}: ${text}`
      await patiently(this.#parts, () => this.#rooms.tell(owner, whole, `${id}-home`))
    }
  }
}
