import type { Server } from 'node:http'
import { GATEWAY_PATH } from '../session/gateway-session.ts'
import type { HttpGateway } from './gateway.ts'
import { pageFor } from './pages.ts'
import type { OtherPages } from './passport-server.ts'
import { createWebServer, type WebServerOptions } from './web-server.ts'
import { pathOf, reply } from './web.ts'

/** The gateway as one of the pages of a web server. `plain`: a proxy on this machine may say whose request it is. */
export const gatewayPages =
  (gateway: HttpGateway | undefined, plain: boolean): OtherPages =>
  (request, response, path) => {
    if (gateway === undefined || path !== GATEWAY_PATH) return false
    void gateway.answer(request, response, plain)
    return true
  }

/** A web server without a login: what comes in the clear may be bytes of MSNP, never a password. */
export function createGatewayServer(options: Omit<WebServerOptions, 'tls'>, gateway: HttpGateway | undefined): Server {
  const pages = gatewayPages(gateway, true)
  return createWebServer({ ...options, tls: 'plain' }, (request, response) => {
    const path = pathOf(request.url ?? '/')
    if (pages(request, response, path)) return
    request.resume()
    reply(response, pageFor(request.method ?? '', path))
  })
}
