/** What people say and do reaches the core in their order, also where words wait for a picture. */
import { beforeEach, expect, it } from 'vitest'
import type { EventId, NetworkId } from '../../../bridge/model/ids.ts'
import type { MessageBody } from '../../../bridge/model/body.ts'
import { textOf } from '../../../bridge/model/text.ts'
import { describeObject, formatMsnObject } from '../../../msnp/index.ts'
import { someBytes } from '../../kit/p2p-room.ts'
import { chatOf, Rig, textOfPayload, type FakeBoard } from './fakes.ts'

const bob = 'bob@example.com'
const carol = 'carol@example.com'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.online()
})

const told = (): readonly string[] =>
  rig.core.events.flatMap((event) => {
    if (event.kind === 'member') return [`${event.user.user} ${event.change}`]
    return event.kind === 'message' && 'text' in event.body ? [textOf(event.body.text)] : []
  })

/** Their picture never comes. */
const describeEmoticon = (board: FakeBoard): void => {
  const object = formatMsnObject(describeObject(someBytes(900), { creator: bob, type: 2 }))
  board.message(bob, `Content-Type: text/x-mms-emoticon\r\n\r\n:x:\t${object}\t`)
}

it('who leaves after words that wait for a picture leaves after them', async () => {
  const board = rig.line.ring(bob, carol)
  describeEmoticon(board)
  board.say(bob, 'bye :x:')
  board.say(bob, 'really')
  board.leave(bob)
  await rig.settle()
  expect(told()).toEqual(['bye :x:', 'really', `${bob} leave`])
})

it('words on another switchboard of the same chat come after those that wait for a picture', async () => {
  const one = rig.line.ring(bob)
  const two = rig.line.ring(bob)
  describeEmoticon(one)
  one.say(bob, 'one :x:')
  two.say(bob, 'two')
  one.say(bob, 'three')
  await rig.core.clock.advance(10_000)
  expect(told()).toEqual(['one :x:', 'two', 'three'])
})

it('a file behind words that wait for a custom emoticon goes behind them', async () => {
  const board = rig.line.ring(bob)
  const file = { network: 'matrix' as NetworkId, ref: 'mxc://x/1', name: 'x.png', media: 'image' } as const
  // It never comes.
  Object.assign(rig.core.context.files, { open: () => new Promise(() => undefined) })
  const say = (id: string, body: MessageBody): void => {
    const delivery = {
      id: id as EventId,
      chat: chatOf(bob),
      op: { kind: 'message', as: { kind: 'self' }, body, at: 0 },
    } as const
    void rig.session.deliver(delivery, new AbortController().signal)
  }
  say('e1', { kind: 'text', text: [{ text: 'look ' }, { text: ':x:', image: file }] })
  say('e2', { kind: 'file', file: { ...file, name: 'a.txt' }, text: [] })
  say('e3', { kind: 'text', text: [{ text: 'seen it?' }] })
  await rig.settle()
  expect(board.sent).toEqual([])
  await rig.core.clock.advance(10_000)
  expect(board.sent.map(({ payload }) => textOfPayload(payload))).toEqual([
    'look :x:',
    'sends an image: a.txt',
    'seen it?',
  ])
})
