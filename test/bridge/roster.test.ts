import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RosterEntry } from '../../bridge/model/events.ts'
import type { AccountId, NetworkId, UserId, UserRef } from '../../bridge/model/ids.ts'
import type { Availability } from '../../bridge/model/presence.ts'
import { Roster, type RosterEvent } from '../../bridge/roster.ts'
import { Core, relay } from '../kit/core.ts'

let core: Core
let roster: Roster
beforeEach(async () => {
  core = new Core()
  await core.store.open()
  roster = new Roster(core.store)
})
afterEach(() => core.dispose())

const user = (name: string): UserRef => ({ network: 'msn' as NetworkId, user: name as UserId })
const entry = (name: string, more: Partial<RosterEntry> = {}): RosterEntry => ({
  user: user(name),
  name: name.toUpperCase(),
  listed: true,
  blocked: false,
  hasUs: true,
  ...more,
})
const list = (...contacts: readonly RosterEntry[]): RosterEvent => ({ kind: 'roster', account: relay.id, contacts })
const presence = (name: string, show: Availability, account: AccountId = relay.id): RosterEvent => ({
  kind: 'presence',
  account,
  user: user(name),
  state: { show },
})
const users = (): readonly string[] => roster.contacts(relay.id).map((contact) => contact.user)

test('names and flags survive a restart, presence does not', async () => {
  expect(roster.apply(list(entry('bob'), entry('eve', { blocked: true })))).toBe(true)
  roster.apply(presence('bob', 'busy'))
  await roster.settled()
  const again = new Roster(core.store)
  await again.start()
  expect(again.contacts(relay.id)).toEqual([
    { account: relay.id, user: 'bob', name: 'BOB', listed: true, blocked: false, hasUs: true },
    { account: relay.id, user: 'eve', name: 'EVE', listed: true, blocked: true, hasUs: true },
  ])
})

test('contacts that are not in the whole roster are gone', async () => {
  roster.apply(list(entry('bob'), entry('eve')))
  expect(roster.apply(list(entry('eve')))).toBe(true)
  expect(roster.apply(list(entry('eve')))).toBe(false)
  expect(users()).toEqual(['eve'])
  await roster.settled()
  expect((await core.store.contacts(relay.id)).map((row) => row.user)).toEqual(['eve'])
})

test('single changes are taken in, and who is on no list any more is forgotten', () => {
  const change = (what: Extract<RosterEvent, { kind: 'contact' }>['change'], name?: string) =>
    roster.apply({
      kind: 'contact',
      account: relay.id,
      user: user('bob'),
      change: what,
      ...(name === undefined ? {} : { name }),
    })
  expect(change('added-us', 'Bob')).toBe(true)
  expect(roster.contact(relay.id, 'bob' as UserId)).toMatchObject({ name: 'Bob', listed: false, hasUs: true })
  change('added')
  change('blocked')
  expect(roster.contact(relay.id, 'bob' as UserId)).toMatchObject({ listed: true, blocked: true })
  change('unblocked')
  change('removed-us')
  expect(users()).toEqual(['bob'])
  expect(change('removed')).toBe(true)
  expect(users()).toEqual([])
  expect(change('removed')).toBe(false)
})

test('a new name is taken for contacts only', () => {
  roster.apply(list(entry('bob')))
  expect(roster.apply({ kind: 'profile', account: relay.id, user: user('bob'), name: 'Robert' })).toBe(true)
  expect(roster.apply({ kind: 'profile', account: relay.id, user: user('zoe'), name: 'Zoe' })).toBe(false)
  expect(roster.contact(relay.id, 'bob' as UserId)?.name).toBe('Robert')
  expect(users()).toEqual(['bob'])
})

test('who is there comes first, then by name; who is not listed does not count', () => {
  roster.apply(list(entry('abe'), entry('bob'), entry('cid'), entry('dan', { listed: false })))
  expect(roster.apply(presence('cid', 'away'))).toBe(true)
  expect(roster.apply(presence('cid', 'away'))).toBe(false)
  roster.apply(presence('bob', 'online'))
  expect(roster.who(relay.id).map((contact) => [contact.user, contact.presence?.show])).toEqual([
    ['bob', 'online'],
    ['cid', 'away'],
    ['abe', undefined],
  ])
  expect(roster.sessionGone(relay.id)).toEqual(['cid', 'bob'])
  expect(roster.presence(relay.id, 'bob' as UserId)).toBeUndefined()
})

test('a shared ghost is as present as every observer sees them at least', () => {
  const second = 'second' as AccountId
  const third = 'third' as AccountId
  for (const account of [relay.id, second]) roster.apply({ ...list(entry('bob')), account })
  roster.apply(presence('bob', 'online'))
  expect(roster.effective(user('bob'), [relay.id])).toEqual({ show: 'online' })
  expect(roster.effective(user('bob'), [relay.id, second])).toEqual({ show: 'offline' })
  roster.apply(presence('bob', 'busy', second))
  expect(roster.effective(user('bob'), [relay.id, second, third])).toEqual({ show: 'busy' })
  expect(roster.effective(user('bob'), [third])).toEqual({ show: 'offline' })
})

test('a private name stays over what the network says, and over a restart, until it is taken back', async () => {
  const bob = 'bob' as UserId
  roster.apply(list(entry('bob')))
  await roster.setNickname(relay.id, bob, 'Honeybee')
  roster.apply(list(entry('bob', { name: 'Robert' })))
  roster.apply({ kind: 'profile', account: relay.id, user: user('bob'), name: 'Bobby' })
  expect(roster.contact(relay.id, bob)).toMatchObject({ name: 'Bobby', nickname: 'Honeybee' })
  roster.apply(list())
  expect(roster.contact(relay.id, bob)).toMatchObject({ listed: false, nickname: 'Honeybee' })
  await roster.settled()
  expect(await core.store.contacts(relay.id)).toMatchObject([{ user: 'bob', listed: false, nickname: 'Honeybee' }])
  await roster.setNickname(relay.id, bob, undefined)
  expect(roster.contact(relay.id, bob)).toBeUndefined()
  expect(await core.store.contacts(relay.id)).toEqual([])
})

test('somebody who is no contact can have a private name', async () => {
  await roster.setNickname(relay.id, 'zoe' as UserId, 'Zed')
  expect(await core.store.contacts(relay.id)).toMatchObject([{ user: 'zoe', nickname: 'Zed', listed: false }])
  expect(roster.who(relay.id)).toEqual([])
})

test('an account that is forgotten leaves nothing, not even what was about to be stored', async () => {
  roster.apply(list(entry('bob')))
  roster.apply(presence('bob', 'online'))
  roster.forget(relay.id)
  await core.store.removeAccount(relay.id)
  await roster.settled()
  expect([roster.contacts(relay.id), await core.store.contacts(relay.id)]).toEqual([[], []])
})
