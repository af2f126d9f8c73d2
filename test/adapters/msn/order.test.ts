/** What people say and do reaches the core in their order, also where words wait for a picture. */
import { beforeEach, expect, it } from 'vitest'
import { textOf } from '../../../bridge/model/text.ts'
import { describeObject, formatMsnObject } from '../../../msnp/index.ts'
import { someBytes } from '../../kit/p2p-room.ts'
import { Rig, type FakeBoard } from './fakes.ts'

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
