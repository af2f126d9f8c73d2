/**
 * Makes rooms once each, though the homeserver knows no transaction id for it: what is to be made is noted on disk first
 * (`making/<key>`), and the room's first event carries the key. Where the note is found, the answer may have been lost, so
 * the room is looked for before another is made.
 */
import { done, refusal, unlessMissing } from './answers.ts'
import { MARK, type StateEvent } from './bridge-info.ts'
import { stateCall } from './room-calls.ts'
import { isRoomId } from './ids.ts'
import type { Answer, Failure, MatrixDeps, Mxid, RoomId } from './types.ts'
import { recordOf, textIn } from './untrusted.ts'

const PREFIX = 'making/'
/** Rooms made at once: each costs the homeserver a dozen events. */
const MAX_AT_ONCE = 4

export interface RoomSettings {
  /** undefined: what the homeserver makes by default. */
  readonly version: string | undefined
  readonly federate: boolean
}

export interface NewRoom {
  readonly name?: string
  readonly topic?: string
  readonly direct: boolean
  readonly invite: readonly Mxid[]
  readonly state: readonly StateEvent[]
  /** Content of `m.room.power_levels`, for the version that it will have. */
  levels(version: string): Readonly<Record<string, unknown>>
  readonly type?: 'm.space'
}

/** isNew: made now, with all that was asked for. */
export interface Made {
  readonly room: RoomId
  readonly isNew: boolean
}

export class RoomMaker {
  readonly #deps: MatrixDeps
  readonly #settings: RoomSettings
  /** Rooms that have an owner among our tables: they need not be looked into. */
  readonly #isKnown: (room: RoomId) => boolean
  readonly #making = new Set<string>()
  #atOnce = 0
  readonly #waiting: (() => void)[] = []

  constructor(deps: MatrixDeps, settings: RoomSettings, isKnown: (room: RoomId) => boolean) {
    this.#deps = deps
    this.#settings = settings
    this.#isKnown = isKnown
  }

  async start(): Promise<void> {
    for (const [key] of await this.#deps.context.state.list(PREFIX)) this.#making.add(key.slice(PREFIX.length))
  }

  /** Begun, and not said to be finished. */
  isUnfinished(key: string): boolean {
    return this.#making.has(key)
  }

  /** The room for `key`, made now or by an attempt before. To be finished with `finished`, when all that belongs to it is there. */
  async make(key: string, room: NewRoom, signal: AbortSignal): Promise<Answer<Made>> {
    if (this.#making.has(key)) {
      const found = await this.#find(key, signal)
      if (!found.ok) return found
      if (found.value !== undefined) return done({ room: found.value, isNew: false })
    } else {
      this.#making.add(key)
      await this.#deps.context.state.update([[`${PREFIX}${key}`, '']])
    }
    await this.#turn()
    try {
      return await this.#create(key, room, signal)
    } finally {
      this.#atOnce--
      this.#waiting.shift()?.()
    }
  }

  async finished(key: string): Promise<void> {
    if (!this.#making.delete(key)) return
    await this.#deps.context.state.update([[`${PREFIX}${key}`, undefined]])
  }

  async #turn(): Promise<void> {
    while (this.#atOnce >= MAX_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#atOnce++
  }

  async #create(key: string, room: NewRoom, signal: AbortSignal): Promise<Answer<Made>> {
    const { homeserver, context } = this.#deps
    const version = this.#settings.version ?? homeserver.features.roomVersion
    const made = await homeserver.request<unknown>({
      method: 'POST',
      path: '/_matrix/client/v3/createRoom',
      signal,
      body: {
        preset: 'private_chat',
        // Said, so that the levels fit it.
        ...(version === '' ? {} : { room_version: version }),
        ...(room.name === undefined ? {} : { name: room.name }),
        ...(room.topic === undefined ? {} : { topic: room.topic }),
        ...(room.direct ? { is_direct: true } : {}),
        invite: room.invite,
        initial_state: room.state,
        power_level_content_override: room.levels(version),
        creation_content: {
          'm.federate': this.#settings.federate,
          [MARK]: key,
          ...(room.type === undefined ? {} : { type: room.type }),
        },
      },
    })
    if (!made.ok) return made.failure.kind === 'refused' ? refused(made.failure, version) : made
    const id = textIn(made.value, 'room_id')
    if (isRoomId(id)) return done({ room: id, isNew: true })
    context.log.error({ key }, 'the homeserver made a room without an id')
    return { ok: false, failure: { kind: 'busy', status: 200, detail: 'the homeserver told no id of the new room' } }
  }

  /** Among the rooms that the bot is in and that nobody knows. */
  async #find(key: string, signal: AbortSignal): Promise<Answer<RoomId | undefined>> {
    const { homeserver } = this.#deps
    const joined = await homeserver.request<unknown>({
      method: 'GET',
      path: '/_matrix/client/v3/joined_rooms',
      signal,
    })
    if (!joined.ok) return joined
    const rooms = recordOf(joined.value)['joined_rooms']
    for (const room of Array.isArray(rooms) ? rooms.filter(isRoomId) : []) {
      if (this.#isKnown(room)) continue
      const creation = unlessMissing(
        await homeserver.request<unknown>(stateCall(room, 'm.room.create', '', { signal })),
      )
      if (!creation.ok) return creation
      if (textIn(creation.value, MARK) === key) return done(room)
    }
    return done(undefined)
  }
}

const refused = (failure: Extract<Failure, { kind: 'refused' }>, version: string): Answer<never> =>
  failure.errcode === 'M_UNSUPPORTED_ROOM_VERSION'
    ? refusal(`the homeserver makes no rooms of version ${version}: choose another room_version in the config`)
    : { ok: false, failure }
