import { randomBytes } from 'node:crypto'
import net from 'node:net'
import type { Socket } from 'node:net'
import type { CloseReason } from '../../sansio/machine.ts'
import { TicketBook } from '../auth/tickets.ts'
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMINGS,
  type AccountRecord,
  type Host,
  type ServiceLimits,
  type ServiceNotice,
  type ServiceTimings,
} from '../service/contract.ts'
import { Notifications } from '../service/notification.ts'
import { forgetWatcher } from '../service/removal.ts'
import { Switchboards } from '../service/switchboards.ts'
import type { NsCommand, NsEvent } from '../session/notification-server-events.ts'
import type { SwitchboardCommand, SwitchboardEvent } from '../session/switchboard-server-events.ts'
import { serve, type Service } from './connection.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { DEFAULT_GATEWAY_LIMITS, HttpGateway } from './gateway.ts'
import { createGatewayServer, gatewayPages } from './gateway-pages.ts'
import { awaitFirstCommand } from './first-command.ts'
import { Listener, type ListenAddress } from './listener.ts'
import { createPassportServer } from './passport-server.ts'
import type { Listening, MsnServerOptions, ServerCounters } from './server-contract.ts'

/**
 * An MSN service: dispatch, notification and switchboard servers and the Passport login, for the accounts of a host.
 * `start` opens the listeners, `stop` tells everybody OUT SSD and closes them; it can be started again.
 */
export class MsnServer {
  readonly #options: MsnServerOptions
  readonly #limits: ServiceLimits
  readonly #timings: ServiceTimings
  readonly #now: () => number
  readonly #random: (bytes: number) => Uint8Array
  readonly #doorkeeper: Doorkeeper
  readonly #refused = new Map<string, number>()
  #signIns = 0
  #messages = 0
  #running: Running | undefined

  constructor(options: MsnServerOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings }
    this.#now = options.now ?? (() => Date.now())
    this.#random = options.random ?? ((bytes) => randomBytes(bytes))
    this.#doorkeeper = new Doorkeeper(this.#limits, this.#now)
  }

  /**
   * Rejects with a sentence that names the place and the remedy, e.g. when a port is taken; nothing listens then. Only
   * a port of the switchboards' own is waited for: a `failure` notice says so.
   */
  async start(): Promise<void> {
    this.#running ??= this.#build()
    const running = this.#running
    running.started ??= this.#open(running)
    await running.started
  }

  /** OUT SSD to everybody who is signed in; resolves when all connections are closed and changes under way are saved. */
  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    const { listeners, notifications, switchboards, gateway, silent, lines } = running
    this.#messages += switchboards.messages
    clearTimeout(running.reopening)
    const closed = listeners.all.map((listener) => listener.stop())
    const saved = notifications.stop()
    switchboards.stop()
    for (const socket of silent) socket.destroy()
    for (const line of lines) line.close()
    // After what everybody is told on the way out has been written.
    if (gateway !== undefined) setImmediate(() => gateway.stop())
    await saved
    await Promise.all(closed)
  }

  /** With real ports; undefined while it is stopped. */
  get listening(): Listening | undefined {
    return this.#running === undefined ? undefined : addressesOf(this.#running.listeners)
  }

  counters(): ServerCounters {
    const running = this.#running
    return {
      connections: this.#doorkeeper.connections,
      signedIn: running?.notifications.sessions ?? 0,
      tunnels: running?.gateway?.sessions ?? 0,
      rooms: running?.switchboards.rooms ?? 0,
      messages: this.#messages + (running?.switchboards.messages ?? 0),
      signIns: this.#signIns,
      refused: Object.fromEntries(this.#refused),
    }
  }

  isSignedIn(email: string): boolean {
    return this.#running?.notifications.signedIn(email.toLowerCase()) !== undefined
  }

  /** Its password was changed: its session and its tickets end. */
  disconnect(email: string): void {
    this.#running?.tickets.revoke(email)
    this.#running?.notifications.forget(email.toLowerCase())
  }

  /**
   * The account was removed: its session and its tickets end, and it leaves the others' lists of who has them. Call it
   * when the password is gone already. Rejects when the host cannot save.
   */
  async remove(record: AccountRecord): Promise<void> {
    const running = this.#running
    if (running === undefined) return forgetWatcher(record, this.#options.host)
    running.tickets.revoke(record.email)
    return running.notifications.erase(record)
  }

  async #open(running: Running): Promise<void> {
    const { all } = running.listeners
    try {
      for (const listener of all) {
        if (this.#running !== running) throw new Error('the MSN service was stopped while it started')
        if (listener === running.listeners.switchboard) await this.#openSwitchboards(running, listener)
        else await listener.start()
      }
    } catch (error) {
      if (this.#running === running) this.#running = undefined
      await Promise.all(all.map((listener) => listener.stop()))
      throw error
    }
  }

  /** While their port cannot be had, people see each other and get 707 when they want to talk; it is tried again. */
  async #openSwitchboards(running: Running, listener: Listener): Promise<void> {
    try {
      await listener.start()
      if (this.#running !== running) await listener.stop()
    } catch (error) {
      if (this.#running !== running) return
      const detail = error instanceof Error ? error.message : String(error)
      this.#options.host.onNotice?.({ kind: 'failure', detail })
      running.reopening = setTimeout(() => void this.#openSwitchboards(running, listener), this.#timings.reopenMs)
    }
  }

  #build(): Running {
    const { listen, public: names } = this.#options
    const limits = this.#limits
    const timings = this.#timings
    const now = this.#now
    const random = this.#random
    const host = this.#countingHost()
    const resident = this.#options.resident === undefined ? {} : { resident: this.#options.resident }
    const tickets = new TicketBook({ lifetimeMs: timings.ticketMs, random })
    const switchboards = new Switchboards({
      notifications: {
        ring: (callee, ring) => notifications.ring(callee, ring),
        ringSession: (email, beside, ring) => notifications.ringSession(email, beside, ring),
        signedIn: (email, beside) => notifications.signedIn(email, beside),
      },
      ...resident,
      participants: (email) => host.participants?.(email),
      limits,
      timings,
      now,
      random,
      address: (reachedAt) => {
        const own = (listeners.switchboard ?? listeners.notification).address
        return own === undefined ? undefined : hostPort(names?.switchboard ?? seen(own, reachedAt))
      },
    })
    const notifications: Notifications = new Notifications({
      host,
      tickets,
      switchboards,
      ...resident,
      limits,
      timings,
      now,
      random,
      addresses: {
        notification: ({ reachedAt }) =>
          hostPort(names?.notification ?? seen(listeners.notification.address ?? listen.notification, reachedAt)),
        own: ({ reachedAt, reachedPort = 0 }) => hostPort({ host: reachedAt ?? '127.0.0.1', port: reachedPort }),
      },
    })
    const running: Desks = { tickets, switchboards, notifications, silent: new Set(), lines: new Set() }
    const served: Served = {
      NS: this.#notificationService(running, 'NS'),
      DS: this.#notificationService(running, 'DS'),
      SB: this.#switchboardService(running),
    }
    const tcp = (what: string, where: ListenAddress, onSocket: (socket: Socket, since: number) => void): Listener =>
      this.#listener(what, where, net.createServer({ noDelay: true }), (socket) => onSocket(socket, now()))
    const gateway = this.#gateway(served)
    const listeners = allOf({
      notification: tcp(
        'the notification server',
        listen.notification,
        listen.switchboard === undefined
          ? (socket, since) => this.#tellApart(running, served, socket, since)
          : (socket, since) => serve(socket, served.NS, since),
      ),
      dispatch:
        listen.dispatch === undefined
          ? undefined
          : tcp('the dispatch server', listen.dispatch, (socket, since) => serve(socket, served.DS, since)),
      switchboard:
        listen.switchboard === undefined
          ? undefined
          : tcp('the switchboard server', listen.switchboard, (socket, since) => serve(socket, served.SB, since)),
      passport: this.#listener('the login page', listen.passport, this.#passportServer(host, tickets, gateway)),
      http:
        listen.http === undefined
          ? undefined
          : this.#listener('the HTTP gateway', listen.http, createGatewayServer(this.#onHttp(host), gateway)),
    })
    return { ...running, gateway, listeners, started: undefined, reopening: undefined }
  }

  #gateway({ NS, SB }: Served): HttpGateway | undefined {
    const { gateway, public: names } = this.#options
    if (gateway === undefined) return undefined
    const now = this.#now
    return new HttpGateway({
      limits: { ...DEFAULT_GATEWAY_LIMITS, ...gateway },
      doorkeeper: this.#doorkeeper,
      serve: { NS: (transport) => serve(transport, NS, now()), SB: (transport) => serve(transport, SB, now()) },
      publicName: names?.gateway,
      now,
      random: this.#random,
      onRefused: (reason) => this.#count(reason),
    })
  }

  #passportServer(host: Host, tickets: TicketBook, gateway: HttpGateway | undefined): net.Server {
    const { tls, legacyTls, public: names } = this.#options
    return createPassportServer({
      tls,
      legacyTls,
      others: gatewayPages(gateway, tls === 'plain'),
      host,
      tickets,
      ticketMs: this.#timings.ticketMs,
      publicName: names?.passport,
      now: this.#now,
      ...this.#onHttp(host),
    })
  }

  #onHttp(host: Host): { onNotice: (notice: ServiceNotice) => void; onRefused: (reason: string) => void } {
    return { onNotice: (notice) => host.onNotice?.(notice), onRefused: (reason) => this.#count(reason) }
  }

  #listener(what: string, where: ListenAddress, server: net.Server, onSocket?: (socket: Socket) => void): Listener {
    return new Listener({
      what,
      where,
      server,
      doorkeeper: this.#doorkeeper,
      onTurned: (reason, address) => {
        this.#count(reason)
        this.#options.host.onNotice?.({ kind: 'turned-away', detail: reason, address })
      },
      ...(onSocket === undefined ? {} : { onSocket }),
    })
  }

  /** Passes everything on and counts what goes by. */
  #countingHost(): Host {
    const { host } = this.#options
    return {
      verifyPassword: (email, password, address) => host.verifyPassword(email, password, address),
      load: (email) => host.load(email),
      save: (records) => host.save(records),
      participants: (email) => host.participants?.(email),
      introduce: (by, email) => host.introduce?.(by, email) ?? Promise.resolve('as-it-is'),
      onNotice: (notice) => {
        if (notice.kind === 'signed-in') this.#signIns++
        host.onNotice?.(notice)
      },
      onPresence: (seen) => host.onPresence?.(seen),
    }
  }

  #tellApart({ silent }: Desks, { NS, SB }: Served, socket: Socket, since: number): void {
    silent.add(socket)
    awaitFirstCommand(socket, {
      withinMs: this.#timings.signInMs,
      onKnown: (who) => {
        silent.delete(socket)
        if (who === 'switchboard') serve(socket, SB, since)
        else serve(socket, NS, since)
        socket.resume()
      },
      onNone: (why) => {
        silent.delete(socket)
        if (why === 'too long') {
          const reason: CloseReason = { kind: 'peer-violation', detail: 'a line that is too long' }
          this.#closed('NS', reason, socket.remoteAddress ?? '')
        } else if (why === 'timeout') this.#count('silent after connecting')
        socket.destroy()
      },
    })
  }

  #notificationService({ notifications, lines }: Desks, role: 'NS' | 'DS'): Service<NsCommand, NsEvent> {
    return {
      machine: (since) => notifications.machine(role, since),
      attach: (line) => {
        lines.add(line)
        return notifications.attach(line, role)
      },
      closed: (reason, line) => {
        lines.delete(line)
        this.#closed(role, reason, line.remoteAddress)
      },
      now: this.#now,
    }
  }

  #switchboardService({ switchboards }: Desks): Service<SwitchboardCommand, SwitchboardEvent> {
    return {
      machine: (since) => switchboards.machine(since),
      attach: (line) => switchboards.attach(line),
      closed: (reason, line) => this.#closed('SB', reason, line.remoteAddress),
      now: this.#now,
    }
  }

  /** One notice and one count for what an operator may want to act on. */
  #closed(where: 'DS' | 'NS' | 'SB', reason: CloseReason, address: string): void {
    if (reason.kind === 'peer-violation') {
      const { at, detail } = reason
      this.#count(detail)
      const notice: ServiceNotice = { kind: 'violation', where, detail, address }
      this.#options.host.onNotice?.(
        at === undefined ? notice : { ...notice, detail: `${detail} (${`${at.verb} ${at.length}`.trim()})` },
      )
    } else if (reason.kind === 'timeout') this.#count(`waited too long for ${reason.waitingFor}`)
  }

  #count(reason: string): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1)
  }
}

interface Desks {
  readonly tickets: TicketBook
  readonly switchboards: Switchboards
  readonly notifications: Notifications
  /** Connections on a shared port that have not said anything yet. */
  readonly silent: Set<Socket>
  /** Connections to the notification and the dispatch server. */
  readonly lines: Set<{ close(): void }>
}

interface Served {
  readonly NS: Service<NsCommand, NsEvent>
  readonly DS: Service<NsCommand, NsEvent>
  readonly SB: Service<SwitchboardCommand, SwitchboardEvent>
}

interface Listeners {
  readonly notification: Listener
  readonly dispatch: Listener | undefined
  readonly switchboard: Listener | undefined
  readonly passport: Listener
  readonly http: Listener | undefined
}

interface Running extends Desks {
  readonly gateway: HttpGateway | undefined
  readonly listeners: Listeners & { readonly all: readonly Listener[] }
  started: Promise<void> | undefined
  /** The switchboards' port could not be opened and is waited for. */
  reopening: NodeJS.Timeout | undefined
}

const allOf = (listeners: Listeners): Running['listeners'] => ({
  ...listeners,
  all: [listeners.notification, listeners.dispatch, listeners.switchboard, listeners.passport, listeners.http].filter(
    (listener) => listener !== undefined,
  ),
})

function addressesOf({ notification, dispatch, switchboard, passport, http }: Listeners): Listening | undefined {
  if (notification.address === undefined || passport.address === undefined) return undefined
  return {
    notification: notification.address,
    passport: passport.address,
    ...(dispatch?.address === undefined ? {} : { dispatch: dispatch.address }),
    ...(switchboard?.address === undefined ? {} : { switchboard: switchboard.address }),
    ...(http?.address === undefined ? {} : { http: http.address }),
  }
}

/** A listener as a client sees it who reached another one of ours at that address. */
const seen = (own: ListenAddress, reachedAt: string | undefined): ListenAddress => ({
  host: reachedAt ?? (isEverywhere(own.host) ? '127.0.0.1' : own.host),
  port: own.port,
})

const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::' || host === ''

const hostPort = ({ host, port }: ListenAddress): string => `${host.includes(':') ? `[${host}]` : host}:${port}`
