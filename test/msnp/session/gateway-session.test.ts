import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatGatewayHeader,
  GatewaySession,
  parseGatewayHeader,
  parseGatewayQuery,
  type GatewayOutput,
  type GatewaySessionOptions,
} from '../../../msnp/session/gateway-session.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const bytes = (words: string): Uint8Array => Buffer.from(words, 'latin1')
const LIMITS = { idleMs: 60_000, lingerMs: 300, maxAnswer: 100, maxWaiting: 250 }

/** A session and its client, at a time that the test says. */
class Bench {
  readonly session: GatewaySession
  now = 0
  readonly answers: { request: number; session: string; closes: boolean; body: string }[] = []
  readonly heard: string[] = []
  readonly refused: number[] = []
  over: string | undefined
  #requests = 0

  constructor(options: Partial<GatewaySessionOptions> = {}) {
    this.session = new GatewaySession({ id: '7', suffix: 10, ...LIMITS, ...options }, 0)
  }

  ask(words: string, suffix?: number, holdMs = 0): number {
    const request = this.#requests++
    this.take(this.session.request({ request, suffix, body: bytes(words), holdMs }, this.now))
    return request
  }

  say(words: string): void {
    this.take(this.session.write(bytes(words), this.now))
  }

  end(): void {
    this.take(this.session.end(this.now))
  }

  wait(ms: number): void {
    this.now += ms
    this.take(this.session.tick(this.now))
  }

  take(outputs: readonly GatewayOutput[]): void {
    for (const output of outputs) {
      expect(this.over).toBeUndefined()
      if (output.kind === 'received') this.heard.push(text(output.bytes))
      else if (output.kind === 'refuse') this.refused.push(output.request)
      else if (output.kind === 'over') this.over = output.why
      else {
        const { session, closes, body } = output.answer
        this.answers.push({ request: output.request, session, closes, body: text(body) })
      }
    }
  }
}

describe('a request with commands', () => {
  it('is answered with what the service says to them, under a new name', () => {
    const bench = new Bench()
    bench.ask('VER 1 MSNP9\r\n')
    expect(bench.heard).toEqual(['VER 1 MSNP9\r\n'])
    expect([bench.answers, bench.session.wakeAt]).toEqual([[], 300])
    bench.say('VER 1 MSNP9 CVR0\r\n')
    expect(bench.answers).toEqual([{ request: 0, session: '7.11', closes: false, body: 'VER 1 MSNP9 CVR0\r\n' }])
  })

  it('is answered with nothing when nothing is said for a moment', () => {
    const bench = new Bench()
    bench.ask('MSG 1 N 3\r\nabc')
    bench.wait(299)
    expect(bench.answers).toEqual([])
    bench.wait(1)
    expect(bench.answers).toEqual([{ request: 0, session: '7.11', closes: false, body: '' }])
  })

  it('takes along what has waited', () => {
    const bench = new Bench()
    bench.ask('')
    bench.say('NLN a\r\n')
    bench.say('NLN b\r\n')
    bench.ask('PNG\r\n', 11)
    expect(bench.answers.map(({ body }) => body)).toEqual(['', 'NLN a\r\nNLN b\r\n'])
    expect(bench.heard).toEqual(['PNG\r\n'])
  })

  it('answers a poll that was held', () => {
    const bench = new Bench()
    bench.ask('')
    bench.ask('', 11, 20_000)
    expect([bench.answers.length, bench.session.wakeAt]).toEqual([1, 20_000])
    bench.ask('PNG\r\n', 11)
    expect(bench.answers.at(-1)).toEqual({ request: 1, session: '7.12', closes: false, body: '' })
    bench.say('QNG\r\n')
    expect(bench.answers.at(-1)).toEqual({ request: 2, session: '7.13', closes: false, body: 'QNG\r\n' })
  })
})

describe('a poll', () => {
  it('is answered at once, or when something is said, or when its time is up', () => {
    const bench = new Bench()
    bench.ask('')
    bench.ask('', 11)
    expect(bench.answers).toHaveLength(2)
    bench.ask('', 12, 5_000)
    expect(bench.answers).toHaveLength(2)
    bench.say('NLN\r\n')
    expect(bench.answers.at(-1)).toMatchObject({ session: '7.13', body: 'NLN\r\n' })
    bench.ask('', 13, 5_000)
    bench.wait(4_999)
    expect(bench.answers).toHaveLength(3)
    bench.wait(1)
    expect(bench.answers.at(-1)).toMatchObject({ session: '7.14', body: '' })
  })

  it('brings what waits in pieces', () => {
    const bench = new Bench()
    bench.ask('')
    bench.say('x'.repeat(150))
    bench.ask('', 11)
    bench.ask('', 12)
    expect(bench.answers.map(({ body }) => body.length)).toEqual([0, 100, 50])
  })
})

describe('a client whose connection broke', () => {
  it('says the same again, is heard once and told the same', () => {
    const bench = new Bench()
    bench.ask('VER\r\n')
    bench.say('VER 1\r\n')
    bench.ask('CVR\r\n', 11)
    bench.say('CVR 1\r\n')
    bench.ask('CVR\r\n', 11)
    expect(bench.heard).toEqual(['VER\r\n', 'CVR\r\n'])
    expect(bench.answers.at(-1)).toEqual({ request: 2, session: '7.12', closes: false, body: 'CVR 1\r\n' })
  })

  it('before the answer was there, is heard once and told it next time', () => {
    const bench = new Bench()
    bench.ask('')
    const lost = bench.ask('CVR\r\n', 11)
    bench.session.gone(lost)
    bench.say('CVR 1\r\n')
    bench.ask('CVR\r\n', 11)
    expect(bench.heard).toEqual(['CVR\r\n'])
    bench.ask('', 12)
    expect(bench.answers.map(({ body }) => body)).toEqual(['', '', 'CVR 1\r\n'])
  })

  it('while the first is still waited for, is heard once, and both are told the same', () => {
    const bench = new Bench()
    bench.ask('MSG 1 N 3\r\nabc', 10)
    bench.ask('MSG 1 N 3\r\nabc', 10)
    expect(bench.heard).toEqual(['MSG 1 N 3\r\nabc'])
    expect(bench.answers).toEqual([
      { request: 0, session: '7.11', closes: false, body: '' },
      { request: 1, session: '7.11', closes: false, body: '' },
    ])
    // A poll says nothing that could be heard twice: the newer one waits.
    bench.ask('', 11, 5_000)
    bench.ask('', 11, 5_000)
    expect(bench.answers.map(({ request }) => request)).toEqual([0, 1, 2])
    bench.say('hello')
    expect(bench.answers.at(-1)).toEqual({ request: 3, session: '7.13', closes: false, body: 'hello' })
  })

  it('is not mistaken for one that says the same twice', () => {
    const bench = new Bench()
    bench.ask('')
    bench.ask('PNG\r\n', 11)
    bench.say('QNG\r\n')
    bench.ask('PNG\r\n', 12)
    expect(bench.heard).toEqual(['PNG\r\n', 'PNG\r\n'])
  })
})

describe('the name', () => {
  it('changes with each answer, and only the newest few are known', () => {
    const bench = new Bench()
    bench.ask('')
    for (let suffix = 11; suffix < 30; suffix++) bench.ask('', suffix)
    expect(bench.refused).toEqual([])
    const wrong = [bench.ask('PNG\r\n', 31), bench.ask('PNG\r\n', 12), bench.ask('PNG\r\n', 0)]
    expect(bench.refused).toEqual(wrong)
    expect(bench.heard).toEqual([])
  })
})

describe('the end', () => {
  it('by the service is told with its last words', () => {
    const bench = new Bench()
    bench.ask('OUT\r\n')
    bench.say('bye')
    bench.end()
    bench.ask('', 11)
    expect(bench.answers.at(-1)).toEqual({ request: 1, session: '7.12', closes: true, body: '' })
    expect(bench.over).toBe('done')
    expect(bench.session.wakeAt).toBeUndefined()
    bench.over = undefined
    expect(bench.ask('', 12)).toBe(bench.refused[0])
  })

  it('waits until all has been fetched', () => {
    const bench = new Bench()
    bench.ask('')
    bench.say('x'.repeat(150))
    bench.end()
    bench.ask('', 11)
    bench.ask('', 12)
    expect(bench.answers.map(({ closes, body }) => [closes, body.length])).toEqual([
      [false, 0],
      [false, 100],
      [true, 50],
    ])
    expect(bench.over).toBe('done')
  })

  it('comes when the client asks no more', () => {
    const bench = new Bench()
    bench.ask('')
    bench.wait(30_000)
    bench.ask('', 11)
    bench.wait(59_999)
    expect(bench.over).toBeUndefined()
    bench.wait(1)
    expect(bench.over).toBe('idle')
  })

  it('does not come while a poll is held', () => {
    const bench = new Bench({ idleMs: 1_000 })
    bench.ask('', undefined, 5_000)
    bench.wait(4_999)
    expect(bench.over).toBeUndefined()
    bench.wait(1)
    bench.wait(999)
    expect([bench.answers.length, bench.over]).toEqual([1, undefined])
    bench.wait(1)
    expect(bench.over).toBe('idle')
  })

  it('comes when too much waits', () => {
    const bench = new Bench()
    bench.ask('')
    bench.say('x'.repeat(250))
    expect(bench.over).toBeUndefined()
    bench.say('x')
    expect(bench.over).toBe('too much waits')
    bench.over = undefined
    bench.say('x')
    expect([bench.over, bench.session.wakeAt]).toEqual([undefined, undefined])
  })
})

describe('what is asked for', () => {
  it.each([
    ['Action=open&Server=NS&IP=messenger.hotmail.com', { kind: 'open', server: 'NS' }],
    ['action=OPEN&server=sb&ip=10.0.0.1', { kind: 'open', server: 'SB' }],
    ['SessionID=954547325.13160', { kind: 'commands', id: '954547325', suffix: 13_160 }],
    ['Action=poll&SessionID=1.2', { kind: 'poll', id: '1', suffix: 2, holdMs: 0 }],
    ['Action=poll&Lifespan=5&SessionID=1.2', { kind: 'poll', id: '1', suffix: 2, holdMs: 5_000 }],
    ['Action=poll&Lifespan=9999&SessionID=1.2', { kind: 'poll', id: '1', suffix: 2, holdMs: 30_000 }],
    ['Action=poll&Lifespan=-1&SessionID=1.2', { kind: 'poll', id: '1', suffix: 2, holdMs: 0 }],
  ])('%s', (query, ask) => {
    expect(parseGatewayQuery(query, 30_000)).toEqual(ask)
  })

  it.each([
    '',
    'Action=open',
    'Action=open&Server=DS&IP=x',
    'Action=close&SessionID=1.2',
    'Action=poll',
    'SessionID=1',
    'SessionID=a.b',
    'SessionID=1.2.3',
    'SessionID=__proto__',
    `SessionID=${'1'.repeat(65)}.2`,
    'SessionID=1.1234567890',
  ])('is nothing: %j', (query) => {
    expect(parseGatewayQuery(query, 30_000)).toBeUndefined()
  })
})

describe('the header', () => {
  it('is read as it is written', () => {
    expect(formatGatewayHeader('1.2', '192.0.2.3', false)).toBe('SessionID=1.2; GW-IP=192.0.2.3')
    expect(parseGatewayHeader(formatGatewayHeader('1.2', '192.0.2.3', true))).toEqual({
      session: '1.2',
      host: '192.0.2.3',
      closes: true,
    })
    expect(parseGatewayHeader('sessionid = a ;session=CLOSE')).toEqual({ session: 'a', host: undefined, closes: true })
    expect(parseGatewayHeader('GW-IP=a/b?; SessionID=a b')).toEqual({
      session: undefined,
      host: undefined,
      closes: false,
    })
  })
})

it('keeps every byte in order and no more than its limits, whatever is asked', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('ask' as const),
      words: fc.string({ maxLength: 20 }),
      back: fc.nat(10),
      hold: fc.nat(500),
    }),
    fc.record({ kind: fc.constant('say' as const), words: fc.string({ maxLength: 60 }) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(400) }),
    fc.record({ kind: fc.constant('gone' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const bench = new Bench()
      let said = ''
      const seen = new Map<string, string>()
      bench.ask('')
      for (const each of steps) {
        if (bench.over !== undefined) break
        const newest = Number(bench.answers.at(-1)?.session.split('.')[1] ?? 10)
        if (each.kind === 'ask') bench.ask(each.words, newest - each.back, each.hold)
        else if (each.kind === 'say') {
          const words = text(bytes(each.words))
          if (words === '') continue
          said += words
          bench.say(words)
        } else if (each.kind === 'wait') bench.wait(each.ms)
        else bench.session.gone(bench.answers.length)
      }
      for (const { session, body } of bench.answers) {
        expect(body.length).toBeLessThanOrEqual(LIMITS.maxAnswer)
        // The same name is the same answer, given again.
        expect(seen.get(session) ?? body).toBe(body)
        seen.set(session, body)
      }
      expect(said.startsWith([...seen.values()].join(''))).toBe(true)
    }),
    { numRuns: 500 },
  )
})

it('reads any query and any header without complaint', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (words) => {
      parseGatewayQuery(words, 30_000)
      parseGatewayQuery(`Action=poll&SessionID=${words}`, 30_000)
      const { session } = parseGatewayHeader(`SessionID=${words}`)
      expect(session === undefined || /^[\x21-\x7e]+$/.test(session)).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})
