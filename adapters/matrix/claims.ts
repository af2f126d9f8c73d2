/**
 * Somebody invites ghosts to a room of their own: it becomes the room of their conversation. Where that cannot be, a ghost
 * says why and goes.
 */
import type { PortalRequest } from '../../bridge/adapter.ts'
import type { ChatId, UserRef } from '../../bridge/model/ids.ts'
import { isEncrypted } from './encryption.ts'
import { membersIn } from './members-in.ts'
import { portalRow, spaceOf } from './portal-rooms.ts'
import { isNoChat } from './room-kind.ts'
import { ask, Interrupted, patiently } from './patience.ts'
import { roleOf, type Grant } from './permissions.ts'
import { BOT_LEVEL, withLevel } from './power-levels.ts'
import { inviteCall, joinCall, membersCall, newestCall, putStateCall, stateCall } from './room-calls.ts'
import type { RoomParts } from './room-parts.ts'
import type { Rooms } from './rooms.ts'
import { refOf, type Mxid, type RoomEvent, type RoomId } from './types.ts'
import { recordOf, textIn } from './untrusted.ts'

/** Invitations of one new room arrive one by one; so long is waited for all of them. Milliseconds. */
export const GATHER_MS = 500
/** Events of a new room that are read again, for what was said before the ghost was in. */
const MAX_MISSED = 50

export interface ClaimDeps {
  roleOf(user: Mxid): Grant
  /** What was said in a room before the homeserver began to tell us: to be taken like what arrives, oldest first. */
  missed(room: RoomId, events: readonly unknown[]): Promise<void>
}

export class Claims {
  readonly #parts: RoomParts
  readonly #rooms: Rooms
  readonly #deps: ClaimDeps

  constructor(parts: RoomParts, rooms: Rooms, deps: ClaimDeps) {
    this.#parts = parts
    this.#rooms = rooms
    this.#deps = deps
  }

  /** `guest` is invited to a room that is no chat of ours, or that we had begun to make one. */
  async invited(guest: UserRef, event: RoomEvent): Promise<void> {
    const { ghosts, context, network, life, table } = this.#parts
    const { room_id: room, sender } = event
    if (roleOf(this.#deps.roleOf(sender)) === 'none') {
      // Nobody is made for strangers, nor sent into their rooms.
      context.log.info({ user: sender }, 'an invitation of somebody without permission was declined')
      await patiently(this.#parts, () => ghosts.leave(guest, room, 'You may not use this bridge.', life))
      return
    }
    const ensured = await patiently(this.#parts, () => ghosts.ensure(guest, undefined, life))
    if (!ensured.ok) return
    const as = ensured.value
    const joined = await ask(this.#parts, joinCall(room, { as }))
    // Taken back meanwhile.
    if (!joined.ok) return
    await ghosts.noteIn(as, room)
    const before = table.byRoom(room)?.request
    if (before !== undefined) {
      return this.#settle(
        event,
        before,
        before.with.map(({ user }) => user),
        as,
      )
    }
    await context.clock.sleep(GATHER_MS, life)
    if (life.aborted) throw new Interrupted()
    const there = await this.#whoIsThere(room, as)
    if (there === undefined) return
    const others = there.filter((id) => id !== sender && !ghosts.isOurs(id))
    const guests = there.flatMap((id) => ghosts.userOf(id) ?? [])
    const why = await this.#obstacle(room, as, others, guests)
    if (why !== undefined) return this.#decline(event, guests, as, why)
    const chat = refOf(network, room as string as ChatId)
    await this.#rooms.portals.claiming(room, sender, guests)
    const claim = await context.claim({
      by: { network, user: sender as string as UserRef['user'] },
      with: guests,
      chat,
    })
    switch (claim.kind) {
      case 'claimed':
        return this.#settle(event, claim.request, guests, as)
      case 'elsewhere': {
        const there = table.byChat(claim.chat.chat)
        // The bridge asked for their room just now, and got this one.
        if (there?.room === room && there.request !== undefined) return this.#settle(event, there.request, guests, as)
        if (there !== undefined) await patiently(this.#parts, () => this.#rooms.bring(there, life))
        const link = there === undefined ? '' : `: https://matrix.to/#/${there.room}`
        return this.#decline(
          event,
          guests,
          as,
          `We have a room already${link} Please write there, I was not told of this.`,
        )
      }
      case 'refused':
        return this.#decline(event, guests, as, claim.detail)
    }
  }

  async #whoIsThere(room: RoomId, as: Mxid): Promise<readonly string[] | undefined> {
    const members = await ask(this.#parts, membersCall(room, { as }))
    return members.ok ? membersIn(members.value, ['join', 'invite']) : undefined
  }

  async #obstacle(
    room: RoomId,
    as: Mxid,
    others: readonly string[],
    guests: readonly UserRef[],
  ): Promise<string | undefined> {
    if (others.length > 0) {
      return 'Other people are in this room. To bridge it, invite the bridge\'s bot and say "bridge"; to talk to me alone, invite me to a room of our own.'
    }
    if (new Set(guests.map(({ network }) => network)).size > 1) {
      return 'We are on different networks and cannot be in one conversation.'
    }
    const { homeserver } = this.#parts
    const noChat = await patiently(this.#parts, () => isNoChat(homeserver, room, { as }))
    if (noChat.ok && noChat.value) return 'This is a space, where nobody can talk. Invite me to a room.'
    const encrypted = await patiently(this.#parts, () => isEncrypted(homeserver, room, { as }))
    return encrypted.ok && encrypted.value
      ? 'This room is encrypted, and the bridge cannot read it. Invite me to a room without encryption.'
      : undefined
  }

  async #settle(event: RoomEvent, request: PortalRequest, guests: readonly UserRef[], as: Mxid): Promise<void> {
    const { table, ghosts, homeserver, spaces, context, life } = this.#parts
    const { room_id: room, sender } = event
    const row = portalRow(room, sender, request, 'in')
    await table.put(row)
    await this.#readMissed(event, as)
    for (const user of guests) {
      const entered = await patiently(this.#parts, () => ghosts.enter(user, undefined, room, life))
      if (!entered.ok) context.log.warn({ room, detail: entered.failure.detail }, 'a ghost cannot enter its room')
    }
    await ask(this.#parts, inviteCall(room, homeserver.bot, { as }))
    const joined = await ask(this.#parts, joinCall(room, {}))
    if (joined.ok) await this.#empower(room, as)
    else {
      await table.change(row.chat, { botOut: true })
      context.log.info({ room }, 'the bot is not let into a room that a ghost was invited to')
    }
    await patiently(this.#parts, () => this.#rooms.portals.dress(row, as, life))
    const whose = spaceOf(request)
    if (whose !== undefined && joined.ok) await patiently(this.#parts, () => spaces.add(whose, room, life))
    await this.#rooms.portals.claimed(room)
  }

  /** Where the room was made for two, the ghost may do everything: it lets the bot do so, too. */
  async #empower(room: RoomId, as: Mxid): Promise<void> {
    const { homeserver } = this.#parts
    const levels = await ask(this.#parts, stateCall(room, 'm.room.power_levels', '', { as }))
    const better = levels.ok ? withLevel(levels.value, homeserver.bot, BOT_LEVEL) : undefined
    if (better !== undefined) {
      await ask(this.#parts, putStateCall(room, 'm.room.power_levels', '', better, { as }))
    }
  }

  /** People write at once, and the homeserver tells us of a room only when somebody of ours is in it. */
  async #readMissed({ room_id: room, sender }: RoomEvent, as: Mxid): Promise<void> {
    const newest = await ask(this.#parts, newestCall(room, MAX_MISSED, { as }))
    const { chunk } = recordOf(newest.ok ? newest.value : undefined)
    const said = (Array.isArray(chunk) ? chunk : []).filter(
      (event: unknown) => textIn(event, 'sender') === sender && textIn(event, 'state_key') === undefined,
    )
    if (said.length === 0) return
    // Not every homeserver repeats the room in each event.
    await this.#deps.missed(
      room,
      said.toReversed().map((event: unknown) => ({ ...recordOf(event), room_id: room })),
    )
  }

  async #decline(event: RoomEvent, guests: readonly UserRef[], as: Mxid, why: string): Promise<void> {
    const { ghosts, life } = this.#parts
    const id = `${event.event_id}/declined`
    await patiently(this.#parts, () => this.#rooms.homes.say(event.room_id, why, id, as))
    await this.#rooms.portals.claimed(event.room_id)
    for (const user of guests) await patiently(this.#parts, () => ghosts.leave(user, event.room_id, undefined, life))
  }
}
