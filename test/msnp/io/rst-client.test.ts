import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { formatRstFault, formatRstSuccess, parseRstRequest } from '../../../msnp/auth/rst.ts'
import { Login, type LoginOptions } from '../../../msnp/io/login.ts'
import { ScriptedWeb, ticketAnswer, type WebAnswer } from '../../kit/scripted-server.ts'

const PASSWORD = `pass<&"' wörd`

let web: ScriptedWeb
beforeAll(async () => {
  web = await ScriptedWeb.start()
})
afterAll(() => web.stop())
afterEach(() => {
  web.requests.length = 0
  web.answer = () => ({ status: 404 })
})

const login = (options: Partial<LoginOptions> = {}): Login =>
  new Login({
    passport: { rst: web.url('/RST.srf') },
    login: 'alice@example.com',
    password: PASSWORD,
    ca: web.ca,
    timeoutMs: 5_000,
    now: () => 0,
    ...options,
  })

const tokens = (ticket = 't=abc&p='): WebAnswer => ({
  status: 200,
  body: formatRstSuccess({
    signIn: 'alice@example.com',
    puid: '0123456789abcdef',
    tokens: [{ id: 1, address: 'messenger.msn.com', ticket }],
    created: 0,
    expires: 30_000,
    secret: 'AAAA',
  }),
})

const redirect = (url: string): WebAnswer => ({
  status: 200,
  body: `<S:Envelope xmlns:S="x"><S:Body><S:Fault><faultcode>psf:Redirect</faultcode><psf:redirectUrl>${url}</psf:redirectUrl></S:Fault></S:Body></S:Envelope>`,
})

describe('the login by RST (docs/protocol.md, Login by RST)', () => {
  it('posts address, password and policy, and gives the ticket unescaped', async () => {
    web.answer = () => tokens()
    expect(await login().ticket('lc=1033,id=507')).toEqual({ kind: 'ticket', ticket: 't=abc&p=' })
    expect(web.requests).toHaveLength(1)
    const [{ path, body, authorization } = { path: '', body: '' }] = web.requests
    expect([path, authorization]).toEqual(['/RST.srf', undefined])
    expect(parseRstRequest(body)).toMatchObject({ signIn: 'alice@example.com', password: PASSWORD })
    expect(body).toContain('URI="?lc=1033&amp;id=507"')
  })

  it.each([
    ['a fault', (url: string) => redirect(url)],
    ['a status', (url: string): WebAnswer => ({ status: 302, headers: { Location: url } })],
  ])('follows a redirect by %s, with the same request', async (_, answer) => {
    web.answer = (path) => (path === '/RST.srf' ? answer(web.url('/pp/RST.srf')) : tokens())
    expect(await login().ticket('a=b')).toMatchObject({ kind: 'ticket' })
    expect(web.requests.map(({ path }) => path)).toEqual(['/RST.srf', '/pp/RST.srf'])
    expect(web.requests[1]?.body).toBe(web.requests[0]?.body)
  })

  it('does not run in circles', async () => {
    web.answer = () => redirect(web.url('/RST.srf'))
    expect(await login().ticket('a=b')).toMatchObject({ kind: 'protocol' })
    expect(web.requests).toHaveLength(6)
  })

  it.each([
    ['plain http', () => `http://127.0.0.1:${web.port}/RST.srf`],
    ['another host', () => `https://127.0.0.2:${web.port}/RST.srf`],
    ['something that is no web page', () => 'ftp://127.0.0.1/RST.srf'],
  ])('never takes the password to %s', async (_, location) => {
    web.answer = (path) => (path === '/RST.srf' ? redirect(location()) : tokens())
    expect(await login().ticket('a=b')).toMatchObject({ kind: 'protocol' })
    expect(web.requests).toHaveLength(1)
  })

  it('takes it to a host that the operator named', async () => {
    web.answer = (path) => (path === '/RST.srf' ? redirect(web.url('/there', 'localhost')) : tokens())
    expect(await login().ticket('a=b')).toMatchObject({ kind: 'protocol' })
    expect(await login({ loginHosts: ['localhost'] }).ticket('a=b')).toMatchObject({ kind: 'ticket' })
  })

  it.each<[string, WebAnswer, string]>([
    ['a wrong password', { status: 200, body: formatRstFault('wrong password') }, 'bad-credentials'],
    ['a wrong password by status', { status: 401 }, 'bad-credentials'],
    ['a throttle', { status: 503, headers: { 'Retry-After': '60' }, body: formatRstFault('busy') }, 'busy'],
    ['an outage', { status: 500 }, 'busy'],
    ['another fault', { status: 500, body: formatRstFault('no request') }, 'protocol'],
    ['a page that is none', { status: 404, body: '<html><body>not here</html>' }, 'protocol'],
    ['an answer without end', { status: 200, body: 'x'.repeat(65_537) }, 'protocol'],
    ['a ticket that is no word', tokens('t=a\r\nOUT'), 'protocol'],
  ])('tells %s, and never the password', async (_, answer, kind) => {
    web.answer = () => answer
    const result = await login().ticket('a=b')
    expect(result).toMatchObject({ kind })
    if (answer.headers !== undefined) expect(result).toMatchObject({ retryAfterMs: 60_000 })
    expect(JSON.stringify(result)).not.toContain('wörd')
  })

  it('says which certificate it does not trust', async () => {
    const result = await login({ ca: undefined }).ticket('a=b')
    expect(result).toMatchObject({ kind: 'tls', detail: expect.stringContaining(`127.0.0.1:${web.port}`) as string })
    expect(web.requests).toEqual([])
  })

  it('gives up when it is told to, and after its time', async () => {
    web.answer = () => ({ status: 200, silent: true })
    expect(await login().ticket('a=b', AbortSignal.abort())).toMatchObject({ kind: 'aborted' })
    expect(await login({ timeoutMs: 50 }).ticket('a=b')).toMatchObject({ kind: 'timeout' })
  })
})

describe('with both ways', () => {
  const both = () => login({ passport: { rst: web.url('/both/RST.srf'), login: web.url('/both/login') } })
  /** Not what a request of before, that was given up, may still bring. */
  const asked = () => web.requests.map(({ path }) => path).filter((path) => path.startsWith('/both/'))

  it('asks for RST, and where there is none the login page, from then on at once', async () => {
    web.answer = (path) => (path === '/both/login' ? ticketAnswer() : { status: 404 })
    const client = both()
    expect(await client.ticket('a=b')).toMatchObject({ kind: 'ticket' })
    expect(await client.ticket('a=b')).toMatchObject({ kind: 'ticket' })
    expect(asked()).toEqual(['/both/RST.srf', '/both/login', '/both/login'])
  })

  it('asks nobody else when the password is wrong, or the server busy', async () => {
    web.answer = () => ({ status: 200, body: formatRstFault('wrong password') })
    expect(await both().ticket('a=b')).toMatchObject({ kind: 'bad-credentials' })
    web.answer = () => ({ status: 503 })
    expect(await both().ticket('a=b')).toMatchObject({ kind: 'busy' })
    expect(asked()).toEqual(['/both/RST.srf', '/both/RST.srf'])
  })
})
