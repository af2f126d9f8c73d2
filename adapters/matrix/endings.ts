/** Rooms that are given up. What is to be taken down is noted on disk first (`ending/<chat>`), so that a crash leaves nothing. */
import type { ChatId } from '../../bridge/model/ids.ts'
import { isRoomId } from './ids.ts'
import { membersIn } from './members-in.ts'
import { readRoom } from './room-table.ts'
import { kickCall, leaveCall, membersCall } from './room-calls.ts'
import type { RoomParts } from './room-parts.ts'
import { ask, Interrupted, patiently } from './patience.ts'
import type { Room } from './types.ts'

const PREFIX = 'ending/'
const REASON = 'This conversation is bridged no more.'

export class Endings {
  readonly #parts: RoomParts

  constructor(parts: RoomParts) {
    this.#parts = parts
  }

  /** Takes the chat out of the table, then its room down. Resolves when all is done, or when the adapter stops. */
  async end(chat: ChatId): Promise<void> {
    const { table, context } = this.#parts
    const row = table.byChat(chat)
    if (row === undefined) return
    await context.state.update([[`${PREFIX}${chat}`, JSON.stringify(row)]])
    await table.remove(chat)
    await this.#unlessStopped(row)
  }

  /** What an earlier run has not finished. */
  async resume(): Promise<void> {
    const { context } = this.#parts
    for (const [key, value] of await context.state.list(PREFIX)) {
      const row = readRoom(key.slice(PREFIX.length) as ChatId, value)
      if (row === undefined) await context.state.update([[key, undefined]])
      else await this.#unlessStopped(row)
    }
  }

  async #unlessStopped(row: Room): Promise<void> {
    try {
      await this.#takeDown(row)
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error
    }
  }

  async #takeDown(row: Room): Promise<void> {
    const { ghosts, spaces, context, life } = this.#parts
    const { room, kind, owner, request } = row
    if (kind === 'portal') await this.#removePeople(row)
    if (owner !== undefined && request !== undefined) await spaces.remove(owner, request.account, room)
    for (const ghost of [...ghosts.inRoom(room)]) {
      const user = ghosts.userOf(ghost)
      if (user !== undefined) await patiently(this.#parts, () => ghosts.leave(user, room, REASON, life))
    }
    for (const old of [row.from, room]) {
      if (isRoomId(old)) await ask(this.#parts, leaveCall(old, {}, REASON))
    }
    await ghosts.forget(room)
    await context.state.update([[`${PREFIX}${row.chat}`, undefined]])
  }

  /** A room that was made for a conversation is of no use without it. Where the bot has not the power, people stay. */
  async #removePeople({ room }: Room): Promise<void> {
    const { ghosts } = this.#parts
    const members = await ask(this.#parts, membersCall(room, {}))
    if (!members.ok) return
    for (const user of membersIn(members.value, ['join', 'invite'])) {
      if (!ghosts.isOurs(user)) await ask(this.#parts, kickCall(room, user, REASON, {}))
    }
  }
}
