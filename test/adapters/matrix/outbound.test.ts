/** What the core wants said, as the content of events. */
import { expect, test } from 'vitest'
import {
  answerTo,
  NUDGE,
  sendingOf,
  SOURCE,
  type Content,
  type Said,
  type Sending,
} from '../../../adapters/matrix/outbound.ts'
import type { FileRef, MessageBody } from '../../../bridge/model/body.ts'
import type { MessageId, NetworkId, UserId } from '../../../bridge/model/ids.ts'
import { plain } from '../../../bridge/model/text.ts'
import { ALICE, BOT, NETWORK } from './scripted.ts'

const as = {
  kind: 'ghost',
  origin: { network: 'retro' as NetworkId, user: 'bob@example.com' as UserId },
  name: 'Bob',
} as const
const target = '$target' as MessageId
const source = { [SOURCE]: BOT }
const said = (body: MessageBody, replyTo?: MessageId): Said => ({
  kind: 'message',
  as,
  body,
  at: 0,
  ...(replyTo === undefined ? {} : { replyTo }),
})
const sent = (op: Said): Sending | undefined => sendingOf(op, { network: NETWORK, bot: BOT, owner: ALICE })
const event = (content: Content, type = 'm.room.message'): Sending => ({
  kind: 'event',
  type,
  content: { ...(type === 'm.room.message' ? { 'm.mentions': {} } : {}), ...content, ...source },
})
const file = (rest: Partial<FileRef>): FileRef => ({
  network: NETWORK,
  ref: 'mxc://a/b',
  name: 'cat.png',
  media: 'image',
  ...rest,
})
const elsewhere = 'irc' as NetworkId

test.each<[string, Said, Sending | undefined]>([
  ['text', said({ kind: 'text', text: plain('hi') }), event({ msgtype: 'm.text', body: 'hi' })],
  [
    'styled text',
    said({ kind: 'text', text: [{ text: 'hi', bold: true }] }),
    event({ msgtype: 'm.text', body: 'hi', format: 'org.matrix.custom.html', formatted_body: '<strong>hi</strong>' }),
  ],
  ['an action', said({ kind: 'action', text: plain('waves') }), event({ msgtype: 'm.emote', body: 'waves' })],
  ['a notice', said({ kind: 'notice', text: plain('beep') }), event({ msgtype: 'm.notice', body: 'beep' })],
  ['a nudge', said({ kind: 'nudge' }), event({ msgtype: 'm.emote', body: 'sends a nudge', [NUDGE]: true })],
  ['nothing', said({ kind: 'text', text: plain(' \u0000') }), undefined],
  [
    'an answer',
    said({ kind: 'text', text: plain('yes') }, target),
    event({ msgtype: 'm.text', body: 'yes', 'm.relates_to': { 'm.in_reply_to': { event_id: target } } }),
  ],
  [
    'a file of another network',
    said({ kind: 'file', file: file({ network: elsewhere, url: 'https://b.example/f/1' }), text: plain('look') }),
    event({ msgtype: 'm.text', body: 'look\ncat.png: https://b.example/f/1' }),
  ],
  [
    'a file that nobody can get',
    said({ kind: 'file', file: file({ network: elsewhere, name: 'a\u202e\nb' }), text: [] }),
    event({ msgtype: 'm.text', body: 'File: a b' }),
  ],
  [
    'a file of another room',
    said({ kind: 'file', file: file({ mime: 'image/png', size: 5 }), text: [] }),
    event({
      msgtype: 'm.image',
      body: 'cat.png',
      filename: 'cat.png',
      url: 'mxc://a/b',
      info: { mimetype: 'image/png', size: 5 },
    }),
  ],
  [
    'a file with words',
    said({ kind: 'file', file: file({ name: '', media: 'audio' }), text: plain('hear') }),
    event({ msgtype: 'm.audio', body: 'hear', filename: 'audio', url: 'mxc://a/b', info: {} }),
  ],
  [
    'a correction',
    { kind: 'edit', as, target, body: { kind: 'text', text: [{ text: 'hi', bold: true }] } },
    event({
      msgtype: 'm.text',
      body: '* hi',
      format: 'org.matrix.custom.html',
      formatted_body: '* <strong>hi</strong>',
      'm.new_content': {
        msgtype: 'm.text',
        body: 'hi',
        format: 'org.matrix.custom.html',
        formatted_body: '<strong>hi</strong>',
        'm.mentions': {},
      },
      'm.relates_to': { rel_type: 'm.replace', event_id: target },
    }),
  ],
  ['taking back', { kind: 'redact', as, target }, { kind: 'redaction', target: '$target', content: source }],
  [
    'a reaction',
    { kind: 'reaction', as, target, key: '👩‍👩‍👧' },
    event({ 'm.relates_to': { rel_type: 'm.annotation', event_id: target, key: '👩‍👩‍👧' } }, 'm.reaction'),
  ],
  ['a reaction without a sign', { kind: 'reaction', as, target, key: ' \n' }, undefined],
  [
    'a topic',
    { kind: 'topic', as, topic: 'a\r\nb\u0000' },
    { kind: 'state', type: 'm.room.topic', content: { topic: 'a\nb', ...source } },
  ],
  ['words of the bridge', { kind: 'status', text: plain('down') }, event({ msgtype: 'm.notice', body: 'down' })],
  [
    'words of the bridge that must be heard',
    { kind: 'status', text: plain('down'), mention: true },
    event({ msgtype: 'm.text', body: 'down', 'm.mentions': { user_ids: [ALICE] } }),
  ],
  [
    'words of the bridge that can be answered',
    {
      kind: 'status',
      text: plain('Bob asks.'),
      choices: [
        { key: '✅', words: 'accept', line: 'accept bob' },
        { key: '❌', words: 'decline', line: 'decline bob' },
      ],
    },
    event({ msgtype: 'm.notice', body: 'Bob asks.\n✅ accept, ❌ decline' }),
  ],
  ['empty words of the bridge', { kind: 'status', text: [] }, undefined],
])('%s', (_, op, expected) => {
  expect(sent(op)).toEqual(expected)
})

test('in a room of nobody in particular nobody can be called', () => {
  const op: Said = { kind: 'status', text: plain('down'), mention: true }
  expect(sendingOf(op, { network: NETWORK, bot: BOT, owner: undefined })?.content['m.mentions']).toEqual({})
})

test('a topic and a reaction of any length fit into an event', () => {
  for (const op of [
    { kind: 'topic', as, topic: '日'.repeat(100_000) },
    { kind: 'reaction', as, target, key: '日'.repeat(100_000) },
  ] as const)
    expect(Buffer.byteLength(JSON.stringify(sent(op)))).toBeLessThan(60_000)
})

test('the bot answers quietly, and points at what it means', () => {
  expect(answerTo('$target', plain('not delivered'), BOT)).toEqual({
    msgtype: 'm.notice',
    body: 'not delivered',
    'm.mentions': {},
    'm.relates_to': { 'm.in_reply_to': { event_id: '$target' } },
    [SOURCE]: BOT,
  })
})
