import { beforeEach, describe, expect, test } from 'vitest'
import type { ChatRequest } from '../../../bridge/adapter.ts'
import type { ChatId, PortalId, UserId } from '../../../bridge/model/ids.ts'
import type { Failure, Mxid, RoomId } from '../../../adapters/matrix/types.ts'
import { alice, bob, bobGhost, carol, carolGhost, matrix, portalOf, Town } from './town.ts'

const gone: Failure = { kind: 'unreachable', sent: true, detail: 'no answer' }
const home: ChatRequest = { kind: 'home', user: alice as string as UserId }

let town: Town
beforeEach(async () => {
  town = new Town()
  await town.service.start()
})

const open = (request: ChatRequest) => town.rooms.open(request, town.signal)
const openedRoom = async (request: ChatRequest): Promise<RoomId> => {
  const opened = await open(request)
  if (opened.kind !== 'opened') throw new Error(opened.detail)
  return town.service.table.byChat(opened.chat.chat)?.room ?? '!none'
}
const bodyOf = (part: string): unknown => town.homeserver.calls.find(({ path }) => path.includes(part))?.body
const portalRooms = () => [...town.service.table.all()].filter(({ kind }) => kind === 'portal')

describe('the room of a conversation for two', () => {
  test('is made by the bot, with the contact in it, who invites the owner as to a direct chat', async () => {
    const room = await openedRoom(portalOf())
    const { homeserver } = town
    expect(homeserver.membership(room, bobGhost)).toBe('join')
    expect(homeserver.state(room, 'm.room.member', alice)).toEqual({ membership: 'invite', is_direct: true })
    const invitation = homeserver.calls.find(({ path }) => path.includes(`m.room.member/${encodeURIComponent(alice)}`))
    expect(invitation?.as).toBe(bobGhost)
    expect(homeserver.state(room, 'm.room.name')).toBeUndefined()
    expect(homeserver.state(room, 'io.element.functional_members')).toEqual({ service_members: [homeserver.bot] })
    for (const type of ['m.bridge', 'uk.half-shot.bridge']) {
      expect(homeserver.state(room, type, 'org.msn-bridge://p1')).toMatchObject({
        bridgebot: homeserver.bot,
        network: { id: 'retro' },
        channel: { id: 'bob@example.com', displayname: 'Bob' },
        'org.msn-bridge.id': 'p1',
      })
    }
    expect(town.service.table.byRoom(room)).toMatchObject({ kind: 'portal', owner: alice, ownerIs: 'invited' })
  })

  test('has the bot among its levels in version 11 and not in version 12', async () => {
    const old = await openedRoom(portalOf())
    expect(town.homeserver.state(old, 'm.room.power_levels')?.['users']).toEqual({
      [town.homeserver.bot]: 100,
      [alice]: 50,
    })
    town.homeserver.features = { ...town.homeserver.features, roomVersion: '12' }
    const recent = await openedRoom(portalOf({ portal: 'p2' as PortalId }))
    expect(town.homeserver.state(recent, 'm.room.power_levels')?.['users']).toEqual({ [alice]: 50 })
    expect(town.homeserver.state(recent, 'm.room.create')?.['room_version']).toBe('12')
  })

  test('is named as its owner calls the contact, and as nothing when they do no more', async () => {
    const room = await openedRoom(portalOf({ title: 'Bobby' }))
    expect(town.homeserver.state(room, 'm.room.name')).toEqual({ name: 'Bobby' })
    const row = town.service.table.byRoom(room)!
    await town.rooms.title(row, 'Big B', town.signal)
    expect(town.homeserver.state(room, 'm.room.name')).toEqual({ name: 'Big B' })
    await town.rooms.title(row, 'B\0ig\nB\u202e', town.signal)
    expect(town.homeserver.state(room, 'm.room.name')).toEqual({ name: 'Big B' })
    await town.rooms.title(row, undefined, town.signal)
    expect(town.homeserver.state(room, 'm.room.name')).toEqual({})
    expect(town.service.table.byRoom(room)?.request).not.toHaveProperty('title')
  })

  test('is the same for the same portal, without a request, also after a restart', async () => {
    const first = await open(portalOf())
    await town.restart()
    const before = town.homeserver.calls.length
    expect(await open(portalOf())).toEqual(first)
    expect(town.homeserver.calls.length).toBe(before)
  })

  test('is made once, however many ask at the same time', async () => {
    const all = await Promise.all([open(portalOf()), open(portalOf()), open(portalOf())])
    expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1)
    expect(portalRooms()).toHaveLength(1)
    expect(town.homeserver.lines().filter((line) => line.endsWith('createRoom'))).toHaveLength(2)
  })

  test('is found again when the answer was lost, also over a crash', async () => {
    town.homeserver.failNext('createRoom', gone, true)
    town.homeserver.failNext('createRoom', gone, true)
    // The first lost answer is the space's, the second one the room's.
    expect(await open(portalOf())).toMatchObject({ kind: 'retry', reason: 'network' })
    expect(await open(portalOf())).toMatchObject({ kind: 'retry', reason: 'network' })
    await town.restart()
    const room = await openedRoom(portalOf())
    expect(town.homeserver.rooms.size).toBe(2)
    expect(town.homeserver.membership(room, alice)).toBe('invite')
    expect(town.bridge.stored.has('making/portal/p1')).toBe(false)
  })

  test('costs ten requests, the space with it', async () => {
    await open(portalOf())
    expect(town.homeserver.calls).toHaveLength(10)
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])(
    'is whole in the end when the answer to request %i is lost and the bridge crashes then',
    async (step) => {
      const real = town.homeserver.request.bind(town.homeserver)
      let left = step
      town.homeserver.request = async (call) => {
        const answer = await real<never>(call)
        return left-- === 0 ? { ok: false, failure: gone } : answer
      }
      expect((await open(portalOf())).kind).toBe('retry')
      town.homeserver.request = real
      await town.restart()
      const room = await openedRoom(portalOf())
      expect(town.homeserver.rooms.size).toBe(2)
      expect(town.homeserver.membership(room, bobGhost)).toBe('join')
      expect(town.homeserver.membership(room, alice)).toBe('invite')
      const space = town.service.spaces.of(alice, portalOf().account)!
      expect(town.homeserver.state(space, 'm.space.child', room)).toEqual({ via: ['example.org'] })
    },
  )

  test('whose owner cannot be invited is refused with the reason', async () => {
    town.homeserver.failNext(`m.room.member/${alice}`, {
      kind: 'refused',
      status: 403,
      errcode: 'M_FORBIDDEN',
      detail: 'no such user',
    })
    town.homeserver.failNext(`m.room.member/${alice}`, {
      kind: 'refused',
      status: 403,
      errcode: 'M_FORBIDDEN',
      detail: 'no such user',
    })
    expect(await open(portalOf())).toMatchObject({
      kind: 'refused',
      reason: 'forbidden',
      detail: expect.stringContaining('could not be invited: no such user'),
    })
  })

  test('that the homeserver does not make in this version names the setting', async () => {
    for (let time = 0; time < 2; time++) {
      town.homeserver.failNext('createRoom', {
        kind: 'refused',
        status: 400,
        errcode: 'M_UNSUPPORTED_ROOM_VERSION',
        detail: 'unsupported',
      })
    }
    expect(await open(portalOf())).toMatchObject({ kind: 'refused', detail: expect.stringContaining('room_version') })
  })

  test('waits as long as the homeserver says', async () => {
    town.homeserver.failNext('register', { kind: 'limited', retryAfterMs: 1234, detail: 'slow down' })
    expect(await open(portalOf())).toMatchObject({ kind: 'retry', reason: 'rate-limited', wait: 1234 })
  })

  test('that the homeserver encrypts by itself is said to be unreadable', async () => {
    const real = town.homeserver.request.bind(town.homeserver)
    town.homeserver.request = async (call) => {
      const answer = await real<never>(call)
      const room = [...town.homeserver.rooms.keys()].at(-1)
      if (call.path.endsWith('createRoom') && room !== undefined) {
        town.homeserver.event(room, 'm.room.encryption', town.homeserver.bot, { algorithm: 'm.megolm.v1' }, '')
      }
      return answer
    }
    const room = await openedRoom(portalOf())
    expect(town.service.table.byRoom(room)?.encrypted).toBe(true)
    expect(town.homeserver.said(room)).toEqual([expect.stringContaining('encrypts every new room')])
  })

  test('with a nameless group is called by its people', async () => {
    const group = portalOf({ direct: false, with: [portalOf().with[0]!, { user: carol, name: 'Carol' }] })
    const room = await openedRoom(group)
    expect(town.homeserver.state(room, 'm.room.name')).toEqual({ name: 'Bob, Carol' })
    expect(town.homeserver.membership(room, carolGhost)).toBe('join')
    // Not a direct chat: the bot invites.
    expect(town.homeserver.state(room, 'm.room.member', alice)).toEqual({ membership: 'invite' })
  })
})

describe('homes', () => {
  test('are made once for a person, and found again', async () => {
    const first = await open(home)
    expect(first).toEqual({ kind: 'opened', chat: { network: matrix, chat: alice } })
    await town.restart()
    expect(await open(home)).toEqual(first)
    expect(town.homeserver.count('createRoom')).toBe(1)
    expect(town.homeserver.state(town.service.table.homeOf(alice)!.room, 'm.room.member', alice)).toEqual({
      membership: 'invite',
      is_direct: true,
    })
  })

  test('move to another room under the same id', async () => {
    const old = await openedRoom(home)
    const next = town.homeserver.room(alice)
    town.homeserver.member(next, town.homeserver.bot, 'join')
    expect(await town.rooms.setHome(alice, next)).toEqual({ kind: 'done' })
    expect(town.service.table.homeOf(alice)).toMatchObject({ chat: alice, room: next })
    expect(town.homeserver.membership(old, town.homeserver.bot)).toBe('leave')
    expect(town.service.table.byRoom(old)).toBeUndefined()
  })

  test('are not made of rooms that are bridged', async () => {
    const room = await openedRoom(portalOf())
    expect(await town.rooms.setHome(alice, room)).toMatchObject({ kind: 'refused' })
  })

  test('say what a person must know, once for an id', async () => {
    await town.rooms.tell(alice, 'sign in again', 'x')
    await town.rooms.tell(alice, 'sign in again', 'x')
    expect(town.homeserver.said(town.service.table.homeOf(alice)!.room)).toEqual([
      `${town.homeserver.bot}: sign in again`,
    ])
  })
})

describe('rooms that are linked', () => {
  const channel = (name: string): ChatRequest => ({ kind: 'channel', name: name as ChatId })
  let room: RoomId
  beforeEach(() => {
    room = town.homeserver.room(alice, { state: [['m.room.join_rules', '', { join_rule: 'public' }]] })
    town.homeserver.aliases.set('#pub:example.org', room)
  })

  test('are joined by the bot, and remembered by their alias', async () => {
    const first = await open(channel('#pub:example.org'))
    expect(first).toEqual({ kind: 'opened', chat: { network: matrix, chat: room } })
    await town.restart()
    const before = town.homeserver.calls.length
    expect(await open(channel('#pub:example.org'))).toEqual(first)
    expect(town.homeserver.calls.length).toBe(before)
  })

  test('are never two chats, not even when both names of a room are opened at the same time', async () => {
    const both = await Promise.all([open(channel('#pub:example.org')), open(channel(room))])
    expect(both.map(({ kind }) => kind).toSorted()).toEqual(['opened', 'refused'])
    for (const name of ['#pub:example.org', room]) await open(channel(name))
    expect([...town.service.table.all()]).toHaveLength(1)
  })

  test('are never two chats', async () => {
    await open(channel('#pub:example.org'))
    expect(await open(channel(room))).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('a room is never bridged twice'),
    })
    const portal = await openedRoom(portalOf())
    expect(await open(channel(portal))).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('a room is never bridged twice'),
    })
    expect(await open(channel(await openedRoom(home)))).toMatchObject({ kind: 'refused' })
  })

  test.each([
    ['#nowhere:example.org', 'not-found', 'check how it is written'],
    ['!secret', 'forbidden', 'invite it there'],
  ])('%s is refused as %s', async (name, reason, words) => {
    town.homeserver.aliases.set('!secret', town.homeserver.room(alice))
    expect(await open(channel(name))).toMatchObject({ kind: 'refused', reason, detail: expect.stringContaining(words) })
  })

  test('are refused where they are encrypted', async () => {
    town.homeserver.event(room, 'm.room.encryption', alice, { algorithm: 'm.megolm.v1' }, '')
    expect(await open(channel(room))).toMatchObject({ kind: 'refused', reason: 'unsupported' })
    expect(town.homeserver.membership(room, town.homeserver.bot)).toBe('leave')
  })

  test('are left with all ghosts when they are linked no more, and may be linked again', async () => {
    await open(channel(room))
    await town.service.ghosts.enter(bob, 'Bob', room)
    await town.rooms.drop(room as string as ChatId)
    expect(town.homeserver.membership(room, bobGhost)).toBe('leave')
    expect(town.homeserver.membership(room, town.homeserver.bot)).toBe('leave')
    expect(town.homeserver.membership(room, alice)).toBe('join')
    expect(town.service.table.byRoom(room)).toBeUndefined()
    expect((await open(channel(room))).kind).toBe('opened')
  })
})

describe('rooms that are given up', () => {
  test('of a conversation are emptied and leave the space', async () => {
    const room = await town.portal()
    const space = town.service.spaces.of(alice, portalOf().account)!
    expect(town.homeserver.state(space, 'm.space.child', room)).toEqual({ via: ['example.org'] })
    await town.rooms.drop(room as string as ChatId)
    for (const user of [alice, bobGhost, town.homeserver.bot]) {
      expect(town.homeserver.membership(room, user)).toBe('leave')
    }
    expect(town.homeserver.state(space, 'm.space.child', room)).toEqual({})
    expect([...town.bridge.stored.keys()].filter((key) => key.includes(room))).toEqual([])
  })

  test('are taken down after a crash in the middle', async () => {
    const room = await town.portal()
    town.homeserver.failNext('/leave', { kind: 'aborted', detail: 'the bridge is stopping' })
    const drop = town.rooms.drop(room as string as ChatId)
    await town.clock.settle()
    await town.restart()
    await drop
    expect(town.homeserver.membership(room, town.homeserver.bot)).toBe('join')
    expect(town.service.table.byRoom(room)).toBeUndefined()
    await town.rooms.resume()
    expect(town.homeserver.membership(room, town.homeserver.bot)).toBe('leave')
    expect([...town.bridge.stored.keys()].filter((key) => key.includes(room))).toEqual([])
  })
})

describe('a room that somebody wants set right', () => {
  test('has everybody of ours in it again, with its marks', async () => {
    const room = await town.portal()
    const row = town.service.table.byRoom(room)!
    town.homeserver.member(room, bobGhost, 'leave', alice)
    town.homeserver.event(room, 'm.bridge', alice, {}, 'org.msn-bridge://p1')
    expect(await town.rooms.sync(row, town.signal)).toBe('Done.')
    expect(town.homeserver.membership(room, bobGhost)).toBe('join')
    expect(town.homeserver.state(room, 'm.bridge', 'org.msn-bridge://p1')).toMatchObject({
      channel: { displayname: 'Bob' },
    })
    town.homeserver.member(room, bobGhost, 'ban', alice)
    expect(await town.rooms.sync(row, town.signal)).toMatch(/^Not all of it could be done: .*unban/)
  })
})

describe('an owner who has left', () => {
  const leave = async (room: RoomId): Promise<void> => {
    await town.act(town.homeserver.member(room, alice, 'leave'))
  }
  const ready = (room: RoomId) => town.rooms.ready(town.service.table.byRoom(room)!.chat, town.signal)

  test('is invited back once, and after a no, not again', async () => {
    const room = await town.portal()
    await leave(room)
    expect(town.homeserver.membership(room, alice)).toBe('leave')
    await ready(room)
    await ready(room)
    expect(town.homeserver.membership(room, alice)).toBe('invite')
    const invitations = town.homeserver.count(`m.room.member/${alice}`)
    await leave(room)
    expect(town.service.table.byRoom(room)?.ownerIs).toBe('declined')
    expect(await ready(room)).toMatchObject({ kind: 'ready' })
    expect(town.homeserver.count(`m.room.member/${alice}`)).toBe(invitations)
    expect(town.homeserver.said(town.service.table.homeOf(alice)!.room)).toEqual([
      expect.stringContaining('"start-chat" brings you back'),
    ])
  })

  test('is invited again by a command, and for a new departure', async () => {
    const room = await town.portal()
    await leave(room)
    await ready(room)
    await leave(room)
    // What `start-chat` comes to, for a chat that is there.
    await town.rooms.open(town.service.table.byRoom(room)!.request!, town.signal)
    expect(town.homeserver.membership(room, alice)).toBe('invite')
    await town.act(town.homeserver.member(room, alice, 'join'))
    await leave(room)
    await ready(room)
    expect(town.homeserver.membership(room, alice)).toBe('invite')
  })

  test('is asked again when the homeserver did not answer', async () => {
    const room = await town.portal()
    await leave(room)
    town.homeserver.failNext(`m.room.member/${alice}`, gone)
    expect(await ready(room)).toMatchObject({ kind: 'retry' })
    expect(await ready(room)).toMatchObject({ kind: 'ready' })
    expect(town.homeserver.membership(room, alice)).toBe('invite')
  })
})

describe('spaces', () => {
  const whose = {
    owner: alice,
    account: portalOf().account,
    network: bob.network,
    login: 'alice@example.com',
  }

  test('are made once for an account, and the owner invited that one time', async () => {
    await Promise.all([town.service.spaces.ensure(whose, town.signal), town.service.spaces.ensure(whose, town.signal)])
    const space = town.service.spaces.of(alice, whose.account)!
    expect(town.homeserver.membership(space, alice)).toBe('invite')
    expect(bodyOf('createRoom')).toMatchObject({
      name: 'MSN retro (alice@example.com)',
      creation_content: { type: 'm.space' },
    })
    town.homeserver.member(space, alice, 'leave')
    await town.restart()
    await town.service.spaces.ensure(whose, town.signal)
    await town.portal()
    expect(town.homeserver.membership(space, alice)).toBe('leave')
    expect(town.homeserver.lines().filter((line) => line.endsWith('createRoom'))).toHaveLength(2)
  })

  test('are not made where the config wants none', async () => {
    town = new Town({ withSpaces: false })
    expect(await town.service.spaces.ensure(whose, town.signal)).toEqual({ ok: true, value: undefined })
    await town.portal()
    expect(town.homeserver.rooms.size).toBe(1)
  })
})

describe('people who let us speak for them', () => {
  const mallory: Mxid = '@mallory:example.org'
  const box = {
    seal: (text: string, use: string) => `${use}|${Buffer.from(text).toString('base64')}`,
    open: (text: string, use: string) =>
      text.startsWith(`${use}|`) ? Buffer.from(text.slice(use.length + 1), 'base64').toString() : undefined,
  }
  beforeEach(async () => {
    town = new Town({ box })
    town.homeserver.tokens.set('alices-token', alice)
    await town.service.start()
  })

  test('are in their rooms at once, which are in the list of their direct chats', async () => {
    expect(await town.service.puppets.login(alice, 'alices-token')).toMatchObject({ kind: 'done' })
    town.homeserver.accountData.set(`${alice} m.direct`, { '@dan:example.org': ['!d'] })
    const room = await openedRoom(portalOf())
    expect(town.homeserver.membership(room, alice)).toBe('join')
    expect(town.service.table.byRoom(room)?.ownerIs).toBe('in')
    expect(town.homeserver.accountData.get(`${alice} m.direct`)).toEqual({
      '@dan:example.org': ['!d'],
      [bobGhost]: [room],
    })
  })

  test('have their token on disk only sealed, and it is there after a restart', async () => {
    await town.service.puppets.login(alice, 'alices-token')
    expect(JSON.stringify([...town.bridge.stored])).not.toContain('alices-token')
    await town.restart()
    expect(town.service.puppets.of(alice)).toEqual({ kind: 'token', token: 'alices-token' })
  })

  test('are told that a token is not kept where there is no key', async () => {
    town = new Town()
    town.homeserver.tokens.set('alices-token', alice)
    expect(await town.service.puppets.login(alice, 'alices-token')).toMatchObject({
      kind: 'done',
      detail: expect.stringContaining('until the bridge is restarted'),
    })
    expect(town.bridge.stored.size).toBe(0)
  })

  test('cannot give the token of somebody else, nor one that is none', async () => {
    expect(await town.service.puppets.login(mallory, 'alices-token')).toMatchObject({ kind: 'refused' })
    expect(await town.service.puppets.login(alice, 'nonsense')).toMatchObject({ kind: 'refused' })
    expect(town.service.puppets.of(mallory)).toBeUndefined()
  })

  test('learn that their token is accepted no more, once', async () => {
    await town.service.puppets.login(alice, 'alices-token')
    town.homeserver.tokens.clear()
    const room = await openedRoom(portalOf())
    expect(town.homeserver.membership(room, alice)).toBe('invite')
    await town.service.puppets.failed(alice)
    expect(town.service.puppets.of(alice)).toBeUndefined()
    expect(town.homeserver.said(town.service.table.homeOf(alice)!.room)).toEqual([
      expect.stringContaining('"login-matrix"'),
    ])
    expect(await town.service.puppets.logout(alice)).toMatchObject({ kind: 'refused' })
  })

  test('are all people of the domain where an application service covers them, and nobody else', () => {
    town = new Town({ everybody: { kind: 'token', token: 'as' } })
    expect(town.service.puppets.by(alice)).toEqual({ as: alice, token: 'as' })
    for (const other of ['@dan:elsewhere.org', bobGhost, town.homeserver.bot] as const) {
      expect(town.service.puppets.by(other)).toBeUndefined()
    }
  })
})
