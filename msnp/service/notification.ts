import { goingDownMessage } from '../model/content-types.ts'
import { parseAddress } from '../model/address.ts'
import type { NsEvent } from '../session/notification-server-events.ts'
import { NotificationServer, type NotificationServerOptions } from '../session/notification-server.ts'
import { encodeFrame } from '../wire/frame.ts'
import { Accounts } from './accounts.ts'
import { Changes, type Change } from './changes.ts'
import type {
  AccountRecord,
  Host,
  NotificationDesk,
  Resident,
  Ring,
  ServiceLimits,
  ServiceTimings,
  SignedIn,
  SwitchboardDesk,
  Tickets,
} from './contract.ts'
import type { Attachment, Line } from './line.ts'
import { formsOf } from './forms.ts'
import { allows } from './lists.ts'
import { loginPolicy, welcomeProfile } from './login.ts'
import { Online } from './online.ts'
import { nameWord } from './name-word.ts'
import { announce, tellBesideGone, vanish } from './presence.ts'
import { Requests } from './requests.ts'
import { watchedBy, withoutWatcher } from './removal.ts'
import { residentOnline } from './resident.ts'
import { Serial } from './serial.ts'

export type { Attachment, Line } from './line.ts'

/** host:port as clients should see them. */
export interface NotificationAddresses {
  /** Where a dispatch listener sends this client. */
  notification(line: Line): string
  /** The listener that the line came in on, for the last word of `XFR .. NS`. */
  own(line: Line): string
}

export interface NotificationDeps {
  readonly host: Host
  readonly tickets: Tickets
  readonly switchboards: SwitchboardDesk
  readonly limits: ServiceLimits
  readonly timings: ServiceTimings
  readonly addresses: NotificationAddresses
  /** The service itself as a contact. */
  readonly resident?: Pick<Resident, 'record'>
  /** A web page of the service, named in CVR and URL. */
  readonly site?: string
  /** Milliseconds since 1970; the same clock as the machines'. */
  readonly now: () => number
  /** So many bytes that nobody can guess. */
  random(bytes: number): Uint8Array
}

/** Requests of one connection that wait for their turn; more close it. */
export const MAX_WAITING_REQUESTS = 1_000

/** Lists, presence and rings of everybody who is signed in. */
export class Notifications implements NotificationDesk {
  readonly #deps: NotificationDeps
  readonly #accounts: Accounts
  readonly #changes: Changes
  readonly #requests: Requests
  readonly #serial = new Serial()
  readonly #machines: Readonly<Record<'NS' | 'DS', NotificationServerOptions>>
  #stopping = false

  constructor(deps: NotificationDeps) {
    const { host, limits, timings, switchboards, now, site = 'http://messenger.msn.com' } = deps
    const random = (bytes: number): Uint8Array => deps.random(bytes)
    this.#deps = deps
    this.#accounts = new Accounts(host, deps.resident && residentOnline(deps.resident.record))
    this.#changes = new Changes(this.#accounts, limits)
    this.#requests = new Requests({ accounts: this.#accounts, switchboards, limits, now })
    this.#machines = {
      NS: { role: 'NS', limits, timings, site, random },
      DS: { role: 'DS', limits, timings, site, random },
    }
  }

  /** The machine for a new connection. `DS`: it sends people on to the notification server. */
  machine(role: 'NS' | 'DS', now: number): NotificationServer {
    return new NotificationServer(this.#machines[role], now)
  }

  /** A connection whose machine's events go to the attachment, and whose machine takes what the line is sent. */
  attach(line: Line, role: 'NS' | 'DS' = 'NS'): Attachment {
    return new Connection(this, line, role)
  }

  ring(callee: string, { session, address, ticket, caller }: Ring): 'ringing' | 208 | 216 | 217 {
    const email = parseAddress(callee, this.#deps.limits.addressBytes)
    if (typeof email === 'number') return 208
    const online = this.#accounts.online(email)
    if (online?.isVisible !== true) return 217
    if (!allows(online.record, caller.email)) return 216
    online.push(encodeFrame('RNG', [session, address, 'CKI', ticket, caller.email, nameWord(caller)]))
    return 'ringing'
  }

  ringSession(email: string, beside: boolean, { session, address, ticket, caller }: Ring): void {
    this.#accounts
      .session(email, beside)
      ?.push(encodeFrame('RNG', [session, address, 'CKI', ticket, caller.email, nameWord(caller)]))
  }

  signedIn(email: string, which?: boolean): SignedIn | undefined {
    const key = email.toLowerCase()
    const online = which === undefined ? this.#accounts.online(key) : this.#accounts.session(key, which)
    if (online === undefined) return undefined
    const { record, dialect, presence, line, confirms, beside, resident } = online
    const status = presence?.status ?? 'HDN'
    const name = record.name === '' ? record.email : record.name
    const clientId = Number(presence?.clientId ?? 0)
    const person = { email: record.email, name, dialect, status, clientId, confirms, beside, resident }
    return line.reachedAt === undefined ? person : { ...person, reachedAt: line.reachedAt }
  }

  /** People who are signed in. */
  get sessions(): number {
    return this.#accounts.size
  }

  /** Tells everybody that the service goes down in so many minutes. */
  announce(minutes: number): void {
    const bytes = encodeFrame('MSG', ['Hotmail', 'Hotmail'], goingDownMessage(minutes))
    for (const online of this.#accounts.all()) online.push(bytes)
  }

  /** `OUT SSD` to everybody, then waits for the changes under way. Nobody gets in any more. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const { line } of [...this.#accounts.all()]) line.send({ kind: 'out', why: 'SSD' })
    await this.#serial.idle()
  }

  /** Resolves when no request is under way. */
  idle(): Promise<void> {
    return this.#serial.idle()
  }

  /** The account was changed or removed behind our back: whoever is signed in must come again. */
  forget(email: string): void {
    this.#accounts.forget(email)
    for (const { line } of this.#accounts.sessions(email)) line.send({ kind: 'out' })
  }

  /** The account is about to go: ends its session and takes it off the others' RL. Rejects when the store fails. */
  async erase(record: AccountRecord): Promise<void> {
    const { email } = record
    this.forget(email)
    await new Promise<void>((resolve, reject) => {
      this.#serial.run([email, ...watchedBy(record)], async () => {
        try {
          const others = await withoutWatcher(record, (other) => this.#accounts.read(other))
          if (others.length > 0) await this.#accounts.commit(others)
          for (const other of others) {
            for (const session of this.#accounts.sessions(other.email)) {
              const { verb, words } = formsOf(session.dialect).unwatched(other, email)
              session.push(encodeFrame(verb, [0, ...words]))
            }
          }
          resolve()
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      })
    })
  }

  /** For `Connection`: `USR TWN I`. */
  identify(line: Line, role: 'NS' | 'DS', { trid, email }: Extract<NsEvent, { readonly kind: 'identify' }>): void {
    const { addresses, now } = this.#deps
    if (this.#stopping) line.send({ kind: 'out', why: 'SSD' })
    else if (role === 'DS') {
      line.send({ kind: 'redirect', trid, to: addresses.notification(line), own: addresses.own(line) })
    } else if (this.#isFull(email)) this.#refuse(line, trid, email, 600)
    else line.send({ kind: 'policy', trid, policy: loginPolicy(now(), this.#deps.random(16)) })
  }

  /** For `Connection`: `USR TWN S`. `admit` takes the session unless the client is gone by then. */
  prove(
    line: Line,
    { trid, email, dialect, ticket, ...more }: Extract<NsEvent, { readonly kind: 'prove' }>,
    admit: (online: Online) => boolean,
  ): void {
    const { tickets, now } = this.#deps
    const beside = more.beside === true
    if (this.#stopping) line.send({ kind: 'out', why: 'SSD' })
    else if (this.#isFull(email, beside)) this.#refuse(line, trid, email, 910)
    else if (!tickets.redeem(email, ticket, now())) this.#refuse(line, trid, email, 911)
    else {
      this.#serial.run([email], async () => {
        try {
          const record = await this.#accounts.read(email)
          if (record === undefined) this.#refuse(line, trid, email, 911)
          else if (this.#isFull(email, beside)) this.#refuse(line, trid, email, 910)
          else {
            const online = new Online(line, dialect, record, beside ? 'beside' : 'messenger')
            if (!admit(online)) return
            this.#enter(online)
            line.send({
              kind: 'welcome',
              trid,
              email,
              name: record.name || email,
              profile: welcomeProfile(ticket, line, dialect, now(), this.#deps.host.participants?.(email)?.most),
            })
          }
        } catch (error) {
          this.#failed(error)
          this.#refuse(line, trid, email, 500)
        }
      })
    }
  }

  /** For `Connection`: what a signed-in client asks. */
  request(
    connection: Connection,
    online: Online,
    event: Exclude<NsEvent, { readonly kind: 'identify' | 'prove' }>,
  ): void {
    switch (event.kind) {
      case 'add':
      case 'remove':
      case 'settle':
      case 'rename':
      case 'own-name':
      case 'personal':
      case 'add-group':
      case 'rename-group':
      case 'remove-group':
      case 'phone':
      case 'privacy':
      case 'prompt':
        this.#change(connection, online, event)
        return
      case 'in-turn':
        this.#serial.run([online.email], () => {
          connection.began()
          online.push(event.bytes)
          return undefined
        })
        return
      case 'sync':
      case 'list':
      case 'groups':
      case 'status':
      case 'switchboard':
      case 'confirms':
      case 'shields':
        this.#serial.run([online.email], () => {
          connection.began()
          if (connection.isClosed) return undefined
          return this.#guarded(online, event.trid, () => this.#requests.answer(online, event))
        })
    }
  }

  /** For `Connection`: it is over. */
  left(online: Online): void {
    const shown = this.#accounts.online(online.email)
    if (this.#accounts.leave(online)) this.#gone(online, shown)
  }

  /** A change waits for all accounts that it touches; if meanwhile there are more of them, it waits anew. */
  #change(connection: Connection, online: Online, change: Change): void {
    const held = this.#changes.accountsOf(online.record, change)
    this.#serial.run(held, () => {
      connection.began()
      return this.#guarded(online, change.trid, async () => {
        const record = await this.#accounts.read(online.email)
        if (record === undefined) {
          online.line.send({ kind: 'error', code: 500, trid: change.trid })
        } else if (this.#changes.accountsOf(record, change).every((email) => held.includes(email))) {
          await this.#changes.make(online, record, change)
        } else {
          online.record = record
          connection.waits()
          this.#change(connection, online, change)
        }
      })
    })
  }

  /** What goes wrong in the store, or in us, is 500 to the client. */
  #guarded(online: Online, trid: string, work: () => Promise<void> | undefined): Promise<void> | undefined {
    const failed = (error: unknown): void => {
      this.#failed(error)
      online.line.send({ kind: 'error', code: 500, trid })
    }
    try {
      return work()?.catch(failed)
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  #enter(online: Online): void {
    const before = this.#accounts.session(online.email, online.beside)
    if (before !== undefined) {
      const shown = this.#accounts.online(online.email)
      this.#accounts.leave(before)
      this.#gone(before, shown)
      before.line.send({ kind: 'out', why: 'OTH' })
    }
    this.#accounts.enter(online)
    this.#notice(online, 'signed-in')
  }

  /** `shown`: by which session others saw them until now. */
  #gone(online: Online, shown: Online | undefined): void {
    const left = this.#accounts.online(online.email)
    if (shown === online) {
      if (left?.isVisible === true && !this.#stopping)
        announce(this.#accounts, left, online.isVisible ? 'seen' : 'unseen')
      else if (online.isVisible) vanish(this.#accounts, online, this.#stopping ? 'quietly' : 'to all')
    }
    if (!online.beside && online.presence !== undefined && !this.#stopping) tellBesideGone(this.#accounts, online.email)
    online.presence = undefined
    this.#deps.switchboards.signedOut(online.email, online.beside)
    this.#notice(online, 'signed-out')
  }

  /** Whether one more is too many; whoever takes the place of an older session of their own is not. */
  #isFull(email: string, beside = false): boolean {
    return this.#accounts.size >= this.#deps.limits.sessions && this.#accounts.session(email, beside) === undefined
  }

  #refuse(line: Line, trid: string, email: string, code: number): void {
    this.#deps.host.onNotice?.({ kind: 'refused', email, code, address: line.remoteAddress })
    line.send({ kind: 'refuse', code, trid })
  }

  #failed(error: unknown): void {
    this.#deps.host.onNotice?.({ kind: 'failure', detail: error instanceof Error ? error.message : String(error) })
  }

  #notice({ email, dialect, line }: Online, kind: 'signed-in' | 'signed-out'): void {
    this.#deps.host.onNotice?.({ kind, email, dialect, address: line.remoteAddress })
  }
}

/** One connection from its first byte to its last. */
class Connection implements Attachment {
  readonly #desk: Notifications
  readonly #line: Line
  readonly #role: 'NS' | 'DS'
  #online: Online | undefined
  #waiting = 0
  isClosed = false

  constructor(desk: Notifications, line: Line, role: 'NS' | 'DS') {
    this.#desk = desk
    this.#line = line
    this.#role = role
  }

  event(event: NsEvent): void {
    if (event.kind === 'identify') this.#desk.identify(this.#line, this.#role, event)
    else if (event.kind === 'prove') {
      this.#desk.prove(this.#line, event, (online) => {
        if (this.isClosed) return false
        this.#online = online
        return true
      })
    } else if (this.#online !== undefined) {
      this.waits()
      if (this.#waiting > MAX_WAITING_REQUESTS) {
        this.#line.close({ kind: 'peer-violation', detail: 'too many requests wait for an answer' })
      } else this.#desk.request(this, this.#online, event)
    }
  }

  /** A request takes its place in the queue. */
  waits(): void {
    this.#waiting++
  }

  /** A request's turn has come. */
  began(): void {
    this.#waiting--
  }

  closed(): void {
    if (this.isClosed) return
    this.isClosed = true
    if (this.#online !== undefined) this.#desk.left(this.#online)
  }
}
