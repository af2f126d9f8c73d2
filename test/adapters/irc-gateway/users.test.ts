import { expect, test } from 'vitest'
import { hashOf, Users, type PasswordDesk } from '../../../adapters/irc-gateway/users.ts'
import type { UserId } from '../../../bridge/model/ids.ts'
import { isPassword } from '../../../bridge/passwords.ts'
import { memoryState } from './memory-state.ts'

const made = (more: { register?: 'open' | 'closed'; max?: number; answer?: 'right' | 'wrong' | 'throttled' } = {}) => {
  const state = memoryState()
  const asked: string[] = []
  const desk: PasswordDesk = {
    verify: (user, _, address) => {
      asked.push(`${user} from ${address}`)
      return Promise.resolve(more.answer ?? 'right')
    },
    passwordSet: (user) => void asked.push(`set ${user}`),
    forget: (user) => void asked.push(`forget ${user}`),
  }
  const options = { state, desk, register: more.register ?? 'open', max: more.max ?? 10, now: () => 7 } as const
  return { state, asked, users: new Users(options), again: () => new Users(options) }
}

test('who registers has an account, on disk, with a hash in place of the password', async () => {
  const { users, state, asked, again } = made()
  expect(await users.register('Alice', 'secret')).toEqual({ kind: 'done', user: 'alice' })
  expect(users.has('alice' as UserId)).toBe(true)
  expect(users.size).toBe(1)
  expect(asked).toEqual(['set alice'])
  expect([...state.rows.values()].join()).not.toContain('secret')
  expect(await isPassword('secret', (await hashOf(state, 'alice')) ?? '')).toBe(true)
  const later = again()
  await later.load()
  expect(later.has('alice' as UserId)).toBe(true)
  expect(await later.register('ALICE', 'mine')).toMatchObject({
    kind: 'refused',
    detail: expect.stringMatching(/There is an account alice/),
  })
})

test.each([
  ['root', 'secret', /a name of the server itself/],
  ['NickServ', 'secret', /a name of the server itself/],
  ['al[ice]', 'secret', /no name for an account/],
  ['ärmel', 'secret', /no name for an account|nick/],
  ['', 'secret', /\w/],
  ['a\r\nQUIT', 'secret', /\w/],
  ['a'.repeat(33), 'secret', /no name for an account|too long|long/],
  ['bob', '', /A password is missing/],
  ['bob', 'x'.repeat(129), /too long: 128 bytes/],
  ['bob', 'a\nb', /no password/],
])('%j with the password %j is refused with a sentence', async (name, password, words) => {
  const { users, state } = made()
  const answer = await users.register(name, password)
  expect(answer).toMatchObject({ kind: 'refused', detail: words })
  expect(state.rows.size).toBe(0)
})

test('nobody new comes in where that is closed, nor more than there may be, nor two of one name at once', async () => {
  expect(await made({ register: 'closed' }).users.register('bob', 'secret')).toMatchObject({ kind: 'refused' })
  const { users } = made({ max: 1 })
  const [first, second, third] = await Promise.all([
    users.register('bob', 'secret'),
    users.register('bob', 'other'),
    users.register('carol', 'secret'),
  ])
  expect(first.kind).toBe('done')
  expect(second).toMatchObject({ kind: 'refused', detail: expect.stringMatching(/There is an account bob/) })
  expect(third).toMatchObject({
    kind: 'refused',
    detail: expect.stringMatching(/as many accounts as the operator allows/),
  })
})

test('a name that could not be kept is free again', async () => {
  const { users, state } = made()
  state.full = true
  await expect(users.register('bob', 'secret')).rejects.toThrow('disk full')
  expect(users.has('bob' as UserId)).toBe(false)
  state.full = false
  expect(await users.register('bob', 'secret')).toMatchObject({ kind: 'done' })
})

test.each([
  ['right', { kind: 'done', user: 'bob' }],
  ['wrong', { kind: 'refused', detail: 'Wrong name or password.' }],
  ['throttled', { kind: 'refused', detail: expect.stringMatching(/Too many wrong passwords/) }],
] as const)('a password that is %s', async (answer, result) => {
  const { users, asked } = made({ answer })
  expect(await users.identify('Bob', 'secret', '192.0.2.1')).toMatchObject(result)
  expect(asked).toEqual(['bob from 192.0.2.1'])
})

test('a password is changed, and an account dropped, and both are told to whoever checks passwords', async () => {
  const { users, state, asked } = made()
  await users.register('bob', 'old')
  expect(await users.setPassword('bob' as UserId, '')).toMatchObject({ kind: 'refused' })
  expect(await users.setPassword('nobody' as UserId, 'x')).toMatchObject({ kind: 'refused' })
  expect(await users.setPassword('bob' as UserId, 'new')).toEqual({ kind: 'done', user: 'bob' })
  expect(await isPassword('new', (await hashOf(state, 'bob')) ?? '')).toBe(true)
  await users.drop('bob' as UserId)
  expect(users.size).toBe(0)
  expect(await hashOf(state, 'bob')).toBeUndefined()
  expect(asked).toEqual(['set bob', 'set bob', 'forget bob'])
})
