/** The gateway as a client sees it that we have not written: irc-framework. */
import { afterEach, describe, expect, test } from 'vitest'
import { plain } from '../../bridge/model/text.ts'
import { contactAs, GatewayHouse, PASSWORD } from '../kit/gateway-house.ts'
import { LibraryClient, type LibraryEvent } from '../kit/irc-library.ts'

const CAPS = [
  'account-tag',
  'away-notify',
  'batch',
  'draft/chathistory',
  'echo-message',
  'extended-join',
  'labeled-response',
  'message-tags',
  'multi-prefix',
  'server-time',
  'setname',
  'userhost-in-names',
] as const

const open: { readonly house: GatewayHouse; readonly clients: LibraryClient[] }[] = []

afterEach(async () => {
  for (const { house, clients } of open.splice(0)) {
    for (const client of clients) client.close()
    await house.dispose()
  }
})

const world = async () => {
  const contacts = new Map([
    ['bob', contactAs('bob')],
    ['carol', contactAs('carol', { presence: { show: 'away', text: 'at the lake' } })],
  ])
  const house = await GatewayHouse.start({ people: ['alice'], contacts })
  const clients: LibraryClient[] = []
  open.push({ house, clients })
  const client = async (caps: readonly string[] = CAPS) => {
    const made = await LibraryClient.connect(house.port, 'alice', PASSWORD, caps)
    clients.push(made)
    return made
  }
  return { house, client, alice: await client() }
}

const from =
  (nick: string) =>
  (event: LibraryEvent): boolean =>
    event['nick'] === nick

describe('what the library understands', () => {
  test('SASL PLAIN signs in, all capabilities are granted, and 005 is understood', async () => {
    const { alice } = await world()
    expect(alice.all('loggedin')).toMatchObject([{ account: 'alice' }])
    expect(alice.all('sasl failed')).toEqual([])
    expect(alice.library.network.cap.enabled).toEqual(expect.arrayContaining([...CAPS]))
    expect(alice.library.network.supports('CHATHISTORY')).toBe('100')
    expect(alice.library.network.supports('CASEMAPPING')).toBe('rfc1459')
    expect(alice.library.network.supports('PREFIX')).toEqual([
      { symbol: '@', mode: 'o' },
      { symbol: '%', mode: 'h' },
      { symbol: '+', mode: 'v' },
    ])
  })

  test('a wrong password does not', async () => {
    const { house } = await world()
    const mallory = LibraryClient.connect(house.port, 'alice', 'wrong', CAPS).then((client) =>
      client.all('sasl failed'),
    )
    expect(await mallory).toMatchObject([{ reason: 'fail' }])
  })

  test('the control channel has its users, with modes and addresses', async () => {
    const { alice } = await world()
    const [list] = alice.all('userlist')
    expect(list).toMatchObject({
      channel: '&bitlbee',
      users: [
        { nick: 'root', ident: 'root', hostname: 'localhost', modes: ['o'] },
        { nick: 'alice', modes: ['o'] },
        { nick: 'bob', ident: 'bob', hostname: 'example.com', modes: ['v'] },
        { nick: 'carol', modes: [] },
      ],
    })
  })

  test('messages have time, account and id; what is said is echoed with the id that the history has', async () => {
    const { alice, house } = await world()
    await house.says(['bob'], 'bob', { kind: 'text', text: plain('hi') }, 'alice')
    const heard = await alice.next('privmsg', from('bob'))
    expect(heard).toMatchObject({ target: 'alice', message: 'hi', account: 'bob@example.com' })
    expect(heard['time']).toBeTypeOf('number')
    alice.library.say('bob', 'hello', { label: 'one' })
    const echoed = await alice.next('privmsg', from('alice'))
    expect(echoed).toMatchObject({ target: 'bob', message: 'hello', account: 'alice', tags: { label: 'one' } })
    alice.library.raw('CHATHISTORY', 'LATEST', 'bob', '*', '10')
    const batch = await alice.next('batch end chathistory')
    const ids = (batch['commands'] as readonly { readonly tags: LibraryEvent }[]).map(({ tags }) => tags['msgid'])
    expect(ids).toEqual([heard, echoed].map(({ tags }) => (tags as LibraryEvent)['msgid']))
    expect(batch['params']).toEqual(['bob'])
  })

  test('a labelled command of several lines is one batch', async () => {
    const { alice } = await world()
    alice.ask('two', 'WHOIS', 'bob')
    const batch = await alice.next('batch end labeled-response')
    expect((batch['commands'] as readonly { readonly command: string }[]).map(({ command }) => command)).toEqual([
      '311',
      '319',
      '312',
      '330',
      '318',
    ])
  })

  test('who is away and back', async () => {
    const { alice, house } = await world()
    await house.shows('bob', 'busy', 'fixing bugs')
    expect(await alice.next('away', from('bob'))).toMatchObject({ message: 'Busy (fixing bugs)' })
    await house.shows('bob', 'online')
    await alice.next('back', from('bob'))
    alice.library.raw('AWAY', 'Lunch: at two')
    expect(await alice.next('away', ({ self }) => self === true)).toMatchObject({ nick: 'alice' })
    alice.library.raw('AWAY')
    await alice.next('back', ({ self }) => self === true)
    expect(house.heard).toContain('is LUN at two')
  })

  test('MONITOR', async () => {
    const { alice, house } = await world()
    alice.library.addMonitor('bob')
    expect(await alice.next('users online')).toEqual({ nicks: ['bob'], tags: {} })
    await house.shows('bob', 'offline')
    expect(await alice.next('users offline')).toMatchObject({ nicks: ['bob'] })
    await house.shows('bob', 'online')
    expect(await alice.next('users online')).toMatchObject({ nicks: ['bob'] })
  })

  test('a contact comes with account and name, is called otherwise, and goes', async () => {
    const { alice, house } = await world()
    await house.shows('bob', 'offline')
    expect(await alice.next('quit', from('bob'))).toMatchObject({ message: 'Leaving...' })
    await house.shows('bob', 'online')
    expect(await alice.next('join', from('bob'))).toMatchObject({
      channel: '&bitlbee',
      account: 'bob@example.com',
      gecos: 'Bob',
    })
    expect(await alice.next('mode', from('localhost'))).toMatchObject({ modes: [{ mode: '+v', param: 'bob' }] })
    await house.isCalled('bob', 'Robert')
    expect(await alice.next('user updated', from('bob'))).toMatchObject({ new_gecos: 'Robert' })
    alice.library.say('&bitlbee', 'rename bob bobby')
    expect(await alice.next('nick', from('bob'))).toMatchObject({ new_nick: 'bobby' })
  })

  test('SETNAME is the name on MSN', async () => {
    const { alice, house } = await world()
    alice.library.raw('SETNAME', 'Alice in Chains')
    expect(await alice.next('user updated', from('alice'))).toMatchObject({ new_gecos: 'Alice in Chains' })
    expect(house.heard).toContain('is called Alice in Chains')
  })

  test('typing, both ways', async () => {
    const { alice, house } = await world()
    alice.library.say('bob', 'hi')
    await alice.next('privmsg', from('alice'))
    await house.types(['bob'], 'bob', 'alice')
    expect(await alice.next('tagmsg', from('bob'))).toMatchObject({ target: 'alice', tags: { '+typing': 'active' } })
    alice.library.tagmsg('bob', { '+typing': 'active' })
    await house.untilHeard(() => (house.heard.includes('bob: types') ? true : undefined))
  })

  test('WHOIS, WHOWAS and WHO', async () => {
    const { alice } = await world()
    alice.library.whois('carol')
    expect(await alice.next('whois')).toMatchObject({
      nick: 'carol',
      ident: 'carol',
      hostname: 'example.com',
      real_name: 'Carol',
      away: 'Away (at the lake)',
      account: 'carol@example.com',
      channels: '&bitlbee',
    })
    alice.library.whowas('nobody')
    expect(await alice.next('whowas')).toMatchObject({ nick: 'nobody', error: 'no_such_nick' })
    alice.library.who('&bitlbee')
    const { users } = await alice.next('wholist')
    expect(users).toMatchObject([
      { nick: 'root' },
      { nick: 'alice', account: 'alice' },
      { nick: 'bob', away: false, real_name: 'Bob', account: 'bob@example.com' },
      { nick: 'carol', away: true },
    ])
  })

  test('a group is a channel; actions and nudges are actions', async () => {
    const { alice, house } = await world()
    await house.says(['bob', 'carol'], 'carol', { kind: 'text', text: plain('all of you') }, 'alice')
    await alice.next('userlist', ({ channel }) => channel === '#bob-carol')
    expect(await alice.next('privmsg', from('carol'))).toMatchObject({ target: '#bob-carol', message: 'all of you' })
    await house.says(['bob'], 'bob', { kind: 'nudge' }, 'alice')
    expect(await alice.next('action', from('bob'))).toMatchObject({ message: 'nudges you' })
    alice.library.action('bob', 'waves')
    expect(await alice.next('action', from('alice'))).toMatchObject({ message: 'waves' })
    expect(house.heard).toContain('bob: * waves')
  })

  test('two clients of one person see what each says', async () => {
    const { alice, client, house } = await world()
    const other = await client(['message-tags', 'server-time'])
    alice.library.say('bob', 'from the first')
    expect(await other.next('privmsg', from('alice'))).toMatchObject({ target: 'bob', message: 'from the first' })
    await house.says(['bob'], 'bob', { kind: 'text', text: plain('to both') }, 'alice')
    expect(await other.next('privmsg', from('bob'))).toMatchObject({ message: 'to both' })
    expect(await alice.next('privmsg', from('bob'))).toMatchObject({ message: 'to both' })
  })
})

const of = (words: string, length: number): string => words.repeat(Math.ceil(length / words.length)).slice(0, length)

/** About 4,000 characters each, cut nowhere within a grapheme. */
const SCRIPTS: readonly (readonly [name: string, text: string])[] = [
  ['Latin', of('the quick brown fox jumps over the lazy dog ', 4_000).trimEnd()],
  ['Cyrillic', of('съешь же ещё этих мягких французских булок ', 4_000).trimEnd()],
  ['Chinese', of('天地玄黄宇宙洪荒日月盈昃辰宿列张', 4_000)],
  ['emoji that are joined', '👩‍👩‍👧‍👦👩🏽‍🚀🏳️‍🌈'.repeat(160)],
  ['Arabic', of('نص حكيم له سر قاطع وذو شأن عظيم ', 4_000).trimEnd()],
]

describe('4,000 characters', () => {
  test.each(SCRIPTS)('of %s arrive whole from MSN', async (_, text) => {
    const { alice, house } = await world()
    await house.says(['bob'], 'bob', { kind: 'text', text: plain(text) }, 'alice')
    const whole = (): string =>
      alice
        .all('privmsg')
        .filter(from('bob'))
        .map(({ message }) => String(message))
        .join('')
    await alice.until(() => whole().length >= text.length)
    expect(whole()).toBe(text)
  })

  test.each(SCRIPTS)('of %s arrive whole on MSN', async (_, text) => {
    const { alice, house } = await world()
    alice.library.say('bob', text)
    const whole = (): string =>
      house.heard
        .filter((line) => line.startsWith('bob: '))
        .map((line) => line.slice('bob: '.length))
        .join('')
    // The library drops the blank at which it cuts (#250), and cuts graphemes where it must.
    const squeezed = (words: string): string => words.replace(/\s+/g, '')
    await house.untilHeard(() => (squeezed(whole()).length >= squeezed(text).length ? true : undefined))
    expect(squeezed(whole())).toBe(squeezed(text))
  })
})
