import { describe, expect, it } from 'vitest'
import type { Ring } from '../../../msnp/service/contract.ts'
import { account, DeskWorld } from '../../kit/notification-desk.ts'

/** docs/protocol.md, Presence: who sees whom, and what each change says to whom. Bob has alice on FL throughout. */

const NLN = 'NLN NLN alice@example.com alice 268435456'
const FLN = 'FLN alice@example.com'
const AL = 2
const BL = 4
const RL = 8

/** Alice with bob on these lists of hers, and bob with alice on FL. */
const world = (lists: number, privacy: 'AL' | 'BL', phones = {}): DeskWorld =>
  new DeskWorld([
    account('alice@example.com', {
      privacy,
      phones,
      version: 20,
      contacts: [{ email: 'bob@example.com', name: 'Bob', lists: RL | lists, groups: [] }],
    }),
    account('bob@example.com', {
      version: 40,
      contacts: [{ email: 'alice@example.com', name: 'Alice', lists: 3, groups: [0] }],
    }),
    account('carol@example.com'),
  ])

const COMBINATIONS = ([0, AL, BL] as const).flatMap((lists) =>
  (['AL', 'BL'] as const).map((privacy) => ({
    lists,
    privacy,
    seen: lists === AL || (lists === 0 && privacy === 'AL'),
  })),
)

const ring: Ring = {
  session: '11752013',
  address: '192.0.2.9:1863',
  ticket: '849102291.520491113',
  caller: { email: 'bob@example.com', name: 'Bob B' },
}

describe.each(COMBINATIONS)('somebody on lists $lists with BLP $privacy', ({ lists, privacy, seen }) => {
  it(`${seen ? 'sees' : 'does not see'} alice come, change and go`, async () => {
    const desk = world(lists, privacy)
    const bob = await desk.online('bob@example.com')
    const alice = await desk.online('alice@example.com')
    expect(bob.take()).toEqual(seen ? [NLN] : [])
    await alice.ask('CHG 7 AWY 268435456')
    expect(bob.take()).toEqual(seen ? ['NLN AWY alice@example.com alice 268435456'] : [])
    await alice.ask('REA 8 alice@example.com Ally')
    expect(bob.take()).toEqual(seen ? ['NLN AWY alice@example.com Ally 268435456'] : [])
    await alice.ask('CHG 9 HDN 268435456')
    expect(bob.take()).toEqual(seen ? [FLN] : [])
    await alice.ask('CHG 10 BSY 268435456')
    expect(bob.take()).toEqual(seen ? ['NLN BSY alice@example.com Ally 268435456'] : [])
    alice.send('OUT')
    expect(bob.take()).toEqual(seen ? [FLN] : [])
  })

  it(`${seen ? 'finds' : 'does not find'} alice in the first burst`, async () => {
    const desk = world(lists, privacy)
    await desk.online('alice@example.com')
    const bob = await desk.signIn('bob@example.com')
    expect(await bob.ask('CHG 9 NLN 0')).toEqual([
      'CHG 9 NLN 0',
      ...(seen ? ['ILN 9 NLN alice@example.com alice 268435456'] : []),
    ])
  })

  it(`${seen ? 'can' : 'cannot'} call alice`, async () => {
    const desk = world(lists, privacy)
    expect(desk.desk.ring('alice@example.com', ring)).toBe(217)
    const alice = await desk.signIn('alice@example.com')
    expect(desk.desk.ring('alice@example.com', ring)).toBe(217)
    await alice.ask('CHG 9 HDN 0')
    expect(desk.desk.ring('alice@example.com', ring)).toBe(217)
    await alice.ask('CHG 10 NLN 0')
    expect(desk.desk.ring('Alice@Example.com', ring)).toBe(seen ? 'ringing' : 216)
    expect(alice.take()).toEqual(
      seen ? ['RNG 11752013 192.0.2.9:1863 CKI 849102291.520491113 bob@example.com Bob%20B'] : [],
    )
  })

  it('sees what a block, its end, and a change of BLP make of it', async () => {
    const desk = world(lists, privacy)
    const bob = await desk.online('bob@example.com')
    const alice = await desk.online('alice@example.com')
    let sees = seen
    let current: number = lists
    let rule: string = privacy
    bob.take()
    const steps = [
      ...(lists === AL ? ['REM 1 AL bob@example.com'] : []),
      ...(lists === BL ? ['REM 1 BL bob@example.com'] : []),
      `BLP 2 ${privacy === 'AL' ? 'BL' : 'AL'}`,
      'ADD 3 AL bob@example.com Bob',
      'REM 4 AL bob@example.com',
      `BLP 5 ${privacy}`,
      'ADD 6 BL bob@example.com Bob',
      'BLP 7 XX',
      'REM 8 BL bob@example.com',
    ]
    for (const step of steps) {
      const [verb, , what] = step.split(' ')
      if (verb === 'ADD') current = what === 'AL' ? AL : BL
      else if (verb === 'REM') current = 0
      else if (what === 'AL' || what === 'BL') rule = what
      const now = current === AL || (current === 0 && rule === 'AL')
      await alice.ask(step)
      expect({ step, said: bob.take() }).toEqual({ step, said: now === sees ? [] : [now ? NLN : FLN] })
      sees = now
    }
  })
})

describe('presence', () => {
  it('of somebody who blocks others stays theirs to lose: the one who blocks still sees', async () => {
    const desk = world(0, 'AL')
    const bob = await desk.online('bob@example.com')
    const alice = await desk.online('alice@example.com')
    expect(await bob.ask('REM 8 AL alice@example.com')).toEqual([NLN, 'REM 8 AL 41 alice@example.com'])
    expect(await bob.ask('ADD 9 BL alice@example.com Alice')).toEqual(['ADD 9 BL 42 alice@example.com Alice'])
    await alice.ask('CHG 9 AWY 0')
    expect(bob.take()).toEqual(['NLN AWY alice@example.com alice 0'])
  })

  it('says nothing when nothing has changed, and nothing to those who have not said CHG', async () => {
    const desk = world(0, 'AL')
    const bob = await desk.signIn('bob@example.com')
    const alice = await desk.online('alice@example.com')
    expect(bob.take()).toEqual([])
    await bob.ask('CHG 5 HDN 0')
    await alice.ask('CHG 9 NLN 268435456')
    expect(bob.take()).toEqual([])
    await alice.ask('CHG 9 NLN 268435457')
    expect(bob.take()).toEqual(['NLN NLN alice@example.com alice 268435457'])
  })

  it('carries the display picture to those whose dialect has it', async () => {
    const desk = new DeskWorld([
      account('alice@example.com', {
        contacts: [
          { email: 'bob@example.com', name: 'Bob', lists: RL, groups: [] },
          { email: 'carol@example.com', name: 'Carol', lists: RL, groups: [] },
        ],
      }),
      account('bob@example.com'),
      account('carol@example.com'),
    ])
    const bob = await desk.online('bob@example.com', 'MSNP8')
    const carol = await desk.online('carol@example.com', 'MSNP9')
    const alice = await desk.signIn('alice@example.com')
    await alice.ask('CHG 5 NLN 268435456:48 %3Cmsnobj%20Size%3D%2243%22%2F%3E')
    expect(bob.take()).toEqual(['NLN NLN alice@example.com alice 268435456'])
    expect(carol.take()).toEqual(['NLN NLN alice@example.com alice 268435456 %3Cmsnobj%20Size%3D%2243%22%2F%3E'])
  })

  it.each(['@@example.com', 'bob', 'a@b@c', 'bob@', ''])('has no call to the address %j', (callee) => {
    expect(new DeskWorld().desk.ring(callee, ring)).toBe(208)
  })

  it('has 217 for a call to nobody', () => {
    expect(new DeskWorld().desk.ring('none@example.com', ring)).toBe(217)
  })
})

describe('being added', () => {
  it('is told to the other side with their list version, and the contact is shown under the same transaction', async () => {
    const desk = new DeskWorld()
    const alice = await desk.online('alice@example.com')
    const bob = await desk.online('bob@example.com', 'MSNP8')
    expect(await alice.ask('ADD 7 FL bob@example.com Bobby 0')).toEqual([
      'ADD 7 FL 2 bob@example.com Bobby 0',
      'BPR 2 bob@example.com PHH',
      'BPR 2 bob@example.com PHW',
      'BPR 2 bob@example.com PHM',
      'BPR 2 bob@example.com MOB N',
      'ILN 7 NLN bob@example.com bob 268435456',
    ])
    expect(bob.take()).toEqual(['ADD 0 RL 2 alice@example.com alice'])
    expect(await bob.ask('CHG 8 AWY 0')).toEqual(['CHG 8 AWY 0'])
    expect(alice.take()).toEqual(['NLN AWY bob@example.com bob 0'])
    expect(await alice.ask('REM 9 FL bob@example.com')).toEqual(['REM 9 FL 3 bob@example.com'])
    expect(bob.take()).toEqual(['REM 0 RL 3 alice@example.com'])
    await bob.ask('CHG 10 NLN 0')
    expect(alice.take()).toEqual([])
  })

  it('is found at the next SYN by somebody who was offline', async () => {
    const desk = new DeskWorld()
    const alice = await desk.online('alice@example.com')
    await alice.ask('ADD 7 FL bob@example.com Bob 0')
    expect(desk.host.saves.at(-1)?.map(({ email }) => email)).toEqual(['alice@example.com', 'bob@example.com'])
    const bob = await desk.signIn('bob@example.com')
    expect(await bob.ask('SYN 5 1')).toEqual([
      'SYN 5 2 1 1',
      'GTC A',
      'BLP AL',
      'LSG 0 Other%20Contacts 0',
      'LST alice@example.com alice 8',
    ])
    await alice.ask('REM 8 FL bob@example.com')
    expect(bob.take()).toEqual(['REM 0 RL 3 alice@example.com'])
    expect(desk.record('bob@example.com').contacts).toEqual([])
  })

  it('goes in both directions at once without a loss', async () => {
    const desk = new DeskWorld()
    const alice = await desk.online('alice@example.com')
    const bob = await desk.online('bob@example.com')
    alice.send('ADD 7 FL bob@example.com Bob 0')
    bob.send('ADD 7 FL alice@example.com Alice 0')
    alice.send('ADG 8 Work 0')
    bob.send('ADD 8 AL alice@example.com Alice')
    await desk.desk.idle()
    expect(desk.record('alice@example.com')).toMatchObject({
      version: 4,
      groups: [{ id: 1, name: 'Work' }],
      contacts: [{ email: 'bob@example.com', lists: 25 }],
    })
    expect(desk.record('bob@example.com')).toMatchObject({
      version: 4,
      contacts: [{ email: 'alice@example.com', lists: 11 }],
    })
  })
})

describe('phone numbers', () => {
  it('are told to those who may see alice, online or not, and count in their list versions', async () => {
    const desk = world(0, 'AL')
    const bob = await desk.online('bob@example.com')
    const alice = await desk.online('alice@example.com')
    bob.take()
    expect(await alice.ask('PRP 7 PHH 555%201234')).toEqual(['PRP 7 21 PHH 555%201234'])
    expect(bob.take()).toEqual(['BPR 41 alice@example.com PHH 555%201234'])
    bob.send('OUT')
    await alice.ask('PRP 8 MOB Y')
    await alice.ask('PRP 9 PHH')
    const back = await desk.signIn('bob@example.com')
    expect((await back.ask('SYN 5 41')).slice(-2)).toEqual(['LST alice@example.com Alice 3 0', 'BPR MOB Y'])
    expect(desk.record('bob@example.com').version).toBe(43)
  })

  it('are hidden by a block and come back with its end', async () => {
    const desk = world(0, 'AL', { PHH: '555', MBE: 'Y' })
    const bob = await desk.online('bob@example.com')
    const alice = await desk.online('alice@example.com')
    bob.take()
    await alice.ask('ADD 7 BL bob@example.com Bob')
    expect(bob.take()).toEqual(['BPR 41 alice@example.com PHH', FLN])
    await alice.ask('PRP 8 PHH 777')
    expect(bob.take()).toEqual([])
    await alice.ask('REM 9 BL bob@example.com')
    expect(bob.take()).toEqual(['BPR 42 alice@example.com PHH 777', NLN])
    await alice.ask('BLP 10 BL')
    expect(bob.take()).toEqual(['BPR 43 alice@example.com PHH', FLN])
  })

  it('that stay the same change nothing', async () => {
    const desk = world(0, 'AL', { PHH: '555' })
    const alice = await desk.signIn('alice@example.com')
    expect(await alice.ask('PRP 7 PHH 555')).toEqual(['PRP 7 20 PHH 555'])
    expect(desk.host.saves).toEqual([])
  })

  it('let nobody page while mobile service is off', async () => {
    const desk = world(0, 'AL', { MOB: 'Y', MBE: 'Y' })
    const bob = await desk.online('bob@example.com')
    const alice = await desk.signIn('alice@example.com')
    expect(await alice.ask('PRP 7 MBE N')).toEqual(['PRP 7 21 MBE N'])
    expect(bob.take()).toEqual(['BPR 41 alice@example.com MOB N'])
    expect(await alice.ask('PRP 8 MOB Y')).toEqual(['PRP 8 21 MOB N'])
  })
})
