/** Whatever a server sends, the client's machines neither throw nor grow, and it does not matter how it is cut. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NotificationClient } from '../../../msnp/session/notification-client.ts'
import type { NotificationCommand, NotificationEvent } from '../../../msnp/session/notification-states.ts'
import { MAX_ROSTER, MAX_ROSTER_GROUPS } from '../../../msnp/session/roster.ts'
import { MAX_MEMBERS, SwitchboardClient } from '../../../msnp/session/switchboard-client.ts'
import type { SwitchboardCommand, SwitchboardEvent } from '../../../msnp/session/switchboard-client-states.ts'
import { VERBS } from '../../../msnp/wire/verbs.ts'
import type { Machine } from '../../../sansio/machine.ts'
import { MachineBench } from '../../kit/machine.ts'

const TIMINGS = { commandMs: 30_000, pingMs: 45_000, pongMs: 30_000 }
const SB_TIMINGS = { commandMs: 30_000, ackMs: 20_000, nakMs: 5_000, joinMs: 25_000, switchboardIdleMs: 300_000 }

const GROUP = '11111111-1111-1111-1111-111111111111'
const ID = '22222222-2222-2222-2222-222222222222'
const LOGIN = [
  'VER 1 MSNP9 MSNP8 CVR0',
  'CVR 2 6.0.0602 6.0.0602 1.0.0000 http://example.com/dl.exe http://example.com',
  'USR 3 TWN S lc=1033,id=507,tpf=43f8',
]
const SIGNED_IN = ['USR 4 OK alice@example.com Alice%20A 1 0', 'SYN 5 27 2 1', 'GTC A', 'BLP AL', 'LSG 0 Other 0']
/** The same at MSNP12. */
const SIGNED_IN_BY_ID = [
  'USR 4 OK alice@example.com 1 0',
  'SBS 0 null',
  'SYN 5 2000-01-01T00:00:00.0-00:00 2000-01-01T00:00:00.0-00:00 2 1',
  'PRP MFN Alice%20A',
  `LSG Work ${GROUP}`,
]
const LISTS_BY_ID = [`LST N=bob@example.com F=Bob C=${ID} 11 1 ${GROUP}`, 'LST N=carol@example.com F=Café 16 1 ']
const LISTS = ['LST bob@example.com Bob 11 0', 'BPR PHM 1%20555', 'LST carol@example.com Café 3 0']

function notification(
  upTo: 'start' | 'ticket' | 'lists' | 'online',
): MachineBench<NotificationCommand, NotificationEvent> {
  const bench = new MachineBench(new NotificationClient({ timings: TIMINGS }))
  bench.does({ kind: 'sign-in', email: 'alice@example.com', dialects: ['MSNP9', 'MSNP8'] })
  if (upTo === 'start') return bench
  bench.says(...LOGIN)
  if (upTo === 'ticket') return bench
  bench.does({ kind: 'ticket', ticket: 't=1&p=' }).says(...SIGNED_IN)
  if (upTo === 'lists') return bench
  bench.says(...LISTS)
  bench.does({ kind: 'request', id: 1, request: { kind: 'switchboard' } })
  return bench.does({ kind: 'request', id: 2, request: { kind: 'synchronize' } })
}

/** At MSNP12, with an answer to each of the newer commands under way. */
function byId(upTo: 'lists' | 'online'): MachineBench<NotificationCommand, NotificationEvent> {
  const bench = new MachineBench(new NotificationClient({ timings: TIMINGS }))
  bench.does({ kind: 'sign-in', email: 'alice@example.com', dialects: ['MSNP12'] })
  bench
    .says('VER 1 MSNP12', ...LOGIN.slice(1))
    .does({ kind: 'ticket', ticket: 't=1&p=' })
    .says(...SIGNED_IN_BY_ID)
  if (upTo === 'lists') return bench
  bench.says(...LISTS_BY_ID)
  const eve = { list: 'FL', email: 'eve@example.com', name: 'Eve', group: GROUP } as const
  bench.does({ kind: 'request', id: 1, request: { kind: 'list-add', ...eve } })
  bench.does({ kind: 'request', id: 2, request: { kind: 'synchronize' } })
  bench.does({ kind: 'request', id: 3, request: { kind: 'rename', email: 'bob@example.com', name: 'Bobby' } })
  return bench.does({ kind: 'request', id: 4, request: { kind: 'file', name: 'Shields.xml' } })
}

function switchboard(upTo: 'door' | 'open'): MachineBench<SwitchboardCommand, SwitchboardEvent> {
  const bench = new MachineBench(
    new SwitchboardClient({ email: 'alice@example.com', dialect: 'MSNP9', timings: SB_TIMINGS }),
  )
  bench.does({ kind: 'answer', token: 't', session: '1' })
  if (upTo === 'door') return bench
  bench.says('IRO 1 1 1 bob@example.com Bob', 'ANS 1 OK').does({ kind: 'invite', id: 1, email: 'carol@example.com' })
  return bench.does({ kind: 'send', id: 2, payload: Buffer.from('x'), ack: 'A' })
}

const START = {
  'the sign-in': () => notification('start'),
  'the ticket': () => notification('ticket'),
  'the lists': () => notification('lists'),
  'the session': () => notification('online'),
  'the lists at MSNP12': () => byId('lists'),
  'the session at MSNP12': () => byId('online'),
  'the door of a switchboard': () => switchboard('door'),
  'an open switchboard': () => switchboard('open'),
} as const satisfies Record<string, () => MachineBench<never, { readonly kind: string }>>

const word = fc.oneof(
  fc.constantFrom(
    '0',
    '1',
    '2',
    '6',
    '7',
    'OK',
    'TWN',
    'S',
    'I',
    'SB',
    'NS',
    'CKI',
    'FL',
    'AL',
    'BL',
    'RL',
    'NLN',
    'FLN',
  ),
  fc.constantFrom(
    'bob@example.com',
    'carol@example.com',
    'alice@example.com',
    '192.0.2.1:1863',
    'RINGING',
    'N=bob@example.com',
    'N=tel:+15550100',
    'F=Eve',
    `C=${ID}`,
    ID,
    GROUP,
    'PL',
    'MFN',
    'MSNP9',
    'OTH',
  ),
  fc.string({ maxLength: 12 }).map((text) => text.replace(/[\s]/g, '')),
  fc.nat(100_000).map(String),
  fc.constantFrom('__proto__', '%', '%zz', '%E5', '\u0000', 'é☃', '-1', '1e9', '99999999999'),
)
const verb = fc.oneof(
  fc.constantFrom(...VERBS.map((row) => row.verb)),
  fc.nat(999).map((code) => String(code).padStart(3, '0')),
  fc.constantFrom('FOO', 'constructor', ''),
)
const line = fc
  .tuple(verb, fc.array(word, { maxLength: 7 }), fc.constantFrom('\r\n', '\n', ' \r\n', '\r\n\r\n'))
  .map(([name, words, end]) => Buffer.from(`${[name, ...words].join(' ')}${end}`))
const payload = fc
  .tuple(fc.constantFrom('bob@example.com Bob', 'Hotmail Hotmail'), fc.uint8Array({ maxLength: 300 }))
  .map(([sender, bytes]) => Buffer.concat([Buffer.from(`MSG ${sender} ${bytes.length}\r\n`), bytes]))
const personal = fc
  .tuple(
    fc.constantFrom('UBX bob@example.com', 'UBX carol@example.com 1', 'GCF 9 Shields.xml', 'UUX 9'),
    fc.array(
      fc.constantFrom('<PSM>', '</PSM>', '<CurrentMedia>', '</CurrentMedia>', '&amp;', '\\0', '1', 'é', '<', '&#0;'),
    ),
  )
  .map(([head, parts]) => Buffer.from(`${head} ${Buffer.byteLength(parts.join(''))}\r\n${parts.join('')}`))
const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
const stream = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: line },
    { weight: 2, arbitrary: payload },
    { weight: 2, arbitrary: personal },
    { weight: 1, arbitrary: noise },
  ),
  {
    maxLength: 60,
  },
)

describe.each(Object.entries(START))('%s', (_, start) => {
  it('survives whatever the server says, and time', () => {
    fc.assert(
      fc.property(stream, fc.nat(120_000), (chunks, ms) => {
        const bench = start()
        for (const chunk of chunks) bench.bytes(chunk)
        bench.passes(ms).hangsUp()
        expect(bench.closed).toBeDefined()
        expect(bench.machine.wakeAt).toBeUndefined()
        expect(bench.written).not.toMatch(/^\r\n/)
      }),
      { numRuns: 250 },
    )
  })

  it('hears the same however it is cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }), (chunks, cuts) => {
        const bytes = Buffer.concat(chunks)
        const whole = start().bytes(bytes)
        const cut = start()
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1
          cut.bytes(Buffer.from(bytes.subarray(at, at + size)))
          at += size
        }
        expect(shape(cut)).toEqual(shape(whole))
      }),
      { numRuns: 120 },
    )
  })
})

/** Sessions hold the whole roster; what it came to is compared by the events. */
const shape = (bench: MachineBench<never, { readonly kind: string }>): unknown => [
  bench.events.map((event) => (event.kind === 'signed-in' ? event.kind : JSON.stringify(event))),
  bench.written,
  bench.closed,
]

describe('memory', () => {
  it('is bounded when a server tells of people without end', () => {
    const bench = notification('online')
    const [signedIn] = bench.heard('signed-in')
    if (signedIn === undefined) throw new Error('not signed in')
    const names = 'n'.repeat(2_000)
    for (let turn = 0; turn < 60; turn++) {
      let lines = ''
      for (let at = 0; at < 200; at++) {
        const id = turn * 200 + at
        lines += `ADD 0 RL 1 u${id}@example.com ${names}\r\nNLN NLN w${id}@example.com ${names} 0\r\nLSG ${id} G\r\n`
        lines += `ADD 0 FL 1 bob@example.com Bob ${id}\r\n`
      }
      bench.bytes(lines)
      bench.events.length = 0
    }
    const roster = signedIn.session.roster
    expect(roster.contacts.size).toBe(MAX_ROSTER)
    expect(roster.groups.length).toBe(MAX_ROSTER_GROUPS)
    expect(roster.get('bob@example.com')?.groups.length).toBeLessThanOrEqual(MAX_ROSTER_GROUPS)
    expect(Math.max(...[...roster.contacts.values()].map(({ name }) => name.length))).toBeLessThanOrEqual(512)
  })

  it('is bounded when people of MSNP12 come without end and say all that they can', () => {
    const bench = byId('online')
    const [signedIn] = bench.heard('signed-in')
    if (signedIn === undefined) throw new Error('not signed in')
    const words = `<PSM>${'p'.repeat(3_000)}</PSM><CurrentMedia>\\0Music\\01\\0{0}${'\\0m'.repeat(1_500)}</CurrentMedia>`
    for (let turn = 0; turn < 30; turn++) {
      let lines = ''
      for (let at = 0; at < 200; at++) {
        const email = `u${turn * 200 + at}@example.com`
        lines += `ADC 0 RL N=${email} F=${'n'.repeat(1_000)} C=${'c'.repeat(1_000)}\r\nADC 0 FL C=${ID} g${turn * 200 + at}\r\n`
        lines += `LSG G ${String(turn * 200 + at).padStart(8, '0')}${GROUP.slice(8)}\r\n`
        lines += `UBX ${email} ${words.length}\r\n${words}`
      }
      bench.bytes(lines)
      bench.events.length = 0
    }
    const { roster } = signedIn.session
    expect(roster.contacts.size).toBe(MAX_ROSTER)
    expect(roster.groups.length).toBe(MAX_ROSTER_GROUPS)
    expect(roster.get('bob@example.com')?.groups.length).toBe(MAX_ROSTER_GROUPS)
    const contact = roster.get('u0@example.com')
    expect(contact?.id).toBeUndefined()
    expect([contact?.name.length, contact?.personal?.text.length, contact?.personal?.media?.args.length]).toEqual([
      512, 512, 16,
    ])
  })

  it('is bounded when a room fills without end', () => {
    const bench = switchboard('open')
    for (let at = 0; at < 2 * MAX_MEMBERS; at++) bench.says(`JOI u${at}@example.com U`)
    expect(bench.heard('joined')).toHaveLength(MAX_MEMBERS - 1)
  })

  it('does not keep an endless line or payload', () => {
    const endless = notification('online').bytes(Buffer.alloc(70_000, 'A'))
    expect(endless.closed).toMatchObject({ kind: 'peer-violation', detail: 'line-too-long' })
    expect(switchboard('open').says('MSG bob@example.com Bob 99999999').closed).toEqual({
      kind: 'peer-violation',
      detail: 'payload-too-long',
      at: { verb: 'MSG', length: 99_999_999 },
    })
  })

  it('survives a million bytes of noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20_000, maxLength: 40_000 }), (bytes) => {
        const machines: Machine<never, unknown>[] = Object.values(START).map((start) => start().machine)
        for (const machine of machines) {
          for (let at = 0; at < bytes.length; at += 1_000) machine.receive(bytes.subarray(at, at + 1_000), 2_000_000)
          expect(() => machine.tick(3_000_000)).not.toThrow()
        }
      }),
      { numRuns: 34 },
    )
  })
})
