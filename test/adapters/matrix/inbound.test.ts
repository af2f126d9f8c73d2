/** What happens in a room, as the core is told of it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readEvent, type Reading, type View } from '../../../adapters/matrix/inbound.ts'
import { NUDGE, sendingOf, SOURCE } from '../../../adapters/matrix/outbound.ts'
import type { Content } from '../../../adapters/matrix/outbound.ts'
import type { Room, RoomEvent } from '../../../adapters/matrix/types.ts'
import type { FileRef, MessageBody } from '../../../bridge/model/body.ts'
import type { StoredInbound } from '../../../bridge/model/events.ts'
import { plain, textOf } from '../../../bridge/model/text.ts'
import '../../kit/properties.ts'
import { ALICE, BOB, BOT, CAROL, isOurs, NETWORK, roomOf } from './scripted.ts'

const ROOM = roomOf('!room')
const view: View = {
  network: NETWORK,
  bot: BOT,
  isOurs,
  isOtherBridge: (sender) => sender.startsWith('@telegram_'),
  maySpeak: (sender, room) => sender === room.owner || room.relay,
  nameOf: (user) => ({ [ALICE]: 'Alice\n', [BOB]: 'Bob' })[user],
  notices: false,
}

const event = (type: string, content: Content, rest: Partial<RoomEvent> = {}): RoomEvent => ({
  type,
  room_id: '!room',
  event_id: '$event',
  sender: ALICE,
  origin_server_ts: 1_000,
  content,
  ...rest,
})
const message = (content: Content, rest: Partial<RoomEvent> = {}): RoomEvent => event('m.room.message', content, rest)
const read = (one: RoomEvent, room: Room = ROOM, rest: Partial<View> = {}): Reading =>
  readEvent(one, room, { ...view, ...rest })
const told = (one: RoomEvent, room: Room = ROOM, rest: Partial<View> = {}): StoredInbound | undefined => {
  const reading = read(one, room, rest)
  return reading.kind === 'event' ? reading.event : undefined
}
const bodyOf = (content: Content, rest: Partial<View> = {}): MessageBody | undefined => {
  const one = told(message(content), ROOM, rest)
  return one?.kind === 'message' ? one.body : undefined
}

const origin = {
  id: '$event',
  at: 1_000,
  chat: { network: NETWORK, chat: '!room' },
  sender: { network: NETWORK, user: ALICE },
  senderName: 'Alice',
}

test.each<[string, Content, MessageBody]>([
  ['text', { msgtype: 'm.text', body: 'hi\r\nyou\u0000' }, { kind: 'text', text: plain('hi\nyou') }],
  [
    'formatted text',
    { msgtype: 'm.text', body: 'x', format: 'org.matrix.custom.html', formatted_body: '<b>hi</b>' },
    { kind: 'text', text: [{ text: 'hi', bold: true }] },
  ],
  [
    'a mention',
    {
      msgtype: 'm.text',
      body: 'x',
      format: 'org.matrix.custom.html',
      formatted_body: `<a href="https://matrix.to/#/${BOB}">b</a>: hi`,
    },
    { kind: 'text', text: plain('Bob: hi') },
  ],
  [
    'HTML that says nothing',
    { msgtype: 'm.text', body: 'hi', format: 'org.matrix.custom.html', formatted_body: '<script>x</script>' },
    { kind: 'text', text: plain('hi') },
  ],
  [
    'another format',
    { msgtype: 'm.text', body: 'hi', format: 'other', formatted_body: '<b>x</b>' },
    { kind: 'text', text: plain('hi') },
  ],
  ['an action', { msgtype: 'm.emote', body: 'waves' }, { kind: 'action', text: plain('waves') }],
  ['a nudge', { msgtype: 'm.emote', body: 'sends a nudge', [NUDGE]: true }, { kind: 'nudge' }],
  ['a kind that nobody knows', { msgtype: 'm.new', body: 'hi' }, { kind: 'text', text: plain('hi') }],
  [
    'a place',
    { msgtype: 'm.location', body: 'Here', geo_uri: 'geo:51.5,-0.1;u=5' },
    { kind: 'text', text: plain('Here: geo:51.5,-0.1;u=5') },
  ],
  [
    'a place without a name',
    { msgtype: 'm.location', geo_uri: 'geo:51.5,-0.1' },
    { kind: 'text', text: plain('Location: geo:51.5,-0.1') },
  ],
  [
    'an answer in the old form',
    {
      msgtype: 'm.text',
      body: '> <@bob:x> one\n> two\n\nyes\n> no quote',
      'm.relates_to': { 'm.in_reply_to': { event_id: '$x' } },
    },
    { kind: 'text', text: plain('yes\n> no quote') },
  ],
  [
    'a quote in no answer',
    { msgtype: 'm.text', body: '> <@bob:x> one\n\nyes' },
    { kind: 'text', text: plain('> <@bob:x> one\n\nyes') },
  ],
])('%s', (_, content, body) => {
  expect(bodyOf(content)).toEqual(body)
})

const file = (rest: Partial<FileRef> = {}): FileRef => ({
  network: NETWORK,
  ref: 'mxc://example.org/abc',
  name: 'cat.png',
  media: 'image',
  ...rest,
})
const url = 'mxc://example.org/abc'
test.each<[string, Content, FileRef, string]>([
  [
    'a picture',
    { msgtype: 'm.image', body: 'cat.png', url, info: { mimetype: 'image/PNG', size: 5 } },
    file({ mime: 'image/png', size: 5 }),
    '',
  ],
  ['one with its name twice', { msgtype: 'm.image', body: 'cat.png', filename: 'cat.png', url }, file(), ''],
  ['one with words', { msgtype: 'm.image', body: 'my cat', filename: 'cat.png', url }, file(), 'my cat'],
  ['a file', { msgtype: 'm.file', body: '../../etc/passwd', url }, file({ name: 'passwd', media: 'file' }), ''],
  ['a film', { msgtype: 'm.video', body: 'a\u202egpj\n.exe', url }, file({ name: 'agpj .exe', media: 'video' }), ''],
  ['a voice', { msgtype: 'm.audio', body: '..', url }, file({ name: 'audio', media: 'audio' }), ''],
  [
    'lies about size and kind',
    { msgtype: 'm.file', url, info: { mimetype: 'text/html\r\nx: y', size: -1 } },
    file({ name: 'file', media: 'file' }),
    '',
  ],
  [
    'a size that is none',
    { msgtype: 'm.file', body: 'a', url, info: { size: 1.5 } },
    file({ name: 'a', media: 'file' }),
    '',
  ],
])('%s', (_, content, expected, words) => {
  const body = bodyOf(content)
  expect(body).toEqual({ kind: 'file', file: expected, text: words === '' ? [] : plain(words) })
})

test('a sticker is a picture', () => {
  expect(told(event('m.sticker', { body: 'smile', url }))).toEqual({
    kind: 'message',
    body: { kind: 'file', file: file({ name: 'smile' }), text: [] },
    ...origin,
  })
})

const relates = (relation: Content): Content => ({ msgtype: 'm.text', body: 'hi', 'm.relates_to': relation })
test.each<[string, Content, string | undefined]>([
  ['an answer', { 'm.in_reply_to': { event_id: '$x' } }, '$x'],
  ['an answer to nothing', { 'm.in_reply_to': { event_id: 'x' } }, undefined],
  [
    'a message of a thread',
    { rel_type: 'm.thread', event_id: '$root', 'm.in_reply_to': { event_id: '$x' }, is_falling_back: true },
    '$root',
  ],
  ['an answer in a thread', { rel_type: 'm.thread', event_id: '$root', 'm.in_reply_to': { event_id: '$x' } }, '$x'],
  ['a thread without more', { rel_type: 'm.thread', event_id: '$root' }, '$root'],
  ['another relation', { rel_type: 'm.reference', event_id: '$x' }, undefined],
])('%s answers what it should', (_, relation, replyTo) => {
  expect(told(message(relates(relation)))).toEqual({
    kind: 'message',
    body: { kind: 'text', text: plain('hi') },
    ...(replyTo === undefined ? {} : { replyTo }),
    ...origin,
  })
})

test.each<[string, RoomEvent, StoredInbound | undefined]>([
  [
    'a correction',
    message({
      msgtype: 'm.text',
      body: '* hi',
      'm.new_content': { msgtype: 'm.emote', body: 'hi' },
      'm.relates_to': { rel_type: 'm.replace', event_id: '$x' },
    }),
    { kind: 'edit', target: '$x', body: { kind: 'action', text: plain('hi') }, ...origin } as unknown as StoredInbound,
  ],
  [
    'a correction to nothing',
    message({ msgtype: 'm.text', body: '* hi', 'm.relates_to': { rel_type: 'm.replace', event_id: '$x' } }),
    undefined,
  ],
  [
    'a reaction',
    event('m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$x', key: '👩‍👩‍👧' } }),
    { kind: 'reaction', target: '$x', key: '👩‍👩‍👧', ...origin } as unknown as StoredInbound,
  ],
  [
    'a picture as a reaction',
    event('m.reaction', {
      shortcode: ':blob:',
      'm.relates_to': { rel_type: 'm.annotation', event_id: '$x', key: url },
    }),
    { kind: 'reaction', target: '$x', key: ':blob:', ...origin } as unknown as StoredInbound,
  ],
  [
    'a nameless picture',
    event('m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$x', key: url } }),
    undefined,
  ],
  ['a reaction to nothing', event('m.reaction', { 'm.relates_to': { rel_type: 'm.annotation', key: 'x' } }), undefined],
  [
    'taking back, before room version 11',
    event('m.room.redaction', {}, { redacts: '$x' }),
    { kind: 'redact', target: '$x', ...origin } as unknown as StoredInbound,
  ],
  [
    'taking back',
    event('m.room.redaction', { redacts: '$x' }),
    { kind: 'redact', target: '$x', ...origin } as unknown as StoredInbound,
  ],
  ['taking back nothing', event('m.room.redaction', { redacts: 5 }), undefined],
  ['a topic of a portal', event('m.room.topic', { topic: 'a' }, { state_key: '' }), undefined],
  ['somebody who comes', event('m.room.member', { membership: 'join' }, { state_key: ALICE }), undefined],
  ['a message without a kind', message({ body: 'hi' }), undefined],
  ['a message without words', message({ msgtype: 'm.text', body: ' \n' }), undefined],
  ['a request to compare keys', message({ msgtype: 'm.key.verification.request', body: 'x' }), undefined],
  ['what a bot says', message({ msgtype: 'm.notice', body: 'x' }), undefined],
])('%s', (_, one, expected) => {
  expect(told(one)).toEqual(expected)
  if (expected === undefined) expect(read(one)).toEqual({ kind: 'nothing' })
})

test('a topic of a linked room is passed on', () => {
  const room = roomOf('!room', { kind: 'channel', relay: true })
  expect(told(event('m.room.topic', { topic: 'a\u0000' }, { state_key: '' }), room)).toEqual({
    kind: 'topic',
    topic: 'a',
    ...origin,
  })
  expect(read(event('m.room.topic', { topic: 'a' }), room)).toEqual({ kind: 'nothing' })
})

test('what bots say is passed on where the config says so', () => {
  expect(bodyOf({ msgtype: 'm.notice', body: 'x' }, { notices: true })).toEqual({ kind: 'notice', text: plain('x') })
})

test.each([
  ['an encrypted event', event('m.room.encrypted', { algorithm: 'x' })],
  ['an encrypted file', message({ msgtype: 'm.image', body: 'a', file: { url, key: {} } })],
  ['a file without an address', message({ msgtype: 'm.image', body: 'a', url: 'https://a.example/b' })],
  ['a poll', event('m.poll.start', {})],
])('%s cannot be read, and there is a reason to tell', (_, one) => {
  expect(read(one)).toMatchObject({ kind: 'unreadable', why: expect.stringMatching(/\w+ \w+/) as unknown })
  expect(read({ ...one, sender: CAROL })).toEqual({ kind: 'not-allowed' })
})

test.each<[string, RoomEvent, Room]>([
  ['the bot', message({ msgtype: 'm.text', body: 'x' }, { sender: BOT }), ROOM],
  ['a ghost', message({ msgtype: 'm.text', body: 'x' }, { sender: BOB }), ROOM],
  ['another bridge', message({ msgtype: 'm.text', body: 'x' }, { sender: '@telegram_1:example.org' }), ROOM],
  ['us, as one of our people', message({ msgtype: 'm.text', body: 'x', [SOURCE]: BOT }), ROOM],
  ['somebody who talks to the bot', message({ msgtype: 'm.text', body: 'x' }), roomOf('!room', { kind: 'home' })],
])('what comes from %s is not passed on', (_, one, room) => {
  expect(read(one, room)).toEqual({ kind: 'nothing' })
})

test('all that we send in the name of a person is known again', () => {
  const as = { kind: 'self' } as const
  const target = '$x' as never
  const body = { kind: 'text', text: plain('hi') } as const
  for (const op of [
    { kind: 'message', as, body, at: 0 },
    { kind: 'edit', as, body, target },
    { kind: 'reaction', as, target, key: 'x' },
    { kind: 'redact', as, target },
  ] as const) {
    const sending = sendingOf(op, { network: NETWORK, bot: BOT, owner: ALICE })
    expect(sending?.content[SOURCE]).toBe(BOT)
  }
})

test('another bridge of our kind in the same room is somebody else', () => {
  expect(bodyOf({ msgtype: 'm.text', body: 'x', [SOURCE]: '@otherbot:example.org' })).toBeDefined()
})

test('people who have no part in a room are not passed on, unless a relay speaks for them', () => {
  const one = message({ msgtype: 'm.text', body: 'x' }, { sender: CAROL })
  expect(read(one)).toEqual({ kind: 'not-allowed' })
  expect(told(one, roomOf('!room', { relay: true }))).toMatchObject({ sender: { user: CAROL } })
  // What would not be passed on anyway is no reason to tell them so.
  expect(read(event('m.room.member', {}, { sender: CAROL }))).toEqual({ kind: 'nothing' })
})

test('whoever has no name goes without', () => {
  expect(told(message({ msgtype: 'm.text', body: 'x' }), ROOM, { nameOf: () => '\u202e\n' })).not.toHaveProperty(
    'senderName',
  )
})

const key = fc.constantFrom(
  ...[
    'msgtype',
    'body',
    'format',
    'formatted_body',
    'url',
    'file',
    'info',
    'm.relates_to',
    'm.new_content',
    'filename',
    'geo_uri',
  ],
  ...[
    'topic',
    'redacts',
    'key',
    'rel_type',
    'event_id',
    'm.in_reply_to',
    'is_falling_back',
    'shortcode',
    'mimetype',
    'size',
    NUDGE,
  ],
)
const value = fc.letrec((tie) => ({
  content: fc.dictionary(key, tie('any'), { maxKeys: 6 }),
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(
      'm.text',
      'm.emote',
      'm.image',
      'm.location',
      'org.matrix.custom.html',
      'm.replace',
      'm.annotation',
      'm.thread',
      '$x',
      url,
      true,
      null,
      5,
    ),
    fc.string({ unit: 'binary' }),
    fc.array(fc.anything(), { maxLength: 2 }),
    tie('content'),
  ),
}))
const types = [
  'm.room.message',
  'm.reaction',
  'm.room.redaction',
  'm.room.topic',
  'm.sticker',
  'm.room.encrypted',
  'm.unknown',
]

test('whatever stands in an event, reading it gives an answer', () => {
  fc.assert(
    fc.property(fc.constantFrom(...types), value.content, fc.boolean(), (type, content, channel) => {
      const one = event(type, content, { state_key: '' })
      const reading = read(one, roomOf('!room', channel ? { kind: 'channel' } : {}), { notices: true })
      if (reading.kind !== 'event') return
      const { event: said } = reading
      if (said.kind === 'message' && said.body.kind !== 'nudge')
        expect(textOf(said.body.text).isWellFormed()).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})
