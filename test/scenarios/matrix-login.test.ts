/** Signing in, and everything that can be in the way of it: what the person reads. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { MsnServer } from '../../msnp/index.ts'
import { freePort } from '../kit/daemon.ts'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { MapHost } from '../kit/map-host.ts'
import { bodyOf } from '../kit/matrix-person.ts'
import { MatrixWorld, PASSWORD } from '../kit/matrix-world.ts'
import { address } from '../kit/world.ts'

const ANY = { host: '127.0.0.1', port: 0 }
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

  test('a login page that sends the password elsewhere is not followed, and that is said', async () => {
    const host = new MapHost()
    host.add(address('alice'), PASSWORD)
    const server = new MsnServer({ host, tls: 'plain', listen: { notification: ANY, passport: ANY } })
    await server.start()
    let asked = 0
    const page = createServer((_, response) => {
      asked++
      response.writeHead(302, { location: 'https://login.elsewhere.example/login2.srf' }).end()
    })
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
    const port = (page.address() as AddressInfo).port
    const far = `
  - id: far
    type: msn
    server: 127.0.0.1:${server.listening?.notification.port ?? 0}
    passport: { login: "http://127.0.0.1:${port}/login2.srf" }`
    try {
      world = await MatrixWorld.start({ start, matrix: far })
      const alice = await world.guest('alice')
      const words = bodyOf(await world.login(alice, 'alice', PASSWORD, 'far'))
      expect(words).toMatch(/^Not signed in.*login\.elsewhere\.example/s)
      expect(words).toContain('logout')
      expect(asked).toBeGreaterThan(0)
    } finally {
      page.close()
      await server.stop()
    }
  }, 60_000)

  test('signed in elsewhere: said once, with the remedy, and not fought', async () => {
    world = await MatrixWorld.start({ start, msn: '    beside_messenger: false' })
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
