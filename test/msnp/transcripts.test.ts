import { describe, expect, it } from 'vitest'
import { parseAuthorization, parsePassportAnswer, parsePassportUrls } from '../../msnp/auth/passport.ts'
import type { Dialect } from '../../msnp/model/dialect.ts'
import { newAccount, type AccountRecord } from '../../msnp/service/contract.ts'
import { NotificationClient } from '../../msnp/session/notification-client.ts'
import { SwitchboardClient } from '../../msnp/session/switchboard-client.ts'
import { comparable, differences, versionOf, type Difference } from '../kit/answers.ts'
import { dialectOf, MODES, playAgainstClient, type Played } from '../kit/replay-client.ts'
import { playAgainstService, withIds } from '../kit/replay-service.ts'
import { parseTranscript, readTranscript, TRANSCRIPTS, type TranscriptConnection } from '../kit/transcript.ts'

const read = Object.fromEntries(TRANSCRIPTS.map((name) => [name, readTranscript(name)])) as Readonly<
  Record<(typeof TRANSCRIPTS)[number], ReturnType<typeof readTranscript>>
>
const connections = TRANSCRIPTS.flatMap((name) =>
  read[name].connections.map((connection) => [`${name} ${connection.name}`, connection, name] as const),
)

describe('the transcripts', () => {
  it('are read whole, each payload as long as its line says', () => {
    expect(connections.map(([name, { email, frames }]) => `${name} ${email} ${frames.length}`)).toEqual([
      'escargot-MSNP8 A.NS alice@example.com 106',
      'escargot-MSNP8 B.NS bob@example.com 62',
      'escargot-MSNP8 A.SB alice@example.com 31',
      'escargot-MSNP8 B.SB bob@example.com 14',
      'escargot-MSNP8 C.NS carol@example.com 18',
      'escargot-MSNP8 C.SB carol@example.com 6',
      'escargot-MSNP8 A2.NS alice@example.com 25',
      'escargot-MSNP8 B2.NS bob@example.com 25',
      'escargot-MSNP9 A.NS alice@example.com 105',
      'escargot-MSNP9 B.NS bob@example.com 60',
      'escargot-MSNP9 A.SB alice@example.com 31',
      'escargot-MSNP9 B.SB bob@example.com 14',
      'escargot-MSNP9 C.NS carol@example.com 18',
      'escargot-MSNP9 C.SB carol@example.com 6',
      'escargot-MSNP9 A2.NS alice@example.com 25',
      'escargot-MSNP9 B2.NS bob@example.com 25',
      'escargot-MSNP12 A.NS alice@example.com 115',
      'escargot-MSNP12 B.NS bob@example.com 69',
      'escargot-MSNP12 A.SB alice@example.com 31',
      'escargot-MSNP12 B.SB bob@example.com 14',
      'escargot-MSNP12 C.NS carol@example.com 20',
      'escargot-MSNP12 C.SB carol@example.com 6',
      'escargot-MSNP12 A2.NS alice@example.com 27',
      'escargot-MSNP12 B2.NS bob@example.com 27',
      'libpurple-MSNP9-with-escargot 48872.NS alice@example.com 37',
      'libpurple-MSNP9-with-escargot 48884.NS dave@example.com 41',
      'libpurple-MSNP9-with-escargot 50694.SB dave@example.com 15',
      'libpurple-MSNP9-with-escargot 50708.SB alice@example.com 13',
    ])
  })

  it.each(['garbage', '[A.NS] S: MSG a b 5\\r\\n', '[A.NS] C: VER 1 MSNP9'])('are refused when broken: %j', (text) => {
    expect(() => parseTranscript(text)).toThrow()
  })
})

describe('the login of the transcripts', () => {
  const exchanges = TRANSCRIPTS.flatMap((name) => read[name].steps.filter((step) => step.kind === 'https'))
  const header = (headers: (typeof exchanges)[number]['headers'], name: string): string =>
    headers.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1] ?? ''

  it('is understood: nexus, request and answer', () => {
    const nexus = exchanges.filter(({ authorization }) => authorization === undefined)
    const logins = exchanges.filter(({ authorization }) => authorization !== undefined)
    expect([nexus.length, logins.length]).toEqual([15, 15])
    for (const { headers } of nexus) {
      expect(parsePassportUrls(header(headers, 'PassportURLs'))).toBe('https://127.0.0.1/login')
    }
    for (const { authorization = '', headers } of logins) {
      expect(parseAuthorization(authorization)).toMatchObject({ password: '123456' })
      const answer = parsePassportAnswer(header(headers, 'Authentication-Info'))
      expect(answer).toMatchObject({ kind: 'success', ticket: expect.stringMatching(/^[0-9a-f]{20}$/) })
    }
  })

  it('gives the ticket that the client then shows', () => {
    for (const name of TRANSCRIPTS.slice(0, 3)) {
      const tickets = read[name as 'escargot-MSNP8'].steps
        .filter((step) => step.kind === 'https')
        .flatMap(({ headers }) => {
          const answer = parsePassportAnswer(header(headers, 'Authentication-Info'))
          return answer.kind === 'success' ? [answer.ticket] : []
        })
      const shown = read[name as 'escargot-MSNP8'].steps
        .filter((step) => step.kind === 'frame')
        .filter(({ from, words }) => from === 'client' && words[0] === 'USR' && words[3] === 'S')
        .map(({ words }) => words[4])
      expect(shown).toEqual(tickets)
    }
  })
})

/** What the client of a transcript says and ours does not, and why. */
const UNSAID: Readonly<Record<string, readonly string[]>> = {
  'nobody is inside, and others would ACK it all the same: docs/protocol.md, Foreign networks': ['MSG A', 'anyone?'],
  'over 1664 bytes, which would close the switchboard: docs/protocol.md, Sizes': ['MSG N 1762'],
}
/** What no command of ours says, being a test of the server: illegal, or not to be said unasked. */
const NOT_OURS = ['CHG NLN', 'FOO bar', /^CHG FLN /, /^QRY /, 'REA alice@example.com x']
/**
 * Two things that our client says otherwise throughout: clients of MSNP12 there call themselves 7.0, ours is the one that
 * came with the dialect; and D is of MSNP9, though the server there takes it at MSNP8: docs/protocol.md, Dialects.
 */
const asOurs = (line: string, dialect: Dialect): string =>
  (dialect === 'MSNP8' ? line.replace(/^MSG D /, 'MSG A ') : line).replace(/^(CVR .* MSNMSGR) 7\.\d\.\d{4} /, '$1 7 ')

describe.each(MODES)('played as the server against our client, %s', (mode) => {
  it.each(connections)('%s gives the same events and no violation', (_, connection, name) => {
    const dialect = dialectOf(read[name].connections)
    const whole = playAgainstClient(connection, dialect, 'whole')
    const played = playAgainstClient(connection, dialect, mode, whole.trids)
    expect(played.events).toEqual(whole.events)
    expect(played.said).toEqual(whole.said)
    expect(played.malformedLines).toBe(0)
    // 201 in answer to a CHG, and from MSNP10 502 to a REA, that our client did not say: nothing else is of no use to it.
    const unasked = dialect === 'MSNP12' ? 2 : 1
    expect(played.unknownLines).toBe(connection.name === 'A.NS' ? unasked : 0)
    expect(played.skipped.filter((line) => !NOT_OURS.some((known) => line === known || line.match(known)))).toEqual([])
    const unsaid = differences(
      played.saidThere.map((line) => asOurs(line, dialect)),
      played.said.map((line) => asOurs(line, dialect)),
    )
    const excused = unsaid.filter(({ kind, line }) => {
      return kind === 'missing' && Object.values(UNSAID).some((parts) => parts.every((part) => line.includes(part)))
    })
    expect(unsaid).toEqual(excused)
    expect(excused).toHaveLength(connection.name === 'A.SB' ? 2 : 0)
  })
})

const played = (name: (typeof TRANSCRIPTS)[number], connection: string): Played =>
  playAgainstClient(
    read[name].connections.find((each) => each.name === connection)!,
    dialectOf(read[name].connections),
    'whole',
  )
const kinds = (events: readonly unknown[], ...wanted: readonly string[]): unknown[] =>
  events.filter((event) => wanted.includes((event as { kind: string }).kind))

describe('what our client makes of the transcripts', () => {
  it.each(['escargot-MSNP8', 'escargot-MSNP9', 'escargot-MSNP12'] as const)(
    '%s: bob comes, renames himself, changes status, goes',
    (name) => {
      const { events } = played(name, 'A.NS')
      const seen = kinds(events, 'presence').map((event) => {
        const { name: nick, presence } = event as { name: string; presence?: { status: string; object?: string } }
        expect(presence?.object).toBeUndefined()
        return `${nick} ${presence?.status ?? 'offline'}`
      })
      const nick = 'Bob ☃ "100%" é'
      expect(seen).toEqual([
        'bob@example.com NLN',
        ...['NLN', 'BSY', 'IDL', 'BRB', 'AWY', 'PHN', 'LUN', 'offline', 'NLN', 'NLN', 'offline'].map(
          (status) => `${nick} ${status}`,
        ),
      ])
      expect(events.slice(-2)).toEqual([
        { kind: 'out', why: 'elsewhere' },
        { kind: 'close', reason: { kind: 'done' } },
      ])
    },
  )

  it('a picture of alice reaches bob at MSNP9', () => {
    const [first] = kinds(played('escargot-MSNP9', 'B.NS').events, 'presence')
    expect(first).toMatchObject({
      email: 'alice@example.com',
      presence: { status: 'NLN', object: expect.stringContaining('SHA1D="trC8SlFx2sWQxZMIBAWSEnXc8oQ="') },
    })
  })

  it('an invitation has the address, token and session id of the server, whatever it looks like', () => {
    expect(kinds(played('escargot-MSNP8', 'B.NS').events, 'ring')[0]).toEqual({
      kind: 'ring',
      session: '7f426d90a00099ec4061346fe97ad19',
      host: '127.0.0.1',
      port: 1864,
      token: '26c0edc3692858576502',
      email: 'alice@example.com',
      name: 'alice@example.com',
    })
  })

  it('the switchboard of bob: who is there, what is said, who goes', () => {
    const { events } = played('escargot-MSNP9', 'B.SB')
    const alice = { email: 'alice@example.com', name: 'alice@example.com' }
    const carol = { email: 'carol@example.com', name: 'carol@example.com' }
    expect(kinds(events, 'ready', 'joined', 'left', 'typing')).toEqual([
      { kind: 'ready' },
      { kind: 'typing', from: alice },
      { kind: 'joined', member: carol },
      { kind: 'left', member: carol, idle: false },
    ])
    const messages = kinds(events, 'message') as { from: { email: string }; payload: string; ordinal: number }[]
    expect(messages.map(({ from, ordinal, payload }) => [from.email, ordinal, payload.split('\r\n\r\n')[1]])).toEqual([
      ['alice@example.com', 2, 'Hello Bob — ünï\r\nline2'],
      ['alice@example.com', 3, 'ack D'],
      ['alice@example.com', 4, expect.stringContaining('Invitation-Command: INVITE')],
      ['carol@example.com', 5, 'hello all'],
    ])
  })

  it('the switchboard of alice: two are not there, bob is inside already, she cannot call herself', () => {
    const outcomes = kinds(played('escargot-MSNP8', 'A.SB').events, 'invited').map(
      (event) => (event as { outcome: { kind: string; code?: number } }).outcome,
    )
    expect(outcomes.map(({ kind, code }) => code ?? kind)).toEqual(['joined', 217, 217, 'joined', 215, 'joined'])
  })

  it('MSNP12: what bob writes beside his name reaches alice, read, once a change', () => {
    const { events } = played('escargot-MSNP12', 'A.NS')
    const message = { text: 'on the <road> & away', media: undefined }
    // When he comes, when he says it after he had hidden, and when he was added anew.
    expect(kinds(events, 'personal-message')).toEqual(
      Array(3).fill({ kind: 'personal-message', email: 'bob@example.com', message }),
    )
    expect(kinds(played('escargot-MSNP12', 'B.NS').events, 'personal-message')).toEqual([])
  })

  it('MSNP12: our name comes with the lists, ids and networks with the people', () => {
    const own = kinds(played('escargot-MSNP12', 'B2.NS').events, 'own-name')
    expect(own[0]).toEqual({ kind: 'own-name', name: 'Bob ☃ "100%" é' })
    const state = (played('escargot-MSNP12', 'A2.NS').client as NotificationClient).state
    expect(state.kind).toBe('closed')
    const lists = kinds(played('escargot-MSNP12', 'B.NS').events, 'list')
    expect(lists.slice(0, 2)).toEqual(
      (['AL', 'FL'] as const).map((list) => ({
        kind: 'list',
        list,
        change: 'added',
        email: 'alice@example.com',
        name: 'alice@example.com',
        asked: true,
      })),
    )
  })

  it('MSNP12: the answers to all that alice asked are read', () => {
    const answers = kinds(played('escargot-MSNP12', 'A.NS').events, 'answer').map(
      (event) => (event as { answer: { kind: string; code?: number } }).answer,
    )
    expect(answers.map(({ kind, code }) => code ?? kind)).toEqual([
      913,
      'done',
      'group',
      'done',
      'done',
      'done',
      'done',
      208,
      'done',
      'file',
      'done',
      'url',
      'done',
      218,
      'done',
      'done',
      'done',
      'switchboard',
      'done',
      'done',
      'done',
      'done',
      'done',
      216,
      'done',
      216,
      'done',
      224,
      224,
      'done',
    ])
  })

  it('MSNP12: whoever is in a switchboard says what their client can do', () => {
    const carol = played('escargot-MSNP12', 'C.SB').client as SwitchboardClient
    expect(carol).toBeInstanceOf(SwitchboardClient)
    const joined = kinds(played('escargot-MSNP12', 'B.SB').events, 'joined')
    expect(joined).toEqual([
      { kind: 'joined', member: { email: 'carol@example.com', name: 'carol@example.com', clientId: 0x10000000 } },
    ])
  })

  it('the lists of alice as they are at the end', () => {
    const { client } = played('libpurple-MSNP9-with-escargot', '48872.NS')
    expect(client).toBeInstanceOf(NotificationClient)
    const { state } = client as NotificationClient
    if (state.kind !== 'online') throw new Error('not online')
    const { roster } = state.session
    expect(roster.get('dave@example.com')).toMatchObject({ email: 'dave@example.com' })
    expect(roster.get('bob@example.com')).toMatchObject({ email: 'bob@example.com' })
  })
})

const person = (name: string, more: Partial<AccountRecord> = {}): AccountRecord => ({
  ...newAccount(`${name}@example.com`),
  ...more,
})
const contact = (name: string, lists: number, groups: readonly number[]): AccountRecord['contacts'][number] => ({
  email: `${name}@example.com`,
  name: `${name}@example.com`,
  lists,
  groups,
})
const numbers = { phones: { PHH: '555 1234' } }
/** The accounts as the first lines of each transcript show them. */
const BEFORE: Readonly<Record<(typeof TRANSCRIPTS)[number], readonly AccountRecord[]>> = {
  'escargot-MSNP8': [person('alice', numbers), person('bob'), person('carol')],
  'escargot-MSNP9': [person('alice'), person('bob'), person('carol')],
  'escargot-MSNP12': [person('alice', numbers), person('bob', { personal: 'on the <road> & away' }), person('carol')],
  'libpurple-MSNP9-with-escargot': [
    person('alice', { ...numbers, contacts: [contact('bob', 11, [0])] }),
    person('bob'),
    person('carol'),
    person('dave', { groups: [{ id: 1, name: 'Buddies' }], contacts: [contact('carol', 11, [1])] }),
  ],
}

interface Deviation {
  readonly why: string
  /** Transcript and connection. */
  readonly where: RegExp
  readonly missing?: RegExp
  readonly extra?: RegExp
  /** How often in all; a row that fits nothing any more must go. */
  readonly times: number
}

/** Where our service answers differently from the server of the transcripts. Everything else is the same. */
const DEVIATIONS: readonly Deviation[] = [
  {
    why: 'VER is answered with every common dialect and CVR0: docs/protocol.md, VER, CVR, USR',
    where: /NS$/,
    missing: /^VER 1 MSNP(?:8|9|12)$/,
    extra: /^VER 1 (MSNP12|MSNP9|MSNP8|MSNP9 MSNP8) CVR0$/,
    times: 17,
  },
  {
    why: 'CHG without a client id is taken, there it is passed over in silence: docs/protocol.md, Presence',
    where: /escargot-MSNP\d+ A\.NS$/,
    extra: /^CHG 7 NLN$/,
    times: 3,
  },
  {
    why: 'an unknown command is answered 200, there it is passed over in silence: docs/protocol.md, Errors',
    where: /escargot-MSNP\d+ A\.NS$/,
    extra: /^200 3[57]$/,
    times: 3,
  },
  {
    why: 'QRY is answered although nobody was challenged: docs/protocol.md, Challenge',
    where: /escargot-MSNP\d+ A\.NS$/,
    extra: /^QRY 3[79]$/,
    times: 3,
  },
  {
    why: 'group 0 cannot be removed: 230 as in the source document, not 224: docs/protocol.md, Errors',
    where: /escargot-MSNP[89] A\.NS$/,
    missing: /^224 34$/,
    extra: /^230 34$/,
    times: 2,
  },
  {
    why: 'taken out of one of two groups, a contact stays on FL; there it leaves it, and 216 comes: docs/protocol.md, Foreign networks',
    where: /escargot-MSNP[89] A\.NS$/,
    missing: /^216 29$/,
    extra: /^REM 29 FL <version> bob@example.com$/,
    times: 2,
  },
  {
    why: 'taken out of its only group, a contact stays on FL; there it leaves it, and 216 comes: docs/protocol.md, Changing lists',
    where: /escargot-MSNP12 A\.NS$/,
    missing: /^216 31$/,
    extra: /^REM 31 FL [0-9a-f-]{36}$/,
    times: 1,
  },
  {
    why: 'BLP as it is already is echoed from MSNP10 on: docs/protocol.md, Names, phones, privacy',
    where: /escargot-MSNP12 A\.NS$/,
    missing: /^218 21$/,
    extra: /^BLP 21 BL$/,
    times: 1,
  },
  {
    why: 'there is no mail, and nothing is said of it: docs/protocol.md, Sign-in',
    where: /escargot-MSNP12 .*NS$/,
    missing: /^MSG Hotmail Hotmail Content-Type$/,
    times: 5,
  },
  {
    why: 'who is added has the name that we gave them, there the one that they have given themselves: docs/protocol.md, Names, phones, privacy',
    where: /escargot-MSNP12 [AB]\.NS$/,
    missing: /^ADC (?:8|40) FL N=(?:alice|bob)@example.com F=\S+ C=[0-9a-f-]{36}$/,
    extra: /^ADC (?:8|40) FL N=(?:alice|bob)@example.com F=(?:alice|bob@example.com) C=[0-9a-f-]{36}$/,
    times: 2,
  },
  {
    why: 'LST has that name, too',
    where: /escargot-MSNP12 B2\.NS$/,
    missing: /^LST N=alice@example.com F=alice@example.com C=[0-9a-f-]{36} 3 1$/,
    extra: /^LST N=alice@example.com F=alice C=[0-9a-f-]{36} 3 1$/,
    times: 1,
  },
  {
    why: 'LST has that name, too, and who has had our answer once is never on PL again: docs/protocol.md, Changing lists',
    where: /escargot-MSNP12 A2\.NS$/,
    missing: /^LST N=bob@example.com F=Bob_☃_"100%"_é C=[0-9a-f-]{36} 17 1$/,
    extra: /^LST N=bob@example.com F=bob@example.com C=[0-9a-f-]{36} 9 1$/,
    times: 1,
  },
  {
    why: 'NOT, news of address books of later clients, is not sent: docs/protocol.md, Foreign networks',
    where: /NS$/,
    missing: /^NOT$/,
    times: 15,
  },
  {
    why: 'NLN is said once, there often twice: docs/protocol.md, Foreign networks',
    where: /escargot-MSNP\d+ A\.NS$/,
    missing: /^NLN NLN bob@example.com bob@example.com \d+$/,
    times: 3,
  },
  {
    why: 'NLN is said once, there before each RNG and twice after an unblock',
    where: /escargot-MSNP\d+ B\.NS$/,
    missing: /^NLN NLN alice@example.com alice@example.com \d+( <msnobj_.*>)?$/,
    times: 9,
  },
  {
    why: 'NLN is said once, there twice after an ADD and after an unblock',
    where: /libpurple.* 48872\.NS$/,
    missing: /^NLN NLN dave@example.com dave@example.com \d+$/,
    times: 2,
  },
  {
    why: 'who is on neither AL nor BL sees us with BLP AL, there only after ADD AL: docs/protocol.md, Contact lists',
    where: /libpurple.* 48884\.NS$/,
    missing: /^NLN NLN alice@example.com alice@example.com \d+$/,
    extra: /^ILN 8 NLN alice@example.com alice@example.com \d+$/,
    times: 1,
  },
  {
    why: 'a new contact comes with all four numbers; there only with those set, and later: docs/protocol.md, Changing lists',
    where: /libpurple.* 48884\.NS$/,
    extra: /^BPR <version> alice@example.com (PHW|PHM|MOB N)$/,
    times: 3,
  },
  {
    why: 'a number is said when it changes, there again with every NLN, and when it is set to what it is',
    where: /escargot-MSNP\d+ B\.NS$/,
    missing: /^BPR (?:<version> )?alice@example.com PHH 555_1234$/,
    times: 7,
  },
  {
    why: 'numbers are those of contacts on FL, there of everybody on a list: docs/protocol.md, Synchronisation',
    where: /escargot-MSNP(?:8|12) B\.NS$/,
    missing: /^BPR PHH 555_1234$/,
    times: 2,
  },
  {
    why: 'LST has the name that we gave a contact, there the one that it has given itself: docs/protocol.md, Names, phones, privacy',
    where: /escargot-MSNP[89] A2\.NS$/,
    missing: /^LST bob@example.com Bob_☃_"100%"_é 9 0$/,
    extra: /^LST bob@example.com bob@example.com 9 0$/,
    times: 2,
  },
  {
    why: 'a message into an empty room is refused: docs/protocol.md, Switchboard messages',
    where: /escargot-MSNP\d+ A\.SB$/,
    missing: /^ACK 12$/,
    extra: /^NAK 12$/,
    times: 3,
  },
  {
    why: 'UBX is said once, there twice after an unblock',
    where: /escargot-MSNP12 B\.NS$/,
    missing: /^UBX alice@example.com 53 <Data><PSM><\/PSM><CurrentMedia><\/CurrentMedia><\/Data>$/,
    times: 1,
  },
]

/** Forms of one and the same in which the server of the transcripts differs throughout. */
const sameAs = (line: string): string =>
  line
    // No picture is told by no object, there by an empty one: docs/protocol.md, Presence
    .replace(/^((?:NLN|ILN) .*) <msnobj\/>$/, '$1')
    // Groups are only told of people on FL: docs/protocol.md, Synchronisation
    .replace(/^(LST \S+ \S+ (?:2|4|8|10|12)) 0$/, '$1')
    // LST may end in a space: docs/protocol.md, Foreign networks
    .replace(/^(LST .*) $/, '$1')

const theirAnswers = ({ frames }: TranscriptConnection, ids: ReadonlyMap<string, string>): readonly string[] =>
  frames
    .filter(({ from }) => from === 'server')
    .map(({ words: [verb = '', ...params], payload }) =>
      sameAs(comparable({ verb, params: params.map((word) => withIds(word, ids)), payload })),
    )

describe('played as the client against our service', () => {
  it.each(TRANSCRIPTS.flatMap((name) => MODES.map((mode) => [name, mode] as const)))(
    '%s, %s, is answered as there but for the listed deviations',
    async (name, mode) => {
      const served = await playAgainstService(read[name], BEFORE[name], mode)
      const unlisted: string[] = []
      for (const connection of read[name].connections) {
        const ours = served.connections.get(connection.name)?.answers.map(comparable) ?? []
        const theirs = theirAnswers(connection, served.ids)
        // Answers to commands that came in one packet may overtake each other.
        const found =
          mode === 'coalesced' ? differences([...theirs].sort(), [...ours].sort()) : differences(theirs, ours)
        const where = `${name} ${connection.name}`
        unlisted.push(
          ...found.filter((each) => !isListed(where, each)).map(({ kind, line }) => `${where}: ${kind} ${line}`),
        )
      }
      expect(unlisted).toEqual([])
    },
  )

  it('each deviation is met as often as its row says', async () => {
    const all: (Difference & { where: string })[] = []
    for (const name of TRANSCRIPTS) {
      const served = await playAgainstService(read[name], BEFORE[name], 'whole')
      for (const connection of read[name].connections) {
        const answers = served.connections.get(connection.name)?.answers.map(comparable) ?? []
        const where = `${name} ${connection.name}`
        all.push(...differences(theirAnswers(connection, served.ids), answers).map((each) => ({ ...each, where })))
      }
    }
    for (const row of DEVIATIONS) {
      const met = (kind: Difference['kind']): number =>
        all.filter((each) => each.kind === kind && fits(row, each.where, each)).length
      if (row.missing !== undefined) expect(met('missing'), row.why).toBe(row.times)
      if (row.extra !== undefined) expect(met('extra'), row.why).toBe(row.times)
    }
  })

  it.each(TRANSCRIPTS)('%s: list versions only rise, and the lists are what was made of them', async (name) => {
    const { connections: ours, accounts } = await playAgainstService(read[name], BEFORE[name], 'whole')
    for (const { answers } of ours.values()) {
      const versions = answers.map(versionOf).filter((version) => version !== undefined)
      expect(versions).toEqual([...versions].sort((a, b) => a - b))
    }
    const lists = Object.fromEntries(
      [...accounts].map(([email, { contacts }]) => [email, contacts.map((each) => `${each.email} ${each.lists}`)]),
    )
    expect(lists).toEqual(
      name === 'libpurple-MSNP9-with-escargot'
        ? {
            'alice@example.com': ['bob@example.com 11', 'dave@example.com 3'],
            'bob@example.com': [],
            'carol@example.com': [],
            'dave@example.com': ['carol@example.com 11', 'alice@example.com 10'],
          }
        : { 'alice@example.com': [], 'bob@example.com': [], 'carol@example.com': [] },
    )
  })

  it.each(TRANSCRIPTS)('%s: connections end as they did there', async (name) => {
    const { connections: ours } = await playAgainstService(read[name], BEFORE[name], 'whole')
    const ended = read[name].steps.filter((step) => step.kind === 'closed').map((step) => step.connection)
    for (const { name: each } of read[name].connections) {
      const reason = ours.get(each)?.closed
      if (!ended.includes(each)) expect(reason, each).toBeUndefined()
      else if (name !== 'libpurple-MSNP9-with-escargot' && each === 'A.SB') {
        const at = { verb: 'MSG', length: 1762 }
        expect(reason).toEqual({ kind: 'peer-violation', detail: 'a message that is too long', at })
      } else expect(reason, each).toEqual({ kind: 'done' })
    }
  })
})

const fits = (row: Deviation, where: string, { kind, line }: Difference): boolean =>
  row.where.test(where) && (kind === 'missing' ? row.missing : row.extra)?.test(line) === true

const isListed = (where: string, difference: Difference): boolean =>
  DEVIATIONS.some((row) => fits(row, where, difference))
