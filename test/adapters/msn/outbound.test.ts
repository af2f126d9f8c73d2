import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Chunks } from '../../../adapters/msn/chunks.ts'
import { CHUNKED_ROOM, partsOf, payloadOf, payloadsOf, TEXT_ROOM, type Voice } from '../../../adapters/msn/outbound.ts'
import { cleaned } from '../../../adapters/msn/words.ts'
import type { MessageBody } from '../../../bridge/model/body.ts'
import type { Outbound, Puppet } from '../../../bridge/model/events.ts'
import type { NetworkId, PersonId, UserId } from '../../../bridge/model/ids.ts'
import { textOf, type RichText } from '../../../bridge/model/text.ts'
import { inParts, MAX_MESSAGE_BYTES, parseMime, parseSaid } from '../../../msnp/index.ts'

const voice: Voice = { ownName: 'Relay', nudges: false, chunks: false }
const self: Puppet = { kind: 'self' }
const message = (body: MessageBody, as: Puppet = self): Outbound => ({ kind: 'message', as, body, at: 0 })
const text = (...spans: RichText): Outbound => message({ kind: 'text', text: spans })

const payload = (op: Outbound, by = voice): Uint8Array => {
  const bytes = payloadOf(op, by)
  if (bytes === undefined) throw new Error('no payload')
  return bytes
}
const said = (op: Outbound, by = voice) => parseSaid(parseMime(payload(op, by)))
const words = (op: Outbound): string => {
  const what = said(op)
  return what.kind === 'text' ? what.text : ''
}
const wordsOf = (op: Outbound): string =>
  op.kind === 'message' && op.body.kind !== 'nudge' ? textOf(op.body.text) : op.kind === 'status' ? textOf(op.text) : ''

/** docs/protocol.md, Messages: X-MMS-IM-Format has one style for the whole message, CO is blue-green-red. */
const LOOKS: readonly (readonly [name: string, spans: RichText, format: RegExp])[] = [
  ['plain text', [{ text: 'hi' }], /^FN=Arial; EF=; CO=0;/],
  ['one style', [{ text: 'hi', bold: true, italic: true }], /; EF=BI; CO=0;/],
  ['all effects', [{ text: 'x', bold: true, italic: true, underline: true, strike: true }], /; EF=BIUS; /],
  ['a colour', [{ text: 'x', color: '#ff8000' }], /; EF=; CO=80ff;/],
  ['fixed width', [{ text: 'x', mono: true }], /^FN=Courier%20New; .*PF=31$/],
  ['two styles: none', [{ text: 'a', bold: true }, { text: 'b' }], /; EF=; CO=0;/],
  ['blanks have no style', [{ text: 'a', bold: true }, { text: ' ' }, { text: 'b', bold: true }], /; EF=B; /],
  ['the relay prefix has no style', [{ text: '<bob> ' }, { text: 'loud', bold: true }], /; EF=B; /],
  [
    'a prefix on each line',
    [{ text: '<b> ' }, { text: 'x\n', italic: true }, { text: '<b> ' }, { text: 'y', italic: true }],
    /; EF=I; /,
  ],
  ['right to left', [{ text: 'שלום' }], /; RL=1$/],
]

describe('what goes out', () => {
  it.each(LOOKS)('has the look of %s', (_name, spans, format) => {
    expect(parseMime(payload(text(...spans))).headers.get('x-mms-im-format')).toMatch(format)
  })

  it.each([
    ['text', text({ text: 'hi\nthere' }), 'hi\nthere'],
    ['a notice', message({ kind: 'notice', text: [{ text: 'beware' }] }), 'beware'],
    ['an action of ours', message({ kind: 'action', text: [{ text: 'waves' }] }), '* Relay waves'],
    [
      'an action of somebody else',
      message(
        { kind: 'action', text: [{ text: 'waves' }] },
        { kind: 'ghost', origin: { network: 'irc' as NetworkId, user: 'bob' as UserId }, name: 'bob' },
      ),
      '* bob waves',
    ],
    [
      'an action of a person',
      message(
        { kind: 'action', text: [{ text: 'waves' }] },
        { kind: 'person', person: 'al' as PersonId, name: 'al', origin: { network: 'x' as never, user: 'x' as never } },
      ),
      '* al waves',
    ],
    ['a nudge for old clients', message({ kind: 'nudge' }), '* Relay nudges you'],
    ['the bridge itself', { kind: 'status', text: [{ text: 'IRC is away' }] } as const, 'IRC is away'],
    ['nothing that is a control character', text({ text: 'a\u0000b\u0007c\u001b\rd\u0085' }), 'abc\nd'],
    ['no half of a character', text({ text: 'a\ud83d' }), 'a\ufffd'],
  ] as const)('says %s', (_name, op, expected) => {
    expect(words(op)).toBe(expected)
  })

  it('writes line ends as CRLF', () => {
    expect(Buffer.from(parseMime(payload(text({ text: 'a\nb' }))).body).toString()).toBe('a\r\nb')
  })

  it('nudges those whose clients know it', () => {
    expect(said(message({ kind: 'nudge' }), { ...voice, nudges: true })).toEqual({ kind: 'nudge' })
  })

  it('has no message for what is no message', () => {
    expect(payloadOf(text({ text: '\u0007' }), voice)).toBeUndefined()
    expect(payloadOf({ kind: 'typing', as: self, forMs: 1 }, voice)).toBeUndefined()
    expect(payloadOf({ kind: 'presence', as: self, state: { show: 'away' } }, voice)).toBeUndefined()
  })
})

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 3000, size: 'max' }),
  fc.string({ unit: 'binary', maxLength: 2000, size: 'max' }),
  fc
    .array(fc.constantFrom('word ', '👩‍👩‍👧‍👦', 'e\u0301', '\n', 'ж', '€', 'x', '\r\n', ' \u0301', '🇩🇪', 'a'.repeat(700)), {
      maxLength: 1500,
      size: 'max',
    })
    .map((parts) => parts.join('')),
)
const anyStyle = fc.constantFrom({}, { bold: true as const }, { color: '#00ff00' as const, underline: true as const })
const anyRich = fc
  .array(fc.tuple(anyText, anyStyle), { maxLength: 3 })
  .map((spans) => spans.map(([part, style]) => ({ ...style, text: part })))

describe('splitting', () => {
  it('loses nothing, keeps the order, and every part fits into one message', () => {
    fc.assert(
      fc.property(anyRich, fc.constantFrom<'text' | 'action' | 'notice'>('text', 'action', 'notice'), (rich, kind) => {
        const op = message({ kind, text: rich })
        const parts = partsOf(op)
        expect(cleaned(parts.map(wordsOf).join(''))).toBe(
          cleaned(textOf(rich.map((span) => ({ text: cleaned(span.text) })))),
        )
        for (const part of parts) {
          if (cleaned(wordsOf(part)) === '' && kind !== 'action') continue
          expect(payload(part).length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
          if (kind !== 'action') expect(words(part)).toBe(cleaned(wordsOf(part)))
        }
      }),
      { numRuns: 100 },
    )
  })

  it('cuts no letter in two', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.constantFrom('👩‍👩‍👧‍👦', 'e\u0301', '🇩🇪', '한', 'ж'), (offset, letter) => {
        const whole = 'x'.repeat(offset) + letter.repeat(900)
        for (const part of partsOf(text({ text: whole }))) {
          expect(wordsOf(part).replace(/^x+/, '').replaceAll(letter, '')).toBe('')
        }
      }),
    )
  })

  it('gives back what fits as it is', () => {
    const op = text({ text: 'short' })
    expect(partsOf(op)).toEqual([op])
    expect(partsOf(op)[0]).toBe(op)
  })

  it('cuts after a line end, else after a blank', () => {
    const line = 'a '.repeat(600) + '\n'
    const byLine = partsOf(text({ text: line + 'b '.repeat(600) })).map(wordsOf)
    expect(byLine[0]).toBe(line)
    const byWord = partsOf(text({ text: 'word '.repeat(1000) })).map(wordsOf)
    for (const part of byWord) expect(part).toMatch(/^(word )+$/)
    expect(byWord.length).toBe(Math.ceil(5000 / (Math.floor(TEXT_ROOM / 5) * 5)))
  })

  it('cuts a letter of endless marks rather than to fail', () => {
    const zalgo = 'e' + '\u0301'.repeat(3000)
    const parts = partsOf(text({ text: zalgo }))
    expect(parts.map(wordsOf).join('')).toBe(zalgo)
    expect(parts.length).toBeGreaterThan(3)
  })

  it('keeps the style of each part, and says who acts in each', () => {
    const parts = partsOf(message({ kind: 'action', text: [{ text: 'go '.repeat(900), bold: true }] }))
    expect(parts.length).toBeGreaterThan(1)
    for (const part of parts) {
      expect(words(part)).toMatch(/^\* Relay go/)
      expect(parseMime(payload(part)).headers.get('x-mms-im-format')).toMatch(/; EF=B; /)
    }
  })

  it('leaves room for the longest name', () => {
    for (const ownName of ['€'.repeat(200), '👩'.repeat(200)]) {
      for (const part of partsOf(message({ kind: 'action', text: [{ text: 'x'.repeat(5000) }] }))) {
        expect(payload(part, { ...voice, ownName }).length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
      }
    }
  })

  it('splits what the bridge itself says, and leaves the rest alone', () => {
    expect(partsOf({ kind: 'status', text: [{ text: 'x'.repeat(4000) }] }).length).toBe(3)
    const typing: Outbound = { kind: 'typing', as: self, forMs: 1 }
    expect(partsOf(typing)).toEqual([typing])
  })
})

describe('a message in several parts', () => {
  const ID = '0123456789abcdef0123456789abcdef'
  const chunky: Voice = { ...voice, chunks: true }
  const long = text({ text: 'grün \u{1f600}\n'.repeat(600), bold: true })
  const joined = (payloads: readonly Uint8Array[]) => {
    const chunks = new Chunks()
    const whole = payloads.map((payload) => chunks.take('bob@example.com', payload, 0))
    expect(whole.slice(0, -1).every((one) => one === undefined)).toBe(true)
    const last = whole.at(-1)
    return last === undefined ? undefined : parseSaid(last)
  }

  it('is one message for clients that join them, with the look of the whole', () => {
    const payloads = payloadsOf(long, chunky, () => ID)
    expect(payloads.length).toBe(5)
    expect(Math.max(...payloads.map(({ length }) => length))).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
    expect(joined(payloads)).toMatchObject({ kind: 'text', text: wordsOf(long), format: { bold: true } })
    const [first = '', second = ''] = payloads.map((payload) => Buffer.from(payload).toString())
    expect(first).toContain(
      `\r\nMessage-ID: {01234567-89AB-CDEF-0123-456789ABCDEF}\r\nChunks: ${payloads.length}\r\n\r\n`,
    )
    expect(second).toMatch(/^Message-ID: \{01234567-89AB-CDEF-0123-456789ABCDEF\}\r\nChunk: 1\r\n\r\n/)
  })

  it('is several messages for others, and one part where it fits', () => {
    const payloads = payloadsOf(long, voice, () => ID)
    const texts = payloads.map((one) => parseSaid(parseMime(one))).map((one) => (one.kind === 'text' ? one.text : ''))
    expect(texts.join('')).toBe(wordsOf(long))
    expect(payloadsOf(text({ text: 'hi' }), chunky, () => ID)).toEqual([payload(text({ text: 'hi' }))])
    expect(payloadsOf(text(), chunky, () => ID)).toEqual([])
  })

  it('is cut only where it would be too many parts', () => {
    expect(partsOf(long, CHUNKED_ROOM)).toEqual([long])
    const huge = text({ text: 'x'.repeat(3 * CHUNKED_ROOM) })
    const parts = partsOf(huge, CHUNKED_ROOM)
    expect(parts).toHaveLength(3)
    expect(parts.map(wordsOf).join('')).toBe(wordsOf(huge))
    for (const part of parts) expect(payloadsOf(part, chunky, () => ID).length).toBeLessThan(10)
  })

  it('is whatever was said, and each part is text by itself', () => {
    const letter = fc.constantFrom('a', 'é', '€', '\u{1f600}', '\r\n')
    const body = fc.array(letter, { minLength: 500, maxLength: 3_000 }).map((letters) => letters.join(''))
    fc.assert(
      fc.property(body, fc.integer({ min: 0, max: 1_400 }), (words, pad) => {
        const head = `Content-Type: text/plain; charset=UTF-8\r\nP4-Context: ${'x'.repeat(pad)}`
        const parts = inParts(Buffer.from(`${head}\r\n\r\n${words}`), 'A')
        if (parts.length > 1)
          expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
        expect(joined(parts)).toMatchObject({ kind: 'text', text: words.replaceAll('\r\n', '\n') })
        for (const part of parts) expect(Buffer.from(part).toString()).not.toContain('\ufffd')
      }),
      { numRuns: 60 },
    )
  })

  it('is left whole where there is no room or no end', () => {
    const wide = Buffer.from(`X: ${'y'.repeat(1_600)}\r\n\r\n${'z'.repeat(200)}`)
    expect(inParts(wide, 'A')).toEqual([wide])
    const endless = Buffer.from(`X: y\r\n\r\n${'z'.repeat(200_000)}`)
    expect(inParts(endless, 'A')).toEqual([endless])
    const headless = Buffer.alloc(2_000, 'x')
    expect(inParts(headless, 'A')).toEqual([headless])
  })
})
