/** A person whose client is matrix-js-sdk: somebody else's reading of the specification, so that ours is checked by it. */
import {
  ClientEvent,
  createClient,
  EventTimeline,
  Filter,
  Method,
  Preset,
  RoomEvent,
  RoomMemberEvent,
  SyncState,
} from 'matrix-js-sdk'
import type { MatrixClient, MatrixEvent, RoomMember } from 'matrix-js-sdk'
import { logger, type Logger } from 'matrix-js-sdk/lib/logger.js'
import { MatrixPerson, type Presence, type RoomOptions, type SeenEvent, type SeenPresence } from './matrix-person.ts'
import { Watch } from './watch.ts'

/** Its words would drown those of the tests. */
const SILENT: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  getChild: () => SILENT,
}
/** Parts of it use this one all the same. */
// eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing else silences those parts
Object.assign(logger, SILENT, { log: () => undefined })
const POLL_MS = 20_000
/** More than any test sends at once, so that no sync leaves a gap. */
const TIMELINE_LIMIT = 3_000

const PRESETS = {
  private_chat: Preset.PrivateChat,
  public_chat: Preset.PublicChat,
  trusted_private_chat: Preset.TrustedPrivateChat,
}

type Content = Readonly<Record<string, unknown>>

export class SdkPerson extends MatrixPerson {
  readonly #client: MatrixClient
  protected readonly watch = new Watch()
  readonly #timelines = new Map<string, MatrixEvent[]>()
  readonly #known = new Map<string, MatrixEvent>()
  readonly #redacted = new Set<string>()
  readonly #presence = new Map<string, SeenPresence>()
  /**
   * Rooms that they have joined and not left since. Where a message and their join were stored at the same moment, Synapse
   * shows the state before the message behind the join, and the SDK takes them for invited until the next event.
   */
  readonly #entered = new Set<string>()
  /** By room and user, divided by a space. */
  readonly #receipts = new Map<string, string[]>()

  private constructor(id: string, client: MatrixClient) {
    super(id)
    this.#client = client
    client.on(ClientEvent.Event, (event) => {
      this.#take(event)
      this.watch.changed()
    })
    client.on(RoomEvent.Receipt, (event, room) => {
      this.#takeReceipts(room.roomId, event.getContent())
      this.watch.changed()
    })
    client.on(RoomMemberEvent.Typing, () => this.watch.changed())
    client.on(RoomEvent.MyMembership, ({ roomId }, membership) => {
      if (membership === 'leave' || membership === 'ban') this.#entered.delete(roomId)
      this.watch.changed()
    })
  }

  /** Signed in with a password, and synced once. */
  static async login(baseUrl: string, user: string, password: string): Promise<SdkPerson> {
    const door = createClient({ baseUrl, logger: SILENT })
    const identifier = { type: 'm.id.user', user }
    const login = await door.loginRequest({ type: 'm.login.password', identifier, password })
    door.stopClient()
    const client = createClient({
      baseUrl,
      userId: login.user_id,
      accessToken: login.access_token,
      deviceId: login.device_id,
      logger: SILENT,
      disableVoip: true,
    })
    const person = new SdkPerson(login.user_id, client)
    const filter = new Filter(login.user_id)
    filter.setTimelineLimit(TIMELINE_LIMIT)
    let synced = false
    client.on(ClientEvent.Sync, (state) => {
      if (state === SyncState.Prepared || state === SyncState.Syncing) synced = true
      person.watch.changed()
    })
    // Presence is what the test says: one that comes with each sync would overtake it.
    await client.startClient({ filter, pollTimeout: POLL_MS, disablePresence: true })
    await person.until(
      () => synced,
      () => 'no first sync',
    )
    await person.setPresence('online')
    return person
  }

  async createRoom(options: RoomOptions = {}): Promise<string> {
    const { room_id } = await this.#client.createRoom({
      preset: PRESETS[options.preset ?? 'private_chat'],
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.invite === undefined ? {} : { invite: [...options.invite] }),
      ...(options.direct === undefined ? {} : { is_direct: options.direct }),
      ...(options.version === undefined ? {} : { room_version: options.version }),
      ...(options.powerLevels === undefined ? {} : { power_level_content_override: options.powerLevels }),
    })
    await this.waitForMember(room_id, this.id, 'join')
    return room_id
  }

  async join(room: string): Promise<void> {
    // The SDK's own call asks nobody where it takes somebody who has left, and is invited anew, for a member still.
    const url = `/join/${encodeURIComponent(room)}`
    const { room_id } = await this.#client.http.authedRequest<{ readonly room_id: string }>(Method.Post, url, {}, {})
    // The SDK knows the room, and may forget again that they are in it.
    await this.until(
      () => this.#client.getRoom(room_id)?.getMyMembership() === 'join',
      () => `not in ${room_id} but ${this.membership(room_id, this.id)}`,
    )
    this.#entered.add(room_id)
    this.watch.changed()
  }

  async leave(room: string): Promise<void> {
    await this.#client.leave(room)
  }

  async invite(room: string, user: string): Promise<void> {
    await this.#client.invite(room, user)
  }

  async kick(room: string, user: string, reason?: string): Promise<void> {
    await this.#client.kick(room, user, reason)
  }

  async ban(room: string, user: string): Promise<void> {
    await this.#client.ban(room, user)
  }

  async unban(room: string, user: string): Promise<void> {
    await this.#client.unban(room, user)
  }

  async send(room: string, type: string, content: Content): Promise<string> {
    const { event_id } = await this.#client.sendEvent(room, type as never, content as never)
    return event_id
  }

  async setState(room: string, type: string, content: Content, key = ''): Promise<string> {
    const { event_id } = await this.#client.sendStateEvent(room, type as never, content as never, key)
    return event_id
  }

  async redact(room: string, event: string, reason?: string): Promise<void> {
    await this.#client.redactEvent(room, event, undefined, reason === undefined ? {} : { reason })
  }

  async upload(bytes: Buffer, type: string, name: string): Promise<string> {
    const file = new Blob([new Uint8Array(bytes)], { type })
    return (await this.#client.uploadContent(file, { type, name })).content_uri
  }

  async typing(room: string, typing: boolean): Promise<void> {
    await this.#client.sendTyping(room, typing, 20_000)
  }

  async read(room: string, event: string): Promise<void> {
    const known = await this.until(
      () => this.#known.get(event),
      () => `never saw ${event} in ${room}`,
    )
    await this.#client.sendReadReceipt(known)
  }

  async setPresence(presence: Presence, status?: string): Promise<void> {
    await this.#client.setPresence({
      presence: presence as 'online',
      ...(status === undefined ? {} : { status_msg: status }),
    })
  }

  async setAvatar(uri: string): Promise<void> {
    await this.#client.setAvatarUrl(uri)
  }

  async setName(name: string): Promise<void> {
    await this.#client.setDisplayName(name)
  }

  async upgrade(room: string, version: string): Promise<string> {
    return (await this.#client.upgradeRoom(room, version)).replacement_room
  }

  async alias(room: string, alias: string): Promise<void> {
    await this.#client.createAlias(alias, room)
  }

  async token(): Promise<string> {
    return this.#client.getAccessToken() ?? ''
  }

  async stop(): Promise<void> {
    this.#client.stopClient()
    this.#client.removeAllListeners()
  }

  timeline(room: string): readonly SeenEvent[] {
    return (this.#timelines.get(room) ?? []).map((event) => {
      const id = event.getId() ?? ''
      const key = event.getStateKey()
      return {
        id,
        room,
        type: event.getType(),
        sender: event.getSender() ?? '',
        ts: event.getTs(),
        content: this.#redacted.has(id) ? {} : event.getOriginalContent(),
        ...(key === undefined ? {} : { stateKey: key }),
      }
    })
  }

  state(room: string, type: string, key = ''): Content | undefined {
    return this.#client
      .getRoom(room)
      ?.getLiveTimeline()
      .getState(EventTimeline.FORWARDS)
      ?.getStateEvents(type, key)
      ?.getContent()
  }

  membership(room: string, user: string): string {
    if (user === this.id) return this.#own(room) ?? 'none'
    return this.#member(room, user)?.membership ?? 'none'
  }

  #own(room: string): string | undefined {
    return this.#entered.has(room) ? 'join' : this.#client.getRoom(room)?.getMyMembership()
  }

  nameIn(room: string, user: string): string | undefined {
    return this.#member(room, user)?.rawDisplayName
  }

  members(room: string): readonly string[] {
    return (this.#client.getRoom(room)?.getJoinedMembers() ?? []).map(({ userId }) => userId)
  }

  rooms(membership: 'join' | 'invite'): readonly string[] {
    return this.#client
      .getRooms()
      .map(({ roomId }) => roomId)
      .filter((room) => this.#own(room) === membership)
  }

  presenceOf(user: string): SeenPresence | undefined {
    return this.#presence.get(user)
  }

  typingIn(room: string): readonly string[] {
    const people = this.#client.getRoom(room)?.getMembers() ?? []
    return people.filter(({ typing }) => typing).map(({ userId }) => userId)
  }

  receipts(room: string, user: string): readonly string[] {
    return this.#receipts.get(`${room} ${user}`) ?? []
  }

  #member(room: string, user: string): RoomMember | null {
    return this.#client.getRoom(room)?.getMember(user) ?? null
  }

  #take(event: MatrixEvent): void {
    const content: Content = event.getContent()
    const room = event.getRoomId() ?? ''
    const type = event.getType()
    if (type === 'm.presence') this.#takePresence(event.getSender() ?? '', content)
    else this.#takeTimeline(room, event)
  }

  #takePresence(user: string, { presence, status_msg: status }: Content): void {
    this.#presence.set(user, {
      presence: String(presence),
      ...(typeof status === 'string' && status !== '' ? { status } : {}),
    })
  }

  #takeReceipts(room: string, content: Content): void {
    for (const [event, kinds] of Object.entries(content)) {
      const readers = (kinds as Readonly<Record<string, Readonly<Record<string, unknown>>>>)['m.read'] ?? {}
      for (const user of Object.keys(readers)) {
        const key = `${room} ${user}`
        this.#receipts.set(key, [...(this.#receipts.get(key) ?? []), event])
      }
    }
  }

  #takeTimeline(room: string, event: MatrixEvent): void {
    const id = event.getId()
    if (room === '' || id === undefined || this.#known.has(id)) return
    this.#known.set(id, event)
    const redacts: unknown = event.getContent()['redacts'] ?? event.event.redacts
    if (event.getType() === 'm.room.redaction' && typeof redacts === 'string') this.#redacted.add(redacts)
    const timeline = this.#timelines.get(room)
    if (timeline === undefined) this.#timelines.set(room, [event])
    else timeline.push(event)
  }
}
