// ircv3.net, labeled-response.
import { describe, expect, test } from 'vitest'
import { Rig, type FakeClient } from './rig.ts'

const CAPS = ['labeled-response', 'batch', 'message-tags', 'echo-message'] as const
/** Without what comes back of a line itself. */
const QUIET = ['labeled-response', 'batch', 'message-tags'] as const

describe('a labelled line is answered', () => {
  const rows: readonly (readonly [line: string, answers: readonly string[]])[] = [
    // "when a client sends a labeled command that normally produces no response"
    ['@label=a PONG x', ['@label=a :localhost ACK']],
    ['@label=a JOIN &bitlbee', ['@label=a :localhost ACK']],
    // One message is labelled by itself.
    ['@label=a PING x', ['@label=a :localhost PONG localhost :x']],
    ['@label=a PRIVMSG nobody :hi', ['@label=a :localhost 401 alice nobody :No such nick/channel']],
    ['@label=a NOSUCH', ['@label=a :localhost 421 alice NOSUCH :Unknown command']],
    ['@label=a PART', ['@label=a :localhost 461 alice PART :Not enough parameters']],
    // Several are a batch.
    [
      '@label=a MODE &bitlbee',
      [
        '@label=a :localhost BATCH +1 labeled-response',
        '@batch=1 :localhost 324 alice &bitlbee +ntC',
        '@batch=1 :localhost 329 alice &bitlbee 1072915199',
        ':localhost BATCH -1',
      ],
    ],
    // What is answered later.
    ['@label=a AWAY :x', ['@label=a :localhost 306 alice :You have been marked as being away']],
    ['@label=a PRIVMSG bob :hi', ['@msgid=m1;label=a :alice!al@127.0.0.1 PRIVMSG bob :hi']],
    [
      '@label=a PRIVMSG carol :hi',
      [
        '@label=a :localhost BATCH +1 labeled-response',
        '@msgid=m1;batch=1 :alice!al@127.0.0.1 PRIVMSG carol :hi',
        '@batch=1 :localhost 301 alice carol :Busy',
        ':localhost BATCH -1',
      ],
    ],
    // "When a client sends a message to itself, the server MUST NOT include the label tag, except for any acknowledgment"
    [
      '@label=a PRIVMSG alice :hi',
      [':alice!al@127.0.0.1 PRIVMSG alice :hi', '@label=a :alice!al@127.0.0.1 PRIVMSG alice :hi'],
    ],
    // What is no label.
    ['@label= PING x', [':localhost PONG localhost :x']],
    [`@label=${'x'.repeat(65)} PING x`, [':localhost PONG localhost :x']],
    [`@label=${'x'.repeat(64)} PING x`, [`@label=${'x'.repeat(64)} :localhost PONG localhost :x`]],
  ]
  test.each(rows)('%s', async (line, answers) => {
    const rig = new Rig()
    expect(await rig.ask(rig.client(...CAPS), line)).toEqual(answers)
  })
})

test('labels mean nothing without labeled-response or without batch', async () => {
  const rig = new Rig()
  expect(await rig.ask(rig.client('labeled-response', 'message-tags'), '@label=a PONG x')).toEqual([])
  expect(await rig.ask(rig.client('batch', 'message-tags'), '@label=a PONG x')).toEqual([])
})

test('what is sent in between because of somebody else is no part of the answer', async () => {
  const rig = new Rig()
  const alice = rig.client(...QUIET)
  let finish = (): void => undefined
  rig.rootAnswers = async (client) => {
    client.send({ source: 'root!root@localhost', verb: 'PRIVMSG', params: ['&bitlbee', 'one'] })
    await new Promise<void>((resolve) => (finish = resolve))
    client.send({ source: 'root!root@localhost', verb: 'PRIVMSG', params: ['&bitlbee', 'two'] })
  }
  rig.take(alice, '@label=a PRIVMSG &bitlbee :help')
  alice.send({ source: 'bob!bob@example.com', verb: 'PRIVMSG', params: ['alice', 'hi'] })
  rig.take(alice, '@label=b PING x')
  expect(alice.heard()).toEqual([':bob!bob@example.com PRIVMSG alice :hi', '@label=b :localhost PONG localhost :x'])
  finish()
  await rig.dispatch.idle()
  expect(alice.heard()).toEqual([
    '@label=a :localhost BATCH +1 labeled-response',
    '@batch=1 :root!root@localhost PRIVMSG &bitlbee :one',
    '@batch=1 :root!root@localhost PRIVMSG &bitlbee :two',
    ':localhost BATCH -1',
  ])
})

test('what the line causes at the other clients of the person has no label', async () => {
  const rig = new Rig()
  const irssi = rig.client(...QUIET)
  const weechat = rig.client(...QUIET)
  expect(await rig.ask(irssi, '@label=a NICK al')).toEqual(['@label=a :alice!al@127.0.0.1 NICK :al'])
  expect(weechat.heard()).toEqual([':alice!al@127.0.0.1 NICK :al'])
})

test('a line that is taken while a labelled one is answered is answered by itself', async () => {
  const rig = new Rig()
  const alice = rig.client(...QUIET)
  rig.rootAnswers = (client) => {
    rig.take(alice, 'PING held')
    client.send({ verb: 'NOTICE', params: ['alice', 'You are identified.'] })
    return Promise.resolve()
  }
  expect(await rig.ask(alice, '@label=a PRIVMSG root :identify x y')).toEqual([
    ':localhost PONG localhost :held',
    '@label=a :localhost NOTICE alice :You are identified.',
  ])
})

test('what is sent after the answer is complete is not taken into it', async () => {
  const rig = new Rig()
  const alice = rig.client(...QUIET)
  const late = new Promise<() => void>((resolve) => {
    rig.rootAnswers = (client) => {
      let go = (): void => undefined
      void new Promise<void>((done) => (go = done)).then(() =>
        client.send({ verb: 'NOTICE', params: ['alice', 'late'] }),
      )
      resolve(go)
      return Promise.resolve()
    }
  })
  expect(await rig.ask(alice, '@label=a PRIVMSG root :help')).toEqual(['@label=a :localhost ACK'])
  const go = await late
  go()
  await new Promise(setImmediate)
  expect(alice.heard()).toEqual([':localhost NOTICE alice :late'])
})

test('a batch that is the whole answer bears the label itself', async () => {
  const rig = new Rig()
  const alice: FakeClient = rig.client(...CAPS, 'server-time', 'draft/chathistory')
  rig.history.add('direct/bob@example.com', 'bob@example.com', 'hi', Date.UTC(2003, 0, 1))
  expect(await rig.ask(alice, '@label=a CHATHISTORY LATEST bob * 10')).toEqual([
    '@label=a :localhost BATCH +1 chathistory bob',
    '@time=2003-01-01T00:00:00.000Z;msgid=direct/bob@example.com-0;batch=1 :bob!bob@example.com PRIVMSG alice :hi',
    ':localhost BATCH -1',
  ])
})

test('a labelled command that fails is answered within its label', async () => {
  const rig = new Rig()
  rig.person.result = () => Promise.reject(new Error('oops'))
  expect(await rig.ask(rig.client(...QUIET), '@label=a PRIVMSG bob :hi')).toEqual([
    '@label=a :localhost 400 alice PRIVMSG :That failed here; the operator finds it in the log',
  ])
})
