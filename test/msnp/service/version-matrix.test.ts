import { describe, expect, it } from 'vitest'
import { DIALECTS, TRAITS, type Dialect } from '../../../msnp/model/dialect.ts'
import { newAccount, type AccountRecord, type ServiceTimings } from '../../../msnp/service/contract.ts'
import { contactGuid, groupGuid } from '../../../msnp/service/guids.ts'
import { challengeAnswer, productFor } from '../../../msnp/session/challenge.ts'
import { DialectPerson, Peer } from '../../kit/dialect-people.ts'
import { WholeService } from '../../kit/whole-service.ts'

/** docs/protocol.md, Dialects: each row of the table, as the service keeps to it. */

const ALICE = 'alice@example.com'
const BOB = 'bob@example.com'
const OBJECT = '%3Cmsnobj%20Creator%3D%22bob%22%2F%3E'
const GROUP = { id: 1, name: 'Work' }

/** What stands in a cell of the table, for dialects 8 to 12; a cell that is missing is that of the dialect before. */
type Later<T> = T | undefined
type Cells<T> = readonly [eight: T, nine?: Later<T>, ten?: Later<T>, eleven?: Later<T>, twelve?: Later<T>]
function cell<T>(cells: Cells<T>, dialect: Dialect): T {
  const filled = cells.slice(0, TRAITS[dialect].number - 7).filter((one) => one !== undefined)
  return filled.at(-1) ?? cells[0]
}

const world = (timings: Partial<ServiceTimings> = {}): WholeService => {
  const records: readonly AccountRecord[] = [
    {
      ...newAccount(ALICE, 'Alice A'),
      version: 27,
      groups: [GROUP],
      contacts: [{ email: BOB, name: 'Bob', lists: 11, groups: [1] }],
    },
    { ...newAccount(BOB, 'Bob'), contacts: [{ email: ALICE, name: 'Alice', lists: 11, groups: [0] }] },
    newAccount('carol@example.com', 'Carol'),
  ]
  return new WholeService(new Map(records.map((record) => [record.email, record])), { timings })
}

/** `verb` of each line, and of MSG the type. */
const kinds = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => /Content-Type: ([^;\r]+)/.exec(line)?.[1] ?? line.split(' ')[0] ?? '')

/** A switchboard with alice, who called, and bob. */
async function talk(service: WholeService, alice: DialectPerson, bob: DialectPerson) {
  alice.take()
  bob.take()
  const [transfer = ''] = await alice.say('XFR 15 SB')
  const caller = new Peer(service, 'SB')
  await caller.say(`USR 1 ${ALICE} ${transfer.split(' ')[5] ?? ''}`)
  await caller.say(`CAL 2 ${BOB}`)
  const [ring = ''] = bob.take()
  const [, session = '', , , ticket = ''] = ring.split(' ')
  const callee = new Peer(service, 'SB')
  const inside = await callee.say(`ANS 1 ${BOB} ${ticket} ${session}`)
  return { caller, callee, transfer, ring, inside, joined: caller.take() }
}

describe.each(DIALECTS)('the service at %s', (dialect) => {
  const at = <T>(...cells: Cells<T>): T => cell(cells, dialect)

  it('authenticates by TWN', async () => {
    const peer = new Peer(world(), 'NS')
    expect(await peer.say(`VER 1 MSNP18 ${dialect} CVR0`)).toEqual([`VER 1 ${dialect} CVR0`])
    expect(await peer.say(`USR 2 TWN I ${ALICE}`)).toEqual([expect.stringMatching(/^USR 2 TWN S lc=1033,/)])
    expect(await peer.say(`USR 3 SSO I ${ALICE}`)).toEqual(['201 3'])
  })

  it('USR OK, and what comes after it', async () => {
    const service = world()
    const peer = new Peer(service, 'NS')
    await peer.say(`VER 1 ${dialect} CVR0`)
    await peer.say(`USR 2 TWN I ${ALICE}`)
    const lines = await peer.say(`USR 3 TWN S ${service.ticket(ALICE)}`)
    expect(lines[0]).toBe(at(`USR 3 OK ${ALICE} Alice%20A 1 0`, undefined, `USR 3 OK ${ALICE} 1 0`))
    const profile = ['text/x-msmsgsprofile']
    expect(kinds(lines.slice(1))).toEqual(at(profile, undefined, undefined, ['SBS', ...profile]))
    expect(lines.at(-1)?.includes('\r\nABCHMigrated: 1\r\n')).toBe(at<boolean>(false, false, true))
  })

  it('XFR NS names both addresses', async () => {
    const peer = new Peer(world(), 'DS')
    await peer.say(`VER 1 ${dialect} CVR0`)
    expect(await peer.say(`USR 3 TWN I ${ALICE}`)).toEqual(['XFR 3 NS 192.0.2.1:1863 0 192.0.2.1:1863'])
    expect(peer.isClosed).toBe(true)
  })

  it('lists: versions, our own name, groups, people', async () => {
    const alice = await DialectPerson.arrive(world(), 'alice', dialect)
    const version = '2000-01-01T00:00:27.0-00:00'
    const guid = contactGuid(ALICE, BOB)
    const group = groupGuid(ALICE, GROUP)
    const keyed = (network: string) => [
      `SYN 4 ${version} ${version} 1 1`,
      'PRP MFN Alice%20A',
      `LSG Work ${group}`,
      `LST N=${BOB} F=Bob C=${guid} 11${network} ${group}`,
    ]
    const numbered = ['SYN 4 27 1 2', 'LSG 0 Other%20Contacts 0', 'LSG 1 Work 0', `LST ${BOB} Bob 11 1`]
    const lists = alice.all.filter((line) => /^(?:SYN|PRP|LSG|LST) /.test(line))
    expect(lists).toEqual(at(numbered, undefined, keyed(''), undefined, keyed(' 1')))
  })

  it('ids, adding and removing, with or without list versions', async () => {
    const alice = await DialectPerson.arrive(world(), 'alice', dialect)
    const carol = 'carol@example.com'
    const guid = contactGuid(ALICE, carol)
    expect((await alice.add('FL', carol, 'Carol'))[0]).toBe(
      at(`ADD 8 FL 28 ${carol} Carol`, undefined, `ADC 8 FL N=${carol} F=Carol C=${guid}`),
    )
    expect(await alice.add('AL', carol, 'Carol')).toEqual([
      at(`ADD 8 AL 29 ${carol} Carol`, undefined, `ADC 8 AL N=${carol}`),
    ])
    expect(await alice.remove('FL', carol)).toEqual([at(`REM 9 FL 30 ${carol}`, undefined, `REM 9 FL ${guid}`)])
    expect(await alice.remove('AL', carol)).toEqual([at(`REM 9 AL 31 ${carol}`, undefined, `REM 9 AL ${carol}`)])
    expect(await alice.say('BLP 9 BL')).toEqual([at('BLP 9 32 BL', undefined, 'BLP 9 BL')])
  })

  it('renames ourselves and a contact', async () => {
    const alice = await DialectPerson.arrive(world(), 'alice', dialect)
    const guid = contactGuid(ALICE, BOB)
    expect(await alice.rename('Ally')).toEqual([at(`REA 7 28 ${ALICE} Ally`, undefined, 'PRP 7 MFN Ally')])
    expect(await alice.say(at(`REA 8 ${BOB} Bobby`, undefined, `SBP 8 ${guid} MFN Bobby`))).toEqual([
      at(`REA 8 29 ${BOB} Bobby`, undefined, `SBP 8 ${guid} MFN Bobby`),
    ])
  })

  it('CHG, NLN, ILN and FLN, with a picture or without', async () => {
    const service = world()
    const bob = await DialectPerson.arrive(service, 'bob', 'MSNP12', { object: OBJECT })
    const alice = await DialectPerson.arrive(service, 'alice', dialect, { object: OBJECT })
    const object = at('', ` ${OBJECT}`)
    const empty = 'UBX bob@example.com 53 | <Data><PSM></PSM><CurrentMedia></CurrentMedia></Data>'
    expect(alice.welcome).toEqual([
      `CHG 5 NLN 268435456${object}`,
      `ILN 5 NLN ${BOB} Bob 268435456${object}`,
      ...at<readonly string[]>([], undefined, undefined, [empty]),
    ])
    await bob.looks({ status: 'PHN', object: OBJECT })
    expect(alice.take()).toEqual([`NLN PHN ${BOB} Bob 268435456${object}`])
    await bob.say('OUT')
    expect(alice.take()).toEqual([`FLN ${BOB}`])
  })

  it('UUX and UBX', async () => {
    const service = world()
    const bob = await DialectPerson.arrive(service, 'bob', 'MSNP12')
    const alice = await DialectPerson.arrive(service, 'alice', dialect)
    expect(await alice.personal('me')).toEqual([at('200 6', undefined, undefined, 'UUX 6 0')])
    expect(bob.take().some((line) => line.includes('<PSM>me</PSM>'))).toBe(at<boolean>(false, false, false, true))
    await bob.personal('you')
    expect(alice.take().some((line) => line.includes('<PSM>you</PSM>'))).toBe(at<boolean>(false, false, false, true))
  })

  it('GCF', async () => {
    const alice = await DialectPerson.arrive(world(), 'alice', dialect)
    const [answer = ''] = await alice.say('GCF 6 Shields.xml')
    expect(answer.split(' | ')[0]).toBe(at('200 6', undefined, undefined, 'GCF 6 Shields.xml 151'))
  })

  it('CHL is answered by the calculation of the dialect, and by that alone', async () => {
    const { number } = TRAITS[dialect]
    const answered = async (calculation: number): Promise<string> => {
      const alice = await DialectPerson.arrive(world({ challenge: 'once' }), 'alice', dialect)
      const challenge = alice.welcome.find((line) => line.startsWith('CHL 0 '))?.split(' ')[2] ?? ''
      expect(challenge).toMatch(/^\d{20}$/)
      const product = productFor(number)
      const [answer = ''] = await alice.say(`QRY 9 ${product.id}`, challengeAnswer(challenge, product, calculation))
      return answer
    }
    expect(await answered(at(8, undefined, undefined, 11))).toBe('QRY 9')
    expect(await answered(at(11, undefined, undefined, 8))).toBe('540 9')
  })

  it('QNG has a number or none', async () => {
    const alice = await DialectPerson.arrive(world(), 'alice', dialect)
    expect(await alice.say('PNG')).toEqual([at('QNG', 'QNG 50')])
  })

  it('acknowledges D, and passes peer-to-peer data, nudges and winks on as they are', async () => {
    const service = world()
    const bob = await DialectPerson.arrive(service, 'bob', 'MSNP12')
    const { caller, callee } = await talk(service, await DialectPerson.arrive(service, 'alice', dialect), bob)
    const data = `MIME-Version: 1.0\r\nContent-Type: application/x-msnmsgrp2p\r\n\r\n${'\0'.repeat(52)}`
    // At MSNP8 no client says it, and the source document knows no difference: it is taken all the same.
    expect(await caller.say('MSG 3 D', data)).toEqual(['ACK 3'])
    expect(callee.take()).toEqual([`MSG ${ALICE} Alice%20A ${data.length} | ${data}`])
    expect(await caller.say('MSG 4 D', data.slice(0, -1))).toEqual(['282 4'])
    for (const id of [1, 2]) {
      const cast = `MIME-Version: 1.0\r\nContent-Type: text/x-msnmsgr-datacast\r\n\r\nID: ${id}\r\n\r\n`
      await callee.say('MSG 5 N', cast)
      expect(caller.take()).toEqual([`MSG ${BOB} Bob ${cast.length} | ${cast}`])
    }
  })

  it('IRO and JOI carry client ids or none; XFR SB and RNG are the same everywhere', async () => {
    const service = world()
    const alice = await DialectPerson.arrive(service, 'alice', dialect, { clientId: '1073741860' })
    const bob = await DialectPerson.arrive(service, 'bob', dialect, { clientId: '268435500' })
    const { transfer, ring, inside, joined } = await talk(service, alice, bob)
    expect(transfer).toMatch(/^XFR 15 SB 192\.0\.2\.1:1864 CKI [\d.]+$/)
    expect(ring).toMatch(/^RNG \d+ 192\.0\.2\.1:1864 CKI [\d.]+ alice@example\.com Alice%20A$/)
    const none = undefined
    expect(inside[0]).toBe(`IRO 1 1 1 ${ALICE} Alice%20A${at('', none, none, none, ' 1073741860')}`)
    expect(joined).toEqual([`JOI ${BOB} Bob${at('', none, none, none, ' 268435500')}`])
  })

  it('GTC is there in all, with the version or without', async () => {
    const alice = await DialectPerson.arrive(world(), 'alice', dialect)
    expect(alice.all).toContain('GTC A')
    expect(await alice.say('GTC 9 N')).toEqual([at('GTC 9 28 N', undefined, 'GTC 9 N')])
  })

  it('tells that there is no such account', async () => {
    const alice = await DialectPerson.arrive(world(), 'alice', dialect)
    expect(await alice.add('AL', 'none@example.com', 'none')).toEqual([at('205 8', undefined, '208 8')])
  })

  it('says nothing of mail or of messages that wait: there are none', async () => {
    const alice = await DialectPerson.arrive(world(), 'alice', dialect)
    expect(kinds(alice.all.filter((line) => line.startsWith('MSG')))).toEqual(['text/x-msmsgsprofile'])
    expect(alice.all.find((line) => line.startsWith('MSG'))).toContain('\r\nEmailEnabled: 0\r\n')
  })

  it('knows what has gone: 502, but for INF, and for LST and LSG as long as the source document has them', async () => {
    const alice = await DialectPerson.arrive(world(), 'alice', dialect)
    const code = async (line: string, payload?: string): Promise<string> =>
      ((await alice.say(line, payload))[0] ?? '').split(' ')[0] ?? ''
    expect(await code('INF 9')).toBe('INF')
    expect(await code('FND 9 fname=Bob')).toBe('502')
    expect(await code('PAG 9 +15550100', 'hello')).toBe(at('715', '502'))
    expect(await code('PGD 9 +15550100 1', 'hello')).toBe(at('200', '715'))
    expect(await code('LST 9 FL')).toBe(at('LST', undefined, '502'))
    expect(await code('LSG 9')).toBe(at('LSG', undefined, '502'))
    expect(await code(`ADD 9 AL carol@example.com Carol`)).toBe(at('ADD', undefined, '502'))
    expect(await code(`REA 9 ${ALICE} Ally`)).toBe(at('REA', undefined, '502'))
    expect(await code(`ADC 9 AL N=carol@example.com`)).toBe(at('200', undefined, 'ADC'))
    expect(await code(`SBP 9 ${contactGuid(ALICE, BOB)} MFN B`)).toBe(at('200', undefined, 'SBP'))
  })
})
