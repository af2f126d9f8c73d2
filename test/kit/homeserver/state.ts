/** What a homeserver knows: users, devices, profiles, rooms. `forget` is what a restart loses. */
import { randomBytes } from 'node:crypto'
import { badRequest, forbidden, MatrixError, notFound } from './errors.ts'
import { firstLevels, hasCreators, type Content } from './power.ts'
import { FakeRoom, newRoomId, type NewEvent, type StoredEvent } from './room.ts'

export interface FakeUser {
  readonly id: string
  readonly profile: Map<string, unknown>
  readonly devices: Set<string>
  readonly accountData: Map<string, unknown>
  presence: { readonly presence: string; readonly status?: string; readonly since: number }
}

export interface Media {
  readonly bytes: Buffer
  readonly type: string
  readonly name: string
}

/** Far more than a test sends; the oldest are forgotten. */
const TRANSACTIONS_MAX = 500_000

export interface StateOptions {
  readonly domain: string
  readonly roomVersion: string
  readonly now: () => number
  /** After each event, whoever made it. */
  readonly stored: (event: StoredEvent, room: FakeRoom) => void
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : [])
export const tableOf = (value: unknown): Content =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Content) : {}

export class HomeserverState {
  readonly domain: string
  readonly users = new Map<string, FakeUser>()
  readonly rooms = new Map<string, FakeRoom>()
  readonly aliases = new Map<string, string>()
  readonly media = new Map<string, Media>()
  /** Access tokens of people. */
  readonly tokens = new Map<string, string>()
  /** Rooms by joined user. */
  readonly #joined = new Map<string, Set<FakeRoom>>()
  readonly #lasting = new Map<string, string>()
  readonly #passing = new Map<string, string>()
  readonly #options: StateOptions

  constructor(options: StateOptions) {
    this.domain = options.domain
    this.#options = options
  }

  /** What is kept in memory only. */
  forget(): void {
    this.#passing.clear()
    for (const room of this.rooms.values()) room.typing.clear()
  }

  // People.

  user(id: string): FakeUser {
    const user = this.users.get(id)
    if (user === undefined) throw notFound(`User ${id} does not exist`)
    return user
  }

  register(id: string): FakeUser {
    if (this.users.has(id)) throw badRequest('User ID already taken.', 'M_USER_IN_USE')
    const localpart = id.slice(1, id.indexOf(':'))
    if (!/^[a-zA-Z0-9._=\-/+]+$/.test(localpart) || Buffer.byteLength(id) > 255)
      throw badRequest(`User ID can only contain characters a-z, 0-9, or '=_-./+' (${id})`, 'M_INVALID_USERNAME')
    const user: FakeUser = {
      id,
      profile: new Map([['displayname', localpart]]),
      devices: new Set(),
      accountData: new Map(),
      presence: { presence: 'offline', since: this.#options.now() },
    }
    this.users.set(id, user)
    return user
  }

  newToken(id: string): string {
    const token = randomBytes(16).toString('hex')
    this.tokens.set(token, id)
    return token
  }

  /** The name goes into the membership in every room that they are in. */
  setProfile(id: string, field: string, value: unknown): void {
    const user = this.user(id)
    if (user.profile.get(field) === value) return
    if (value === undefined) user.profile.delete(field)
    else user.profile.set(field, value)
    if (field !== 'displayname' && field !== 'avatar_url') return
    for (const room of this.joined(id)) this.join(room, id)
  }

  joined(user: string): readonly FakeRoom[] {
    return [...(this.#joined.get(user) ?? [])]
  }

  /** They share a room. */
  knows(user: string, other: string): boolean {
    return this.joined(user).some((room) => room.membership(other) === 'join')
  }

  // Rooms.

  /** By id or alias. */
  room(idOrAlias: string): FakeRoom {
    const room = this.rooms.get(this.aliases.get(idOrAlias) ?? idOrAlias)
    if (room === undefined)
      throw idOrAlias.startsWith('#') ? notFound(`Room alias ${idOrAlias} not found`) : forbidden('Unknown room')
    return room
  }

  join(room: FakeRoom, user: string, reason?: unknown, ts?: number): StoredEvent {
    return room.add(this.#membership(user, user, 'join', { ...(typeof reason === 'string' ? { reason } : {}) }, ts))
  }

  invite(room: FakeRoom, sender: string, target: string, more: Content = {}, ts?: number): StoredEvent {
    return room.add(this.#membership(sender, target, 'invite', more, ts))
  }

  #membership(sender: string, target: string, membership: string, more: Content, ts?: number): NewEvent {
    const profile = this.users.get(target)?.profile
    const name = profile?.get('displayname')
    const avatar = profile?.get('avatar_url')
    const content = {
      ...(avatar === undefined ? {} : { avatar_url: avatar }),
      ...(name === undefined ? {} : { displayname: name }),
      ...more,
      membership,
    }
    return { type: 'm.room.member', sender, state_key: target, content, ...(ts === undefined ? {} : { ts }) }
  }

  /** The body of `POST /createRoom`. */
  createRoom(
    creator: string,
    body: Content,
    replaces?: { readonly room: FakeRoom; readonly state: readonly NewEvent[] },
  ): FakeRoom {
    const version = textOf(body['room_version']) ?? this.#options.roomVersion
    if (!/^(?:[1-9]|1[0-2])$/.test(version)) throw badRequest('Unknown room version', 'M_UNSUPPORTED_ROOM_VERSION')
    const preset = textOf(body['preset']) ?? (body['visibility'] === 'public' ? 'public_chat' : 'private_chat')
    const invited = listOf(body['invite']).map(String)
    const levels = tableOf(body['power_level_content_override'])
    const users = levels['users'] === undefined ? undefined : tableOf(levels['users'])
    const trusted = preset === 'trusted_private_chat'
    const alias = textOf(body['room_alias_name'])
    const fullAlias = alias === undefined ? undefined : `#${alias}:${this.domain}`
    if (users !== undefined && !hasCreators(version) && !(creator in users))
      throw badRequest(`Not a valid power_level_content_override: 'users' did not contain ${creator}`)
    if (users !== undefined && hasCreators(version) && creator in users)
      throw badRequest(`Creator user ${creator} must not appear in content.users`)
    if (fullAlias !== undefined && this.aliases.has(fullAlias))
      throw badRequest('Room alias already taken', 'M_ROOM_IN_USE')

    const room = new FakeRoom(newRoomId(version, this.domain), version, this.#options.now, (event, at) =>
      this.#stored(event, at),
    )
    this.rooms.set(room.id, room)
    const first = (type: string, content: Content, state_key = ''): StoredEvent =>
      room.store({ type, sender: creator, content, state_key })
    const more = [...listOf(tableOf(body['creation_content'])['additional_creators']), ...(trusted ? invited : [])]
    first('m.room.create', {
      ...tableOf(body['creation_content']),
      room_version: version,
      ...(replaces === undefined ? {} : { predecessor: { room_id: replaces.room.id } }),
      ...(hasCreators(version) && more.length > 0 ? { additional_creators: more } : {}),
    })
    room.store(this.#membership(creator, creator, 'join', {}))
    const own = firstLevels(version, creator, preset)
    const trustedUsers =
      trusted && !hasCreators(version)
        ? { users: { ...tableOf(own['users']), ...Object.fromEntries(invited.map((user) => [user, 100])) } }
        : {}
    const initial = listOf(body['initial_state']).map(tableOf)
    const given = (type: string): Content | undefined => {
      const event = initial.find((each) => each['type'] === type && (each['state_key'] ?? '') === '')
      return event === undefined ? undefined : tableOf(event['content'])
    }
    first('m.room.power_levels', given('m.room.power_levels') ?? { ...own, ...trustedUsers, ...levels })
    first(
      'm.room.join_rules',
      given('m.room.join_rules') ?? { join_rule: preset === 'public_chat' ? 'public' : 'invite' },
    )
    first('m.room.history_visibility', given('m.room.history_visibility') ?? { history_visibility: 'shared' })
    const done = new Set(['m.room.power_levels', 'm.room.join_rules', 'm.room.history_visibility'])
    for (const event of initial) {
      const type = String(event['type'])
      if (!done.has(type)) first(type, tableOf(event['content']), textOf(event['state_key']) ?? '')
    }
    for (const event of replaces?.state ?? []) first(event.type, event.content, event.state_key)
    if (typeof body['name'] === 'string') first('m.room.name', { name: body['name'] })
    if (typeof body['topic'] === 'string') first('m.room.topic', { topic: body['topic'] })
    if (fullAlias !== undefined) {
      this.aliases.set(fullAlias, room.id)
      first('m.room.canonical_alias', { alias: fullAlias })
    }
    for (const user of invited) this.invite(room, creator, user, body['is_direct'] === true ? { is_direct: true } : {})
    return room
  }

  /** `POST /rooms/{id}/upgrade`: a new room with the state of the old one. People have to be invited again, as at Synapse. */
  upgrade(old: FakeRoom, by: string, version: string): FakeRoom {
    old.assertJoined(by)
    if (old.power.of(by) < old.power.toSend('m.room.tombstone', true))
      throw forbidden("You don't have permission to upgrade the room")
    const levels = old.state('m.room.power_levels')?.content ?? {}
    const users = Object.entries(tableOf(levels['users'])).filter(([user]) => !hasCreators(version) || user !== by)
    const copied = [
      'm.room.join_rules',
      'm.room.name',
      'm.room.topic',
      'm.room.history_visibility',
      'm.room.encryption',
      'm.room.avatar',
      'm.room.guest_access',
    ]
    const state = old
      .allState()
      .filter(({ type }) => copied.includes(type))
      .map(({ type, content, state_key = '' }): NewEvent => ({ type, content, state_key, sender: by }))
    const power = { ...levels, users: Object.fromEntries(hasCreators(version) ? users : [...users, [by, 100]]) }
    const room = this.createRoom(
      by,
      { room_version: version, initial_state: [{ type: 'm.room.power_levels', content: power }] },
      { room: old, state },
    )
    const tombstone = { body: 'This room has been replaced', replacement_room: room.id }
    old.store({ type: 'm.room.tombstone', sender: by, content: tombstone, state_key: '' })
    const quiet = { ...levels, events_default: 50, invite: 50 }
    old.store({ type: 'm.room.power_levels', sender: by, content: quiet, state_key: '' })
    for (const [alias, id] of this.aliases) if (id === old.id) this.aliases.set(alias, room.id)
    return room
  }

  // Transaction ids.

  /**
   * Does it once. `lasting` is known again after a restart; `passing`, by the path alone as at Synapse, is not.
   * Answers the event id.
   */
  once(key: { readonly lasting?: string; readonly passing: string }, act: () => StoredEvent): string {
    const known =
      this.#passing.get(key.passing) ?? (key.lasting === undefined ? undefined : this.#lasting.get(key.lasting))
    if (known !== undefined) return known
    const { event_id } = act()
    keep(this.#passing, key.passing, event_id)
    if (key.lasting !== undefined) keep(this.#lasting, key.lasting, event_id)
    return event_id
  }

  upload(bytes: Buffer, type: string, name: string): string {
    const id = randomBytes(12).toString('hex')
    this.media.set(id, { bytes, type, name })
    return `mxc://${this.domain}/${id}`
  }

  mediaOf(server: string, id: string): Media {
    const media = server === this.domain ? this.media.get(id) : undefined
    if (media === undefined) throw new MatrixError(404, 'M_NOT_FOUND', 'Not found')
    return media
  }

  #stored(event: StoredEvent, room: FakeRoom): void {
    if (event.type === 'm.room.member' && event.state_key !== undefined) {
      const rooms = this.#joined.get(event.state_key) ?? new Set<FakeRoom>()
      if (event.content['membership'] === 'join') rooms.add(room)
      else rooms.delete(room)
      this.#joined.set(event.state_key, rooms)
    }
    this.#options.stored(event, room)
  }
}

const keep = (map: Map<string, string>, key: string, value: string): void => {
  map.set(key, value)
  if (map.size <= TRANSACTIONS_MAX) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
