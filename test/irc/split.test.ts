import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { render, withoutControls } from '../../irc/formatting.ts'
import { lineOf, partsOf, wiresOf } from '../../adapters/irc/outbound.ts'
import { splitLine, splitLines, splitText } from '../../irc/split.ts'
import type { Outbound } from '../../bridge/model/events.ts'
import { plain, textOf, type RichText } from '../../bridge/model/text.ts'

const bytes = (text: RichText): number => Buffer.byteLength(render(text))
const family = '👨‍👩‍👧‍👦'

describe('splitting into lines', () => {
  it.each([
    ['one line', 'a', ['a']],
    ['line feeds', 'a\nb', ['a', 'b']],
    ['CR LF and CR', 'a\r\nb\rc', ['a', 'b', 'c']],
    ['an empty line, which IRC cannot say', 'a\n\nb', ['a', ' ', 'b']],
    ['nothing', '', [' ']],
  ])('handles %s', (_, text, expected) => {
    expect(splitLines(plain(text)).map(textOf)).toEqual(expected)
  })

  it('keeps a style across a line feed', () => {
    expect(splitLines([{ text: 'a\nb', bold: true }])).toEqual([
      [{ text: 'a', bold: true }],
      [{ text: 'b', bold: true }],
    ])
  })
})

describe('splitting a line to a budget', () => {
  it('leaves alone what fits exactly', () => {
    expect(splitLine(plain('x'.repeat(100)), 100)).toHaveLength(1)
    expect(splitLine(plain('x'.repeat(101)), 100)).toHaveLength(2)
  })

  it('cuts between words and takes the white space along, where no server trims it', () => {
    const pieces = splitLine(plain('the quick brown fox  jumps over the lazy dog and then some'), 40).map(textOf)
    expect(pieces).toEqual(['the quick brown fox  jumps over the lazy', ' dog and then some'])
  })

  it('cuts a word that is longer than a line', () => {
    expect(splitLine(plain('x'.repeat(90)), 40).map(textOf)).toEqual(['x'.repeat(40), 'x'.repeat(40), 'x'.repeat(10)])
  })

  it('cuts no character of two bytes and no joined emoji', () => {
    const pieces = splitLine(plain('ж'.repeat(100) + family.repeat(20)), 61)
    for (const piece of pieces) {
      expect(textOf(piece)).toMatch(/^(ж|👨‍👩‍👧‍👦)+$/u)
      expect(bytes(piece)).toBeLessThanOrEqual(61)
    }
  })

  it('cuts a grapheme of hundreds of bytes at a code point, because it must', () => {
    const zalgo = 'a' + '\u0301'.repeat(300)
    const pieces = splitLine(plain(zalgo), 100)
    expect(pieces.map(textOf).join('')).toBe(zalgo)
    for (const piece of pieces) expect(bytes(piece)).toBeLessThanOrEqual(100)
  })

  it('carries the style over to the next line', () => {
    const pieces = splitLine([{ text: 'x'.repeat(60), bold: true, color: '#ff0000' }], 40)
    expect(pieces).toHaveLength(2)
    for (const piece of pieces) expect(render(piece).startsWith('\x02\x0304x')).toBe(true)
  })

  it('splits a text of 4000 characters in a moment', () => {
    const text = 'Zwölf Boxkämpfer jagen Viktor 😀 '.repeat(125)
    const pieces = splitLine(plain(text), 400)
    expect(pieces.map(textOf).join('')).toBe(text)
    expect(pieces.length).toBeLessThan(15)
  })
})

describe('whatever the text', () => {
  const span = fc.record({
    text: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.constantFrom(family.repeat(9), 'ж'.repeat(80), ' '.repeat(90), 'अनुच्छेद '.repeat(20), 'ข้อความ'.repeat(30)),
    ),
    ...{ color: fc.constantFrom('#ff0000' as const, '#00007f' as const) },
  })

  it('the pieces of a line are within the budget and together the line', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 5 }), fc.integer({ min: 40, max: 450 }), (spans, budget) => {
        for (const line of splitLines(spans)) {
          const pieces = splitLine(line, budget)
          expect(pieces.map(textOf).join('')).toBe(textOf(line))
          for (const piece of pieces) expect(bytes(piece)).toBeLessThanOrEqual(budget)
        }
      }),
    )
  })

  it('the lines are the text, but for what no line can hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const flat = withoutControls(text.replace(/\r\n?/g, '\n'))
        const lines = splitText(plain(text), 450).map(textOf)
        expect(lines.map((line) => (line === ' ' ? '' : line)).join('\n')).toBe(
          flat
            .split('\n')
            .map((line) => (line === ' ' ? '' : line))
            .join('\n'),
        )
      }),
    )
  })
})

describe('a long line of somebody who is relayed', () => {
  const prefix = { nick: 'bridge', user: 'u', host: 'h.example' }
  const said = (text: RichText): Outbound => ({
    kind: 'message',
    as: { kind: 'self' },
    body: { kind: 'text', text },
    at: 0,
  })
  const linesOf = (text: RichText, target = '#a'): readonly string[] =>
    partsOf(said(text), target, prefix).map((part) => {
      const wires = wiresOf(part, target, prefix)
      expect(wires).toHaveLength(1)
      expect(Buffer.byteLength(lineOf(wires[0]!))).toBeLessThanOrEqual(512 - Buffer.byteLength(':bridge!u@h.example '))
      expect(partsOf(part, target, prefix)).toEqual([part])
      return wires[0]!.text
    })

  it('carries the name on every piece, and nothing of it is lost or added', () => {
    const words = 'the quick brown fox jumps over the lazy dog '.repeat(40).trim()
    const lines = linesOf([{ text: `<bob> ${words}` }])
    expect(lines.length).toBeGreaterThan(3)
    for (const line of lines) expect(line).toMatch(/^<b\u200bob> \S/)
    expect(lines.map((line) => line.slice('<b\u200bob>'.length)).join('')).toBe(` ${words}`)
  })

  it('has it once on a line that fits, and on each line of several', () => {
    expect(linesOf([{ text: '<bob> one\n<bob> two' }])).toEqual(['<b\u200bob> one', '<b\u200bob> two'])
  })

  it('keeps its style on every piece', () => {
    const lines = linesOf([{ text: '<bob> ' }, { text: 'x'.repeat(1_000), bold: true }])
    for (const line of lines) expect(line).toMatch(/^<b\u200bob> \x02x+/)
    expect(lines.join('').match(/x/g)).toHaveLength(1_000)
  })

  it('does without where the name would take all the room', () => {
    const name = 'ö'.repeat(100)
    const lines = linesOf([{ text: `<${name}> ${'x'.repeat(600)}` }], `#${'c'.repeat(200)}`)
    expect(lines.join('').match(/x/g)).toHaveLength(600)
  })

  it('is not invented for what our own people say themselves', () => {
    const op: Outbound = {
      ...said([{ text: `<b> ${'x'.repeat(600)}` }]),
      as: { kind: 'person', person: 'a' as never, name: 'a', origin: { network: 'x' as never, user: 'x' as never } },
    } as Outbound
    const texts = partsOf(op, '#a', prefix)
      .flatMap((part) => wiresOf(part, '#a', prefix))
      .map(({ text }) => text)
    expect(texts.filter((text) => text.startsWith('<'))).toHaveLength(1)
  })
})
