import { Buffer } from 'node:buffer'
import { parseAddress } from '../model/address.ts'
import type { Spoken } from '../model/spoken.ts'
import type { Person, SwitchboardEvent } from '../session/switchboard-server-events.ts'
import { SwitchboardServer } from '../session/switchboard-server.ts'
import type {
  Invitation,
  NotificationDesk,
  Participants,
  Resident,
  ServiceLimits,
  ServiceTimings,
  SignedIn,
  SwitchboardDesk,
} from './contract.ts'
import { Invitations } from './invitations.ts'
import { Seat } from './resident.ts'
import { Member, Room, sessionKey, type SwitchboardLine } from './room.ts'

/** Tries to find a session id that no room has. */
const SESSION_ATTEMPTS = 16

export interface SwitchboardsOptions {
  readonly notifications: NotificationDesk
  /** The service itself as a contact; `notifications` knows it, too. */
  readonly resident?: Resident
  /** As `Host.participants`. */
  readonly participants?: (email: string) => Participants | undefined
  readonly limits: ServiceLimits
  readonly timings: ServiceTimings
  /** host:port of the switchboard server as a client reaches it who reached us at that address; undefined: it is down. */
  readonly address: (reachedAt: string | undefined) => string | undefined
  /** Milliseconds; the same clock as the machines'. */
  readonly now: () => number
  /** Bytes that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array
}

/** What a connection tells the desk. */
export interface SwitchboardAttachment {
  event(event: SwitchboardEvent): void
  /** The system has taken so many bytes of what the line was given, on the scale of `line.queued`. */
  taken(total: number): void
  /** Exactly once, when the connection is over, whoever ended it. */
  closed(): void
}

type Asked = Extract<SwitchboardEvent, { kind: 'enter' | 'answer' }>

/** All rooms, and the ways into them. */
export class Switchboards implements SwitchboardDesk {
  readonly #options: SwitchboardsOptions
  /** By `sessionKey`. undefined: a room of one's own, which is made when somebody comes. */
  readonly #invitations: Invitations<Room | undefined>
  readonly #rooms = new Map<string, Room>()
  readonly #byPerson = new Map<string, Set<Member>>()
  readonly #lines = new Set<SwitchboardLine>()
  #messages = 0

  constructor(options: SwitchboardsOptions) {
    const { timings, random } = options
    this.#options = options
    this.#invitations = new Invitations({ lifetimeMs: timings.invitationMs, random })
  }

  /** Open conversations. */
  get rooms(): number {
    return this.#rooms.size
  }

  /** Messages relayed since the start. */
  get messages(): number {
    return this.#messages
  }

  /** The machine for a new connection. */
  machine(now: number): SwitchboardServer {
    const { limits, timings, random } = this.#options
    return new SwitchboardServer({ limits, timings, random }, now)
  }

  attach(line: SwitchboardLine): SwitchboardAttachment {
    let member: Member | undefined
    let spoken: Spoken | undefined
    const admitted = (found: Member): void => {
      member = found
    }
    this.#lines.add(line)
    return {
      event: (event) => {
        switch (event.kind) {
          case 'enter':
          case 'answer':
            this.#ask(line, event, admitted)
            break
          case 'call':
            if (member !== undefined) this.#call(member, event.trid, event.email)
            break
          case 'confirmed':
            member?.confirmed(event.count)
            break
          case 'sit':
            if (member !== undefined) this.#sit(member, event)
            break
          case 'speak':
            spoken = { email: event.email.toLowerCase(), payload: Uint8Array.from(event.payload) }
            break
          case 'message':
            if (member === undefined) break
            this.#messages++
            member.room.say(member, event.trid, event.ack, event.payload, spoken)
            spoken = undefined
            break
        }
      },
      taken: (total) => member?.taken(total),
      closed: () => {
        this.#lines.delete(line)
        if (member !== undefined) this.#leave(member)
      },
    }
  }

  open(email: string, now: number, beside = false): Invitation | undefined {
    const person = email.toLowerCase()
    const address = this.#options.address(this.#options.notifications.signedIn(person, beside)?.reachedAt)
    if (address === undefined) return undefined
    const ticket = this.#invitations.mint(sessionKey(person, beside), undefined, now)
    return ticket === undefined ? undefined : { address, ticket }
  }

  signedOut(email: string, beside = false): void {
    const person = email.toLowerCase()
    for (const room of this.#invitations.revokeAll(sessionKey(person, beside))) {
      room?.unring(person)
      room?.awaitsNoMore(person, beside)
    }
    for (const member of [...(this.#byPerson.get(person) ?? [])])
      if (member.beside === beside) member.line.send({ kind: 'end' })
  }

  /** OUT to everybody, those included who have not said who they are. */
  stop(): void {
    for (const line of [...this.#lines]) line.send({ kind: 'end' })
  }

  #ask(line: SwitchboardLine, asked: Asked, admitted: (member: Member) => void): void {
    const email = asked.email.toLowerCase()
    const now = this.#options.now()
    const own = this.#invitations.redeem(email, asked.ticket, now)
    const invitation = own ?? this.#invitations.redeem(sessionKey(email, true), asked.ticket, now)
    const signedIn = this.#session(email, own === undefined && invitation !== undefined)
    if (invitation === undefined || signedIn === undefined) {
      line.send({ kind: 'refused', code: 911 })
    } else if (this.#isFull(email)) {
      line.send({ kind: 'refused', code: 714 })
    } else {
      const room =
        asked.kind === 'enter' ? this.#ownRoom(invitation.room) : this.#roomOf(invitation.room, asked, signedIn)
      if (room === undefined) line.send({ kind: 'refused', code: 911 })
      else this.#admit(line, room, signedIn, admitted)
    }
  }

  /** A channel has as many as there are people who look at it. */
  #isFull(email: string): boolean {
    const { limits, participants } = this.#options
    const isChannel = participants?.(email) !== undefined
    return !isChannel && (this.#byPerson.get(email)?.size ?? 0) >= limits.switchboardsPerAccount
  }

  /** A ticket from XFR opens a new room; one from RNG does not. */
  #ownRoom(invited: Room | undefined): Room | undefined {
    return invited === undefined ? this.#newRoom() : undefined
  }

  /** The room that the ticket of an ANS leads to, if it is still there and has room for them. */
  #roomOf(
    room: Room | undefined,
    { session }: { readonly session: string },
    { email, beside = false }: SignedIn,
  ): Room | undefined {
    if (room === undefined || room.session !== session || this.#rooms.get(session) !== room) return undefined
    // They were called before the service itself was, or before somebody spoke for them.
    if (room.isClosed || room.seatedBy(email.toLowerCase()) !== undefined) return undefined
    return room.members.has(sessionKey(email.toLowerCase(), beside)) ||
      room.members.size >= this.#options.limits.roomMembers
      ? undefined
      : room
  }

  /** JOI to the others, then the answer to the newcomer, behind which whatever they sent ahead of it is read. */
  #admit(
    line: SwitchboardLine,
    room: Room,
    { email, name, dialect, clientId = 0, confirms = false, beside = false }: SignedIn,
    admitted: (member: Member) => void,
  ): void {
    const self = { email: email.toLowerCase(), name, clientId }
    const member = new Member(self, line, room, confirms, beside)
    const present = room.people.filter((other) => other.email !== self.email)
    const missed = room.enter(member)
    const own = this.#byPerson.get(self.email)
    if (own === undefined) this.#byPerson.set(self.email, new Set([member]))
    else own.add(member)
    admitted(member)
    line.send({ kind: 'admitted', self, dialect, present: [...present, ...room.seenBy(member)] })
    if (beside && room.expectsMessenger(self.email)) line.send({ kind: 'joined', person: self })
    for (const message of missed) member.give(message)
    // What is said to the service itself is for no other session.
    if (present.length > 0 && !room.isClosed)
      for (const { person, beside: side } of [...room.members.values()]) this.#bring(room, person, !side)
  }

  /** Somebody is inside: their other session, if there is one, is called as well. */
  #bring(room: Room, { email }: Person, beside: boolean): void {
    const { timings, now } = this.#options
    const at = now()
    const caller = room.people.find((other) => other.email !== email)
    const signedIn = this.#session(email, beside)
    if (caller === undefined || signedIn === undefined || signedIn.status === 'HDN') return
    if (!room.awaits(email, beside, at, at + timings.ringMs)) return
    this.#ringSession(room, signedIn, caller)
  }

  #ringSession(room: Room, { email, beside = false, reachedAt }: SignedIn, caller: Person): void {
    const address = this.#options.address(reachedAt)
    const ticket = this.#invitations.mint(sessionKey(email, beside), room, this.#options.now())
    if (address === undefined || ticket === undefined) return
    this.#options.notifications.ringSession(email, beside, { address, ticket, session: room.session, caller })
  }

  /** That session and no other one of the account. */
  #session(email: string, beside: boolean): SignedIn | undefined {
    const found = this.#options.notifications.signedIn(email, beside)
    return (found?.beside ?? false) === beside ? found : undefined
  }

  #call(member: Member, trid: string, email: string): void {
    const { notifications, limits, timings, now } = this.#options
    const { room, line, person, beside: side } = member
    const callee = email.toLowerCase()
    const at = now()
    const code = (): number | undefined => {
      if (callee === person.email || this.#isTaken(room, callee, at)) return 215
      if (room.isClosed) return 216
      if (notifications.signedIn(person.email, side)?.status === 'HDN') return 913
      if (room.expected(at) >= limits.roomMembers) return 713
      const shown = notifications.signedIn(callee)
      const address = this.#options.address(shown?.reachedAt)
      if (address === undefined) return 707
      if (shown?.resident === true) return this.#callResident(member, shown, at)
      const ticket = this.#invitations.mint(sessionKey(callee, shown?.beside ?? false), room, at)
      if (ticket === undefined) return 713
      const answer = notifications.ring(callee, { address, ticket, session: room.session, caller: person })
      if (answer === 'ringing') {
        const until = at + timings.ringMs
        const side = shown?.beside ?? false
        const other = this.#session(callee, !side)
        room.awaits(callee, side, at, until)
        if (other !== undefined && other.status !== 'HDN' && room.awaits(callee, !side, at, until))
          this.#ringSession(room, other, person)
        return undefined
      }
      this.#invitations.revoke(ticket)
      return answer
    }
    const refusal = code()
    if (refusal === undefined) {
      room.ring(callee, at + timings.ringMs)
      line.send({ kind: 'ringing', trid, session: room.session })
    } else line.send({ kind: 'error', trid, code: refusal })
  }

  #isTaken(room: Room, email: string, now: number): boolean {
    return room.has(email) || room.seatedBy(email) !== undefined || room.isRinging(email, now)
  }

  /** Somebody takes part through that member, or does no more. Only what is refused is answered. */
  #sit(member: Member, { trid, email, name }: Extract<SwitchboardEvent, { kind: 'sit' }>): void {
    const { room, line, person } = member
    const { participants, limits, now } = this.#options
    const granted = participants?.(person.email)
    const address = parseAddress(email, limits.addressBytes)
    const at = now()
    const code = (): number | undefined => {
      if (typeof address === 'number') return 208
      if (granted === undefined || room.isClosed || !address.endsWith(`@${granted.domain}`)) return 216
      if (room.seatedBy(address) === member) return undefined
      if (this.#isTaken(room, address, at)) return 215
      return room.seats(member) >= granted.most || room.expected(at) >= limits.roomMembers ? 713 : undefined
    }
    if (name === undefined) room.stand(member, email.toLowerCase())
    else {
      const refusal = code()
      if (refusal !== undefined) line.send({ kind: 'error', trid, code: refusal })
      else room.sit(member, { email: email.toLowerCase(), name: name === '' ? email : name, clientId: 0 })
    }
  }

  /** The service itself comes at once, and only to a person alone with it. */
  #callResident({ room, person, beside }: Member, self: SignedIn, now: number): 216 | 217 | undefined {
    const { resident } = this.#options
    if (resident === undefined || beside) return 217
    if (room.expected(now) > 1) return 216
    room.isClosed = true
    // After the answer to the call.
    queueMicrotask(() => {
      if (!room.has(person.email)) return
      const seat = new Seat(resident, () => this.#leave(member))
      const member = new Member({ email: self.email, name: self.name, clientId: 0 }, seat, room)
      seat.sit(member, person)
      room.enter(member)
    })
    return undefined
  }

  #leave(member: Member): void {
    const { room, person } = member
    room.leave(member)
    if (room.members.size === 0) this.#rooms.delete(room.session)
    const own = this.#byPerson.get(person.email)
    own?.delete(member)
    if (own?.size === 0) this.#byPerson.delete(person.email)
  }

  #newRoom(): Room | undefined {
    for (let attempt = 0; attempt < SESSION_ATTEMPTS; attempt++) {
      const session = String((Buffer.from(this.#options.random(4)).readUInt32LE(0) % 0x7fff_fffe) + 1)
      if (this.#rooms.has(session)) continue
      const room = new Room(session)
      this.#rooms.set(session, room)
      return room
    }
    return undefined
  }
}
