import { afterEach, expect, test as always } from 'vitest'
import { missing } from '../kit/foreign-server.ts'
import { address, World } from '../kit/world.ts'

const test = always.skipIf(missing('inspircd'))

let world: World | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

test('who comes and goes on MSN is announced in the linked channels, once for each person', async () => {
  world = await World.start({
    links: [
      '[ { account: relay, group: [bob@home.example, carol@home.example] }, { network: irc, channel: "#friends" } ]',
      '[ { account: relay, lobby: true }, { network: irc, channel: "#msn" } ]',
    ],
    people: ['bob', 'carol'],
    irc: '    presence: { enabled: true, seconds: 0.3, channels: ["#msn"] }',
  })
  const op = await world.irc('op', '#msn', '#friends')
  const said = (): readonly string[] => op.said('msnbridge', '#msn').map((line) => line.replaceAll('\u200b', ''))
  op.say('#msn', `!msn add ${address('bob')}`)
  await op.until(() => said().some((line) => line.includes(address('bob'))))

  const bob = await world.messenger('bob')
  const online = await op.until(() => said().find((line) => line.startsWith('online: ')))
  expect(online).toMatch(/^online: bob[^,]*$/)
  bob.signOut()
  const offline = await op.until(() => said().find((line) => line.startsWith('offline: ')))
  expect(offline).toMatch(/^offline: bob[^,]*$/)
  expect(op.said('msnbridge', '#friends')).toEqual([])
}, 60_000)
