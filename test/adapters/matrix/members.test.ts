import { beforeEach, describe, expect, test } from 'vitest'
import type { ChatId, PortalId, UserId } from '../../../bridge/model/ids.ts'
import type { Mxid, RoomEvent, RoomId } from '../../../adapters/matrix/types.ts'
import { alice, bob, bobGhost, carol, carolGhost, matrix, portalOf, Town } from './town.ts'

const dan: Mxid = '@dan:example.org'
const refOf = (user: Mxid) => ({ network: matrix, user })
const group = portalOf({
  direct: false,
  with: [
    { user: bob, name: 'Bob' },
    { user: carol, name: 'Carol' },
  ],
})

let town: Town
let bot: Mxid
beforeEach(async () => {
  town = new Town()
  bot = town.homeserver.bot
  await town.service.start()
})

const rowOf = (room: RoomId) => town.service.table.byRoom(room)
const homeSays = (user: Mxid = alice): readonly string[] => {
  const home = town.service.table.homeOf(user)
  return home === undefined ? [] : town.homeserver.said(home.room)
}
const linked = async (): Promise<RoomId> => {
  const room = town.homeserver.room(dan, { state: [['m.room.join_rules', '', { join_rule: 'public' }]] })
  await town.rooms.open({ kind: 'channel', name: room as string as ChatId }, town.signal)
  return room
}

describe('people in a group', () => {
  test.each([
    ['joins', (room: RoomId) => town.homeserver.member(room, dan, 'join'), 'join', dan],
    ['is invited', (room: RoomId) => town.homeserver.member(room, dan, 'invite', alice), 'invite', alice],
  ])('somebody who %s is told to the other side', async (_, happen, change, sender) => {
    const room = await town.portal(group)
    town.bridge.events.length = 0
    const event = happen(room)
    expect(await town.act(event)).toBe('done')
    expect(town.bridge.events).toEqual([
      {
        kind: 'member',
        id: event.event_id,
        at: event.origin_server_ts,
        chat: { network: matrix, chat: room },
        sender: refOf(sender),
        user: refOf(dan),
        change,
      },
    ])
  })

  test('names and reasons are one clean line on the other side', async () => {
    const room = await town.portal(group)
    town.bridge.events.length = 0
    const event = town.homeserver.member(room, dan, 'leave', alice)
    const content = { ...event.content, displayname: 'Dan\r\n<bob> hi\u202e', reason: `\0bye\n${'x'.repeat(5_000)}` }
    await town.act({ ...event, content })
    const [told] = town.bridge.events
    expect(told).toMatchObject({ kind: 'member', change: 'kick', userName: 'Dan <bob> hi' })
    expect(told?.kind === 'member' ? told.reason : undefined).toMatch(/^bye x{1,200}…$/)
  })

  test('the owner who leaves is told, and noted', async () => {
    const room = await town.portal(group)
    await town.act(town.homeserver.member(room, alice, 'leave'))
    expect(town.bridge.events.at(-1)).toMatchObject({ kind: 'member', change: 'leave', user: refOf(alice) })
    expect(rowOf(room)?.ownerIs).toBe('left')
  })

  test('a new name, an invitation that is declined and the end of a ban are nothing', async () => {
    const room = await town.portal(group)
    town.bridge.events.length = 0
    await town.act(town.homeserver.member(room, alice, 'join'))
    town.homeserver.member(room, dan, 'invite', alice)
    await town.act(town.homeserver.member(room, dan, 'leave'))
    town.homeserver.member(room, dan, 'ban', alice)
    await town.act(town.homeserver.member(room, dan, 'leave', alice))
    expect(town.bridge.events).toEqual([])
  })

  test('inviting a ghost calls the person, and who is called is let in when they come', async () => {
    const room = await town.portal(portalOf({ direct: false }))
    town.bridge.events.length = 0
    await town.service.ghosts.ensure(carol, 'Carol')
    const calls = town.homeserver.calls.length
    await town.act(town.homeserver.member(room, carolGhost, 'invite', alice))
    expect(town.bridge.events).toMatchObject([{ kind: 'member', change: 'invite', user: carol, sender: refOf(alice) }])
    expect(town.homeserver.membership(room, carolGhost)).toBe('invite')
    await town.service.ghosts.enter(carol, 'Carol', room)
    expect(town.homeserver.lines(calls)).toEqual([`POST /_matrix/client/v3/join/${room}`])
  })

  test('somebody of the group who has gone is called again, not only let in', async () => {
    const room = await town.portal(group)
    await town.service.ghosts.leave(carol, room)
    town.bridge.events.length = 0
    await town.act(town.homeserver.member(room, carolGhost, 'invite', alice))
    expect(town.bridge.events).toMatchObject([{ kind: 'member', change: 'invite', user: carol }])
    expect(town.homeserver.membership(room, carolGhost)).toBe('invite')
  })

  test('a person of another network cannot be invited', async () => {
    const room = await town.portal(group)
    town.bridge.events.length = 0
    const joe: Mxid = '@msn_libera_joe:example.org'
    await town.act(town.homeserver.member(room, joe, 'invite', alice))
    expect(town.bridge.events).toEqual([])
    expect(town.homeserver.membership(room, joe)).toBe('leave')
    expect(town.homeserver.said(room)).toEqual([expect.stringContaining('joe is on another network')])
  })

  test.each(['direct', 'group'] as const)('nobody but the owner calls people: %s', async (kind) => {
    const room = await town.portal(kind === 'direct' ? portalOf() : portalOf({ direct: false }))
    town.homeserver.member(room, dan, 'join')
    town.bridge.events.length = 0
    for (const grant of ['none', 'relay', 'user'] as const) {
      town.roles.set(dan, grant)
      await town.act(town.homeserver.member(room, carolGhost, 'invite', dan))
      expect(town.bridge.events).toEqual([])
      // Taken back, though nobody has made a user for her.
      expect(town.homeserver.membership(room, carolGhost)).toBe('leave')
      expect(town.homeserver.said(room).at(-1)).toContain('Nobody was invited on the other side')
    }
    town.roles.set(dan, 'admin')
    await town.act(town.homeserver.member(room, carolGhost, 'invite', dan))
    expect(town.bridge.events).toMatchObject([{ kind: 'member', change: 'invite', user: carol }])
  })

  test('a ghost that is kicked is told, and comes back when it has something to say, but not when it is banned', async () => {
    const room = await town.portal(group)
    town.bridge.events.length = 0
    await town.act(town.homeserver.member(room, bobGhost, 'leave', alice))
    expect(town.bridge.events).toMatchObject([{ kind: 'member', change: 'kick', user: bob, sender: refOf(alice) }])
    expect((await town.service.ghosts.enter(bob, 'Bob', room)).ok).toBe(true)
    await town.act(town.homeserver.member(room, bobGhost, 'ban', alice))
    expect(await town.service.ghosts.enter(bob, 'Bob', room)).toMatchObject({ ok: false, failure: { kind: 'refused' } })
  })

  test('what we did ourselves is told to nobody', async () => {
    const room = await town.portal(group)
    town.bridge.events.length = 0
    await town.act(town.homeserver.member(room, carolGhost, 'leave'))
    await town.act(town.homeserver.member(room, carolGhost, 'invite', bot))
    await town.act(town.homeserver.member(room, carolGhost, 'join'))
    await town.act(town.homeserver.member(room, dan, 'invite', bot))
    expect(town.bridge.events).toEqual([])
    expect(town.service.ghosts.inRoom(room)).toContain(carolGhost)
  })
})

describe('a room for two', () => {
  test('stays one: another ghost is called elsewhere, and that is said', async () => {
    const room = await town.portal()
    town.bridge.events.length = 0
    await town.service.ghosts.ensure(carol, 'Carol')
    await town.act(town.homeserver.member(room, carolGhost, 'invite', alice))
    expect(town.bridge.events).toMatchObject([{ kind: 'member', change: 'invite', user: carol }])
    expect(town.homeserver.membership(room, carolGhost)).toBe('leave')
    expect(town.homeserver.said(room)).toEqual([expect.stringContaining('goes on in a room of its own')])
  })

  test('tells the other side nothing when its owner goes, and lets its own ghost back in', async () => {
    const room = await town.portal()
    town.bridge.events.length = 0
    await town.act(town.homeserver.member(room, alice, 'leave'))
    expect(town.bridge.events).toEqual([])
    await town.service.ghosts.leave(bob, room)
    await town.act(town.homeserver.member(room, bobGhost, 'invite', alice))
    expect(town.homeserver.membership(room, bobGhost)).toBe('join')
  })
})

describe('the bot', () => {
  test('that is invited by somebody alone has a home with them', async () => {
    const room = town.homeserver.room(alice)
    await town.act(town.homeserver.member(room, bot, 'invite', alice))
    expect(town.service.table.homeOf(alice)).toMatchObject({ room, ownerIs: 'in' })
    expect(town.greeted).toEqual([[alice, room]])
    const newer = town.homeserver.room(alice)
    const invitation = town.homeserver.member(newer, bot, 'invite', alice)
    await town.act({ ...invitation, content: { ...invitation.content, is_direct: true } })
    expect(town.service.table.homeOf(alice)?.room).toBe(newer)
    expect(town.homeserver.membership(room, bot)).toBe('leave')
  })

  test('keeps the home that works, when it is invited to a room that is for something else', async () => {
    const room = town.homeserver.room(alice)
    await town.act(town.homeserver.member(room, bot, 'invite', alice))
    const other = town.homeserver.room(alice)
    await town.act(town.homeserver.member(other, bot, 'invite', alice))
    expect(town.service.table.homeOf(alice)?.room).toBe(room)
    expect(rowOf(other)).toBeUndefined()
    expect(town.homeserver.membership(room, bot)).toBe('join')
    expect(town.greeted).toEqual([
      [alice, room],
      [alice, other],
    ])
  })

  test.each([{ ownerIs: 'left' }, { ownerIs: 'declined' }, { encrypted: true }] as const)(
    'takes a new home where the old one is of no use: %j',
    async (facts) => {
      const room = town.homeserver.room(alice)
      await town.act(town.homeserver.member(room, bot, 'invite', alice))
      await town.service.table.change(alice as string as ChatId, facts)
      const newer = town.homeserver.room(alice)
      await town.act(town.homeserver.member(newer, bot, 'invite', alice))
      expect(town.service.table.homeOf(alice)?.room).toBe(newer)
    },
  )

  test('has no home in a space', async () => {
    const space = town.homeserver.room(alice)
    town.homeserver.event(space, 'm.room.create', alice, { type: 'm.space' }, '')
    await town.act(town.homeserver.member(space, bot, 'invite', alice))
    expect(town.homeserver.membership(space, bot)).toBe('join')
    expect(town.service.table.homeOf(alice)).toBeUndefined()
    expect(town.greeted).toEqual([])
  })

  test('that is invited to a room of several is no home there', async () => {
    const room = town.homeserver.room(alice)
    town.homeserver.member(room, dan, 'join')
    await town.act(town.homeserver.member(room, bot, 'invite', alice))
    expect(town.homeserver.membership(room, bot)).toBe('join')
    expect(town.service.table.homeOf(alice)).toBeUndefined()
    expect(town.greeted).toEqual([[alice, room]])
  })

  test('declines the invitation of somebody who may not use it', async () => {
    town.roles.set(dan, 'none')
    const room = town.homeserver.room(dan)
    await town.act(town.homeserver.member(room, bot, 'invite', dan))
    expect(town.homeserver.membership(room, bot)).toBe('leave')
    expect(town.greeted).toEqual([])
  })

  test('says so when it cannot read the room', async () => {
    const room = town.homeserver.room(alice, { state: [['m.room.encryption', '', { algorithm: 'm.megolm.v1' }]] })
    await town.act(town.homeserver.member(room, bot, 'invite', alice))
    expect(town.homeserver.said(room)).toEqual([expect.stringContaining('does not reach me')])
    expect(town.greeted).toEqual([])
  })

  test('that is removed from a conversation says so, and the conversation goes on', async () => {
    const room = await town.portal()
    await town.act(town.homeserver.member(room, bot, 'leave', alice))
    expect(rowOf(room)?.botOut).toBe(true)
    expect(homeSays()).toEqual([expect.stringContaining('I was removed from the room with Bob')])
    expect(await town.rooms.ready(room as string as ChatId, town.signal)).toMatchObject({ kind: 'ready' })
    await town.act(town.homeserver.member(room, bot, 'invite', alice))
    expect(town.homeserver.membership(room, bot)).toBe('join')
    expect(rowOf(room)?.botOut).toBe(false)
  })

  test('that is removed from a linked room takes the ghosts along, and waits to be invited', async () => {
    const room = await linked()
    await town.rooms.open({ kind: 'home', user: dan as string as UserId }, town.signal)
    await town.service.ghosts.enter(bob, 'Bob', room)
    await town.act(town.homeserver.member(room, bot, 'leave', dan))
    expect(town.homeserver.membership(room, bobGhost)).toBe('leave')
    expect(await town.rooms.ready(room as string as ChatId, town.signal)).toMatchObject({
      kind: 'refused',
      reason: 'forbidden',
      detail: expect.stringContaining('invite its bot'),
    })
    expect(homeSays(dan)).toEqual([expect.stringContaining('Nothing is bridged there')])
    await town.act(town.homeserver.member(room, bot, 'invite', dan))
    expect(await town.rooms.ready(room as string as ChatId, town.signal)).toMatchObject({ kind: 'ready' })
  })

  test('that is removed from a home makes another when it has something to say', async () => {
    await town.rooms.open({ kind: 'home', user: alice as string as UserId }, town.signal)
    const room = town.service.table.homeOf(alice)!.room
    await town.act(town.homeserver.member(room, bot, 'leave', alice))
    expect(town.service.table.homeOf(alice)).toBeUndefined()
    await town.rooms.tell(alice, 'news', 'n')
    expect(homeSays()).toEqual([`${bot}: news`])
  })
})

describe('somebody who invites ghosts to a room of their own', () => {
  const invite = (room: RoomId, ...ghosts: readonly Mxid[]): readonly RoomEvent[] =>
    ghosts.map((ghost) => town.homeserver.member(room, ghost, 'invite', alice))
  const claimed = portalOf({ portal: 'p9' as PortalId })
  beforeEach(() => {
    town.claim = () => Promise.resolve({ kind: 'claimed', request: claimed })
  })

  test('has a conversation there: with the bot, its marks and its place in the space', async () => {
    const room = town.homeserver.room(alice)
    town.homeserver.event(
      room,
      'm.room.power_levels',
      alice,
      { users: { [alice]: 100, [bobGhost]: 100 }, invite: 0 },
      '',
    )
    const said = town.homeserver.event(room, 'm.room.message', alice, { body: 'hello' })
    const [event] = invite(room, bobGhost)
    expect(await town.act(event!)).toBe('done')
    expect(town.claims).toEqual([{ by: refOf(alice), with: [bob], chat: { network: matrix, chat: room } }])
    expect(rowOf(room)).toMatchObject({ kind: 'portal', owner: alice, ownerIs: 'in', request: claimed })
    expect(town.homeserver.membership(room, bobGhost)).toBe('join')
    expect(town.homeserver.membership(room, bot)).toBe('join')
    expect(town.homeserver.state(room, 'm.room.power_levels')?.['users']).toMatchObject({ [bot]: 100 })
    expect(town.homeserver.state(room, 'm.bridge', 'org.msn-bridge://p9')).toBeDefined()
    expect(town.homeserver.state(town.service.spaces.of(alice, claimed.account)!, 'm.space.child', room)).toBeDefined()
    expect(town.missed).toEqual([said])
    const before = town.homeserver.calls.length
    expect(await town.rooms.open(claimed, town.signal)).toEqual({
      kind: 'opened',
      chat: { network: matrix, chat: room },
    })
    expect(town.homeserver.calls.length).toBe(before)
  })

  test('has it even where the ghost may change nothing', async () => {
    const room = town.homeserver.room(alice)
    town.homeserver.event(room, 'm.room.power_levels', alice, { users: { [alice]: 100 }, invite: 50 }, '')
    const [event] = invite(room, bobGhost)
    await town.act(event!)
    expect(rowOf(room)).toMatchObject({ kind: 'portal', botOut: true })
    expect(town.homeserver.membership(room, bobGhost)).toBe('join')
  })

  test('has a group with all of them', async () => {
    town.claim = () => Promise.resolve({ kind: 'claimed', request: { ...group, portal: claimed.portal } })
    const room = town.homeserver.room(alice)
    const [first, second] = invite(room, bobGhost, carolGhost)
    await town.service.ghosts.ensure(carol, 'Carol')
    await town.act(first!)
    expect(town.claims.map(({ with: people }) => people)).toEqual([[bob, carol]])
    expect(town.homeserver.membership(room, carolGhost)).toBe('join')
    town.bridge.events.length = 0
    await town.act(second!)
    expect(town.claims).toHaveLength(1)
    expect(town.bridge.events).toEqual([])
  })

  test('is told where the conversation is already', async () => {
    const there = await town.portal()
    await town.act(town.homeserver.member(there, alice, 'leave'))
    town.claim = () =>
      Promise.resolve({ kind: 'elsewhere', chat: { network: matrix, chat: there as string as ChatId } })
    const room = town.homeserver.room(alice)
    const [event] = invite(room, bobGhost)
    await town.act(event!)
    expect(town.homeserver.said(room)).toEqual([expect.stringContaining(`https://matrix.to/#/${there}`)])
    expect(town.homeserver.membership(room, bobGhost)).toBe('leave')
    expect(town.homeserver.membership(there, alice)).toBe('invite')
    expect(rowOf(room)).toBeUndefined()
  })

  test.each(['none', 'relay'] as const)('has nobody come who may not use the bridge: %s', async (grant) => {
    town.roles.set(alice, grant)
    const room = town.homeserver.room(alice)
    const [event] = invite(room, bobGhost)
    const before = town.homeserver.calls.length
    await town.act(event!)
    expect(town.claims).toEqual([])
    expect(town.homeserver.said(room)).toEqual([])
    expect(town.homeserver.lines(before).filter((line) => /register|join/.test(line))).toEqual([])
    expect(town.service.ghosts.size).toBe(0)
  })

  test('is told why not', async () => {
    town.claim = () => Promise.resolve({ kind: 'refused', detail: 'sign in first' })
    const room = town.homeserver.room(alice)
    const [event] = invite(room, bobGhost)
    await town.act(event!)
    expect(town.homeserver.said(room)).toEqual([`${bobGhost}: sign in first`])
    expect(town.homeserver.membership(room, bobGhost)).toBe('leave')
    expect([...town.bridge.stored.keys()].filter((key) => key.startsWith('claiming/'))).toEqual([])
  })

  test.each([
    ['others are there', (room: RoomId) => town.homeserver.member(room, dan, 'join'), 'Other people are in this room'],
    [
      'it is encrypted',
      (room: RoomId) => town.homeserver.event(room, 'm.room.encryption', alice, { algorithm: 'x' }, ''),
      'is encrypted',
    ],
    [
      'it is a space',
      (room: RoomId) => town.homeserver.event(room, 'm.room.create', alice, { type: 'm.space' }, ''),
      'This is a space',
    ],
    [
      'the ghosts are of two networks',
      (room: RoomId) => town.homeserver.member(room, '@msn_libera_joe:example.org', 'invite', alice),
      'different networks',
    ],
  ])('has none where %s', async (_, happen, words) => {
    const room = town.homeserver.room(alice)
    happen(room)
    const [event] = invite(room, bobGhost)
    await town.act(event!)
    expect(town.claims).toEqual([])
    expect(town.homeserver.said(room)).toEqual([expect.stringContaining(words)])
    expect(town.homeserver.membership(room, bobGhost)).toBe('leave')
  })

  test('has one room only, should the bridge ask for it while it hears of the claim', async () => {
    const room = town.homeserver.room(alice)
    town.claim = async () => {
      expect(await town.rooms.open(claimed, town.signal)).toMatchObject({ chat: { chat: room } })
      return { kind: 'claimed', request: claimed }
    }
    const [event] = invite(room, bobGhost)
    await town.act(event!)
    expect(town.homeserver.count('createRoom')).toBe(1)
    expect(rowOf(room)).toMatchObject({ kind: 'portal' })
  })

  test('has it also after a crash at any request on the way', async () => {
    for (let step = 0; step < 60; step++) {
      town = new Town()
      await town.service.start()
      town.claim = () => Promise.resolve({ kind: 'claimed', request: claimed })
      const room = town.homeserver.room(alice)
      const [event] = invite(room, bobGhost)
      const real = town.homeserver.request.bind(town.homeserver)
      let left = step
      const crash = { happened: false }
      town.homeserver.request = async (call) => {
        if (left-- > 0) return real<never>(call)
        crash.happened = true
        town.stop()
        return { ok: false, failure: { kind: 'aborted', detail: 'stopping' } }
      }
      const acted = await town.act(event!)
      town.homeserver.request = real
      if (crash.happened) {
        expect(acted).toBe('again')
        await town.restart()
        // The bridge knows of it: it asks for the room before we have heard its answer.
        if (town.claims.length > 0) expect((await town.rooms.open(claimed, town.signal)).kind).toBe('opened')
        expect(await town.act(event!)).toBe('done')
      }
      expect(rowOf(room)?.request).toEqual(claimed)
      expect(town.homeserver.membership(room, bot)).toBe('join')
      const space = town.service.spaces.of(alice, claimed.account)!
      expect([...town.homeserver.rooms.keys()]).toEqual([room, space])
      expect(town.homeserver.state(space, 'm.space.child', room)).toBeDefined()
      expect([...town.bridge.stored.keys()].filter((key) => key.startsWith('claiming/'))).toEqual([])
      if (!crash.happened) return
    }
    expect.unreachable('a claim never came to its end')
  })
})

describe('rooms that can no longer be read or spoken in', () => {
  test('say once that they were encrypted, and once more to the first message', async () => {
    const room = await town.portal()
    const encrypt = (): RoomEvent => town.homeserver.event(room, 'm.room.encryption', alice, { algorithm: 'x' }, '')
    await town.act(encrypt())
    await town.act(encrypt())
    expect(rowOf(room)?.encrypted).toBe(true)
    expect(town.homeserver.said(room)).toEqual([expect.stringContaining('Nothing that is said here reaches')])
    for (const id of ['$x', '$y'] as const) {
      await town.service.speech.unreadable(rowOf(room)!, { event_id: id, sender: alice })
    }
    expect(town.homeserver.said(room)).toHaveLength(2)
  })

  test('say once that a ghost may not speak, and again only when that was mended in between', async () => {
    const room = await town.portal()
    const levels = (content: Record<string, unknown>): Promise<unknown> =>
      town.act(town.homeserver.event(room, 'm.room.power_levels', alice, content, ''))
    const silent = { users: { [bot]: 100 }, events: { 'm.room.message': 25 } }
    await levels(silent)
    await levels(silent)
    expect(town.homeserver.said(room)).toEqual([expect.stringContaining(`${bobGhost} may not speak in this room`)])
    await levels({ users: { [bot]: 100, [bobGhost]: 25 }, events: { 'm.room.message': 25 } })
    expect(rowOf(room)?.muted).toBe(false)
    await levels(silent)
    expect(town.homeserver.said(room)).toHaveLength(2)
  })

  test('do not say so of a ghost that made the room with its owner', async () => {
    const room = await town.portal()
    town.homeserver.event(room, 'm.room.create', bot, { room_version: '12', additional_creators: [bobGhost] }, '')
    await town.act(town.homeserver.event(room, 'm.room.power_levels', alice, { events_default: 50 }, ''))
    expect(rowOf(room)?.muted).not.toBe(true)
  })

  test('say once what the homeserver says to a ghost that wanted to speak', async () => {
    const room = await town.portal()
    for (let time = 0; time < 2; time++) await town.service.speech.silenced(rowOf(room)!, 'level 25 needed')
    expect(town.homeserver.said(room)).toEqual([
      expect.stringContaining('may not speak in this room (level 25 needed)'),
    ])
  })

  test('say it to the owner where the bot may not speak either', async () => {
    const room = await town.portal()
    town.homeserver.member(room, bot, 'leave', alice)
    await town.act(town.homeserver.event(room, 'm.room.power_levels', alice, { events_default: 50 }, ''))
    expect(homeSays()).toEqual([expect.stringContaining('may not speak')])
  })
})

describe('rooms that are replaced', () => {
  const upgrade = (old: RoomId, by: Mxid, predecessor: RoomId = old): { next: RoomId; event: RoomEvent } => {
    const next = town.homeserver.room(by)
    town.homeserver.event(next, 'm.room.create', by, { room_version: '12', predecessor: { room_id: predecessor } }, '')
    const event = town.homeserver.event(old, 'm.room.tombstone', by, { body: 'moved', replacement_room: next }, '')
    return { next, event }
  }

  test('are followed by everybody of ours, and stay the same chat', async () => {
    const room = await town.portal()
    const { next, event } = upgrade(room, alice)
    town.homeserver.member(next, bot, 'invite', alice)
    await town.act(event)
    expect(rowOf(next)).toMatchObject({ chat: room, room: next, from: undefined })
    expect(town.homeserver.said(next)).toEqual([expect.stringContaining('give me the power level 100')])
    expect(rowOf(room)).toBeUndefined()
    expect(town.homeserver.membership(next, bobGhost)).toBe('join')
    for (const user of [bobGhost, bot]) expect(town.homeserver.membership(room, user)).toBe('leave')
    const space = town.service.spaces.of(alice, portalOf().account)!
    expect(town.homeserver.state(space, 'm.space.child', next)).toEqual({ via: ['example.org'] })
    expect(town.homeserver.state(space, 'm.space.child', room)).toEqual({})
    await town.restart()
    expect(await town.rooms.open(portalOf(), town.signal)).toMatchObject({ chat: { chat: room } })
    expect(rowOf(next)?.chat).toBe(room)
  })

  test.each([
    ['the bot', () => bot],
    ['a ghost', () => bobGhost],
  ])('wait until %s is invited where the bot is not let in', async (_, guest) => {
    const room = await town.portal()
    const { next, event } = upgrade(room, alice)
    await town.act(event)
    await town.act(event)
    expect(rowOf(room)).toMatchObject({ room, next })
    expect(town.homeserver.said(room)).toEqual([expect.stringContaining('not let into the new one')])
    expect(homeSays()).toHaveLength(1)
    await town.act(town.homeserver.member(next, guest(), 'invite', alice))
    expect(rowOf(next)).toMatchObject({ chat: room })
    expect(rowOf(next)?.next).toBeUndefined()
    expect(town.homeserver.membership(next, bobGhost)).toBe('join')
    expect(town.claims).toEqual([])
  })

  test('are not followed to a room that says otherwise, or that is bridged', async () => {
    const room = await town.portal()
    const { next, event } = upgrade(room, alice, '!another')
    town.homeserver.member(next, bot, 'invite', alice)
    await town.act(event)
    expect(rowOf(room)).toBeDefined()
    expect(town.homeserver.membership(next, bot)).toBe('leave')
    const other = await linked()
    await town.act(town.homeserver.event(room, 'm.room.tombstone', alice, { replacement_room: other }, ''))
    expect(rowOf(other)?.chat).toBe(other)
    expect(town.homeserver.said(room).at(-1)).toContain('bridged already')
  })

  test('are followed to the end after a crash in between', async () => {
    const room = await town.portal()
    const { next, event } = upgrade(room, alice)
    town.homeserver.member(next, bot, 'invite', alice)
    const real = town.homeserver.request.bind(town.homeserver)
    town.homeserver.request = async (call) => {
      if (call.path.endsWith('/leave')) {
        town.stop()
        return { ok: false, failure: { kind: 'aborted', detail: 'stopping' } }
      }
      return real<never>(call)
    }
    expect(await town.act(event)).toBe('again')
    town.homeserver.request = real
    await town.restart()
    expect(await town.act(event)).toBe('done')
    expect(rowOf(next)).toMatchObject({ chat: room, from: undefined })
    expect(town.homeserver.membership(room, bot)).toBe('leave')
  })
})

describe('other state', () => {
  test('what is no business of ours is left to others', async () => {
    const room = await town.portal()
    expect(await town.act(town.homeserver.event(room, 'm.room.message', alice, { body: 'hi' }))).toBe('not-mine')
    expect(await town.act(town.homeserver.event(room, 'm.room.pinned_events', alice, {}, ''))).toBe('not-mine')
  })

  test('nonsense in events harms nobody', async () => {
    const room = await town.portal()
    for (const type of ['m.room.member', 'm.room.tombstone', 'm.room.encryption', 'm.room.power_levels']) {
      for (const key of ['', '@', bot, bobGhost, alice, '@msn_x:example.org']) {
        for (const content of [
          {},
          { membership: 7 },
          { replacement_room: 'x' },
          { replacement_room: '!\ud800' },
          { users: [] },
        ]) {
          expect(await town.act(town.homeserver.event(room, type, dan, content, key))).toBe('done')
        }
      }
    }
    expect(rowOf(room)?.room).toBe(room)
  })
})
