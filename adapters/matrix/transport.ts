/**
 * Requests to the homeserver over kept connections, shaped as the library asks for them (`setRequestFn`). Never follows a
 * redirect: the token stays with the homeserver. Bodies and tokens are never logged.
 */
import * as http from 'node:http'
import * as https from 'node:https'
import { TLSSocket } from 'node:tls'
import type { Clock } from '../../bridge/adapter.ts'

/** Connections to one homeserver at once; more requests wait for one. */
const MAX_SOCKETS = 64
/** An unused connection is given up before servers and proxies usually do, so that no request meets a closing one. Milliseconds. */
const IDLE_MS = 15_000
/** An answer that is longer ends its request. */
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** Why the watch over a request ends. Without a reason of its own each end would cost an exception with its stack. */
const SETTLED = 'settled'

/** What the library hands to its request function; the rest of it we do not use. */
export interface LibraryRequest {
  readonly uri: string
  readonly method: string
  readonly qs: Query
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Milliseconds. */
  readonly timeout: number
}

export interface LibraryResponse {
  readonly statusCode: number
  readonly headers: http.IncomingHttpHeaders
  /** Parsed where it is JSON. */
  readonly body: unknown
}

export type LibraryCallback = (error: TransportError | null, response?: LibraryResponse, body?: unknown) => void

/** Goes along with the parameters of a request, through the library, unseen by it. */
export interface Aside {
  readonly transport: Transport
  readonly signal?: AbortSignal
  /** Instead of the token that the library would use. */
  readonly token?: string
}
export const ASIDE = Symbol('aside')
export interface Query {
  readonly [name: string]: string | number
  readonly [ASIDE]: Aside
}

/** No answer came. `sent`: the homeserver may have got the request. */
export class TransportError extends Error {
  readonly kind: 'aborted' | 'timeout' | 'too-large' | 'network'
  readonly sent: boolean
  constructor(kind: TransportError['kind'], sent: boolean, detail: string) {
    super(detail)
    this.name = 'TransportError'
    this.kind = kind
    this.sent = sent
  }
}

export class Transport {
  readonly #clock: Clock
  readonly #plain = new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_MS })
  readonly #tls = new https.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_MS })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** For `setRequestFn` of the library. */
  readonly request = (asked: LibraryRequest, callback: LibraryCallback): void => {
    const aside = asked.qs[ASIDE]
    if (aside.signal?.aborted === true) {
      callback(new TransportError('aborted', false, 'the request was taken back'))
      return
    }
    const url = `${asked.uri}${queryOf(asked.qs)}`
    const secure = url.startsWith('https:')
    const body = asked.body
    const options: http.RequestOptions = {
      method: asked.method,
      agent: secure ? this.#tls : this.#plain,
      headers: {
        ...asked.headers,
        ...(aside.token === undefined ? {} : { Authorization: `Bearer ${aside.token}` }),
        ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }),
      },
    }
    let request: http.ClientRequest
    try {
      request = secure ? https.request(url, options) : http.request(url, options)
    } catch (error) {
      callback(new TransportError('network', false, error instanceof Error ? error.message : String(error)))
      return
    }
    this.#follow(request, asked.timeout, aside.signal, callback)
    request.end(body)
  }

  /** Requests under way end as failures. */
  close(): void {
    this.#plain.destroy()
    this.#tls.destroy()
  }

  #follow(
    request: http.ClientRequest,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    callback: LibraryCallback,
  ): void {
    const settled = new AbortController()
    let sent = false
    const finish = (error: TransportError | null, response?: LibraryResponse): void => {
      if (settled.signal.aborted) return
      settled.abort(SETTLED)
      signal?.removeEventListener('abort', abort)
      if (error !== null) request.destroy()
      callback(error, response, response?.body)
    }
    const fail = (kind: TransportError['kind'], detail: string): void => {
      if (!settled.signal.aborted) finish(new TransportError(kind, sent, detail))
    }
    const abort = (): void => fail('aborted', 'the request was taken back')

    signal?.addEventListener('abort', abort)
    void this.#clock.sleep(timeoutMs, settled.signal).then(() => {
      fail('timeout', `no answer within ${Math.ceil(timeoutMs / 1000)} s`)
    })
    request.once('socket', (socket) => {
      if (!socket.connecting) sent = true
      else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => (sent = true))
    })
    request.on('error', (error) => fail('network', wordsOf(error)))
    request.once('response', (answer) => {
      readAll(answer, finish, fail)
    })
  }
}

const readAll = (
  answer: http.IncomingMessage,
  finish: (error: null, response: LibraryResponse) => void,
  fail: (kind: TransportError['kind'], detail: string) => void,
): void => {
  const chunks: Buffer[] = []
  let bytes = 0
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) fail('too-large', `the answer is longer than ${MAX_ANSWER_BYTES} bytes`)
    else chunks.push(chunk)
  })
  answer.once('error', (error) => fail('network', wordsOf(error)))
  answer.once('close', () => {
    if (!answer.complete) fail('network', 'the connection was closed in the middle of the answer')
  })
  answer.once('end', () => {
    const text = (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString('utf8') ?? ''
    finish(null, { statusCode: answer.statusCode ?? 0, headers: answer.headers, body: parsed(text) })
  })
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const queryOf = (query: Query): string => {
  let text = ''
  for (const name in query)
    text += `${text === '' ? '?' : '&'}${encodeURIComponent(name)}=${encodeURIComponent(query[name] ?? '')}`
  return text
}

/** `ECONNREFUSED 127.0.0.1:8008`: what an operator looks for, without the words around it. */
const wordsOf = (error: Error): string => {
  const first = error instanceof AggregateError ? (error.errors as readonly unknown[])[0] : error
  return first instanceof Error ? first.message : error.message
}
