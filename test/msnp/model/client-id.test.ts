import { describe, expect, it } from 'vitest'
import { clientId, generationOf, hasFeature, NEUTRAL_CLIENT_ID, parseClientId } from '../../../msnp/model/client-id.ts'

describe('the client id', () => {
  it.each([
    ['0', 0],
    ['268435456', 0x10000000],
    ['1073741856', 0x40000020],
    ['4294967295', 0xffffffff],
    ['2147778596:0', 2147778596],
    ['4294967296', undefined],
    ['-1', undefined],
    ['', undefined],
    ['12a', undefined],
    ['1:2:3', undefined],
    ['%3Cmsnobj%2F%3E', undefined],
  ])('%j reads %s', (word, id) => {
    expect(parseClientId(word)).toBe(id)
  })

  it('is a sum of features under the generation of the client', () => {
    expect(clientId(4, ['chunks'])).toBe(0x40000020)
    expect(clientId(15, ['mobile', 'winks'])).toBe(0xf0008001)
    expect(clientId(0, [])).toBe(0)
  })

  it('tells features and generation', () => {
    expect(hasFeature(0x40000020, 'chunks')).toBe(true)
    expect(hasFeature(0x40000020, 'winks')).toBe(false)
    expect(hasFeature(0xf0008001, 'winks')).toBe(true)
    expect([0, 0x10000000, NEUTRAL_CLIENT_ID, 0xf0000000].map(generationOf)).toEqual([0, 1, 4, 15])
  })
})
