/**
 * People of other networks as users of the homeserver: registered once, named when their name changes, in the rooms where
 * they are needed. What was done is remembered on disk (`ghost/<id>`), so that a restart asks the homeserver nothing.
 */
import type { FileRef } from '../../bridge/model/body.ts'
import type { UserRef } from '../../bridge/model/ids.ts'
import { done, refusal } from './answers.ts'
import { oneLine } from './clean.ts'
import { ghostIdOf, ghostUserOf, isGhostId, isPossible, localpartOf, type GhostNames } from './ghost-ids.ts'
import { MAX_ID_BYTES } from './ids.ts'
import { path } from './paths.ts'
import { Attendance } from './attendance.ts'
import { inviteCall, joinCall, leaveCall } from './room-calls.ts'
import type { Answer, GhostPort, MatrixDeps, Mxid, RoomId } from './types.ts'
import { jsonOf, recordOf, textIn } from './untrusted.ts'

/** What the homeserver calls the device that our transaction ids belong to. */
export const DEVICE_ID = 'MSNBRIDGE'
const DEVICE_NAME = 'MSN bridge'
/** Characters of a name; homeservers take no more. */
const MAX_NAME = 256
const PREFIX = 'ghost/'

export interface GhostSettings {
  /** What their ids begin with: `msn_`. */
  readonly prefix: string
  /** `{name}`, `{address}` and `{network}` are filled in. */
  readonly name: string
}

interface Known {
  readonly name?: string
  readonly device?: true
  /** `ref` of the picture that it shows; absent: none. */
  readonly avatar?: string
}

export class Ghosts implements GhostPort {
  readonly #deps: MatrixDeps
  readonly #settings: GhostSettings
  readonly #names: GhostNames
  readonly #known = new Map<Mxid, Known>()
  readonly #attendance: Attendance
  /** Under way, so that nothing is asked twice at once: ids, and rooms with ids. */
  readonly #running = new Map<string, Promise<Answer<Mxid>>>()

  constructor(deps: MatrixDeps, settings: GhostSettings) {
    this.#deps = deps
    this.#settings = settings
    this.#names = { prefix: settings.prefix, domain: deps.homeserver.domain, bot: deps.homeserver.bot }
    this.#attendance = new Attendance(deps.context.state)
  }

  /** Reads what was done before. */
  async start(): Promise<void> {
    for (const [key, value] of await this.#deps.context.state.list(PREFIX)) {
      const row = recordOf(jsonOf(value))
      const name = textIn(row, 'name')
      this.#known.set(key.slice(PREFIX.length) as Mxid, {
        ...(name === undefined ? {} : { name }),
        ...(row['device'] === true ? { device: true } : {}),
        ...(textIn(row, 'avatar') === undefined ? {} : { avatar: textIn(row, 'avatar') ?? '' }),
      })
    }
    await this.#attendance.start((id) => this.#known.has(id))
  }

  get size(): number {
    return this.#known.size
  }

  idOf(user: UserRef): Mxid {
    return ghostIdOf(this.#names, user)
  }

  userOf(id: string): UserRef | undefined {
    return ghostUserOf(this.#names, id)
  }

  isOurs(id: string): boolean {
    return id === this.#names.bot || isGhostId(this.#names, id)
  }

  inRoom(room: RoomId): ReadonlySet<Mxid> {
    return this.#attendance.inRoom(room)
  }

  ensure(user: UserRef, name?: string, signal?: AbortSignal): Promise<Answer<Mxid>> {
    const id = this.idOf(user)
    if (!isPossible(id)) {
      return Promise.resolve(
        refusal(
          `the address of ${user.user.slice(0, 40)}... is too long for Matrix, where an id has at most ${MAX_ID_BYTES} ` +
            `bytes: it cannot be bridged`,
        ),
      )
    }
    const wanted = name === undefined ? undefined : this.#nameOf(user, name)
    return this.#once(
      id,
      id,
      () => this.#isDone(id, wanted),
      () => this.#make(id, wanted ?? this.#known.get(id)?.name ?? this.#nameOf(user, user.user), signal),
      signal,
    )
  }

  /** Shows that picture, or none. `place` brings it to the homeserver; where it cannot, the ghost stays as it was. */
  async picture(
    user: UserRef,
    avatar: FileRef | null,
    place: (file: FileRef) => Promise<string | undefined>,
    signal?: AbortSignal,
  ): Promise<Answer<unknown>> {
    const id = this.idOf(user)
    if (this.#known.get(id)?.avatar === avatar?.ref) return done(id)
    const url = avatar === null ? '' : await place(avatar)
    const known = this.#known.get(id)
    if (url === undefined || known === undefined) return done(id)
    const { homeserver, context } = this.#deps
    const at = path`/_matrix/client/v3/profile/${id}/avatar_url`
    const shown = await homeserver.request({
      method: 'PUT',
      path: at,
      as: id,
      body: { avatar_url: url },
      ...until(signal),
    })
    if (!shown.ok && shown.failure.kind !== 'refused') return shown
    if (!shown.ok) context.log.warn({ ghost: id, detail: shown.failure.detail }, 'a ghost got no picture')
    const { name, device } = this.#known.get(id) ?? known
    await this.#keep(id, {
      ...(name === undefined ? {} : { name }),
      ...(device === undefined ? {} : { device }),
      ...(avatar === null ? {} : { avatar: avatar.ref }),
    })
    return done(id)
  }

  async enter(user: UserRef, name: string | undefined, room: RoomId, signal?: AbortSignal): Promise<Answer<Mxid>> {
    const ensured = await this.ensure(user, name, signal)
    if (!ensured.ok) return ensured
    const id = ensured.value
    return this.#once(
      `${room} ${id}`,
      id,
      () => this.inRoom(room).has(id),
      () => this.#join(id, room, signal),
      signal,
    )
  }

  async leave(user: UserRef, room: RoomId, reason?: string, signal?: AbortSignal): Promise<Answer<unknown>> {
    const id = this.idOf(user)
    const left = await this.#deps.homeserver.insist(leaveCall(room, { as: id, ...until(signal) }, reason))
    if (left.ok || left.failure.kind === 'refused') await this.noteOut(id, room)
    return left
  }

  /** An event says so. */
  async noteIn(id: Mxid, room: RoomId): Promise<void> {
    await this.#attendance.add(id, room)
  }

  async noteOut(id: Mxid, room: RoomId): Promise<void> {
    await this.#attendance.remove(id, room)
  }

  /** The room is none of ours any more. */
  async forget(room: RoomId): Promise<void> {
    await this.#attendance.forget(room)
  }

  /** Makes the device that transaction ids of `user`, a ghost or the bot, belong to. */
  makeDevice(user: Mxid, signal?: AbortSignal): Promise<Answer<unknown>> {
    return this.#deps.homeserver.request({
      method: 'PUT',
      path: path`/_matrix/client/v3/devices/${DEVICE_ID}`,
      as: user,
      body: { display_name: DEVICE_NAME },
      ...until(signal),
    })
  }

  /** Whether nothing needs to be done for it any more. */
  #isDone(id: Mxid, name: string | undefined): boolean {
    const known = this.#known.get(id)
    if (known?.name === undefined || (name !== undefined && name !== known.name)) return false
    return known.device === true || !this.#deps.homeserver.features.devices
  }

  /** One at a time for a key; whoever comes meanwhile waits, and looks again. */
  async #once(
    key: string,
    id: Mxid,
    isDone: () => boolean,
    work: () => Promise<Answer<Mxid>>,
    signal?: AbortSignal,
  ): Promise<Answer<Mxid>> {
    for (;;) {
      if (isDone()) return done(id)
      const running = this.#running.get(key)
      if (running === undefined) break
      const answer = await running
      if (signal?.aborted === true) return { ok: false, failure: { kind: 'aborted', detail: 'not waited for' } }
      // Whoever asked first gave up, not we.
      if (!answer.ok && answer.failure.kind !== 'aborted') return answer
    }
    const run = work().finally(() => this.#running.delete(key))
    this.#running.set(key, run)
    return run
  }

  async #make(id: Mxid, name: string, signal: AbortSignal | undefined): Promise<Answer<Mxid>> {
    const { context, homeserver } = this.#deps
    let known = this.#known.get(id)
    if (known === undefined) {
      const registered = await homeserver.request({
        method: 'POST',
        path: '/_matrix/client/v3/register',
        body: { type: 'm.login.application_service', username: localpartOf(id), inhibit_login: true },
        ...until(signal),
      })
      if (!registered.ok && !isThere(registered)) return registered
      known = await this.#keep(id, {})
    }
    if (known.device !== true && homeserver.features.devices) {
      const device = await this.makeDevice(id, signal)
      if (!device.ok && device.failure.kind !== 'refused') return device
      if (!device.ok) context.log.warn({ ghost: id, detail: device.failure.detail }, 'a ghost got no device')
      known = await this.#keep(id, { ...known, device: true })
    }
    if (known.name !== name) {
      const named = await homeserver.request({
        method: 'PUT',
        path: path`/_matrix/client/v3/profile/${id}/displayname`,
        as: id,
        body: { displayname: name },
        ...until(signal),
      })
      if (!named.ok && named.failure.kind !== 'refused') return named
      // A homeserver that lets nobody change names need not be asked again, and the message matters more.
      if (!named.ok) context.log.warn({ ghost: id, detail: named.failure.detail }, 'a ghost got no name')
      await this.#keep(id, { ...known, name })
    }
    return done(id)
  }

  async #keep(id: Mxid, known: Known): Promise<Known> {
    this.#known.set(id, known)
    await this.#deps.context.state.update([[`${PREFIX}${id}`, JSON.stringify(known)]])
    return known
  }

  /** First as somebody who is invited, or may come without; then by an invitation of somebody who is in. */
  async #join(id: Mxid, room: RoomId, signal: AbortSignal | undefined): Promise<Answer<Mxid>> {
    const { homeserver } = this.#deps
    const by = until(signal)
    let joined = await homeserver.request(joinCall(room, { as: id, ...by }))
    if (!joined.ok && joined.failure.kind === 'refused') {
      const invited = await this.#invite(id, room, signal)
      if (!invited.ok) return invited
      joined = await homeserver.request(joinCall(room, { as: id, ...by }))
    }
    if (!joined.ok) {
      return joined.failure.kind === 'refused' ? refusal(notLetIn(id, joined.failure.detail)) : joined
    }
    await this.noteIn(id, room)
    return done(id)
  }

  async #invite(id: Mxid, room: RoomId, signal: AbortSignal | undefined): Promise<Answer<unknown>> {
    const { homeserver } = this.#deps
    const byBot = await homeserver.request(inviteCall(room, id, until(signal)))
    if (byBot.ok || byBot.failure.kind !== 'refused') return byBot
    const [other] = this.inRoom(room)
    if (other !== undefined) {
      const byGhost = await homeserver.request(inviteCall(room, id, { as: other, ...until(signal) }))
      if (byGhost.ok || byGhost.failure.kind !== 'refused') return byGhost
    }
    return refusal(notLetIn(id, byBot.failure.detail))
  }

  #nameOf({ network, user }: UserRef, name: string): string {
    const values: Readonly<Record<string, string>> = { name, address: user, network }
    const filled = this.#settings.name.replaceAll(
      /\{(name|address|network)\}/g,
      (all, key: string) => values[key] ?? all,
    )
    // Some databases of homeservers take no zero bytes, and what turns the direction of text turns all that follows it.
    const shown = oneLine(filled, MAX_NAME)
    return shown === '' ? user : shown
  }
}

const until = (signal: AbortSignal | undefined): { readonly signal?: AbortSignal } =>
  signal === undefined ? {} : { signal }

const isThere = (answer: Answer<unknown>): boolean =>
  !answer.ok && answer.failure.kind === 'refused' && answer.failure.errcode === 'M_USER_IN_USE'

const notLetIn = (id: Mxid, detail: string): string =>
  `${id} is not let into the room (${detail}): unban it, or let the bridge's bot invite people there`
