/** The bridge is killed, the homeserver restarted, each in the middle of messages both ways. */
import { afterEach, expect, test } from 'vitest'
import { onEachHomeserver } from '../kit/homeservers.ts'
import { bodyOf, type MatrixPerson } from '../kit/matrix-person.ts'
import { MatrixWorld } from '../kit/matrix-world.ts'
import type { Messenger, Room } from '../kit/messenger.ts'
import { address } from '../kit/world.ts'

const EACH_WAY = 500
const BURST = 10

let world: MatrixWorld | undefined
afterEach(async () => {
  await world?.stop()
  world = undefined
})

const numberIn = (text: string): readonly number[] => {
  const found = /\bnumber (\d+)\b/.exec(text)?.[1]
  return found === undefined ? [] : [Number(found)]
}
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1)
/** Of how many messages a notice says that they may not have arrived. */
const doubtful = (text: string): number =>
  /may not have arrived/.test(text) ? Number(/(\d+) of your messages/.exec(text)?.[1] ?? 1) : 0

/** Says something once, however often it must be tried: with a transaction id, as a good client does. Answers the event id. */
const sayOnce = async (person: MatrixPerson, url: string, room: string, id: number): Promise<string> => {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/txn${id}`
  const body = JSON.stringify({ msgtype: 'm.text', body: `number ${id} of alice` })
  const headers = { authorization: `Bearer ${await person.token()}`, connection: 'close' }
  for (;;) {
    const answer = await fetch(url + path, { method: 'PUT', headers, body }).catch(() => undefined)
    const text = (await answer?.text().catch(() => '')) ?? ''
    if (answer?.ok === true && text !== '') return (JSON.parse(text) as { readonly event_id: string }).event_id
    await new Promise(setImmediate)
  }
}

/** bob's side: says numbers, and collects what he is shown over all his switchboards. */
class Talker {
  readonly acknowledged: number[] = []
  readonly #bob: Messenger
  readonly #rooms: Room[] = []
  #room: Room
  next = 1

  constructor(bob: Messenger, room: Room) {
    this.#bob = bob
    this.#room = room
    this.#rooms.push(room)
    void this.#answer()
  }

  /** Stops when his line dies; what was said and not acknowledged is not said again. */
  async talk(last: number): Promise<void> {
    try {
      while (this.next <= last) {
        const waiting: (readonly [number, number])[] = []
        for (let count = 0; count < BURST && this.next <= last; count++, this.next++)
          waiting.push([this.next, this.#room.text(`number ${this.next} of bob`)])
        for (const [number, trid] of waiting) {
          await this.#room.acked(trid)
          this.acknowledged.push(number)
        }
      }
    } catch {
      // The line died with the bridge.
    }
  }

  async callAgain(): Promise<void> {
    this.#room = await this.#bob.call(address('alice'))
    this.#rooms.push(this.#room)
  }

  get shown(): readonly string[] {
    return this.shownByRoom.flat()
  }

  get shownByRoom(): readonly (readonly string[])[] {
    return this.#rooms.map(({ wire }) =>
      wire.received.flatMap(({ words, payload }) =>
        words[0] === 'MSG' && payload.includes('text/plain') ? [payload] : [],
      ),
    )
  }

  async #answer(): Promise<void> {
    try {
      for (;;) this.#rooms.push(await this.#bob.answer(200_000))
    } catch {
      // He signed out.
    }
  }
}

onEachHomeserver((start) => {
  const begin = async (): Promise<{ alice: MatrixPerson; portal: string; bob: Talker; world: MatrixWorld }> => {
    world = await MatrixWorld.start({ start, ownService: true })
    const { person: alice } = await world.resident()
    const messenger = await world.messenger('bob')
    const room = await messenger.call(address('alice'))
    await room.acked(room.text('hello'))
    const portal = await world.portal(alice, 'bob')
    await alice.waitForMessage(portal, 'hello')
    return { alice, portal, bob: new Talker(messenger, room), world }
  }
  const warnings = (): string =>
    (world?.daemon.log ?? [])
      .filter(({ level }) => level !== 'info')
      .slice(-10)
      .map((entry) => JSON.stringify(entry))
      .join(' ')
  /** The last message has been acknowledged on MSN. */
  const arrived = (alice: MatrixPerson, portal: string, id: string): Promise<unknown> =>
    alice.until(
      () => alice.receipts(portal, world?.bot ?? '').includes(id),
      () => `the last message was not read; the bridge says: ${warnings()}`,
      90_000,
    )
  const atMatrix = (alice: MatrixPerson, portal: string): readonly number[] =>
    alice.messages(portal).flatMap((event) => (event.sender === world?.ghost('bob') ? numberIn(bodyOf(event)) : []))
  const atMsn = (bob: Talker): readonly number[] =>
    bob.shown.flatMap((payload) => (payload.includes('of alice') ? numberIn(payload) : []))

  /** Both speak, and a quarter of what bob says has arrived. */
  const underway = async () => {
    const begun = await begin()
    const { alice, portal, bob } = begun
    const alices = (async () => {
      for (const id of upTo(EACH_WAY)) await sayOnce(alice, begun.world.homeserver.url, portal, id)
    })()
    const bobs = bob.talk(EACH_WAY)
    await alice.until(
      () => atMatrix(alice, portal).length > EACH_WAY / 4,
      () => 'no quarter of it',
      60_000,
    )
    return { ...begun, alices, bobs }
  }

  test(`the homeserver is restarted in the middle of ${EACH_WAY} messages each way: all arrive once, in order`, async () => {
    const { alice, portal, bob, world, alices, bobs } = await underway()
    await world.homeserver.restart()
    await Promise.all([alices, bobs])
    await alice.until(
      () => atMatrix(alice, portal).length >= EACH_WAY,
      () => `${atMatrix(alice, portal).length} arrived in Matrix`,
      90_000,
    )
    expect(atMatrix(alice, portal)).toEqual(upTo(EACH_WAY))
    await arrived(alice, portal, await sayOnce(alice, world.homeserver.url, portal, EACH_WAY + 1))
    expect(atMsn(bob)).toEqual(upTo(EACH_WAY + 1))
  }, 240_000)

  test(`kill -9 of the bridge in the middle of ${EACH_WAY} messages each way: nothing lost untold, nothing doubled, order kept`, async () => {
    const { alice, portal, bob, world, alices, bobs } = await underway()
    await world.kill()
    await bobs
    await world.run()
    await world.daemon.waitFor((entry) => entry.msg === 'signed in' && entry['account'] !== 'matrix')
    await bob.callAgain()
    await bob.talk(EACH_WAY)
    await alices
    const end = await sayOnce(alice, world.homeserver.url, portal, EACH_WAY + 1)
    const last = bob.acknowledged.at(-1) ?? 0
    await alice.until(
      () => atMatrix(alice, portal).includes(last),
      () => `${last} has not arrived`,
      60_000,
    )
    await arrived(alice, portal, end)

    const seen = atMatrix(alice, portal)
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toEqual(seen.toSorted((one, other) => one - other))
    expect(bob.acknowledged.filter((number) => !seen.includes(number))).toEqual([])

    const heard = atMsn(bob)
    expect(new Set(heard).size).toBe(heard.length)
    for (const shown of bob.shownByRoom) {
      const numbers = shown.flatMap(numberIn)
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
    }
    // What was said of them may come after the last message.
    const missing = upTo(EACH_WAY + 1).filter((number) => !heard.includes(number))
    const told = (): number => alice.messages(portal).reduce((sum, event) => sum + doubtful(bodyOf(event)), 0)
    await alice.until(
      () => missing.length <= told() || undefined,
      () => `${missing.join(' ')} did not arrive, and ${told()} were told of`,
    )
  }, 240_000)
})
