import { describe, expect, it } from 'vitest'
import { PIPELINE } from '../../../adapters/msn/capabilities.ts'
import { Chats, MAX_CHATS } from '../../../adapters/msn/chats.ts'
import { Groups } from '../../../adapters/msn/groups.ts'
import { Emoticons } from '../../../adapters/msn/emoticons.ts'
import { Things } from '../../../adapters/msn/things.ts'
import { Held } from '../../../adapters/msn/held.ts'
import { MAX_WAITING } from '../../../adapters/msn/conversation.ts'
import { MAX_NAKS, SLOW_MS, SOON_MS } from '../../../adapters/msn/results.ts'
import type { EventId } from '../../../bridge/model/ids.ts'
import type { SendResult } from '../../../msnp/index.ts'
import { account, chatOf, FakeCore, FakeLine, network, refusedWith, Rig, textOfPayload, words } from './fakes.ts'

const bob = 'bob@example.com'
const carol = 'carol@example.com'
const chat = chatOf(bob)

describe('saying something to a contact', () => {
  it('opens a switchboard, calls them, and waits for JOI before it writes', async () => {
    const rig = await Rig.online()
    const result = rig.say('hi', chat)
    await rig.settle()
    expect(rig.board.called).toEqual([bob])
    expect(rig.board.sent).toEqual([])
    rig.board.join(bob)
    expect(await result).toEqual({ kind: 'delivered', ids: ['n1>1'] })
    expect(rig.board.texts()).toEqual(['hi'])
  })

  it('calls them as the server writes their address', async () => {
    const rig = await Rig.online()
    rig.line.contact('Bob@Example.com')
    void rig.say('hi', chat)
    await rig.settle()
    expect(rig.board.called).toEqual(['Bob@Example.com'])
    rig.board.join('Bob@Example.com')
    await rig.settle()
    expect(rig.board.texts()).toEqual(['hi'])
  })

  it('uses an open switchboard again, also one that they opened', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    await rig.say('one', chat)
    await rig.say('two', chat)
    expect(board.texts()).toEqual(['one', 'two'])
    expect(rig.line.opened).toBe(0)
  })

  describe('that is long', () => {
    const text = 'x'.repeat(4_000)
    const clientId = 0x40000020

    it('goes in parts to a client that joins them, and is delivered when all are', async () => {
      const rig = await Rig.online()
      rig.line.contact(bob, { presence: { status: 'NLN', clientId, object: undefined } })
      const board = rig.line.ring(bob)
      expect(rig.session.split(words(text), chat)).toEqual([words(text)])
      board.automatic = false
      const result = rig.say(text, chat)
      const next = rig.say('after it', chat)
      await rig.settle()
      expect(board.texts().map(({ length }) => length)).toEqual([1460, 1568, 972, 8])
      for (const { answer } of board.sent) answer({ kind: 'acked', members: [bob] })
      expect([await result, await next]).toEqual([
        { kind: 'delivered', ids: ['n1>1'] },
        { kind: 'delivered', ids: ['n1>2'] },
      ])
    })

    it('is tried again as a whole when a part comes back', async () => {
      const rig = await Rig.online()
      rig.line.contact(bob, { presence: { status: 'NLN', clientId, object: undefined } })
      const board = rig.line.ring(bob)
      board.automatic = false
      const result = rig.say(text, chat)
      await rig.settle()
      const [one, two, three] = board.sent
      one?.answer({ kind: 'acked', members: [bob] })
      two?.answer({ kind: 'nak' })
      three?.answer({ kind: 'acked', members: [bob] })
      expect(await result).toMatchObject({ kind: 'retry' })
    })

    it('is cut for all others, even if it was not before', async () => {
      const rig = await Rig.online()
      const board = rig.line.ring(bob)
      expect(rig.session.split(words(text), chat)).toHaveLength(3)
      await rig.say(text, chat)
      expect(board.texts()).toHaveLength(3)
      expect(board.texts().join('')).toBe(text)
    })
  })

  it('keeps the order of what waits, and of the results', async () => {
    const rig = await Rig.online()
    const order: string[] = []
    const all = ['1', '2', '3'].map((text) => rig.say(text, chat).then(() => order.push(text)))
    await rig.settle()
    rig.board.automatic = false
    rig.board.join(bob)
    await rig.settle()
    expect(rig.board.texts()).toEqual(['1', '2', '3'])
    // The answers come in another order than the questions.
    for (const at of [2, 0, 1]) rig.board.sent[at]?.answer({ kind: 'acked', members: [bob] })
    await Promise.all(all)
    expect(order).toEqual(['1', '2', '3'])
  })

  it('writes a whole pipeline without waiting for each ACK', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    board.automatic = false
    const all = Array.from({ length: PIPELINE }, (_, at) => rig.say(String(at), chat))
    await rig.settle()
    expect(board.sent.length).toBe(PIPELINE)
    for (const { answer } of board.sent) answer({ kind: 'acked', members: [bob] })
    const results = await Promise.all(all)
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(PIPELINE)
  })

  it('answers in the switchboard that last received', async () => {
    const rig = await Rig.online()
    const first = rig.line.ring(bob)
    const second = rig.line.ring(bob)
    await rig.say('a', chat)
    first.say(bob, 'here')
    await rig.say('b', chat)
    second.type(bob)
    await rig.say('c', chat)
    expect([first.texts(), second.texts()]).toEqual([['b'], ['a', 'c']])
  })

  it('does not let a message overtake one that waits for its ACK in another switchboard', async () => {
    const rig = await Rig.online()
    const first = rig.line.ring(bob)
    first.automatic = false
    const one = rig.say('1', chat)
    const second = rig.line.ring(bob)
    const two = rig.say('2', chat)
    await rig.settle()
    expect(second.sent).toEqual([])
    first.sent[0]?.answer({ kind: 'acked', members: [bob] })
    expect((await one).kind).toBe('delivered')
    expect((await two).kind).toBe('delivered')
    expect(second.texts()).toEqual(['2'])
  })

  it('opens a new one when the old one is gone', async () => {
    const rig = await Rig.online()
    rig.line.answers.set(bob, 'joins')
    const old = rig.line.ring(bob)
    old.end({ kind: 'idle' })
    expect((await rig.say('hi', chat)).kind).toBe('delivered')
    expect(rig.board).not.toBe(old)
    expect(rig.board.texts()).toEqual(['hi'])
  })

  it('leaves a switchboard in which nobody is left', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    board.leave(bob)
    expect(board.open).toBe(false)
  })

  it('does not go on for ever with somebody who comes and leaves at once', async () => {
    const rig = await Rig.online()
    const result = rig.say('hi', chat)
    await rig.settle()
    rig.board.members.set(bob, { email: bob, name: bob })
    rig.board.calls.get(bob)?.({ kind: 'joined', member: { email: bob, name: bob } })
    rig.board.leave(bob)
    expect(await result).toMatchObject({ kind: 'retry', wait: SOON_MS })
    expect(rig.line.opened).toBe(1)
  })
})

describe('both sides calling at once', () => {
  it('says it in the switchboard that is there first, and both stay usable', async () => {
    const rig = await Rig.online()
    const result = rig.say('hi', chat)
    await rig.settle()
    const ours = rig.board
    const theirs = rig.line.ring(bob)
    expect((await result).kind).toBe('delivered')
    expect(theirs.texts()).toEqual(['hi'])
    ours.join(bob)
    await rig.settle()
    expect([ours.open, theirs.open]).toEqual([true, true])
    theirs.leave(bob)
    expect((await rig.say('still here', chat)).kind).toBe('delivered')
    expect(ours.texts()).toEqual(['still here'])
  })

  it('is not bothered when its own call fails then', async () => {
    const rig = await Rig.online()
    const result = rig.say('hi', chat)
    await rig.settle()
    const ours = rig.board
    const theirs = rig.line.ring(bob)
    await result
    ours.refuse(bob, refusedWith(217))
    await rig.settle()
    expect([ours.open, theirs.open]).toEqual([false, true])
  })
})

describe('nobody there', () => {
  it.each([
    [217, { kind: 'retry', reason: 'offline', wait: 'recipient-online' }],
    [216, { kind: 'refused', reason: 'blocked' }],
    [208, { kind: 'refused', reason: 'not-found' }],
    [713, { kind: 'retry', reason: 'rate-limited', wait: SLOW_MS }],
  ])('CAL answered with %i settles everything that waited', async (code, expected) => {
    const rig = await Rig.online()
    rig.line.answers.set(bob, refusedWith(code))
    const results = await Promise.all([rig.say('1', chat), rig.say('2', chat)])
    expect(results).toEqual([expect.objectContaining(expected), expect.objectContaining(expected)])
    expect(rig.line.opened).toBe(1)
    expect(rig.board.open).toBe(false)
    expect(rig.board.sent).toEqual([])
  })

  it('and unknown to our list: they are put on it, or their coming would not be seen', async () => {
    const rig = await Rig.online()
    rig.line.answers.set(bob, refusedWith(217))
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(await rig.say('1', chat)).toMatchObject({ kind: 'retry', wait: 'recipient-online' })
    }
    expect(rig.line.asked).toEqual(['add bob@example.com'])
  })

  it.each([
    [205, { kind: 'refused', reason: 'not-found' }],
    [208, { kind: 'refused', reason: 'not-found' }],
    [210, { kind: 'retry', reason: 'offline', wait: SLOW_MS }],
  ])('nor can they be put on our list, because of %i', async (code, expected) => {
    const rig = await Rig.online()
    rig.line.answers.set(bob, refusedWith(217))
    rig.line.replies.push({ ok: false, failure: refusedWith(code) })
    expect(await rig.say('1', chat)).toMatchObject(expected)
  })

  it('whom we block ourselves: they stay blocked', async () => {
    const rig = await Rig.online()
    rig.line.answers.set(bob, refusedWith(217))
    rig.line.contact(bob, { lists: 4 })
    expect(await rig.say('1', chat)).toMatchObject({ kind: 'refused', reason: 'blocked' })
    expect(rig.line.asked).toEqual([])
  })

  it('they let it ring', async () => {
    const rig = await Rig.online()
    rig.line.answers.set(bob, { kind: 'timeout', waitingFor: 'JOI' })
    expect(await rig.say('1', chat)).toMatchObject({ kind: 'retry', reason: 'offline', wait: SLOW_MS })
  })

  it('the server asks for patience', async () => {
    const rig = await Rig.online()
    rig.line.openings.push({ ok: false, failure: refusedWith(800) })
    expect(await rig.say('1', chat)).toMatchObject({ kind: 'retry', reason: 'rate-limited', wait: SLOW_MS })
  })

  it('we are hidden', async () => {
    const rig = await Rig.online()
    rig.line.openings.push({ ok: false, failure: { kind: 'hidden' } })
    expect(await rig.say('1', chat)).toMatchObject({ kind: 'retry', reason: 'forbidden', wait: SLOW_MS })
  })

  it('the switchboard is gone before anybody was called', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(carol)
    board.end()
    rig.line.openings.push({ ok: true, switchboard: board })
    expect(await rig.say('1', chat)).toMatchObject({ kind: 'retry', reason: 'network' })
    rig.line.answers.set(bob, 'joins')
    expect((await rig.say('1', chat)).kind).toBe('delivered')
  })
})

describe('what became of a message', () => {
  const outcome = async (result: SendResult) => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    board.automatic = false
    const said = rig.say('1', chat)
    await rig.settle()
    board.sent[0]?.answer(result)
    return { said: await said, board }
  }

  it.each([
    [{ kind: 'acked', members: [bob] }, 'delivered'],
    [{ kind: 'nak' }, 'retry'],
    [{ kind: 'left-before-ack' }, 'uncertain'],
    [{ kind: 'timeout' }, 'uncertain'],
    [{ kind: 'not-written', why: 'closed' }, 'retry'],
    [{ kind: 'not-written', why: 'too-large' }, 'refused'],
  ] as [SendResult, string][])('%j: %s', async (result, kind) => {
    expect((await outcome(result)).said.kind).toBe(kind)
  })

  it('a switchboard that dies before the ACK leaves it uncertain, and what follows finds a new one', async () => {
    const rig = await Rig.online()
    rig.line.answers.set(bob, 'joins')
    const board = rig.line.ring(bob)
    board.automatic = false
    const one = rig.say('1', chat)
    await rig.settle()
    board.end()
    expect((await one).kind).toBe('uncertain')
    expect((await rig.say('2', chat)).kind).toBe('delivered')
    expect(rig.board.texts()).toEqual(['2'])
  })

  it('after a NAK nothing that waits overtakes, and the switchboard is left when all is answered', async () => {
    const rig = await Rig.online()
    rig.line.answers.set(bob, 'joins')
    const first = rig.line.ring(bob)
    first.automatic = false
    const one = rig.say('1', chat)
    const two = rig.say('2', chat)
    // Waits, as two are under way in the other one.
    const second = rig.line.ring(bob)
    const three = rig.say('3', chat)
    await rig.settle()
    first.sent[0]?.answer({ kind: 'nak' })
    expect((await one).kind).toBe('retry')
    expect(first.open).toBe(true)
    first.sent[1]?.answer({ kind: 'nak' })
    expect([(await two).kind, (await three).kind]).toEqual(['retry', 'retry'])
    expect(first.open).toBe(false)
    await Promise.all([rig.say('1', chat), rig.say('2', chat), rig.say('3', chat)])
    expect(second.texts()).toEqual(['1', '2', '3'])
  })

  it('is refused when one and the same message comes back again and again', async () => {
    const rig = await Rig.online()
    const id = 'event-x' as EventId
    const kinds: string[] = []
    for (let attempt = 0; attempt < MAX_NAKS; attempt++) {
      const board = rig.line.ring(bob)
      board.automatic = false
      const said = rig.deliver(words('odd'), chat, { id })
      await rig.settle()
      board.sent[0]?.answer({ kind: 'nak' })
      kinds.push((await said).kind)
    }
    expect(kinds).toEqual(['retry', 'retry', 'refused'])
  })

  it('no ACK in time: the switchboard is not trusted any more', async () => {
    expect((await outcome({ kind: 'timeout' })).board.open).toBe(false)
  })

  it('taken back before it was written, it may be tried again; after, nobody knows', async () => {
    const rig = await Rig.online()
    const early = new AbortController()
    const waiting = rig.deliver(words('1'), chat, { signal: early.signal })
    await rig.settle()
    early.abort()
    expect((await waiting).kind).toBe('retry')
    rig.board.join(bob)
    await rig.settle()
    expect(rig.board.sent).toEqual([])
    rig.board.automatic = false
    const late = new AbortController()
    const written = rig.deliver(words('2'), chat, { signal: late.signal })
    await rig.settle()
    late.abort()
    expect((await written).kind).toBe('uncertain')
    expect((await rig.deliver(words('3'), chat, { signal: late.signal })).kind).toBe('retry')
  })

  it('bounds what waits', async () => {
    const rig = await Rig.online()
    for (let at = 0; at < MAX_WAITING; at++) void rig.say(String(at), chat)
    await rig.settle()
    const over = rig.say('too many', chat)
    rig.board.join(bob)
    expect(await over).toMatchObject({ kind: 'retry', reason: 'rate-limited' })
    expect(rig.board.sent.length).toBe(MAX_WAITING)
  })
})

describe('typing', () => {
  it('goes to who is there and never opens a switchboard', async () => {
    const rig = await Rig.online()
    const typing = { kind: 'typing', as: { kind: 'self' }, forMs: 5_000 } as const
    expect(await rig.deliver(typing, chat)).toEqual({ kind: 'delivered', ids: [] })
    expect(rig.line.opened).toBe(0)
    const board = rig.line.ring(bob)
    await rig.deliver(typing, chat)
    expect(board.whispers.map((payload) => Buffer.from(payload).toString())).toEqual([
      expect.stringContaining('TypingUser: Relay@Example.com'),
    ])
    expect(board.sent).toEqual([])
  })

  it('that has stopped is not told: the protocol has only a word for typing', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    const stopped = { kind: 'typing', as: { kind: 'self' }, forMs: 0 } as const
    expect(await rig.deliver(stopped, chat)).toEqual({ kind: 'delivered', ids: [] })
    expect(board.whispers).toEqual([])
  })

  it('of them is told; they type, too, when they call', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    expect(rig.core.of('typing').length).toBe(1)
    board.type('Bob@Example.com')
    expect(rig.core.of('typing').slice(1)).toEqual([
      { kind: 'typing', chat, sender: { network, user: bob }, senderName: 'Bob@Example.com', forMs: 6_000 },
    ])
  })
})

describe('invitations to programs', () => {
  const invitation = (cookie: number) =>
    `Content-Type: text/x-msmsgsinvite; charset=UTF-8\r\n\r\nApplication-Name: NetMeeting\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: ${cookie}\r\n\r\n`

  it('are declined each time and told of once', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    for (const cookie of [7, 7, 8]) board.message(bob, invitation(cookie))
    await rig.settle()
    expect(board.whispers.map(textOfPayload)).toEqual(
      [7, 7, 8].map(
        (cookie) =>
          `Invitation-Command: CANCEL\r\nInvitation-Cookie: ${cookie}\r\nCancel-Code: REJECT_NOT_INSTALLED\r\n\r\n`,
      ),
    )
    expect(rig.core.of('message').map(({ id, body }) => [id, body.kind])).toEqual([
      ['n1:1', 'notice'],
      ['n1:3', 'notice'],
    ])
  })
})

describe('what they say', () => {
  it('is told with ids that never repeat, however often switchboards change', async () => {
    const rig = await Rig.online()
    rig.line.ring(bob).say(bob, 'a')
    rig.line.ring(bob).say(bob, 'b')
    expect(rig.core.of('message').map(({ id, chat: where }) => [id, where])).toEqual([
      ['n1:1', chat],
      ['n2:1', chat],
    ])
  })

  it('is put together from its chunks', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    board.message(bob, 'Content-Type: text/plain; charset=UTF-8\r\nMessage-ID: {1}\r\nChunks: 2\r\n\r\nhalf and ')
    board.message(bob, 'Message-ID: {1}\r\nChunk: 1\r\n\r\nhalf')
    expect(rig.core.of('message').map(({ id, body }) => [id, body])).toEqual([
      ['n1:2', { kind: 'text', text: [{ text: 'half and half' }] }],
    ])
  })

  it('shows a drawing in chunks, and confirms it when it is stored', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    board.message(bob, 'Content-Type: image/gif\r\nMessage-ID: {1}\r\nChunks: 2\r\n\r\nbase64:R0lG')
    board.message(bob, 'Message-ID: {1}\r\nChunk: 1\r\n\r\nODlh')
    const drawing = await rig.core.until('the drawing', () => rig.core.of('message')[0])
    // Here is nowhere to keep it.
    expect(drawing).toMatchObject({
      id: 'n1:2',
      body: { kind: 'action', text: [{ text: 'sends a drawing, which could not be kept' }] },
    })
    await rig.core.clock.settle()
    expect(board.confirmed).toEqual([1, 2])
  })

  it('costs no memory for ever, however many strangers call', () => {
    const { context, state } = new FakeCore()
    const groups = new Groups(account.id, state, () => '')
    const line = new FakeLine({
      server: { host: '', port: 0 },
      passport: { login: '' },
      login: '',
      password: '',
      onEvent: (event) => 'switchboard' in event && chats.on(event),
    })
    const peers = { own: account.login, random: () => 4, serve: () => undefined }
    const emoticons = new Emoticons({ network, context, maxBytes: 0 })
    const held = new Held(context)
    const transfers = { hear: () => false, gone: () => undefined, offered: () => undefined, elsewhere: () => undefined }
    const things = new Things({ context, fetch: false })
    const shared = { network, account: account.id, context, held, line }
    const chats = new Chats({
      ...shared,
      beside: false,
      channel: undefined,
      groups,
      emoticons,
      peers,
      transfers,
      things,
    })
    line.ring(bob)
    const open = chats.conversation(chat.chat)
    for (let at = 0; at < MAX_CHATS + 10; at++) line.ring(`stranger${at}@example.com`).end()
    expect(chats.size).toBe(MAX_CHATS)
    expect(chats.conversation(chat.chat)).toBe(open)
  })

  it('hangs up on a call whose caller is gone', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(carol)
    board.members.clear()
    rig.line.event({ kind: 'switchboard', switchboard: board, invitedBy: { email: carol, name: carol } })
    expect(board.open).toBe(false)
  })
})
