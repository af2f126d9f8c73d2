/** Our client and our service, over real sockets, at each dialect. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  DEFAULT_CLIENT_ID,
  DIALECTS,
  TRAITS,
  makeCertificate,
  MsnClient,
  MsnServer,
  onList,
  textMessage,
  typingMessage,
  type Dialect,
  type KeyPair,
  type MsnClientEvent,
  type MsnClientOptions,
  type MsnServerOptions,
} from '../../../msnp/index.ts'
import { LIST_BITS } from '../../../msnp/model/lists.ts'
import { MapHost } from '../../kit/map-host.ts'

const ANY = { host: '127.0.0.1', port: 0 }
const ALICE = 'alice@home.example'
const BOB = 'bob@home.example'
const CAROL = 'carol@home.example'

let pair: KeyPair
let host: MapHost
let server: MsnServer
const clients: MsnClient[] = []

beforeAll(async () => {
  pair = await makeCertificate(['localhost'], Date.now())
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.signOut()))
  await server.stop()
})
afterAll(() => {
  expect(clients).toEqual([])
})

async function serve(options: Partial<MsnServerOptions> = {}): Promise<void> {
  host = new MapHost()
  for (const email of [ALICE, BOB, CAROL]) host.add(email, `the, =%' sécret of ${email}`)
  server = new MsnServer({
    host,
    tls: pair,
    listen: { notification: ANY, dispatch: ANY, switchboard: ANY, passport: ANY },
    timings: { challenge: 'once' },
    ...options,
  })
  await server.start()
}

class Person {
  readonly events: MsnClientEvent[] = []
  readonly client: MsnClient

  constructor(email: string, options: Partial<MsnClientOptions> = {}) {
    const { listening } = server
    if (listening === undefined) throw new Error('the service does not listen')
    this.client = new MsnClient({
      server: listening.dispatch ?? listening.notification,
      passport: { nexus: `https://127.0.0.1:${listening.passport.port}/rdr/pprdr.asp` },
      ca: pair.cert,
      login: email,
      password: `the, =%' sécret of ${email}`,
      onEvent: (event) => void this.events.push(event),
      ...options,
    })
    clients.push(this.client)
  }

  static async online(email: string, dialects: readonly Dialect[]): Promise<Person> {
    const person = new Person(email, { dialects })
    expect(await person.client.signIn()).toEqual({ ok: true })
    return person
  }

  /** Those of one kind; waits until there are so many. */
  async heard<Kind extends MsnClientEvent['kind']>(
    kind: Kind,
    count = 1,
  ): Promise<Extract<MsnClientEvent, { kind: Kind }>[]> {
    const found = (): Extract<MsnClientEvent, { kind: Kind }>[] =>
      this.events.filter((event): event is Extract<MsnClientEvent, { kind: Kind }> => event.kind === kind)
    await expect.poll(() => found().length, { timeout: 5_000 }).toBeGreaterThanOrEqual(count)
    return found()
  }

  statusOf(email: string): string | undefined {
    return this.client.contacts.get(email)?.presence?.status
  }
}

describe.each<[Dialect, Dialect]>([
  ...DIALECTS.map((dialect) => [dialect, dialect] as [Dialect, Dialect]),
  ['MSNP8', 'MSNP9'],
  ['MSNP12', 'MSNP8'],
  ['MSNP9', 'MSNP11'],
  ['MSNP10', 'MSNP12'],
])('%s with %s', (ours, theirs) => {
  it('meet, talk in threes, block and part', async () => {
    await serve()
    const alice = await Person.online(ALICE, [ours])
    const bob = await Person.online(BOB, [theirs])
    expect([alice.client.dialect, bob.client.dialect]).toEqual([ours, theirs])

    expect(await alice.client.add(BOB)).toEqual({ ok: true })
    expect(await bob.heard('list')).toMatchObject([{ list: 'RL', change: 'added', email: ALICE, asked: false }])
    expect(await bob.client.add(ALICE)).toEqual({ ok: true })
    expect(await alice.client.add('nobody@home.example')).toMatchObject({
      failure: { kind: 'refused', code: TRAITS[ours].noSuchAccount },
    })
    await expect.poll(() => [alice.statusOf(BOB), bob.statusOf(ALICE)]).toEqual(['NLN', 'NLN'])
    expect(await bob.client.setStatus('LUN')).toEqual({ ok: true })
    expect(await bob.client.rename('Bob ☃ "100%"')).toEqual({ ok: true })
    await expect
      .poll(() => [alice.statusOf(BOB), alice.client.contacts.get(BOB)?.name])
      .toEqual(['LUN', 'Bob ☃ "100%"'])

    const song = { application: 'WMP', type: 'Music', format: '{0} - {1}', args: ['Song', 'Artist'] }
    const personal = { text: 'at <lunch> & "away" ☃', media: song }
    expect(await bob.client.setPersonalMessage(personal)).toEqual({ ok: true })
    if (TRAITS[ours].personalMessages && TRAITS[theirs].personalMessages) {
      expect((await alice.heard('personal-message')).at(-1)).toMatchObject({ email: BOB, message: personal })
      expect(alice.client.contacts.get(BOB)?.personal).toEqual(personal)
    }
    const { email } = alice.client.contacts.get(BOB) ?? { email: '' }
    expect(await alice.client.ask({ kind: 'rename', email, name: 'Bobby' })).toEqual({ kind: 'done' })

    const opened = await alice.client.openSwitchboard()
    if (!opened.ok) throw new Error(JSON.stringify(opened.failure))
    const { switchboard } = opened
    expect(await switchboard.send(textMessage('hello?'), 'A')).toEqual({ kind: 'not-written', why: 'empty' })
    expect(await switchboard.invite(CAROL)).toMatchObject({ kind: 'refused', code: 217 })
    expect(await switchboard.invite('@@home.example')).toMatchObject({ kind: 'refused', code: 208 })
    const joined = await switchboard.invite(BOB)
    expect(joined).toMatchObject({ kind: 'joined', member: { email: BOB } })
    const known = joined.kind === 'joined' ? joined.member.clientId : undefined
    expect(known).toBe(TRAITS[ours].memberClientIds ? DEFAULT_CLIENT_ID : undefined)
    const [invitation] = await bob.heard('switchboard')
    expect(invitation?.invitedBy.email).toBe(ALICE)
    const text = textMessage('Hello Bob — ünï ☃\nline 2')
    expect(await switchboard.send(text, 'A')).toEqual({ kind: 'acked', members: [BOB] })
    expect(await switchboard.send(typingMessage(ALICE), 'U')).toMatchObject({ kind: 'sent' })
    await bob.heard('typing')
    const [message] = await bob.heard('message')
    expect([message?.from.email, message?.ordinal]).toEqual([ALICE, 1])
    expect(Buffer.from(message?.payload ?? [])).toEqual(Buffer.from(text))

    const carol = await Person.online(CAROL, ['MSNP9', 'MSNP8'])
    expect(await invitation?.switchboard.invite(CAROL)).toMatchObject({ kind: 'joined' })
    const [party] = await carol.heard('switchboard')
    expect([...(party?.switchboard.members.keys() ?? [])].sort()).toEqual([ALICE, BOB])
    const burst = await Promise.all(
      Array.from({ length: 20 }, (_, at) => switchboard.send(textMessage(`line ${at}`), 'A')),
    )
    expect(burst.every(({ kind }) => kind === 'acked')).toBe(true)
    expect((await carol.heard('message', 20)).map(({ ordinal }) => ordinal)).toEqual(burst.map((_, at) => at + 1))
    await carol.client.signOut()
    await alice.heard('left')
    expect(switchboard.members.has(CAROL)).toBe(false)

    expect(await bob.client.block(ALICE)).toEqual({ ok: true })
    await expect.poll(() => alice.statusOf(BOB)).toBeUndefined()
    expect(bob.client.contacts.get(ALICE)).toSatisfy((contact: { lists: number }) => onList(contact, 'BL'))
    expect(await bob.client.unblock(ALICE)).toEqual({ ok: true })
    await expect.poll(() => alice.statusOf(BOB)).toBe('LUN')
    expect(await bob.client.remove(ALICE)).toEqual({ ok: true })
    expect((await alice.heard('list', 4)).at(-1)).toMatchObject({ list: 'RL', change: 'removed', email: BOB })

    const group = await alice.client.ask({ kind: 'group-add', name: 'Café' })
    if (group.kind !== 'group') throw new Error(JSON.stringify(group))
    const contact = { list: 'FL', email: BOB, group: group.id } as const
    expect(await alice.client.ask({ kind: 'list-add', name: BOB, ...contact })).toEqual({ kind: 'done' })
    expect(await alice.client.ask({ kind: 'group-rename', group: group.id, name: 'Tea room' })).toEqual({
      kind: 'done',
    })
    expect(alice.client.contacts.get(BOB)?.groups).toContain(group.id)
    expect(await alice.client.ask({ kind: 'group-remove', group: 'nonsense' })).toMatchObject({ kind: 'refused' })
    expect(await alice.client.ask({ kind: 'synchronize' })).toEqual({ kind: 'done' })
    expect(alice.client.groups).toContainEqual({ id: group.id, name: 'Tea room' })
    expect(alice.client.contacts.get(BOB)).toMatchObject({ presence: { status: 'LUN' } })
    expect(alice.client.contacts.get(BOB)?.groups).toContain(group.id)
    expect(await alice.client.ask({ kind: 'group-remove', group: group.id })).toEqual({ kind: 'done' })
    expect(alice.client.contacts.get(BOB)?.groups).not.toContain(group.id)
    expect(alice.client.contacts.get(BOB)).toSatisfy((each: { lists: number }) => onList(each, 'FL'))
    expect([alice.client.strangeLines, bob.client.strangeLines]).toEqual([0, 0])

    await alice.client.signOut()
    const lonely = await Person.online(CAROL, [theirs])
    expect(await lonely.client.add(ALICE)).toEqual({ ok: true })
    const again = await Person.online(ALICE, [theirs])
    const listed = (email: string): readonly string[] =>
      Object.entries(LIST_BITS).flatMap(([list, bit]) =>
        ((again.client.contacts.get(email)?.lists ?? 0) & bit) === 0 ? [] : [list],
      )
    expect(listed(BOB)).toEqual(['FL', 'AL'])
    await expect.poll(() => again.statusOf(BOB)).toBe('LUN')
    expect(listed(CAROL)).toEqual([TRAITS[theirs].pendingList ? 'PL' : 'RL'])
    expect(await again.client.add(CAROL)).toEqual({ ok: true })
    expect(listed(CAROL)).toEqual(['FL', 'AL', 'RL'])
    expect(await again.client.ask({ kind: 'synchronize' })).toEqual({ kind: 'done' })
    expect(listed(CAROL)).toEqual(['FL', 'AL', 'RL'])
    expect(again.client.strangeLines).toBe(0)
  })
})

describe('who may come in', () => {
  it('agrees on a dialect with clients that offer more, less or the other order', async () => {
    await serve()
    for (const [dialects, chosen] of [
      [['MSNP9', 'MSNP8'], 'MSNP9'],
      // The service takes the highest, whatever our order.
      [['MSNP8', 'MSNP9'], 'MSNP9'],
      [['MSNP8'], 'MSNP8'],
      [['MSNP10', 'MSNP11'], 'MSNP11'],
      [undefined, 'MSNP12'],
    ] as const) {
      const person = await Person.online(ALICE, dialects ?? DIALECTS)
      expect(person.client.dialect).toBe(chosen)
      await person.client.signOut()
    }
  })

  it('not with a wrong password, and the words say so', async () => {
    await serve()
    const person = new Person(ALICE, { password: 'hunter2' })
    const result = await person.client.signIn()
    expect(result).toMatchObject({ ok: false, failure: { kind: 'bad-credentials' } })
    expect(JSON.stringify(result)).not.toContain('hunter2')
  })

  it('throws out the first of two, and does not fight', async () => {
    await serve()
    const first = await Person.online(ALICE, ['MSNP9'])
    const second = await Person.online(ALICE, ['MSNP9'])
    expect((await first.heard('closed'))[0]?.reason).toEqual({ kind: 'signed-in-elsewhere' })
    expect([first.client.signedIn, second.client.signedIn]).toEqual([false, true])
  })

  it('hears that the service shuts down', async () => {
    await serve()
    const alice = await Person.online(ALICE, ['MSNP9'])
    await server.stop()
    expect((await alice.heard('closed'))[0]?.reason).toEqual({ kind: 'server-shutdown' })
  })

  it('works on one port and with plain HTTP behind a proxy', async () => {
    await serve({ listen: { notification: ANY, passport: ANY }, tls: 'plain' })
    const passport = `http://127.0.0.1:${server.listening?.passport.port ?? 0}/login2.srf`
    const alice = new Person(ALICE, { passport: { login: passport } })
    expect(await alice.client.signIn()).toEqual({ ok: true })
    const opened = await alice.client.openSwitchboard()
    expect(opened.ok).toBe(true)
  })
})
