import { expect, test } from 'vitest'
import type { AccountId } from '../../bridge/model/ids.ts'
import { OwnStatus, ownStatus } from '../../bridge/own-status.ts'
import { VirtualClock } from '../kit/clock.ts'

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

const rig = () => {
  const clock = new VirtualClock()
  const online = new Set<AccountId>()
  const shown: string[] = []
  const status = new OwnStatus({
    clock,
    accounts: () => [relay, alone],
    linkedWith: (account) => (account === relay ? [libera] : []),
    isOnline: (account) => online.has(account),
    set: (account, show) => shown.push(`${account} ${show}`),
  })
  return { clock, online, shown, status }
}

test('the status follows the linked side, and what is not linked is left alone', async () => {
  const { clock, online, shown, status } = rig()
  online.add(libera)
  status.changed()
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
  status.changed()
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
