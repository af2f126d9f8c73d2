/** Both ends of MSNFTP on a virtual line: what is said, what is refused, and that nothing a peer sends does harm. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_FILE_LINE_BYTES, type FileTimings } from '../../../msnp/session/file-lines.ts'
import {
  FileReceiver,
  type FileReceiverCommand,
  type FileReceiverEvent,
  type FileReceiverOptions,
} from '../../../msnp/session/file-receiver.ts'
import { FileSender, type FileSenderCommand, type FileSenderEvent } from '../../../msnp/session/file-sender.ts'
import type { Output } from '../../../sansio/machine.ts'
import { MachineBench } from '../../kit/machine.ts'
import '../../kit/properties.ts'

const NOW = 1_000_000
const timings: FileTimings = { handshakeMs: 20_000, idleMs: 60_000, totalMs: 600_000 }
const who = { account: 'bob@example.com', authCookie: '93301', timings, startedAt: NOW }

const sender = (size: number): MachineBench<FileSenderCommand, FileSenderEvent> =>
  new MachineBench(new FileSender({ ...who, size }), NOW)
const receiver = (
  size: number,
  more: Partial<FileReceiverOptions> = {},
): MachineBench<FileReceiverCommand, FileReceiverEvent> =>
  new MachineBench(new FileReceiver({ ...who, size, maxBytes: 1_000_000, ...more }), NOW)

describe('the one who sends', () => {
  const asked = (size: number) => sender(size).says('VER MSNFTP', 'USR bob@example.com 93301', 'TFR')

  it('waits to be asked, and sends blocks, an end and no more', () => {
    const bench = sender(2_050)
    expect(bench.says('VER MSNFTP').said).toBe('VER MSNFTP')
    expect(bench.says('USR Bob@Example.com 93301').said).toBe('FIL 2050')
    expect(bench.says('TFR').events).toEqual([{ kind: 'wanted' }])
    const written: Buffer[] = []
    const machine = bench.machine
    for (const bytes of [Buffer.alloc(2_047, 'a'), Buffer.alloc(3, 'b')])
      for (const output of machine.command({ kind: 'send', bytes }, NOW))
        if (output.kind === 'write') written.push(Buffer.from(output.bytes))
    const all = Buffer.concat(written)
    expect(all.subarray(0, 3).toString('hex')).toBe('00fd07')
    expect(all.subarray(2_048, 2_053).toString('hex')).toBe('0002006161')
    expect(all.subarray(2_053).toString('hex')).toBe('000300626262010000')
    expect(bench.says('BYE 16777989').events.at(-1)).toEqual({ kind: 'finished', code: 16_777_989 })
    expect(bench.closed).toEqual({ kind: 'done' })
  })

  it.each(['VER MSNFTP', 'VER 1 MSNFTP', 'VER MYPROTO MSNFTP', 'ver MSNFTP'])('understands %s', (line) => {
    expect(sender(1).says(line).said).toBe('VER MSNFTP')
  })

  it('takes lines that end in LF alone', () => {
    const bench = asked(10).bytes('CCL\n')
    expect([bench.events.at(-1), bench.closed]).toEqual([{ kind: 'cancelled' }, { kind: 'done' }])
  })

  it('has nothing to send of an empty file', () => {
    expect(asked(0).said).toBe('VER MSNFTP|FIL 0|\x01\0\0')
    expect(asked(0).says('BYE 16777989').closed).toEqual({ kind: 'done' })
  })

  it.each([
    ['a stranger', ['VER MSNFTP', 'USR carol@example.com 93301']],
    ['a wrong cookie', ['VER MSNFTP', 'USR bob@example.com 93302']],
    ['no cookie', ['VER MSNFTP', 'USR bob@example.com']],
    ['another protocol', ['VER FTP']],
    ['who asks at once', ['TFR']],
    ['a goodbye before the end', ['VER MSNFTP', 'USR bob@example.com 93301', 'TFR', 'BYE 16777989']],
    ['nonsense', ['GET / HTTP/1.1']],
    ['a line without end', ['x'.repeat(MAX_FILE_LINE_BYTES + 1)]],
  ])('sends nothing to %s', (_, lines) => {
    const bench = sender(10).says(...lines)
    expect(bench.closed?.kind).toBe('peer-violation')
    expect(bench.heard('finished')).toEqual([])
  })

  it('is told that they have given up, by CCL or by a code, and gives up by a mark', () => {
    expect(asked(10).says('BYE 2164261682').events.at(-1)).toEqual({ kind: 'finished', code: 2_164_261_682 })
    const bench = asked(10)
      .does({ kind: 'send', bytes: Buffer.from('12345') })
      .forget()
    expect(bench.does({ kind: 'cancel' }).said).toBe('\x01\0\0')
    expect(bench.closed).toEqual({ kind: 'done' })
  })

  it('does not wait for ever: for the handshake, for the file to move, for all of it', () => {
    expect(sender(1).passes(20_000).closed).toEqual({ kind: 'timeout', waitingFor: 'the handshake' })
    expect(asked(10).passes(59_999).closed).toBeUndefined()
    expect(asked(10).passes(60_000).closed).toEqual({ kind: 'timeout', waitingFor: 'the file to move' })
    const slow = asked(1_000)
    for (let minute = 0; minute < 15; minute++) slow.does({ kind: 'send', bytes: Buffer.from('x') }).passes(45_000)
    expect(slow.closed?.kind).toBe('timeout')
    expect(asked(10).hangsUp().closed?.kind).toBe('lost')
  })

  it('is never misused', () => {
    expect(() => sender(1).does({ kind: 'send', bytes: Buffer.from('x') })).toThrow('nobody has asked')
    expect(() => asked(1).does({ kind: 'send', bytes: Buffer.from('xy') })).toThrow('longer')
  })
})

describe('the one who receives', () => {
  const promised = (size: number, more: Partial<FileReceiverOptions> = {}) =>
    receiver(size, more).does({ kind: 'begin' }).says('VER MSNFTP', `FIL ${size}`)
  const block = (bytes: string): Buffer =>
    Buffer.concat([Buffer.from([0, bytes.length & 255, bytes.length >> 8]), Buffer.from(bytes)])
  const dataOf = (bench: MachineBench<FileReceiverCommand, FileReceiverEvent>): string =>
    Buffer.concat(bench.heard('data').map(({ bytes }) => bytes)).toString()

  it('says who it is, asks, and says goodbye once the file is kept', () => {
    const bench = receiver(10)
    expect(bench.does({ kind: 'begin' }).said).toBe('VER MSNFTP')
    expect(bench.says('VER MSNFTP').said).toBe('USR bob@example.com 93301')
    expect(bench.says('FIL 10').said).toBe('TFR')
    bench.bytes(block('12345')).bytes(block('67890'))
    expect(bench.events.map(({ kind }) => kind)).toEqual(['coming', 'data', 'data', 'received'])
    expect([dataOf(bench), bench.said, bench.closed]).toEqual(['1234567890', '', undefined])
    bench.bytes(Buffer.from([1, 0, 0]))
    expect(bench.does({ kind: 'kept' }).said).toBe('BYE 16777989')
    expect(bench.closed).toEqual({ kind: 'done' })
    expect(promised(0).does({ kind: 'kept' }).closed).toEqual({ kind: 'done' })
    expect(promised(3).bytes(block('abc')).forget().does({ kind: 'not-kept' }).said).toBe('BYE 2147942405')
  })

  it.each([
    ['another size than was offered', receiver(10).does({ kind: 'begin' }).says('VER MSNFTP', 'FIL 11')],
    ['more than may be', receiver(10, { maxBytes: 9 }).does({ kind: 'begin' }).says('VER MSNFTP', 'FIL 10')],
    [
      'a hostile size',
      receiver(10)
        .does({ kind: 'begin' })
        .says('VER MSNFTP', `FIL ${'9'.repeat(400)}`),
    ],
    ['a negative size', receiver(10).does({ kind: 'begin' }).says('VER MSNFTP', 'FIL -1')],
    ['a file before the version', receiver(10).does({ kind: 'begin' }).says('FIL 10')],
    ['a block of more than is left', promised(3).bytes(block('abcd'))],
    ['an empty block', promised(3).bytes(Buffer.from([0, 0, 0]))],
    ['a strange flag', promised(3).bytes(Buffer.from([7, 1, 0]))],
    [
      'a line without end',
      receiver(1)
        .does({ kind: 'begin' })
        .bytes('x'.repeat(MAX_FILE_LINE_BYTES + 1)),
    ],
  ])('takes nothing of %s', (_, bench) => {
    expect(bench.closed?.kind).toBe('peer-violation')
    expect(bench.heard('data')).toEqual([])
  })

  it('is told that they have given up, and gives up', () => {
    const half = promised(10).bytes(block('12345'))
    expect(half.bytes(Buffer.from([1, 0, 0])).events.at(-1)).toEqual({ kind: 'cancelled' })
    expect(promised(10).forget().does({ kind: 'cancel' }).said).toBe('CCL')
    expect(promised(10).bytes(block('12345')).hangsUp().closed?.kind).toBe('lost')
    expect(promised(10).passes(60_000).said).toContain('BYE 2164261694')
    expect(receiver(10).does({ kind: 'begin' }).passes(20_000).closed?.kind).toBe('timeout')
  })
})

const talk = (size: number, content: Buffer): { fromSender: Buffer; fromReceiver: Buffer; got: Buffer } => {
  const giving = new FileSender({ ...who, size })
  const getting = new FileReceiver({ ...who, size, maxBytes: size })
  const said = { fromSender: [] as Buffer[], fromReceiver: [] as Buffer[], got: [] as Buffer[] }
  const toReceiver = (outputs: readonly Output<FileSenderEvent>[]): void => {
    for (const output of outputs) {
      if (output.kind === 'write') {
        said.fromSender.push(Buffer.from(output.bytes))
        toSender(getting.receive(output.bytes, NOW))
      } else if (output.kind === 'event' && output.event.kind === 'wanted' && content.length > 0)
        toReceiver(giving.command({ kind: 'send', bytes: content }, NOW))
    }
  }
  const toSender = (outputs: readonly Output<FileReceiverEvent>[]): void => {
    for (const output of outputs) {
      if (output.kind === 'write') {
        said.fromReceiver.push(Buffer.from(output.bytes))
        toReceiver(giving.receive(output.bytes, NOW))
      } else if (output.kind === 'event' && output.event.kind === 'data') said.got.push(Buffer.from(output.event.bytes))
      else if (output.kind === 'event' && output.event.kind === 'received') toSender(getting.command({ kind: 'kept' }))
    }
  }
  toSender(getting.command({ kind: 'begin' }))
  const { fromSender, fromReceiver, got } = said
  return {
    fromSender: Buffer.concat(fromSender),
    fromReceiver: Buffer.concat(fromReceiver),
    got: Buffer.concat(got),
  }
}

describe('both', () => {
  const content = Buffer.from(Array.from({ length: 5_000 }, (_, at) => at % 251))
  const whole = talk(content.length, content)

  it('understand each other', () => {
    expect(whole.got.equals(content)).toBe(true)
    expect(whole.fromReceiver.toString()).toBe('VER MSNFTP\r\nUSR bob@example.com 93301\r\nTFR\r\nBYE 16777989\r\n')
  })

  const cuts = fc.array(fc.integer({ min: 0, max: whole.fromSender.length }), { maxLength: 12 })
  const pieces = (bytes: Buffer, at: readonly number[]): readonly Buffer[] => {
    const places = [0, ...at.toSorted((a, b) => a - b), bytes.length]
    return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
  }

  it('do not mind how the bytes are cut', () => {
    fc.assert(
      fc.property(cuts, (at) => {
        const getting = receiver(content.length).does({ kind: 'begin' })
        for (const piece of pieces(whole.fromSender, at)) getting.bytes(piece)
        expect(Buffer.concat(getting.heard('data').map(({ bytes }) => bytes)).equals(content)).toBe(true)
        const giving = sender(0)
        for (const piece of pieces(talk(0, Buffer.alloc(0)).fromReceiver, at)) giving.bytes(piece)
        expect(giving.heard('finished')).toEqual([{ kind: 'finished', code: 16_777_989 }])
      }),
    )
  })

  it('neither throw nor grow, whatever comes', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom(
          'VER MSNFTP\r\n',
          'USR bob@example.com 93301\n',
          'FIL 10\r\n',
          'FIL 99999999999999\r\n',
          'TFR\r\n',
          'CCL\n',
          'BYE 1\r\n',
          '\0\x05\0hello',
          '\x01\0\0',
          '\r\n',
        )
        .map((text) => Buffer.from(text, 'latin1')),
    )
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 12 }), (chunks) => {
        const getting = receiver(10).does({ kind: 'begin' })
        const giving = sender(10)
        for (const chunk of chunks) {
          getting.bytes(chunk)
          giving.bytes(chunk)
        }
        expect(getting.heard('data').reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(10)
        expect(getting.written.length + giving.written.length).toBeLessThan(200)
        expect(getting.passes(700_000).closed).toBeDefined()
        expect(giving.passes(700_000).closed).toBeDefined()
      }),
    )
  })
})
