// ircv3.net, chathistory.
import { beforeEach, describe, expect, test } from 'vitest'
import { MAX_READING } from '../../../../adapters/irc-gateway/commands/history.ts'
import { plain } from '../../../../bridge/model/text.ts'
import type { FakeClient } from './rig.ts'
import { Rig, face } from './rig.ts'

const CHAT = 'direct/bob@example.com'
const CAPS = ['batch', 'server-time', 'message-tags', 'standard-replies', 'draft/chathistory'] as const
const at = (second: number): number => Date.UTC(2003, 5, 1, 12, 0, second)
const time = (second: number): string => `timestamp=${new Date(at(second)).toISOString()}`

/** Texts between the two lines of the batch. */
const texts = (lines: readonly string[]): readonly string[] =>
  lines.slice(1, -1).map((line) => line.slice(line.lastIndexOf(':') + 1))

describe('a client asks for what was said', () => {
  let rig: Rig
  let alice: FakeClient
  beforeEach(() => {
    rig = new Rig()
    alice = rig.client(...CAPS)
    for (let second = 0; second < 10; second++) rig.history.add(CHAT, 'bob@example.com', `m${second}`, at(second))
  })

  const id = (number: number): string => `msgid=${CHAT}-${number}`
  const rows: readonly (readonly [ask: string, texts: string])[] = [
    [`LATEST bob * 3`, 'm7 m8 m9'],
    [`latest BOB * 3`, 'm7 m8 m9'],
    [`LATEST bob ${time(7)} 5`, 'm8 m9'],
    [`LATEST bob ${id(5)} 2`, 'm8 m9'],
    [`BEFORE bob ${time(3)} 2`, 'm1 m2'],
    [`BEFORE bob ${id(3)} 10`, 'm0 m1 m2'],
    [`AFTER bob ${time(3)} 2`, 'm4 m5'],
    [`AFTER bob ${id(8)} 10`, 'm9'],
    [`AFTER bob ${id(9)} 10`, ''],
    [`BEFORE bob msgid=never 10`, ''],
    // The message itself is among those around it.
    [`AROUND bob ${id(5)} 4`, 'm3 m4 m5 m6'],
    [`AROUND bob ${time(5)} 4`, 'm3 m4 m5 m6'],
    [`AROUND bob ${id(5)} 1`, 'm5'],
    [`AROUND bob ${id(0)} 3`, 'm0 m1 m2'],
    [`AROUND bob ${id(9)} 3`, 'm8 m9'],
    [`AROUND bob msgid=never 4`, ''],
    // Counted from the first of the two, forwards or backwards.
    [`BETWEEN bob ${time(2)} ${time(8)} 3`, 'm3 m4 m5'],
    [`BETWEEN bob ${time(8)} ${time(2)} 3`, 'm5 m6 m7'],
    [`BETWEEN bob ${id(2)} ${id(8)} 3`, 'm3 m4 m5'],
    [`BETWEEN bob ${id(8)} ${id(2)} 3`, 'm5 m6 m7'],
    [`BETWEEN bob ${id(8)} ${time(2)} 3`, 'm5 m6 m7'],
    [`BETWEEN bob ${time(2)} ${time(2)} 3`, ''],
    [`LATEST root * 3`, ''],
    [`LATEST &bitlbee * 3`, ''],
    [`LATEST carol * 3`, ''],
  ]
  test.each(rows)('%s', async (ask, expected) => {
    const lines = await rig.ask(alice, `CHATHISTORY ${ask}`)
    const target = ask.split(' ')[1]?.toLowerCase() ?? ''
    expect(lines[0]).toBe(`:localhost BATCH +1 chathistory ${target}`)
    expect(lines.at(-1)).toBe(':localhost BATCH -1')
    expect(texts(lines).join(' ')).toBe(expected)
  })

  test('and gets no more than 005 says', async () => {
    for (let second = 10; second < 150; second++) rig.history.add(CHAT, 'bob@example.com', `m${second}`, at(second))
    expect(texts(await rig.ask(alice, 'CHATHISTORY LATEST bob * 999999'))).toHaveLength(100)
  })

  const wrong: readonly (readonly [ask: string, answer: string])[] = [
    ['', 'INVALID_PARAMS * :Insufficient parameters'],
    ['FROM bob * 10', 'INVALID_PARAMS FROM :Unknown command'],
    ['CONSTRUCTOR bob * 10', 'INVALID_PARAMS CONSTRUCTOR :Unknown command'],
    ['LATEST bob *', 'INVALID_PARAMS LATEST :Insufficient parameters'],
    ['LATEST bob * 10 10', 'INVALID_PARAMS LATEST :Too many parameters'],
    ['BEFORE bob timestamp=yesterday 10', 'INVALID_PARAMS BEFORE timestamp=yesterday :Invalid timestamp or msgid'],
    [
      'BEFORE bob timestamp=2003-13-01T00:00:00.000Z 10',
      'INVALID_PARAMS BEFORE timestamp=2003-13-01T00:00:00.000Z :Invalid timestamp or msgid',
    ],
    ['BEFORE bob msgid= 10', 'INVALID_PARAMS BEFORE msgid= :Invalid timestamp or msgid'],
    ['BEFORE bob * 10', 'INVALID_PARAMS BEFORE * :Invalid timestamp or msgid'],
    ['BEFORE bob number=7 10', 'INVALID_MSGREFTYPE BEFORE bob :Messages are found by timestamp= and msgid= here'],
    ['LATEST bob * many', 'INVALID_PARAMS LATEST many :Invalid limit'],
    ['LATEST bob * 0', 'INVALID_PARAMS LATEST 0 :Invalid limit'],
    ['LATEST bob * -5', 'INVALID_PARAMS LATEST -5 :Invalid limit'],
    ['LATEST nobody * 10', 'INVALID_TARGET LATEST nobody :Messages could not be retrieved'],
    ['LATEST #nowhere * 10', 'INVALID_TARGET LATEST #nowhere :Messages could not be retrieved'],
    [`TARGETS msgid=1 ${time(1)} 10`, 'INVALID_PARAMS TARGETS msgid=1 :Invalid timestamp'],
    [`TARGETS ${time(1)} 10`, 'INVALID_PARAMS TARGETS :Insufficient parameters'],
  ]
  test.each(wrong)('wrongly: %s', async (ask, answer) => {
    expect(await rig.ask(alice, `CHATHISTORY ${ask}`)).toEqual([`:localhost FAIL CHATHISTORY ${answer}`])
  })

  test('and is told when the store fails', async () => {
    rig.history.failing = true
    expect(await rig.ask(alice, 'CHATHISTORY LATEST bob * 10')).toEqual([
      ':localhost FAIL CHATHISTORY MESSAGE_ERROR LATEST bob :Messages could not be retrieved',
    ])
  })

  test('and is refused when it asks for too much at once, and only then', async () => {
    for (let count = 0; count <= MAX_READING; count++) rig.take(alice, 'CHATHISTORY LATEST bob * 1')
    await rig.dispatch.idle()
    expect(alice.heard().filter((line) => line.includes('FAIL'))).toEqual([
      ':localhost FAIL CHATHISTORY MESSAGE_ERROR LATEST bob :Too many requests at once',
    ])
    expect(texts(await rig.ask(alice, 'CHATHISTORY LATEST bob * 1'))).toEqual(['m9'])
  })

  test('without the capability there is no such command', async () => {
    expect(await rig.ask(rig.client('batch'), 'CHATHISTORY LATEST bob * 1')).toEqual([
      ':localhost 421 alice CHATHISTORY :Unknown command',
    ])
  })

  test('without batch the lines come by themselves', async () => {
    expect(await rig.ask(rig.client('draft/chathistory'), 'CHATHISTORY LATEST bob * 2')).toEqual([
      ':bob!bob@example.com PRIVMSG alice :m8',
      ':bob!bob@example.com PRIVMSG alice :m9',
    ])
  })
})

describe('what was said is said again', () => {
  const caps = [...CAPS, 'account-tag'] as const

  test('by both in a query, wherever they wrote it', async () => {
    const rig = new Rig()
    rig.history.add(CHAT, 'bob@example.com', 'hi', at(0))
    rig.history.add(CHAT, 'alice', 'hello', at(1))
    rig.history.add(CHAT, 'alice@example.com', 'from my phone', at(2), { own: true })
    expect(await rig.ask(rig.client(...caps), 'CHATHISTORY LATEST bob * 10')).toEqual([
      ':localhost BATCH +1 chathistory bob',
      `@time=2003-06-01T12:00:00.000Z;account=bob@example.com;msgid=${CHAT}-0;batch=1 :bob!bob@example.com PRIVMSG alice :hi`,
      `@time=2003-06-01T12:00:01.000Z;account=alice;msgid=${CHAT}-1;batch=1 :alice!al@127.0.0.1 PRIVMSG bob :hello`,
      `@time=2003-06-01T12:00:02.000Z;account=alice;msgid=${CHAT}-2;batch=1 :alice!al@127.0.0.1 PRIVMSG bob :from my phone`,
      ':localhost BATCH -1',
    ])
  })

  test('by several in a channel, also by those who have no nick any more', async () => {
    const rig = new Rig()
    rig.person.group('#friends', ['bob'], 'group/1')
    rig.history.add('group/1', 'bob@example.com', 'hi', at(0))
    rig.history.add('group/1', 'alice', 'hello', at(1))
    rig.history.add('group/1', 'alice@example.com', 'elsewhere', at(2))
    rig.history.add('group/1', 'zoë x!@evil.example', 'gone', at(3))
    const lines = await rig.ask(rig.client(...CAPS), 'CHATHISTORY LATEST #Friends * 10')
    expect(lines[0]).toBe(':localhost BATCH +1 chathistory #friends')
    expect(lines.slice(1, -1).map((line) => line.slice(line.indexOf(' ') + 1))).toEqual([
      ':bob!bob@example.com PRIVMSG #friends :hi',
      ':alice!al@127.0.0.1 PRIVMSG #friends :hello',
      ':alice!al@127.0.0.1 PRIVMSG #friends :elsewhere',
      ':zoë_x!zoë_x@evil.example PRIVMSG #friends :gone',
    ])
  })

  test('in the shape that it had', async () => {
    const rig = new Rig()
    const say = (second: number, body: Parameters<typeof rig.history.add>[4]): void =>
      rig.history.add(CHAT, 'bob@example.com', '', at(second), body)
    say(0, { body: { kind: 'action', text: plain('waves') } })
    say(1, { body: { kind: 'notice', text: plain('psst') } })
    say(2, { body: { kind: 'nudge' } })
    say(3, { body: { kind: 'text', text: [{ text: 'bold', bold: true }, { text: '\r\nnext' }] } })
    const lines = await rig.ask(rig.client('draft/chathistory'), 'CHATHISTORY LATEST bob * 10')
    expect(lines).toEqual([
      ':bob!bob@example.com PRIVMSG alice :\x01ACTION waves\x01',
      ':bob!bob@example.com NOTICE alice :psst',
      ':bob!bob@example.com PRIVMSG alice :\x01ACTION nudges you\x01',
      ':bob!bob@example.com PRIVMSG alice :\x02bold',
      ':bob!bob@example.com PRIVMSG alice :next',
    ])
  })

  test('whole, in as many lines as it takes, of which the first has the id', async () => {
    const rig = new Rig()
    const text = '語'.repeat(1_300)
    rig.history.add(CHAT, 'bob@example.com', text, at(0))
    const lines = await rig.ask(rig.client(...CAPS), 'CHATHISTORY LATEST bob * 10')
    expect(texts(lines).join('')).toBe(text)
    expect(lines.filter((line) => line.includes('msgid='))).toHaveLength(1)
    expect(lines.slice(1, -1).every((line) => line.includes('batch=1'))).toBe(true)
  })
})

describe('a client asks with whom anything was said', () => {
  const rig = new Rig([face('bob'), face('carol'), face('dave')])
  rig.person.group('#friends', ['bob'], 'group/1')
  rig.history.add('direct/bob@example.com', 'bob@example.com', 'x', at(5))
  rig.history.add('direct/carol@example.com', 'alice', 'x', at(1))
  rig.history.add('group/1', 'alice', 'x', at(3))
  rig.history.add('direct/dave@example.com', 'alice', 'x', at(50))
  const alice = rig.client(...CAPS)

  const rows: readonly (readonly [from: number, to: number, limit: number, names: readonly string[]])[] = [
    [0, 10, 10, ['carol', '#friends', 'bob']],
    [0, 10, 2, ['carol', '#friends']],
    [10, 0, 2, ['#friends', 'bob']],
    [2, 4, 10, ['#friends']],
    [6, 7, 10, []],
  ]
  test.each(rows)('from %d to %d, at most %d', async (from, to, limit, names) => {
    const lines = await rig.ask(alice, `CHATHISTORY TARGETS ${time(from)} ${time(to)} ${limit}`)
    expect(lines[0]).toMatch(/^:localhost BATCH \+\w+ draft\/chathistory-targets$/)
    expect(lines.slice(1, -1).map((line) => line.split(' ')[4])).toEqual(names)
  })

  test('and gets the time of the last of it', async () => {
    const [, line] = await rig.ask(alice, `CHATHISTORY TARGETS ${time(2)} ${time(4)} 10`)
    expect(line).toMatch(/^@batch=\w+ :localhost CHATHISTORY TARGETS #friends 2003-06-01T12:00:03\.000Z$/)
  })
})
