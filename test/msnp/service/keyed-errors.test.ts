import { describe, it } from 'vitest'
import { DIALECTS, TRAITS } from '../../../msnp/model/dialect.ts'
import { groupGuid } from '../../../msnp/service/guids.ts'
import { play, type ErrorRow } from '../../kit/error-rows.ts'

/** docs/protocol.md, Errors; Changing lists: the codes of what comes with MSNP10 and 11, and of what has gone. */

const FRANK = '65e69262-55fc-4507-b637-3b888a709f43'
const NOBODY = '00000000-0000-4000-8000-000000000000'
const [WORK, HOME, PLAY] = ['Work', 'Home', 'Play'].map((name, index) =>
  groupGuid('alice@example.com', { id: index + 1, name }),
)

/** From MSNP10 on. */
const KEYED: readonly ErrorRow[] = [
  { code: 200, name: 'a command of a later dialect', talk: [['ADL 18 0', '200 18']] },
  { code: 201, name: 'two @ in an address', talk: [['ADC 20 AL N=a@b@c', '201 20']] },
  { code: 201, name: 'no address and no id', talk: [['ADC 20 FL F=Bob', '201 20']] },
  { code: 201, name: 'an address that is none', talk: [['ADC 20 FL N=bob', '201 20']] },
  { code: 201, name: 'a phone, which has no account', talk: [['ADC 20 FL N=tel:+15550100 F=Bob', '201 20']] },
  { code: 201, name: 'a list that does not exist', talk: [['ADC 20 XL N=bob@example.com', '201 20']] },
  {
    code: 201,
    name: 'the lists of the server',
    talk: [
      ['ADC 20 PL N=bob@example.com', '201 20'],
      [`ADC 21 RL C=${FRANK}`, '201 21'],
      ['REM 22 RL bob@example.com', '201 22'],
    ],
  },
  {
    code: 206,
    name: 'no domain',
    talk: [
      ['ADC 21 FL N=bob@ F=bob', '206 21'],
      ['REM 22 PL bob@', '206 22'],
    ],
  },
  {
    code: 208,
    name: 'no such account',
    talk: [
      ['ADC 21 AL N=none@example.com', '208 21'],
      ['ADC 22 FL N=none@example.com F=none', '208 22'],
    ],
  },
  {
    code: 209,
    name: 'a banned word in a name',
    limits: { bannedWords: ['microsoft'] },
    talk: [
      ['PRP 18 MFN kill%20Microsoft', '209 18'],
      [`SBP 19 ${FRANK} MFN Microsoft`, '209 19'],
    ],
  },
  {
    code: 209,
    name: 'a name that is too long',
    talk: [
      [`PRP 18 MFN ${'n'.repeat(388)}`, '209 18'],
      [`ADC 19 FL N=bob@example.com F=${'n'.repeat(388)}`, '209 19'],
      [`PRP 20 MFN ${'n'.repeat(387)}`, `PRP 20 MFN ${'n'.repeat(387)}`],
    ],
  },
  {
    code: 210,
    name: 'the list is full',
    limits: { contacts: 1 },
    talk: [
      ['ADC 23 FL N=carol@example.com F=carol', '210 23'],
      [`ADC 24 FL C=${FRANK} ${WORK}`, `ADC 24 FL C=${FRANK} ${WORK}`],
    ],
  },
  {
    code: 215,
    name: 'there already',
    talk: [
      ['ADC 23 FL N=frank@example.com F=Frank', '215 23'],
      [`ADC 24 FL C=${FRANK}`, '215 24'],
      [`ADC 25 FL C=${FRANK} ${WORK}`, `ADC 25 FL C=${FRANK} ${WORK}`],
      [`ADC 26 FL C=${FRANK} ${WORK}`, '215 26'],
      ['ADC 27 AL N=frank@example.com', '215 27'],
      ['ADC 28 FL N=alice@example.com F=me', '215 28'],
    ],
  },
  {
    code: 216,
    name: 'not on the list',
    talk: [
      [`REM 14 FL ${NOBODY}`, '216 14'],
      ['REM 15 BL frank@example.com', '216 15'],
      [`SBP 48 ${NOBODY} MFN carol`, '216 48'],
      [`ADC 49 FL C=${NOBODY} ${WORK}`, '216 49'],
      ['REM 50 PL carol@example.com', '216 50'],
      ['ADC 51 RL N=carol@example.com', '216 51'],
    ],
  },
  {
    code: 219,
    name: 'on the opposite list',
    talk: [
      ['ADC 15 BL N=frank@example.com', '219 15'],
      ['REM 16 AL frank@example.com', 'REM 16 AL frank@example.com'],
      ['ADC 17 BL N=frank@example.com', 'ADC 17 BL N=frank@example.com'],
      ['ADC 18 AL N=frank@example.com', '219 18'],
    ],
  },
  { code: 223, name: 'too many groups', limits: { groups: 3 }, talk: [['ADG 28 new%20group 0', '223 28']] },
  {
    code: 224,
    name: 'no such group',
    talk: [
      [`RMG 24 ${PLAY}`, `RMG 24 1 ${PLAY}`],
      [`ADC 25 FL N=eve@example.com ${PLAY}`, '224 25'],
      [`ADC 25 FL C=${FRANK} ${PLAY}`, '224 25'],
      [`REM 25 FL ${FRANK} ${PLAY}`, '224 25'],
      [`REG 25 ${PLAY} New%20Name 0`, '224 25'],
      [`RMG 25 ${PLAY}`, '224 25'],
      ['RMG 26 New%2520Group', '224 26'],
      ['RMG 27 9', '224 27'],
      ['RMG 28 0', '224 28'],
    ],
  },
  { code: 225, name: 'not in the group', talk: [[`REM 26 FL ${FRANK} ${HOME}`, '225 26']] },
  {
    code: 228,
    name: 'there is a group of that name',
    talk: [
      ['ADG 27 Home 0', '228 27'],
      [`REG 28 ${WORK} Home 0`, '228 28'],
      [`REG 29 ${WORK} Work 0`, `REG 29 1 Work ${WORK} 0`],
    ],
  },
  {
    code: 229,
    name: 'the name of the group is too long',
    talk: [
      [`ADG 27 ${'g'.repeat(62)} 0`, '229 27'],
      [`REG 28 ${WORK} ${'g'.repeat(62)} 0`, '229 28'],
    ],
  },
  {
    code: 300,
    name: 'a required field is missing',
    talk: [
      'SYN',
      'ADC',
      'ADC 1 FL',
      'REM',
      'REM 1 FL',
      'SBP',
      `SBP 1 ${FRANK}`,
      `SBP 1 ${FRANK} MFN`,
      'PRP',
      'PRP 1 MFN',
      'ADG',
      'REG',
      'RMG',
    ].map((line): readonly [string, string] => (line.includes(' ') ? [line, '300 1'] : [`${line} 1`, '300 1'])),
  },
  {
    code: 403,
    name: 'an id that is none',
    talk: [
      ['REM 20 FL frank@example.com', '403 20'],
      [`REM 21 FL ${FRANK} 1`, '403 21'],
      ['ADC 22 FL C=7 1', '403 22'],
      [`ADC 23 FL C=${FRANK} 1`, '403 23'],
      ['SBP 24 frank@example.com MFN Frank', '403 24'],
    ],
  },
  {
    code: 500,
    name: 'the store fails',
    arrange: ({ host }) => (host.fail = 'save'),
    talk: [
      ['ADG 30 Club 0', '500 30'],
      ['ADC 31 FL N=bob@example.com F=Bob', '500 31'],
      ['PRP 32 MFN Ally', '500 32'],
    ],
  },
  {
    code: 502,
    name: 'commands of earlier dialects',
    talk: [
      ['ADD 14 AL bob@example.com bob@example.com', '502 14'],
      ['REA 15 alice@example.com x', '502 15'],
      ['LST 16 FL', '502 16'],
      ['LSG 17', '502 17'],
      ['PAG 18 +15550100 5\r\nhello', '502 18'],
      ['FND 19 fname=Bob', '502 19'],
    ],
  },
  { code: 715, name: 'a property that does not exist', talk: [[`SBP 6 ${FRANK} ABC 1`, '715 6']] },
]

/** What is played, by a name that is long when it is escaped. */
const MEDIA = `<CurrentMedia>x\\0Music\\01\\0{0}\\0${`${"'".repeat(500)}\\0`.repeat(4)}</CurrentMedia>`

/** From MSNP11 on. */
const LATER: readonly ErrorRow[] = [
  {
    code: 201,
    name: 'a personal message that is none',
    talk: [
      ['UUX 20 5\r\nhello', '201 20'],
      [`UUX 22 ${MEDIA.length}\r\n${MEDIA}`, '201 22'],
      [`UUX 21 8193\r\n${'<PSM></PSM>'.padEnd(8193)}`, '201 21'],
    ],
  },
  { code: 201, name: 'a policy that does not exist', talk: [['GCF 20 Swords.xml', '201 20']] },
  { code: 300, name: 'no policy', talk: [['GCF 20', '300 20']] },
  {
    code: 500,
    name: 'a personal message that cannot be kept',
    arrange: ({ host }) => (host.fail = 'save'),
    talk: [['UUX 20 13\r\n<PSM>me</PSM>', '500 20']],
  },
  {
    code: 715,
    name: 'a policy before the lists',
    talk: [['GCF 20 Shields.xml', '715 20']],
  },
]

/** What MSNP11 and later have and MSNP10 has not. */
const EARLIER: readonly ErrorRow[] = [
  {
    code: 200,
    name: 'commands of later dialects',
    talk: [
      ['UUX 20 13\r\n<PSM>me</PSM>', '200 20'],
      ['GCF 21 Shields.xml', '200 21'],
    ],
  },
]

describe.each(DIALECTS)('a notification server at %s', (dialect) => {
  const { guidIds, personalMessages } = TRAITS[dialect]
  const rows = [...(guidIds ? KEYED : []), ...(personalMessages ? LATER : EARLIER)]

  it.each(rows)('answers $code: $name', (row) => play(row, dialect))
})
