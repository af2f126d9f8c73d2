/**
 * Which room is which chat: in memory, and one row for each chat on disk (`room/<chat>`).
 *
 * The id of a chat is that of the room as it was first made or linked, and stays when the room is upgraded; a home has the
 * id of its owner, so that it may move to another room.
 */
import type { AdapterState, Logger, PortalRequest } from '../../bridge/adapter.ts'
import type { ChatId, PortalId } from '../../bridge/model/ids.ts'
import { isMxid, isRoomId } from './ids.ts'
import type { Mxid, OwnerIs, Room, RoomId, RoomTable } from './types.ts'
import { jsonOf, recordOf, textIn } from './untrusted.ts'

const PREFIX = 'room/'
const KINDS: ReadonlySet<unknown> = new Set(['portal', 'channel', 'home'] satisfies Room['kind'][])
const OWNERS: ReadonlySet<unknown> = new Set(['invited', 'in', 'left', 'declined'] satisfies OwnerIs[])

/** undefined: nothing that we wrote. */
export const readRoom = (chat: ChatId, value: string): Room | undefined => {
  const row = recordOf(jsonOf(value))
  const { room, kind, owner, ownerIs, request, next, from } = row
  if (!isRoomId(room) || !KINDS.has(kind)) return undefined
  const name = textIn(row, 'name')
  return {
    chat,
    room,
    kind: kind as Room['kind'],
    ...(isMxid(owner) ? { owner } : {}),
    ...(OWNERS.has(ownerIs) ? { ownerIs: ownerIs as OwnerIs } : {}),
    ...(textIn(request, 'portal') === undefined ? {} : { request: request as PortalRequest }),
    ...(name === undefined ? {} : { name: name as ChatId }),
    ...(isRoomId(next) ? { next } : {}),
    ...(isRoomId(from) ? { from } : {}),
    ...(row['muted'] === true ? { muted: true } : {}),
    ...(row['unread'] === true ? { unread: true } : {}),
    ...(row['botOut'] === true ? { botOut: true } : {}),
    relay: row['relay'] === true,
    encrypted: row['encrypted'] === true,
  }
}

export class Table implements RoomTable {
  readonly #state: AdapterState
  readonly #log: Logger
  readonly #chats = new Map<ChatId, Room>()
  readonly #rooms = new Map<RoomId, Room>()
  readonly #portals = new Map<PortalId, Room>()
  readonly #homes = new Map<Mxid, Room>()

  constructor(state: AdapterState, log: Logger) {
    this.#state = state
    this.#log = log
  }

  async start(): Promise<void> {
    for (const [key, value] of await this.#state.list(PREFIX)) {
      const room = readRoom(key.slice(PREFIX.length) as ChatId, value)
      if (room === undefined) this.#log.error({ key }, 'a room in the database cannot be read')
      else this.#index(room)
    }
  }

  byRoom(room: RoomId): Room | undefined {
    return this.#rooms.get(room)
  }

  byChat(chat: ChatId): Room | undefined {
    return this.#chats.get(chat)
  }

  byPortal(portal: PortalId): Room | undefined {
    return this.#portals.get(portal)
  }

  homeOf(user: Mxid): Room | undefined {
    return this.#homes.get(user)
  }

  /** A channel by what its link calls it. */
  byName(name: ChatId): Room | undefined {
    for (const room of this.#chats.values()) if (room.name === name) return room
    return undefined
  }

  all(): Iterable<Room> {
    return this.#chats.values()
  }

  get size(): number {
    return this.#chats.size
  }

  async put(room: Room): Promise<void> {
    const before = this.#chats.get(room.chat)
    if (before !== undefined) this.#unindex(before)
    this.#index(room)
    const { chat, ...row } = room
    await this.#state.update([[`${PREFIX}${chat}`, JSON.stringify(row)]])
  }

  /** Changes some of a room's facts, if it is still there. */
  async change(chat: ChatId, facts: Partial<Omit<Room, 'chat'>>): Promise<Room | undefined> {
    const before = this.#chats.get(chat)
    if (before === undefined) return undefined
    const room = { ...before, ...facts }
    await this.put(room)
    return room
  }

  async remove(chat: ChatId): Promise<void> {
    const room = this.#chats.get(chat)
    if (room === undefined) return
    this.#unindex(room)
    await this.#state.update([[`${PREFIX}${chat}`, undefined]])
  }

  #index(room: Room): void {
    this.#chats.set(room.chat, room)
    this.#rooms.set(room.room, room)
    if (room.request !== undefined) this.#portals.set(room.request.portal, room)
    if (room.kind === 'home' && room.owner !== undefined) this.#homes.set(room.owner, room)
  }

  #unindex(room: Room): void {
    this.#chats.delete(room.chat)
    if (this.#rooms.get(room.room) === room) this.#rooms.delete(room.room)
    if (room.request !== undefined) this.#portals.delete(room.request.portal)
    if (room.kind === 'home' && room.owner !== undefined) this.#homes.delete(room.owner)
  }
}
