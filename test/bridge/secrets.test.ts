import fc from 'fast-check'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openBox } from '../../bridge/secrets.ts'
import { makeFolder, removeFolder } from '../kit/daemon.ts'
import '../kit/properties.ts'

let folder = ''
beforeEach(() => {
  folder = makeFolder()
})
afterEach(() => removeFolder(folder))

test('what is sealed is opened again, for the same context and with the same key only', async () => {
  const box = await openBox(folder)
  const again = await openBox(folder)
  const other = await openBox(folder, () => 'another key, long enough')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, context) => {
      const sealed = box.seal(text, context) ?? ''
      expect(again.open(sealed, context)).toBe(text.toWellFormed())
      expect(box.open(sealed, `${context}x`)).toBeUndefined()
      expect(other.open(sealed, context)).toBeUndefined()
    }),
  )
})

test('the same password never looks the same', async () => {
  const box = await openBox(folder)
  expect(box.seal('swordfish', 'a')).not.toBe(box.seal('swordfish', 'a'))
})

test('what is damaged, cut or made up is not opened, and nothing is thrown', async () => {
  const box = await openBox(folder)
  const sealed = box.seal('swordfish', 'a') ?? ''
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.constantFrom('A', 'B', '-', ''), (at, letter) => {
      const changed = sealed.slice(0, at) + letter + sealed.slice(at + 1)
      fc.pre(Buffer.from(changed.slice(3), 'base64').compare(Buffer.from(sealed.slice(3), 'base64')) !== 0)
      expect(box.open(changed, 'a')).toBeUndefined()
    }),
  )
  fc.assert(fc.property(fc.string(), (text) => box.open(text, 'a') === undefined))
})

test('a folder that takes no key says so, and seals nothing', async () => {
  mkdirSync(join(folder, 'secret.key'))
  const box = await openBox(folder)
  expect(box.trouble).toMatch(/^the key of stored passwords cannot be read or made \(/)
  expect(box.seal('swordfish', 'a')).toBeUndefined()
  expect(box.open('v1:AAAA', 'a')).toBeUndefined()
})

test('an empty key file is no key', async () => {
  const file = join(folder, 'secret.key')
  writeFileSync(file, '')
  chmodSync(file, 0o600)
  expect((await openBox(folder)).trouble).toBe(
    `the key of stored passwords cannot be read or made (${file} holds no key: bring it back, or delete it, and a new one is made)`,
  )
  expect(readFileSync(file, 'utf8')).toBe('')
  expect((await openBox(folder, () => 'too short')).trouble).toBe(
    'the key of stored passwords is too short: it needs 16 characters or more',
  )
})

test('a key that was being written when the process ended is made anew', async () => {
  writeFileSync(join(folder, 'secret.key.new'), 'half of')
  expect((await openBox(folder)).trouble).toBeUndefined()
  expect(readFileSync(join(folder, 'secret.key'), 'utf8')).toMatch(/^[A-Za-z0-9+/=]{44}\n$/)
  expect(existsSync(join(folder, 'secret.key.new'))).toBe(false)
})
