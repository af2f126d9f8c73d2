import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLine } from '../../../../adapters/irc-gateway/wire/line.ts'
import '../../../kit/properties.ts'

describe('a line of a client (RFC 2812, 2.3.1)', () => {
  it.each<[string, string, readonly string[]]>([
    ['PING', 'PING', []],
    ['privmsg  bob   :hi  there ', 'PRIVMSG', ['bob', 'hi  there ']],
    ['PRIVMSG bob hi', 'PRIVMSG', ['bob', 'hi']],
    ['JOIN :', 'JOIN', ['']],
    ['USER a 0 * ::-)', 'USER', ['a', '0', '*', ':-)']],
    [':somebody!else@x NICK a', 'NICK', ['a']],
    ['  MODE a ', 'MODE', ['a']],
    ['A:b c:d', 'A:B', ['c:d']],
    ['QUIT :bye\r\n', 'QUIT', ['bye']],
    ['QUIT :bye\r', 'QUIT', ['bye']],
    ['QUIT :b\0y\re', 'QUIT', ['by e']],
    [
      'X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16',
      'X',
      ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '15 16'],
    ],
    [
      'X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 :15 16',
      'X',
      ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '15 16'],
    ],
  ])('%j', (text, verb, params) => {
    expect(parseLine(text)).toEqual({ tags: new Map(), verb, params })
  })

  it.each(['', ' ', '\r\n', ':source', ':source ', '@tag', '@tag ', '@tag :source', '\0'])('%j is blank', (text) => {
    expect(parseLine(text)).toBeUndefined()
  })
})

describe('tags (IRCv3 message-tags)', () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ['@a=b;c;+d/e=f', { a: 'b', c: '', '+d/e': 'f' }],
    ['@a=1;a=2', { a: '2' }],
    ['@a==b=', { a: '=b=' }],
    ['@+example=raw+:=,escaped\\:\\s\\\\', { '+example': 'raw+:=,escaped; \\' }],
    ['@a=\\r\\n\\x\\', { a: '\r\nx' }],
    ['@;;=x;', {}],
    ['@__proto__=x', { ['__proto__']: 'x' }],
  ])('%s', (tags, expected) => {
    const line = parseLine(`${tags} X`)
    expect(line).toMatchObject({ verb: 'X', tags: new Map(Object.entries(expected)) })
  })

  it('of more than 4094 bytes are too long', () => {
    expect(parseLine(`@${'é'.repeat(2_047)} X`)).toMatchObject({ verb: 'X' })
    expect(parseLine(`@${'é'.repeat(2_047)}a X`)).toEqual({ wrong: 'tags-too-long' })
  })
})

it('no text makes it throw, and none of its words has an end of line in it', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom('@', ':', ';', ' ', '=', '\\', 'a', '\r', '\n', '\0') }),
      ),
      (text) => {
        const line = parseLine(text)
        if (line === undefined || 'wrong' in line) return
        expect(line.verb).not.toBe('')
        expect(line.params.length).toBeLessThanOrEqual(15)
        for (const word of [line.verb, ...line.params]) expect(word).not.toMatch(/[\r\n\0]/)
        for (const word of line.params.slice(0, -1)) expect(word).not.toMatch(/^:|^$| /)
      },
    ),
    { numRuns: 1_000 },
  )
})
