/** The login of MSN Messenger 7.5 at our service, and what follows it. */
import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { formatRstRequest, parseRstAnswer } from '../../../msnp/auth/rst.ts'
import { MAX_RST_BYTES } from '../../../msnp/io/rst-page.ts'
import { findAll, findFirst, parseXml } from '../../../msnp/auth/xml.ts'
import { MsnClient, MsnServer } from '../../../msnp/index.ts'
import { MapHost } from '../../kit/map-host.ts'

const ANY = { host: '127.0.0.1', port: 0 }
const ALICE = 'alice@home.example'
const PASSWORD = `a,<b>=c%d "e' & ☃`

const servers: MsnServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

const run = async () => {
  const host = new MapHost()
  host.add(ALICE, PASSWORD)
  const server = new MsnServer({ host, tls: 'plain', listen: { notification: ANY, passport: ANY } })
  servers.push(server)
  await server.start()
  const listening = server.listening
  if (listening === undefined) throw new Error('it does not listen')
  return { host, server, listening, post: (body: string) => post(listening.passport.port, body) }
}

/** As a client does it: bytes on a socket, until the server ends. */
const post = (port: number, body: string): Promise<{ head: string; body: string }> =>
  new Promise((resolve, reject) => {
    let answer = ''
    const socket = net.connect(port, '127.0.0.1')
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
    socket.on('error', reject)
    socket.on('end', () => {
      const [head = '', ...rest] = answer.split('\r\n\r\n')
      resolve({ head, body: rest.join('\r\n\r\n') })
    })
    socket.write(
      'POST /RST.srf HTTP/1.1\r\nAccept: text/*\r\nUser-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; IDCRL)\r\n' +
        `Content-Length: ${Buffer.byteLength(body)}\r\nHost: loginnet.passport.com\r\nConnection: Keep-Alive\r\n\r\n${body}`,
    )
  })

const request = (password = PASSWORD, signIn = ALICE): string =>
  formatRstRequest({ signIn, password, policy: 'ct=1,rver=1,wp=FS_40SEC_0_COMPACT,lc=1,id=1', now: Date.now() })

describe('RST.srf', () => {
  it('gives a token for each place, each good once for a sign-in', async () => {
    const { post: ask, server } = await run()
    const { head, body } = await ask(
      request().replace(
        '</ps:RequestMultipleSecurityTokens>',
        '<wst:RequestSecurityToken Id="RST2"><wsa:Address>contacts.msn.com</wsa:Address></wst:RequestSecurityToken></ps:RequestMultipleSecurityTokens>',
      ),
    )
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: text\/xml; charset=utf-8\r\n/)
    const root = parseXml(body)!
    const given = findAll(root, 'BinarySecurityToken').map((each) => [each.attributes.get('Id'), each.text])
    expect(given.map(([id]) => id)).toEqual(['Compact1', 'Compact2'])
    expect(new Set(given.map(([, ticket]) => ticket)).size).toBe(2)
    expect(findFirst(root, 'PUID')?.text).toMatch(/^[0-9A-F]{16}$/)
    expect(parseRstAnswer(body)).toEqual({ kind: 'success', ticket: given[0]?.[1] })
    expect(server.counters().refused).toEqual({})
  })

  it('refuses a wrong password with 200 and a fault, and tells the host', async () => {
    const { post: ask, host, server } = await run()
    const { head, body } = await ask(request('guess'))
    expect(head).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(body).toContain('<faultcode>wsse:FailedAuthentication</faultcode>')
    expect(body).toContain('<psf:authstate>0x80048800</psf:authstate><psf:reqstatus>0x80048823</psf:reqstatus>')
    expect(host.notices).toEqual([{ kind: 'refused', email: ALICE, code: 911, address: '127.0.0.1' }])
    expect(server.counters().refused).toEqual({ 'wrong password': 1 })
  })

  it('throttles as the other login does, and survives a store that fails', async () => {
    const { post: ask, host } = await run()
    host.verdict = 'throttled'
    const throttled = await ask(request())
    expect(throttled.head).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: 60/)
    expect(parseRstAnswer(throttled.body)).toMatchObject({ kind: 'fault' })
    host.verdict = new Error('the disk is gone')
    expect((await ask(request())).head).toMatch(/^HTTP\/1\.1 500 /)
    expect(host.of('failure')).toEqual([{ kind: 'failure', detail: 'checking a password: the disk is gone' }])
  })

  it.each([
    ['nothing', ''],
    ['no XML', 'hello'],
    ['entities', `<!DOCTYPE a [<!ENTITY b "${'x'.repeat(100)}">]><Envelope><Username>&b;</Username></Envelope>`],
    ['elements without end', '<a>'.repeat(5_000)],
  ])('answers %s with a fault', async (_, body) => {
    const { post: ask, host } = await run()
    const answer = await ask(body)
    expect(answer.head).toMatch(/^HTTP\/1\.1 400 /)
    expect(parseRstAnswer(answer.body)).toMatchObject({ kind: 'fault' })
    expect(host.notices).toEqual([])
  })

  it('reads no more than it must', async () => {
    const { post: ask, server } = await run()
    expect((await ask('x'.repeat(MAX_RST_BYTES + 1))).head).toMatch(/^HTTP\/1\.1 413 /)
    expect(server.counters().refused).toEqual({ 'a login request that is too large': 1 })
  })

  it('lets our own client sign in, with whatever a password may hold', async () => {
    const { listening, server } = await run()
    const client = new MsnClient({
      server: listening.notification,
      passport: { rst: `http://127.0.0.1:${listening.passport.port}/RST.srf` },
      login: ALICE,
      password: PASSWORD,
      onEvent: () => undefined,
    })
    expect(await client.signIn()).toEqual({ ok: true })
    expect(server.isSignedIn(ALICE)).toBe(true)
    await client.signOut()
    const wrong = new MsnClient({
      server: listening.notification,
      passport: { rst: `http://127.0.0.1:${listening.passport.port}/RST.srf` },
      login: ALICE,
      password: 'guess',
      onEvent: () => undefined,
    })
    expect(await wrong.signIn()).toMatchObject({ ok: false, failure: { kind: 'bad-credentials' } })
  })
})
