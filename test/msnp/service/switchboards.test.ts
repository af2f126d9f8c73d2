import { describe, expect, it } from 'vitest'
import { MAX_UNCONFIRMED } from '../../../msnp/service/room.ts'
import { SwitchboardBench } from '../../kit/switchboard-desk.ts'

const TEXT = 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nHello ☃'
const LENGTH = Buffer.byteLength(TEXT)

/** Two people in a room. */
const pair = () => {
  const bench = new SwitchboardBench()
  bench.signIn('alice@example.com', { name: 'Alice A' })
  bench.signIn('bob@example.com', { name: 'Bob' })
  const alice = bench.enter('alice@example.com')
  return { bench, alice, bob: bench.join(alice, 'bob@example.com') }
}

/** docs/protocol.md, Switchboard: opening. */
describe('opening a switchboard', () => {
  it('lets in the owner of a ticket and tells them who they are', () => {
    const bench = new SwitchboardBench()
    bench.signIn('alice@example.com', { name: 'Alice A' })
    const invitation = bench.desk.open('alice@example.com', bench.now)
    expect(invitation?.address).toBe('127.0.0.1:1863')
    expect(invitation?.ticket).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
    const alice = bench.connect()
    alice.say(`USR 1 Alice@Example.COM ${invitation?.ticket}\r\n`)
    expect(alice.read()).toBe('USR 1 OK alice@example.com Alice%20A\r\n')
    expect(bench.desk.rooms).toBe(1)
  })

  it('gives no way in while the switchboard listener is down', () => {
    const bench = new SwitchboardBench()
    bench.signIn('alice@example.com')
    bench.address = undefined
    expect(bench.desk.open('alice@example.com', bench.now)).toBeUndefined()
  })

  it('takes each ticket once', () => {
    const bench = new SwitchboardBench()
    bench.signIn('alice@example.com')
    const ticket = bench.desk.open('alice@example.com', bench.now)?.ticket
    bench.connect().say(`USR 1 alice@example.com ${ticket}\r\n`)
    const second = bench.connect()
    second.say(`USR 1 alice@example.com ${ticket}\r\n`)
    expect(second.read()).toBe('911 1\r\n')
    expect(second.closed).toEqual({ kind: 'done' })
  })

  it.each([
    ['somebody else', 'bob@example.com', 0],
    ['the owner, too late', 'alice@example.com', 120_000],
  ])('refuses a ticket to %s with 911', (_, email, later) => {
    const bench = new SwitchboardBench()
    bench.signIn('alice@example.com')
    bench.signIn('bob@example.com')
    const ticket = bench.desk.open('alice@example.com', bench.now)?.ticket
    bench.now += later
    const peer = bench.connect()
    peer.say(`USR 1 ${email} ${ticket}\r\n`)
    expect(peer.read()).toBe('911 1\r\n')
    expect(peer.closed).toBeDefined()
    expect(bench.desk.rooms).toBe(0)
  })

  it('does not spend the ticket of one person on the try of another', () => {
    const bench = new SwitchboardBench()
    bench.signIn('alice@example.com')
    bench.signIn('bob@example.com')
    const ticket = bench.desk.open('alice@example.com', bench.now)?.ticket
    bench.connect().say(`USR 1 bob@example.com ${ticket}\r\n`)
    const alice = bench.connect()
    alice.say(`USR 1 alice@example.com ${ticket}\r\n`)
    expect(alice.read()).toMatch(/^USR 1 OK /)
  })

  it('makes the tickets of somebody who signed out worthless', () => {
    const bench = new SwitchboardBench()
    bench.signIn('alice@example.com')
    const ticket = bench.desk.open('alice@example.com', bench.now)?.ticket
    bench.desk.signedOut('alice@example.com')
    const alice = bench.connect()
    alice.say(`USR 1 alice@example.com ${ticket}\r\n`)
    expect(alice.read()).toBe('911 1\r\n')
  })

  it('does not take a ticket of XFR for ANS, nor one of RNG for USR', () => {
    const { bench, alice } = pair()
    bench.signIn('carol@example.com')
    const own = bench.desk.open('carol@example.com', bench.now)?.ticket
    const carol = bench.connect()
    carol.say(`ANS 1 carol@example.com ${own} ${bench.rings[0]?.session}\r\n`)
    expect(carol.read()).toBe('911 1\r\n')
    alice.say('CAL 4 carol@example.com\r\n')
    const other = bench.connect()
    other.say(`USR 1 carol@example.com ${bench.rings.at(-1)?.ticket}\r\n`)
    expect(other.read()).toBe('911 1\r\n')
  })

  it('refuses one switchboard more than an account may have with 714', () => {
    const bench = new SwitchboardBench({ limits: { switchboardsPerAccount: 2 } })
    bench.enter('alice@example.com')
    bench.enter('alice@example.com')
    bench.signIn('alice@example.com')
    const ticket = bench.desk.open('alice@example.com', bench.now)?.ticket
    const third = bench.connect()
    third.say(`USR 1 alice@example.com ${ticket}\r\n`)
    expect(third.read()).toBe('714 1\r\n')
    expect(third.closed).toBeDefined()
  })

  it('lets a channel into as many as there are people who look at it', () => {
    const bench = new SwitchboardBench({ limits: { switchboardsPerAccount: 2 } })
    bench.participants.set('#tea@irc.example.com', { most: 20, domain: 'irc.example.com' })
    for (let times = 0; times < 3; times++) bench.enter('#tea@irc.example.com')
    expect(bench.desk.rooms).toBe(3)
  })
})

/** docs/protocol.md, Switchboard: members. */
describe('calling people', () => {
  it('rings with a decimal session id below 2^31 and lets them in: IRO, ANS OK, and JOI to the others', () => {
    const bench = new SwitchboardBench()
    bench.signIn('alice@example.com', { name: 'Alice A' })
    bench.signIn('bob@example.com', { name: 'Bob' })
    const alice = bench.enter('alice@example.com')
    alice.say('CAL 2 bob@example.com\r\n')
    const [ring] = bench.rings
    expect(alice.read()).toBe(`CAL 2 RINGING ${ring?.session}\r\n`)
    expect(Number(ring?.session)).toBeLessThan(2 ** 31)
    expect(ring?.session).toMatch(/^[1-9]\d*$/)
    expect(ring?.caller).toEqual({ email: 'alice@example.com', name: 'Alice A', clientId: 0 })
    const bob = bench.connect()
    bob.say(`ANS 1 bob@example.com ${ring?.ticket} ${ring?.session}\r\n`)
    expect(bob.read()).toBe('IRO 1 1 1 alice@example.com Alice%20A\r\nANS 1 OK\r\n')
    expect(alice.read()).toBe('JOI bob@example.com Bob\r\n')
  })

  it('tells a third person of both, in the order in which they came', () => {
    const { bench, alice, bob } = pair()
    bench.signIn('carol@example.com', { name: 'Carol' })
    bob.say('CAL 5 carol@example.com\r\n')
    const ring = bench.rings.at(-1)
    const carol = bench.connect()
    carol.say(`ANS 7 carol@example.com ${ring?.ticket} ${ring?.session}\r\n`)
    expect(carol.read()).toBe('IRO 7 1 2 alice@example.com Alice%20A\r\nIRO 7 2 2 bob@example.com Bob\r\nANS 7 OK\r\n')
    expect(alice.read()).toBe('JOI carol@example.com Carol\r\n')
    expect(bob.read()).toBe(`CAL 5 RINGING ${ring?.session}\r\nJOI carol@example.com Carol\r\n`)
  })

  it.each([
    ['yourself', 'alice@example.com'],
    ['yourself in other letters', 'ALICE@example.com'],
    ['somebody who is there', 'bob@example.com'],
  ])('answers 215 to a call of %s', (_, email) => {
    const { bench, alice } = pair()
    alice.say(`CAL 6 ${email}\r\n`)
    expect(alice.read()).toBe('215 6\r\n')
    expect(alice.closed).toBeUndefined()
    expect(bench.rings).toHaveLength(1)
  })

  it('answers 215 while somebody is ringing, and rings again when they did not come', () => {
    const bench = new SwitchboardBench()
    bench.signIn('bob@example.com')
    const alice = bench.enter('alice@example.com')
    alice.say('CAL 5 bob@example.com\r\nCAL 6 bob@example.com\r\n')
    expect(alice.read()).toBe(`CAL 5 RINGING ${bench.rings[0]?.session}\r\n215 6\r\n`)
    bench.pass(60_000)
    alice.say('CAL 7 bob@example.com\r\n')
    expect(alice.read()).toBe(`CAL 7 RINGING ${bench.rings[0]?.session}\r\n`)
    expect(bench.rings).toHaveLength(2)
  })

  it('rings somebody again at once who signed out while it rang', () => {
    const bench = new SwitchboardBench()
    bench.signIn('bob@example.com')
    const alice = bench.enter('alice@example.com')
    alice.say('CAL 5 bob@example.com\r\n')
    bench.desk.signedOut('bob@example.com')
    alice.say('CAL 6 bob@example.com\r\n')
    expect(bench.rings).toHaveLength(2)
  })

  it.each([208, 216, 217] as const)('passes on what the notification desk decides: %i', (code) => {
    const bench = new SwitchboardBench()
    const alice = bench.enter('alice@example.com')
    bench.refusals.set('bob@example.com', code)
    alice.say('CAL 2 bob@example.com\r\n')
    expect(alice.read()).toBe(`${code} 2\r\n`)
    bench.refusals.clear()
    bench.signIn('bob@example.com')
    alice.say('CAL 3 bob@example.com\r\n')
    expect(alice.read()).toMatch(/^CAL 3 RINGING /)
  })

  it('answers 913 to somebody who hides, 713 when the room is full, 707 when the listener is down', () => {
    const bench = new SwitchboardBench({ limits: { roomMembers: 2 } })
    for (const name of ['bob', 'carol']) bench.signIn(`${name}@example.com`)
    const alice = bench.enter('alice@example.com')
    bench.signIn('alice@example.com', { status: 'HDN' })
    alice.say('CAL 1 bob@example.com\r\n')
    bench.signIn('alice@example.com')
    bench.address = undefined
    alice.say('CAL 2 bob@example.com\r\n')
    bench.address = 'sb.example:1863'
    alice.say('CAL 3 bob@example.com\r\nCAL 4 carol@example.com\r\n')
    expect(alice.read()).toBe(`913 1\r\n707 2\r\nCAL 3 RINGING ${bench.rings[0]?.session}\r\n713 4\r\n`)
  })

  it('answers 713 to too many calls and keeps the switchboard', () => {
    const bench = new SwitchboardBench({ limits: { callRate: { burst: 2, intervalMs: 1_000 } } })
    const alice = bench.enter('alice@example.com')
    alice.say('CAL 1 b@x\r\nCAL 2 b@x\r\nCAL 3 b@x\r\n')
    expect(alice.read()).toBe('217 1\r\n217 2\r\n713 3\r\n')
    bench.now += 1_000
    alice.say('CAL 4 b@x\r\n')
    expect(alice.read()).toBe('217 4\r\n')
  })

  it('refuses somebody who answers when the room is gone', () => {
    const bench = new SwitchboardBench()
    bench.signIn('bob@example.com')
    const alice = bench.enter('alice@example.com')
    alice.say('CAL 2 bob@example.com\r\n')
    alice.say('OUT\r\n')
    expect(bench.desk.rooms).toBe(0)
    const [ring] = bench.rings
    const bob = bench.connect()
    bob.say(`ANS 1 bob@example.com ${ring?.ticket} ${ring?.session}\r\n`)
    expect(bob.read()).toBe('911 1\r\n')
  })

  it('refuses an answer for another session', () => {
    const bench = new SwitchboardBench()
    bench.signIn('bob@example.com')
    const alice = bench.enter('alice@example.com')
    alice.say('CAL 2 bob@example.com\r\n')
    const bob = bench.connect()
    bob.say(`ANS 1 bob@example.com ${bench.rings[0]?.ticket} 4711\r\n`)
    expect(bob.read()).toBe('911 1\r\n')
  })

  it('reads what a client sends behind its ANS in one packet, after letting it in', () => {
    const bench = new SwitchboardBench()
    bench.signIn('bob@example.com')
    const alice = bench.enter('alice@example.com')
    alice.say('CAL 2 bob@example.com\r\n')
    alice.read()
    const [ring] = bench.rings
    const bob = bench.connect()
    bob.say(`ANS 1 bob@example.com ${ring?.ticket} ${ring?.session}\r\nMSG 2 A 2\r\nhiPNG\r\n`)
    expect(alice.read()).toBe('JOI bob@example.com bob\r\nMSG bob@example.com bob 2\r\nhi')
    expect(bob.read()).toBe('IRO 1 1 1 alice@example.com alice\r\nANS 1 OK\r\nQNG 50\r\nACK 2\r\n')
  })
})

/** docs/protocol.md, Switchboard messages. */
describe('messages', () => {
  it('reach the others untouched and never the sender', () => {
    const { alice, bob } = pair()
    alice.message(3, 'U', TEXT)
    expect(bob.read()).toBe(`MSG alice@example.com Alice%20A ${LENGTH}\r\n${TEXT}`)
    expect(alice.read()).toBe('')
  })

  it('reach everybody in a room of three', () => {
    const { bench, alice, bob } = pair()
    const carol = bench.join(bob, 'carol@example.com')
    alice.message(3, 'A', 'hi')
    expect(bob.read()).toBe('MSG alice@example.com Alice%20A 2\r\nhi')
    expect(carol.read()).toBe('MSG alice@example.com Alice%20A 2\r\nhi')
    expect(alice.read()).toBe('ACK 3\r\n')
  })

  it('carry bytes that are no text', () => {
    const { alice, bob } = pair()
    const bytes = Buffer.from([0, 13, 10, 255, 10, 0, 37])
    alice.say(Buffer.concat([Buffer.from('MSG 3 N 7\r\n'), bytes]))
    expect(bob.read()).toBe(`MSG alice@example.com Alice%20A 7\r\n${bytes.toString()}`)
  })

  it('may be empty', () => {
    const { alice, bob } = pair()
    alice.say('MSG 3 A 0\r\n')
    expect(bob.read()).toBe('MSG alice@example.com Alice%20A 0\r\n')
    expect(alice.read()).toBe('ACK 3\r\n')
  })

  it.each([
    ['U', '', ''],
    ['N', '', 'NAK 3\r\n'],
    ['A', 'ACK 3\r\n', 'NAK 3\r\n'],
    ['D', 'ACK 3\r\n', 'NAK 3\r\n'],
    ['S', 'ACK 3\r\n', ''],
  ])('of type %s are answered %j when they arrive and %j in an empty room', (ack, arrived, alone) => {
    const { alice, bob } = pair()
    alice.message(3, ack, TEXT)
    expect(alice.read()).toBe(arrived)
    bob.say('OUT\r\n')
    alice.read()
    alice.message(3, ack, TEXT)
    expect(alice.read()).toBe(alone)
    expect(alice.closed).toBeUndefined()
  })

  it('are acknowledged when the connections of all the others have taken the bytes, not before', () => {
    const { bench, alice, bob } = pair()
    const carol = bench.join(alice, 'carol@example.com')
    bench.stuck.add(bob)
    alice.message(3, 'A', TEXT)
    alice.message(4, 'A', TEXT)
    expect(carol.read()).not.toBe('')
    expect(alice.read()).toBe('')
    bench.stuck.delete(bob)
    bench.flush()
    expect(alice.read()).toBe('ACK 3\r\nACK 4\r\n')
  })

  it('are refused when the only other one is gone before taking them, for those who want to know', () => {
    const { bench, alice, bob } = pair()
    bench.stuck.add(bob)
    for (const [index, ack] of ['A', 'N', 'S', 'U'].entries()) alice.message(index + 3, ack, TEXT)
    bob.vanish()
    expect(alice.read()).toBe('BYE bob@example.com\r\nNAK 3\r\nNAK 4\r\n')
  })

  it('are acknowledged when one of two is gone and the other has them', () => {
    const { bench, alice, bob } = pair()
    bench.join(alice, 'carol@example.com')
    bench.stuck.add(bob)
    alice.message(3, 'A', TEXT)
    bob.vanish()
    expect(alice.read()).toBe('BYE bob@example.com\r\nACK 3\r\n')
  })

  it('are counted', () => {
    const { bench, alice } = pair()
    alice.message(3, 'A', TEXT)
    alice.message(4, 'U', TEXT)
    expect(bench.desk.messages).toBe(2)
  })
})

/** docs/protocol.md, Switchboard: leaving. */
describe('a member who confirms what is stored (docs/protocol.md, Confirmed receipt)', () => {
  const three = () => {
    const bench = new SwitchboardBench({ limits: { messageRate: { burst: 0, intervalMs: 1 } } })
    bench.signIn('bridge@example.com', { name: 'bridge', confirms: true })
    bench.signIn('alice@example.com', { name: 'alice' })
    const alice = bench.enter('alice@example.com')
    const bridge = bench.join(alice, 'bridge@example.com')
    return { bench, alice, bridge }
  }

  it('is waited for with the ACK, in the order of the messages and not longer', () => {
    const { alice, bridge } = three()
    alice.message(3, 'U', 'typing')
    alice.message(4, 'A', 'one')
    alice.message(5, 'A', 'two')
    expect(bridge.read()).toContain('two')
    expect(alice.read()).toBe('')
    bridge.say('CFM 0 2\r\n')
    expect(alice.read()).toBe('ACK 4\r\n')
    bridge.say('CFM 0 3\r\n')
    expect(alice.read()).toBe('ACK 5\r\n')
    bridge.say('CFM 0 99\r\n')
    alice.message(6, 'A', 'three')
    expect(alice.read()).toBe('')
  })

  it('and leaves before, has not got it: NAK, unless somebody else has', () => {
    const { bench, alice, bridge } = three()
    alice.message(4, 'A', 'one')
    bridge.vanish()
    expect(alice.read()).toBe('BYE bridge@example.com\r\nNAK 4\r\n')
    const again = bench.join(alice, 'bridge@example.com')
    bench.join(alice, 'carol@example.com')
    alice.message(5, 'A', 'two')
    again.vanish()
    expect(alice.read()).toBe('BYE bridge@example.com\r\nACK 5\r\n')
  })

  it('never, keeps only so many waiting', () => {
    const { alice } = three()
    for (let trid = 10; trid < 10 + MAX_UNCONFIRMED; trid++) alice.message(trid, 'A', 'x')
    expect(alice.read()).toBe('')
    alice.message(9_999, 'A', 'x')
    expect(alice.read()).toBe('NAK 10\r\n')
  })

  it('must say it in the right form, and from inside', () => {
    const { bench, bridge } = three()
    bridge.say('CFM 7\r\nCFM 8 many\r\nCFM 9 1 2\r\n')
    expect(bridge.read()).toBe('300 7\r\n201 8\r\n201 9\r\n')
    const outside = bench.connect()
    outside.say('CFM 1 1\r\n')
    expect(outside.read()).toBe('302 1\r\n')
  })
})

describe('leaving', () => {
  it.each([
    ['says OUT', (peer: { say(bytes: string): void }) => peer.say('OUT\r\n'), { kind: 'done' }],
    ['hangs up', (peer: { hangUp(): void }) => peer.hangUp(), { kind: 'lost', detail: 'end of stream' }],
    ['vanishes', (peer: { vanish(): void }) => peer.vanish(), { kind: 'lost', detail: 'ECONNRESET' }],
  ])('is BYE to the others when somebody %s', (_, leave, reason) => {
    const { bench, alice, bob } = pair()
    leave(bob)
    expect(bob.closed).toEqual(reason)
    expect(alice.read()).toBe('BYE bob@example.com\r\n')
    expect(bench.desk.rooms).toBe(1)
    alice.say('OUT\r\n')
    expect(bench.desk.rooms).toBe(0)
  })

  it('keeps the room for the one who is left, who may call again', () => {
    const { bench, alice, bob } = pair()
    bob.say('OUT\r\n')
    alice.read()
    const again = bench.join(alice, 'bob@example.com')
    alice.message(8, 'A', 'hi')
    expect(again.read()).toBe('MSG alice@example.com Alice%20A 2\r\nhi')
  })

  it('is forced on somebody who signs out: OUT on all their switchboards, BYE to the others', () => {
    const { bench, alice, bob } = pair()
    const second = bench.enter('bob@example.com')
    bench.desk.signedOut('bob@example.com')
    expect(bob.read()).toBe('OUT\r\n')
    expect(second.read()).toBe('OUT\r\n')
    expect(bob.closed).toEqual({ kind: 'done' })
    expect(alice.read()).toBe('BYE bob@example.com\r\n')
    expect(bench.desk.rooms).toBe(1)
  })

  it('is what everybody does when the service stops', () => {
    const { bench, alice, bob } = pair()
    const stranger = bench.connect()
    bench.desk.stop()
    for (const peer of [alice, bob, stranger]) {
      expect(peer.closed).toEqual({ kind: 'done' })
      expect(peer.read()).toMatch(/OUT\r\n$/)
    }
    expect(bench.desk.rooms).toBe(0)
  })
})

/** Against an independent server, the same conversation (docs/protocol.md, Switchboard: example). */
it('holds the conversation of three that the recorded service held', () => {
  const bench = new SwitchboardBench()
  for (const name of ['alice', 'bob', 'carol'])
    bench.signIn(`${name}@example.com`, { name: name === 'bob' ? 'Bob ☃ "100%" é' : `${name}@example.com` })
  const alice = bench.enter('alice@example.com')
  const bob = bench.join(alice, 'bob@example.com')
  const carol = bench.join(alice, 'carol@example.com')
  carol.message(2, 'N', 'hello all')
  for (const peer of [alice, bob]) expect(peer.read()).toBe('MSG carol@example.com carol@example.com 9\r\nhello all')
  carol.say('OUT\r\n')
  expect(alice.read()).toBe('BYE carol@example.com\r\n')
  bob.message(3, 'A', 'x')
  expect(alice.read()).toBe('MSG bob@example.com Bob%20%E2%98%83%20%22100%25%22%20%C3%A9 1\r\nx')
  expect(bob.read()).toBe('BYE carol@example.com\r\nACK 3\r\n')
})
