import { formatRstRequest, parseRstAnswer, RST_CONTENT_TYPE } from '../auth/rst.ts'
import {
  askLogin,
  badCredentials,
  busy,
  clean,
  configuredPage,
  MAX_LOGIN_HOPS,
  protocol,
  wrongTarget,
  type LoginAnswer,
  type LoginHttpOptions,
  type LoginResult,
} from './login-http.ts'

export interface RstClientOptions extends LoginHttpOptions {
  /** The page that is asked. Plain http only where it is written so here. */
  readonly rst: string
  readonly login: string
  readonly password: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** The login of MSN Messenger 7.5. Source: docs/protocol.md, Login by RST. */
export class RstClient {
  readonly #options: RstClientOptions

  constructor(options: RstClientOptions) {
    this.#options = options
  }

  /** `policy` is what came with `USR n TWN S`. Never rejects. */
  async ticket(policy: string, signal?: AbortSignal): Promise<LoginResult> {
    const { rst, login, password, now } = this.#options
    const start = configuredPage(rst)
    if (!(start instanceof URL)) return start
    const headers = { 'Content-Type': RST_CONTENT_TYPE, Accept: 'text/*' }
    const body = formatRstRequest({ signIn: login, password, policy, now: now() })
    let url = start
    for (let hop = 0; hop <= MAX_LOGIN_HOPS; hop++) {
      const answer = await askLogin(this.#options, { url, headers, body, signal })
      if ('kind' in answer) return answer
      const next = this.#read(answer, url, start)
      if (!(next instanceof URL)) return next
      url = next
    }
    return protocol(`the login was redirected more than ${MAX_LOGIN_HOPS} times`)
  }

  /** What an answer means: a ticket, a failure, or where to ask next. */
  #read(answer: LoginAnswer, url: URL, start: URL): URL | LoginResult {
    const { status, headers } = answer
    if (status >= 300 && status < 400) return this.#next(headers.location ?? '', url, start)
    const said = parseRstAnswer(answer.body)
    switch (said.kind) {
      case 'success':
        return { kind: 'ticket', ticket: said.ticket }
      case 'redirect':
        return this.#next(said.url, url, start)
      case 'failed':
        return badCredentials(url, said.text)
      case 'fault':
      case 'unknown': {
        if (status === 401) return badCredentials(url, '')
        const isFault = said.kind === 'fault'
        // A fault may come with 500; without one, 500 means later.
        if (status === 429 || status === 503 || (status >= 500 && !isFault)) return busy(url, answer)
        const words = isFault ? clean(`the fault ${said.code}: ${said.text}`) : 'no ticket: check the login address'
        return protocol(`${url.host} answered the login with ${status} and ${words}`)
      }
    }
  }

  #next(location: string, url: URL, start: URL): URL | LoginResult {
    const next = location === '' ? null : URL.parse(location, url.href)
    if (next === null) return protocol(`${url.host} redirects the login nowhere`)
    const wrong = wrongTarget(next, [start.hostname], this.#options)
    return wrong === undefined ? next : protocol(`${url.host} redirects the login to a place not trusted: ${wrong}`)
  }
}
