import { describe, expect, it } from 'vitest'
import { DIALECTS, TRAITS, type Dialect } from '../../../msnp/model/dialect.ts'
import { account, DeskWorld, type DeskClient } from '../../kit/notification-desk.ts'

/** docs/protocol.md, Commands: what a client may ask of a notification server, and how it is answered. */

/** Who alice's contacts and her group are from MSNP10 on. The same in every run: clients remember them. */
const BOB = 'f3dbb09d-866f-4edb-be59-0e340c1cd095'
const CAROL = '04051cc4-b5b4-4829-9aaa-fe7b868672c7'
const EVE = '94ae13fa-f225-4a2a-a07d-7777fc32080a'
const WORK = 'e8be5871-c995-42f6-ba29-4ea88cd39e8f'
/** The second group, made by list version 28. */
const SECOND = '0e5bbea3-2898-43ec-9ba5-4eae7085b95a'
const AT_27 = '2000-01-01T00:00:27.0-00:00'

const world = (): DeskWorld =>
  new DeskWorld([
    account('alice@example.com', {
      name: 'Alice A',
      version: 27,
      phones: { PHH: '555 1234' },
      groups: [{ id: 1, name: 'Work' }],
      contacts: [
        { email: 'bob@example.com', name: 'Bob', lists: 11, groups: [0, 1] },
        { email: 'carol@example.com', name: 'Carol', lists: 3, groups: [0] },
        { email: 'dave@example.com', name: 'dave@example.com', lists: 8, groups: [] },
      ],
    }),
    account('bob@example.com', {
      phones: { PHM: '1 555', MOB: 'Y' },
      contacts: [{ email: 'alice@example.com', name: 'Alice', lists: 11, groups: [0] }],
    }),
    account('carol@example.com', {
      contacts: [{ email: 'alice@example.com', name: 'Alice', lists: 10, groups: [] }],
    }),
    account('dave@example.com', {
      contacts: [{ email: 'alice@example.com', name: 'Alice', lists: 3, groups: [0] }],
    }),
    account('eve@example.com', { phones: { PHH: '777' } }),
  ])

interface Row {
  readonly name: string
  readonly before?: readonly string[]
  readonly ask: string
  readonly answer: readonly string[] | ((dialect: Dialect) => readonly string[])
}

/** The same in all dialects. */
const COMMON: readonly Row[] = [
  {
    name: 'CVR echoes the version of the client',
    ask: 'CVR 7 0x0804 winnt 5.0 i386 MSNMSGR 6.1.0203 MSMSGS alice@example.com',
    answer: ['CVR 7 6.1.0203 6.1.0203 6.1.0203 http://home.example http://home.example'],
  },
  {
    name: 'CVQ is a CVR',
    ask: 'CVQ 7 0x0409 winnt 5.1 i386 MSNMSGR 5.0.0544 MSMSGS alice@example.com',
    answer: ['CVQ 7 5.0.0544 5.0.0544 5.0.0544 http://home.example http://home.example'],
  },
  { name: 'INF tells the way to sign in', ask: 'INF 7', answer: ['INF 7 TWN'] },
  { name: 'PNG gets QNG', ask: 'PNG', answer: (dialect) => [dialect === 'MSNP8' ? 'QNG' : 'QNG 50'] },
  {
    name: 'CHG is echoed as it came',
    ask: 'CHG 9 AWY 268435456 %3cmsnobj/%3E',
    answer: ['CHG 9 AWY 268435456 %3cmsnobj/%3E'],
  },
  { name: 'CHG without a client id is taken', ask: 'CHG 9 NLN', answer: ['CHG 9 NLN'] },
  { name: 'CHG with an odd client id is taken', ask: 'CHG 9 BSY 2147778596:0 0', answer: ['CHG 9 BSY 2147778596:0 0'] },
  {
    name: 'XFR leads to a switchboard',
    before: ['CHG 8 NLN 0'],
    ask: 'XFR 9 SB',
    answer: ['XFR 9 SB 192.0.2.9:1863 CKI cki1'],
  },
  { name: 'URL', ask: 'URL 9 INBOX', answer: ['URL 9 / http://home.example 1'] },
  { name: 'SND', ask: 'SND 9 eve@example.com', answer: ['SND 9 OK'] },
  { name: 'SDC', ask: 'SDC 9 eve@example.com 0x0409 MSMSGS MSMSGS X X Alice 5\r\nhello', answer: ['SDC 9 OK'] },
  { name: 'IMS', ask: 'IMS 9 ON', answer: ['IMS 9 0 ON'] },
  {
    name: 'QRY where nobody is challenged',
    ask: `QRY 9 msmsgs@msnmsgr.com 32\r\n${'0'.repeat(32)}`,
    answer: ['QRY 9'],
  },
]

/** Up to MSNP9: people by address, groups by number, a list version in each answer. */
const NUMBERED: readonly Row[] = [
  {
    name: 'SYN with an older version gets everything',
    ask: 'SYN 8 26',
    answer: [
      'SYN 8 27 3 2',
      'GTC A',
      'BLP AL',
      'PRP PHH 555%201234',
      'LSG 0 Other%20Contacts 0',
      'LSG 1 Work 0',
      'LST bob@example.com Bob 11 0,1',
      'BPR PHM 1%20555',
      'BPR MOB Y',
      'LST carol@example.com Carol 3 0',
      'LST dave@example.com dave@example.com 8',
    ],
  },
  { name: 'SYN with the version of now is up to date', ask: 'SYN 8 27', answer: ['SYN 8 27'] },
  {
    name: 'LST in its old form',
    ask: 'LST 9 FL',
    answer: ['LST 9 FL 27 1 2 bob@example.com Bob 0,1', 'LST 9 FL 27 2 2 carol@example.com Carol 0'],
  },
  {
    name: 'LST of the other side',
    ask: 'LST 9 RL',
    answer: ['LST 9 RL 27 1 2 bob@example.com Bob', 'LST 9 RL 27 2 2 dave@example.com dave@example.com'],
  },
  { name: 'LST of an empty list', ask: 'LST 9 BL', answer: ['LST 9 BL 27 0 0'] },
  { name: 'LSG in its old form', ask: 'LSG 9', answer: ['LSG 9 27 1 2 0 Other%20Contacts 0', 'LSG 9 27 2 2 1 Work 0'] },
  {
    name: 'ADD to FL, with the numbers of the new contact',
    before: ['SYN 1 0'],
    ask: 'ADD 9 FL eve@example.com Eve 1',
    answer: [
      'ADD 9 FL 28 eve@example.com Eve 1',
      'BPR 28 eve@example.com PHH 777',
      'BPR 28 eve@example.com PHW',
      'BPR 28 eve@example.com PHM',
      'BPR 28 eve@example.com MOB N',
    ],
  },
  {
    name: 'ADD to FL before SYN tells no numbers',
    ask: 'ADD 9 FL eve@example.com Eve',
    answer: ['ADD 9 FL 28 eve@example.com Eve'],
  },
  {
    name: 'ADD to FL without a nickname',
    ask: 'ADD 9 FL eve@example.com 1',
    answer: ['ADD 9 FL 28 eve@example.com eve@example.com 1'],
  },
  {
    name: 'ADD to a second group',
    ask: 'ADD 9 FL carol@example.com Carol 1',
    answer: ['ADD 9 FL 28 carol@example.com Carol 1'],
  },
  { name: 'ADD to AL', ask: 'ADD 9 AL eve@example.com Eve', answer: ['ADD 9 AL 28 eve@example.com Eve'] },
  { name: 'ADD to BL', ask: 'ADD 9 BL Eve@Example.com Eve', answer: ['ADD 9 BL 28 eve@example.com Eve'] },
  { name: 'REM from a group only', ask: 'REM 9 FL bob@example.com 1', answer: ['REM 9 FL 28 bob@example.com 1'] },
  { name: 'REM from FL', ask: 'REM 9 FL bob@example.com', answer: ['REM 9 FL 28 bob@example.com'] },
  { name: 'REM from AL', ask: 'REM 9 AL bob@example.com', answer: ['REM 9 AL 28 bob@example.com'] },
  {
    name: 'REA of oneself',
    ask: 'REA 9 alice@example.com Alice%20B',
    answer: ['REA 9 28 alice@example.com Alice%20B'],
  },
  {
    name: 'REA of a contact, raw UTF-8',
    ask: 'REA 9 bob@example.com Bób',
    answer: ['REA 9 28 bob@example.com B%C3%B3b'],
  },
  { name: 'ADG', ask: 'ADG 9 Old%20Friends 0', answer: ['ADG 9 28 Old%20Friends 2 0'] },
  { name: 'REG', ask: 'REG 9 1 Play 0', answer: ['REG 9 28 1 Play 0'] },
  { name: 'RMG', ask: 'RMG 9 1', answer: ['RMG 9 28 1'] },
  { name: 'PRP', ask: 'PRP 9 PHW 555%204321', answer: ['PRP 9 28 PHW 555%204321'] },
  { name: 'PRP without a value clears', ask: 'PRP 9 PHH', answer: ['PRP 9 28 PHH'] },
  { name: 'BLP', before: ['CHG 8 NLN 0'], ask: 'BLP 9 BL', answer: ['BLP 9 28 BL'] },
  { name: 'BLP as it is, before the first CHG', ask: 'BLP 9 AL', answer: ['BLP 9 27 AL'] },
  { name: 'GTC', before: ['CHG 8 NLN 0'], ask: 'GTC 9 N', answer: ['GTC 9 28 N'] },
  { name: 'GTC as it is, before the first CHG', ask: 'GTC 9 A', answer: ['GTC 9 27 A'] },
]

const KEYED: readonly Row[] = [
  {
    name: 'SYN gets everything, with our own name among it',
    ask: 'SYN 8 0 0',
    answer: (dialect) => {
      const network = dialect === 'MSNP12' ? ' 1' : ''
      return [
        `SYN 8 ${AT_27} ${AT_27} 3 1`,
        'GTC A',
        'BLP AL',
        'PRP MFN Alice%20A',
        'PRP PHH 555%201234',
        `LSG Work ${WORK}`,
        `LST N=bob@example.com F=Bob C=${BOB} 11${network} ${WORK}`,
        'BPR PHM 1%20555',
        'BPR MOB Y',
        `LST N=carol@example.com F=Carol C=${CAROL} 3${network}`,
        `LST N=dave@example.com F=dave@example.com 8${network}`,
      ]
    },
  },
  {
    name: 'SYN with the versions of now gets everything, too',
    ask: `SYN 8 ${AT_27} ${AT_27}`,
    answer: (dialect) => {
      const network = dialect === 'MSNP12' ? ' 1' : ''
      return [
        `SYN 8 ${AT_27} ${AT_27} 3 1`,
        'GTC A',
        'BLP AL',
        'PRP MFN Alice%20A',
        'PRP PHH 555%201234',
        `LSG Work ${WORK}`,
        `LST N=bob@example.com F=Bob C=${BOB} 11${network} ${WORK}`,
        'BPR PHM 1%20555',
        'BPR MOB Y',
        `LST N=carol@example.com F=Carol C=${CAROL} 3${network}`,
        `LST N=dave@example.com F=dave@example.com 8${network}`,
      ]
    },
  },
  {
    name: 'ADC to FL, with the numbers of the new contact',
    before: ['SYN 1 0 0'],
    ask: 'ADC 9 FL N=eve@example.com F=Eve',
    answer: [
      `ADC 9 FL N=eve@example.com F=Eve C=${EVE}`,
      'BPR eve@example.com PHH 777',
      'BPR eve@example.com PHW',
      'BPR eve@example.com PHM',
      'BPR eve@example.com MOB N',
    ],
  },
  {
    name: 'ADC to FL before SYN tells no numbers, and a missing name is the address',
    ask: 'ADC 9 FL N=Eve@Example.com',
    answer: [`ADC 9 FL N=eve@example.com F=eve@example.com C=${EVE}`],
  },
  {
    name: 'ADC to FL into a group at once',
    ask: `ADC 9 FL N=eve@example.com F=Eve ${WORK}`,
    answer: [`ADC 9 FL N=eve@example.com F=Eve C=${EVE} ${WORK}`],
  },
  {
    name: 'ADC into a group, by the id in capitals and braces',
    ask: `ADC 9 FL C={${CAROL.toUpperCase()}} ${WORK}`,
    answer: [`ADC 9 FL C=${CAROL} ${WORK}`],
  },
  { name: 'ADC to AL', ask: 'ADC 9 AL N=eve@example.com', answer: ['ADC 9 AL N=eve@example.com'] },
  {
    name: 'ADC to BL with a name',
    ask: 'ADC 9 BL N=eve@example.com F=Eve',
    answer: ['ADC 9 BL N=eve@example.com F=Eve'],
  },
  { name: 'REM from a group only', ask: `REM 9 FL ${BOB} ${WORK}`, answer: [`REM 9 FL ${BOB} ${WORK}`] },
  { name: 'REM from FL', ask: `REM 9 FL ${BOB}`, answer: [`REM 9 FL ${BOB}`] },
  { name: 'REM from AL', ask: 'REM 9 AL bob@example.com', answer: ['REM 9 AL bob@example.com'] },
  { name: 'SBP of a contact, raw UTF-8', ask: `SBP 9 ${BOB} MFN Bób`, answer: [`SBP 9 ${BOB} MFN B%C3%B3b`] },
  { name: 'PRP MFN of oneself', ask: 'PRP 9 MFN Alice%20B', answer: ['PRP 9 MFN Alice%20B'] },
  { name: 'ADG', ask: 'ADG 9 Old%20Friends 0', answer: [`ADG 9 Old%20Friends ${SECOND} 0`] },
  { name: 'REG', ask: `REG 9 ${WORK} Play 0`, answer: [`REG 9 1 Play ${WORK} 0`] },
  { name: 'RMG', ask: `RMG 9 ${WORK}`, answer: [`RMG 9 1 ${WORK}`] },
  {
    name: 'RMG by a name that was encoded twice, as Messenger 7.0 says it',
    before: ['ADG 8 Old%20Friends 0'],
    ask: 'RMG 9 Old%2520Friends',
    answer: [`RMG 9 1 ${SECOND}`],
  },
  { name: 'PRP', ask: 'PRP 9 PHW 555%204321', answer: ['PRP 9 PHW 555%204321'] },
  { name: 'PRP without a value clears', ask: 'PRP 9 PHH', answer: ['PRP 9 PHH'] },
  { name: 'PRP as it is', ask: 'PRP 9 PHH 555%201234', answer: ['PRP 9 PHH 555%201234'] },
  { name: 'BLP', before: ['CHG 8 NLN 0'], ask: 'BLP 9 BL', answer: ['BLP 9 BL'] },
  { name: 'BLP as it is', before: ['CHG 8 NLN 0'], ask: 'BLP 9 AL', answer: ['BLP 9 AL'] },
  { name: 'GTC', before: ['CHG 8 NLN 0'], ask: 'GTC 9 N', answer: ['GTC 9 N'] },
  { name: 'GTC as it is', before: ['CHG 8 NLN 0'], ask: 'GTC 9 A', answer: ['GTC 9 A'] },
]

/** From MSNP11 on. */
const LATER: readonly Row[] = [
  {
    name: 'UUX',
    ask: 'UUX 9 60\r\n<Data><PSM>my text</PSM><CurrentMedia></CurrentMedia></Data>',
    answer: ['UUX 9 0'],
  },
  { name: 'UUX of nothing', ask: 'UUX 9 0\r\n', answer: ['UUX 9 0'] },
  {
    name: 'GCF',
    before: ['SYN 8 0 0'],
    ask: 'GCF 9 Shields.xml',
    answer: [
      'GCF 9 Shields.xml 151 <?xml version="1.0" encoding="utf-8" ?>\n<config>\n' +
        '\t<shield><cli maj="7" min="0" minbld="0" maxbld="9999" deny=" " /></shield>\n\t<block></block>\n</config>',
    ],
  },
]

const rowsOf = (dialect: Dialect): readonly Row[] => {
  const { guidIds, personalMessages } = TRAITS[dialect]
  return [...COMMON, ...(guidIds ? KEYED : NUMBERED), ...(personalMessages ? LATER : [])]
}

/** Payload commands end with their payload, not with a line end. */
const say = (client: DeskClient, line: string): void =>
  client.raw(Buffer.from(line.includes('\r\n') ? line : `${line}\r\n`))

describe.each(DIALECTS)('a notification server at %s', (dialect) => {
  const { guidIds, mobileCredits, msnObject, personalMessages } = TRAITS[dialect]

  it.each(rowsOf(dialect))('$name', async ({ before = [], ask, answer }) => {
    const desk = world()
    const client = await desk.signIn('alice@example.com', dialect)
    for (const line of before) await client.ask(line)
    say(client, ask)
    await desk.desk.idle()
    expect(client.take()).toEqual(typeof answer === 'function' ? answer(dialect) : answer)
    expect(client.closed).toBeUndefined()
  })

  it('greets with the name and a profile', async () => {
    const desk = world()
    const client = desk.connect()
    expect(await client.ask(`VER 1 ${dialect} CVR0`)).toEqual([`VER 1 ${dialect} CVR0`])
    const [policy] = await client.ask('USR 2 TWN I Alice@Example.com')
    expect(policy).toMatch(/^USR 2 TWN S lc=1033,id=507,.*,tpf=[0-9a-f]{32}$/)
    const ticket = desk.tickets.mint('alice@example.com', desk.now)
    expect(await client.ask(`USR 3 TWN S ${ticket}`)).toEqual([
      guidIds ? 'USR 3 OK alice@example.com 1 0' : 'USR 3 OK alice@example.com Alice%20A 1 0',
      ...(mobileCredits ? ['SBS 0 null'] : []),
      `MSG Hotmail Hotmail ${client.messages[0]?.length ?? ''}`,
    ])
    expect(client.messages[0]).toMatch(/^MIME-Version: 1.0\r\nContent-Type: text\/x-msmsgsprofile; charset=UTF-8\r\n/)
    expect(client.messages[0]).toContain(`\r\nMSPAuth: ${ticket.slice(2, -3)}\r\n`)
    expect(client.messages[0]).toContain('\r\nClientIP: 192.0.2.77\r\nClientPort: 18183\r\n')
    expect(client.messages[0]).toMatch(/\r\n\r\n$/)
    expect(client.messages[0]?.includes('\r\nABCHMigrated: 1\r\n')).toBe(guidIds)
  })

  it('shows who is online already, under the transaction of the first CHG', async () => {
    const desk = world()
    const bob = await desk.signIn('bob@example.com', 'MSNP9')
    await bob.ask('CHG 5 AWY 268435456 %3Cmsnobj%2F%3E')
    const alice = await desk.signIn('alice@example.com', dialect)
    const object = msnObject ? ' %3Cmsnobj%2F%3E' : ''
    expect(await alice.ask('CHG 9 NLN 0')).toEqual([
      'CHG 9 NLN 0',
      `ILN 9 AWY bob@example.com bob 268435456${object}`,
      ...(personalMessages ? ['UBX bob@example.com 53 <Data><PSM></PSM><CurrentMedia></CurrentMedia></Data>'] : []),
    ])
    expect(await alice.ask('CHG 10 BSY 0')).toEqual(['CHG 10 BSY 0'])
    expect(bob.take()).toEqual(['NLN NLN alice@example.com Alice%20A 0', 'NLN BSY alice@example.com Alice%20A 0'])
  })

  it('tells watchers of the end of a session, by OUT or by silence of the line', async () => {
    const desk = world()
    const bob = await desk.online('bob@example.com', dialect)
    for (const end of [(client: DeskClient) => client.send('OUT'), (client: DeskClient) => client.raw(null)]) {
      const alice = await desk.online('alice@example.com', dialect)
      bob.take()
      end(alice)
      expect(bob.take()).toEqual(['FLN alice@example.com'])
      expect(alice.closed?.kind).toMatch(/done|lost/)
    }
    expect(desk.switchboards.gone).toEqual(['alice@example.com', 'alice@example.com'])
  })
})

it('keeps what a client says in one packet in order', async () => {
  const desk = world()
  const client = desk.connect()
  const ticket = desk.tickets.mint('alice@example.com', desk.now)
  client.raw(
    Buffer.from(
      [
        'VER 0 MSNP9 CVR0',
        'CVR 0 0x0409 winnt 5.1 i386 BOT 1.0 MSMSGS alice@example.com',
        'USR 0 TWN I alice@example.com',
        `USR 0 TWN S ${ticket}`,
        'SYN 0 27',
        'ADG 0 New 0',
        'LSG 0',
        'PNG',
        '',
      ].join('\r\n'),
    ),
  )
  await desk.desk.idle()
  expect(client.take().map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
    'VER 0 MSNP9',
    'CVR 0 1.0',
    'USR 0 TWN',
    'USR 0 OK',
    'MSG Hotmail Hotmail',
    'SYN 0 27',
    'ADG 0 28',
    'LSG 0 28',
    'LSG 0 28',
    'LSG 0 28',
    'QNG 50',
  ])
})
