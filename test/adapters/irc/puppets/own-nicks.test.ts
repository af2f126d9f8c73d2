import { beforeEach, expect, test } from 'vitest'
import { NICK_LEAVES_MS, OwnNicks } from '../../../../adapters/irc/puppets/own-nicks.ts'

let nicks = new OwnNicks<string>()
beforeEach(() => {
  nicks = new OwnNicks()
})

test('a nick is ours as long as somebody has it, and a while longer', () => {
  nicks.called('bob', 'bob[m]', 0)
  expect(nicks.has('bob[m]', 10 * NICK_LEAVES_MS)).toBe(true)
  nicks.left('bob', 10)
  expect(nicks.has('bob[m]', 9 + NICK_LEAVES_MS)).toBe(true)
  expect(nicks.has('bob[m]', 10 + NICK_LEAVES_MS)).toBe(false)
})

test('a nick that the bot sees go is free at once', () => {
  nicks.called('bob', 'bob[m]', 0)
  nicks.left('bob', 0)
  nicks.seenGone('bob[m]')
  expect(nicks.has('bob[m]', 1)).toBe(false)
})

test('a nick that was changed where the bot does not see it is somebody else’s after a while', () => {
  nicks.called('bob', 'bob[m]', 0)
  nicks.called('bob', 'guest1', 10)
  expect(nicks.has('guest1', 10 + NICK_LEAVES_MS)).toBe(true)
  expect(nicks.has('bob[m]', 9 + NICK_LEAVES_MS)).toBe(true)
  expect(nicks.has('bob[m]', 10 + NICK_LEAVES_MS)).toBe(false)
})

test('a change that the bot sees counts before the connection hears of it', () => {
  nicks.called('bob', 'bob[m]', 0)
  nicks.seenRenamed('bob[m]', 'guest1', 10)
  expect([nicks.has('bob[m]', 11), nicks.has('guest1', 11)]).toEqual([false, true])
  nicks.called('bob', 'guest1', 12)
  expect([nicks.has('bob[m]', 13), nicks.has('guest1', 13)]).toEqual([false, true])
})

test('a nick that two of ours have had stays ours when one of them goes', () => {
  nicks.called('old', 'bob[m]', 0)
  nicks.called('new', 'bob[m]', 0)
  nicks.left('old', 0)
  nicks.seenGone('bob[m]')
  expect(nicks.has('bob[m]', 1)).toBe(true)
  nicks.left('new', 1)
  nicks.tend(1 + NICK_LEAVES_MS)
  expect(nicks.has('bob[m]', 1)).toBe(false)
})
