import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutToBytes, guardLine, MAX_LINE_BYTES, MAX_TAG_BYTES } from '../../irc/guard.ts'
import { budgetFor, lineOf, partsOf, wiresOf, type Prefix } from '../../adapters/irc/outbound.ts'
import type { Outbound } from '../../bridge/model/events.ts'

describe('the guard', () => {
  it.each([
    ['leaves a good line alone', 'PRIVMSG #a :hi', 'PRIVMSG #a :hi', false],
    ['makes a second command part of the text', 'PRIVMSG #a :x\r\nQUIT :bye', 'PRIVMSG #a :x QUIT :bye', true],
    ['takes NUL out', 'TOPIC #a :x\0y', 'TOPIC #a :x y', true],
    ['keeps tags', '@label=1 PRIVMSG #a :hi', '@label=1 PRIVMSG #a :hi', false],
  ])('%s', (_, raw, line, changed) => {
    expect(guardLine(raw)).toEqual({ line, changed })
  })

  it('cuts a line that is too long, and no character of it', () => {
    const { line, changed } = guardLine('PRIVMSG #a :' + '😀'.repeat(200))
    expect(changed).toBe(true)
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(MAX_LINE_BYTES)
    expect(line).toMatch(/^PRIVMSG #a :(😀)+$/u)
  })

  it('counts tags by themselves and drops what no server takes', () => {
    const text = `PRIVMSG #a :${'x'.repeat(490)}`
    expect(guardLine(`@label=${'y'.repeat(300)} ${text}`).changed).toBe(false)
    expect(guardLine(`@label=${'y'.repeat(MAX_TAG_BYTES)} ${text}`).line).toBe(text)
  })

  it('cuts at any byte without breaking a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(60), (text, bytes) => {
        const cut = cutToBytes(text, bytes)
        expect(text.startsWith(cut)).toBe(true)
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes)
        const next = Array.from(text.slice(cut.length))[0]
        if (next !== undefined) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(bytes)
      }),
    )
  })
})

describe('whatever is to be said', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 3000 }), fc.string({ unit: 'grapheme', maxLength: 900 }))
  const name = fc.string({ unit: fc.constantFrom('a', 'é', '_', '1', '😀'), minLength: 1, maxLength: 20 })
  const operation: fc.Arbitrary<Outbound> = fc.oneof(
    fc.record({ kind: fc.constantFrom('text', 'action', 'notice'), text }).map(({ kind, text: words }): Outbound => {
      const body = { kind, text: [{ text: words, bold: true as const }] }
      return { kind: 'message', as: { kind: 'self' }, at: 0, body }
    }),
    text.map((words): Outbound => ({ kind: 'status', text: [{ text: words }] })),
    text.map((words): Outbound => ({ kind: 'topic', as: { kind: 'self' }, topic: words })),
    fc.constant<Outbound>({ kind: 'message', as: { kind: 'self' }, at: 0, body: { kind: 'nudge' } }),
  )

  it('no line over 510 bytes leaves, as we send it and as others receive it, and none with CR, LF or NUL', () => {
    fc.assert(
      fc.property(operation, name, name, (op, channel, nick) => {
        const prefix: Prefix = { nick, user: `~${nick}`, host: `${nick}.example` }
        const target = `#${channel}`
        for (const part of partsOf(op, target, prefix)) {
          const wires = wiresOf(part, target, prefix)
          expect(wires).toHaveLength(1)
          for (const wire of wires) {
            const line = lineOf(wire)
            expect(guardLine(line)).toEqual({ line, changed: false })
            expect(line).not.toMatch(/[\r\n\0]/)
            expect(Buffer.byteLength(wire.text)).toBeLessThanOrEqual(budgetFor(wire.verb, target, prefix))
          }
        }
      }),
    )
  })
})
