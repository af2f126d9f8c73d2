import { describe, expect, it } from 'vitest'
import { Doorkeeper, MAX_PLACES, placeOf } from '../../../msnp/io/doorkeeper.ts'
import { isSwitchboardCommand } from '../../../msnp/io/first-command.ts'
import { listenProblem } from '../../../msnp/io/listener.ts'

const NO_RATE = { burst: 0, intervalMs: 1 }

describe('the doorkeeper', () => {
  it('lets in so many in all and so many from one address', () => {
    const door = new Doorkeeper({ connections: 3, connectionsPerAddress: 2, connectionRate: NO_RATE }, () => 0)
    expect([door.enter('a'), door.enter('a')]).toEqual([undefined, undefined])
    expect(door.enter('a')).toBe('too many connections from one address')
    expect(door.enter('b')).toBeUndefined()
    expect(door.enter('c')).toBe('too many connections')
    door.left('a')
    expect(door.enter('c')).toBeUndefined()
    for (const address of ['a', 'b', 'c']) door.left(address)
    expect(door.connections).toBe(0)
  })

  it('holds up a storm from one address and nobody else', () => {
    let now = 0
    const connectionRate = { burst: 3, intervalMs: 100 }
    const door = new Doorkeeper({ connections: 100, connectionsPerAddress: 100, connectionRate }, () => now)
    const storm = () => {
      const answer = door.enter('a')
      if (answer === undefined) door.left('a')
      return answer
    }
    expect([storm(), storm(), storm()]).toEqual([undefined, undefined, undefined])
    expect(storm()).toBe('connections from one address come too fast')
    expect(door.enter('b')).toBeUndefined()
    now += 100
    expect(storm()).toBeUndefined()
    expect(storm()).toBe('connections from one address come too fast')
  })

  it('remembers a bounded number of addresses, and never forgets one that is inside', () => {
    const limits = { connections: 1e9, connectionsPerAddress: 1, connectionRate: NO_RATE }
    const door = new Doorkeeper(limits, () => 0)
    door.enter('inside')
    for (let index = 0; index <= MAX_PLACES; index++) {
      door.enter(String(index))
      door.left(String(index))
    }
    expect(door.enter('inside')).toBe('too many connections from one address')
    expect(door.connections).toBe(1)
  })

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
  ])('counts %s as %s', (address, place) => {
    expect(placeOf(address)).toBe(place)
  })
})

it.each([
  ['ANS 1 bob@example.com 849102291.520491113 11752013', true],
  ['ans 1', true],
  ['USR 1 alice@example.com 17262740.1050826919.32308', true],
  ['USR  1   alice@example.com', true],
  ['USR 3 TWN I alice@example.com', false],
  ['VER 1 MSNP9 CVR0', false],
  ['INF 1', false],
  ['USR', false],
  ['GET / HTTP/1.1', false],
])('a first line %j opens a switchboard: %s', (line, isSwitchboard) => {
  expect(isSwitchboardCommand(line)).toBe(isSwitchboard)
})

it.each([
  ['EADDRINUSE', 'the port is taken'],
  ['EACCES', 'no permission'],
  ['EADDRNOTAVAIL', 'does not have that address'],
  ['EMFILE', 'EMFILE'],
])('says what is wrong with a place (%s) and what to do', (code, words) => {
  const problem = listenProblem(Object.assign(new Error('x'), { code }), 'the login page', { host: '::1', port: 443 })
  expect(problem).toContain('cannot listen on [::1]:443 for the login page')
  expect(problem).toContain(words)
  expect(problem).toMatch(/ (?:Configure|End) /)
})
