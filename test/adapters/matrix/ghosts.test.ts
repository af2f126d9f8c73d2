import { beforeEach, describe, expect, test } from 'vitest'
import type { UserId } from '../../../bridge/model/ids.ts'
import type { Failure } from '../../../adapters/matrix/types.ts'
import { alice, bob, bobGhost, carol, carolGhost, retro, Town } from './town.ts'

const gone: Failure = { kind: 'unreachable', sent: true, detail: 'no answer' }

describe('ghosts', () => {
  let town: Town
  beforeEach(() => {
    town = new Town()
  })

  test('are registered, get a device and their name, in three requests', async () => {
    expect(await town.service.ghosts.ensure(bob, 'Bob')).toEqual({ ok: true, value: bobGhost })
    expect(town.homeserver.lines()).toEqual([
      'POST /_matrix/client/v3/register',
      'PUT /_matrix/client/v3/devices/MSNBRIDGE',
      `PUT /_matrix/client/v3/profile/${bobGhost}/displayname`,
    ])
    expect(town.homeserver.names.get(bobGhost)).toBe('Bob')
  })

  test('cost nothing the second time, nor after a restart', async () => {
    const room = town.homeserver.room(town.homeserver.bot)
    await town.service.ghosts.enter(bob, 'Bob', room)
    await town.restart()
    const before = town.homeserver.calls.length
    await town.service.ghosts.ensure(bob, 'Bob')
    await town.service.ghosts.enter(bob, 'Bob', room)
    expect(town.homeserver.calls.length).toBe(before)
    expect([...town.service.ghosts.inRoom(room)]).toEqual([bobGhost])
  })

  test('are asked for once, however many ask at the same time', async () => {
    const room = town.homeserver.room(town.homeserver.bot)
    const { ghosts } = town.service
    const all = await Promise.all([
      ghosts.ensure(bob, 'Bob'),
      ghosts.ensure(bob, 'Bob'),
      ghosts.enter(bob, 'Bob', room),
      ghosts.enter(bob, 'Bob', room),
    ])
    expect(all.every(({ ok }) => ok)).toBe(true)
    expect(town.homeserver.count('register')).toBe(1)
    expect(town.homeserver.count(`/join/${room}`)).toBe(2)
  })

  test('that are registered already are taken as they are', async () => {
    town.homeserver.users.add(bobGhost)
    expect((await town.service.ghosts.ensure(bob, 'Bob')).ok).toBe(true)
  })

  test('get a new name when it changes, and keep it when none is given', async () => {
    await town.service.ghosts.ensure(bob, 'Bob')
    await town.service.ghosts.ensure(bob)
    await town.service.ghosts.ensure(bob, 'Bobby')
    expect(town.homeserver.count('displayname')).toBe(2)
    expect(town.homeserver.names.get(bobGhost)).toBe('Bobby')
  })

  test('have a name of one visible line, else their address', async () => {
    await town.service.ghosts.ensure(bob, `B\0o\n\u202eb\ud800 ${'x'.repeat(500)}`)
    expect(town.homeserver.names.get(bobGhost)).toMatch(/^Bo b\ufffd x{1,250}…$/)
    await town.service.ghosts.ensure(bob, '\u200b\0 ')
    expect(town.homeserver.names.get(bobGhost)).toBe('bob@example.com')
  })

  test('are named by a template', async () => {
    town = new Town({ ghostNames: { prefix: 'msn_', name: '{name} ({address}, {network})' } })
    await town.service.ghosts.ensure(bob, 'B{address}ob')
    expect(town.homeserver.names.get(bobGhost)).toBe('B{address}ob (bob@example.com, retro)')
  })

  test('get no device where the homeserver has none for them', async () => {
    town.homeserver.features = { ...town.homeserver.features, devices: false }
    await town.service.ghosts.ensure(bob, 'Bob')
    expect(town.homeserver.count('devices')).toBe(0)
    town.homeserver.features = { ...town.homeserver.features, devices: true }
    await town.service.ghosts.ensure(bob, 'Bob')
    expect(town.homeserver.count('devices')).toBe(1)
  })

  test('are done step by step: what worked is not asked for again after a failure', async () => {
    town.homeserver.failNext('displayname', gone)
    expect(await town.service.ghosts.ensure(bob, 'Bob')).toEqual({ ok: false, failure: gone })
    expect((await town.service.ghosts.ensure(bob, 'Bob')).ok).toBe(true)
    expect(town.homeserver.count('register')).toBe(1)
    expect(town.homeserver.count('displayname')).toBe(2)
  })

  test('speak without a name where the homeserver gives them none', async () => {
    town.homeserver.failNext('displayname', {
      kind: 'refused',
      status: 403,
      errcode: 'M_FORBIDDEN',
      detail: 'no names',
    })
    expect((await town.service.ghosts.ensure(bob, 'Bob')).ok).toBe(true)
    await town.service.ghosts.ensure(bob, 'Bob')
    expect(town.homeserver.count('displayname')).toBe(1)
  })

  test('of somebody with a very long address do not exist: that is said', async () => {
    const answer = await town.service.ghosts.ensure({ network: retro, user: `${'b'.repeat(300)}@x` as UserId }, 'B')
    expect(answer).toMatchObject({
      ok: false,
      failure: { kind: 'refused', detail: expect.stringContaining('too long') },
    })
    expect(town.homeserver.calls).toEqual([])
  })

  test('whoever waited for an attempt that was given up by another makes one of their own', async () => {
    const impatient = new AbortController()
    const first = town.service.ghosts.ensure(bob, 'Bob', impatient.signal)
    const second = town.service.ghosts.ensure(bob, 'Bob')
    impatient.abort()
    expect(await first).toMatchObject({ ok: false, failure: { kind: 'aborted' } })
    expect(await second).toEqual({ ok: true, value: bobGhost })
  })
})

describe('ghosts in rooms', () => {
  let town: Town
  beforeEach(() => {
    town = new Town()
  })

  test('come without an invitation where everybody may', async () => {
    const room = town.homeserver.room(alice, { state: [['m.room.join_rules', '', { join_rule: 'public' }]] })
    expect((await town.service.ghosts.enter(bob, 'Bob', room)).ok).toBe(true)
    expect(town.homeserver.count('/invite')).toBe(0)
  })

  test('are invited by the bot, else by another ghost that is there', async () => {
    const room = town.homeserver.room(alice)
    town.homeserver.member(room, carolGhost, 'join')
    await town.service.ghosts.ensure(carol, 'Carol')
    await town.service.ghosts.noteIn(carolGhost, room)
    expect((await town.service.ghosts.enter(bob, 'Bob', room)).ok).toBe(true)
    expect(town.homeserver.calls.filter(({ path }) => path.endsWith('/invite')).map((call) => call.as)).toEqual([
      undefined,
      carolGhost,
    ])
  })

  test('that are banned are refused with the remedy', async () => {
    const room = town.homeserver.room(town.homeserver.bot)
    town.homeserver.member(room, bobGhost, 'ban', alice)
    expect(await town.service.ghosts.enter(bob, 'Bob', room)).toMatchObject({
      ok: false,
      failure: { kind: 'refused', detail: expect.stringMatching(/is not let into the room .*: unban it/) },
    })
  })

  test('leave, and come again when they are needed', async () => {
    const room = town.homeserver.room(town.homeserver.bot)
    await town.service.ghosts.enter(bob, 'Bob', room)
    await town.service.ghosts.leave(bob, room, 'bye')
    expect(town.homeserver.membership(room, bobGhost)).toBe('leave')
    expect(town.service.ghosts.inRoom(room).size).toBe(0)
    await town.service.ghosts.enter(bob, 'Bob', room)
    expect(town.homeserver.membership(room, bobGhost)).toBe('join')
  })

  test('rows of ghosts that nobody knows are dropped at the start', async () => {
    town.bridge.stored.set(`in/!x ${bobGhost}`, '')
    await town.restart()
    expect(town.service.ghosts.inRoom('!x').size).toBe(0)
    expect(town.bridge.stored.has(`in/!x ${bobGhost}`)).toBe(false)
  })
})
