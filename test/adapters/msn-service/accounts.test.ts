import { expect, it } from 'vitest'
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
