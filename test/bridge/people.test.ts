import { describe, expect, test } from 'vitest'
import type { AdapterContext, PeopleNews } from '../../bridge/adapter.ts'
import type { AccountId, UserId } from '../../bridge/model/ids.ts'
import type { Availability } from '../../bridge/model/presence.ts'
import { type House, LIBERA, RETRO, startsHouses, unreachable } from '../kit/house.ts'

const startHouse = startsHouses()
const ALICES = 'retro:alice@x' as AccountId
const ALICE = '@alice:hs' as UserId
const BOB = 'bob@x' as UserId

const peopleOf = (house: House, network = house.matrix.network): AdapterContext['people'] => {
  const { context } = house.adapterOf(network)
  if (context === undefined) throw new Error(`${network} has not been started`)
  return context.people
}

/** What matrix was told since the last call, as "contact @alice:hs retro:alice@x bob@x". */
const told = (house: House): readonly string[] =>
  house.matrix.told
    .splice(0)
    .map((news: PeopleNews) =>
      [news.kind, news.owner, news.account, ...('user' in news ? [news.user] : [])].map(String).join(' '),
    )

const see = (house: House, user: string, show: Availability): Promise<void> =>
  house.emit({ kind: 'presence', account: ALICES, user: house.user(user, RETRO), state: { show } })

/** Alice has signed in, and bob is her contact. */
const withBob = async (): Promise<House> => {
  const house = await startHouse()
  await house.login('alice@x')
  await house.roster(ALICES, { address: 'bob@x', name: 'Bob', groups: ['Friends'] })
  told(house)
  return house
}

describe('what is shown', () => {
  test('the accounts of somebody, and whom they know', async () => {
    const house = await withBob()
    await house.parts.hub.roster.setNickname(ALICES, BOB, 'Bobby')
    await see(house, 'bob@x', 'busy')
    const people = peopleOf(house)
    expect(people.accountsOf(ALICE)).toEqual([
      {
        id: ALICES,
        network: RETRO,
        login: 'alice@x',
        state: expect.objectContaining({ kind: 'online' }) as unknown,
        wanted: true,
        fixed: false,
        picture: 'none',
      },
    ])
    const bob = {
      user: BOB,
      name: 'Bob',
      nickname: 'Bobby',
      listed: true,
      blocked: false,
      hasUs: true,
      groups: ['Friends'],
      presence: { show: 'busy' },
    }
    expect(people.contactsOf(ALICES)).toEqual([bob])
    expect(people.contact(ALICES, BOB)).toEqual(bob)
    expect(people.contact(ALICES, 'eve@x' as UserId)).toBeUndefined()
  })

  test('nothing of accounts whose owner does not live there, nor of bots', async () => {
    const house = await startHouse({
      config:
        'people: [{ id: carl }]\naccounts: [{ id: carls, network: retro, person: carl, login: carl@x, password: { env: P } }]',
      env: { P: 'secret' },
    })
    await house.login('alice@x')
    await house.roster('carls', { address: 'bob@x' })
    await house.roster(ALICES, { address: 'bob@x' })
    told(house)
    expect(peopleOf(house).contactsOf('carls' as AccountId)).toEqual([])
    expect(peopleOf(house).contact('carls' as AccountId, BOB)).toBeUndefined()
    expect(peopleOf(house).accountsOf('@bot:hs' as UserId)).toEqual([])
    // Alice does not live on the relay.
    expect(peopleOf(house, LIBERA).contactsOf(ALICES)).toEqual([])
    expect(peopleOf(house, LIBERA).accountsOf(ALICE)).toEqual([])
    await house.emit({
      kind: 'presence',
      account: 'carls' as AccountId,
      user: house.user('bob@x', RETRO),
      state: { show: 'online' },
    })
    expect(told(house)).toEqual([])
  })

  test('an account of the config is fixed, and stays where it is when it is disconnected', async () => {
    const house = await startHouse({
      config: `people: [{ id: alice, users: [{ network: matrix, user: "@alice:hs" }] }]
accounts: [{ id: hers, network: retro, person: alice, login: alice@x, password: { env: P } }]`,
      env: { P: 'secret' },
    })
    expect(peopleOf(house).accountsOf(ALICE)).toMatchObject([{ id: 'hers', wanted: true, fixed: true }])
    told(house)
    await house.ask('disconnect hers')
    expect(peopleOf(house).accountsOf(ALICE)).toMatchObject([{ wanted: false, state: { kind: 'offline' } }])
    expect(new Set(told(house))).toEqual(new Set(['account @alice:hs hers']))
  })
})

describe('what is told', () => {
  test('each change of a contact, and nothing where nothing changed', async () => {
    const house = await withBob()
    await see(house, 'bob@x', 'online')
    await see(house, 'bob@x', 'online')
    // On no list of hers.
    await see(house, 'eve@x', 'online')
    expect(told(house)).toEqual(['contact @alice:hs retro:alice@x bob@x'])
    await house.parts.hub.roster.setNickname(ALICES, BOB, 'Bobby')
    await house.emit({ kind: 'profile', account: ALICES, user: house.user('bob@x', RETRO), name: 'Robert' })
    await house.emit({ kind: 'profile', account: ALICES, user: house.user('bob@x', RETRO), name: 'Robert' })
    expect(told(house)).toHaveLength(2)
    await house.emit({ kind: 'contact', account: ALICES, user: house.user('bob@x', RETRO), change: 'blocked' })
    await house.parts.hub.roster.setNickname(ALICES, BOB, undefined)
    expect(told(house)).toHaveLength(2)
  })

  test('one that is taken off the list', async () => {
    const house = await withBob()
    await house.emit({ kind: 'contact', account: ALICES, user: house.user('bob@x', RETRO), change: 'removed' })
    await house.emit({ kind: 'contact', account: ALICES, user: house.user('bob@x', RETRO), change: 'removed-us' })
    expect(told(house)).toHaveLength(2)
    expect(peopleOf(house).contact(ALICES, BOB)).toBeUndefined()
  })

  test('a whole list once, and only if it is another one', async () => {
    const house = await withBob()
    const list = [{ address: 'bob@x', name: 'Bob', groups: ['Work'] }, { address: 'eve@x' }]
    await house.roster(ALICES, ...list)
    await house.roster(ALICES, ...list)
    expect(told(house)).toEqual(['contacts @alice:hs retro:alice@x'])
    expect(peopleOf(house).contact(ALICES, BOB)?.groups).toEqual(['Work'])
    await house.roster(ALICES, { address: 'bob@x', name: 'Bob' }, { address: 'eve@x' })
    expect(told(house)).toEqual(['contacts @alice:hs retro:alice@x'])
    expect(peopleOf(house).contact(ALICES, BOB)?.groups).toBeUndefined()
  })

  test('that a session ended, and that nobody is seen by it', async () => {
    const house = await withBob()
    await see(house, 'bob@x', 'online')
    told(house)
    await house.lose(ALICES, unreachable)
    const news = told(house)
    expect(news.filter((line) => line.startsWith('contact'))).toEqual(['contacts @alice:hs retro:alice@x'])
    expect(news).toContain('account @alice:hs retro:alice@x')
    expect(peopleOf(house).contact(ALICES, BOB)?.presence).toBeUndefined()
  })

  test('that an account came, went, and belongs to somebody else', async () => {
    const house = await startHouse({ config: 'people: [{ id: carl }]' })
    told(house)
    await house.login('alice@x')
    expect(told(house)[0]).toBe('account @alice:hs retro:alice@x')
    const { identity } = house.parts.hub
    await identity.link(house.user('@carl:hs'), identity.personOf(house.user('@alice:hs')) ?? ('' as never), 'Carl')
    expect(told(house)).toEqual(['account @carl:hs retro:alice@x'])
    await house.emit({ kind: 'contact', account: ALICES, user: house.user('bob@x', RETRO), change: 'added' })
    expect(told(house).toSorted()).toEqual([
      'contact @alice:hs retro:alice@x bob@x',
      'contact @carl:hs retro:alice@x bob@x',
    ])
    await house.ask('logout')
    await house.ask('yes')
    expect(new Set(told(house).slice(-2))).toEqual(
      new Set(['account @alice:hs retro:alice@x', 'account @carl:hs retro:alice@x']),
    )
    expect(peopleOf(house).accountsOf(ALICE)).toEqual([])
  })

  test('that an account is wanted no more, though there was no session to end', async () => {
    const house = await startHouse({
      config: `people: [{ id: alice, users: [{ network: matrix, user: "@alice:hs" }] }]
accounts: [{ id: hers, network: retro, person: alice, login: alice@x, password: { env: P } }]`,
      env: { P: 'secret' },
      broken: [RETRO],
    })
    told(house)
    await house.ask('disconnect hers')
    expect(told(house)).toEqual(['account @alice:hs hers'])
    expect(peopleOf(house).accountsOf(ALICE)).toMatchObject([{ wanted: false }])
  })

  test('an adapter that throws harms nobody', async () => {
    const house = await withBob()
    house.matrix.told.push = () => {
      throw new Error('out of order')
    }
    await see(house, 'bob@x', 'online')
    expect(peopleOf(house).contact(ALICES, BOB)?.presence).toEqual({ show: 'online' })
    expect(house.log.lines.map(({ message }) => message)).toContain('an adapter broke the contract of peopleChanged')
  })
})
