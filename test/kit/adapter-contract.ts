/**
 * What every adapter must do, whatever its network: `adapterContract('irc', make)` in the adapter's own tests, or
 * `hostContract` for one that bridges nobody.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Adapter, type ChatRequest, type Delivery, type Session, SessionFault } from '../../bridge/adapter.ts'
import type { MessageBody } from '../../bridge/model/body.ts'
import type { Outbound, OutboundKind, Puppet } from '../../bridge/model/events.ts'
import type { ChatId, ChatRef, EventId, MessageId, NetworkId, UserId, UserRef } from '../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../bridge/model/result.ts'
import { plain, textOf } from '../../bridge/model/text.ts'

/** An adapter of a network that runs, with one account that can sign in. */
export interface Subject {
  readonly adapter: Adapter
  readonly session: Session
  /** A chat that exists and takes messages. */
  readonly place: ChatRequest
  /** Texts that arrived in that chat, as the others there see them, oldest first. Waits until there are so many. */
  readonly arrived: (count: number) => Promise<readonly string[]>
  /** A place that can never take a message; absent where there is none. */
  readonly nowhere?: ChatRequest
  /** Takes the network away, or makes it silent, so that a delivery stays under way; absent where that cannot be done. */
  readonly freeze?: () => void | Promise<void>
  /** Takes back all that `make` set up. The adapter may be stopped already. */
  readonly end: () => Promise<void>
}

const never = (): AbortSignal => new AbortController().signal

const said = (words: string): Outbound => ({
  kind: 'message',
  as: { kind: 'self' },
  body: { kind: 'text', text: plain(words) },
  at: 0,
})

let count = 0
const delivery = (chat: ChatRef, op: Outbound): Delivery => ({ id: `contract-${++count}` as EventId, chat, op })

/** As many as may be under way at once, but not one alone. */
const batchFor = (chat: ChatRef, session: Session): readonly Delivery[] =>
  Array.from({ length: Math.min(4, session.capabilities(chat).pipeline) }, (_, index) =>
    delivery(chat, said(`batch ${index}`)),
  )

const someone: UserRef = { network: 'elsewhere' as NetworkId, user: 'somebody@else' as UserId }
const ghost: Puppet = { kind: 'ghost', origin: someone, name: 'some\r\nbody' }
const target = 'no-such-message' as MessageId
const hostile = plain('one\r\nQUIT :gone\0 \u202e\ud800')
const text: MessageBody = { kind: 'text', text: hostile }

/** One of each kind, as unkind as the types allow. */
const everything: Readonly<Record<OutboundKind, Outbound>> = {
  message: { kind: 'message', as: ghost, body: text, at: 0, replyTo: target },
  edit: { kind: 'edit', as: ghost, target, body: text },
  redact: { kind: 'redact', as: ghost, target, quote: { name: '\r\n', text: 'a\0' } },
  reaction: { kind: 'reaction', as: ghost, target, key: 'a\r\nb' },
  title: { kind: 'title', title: 'a\r\nb' },
  member: { kind: 'member', as: ghost, user: someone, userName: 'some\r\nbody', change: 'kick', reason: 'a\r\nb' },
  topic: { kind: 'topic', as: ghost, topic: 'a\r\nb\0' },
  typing: { kind: 'typing', as: ghost, forMs: 1 },
  read: { kind: 'read', as: ghost, upTo: target },
  company: { kind: 'company', people: [{ user: someone, name: 'some\r\nbody' }] },
  presence: { kind: 'presence', as: ghost, state: { show: 'busy', text: 'a\r\nb' } },
  profile: { kind: 'profile', as: ghost, name: '\r\n' },
  delivery: { kind: 'delivery', target, outcome: 'uncertain', text: hostile },
  status: { kind: 'status', text: hostile },
}
const bodies: readonly MessageBody[] = [
  { kind: 'action', text: hostile },
  { kind: 'notice', text: hostile },
  { kind: 'text', text: [] },
  { kind: 'nudge' },
  { kind: 'file', file: { network: someone.network, ref: 'x', name: 'a\r\nb', media: 'file' }, text: hostile },
]

/** All kinds of operation, in that chat, in none, and in one that cannot be. Each ends within the patience of the test. */
const expectResults = async (session: Session, chat: ChatRef | undefined): Promise<void> => {
  const ops = [
    ...Object.values(everything),
    ...bodies.map((body): Outbound => ({ ...said(''), kind: 'message', as: ghost, body, at: 0 })),
  ]
  const nowhere: ChatRef = { network: session.account as string as NetworkId, chat: ' \r\n#no such chat' as ChatId }
  for (const op of ops)
    for (const where of [chat, nowhere, undefined]) {
      const id = `contract-${++count}` as EventId
      const one = where === undefined ? { id, op } : { id, op, chat: where }
      const { kind } = await session.deliver(one, AbortSignal.timeout(500))
      expect(['delivered', 'retry', 'refused', 'uncertain']).toContain(kind)
    }
}

/** For an adapter whose people talk among themselves: it says so, and never in a way that harms the bridge. */
export const hostContract = (name: string, make: () => Promise<Pick<Subject, 'adapter' | 'session' | 'end'>>): void => {
  describe(`${name} keeps the contract of adapters`, () => {
    let subject: Awaited<ReturnType<typeof make>>
    beforeEach(async () => {
      subject = await make()
    })
    afterEach(async () => {
      await subject.end()
    })

    test('nothing is opened, delivered or asked for in vain: all is refused with a sentence', async () => {
      const { session } = subject
      const place: ChatRequest = { kind: 'direct', with: 'bob@home.example' as UserId }
      for (const answer of [
        await session.open(place, never()),
        await session.deliver({ id: 'one' as EventId, op: said('hello') }, never()),
        await session.roster({ kind: 'rename', name: 'x' }, never()),
      ])
        expect(answer).toMatchObject({ kind: 'refused', detail: expect.stringMatching(/\w+ \w+/) as unknown })
      await expect(session.connect(never())).rejects.toBeInstanceOf(SessionFault)
    })

    test('no delivery rejects, whatever is asked and wherever', async () => {
      await expectResults(subject.session, undefined)
    })

    test('a text is never cut, and no name makes it throw', () => {
      const { adapter, session } = subject
      const chat: ChatRef = { network: adapter.network, chat: 'x' as ChatId }
      for (const op of Object.values(everything)) expect(session.split(op, chat)).toEqual([op])
      for (const odd of ['', ' ', '\r\n', '@', 'a@b@c', '\u202e', 'x'.repeat(10_000)])
        for (const parsed of [adapter.parseChat(odd), adapter.parseUser(odd)])
          if (typeof parsed !== 'string') expect(parsed.wrong).not.toBe('')
    })

    test('closing and stopping twice is harmless', async () => {
      const { adapter, session } = subject
      for (let time = 0; time < 2; time++) await session.close()
      for (let time = 0; time < 2; time++) await adapter.stop()
    })
  })
}

const wordsOf = (op: Outbound): string =>
  op.kind === 'message' && op.body.kind !== 'nudge' ? textOf(op.body.text) : ''

const bare = (words: string): string => words.replaceAll(/\s+/g, '')

/** `make`: the adapter is started, the session is not connected. Each test makes its own. */
export const adapterContract = (name: string, make: () => Promise<Subject>): void => {
  describe(`${name} keeps the contract of adapters`, () => {
    let subject: Subject
    beforeEach(async () => {
      subject = await make()
    })
    afterEach(async () => {
      await subject.end()
    })

    const opened = async (): Promise<ChatRef> => {
      await subject.session.connect(never())
      const result = await subject.session.open(subject.place, never())
      if (result.kind !== 'opened') throw new Error(`${result.kind}: ${result.detail}`)
      return result.chat
    }

    test('one account has one session', () => {
      const { adapter, session } = subject
      for (const account of adapter.ownAccounts()) expect(adapter.session(account)).toBe(adapter.session(account))
      expect(session.capabilities().pipeline).toBeGreaterThan(0)
    })

    test('opening a chat twice gives the same chat', async () => {
      const chat = await opened()
      expect(await subject.session.open(subject.place, never())).toEqual({ kind: 'opened', chat })
    })

    test('messages arrive in the order of the calls, as many at once as it says', async () => {
      const chat = await opened()
      const words = ['one', 'two', 'three', 'four', 'five']
      const { pipeline } = subject.session.capabilities(chat)
      const results: DeliveryResult[] = []
      for (let index = 0; index < words.length; index += pipeline) {
        const batch = words.slice(index, index + pipeline).map((word) => delivery(chat, said(word)))
        results.push(...(await Promise.all(batch.map((one) => subject.session.deliver(one, never())))))
      }
      expect(results.map((result) => result.kind)).toEqual(words.map(() => 'delivered'))
      const arrived = await subject.arrived(words.length)
      expect(arrived.map((line) => words.find((word) => line.includes(word)))).toEqual(words)
    })

    test('delivered parts have ids of their own', async () => {
      const chat = await opened()
      const ids: string[] = []
      for (const word of ['one', 'two']) {
        const result = await subject.session.deliver(delivery(chat, said(word)), never())
        if (result.kind === 'delivered') ids.push(...result.ids)
      }
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.length).toBeGreaterThanOrEqual(2)
    })

    test.each([
      ['a long text', 'The quick brown fox jumps over the lazy dog. '.repeat(90)],
      ['many lines', Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\n')],
      ['wide characters', 'ünïcödé 日本語 👩‍👩‍👧‍👦 '.repeat(120)],
    ])('split keeps %s whole, and a part is not split again', async (_, words) => {
      const chat = await opened()
      const parts = subject.session.split(said(words), chat)
      expect(bare(parts.map(wordsOf).join(''))).toBe(bare(words))
      for (const part of parts) expect(subject.session.split(part, chat)).toHaveLength(1)
      expect(subject.session.split(said(words), chat)).toEqual(parts)
    })

    test('without a session a delivery is tried again later, and never lost', async () => {
      const chat = await opened()
      await subject.session.close()
      const result = await subject.session.deliver(delivery(chat, said('late')), never())
      expect(result).toMatchObject({ kind: 'retry', wait: 'session-online' })
    })

    test('what is behind a delivery that must be tried again must be tried again too', async () => {
      const chat = await opened()
      const batch = batchFor(chat, subject.session)
      const first = new AbortController()
      const underway = batch.map((one, index) => subject.session.deliver(one, index === 0 ? first.signal : never()))
      first.abort()
      const [result, ...behind] = await Promise.all(underway)
      if (result?.kind === 'retry') expect(behind.map(({ kind }) => kind)).toEqual(behind.map(() => 'retry'))
      // Now the lane would begin again with the first.
      const words = ['from', 'the', 'beginning']
      for (const word of words)
        expect(await subject.session.deliver(delivery(chat, said(word)), never())).toMatchObject({ kind: 'delivered' })
      const arrived = await subject.arrived(words.length)
      expect(arrived.filter((line) => words.some((word) => line.includes(word)))).toHaveLength(words.length)
    })

    test('when the session ends meanwhile, results keep their order, and nothing is delivered behind what is not', async () => {
      const chat = await opened()
      const order: number[] = []
      const underway = batchFor(chat, subject.session).map(async (one, index) => {
        const { kind } = await subject.session.deliver(one, never())
        order.push(index)
        return kind
      })
      await subject.session.close()
      const kinds = await Promise.all(underway)
      expect(order).toEqual(order.toSorted((a, b) => a - b))
      const again = kinds.indexOf('retry')
      if (again >= 0) expect(kinds.slice(again)).toEqual(kinds.slice(again).map(() => 'retry'))
    })

    test('each of several under way that are aborted at once has a result, in order', async () => {
      const chat = await opened()
      await subject.freeze?.()
      const abort = new AbortController()
      const order: number[] = []
      const underway = batchFor(chat, subject.session).map(async (one, index) => {
        const { kind } = await subject.session.deliver(one, abort.signal)
        order.push(index)
        return kind
      })
      abort.abort()
      const kinds = await Promise.all(underway)
      expect(order).toEqual(order.toSorted((a, b) => a - b))
      const again = kinds.indexOf('retry')
      if (again >= 0) expect(kinds.slice(again)).toEqual(kinds.slice(again).map(() => 'retry'))
    })

    test('no delivery rejects, whatever is asked and wherever', async () => {
      const chat = await opened()
      await expectResults(subject.session, chat)
    })

    test('an aborted delivery ends, with a result', async () => {
      const chat = await opened()
      await subject.freeze?.()
      const abort = new AbortController()
      const result = subject.session.deliver(delivery(chat, said('hello')), abort.signal)
      abort.abort()
      expect(['delivered', 'retry', 'refused', 'uncertain']).toContain((await result).kind)
    })

    test('what was aborted before it began was not delivered', async () => {
      const chat = await opened()
      const result = await subject.session.deliver(delivery(chat, said('hello')), AbortSignal.abort())
      expect(['retry', 'refused', 'uncertain']).toContain(result.kind)
    })

    test('a place that does not exist is refused, and not tried for ever', async () => {
      if (subject.nowhere === undefined) return
      await subject.session.connect(never())
      const chat = await subject.session.open(subject.nowhere, never())
      const result =
        chat.kind === 'opened' ? await subject.session.deliver(delivery(chat.chat, said('hello')), never()) : chat
      expect(result.kind).toBe('refused')
    })

    test('closing and stopping twice is harmless, before and after connecting', async () => {
      const { adapter, session } = subject
      await session.close()
      await session.connect(never())
      expect(session.state.kind).toBe('online')
      await session.close()
      await session.close()
      expect(session.state.kind).not.toBe('online')
      await adapter.stop()
      await adapter.stop()
    })

    test('an attempt to connect that is aborted fails', async () => {
      await expect(subject.session.connect(AbortSignal.abort())).rejects.toThrow()
    })
  })
}
