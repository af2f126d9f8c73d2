/** What goes wrong around the lanes: adapters with bugs, links that change while rows wait, crowds, disks that refuse. */
import { describe, expect, test } from 'vitest'
import type { LinkResult } from '../../bridge/portals.ts'
import type { NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../bridge/model/result.ts'
import { type LegId, type Store, StoreUnavailable } from '../../bridge/store/port.ts'
import type { Core } from '../kit/core.ts'
import {
  channel,
  contact,
  group,
  ircChat,
  message,
  msnChat,
  plainCapabilities,
  relay,
  startsCores,
} from '../kit/core.ts'

const start = startsCores()

const bob = msnChat('bob@x')
const hash = ircChat('#bob')
const offline: DeliveryResult = { kind: 'retry', reason: 'offline', wait: 'recipient-online', detail: 'offline' }

describe('an adapter with a bug', () => {
  test.each(['split', 'capabilities'] as const)(
    'that throws in %s loses the one message, with a notice, and nothing else',
    async (method) => {
      const core = await start()
      const session = core.sessionFor(relay)
      const sound = session[method].bind(session)
      session[method] = () => {
        throw new Error('bug')
      }
      const said = core.say(message(hash, 'carol', 'poison')).catch(() => undefined)
      await said
      Object.assign(session, { [method]: sound })
      await core.say(message(hash, 'carol', 'next'))
      expect(core.msn.lines).toContain('dm:bob@x: <carol> next')
      expect(core.hub.status().lanes).toEqual([])
    },
  )

  test('that throws for what waits on disk does not stop the start, nor the lane', async () => {
    const core = await start()
    await core.goOffline(relay)
    await core.say(message(hash, 'carol', 'poison'), message(hash, 'carol', 'next'))
    const session = core.sessionFor(relay)
    const sound = session.split.bind(session)
    session.split = (op) => {
      if (op.kind === 'message' && JSON.stringify(op).includes('poison')) throw new Error('bug')
      return sound(op)
    }
    await core.goOnline(relay)
    expect(core.msn.lines).toEqual(['dm:bob@x: <carol> next'])
    expect(core.irc.lines).toEqual([
      '#bob: * carol: your message "poison" to bob@x was not delivered: the other server did not accept it.',
    ])
    expect(core.log.lines.some(({ message: words }) => words === 'an adapter failed to prepare a delivery')).toBe(true)
  })
})

describe('links that change', () => {
  const legOf = (core: Core, end: typeof bob): LegId => core.hub.portals.find(end)?.leg.id ?? ('not linked' as LegId)

  test('a chat that is linked again is known again', async () => {
    const core = await start({ links: [] })
    for (let time = 0; time < 3; time++) {
      const linked = await core.hub.link([contact('bob@x'), channel('#bob')])
      expect(linked.kind).toBe('linked')
      await core.settle()
      await core.say(message(hash, 'carol', `out ${time}`), message(bob, 'bob@x', `in ${time}`))
      expect(core.msn.lines.at(-1)).toBe(`dm:bob@x: <carol> out ${time}`)
      expect(core.irc.lines.at(-1)).toBe(`#bob: <bob> in ${time}`)
      const leg = legOf(core, hash)
      expect((await core.hub.unlink(leg)).kind).toBe('linked')
    }
    expect(core.hub.status().unlinked).toBe(0)
  })

  test('two people link the same contact at once: one of them does', async () => {
    const core = await start({ links: [] })
    const results = await Promise.all([
      core.hub.link([contact('bob@x'), channel('#one')]),
      core.hub.link([contact('bob@x'), channel('#two')]),
    ])
    expect(results.map(({ kind }: LinkResult) => kind)).toEqual(['linked', 'refused'])
    expect(core.hub.portals.all()).toHaveLength(1)
  })

  test('a link that could not be stored can be made again', async () => {
    let broken = true
    const core = await start({
      links: [],
      wrap: (store) => refusing(store, 'updatePortals', () => broken),
    })
    await expect(core.hub.link([contact('bob@x'), channel('#bob')])).rejects.toThrow(StoreUnavailable)
    broken = false
    expect((await core.hub.link([contact('bob@x'), channel('#bob')])).kind).toBe('linked')
  })

  test('what waits when the link is taken away is still delivered', async () => {
    const core = await start({ links: [] })
    await core.hub.link([contact('bob@x'), channel('#bob')])
    await core.settle()
    core.msn.behave = async () => offline
    await core.say(message(hash, 'carol', 'one'), message(hash, 'carol', 'two'))
    await core.hub.unlink(legOf(core, hash))
    core.msn.behave = async () => core.msn.done()
    const user = { network: 'msn' as NetworkId, user: 'bob@x' as UserId }
    await core.hub.accept({ kind: 'presence', account: relay.id, user, state: { show: 'online' } })
    await core.settle()
    expect(core.msn.lines.slice(-2)).toEqual(['dm:bob@x: <carol> one', 'dm:bob@x: <carol> two'])
    expect(core.hub.status().lanes).toEqual([])
  })

  test('what waits for an account that the config has no more waits, then its sender is told', async () => {
    const core = await start()
    await core.goOffline(relay)
    await core.say(message(hash, 'carol', 'one'))
    await core.stop()
    const again = await start({ folder: core.folder, clock: core.clock, without: 'relay', links: [] })
    await again.clock.advance(60_000)
    expect(again.irc.lines.filter((line) => line.includes('"one"'))).toHaveLength(1)
    await again.clock.advance(7 * 24 * 60 * 60_000)
    expect(again.irc.lines.at(-1)).toMatch(/your message "one" to bob@x was not delivered: given up after 7 days/)
    expect(again.hub.status().lanes).toEqual([])
  })
})

describe('crowds', () => {
  test('10,000 messages wait for somebody and arrive in order when they come', { timeout: 60_000 }, async () => {
    const core = await start({ msn: { capabilities: { ...plainCapabilities, pipeline: 16 } } })
    core.msn.behave = async () => offline
    const count = 10_000
    for (let from = 0; from < count; from += 1_000)
      await core.say(...Array.from({ length: 1_000 }, (_, index) => message(hash, 'carol', `n${from + index}`)))
    expect(core.hub.status().lanes).toMatchObject([{ depth: count }])
    // One notice, however much waits.
    expect(core.irc.lines).toHaveLength(1)
    const got: string[] = []
    core.msn.behave = async ({ op }) => {
      if (op.kind === 'message' && op.body.kind === 'text') got.push(op.body.text.map(({ text }) => text).join(''))
      return core.msn.done()
    }
    await core.say(message(bob, 'bob@x', 'here I am'))
    while (core.hub.status().lanes.length > 0) await core.settle()
    expect(got).toHaveLength(count)
    expect(got.every((text, index) => text === `<carol> n${index}`)).toBe(true)
  })

  test('a group of 300 people is one chat, and a notice about it is a line', async () => {
    const members = Array.from({ length: 300 }, (_, index) => `member${index}@home.example`)
    const core = await start({ links: [[group(...members), channel('#crowd')]] })
    core.msn.behave = async () => ({ kind: 'uncertain', detail: 'x' })
    await core.say(message(ircChat('#crowd'), 'carol', 'hello'))
    expect(core.msn.lines).toHaveLength(1)
    expect(core.irc.lines[0]?.length).toBeLessThan(400)
  })

  test('people of a group who are never there are named once, and again when others are missing', async () => {
    const core = await start({ links: [[group('a@x', 'b@x', 'c@x'), channel('#g')]] })
    const missing = (...names: string[]): DeliveryResult => ({
      kind: 'delivered',
      ids: [],
      missed: names.map((name) => ({ network: 'msn' as NetworkId, user: name as UserId })),
    })
    const chat = ircChat('#g')
    core.msn.behave = async () => missing('c@x')
    for (const word of ['one', 'two', 'three']) await core.say(message(chat, 'carol', word))
    expect(core.irc.lines).toEqual(['#g: * carol: your message "one" did not reach c: not there.'])
    core.msn.behave = async () => missing('b@x', 'c@x')
    await core.say(message(chat, 'carol', 'four'))
    expect(core.irc.lines.at(-1)).toBe('#g: * carol: your message "four" did not reach b and c: not there.')
    core.msn.behave = async () => core.msn.done()
    await core.say(message(chat, 'carol', 'five'))
    core.msn.behave = async () => missing('b@x', 'c@x')
    await core.say(message(chat, 'carol', 'six'))
    expect(core.irc.lines).toHaveLength(3)
    await core.clock.advance(60 * 60_000)
    await core.say(message(chat, 'carol', 'seven'))
    expect(core.irc.lines).toHaveLength(4)
  })
})

describe('names', () => {
  test.each([
    ['Bob\r\n<carol> fake', 'Bob carol fake'],
    ['\u202eevil', 'evil'],
    ['\u200b', 'bob'],
    ['', 'bob'],
    ['!msn who', '!msn who'],
  ])('%j is shown so that nobody is deceived', async (name, shown) => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hello', { senderName: name }))
    expect(core.irc.lines).toEqual([`#bob: <${shown}> hello`])
  })
})

describe('a stop', () => {
  test('while results come in leaves what was not attempted for the next start, and says what is uncertain once', async () => {
    const core = await start({ msn: { capabilities: { ...plainCapabilities, pipeline: 4 } } })
    core.msn.behave = (_, __, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'uncertain', detail: 'aborted' }))
      })
    const words = Array.from({ length: 10 }, (_, index) => `n${index}`)
    await core.say(...words.map((word) => message(hash, 'carol', word)))
    await core.stop()
    const again = await start({ folder: core.folder, clock: core.clock })
    await again.settle()
    expect(again.msn.lines).toEqual(words.slice(4).map((word) => `dm:bob@x: <carol> ${word}`))
    expect(again.irc.lines.filter((line) => line.includes('may not have arrived'))).toEqual([
      expect.stringContaining('4 of your messages to bob@x, from "n0" to "n3", may'),
    ])
  })

  test('does not wait for a session that opens a chat for ever', async () => {
    const core = await start({ msn: { open: () => new Promise(() => undefined) } })
    await core.say(message(hash, 'carol', 'one'))
    await core.stop()
    const again = await start({ folder: core.folder, clock: core.clock })
    await again.settle()
    expect(again.msn.lines).toEqual(['dm:bob@x: <carol> one'])
  })
})

/** One method of it refuses, as on a full disk, as long as `broken`. */
const refusing = (store: Store, method: keyof Store, broken: () => boolean): Store =>
  new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown =>
        name === method && broken() ? Promise.reject(new StoreUnavailable('full')) : value.apply(target, args)
    },
  })

test('a disk that refuses between any two steps loses and doubles nothing', async () => {
  for (const method of ['accept', 'advance', 'laneRows', 'nativesOf', 'eventOf'] as const) {
    let calls = 0
    let refusals = 0
    const core = await start({
      limits: { laneWindow: 3 },
      wrap: (store) => refusing(store, method, () => ++calls % 3 === 0 && ++refusals > 0),
    })
    const taken: string[] = []
    for (let number = 0; number < 12; number++) {
      const one = message(hash, 'carol', `n${number}`, number % 4 === 3 ? { replyTo: 'native-0' as never } : {})
      // The network offers it again until it is acknowledged.
      for (let tries = 0; tries < 5; tries++) {
        const id = await core.hub.accept(one).catch(() => undefined)
        if (id === undefined) continue
        taken.push(id)
        break
      }
    }
    for (let turn = 0; turn < 10; turn++) {
      await core.settle()
      await core.clock.advance(1_000)
    }
    expect(taken, method).toHaveLength(12)
    expect(core.msn.lines, method).toEqual(Array.from({ length: 12 }, (_, number) => `dm:bob@x: <carol> n${number}`))
    expect(core.hub.status().lanes, method).toEqual([])
    expect(core.irc.lines, method).toEqual([])
    if (method === 'accept' || method === 'advance') expect(refusals, method).toBeGreaterThan(0)
  }
})
