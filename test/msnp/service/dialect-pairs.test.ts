import { describe, expect, it } from 'vitest'
import { DIALECTS, TRAITS } from '../../../msnp/model/dialect.ts'
import { newAccount, type AccountRecord, type SeenPresence } from '../../../msnp/service/contract.ts'
import { contactGuid, groupGuid } from '../../../msnp/service/guids.ts'
import { DialectPerson, Peer } from '../../kit/dialect-people.ts'
import { WholeService } from '../../kit/whole-service.ts'

/** docs/protocol.md, Dialects: what somebody of one dialect sees and hears of somebody of another, for all pairs. */

const ALICE = 'alice@example.com'
const BOB = 'bob@example.com'
const CAT = '%3Cmsnobj%20Creator%3D%22bob%22%20SHA1D%3D%22cat%22%2F%3E'
const DOG = '%3Cmsnobj%20Creator%3D%22bob%22%20SHA1D%3D%22dog%22%2F%3E'
const ABILITIES = '1342177332'
const pairs = DIALECTS.flatMap((viewer) => DIALECTS.map((subject) => ({ viewer, subject })))

const ubx = (email: string, text: string): string => {
  const payload = `<Data><PSM>${text}</PSM><CurrentMedia></CurrentMedia></Data>`
  return `UBX ${email} ${Buffer.byteLength(payload)} | ${payload}`
}

/** Alice has bob on FL, bob has alice on no list of his own. */
const accounts = (): Map<string, AccountRecord> => {
  const alice = { email: BOB, name: 'Bob', lists: 3, groups: [0] }
  const bob = { email: ALICE, name: 'Alice', lists: 10, groups: [] }
  return new Map(
    [
      { ...newAccount(ALICE, 'Alice A'), contacts: [alice] },
      { ...newAccount(BOB, 'Bob'), contacts: [bob] },
    ].map((record) => [record.email, record]),
  )
}

describe.each(pairs)('somebody with $viewer and somebody with $subject', ({ viewer, subject }) => {
  const { msnObject, personalMessages, memberClientIds, guidIds } = TRAITS[viewer]
  const theirs = TRAITS[subject]
  /** Behind a presence line: the picture, as far as both know pictures. */
  const picture = (object: string): string => (msnObject && theirs.msnObject ? ` ${object}` : '')
  /** Behind a coming into view. */
  const personal = (text: string): readonly string[] =>
    personalMessages ? [ubx(BOB, theirs.personalMessages ? text : '')] : []

  it('finds them there, and sees status, name, picture and personal message change', async () => {
    const service = new WholeService(accounts())
    const bob = await DialectPerson.arrive(service, 'bob', subject, {
      status: 'AWY',
      object: CAT,
      personal: 'on the &lt;road&gt; é',
    })
    const alice = await DialectPerson.arrive(service, 'alice', viewer)
    expect(alice.welcome).toEqual([
      'CHG 5 NLN 268435456',
      `ILN 5 AWY ${BOB} Bob 268435456${picture(CAT)}`,
      ...personal('on the &lt;road&gt; é'),
    ])

    await bob.looks({ status: 'BSY', object: CAT })
    expect(alice.take()).toEqual([`NLN BSY ${BOB} Bob 268435456${picture(CAT)}`])
    await bob.looks({ status: 'BSY', object: DOG })
    const isNews = theirs.msnObject
    expect(alice.take()).toEqual(isNews ? [`NLN BSY ${BOB} Bob 268435456${picture(DOG)}`] : [])
    await bob.rename('B%C3%B3b%20%E2%98%83%25')
    expect(alice.take()).toEqual([`NLN BSY ${BOB} B%C3%B3b%20%E2%98%83%25 268435456${picture(DOG)}`])
    const answer = await bob.personal('home')
    expect(answer).toEqual([theirs.personalMessages ? 'UUX 6 0' : '200 6'])
    expect(alice.take()).toEqual(personalMessages && theirs.personalMessages ? [ubx(BOB, 'home')] : [])
    await bob.personal('home')
    expect(alice.take()).toEqual([])

    await bob.looks({ status: 'HDN', object: DOG })
    expect(alice.take()).toEqual([`FLN ${BOB}`])
    await bob.personal('hidden')
    expect(alice.take()).toEqual([])
    await bob.looks({ status: 'NLN', object: DOG })
    const back = `NLN NLN ${BOB} B%C3%B3b%20%E2%98%83%25 268435456${picture(DOG)}`
    expect(alice.take()).toEqual([back, ...personal('hidden')])
    await bob.add('BL', ALICE, 'Alice')
    expect(alice.take()).toEqual([])
    await bob.remove('AL', ALICE)
    await bob.add('BL', ALICE, 'Alice')
    expect(alice.take()).toEqual([`FLN ${BOB}`])
    await bob.remove('BL', ALICE)
    expect(alice.take()).toEqual([back, ...personal('hidden')])
    await bob.say('OUT')
    expect(alice.take()).toEqual([`FLN ${BOB}`])

    if (!msnObject) expect(alice.all.join('\n')).not.toContain('msnobj')
    if (!personalMessages) expect(alice.all.filter((line) => line.startsWith('UBX'))).toEqual([])
  })

  it('is told of being added and removed, each in its own words', async () => {
    const service = new WholeService(accounts())
    const alice = await DialectPerson.arrive(service, 'alice', viewer)
    const bob = await DialectPerson.arrive(service, 'bob', subject)
    alice.take()
    const answer = await bob.add('FL', ALICE, 'Ally')
    const id = contactGuid(BOB, ALICE)
    expect(answer).toEqual([
      theirs.guidIds ? `ADC 8 FL N=${ALICE} F=Ally C=${id}` : `ADD 8 FL 2 ${ALICE} Ally`,
      ...['PHH', 'PHW', 'PHM', 'MOB N'].map((number) => `BPR ${theirs.guidIds ? '' : '2 '}${ALICE} ${number}`),
      `ILN 8 NLN ${ALICE} Alice%20A 268435456`,
      ...(theirs.personalMessages ? [ubx(ALICE, '')] : []),
    ])
    expect(alice.take()).toEqual([guidIds ? `ADC 0 RL N=${BOB} F=Bob` : `ADD 0 RL 2 ${BOB} Bob`])
    expect(await bob.remove('FL', ALICE)).toEqual([theirs.guidIds ? `REM 9 FL ${id}` : `REM 9 FL 3 ${ALICE}`])
    expect(alice.take()).toEqual([guidIds ? `REM 0 RL ${BOB}` : `REM 0 RL 3 ${BOB}`])
  })

  it('sees their numbers change', async () => {
    const service = new WholeService(accounts())
    const alice = await DialectPerson.arrive(service, 'alice', viewer)
    const bob = await DialectPerson.arrive(service, 'bob', subject)
    alice.take()
    await bob.say('PRP 7 PHM 555%201')
    expect(alice.take()).toEqual([`BPR ${guidIds ? '' : '2 '}${BOB} PHM 555%201`])
  })

  it('talks with them: text, typing, nudge and what else there is, byte for byte', async () => {
    const service = new WholeService(accounts())
    const alice = await DialectPerson.arrive(service, 'alice', viewer, { clientId: '1073741860' })
    const bob = await DialectPerson.arrive(service, 'bob', subject, { clientId: ABILITIES })
    alice.take()
    const [, , address, , token] = ((await alice.say('XFR 7 SB'))[0] ?? '').split(' ').slice(1)
    expect(address).toBe('192.0.2.1:1864')
    const caller = new Peer(service, 'SB')
    expect(await caller.say(`USR 1 ${ALICE} ${token ?? ''}`)).toEqual([`USR 1 OK ${ALICE} Alice%20A`])
    const ringing = await caller.say(`CAL 2 ${BOB}`)
    const [, session, , , ticket, ...who] = (bob.take()[0] ?? '').split(' ')
    expect(who).toEqual([ALICE, 'Alice%20A'])
    const callee = new Peer(service, 'SB')
    expect(await callee.say(`ANS 1 ${BOB} ${ticket ?? ''} ${session ?? ''}`)).toEqual([
      `IRO 1 1 1 ${ALICE} Alice%20A${theirs.memberClientIds ? ' 1073741860' : ''}`,
      'ANS 1 OK',
    ])
    expect(ringing).toEqual([`CAL 2 RINGING ${session ?? ''}`])
    expect(caller.take()).toEqual([`JOI ${BOB} Bob${memberClientIds ? ` ${ABILITIES}` : ''}`])

    const mime = (type: string, body: string): string => `MIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\n${body}`
    const messages = [
      ['U', 'MIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\nTypingUser: bob@example.com\r\n\r\n\r\n'],
      ['A', mime('text/plain; charset=UTF-8', 'Hello Alice — ünï\r\nline 2')],
      ['N', mime('text/x-msnmsgr-datacast', 'ID: 1\r\n\r\n')],
      ['S', mime('text/x-unheard-of', '<b>&</b>')],
    ] as const
    for (const [index, [ack, payload]] of messages.entries()) {
      const answer = await callee.say(`MSG ${10 + index} ${ack}`, payload)
      expect(answer).toEqual(ack === 'U' || ack === 'N' ? [] : [`ACK ${10 + index}`])
      expect(caller.take()).toEqual([`MSG ${BOB} Bob ${Buffer.byteLength(payload)} | ${payload}`])
    }
    await caller.say('MSG 3 N', messages[1][1])
    expect(callee.take()).toEqual([`MSG ${ALICE} Alice%20A ${Buffer.byteLength(messages[1][1])} | ${messages[1][1]}`])
    await callee.say('OUT')
    expect(caller.take()).toEqual([`BYE ${BOB}`])
  })
})

describe('a personal message', () => {
  it('is kept: it shows whatever the next client is, and what is played ends with the session', async () => {
    const stored = accounts()
    const service = new WholeService(stored)
    const alice = await DialectPerson.arrive(service, 'alice', 'MSNP12')
    const bob = await DialectPerson.arrive(service, 'bob', 'MSNP11')
    const media = 'WMP\\0Music\\01\\0{0} - {1}\\0Song &amp; Dance\\0Artist\\0'
    await bob.say(
      'UUX 6',
      `<Data><PSM>me</PSM><CurrentMedia>${media}</CurrentMedia><MachineGuid>x</MachineGuid></Data>`,
    )
    const payload = `<Data><PSM>me</PSM><CurrentMedia>${media}</CurrentMedia></Data>`
    expect(alice.take().at(-1)).toBe(`UBX ${BOB} ${payload.length} | ${payload}`)
    expect(stored.get(BOB)).toMatchObject({ personal: 'me', version: 1 })
    await bob.say('OUT')
    alice.take()
    const old = await DialectPerson.arrive(service, 'bob', 'MSNP8')
    expect(alice.take()).toEqual([`NLN NLN ${BOB} Bob 268435456`, ubx(BOB, 'me')])
    await old.say('OUT')
    const again = await DialectPerson.arrive(service, 'bob', 'MSNP12')
    await again.say('UUX 6 0')
    expect(alice.take().at(-1)).toBe(ubx(BOB, ''))
    expect(stored.get(BOB)).not.toHaveProperty('personal')
  })
})

describe('whoever runs the service', () => {
  it('is told what others see: status, name, picture and personal message, and nothing of who is hidden', async () => {
    const seen: SeenPresence[] = []
    const service = new WholeService(accounts(), { onPresence: (presence) => seen.push(presence) })
    const bob = await DialectPerson.arrive(service, 'bob', 'MSNP12', {
      status: 'HDN',
      object: CAT,
      personal: 'me &amp; you',
    })
    expect(seen).toEqual([])
    await bob.looks({ status: 'AWY', clientId: ABILITIES, object: CAT })
    const shown: SeenPresence = {
      email: BOB,
      name: 'Bob',
      status: 'AWY',
      clientId: ABILITIES,
      object: '<msnobj Creator="bob" SHA1D="cat"/>',
      personal: { text: 'me & you', media: undefined },
    }
    expect(seen.splice(0)).toEqual([shown])
    await bob.rename('Bobby')
    await bob.personal('home')
    expect(seen.splice(0)).toEqual([
      { ...shown, name: 'Bobby' },
      { ...shown, name: 'Bobby', personal: { text: 'home', media: undefined } },
    ])
    await bob.looks({ status: 'NLN', clientId: ABILITIES, object: '%3Cmsnobj%2F%3E' })
    expect(seen.splice(0)).toMatchObject([{ status: 'NLN', object: undefined }])
    await bob.say('OUT')
    expect(seen).toMatchObject([{ email: BOB, status: undefined }])
  })
})

describe('a contact whose account is gone', () => {
  it.each(DIALECTS)('can still be put into a group, and taken off the list, with %s', async (dialect) => {
    const gone = { email: 'gone@example.com', name: 'Gone', lists: 1, groups: [0] }
    const work = { id: 1, name: 'Work' }
    const stored = new Map([[ALICE, { ...newAccount(ALICE), groups: [work], contacts: [gone] }]])
    const alice = await DialectPerson.arrive(new WholeService(stored), 'alice', dialect)
    const [id, group] = [contactGuid(ALICE, gone.email), groupGuid(ALICE, work)]
    expect(
      await alice.say(alice.traits.guidIds ? `ADC 9 FL C=${id} ${group}` : `ADD 9 FL ${gone.email} Gone 1`),
    ).toEqual([alice.traits.guidIds ? `ADC 9 FL C=${id} ${group}` : `ADD 9 FL 2 ${gone.email} Gone 1`])
    expect(stored.get(ALICE)?.contacts[0]?.groups).toContain(1)
    expect(await alice.remove('FL', gone.email)).toEqual([`REM 9 FL ${alice.traits.guidIds ? id : `3 ${gone.email}`}`])
    expect(await alice.add('FL', gone.email, 'Gone')).toEqual([`${alice.traits.noSuchAccount} 8`])
  })
})

describe('what a client can do', () => {
  it.each([
    ['4294967295', '4294967295'],
    ['4294967296', '0'],
    ['99999999999', '0'],
    ['2147778596:48', '2147778596'],
    ['none', '0'],
  ])('said as %s is told to others as %s, which their clients can hold', async (said, told) => {
    const service = new WholeService(accounts())
    const alice = await DialectPerson.arrive(service, 'alice', 'MSNP8')
    const bob = await DialectPerson.arrive(service, 'bob', 'MSNP12')
    alice.take()
    expect(await bob.say(`CHG 6 BSY ${said}`)).toEqual([`CHG 6 BSY ${said}`])
    expect(alice.take()).toEqual([`NLN BSY ${BOB} Bob ${told}`])
  })
})
