import { describe, expect, test } from 'vitest'
import type { Op } from '../../bridge/degrade.ts'
import { holdFor, nextWake, RETRY_MAX_MS, RETRY_MIN_MS } from '../../bridge/hold.ts'
import { makeMint } from '../../bridge/mint.ts'
import type { ChatId, EventId, MessageId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { DeliveryResult, Reason } from '../../bridge/model/result.ts'
import { plain, textOf } from '../../bridge/model/text.ts'
import { quoteOf, shownName } from '../../bridge/names.ts'
import { laneKey, laneTarget } from '../../bridge/place.ts'
import { resolve, restore } from '../../bridge/references.ts'
import { settle } from '../../bridge/settle.ts'
import type { LaneKey, OutboxRow, Place } from '../../bridge/store/port.ts'
import { duration, reasonWords, type Told, tellWords } from '../../bridge/tell.ts'

const row = (more: Partial<OutboxRow> = {}): OutboxRow => ({
  seq: 1,
  part: 0,
  parts: 0,
  lane: 'l' as LaneKey,
  event: 'e' as EventId,
  op: { kind: 'status', text: plain('x') },
  state: 'attempted',
  at: 0,
  ...more,
})
const delivered: DeliveryResult = { kind: 'delivered', ids: ['m' as MessageId] }
const missed: DeliveryResult = { ...delivered, missed: [{ network: 'msn' as NetworkId, user: 'bob@x' as UserId }] }
const refused: DeliveryResult = { kind: 'refused', reason: 'blocked', detail: '' }
const uncertain: DeliveryResult = { kind: 'uncertain', detail: '' }

describe('settling', () => {
  test.each<[string, Partial<OutboxRow>, DeliveryResult, string | undefined, 'done' | 'queued', boolean]>([
    ['delivered whole', {}, delivered, 'delivered', 'done', false],
    ['a part that is not the last', { part: 0, parts: 2 }, delivered, undefined, 'done', false],
    ['the last part', { part: 1, parts: 2 }, delivered, 'delivered', 'done', false],
    [
      'the last part after one that is uncertain',
      { part: 1, parts: 2, told: 'uncertain' },
      delivered,
      undefined,
      'done',
      false,
    ],
    ['delivered after waiting', { told: 'waiting' }, delivered, 'delivered', 'done', false],
    ['somebody missed it', { part: 0, parts: 2 }, missed, 'partial', 'done', false],
    ['somebody missed the next part too', { part: 1, parts: 2, told: 'partial' }, missed, undefined, 'done', false],
    ['refused', { part: 0, parts: 3 }, refused, 'refused', 'done', true],
    ['refused after waiting', { told: 'waiting' }, refused, 'refused', 'done', true],
    ['uncertain', {}, uncertain, 'uncertain', 'done', false],
    ['uncertain twice', { part: 1, parts: 2, told: 'uncertain' }, uncertain, undefined, 'done', false],
    ['refused after uncertain', { part: 1, parts: 2, told: 'uncertain' }, refused, 'refused', 'done', true],
    [
      'again',
      {},
      { kind: 'retry', reason: 'offline', wait: 'recipient-online', detail: '' },
      undefined,
      'queued',
      false,
    ],
  ])('%s', (_, of, result, tell, state, dropRest) => {
    const settled = settle(row(of), result)
    expect([settled.tell?.outcome, settled.row, settled.dropRest]).toEqual([tell, state, dropRest])
  })
})

describe('waiting', () => {
  const known = { online: false, present: false, tellAt: 100 }

  test('a time is taken within reason', () => {
    expect(holdFor(0, 'network', 50, known).until).toBe(50 + RETRY_MIN_MS)
    expect(holdFor(1e12, 'network', 50, known).until).toBe(50 + RETRY_MAX_MS)
  })

  test('what has happened already is not waited for in vain', () => {
    expect(holdFor('recipient-online', 'offline', 50, known)).toMatchObject({ until: undefined, tellAt: 50 })
    expect(holdFor('recipient-online', 'offline', 50, { ...known, present: true })).toMatchObject({
      until: 15_050,
      tellAt: 100,
    })
    expect(holdFor('session-online', 'network', 50, { ...known, online: true }).until).toBe(1_050)
  })

  test('the next moment is the first of the end, the telling and the giving up', () => {
    const hold = holdFor(5_000, 'network', 0, known)
    expect(nextWake(hold, 9_000, 0)).toBe(100)
    expect(nextWake(hold, 9_000, 100)).toBe(5_000)
    expect(nextWake({ ...hold, until: undefined }, 9_000, 100)).toBe(9_000)
    expect(nextWake({ ...hold, until: undefined }, 50, 100)).toBe(1_100)
    expect(nextWake({ ...hold, until: undefined }, 1e15, 100)).toBe(100 + 24 * 60 * 60_000)
  })
})

describe('references', () => {
  const ids = ['m1', 'm2'] as MessageId[]
  const target = 'e' as EventId
  const self = { kind: 'self' } as const
  const body = { kind: 'text', text: plain('x') } as const

  test.each<[string, Op, readonly MessageId[], number, object | undefined]>([
    [
      'a reply names the first part',
      { kind: 'message', as: self, body, at: 0, replyTo: target },
      ids,
      0,
      { replyTo: 'm1' },
    ],
    ['an edit names the first part', { kind: 'edit', as: self, target, body }, ids, 0, { target: 'm1' }],
    ['a read mark names the last part', { kind: 'read', as: self, upTo: target }, ids, 0, { upTo: 'm2' }],
    ['each part of a removal names one', { kind: 'redact', as: self, target }, ids, 1, { target: 'm2' }],
    ['an edit of what never came here is nothing', { kind: 'edit', as: self, target, body }, [], 0, undefined],
    [
      'an outcome of what never came from here is nothing',
      { kind: 'delivery', target, outcome: 'refused', text: plain('x') },
      [],
      0,
      undefined,
    ],
  ])('%s', (_, op, known, part, expected) => {
    const wire = resolve(op, known, part)
    if (expected === undefined) expect(wire).toBeUndefined()
    else expect(wire).toMatchObject(expected)
    if (wire !== undefined) expect(restore(wire, target)).toEqual(op)
  })

  test('a reply to what never came here is a message', () => {
    const op: Op = { kind: 'message', as: self, body, at: 0, replyTo: target }
    expect(resolve(op, [], 0)).toEqual({ kind: 'message', as: self, body, at: 0 })
  })
})

describe('words', () => {
  test.each<[number, string]>([
    [7 * 24 * 3_600_000, '7 days'],
    [3_600_000, '1 hour'],
    [90_000, '2 minutes'],
    [1_000, '1 second'],
    [1, '1 second'],
  ])('%i ms are %s', (ms, words) => expect(duration(ms)).toBe(words))

  test('name the sender where others read along', () => {
    const told: Told = { outcome: 'uncertain' }
    expect(textOf(tellWords(told, 'bob@x', [{ name: '' }]))).toMatch(/^Your message to bob@x may not/)
    expect(textOf(tellWords(told, 'bob@x', [{ name: 'Carol' }]))).toMatch(/^Carol: your message to bob@x may not/)
  })

  test('they say which message is meant, and of several the first and the last', () => {
    const told: Told = { outcome: 'uncertain' }
    const of = (...quotes: string[]) =>
      textOf(
        tellWords(
          told,
          'bob@x',
          quotes.map((quote) => ({ name: 'Carol', quote })),
        ),
      )
    expect(of('hello')).toBe(
      'Carol: your message "hello" to bob@x may not have arrived: the connection ended before it was confirmed.',
    )
    expect(of('one', 'two', 'three')).toBe(
      'Carol: 3 of your messages to bob@x, from "one" to "three", may not have arrived: the connection ended before they were confirmed.',
    )
    expect(textOf(tellWords(told, 'bob@x', [{ name: '' }, { name: '', quote: 'x' }]))).toBe(
      '2 of your messages to bob@x may not have arrived: the connection ended before they were confirmed.',
    )
  })

  test.each<[Told, string]>([
    [{ outcome: 'refused', reason: 'blocked' }, 'were not delivered: they do not accept messages from here.'],
    [
      { outcome: 'refused', reason: 'offline', after: 60_000 },
      'were not delivered: given up after 1 minute (not online).',
    ],
    [{ outcome: 'waiting', reason: 'offline', wait: 'recipient-online' }, 'wait until they are online.'],
  ])('of several they agree in number: %j', (told, words) => {
    const several = [
      { name: '', quote: 'a' },
      { name: '', quote: 'b' },
    ]
    expect(textOf(tellWords(told, 'bob@x', several))).toBe(`2 of your messages to bob@x, from "a" to "b", ${words}`)
  })

  test('a notice for many people stays a line', () => {
    const many = Array.from({ length: 30 }, (_, index) => ({ name: `n${index}`, quote: 'x' }))
    expect(textOf(tellWords({ outcome: 'uncertain' }, 'bob@x', many))).toMatch(/^n0, n1, n2, n3 and 26 others: 30 of/)
  })

  test('there are some for every reason', () => {
    const all: readonly Reason[] = [
      'offline',
      'not-found',
      'blocked',
      'forbidden',
      'too-large',
      'unsupported',
      'rate-limited',
      'network',
      'protocol',
    ]
    expect(new Set(all.map(reasonWords)).size).toBe(all.length)
  })
})

describe('quotes and names', () => {
  const quote = (text: string) => quoteOf({ kind: 'text', text: plain(text) })
  const name = (text: string | undefined) => shownName(text, 'bob@x' as UserId)

  test.each([
    ['hello', 'hello'],
    ['two\nlines\t and\u0007 a bell', 'two lines and a bell'],
    ['a'.repeat(41), `${'a'.repeat(39)}…`],
    ['ü'.repeat(41), `${'ü'.repeat(39)}…`],
    ['👩‍👩‍👧‍👦'.repeat(4), '👩‍👩‍👧‍👦'.repeat(4)],
    ['\u202egnihtyna', 'gnihtyna'],
    ['\ud800 half', '\ufffd half'],
    [' \u200b\n', undefined],
  ])('%j is quoted as %j', (text, quoted) => {
    expect(quote(text)).toBe(quoted)
  })

  test('who has no name of their own, or only their address for one, is called by the first part of it', () => {
    expect([name(undefined), name(' '), name('BOB@x'), name('Bob'), name('bob@y')]).toEqual([
      'bob',
      'bob',
      'bob',
      'Bob',
      'bob@y',
    ])
  })

  test('whose id is their name has it with its capitals', () => {
    const nick = (text: string) => shownName(text, 'ian' as UserId)
    expect([nick('Ian'), nick(''), nick('Ian Tea')]).toEqual(['Ian', 'ian', 'Ian Tea'])
  })

  test('neither is longer than a line can bear, whatever is piled upon its letters', () => {
    const zalgo = `z${'\u0301'.repeat(30)}`.repeat(60)
    expect(quote(zalgo)?.length).toBeLessThan(170)
    expect(name(zalgo).length).toBeLessThan(170)
    expect(quote(`z${'\u0301'.repeat(5_000)}`)?.length).toBeLessThan(170)
  })

  test('a nudge has no words to quote', () => {
    expect(quoteOf({ kind: 'nudge' })).toBeUndefined()
  })

  test.each([
    [undefined, 'bob'],
    ['', 'bob'],
    ['\u200b\u200d', 'bob'],
    ['<carol> hi', 'carol hi'],
    ['\u202eevil\u2066', 'evil'],
    ['a\r\nb', 'a b'],
    ['\u001b[31mred\u009b', '[31mred'],
  ])('a person called %j is shown as %j', (given, shown) => {
    expect(name(given)).toBe(shown)
  })
})

describe('lanes', () => {
  test.each<Place>([
    { kind: 'direct', with: 'bob@x' as UserId },
    { kind: 'group', members: ['a@x', 'b@x'] as UserId[] },
    { kind: 'channel', name: '#a"b\n' as ChatId },
    { kind: 'chat', chat: { network: 'msn' as NetworkId, chat: 'c' as ChatId } },
    { kind: 'chat', chat: { network: 'msn' as NetworkId, chat: 'c' as ChatId, account: 'relay' as never } },
  ])('%j is found again by its name', (place) => {
    expect(laneTarget(laneKey('relay' as never, place))).toEqual({ account: 'relay', place })
  })

  test('a group is the set of its members', () => {
    const of = (...members: string[]) => laneKey('relay' as never, { kind: 'group', members: members as UserId[] })
    expect(of('b@x', 'a@x', 'b@x')).toBe(of('a@x', 'b@x'))
    expect(() => laneTarget('["relay","party"]' as LaneKey)).toThrow('not a lane')
  })
})

test('minted names sort in the order of their making', () => {
  const mint = makeMint(1)
  const names = Array.from({ length: 5_000 }, mint)
  expect(names.toSorted()).toEqual(names)
  expect(new Set(names).size).toBe(names.length)
})
