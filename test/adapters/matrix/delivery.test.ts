/** What the core wants, as requests to the homeserver; and what their answers mean for the lane. */
import { expect, test } from 'vitest'
import type { Answer, Call, Failure } from '../../../adapters/matrix/types.ts'
import type { Placed } from '../../../adapters/matrix/upload.ts'
import type { Outbound } from '../../../bridge/model/events.ts'
import type { NetworkId } from '../../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../../bridge/model/result.ts'
import { plain } from '../../../bridge/model/text.ts'
import { asAlice, asBob, bob, Rig, saying, TARGET } from './delivery-rig.ts'
import { ALICE, BOB, BOT, failing, NETWORK, roomOf } from './scripted.ts'

const GROUP = roomOf('!room', {
  request: {
    kind: 'portal',
    portal: 'p' as never,
    owner: ALICE as never,
    account: 'a' as never,
    login: 'alice@example.com',
    direct: false,
    with: [],
  },
})
const isSend = ({ path }: Call): boolean => path.includes('/send/')
const refusal = (errcode: string, status = 403): Failure => ({
  kind: 'refused',
  status,
  errcode,
  detail: `${errcode}: no`,
})

test('a ghost is made, comes in, and speaks with the id of the delivery', async () => {
  const rig = new Rig()
  expect(await rig.deliver(saying('hello'))).toEqual({ kind: 'delivered', ids: ['$of-d1'] })
  expect(rig.lines).toEqual([`POST /join/!room ${BOB}`, `PUT /rooms/!room/send/m.room.message/d1 ${BOB} device`])
  expect(rig.told).toEqual([`spoke ${BOB}`])
  rig.clear()
  await rig.deliver(saying('again'), 'd2')
  expect(rig.lines).toEqual([`PUT /rooms/!room/send/m.room.message/d2 ${BOB} device`])
})

test('what waited carries its own time, what was said just now does not', async () => {
  const rig = new Rig()
  const now = rig.context.clock.now()
  for (const [id, at] of Object.entries({ late: now - 10_001, fresh: now - 10_000, unknown: 0 }))
    await rig.deliver(saying('x', asBob, at), id)
  expect(rig.lines.filter((line) => line.startsWith('PUT'))).toEqual([
    `PUT /rooms/!room/send/m.room.message/late ${BOB} device ts=${now - 10_001}`,
    `PUT /rooms/!room/send/m.room.message/fresh ${BOB} device`,
    `PUT /rooms/!room/send/m.room.message/unknown ${BOB} device`,
  ])
})

test.each<[string, Outbound, string, DeliveryResult]>([
  [
    'an edit',
    { kind: 'edit', as: asBob, target: TARGET, body: { kind: 'text', text: plain('b') } },
    `PUT /rooms/!room/send/m.room.message/d1 ${BOB} device`,
    { kind: 'delivered', ids: ['$of-d1' as never] },
  ],
  [
    'a redaction',
    { kind: 'redact', as: asBob, target: TARGET },
    `PUT /rooms/!room/redact/$target/d1 ${BOB} device`,
    { kind: 'delivered', ids: ['$of-d1' as never] },
  ],
  [
    'a reaction',
    { kind: 'reaction', as: asBob, target: TARGET, key: '👍' },
    `PUT /rooms/!room/send/m.reaction/d1 ${BOB} device`,
    { kind: 'delivered', ids: ['$of-d1' as never] },
  ],
  [
    'a topic, by the bot, who may',
    { kind: 'topic', as: asBob, topic: 'a' },
    'PUT /rooms/!room/state/m.room.topic/ device',
    { kind: 'delivered', ids: [] },
  ],
  [
    'words of the bridge',
    { kind: 'status', text: plain('down') },
    'PUT /rooms/!room/send/m.room.message/d1 device',
    { kind: 'delivered', ids: ['$of-d1' as never] },
  ],
  [
    'words of the account itself',
    saying('a', { kind: 'self' }),
    'PUT /rooms/!room/send/m.room.message/d1 device',
    { kind: 'delivered', ids: ['$of-d1' as never] },
  ],
])('%s', async (_, op, line, result) => {
  const rig = new Rig()
  expect(await rig.deliver(op)).toEqual(result)
  expect(rig.lines.at(-1)).toBe(line)
})

test('what says nothing is done without a request', async () => {
  const rig = new Rig()
  expect(await rig.deliver(saying(''))).toEqual({ kind: 'delivered', ids: [] })
  expect(rig.homeserver.calls).toEqual([])
})

test.each<[Outbound, readonly string[]]>([
  [{ kind: 'typing', as: asBob, forMs: 5 }, [`typing ${BOB} 5`]],
  [{ kind: 'read', as: asBob, upTo: TARGET }, [`read ${BOB} $target`]],
  [{ kind: 'presence', as: asBob, state: { show: 'away' } }, [`presence ${BOB} away`]],
  [{ kind: 'title', title: 'Bobby' }, ['title !room Bobby']],
  [{ kind: 'title' }, ['title !room -']],
  [{ kind: 'typing', as: { kind: 'self' }, forMs: 5 }, []],
])('%o goes to whoever does it', async (op, told) => {
  const rig = new Rig()
  expect(await rig.deliver(op)).toEqual({ kind: 'delivered', ids: [] })
  expect(rig.told).toEqual(told)
  expect(rig.homeserver.calls).toEqual([])
})

test('a new name is given to the ghost', async () => {
  const rig = new Rig()
  await rig.deliver({ kind: 'profile', as: asBob, name: 'Robert' })
  expect(rig.homeserver.calls.at(-1)).toMatchObject({ as: BOB, body: { displayname: 'Robert' } })
})

test('a picture that cannot be brought to the homeserver now is worth another try, and the ghost stays as it was', async () => {
  const result = { kind: 'retry', reason: 'network', wait: 5_000, detail: 'no answer' } as const
  const answers: Placed[] = [{ kind: 'retry', result }, { kind: 'link' }]
  const rig = new Rig(roomOf('!room'), undefined, {
    place: () => Promise.resolve(answers.shift() ?? { kind: 'link' }),
  })
  const avatar = { network: '~files' as NetworkId, ref: 'x/image/png', name: 'picture', media: 'image' } as const
  const show = () => rig.deliver({ kind: 'profile', as: asBob, name: 'Bob', avatar })
  expect(await show()).toEqual(result)
  // What it will never take is left.
  expect(await show()).toMatchObject({ kind: 'delivered' })
  expect(rig.homeserver.calls.filter(({ path }) => path.includes('avatar_url'))).toEqual([])
})

const unanswered: Failure = { kind: 'unreachable', sent: true, detail: 'no answer' }
const down: Failure = { kind: 'unreachable', sent: false, detail: 'ECONNREFUSED' }
test.each<[string, Failure, boolean, Partial<DeliveryResult>]>([
  ['nobody is there', down, false, { kind: 'retry', reason: 'network', wait: 5_000 }],
  ['no answer came, and a second one is dropped', unanswered, true, { kind: 'retry', wait: 5_000 }],
  ['no answer came, and a second one would double it', unanswered, false, { kind: 'uncertain' }],
  [
    'we took it back, and a second one is dropped',
    { kind: 'aborted', detail: 'x' },
    true,
    { kind: 'retry', wait: 'session-online' },
  ],
  ['we took it back, and a second one would double it', { kind: 'aborted', detail: 'x' }, false, { kind: 'uncertain' }],
  ['it cannot now', { kind: 'busy', status: 502, detail: 'x' }, false, { kind: 'retry', reason: 'network' }],
  [
    'it asks us to wait',
    { kind: 'limited', retryAfterMs: 700, detail: 'x' },
    false,
    { kind: 'retry', reason: 'rate-limited', wait: 700 },
  ],
  [
    'it does not know us',
    { kind: 'token', errcode: 'M_UNKNOWN_TOKEN', detail: 'x' },
    false,
    { kind: 'retry', wait: 'session-online' },
  ],
  ['somebody else answers', refusal('NO_HOMESERVER', 404), false, { kind: 'retry', reason: 'network' }],
  ['it is too large', refusal('M_TOO_LARGE', 413), false, { kind: 'refused', reason: 'too-large' }],
  ['there is no such room', refusal('M_NOT_FOUND', 404), false, { kind: 'refused', reason: 'not-found' }],
  ['it is wrong', refusal('M_BAD_JSON', 400), false, { kind: 'refused', reason: 'protocol' }],
])('when %s', async (_, failure, devices, result) => {
  const rig = new Rig()
  rig.homeserver.features = { ...rig.homeserver.features, devices }
  rig.answer = (call) => (isSend(call) ? failing(failure) : undefined)
  expect(await rig.deliver(saying('x'))).toMatchObject(result)
  expect(rig.told).toEqual([])
})

test('what the bridge says, and what changes nothing when it is done twice, is repeated rather than left uncertain', async () => {
  const rig = new Rig()
  rig.homeserver.features = { ...rig.homeserver.features, devices: false }
  rig.answer = (call) => (isSend(call) ? failing(unanswered) : undefined)
  expect(await rig.deliver({ kind: 'status', text: plain('x') })).toMatchObject({ kind: 'retry' })
  expect(await rig.deliver({ kind: 'reaction', as: asBob, target: TARGET, key: 'x' })).toMatchObject({ kind: 'retry' })
})

test('a reaction that is there already is done', async () => {
  const rig = new Rig()
  rig.answer = (call) => (isSend(call) ? failing(refusal('M_DUPLICATE_ANNOTATION', 400)) : undefined)
  expect(await rig.deliver({ kind: 'reaction', as: asBob, target: TARGET, key: 'x' })).toEqual({
    kind: 'delivered',
    ids: [],
  })
})

test('a ghost that was removed comes back, once, and then speaks', async () => {
  const rig = new Rig()
  await rig.deliver(saying('one'))
  rig.clear()
  let sends = 0
  rig.answer = (call) => (isSend(call) && ++sends === 1 ? failing(refusal('M_FORBIDDEN')) : undefined)
  expect(await rig.deliver(saying('two'), 'd2')).toEqual({ kind: 'delivered', ids: ['$of-d2'] })
  expect(rig.lines).toEqual([
    `PUT /rooms/!room/send/m.room.message/d2 ${BOB} device`,
    `POST /join/!room ${BOB}`,
    `PUT /rooms/!room/send/m.room.message/d2 ${BOB} device`,
  ])
})

test('a ghost that may not speak is refused, and reported', async () => {
  const rig = new Rig()
  rig.answer = (call) => (isSend(call) ? failing(refusal('M_FORBIDDEN')) : undefined)
  expect(await rig.deliver(saying('x'))).toMatchObject({ kind: 'refused', reason: 'forbidden' })
  expect(rig.told).toEqual(['muted M_FORBIDDEN: no'])
  expect(rig.homeserver.calls.filter(isSend)).toHaveLength(2)
})

test('what is said in a room that was just replaced waits for the new one', async () => {
  const rig = new Rig()
  rig.answer = (call) => {
    if (isSend(call)) return failing(refusal('M_FORBIDDEN'))
    return call.path.includes('m.room.tombstone') ? { ok: true, value: { replacement_room: '!new' } } : undefined
  }
  expect(await rig.deliver(saying('x'))).toMatchObject({ kind: 'retry', wait: expect.any(Number) as unknown })
  expect(rig.told).toEqual([])
})

test('a ghost that is not let in is refused in words', async () => {
  const rig = new Rig()
  rig.answer = ({ path }) => (/\/(join|invite)\b/.test(path) ? failing(refusal('M_FORBIDDEN')) : undefined)
  expect(await rig.deliver(saying('x'))).toMatchObject({
    kind: 'refused',
    reason: 'forbidden',
    detail: expect.stringContaining('not let into') as unknown,
  })
})

test('while a ghost cannot be made, its message waits', async () => {
  const rig = new Rig()
  rig.answer = ({ path }) =>
    path.endsWith('/register') ? failing({ kind: 'limited', retryAfterMs: 50, detail: 'x' }) : undefined
  expect(await rig.deliver(saying('x'))).toMatchObject({ kind: 'retry', wait: 50 })
  expect(rig.homeserver.calls.filter(isSend)).toEqual([])
})

test('what somebody else wrote is taken back by the bot', async () => {
  const rig = new Rig()
  rig.answer = ({ path, as }) =>
    path.includes('/redact/') && as !== undefined ? failing(refusal('M_FORBIDDEN')) : undefined
  expect(await rig.deliver({ kind: 'redact', as: asBob, target: TARGET })).toEqual({
    kind: 'delivered',
    ids: ['$of-d1'],
  })
  expect(rig.lines.at(-1)).toBe('PUT /rooms/!room/redact/$target/d1 device')
})

test('a person who lets us speaks as themselves', async () => {
  const rig = new Rig(roomOf('!room'), { kind: 'appservice' })
  expect(await rig.deliver(saying('x', asAlice, 1_000))).toEqual({ kind: 'delivered', ids: ['$of-d1'] })
  expect(rig.lines).toEqual([`PUT /rooms/!room/send/m.room.message/d1 ${ALICE}`])
  expect(rig.told).toEqual([])
})

test('one who does not is shown by a ghost of where they speak', async () => {
  const rig = new Rig()
  await rig.deliver(saying('x', asAlice))
  expect(rig.lines.at(-1)).toBe('PUT /rooms/!room/send/m.room.message/d1 @msn_libera_alice:example.org device')
})

test.each<[string, Failure]>([
  ['their token is not accepted', { kind: 'token', errcode: 'M_UNKNOWN_TOKEN', detail: 'x' }],
  ['they are not in the room', refusal('M_FORBIDDEN')],
])('when %s, a ghost says it, and the token is given up where it is to blame', async (_, failure) => {
  const rig = new Rig()
  rig.answer = ({ path }) => (path.endsWith('/whoami') ? { ok: true, value: { user_id: ALICE } } : undefined)
  await rig.puppets.login(ALICE, 'secret')
  rig.clear()
  rig.answer = (call) => (call.token === undefined ? undefined : failing(failure))
  expect(await rig.deliver(saying('x', asAlice))).toEqual({ kind: 'delivered', ids: ['$of-d1'] })
  expect(rig.lines.filter((line) => line.startsWith('PUT'))).toEqual([
    `PUT /rooms/!room/send/m.room.message/d1 ${ALICE} token`,
    'PUT /rooms/!room/send/m.room.message/d1 @msn_libera_alice:example.org device',
  ])
  expect(rig.puppets.of(ALICE) === undefined).toBe(failure.kind === 'token')
})

test('when a person cannot be reached, nobody else says it', async () => {
  const rig = new Rig(roomOf('!room'), { kind: 'appservice' })
  rig.answer = ({ as }) => (as === ALICE ? failing(unanswered) : undefined)
  expect(await rig.deliver(saying('x', asAlice))).toMatchObject({ kind: 'retry' })
  expect(rig.homeserver.calls).toHaveLength(1)
})

const choices = [
  { key: '✅', words: 'accept', line: 'accept bob' },
  { key: '❌', words: 'decline', line: 'decline bob' },
]
test('what can be answered is written down, and then offered', async () => {
  const rig = new Rig()
  expect(await rig.deliver({ kind: 'status', text: plain('Bob asks.'), choices })).toEqual({
    kind: 'delivered',
    ids: ['$of-d1'],
  })
  expect(rig.lines).toEqual([
    'PUT /rooms/!room/send/m.room.message/d1 device',
    'PUT /rooms/!room/send/m.reaction/d1.0 device',
    'PUT /rooms/!room/send/m.reaction/d1.1 device',
  ])
  expect(rig.told).toEqual(['choices $of-d1 accept bob, decline bob'])
  expect(rig.homeserver.calls.at(-1)?.body).toMatchObject({ 'm.relates_to': { event_id: '$of-d1', key: '❌' } })
})

test('an offer that could not be made now is made with the whole notice again, under the same ids', async () => {
  const rig = new Rig()
  rig.answer = ({ path }) => (path.endsWith('/d1.1') ? failing(down) : undefined)
  expect(await rig.deliver({ kind: 'status', text: plain('Bob asks.'), choices })).toMatchObject({ kind: 'retry' })
  rig.answer = () => undefined
  expect(await rig.deliver({ kind: 'status', text: plain('Bob asks.'), choices })).toEqual({
    kind: 'delivered',
    ids: ['$of-d1'],
  })
})

test.each<[string, Outbound, readonly string[]]>([
  ['joins', { kind: 'member', as: asBob, user: bob, userName: 'Bob', change: 'join' }, [`POST /join/!room ${BOB}`]],
  [
    'leaves',
    { kind: 'member', as: asBob, user: bob, userName: 'Bob', change: 'leave', reason: 'bye' },
    [`POST /rooms/!room/leave ${BOB}`],
  ],
  ['is removed', { kind: 'member', as: asBob, user: bob, userName: 'Bob', change: 'kick' }, ['POST /rooms/!room/kick']],
  [
    'is invited',
    { kind: 'member', as: asBob, user: bob, userName: 'Bob', change: 'invite' },
    ['POST /rooms/!room/invite'],
  ],
  [
    'is one of Matrix',
    { kind: 'member', as: asBob, user: { network: NETWORK, user: ALICE as never }, userName: 'A', change: 'leave' },
    [],
  ],
])('in a group somebody %s', async (_, op, lines) => {
  const rig = new Rig(GROUP)
  expect(await rig.deliver(op)).toEqual({ kind: 'delivered', ids: [] })
  expect(rig.lines).toEqual(lines)
})

test('in a room for two nobody comes or goes', async () => {
  const rig = new Rig(
    roomOf('!room', { request: { ...GROUP.request, direct: true } as NonNullable<typeof GROUP.request> }),
  )
  await rig.deliver({ kind: 'member', as: asBob, user: bob, userName: 'Bob', change: 'leave' })
  expect(rig.homeserver.calls).toEqual([])
})

test('where the bot may not remove a ghost, the ghost goes by itself', async () => {
  const rig = new Rig(GROUP)
  rig.answer = ({ path }) => (path.endsWith('/kick') ? failing(refusal('M_FORBIDDEN')) : undefined)
  await rig.deliver({ kind: 'member', as: asBob, user: bob, userName: 'Bob', change: 'kick', reason: 'x\u0000' })
  expect(rig.homeserver.calls.at(-1)).toMatchObject({ as: BOB, body: { reason: 'x' } })
})

test('a room that is there no more is no place', async () => {
  const rig = new Rig(roomOf('!other'))
  expect(await rig.deliver(saying('x'))).toMatchObject({ kind: 'refused', reason: 'not-found' })
  expect(await rig.deliver({ kind: 'redact', as: asBob, target: TARGET })).toMatchObject({
    kind: 'refused',
    reason: 'not-found',
  })
})

test('what is taken back before it begins was not sent', async () => {
  const rig = new Rig()
  expect(await rig.deliver(saying('x'), 'd1', AbortSignal.abort())).toMatchObject({
    kind: 'retry',
    wait: 'session-online',
  })
  expect(rig.homeserver.calls).toEqual([])
})

test('when our own notes cannot be written, it waits, and nothing is thrown', async () => {
  const rig = new Rig()
  rig.context.state.update = () => Promise.reject(new Error('disk full'))
  expect(await rig.deliver(saying('x'))).toMatchObject({ kind: 'retry', reason: 'network' })
  expect(rig.homeserver.calls.filter(isSend)).toEqual([])
  expect(JSON.stringify(rig.context.lines)).toContain('disk full')
})

test('an answer without an event is still an answer', async () => {
  const rig = new Rig()
  rig.answer = (call): Answer<unknown> | undefined => (isSend(call) ? { ok: true, value: { event_id: 5 } } : undefined)
  expect(await rig.deliver(saying('x'))).toEqual({ kind: 'delivered', ids: [] })
})

test('requests end when the delivery is taken back', async () => {
  const rig = new Rig()
  const abort = new AbortController()
  await rig.deliver(saying('x'), 'd1', abort.signal)
  for (const { signal } of rig.homeserver.calls) expect(signal).toBe(abort.signal)
  expect(rig.homeserver.bot).toBe(BOT)
})
