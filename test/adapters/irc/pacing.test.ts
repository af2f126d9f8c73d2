import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Channels, JOIN_DEADLINE_MS, MAX_CHANNELS, MAX_KICKS, readJoinRefusal } from '../../../adapters/irc/channels.ts'
import { Confirmations, readRefusal, type LineOutcome } from '../../../adapters/irc/delivery.ts'
import { FloodQueue, LANE_LIMITS, laneOf, type Lane } from '../../../adapters/irc/flood.ts'
import { Pulse } from '../../../adapters/irc/pulse.ts'
import type { ChatId } from '../../../bridge/model/ids.ts'
import { VirtualClock } from '../../kit/clock.ts'

const PACE = { burst: 4, intervalMs: 1100 }

describe('flood control', () => {
  it('lets a burst of four go, then one line each 1.1 s', () => {
    const queue = new FloodQueue<number>(PACE, 0)
    for (let line = 0; line < 8; line++) queue.push('message', line)
    const times: number[] = []
    for (let now = 0; now <= 10_000; now += 100) while (queue.take(now) !== undefined) times.push(now)
    expect(times).toEqual([0, 0, 0, 0, 1100, 2200, 3300, 4400])
  })

  it('lets a PONG overtake, then control lines, then messages, then notices', () => {
    const queue = new FloodQueue<string>({ burst: 10, intervalMs: 1100 }, 0)
    for (const lane of ['notice', 'message', 'control', 'pong', 'handshake'] satisfies Lane[]) queue.push(lane, lane)
    expect([1, 2, 3, 4, 5, 6].map(() => queue.take(0))).toEqual([
      'handshake',
      'pong',
      'control',
      'message',
      'notice',
      undefined,
    ])
  })

  it('does not count the handshake', () => {
    const queue = new FloodQueue<number>(PACE, 0)
    for (let line = 0; line < 10; line++) queue.push('handshake', line)
    expect(Array.from({ length: 10 }, () => queue.take(0))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('knows when it may go on', () => {
    const queue = new FloodQueue<number>(PACE, 0)
    expect(queue.wakeAt(0)).toBeUndefined()
    for (let line = 0; line < 5; line++) queue.push('message', line)
    expect(queue.wakeAt(0)).toBe(0)
    for (let line = 0; line < 4; line++) queue.take(0)
    expect(queue.wakeAt(500)).toBe(1100)
  })

  it('never lets more out than the bucket holds, whatever the times, and is not stopped by a clock set back', () => {
    const steps = fc.array(fc.integer({ min: -2000, max: 3000 }), { maxLength: 60 })
    fc.assert(
      fc.property(steps, (moves) => {
        const queue = new FloodQueue<number>(PACE, 0)
        for (let line = 0; line < 200; line++) queue.push('message', line)
        let now = 0
        let forward = 0
        let taken = 0
        for (const move of moves) {
          now += move
          forward += Math.max(0, move)
          while (queue.take(now) !== undefined) taken++
          expect(taken).toBeLessThanOrEqual(PACE.burst + forward / PACE.intervalMs)
        }
        expect(queue.take(now + PACE.intervalMs)).toBe(taken)
      }),
    )
  })

  it('bounds each lane', () => {
    const queue = new FloodQueue<number>(PACE, 0)
    for (let line = 0; line < LANE_LIMITS.notice; line++) expect(queue.push('notice', line)).toBe(true)
    expect(queue.push('notice', 0)).toBe(false)
    expect(queue.push('message', 0)).toBe(true)
  })

  it('gives back what is to be taken back', () => {
    const queue = new FloodQueue<number>(PACE, 0)
    for (let line = 0; line < 6; line++) queue.push('message', line)
    expect(queue.remove((line) => line % 2 === 1)).toEqual([1, 3, 5])
    expect([queue.take(0), queue.take(0), queue.take(0), queue.take(0)]).toEqual([0, 2, 4, undefined])
  })

  it.each([
    ['PONG x', false, 'pong'],
    ['NICK x', false, 'handshake'],
    ['JOIN #a', true, 'control'],
    ['@label=1 PRIVMSG #a :x', true, 'message'],
    ['NOTICE #a :x', true, 'notice'],
  ] as const)('%j, registered %s, is of the lane %s', (line, registered, lane) => {
    expect(laneOf(line, registered)).toBe(lane)
  })
})

const recorder = () => {
  const outcomes: Record<string, LineOutcome> = {}
  const confirmations = new Confirmations()
  const write = (target: string, text: string, label?: string): void =>
    confirmations.written(
      { target, text, settle: (outcome) => (outcomes[text] = outcome), ...(label === undefined ? {} : { label }) },
      0,
    )
  const kinds = (): Record<string, string> =>
    Object.fromEntries(Object.entries(outcomes).map(([text, { kind }]) => [text, kind]))
  return { confirmations, write, outcomes, kinds }
}
const NO = { kind: 'refused', reason: 'forbidden', detail: 'no' } as const

describe('confirmations', () => {
  it('settle what was written before the PING that is answered, and not what came after it', () => {
    const { confirmations, write, kinds } = recorder()
    write('#a', 'one')
    const token = confirmations.nextToken()
    confirmations.pinged(token)
    write('#a', 'two')
    confirmations.pong(token)
    expect(kinds()).toEqual({ one: 'delivered' })
    expect(confirmations.uncovered).toBe(1)
    confirmations.lost()
    expect(kinds()).toEqual({ one: 'delivered', two: 'uncertain' })
  })

  it("are not given by the PONG to somebody else's PING", () => {
    const { confirmations, write, kinds } = recorder()
    write('#a', 'one')
    confirmations.pinged(confirmations.nextToken())
    confirmations.pong('1234567')
    confirmations.pong('mbx')
    expect(kinds()).toEqual({})
  })

  it('go by the label where there is one', () => {
    const { confirmations, write, outcomes } = recorder()
    write('#a', 'same', 'b1')
    write('#a', 'other', 'b2')
    expect(confirmations.echoed('#a', 'censored', 'b2', 'id2')).toBe(true)
    expect(outcomes).toEqual({ other: { kind: 'delivered', msgid: 'id2' } })
    expect(confirmations.acknowledged('b1')).toBe(true)
    expect(confirmations.acknowledged('b1')).toBe(false)
    expect(confirmations.size).toBe(0)
  })

  it('go by target and text where there is no label', () => {
    const { confirmations, write, kinds } = recorder()
    write('#a', 'x')
    write('#b', 'y')
    expect(confirmations.echoed('#b', 'y', undefined, undefined)).toBe(true)
    expect(confirmations.echoed('#b', 'x', undefined, undefined)).toBe(false)
    expect(kinds()).toEqual({ y: 'delivered' })
  })

  it('blame the last lines when a refusal does not say which', () => {
    const { confirmations, write, kinds } = recorder()
    for (const text of ['1', '2', '3', '4']) write('#a', text)
    write('#b', 'elsewhere')
    const token = confirmations.nextToken()
    confirmations.pinged(token)
    expect(confirmations.refused('#a', undefined, NO)).toBe(true)
    expect(confirmations.refused('#a', undefined, NO)).toBe(true)
    expect(confirmations.refused('#c', undefined, NO)).toBe(false)
    expect(kinds()).toEqual({})
    confirmations.pong(token)
    expect(kinds()).toEqual({ 1: 'delivered', 2: 'delivered', 3: 'refused', 4: 'refused', elsewhere: 'delivered' })
  })

  it('expire', () => {
    const { confirmations, write, kinds } = recorder()
    write('#a', 'x')
    confirmations.expire(-1)
    expect(kinds()).toEqual({})
    confirmations.expire(0)
    expect(kinds()).toEqual({ x: 'uncertain' })
  })

  it.each([
    ['404', ['me', '#a', 'Cannot send'], 'forbidden'],
    ['401', ['me', 'bob', 'No such nick'], 'not-found'],
    ['403', ['me', '#a', 'No such channel'], 'not-found'],
    ['412', ['me', 'No text to send'], undefined],
    ['366', ['me', '#a', 'End of NAMES'], undefined],
    ['404', ['me'], undefined],
  ])('read %s %j as %s', (command, params, reason) => {
    expect(readRefusal(command, params)?.refusal.reason).toBe(reason)
  })
})

describe('the pulse of a connection', () => {
  const beating = (tells: boolean, backlog = 0) => {
    const clock = new VirtualClock()
    const over = new AbortController()
    const { confirmations, kinds } = recorder()
    const sent: string[] = []
    let silent = 0
    const pulse = new Pulse(
      { pingMs: 60_000, pingTimeoutMs: 30_000, confirmMs: 20_000 },
      {
        clock,
        confirmations,
        tells: () => tells,
        backlog: () => backlog,
        send: (line, written) => {
          sent.push(line)
          written()
          return true
        },
        silent: (ms) => {
          silent = ms
          over.abort()
        },
      },
    )
    void pulse.run(over.signal)
    const write = (text: string): void => {
      confirmations.written({ target: '#a', text, settle: () => undefined }, clock.now())
      pulse.wrote()
    }
    return { clock, over, sent, pulse, write, confirmations, kinds, silence: () => silent }
  }

  it('asks once for many lines, soon', async () => {
    const { clock, sent, write, over } = beating(false)
    for (let line = 0; line < 10; line++) write(`${line}`)
    await clock.advance(100)
    expect(sent).toEqual(['PING mb1'])
    over.abort()
  })

  it('asks after sixteen lines though more wait', async () => {
    const { clock, sent, write, over } = beating(false, 100)
    for (let line = 0; line < 15; line++) write(`${line}`)
    await clock.advance(100)
    expect(sent).toEqual([])
    write('16')
    expect(sent).toEqual(['PING mb1'])
    over.abort()
  })

  it('asks a server that echoes only for what it did not echo', async () => {
    const { clock, sent, write, confirmations, over } = beating(true)
    write('echoed')
    confirmations.echoed('#a', 'echoed', undefined, undefined)
    await clock.advance(5_000)
    expect(sent).toEqual([])
    write('lost')
    await clock.advance(5_000)
    expect(sent).toEqual(['PING mb1'])
    over.abort()
  })

  it('ends a connection that has been silent for long, after asking', async () => {
    const { clock, sent, silence } = beating(false)
    await clock.advance(59_000)
    expect(sent).toEqual([])
    await clock.advance(3_000)
    expect(sent).toEqual(['PING mb1'])
    await clock.advance(27_000)
    expect(silence()).toBe(0)
    await clock.advance(5_000)
    expect(silence()).toBeGreaterThanOrEqual(90_000)
  })

  it('lives on while anything is heard', async () => {
    const { clock, pulse, silence, over } = beating(false)
    for (let minute = 0; minute < 100; minute++) {
      await clock.advance(55_000)
      pulse.heard()
    }
    expect(silence()).toBe(0)
    over.abort()
    await clock.settle()
    expect(clock.sleeping).toBe(0)
  })
})

describe('channels', () => {
  const timing = { rejoinMs: 10_000, retryMs: 60_000 }
  const id = '#a' as ChatId
  const entering = (): Channels => {
    const channels = new Channels(timing)
    channels.want('#A', 'key')
    channels.reset('rfc1459')
    return channels
  }

  it('are asked for once, with their key', () => {
    const channels = entering()
    expect(channels.due(0)).toEqual([{ id, line: 'JOIN #a key' }])
    expect(channels.due(0)).toEqual([])
    expect(channels.joined('#a')).toBe(true)
    expect(channels.joined('#b')).toBe(false)
  })

  it('that nobody answers about are tried again later', () => {
    const channels = entering()
    channels.due(0)
    channels.asked(id, 0)
    expect(channels.due(JOIN_DEADLINE_MS)).toEqual([])
    expect(channels.find('#a')?.state).toMatchObject({ kind: 'failed', reason: 'network' })
    expect(channels.due(JOIN_DEADLINE_MS + timing.retryMs - 1)).toEqual([])
    expect(channels.due(JOIN_DEADLINE_MS + timing.retryMs)).toHaveLength(1)
  })

  it('that refuse us are tried again at a low rate, and at once for a new link', () => {
    const channels = entering()
    channels.due(0)
    expect(channels.refused('#a', 'forbidden', 'invite only', 0)).toBe(true)
    expect(channels.refused('#a', 'forbidden', 'again', 0)).toBe(false)
    expect(channels.due(timing.retryMs - 1)).toEqual([])
    channels.want('#a')
    expect(channels.due(1)).toEqual([{ id, line: 'JOIN #a key' }])
  })

  it('that kick us too often are left alone until somebody invites us', () => {
    const channels = entering()
    for (let kick = 1; kick <= MAX_KICKS; kick++) {
      channels.due(kick * 20_000)
      channels.joined('#a')
      expect(channels.kicked('#a', 'op', kick * 20_000)).toEqual({ again: timing.rejoinMs })
      expect(channels.due(kick * 20_000 + timing.rejoinMs - 1)).toEqual([])
    }
    expect(channels.kicked('#a', 'op', 200_000)).toEqual({ again: undefined })
    expect(channels.due(Number.MAX_SAFE_INTEGER)).toEqual([])
    channels.invited('#a')
    expect(channels.due(300_000)).toHaveLength(1)
  })

  it('forgive kicks of more than an hour ago', () => {
    const channels = entering()
    for (let hour = 0; hour < 20; hour++) expect(channels.kicked('#a', 'op', hour * 3_600_001)?.again).toBeDefined()
  })

  it('tell those who wait, in order, when they are entered or not', async () => {
    const channels = entering()
    const order: string[] = []
    const first = channels.settled(id).then(() => order.push('first'))
    const second = channels.settled(id).then(() => order.push('second'))
    expect(channels.hasWaiting(id)).toBe(true)
    channels.due(0)
    channels.joined('#a')
    expect(channels.hasWaiting(id)).toBe(false)
    await Promise.all([first, second])
    expect(order).toEqual(['first', 'second'])
    channels.reset('ascii')
    const third = channels.settled(id)
    channels.left()
    await third
    expect(channels.find('#a')?.state.kind).toBe('failed')
  })

  it('are bounded', () => {
    const channels = new Channels(timing)
    for (let index = 0; index < MAX_CHANNELS; index++) expect(channels.want(`#${index}`)).toBe(true)
    expect(channels.want('#one-more')).toBe(false)
    expect(channels.want('#0')).toBe(true)
  })

  it.each([
    ['471', 'forbidden'],
    ['473', 'forbidden'],
    ['474', 'forbidden'],
    ['475', 'forbidden'],
    ['437', 'network'],
    ['403', 'not-found'],
    ['366', undefined],
  ])('read %s as %s', (command, reason) => {
    expect(readJoinRefusal(command, ['me', '#a', 'words'])?.reason).toBe(reason)
  })
})
