import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandNames } from '../../../../adapters/irc-gateway/root/commands.ts'
import { columns, nearest, readLine, shortFor } from '../../../../adapters/irc-gateway/root/words.ts'

describe('a line to root', () => {
  const table: readonly (readonly [line: string, name: string, ...words: string[]])[] = [
    ['help', 'help'],
    ['  HELP  ', 'help'],
    ['account add msn bob@example.com secret', 'account', 'add', 'msn', 'bob@example.com', 'secret'],
    ['set to_char ": "', 'set', 'to_char', ': '],
    [`nick msn 'Bob of the hill'`, 'nick', 'msn', 'Bob of the hill'],
    ['identify "two  blanks"', 'identify', 'two  blanks'],
    [String.raw`identify two\ words`, 'identify', 'two words'],
    [String.raw`identify "a \"quote\""`, 'identify', 'a "quote"'],
    [String.raw`identify back\slash`, 'identify', String.raw`back\slash`],
    ["identify it's", 'identify', "it's"],
    ['set away ""', 'set', 'away', ''],
    ['group   info    Friends', 'group', 'info', 'Friends'],
    ['say "never closed', 'say', 'never closed'],
    ['tab\tand\0null', 'tab', 'and', 'null'],
    ['', ''],
  ]
  test.each(table)('%j is read as BitlBee reads it', (line, name, ...words) => {
    expect(readLine(line)).toMatchObject({ name, words })
  })

  test('keeps what is behind the command as it was written', () => {
    expect(readLine('bridge set-status busy "at  work"').rest).toBe('set-status busy "at  work"')
  })

  test('is read whatever it is, into at most 64 words without line ends', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('ab \'"\\\r\n\0\té')), maxLength: 300 }), (line) => {
        const { name, words } = readLine(line)
        expect(words.length).toBeLessThanOrEqual(64)
        expect([name, ...words].join('')).not.toMatch(/[\r\n\0]/)
      }),
    )
  })
})

describe('a short form', () => {
  const table: readonly (readonly [word: string, name: string])[] = [
    ['acc', 'account'],
    ['ac', 'account'],
    ['account', 'account'],
    ['add', 'add'],
    ['al', 'allow'],
    ['bli', 'blist'],
    ['blo', 'block'],
    ['br', 'bridge'],
    ['chan', 'channel'],
    ['chat', 'chat'],
    ['d', 'drop'],
    ['g', 'group'],
    ['h', 'help'],
    ['id', 'identify'],
    ['in', 'info'],
    ['ni', 'nick'],
    ['no', 'no'],
    ['nu', 'nudge'],
    ['q', 'qlist'],
    ['reg', 'register'],
    ['rem', 'remove'],
    ['ren', 'rename'],
    ['sa', 'save'],
    ['se', 'set'],
    ['t', 'transfer'],
    ['y', 'yes'],
    ['YES', 'yes'],
  ]
  test.each(table)('%s is %s', (word, name) => {
    expect(shortFor(word, commandNames)).toEqual({ kind: 'one', name })
  })

  test('that may be several is none of them', () => {
    expect(shortFor('a', commandNames)).toEqual({ kind: 'several', names: ['account', 'add', 'allow'] })
    expect(shortFor('n', commandNames)).toMatchObject({ kind: 'several' })
    expect(shortFor('', commandNames)).toEqual({ kind: 'none' })
    expect(shortFor('x', commandNames)).toEqual({ kind: 'none' })
  })

  test('is guessed from what is nearly right', () => {
    expect(nearest('acount', commandNames)).toBe('account')
    expect(nearest('hlep', commandNames)).toBe('help')
    expect(nearest('hunter2', commandNames)).toBeUndefined()
    expect(nearest('', commandNames)).toBeUndefined()
  })
})

test('columns are as wide as they say, and end without blanks', () => {
  expect(columns([4, 3], ['abcdef', 'x', 'last'])).toBe('abcd  x    last')
  expect(columns([4, 3], ['ab', 'x', ''])).toBe('ab    x')
})
