import http, { type IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import { isSameOrganisation } from './hosts.ts'

/** Redirects that one login follows. */
export const MAX_LOGIN_HOPS = 5
/** Bytes of an answer's headers. */
const MAX_HEADER_BYTES = 32 * 1024
/** Bytes of an answer's body, where it is read at all. */
export const MAX_BODY_BYTES = 64 * 1024

export interface LoginHttpOptions {
  /** Certificate authority that is trusted instead of the public ones, PEM. */
  readonly ca?: string | undefined
  readonly insecure?: boolean | undefined
  /** Hosts to which the login may go, besides those of the same organisation. */
  readonly loginHosts?: readonly string[] | undefined
  /** One request. Milliseconds. */
  readonly timeoutMs: number
}

/** `detail`: a sentence for the operator; it never holds password or ticket. */
export type LoginResult = { readonly kind: 'ticket'; readonly ticket: string } | LoginFailure
export interface LoginFailure {
  readonly kind: 'bad-credentials' | 'busy' | 'unreachable' | 'tls' | 'protocol' | 'timeout' | 'aborted'
  readonly detail: string
  readonly retryAfterMs?: number
}

export interface LoginRequest {
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  /** Posted; its answer is read to the end. Without it: a GET, of whose answer the body is not waited for. */
  readonly body?: string
  readonly signal?: AbortSignal | undefined
}

export interface LoginAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request of a login. Never rejects. */
export function askLogin(options: LoginHttpOptions, asked: LoginRequest): Promise<LoginAnswer | LoginFailure> {
  const { ca, insecure, timeoutMs } = options
  const { url, headers = {}, body, signal } = asked
  const request = url.protocol === 'https:' ? https.request : http.request
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve({ kind: 'aborted', detail: 'the login was given up' })
      return
    }
    const settings = {
      agent: false,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        'User-Agent': 'MSMSGS',
        'Cache-Control': 'no-cache',
        Connection: 'close',
        ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }),
        ...headers,
      },
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(ca === undefined ? {} : { ca }),
      rejectUnauthorized: insecure !== true,
    }
    const settle = (result: LoginAnswer | LoginFailure): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      outgoing.on('error', () => undefined).destroy()
      resolve(result)
    }
    const onAbort = (): void => settle({ kind: 'aborted', detail: 'the login was given up' })
    const timer = setTimeout(
      () => settle({ kind: 'timeout', detail: `${url.host} did not answer within ${timeoutMs} ms` }),
      timeoutMs,
    )
    const outgoing = request(url, settings)
    outgoing.on('response', (response) => {
      const { statusCode: status = 0, headers: said } = response
      if (body === undefined) {
        settle({ status, headers: said, body: '' })
        return
      }
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > MAX_BODY_BYTES)
          settle(protocol(`${url.host} answered the login with more than ${MAX_BODY_BYTES} bytes`))
        else chunks.push(chunk)
      })
      response.on('end', () => settle({ status, headers: said, body: Buffer.concat(chunks).toString('utf8') }))
      response.on('error', (error: NodeJS.ErrnoException) => settle(failureOf(url, error)))
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => settle(failureOf(url, error)))
    signal?.addEventListener('abort', onAbort, { once: true })
    outgoing.end(body)
  })
}

/** A URL of the config. */
export function configuredPage(text: string): URL | LoginFailure {
  const url = URL.parse(text)
  return url === null || !/^https?:$/.test(url.protocol) ? protocol(`${text} is no http or https URL`) : url
}

/**
 * A password goes to HTTPS only, to a host it was meant for, one of its organisation, or a configured host. Otherwise:
 * the place that is not trusted.
 */
export function wrongTarget(
  target: URL,
  trusted: readonly string[],
  { loginHosts = [] }: LoginHttpOptions,
): string | undefined {
  const isKnown = [...trusted, ...loginHosts].some((host) => isSameOrganisation(target.hostname, host))
  return isKnown ? notSecure(target) : target.host
}

export const notSecure = (target: URL): string | undefined =>
  target.protocol === 'https:' ? undefined : `${target.host} (not https)`

/** Words of the server for an operator: short, and without anything that could act on a terminal. */
export const clean = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
    .slice(0, 200)
    .trim()

export const protocol = (detail: string): LoginFailure => ({ kind: 'protocol', detail })

export function busy(url: URL, { status, headers }: LoginAnswer): LoginFailure {
  const seconds = /^\d{1,5}$/.exec(headers['retry-after'] ?? '')?.[0]
  const detail = `${url.host} is not available now (${status})`
  return { kind: 'busy', detail, ...(seconds === undefined ? {} : { retryAfterMs: Number(seconds) * 1_000 }) }
}

export const badCredentials = (url: URL, text: string): LoginFailure => {
  const said = clean(text)
  return {
    kind: 'bad-credentials',
    detail: `${url.host} does not accept address and password${said === '' ? '' : `: ${said}`}`,
  }
}

const TLS_CODES = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO|HOSTNAME_MISMATCH|INVALID_)/

function failureOf(url: URL, error: NodeJS.ErrnoException): LoginFailure {
  const code = error.code ?? error.name
  if (TLS_CODES.test(code)) {
    return {
      kind: 'tls',
      detail: `the certificate or TLS of ${url.host} is not accepted (${code}): give its certificate authority as ca`,
    }
  }
  if (code.startsWith('HPE_')) return protocol(`${url.host} does not speak HTTP (${code})`)
  return { kind: 'unreachable', detail: `cannot reach ${url.host}: ${code}` }
}
