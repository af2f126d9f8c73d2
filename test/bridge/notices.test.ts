import { expect, test } from 'vitest'
import type { AccountId } from '../../bridge/model/ids.ts'
import { startsHouses } from '../kit/house.ts'

const startHouse = startsHouses()

test('what a network says to the owner of an account comes where they live, and to nobody else', async () => {
  const house = await startHouse()
  await house.login('alice@x')
  const text = [{ text: 'alice@x: the MSN server goes down for maintenance in 5 minutes.' }]
  await house.emit({ kind: 'notice', account: 'retro:alice@x' as AccountId, text })
  await house.emit({ kind: 'notice', account: 'retro:nobody@x' as AccountId, text: [{ text: 'to nobody' }] })
  expect(house.newsText()).toEqual(['alice@x: the MSN server goes down for maintenance in 5 minutes.'])
})
