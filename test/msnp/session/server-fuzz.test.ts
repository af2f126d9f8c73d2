/** Whatever clients send, a million bytes of it: the service's machines neither throw nor grow. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Dialect } from '../../../msnp/model/dialect.ts'
import type { NsCommand, NsEvent } from '../../../msnp/session/notification-server-events.ts'
import { NotificationServer } from '../../../msnp/session/notification-server.ts'
import type { SwitchboardCommand, SwitchboardEvent } from '../../../msnp/session/switchboard-server-events.ts'
import { SwitchboardServer } from '../../../msnp/session/switchboard-server.ts'
import { DEFAULT_LIMITS, DEFAULT_TIMINGS } from '../../../msnp/service/contract.ts'
import { VERBS } from '../../../msnp/wire/verbs.ts'
import type { Machine } from '../../../sansio/machine.ts'

const BYTES = 1_000_000
/** Bytes of heap that a run may leave behind, whatever the garbage collector is up to. */
const GROWTH = 64 * 1024 * 1024
const off = { burst: 0, intervalMs: 1 }
const limits = { ...DEFAULT_LIMITS, messageRate: off, commandRate: off, callRate: off, switchboardRate: off }
const timings = { ...DEFAULT_TIMINGS, challenge: 'once', switchboardChallenge: 'once' } as const
const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(7)

const word = fc.oneof(
  fc.constantFrom(
    '0',
    '1',
    '7',
    'TWN',
    'I',
    'S',
    'SB',
    'FL',
    'AL',
    'BL',
    'RL',
    'NLN',
    'FLN',
    'HDN',
    'A',
    'D',
    'U',
    'N',
  ),
  fc.constantFrom('alice@example.com', '@@example.com', 'a@b@c', 'user@', 'MSNP9', 'MSNP8', 'CVR0', 'MFN', 'PHH', 'ON'),
  fc.constantFrom('__proto__', '%', '%zz', '%E5', '\u0000', '-1', '1e9', '99999999999', 'NaN', 't=x&p='),
  fc.constantFrom(
    'PL',
    'N=alice@example.com',
    'N=@',
    'F=%F0',
    'C=x',
    'C=f3dbb09d-866f-4edb-be59-0e340c1cd095',
    'N=tel:+1',
  ),
  fc.constantFrom('f3dbb09d-866f-4edb-be59-0e340c1cd095', '{F3DBB09D-866F-4EDB-BE59-0E340C1CD095}', 'Shields.xml'),
  fc.nat(100_000).map(String),
  fc.string({ maxLength: 20 }),
)
const verb = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...VERBS.map((row) => row.verb)) },
  { weight: 1, arbitrary: fc.constantFrom('FOO', 'constructor', '', '200', 'ver') },
)
const line = fc
  .tuple(verb, fc.array(word, { maxLength: 8 }), fc.constantFrom('\r\n', '\n', ' \r\n', '\r\n\r\n'))
  .map(([name, words, end]) => Buffer.from(`${[name, ...words].join(' ')}${end}`))
const message = fc
  .tuple(
    fc.constantFrom('1 A', '0 U', '2 D', '3 X', '4'),
    fc.uint8Array({ maxLength: 1_700 }),
    fc.integer({ min: -2, max: 2 }),
  )
  .map(([words, bytes, wrong]) => Buffer.concat([Buffer.from(`MSG ${words} ${bytes.length + wrong}\r\n`), bytes]))
const personal = fc
  .tuple(
    fc.constantFrom('', '<Data>', '<PSM>', '&amp;', '&#0;', '&#x110000;', '<!DOCTYPE a [<!ENTITY b "c">]>'),
    fc.uint8Array({ maxLength: 9_000 }),
    fc.constantFrom('</PSM>', '<CurrentMedia>a\\0b\\01\\0{0}\\0', '</CurrentMedia></Data>', '<PSM/>'),
    fc.integer({ min: -1, max: 1 }),
  )
  .map(([start, bytes, end, wrong]) => {
    const text = Buffer.concat([Buffer.from(start), bytes, Buffer.from(end)])
    return Buffer.concat([Buffer.from(`UUX 1 ${text.length + wrong}\r\n`), text])
  })
const noise = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))
const chunk = fc.oneof(
  { weight: 12, arbitrary: line },
  { weight: 3, arbitrary: message },
  { weight: 1, arbitrary: personal },
  { weight: 1, arbitrary: noise },
)

/** A peer, and how whoever runs it reacts to what it asks. */
interface Peer {
  readonly machine: Machine<never, unknown>
  react(event: unknown): unknown
}

const notification = (role: 'NS' | 'DS', signIn: Dialect | undefined): Peer => {
  const machine = new NotificationServer({ role, limits, timings, site: 'http://messenger.msn.com', random }, 0)
  if (signIn !== undefined) {
    for (const text of [`VER 1 ${signIn}\r\n`, 'USR 2 TWN I alice@example.com\r\n', 'USR 3 TWN S t=1&p=\r\n'])
      machine.receive(Buffer.from(text), 0)
    machine.command(
      { kind: 'welcome', trid: '3', email: 'alice@example.com', name: 'alice', profile: Buffer.from('x') },
      0,
    )
  }
  return {
    machine,
    react: (event): NsCommand | undefined => {
      const asked = event as NsEvent
      if (asked.kind === 'identify') return { kind: 'policy', trid: asked.trid, policy: 'lc=1033' }
      return asked.kind === 'prove' ? { kind: 'refuse', trid: asked.trid, code: 911 } : undefined
    },
  }
}

const switchboard = (enter: boolean): Peer => {
  const machine = new SwitchboardServer({ limits, timings, random }, 0)
  const react = (event: unknown): SwitchboardCommand | undefined => {
    const asked = event as SwitchboardEvent
    switch (asked.kind) {
      case 'enter':
      case 'answer':
        return { kind: 'admitted', self: { email: asked.email, name: 'x' }, dialect: 'MSNP12', present: [] }
      case 'call':
        return { kind: 'error', trid: asked.trid, code: 217 }
      case 'message':
        return { kind: 'ack', trid: asked.trid }
      case 'confirmed':
      case 'sit':
      case 'speak':
        return undefined
    }
  }
  if (enter) {
    machine.receive(Buffer.from('USR 1 alice@example.com 1.2.3\r\n'), 0)
    machine.command(
      { kind: 'admitted', self: { email: 'alice@example.com', name: 'x' }, dialect: 'MSNP12', present: [] },
      0,
    )
  }
  return { machine, react }
}

it.each([
  ['a notification server before the sign-in', () => notification('NS', undefined)],
  ['a notification server after it', () => notification('NS', 'MSNP9')],
  ['a notification server after it, at MSNP10', () => notification('NS', 'MSNP10')],
  ['a notification server after it, at MSNP12', () => notification('NS', 'MSNP12')],
  ['a dispatch server', () => notification('DS', undefined)],
  ['a switchboard server at the door', () => switchboard(false)],
  ['a switchboard server inside', () => switchboard(true)],
])(
  '%s survives a million bytes',
  (_, start) => {
    const heap = process.memoryUsage().heapUsed
    let peer = start()
    let fed = 0
    let now = 0
    let connections = 1
    for (let seed = 1; fed < BYTES; seed++) {
      for (const bytes of fc.sample(chunk, { numRuns: 400, seed })) {
        fed += bytes.length
        now += 3
        const due = peer.machine.wakeAt
        let outputs = due !== undefined && due <= now ? peer.machine.tick(now) : []
        outputs = [...outputs, ...peer.machine.receive(bytes, now)]
        for (const output of outputs) {
          if (output.kind === 'event') {
            const answer = peer.react(output.event)
            if (answer !== undefined) outputs = [...outputs, ...peer.machine.command(answer as never, now)]
          }
        }
        if (outputs.some((output) => output.kind === 'close')) {
          expect(peer.machine.receive(Buffer.from('PNG\r\n'), now)).toEqual([])
          peer = start()
          connections++
        }
      }
    }
    expect(connections).toBeGreaterThan(10)
    expect(process.memoryUsage().heapUsed - heap).toBeLessThan(GROWTH)
  },
  60_000,
)
