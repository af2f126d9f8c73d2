/** Rooms for conversations of one person: made, filled, and their owner invited; once each, whatever happens in between. */
import type { PortalRequest } from '../../bridge/adapter.ts'
import type { ChatId, PortalId, UserRef } from '../../bridge/model/ids.ts'
import type { OpenResult } from '../../bridge/model/result.ts'
import { done, isPassing, notOpened, unlessMissing } from './answers.ts'
import { BORN_ENCRYPTED, isEncrypted } from './encryption.ts'
import { bridgeInfo, functionalMembers, nameOfGroup, roomNameOf, spaceParent } from './bridge-info.ts'
import { portalLevels } from './power-levels.ts'
import { directInviteCall, inviteCall, noticeCall, putStateCall, stateCall } from './room-calls.ts'
import type { RoomParts } from './room-parts.ts'
import type { SpaceOf } from './spaces.ts'
import { mxidOf, refOf, type Answer, type Mxid, type OwnerIs, type Room, type RoomId } from './types.ts'
import { textIn } from './untrusted.ts'

export const spaceOf = (request: PortalRequest): SpaceOf | undefined => {
  const [first] = request.with
  if (first === undefined) return undefined
  const { account, login } = request
  return { owner: mxidOf(request.owner), account, network: first.user.network, login }
}

export const portalRow = (room: RoomId, owner: Mxid, request: PortalRequest, ownerIs: OwnerIs): Room => ({
  chat: room as string as ChatId,
  room,
  kind: 'portal',
  owner,
  ownerIs,
  request,
  relay: false,
  encrypted: false,
})

const CLAIMING = 'claiming/'

/** The same for the same people in any order. */
const claimKey = (owner: Mxid, people: readonly UserRef[]): string =>
  JSON.stringify([owner, ...people.map(({ network, user }) => `${network} ${user}`).toSorted()])

const keyOf = (portal: PortalId): string => `portal/${portal}`

export class PortalRooms {
  readonly #parts: RoomParts
  readonly #running = new Map<PortalId, Promise<OpenResult>>()
  /** Rooms that are about to become somebody's portal with these people, as keys. */
  readonly #claims = new Map<string, RoomId>()

  constructor(parts: RoomParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    for (const [key, whom] of await this.#parts.context.state.list(CLAIMING)) {
      this.#claims.set(whom, key.slice(CLAIMING.length) as RoomId)
    }
  }

  /**
   * The owner has made a room with these people, and the bridge is about to hear of it: should it ask for a room for them
   * now, or after a crash, it is that one.
   */
  async claiming(room: RoomId, owner: Mxid, people: readonly UserRef[]): Promise<void> {
    const whom = claimKey(owner, people)
    this.#claims.set(whom, room)
    await this.#parts.context.state.update([[`${CLAIMING}${room}`, whom]])
  }

  isClaiming(room: RoomId): boolean {
    return [...this.#claims.values()].includes(room)
  }

  /** It is decided, and done. */
  async claimed(room: RoomId): Promise<void> {
    for (const [whom, claimed] of this.#claims) if (claimed === room) this.#claims.delete(whom)
    await this.#parts.context.state.update([[`${CLAIMING}${room}`, undefined]])
  }

  /** Asks the homeserver nothing where the room is there. */
  open(request: PortalRequest, signal: AbortSignal): Promise<OpenResult> {
    const { table, maker, network } = this.#parts
    const { portal } = request
    const known = table.byPortal(portal)
    if (known !== undefined && !maker.isUnfinished(keyOf(portal))) {
      return Promise.resolve({ kind: 'opened', chat: refOf(network, known.chat) })
    }
    const running = this.#running.get(portal)
    if (running !== undefined) return running
    const run = (this.#adopt(request) ?? this.#make(request, signal)).finally(() => this.#running.delete(portal))
    this.#running.set(portal, run)
    return run
  }

  /**
   * Invites the owner of a portal or home, by the contact where the room is for the two, and takes them in where they let
   * us. Harmless when they are in.
   */
  async invite(row: Room, signal: AbortSignal): Promise<Answer<unknown>> {
    const { homeserver, puppets, table } = this.#parts
    const { owner, room, chat } = row
    if (owner === undefined) return done(undefined)
    const by = { ...this.#inviter(row), signal }
    const direct = row.kind === 'home' || row.request?.direct === true
    let invited = await homeserver.request(direct ? directInviteCall(room, owner, by) : inviteCall(room, owner, by))
    if (!invited.ok && invited.failure.kind === 'refused' && by.as !== undefined) {
      invited = await homeserver.request(directInviteCall(room, owner, { signal }))
    }
    if (!invited.ok) {
      if (invited.failure.kind !== 'refused') return invited
      const isIn = await this.#isIn(owner, room, signal)
      if (!isIn.ok) return isIn
      if (!isIn.value) return invited
      await table.change(chat, { ownerIs: 'in' })
      return done(undefined)
    }
    await table.change(chat, { ownerIs: 'invited' })
    const joined = await puppets.join(owner, room, direct ? (by.as ?? homeserver.bot) : undefined, signal)
    if (joined) await table.change(chat, { ownerIs: 'in' })
    return done(undefined)
  }

  /** What the room says of itself; by the bot, else by `as`. */
  async dress(row: Room, as: Mxid | undefined, signal: AbortSignal): Promise<Answer<unknown>> {
    const { homeserver, context } = this.#parts
    if (row.request === undefined) return done(undefined)
    for (const { type, state_key, content } of [
      ...bridgeInfo(homeserver.bot, row.request),
      functionalMembers(homeserver.bot),
    ]) {
      let put = await homeserver.request(putStateCall(row.room, type, state_key, content, { signal }))
      if (!put.ok && put.failure.kind === 'refused' && as !== undefined) {
        put = await homeserver.request(putStateCall(row.room, type, state_key, content, { as, signal }))
      }
      if (put.ok) continue
      if (isPassing(put.failure)) return put
      context.log.debug({ room: row.room, type, detail: put.failure.detail }, 'a room was not marked as bridged')
    }
    return done(undefined)
  }

  /** undefined: nobody claims a room for this. */
  #adopt(request: PortalRequest): Promise<OpenResult> | undefined {
    const { table, maker, network } = this.#parts
    const owner = mxidOf(request.owner)
    const room = this.#claims.get(
      claimKey(
        owner,
        request.with.map(({ user }) => user),
      ),
    )
    if (room === undefined || maker.isUnfinished(keyOf(request.portal))) return undefined
    const row = portalRow(room, owner, request, 'in')
    return table.put(row).then(() => ({ kind: 'opened', chat: refOf(network, row.chat) }))
  }

  async #make(request: PortalRequest, signal: AbortSignal): Promise<OpenResult> {
    const { table, ghosts, spaces, maker, network, context } = this.#parts
    const what = `the room with ${nameOfGroup(request)} could not be made`
    const people: Mxid[] = []
    for (const { user, name } of request.with) {
      const ghost = await ghosts.ensure(user, name, signal)
      if (ghost.ok) people.push(ghost.value)
      else if (isPassing(ghost.failure) || request.with.length === 1) return notOpened(ghost.failure, what)
      else context.log.warn({ ghost: ghosts.idOf(user) }, 'somebody of a group cannot have a ghost')
    }
    const whose = spaceOf(request)
    const space = whose === undefined ? done(undefined) : await spaces.ensure(whose, signal)
    if (!space.ok && isPassing(space.failure)) return notOpened(space.failure, what)
    let row = table.byPortal(request.portal)
    if (row === undefined) {
      const made = await this.#create(request, people, space.ok ? space.value : undefined, signal)
      if (!made.ok) return notOpened(made.failure, what)
      const { room, isNew } = made.value
      row = portalRow(room, mxidOf(request.owner), request, 'invited')
      await table.put(row)
      const readable = await this.#checkEncryption(row, signal)
      if (!readable.ok) return notOpened(readable.failure, what)
      const dressed = isNew ? done(undefined) : await this.dress(row, undefined, signal)
      if (!dressed.ok) return notOpened(dressed.failure, what)
    }
    const filled = await this.#fill(row, request, signal)
    if (!filled.ok) return notOpened(filled.failure, what)
    const invited = await this.invite(row, signal)
    if (!invited.ok) return notOpened(invited.failure, `${request.owner} could not be invited`)
    const added = whose === undefined ? done(undefined) : await spaces.add(whose, row.room, signal)
    if (!added.ok) return notOpened(added.failure, what)
    await maker.finished(keyOf(request.portal))
    return { kind: 'opened', chat: refOf(network, row.chat) }
  }

  #create(request: PortalRequest, people: readonly Mxid[], space: RoomId | undefined, signal: AbortSignal) {
    const { maker, homeserver } = this.#parts
    const name = roomNameOf(request)
    return maker.make(
      keyOf(request.portal),
      {
        ...(name === undefined ? {} : { name }),
        direct: request.direct,
        invite: people,
        state: [
          ...bridgeInfo(homeserver.bot, request),
          functionalMembers(homeserver.bot),
          { type: 'm.room.guest_access', state_key: '', content: { guest_access: 'forbidden' } },
          ...(space === undefined ? [] : [spaceParent(space, homeserver.domain)]),
        ],
        levels: (version) => portalLevels(version, homeserver.bot, mxidOf(request.owner)),
      },
      signal,
    )
  }

  /** Some homeservers encrypt every new room by themselves. */
  async #checkEncryption(row: Room, signal: AbortSignal): Promise<Answer<unknown>> {
    const { homeserver, table, context } = this.#parts
    const encrypted = await isEncrypted(homeserver, row.room, { signal })
    if (!encrypted.ok || !encrypted.value) return encrypted
    context.log.error({ room: row.room }, 'the homeserver encrypts new rooms by itself: nothing said there can be read')
    await table.change(row.chat, { encrypted: true })
    return homeserver.request(noticeCall(row.room, `encrypted/${row.chat}`, BORN_ENCRYPTED, { signal }))
  }

  /** Who is not let in is left out, if somebody is. */
  async #fill(row: Room, request: PortalRequest, signal: AbortSignal): Promise<Answer<unknown>> {
    const { ghosts, context } = this.#parts
    let last: Answer<unknown> = done(undefined)
    for (const { user, name } of request.with) {
      const entered = await ghosts.enter(user, name, row.room, signal)
      if (entered.ok) continue
      if (isPassing(entered.failure)) return entered
      context.log.warn({ room: row.room, detail: entered.failure.detail }, 'a ghost cannot enter its room')
      last = entered
    }
    return ghosts.inRoom(row.room).size > 0 ? done(undefined) : last
  }

  /** The contact of a direct chat: the owner's client then lists it as a chat with them. */
  #inviter(row: Room): { readonly as?: Mxid } {
    const { ghosts } = this.#parts
    const [first] = row.request?.direct === true ? row.request.with : []
    const as = first === undefined ? undefined : ghosts.idOf(first.user)
    return as !== undefined && ghosts.inRoom(row.room).has(as) ? { as } : {}
  }

  async #isIn(user: Mxid, room: RoomId, signal: AbortSignal): Promise<Answer<boolean>> {
    const asked = await this.#parts.homeserver.request<unknown>(stateCall(room, 'm.room.member', user, { signal }))
    const member = unlessMissing(asked)
    return member.ok ? done(textIn(member.value, 'membership') === 'join') : member
  }
}
