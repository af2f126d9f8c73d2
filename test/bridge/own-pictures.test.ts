/** What people look like where they live reaches their accounts elsewhere, once. */
import { beforeEach, expect, it } from 'vitest'
import type { Account, RosterRequest, Session } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { AccountId, NetworkId, PersonId, UserId, UserRef } from '../../bridge/model/ids.ts'
import type { RosterResult } from '../../bridge/model/result.ts'
import { OwnPictures } from '../../bridge/own-pictures.ts'
import { VirtualClock } from '../kit/clock.ts'
import { recordingLog } from '../kit/observers.ts'

const alice: UserRef = { network: 'matrix' as NetworkId, user: '@alice:example.org' as UserId }
const mallory: UserRef = { network: 'matrix' as NetworkId, user: '@mallory:example.org' as UserId }
const person = 'alice' as PersonId
const picture = (ref: string): FileRef => ({ network: alice.network, ref, name: 'picture', media: 'image' })
const accountOn = (id: string, network: string, owner: PersonId = person): Account => ({
  id: id as AccountId,
  network: network as NetworkId,
  person: owner,
  login: id,
  secret: '',
})

let asked: string[]
let accounts: Account[]
let answer: RosterResult
let pictures: OwnPictures
beforeEach(() => {
  asked = []
  accounts = [
    accountOn('a1', 'retro'),
    accountOn('a2', 'other'),
    accountOn('bot', 'matrix'),
    accountOn('m1', 'retro', 'mallory' as PersonId),
  ]
  answer = { kind: 'done' }
  const sessionOf = (id: AccountId): Session =>
    ({
      roster: async (request: RosterRequest) => {
        asked.push(`${id} ${request.kind} ${request.kind === 'picture' ? (request.picture?.ref ?? 'none') : ''}`)
        return answer
      },
    }) as unknown as Session
  const identity = { personOf: (user: UserRef) => (user.user === alice.user ? person : undefined) }
  pictures = new OwnPictures({
    clock: new VirtualClock(),
    log: recordingLog(),
    identity,
    accounts: () => accounts,
    sessionOf,
  })
})
const settled = () => new Promise((resolve) => setImmediate(resolve))

it('goes to all accounts of that person elsewhere, and to nobody else', async () => {
  pictures.seen(alice, picture('mxc://x/1'))
  pictures.seen(mallory, picture('mxc://x/2'))
  await settled()
  expect(asked).toEqual(['a1 picture mxc://x/1', 'a2 picture mxc://x/1'])
})

it('is not said twice, and taken away when it is', async () => {
  for (const ref of ['mxc://x/1', 'mxc://x/1']) pictures.seen(alice, picture(ref))
  await settled()
  pictures.online('a1' as AccountId)
  pictures.seen(alice, null)
  await settled()
  expect(asked).toEqual(['a1 picture mxc://x/1', 'a2 picture mxc://x/1', 'a1 picture none', 'a2 picture none'])
})

it('reaches an account that comes later, and one that could not take it', async () => {
  answer = { kind: 'refused', reason: 'network', detail: 'not now' }
  pictures.seen(alice, picture('mxc://x/1'))
  await settled()
  answer = { kind: 'done' }
  accounts = [...accounts, accountOn('a3', 'third')]
  for (const id of ['a1', 'a3', 'm1']) pictures.online(id as AccountId)
  await settled()
  expect(asked.slice(2)).toEqual(['a1 picture mxc://x/1', 'a3 picture mxc://x/1'])
})
