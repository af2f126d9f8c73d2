/** Rooms and what people do to them: versions, upgrades, kicks, departures, linking by hand, relaying. */
import { afterEach, expect, test } from 'vitest'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { bodyOf, type MatrixPerson } from '../kit/matrix-person.ts'
import { MatrixWorld, type MatrixWorldOptions, type Resident } from '../kit/matrix-world.ts'
import type { Messenger, Room } from '../kit/messenger.ts'
import { address } from '../kit/world.ts'

let world: MatrixWorld | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

const ADMIN = `    permissions: { "*": relay, localhost: user, "@alice:localhost": admin }\n    timing: { backoff_ms: [100, 200, 400] }`
const SHORT = '    timing: { backoff_ms: [100, 200, 400] }'

interface Conversation {
  readonly world: MatrixWorld
  readonly resident: Resident
  readonly alice: MatrixPerson
  readonly bob: Messenger
  readonly room: Room
  readonly portal: string
}

const conversation = async (options: MatrixWorldOptions): Promise<Conversation> => {
  world = await MatrixWorld.start(options)
  const resident = await world.resident()
  const { person: alice } = resident
  const bob = await world.messenger('bob')
  const room = await bob.call(address('alice'))
  await room.acked(room.text('hello'))
  const portal = await world.portal(alice, 'bob')
  await alice.waitForMessage(portal, 'hello')
  return { world, resident, alice, bob, room, portal }
}

onEachHomeserver((start) => {
  test.each(['11', '12'])(
    'rooms of version %s: made, spoken in, and described for clients',
    async (version) => {
      const { world, alice, room, portal } = await conversation({
        start,
        matrix: `    room_version: "${version}"\n${SHORT}`,
      })
      expect(alice.state(portal, 'm.room.create')?.['room_version']).toBe(version)
      expect(portal.includes(':')).toBe(version === '11')
      expect(alice.state(portal, 'io.element.functional_members')).toEqual({ service_members: [world.bot] })
      const bridges = alice.timeline(portal).filter(({ type }) => type === 'm.bridge' || type === 'uk.half-shot.bridge')
      expect(new Set(bridges.map(({ type }) => type)).size).toBe(2)
      await alice.say(portal, `said in version ${version}`)
      expect((await room.heard()).text).toBe(`said in version ${version}`)
    },
    60_000,
  )

  test('a room that is upgraded is followed', async () => {
    const { world, alice, room, portal } = await conversation({ start, matrix: `    room_version: "11"\n${SHORT}` })
    const next = await alice.upgrade(portal, '12')
    await alice.invite(next, world.bot)
    await alice.invite(next, world.ghost('bob')).catch(() => undefined)
    // The last thing that is put right there.
    await alice.waitFor(next, ({ type }) => type === 'm.space.parent')
    await room.acked(room.text('where are you?'))
    await alice.waitForMessage(next, 'where are you?')
    await alice.say(next, 'here')
    expect((await room.heard()).text).toBe('here')
    expect(alice.messages(portal).map(bodyOf)).not.toContain('where are you?')
  }, 60_000)

  test('a ghost that is kicked comes back when it has something to say', async () => {
    const { world, alice, room, portal } = await conversation({ start })
    await alice.kick(portal, world.ghost('bob')).catch(() => undefined)
    await room.acked(room.text('still there?'))
    const heard = await alice.waitForMessage(portal, 'still there?')
    expect(heard.sender).toBe(world.ghost('bob'))
  }, 60_000)

  test('who leaves a chat is invited again when somebody writes', async () => {
    const { world, resident, alice, room, portal } = await conversation({ start })
    await alice.leave(portal)
    // An answer says that the bridge has heard of it.
    await world.ask(resident, 'list-logins')
    await room.acked(room.text('come back'))
    const again = await alice.waitForRoom((each) => alice.messages(each).some((event) => bodyOf(event) === 'come back'))
    expect(alice.membership(again, alice.id)).toBe('join')
  }, 60_000)

  test('an existing room is linked with a contact, and not twice', async () => {
    world = await MatrixWorld.start({ start, matrix: ADMIN })
    const { person: alice, home } = await world.resident()
    const bob = await world.messenger('bob')
    const gus = await world.homeserver.person('gus')
    gus.acceptInvites()
    const plaza = await alice.createRoom({ name: 'Plaza', invite: [gus.id] })
    await alice.waitForMember(plaza, gus.id, 'join')
    await alice.invite(plaza, world.bot)
    await alice.waitForMember(plaza, world.bot, 'join')
    await alice.say(plaza, `!msn bridge ${address('bob')}`)
    await alice.waitForMessage(plaza, /bob/)
    await alice.say(plaza, 'hello from the plaza')
    const room = await bob.answer()
    expect((await room.heard()).text).toContain('hello from the plaza')
    await room.acked(room.text('hello plaza'))
    expect((await alice.waitForMessage(plaza, 'hello plaza')).sender).toBe(world.ghost('bob'))
    const before = alice.messages(plaza).length
    await alice.say(plaza, `!msn bridge ${address('bob')}`)
    const refusal = await alice.until(
      () =>
        alice
          .messages(plaza)
          .slice(before)
          .find(({ sender }) => sender === world?.bot),
      () => 'the bot is silent',
    )
    expect(bodyOf(refusal)).toMatch(/already|linked/i)
    expect(home).not.toBe(plaza)
  }, 60_000)

  test('somebody without a login speaks through a relay, and only where it is set', async () => {
    const { world, alice, room, portal } = await conversation({ start, matrix: ADMIN })
    const guest = await world.homeserver.person('gus')
    await alice.invite(portal, guest.id)
    await guest.waitForInvite((invited) => invited === portal)
    await guest.join(portal)
    await guest.say(portal, 'can you hear me?')
    await guest.waitForMessage(portal, /not passed on/)
    const asked = await alice.say(portal, '!msn set-relay')
    await alice.waitForMessage(portal, ({ content }) => JSON.stringify(content).includes(asked))
    await guest.say(portal, 'and now?')
    const relayed = await room.heard().catch((error: unknown) => {
      throw new Error(`the room says: ${alice.messages(portal).map(bodyOf).join(' | ')}`, { cause: error })
    })
    expect(relayed.text).toBe('<gus> and now?')
    await room.acked(room.text('hello gus'))
    await guest.waitForMessage(portal, 'hello gus')
  }, 60_000)

  test('two people with the same contact: a room each, a nickname each, one ghost', async () => {
    world = await MatrixWorld.start({ start, people: ['bob', 'carol'] })
    const alice = await world.resident()
    const carol = await world.resident('carol')
    for (const each of [alice, carol]) await world.ask(each, `add ${address('bob')}`)
    await world.ask(alice, `rename ${address('bob')} Bobby of Alice`)
    const bob = await world.messenger('bob', ['alice', 'carol'])
    const toAlice = await bob.call(address('alice'))
    const toCarol = await bob.call(address('carol'))
    await toAlice.acked(toAlice.text('for alice'))
    await toCarol.acked(toCarol.text('for carol'))
    const [one, other] = [await world.portal(alice.person, 'bob'), await world.portal(carol.person, 'bob')]
    await alice.person.waitForMessage(one, 'for alice')
    await carol.person.waitForMessage(other, 'for carol')
    expect(one).not.toBe(other)
    expect(carol.person.membership(one, carol.person.id)).not.toBe('join')
    expect(carol.person.nameIn(other, world.ghost('bob'))).not.toContain('of Alice')
    expect(JSON.stringify(carol.person.timeline(other))).not.toContain('of Alice')
    expect(JSON.stringify(alice.person.state(one, 'm.room.name') ?? '')).toContain('Bobby of Alice')
    expect(alice.person.nameIn(one, world.ghost('bob'))).not.toContain('of Alice')
  }, 60_000)
})
