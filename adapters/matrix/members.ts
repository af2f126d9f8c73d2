/**
 * Acts on what happens to rooms, as their state events tell: who comes and goes, upgrades, encryption, power. What we did
 * ourselves is only noted. Acting twice on one event is harmless.
 */
import type { UserId, UserRef } from '../../bridge/model/ids.ts'
import type { Claims } from './claims.ts'
import { isEncrypted } from './encryption.ts'
import { membersIn } from './members-in.ts'
import { isMxid } from './ids.ts'
import { changeOf, memberEvent } from './membership.ts'
import { joinCall, kickCall, leaveCall, membersCall } from './room-calls.ts'
import { ask, Interrupted, patiently } from './patience.ts'
import { mayCall, type Grant } from './permissions.ts'
import { isNoChat } from './room-kind.ts'
import type { RoomParts } from './room-parts.ts'
import type { Rooms } from './rooms.ts'
import type { Speech } from './speech.ts'
import { refOf, type Mxid, type Room, type RoomEvent, type RoomId } from './types.ts'
import { textIn } from './untrusted.ts'
import type { Upgrades } from './upgrades.ts'

/** again: the adapter stops in the middle of it; the event is to be given again after the next start. */
export type Acted = 'done' | 'not-mine' | 'again'

const NOT_CALLED =
  'Nobody was invited on the other side: only the owner of this room may do that, who has an account there.'

export interface MembersDeps {
  readonly rooms: Rooms
  readonly speech: Speech
  readonly upgrades: Upgrades
  readonly claims: Claims
  roleOf(user: Mxid): Grant
  /** Says hello in a room that the bot has been invited to. */
  greet(user: Mxid, room: RoomId): Promise<void>
}

export class Members {
  readonly #parts: RoomParts
  readonly #deps: MembersDeps

  constructor(parts: RoomParts, deps: MembersDeps) {
    this.#parts = parts
    this.#deps = deps
  }

  async act(event: RoomEvent): Promise<Acted> {
    if (event.state_key === undefined) return 'not-mine'
    try {
      return await this.#act(event)
    } catch (error) {
      if (error instanceof Interrupted) return 'again'
      throw error
    }
  }

  async #act(event: RoomEvent): Promise<Acted> {
    const { speech, upgrades } = this.#deps
    const row = this.#parts.table.byRoom(event.room_id)
    switch (event.type) {
      case 'm.room.member':
        await this.#member(event, row)
        break
      case 'm.room.tombstone':
        await upgrades.tombstone(event)
        break
      case 'm.room.encryption':
        if (row !== undefined) await speech.encrypted(row, event)
        break
      case 'm.room.power_levels':
        if (row !== undefined) await speech.levels(row, event.content, event)
        break
      // What a room is called here is nothing to the other side.
      case 'm.room.name':
        break
      default:
        return 'not-mine'
    }
    return 'done'
  }

  async #member(event: RoomEvent, row: Room | undefined): Promise<void> {
    const { ghosts, homeserver } = this.#parts
    const { state_key: target } = event
    if (!isMxid(target)) return
    if (target === homeserver.bot) return this.#bot(event, row)
    const guest = ghosts.userOf(target)
    if (guest !== undefined) return this.#ghost(event, row, target, guest)
    if (row !== undefined && !ghosts.isOurs(target)) await this.#person(event, row, target)
  }

  async #bot(event: RoomEvent, row: Room | undefined): Promise<void> {
    const { ghosts, table } = this.#parts
    const { room_id: room, sender } = event
    if (ghosts.isOurs(sender)) return
    const membership = textIn(event.content, 'membership')
    if (membership === 'leave' || membership === 'ban') {
      if (row !== undefined) await this.#botRemoved(event, row)
      return
    }
    if (membership !== 'invite') return
    const waiting = this.#deps.upgrades.waitingFor(room)
    if (waiting !== undefined) return this.#deps.upgrades.invited(waiting, event)
    if (row !== undefined) {
      const joined = await ask(this.#parts, joinCall(room, {}))
      if (joined.ok) await table.change(row.chat, { botOut: false })
      return
    }
    await this.#botInvited(event)
  }

  async #botInvited(event: RoomEvent): Promise<void> {
    const { homeserver, ghosts, context } = this.#parts
    const { room_id: room, sender } = event
    const role = this.#deps.roleOf(sender)
    if (role === 'none') {
      context.log.info({ user: sender }, 'an invitation of somebody without permission was declined')
      await ask(this.#parts, leaveCall(room, {}, 'You may not use this bridge.'))
      return
    }
    const joined = await ask(this.#parts, joinCall(room, {}))
    if (!joined.ok) return
    const noChat = await patiently(this.#parts, () => isNoChat(homeserver, room, {}))
    if (noChat.ok && noChat.value) return
    const members = await ask(this.#parts, membersCall(room, {}))
    if (!members.ok) return
    const others = membersIn(members.value, ['join', 'invite']).filter((id) => id !== sender && id !== homeserver.bot)
    if (others.length === 0 && this.#isForTwo(event)) {
      await this.#deps.rooms.setHome(sender, room)
      const home = this.#parts.table.byRoom(room)
      const encrypted = await patiently(this.#parts, () => isEncrypted(homeserver, room, {}))
      if (home !== undefined && encrypted.ok && encrypted.value) {
        await this.#deps.speech.encrypted(home, event)
        return
      }
    }
    // The room of a conversation that its owner is just making: what becomes of it is decided by the ghosts' invitations.
    if (others.some((id) => ghosts.isOurs(id))) return
    await this.#deps.greet(sender, room)
  }

  /** Whoever has a home that works makes a room for something else, unless it is marked as a direct chat. */
  #isForTwo({ sender, content }: RoomEvent): boolean {
    const home = this.#parts.table.homeOf(sender)
    return home?.ownerIs !== 'in' || home.encrypted || content['is_direct'] === true
  }

  /** A portal goes on without the bot, by its ghosts. A channel waits for the bot, and a home is given up. */
  async #botRemoved(event: RoomEvent, row: Room): Promise<void> {
    const { table, ghosts, life } = this.#parts
    const id = `${event.event_id}/removed`
    switch (row.kind) {
      case 'home':
        await table.remove(row.chat)
        return
      case 'portal':
        await table.change(row.chat, { botOut: true })
        if (row.owner === undefined) return
        await this.#tell(
          row.owner,
          `I was removed from the room with ${titleOf(row)}. Its conversation goes on, but I cannot bring people in or ` +
            'mark what was delivered there. Invite me again, or say "delete-portal".',
          id,
        )
        return
      case 'channel':
        await table.change(row.chat, { botOut: true })
        for (const ghost of [...ghosts.inRoom(row.room)]) {
          const user = ghosts.userOf(ghost)
          if (user !== undefined)
            await patiently(this.#parts, () =>
              ghosts.leave(user, row.room, 'The bridge was removed from this room.', life),
            )
        }
        if (table.homeOf(event.sender) === undefined) return
        await this.#tell(
          event.sender,
          `I was removed from ${row.name ?? row.room}. Nothing is bridged there until I am invited again; to end it for ` +
            'good, unbridge it.',
          id,
        )
        return
    }
  }

  async #ghost(event: RoomEvent, row: Room | undefined, id: Mxid, guest: UserRef): Promise<void> {
    const { ghosts } = this.#parts
    const { room_id: room, sender } = event
    const ours = ghosts.isOurs(sender)
    switch (textIn(event.content, 'membership')) {
      case 'join':
        await ghosts.noteIn(id, room)
        return
      case 'leave':
      case 'ban': {
        const change = changeOf(event)
        const wasIn = ghosts.inRoom(room).has(id)
        await ghosts.noteOut(id, room)
        if (!ours && row !== undefined && row.kind !== 'home' && wasIn && change === 'kick') {
          await this.#emitMember(event, row, guest)
        }
        return
      }
      case 'invite': {
        if (ours) return
        const waiting = this.#deps.upgrades.waitingFor(room)
        if (waiting !== undefined) await this.#deps.upgrades.invited(waiting, event, id)
        else if (row === undefined || this.#deps.rooms.portals.isClaiming(room))
          await this.#deps.claims.invited(guest, event)
        else await this.#invitedInto(event, row, guest)
        return
      }
      case undefined:
      default:
        return
    }
  }

  /** Somebody wants a person of another network in a room that is bridged. */
  async #invitedInto(event: RoomEvent, row: Room, guest: UserRef): Promise<void> {
    const { ghosts, life } = this.#parts
    const { rooms } = this.#deps
    const id = `${event.event_id}/invited`
    const withdraw = (why: string): Promise<unknown> => this.#withdraw(guest, row.room, why)
    if (row.kind === 'home') {
      await withdraw('Invite me to a room of our own.')
      return
    }
    // Called by us already, or by somebody who made the room for all of them.
    if (ghosts.inRoom(row.room).has(ghosts.idOf(guest))) return
    if (!mayCall(row, event.sender, this.#deps.roleOf(event.sender))) {
      await withdraw('Only the owner of this room may invite me.')
      await this.#say(row.room, NOT_CALLED, id)
      return
    }
    const people = row.request?.with ?? []
    const isContact = people.some(({ user }) => user.user === guest.user && user.network === guest.network)
    if (row.request?.direct === true && isContact) {
      await patiently(this.#parts, () => ghosts.enter(guest, undefined, row.room, life))
      return
    }
    const [first] = people
    if (first !== undefined && first.user.network !== guest.network) {
      await withdraw('I am on another network.')
      await this.#say(row.room, `${guest.user} is on another network and cannot come to this conversation.`, id)
      return
    }
    await this.#emitMember(event, row, guest)
    if (row.request?.direct !== true) return
    await withdraw('This room is for two.')
    await rooms.homes.say(
      row.room,
      `This room stays for the two of you. ${guest.user} is being invited, and the conversation of all of you goes on in ` +
        'a room of its own, to which you are invited when somebody writes there.',
      id,
    )
  }

  /** Takes an invitation back: as the bot, where that may do so, for not everybody who is invited has a user to say no with. */
  async #withdraw(guest: UserRef, room: RoomId, why: string): Promise<void> {
    const { ghosts, life } = this.#parts
    const kicked = await ask(this.#parts, kickCall(room, ghosts.idOf(guest), why, {}))
    if (kicked.ok) return
    const ensured = await patiently(this.#parts, () => ghosts.ensure(guest, undefined, life))
    if (ensured.ok) await patiently(this.#parts, () => ghosts.leave(guest, room, why, life))
  }

  /** One of our side. */
  async #person(event: RoomEvent, row: Room, user: Mxid): Promise<void> {
    const { ghosts, network } = this.#parts
    if (user === row.owner) await this.#owner(event, row)
    if (ghosts.isOurs(event.sender) || row.kind === 'home' || row.request?.direct === true) return
    await this.#emitMember(event, row, { network, user: user as string as UserId })
  }

  async #owner(event: RoomEvent, row: Room): Promise<void> {
    const { table } = this.#parts
    const { ownerIs, owner, chat } = row
    switch (textIn(event.content, 'membership')) {
      case 'join':
        if (ownerIs !== 'in') await table.change(chat, { ownerIs: 'in' })
        return
      case 'invite':
        if (ownerIs !== 'in') await table.change(chat, { ownerIs: 'invited' })
        return
      case 'leave':
        if (ownerIs === 'in') await table.change(chat, { ownerIs: 'left' })
        if (ownerIs !== 'invited' || owner === undefined) return
        await table.change(chat, { ownerIs: 'declined' })
        if (row.kind === 'home') return
        await this.#tell(
          owner,
          `You are not in the room with ${titleOf(row)}. What they write waits there unseen: "start-chat" brings you back.`,
          `${event.event_id}/declined`,
        )
        return
      case 'ban':
        await table.change(chat, { ownerIs: 'declined' })
        return
      case undefined:
      default:
        return
    }
  }

  #say(room: RoomId, text: string, id: string): Promise<unknown> {
    return patiently(this.#parts, () => this.#deps.rooms.homes.say(room, text, id))
  }

  #tell(user: Mxid, text: string, id: string): Promise<unknown> {
    return patiently(this.#parts, () => this.#deps.rooms.tell(user, text, id))
  }

  async #emitMember(event: RoomEvent, row: Room, user: UserRef): Promise<void> {
    const { network, context } = this.#parts
    const change = changeOf(event)
    if (change === undefined) return
    const sender = { network, user: event.sender as string as UserId }
    await context.emit(memberEvent(event, refOf(network, row.chat), sender, user, change))
  }
}

const titleOf = (row: Room): string =>
  row.request?.title ??
  row.request?.with.map(({ user, name }) => (name === '' ? user.user : name)).join(', ') ??
  row.room
