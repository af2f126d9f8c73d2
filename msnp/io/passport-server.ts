import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import {
  formatPassportFailure,
  formatPassportSuccess,
  formatPassportUrls,
  LOGIN_PATH,
  NEXUS_PATH,
  parseAuthorization,
  PASSPORT_HEADERS,
} from '../auth/passport.ts'
import { RST_PATH } from '../auth/rst.ts'
import type { KeyPair } from './certificate.ts'
import { answerRst, RETRY_AFTER_S, type RstPageOptions } from './rst-page.ts'
import { clientOf, pathOf, reply } from './web.ts'

/** Bytes of all headers of a request; real ones are about 1 KiB. */
export const MAX_HEADERS_BYTES = 16 * 1024
/** From connect to a complete request, and to the end of the answer. Milliseconds. */
export const REQUEST_MS = 15_000

const LOGIN_PATHS: ReadonlySet<string> = new Set([LOGIN_PATH, '/login.srf', '/login'])

export interface PassportServerOptions extends RstPageOptions {
  readonly tls: KeyPair | 'plain'
  /** host or host:port of the login page as clients reach it. By default what they asked for. */
  readonly publicName: string | undefined
  /** Default: `REQUEST_MS`. */
  readonly requestMs?: number
}

/**
 * The login, by Passport 1.4 and by RST: where passwords become tickets. The caller makes it listen. Source:
 * docs/protocol.md, Passport.
 * Clients of 2003 want `PassportURLs` spelled exactly so, the connection closed after the answer, and TLS as old as
 * they are.
 */
export function createPassportServer(options: PassportServerOptions): http.Server {
  const { tls, requestMs = REQUEST_MS } = options
  const settings = {
    maxHeaderSize: MAX_HEADERS_BYTES,
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(1_000, requestMs),
    requireHostHeader: false,
    noDelay: true,
  }
  const page = new PassportPage(options)
  const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    void page.answer(request, response)
  }
  const server =
    tls === 'plain'
      ? http.createServer(settings, handle)
      : https.createServer(
          {
            ...settings,
            key: tls.key,
            cert: tls.cert,
            minVersion: 'TLSv1',
            // Messenger speaks what its Windows speaks; newer peers still agree on the best of both.
            ciphers: 'DEFAULT@SECLEVEL=0',
            handshakeTimeout: requestMs,
          },
          handle,
        )
  server.setTimeout(3 * requestMs)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => page.malformed(error, socket))
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => page.noHandshake(error, socket))
  return server
}

class PassportPage {
  readonly #options: PassportServerOptions

  constructor(options: PassportServerOptions) {
    this.#options = options
  }

  /** Never rejects. */
  async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = pathOf(request.url ?? '/')
    const { method } = request
    if (path === RST_PATH.toLowerCase() && method === 'POST') {
      await answerRst(this.#options, request, response, this.#clientOf(request))
      return
    }
    request.resume()
    if (path === NEXUS_PATH && (method === 'GET' || method === 'HEAD')) {
      reply(response, {
        status: 200,
        headers: { [PASSPORT_HEADERS.nexus]: formatPassportUrls(`${this.#ownName(request)}${LOGIN_PATH}`) },
      })
    } else if (LOGIN_PATHS.has(path) && (method === 'GET' || method === 'POST')) {
      await this.#login(request, response)
    } else if (path === '/' && method === 'POST') {
      reply(response, { status: 200 })
    } else reply(response, { status: 404 })
  }

  async #login(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { host, tickets, now, onNotice, onRefused } = this.#options
    const address = this.#clientOf(request)
    const asked = parseAuthorization(request.headers.authorization ?? '')
    if (asked === undefined) {
      onRefused('login without credentials')
      refuse(response, 'Please enter your e-mail address and your password')
      return
    }
    try {
      const email = asked.signIn.toLowerCase()
      switch (await host.verifyPassword(email, asked.password, address)) {
        case 'right':
          reply(response, {
            status: 200,
            headers: { [PASSPORT_HEADERS.answer]: formatPassportSuccess(tickets.mint(email, now())) },
          })
          break
        case 'wrong':
          onRefused('wrong password')
          onNotice({ kind: 'refused', email, code: 911, address })
          refuse(response, 'Invalid password')
          break
        case 'throttled':
          onRefused('throttled')
          onNotice({ kind: 'refused', email, code: 503, address })
          reply(response, { status: 503, headers: { 'Retry-After': RETRY_AFTER_S } })
          break
      }
    } catch (error) {
      onNotice({
        kind: 'failure',
        detail: `checking a password: ${error instanceof Error ? error.message : 'unknown'}`,
      })
      reply(response, { status: 500 })
    }
  }

  /** A request that is no HTTP, that is too large, or that took too long. */
  malformed(error: NodeJS.ErrnoException, socket: Socket): void {
    // A failed handshake is told here, too.
    if (/^ERR_(?:SSL|TLS)/.test(error.code ?? '')) return
    const gone = error.code === 'ECONNRESET' || error.code === 'EPIPE' || !socket.writable
    if (!gone) {
      this.#violation(httpProblem(error.code ?? ''), socket)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    }
    socket.destroySoon()
  }

  noHandshake(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code !== 'ECONNRESET') this.#violation(tlsProblem(error.code ?? ''), socket)
    socket.destroy()
  }

  #violation(detail: string, socket: Socket): void {
    this.#options.onRefused(detail)
    this.#options.onNotice({ kind: 'violation', where: 'HTTP', detail, address: socket.remoteAddress ?? '' })
  }

  /** The login page by the name under which this client found us. */
  #ownName(request: http.IncomingMessage): string {
    const { publicName, tls } = this.#options
    if (publicName !== undefined) return publicName
    const asked = request.headers.host
    if (asked !== undefined && /^[A-Za-z0-9.\-:[\]]{1,255}$/.test(asked)) return asked
    const { localAddress = '127.0.0.1', localPort = 443 } = request.socket
    const host = localAddress.includes(':') ? `[${localAddress}]` : localAddress
    return localPort === (tls === 'plain' ? 80 : 443) ? host : `${host}:${localPort}`
  }

  #clientOf(request: http.IncomingMessage): string {
    return clientOf(request, this.#options.tls === 'plain')
  }
}

const refuse = (response: http.ServerResponse, text: string): void =>
  reply(response, { status: 401, headers: { [PASSPORT_HEADERS.refusal]: formatPassportFailure(text) } })

const httpProblem = (code: string): string => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers that are too long'
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'a request that took too long'
    default:
      return 'a malformed request'
  }
}

/** What an operator can act on: most often the client does not trust the certificate, or speaks no TLS at all. */
export const tlsProblem = (code: string): string => {
  switch (code) {
    case 'ERR_SSL_HTTP_REQUEST':
      return 'plain HTTP where TLS was expected'
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return 'a TLS handshake that took too long'
    case 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN':
    case 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN':
      return 'a client that does not trust our certificate'
    default:
      return 'a failed TLS handshake'
  }
}
