/**
 * A homeserver with real HTTP on 127.0.0.1 and real rules for what the bridge uses, that fails on command. The same contract
 * test runs against it and against Synapse (test/kit/homeserver.test.ts).
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { badRequest, forbidden, MatrixError } from './homeserver/errors.ts'
import { Faults, type Failing, type FaultHandle, type Matcher } from './homeserver/faults.ts'
import { bodyOf, failure, isMedia, parse, safely, withRoomState } from './homeserver/http.ts'
import { CLIENT_DEVICE, FakePerson } from './homeserver/person.ts'
import { PresenceBoard } from './homeserver/presence.ts'
import { Pusher } from './homeserver/pusher.ts'
import { readRegistration, type Registration } from './homeserver/registration.ts'
import type { FakeRoom, StoredEvent } from './homeserver/room.ts'
import { Router, type Incoming } from './homeserver/router.ts'
import { accountRoutes } from './homeserver/routes-account.ts'
import { roomRoutes } from './homeserver/routes-room.ts'
import { HomeserverState, tableOf, type FakeUser } from './homeserver/state.ts'
import { Watch } from './watch.ts'

export interface FakeHomeserverOptions {
  readonly domain?: string
  /** Where it listens; by default a free port, which it keeps. */
  readonly port?: number
  /** Files, or what would be in them. */
  readonly registrations?: readonly (string | Registration)[]
  /** Of new rooms; 12 by default. */
  readonly roomVersion?: string
  /** It knows the presence `busy`. */
  readonly busy?: boolean
  /** Somebody who does nothing for so long is offline; by default never. */
  readonly presenceTimeoutMs?: number
  /** The first wait before a transaction is tried again; it doubles up to twentyfold. */
  readonly retryMs?: number
}

export interface LoggedRequest {
  readonly method: string
  /** Decoded, without the query. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly user: string
  readonly body: Readonly<Record<string, unknown>>
  /** 0: cut off. */
  readonly status: number
}

/** Requests that are remembered, the newest; counts go on. */
const REMEMBERED = 20_000

export class FakeHomeserver {
  readonly kind = 'fake'
  readonly domain: string
  readonly options: FakeHomeserverOptions
  readonly state: HomeserverState
  readonly presence: PresenceBoard
  readonly faults = new Faults()
  /** Told of everything that changes. */
  readonly watch = new Watch()
  readonly services: readonly Pusher[]
  readonly requests: LoggedRequest[] = []
  /** By `METHOD /pattern/of/:the/path`. */
  readonly counts = new Map<string, number>()
  readonly #router: Router
  readonly #sockets = new Set<Socket>()
  readonly #typingTimers = new Map<string, NodeJS.Timeout>()
  /** Who of a service is in a room, by `service room`. */
  readonly #present = new Map<string, Set<string>>()
  #server: Server | undefined
  #port: number

  private constructor(options: FakeHomeserverOptions) {
    this.options = options
    this.domain = options.domain ?? 'localhost'
    this.#port = options.port ?? 0
    const now = Date.now
    this.services = (options.registrations ?? []).map((given) => {
      const registration = typeof given === 'string' ? readRegistration(given) : given
      return new Pusher(registration, this.domain, options.retryMs ?? 50, () => this.watch.changed())
    })
    this.state = new HomeserverState({
      domain: this.domain,
      roomVersion: options.roomVersion ?? '12',
      now,
      stored: (event, room) => this.#stored(event, room),
    })
    this.presence = new PresenceBoard({
      busy: options.busy === true,
      ...(options.presenceTimeoutMs === undefined ? {} : { timeoutMs: options.presenceTimeoutMs }),
      now,
      changed: (user) => this.#presenceChanged(user),
    })
    this.#router = new Router([...roomRoutes(this), ...accountRoutes(this)])
    for (const { bot } of this.services) this.state.register(bot)
  }

  static async start(options: FakeHomeserverOptions = {}): Promise<FakeHomeserver> {
    const server = new FakeHomeserver(options)
    await server.up()
    return server
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** The one application service of most tests. */
  get service(): Pusher {
    const [service] = this.services
    if (service === undefined) throw new Error('the homeserver has no application service')
    return service
  }

  /** Until everything that happened was taken by all services. */
  async quiet(): Promise<void> {
    await this.watch.until(() => this.services.every(({ waiting }) => waiting === 0))
  }

  /** Somebody with an account, online. The same name again is the same person. */
  async person(name: string): Promise<FakePerson> {
    const id = `@${name}:${this.domain}`
    if (!this.state.users.has(id)) this.state.register(id)
    this.presence.set(this.state.user(id), CLIENT_DEVICE, 'online')
    return new FakePerson(this, id)
  }

  // What goes wrong on command.

  fail(matcher: Matcher, failing: Failing): FaultHandle {
    return this.faults.add(matcher, { kind: 'fail', failing }, failing.times)
  }

  cut(matcher: Matcher, when: 'before' | 'after', times = 1): FaultHandle {
    return this.faults.add(matcher, { kind: 'cut', when }, times)
  }

  /** Matching requests wait until the answer is called. */
  hold(matcher: Matcher): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const fault = this.faults.add(matcher, { kind: 'hold', released: promise.then(() => undefined) })
    return () => {
      fault.clear()
      resolve(undefined)
    }
  }

  /** Connections are refused, nothing is pushed; what was in memory only is lost, as when Synapse stops. */
  async down(): Promise<void> {
    for (const service of this.services) service.halt()
    for (const timer of this.#typingTimers.values()) clearTimeout(timer)
    this.#typingTimers.clear()
    this.presence.stop()
    this.state.forget()
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** On the same port as before. */
  async up(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => void this.#take(request, response))
    server.on('connection', (socket) => {
      socket.setNoDelay(true)
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
    for (const service of this.services) service.resume()
  }

  async restart(): Promise<void> {
    await this.down()
    await this.up()
  }

  /** The same as `down` and `stop`: there is nothing left to do politely. */
  async kill(): Promise<void> {
    await this.down()
  }

  async stop(): Promise<void> {
    await this.down()
  }

  // What the routes and people do besides the state.

  /** Asks the application service about somebody of its namespace who is invited and has no account yet. */
  async meet(user: string): Promise<void> {
    if (this.state.users.has(user)) return
    for (const service of this.services) {
      if (!service.owns(user)) continue
      await service.call('GET', `/_matrix/app/v1/users/${encodeURIComponent(user)}`).catch(() => undefined)
    }
  }

  async ping(service: Pusher, transaction: unknown): Promise<unknown> {
    const body = transaction === undefined ? {} : { transaction_id: transaction }
    const start = Date.now()
    const answer = await service.call('POST', '/_matrix/app/v1/ping', body).catch((error: unknown) => {
      throw new MatrixError(502, 'M_CONNECTION_FAILED', String(error))
    })
    if (answer.status !== 200) {
      const more = { status: answer.status, body: answer.body }
      throw new MatrixError(502, 'M_BAD_STATUS', `HTTP ${answer.status}`, more)
    }
    service.retryNow()
    return { duration_ms: Date.now() - start }
  }

  setProfile(user: string, field: string, value: unknown): void {
    this.state.setProfile(user, field, value)
    this.watch.changed()
  }

  setTyping(room: FakeRoom, user: string, typing: boolean, timeoutMs = 0): void {
    const key = `${room.id} ${user}`
    clearTimeout(this.#typingTimers.get(key))
    this.#typingTimers.delete(key)
    const before = room.typing.has(user)
    if (typing) room.typing.add(user)
    else room.typing.delete(user)
    if (typing && timeoutMs > 0) {
      this.#typingTimers.set(
        key,
        setTimeout(() => this.setTyping(room, user, false), timeoutMs),
      )
    }
    if (before !== typing)
      this.#ephemeral(room, { type: 'm.typing', room_id: room.id, content: { user_ids: [...room.typing] } })
    this.watch.changed()
  }

  setReceipt(room: FakeRoom, user: string, event: string): void {
    const read = room.receipts.get(user) ?? []
    if (read.at(-1) === event) return
    room.receipts.set(user, [...read, event])
    const content = { [event]: { 'm.read': { [user]: { ts: Date.now() } } } }
    this.#ephemeral(room, { type: 'm.receipt', room_id: room.id, content })
    this.watch.changed()
  }

  presenceContent({ presence: { presence, status, since } }: FakeUser): object {
    return {
      presence,
      ...(status === undefined ? {} : { status_msg: status }),
      ...(presence === 'online' ? { currently_active: true } : {}),
      last_active_ago: Date.now() - since,
    }
  }

  #presenceChanged(user: FakeUser): void {
    const rooms = this.state.joined(user.id)
    for (const service of this.services) {
      const sees = service.owns(user.id) || rooms.some((room) => this.serves(service, room))
      if (sees) service.pushEphemeral({ type: 'm.presence', sender: user.id, content: this.presenceContent(user) })
    }
    this.watch.changed()
  }

  #ephemeral(room: FakeRoom, event: object): void {
    for (const service of this.services) if (this.serves(service, room)) service.pushEphemeral(event)
  }

  /** Somebody of the service is in the room. */
  serves(service: Pusher, room: FakeRoom): boolean {
    return (this.#present.get(`${service.registration.id} ${room.id}`)?.size ?? 0) > 0
  }

  #stored(event: StoredEvent, room: FakeRoom): void {
    for (const service of this.services) {
      const key = `${service.registration.id} ${room.id}`
      const about = event.type === 'm.room.member' ? event.state_key : undefined
      const present = this.#present.get(key) ?? new Set<string>()
      const own = about !== undefined && service.owns(about)
      const before = present.size > 0
      if (own && event.content['membership'] === 'join') present.add(about)
      else if (own) present.delete(about)
      if (present.size > 0) this.#present.set(key, present)
      else this.#present.delete(key)
      if (!before && present.size === 0 && !own && !service.owns(event.sender)) continue
      service.push(own && event.content['membership'] === 'invite' ? withRoomState(event, room) : event)
    }
    this.watch.changed()
  }

  // Requests.

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET' } = request
    const url = new URL(request.url ?? '/', 'http://localhost')
    const raw = await bodyOf(request).catch(() => undefined)
    if (raw === undefined) {
      response.destroy()
      return
    }
    let user = ''
    let body = tableOf(undefined)
    let name = ''
    const done = (status: number, answer: Buffer | string, type = 'application/json'): void => {
      this.#log(
        { method, path: safely(url.pathname), query: Object.fromEntries(url.searchParams), user, body, status },
        name,
      )
      if (status === 0) request.socket.destroy()
      else response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(answer) }).end(answer)
      this.watch.changed()
    }
    try {
      const found = this.#router.find(method, url.pathname)
      if (url.pathname === '/health') {
        done(200, 'OK', 'text/plain')
        return
      }
      name = found === undefined ? `${method} ?` : `${method} ${found.route.path}`
      const who = this.#whoIs(request, url.searchParams, found === undefined || found.route.open)
      user = who.user
      const fault = this.faults.take({ method, path: safely(url.pathname), query: url.searchParams, user })
      if (fault?.kind === 'cut' && fault.when === 'before') {
        done(0, '')
        return
      }
      if (fault?.kind === 'fail' && fault.failing.when !== 'after') throw failure(fault.failing)
      if (fault?.kind === 'hold') await fault.released
      if (found === undefined) throw new MatrixError(404, 'M_UNRECOGNIZED', 'Unrecognized request')
      if (url.pathname !== '/_matrix/media/v3/upload') body = parse(raw)
      const incoming: Incoming = {
        ...who,
        params: found.params,
        query: url.searchParams,
        body,
        raw,
        headers: request.headers,
        path: url.pathname,
      }
      const answer = await found.route.handler(incoming)
      if (fault?.kind === 'fail') throw failure(fault.failing)
      if (fault?.kind === 'cut') done(0, '')
      else if (isMedia(answer)) done(200, answer.bytes, answer.type)
      else done(200, JSON.stringify(answer))
    } catch (error) {
      if (!(error instanceof MatrixError)) {
        done(500, JSON.stringify({ errcode: 'M_UNKNOWN', error: String(error) }))
        return
      }
      done(error.status, JSON.stringify({ errcode: error.errcode, error: error.message, ...error.more }))
    }
  }

  /** By the token, and for an application service by `user_id` and `device_id`. */
  #whoIs(
    request: IncomingMessage,
    query: URLSearchParams,
    open: boolean,
  ): Pick<Incoming, 'user' | 'device' | 'service'> {
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? query.get('access_token')
    const service = this.services.find(({ registration }) => registration.as_token === token)
    if (service === undefined) {
      const user = token === null ? undefined : this.state.tokens.get(token)
      if (user !== undefined) return { user, device: CLIENT_DEVICE }
      if (open) return { user: '' }
      throw token === null
        ? new MatrixError(401, 'M_MISSING_TOKEN', 'Missing access token')
        : new MatrixError(401, 'M_UNKNOWN_TOKEN', 'Invalid access token passed.', { soft_logout: false })
    }
    const user = query.get('user_id') ?? service.bot
    if (user !== service.bot && !service.owns(user))
      throw forbidden(`Application service cannot masquerade as this user (${user}).`)
    const known = this.state.users.get(user)
    if (known === undefined) throw forbidden(`Application service has not registered this user (${user})`)
    const device = query.get('device_id')
    if (device === null) return { user, service }
    if (!known.devices.has(device))
      throw badRequest("Application service trying to use a device that doesn't exist", 'M_UNKNOWN_DEVICE')
    return { user, service, device }
  }

  #log(request: LoggedRequest, name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
    this.requests.push(request)
    // Not at each request: a shift of a long list is slow.
    if (this.requests.length > 2 * REMEMBERED) this.requests.splice(0, REMEMBERED)
  }
}
