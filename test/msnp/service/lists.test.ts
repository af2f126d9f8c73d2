import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS, type AccountRecord } from '../../../msnp/service/contract.ts'
import {
  addGroup,
  addTo,
  addWatcher,
  allows,
  contactOf,
  isOn,
  removeFrom,
  removeGroup,
  removeWatcher,
  renameGroup,
  settle,
} from '../../../msnp/service/lists.ts'
import { account } from '../../kit/notification-desk.ts'

/** docs/protocol.md, Contact lists. */

const alice = account('alice@example.com', {
  groups: [
    { id: 1, name: 'Work' },
    { id: 3, name: 'Play' },
  ],
  contacts: [{ email: 'bob@example.com', name: 'Bob', lists: 3, groups: [1] }],
})
const bob = { email: 'bob@example.com', name: 'Bobby' }
const must = (result: AccountRecord | number): AccountRecord => {
  if (typeof result === 'number') throw new Error(`code ${result}`)
  return result
}

describe('a contact', () => {
  it('who leaves one of several groups stays, and who leaves the last one is off the list', () => {
    const both = must(addTo(alice, 'FL', bob, 3, DEFAULT_LIMITS))
    const one = must(removeFrom(both, 'FL', bob.email, 1))
    expect(contactOf(one, bob.email)).toMatchObject({ lists: 3, groups: [3] })
    expect(contactOf(must(removeFrom(one, 'FL', bob.email, 3)), bob.email)).toMatchObject({ lists: 2, groups: [] })
  })

  it('keeps the name they have when they go on another list, and takes a new one when they come on FL', () => {
    expect(contactOf(must(addTo(alice, 'FL', bob, 3, DEFAULT_LIMITS)), bob.email)).toMatchObject({
      name: 'Bob',
      groups: [1, 3],
    })
    const stranger = addWatcher(account('alice@example.com'), { email: bob.email, name: 'bob of old' })
    expect(contactOf(must(addTo(stranger, 'AL', bob, undefined, DEFAULT_LIMITS)), bob.email)?.name).toBe('bob of old')
    expect(contactOf(must(addTo(stranger, 'FL', bob, undefined, DEFAULT_LIMITS)), bob.email)).toMatchObject({
      name: 'Bobby',
      groups: [0],
      lists: 25,
    })
  })

  it('may be in no group where the dialect has it so: taken out of the last one they stay', () => {
    const none = must(removeFrom(alice, 'FL', bob.email, 1, 'optional'))
    expect(contactOf(none, bob.email)).toMatchObject({ lists: 3, groups: [0] })
    const again = must(addTo(none, 'FL', bob, 3, DEFAULT_LIMITS, 'optional'))
    expect(contactOf(again, bob.email)).toMatchObject({ lists: 3, groups: [3] })
    expect(contactOf(must(addTo(none, 'FL', bob, 3, DEFAULT_LIMITS)), bob.email)).toMatchObject({ groups: [0, 3] })
  })

  it('who added us waits on PL until we allow, block or say that it is settled', () => {
    const waiting = addWatcher(account('alice@example.com'), bob)
    expect(contactOf(waiting, bob.email)?.lists).toBe(24)
    for (const list of ['AL', 'BL'] as const) {
      const answered = must(addTo(waiting, list, bob, undefined, DEFAULT_LIMITS))
      expect(isOn(contactOf(answered, bob.email), 'PL')).toBe(false)
      expect(settle(answered, bob.email)).toBe(answered)
    }
    expect(contactOf(must(settle(waiting, bob.email)), bob.email)?.lists).toBe(8)
    expect(settle(waiting, 'none@example.com')).toBe(216)
    expect(contactOf(addWatcher(alice, bob), bob.email)?.lists).toBe(11)
    expect(removeWatcher(waiting, bob.email).contacts).toEqual([])
  })

  it('on no list any more is gone', () => {
    const watched = addWatcher(account('alice@example.com'), bob)
    expect(removeWatcher(watched, bob.email).contacts).toEqual([])
    expect(removeWatcher(alice, 'none@example.com')).toBe(alice)
  })
})

describe('a group', () => {
  it('gets the lowest free number', () => {
    expect(addGroup(alice, 'New', DEFAULT_LIMITS)).toMatchObject({ group: { id: 2, since: 2 }, record: { version: 2 } })
  })

  it('that goes leaves its people in group 0', () => {
    expect(contactOf(must(removeGroup(alice, 1)), bob.email)?.groups).toEqual([0])
  })

  it('0 may be renamed', () => {
    expect(must(renameGroup(alice, 0, 'Others')).group0).toBe('Others')
  })
})

it('keeps its rules, whatever is asked', () => {
  const person = fc.constantFrom('bob', 'carol', 'dave').map((name) => ({ email: `${name}@example.com`, name }))
  const list = fc.constantFrom('FL' as const, 'AL' as const, 'BL' as const)
  const group = fc.option(fc.constantFrom(0, 1, 2, 9, -1), { nil: undefined })
  const grouping = fc.constantFrom('always' as const, 'optional' as const)
  const limits = { ...DEFAULT_LIMITS, contacts: 2, groups: 2 }
  const step = fc.oneof(
    fc.tuple(list, person, group, grouping).map(
      ([on, who, into, kind]) =>
        (record: AccountRecord) =>
          addTo(record, on, who, into, limits, kind),
    ),
    fc.tuple(list, person, group, grouping).map(
      ([on, { email }, from, kind]) =>
        (record: AccountRecord) =>
          removeFrom(record, on, email, from, kind),
    ),
    person.map(
      ({ email }) =>
        (record: AccountRecord) =>
          settle(record, email),
    ),
    person.map((watcher) => (record: AccountRecord) => addWatcher(record, watcher)),
    person.map(
      ({ email }) =>
        (record: AccountRecord) =>
          removeWatcher(record, email),
    ),
    fc.constant((record: AccountRecord) => {
      const made = addGroup(record, 'g', limits)
      return typeof made === 'number' ? made : made.record
    }),
    fc.constantFrom(0, 1, 2).map((id) => (record: AccountRecord) => removeGroup(record, id)),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let record = account('alice@example.com')
      for (const change of steps) {
        const before = JSON.stringify(record)
        const next = change(record)
        expect(JSON.stringify(record)).toBe(before)
        if (typeof next === 'number') continue
        if (next !== record) expect(next.version).toBe(record.version + 1)
        record = next
        const ids = new Set([0, ...record.groups.map(({ id }) => id)])
        expect(record.groups.length).toBeLessThanOrEqual(2)
        expect(new Set(record.contacts.map(({ email }) => email)).size).toBe(record.contacts.length)
        for (const on of ['FL', 'AL', 'BL'] as const) {
          expect(record.contacts.filter((contact) => isOn(contact, on)).length).toBeLessThanOrEqual(2)
        }
        for (const contact of record.contacts) {
          expect(contact.lists).toBeGreaterThan(0)
          expect(isOn(contact, 'AL') && isOn(contact, 'BL')).toBe(false)
          expect(isOn(contact, 'PL') && (!isOn(contact, 'RL') || isOn(contact, 'AL') || isOn(contact, 'BL'))).toBe(
            false,
          )
          expect(contact.groups.length > 0).toBe(isOn(contact, 'FL'))
          expect(contact.groups.every((id) => ids.has(id))).toBe(true)
          expect(allows(record, contact.email)).toBe(!isOn(contact, 'BL'))
        }
      }
    }),
  )
})
