import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matrixConfig } from '../../../adapters/matrix/config.ts'
import {
  domainOf,
  isAlias,
  isEventId,
  isMxid,
  isRoomId,
  MAX_ID_BYTES,
  parseMxid,
  parseRoom,
} from '../../../adapters/matrix/ids.ts'
import '../../kit/properties.ts'

test('a homeserver and its domain are enough, and nothing is open to the world', () => {
  const config = matrixConfig.parse({ id: 'hs', type: 'matrix', homeserver: 'http://hs:8008', domain: 'example.org' })
  expect(config).toMatchObject({
    listen: { host: '127.0.0.1', port: 29333 },
    bot: { localpart: 'msnbot', name: 'MSN bridge' },
    ghosts: { prefix: 'msn_', name: '{name}' },
    portals: 'on-message',
    spaces: true,
    federate: true,
    presence: 'full',
    presence_per_second: 5,
    offline_as: 'away',
    friend_requests: 'ask',
    notices: false,
    other_bridges: [],
    timing: { connect_timeout_ms: 60_000, ping_ms: 180_000 },
  })
})

test.each([
  ['!abc:example.org', '!abc:example.org'],
  ['!abcdefghijklmnopqrstuvwxyz', '!abcdefghijklmnopqrstuvwxyz'],
  [' #friends:example.org ', '#friends:example.org'],
  ['#friends:example.org:8448', '#friends:example.org:8448'],
  ['https://matrix.to/#/%23friends%3Aexample.org', '#friends:example.org'],
  ['https://matrix.to/#/!abc:example.org?via=example.org', '!abc:example.org'],
  ['matrix:r/friends:example.org', '#friends:example.org'],
  ['matrix:roomid/abc:example.org?via=x', '!abc:example.org'],
])('the room %s is %s', (name, room) => {
  expect(parseRoom(name, 'example.org')).toBe(room)
})

test.each(['#friends', 'friends', '!', '!a b', '@alice:example.org', '', `!${'x'.repeat(MAX_ID_BYTES)}`])(
  '%j is no room, and how one looks is said',
  (name) => {
    expect(parseRoom(name, 'example.org')).toEqual({
      wrong: `${name} is no room: write its address #name:example.org or its id !abc:example.org`,
    })
  },
)

test.each([
  ['@alice:example.org', '@alice:example.org'],
  ['https://matrix.to/#/@alice:example.org', '@alice:example.org'],
  ['matrix:u/alice:example.org', '@alice:example.org'],
])('the user %s is %s', (name, user) => {
  expect(parseMxid(name, 'example.org')).toBe(user)
})

test.each(['alice', 'alice@example.org', '@alice', '@al ice:x', '!a:b'])('%j is no user', (name) => {
  expect(parseMxid(name, 'example.org')).toEqual({ wrong: `${name} is no Matrix user: write @name:example.org` })
})

test('the domain of a user is all behind the first colon', () => {
  expect(domainOf('@alice:[::1]:8448')).toBe('[::1]:8448')
})

test('what is parsed is an id of the right kind, whatever was written', () => {
  const words = fc.oneof(fc.string(), fc.stringMatching(/^[@!#$][a-z%: ]{0,12}$/), fc.webUrl())
  fc.assert(
    fc.property(words, (text) => {
      const room = parseRoom(text, 'x')
      const user = parseMxid(text, 'x')
      expect(typeof room !== 'string' || isRoomId(room) || isAlias(room)).toBe(true)
      expect(typeof user !== 'string' || isMxid(user)).toBe(true)
      expect(isEventId(text) && isMxid(text)).toBe(false)
    }),
  )
})
