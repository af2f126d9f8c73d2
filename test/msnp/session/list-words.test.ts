import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contactIdOf, groupIdOf } from '../../../msnp/model/ids.ts'
import {
  formatKeyedChange,
  formatKeyedEntry,
  parseGroupWords,
  parseKeyedChange,
  parseKeyedEntry,
} from '../../../msnp/session/list-words.ts'

const C = contactIdOf('22222222-2222-2222-2222-222222222222')!
const G = groupIdOf('11111111-1111-1111-1111-111111111111')!
const H = groupIdOf('33333333-3333-3333-3333-333333333333')!
const words = (line: string) => line.split(' ').filter((word) => word !== '')

describe('LST with keys', () => {
  const bob = { email: 'bob@example.com', name: 'Bob B', id: C, lists: 11 }

  it.each([
    ['at MSNP10', `N=bob@example.com F=Bob%20B C=${C} 11 ${G}`, false, { ...bob, groups: [G] }],
    ['at MSNP12', `N=bob@example.com F=Bob%20B C=${C} 11 1 ${G},${H}`, true, { ...bob, network: 1, groups: [G, H] }],
    [
      'with a space at its end',
      `N=bob@example.com F=Bob%20B C=${C} 17 1 `,
      true,
      { ...bob, lists: 17, network: 1, groups: [] },
    ],
    ['without the network', `N=bob@example.com F=Bob%20B C=${C} 11 ${G}`, true, { ...bob, groups: [G] }],
    ['in another order', `C=${C} F=Bob%20B N=bob@example.com 11`, true, { ...bob, groups: [] }],
    ['with small keys and one unknown', `n=bob@example.com f=Bob%20B X=1 c=${C} 11`, true, { ...bob, groups: [] }],
    ['with the address alone', 'N=dave@example.com 8', false, { email: 'dave@example.com', lists: 8, groups: [] }],
    [
      'of a phone',
      'N=tel:+15550100 F=Dave 16 4',
      true,
      { email: 'tel:+15550100', name: 'Dave', lists: 16, network: 4, groups: [] },
    ],
    [
      'with groups by number',
      'N=bob@example.com 3 0,2',
      false,
      { email: 'bob@example.com', lists: 3, groups: ['0', '2'] },
    ],
    ['with a name of one sign', 'N=a@b F== 255', false, { email: 'a@b', name: '=', lists: 31, groups: [] }],
  ])('is read %s', (_, line, networkIds, expected) => {
    expect(parseKeyedEntry(words(line), networkIds)).toEqual(expected)
  })

  it.each([
    ['the bits', `N=bob@example.com F=Bob C=${C}`],
    ['the address', `F=Bob C=${C} 11`],
    ['a real address', 'N=bob F=Bob 11'],
    ['a number for bits', 'N=bob@example.com F=Bob x'],
    ['all', ''],
  ])('is not read without %s', (_, line) => {
    expect(parseKeyedEntry(words(line), true)).toBeUndefined()
  })

  it('is written as each dialect has it', () => {
    expect(formatKeyedEntry({ ...bob, groups: [G] }).join(' ')).toBe(`N=bob@example.com F=Bob%20B C=${C} 11 ${G}`)
    expect(formatKeyedEntry({ ...bob, network: 1, groups: [G, H] }).join(' ')).toBe(
      `N=bob@example.com F=Bob%20B C=${C} 11 1 ${G},${H}`,
    )
    expect(formatKeyedEntry({ email: 'dave@example.com', lists: 8, groups: [] }).join(' ')).toBe('N=dave@example.com 8')
  })

  it('is read back as it was written, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(31), fc.boolean(), (name, lists, net) => {
        const entry = { ...bob, name, lists, groups: [G], ...(net ? { network: 1 } : {}) }
        expect(parseKeyedEntry(formatKeyedEntry(entry).map(String), net)).toEqual(entry)
      }),
      { numRuns: 100 },
    )
  })
})

describe('ADC', () => {
  it.each([
    ['FL N=bob@example.com F=Bob', { list: 'FL', email: 'bob@example.com', name: 'Bob' }],
    [`FL N=bob@example.com F=Bob C=${C}`, { list: 'FL', email: 'bob@example.com', name: 'Bob', id: C }],
    [`FL C=${C} ${G}`, { list: 'FL', id: C, group: G }],
    ['AL N=bob@example.com', { list: 'AL', email: 'bob@example.com' }],
    ['RL N=bob@example.com F=Bob', { list: 'RL', email: 'bob@example.com', name: 'Bob' }],
  ])('%s is read, and written back', (line, expected) => {
    expect(parseKeyedChange(words(line))).toEqual(expected)
    expect(formatKeyedChange(parseKeyedChange(words(line))!).join(' ')).toBe(line)
  })

  it.each([['FL'], ['XX N=bob@example.com'], ['FL F=Bob'], ['AL bob@example.com'], ['']])('%j is not read', (line) => {
    expect(parseKeyedChange(words(line))).toBeUndefined()
  })

  it('has a group on FL alone', () => {
    expect(parseKeyedChange(words(`AL N=bob@example.com ${G}`))).toEqual({ list: 'AL', email: 'bob@example.com' })
  })
})

describe('a group', () => {
  it.each([
    [`Work ${G} 0`, 'Work'],
    [`Work ${G}`, 'Work'],
    [`1 Play%20it ${G} 0`, 'Play it'],
    [`${G} Play`, 'Play'],
    [`${G} Play 0`, 'Play'],
    [`${C} ${G}`, C],
    [`${C} ${G} 0`, C],
    [`1 ${C} ${G} 0`, C],
    [G, undefined],
  ])('is found in %s', (line, name) => {
    expect(parseGroupWords(words(line))).toEqual({ id: G, name })
  })

  it('is found behind a number that says nothing', () => {
    expect(parseGroupWords(words(`1 ${G}`))?.id).toBe(G)
  })

  it.each([['Work 2 0'], ['']])('is not found in %j', (line) => {
    expect(parseGroupWords(words(line))).toBeUndefined()
  })
})
