import { describe, expect, test } from 'vitest'
import type { Account, PortalRequest } from '../../bridge/adapter.ts'
import type {
  ChatId,
  ChatRef,
  EventId,
  MessageId,
  NetworkId,
  PortalId,
  UserId,
  UserRef,
} from '../../bridge/model/ids.ts'
import type { OpenResult } from '../../bridge/model/result.ts'
import { plain } from '../../bridge/model/text.ts'
import { PORTALS_AT_ONCE } from '../../bridge/opening.ts'
import type { Core } from '../kit/core.ts'
import {
  ableCapabilities,
  alice,
  bot,
  channel,
  contact,
  type CoreOptions,
  host,
  ircChat,
  lobby,
  message,
  msnChat,
  relay,
  room,
  startsCores,
} from '../kit/core.ts'
import { account } from '../kit/fake-adapter.ts'

const startCore = startsCores()
const start = (options: CoreOptions = {}) => startCore({ links: [], matrix: {}, ...options })

const bob = msnChat('bob@x')
const group: ChatRef = { network: 'msn' as NetworkId, chat: 'switchboard-1' as ChatId, account: relay.id }
const msnUser = (user: string): UserRef => ({ network: 'msn' as NetworkId, user: user as UserId })
const users = (...names: string[]) => names as UserId[]
const listed = (...names: string[]) =>
  ({
    kind: 'roster',
    account: relay.id,
    contacts: names.map((name) => ({ user: msnUser(name), name, listed: true, blocked: false, hasUs: true })),
  }) as const

const portals = (core: Core): readonly PortalRequest[] =>
  core.hub.portals
    .all()
    .flatMap(({ legs }) => legs)
    .flatMap(({ request }) => (request.kind === 'portal' ? [request] : []))
/** The room that the fake network made for a portal. */
const roomOf = (core: Core, index = 0): ChatRef => room(`portal:${portals(core)[index]?.portal ?? ''}`)
/** What was said there, without marks of what was delivered elsewhere. */
const said = (core: Core): readonly string[] => core.matrix.lines.filter((line) => !line.includes(': (delivered '))
const opened = (core: Core): readonly PortalRequest[] =>
  core.matrix.session(host).opened.filter((request) => request.kind === 'portal')

describe('a message to an account of somebody who lives elsewhere', () => {
  test('makes a chat of theirs, once for many at the same time, in order', async () => {
    const core = await start()
    await core.say(...['one', 'two', 'three'].map((word) => message(bob, 'bob@x', word, { senderName: 'Bob' })))
    expect(portals(core)).toEqual([
      {
        kind: 'portal',
        portal: core.hub.portals.all()[0]?.id,
        owner: '@alice:hs',
        account: 'relay',
        login: 'relay@home.example',
        direct: true,
        with: [{ user: msnUser('bob@x'), name: 'Bob' }],
      },
    ])
    expect(opened(core)).toHaveLength(1)
    const { chat } = roomOf(core)
    expect(core.matrix.lines).toEqual(['one', 'two', 'three'].map((word) => `${chat}: [Bob] ${word}`))
    expect(core.hub.status().unlinked).toBe(0)
  })

  test('is answered from there as themselves, and each side has it once', async () => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hello'))
    await core.say(message(roomOf(core), alice.user, 'hi bob', { senderName: 'Alice' }))
    expect(core.msn.lines).toEqual(['dm:bob@x: [Alice] hi bob'])
    expect(core.msn.delivered[0]?.delivery.op).toMatchObject({ as: { kind: 'person', person: 'alice' } })
    expect(said(core)).toHaveLength(1)
  })

  test('is on disk before it is accepted, and found again after a restart', async () => {
    const core = await start()
    await core.hub.accept(message(bob, 'bob@x', 'hello'))
    const [before] = await core.store.portals()
    expect(before).toMatchObject({ origin: 'command', kind: 'direct' })
    await core.crash()
    const again = await start({ folder: core.folder, clock: core.clock })
    await again.say(message(bob, 'bob@x', 'again'))
    expect(again.hub.portals.all().map(({ id }) => id)).toEqual([before?.id])
    expect(again.matrix.lines.filter((line) => line.endsWith('again'))).toHaveLength(1)
  })

  test('waits for the room while their network is down, and comes in order when it is back', async () => {
    const core = await start()
    await core.goOffline(host)
    await core.say(message(bob, 'bob@x', 'one'), message(bob, 'bob@x', 'two'))
    expect(opened(core)).toHaveLength(0)
    await core.goOnline(host)
    const { chat } = roomOf(core)
    expect(core.matrix.lines).toEqual([`${chat}: [bob] one`, `${chat}: [bob] two`])
  })

  test('makes none when it is only a sign of life, and none where there is a lobby or a link', async () => {
    const core = await start({ links: [[contact('eve@x'), channel('#eve')]] })
    await core.hub.accept({ kind: 'typing', chat: bob, sender: msnUser('bob@x'), forMs: 1 })
    const member = { kind: 'member', chat: group, sender: msnUser('bob@x'), user: msnUser('bob@x'), at: 0 } as const
    expect(await core.hub.accept({ ...member, id: 'm' as MessageId, change: 'join' })).toBe('unlinked')
    await core.say(message(msnChat('eve@x'), 'eve@x', 'linked'))
    const withLobby = await start({ links: [[lobby, channel('#msn')]] })
    await withLobby.say(message(bob, 'bob@x', 'hello'))
    expect([...portals(core), ...portals(withLobby)]).toEqual([])
    expect(withLobby.irc.lines).toEqual(['#msn: <bob> hello'])
  })

  test('makes none for whom nobody knows there, and none where they want to be asked', async () => {
    const nobody = await startCore({ links: [] })
    expect(await nobody.hub.accept(message(bob, 'bob@x', 'hello'))).toBe('unlinked')
    const asked = await start({ matrix: { homes: 'on-command' } })
    expect(await asked.hub.accept(message(bob, 'bob@x', 'hello'))).toBe('unlinked')
  })

  test('that they sent themselves from another client makes it too', async () => {
    const core = await start()
    core.msn.session(relay).people.set(bob.chat, users('bob@x'))
    await core.say(message(bob, 'relay@home.example', 'from my phone', { own: true }))
    expect(portals(core)).toMatchObject([{ direct: true, with: [{ user: msnUser('bob@x') }] }])
    expect(core.matrix.ops('message')).toMatchObject([{ as: { kind: 'person', person: 'alice', user: '@alice:hs' } }])
    await core.say(message(bob, 'bob@x', 'answer'))
    expect(core.hub.portals.all()).toHaveLength(1)
  })

  test('is named as they call the contact', async () => {
    const core = await start()
    await core.hub.accept(listed('bob@x'))
    await core.hub.roster.setNickname(relay.id, 'bob@x' as UserId, 'Bobby')
    await core.say(message(bob, 'bob@x', 'hello'))
    expect(portals(core)).toMatchObject([{ title: 'Bobby' }])
    await core.hub.retitle(relay.id, 'bob@x' as UserId, undefined)
    await core.hub.retitle(relay.id, 'bob@x' as UserId, 'Robert')
    await core.settle()
    const { chat } = roomOf(core)
    expect(core.matrix.ops('title')).toEqual([
      { kind: 'title', in: chat },
      { kind: 'title', title: 'Robert', in: chat },
    ])
  })
})

describe('a chat of several', () => {
  test('becomes one with those who are there, and is found again', async () => {
    const core = await start()
    core.msn.session(relay).people.set(group.chat, users('bob@x', 'carol@x'))
    await core.say(message(group, 'bob@x', 'hello all', { senderName: 'Bob' }))
    expect(portals(core)).toMatchObject([
      {
        direct: false,
        with: [
          { user: msnUser('bob@x'), name: 'Bob' },
          { user: msnUser('carol@x'), name: 'carol' },
        ],
      },
    ])
    await core.say(message(group, 'carol@x', 'hi'), message(roomOf(core), alice.user, 'me too'))
    expect(core.hub.portals.all()).toHaveLength(1)
    expect(core.msn.lines).toEqual(['switchboard-1: [alice] me too'])
  })

  test('is another than the one with its speaker alone', async () => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'to you'), message(group, 'bob@x', 'to all'))
    expect(core.hub.portals.all().map(({ kind }) => kind)).toEqual(['direct', 'group'])
  })

  test('shows who comes and goes once there is one', async () => {
    const core = await start()
    await core.say(message(group, 'bob@x', 'hello all'))
    const member = { kind: 'member', chat: group, sender: msnUser('eve@x'), user: msnUser('eve@x'), at: 0 } as const
    await core.hub.accept({ ...member, id: 'm1' as MessageId, change: 'join' })
    await core.hub.accept({ ...member, id: 'm2' as MessageId, change: 'leave' })
    await core.settle()
    expect(core.matrix.ops('member').map(({ change, user }) => [change, user.user])).toEqual([
      ['join', 'eve@x'],
      ['leave', 'eve@x'],
    ])
  })

  test('is told to its network as linked, after each sign-in', async () => {
    const core = await start()
    await core.say(message(group, 'bob@x', 'hello all'))
    const asked = { kind: 'channel', name: group.chat }
    expect(core.msn.session(relay).opened).toContainEqual(asked)
    await core.goOffline(relay)
    await core.goOnline(relay)
    expect(core.msn.session(relay).opened.filter((one) => one.kind === 'channel')).toHaveLength(2)
  })

  test('waits for somebody of it who comes online', async () => {
    const core = await start()
    core.msn.session(relay).people.set(group.chat, users('bob@x', 'carol@x'))
    await core.say(message(group, 'bob@x', 'hello all'))
    core.msn.behave = async () => ({ kind: 'retry', reason: 'offline', wait: 'recipient-online', detail: 'x' })
    await core.say(message(roomOf(core), alice.user, 'anybody?'))
    core.msn.behave = async () => core.msn.done()
    await core.hub.accept({ kind: 'presence', account: relay.id, user: msnUser('carol@x'), state: { show: 'online' } })
    await core.settle()
    expect(core.msn.lines).toHaveLength(2)
    expect(core.hub.status().lanes).toEqual([])
  })
})

describe('rooms', () => {
  /** Opening takes until the test lets it go on. */
  const slow = () => {
    let most = 0
    const waiting: (() => void)[] = []
    const open = (request: { kind: string }): Promise<OpenResult> => {
      const answer: OpenResult = { kind: 'opened', chat: room(`portal:${(request as PortalRequest).portal}`) }
      return new Promise((resolve) => {
        waiting.push(() => resolve(answer))
        most = Math.max(most, waiting.length)
      })
    }
    return { open, waiting, most: () => most }
  }

  test('of 300 contacts who write at once are made a few at a time', async () => {
    const { open, waiting, most } = slow()
    const core = await start({ matrix: { open } })
    const names = Array.from({ length: 300 }, (_, index) => `c${index}@x`)
    await core.say(...names.map((name) => message(msnChat(name), name, 'hello')))
    while (waiting.length > 0) {
      waiting.shift()?.()
      await core.settle()
    }
    expect(most()).toBe(PORTALS_AT_ONCE)
    expect(core.matrix.ops('message')).toHaveLength(300)
  })

  test('are made for no contact at a sign-in, and 300 of them make no delivery', async () => {
    const core = await start()
    const names = Array.from({ length: 300 }, (_, index) => `c${index}@x`)
    await core.hub.accept(listed(...names))
    for (const name of names)
      await core.hub.accept({ kind: 'presence', account: relay.id, user: msnUser(name), state: { show: 'online' } })
    await core.clock.advance(60_000)
    expect(core.matrix.session(host).opened).toEqual([])
    expect(core.matrix.delivered).toEqual([])
  })

  test('are made for every contact where that is wanted, one after the other', async () => {
    const { open, waiting, most } = slow()
    const core = await start({ matrix: { open, homes: 'all' } })
    await core.hub.accept(listed('bob@x', 'carol@x', 'dave@x'))
    await core.settle()
    expect(waiting).toHaveLength(1)
    while (waiting.length > 0) {
      waiting.shift()?.()
      await core.settle()
    }
    expect(most()).toBe(1)
    expect(portals(core)).toHaveLength(3)
    await core.hub.accept(listed('bob@x', 'carol@x', 'dave@x'))
    await core.settle()
    expect(portals(core)).toHaveLength(3)
  })

  test('that were made are not made again after a restart, nor after a sign-in', async () => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hello'))
    await core.goOffline(host)
    await core.goOnline(host)
    await core.stop()
    const again = await start({ folder: core.folder, clock: core.clock })
    await again.say(message(bob, 'bob@x', 'again'))
    expect([...opened(core), ...opened(again)]).toHaveLength(1)
    expect(again.matrix.lines).toEqual([`${roomOf(again).chat}: [bob] again`])
  })

  test('that cannot be made refuse what is for them, and the sender is told whom it was for', async () => {
    const core = await start({
      matrix: { open: async () => ({ kind: 'refused', reason: 'forbidden', detail: 'no rooms' }) },
    })
    await core.say(message(bob, 'bob@x', 'hello'))
    expect(core.msn.lines).toEqual([
      'dm:bob@x: * Your message "hello" to alice (@alice:hs) was not delivered: not allowed there.',
    ])
  })

  test('hear what is said in them before the bridge knows that they were made', async () => {
    const { open, waiting } = slow()
    const core = await start({ matrix: { open } })
    await core.say(message(bob, 'bob@x', 'hello'))
    const accepted = core.hub.accept(message(roomOf(core), alice.user, 'quick'))
    await core.settle()
    waiting.shift()?.()
    expect(await accepted).not.toBe('unlinked')
    await core.settle()
    expect(core.msn.lines).toEqual(['dm:bob@x: [alice] quick'])
  })
})

describe('a chat that somebody begins', () => {
  test('by command is made, and is the same for what comes later', async () => {
    const core = await start({ matrix: { homes: 'on-command' } })
    const started = await core.hub.startChat(relay.id, users('bob@x'), alice)
    expect(started).toMatchObject({ kind: 'opened', chat: roomOf(core), known: false })
    await core.settle()
    await core.say(message(bob, 'bob@x', 'hello'))
    expect(core.matrix.lines).toEqual([`${roomOf(core).chat}: [bob] hello`])
    expect(await core.hub.startChat(relay.id, users('bob@x'), alice)).toMatchObject({ known: true, chat: roomOf(core) })
    // Asked for again, so that whoever has left is invited back.
    expect(opened(core)).toHaveLength(2)
  })

  test('with several is a group', async () => {
    const core = await start()
    expect(await core.hub.startChat(relay.id, users('bob@x', 'carol@x'), alice)).toMatchObject({ kind: 'opened' })
    const chat = core.msn.chat({ kind: 'group', members: users('bob@x', 'carol@x') }, relay.id)
    await core.settle()
    await core.say(message(roomOf(core), alice.user, 'hello'), message(chat, 'bob@x', 'hi'))
    expect(core.msn.lines).toEqual([`${chat.chat}: [alice] hello`])
    expect(said(core)).toEqual([`${roomOf(core).chat}: [bob] hi`])
  })

  test('adds the room to a contact that is linked by the config, and stays with the link over restarts', async () => {
    const links = [[contact('bob@x'), channel('#bob')]]
    const core = await start({ links })
    await core.hub.startChat(relay.id, users('bob@x'), alice)
    await core.settle()
    await core.stop()
    const again = await start({ links, folder: core.folder, clock: core.clock })
    await again.say(message(bob, 'bob@x', 'hello'))
    expect([again.irc.lines, again.matrix.lines]).toEqual([
      ['#bob: <bob> hello'],
      [`${roomOf(again).chat}: [bob] hello`],
    ])
    await again.stop()
    const without = await start({ links: [], folder: core.folder, clock: core.clock })
    await without.say(message(bob, 'bob@x', 'still here'))
    expect(without.irc.lines).toEqual([])
    expect(without.matrix.lines).toEqual([`${roomOf(without).chat}: [bob] still here`])
    expect(without.irc.session(bot).dropped).toEqual([ircChat('#bob')])
    await without.stop()
    const linked = await start({ links, folder: core.folder, clock: core.clock })
    await linked.say(message(bob, 'bob@x', 'both'))
    expect(linked.irc.lines).toEqual(['#bob: <bob> both'])
    expect(linked.matrix.lines).toEqual([`${roomOf(without).chat}: [bob] both`])
    expect(linked.hub.portals.all()).toHaveLength(1)
  })

  test('with one of two contacts that a link has together goes with that contact', async () => {
    const carl = msnChat('carl@x')
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hi'), message(carl, 'carl@x', 'hi'))
    await core.stop()
    const both = [contact('bob@x'), contact('carl@x'), channel('#both')]
    const linked = await start({ links: [both], folder: core.folder, clock: core.clock })
    expect(linked.hub.portals.all()).toHaveLength(1)
    await linked.stop()
    const one = await start({ links: [both.slice(1)], folder: core.folder, clock: core.clock })
    await one.say(message(carl, 'carl@x', 'not for the chat with bob'))
    expect(one.matrix.lines).toEqual([
      `${one.hub.portals.find(carl)?.portal.legs.at(-1)?.chat?.chat}: [carl] not for the chat with bob`,
    ])
    const requests = one.hub.portals.all().flatMap(({ legs }) => legs.map(({ request }) => request))
    expect(requests.flatMap((request) => (request.kind === 'portal' ? [request.with[0]?.user.user] : []))).toEqual([
      'carl@x',
    ])
  })

  test.each<[string, (core: Core) => Promise<unknown>, RegExp]>([
    ['without anybody', (core) => core.hub.startChat(relay.id, [], alice), /Whom/],
    ['where nobody lives', (core) => core.hub.startChat(relay.id, users('bob@x'), msnUser('zoe@x')), /link a channel/],
    ['of no account', (core) => core.hub.startChat('none' as never, users('bob@x'), alice), /no account none/],
  ])('%s is refused in words', async (_, work, words) => {
    expect(await work(await start())).toEqual({ kind: 'refused', detail: expect.stringMatching(words) })
  })

  test('of several while the account is away is refused in words', async () => {
    const core = await start()
    await core.goOffline(relay)
    expect(await core.hub.startChat(relay.id, users('bob@x', 'carol@x'), alice)).toMatchObject({
      detail: expect.stringMatching(/not connected/),
    })
  })
})

describe('a room that somebody made with ghosts in it', () => {
  const made = room('!made')

  test('becomes the chat with them, on disk', async () => {
    const core = await start()
    const claimed = await core.hub.claim({ by: alice, with: [msnUser('bob@x')], chat: made })
    expect(claimed).toMatchObject({ kind: 'claimed', request: { owner: '@alice:hs', account: 'relay', direct: true } })
    expect((await core.store.portals())[0]?.legs.map(({ chat }) => chat?.chat)).toEqual(['dm:bob@x', '!made'])
    await core.say(message(made, alice.user, 'hello'), message(bob, 'bob@x', 'hi'))
    expect(core.msn.lines).toEqual(['dm:bob@x: [alice] hello'])
    expect(said(core)).toEqual(['!made: [bob] hi'])
    expect(opened(core)).toEqual([])
  })

  test('with several becomes the chat of the group', async () => {
    const core = await start()
    const claimed = await core.hub.claim({ by: alice, with: [msnUser('bob@x'), msnUser('eve@x')], chat: made })
    expect(claimed).toMatchObject({ kind: 'claimed', request: { direct: false } })
    await core.say(message(made, alice.user, 'hello'))
    expect(core.msn.lines).toEqual(['group:bob@x+eve@x: [alice] hello'])
  })

  test('is told of the one that there is already', async () => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hello'))
    expect(await core.hub.claim({ by: alice, with: [msnUser('bob@x')], chat: made })).toEqual({
      kind: 'elsewhere',
      chat: roomOf(core),
    })
    expect(await core.hub.claim({ by: alice, with: [msnUser('eve@x')], chat: roomOf(core) })).toEqual({
      kind: 'refused',
      detail: 'This chat is linked already.',
    })
  })

  test('is one for two claims at the same time', async () => {
    const core = await start()
    const claims = [made, room('!other')].map((chat) =>
      core.hub.claim({ by: alice, with: [msnUser('bob@x')], chat }).then(({ kind }) => kind),
    )
    expect((await Promise.all(claims)).toSorted()).toEqual(['claimed', 'elsewhere'])
  })

  test('goes through the account that has them as a contact', async () => {
    const second = account('second', 'msn', 'alice', 'second@home.example')
    const core = await start({ more: [second] })
    await core.hub.accept({ ...listed('bob@x'), account: second.id })
    const claimed = await core.hub.claim({ by: alice, with: [msnUser('bob@x')], chat: made })
    expect(claimed).toMatchObject({ request: { account: 'second' } })
  })

  test('goes through the account that is named, if it is theirs', async () => {
    const second = account('second', 'msn', 'alice', 'second@home.example')
    const zoes = account('zoes', 'msn', 'zoe', 'zoe@home.example')
    const core = await start({ more: [second, zoes] })
    await core.hub.accept({ ...listed('bob@x'), account: relay.id })
    const claim = (through: Account) =>
      core.hub.claim({ by: alice, with: [msnUser('bob@x')], chat: made, account: through.id })
    expect(await claim(zoes)).toEqual({ kind: 'refused', detail: 'zoes is no account of yours there.' })
    expect(await claim(bot)).toEqual({ kind: 'refused', detail: 'bot is no account of yours there.' })
    expect(await claim(second)).toMatchObject({ request: { account: 'second' } })
  })

  test('is refused in words to somebody without an account', async () => {
    const core = await start()
    const by = { ...alice, user: '@zoe:hs' as UserId }
    expect(await core.hub.claim({ by, with: [msnUser('bob@x')], chat: made })).toEqual({
      kind: 'refused',
      detail: 'You have no account on msn: sign in first, with login.',
    })
  })
})

describe('a chat that is deleted', () => {
  test('is taken down, also when its network is away just now', async () => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hello'))
    const chat = roomOf(core)
    await core.goOffline(host)
    const [portal] = core.hub.portals.all()
    expect(await core.hub.deletePortal(portal?.id as PortalId)).toBe(true)
    await core.settle()
    expect(core.matrix.session(host).dropped).toEqual([])
    await core.crash()
    const again = await start({ folder: core.folder, clock: core.clock, offline: true })
    await again.goOnline(host)
    expect(again.matrix.session(host).dropped).toEqual([chat])
    await again.goOffline(host)
    await again.goOnline(host)
    expect(again.matrix.session(host).dropped).toHaveLength(1)
    expect(await again.hub.deletePortal(portal?.id as PortalId)).toBe(false)
  })

  test('gives up what waits, tells the sender, and begins anew with the next message', async () => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hello'))
    await core.goOffline(host)
    await core.say(message(bob, 'bob@x', 'lost'), message(bob, 'bob@x', 'too'))
    const [portal] = core.hub.portals.all()
    await core.hub.deletePortal(portal?.id as PortalId)
    await core.settle()
    expect(core.msn.lines).toEqual([
      'dm:bob@x: * 2 of your messages to the other side, from "lost" to "too", were not delivered: that chat is linked no more.',
    ])
    expect(core.hub.status().lanes).toEqual([])
    await core.goOnline(host)
    await core.say(message(bob, 'bob@x', 'new'))
    expect(core.hub.portals.all()[0]?.id).not.toBe(portal?.id)
    expect(core.matrix.lines.at(-1)).toBe(`${roomOf(core).chat}: [bob] new`)
  })

  test('gives up what waits for the contact', async () => {
    const core = await start({ limits: { laneWindow: 3 } })
    await core.say(message(bob, 'bob@x', 'hello'))
    await core.goOffline(relay)
    const words = Array.from({ length: 20 }, (_, index) => `n${index}`)
    await core.say(...words.map((word) => message(roomOf(core), alice.user, word)))
    await core.hub.deletePortal(core.hub.portals.all()[0]?.id as PortalId)
    await core.settle()
    await core.goOnline(relay)
    expect(core.msn.lines).toEqual([])
    expect(core.hub.status()).toMatchObject({ lanes: [], outcomes: { refused: 20 } })
  })

  test('is left also when its room is made in that very moment, or not known to be made before a crash', async () => {
    const made = Promise.withResolvers<undefined>()
    const core: Core = await start({
      matrix: {
        open: (request, of) => made.promise.then(() => ({ kind: 'opened', chat: core.matrix.chat(request, of) })),
      },
    })
    await core.say(message(bob, 'bob@x', 'hello'), message(msnChat('carl@x'), 'carl@x', 'hello'))
    const [first, second] = portals(core).map(({ portal }) => portal)
    await core.hub.deletePortal(first as PortalId)
    await core.settle()
    // The network has made it by now, but we never hear of that.
    await core.crash()
    const again = await start({ folder: core.folder, clock: core.clock })
    expect(again.matrix.session(host).dropped).toEqual([room(`portal:${first}`)])
    expect(await again.store.listMeta('drop:')).toEqual([])
    await again.hub.deletePortal(second as PortalId)
    await again.settle()
    expect(again.matrix.session(host).dropped).toContainEqual(room(`portal:${second}`))
  })

  test('is left when its room is made while the disk takes that it goes', async () => {
    const made = Promise.withResolvers<undefined>()
    const core: Core = await start({
      matrix: {
        open: (request, of) => made.promise.then(() => ({ kind: 'opened', chat: core.matrix.chat(request, of) })),
      },
    })
    await core.say(message(bob, 'bob@x', 'hello'))
    const chat = roomOf(core)
    const deleting = core.hub.deletePortal(portals(core)[0]?.portal as PortalId)
    made.resolve(undefined)
    await deleting
    await core.settle()
    expect(core.matrix.session(host).dropped).toEqual([chat])
    expect(await core.store.listMeta('drop:')).toEqual([])
  })

  test('gives up nothing of the one that begins meanwhile', async () => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hello'))
    const hung = Promise.withResolvers<undefined>()
    core.msn.behave = () => hung.promise.then(() => core.msn.done())
    await core.say(message(roomOf(core), alice.user, 'one'), message(roomOf(core), alice.user, 'given up'))
    await core.hub.deletePortal(core.hub.portals.all()[0]?.id as PortalId)
    await core.say(message(bob, 'bob@x', 'again'))
    await core.say(message(roomOf(core), alice.user, 'two'))
    hung.resolve(undefined)
    await core.settle()
    expect(core.msn.lines).toEqual(['dm:bob@x: [alice] one', 'dm:bob@x: [alice] two'])
    expect(core.hub.status().lanes).toEqual([])
  })

  test('stands in the config and is left alone', async () => {
    const core = await start({ links: [[contact('bob@x'), channel('#bob')]] })
    expect(await core.hub.deletePortal(core.hub.portals.all()[0]?.id as PortalId)).toBe(false)
  })
})

describe('one conversation at three places', () => {
  const three = async (): Promise<Core> => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hello'))
    expect(await core.hub.link([contact('bob@x'), channel('#bob')])).toMatchObject({ kind: 'linked' })
    await core.settle()
    return core
  }

  test('shows each message everywhere once, as the right person, in order', async () => {
    const core = await three()
    const all = [
      message(bob, 'bob@x', 'from msn'),
      message(roomOf(core), alice.user, 'from matrix', { senderName: 'Alice' }),
      message(ircChat('#bob'), 'carol', 'from irc'),
    ]
    for (let turn = 0; turn < 3; turn++)
      for (const one of all) await core.say({ ...one, id: `${one.id}${turn}` as MessageId })
    const { chat } = roomOf(core)
    const times = <Item>(...items: Item[]): Item[] => [...items, ...items, ...items]
    expect(core.msn.lines).toEqual(times('dm:bob@x: [Alice] from matrix', 'dm:bob@x: <carol> from irc'))
    expect(core.irc.lines).toEqual(times('#bob: <bob> from msn', '#bob: <Alice> from matrix'))
    expect(said(core).slice(1)).toEqual(times(`${chat}: [bob] from msn`, `${chat}: [carol] from irc`))
  })

  test('marks a message as delivered when it is at all of them', async () => {
    const core = await three()
    core.msn.behave = async () => ({ kind: 'retry', reason: 'offline', wait: 'recipient-online', detail: 'x' })
    const [one, two] = [message(roomOf(core), alice.user, 'one'), message(roomOf(core), alice.user, 'two')]
    await core.say(one, two)
    const marks = () => core.matrix.ops('delivery').map(({ outcome, target }) => [outcome, target])
    expect(core.irc.lines).toEqual(['#bob: <alice> one', '#bob: <alice> two'])
    expect(marks().toSorted()).toEqual(
      [
        ['waiting', one.id],
        ['waiting', two.id],
      ].toSorted(),
    )
    const results = [core.msn.done(), { kind: 'refused', reason: 'blocked', detail: 'x' } as const]
    core.msn.behave = async () => results.shift() ?? core.msn.done()
    await core.hub.accept({ kind: 'presence', account: relay.id, user: msnUser('bob@x'), state: { show: 'online' } })
    await core.settle()
    expect(marks().slice(2)).toEqual([
      ['delivered', one.id],
      ['refused', two.id],
    ])
    expect(core.hub.status().outcomes).toMatchObject({ delivered: 4, refused: 1 })
  })

  test('is never linked twice', async () => {
    const core = await three()
    const detail = async (...ends: Parameters<typeof core.hub.link>[0]) => await core.hub.link(ends)
    const made = { ...channel(roomOf(core).chat), network: 'matrix' as NetworkId, account: host.id }
    for (const ends of [
      [contact('bob@x'), channel('#other')],
      [contact('eve@x'), channel('#bob')],
      [contact('eve@x'), made],
      [contact('bob@x'), channel('#bob')],
    ])
      expect(await detail(...ends)).toMatchObject({ kind: 'refused', detail: expect.stringMatching(/already/) })
  })

  test('loses the channel when it is unlinked, and the bridge leaves it', async () => {
    const core = await three()
    const leg = core.hub.portals.findEnd(channel('#bob'))?.leg
    await core.hub.unlink(leg?.id as never)
    await core.settle()
    expect(core.irc.session(bot).dropped).toEqual([ircChat('#bob')])
    await core.say(message(bob, 'bob@x', 'alone'))
    expect(core.irc.lines).toEqual([])
    expect(core.matrix.lines.at(-1)).toBe(`${roomOf(core).chat}: [bob] alone`)
  })
})

describe('two people with the same contact', () => {
  const second = account('second', 'msn', 'zoe', 'second@home.example')
  const zoe: UserRef = { network: 'matrix' as NetworkId, user: '@zoe:hs' as UserId }
  const two = async (): Promise<Core> => {
    const core = await start({ more: [second], people: ['alice', 'bridge', 'zoe'] })
    await core.hub.identity.link(zoe, second.person)
    for (const one of [relay, second]) await core.hub.accept({ ...listed('bob@x'), account: one.id })
    await core.say(message(bob, 'bob@x', 'to alice'), message({ ...bob, account: second.id }, 'bob@x', 'to zoe'))
    return core
  }
  const seen = (one: typeof relay, show: 'online' | 'offline') =>
    ({ kind: 'presence', account: one.id, user: msnUser('bob@x'), state: { show } }) as const
  const shown = (core: Core) => core.matrix.ops('presence').map((op) => op.state.show)

  test('have a chat each', async () => {
    const core = await two()
    expect(portals(core).map(({ owner }) => owner)).toEqual(['@alice:hs', '@zoe:hs'])
    expect(core.matrix.lines).toEqual([
      `${roomOf(core, 0).chat}: [bob] to alice`,
      `${roomOf(core, 1).chat}: [bob] to zoe`,
    ])
  })

  test('see him once, as both of them do: a block is never leaked', async () => {
    const core = await two()
    await core.goOnline(relay)
    await core.goOnline(second)
    await core.hub.accept(seen(relay, 'online'))
    await core.settle()
    expect(shown(core)).toEqual([])
    await core.hub.accept(seen(second, 'online'))
    await core.settle()
    expect(shown(core)).toEqual(['online'])
    await core.hub.accept(seen(second, 'offline'))
    await core.settle()
    expect(shown(core)).toEqual(['online', 'offline'])
  })

  test('see him as the one who is signed in does, and no more when the other one signs in and is blocked', async () => {
    const core = await two()
    await core.goOnline(relay)
    await core.goOffline(second)
    await core.hub.accept(seen(relay, 'online'))
    await core.settle()
    await core.goOnline(second)
    await core.hub.accept({ ...listed('bob@x'), account: second.id })
    await core.clock.advance(10_000)
    expect(shown(core)).toEqual(['online', 'offline'])
    await core.goOffline(second)
    expect(shown(core)).toEqual(['online', 'offline', 'online'])
  })
})

describe('the presence of ghosts', () => {
  const see = (core: Core, show: 'online' | 'away' | 'offline', user = 'bob@x') =>
    core.hub.accept({ kind: 'presence', account: relay.id, user: msnUser(user), state: { show } })
  const shown = (core: Core) => core.matrix.ops('presence').map((op) => op.state.show)

  test('is told when their first chat is made, and once for all chats', async () => {
    const core = await start()
    await core.goOnline(relay)
    core.msn.session(relay).people.set(group.chat, users('bob@x', 'carol@x'))
    await core.hub.accept(listed('bob@x', 'carol@x'))
    await see(core, 'online')
    await core.settle()
    expect(shown(core)).toEqual([])
    await core.say(message(bob, 'bob@x', 'hello'), message(group, 'bob@x', 'all'))
    expect(core.matrix.ops('presence')).toEqual([
      { kind: 'presence', as: { kind: 'ghost', origin: msnUser('bob@x'), name: 'bob' }, state: { show: 'online' } },
    ])
    await see(core, 'away')
    await see(core, 'away', 'carol@x')
    await core.settle()
    expect(core.matrix.ops('presence')).toHaveLength(3)
  })

  test('is told again when their network was away, also who went meanwhile', async () => {
    const core = await start()
    for (const one of [relay, host]) await core.goOnline(one)
    await core.hub.accept(listed('bob@x', 'eve@x', 'zoe@x'))
    for (const name of ['bob@x', 'eve@x', 'zoe@x']) await core.say(message(msnChat(name), name, 'hello'))
    await see(core, 'online')
    await see(core, 'online', 'eve@x')
    await core.settle()
    await core.goOffline(host)
    await see(core, 'offline', 'eve@x')
    await core.settle()
    const before = core.matrix.ops('presence').length
    await core.goOnline(host)
    const again = core.matrix.ops('presence').slice(before)
    expect(again.map(({ as, state }) => [as.kind === 'ghost' && as.origin.user, state.show])).toEqual([
      ['bob@x', 'online'],
      ['eve@x', 'offline'],
    ])
  })

  test('ends when the session that sees them does', async () => {
    const core = await start()
    await core.goOnline(relay)
    await core.hub.accept(listed('bob@x'))
    await core.say(message(bob, 'bob@x', 'hello'))
    await see(core, 'online')
    await core.settle()
    await core.goOffline(relay)
    expect(shown(core)).toEqual(['online', 'offline'])
  })

  test('keeps the newest of a thousand that change at once', async () => {
    const core = await start()
    await core.goOnline(relay)
    const names = Array.from({ length: 1_000 }, (_, index) => `c${index}@x`)
    await core.hub.accept(listed(...names))
    for (const name of names) await core.hub.accept(message(msnChat(name), name, 'hello'))
    await core.settle()
    const ends: (() => void)[] = []
    core.matrix.behave = () => new Promise((resolve) => ends.push(() => resolve(core.matrix.done())))
    for (const show of ['online', 'away', 'online', 'away'] as const)
      for (const name of names) await see(core, show, name)
    core.matrix.behave = async () => core.matrix.done()
    await core.settle()
    for (const end of ends) end()
    for (let turn = 0; turn < 100; turn++) await core.settle()
    const last = new Map(
      core.matrix.ops('presence').map(({ as, state }) => [as.kind === 'ghost' && as.origin.user, state.show]),
    )
    expect([...last.values()].filter((show) => show === 'away')).toHaveLength(1_000)
    expect(core.matrix.ops('presence').length).toBeLessThan(1_010)
  }, 30_000)
})

describe('what the bridge says to its people', () => {
  const text = plain('bob@x wants to add you')

  test('comes to them where they live, in order and over restarts', async () => {
    const core = await start()
    await core.goOffline(host)
    await core.hub.tellPerson(relay.person, { kind: 'status', text, mention: true })
    await core.crash()
    const again = await start({ folder: core.folder, clock: core.clock })
    await again.hub.tellPerson(relay.person, { kind: 'status', text: plain('two') })
    await again.settle()
    expect(again.matrix.ops('status')).toEqual([
      { kind: 'status', text, mention: true, in: 'home:@alice:hs' },
      { kind: 'status', text: plain('two'), in: 'home:@alice:hs' },
    ])
  })

  test('is nothing for whom lives nowhere', async () => {
    const core = await startCore({ links: [] })
    await core.hub.tellPerson(relay.person, { kind: 'status', text })
    await core.settle()
    expect([core.hub.status().lanes, core.irc.delivered, core.msn.delivered]).toEqual([[], [], []])
  })

  test('after a crash is for them, and not for their contacts', async () => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hello'))
    await core.crash()
    const again = await start({ folder: core.folder, clock: core.clock })
    expect(again.matrix.lines).toEqual([expect.stringContaining('may be missing')])
    expect(again.msn.lines).toEqual([])
    await again.hub.announce(again.hub.portals.all()[0]?.id as PortalId, plain('down'))
    await again.settle()
    expect(again.msn.lines).toEqual([])
  })
})

describe('what is spoken of', () => {
  const quotable = async (): Promise<{ core: Core; first: EventId | string; native: MessageId }> => {
    const core = await start({ links: [[contact('bob@x'), channel('#bob')]] })
    await core.hub.startChat(relay.id, users('bob@x'), alice)
    await core.settle()
    const one = message(bob, 'bob@x', 'shall we meet?', { senderName: 'Bob' })
    const first = await core.hub.accept(one)
    await core.settle()
    return { core, first, native: 'matrix-1' as MessageId }
  }
  const inRoom = (core: Core) => ({ ...message(roomOf(core), alice.user, 'x', { senderName: 'Alice' }) })

  test('is quoted where the network cannot point at it', async () => {
    const { core, native } = await quotable()
    await core.say({ ...inRoom(core), replyTo: native })
    expect(core.msn.lines).toEqual(['dm:bob@x: [Alice] > Bob: shall we meet?\nx'])
    expect(core.irc.lines.at(-1)).toBe('#bob: <Alice> > Bob: shall we meet?\n<Alice> x')
  })

  test('is named in a reaction, which is taken back without a word', async () => {
    const { core, native } = await quotable()
    const { chat, sender, senderName, at } = inRoom(core)
    const base = { chat, sender, senderName: senderName ?? '', at }
    await core.hub.accept({ ...base, kind: 'reaction', target: native, key: '👍', id: 'r1' as MessageId })
    await core.hub.accept({ ...base, kind: 'redact', target: 'r1' as MessageId, id: 'r2' as MessageId })
    await core.hub.accept({ ...base, kind: 'redact', target: native, id: 'r3' as MessageId })
    await core.settle()
    expect(core.msn.lines).toEqual([
      'dm:bob@x: * * Alice reacted 👍 to "shall we meet?"',
      'dm:bob@x: * * Alice took back "shall we meet?"',
    ])
  })

  test('is taken back by its own name where the network knows reactions', async () => {
    const core = await start({ irc: { capabilities: ableCapabilities } })
    await core.say(message(bob, 'bob@x', 'hello'))
    await core.hub.link([contact('bob@x'), channel('#bob')])
    await core.settle()
    const one = message(ircChat('#bob'), 'carol', 'hi')
    await core.say(one)
    const { chat, sender, at } = one
    const base = { chat, sender, at }
    await core.hub.accept({ ...base, kind: 'reaction', target: one.id, key: '👍', id: 'r1' as MessageId })
    await core.hub.accept({ ...base, kind: 'redact', target: 'r1' as MessageId, id: 'r2' as MessageId })
    await core.settle()
    const reactionId = core.matrix.minted
    expect(core.matrix.ops('redact')).toMatchObject([{ target: `matrix-${reactionId - 1}`, reaction: true }])
  })
})

test('a file gets a link that anybody can open, and keeps it for a network that has files', async () => {
  const file = {
    network: 'matrix' as NetworkId,
    ref: 'mxc://hs/1',
    name: 'cat.png',
    media: 'image',
    size: 12_000,
  } as const
  const core = await start({ hub: { linkOf: ({ ref }, at) => `https://b/${encodeURIComponent(ref)}/${at}` } })
  await core.say(message(bob, 'bob@x', 'hello'))
  await core.say(message(roomOf(core), alice.user, { kind: 'file', file, text: plain('look') }))
  const url = `https://b/mxc%3A%2F%2Fhs%2F1/${core.clock.now()}`
  expect(core.msn.lines).toEqual([`dm:bob@x: [alice] look\nsends an image: cat.png (12 kB) ${url}`])
  await core.say(message(bob, 'bob@x', { kind: 'file', file: { ...file, network: 'msn' as NetworkId }, text: [] }))
  expect(core.matrix.ops('message').at(-1)?.body).toMatchObject({ kind: 'file', file: { url } })
  const [stored] = (await core.store.portals()).map(({ id }) => id)
  expect(stored).toBeDefined()
})

test('how our people are seen elsewhere is passed on, and not how we show them ourselves', async () => {
  const seen: unknown[] = []
  const core = await start({ hub: { ownPresence: (...args) => seen.push(args) } })
  const state = { show: 'busy', text: 'writing' } as const
  await core.hub.accept({ kind: 'presence', account: host.id, user: alice, state })
  await core.hub.accept({ kind: 'presence', account: relay.id, user: msnUser('relay@home.example'), state })
  await core.hub.accept({ kind: 'presence', account: relay.id, user: msnUser('bob@x'), state })
  expect(seen).toEqual([['alice', alice, state]])
})
