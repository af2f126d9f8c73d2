/** A session that stands beside the person's Messenger. docs/protocol.md, A session beside the Messenger. */
import { describe, expect, it } from 'vitest'
import { BESIDE_CLIENT } from '../../../msnp/model/beside.ts'
import { contactGuid } from '../../../msnp/service/guids.ts'
import { MAX_AWAITED } from '../../../msnp/service/room.ts'
import { DeskWorld } from '../../kit/notification-desk.ts'
import { SwitchboardBench } from '../../kit/switchboard-desk.ts'

const ALICE = 'alice@example.com'
const BOB = 'bob@example.com'

const both = async (world: DeskWorld) => ({
  bridge: await world.online(ALICE, 'MSNP9', 'AWY', BESIDE_CLIENT),
  messenger: await world.online(ALICE),
})

/** The server says it unasked: with transaction id 0. */
const unasked = (lines: readonly string[]): readonly string[] => lines.filter((line) => /^[A-Z]{3} 0 /.test(line))

describe('two sessions of one account', () => {
  it('do not end each other, in whatever order they come', async () => {
    const world = new DeskWorld()
    const { bridge, messenger } = await both(world)
    expect([bridge.closed, messenger.closed]).toEqual([undefined, undefined])
    const again = await world.online(ALICE, 'MSNP9', 'NLN', BESIDE_CLIENT)
    expect(bridge.take().at(-1)).toBe('OUT OTH')
    expect(messenger.closed).toBeUndefined()
    const other = await world.online(ALICE)
    expect(messenger.take().at(-1)).toBe('OUT OTH')
    expect([again.closed, other.closed]).toEqual([undefined, undefined])
    expect(world.desk.sessions).toBe(2)
  })

  it('hear of what the other one changes, as of something that they did not ask for', async () => {
    const world = new DeskWorld()
    const { bridge, messenger } = await both(world)
    for (const [asks, hears] of [
      [messenger, bridge],
      [bridge, messenger],
    ] as const) {
      asks.take()
      hears.take()
      for (const line of [
        `ADD 10 AL ${BOB} ${BOB}`,
        `ADD 11 FL ${BOB} Bob 0`,
        'ADG 12 Work 0',
        `ADD 13 FL ${BOB} Bob 1`,
        `REM 14 FL ${BOB} 0`,
        'REG 15 1 Play 0',
        `REM 16 FL ${BOB} 1`,
        'RMG 17 1',
        `REM 18 AL ${BOB}`,
        `ADD 19 BL ${BOB} ${BOB}`,
        `REM 20 BL ${BOB}`,
        'BLP 21 BL',
        'BLP 22 AL',
        'GTC 23 N',
        'GTC 24 A',
        `REA 25 ${ALICE} Alice%20B`,
        'PRP 26 PHH 555',
        'PRP 27 PHH',
      ])
        await asks.ask(line)
      const told = unasked(hears.take()).map((line) =>
        line.replace(/ 0 ((?:[FABR]L )?)\d+ /, ' 0 $1V ').replace(/ \d+$/, ' N'),
      )
      expect(told).toEqual([
        `ADD 0 AL V ${BOB} ${BOB}`,
        `ADD 0 FL V ${BOB} Bob N`,
        'ADG 0 V Work 1 N',
        `ADD 0 FL V ${BOB} Bob N`,
        `REM 0 FL V ${BOB} N`,
        'REG 0 V 1 Play N',
        `REM 0 FL V ${BOB}`,
        'RMG 0 V N',
        `REM 0 AL V ${BOB}`,
        `ADD 0 BL V ${BOB} ${BOB}`,
        `REM 0 BL V ${BOB}`,
        'BLP 0 V BL',
        'BLP 0 V AL',
        'GTC 0 V N',
        'GTC 0 V A',
        `REA 0 V ${ALICE} Alice%20B`,
        'PRP 0 V PHH N',
        'PRP 0 V PHH',
      ])
    }
  })

  it('hear of groups as their own dialect has them', async () => {
    const world = new DeskWorld()
    const bridge = await world.online(ALICE, 'MSNP12', 'AWY', BESIDE_CLIENT)
    const messenger = await world.online(ALICE)
    await bridge.ask(`ADC 10 FL N=${BOB} F=Bob`)
    await messenger.ask('ADG 12 Work 0')
    const group = /ADG 0 Work (\S+)/.exec(bridge.take().join('\n'))?.[1] ?? 'none'
    messenger.take()
    const guid = contactGuid(ALICE, BOB)
    await bridge.ask(`ADC 13 FL C=${guid} ${group}`)
    expect(unasked(messenger.take())).toEqual([
      expect.stringMatching(/^ADD 0 FL \d+ bob@example.com \S+ 1$/),
      expect.stringMatching(/^REM 0 FL \d+ bob@example.com 0$/),
    ])
    await bridge.ask(`REM 14 FL ${guid} ${group}`)
    expect(unasked(messenger.take())).toEqual([
      expect.stringMatching(/^ADD 0 FL \d+ bob@example.com \S+ 0$/),
      expect.stringMatching(/^REM 0 FL \d+ bob@example.com 1$/),
    ])
    await messenger.ask(`ADD 15 FL ${BOB} Bob 1`)
    await messenger.ask(`REM 16 FL ${BOB} 0`)
    expect(unasked(bridge.take())).toEqual([`ADC 0 FL C=${guid} ${group}`])
    await messenger.ask(`REM 17 FL ${BOB} 1`)
    expect(unasked(bridge.take())).toEqual([`REM 0 FL ${guid}`])
  })

  it('hear nothing of what was refused, or is so already', async () => {
    const world = new DeskWorld()
    const { bridge, messenger } = await both(world)
    bridge.take()
    expect(await messenger.ask('REM 10 FL bob@example.com')).toContain('216 10')
    expect(await messenger.ask('BLP 11 AL')).toContain('218 11')
    expect(bridge.take()).toEqual([])
  })

  it('both see who comes, and who added them', async () => {
    const world = new DeskWorld()
    const { bridge, messenger } = await both(world)
    await messenger.ask(`ADD 10 FL ${BOB} Bob 0`)
    bridge.take()
    messenger.take()
    const bob = await world.online(BOB)
    await bob.ask(`ADD 10 FL ${ALICE} Alice 0`)
    for (const session of [bridge, messenger]) {
      const lines = session.take()
      expect(lines).toContainEqual(expect.stringMatching(/^NLN NLN bob@example.com /))
      expect(lines).toContainEqual(expect.stringMatching(/^ADD 0 RL \d+ bob@example.com /))
    }
  })

  it('are seen by others as the Messenger says, and as the other one when it has gone', async () => {
    const world = new DeskWorld()
    const bob = await world.online(BOB)
    await bob.ask(`ADD 10 FL ${ALICE} Alice 0`)
    const bridge = await world.online(ALICE, 'MSNP9', 'AWY', BESIDE_CLIENT)
    expect(bob.take().at(-1)).toMatch(/^NLN AWY alice@/)
    const messenger = await world.online(ALICE, 'MSNP9', 'BSY')
    expect(bob.take()).toEqual([expect.stringMatching(/^NLN BSY alice@/)])
    await bridge.ask('CHG 11 NLN 268435456')
    expect(bob.take()).toEqual([])
    messenger.close()
    expect(bob.take()).toEqual([expect.stringMatching(/^NLN NLN alice@/)])
    bridge.close()
    expect(bob.take()).toEqual([`FLN ${ALICE}`])
    expect(world.switchboards.gone).toEqual([ALICE, ALICE])
  })

  it('the one beside is told how the Messenger is seen, with the own address, and nobody else is', async () => {
    const object = '%3Cmsnobj%20Creator%3D%22alice%22%2F%3E'
    const world = new DeskWorld()
    const bridge = await world.online(ALICE, 'MSNP12', 'AWY', BESIDE_CLIENT)
    const bob = await world.online(BOB)
    bridge.take()
    const messenger = await world.online(ALICE, 'MSNP12', 'HDN')
    expect(bridge.take().filter((line) => /^(NLN|UBX)/.test(line))).toEqual([
      `NLN HDN ${ALICE} alice 268435456`,
      expect.stringMatching(/^UBX alice@example.com \d+/),
    ])
    await messenger.ask(`CHG 20 NLN 268435456 ${object}`)
    expect(bridge.take().join('\n')).toContain(`NLN NLN ${ALICE} alice 268435456 ${object}`)
    const words = '<Data><PSM>at the lake</PSM></Data>'
    messenger.raw(Buffer.from(`UUX 21 ${words.length}\r\n${words}`))
    await world.desk.idle()
    expect(bridge.take().join('\n')).toContain(`UBX ${ALICE} `)
    const told = messenger.take().filter((line) => /^(NLN|UBX|FLN)/.test(line))
    expect([...told, ...bob.take()]).toEqual([])
    // One that comes later is told as well.
    const later = await world.signIn(ALICE, 'MSNP9', BESIDE_CLIENT)
    later.send('SYN 5 0')
    expect(await later.ask('CHG 6 AWY 268435456')).toContain(`NLN NLN ${ALICE} alice 268435456 ${object}`)
    messenger.close()
    expect(later.take()).toEqual([`FLN ${ALICE}`])
    await later.ask('CHG 30 NLN 0')
    expect(later.take()).not.toContainEqual(expect.stringMatching(/^(NLN|FLN)/))
  })

  it('are hidden when the Messenger is', async () => {
    const world = new DeskWorld()
    const bob = await world.online(BOB)
    await bob.ask(`ADD 10 FL ${ALICE} Alice 0`)
    await world.online(ALICE, 'MSNP9', 'NLN', BESIDE_CLIENT)
    bob.take()
    const messenger = await world.online(ALICE, 'MSNP9', 'HDN')
    expect(bob.take()).toEqual([`FLN ${ALICE}`])
    messenger.close()
    expect(bob.take()).toEqual([expect.stringMatching(/^NLN NLN alice@/)])
  })
})

/** Alice has two sessions, Bob one. */
const house = (): SwitchboardBench => {
  const bench = new SwitchboardBench()
  bench.signIn(ALICE)
  bench.online.set(`${ALICE} beside`, {
    email: ALICE,
    name: 'alice',
    dialect: 'MSNP9',
    status: 'AWY',
    confirms: true,
    beside: true,
  })
  bench.signIn(BOB)
  return bench
}

const comeBeside = (bench: SwitchboardBench) => {
  const ring = bench.sessionRings.at(-1)
  const peer = bench.connect()
  peer.say(`ANS 1 ${ALICE} ${ring?.ticket ?? 'none'} ${ring?.session ?? '0'}\r\n`)
  return peer
}

describe('a conversation of somebody with two sessions', () => {
  it('is joined by both; the others see them once', () => {
    const bench = house()
    const bob = bench.enter(BOB)
    const alice = bench.join(bob, ALICE)
    expect(bench.sessionRings).toMatchObject([{ callee: ALICE, beside: true, caller: { email: BOB } }])
    const beside = comeBeside(bench)
    expect(beside.read()).toBe(`IRO 1 1 1 ${BOB} bob\r\nANS 1 OK\r\nJOI ${ALICE} alice\r\n`)
    expect(bob.read()).toBe('')
    bob.message(10, 'N', 'hello')
    expect(alice.read()).toBe(`MSG ${BOB} bob 5\r\nhello`)
    expect(beside.read()).toBe(`MSG ${BOB} bob 5\r\nhello`)
  })

  it('shows each session what the other one says, and takes that for no receipt', () => {
    const bench = house()
    const alice = bench.enter(ALICE)
    bench.join(alice, BOB)
    const beside = comeBeside(bench)
    for (const peer of bench.peers) peer.read()
    alice.message(10, 'A', 'from the Messenger')
    expect(beside.read()).toBe(`MSG ${ALICE} alice 18\r\nfrom the Messenger`)
    expect(alice.read()).toBe('ACK 10\r\n')
    beside.message(11, 'A', 'from Element')
    expect(alice.read()).toBe(`MSG ${ALICE} alice 12\r\nfrom Element`)
  })

  it('says NAK when only the own other session is there', () => {
    const bench = house()
    const alice = bench.enter(ALICE)
    const bob = bench.join(alice, BOB)
    const beside = comeBeside(bench)
    bob.hangUp()
    for (const peer of bench.peers) peer.read()
    alice.message(10, 'A', 'anybody?')
    expect(alice.read()).toBe('NAK 10\r\n')
    expect(beside.read()).toContain('anybody?')
  })

  it('gives a session that is on its way what was said meanwhile, behind those who are there', () => {
    const bench = house()
    const alice = bench.enter(ALICE)
    bench.join(alice, BOB)
    for (let count = 0; count < MAX_AWAITED + 1; count++) alice.message(10 + count, 'N', `line ${count}`)
    const told = comeBeside(bench).read()
    expect(
      told.startsWith(`IRO 1 1 1 ${BOB} bob\r\nANS 1 OK\r\nJOI ${ALICE} alice\r\nMSG ${ALICE} alice 6\r\nline 1`),
    ).toBe(true)
    expect(told).toContain(`line ${MAX_AWAITED}`)
    expect(told).not.toContain('line 0')
  })

  it('is left by both, so that whoever speaks next calls both', () => {
    const bench = house()
    const bob = bench.enter(BOB)
    const alice = bench.join(bob, ALICE)
    const beside = comeBeside(bench)
    for (const peer of bench.peers) peer.read()
    alice.hangUp()
    expect(beside.closed).toEqual({ kind: 'done' })
    expect(bob.read()).toBe(`BYE ${ALICE}\r\n`)
    bench.join(bob, ALICE)
    expect(bench.sessionRings).toHaveLength(2)
  })

  it('tells the session beside a Messenger that it is there or on its way, and nobody else', () => {
    const bench = house()
    const invitation = bench.desk.open(ALICE, bench.now, true)
    const beside = bench.connect()
    beside.say(`USR 1 ${ALICE} ${invitation?.ticket ?? ''}\r\n`)
    beside.read()
    beside.say(`CAL 9 ${BOB}\r\n`)
    const ring = bench.rings.at(-1)
    const bob = bench.connect()
    bob.say(`ANS 1 ${BOB} ${ring?.ticket ?? ''} ${ring?.session ?? ''}\r\n`)
    expect(bench.sessionRings).toMatchObject([{ callee: ALICE, beside: false }])
    expect(beside.read()).toMatch(/RINGING \d+\r\nJOI bob@\S+ bob\r\nJOI alice@\S+ alice\r\n$/)
    bench.desk.signedOut(ALICE)
    expect(beside.read()).toBe(`BYE ${ALICE}\r\n`)
    expect(bob.read()).toBe(`IRO 1 1 1 ${ALICE} alice\r\nANS 1 OK\r\n`)
  })

  it('takes the ticket of a session for that one only, and ends its rooms alone when it signs out', () => {
    const bench = house()
    const bob = bench.enter(BOB)
    const alice = bench.join(bob, ALICE)
    const ticket = bench.sessionRings.at(-1)
    bench.desk.signedOut(ALICE, true)
    expect(alice.closed).toBeUndefined()
    const late = bench.connect()
    late.say(`ANS 1 ${ALICE} ${ticket?.ticket ?? ''} ${ticket?.session ?? ''}\r\n`)
    expect(late.read()).toBe('911 1\r\n')
  })
})
