/** Signing in, and everything that can be in the way of it: what the person reads. */
import { afterEach, expect, test } from 'vitest'
import { freePort } from '../kit/daemon.ts'
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
  test('a wrong password, an unknown network, and the right one after that', async () => {
    world = await MatrixWorld.start({ start })
    const alice = await world.guest('alice')
    expect(bodyOf(await world.ask(alice, `login nowhere ${address('alice')}`))).toMatch(/no network nowhere/)
    expect(bodyOf(await world.login(alice, 'alice', 'wrong'))).toMatch(/does not accept that password/)
    expect(bodyOf(await world.login(alice, 'alice'))).toMatch(/^Signed in/)
    expect(bodyOf(await world.ask(alice, 'list-logins'))).toContain(address('alice'))
    for (const secret of ['wrong', 'secret-password'])
      await alice.person.waitFor(alice.home, () =>
        alice.person.messages(alice.home).every((event) => bodyOf(event) !== secret),
      )
    expect(JSON.stringify(world.daemon.log)).not.toContain('secret-password')
  }, 60_000)

  test('a network that is down is said, and signed in to when it is up', async () => {
    const nobody = await freePort()
    world = await MatrixWorld.start({ start, msnPort: nobody })
    const alice = await world.guest('alice')
    const words = bodyOf(await world.login(alice, 'alice'))
    expect(words).toMatch(/Not signed in yet|has not answered/)
  }, 60_000)

  test('signed in elsewhere: said once, with the remedy, and not fought', async () => {
    world = await MatrixWorld.start({ start })
    const alice = await world.resident()
    await world.messenger('alice', [])
    const words = await alice.person.waitForMessage(alice.home, /elsewhere|another place/i)
    expect(bodyOf(words)).toContain('reconnect')
    expect(JSON.stringify(words.content)).toContain(alice.person.id)
  }, 60_000)

  test('login without waiting for the greeting is heard', async () => {
    world = await MatrixWorld.start({ start })
    const person = await world.homeserver.person('alice')
    const home = await person.dm(world.bot)
    await person.waitForMember(home, world.bot, 'join')
    await person.say(home, `login retro ${address('alice')}`)
    await person.waitForMessage(home, /password/i)
  }, 60_000)
})
