import { expect, it } from 'vitest'
import { grantOf, mayCall, maySpeak, roleOf } from '../../../adapters/matrix/permissions.ts'
import { ALICE, CAROL, roomOf } from './scripted.ts'

const domain = 'example.org'

it.each([
  [{ '*': 'relay' }, '@alice:example.org', 'relay'],
  [{ '*': 'relay', 'example.org': 'user' }, '@alice:example.org', 'user'],
  [{ '*': 'relay', 'Example.ORG': 'user' }, '@alice:example.org', 'user'],
  [{ '@alice:example.org': 'relay', '*': 'admin', 'example.org': 'user' }, '@alice:example.org', 'relay'],
  [{ '*': 'relay', 'example.org': 'user' }, '@alice:example.org:8448', 'relay'],
  [{ 'example.org:8448': 'user' }, '@alice:example.org:8448', 'user'],
  [{ '@alice:example.org': 'admin' }, '@Alice:example.org', 'none'],
  [{ 'example.org': 'user' }, '@alice:evil.example.org', 'none'],
  [{}, '@alice:example.org', 'none'],
  [undefined, '@alice:example.org', 'user'],
  [undefined, '@alice:elsewhere.example', 'none'],
] as const)('by %j, %s is %s', (permissions, user, grant) => {
  expect(grantOf({ permissions, domain }, user)).toBe(grant)
})

it('lets nobody command who may only speak', () => {
  expect(roleOf('relay')).toBe('none')
  expect(roleOf('admin')).toBe('admin')
})

it('lets the owner speak, and others only where a relay speaks for them', () => {
  const portal = roomOf('!a')
  expect(maySpeak(portal, ALICE, 'user')).toBe(true)
  expect(maySpeak(portal, ALICE, 'none')).toBe(false)
  expect(maySpeak(portal, CAROL, 'admin')).toBe(false)
  expect(maySpeak({ ...portal, relay: true }, CAROL, 'relay')).toBe(true)
  expect(maySpeak({ ...portal, relay: true }, CAROL, 'none')).toBe(false)
  expect(maySpeak({ ...portal, kind: 'home', relay: true }, ALICE, 'user')).toBe(false)
})

it('lets people be called by the owner and admins, and in rooms without an owner by users', () => {
  const portal = roomOf('!portal')
  const plumbed = { ...portal, owner: undefined as never, relay: true }
  const grants = ['none', 'relay', 'user', 'admin'] as const
  const who = (room: typeof portal, user: typeof ALICE) => grants.filter((grant) => mayCall(room, user, grant))
  expect(who(portal, ALICE)).toEqual(['user', 'admin'])
  expect(who({ ...portal, relay: true }, CAROL)).toEqual(['admin'])
  expect(who(plumbed, CAROL)).toEqual(['user', 'admin'])
})
