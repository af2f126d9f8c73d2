/** A space for each account of a person, with the rooms of its conversations in it. */
import type { AccountId, NetworkId } from '../../bridge/model/ids.ts'
import { done, isPassing } from './answers.ts'
import { spaceParent } from './bridge-info.ts'
import { isRoomId } from './ids.ts'
import { portalLevels } from './power-levels.ts'
import type { Puppets } from './puppets.ts'
import { putStateCall } from './room-calls.ts'
import type { RoomMaker } from './room-make.ts'
import { ask, type Patient } from './patience.ts'
import type { Answer, Mxid, RoomId } from './types.ts'

const PREFIX = 'space/'

/** Whose rooms they are. */
export interface SpaceOf {
  readonly owner: Mxid
  readonly account: AccountId
  readonly network: NetworkId
  /** The account's address. */
  readonly login: string
}

const keyOf = ({ owner, account }: Pick<SpaceOf, 'owner' | 'account'>): string => `${owner} ${account}`

export class Spaces {
  readonly #deps: Patient
  readonly #maker: RoomMaker
  readonly #puppets: Puppets
  readonly #enabled: boolean
  readonly #spaces = new Map<string, RoomId>()
  readonly #rooms = new Set<RoomId>()
  readonly #running = new Map<string, Promise<Answer<RoomId | undefined>>>()

  constructor(deps: Patient, maker: RoomMaker, puppets: Puppets, enabled: boolean) {
    this.#deps = deps
    this.#maker = maker
    this.#puppets = puppets
    this.#enabled = enabled
  }

  async start(): Promise<void> {
    for (const [key, room] of await this.#deps.context.state.list(PREFIX)) {
      if (isRoomId(room)) this.#keep(key.slice(PREFIX.length), room)
    }
  }

  /** Is a space of ours. */
  has(room: RoomId): boolean {
    return this.#rooms.has(room)
  }

  of(owner: Mxid, account: AccountId): RoomId | undefined {
    return this.#spaces.get(keyOf({ owner, account }))
  }

  /** Made when there is none, and the owner invited that one time. undefined: there are no spaces here. */
  ensure(whose: SpaceOf, signal: AbortSignal): Promise<Answer<RoomId | undefined>> {
    const key = keyOf(whose)
    const known = this.#spaces.get(key)
    if (!this.#enabled || known !== undefined) return Promise.resolve(done(known))
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const run = this.#make(key, whose, signal).finally(() => this.#running.delete(key))
    this.#running.set(key, run)
    return run
  }

  /** Puts a room into the space. A refusal is only logged: the room is of use without. */
  async add(whose: SpaceOf, room: RoomId, signal: AbortSignal): Promise<Answer<unknown>> {
    const space = await this.ensure(whose, signal)
    if (!space.ok) return isPassing(space.failure) ? space : done(undefined)
    if (space.value === undefined) return space
    const { homeserver } = this.#deps
    const via = [homeserver.domain]
    const parent = spaceParent(space.value, homeserver.domain)
    for (const call of [
      putStateCall(space.value, 'm.space.child', room, { via }, { signal }),
      putStateCall(room, parent.type, parent.state_key, parent.content, { signal }),
    ]) {
      const put = await homeserver.request(call)
      if (put.ok) continue
      if (isPassing(put.failure)) return put
      this.#deps.context.log.warn({ room, detail: put.failure.detail }, 'a room could not be put into its space')
    }
    return done(undefined)
  }

  async remove(owner: Mxid, account: AccountId, room: RoomId): Promise<void> {
    const space = this.of(owner, account)
    if (space === undefined) return
    const removed = await ask(this.#deps, putStateCall(space, 'm.space.child', room, {}, {}))
    if (!removed.ok) {
      this.#deps.context.log.warn(
        { room, detail: removed.failure.detail },
        'a room could not be taken out of its space',
      )
    }
  }

  async #make(key: string, whose: SpaceOf, signal: AbortSignal): Promise<Answer<RoomId | undefined>> {
    const { context, homeserver } = this.#deps
    const { owner, network, login } = whose
    const makingKey = `${PREFIX}${key}`
    const made = await this.#maker.make(
      makingKey,
      {
        name: `${network === 'msn' ? 'MSN' : `MSN ${network}`} (${login})`,
        topic: `Conversations of ${login}`,
        direct: false,
        type: 'm.space',
        invite: [owner],
        state: [],
        levels: (version) => portalLevels(version, homeserver.bot, owner),
      },
      signal,
    )
    if (!made.ok) {
      context.log.warn({ owner, detail: made.failure.detail }, 'a space could not be made')
      return made
    }
    const { room } = made.value
    this.#keep(key, room)
    await context.state.update([[makingKey, room]])
    await this.#maker.finished(makingKey)
    await this.#puppets.join(owner, room, undefined, signal)
    return done(room)
  }

  #keep(key: string, room: RoomId): void {
    this.#spaces.set(key, room)
    this.#rooms.add(room)
  }
}
