import { expect, test } from 'vitest'
import type { Account } from '../../bridge/adapter.ts'
import { Identity } from '../../bridge/identity.ts'
import type { NetworkId, PersonId, UserId, UserRef } from '../../bridge/model/ids.ts'
import { type Core, startsCores } from '../kit/core.ts'
import { account, FakeAdapter } from '../kit/fake-adapter.ts'

const startCore = startsCores()

const MATRIX = 'matrix' as NetworkId
const alice: UserRef = { network: MATRIX, user: '@alice:hs' as UserId }
const config = { id: 'al' as PersonId, name: 'Al' }
const own = 'matrix:@alice:hs' as PersonId

const identityOf = async (core: Core, accounts: () => readonly Account[] = () => []) => {
  const adapters = new Map(
    ['matrix', 'retro'].map((network) => [network as NetworkId, new FakeAdapter({ network })] as const),
  )
  const identity = new Identity({ store: core.store, adapters, accounts })
  await identity.start([config])
  return identity
}

test('who signs in becomes a person of their own, once, and keeps the name', async () => {
  const core = await startCore()
  const identity = await identityOf(core)
  expect(await identity.become(alice, 'Alice')).toBe(own)
  expect(await identity.become(alice, 'Somebody')).toBe(own)
  const again = await identityOf(core)
  expect(again.personOf(alice)).toBe(own)
  expect(again.person(own)).toEqual({ id: own, name: 'Alice' })
  expect(again.userOn(own, MATRIX)).toBe('@alice:hs')
})

test('the config comes before what was linked, and leaves no trace when it is taken out', async () => {
  const core = await startCore()
  const identity = await identityOf(core)
  await identity.become(alice, 'Alice')
  identity.configure([{ user: alice, person: config.id }])
  expect([identity.personOf(alice), identity.ownerNow(own)]).toEqual(['al', 'al'])
  expect(identity.identities()).toEqual([{ user: alice, person: 'al' }])
  expect([identity.userOn(config.id, MATRIX), identity.userOn(own, MATRIX)]).toEqual(['@alice:hs', undefined])
  identity.configure([])
  expect([identity.personOf(alice), identity.ownerNow(own)]).toEqual([own, own])
})

test('accounts follow who their owner is linked with', async () => {
  const core = await startCore()
  const theirs = account('retro:alice@x', 'retro', own, 'alice@x')
  const known: { identity?: Identity } = {}
  const identity = await identityOf(core, () => [
    {
      ...theirs,
      get person() {
        return known.identity?.ownerNow(own) ?? own
      },
    },
  ])
  known.identity = identity
  await identity.become(alice, 'Alice')
  const there: UserRef = { network: 'retro' as NetworkId, user: 'alice@x' as UserId }
  expect(identity.personOf(there)).toBe(own)
  await identity.link(alice, config.id)
  expect([identity.personOf(there), identity.personOf(alice)]).toEqual(['al', 'al'])
  await identity.unlink(alice)
  // Else nobody would own what they signed in with.
  expect([identity.personOf(there), identity.personOf(alice)]).toEqual([own, own])
  expect(identity.userOn(own, MATRIX)).toBe(alice.user)
  const zoe: UserRef = { network: MATRIX, user: '@zoe:hs' as UserId }
  await identity.link(zoe, config.id)
  await identity.unlink(zoe)
  expect(identity.personOf(zoe)).toBeUndefined()
})

test('people of the config belong to nobody else', async () => {
  const core = await startCore()
  const identity = await identityOf(core)
  expect(identity.ownerNow(config.id)).toBe('al')
})
