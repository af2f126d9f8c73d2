import { describe, expect, test } from 'vitest'
import { plain } from '../../../../bridge/model/text.ts'
import { directChat, homeChat } from '../../../../adapters/irc-gateway/world/chats.ts'
import { MAX_WORDS, Missed } from '../../../../adapters/irc-gateway/world/missed.ts'
import { MAX_UNCONFIRMED, Written } from '../../../../adapters/irc-gateway/world/written.ts'
import { stampOf } from '../../../../adapters/irc-gateway/world/stamps.ts'
import { ALICE, BOB, CAROL, FakeClient, GATEWAY, ghost, MSN, portal, text, World } from './rig.ts'

const world = (options: ConstructorParameters<typeof World>[0] = {}): World => {
  const made = new World(options)
  made.account()
  made.contact(BOB, 'online')
  made.contact(CAROL, 'online')
  return made
}

/** A restart: the same disk and history. */
const restarted = (before: World): World => {
  const after = world({ stored: before.bridge.stored })
  after.bridge.written.push(...before.bridge.written)
  return after
}

const arrive = async (w: World, client = new FakeClient()): Promise<readonly string[]> => {
  const person = await w.alice()
  person.attach(client)
  await w.bridge.clock.settle()
  // The first PING is about the first line; the next one about all that came behind it.
  person.confirmed(client)
  person.confirmed(client)
  return client.news().filter((line) => / (PRIVMSG|NOTICE) /.test(line))
}

describe('what comes while nobody is attached', () => {
  test('is shown to the next client, once, with its time', async () => {
    const w = world()
    await w.hears(BOB, text('one'))
    await w.bridge.clock.advance(60_000)
    await w.hears(BOB, { kind: 'action', text: plain('waves') })
    await w.hears(CAROL, text('hi\nthere'))
    const lines = [
      ':bob!bob@home.example PRIVMSG alice :[10:11] one',
      ':bob!bob@home.example PRIVMSG alice :\x01ACTION [10:12] waves\x01',
      ':carol!carol@home.example PRIVMSG alice :[10:12] hi',
      ':carol!carol@home.example PRIVMSG alice :[10:12] there',
    ]
    expect(await arrive(w)).toEqual(lines)
    expect(await arrive(w)).toEqual([])
    expect([...w.bridge.stored.keys()].filter((name) => name.includes('/missed/'))).toEqual([])
  })

  test('is shown whole when it is more than the history gives in one answer', async () => {
    const w = world({ playback: 1_500 })
    for (let each = 0; each < 1_200; each++) await w.hears(BOB, text(`line ${each}`))
    const lines = await arrive(w)
    expect(lines.length).toBe(1_200)
    expect([lines.at(0), lines.at(-1)]).toEqual([
      ':bob!bob@home.example PRIVMSG alice :[10:11] line 0',
      ':bob!bob@home.example PRIVMSG alice :[10:11] line 1199',
    ])
  })

  test('survives a restart, and is then shown once as well', async () => {
    const before = world()
    await before.hears(BOB, text('one'))
    const w = restarted(before)
    await w.bridge.clock.advance(26 * 3_600_000)
    expect(await arrive(w)).toEqual([':bob!bob@home.example PRIVMSG alice :[2004-01-01 10:11] one'])
    expect(await arrive(restarted(w))).toEqual([])
  })

  test('has a tag for its time where the client knows that, and nothing before it', async () => {
    const w = world()
    await w.hears(BOB, text('one'))
    await w.bridge.clock.advance(60_000)
    expect(await arrive(w, new FakeClient('alice', ['server-time', 'message-tags']))).toEqual([
      '@time=2004-01-01T10:11:00.000Z;msgid=e1 :bob!bob@home.example PRIVMSG alice :one',
    ])
  })

  test('has no time before it without display_timestamps, and another with another timezone', async () => {
    const w = world()
    const person = await w.alice()
    await person.settings.set('timezone', '+1')
    await w.hears(BOB, text('one'))
    const client = new FakeClient()
    expect(await arrive(w, client)).toEqual([':bob!bob@home.example PRIVMSG alice :[11:11] one'])
    person.detach(client, 'quit')
    await person.settings.set('display_timestamps', 'false')
    await w.hears(BOB, text('two'))
    expect(await arrive(w)).toEqual([':bob!bob@home.example PRIVMSG alice :two'])
  })

  test('is left to a client that asks for history by itself; words of the bridge are not', async () => {
    const w = world()
    await w.hears(BOB, text('one'))
    await w.deliver({ kind: 'status', text: plain('retro is lost') }, homeChat(ALICE))
    await w.deliver({ kind: 'status', text: plain('* bob took back "x"') }, directChat(ALICE, BOB))
    const caps = ['draft/chathistory', 'batch', 'server-time', 'message-tags'] as const
    expect(await arrive(w, new FakeClient('alice', caps))).toEqual([
      '@time=2004-01-01T10:11:00.000Z :bob!bob@home.example NOTICE alice :* bob took back "x"',
      '@time=2004-01-01T10:11:00.000Z :root!root@localhost PRIVMSG &bitlbee :retro is lost',
    ])
    expect(await arrive(w)).toEqual([])
  })

  test('is bounded for each chat, and what is left out is counted', async () => {
    const w = world({ playback: 3 })
    for (const words of ['1', '2', '3', '4', '5']) await w.hears(BOB, text(words))
    await w.hears(CAROL, text('hi'))
    expect(await arrive(restarted(w))).toEqual([
      ':bob!bob@home.example NOTICE alice :2 older messages are not shown here.',
      ':bob!bob@home.example PRIVMSG alice :[10:11] 3',
      ':bob!bob@home.example PRIVMSG alice :[10:11] 4',
      ':bob!bob@home.example PRIVMSG alice :[10:11] 5',
      ':carol!carol@home.example PRIVMSG alice :[10:11] hi',
    ])
  })

  test('may have been shown before: that is said', async () => {
    const w = world()
    await w.hears(BOB, text('one'), { again: true })
    const client = new FakeClient()
    expect(await arrive(w, client)).toEqual([':bob!bob@home.example PRIVMSG alice :[10:11, perhaps shown before] one'])
    await w.hears(BOB, text('two'), { again: true })
    expect(client.news()).toEqual([':bob!bob@home.example PRIVMSG alice :[perhaps shown before] two'])
  })

  test('of several people is shown in their channel', async () => {
    const w = world()
    const opened = await w.session.open(portal([BOB.user, CAROL.user], { direct: false }))
    if (opened.kind !== 'opened') throw new Error('not opened')
    await w.hears(CAROL, text('hi'), { chat: opened.chat.chat })
    expect(await arrive(w)).toEqual([':carol!carol@home.example PRIVMSG #bob-carol :[10:11] hi'])
  })

  test('of the person, said with another client elsewhere, is shown as theirs', async () => {
    const w = world()
    const chat = directChat(ALICE, BOB)
    const at = w.bridge.clock.now()
    w.bridge.written.push({
      id: 'own' as never,
      event: {
        kind: 'message',
        chat: { network: GATEWAY, chat },
        sender: { network: MSN, user: 'alice@home.example' as never },
        id: 'x' as never,
        at,
        body: text('from my phone'),
      },
    })
    const as = {
      kind: 'person',
      person: 'p' as never,
      name: 'Alice',
      origin: { network: MSN, user: 'alice@home.example' as never },
      user: ALICE,
    } as const
    await w.deliver({ kind: 'message', as, body: text('from my phone'), at }, chat, { id: 'own' as never })
    expect(await arrive(w)).toEqual([':alice!al@localhost PRIVMSG bob :[10:11] from my phone'])
  })

  test('is not in the history any more: that is said', async () => {
    const w = world()
    await w.hears(BOB, text('one'))
    w.bridge.written.length = 0
    expect(await arrive(w)).toEqual([':bob!bob@home.example NOTICE alice :1 messages are not in the history any more.'])
  })

  test('goes to another client when the first dies before it has it, and to the next when there is none', async () => {
    const w = world()
    await w.hears(BOB, text('one'))
    const person = await w.alice()
    let answer = (): void => undefined
    const held = new Promise<void>((resolve) => (answer = resolve))
    w.bridge.beforeHistory = () => held
    const dying = new FakeClient()
    person.attach(dying)
    person.detach(dying, 'lost')
    answer()
    await w.bridge.clock.settle()
    expect(await arrive(w)).toEqual([':bob!bob@home.example PRIVMSG alice :[10:11] one'])
  })

  test('is not overtaken by what comes while it is shown, whether the client lives on or not', async () => {
    for (const dies of [false, true]) {
      const w = world()
      await w.hears(BOB, text('one'))
      const person = await w.alice()
      let answer = (): void => undefined
      const held = new Promise<void>((resolve) => (answer = resolve))
      w.bridge.beforeHistory = () => held
      const client = new FakeClient()
      person.attach(client)
      await w.hears(BOB, text('two'))
      if (dies) person.detach(client, 'quit')
      answer()
      await w.bridge.clock.settle()
      const lines = dies ? await arrive(w) : client.lines.filter((line) => line.includes(' PRIVMSG alice '))
      expect(lines).toEqual([
        ':bob!bob@home.example PRIVMSG alice :[10:11] one',
        `:bob!bob@home.example PRIVMSG alice :${dies ? '[10:11] ' : ''}two`,
      ])
    }
  })

  test('cannot be read now: it is kept', async () => {
    const w = world()
    await w.hears(BOB, text('one'))
    w.bridge.beforeHistory = () => Promise.reject(new Error('disk'))
    const client = new FakeClient()
    expect(await arrive(w, client)).toEqual([])
    ;(await w.alice()).detach(client, 'quit')
    w.bridge.beforeHistory = () => Promise.resolve()
    expect(await arrive(w)).toHaveLength(1)
  })
})

describe('what was written to a client that died', () => {
  test('and was not confirmed is shown to the next, marked', async () => {
    const w = world()
    const { person, client } = await w.attached()
    await w.hears(BOB, text('seen'))
    expect(w.confirming).toEqual([client])
    await w.hears(BOB, text('perhaps'))
    expect(w.confirming).toHaveLength(1)
    person.confirmed(client)
    expect(w.confirming).toHaveLength(2)
    person.detach(client, 'lost')
    person.detach(client, 'lost')
    await w.bridge.clock.settle()
    expect(await arrive(restarted(w))).toEqual([
      ':bob!bob@home.example PRIVMSG alice :[10:11, perhaps shown before] perhaps',
    ])
  })

  test('is nothing to worry about when it said goodbye, or another one was there', async () => {
    const w = world()
    const { person, client } = await w.attached()
    const other = new FakeClient()
    person.attach(other)
    await w.hears(BOB, text('both'))
    person.detach(client, 'lost')
    person.detach(other, 'quit')
    await w.bridge.clock.settle()
    expect(await arrive(w)).toEqual([])
  })

  test('and still hangs is shown to the next client at once, marked, and then no more', async () => {
    const w = world()
    const { person, client: hanging } = await w.attached()
    await w.hears(BOB, text('seen'))
    person.confirmed(hanging)
    await w.hears(BOB, text('perhaps'))
    const next = new FakeClient()
    expect(await arrive(w, next)).toEqual([
      ':bob!bob@home.example PRIVMSG alice :[10:11, perhaps shown before] perhaps',
    ])
    person.confirmed(next)
    person.detach(hanging, 'lost')
    await w.hears(BOB, text('both'))
    expect(next.news()).toEqual([':bob!bob@home.example PRIVMSG alice :both'])
    person.confirmed(next)
    person.detach(next, 'lost')
    await w.bridge.clock.settle()
    expect(await arrive(w)).toEqual([])
  })

  test('is bounded', () => {
    const asked: unknown[] = []
    const written = new Written((client) => void asked.push(client))
    const client = new FakeClient()
    for (let number = 0; number < 10 * MAX_UNCONFIRMED; number++)
      written.wrote(client, { kind: 'message', chat: 'c' as never, id: String(number) as never, at: 0 })
    expect(asked).toHaveLength(1)
    const kept = written.take(client)
    expect(kept.length).toBeLessThanOrEqual(MAX_UNCONFIRMED)
    expect(kept.at(-1)?.id).toBe(String(10 * MAX_UNCONFIRMED - 1))
    expect(written.take(client)).toEqual([])
  })
})

test('words of the bridge are bounded, too', async () => {
  const rows = new Map<string, string | undefined>()
  const shelf = {
    put: (...changes: readonly (readonly [string, string | undefined])[]) => {
      for (const [name, value] of changes) rows.set(name, value)
      return Promise.resolve()
    },
  }
  const missed = new Missed({ shelf, rows: [], lost: [], limit: 5 })
  for (let number = 0; number < MAX_WORDS + 7; number++)
    await missed.note({ kind: 'words', at: 0, text: String(number) })
  expect(missed.size).toBe(MAX_WORDS)
  expect([...rows.values()].filter((value) => value !== undefined)).toHaveLength(MAX_WORDS + 1)
  const missing = missed.take()
  const { dropped, notes } = missing
  expect(dropped.get('')).toBe(7)
  expect(notes).toHaveLength(MAX_WORDS)
  await missing.forget()
  expect([...rows.values()].filter((value) => value !== undefined)).toEqual([])
})

test.each([
  ['utc', true, false, '[10:11] '],
  ['+1', true, false, '[11:11] '],
  ['-3:30', true, true, '[06:41, perhaps shown before] '],
  ['GMT+0530', true, false, '[15:41] '],
  ['+14', true, false, '[2004-01-02 00:11] '],
  ['utc', false, false, ''],
  ['utc', false, true, '[perhaps shown before] '],
])('the time in %s, shown %s, in doubt %s, is "%s"', (timezone, shown, doubt, stamp) => {
  const at = Date.UTC(2004, 0, 1, 10, 11)
  const now = timezone === '+14' ? at - 3_600_000 : at
  expect(stampOf(at, now, { timezone, shown, doubt })).toBe(stamp)
})

test('a member of the gateway who was never here has what came for them', async () => {
  const w = world()
  const op = { kind: 'message', as: ghost(BOB), body: text('x'), at: 0 } as const
  const chat = { network: GATEWAY, chat: directChat(ALICE, BOB) }
  expect(await w.session.deliver({ id: 'e' as never, chat, op })).toMatchObject({ kind: 'delivered', ids: ['e'] })
})

test('whom something waits for is known, whoever is in memory, and over a restart', async () => {
  const w = new World()
  w.account()
  w.contact(BOB, 'online')
  const { person, client } = await w.attached()
  expect([...w.people.waiting()]).toEqual([{ user: ALICE, clients: 1, missed: 0 }])
  person.detach(client, 'quit')
  await w.hears(BOB, text('one'))
  await w.hears(BOB, text('two'))
  const waiting = { user: ALICE, clients: 0, missed: 2 }
  expect([...w.people.waiting()]).toEqual([waiting])
  const later = new World({ stored: w.bridge.stored })
  later.bridge.written.push(...w.bridge.written)
  expect([...later.people.waiting()]).toEqual([])
  await later.people.recall([ALICE, 'nobody' as typeof ALICE])
  expect([...later.people.waiting()]).toEqual([waiting])
  later.account()
  await later.attached()
  expect([...later.people.waiting()]).toEqual([{ user: ALICE, clients: 1, missed: 0 }])
})
