/** Nothing that anybody says becomes HTML, and what is styled is styled. */
import fc from 'fast-check'
import { Parser } from 'htmlparser2'
import { expect, test } from 'vitest'
import { cleaned } from '../../../adapters/matrix/clean.ts'
import { readHtml } from '../../../adapters/matrix/html-in.ts'
import { wordsOf, type Words } from '../../../adapters/matrix/html-out.ts'
import { textOf, type RichText, type Span } from '../../../bridge/model/text.ts'
import '../../kit/properties.ts'

const html = (formatted_body: string, body: string): Words => ({
  body,
  format: 'org.matrix.custom.html',
  formatted_body,
})

test.each<[string, RichText, Words]>([
  ['plain words', [{ text: 'a <b> & "c"\nd' }], { body: 'a <b> & "c"\nd' }],
  ['bold', [{ text: 'a', bold: true }, { text: ' b' }], html('<strong>a</strong> b', 'a b')],
  ['italic', [{ text: 'a', italic: true }], html('<em>a</em>', 'a')],
  ['underline', [{ text: 'a', underline: true }], html('<u>a</u>', 'a')],
  ['strike', [{ text: 'a', strike: true }], html('<del>a</del>', 'a')],
  ['mono', [{ text: 'a\nb', mono: true }], html('<code>a<br>b</code>', 'a\nb')],
  ['two styles', [{ text: '<a>', bold: true, italic: true }], html('<strong><em>&lt;a&gt;</em></strong>', '<a>')],
  ['a colour', [{ text: 'a', color: '#FF8000' }], html('<span data-mx-color="#ff8000">a</span>', 'a')],
  ['black, which half of all readers could not see', [{ text: 'a', color: '#000000' }], { body: 'a' }],
  ['white, likewise', [{ text: 'a', color: '#FFFFFF' }], { body: 'a' }],
  ['a colour that is none', [{ text: 'a', color: '#"><script>' }], { body: 'a' }],
  ['a styled blank', [{ text: 'a' }, { text: ' ', bold: true }], { body: 'a ' }],
  ['a link', [{ text: 'https://a.example/?b&c' }], { body: 'https://a.example/?b&c' }],
  [
    'control characters',
    [{ text: 'a\u0000\u0007\r\nb\ud800', bold: true }],
    html('<strong>a<br>b\ufffd</strong>', 'a\nb\ufffd'),
  ],
  ['nothing', [], { body: '' }],
])('%s', (_, text, expected) => {
  expect(wordsOf(text)).toEqual(expected)
})

const evil = fc.oneof(
  fc.constantFrom(
    '<script>',
    '"',
    "'",
    '&lt;',
    '<img src=x onerror=y>',
    '</code>',
    '-->',
    '\n',
    '&',
    '<!--',
    '\u0000',
    '\u2028',
  ),
  fc.string({ unit: 'binary' }),
)
const flag = fc.constantFrom(true as const, undefined)
const span: fc.Arbitrary<Span> = fc
  .record({
    text: fc.array(evil, { maxLength: 5 }).map((parts) => parts.join('')),
    bold: flag,
    italic: flag,
    underline: flag,
    strike: flag,
    mono: flag,
    color: fc.oneof(
      fc.constantFrom('#123456', '#"onx="', undefined),
      fc.string().map((text) => `#${text}`),
    ),
  })
  .map(
    (record) =>
      Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as unknown as Span,
  )

test('only the tags of the spans come out, whatever the text', () => {
  const allowed = new Set(['strong', 'em', 'u', 'del', 'code', 'br', 'span'])
  fc.assert(
    fc.property(fc.array(span, { maxLength: 8 }), (text) => {
      const { body, formatted_body: written } = wordsOf(text)
      expect(body).toBe(cleaned(textOf(text)))
      if (written === undefined) return
      let seen = ''
      const parser = new Parser({
        onopentag: (name, attributes) => {
          expect(allowed).toContain(name)
          if (name === 'br') seen += '\n'
          const names = Object.keys(attributes)
          expect(names).toEqual(name === 'span' ? ['data-mx-color'] : [])
          if (name === 'span') expect(attributes['data-mx-color']).toMatch(/^#[0-9a-f]{6}$/)
        },
        oncomment: () => expect.unreachable('a comment'),
        onprocessinginstruction: () => expect.unreachable('an instruction'),
        ontext: (part) => (seen += part),
      })
      parser.end(written)
      expect(seen).toBe(text.map(({ text: words }) => cleaned(words)).join(''))
    }),
    { numRuns: 500 },
  )
})

test('what was written is read again as it was', () => {
  const text: RichText = [
    { text: 'a <b> ' },
    { text: 'c & d', bold: true },
    { text: '\ne', italic: true, color: '#ff8000' },
    { text: ' f', strike: true, underline: true },
  ]
  expect(readHtml(wordsOf(text).formatted_body ?? '', () => undefined)).toEqual([
    { text: 'a <b> ' },
    { text: 'c & d', bold: true },
    { text: '\ne', italic: true, color: '#ff8000' },
    { text: ' f', strike: true, underline: true },
  ])
})
