import { describe, expect, it } from 'vitest'
import { formatMember, parseMember } from '../../../msnp/session/member-words.ts'

describe('somebody in a switchboard', () => {
  it.each([
    ['before MSNP12', ['bob@example.com', 'Bob%20B'], { email: 'bob@example.com', name: 'Bob B', clientId: undefined }],
    [
      'from MSNP12 on',
      ['bob@example.com', 'Bob', '268435456'],
      { email: 'bob@example.com', name: 'Bob', clientId: 0x10000000 },
    ],
    [
      'with what only later dialects say',
      ['bob@example.com;{a-b}', 'Bob', '268435456:4'],
      { email: 'bob@example.com', name: 'Bob', clientId: 0x10000000 },
    ],
    ['without a name', ['bob@example.com'], { email: 'bob@example.com', name: 'bob@example.com', clientId: undefined }],
    [
      'with an odd client id',
      ['bob@example.com', 'Bob', '-1'],
      { email: 'bob@example.com', name: 'Bob', clientId: undefined },
    ],
  ])('is read %s', (_, words, expected) => {
    expect(parseMember(words)).toEqual(expected)
  })

  it.each([[[]], [['bob']], [[';{a}', 'Bob']]])('is not read from %j', (words) => {
    expect(parseMember(words)).toBeUndefined()
  })

  it('is written as the dialect of who reads has it', () => {
    const bob = { email: 'bob@example.com', name: 'Bob B', clientId: 0x10000000 }
    expect(formatMember(bob, false)).toEqual(['bob@example.com', 'Bob%20B'])
    expect(formatMember(bob, true)).toEqual(['bob@example.com', 'Bob%20B', '268435456'])
    expect(formatMember({ ...bob, clientId: undefined }, true).at(-1)).toBe('0')
  })
})
