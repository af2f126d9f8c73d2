/** A homeserver that is away, slow, new, or of another opinion: nothing is lost, and the operator reads what to do. */
import { afterEach, expect, test } from 'vitest'
import { FakeHomeserver } from '../kit/fake-homeserver.ts'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { bodyOf, type MatrixPerson } from '../kit/matrix-person.ts'
import { MatrixWorld, type MatrixWorldOptions } from '../kit/matrix-world.ts'
import type { Room } from '../kit/messenger.ts'
import { address } from '../kit/world.ts'

let world: MatrixWorld | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

const conversation = async (
  options: MatrixWorldOptions,
): Promise<{ world: MatrixWorld; alice: MatrixPerson; room: Room; portal: string }> => {
  world = await MatrixWorld.start(options)
  const { person: alice } = await world.resident()
  const bob = await world.messenger('bob')
  const room = await bob.call(address('alice'))
  await room.acked(room.text('hello'))
  const portal = await world.portal(alice, 'bob')
  await alice.waitForMessage(portal, 'hello')
  return { world, alice, room, portal }
}
const fake = { start: (options?: object) => FakeHomeserver.start(options) }
const fromBob = (alice: MatrixPerson, portal: string): readonly string[] =>
  alice.messages(portal).flatMap((event) => (event.sender === world?.ghost('bob') ? [bodyOf(event)] : []))

onEachHomeserver((start) => {
  test('the homeserver is away while people of MSN write: the bridge stays up, and all arrives in order when it is back', async () => {
    const { world, alice, room, portal } = await conversation({ start })
    await world.homeserver.down()
    for (const word of ['one', 'two', 'three']) await room.acked(room.text(word))
    await world.daemon.waitFor(
      (entry) => entry['account'] === 'matrix' && entry.msg === 'not connected, will try again',
    )
    expect((await fetch(`${world.daemon.admin}/healthz`)).status).toBe(200)
    await world.homeserver.up()
    await alice.until(
      () => fromBob(alice, portal).includes('three'),
      () => `bob said ${fromBob(alice, portal).join(', ')}`,
      30_000,
    )
    expect(fromBob(alice, portal)).toEqual(['hello', 'one', 'two', 'three'])
    await alice.say(portal, 'and back')
    expect((await room.heard()).text).toBe('and back')
  }, 90_000)

  test('the daemon is started before the homeserver', async () => {
    const { world, alice, room, portal } = await conversation({ start, ownService: true })
    await world.daemon.stop()
    await world.homeserver.down()
    await world.runOnly()
    await world.daemon.waitFor(
      (entry) => entry['account'] === 'matrix' && entry.msg === 'not connected, will try again',
    )
    await world.homeserver.up()
    await world.online('matrix')
    await alice.say(portal, 'is it up?')
    const bob = await world.messenger('bob')
    const again = await bob.answer()
    expect((await again.heard()).text).toBe('is it up?')
    expect(room.wire.ended).toBe(true)
  }, 90_000)
})

test('transaction ids that begin with 1 again', async () => {
  const { world, alice, room, portal } = await conversation(fake)
  world.fake.service.restartIds()
  for (const word of ['first', 'second']) {
    await alice.say(portal, word)
    expect((await room.heard()).text).toBe(word)
  }
  expect(world.fake.service.sent.at(-1)?.id).toBeLessThan(10)
}, 60_000)

test('a transaction of 6 MB', async () => {
  const { world, alice, room, portal } = await conversation(fake)
  const release = world.fake.service.hold()
  const other = await alice.createRoom({ invite: [world.bot] })
  for (let count = 0; count < 100; count++) await alice.send(other, 'org.example.large', { text: 'x'.repeat(60_000) })
  await alice.say(portal, 'after all that')
  // The bot is no member of the other room yet: what is said there is its business as soon as it was invited.
  for (let count = 0; count < 100; count++) await alice.send(portal, 'org.example.large', { text: 'x'.repeat(60_000) })
  await alice.say(portal, 'and after that')
  release()
  expect((await room.heard()).text).toBe('after all that')
  expect((await room.heard()).text).toBe('and after that')
  await world.fake.quiet()
  const sizes = world.fake.service.sent.map(({ events }) => JSON.stringify(events).length)
  expect(Math.max(...sizes)).toBeGreaterThan(5_900_000)
}, 60_000)

test('429s are waited for as long as they ask, and nothing is doubled', async () => {
  const { world, alice, room, portal } = await conversation(fake)
  const limited = world.fake.fail('/send/m.room.message', { status: 429, retryAfterMs: 50, times: 5 })
  for (const word of ['one', 'two', 'three']) await room.acked(room.text(word))
  await alice.waitForMessage(portal, 'three')
  expect(limited.used).toBe(5)
  expect(fromBob(alice, portal)).toEqual(['hello', 'one', 'two', 'three'])
}, 60_000)

test('an answer that is lost does not double the message, not even over a restart of the homeserver', async () => {
  const { world, alice, room, portal } = await conversation(fake)
  world.fake.cut('/send/m.room.message', 'after', 2)
  await room.acked(room.text('only once'))
  await alice.waitForMessage(portal, 'only once')
  await world.fake.restart()
  await room.acked(room.text('and then'))
  await alice.waitForMessage(portal, 'and then')
  expect(fromBob(alice, portal)).toEqual(['hello', 'only once', 'and then'])
}, 60_000)

test('an as_token that the homeserver does not accept: one clear line with the remedy', async () => {
  const { world } = await conversation(fake)
  await world.daemon.stop()
  const refused = world.fake.fail(() => true, { status: 401, errcode: 'M_UNKNOWN_TOKEN' })
  await world.runOnly()
  const line = await world.daemon.waitFor((entry) => entry['account'] === 'matrix' && /not connected/.test(entry.msg))
  expect(String(line['detail'])).toMatch(/registration/)
  expect((await fetch(`${world.daemon.admin}/healthz`)).status).toBe(200)
  refused.clear()
}, 60_000)

test('an hs_token that we do not accept is refused, and what was to come is kept', async () => {
  const { world, alice, room, portal } = await conversation(fake)
  world.fake.service.token = 'wrong'
  await alice.say(portal, 'with the wrong token')
  const answer = await fetch(`http://127.0.0.1:${world.ports.matrix}/_matrix/app/v1/transactions/1`, {
    method: 'PUT',
    headers: { authorization: 'Bearer wrong' },
    body: '{"events":[]}',
  })
  expect([answer.status, ((await answer.json()) as { errcode: string }).errcode]).toEqual([403, 'M_FORBIDDEN'])
  const unknown = await fetch(`http://127.0.0.1:${world.ports.matrix}/_matrix/app/v1/nothing`, {
    headers: { authorization: `Bearer ${world.fake.service.registration.hs_token}` },
  })
  expect([unknown.status, ((await unknown.json()) as { errcode: string }).errcode]).toEqual([404, 'M_UNRECOGNIZED'])
  world.fake.service.token = world.fake.service.registration.hs_token
  expect((await room.heard()).text).toBe('with the wrong token')
}, 60_000)

test('what the homeserver forgot to push when it ended is fetched when it is back', async () => {
  const { world, alice, room, portal } = await conversation(fake)
  world.fake.service.lose(1)
  await alice.say(portal, 'never pushed')
  await world.fake.down()
  await room.acked(room.text('is anybody there?'))
  await world.daemon.waitFor((entry) => entry['account'] === 'matrix' && entry.msg === 'not connected, will try again')
  await world.fake.up()
  expect((await room.heard()).text).toBe('never pushed')
}, 60_000)
