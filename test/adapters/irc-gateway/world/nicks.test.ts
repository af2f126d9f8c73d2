import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import '../../../kit/properties.ts'
import {
  foldNick,
  freeNick,
  isNickFormat,
  NICK_BYTES,
  nickProblem,
  wantedNick,
  type NickFacts,
  type NickRules,
} from '../../../../adapters/irc-gateway/world/nicks.ts'
import { MAX_NICKS, NickBook } from '../../../../adapters/irc-gateway/world/nick-book.ts'
import type { ContactKey } from '../../../../adapters/irc-gateway/types.ts'
import type { UserId } from '../../../../bridge/model/ids.ts'
import { BOB, CAROL, FakeClient, key, World } from './rig.ts'

const RULES: NickRules = { format: '%-@nick', lowercase: false, underscores: false, utf8: false, source: 'handle' }
const FACTS: NickFacts = {
  handle: 'bob.builder@home.example',
  nickname: undefined,
  fullName: 'Bob Zoë Builder',
  group: 'Old Friends',
  account: 'retro',
}

describe('nick_format', () => {
  test.each<[string, string, Partial<NickRules>, Partial<NickFacts>]>([
    ['%-@nick', 'bobbuilder', {}, {}],
    ['%-@nick', 'Bobby', {}, { nickname: 'Bobby' }],
    ['%handle', 'bobbuilderhomeexample', {}, {}],
    ['%-@handle', 'bobbuilder', {}, { nickname: 'Bobby' }],
    ['%full_name', 'BobZoeBuilder', {}, {}],
    ['%full_name', 'Bob_Zoe_Builder', { underscores: true }, {}],
    ['%full_name', 'BobZoëBuilder', { utf8: true }, {}],
    ['%first_name', 'bob', { lowercase: true }, {}],
    ['FB-%first_name', 'FB-Bob', {}, {}],
    ['[%group]%-@nick', '[OldFriends]bobbuilder', {}, {}],
    ['%3first_name%account', 'Bobretro', {}, {}],
    ['%-.-@handle', 'bob', {}, {}],
    ['%5handle', 'bobb', {}, {}],
    ['%nick', 'Bob', { source: 'first_name' }, {}],
    ['%nick', 'BobZoeBuilder', { source: 'full_name' }, {}],
    // Without a name the address is better than nothing.
    ['%full_name', 'bobbuilder', {}, { fullName: '' }],
    ['[%group]', 'bobbuilder', {}, {}],
    ['%full_name', 'bobbuilder', {}, { fullName: 'Борис' }],
    ['%full_name', 'Борис', { utf8: true }, { fullName: 'Борис' }],
    ['%nonsense', 'bobbuilder', {}, {}],
    // No digit at the beginning; never longer than a nick may be.
    ['%-@handle', '_007', {}, { handle: '007@home.example' }],
    ['%full_name', 'Wolfeschlegelsteinhausen', {}, { fullName: 'Wolfeschlegelsteinhausenbergerdorff' }],
    ['%-@handle', 'contact', {}, { handle: '日本', fullName: '' }],
  ])('%s makes %s', (format, nick, rules, facts) => {
    expect(wantedNick({ ...FACTS, ...facts }, { ...RULES, ...rules, format })).toBe(nick)
  })

  test('has only what there is', () => {
    for (const format of ['%-@nick', '[%group]%-@nick', 'x%8full_name', 'plain'])
      expect(isNickFormat(format)).toBe(true)
    for (const format of ['', '%', '%-', '%-@', '%-.%-@handle', '%what', '100%'])
      expect(isNickFormat(format)).toBe(false)
  })

  test('whatever anybody is called, a nick is one that clients take, free, and the same again', () => {
    const piece = fc.constantFrom(
      '%nick',
      '%-@nick',
      '%handle',
      '%full_name',
      '%5first_name',
      '%group',
      '%account',
      '-',
      '[',
      ' x',
      '7',
    )
    fc.assert(
      fc.property(
        fc.record({
          handle: fc.string({ unit: 'grapheme' }),
          nickname: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
          fullName: fc.string({ unit: 'binary' }),
          group: fc.option(fc.string(), { nil: undefined }),
          account: fc.string(),
        }),
        fc.record({
          format: fc.oneof(
            fc.array(piece).map((pieces) => pieces.join('')),
            fc.string(),
          ),
          lowercase: fc.boolean(),
          underscores: fc.boolean(),
          utf8: fc.boolean(),
          source: fc.constantFrom('handle', 'full_name', 'first_name'),
        }),
        fc.integer({ min: 0, max: 12 }),
        (facts, rules, others) => {
          const wanted = wantedNick(facts, rules)
          expect(nickProblem(wanted, true)).toBeUndefined()
          if (!rules.utf8) expect(nickProblem(wanted, false)).toBeUndefined()
          expect(wantedNick(facts, rules)).toBe(wanted)
          const taken = new Set<string>()
          for (let other = 0; other < others; other++) {
            const nick = freeNick(wanted, (folded) => taken.has(folded))
            expect(nickProblem(nick, true)).toBeUndefined()
            expect(taken.has(foldNick(nick))).toBe(false)
            expect(Buffer.byteLength(nick)).toBeLessThanOrEqual(NICK_BYTES)
            taken.add(foldNick(nick))
          }
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('nicks of a person', () => {
  const world = (stored?: ReadonlyMap<string, string>): World => {
    const made = new World(stored === undefined ? {} : { stored })
    made.account()
    return made
  }

  test('two of one name are told apart by an underscore, whatever the case; it stays so over a restart', async () => {
    const w = world()
    w.contact(key('Bob[1]@a.example'), 'online')
    w.contact(key('bob{1}@b.example'), 'online')
    const { person } = await w.attached()
    const nicks = [...person.faces()].map(({ nick }) => nick)
    expect(nicks).toEqual(['root', 'Bob[1]', 'bob{1}_'])
    await w.bridge.clock.settle()
    const again = world(w.bridge.stored)
    again.contact(key('bob{1}@b.example'), 'online')
    again.contact(key('Bob[1]@a.example'), 'online')
    const late = await again.attached()
    expect(late.person.faceOf(key('Bob[1]@a.example'))?.nick).toBe('Bob[1]')
    expect(late.person.face('BOB[1]_')?.address).toBe('bob{1}@b.example')
  })

  test('nobody is called like the person or root', async () => {
    const w = world()
    w.contact(key('alice@b.example'), 'online')
    w.contact(key('root@b.example'), 'online')
    const { person, client } = await w.attached()
    expect([...person.faces()].map(({ nick }) => nick)).toEqual(['root', 'alice_', 'root_'])
    w.contact(BOB, 'online')
    client.news()
    person.setNick('bob')
    expect(client.news()).toEqual([':bob!bob@home.example NICK :bob_', ':alice!al@localhost NICK :bob'])
    expect(person.face('bob')).toBeUndefined()
  })

  test('rename is a NICK, is kept, and is refused where it cannot be', async () => {
    const w = world()
    w.contact(BOB, 'online')
    w.contact(CAROL, 'online')
    const { person, client } = await w.attached()
    expect(await person.rename(BOB, 'bobby')).toBeUndefined()
    expect(client.news()).toEqual([':bob!bob@home.example NICK :bobby'])
    expect(await person.rename(BOB, 'Bobby')).toBeUndefined()
    expect(await person.rename(BOB, 'carol')).toMatch(/taken/)
    expect(await person.rename(BOB, 'ali ce')).toMatch(/is no nick/)
    expect(await person.rename(BOB, 'x'.repeat(25))).toMatch(/too long/)
    expect(await person.rename(BOB, 'ROOT')).toMatch(/taken/)
    w.contact(BOB, 'offline')
    expect(client.news()).toEqual([':bobby!bob@home.example NICK :Bobby', ':Bobby!bob@home.example QUIT :Leaving...'])
    const again = world(w.bridge.stored)
    again.contact(BOB, 'online', { name: 'Robert' })
    const late = await again.attached()
    await late.person.settings.set('nick_format', '%full_name')
    expect(late.person.faceOf(BOB)?.nick).toBe('Bobby')
  })

  test('another name is another nick only where nicks are made of names, and none was given by hand', async () => {
    const w = world()
    w.contact(BOB, 'online', { name: 'Bob' })
    w.contact(CAROL, 'online', { name: 'Carol' })
    const { person, client } = await w.attached()
    w.contact(BOB, 'online', { name: 'Robert' })
    expect(client.news()).toEqual([])
    await person.settings.set('nick_format', '%first_name')
    expect(client.news()).toEqual([':bob!bob@home.example NICK :Robert', ':carol!carol@home.example NICK :Carol'])
    w.contact(BOB, 'online', { name: 'Bobby B' })
    expect(client.news()).toEqual([':Robert!bob@home.example NICK :Bobby'])
    await person.rename(BOB, 'boss')
    w.contact(BOB, 'online', { name: 'Someone' })
    expect(client.news()).toEqual([':Bobby!bob@home.example NICK :boss'])
  })

  test('a format of the account comes before that of the person', async () => {
    const w = world()
    const { person } = await w.attached()
    await person.settings.set('account/retro/nick_format', 'R-%-@nick')
    w.contact(BOB, 'online')
    expect(person.faceOf(BOB)?.nick).toBe('R-bob')
  })

  test('the first client brings its nick, and a later one takes it', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const person = await w.alice()
    const first = new FakeClient('Bob')
    person.attach(first)
    expect(person.nick).toBe('Bob')
    expect(person.faceOf(BOB)?.nick).toBe('bob_')
    expect(first.lines[0]).toBe(':Bob!al@localhost JOIN &bitlbee')
    person.detach(first, 'quit')
    const long = new FakeClient('a.nick-that-is-longer-than-those-of-contacts')
    person.attach(long)
    expect(person.nick).toBe('a.nick-that-is-longer-than-those-of-contacts')
    person.detach(long, 'quit')
    person.setNick('Bob')
    const second = new FakeClient('root')
    person.attach(second)
    expect(second.nick).toBe('Bob')
  })
})

test('a nick that was given is taken back, and made of the address again', async () => {
  const w = new World()
  w.account()
  w.contact(BOB, 'online')
  const { client, person } = await w.attached()
  expect(await person.rename(BOB, 'Builder')).toBeUndefined()
  expect(await person.rename(BOB, '')).toBeUndefined()
  expect(client.news()).toEqual([':bob!bob@home.example NICK :Builder', ':Builder!bob@home.example NICK :bob'])
  await person.settings.set('nick_format', '%handle')
  expect(person.faceOf(BOB)?.nick).toBe('bobhomeexample')
  expect(await person.rename(key('nobody@home.example'), '')).toBe('There is no such contact.')
})

test('strangers without end take the nick of nobody who is on the list, or was given one by hand', async () => {
  const put = vi.fn(() => Promise.resolve())
  const fail = (error: unknown): never => expect.fail(String(error))
  const listed = (name: string): boolean => name === 'friend@home.example'
  const book = new NickBook({
    shelf: { put },
    rows: [],
    isReserved: () => false,
    isListed: ({ user }) => listed(user),
    failed: fail,
  })
  const of = (name: string): ContactKey => ({ account: BOB.account, user: `${name}@home.example` as UserId })
  book.ensure(of('friend'), () => 'friend')
  await book.rename(of('named'), 'buddy')
  for (let each = 0; each <= MAX_NICKS; each++) book.ensure(of(`spam${each}`), () => `spam${each}`)
  expect([book.get(of('friend'))?.nick, book.get(of('named'))?.nick]).toEqual(['friend', 'buddy'])
  expect(book.get(of('spam0'))).toBeUndefined()
  expect([...book.all()].length).toBe(MAX_NICKS)
})

test('who was put on the list a moment ago has the nick that was given at once', async () => {
  const w = new World()
  w.account()
  w.contact(CAROL, 'online')
  const { client, person } = await w.attached()
  expect(await person.rename(BOB, 'carol')).toBe('The nick carol is taken.')
  expect(person.faceOf(BOB)).toBeUndefined()
  expect(await person.rename(BOB, 'Builder')).toBeUndefined()
  expect(person.faceOf(BOB)?.nick).toBe('Builder')
  expect(client.news()).toEqual([])
  w.contact(BOB, 'online')
  expect(client.news()).toContain(':Builder!bob@home.example JOIN &bitlbee')
  expect(await person.rename({ ...BOB, account: 'gone' as never }, 'Ghost')).toBe('There is no such contact.')
})
