import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  MsnClient,
  textMessage,
  type MsnClientEvent,
  type MsnClientOptions,
  type Switchboard,
} from '../../../msnp/index.ts'
import { MisuseError } from '../../../sansio/machine.ts'
import { ScriptedServer, ScriptedWeb, ticketAnswer, type Guest } from '../../kit/scripted-server.ts'

const ALICE = 'alice@example.com'
const BOB = 'bob@example.com'
const LISTS = ['LST bob@example.com Bob 11 0', 'LST carol@example.com Carol 3 0', 'LST eve@example.com Eve 4 0']
/** Short enough for tests, long enough for a machine under load. */
const TIMINGS = { commandMs: 3_000, signInMs: 8_000, ackMs: 3_000, joinMs: 3_000, connectMs: 3_000, passportMs: 3_000 }

let web: ScriptedWeb
let ns: ScriptedServer
let sb: ScriptedServer
const clients: MsnClient[] = []
const servers: ScriptedServer[] = []

beforeAll(async () => {
  web = await ScriptedWeb.start()
})
afterAll(() => web.stop())
beforeEach(async () => {
  web.requests.length = 0
  web.answer = () => ticketAnswer()
  ns = await another()
  sb = await another()
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.signOut()))
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

async function another(): Promise<ScriptedServer> {
  const server = await ScriptedServer.start()
  servers.push(server)
  return server
}

class Alice {
  readonly events: MsnClientEvent[] = []
  readonly client: MsnClient
  #wake: (() => void)[] = []

  constructor(options: Partial<MsnClientOptions> = {}) {
    this.client = new MsnClient({
      server: ns.address,
      passport: { login: web.url('/login') },
      ca: web.ca,
      login: ALICE,
      password: 'secret',
      onEvent: (event) => {
        this.events.push(event)
        this.#wake.splice(0).forEach((wake) => wake())
      },
      ...options,
      timings: { ...TIMINGS, ...options.timings },
    })
    clients.push(this.client)
  }

  kinds(...without: readonly string[]): string[] {
    return this.events.map(({ kind }) => kind).filter((kind) => !without.includes(kind))
  }

  /** The first event of that kind; it comes or has come. */
  async event<Kind extends MsnClientEvent['kind']>(kind: Kind): Promise<Extract<MsnClientEvent, { kind: Kind }>> {
    for (;;) {
      const found = this.events.find((event) => event.kind === kind)
      if (found !== undefined) return found as Extract<MsnClientEvent, { kind: Kind }>
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }
}

/** Signed in, with the server's side of it. */
async function online(options: Partial<MsnClientOptions> = {}): Promise<{ alice: Alice; line: Guest }> {
  const alice = new Alice(options)
  const signedIn = alice.client.signIn()
  const line = await (await ns.guest()).signsIn(ALICE, LISTS)
  expect(await signedIn).toEqual({ ok: true })
  return { alice, line }
}

/** A switchboard of ours with bob in it, and the server's side. */
async function talking(alice: Alice, line: Guest): Promise<{ board: Switchboard; room: Guest }> {
  const opening = alice.client.openSwitchboard()
  const trid = (await line.hears(/^XFR \d+ SB$/)).split(' ')[1] ?? ''
  line.says(`XFR ${trid} SB ${sb.place} CKI token.1`)
  const room = await sb.guest()
  await room.hears(`USR 1 ${ALICE} token.1`)
  room.says(`USR 1 OK ${ALICE} Alice`)
  const opened = await opening
  if (!opened.ok) throw new Error(opened.failure.kind)
  const invited = opened.switchboard.invite(BOB)
  await room.hears(`CAL 2 ${BOB}`)
  room.says('CAL 2 RINGING 11752013', `JOI ${BOB} Bob`)
  expect(await invited).toEqual({ kind: 'joined', member: { email: BOB, name: 'Bob' } })
  return { board: opened.switchboard, room }
}

describe('signing in', () => {
  it('goes through dispatch, redirect, login and lists, and shows what it knows', async () => {
    const dispatch = await another()
    const alice = new Alice({ server: dispatch.address, random: () => 'n' })
    expect([alice.client.name, alice.client.status, alice.client.dialect]).toEqual([ALICE, undefined, undefined])
    const signedIn = alice.client.signIn()
    const first = await dispatch.guest()
    await first.hears('VER 1 MSNP12 MSNP11 MSNP10 MSNP9 MSNP8 CVR0')
    first.says('VER 1 MSNP9')
    await first.hears(/^CVR 2 /)
    first.says('CVR 2 1 1 1')
    await first.hears(`USR 3 TWN I ${ALICE}`)
    first.says(`XFR 3 NS ${ns.place} 0 ${dispatch.place}`)
    await first.end()
    const line = await ns.guest()
    await line.signsIn(ALICE, ['LSG 0 Other%20Contacts 0', ...LISTS, 'BPR PHM 1%20555'])
    expect(await signedIn).toEqual({ ok: true })
    expect(line.heard).toMatch(/^VER 4 /)
    expect(line.heard).toContain('CHG 9 NLN 1074036772')
    expect(web.requests).toHaveLength(1)
    expect([...alice.client.contacts.keys()]).toEqual([BOB, 'carol@example.com', 'eve@example.com'])
    expect(alice.client).toMatchObject({
      name: 'Alice',
      status: 'NLN',
      dialect: 'MSNP9',
      privacy: 'AL',
      signedIn: true,
    })
    expect(alice.client.groups).toEqual([{ id: '0', name: 'Other Contacts' }])
    expect(alice.kinds()).toEqual(['roster', 'own-status'])
  })

  it('is one sign-in and not two', async () => {
    const { alice } = await online()
    await expect(alice.client.signIn()).rejects.toThrow(MisuseError)
  })

  it('asks for the status that is wanted, with a client id', async () => {
    const alice = new Alice({ status: 'HDN', clientId: 5 })
    const signedIn = alice.client.signIn()
    const line = await ns.guest()
    await line.signsIn(ALICE)
    expect(await signedIn).toEqual({ ok: true })
    expect(line.heard).toMatch(/CHG \d+ HDN 5\r\n/)
  })

  it('fetches a new ticket once when the first was too old, and then believes the server', async () => {
    const alice = new Alice()
    const signedIn = alice.client.signIn()
    for (let visit = 0; visit < 2; visit++) {
      const line = await ns.guest()
      const trid = Number((await line.hears(/^VER /)).split(' ')[1])
      line.says(`VER ${trid} MSNP9`)
      await line.hears(/^CVR /)
      line.says(`CVR ${trid + 1} 1 1 1`)
      await line.hears(/^USR \d+ TWN I/)
      line.says(`USR ${trid + 2} TWN S lc=1`)
      await line.hears(/^USR \d+ TWN S t=abc&p=$/)
      line.says(`911 ${trid + 3}`)
    }
    expect(await signedIn).toMatchObject({ ok: false, failure: { kind: 'bad-credentials', code: 911 } })
    expect(web.requests).toHaveLength(2)
    expect(ns.visits).toBe(2)
  })

  const upToUsr = async (): Promise<Guest> => {
    const line = await ns.guest()
    await line.hears(/^VER 1/)
    line.says('VER 1 MSNP9')
    await line.hears(/^CVR 2/)
    line.says('CVR 2 1 1 1')
    await line.hears(/^USR 3/)
    return line
  }

  it.each([
    ['600 3', { kind: 'busy', code: 600 }],
    ['910 3', { kind: 'busy', code: 910 }],
    ['800 3', { kind: 'busy', code: 800, retryAfterMs: 60_000 }],
    ['206 3', { kind: 'bad-credentials', code: 206 }],
    ['911 3', { kind: 'bad-credentials', code: 911 }],
    ['924 3', { kind: 'refused', code: 924 }],
    ['200 3', { kind: 'refused', code: 200 }],
    ['OUT OTH', { kind: 'signed-in-elsewhere' }],
    ['OUT SSD', { kind: 'busy' }],
    ['OUT', { kind: 'unreachable' }],
    ['USR 3 NONSENSE', { kind: 'protocol' }],
    ['XFR 3 NS :1863', { kind: 'protocol' }],
  ])('makes of %s a failure that says what to do', async (answer, failure) => {
    const alice = new Alice()
    const signedIn = alice.client.signIn()
    const line = await upToUsr()
    line.says(answer)
    expect(await signedIn).toMatchObject({ ok: false, failure })
    expect(alice.events).toEqual([])
    expect(alice.client.signedIn).toBe(false)
  })

  it('gives up where no dialect is common, and where the server hangs up', async () => {
    const alice = new Alice()
    const refused = alice.client.signIn()
    ;(await ns.guest()).says('VER 1 0')
    expect(await refused).toMatchObject({ failure: { kind: 'refused' } })
    const bob = new Alice()
    const hungUp = bob.client.signIn()
    ;(await ns.guest()).socket.end()
    expect(await hungUp).toMatchObject({ failure: { kind: 'unreachable' } })
  })

  it('does not go round in circles', async () => {
    const alice = new Alice()
    const signedIn = alice.client.signIn()
    for (let visit = 0; visit <= 5; visit++) {
      const line = await ns.guest()
      const trid = (await line.hears(/^VER /)).split(' ')[1] ?? ''
      line.says(`XFR ${trid} NS ${ns.place}`)
    }
    expect(await signedIn).toMatchObject({ failure: { kind: 'protocol' } })
    expect(ns.visits).toBe(6)
  })

  it('tells a wrong password, and leaves the server politely', async () => {
    web.answer = () => ({ status: 401, headers: { 'WWW-Authenticate': 'Passport1.4 da-status=failed,cbtxt=No' } })
    const alice = new Alice()
    const signedIn = alice.client.signIn()
    const line = await upToUsr()
    line.says('USR 3 TWN S lc=1')
    expect(await signedIn).toMatchObject({ ok: false, failure: { kind: 'bad-credentials' } })
    await line.hears('OUT')
  })

  it('tells a login server that nobody vouches for', async () => {
    const stranger = await ScriptedWeb.start()
    await stranger.stop()
    const alice = new Alice({ ca: stranger.ca })
    const signedIn = alice.client.signIn()
    const line = await upToUsr()
    line.says('USR 3 TWN S lc=1')
    expect(await signedIn).toMatchObject({ ok: false, failure: { kind: 'tls' } })
  })

  it('does not wait for a silent server longer than it may', async () => {
    const slow = new Alice({ timings: { commandMs: 80 } })
    expect(await slow.client.signIn()).toMatchObject({ failure: { kind: 'timeout' } })
    const slower = new Alice({ timings: { signInMs: 80 } })
    expect(await slower.client.signIn()).toMatchObject({ failure: { kind: 'timeout' } })
  })

  it('cannot be signed in where CHG is answered by an error or not at all', async () => {
    for (const [answer, failure] of [
      ['600 6', { kind: 'busy', code: 600 }],
      ['NLN nothing', { kind: 'timeout' }],
    ] as const) {
      const alice = new Alice({ timings: { commandMs: 150 } })
      const signedIn = alice.client.signIn()
      const line = await (await ns.guest()).authenticates(ALICE)
      await line.hears('SYN 5 0')
      line.says('SYN 5 1 0 0')
      await line.hears(/^CHG 6/)
      line.says(answer)
      expect(await signedIn).toMatchObject({ ok: false, failure })
    }
  })

  it('stops when it is told to, by signal or by signOut, at any step', async () => {
    const abort = new AbortController()
    const alice = new Alice()
    const signedIn = alice.client.signIn(abort.signal)
    await (await ns.guest()).hears(/^VER/)
    abort.abort()
    expect(await signedIn).toMatchObject({ failure: { kind: 'aborted' } })
    const bob = new Alice()
    const other = bob.client.signIn()
    await (await ns.guest()).hears(/^VER/)
    await bob.client.signOut()
    expect(await other).toMatchObject({ failure: { kind: 'aborted' } })
    expect([...alice.events, ...bob.events]).toEqual([])
    const never = new Alice()
    await never.client.signOut()
    await expect(never.client.signIn()).rejects.toThrow(MisuseError)
  })

  it('does not even connect with a login that is no address', async () => {
    for (const login of ['', 'alice', 'al ice@example.com', 'alice@example.com\r\nOUT']) {
      expect(await new Alice({ login }).client.signIn()).toMatchObject({ failure: { kind: 'bad-credentials' } })
    }
    expect(ns.visits).toBe(0)
  })

  it('says where nobody listens', async () => {
    const gone = await ScriptedServer.start()
    const { address, place } = gone
    await gone.stop()
    expect(await new Alice({ server: address }).client.signIn()).toEqual({
      ok: false,
      failure: { kind: 'unreachable', detail: `cannot connect to ${place}: ECONNREFUSED` },
    })
  })
})

describe('the session', () => {
  it('tells presence, lists and names as they change', async () => {
    const { alice, line } = await online()
    line.says(`NLN NLN ${BOB} Bob%20B 268435456`, `NLN NLN ${BOB} Bob%20B 268435456`, `FLN ${BOB}`)
    line.says(
      'ADD 0 RL 5 dave@example.com Dave',
      'REA 0 6 alice@example.com Al',
      'CHG 0 BSY 0',
      'REM 0 RL 7 bob@example.com',
    )
    await expect.poll(() => alice.events.length).toBe(8)
    expect(alice.kinds()).toEqual([
      'roster',
      'own-status',
      'presence',
      'presence',
      'list',
      'own-name',
      'own-status',
      'list',
    ])
    expect(alice.client).toMatchObject({ name: 'Al', status: 'BSY' })
  })

  it('asks and is answered', async () => {
    const { alice, line } = await online()
    const renamed = alice.client.rename('Alice ☃')
    line.says((await line.hears(/^REA 7 alice@example.com Alice%20%E2%98%83$/)).replace('REA 7', 'REA 7 30'))
    expect(await renamed).toEqual({ ok: true })
    expect(alice.client.name).toBe('Alice ☃')
    const away = alice.client.setStatus('AWY')
    line.says(await line.hears(/^CHG 8 AWY \d+$/))
    expect(await away).toEqual({ ok: true })
    const added = alice.client.add('dave@example.com')
    await line.hears('ADD 9 FL dave@example.com dave@example.com 0')
    line.says('ADD 9 FL 31 dave@example.com dave@example.com 0')
    await line.hears('ADD 10 AL dave@example.com dave@example.com')
    line.says('ADD 10 AL 32 dave@example.com dave@example.com')
    expect(await added).toEqual({ ok: true })
    const tooFast = alice.client.rename('x')
    await line.hears(/^REA 11/)
    line.says('800 11')
    expect(await tooFast).toEqual({
      ok: false,
      failure: { kind: 'refused', code: 800, name: 'too-fast', meaning: 'changing too rapidly', retryAfterMs: 60_000 },
    })
  })

  it('refuses what cannot be said, and everything when it is over', async () => {
    const { alice } = await online()
    expect(await alice.client.rename('x'.repeat(400))).toMatchObject({ failure: { kind: 'invalid' } })
    expect(await alice.client.add('bob')).toMatchObject({ failure: { kind: 'invalid' } })
    await alice.client.signOut()
    expect(await alice.client.rename('x')).toEqual({ ok: false, failure: { kind: 'closed' } })
    expect(await alice.client.openSwitchboard()).toEqual({ ok: false, failure: { kind: 'closed' } })
    expect(alice.client.contacts.size).toBe(3)
  })

  it.each([
    ['OUT OTH', { kind: 'signed-in-elsewhere' }],
    ['OUT SSD', { kind: 'server-shutdown' }],
    ['OUT', { kind: 'lost', detail: 'the server said OUT' }],
    ['540 0', { kind: 'refused', code: 540, detail: 'the answer to the challenge was wrong or late' }],
    ['NOT -1', { kind: 'protocol', detail: 'bad-length' }],
  ])('ends on %s with the reason for it', async (said, reason) => {
    const { alice, line } = await online()
    const asked = alice.client.rename('x')
    await line.hears(/^REA/)
    line.says(said)
    expect((await alice.event('closed')).reason).toEqual(reason)
    expect(await asked).toEqual({ ok: false, failure: { kind: 'closed' } })
    await line.end()
    expect(alice.kinds().at(-1)).toBe('closed')
  })

  it('ends when the line breaks, and when nobody answers a PNG', async () => {
    const broken = await online()
    broken.line.socket.destroy()
    expect((await broken.alice.event('closed')).reason.kind).toBe('lost')
    const deaf = await online({ timings: { pingMs: 50, pongMs: 50 } })
    await deaf.line.hears('PNG')
    expect((await deaf.alice.event('closed')).reason).toEqual({ kind: 'timeout', waitingFor: 'QNG' })
  })

  it('signs out: OUT on every connection, one last event', async () => {
    const { alice, line } = await online()
    const { room } = await talking(alice, line)
    await alice.client.signOut()
    await alice.client.signOut()
    await room.hears('OUT')
    await line.hears('OUT')
    expect(alice.kinds().slice(-2)).toEqual(['switchboard-closed', 'closed'])
    expect(alice.events.at(-1)).toEqual({ kind: 'closed', reason: { kind: 'signed-out' } })
  })

  it('moves to another server when it is told to, and keeps status and switchboards', async () => {
    const { alice, line } = await online()
    const { board } = await talking(alice, line)
    const busy = alice.client.setStatus('BSY')
    line.says(await line.hears(/^CHG \d+ BSY \d+$/))
    await busy
    const target = await another()
    line.says(`XFR 0 NS ${target.place} 0 ${ns.place}`)
    const next = await target.guest()
    await next.authenticates(ALICE)
    expect(await alice.client.rename('x')).toMatchObject({ failure: { kind: 'closed' } })
    const trid = (await next.hears(/^SYN \d+ 0$/)).split(' ')[1] ?? ''
    next.says(`SYN ${trid} 28 1 0`, `LST ${BOB} Bob 3 0`)
    await next.chooses(/^BSY$/)
    await expect.poll(() => alice.client.signedIn).toBe(true)
    expect(alice.client.contacts.size).toBe(1)
    expect(board.open).toBe(true)
    expect(alice.kinds()).not.toContain('closed')
    next.says('OUT SSD')
    expect((await alice.event('closed')).reason).toEqual({ kind: 'server-shutdown' })
    expect(board.open).toBe(false)
  })

  it('is over when the other server does not take it', async () => {
    const { alice, line } = await online()
    const target = await another()
    line.says(`XFR 0 NS ${target.place} 0 ${ns.place}`)
    const next = await target.guest()
    next.says('VER 99 0').socket.end()
    expect((await alice.event('closed')).reason).toMatchObject({
      kind: 'move-failed',
      failure: { kind: 'unreachable' },
    })
  })
})

describe('switchboards', () => {
  it('opens one, invites, sends, receives and hears who leaves', async () => {
    const { alice, line } = await online({ random: () => 'nonce' })
    const { board, room } = await talking(alice, line)
    expect(board).toMatchObject({ nonce: 'nonce', session: '11752013', open: true })
    expect([...board.members]).toEqual([[BOB, { email: BOB, name: 'Bob' }]])
    const text = textMessage('hello')
    const sent = board.send(text, 'A')
    await room.hears(`MSG 3 A ${text.length}`)
    expect(await room.bytes(text.length)).toBe(Buffer.from(text).toString())
    room.says('ACK 3')
    expect(await sent).toEqual({ kind: 'acked', members: [BOB] })
    room.raw(`MSG ${BOB} Bob ${text.length}\r\n${Buffer.from(text).toString()}BYE ${BOB} 1\r\n`)
    const { payload, ordinal, from, switchboard } = await alice.event('message')
    expect([Buffer.from(payload), ordinal, from.name]).toEqual([Buffer.from(text), 1, 'Bob'])
    expect(switchboard).toBe(board)
    expect(await alice.event('left')).toMatchObject({ member: { email: BOB }, idle: true })
    expect(await board.send(text, 'A')).toEqual({ kind: 'not-written', why: 'empty' })
    board.close()
    board.close()
    expect(await alice.event('switchboard-closed')).toMatchObject({ reason: { kind: 'done' } })
    expect(alice.client.switchboards.size).toBe(0)
    expect(await board.send(text, 'A')).toEqual({ kind: 'not-written', why: 'closed' })
    expect(await board.invite(BOB)).toEqual({ kind: 'closed' })
    await room.hears('OUT')
  })

  it.each([
    ['217', 'refused'],
    ['216', 'refused'],
  ])('tells that a call was answered with %s', async (code, kind) => {
    const { alice, line } = await online()
    const { board, room } = await talking(alice, line)
    const invited = board.invite('dave@example.com')
    await room.hears('CAL 3 dave@example.com')
    room.says(`${code} 3`)
    expect(await invited).toMatchObject({ kind, code: Number(code) })
    expect(await board.invite('no address')).toMatchObject({ kind: 'refused', code: 208 })
    expect(board.open).toBe(true)
  })

  it.each([
    ['lost', (room: Guest) => void room.socket.destroy()],
    ['lost', (room: Guest) => void room.says('OUT')],
    ['nak', (room: Guest) => void room.says('NAK 3')],
    ['left-before-ack', (room: Guest) => void room.says(`BYE ${BOB}`, 'ACK 3')],
  ])('tells that a message was %s', async (kind, answer) => {
    const { alice, line } = await online()
    const { board, room } = await talking(alice, line)
    const sent = board.send(textMessage('hello'), 'A')
    await room.hears(/^MSG 3 A/)
    answer(room)
    expect(await sent).toEqual({ kind })
  })

  it('tells why a switchboard ended', async () => {
    const { alice, line } = await online({ timings: { switchboardIdleMs: 150 } })
    const first = await talking(alice, line)
    first.room.says('OUT')
    await expect.poll(() => alice.kinds().filter((kind) => kind === 'switchboard-closed').length).toBe(1)
    await talking(alice, line)
    await expect.poll(() => alice.kinds().filter((kind) => kind === 'switchboard-closed').length).toBe(2)
    const reasons = alice.events.flatMap((event) => (event.kind === 'switchboard-closed' ? [event.reason.kind] : []))
    expect(reasons).toEqual(['ended-by-server', 'idle'])
  })

  it('makes itself visible once when the server takes it for hidden, unless it wants to be', async () => {
    const { alice, line } = await online()
    const opening = alice.client.openSwitchboard()
    await line.hears('XFR 7 SB')
    line.says('913 7')
    await line.chooses(/^NLN$/)
    await line.hears('XFR 9 SB')
    line.says('913 9')
    expect(await opening).toEqual({ ok: false, failure: { kind: 'hidden' } })
    const hiding = alice.client.setStatus('HDN')
    await line.chooses(/^HDN$/)
    await hiding
    const again = alice.client.openSwitchboard()
    await line.hears('XFR 11 SB')
    line.says('913 11')
    expect(await again).toEqual({ ok: false, failure: { kind: 'hidden' } })
  })

  it('asks for a new token once when the first is not accepted', async () => {
    const { alice, line } = await online()
    const opening = alice.client.openSwitchboard()
    for (const trid of [7, 8]) {
      await line.hears(`XFR ${trid} SB`)
      line.says(`XFR ${trid} SB ${sb.place} CKI t${trid}`)
      const room = await sb.guest()
      await room.hears(`USR 1 ${ALICE} t${trid}`)
      room.says('911 1')
    }
    expect(await opening).toMatchObject({ ok: false, failure: { kind: 'refused', code: 911 } })
  })

  it.each([
    ['800 7', { kind: 'refused', code: 800, retryAfterMs: 60_000 }],
    ['XFR 7 SB', { kind: 'timeout' }],
    ['XFR 7 SB 127.0.0.1:1 CKI t', { kind: 'unreachable' }],
  ])('cannot open one when XFR is answered with %s', async (answer, failure) => {
    const { alice, line } = await online()
    const opening = alice.client.openSwitchboard()
    await line.hears('XFR 7 SB')
    line.says(answer)
    expect(await opening).toMatchObject({ ok: false, failure })
  })

  it('stops opening one when it is told to', async () => {
    const { alice, line } = await online()
    const abort = new AbortController()
    const opening = alice.client.openSwitchboard(abort.signal)
    await line.hears('XFR 7 SB')
    line.says(`XFR 7 SB ${sb.place} CKI t`)
    const room = await sb.guest()
    await room.hears(/^USR/)
    abort.abort()
    expect(await opening).toEqual({ ok: false, failure: { kind: 'aborted' } })
    await room.end()
    expect(alice.kinds()).not.toContain('switchboard-closed')
  })

  it('answers an invitation, even one that comes in one piece with the end of the sign-in', async () => {
    const alice = new Alice()
    const signedIn = alice.client.signIn()
    const line = await (await ns.guest()).authenticates(ALICE)
    await line.hears('SYN 5 0')
    line.says('SYN 5 1 0 0')
    const chg = await line.hears(/^CHG/)
    line.says(chg, `RNG 11752013 ${sb.place} CKI t.2 ${BOB} Bob`)
    const room = await sb.guest()
    await room.hears(`ANS 1 ${ALICE} t.2 11752013`)
    room.says(`IRO 1 1 1 ${BOB} Bob`, 'ANS 1 OK', `MSG ${BOB} Bob 0`)
    expect(await signedIn).toEqual({ ok: true })
    const { switchboard, invitedBy } = await alice.event('switchboard')
    expect([invitedBy, [...switchboard.members.keys()]]).toEqual([{ email: BOB, name: 'Bob' }, [BOB]])
    expect(await alice.event('message')).toMatchObject({ switchboard, ordinal: 1 })
    // Rung twice for the same conversation: we are there already.
    line.says(`RNG 11752013 ${sb.place} CKI t.3 ${BOB} Bob`, `FLN ${BOB}`, 'CHL 0 1')
    await line.hears(/^QRY/)
    expect(sb.visits).toBe(1)
  })

  it('does not answer those whom it blocked, nor those whom its owner does not want', async () => {
    const { line } = await online()
    line.says(`RNG 1 ${sb.place} CKI t eve@example.com Eve`, 'CHL 0 1')
    await line.hears(/^QRY/)
    const picky = await online({ answers: ({ email }) => email === BOB })
    picky.line.says(`RNG 1 ${sb.place} CKI t carol@example.com Carol`, `RNG 2 ${sb.place} CKI u ${BOB} Bob`)
    const room = await sb.guest()
    await room.hears(`ANS 1 ${ALICE} u 2`)
    expect(sb.visits).toBe(1)
  })

  it('tells that an invitation came to nothing', async () => {
    const { alice, line } = await online()
    line.says(`RNG 1 ${sb.place} CKI t ${BOB} Bob`)
    const room = await sb.guest()
    await room.hears(/^ANS/)
    room.says('911 1')
    expect(await alice.event('invitation-failed')).toMatchObject({ from: { email: BOB } })
  })

  it('does not follow a server into a private network unless it is allowed', async () => {
    const { alice, line } = await online({ allowPrivateHosts: false })
    line.says(`RNG 1 ${sb.place} CKI t ${BOB} Bob`, `RNG 2 localhost:${sb.port} CKI t ${BOB} Bob`)
    await expect.poll(() => alice.kinds().filter((kind) => kind === 'invitation-failed').length).toBe(2)
    const opening = alice.client.openSwitchboard()
    await line.hears('XFR 7 SB')
    line.says(`XFR 7 SB 192.168.1.1:1863 CKI t`)
    expect(await opening).toMatchObject({
      failure: { kind: 'unreachable', detail: expect.stringContaining('private address') as string },
    })
    expect(sb.visits).toBe(0)
    const moved = await another()
    line.says(`XFR 0 NS ${moved.place}`)
    expect((await alice.event('closed')).reason).toMatchObject({ kind: 'move-failed' })
    expect(moved.visits).toBe(0)
  })
})
