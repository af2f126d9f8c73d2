import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { challengeAnswer, productFor } from '../../../msnp/session/challenge.ts'
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMINGS,
  type ServiceLimits,
  type ServiceTimings,
} from '../../../msnp/service/contract.ts'
import type { NsEvent } from '../../../msnp/session/notification-server-events.ts'
import { MAX_COMMANDS_OVER_RATE, NotificationServer } from '../../../msnp/session/notification-server.ts'
import { DIALECTS } from '../../../msnp/model/dialect.ts'
import { anyBytes } from '../../kit/notification-lines.ts'
import { MisuseError, type CloseReason, type Output } from '../../../sansio/machine.ts'

/** docs/protocol.md, Dispatch and login; Challenge; Framing. */

class Talk {
  readonly machine: NotificationServer
  now = 0
  written = ''
  readonly events: NsEvent[] = []
  closed: CloseReason | undefined

  constructor(timings: Partial<ServiceTimings> = {}, limits: Partial<ServiceLimits> = {}) {
    this.machine = new NotificationServer(
      {
        role: 'NS',
        limits: { ...DEFAULT_LIMITS, ...limits },
        timings: { ...DEFAULT_TIMINGS, ...timings },
        site: 'http://home.example',
        random: (bytes) => Uint8Array.from({ length: bytes }, (_, index) => index),
      },
      0,
    )
  }

  take(outputs: readonly Output<NsEvent>[]): void {
    for (const output of outputs) {
      expect(this.closed).toBeUndefined()
      if (output.kind === 'write') this.written += Buffer.from(output.bytes).toString('latin1')
      else if (output.kind === 'close') this.closed = output.reason
      else if (output.event.kind === 'in-turn') this.written += Buffer.from(output.event.bytes).toString('latin1')
      else this.events.push(output.event)
    }
  }

  /** What a line is answered with at once. */
  say(line: string): string {
    return this.bytes(Buffer.from(`${line}\r\n`))
  }

  bytes(bytes: Uint8Array | null): string {
    const before = this.written.length
    this.take(this.machine.receive(bytes, this.now))
    return this.written.slice(before)
  }

  signIn(dialect = 'MSNP9'): this {
    this.say(`VER 1 ${dialect}`)
    this.say('USR 2 TWN I alice@example.com')
    this.say('USR 3 TWN S t=x&p=')
    this.take(
      this.machine.command(
        { kind: 'welcome', trid: '3', email: 'alice@example.com', name: 'Alice', profile: Buffer.from('hello') },
        this.now,
      ),
    )
    return this
  }

  /** Lets time pass to `now`, waking the machine where it asks for it. */
  wait(now: number): void {
    for (let wakes = 0; wakes < 1000; wakes++) {
      const { wakeAt } = this.machine
      if (wakeAt === undefined || wakeAt > now) break
      this.now = Math.max(this.now, wakeAt)
      this.take(this.machine.tick(this.now))
    }
    this.now = now
  }
}

describe('VER', () => {
  it.each([
    ['VER 1 MSNP9 CVR0', 'VER 1 MSNP9 CVR0'],
    ['VER 1 MSNP9 MSNP8 CVR0', 'VER 1 MSNP9 MSNP8 CVR0'],
    ['VER 1 MSNP8 MSNP9 CVR0', 'VER 1 MSNP9 MSNP8 CVR0'],
    ['VER 4 MSNP10 MSNP9 CVR0', 'VER 4 MSNP10 MSNP9 CVR0'],
    ['VER 1 MSNP9 MSNP12 MSNP11 MSNP10 CVR0', 'VER 1 MSNP12 MSNP9 MSNP11 MSNP10 CVR0'],
    ['VER 1 MSNP13 MSNP12 CVR0', 'VER 1 MSNP12 CVR0'],
    ['VER 1 MSNP18 MSNP17 MSNP8', 'VER 1 MSNP8 CVR0'],
    ['ver 1 msnp9 cvr0', 'VER 1 MSNP9 CVR0'],
    ['VER 1 MSNP8 MSNP8', 'VER 1 MSNP8 CVR0'],
    ['VER 0 MSNP9 CVR0', 'VER 0 MSNP9 CVR0'],
    ['VER 1 MSNP9 CVR0 ', 'VER 1 MSNP9 CVR0'],
  ])('%s is answered by %s', (line, answer) => {
    const talk = new Talk()
    expect(talk.say(line)).toBe(`${answer}\r\n`)
    expect(talk.closed).toBeUndefined()
  })

  it.each(['VER 1 MSNP7 CVR0', 'VER 1 CVR0', 'VER 1 MSNP99'])('%s has nothing for us: 0, and the end', (line) => {
    const talk = new Talk()
    expect(talk.say(line)).toBe('VER 1 0\r\n')
    expect(talk.closed).toEqual({ kind: 'done' })
    expect(talk.say('VER 2 MSNP9')).toBe('')
  })

  it('without a number is a violation', () => {
    const talk = new Talk()
    expect(talk.say('VER MSNP9 CVR0')).toBe('201 0\r\n')
    expect(talk.closed).toMatchObject({ kind: 'peer-violation', at: { verb: 'VER' } })
  })

  it('comes first: before it nobody can say who they are', () => {
    const talk = new Talk()
    expect(talk.say('USR 1 TWN I alice@example.com')).toBe('302 1\r\n')
    expect(talk.say('VER 2')).toBe('300 2\r\n')
    expect(talk.closed).toBeUndefined()
  })
})

describe('sign-in', () => {
  it('reads nothing between a ticket and its answer, and everything after it', () => {
    const talk = new Talk()
    talk.say('VER 1 MSNP9')
    expect(talk.say('USR 2 TWN I Alice@Example.com')).toBe('')
    expect(talk.events).toEqual([{ kind: 'identify', trid: '2', email: 'alice@example.com', dialect: 'MSNP9' }])
    expect(talk.say('USR 3 TWN S t=x&p=\r\nPNG\r\nSYN 4 0')).toBe('')
    expect(talk.events.at(-1)).toEqual({
      kind: 'prove',
      trid: '3',
      email: 'alice@example.com',
      dialect: 'MSNP9',
      ticket: 't=x&p=',
    })
    talk.take(
      talk.machine.command(
        { kind: 'welcome', trid: '3', email: 'alice@example.com', name: 'Alice A', profile: Buffer.from('hello') },
        0,
      ),
    )
    expect(talk.written.split('\r\n').slice(1)).toEqual([
      'USR 3 OK alice@example.com Alice%20A 1 0',
      'MSG Hotmail Hotmail 5',
      'helloQNG 50',
      '',
    ])
    expect(talk.events.at(-1)).toEqual({ kind: 'sync', trid: '4', version: 0 })
  })

  it('must be done in time', () => {
    const talk = new Talk()
    talk.say('VER 1 MSNP9')
    talk.wait(DEFAULT_TIMINGS.signInMs - 1)
    expect(talk.closed).toBeUndefined()
    talk.wait(DEFAULT_TIMINGS.signInMs)
    expect(talk.closed).toEqual({ kind: 'timeout', waitingFor: 'sign-in' })
  })

  it('may not be stuffed with what comes after it', () => {
    const talk = new Talk()
    talk.say('VER 1 MSNP9')
    talk.say('USR 2 TWN I alice@example.com')
    talk.say('USR 3 TWN S t=x&p=')
    for (let index = 0; index < 3; index++) talk.bytes(Buffer.alloc(30_000, 'PNG\r\n'))
    expect(talk.closed).toMatchObject({ kind: 'peer-violation' })
  })

  it('is not granted to somebody who has shown nothing', () => {
    const talk = new Talk()
    expect(() =>
      talk.machine.command({ kind: 'welcome', trid: '1', email: 'a@b', name: 'a', profile: Buffer.alloc(0) }, 0),
    ).toThrow(MisuseError)
  })
})

describe('silence', () => {
  it('ends a client that has sent PNG before, after three intervals', () => {
    const talk = new Talk().signIn()
    talk.say('PNG')
    talk.wait(100_000)
    talk.say('CHG 5 NLN 0')
    talk.wait(249_999)
    expect(talk.closed).toBeUndefined()
    talk.wait(250_000)
    expect(talk.closed).toEqual({ kind: 'timeout', waitingFor: 'PNG' })
  })

  it('is the right of a client that never sends PNG', () => {
    const talk = new Talk().signIn()
    talk.wait(86_400_000)
    expect(talk.closed).toBeUndefined()
    expect(talk.machine.wakeAt).toBeUndefined()
  })
})

describe('a challenge', () => {
  const answer = (talk: Talk, trid: number, product = productFor(9)): string => {
    const digits = /CHL 0 (\d+)\r\n$/.exec(talk.written)?.[1] ?? ''
    return talk.bytes(Buffer.from(`QRY ${trid} ${product.id} 32\r\n${challengeAnswer(digits, product, 9)}`))
  }
  const begin = (talk: Talk): void => talk.take(talk.machine.command({ kind: 'challenge' }, talk.now))

  it('never comes when it is off', () => {
    const talk = new Talk().signIn()
    begin(talk)
    expect(talk.written).not.toContain('CHL')
  })

  it('has 20 digits, comes once, and is answered within the time', () => {
    const talk = new Talk({ challenge: 'once' }).signIn()
    begin(talk)
    begin(talk)
    expect(talk.written.match(/CHL 0 \d{20}\r\n/g)).toHaveLength(1)
    talk.wait(49_999)
    expect(answer(talk, 7)).toBe('QRY 7\r\n')
    talk.wait(86_400_000)
    expect(talk.closed).toBeUndefined()
    expect(talk.written.match(/CHL/g)).toHaveLength(1)
  })

  it('comes again and again where an interval is configured', () => {
    const talk = new Talk({ challenge: 1_500_000 }).signIn()
    begin(talk)
    for (let round = 1; round <= 3; round++) {
      expect(talk.written.match(/CHL 0 \d{20}\r\n/g)).toHaveLength(round)
      expect(answer(talk, round)).toBe(`QRY ${round}\r\n`)
      talk.wait(talk.now + 1_500_000)
    }
  })

  it('that is not answered in time is 540 and the end', () => {
    const talk = new Talk({ challenge: 'once' }).signIn()
    begin(talk)
    talk.wait(50_000)
    expect(talk.written).toMatch(/540 0\r\n$/)
    expect(talk.closed).toEqual({ kind: 'timeout', waitingFor: 'QRY' })
  })

  it.each([
    ['a product that nobody knows', { id: 'PRODUCT', key: 'Q1P7W2E4J9R8U3S5' }],
    ['a wrong key', { id: 'msmsgs@msnmsgr.com', key: 'x' }],
  ])('answered by %s is 540 and the end', (_, product) => {
    const talk = new Talk({ challenge: 'once' }).signIn()
    begin(talk)
    expect(answer(talk, 8, { ...product, dialects: [6, 10] })).toBe('540 8\r\n')
    expect(talk.closed).toMatchObject({ kind: 'peer-violation', at: { verb: 'QRY' } })
  })

  it('that was never made cannot be answered either', () => {
    const talk = new Talk({ challenge: 'once' }).signIn()
    expect(talk.bytes(Buffer.from(`QRY 7 msmsgs@msnmsgr.com 32\r\n${'0'.repeat(32)}`))).toBe('540 7\r\n')
    expect(talk.closed).toBeDefined()
  })
})

describe('too much', () => {
  it('is refused command by command, and at last by the end', () => {
    const talk = new Talk({}, { commandRate: { burst: 5, intervalMs: 1_000 } })
    for (let index = 1; index <= 5; index++) expect(talk.say(`INF ${index}`)).toBe(`INF ${index} TWN\r\n`)
    expect(talk.say('INF 6')).toBe('800 6\r\n')
    expect(talk.say('PNG')).toBe('')
    talk.wait(1_000)
    expect(talk.say('INF 7')).toBe('INF 7 TWN\r\n')
    for (let index = 0; index < MAX_COMMANDS_OVER_RATE; index++) talk.say('INF 8')
    expect(talk.closed).toBeUndefined()
    talk.say('INF 9')
    expect(talk.closed).toMatchObject({ kind: 'peer-violation', detail: 'too many commands' })
  })

  it.each([
    ['a line without end', Buffer.alloc(9_000, 'x'), 'a line that is too long'],
    ['a negative length', Buffer.from('QRY 5 product -1\r\n'), 'a length that is no number'],
    ['a length that is no number', Buffer.from('MSG 5 N x\r\n'), 'a length that is no number'],
    ['a payload beyond measure', Buffer.from('QRY 5 product 99999999\r\n'), 'a payload that is too long'],
  ])('cannot be framed: %s', (_, bytes, detail) => {
    const talk = new Talk().signIn()
    talk.bytes(bytes)
    expect(talk.closed).toMatchObject({ kind: 'peer-violation', detail })
  })
})

describe('any bytes', () => {
  it('never make it throw, and end at most once', () => {
    fc.assert(
      fc.property(anyBytes, fc.constantFrom(undefined, ...DIALECTS), (bytes, inside) => {
        const talk = new Talk({ challenge: 1000 }, { commandRate: { burst: 0, intervalMs: 1 } })
        if (inside !== undefined) talk.signIn(inside)
        talk.bytes(bytes)
        talk.bytes(null)
        expect(talk.closed).toBeDefined()
        expect(talk.machine.receive(Buffer.from('PNG\r\n'), 0)).toEqual([])
        expect(talk.machine.command({ kind: 'out' }, 0)).toEqual([])
        expect(talk.machine.tick(1e9)).toEqual([])
        expect(talk.machine.wakeAt).toBeUndefined()
      }),
      { numRuns: 1_500 },
    )
  })

  it.each(DIALECTS)('mean the same wherever they are cut, at %s', (dialect) => {
    const text = [
      `VER 1 ${dialect} CVR0`,
      'CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 MSMSGS alice@example.com',
      'USR 3 TWN I alice@example.com',
      'ABC 4',
      '',
      'PNG',
      'SYN 5 0',
      '',
    ].join('\r\n')
    const answer = `QRY 6 msmsgs@msnmsgr.com 32\r\n${'0'.repeat(32)}`
    const inside = [
      'ADC 7 FL N=bob@example.com F=B%C3%B3b',
      'ADC 8 FL C=f3dbb09d-866f-4edb-be59-0e340c1cd095 e8be5871-c995-42f6-ba29-4ea88cd39e8f',
      'SBP 9 f3dbb09d-866f-4edb-be59-0e340c1cd095 MFN B\xc3\xb3b',
      'REM 10 PL bob@example.com',
      'UUX 11 24\r\n<PSM>caf\xc3\xa9\r\nUUX</PSM>PNG',
      'UUX 12 0',
      'GCF 13 Shields.xml',
      'PRP 14 MFN Alice',
      'ADD 15 FL bob@example.com Bob',
      '',
    ].join('\r\n')
    const before = Buffer.from(`${text}${answer}PNG\r\n`)
    const after = Buffer.from(`SYN 5 0 0\r\n${answer}${inside}`, 'latin1')
    for (const [bytes, start] of [
      [before, () => new Talk()],
      [after, () => new Talk().signIn(dialect)],
    ] as const) {
      const whole = start()
      whole.bytes(bytes)
      expect(whole.closed).toBeUndefined()
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
          const talk = start()
          const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
          for (const [index, place] of places.entries()) talk.bytes(bytes.subarray(places[index - 1] ?? 0, place))
          expect({ written: talk.written, events: talk.events }).toEqual({
            written: whole.written,
            events: whole.events,
          })
        }),
        { numRuns: 50 },
      )
      const single = start()
      for (const byte of bytes) single.bytes(Uint8Array.of(byte))
      expect(single.written).toBe(whole.written)
      expect(single.events).toEqual(whole.events)
    }
  })
})
