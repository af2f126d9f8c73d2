/** One room: its events, its state, and the rules by which an event gets in. Throws `MatrixError` where one may not. */
import { randomBytes } from 'node:crypto'
import { badRequest, forbidden, MatrixError, notFound } from './errors.ts'
import { hasCreators, Power, type Content } from './power.ts'

export interface StoredEvent {
  readonly event_id: string
  readonly room_id: string
  readonly type: string
  readonly sender: string
  readonly origin_server_ts: number
  /** Emptied when it is redacted. */
  content: Content
  readonly state_key?: string
  readonly redacts?: string
  unsigned: Content
}

export interface NewEvent {
  readonly type: string
  readonly sender: string
  readonly content: Content
  readonly state_key?: string
  readonly redacts?: string
  readonly ts?: number
}

const opaque = (bytes: number): string => randomBytes(bytes).toString('base64url')

/** Before version 12 a room's id ends in the domain of its server. */
export const newRoomId = (version: string, domain: string): string =>
  hasCreators(version) ? `!${opaque(32)}` : `!${opaque(12)}:${domain}`

export class FakeRoom {
  readonly id: string
  readonly version: string
  readonly events: StoredEvent[] = []
  readonly typing = new Set<string>()
  /** The last read event of each user. */
  readonly receipts = new Map<string, string[]>()
  readonly #byId = new Map<string, StoredEvent>()
  readonly #state = new Map<string, StoredEvent>()
  readonly #members = new Map<string, string>()
  readonly #stored: (event: StoredEvent, room: FakeRoom) => void
  readonly #now: () => number

  constructor(id: string, version: string, now: () => number, stored: (event: StoredEvent, room: FakeRoom) => void) {
    this.id = id
    this.version = version
    this.#now = now
    this.#stored = stored
  }

  membership(user: string): string {
    return this.#members.get(user) ?? 'none'
  }

  members(membership: string): readonly string[] {
    return [...this.#members].flatMap(([user, is]) => (is === membership ? [user] : []))
  }

  state(type: string, key = ''): StoredEvent | undefined {
    return this.#state.get(`${type}\0${key}`)
  }

  allState(): readonly StoredEvent[] {
    return [...this.#state.values()]
  }

  event(id: string): StoredEvent | undefined {
    return this.#byId.get(id)
  }

  get power(): Power {
    return new Power(this.state('m.room.power_levels')?.content ?? {}, this.creators)
  }

  /** Empty before version 12: there creators have no power of their own. */
  get creators(): ReadonlySet<string> {
    const create = this.state('m.room.create')
    if (create === undefined || !hasCreators(this.version)) return new Set()
    const { additional_creators: more } = create.content
    return new Set([create.sender, ...(Array.isArray(more) ? (more as readonly string[]) : [])])
  }

  assertJoined(user: string): void {
    if (this.membership(user) !== 'join') throw forbidden(`User ${user} not in room ${this.id}`)
  }

  /** By the rules. Answers the event, or the one that says the same already. */
  add(event: NewEvent): StoredEvent {
    if (event.type === 'm.room.member') return this.#addMember(event)
    this.assertJoined(event.sender)
    const { power } = this
    const isState = event.state_key !== undefined
    if (power.of(event.sender) < power.toSend(event.type, isState))
      throw forbidden(`You don't have permission to post that to the room. (${event.type})`)
    if (isState && event.state_key.startsWith('@') && event.state_key !== event.sender)
      throw forbidden('You are not allowed to set others state')
    if (event.type === 'm.room.power_levels') {
      const wrong = power.wrongWith(event.content, event.sender)
      if (wrong !== undefined) throw wrong.status === 400 ? badRequest(wrong.words) : forbidden(wrong.words)
    }
    if (event.type === 'm.room.create') throw forbidden('There is one already')
    const before = isState ? this.state(event.type, event.state_key) : undefined
    if (before?.sender === event.sender && same(before.content, event.content)) return before
    return this.store(event)
  }

  redact(sender: string, redacts: string, reason: unknown, ts?: number): StoredEvent {
    const target = this.event(redacts)
    if (target === undefined) throw notFound(`Could not find event ${redacts}`)
    this.assertJoined(sender)
    const { power } = this
    if (target.sender !== sender && power.of(sender) < power.to('redact'))
      throw forbidden("You don't have permission to redact events")
    // Since version 11 what is redacted stands in the content; homeservers show it at the old place, too.
    const content = { ...(typeof reason === 'string' ? { reason } : {}), redacts }
    const event = this.store({
      type: 'm.room.redaction',
      sender,
      content,
      redacts,
      ...(ts === undefined ? {} : { ts }),
    })
    target.content = target.type === 'm.room.member' ? { membership: target.content['membership'] } : {}
    target.unsigned = { ...target.unsigned, redacted_because: event }
    return event
  }

  /** Without asking the rules: the first events of a room. */
  store(event: NewEvent): StoredEvent {
    const { ts = this.#now(), ...rest } = event
    const before = event.state_key === undefined ? undefined : this.state(event.type, event.state_key)
    const stored: StoredEvent = {
      ...rest,
      event_id: `$${opaque(32)}`,
      room_id: this.id,
      origin_server_ts: ts,
      unsigned: before === undefined ? {} : { prev_content: before.content, replaces_state: before.event_id },
    }
    this.events.push(stored)
    this.#byId.set(stored.event_id, stored)
    if (event.state_key !== undefined) {
      this.#state.set(`${event.type}\0${event.state_key}`, stored)
      if (event.type === 'm.room.member') this.#members.set(event.state_key, String(event.content['membership']))
    }
    this.#stored(stored, this)
    return stored
  }

  #addMember(event: NewEvent): StoredEvent {
    const { sender, state_key: target = '', content } = event
    const next = String(content['membership'])
    const now = this.membership(target)
    const before = this.state('m.room.member', target)
    if (before !== undefined && now === next && before.sender === sender && next !== 'join') return before
    const { power } = this
    const mayActOn = (action: 'ban' | 'kick'): boolean =>
      power.of(sender) >= power.to(action) && (sender === target || power.of(sender) > power.of(target))
    if (next === 'join') {
      if (sender !== target) throw forbidden('Cannot force another user to join.')
      if (now === 'ban') throw new MatrixError(403, 'M_BAD_STATE', 'Cannot join user who was banned')
      const open = this.state('m.room.join_rules')?.content['join_rule'] === 'public'
      if (now !== 'join' && now !== 'invite' && !open) throw forbidden('You are not invited to this room.')
      if (now === 'join' && before !== undefined && same(before.content, content)) return before
    } else if (next === 'leave' && sender === target) {
      if (now !== 'join' && now !== 'invite') throw forbidden(`${sender} not in room ${this.id}.`)
    } else {
      this.assertJoined(sender)
      if (next === 'invite') {
        if (now === 'ban') throw new MatrixError(403, 'M_BAD_STATE', 'Cannot invite user who was banned')
        if (now === 'join') throw forbidden(`${target} is already in the room.`)
        if (power.of(sender) < power.to('invite')) throw forbidden("You don't have permission to invite users")
      } else if (next === 'leave') {
        if (now === 'ban' && power.of(sender) < power.to('ban')) throw forbidden(`You cannot unban user ${target}.`)
        if (now === 'none' || now === 'leave') throw forbidden('The target user is not in the room')
        if (!mayActOn('kick')) throw forbidden(`You cannot kick user ${target}.`)
      } else if (next === 'ban') {
        if (!mayActOn('ban')) throw forbidden("You don't have permission to ban")
      } else throw badRequest(`no membership ${next}`, 'M_INVALID_PARAM')
    }
    return this.store(event)
  }
}

const same = (one: Content, other: Content): boolean => JSON.stringify(one) === JSON.stringify(other)
