/** Signing in with the bot, and the first message both ways. */
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
  test('login, the first message both ways, and the password is seen by nobody', async () => {
    world = await MatrixWorld.start({ start })
    const alice = await world.resident()
    const words = alice.person.messages(alice.home).map(bodyOf)
    expect(words.join('\n')).not.toContain('secret-password')

    const bob = await world.messenger('bob')
    const room = await bob.call(address('alice'))
    await room.acked(room.text('hello from MSN'))
    const portal = await world.portal(alice.person, 'bob')
    const heard = await alice.person.waitForMessage(portal, 'hello from MSN')
    expect(heard.sender).toBe(world.ghost('bob'))

    await alice.person.say(portal, 'hello from Matrix')
    expect((await room.heard()).text).toBe('hello from Matrix')
  }, 60_000)
})
