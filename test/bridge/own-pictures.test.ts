/** What people look like where they live reaches their accounts elsewhere, once. */
import { beforeEach, expect, it } from 'vitest'
import type { Account, RosterRequest, Session } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { AccountId, NetworkId, PersonId, UserId, UserRef } from '../../bridge/model/ids.ts'
import type { Reason, RosterResult } from '../../bridge/model/result.ts'
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
let answer: (picture: FileRef | undefined) => RosterResult
let facts: Map<string, string>
let isFull: boolean
let pictures: OwnPictures
const A1 = 'a1' as AccountId
const CONFIGURED = new Map([[A1, { ...picture('a1/hash'), network: '~config' as NetworkId }]])
const DONE: RosterResult = { kind: 'done' }
const refused = (reason: Reason, detail: string): RosterResult => ({ kind: 'refused', reason, detail })

const start = async (configured: ReadonlyMap<AccountId, FileRef> = new Map()): Promise<void> => {
  const sessionOf = (id: AccountId): Session =>
    ({
      roster: async (request: RosterRequest) => {
        const shown = request.kind === 'picture' ? request.picture : undefined
        asked.push(`${id} ${request.kind} ${shown?.ref ?? 'none'}`)
        return answer(shown)
      },
    }) as unknown as Session
  const identity = { personOf: (user: UserRef) => (user.user === alice.user ? person : undefined) }
  pictures = new OwnPictures({
    clock: new VirtualClock(),
    log: recordingLog(),
    identity,
    accounts: () => accounts,
    sessionOf,
    facts: async (account) =>
      new Map(
        [...facts].flatMap(([key, value]) => (key.startsWith(account) ? [[key.slice(account.length + 1), value]] : [])),
      ),
    setFact: async (account, key, value) => {
      if (isFull) throw new Error('the disk is full')
      if (value === undefined) facts.delete(`${account} ${key}`)
      else facts.set(`${account} ${key}`, value)
    },
  })
  await pictures.start(configured)
}

beforeEach(async () => {
  asked = []
  accounts = [
    accountOn('a1', 'retro'),
    accountOn('a2', 'other'),
    accountOn('bot', 'matrix'),
    accountOn('m1', 'retro', 'mallory' as PersonId),
  ]
  answer = () => DONE
  facts = new Map()
  isFull = false
  await start()
})
const settled = () => new Promise((resolve) => setImmediate(resolve))
const seen = async (ref: string | null): Promise<void> => {
  pictures.seen(alice, ref === null ? null : picture(ref))
  await settled()
}
const choose = (ref: string | undefined) =>
  pictures.choose(A1, ref === undefined ? undefined : { file: picture(ref), by: alice })

it('goes to all accounts of that person elsewhere, and to nobody else', async () => {
  await seen('mxc://x/1')
  pictures.seen(mallory, picture('mxc://x/2'))
  await settled()
  expect(asked.toSorted()).toEqual(['a1 picture mxc://x/1', 'a2 picture mxc://x/1'])
  expect(pictures.sourceOf(A1)).toEqual({ kind: 'avatar', by: alice })
})

it('is not said twice, not after a restart either, and taken away when it is', async () => {
  for (const ref of ['mxc://x/1', 'mxc://x/1']) await seen(ref)
  pictures.online(A1)
  await settled()
  await start()
  pictures.online(A1)
  await seen('mxc://x/1')
  expect(asked.toSorted()).toEqual(['a1 picture mxc://x/1', 'a2 picture mxc://x/1'])
  await seen(null)
  expect(asked.slice(2).toSorted()).toEqual(['a1 picture none', 'a2 picture none'])
})

it('reaches an account that comes later, and one that could not take it', async () => {
  answer = () => refused('network', 'not now')
  await seen('mxc://x/1')
  answer = () => DONE
  accounts = [...accounts, accountOn('a3', 'third')]
  for (const id of ['a1', 'a3', 'm1']) pictures.online(id as AccountId)
  await settled()
  expect(asked.slice(2).toSorted()).toEqual(['a1 picture mxc://x/1', 'a3 picture mxc://x/1'])
})

it('is not pressed on an account that cannot show it', async () => {
  answer = () => refused('unsupported', 'too large')
  await seen('mxc://x/1')
  pictures.online(A1)
  await settled()
  expect(asked).toHaveLength(2)
  expect(pictures.sourceOf(A1)).toEqual({ kind: 'avatar', by: alice, wrong: 'too large' })
  answer = () => DONE
  await seen('mxc://x/2')
  expect(asked).toHaveLength(4)
  expect(pictures.sourceOf(A1)).toEqual({ kind: 'avatar', by: alice })
})

it('is the one that was chosen before that of the config, and that before the avatar', async () => {
  await seen('mxc://x/1')
  await start(CONFIGURED)
  expect(pictures.sourceOf(A1)).toEqual({ kind: 'config' })
  pictures.online(A1)
  await settled()
  expect(await choose('mxc://x/chosen')).toBeUndefined()
  expect(pictures.sourceOf(A1)).toEqual({ kind: 'chosen', by: alice })
  await seen('mxc://x/2')
  expect(await choose(undefined)).toBeUndefined()
  expect(pictures.sourceOf(A1)).toEqual({ kind: 'config' })
  // The line of the config was taken out: the avatar, as it is by now.
  await start()
  pictures.online(A1)
  await settled()
  expect(asked.filter((line) => line.startsWith('a1'))).toEqual([
    'a1 picture mxc://x/1',
    'a1 picture a1/hash',
    'a1 picture mxc://x/chosen',
    'a1 picture a1/hash',
    'a1 picture mxc://x/2',
  ])
})

it('stays chosen over a restart, and is not asked for again', async () => {
  await choose('mxc://x/chosen')
  await start()
  expect(pictures.sourceOf(A1)).toEqual({ kind: 'chosen', by: alice })
  pictures.online(A1)
  await seen('mxc://x/1')
  expect(asked.filter((line) => line.startsWith('a1'))).toEqual(['a1 picture mxc://x/chosen'])
  expect(await choose(undefined)).toBeUndefined()
  expect(asked.at(-1)).toBe('a1 picture mxc://x/1')
})

it('is as it was before when the account refuses what was chosen', async () => {
  await choose('mxc://x/good')
  answer = () => refused('unsupported', 'that is no picture')
  expect(await choose('mxc://x/bad')).toBe('that is no picture')
  expect(await choose('mxc://x/bad')).toBe('that is no picture')
  expect(pictures.sourceOf(A1)).toEqual({ kind: 'chosen', by: alice })
  expect(JSON.parse(facts.get('a1 picture.chosen') ?? '{}')).toEqual({ file: picture('mxc://x/good'), by: alice })
})

it('is not chosen when the disk takes nothing', async () => {
  isFull = true
  await expect(choose('mxc://x/1')).rejects.toThrow('the disk is full')
  expect(pictures.sourceOf(A1)).toEqual({ kind: 'none' })
  expect(asked).toEqual([])
})
