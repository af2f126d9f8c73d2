import { describe, expect, it } from 'vitest'
import { GATHER_MS, RECALL_MS } from '../../../adapters/msn/conversation.ts'
import { Groups, MAX_GROUPS } from '../../../adapters/msn/groups.ts'
import type { ChatRef, NetworkId, UserId } from '../../../bridge/model/ids.ts'
import type { Contact } from '../../../msnp/index.ts'
import { account, chatOf, MemoryState, refusedWith, Rig, user } from './fakes.ts'

const bob = 'bob@example.com'
const carol = 'carol@example.com'
const dave = 'dave@example.com'
const online: Partial<Contact> = { presence: { status: 'NLN', clientId: 0x40000000, object: undefined } }
const members = (...emails: string[]) => emails as UserId[]

const invite = (who: string) =>
  ({ kind: 'member', as: { kind: 'self' }, user: user(who), userName: who, change: 'invite' }) as const
const changes = (rig: Rig) =>
  rig.core.of('member').map(({ chat, user: { user: who }, change }) => [chat.chat, who, change])

describe('the ids of groups', () => {
  let number = 0
  const groups = async (state: MemoryState): Promise<Groups> => {
    const all = new Groups(account.id, state, () => String(++number))
    await all.load()
    return all
  }

  it('are found again by the exact set of members, also after a restart', async () => {
    const state = new MemoryState()
    const { chat, stored } = (await groups(state)).mint(members(carol, bob), true)
    await stored
    const again = await groups(state)
    expect(again.find(members(bob, carol))).toBe(chat)
    expect(again.find(members(bob))).toBeUndefined()
    expect(again.find(members(bob, carol, dave))).toBeUndefined()
    expect(again.members(chat)).toEqual([bob, carol])
  })

  it('are stored by the next link when the store would not take them at first', async () => {
    const rig = await Rig.online()
    const { state } = rig.core
    const update = state.update.bind(state)
    state.update = () => Promise.reject(new Error('the disk is full'))
    const request = { kind: 'group', members: members(bob, carol) } as const
    expect(await rig.session.open(request)).toMatchObject({ kind: 'retry', wait: 15_000 })
    state.update = update
    const opened = await rig.session.open(request)
    expect(opened.kind).toBe('opened')
    expect(state.values.size).toBe(1)
    expect(await rig.session.open(request)).toEqual(opened)
  })

  it('may be several for one set: a linked one counts first, then the newest', async () => {
    const all = await groups(new MemoryState())
    all.mint(members(bob, carol), false)
    const newer = all.mint(members(bob, carol), false)
    expect(all.find(members(bob, carol))).toBe(newer.chat)
    const linked = all.mint(members(bob, carol), true)
    all.mint(members(bob, carol), false)
    expect(all.find(members(bob, carol))).toBe(linked.chat)
  })

  it('are bounded in number: those that people made are forgotten first', async () => {
    const state = new MemoryState()
    const all = await groups(state)
    const linked = all.mint(members('first@example.com', bob), true)
    const oldest = all.mint(members('second@example.com', bob), false)
    for (let at = 2; at < MAX_GROUPS; at++) all.mint(members(`p${at}@example.com`, bob), false)
    await all.mint(members(dave, bob), false).stored
    expect(all.members(linked.chat)).toBeDefined()
    expect(all.members(oldest.chat)).toBeUndefined()
    expect(state.values.size).toBe(MAX_GROUPS)
  })

  it('say nothing of a session of the network', async () => {
    const rig = await Rig.online()
    const chat = await rig.group(bob, carol)
    expect(chat.chat).toMatch(/^group:0+1$/)
    expect(chat.account).toBe(account.id)
  })
})

describe('opening chats', () => {
  it('gives a contact their address in lower case, and finds a group again', async () => {
    const rig = new Rig()
    expect(await rig.session.open({ kind: 'direct', with: 'Bob@Example.com' as UserId })).toEqual({
      kind: 'opened',
      chat: chatOf(bob),
    })
    expect(await rig.group(carol, 'Bob@Example.com')).toEqual(await rig.group(bob, carol))
  })

  it.each([
    [{ kind: 'direct', with: 'nobody' }, 'not-found'],
    [{ kind: 'direct', with: 'relay@example.com' }, 'not-found'],
    [{ kind: 'group', members: ['relay@example.com'] }, 'not-found'],
    [{ kind: 'group', members: [bob, 'nobody'] }, 'not-found'],
    [{ kind: 'channel', name: '#x' }, 'unsupported'],
  ])('refuses %j', async (request, reason) => {
    const rig = new Rig()
    expect(await rig.session.open(request as never)).toMatchObject({ kind: 'refused', reason })
  })

  it('gives a group that is linked the same id after somebody was invited, also to those who are called anew', async () => {
    const rig = await Rig.online()
    const chat = await rig.group(bob, carol)
    rig.line.answers.set(bob, 'joins').set(carol, 'joins').set(dave, 'joins')
    expect(await rig.deliver(invite(dave), chat)).toMatchObject({ kind: 'delivered' })
    expect(await rig.group(bob, carol)).toEqual(chat)
    expect(rig.session.members(chat)).toEqual([bob, carol, dave])
    rig.line.ring(bob, carol).say(bob, 'without dave')
    await rig.settle()
    expect(rig.core.of('message').map((event) => event.chat)).toEqual([chat])
    expect([...rig.core.state.values.keys()]).toHaveLength(1)
  })

  it('keeps a group that somebody made for good when it is linked, until it is dropped', async () => {
    const rig = await Rig.online()
    rig.line.ring(bob, carol).say(bob, 'hi')
    await rig.settle()
    const [event] = rig.core.of('message')
    const chat = event?.chat as ChatRef
    const linked = () =>
      [...rig.core.state.values.values()].map((value) => (JSON.parse(value) as { linked: boolean }).linked)
    expect(linked()).toEqual([false])
    expect(await rig.session.open({ kind: 'channel', name: chat.chat })).toEqual({ kind: 'opened', chat })
    expect(linked()).toEqual([true])
    await rig.session.drop(chat)
    expect(linked()).toEqual([false])
    expect(await rig.session.open({ kind: 'channel', name: chatOf('group:unknown').chat })).toMatchObject({
      kind: 'refused',
      reason: 'not-found',
    })
  })

  it('knows who is in a group just now: guests, and not those who left', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob, carol)
    board.join(dave)
    board.leave(carol)
    board.say(bob, 'hi')
    await rig.settle()
    const chat = rig.core.of('message')[0]?.chat as ChatRef
    expect(rig.session.members(chat)).toEqual([bob, dave])
    expect(rig.session.members(chatOf('group:unknown'))).toBeUndefined()
    expect(rig.session.members(chatOf(bob))).toEqual([bob])
  })

  it('does not know a group that was never made', async () => {
    const rig = await Rig.online()
    expect(await rig.say('hi', chatOf('group:unknown'))).toMatchObject({ kind: 'refused', reason: 'not-found' })
  })
})

describe('saying something to a group', () => {
  const opened = async (): Promise<{ rig: Rig; chat: ChatRef }> => {
    const rig = await Rig.online()
    return { rig, chat: await rig.group(bob, carol, dave) }
  }

  it('calls everybody and waits for all', async () => {
    const { rig, chat } = await opened()
    const result = rig.say('hi', chat)
    await rig.settle()
    expect(rig.board.called).toEqual([bob, carol, dave])
    rig.board.join(bob)
    rig.board.join(carol)
    await rig.settle()
    expect(rig.board.sent).toEqual([])
    rig.board.join(dave)
    expect(await result).toEqual({ kind: 'delivered', ids: ['n1>1'] })
    expect(changes(rig)).toEqual([])
  })

  it('goes to those who came, and says who missed it', async () => {
    const { rig, chat } = await opened()
    rig.line.answers.set(bob, 'joins').set(carol, refusedWith(217))
    const result = rig.say('hi', chat)
    await rig.settle()
    await rig.core.clock.advance(GATHER_MS - 1)
    expect(rig.board.sent).toEqual([])
    await rig.core.clock.advance(1)
    expect(await result).toEqual({ kind: 'delivered', ids: ['n1>1'], missed: [user(carol), user(dave)] })
    rig.board.join(dave)
    expect(await rig.say('again', chat)).toMatchObject({ missed: [user(carol)] })
    expect(rig.core.clock.sleeping).toBe(0)
  })

  it('waits only when nobody could be reached', async () => {
    const { rig, chat } = await opened()
    rig.line.answers.set(bob, refusedWith(217)).set(carol, refusedWith(217)).set(dave, refusedWith(216))
    expect(await rig.say('hi', chat)).toMatchObject({ kind: 'retry', reason: 'offline', wait: 'recipient-online' })
    expect(rig.board.open).toBe(false)
  })

  it('calls those again who are online but closed the window, not too often', async () => {
    const { rig, chat } = await opened()
    for (const email of [bob, carol, dave]) rig.line.answers.set(email, 'joins')
    rig.line.contact(carol, online)
    await rig.say('1', chat)
    const { board } = rig
    await rig.settle()
    board.leave(carol)
    board.leave(dave)
    expect(await rig.say('2', chat)).toMatchObject({ missed: [user(carol), user(dave)] })
    expect(board.called.length).toBe(3)
    await rig.core.clock.advance(RECALL_MS)
    await rig.say('3', chat)
    await rig.settle()
    expect(board.called.slice(3)).toEqual([carol])
    expect(await rig.say('4', chat)).toMatchObject({ missed: [user(dave)] })
  })

  it('calls somebody who has just come online with the next words', async () => {
    const { rig, chat } = await opened()
    rig.line.answers.set(bob, 'joins').set(carol, refusedWith(217)).set(dave, refusedWith(217))
    await rig.say('1', chat)
    const contact = rig.line.contact(carol, online)
    rig.line.event({ kind: 'presence', email: carol, name: carol, presence: contact.presence })
    rig.line.answers.set(carol, 'joins')
    await rig.say('2', chat)
    await rig.settle()
    expect(await rig.say('3', chat)).toMatchObject({ missed: [user(dave)] })
  })
})

describe('sessions that others make', () => {
  it('of three belong to the group of exactly these people', async () => {
    const rig = await Rig.online()
    const chat = await rig.group(bob, carol)
    rig.line.ring(bob, carol).say(carol, 'hello')
    expect(rig.core.of('message').map((event) => event.chat)).toEqual([chat])
    rig.line.ring(bob, dave).say(dave, 'other')
    const [, other] = rig.core.of('message')
    expect(other?.chat.chat).not.toBe(chat.chat)
    expect(await rig.group(dave, bob)).toEqual(other?.chat)
  })

  it('become a group when a second person joins a chat of two, from then on', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    board.say(bob, 'just us')
    board.join(carol, 'Carol')
    board.say(bob, 'now three')
    const chat = await rig.group(bob, carol)
    expect(rig.core.of('message').map((event) => event.chat)).toEqual([chatOf(bob), chat])
    expect(rig.core.of('member')).toEqual([
      expect.objectContaining({ chat, user: user(carol), userName: 'Carol', change: 'join', id: 'n1#1' }),
    ])
    await rig.say('to three', chat)
    expect(board.texts()).toEqual(['to three'])
    // The chat of two finds a switchboard of its own.
    rig.line.answers.set(bob, 'joins')
    await rig.say('to bob', chatOf(bob))
    expect(rig.board.texts()).toEqual(['to bob'])
    expect(rig.board).not.toBe(board)
  })

  it('take messages under way with them', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    board.automatic = false
    const result = rig.say('1', chatOf(bob))
    await rig.settle()
    board.join(carol)
    board.sent[0]?.answer({ kind: 'acked', members: [bob, carol] })
    expect((await result).kind).toBe('delivered')
    expect(board.open).toBe(true)
  })

  it('grow into a group that is known', async () => {
    const rig = await Rig.online()
    const three = await rig.group(bob, carol, dave)
    const board = rig.line.ring(bob)
    board.join(carol)
    board.join(dave)
    board.say(dave, 'all here')
    expect(rig.core.of('message').map((event) => event.chat)).toEqual([three])
  })

  it('tell who is a guest, who leaves and who comes back, but not who was only idle', async () => {
    const rig = await Rig.online()
    const chat = await rig.group(bob, carol)
    const board = rig.line.ring(bob, carol)
    board.join(dave)
    board.leave(dave)
    board.leave(carol, true)
    board.join(carol)
    board.leave(carol)
    board.join(carol)
    expect(changes(rig)).toEqual([
      [chat.chat, dave, 'join'],
      [chat.chat, dave, 'leave'],
      [chat.chat, carol, 'leave'],
      [chat.chat, carol, 'join'],
    ])
  })

  it('end without a word when the last one goes', async () => {
    const rig = await Rig.online()
    await rig.group(bob, carol)
    const board = rig.line.ring(bob, carol)
    board.leave(bob, true)
    board.leave(carol)
    expect(changes(rig)).toEqual([])
    expect(board.open).toBe(false)
  })

  it('tell of a guest anew in a new session', async () => {
    const rig = await Rig.online()
    await rig.group(bob, carol)
    for (let session = 0; session < 2; session++) {
      const board = rig.line.ring(bob, carol)
      board.join(dave)
      board.end({ kind: 'idle' })
    }
    expect(changes(rig).map(([, who, change]) => [who, change])).toEqual([
      [dave, 'join'],
      [dave, 'join'],
    ])
  })
})

describe('inviting and leaving', () => {
  it('calls somebody into an open group, who then belongs to it', async () => {
    const rig = await Rig.online()
    const chat = await rig.group(bob, carol)
    const board = rig.line.ring(bob, carol)
    const result = rig.deliver(invite(dave), chat)
    await rig.settle()
    expect(board.called).toEqual([dave])
    board.join(dave)
    expect(await result).toEqual({ kind: 'delivered', ids: [] })
    expect(await rig.say('hi', chat)).toEqual({ kind: 'delivered', ids: ['n1>1'] })
    expect(await rig.group(bob, carol, dave)).toEqual(chat)
  })

  it('calls the others first where nobody is yet', async () => {
    const rig = await Rig.online()
    for (const email of [bob, carol, dave]) rig.line.answers.set(email, 'joins')
    const chat = await rig.group(bob, carol)
    expect((await rig.deliver(invite(dave), chat)).kind).toBe('delivered')
    expect(rig.board.called).toEqual([bob, carol, dave])
    expect(rig.board.open).toBe(true)
  })

  it('makes a group of a chat of two', async () => {
    const rig = await Rig.online()
    rig.line.answers.set(bob, 'joins').set(carol, 'joins')
    expect((await rig.deliver(invite(carol), chatOf(bob))).kind).toBe('delivered')
    const chat = await rig.group(bob, carol)
    expect(changes(rig)).toEqual([[chat.chat, carol, 'join']])
  })

  it('says why somebody did not come', async () => {
    const rig = await Rig.online()
    const chat = await rig.group(bob, carol)
    const board = rig.line.ring(bob, carol)
    rig.line.answers.set(dave, refusedWith(216))
    expect(await rig.deliver(invite(dave), chat)).toMatchObject({ kind: 'refused', reason: 'blocked' })
    rig.line.answers.set(dave, refusedWith(217))
    expect(await rig.deliver(invite(dave), chat)).toMatchObject({ kind: 'refused', reason: 'offline' })
    expect(board.open).toBe(true)
    expect(await rig.deliver(invite('nobody'), chat)).toMatchObject({ kind: 'refused', reason: 'not-found' })
  })

  it('does not stay in a switchboard to which nobody came', async () => {
    const rig = await Rig.online()
    for (const email of [bob, carol, dave]) rig.line.answers.set(email, refusedWith(217))
    const chat = await rig.group(bob, carol)
    expect(await rig.deliver(invite(dave), chat)).toMatchObject({ kind: 'refused', reason: 'offline' })
    expect(rig.board.open).toBe(false)
  })

  it('leaves', async () => {
    const rig = await Rig.online()
    const chat = await rig.group(bob, carol)
    const board = rig.line.ring(bob, carol)
    const leave = { ...invite('relay@example.com'), change: 'leave' } as const
    expect((await rig.deliver(leave, chat)).kind).toBe('delivered')
    expect(board.open).toBe(false)
  })

  it('has nothing to do with who comes and goes elsewhere, and removes nobody', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    const elsewhere = { ...invite('eve'), user: { ...user('eve'), network: 'irc' as NetworkId } }
    for (const change of ['join', 'leave', 'invite', 'kick'] as const) {
      expect((await rig.deliver({ ...elsewhere, change }, chatOf(bob))).kind).toBe('delivered')
    }
    expect(board.open).toBe(true)
    expect(board.called).toEqual([])
    expect(await rig.deliver({ ...invite(bob), change: 'kick' }, chatOf(bob))).toMatchObject({ reason: 'unsupported' })
  })
})

it('groups that cannot be stored are used all the same, as what is said in them must be told', async () => {
  const rig = await Rig.online()
  rig.core.state.update = () => Promise.reject(new Error('the disk is full'))
  rig.line.ring(bob, carol).say(bob, 'hi')
  await rig.settle()
  expect(rig.core.of('message').length).toBe(1)
})
