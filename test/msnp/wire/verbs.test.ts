import { describe, expect, it } from 'vitest'
import { payloadRule, verbOf, VERBS, type Role } from '../../../msnp/wire/verbs.ts'

/**
 * The commands of the source document with who sends them to whom (docs/protocol.md, Commands). C: client; D, N, S:
 * dispatch, notification and switchboard server. `JIO` there is a slip for JOI.
 */
const SOURCE = `
ACK S>C | ADD C>N N>C | ADG C>N N>C | ANS C>S | BLP C>N N>C | BYE S>C | CAL C>S S>C | CHG C>N N>C | CHL N>C S>C
CVR C>N C>S N>C S>C | FLN N>C | GTC C>N N>C | INF C>N C>S N>C S>C | ILN N>C | IRO S>C | JOI S>C | LSG C>N N>C
LST C>N N>C | MSG C>S N>C S>C | NAK S>C | NLN N>C | OUT C>D C>N C>S D>C N>C S>C | PNG C>N C>S | PRP C>N N>C
QNG N>C S>C | QRY C>N C>S | REA C>N N>C | REG C>N N>C | REM C>N N>C | RMG C>N N>C | RNG N>C | SYN C>N N>C
URL C>N N>C | USR C>D C>N C>S D>C N>C S>C | VER C>D C>N D>C N>C | XFR D>C C>N N>C`
  .split(/[|\n]/)
  .map((entry) => entry.trim().split(' '))
  .filter(([verb]) => verb !== '')
  .map(([verb = '', ...ways]) => ({ verb, ways }))

const ROLES: Readonly<Record<string, Role>> = { D: 'DS', N: 'NS', S: 'SB' }

describe('the table of commands', () => {
  it('has the 36 commands of the source document', () => {
    expect(SOURCE).toHaveLength(36)
    expect(SOURCE.filter(({ verb }) => verbOf(verb) === undefined)).toEqual([])
  })

  it.each(SOURCE.flatMap(({ verb, ways }) => ways.map((way) => [verb, way] as const)))(
    'has %s going %s',
    (verb, way) => {
      const [from = '', to = ''] = way.split('>')
      const row = verbOf(verb)
      expect(row?.[from === 'C' ? 'client' : 'server']).toBeDefined()
      expect(row?.roles).toContain(ROLES[from === 'C' ? to : from])
    },
  )

  it('has each command once, in order, three capitals long', () => {
    const names = VERBS.map((row) => row.verb)
    expect(names).toEqual([...new Set(names)].sort())
    for (const name of names) expect(name).toMatch(/^[A-Z]{3}$/)
  })

  it('says of each command who sends it', () => {
    for (const row of VERBS) expect(row.client ?? row.server, row.verb).toBeDefined()
  })

  it.each([
    ['MSG', 'client', 'length'],
    ['MSG', 'server', 'length'],
    ['QRY', 'client', 'length'],
    ['QRY', 'server', undefined],
    ['NOT', 'server', 'length'],
    ['IPG', 'server', 'length'],
    ['UBX', 'server', 'length'],
    ['UUX', 'client', 'length'],
    ['UUX', 'server', 'maybe'],
    ['GCF', 'server', 'maybe'],
    ['SDC', 'client', 'length'],
    ['PAG', 'client', 'length'],
    ['PGD', 'client', 'length'],
    ['ADG', 'client', undefined],
    ['CHG', 'client', undefined],
    ['SYN', 'server', undefined],
    ['FOO', 'client', undefined],
  ] as const)('knows whether bytes follow %s from the %s: %s', (verb, side, rule) => {
    expect(payloadRule(verb, side)).toBe(rule)
  })

  it('knows which commands have no transaction id', () => {
    const bare = VERBS.filter((row) => row.client?.trid === 'none').map((row) => row.verb)
    expect(bare).toEqual(['OUT', 'PNG'])
    const fromServer = VERBS.filter((row) => row.server?.trid === 'none').map((row) => row.verb)
    expect(fromServer).toEqual(['BPR', 'BYE', 'FLN', 'IPG', 'JOI', 'MSG', 'NLN', 'NOT', 'OUT', 'QNG', 'RNG', 'UBX'])
  })
})
