/** Pictures of contacts: who is asked, how often, what is kept of it; and emoticons in the words that use them. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Emoticons, MAX_FROM_ONE, MAX_SHOWN, PATIENCE_MS, withPictures } from '../../../adapters/msn/emoticons.ts'
import type { Fetched, PeerTalk } from '../../../adapters/msn/peer-talk.ts'
import { AGAIN_MS, CHANGES, FETCH_MS, PACE_MS, Pictures } from '../../../adapters/msn/pictures.ts'
import type { FileRef } from '../../../bridge/model/body.ts'
import type { NetworkId, UserId } from '../../../bridge/model/ids.ts'
import { textOf } from '../../../bridge/model/text.ts'
import { describeObject, formatMsnObject, isObjectData, type MsnObject } from '../../../msnp/index.ts'
import { someBytes } from '../../kit/p2p-room.ts'
import { account, FakeCore, network } from './fakes.ts'

const bob = 'bob@example.com' as UserId
const carol = 'carol@example.com' as UserId
const face = (seed: number, size = 900) => someBytes(size, seed)
const described = (data: Uint8Array, type = 3): string => formatMsnObject(describeObject(data, { creator: bob, type }))

let core: FakeCore
/** By `ref`. */
let kept: Map<string, Uint8Array>
beforeEach(() => {
  core = new FakeCore()
  kept = new Map()
  Object.assign(core.context, {
    files: {
      maxBytes: 1_000_000,
      put: async (body: AsyncIterable<Uint8Array>, about: { name: string }) => {
        const pieces: Uint8Array[] = []
        for await (const piece of body) pieces.push(piece)
        const bytes = Buffer.concat(pieces)
        const ref = String(bytes.readUInt32LE(0))
        kept.set(ref, bytes)
        const file: FileRef = {
          network: '~files' as NetworkId,
          ref,
          name: about.name,
          media: bytes[0] === 0xff ? 'file' : 'image',
        }
        return { kind: 'stored', file }
      },
      open: async ({ ref }: { ref: string }) => {
        const bytes = kept.get(ref)
        if (bytes === undefined) return { kind: 'refused', reason: 'not-found', detail: 'gone' }
        return { kind: 'media', body: new Blob([Uint8Array.from(bytes)]).stream(), size: bytes.length }
      },
    },
  })
})

describe('display pictures', () => {
  let asked: { readonly user: UserId; readonly object: MsnObject; readonly signal: AbortSignal }[]
  let answers: Map<string, Uint8Array>
  const make = (maxBytes = 100_000) =>
    new Pictures({
      network,
      account: account.id,
      context: core.context,
      maxBytes,
      isOnline: () => true,
      fetch: async (user, object, _xml, signal): Promise<Fetched> => {
        asked.push({ user, object, signal })
        const bytes = [...answers.values()].find((each) => isObjectData(object, each))
        return bytes === undefined ? { kind: 'failed', how: 'declined' } : { kind: 'fetched', bytes }
      },
    })
  const told = () => core.of('profile').map(({ user, avatar }) => [user.user, avatar === null ? null : avatar?.ref])
  const refOf = (data: Buffer): string => String(data.readUInt32LE(0))
  beforeEach(() => {
    asked = []
    answers = new Map()
  })

  it('are told, at whatever moment they are seen while the last one is done with', async () => {
    answers.set('1', face(1))
    for (let ticks = 0; ticks < 40; ticks++) {
      const pictures = make()
      pictures.see(carol, 'Carol', undefined)
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
      pictures.see(bob, 'Bob', described(face(1)))
      await core.clock.advance(PACE_MS)
      expect(told()).toHaveLength(ticks + 1)
    }
  })

  it('are asked for one after the other, with a pause, and told with the name', async () => {
    const [one, two] = [face(1), face(2)]
    answers.set('1', one).set('2', two)
    const pictures = make()
    pictures.see(bob, 'Bob', described(one))
    pictures.see(carol, 'Carol', described(two))
    await core.clock.settle()
    expect(asked).toHaveLength(1)
    await core.clock.advance(PACE_MS)
    expect(asked.map(({ user }) => user)).toEqual([bob, carol])
    expect(told()).toEqual([
      [bob, refOf(one)],
      [carol, refOf(two)],
    ])
  })

  it('are asked for once: not for each presence, not for somebody who has the same, not after a restart', async () => {
    const one = face(1)
    answers.set('1', one)
    const pictures = make()
    pictures.see(bob, 'Bob', described(one))
    pictures.see(bob, 'Bob', described(one))
    await core.clock.advance(10 * PACE_MS)
    pictures.see(bob, 'Bob', described(one))
    pictures.see(carol, 'Carol', described(one))
    await core.clock.advance(10 * PACE_MS)
    const later = make()
    later.see(bob, 'Bob', described(one))
    await core.clock.advance(10 * PACE_MS)
    expect(asked).toHaveLength(1)
    expect(told()).toEqual([
      [bob, refOf(one)],
      [carol, refOf(one)],
      [bob, refOf(one)],
    ])
  })

  it('are asked for again when what was kept has expired', async () => {
    const one = face(1)
    answers.set('1', one)
    make().see(bob, 'Bob', described(one))
    await core.clock.advance(10 * PACE_MS)
    kept.clear()
    make().see(bob, 'Bob', described(one))
    await core.clock.advance(10 * PACE_MS)
    expect(asked).toHaveLength(2)
    expect(kept.size).toBe(1)
  })

  it('that cannot be had are not asked for again and again', async () => {
    const pictures = make()
    pictures.see(bob, 'Bob', described(face(1)))
    await core.clock.advance(PACE_MS)
    pictures.see(bob, 'Bob', described(face(1)))
    await core.clock.advance(AGAIN_MS - 2 * PACE_MS)
    expect(asked).toHaveLength(1)
    await core.clock.advance(2 * PACE_MS)
    pictures.see(bob, 'Bob', described(face(1)))
    await core.clock.advance(PACE_MS)
    expect(asked).toHaveLength(2)
    expect(told()).toEqual([])
  })

  it('that are too large, empty, of another type or no picture are shown to nobody', async () => {
    const none = Buffer.concat([Buffer.from([0xff]), face(3)])
    answers.set('3', none)
    const pictures = make(1_000)
    pictures.see(bob, 'Bob', described(face(1, 1_001)))
    pictures.see(bob, 'Bob', described(Buffer.alloc(0)))
    pictures.see(bob, 'Bob', described(face(1), 8))
    pictures.see(bob, 'Bob', '<msnobj Creator="x" Size="4000000000" Type="3"')
    pictures.see(carol, 'Carol', described(none))
    await core.clock.advance(10 * PACE_MS)
    expect(asked.map(({ user }) => user)).toEqual([carol])
    expect(told()).toEqual([])
  })

  it('that somebody takes away are taken away, once; who never had one is no news', async () => {
    const one = face(1)
    answers.set('1', one)
    const pictures = make()
    pictures.see(carol, 'Carol', undefined)
    pictures.see(bob, 'Bob', described(one))
    await core.clock.advance(10 * PACE_MS)
    pictures.see(bob, 'Bob', undefined)
    await core.clock.advance(PACE_MS)
    pictures.see(bob, 'Bob', undefined)
    await core.clock.advance(PACE_MS)
    expect(told()).toEqual([
      [bob, refOf(one)],
      [bob, null],
    ])
  })

  it.each([
    ['new ones', (turn: number) => described(face(100 + turn))],
    ['two in turn', (turn: number) => described(face(100 + (turn % 2)))],
    ['one, and none', (turn: number) => (turn % 2 === 0 ? described(face(100)) : undefined)],
  ])('of somebody who shows %s all the time are followed slowly, and nobody waits for that', async (_, show) => {
    const shown = Array.from({ length: 200 }, (_each, turn) => face(100 + turn))
    for (const [turn, data] of shown.entries()) answers.set(String(turn), data)
    const pictures = make()
    for (let turn = 0; turn < 120; turn++) {
      pictures.see(bob, 'Bob', show(turn))
      await core.clock.advance(2 * PACE_MS)
    }
    expect(told().length).toBeLessThanOrEqual(CHANGES.burst + 2)
    const other = face(99)
    answers.set('other', other)
    pictures.see(carol, 'Carol', described(other))
    await core.clock.advance(2 * PACE_MS)
    expect(told().at(-1)).toEqual([carol, refOf(other)])
    // What they show in the end is what is shown of them.
    pictures.see(bob, 'Bob', described(face(130)))
    await core.clock.advance(2 * CHANGES.intervalMs)
    expect(told().at(-1)).toEqual([bob, refOf(face(130))])
    pictures.stop()
    await core.clock.settle()
    expect(core.clock.sleeping).toBe(0)
  })

  it('are waited for only so long, and not at all when we go', async () => {
    const pictures = new Pictures({
      network,
      account: account.id,
      context: core.context,
      maxBytes: 10_000,
      isOnline: () => true,
      fetch: (user, object, _xml, signal) => {
        asked.push({ user, object, signal })
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => resolve({ kind: 'failed', how: 'cancelled' })),
        )
      },
    })
    pictures.see(bob, 'Bob', described(face(1)))
    pictures.see(carol, 'Carol', described(face(2)))
    await core.clock.advance(FETCH_MS + PACE_MS)
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false])
    pictures.stop()
    await core.clock.settle()
    expect(asked[1]?.signal.aborted).toBe(true)
  })
})

describe('custom emoticons', () => {
  const smile = face(5)
  let answer: (result: Fetched) => void
  let fetches = 0
  const talk = {
    fetch: () => {
      fetches++
      return new Promise<Fetched>((resolve) => (answer = resolve))
    },
  } as unknown as PeerTalk
  const announced = (code = ':x:'): Emoticons => {
    fetches = 0
    const emoticons = new Emoticons({ network, context: core.context, maxBytes: 100_000 })
    emoticons.describe(bob, bob, [{ code, object: described(smile, 2) }], talk)
    return emoticons
  }

  it('stand in the words when they have come; who else says the code means the code', async () => {
    const emoticons = announced()
    const dressed = emoticons.dress(bob, [{ text: 'a :x: b', bold: true }])
    answer({ kind: 'fetched', bytes: smile })
    expect((await dressed).map(({ text, bold, image }) => [text, bold, image?.name])).toEqual([
      ['a ', true, undefined],
      [':x:', true, 'emoticon'],
      [' b', true, undefined],
    ])
    expect(emoticons.dress(carol, [{ text: ':x:' }])).toEqual([{ text: ':x:' }])
    // Known by now: nobody waits, and nobody is asked again.
    expect(emoticons.dress(bob, [{ text: ':x:' }])).not.toBeInstanceOf(Promise)
    emoticons.describe(bob, bob, [{ code: ':y:', object: described(smile, 2) }], talk)
    expect(fetches).toBe(1)
  })

  it('do not hold up the words for ever, nor more than once', async () => {
    const emoticons = announced()
    const dressed = emoticons.dress(bob, [{ text: ':x:' }])
    await core.clock.advance(PATIENCE_MS)
    expect(await dressed).toEqual([{ text: ':x:' }])
    expect(emoticons.dress(bob, [{ text: ':x:' }])).toEqual([{ text: ':x:' }])
  })

  it('that are no emoticons, or too large, or have a code that is none, are not asked for', () => {
    fetches = 0
    const emoticons = new Emoticons({ network, context: core.context, maxBytes: 1_000 })
    const object = described(smile, 2)
    for (const [code, xml] of [
      [':a:', described(smile, 3)],
      [':b:', described(face(6, 1_001), 2)],
      [' ', object],
      ['x'.repeat(33), object],
      [':c:', '<msnobj'],
    ] as const)
      emoticons.describe(bob, bob, [{ code, object: xml }], talk)
    expect(fetches).toBe(0)
  })

  it('of one person are asked for a few at once, so that others are asked, too', () => {
    fetches = 0
    const emoticons = new Emoticons({ network, context: core.context, maxBytes: 100_000 })
    for (let each = 0; each < 40; each++)
      emoticons.describe(bob, bob, [{ code: `:${each}:`, object: described(face(each), 2) }], talk)
    expect(fetches).toBe(MAX_FROM_ONE)
    emoticons.describe(carol, carol, [{ code: ':x:', object: described(face(50), 2) }], talk)
    expect(fetches).toBe(MAX_FROM_ONE + 1)
  })

  it('of one person who always has new ones are asked for only now and then', async () => {
    const emoticons = new Emoticons({ network, context: core.context, maxBytes: 100_000 })
    fetches = 0
    for (let each = 0; each < 300; each++) {
      const before = fetches
      emoticons.describe(bob, bob, [{ code: ':x:', object: described(face(1_000 + each), 2) }], talk)
      if (fetches > before) answer({ kind: 'failed', how: 'declined' })
      await core.clock.advance(100)
    }
    expect(fetches).toBeLessThan(100)
    expect(fetches).toBeGreaterThan(20)
  })

  it('of two codes that begin at one place, the longer one counts; and there is an end to them', () => {
    const file = (name: string): FileRef => ({ network: 'n' as NetworkId, ref: name, name, media: 'image' })
    const pictures = new Map([
      [':)', file('short')],
      [':))', file('long')],
    ])
    expect(withPictures([{ text: ':)) :)' }], pictures).map(({ text, image }) => [text, image?.name])).toEqual([
      [':))', 'long'],
      [' ', undefined],
      [':)', 'short'],
    ])
    const many = withPictures([{ text: ':)'.repeat(200) }], pictures)
    expect(many.filter(({ image }) => image !== undefined)).toHaveLength(MAX_SHOWN)
    expect(textOf(many)).toBe(':)'.repeat(200))
  })
})
