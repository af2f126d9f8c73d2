import type { Spoken } from '../model/spoken.ts'
import { relayedMessage, relayPrefix } from '../session/relay.ts'
import type { AckType, Person, SwitchboardCommand } from '../session/switchboard-server-events.ts'

/** One client's switchboard connection: `drive()` around a `SwitchboardServer` machine. */
export interface SwitchboardLine {
  send(command: SwitchboardCommand): void
  /** Bytes given to the connection since it began; `taken` counts on the same scale. */
  readonly queued: number
}

/** A message on its way to the others. */
interface Delivery {
  readonly from: Member
  readonly trid: string
  readonly ack: AckType
  /** Whoever has not taken it yet. */
  waiting: number
  reached: boolean
}

interface Pending {
  /** Bytes of the line, or messages for a member that confirms. */
  readonly upTo: number
  readonly delivery: Delivery
}

/** Messages of one member that may wait to be confirmed; with more, the oldest counts as not received. */
export const MAX_UNCONFIRMED = 4_096

/** What is said while the other session of somebody inside is on its way, messages; of more, the oldest is missed there. */
export const MAX_AWAITED = 64

/** A session of an account: that of the Messenger, or the one beside it. An address has no blank. */
export const sessionKey = (email: string, beside: boolean): string => (beside ? `${email} beside` : email)

/** A session that was called: once another one of the account is inside, it gets what is said until it comes. */
interface Awaited {
  readonly email: string
  readonly beside: boolean
  readonly until: number
  readonly said: SwitchboardCommand[]
}

/** Somebody who takes part through the connection of a member. */
interface Seated {
  readonly person: Person
  readonly by: Member
  readonly prefix: string
}

/** Somebody in a room, through one connection. */
export class Member {
  /** `email` in lower case. */
  readonly person: Person
  readonly line: SwitchboardLine
  readonly room: Room
  readonly prefix: string
  /** It stands beside the person's Messenger. */
  readonly beside: boolean
  readonly #confirms: boolean
  /** Messages that this member's connection has been given. */
  #given = 0
  /** Those of them that it has not taken, or not confirmed, oldest first. */
  #pending: Pending[] = []

  /** `confirms`: a message counts as received when the client says that it is stored, not when the system has its bytes. */
  constructor(person: Person, line: SwitchboardLine, room: Room, confirms = false, beside = false) {
    this.#confirms = confirms
    this.beside = beside
    this.person = person
    this.line = line
    this.room = room
    this.prefix = relayPrefix(person)
  }

  get key(): string {
    return sessionKey(this.person.email, this.beside)
  }

  /** What somebody said. `delivery` learns when it has arrived; without it, and for U, nobody waits. */
  give(message: SwitchboardCommand, delivery?: Delivery): void {
    this.line.send(message)
    this.#given++
    if (delivery === undefined || delivery.ack === 'U') return
    delivery.waiting += 1
    this.#pending.push({ upTo: this.#confirms ? this.#given : this.line.queued, delivery })
    if (this.#confirms && this.#pending.length > MAX_UNCONFIRMED) {
      const oldest = this.#pending.shift()
      if (oldest !== undefined) settle(oldest.delivery, false)
    }
  }

  /** The system has taken so many bytes of what was given to the line. */
  taken(total: number): void {
    if (!this.#confirms) this.#received(total)
  }

  /** The client has stored so many of the messages that it was given. */
  confirmed(count: number): void {
    if (this.#confirms) this.#received(Math.min(count, this.#given))
  }

  #received(total: number): void {
    const pending = this.#pending
    let count = 0
    while (count < pending.length && (pending[count]?.upTo ?? 0) <= total) count++
    if (count === 0) return
    this.#pending = count === pending.length ? [] : pending.slice(count)
    for (let index = 0; index < count; index++) {
      const delivery = pending[index]?.delivery
      if (delivery !== undefined) settle(delivery, true)
    }
  }

  /** The line is gone, and with it what it had not taken. */
  lost(): void {
    const pending = this.#pending
    this.#pending = []
    for (const { delivery } of pending) settle(delivery, false)
  }
}

/** One party less to wait for. */
function settle(delivery: Delivery, took: boolean): void {
  delivery.waiting -= 1
  if (took) delivery.reached = true
  if (delivery.waiting > 0) return
  const { from, trid, ack, reached } = delivery
  if (reached ? ack !== 'U' && ack !== 'N' : ack !== 'U' && ack !== 'S')
    from.line.send({ kind: reached ? 'ack' : 'nak', trid })
}

/** One conversation: who is in it, who was called, and what is said. */
export class Room {
  /** Decimal, below 2^31. */
  readonly session: string
  /** By `sessionKey`. */
  readonly members = new Map<string, Member>()
  /** The service itself is in it, with one person: nobody else comes in. */
  isClosed = false
  /** Who was called and may still come: until when a second CAL gives 215. */
  readonly #ringing = new Map<string, number>()
  /** By `sessionKey`. */
  readonly #awaited = new Map<string, Awaited>()
  /** By address. Whoever stands beside a Messenger does not see them. */
  readonly #seated = new Map<string, Seated>()

  constructor(session: string) {
    this.session = session
  }

  /**
   * They come in; the others learn of it, unless they were there through another session. Gives what was said while they
   * were on their way.
   */
  enter(member: Member): readonly SwitchboardCommand[] {
    const { person } = member
    this.#ringing.delete(person.email)
    if (!this.has(person.email)) for (const other of this.members.values()) other.line.send({ kind: 'joined', person })
    this.members.set(member.key, member)
    const awaited = this.#awaited.get(member.key)
    this.#awaited.delete(member.key)
    return awaited?.said ?? []
  }

  /**
   * The other session of the same person goes with it: else the people inside would go on talking to a window that is
   * closed. Whoever speaks next calls both again.
   */
  leave(member: Member): void {
    if (this.members.get(member.key) !== member) return
    const { email } = member.person
    this.members.delete(member.key)
    for (const { person, by } of [...this.#seated.values()]) if (by === member) this.stand(member, person.email)
    for (const key of [sessionKey(email, true), sessionKey(email, false)]) this.#awaited.delete(key)
    const twin = [...this.members.values()].find(({ person }) => person.email === email)
    if (twin === undefined) for (const other of this.members.values()) other.line.send({ kind: 'left', email })
    else twin.line.send({ kind: 'end' })
    member.lost()
  }

  /** Through whatever session. */
  has(email: string): boolean {
    return this.members.has(email) || this.members.has(sessionKey(email, true))
  }

  /** Somebody takes part through a member, or has another name from now on. */
  sit(by: Member, person: Person): void {
    const known = this.#seated.has(person.email)
    this.#seated.set(person.email, { person, by, prefix: relayPrefix(person) })
    if (!known) this.#tellOfSeated(by, { kind: 'joined', person })
  }

  stand(by: Member, email: string): void {
    if (this.#seated.get(email)?.by !== by) return
    this.#seated.delete(email)
    this.#tellOfSeated(by, { kind: 'left', email })
  }

  /** Through whom they take part. */
  seatedBy(email: string): Member | undefined {
    return this.#seated.get(email)?.by
  }

  /** Who takes part through others, as somebody who comes in sees it. */
  seenBy(member: Member): readonly Person[] {
    return member.beside ? [] : Array.from(this.#seated.values(), ({ person }) => person)
  }

  seats(by: Member): number {
    return [...this.#seated.values()].filter((seated) => seated.by === by).length
  }

  #tellOfSeated(by: Member, command: SwitchboardCommand): void {
    for (const other of this.members.values()) if (other !== by && !other.beside) other.line.send(command)
  }

  /** Everybody once. */
  get people(): readonly Person[] {
    return [...new Map(Array.from(this.members.values(), ({ person }) => [person.email, person] as const)).values()]
  }

  /** That session is called. `false`: it was already, or is here. */
  awaits(email: string, beside: boolean, now: number, until: number): boolean {
    const key = sessionKey(email, beside)
    if (this.members.has(key) || (this.#awaited.get(key)?.until ?? now) > now) return false
    this.#awaited.set(key, { email, beside, until, said: [] })
    if (!beside) this.#tellOfMessenger(email, 'joined')
    return true
  }

  /** It was called and has signed out instead. */
  awaitsNoMore(email: string, beside: boolean): void {
    if (this.#awaited.delete(sessionKey(email, beside)) && !beside) this.#tellOfMessenger(email, 'left')
  }

  /** Their Messenger is here, or on its way and will get what is said. */
  expectsMessenger(email: string): boolean {
    return this.members.has(email) || this.#awaited.has(email)
  }

  /** The session beside a Messenger knows what is the Messenger's to answer. Nobody else hears of it. */
  #tellOfMessenger(email: string, kind: 'joined' | 'left'): void {
    const twin = this.members.get(sessionKey(email, true))
    twin?.line.send(kind === 'joined' ? { kind, person: twin.person } : { kind, email })
  }

  /**
   * The same bytes for everybody else, or those of `spoken` for whoever sees the one who says it. ACK waits until all have taken
   * (or confirmed) them; into an empty room it is NAK.
   */
  say(from: Member, trid: string, ack: AckType, payload: Uint8Array, spoken?: Spoken): void {
    const delivery: Delivery = { from, trid, ack, waiting: 1, reached: false }
    if (this.members.size > 1 || this.#awaited.size > 0) {
      const relay: SwitchboardCommand = { kind: 'relay', bytes: relayedMessage(from.prefix, payload) }
      const seated = spoken === undefined ? undefined : this.#seated.get(spoken.email)
      const own: SwitchboardCommand =
        spoken === undefined || seated?.by !== from
          ? relay
          : { kind: 'relay', bytes: relayedMessage(seated.prefix, spoken.payload) }
      for (const member of this.members.values()) {
        if (member === from) continue
        // What one's own other session has is no receipt.
        member.give(member.beside ? relay : own, member.person.email === from.person.email ? undefined : delivery)
      }
      for (const { email, beside, said } of this.#awaited.values()) {
        // Who is not here at all is missing, and not late.
        if (!this.has(email)) continue
        said.push(beside ? relay : own)
        if (said.length > MAX_AWAITED) said.shift()
      }
    }
    settle(delivery, false)
  }

  ring(email: string, until: number): void {
    this.#ringing.set(email, until)
  }

  unring(email: string): void {
    this.#ringing.delete(email)
  }

  isRinging(email: string, now: number): boolean {
    const until = this.#ringing.get(email)
    if (until === undefined) return false
    if (until > now) return true
    this.#ringing.delete(email)
    return false
  }

  /** Those inside and those who are still ringing. */
  expected(now: number): number {
    let ringing = 0
    for (const email of this.#ringing.keys()) if (this.isRinging(email, now)) ringing++
    return this.members.size + this.#seated.size + ringing
  }
}
