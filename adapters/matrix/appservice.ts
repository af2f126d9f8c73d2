/**
 * The listener to which the homeserver brings events. It answers 200 to a transaction when the intake has it on disk, and
 * not before. Tokens are compared in constant time and never logged.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Logger } from '../../bridge/adapter.ts'

/** Homeservers put up to a hundred events into one transaction, and each may have 64 KiB; some send more. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024
/** Longer than homeservers keep an unused connection, so that none meets our closing of it. */
const KEEP_ALIVE_MS = 150_000

export interface AppserviceOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly hsToken: string
  readonly log: Logger
  /**
   * Resolves when everything in it is on disk; a rejection makes the homeserver try again. `first`: it came by a connection
   * that brought none before, so the homeserver may have been started anew.
   */
  readonly transaction: (body: unknown, first: boolean) => Promise<void>
  /** Somebody asks for a user of our namespace. */
  readonly isGhost: (user: string) => boolean
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly allow?: string
}

const OK: Answer = { status: 200, body: {} }
const wrong = (status: number, errcode: string, error: string): Answer => ({ status, body: { errcode, error } })

/** What can be asked for here, by the path behind `/_matrix/app/v1/`. */
type Route = {
  readonly method: 'GET' | 'PUT' | 'POST'
  readonly path: RegExp
  readonly answer: (rest: string, request: IncomingMessage) => Answer | Promise<Answer>
}

/** So that clients which list the protocols of a homeserver see ours. */
const PROTOCOL = {
  user_fields: ['address'],
  location_fields: [],
  icon: '',
  field_types: { address: { regexp: '[^\\s@]+@[^\\s@]+', placeholder: 'bob@example.com' } },
  instances: [],
}

export class Appservice {
  readonly #options: AppserviceOptions
  readonly #token: Buffer
  readonly #routes: readonly Route[]
  #server: Server | undefined
  /** Connections that have brought transactions. */
  readonly #known = new WeakSet<Socket>()
  /** A wrong token is told once, until a right one comes again. */
  #warned = false

  constructor(options: AppserviceOptions) {
    this.#options = options
    this.#token = digest(options.hsToken)
    this.#routes = [
      { method: 'PUT', path: /^transactions\/[^/]+$/, answer: (_, request) => this.#transaction(request) },
      { method: 'POST', path: /^ping$/, answer: () => OK },
      {
        method: 'GET',
        path: /^users\/([^/]+)$/,
        answer: (user) => (options.isGhost(user) ? OK : wrong(404, 'M_NOT_FOUND', 'there is nobody of that name')),
      },
      {
        method: 'GET',
        path: /^rooms\/([^/]+)$/,
        answer: () => wrong(404, 'M_NOT_FOUND', 'rooms are made when somebody writes'),
      },
      {
        method: 'GET',
        path: /^thirdparty\/protocol\/([^/]+)$/,
        answer: (name) =>
          name === 'msn' ? { status: 200, body: PROTOCOL } : wrong(404, 'M_NOT_FOUND', 'no such protocol'),
      },
      { method: 'GET', path: /^thirdparty\/(?:user|location)(?:\/[^/]+)?$/, answer: () => ({ status: 200, body: [] }) },
    ]
  }

  /** Resolves with the port. Rejects with a sentence that names the place and the remedy. */
  start(): Promise<number> {
    const { host, port } = this.#options
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      void this.#serve(request, response)
    })
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        reject(
          new Error(
            `cannot listen on ${host}:${port} for the homeserver (${error.message}): change listen in the config`,
          ),
        )
      })
      server.listen(port, host, () => {
        this.#server = server
        resolve((server.address() as AddressInfo).port)
      })
    })
  }

  /** Lets no answer be cut off that is being sent; what waits is for the homeserver to send again. Twice is harmless. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer
    try {
      answer = await this.#answer(request)
    } catch (error) {
      this.#options.log.warn(
        { detail: wordsOf(error) },
        'a transaction could not be stored, the homeserver will try again',
      )
      answer = wrong(500, 'M_UNKNOWN', 'not stored, try again')
    }
    // The rest of a body that nobody wants is not worth reading.
    const done = request.complete || answer.status < 400
    const text = JSON.stringify(answer.body)
    response.writeHead(answer.status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
      ...(answer.allow === undefined ? {} : { Allow: answer.allow }),
      ...(done ? {} : { Connection: 'close' }),
    })
    response.end(text)
  }

  #answer(request: IncomingMessage): Answer | Promise<Answer> {
    const url = parseUrl(request.url ?? '')
    if (url?.pathname.startsWith(PREFIX) !== true) return UNKNOWN
    if (!this.#isHomeserver(request, url)) return wrong(403, 'M_FORBIDDEN', 'that is not our hs_token')
    const path = url.pathname.slice(PREFIX.length)
    const fitting = this.#routes.filter((route) => route.path.test(path))
    if (fitting.length === 0) return UNKNOWN
    const route = fitting.find(({ method }) => method === request.method)
    if (route === undefined)
      return {
        ...wrong(405, 'M_UNRECOGNIZED', 'another method is needed here'),
        allow: fitting.map(({ method }) => method).join(', '),
      }
    return route.answer(decoded(route.path.exec(path)?.[1] ?? ''), request)
  }

  async #transaction(request: IncomingMessage): Promise<Answer> {
    const text = await readBody(request)
    if (text === undefined) return wrong(413, 'M_TOO_LARGE', `a transaction has at most ${MAX_BODY_BYTES} bytes`)
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      return wrong(400, 'M_NOT_JSON', 'the body is no JSON')
    }
    const first = !this.#known.has(request.socket)
    await this.#options.transaction(body, first)
    this.#known.add(request.socket)
    return OK
  }

  #isHomeserver(request: IncomingMessage, url: URL): boolean {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const given = bearer ?? url.searchParams.get('access_token') ?? ''
    const right = timingSafeEqual(digest(given), this.#token)
    if (!right && !this.#warned)
      this.#options.log.warn(
        { from: request.socket.remoteAddress },
        'somebody came with a wrong hs_token: if it is the homeserver, give it the registration file anew and restart it',
      )
    this.#warned = !right
    return right
  }
}

const PREFIX = '/_matrix/app/v1/'
const UNKNOWN = wrong(404, 'M_UNRECOGNIZED', 'there is nothing here')

/** Of one length, whatever was given. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const parseUrl = (text: string): URL | undefined => {
  try {
    return new URL(text, 'http://localhost')
  } catch {
    return undefined
  }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `undefined`: it is too long. Rejects when the connection ends before the body. */
const readBody = (request: IncomingMessage): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
      resolve(undefined)
      return
    }
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MAX_BODY_BYTES) {
        request.pause()
        resolve(undefined)
      } else chunks.push(chunk)
    })
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    request.once('error', reject)
    request.once('close', () => reject(new Error('the connection ended before the transaction did')))
  })

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
