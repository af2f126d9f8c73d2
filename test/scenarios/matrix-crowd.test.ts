/** Somebody with 300 contacts signs in: a space and a list, and otherwise silence. */
import { afterEach, expect, test } from 'vitest'
import { MsnServer } from '../../msnp/index.ts'
import { FakeHomeserver } from '../kit/fake-homeserver.ts'
import { MapHost } from '../kit/map-host.ts'
import { bodyOf } from '../kit/matrix-person.ts'
import { MatrixWorld, PASSWORD } from '../kit/matrix-world.ts'
import { Messenger } from '../kit/messenger.ts'
import { address } from '../kit/world.ts'

const CONTACTS = 300
const ANY = { host: '127.0.0.1', port: 0 }

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

test('300 contacts at the sign-in: no invitation, no presence, the space and the list right', async () => {
  const host = new MapHost()
  const friends = Array.from({ length: CONTACTS }, (_, index) => address(`friend${index}`))
  for (const email of [address('alice'), ...friends]) host.add(email, PASSWORD)
  const alices = host.records.get(address('alice'))
  if (alices === undefined) throw new Error('alice is not there')
  const contacts = friends.map((email) => ({ email, name: email, lists: 11, groups: [0] }))
  host.records.set(alices.email, { ...alices, contacts })
  const off = { burst: 0, intervalMs: 1 }
  const server = new MsnServer({
    host,
    tls: 'plain',
    listen: { notification: ANY, passport: ANY },
    limits: { contacts: 1_000, connectionsPerAddress: 1_000, connectionRate: off, commandRate: off },
  })
  await server.start()
  ends.push(() => server.stop())
  const where = {
    notification: server.listening?.notification.port ?? 0,
    passport: server.listening?.passport.port ?? 0,
    plain: true,
  }
  for (const friend of friends) {
    const messenger = await Messenger.signIn(where, friend, PASSWORD)
    await messenger.status('NLN')
    ends.push(async () => messenger.ns.kill())
  }
  const crowd = `
  - id: crowd
    type: msn
    server: 127.0.0.1:${where.notification}
    passport: { login: "http://127.0.0.1:${where.passport}/login2.srf" }`
  const world = await MatrixWorld.start({ start: (options) => FakeHomeserver.start(options), matrix: crowd })
  ends.push(() => world.stop())
  const alice = await world.guest('alice')
  expect(bodyOf(await world.login(alice, 'alice', PASSWORD, 'crowd'))).toContain(`${CONTACTS} contacts`)
  const listed = bodyOf(await world.ask(alice, 'contacts', /Online/))
  expect(listed).toContain('friend')
  const online = await world.status()
  expect(JSON.stringify(online)).toContain('crowd')

  const { rooms } = world.fake.state
  const types = [...rooms.values()].map((room) =>
    room.state('m.room.create')?.content['type'] === 'm.space' ? 'space' : 'room',
  )
  const invited = [...rooms.values()].filter((room) => room.membership(alice.person.id) === 'invite')
  const told = world.fake.requests.filter(({ path }) => path.includes('/presence/@msn'))
  const ghosts = world.fake.requests.filter(({ path }) => path.endsWith('/register'))
  console.info(
    `${CONTACTS} contacts: ${types.length} rooms (${types.join(', ')}), ${invited.length} invitation, ` +
      `${told.length} presence requests, ${ghosts.length} registrations`,
  )
  expect(types.toSorted()).toEqual(['room', 'space'])
  expect(invited).toHaveLength(1)
  expect(told).toEqual([])
  expect(ghosts.length).toBeLessThan(2)
}, 120_000)
