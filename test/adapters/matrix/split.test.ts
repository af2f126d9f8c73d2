/** A text of any length goes out in events that the homeserver takes. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sendingOf, type Said } from '../../../adapters/matrix/outbound.ts'
import { splitOp } from '../../../adapters/matrix/split.ts'
import type { MessageBody } from '../../../bridge/model/body.ts'
import type { Outbound } from '../../../bridge/model/events.ts'
import type { MessageId, NetworkId, UserId } from '../../../bridge/model/ids.ts'
import { plain, textOf, type RichText, type Span } from '../../../bridge/model/text.ts'
import '../../kit/properties.ts'
import { ALICE, BOT, NETWORK } from './scripted.ts'

/** Of a whole event, with what the homeserver adds to it (room, ids, hashes, signatures). Bytes. */
const EVENT_MAX = 65_536
const ADDED = 6_000

const as = {
  kind: 'ghost',
  origin: { network: 'retro' as NetworkId, user: 'bob@example.com' as UserId },
  name: 'Bob',
} as const
const message = (body: MessageBody): Outbound => ({ kind: 'message', as, body, at: 5, replyTo: '$first' as MessageId })
const text = (rich: RichText): Outbound => message({ kind: 'text', text: rich })

const textsOf = (ops: readonly Outbound[]): readonly RichText[] =>
  ops.map((op) => {
    if ((op.kind === 'message' || op.kind === 'edit') && op.body.kind !== 'nudge') return op.body.text
    return op.kind === 'status' ? op.text : []
  })
const joined = (ops: readonly Outbound[]): string => textsOf(ops).map(textOf).join('')

const bytesOf = (op: Outbound): number => {
  const sending = sendingOf(op as Said, { network: NETWORK, bot: BOT, owner: ALICE })
  return Buffer.byteLength(JSON.stringify(sending?.content ?? {}))
}

const span: fc.Arbitrary<Span> = fc
  .tuple(
    fc.constantFrom('&', '<', '"', '\\', '\n', 'a', 'é', '日', '👩‍👩‍👧‍👦', 'word '),
    fc.integer({ min: 1, max: 30_000 }),
    fc.constantFrom(
      {},
      { bold: true as const },
      { italic: true as const, underline: true as const, color: '#123456' as const },
    ),
  )
  .map(([piece, times, style]) => ({ text: piece.repeat(Math.ceil(times / piece.length)), ...style }))

test('every part fits into an event, none is cut again, and together they are the text', () => {
  fc.assert(
    fc.property(
      fc.array(span, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('message', 'edit', 'status'),
      (rich, kind) => {
        const op: Outbound =
          kind === 'message'
            ? text(rich)
            : kind === 'edit'
              ? { kind, as, target: '$first' as MessageId, body: { kind: 'text', text: rich } }
              : { kind: 'status', text: rich }
        const parts = splitOp(op)
        expect(joined(parts)).toBe(textOf(rich))
        for (const part of parts) {
          expect(bytesOf(part)).toBeLessThanOrEqual(EVENT_MAX - ADDED)
          expect(splitOp(part)).toEqual([part])
          expect(textsOf([part]).map(textOf).join('').isWellFormed()).toBe(true)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('many little styles are many bytes of tags', () => {
  const rich = Array.from({ length: 3_000 }, (_, index): Span => ({
    text: 'x',
    bold: true,
    color: index % 2 === 0 ? '#111111' : '#222222',
  }))
  const parts = splitOp(text(rich))
  expect(joined(parts)).toBe('x'.repeat(3_000))
  expect(Math.max(...parts.map(bytesOf))).toBeLessThanOrEqual(EVENT_MAX - ADDED)
})

test('4,000 characters, as many as anybody writes, are one event', () => {
  const op = text(plain('The quick brown fox. '.repeat(200).slice(0, 4_000)))
  expect(splitOp(op)).toEqual([op])
})

test('only the first part answers, and each has the time of the message', () => {
  const parts = splitOp(text(plain('word '.repeat(10_000))))
  expect(parts.length).toBeGreaterThan(1)
  expect(parts.map((part) => part.kind === 'message' && [part.at, part.replyTo])).toEqual(
    parts.map((_, index) => [5, index === 0 ? '$first' : undefined]),
  )
})

test.each([
  ['at the end of a line', `${'a'.repeat(15_000)}\n${'b'.repeat(10_000)}`, 15_001],
  ['between words', `${'a'.repeat(15_000)} ${'b'.repeat(10_000)}`, 15_001],
  ['in the middle of a word that is too long', 'a'.repeat(25_000), 20_000],
])('it is cut %s', (_, words, first) => {
  expect(textsOf(splitOp(text(plain(words)))).map((rich) => textOf(rich).length)).toEqual([first, words.length - first])
})

test('what people see as one letter stays whole', () => {
  const family = '👩‍👩‍👧‍👦'
  for (const part of textsOf(splitOp(text(plain(family.repeat(4_000)))))) {
    expect(textOf(part).length % family.length).toBe(0)
  }
})

test('a long correction goes on in messages, for only one event can take the place of another', () => {
  const parts = splitOp({
    kind: 'edit',
    as,
    target: '$first' as MessageId,
    body: { kind: 'action', text: plain('x'.repeat(15_000)) },
  })
  expect(parts.map((part) => part.kind)).toEqual(['edit', 'message'])
})

test('a file comes behind the long text that was said with it', () => {
  const file = { network: NETWORK, ref: 'mxc://a/b', name: 'cat.png', media: 'image' } as const
  const parts = splitOp(message({ kind: 'file', file, text: plain('x'.repeat(25_000)) }))
  expect(parts.map((part) => part.kind === 'message' && part.body.kind)).toEqual(['text', 'file'])
})

test('what can be answered stands under the last part of a notice', () => {
  const choices = [{ key: '✅', words: 'accept', line: 'accept bob' }]
  const parts = splitOp({ kind: 'status', text: plain('x'.repeat(25_000)), mention: true, choices })
  expect(parts.map((part) => part.kind === 'status' && part.choices)).toEqual([undefined, choices])
})

test.each<Outbound>([
  { kind: 'redact', as, target: '$x' as MessageId },
  { kind: 'reaction', as, target: '$x' as MessageId, key: 'x' },
  { kind: 'topic', as, topic: 'x'.repeat(100_000) },
  { kind: 'title', title: 'x' },
  { kind: 'typing', as, forMs: 1 },
  { kind: 'read', as, upTo: '$x' as MessageId },
  { kind: 'presence', as, state: { show: 'online' } },
  { kind: 'profile', as, name: 'x' },
  { kind: 'member', as, user: as.origin, userName: 'x', change: 'join' },
  { kind: 'delivery', target: '$x' as MessageId, outcome: 'delivered', text: [] },
  message({ kind: 'nudge' }),
])('$kind is never cut', (op) => {
  expect(splitOp(op)).toEqual([op])
})
