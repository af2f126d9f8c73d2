/** 200 lines at once, through the gateway: from MSN to clients quick and slow, and from a real irssi to MSN. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { address, CONTROL, GatewayWorld, PASSWORD } from '../kit/gateway-world.ts'
import { HostileClient } from '../kit/hostile-client.ts'
import type { IrcClient } from '../kit/irc-client.ts'
import { EVERYTHING, Irssi } from '../kit/irssi.ts'
import type { Room } from '../kit/messenger.ts'

const LINES = Array.from({ length: 200 }, (_, number) => `r${number}`)

let world: GatewayWorld
let alice: IrcClient
let room: Room
beforeEach(async () => {
  world = await GatewayWorld.start()
  alice = await world.newcomer('alice')
  const bob = await world.messenger('bob')
  await bob.add(address('alice'))
  alice.say(CONTROL, `add ${address('bob')} bob`)
  await alice.next(/^:bob!\S+ JOIN /)
  alice.say('bob', 'hello')
  room = await bob.answer()
  await room.heard()
}, 60_000)
afterEach(() => world.stop())

const linesIn = (text: string): readonly string[] => text.match(/\br\d+\b/g) ?? []

describe('200 lines from MSN', () => {
  test.each([
    ['one by one', () => LINES.forEach((line) => room.text(line))],
    ['as one message', () => void room.text(LINES.join('\r\n'))],
  ])(
    '%s arrive whole and in order, also at a client that does not read meanwhile, and PINGs are answered',
    async (_, paste) => {
      const slow = await HostileClient.registered(world.ports.irc, 'alice', PASSWORD)
      slow.deaf()
      paste()
      alice.send('PING between')
      await alice.next(/ PONG \S+ :?between$/)
      const heard = (): readonly string[] => alice.lines.filter((line) => /^:bob!/.test(line)).flatMap(linesIn)
      await alice.until(() => heard().length >= LINES.length)
      expect(heard()).toEqual(LINES)
      // What it has not read yet is not in the way of what it asks.
      await slow.write('PING late\r\n')
      slow.hears()
      await slow.until(() => / PONG \S+ :?late\r\n/.test(slow.text))
      expect(linesIn(slow.text)).toEqual(LINES)
      expect(slow.closed).toBe(false)
      expect(alice.closed).toBe(false)
      slow.close()
    },
    60_000,
  )
})

describe.skipIf(missing('irssi', 'tmux'))('200 lines from irssi', () => {
  let irssi: Irssi | undefined
  afterEach(async () => {
    await irssi?.stop()
    irssi = undefined
  })

  const pasted = async (more: number): Promise<readonly string[]> => {
    irssi = await Irssi.start({ port: world.ports.irc, nick: 'alice', password: `alice:${PASSWORD}`, atOnce: 1_000 })
    const { length } = room.wire.received
    await irssi.command('/query bob')
    await irssi.paste(LINES)
    const heard = (): readonly string[] => room.wire.received.slice(length).flatMap(({ payload }) => linesIn(payload))
    while (heard().length < LINES.length) await room.wire.next('MSG', more)
    expect(irssi.logOf(EVERYTHING)).not.toMatch(/Connection lost|Disconnected|Excess flood/i)
    return heard()
  }

  test('arrive whole and in order', async () => {
    expect(await pasted(15_000)).toEqual(LINES)
  }, 90_000)

  test('arrive whole and in order as few messages with paste_buffer', async () => {
    alice.say(CONTROL, 'set paste_buffer true')
    await alice.next(/paste_buffer = /)
    expect(await pasted(30_000)).toEqual(LINES)
    expect(room.wire.received.filter(({ payload }) => linesIn(payload).length > 0).length).toBeLessThan(LINES.length)
  }, 90_000)
})
