import { once } from 'node:events'
import http from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PassportClient, type PassportClientOptions } from '../../../msnp/io/passport-client.ts'
import { ScriptedWeb, ticketAnswer } from '../../kit/scripted-server.ts'

let web: ScriptedWeb
beforeAll(async () => {
  web = await ScriptedWeb.start()
})
afterAll(() => web.stop())
afterEach(() => {
  web.requests.length = 0
  web.answer = () => ({ status: 404 })
})

const client = (options: Partial<PassportClientOptions> = {}): PassportClient =>
  new PassportClient({
    passport: { login: web.url('/login') },
    login: 'alice@example.com',
    password: 'pass, =% wörd',
    ca: web.ca,
    timeoutMs: 5_000,
    ...options,
  })

const nexus = (urls: string, header = 'PassportURLs') => ({ status: 200, headers: { [header]: urls } })

describe('the login (docs/protocol.md, Passport)', () => {
  it('asks the nexus once, then the login page, and gives the ticket verbatim', async () => {
    web.answer = (path) =>
      path === '/rdr/pprdr.asp'
        ? nexus(`DARealm=Passport.Net,DALogin=127.0.0.1:${web.port}/login2.srf,DAReg=x`)
        : ticketAnswer('t=53*1h%20A$$&p=54*v$$')
    const passport = client({ passport: { nexus: web.url('/rdr/pprdr.asp') } })
    expect(await passport.ticket('lc=1033,id=507')).toEqual({ kind: 'ticket', ticket: 't=53*1h%20A$$&p=54*v$$' })
    expect(await passport.ticket('lc=1033,id=507')).toMatchObject({ kind: 'ticket' })
    expect(web.requests.map(({ path }) => path)).toEqual(['/rdr/pprdr.asp', '/login2.srf', '/login2.srf'])
    expect(web.requests[0]?.authorization).toBeUndefined()
    expect(web.requests[1]?.authorization).toBe(
      'Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in=alice%40example.com,' +
        'pwd=pass%2C%20%3D%25%20w%C3%B6rd,lc=1033,id=507',
    )
  })

  it('takes the other shape: an odd header name, a scheme, no list, a bare ticket', async () => {
    web.answer = (path) =>
      path === '/nexus' ? nexus(`DALogin=${web.url('/login')}`, 'Passporturls') : ticketAnswer('41783c28e25872e01a8d')
    const passport = client({ passport: { nexus: web.url('/nexus') } })
    expect(await passport.ticket('ct=1,rver=1')).toEqual({ kind: 'ticket', ticket: '41783c28e25872e01a8d' })
  })

  it('follows a redirect with the same request', async () => {
    web.answer = (path) =>
      path === '/login'
        ? {
            status: 302,
            headers: { Location: '/login2.srf?lc=1033', 'Authentication-Info': 'Passport1.4 da-status=redir' },
          }
        : ticketAnswer()
    expect(await client().ticket('lc=1')).toMatchObject({ kind: 'ticket' })
    expect(web.requests.map(({ path }) => path)).toEqual(['/login', '/login2.srf?lc=1033'])
    expect(web.requests[1]?.authorization).toBe(web.requests[0]?.authorization)
  })

  it('does not run in circles', async () => {
    web.answer = () => ({ status: 302, headers: { Location: '/login' } })
    expect(await client().ticket('lc=1')).toMatchObject({ kind: 'protocol' })
    expect(web.requests).toHaveLength(6)
  })

  it.each([
    ['plain http', () => `http://127.0.0.1:${web.port}/login`],
    ['another host', () => `https://127.0.0.2:${web.port}/login`],
    ['nowhere', () => ''],
    ['something that is no web page', () => 'ftp://127.0.0.1/login'],
  ])('never takes the password to %s', async (_, location) => {
    web.answer = (path) => (path === '/login' ? { status: 302, headers: { Location: location() } } : ticketAnswer())
    const result = await client().ticket('lc=1')
    expect(result.kind).toBe('protocol')
    expect(web.requests).toHaveLength(1)
  })

  it('takes it to a host that the operator named', async () => {
    web.answer = (path) =>
      path === '/login' ? { status: 302, headers: { Location: web.url('/there', 'localhost') } } : ticketAnswer()
    expect(await client().ticket('lc=1')).toMatchObject({ kind: 'protocol' })
    expect(await client({ loginHosts: ['localhost'] }).ticket('lc=1')).toMatchObject({ kind: 'ticket' })
  })

  it('does not believe a nexus that sends it to plain http', async () => {
    web.answer = () => nexus(`DALogin=http://127.0.0.1:${web.port}/login`)
    const result = await client({ passport: { nexus: web.url('/nexus') } }).ticket('lc=1')
    expect(result).toMatchObject({ kind: 'protocol' })
    expect(web.requests).toHaveLength(1)
  })

  it('tells a wrong password, with the words of the service made harmless', async () => {
    web.answer = () => ({
      status: 401,
      headers: { 'WWW-Authenticate': 'Passport1.4 da-status=failed,prompt,cbtxt=Invalid%20password%1B%5B31m' },
    })
    const result = await client().ticket('lc=1')
    expect(result).toEqual({
      kind: 'bad-credentials',
      detail: `127.0.0.1:${web.port} does not accept address and password: Invalid password [31m`,
    })
  })

  it.each([
    [503, {}, 'busy', undefined],
    [500, { 'Retry-After': '120' }, 'busy', 120_000],
    [429, { 'Retry-After': 'soon' }, 'busy', undefined],
    [401, {}, 'bad-credentials', undefined],
    [200, {}, 'protocol', undefined],
    [404, {}, 'protocol', undefined],
    [200, { 'Authentication-Info': 'Passport1.4 da-status=failed' }, 'bad-credentials', undefined],
    [
      200,
      { 'Authentication-Info': `Passport1.4 da-status=success,from-PP='${'x'.repeat(9_000)}'` },
      'protocol',
      undefined,
    ],
  ])('makes of %i %j: %s', async (status, headers, kind, retryAfterMs) => {
    web.answer = () => ({ status, headers })
    const result = await client().ticket('lc=1')
    expect(result.kind).toBe(kind)
    expect('retryAfterMs' in result ? result.retryAfterMs : undefined).toBe(retryAfterMs)
  })

  it('refuses a certificate that nobody vouches for, and says what to do', async () => {
    web.answer = () => ticketAnswer()
    const result = await client({ ca: undefined }).ticket('lc=1')
    expect(result).toMatchObject({ kind: 'tls', detail: expect.stringContaining('ca') as string })
    expect(web.requests).toHaveLength(0)
    expect(await client({ insecure: true }).ticket('lc=1')).toMatchObject({ kind: 'ticket' })
  })

  it('does not wait for ever', async () => {
    web.answer = () => ({ status: 200, silent: true })
    expect(await client({ timeoutMs: 60 }).ticket('lc=1')).toMatchObject({ kind: 'timeout' })
  })

  it('stops when it is told to', async () => {
    const abort = new AbortController()
    web.answer = () => {
      abort.abort()
      return { status: 200, silent: true }
    }
    expect(await client().ticket('lc=1', abort.signal)).toMatchObject({ kind: 'aborted' })
    expect(await client().ticket('lc=1', abort.signal)).toMatchObject({ kind: 'aborted' })
    expect(web.requests).toHaveLength(1)
  })

  it('tells an unreachable page from one that speaks no HTTP', async () => {
    const server = createServer((socket) =>
      socket
        .resume()
        .on('error', () => undefined)
        .end('220 mail.example ESMTP\r\n'),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const login = `http://127.0.0.1:${port}/login`
    expect(await client({ passport: { login } }).ticket('lc=1')).toMatchObject({ kind: 'protocol' })
    server.close()
    await once(server, 'close')
    expect(await client({ passport: { login } }).ticket('lc=1')).toMatchObject({
      kind: 'unreachable',
      detail: `cannot reach 127.0.0.1:${port}: ECONNREFUSED`,
    })
  })

  it('uses plain http where the operator wrote it, but does not let a plain nexus choose the host', async () => {
    const server = http.createServer((_, response) =>
      response.writeHead(200, { PassportURLs: 'DALogin=login.example.com/login2.srf' }).end(),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const result = await client({ passport: { nexus: `http://127.0.0.1:${port}/` } }).ticket('lc=1')
    expect(result).toMatchObject({ kind: 'protocol', detail: expect.stringContaining('login.example.com') as string })
    server.close()
    await once(server, 'close')
  })

  it('never says password or ticket in a failure', async () => {
    web.answer = () => ({ status: 302, headers: { Location: 'https://evil.example/?pwd=pass' } })
    const result = await client({ password: 'hunter2' }).ticket('lc=1')
    expect(JSON.stringify(result)).not.toContain('hunter2')
    expect(await client().ticket('lc=1\u0001')).toMatchObject({ kind: 'protocol' })
    expect(await client({ passport: { login: 'nonsense' } }).ticket('lc=1')).toMatchObject({ kind: 'protocol' })
  })
})
