import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { contactIdOf, groupIdOf, guidFrom, isGuid } from '../../../msnp/model/ids.ts'

describe('ids of contacts and groups', () => {
  it.each([
    ['11111111-1111-1111-1111-111111111111', true],
    ['A6A019ED-2f45-435a-89f1-0f5037e1fb01', true],
    ['{a6a019ed-2f45-435a-89f1-0f5037e1fb01}', true],
    ['a6a019ed-2f45-435a-89f1-0f5037e1fb0', false],
    ['g6a019ed-2f45-435a-89f1-0f5037e1fb01', false],
    ['0', false],
    ['bob@example.com', false],
    ['', false],
    [undefined, false],
  ])('%j is a GUID: %s', (word, is) => {
    expect(isGuid(word)).toBe(is)
  })

  it('are opaque words of a sane length', () => {
    const words = ['22', 'x'.repeat(64), '', 'x'.repeat(65)]
    expect(words.map((word) => contactIdOf(word))).toEqual(['22', 'x'.repeat(64), undefined, undefined])
    expect(words.map((word) => groupIdOf(word))).toEqual(['22', 'x'.repeat(64), undefined, undefined])
  })

  it('are made from random bytes, which say that they are', () => {
    expect(guidFrom(Buffer.alloc(16))).toBe('00000000-0000-4000-8000-000000000000')
    expect(guidFrom(Buffer.alloc(16, 0xff))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff')
    expect(isGuid(guidFrom(Buffer.from('0123456789abcdef')))).toBe(true)
  })
})
