/** kill -9 of the whole daemon, with an IRC client at one end and a Messenger at the other. */
import { afterEach, expect, test as always } from 'vitest'
import { committed } from '../kit/committed.ts'
import { Ear } from '../kit/ear.ts'
import { missing } from '../kit/foreign-server.ts'
import { address, CONTROL, GatewayWorld, PASSWORD } from '../kit/gateway-world.ts'
import { EVERYTHING, Irssi } from '../kit/irssi.ts'

const test = always.skipIf(missing('irssi', 'tmux'))

const EACH_WAY = 400
/** Of bob, before he waits for the acknowledgements; of irssi, in one paste. */
const BURST = 10
/** Lines that may be shown again, marked so. What one commit takes with it is a few bursts. */
const FEW = 3 * BURST

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const DOUBT = /^\[(?:[^\]]*, )?perhaps shown before\] /
const numbersOf = (who: string, texts: readonly string[]): readonly number[] =>
  texts.flatMap((text) => {
    const found = new RegExp(`^number (\\d+) of ${who}$`).exec(text)?.[1]
    return found === undefined ? [] : [Number(found)]
  })
const rising = (numbers: readonly number[]): boolean =>
  numbers.every((each, at) => at === 0 || each > (numbers[at - 1] ?? 0))
/** Of how many lines a notice says that they may not have arrived. */
const doubtful = (text: string): number =>
  /may not have arrived/.test(text) ? Number(/(\d+) of your messages/.exec(text)?.[1] ?? 1) : 0

/** ann has an account, and bob is her contact. */
const begin = async (): Promise<{ world: GatewayWorld; bob: Ear }> => {
  const world = await GatewayWorld.start({
    gateway: 'friend_requests: accept, limits: { burst: 10000, lines_per_second: 10000 }',
  })
  opened.push(() => world.stop())
  const newcomer = await world.newcomer('ann')
  const bob = await world.friend('bob', 'ann')
  await newcomer.next(/:bob!\S+ JOIN /)
  newcomer.send('QUIT')
  await newcomer.until(() => newcomer.closed)
  return { world, bob }
}

/** bob says his numbers until they are said or the line dies; what is acknowledged is remembered. */
class Talker {
  next = 1
  readonly acknowledged: number[] = []

  async talk(bob: Ear, last: number): Promise<void> {
    try {
      while (this.next <= last) {
        const room = await bob.roomWith(address('ann'))
        const waiting: (readonly [number, number])[] = []
        for (let count = 0; count < BURST && this.next <= last; count++, this.next++)
          waiting.push([this.next, room.text(`number ${this.next} of bob`)])
        for (const [number, trid] of waiting) {
          await room.acked(trid)
          this.acknowledged.push(number)
        }
      }
    } catch {
      // The line died with the daemon: what was not acknowledged may be lost, and its number is not said again.
    }
  }
}

test(`irssi sees all that was acknowledged, once, and a Messenger all that was stored, once`, async () => {
  const { world, bob: before } = await begin()
  const irssi = await Irssi.start({
    port: world.ports.irc,
    nick: 'ann',
    sasl: { account: 'ann', password: PASSWORD },
    atOnce: 100_000,
  })
  opened.push(() => irssi.stop())
  await irssi.until(CONTROL, /\[\+bob|\+v bob/)
  await irssi.type('/query bob')
  const talker = new Talker()
  const heardOf = (): readonly string[] => irssi.said('bob', 'bob')

  /** irssi keeps pace with bob. */
  let pasted = 0
  let dead = false
  const pasting = async (last: number): Promise<void> => {
    while (pasted < last && !dead) {
      const lines = Array.from({ length: BURST }, () => `number ${++pasted} of ann`)
      await irssi.paste(lines)
      await irssi.until('bob', (log) => dead || log.includes(`number ${pasted} of ann`))
    }
  }
  const half = EACH_WAY / 2
  const talking = talker.talk(before, EACH_WAY)
  const typing = pasting(Infinity)
  await irssi.until('bob', () => heardOf().length > half && pasted > half, 'half of it')
  await world.kill()
  dead = true
  await talking
  await typing
  const stored = committed(world.folder, 'irc')
  await world.run()
  await world.signedIn('ann')
  const after = new Ear(await world.messenger('bob'))
  const more = talker.talk(after, EACH_WAY)
  await irssi.until(EVERYTHING, (log) => (log.match(/-!- Welcome to /g)?.length ?? 0) >= 2, 'the reconnection', 15_000)
  dead = false
  await Promise.all([more, pasting(pasted + half / 2)])
  await after.say(address('ann'), 'bob is done')
  await irssi.until('bob', () => heardOf().includes('bob is done'))
  await irssi.paste(['ann is done'])
  await after.heard('ann is done')

  const shown = numbersOf('bob', heardOf())
  const again = numbersOf(
    'bob',
    heardOf().flatMap((text) => (DOUBT.test(text) ? [text.replace(DOUBT, '')] : [])),
  )
  const seen = new Set([...shown, ...again])
  expect(rising(shown)).toBe(true)
  expect(rising(again)).toBe(true)
  expect(talker.acknowledged.filter((number) => !seen.has(number))).toEqual([])
  expect(again.length).toBeLessThanOrEqual(FEW)

  const arrived = numbersOf('ann', [...before.texts, ...after.texts])
  expect(rising(arrived)).toBe(true)
  const due = numbersOf('ann', stored)
  const told = irssi
    .logOf('bob')
    .split('\n')
    .reduce((sum, line) => sum + doubtful(line), 0)
  const lost = due.filter((number) => !arrived.includes(number))
  expect(lost.length).toBeLessThanOrEqual(told)
  expect(arrived.length).toBeGreaterThan(half)
  const twice = again.filter((number) => shown.includes(number)).length
  console.log(
    `${talker.acknowledged.length} of bob acknowledged, ${seen.size} shown, ${again.length} perhaps shown before, ${twice} of them really; ` +
      `${due.length} of ann stored, ${arrived.length} arrived, ${lost.length} missing, ${told} told as uncertain`,
  )
}, 60_000)

const MODERN = ['server-time', 'message-tags', 'batch', 'draft/chathistory', 'echo-message']

/** Messages of bob by their ids, as a client with CHATHISTORY keeps them. */
const keptOf = (lines: readonly string[]): ReadonlyMap<string, number> => {
  const kept = new Map<string, number>()
  for (const line of lines) {
    const [, id, number] = /^@\S*msgid=([^; ]+)\S* :bob!\S+ PRIVMSG ann :.*\bnumber (\d+) of bob$/.exec(line) ?? []
    if (id !== undefined) kept.set(id, Number(number))
  }
  return kept
}

always(
  'a client with CHATHISTORY asks for what came after the last that it has, and gets exactly that',
  async () => {
    const { world, bob: before } = await begin()
    const client = await world.attach('ann', MODERN)
    const talker = new Talker()
    const talking = talker.talk(before, EACH_WAY)
    await client.until(() => keptOf(client.lines).size > EACH_WAY / 2)
    await world.kill()
    await talking
    const kept = [...keptOf(client.lines)]
    await world.run()
    await world.signedIn('ann')
    const after = new Ear(await world.messenger('bob'))
    await talker.talk(after, talker.next + 4 * BURST)

    const back = await world.attach('ann', MODERN)
    const history: (readonly [id: string, number: number])[] = []
    for (;;) {
      const [last = ''] = [...kept, ...history].at(-1) ?? []
      const from = back.lines.length
      back.send(`CHATHISTORY AFTER bob msgid=${last} 20`)
      await back.next(/^\S* ?:\S+ BATCH \+\S+ chathistory bob$/)
      await back.next(/^\S* ?:\S+ BATCH -/)
      const page = [...keptOf(back.lines.slice(from))]
      if (page.length === 0) break
      history.push(...page)
    }
    const numbers = [...kept, ...history].map(([, number]) => number)
    expect(rising(numbers)).toBe(true)
    expect(talker.acknowledged.filter((number) => !numbers.includes(number))).toEqual([])
    expect(history.length).toBeGreaterThanOrEqual(4 * BURST)
    // Nothing else is shown of what it asks for by itself, and what comes now has its place behind.
    expect(keptOf(back.lines).size).toBe(history.length)
    await after.say(address('ann'), 'number 9999 of bob')
    await back.next(/ :number 9999 of bob$/)
  },
  30_000,
)
