import { describe, expect, test } from 'vitest'
import type { MessageBody } from '../../bridge/model/body.ts'
import type { StoredInbound } from '../../bridge/model/events.ts'
import type {
  AccountId,
  ChatId,
  EventId,
  MessageId,
  NetworkId,
  PersonId,
  PortalId,
  UserId,
  UserRef,
} from '../../bridge/model/ids.ts'
import { plain } from '../../bridge/model/text.ts'
import { plan, planPassing, type PlanContext } from '../../bridge/plan.ts'
import type { Leg, LegId, Portal } from '../../bridge/store/port.ts'
import { ableCapabilities, plainCapabilities } from '../kit/fake-adapter.ts'

const leg = (id: string, network: string, request: Leg['request'], flow: Leg['flow'] = 'both'): Leg => ({
  id: id as LegId,
  portal: 'p' as PortalId,
  network: network as NetworkId,
  via: `${network}-account` as AccountId,
  request,
  flow,
})
const bobLeg = leg('msn', 'msn', { kind: 'direct', with: 'bob@x' as UserId })
const lobbyLeg = leg('lobby', 'msn', { kind: 'lobby' })
const ircLeg = leg('irc', 'irc', { kind: 'channel', name: '#bob' as ChatId })
const roomLeg = leg('room', 'matrix', { kind: 'channel', name: '!room' as ChatId })
const portal = (...legs: readonly Leg[]): Portal => ({ id: 'p' as PortalId, kind: 'direct', origin: 'config', legs })

const user = (network: string, name: string): UserRef => ({ network: network as NetworkId, user: name as UserId })
const alice = 'alice' as PersonId

const context = (of: Portal, origin: Leg, more: Partial<PlanContext> = {}): PlanContext => ({
  portal: of,
  origin,
  cast: {
    personOf: ({ user: name }) => (name === 'alice_' ? alice : undefined),
    userOn: () => undefined,
    ownerOf: (account) => (account === bobLeg.via ? alice : undefined),
    selfOf: (account) =>
      account === bobLeg.via ? { network: 'msn' as NetworkId, user: 'alice@x' as UserId } : undefined,
    rosterName: ({ user: name }) => (name === 'bob@x' ? 'Bobby' : undefined),
  },
  capabilitiesOf: (one) => (one.network === 'matrix' ? ableCapabilities : plainCapabilities),
  ...more,
})
const message = (network: string, sender: string, more: object = {}): StoredInbound => ({
  kind: 'message',
  chat: { network: network as NetworkId, chat: 'c' as ChatId },
  sender: user(network, sender),
  id: 'n' as MessageId,
  at: 5,
  body: { kind: 'text', text: plain('hi') },
  ...more,
})

describe('a message', () => {
  test('goes to every other leg, as each of them can show it', () => {
    const { ops } = plan(message('msn', 'bob@x'), context(portal(bobLeg, ircLeg, roomLeg), bobLeg))
    expect(ops.map(({ leg: one, place, op }) => [one.id, place, op])).toEqual([
      [
        'irc',
        ircLeg.request,
        { kind: 'message', as: { kind: 'self' }, body: { kind: 'text', text: [{ text: '<Bobby> hi' }] }, at: 5 },
      ],
      [
        'room',
        roomLeg.request,
        {
          kind: 'message',
          as: { kind: 'ghost', origin: user('msn', 'bob@x'), name: 'Bobby' },
          body: { kind: 'text', text: plain('hi') },
          at: 5,
        },
      ],
    ])
  })

  test.each([
    ['the name that came with it', { senderName: 'Robert' }, 'Robert'],
    ['no line break or bracket in a name', { senderName: 'Bo\nb <eve>' }, 'Bo b eve'],
    ['a name of blanks', { senderName: '  ' }, 'bob'],
    ['an endless name', { senderName: 'x'.repeat(500) }, `${'x'.repeat(39)}…`],
  ])('is shown under %s', (_, more, name) => {
    const { ops } = plan(message('msn', 'bob@x', more), context(portal(bobLeg, roomLeg), bobLeg))
    expect(ops[0]?.op).toMatchObject({ as: { name } })
  })

  test('of one of our people is theirs on a leg of their own account, and a ghost elsewhere', () => {
    const { ops } = plan(message('irc', 'alice_'), context(portal(bobLeg, ircLeg, roomLeg), ircLeg))
    expect(ops.map(({ op }) => op)).toMatchObject([
      { as: { kind: 'person', person: alice } },
      { as: { kind: 'ghost' } },
    ])
  })

  test('of one of our people is theirs as who they are on a leg of nobody, and says so', () => {
    const cast = { ...context(portal(), bobLeg).cast, userOn: () => '@alice:hs' as UserId }
    const { ops } = plan(message('irc', 'alice_'), context(portal(bobLeg, ircLeg, roomLeg), ircLeg, { cast }))
    const person = { kind: 'person', person: alice, name: 'alice_', origin: user('irc', 'alice_') }
    expect(ops.map(({ op }) => 'as' in op && op.as)).toEqual([person, { ...person, user: '@alice:hs' }])
  })

  test('carries what it answers, and a removal what it removes', () => {
    const quote = { name: 'Eve', text: 'shall we?' }
    const about = { quote, target: 'e' as EventId, capabilitiesOf: () => 'unknown' as const }
    const both = context(portal(bobLeg, roomLeg), bobLeg, { ...about, replyTo: 'e' as EventId })
    const { chat, sender, id, at } = message('msn', 'bob@x')
    const base = { chat, sender, id, at }
    const events: StoredInbound[] = [
      message('msn', 'bob@x'),
      { ...base, kind: 'redact', target: 'x' as MessageId },
      { ...base, kind: 'reaction', target: 'x' as MessageId, key: '👍' },
    ]
    for (const event of events) expect(plan(event, both).ops).toMatchObject([{ op: { kind: event.kind, quote } }])
    const [, redact] = events
    const back = context(portal(bobLeg, roomLeg), bobLeg, { ...about, takesBackReaction: true })
    expect(redact && plan(redact, back).ops).toMatchObject([{ op: { kind: 'redact', reaction: true } }])
  })

  test.each<[string, Leg, number]>([
    ['read only', { ...ircLeg, flow: 'in' }, 0],
    ['written only', { ...ircLeg, flow: 'out' }, 1],
  ])('to a leg that is %s', (_, other, count) => {
    expect(plan(message('msn', 'bob@x'), context(portal(bobLeg, other), bobLeg)).ops).toHaveLength(count)
  })

  test('that a leg cannot carry is reported, and goes to the others', () => {
    const capabilitiesOf = (one: Leg) => ({
      ...ableCapabilities,
      bodies: { ...ableCapabilities.bodies, nudge: one === ircLeg ? ('refused' as const) : ('native' as const) },
    })
    const nudge = message('msn', 'bob@x', { body: { kind: 'nudge' } })
    const { ops, refused } = plan(nudge, context(portal(bobLeg, ircLeg, roomLeg), bobLeg, { capabilitiesOf }))
    expect(ops.map(({ leg: one }) => one.id)).toEqual(['room'])
    expect(refused).toMatchObject([{ leg: ircLeg, reason: 'unsupported' }])
  })

  test('waits undegraded while the network of a leg has not started, and is refused where the account is gone', () => {
    const event = message('msn', 'bob@x')
    const unknown = plan(event, context(portal(bobLeg, ircLeg), bobLeg, { capabilitiesOf: () => 'unknown' }))
    expect(unknown.ops[0]?.op).toMatchObject({ as: { kind: 'ghost' } })
    const gone = plan(event, context(portal(bobLeg, ircLeg), bobLeg, { capabilitiesOf: () => undefined }))
    expect(gone).toMatchObject({ ops: [], refused: [{ leg: ircLeg, reason: 'not-found' }] })
  })
})

describe('in a lobby', () => {
  const lobby = portal(lobbyLeg, ircLeg, roomLeg)

  test('a contact is called as others must address them', () => {
    const { ops } = plan(
      message('msn', 'bob@x', { senderName: 'Bobby B.' }),
      context(lobby, lobbyLeg, { handle: 'bob' }),
    )
    expect(ops.map(({ op }) => op)).toMatchObject([{ body: { text: [{ text: '<bob> hi' }] } }, { as: { name: 'bob' } }])
  })

  test('what is addressed goes to that contact without the address, and whole to the other channels', () => {
    const body: MessageBody = { kind: 'text', text: plain('hi') }
    const place = { kind: 'direct', with: 'bob@x' as UserId } as const
    const event = message('irc', 'carol', { body: { kind: 'text', text: plain('bob: hi') } })
    const { ops } = plan(event, context(lobby, ircLeg, { addressed: { leg: lobbyLeg.id, place, body } }))
    expect(ops.map((one) => [one.leg.id, one.place, one.op])).toMatchObject([
      ['lobby', place, { body: { text: [{ text: '<carol> hi' }] } }],
      ['room', roomLeg.request, { body: { text: plain('bob: hi') } }],
    ])
  })

  test('what is not addressed, and what is no message, reaches no contact', () => {
    const base = {
      chat: { network: 'irc' as NetworkId, chat: 'c' as ChatId },
      sender: user('irc', 'carol'),
      id: 'n' as MessageId,
      at: 5,
    }
    const events: StoredInbound[] = [
      message('irc', 'carol'),
      { ...base, kind: 'topic', topic: 't' },
      { ...base, kind: 'member', user: user('irc', 'carol'), change: 'join' },
      { ...base, kind: 'redact', target: 'x' as MessageId },
    ]
    for (const event of events)
      expect(
        plan(event, context(lobby, ircLeg, { target: 'e' as EventId })).ops.map(({ leg: one }) => one.id),
      ).not.toContain('lobby')
  })

  test('nobody is told who types, and contacts are not told of presence', () => {
    const typing = {
      kind: 'typing',
      chat: { network: 'msn' as NetworkId, chat: 'c' as ChatId },
      sender: user('msn', 'bob@x'),
      forMs: 1,
    } as const
    expect(planPassing(typing, context(lobby, lobbyLeg))).toEqual([])
    expect(
      planPassing({ ...typing, sender: user('irc', 'carol') }, context(lobby, ircLeg)).map(({ leg: one }) => one.id),
    ).toEqual(['room'])
  })
})

describe('what passes', () => {
  const presence = {
    kind: 'presence',
    account: bobLeg.via,
    user: user('msn', 'bob@x'),
    state: { show: 'online' },
  } as const

  test('presence is what every observer sees where a ghost is one for all, and what this one sees elsewhere', () => {
    const planned = planPassing(presence, {
      ...context(portal(bobLeg, ircLeg, roomLeg), bobLeg),
      effective: { show: 'offline' },
    })
    expect(planned.map(({ leg: one, op }) => [one.id, op.kind === 'presence' && op.state.show])).toEqual([
      ['irc', 'online'],
      ['room', 'offline'],
    ])
  })

  test('presence of our own people is not for other legs of their account', () => {
    const own = { ...presence, user: user('irc', 'alice_') }
    expect(planPassing(own, context(portal(bobLeg, ircLeg), ircLeg))).toEqual([])
  })

  test('a read mark of something unknown is nothing', () => {
    const read = {
      kind: 'read',
      chat: { network: 'msn' as NetworkId, chat: 'c' as ChatId },
      sender: user('msn', 'bob@x'),
      upTo: 'x' as MessageId,
    } as const
    const room = context(portal(bobLeg, roomLeg), bobLeg)
    expect(planPassing(read, room)).toEqual([])
    expect(planPassing(read, { ...room, target: 'e1' as EventId })).toMatchObject([
      { op: { kind: 'read', upTo: 'e1' } },
    ])
  })
})

describe('a contact who is one of our people, too', () => {
  const bob = 'bob' as PersonId
  const own = leg('portal', 'matrix', {
    kind: 'portal',
    portal: 'p' as PortalId,
    owner: '@alice:hs' as UserId,
    account: bobLeg.via,
    login: 'alice@x',
    direct: true,
    with: [{ user: user('msn', 'bob@x'), name: 'Bob' }],
  })
  const of = (other: Leg): PlanContext => {
    const base = context(portal(bobLeg, other), bobLeg)
    const personOf = (who: UserRef) => (who.user === 'bob@x' ? bob : undefined)
    return { ...base, cast: { ...base.cast, personOf, userOn: () => '@bob:hs' as UserId } }
  }

  test('is a contact like any other in the chat of somebody else', () => {
    expect(plan(message('msn', 'bob@x'), of(own)).ops).toMatchObject([{ op: { as: { kind: 'ghost' } } }])
    const presence = {
      kind: 'presence',
      account: bobLeg.via,
      user: user('msn', 'bob@x'),
      state: { show: 'online' },
    } as const
    expect(planPassing(presence, of(own))).toMatchObject([{ op: { kind: 'presence', as: { kind: 'ghost' } } }])
  })

  test('is themselves in a room where they may be in person', () => {
    const face = { kind: 'person', person: bob, user: '@bob:hs' }
    expect(plan(message('msn', 'bob@x'), of(roomLeg)).ops).toMatchObject([{ op: { as: face } }])
  })
})
