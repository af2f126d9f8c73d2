/** What every adapter must do, whatever its network: `adapterContract('irc', make)` in the adapter's own tests. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Adapter, ChatRequest, Delivery, Session } from '../../bridge/adapter.ts'
import type { Outbound } from '../../bridge/model/events.ts'
import type { ChatRef, EventId } from '../../bridge/model/ids.ts'
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
