import { describe, expect, it } from 'vitest'
import { AccountBook } from '../../../adapters/msn-service/accounts.ts'
import { mapState } from './rig.ts'

const CHEAP = { N: 16, r: 8, p: 1 }

it('writes nothing for an account that is gone, and reads nothing that is another’s', async () => {
  const state = mapState()
  const book = new AccountBook({ state, domain: 'home.example', cost: CHEAP })
  await book.add('alice@home.example', 'a')
  const record = await book.load('alice@home.example')
  await book.remove('alice@home.example')
  if (record !== undefined) await book.save([record])
  expect([...state.pairs.keys()]).toEqual([])
  state.pairs.set('account/bob@home.example', JSON.stringify(record))
  await expect(book.load('bob@home.example')).rejects.toThrow('damaged')
})

describe('a store from before there was PL', () => {
  const email = 'alice@home.example'
  const contacts = [
    { email: 'waits@home.example', name: 'W', lists: 8, groups: [] },
    { email: 'friend@home.example', name: 'F', lists: 9, groups: [0] },
    { email: 'allowed@home.example', name: 'A', lists: 11, groups: [0] },
    { email: 'blocked@home.example', name: 'B', lists: 12, groups: [] },
    { email: 'listed@home.example', name: 'L', lists: 1, groups: [0] },
  ]
  const listsOf = async (book: AccountBook): Promise<unknown> =>
    (await book.load(email))?.contacts.map(({ lists }) => lists)

  it('is brought up to date once: who has had no answer waits for one, and the version stays', async () => {
    const state = mapState()
    const book = new AccountBook({ state, domain: 'home.example', cost: CHEAP })
    await book.add(email, 'a')
    const record = { ...(await book.load(email))!, version: 7, contacts }
    await book.save([record])
    state.pairs.set('account/odd@home.example', '{}').set('account/torn@home.example', '{"email":')
    await book.upgrade()
    expect(await listsOf(book)).toEqual([24, 25, 11, 12, 1])
    expect((await book.load(email))?.version).toBe(7)
    expect(state.pairs.get('account/torn@home.example')).toBe('{"email":')
    // Whoever was dealt with since is not asked about again.
    await book.save([record])
    await book.upgrade()
    expect(await listsOf(book)).toEqual([8, 9, 11, 12, 1])
  })
})
