/** Who may add people of other networks, and under which addresses. */
import { describe, expect, it } from 'vitest'
import { AccountBook, ServiceAccounts } from '../../../adapters/msn-service/accounts.ts'
import { msnServiceConfig } from '../../../adapters/msn-service/config.ts'
import { Elsewhere } from '../../../adapters/msn-service/elsewhere.ts'
import { addressedMxid, addressOfMxid } from '../../../adapters/matrix/ids.ts'
import { newAccount } from '../../../msnp/index.ts'
import type { Mxid } from '../../../adapters/matrix/types.ts'
import type { VisitRequest } from '../../../bridge/adapter.ts'
import { escapeWord, unescapeWord } from '../../../bridge/model/escape.ts'
import { isPassword } from '../../../bridge/passwords.ts'
import { VirtualClock } from '../../kit/clock.ts'
import { recordingLog } from '../../kit/observers.ts'
import { MemoryState } from '../msn/fakes.ts'

const CAROL = 'carol@home.example'
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const rig = (more: object = {}, state = new MemoryState()) => {
  /** Whom the network does not let in yet. */
  const fails = new Set<string>()
  /** Those with whom it never comes to an end. */
  const killed = new Set<string>()
  const clock = new VirtualClock()
  const log = recordingLog()
  const book = new AccountBook({ state, domain: 'home.example', cost: { N: 16, r: 1, p: 1 } })
  const brought: VisitRequest[] = []
  const expected: string[] = []
  /** Whom those talk with who talk with one only. */
  const talking = new Map<string, string>()
  const config = msnServiceConfig.parse({
    id: 'home',
    type: 'msn-service',
    elsewhere: { networks: ['matrix'], people: [CAROL], servers: ['example.org', '*.example.net'], ...more },
  })
  const elsewhere = new Elsewhere({
    config,
    book,
    context: {
      clock,
      state,
      log,
      visitors: {
        find: (_, local) => addressedMxid(local),
        exists: async (_, who) => who.name !== 'nobody',
        knows: (address) => brought.some((one) => one.address === address),
        expect: async (address, by) => void expected.push(`${address} ${by}`),
        isFree: (_network, _who, address, by) => !talking.has(address) || talking.get(address) === by,
        bring: async (request) => {
          brought.push(request)
          if (killed.has(request.address)) await new Promise(() => undefined)
          return !fails.has(request.address)
        },
      },
    },
  })
  return { clock, log, state, fails, killed, book, brought, expected, talking, elsewhere }
}

const BOB = 'bob=example.org@matrix.home.example'

describe('adding somebody elsewhere', () => {
  it('makes an account that has let them in, and brings them after that', async () => {
    const { book, brought, elsewhere } = rig()
    expect(await elsewhere.introduce(CAROL, BOB)).toBe('as-it-is')
    expect(await book.load(BOB)).toMatchObject({ name: 'bob', privacy: 'BL', contacts: [{ email: CAROL, lists: 2 }] })
    expect(brought).toEqual([])
    await turn()
    expect(brought).toMatchObject([
      {
        network: 'matrix',
        address: BOB,
        by: CAROL,
        who: { kind: 'user', user: '@bob:example.org', server: 'example.org' },
      },
    ])
  })

  it('asks nobody again whom the bridge signs in for', async () => {
    const { brought, expected, elsewhere } = rig({ people: ['*'] })
    await elsewhere.introduce(CAROL, BOB)
    await turn()
    await elsewhere.introduce('dave@home.example', BOB)
    await turn()
    expect(expected).toEqual([`${BOB} dave@home.example`])
    expect(brought).toHaveLength(2)
  })

  it.each([
    ['dave@home.example', BOB, 'unknown'],
    [BOB, 'amy=example.org@matrix.home.example', 'unknown'],
    [CAROL, 'bob=elsewhere.example@matrix.home.example', 'unknown'],
    [CAROL, 'bob=example.org@irc.home.example', 'unknown'],
    [CAROL, 'nobody=example.org@matrix.home.example', 'unknown'],
    [CAROL, 'bob@matrix.home.example', 'wrong'],
    [CAROL, 'bob=zz=example.org@matrix.home.example', 'wrong'],
    [CAROL, 'dave@home.example', 'as-it-is'],
    [CAROL, 'bob@example.org', 'as-it-is'],
    [CAROL, 'bob=a.example.net@matrix.home.example', 'as-it-is'],
  ] as const)('%s adds %s: %s', async (by, address, answer) => {
    const { brought, elsewhere } = rig()
    expect(await elsewhere.introduce(by, address)).toBe(answer)
    await turn()
    expect(brought).toHaveLength(answer === 'as-it-is' && address.endsWith('matrix.home.example') ? 1 : 0)
  })

  it('is counted, for each by itself, and possible again later', async () => {
    const { clock, elsewhere } = rig({ people: ['*'], invitations: { times: 2, hours: 1 } })
    const add = (name: string, by = CAROL) => elsewhere.introduce(by, `${name}=example.org@matrix.home.example`)
    expect([await add('a'), await add('b'), await add('c')]).toEqual(['as-it-is', 'as-it-is', 'too-often'])
    expect(await add('c', 'dave@home.example')).toBe('as-it-is')
    await clock.advance(60 * 60_000)
    expect(await add('c')).toBe('as-it-is')
  })

  it('is counted over a restart, and what counts no more is forgotten', async () => {
    const more = { people: ['*'], invitations: { times: 2, hours: 1 } }
    const before = rig(more)
    const add = ({ elsewhere }: typeof before, name: string) =>
      elsewhere.introduce(CAROL, `${name}=example.org@matrix.home.example`)
    expect([await add(before, 'a'), await add(before, 'b')]).toEqual(['as-it-is', 'as-it-is'])
    const after = rig(more, before.state)
    expect(await add(after, 'c')).toBe('too-often')
    await after.clock.advance(60 * 60_000)
    await after.elsewhere.resume(AbortSignal.abort())
    expect(await after.state.list('invited/')).toEqual([])
    before.state.values.set(`invited/${CAROL}`, 'damaged')
    expect(await add(rig(more, before.state), 'd')).toBe('as-it-is')
  })

  it('takes over no account that somebody has there, and says so when it is asked for and at the start', async () => {
    const { book, log, brought, elsewhere } = rig({ people: ['*'], invitations: { times: 1, hours: 1 } })
    await book.add(BOB, 'mine')
    await book.add('dave@home.example', 'mine')
    await book.bringing(BOB, CAROL)
    expect(await elsewhere.introduce(CAROL, BOB)).toBe('unknown')
    await elsewhere.resume(AbortSignal.abort())
    await turn()
    expect(brought).toEqual([])
    expect(await isPassword('mine', (await book.passwordHash(BOB)) ?? '')).toBe(true)
    const line = {
      level: 'warn',
      fields: { account: BOB },
      message: 'an account of somebody has an address of another network, so nobody can add that contact',
    }
    expect(log.lines).toEqual([line, line])
    // It has cost nothing, and once the account is gone it is free.
    await book.remove(BOB)
    expect(await elsewhere.introduce(CAROL, BOB)).toBe('as-it-is')
  })

  it('gives an account that the bridge has made a new password, which nobody else may give it', async () => {
    const { book, elsewhere, state } = rig()
    await elsewhere.introduce(CAROL, BOB)
    const first = await book.passwordHash(BOB)
    const accounts = new ServiceAccounts(book, {
      isOnline: () => false,
      passwordSet: () => undefined,
      removed: async () => undefined,
    })
    expect(await accounts.passwd(BOB, 'secret')).toMatchObject({ kind: 'refused' })
    // The bridge has lost it.
    const after = rig({}, state)
    await after.elsewhere.introduce(CAROL, BOB)
    const second = await after.book.passwordHash(BOB)
    expect([typeof first, typeof second, first === second]).toEqual(['string', 'string', false])
  })

  it('has one password for two who add the same one at once', async () => {
    const { book, brought, elsewhere } = rig({ people: ['*'] })
    await Promise.all([elsewhere.introduce(CAROL, BOB), elsewhere.introduce('dave@home.example', BOB)])
    await turn()
    const [first, second] = brought.map(({ password }) => password)
    expect(first).toBe(second)
    expect(await isPassword(first ?? '', (await book.passwordHash(BOB)) ?? '')).toBe(true)
  })

  it('is not possible, and costs nothing, while they talk with somebody else', async () => {
    const { brought, talking, elsewhere } = rig({ people: ['*'], invitations: { times: 1, hours: 1 } })
    talking.set(BOB, CAROL)
    expect(await elsewhere.introduce('dave@home.example', BOB)).toBe('unknown')
    expect(await elsewhere.introduce(CAROL, BOB)).toBe('as-it-is')
    await turn()
    expect(brought).toHaveLength(1)
  })

  it('is gone on with after a crash, until it is done, for those who still have them on their list', async () => {
    const before = rig({ people: ['*'] })
    before.killed.add(BOB)
    const record = (email: string, contacts: readonly string[]) => ({
      ...newAccount(email, email),
      contacts: contacts.map((each) => ({ email: each, name: each, lists: 1, groups: [] })),
    })
    const dave = 'dave@home.example'
    await before.elsewhere.introduce(CAROL, BOB)
    await before.elsewhere.introduce(dave, BOB)
    await before.book.save([record(CAROL, [BOB]), record(dave, [])])
    const after = rig({ people: ['*'] }, before.state)
    after.fails.add(BOB)
    let isOver = false
    const resumed = after.elsewhere.resume(new AbortController().signal).then(() => {
      isOver = true
    })
    // Hashes take real time.
    while (!isOver) {
      await after.clock.advance(1_000)
      await turn()
      if (after.brought.length === 2) after.fails.clear()
    }
    await resumed
    expect(after.brought.map(({ by }) => by)).toEqual([CAROL, CAROL, CAROL])
    expect(await isPassword(after.brought[0]?.password ?? '', (await after.book.passwordHash(BOB)) ?? '')).toBe(true)
    expect(await after.book.visits()).toEqual([])
    const again = rig({ people: ['*'] }, before.state)
    await again.elsewhere.resume(new AbortController().signal)
    expect(again.brought).toEqual([])
  })

  it('is off unless the config says so', async () => {
    const { elsewhere } = rig({ people: [] })
    expect(await elsewhere.introduce(CAROL, BOB)).toBe('unknown')
  })

  it('nobody can sign up with such an address', async () => {
    const { book } = rig()
    const accounts = new ServiceAccounts(book, {
      isOnline: () => false,
      passwordSet: () => undefined,
      removed: async () => undefined,
    })
    expect(await accounts.add(BOB, 'secret')).toMatchObject({ kind: 'refused' })
    expect(await accounts.add('anybody@irc.home.example', 'secret')).toMatchObject({ kind: 'refused' })
    expect(await accounts.add('bob@home.example', 'secret')).toMatchObject({ kind: 'done' })
  })
})

describe('who takes part in a conversation', () => {
  it.each([
    ['the account of a channel lets people of its network in', '#tea@irc.home.example', 'irc.home.example'],
    ['a person of another network lets nobody in', 'amy@irc.home.example', undefined],
    ['nor does anybody here, whatever their address', '#tea@home.example', undefined],
  ])('%s', (_, email, domain) => {
    const granted = rig().elsewhere.participants(email)
    expect(granted).toEqual(domain === undefined ? undefined : { most: 20, domain })
  })

  it('is as many as the config says, and with 0 nobody', () => {
    expect(rig({ participants: 3 }).elsewhere.participants('#tea@irc.home.example')?.most).toBe(3)
    expect(rig({ participants: 0 }).elsewhere.participants('#tea@irc.home.example')).toBeUndefined()
  })
})

describe('addresses', () => {
  it.each([
    ['@bob:example.org', 'bob=example.org'],
    ['@bob:example.org:8448', 'bob=example.org..8448'],
    ['@a=b/c+d:fa.example', 'a=3db=2fc=2bd=fa.example'],
    ['@Grüße:example.org', '=47r=c3=bc=c3=9fe=example.org'],
  ])('%s is %s, and back', (user, local) => {
    expect(addressOfMxid(user as Mxid)).toBe(local)
    expect(addressedMxid(local)).toMatchObject({ user })
  })

  it.each(['bob', '=example.org', 'bob=', 'b=4=example.org', 'a=61b=example.org', 'bob=EXAMPLE.org', 'bob=[::1]'])(
    '%s is none',
    (local) => {
      expect(addressedMxid(local)).toBeUndefined()
    },
  )

  it('are read as they were written', () => {
    for (const name of ['nick[away]', 'A', 'x\\y', '`q', '|', 'é', '\u{1f600}', '=', '=3d'])
      expect(unescapeWord(escapeWord(name))).toBe(name)
  })
})
