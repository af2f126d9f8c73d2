import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Degraded, degrade, type Op } from '../../bridge/degrade.ts'
import type { MessageBody } from '../../bridge/model/body.ts'
import type { Capabilities } from '../../bridge/model/capabilities.ts'
import type { Outbound, Puppet } from '../../bridge/model/events.ts'
import type { EventId, NetworkId, PersonId, UserId } from '../../bridge/model/ids.ts'
import { plain, textOf } from '../../bridge/model/text.ts'
import { ableCapabilities, plainCapabilities } from '../kit/fake-adapter.ts'

const bob: Puppet = { kind: 'ghost', origin: { network: 'irc' as NetworkId, user: 'bob' as UserId }, name: 'bob' }
const alice: Puppet = {
  kind: 'person',
  person: 'alice' as PersonId,
  name: 'alice',
  origin: { network: 'x' as never, user: 'x' as never },
}
const self: Puppet = { kind: 'self' }
const target = 'e1' as EventId
const say = (as: Puppet, body: MessageBody): Op => ({ kind: 'message', as, body, at: 7 })
const text = (words: string): MessageBody => ({ kind: 'text', text: plain(words) })

/** "text: <bob> hi", as the network would show it. */
const shown = (result: Degraded): string => {
  if (result.kind !== 'op') return result.kind
  const { op } = result
  const who = 'as' in op && op.as.kind !== 'self' ? ` as ${op.as.name}` : ''
  if (op.kind === 'message' || op.kind === 'edit') {
    const words = op.body.kind === 'nudge' ? '' : ` ${textOf(op.body.text)}`
    return `${op.kind === 'edit' ? 'edit ' : ''}${op.body.kind}${who}:${words}`
  }
  return op.kind === 'status' ? `status: ${textOf(op.text)}` : `${op.kind}${who}`
}
const with_ = (ops: Partial<Capabilities['ops']>, bodies: Partial<Capabilities['bodies']> = {}): Capabilities => ({
  ...plainCapabilities,
  ops: { ...plainCapabilities.ops, ...ops },
  bodies: { ...plainCapabilities.bodies, ...bodies },
})

describe('where one account speaks for all', () => {
  test.each<[string, Op, string]>([
    ['text', say(bob, text('hi')), 'text: <bob> hi'],
    [
      'each line that says something',
      say(bob, text('one\n\ntwo\n<eve> three')),
      'text: <bob> one\n\n<bob> two\n<bob> <eve> three',
    ],
    ['a line without words', say(bob, text('')), 'text: <bob> '],
    ['an action', say(bob, { kind: 'action', text: plain('waves') }), 'text: * bob waves'],
    ['a notice', say(bob, { kind: 'notice', text: plain('done') }), 'notice: <bob> done'],
    ['a nudge', say(bob, { kind: 'nudge' }), 'text: * bob sends a nudge'],
    ['one of our people', say(alice, text('hi')), 'text as alice: hi'],
    ['an action of one of our people', say(alice, { kind: 'action', text: plain('waves') }), 'action as alice: waves'],
    ['the bridge itself', say(self, text('hi')), 'text: hi'],
  ])('%s', (_, op, expected) => {
    expect(shown(degrade(op, plainCapabilities, 1))).toBe(expected)
  })

  test('styling stays where it was', () => {
    const body: MessageBody = {
      kind: 'text',
      text: [
        { text: 'a ', bold: true },
        { text: 'b\nc', italic: true },
      ],
    }
    expect(degrade(say(bob, body), plainCapabilities, 1)).toEqual({
      kind: 'op',
      op: say(self, {
        kind: 'text',
        text: [
          { text: '<bob> ' },
          { text: 'a ', bold: true },
          { text: 'b\n', italic: true },
          { text: '<bob> ' },
          { text: 'c', italic: true },
        ],
      }),
    })
  })
})

test('nothing is touched where the network can do it all', () => {
  for (const op of [
    say(bob, { kind: 'action', text: plain('waves') }),
    say(bob, { kind: 'nudge' }),
    { kind: 'edit', as: bob, target, body: text('x') },
    { kind: 'redact', as: bob, target },
  ] satisfies Op[])
    expect(degrade(op, ableCapabilities, 1)).toEqual({ kind: 'op', op })
})

const member = (change: 'join' | 'leave' | 'invite' | 'kick', reason?: string): Op => ({
  kind: 'member',
  as: bob,
  user: { network: 'irc' as NetworkId, user: 'eve' as UserId },
  userName: 'eve',
  change,
  ...(reason === undefined ? {} : { reason }),
})

const file = (more: object = {}): MessageBody => ({
  kind: 'file',
  file: { network: 'x' as NetworkId, ref: 'r', name: 'cat\n1.png', media: 'image', ...more },
  text: [],
})
const quote = { name: 'Eve', text: 'shall we?' }
const answer = (body: MessageBody, as: Puppet = bob): Op => ({ kind: 'message', as, body, at: 7, quote })

describe('a file where the network has none', () => {
  test.each<[string, Op, string]>([
    ['an image', say(bob, file()), 'text: <bob> sends an image: cat 1.png'],
    ['with a size', say(bob, file({ size: 999 })), 'text: <bob> sends an image: cat 1.png (999 bytes)'],
    ['of thousands', say(bob, file({ size: 12_345 })), 'text: <bob> sends an image: cat 1.png (12 kB)'],
    ['of millions', say(bob, file({ size: 12_345_678 })), 'text: <bob> sends an image: cat 1.png (12.3 MB)'],
    ['a video', say(bob, file({ media: 'video' })), 'text: <bob> sends a video: cat 1.png'],
    ['a recording', say(bob, file({ media: 'audio' })), 'text: <bob> sends an audio: cat 1.png'],
    ['something', say(bob, file({ media: 'file' })), 'text: <bob> sends a file: cat 1.png'],
    ['with a link', say(bob, file({ url: 'https://b/1' })), 'text: <bob> sends an image: cat 1.png https://b/1'],
    ['of one of our people', say(alice, file()), 'text as alice: sends an image: cat 1.png'],
    [
      'with words',
      say(bob, { ...file({ url: 'https://b/1' }), text: plain('look') } as MessageBody),
      'text: <bob> look\n<bob> sends an image: cat 1.png https://b/1',
    ],
    [
      'as an answer',
      answer({ ...file(), text: plain('this') } as MessageBody),
      'text: <bob> > Eve: shall we?\n<bob> this\n<bob> sends an image: cat 1.png',
    ],
  ])('%s', (_, op, expected) => {
    expect(shown(degrade(op, plainCapabilities, 1))).toBe(expected)
  })

  test('goes as it is where the network has files', () => {
    const op = say(bob, file({ url: 'https://b/1' }))
    expect(degrade(op, ableCapabilities, 1)).toEqual({ kind: 'op', op })
  })
})

describe('what a message answers', () => {
  test.each<[string, Capabilities['replies'], string]>([
    ['is pointed at where the network can', 'native', 'text: <bob> yes'],
    ['stands in a line above', 'lines', 'text: <bob> > Eve: shall we?\n<bob> yes'],
    ['stands in the same line', 'inline', 'text: <bob> (to Eve: "shall we?") yes'],
  ])('%s', (_, replies, expected) => {
    expect(shown(degrade(answer(text('yes')), { ...plainCapabilities, replies }, 1))).toBe(expected)
  })

  test('is said once, however often a lane looks at it', () => {
    const once = degrade(answer(text('yes')), plainCapabilities, 1)
    expect(once).not.toHaveProperty('op.quote')
    expect(once.kind === 'op' && degrade(once.op, plainCapabilities, 1)).toEqual(once)
  })
})

describe('one of our people on a network of one account for all', () => {
  const there = { ...alice, user: 'alice_' as UserId } as Puppet
  test('who is somebody else there is named, since they do not speak through their own account', () => {
    expect(shown(degrade(say(there, text('hi')), plainCapabilities, 1))).toBe('text: <alice> hi')
    expect(degrade(say(there, text('hi')), ableCapabilities, 1)).toEqual({ kind: 'op', op: say(there, text('hi')) })
  })
})

describe('an operation that the network cannot do', () => {
  test.each<[string, Op, Capabilities, string]>([
    [
      'an edit as text',
      { kind: 'edit', as: bob, target, body: text('hello') },
      with_({ edit: 'text' }),
      'text: <bob> * corrected: hello',
    ],
    [
      'an edit kept, with the name',
      { kind: 'edit', as: bob, target, body: text('hello') },
      with_({ edit: 'native' }),
      'edit text: <bob> hello',
    ],
    ['an edit refused', { kind: 'edit', as: bob, target, body: text('x') }, with_({ edit: 'refused' }), 'refused'],
    [
      'a removal as text',
      { kind: 'redact', as: bob, target },
      with_({ redact: 'text' }),
      'status: * bob took back a message',
    ],
    [
      'a removal as text, with what it was',
      { kind: 'redact', as: bob, target, quote },
      with_({ redact: 'text' }),
      'status: * bob took back "shall we?"',
    ],
    ['that of a reaction', { kind: 'redact', as: bob, target, quote, reaction: true }, plainCapabilities, 'dropped'],
    [
      'that of a reaction where there are some',
      { kind: 'redact', as: bob, target, reaction: true },
      ableCapabilities,
      'redact as bob',
    ],
    [
      'a reaction as text',
      { kind: 'reaction', as: bob, target, key: '👍\n', quote },
      plainCapabilities,
      'status: * bob reacted 👍 to "shall we?"',
    ],
    [
      'a reaction to who knows what',
      { kind: 'reaction', as: alice, target, key: '👍' },
      plainCapabilities,
      'status: * alice reacted 👍 to a message',
    ],
    ['a reaction refused', { kind: 'reaction', as: bob, target, key: 'x' }, with_({ reaction: 'refused' }), 'refused'],
    ['a title', { kind: 'title', title: 'Bobby' }, with_({ title: 'text' }), 'dropped'],
    ['a title kept', { kind: 'title', title: 'Bobby' }, ableCapabilities, 'title'],
    ['a removal dropped', { kind: 'redact', as: bob, target }, with_({ redact: 'dropped' }), 'dropped'],
    [
      'a topic as text',
      { kind: 'topic', as: bob, topic: 'tea\nat 5' },
      with_({ topic: 'text' }),
      'status: * bob changed the topic to: tea at 5',
    ],
    ['a join as text', member('join'), with_({ member: 'text' }), 'status: * eve joined'],
    ['a leave as text', member('leave', 'bye'), with_({ member: 'text' }), 'status: * eve left (bye)'],
    ['an invitation as text', member('invite'), with_({ member: 'text' }), 'status: * bob invited eve'],
    ['a kick as text', member('kick', 'spam'), with_({ member: 'text' }), 'status: * bob removed eve (spam)'],
    ['a join dropped', member('join'), plainCapabilities, 'dropped'],
    ['typing is never text', { kind: 'typing', as: bob, forMs: 1 }, with_({ typing: 'text' }), 'dropped'],
    [
      'presence is never text',
      { kind: 'presence', as: bob, state: { show: 'away' } },
      with_({ presence: 'text' }),
      'dropped',
    ],
    [
      'presence keeps its ghost',
      { kind: 'presence', as: bob, state: { show: 'away' } },
      plainCapabilities,
      'presence as bob',
    ],
    ['a nudge refused', say(bob, { kind: 'nudge' }), with_({}, { nudge: 'refused' }), 'refused'],
    ['a nudge dropped', say(bob, { kind: 'nudge' }), with_({}, { nudge: 'dropped' }), 'dropped'],
    ['a notice as text', say(self, { kind: 'notice', text: plain('x') }), with_({}, { notice: 'text' }), 'text: x'],
    ['a message refused', say(bob, text('x')), with_({ message: 'refused' }), 'refused'],
    ['status as a notice', { kind: 'status', text: plain('down') }, with_({ status: 'text' }), 'notice: down'],
    [
      'status as text',
      { kind: 'status', text: plain('down') },
      with_({ status: 'text' }, { notice: 'text' }),
      'text: down',
    ],
    ['status dropped', { kind: 'status', text: plain('down') }, with_({ status: 'dropped' }), 'dropped'],
  ])('%s', (_, op, capabilities, expected) => {
    expect(shown(degrade(op, capabilities, 1))).toBe(expected)
  })
})

test.each<[Extract<Outbound, { kind: 'delivery' }>['outcome'], 'native' | 'text' | 'dropped', string]>([
  ['delivered', 'native', 'delivery'],
  ['delivered', 'text', 'dropped'],
  ['refused', 'text', 'status: words'],
  ['uncertain', 'text', 'status: words'],
  ['waiting', 'text', 'status: words'],
  ['partial', 'text', 'status: words'],
  ['refused', 'native', 'delivery'],
  ['refused', 'dropped', 'dropped'],
])('the outcome %s on a leg with %s marks: %s', (outcome, support, expected) => {
  const op: Op = { kind: 'delivery', target, outcome, text: plain('words') }
  expect(shown(degrade(op, with_({ delivery: support }), 1))).toBe(expected)
})

test('degrading twice is degrading once: a lane does it again when its network has started', () => {
  const support = fc.constantFrom(
    'native' as const,
    'emulated' as const,
    'text' as const,
    'dropped' as const,
    'refused' as const,
  )
  const capabilities = fc.record({
    ops: fc.record(Object.fromEntries(Object.keys(ableCapabilities.ops).map((key) => [key, support]))),
    bodies: fc.record(Object.fromEntries(Object.keys(ableCapabilities.bodies).map((key) => [key, support]))),
    puppets: fc.constantFrom('native' as const, 'prefix' as const),
    replies: fc.constantFrom('native' as const, 'lines' as const, 'inline' as const),
    idempotent: fc.boolean(),
    pipeline: fc.constant(1),
  }) as fc.Arbitrary<unknown> as fc.Arbitrary<Capabilities>
  const body = fc.constantFrom<MessageBody>(
    text('a\nb'),
    { kind: 'action', text: plain('x') },
    { kind: 'notice', text: plain('x') },
    { kind: 'nudge' },
    file({ url: 'https://b/1' }),
  )
  const as = fc.constantFrom<Puppet>(bob, alice, self, { ...alice, user: 'alice_' as UserId } as Puppet)
  const op = fc.oneof(
    fc.tuple(as, body).map(([who, what]) => say(who, what)),
    fc.tuple(as, body).map(([who, what]) => answer(what, who)),
    fc.constantFrom<Op>(
      { kind: 'reaction', as: bob, target, key: 'x', quote },
      { kind: 'redact', as: bob, target, quote, reaction: true },
      { kind: 'title', title: 'x' },
    ),
    fc.tuple(as, body).map(([who, what]): Op => ({ kind: 'edit', as: who, target, body: what })),
    fc.constantFrom<Op>({ kind: 'redact', as: bob, target }, { kind: 'topic', as: bob, topic: 't' }, member('join')),
    fc.constant<Op>({ kind: 'delivery', target, outcome: 'refused', text: plain('x') }),
  )
  fc.assert(
    fc.property(op, capabilities, (what, able) => {
      const once = degrade(what, able, 1)
      if (once.kind !== 'op') return
      const twice = degrade(once.op, able, 1)
      // What became another kind may not be possible in that kind; it never grows a second prefix.
      if (twice.kind === 'op') expect(twice).toEqual(once)
    }),
  )
})
