/**
 * Serves files of networks to whoever has a signed link, since some people are on networks that have none. Reads only; what
 * is asked for, and how it is called, is in no log.
 */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Metrics } from '../adapter.ts'
import type { NetworkId } from '../model/ids.ts'
import type { MediaResult, Reason } from '../model/result.ts'
import { HttpListener } from '../ops/listener.ts'
import { Throttle } from '../throttle.ts'
import type { MediaLinks } from './links.ts'
import { fileHeaders } from './types.ts'

export interface MediaServerOptions {
  readonly host: string
  readonly port: number
  readonly links: MediaLinks
  /** Larger files are not served. Bytes. */
  readonly maxBytes: number
  readonly clock: Clock
  readonly metrics: Metrics
  /** The bytes of a file of a network; `undefined`: it has no files, or does not run. */
  readonly media: (network: NetworkId) => ((ref: string, signal: AbortSignal) => Promise<MediaResult>) | undefined
}

const MAX_CONNECTIONS = 256
/** Files that are under way at once. */
export const MAX_TRANSFERS = 16
/** One file may take so long, to be fetched and to be taken. Milliseconds. */
const TRANSFER_MS = 5 * 60_000
/** Of one address; behind a proxy all have the same. */
export const RATE = { times: 600, withinMs: 60_000 }

const COMMON = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex',
  'cross-origin-resource-policy': 'cross-origin',
} as const

const STATUS: Readonly<Record<Reason, number>> = {
  'not-found': 404,
  'too-large': 413,
  offline: 502,
  blocked: 502,
  forbidden: 502,
  unsupported: 502,
  'rate-limited': 502,
  network: 502,
  protocol: 502,
}

const WORDS: Readonly<Record<number, string>> = {
  403: 'this link was not made here',
  404: 'there is no such file (any more)',
  405: 'files can only be read',
  410: 'this link is too old: ask for the file once more',
  413: 'this file is too large to be handed on',
  429: 'too many requests: try again in a minute',
  502: 'the network that has this file does not give it now: try again later',
  503: 'too many files are under way: try again in a minute',
}

export class MediaServer {
  readonly #options: MediaServerOptions
  readonly #throttle: Throttle
  readonly #listener: HttpListener
  #transfers = 0

  constructor(options: MediaServerOptions) {
    this.#options = options
    this.#throttle = new Throttle(options.clock, RATE)
    this.#listener = new HttpListener({
      host: options.host,
      port: options.port,
      maxConnections: MAX_CONNECTIONS,
      serve: (request, response) => void this.#serve(request, response),
    })
  }

  /** Resolves with the port. Rejects with a sentence when it cannot listen. */
  start(): Promise<number> {
    return this.#listener.start()
  }

  /** What is under way ends. Twice is harmless. */
  stop(): Promise<void> {
    return this.#listener.stop()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const over = new AbortController()
    response.once('close', () => over.abort())
    // Whoever goes away while we write has gone away.
    response.on('error', () => over.abort())
    const status = await this.#answer(request, response, over.signal).catch(() => 502)
    this.#options.metrics.count('media_requests', { status: String(status) })
    if (response.headersSent) {
      if (!response.writableEnded) response.destroy()
      return
    }
    const more =
      status === 503 || status === 429 ? { 'retry-after': '60' } : status === 405 ? { allow: 'GET, HEAD' } : {}
    response.writeHead(status, {
      ...COMMON,
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      ...more,
    })
    response.end(request.method === 'HEAD' ? undefined : `${WORDS[status] ?? ''}\n`)
  }

  /** The status; the file itself where it is 200. */
  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<number> {
    const { method, url = '', socket } = request
    const { links, clock, media } = this.#options
    if (method !== 'GET' && method !== 'HEAD') return 405
    if (this.#throttle.take(socket.remoteAddress ?? '') > 0) return 429
    const linked = links.read(url, clock.now())
    switch (linked.kind) {
      case 'none':
        return 404
      case 'forged':
        return 403
      case 'gone':
        return 410
      case 'file': {
        const fetch = media(linked.network)
        if (fetch === undefined) return 404
        if (this.#transfers >= MAX_TRANSFERS) return 503
        this.#transfers++
        try {
          return await this.#within(signal, async (late) =>
            this.#hand(await fetch(linked.ref, late), linked.name, request, response, late),
          )
        } finally {
          this.#transfers--
        }
      }
    }
  }

  async #within(signal: AbortSignal, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
    const late = new AbortController()
    const ended = new AbortController()
    void this.#options.clock.sleep(TRANSFER_MS, ended.signal).then(() => late.abort())
    try {
      return await work(AbortSignal.any([signal, late.signal]))
    } finally {
      ended.abort()
    }
  }

  async #hand(
    result: MediaResult,
    name: string,
    { method }: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<number> {
    if (result.kind === 'refused') return STATUS[result.reason]
    const { maxBytes } = this.#options
    const { body, mime, size } = result
    if (signal.aborted || method === 'HEAD' || (size !== undefined && size > maxBytes)) await body.cancel()
    if (signal.aborted) return 502
    if (size !== undefined && size > maxBytes) return 413
    const headers = {
      ...COMMON,
      ...fileHeaders(mime, name),
      'cache-control': 'private, max-age=3600',
      ...(size === undefined ? {} : { 'content-length': size }),
    }
    if (method === 'HEAD') {
      response.writeHead(200, headers).end()
      return 200
    }
    return this.#stream(body, headers, response, signal)
  }

  /** Nothing is promised before the first bytes are there; what turns out too large is cut. */
  async #stream(
    body: ReadableStream<Uint8Array>,
    headers: Readonly<Record<string, string | number>>,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<number> {
    const reader = body.getReader()
    const stop = (): void => void reader.cancel().catch(() => undefined)
    signal.addEventListener('abort', stop, { once: true })
    let bytes = 0
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (signal.aborted) return 502
        if (!response.headersSent) response.writeHead(200, headers)
        if (done) break
        bytes += value.byteLength
        if (bytes > this.#options.maxBytes) return 413
        if (!response.write(value)) await once(response, 'drain', { signal })
      }
      response.end()
      return 200
    } finally {
      signal.removeEventListener('abort', stop)
      stop()
    }
  }
}
