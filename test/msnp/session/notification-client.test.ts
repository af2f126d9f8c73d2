import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../../msnp/wire/error-codes.ts'
import { NotificationClient } from '../../../msnp/session/notification-client.ts'
import type {
  NotificationCommand,
  NotificationEvent,
  NotificationRequest,
  SignedIn,
} from '../../../msnp/session/notification-states.ts'
import type { Dialect } from '../../../msnp/model/dialect.ts'
import { MisuseError } from '../../../sansio/machine.ts'
import { MachineBench } from '../../kit/machine.ts'

const TIMINGS = { commandMs: 30_000, pingMs: 45_000, pongMs: 20_000 }
const EMAIL = 'alice@example.com'

class Client extends MachineBench<NotificationCommand, NotificationEvent> {
  readonly client: NotificationClient

  constructor(client = new NotificationClient({ timings: TIMINGS })) {
    super(client)
    this.client = client
  }

  signIn(dialects: readonly Dialect[] = ['MSNP9', 'MSNP8']): this {
    return this.does({ kind: 'sign-in', email: EMAIL, dialects })
  }

  /** Up to the ticket. */
  authenticate(): this {
    return this.signIn().says('VER 1 MSNP9', 'CVR 2 1 1 1 u u', 'USR 3 TWN S lc=1033,id=507').does({
      kind: 'ticket',
      ticket: 't=abc&p=',
    })
  }

  online(...lists: readonly string[]): this {
    const count = lists.filter((line) => line.startsWith('LST')).length
    const groups = lists.filter((line) => line.startsWith('LSG')).length
    this.authenticate().says('USR 4 OK alice@example.com Alice 1 0', `SYN 5 27 ${count} ${groups}`, ...lists)
    return this.forget()
  }

  request(request: NotificationRequest, id = 1): this {
    return this.does({ kind: 'request', id, request })
  }

  get session(): SignedIn {
    const { state } = this.client
    if (!('session' in state)) throw new Error(`not signed in but ${state.kind}`)
    return state.session
  }

  get answers(): unknown[] {
    return this.heard('answer').map(({ answer }) => answer)
  }
}

const LISTS = ['GTC A', 'BLP AL', 'LSG 0 Other%20Contacts 0', 'LSG 1 Work 0', 'LST bob@example.com Bob 11 0,1']

describe('sign-in (docs/protocol.md, Sign-in)', () => {
  it('goes from VER over CVR and USR to the ticket and the lists, and no line of it is empty', () => {
    const alice = new Client().signIn()
    expect(alice.said).toBe('VER 1 MSNP9 MSNP8 CVR0')
    alice.says('VER 1 MSNP9 MSNP8 CVR0')
    expect(alice.said).toBe('CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 MSMSGS alice@example.com')
    alice.says('CVR 2 6.0.0602 6.0.0602 1.0.0000 http://example.com/dl.exe http://example.com')
    expect(alice.said).toBe('USR 3 TWN I alice@example.com')
    alice.says('USR 3 TWN S lc=1033,id=507,tw=40,tpf=43f8')
    expect(alice.heard('ticket-needed')).toEqual([{ kind: 'ticket-needed', policy: 'lc=1033,id=507,tw=40,tpf=43f8' }])
    alice.does({ kind: 'ticket', ticket: 't=53*1h$$&p=54*v$$' })
    expect(alice.said).toBe('USR 4 TWN S t=53*1h$$&p=54*v$$')
    alice.says('USR 4 OK alice@example.com Alice%20A 1 0')
    expect(alice.said).toBe('SYN 5 0')
    alice.says('SYN 5 27 1 2', ...LISTS)
    expect(alice.heard('synchronized')).toEqual([{ kind: 'synchronized', first: true }])
    expect(alice.client.state.kind).toBe('online')
    expect(alice.session).toMatchObject({ dialect: 'MSNP9', name: 'Alice A', email: EMAIL, verified: true })
    expect(alice.written).not.toMatch(/^\r\n|\r\n\r\n/)
  })

  it.each([
    ['VER 1 MSNP9 CVR0', 'MSNP9'],
    ['VER 1 MSNP8', 'MSNP8'],
    ['VER 1 msnp8 MSNP9', 'MSNP8'],
    ['VER 1 MSNP12 MSNP11 MSNP9', 'MSNP9'],
    ['VER 1 CVR0 MSNP9', 'MSNP9'],
  ])('takes the first dialect that it asked for from %s', (line, dialect) => {
    const alice = new Client().signIn().says(line)
    expect(alice.client.state).toMatchObject({ kind: 'introducing', dialect })
  })

  it.each(['VER 1 0', 'VER 1 0 MSNP12', 'VER 1 MSNP12 CVR0', 'VER 1'])(
    'gives up when %s offers nothing for it',
    (line) => {
      const alice = new Client().signIn().says(line)
      expect(alice.heard('refused')).toEqual([{ kind: 'refused', verb: 'VER', code: 0 }])
      expect(alice.closed).toEqual({ kind: 'done' })
    },
  )

  it('does not take a dialect that it did not offer', () => {
    const alice = new Client().signIn(['MSNP8']).says('VER 1 MSNP9')
    expect(alice.heard('refused')).toHaveLength(1)
  })

  it.each([
    ['USR 3 TWN Slc=1033,id=507', 'lc=1033,id=507'],
    ['USR 3 TWN S lc=1033,ver=2.1.0173.1, tpf=ed1c ', 'lc=1033,ver=2.1.0173.1,tpf=ed1c'],
    ['USR 3 TWN S ct=1,rver=1,wp=FS_40SEC_0_COMPACT,lc=1,id=1', 'ct=1,rver=1,wp=FS_40SEC_0_COMPACT,lc=1,id=1'],
    ['USR 3 TWN S', ''],
  ])('reads the policy of %s', (line, policy) => {
    const alice = new Client().signIn().says('VER 1 MSNP9', 'CVR 2 1 1 1', line)
    expect(alice.heard('ticket-needed')).toEqual([{ kind: 'ticket-needed', policy }])
  })

  it.each([
    ['VER', [], 'XFR 1 NS 192.0.2.5:1863'],
    ['USR I', ['VER 1 MSNP9', 'CVR 2 1 1 1'], 'XFR 3 NS 192.0.2.5:1863 0 192.0.2.1:1863'],
    ['USR I, as in MSNP13', ['VER 1 MSNP9', 'CVR 2 1 1 1'], 'XFR 3 NS 192.0.2.5:1863 U D'],
  ])('follows a dispatch server that answers %s with a redirect', (_, before, xfr) => {
    const alice = new Client().signIn().says(...before, xfr)
    expect(alice.events.at(-1)).toEqual({ kind: 'redirect', host: '192.0.2.5', port: 1863 })
    expect(alice.closed).toEqual({ kind: 'done' })
  })

  it('follows a redirect in the middle of the session, asked or not', () => {
    const alice = new Client().online().says('XFR 0 NS 192.0.2.6:1864 0 192.0.2.1:1863')
    expect(alice.events.at(-1)).toEqual({ kind: 'redirect', host: '192.0.2.6', port: 1864 })
  })

  it('goes on counting transaction ids on the next server', () => {
    const alice = new Client(new NotificationClient({ timings: TIMINGS, firstTrid: 4 })).signIn()
    expect(alice.said).toBe('VER 4 MSNP9 MSNP8 CVR0')
  })

  it.each([
    ['911 4', 911],
    ['600 4', 600],
    ['911', 911],
    ['207 4', 207],
  ])('tells that the ticket was answered with %s', (line, code) => {
    const alice = new Client().authenticate().says(line)
    expect(alice.heard('refused')).toEqual([{ kind: 'refused', verb: 'USR', code }])
    expect(alice.closed).toEqual({ kind: 'done' })
  })

  it('takes the profile before or after the lists and keeps nothing of it', () => {
    const profile = 'MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\nMSPAuth: x\r\n\r\n'
    const alice = new Client().authenticate()
    alice.says('USR 4 OK alice@example.com Alice 1 0')
    alice.bytes(`MSG Hotmail Hotmail ${profile.length}\r\n${profile}SYN 5 1 0 0\r\n`)
    alice.bytes(`MSG Hotmail Hotmail ${profile.length}\r\n${profile}`)
    expect(alice.client.state.kind).toBe('online')
    expect(alice.client.unknownLines).toBe(0)
  })

  it.each([
    ['VER', [], 30_000],
    ['CVR', ['VER 1 MSNP9'], 30_000],
    ['USR', ['VER 1 MSNP9', 'CVR 2 1 1 1'], 30_000],
  ])('does not wait longer than its time for %s', (verb, before, ms) => {
    const alice = new Client().signIn().says(...before)
    alice.passes(ms - 1)
    expect(alice.closed).toBeUndefined()
    alice.passes(1)
    expect(alice.closed).toEqual({ kind: 'timeout', waitingFor: verb })
  })

  it('does not wait for ever for the rest of a list, but as long as it keeps coming', () => {
    const alice = new Client().authenticate().says('USR 4 OK alice@example.com Alice 1 0', 'SYN 5 27 3 0')
    alice.passes(29_000).says('LST a@example.com A 3')
    alice.passes(29_000).says('QNG 50', 'LST b@example.com B 3')
    expect(alice.closed).toBeUndefined()
    alice.passes(30_000)
    expect(alice.closed).toEqual({ kind: 'timeout', waitingFor: 'LST' })
  })

  it('tells a line that is cut off by its verb and length, never by its content', () => {
    const alice = new Client().authenticate().says('USR 4 NONSENSE t=secret')
    expect(alice.closed).toMatchObject({ kind: 'peer-violation', at: { verb: 'USR' } })
    expect(JSON.stringify(alice.closed)).not.toContain('secret')
  })

  it('names our own mistakes', () => {
    expect(() => new Client().signIn().signIn()).toThrow(MisuseError)
    expect(() => new Client().signIn([])).toThrow(MisuseError)
    expect(() => new Client().signIn().does({ kind: 'ticket', ticket: 'x' })).toThrow(MisuseError)
    expect(() => new Client().signIn().request({ kind: 'switchboard' })).toThrow(MisuseError)
    expect(() => new Client().online().request({ kind: 'rename', email: EMAIL, name: '' })).toThrow(MisuseError)
  })
})

describe('lists (docs/protocol.md, Contact lists)', () => {
  it('reads people, groups, settings and phone numbers, whose owner is the last one listed', () => {
    const alice = new Client().online(
      'GTC N',
      'BLP BL',
      'PRP PHH 555%201234',
      'LSG 0 Other%20Contacts 0',
      'LST bob@example.com Bob%20B 11 0,1 ',
      'BPR PHM 1%20555',
      'BPR MOB Y',
      'LST carol@example.com Café 3 0',
      'LST dave@example.com dave@example.com 8',
    )
    alice.says('BPR PHH 7')
    const { roster } = alice.session
    expect([...roster.contacts.values()]).toEqual([
      {
        email: 'bob@example.com',
        name: 'Bob B',
        lists: 11,
        groups: ['0', '1'],
        phones: { PHM: '1 555', MOB: 'Y' },
        presence: undefined,
      },
      { email: 'carol@example.com', name: 'Café', lists: 3, groups: ['0'], phones: {}, presence: undefined },
      {
        email: 'dave@example.com',
        name: 'dave@example.com',
        lists: 8,
        groups: [],
        phones: { PHH: '7' },
        presence: undefined,
      },
    ])
    expect(roster).toMatchObject({ privacy: 'BL', prompt: false, phones: { PHH: '555 1234' } })
    expect(roster.groups).toEqual([{ id: '0', name: 'Other Contacts' }])
  })

  it.each(['SYN 5 27', 'SYN 5 27 0 1'])('is complete at once after %s, and still takes a group', (line) => {
    const alice = new Client().authenticate().says('USR 4 OK alice@example.com Alice 1 0', line)
    expect(alice.client.state.kind).toBe('online')
    expect(alice.says('LSG 0 Friends 0').session.roster.groups).toEqual([{ id: '0', name: 'Friends' }])
  })

  it('counts a broken LST line too, so that the list still has an end', () => {
    const alice = new Client().online('LST', 'LST bob@example.com Bob 3')
    expect(alice.client.state.kind).toBe('online')
    expect(alice.session.roster.contacts.size).toBe(1)
    expect(alice.client.malformedLines).toBe(1)
  })

  it('answers a challenge in the middle of a list', () => {
    const alice = new Client().authenticate()
    alice.says('USR 4 OK alice@example.com Alice 1 0', 'SYN 5 27 2 0', 'LST bob@example.com Bob 3')
    alice.forget().says('CHL 0 22299241447072743325')
    expect(alice.said).toBe('QRY 6 msmsgs@msnmsgr.com 32|20dba7e6e9817826b9cd5240cc8add99')
    expect(alice.says('QRY 6', 'LST carol@example.com Carol 3').client.state.kind).toBe('online')
  })

  it('takes a second list in place of the first and keeps who is online', () => {
    const alice = new Client().online(...LISTS, 'LST carol@example.com Carol 3 0')
    alice.says('NLN NLN bob@example.com Bob 0')
    alice.request({ kind: 'synchronize' })
    expect(alice.said).toBe('SYN 6 0')
    alice.says('SYN 6 28 1 0')
    expect(alice.session.roster.contacts.size).toBe(2)
    alice.says('LST bob@example.com Bob 11 0')
    expect([...alice.session.roster.contacts.keys()]).toEqual(['bob@example.com'])
    expect(alice.session.roster.get('bob@example.com')?.presence?.status).toBe('NLN')
    expect(alice.heard('synchronized').at(-1)).toEqual({ kind: 'synchronized', first: false })
    expect(alice.answers).toEqual([{ kind: 'done' }])
  })

  it('does not lose a change that comes in the middle of a second list', () => {
    const alice = new Client().online(...LISTS).request({ kind: 'synchronize' })
    alice.says('SYN 6 28 2 0', 'LST bob@example.com Bob 3 0', 'ADD 0 RL 29 dave@example.com Dave')
    alice.says('REM 0 RL 30 bob@example.com', 'LST carol@example.com Carol 3 0')
    expect(alice.session.roster.get('dave@example.com')?.lists).toBe(8)
    expect(alice.session.roster.get('bob@example.com')?.lists).toBe(3)
  })

  it('keeps what it knows when a second list is never finished', () => {
    const alice = new Client().online(...LISTS).request({ kind: 'synchronize' })
    alice.says('SYN 6 28 9 0', 'LST eve@example.com Eve 3').passes(31_000)
    expect(alice.answers).toEqual([{ kind: 'timeout', verb: 'LST' }])
    expect([...alice.session.roster.contacts.keys()]).toEqual(['bob@example.com'])
    expect(alice.closed).toBeUndefined()
  })

  it.each([
    ['ADD 0 RL 32 carol@example.com Carol'],
    ['ADD 0 RL carol@example.com Carol'],
    ['ADD 0 rl 32 carol@example.com Carol'],
  ])('tells that somebody added us: %s', (line) => {
    const alice = new Client().online(...LISTS).says(line, line)
    expect(alice.heard('list')).toEqual([
      { kind: 'list', list: 'RL', change: 'added', email: 'carol@example.com', name: 'Carol', asked: false },
    ])
  })

  it.each([['REM 0 RL 33 bob@example.com'], ['REM 0 RL bob@example.com']])(
    'tells that somebody removed us: %s',
    (line) => {
      const alice = new Client().online(...LISTS).says(line, line)
      expect(alice.heard('list')).toEqual([
        { kind: 'list', list: 'RL', change: 'removed', email: 'bob@example.com', name: 'Bob', asked: false },
      ])
    },
  )

  it('tells a change of ours from one that another client of ours made', () => {
    const alice = new Client().online(...LISTS)
    alice.request({ kind: 'list-add', list: 'BL', email: 'carol@example.com', name: 'carol@example.com' })
    alice.says('ADD 6 BL 40 carol@example.com carol@example.com', 'ADD 77 AL 41 eve@example.com Eve')
    expect(alice.heard('list').map(({ list, asked }) => [list, asked])).toEqual([
      ['BL', true],
      ['AL', false],
    ])
  })

  it('leaves a group without leaving the list, unless it is the last one', () => {
    const alice = new Client().online(...LISTS)
    alice.request({ kind: 'list-remove', list: 'FL', email: 'bob@example.com', group: '1' })
    expect(alice.said).toBe('REM 6 FL bob@example.com 1')
    alice.says('REM 6 FL 30 bob@example.com 1')
    expect(alice.session.roster.get('bob@example.com')).toMatchObject({ lists: 11, groups: ['0'] })
    expect(alice.heard('list')).toEqual([])
    alice.says('REM 0 FL 31 bob@example.com 0')
    expect(alice.session.roster.get('bob@example.com')?.lists).toBe(10)
    expect(alice.heard('list')).toHaveLength(1)
  })

  it('takes over what the server says is so already: 215 and 216', () => {
    const alice = new Client().online(...LISTS)
    alice.request({ kind: 'list-add', list: 'BL', email: 'eve@example.com', name: 'Eve' }, 1).says('215 6')
    alice.request({ kind: 'list-remove', list: 'FL', email: 'bob@example.com' }, 2).says('216 7')
    expect(alice.session.roster.get('eve@example.com')?.lists).toBe(4)
    expect(alice.session.roster.get('bob@example.com')?.lists).toBe(10)
    expect(alice.heard('list').map(({ list, change }) => [list, change])).toEqual([
      ['BL', 'added'],
      ['FL', 'removed'],
    ])
  })
})

describe('presence (docs/protocol.md, Presence)', () => {
  const bobs = (alice: Client): unknown[] =>
    alice.heard('presence').map(({ name, presence }) => [name, presence?.status, presence?.clientId, presence?.object])

  it('tells who is there, who comes, changes and goes', () => {
    const alice = new Client().online(...LISTS, 'LST carol@example.com Carol 3 0')
    alice.says(
      'ILN 6 AWY bob@example.com Bob 268435456',
      'NLN NLN bob@example.com Bob%20B 268435456 %3Cmsnobj%20Creator%3D%22b%22%2F%3E',
      'FLN bob@example.com',
    )
    expect(bobs(alice)).toEqual([
      ['Bob', 'AWY', 0x10000000, undefined],
      ['Bob B', 'NLN', 0x10000000, '<msnobj Creator="b"/>'],
      ['Bob B', undefined, undefined, undefined],
    ])
  })

  it.each(['', ' 0', ' %3Cmsnobj%2F%3E', ' %3Cmsnobj%20%2F%3E'])('takes %j for no picture', (object) => {
    const alice = new Client().online(...LISTS).says(`NLN NLN bob@example.com Bob 0${object}`)
    expect(bobs(alice)).toEqual([['Bob', 'NLN', 0, undefined]])
  })

  it('drops what it was told before', () => {
    const alice = new Client().online(...LISTS)
    const line = 'NLN BSY bob@example.com Bob 268435456 %3Cmsnobj%2F%3E'
    alice.says(line, line, 'ILN 6 BSY bob@example.com Bob 268435456', 'FLN bob@example.com', 'FLN bob@example.com')
    expect(bobs(alice).map((row) => (row as unknown[])[1])).toEqual(['BSY', undefined])
  })

  it('reads names in raw UTF-8 as well as escaped, and MSNP8 lines without a client id', () => {
    const alice = new Client().online(...LISTS)
    alice.says('NLN NLN bob@example.com Bob%20☃%20"100%25"%20é', 'NLN IDL bob@example.com Bob%20%E2%98%83%2B+ 0')
    expect(bobs(alice).map((row) => (row as unknown[])[0])).toEqual(['Bob ☃ "100%" é', 'Bob ☃++'])
  })

  it('knows somebody whose presence comes before the answer to ADD', () => {
    const alice = new Client().online()
    alice.request({ kind: 'list-add', list: 'FL', email: 'eve@example.com', name: 'eve@example.com' })
    expect(alice.said).toBe('ADD 6 FL eve@example.com eve@example.com 0')
    alice.says('ILN 6 NLN eve@example.com Eve 0 0', 'ADD 6 FL 5 eve@example.com eve@example.com 0')
    expect(alice.session.roster.get('eve@example.com')).toMatchObject({ name: 'Eve', lists: 1, groups: ['0'] })
  })

  it('compares addresses without case', () => {
    const alice = new Client().online(...LISTS).says('NLN NLN Bob@Example.com Bob 0', 'FLN BOB@example.com')
    expect(alice.heard('presence')).toHaveLength(2)
    expect(alice.session.roster.contacts.size).toBe(1)
  })

  it('tells our own status when it is confirmed and when the server changes it', () => {
    const alice = new Client().online(...LISTS)
    alice.request({ kind: 'status', status: 'BSY', clientId: 0x40000020 })
    expect(alice.said).toBe('CHG 6 BSY 1073741856')
    alice.says('CHG 6 BSY 1073741856', 'CHG 0 HDN 0')
    expect(alice.heard('own-status').map(({ status }) => status)).toEqual(['BSY', 'HDN'])
    expect(alice.answers).toEqual([{ kind: 'done' }])
  })

  it('tells our own name when another client of ours changes it', () => {
    const alice = new Client().online(...LISTS).says('REA 0 40 Alice@Example.com Alice%20C')
    expect(alice.heard('own-name')).toEqual([{ kind: 'own-name', name: 'Alice C' }])
  })
})

describe('keep-alive (docs/protocol.md, Keep-alive)', () => {
  it('pings 45 s after the sign-in, and then when the server wants it, but no later than that', () => {
    const alice = new Client().online(...LISTS)
    alice.passes(44_999)
    expect(alice.said).toBe('')
    alice.passes(1)
    expect(alice.said).toBe('PNG')
    alice.says('QNG 10').passes(10_000)
    expect(alice.said).toBe('PNG')
    alice.says('QNG 600').passes(45_000)
    expect(alice.said).toBe('PNG')
    alice.says('QNG').passes(45_000)
    expect(alice.said).toBe('PNG')
  })

  it('takes a PNG without an answer for a dead line, after hours just the same', () => {
    const alice = new Client().online(...LISTS)
    for (let turn = 0; turn < 400; turn++) alice.passes(45_000).says('QNG 50')
    alice.passes(45_000 + 19_999)
    expect(alice.closed).toBeUndefined()
    alice.passes(1)
    expect(alice.closed).toEqual({ kind: 'timeout', waitingFor: 'QNG' })
  })

  it('is not fooled by presence that still comes: a wedged server answers nothing', () => {
    const alice = new Client().online(...LISTS).passes(45_000)
    alice.passes(10_000).says('NLN BSY bob@example.com Bob 0').passes(10_000)
    expect(alice.closed).toEqual({ kind: 'timeout', waitingFor: 'QNG' })
  })

  it('never pings before USR OK', () => {
    const alice = new Client().signIn().says('VER 1 MSNP9', 'CVR 2 1 1 1', 'USR 3 TWN S lc=1').passes(600_000)
    expect(alice.written).not.toContain('PNG')
  })

  it('reports a command that nobody answers, and asks at once whether the line is alive', () => {
    const alice = new Client()
      .online(...LISTS)
      .says('QNG 50')
      .passes(1_000)
    alice.request({ kind: 'switchboard' })
    expect(alice.said).toBe('XFR 6 SB')
    alice.passes(30_000)
    expect(alice.answers).toEqual([{ kind: 'timeout', verb: 'XFR' }])
    expect(alice.said).toBe('PNG')
    expect(alice.says('QNG 50').closed).toBeUndefined()
  })
})

describe('requests (docs/protocol.md, Commands)', () => {
  it.each<[string, NotificationRequest, string, string, unknown]>([
    [
      'CHG',
      { kind: 'status', status: 'NLN', clientId: 5, object: '<msnobj/>' },
      'CHG 6 NLN 5 %3Cmsnobj%2F%3E',
      'CHG 6 NLN 5 %3Cmsnobj%2F%3E',
      { kind: 'done' },
    ],
    [
      'REA',
      { kind: 'rename', email: EMAIL, name: 'Al B' },
      'REA 6 alice@example.com Al%20B',
      'REA 6 37 alice@example.com Al%20B',
      { kind: 'done' },
    ],
    ['ADG', { kind: 'group-add', name: 'Work' }, 'ADG 6 Work 0', 'ADG 6 34 Work 2 0', { kind: 'group', id: '2' }],
    [
      'REG',
      { kind: 'group-rename', group: '1', name: 'Play' },
      'REG 6 1 Play 0',
      'REG 6 35 1 Play 0',
      { kind: 'done' },
    ],
    ['RMG', { kind: 'group-remove', group: '1' }, 'RMG 6 1', 'RMG 6 36 1', { kind: 'done' }],
    ['BLP', { kind: 'privacy', privacy: 'BL' }, 'BLP 6 BL', 'BLP 6 39 BL', { kind: 'done' }],
    ['GTC', { kind: 'prompt', prompt: false }, 'GTC 6 N', 'GTC 6 40 N', { kind: 'done' }],
    [
      'PRP',
      { kind: 'phone', code: 'PHH', value: '555 1' },
      'PRP 6 PHH 555%201',
      'PRP 6 38 PHH 555%201',
      { kind: 'done' },
    ],
    ['PRP', { kind: 'phone', code: 'PHH' }, 'PRP 6 PHH', 'PRP 6 38 PHH', { kind: 'done' }],
    [
      'URL',
      { kind: 'url', words: ['INBOX'] },
      'URL 6 INBOX',
      'URL 6 /a /b 1',
      { kind: 'url', words: ['/a', '/b', '1'] },
    ],
    [
      'XFR',
      { kind: 'switchboard' },
      'XFR 6 SB',
      'XFR 6 SB 192.0.2.9:1863 CKI 17262740.1050826919.32308',
      { kind: 'switchboard', host: '192.0.2.9', port: 1863, token: '17262740.1050826919.32308' },
    ],
    [
      'XFR',
      { kind: 'switchboard' },
      'XFR 6 SB',
      'XFR 6 SB sb.example.com CKI t U messenger.msn.com 1',
      { kind: 'switchboard', host: 'sb.example.com', port: 1863, token: 't' },
    ],
  ])('asks and understands the answer to %s', (_, request, said, answered, answer) => {
    const alice = new Client().online(...LISTS).request(request)
    expect(alice.said).toBe(said)
    expect(alice.says(answered).answers).toEqual([answer])
  })

  it('keeps the lists in step with what was answered', () => {
    const alice = new Client().online(...LISTS)
    alice.request({ kind: 'group-add', name: 'Café' }, 1).says('ADG 6 34 Café 2 0')
    alice.request({ kind: 'group-remove', group: '1' }, 2).says('RMG 7 36 1')
    alice.request({ kind: 'privacy', privacy: 'BL' }, 3).says('BLP 8 39 BL')
    alice.request({ kind: 'phone', code: 'MOB', value: 'Y' }, 4).says('PRP 9 38 MOB Y')
    const { roster } = alice.session
    expect(roster.groups).toEqual([
      { id: '0', name: 'Other Contacts' },
      { id: '2', name: 'Café' },
    ])
    expect(roster.get('bob@example.com')?.groups).toEqual(['0'])
    expect(roster).toMatchObject({ privacy: 'BL', phones: { MOB: 'Y' } })
  })

  it('gives each answer to the one who asked, in whatever order they come', () => {
    const alice = new Client().online(...LISTS)
    alice.request({ kind: 'switchboard' }, 1).request({ kind: 'switchboard' }, 2).request({ kind: 'switchboard' }, 3)
    alice.says('XFR 8 SB 192.0.2.9:1 CKI c', '800 7', 'XFR 6 SB 192.0.2.9:1 CKI a')
    expect(alice.heard('answer').map(({ id, answer }) => [id, answer.kind])).toEqual([
      [3, 'switchboard'],
      [2, 'refused'],
      [1, 'switchboard'],
    ])
  })

  it.each(ERROR_CODES.map(({ code, name }) => [code, name] as const))(
    'gives error %i (%s) to the command that it answers and stays signed in',
    (code) => {
      const alice = new Client()
        .online(...LISTS)
        .request({ kind: 'switchboard' }, 7)
        .says(`${code} 6`)
      expect(alice.heard('answer')).toEqual([{ kind: 'answer', id: 7, answer: { kind: 'refused', code } }])
      expect(alice.closed).toBeUndefined()
    },
  )

  it.each(['XFR 6 SB', 'XFR 6 SB nowhere CKI', 'XFR 6 SB 192.0.2.9:99999 CKI t', 'XFR 6 XX 192.0.2.9:1 CKI t'])(
    'says so when the answer cannot be read: %s',
    (line) => {
      const alice = new Client()
        .online(...LISTS)
        .request({ kind: 'switchboard' })
        .says(line)
      expect(alice.answers).toEqual([{ kind: 'unreadable', verb: 'XFR' }])
    },
  )

  it('refuses a name, an address or an id that would break the line', () => {
    const alice = new Client().online(...LISTS)
    const bad: NotificationRequest[] = [
      { kind: 'rename', email: EMAIL, name: 'x'.repeat(388) },
      { kind: 'list-add', list: 'AL', email: 'a b@example.com', name: 'x' },
      { kind: 'list-add', list: 'AL', email: `${'a'.repeat(130)}@example.com`, name: 'x' },
      { kind: 'list-remove', list: 'FL', email: 'bob@example.com', group: '1\r\nOUT' },
      { kind: 'group-add', name: 'x'.repeat(62) },
      { kind: 'phone', code: 'PHH', value: '5'.repeat(96) },
      { kind: 'url', words: ['a b'] },
    ]
    for (const request of bad) expect(() => alice.request(request)).toThrow(MisuseError)
    expect(alice.said).toBe('')
  })
})

describe('what the server says unasked', () => {
  it('tells an invitation', () => {
    const alice = new Client().online(...LISTS)
    alice.says('RNG 5512795bffa08b5a647d31e6e39e672 192.0.2.9:1864 CKI 849102291.520491113 bob@example.com Bob%20B')
    expect(alice.events.at(-1)).toEqual({
      kind: 'ring',
      session: '5512795bffa08b5a647d31e6e39e672',
      host: '192.0.2.9',
      port: 1864,
      token: '849102291.520491113',
      email: 'bob@example.com',
      name: 'Bob B',
    })
  })

  it.each([
    ['OUT OTH', 'elsewhere', { kind: 'done' }],
    ['OUT SSD', 'shutdown', { kind: 'done' }],
    ['OUT', 'bare', { kind: 'lost', detail: 'the server said OUT' }],
  ])('ends with a typed reason on %s', (line, why, closed) => {
    const alice = new Client().online(...LISTS).says(line)
    expect(alice.events.at(-1)).toEqual({ kind: 'out', why })
    expect(alice.closed).toEqual(closed)
  })

  it('ends with a typed reason when the server hangs up', () => {
    const alice = new Client().online(...LISTS).hangsUp()
    expect(alice.closed).toEqual({ kind: 'lost', detail: 'ended by the server' })
    expect(alice.client.wakeAt).toBeUndefined()
    expect(alice.says('NLN NLN bob@example.com Bob 0').client.state.kind).toBe('closed')
  })

  it.each(['540 6', '540', '540 0'])('ends when the answer to a challenge is refused with %s', (line) => {
    const alice = new Client().online(...LISTS).says('CHL 0 1234567890', line)
    expect(alice.events.at(-1)).toEqual({ kind: 'challenge-failed', code: 540 })
    expect(alice.closed).toEqual({ kind: 'done' })
  })

  it('does not mind a server that never acknowledges QRY', () => {
    const alice = new Client()
      .online(...LISTS)
      .says('CHL 0 1234567890')
      .passes(31_000)
    expect(alice.closed).toBeUndefined()
    expect(alice.answers).toEqual([])
  })

  const system = (type: string, body: string): string => `MIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\n${body}`

  it('tells that the service goes down, if the service itself says so', () => {
    const payload = system('application/x-msmsgssystemmessage', 'Type: 1\r\nArg1: 5\r\n')
    const alice = new Client().online(...LISTS)
    alice.bytes(`MSG eve@example.com Eve ${payload.length}\r\n${payload}`)
    expect(alice.heard('going-down')).toEqual([])
    alice.bytes(`MSG Hotmail Hotmail ${payload.length}\r\n${payload}`)
    expect(alice.heard('going-down')).toEqual([{ kind: 'going-down', minutes: 5 }])
  })

  it('tells news of mail, if the service itself has them', () => {
    const payload = system('text/x-msmsgsinitialemailnotification', 'Inbox-Unread: 2\r\n')
    const alice = new Client().online(...LISTS)
    alice.bytes(`MSG eve@example.com Eve ${payload.length}\r\n${payload}`)
    expect(alice.heard('mail')).toEqual([])
    alice.bytes(`MSG Hotmail Hotmail ${payload.length}\r\n${payload}`)
    expect(alice.heard('mail')).toEqual([{ kind: 'mail', news: { kind: 'unread', inbox: 2, elsewhere: 0 } }])
  })

  it('passes over mail that was moved, alerts and lines of later dialects with their payloads', () => {
    const mail = system('text/x-msmsgsactivemailnotification', 'Message-Delta: 1\r\n')
    const alice = new Client().online(...LISTS)
    const before = alice.events.length
    alice.bytes(`MSG Hotmail Hotmail ${mail.length}\r\n${mail}NOT 5\r\nNLN x`)
    alice.bytes('UBX bob@example.com 3\r\nabcSBS 0 null\r\nPNG\r\nGCF 0 x 2\r\n!!\r\n')
    expect(alice.events.length).toBe(before)
    expect(alice.client.unknownLines).toBe(1)
  })

  it('counts what it does not know and what it cannot read, and goes on', () => {
    const alice = new Client().online(...LISTS)
    alice.says(
      'FOO 35 bar',
      'constructor 1',
      '__proto__',
      'toString',
      'ACK 9',
      '999 77',
      'NLN',
      'FLN',
      'ADD 0 XX',
      'RNG 1',
    )
    expect(alice.client.unknownLines).toBe(6)
    expect(alice.client.malformedLines).toBe(4)
    expect(alice.says('NLN NLN bob@example.com Bob 0').heard('presence')).toHaveLength(1)
  })

  it('says OUT when it leaves', () => {
    const alice = new Client().online(...LISTS).does({ kind: 'sign-out' })
    expect(alice.said).toBe('OUT')
    expect(alice.closed).toEqual({ kind: 'done' })
  })
})
