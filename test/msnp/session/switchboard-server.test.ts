import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FULL_BYTES, MAX_HELD_BYTES, SwitchboardServer } from '../../../msnp/session/switchboard-server.ts'
import { challengeAnswer, PRODUCTS } from '../../../msnp/session/challenge.ts'
import { DEFAULT_LIMITS, DEFAULT_TIMINGS } from '../../../msnp/service/contract.ts'
import { MisuseError, type Output } from '../../../sansio/machine.ts'
import { SwitchboardBench, counting } from '../../kit/switchboard-desk.ts'

/** One person alone in a room. */
const inside = (options: ConstructorParameters<typeof SwitchboardBench>[0] = {}) => {
  const bench = new SwitchboardBench(options)
  return { bench, alice: bench.enter('alice@example.com') }
}

const outside = () => {
  const bench = new SwitchboardBench()
  return { bench, peer: bench.connect() }
}

/** docs/protocol.md, Errors: what is answered, on a connection that stays open. */
describe('a line that is wrong is answered and the connection stays open', () => {
  it.each([
    ['ABC 18', '200 18'],
    ['abc 18', '200 18'],
    ['CHG 19 NLN 0', '200 19'],
    ['VER 1 MSNP9 CVR0', '200 1'],
    ['XFR 15 SB', '200 15'],
    ['ACK 4', '200 4'],
    ['NONSENSE', '200 0'],
    ['CAL 2', '300 2'],
    ['CAL', '300 0'],
    ['CAL bob@example.com', '201 0'],
    ['CAL 2 a@x b@x', '201 2'],
    ['CAL 99999999999 a@x', '201 0'],
    ['USR 20 alice@example.com 1.2.3.4', '207 20'],
    ['ANS 20 alice@example.com 1.2.3.4 5', '207 20'],
    ['CVR 2 0x0409 winnt', '300 2'],
    ['MSG 3 0', '300 3'],
    ['MSG 0', '300 0'],
    ['MSG 3 A x 0', '201 3'],
    ['MSG x A 0', '201 0'],
    ['QRY 5 0', '300 5'],
  ])('inside: %s -> %s', (line, answer) => {
    const { alice } = inside()
    alice.say(`${line}\r\n`)
    expect(alice.read()).toBe(`${answer}\r\n`)
    expect(alice.closed).toBeUndefined()
  })

  it.each([
    ['ABC 18', '200 18'],
    ['CAL 2 bob@example.com', '302 2'],
    ['MSG 3 A 0', '302 3'],
    ['QRY 4 PROD 0', '302 4'],
    ['USR 1 alice@example.com', '300 1'],
    ['USR', '300 0'],
    ['ANS 1 alice@example.com 1.2', '300 1'],
    ['USR 3 TWN I alice@example.com', '201 3'],
    ['ANS 1 alice@example.com 1.2 room', '201 1'],
    ['ANS 1 alice@example.com 1.2 5 6', '201 1'],
  ])('before being let in: %s -> %s', (line, answer) => {
    const { peer } = outside()
    peer.say(`${line}\r\n`)
    expect(peer.read()).toBe(`${answer}\r\n`)
    expect(peer.closed).toBeUndefined()
  })
})

/** docs/protocol.md, Commands: the switchboard answers these, too. */
describe('what is not about the room', () => {
  const CVR = 'CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 MSMSGS alice@example.com\r\n'
  const VERSION = 'CVR 2 6.0.0602 6.0.0602 6.0.0602 http://messenger.msn.com http://messenger.msn.com\r\n'

  it('answers CVR and INF before and after somebody is let in', () => {
    const { peer } = outside()
    peer.say(`${CVR}INF 3\r\n`)
    expect(peer.read()).toBe(`${VERSION}INF 3 TWN\r\n`)
    const { alice } = inside()
    alice.say(`${CVR}INF 3\r\n`)
    expect(alice.read()).toBe(`${VERSION}INF 3 TWN\r\n`)
  })

  it('answers PNG with the seconds to the next one from MSNP9 on', () => {
    const { alice } = inside()
    alice.say('PNG\r\n')
    expect(alice.read()).toBe('QNG 50\r\n')
    const bench = new SwitchboardBench()
    bench.signIn('bob@example.com', { dialect: 'MSNP8' })
    const bob = bench.enter('bob@example.com')
    bob.say('PNG\r\n')
    expect(bob.read()).toBe('QNG\r\n')
  })

  it('passes over empty lines, bare line feeds and doubled spaces', () => {
    const { alice } = inside()
    alice.say('\r\n\nPNG\n  INF   7  \r\n')
    expect(alice.read()).toBe('QNG 50\r\nINF 7 TWN\r\n')
  })
})

/** docs/protocol.md, Framing: what cannot be framed, and what a switchboard does not forgive. */
describe('a violation closes the connection with a typed reason, and nothing is delivered', () => {
  const violation = (detail: string, verb: string, length: number) => ({
    kind: 'peer-violation',
    detail,
    at: { verb, length },
  })

  it.each([
    [
      'a message of 1665 bytes',
      `MSG 3 A 1665\r\n${'x'.repeat(1665)}`,
      violation('a message that is too long', 'MSG', 1665),
    ],
    ['only the announcement of one', 'MSG 3 A 1665\r\n', violation('a message that is too long', 'MSG', 1665)],
    ['a negative length', 'MSG 3 A -1\r\n', violation('a length that is no number', 'MSG', 2)],
    ['no length', 'MSG\r\n', violation('a length that is no number', 'MSG', 0)],
    [
      'a lower-case acknowledgement type',
      'MSG 3 a 2\r\nhi',
      violation('an acknowledgement type that does not exist', 'MSG', 2),
    ],
    [
      'an unknown acknowledgement type',
      'MSG 3 X 2\r\nhi',
      violation('an acknowledgement type that does not exist', 'MSG', 2),
    ],
    ['an endless line', `CAL 2 ${'x'.repeat(9000)}`, violation('a line that is too long', 'CAL', 9006)],
  ])('%s', (_, bytes, reason) => {
    const { bench, alice } = inside()
    const bob = bench.join(alice, 'bob@example.com')
    alice.say(bytes)
    expect(alice.closed).toEqual(reason)
    expect(alice.read()).toBe('')
    expect(bob.read()).toBe('BYE alice@example.com\r\n')
    alice.say('MSG 4 A 2\r\nhi')
    expect(alice.read()).toBe('')
  })

  it('takes a message of exactly 1664 bytes', () => {
    const { bench, alice } = inside()
    const bob = bench.join(alice, 'bob@example.com')
    alice.message(3, 'A', 'x'.repeat(1664))
    expect(alice.read()).toBe('ACK 3\r\n')
    expect(bob.read()).toHaveLength('MSG alice@example.com alice 1664\r\n'.length + 1664)
  })

  it('closes on a flood of commands', () => {
    const { alice } = inside({ limits: { commandRate: { burst: 5, intervalMs: 1_000 } } })
    alice.say('PNG\r\n'.repeat(10))
    expect(alice.closed).toEqual(violation('too many commands', 'PNG', 0))
  })

  it('counts no receipt as a command that says something new, however many come', () => {
    const { bench, alice } = inside({ limits: { commandRate: { burst: 5, intervalMs: 1_000 } } })
    const bob = bench.join(alice, 'bob@example.com')
    for (let at = 1; at <= 50; at++) {
      bob.say(`MSG ${at} U 2\r\nhi`)
      alice.say(`CFM 0 ${at}\r\n`)
    }
    expect(alice.closed).toBeUndefined()
  })

  it.each([
    ['what was confirmed before', '0 1'],
    ['more than it was given', '0 60'],
    ['what is new, with a field too many', '0 2 x'],
    ['what is new, with a transaction id that is none', 'x 2'],
  ])('closes on a flood of receipts for %s', (_, params) => {
    const { bench, alice } = inside({ limits: { commandRate: { burst: 5, intervalMs: 1_000 } } })
    const bob = bench.join(alice, 'bob@example.com')
    bob.say('MSG 1 U 2\r\nhi')
    bob.say('MSG 2 U 2\r\nhi')
    alice.say('CFM 0 1\r\n')
    alice.say(`CFM ${params}\r\n`.repeat(10))
    expect(alice.closed).toEqual(violation('too many commands', 'CFM', 0))
  })

  it('never says a line, which may hold a ticket, in the reason', () => {
    const { peer } = outside()
    peer.say(`USR 1 alice@example.com ${'secret'.repeat(2000)}`)
    expect(JSON.stringify(peer.closed)).not.toContain('secret')
  })
})

/** docs/protocol.md, Peer-to-peer packets. */
describe('a peer-to-peer packet', () => {
  const packet = (bytes: number) =>
    `MIME-Version: 1.0\r\nContent-Type: application/x-msnmsgrp2p\r\nP2P-Dest: bob@example.com\r\n\r\n${'\0'.repeat(bytes)}`

  it.each([
    [52, 'ACK 3\r\n'],
    [51, '282 3\r\n'],
  ])('of %i bytes behind the headers is answered %j', (bytes, answer) => {
    const { bench, alice } = inside()
    bench.join(alice, 'bob@example.com')
    alice.message(3, 'D', packet(bytes))
    expect(alice.read()).toBe(answer)
  })

  it('without its headers complete is malformed; text of type D is not', () => {
    const { bench, alice } = inside()
    bench.join(alice, 'bob@example.com')
    alice.message(3, 'D', 'Content-Type: application/x-msnmsgrp2p\r\n')
    alice.message(4, 'D', 'Content-Type: text/plain\r\n\r\nabout application/x-msnmsgrp2p')
    expect(alice.read()).toBe('282 3\r\nACK 4\r\n')
  })
})

describe('time', () => {
  it('closes a connection that does not say who it is', () => {
    const { bench, peer } = outside()
    peer.say('PNG\r\n')
    bench.pass(59_999)
    expect(peer.closed).toBeUndefined()
    bench.pass(1)
    expect(peer.closed).toEqual({ kind: 'timeout', waitingFor: 'USR or ANS' })
  })

  it('wants nothing of somebody who is inside, for as long as they like', () => {
    const { bench, alice } = inside()
    expect(alice.wakeAt).toBeUndefined()
    bench.pass(86_400_000)
    expect(alice.closed).toBeUndefined()
  })

  it('lets messages over the rate wait, in order, and loses none', () => {
    const { bench, alice } = inside({ limits: { messageRate: { burst: 3, intervalMs: 100 } } })
    const bob = bench.join(alice, 'bob@example.com')
    alice.say(Array.from({ length: 10 }, (_, index) => `MSG ${index} A 1\r\n${index}`).join(''))
    expect(alice.read()).toBe('ACK 0\r\nACK 1\r\nACK 2\r\n')
    bench.pass(100)
    expect(alice.read()).toBe('ACK 3\r\n')
    bench.pass(600)
    expect(alice.read()).toBe('ACK 4\r\nACK 5\r\nACK 6\r\nACK 7\r\nACK 8\r\nACK 9\r\n')
    expect(bob.read().replace(/MSG alice@example.com alice 1\r\n/g, '')).toBe('0123456789')
    expect(alice.wakeAt).toBeUndefined()
  })

  it('says what waits when its sender ends, but no more than may come at once', () => {
    const { bench, alice } = inside({ limits: { messageRate: { burst: 3, intervalMs: 100 } } })
    const bob = bench.join(alice, 'bob@example.com')
    alice.say(Array.from({ length: 10 }, (_, index) => `MSG ${index} U 1\r\n${index}`).join(''))
    alice.hangUp()
    expect(bob.read().replace(/MSG alice@example.com alice 1\r\n/g, '')).toBe('012345BYE alice@example.com\r\n')
    expect(alice.closed).toEqual({ kind: 'lost', detail: 'end of stream' })
  })

  it('takes the goodbye of who was fast for one', () => {
    const { bench, alice } = inside({ limits: { messageRate: { burst: 1, intervalMs: 100 } } })
    const bob = bench.join(alice, 'bob@example.com')
    alice.say('MSG 1 U 1\r\n1MSG 2 U 1\r\n2OUT\r\n')
    alice.hangUp()
    expect(bob.read().replace(/MSG alice@example.com alice 1\r\n/g, '')).toBe('12BYE alice@example.com\r\n')
  })

  it('says that it is full while more waits than it should hold, until there is room again', () => {
    const { bench, alice } = inside({ limits: { messageRate: { burst: 1, intervalMs: 100 } } })
    bench.join(alice, 'bob@example.com')
    const message = `MSG 1 U 1000\r\n${'x'.repeat(1000)}`
    const fits = Math.floor(FULL_BYTES / message.length)
    alice.say(message.repeat(fits + 1))
    expect(alice.isFull).toBe(false)
    alice.say(message)
    expect(alice.isFull).toBe(true)
    bench.pass(100)
    expect(alice.isFull).toBe(false)
    expect(alice.closed).toBeUndefined()
  })

  it('closes a connection that floods and is read all the same: what may wait is bounded', () => {
    const { bench, alice } = inside({ limits: { messageRate: { burst: 1, intervalMs: 1_000 } } })
    const bob = bench.join(alice, 'bob@example.com')
    const message = `MSG 1 U 1000\r\n${'x'.repeat(1000)}`
    let sent = 0
    while (alice.closed === undefined && sent < 2 * MAX_HELD_BYTES) {
      alice.say(message)
      sent += message.length
    }
    expect(alice.closed).toMatchObject({ kind: 'peer-violation', detail: 'too many messages' })
    expect(sent).toBeLessThan(MAX_HELD_BYTES + 3 * message.length)
    expect(bob.read()).toContain('BYE alice@example.com')
  })
})

/** docs/protocol.md, Challenge. */
describe('a challenge', () => {
  const timings = { switchboardChallenge: 600_000, challengeMs: 50_000 }
  const [product] = PRODUCTS
  const challengeIn = (text: string) => /^CHL 0 (\d{20})\r\n$/m.exec(text)?.[1] ?? ''
  const qry = (trid: number, challenge: string) => {
    const answer = challengeAnswer(challenge, product ?? { id: '', key: '' }, 9)
    return `QRY ${trid} ${product?.id} ${answer.length}\r\n${answer}`
  }
  const challenged = () => {
    const bench = new SwitchboardBench({ timings })
    bench.signIn('alice@example.com')
    const ticket = bench.desk.open('alice@example.com', bench.now)?.ticket
    const alice = bench.connect()
    alice.say(`USR 1 alice@example.com ${ticket}\r\n`)
    return { bench, alice, challenge: challengeIn(alice.read()) }
  }

  it('comes after the welcome, is answered, and comes again', () => {
    const { bench, alice, challenge } = challenged()
    expect(challenge).toHaveLength(20)
    bench.pass(49_000)
    alice.say(qry(5, challenge))
    expect(alice.read()).toBe('QRY 5\r\n')
    bench.pass(600_000)
    const next = challengeIn(alice.read())
    expect(next).toHaveLength(20)
    expect(next).not.toBe(challenge)
  })

  it('with a wrong answer is 540 and the end', () => {
    const { alice } = challenged()
    alice.say(qry(5, '00000000000000000000'))
    expect(alice.read()).toBe('540 5\r\n')
    expect(alice.closed).toMatchObject({ kind: 'peer-violation', at: { verb: 'QRY', length: 32 } })
  })

  it('with a late answer is 540 and the end, whether the answer comes or not', () => {
    const { bench, alice, challenge } = challenged()
    bench.now += 50_000
    alice.say(qry(5, challenge))
    expect(alice.read()).toBe('540 5\r\n')
    const other = challenged()
    other.bench.pass(50_000)
    expect(other.alice.read()).toBe('540 0\r\n')
    expect(other.alice.closed).toEqual({ kind: 'timeout', waitingFor: 'QRY' })
  })

  it('cannot be answered twice', () => {
    const { bench, alice, challenge } = challenged()
    bench.pass(1_000)
    alice.say(qry(5, challenge) + qry(6, challenge))
    expect(alice.read()).toBe('QRY 5\r\n540 6\r\n')
  })

  it('of a service that asks nobody is answered rightly by anything, as on the notification server', () => {
    const { alice } = inside()
    alice.say(qry(5, '22299241447072743325'))
    expect(alice.read()).toBe('QRY 5\r\n')
    expect(alice.closed).toBeUndefined()
  })
})

describe('the machine', () => {
  const machine = () =>
    new SwitchboardServer({ limits: DEFAULT_LIMITS, timings: DEFAULT_TIMINGS, random: counting() }, 0)

  it('calls it our own mistake to let in somebody who did not ask', () => {
    expect(() => machine().command({ kind: 'refused', code: 911 }, 0)).toThrow(MisuseError)
  })

  it('does nothing once it is over', () => {
    const over = machine()
    over.receive(null, 0)
    expect(over.receive(Buffer.from('PNG\r\n'), 0)).toEqual([])
    expect(over.command({ kind: 'end' }, 0)).toEqual([])
    expect(over.tick(1e9)).toEqual([])
    expect(over.wakeAt).toBeUndefined()
  })

  it('bounds what may wait for the answer to an ANS', () => {
    const waiting = machine()
    waiting.receive(Buffer.from('USR 1 alice@example.com 1.2.3.4\r\n'), 0)
    let out: readonly Output<unknown>[] = []
    for (let sent = 0; sent < 80_000 && out.length === 0; sent += 1000) out = waiting.receive(Buffer.alloc(1000, 65), 0)
    expect(out).toMatchObject([{ kind: 'close', reason: { kind: 'peer-violation' } }])
  })
})

const SCRIPT = Buffer.from(
  'PNG\r\nCAL 2 nobody@example.com\r\n\r\nMSG 3 A 5\r\nhe\r\noMSG 4 U 0\r\nINF 5\r\nABC 6\r\nMSG 7 N 3\r\n☃USR 8 a b\r\nQNG\r\nMSG 9 S 1\r\nxOUT\r\n',
)

it('gives the same answers however its bytes are cut', () => {
  const play = (cuts: readonly number[]) => {
    const { bench, alice } = inside()
    const bob = bench.join(alice, 'bob@example.com')
    let from = 0
    for (const cut of [...cuts, SCRIPT.length]) {
      alice.say(SCRIPT.subarray(from, cut))
      from = cut
    }
    // An ACK waits for the other connection: where it comes, and whether before the end, depends on that.
    return [alice.read().replace(/ACK \d+\r\n/g, ''), bob.read(), alice.closed]
  }
  const whole = play([])
  expect(whole[2]).toEqual({ kind: 'done' })
  expect(play(Array.from(SCRIPT, (_, index) => index))).toEqual(whole)
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: SCRIPT.length })), (cuts) => {
      expect(play(cuts.sort((a, b) => a - b))).toEqual(whole)
    }),
  )
})

it('never throws, whatever bytes come, and holds no more than its limits', () => {
  const word = fc.constantFrom(
    'MSG',
    'CAL',
    'USR',
    'ANS',
    'OUT',
    'PNG',
    'QRY',
    'CVR',
    'INF',
    'msg',
    '3',
    'A',
    'D',
    '0',
    '12',
    '-1',
    '99999',
    'a@b',
    ' ',
    '\r\n',
    '\n',
    '%',
    '☃',
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 3_000 }).map((array) => Buffer.from(array)),
    fc.array(word, { maxLength: 60 }).map((words) => Buffer.from(words.join(' '))),
    fc.array(word, { maxLength: 60 }).map((words) => Buffer.from(`${words.join(' ')}\r\n`)),
  )
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 8 }), fc.boolean(), (chunks, known) => {
      const bench = new SwitchboardBench()
      const alice = known ? bench.enter('alice@example.com') : bench.connect()
      const bob = known ? bench.join(alice, 'bob@example.com') : undefined
      for (const chunk of chunks) alice.say(chunk)
      bench.pass(1_000)
      expect(bob?.closed).toBeUndefined()
    }),
    { numRuns: 400 },
  )
})
