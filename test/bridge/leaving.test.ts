import { expect, test } from 'vitest'
import type { PersonId, UserId } from '../../bridge/model/ids.ts'
import { type House, startsHouses } from '../kit/house.ts'

const startHouse = startsHouses()
const ALICE = '@alice:hs' as UserId
const BOB = '@bob:hs' as UserId

const leave = (house: House, user: UserId): Promise<string | undefined> => {
  const { context } = house.matrix
  if (context === undefined) throw new Error('matrix does not run')
  return context.leave(user)
}

test('who leaves is logged out everywhere, and nobody else is', async () => {
  const house = await startHouse()
  await house.login('alice@x', 'swordfish', { from: house.user(ALICE) })
  await house.login('bob@x', 'swordfish', { from: house.user(BOB) })
  expect(await leave(house, ALICE)).toBeUndefined()
  expect(house.accountIds).toEqual(['retro:bob@x'])
  expect(house.matrix.context?.people.accountsOf(ALICE)).toEqual([])
  expect(await leave(house, '@nobody:hs' as UserId)).toBeUndefined()
})

test('who was linked with somebody is that no more, and takes nothing of theirs along', async () => {
  const house = await startHouse({ config: 'people: [{ id: al }]' })
  const { identity } = house.parts.hub
  await house.login('before@x', 'swordfish', { from: house.user(ALICE) })
  await identity.link(house.user(ALICE), 'al' as PersonId)
  await house.login('after@x', 'swordfish', { from: house.user(ALICE) })
  expect(house.matrix.context?.people.accountsOf(ALICE).length).toBe(2)
  expect(await leave(house, ALICE)).toBeUndefined()
  expect(house.accountIds).toEqual(['retro:after@x'])
  expect(house.parts.accounts.all().find(({ login }) => login === 'after@x')?.person).toBe('al')
  expect(house.matrix.context?.people.accountsOf(ALICE)).toEqual([])
})

test('whom the config names cannot leave, since the next of that name would be them', async () => {
  const house = await startHouse({ config: `people: [{ id: al, users: [{ network: matrix, user: "${ALICE}" }] }]` })
  await house.login('alice@x', 'swordfish', { from: house.user(ALICE) })
  expect(await leave(house, ALICE)).toContain('stands in the config of the bridge')
  expect(house.accountIds).toEqual(['retro:alice@x'])
})
