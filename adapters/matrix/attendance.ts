/** Which ghosts are in which rooms, as far as we know: one row for each (`in/<room> <ghost>`). */
import type { AdapterState } from '../../bridge/adapter.ts'
import type { Mxid, RoomId } from './types.ts'

const PREFIX = 'in/'
const NOBODY: ReadonlySet<Mxid> = new Set()

const keyOf = (id: Mxid, room: RoomId): string => `${PREFIX}${room} ${id}`

export class Attendance {
  readonly #state: AdapterState
  readonly #rooms = new Map<RoomId, Set<Mxid>>()

  constructor(state: AdapterState) {
    this.#state = state
  }

  /** Rows of ghosts that `isKnown` does not know are left over, and dropped. */
  async start(isKnown: (id: Mxid) => boolean): Promise<void> {
    const stale: [string, undefined][] = []
    for (const [key] of await this.#state.list(PREFIX)) {
      const at = key.indexOf(' ')
      const room = key.slice(PREFIX.length, at) as RoomId
      const id = key.slice(at + 1) as Mxid
      if (at > 0 && isKnown(id)) this.#setOf(room).add(id)
      else stale.push([key, undefined])
    }
    if (stale.length > 0) await this.#state.update(stale)
  }

  inRoom(room: RoomId): ReadonlySet<Mxid> {
    return this.#rooms.get(room) ?? NOBODY
  }

  async add(id: Mxid, room: RoomId): Promise<void> {
    if (this.inRoom(room).has(id)) return
    this.#setOf(room).add(id)
    await this.#state.update([[keyOf(id, room), '']])
  }

  async remove(id: Mxid, room: RoomId): Promise<void> {
    const ids = this.#rooms.get(room)
    if (ids?.delete(id) !== true) return
    if (ids.size === 0) this.#rooms.delete(room)
    await this.#state.update([[keyOf(id, room), undefined]])
  }

  async forget(room: RoomId): Promise<void> {
    const ids = [...this.inRoom(room)]
    if (ids.length === 0) return
    this.#rooms.delete(room)
    await this.#state.update(ids.map((id) => [keyOf(id, room), undefined] as const))
  }

  #setOf(room: RoomId): Set<Mxid> {
    const known = this.#rooms.get(room)
    if (known !== undefined) return known
    const made = new Set<Mxid>()
    this.#rooms.set(room, made)
    return made
  }
}
