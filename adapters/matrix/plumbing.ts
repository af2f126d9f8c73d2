/** Existing rooms that are linked: the bot joins them, ghosts come when they first speak. */
import type { ChatId } from '../../bridge/model/ids.ts'
import type { OpenResult } from '../../bridge/model/result.ts'
import { notOpened } from './answers.ts'
import { isEncrypted } from './encryption.ts'
import { isRoomId } from './ids.ts'
import { joinCall, leaveCall } from './room-calls.ts'
import type { RoomParts } from './room-parts.ts'
import { refOf, type Failure, type RoomId } from './types.ts'
import { textIn } from './untrusted.ts'

export class Plumbing {
  readonly #parts: RoomParts
  readonly #running = new Map<ChatId, Promise<OpenResult>>()

  constructor(parts: RoomParts) {
    this.#parts = parts
  }

  /** `name`: a room's id or alias. A room is never two chats. */
  open(name: ChatId, signal: AbortSignal): Promise<OpenResult> {
    const { table, network } = this.#parts
    const known = table.byName(name)
    if (known !== undefined && known.botOut !== true) {
      return Promise.resolve({ kind: 'opened', chat: refOf(network, known.chat) })
    }
    const running = this.#running.get(name)
    if (running !== undefined) return running
    const run = this.#join(name, signal).finally(() => this.#running.delete(name))
    this.#running.set(name, run)
    return run
  }

  async #join(name: ChatId, signal: AbortSignal): Promise<OpenResult> {
    const { table, homeserver, network } = this.#parts
    const taken = isRoomId(name) ? this.#taken(name, name) : undefined
    if (taken !== undefined) return taken
    const joined = await homeserver.request<unknown>(joinCall(table.byName(name)?.room ?? name, { signal }))
    if (!joined.ok) return cannotJoin(joined.failure, name)
    const room = textIn(joined.value, 'room_id')
    if (!isRoomId(room)) {
      return { kind: 'refused', reason: 'protocol', detail: `${name}: the homeserver did not say which room it is` }
    }
    const known = table.byName(name)
    if (known !== undefined) {
      await table.change(known.chat, { botOut: false })
      return { kind: 'opened', chat: refOf(network, known.chat) }
    }
    const other = this.#taken(name, room)
    if (other !== undefined) return other
    const encrypted = await isEncrypted(homeserver, room, { signal })
    if (!encrypted.ok) return notOpened(encrypted.failure, `${name} could not be linked`)
    if (encrypted.value) {
      await homeserver.request(leaveCall(room, { signal }, 'The bridge cannot read encrypted rooms.'))
      return {
        kind: 'refused',
        reason: 'unsupported',
        detail: `${name} is encrypted, and the bridge cannot read it: link a room without encryption`,
      }
    }
    // By its other name, while we asked.
    const meanwhile = this.#taken(name, room)
    if (meanwhile !== undefined) return meanwhile
    const chat = room as string as ChatId
    await table.put({ chat, room, kind: 'channel', name, relay: true, encrypted: false })
    return { kind: 'opened', chat: refOf(network, chat) }
  }

  #taken(name: ChatId, room: RoomId): OpenResult | undefined {
    const { table } = this.#parts
    const there = table.byRoom(room) ?? table.byChat(room as string as ChatId)
    if (there === undefined || there.name === name) return undefined
    return { kind: 'refused', reason: 'forbidden', detail: `${name} ${whatIs(there.kind)}` }
  }
}

const whatIs = (kind: 'portal' | 'channel' | 'home'): string => {
  switch (kind) {
    case 'portal':
      return 'is the room of a conversation already, and a room is never bridged twice: unbridge it first'
    case 'channel':
      return 'is bridged already, and a room is never bridged twice: unbridge it first'
    case 'home':
      return 'is where the bot speaks with somebody: link another room'
  }
}

const cannotJoin = (failure: Failure, name: ChatId): OpenResult => {
  const result = notOpened(failure, `${name} cannot be entered`)
  if (result.kind !== 'refused') return result
  return result.reason === 'not-found'
    ? { ...result, detail: `there is no room ${name}, or nobody of it can be reached: check how it is written` }
    : { ...result, detail: `the bot may not enter ${name}: invite it there, then link the room again` }
}
