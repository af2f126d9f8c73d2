import { describe, expect, test } from 'vitest'
import type { ChatId } from '../../../../bridge/model/ids.ts'
import { plain } from '../../../../bridge/model/text.ts'
import { groupName } from '../../../../adapters/irc-gateway/world/group-rows.ts'
import { ALICE, BOB, CAROL, FakeClient, GATEWAY, ghost, key, MSN, portal, RETRO, text, WORK, World } from './rig.ts'

const DAVE = key('dave@home.example')

const world = (stored?: ReadonlyMap<string, string>): World => {
  const made = new World(stored === undefined ? {} : { stored })
  made.account()
  for (const one of [BOB, CAROL, DAVE]) made.contact(one, 'online')
  return made
}

const opened = async (w: World, users = [BOB.user, CAROL.user], title?: string, id?: string): Promise<ChatId> => {
  const more = { ...(title === undefined ? {} : { title }), ...(id === undefined ? {} : { id }) }
  const result = await w.session.open(portal(users, { direct: false, ...more }))
  return result.kind === 'opened' ? result.chat.chat : ('' as ChatId)
}

const member = (who = DAVE, change: 'join' | 'leave' | 'kick' = 'join', as = who) =>
  ({
    kind: 'member',
    as: ghost(as),
    user: { network: MSN, user: who.user },
    userName: who.user,
    change,
  }) as const

describe('a conversation of several that somebody else began', () => {
  test('is a channel with its people, and what is said comes there without a name before it', async () => {
    const w = world()
    const { client } = await w.attached()
    const chat = await opened(w)
    expect(client.news()).toEqual([
      ':alice!al@localhost JOIN #bob-carol',
      ':localhost 353 alice = #bob-carol :alice bob carol',
      ':localhost 366 alice #bob-carol :End of /NAMES list',
    ])
    await w.hears(CAROL, text('hi all'), { chat })
    expect(client.news()).toEqual([':carol!carol@home.example PRIVMSG #bob-carol :hi all'])
  })

  test('is called as it is titled, and no two are called the same', async () => {
    const w = world()
    const { person } = await w.attached()
    await opened(w, [BOB.user, CAROL.user], 'Old friends, all')
    await opened(w, [BOB.user, DAVE.user], 'Old friends, all', 'p2')
    expect([...person.channels()].map(({ name }) => name)).toEqual([
      '&bitlbee',
      '#Old_friends_all',
      '#Old_friends_all2',
    ])
    expect(groupName(undefined, [])).toBe('#chat')
    expect(groupName(' \r\n ', ['a'])).toBe('#a')
    expect(Buffer.byteLength(groupName('ё'.repeat(99), []))).toBeLessThanOrEqual(50)
  })

  test('the same portal is the same chat, also after a restart; clients that come are in it', async () => {
    const w = world()
    await w.attached()
    const chat = await opened(w)
    expect(await opened(w)).toBe(chat)
    const again = world(w.bridge.stored)
    const client = new FakeClient()
    ;(await again.alice()).attach(client)
    expect(client.lines).toContain(':localhost 353 alice = #bob-carol :alice bob carol')
    expect(await opened(again)).toBe(chat)
  })

  test('people come, go and are put out; who is not known to be there comes when they speak', async () => {
    const w = world()
    const { client } = await w.attached()
    const chat = await opened(w)
    client.news()
    await w.deliver(member(), chat)
    await w.deliver(member(), chat)
    await w.deliver(member(BOB, 'leave'), chat)
    await w.deliver({ ...member(CAROL, 'kick', DAVE), reason: 'why not' }, chat)
    await w.hears(BOB, text('back'), { chat })
    expect(client.news()).toEqual([
      ':dave!dave@home.example JOIN #bob-carol',
      ':bob!bob@home.example PART #bob-carol',
      ':dave!dave@home.example KICK #bob-carol carol :why not',
      ':bob!bob@home.example JOIN #bob-carol',
      ':bob!bob@home.example PRIVMSG #bob-carol :back',
    ])
  })

  test('the topic is told and set', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const chat = await opened(w)
    client.news()
    await w.deliver({ kind: 'topic', as: ghost(BOB), topic: 'cake\nand tea' }, chat)
    expect(client.news()).toEqual([':bob!bob@home.example TOPIC #bob-carol :cake and tea'])
    expect(await person.setTopic('#Bob-Carol', 'tea')).toBeUndefined()
    expect(client.news()).toEqual([':alice!al@localhost TOPIC #bob-carol :tea'])
    expect(w.bridge.events.at(-1)).toMatchObject({ kind: 'topic', topic: 'tea', chat: { chat } })
    expect(person.channel('#bob-carol')?.topic).toBe('tea')
    expect(await person.setTopic('#nowhere', 'tea')).toMatch(/not in #nowhere/)
  })

  test('who parts it leaves the conversation, and is back when something is said', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const chat = await opened(w)
    client.news()
    await person.part('#bob-carol', 'later')
    expect(client.news()).toEqual([':alice!al@localhost PART #bob-carol :later'])
    expect(w.bridge.events.at(-1)).toMatchObject({
      kind: 'member',
      change: 'leave',
      user: { network: GATEWAY, user: ALICE },
      chat: { network: GATEWAY, chat },
    })
    expect(person.channel('#bob-carol')).toBeUndefined()
    expect((await person.sayIn('#bob-carol', { body: text('x') }, client)).kind).toBe('refused')
    await w.hears(BOB, text('come back'), { chat })
    expect(client.news()).toEqual([
      ':alice!al@localhost JOIN #bob-carol',
      ':localhost 353 alice = #bob-carol :alice bob carol',
      ':localhost 366 alice #bob-carol :End of /NAMES list',
      ':bob!bob@home.example PRIVMSG #bob-carol :come back',
    ])
  })

  test('what the person says there from elsewhere brings them back into it; that somebody types does not', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const chat = await opened(w)
    await person.part('#bob-carol')
    client.news()
    await w.deliver({ kind: 'typing', as: ghost(BOB), forMs: 6_000 }, chat)
    expect(client.news()).toEqual([])
    await w.deliver({ kind: 'message', as: { kind: 'self' }, body: text('from my telephone'), at: 0 }, chat)
    const lines = client.news()
    expect(lines[0]).toBe(':alice!al@localhost JOIN #bob-carol')
    expect(lines.at(-1)).toBe(':alice!al@localhost PRIVMSG #bob-carol :from my telephone')
  })

  test('who parts it may come back, and words about it come as a query meanwhile', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const chat = await opened(w)
    await person.part('#bob-carol')
    client.news()
    await w.deliver({ kind: 'status', text: plain('* bob reacted :-)') }, chat)
    expect(client.news()).toEqual([':root!root@localhost NOTICE alice :* bob reacted :-)'])
    expect(person.rejoin('#BOB-carol')).toBe(true)
    expect(client.news()[0]).toBe(':alice!al@localhost JOIN #bob-carol')
    expect(person.rejoin('#bob-carol')).toBe(true)
    expect(person.rejoin('#nowhere')).toBe(false)
  })

  test('who is put out by another client of the account parts, and a chat that is dropped is gone', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const chat = await opened(w)
    client.news()
    const self = { ...member(), user: { network: MSN, user: 'alice@home.example' as never }, change: 'leave' } as const
    await w.deliver(self, chat)
    expect(client.news()).toEqual([':alice!al@localhost PART #bob-carol'])
    await w.hears(BOB, text('x'), { chat })
    client.news()
    await w.session.drop({ network: GATEWAY, chat })
    expect(client.news()).toEqual([':alice!al@localhost PART #bob-carol'])
    expect([...person.channels()]).toHaveLength(1)
    expect([...w.bridge.stored.keys()].some((name) => name.includes('/group/'))).toBe(false)
    await w.hears(BOB, text('and yet'), { chat })
    expect(client.news().at(-1)).toBe(':bob!bob@home.example PRIVMSG #bob :and yet')
  })

  test('a QUIT takes somebody out of it, and coming back brings them in: what is said there reaches them', async () => {
    const w = world()
    const { client, person } = await w.attached()
    await opened(w)
    client.news()
    w.contact(BOB, 'offline')
    w.contact(BOB, 'online')
    expect(client.news()).toEqual([
      ':bob!bob@home.example QUIT :Leaving...',
      ':bob!bob@home.example JOIN &bitlbee',
      ':localhost MODE &bitlbee +v bob',
      ':bob!bob@home.example JOIN #bob-carol',
    ])
    const nicks = () =>
      person
        .channel('#bob-carol')
        ?.members()
        .map(({ nick }) => nick)
    expect(nicks()).toEqual(['alice', 'bob', 'carol'])
    w.contact(BOB, 'offline')
    expect(nicks()).toEqual(['alice', 'carol'])
  })

  test('what the person says there is stored and shown at the others; typing goes there, too', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const other = new FakeClient()
    person.attach(other)
    const chat = await opened(w)
    other.news()
    expect(await person.sayIn('#BOB-carol', { body: { kind: 'action', text: plain('waves') } }, client)).toMatchObject({
      kind: 'said',
    })
    expect(other.news()).toEqual([':alice!al@localhost PRIVMSG #bob-carol :\x01ACTION waves\x01'])
    person.typing('#bob-carol', 6_000)
    expect(w.bridge.events.slice(-2)).toMatchObject([
      { kind: 'message', chat: { chat } },
      { kind: 'typing', chat: { chat } },
    ])
    await w.deliver({ kind: 'status', text: plain('* bob reacted :-)') }, chat)
    expect(other.news()).toEqual([':root!root@localhost NOTICE #bob-carol :* bob reacted :-)'])
  })
})

describe('auto_join', () => {
  const joins = (client: FakeClient): readonly string[] =>
    client.news().flatMap((line) => / JOIN (\S+)$/.exec(line)?.slice(1) ?? [])
  const alone = async (w: World, client: FakeClient, ...sets: readonly (readonly [string, string])[]) => {
    const person = await w.alice()
    person.detach(client, 'quit')
    for (const [channel, value] of sets) await person.settings.set(`channel/${channel}/auto_join`, value)
    const next = new FakeClient()
    person.attach(next)
    await w.bridge.clock.settle()
    return next
  }

  test('says which channels the first client finds itself in; a group comes when something is said', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const chat = await opened(w)
    await person.joinControl('&work')
    const first = await alone(w, client)
    expect(joins(first)).toEqual(['&bitlbee', '&work', '#bob-carol'])
    const second = await alone(w, first, ['#bob-carol', 'false'], ['&work', 'false'])
    expect(joins(second)).toEqual(['&bitlbee'])
    expect(await person.joinControl('&work')).toBeUndefined()
    await w.hears(BOB, text('are you there?'), { chat })
    expect(joins(second)).toEqual(['&work', '#bob-carol'])
  })

  test('brings somebody back who has left, where it is set; what was said meanwhile does so in any case', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const chat = await opened(w)
    await person.part('#bob-carol')
    const first = await alone(w, client)
    expect(joins(first)).toEqual(['&bitlbee'])
    const second = await alone(w, first, ['#bob-carol', 'true'])
    expect(joins(second)).toEqual(['&bitlbee', '#bob-carol'])
    person.detach(second, 'quit')
    await w.hears(BOB, text('are you there?'), { chat })
    const third = await alone(w, second, ['#bob-carol', 'false'])
    expect(third.lines.at(-1)).toMatch(/PRIVMSG #bob-carol :.*are you there\?$/)
  })

  test('without the control channel root speaks in a query; who is in it already stays', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const next = await alone(w, client, ['&bitlbee', 'false'])
    expect(joins(next)).toEqual([])
    person.rootSays('hello')
    expect(next.news()).toEqual([':root!root@localhost PRIVMSG alice :hello'])
    person.detach(next, 'quit')
    const newcomer = new FakeClient()
    person.attach(newcomer, { inControl: true })
    person.rootSays('hello')
    expect(newcomer.news().at(-1)).toBe(':root!root@localhost PRIVMSG &bitlbee :hello')
  })
})

test('up to when each channel was read is told between JOIN and the end of the names, to those who asked', async () => {
  const w = world()
  await opened(w)
  const client = new FakeClient('alice', ['draft/read-marker'])
  const { person } = await w.attached(client)
  const about = client.lines.flatMap(
    (line) => / (JOIN|MARKREAD|366)(?: alice)? ([&#]\S+)/.exec(line)?.slice(1, 3) ?? [],
  )
  expect(about.join(' ')).toBe(
    'JOIN &bitlbee MARKREAD &bitlbee 366 &bitlbee JOIN #bob-carol MARKREAD #bob-carol 366 #bob-carol',
  )
  const plainOne = new FakeClient()
  person.attach(plainOne)
  expect(plainOne.lines.join()).not.toContain('MARKREAD')
  const newcomer = new FakeClient('alice', ['draft/read-marker'])
  person.attach(newcomer, { inControl: true })
  expect(newcomer.lines[0]).toBe(':localhost MARKREAD &bitlbee *')
})

describe('chat with', () => {
  test('one contact makes a channel of the talk with them, both ways', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const channel = await person.openGroup([BOB])
    expect(channel).toMatchObject({ name: '#bob', chat: undefined })
    expect(client.news()[0]).toBe(':alice!al@localhost JOIN #bob')
    await w.hears(BOB, text('oh'))
    expect(client.news()).toEqual([':bob!bob@home.example PRIVMSG #bob :oh'])
    await person.sayIn('#bob', { body: text('yes') }, client)
    expect(w.bridge.events.at(-1)).toMatchObject({
      kind: 'message',
      chat: { chat: 'direct/alice/retro/bob%40home.example' },
    })
    await person.say(BOB, { body: text('psst') }, client)
    await w.hears(BOB, text('what?'))
    expect(client.news()).toEqual([':bob!bob@home.example PRIVMSG alice :what?'])
    expect(await person.openGroup([BOB])).toMatchObject({ name: '#bob' })
  })

  test('an invitation makes it a conversation of several, and more of them go through it', async () => {
    const w = world()
    const { client, person } = await w.attached()
    await person.openGroup([BOB], '#party')
    client.news()
    expect(await person.invite('#Party', CAROL)).toBeUndefined()
    expect(w.bridge.claims.at(-1)?.with.map(({ user }) => user)).toEqual([BOB.user, CAROL.user])
    const chat = w.bridge.claims.at(-1)?.chat.chat ?? ('' as ChatId)
    expect(client.news()).toEqual([':carol!carol@home.example JOIN #party'])
    await w.hears(CAROL, text('hi'), { chat })
    await w.hears(BOB, text('just you'))
    expect(client.news()).toEqual([
      ':carol!carol@home.example PRIVMSG #party :hi',
      ':bob!bob@home.example PRIVMSG alice :just you',
    ])
    expect(await person.invite('#party', DAVE)).toBeUndefined()
    expect(w.bridge.events.at(-1)).toMatchObject({
      kind: 'member',
      change: 'invite',
      chat: { chat },
      user: { network: MSN, user: DAVE.user },
    })
    expect(client.news()).toEqual([])
  })

  test('several at once are claimed at once; those whom the core knows already have their channel', async () => {
    const w = world()
    const { client, person } = await w.attached()
    expect(await person.openGroup([BOB, CAROL])).toMatchObject({ name: '#bob-carol', chat: 'group/alice/m1' })
    await person.part('#bob-carol')
    w.bridge.answerClaim = () => ({ kind: 'elsewhere', chat: { network: GATEWAY, chat: 'group/alice/m1' as ChatId } })
    client.news()
    expect(await person.openGroup([CAROL, BOB])).toMatchObject({ name: '#bob-carol' })
    expect(client.news()[0]).toBe(':alice!al@localhost JOIN #bob-carol')
  })

  test('what cannot be is refused in words', async () => {
    const w = world()
    w.account(WORK)
    const { person } = await w.attached()
    expect(await person.openGroup([])).toHaveProperty('wrong')
    expect(await person.openGroup([BOB, { ...CAROL, account: WORK }])).toHaveProperty('wrong')
    expect(await person.openGroup([BOB], 'party')).toHaveProperty('wrong')
    await person.openGroup([BOB], '#party')
    expect(await person.openGroup([CAROL], '#PARTY')).toHaveProperty('wrong')
    expect(await person.invite('#nowhere', CAROL)).toMatch(/no channel/)
    expect(await person.invite('#party', { ...CAROL, account: WORK })).toMatch(/another account/)
    w.bridge.answerClaim = () => ({ kind: 'refused', detail: 'retro is not connected now' })
    expect(await person.invite('#party', CAROL)).toBe('retro is not connected now')
    expect(await person.openGroup([BOB, CAROL])).toEqual({ wrong: 'retro is not connected now' })
    expect(RETRO).toBe(BOB.account)
  })
})
