/** The rooms of the bridge, as a session asks for them: found or made, made ready for speaking, named, given up. */
import type { ChatRequest, PortalRequest } from '../../bridge/adapter.ts'
import type { ChatId } from '../../bridge/model/ids.ts'
import type { OpenResult } from '../../bridge/model/result.ts'
import { done, isPassing, notOpened, refusal, type NotOpened } from './answers.ts'
import { roomNameOf } from './bridge-info.ts'
import { Endings } from './endings.ts'
import { homeChat, Homes, type SetHomeResult } from './homes.ts'
import { isMxid } from './ids.ts'
import { Plumbing } from './plumbing.ts'
import { PortalRooms } from './portal-rooms.ts'
import { putStateCall } from './room-calls.ts'
import type { RoomParts } from './room-parts.ts'
import { syncRoom } from './sync.ts'
import { mxidOf, refOf, type Answer, type Mxid, type Room, type RoomId } from './types.ts'

export type Ready = { readonly kind: 'ready'; readonly room: Room } | NotOpened

export class Rooms {
  readonly #parts: RoomParts
  readonly portals: PortalRooms
  readonly homes: Homes
  readonly #plumbing: Plumbing
  readonly #endings: Endings

  constructor(parts: RoomParts) {
    this.#parts = parts
    this.portals = new PortalRooms(parts)
    this.homes = new Homes(parts)
    this.#plumbing = new Plumbing(parts)
    this.#endings = new Endings(parts)
  }

  async open(request: ChatRequest, signal: AbortSignal): Promise<OpenResult> {
    switch (request.kind) {
      case 'portal':
        return this.#portal(request, signal)
      case 'home': {
        const home = await this.homes.open(mxidOf(request.user), signal)
        return home.kind === 'opened' ? { kind: 'opened', chat: refOf(this.#parts.network, home.room.chat) } : home
      }
      case 'channel':
        return this.#plumbing.open(request.name, signal)
      case 'direct':
      case 'group':
        return {
          kind: 'refused',
          reason: 'unsupported',
          detail: 'Matrix is linked by rooms: write the address of one',
        }
    }
  }

  /** To be asked before something is said: the room is there, and its owner, when they have left, is invited back. */
  async ready(chat: ChatId, signal: AbortSignal): Promise<Ready> {
    const row = this.#parts.table.byChat(chat)
    if (row === undefined) {
      if (!isMxid(chat)) return { kind: 'refused', reason: 'not-found', detail: 'the room is bridged no more' }
      const home = await this.homes.open(chat, signal)
      return home.kind === 'opened' ? { kind: 'ready', room: home.room } : home
    }
    if (row.kind === 'channel' && row.botOut === true) {
      return {
        kind: 'refused',
        reason: 'forbidden',
        detail: `the bridge was removed from the room ${row.name ?? row.room}: invite its bot there again`,
      }
    }
    const owner = await this.ensureOwner(row, signal)
    if (!owner.ok && isPassing(owner.failure)) return notOpened(owner.failure, 'its owner could not be invited back')
    return { kind: 'ready', room: row }
  }

  /** Invites an owner who has left, once for each time that they leave. */
  async ensureOwner({ chat }: Pick<Room, 'chat'>, signal: AbortSignal): Promise<Answer<unknown>> {
    const row = this.#parts.table.byChat(chat)
    if (row?.ownerIs !== 'left') return done(undefined)
    const { table, context } = this.#parts
    await table.change(row.chat, { ownerIs: 'invited' })
    const invited = await this.portals.invite(row, signal)
    if (invited.ok) return invited
    context.log.warn({ room: row.room, detail: invited.failure.detail }, 'a person could not be invited back')
    if (isPassing(invited.failure)) await table.change(row.chat, { ownerIs: 'left' })
    return invited
  }

  /** Asked for again, its owner wants to be in it. */
  async #portal(request: PortalRequest, signal: AbortSignal): Promise<OpenResult> {
    const before = this.#parts.table.byPortal(request.portal)
    const opened = await this.portals.open(request, signal)
    if (opened.kind === 'opened' && (before?.ownerIs === 'left' || before?.ownerIs === 'declined'))
      await this.bring(before, signal)
    return opened
  }

  /** Because they ask for it: whether they have left or declined does not count. */
  bring(row: Room, signal: AbortSignal): Promise<Answer<unknown>> {
    return row.ownerIs === 'in' ? Promise.resolve(done(undefined)) : this.portals.invite(row, signal)
  }

  /** What the owner calls the room; without a title it is called as the contacts are. */
  async title({ chat }: Pick<Room, 'chat'>, title: string | undefined, signal: AbortSignal): Promise<Answer<unknown>> {
    const { table, homeserver } = this.#parts
    const row = table.byChat(chat)
    if (row?.request === undefined || row.request.title === title) return done(undefined)
    const { portal, owner, account, login, direct, with: people } = row.request
    const untitled = { kind: 'portal', portal, owner, account, login, direct, with: people } as const
    const request = title === undefined ? untitled : { ...untitled, title }
    const name = roomNameOf(request)
    const content = name === undefined ? {} : { name }
    const put = await homeserver.request(putStateCall(row.room, 'm.room.name', '', content, { signal }))
    if (put.ok) await table.change(chat, { request })
    return put
  }

  /** Because somebody asks for it. Answers with a sentence. */
  sync(row: Room, signal: AbortSignal): Promise<string> {
    return syncRoom(this.#parts, this.portals, row, signal)
  }

  setHome(user: Mxid, room: RoomId): Promise<SetHomeResult> {
    return this.homes.set(user, room)
  }

  /** Something that a person must know, said where the bot speaks with them. `id` makes a repetition harmless. */
  async tell(user: Mxid, text: string, id: string): Promise<Answer<unknown>> {
    const { life, context } = this.#parts
    const home = await this.ready(homeChat(user), life)
    if (home.kind === 'ready') return this.homes.say(home.room.room, text, id)
    if (home.kind === 'retry') return { ok: false, failure: { kind: 'busy', status: 0, detail: home.detail } }
    context.log.warn({ user, detail: home.detail }, 'something could not be told to a person')
    return refusal(home.detail)
  }

  /** Never rejects. */
  async drop(chat: ChatId): Promise<void> {
    await this.#endings.end(chat).catch((error: unknown) => {
      this.#parts.context.log.error({ error: String(error) }, 'a room could not be given up')
    })
  }

  /** Reads what is on disk. */
  start(): Promise<void> {
    return this.portals.start()
  }

  /** What an earlier run left half done. To be called when the homeserver is there. */
  resume(): Promise<void> {
    return this.#endings.resume()
  }
}
