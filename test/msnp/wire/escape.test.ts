import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeName, encodeName } from '../../../msnp/wire/escape.ts'

const raw = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

describe('names on the wire', () => {
  it.each([
    ['Bob', 'Bob'],
    ['Other%20Contacts', 'Other Contacts'],
    ['Caf%C3%A9', 'Café'],
    ['caf%c3%a9', 'café'],
    [raw('Bob%20☃%20"100%25"%20é'), 'Bob ☃ "100%" é'],
    ['%E2%98%83', '☃'],
    ['100%', '100%'],
    ['%zz%41', '%zzA'],
    ['%2', '%2'],
    ['a+b', 'a+b'],
    ['%C3', '\ufffd'],
    ['x%ED%A0%80y', `x${'\ufffd'.repeat(3)}y`],
    [raw('é%C3%A9'), 'éé'],
    ['%F0%9F%98%80', '😀'],
    ['', ''],
    ['%00%0D%0A', '\0\r\n'],
  ])('%j reads %j', (word, name) => {
    expect(decodeName(word)).toBe(name)
  })

  it.each([
    ['Bob', 'Bob'],
    ['Alice A', 'Alice%20A'],
    ['100%', '100%25'],
    ['é☃', '%C3%A9%E2%98%83'],
    ["(a)!*'", '%28a%29%21%2A%27'],
    ['a\r\nOUT', 'a%0D%0AOUT'],
    ['-_.~', '-_.~'],
    ['\ud800', '%EF%BF%BD'],
  ])('%j is written %j', (name, word) => {
    expect(encodeName(name)).toBe(word)
  })

  it('come back as they were, and are one word of a line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const word = encodeName(name)
        expect(word).toMatch(/^[A-Za-z0-9\-_.~%]*$/)
        expect(decodeName(word)).toBe(name.toWellFormed())
      }),
      { numRuns: 500 },
    )
  })

  it('never throw, whatever the bytes, and raw UTF-8 comes out as it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(typeof decodeName(Buffer.from(bytes).toString('latin1'))).toBe('string')
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        fc.pre(!name.includes('%'))
        expect(decodeName(raw(name))).toBe(name)
      }),
    )
  })
})
