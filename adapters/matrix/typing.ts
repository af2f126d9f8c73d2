/** Who is typing, both ways: ghosts in rooms, and our people for the networks that they write to. */
import type { AdapterContext } from '../../bridge/adapter.ts'
import { isMxid } from './ids.ts'
import { path } from './paths.ts'
import {
  refOf,
  type Answer,
  type EphemeralEvent,
  type HomeserverPort,
  type MatrixDeps,
  type Mxid,
  type Room,
  type RoomId,
} from './types.ts'
import type { UserId } from '../../bridge/model/ids.ts'

/** A ghost that goes on typing is told again after this, and not before. */
export const RENEW_MS = 3_000
/** The longest that a ghost types without another word. */
const MAX_SHOWN_MS = 30_000
/** Ghosts whose typing is remembered; past it the oldest is forgotten. */
const MAX_GHOSTS = 2_000

interface Shown {
  readonly at: number
  readonly until: number
}

/** Ghosts that type. */
export class GhostTyping {
  readonly #homeserver: Pick<HomeserverPort, 'request'>
  readonly #clock: AdapterContext['clock']
  readonly #shown = new Map<string, Shown>()

  constructor(homeserver: Pick<HomeserverPort, 'request'>, clock: AdapterContext['clock']) {
    this.#homeserver = homeserver
    this.#clock = clock
  }

  /** Undefined: it was said a moment ago. */
  async show(ghost: Mxid, room: RoomId, forMs: number, signal?: AbortSignal): Promise<Answer<unknown> | undefined> {
    const now = this.#clock.now()
    const key = `${ghost} ${room}`
    const shown = this.#shown.get(key)
    if (shown !== undefined && now - shown.at < RENEW_MS) return undefined
    const timeout = Math.min(MAX_SHOWN_MS, Math.max(1, forMs))
    this.#shown.delete(key)
    this.#shown.set(key, { at: now, until: now + timeout })
    const [oldest] = this.#shown.keys()
    if (this.#shown.size > MAX_GHOSTS && oldest !== undefined) this.#shown.delete(oldest)
    return this.#put(ghost, room, { typing: true, timeout }, signal)
  }

  /** It has said what it typed: a homeserver does not end the typing by itself. Undefined: it did not type. */
  async said(ghost: Mxid, room: RoomId, signal?: AbortSignal): Promise<Answer<unknown> | undefined> {
    const key = `${ghost} ${room}`
    const shown = this.#shown.get(key)
    this.#shown.delete(key)
    if (shown === undefined || shown.until <= this.#clock.now()) return undefined
    return this.#put(ghost, room, { typing: false }, signal)
  }

  #put(ghost: Mxid, room: RoomId, body: object, signal: AbortSignal | undefined): Promise<Answer<unknown>> {
    return this.#homeserver.request({
      method: 'PUT',
      path: path`/_matrix/client/v3/rooms/${room}/typing/${ghost}`,
      as: ghost,
      body,
      ...(signal === undefined ? {} : { signal }),
    })
  }
}

/** How long one word of it lasts on the other networks. */
export const LASTS_MS = 5_000
/** Said again so often while they type. */
export const REPEAT_MS = 4_000
/** The end of it may never reach us: nobody types for longer than this. */
export const GIVEN_UP_MS = 120_000
/** Rooms in which somebody types; in further ones it is not passed on. */
const MAX_ROOMS = 1_000
/** People in one room that are looked at. */
const MAX_TYPISTS = 20

export interface PeopleTypingDeps extends Pick<MatrixDeps, 'network' | 'context'> {
  /** Whether what they do there goes to the other side. */
  readonly maySpeak: (room: Room, user: Mxid) => boolean
}

interface Typing {
  readonly room: Room
  readonly users: readonly Mxid[]
  readonly over: AbortController
}

/** Our people who type. */
export class PeopleTyping {
  readonly #deps: PeopleTypingDeps
  readonly #typing = new Map<RoomId, Typing>()

  constructor(deps: PeopleTypingDeps) {
    this.#deps = deps
  }

  /** `m.typing` of a room; it names all who type there now. Answers who of our people does; undefined: it makes no sense. */
  take({ content }: EphemeralEvent, room: Room): readonly Mxid[] | undefined {
    const listed = content['user_ids']
    if (!Array.isArray(listed)) return undefined
    const users = [...new Set(listed.slice(0, MAX_TYPISTS).filter(isMxid))].filter((user) =>
      this.#deps.maySpeak(room, user),
    )
    this.#typing.get(room.room)?.over.abort()
    this.#typing.delete(room.room)
    if (users.length === 0 || room.encrypted || this.#typing.size >= MAX_ROOMS) return users
    const typing: Typing = { room, users, over: new AbortController() }
    this.#typing.set(room.room, typing)
    void this.#repeat(typing)
    return users
  }

  /** We hear nothing from the homeserver, or go: nobody is known to type. */
  clear(): void {
    for (const { over } of this.#typing.values()) over.abort()
    this.#typing.clear()
  }

  async #repeat(typing: Typing): Promise<void> {
    const { clock } = this.#deps.context
    const { signal } = typing.over
    const end = clock.now() + GIVEN_UP_MS
    while (!signal.aborted && clock.now() < end) {
      await Promise.all(typing.users.map((user) => this.#emit(typing.room, user)))
      await clock.sleep(REPEAT_MS, signal)
    }
    if (this.#typing.get(typing.room.room) === typing) this.#typing.delete(typing.room.room)
  }

  async #emit(room: Room, user: Mxid): Promise<void> {
    const { network, context } = this.#deps
    await context
      .emit({
        kind: 'typing',
        chat: refOf(network, room.chat),
        sender: { network, user: user as string as UserId },
        forMs: LASTS_MS,
      })
      // Nothing that passes is worth telling anybody about.
      .catch(() => undefined)
  }
}
