/** What became of a message, told: waiting, refused, uncertain. */
import { afterEach, expect, test } from 'vitest'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { bodyOf, type MatrixPerson } from '../kit/matrix-person.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import { Proxy } from '../kit/proxy.ts'
import { address } from '../kit/world.ts'

let world: MatrixWorld | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

let proxy: Proxy | undefined
afterEach(async () => {
  await proxy?.stop()
  proxy = undefined
})

/** What the bot has said in a room. */
const told = (person: MatrixPerson, room: string, bot: string): readonly string[] =>
  person
    .messages(room)
    .filter(({ sender }) => sender === bot)
    .map(bodyOf)

onEachHomeserver((start) => {
  test('to somebody who is offline: a waiting mark, and delivery when they sign in', async () => {
    world = await MatrixWorld.start({ start })
    const resident = await world.resident()
    const { person: alice } = resident
    const { bot } = world
    await world.ask(resident, `add ${address('bob')}`)
    await world.ask(resident, `start-chat ${address('bob')}`)
    const portal = await world.portal(alice, 'bob')
    const said = await alice.say(portal, 'read this when you can')
    const clock = await alice.waitFor(
      portal,
      ({ type, content, sender }) => type === 'm.reaction' && sender === bot && JSON.stringify(content).includes(said),
    )
    await alice.say(portal, 'and this')
    const bob = await world.messenger('bob')
    const room = await bob.answer()
    expect((await room.heard()).text).toBe('read this when you can')
    expect((await room.heard()).text).toBe('and this')
    await alice.waitFor(portal, ({ id, content }) => id === clock.id && Object.keys(content).length === 0)
    expect(told(alice, portal, bot).filter((line) => /not delivered|may not/i.test(line))).toEqual([])
  }, 60_000)

  test('to somebody who blocks us: the refusal in words', async () => {
    world = await MatrixWorld.start({ start })
    const resident = await world.resident()
    const { person: alice } = resident
    const bob = await world.messenger('bob')
    await bob.ask('REM', 'AL', address('alice'))
    await bob.ask('ADD', 'BL', address('alice'), 'alice')
    await world.ask(resident, `start-chat ${address('bob')}`)
    const portal = await world.portal(alice, 'bob')
    const said = await alice.say(portal, 'hello?')
    const words = await alice.waitForMessage(portal, /not delivered/i)
    expect(words.sender).toBe(world.bot)
    expect(bodyOf(words)).toMatch(/block|not accept/i)
    expect(JSON.stringify(words.content)).toContain(said)
  }, 60_000)

  test('a line that dies before the ACK: uncertain, once, and not repeated', async () => {
    world = await MatrixWorld.start({ start }, async (ports) => {
      proxy = await Proxy.start(ports.msn)
      return { switchboardPublic: `127.0.0.1:${proxy.port}` }
    })
    const { person: alice } = await world.resident()
    const bob = await world.messenger('bob')
    const room = await bob.call(address('alice'))
    await room.acked(room.text('hello'))
    const portal = await world.portal(alice, 'bob')
    await alice.waitForMessage(portal, 'hello')
    const first = await alice.say(portal, 'first')
    expect((await room.heard()).text).toBe('first')
    await alice.waitForReceipt(portal, world.bot, first)

    proxy!.onChunk = (direction, chunk) => (direction === 'to-client' && chunk.includes('ACK ') ? 'drop' : 'pass')
    const said = await alice.say(portal, 'second')
    expect((await room.heard()).text).toBe('second')
    proxy!.cut()
    proxy!.onChunk = () => 'pass'
    const uncertain = await alice.waitForMessage(portal, /may not have arrived/)
    expect(JSON.stringify(uncertain.content)).toContain(said)
    await alice.say(portal, 'third')
    const again = await bob.answer()
    expect((await again.heard()).text).toBe('third')
    expect(told(alice, portal, world.bot).filter((line) => /may not have arrived/.test(line))).toHaveLength(1)
    expect(again.wire.received.some(({ payload }) => payload.includes('second'))).toBe(false)
  }, 60_000)
})
