/** A person of the fake homeserver, without a client in between: what they do is done at once. */
import { MatrixPerson, type Presence, type RoomOptions, type SeenEvent, type SeenPresence } from '../matrix-person.ts'
import type { Watch } from '../watch.ts'
import type { FakeHomeserver } from '../fake-homeserver.ts'
import type { Content } from './power.ts'
import type { FakeRoom, StoredEvent } from './room.ts'

/** The one device of every person. */
export const CLIENT_DEVICE = 'CLIENT'

export class FakePerson extends MatrixPerson {
  protected readonly watch: Watch
  readonly #server: FakeHomeserver
  readonly #seen = new WeakMap<StoredEvent, { readonly content: Content; readonly seen: SeenEvent }>()
  #token: string | undefined

  constructor(server: FakeHomeserver, id: string) {
    super(id)
    this.#server = server
    this.watch = server.watch
  }

  async createRoom(options: RoomOptions = {}): Promise<string> {
    for (const user of options.invite ?? []) await this.#server.meet(user)
    const room = this.#server.state.createRoom(this.id, {
      preset: options.preset ?? 'private_chat',
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.invite === undefined ? {} : { invite: options.invite }),
      ...(options.direct === undefined ? {} : { is_direct: options.direct }),
      ...(options.version === undefined ? {} : { room_version: options.version }),
      ...(options.powerLevels === undefined ? {} : { power_level_content_override: options.powerLevels }),
    })
    return room.id
  }

  async join(room: string): Promise<void> {
    this.#server.state.join(this.#room(room), this.id)
  }

  async leave(room: string): Promise<void> {
    this.#member(room, this.id, { membership: 'leave' })
  }

  async invite(room: string, user: string): Promise<void> {
    await this.#server.meet(user)
    this.#server.state.invite(this.#room(room), this.id, user)
  }

  async kick(room: string, user: string, reason?: string): Promise<void> {
    this.#member(room, user, { membership: 'leave', ...(reason === undefined ? {} : { reason }) })
  }

  async ban(room: string, user: string): Promise<void> {
    this.#member(room, user, { membership: 'ban' })
  }

  async unban(room: string, user: string): Promise<void> {
    this.#member(room, user, { membership: 'leave' })
  }

  async send(room: string, type: string, content: Content): Promise<string> {
    const at = this.#room(room)
    const { event_id } = at.add({ type, sender: this.id, content })
    this.#server.presence.active(this.#server.state.user(this.id), CLIENT_DEVICE)
    return event_id
  }

  async setState(room: string, type: string, content: Content, key = ''): Promise<string> {
    return this.#room(room).add({ type, sender: this.id, content, state_key: key }).event_id
  }

  async redact(room: string, event: string, reason?: string): Promise<void> {
    this.#room(room).redact(this.id, event, reason)
  }

  async upload(bytes: Buffer, mimetype: string, name: string): Promise<string> {
    return this.#server.state.upload(bytes, mimetype, name)
  }

  async typing(room: string, typing: boolean): Promise<void> {
    this.#server.setTyping(this.#room(room), this.id, typing)
  }

  async read(room: string, event: string): Promise<void> {
    this.#server.setReceipt(this.#room(room), this.id, event)
  }

  async setPresence(presence: Presence, status?: string): Promise<void> {
    this.#server.presence.set(this.#server.state.user(this.id), CLIENT_DEVICE, presence, status)
  }

  async setAvatar(uri: string): Promise<void> {
    this.#server.setProfile(this.id, 'avatar_url', uri)
  }

  async setName(name: string): Promise<void> {
    this.#server.setProfile(this.id, 'displayname', name)
  }

  async upgrade(room: string, version: string): Promise<string> {
    return this.#server.state.upgrade(this.#room(room), this.id, version).id
  }

  async alias(room: string, alias: string): Promise<void> {
    this.#server.state.aliases.set(alias, this.#room(room).id)
  }

  async token(): Promise<string> {
    this.#token ??= this.#server.state.newToken(this.id)
    return this.#token
  }

  async stop(): Promise<void> {
    // There is no client to stop.
  }

  timeline(room: string): readonly SeenEvent[] {
    const at = this.#server.state.rooms.get(room)
    return at?.membership(this.id) === 'join' ? at.events.map((event) => this.#see(event)) : []
  }

  state(room: string, type: string, key = ''): Content | undefined {
    return this.#known(room)?.state(type, key)?.content
  }

  membership(room: string, user: string): string {
    return this.#known(room)?.membership(user) ?? 'none'
  }

  nameIn(room: string, user: string): string | undefined {
    const name = this.state(room, 'm.room.member', user)?.['displayname']
    return typeof name === 'string' ? name : undefined
  }

  members(room: string): readonly string[] {
    return this.#known(room)?.members('join') ?? []
  }

  rooms(membership: 'join' | 'invite'): readonly string[] {
    return [...this.#server.state.rooms.values()]
      .filter((room) => room.membership(this.id) === membership)
      .map(({ id }) => id)
  }

  presenceOf(user: string): SeenPresence | undefined {
    const { state } = this.#server
    const known = state.users.get(user)
    if (known === undefined || (user !== this.id && !state.knows(this.id, user))) return undefined
    const { presence, status } = known.presence
    return { presence, ...(status === undefined ? {} : { status }) }
  }

  typingIn(room: string): readonly string[] {
    return [...(this.#known(room)?.typing ?? [])]
  }

  receipts(room: string, user: string): readonly string[] {
    return this.#known(room)?.receipts.get(user) ?? []
  }

  #room(room: string): FakeRoom {
    return this.#server.state.room(room)
  }

  /** Rooms that they have something to do with. */
  #known(room: string): FakeRoom | undefined {
    const at = this.#server.state.rooms.get(room)
    return at?.membership(this.id) === 'none' ? undefined : at
  }

  #member(room: string, user: string, content: Content): void {
    this.#room(room).add({ type: 'm.room.member', sender: this.id, state_key: user, content })
  }

  #see(event: StoredEvent): SeenEvent {
    const known = this.#seen.get(event)
    if (known?.content === event.content) return known.seen
    const seen: SeenEvent = {
      id: event.event_id,
      room: event.room_id,
      type: event.type,
      sender: event.sender,
      ts: event.origin_server_ts,
      content: event.content,
      ...(event.state_key === undefined ? {} : { stateKey: event.state_key }),
    }
    this.#seen.set(event, { content: event.content, seen })
    return seen
  }
}
