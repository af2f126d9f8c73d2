import { describe, expect, test } from 'vitest'
import type { MessageId, NetworkId } from '../../../../bridge/model/ids.ts'
import { SCRIPTS, thousands } from '../../../kit/scripts.ts'
import { NOW, Rig, face } from './rig.ts'

interface Row {
  readonly line: string
  readonly answers?: readonly string[]
  /** What the world was asked. */
  readonly asked?: readonly string[]
  readonly root?: readonly string[]
}

const rows: readonly Row[] = [
  { line: 'PRIVMSG bob :hi', asked: ['say bob@example.com text hi'] },
  { line: 'privmsg BOB :hi', asked: ['say bob@example.com text hi'] },
  { line: 'NOTICE bob :hi', asked: ['say bob@example.com notice hi'] },
  { line: 'PRIVMSG bob :\x01ACTION waves\x01', asked: ['say bob@example.com action waves'] },
  { line: 'PRIVMSG bob :\x01NUDGE\x01', asked: ['say bob@example.com nudge'] },
  { line: 'PRIVMSG bob :\x01TYPING 1\x01', asked: ['typing bob@example.com 6000'] },
  { line: 'PRIVMSG bob :\x01TYPING 0\x01', asked: ['typing bob@example.com 0'] },
  {
    line: 'PRIVMSG bob,carol,bob :hi',
    asked: ['say bob@example.com text hi', 'say carol@example.com text hi'],
    answers: [':localhost 301 alice carol :Busy'],
  },
  {
    line: 'PRIVMSG carol :hi',
    asked: ['say carol@example.com text hi'],
    answers: [':localhost 301 alice carol :Busy'],
  },
  { line: 'NOTICE carol :hi', asked: ['say carol@example.com notice hi'] },
  { line: 'PRIVMSG #friends :hi all', asked: ['sayIn #friends text hi all'] },
  { line: 'PRIVMSG bob :\x01ACTION nudges you!\x01', asked: ['say bob@example.com nudge'] },
  { line: 'PRIVMSG #friends :\x01ACTION sends a nudge\x01', asked: ['sayIn #friends nudge'] },
  { line: 'PRIVMSG #friends :\x01ACTION waves\x01', asked: ['sayIn #friends action waves'] },
  { line: 'PRIVMSG @#friends :hi all', asked: ['sayIn #friends text hi all'] },
  { line: 'PRIVMSG #friends :\x01VERSION\x01' },
  // Root, in a query and in the control channel.
  { line: 'PRIVMSG root :help', root: ['query: help'] },
  { line: 'PRIVMSG &bitlbee :account list', root: ['&bitlbee: account list'] },
  { line: 'PRIVMSG &bitlbee :root: help', root: ['&bitlbee: help'] },
  { line: 'PRIVMSG @&bitlbee :blist', root: ['&bitlbee: blist'] },
  { line: 'PRIVMSG root :\x01DCC SEND me.png 2130706433 5000 300\x01', root: ['offer me.png'] },
  { line: 'NOTICE root :\x01DCC SEND me.png 2130706433 5000 300\x01' },
  // What mIRC says of an offer holds the address of its user.
  { line: 'NOTICE bob :DCC Send me.png (192.0.2.7)' },
  { line: 'PRIVMSG #friends :\x01DCC SEND me.png 2130706433 5000 300\x01' },
  {
    line: 'PRIVMSG bob :\x01DCC CHAT chat 2130706433 5000\x01',
    answers: [':bob!bob@example.com NOTICE alice :\x01ERRMSG DCC :not known here\x01'],
  },
  { line: 'NOTICE root :help' },
  { line: 'NOTICE &bitlbee :help' },
  // "bob: hi" reaches bob only.
  { line: 'PRIVMSG &bitlbee :bob: hi', asked: ['say bob@example.com text hi in &bitlbee'] },
  { line: 'PRIVMSG &bitlbee :bob,   hi there', asked: ['say bob@example.com text hi there in &bitlbee'] },
  { line: 'PRIVMSG &bitlbee :Bob:hi: there', asked: ['say bob@example.com text hi: there in &bitlbee'] },
  { line: 'PRIVMSG &bitlbee :dave: hi', answers: [':root!root@localhost PRIVMSG &bitlbee :User does not exist: dave'] },
  { line: 'PRIVMSG &bitlbee :bob:' },
  { line: 'PRIVMSG &bitlbee :\x01ACTION waves\x01' },
  // What is wrong.
  { line: 'PRIVMSG nobody :hi', answers: [':localhost 401 alice nobody :No such nick/channel'] },
  { line: 'PRIVMSG #nowhere :hi', answers: [':localhost 403 alice #nowhere :No such channel'] },
  { line: 'PRIVMSG', answers: [':localhost 411 alice :No recipient given (PRIVMSG)'] },
  { line: 'PRIVMSG , :hi', answers: [':localhost 411 alice :No recipient given (PRIVMSG)'] },
  { line: 'PRIVMSG bob', answers: [':localhost 412 alice :No text to send'] },
  { line: 'PRIVMSG bob :', answers: [':localhost 412 alice :No text to send'] },
  { line: 'NOTICE nobody :hi' },
  { line: 'NOTICE' },
  { line: 'NOTICE bob' },
  { line: 'NOTICE &bitlbee :dave: hi' },
  { line: 'NOTICE bob :\x01PING 1\x01' },
  // Questions of clients.
  { line: 'PRIVMSG root :\x01PING 42\x01', answers: [':root!root@localhost NOTICE alice :\x01PING 42\x01'] },
  {
    line: 'PRIVMSG root :\x01VERSION\x01',
    answers: [':root!root@localhost NOTICE alice :\x01VERSION msn-bridge-1.0\x01'],
  },
  { line: 'PRIVMSG bob :\x01PING 42\x01', answers: [':bob!bob@example.com NOTICE alice :\x01PING 42\x01'] },
  {
    line: 'PRIVMSG bob :\x01VERSION\x01',
    answers: [':bob!bob@example.com NOTICE alice :\x01VERSION MSN Messenger, through msn-bridge-1.0\x01'],
  },
  {
    line: 'PRIVMSG bob :\x01DCC SEND x\x01',
    answers: [':bob!bob@example.com NOTICE alice :\x01ERRMSG DCC :not known here\x01'],
  },
  // Oneself, as clients do to measure their lag.
  { line: 'PRIVMSG alice :lag', answers: [':alice!al@127.0.0.1 PRIVMSG alice :lag'] },
  // Typing.
  { line: '@+typing=active TAGMSG bob', asked: ['typing bob@example.com 6000'] },
  { line: '@+typing=paused TAGMSG bob', asked: ['typing bob@example.com 0'] },
  { line: '@+typing=done TAGMSG bob', asked: ['typing bob@example.com 0'] },
  { line: '@+typing=active TAGMSG #friends', asked: ['typing #friends 6000'] },
  { line: '@+typing=active TAGMSG &bitlbee' },
  { line: '@+typing=active TAGMSG root' },
  { line: '@+react=x TAGMSG bob' },
  { line: 'TAGMSG nobody', answers: [':localhost 401 alice nobody :No such nick/channel'] },
  { line: 'TAGMSG', answers: [':localhost 461 alice TAGMSG :Not enough parameters'] },
  // An answer to a message.
  { line: '@+draft/reply=m7 PRIVMSG bob :yes', asked: ['say bob@example.com text yes to m7'] },
]

describe('somebody says', () => {
  test.each(rows)('$line', async ({ line, answers = [], asked = [], root = [] }) => {
    const rig = new Rig()
    rig.person.group('#friends', ['bob'], 'group/1')
    expect(await rig.ask(rig.client('message-tags'), line)).toEqual(answers)
    expect(rig.person.asked).toEqual(asked)
    expect(rig.toRoot).toEqual(root)
  })
})

test('with default_target last, words without a name go on to whoever was named last', async () => {
  const rig = new Rig()
  const alice = rig.client()
  rig.person.values.set('default_target', 'last')
  await rig.ask(alice, 'PRIVMSG &bitlbee :one', 'PRIVMSG &bitlbee :bob: two', 'PRIVMSG &bitlbee :three')
  expect(rig.toRoot).toEqual(['&bitlbee: one'])
  expect(rig.person.asked).toEqual([
    'say bob@example.com text two in &bitlbee',
    'say bob@example.com text three in &bitlbee',
  ])
})

test('what is refused is said once, and never because of a NOTICE', async () => {
  const rig = new Rig()
  rig.person.group('#friends', ['bob'], 'group/1')
  rig.person.result = () => Promise.resolve({ kind: 'refused', detail: 'The account is signed out.' })
  expect(await rig.ask(rig.client(), 'PRIVMSG bob :hi', 'NOTICE bob :hi', 'PRIVMSG #friends :hi')).toEqual([
    ':localhost 404 alice bob :The account is signed out.',
    ':localhost 404 alice #friends :The account is signed out.',
  ])
})

test('more targets than 005 says are refused by name, and the others are spoken to', async () => {
  const names = Array.from({ length: 22 }, (_, index) => `c${index}`)
  const rig = new Rig(names.map((name) => face(name)))
  expect(await rig.ask(rig.client(), `PRIVMSG ${names.join(',')} :hi`)).toEqual([
    ':localhost 407 alice c20 :Too many targets',
  ])
  expect(rig.person.asked).toHaveLength(20)
})

test('the 301 has the nick that somebody has by the time they are known to be away', async () => {
  const rig = new Rig()
  rig.person.result = () => {
    rig.person.map.delete('carol')
    rig.person.map.set('caro', face('caro', { away: 'Lunch', contact: face('carol').contact }))
    return Promise.resolve({ kind: 'said', id: 'm1' as MessageId, at: NOW })
  }
  expect(await rig.ask(rig.client(), 'PRIVMSG carol :hi')).toEqual([':localhost 301 alice caro :Lunch'])
})

test('messages keep their order, although each is answered later', () => {
  const rig = new Rig()
  const alice = rig.client()
  for (let count = 0; count < 50; count++) rig.take(alice, `PRIVMSG bob :${count}`)
  expect(rig.person.asked).toEqual(Array.from({ length: 50 }, (_, index) => `say bob@example.com text ${index}`))
})

describe('long texts', () => {
  /** As a client cuts them that knows how long a line may be: not within a character. */
  const cut = (text: string): readonly string[] => {
    const pieces: string[] = []
    let piece = ''
    for (const point of text) {
      if (Buffer.byteLength(piece + point) > 400) {
        pieces.push(piece)
        piece = ''
      }
      piece += point
    }
    return [...pieces, piece]
  }

  test.each(SCRIPTS)('4,000 characters of %s are said whole, and in order', async (_, letters) => {
    const rig = new Rig()
    const alice = rig.client()
    const whole = thousands(letters)
    await rig.ask(alice, ...cut(whole).map((piece) => `PRIVMSG bob :${piece}`))
    const said = rig.person.asked.map((asked) => asked.replace(/^say bob@example\.com text /, ''))
    expect(said.length).toBeGreaterThan(9)
    expect(said.join('') === whole).toBe(true)
  })
})

const OFFER = 'PRIVMSG bob :\x01DCC SEND me.png 2130706433 5000 300\x01'

test('a file that is offered to a contact goes to them when it is here', async () => {
  const rig = new Rig()
  const file = { network: '~files' as NetworkId, ref: 'x', name: 'me.png', media: 'image' } as const
  rig.taken = { kind: 'stored', file }
  await rig.ask(rig.client(), OFFER)
  expect(rig.offered).toEqual(['me.png bob'])
  expect(rig.person.asked).toEqual(['say bob@example.com file '])
})

test('and one that does not come is told by root, and so is one that cannot be passed on', async () => {
  const rig = new Rig()
  await rig.ask(rig.client(), OFFER)
  await new Promise(setImmediate)
  expect(rig.person.asked).toEqual(['rootSays The file for bob was not passed on: no connection'])
})
