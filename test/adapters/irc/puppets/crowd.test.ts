import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lost, type Ending } from '../../../../adapters/irc/faults.ts'
import { Crowd, type CrowdRules, HOLD_MS, MAX_BACKOFF_MS } from '../../../../adapters/irc/puppets/crowd.ts'
import '../../../kit/properties.ts'

const MINUTE = 60_000
const RULES: CrowdRules = {
  max: 3,
  spacingMs: 2_000,
  debounceMs: 5_000,
  graceMs: 5 * MINUTE,
  idleMs: 30 * 24 * 60 * MINUTE,
  backoffMs: MINUTE,
}
const because = (cause: Ending['cause'], retryAfter?: number): Ending => ({
  ...lost('x'),
  cause,
  ...(retryAfter === undefined ? {} : { retryAfter }),
})

/** A crowd with a clock; connections come about at once unless the server says otherwise. */
class Play {
  readonly crowd: Crowd<string>
  now = 1_000_000
  readonly attempts: (readonly [who: string, at: number])[] = []
  readonly quits: (readonly [who: string, why: string])[] = []
  readonly live = new Set<string>()
  server: (who: string) => Ending | undefined = () => undefined
  constructor(rules: Partial<CrowdRules> = {}) {
    this.crowd = new Crowd({ ...RULES, ...rules })
  }
  come(...all: readonly string[]): this {
    for (const who of all) this.crowd.present(who, this.now)
    return this
  }
  go(...all: readonly string[]): this {
    for (const who of all) this.crowd.absent(who, this.now)
    return this
  }
  wait(ms: number, step = 500): this {
    for (const end = this.now + ms; this.now < end;) {
      this.now += step
      this.turn()
    }
    return this
  }
  turn(): void {
    for (const one of this.crowd.due(this.now, true)) {
      if (one.kind === 'quit') {
        this.quits.push([one.who, one.why])
        this.live.delete(one.who)
        continue
      }
      this.attempts.push([one.who, this.now])
      const ending = this.server(one.who)
      if (ending === undefined) {
        this.live.add(one.who)
        this.crowd.opened(one.who, this.now)
      } else this.crowd.ended(one.who, ending, this.now)
    }
  }
  end(who: string, ending: Ending): string | undefined {
    this.live.delete(who)
    return this.crowd.ended(who, ending, this.now)
  }
  get waits(): readonly number[] {
    return this.attempts.slice(1).map(([, at], index) => at - (this.attempts[index]?.[1] ?? 0))
  }
}

test('who comes is connected after the debounce, one by one', () => {
  const play = new Play().come('a', 'b', 'c').wait(20_000)
  expect(play.attempts.map(([who]) => who)).toEqual(['a', 'b', 'c'])
  expect(play.attempts[0]?.[1]).toBe(1_000_000 + 5_000)
  expect(play.waits).toEqual([2_000, 2_000])
})

test('who comes and goes within it is never seen', () => {
  const play = new Play({ max: 500 })
  const all = Array.from({ length: 200 }, (_, index) => `p${index}`)
  for (let storm = 0; storm < 5; storm++)
    play
      .come(...all)
      .wait(2_000)
      .go(...all)
      .wait(2_000)
  expect(play.wait(10 * MINUTE).attempts).toEqual([])
})

test('who goes quits after the time of grace, and not when they are back within it', () => {
  const play = new Play()
    .come('a')
    .wait(10_000)
    .go('a')
    .wait(4 * MINUTE)
    .come('a')
    .wait(10 * MINUTE)
  expect(play.quits).toEqual([])
  play.go('a').wait(6 * MINUTE)
  expect(play.quits).toEqual([['a', 'gone']])
  expect(play.attempts).toHaveLength(1)
})

describe('when there are too many', () => {
  test('those who spoke last are connected', () => {
    const play = new Play().come('a', 'b', 'c', 'd', 'e')
    play.crowd.spoke('e', play.now)
    play.crowd.spoke('d', play.now + 1)
    play.wait(MINUTE)
    expect([...play.live]).toEqual(['d', 'e', 'a'])
    expect(play.crowd.counts(play.now)).toEqual({ connected: 3, waiting: 2, held: 0 })
    expect(play.crowd.isFull(play.now)).toBe(true)
  })

  test('whoever speaks takes the place of one who was silent for long, but of nobody else', () => {
    const play = new Play().come('a', 'b', 'c', 'd').wait(MINUTE)
    play.crowd.spoke('d', play.now)
    play.wait(MINUTE)
    expect(play.quits).toEqual([])
    play.crowd.spoke('a', play.now)
    play.wait(HOLD_MS)
    expect(play.quits).toEqual([['b', 'makes-room']])
    expect(play.live).toContain('d')
    play.wait(10 * HOLD_MS)
    expect(play.quits).toHaveLength(1)
  })

  test('what the server allows is believed for a while', () => {
    const play = new Play({ max: 50 })
    play.server = () => (play.live.size >= 2 ? because('full', 120_000) : undefined)
    play.come('a', 'b', 'c', 'd').wait(30_000)
    expect(play.attempts.map(([who]) => who)).toEqual(['a', 'b', 'c'])
    play.server = () => undefined
    play.wait(2 * MINUTE)
    expect([...play.live].toSorted()).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('when the server will not have us', () => {
  test.each(['banned', 'throttled'] as const)('%s: each wait is twice as long, up to an hour', (cause) => {
    const play = new Play({ max: 50 })
    play.server = () => because(cause)
    play.come(...Array.from({ length: 50 }, (_, index) => `p${index}`)).wait(12 * 60 * MINUTE, 5_000)
    const minutes = play.waits.map((ms) => Math.round(ms / MINUTE))
    expect(minutes.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 32, 60])
    expect(Math.max(...play.waits)).toBeLessThanOrEqual(MAX_BACKOFF_MS + 5_000)
    expect(play.attempts.length).toBeLessThan(20)
  })

  test('what it asks for is given', () => {
    const play = new Play()
    play.server = () => because('throttled', 5 * MINUTE)
    play.come('a', 'b').wait(11 * MINUTE)
    expect(play.waits.map((ms) => Math.round(ms / MINUTE))).toEqual([5, 5])
  })

  test('all banned at once count as one ban', () => {
    const play = new Play().come('a', 'b', 'c').wait(10 * MINUTE)
    expect(['a', 'b', 'c'].map((who) => play.end(who, because('banned')))).toEqual(['banned', undefined, undefined])
    play.wait(10 * MINUTE)
    expect(play.live.size).toBe(3)
  })

  test('who was killed stays away, until a person says so or they come anew', () => {
    const play = new Play().come('a', 'b').wait(MINUTE)
    expect(play.end('a', because('killed'))).toBe('killed')
    play.wait(60 * MINUTE)
    expect([...play.live]).toEqual(['b'])
    expect(play.crowd.counts(play.now).held).toBe(1)
    expect(play.crowd.retry()).toBe(true)
    expect(play.crowd.retry()).toBe(false)
    play.wait(MINUTE)
    expect([...play.live]).toContain('a')

    play.end('a', because('killed'))
    play
      .go('a')
      .wait(MINUTE)
      .come('a')
      .wait(10 * MINUTE)
    expect([...play.live]).toEqual(['b'])
    play
      .go('a')
      .wait(6 * MINUTE)
      .come('a')
      .wait(MINUTE)
    expect([...play.live]).toContain('a')
  })

  test('a server that takes nobody is asked ever more rarely', () => {
    const play = new Play({ max: 50 })
    play.server = () => because('lost')
    play.come(...Array.from({ length: 50 }, (_, index) => `p${index}`)).wait(60 * MINUTE)
    expect(play.attempts.length).toBeLessThan(12)
  })
})

test('who said nothing for too long quits, and is back with the next word', () => {
  const play = new Play({ idleMs: 60 * MINUTE }).come('a').wait(59 * MINUTE)
  expect(play.live.size).toBe(1)
  play.wait(5 * MINUTE)
  expect(play.quits).toEqual([['a', 'idle']])
  play.wait(60 * MINUTE)
  expect(play.attempts).toHaveLength(1)
  play.crowd.spoke('a', play.now)
  play.wait(MINUTE)
  expect(play.live.size).toBe(1)
})

test('whatever happens, there are no more connections than allowed, and no two attempts too close', () => {
  const event = fc.record({
    who: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    what: fc.constantFrom('come', 'go', 'speak', 'killed', 'banned', 'throttled', 'full', 'lost', 'retry', 'forget'),
    after: fc.integer({ min: 0, max: 20 * MINUTE }),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const play = new Play()
      for (const { who, what, after } of events) {
        switch (what) {
          case 'come':
            play.come(who)
            break
          case 'go':
            play.go(who)
            break
          case 'speak':
            play.crowd.spoke(who, play.now)
            break
          case 'retry':
            play.crowd.retry()
            break
          case 'forget':
            play.crowd.forget(who)
            play.live.delete(who)
            break
          case 'killed':
          case 'banned':
          case 'throttled':
          case 'full':
          case 'lost':
            if (play.live.has(who)) play.end(who, because(what))
        }
        play.wait(after, 10_000)
        expect(play.live.size).toBeLessThanOrEqual(3)
        expect(play.crowd.counts(play.now).connected).toBe(play.live.size)
      }
      for (const wait of play.waits) expect(wait).toBeGreaterThanOrEqual(2_000)
    }),
  )
})
