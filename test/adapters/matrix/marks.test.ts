/** What became of a message, as its sender sees it. */
import { expect, test } from 'vitest'
import { Marks } from '../../../adapters/matrix/marks.ts'
import type { Failure } from '../../../adapters/matrix/types.ts'
import type { DeliveryOutcome, Outbound } from '../../../bridge/model/events.ts'
import type { MessageId, NetworkId } from '../../../bridge/model/ids.ts'
import type { Reason } from '../../../bridge/model/result.ts'
import { plain } from '../../../bridge/model/text.ts'
import { bob, Rig } from './delivery-rig.ts'
import { ALICE, BOB, BOT, failing, NETWORK, roomOf } from './scripted.ts'

const ROOM = roomOf('!room', {
  request: {
    kind: 'portal',
    portal: 'p' as never,
    owner: ALICE as never,
    account: 'a' as never,
    login: 'alice@example.com',
    direct: true,
    with: [{ user: bob, name: 'Bob' }],
  },
})
const mark = (outcome: DeliveryOutcome, target = '$one', reason?: Reason): Outbound => ({
  kind: 'delivery',
  target: target as MessageId,
  outcome,
  text: plain(`It is ${outcome}.`),
  ...(reason === undefined ? {} : { reason }),
})
const DONE = { kind: 'delivered', ids: [] }
const receipt = `POST /rooms/!room/receipt/m.read/$one ${BOT}`
const put = (what: string) => `PUT /rooms/!room/${what} device`
const statusOf = (rig: Rig): unknown =>
  rig.homeserver.calls.findLast(({ path }) => path.includes('message_send_status'))?.body

test.each<[DeliveryOutcome, readonly string[], object]>([
  [
    'delivered',
    [receipt, put('send/com.beeper.message_send_status/d1.status')],
    { status: 'SUCCESS', delivered_to_users: [BOB] },
  ],
  [
    'partial',
    [receipt, put('send/com.beeper.message_send_status/d1.status'), put('send/m.room.message/d1.words')],
    { status: 'SUCCESS', message: 'It is partial.' },
  ],
  [
    'waiting',
    [
      put('send/m.reaction/d1.clock'),
      put('send/com.beeper.message_send_status/d1.status'),
      put('send/m.room.message/d1.words'),
    ],
    { status: 'PENDING', message: 'It is waiting.' },
  ],
  [
    'refused',
    [put('send/com.beeper.message_send_status/d1.status'), put('send/m.room.message/d1.words')],
    { status: 'FAIL_PERMANENT', message: 'It is refused.' },
  ],
  [
    'uncertain',
    [put('send/com.beeper.message_send_status/d1.status'), put('send/m.room.message/d1.words')],
    { status: 'FAIL_RETRIABLE', message: 'It is uncertain.' },
  ],
])('a message that is %s', async (outcome, lines, status) => {
  const rig = new Rig(ROOM)
  expect(await rig.deliver(mark(outcome))).toEqual(DONE)
  expect(rig.lines).toEqual(lines)
  expect(statusOf(rig)).toEqual({
    network: NETWORK,
    'm.relates_to': { rel_type: 'm.reference', event_id: '$one' },
    'org.msn-bridge.source': BOT,
    ...status,
  })
})

test('the words are an answer to the message, and ring for nobody', async () => {
  const rig = new Rig(ROOM)
  await rig.deliver(mark('refused', '$one', 'blocked'))
  expect(rig.homeserver.calls.at(-1)?.body).toMatchObject({
    msgtype: 'm.notice',
    body: 'It is refused.',
    'm.mentions': {},
    'm.relates_to': { 'm.in_reply_to': { event_id: '$one' } },
  })
  expect(statusOf(rig)).toMatchObject({ status: 'FAIL_PERMANENT', reason: 'm.no_permission' })
})

test('of several that wait only the first is told in words, and each has its clock until it is settled', async () => {
  const rig = new Rig(ROOM)
  await rig.deliver(mark('waiting', '$one'), 'd1')
  await rig.deliver(mark('waiting', '$two'), 'd2')
  expect(rig.lines.filter((line) => line.includes('words'))).toEqual([put('send/m.room.message/d1.words')])
  rig.clear()
  await rig.deliver(mark('delivered', '$one'), 'd3')
  expect(rig.lines).toEqual([
    receipt,
    put('redact/$of-d1.clock/d3.unclock'),
    put('send/com.beeper.message_send_status/d3.status'),
  ])
  rig.clear()
  await rig.deliver(mark('refused', '$two'), 'd4')
  expect(rig.lines[0]).toBe(put('redact/$of-d2.clock/d4.unclock'))
  expect([...rig.context.stored.keys()].filter((key) => key.startsWith('waiting/'))).toEqual([])
  rig.clear()
  await rig.deliver(mark('waiting', '$three'), 'd5')
  expect(rig.lines).toContain(put('send/m.room.message/d5.words'))
})

test('clocks are known after a restart', async () => {
  const before = new Rig(ROOM)
  await before.deliver(mark('waiting'))
  const after = new Rig(ROOM)
  for (const [key, value] of before.context.stored) after.context.stored.set(key, value)
  after.context.stored.set('waiting/$broken', 'no JSON')
  await after.deliver(mark('delivered'), 'd2')
  expect(after.lines).toContain(put('redact/$of-d1.clock/d2.unclock'))
})

const down: Failure = { kind: 'unreachable', sent: true, detail: 'x' }
test('a mark that was interrupted is repeated under the same ids', async () => {
  const rig = new Rig(ROOM)
  rig.answer = ({ path }) => (path.endsWith('/d1.words') ? failing(down) : undefined)
  expect(await rig.deliver(mark('waiting'))).toMatchObject({ kind: 'retry' })
  rig.clear()
  rig.answer = () => undefined
  expect(await rig.deliver(mark('waiting'))).toEqual(DONE)
  // The clock is there already; the words come, since nothing else waits.
  expect(rig.lines).toEqual([put('send/com.beeper.message_send_status/d1.status'), put('send/m.room.message/d1.words')])
})

test('a clock that could not be taken away now is taken away with the next attempt', async () => {
  const rig = new Rig(ROOM)
  await rig.deliver(mark('waiting'))
  rig.answer = ({ path }) => (path.includes('/redact/') ? failing(down) : undefined)
  expect(await rig.deliver(mark('delivered'), 'd2')).toMatchObject({ kind: 'retry' })
  rig.clear()
  rig.answer = () => undefined
  await rig.deliver(mark('delivered'), 'd2')
  expect(rig.lines).toContain(put('redact/$of-d1.clock/d2.unclock'))
})

test('where the bot may do nothing, nothing is waited for', async () => {
  const rig = new Rig(ROOM)
  rig.answer = () => failing({ kind: 'refused', status: 403, errcode: 'M_FORBIDDEN', detail: 'x' })
  for (const outcome of ['waiting', 'delivered', 'refused'] as const)
    expect(await rig.deliver(mark(outcome), outcome)).toEqual(DONE)
})

test('in a room that is given up the clocks are forgotten', async () => {
  const rig = new Rig(ROOM)
  await rig.deliver(mark('waiting'))
  const marks = new Marks({
    network: 'matrix' as NetworkId,
    context: rig.context,
    homeserver: rig.homeserver,
    ghosts: rig.ghosts,
  })
  await marks.forget(ROOM.chat)
  expect([...rig.context.stored.keys()].filter((key) => key.startsWith('waiting/'))).toEqual([])
})

test('a command is no message: nothing is marked, and only what went wrong is said', async () => {
  const rig = new Rig()
  const marks = new Marks({ network: NETWORK, context: rig.context, homeserver: rig.homeserver, ghosts: rig.ghosts })
  const never = new AbortController().signal
  const marked = async (outcome: DeliveryOutcome): Promise<void> => {
    const op = mark(outcome, 'command-1') as Parameters<Marks['mark']>[1]
    expect(await marks.mark('d1', op, ROOM, never)).toMatchObject({ ok: true })
  }
  await marked('delivered')
  expect(rig.homeserver.calls).toEqual([])
  await marked('refused')
  expect(rig.homeserver.calls.map(({ body }) => body)).toMatchObject([{ msgtype: 'm.notice', body: 'It is refused.' }])
  expect(rig.homeserver.calls[0]?.body).not.toHaveProperty('m.relates_to')
})
