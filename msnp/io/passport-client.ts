import { formatAuthorization, parsePassportAnswer, parsePassportUrls } from '../auth/passport.ts'
import {
  askLogin,
  badCredentials,
  busy,
  configuredPage,
  MAX_LOGIN_HOPS,
  notSecure,
  protocol,
  wrongTarget,
  type LoginAnswer,
  type LoginFailure,
  type LoginHttpOptions,
  type LoginResult,
} from './login-http.ts'

/** Characters of a ticket: it goes into one line of the notification connection. */
const MAX_TICKET = 8 * 1024
const WORD = /^[\x21-\x7e]*$/

export interface PassportClientOptions extends LoginHttpOptions {
  /** The nexus is asked for the login page; `login` is that page. Plain http only where it is written so here. */
  readonly passport: { readonly nexus: string } | { readonly login: string }
  readonly login: string
  readonly password: string
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
  async ticket(policy: string, signal?: AbortSignal): Promise<LoginResult> {
    if (!WORD.test(policy)) return protocol('the policy of the notification server holds odd characters')
    const start = await this.#login(signal)
    if (!(start instanceof URL)) return start
    const { login, password } = this.#options
    const authorization = formatAuthorization({ signIn: login, password, policy })
    let url = start
    for (let hop = 0; hop <= MAX_LOGIN_HOPS; hop++) {
      const answer = await askLogin(this.#options, { url, headers: { authorization }, signal })
      if ('kind' in answer) return answer
      const next = this.#read(answer, url, start)
      if (!(next instanceof URL)) return next
      url = next
    }
    return protocol(`the login was redirected more than ${MAX_LOGIN_HOPS} times`)
  }

  async #login(signal: AbortSignal | undefined): Promise<URL | LoginFailure> {
    if (this.#loginUrl !== undefined) return this.#loginUrl
    const { passport } = this.#options
    const url = configuredPage('login' in passport ? passport.login : passport.nexus)
    if (!(url instanceof URL)) return url
    if ('login' in passport) return (this.#loginUrl = url)
    const answer = await askLogin(this.#options, { url, signal })
    if ('kind' in answer) return answer
    if (answer.status >= 500) return busy(url, answer)
    const header = first(answer.headers['passporturls'])
    const login = URL.parse(parsePassportUrls(header ?? '') ?? '')
    if (login === null) {
      return protocol(`the nexus ${url.href} answered ${answer.status} without a login page: check the address`)
    }
    // A nexus that proves who it is may send us anywhere; one that does not, only where we would go anyway.
    const wrong = url.protocol === 'https:' ? notSecure(login) : this.#wrongTarget(login, url)
    if (wrong !== undefined) return protocol(`the nexus names a login page that is not trusted: ${wrong}`)
    return (this.#loginUrl = login)
  }

  /** What a login page's answer means: a ticket, a failure, or where to ask next. */
  #read(answer: LoginAnswer, url: URL, start: URL): URL | LoginResult {
    const { status, headers } = answer
    const said = parsePassportAnswer(first(headers['authentication-info'] ?? headers['www-authenticate']) ?? '')
    if (status >= 500 || status === 429) return busy(url, answer)
    if (status === 401 || said.kind === 'failed') return badCredentials(url, said.kind === 'failed' ? said.text : '')
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

  #wrongTarget(target: URL, trusted: URL): string | undefined {
    const { passport } = this.#options
    const configured = URL.parse('login' in passport ? passport.login : passport.nexus)
    return wrongTarget(target, [trusted.hostname, configured?.hostname ?? trusted.hostname], this.#options)
  }
}

const first = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)
