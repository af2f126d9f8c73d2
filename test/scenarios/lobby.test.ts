import { afterEach, expect, test as always } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { address, World } from '../kit/world.ts'

const test = always.skipIf(missing('inspircd'))

const LOBBY = '[ { account: relay, lobby: true }, { network: irc, channel: "#msn" } ]'

let world: World | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

test('in a lobby each contact is spoken to by name, and nobody else hears it', async () => {
  world = await World.start({ links: [LOBBY], people: ['bob', 'carol'] })
  const bob = await world.messenger('bob')
  const carol = await world.messenger('carol')
  const op = await world.irc('op', '#msn')
  const said = (): readonly string[] => op.said('msnbridge', '#msn').map((line) => line.replaceAll('\u200b', ''))
  for (const who of ['bob', 'carol']) {
    op.say('#msn', `!msn add ${address(who)}`)
    await op.until(() => said().some((line) => line.includes(who)))
  }

  op.say('#msn', 'bob: only for you')
  const bobRoom = await bob.answer()
  expect((await bobRoom.heard()).text).toBe('<op> only for you')
  await bobRoom.acked(bobRoom.text('got it'))
  await op.until(() => said().some((line) => /^<bob[^>]*> got it$/.test(line)))

  const room = await carol.call(address('relay'))
  await room.acked(room.text('carol speaks first'))
  await op.until(() => said().some((line) => /^<carol[^>]*> carol speaks first$/.test(line)))
  op.say('#msn', 'carol, and you answer')
  expect((await room.heard()).text).toBe('<op> and you answer')

  const before = said().length
  op.say('#msn', 'talking to nobody in particular')
  await op.until(() => said().length > before || op.lines.some((line) => /NOTICE op :/.test(line)))
  expect(bobRoom.wire.received.some(({ payload }) => payload.includes('in particular'))).toBe(false)
  expect(room.wire.received.some(({ payload }) => payload.includes('in particular'))).toBe(false)
}, 60_000)

test('who is there is told on demand', async () => {
  world = await World.start({ links: [LOBBY], people: ['bob'] })
  const op = await world.irc('op', '#msn')
  const answer = async (): Promise<string> => {
    const before = op.lines.length
    op.say('#msn', '!msn who')
    await op.until(() => op.lines.slice(before).some((line) => line.includes('bob')))
    return op.lines.slice(before).join('\n').replaceAll('\u200b', '')
  }
  op.say('#msn', `!msn add ${address('bob')}`)
  await op.until(() => op.lines.some((line) => line.includes('msnbridge') && line.includes(address('bob'))))
  expect(await answer()).toMatch(/offline: .*bob/i)
  const bob = await world.messenger('bob')
  await bob.status('BSY')
  // The bridge hears of it a moment later than bob's own client.
  for (let asked = 1; !/busy: .*bob/i.test(await answer()); asked++) expect(asked).toBeLessThan(50)
}, 60_000)
