/** A homeserver in memory, as the parts of the adapter see it: rooms with the rules that matter to them, and every call kept. */
import { creatorsStandAbove, levelOf } from '../../../adapters/matrix/power-levels.ts'
import type {
  Answer,
  Call,
  Failure,
  Features,
  HomeserverPort,
  Mxid,
  RoomEvent,
  RoomId,
} from '../../../adapters/matrix/types.ts'
import { recordOf, textIn } from '../../../adapters/matrix/untrusted.ts'

type Content = Readonly<Record<string, unknown>>
type Handler = (call: Call, parts: readonly string[], user: Mxid) => unknown

interface FakeRoom {
  readonly id: RoomId
  readonly creator: Mxid
  readonly version: string
  readonly state: Map<string, { readonly sender: Mxid; readonly content: Content }>
  readonly timeline: RoomEvent[]
}

class Refusal extends Error {
  readonly status: number
  readonly errcode: string
  constructor(status: number, errcode: string, detail: string) {
    super(detail)
    this.status = status
    this.errcode = errcode
  }
}

const forbidden = (detail: string): Refusal => new Refusal(403, 'M_FORBIDDEN', detail)
const stateKey = (type: string, key: string): string => `${type}\n${key}`

export class FakeHomeserver implements HomeserverPort {
  readonly domain = 'example.org'
  readonly bot: Mxid = '@msnbot:example.org'
  features: Features = { devices: true, busy: false, roomVersion: '11' }
  readonly calls: Call[] = []
  readonly users = new Set<string>([this.bot])
  readonly names = new Map<string, string>()
  readonly rooms = new Map<RoomId, FakeRoom>()
  readonly aliases = new Map<string, RoomId>()
  readonly tokens = new Map<string, Mxid>()
  readonly accountData = new Map<string, Content>()
  /** What fails, by a part of "METHOD path": the first one that fits is used up. `late`: after it was carried out. */
  readonly #failures: { readonly part: string; readonly failure: Failure; readonly late: boolean }[] = []
  #ids = 0

  failNext(part: string, failure: Failure, late = false): void {
    this.#failures.push({ part, failure, late })
  }

  insist<Value>(call: Call): Promise<Answer<Value>> {
    return this.request(call)
  }

  async request<Value>(call: Call): Promise<Answer<Value>> {
    await Promise.resolve()
    this.calls.push(call)
    const line = `${call.method} ${decodeURIComponent(call.path)}`
    const index = this.#failures.findIndex(({ part }) => line.includes(part))
    const [planned] = index < 0 ? [] : this.#failures.splice(index, 1)
    if (call.signal?.aborted === true) return { ok: false, failure: { kind: 'aborted', detail: 'aborted' } }
    if (planned?.late === false) return { ok: false, failure: planned.failure }
    const answer = this.#answer<Value>(call)
    return planned === undefined ? answer : { ok: false, failure: planned.failure }
  }

  /** "METHOD path", decoded, of the calls since `from`. */
  lines(from = 0): readonly string[] {
    return this.calls.slice(from).map(({ method, path }) => `${method} ${decodeURIComponent(path)}`)
  }

  count(part: string): number {
    return this.lines().filter((line) => line.includes(part)).length
  }

  /** A room that somebody else made. */
  room(
    creator: Mxid,
    options: { version?: string; state?: readonly (readonly [string, string, Content])[] } = {},
  ): RoomId {
    const room = this.#newRoom(creator, options.version ?? '11', {})
    this.#set(room, 'm.room.power_levels', '', creator, {
      users: creatorsStandAbove(room.version) ? {} : { [creator]: 100 },
    })
    for (const [type, key, content] of options.state ?? []) this.#set(room, type, key, creator, content)
    return room.id
  }

  /** Somebody does something; the answer is the event that the homeserver would bring. */
  event(room: RoomId, type: string, sender: Mxid, content: Content, key?: string): RoomEvent {
    const there = this.#room(room)
    const before = key === undefined ? undefined : there.state.get(stateKey(type, key))
    const event: RoomEvent = {
      type,
      room_id: room,
      event_id: `$${++this.#ids}`,
      sender,
      origin_server_ts: 1_000 + this.#ids,
      content,
      ...(key === undefined ? {} : { state_key: key }),
      ...(before === undefined ? {} : { unsigned: { prev_content: before.content } }),
    }
    if (key !== undefined) this.#set(there, type, key, sender, content)
    else there.timeline.push(event)
    return event
  }

  member(room: RoomId, user: string, membership: string, by: string = user): RoomEvent {
    return this.event(room, 'm.room.member', by as Mxid, { membership }, user)
  }

  state(room: RoomId, type: string, key = ''): Content | undefined {
    return this.#room(room).state.get(stateKey(type, key))?.content
  }

  membership(room: RoomId, user: string): string | undefined {
    return textIn(this.state(room, 'm.room.member', user), 'membership')
  }

  /** Bodies of messages, "sender: body". */
  said(room: RoomId): readonly string[] {
    return this.#room(room).timeline.map(({ sender, content }) => `${sender}: ${String(content['body'])}`)
  }

  #answer<Value>(call: Call): Answer<Value> {
    const parts = call.path.split('/').slice(3).map(decodeURIComponent)
    const user = call.as ?? (call.token === undefined ? this.bot : this.tokens.get(call.token))
    try {
      if (call.token !== undefined && !this.tokens.has(call.token)) {
        return { ok: false, failure: { kind: 'token', errcode: 'M_UNKNOWN_TOKEN', detail: 'unknown token' } }
      }
      const handler =
        this.#handlers[`${call.method} ${parts[1] ?? ''}/${parts[3] ?? ''}`] ??
        this.#handlers[`${call.method} ${parts[1] ?? ''}`]
      if (handler === undefined || user === undefined) throw new Refusal(404, 'M_UNRECOGNIZED', 'no such path')
      return { ok: true, value: handler(call, parts.slice(2), user) as Value }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return {
        ok: false,
        failure: { kind: 'refused', status: error.status, errcode: error.errcode, detail: error.message },
      }
    }
  }

  readonly #handlers: Readonly<Record<string, Handler>> = {
    'POST register': (call) => {
      const id = `@${textIn(call.body, 'username') ?? ''}:${this.domain}`
      if (this.users.has(id)) throw new Refusal(400, 'M_USER_IN_USE', 'taken')
      this.users.add(id)
      return { user_id: id }
    },
    'PUT devices': () => ({}),
    'PUT profile/displayname': (call, [id = '']) => {
      this.names.set(id, textIn(call.body, 'displayname') ?? '')
      return {}
    },
    'GET account/whoami': (_, __, user) => ({ user_id: user }),
    'GET account': (_, __, user) => ({ user_id: user }),
    'GET user/account_data': (_, [id = '', , type = '']) => {
      const data = this.accountData.get(`${id} ${type}`)
      if (data === undefined) throw new Refusal(404, 'M_NOT_FOUND', 'no account data')
      return data
    },
    'PUT user/account_data': (call, [id = '', , type = '']) => {
      this.accountData.set(`${id} ${type}`, recordOf(call.body))
      return {}
    },
    'POST createRoom': (call, _, user) => this.#create(recordOf(call.body), user),
    'GET joined_rooms': (_, __, user) => ({
      joined_rooms: [...this.rooms.keys()].filter((room) => this.membership(room, user) === 'join'),
    }),
    'POST join': (_, [name = ''], user) => {
      const id = this.aliases.get(name) ?? (name as RoomId)
      const room = this.#room(id)
      const public_ = textIn(this.state(id, 'm.room.join_rules'), 'join_rule') === 'public'
      const now = this.membership(id, user)
      if (now === 'ban' || (now !== 'invite' && now !== 'join' && !public_)) throw forbidden('you are not invited')
      this.#set(room, 'm.room.member', user, user, { membership: 'join' })
      return { room_id: id }
    },
    'POST rooms/leave': (_, [id], user) => this.#leave(id as RoomId, user, user),
    'POST rooms/kick': (call, [id], user) => {
      this.#need(id as RoomId, user, 50)
      return this.#leave(id as RoomId, textIn(call.body, 'user_id') as Mxid, user)
    },
    'POST rooms/invite': (call, [id], user) =>
      this.#invite(id as RoomId, textIn(call.body, 'user_id') ?? '', user, { membership: 'invite' }),
    'GET rooms/state': (_, [id, , type = '', key = ''], user) => {
      if (this.membership(id as RoomId, user) !== 'join') throw forbidden('not in the room')
      const content = this.state(id as RoomId, type, key)
      if (content === undefined) throw new Refusal(404, 'M_NOT_FOUND', 'no such state')
      return content
    },
    'PUT rooms/state': (call, [id, , type = '', key = ''], user) => {
      const content = recordOf(call.body)
      if (type === 'm.room.member') return this.#invite(id as RoomId, key, user, content)
      this.#need(id as RoomId, user, 50)
      this.#set(this.#room(id), type, key, user, content)
      return { event_id: `$${++this.#ids}` }
    },
    'PUT rooms/send': (call, [id, , type = '', txn = ''], user) => {
      const room = this.#room(id)
      if (this.membership(room.id, user) !== 'join') throw forbidden('not in the room')
      const again = room.timeline.find((event) => event.unsigned?.['transaction_id'] === `${user} ${txn}`)
      if (again !== undefined) return { event_id: again.event_id }
      const event: RoomEvent = {
        type,
        room_id: room.id,
        event_id: `$${++this.#ids}`,
        sender: user,
        origin_server_ts: 0,
        content: recordOf(call.body),
        unsigned: { transaction_id: `${user} ${txn}` },
      }
      room.timeline.push(event)
      return { event_id: event.event_id }
    },
    'GET rooms/members': (_, [id]) => ({
      chunk: [...this.#room(id).state].flatMap(([key, { content }]) =>
        key.startsWith('m.room.member\n') ? [{ state_key: key.slice('m.room.member\n'.length), content }] : [],
      ),
    }),
    'GET rooms/messages': (_, [id]) => ({ chunk: this.#room(id).timeline.toReversed() }),
  }

  #create(body: Content, user: Mxid): { readonly room_id: RoomId } {
    const version = textIn(body, 'room_version') ?? this.features.roomVersion
    const levels = recordOf(body['power_level_content_override'])
    const users = recordOf(levels['users'])
    if (creatorsStandAbove(version) && user in users) throw new Refusal(400, 'M_BAD_JSON', 'creators stand above')
    if (!creatorsStandAbove(version) && !(user in users)) throw forbidden('you would have no power in your own room')
    const room = this.#newRoom(user, version, recordOf(body['creation_content']))
    this.#set(room, 'm.room.power_levels', '', user, levels)
    for (const event of body['initial_state'] as readonly Content[]) {
      this.#set(room, textIn(event, 'type') ?? '', textIn(event, 'state_key') ?? '', user, recordOf(event['content']))
    }
    const name = textIn(body, 'name')
    if (name !== undefined) this.#set(room, 'm.room.name', '', user, { name })
    for (const guest of body['invite'] as readonly string[]) {
      this.#invite(room.id, guest, user, { membership: 'invite', is_direct: body['is_direct'] === true })
    }
    return { room_id: room.id }
  }

  #newRoom(creator: Mxid, version: string, content: Content): FakeRoom {
    const id: RoomId = `!room${++this.#ids}`
    const room: FakeRoom = { id, creator, version, state: new Map(), timeline: [] }
    this.rooms.set(id, room)
    this.#set(room, 'm.room.create', '', creator, { ...content, room_version: version })
    this.#set(room, 'm.room.member', creator, creator, { membership: 'join' })
    return room
  }

  #invite(id: RoomId, guest: string, by: Mxid, content: Content): unknown {
    const room = this.#room(id)
    if (this.membership(id, by) !== 'join') throw forbidden('you are not in the room')
    if (this.membership(id, guest) === 'join') throw forbidden(`${guest} is already in the room.`)
    if (this.membership(id, guest) === 'ban') throw forbidden(`${guest} is banned`)
    this.#need(id, by, Number(this.state(id, 'm.room.power_levels')?.['invite'] ?? 0))
    this.#set(room, 'm.room.member', guest, by, content)
    return {}
  }

  #leave(id: RoomId, user: Mxid, by: Mxid): unknown {
    const now = this.membership(id, user)
    if (now !== 'join' && now !== 'invite') throw forbidden('not in the room')
    this.#set(this.#room(id), 'm.room.member', user, by, { membership: 'leave' })
    return {}
  }

  #need(id: RoomId, user: Mxid, level: number): void {
    const { creator, version } = this.#room(id)
    const creators = creatorsStandAbove(version) ? [creator] : []
    if (levelOf(this.state(id, 'm.room.power_levels'), user, creators) < level) throw forbidden('not enough power')
  }

  #room(id: string | undefined): FakeRoom {
    const room = this.rooms.get(id as RoomId)
    if (room === undefined) throw new Refusal(404, 'M_NOT_FOUND', 'no such room')
    return room
  }

  #set(room: FakeRoom, type: string, key: string, sender: Mxid, content: Content): void {
    room.state.set(stateKey(type, key), { sender, content })
  }
}
