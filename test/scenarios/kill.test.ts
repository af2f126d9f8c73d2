import { afterEach, expect, test as always } from 'vitest'
import { committed } from '../kit/committed.ts'
import { missing } from '../kit/foreign-server.ts'
import type { Messenger, Room } from '../kit/messenger.ts'
import { address, World } from '../kit/world.ts'

const test = always.skipIf(missing('inspircd'))

const CONTACT = `[ { account: relay, contact: ${address('bob')} }, { network: irc, channel: "#bob" } ]`
const EACH_WAY = 1_000
const KILLS = 4

let world: World | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

const numberIn = (text: string): number | undefined => {
  const found = /\bnumber (\d+)\b/.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** The numbers of what the daemon has on disk as said on a network, in the order of their acceptance. */
const numbersIn = (folder: string, network: string): readonly number[] =>
  committed(folder, network).flatMap((text) => numberIn(text) ?? [])

/** Of how many messages a notice says that they may not have arrived. */
const doubtful = (text: string): number =>
  /may not have arrived/.test(text) ? Number(/(\d+) of your messages/.exec(text)?.[1] ?? 1) : 0
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

const once = (numbers: readonly number[]): boolean => new Set(numbers).size === numbers.length
const rising = (numbers: readonly number[]): boolean => numbers.every((each, at) => at === 0 || each > numbers[at - 1]!)

test('killed again and again while 1,000 messages go each way: what was committed or acknowledged arrives once, in order', async () => {
  world = await World.start({ links: [CONTACT] })
  const amy = await world.irc('amy', '#bob')
  /** What bob's Messenger has shown, over all its sign-ins. */
  const shown: string[] = []
  const acknowledged: number[] = []
  const rooms: Room[] = []
  let bob: Messenger | undefined
  let nextOfBob = 1
  let nextOfAmy = 1

  const collect = (): void => {
    for (const room of rooms.splice(0)) {
      for (const { words, payload } of room.wire.received) {
        if (words[0] === 'MSG' && payload.includes('text/plain')) shown.push(payload)
      }
    }
  }
  /** bob says numbers until his line dies or `upTo` is said; what is acknowledged is remembered. */
  const bobTalks = async (room: Room, upTo: number): Promise<void> => {
    try {
      while (nextOfBob <= upTo) {
        const waiting: (readonly [number, number])[] = []
        for (let burst = 0; burst < 10 && nextOfBob <= upTo; burst++, nextOfBob++) {
          waiting.push([nextOfBob, room.text(`number ${nextOfBob} of bob`)])
        }
        for (const [number, trid] of waiting) {
          await room.acked(trid)
          acknowledged.push(number)
        }
      }
    } catch {
      // The line died with the daemon: what was not acknowledged may be lost, and its number is not said again.
    }
  }
  /** amy keeps pace with bob, whether the bridge is there or not. */
  const amyTalks = async (): Promise<void> => {
    while (nextOfAmy <= EACH_WAY) {
      await amy.until(() => nextOfBob > nextOfAmy)
      for (const upTo = Math.min(nextOfBob - 1, EACH_WAY); nextOfAmy <= upTo; nextOfAmy++) {
        amy.say('#bob', `number ${nextOfAmy} of amy`)
      }
    }
  }
  const signIn = async (): Promise<Room> => {
    bob?.ns.kill()
    bob = await world!.messenger('bob')
    const room = await bob.call(address('relay'))
    rooms.push(room)
    void (async () => {
      for (;;) rooms.push(await bob.answer(120_000))
    })().catch(() => undefined)
    return room
  }

  const amyTalking = amyTalks()
  for (let round = 1; round <= KILLS; round++) {
    const talking = bobTalks(await signIn(), EACH_WAY)
    const at = Math.round((EACH_WAY * round) / (KILLS + 1)) + 7 * round
    await amy.until(() => nextOfBob > at)
    await world.kill()
    await talking
    collect()
    await world.run()
  }
  await bobTalks(await signIn(), EACH_WAY)
  await amyTalking

  const room = await signIn()
  await room.acked(room.text('bob is done'))
  await amy.until(() => amy.said('msnbridge', '#bob').some((line) => line.includes('bob is done')))
  amy.say('#bob', 'amy is done')
  await amy.until(() => {
    amy.send('PING tick')
    return rooms.some((each) => each.wire.received.some(({ payload }) => payload.includes('amy is done')))
  })
  collect()

  const heard = amy.said('msnbridge', '#bob')
  const atAmy = heard.flatMap((line) => (line.includes('of bob') ? (numberIn(line) ?? []) : []))
  const atBob = shown.flatMap((payload) => (payload.includes('of amy') ? (numberIn(payload) ?? []) : []))
  expect(once(atAmy)).toBe(true)
  expect(rising(atAmy)).toBe(true)
  expect(once(atBob)).toBe(true)
  expect(rising(atBob)).toBe(true)

  const due = new Set([...acknowledged, ...numbersIn(world.folder, 'retro')])
  const missing = [...due].filter((number) => !atAmy.includes(number))
  const toldBob = sum(shown.map(doubtful))
  expect(missing.length).toBeLessThanOrEqual(toldBob)

  const missingAtBob = numbersIn(world.folder, 'irc').filter((number) => !atBob.includes(number))
  const toldAmy = sum(heard.map(doubtful))
  expect(missingAtBob.length).toBeLessThanOrEqual(toldAmy)

  // Enough went through for the test to mean something, and both chats were told of the gap.
  expect(atAmy.length).toBeGreaterThan(EACH_WAY / 2)
  expect(atBob.length).toBeGreaterThan(EACH_WAY / 2)
  expect(heard.some((line) => /may be missing/.test(line))).toBe(true)
  expect(shown.some((payload) => /may be missing/.test(payload))).toBe(true)
  console.log(
    `${acknowledged.length} of bob acknowledged, ${atAmy.length} arrived, ${toldBob} uncertain; ` +
      `${numbersIn(world.folder, 'irc').length} of amy committed, ${atBob.length} arrived, ${toldAmy} uncertain`,
  )
}, 180_000)
