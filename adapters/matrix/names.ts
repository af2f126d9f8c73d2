/** How people of Matrix are called, by room: from what the rooms tell, and asked for when somebody new speaks. */
import { path } from './paths.ts'
import type { HomeserverPort, Mxid, RoomEvent, RoomId } from './types.ts'
import { textIn } from './untrusted.ts'

/** Names remembered; past it the oldest is asked for again. */
export const MAX_NAMES = 20_000

const keyOf = (user: Mxid, room: RoomId): string => `${room} ${user}`

export class Names {
  readonly #homeserver: Pick<HomeserverPort, 'request'>
  /** Oldest first. `undefined`: they have none. */
  readonly #names = new Map<string, string | undefined>()

  constructor(homeserver: Pick<HomeserverPort, 'request'>) {
    this.#homeserver = homeserver
  }

  /** Whether it is known, if only that there is none. */
  knows(user: Mxid, room: RoomId): boolean {
    return this.#names.has(keyOf(user, room))
  }

  of(user: Mxid, room: RoomId): string | undefined {
    return this.#names.get(keyOf(user, room))
  }

  /** `m.room.member` tells how somebody is called from now on. */
  note(event: RoomEvent): void {
    if (event.type !== 'm.room.member' || event.state_key === undefined) return
    const user = event.state_key as Mxid
    if (event.content['membership'] === 'join') this.#put(user, event.room_id, textIn(event.content, 'displayname'))
    else this.#names.delete(keyOf(user, event.room_id))
  }

  /** Asks the room, where it is not known. What cannot be learnt now counts as no name. */
  async learn(user: Mxid, room: RoomId, signal: AbortSignal): Promise<void> {
    if (this.knows(user, room)) return
    const answer = await this.#homeserver.request<unknown>({
      method: 'GET',
      path: path`/_matrix/client/v3/rooms/${room}/state/m.room.member/${user}`,
      signal,
    })
    this.#put(user, room, answer.ok ? textIn(answer.value, 'displayname') : undefined)
  }

  #put(user: Mxid, room: RoomId, name: string | undefined): void {
    const key = keyOf(user, room)
    this.#names.delete(key)
    const [oldest] = this.#names.keys()
    if (this.#names.size >= MAX_NAMES && oldest !== undefined) this.#names.delete(oldest)
    this.#names.set(key, name === '' ? undefined : name)
  }
}
