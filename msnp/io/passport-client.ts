import http, { type IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import { formatAuthorization, parsePassportAnswer, parsePassportUrls } from '../auth/passport.ts'
import { isSameOrganisation } from './hosts.ts'

/** Redirects that one login follows. */
export const MAX_LOGIN_HOPS = 5
/** Bytes of an answer's headers; its body is never read. */
const MAX_HEADER_BYTES = 32 * 1024
/** Characters of a ticket: it goes into one line of the notification connection. */
const MAX_TICKET = 8 * 1024
const WORD = /^[\x21-\x7e]*$/

export interface PassportClientOptions {
  /** The nexus is asked for the login page; `login` is that page. Plain http only where it is written so here. */
  readonly passport: { readonly nexus: string } | { readonly login: string }
  readonly login: string
  readonly password: string
  /** Certificate authority that is trusted instead of the public ones, PEM. */
  readonly ca?: string | undefined
  readonly insecure?: boolean | undefined
  /** Hosts to which the login may go, besides those of the same organisation. */
  readonly loginHosts?: readonly string[] | undefined
  /** One request. Milliseconds. */
  readonly timeoutMs: number
}

/** `detail`: a sentence for the operator; it never holds password or ticket. */
export type PassportResult = { readonly kind: 'ticket'; readonly ticket: string } | PassportFailure
export interface PassportFailure {
  readonly kind: 'bad-credentials' | 'busy' | 'unreachable' | 'tls' | 'protocol' | 'timeout' | 'aborted'
  readonly detail: string
  readonly retryAfterMs?: number
}

/**
 * The login beside the notification connection: address and password go over HTTPS and a ticket comes back, which may
 * live for 30 seconds only, so ask when the server wants it and not before. Source: docs/protocol.md, Passport.
 */
export class PassportClient {
  readonly #options: PassportClientOptions
  /** What the nexus said; asked for once. */
  #loginUrl: URL | undefined

  constructor(options: PassportClientOptions) {
    this.#options = options
  }

  /** `policy` is what came with `USR n TWN S`. Never rejects. */
  async ticket(policy: string, signal?: AbortSignal): Promise<PassportResult> {
    if (!WORD.test(policy)) return protocol('the policy of the notification server holds odd characters')
    const start = await this.#login(signal)
    if (!(start instanceof URL)) return start
    const { login, password } = this.#options
    const authorization = formatAuthorization({ signIn: login, password, policy })
    let url = start
    for (let hop = 0; hop <= MAX_LOGIN_HOPS; hop++) {
      const answer = await this.#get(url, { authorization }, signal)
      if ('kind' in answer) return answer
      const next = this.#read(answer, url, start)
      if (!(next instanceof URL)) return next
      url = next
    }
    return protocol(`the login was redirected more than ${MAX_LOGIN_HOPS} times`)
  }

  async #login(signal: AbortSignal | undefined): Promise<URL | PassportFailure> {
    if (this.#loginUrl !== undefined) return this.#loginUrl
    const { passport } = this.#options
    const text = 'login' in passport ? passport.login : passport.nexus
    const url = URL.parse(text)
    if (url === null || !/^https?:$/.test(url.protocol)) return protocol(`${text} is no http or https URL`)
    if ('login' in passport) return (this.#loginUrl = url)
    const answer = await this.#get(url, {}, signal)
    if ('kind' in answer) return answer
    if (answer.status >= 500) return busy(url, answer)
    const header = first(answer.headers['passporturls'])
    const login = URL.parse(parsePassportUrls(header ?? '') ?? '')
    if (login === null) {
      return protocol(`the nexus ${url.href} answered ${answer.status} without a login page: check the address`)
    }
    // A nexus that proves who it is may send us anywhere; one that does not, only where we would go anyway.
    const wrong = url.protocol === 'https:' ? this.#mustBeSecure(login) : this.#wrongTarget(login, url)
    if (wrong !== undefined) return protocol(`the nexus names a login page that is not trusted: ${wrong}`)
    return (this.#loginUrl = login)
  }

  /** What a login page's answer means: a ticket, a failure, or where to ask next. */
  #read({ status, headers }: Answer, url: URL, start: URL): URL | PassportResult {
    const said = parsePassportAnswer(first(headers['authentication-info'] ?? headers['www-authenticate']) ?? '')
    if (status >= 500 || status === 429) return busy(url, { status, headers })
    if (status === 401 || said.kind === 'failed') {
      const text = said.kind === 'failed' ? clean(said.text) : ''
      const more = text === '' ? '' : `: ${text}`
      return { kind: 'bad-credentials', detail: `${url.host} does not accept address and password${more}` }
    }
    if (status >= 300 && status < 400) {
      const { location = '' } = headers
      const next = location === '' ? null : URL.parse(location, url.href)
      if (next === null) return protocol(`${url.host} redirects the login nowhere`)
      const wrong = this.#wrongTarget(next, start)
      return wrong === undefined ? next : protocol(`${url.host} redirects the login to a place not trusted: ${wrong}`)
    }
    if (status !== 200 || said.kind !== 'success') {
      return protocol(`${url.host} answered the login with ${status} and no ticket: check the login address`)
    }
    if (!WORD.test(said.ticket) || said.ticket.length > MAX_TICKET) {
      return protocol(`${url.host} gave a ticket that cannot be used`)
    }
    return { kind: 'ticket', ticket: said.ticket }
  }

  #mustBeSecure(target: URL): string | undefined {
    return target.protocol === 'https:' ? undefined : `${target.host} (not https)`
  }

  /** A password goes to HTTPS only, to the host it was meant for, its organisation, or a configured host. */
  #wrongTarget(target: URL, trusted: URL): string | undefined {
    const known = [trusted.hostname, ...(this.#options.loginHosts ?? [])]
    const configured = 'login' in this.#options.passport ? this.#options.passport.login : this.#options.passport.nexus
    known.push(URL.parse(configured)?.hostname ?? trusted.hostname)
    const isKnown = known.some((host) => isSameOrganisation(target.hostname, host))
    return isKnown ? this.#mustBeSecure(target) : target.host
  }

  /** Status and headers of one GET; the body is not waited for. */
  #get(url: URL, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Answer | PassportFailure> {
    const { ca, insecure, timeoutMs } = this.#options
    const request = url.protocol === 'https:' ? https.request : http.request
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve({ kind: 'aborted', detail: 'the login was given up' })
        return
      }
      const options = {
        agent: false,
        headers: { 'User-Agent': 'MSMSGS', 'Cache-Control': 'no-cache', Connection: 'close', ...headers },
        maxHeaderSize: MAX_HEADER_BYTES,
        ...(ca === undefined ? {} : { ca }),
        rejectUnauthorized: insecure !== true,
      }
      const settle = (result: Answer | PassportFailure): void => {
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
      const outgoing = request(url, options)
      outgoing.on('response', (response) => settle({ status: response.statusCode ?? 0, headers: response.headers }))
      outgoing.on('error', (error: NodeJS.ErrnoException) => settle(failureOf(url, error)))
      signal?.addEventListener('abort', onAbort, { once: true })
      outgoing.end()
    })
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

const first = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)

/** Words of the server for an operator: short, and without anything that could act on a terminal. */
const clean = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
    .slice(0, 200)
    .trim()

const protocol = (detail: string): PassportFailure => ({ kind: 'protocol', detail })

function busy(url: URL, { status, headers }: Answer): PassportFailure {
  const seconds = /^\d{1,5}$/.exec(headers['retry-after'] ?? '')?.[0]
  const detail = `${url.host} is not available now (${status})`
  return { kind: 'busy', detail, ...(seconds === undefined ? {} : { retryAfterMs: Number(seconds) * 1_000 }) }
}

const TLS_CODES = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO|HOSTNAME_MISMATCH|INVALID_)/

function failureOf(url: URL, error: NodeJS.ErrnoException): PassportFailure {
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
