/** Whatever is asked of our web servers, they answer, keep no more than they must, and go on. */
import http from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { formatRstRequest } from '../../../msnp/auth/rst.ts'
import { MsnServer } from '../../../msnp/index.ts'
import { GatewayGuest } from '../../kit/gateway-guest.ts'
import { MapHost } from '../../kit/map-host.ts'
import { passportTicket } from '../../kit/messenger.ts'

const ANY = { host: '127.0.0.1', port: 0 }
const SESSIONS = 20
const ALICE = 'alice@home.example'
const host = new MapHost()
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 })
let server: MsnServer

beforeAll(async () => {
  host.add(ALICE, 'secret')
  const listen = { notification: ANY, passport: ANY, http: ANY }
  server = new MsnServer({ host, tls: 'plain', listen, gateway: { sessions: SESSIONS, lingerMs: 1, holdMs: 5 } })
  await server.start()
})
afterAll(async () => {
  agent.destroy()
  await server.stop()
})

const ask = (port: number, method: string, path: string, body: Uint8Array): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = { 'Content-Length': body.length }
    const request = http.request({ host: '127.0.0.1', port, agent, method, path, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      // A body that is not wanted may be cut off with the connection.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(413)
      else reject(error)
    })
    request.end(body)
  })

const words = fc.string({ maxLength: 40 })
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .constantFrom('VER 1 MSNP9\r\n', 'USR 1 TWN S x\r\n', 'OUT\r\n', 'MSG 1 N 1664\r\n', 'ANS 1 a b c\r\n')
    .map((line) => Buffer.from(line)),
)
const query = fc.oneof(
  fc.constantFrom('Action=open&Server=NS&IP=x', 'Action=open&Server=SB&IP=x', 'Action=poll&Lifespan=9&SessionID=1.2'),
  fc
    .array(
      fc.tuple(
        fc.constantFrom('Action', 'SessionID', 'Server', 'IP', 'Lifespan', 'action', 'x'),
        fc.oneof(fc.constantFrom('open', 'poll', 'NS', 'SB', '1.2', '-1', '__proto__'), words),
      ),
      { maxLength: 5 },
    )
    .map((pairs) => pairs.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join('&')),
)

it('gateway requests', async () => {
  const { http: gateway, passport } = server.listening!
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(gateway!.port, passport.port),
      fc.constantFrom('POST', 'POST', 'GET', 'PUT', 'OPTIONS'),
      query,
      bytes,
      async (port, method, asked, body) => {
        const status = await ask(
          port,
          method,
          `/gateway/gateway.dll?${asked}`,
          method === 'GET' ? Buffer.alloc(0) : body,
        )
        expect([200, 400, 413, 503]).toContain(status)
        expect(server.counters().tunnels).toBeLessThanOrEqual(SESSIONS)
      },
    ),
    { numRuns: 300 },
  )
  expect(host.of('failure')).toEqual([])
})

it('logins', async () => {
  const { port } = server.listening!.passport
  const good = formatRstRequest({ signIn: ALICE, password: 'secret', policy: 'lc=1033', now: 0 })
  const broken = fc
    .tuple(fc.nat({ max: good.length }), fc.nat({ max: 200 }), words)
    .map(([at, length, piece]) => Buffer.from(good.slice(0, at) + piece + good.slice(at + length)))
  await fc.assert(
    fc.asyncProperty(fc.oneof(broken, bytes), async (body) => {
      expect([200, 400, 413]).toContain(await ask(port, 'POST', '/RST.srf', body))
    }),
    { numRuns: 200 },
  )
  expect(host.of('failure')).toEqual([])
})

it('and then they serve those who mean it', async () => {
  const { http: gateway, passport } = server.listening!
  const where = { notification: 0, passport: passport.port, plain: true }
  expect(await passportTicket(where, ALICE, 'secret', 'lc=1033')).toMatch(/^t=/)
  while (server.counters().tunnels >= SESSIONS) await server.stop().then(() => server.start())
  const { port } = server.listening?.http ?? gateway!
  const guest = new GatewayGuest(port, 'NS', 'x')
  expect(await guest.until(/VER 1/, 'VER 1 MSNP9 CVR0\r\n')).toMatch(/^VER 1 MSNP9/)
})
