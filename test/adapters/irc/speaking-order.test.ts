import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SpeakingOrder } from '../../../adapters/irc/speaking-order.ts'
import type { ChatId } from '../../../bridge/model/ids.ts'
import '../../kit/properties.ts'

const CHAT = '#a' as ChatId

test('whatever finishes when, nobody speaks before those ahead of them are done, and their own words keep the order', async () => {
  const call = fc.record({ speaker: fc.constantFrom('a', 'b', 'c'), turns: fc.integer({ min: 0, max: 5 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 30 }), async (calls) => {
      const order = new SpeakingOrder()
      const begun: number[] = []
      const done = new Set<number>()
      await Promise.all(
        calls.map(({ speaker, turns }, index) =>
          order.take(CHAT, speaker, async () => {
            for (const [other, { speaker: by }] of calls.entries())
              if (other < index && by !== speaker) expect(done.has(other)).toBe(true)
            begun.push(index)
            for (let turn = 0; turn < turns; turn++) await Promise.resolve()
            done.add(index)
          }),
        ),
      )
      expect(begun).toEqual(calls.map((_, index) => index))
    }),
  )
})

test('one speaker waits for nothing, and no chat for another', async () => {
  const order = new SpeakingOrder()
  const begun: string[] = []
  const say = (chat: string, speaker: string, name: string, until: Promise<unknown>) =>
    order.take(chat as ChatId, speaker, () => {
      begun.push(name)
      return until
    })
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const all = [
    say('#a', 'x', '1', promise),
    say('#a', 'x', '2', promise),
    say('#a', 'y', '3', promise),
    say('#b', 'y', '4', promise),
  ]
  expect(begun).toEqual(['1', '2', '4'])
  resolve(undefined)
  await Promise.all(all)
  expect(begun).toEqual(['1', '2', '4', '3'])
})

test('a work that fails holds nobody up', async () => {
  const order = new SpeakingOrder()
  const failing = order.take(CHAT, 'a', () => Promise.reject(new Error('no')))
  const next = order.take(CHAT, 'b', () => Promise.resolve('yes'))
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
})
