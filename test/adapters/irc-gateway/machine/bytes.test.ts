/** Whatever clients send, and however it is cut: the machine says the same, throws nothing and does not grow. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CAP_NAMES } from '../../../../adapters/irc-gateway/wire/caps.ts'
import { checked, ClientBench, inside, SECRET } from './bench.ts'
import '../../../kit/properties.ts'

const SASL = Buffer.from(`\0alice\0${SECRET}`).toString('base64')

const verb = fc.constantFrom(
  ...['CAP', 'PASS', 'NICK', 'USER', 'AUTHENTICATE', 'JOIN', 'PING', 'PONG', 'PRIVMSG', 'who', 'Mode', 'TAGMSG', '005'],
)
const word = fc.oneof(
  fc.constantFrom(
    'LS',
    'LIST',
    'REQ',
    'END',
    '302',
    'PLAIN',
    '*',
    '+',
    SASL,
    'alice',
    '#a',
    '',
    ':',
    '__proto__',
    '\0',
  ),
  fc.constantFrom(...CAP_NAMES),
  fc.constantFrom(...CAP_NAMES).map((name) => `-${name}`),
  fc.string({ maxLength: 20 }),
  fc.string({ maxLength: 20, unit: 'binary' }),
)
const tags = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom('@label=x ', '@label ', '@ ', '@;;a=b\\ ', `@x=${'y'.repeat(5_000)} `) },
)
const line = fc
  .tuple(tags, verb, fc.array(word, { maxLength: 18 }), fc.constantFrom('', ' :'), word, fc.constantFrom('\r\n', '\n'))
  .map(([before, name, words, colon, last, end]) =>
    Buffer.from(`${before}${[name, ...words].join(' ')}${colon}${last}${end}`),
  )
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 500, max: 10_000 }).map((length) => Buffer.alloc(length, 'z')),
)
const login = fc.constantFrom(
  Buffer.from('CAP LS 302\r\nJOIN :\r\nCAP REQ :sasl batch labeled-response\r\n'),
  Buffer.from(`AUTHENTICATE PLAIN\r\nAUTHENTICATE ${SASL}\r\nCAP END\r\n`),
  Buffer.from('NICK alice\r\nUSER alice 0 * :Alice\r\n'),
)
const chunk = fc.oneof(
  { weight: 12, arbitrary: line },
  { weight: 2, arbitrary: login },
  { weight: 1, arbitrary: noise },
)

/** All of the bytes, then the answers to what was asked, then as much time as is needed. */
const played = (pieces: readonly Uint8Array[]): readonly string[] => {
  const bench = new ClientBench({ limits: { lineRate: { burst: 20, intervalMs: 100 } } })
  for (const piece of pieces) bench.bytes(piece)
  for (let answered = 0; ; answered++) {
    const asked = bench.events.filter((event) => event.kind === 'credentials')[answered]
    if (asked === undefined) break
    bench.command(checked(asked)).wait(100)
  }
  return bench.wait(20_000).trace
}

it('says and gives out the same wherever the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 30 }).map((chunks) => Buffer.concat(chunks)),
      fc.array(fc.nat(400), { maxLength: 40 }),
      (bytes, cuts) => {
        const whole = played([bytes])
        let from = 0
        const pieces = [...cuts, bytes.length].map((size) => bytes.subarray(from, (from += size)))
        expect(played(pieces)).toEqual(whole)
        expect(played(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole)
      },
    ),
    { numRuns: 100 },
  )
})

it.each([
  ['at the door', () => new ClientBench({ check: checked })],
  ['inside', () => inside('batch labeled-response message-tags')],
])(
  'a client %s may send a million bytes of anything',
  (_, start) => {
    const heap = process.memoryUsage().heapUsed
    let fed = 0
    let answers = 0
    let lines = 0
    for (let seed = 1; fed < 1_000_000; seed++) {
      let bench = start()
      for (const bytes of fc.sample(chunk, { numRuns: 200, seed })) {
        fed += bytes.length
        bench.wait(20).bytes(bytes)
        for (const text of bench.read()) {
          answers++
          if (Buffer.byteLength(text) > 510 && !text.startsWith('@')) throw new Error(`too long: ${text}`)
        }
        if (bench.closed === undefined) continue
        lines += bench.lines.length
        bench = start()
      }
      lines += bench.lines.length
    }
    expect(answers).toBeGreaterThan(500)
    expect(lines).toBeGreaterThan(100)
    expect(process.memoryUsage().heapUsed - heap).toBeLessThan(64 * 1024 * 1024)
  },
  60_000,
)

it('bytes of every value in every place throw nothing', () => {
  for (let value = 0; value < 256; value++) {
    const byte = Uint8Array.of(value)
    for (const text of ['', 'NICK a', '@', '@a=', ':x ', 'USER a 0 * :']) {
      const bench = new ClientBench().bytes(Buffer.concat([Buffer.from(text), byte, Buffer.from('b\r\nPING x\r\n')]))
      expect(bench.read().at(-1)).toBe(':gw PONG gw :x')
    }
  }
})
