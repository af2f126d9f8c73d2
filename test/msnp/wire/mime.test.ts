import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MisuseError } from '../../../sansio/machine.ts'
import { formatMime, HeaderBlock, MAX_HEADER_BYTES, MAX_HEADERS, parseMime } from '../../../msnp/wire/mime.ts'

const parse = (text: string) => parseMime(Buffer.from(text, 'utf8'))
const TEXT = 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nX-MMS-IM-Format: FN=Arial\r\n\r\nHello ☃'

describe('a MIME message', () => {
  it('has headers, a type, a charset and a body', () => {
    const message = parse(TEXT)
    expect(message.contentType).toBe('text/plain')
    expect(message.charset).toBe('utf-8')
    expect(message.headers.get('X-MMS-IM-Format')).toBe('FN=Arial')
    expect(message.headers.get('P4-Context')).toBeUndefined()
    expect(message.text()).toBe('Hello ☃')
  })

  it.each([
    ['CRLF', '\r\n'],
    ['LF', '\n'],
    ['CR', '\r'],
  ])('may have lines that end in %s', (_, end) => {
    const message = parse(['Content-Type: text/x', 'TypingUser: a@example.com', '', 'x: y', '', 'z'].join(end))
    expect(message.contentType).toBe('text/x')
    expect(message.headers.get('typinguser')).toBe('a@example.com')
    expect(message.text()).toBe(['x: y', '', 'z'].join(end))
  })

  it('may mix them', () => {
    const message = parse('A: 1\rB: 2\nC: 3\r\n\nbody\r\n\r\nmore')
    expect(message.headers.entries()).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ])
    expect(message.text()).toBe('body\r\n\r\nmore')
  })

  it('finds a header in any case, with white space around name and value', () => {
    const message = parse('content-TYPE:text/PLAIN ;  Charset="utf-8"\r\nX-Odd :  a b  \r\n\r\n')
    expect(message.contentType).toBe('text/plain')
    expect(message.charset).toBe('utf-8')
    expect(message.headers.get('x-odd')).toBe('a b')
  })

  it('takes the first of two headers of one name', () => {
    expect(parse('A: 1\r\na: 2\r\n\r\n').headers.get('A')).toBe('1')
  })

  it.each([
    ['nothing at all', '', undefined, ''],
    ['no blank line', 'A: 1\r\nB: 2', '1', ''],
    ['a line without a colon', 'nonsense\r\nA: 1\r\n\r\nx', '1', 'x'],
    ['a blank line first', '\r\nA: 1\r\n\r\nx', undefined, 'A: 1\r\n\r\nx'],
    ['no value', 'A:\r\n\r\nx', '', 'x'],
    ['a colon only in the body', 'A\r\n\r\nB: 1', undefined, 'B: 1'],
    ['a colon first', ': 1\r\nA: 2\r\n\r\n', '2', ''],
  ])('is read as far as it can be when there is %s', (_, text, value, body) => {
    const message = parse(text)
    expect(message.headers.get('a')).toBe(value)
    expect(message.text()).toBe(body)
  })

  it.each([
    ['no charset is ISO-8859-1', 'text/plain', Buffer.from([0xe9]), 'é'],
    ['UTF-8', 'text/plain; charset=UTF-8', Buffer.from('é'), 'é'],
    ['broken UTF-8', 'text/plain; charset=UTF-8', Buffer.from([0x61, 0xff]), 'a\ufffd'],
    ['a known other one', 'text/plain; charset=windows-1251', Buffer.from([0xcf]), 'П'],
    ['an unknown one is ISO-8859-1', 'text/plain; charset=klingon', Buffer.from([0xe9]), 'é'],
  ])('is text by its charset: %s', (_, type, body, text) => {
    const message = parseMime(Buffer.concat([Buffer.from(`Content-Type: ${type}\r\n\r\n`), body]))
    expect(message.text()).toBe(text)
  })

  it('keeps a second block of headers in the body', () => {
    const message = parse(
      'Content-Type: text/x-msmsgsinvite\r\n\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 5\r\n\r\n',
    )
    expect(message.bodyHeaders().get('invitation-cookie')).toBe('5')
    expect(message.bodyHeaders().entries()).toHaveLength(2)
  })

  it('reads a bounded number of headers and of bytes of them', () => {
    const many = Array.from({ length: MAX_HEADERS + 5 }, (_, index) => `H${index}: ${index}\r\n`).join('')
    const message = parse(`${many}\r\nbody`)
    expect(message.headers.get(`h${MAX_HEADERS - 1}`)).toBe(String(MAX_HEADERS - 1))
    expect(message.headers.get(`h${MAX_HEADERS}`)).toBeUndefined()
    expect(message.headers.entries()).toHaveLength(MAX_HEADERS)
    expect(message.text()).toBe('body')
    const endless = parse(`A: ${'x'.repeat(MAX_HEADER_BYTES)}\r\n\r\nbody`)
    expect(endless.headers.get('a')).toHaveLength(MAX_HEADER_BYTES - 3)
    expect(endless.text()).toBe('')
  })

  it.each(['\n', '\r', '\r\n', 'a\n', ':\n', 'a:\r', ' : \r\n'])('costs little when it is all %j', (piece) => {
    const hostile = Buffer.from(piece.repeat(Math.floor(60_000 / piece.length)), 'latin1')
    const started = performance.now()
    for (let count = 0; count < 20; count++) {
      const message = parseMime(hostile)
      message.headers.get('x')
      message.bodyHeaders().entries()
    }
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('never throws, whatever the bytes', () => {
    const odd = fc.constantFrom('\r\n', '\n', '\r', ':', ': ', ';', 'Content-Type', 'charset=', '"', 'utf-8', 'x')
    fc.assert(
      fc.property(fc.array(fc.oneof(odd, fc.string({ maxLength: 3, unit: 'binary' })), { maxLength: 40 }), (parts) => {
        const message = parse(parts.join(''))
        expect(message.text().length + message.contentType.length).toBeGreaterThanOrEqual(0)
        for (const [name, value] of message.headers.entries()) {
          expect(name).not.toMatch(/^[ \t]|[ \t]$/)
          expect(value).not.toMatch(/[\r\n]/)
        }
        message.bodyHeaders().entries()
      }),
      { numRuns: 500 },
    )
  })

  it('answers by name just what a full reading of the block does', () => {
    const name = fc.constantFrom('A', 'b', 'Content-Type', 'content-type', ' X ', '')
    const line = fc.tuple(name, fc.constantFrom(':', ': ', '', ' :'), fc.constantFrom('1', ' two ', 'a:b', ''))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.constantFrom('\r\n', '\n', '\r'), (lines, end) => {
        const block = new HeaderBlock(lines.map((parts) => parts.join('')).join(end))
        const table = new Map(block.entries().toReversed())
        for (const each of ['a', 'b', 'content-type', 'x']) expect(block.get(each)).toBe(table.get(each))
      }),
    )
  })
})

describe('writing a MIME message', () => {
  it('puts headers, a blank line and the body in UTF-8', () => {
    const bytes = formatMime(
      [
        ['MIME-Version', '1.0'],
        ['Content-Type', 'text/plain'],
      ],
      'é',
    )
    expect(Buffer.from(bytes).toString()).toBe('MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\né')
  })

  it.each([
    ['A', 'x\r\nB: y'],
    ['A', 'x\ny'],
    ['A: b', 'x'],
    ['A\r\n', 'x'],
    ['', 'x'],
    ['A', '☃'],
  ])('refuses the header %j: %j, which is our own mistake', (name, value) => {
    expect(() => formatMime([[name, value]], '')).toThrow(MisuseError)
  })

  it('comes back as it was', () => {
    const value = fc.string({
      unit: fc
        .integer({ min: 33, max: 255 })
        .filter((c) => c !== 0x85 && c !== 0xa0)
        .map((c) => String.fromCharCode(c)),
    })
    fc.assert(
      fc.property(value, fc.string({ unit: 'grapheme' }), (header, body) => {
        const message = parseMime(
          formatMime(
            [
              ['Content-Type', 'text/plain; charset=UTF-8'],
              ['X-A', header],
            ],
            body,
          ),
        )
        expect(message.headers.get('x-a')).toBe(header)
        expect(message.text()).toBe(body)
      }),
    )
  })
})
