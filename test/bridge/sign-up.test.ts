import { describe, expect, test } from 'vitest'
import type { AccountAdmin, AccountAnswer } from '../../adapters/module.ts'
import type { SignUpResult } from '../../bridge/adapter.ts'
import { ACCOUNTS_PER_PERSON, LOGIN_ATTEMPTS } from '../../bridge/logins.ts'
import type { AccountId } from '../../bridge/model/ids.ts'
import { SIGN_UPS_OF_NETWORK, SIGN_UPS_OF_ONE } from '../../bridge/sign-up.ts'
import { HOME, type House, LIBERA, startsHouses, unreachable, wrongPassword } from '../kit/house.ts'

const startHouse = startsHouses()
const NETWORKS = `
networks:
  - { id: home, type: msn-service }
  - { id: retro, type: msn, server: "127.0.0.1:1863", passport: { nexus: "https://127.0.0.1:1443/rdr/pprdr.asp" } }
  - { id: matrix, type: matrix, homeserver: "http://127.0.0.1:8008", domain: hs }
  - { id: libera, type: irc, server: "127.0.0.1:6667", tls: false }
`

/** The accounts that the service was asked to make, as "alice@home.example swordfish". */
class Book implements AccountAdmin {
  readonly made: string[] = []
  answer: ((address: string) => AccountAnswer) | undefined

  add(address: string, password: string): Promise<AccountAnswer> {
    const refused = this.answer?.(address)
    if (refused !== undefined) return Promise.resolve(refused)
    this.made.push(`${address} ${password}`)
    return Promise.resolve({ kind: 'done', address })
  }
  passwd = () => Promise.reject(new Error('not asked for'))
  remove = () => Promise.reject(new Error('not asked for'))
  list = () => Promise.resolve([])
}

const start = async (config = NETWORKS): Promise<{ readonly house: House; readonly book: Book }> => {
  const house = await startHouse({ config })
  const book = new Book()
  house.service.accounts = book
  return { house, book }
}

const signUp = async (
  house: House,
  name = 'alice',
  user = '@alice:hs',
  password = 'swordfish',
): Promise<SignUpResult> => {
  const run = house.matrix.context?.signUp?.run({ from: house.user(user), fromName: 'Alice', name, password })
  if (run === undefined) throw new Error('nobody can sign up')
  await house.clock.advance(30_000)
  return run
}
const refused = (detail: string): SignUpResult => ({ kind: 'refused', detail })
const ID = 'retro:alice@home.example' as AccountId

describe('somebody who signs up', () => {
  test('has an account of the service, and is signed in with it as a person of their own', async () => {
    const { house, book } = await start()
    expect(house.matrix.context?.signUp).toMatchObject({ network: 'retro', domain: 'home.example' })
    expect(await signUp(house, ' Alice')).toEqual({ kind: 'done', account: ID, login: 'alice@home.example' })
    expect(book.made).toEqual(['Alice@home.example swordfish'])
    expect(house.signIns).toEqual(['alice@home.example swordfish'])
    expect(house.parts.accounts.get(ID)?.person).toBe('matrix:@alice:hs')
    expect(house.matrix.context?.people.accountsOf(house.user('@alice:hs').user)).toMatchObject([{ id: ID }])
    expect(house.metrics.values.get('sign_ups{network=matrix,outcome=done}')).toBe(1)
    expect(JSON.stringify(house.log.lines)).not.toContain('swordfish')
  })

  test('keeps it when the sign-in fails for now, and hears so', async () => {
    const { house } = await start()
    house.accepts = () => unreachable
    expect(await signUp(house)).toEqual({
      kind: 'done',
      account: ID,
      login: 'alice@home.example',
      detail:
        'alice@home.example was made, but it is not signed in yet: the network cannot be reached. The bridge keeps trying.',
    })
    expect(house.accountIds).toEqual([ID])
  })

  test('hears that it was made when it cannot be signed in with', async () => {
    const { house, book } = await start()
    house.accepts = () => wrongPassword
    expect(await signUp(house)).toEqual(
      refused(
        'alice@home.example was made, but the sign-in failed: the network refuses its password. Log in with it later.',
      ),
    )
    expect(book.made).toHaveLength(1)
    expect(house.accountIds).toEqual([])
  })

  test('chooses another name when one is taken, or is none', async () => {
    const { house, book } = await start()
    book.answer = () => ({ kind: 'refused', wrong: 'msn-bridge account passwd', taken: true })
    expect(await signUp(house)).toEqual(
      refused('alice@home.example is taken: choose another name, or log in with its password.'),
    )
    book.answer = () => ({ kind: 'refused', wrong: 'the password is empty: choose one' })
    expect(await signUp(house)).toEqual(refused('the password is empty: choose one.'))
    for (const name of ['alice@evil.example', 'al ice'])
      expect(await signUp(house, name)).toEqual(
        refused(`${name} is no name for an account: it becomes NAME@home.example.`),
      )
    expect(house.signIns).toEqual([])
  })

  test('waits while the service is not running', async () => {
    const { house } = await start()
    house.service.accounts = undefined
    expect(await signUp(house)).toEqual(refused('The MSN service of this bridge is not running: try again later.'))
  })

  test('does not sign up for somebody of another network', async () => {
    const { house } = await start()
    const run = house.matrix.context?.signUp?.run({
      from: house.user('zoe', LIBERA),
      fromName: 'zoe',
      name: 'zoe',
      password: 'swordfish',
    })
    expect(await run).toEqual(refused('zoe does not live on matrix.'))
  })

  test('does so only so often, and so do all together', async () => {
    const { house, book } = await start()
    book.answer = () => ({ kind: 'refused', wrong: 'no', taken: true })
    for (let tries = 0; tries < SIGN_UPS_OF_ONE.times; tries++) await signUp(house)
    expect(await signUp(house)).toMatchObject({ detail: expect.stringMatching(/^Too many accounts/) as unknown })
    for (let tries = SIGN_UPS_OF_ONE.times; tries < SIGN_UPS_OF_NETWORK.times; tries++)
      expect(await signUp(house, 'x', `@u${tries}:hs`)).toMatchObject({
        detail: expect.stringMatching(/taken/) as unknown,
      })
    expect(await signUp(house, 'x', '@late:hs')).toMatchObject({
      detail: expect.stringMatching(/^Too many accounts are being made\. Try again in /) as unknown,
    })
    expect(house.parts.hub.identity.personOf(house.user('@late:hs'))).toBeUndefined()
  })

  test('has only so many accounts, and none is made in vain', async () => {
    const { house, book } = await start()
    for (let count = 0; count < ACCOUNTS_PER_PERSON; count++) {
      await signUp(house, `alice${count}`)
      await house.clock.advance(LOGIN_ATTEMPTS.withinMs)
    }
    expect(book.made).toHaveLength(ACCOUNTS_PER_PERSON)
    expect(await signUp(house, 'more')).toEqual(
      refused('You are signed in with as many accounts as are allowed. Log out of one first.'),
    )
    expect(book.made).toHaveLength(ACCOUNTS_PER_PERSON)
  })
})

test.each([
  ['without a service', NETWORKS.replace(/.*id: home.*/, '')],
  ['without a network that signs in to it', NETWORKS.replace('127.0.0.1:1443/rdr', 'nexus.example/rdr')],
])('nobody can sign up %s', async (_what, config) => {
  const house = await startHouse({ config })
  expect(house.matrix.context?.signUp).toBeUndefined()
})

test('nor does a service that is not running make accounts behind its back', async () => {
  const house = await startHouse({ config: NETWORKS, broken: [HOME] })
  house.service.accounts = new Book()
  expect(await signUp(house)).toMatchObject({ kind: 'refused' })
})
