import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CAP_NAMES, type Cap } from '../../../../adapters/irc-gateway/wire/caps.ts'
import { encode, type ServerMessage } from '../../../../adapters/irc-gateway/wire/message.ts'
import { NUMERICS, numeric, type NumericName } from '../../../../adapters/irc-gateway/wire/numerics.ts'
import { parseLine } from '../../../../adapters/irc-gateway/wire/line.ts'
import '../../../kit/properties.ts'

const caps = (...names: readonly Cap[]): ReadonlySet<Cap> => new Set(names)
const lineOf = (message: ServerMessage, ...names: readonly Cap[]): string => encode(message, caps(...names), 'gw')

describe('a message becomes a line', () => {
  it.each<[string, ServerMessage, string]>([
    [
      'of a person',
      { source: 'bob!bob@x', verb: 'PRIVMSG', params: ['alice', 'hi you'] },
      ':bob!bob@x PRIVMSG alice :hi you',
    ],
    ['of the server', { verb: '324', params: ['alice', '&a', '+nt'] }, ':gw 324 alice &a +nt'],
    ['of one word, found by its colon (notes, 6: ii)', { verb: 'PRIVMSG', params: ['a', 'hi'] }, ':gw PRIVMSG a :hi'],
    ['without words', { source: 'b!b@x', verb: 'PART', params: ['#a'] }, ':b!b@x PART #a'],
    ['with an empty last one', { verb: 'CAP', params: ['*', 'LS', ''] }, ':gw CAP * LS :'],
    ['that begins with a colon', { verb: '352', params: ['a', ':-)'] }, ':gw 352 a ::-)'],
    ['that names nobody', { verb: 'PING', params: ['t'] }, 'PING :t'],
    ['without parameters', { verb: 'ACK', params: [] }, ':gw ACK'],
  ])('%s', (_, message, line) => {
    expect(lineOf(message)).toBe(`${line}\r\n`)
  })
})

describe('nothing can make a second line, or another parameter', () => {
  it.each<[ServerMessage, string]>([
    [{ verb: 'PRIVMSG', params: ['a', 'x\r\nQUIT :y'] }, ':gw PRIVMSG a :x QUIT :y'],
    [{ verb: 'PRIVMSG', params: ['a', '\0\n'] }, ':gw PRIVMSG a : '],
    [{ verb: 'PRIVMSG', params: ['a b\r\nc', 'x'] }, ':gw PRIVMSG a_b_c :x'],
    [{ verb: '352', params: ['a', ':b', '', 'x'] }, ':gw 352 a _b * x'],
    [{ verb: 'X\nY', source: 'a b\n:c', params: [] }, ':a_b_:c X_Y'],
    [{ verb: '', source: '', params: [''] }, ':* * :'],
  ])('%j -> %s', (message, line) => {
    expect(lineOf(message)).toBe(`${line}\r\n`)
  })

  it('is one line of at most 512 bytes and valid UTF-8, whatever is in any field', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom('\r', '\n', '\0', ' ', ':', '@', ';', '\\', 'a', '\ud83d', '\ude00', 'é', '😀'),
      }),
      fc.string({ unit: 'grapheme', minLength: 200, maxLength: 400 }),
    )
    const key = fc.oneof(fc.constantFrom('time', 'label', 'batch', 'account', 'msgid', '+typing', '+draft/reply'), text)
    fc.assert(
      fc.property(
        fc.record({ verb: text, params: fc.array(text, { maxLength: 20 }), tags: fc.dictionary(key, text) }),
        fc.option(text, { nil: undefined }),
        fc.subarray([...CAP_NAMES]),
        (message, source, names) => {
          const line = encode(source === undefined ? message : { ...message, source }, new Set(names), 'gw')
          expect(line.isWellFormed()).toBe(true)
          expect(line.slice(0, -2)).not.toMatch(/[\r\n\0]/)
          expect(line.endsWith('\r\n')).toBe(true)
          const tags = line.startsWith('@') ? line.indexOf(' ') + 1 : 0
          expect(Buffer.byteLength(line.slice(0, tags))).toBeLessThanOrEqual(8191)
          expect(Buffer.byteLength(line.slice(tags))).toBeLessThanOrEqual(512)
          expect(parseLine(line)).toBeDefined()
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is cut at the end of a character', () => {
    const line = lineOf({ verb: 'PRIVMSG', params: ['a', '😀'.repeat(200)] })
    expect(line).toMatch(/^:gw PRIVMSG a :(😀)+\r\n$/u)
    expect(Buffer.byteLength(line)).toBeGreaterThan(508)
  })

  it('carries what people say unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const said = text.replace(/[\r\n\0]+/g, ' ')
        const line = parseLine(lineOf({ verb: 'PRIVMSG', params: ['a', text] }))
        expect(line).toMatchObject({ verb: 'PRIVMSG', params: ['a', said] })
      }),
    )
  })
})

describe('tags (IRCv3 message-tags)', () => {
  const tagged = (tags: Readonly<Record<string, string>>): ServerMessage => ({ verb: 'X', params: [], tags })
  const all = { '+typing': 'active', time: 'T', account: 'bob', batch: 'b', label: 'l', msgid: 'm' }

  it.each<[readonly Cap[], string]>([
    [[], ''],
    [['server-time'], '@time=T '],
    [['account-tag'], '@account=bob '],
    [['batch'], '@batch=b '],
    [['labeled-response'], ''],
    [['labeled-response', 'batch'], '@batch=b;label=l '],
    [['message-tags'], '@msgid=m;+typing=active '],
    [CAP_NAMES, '@time=T;account=bob;batch=b;label=l;msgid=m;+typing=active '],
  ])('%j are told %s', (names, expected) => {
    expect(lineOf(tagged(all), ...names)).toBe(`${expected}:gw X\r\n`)
  })

  it('are escaped', () => {
    const line = lineOf(tagged({ msgid: 'a; b\\c\r\nd\0é', '+x': '' }), 'message-tags')
    expect(line).toBe('@msgid=a\\:\\sb\\\\c\\r\\ndé;+x :gw X\r\n')
    expect(parseLine(line)).toMatchObject({
      tags: new Map([
        ['msgid', 'a; b\\c\r\ndé'],
        ['+x', ''],
      ]),
    })
  })

  it('whose names are none are left out', () => {
    for (const key of ['', '+', 'a b', 'a=b', 'a;b', 'é', '-a', '@a', ':a']) {
      expect(lineOf(tagged({ [key]: 'x' }), 'message-tags')).toBe(':gw X\r\n')
    }
  })

  it('never exceed 8191 bytes: what does not fit is left out whole, people’s first', () => {
    const line = lineOf(
      tagged({ '+a': 'x'.repeat(5_000), time: 'T', msgid: 'm'.repeat(8_000), '+b': 'y' }),
      ...CAP_NAMES,
    )
    expect(line).toBe(`@time=T;msgid=${'m'.repeat(8_000)};+b=y :gw X\r\n`)
    const full = (bytes: number): string => lineOf(tagged({ msgid: 'm'.repeat(bytes) }), 'message-tags')
    expect(full(8_191 - '@msgid= '.length)).toMatch(/^@/)
    expect(full(8_192 - '@msgid= '.length)).toMatch(/^:/)
  })

  it('do not take room from the line', () => {
    const line = encode(
      { verb: 'PRIVMSG', params: ['a', 'x'.repeat(600)], tags: { msgid: 'm'.repeat(100) } },
      caps('message-tags'),
      'gw',
    )
    expect(line.length).toBe('@msgid= '.length + 100 + 512)
  })
})

describe('numerics', () => {
  it('have three digits, and no two the same', () => {
    const codes = Object.values(NUMERICS).map(([code]) => code)
    for (const code of codes) expect(code).toMatch(/^\d{3}$/)
    expect(new Set(codes).size).toBe(codes.length)
  })

  it.each<[NumericName, readonly string[], string | undefined, string]>([
    ['ERR_NEEDMOREPARAMS', ['USER'], undefined, ':gw 461 alice USER :Not enough parameters'],
    ['ERR_UNKNOWNCOMMAND', ['X'], undefined, ':gw 421 alice X :Unknown command'],
    ['RPL_TOPIC', ['&a'], 'hello', ':gw 332 alice &a :hello'],
    ['RPL_CHANNELMODEIS', ['&a', '+nt'], undefined, ':gw 324 alice &a +nt'],
  ])('%s', (name, params, words, line) => {
    expect(lineOf(numeric(name, 'alice', params, words))).toBe(`${line}\r\n`)
  })

  it('are for * while there is no nick', () => {
    expect(numeric('ERR_NOTREGISTERED', '').params[0]).toBe('*')
  })
})
