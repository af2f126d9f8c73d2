import { duplexPair } from 'node:stream'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { Client } from '../../../adapters/irc-gateway/client.ts'
import { Hall, type Resident, NEW_ACCOUNTS } from '../../../adapters/irc-gateway/hall.ts'
import { IRCD_LIMITS } from '../../../adapters/irc-gateway/machine/ircd-events.ts'
import { IrcdMachine } from '../../../adapters/irc-gateway/machine/ircd.ts'
import type { ClientPort, PersonPort } from '../../../adapters/irc-gateway/types.ts'
import { Users } from '../../../adapters/irc-gateway/users.ts'
import type { UserId } from '../../../bridge/model/ids.ts'
import { systemClock } from '../../../bridge/clock.ts'
import { recordingLog, recordingMetrics } from '../../kit/observers.ts'
import { Watch } from '../../kit/watch.ts'
import { memoryState } from './memory-state.ts'

/** A client at the other end of a line in memory. */
class Peer {
  readonly client: Client
  readonly lines: string[] = []
  readonly #rig: HallRig
  readonly #line: ReturnType<typeof duplexPair>[0]

  constructor(rig: HallRig, host: string) {
    const [ours, theirs] = duplexPair()
    this.#rig = rig
    this.#line = theirs
    const options = {
      server: 'localhost',
      network: 'test',
      version: 'test',
      createdAt: 0,
      address: host,
      motd: [],
      tls: false,
      ownNicks: new Set<string>(),
      limits: IRCD_LIMITS,
    }
    const socket = Object.assign(ours, { setNoDelay: () => ours }) as unknown as Socket
    this.client = new Client(socket, host, false, new IrcdMachine(options, systemClock.now()), rig.hall)
    theirs.setEncoding('utf8').on('data', (text: string) => {
      this.lines.push(...text.split('\r\n').filter((line) => line !== ''))
      rig.watch.changed()
    })
    theirs.on('end', () => {
      theirs.end()
      rig.watch.changed()
    })
    rig.hall.enter(this.client)
  }

  send(...lines: readonly string[]): this {
    this.#line.write(lines.map((line) => `${line}\r\n`).join(''))
    return this
  }

  introduce(nick: string, pass?: string): this {
    return this.send(...(pass === undefined ? [] : [`PASS ${pass}`]), `NICK ${nick}`, `USER ${nick} 0 * :${nick}`)
  }

  /** Dies without a word. */
  hangUp(): void {
    this.#line.end()
  }

  next(pattern: RegExp): Promise<string> {
    return this.#rig.watch.until(() => this.lines.find((line) => pattern.test(line)))
  }
}

class House implements Resident {
  readonly clients = new Set<ClientPort>()
  readonly events: string[] = []
  readonly user: UserId
  several = true
  readonly #watch: Watch

  constructor(user: UserId, watch: Watch) {
    this.user = user
    this.#watch = watch
  }

  nick(): string {
    return this.user
  }

  maySeveral(): boolean {
    return this.several
  }

  attach(client: Client, inControl: boolean): void {
    client.belongsTo({ user: this.user } as PersonPort)
    this.clients.add(client)
    this.#note(`attach ${client.nick}${inControl ? ' in control' : ''}`)
  }

  detach(client: Client, clean: boolean): void {
    this.clients.delete(client)
    this.#note(`detach ${client.nick}${clean ? ' clean' : ''}`)
  }

  confirmed(client: Client): void {
    this.#note(`confirmed ${client.nick}`)
  }

  #note(event: string): void {
    this.events.push(event)
    this.#watch.changed()
  }
}

class HallRig {
  readonly watch = new Watch()
  readonly state = memoryState()
  readonly metrics = recordingMetrics()
  readonly houses = new Map<UserId, House>()
  readonly taken: string[] = []
  readonly forgotten: string[] = []
  /** From where passwords were tried. */
  readonly addresses: string[] = []
  /** Why nobody can leave. */
  keeps: string | undefined
  readonly hall: Hall
  /** Passwords by name; the check waits for `checking`. */
  readonly passwords = new Map<string, string>([
    ['alice', 'secret'],
    ['bob', 'geheim'],
  ])
  checking: Promise<unknown> = Promise.resolve()
  throttled = false
  loadFails = false
  loading: Promise<unknown> = Promise.resolve()

  constructor(limits: { clientsPerPerson?: number; strangersPerAddress?: number } = {}) {
    const users = new Users({
      state: this.state,
      desk: {
        verify: async (user, password, address) => {
          this.addresses.push(address)
          await this.checking
          return this.throttled ? 'throttled' : this.passwords.get(user) === password ? 'right' : 'wrong'
        },
        passwordSet: (user, password) => void this.passwords.set(user, password),
        forget: (user) => void this.passwords.delete(user),
      },
      register: 'open',
      max: 10,
      now: () => 0,
    })
    this.hall = new Hall({
      clock: systemClock,
      log: recordingLog(),
      metrics: this.metrics,
      users,
      residents: {
        load: async (user) => {
          await this.loading
          if (this.loadFails) throw new Error('the store is gone')
          return this.house(user)
        },
        forget: (user) => {
          this.forgotten.push(user)
          return Promise.resolve(this.keeps)
        },
      },
      greet: (client) => client.send({ verb: 'NOTICE', params: [client.nick, 'who are you?'] }),
      take: (client, { verb, params }) => {
        this.taken.push([client.nick, client.person?.user ?? '?', verb, ...params].join(' '))
        this.watch.changed()
      },
      limits: { clientsPerPerson: 3, strangersPerAddress: 50, ...limits },
    })
  }

  house(name: string): House {
    const user = name as UserId
    const house = this.houses.get(user) ?? new House(user, this.watch)
    this.houses.set(user, house)
    return house
  }

  peer(host = '127.0.0.1'): Peer {
    return new Peer(this, host)
  }

  /** Registered and identified. */
  async known(nick: string, pass: string, host?: string): Promise<Peer> {
    const house = this.house(pass.split(':')[0] ?? '')
    const peer = this.peer(host).introduce(nick, pass)
    await this.watch.until(() => house.clients.has(peer.client))
    return peer
  }

  async stranger(nick: string, host?: string): Promise<Peer> {
    const peer = this.peer(host).introduce(nick)
    await peer.next(/who are you\?/)
    return peer
  }
}

const rigs: HallRig[] = []
const newRig = (...limits: ConstructorParameters<typeof HallRig>): HallRig => {
  const rig = new HallRig(...limits)
  rigs.push(rig)
  return rig
}
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.hall.dismiss('over')
})

describe('who comes in', () => {
  test('with the right password is led to their person; without one is asked', async () => {
    const rig = newRig()
    const alice = await rig.known('al', 'alice:secret')
    expect(rig.house('alice').events).toEqual(['attach al'])
    expect(alice.client.person?.user).toBe('alice')
    const stranger = await rig.stranger('newbie')
    expect(stranger.client.person).toBeUndefined()
    expect(rig.hall.size).toBe(2)
  })

  test('with a wrong password is put out before anything is said, and the other one is not', async () => {
    const rig = newRig()
    const alice = await rig.known('al', 'alice:secret')
    const thief = rig.peer().introduce('al', 'alice:guess')
    await thief.next(/^ERROR :Closing link/)
    expect(thief.lines.join()).toContain('464')
    expect(alice.client.closed).toBe(false)
    expect(rig.house('alice').events).toEqual(['attach al'])
  })

  test.each([
    ['throttled', (rig: HallRig) => (rig.throttled = true)],
    ['not found because the store is gone', (rig: HallRig) => (rig.loadFails = true)],
  ])('is put out when they are %s', async (_, happens) => {
    const rig = newRig()
    happens(rig)
    const peer = rig.peer().introduce('al', 'alice:secret')
    await peer.next(/^ERROR :Closing link/)
    expect(rig.hall.size).toBe(0)
  })

  test('registers or identifies later, and is in the control channel then', async () => {
    const rig = newRig()
    const carol = await rig.stranger('carol')
    expect(await rig.hall.register(carol.client, 'carol', 'secret')).toEqual({ kind: 'done', user: 'carol' })
    expect(rig.house('carol').events).toEqual(['attach carol in control'])
    expect(await rig.hall.register(carol.client, 'more', 'secret')).toMatchObject({ kind: 'refused' })
    const other = await rig.stranger('other')
    expect(await rig.hall.identify(other.client, 'alice', 'guess')).toMatchObject({ kind: 'refused' })
    expect(await rig.hall.identify(other.client, 'Alice', 'secret')).toEqual({ kind: 'done', user: 'alice' })
    expect(rig.house('alice').events).toEqual(['attach other in control'])
    rig.loadFails = true
    expect(await rig.hall.identify((await rig.stranger('third')).client, 'bob', 'geheim')).toMatchObject({
      kind: 'refused',
      detail: expect.stringMatching(/cannot be looked up now/),
    })
  })

  test('and no address makes accounts without end', async () => {
    const rig = newRig()
    const { client } = await rig.stranger('carol')
    // What is refused costs as much to ask for as what is not.
    for (let asked = 0; asked < NEW_ACCOUNTS.burst; asked++) {
      const answer = await rig.hall.register(client, 'carol', 'secret')
      expect(JSON.stringify(answer)).not.toContain('Too many accounts')
    }
    expect(JSON.stringify(await rig.hall.register(client, 'carol', 'secret'))).toContain('Too many accounts')
  })

  test('and is gone before the password is checked is attached to nobody', async () => {
    const rig = newRig()
    let checked = (): void => undefined
    rig.checking = new Promise<void>((resolve) => (checked = resolve))
    const peer = rig.peer().introduce('al', 'alice:secret')
    const later = await rig.stranger('later')
    const identifying = rig.hall.identify(later.client, 'alice', 'secret')
    peer.hangUp()
    later.send('QUIT')
    await rig.watch.until(() => peer.client.closed && later.client.closed)
    checked()
    expect(await identifying).toMatchObject({ kind: 'refused' })
    expect(rig.house('alice').events).toEqual([])
    expect(rig.hall.size).toBe(0)
  })
})

describe('several clients of one person', () => {
  test('are in at once, up to the limit', async () => {
    const rig = newRig()
    for (const nick of ['one', 'two', 'three']) await rig.known(nick, 'alice:secret')
    const fourth = rig.peer().introduce('four', 'alice:secret')
    await fourth.next(/^ERROR/)
    expect(fourth.lines.join()).toContain('alice has 3 clients connected')
    expect(rig.house('alice').clients.size).toBe(3)
    const stranger = await rig.stranger('five')
    expect(await rig.hall.identify(stranger.client, 'alice', 'secret')).toMatchObject({ kind: 'refused' })
    expect(stranger.client.closed).toBe(false)
  })

  test('are not where allow_takeover says so', async () => {
    const rig = newRig()
    rig.house('alice').several = false
    await rig.known('one', 'alice:secret')
    const second = rig.peer().introduce('two', 'alice:secret')
    await second.next(/^ERROR/)
    expect(second.lines.join()).toContain('allow_takeover')
  })

  test('go one by one, with a word or without, and each is known by its own', async () => {
    const rig = newRig()
    const house = rig.house('alice')
    const one = await rig.known('one', 'alice:secret')
    const two = await rig.known('two', 'alice:secret')
    one.client.command({ kind: 'confirm', token: 'seen' })
    one.send('PONG seen')
    await rig.watch.until(() => house.events.includes('confirmed one'))
    one.send('QUIT :bye')
    two.hangUp()
    await rig.watch.until(() => house.clients.size === 0)
    expect(house.events.slice(-2).toSorted()).toEqual(['detach one clean', 'detach two'])
  })
})

describe('what somebody says', () => {
  test('while it is found out who they are waits, and is heard as theirs', async () => {
    const rig = newRig()
    const peer = await rig.stranger('al')
    peer.send('PRIVMSG root :before')
    await rig.watch.until(() => rig.taken.length === 1)
    let loaded = (): void => undefined
    rig.loading = new Promise<void>((resolve) => (loaded = resolve))
    const identifying = rig.hall.identify(peer.client, 'alice', 'secret')
    // The password is right, and their person is being read from the disk.
    await rig.checking
    await Promise.resolve()
    peer.send('PRIVMSG bob :hello', 'PING now')
    await peer.next(/PONG .*now/)
    expect(rig.taken).toEqual(['al ? PRIVMSG root before'])
    loaded()
    expect(await identifying).toMatchObject({ kind: 'done' })
    expect(rig.taken.slice(1)).toEqual(['al alice PRIVMSG bob hello'])
  })

  test('is heard as a stranger’s when it was not them after all', async () => {
    const rig = newRig()
    const peer = await rig.stranger('al')
    expect(await rig.hall.identify(peer.client, 'alice', 'guess')).toMatchObject({ kind: 'refused' })
    peer.send('PRIVMSG root :help')
    await rig.watch.until(() => rig.taken.includes('al ? PRIVMSG root help'))
  })
})

describe('connections that are not identified', () => {
  test('are closed, the oldest first, when there are too many from one address; whoever is identified stays', async () => {
    const rig = newRig({ strangersPerAddress: 2 })
    const alice = await rig.known('al', 'alice:secret', '192.0.2.1')
    const [first, second] = [await rig.stranger('one', '192.0.2.1'), await rig.stranger('two', '192.0.2.1')]
    const elsewhere = await rig.stranger('else', '192.0.2.2')
    await rig.hall.identify(second.client, 'bob', 'geheim')
    const third = rig.peer('192.0.2.1')
    expect(first.client.closed).toBe(false)
    const fourth = rig.peer('192.0.2.1')
    await first.next(/^ERROR .*Too many connections from your address/)
    rig.peer('192.0.2.1')
    await third.next(/^ERROR/)
    expect([alice, second, elsewhere, fourth].map(({ client }) => client.closed)).toEqual([false, false, false, false])
    expect(rig.metrics.values.get('gateway_turned{reason=strangers}')).toBe(2)
  })
})

test('an account is dropped with the right password, everything of it first, and its clients go', async () => {
  const rig = newRig()
  await rig.hall.register((await rig.stranger('carol')).client, 'carol', 'secret')
  const alice = await rig.known('al', 'alice:secret')
  expect(await rig.hall.drop('carol' as UserId, 'guess')).toMatchObject({ kind: 'refused' })
  expect(rig.forgotten).toEqual([])
  expect(await rig.hall.drop('carol' as UserId, 'secret')).toMatchObject({ kind: 'done' })
  expect(rig.forgotten).toEqual(['carol'])
  expect(rig.state.rows.size).toBe(0)
  await rig.watch.until(() => rig.house('carol').clients.size === 0)
  expect(alice.client.closed).toBe(false)
})

test('whom the bridge does not let go keeps the account, and hears why', async () => {
  const rig = newRig()
  const alice = await rig.known('al', 'alice:secret')
  rig.keeps = 'alice stands in the config of the bridge.'
  expect(await rig.hall.drop('alice' as UserId, 'secret')).toEqual({ kind: 'refused', detail: rig.keeps })
  expect(alice.client.closed).toBe(false)
  expect(await rig.known('al', 'alice:secret')).toBeDefined()
})

test('who guesses passwords to drop with keeps nobody else from it', async () => {
  const rig = newRig()
  await rig.hall.drop('bob' as UserId, 'guess')
  await rig.hall.drop('alice' as UserId, 'guess')
  expect(new Set(rig.addresses).size).toBe(2)
})

test('when it stops everybody is told why and is gone', async () => {
  const rig = newRig()
  const peers = [await rig.known('al', 'alice:secret'), await rig.stranger('newbie'), rig.peer()]
  rig.hall.dismiss('The bridge is going down')
  for (const peer of peers) await peer.next(/^ERROR .*The bridge is going down/)
  expect(rig.hall.size).toBe(0)
  expect(rig.house('alice').events.at(-1)).toMatch(/^detach al/)
})
