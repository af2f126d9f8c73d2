/** Conversations of several people of MSN are rooms: JOI and BYE are membership, an invitation is CAL, leaving is OUT. */
import { afterEach, expect, test } from 'vitest'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { bodyOf } from '../kit/matrix-person.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import { address } from '../kit/world.ts'

let world: MatrixWorld | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

onEachHomeserver((start) => {
  test('three people of MSN and one of Matrix', async () => {
    world = await MatrixWorld.start({ start, people: ['bob', 'carol', 'dave'] })
    const { person: alice } = await world.resident()
    const bob = await world.messenger('bob', ['alice', 'carol', 'dave'])
    const carol = await world.messenger('carol', ['alice', 'bob', 'dave'])
    const dave = await world.messenger('dave', ['alice', 'bob', 'carol'])

    const opening = bob.call(address('alice'), address('carol'))
    const carols = await carol.answer()
    const room = await opening
    await room.acked(room.text('hello both'))
    const portal = await world.portal(alice, 'bob', 'carol')
    expect((await alice.waitForMessage(portal, 'hello both')).sender).toBe(world.ghost('bob'))
    await carols.acked(carols.text('carol here'))
    expect((await alice.waitForMessage(portal, 'carol here')).sender).toBe(world.ghost('carol'))
    await alice.say(portal, 'alice here')
    expect((await room.heard()).text).toBe('carol here')
    expect((await room.heard()).text).toBe('alice here')

    await alice.invite(portal, world.ghost('dave'))
    const daves = await dave.answer()
    await alice.waitForMember(portal, world.ghost('dave'), 'join')
    await daves.acked(daves.text('thanks for the invitation'))
    expect((await alice.waitForMessage(portal, 'thanks for')).sender).toBe(world.ghost('dave'))

    carols.leave()
    await alice.waitForMember(portal, world.ghost('carol'), 'leave')
    await alice.say(portal, 'carol has gone')
    expect((await daves.heard()).text).toBe('carol has gone')
    expect(alice.messages(portal).filter((event) => bodyOf(event) === 'hello both')).toHaveLength(1)
  }, 60_000)

  test('the same people find their old room again, and leaving it is leaving the conversation', async () => {
    world = await MatrixWorld.start({ start, people: ['bob', 'carol'] })
    const { person: alice } = await world.resident()
    const bob = await world.messenger('bob', ['alice', 'carol'])
    const carol = await world.messenger('carol', ['alice', 'bob'])
    const firstOpening = bob.call(address('alice'), address('carol'))
    const carols = await carol.answer()
    const first = await firstOpening
    await first.acked(first.text('first session'))
    const portal = await world.portal(alice, 'bob', 'carol')
    await alice.waitForMessage(portal, 'first session')
    first.leave()
    carols.leave()

    const secondOpening = carol.call(address('alice'), address('bob'))
    await bob.answer()
    const second = await secondOpening
    await second.acked(second.text('second session'))
    await alice.waitForMessage(portal, 'second session')
    await alice.leave(portal)
    await second.wire.next(`BYE ${address('alice')}`)
  }, 60_000)
})
