import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RichText, Span } from '../../bridge/model/text.ts'
import { textOf } from '../../bridge/model/text.ts'
import { parse, render, withoutControls } from '../../irc/formatting.ts'

const readings: readonly (readonly [string, string, RichText])[] = [
  ['plain text', 'hello', [{ text: 'hello' }]],
  ['nothing', '', []],
  ['bold that is switched off', 'a\x02b\x02c', [{ text: 'a' }, { text: 'b', bold: true }, { text: 'c' }]],
  ['bold that nobody switches off', '\x02b', [{ text: 'b', bold: true }]],
  [
    'all five toggles',
    '\x02\x1d\x1f\x1e\x11x',
    [{ text: 'x', bold: true, italic: true, underline: true, strike: true, mono: true }],
  ],
  ['a reset', '\x02\x0304a\x0fb', [{ text: 'a', bold: true, color: '#ff0000' }, { text: 'b' }]],
  ['a colour of one digit', '\x034a', [{ text: 'a', color: '#ff0000' }]],
  ['a colour and a digit of the text', '\x03045', [{ text: '5', color: '#ff0000' }]],
  ['a colour on a background', '\x034,12a', [{ text: 'a', color: '#ff0000' }]],
  ['a comma that begins no background', '\x034,a', [{ text: ',a', color: '#ff0000' }]],
  ['the end of a colour', '\x034a\x03b', [{ text: 'a', color: '#ff0000' }, { text: 'b' }]],
  ['colour 99, the default', '\x034a\x0399b', [{ text: 'a', color: '#ff0000' }, { text: 'b' }]],
  ['a colour beyond 15', '\x0355a', [{ text: 'a', color: '#b2ff00' }]],
  ['a hex colour', '\x04FF8800a\x04b', [{ text: 'a', color: '#ff8800' }, { text: 'b' }]],
  ['reverse, which is nothing elsewhere', 'a\x16b', [{ text: 'ab' }]],
  ['a bell and a tab', 'a\x07b\tc', [{ text: 'ab\tc' }]],
]

describe('reading IRC formatting', () => {
  it.each(readings)('understands %s', (_, line, expected) => {
    const spans = parse(line)
    expect(textOf(spans)).toBe(textOf(expected))
    // Runs of one style may come in pieces.
    expect(merged(spans)).toEqual(expected)
  })
})

describe('writing IRC formatting', () => {
  it.each([
    ['plain text', [{ text: 'a' }], 'a'],
    ['bold in the middle', [{ text: 'a' }, { text: 'b', bold: true }, { text: 'c' }], 'a\x02b\x02c'],
    ['a colour before a digit', [{ text: '5', color: '#ff0000' }], '\x03045'],
    ['a colour before a comma', [{ text: ',5', color: '#ff0000' }], '\x0304\x02\x02,5'],
    ['the end of a colour before a digit', [{ text: 'a', color: '#ff0000' }, { text: '5' }], '\x0304a\x03\x02\x025'],
    ['black, which many cannot see', [{ text: 'a', color: '#000000' }], 'a'],
    ['white, which many cannot see', [{ text: 'a', color: '#FFFFFF' }], 'a'],
    ['the nearest of the 99 colours', [{ text: 'a', color: '#fe0101' }], '\x0304a'],
    ['codes that people sent as text', [{ text: 'a\x02b\x03c\x01d' }], 'abcd'],
  ] satisfies [string, RichText, string][])('writes %s', (_, spans, expected) => {
    expect(render(spans)).toBe(expected)
  })

  it('reads back what it wrote, whatever the styles', () => {
    fc.assert(
      fc.property(fc.array(anySpan, { maxLength: 8 }), (spans) => {
        expect(merged(parse(render(spans)))).toEqual(merged(spans))
      }),
      { numRuns: 500 },
    )
  })

  it('never lets text start a CTCP, a line or a style', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(withoutControls(text)).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f]/)
      }),
    )
  })
})

const flag = fc.constantFrom(undefined, true as const)
const anySpan: fc.Arbitrary<Span> = fc
  .record({
    text: fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('5', ',5', '07,3', 'ü😀')),
    bold: flag,
    italic: flag,
    underline: flag,
    strike: flag,
    mono: flag,
    color: fc.constantFrom(undefined, '#ff0000', '#00007f', '#b2ff00', '#ff94d3'),
  })
  .map((span) => Object.fromEntries(Object.entries(span).filter(([, value]) => value !== undefined)) as unknown as Span)

const merged = (spans: RichText): RichText => {
  const out: Span[] = []
  for (const { text, ...style } of spans) {
    if (text === '') continue
    const last = out.at(-1)
    if (last !== undefined) {
      const { text: before, ...lastStyle } = last
      if (JSON.stringify(sorted(lastStyle)) === JSON.stringify(sorted(style))) {
        out[out.length - 1] = { ...last, text: before + text }
        continue
      }
    }
    out.push({ text, ...style })
  }
  return out
}

const sorted = (style: object) => Object.entries(style).toSorted(([one], [other]) => one.localeCompare(other))
