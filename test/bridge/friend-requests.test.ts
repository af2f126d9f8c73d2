import { expect, test } from 'vitest'
import { ASKED_OF_ALL, ASKED_OF_ONE, ASKED_ONE_BY_ONE } from '../../bridge/friend-requests.ts'
import type { RosterRequest } from '../../bridge/adapter.ts'
import type { RosterChange } from '../../bridge/model/events.ts'
import type { AccountId } from '../../bridge/model/ids.ts'
import type { RosterResult } from '../../bridge/model/result.ts'
import { type House, type HouseOptions, RETRO, startsHouses } from '../kit/house.ts'

const startHouse = startsHouses()
const ID = 'retro:alice@x' as AccountId

const policy = (what: string): HouseOptions => ({
  config: `networks:
  - { id: retro, type: msn, server: "127.0.0.1:1863", passport: { login: "https://127.0.0.1/login" } }
  - { id: matrix, type: matrix, homeserver: "http://127.0.0.1:8008", domain: hs, friend_requests: ${what} }`,
})

const signedIn = async (options: HouseOptions = {}) => {
  const house = await startHouse(options)
  await house.login('alice@x')
  const asked: RosterRequest[] = []
  house.retro.askedRoster = async (request): Promise<RosterResult> => {
    asked.push(request)
    return { kind: 'done' }
  }
  return { house, asked }
}

const change = (house: House, user: string, what: RosterChange, name?: string): Promise<void> =>
  house.emit({
    kind: 'contact',
    account: ID,
    user: house.user(user, RETRO),
    change: what,
    ...(name === undefined ? {} : { name }),
  })

test('who adds us is announced with name and address, and answered with one touch', async () => {
  const { house, asked } = await signedIn()
  await change(house, 'bob@x', 'added-us', 'Bob <admin>')
  expect(house.newsText()).toEqual([
    'Bob admin <bob@x> wants to be your contact (alice@x on retro). Say: accept bob@x retro:alice@x - or: decline bob@x retro:alice@x',
  ])
  expect(house.news()[0]?.choices).toEqual([
    { key: '✅', words: 'accept', line: 'accept bob@x retro:alice@x' },
    { key: '❌', words: 'decline', line: 'decline bob@x retro:alice@x' },
  ])
  expect(await house.ask('accept bob@x retro:alice@x')).toEqual([
    'bob@x is your contact now (retro:alice@x). To write to them: start-chat bob@x',
  ])
  expect(asked).toEqual([{ kind: 'add', user: 'bob@x' }])
})

test('declining blocks', async () => {
  const { house, asked } = await signedIn()
  await change(house, 'bob@x', 'added-us')
  expect(await house.ask('decline bob@x')).toEqual([
    'bob@x is blocked for retro:alice@x: they see you offline and cannot write. To undo that: unblock bob@x',
  ])
  expect(asked).toEqual([{ kind: 'block', user: 'bob@x' }])
})

test('is asked once: not by the list after each sign-in, and not after a restart', async () => {
  const { house } = await signedIn()
  await change(house, 'bob@x', 'added-us')
  await house.roster(ID, { address: 'bob@x', listed: false })
  await house.stop()
  const again = await startHouse({ folder: house.folder, clock: house.clock })
  await again.roster(ID, { address: 'bob@x', listed: false })
  expect(again.news()).toEqual([])
  await change(again, 'bob@x', 'removed-us')
  await change(again, 'bob@x', 'added-us')
  expect(again.newsText()).toHaveLength(1)
})

test('nobody is asked about who is on the list, blocked, or was let in before', async () => {
  const { house } = await signedIn()
  await house.roster(
    ID,
    { address: 'listed@x' },
    { address: 'blocked@x', listed: false, blocked: true },
    { address: 'allowed@x', listed: false, allowed: true },
    { address: 'mine@x', listed: true, hasUs: false },
  )
  await change(house, 'listed@x', 'added-us')
  expect(house.news()).toEqual([])
})

test('a list with hundreds of them does not make a storm', async () => {
  const { house } = await signedIn()
  const many = Array.from({ length: 300 }, (_, index) => ({ address: `c${index}@x`, listed: false }))
  await house.roster(ID, ...many)
  expect(house.news()).toHaveLength(ASKED_ONE_BY_ONE + 1)
  expect(house.newsText().at(-1)).toMatch(/^295 more have you on their lists .* and 275 others\./)
  await house.roster(ID, ...many)
  expect(house.news()).toHaveLength(ASKED_ONE_BY_ONE + 1)
})

test('somebody who adds and removes all day asks no more than twice, and many at once wait for the next sign-in', async () => {
  const { house } = await signedIn()
  for (let time = 0; time < 30; time++) {
    await change(house, 'bob@x', 'added-us')
    await change(house, 'bob@x', 'removed-us')
  }
  expect(house.news()).toHaveLength(ASKED_OF_ONE.times)
  const many = Array.from({ length: 50 }, (_, index) => `c${index}@x`)
  for (const user of many) await change(house, user, 'added-us')
  expect(house.news()).toHaveLength(ASKED_OF_ALL.times)
  await house.roster(ID, ...many.map((address) => ({ address, listed: false })))
  const asked = house.newsText().join('\n')
  for (const user of many.slice(0, 25)) expect(asked).toContain(user)
  expect(house.news()).toHaveLength(ASKED_OF_ALL.times + ASKED_ONE_BY_ONE + 1)
})

test('a question that the disk did not take is asked at the next sign-in', async () => {
  const { house } = await signedIn()
  const { hub } = house.parts
  const enqueue = hub.tellPerson.bind(hub)
  hub.tellPerson = () => Promise.reject(new Error('the disk is full'))
  await change(house, 'bob@x', 'added-us')
  hub.tellPerson = enqueue
  expect(house.news()).toEqual([])
  await house.roster(ID, { address: 'bob@x', listed: false })
  expect(house.newsText()).toEqual([expect.stringContaining('bob@x wants to be your contact')])
})

test('hundreds who are let in at once are told in a line', async () => {
  const { house, asked } = await signedIn(policy('accept'))
  await house.roster(ID, ...Array.from({ length: 300 }, (_, index) => ({ address: `c${index}@x`, listed: false })))
  expect(asked).toHaveLength(300)
  expect(house.newsText()).toEqual([expect.stringMatching(/ and 280 others added you .*, and are on your list now\.$/)])
})

test('everybody is let in where the config says so, and the person hears of it', async () => {
  const { house, asked } = await signedIn(policy('accept'))
  await change(house, 'bob@x', 'added-us', 'Bob')
  expect(asked).toEqual([{ kind: 'add', user: 'bob@x' }])
  expect(house.newsText()).toEqual(['Bob <bob@x> added you (alice@x on retro), and is on your list now.'])
  house.retro.askedRoster = async () => ({ kind: 'refused', reason: 'forbidden', detail: 'the list is full' })
  await change(house, 'carol@x', 'added-us', 'Carol')
  expect(house.newsText().at(-1)).toBe(
    'Carol <carol@x> added you (alice@x on retro), but cannot be put on your list: the list is full.',
  )
})

test('nothing happens where the config says so', async () => {
  const { house, asked } = await signedIn(policy('ignore'))
  await change(house, 'bob@x', 'added-us')
  expect([house.news(), asked]).toEqual([[], []])
})

test('nobody is asked about an account of somebody who lives nowhere', async () => {
  const house = await startHouse({
    config: 'accounts: [{ id: relay, network: retro, login: relay@x, password: { env: PASS } }]',
    env: { PASS: 'swordfish' },
  })
  await house.roster('relay', { address: 'bob@x', listed: false })
  expect(house.matrix.ops('status')).toEqual([])
})

test('who is on the list of those to let in before the sign-in is through is let in after it', async () => {
  const house = await startHouse(policy('accept'))
  const asked: RosterRequest[] = []
  house.retro.askedRoster = async (request): Promise<RosterResult> => {
    asked.push(request)
    return { kind: 'done' }
  }
  house.retro.connecting = async ({ id: account }) => {
    const bob = { user: house.user('bob@x', RETRO), name: 'Bob', listed: false, blocked: false, hasUs: true }
    await house.retro.context?.emit({ kind: 'roster', account, contacts: [bob] })
    await house.parts.friends.settled()
  }
  await house.login('alice@x')
  await house.settle()
  expect(asked).toEqual([{ kind: 'add', user: 'bob@x' }])
  expect(house.newsText()).toContain('Bob <bob@x> added you (alice@x on retro), and is on your list now.')
})
