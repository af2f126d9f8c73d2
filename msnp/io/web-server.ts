import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { ServiceNotice } from '../service/contract.ts'
import type { KeyPair } from './certificate.ts'

/** Bytes of all headers of a request; real ones are about 1 KiB. */
export const MAX_HEADERS_BYTES = 16 * 1024
/** From connect to a complete request, and to the end of the answer. Milliseconds. */
export const REQUEST_MS = 15_000

export interface WebServerOptions {
  readonly tls: KeyPair | 'plain'
  /** Whether TLS may be as old as 1.0. Default: yes. */
  readonly legacyTls?: boolean | undefined
  /** Default: `REQUEST_MS`. */
  readonly requestMs?: number | undefined
  readonly onNotice: (notice: ServiceNotice) => void
  readonly onRefused: (reason: string) => void
}

/** An HTTP server that trusts nobody with its memory or its time. The caller makes it listen. */
export function createWebServer(
  options: WebServerOptions,
  handle: (request: http.IncomingMessage, response: http.ServerResponse) => void,
): http.Server {
  const { tls, requestMs = REQUEST_MS } = options
  const settings = {
    maxHeaderSize: MAX_HEADERS_BYTES,
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(1_000, requestMs),
    keepAliveTimeout: requestMs,
    requireHostHeader: false,
    noDelay: true,
  }
  const server =
    tls === 'plain'
      ? http.createServer(settings, handle)
      : https.createServer(
          { ...settings, key: tls.key, cert: tls.cert, handshakeTimeout: requestMs, ...tlsAsOld(options.legacyTls) },
          handle,
        )
  const problems = new Problems(options)
  server.setTimeout(3 * requestMs)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => problems.malformed(error, socket))
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => problems.noHandshake(error, socket))
  return server
}

/** Messenger speaks what its Windows speaks; newer peers still agree on the best of both. */
const tlsAsOld = (legacy = true): { readonly minVersion: 'TLSv1' | 'TLSv1.2'; readonly ciphers?: string } =>
  legacy ? { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } : { minVersion: 'TLSv1.2' }

class Problems {
  readonly #options: WebServerOptions

  constructor(options: WebServerOptions) {
    this.#options = options
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
}

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
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_NO_SHARED_CIPHER':
      return 'a client whose TLS is too old for ours'
    default:
      return 'a failed TLS handshake'
  }
}
