import net from 'node:net'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { makeCertificate, MsnServer, type KeyPair, type Listening, type MsnServerOptions } from '../../../msnp/index.ts'
import { MapHost } from '../../kit/map-host.ts'
import { Messenger, passportTicket, Wire } from '../../kit/messenger.ts'

const ANY = { host: '127.0.0.1', port: 0 }
const PEOPLE = ['alice', 'bob', 'carol']

let pair: KeyPair
const servers: MsnServer[] = []

beforeAll(async () => {
  pair = await makeCertificate(['home.example'], Date.now())
})

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

const listeningOf = (server: MsnServer): Listening => {
  const { listening } = server
  if (listening === undefined) throw new Error('the server does not listen')
  return listening
}

const run = async (options: Partial<MsnServerOptions> = {}) => {
  const host = new MapHost()
  for (const name of PEOPLE) host.add(`${name}@home.example`, `${name}'s, 100%=secret`)
  const server = new MsnServer({ host, tls: pair, listen: { notification: ANY, passport: ANY }, ...options })
  servers.push(server)
  await server.start()
  const { notification, passport } = listeningOf(server)
  const where = { notification: notification.port, passport: passport.port, plain: options.tls === 'plain' }
  const signIn = (name: string, dialect: 'MSNP8' | 'MSNP9' = 'MSNP9'): Promise<Messenger> =>
    Messenger.signIn(where, `${name}@home.example`, `${name}'s, 100%=secret`, { dialect })
  return { host, server, where, signIn, port: notification.port }
}

const gone = async (server: MsnServer): Promise<void> => {
  while (server.counters().connections > 0) await new Promise((resolve) => setImmediate(resolve))
}

describe.each([
  ['one port', {}],
  ['three ports', { listen: { notification: ANY, dispatch: ANY, switchboard: ANY, passport: ANY } }],
  ['plain HTTP behind a proxy', { tls: 'plain' as const }],
])('a conversation on %s', (_, options: Partial<MsnServerOptions>) => {
  it('goes from the login page to BYE', async () => {
    const { signIn, server } = await run(options)
    const alice = await signIn('alice')
    const bob = await signIn('bob', 'MSNP8')
    await alice.add('bob@home.example')
    await bob.ns.next('ADD 0 RL')
    await bob.add('alice@home.example')
    await alice.status('BSY')
    expect((await bob.ns.next('NLN BSY')).words[2]).toBe('alice@home.example')
    const [room, other] = await Promise.all([alice.call('bob@home.example'), bob.answer()])
    const trid = room.text('Hello Bob ☃')
    expect(await other.heard()).toMatchObject({ from: 'alice@home.example', text: 'Hello Bob ☃' })
    await room.acked(trid)
    const back = other.text('x'.repeat(1_000))
    expect((await room.heard()).text).toHaveLength(1_000)
    await other.acked(back)
    expect(server.counters()).toMatchObject({ signedIn: 2, rooms: 1, messages: 2, signIns: 2 })
    other.leave()
    await room.wire.next('BYE bob@home.example')
    const alone = room.text('still there?')
    await room.wire.next(`NAK ${alone}`)
    alice.signOut()
    bob.signOut()
    await gone(server)
    expect(server.counters()).toMatchObject({ signedIn: 0, rooms: 0, connections: 0, refused: {} })
  })
})

describe('who is who', () => {
  it('sends people from the dispatch server to the notification server as they reached us', async () => {
    const { server } = await run({ listen: { notification: ANY, dispatch: ANY, passport: ANY } })
    const { dispatch, notification } = listeningOf(server)
    const wire = await Wire.connect(dispatch?.port ?? 0)
    wire.send('VER 1 MSNP9 MSNP8 CVR0')
    wire.send('CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 MSMSGS alice@home.example')
    wire.send('USR 3 TWN I alice@home.example')
    const redirect = await wire.next('XFR 3 NS')
    expect(redirect.line).toBe(`XFR 3 NS 127.0.0.1:${notification.port} 0 127.0.0.1:${dispatch?.port}`)
    await wire.end()
  })

  it('tells clients the public names where there are some', async () => {
    const { server, signIn } = await run({
      listen: { notification: ANY, dispatch: ANY, switchboard: ANY, passport: ANY },
      public: { notification: { host: 'msn.example', port: 1863 }, switchboard: { host: '2001:db8::1', port: 1864 } },
    })
    const wire = await Wire.connect(listeningOf(server).dispatch?.port ?? 0)
    wire.send('VER 1 MSNP9 CVR0')
    wire.send('CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 MSMSGS alice@home.example')
    wire.send('USR 3 TWN I alice@home.example')
    expect((await wire.next('XFR 3 NS')).words[3]).toBe('msn.example:1863')
    const alice = await signIn('alice')
    expect((await alice.ask('XFR', 'SB')).words[3]).toBe('[2001:db8::1]:1864')
  })

  it('tells notification and switchboard connections apart on one port, however the first line is cut', async () => {
    const { port } = await run()
    for (const [line, answer] of [
      ['USR 7 alice@home.example 1.2.3.4', '911 7'],
      ['ANS 8 alice@home.example 1.2.3.4 5', '911 8'],
      ['VER 9 MSNP8 CVR0', 'VER 9 MSNP8 CVR0'],
      ['INF 10', 'INF 10 TWN'],
    ] as const) {
      const wire = await Wire.connect(port)
      for (const byte of Buffer.from(`\r\n${line}\r\n`)) {
        wire.raw(Buffer.from([byte]))
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect((await wire.next(answer)).line).toBe(answer)
    }
  })

  it('reads what came in the same packet as the first line', async () => {
    const { port } = await run()
    const wire = await Wire.connect(port)
    wire.raw(
      'VER 0 MSNP9 CVR0\r\nCVR 0 0x0409 winnt 5.1 i386 BOT 1.0 BOT alice@home.example\r\nUSR 0 TWN I alice@home.example\r\n',
    )
    expect((await wire.next('USR 0 TWN S')).line).toContain('lc=1033')
  })
})

describe('signing in again and out', () => {
  it('ends the older session with OUT OTH, and its switchboards', async () => {
    const { signIn } = await run()
    const alice = await signIn('alice')
    const bob = await signIn('bob')
    const [room, other] = await Promise.all([alice.call('bob@home.example'), bob.answer()])
    await signIn('alice')
    await alice.ns.next('OUT OTH')
    await alice.ns.end()
    await room.wire.next('OUT')
    await room.wire.end()
    await other.wire.next('BYE alice@home.example')
  })

  it('tells everybody OUT SSD when it stops, and can be started again', async () => {
    const { server, signIn } = await run()
    const alice = await signIn('alice')
    const bob = await signIn('bob')
    const [room] = await Promise.all([alice.call('bob@home.example'), bob.answer()])
    const silent = await Wire.connect(listeningOf(server).notification.port)
    const half = await Wire.connect(listeningOf(server).notification.port)
    half.send('VER 1 MSNP9 CVR0')
    await half.next('VER 1')
    await server.stop()
    await server.stop()
    await alice.ns.next('OUT SSD')
    await bob.ns.next('OUT SSD')
    await room.wire.next('OUT')
    for (const wire of [alice.ns, room.wire, silent, half]) await wire.end()
    expect(server.counters()).toMatchObject({ connections: 0, signedIn: 0, rooms: 0, signIns: 2 })
    expect(server.listening).toBeUndefined()
    await server.start()
    await server.start()
    expect(server.listening).toBeDefined()
  })

  it('ends a session, its tickets and its switchboards when its password changes', async () => {
    const { server, where, signIn } = await run()
    const alice = await signIn('alice')
    const room = await alice.call()
    const ticket = await passportTicket(where, 'alice@home.example', "alice's, 100%=secret", 'lc=1033')
    expect(server.isSignedIn('Alice@home.example')).toBe(true)
    server.disconnect('Alice@home.example')
    await alice.ns.next('OUT')
    await alice.ns.end()
    await room.wire.end()
    expect(server.isSignedIn('alice@home.example')).toBe(false)
    const wire = await Wire.connect(where.notification)
    wire.send('VER 1 MSNP9 CVR0')
    wire.send('CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 MSMSGS alice@home.example')
    wire.send('USR 3 TWN I alice@home.example')
    await wire.next('USR 3 TWN S')
    wire.send(`USR 4 TWN S ${ticket}`)
    await wire.next('911 4')
    await wire.end()
  })

  it('takes a removed account off the others’ lists of who has them, and tells them', async () => {
    const { host, server, signIn } = await run()
    const alice = await signIn('alice')
    const bob = await signIn('bob')
    await alice.add('bob@home.example')
    await alice.add('carol@home.example')
    await bob.ns.next('ADD 0 RL')
    const record = host.records.get('alice@home.example')
    if (record === undefined) throw new Error('no record')
    await server.remove(record)
    await alice.ns.end()
    expect((await bob.ns.next('REM 0 RL')).words[4]).toBe('alice@home.example')
    for (const name of ['bob', 'carol'])
      expect(host.records.get(`${name}@home.example`)?.contacts.filter(({ lists }) => (lists & 8) !== 0)).toEqual([])
  })
})

describe('bad input', () => {
  it.each([
    ['a message that is too long', 'MSG 3 A 1665\r\n', ' (MSG 1665)'],
    ['a line that is too long', `CAL 3 ${'x'.repeat(9_000)}`, ' (CAL 9006)'],
    ['a length that is no number', 'MSG 3 A many\r\n', ' (MSG 4)'],
    ['an acknowledgement type that does not exist', 'MSG 3 a 0\r\n', ' (MSG 0)'],
  ])('%s closes that one connection, with one notice and one count', async (reason, bytes, at) => {
    const { host, server, signIn } = await run()
    const alice = await signIn('alice')
    const bob = await signIn('bob')
    const [room, other] = await Promise.all([alice.call('bob@home.example'), bob.answer()])
    room.wire.raw(bytes)
    await room.wire.end()
    await other.wire.next('BYE alice@home.example')
    expect(host.of('violation')).toEqual([
      { kind: 'violation', where: 'SB', detail: `${reason}${at}`, address: '127.0.0.1' },
    ])
    expect(server.counters().refused).toEqual({ [reason]: 1 })
    await alice.status('AWY')
  })

  it('closes what is not even a line on a shared port', async () => {
    const { host, server, port } = await run()
    const wire = await Wire.connect(port)
    wire.raw(Buffer.alloc(10_000, 0x41))
    await wire.end()
    expect(host.of('violation')).toMatchObject([{ where: 'NS', detail: 'a line that is too long' }])
    expect(server.counters().refused).toEqual({ 'a line that is too long': 1 })
  })

  it('closes connections that say nothing', async () => {
    const { server, port } = await run({ timings: { signInMs: 30 } })
    const silent = await Wire.connect(port)
    const half = await Wire.connect(port)
    half.send('VER 1 MSNP9 CVR0')
    await Promise.all([silent.end(), half.end()])
    expect(server.counters().refused['silent after connecting']).toBe(1)
    await gone(server)
  })

  it('turns away connections over the limits, and takes new ones when others have left', async () => {
    const { host, server, port } = await run({ limits: { connectionsPerAddress: 2 } })
    const first = await Wire.connect(port)
    first.send('VER 1 MSNP9 CVR0')
    await first.next('VER 1')
    const second = await Wire.connect(port)
    second.send('VER 1 MSNP9 CVR0')
    await second.next('VER 1')
    const third = await Wire.connect(port)
    await third.end()
    expect(server.counters().refused).toEqual({ 'too many connections from one address': 1 })
    expect(host.of('turned-away')).toEqual([
      { kind: 'turned-away', detail: 'too many connections from one address', address: '127.0.0.1' },
    ])
    second.kill()
    while (server.counters().connections > 1) await new Promise((resolve) => setImmediate(resolve))
    const fourth = await Wire.connect(port)
    fourth.send('VER 1 MSNP9 CVR0')
    await fourth.next('VER 1')
  })

  it('cuts off a peer that does not read, and tells the others that it is gone', async () => {
    const { server, signIn } = await run({ limits: { messageRate: { burst: 0, intervalMs: 1 } } })
    const alice = await signIn('alice')
    const bob = await signIn('bob')
    const [room, other] = await Promise.all([alice.call('bob@home.example'), bob.answer()])
    other.wire.pause()
    const payload = 'x'.repeat(1_600)
    let left = false
    const bye = room.wire.next('BYE bob@home.example').then(() => {
      left = true
    })
    while (!left) {
      for (let index = 0; index < 100; index++) room.send(payload, 'U')
      await new Promise((resolve) => setImmediate(resolve))
    }
    await bye
    expect(server.counters().refused).toEqual({ 'waited too long for the peer to read': 1 })
  })

  it('survives connections that are cut in the middle of anything', async () => {
    const { server, port, signIn } = await run()
    const alice = await signIn('alice')
    for (const part of ['', 'V', 'VER 1 MSNP9 CVR0\r\n', 'ANS 1 a@b', 'USR 1 a@b 1.2.3.4\r\nMSG 3 A 100\r\nxx']) {
      const wire = await Wire.connect(port)
      wire.raw(part)
      await new Promise((resolve) => setImmediate(resolve))
      wire.kill()
    }
    while (server.counters().connections > 1) await new Promise((resolve) => setImmediate(resolve))
    await alice.status('AWY')
  })
})

it('survives noise on all ports at once, and goes on serving', async () => {
  const { server, signIn } = await run({
    listen: { notification: ANY, dispatch: ANY, switchboard: ANY, passport: ANY },
  })
  const alice = await signIn('alice')
  const { notification, dispatch, switchboard, passport } = listeningOf(server)
  let seed = 1
  const noise = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, () => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) >> 16))
  const words = [
    'VER 1 MSNP9\r\n',
    'USR 2 TWN I a@b\r\n',
    'MSG 1 A 5\r\n',
    'ANS 1 a b 3\r\n',
    'GET / HTTP/1.1\r\n',
    'QRY 4 x 32\r\n',
  ]
  for (let round = 0; round < 40; round++) {
    const wires = await Promise.all(
      [notification, dispatch, switchboard, passport].map((where) => Wire.connect(where?.port ?? 0)),
    )
    for (const wire of wires) {
      wire.raw(words[round % words.length] ?? '')
      wire.raw(noise(round * 50))
    }
    for (const wire of wires) if (round % 2 === 0) wire.close()
    for (const wire of wires) if (round % 2 === 1) wire.kill()
  }
  await alice.status('AWY')
  await signIn('bob')
  while (server.counters().connections > 2) await new Promise((resolve) => setImmediate(resolve))
})

describe('places', () => {
  it('says which port is taken and what to do, and leaves nothing listening', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as net.AddressInfo
    const server = new MsnServer({
      host: new MapHost(),
      tls: 'plain',
      listen: { notification: ANY, passport: { host: '127.0.0.1', port } },
    })
    await expect(server.start()).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port} for the login page: the port is taken. End the program that has it or configure another port.`,
    )
    expect(server.listening).toBeUndefined()
    await new Promise((resolve) => taken.close(resolve))
    await server.start()
    await server.stop()
  })

  it('goes on without switchboards while their port is taken, says so, and opens them when it is free', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as net.AddressInfo
    const { host, server, signIn } = await run({
      listen: { notification: ANY, passport: ANY, switchboard: { host: '127.0.0.1', port } },
      limits: { switchboardRate: { burst: 0, intervalMs: 1 } },
      timings: { reopenMs: 10 },
    })
    expect(server.listening?.switchboard).toBeUndefined()
    expect(host.of('failure')[0]?.detail).toContain(
      `cannot listen on 127.0.0.1:${port} for the switchboard server: the port is taken.`,
    )
    const alice = await signIn('alice')
    const refused = alice.ns.next('707')
    alice.ns.send('XFR 707 SB')
    await refused
    await new Promise((resolve) => taken.close(resolve))
    while (server.listening?.switchboard === undefined) await new Promise((resolve) => setImmediate(resolve))
    expect(await alice.call()).toBeDefined()
  })

  it('can be stopped while it waits for the port of the switchboards', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as net.AddressInfo
    const { server, host } = await run({
      listen: { notification: ANY, passport: ANY, switchboard: { host: '127.0.0.1', port } },
      timings: { reopenMs: 1 },
    })
    while (host.of('failure').length < 3) await new Promise((resolve) => setImmediate(resolve))
    await server.stop()
    const failures = host.of('failure').length
    await new Promise((resolve) => taken.close(resolve))
    const again = net.createServer().listen(port, '127.0.0.1')
    await new Promise((resolve) => again.once('listening', resolve))
    await new Promise((resolve) => again.close(resolve))
    expect(host.of('failure')).toHaveLength(failures)
  })

  it('says that an address is not this machine’s', async () => {
    const where = { host: '192.0.2.1', port: 1863 }
    const server = new MsnServer({ host: new MapHost(), tls: 'plain', listen: { notification: where, passport: ANY } })
    await expect(server.start()).rejects.toThrow('this machine does not have that address')
  })
})
