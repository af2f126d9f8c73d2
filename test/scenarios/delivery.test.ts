import { afterEach, expect, test as always } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { Proxy } from '../kit/proxy.ts'
import { address, World, type WorldOptions } from '../kit/world.ts'

const test = always.skipIf(missing('inspircd'))

const CONTACT = `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "#bob" } ]`

let world: World | undefined
let proxy: Proxy | undefined
afterEach(async () => {
  await world?.stop()
  await proxy?.stop()
  world = undefined
  proxy = undefined
})

test('a message for somebody who is offline waits, the sender is told, and it arrives when they sign in', async () => {
  world = await World.start({ links: [CONTACT] })
  const amy = await world.irc('amy', '#bob')
  amy.say('#bob', 'are you there?')
  amy.say('#bob', 'call me')
  const told = (): readonly string[] =>
    amy.said('msnbridge', '#bob').filter((line) => /waits|offline|online/i.test(line))
  await amy.until(() => told().length > 0)

  const bob = await world.messenger('bob')
  const room = await bob.answer()
  expect((await room.heard()).text).toBe('<amy> are you there?')
  expect((await room.heard()).text).toBe('<amy> call me')
  await room.acked(room.text('here I am'))
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.endsWith('here I am')))
  expect(room.wire.received.filter(({ payload }) => payload.includes('call me'))).toHaveLength(1)
}, 60_000)

test('what waits outlives a restart of the daemon', async () => {
  world = await World.start({ links: [CONTACT] })
  const amy = await world.irc('amy', '#bob')
  amy.say('#bob', 'read this when you can')
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => /waits/.test(line)))
  expect(await world.daemon.stop()).toBe(0)
  await world.run()
  const bob = await world.messenger('bob')
  const room = await bob.answer()
  expect((await room.heard()).text).toBe('<amy> read this when you can')
  expect(amy.said('msnbridge', '#bob').filter((line) => /waits/.test(line))).toHaveLength(1)
}, 60_000)

test('a switchboard that dies before the ACK gives uncertain, once, and the message is not repeated', async () => {
  world = await World.start({ links: [CONTACT] }, async ({ ports }): Promise<Partial<WorldOptions>> => {
    proxy = await Proxy.start(ports.msn)
    return { switchboardPublic: `127.0.0.1:${proxy.port}` }
  })
  const bob = await world.messenger('bob')
  const amy = await world.irc('amy', '#bob')
  amy.say('#bob', 'first')
  const room = await bob.answer()
  expect((await room.heard()).text).toBe('<amy> first')
  await room.acked(room.text('it works'))
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.endsWith('it works')))

  // From now on no ACK comes back, and when the message has gone through, all lines die.
  proxy!.onChunk = (direction, chunk) => (direction === 'to-client' && chunk.includes('ACK ') ? 'drop' : 'pass')
  amy.say('#bob', 'second')
  expect((await room.heard()).text).toBe('<amy> second')
  proxy!.cut()
  proxy!.onChunk = () => 'pass'
  const uncertain = (): readonly string[] =>
    amy.said('msnbridge', '#bob').filter((line) => /may not have arrived/.test(line))
  await amy.until(() => uncertain().length > 0)
  expect(uncertain()[0]).toContain(`amy: your message "second" to ${address('bob')} may not have arrived`)

  amy.say('#bob', 'third')
  const again = await bob.answer()
  expect((await again.heard()).text).toBe('<amy> third')
  expect(uncertain()).toHaveLength(1)
  expect(again.wire.received.some(({ payload }) => payload.includes('second'))).toBe(false)
}, 60_000)

test('somebody who blocks us: the sender is told in words, and nothing waits', async () => {
  world = await World.start({ links: [CONTACT] })
  const bob = await world.messenger('bob')
  await bob.ask('REM', 'AL', address('relay'))
  await bob.ask('ADD', 'BL', address('relay'), 'relay')
  const amy = await world.irc('amy', '#bob')
  amy.say('#bob', 'hello?')
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => /not delivered/i.test(line)))
  const said = amy.said('msnbridge', '#bob').find((line) => /not delivered/i.test(line))
  expect(said).toMatch(/block|not accept/i)
}, 60_000)

test('both sides open a switchboard at once, and nothing is lost or doubled', async () => {
  world = await World.start({ links: [CONTACT] })
  const bob = await world.messenger('bob')
  const amy = await world.irc('amy', '#bob')
  amy.say('#bob', 'from amy')
  const [called, answered] = await Promise.all([bob.call(address('relay')), bob.answer()])
  // Either room will do for it, but only one.
  const heard = (text: string): number =>
    [called, answered].flatMap((room) => room.wire.received).filter(({ payload }) => payload.endsWith(text)).length
  await amy.until(() => {
    amy.send('PING tick')
    return heard('<amy> from amy') > 0
  })
  await called.acked(called.text('in the room that bob opened'))
  await answered.acked(answered.text('in the room that bob answered'))
  await amy.until(() => amy.said('msnbridge', '#bob').length >= 2)
  const said = amy.said('msnbridge', '#bob')
  expect(said.filter((line) => line.endsWith('that bob opened'))).toHaveLength(1)
  expect(said.filter((line) => line.endsWith('that bob answered'))).toHaveLength(1)
  amy.say('#bob', 'and an answer')
  await amy.until(() => {
    amy.send('PING tick')
    return [called, answered].some((room) =>
      room.wire.received.some(({ payload }) => payload.includes('and an answer')),
    )
  })
}, 60_000)
