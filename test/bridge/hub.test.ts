import { describe, expect, test } from 'vitest'
import type { AccountId, EventId, MessageId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../bridge/model/result.ts'
import { textOf } from '../../bridge/model/text.ts'
import { StoreUnavailable } from '../../bridge/store/port.ts'
import type { Core } from '../kit/core.ts'
import {
  ableCapabilities,
  bot,
  channel,
  contact,
  type CoreOptions,
  group,
  ircChat,
  lobby,
  message,
  msnChat,
  plainCapabilities,
  relay,
  startsCores,
} from '../kit/core.ts'

const start = startsCores()

const bob = msnChat('bob@x')
const hash = ircChat('#bob')

describe('a message', () => {
  test('from a contact reaches the channel under the name of the contact', async () => {
    const core = await start()
    await core.say(message(bob, 'bob@x', 'hello', { senderName: 'Bob' }))
    expect(core.irc.lines).toEqual(['#bob: <Bob> hello'])
    expect(core.msn.lines).toEqual([])
  })

  test('from the channel reaches the contact, once, though it is reported twice', async () => {
    const core = await start()
    const one = message(hash, 'carol', 'hi')
    expect(await core.hub.accept(one)).not.toBe('duplicate')
    expect(await core.hub.accept(one)).toBe('duplicate')
    await core.settle()
    expect(core.msn.lines).toEqual(['dm:bob@x: <carol> hi'])
    expect(core.hub.status()).toMatchObject({ accepted: 1, duplicates: 1, lanes: [] })
  })

  test('in a chat that nobody linked is not stored and is counted', async () => {
    const core = await start()
    expect(await core.hub.accept(message(ircChat('#other'), 'carol', 'hi'))).toBe('unlinked')
    expect(core.metrics.values.get('events{network=irc,outcome=unlinked}')).toBe(1)
  })

  test('of one of our people goes out through their own account without a prefix', async () => {
    const core = await start()
    await core.hub.identity.link({ network: 'irc' as NetworkId, user: 'alice_' as UserId }, relay.person)
    await core.say(message(hash, 'alice_', 'it is me'))
    expect(core.msn.lines).toEqual(['dm:bob@x: [alice_] it is me'])
  })

  test('that our own account sent from elsewhere shows on the other legs and is never echoed', async () => {
    const core = await start()
    await core.say(message(bob, 'relay@home.example', 'from my phone', { own: true }))
    expect(core.irc.lines).toEqual(['#bob: <relay> from my phone'])
    expect(core.msn.delivered).toEqual([])
  })

  test('keeps its place among a hundred of the same chat', async () => {
    const core = await start({
      msn: { capabilities: { ...plainCapabilities, pipeline: 8 } },
      limits: { laneWindow: 10 },
    })
    const words = Array.from({ length: 100 }, (_, index) => `n${index}`)
    await core.say(...words.map((word) => message(hash, 'carol', word)))
    await core.settle()
    expect(core.msn.lines).toEqual(words.map((word) => `dm:bob@x: <carol> ${word}`))
    expect(core.hub.status().lanes).toEqual([])
  })

  test('too long for the network arrives in parts, in order, before the next one', async () => {
    const core = await start({ msn: { longest: 10 } })
    await core.say(message(hash, 'carol', 'abcdefghijklmnopqrst'), message(hash, 'carol', 'next'))
    expect(core.msn.lines).toEqual([
      'dm:bob@x: <carol> ab',
      'dm:bob@x: cdefghijkl',
      'dm:bob@x: mnopqrst',
      'dm:bob@x: <carol> ne',
      'dm:bob@x: xt',
    ])
    const ids = core.msn.delivered.map(({ delivery }) => delivery.id)
    expect(new Set(ids).size).toBe(5)
  })
})

describe('an edit', () => {
  const able: CoreOptions = { msn: { capabilities: ableCapabilities }, irc: { capabilities: ableCapabilities } }

  test('finds what the other network called the message, also right behind it', async () => {
    const core = await start(able)
    const first = message(hash, 'carol', 'helo')
    const edit = { ...message(hash, 'carol', 'hello'), kind: 'edit', target: first.id } as const
    await Promise.all([core.hub.accept(first), core.hub.accept(edit), core.hub.accept(message(hash, 'carol', 'after'))])
    await core.settle()
    const sent = core.msn.delivered.map(({ delivery }) => delivery.op)
    expect(sent.map((op) => op.kind)).toEqual(['message', 'edit', 'message'])
    expect(sent[1]).toMatchObject({ target: 'msn-1' })
  })

  test('of a message that came from there names it as its own network does', async () => {
    const core = await start(able)
    const first = message(bob, 'bob@x', 'hello')
    await core.say(first)
    const native = 'irc-1' as MessageId
    await core.hub.accept({ ...message(hash, 'carol', 'x'), kind: 'redact', target: native } as never)
    await core.settle()
    expect(core.msn.delivered.at(-1)?.delivery.op).toMatchObject({ kind: 'redact', target: first.id })
  })

  test('of something unknown is shown as a message, and a removal of it is nothing', async () => {
    const core = await start(able)
    const target = 'never-seen' as MessageId
    await core.hub.accept({ ...message(hash, 'carol', 'hello'), kind: 'edit', target })
    await core.hub.accept({ ...message(hash, 'carol', ''), kind: 'redact', target } as never)
    await core.settle()
    expect(core.msn.lines).toEqual(['dm:bob@x: [carol] hello'])
  })

  test('becomes a line of text where the network cannot edit', async () => {
    const core = await start()
    const first = message(hash, 'carol', 'helo')
    await core.say(first)
    await core.hub.accept({ ...message(hash, 'carol', 'hello'), kind: 'edit', target: first.id })
    await core.settle()
    expect(core.msn.lines.at(-1)).toBe('dm:bob@x: <carol> * corrected: hello')
  })
})

/** Answers in turn, then delivers. */
const answers = (core: Core, list: DeliveryResult[]): void => {
  core.msn.behave = async () => list.shift() ?? core.msn.done()
}
const offline: DeliveryResult = { kind: 'retry', reason: 'offline', wait: 'recipient-online', detail: 'offline' }

describe('a delivery that must wait', () => {
  test('for the recipient tells the sender at once, and goes out when they come online', async () => {
    const core = await start()
    answers(core, [offline])
    await core.say(message(hash, 'carol', 'one'), message(hash, 'carol', 'two'))
    expect(core.irc.lines).toEqual(['#bob: * carol: your message "one" to bob@x waits until they are online.'])
    expect(core.hub.status().lanes).toMatchObject([
      { account: 'relay', place: 'bob@x', depth: 2, waiting: { kind: 'recipient' } },
    ])
    await core.hub.accept({
      kind: 'presence',
      account: relay.id,
      user: { network: 'msn' as NetworkId, user: 'bob@x' as UserId },
      state: { show: 'online' },
    })
    await core.settle()
    expect(core.msn.lines).toEqual(['one', 'one', 'two'].map((word) => `dm:bob@x: <carol> ${word}`))
    expect(core.irc.lines).toHaveLength(1)
    expect(core.hub.status().lanes).toEqual([])
  })

  test('for the recipient goes out when they write', async () => {
    const core = await start()
    answers(core, [offline])
    await core.say(message(hash, 'carol', 'one'))
    await core.say(message(bob, 'bob@x', 'I am hidden'))
    expect(core.msn.lines).toHaveLength(2)
  })

  test('for the recipient goes out when they begin to write, also where they have no link', async () => {
    for (const links of [undefined, [[lobby, channel('#msn')]]]) {
      const core = await start(links === undefined ? {} : { links })
      answers(core, [offline])
      const said = links === undefined ? message(hash, 'carol', 'one') : message(ircChat('#msn'), 'carol', 'bob@x: one')
      await core.say(said)
      expect(core.msn.lines).toHaveLength(1)
      const sender = { network: 'msn' as NetworkId, user: 'bob@x' as UserId }
      await core.hub.accept({ kind: 'typing', chat: bob, sender, forMs: 5_000 })
      await core.settle()
      expect(core.msn.lines).toEqual(['dm:bob@x: <carol> one', 'dm:bob@x: <carol> one'])
    }
  })

  test('for a time is tried again after it, and not before', async () => {
    const core = await start()
    answers(core, [{ kind: 'retry', reason: 'rate-limited', wait: 5_000, detail: 'slow down' }])
    await core.say(message(hash, 'carol', 'one'))
    await core.clock.advance(4_999)
    expect(core.msn.delivered).toHaveLength(1)
    await core.clock.advance(1)
    await core.settle()
    expect(core.msn.delivered).toHaveLength(2)
    expect(core.irc.lines).toEqual([])
  })

  test('for the session goes out after the next sign-in; a long wait is told once', async () => {
    const core = await start()
    await core.goOffline(relay)
    await core.say(message(hash, 'carol', 'one'), message(hash, 'dave', 'two'))
    expect(core.irc.lines).toEqual([])
    await core.clock.advance(60_000)
    await core.settle()
    expect(core.irc.lines).toEqual([
      '#bob: * carol: your message "one" to bob@x waits: the connection failed. It goes out as soon as possible.',
    ])
    await core.goOnline(relay)
    expect(core.msn.lines).toEqual(['dm:bob@x: <carol> one', 'dm:bob@x: <dave> two'])
  })

  test('is told by a mark for every message where the network has marks', async () => {
    const core = await start({ irc: { capabilities: { ...ableCapabilities, puppets: 'prefix' } } })
    answers(core, [offline])
    const [one, two] = [message(hash, 'carol', 'one'), message(hash, 'carol', 'two')]
    await core.say(one, two)
    expect(core.irc.lines.toSorted()).toEqual([`#bob: (waiting ${one.id})`, `#bob: (waiting ${two.id})`])
  })

  test('is given up earlier on a network whose config says so', async () => {
    const core = await start({ patience: (account) => (account === relay.id ? 60_000 : undefined) })
    core.msn.behave = async () => offline
    await core.say(message(hash, 'carol', 'one'))
    await core.clock.advance(62_000)
    await core.settle()
    expect(core.irc.lines.at(-1)).toContain('given up after 1 minute (not online)')
  })

  test('is given up after seven days, and the sender is told', async () => {
    const core = await start()
    core.msn.behave = async () => offline
    await core.say(message(hash, 'carol', 'one'))
    await core.clock.advance(7 * 24 * 60 * 60_000 - 1)
    expect(core.hub.status().lanes).toHaveLength(1)
    await core.clock.advance(2_000)
    await core.settle()
    expect(core.irc.lines.at(-1)).toBe(
      '#bob: * carol: your message "one" to bob@x was not delivered: given up after 7 days (not online).',
    )
    expect(core.hub.status().lanes).toEqual([])
  })

  test('keeps nobody else waiting', async () => {
    const core = await start({
      links: [
        [contact('bob@x'), channel('#bob')],
        [contact('eve@x'), channel('#eve')],
      ],
    })
    answers(core, [offline])
    await core.say(message(hash, 'carol', 'one'))
    await core.say(message(ircChat('#eve'), 'carol', 'two'))
    expect(core.msn.lines.at(-1)).toBe('dm:eve@x: <carol> two')
  })

  test('survives a restart and is not told again', async () => {
    const core = await start()
    core.msn.behave = async () => offline
    await core.say(message(hash, 'carol', 'one'))
    await core.stop()
    const again = await start({ folder: core.folder, clock: core.clock })
    again.msn.behave = async () => offline
    await again.settle()
    expect(again.irc.lines).toEqual([])
    again.msn.behave = async () => again.msn.done()
    await again.say(message(bob, 'bob@x', 'here'))
    expect(again.msn.lines.at(-1)).toBe('dm:bob@x: <carol> one')
    expect(again.hub.status().lanes).toEqual([])
  })
})

describe('an outcome', () => {
  test.each<[DeliveryResult, string]>([
    [
      { kind: 'refused', reason: 'blocked', detail: 'x' },
      '#bob: * carol: your message "abcdefghijklmnopqrst" to bob@x was not delivered: they do not accept messages from here.',
    ],
    [
      { kind: 'uncertain', detail: 'x' },
      '#bob: * carol: your message "abcdefghijklmnopqrst" to bob@x may not have arrived: the connection ended before it was confirmed.',
    ],
    [
      {
        kind: 'delivered',
        ids: ['m' as MessageId],
        missed: [{ network: 'msn' as NetworkId, user: 'dan@x' as UserId }],
      },
      '#bob: * carol: your message "abcdefghijklmnopqrst" did not reach dan: not there.',
    ],
  ])('%j is told once, for all parts of a message, and the next message goes on', async (result, line) => {
    const core = await start({ msn: { longest: 10 } })
    answers(core, [result, result])
    await core.say(message(hash, 'carol', 'abcdefghijklmnopqrst'))
    answers(core, [])
    await core.say(message(hash, 'carol', 'next'))
    expect(core.irc.lines).toEqual([line])
    expect(core.msn.lines.at(-1)).toBe('dm:bob@x: xt')
  })

  test('of a refused part takes the parts behind it along', async () => {
    const core = await start({ msn: { longest: 10 } })
    answers(core, [core.msn.done(), { kind: 'refused', reason: 'too-large', detail: 'x' }])
    await core.say(message(hash, 'carol', 'a'.repeat(100)))
    expect(core.msn.delivered).toHaveLength(2)
    expect(core.hub.status().lanes).toEqual([])
  })

  test('delivered is a mark where the network has marks, and never a line of text', async () => {
    const core = await start({
      irc: { capabilities: ableCapabilities },
      msn: { longest: 10, capabilities: plainCapabilities },
    })
    const one = message(hash, 'carol', 'abcdefghijklmnopqrst')
    await core.say(one)
    expect(core.irc.lines).toEqual([`#bob: (delivered ${one.id})`])
  })

  test('of a lane that is full is told to the sender, and what waits is kept', async () => {
    const core = await start({ limits: { laneRows: 2 } })
    await core.goOffline(relay)
    await core.say(...['one', 'two', 'three'].map((word) => message(hash, 'carol', word)))
    expect(core.irc.lines).toEqual([
      '#bob: * carol: your message "three" to bob@x was not delivered: too many messages are waiting already.',
    ])
    await core.goOnline(relay)
    expect(core.msn.lines).toEqual(['dm:bob@x: <carol> one', 'dm:bob@x: <carol> two'])
  })

  test('that never comes is uncertain after the deadline, and the adapter is told to stop', async () => {
    const core = await start()
    let aborted = false
    core.msn.behave = (_, __, signal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => (aborted = true))
      })
    await core.say(message(hash, 'carol', 'one'))
    await core.clock.advance(120_000)
    expect(aborted).toBe(true)
    await core.clock.advance(30_000)
    await core.settle()
    expect(core.irc.lines[0]).toContain('may not have arrived')
    expect(core.log.lines.some((line) => line.message === 'an adapter broke the contract of deliver')).toBe(true)
  })

  test('that many messages share is told in one line, with the first and the last', async () => {
    const core = await start({ msn: { capabilities: { ...plainCapabilities, pipeline: 16 } } })
    const lost: (() => void)[] = []
    core.msn.behave = () =>
      new Promise((resolve) => lost.push(() => resolve({ kind: 'uncertain', detail: 'the line died' })))
    const words = Array.from({ length: 16 }, (_, index) => `n${index}`)
    await core.say(...words.map((word) => message(hash, Number(word.slice(1)) % 2 === 0 ? 'carol' : 'dave', word)))
    core.msn.behave = async () => core.msn.done()
    for (const one of lost) {
      one()
      await Promise.resolve()
    }
    await core.settle()
    expect(core.irc.lines).toEqual([
      '#bob: * carol and dave: 16 of your messages to bob@x, from "n0" to "n15", may not have arrived: the connection ended before they were confirmed.',
    ])
  })

  test('that many messages share is a mark at each where the network has marks', async () => {
    const core = await start({
      irc: { capabilities: ableCapabilities },
      msn: { capabilities: { ...plainCapabilities, pipeline: 3 } },
    })
    core.msn.behave = async () => ({ kind: 'uncertain', detail: 'x' })
    const sent = ['one', 'two', 'three'].map((word) => message(hash, 'carol', word))
    await core.say(...sent)
    expect(core.irc.lines).toEqual(sent.map(({ id }) => `#bob: (uncertain ${id})`))
  })

  test('of several parts at once is told once', async () => {
    const core = await start({ msn: { longest: 5, capabilities: { ...plainCapabilities, pipeline: 8 } } })
    core.msn.behave = async () => ({ kind: 'uncertain', detail: 'x' })
    await core.say(message(hash, 'carol', 'a'.repeat(30)))
    expect(core.irc.lines).toHaveLength(1)
    expect(core.hub.status().outcomes.uncertain).toBe(1)
  })

  test('is told to a contact in their own chat, without a name', async () => {
    const core = await start()
    core.irc.behave = async () => ({ kind: 'uncertain', detail: 'x' })
    await core.say(message(bob, 'bob@x', 'are you there?'))
    expect(core.msn.lines).toEqual([
      'dm:bob@x: * Your message "are you there?" to #bob may not have arrived: the connection ended before it was confirmed.',
    ])
  })

  test('of an invitation is told to the one who asked for it', async () => {
    for (const able of [false, true]) {
      const core = await start({
        msn: { capabilities: { ...plainCapabilities, ops: { ...plainCapabilities.ops, member: 'native' } } },
        ...(able ? { irc: { capabilities: ableCapabilities } } : {}),
      })
      core.msn.behave = async () => ({ kind: 'refused', reason: 'not-found', detail: 'x' })
      const { id, at, chat, sender } = message(hash, 'carol', '')
      const user = { network: 'msn' as NetworkId, user: 'dave@x' as UserId }
      await core.hub.accept({ kind: 'member', id, at, chat, sender, user, change: 'invite' })
      await core.settle()
      expect(core.irc.lines).toEqual([
        '#bob: * carol: your invitation of dave@x to bob@x was not delivered: no such address.',
      ])
      core.msn.behave = async () => core.msn.done()
      await core.hub.accept({ kind: 'member', id: 'again' as MessageId, at, chat, sender, user, change: 'invite' })
      await core.settle()
      expect(core.irc.lines).toHaveLength(1)
    }
  })

  test('of an adapter that throws is uncertain', async () => {
    const core = await start()
    core.msn.behave = () => Promise.reject(new Error('bug'))
    await core.say(message(hash, 'carol', 'one'))
    expect(core.irc.lines[0]).toContain('may not have arrived')
  })
})

describe('after a restart', () => {
  const never = () => new Promise<DeliveryResult>(() => undefined)

  test('what was under way is told in one line, however much it was', async () => {
    const capabilities = { ...plainCapabilities, pipeline: 16 }
    const core = await start({ msn: { capabilities, longest: 12 } })
    core.msn.behave = never
    const words = ['first one is in parts', ...Array.from({ length: 20 }, (_, index) => `n${index}`)]
    await core.say(...words.map((word) => message(hash, 'carol', word)))
    const sent = core.msn.delivered.length
    await core.crash()
    const again = await start({ folder: core.folder, clock: core.clock, msn: { capabilities, longest: 12 } })
    const told = again.irc.lines.filter((line) => line.includes('may not have arrived'))
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/^#bob: \* carol: 1\d of your messages to bob@x, from "first one is in parts" to "n1\d"/)
    expect(sent).toBe(16)
    expect(again.msn.lines).toContain('dm:bob@x: <carol> n19')
  })

  test('what was under way is uncertain, told once, and what was behind it goes on', async () => {
    const core = await start()
    core.msn.behave = never
    await core.say(message(hash, 'carol', 'one'), message(hash, 'carol', 'two'))
    await core.crash()
    for (const expected of [1, 0]) {
      const again = await start({ folder: core.folder, clock: core.clock })
      expect(again.irc.lines.filter((line) => line.includes('may not have arrived'))).toHaveLength(expected)
      expect(again.msn.lines.filter((line) => line.includes('carol'))).toEqual(
        expected === 1 ? ['dm:bob@x: <carol> two'] : [],
      )
      await again.stop()
    }
  })

  test('what was under way is repeated under the same id where the network drops doubles', async () => {
    const idempotent = { msn: { capabilities: { ...plainCapabilities, idempotent: true } } }
    const core = await start(idempotent)
    core.msn.behave = never
    await core.say(message(hash, 'carol', 'one'))
    await core.crash()
    const again = await start({ folder: core.folder, clock: core.clock, ...idempotent })
    expect(
      again.msn.delivered.filter(({ delivery }) => delivery.op.kind === 'message').map(({ delivery }) => delivery.id),
    ).toEqual(core.msn.delivered.map(({ delivery }) => delivery.id))
    expect(core.msn.delivered.map(({ delivery }) => delivery.again)).toEqual([undefined])
    expect(again.irc.lines.some((line) => line.includes('may not have arrived'))).toBe(false)
  })

  test('what is repeated is marked as such, over its retries, and nothing else is', async () => {
    const idempotent = { msn: { capabilities: { ...plainCapabilities, idempotent: true } } }
    const core = await start(idempotent)
    core.msn.behave = never
    await core.say(message(hash, 'carol', 'one'), message(hash, 'carol', 'two'))
    await core.crash()
    let tries = 0
    const deliver = (): Promise<DeliveryResult> =>
      Promise.resolve(
        ++tries === 1
          ? { kind: 'retry', reason: 'network', wait: 1_000, detail: 'not now' }
          : { kind: 'delivered', ids: [`x${tries}` as MessageId] },
      )
    const again = await start({ folder: core.folder, clock: core.clock, msn: { ...idempotent.msn, deliver } })
    await again.clock.advance(2_000)
    await again.say(message(hash, 'carol', 'three'))
    expect(
      again.msn.delivered
        .filter(({ delivery }) => delivery.op.kind === 'message')
        .map(({ delivery: { op, again: repeated } }) => [
          op.kind === 'message' && op.body.kind === 'text' ? textOf(op.body.text) : '',
          repeated,
        ]),
    ).toEqual([
      ['<carol> one', true],
      ['<carol> one', true],
      ['<carol> two', undefined],
      ['<carol> three', undefined],
    ])
  })

  test('what is repeated of the bridge itself is not marked where the network does not drop doubles', async () => {
    const core = await start()
    core.irc.behave = never
    core.msn.behave = () => Promise.reject(new Error('bug'))
    await core.say(message(hash, 'carol', 'one'))
    const said = core.irc.delivered.map(({ delivery }) => delivery.id)
    expect(said).toHaveLength(1)
    await core.crash()
    const again = await start({ folder: core.folder, clock: core.clock })
    const repeated = again.irc.delivered.filter(({ delivery }) => said.includes(delivery.id))
    expect(repeated.map(({ delivery }) => delivery.again)).toEqual([undefined])
  })

  test('the chats concerned are told once that there may be a gap, and after a clean stop nobody is', async () => {
    const links = [
      [contact('bob@x'), channel('#bob')],
      [contact('eve@x'), channel('#eve')],
    ]
    const core = await start({ links })
    await core.say(message(hash, 'carol', 'one'))
    await core.crash()
    const again = await start({ folder: core.folder, clock: core.clock, links })
    expect(again.irc.lines).toEqual([expect.stringContaining('may be missing')])
    expect(again.irc.lines[0]).toMatch(/^#bob/)
    expect(again.msn.lines).toEqual([expect.stringContaining('may be missing')])
    await again.stop()
    const third = await start({ folder: core.folder, clock: core.clock, links })
    expect([...third.irc.lines, ...third.msn.lines]).toEqual([])
  })

  test('a message that waited on disk only comes in order with those behind it', async () => {
    const core = await start({ limits: { laneWindow: 3 } })
    await core.goOffline(relay)
    const words = Array.from({ length: 20 }, (_, index) => `n${index}`)
    await core.say(...words.map((word) => message(hash, 'carol', word)))
    await core.stop()
    const again = await start({ folder: core.folder, clock: core.clock, limits: { laneWindow: 3 } })
    for (let turn = 0; turn < 5; turn++) await again.settle()
    expect(again.msn.lines).toEqual(words.map((word) => `dm:bob@x: <carol> ${word}`))
  })
})

describe('a stop', () => {
  test('lets what is under way finish and starts nothing new', async () => {
    const core = await start()
    const results: ((result: DeliveryResult) => void)[] = []
    core.msn.behave = () => new Promise((resolve) => results.push(resolve))
    await core.say(message(hash, 'carol', 'one'), message(hash, 'carol', 'two'))
    const stopping = core.hub.stop()
    await core.settle()
    results[0]?.(core.msn.done())
    await core.settle()
    await stopping
    expect(results).toHaveLength(1)
    await expect(core.hub.accept(message(hash, 'carol', 'late'))).rejects.toThrow('stopping')
    await core.store.close()
    const again = await start({ folder: core.folder, clock: core.clock })
    expect(again.msn.lines).toEqual(['dm:bob@x: <carol> two'])
    expect(again.irc.lines).toEqual([])
  })

  test('aborts what does not finish in time', async () => {
    const core = await start()
    core.msn.behave = (_, __, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'uncertain', detail: 'aborted' }))
      })
    await core.say(message(hash, 'carol', 'one'))
    await core.stop()
    const again = await start({ folder: core.folder, clock: core.clock })
    expect(again.irc.lines).toEqual([expect.stringContaining('may not have arrived')])
  })
})

describe('chats', () => {
  test('are opened when the session comes online, and again after each sign-in', async () => {
    const core = await start({ offline: true })
    expect(core.irc.session(bot).opened).toEqual([])
    await core.goOnline(bot)
    expect(core.irc.session(bot).opened).toEqual([{ kind: 'channel', name: '#bob' }])
    await core.goOffline(bot)
    await core.goOnline(bot)
    expect(core.irc.session(bot).opened).toHaveLength(2)
  })

  test('that cannot be opened refuse what is sent to them', async () => {
    const core = await start({
      irc: { open: async () => ({ kind: 'refused', reason: 'forbidden', detail: 'banned' }) },
    })
    await core.say(message(bob, 'bob@x', 'hello'))
    expect(core.msn.lines).toEqual(['dm:bob@x: * Your message "hello" to #bob was not delivered: not allowed there.'])
  })

  test('of a message that comes before its chat was opened wait for that', async () => {
    let open: (() => void) | undefined
    const core = await start({
      offline: true,
      msn: {
        open: async (request, of) => {
          await new Promise<void>((resolve) => (open = resolve))
          return { kind: 'opened', chat: core.msn.chat(request, of) }
        },
      },
    })
    await core.goOnline(bot)
    await core.goOnline(relay)
    const accepted = core.hub.accept(message(bob, 'bob@x', 'early'))
    const second = core.hub.accept(message(bob, 'bob@x', 'later'))
    await core.settle()
    open?.()
    await Promise.all([accepted, second])
    await core.settle()
    expect(core.irc.lines).toEqual(['#bob: <bob> early', '#bob: <bob> later'])
  })

  test('of a message in a channel that is being opened wait for that too', async () => {
    let open: (() => void) | undefined
    const core = await start({
      offline: true,
      irc: {
        open: async (request, of) => {
          await new Promise<void>((resolve) => (open = resolve))
          return { kind: 'opened', chat: core.irc.chat(request, of) }
        },
      },
    })
    await core.goOnline(relay)
    await core.goOnline(bot)
    const accepted = core.hub.accept(message(hash, 'carol', 'early'))
    await core.settle()
    open?.()
    expect(await accepted).not.toBe('unlinked')
    await core.settle()
    expect(core.msn.lines).toEqual(['dm:bob@x: <carol> early'])
  })

  test('that are linked by command are opened at once', async () => {
    const core = await start()
    await core.hub.portals.link([contact('eve@x'), channel('#eve')])
    await core.settle()
    await core.say(message(msnChat('eve@x'), 'eve@x', 'hello'))
    expect(core.irc.lines).toEqual(['#eve: <eve> hello'])
  })

  test('of a group are found by the id that opening them gave', async () => {
    const core = await start({ links: [[group('bob@x', 'carol@x'), channel('#friends')]] })
    const chat = core.msn.chat({ kind: 'group', members: ['carol@x', 'bob@x'] as UserId[] }, relay.id)
    await core.say(message(chat, 'carol@x', 'hi all'))
    expect(core.irc.lines).toEqual(['#friends: <carol> hi all'])
  })
})

describe('what passes', () => {
  const able: CoreOptions = { msn: { capabilities: ableCapabilities }, irc: { capabilities: ableCapabilities } }
  const user = { network: 'msn' as NetworkId, user: 'bob@x' as UserId }

  test('presence of a contact is told once where they have a face of their own, however many chats they are in', async () => {
    const core = await start({
      ...able,
      links: [
        [contact('bob@x'), channel('#bob')],
        [group('bob@x', 'eve@x'), channel('#two')],
        [contact('eve@x'), channel('#eve')],
      ],
    })
    await core.hub.accept({
      kind: 'roster',
      account: relay.id,
      contacts: [{ user, name: 'Bob', listed: true, blocked: false, hasUs: true }],
    })
    await core.hub.accept({ kind: 'presence', account: relay.id, user, state: { show: 'busy' } })
    await core.settle()
    const sent = core.irc.delivered.map(({ delivery }) => [delivery.chat?.chat, delivery.op])
    expect(sent).toEqual([
      [undefined, { kind: 'presence', as: { kind: 'ghost', origin: user, name: 'Bob' }, state: { show: 'busy' } }],
    ])
  })

  test('presence goes to each chat where one account speaks for all', async () => {
    const core = await start({
      links: [
        [contact('bob@x'), channel('#bob')],
        [group('bob@x', 'eve@x'), channel('#two')],
        [contact('eve@x'), channel('#eve')],
      ],
    })
    await core.hub.accept({ kind: 'presence', account: relay.id, user, state: { show: 'busy' } })
    await core.settle()
    expect(core.irc.ops('presence').map((op) => [op.in, op.state.show])).toEqual([
      ['#bob', 'busy'],
      ['#two', 'busy'],
    ])
  })

  test('everybody is offline when the session ends', async () => {
    const core = await start(able)
    await core.hub.accept({ kind: 'contact', account: relay.id, user, change: 'added', name: 'Bob' })
    await core.hub.accept({ kind: 'presence', account: relay.id, user, state: { show: 'online' } })
    await core.settle()
    core.hub.sessionChanged(relay.id, { kind: 'offline' })
    await core.settle()
    expect(core.irc.delivered.at(-1)?.delivery.op).toMatchObject({ kind: 'presence', state: { show: 'offline' } })
    expect(core.hub.roster.who(relay.id)).toMatchObject([{ user: 'bob@x', name: 'Bob' }])
  })

  test('typing reaches the other leg and is not stored', async () => {
    const core = await start(able)
    expect(await core.hub.accept({ kind: 'typing', chat: bob, sender: user, forMs: 5_000 })).toBe('passing')
    await core.settle()
    expect(core.irc.delivered.map(({ delivery }) => delivery.op.kind)).toEqual(['typing'])
    expect(core.hub.status().accepted).toBe(0)
  })

  test('a read mark names the message as the other network does', async () => {
    const core = await start(able)
    const one = message(hash, 'carol', 'hi')
    await core.say(one)
    await core.hub.accept({ kind: 'read', chat: bob, sender: user, upTo: 'msn-1' as MessageId })
    await core.settle()
    expect(core.irc.delivered.at(-1)?.delivery.op).toMatchObject({ kind: 'read', upTo: one.id })
  })

  test('while a newer state is waiting behind a slow one, only the newest follows', async () => {
    const core = await start(able)
    await core.hub.accept({ kind: 'contact', account: relay.id, user, change: 'added', name: 'Bob' })
    const ends: (() => void)[] = []
    core.irc.behave = () => new Promise((resolve) => ends.push(() => resolve(core.irc.done())))
    for (const show of ['online', 'busy', 'away', 'idle'] as const) {
      await core.hub.accept({ kind: 'presence', account: relay.id, user, state: { show } })
      await core.settle()
    }
    ends[0]?.()
    await core.settle()
    expect(core.irc.ops('presence').map((op) => op.state.show)).toEqual(['online', 'idle'])
  })

  test('our own status is told to a session before it signs in, so that it begins with it', async () => {
    const core = await start({ ...able, offline: true })
    const op = { kind: 'presence', as: { kind: 'self' }, state: { show: 'away' } } as const
    core.hub.setOwn(relay.id, op)
    core.hub.sessionChanged(relay.id, { kind: 'connecting', attempt: 1 })
    expect(core.msn.session(relay).foretold).toEqual([op, op])
    expect(core.msn.delivered).toEqual([])
  })

  test('our own status is sent when the session is online and again after each sign-in', async () => {
    const core = await start({ ...able, offline: true })
    core.hub.setOwn(relay.id, { kind: 'presence', as: { kind: 'self' }, state: { show: 'away' } })
    await core.settle()
    expect(core.msn.delivered).toEqual([])
    await core.goOnline(relay)
    await core.goOffline(relay)
    await core.goOnline(relay)
    expect(core.msn.delivered.map(({ delivery }) => [delivery.chat, delivery.op.kind])).toEqual([
      [undefined, 'presence'],
      [undefined, 'presence'],
    ])
  })
})

test('an announcement reaches every chat of the portal', async () => {
  const core = await start()
  const [portal] = core.hub.portals.all()
  await core.hub.announce(portal!.id, [{ text: 'hello' }])
  await core.settle()
  expect([...core.msn.lines, ...core.irc.lines]).toEqual(['dm:bob@x: * hello', '#bob: * hello'])
})

test('nobody sleeps after a stop', async () => {
  const core = await start()
  core.msn.behave = async () => offline
  await core.say(message(hash, 'carol', 'one'))
  await core.stop()
  expect(core.clock.sleeping).toBe(0)
})

// The ids are what adapters use as transaction ids.
test('an event id is never used twice, not even after a restart', async () => {
  const seen = new Set<EventId | string>()
  const clock = (await start()).clock
  for (let run = 0; run < 3; run++) {
    const core = await start({ clock })
    for (let index = 0; index < 50; index++) seen.add(await core.hub.accept(message(hash, 'carol', 'x')))
  }
  expect(seen.size).toBe(150)
  expect([...seen].every((id) => typeof id === 'string')).toBe(true)
  expect(relay.id satisfies AccountId).toBe('relay')
})

describe('a full disk', () => {
  test('stops acknowledgements, loses nothing that was acknowledged, and is over when there is space', async () => {
    const core = await start({ file: { maxBytes: 600_000, probeMs: 1_000 } })
    await core.goOffline(relay)
    const acknowledged: string[] = []
    let refused: unknown
    for (let index = 0; refused === undefined; index++)
      await core.hub.accept(message(hash, 'carol', `n${index} ${'x'.repeat(2_000)}`)).then(
        () => acknowledged.push(`n${index}`),
        (error: unknown) => (refused = error),
      )
    expect(refused).toBeInstanceOf(StoreUnavailable)
    expect(core.hub.status().store).toMatchObject({
      kind: 'unavailable',
      detail: expect.stringContaining('disk is full'),
    })
    expect(acknowledged.length).toBeGreaterThan(20)
    await core.goOnline(relay)
    for (let turn = 0; turn < 30; turn++) await core.clock.advance(1_000)
    await core.settle()
    expect(core.msn.lines.map((line) => line.split(' ')[2])).toEqual(acknowledged)
    expect(core.hub.status().lanes).toEqual([])
    expect(await core.hub.accept(message(hash, 'carol', 'after'))).not.toBe('unlinked')
  })
})

describe('while a network has not started', () => {
  test('what is for it waits, and takes the form of that network when it has', async () => {
    const core = await start({ offline: true, lateSessions: true })
    await core.goOnline(relay)
    await core.say(message(bob, 'bob@x', 'hello'))
    expect(core.irc.lines).toEqual([])
    await core.goOnline(bot)
    expect(core.irc.lines).toEqual(['#bob: <bob> hello'])
    expect(core.msn.lines).toEqual([])
  })

  test('what was under way when the bridge was killed is judged when the network is there', async () => {
    const core = await start()
    core.msn.behave = () => new Promise(() => undefined)
    await core.say(message(hash, 'carol', 'one'))
    await core.crash()
    const again = await start({ folder: core.folder, clock: core.clock, offline: true, lateSessions: true })
    await again.goOnline(bot)
    expect(again.irc.lines.filter((line) => line.includes('may not have arrived'))).toEqual([])
    await again.goOnline(relay)
    expect(again.irc.lines.filter((line) => line.includes('may not have arrived'))).toHaveLength(1)
    expect(again.msn.lines.filter((line) => line.includes('carol'))).toEqual([])
  })
})
