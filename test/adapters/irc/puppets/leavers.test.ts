import type { IrcMessage } from 'irc-framework'
import { expect, test } from 'vitest'
import { Leavers } from '../../../../adapters/irc/puppets/leavers.ts'

const GRACE_MS = 1_000
const lower = (nick: string): string => nick.toLowerCase()
const from = (nick: string, hostname: string, command: string, ...params: string[]): IrcMessage => ({
  tags: {},
  prefix: `${nick}!u@${hostname}`,
  nick,
  ident: 'u',
  hostname,
  command,
  params,
})
const split = from('dave', 'home.example', 'QUIT', 'hub.example leaf.example')

test('who comes back from a netsplit was never gone', () => {
  const leavers = new Leavers(GRACE_MS)
  expect(leavers.message(split, lower, 0)).toBeUndefined()
  expect(leavers.message(from('Dave', 'home.example', 'JOIN', '#msn'), lower, 500)).toBeUndefined()
  expect(leavers.due(GRACE_MS)).toEqual([])
})

test('who does not come back in time is gone', () => {
  const leavers = new Leavers(GRACE_MS)
  leavers.message(split, lower, 0)
  expect(leavers.due(GRACE_MS - 1)).toEqual([])
  expect(leavers.due(GRACE_MS)).toEqual(['dave'])
})

test('whoever takes the nick meanwhile is somebody else', () => {
  const leavers = new Leavers(GRACE_MS)
  leavers.message(split, lower, 0)
  expect(leavers.message(from('dave', 'elsewhere.example', 'JOIN', '#msn'), lower, 500)).toBe('dave')
  expect(leavers.due(GRACE_MS)).toEqual([])
})
