import net from 'node:net'
import tls from 'node:tls'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { makeCertificate, MsnServer, type KeyPair, type MsnServerOptions } from '../../../msnp/index.ts'
import { createPassportServer } from '../../../msnp/io/passport-server.ts'
import { tlsProblem } from '../../../msnp/io/web-server.ts'
import { MapHost } from '../../kit/map-host.ts'
import { Wire } from '../../kit/messenger.ts'

const ANY = { host: '127.0.0.1', port: 0 }

let pair: KeyPair
const servers: MsnServer[] = []

beforeAll(async () => {
  pair = await makeCertificate(['home.example'], Date.now())
})

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

const run = async (options: Partial<MsnServerOptions> = {}) => {
  const host = new MapHost()
  host.add('alice@home.example', 'a,b=c%d e')
  const server = new MsnServer({ host, tls: 'plain', listen: { notification: ANY, passport: ANY }, ...options })
  servers.push(server)
  await server.start()
  const port = server.listening?.passport.port ?? 0
  return { host, server, port, ask: (request: string) => exchange(net.connect(port, '127.0.0.1'), request) }
}

/** The whole answer to some bytes, with its spelling; resolves when the server has closed the connection. */
const exchange = (socket: net.Socket, request: string | Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.on('error', reject)
    socket.on('end', () => resolve(answer))
    socket.write(request)
  })

const AUTHORIZATION =
  'Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in=alice%40home.example,pwd=a%2Cb%3Dc%25d%20e,lc=1033,id=507'

const login = (authorization: string, path = '/login2.srf'): string =>
  `GET ${path} HTTP/1.1\r\nAuthorization: ${authorization}\r\nUser-Agent: MSMSGS\r\nHost: login.passport.com\r\nConnection: Keep-Alive\r\nCache-Control: no-cache\r\n\r\n`

const ticketIn = (answer: string): string => /from-PP='([^']*)'/.exec(answer)?.[1] ?? ''

/** docs/protocol.md, Passport: the nexus. */
describe('the nexus', () => {
  it('names the login page in a header spelled PassportURLs, without a scheme and with a comma behind it', async () => {
    const { ask } = await run()
    const answer = await ask('GET /rdr/pprdr.asp HTTP/1.1\r\nHost: nexus.passport.com\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).toMatch(/\r\nPassportURLs: DALogin=nexus\.passport\.com\/login2\.srf,DARealm=Passport\.Net,/)
    expect(answer).toContain('\r\nContent-Length: 0\r\n')
    expect(answer).toContain('\r\nConnection: close\r\n')
  })

  it('names its public name where there is one, and its own address to a client that names none', async () => {
    const named = await run({ public: { passport: 'login.example:8443' } })
    const request = 'GET /rdr/pprdr.asp HTTP/1.1\r\nHost: other.example\r\n\r\n'
    expect(await named.ask(request)).toContain('DALogin=login.example:8443/login2.srf,')
    const { ask, port } = await run()
    expect(await ask('GET /rdr/pprdr.asp HTTP/1.0\r\n\r\n')).toContain(`DALogin=127.0.0.1:${port}/login2.srf,`)
    expect(await ask('GET /rdr/pprdr.asp HTTP/1.1\r\nHost: a,b=c/\r\n\r\n')).toContain(`DALogin=127.0.0.1:${port}/`)
  })
})

/** docs/protocol.md, Passport: the login. */
describe('the login page', () => {
  it.each([
    '/login2.srf',
    '/login.srf',
    '/login',
    '//login2.srf?lc=1033',
    '/login2.srf,DARealm=Passport.Net,ConfigVersion=15',
    'https://login.passport.com/login2.srf',
    '/LOGIN2.SRF',
  ])('gives a ticket for the right password at %s', async (path) => {
    const { ask } = await run()
    const answer = await ask(login(AUTHORIZATION, path))
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\nAuthentication-Info: Passport1\.4 da-status=success,/)
    expect(ticketIn(answer)).toMatch(/^t=[\w-]{20,}&p=$/)
    expect(answer).toContain('\r\nConnection: close\r\n')
  })

  it.each([
    ['a doubled scheme', `Passport1.4 ${AUTHORIZATION}`],
    ['a sign-in that is not encoded', AUTHORIZATION.replace('%40', '@')],
    ['blanks around the items', AUTHORIZATION.replaceAll(',', ', ')],
    ['other letters', AUTHORIZATION.replace('alice', 'ALICE').replace('Passport1.4', 'passport1.4')],
  ])('takes %s', async (_, authorization) => {
    const { ask } = await run()
    expect(ticketIn(await ask(login(authorization)))).not.toBe('')
  })

  it('answers a wrong password with 401 and words for the person, and tells the host', async () => {
    const { ask, host, server } = await run()
    const answer = await ask(login(AUTHORIZATION.replace('pwd=', 'pwd=x')))
    expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\nWWW-Authenticate: Passport1\.4 da-status=failed,/)
    expect(answer).toContain('cbtxt=Invalid%20password')
    expect(host.notices).toEqual([{ kind: 'refused', email: 'alice@home.example', code: 911, address: '127.0.0.1' }])
    expect(server.counters().refused).toEqual({ 'wrong password': 1 })
  })

  it.each(['', 'Basic YTpi', 'Passport1.4 OrgVerb=GET', 'Passport1.4 sign-in=alice%40home.example'])(
    'answers %j, which is no login, with 401',
    async (authorization) => {
      const { ask, host } = await run()
      expect(await ask(login(authorization))).toMatch(/^HTTP\/1\.1 401 /)
      expect(host.notices).toEqual([])
    },
  )

  it('answers 503 to somebody who has tried too often, and 500 when the store fails', async () => {
    const { ask, host } = await run()
    host.verdict = 'throttled'
    const throttled = await ask(login(AUTHORIZATION))
    expect(throttled).toMatch(/^HTTP\/1\.1 503 /)
    expect(throttled).toContain('\r\nRetry-After: 60\r\n')
    host.verdict = new Error('the disk is on fire')
    expect(await ask(login(AUTHORIZATION))).toMatch(/^HTTP\/1\.1 500 /)
    expect(host.of('failure')).toEqual([{ kind: 'failure', detail: 'checking a password: the disk is on fire' }])
  })

  it('gives tickets that work once, for their owner, in time', async () => {
    let now = 1_000_000_000_000
    const { ask, host, server } = await run({ now: () => now, timings: { ticketMs: 30_000 } })
    host.add('bob@home.example', 'b')
    const prove = async (email: string, ticket: string): Promise<string> => {
      const wire = await Wire.connect(server.listening?.notification.port ?? 0)
      wire.send('VER 1 MSNP9 CVR0')
      wire.send(`CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 MSMSGS ${email}`)
      wire.send(`USR 3 TWN I ${email}`)
      await wire.next('USR 3 TWN S')
      wire.send(`USR 4 TWN S ${ticket}`)
      return (await wire.next(/^(USR|911) 4/)).words.slice(0, 3).join(' ')
    }
    const fresh = async (): Promise<string> => ticketIn(await ask(login(AUTHORIZATION)))
    const ticket = await fresh()
    expect(await prove('bob@home.example', ticket)).toBe('911 4')
    expect(await prove('alice@home.example', ticket)).toBe('USR 4 OK')
    expect(await prove('alice@home.example', ticket)).toBe('911 4')
    const late = await fresh()
    now += 30_000
    expect(await prove('alice@home.example', late)).toBe('911 4')
  })

  it('learns the address of the client from a proxy on this machine, and from nobody else', async () => {
    const forwarded = login(AUTHORIZATION.replace('pwd=', 'pwd=x')).replace(
      'User-Agent',
      'X-Forwarded-For: 198.51.100.9, 203.0.113.7\r\nUser-Agent',
    )
    const plain = await run()
    await plain.ask(forwarded)
    expect(plain.host.of('refused')[0]?.address).toBe('203.0.113.7')
    const secure = await run({ tls: pair })
    await exchange(tls.connect({ port: secure.port, host: '127.0.0.1', ca: pair.cert }), forwarded)
    expect(secure.host.of('refused')[0]?.address).toBe('127.0.0.1')
  })
})

describe('everything else', () => {
  it.each([
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc', 200],
    ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 404],
    ['POST /Config/MsgrConfig.asmx HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', 200],
    ['DELETE /login2.srf HTTP/1.1\r\nHost: x\r\n\r\n', 404],
    ['GET /rdr/../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n', 404],
    ['VER 1 MSNP9 CVR0\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nCookie: ${'x'.repeat(20_000)}\r\n\r\n`, 400],
  ])('%j is answered at once with %i', async (request, status) => {
    const { ask } = await run()
    expect(await ask(request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  })

  it('is a violation when it is no HTTP, and a failed handshake when it is no TLS', async () => {
    const plain = await run()
    await plain.ask('\x16\x03\x01\r\n\r\n')
    expect(plain.host.of('violation')).toEqual([
      { kind: 'violation', where: 'HTTP', detail: 'a malformed request', address: '127.0.0.1' },
    ])
    const secure = await run({ tls: pair })
    const nonsense = Buffer.from('1603010005hello', 'latin1')
    for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), nonsense])
      await exchange(net.connect(secure.port, '127.0.0.1'), bytes)
    expect(secure.host.of('violation').map(({ detail }) => detail)).toEqual([
      'plain HTTP where TLS was expected',
      'a failed TLS handshake',
    ])
    expect(Object.values(secure.server.counters().refused)).toEqual([1, 1])
  })

  it.each([
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'a client that does not trust our certificate'],
    ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN', 'a client that does not trust our certificate'],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'a TLS handshake that took too long'],
    ['ERR_SSL_NO_SHARED_CIPHER', 'a client whose TLS is too old for ours'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'a failed TLS handshake'],
  ])('says what an operator can do about %s', (code, problem) => {
    expect(tlsProblem(code)).toBe(problem)
  })
})

describe('a client that is slow', () => {
  const slow = async (tlsOptions: KeyPair | 'plain') => {
    const reasons: string[] = []
    const server = createPassportServer({
      tls: tlsOptions,
      host: new MapHost(),
      tickets: { mint: () => 't=x&p=', redeem: () => false },
      publicName: undefined,
      ticketMs: 30_000,
      now: () => 0,
      requestMs: 200,
      onNotice: () => undefined,
      onRefused: (reason) => reasons.push(reason),
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as net.AddressInfo
    return { reasons, server, socket: net.connect(port, '127.0.0.1') }
  }

  it('with its request is answered and cut off', async () => {
    const { reasons, server, socket } = await slow('plain')
    const answer = await exchange(socket, 'GET /login2.srf HTTP/1.1\r\nHost')
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(reasons).toEqual(['a request that took too long'])
    await new Promise((resolve) => server.close(resolve))
  })

  it('with its handshake is cut off', async () => {
    const { reasons, server, socket } = await slow(pair)
    await exchange(socket, Buffer.from('160301', 'hex'))
    expect(reasons).toEqual(['a TLS handshake that took too long'])
    await new Promise((resolve) => server.close(resolve))
  })
})

/** docs/protocol.md, Real clients: TLS as old as their Windows. */
describe('TLS', () => {
  it.each([
    ['TLSv1', 'AES128-SHA'],
    ['TLSv1.1', 'AES256-SHA'],
    ['TLSv1.2', 'AES128-SHA'],
    ['TLSv1.3', undefined],
  ] as const)('works with a client that speaks %s', async (version, ciphers) => {
    const { port } = await run({ tls: pair })
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      ca: pair.cert,
      minVersion: version,
      maxVersion: version,
      ...(ciphers === undefined ? {} : { ciphers: `${ciphers}:@SECLEVEL=0` }),
    })
    expect(ticketIn(await exchange(socket, login(AUTHORIZATION)))).not.toBe('')
  })

  it.each([
    ['TLSv1', true],
    ['TLSv1.1', true],
    ['TLSv1.2', false],
    ['TLSv1.3', false],
  ] as const)('without what is old is too new for %s: %s', async (version, isRefused) => {
    const { port, server } = await run({ tls: pair, legacyTls: false })
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      ca: pair.cert,
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT:@SECLEVEL=0',
    })
    const answer = exchange(socket, login(AUTHORIZATION))
    if (!isRefused) expect(ticketIn(await answer)).not.toBe('')
    else {
      await expect(answer).rejects.toThrow()
      await expect.poll(() => server.counters().refused).toEqual({ 'a client whose TLS is too old for ours': 1 })
    }
  })
})

/** docs/protocol.md, Other pages. */
describe('what else clients ask for', () => {
  const get = (path: string, method = 'GET'): string =>
    `${method} ${path} HTTP/1.1\r\nHost: config.messenger.msn.com\r\nContent-Length: 0\r\n\r\n`

  it.each([
    [get('/Config/MsgrConfig.asmx?op=GetClientConfig'), 200, '<MsgrConfig>'],
    [get('/Config/MsgrConfig.asmx', 'POST'), 200, '<GetClientConfigResult><![CDATA[<MsgrConfig>'],
    [get('/svcs/mms/tabs.asp'), 200, '<msntabdata>'],
    [get('/svcs/mms/portal.asp'), 200, 'You are signed in.'],
    [get('/etc/text-ad-service'), 200, ''],
    [get('/', 'POST'), 200, ''],
    [get('/'), 404, ''],
    [get('/5meen_en/60'), 404, ''],
    [get('/constructor'), 404, ''],
    [get('/gateway/gateway.dll?Action=open&Server=NS&IP=x', 'POST'), 404, ''],
    [get('/svcs/mms/tabs.asp', 'PUT'), 404, ''],
  ])('is answered at once: %j', async (request, status, body) => {
    const { ask } = await run()
    const answer = await ask(request)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toContain('\r\nConnection: close\r\n')
    expect(answer.split('\r\n\r\n')[1]).toContain(body)
  })
})
