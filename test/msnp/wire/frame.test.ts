import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MisuseError } from '../../../sansio/machine.ts'
import {
  CLIENT_LIMITS,
  encodeFrame,
  Framer,
  isFault,
  SERVER_LIMITS,
  type Frame,
  type FrameFault,
  type FrameLimits,
} from '../../../msnp/wire/frame.ts'
import type { Side } from '../../../msnp/wire/verbs.ts'

type Seen = { readonly verb: string; readonly params: readonly string[]; readonly payload?: string } | FrameFault

const plain = (frame: Frame | FrameFault): Seen =>
  isFault(frame) || frame.payload === undefined
    ? (frame as Seen)
    : { ...frame, payload: Buffer.from(frame.payload).toString('latin1') }

/** Everything that comes out when the bytes arrive in these pieces. */
function read(chunks: readonly Uint8Array[], side: Side, limits: FrameLimits = CLIENT_LIMITS): Seen[] {
  const framer = new Framer(side, limits)
  const seen: Seen[] = []
  for (const chunk of chunks) {
    framer.push(chunk)
    for (let next = framer.next(); next !== undefined; next = framer.next()) {
      seen.push(plain(next))
      if (isFault(next)) return seen
    }
    framer.settle()
  }
  return seen
}

const readText = (text: string, side: Side, limits?: FrameLimits): Seen[] =>
  read([Buffer.from(text, 'latin1')], side, limits)

describe('the framer', () => {
  /** docs/protocol.md, Framing: each line of this table is a rule there. */
  const table: readonly [rule: string, side: Side, text: string, frames: readonly Seen[]][] = [
    ['a line ends with CRLF', 'client', 'OUT\r\n', [{ verb: 'OUT', params: [] }]],
    [
      'or with a bare LF',
      'client',
      'PNG\nOUT\n',
      [
        { verb: 'PNG', params: [] },
        { verb: 'OUT', params: [] },
      ],
    ],
    ['empty lines are passed over', 'client', '\r\n\n  \r\nPNG\r\n\r\n', [{ verb: 'PNG', params: [] }]],
    ['runs of spaces count as one', 'client', 'VER  1   MSNP9\r\n', [{ verb: 'VER', params: ['1', 'MSNP9'] }]],
    [
      'spaces at the ends do not count',
      'client',
      ' VER 1 MSNP9 CVR0 \r\n',
      [{ verb: 'VER', params: ['1', 'MSNP9', 'CVR0'] }],
    ],
    ['a stray CR is a space', 'client', 'CHG 1\rNLN\r\r\n', [{ verb: 'CHG', params: ['1', 'NLN'] }]],
    ['a verb is made upper case', 'client', 'ver 1 msnp9\r\n', [{ verb: 'VER', params: ['1', 'msnp9'] }]],
    ['an error is a verb of three digits', 'server', '217 5\r\n', [{ verb: '217', params: ['5'] }]],
    ['bytes above 127 stay bytes', 'server', 'NLN \xc3\xa9\r\n', [{ verb: 'NLN', params: ['\xc3\xa9'] }]],
    [
      'a payload has no end of line of its own',
      'server',
      'MSG a b 3\r\nxyzNLN c\r\n',
      [
        { verb: 'MSG', params: ['a', 'b', '3'], payload: 'xyz' },
        { verb: 'NLN', params: ['c'] },
      ],
    ],
    [
      'line ends inside a payload are data',
      'server',
      'MSG a b 4\r\n\r\n\r\nFLN c\r\n',
      [
        { verb: 'MSG', params: ['a', 'b', '4'], payload: '\r\n\r\n' },
        { verb: 'FLN', params: ['c'] },
      ],
    ],
    [
      'a payload may be empty',
      'client',
      'MSG 1 U 0\r\nOUT\r\n',
      [
        { verb: 'MSG', params: ['1', 'U', '0'], payload: '' },
        { verb: 'OUT', params: [] },
      ],
    ],
    [
      'QRY has a payload from the client',
      'client',
      'QRY 2 msmsgs@msnmsgr.com 4\r\nabcd',
      [{ verb: 'QRY', params: ['2', 'msmsgs@msnmsgr.com', '4'], payload: 'abcd' }],
    ],
    [
      'and none from the server',
      'server',
      'QRY 2\r\nQNG\r\n',
      [
        { verb: 'QRY', params: ['2'] },
        { verb: 'QNG', params: [] },
      ],
    ],
    [
      'a number at the end of another command counts nothing',
      'server',
      'SYN 5 27 3 2\r\nQNG 50\r\n',
      [
        { verb: 'SYN', params: ['5', '27', '3', '2'] },
        { verb: 'QNG', params: ['50'] },
      ],
    ],
    [
      'a NOT comes with a payload in any dialect',
      'server',
      'NOT 3\r\n<a>OUT\r\n',
      [
        { verb: 'NOT', params: ['3'], payload: '<a>' },
        { verb: 'OUT', params: [] },
      ],
    ],
    [
      'UUX is answered with an empty payload or none',
      'server',
      'UUX 9 0\r\nUUX 9 OK\r\n',
      [
        { verb: 'UUX', params: ['9', '0'], payload: '' },
        { verb: 'UUX', params: ['9', 'OK'] },
      ],
    ],
    [
      'an unknown verb is a line without payload',
      'client',
      'FOO 1 2\r\nPNG\r\n',
      [
        { verb: 'FOO', params: ['1', '2'] },
        { verb: 'PNG', params: [] },
      ],
    ],
  ]
  it.each(table)('%s', (_, side, text, frames) => {
    expect(readText(text, side)).toEqual(frames)
  })

  const faults: readonly [what: string, text: string, fault: FrameFault][] = [
    ['a length that is no number', 'MSG 1 N abc\r\n', { fault: 'bad-length', verb: 'MSG', length: 3 }],
    ['a negative length', 'MSG 1 N -5\r\n', { fault: 'bad-length', verb: 'MSG', length: 2 }],
    ['no length', 'MSG\r\n', { fault: 'bad-length', verb: 'MSG', length: 0 }],
    ['a length of ten digits', 'MSG 1 N 9999999999\r\n', { fault: 'bad-length', verb: 'MSG', length: 10 }],
    ['a payload over the limit', 'MSG 1 N 65537\r\n', { fault: 'payload-too-long', verb: 'MSG', length: 65537 }],
    ['a line over the limit', `CHG ${'x'.repeat(8189)}\r\n`, { fault: 'line-too-long', verb: 'CHG', length: 8193 }],
  ]
  it.each(faults)('stops at %s and tells no parameter', (_, text, fault) => {
    expect(readText(text, 'client', SERVER_LIMITS)).toEqual([fault])
  })

  it('takes a line and a payload of exactly the limit', () => {
    const limits = { line: 20, payload: 5 }
    expect(readText(`CHG ${'x'.repeat(16)}\r\nMSG 1 U 5\r\n12345`, 'client', limits)).toEqual([
      { verb: 'CHG', params: ['x'.repeat(16)] },
      { verb: 'MSG', params: ['1', 'U', '5'], payload: '12345' },
    ])
  })

  it('gives up on a line without end before it has eaten memory', () => {
    const framer = new Framer('client', SERVER_LIMITS)
    const chunk = Buffer.alloc(1000, 'a')
    let most = 0
    for (let count = 0; count < 1_000; count++) {
      framer.push(chunk)
      const next = framer.next()
      most = Math.max(most, framer.waiting)
      if (next !== undefined) expect(next).toEqual({ fault: 'line-too-long', verb: '', length: 9000 })
    }
    expect(most).toBeLessThanOrEqual(SERVER_LIMITS.line + chunk.length)
    expect(framer.waiting).toBe(0)
  })

  it('stays at its fault, whatever comes', () => {
    const framer = new Framer('client', SERVER_LIMITS)
    framer.push(Buffer.from('MSG x\r\n'))
    const fault = framer.next()
    framer.push(Buffer.from('PNG\r\n'))
    expect(framer.next()).toBe(fault)
    expect(framer.waiting).toBe(0)
  })

  it('never tells a word of a line that is too long, unless it is a verb', () => {
    const secret = `t=${'s'.repeat(9000)}`
    expect(readText(`${secret}\r\n`, 'client', SERVER_LIMITS)).toEqual([
      { fault: 'line-too-long', verb: '', length: 9002 },
    ])
    expect(readText(`usr 1 TWN S ${secret}\r\n`, 'client', SERVER_LIMITS)).toEqual([
      { fault: 'line-too-long', verb: 'USR', length: 9014 },
    ])
  })

  const word = fc.string({
    unit: fc.integer({ min: 33, max: 255 }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 12,
  })
  const verb = fc.constantFrom('NLN', 'MSG', 'QRY', 'CHG', 'NOT', '217', 'UUX', 'FOO', 'SYN')
  const line = fc.tuple(verb, fc.array(word, { maxLength: 5 }), fc.uint8Array({ maxLength: 60 }))
  const conversation = fc
    .array(line, { maxLength: 12 })
    .map((lines) =>
      Buffer.concat(
        lines.map(([name, words, payload]) =>
          ['MSG', 'NOT'].includes(name) ? encodeFrame(name, words, payload) : encodeFrame(name, words),
        ),
      ),
    )

  it('gives the same commands however the bytes are cut', () => {
    fc.assert(
      fc.property(conversation, fc.array(fc.nat(), { maxLength: 20 }), (all, cuts) => {
        const whole = read([all], 'server')
        const places = [...new Set(cuts.map((cut) => cut % (all.length + 1)))].sort((a, b) => a - b)
        const pieces = [...places, all.length].map((end, index) => all.subarray(places[index - 1] ?? 0, end))
        expect(read(pieces, 'server')).toEqual(whole)
        expect(
          read(
            [...all].map((byte) => Uint8Array.of(byte)),
            'server',
          ),
        ).toEqual(whole)
      }),
      { numRuns: 300 },
    )
  })

  it('gives the same commands for random bytes, whole and byte by byte', () => {
    const hostile = fc.array(
      fc.oneof(
        fc.constantFrom(' ', '\r', '\n', '\r\n', 'MSG ', '1', '20', 'N ', 'QRY ', '-', '\xff', '%'),
        fc.string({ maxLength: 4, unit: 'binary' }),
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(hostile, fc.constantFrom<Side>('client', 'server'), (parts, side) => {
        const all = Buffer.from(parts.join(''), 'utf8')
        const limits = { line: 40, payload: 30 }
        const kinds = (seen: readonly Seen[]): unknown[] => seen.map((each) => ('fault' in each ? each.fault : each))
        const whole = read([all], side, limits)
        const single = read(
          [...all].map((byte) => Uint8Array.of(byte)),
          side,
          limits,
        )
        expect(kinds(single)).toEqual(kinds(whole))
      }),
      { numRuns: 500 },
    )
  })

  it('survives a million random bytes with bounded memory', () => {
    let seed = 20040101
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 2 ** 32
    const snippets = ['MSG 1 N 30\r\n', 'QRY 1 x 32\r\n', '\r\n', ' ', '\n', 'NLN NLN a b 0\r\n', 'MSG ', '99999999 ']
    let fed = 0
    let faults = 0
    let frames = 0
    let framer = new Framer('client', SERVER_LIMITS)
    while (fed < 1_000_000) {
      const chunk =
        random() < 0.3
          ? Buffer.from(snippets[Math.floor(random() * snippets.length)]!, 'latin1')
          : Buffer.from(Array.from({ length: 1 + Math.floor(random() * 60) }, () => Math.floor(random() * 256)))
      fed += chunk.length
      framer.push(chunk)
      for (let next = framer.next(); next !== undefined; next = framer.next()) {
        if (isFault(next)) {
          faults++
          framer = new Framer('client', SERVER_LIMITS)
          break
        }
        frames++
      }
      framer.settle()
      expect(framer.waiting).toBeLessThanOrEqual(SERVER_LIMITS.payload + SERVER_LIMITS.line + 64)
    }
    expect(faults).toBeGreaterThan(10)
    expect(frames).toBeGreaterThan(1_000)
  })
})

describe('writing a command', () => {
  it('joins words by one space and ends the line with CRLF', () => {
    expect(Buffer.from(encodeFrame('CHG', [9, 'NLN', 0])).toString()).toBe('CHG 9 NLN 0\r\n')
  })

  it('counts the bytes of a payload, not its letters', () => {
    const payload = Buffer.from('é☃')
    expect(Buffer.from(encodeFrame('MSG', [4, 'A'], payload)).toString()).toBe('MSG 4 A 5\r\né☃')
  })

  it.each([['a b'], ['a\r\nOUT'], ['a\n'], [''], ['é☃']])(
    'refuses the parameter %j, which is our own mistake',
    (word) => {
      expect(() => encodeFrame('REA', [1, word])).toThrow(MisuseError)
    },
  )

  it('is read back as it was meant', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 4 }), fc.uint8Array({ maxLength: 200 }), (numbers, payload) => {
        expect(read([encodeFrame('MSG', ['a@example.com', ...numbers], payload)], 'server')).toEqual([
          {
            verb: 'MSG',
            params: ['a@example.com', ...numbers.map(String), String(payload.length)],
            payload: Buffer.from(payload).toString('latin1'),
          },
        ])
      }),
    )
  })
})
