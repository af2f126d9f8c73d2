import type http from 'node:http'
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
import { pageFor } from './pages.ts'
import { answerRst, RETRY_AFTER_S, type RstPageOptions } from './rst-page.ts'
import { createWebServer, type WebServerOptions } from './web-server.ts'
import { clientOf, pathOf, reply } from './web.ts'

/** With a comma and more behind it, it is from a client that took the whole of PassportURLs for a URL. */
const LOGIN_PATHS: ReadonlySet<string> = new Set([LOGIN_PATH, '/login.srf', '/login'])

export interface PassportServerOptions extends RstPageOptions, Omit<WebServerOptions, 'onNotice' | 'onRefused'> {
  /** host or host:port of the login page as clients reach it. By default what they asked for. */
  readonly publicName: string | undefined
  /** Asked before the login. */
  readonly others?: OtherPages | undefined
}

/** Whether another page has taken the request, and answers it. */
export type OtherPages = (request: http.IncomingMessage, response: http.ServerResponse, path: string) => boolean

/**
 * The login, by Passport 1.4 and by RST: where passwords become tickets. The caller makes it listen. Source:
 * docs/protocol.md, Passport. Clients of 2003 want `PassportURLs` spelled exactly so, the connection closed after the
 * answer, and TLS as old as they are.
 */
export function createPassportServer(options: PassportServerOptions): http.Server {
  const page = new PassportPage(options)
  return createWebServer(options, (request, response) => {
    const path = pathOf(request.url ?? '/')
    if (options.others?.(request, response, path) !== true) void page.answer(request, response, path)
  })
}

class PassportPage {
  readonly #options: PassportServerOptions

  constructor(options: PassportServerOptions) {
    this.#options = options
  }

  /** Never rejects. */
  async answer(request: http.IncomingMessage, response: http.ServerResponse, path: string): Promise<void> {
    const { method = '' } = request
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
    } else if (LOGIN_PATHS.has(path.replace(/,.*$/, '')) && (method === 'GET' || method === 'POST')) {
      await this.#login(request, response)
    } else reply(response, pageFor(method, path))
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
