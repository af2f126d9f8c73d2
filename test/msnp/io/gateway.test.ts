/** Whole sessions through the HTTP gateway: of a raw client, and of ours. */
import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  makeCertificate,
  MsnClient,
  MsnServer,
  textMessage,
  parseMime,
  type Dialect,
  type GatewayLimits,
  type MsnClientEvent,
  type MsnClientOptions,
  type MsnServerOptions,
} from '../../../msnp/index.ts'
import { formatRstRequest, parseRstAnswer } from '../../../msnp/auth/rst.ts'
import { GatewayGuest, postGateway } from '../../kit/gateway-guest.ts'
import { MapHost } from '../../kit/map-host.ts'
import { passportTicket } from '../../kit/messenger.ts'

const ANY = { host: '127.0.0.1', port: 0 }
const ALICE = 'alice@home.example'
const BOB = 'bob@home.example'
const ask = (passport: number, email: string, password: string): Promise<string> =>
  passportTicket({ notification: 0, passport, plain: true }, email, password, 'lc=1033')

/** Polled, with time enough for a machine that is busy. */
const soon = <Value>(read: () => Value) => expect.poll(read, { timeout: 10_000 })

const servers: MsnServer[] = []
const clients: MsnClient[] = []

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.signOut()))
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

const run = async (gateway: Partial<GatewayLimits> = {}, options: Partial<MsnServerOptions> = {}) => {
  const host = new MapHost()
  for (const email of [ALICE, BOB]) host.add(email, 'secret')
  const server = new MsnServer({
    host,
    tls: 'plain',
    listen: { notification: ANY, dispatch: ANY, switchboard: ANY, passport: ANY, http: ANY },
    gateway: { lingerMs: 50, ...gateway },
    ...options,
  })
  servers.push(server)
  await server.start()
  const { listening } = server
  if (listening?.http === undefined) throw new Error('it does not listen')
  return { host, server, listening, port: listening.http.port }
}
type House = Awaited<ReturnType<typeof run>>

class Person {
  readonly events: MsnClientEvent[] = []
  readonly client: MsnClient

  constructor({ listening, port }: House, email: string, options: Partial<MsnClientOptions> = {}) {
    this.client = new MsnClient({
      server: { host: 'messenger.hotmail.com', port: 1863 },
      gateway: `http://127.0.0.1:${port}`,
      passport: { rst: `http://127.0.0.1:${listening.passport.port}/RST.srf` },
      login: email,
      password: 'secret',
      timings: { gatewayPollMs: 10 },
      onEvent: (event) => void this.events.push(event),
      ...options,
    })
    clients.push(this.client)
  }

  of<Kind extends MsnClientEvent['kind']>(kind: Kind): Extract<MsnClientEvent, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<MsnClientEvent, { kind: Kind }> => event.kind === kind)
  }

  said(): string[] {
    return this.of('message').map(({ payload }) => parseMime(payload).text())
  }
}

const direct = ({ listening }: House): Partial<MsnClientOptions> => ({
  server: listening.notification,
  gateway: undefined as unknown as string,
})

describe('our client through our gateway', () => {
  it.each<[Dialect, Dialect]>([
    ['MSNP8', 'MSNP12'],
    ['MSNP9', 'MSNP9'],
    ['MSNP12', 'MSNP8'],
    ['MSNP12', 'MSNP12'],
  ])('signs in with %s, sees its contacts with %s, is called and calls, and signs out', async (ours, theirs) => {
    const house = await run()
    const alice = new Person(house, ALICE, { dialects: [ours] })
    const bob = new Person(house, BOB, { ...direct(house), dialects: [theirs] })
    expect(await alice.client.signIn()).toEqual({ ok: true })
    expect(await bob.client.signIn()).toEqual({ ok: true })
    expect([alice.client.dialect, bob.client.dialect]).toEqual([ours, theirs])
    expect(house.server.counters()).toMatchObject({ tunnels: 1, signedIn: 2 })
    expect(await alice.client.add(BOB)).toEqual({ ok: true })
    expect(await bob.client.add(ALICE)).toEqual({ ok: true })
    await soon(() => alice.client.contacts.get(BOB)?.presence?.status).toBe('NLN')
    await soon(() => bob.client.contacts.get(ALICE)?.presence?.status).toBe('NLN')

    const opened = await alice.client.openSwitchboard()
    if (!opened.ok) throw new Error(JSON.stringify(opened.failure))
    expect(house.server.counters().tunnels).toBe(2)
    expect(await opened.switchboard.invite(BOB)).toMatchObject({ kind: 'joined' })
    const long = 'ä'.repeat(700)
    const sent = await Promise.all(
      ['one', long, 'three'].map((text) => opened.switchboard.send(textMessage(text), 'A')),
    )
    expect(sent.map(({ kind }) => kind)).toEqual(['acked', 'acked', 'acked'])
    await soon(() => bob.said()).toEqual(['one', long, 'three'])
    const [board] = bob.of('switchboard')
    expect(await board?.switchboard.send(textMessage('four'), 'A')).toMatchObject({ kind: 'acked' })
    await soon(() => alice.said()).toEqual(['four'])
    opened.switchboard.close()
    await soon(() => house.server.counters().tunnels).toBe(1)

    const called = await bob.client.openSwitchboard()
    if (!called.ok) throw new Error(JSON.stringify(called.failure))
    expect(await called.switchboard.invite(ALICE)).toMatchObject({ kind: 'joined' })
    expect(await called.switchboard.send(textMessage('five'), 'A')).toMatchObject({ kind: 'acked' })
    await soon(() => alice.said()).toEqual(['four', 'five'])

    await alice.client.signOut()
    await soon(() => bob.client.contacts.get(ALICE)?.presence).toBeUndefined()
    await soon(() => house.server.counters().tunnels).toBe(0)
    expect(house.server.counters().refused).toEqual({})
  })

  it('goes through the port of the login page, with TLS', async () => {
    const pair = await makeCertificate(['localhost'], Date.now())
    const house = await run({}, { tls: pair })
    const place = `https://127.0.0.1:${house.listening.passport.port}`
    const options = { ca: pair.cert, gateway: place, passport: { nexus: `${place}/rdr/pprdr.asp` } }
    expect(await new Person(house, ALICE, options).client.signIn()).toEqual({ ok: true })
    expect(
      await new Person(house, BOB, { ...options, insecure: false, ca: undefined as unknown as string }).client.signIn(),
    ).toMatchObject({
      ok: false,
      failure: { kind: 'unreachable' },
    })
  })

  it('hears that the service goes down, and that somebody else signed in', async () => {
    const house = await run()
    const alice = new Person(house, ALICE)
    expect(await alice.client.signIn()).toEqual({ ok: true })
    const other = new Person(house, ALICE, direct(house))
    expect(await other.client.signIn()).toEqual({ ok: true })
    await soon(() => alice.of('closed')).toMatchObject([{ reason: { kind: 'signed-in-elsewhere' } }])
    const bob = new Person(house, BOB, { timings: { gatewayPollMs: 10 } })
    expect(await bob.client.signIn()).toEqual({ ok: true })
    await house.server.stop()
    await soon(() => bob.of('closed').length).toBe(1)
  })

  it('says in words what is wrong with a gateway', async () => {
    const house = await run()
    const reason = async (gateway: string) => {
      const result = await new Person(house, ALICE, { gateway }).client.signIn()
      return result.ok ? '' : `${result.failure.kind}: ${result.failure.detail}`
    }
    const closed = net.createServer().listen(0, '127.0.0.1')
    const { port } = await new Promise<net.AddressInfo>((resolve) =>
      closed.once('listening', () => resolve(closed.address() as net.AddressInfo)),
    )
    await new Promise((resolve) => closed.close(resolve))
    expect(await reason(`http://127.0.0.1:${port}`)).toContain(`the HTTP gateway 127.0.0.1:${port}: ECONNREFUSED`)
    expect(await reason('ftp://127.0.0.1')).toContain(
      'unreachable: the gateway ftp://127.0.0.1 is no http or https URL',
    )
    const without = await run({}, { gateway: undefined as unknown as Partial<GatewayLimits> })
    expect(await reason(`http://127.0.0.1:${without.port}`)).toContain('it answered 404')
  })
})

describe('a raw client', () => {
  it('signs in, synchronises and talks, with a new SessionID in each answer', async () => {
    const house = await run()
    const bob = new Person(house, BOB, direct(house))
    expect(await bob.client.signIn()).toEqual({ ok: true })
    expect(await bob.client.add(ALICE)).toEqual({ ok: true })

    const guest = new GatewayGuest(house.port, 'NS', 'messenger.hotmail.com')
    expect(await guest.post('')).toMatchObject({ status: 200, type: 'application/x-msn-messenger', body: '' })
    expect(await guest.until(/VER 1 .*\r\n/, 'VER 1 MSNP9 MSNP8 CVR0\r\n')).toMatch(/^VER 1 MSNP9 /)
    await guest.until(/CVR 2 .*\r\n/, `CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 MSMSGS ${ALICE}\r\n`)
    const policy = await guest.until(/USR 3 TWN S \S+\r\n/, `USR 3 TWN I ${ALICE}\r\n`)
    expect(policy).toContain('lc=')
    const ticket = await ask(house.listening.passport.port, ALICE, 'secret')
    const profile = await guest.until(/ClientPort: .*\r\n/, `USR 4 TWN S ${ticket}\r\n`)
    expect(profile).toContain(`USR 4 OK ${ALICE}`)
    expect(profile).toContain('ClientPort: 0\r\n')
    expect(profile).toContain('ClientIP: 127.0.0.1\r\n')
    await guest.until(/LST bob@home\.example /, 'SYN 5 0\r\n')
    await guest.until(/CHG 6 NLN/, 'CHG 6 NLN 268435500\r\n')
    await guest.until(/ADD 7 /, `ADD 7 FL ${BOB} Bob\r\n`)
    expect(await bob.client.setStatus('BSY')).toEqual({ ok: true })
    await guest.until(/NLN BSY bob@home\.example/)

    const invitation = await guest.until(/XFR 8 SB \S+ CKI \S+\r\n/, 'XFR 8 SB\r\n')
    const [, place = '', token = ''] = /XFR 8 SB (\S+) CKI (\S+)\r\n/.exec(invitation) ?? []
    const board = new GatewayGuest(house.port, 'SB', place.split(':')[0] ?? '')
    await board.until(/USR 1 OK /, `USR 1 ${ALICE} ${token}\r\n`)
    await board.until(/JOI bob@home\.example/, `CAL 2 ${BOB}\r\n`)
    const words = 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nhällo'
    await board.until(/ACK 3/, `MSG 3 A ${Buffer.byteLength(words)}\r\n${words}`)
    await soon(() => bob.said()).toEqual(['hällo'])
    // It counts as received when the gateway has handed it out, and not before.
    const acked = bob.of('switchboard')[0]?.switchboard.send(textMessage('back'), 'A')
    expect(await board.until(/\r\n\r\nback/)).toContain('MSG bob@home.example ')
    expect(await acked).toMatchObject({ kind: 'acked' })
    await board.post('OUT\r\n')
    while (!board.closed) await board.post('')
    await guest.post('OUT\r\n')
    while (!guest.closed) await guest.post('')

    for (const { names } of [guest, board]) {
      expect(new Set(names).size).toBe(names.length)
      expect(new Set(names.map((name) => name.split('.')[0])).size).toBe(1)
      for (const name of names) expect(name).toMatch(/^\d{29}\.\d{5}$/)
    }
    expect(guest.names[0]?.split('.')[0]).not.toBe(board.names[0]?.split('.')[0])
    await soon(() => house.server.counters().tunnels).toBe(0)
    expect((await guest.post('')).status).toBe(400)
  })

  it('as MSN Messenger 7.5: a token by RST, MSNP12, synchronisation, shields, a personal message', async () => {
    const house = await run()
    const bob = new Person(house, BOB, direct(house))
    expect(await bob.client.signIn()).toEqual({ ok: true })
    expect(await bob.client.add(ALICE)).toEqual({ ok: true })

    const guest = new GatewayGuest(house.port, 'NS', 'messenger.hotmail.com')
    expect(await guest.until(/VER 1 .*\r\n/, 'VER 1 MSNP12 MSNP11 MSNP10 CVR0\r\n')).toMatch(/^VER 1 MSNP12 /)
    await guest.until(/CVR 2 .*\r\n/, `CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 7.5.0324 MSMSGS ${ALICE}\r\n`)
    const offered = await guest.until(/USR 3 TWN S \S+\r\n/, `USR 3 TWN I ${ALICE}\r\n`)
    const policy = /TWN S (\S+)/.exec(offered)?.[1] ?? ''
    const answer = await fetch(`http://127.0.0.1:${house.listening.passport.port}/RST.srf`, {
      method: 'POST',
      headers: { 'User-Agent': 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; IDCRL)' },
      body: formatRstRequest({ signIn: ALICE, password: 'secret', policy, now: Date.now() }),
    })
    const token = parseRstAnswer(await answer.text())
    if (token.kind !== 'success') throw new Error(token.kind)
    const welcome = await guest.until(/ClientPort: .*\r\n/, `USR 4 TWN S ${token.ticket}\r\n`)
    expect(welcome).toContain(`USR 4 OK ${ALICE} 1 0\r\n`)
    expect(welcome).toContain('ABCHMigrated: 1\r\n')
    await guest.until(/LST N=bob@home\.example /, 'SYN 5 0 0\r\n')
    await guest.until(/GCF 6 Shields\.xml \d+\r\n<\?xml/, 'GCF 6 Shields.xml\r\n')
    await guest.until(/CHG 7 NLN/, 'CHG 7 NLN 1347272740\r\n')
    const words = '<Data><PSM>on the web</PSM><CurrentMedia></CurrentMedia></Data>'
    await guest.until(/UUX 8 0\r\n/, `UUX 8 ${words.length}\r\n${words}`)
    await soon(() => bob.client.contacts.get(ALICE)?.presence).toMatchObject({ status: 'NLN' })
    await soon(() => JSON.stringify(bob.events)).toContain('on the web')
    await guest.post('OUT\r\n')
    while (!guest.closed) await guest.post('')
    await soon(() => bob.client.contacts.get(ALICE)?.presence).toBeUndefined()
  })

  it('is told by GW-IP where it is, or the public name', async () => {
    const { port } = await run()
    expect((await postGateway(port, 'Action=open&Server=NS&IP=x')).header).toMatch(/; GW-IP=127\.0\.0\.1$/)
    const named = await run({}, { public: { gateway: 'gateway.home.example' } })
    expect((await postGateway(named.port, 'Action=open&Server=NS&IP=x')).header).toContain('GW-IP=gateway.home.example')
  })

  it('never gets through to anybody else', async () => {
    const visits: net.Socket[] = []
    const other = net.createServer((socket) => void visits.push(socket)).listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const place = `127.0.0.1:${(other.address() as net.AddressInfo).port}`
    const { port } = await run()
    const guest = new GatewayGuest(port, 'NS', place)
    expect(await guest.until(/VER 1/, 'VER 1 MSNP9 CVR0\r\n')).toMatch(/^VER 1 MSNP9/)
    expect((await postGateway(port, `Action=open&Server=${place}&IP=${place}`)).status).toBe(400)
    expect(visits).toEqual([])
    await new Promise((resolve) => other.close(resolve))
  })
})

describe('the limits', () => {
  it('are not all for one address', async () => {
    const { port, server } = await run({ sessions: 10, sessionsPerAddress: 3 })
    const open = async (from: string) =>
      (await postGateway(port, 'Action=open&Server=NS&IP=x', '', 'POST', { 'X-Forwarded-For': from })).status
    const statuses = []
    for (let each = 0; each < 5; each++) statuses.push(await open('192.0.2.1'))
    // One machine has a whole /64.
    for (let each = 0; each < 5; each++) statuses.push(await open(`2001:db8::${each}`))
    expect(statuses).toEqual([200, 200, 200, 503, 503, 200, 200, 200, 503, 503])
    expect(await open('192.0.2.2')).toBe(200)
    expect(server.counters()).toMatchObject({ tunnels: 7 })
  })

  it('hold for sessions, and what one leaves the next may take', async () => {
    const { port, server } = await run({ sessions: 2 })
    const guests = [1, 2, 3].map(() => new GatewayGuest(port, 'NS', 'x'))
    const [first, second] = guests
    if (first === undefined || second === undefined) throw new Error('unreachable')
    const statuses = []
    for (const guest of guests) statuses.push((await guest.post('')).status)
    expect(statuses).toEqual([200, 200, 503])
    expect(server.counters()).toMatchObject({ tunnels: 2, refused: { 'too many gateway sessions': 1 } })
    await first.post('OUT\r\n')
    while (!first.closed) await first.post('')
    expect((await new GatewayGuest(port, 'NS', 'x').post('')).status).toBe(200)
  })

  it('count a session as a connection from its address, until it is over', async () => {
    const { port, server } = await run({}, { limits: { connectionsPerAddress: 2 } })
    const guest = new GatewayGuest(port, 'NS', 'x')
    await guest.post('')
    await soon(() => server.counters()).toMatchObject({ tunnels: 1, connections: 1 })
    expect((await postGateway(port, 'Action=open&Server=NS&IP=x')).status).toBe(503)
    await soon(() => server.counters().connections).toBe(1)
    await guest.post('OUT\r\n')
    await soon(() => server.counters()).toMatchObject({ tunnels: 0, connections: 0 })
    expect((await postGateway(port, 'Action=open&Server=NS&IP=x')).status).toBe(200)
  })

  it('end a session that nobody asks about, and its account is offline', async () => {
    const house = await run({ idleMs: 1_000 })
    const alice = new Person(house, ALICE, { timings: { gatewayPollMs: 20 } })
    expect(await alice.client.signIn()).toEqual({ ok: true })
    const guest = new GatewayGuest(house.port, 'NS', 'x')
    await guest.until(
      /USR 3 TWN S/,
      `VER 1 MSNP9 CVR0\r\nCVR 2 0x0409 a b c d 6.0 MSMSGS ${BOB}\r\nUSR 3 TWN I ${BOB}\r\n`,
    )
    await guest.until(/USR 4 OK/, `USR 4 TWN S ${await ask(house.listening.passport.port, BOB, 'secret')}\r\n`)
    expect(house.server.isSignedIn(BOB)).toBe(true)
    await soon(() => house.server.isSignedIn(BOB)).toBe(false)
    expect(house.server.isSignedIn(ALICE)).toBe(true)
    expect((await guest.post('')).status).toBe(400)
  })

  it('hold for bodies, methods and names', async () => {
    const { port, server } = await run({ requestBytes: 1_000 })
    const guest = new GatewayGuest(port, 'NS', 'x')
    await guest.post('')
    expect((await guest.post('x'.repeat(1_001))).status).toBe(413)
    const name = guest.names.at(-1) ?? ''
    const other = `${name.startsWith('1') ? '2' : '1'}${name.slice(1)}`
    for (const query of [
      `SessionID=${other}`,
      `SessionID=${name.split('.')[0] ?? ''}.1`,
      'SessionID=../../x',
      'Action=open&Server=XX&IP=x',
      '',
    ])
      expect((await postGateway(port, query, 'PNG\r\n')).status, query).toBe(400)
    expect((await postGateway(port, `SessionID=${name}`, '', 'PUT')).status).toBe(400)
    expect((await postGateway(port, `Action=poll&SessionID=${name}`)).status).toBe(200)
    expect(server.counters().refused['an unknown gateway session']).toBe(2)
  })

  it('end a session whose client sends what is no MSNP', async () => {
    const { port, host } = await run()
    const guest = new GatewayGuest(port, 'NS', 'x')
    await guest.post('x'.repeat(60_000))
    while (!guest.closed) await guest.post('')
    expect(host.of('violation')).toMatchObject([{ where: 'NS', address: '127.0.0.1' }])
  })

  it('end a session whose client lets too much wait', async () => {
    const { port, server } = await run({ waitingBytes: 10 })
    const guest = new GatewayGuest(port, 'NS', 'x')
    await guest.post('')
    expect((await guest.post('VER 1 MSNP9 CVR0\r\n')).status).toBe(400)
    await soon(() => server.counters()).toMatchObject({ tunnels: 0, connections: 0 })
    expect(server.counters().refused).toMatchObject({ 'a gateway client that does not read': 1 })
  })

  it('leave a client whose connection broke its session', async () => {
    const { port, server } = await run()
    const guest = new GatewayGuest(port, 'NS', 'x')
    await guest.post('')
    await soon(() => server.counters().connections).toBe(1)
    const name = guest.names.at(-1) ?? ''
    const socket = net.connect(port, '127.0.0.1')
    const line = 'VER 1 MSNP9 CVR0\r\n'
    // The answer is lost, and the same is said again.
    socket.write(
      `POST /gateway/gateway.dll?SessionID=${name} HTTP/1.1\r\nHost: x\r\nContent-Length: ${line.length}\r\n\r\n${line}`,
    )
    await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    expect((await guest.post(line)).body).toBe('VER 1 MSNP9 CVR0\r\n')
    expect(await guest.until(/CVR 2 /, 'CVR 2 0x0409 a b c d 6.0 MSMSGS bob@home.example\r\n')).not.toContain('715')
  })

  it('answer a held poll when the service stops', async () => {
    const { port, server } = await run()
    const guest = new GatewayGuest(port, 'NS', 'x')
    await guest.post('')
    await soon(() => server.counters().connections).toBe(1)
    const held = postGateway(port, `Action=poll&Lifespan=30&SessionID=${guest.names.at(-1) ?? ''}`)
    await soon(() => server.counters().connections).toBe(2)
    await server.stop()
    expect((await held).status).toBe(200)
  })
})

describe('the port of the gateway', () => {
  it('takes no passwords', async () => {
    const { port, listening } = await run()
    await expect(ask(port, ALICE, 'secret')).rejects.toThrow()
    expect(await ask(listening.passport.port, ALICE, 'secret')).toMatch(/^t=/)
  })
})
