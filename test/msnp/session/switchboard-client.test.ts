import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../../msnp/wire/error-codes.ts'
import { MAX_RINGING } from '../../../msnp/session/ringing.ts'
import { SwitchboardClient } from '../../../msnp/session/switchboard-client.ts'
import { MAX_REQUESTS } from '../../../msnp/session/requests.ts'
import type { AckType, SwitchboardCommand, SwitchboardEvent } from '../../../msnp/session/switchboard-client-states.ts'
import { MisuseError } from '../../../sansio/machine.ts'
import { MachineBench } from '../../kit/machine.ts'

const TIMINGS = { commandMs: 30_000, ackMs: 20_000, nakMs: 5_000, joinMs: 25_000, switchboardIdleMs: 300_000 }
const TEXT = Buffer.from('MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nhi')

class Board extends MachineBench<SwitchboardCommand, SwitchboardEvent> {
  readonly board: SwitchboardClient

  constructor(idleMs = TIMINGS.switchboardIdleMs) {
    const board = new SwitchboardClient({
      email: 'alice@example.com',
      dialect: 'MSNP9',
      timings: { ...TIMINGS, switchboardIdleMs: idleMs },
    })
    super(board)
    this.board = board
  }

  /** Ours, with these people inside. */
  open(...members: readonly string[]): this {
    this.does({ kind: 'open', token: '17262740.1050826919.32308' }).says('USR 1 OK alice@example.com Alice%20A')
    for (const member of members) this.says(`JOI ${member}@example.com ${member}`)
    return this.forget()
  }

  invite(email: string, id = 1): this {
    return this.does({ kind: 'invite', id, email })
  }

  send(id: number, ack: AckType = 'A', payload: Uint8Array = TEXT): this {
    return this.does({ kind: 'send', id, payload, ack })
  }

  get outcomes(): unknown[] {
    return this.heard('sent').map(({ id, outcome }) => [id, outcome.kind])
  }

  get invitations(): unknown[] {
    return this.heard('invited').map(({ id, outcome }) => [id, outcome.kind])
  }

  get inside(): string[] {
    return [...this.board.members.keys()]
  }
}

const message = (sender: string, payload: string): string => `MSG ${sender} ${Buffer.byteLength(payload)}\r\n${payload}`

describe('entering a switchboard (docs/protocol.md, Switchboard)', () => {
  it('opens one with the token of XFR', () => {
    const board = new Board().does({ kind: 'open', token: '17262740.1050826919.32308' })
    expect(board.said).toBe('USR 1 alice@example.com 17262740.1050826919.32308')
    board.says('USR 1 OK alice@example.com Alice%20A')
    expect(board.heard('ready')).toHaveLength(1)
    expect(board.board.state).toEqual({ kind: 'open' })
    expect(board.board.session).toBeUndefined()
  })

  it('answers an invitation and knows who was there', () => {
    const board = new Board().does({ kind: 'answer', token: '849102291.520491113', session: '11752013' })
    expect(board.said).toBe('ANS 1 alice@example.com 849102291.520491113 11752013')
    board.says('IRO 1 1 2 bob@example.com Bob%20☃', 'IRO 1 2 2 carol@example.com Carol 268435456', 'ANS 1 OK')
    expect(board.heard('ready')).toHaveLength(1)
    expect(board.heard('joined')).toEqual([])
    expect([...board.board.members.values()]).toEqual([
      { email: 'bob@example.com', name: 'Bob ☃' },
      { email: 'carol@example.com', name: 'Carol', clientId: 0x10000000 },
    ])
    expect(board.board.session).toBe('11752013')
  })

  it('may come into a room that everybody has left', () => {
    const board = new Board().does({ kind: 'answer', token: 't', session: '1' }).says('ANS 1 OK')
    expect(board.inside).toEqual([])
    expect(board.board.state.kind).toBe('open')
  })

  it.each(['911 1', '911', '500 1'])('tells that it was not let in: %s', (line) => {
    const board = new Board().does({ kind: 'open', token: 't' }).says(line)
    expect(board.heard('refused')).toEqual([{ kind: 'refused', code: Number(line.slice(0, 3)) }])
    expect(board.closed).toEqual({ kind: 'done' })
  })

  it('does not wait for ever at the door', () => {
    const board = new Board().does({ kind: 'answer', token: 't', session: '1' }).passes(30_000)
    expect(board.closed).toEqual({ kind: 'timeout', waitingFor: 'ANS' })
  })

  it('names our own mistakes', () => {
    expect(() => new Board().invite('bob@example.com')).toThrow(MisuseError)
    expect(() => new Board().send(1)).toThrow(MisuseError)
    expect(() => new Board().open().does({ kind: 'open', token: 't' })).toThrow(MisuseError)
  })
})

describe('inviting', () => {
  it('rings and waits until they join', () => {
    const board = new Board().open().invite('Bob@example.com')
    expect(board.said).toBe('CAL 2 Bob@example.com')
    board.says('CAL 2 RINGING 5512795bffa08b5a647d31e6e39e672')
    expect(board.board.session).toBe('5512795bffa08b5a647d31e6e39e672')
    expect(board.invitations).toEqual([])
    board.says('JOI bob@example.com Bob%20B')
    expect(board.heard('joined')).toEqual([{ kind: 'joined', member: { email: 'bob@example.com', name: 'Bob B' } }])
    expect(board.invitations).toEqual([[1, 'joined']])
    expect(board.passes(60_000).invitations).toHaveLength(1)
  })

  it('is content with a JOI that overtakes RINGING', () => {
    const board = new Board().open().invite('bob@example.com').says('JOI bob@example.com Bob', 'CAL 2 RINGING 1')
    expect(board.invitations).toEqual([[1, 'joined']])
  })

  it.each(ERROR_CODES.filter(({ code }) => code !== 215).map(({ code }) => code))(
    'tells that the call was answered with %i and stays',
    (code) => {
      const board = new Board().open('carol').invite('bob@example.com').says(`${code} 2`)
      expect(board.heard('invited')).toEqual([{ kind: 'invited', id: 1, outcome: { kind: 'refused', code } }])
      expect(board.closed).toBeUndefined()
    },
  )

  it('takes 215 for good news: they are in, or on their way', () => {
    const board = new Board().open('bob').invite('bob@example.com').says('215 2')
    board.invite('carol@example.com', 2).says('215 3', 'JOI carol@example.com Carol')
    expect(board.invitations).toEqual([
      [1, 'joined'],
      [2, 'joined'],
    ])
  })

  it('but not when we called ourselves', () => {
    const board = new Board().open().invite('alice@example.com').says('215 2')
    expect(board.heard('invited')[0]?.outcome).toEqual({ kind: 'refused', code: 215 })
  })

  it('gives up when nobody answers the call, and when it rings and nobody comes', () => {
    const board = new Board().open()
    board.invite('bob@example.com', 1).passes(30_000)
    board.invite('carol@example.com', 2).says('CAL 3 RINGING 1').passes(25_000)
    expect(board.heard('invited').map(({ outcome }) => outcome)).toEqual([
      { kind: 'timeout', waitingFor: 'CAL' },
      { kind: 'timeout', waitingFor: 'JOI' },
    ])
    expect(board.closed).toBeUndefined()
  })

  it('answers all who wait for the same person at once', () => {
    const board = new Board().open().invite('bob@example.com', 1).invite('bob@example.com', 2)
    board.says('CAL 2 RINGING 1', '215 3', 'JOI bob@example.com Bob')
    expect(board.invitations).toEqual([
      [1, 'joined'],
      [2, 'joined'],
    ])
  })

  it('bounds how many may ring', () => {
    const board = new Board().open()
    for (let id = 1; id <= MAX_RINGING; id++) board.invite(`b${id}@example.com`, id).says(`CAL ${id + 1} RINGING 1`)
    board.invite('late@example.com', 1_000)
    expect(board.heard('invited')).toEqual([
      { kind: 'invited', id: 1_000, outcome: { kind: 'timeout', waitingFor: 'CAL' } },
    ])
  })
})

describe('messages out', () => {
  it.each<[AckType, string, string]>([
    ['A', 'ACK 2', 'acked'],
    ['A', 'NAK 2', 'nak'],
    ['D', 'ACK 2', 'acked'],
    ['D', '282 2', 'nak'],
    ['N', 'NAK 2', 'nak'],
  ])('sends one of type %s and takes %s for %s', (ack, answer, outcome) => {
    const board = new Board().open('bob').send(7, ack)
    expect(board.said).toBe(`MSG 2 ${ack} ${TEXT.length}|${TEXT.toString().replaceAll('\r\n', '|')}`)
    expect(board.outcomes).toEqual([])
    expect(board.says(answer, answer).outcomes).toEqual([[7, outcome]])
  })

  it('expects nothing for type U, and for type N no answer is good news', () => {
    const board = new Board().open('bob').send(1, 'U').send(2, 'N')
    expect(board.outcomes).toEqual([[1, 'sent']])
    expect(board.passes(5_000).outcomes).toEqual([
      [1, 'sent'],
      [2, 'sent'],
    ])
  })

  it('reports a message that is never acknowledged', () => {
    const board = new Board().open('bob').send(1).passes(19_999)
    expect(board.outcomes).toEqual([])
    expect(board.passes(1).outcomes).toEqual([[1, 'timeout']])
    expect(board.says('ACK 2').outcomes).toHaveLength(1)
  })

  it('keeps many under way and gives each its own answer', () => {
    const board = new Board().open('bob')
    for (let id = 1; id <= 50; id++) board.send(id)
    for (let id = 50; id >= 1; id--) board.says(`ACK ${id + 1}`)
    expect(board.outcomes).toEqual(Array.from({ length: 50 }, (_, at) => [50 - at, 'acked']))
  })

  it('never writes into an empty room: some servers acknowledge even that', () => {
    const board = new Board().open().send(1)
    expect(board.said).toBe('')
    expect(board.heard('sent')[0]?.outcome).toEqual({ kind: 'not-written', why: 'empty' })
  })

  it('never writes what would close the switchboard', () => {
    const board = new Board().open('bob').send(1, 'A', Buffer.alloc(1_665)).send(2, 'A', Buffer.alloc(1_664))
    expect(board.said).toMatch(/^MSG 2 A 1664\|/)
    expect(board.outcomes).toEqual([[1, 'not-written']])
  })

  it('bounds what may wait for an acknowledgement', () => {
    const board = new Board().open('bob')
    for (let id = 1; id <= MAX_REQUESTS + 1; id++) board.send(id)
    expect(board.heard('sent')).toEqual([
      { kind: 'sent', id: MAX_REQUESTS + 1, outcome: { kind: 'not-written', why: 'backlog' } },
    ])
  })

  it('does not trust an ACK that comes after the last one left', () => {
    const board = new Board().open('bob').send(1).says('BYE bob@example.com', 'ACK 2')
    expect(board.outcomes).toEqual([[1, 'left-before-ack']])
  })

  it('waits a moment for the NAK when the last one left: it makes certain what would be a guess', () => {
    const board = new Board().open('bob').send(1).send(2).send(3, 'N').says('BYE bob@example.com')
    expect(board.outcomes).toEqual([])
    expect(board.says('NAK 2').outcomes).toEqual([[1, 'nak']])
    board.passes(TIMINGS.nakMs - 1)
    expect(board.outcomes).toHaveLength(1)
    expect(board.passes(1).outcomes).toEqual([
      [1, 'nak'],
      [2, 'left-before-ack'],
      [3, 'left-before-ack'],
    ])
    expect(board.says('NAK 3').outcomes).toHaveLength(3)
  })

  it('never waits longer for somebody who left than for an ACK', () => {
    const board = new Board()
      .open('bob')
      .send(1)
      .passes(TIMINGS.ackMs - 10)
    board.says('BYE bob@example.com')
    expect(board.passes(10).outcomes).toEqual([[1, 'left-before-ack']])
  })

  it('tells who was there from the writing to the ACK', () => {
    const board = new Board().open('bob', 'carol').send(1)
    board.says('JOI dave@example.com Dave', 'BYE carol@example.com', 'ACK 2')
    expect(board.heard('sent')[0]?.outcome).toEqual({ kind: 'acked', members: ['bob@example.com'] })
    board.send(2).says('ACK 3')
    expect(board.heard('sent')[1]?.outcome).toEqual({
      kind: 'acked',
      members: ['bob@example.com', 'dave@example.com'],
    })
  })

  it('does not take somebody who came back for one who stayed', () => {
    const board = new Board().open('bob').send(1).says('BYE bob@example.com', 'JOI bob@example.com Bob', 'ACK 2')
    expect(board.outcomes).toEqual([[1, 'left-before-ack']])
  })
})

describe('messages in', () => {
  it('numbers them all, and hands out bytes that are ours to keep', () => {
    const chunk = Buffer.from(message('bob@example.com Bob%20☃', TEXT.toString()).repeat(2))
    const board = new Board().open('bob').bytes(chunk)
    chunk.fill(0)
    const got = board.heard('message')
    expect(got.map(({ ordinal }) => ordinal)).toEqual([1, 2])
    expect(got[0]?.from).toEqual({ email: 'bob@example.com', name: 'Bob ☃' })
    expect(Buffer.from(got[0]?.payload ?? []).toString()).toBe(TEXT.toString())
  })

  it('tells typing apart, which counts as a message all the same', () => {
    const typing = 'MIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\nTypingUser: bob@example.com\r\n\r\n\r\n'
    const board = new Board().open('bob').bytes(message('bob@example.com Bob', typing))
    board.bytes(message('bob@example.com Bob', TEXT.toString()))
    expect(board.heard('typing')).toEqual([{ kind: 'typing', from: { email: 'bob@example.com', name: 'Bob' } }])
    expect(board.heard('message').map(({ ordinal }) => ordinal)).toEqual([2])
  })

  it('takes an empty one, and one without a name', () => {
    const board = new Board().open('bob').bytes('MSG bob@example.com Bob 0\r\nMSG bob@example.com 2\r\nhi')
    expect(board.heard('message').map(({ from, payload }) => [from.name, payload.length])).toEqual([
      ['Bob', 0],
      ['bob@example.com', 2],
    ])
  })
})

describe('who comes and goes', () => {
  it.each([
    ['BYE bob@example.com', false],
    ['BYE bob@example.com 1', true],
    ['BYE Bob@Example.com', false],
  ])('understands %s', (line, idle) => {
    const board = new Board().open('bob').says(line)
    expect(board.heard('left')).toEqual([{ kind: 'left', member: { email: 'bob@example.com', name: 'bob' }, idle }])
    expect(board.inside).toEqual([])
    expect(board.closed).toBeUndefined()
  })

  it('tells a person who joins twice once, and ourselves never', () => {
    const board = new Board().open('bob').says('JOI bob@example.com Bobby', 'JOI alice@example.com Alice')
    expect(board.heard('joined')).toHaveLength(1)
    expect(board.board.members.get('bob@example.com')?.name).toBe('Bobby')
    expect(board.inside).toEqual(['bob@example.com'])
  })
})

describe('the end', () => {
  it('says OUT when it leaves', () => {
    const board = new Board().open('bob').does({ kind: 'leave' })
    expect(board.said).toBe('OUT')
    expect(board.closed).toEqual({ kind: 'done' })
    expect(board.does({ kind: 'leave' }).said).toBe('')
  })

  it('leaves when nothing was said for five minutes, and not before', () => {
    const board = new Board().open('bob').passes(200_000).bytes(message('bob@example.com Bob', TEXT.toString()))
    board.passes(299_999)
    expect(board.closed).toBeUndefined()
    expect(board.board.lastUsed).toBe(1_200_000)
    board.passes(1)
    expect(board.heard('idle')).toHaveLength(1)
    expect(board.said).toBe('OUT')
    expect(board.closed).toEqual({ kind: 'done' })
  })

  it('stays for ever where that is wanted', () => {
    const board = new Board(0).open('bob').passes(10_000_000)
    expect(board.closed).toBeUndefined()
    expect(board.board.wakeAt).toBeUndefined()
  })

  it('tells OUT of the server, and a line that just ends', () => {
    const out = new Board().open('bob').says('OUT')
    expect([out.events.at(-1)?.kind, out.closed?.kind]).toEqual(['out', 'done'])
    expect(new Board().open('bob').hangsUp().closed).toEqual({ kind: 'lost', detail: 'ended by the server' })
  })

  it('answers a challenge of a service that sends one here', () => {
    const board = new Board().open('bob').says('CHL 0 22299241447072743325')
    expect(board.said).toBe('QRY 2 msmsgs@msnmsgr.com 32|20dba7e6e9817826b9cd5240cc8add99')
    expect(board.says('QRY 2').passes(60_000).closed).toBeUndefined()
  })

  it('lets others take part, and says a message as one of them (docs/protocol.md, Participants)', () => {
    const board = new Board().open('bob')
    board.does({ kind: 'sit', email: 'amy@irc.example.com', name: 'Amy A' })
    expect(board.said).toBe('SIT 0 amy@irc.example.com Amy%20A')
    const spoken = { email: 'amy@irc.example.com', payload: TEXT }
    const before = board.written.length
    board.does({ kind: 'send', id: 1, payload: TEXT, ack: 'A', spoken })
    const lines = [`SPK 0 amy@irc.example.com ${TEXT.length}\r\n`, `MSG 2 A ${TEXT.length}\r\n`]
    expect(board.written.slice(before)).toBe(lines.map((line) => line + TEXT.toString()).join(''))
    // What the service refuses changes nothing: then everybody gets the other form.
    expect(board.says('713 0', '200 0', 'ACK 2').outcomes).toEqual([[1, 'acked']])
    board.forget().does({ kind: 'sit', email: 'amy@irc.example.com' })
    expect(board.said).toBe('SIT 0 amy@irc.example.com')
  })

  it.each([
    ['to nobody', []],
    ['in too many bytes', ['bob']],
  ])('says nothing of it %s', (_, members) => {
    const board = new Board().open(...members)
    const payload = members.length === 0 ? TEXT : Buffer.alloc(1_665)
    const before = board.written
    board.does({ kind: 'send', id: 1, payload: TEXT, ack: 'A', spoken: { email: 'amy@irc.example.com', payload } })
    expect([board.written, board.outcomes]).toEqual([before, [[1, 'not-written']]])
  })

  it('counts what it does not know and what it cannot read, and goes on', () => {
    const board = new Board().open('bob').says('FOO 1', '217 99', 'valueOf', 'JOI', 'BYE nobody@example.com')
    expect([board.board.unknownLines, board.board.malformedLines]).toEqual([3, 2])
    expect(board.closed).toBeUndefined()
  })
})
