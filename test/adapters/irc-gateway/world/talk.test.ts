import { describe, expect, test } from 'vitest'
import type { MessageBody } from '../../../../bridge/model/body.ts'
import { plain } from '../../../../bridge/model/text.ts'
import { directChat, homeChat } from '../../../../adapters/irc-gateway/world/chats.ts'
import { ALICE, BOB, CAROL, FakeClient, GATEWAY, ghost, key, MSN, portal, text, World } from './rig.ts'

const chat = directChat(ALICE, BOB)
const TAGS = ['server-time', 'message-tags', 'account-tag'] as const

const world = (stored?: ReadonlyMap<string, string>): World => {
  const made = new World(stored === undefined ? {} : { stored })
  made.account()
  made.contact(BOB, 'online', { name: 'Bob' })
  made.contact(CAROL, 'online')
  return made
}

const messages = (w: World) => w.bridge.events.filter((event) => event.kind === 'message')

describe('what contacts say', () => {
  test('comes as a query, with time, id and address for who wants those', async () => {
    const w = world()
    const { client } = await w.attached(new FakeClient('alice', TAGS))
    const bare = new FakeClient()
    ;(await w.alice()).attach(bare)
    bare.news()
    await w.hears(BOB, text('hi there'))
    expect(client.news()).toEqual([
      '@time=2004-01-01T10:11:00.000Z;account=bob@home.example;msgid=e1 :bob!bob@home.example PRIVMSG alice :hi there',
    ])
    expect(bare.news()).toEqual([':bob!bob@home.example PRIVMSG alice :hi there'])
  })

  test('of several lines only the first has the id', async () => {
    const w = world()
    const { client } = await w.attached(new FakeClient('alice', ['message-tags']))
    await w.hears(BOB, text('one\ntwo'))
    expect(client.news()).toEqual([
      '@msgid=e1 :bob!bob@home.example PRIVMSG alice :one',
      ':bob!bob@home.example PRIVMSG alice :two',
    ])
  })

  test.each<[MessageBody, string]>([
    [{ kind: 'action', text: plain('waves') }, 'PRIVMSG alice :\x01ACTION waves\x01'],
    [{ kind: 'nudge' }, 'PRIVMSG alice :\x01ACTION nudges you\x01'],
    [{ kind: 'notice', text: plain('fyi') }, 'NOTICE alice :fyi'],
    [{ kind: 'text', text: [{ text: 'so ' }, { text: 'bold', bold: true }] }, 'PRIVMSG alice :so \x02bold'],
    [
      {
        kind: 'file',
        file: { network: MSN, ref: 'x', name: 'cat\n.png', media: 'image', url: 'https://a.example/x' },
        text: [],
      },
      'PRIVMSG alice :sends a file: cat .png https://a.example/x',
    ],
  ])('%j is %s', async (body, line) => {
    const w = world()
    const { client } = await w.attached()
    await w.hears(BOB, body)
    expect(client.news()).toEqual([`:bob!bob@home.example ${line}`])
  })

  test('without `private` it comes in the control channel, as "alice: hi", with the to_char that is set', async () => {
    const w = world()
    const { client, person } = await w.attached()
    await person.settings.set('private', 'false')
    await w.hears(BOB, text('hi\nthere'))
    expect(client.news()).toEqual([
      ':bob!bob@home.example PRIVMSG &bitlbee :alice: hi',
      ':bob!bob@home.example PRIVMSG &bitlbee :alice: there',
    ])
    await person.settings.set('to_char', ', ')
    await w.hears(BOB, { kind: 'action', text: plain('waves') })
    await w.hears(BOB, text('hi'))
    expect(client.news()).toEqual([
      ':bob!bob@home.example PRIVMSG &bitlbee :\x01ACTION waves\x01',
      ':bob!bob@home.example PRIVMSG &bitlbee :alice, hi',
    ])
  })

  test.each([
    ['add_channel', ':mallory!mallory@evil.example PRIVMSG &bitlbee :alice: psst'],
    ['add_private', ':mallory!mallory@evil.example PRIVMSG alice :psst'],
    [
      'root',
      ':root!root@localhost PRIVMSG &bitlbee :Message from unknown contact mallory@evil.example (mallory): psst',
    ],
    ['ignore', undefined],
  ])('somebody who is no contact: handle_unknown %s', async (how, line) => {
    const w = world()
    const { client, person } = await w.attached()
    await person.settings.set('handle_unknown', how)
    await w.hears(key('mallory@evil.example'), text('psst'))
    expect(client.news()).toEqual(line === undefined ? [] : [line])
  })

  test('typing is a tag for who knows tags, and CTCP for the others where typing_notice is on', async () => {
    const w = world()
    const { client, person } = await w.attached(new FakeClient('alice', ['message-tags']))
    const bare = new FakeClient()
    person.attach(bare)
    bare.news()
    await w.deliver({ kind: 'typing', as: ghost(BOB), forMs: 5_000 }, chat)
    expect(client.news()).toEqual(['@+typing=active :bob!bob@home.example TAGMSG alice'])
    expect(bare.news()).toEqual([])
    await person.settings.set('typing_notice', 'true')
    await w.deliver({ kind: 'typing', as: ghost(BOB), forMs: 0 }, chat)
    expect(client.news()).toEqual(['@+typing=done :bob!bob@home.example TAGMSG alice'])
    expect(bare.news()).toEqual([':bob!bob@home.example PRIVMSG alice :\x01TYPING 0\x01'])
  })

  test('what became of a message is said where the talk is, unless it arrived', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const words = plain('not delivered: not online')
    await w.deliver({ kind: 'delivery', target: 'x' as never, outcome: 'delivered', text: plain('ok') }, chat)
    await w.deliver({ kind: 'delivery', target: 'x' as never, outcome: 'refused', text: words }, chat)
    expect(client.news()).toEqual([':bob!bob@home.example NOTICE alice :not delivered: not online'])
    await person.say(BOB, { body: text('hi') }, client, '&bitlbee')
    await w.deliver({ kind: 'delivery', target: 'x' as never, outcome: 'waiting', text: plain('waits') }, chat)
    expect(client.news()).toEqual([':root!root@localhost NOTICE &bitlbee :waits'])
  })

  test('a correction is said in words', async () => {
    const w = world()
    const { client } = await w.attached()
    await w.deliver({ kind: 'edit', as: ghost(BOB, 'Bob'), target: 'x' as never, body: text('helo') }, chat)
    expect(client.news()).toEqual([':bob!bob@home.example NOTICE alice :* Bob corrected: helo'])
  })
})

describe('what the person says', () => {
  test('is claimed once, stored, and shown at the other clients as their own', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const other = new FakeClient('alice', ['message-tags'], 'laptop')
    person.attach(other)
    other.news()
    const results = await Promise.all(
      ['one', 'two', 'three'].map((words) => person.say(BOB, { body: text(words) }, client)),
    )
    expect(results.map((result) => result.kind)).toEqual(['said', 'said', 'said'])
    expect(w.bridge.claims).toEqual([
      {
        by: { network: GATEWAY, user: ALICE },
        with: [{ network: MSN, user: BOB.user }],
        chat: { network: GATEWAY, chat },
        account: BOB.account,
      },
    ])
    expect(messages(w).map((event) => [event.chat.chat, event.sender.user, event.id])).toEqual([
      [chat, ALICE, 'm1'],
      [chat, ALICE, 'm2'],
      [chat, ALICE, 'm3'],
    ])
    expect(client.news()).toEqual([])
    expect(other.news()).toEqual([
      '@msgid=m1 :alice!al@laptop PRIVMSG bob :one',
      '@msgid=m2 :alice!al@laptop PRIVMSG bob :two',
      '@msgid=m3 :alice!al@laptop PRIVMSG bob :three',
    ])
  })

  test('comes back to the client that said it where that has echo-message', async () => {
    const w = world()
    const { client, person } = await w.attached(new FakeClient('alice', ['echo-message']))
    await person.settings.set('self_messages', 'false')
    await person.say(BOB, { body: text('hi') }, client)
    expect(client.news()).toEqual([':alice!al@localhost PRIVMSG bob :hi'])
  })

  test.each([
    ['true', [':alice!al@localhost PRIVMSG bob :hi']],
    ['prefix', [':bob!bob@home.example PRIVMSG alice :-> hi']],
    ['prefix_notice', [':bob!bob@home.example NOTICE alice :-> hi']],
    ['false', []],
  ])('from elsewhere is shown as self_messages says: %s', async (setting, lines) => {
    const w = world()
    const { client, person } = await w.attached()
    await person.settings.set('self_messages', setting)
    await w.deliver(
      {
        kind: 'message',
        as: {
          kind: 'person',
          person: 'p' as never,
          name: 'Alice',
          origin: { network: MSN, user: 'alice' as never },
          user: ALICE,
        },
        body: text('hi'),
        at: w.bridge.clock.now(),
      },
      chat,
    )
    expect(client.news()).toEqual(lines)
  })

  test('in the control channel moves the talk there, and /msg moves it back; a restart keeps it', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const other = new FakeClient()
    person.attach(other)
    other.news()
    await person.say(BOB, { body: text('hi') }, client, '&BitlBee')
    expect(other.news()).toEqual([':alice!al@localhost PRIVMSG &bitlbee :bob: hi'])
    expect(person.lastNamed).toEqual(BOB)
    await w.hears(BOB, text('hello'))
    expect(client.news()).toEqual([':bob!bob@home.example PRIVMSG &bitlbee :alice: hello'])
    const again = world(w.bridge.stored)
    const late = await again.attached()
    await again.hears(BOB, text('still here'))
    expect(late.client.news()).toEqual([':bob!bob@home.example PRIVMSG &bitlbee :alice: still here'])
    await late.person.say(BOB, { body: text('psst') }, late.client)
    await again.hears(BOB, text('yes?'))
    expect(late.client.news()).toEqual([':bob!bob@home.example PRIVMSG alice :yes?'])
  })

  test('a chat that the core knows already is found by a second question', async () => {
    const w = world()
    const { client, person } = await w.attached()
    w.bridge.answerClaim = ({ chat: { chat: asked } }) =>
      asked === chat
        ? { kind: 'refused', detail: 'This chat is linked already.' }
        : { kind: 'elsewhere', chat: { network: GATEWAY, chat } }
    expect((await person.say(BOB, { body: text('hi') }, client)).kind).toBe('said')
    expect(messages(w)[0]?.chat.chat).toBe(chat)
    await person.say(BOB, { body: text('again') }, client)
    expect(w.bridge.claims).toHaveLength(2)
  })

  test('a chat that the core opened needs no question at all, until it is dropped', async () => {
    const w = world()
    const { client, person } = await w.attached()
    expect(await w.session.open(portal([BOB.user]))).toEqual({ kind: 'opened', chat: { network: GATEWAY, chat } })
    await person.say(BOB, { body: text('hi') }, client)
    expect(w.bridge.claims).toEqual([])
    await w.session.drop({ network: GATEWAY, chat })
    await person.say(BOB, { body: text('hi') }, client)
    expect(w.bridge.claims).toHaveLength(1)
  })

  test('what cannot be begun or stored is refused with a sentence', async () => {
    const w = world()
    const { client, person } = await w.attached()
    w.bridge.answerClaim = () => ({ kind: 'refused', detail: 'They are not known.' })
    expect(await person.say(BOB, { body: text('hi') }, client)).toEqual({
      kind: 'refused',
      detail: 'They are not known.',
    })
    w.bridge.answerClaim = ({ chat: { chat: asked } }) => ({ kind: 'claimed', request: portal([], { chat: asked }) })
    await person.say(BOB, { body: text('hi') }, client)
    w.bridge.refuses = true
    expect((await person.say(BOB, { body: text('hi') }, client)).kind).toBe('refused')
    expect((await person.say({ ...BOB, account: 'gone' as never }, { body: text('hi') }, client)).kind).toBe('refused')
  })

  test('typing is told in the chat', async () => {
    const w = world()
    const { person } = await w.attached()
    person.typing(BOB, 6_000)
    expect(w.bridge.events.at(-1)).toMatchObject({ kind: 'typing', chat: { chat }, forMs: 6_000 })
  })

  test('with paste_buffer lines that follow each other are one message, and nothing overtakes them', async () => {
    const w = world()
    const { client, person } = await w.attached()
    const other = new FakeClient()
    person.attach(other)
    other.news()
    await person.settings.set('paste_buffer', 'true')
    const first = person.say(BOB, { body: text('one') }, client)
    const second = person.say(BOB, { body: text('two') }, client)
    await w.bridge.clock.advance(150)
    const third = person.say(BOB, { body: text('three') }, client)
    await w.bridge.clock.advance(199)
    expect(messages(w)).toEqual([])
    await w.bridge.clock.advance(1)
    expect(await Promise.all([first, second, third])).toEqual(
      Array(3).fill({ kind: 'said', id: 'm1', at: expect.anything() }),
    )
    expect(messages(w).map(({ body }) => body)).toEqual([
      { kind: 'text', text: ['one', '\n', 'two', '\n', 'three'].map((words) => ({ text: words })) },
    ])
    expect(other.news()).toHaveLength(3)
    const held = person.say(BOB, { body: text('before') }, client)
    const nudge = person.say(BOB, { body: { kind: 'nudge' } }, client)
    await Promise.all([held, nudge])
    expect(messages(w).map(({ body }) => body.kind)).toEqual(['text', 'text', 'nudge'])
  })

  test('a last client that goes takes no lines with it', async () => {
    const w = world()
    const { client, person } = await w.attached()
    await person.settings.set('paste_buffer', 'true')
    void person.say(BOB, { body: text('bye') }, client)
    person.detach(client, 'quit')
    await w.bridge.clock.settle()
    expect(messages(w)).toHaveLength(1)
  })

  test('somebody who is away is said so once, and again when the words or the hour have changed', async () => {
    const w = world()
    const { person } = await w.attached()
    expect(person.awayReply(BOB)).toBeUndefined()
    w.contact(BOB, 'lunch')
    expect(person.awayReply(BOB)).toBe('Out to Lunch')
    expect(person.awayReply(BOB)).toBeUndefined()
    await w.bridge.clock.advance(3_600_000)
    expect(person.awayReply(BOB)).toBe('Out to Lunch')
    w.contact(BOB, 'offline')
    expect(person.awayReply(BOB)).toBe('Offline')
  })

  test('the name on all accounts is a command of the bridge for each; only what fails is news', async () => {
    const w = world()
    const { person } = await w.attached()
    w.bridge.answerCommand = ({ line }) => ({ lines: [plain(`done: ${line}`)] })
    expect(await person.setName('Alice in\nWonderland')).toEqual([])
    expect(w.bridge.commands[0]?.line).toBe('set-name Alice in Wonderland retro')
    w.bridge.answerCommand = () => ({ lines: [plain('set-name failed: the server said no.')] })
    expect(await person.setName('Alice')).toEqual(['retro: the server said no.'])
    expect(w.bridge.commands[0]).toMatchObject({ from: { network: GATEWAY, user: ALICE }, via: 'gate', role: 'user' })
  })

  test('a command that asks for a password gets it beside the line', async () => {
    const w = world()
    const { person } = await w.attached()
    w.bridge.answerCommand = ({ secret }) =>
      secret === undefined ? { lines: [plain('The password?')], secretNext: true } : { lines: [plain('Signed in.')] }
    expect(await person.command('login a@b.example', 'hush')).toEqual(['Signed in.'])
    expect(w.bridge.commands.map(({ line, secret }) => [line, secret])).toEqual([
      ['login a@b.example', undefined],
      ['', 'hush'],
    ])
  })
})

describe('root', () => {
  test('says what the bridge says, and asks what can be answered', async () => {
    const w = world()
    const { client } = await w.attached()
    expect(await w.session.open({ kind: 'home', user: ALICE })).toMatchObject({ kind: 'opened' })
    const home = homeChat(ALICE)
    await w.deliver({ kind: 'status', text: plain('retro is lost'), mention: true }, home)
    expect(client.news()).toEqual([':root!root@localhost PRIVMSG &bitlbee :alice: retro is lost'])
    const choices = [{ key: 'y', words: 'accept', line: 'accept bob' }]
    await w.deliver({ kind: 'status', text: plain('Bob wants in'), choices }, home)
    expect(client.news()).toEqual([])
    expect(w.asked).toEqual([{ text: 'Bob wants in', choices }])
  })

  test('keeps codes of style, and cuts what is long', async () => {
    const w = world()
    const { client, person } = await w.attached()
    person.rootSays('say \x02help\x02', 'x'.repeat(1_000))
    const lines = client.news()
    expect(lines[0]).toBe(':root!root@localhost PRIVMSG &bitlbee :say \x02help')
    expect(lines).toHaveLength(4)
  })
})

describe('the session', () => {
  test('is online at once, and refuses what is not of its people', async () => {
    const w = world()
    await w.session.connect()
    expect(w.bridge.states.map(({ kind }) => kind)).toEqual(['online'])
    const stranger = { ...portal([BOB.user]), owner: 'mallory' as never }
    expect(await w.session.open(stranger)).toMatchObject({ kind: 'refused', reason: 'not-found' })
    expect(await w.session.open({ kind: 'direct', with: BOB.user })).toMatchObject({ kind: 'refused' })
    const op = { kind: 'status', text: plain('x') } as const
    for (const bad of ['nonsense', 'direct/mallory/a/b', 'direct/alice', 'home/', '%'])
      expect(
        await w.session.deliver({ id: 'e' as never, chat: { network: GATEWAY, chat: bad as never }, op }),
      ).toMatchObject({ kind: 'refused' })
    expect(await w.session.deliver({ id: 'e' as never, op })).toMatchObject({ kind: 'delivered' })
    expect(await w.session.roster()).toMatchObject({ kind: 'refused' })
    await w.session.close()
    await w.session.close()
    expect(w.bridge.states.map(({ kind }) => kind)).toEqual(['online', 'offline'])
    expect(await w.session.deliver({ id: 'e' as never, op })).toMatchObject({ kind: 'retry', wait: 'session-online' })
  })

  test('what cannot be noted now is tried again', async () => {
    const w = world()
    await w.alice()
    w.bridge.refuses = true
    const op = { kind: 'message', as: ghost(BOB), body: text('hi'), at: 0 } as const
    expect(await w.session.deliver({ id: 'e' as never, chat: { network: GATEWAY, chat }, op })).toMatchObject({
      kind: 'retry',
    })
    expect(w.bridge.warnings.join()).not.toContain('hi"')
  })
})
