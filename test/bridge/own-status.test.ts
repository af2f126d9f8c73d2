import { expect, test } from 'vitest'
import type { AccountId, NetworkId, PersonId, UserId, UserRef } from '../../bridge/model/ids.ts'
import { type OwnAccount, OwnStatus, ownStatus, seenStatus, type Sighting } from '../../bridge/own-status.ts'
import { VirtualClock } from '../kit/clock.ts'
import { recordingLog } from '../kit/observers.ts'

const relay = 'relay' as AccountId
const libera = 'libera' as AccountId
const oftc = 'oftc' as AccountId
const alone = 'alone' as AccountId

const cases: readonly {
  linked: readonly AccountId[]
  online: readonly AccountId[]
  shown: 'online' | 'away' | undefined
}[] = [
  { linked: [], online: [], shown: undefined },
  { linked: [libera], online: [], shown: 'away' },
  { linked: [libera], online: [libera], shown: 'online' },
  { linked: [libera, oftc], online: [oftc], shown: 'online' },
  { linked: [libera], online: [oftc], shown: 'away' },
]

test.each(cases)('linked with $linked while $online are online we look $shown', ({ linked, online, shown }) => {
  expect(ownStatus(linked, (account) => online.includes(account))).toBe(shown)
})

const alice = 'alice' as PersonId
const matrix = 'matrix' as NetworkId
const gateway = 'gateway' as NetworkId
const on = (network: NetworkId, user = 'alice'): UserRef => ({ network, user: user as UserId })

const rig = (lives: readonly NetworkId[] = []) => {
  const clock = new VirtualClock()
  const online = new Set<AccountId>()
  const shown: string[] = []
  const facts = new Map<string, string>()
  const owned = (id: AccountId): OwnAccount => ({ id, network: 'msn' as NetworkId, person: alice })
  const make = () =>
    new OwnStatus({
      clock,
      log: recordingLog(),
      accounts: () => [owned(relay), owned(alone)],
      linkedWith: (account) => (account === relay ? [libera] : []),
      isOnline: (account) => online.has(account),
      livesOn: () => lives,
      offlineAs: (network) => (network === gateway ? 'hidden' : 'away'),
      set: (account, { show, text }) => shown.push(`${account} ${show}${text === undefined ? '' : ` "${text}"`}`),
      facts: async (account) =>
        new Map([...facts].flatMap(([key, value]) => (key === account ? [['status.pinned', value]] : []))),
      setFact: async (account, _, value) => {
        if (value === undefined) facts.delete(account)
        else facts.set(account, value)
      },
    })
  return { clock, online, shown, make, status: make() }
}

test('the status follows the linked side, and what is not linked is left alone', async () => {
  const { clock, online, shown, status } = rig()
  online.add(libera)
  await status.start()
  expect(shown).toEqual(['relay online'])
  online.delete(libera)
  status.changed()
  await clock.advance(10_000)
  expect(shown).toEqual(['relay online', 'relay away'])
  online.add(libera)
  status.changed()
  expect(shown).toEqual(['relay online', 'relay away', 'relay online'])
  await status.stop()
})

test('a short absence is not shown', async () => {
  const { clock, online, shown, status } = rig()
  online.add(libera)
  await status.start()
  online.delete(libera)
  status.changed()
  await clock.advance(1_000)
  online.add(libera)
  status.changed()
  await clock.advance(60_000)
  expect(shown).toEqual(['relay online'])
  await status.stop()
  expect(clock.sleeping).toBe(0)
})

const seen = (...list: (readonly [NetworkId, Sighting['state']['show']])[]): readonly Sighting[] =>
  list.map(([network, show]) => ({ network, state: { show } }))

test.each<[string, readonly Sighting[], string]>([
  ['nobody sees them', [], 'away'],
  ['they are there', seen([matrix, 'online']), 'online'],
  ['the most available of several counts', seen([matrix, 'away'], [gateway, 'busy'], [gateway, 'offline']), 'busy'],
  ['they are gone', seen([matrix, 'offline']), 'away'],
  ['they are gone from where that means hidden', seen([gateway, 'offline']), 'hidden'],
  ['they are gone from both', seen([gateway, 'offline'], [matrix, 'offline']), 'away'],
])('%s', (_, sightings, show) => {
  expect(seenStatus(sightings, (network) => (network === gateway ? 'hidden' : 'away'))).toEqual({ show })
})

test('somebody who lives elsewhere is away until they are seen there, and then looks as they do there', async () => {
  const { clock, online, shown, status } = rig([matrix])
  online.add(libera)
  await status.start()
  expect(shown).toEqual(['relay away', 'alone away'])
  status.seen(alice, on(matrix), { show: 'busy', text: 'writing' })
  status.seen(alice, on(matrix), { show: 'busy', text: 'writing' })
  status.changed()
  await clock.advance(60_000)
  expect(shown.slice(2)).toEqual(['relay busy "writing"', 'alone busy "writing"'])
  status.seen(alice, on(matrix, 'alice-at-work'), { show: 'online' })
  status.seen(alice, on(matrix), { show: 'offline' })
  status.seen(alice, on(matrix, 'alice-at-work'), { show: 'offline' })
  expect(shown.slice(4)).toEqual(['relay online', 'alone online', 'relay away', 'alone away'])
  await status.stop()
})

test('what they do on a network says nothing of their account there', async () => {
  const { shown, status } = rig([matrix])
  await status.start()
  status.seen(alice, on('msn' as NetworkId), { show: 'online' })
  expect(shown).toEqual(['relay away', 'alone away'])
  await status.stop()
})

test('what is pinned stays, over restarts, until it is taken back', async () => {
  const { shown, status, make } = rig([matrix])
  await status.start()
  await status.pin(relay, { show: 'hidden' })
  status.seen(alice, on(matrix), { show: 'online' })
  expect(shown.slice(2)).toEqual(['relay hidden', 'alone online'])
  await status.stop()
  const again = make()
  shown.length = 0
  // A sign-in may come before anybody has looked at the disk.
  again.changed({ kind: 'connecting', attempt: 1 })
  expect(shown).toEqual([])
  await again.start()
  await Promise.resolve()
  expect(shown.toSorted()).toEqual(['alone away', 'relay hidden'])
  expect(again.pinned(relay)).toEqual({ show: 'hidden' })
  await again.pin(relay, undefined)
  expect(shown.at(-1)).toBe('relay away')
  await again.stop()
})
