/** Sessions from end to end: what is asked for arrives, whatever happens on the way, and nothing more is taken in than was promised. */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { describeObject, formatMsnObject, parseMsnObject, type MsnObject } from '../../../msnp/model/msn-object.ts'
import type { P2pCommand, P2pEvent, P2pTimings } from '../../../msnp/p2p/contract.ts'
import { agreement } from '../../../msnp/p2p/negotiation.ts'
import { FLAGS, MAX_BODY_BYTES, p2pMessage } from '../../../msnp/p2p/packet.ts'
import { fieldOf, formatSlp, parseSlp, SLP_TYPES, type Slp } from '../../../msnp/p2p/slp.ts'
import { MAX_MESSAGE_BYTES } from '../../../msnp/model/content-types.ts'
import { P2pRoom, randomOf, someBytes, type Fate, type Guest } from '../../kit/p2p-room.ts'

const ALICE = 'alice@example.com'
const BOB = 'bob@example.com'
const CAROL = 'carol@example.com'

const describe3 = (data: Uint8Array, type = 3): { object: MsnObject; xml: string } => {
  const xml = formatMsnObject(describeObject(data, { creator: BOB, type }))
  const object = parseMsnObject(xml)
  if (object === undefined) throw new Error('no object')
  return { object, xml }
}

/** Bob serves what he has; Alice asks. */
const rig = (more: Parameters<P2pRoom['enter']>[2] = {}) => {
  const room = new P2pRoom()
  const alice = room.enter(ALICE, 11, more)
  const bob = room.enter(BOB, 22, more)
  return { room, alice, bob }
}

const serving =
  (things: readonly Uint8Array[]) =>
  (event: P2pEvent): readonly P2pCommand[] => {
    if (event.kind !== 'asked') return []
    const bytes = things.find((thing) => describe3(thing).object.sha1d === event.object.sha1d)
    if (bytes === undefined) return [{ kind: 'decline', session: event.session }]
    return [{ kind: 'serve', session: event.session, bytes }]
  }

const fetch = (room: P2pRoom, guest: Guest, data: Uint8Array, peer = BOB): number => {
  const session = guest.endpoint.handle()
  room.does(guest, { kind: 'fetch', session, peer, ...describe3(data) })
  return session
}

const providing =
  (file: Uint8Array) =>
  (event: P2pEvent): readonly P2pCommand[] => {
    if (event.kind !== 'wants') return []
    const bytes = file.subarray(event.offset, event.offset + event.length)
    return [{ kind: 'provide', session: event.session, bytes }]
  }

const accepting = (event: P2pEvent): readonly P2pCommand[] =>
  event.kind === 'offered' ? [{ kind: 'accept', session: event.session }] : []

const of = <Kind extends P2pEvent['kind']>(guest: Guest, kind: Kind) =>
  guest.events.filter((event): event is Extract<P2pEvent, { kind: Kind }> => event.kind === kind)

const ends = (guest: Guest) => of(guest, 'ended').map(({ how }) => how)

describe('an object', () => {
  it.each([
    ['display picture', 3],
    ['custom emoticon', 2],
    ['wink', 8],
    ['voice clip', 11],
  ])('of type %s is fetched in packets of 1202 bytes', (_, type) => {
    const { room, alice, bob } = rig()
    const data = someBytes(25_000)
    const { object, xml } = describe3(data, type)
    bob.react = (event) => (event.kind === 'asked' ? [{ kind: 'serve', session: event.session, bytes: data }] : [])
    const sizes: number[] = []
    room.fate = ({ packet }) => {
      if (packet?.flags === FLAGS.object) sizes.push(packet.body.length)
      return 'pass'
    }
    const session = alice.endpoint.handle()
    room.does(alice, { kind: 'fetch', session, peer: BOB, object, xml })
    room.settle()
    expect(of(bob, 'asked')).toEqual([{ kind: 'asked', session: 1, peer: ALICE, object }])
    expect(of(alice, 'fetched').map(({ bytes }) => Buffer.compare(bytes, data))).toEqual([0])
    expect(ends(alice)).toEqual(['done'])
    expect(ends(bob)).toEqual(['done'])
    expect(sizes).toHaveLength(Math.ceil(25_000 / 1202))
    expect(new Set(sizes.slice(0, -1))).toEqual(new Set([MAX_BODY_BYTES]))
    expect(room.longest).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
    // Nothing is left that would want to be woken.
    expect([alice.endpoint.wakeAt, bob.endpoint.wakeAt, alice.endpoint.size, bob.endpoint.size]).toEqual([
      undefined,
      undefined,
      0,
      0,
    ])
  })

  it('goes the way that clients know: acknowledgement, 200, preparation, data, BYE', () => {
    const { room, alice, bob } = rig()
    const data = someBytes(1_500)
    bob.react = serving([data])
    const seen: string[] = []
    room.fate = ({ from, packet }) => {
      const who = from === ALICE ? 'A' : 'B'
      if (packet === undefined) seen.push('?')
      else if (packet.flags === FLAGS.ack) seen.push(`${who} ack`)
      else if (packet.session === 0)
        seen.push(
          `${who} ${Buffer.from(packet.body)
            .toString('latin1')
            .split(' ')
            .slice(0, 2)
            .join(' ')
            .replace(/ MSN.*/, '')}`,
        )
      else seen.push(`${who} data ${packet.flags} ${packet.offset}/${packet.total} ${packet.footer}`)
      return 'pass'
    }
    fetch(room, alice, data)
    room.settle()
    expect(seen).toEqual([
      'A INVITE',
      'B ack',
      'B MSNSLP/1.0 200',
      'B data 0 0/4 1',
      'A ack',
      'A ack',
      'B data 32 0/1500 1',
      'B data 32 1202/1500 1',
      'A ack',
      'A BYE',
      'B ack',
    ])
  })

  const faults: Readonly<Record<string, (index: number) => Fate>> = {
    'every seventh packet lost': (index) => (index % 7 === 6 ? 'lose' : 'pass'),
    'every third packet late': (index) => (index % 3 === 1 ? 'late' : 'pass'),
    'every packet twice': () => 'twice',
    'every fifth packet given back by the switchboard': (index) => (index % 5 === 4 ? 'nak' : 'pass'),
    'all of that': (index) => (['pass', 'twice', 'late', 'nak', 'pass', 'pass'] as const)[index % 6] ?? 'pass',
  }
  it.each(Object.entries(faults))('arrives whole with %s', (_, fate) => {
    const { room, alice, bob } = rig()
    const data = someBytes(9_000)
    bob.react = serving([data])
    room.fate = ({ index }) => fate(index)
    fetch(room, alice, data)
    room.passes(400_000)
    expect(of(alice, 'fetched').map(({ bytes }) => Buffer.compare(bytes, data))).toEqual([0])
    expect(ends(alice)).toEqual(['done'])
    expect(ends(bob)).toEqual(['done'])
    expect([alice.endpoint.wakeAt, bob.endpoint.wakeAt]).toEqual([undefined, undefined])
  })

  it('is given up when nothing arrives any more, and neither waits for good', () => {
    const { room, alice, bob } = rig()
    const data = someBytes(9_000)
    bob.react = serving([data])
    room.fate = ({ packet }) => (packet?.flags === FLAGS.object ? 'lose' : 'pass')
    fetch(room, alice, data)
    room.passes(400_000)
    expect(ends(alice)).toEqual(['cancelled'])
    expect(ends(bob)).toEqual(['timeout'])
    room.fate = () => 'lose'
    fetch(room, alice, data)
    room.passes(400_000)
    expect(ends(alice)).toEqual(['cancelled', 'timeout'])
    expect([alice.endpoint.size, bob.endpoint.size, alice.endpoint.wakeAt, bob.endpoint.wakeAt]).toEqual([
      0,
      0,
      undefined,
      undefined,
    ])
  })

  it('that they have not is declined', () => {
    const { room, alice, bob } = rig()
    bob.react = serving([])
    fetch(room, alice, someBytes(100))
    room.settle()
    expect(ends(alice)).toEqual(['declined'])
    expect(ends(bob)).toEqual([])
    expect(bob.endpoint.size).toBe(0)
  })

  it('is refused when what comes is not what was described', () => {
    const { room, alice, bob } = rig()
    const data = someBytes(3_000)
    bob.react = (event) =>
      event.kind === 'asked' ? [{ kind: 'serve', session: event.session, bytes: Buffer.from(data).fill(0, 2_000) }] : []
    fetch(room, alice, data)
    room.settle()
    expect(of(alice, 'fetched')).toEqual([])
    expect(ends(alice)).toEqual(['wrong'])
  })

  it.each([
    ['claims four gigabytes', 4 * 2 ** 30],
    ['has one byte more than described', 3_001],
    ['has one byte less', 2_999],
  ])('that %s is not taken in', (_, total) => {
    const { room, alice, bob } = rig()
    const data = someBytes(3_000)
    bob.react = (event) => (event.kind === 'asked' ? [{ kind: 'serve', session: event.session, bytes: data }] : [])
    room.bend = (payload, { packet }) =>
      packet?.flags === FLAGS.object ? p2pMessage(ALICE, { ...packet, total }) : payload
    fetch(room, alice, data)
    room.settle()
    expect(ends(alice)).toEqual(['wrong'])
    expect(ends(bob)).toEqual(['done'])
    expect(alice.endpoint.size).toBe(0)
  })

  it('larger than allowed is not asked for', () => {
    const { room, alice, bob } = rig({ limits: { objectBytes: 999 } })
    fetch(room, alice, someBytes(1_000))
    room.settle()
    expect(ends(alice)).toEqual(['wrong'])
    expect(bob.events).toEqual([])
  })

  it('is not asked for again by an invitation that comes twice', () => {
    const { room, alice, bob } = rig()
    const data = someBytes(2_000)
    bob.react = serving([data])
    room.fate = ({ from, index }) => (from === ALICE && index === 0 ? 'twice' : 'pass')
    fetch(room, alice, data)
    room.settle()
    expect(of(bob, 'asked')).toHaveLength(1)
    expect(of(alice, 'fetched')).toHaveLength(1)
  })

  it('is cancelled by either side in the middle', () => {
    const data = someBytes(40_000)
    for (const who of ['asker', 'server'] as const) {
      const { room, alice, bob } = rig()
      bob.react = serving([data])
      let packets = 0
      let isCut = false
      const session = fetch(room, alice, data)
      room.fate = ({ packet }) => {
        if (packet?.flags === FLAGS.object && ++packets === 10) isCut = true
        return isCut && packet?.flags === FLAGS.object ? 'lose' : 'pass'
      }
      room.settle()
      expect(isCut).toBe(true)
      if (who === 'asker') room.does(alice, { kind: 'cancel', session })
      else room.does(bob, { kind: 'cancel', session: 1 })
      room.settle()
      expect([...ends(alice), ...ends(bob)]).toEqual([who === 'asker' ? 'done' : 'cancelled'])
      room.passes(500_000)
      expect([alice.endpoint.size, bob.endpoint.size, alice.endpoint.wakeAt, bob.endpoint.wakeAt]).toEqual([
        0,
        0,
        undefined,
        undefined,
      ])
    }
  })

  it('that is agreed to again and again, and does not come, is given up', () => {
    const room = new P2pRoom()
    const alice = room.enter(ALICE, 11, { timings: { silenceMs: 120_000 } })
    room.enter(BOB, 22, { timings: { inviteMs: 1e9 } })
    let invite: Slp | undefined
    room.fate = ({ packet }) => {
      if (packet?.session === 0 && packet.body.length > 0) invite ??= parseSlp(packet.body)
      return 'pass'
    }
    fetch(room, alice, someBytes(900))
    room.settle()
    const started = room.now
    for (let id = 1; ends(alice).length === 0; id++) {
      if (invite !== undefined) room.says(BOB, slpMessage(ALICE, agreement(invite, 1), id))
      room.passes(10_000)
    }
    expect([room.now - started, ends(alice)]).toEqual([120_000, ['timeout']])
  })
})

describe('a file', () => {
  it('is offered, taken, and arrives piece by piece', () => {
    const { room, alice, bob } = rig()
    const file = someBytes(300_000)
    alice.react = providing(file)
    bob.react = accepting
    const preview = someBytes(500)
    const session = alice.endpoint.handle()
    room.does(alice, { kind: 'offer', session, peer: BOB, file: { name: 'a picture.png', size: file.length, preview } })
    room.settle()
    expect(of(bob, 'offered')[0]?.file).toEqual({
      name: 'a picture.png',
      size: 300_000,
      preview: Uint8Array.from(preview),
    })
    expect(sha(of(bob, 'data').map(({ bytes }) => bytes))).toBe(sha([file]))
    expect(Math.max(...of(bob, 'data').map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(MAX_BODY_BYTES)
    expect([ends(alice), ends(bob)]).toEqual([['done'], ['done']])
    // It is asked for in parts, so that nobody has to hold it.
    expect(Math.max(...of(alice, 'wants').map(({ length }) => length))).toBe(64 * 1024)
    expect([alice.endpoint.wakeAt, bob.endpoint.wakeAt]).toEqual([undefined, undefined])
  })

  it('arrives with packets late, twice and given back', () => {
    const { room, alice, bob } = rig()
    const file = someBytes(100_000)
    alice.react = providing(file)
    bob.react = accepting
    room.fate = ({ index }) => (['pass', 'twice', 'nak', 'pass', 'pass', 'pass'] as const)[index % 6] ?? 'pass'
    room.does(alice, {
      kind: 'offer',
      session: alice.endpoint.handle(),
      peer: BOB,
      file: { name: 'x', size: file.length },
    })
    room.passes(400_000)
    expect(sha(of(bob, 'data').map(({ bytes }) => bytes))).toBe(sha([file]))
    expect([ends(alice), ends(bob)]).toEqual([['done'], ['done']])
  })

  it('is declined, or nobody answers', () => {
    const { room, alice, bob } = rig()
    const offer = () => {
      room.does(alice, { kind: 'offer', session: alice.endpoint.handle(), peer: BOB, file: { name: 'x', size: 10 } })
      room.settle()
    }
    offer()
    room.does(bob, { kind: 'decline', session: 1 })
    room.settle()
    expect(ends(alice)).toEqual(['declined'])
    offer()
    room.passes(299_000)
    expect(ends(alice)).toEqual(['declined'])
    room.passes(2_000)
    expect(ends(alice)).toEqual(['declined', 'timeout'])
    expect(bob.endpoint.size).toBe(0)
  })

  it('that is longer than was said is cut off at once', () => {
    const { room, alice, bob } = rig()
    const file = someBytes(5_000)
    alice.react = providing(file)
    bob.react = accepting
    room.bend = (payload, { packet }) =>
      packet?.flags === FLAGS.file ? p2pMessage(BOB, { ...packet, total: 2 ** 40 }) : payload
    room.does(alice, {
      kind: 'offer',
      session: alice.endpoint.handle(),
      peer: BOB,
      file: { name: 'x', size: file.length },
    })
    room.settle()
    expect(of(bob, 'data')).toEqual([])
    expect(ends(bob)).toEqual(['wrong'])
  })

  it('that begins before anybody took it is not taken in', () => {
    const { room, alice, bob } = rig()
    room.does(alice, { kind: 'offer', session: alice.endpoint.handle(), peer: BOB, file: { name: 'x', size: 100 } })
    let wire = 0
    room.fate = ({ packet }) => {
      wire = Number(/SessionID: (\d+)/.exec(Buffer.from(packet?.body ?? []).toString('latin1'))?.[1] ?? wire)
      return 'pass'
    }
    room.does(alice, { kind: 'offer', session: alice.endpoint.handle(), peer: BOB, file: { name: 'y', size: 100 } })
    room.settle()
    expect(wire).toBeGreaterThan(0)
    room.says(
      ALICE,
      p2pMessage(BOB, {
        session: wire,
        id: 5,
        offset: 0,
        total: 100,
        flags: FLAGS.file,
        ackId: 1,
        ackUid: 0,
        ackSize: 0,
        body: new Uint8Array(100),
        footer: 2,
      }),
    )
    expect(of(bob, 'data')).toEqual([])
    expect(ends(bob)).toEqual(['wrong'])
  })

  it('cannot make the other side hold what comes too early', () => {
    const { room, alice, bob } = rig({ limits: { fileAheadBytes: 10_000 } })
    const file = someBytes(200_000)
    alice.react = providing(file)
    bob.react = accepting
    room.fate = ({ packet }) => (packet?.flags === FLAGS.file && packet.offset === 0 ? 'lose' : 'pass')
    room.does(alice, {
      kind: 'offer',
      session: alice.endpoint.handle(),
      peer: BOB,
      file: { name: 'x', size: file.length },
    })
    room.settle()
    expect(of(bob, 'data')).toEqual([])
    expect(ends(bob)).toEqual(['wrong'])
    expect(ends(alice)).toEqual(['cancelled'])
  })

  /** Bob takes a file of which Alice is to send a piece at a time. */
  const crawling = (size: number, timings: Partial<P2pTimings>) => {
    const room = new P2pRoom()
    const alice = room.enter(ALICE, 11, { timings: { silenceMs: 1e9, totalMs: 1e9 } })
    const bob = room.enter(BOB, 22, { timings })
    bob.react = accepting
    let wire = 0
    room.fate = ({ from, packet }) => {
      wire = Number(/SessionID: (\d+)/.exec(Buffer.from(packet?.body ?? []).toString('latin1'))?.[1] ?? wire)
      return from === ALICE && packet?.flags === FLAGS.file ? 'lose' : 'pass'
    }
    room.does(alice, { kind: 'offer', session: alice.endpoint.handle(), peer: BOB, file: { name: 'x', size } })
    room.settle()
    const started = room.now
    const says = (offset: number, length: number, total = size, flags: number = FLAGS.file, id = 5): void => {
      const packet = { session: wire, id, offset, total, flags, ackId: 1, ackUid: 0, ackSize: 0 }
      room.says(ALICE, p2pMessage(BOB, { ...packet, body: new Uint8Array(length), footer: 2 }))
    }
    /** Milliseconds until Bob gave up. */
    const until = (step: (at: number) => void, everyMs: number): number => {
      for (let at = 0; ends(bob).length === 0; at++) {
        step(at)
        room.passes(everyMs)
      }
      return room.now - started
    }
    return { bob, says, until }
  }

  it.each<
    [string, (at: number) => readonly [offset: number, length: number, total?: number, flags?: number, id?: number]]
  >([
    ['byte by byte', (at) => [at, 1]],
    ['as the same piece again and again', () => [0, 100]],
    ['not, but is prepared again and again,', (at) => [0, 4, 4, 0, 100 + at]],
  ])('that comes %s is given up as if nothing came', (_, piece) => {
    const { bob, says, until } = crawling(30_000, { silenceMs: 120_000 })
    expect(until((at) => says(...piece(at)), 10_000)).toBe(120_000)
    expect(ends(bob)).toEqual(['timeout'])
  })

  it('that comes slowly, and comes, is waited for until all of its time is over', () => {
    const hour = 60 * 60_000
    const { bob, says, until } = crawling(50_000_000, { totalMs: hour })
    let sent = 0
    const minute = (): void => {
      for (let packets = 0; packets < 14; packets++, sent += MAX_BODY_BYTES) says(sent, MAX_BODY_BYTES)
    }
    expect(until(minute, 60_000)).toBe(hour)
    expect(ends(bob)).toEqual(['timeout'])
    expect(of(bob, 'data').reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(60 * 14 * MAX_BODY_BYTES)
  })

  it('ends when the other one leaves, and when the switchboard does', () => {
    const { room, alice, bob } = rig()
    const offer = () =>
      room.does(alice, { kind: 'offer', session: alice.endpoint.handle(), peer: BOB, file: { name: 'x', size: 10 } })
    offer()
    offer()
    room.settle()
    room.leaves(bob)
    expect(ends(alice)).toEqual(['left', 'left'])
    expect(alice.endpoint.wakeAt).toBeUndefined()
    expect(bob.endpoint.closed().map((output) => output.kind)).toEqual(['event', 'event'])
  })

  it('may be wanted directly: we say that we do not listen, and it comes over the switchboard', () => {
    const { room, bob } = rig()
    const heard: Slp[] = []
    room.fate = ({ from, packet }) => {
      const slp = from === BOB && packet?.session === 0 && packet.body.length > 0 ? parseSlp(packet.body) : undefined
      if (slp !== undefined) heard.push(slp)
      return 'pass'
    }
    const request: Slp = {
      start: { kind: 'request', method: 'INVITE' },
      to: BOB,
      from: ALICE,
      branch: '{B}',
      callId: '{C}',
      cseq: 0,
      contentType: SLP_TYPES.transport,
      fields: [
        ['Bridges', 'TRUDPv1 TCPv1'],
        ['NetID', '0'],
        ['Conn-Type', 'Direct-Connect'],
      ],
    }
    room.says(ALICE, slpMessage(BOB, request))
    room.settle()
    expect(heard).toHaveLength(1)
    expect(heard[0]).toMatchObject({
      start: { kind: 'response', code: 200 },
      callId: '{C}',
      contentType: SLP_TYPES.transportAnswer,
    })
    const [answer] = heard as [Slp]
    expect(['listening', 'ipv4internal-addrs', 'ipv4internal-port'].map((name) => fieldOf(answer, name))).toEqual([
      'false',
      '0.0.0.0',
      '0',
    ])
    expect(bob.events).toEqual([])
  })
})

describe('a file that is confirmed', () => {
  const confirmed = (then?: 'kept' | 'cancel') => {
    const { room, alice, bob } = rig()
    const file = someBytes(5_000)
    alice.react = providing(file)
    bob.react = (event) => {
      if (event.kind === 'offered') return [{ kind: 'accept', session: event.session, confirms: true }]
      return event.kind === 'received' && then !== undefined ? [{ kind: then, session: event.session }] : []
    }
    const session = alice.endpoint.handle()
    room.does(alice, { kind: 'offer', session, peer: BOB, file: { name: 'a.bin', size: file.length } })
    room.settle()
    return { room, alice, bob, got: of(bob, 'data').reduce((sum, { bytes }) => sum + bytes.length, 0) }
  }

  it('has arrived when it is kept', () => {
    const { alice, bob, got } = confirmed('kept')
    expect([got, ends(alice), ends(bob), alice.endpoint.size, bob.endpoint.size]).toEqual([
      5_000,
      ['done'],
      ['done'],
      0,
      0,
    ])
  })

  it('has not arrived when it could not be kept', () => {
    const { room, alice, bob, got } = confirmed('cancel')
    room.passes(600_000)
    expect([got, ends(alice), ends(bob)]).toEqual([5_000, ['cancelled'], []])
  })

  it('is all there, whatever the sender does meanwhile', () => {
    const { room, alice, bob, got } = confirmed()
    expect([got, of(bob, 'received').length, ends(alice), ends(bob)]).toEqual([5_000, 1, [], []])
    room.leaves(alice)
    expect(ends(bob)).toEqual(['done'])
    room.does(bob, { kind: 'kept', session: 1 })
    expect([bob.endpoint.size, ends(bob)]).toEqual([0, ['done']])
  })
})

describe('one switchboard', () => {
  it('carries many sessions of several people at once, each to whom it is for', () => {
    const { room, alice, bob } = rig()
    const carol = room.enter(CAROL, 33)
    const things = [1, 2, 3, 4].map((seed) => someBytes(6_000 * seed, seed))
    bob.react = serving(things)
    carol.react = serving(things)
    const file = someBytes(50_000, 99)
    const serveAndProvide = (event: P2pEvent) => [...serving(things)(event), ...providing(file)(event)]
    alice.react = serveAndProvide
    carol.react = (event) => [...serving(things)(event), ...accepting(event)]
    for (const thing of things) {
      fetch(room, alice, thing, BOB)
      fetch(room, alice, thing, CAROL)
      fetch(room, bob, thing, ALICE)
    }
    room.does(alice, {
      kind: 'offer',
      session: alice.endpoint.handle(),
      peer: CAROL,
      file: { name: 'x', size: file.length },
    })
    room.settle()
    expect(of(alice, 'fetched')).toHaveLength(8)
    expect(of(bob, 'fetched')).toHaveLength(4)
    expect(sha(of(carol, 'data').map(({ bytes }) => bytes))).toBe(sha([file]))
    expect(new Set([...ends(alice), ...ends(bob), ...ends(carol)])).toEqual(new Set(['done']))
    expect(bob.endpoint.size + carol.endpoint.size + alice.endpoint.size).toBe(0)
  })

  it('has only so many packets under way, and words can go between them', () => {
    const { room, alice, bob } = rig({ limits: { window: 4 } })
    const data = someBytes(100_000)
    let unanswered = 0
    let most = 0
    const held: { id: number }[] = []
    bob.react = serving([data])
    // Bob's switchboard answers only when we say so.
    const outputs = bob.endpoint.carried.bind(bob.endpoint)
    bob.endpoint.carried = (id) => {
      held.push({ id })
      unanswered++
      most = Math.max(most, unanswered)
      return []
    }
    fetch(room, alice, data)
    room.settle()
    // The acknowledgement, 200 and the preparation go at once; of data there are four.
    expect(most).toBe(3 + 4)
    expect(held).toHaveLength(7)
    expect(outputs(held[6]?.id ?? 0, true, room.now)).toHaveLength(1)
  })

  it('takes part in so many sessions, and declines more', () => {
    const { room, alice, bob } = rig({ limits: { sessions: 3 } })
    const carol = room.enter(CAROL, 5)
    const offer = (from: Guest) =>
      room.does(from, { kind: 'offer', session: from.endpoint.handle(), peer: BOB, file: { name: 'x', size: 1 } })
    for (let count = 0; count < 3; count++) offer(alice)
    offer(carol)
    offer(alice)
    room.settle()
    expect(bob.endpoint.size).toBe(3)
    expect(ends(carol)).toEqual(['declined'])
    expect(ends(alice)).toEqual(['busy'])
  })

  it('declines what it does not know, and says what that was', () => {
    const { room, bob } = rig()
    const codes: number[] = []
    room.fate = ({ from, packet }) => {
      const slp = from === BOB && packet?.session === 0 && packet.body.length > 0 ? parseSlp(packet.body) : undefined
      if (slp?.start.kind === 'response') codes.push(slp.start.code)
      return 'pass'
    }
    const webcam = '{4BD96FC0-AB17-4425-A14A-439185962DC8}'
    const invite = (fields: Slp['fields'], contentType: string = SLP_TYPES.session): Slp => ({
      start: { kind: 'request', method: 'INVITE' },
      to: BOB,
      from: ALICE,
      branch: '{B}',
      callId: `{${fields.length}${contentType.length}}`,
      cseq: 0,
      contentType,
      fields,
    })
    room.says(
      ALICE,
      slpMessage(
        BOB,
        invite([
          ['EUF-GUID', webcam],
          ['SessionID', '77'],
          ['Context', 'AAAA'],
        ]),
        1,
      ),
    )
    room.says(
      ALICE,
      slpMessage(
        BOB,
        invite([
          ['EUF-GUID', webcam],
          ['SessionID', '0'],
        ]),
        2,
      ),
    )
    room.says(ALICE, slpMessage(BOB, invite([], 'application/x-other'), 3))
    room.settle()
    expect(of(bob, 'unknown-invitation')).toEqual([{ kind: 'unknown-invitation', peer: ALICE, guid: webcam }])
    expect(codes).toEqual([603, 500, 500])
  })

  it('believes nobody who speaks for somebody else, and passes over what is for another', () => {
    const { room, alice, bob } = rig()
    const carol = room.enter(CAROL, 5)
    const data = someBytes(30_000)
    bob.react = serving([data])
    const session = fetch(room, alice, data)
    let bye: Slp | undefined
    room.fate = ({ packet }) => {
      const slp = packet?.session === 0 ? parseSlp(packet.body) : undefined
      if (slp?.start.kind === 'request' && slp.start.method === 'INVITE') bye = slp
      return 'pass'
    }
    room.does(alice, { kind: 'cancel', session })
    room.settle()
    fetch(room, alice, data)
    if (bye === undefined) throw new Error('there was no invitation')
    const end: Slp = { ...bye, start: { kind: 'request', method: 'BYE' }, contentType: SLP_TYPES.close, fields: [] }
    // In Bob's name, in her own, and for somebody else.
    room.says(CAROL, slpMessage(BOB, end, 1))
    room.says(CAROL, slpMessage(BOB, { ...end, from: CAROL }, 2))
    room.says(ALICE, slpMessage(CAROL, end, 3))
    room.settle()
    expect(of(alice, 'fetched')).toHaveLength(1)
    expect(carol.events).toEqual([])
  })

  it('survives whatever people send, and holds little of it', () => {
    const { room, alice, bob } = rig()
    const data = someBytes(12_000)
    bob.react = serving([data])
    const random = randomOf(4711)
    // Real packets with a few bytes changed, cut at each byte, and in between nothing but noise.
    const seen: Uint8Array[] = []
    room.bend = (payload) => {
      seen.push(payload)
      return payload
    }
    fetch(room, alice, data)
    room.settle()
    room.bend = (payload) => payload
    for (const payload of [...seen]) {
      for (let cut = 0; cut < payload.length; cut += 1 + (random() % 23)) {
        room.says(ALICE, payload.subarray(0, cut))
        const bent = Uint8Array.from(payload)
        for (let count = 0; count < 3; count++) bent[random() % bent.length] = random() & 0xff
        room.says(BOB, bent)
        room.says(ALICE, bent)
      }
      room.settle()
    }
    for (let count = 0; count < 2_000; count++) {
      const packet = {
        session: random() % 3,
        id: random(),
        offset: (random() % 50) * 1_000,
        total: 60_000 + (random() % 4_000),
        flags: random() & 0x1000fff,
        ackId: random(),
        ackUid: random(),
        ackSize: 0,
        body: someBytes(random() % 1_203),
        footer: 0,
      }
      room.says(ALICE, p2pMessage(BOB, packet))
    }
    room.passes(1_000_000)
    expect([alice.endpoint.size, bob.endpoint.size]).toEqual([0, 0])
    const good = someBytes(3_000, 3)
    bob.react = serving([good])
    fetch(room, alice, good)
    room.settle()
    expect(Buffer.compare(of(alice, 'fetched').at(-1)?.bytes ?? new Uint8Array(), good)).toBe(0)
  })
})

const sha = (pieces: readonly Uint8Array[]): string => createHash('sha1').update(Buffer.concat(pieces)).digest('hex')

const slpMessage = (to: string, slp: Slp, id = 1): Uint8Array => {
  const body = formatSlp(slp)
  const about = { session: 0, id, offset: 0, total: body.length, flags: 0, ackId: 9, ackUid: 0, ackSize: 0 }
  return p2pMessage(to, { ...about, body, footer: 0 })
}
