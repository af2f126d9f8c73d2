import { isIP } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressFor, isAddressOrPrefix } from '../../../../adapters/irc/puppets/addresses.ts'
import '../../../kit/properties.ts'

test.each([
  ['192.0.2.7', true],
  ['2001:db8::7', true],
  ['2001:db8:1::/64', true],
  ['10.0.0.0/8', true],
  ['10.0.0.0/33', false],
  ['2001:db8::/129', false],
  ['fe80::1%eth0', false],
  ['home.example', false],
  ['1.2.3.4/8/8', false],
  ['', false],
])('%j is an address or a prefix: %j', (text, is) => {
  expect(isAddressOrPrefix(text)).toBe(is)
})

test('one address is for all', () => {
  expect(addressFor(['192.0.2.7'], 'bob')).toBe('192.0.2.7')
  expect(addressFor(['2001:db8::7'], 'bob')).toBe('2001:db8:0:0:0:0:0:7')
  expect(addressFor([], 'bob')).toBeUndefined()
})

test('of a prefix each gets an address in it, the same for good', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 33, max: 128 }), (key, length) => {
      const address = addressFor([`2001:db8::/${length}`], key) ?? ''
      expect(isIP(address)).toBe(6)
      expect(address).toMatch(/^2001:db8:/)
      expect(addressFor([`2001:db8::/${length}`], key)).toBe(address)
    }),
  )
})

test('two people have two addresses in a wide prefix', () => {
  const addresses = new Set(Array.from({ length: 200 }, (_, index) => addressFor(['2001:db8:1::/64'], `p${index}`)))
  expect(addresses.size).toBe(200)
})

test('the first and the last address of an old network are nobody’s', () => {
  for (let index = 0; index < 50; index++)
    expect(['192.0.2.1', '192.0.2.2']).toContain(addressFor(['192.0.2.0/30'], `p${index}`))
})

test('of a list each gets one', () => {
  const list = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
  const used = new Set(Array.from({ length: 60 }, (_, index) => addressFor(list, `p${index}`)))
  expect([...used].toSorted()).toEqual(list)
})
