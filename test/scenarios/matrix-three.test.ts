/** One conversation open at once in Matrix, on MSN and on IRC. */
import { afterEach, describe as always, expect, test } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { bodyOf, type SeenEvent } from '../kit/matrix-person.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import { address } from '../kit/world.ts'

const describe = always.skipIf(missing('inspircd'))

let world: MatrixWorld | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

describe('three networks', () => {
  onEachHomeserver((start) => {
    test('each message is everywhere once, as the right person', async () => {
      world = await MatrixWorld.start({
        start,
        irc: true,
        stopped: true,
        people: ['bob', 'relay'],
        more: `people:\n  - { id: operator }\naccounts:\n  - { id: relay, network: retro, person: operator, login: ${address('relay')}, password: { file: ./password } }\n`,
        links: [
          `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "#bob" }, { network: matrix, channel: "#bob:localhost" } ]`,
        ],
      })
      const alice = await world.homeserver.person('alice')
      const room = await alice.createRoom({ preset: 'public_chat', name: 'Bob' })
      await alice.alias(room, '#bob:localhost')
      await world.run()
      await world.online('irc')
      await world.online('relay')
      await alice.waitForMember(room, world.bot, 'join')
      const amy = await world.irc('amy', '#bob')
      const bob = await world.messenger('bob', ['relay'])

      amy.say('#bob', 'amy on IRC')
      const switchboard = await bob.answer()
      const first = await switchboard.heard()
      expect(first.text).toBe('<amy> amy on IRC')
      await alice.waitForMessage(room, 'amy on IRC')

      await alice.say(room, 'alice in Matrix')
      expect((await switchboard.heard()).text).toBe('<alice> alice in Matrix')
      await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.includes('alice in Matrix')))

      await switchboard.acked(switchboard.text('bob on MSN'))
      await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.includes('bob on MSN')))
      const seen = await alice.waitForMessage(room, 'bob on MSN')
      expect(seen.sender).toBe(world.ghost('bob'))

      const said = (words: string): readonly SeenEvent[] =>
        alice.messages(room).filter((event) => bodyOf(event).includes(words))
      for (const words of ['amy on IRC', 'alice in Matrix', 'bob on MSN']) {
        expect(said(words)).toHaveLength(1)
        expect(amy.said('msnbridge', '#bob').filter((line) => line.includes(words))).toHaveLength(
          words.startsWith('amy') ? 0 : 1,
        )
      }
      expect(said('amy on IRC')[0]?.sender).toMatch(/^@msn_irc_amy|^@msnbot/)
      const onMsn = switchboard.wire.received.filter(({ payload }) => /alice in Matrix|amy on IRC/.test(payload))
      expect(onMsn).toHaveLength(2)
      // A space without width keeps IRC clients from taking it for a mention.
      const told = amy.said('msnbridge', '#bob').map((line) => line.replaceAll('\u200b', ''))
      expect(told.find((line) => line.includes('alice in'))).toMatch(/^<alice[^>]*> alice in Matrix$/)
    }, 60_000)
  })
})
