import { describe, expect, test } from 'vitest'
import type { AdapterContext, HistoryPoint, HistoryRange } from '../../bridge/adapter.ts'
import { NetworkHistory, SAID_LIMIT } from '../../bridge/history.ts'
import type { MessageBody } from '../../bridge/model/body.ts'
import type { AccountId, ChatId, ChatRef, EventId, MessageId } from '../../bridge/model/ids.ts'
import { plain, textOf } from '../../bridge/model/text.ts'
import { type House, LIBERA, MATRIX, RETRO, startsHouses } from '../kit/house.ts'

const startHouse = startsHouses()
const ALICES = 'retro:alice@x' as AccountId
const dm = (name: string): ChatRef => ({ network: RETRO, chat: `dm:${name}@x` as ChatId, account: ALICES })

/** Alice has signed in; what is delivered to her has the id of the delivery, as on a network that lets us choose. */
const start = async (): Promise<House> => {
  const house = await startHouse()
  house.matrix.behave = ({ id }) => Promise.resolve({ kind: 'delivered', ids: [String(id) as MessageId] })
  await house.login('alice@x')
  return house
}

const say = (house: House, chat: ChatRef, sender: string, at: number, said: string | MessageBody): Promise<void> =>
  house.adapterOf(chat.network).context?.emit({
    kind: 'message',
    chat,
    sender: house.user(sender, chat.network),
    id: `native-${sender}-${at}` as MessageId,
    at,
    body: typeof said === 'string' ? { kind: 'text', text: plain(said) } : said,
  }) ?? Promise.reject(new Error('not started'))

const historyOf = (house: House, network = MATRIX): AdapterContext['history'] => {
  const { context } = house.adapterOf(network)
  if (context === undefined) throw new Error('not started')
  return context.history
}

/** Where alice has her chat with somebody. */
const chatWith = (house: House, name: string): ChatRef => {
  const { portal } = house.parts.hub.portals.find(dm(name)) ?? {}
  const chat = portal?.legs.find(({ network }) => network === MATRIX)?.chat
  if (chat === undefined) throw new Error(`no chat with ${name}`)
  return chat
}

const message = (id: string): HistoryPoint => ({ kind: 'message', id: id as MessageId })
const time = (at: number): HistoryPoint => ({ kind: 'time', at })
const words = async (house: House, chat: ChatRef, range: Partial<HistoryRange> = {}): Promise<readonly string[]> =>
  (await historyOf(house).said(chat, { from: 'oldest', limit: 100, ...range })).map(({ event: { body } }) =>
    body.kind === 'nudge' ? '(nudge)' : textOf(body.text),
  )

/** Bob wrote at 10 and 30, alice answered at 20. */
const talked = async (): Promise<{ readonly house: House; readonly chat: ChatRef }> => {
  const house = await start()
  await say(house, dm('bob'), 'bob@x', 10, 'one')
  await house.settle()
  const chat = chatWith(house, 'bob')
  await say(house, chat, '@alice:hs', 20, 'two')
  await say(house, dm('bob'), 'bob@x', 30, 'three')
  await house.settle()
  return { house, chat }
}

describe('what was said in a conversation', () => {
  test('is all of it, as each network told it, under the ids of the chat that is asked for', async () => {
    const { house, chat } = await talked()
    const said = await historyOf(house).said(chat, { from: 'oldest', limit: 100 })
    expect(said.map(({ event }) => event)).toMatchObject([
      { sender: { user: 'bob@x' }, at: 10 },
      { sender: { user: '@alice:hs' }, at: 20 },
      { sender: { user: 'bob@x' }, at: 30 },
    ])
    const delivered = house.matrix.delivered.filter(({ delivery: { op } }) => op.kind === 'message')
    expect(said.map(({ id }) => String(id))).toEqual([
      String(delivered[0]?.delivery.id),
      'native-@alice:hs-20',
      String(delivered[1]?.delivery.id),
    ])
  })

  test('is bounded by messages and times that do not count themselves', async () => {
    const { house, chat } = await talked()
    const [first, , last] = await historyOf(house).said(chat, { from: 'oldest', limit: 100 })
    expect(await words(house, chat, { after: message(first?.id ?? '') })).toEqual(['two', 'three'])
    expect(await words(house, chat, { before: message(last?.id ?? '') })).toEqual(['one', 'two'])
    expect(await words(house, chat, { before: message('native-@alice:hs-20') })).toEqual(['one'])
    expect(await words(house, chat, { after: time(10), before: time(30) })).toEqual(['two'])
    expect(await words(house, chat, { after: time(9.5), before: time(10.5) })).toEqual(['one'])
    expect(await words(house, chat, { from: 'newest', limit: 2 })).toEqual(['two', 'three'])
    expect(await words(house, chat, { limit: 2 })).toEqual(['one', 'two'])
    expect(await words(house, chat, { limit: -1 })).toEqual([])
  })

  test('is nothing where a message is not known, or is of another conversation', async () => {
    const { house, chat } = await talked()
    await say(house, dm('eve'), 'eve@x', 5, 'hello')
    await house.settle()
    const [hello] = await historyOf(house).said(chatWith(house, 'eve'), { from: 'oldest', limit: 1 })
    expect(await words(house, chat, { after: message('nonsense') })).toEqual([])
    expect(await words(house, chat, { after: message(hello?.id ?? '') })).toEqual([])
    expect(await words(house, chatWith(house, 'eve'), { after: message(hello?.id ?? '') })).toEqual([])
  })

  test('is nothing of chats of other networks, nor of those that are no part of any', async () => {
    const { house, chat } = await talked()
    expect(await words(house, dm('bob'))).toEqual([])
    expect(await words(house, { ...chat, chat: 'elsewhere' as ChatId })).toEqual([])
    expect(await historyOf(house, LIBERA).said(chat, { from: 'oldest', limit: 100 })).toEqual([])
  })

  test('has what is still under way under the id that it will have', async () => {
    const { house, chat } = await talked()
    house.matrix.behave = () =>
      Promise.resolve({ kind: 'retry', reason: 'network', wait: 1e6, detail: 'the network is down' })
    await say(house, dm('bob'), 'bob@x', 40, 'four')
    await house.clock.advance(1_000)
    const [, , , four] = await historyOf(house).said(chat, { from: 'oldest', limit: 100 })
    expect(await words(house, chat, { before: message(four?.id ?? '') })).toEqual(['one', 'two', 'three'])
  })

  test('is not what was taken back, wherever that was done', async () => {
    const { house, chat } = await talked()
    const [first] = await historyOf(house).said(chat, { from: 'oldest', limit: 1 })
    for (const target of [String(first?.id), 'native-@alice:hs-20'])
      await house.matrix.context?.emit({
        kind: 'redact',
        chat,
        sender: house.user('@alice:hs'),
        id: `redacts-${target}` as MessageId,
        at: 50,
        target: target as MessageId,
      })
    expect(await words(house, chat)).toEqual(['three'])
  })

  test('has files with a link of now', async () => {
    const { house, chat } = await talked()
    const file = { network: RETRO, ref: 'x', name: 'cat.png', media: 'image' } as const
    await say(house, dm('bob'), 'bob@x', 40, { kind: 'file', file, text: [] })
    const history = new NetworkHistory(MATRIX, {
      store: house.parts.data.store,
      portals: house.parts.hub.portals,
      clock: house.clock,
      linkOf: ({ name }, at) => `https://files/${name}?${at}`,
    })
    const [last] = await history.said(chat, { from: 'newest', limit: 1 })
    expect(last?.event.body).toMatchObject({ file: { url: `https://files/cat.png?${house.clock.now()}` } })
  })

  test('is no more than so much at once', async () => {
    const { house, chat } = await talked()
    let asked: number | undefined
    const { store } = house.parts.data
    const history = new NetworkHistory(MATRIX, {
      store: {
        eventOf: () => Promise.resolve(undefined),
        saidPoint: (portal: never, event: EventId) => store.saidPoint(portal, event),
        latestSaid: () => Promise.resolve(new Map()),
        said: (_portal, range) => {
          asked = range.limit
          return Promise.resolve([])
        },
      },
      portals: house.parts.hub.portals,
      clock: house.clock,
    })
    await history.said(chat, { from: 'oldest', limit: 1e9 })
    expect(asked).toBe(SAID_LIMIT)
  })
})

test('in which chats something was said between two times, and when last', async () => {
  const { house, chat } = await talked()
  await say(house, dm('eve'), 'eve@x', 15, 'hello')
  await house.settle()
  const eves = chatWith(house, 'eve')
  const history = historyOf(house)
  const unknown = { ...chat, chat: 'elsewhere' as ChatId }
  expect(await history.latest([chat, unknown, eves, dm('bob')], 0, 100, 10)).toEqual([
    { chat: eves, at: 15 },
    { chat, at: 30 },
  ])
  expect(await history.latest([chat, eves], 0, 100, 1)).toEqual([{ chat, at: 30 }])
  expect(await history.latest([chat, eves], 0, 100, 0)).toEqual([])
  expect(await history.latest([chat, eves], 15, 30, 10)).toEqual([{ chat, at: 20 }])
})
