/** A small application service: remembers what the homeserver pushes, and asks it things. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { makeRegistration, type Registration } from './homeserver/registration.ts'
import { Watch } from './watch.ts'

export interface PushedEvent {
  readonly type: string
  readonly room_id?: string
  readonly event_id?: string
  readonly sender?: string
  readonly state_key?: string
  readonly origin_server_ts?: number
  readonly content: Readonly<Record<string, unknown>>
  readonly unsigned?: Readonly<Record<string, unknown>>
}

export interface PushedTransaction {
  readonly id: string
  readonly events: readonly PushedEvent[]
  readonly ephemeral: readonly PushedEvent[]
  /** Of the body. */
  readonly keys: readonly string[]
  /** Before it was parsed. */
  readonly bytes: number
  readonly authorization: string
}

export interface Asked {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

const PATIENCE_MS = 15_000

export class AppService {
  readonly registration: Registration
  /** All that came, those that were refused included. */
  readonly transactions: PushedTransaction[] = []
  readonly pings: unknown[] = []
  /** People that the homeserver asked about. */
  readonly askedAbout: string[] = []
  readonly watch = new Watch()
  /** The status with which a transaction is answered. */
  answer: (transaction: PushedTransaction) => number = () => 200
  /** Where the homeserver is. */
  homeserver = ''
  readonly #server: Server

  private constructor(server: Server, registration: Registration) {
    this.#server = server
    this.registration = registration
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#take(request, response))
  }

  static async start(domain = 'localhost'): Promise<AppService> {
    // Synapse keeps connections for two minutes, and a push over one that we closed before fails.
    const server = createServer({ keepAliveTimeout: 180_000 })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return new AppService(server, makeRegistration(`http://127.0.0.1:${port}`, domain))
  }

  /** Room events that were accepted, in order; those that came twice are here twice. */
  get events(): readonly PushedEvent[] {
    return this.transactions.filter((each) => this.answer(each) === 200).flatMap(({ events }) => events)
  }

  get ephemeral(): readonly PushedEvent[] {
    return this.transactions.flatMap(({ ephemeral }) => ephemeral)
  }

  /** Resolves with the first answer, asked again whenever something came. Rejects with the last that came. */
  async until<Result>(ask: () => Result | undefined | false): Promise<Result> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => reject(new Error(`it was not pushed; the last that was:\n${this.#words()}`)),
      PATIENCE_MS,
    )
    try {
      return await Promise.race([this.watch.until(ask), late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** The first room event that fits, pushed already or yet to come. */
  waitFor(fits: (event: PushedEvent) => boolean): Promise<PushedEvent> {
    return this.until(() => this.events.find(fits))
  }

  waitForEphemeral(fits: (event: PushedEvent) => boolean): Promise<PushedEvent> {
    return this.until(() => this.ephemeral.find(fits))
  }

  /** A request with the token of the service. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    query: Readonly<Record<string, string>> = {},
  ): Promise<Asked> {
    const search = new URLSearchParams(query).toString()
    const answer = await fetch(`${this.homeserver}${path}${search === '' ? '' : `?${search}`}`, {
      method,
      // A homeserver that was restarted knows no old connections.
      headers: { authorization: `Bearer ${this.registration.as_token}`, connection: 'close' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as Asked['body'] }
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #words(): string {
    const events = [...this.events.slice(-8), ...this.ephemeral.slice(-8)]
    return events.map((event) => `  ${JSON.stringify(event).slice(0, 300)}`).join('\n')
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const raw = Buffer.concat(chunks)
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const body = (raw.length === 0 ? {} : JSON.parse(raw.toString())) as Record<string, readonly PushedEvent[]>
    let status = 200
    const transaction = /^\/_matrix\/app\/v1\/transactions\/(.+)$/.exec(path)?.[1]
    const user = /^\/_matrix\/app\/v1\/users\/(.+)$/.exec(path)?.[1]
    if (transaction !== undefined) {
      const taken = {
        id: transaction,
        events: body['events'] ?? [],
        ephemeral: body['ephemeral'] ?? body['de.sorunome.msc2409.ephemeral'] ?? [],
        keys: Object.keys(body),
        bytes: raw.length,
        authorization: request.headers.authorization ?? '',
      }
      this.transactions.push(taken)
      status = this.answer(taken)
    } else if (user !== undefined) {
      this.askedAbout.push(decodeURIComponent(user))
      status = 404
    } else if (path === '/_matrix/app/v1/ping') this.pings.push(body['transaction_id'])
    else status = 404
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    this.watch.changed()
  }
}
