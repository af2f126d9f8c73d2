import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayClient, type GatewayClientOutput } from '../../../msnp/session/gateway-client.ts'

const bytes = (words: string): Uint8Array => Buffer.from(words, 'latin1')

/** A client and what it asks, at a time that the test says. */
class Bench {
  readonly client = new GatewayClient({ server: 'NS', host: 'a.b', pollMs: 100, maxPollMs: 400, maxBody: 20 })
  now = 0
  readonly asked: [path: string, body: string][] = []
  heard = ''
  taken = 0
  readonly hosts: string[] = []
  over: { wrong: string | undefined } | undefined

  write(words: string): void {
    this.take(this.client.write(bytes(words)))
  }

  answer(body = '', header = `SessionID=1.${this.asked.length}; GW-IP=192.0.2.3`, status = 200): void {
    this.take(this.client.answered({ status, header, body: bytes(body) }, this.now))
  }

  wait(ms: number): void {
    this.now += ms
    this.take(this.client.tick(this.now))
  }

  take(outputs: readonly GatewayClientOutput[]): void {
    for (const output of outputs) {
      expect(this.over).toBeUndefined()
      if (output.kind === 'ask') this.asked.push([output.path, Buffer.from(output.body).toString('latin1')])
      else if (output.kind === 'received') this.heard += Buffer.from(output.bytes).toString('latin1')
      else if (output.kind === 'taken') this.taken = output.upTo
      else if (output.kind === 'host') this.hosts.push(output.host)
      else this.over = { wrong: output.wrong }
    }
  }
}

const GATEWAY = '/gateway/gateway.dll?'

describe('what it asks', () => {
  it('opens with its first words, then speaks and polls under the newest name', () => {
    const bench = new Bench()
    expect([bench.client.wakeAt, bench.asked]).toEqual([undefined, []])
    bench.write('VER\r\n')
    bench.write('CVR\r\n')
    bench.write('USR\r\n')
    expect(bench.taken).toBe(0)
    bench.answer('VER 1\r\n')
    bench.answer('CVR 1\r\n')
    expect(bench.client.wakeAt).toBe(100)
    bench.wait(100)
    bench.answer()
    bench.write('PNG\r\n')
    expect(bench.asked).toEqual([
      [`${GATEWAY}Action=open&Server=NS&IP=a.b`, 'VER\r\n'],
      [`${GATEWAY}SessionID=1.1`, 'CVR\r\nUSR\r\n'],
      [`${GATEWAY}Action=poll&SessionID=1.2`, ''],
      [`${GATEWAY}SessionID=1.3`, 'PNG\r\n'],
    ])
    expect([bench.heard, bench.taken, bench.hosts]).toEqual(['VER 1\r\nCVR 1\r\n', 15, Array(3).fill('192.0.2.3')])
  })

  it('is no more at once than a body holds, and no piece is cut', () => {
    const bench = new Bench()
    bench.write('x')
    for (const piece of ['a'.repeat(12), 'b'.repeat(12), 'c'.repeat(30)]) bench.write(piece)
    for (let answer = 0; answer < 3; answer++) bench.answer()
    expect(bench.asked.map(([, body]) => body.length)).toEqual([1, 12, 12, 30])
  })

  it('comes less often the longer there is nothing, and at once again when there is', () => {
    const bench = new Bench()
    bench.write('x')
    const pauses: number[] = []
    const next = (body = ''): void => {
      bench.answer(body)
      const pause = (bench.client.wakeAt ?? 0) - bench.now
      pauses.push(pause)
      bench.wait(pause)
    }
    for (let poll = 0; poll < 6; poll++) next()
    next('NLN\r\n')
    expect(pauses).toEqual([100, 150, 225, 337.5, 400, 400, 100])
  })
})

describe('the end', () => {
  it('by us comes when all is said', () => {
    const bench = new Bench()
    bench.write('x')
    bench.write('OUT\r\n')
    bench.take(bench.client.end())
    bench.answer()
    expect([bench.asked.at(-1), bench.over]).toEqual([[`${GATEWAY}SessionID=1.1`, 'OUT\r\n'], undefined])
    bench.answer()
    expect(bench.over).toEqual({ wrong: undefined })
    expect([bench.client.write(bytes('x')), bench.client.end(), bench.client.wakeAt]).toEqual([[], [], undefined])
  })

  it('by them comes with their last words', () => {
    const bench = new Bench()
    bench.write('x')
    bench.answer('OUT OTH\r\n', 'SessionID=1.2; GW-IP=192.0.2.3; Session=close')
    expect([bench.heard, bench.over]).toEqual(['OUT OTH\r\n', { wrong: undefined }])
  })

  it.each<[string, (bench: Bench) => void, string]>([
    ['a status', (bench) => bench.answer('', 'SessionID=1.2', 400), 'it answered 400'],
    ['no name', (bench) => bench.answer('<html>', ''), 'it gave no SessionID'],
    ['a name that is none', (bench) => bench.answer('', 'SessionID=a b; GW-IP=x'), 'it gave no SessionID'],
    ['a failure', (bench) => bench.take(bench.client.failed('ECONNREFUSED')), 'ECONNREFUSED'],
  ])('comes with %s', (_, what, wrong) => {
    const bench = new Bench()
    bench.write('x')
    what(bench)
    expect(bench.over).toEqual({ wrong })
    bench.answer()
    bench.wait(1_000)
    expect(bench.asked).toHaveLength(1)
  })
})

it('asks one thing at a time and loses nothing, whatever the gateway answers', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), words: fc.string({ minLength: 1, maxLength: 30 }) }),
    fc.record({ kind: fc.constant('answer' as const), body: fc.string(), header: fc.option(fc.string()) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(500) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const bench = new Bench()
      let written = ''
      let answers = 0
      for (const each of steps) {
        if (bench.over !== undefined) break
        if (each.kind === 'write') {
          written += Buffer.from(bytes(each.words)).toString('latin1')
          bench.write(each.words)
        } else if (each.kind === 'wait') bench.wait(each.ms)
        else if (answers < bench.asked.length) {
          answers++
          bench.answer(each.body, each.header ?? undefined)
        }
        expect(bench.asked.length - answers).toBeLessThanOrEqual(1)
      }
      const sent = bench.asked.map(([, body]) => body).join('')
      expect(written.startsWith(sent)).toBe(true)
      expect(bench.taken).toBeLessThanOrEqual(sent.length)
    }),
    { numRuns: 500 },
  )
})
