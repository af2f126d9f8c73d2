import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delivery } from '../../bridge/adapter.ts'
import type { MessageId } from '../../bridge/model/ids.ts'
import { textOf } from '../../bridge/model/text.ts'
import type { Store } from '../../bridge/store/port.ts'
import { VirtualClock } from '../kit/clock.ts'
import { ableCapabilities, Core, ircChat, message, msnChat } from '../kit/core.ts'
import type { FakeAdapter } from '../kit/fake-adapter.ts'

/** A process that dies at its nth step: whatever it awaits there never comes back. */
class Life {
  #steps = 0
  readonly #last: number
  constructor(last: number) {
    this.#last = last
  }

  get dead(): boolean {
    return this.#steps >= this.#last
  }

  step(): Promise<void> {
    if (!this.dead) this.#steps++
    return this.dead ? new Promise(() => undefined) : Promise.resolve()
  }
}

/** Every call of the store is two steps: before it and after it. */
const mortal = (store: Store, life: Life): Store =>
  new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (['open', 'close', 'onHealth', 'adapterState'].includes(String(name))) return value.bind(target) as unknown
      return async (...args: unknown[]) => {
        await life.step()
        const answer: unknown = await value.apply(target, args)
        await life.step()
        return answer
      }
    },
  })

interface Side {
  readonly got: string[]
  readonly uncertain: string[]
}

/** What the network did, before and after the step at which the process may die. */
const deliver =
  (side: Side, life: Life, adapter: () => FakeAdapter) =>
  async ({ op }: Delivery) => {
    await life.step()
    if (op.kind === 'message' && op.body.kind === 'text') side.got.push(textOf(op.body.text))
    if (op.kind === 'delivery' && op.outcome === 'uncertain') side.uncertain.push(op.target)
    await life.step()
    return adapter().done()
  }

const COUNT = 6
/** Each of six characters, all different: cut in two they can still be told apart. */
const words = Array.from({ length: COUNT }, (_, index) => `${index}a${index}b${index}c`)

test(
  'a crash between any two steps loses nothing, doubles nothing, and keeps the order',
  { timeout: 120_000 },
  async () => {
    const lives = fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(
        lives,
        fc.constantFrom(1, 3),
        fc.constantFrom(3, Number.POSITIVE_INFINITY),
        async (ends, pipeline, longest) => {
          const clock = new VirtualClock()
          const sides = { msn: { got: [], uncertain: [] }, irc: { got: [], uncertain: [] } } as Record<
            'msn' | 'irc',
            Side
          >
          const acknowledged = { msn: new Set<string>(), irc: new Set<string>() }
          const capabilities = { ...ableCapabilities, pipeline }
          let folder: string | undefined
          let last: Core | undefined
          for (const end of [...ends, Number.POSITIVE_INFINITY]) {
            const life = new Life(end)
            const core: Core = new Core({
              clock,
              limits: { laneWindow: 4 },
              ...(folder === undefined ? {} : { folder }),
              wrap: (store) => mortal(store, life),
              msn: { capabilities, longest, deliver: deliver(sides.msn, life, () => core.msn) },
              irc: { capabilities, longest, deliver: deliver(sides.irc, life, () => core.irc) },
            })
            ;({ folder } = core)
            last = core
            void core.start()
            await core.settle()
            // Each network sends again what was not acknowledged, under the same id.
            for (const word of words)
              for (const from of ['msn', 'irc'] as const) {
                if (acknowledged[from].has(word) || life.dead) continue
                const chat = from === 'msn' ? msnChat('bob@x') : ircChat('#bob')
                const event = message(chat, 'bob@x', word, { id: word as MessageId })
                void core.hub.accept(event).then(
                  () => acknowledged[from].add(word),
                  () => undefined,
                )
              }
            for (let turn = 0; turn < (life.dead ? 1 : 6); turn++) await core.settle()
            await core.crash()
          }
          await last?.dispose()
          for (const [to, from] of [
            ['msn', 'irc'],
            ['irc', 'msn'],
          ] as const) {
            const { got } = sides[to]
            const { uncertain } = sides[from]
            const pieces = words.flatMap((word) => (longest === 3 ? [word.slice(0, 3), word.slice(3)] : [word]))
            expect(got, 'no doubles').toEqual([...new Set(got)])
            expect(got, 'in order').toEqual(pieces.filter((piece) => got.includes(piece)))
            for (const piece of pieces.filter((one) => !got.includes(one)))
              expect(uncertain, 'lost and not told').toContain(words.find((word) => word.includes(piece)))
            expect(uncertain.length).toBeLessThanOrEqual(2 * ends.length * pipeline)
            expect([...acknowledged[from]].length).toBe(COUNT)
          }
        },
      ),
      { numRuns: 60 },
    )
  },
)
