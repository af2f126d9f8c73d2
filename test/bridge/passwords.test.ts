import { describe, expect, it } from 'vitest'
import { Gate } from '../../bridge/gate.ts'
import { GuessThrottle, MAX_WATCHED } from '../../bridge/guess-throttle.ts'
import { PasswordCheck } from '../../bridge/password-check.ts'
import { COST, hashPassword, HASHES_AT_ONCE, isPassword, Verifiers } from '../../bridge/passwords.ts'

const CHEAP = { N: 16, r: 8, p: 1 }
const ALICE = 'alice@home.example'

describe('a stored hash', () => {
  it('carries its cost, salts, and knows its password', async () => {
    const [one, other] = await Promise.all([hashPassword('sécret', CHEAP), hashPassword('sécret', CHEAP)])
    expect(one).toMatch(/^scrypt\$16\$8\$1\$[\w-]{22}\$[\w-]{43}$/)
    expect(one).not.toBe(other)
    expect(await isPassword('sécret', one)).toBe(true)
    expect(await isPassword('se\u0301cret', one)).toBe(true)
    expect(await isPassword('secret', one)).toBe(false)
    expect(await isPassword('', one)).toBe(false)
  })

  it('costs at least three passes over 32 MiB', () => {
    expect(128 * COST.N * COST.r).toBeGreaterThanOrEqual(32 * 1024 * 1024)
    expect(COST.p).toBeGreaterThanOrEqual(3)
  })

  it.each(['', 'plain', 'scrypt$16$8$1$salt$short', 'bcrypt$16$8$1$c2FsdA$eA'])(
    'that is damaged (%j) is an error',
    async (stored) => {
      await expect(isPassword('x', stored)).rejects.toThrow()
    },
  )
})

describe('the gate', () => {
  it('lets so many in at once, the others in order, and turns away what is too much', async () => {
    const gate = new Gate(2, 2)
    const doors: (() => void)[] = []
    const order: number[] = []
    const task = (id: number) => () =>
      new Promise<number>((resolve) => {
        order.push(id)
        doors.push(() => resolve(id))
      })
    const results = [1, 2, 3, 4, 5].map((id) => gate.ifRoom(task(id)))
    expect(await results[4]).toBeUndefined()
    expect(order).toEqual([1, 2])
    doors[0]?.()
    await results[0]
    await Promise.resolve()
    expect(order).toEqual([1, 2, 3])
    doors[1]?.()
    doors[2]?.()
    await Promise.all([results[1], results[2]])
    doors[3]?.()
    expect(await Promise.all(results)).toEqual([1, 2, 3, 4, undefined])
    expect(await gate.ifRoom(() => Promise.resolve('again'))).toBe('again')
  })

  it('goes on after a task that failed', async () => {
    const gate = new Gate(1, 1)
    await expect(gate.ifRoom(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await gate.ifRoom(() => Promise.resolve(1))).toBe(1)
  })
})

describe('verifiers', () => {
  it('know what was right, forget it when told, and forget the oldest when there are too many', () => {
    const verifiers = new Verifiers(2)
    expect(verifiers.check('a', 'x')).toBeUndefined()
    verifiers.learn('a', 'x')
    verifiers.learn('b', 'x')
    expect(verifiers.check('a', 'x')).toBe(true)
    expect(verifiers.check('a', 'y')).toBe(false)
    verifiers.learn('c', 'x')
    expect(verifiers.check('a', 'x')).toBeUndefined()
    verifiers.forget('b')
    expect(verifiers.check('b', 'x')).toBeUndefined()
  })
})

describe('the throttle', () => {
  const throttle = () => new GuessThrottle({ failures: 2, windowMs: 1_000 })

  it('holds an account and an address after so many failures, until the window is over', () => {
    const one = throttle()
    one.failed('alice', '192.0.2.1', 0)
    expect(one.holds('alice', '192.0.2.1', 1)).toBe(false)
    one.failed('alice', '192.0.2.2', 500)
    expect(one.holds('alice', '192.0.2.3', 501)).toBe(true)
    expect(one.holds('bob', '192.0.2.1', 501)).toBe(false)
    one.failed('bob', '192.0.2.1', 502)
    expect(one.holds('carol', '192.0.2.1', 503)).toBe(true)
    expect(one.holds('alice', '192.0.2.3', 1_000)).toBe(false)
    expect(one.holds('carol', '192.0.2.1', 1_000)).toBe(false)
  })

  it('does not let strangers lock out somebody who signs in from where they always do', () => {
    const one = throttle()
    one.succeeded('alice', '192.0.2.1')
    one.failed('alice', '198.51.100.1', 0)
    one.failed('alice', '198.51.100.2', 0)
    expect(one.holds('alice', '198.51.100.3', 1)).toBe(true)
    expect(one.holds('alice', '192.0.2.1', 1)).toBe(false)
    one.forget('alice')
    one.failed('alice', '198.51.100.1', 2)
    one.failed('alice', '198.51.100.4', 2)
    expect(one.holds('alice', '192.0.2.1', 3)).toBe(true)
  })

  it('does not let a stranger behind the same proxy lock out those who sign in through it', () => {
    const one = throttle()
    one.succeeded('alice', '127.0.0.1')
    for (let index = 0; index < 10; index++) one.failed('mallory', '127.0.0.1', 0)
    expect(one.holds('bob', '127.0.0.1', 1)).toBe(true)
    expect(one.holds('alice', '127.0.0.1', 1)).toBe(false)
  })

  it('holds up guesses from an address that the account signs in from, too', () => {
    const one = throttle()
    one.succeeded('alice', '127.0.0.1')
    one.failed('alice', '127.0.0.1', 0)
    expect(one.holds('alice', '127.0.0.1', 1)).toBe(false)
    one.failed('alice', '127.0.0.1', 1)
    expect(one.holds('alice', '127.0.0.1', 2)).toBe(true)
    expect(one.holds('alice', '127.0.0.1', 1_000)).toBe(false)
  })

  it('forgets failures of an account that got it right, but not those of the address', () => {
    const one = throttle()
    one.failed('alice', '192.0.2.1', 0)
    one.succeeded('alice', '192.0.2.1')
    one.failed('alice', '192.0.2.1', 0)
    expect(one.holds('alice', '192.0.2.9', 1)).toBe(false)
    expect(one.holds('bob', '192.0.2.1', 1)).toBe(true)
  })

  it('watches a bounded number', () => {
    const one = new GuessThrottle({ failures: 1, windowMs: 1e9 })
    one.failed('first', 'a', 0)
    for (let index = 0; index < MAX_WATCHED; index++) one.failed(String(index), String(index), 1)
    expect(one.holds('first', 'other', 2)).toBe(false)
    expect(one.holds('7', 'other', 2)).toBe(true)
  })
})

describe('whether a password is right', () => {
  const rig = async (failures = 100) => {
    const hashes = new Map([[ALICE, await hashPassword('right', CHEAP)]])
    const hashOf = (account: string) => Promise.resolve(hashes.get(account))
    const check = new PasswordCheck({ hashOf, guesses: { failures, windowMs: 1_000 }, now: () => 0, cost: CHEAP })
    return { hashes, check }
  }

  it('counts wrong passwords that are tried at the same time', async () => {
    const { check } = await rig(3)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => check.verify(ALICE, `guess ${index}`, `192.0.2.${index}`)),
    )
    const tried = answers.filter((answer) => answer === 'wrong').length
    expect(tried).toBeGreaterThanOrEqual(3)
    expect(tried).toBeLessThan(3 + HASHES_AT_ONCE)
    expect(answers.filter((answer) => answer === 'throttled')).toHaveLength(50 - tried)
  })

  it('reads the stored hash once for each account and then never again, until it is told to forget', async () => {
    const { hashes, check } = await rig()
    expect(await check.verify(ALICE, 'right', 'x')).toBe('right')
    hashes.delete(ALICE)
    expect(await check.verify(ALICE, 'right', 'x')).toBe('right')
    expect(await check.verify(ALICE, 'wrong', 'x')).toBe('wrong')
    check.forget(ALICE)
    expect(await check.verify(ALICE, 'right', 'x')).toBe('wrong')
    hashes.set(ALICE, await hashPassword('other', CHEAP))
    expect(await check.verify(ALICE, 'other', 'x')).toBe('right')
  })

  it('does not learn a password that was changed while it was checked', async () => {
    const { hashes, check } = await rig()
    const checking = check.verify(ALICE, 'right', 'x')
    hashes.set(ALICE, await hashPassword('new', CHEAP))
    await checking
    expect(await check.verify(ALICE, 'right', 'x')).toBe('wrong')
  })

  it('knows a password that was just set', async () => {
    const { hashes, check } = await rig()
    check.passwordSet(ALICE, 'new')
    hashes.clear()
    expect(await check.verify(ALICE, 'new', 'x')).toBe('right')
    expect(await check.verify(ALICE, 'right', 'x')).toBe('wrong')
  })

  it('tells nobody whether there is such an account', async () => {
    const { check } = await rig()
    expect(await check.verify('nobody@home.example', '', 'x')).toBe('wrong')
    expect(await check.verify('nobody@home.example', 'right', 'x')).toBe('wrong')
  })

  it('signs in 1,000 people a second whose passwords were seen since the start', async () => {
    const { check } = await rig()
    await check.verify(ALICE, 'right', 'x')
    const before = performance.now()
    for (let index = 0; index < 1_000; index++) await check.verify(ALICE, 'right', 'x')
    expect(performance.now() - before).toBeLessThan(1_000)
  })
})
