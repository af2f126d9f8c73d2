/** The page for the operator and for monitoring: /healthz /readyz /metrics /status. Read only. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { HttpListener } from './listener.ts'
import { type Report, reportHtml, reportText } from './report.ts'

export interface AdminOptions {
  readonly host: string
  readonly port: number
  /** Names under which it may be asked, besides localhost and addresses. */
  readonly hosts: readonly string[]
  readonly report: () => Report
  readonly metrics: { readonly contentType: string; render(): Promise<string> }
}

const MAX_CONNECTIONS = 64

export class AdminPage {
  readonly #options: AdminOptions
  readonly #listener: HttpListener

  constructor(options: AdminOptions) {
    this.#options = options
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

  /** Twice is harmless. */
  stop(): Promise<void> {
    return this.#listener.stop()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = await this.#answer(request)
    response.writeHead(status, {
      'content-type': type,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  async #answer({ method, url, headers }: IncomingMessage): Promise<Answer> {
    if (!knownHost(headers.host, this.#options.hosts))
      return text(403, 'open this page by its address, as localhost, or by a name of admin.hosts in the config')
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'read only')
    const place = URL.parse(url ?? '/', 'http://localhost')
    switch (place?.pathname) {
      case '/healthz':
        return text(200, 'ok')
      case '/readyz': {
        const { ready, trouble } = this.#options.report()
        return ready ? text(200, 'ready') : text(503, `not ready${trouble === undefined ? '' : `: ${trouble}`}`)
      }
      case '/metrics': {
        const { metrics } = this.#options
        return { status: 200, type: metrics.contentType, body: await metrics.render() }
      }
      case '/':
      case '/status':
        return statusPage(this.#options.report(), formatOf(place.searchParams.get('format'), headers.accept))
      case undefined:
      default:
        return text(404, 'there is /status, /healthz, /readyz and /metrics')
    }
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

const text = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
})

const statusPage = (report: Report, format: Format): Answer => {
  switch (format) {
    case 'json':
      return { status: 200, type: 'application/json', body: `${JSON.stringify(report, null, 2)}\n` }
    case 'html':
      return { status: 200, type: 'text/html; charset=utf-8', body: reportHtml(report) }
    case 'text':
      return text(200, reportText(report).join('\n'))
  }
}

type Format = 'json' | 'html' | 'text'

/** Browsers get a page, everything else JSON unless it asks for text. */
const formatOf = (asked: string | null, accept = ''): Format => {
  if (asked === 'json' || asked === 'html' || asked === 'text') return asked
  if (accept.includes('text/html')) return 'html'
  return accept.includes('text/plain') ? 'text' : 'json'
}

/** A web page elsewhere cannot read this one through a name that it makes resolve to us (DNS rebinding). */
const knownHost = (header: string | undefined, names: readonly string[]): boolean => {
  if (header === undefined) return false
  const host = header
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
  return host === 'localhost' || isIP(host) !== 0 || names.some((name) => name.toLowerCase() === host)
}
