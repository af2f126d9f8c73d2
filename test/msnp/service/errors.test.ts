import { describe, expect, it } from 'vitest'
import { DIALECTS, TRAITS, type Dialect } from '../../../msnp/model/dialect.ts'
import { play, type ErrorRow } from '../../kit/error-rows.ts'
import { DeskWorld } from '../../kit/notification-desk.ts'

/** docs/protocol.md, Errors: every code that a notification server answers, with its example. */

const ticket = 't=8d30fc782aa25ec9e1293fdda13cab42&p='

/** Up to MSNP9. Those that no list version and no id is part of hold for later dialects, too. */
const ROWS: readonly ErrorRow[] = [
  { code: 200, name: 'illegal command', talk: [['ABC 18', '200 18']] },
  { code: 200, name: 'illegal command without a number', talk: [['ABC', '200 0']] },
  { code: 200, name: 'a command of the switchboard', talk: [['CAL 18 bob@example.com', '200 18']] },
  { code: 200, name: 'a command of a later dialect', talk: [['ADC 18 FL N=bob@example.com F=Bob', '200 18']] },
  { code: 201, name: 'FLN cannot be asked for', talk: [['CHG 19 FLN 0', '201 19']] },
  { code: 201, name: 'a status that does not exist', talk: [['CHG 19 XYZ 0', '201 19']] },
  { code: 201, name: 'two @ in an address', talk: [['ADD 20 AL a@b@c a@b@c', '201 20']] },
  { code: 201, name: 'no @ in an address', talk: [['ADD 20 AL bob bob', '201 20']] },
  {
    code: 201,
    name: 'an address that is too long',
    talk: [[`ADD 20 FL ${'b'.repeat(120)}@example.com Bob`, '201 20']],
  },
  { code: 201, name: 'the list of the server', talk: [['ADD 20 RL bob@example.com Bob', '201 20']] },
  { code: 201, name: 'a list that does not exist', talk: [['REM 20 XL bob@example.com', '201 20']] },
  { code: 201, name: 'a transaction id that is no number', talk: [['CHG x NLN 0', '201 0']] },
  { code: 201, name: 'a transaction id beyond 32 bits', talk: [['CHG 4294967296 NLN 0', '201 0']] },
  { code: 201, name: 'a list version that is no number', talk: [['SYN 20 x', '201 20']] },
  { code: 201, name: 'a privacy that does not exist', talk: [['BLP 20 XX', '201 20']] },
  { code: 201, name: 'a prompt that does not exist', talk: [['GTC 20 X', '201 20']] },
  { code: 201, name: 'a phone number that is too long', talk: [[`PRP 20 PHH ${'5'.repeat(96)}`, '201 20']] },
  { code: 201, name: 'MOB is Y or N', talk: [['PRP 20 MOB maybe', '201 20']] },
  { code: 201, name: 'XFR to something else', talk: [['XFR 20 NS', '201 20']] },
  { code: 201, name: 'IMS is ON or OFF', talk: [['IMS 20 MAYBE', '201 20']] },
  { code: 201, name: 'LST of nothing', talk: [['LST 20 XL', '201 20']] },
  {
    code: 201,
    name: 'a display picture object that is too long',
    talk: [[`CHG 20 NLN 0 ${'x'.repeat(4097)}`, '201 20']],
  },
  { code: 201, name: 'a display object with a NUL', talk: [['CHG 21 NLN 0 %3Cmsnobj\u0000', '201 21']] },
  {
    code: 205,
    name: 'no such account',
    talk: [
      ['ADD 21 AL none@example.com none@example.com', '205 21'],
      ['ADD 22 FL none@example.com none@example.com 0', '205 22'],
    ],
  },
  { code: 206, name: 'no domain', talk: [['ADD 21 FL bob@ bob', '206 21']] },
  {
    code: 207,
    name: 'already signed in',
    talk: [
      ['USR 20 TWN I alice@example.com', '207 20'],
      [`USR 21 TWN S ${ticket}`, '207 21'],
    ],
  },
  {
    code: 209,
    name: 'a banned word in a name',
    limits: { bannedWords: ['microsoft'] },
    talk: [['REA 18 alice@example.com kill%20Microsoft', '209 18']],
  },
  { code: 209, name: 'a name that is too long', talk: [[`REA 18 alice@example.com ${'n'.repeat(388)}`, '209 18']] },
  {
    code: 209,
    name: 'a nickname that is too long',
    talk: [[`ADD 18 FL bob@example.com ${'n'.repeat(388)}`, '209 18']],
  },
  {
    code: 210,
    name: 'the list is full',
    limits: { contacts: 2 },
    talk: [
      ['ADD 22 FL bob@example.com bob@example.com 0', 'ADD 22 FL 151 bob@example.com bob@example.com 0'],
      ['ADD 23 FL carol@example.com carol@example.com 0', '210 23'],
      ['ADD 24 FL bob@example.com bob@example.com 1', 'ADD 24 FL 152 bob@example.com bob@example.com 1'],
    ],
  },
  {
    code: 215,
    name: 'already there',
    talk: [
      ['ADD 36 FL bob@example.com bob@example.com 2', 'ADD 36 FL 151 bob@example.com bob@example.com 2'],
      ['ADD 37 FL bob@example.com bob@example.com 2', '215 37'],
      ['ADD 38 FL bob@example.com bob@example.com', '215 38'],
    ],
  },
  { code: 215, name: 'oneself', talk: [['ADD 37 FL alice@example.com Alice 0', '215 37']] },
  {
    code: 216,
    name: 'not on the list',
    talk: [
      ['REM 14 FL carol@example.com', '216 14'],
      ['REM 15 BL frank@example.com', '216 15'],
      ['REA 48 carol@example.com carol', '216 48'],
    ],
  },
  {
    code: 218,
    name: 'set so already',
    talk: [
      ['CHG 16 NLN 0', 'CHG 16 NLN 0'],
      ['BLP 17 BL', 'BLP 17 151 BL'],
      ['BLP 18 BL', '218 18'],
      ['GTC 19 N', 'GTC 19 152 N'],
      ['GTC 20 N', '218 20'],
    ],
  },
  {
    code: 219,
    name: 'on the opposite list',
    talk: [
      ['ADD 15 AL dave@example.com dave@example.com', 'ADD 15 AL 151 dave@example.com dave@example.com'],
      ['ADD 16 BL dave@example.com dave@example.com', '219 16'],
      ['REM 17 AL dave@example.com', 'REM 17 AL 152 dave@example.com'],
      ['ADD 18 BL dave@example.com dave@example.com', 'ADD 18 BL 153 dave@example.com dave@example.com'],
      ['ADD 19 AL dave@example.com dave@example.com', '219 19'],
    ],
  },
  { code: 223, name: 'too many groups', limits: { groups: 3 }, talk: [['ADG 28 new%20group 0', '223 28']] },
  {
    code: 224,
    name: 'no such group',
    talk: [
      ['RMG 24 3', 'RMG 24 151 3'],
      ['ADD 25 FL eve@example.com 3', '224 25'],
      ['ADD 25 FL eve@example.com eve@example.com 3', '224 25'],
      ['REM 25 FL eve@example.com 3', '224 25'],
      ['REG 25 3 New%20Name 0', '224 25'],
      ['RMG 25 3', '224 25'],
      ['RMG 26 New%2520Group', '224 26'],
    ],
  },
  { code: 225, name: 'not in the group', talk: [['REM 26 FL frank@example.com 3', '225 26']] },
  {
    code: 229,
    name: 'the name of the group is too long',
    talk: [
      ['ADG 27 ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 0', '229 27'],
      ['REG 28 1 ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 0', '229 28'],
      [`ADG 29 ${'g'.repeat(61)} 0`, `ADG 29 151 ${'g'.repeat(61)} 4 0`],
    ],
  },
  { code: 230, name: 'group 0 stays', talk: [['RMG 28 0', '230 28']] },
  {
    code: 300,
    name: 'a required field is missing',
    talk: [
      ['CHG', '300 0'],
      ...[
        'SYN',
        'LST',
        'CHG',
        'ADD',
        'ADD 1 FL',
        'REM',
        'REM 1 FL',
        'REA',
        'REA 1 alice@example.com',
        'ADG',
        'REG',
        'REG 1 1',
        'RMG',
        'PRP',
        'BLP',
        'GTC',
        'XFR',
        'URL',
        'SND',
        'IMS',
        'CVR',
      ].map((line): readonly [string, string] => (line.includes(' ') ? [line, '300 1'] : [`${line} 1`, '300 1'])),
    ],
  },
  { code: 502, name: 'a command of an earlier dialect', talk: [['FND 18 fname=Bob', '502 18']] },
  {
    code: 500,
    name: 'the store fails',
    arrange: ({ host }) => (host.fail = 'save'),
    talk: [
      ['ADG 30 Club 0', '500 30'],
      ['ADD 31 FL bob@example.com Bob', '500 31'],
      ['LSG 32', 'LSG 32 150 1 4 0 Other%20Contacts 0'],
    ],
  },
  {
    code: 500,
    name: 'the store cannot be read',
    arrange: ({ host }) => (host.fail = 'load'),
    talk: [['ADD 30 AL bob@example.com bob', '500 30']],
  },
  {
    code: 540,
    name: 'a wrong answer to a challenge',
    timings: { challenge: 'once' },
    talk: [
      ['CHG 5 NLN 0', 'CHG 5 NLN 0'],
      [`QRY 6 msmsgs@msnmsgr.com 32\r\n${'0'.repeat(32)}`, '540 6'],
    ],
    closes: true,
  },
  {
    code: 707,
    name: 'there is no switchboard',
    arrange: ({ switchboards }) => (switchboards.down = true),
    talk: [
      ['CHG 5 NLN 0', 'CHG 5 NLN 0'],
      ['XFR 6 SB', '707 6'],
    ],
  },
  { code: 715, name: 'pages go nowhere', talk: [['PGD 6 +15550100 1 5\r\nhello', '715 6']] },
  { code: 715, name: 'a phone code that does not exist', talk: [['PRP 6 ABC 1', '715 6']] },
  { code: 715, name: 'a second VER', talk: [['VER 6 MSNP9 CVR0', '715 6']], closes: true },
  {
    code: 800,
    name: 'switchboards too fast',
    limits: { switchboardRate: { burst: 1, intervalMs: 1_000 } },
    talk: [
      ['CHG 5 NLN 0', 'CHG 5 NLN 0'],
      ['XFR 6 SB', 'XFR 6 SB 192.0.2.9:1863 CKI cki1'],
      ['XFR 7 SB', '800 7'],
    ],
  },
  {
    code: 800,
    name: 'commands too fast',
    limits: { commandRate: { burst: 5, intervalMs: 1_000 } },
    talk: [
      ['LSG 5', 'LSG 5 150 1 4 0 Other%20Contacts 0'],
      ['LSG 6', '800 6'],
    ],
  },
  { code: 913, name: 'no switchboard before the first CHG', talk: [['XFR 6 SB', '913 6']] },
  {
    code: 913,
    name: 'no switchboard while hidden',
    talk: [
      ['CHG 5 HDN 0', 'CHG 5 HDN 0'],
      ['XFR 6 SB', '913 6'],
    ],
  },
]

const NUMBERED_ONLY = /^(?:AD[CDG]|RE[AGM]|RMG|LS[GT]|SYN|FND|BLP 17) ?/

const rowsOf = (dialect: Dialect): readonly ErrorRow[] =>
  TRAITS[dialect].guidIds ? ROWS.filter(({ talk }) => !talk.some(([ask]) => NUMBERED_ONLY.test(ask))) : ROWS

describe.each(DIALECTS)('a notification server at %s', (dialect) => {
  it.each(rowsOf(dialect))('answers $code: $name', (row) => play(row, dialect))

  it.each([
    ['CHG 5 NLN 0', '302 5'],
    ['SYN 5 0', '302 5'],
    ['ADD 5 FL bob@example.com Bob 0', '302 5'],
    ['XFR 5 SB', '302 5'],
    ['ABC 5', '200 5'],
    ['USR 5 TWN I alice@', '206 5'],
    ['USR 5 TWN I alice', '201 5'],
    ['USR 5 TWN I a@b@c', '201 5'],
    ['USR 5 MD5 I alice@example.com', '201 5'],
    ['USR 5 TWN X alice@example.com', '201 5'],
    ['USR 5 TWN', '300 5'],
    ['USR 5', '300 5'],
  ])('answers %s before sign-in with %s and stays', async (ask, answer) => {
    const client = new DeskWorld().connect()
    await client.ask(`VER 1 ${dialect} CVR0`)
    expect(await client.ask(ask)).toEqual([answer])
    expect(client.closed).toBeUndefined()
  })
})

describe('signing in fails', () => {
  const knock = async (desk: DeskWorld, email: string, ticket: string) => {
    const client = desk.connect()
    await client.ask('VER 1 MSNP9 CVR0')
    const first = await client.ask(`USR 2 TWN I ${email}`)
    return { client, first, second: client.closed === undefined ? await client.ask(`USR 3 TWN S ${ticket}`) : [] }
  }

  it('with 911 for a ticket that nobody gave out, and the host is told', async () => {
    const desk = new DeskWorld()
    const { client, second } = await knock(desk, 'alice@example.com', ticket)
    expect(second).toEqual(['911 3'])
    expect(client.closed).toEqual({ kind: 'done' })
    expect(desk.host.notices).toEqual([
      { kind: 'refused', email: 'alice@example.com', code: 911, address: '192.0.2.77' },
    ])
  })

  it('with 911 for the ticket of somebody else, for a used one, and for one that is too old', async () => {
    const desk = new DeskWorld()
    expect((await knock(desk, 'alice@example.com', desk.tickets.mint('bob@example.com', desk.now))).second).toEqual([
      '911 3',
    ])
    const good = desk.tickets.mint('alice@example.com', desk.now)
    expect((await knock(desk, 'alice@example.com', good)).second[0]).toBe('USR 3 OK alice@example.com alice 1 0')
    expect((await knock(desk, 'alice@example.com', good)).second).toEqual(['911 3'])
    const old = desk.tickets.mint('alice@example.com', desk.now)
    desk.now += 60_001
    expect((await knock(desk, 'alice@example.com', old)).second).toEqual(['911 3'])
  })

  it('with 911 for an account that is gone', async () => {
    const desk = new DeskWorld()
    expect((await knock(desk, 'none@example.com', desk.tickets.mint('none@example.com', desk.now))).second).toEqual([
      '911 3',
    ])
  })

  it('with 911 when a ticket comes before any name', async () => {
    const client = new DeskWorld().connect()
    await client.ask('VER 1 MSNP9 CVR0')
    expect(await client.ask(`USR 3 TWN S ${ticket}`)).toEqual(['911 3'])
    expect(client.closed).toBeDefined()
  })

  it('with 500 when the store cannot be read', async () => {
    const desk = new DeskWorld()
    desk.host.fail = 'load'
    const { client, second } = await knock(desk, 'alice@example.com', desk.tickets.mint('alice@example.com', desk.now))
    expect(second).toEqual(['500 3'])
    expect(client.closed).toBeDefined()
    expect(desk.host.notices).toContainEqual({ kind: 'failure', detail: 'the disk is on fire' })
  })

  it('with 600 at the door and 910 inside when the house is full, but never for the second sign-in of a guest', async () => {
    const desk = new DeskWorld(undefined, { sessions: 1 })
    const early = desk.connect()
    await early.ask('VER 1 MSNP9 CVR0')
    await early.ask('USR 2 TWN I bob@example.com')
    await desk.signIn('alice@example.com')
    expect(await early.ask(`USR 3 TWN S ${desk.tickets.mint('bob@example.com', desk.now)}`)).toEqual(['910 3'])
    expect(early.closed).toBeDefined()
    const { client, first } = await knock(desk, 'bob@example.com', ticket)
    expect(first).toEqual(['600 2'])
    expect(client.closed).toBeDefined()
    const again = await knock(desk, 'alice@example.com', desk.tickets.mint('alice@example.com', desk.now))
    expect(again.second[0]).toBe('USR 3 OK alice@example.com alice 1 0')
  })

  it('joins a ticket that was broken by a blank', async () => {
    const desk = new DeskWorld()
    const whole = desk.tickets.mint('alice@example.com', desk.now)
    const { second } = await knock(desk, 'alice@example.com', whole.replace('&p=', ' &p='))
    expect(second[0]).toBe('USR 3 OK alice@example.com alice 1 0')
  })
})

describe('a store that refuses', () => {
  it('leaves lists, versions and presence of both sides as they were', async () => {
    const desk = new DeskWorld()
    const alice = await desk.online('alice@example.com')
    const bob = await desk.online('bob@example.com')
    const before = [desk.record('alice@example.com'), desk.record('bob@example.com')]
    desk.host.fail = 'save'
    expect(await alice.ask('ADD 7 FL bob@example.com Bob 0')).toEqual(['500 7'])
    expect(await alice.ask('ADD 8 BL bob@example.com Bob')).toEqual(['500 8'])
    expect(await alice.ask('REA 9 alice@example.com New')).toEqual(['500 9'])
    expect(bob.take()).toEqual([])
    expect([desk.record('alice@example.com'), desk.record('bob@example.com')]).toEqual(before)
    expect(await alice.ask('LST 10 FL')).toEqual(['LST 10 FL 1 0 0'])
    expect(desk.host.notices.filter(({ kind }) => kind === 'failure')).toHaveLength(3)
    desk.host.fail = undefined
    expect((await alice.ask('ADD 11 FL bob@example.com Bob 0'))[0]).toBe('ADD 11 FL 2 bob@example.com Bob 0')
  })
})
