/** Where clients come in: who they are is found out, and everybody is led to where they belong. */
import type { Clock, Logger, Metrics } from '../../bridge/adapter.ts'
import type { UserId } from '../../bridge/model/ids.ts'
import type { CloseReason } from '../../sansio/machine.ts'
import { TokenBucket } from '../../sansio/rate.ts'
import type { Client, Desk } from './client.ts'
import type { IrcdEvent } from './machine/ircd-events.ts'
import type { UserResult, UsersPort } from './root/deps.ts'
import type { ClientPort } from './types.ts'
import type { Users } from './users.ts'
import type { ClientLine } from './wire/line.ts'

/** What the hall needs of the people who live here. */
export interface Residents {
  /** Ready to have clients attached. */
  load(user: UserId): Promise<Resident>
  /** They have left: everything that is kept of them is forgotten. A sentence: why that cannot be. Durable when it resolves. */
  forget(user: UserId): Promise<string | undefined>
}

export interface Resident {
  nick(): string
  readonly clients: ReadonlySet<ClientPort>
  /** They let several clients in at once. */
  maySeveral(): boolean
  /** `inControl`: as a stranger it is in the control channel already. */
  attach(client: Client, inControl: boolean): void
  /** `clean`: they said goodbye, so they have read what was sent. Twice is harmless. */
  detach(client: Client, clean: boolean): void
  confirmed(client: Client): void
}

export interface HallOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly users: Users
  readonly residents: Residents
  /** Somebody without an account is here. */
  readonly greet: (client: Client) => void
  readonly take: (client: Client, line: ClientLine) => void
  readonly limits: { readonly clientsPerPerson: number; readonly strangersPerAddress: number }
}

/** A client that is here. */
interface Guest {
  resident: Resident | undefined
  /** While it is found out who they are, what they say waits. */
  held: ClientLine[] | undefined
  registered: boolean
  /** It has come to an end: by QUIT, if nothing went wrong. */
  left: boolean
}

type Refused = Extract<UserResult, { kind: 'refused' }>

interface Led {
  readonly kind: 'led'
  readonly user: UserId
  readonly resident: Resident
}

/** In place of an address: they have come in already. */
const DROPPING = 'drop'
/** Accounts that one address may ask for: so many at once, then one a minute. */
export const NEW_ACCOUNTS = { burst: 20, intervalMs: 60_000 }
/** Addresses of which that is remembered. */
const MAX_PACES = 10_000
/** Lines of one client that wait while it is found out who they are. */
const MAX_HELD = 1_000

export class Hall implements Desk, UsersPort {
  readonly #options: HallOptions
  readonly #guests = new Map<Client, Guest>()
  /** The same as the others know them. */
  readonly #clients = new WeakMap<ClientPort, Client>()
  /** By address, the one that came first is first. */
  readonly #strangers = new Map<string, Set<Client>>()
  /** Accounts that an address asks for; the one that asked longest ago is first. */
  readonly #paces = new Map<string, TokenBucket>()

  constructor(options: HallOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#guests.size
  }

  now(): number {
    return this.#options.clock.now()
  }

  /** Called once for each connection, before anything is read from it. */
  enter(client: Client): void {
    this.#clients.set(client, client)
    this.#guests.set(client, { resident: undefined, held: undefined, registered: false, left: false })
    const strangers = this.#strangers.get(client.host) ?? new Set()
    this.#strangers.set(client.host, strangers)
    strangers.add(client)
    if (strangers.size <= this.#options.limits.strangersPerAddress) return
    const [oldest] = strangers
    this.#options.metrics.count('gateway_turned', { reason: 'strangers' })
    oldest?.close('Too many connections from your address that are not identified')
  }

  event(client: Client, event: IrcdEvent): void {
    const guest = this.#guests.get(client)
    if (guest === undefined) return
    switch (event.kind) {
      case 'credentials':
        void this.#admit(client, guest, event.account, event.password)
        return
      case 'registered':
        guest.registered = true
        if (guest.resident === undefined) this.#options.greet(client)
        else this.#attach(client, guest, guest.resident, false)
        return
      case 'line':
        client.active()
        if (guest.held === undefined) this.#options.take(client, event.line)
        else if (guest.held.length < MAX_HELD) guest.held.push(event.line)
        else client.close('Excess flood')
        return
      case 'confirmed':
        guest.resident?.confirmed(client)
        return
      case 'quit':
        guest.left = true
        return
      case 'caps':
        return
    }
  }

  closed(client: Client, reason: CloseReason): void {
    const guest = this.#guests.get(client)
    if (guest === undefined) return
    this.#guests.delete(client)
    this.#known(client)
    // A connection that broke ends with words of the machine, too; only QUIT is a goodbye.
    if (guest.registered) guest.resident?.detach(client, guest.left && reason.kind === 'done')
    this.#options.metrics.count('gateway_closed', { reason: reason.kind })
    if (reason.kind === 'peer-violation')
      this.#options.log.info({ address: client.host, detail: reason.detail }, 'an IRC client was closed')
  }

  async register(client: ClientPort, name: string, password: string): Promise<UserResult> {
    if (!this.#pace(client.host).take(this.now()))
      return {
        kind: 'refused',
        detail: 'Too many accounts were asked for from your address. Try again in a few minutes.',
      }
    const answer = await this.#options.users.register(name, password)
    return answer.kind === 'done' ? this.#become(client, answer.user) : answer
  }

  async identify(client: ClientPort, name: string, password: string): Promise<UserResult> {
    const answer = await this.#options.users.identify(name, password, client.host)
    return answer.kind === 'done' ? this.#become(client, answer.user) : answer
  }

  setPassword(user: UserId, password: string): Promise<UserResult> {
    return this.#options.users.setPassword(user, password)
  }

  async drop(user: UserId, password: string): Promise<UserResult> {
    const { users, residents } = this.#options
    // Not by address: nobody is kept from it by what others try.
    const answer = await users.identify(user, password, `${DROPPING} ${user}`)
    if (answer.kind !== 'done') return answer
    // In this order, so that a crash in between leaves an account that can be dropped again.
    const wrong = await residents.forget(user)
    if (wrong !== undefined) return { kind: 'refused', detail: wrong }
    await users.drop(user)
    for (const client of [...this.#guests.keys()])
      if (client.person?.user === user) client.close('The account was dropped')
    return answer
  }

  /** Everybody is told to go. */
  dismiss(reason: string): void {
    for (const client of [...this.#guests.keys()]) client.close(reason)
  }

  async #admit(client: Client, guest: Guest, account: string, password: string): Promise<void> {
    const led = await this.#options.users
      .identify(account, password, client.host)
      .then((found) => (found.kind === 'done' ? this.#lead(found.user) : found))
      .catch((error: unknown) => this.#failed(error))
    if (client.closed) return
    if (led.kind === 'refused') {
      client.command({ kind: 'rejected', detail: led.detail, retry: true })
      return
    }
    guest.resident = led.resident
    this.#known(client)
    client.command({ kind: 'authenticated', account: led.user, nick: '' })
  }

  #pace(address: string): TokenBucket {
    const known = this.#paces.get(address)
    const pace = known ?? new TokenBucket(NEW_ACCOUNTS, this.now())
    this.#paces.delete(address)
    const [oldest] = this.#paces.keys()
    if (this.#paces.size >= MAX_PACES && oldest !== undefined) this.#paces.delete(oldest)
    this.#paces.set(address, pace)
    return pace
  }

  /** A client that is registered already is identified now. */
  async #become(client: ClientPort, user: UserId): Promise<UserResult> {
    const own = this.#clients.get(client)
    const guest = own && this.#guests.get(own)
    if (own === undefined || guest === undefined) return GONE
    if (guest.resident !== undefined) return { kind: 'refused', detail: 'You are identified already.' }
    guest.held ??= []
    try {
      const led = await this.#lead(user)
      if (led.kind === 'refused') return led
      if (own.closed) return GONE
      this.#known(own)
      own.numeric('900', own.mask, user, `You are now logged in as ${user}`)
      if (own.caps.has('account-notify')) own.send({ source: own.mask, verb: 'ACCOUNT', params: [user] })
      this.#attach(own, guest, led.resident, true)
      return { kind: 'done', user }
    } catch (error) {
      return this.#failed(error)
    } finally {
      this.#release(own, guest)
    }
  }

  /** Whether there is room for one more client. */
  async #lead(user: UserId): Promise<Led | Refused> {
    const resident = await this.#options.residents.load(user)
    const { clientsPerPerson } = this.#options.limits
    if (resident.clients.size >= clientsPerPerson)
      return { kind: 'refused', detail: `${user} has ${clientsPerPerson} clients connected, and more are not allowed.` }
    if (resident.clients.size > 0 && !resident.maySeveral())
      return {
        kind: 'refused',
        detail: `${user} is connected already, and does not allow another client (set allow_takeover).`,
      }
    return { kind: 'led', user, resident }
  }

  #attach(client: Client, guest: Guest, resident: Resident, inControl: boolean): void {
    guest.resident = resident
    resident.attach(client, inControl)
    this.#release(client, guest)
  }

  #release(client: Client, guest: Guest): void {
    const held = guest.held ?? []
    guest.held = undefined
    for (const line of held) this.#options.take(client, line)
  }

  #known(client: Client): void {
    const strangers = this.#strangers.get(client.host)
    strangers?.delete(client)
    if (strangers?.size === 0) this.#strangers.delete(client.host)
  }

  #failed(error: unknown): Refused {
    this.#options.log.warn({ error: String(error) }, 'somebody could not be signed in to the gateway')
    return { kind: 'refused', detail: 'That cannot be looked up now. Try again later.' }
  }
}

const GONE: Refused = { kind: 'refused', detail: 'The connection is gone.' }
