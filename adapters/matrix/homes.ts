/** The rooms where the bot speaks with one person about their accounts. */
import type { ChatId } from '../../bridge/model/ids.ts'
import { notOpened, type NotOpened } from './answers.ts'
import { portalLevels } from './power-levels.ts'
import { leaveCall, noticeCall } from './room-calls.ts'
import { ask } from './patience.ts'
import type { RoomParts } from './room-parts.ts'
import type { Answer, Mxid, Room, RoomId } from './types.ts'

export type HomeResult = { readonly kind: 'opened'; readonly room: Room } | NotOpened
export type SetHomeResult = { readonly kind: 'done' } | { readonly kind: 'refused'; readonly detail: string }

/** Whose home a chat is, by its id. */
export const homeChat = (user: Mxid): ChatId => user as string as ChatId

export class Homes {
  readonly #parts: RoomParts
  readonly #running = new Map<Mxid, Promise<HomeResult>>()

  constructor(parts: RoomParts) {
    this.#parts = parts
  }

  open(user: Mxid, signal: AbortSignal): Promise<HomeResult> {
    const known = this.#parts.table.homeOf(user)
    if (known !== undefined) return Promise.resolve({ kind: 'opened', room: known })
    const running = this.#running.get(user)
    if (running !== undefined) return running
    const run = this.#make(user, signal).finally(() => this.#running.delete(user))
    this.#running.set(user, run)
    return run
  }

  /** This room is their home from now on; the bot leaves the one before. */
  async set(user: Mxid, room: RoomId): Promise<SetHomeResult> {
    const { table } = this.#parts
    const there = table.byRoom(room)
    if (there !== undefined && there.kind !== 'home') {
      return { kind: 'refused', detail: 'This room is bridged: choose one that is not.' }
    }
    if (there !== undefined && there.owner !== user) {
      return { kind: 'refused', detail: `This room is where I speak with ${there.owner ?? 'somebody else'}.` }
    }
    if (there !== undefined) return { kind: 'done' }
    const before = table.homeOf(user)
    await this.#keep(user, room, 'in')
    if (before !== undefined) {
      await ask(this.#parts, leaveCall(before.room, {}, 'I speak with you in another room now.'))
    }
    return { kind: 'done' }
  }

  /** Said by the bot, or by the ghost `as`. `id` makes a repetition harmless. */
  say(room: RoomId, text: string, id: string, as?: Mxid): Promise<Answer<unknown>> {
    const { homeserver, life } = this.#parts
    return homeserver.insist(noticeCall(room, id, text, { signal: life, ...(as === undefined ? {} : { as }) }))
  }

  async #make(user: Mxid, signal: AbortSignal): Promise<HomeResult> {
    const { maker, homeserver, puppets } = this.#parts
    const key = `home/${user}`
    const made = await maker.make(
      key,
      {
        direct: true,
        invite: [user],
        state: [],
        levels: (version) => portalLevels(version, homeserver.bot, user),
      },
      signal,
    )
    if (!made.ok) return notOpened(made.failure, `the room to speak with ${user} could not be made`)
    const joined = await puppets.join(user, made.value.room, homeserver.bot, signal)
    const room = await this.#keep(user, made.value.room, joined ? 'in' : 'invited')
    await maker.finished(key)
    return { kind: 'opened', room }
  }

  async #keep(owner: Mxid, room: RoomId, ownerIs: 'in' | 'invited'): Promise<Room> {
    const row: Room = {
      chat: homeChat(owner),
      room,
      kind: 'home',
      owner,
      ownerIs,
      relay: false,
      encrypted: false,
    }
    await this.#parts.table.put(row)
    return row
  }
}
