/** The flow of files with a courier that does as the test says: what is told when, and what is not done twice. */
import { expect, it } from 'vitest'
import type { Files, PutResult } from '../../../bridge/adapter.ts'
import type { FileRef } from '../../../bridge/model/body.ts'
import type { EventId, MessageId, UserId } from '../../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../../bridge/model/result.ts'
import { textOf } from '../../../bridge/model/text.ts'
import { Held } from '../../../adapters/msn/held.ts'
import {
  MAX_FROM_ONE,
  MAX_TOLD,
  MAX_TRANSFERS,
  PROGRESS_MS,
  Transfers,
  type Words,
} from '../../../adapters/msn/transfers/flow.ts'
import { MAX_OWED, OwedLinks } from '../../../adapters/msn/transfers/owed.ts'
import type { Arrival, Courier, IncomingOffer, OfferResult, Talk } from '../../../adapters/msn/transfers/types.ts'
import { parseMime } from '../../../msnp/index.ts'
import { account, chatOf, FakeCore, network, textOfPayload } from './fakes.ts'

const bob = 'bob@example.com' as UserId
const chat = chatOf(bob)
const where = { chat, user: bob, name: 'Bob' }
const never = new AbortController().signal
const message = parseMime(Buffer.from('\r\n'))
const FILE: FileRef = { network, ref: 'x', name: 'a.txt', media: 'file', size: 10, url: 'https://x/a.txt' }
const DELIVERED: DeliveryResult = { kind: 'delivered', ids: ['m1' as MessageId] }

/** An offer of theirs, and what has been done with it. */
class Offer implements IncomingOffer {
  readonly name = 'a.txt'
  readonly size: number
  readonly back = new AbortController()
  readonly withdrawn = this.back.signal
  readonly arrival = Promise.withResolvers<Arrival>()
  progress: (bytes: number) => void = () => undefined
  declined: string | undefined
  kept: boolean | undefined
  constructor(size = 100) {
    this.size = size
  }
  accept(_: AbortSignal, onProgress: (bytes: number) => void): Promise<Arrival> {
    this.progress = onProgress
    return this.arrival.promise
  }
  decline(why: string): void {
    this.declined = why
  }
  arrive(): void {
    const body = (async function* () {
      yield Buffer.from('x')
    })()
    this.arrival.resolve({ kind: 'arriving', body, done: (kept) => (this.kept = kept) })
  }
}

class Desk {
  readonly core = new FakeCore()
  readonly held = new Held(this.core.context)
  readonly owed = new OwedLinks(account.id, this.core.context)
  readonly said: string[] = []
  readonly results: DeliveryResult[] = []
  readonly outcome = Promise.withResolvers<OfferResult>()
  heard: ReturnType<Courier['hear']>
  put: PutResult = { kind: 'stored', file: FILE }
  refusal: string | undefined
  generation: number | undefined = 0
  readonly transfers: Transfers
  #ids = 0

  constructor() {
    const files: Files = {
      maxBytes: 1_000,
      put: async (body) => {
        for await (const chunk of body) expect(chunk.length).toBe(1)
        return this.put
      },
      refusal: () => this.refusal,
      open: () => Promise.resolve({ kind: 'media', body: new Blob(['0123456789']).stream(), size: 10 }),
    }
    Object.assign(this.core.context, { files })
    const courier: Courier = {
      understands: (generation) => generation === 0,
      hear: () => this.heard,
      offer: () => ({
        payload: Buffer.from('\r\n\r\nINVITE'),
        run: (_, signal) => {
          signal.addEventListener('abort', () => this.outcome.resolve({ kind: 'taken-back' }))
          return this.outcome.promise
        },
        forget: () => this.said.push('forgotten'),
      }),
      gone: () => undefined,
    }
    this.transfers = new Transfers({
      network,
      account: account.id,
      context: this.core.context,
      held: this.held,
      couriers: [courier],
      owed: this.owed,
      receives: true,
      sends: true,
      maxBytes: 10_000,
      generationOf: () => this.generation,
      random: () => String(++this.#ids),
    })
  }

  /** What the sender of an offer was told. */
  readonly whispered: string[] = []
  readonly #talk: Talk = { user: bob, say: (payload) => void this.whispered.push(textOfPayload(payload)) }

  readonly words: Words = {
    deliver: (_, payload) => {
      this.said.push(textOfPayload(payload))
      return Promise.resolve(this.results.shift() ?? DELIVERED)
    },
    whisper: () => Promise.resolve(),
  }

  offer(offer = new Offer()): Offer {
    this.heard = offer
    expect(this.transfers.hear(message, this.#talk, where)).toBe(true)
    return offer
  }

  send(id = 'e1'): Promise<DeliveryResult> {
    return this.transfers.deliver(id as EventId, FILE, where, this.words, never)
  }

  notices(): readonly string[] {
    return this.core.of('message').flatMap(({ body }) => (body.kind === 'notice' ? [textOf(body.text)] : []))
  }

  settle(): Promise<void> {
    return this.core.clock.settle()
  }
}

it('leaves alone what no courier knows, and is done with what one has dealt with', () => {
  const desk = new Desk()
  expect(desk.transfers.hear(message, { user: bob, say: () => undefined }, where)).toBe(false)
  desk.heard = 'taken'
  expect(desk.transfers.hear(message, { user: bob, say: () => undefined }, where)).toBe(true)
})

it('says how far it is, when it takes long and has got further', async () => {
  const desk = new Desk()
  const offer = desk.offer()
  offer.progress(25)
  await desk.core.clock.advance(PROGRESS_MS)
  await desk.core.clock.advance(PROGRESS_MS)
  offer.progress(99)
  await desk.core.clock.advance(PROGRESS_MS)
  offer.arrive()
  await desk.settle()
  await desk.core.clock.advance(10 * PROGRESS_MS)
  expect(desk.notices()).toEqual([
    'is sending the file "a.txt": 25 % of 100 bytes',
    'is sending the file "a.txt": 99 % of 100 bytes',
  ])
  expect(offer.kept).toBe(true)
  expect(desk.transfers.idle).toBe(true)
})

it('tells the sender when the store will not have it', async () => {
  const desk = new Desk()
  desk.put = { kind: 'refused', reason: 'too-large', detail: 'the bridge has no more room for files' }
  const offer = desk.offer()
  offer.arrive()
  await desk.settle()
  expect(offer.kept).toBe(false)
  expect(desk.notices()).toEqual([
    'offered the file "a.txt" (100 bytes), but it did not arrive: the bridge has no more room for files',
  ])
  expect(desk.whispered).toEqual(['(The file "a.txt" was declined, because the bridge has no more room for files.)'])
})

it('takes none whose sender has used up their share, and says so to both', async () => {
  const desk = new Desk()
  desk.refusal = 'one sender may keep 5.0 MB of files here'
  const offer = desk.offer()
  await desk.settle()
  expect(offer.declined).toBe('unwanted')
  expect(desk.notices()).toEqual([
    'offers the file "a.txt" (100 bytes), which the bridge does not take: one sender may keep 5.0 MB of files here',
  ])
  expect(desk.whispered).toEqual(['(The file "a.txt" was declined, because one sender may keep 5.0 MB of files here.)'])
  expect(desk.transfers.idle).toBe(true)
})

it('takes only so many at once of one, and a flood of offers is no flood of notices', async () => {
  const desk = new Desk()
  const offers = Array.from({ length: MAX_FROM_ONE + MAX_TOLD + 5 }, () => desk.offer())
  await desk.settle()
  expect(offers.filter(({ declined }) => declined === 'unwanted')).toHaveLength(MAX_TOLD + 5)
  expect(desk.notices()).toHaveLength(MAX_TOLD)
  expect(desk.whispered).toHaveLength(MAX_TOLD)
  await desk.core.clock.advance(60_000)
  expect(desk.offer(new Offer(1_001)).declined).toBe('unwanted')
  await desk.settle()
  expect(desk.notices().at(-1)).toContain('it is too large, 1 kB at most')
})

it('offers only so many at once; then they are links', async () => {
  const desk = new Desk()
  let at = 0
  desk.words.deliver = (_, payload) => {
    desk.said.push(textOfPayload(payload))
    return Promise.resolve({ kind: 'delivered', ids: [`m${++at}` as MessageId] })
  }
  for (let count = 0; count < MAX_TRANSFERS; count++) await desk.send(`e${count}`)
  expect(desk.said.every((text) => text === 'INVITE')).toBe(true)
  expect(desk.transfers.canOffer(bob)).toBe(false)
  await desk.send('last')
  expect(desk.said.at(-1)).toBe('sends a file: a.txt (10 bytes) https://x/a.txt')
})

it.each([1, undefined])('offers nothing to a client of generation %s', async (generation) => {
  const desk = new Desk()
  desk.generation = generation
  expect(desk.transfers.canOffer(bob)).toBe(false)
  await desk.send()
  expect(desk.said).toEqual(['sends a file: a.txt (10 bytes) https://x/a.txt'])
})

it('owes nothing for an offer that could not be said', async () => {
  const desk = new Desk()
  const offline: DeliveryResult = { kind: 'retry', reason: 'offline', wait: 'recipient-online', detail: 'offline' }
  desk.results.push(offline)
  expect(await desk.send()).toEqual(offline)
  expect(desk.said).toEqual(['INVITE', 'forgotten'])
  expect(desk.core.state.values.size).toBe(0)
})

it('owes the link before the offer is said, and gives it until it has arrived', async () => {
  const desk = new Desk()
  desk.results.push(
    DELIVERED,
    { kind: 'retry', reason: 'network', wait: 5_000, detail: 'later' },
    { kind: 'retry', reason: 'offline', wait: 'recipient-online', detail: 'offline' },
  )
  await desk.send()
  expect([...desk.core.state.values.keys()]).toEqual(['owed/relay/e1'])
  desk.outcome.resolve({ kind: 'failed', detail: 'the connection broke' })
  await desk.settle()
  expect(desk.notices()).toEqual(['has not received the file "a.txt" (the connection broke), and gets the link'])
  await desk.core.clock.advance(5_000)
  // They are offline: from now on whoever sees them come asks again.
  expect(desk.owed.waiting().map(([id]) => id)).toEqual(['e1'])
  const link = 'sends a file: a.txt (10 bytes) https://x/a.txt'
  await desk.transfers.give('e1' as EventId, desk.words)
  expect(desk.said).toEqual(['INVITE', link, link, link])
  expect([desk.owed.waiting(), desk.core.state.values.size]).toEqual([[], 0])
})

it('keeps what is owed over the end, and reads nonsense from the store as nothing', async () => {
  const desk = new Desk()
  await desk.send()
  await desk.transfers.stop()
  desk.core.state.values.set('owed/relay/e2', 'nonsense')
  desk.core.state.values.set('owed/relay/e3', '{"chat":1}')
  const again = new OwedLinks(account.id, desk.core.context)
  await again.load()
  expect(again.waiting().map(([id, { chat: to }]) => [id, to])).toEqual([['e1', bob]])
  expect([...desk.core.state.values.keys()]).toEqual(['owed/relay/e1'])
  for (let at = 0; at < MAX_OWED + 5; at++) await again.note(`n${at}` as EventId, { chat: chat.chat, words: 'x' })
  expect(desk.core.state.values.size).toBe(MAX_OWED)
})
