import { expect, test } from 'vitest'
import type { AccountId, ChatId, ChatRef, MessageId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { MessageEvent, StoredInbound } from '../../bridge/model/events.ts'
import { plain } from '../../bridge/model/text.ts'
import { plainCapabilities } from '../kit/fake-adapter.ts'
import {
  bot,
  channel,
  contact,
  type Core,
  type CoreOptions,
  group,
  ircChat,
  lobby,
  message,
  msnChat,
  relay,
  room,
  startsCores,
} from '../kit/core.ts'

const start = startsCores()
const inRoom = {
  kind: 'channel',
  network: 'matrix' as NetworkId,
  account: 'host' as AccountId,
  chat: '!friends' as ChatId,
} as const
const msnUser = (user: string) => ({ network: 'msn' as NetworkId, user: user as UserId })
const ircUser = (user: string) => ({ network: 'irc' as NetworkId, user: user as UserId })
const query = (nick: string): ChatRef => ({ network: 'irc' as NetworkId, chat: nick as ChatId, account: bot.id })
const dave = query('dave')
const MINUTE = 60_000

const town = (options: CoreOptions = {}): Promise<Core> =>
  start({
    irc: { capabilities: { ...plainCapabilities, puppets: 'native', placesGhosts: true } },
    matrix: {},
    links: [[contact('bob@x'), channel('#bob'), inRoom]],
    ...options,
  })

const whisper = (core: Core, said: string, to = 'bob@x', more: Partial<MessageEvent> = {}): MessageEvent =>
  message(dave, 'dave', said, { to: msnUser(to), at: core.clock.now(), ...more })
const answer = (core: Core, said: string, from = 'bob@x'): MessageEvent =>
  message(msnChat(from), from, said, { at: core.clock.now() })
const everywhere = (core: Core): readonly string[] => [...core.msn.lines, ...core.irc.lines, ...core.matrix.lines]

test('a private word reaches that contact alone, with a name that says so', async () => {
  const core = await town()
  await core.say(whisper(core, 'psst'))
  expect(everywhere(core)).toEqual(['dm:bob@x: <dave (private)> psst'])
})

test('the answer goes to whoever wrote, and to no channel or room', async () => {
  const core = await town()
  await core.say(whisper(core, 'psst'), answer(core, 'what?'))
  expect(core.irc.lines).toEqual(['dave: [bob] what?'])
  expect(core.matrix.lines).toEqual([])
})

test('after others spoke to the contact their answers are for all again', async () => {
  const core = await town()
  await core.say(whisper(core, 'psst'), answer(core, 'what?'))
  await core.say(message(ircChat('#bob'), 'amy', 'hello'))
  await core.say(answer(core, 'hello all'))
  expect(core.irc.lines).toEqual(['dave: [bob] what?', '#bob: [bob] hello all'])
  expect(core.matrix.lines).toContain('!friends: [bob] hello all')
})

test('a talk ends after the time that its network says', async () => {
  const core = await town()
  await core.say(whisper(core, 'psst', 'bob@x', { answersMs: 5 * MINUTE }))
  await core.clock.advance(4 * MINUTE)
  await core.say(answer(core, 'soon'))
  await core.clock.advance(6 * MINUTE)
  await core.say(answer(core, 'late'))
  expect(core.irc.lines).toEqual(['dave: [bob] soon', '#bob: [bob] late'])
})

test('who left is answered no more, and the contact is told where their words go now', async () => {
  const core = await town()
  await core.say(whisper(core, 'psst'))
  await core.hub.accept({ kind: 'gone', account: bot.id, user: ircUser('dave'), name: 'dave' })
  await core.say(answer(core, 'hello?'))
  expect(core.irc.lines).toEqual(['#bob: [bob] hello?'])
  expect(core.msn.lines.at(-1)).toBe('dm:bob@x: * dave has left. What you write now is read in #bob again.')
})

test('that somebody else left changes nothing', async () => {
  const core = await town()
  await core.say(whisper(core, 'psst'))
  await core.hub.accept({ kind: 'gone', account: bot.id, user: ircUser('erin'), name: 'erin' })
  await core.say(answer(core, 'what?'))
  expect(core.irc.lines).toEqual(['dave: [bob] what?'])
})

test('after a restart the answer is still private', async () => {
  const before = await town()
  await before.say(whisper(before, 'psst'))
  await before.stop()
  const core = await town({ folder: before.folder, clock: before.clock })
  await core.say(answer(core, 'what?'))
  expect(core.irc.lines).toEqual(['dave: [bob] what?'])
  expect(core.matrix.lines).toEqual([])
})

test('a contact of a lobby is whispered to, and the lobby hears nothing', async () => {
  const core = await town({ links: [[lobby, channel('#msn'), inRoom]] })
  await core.say(whisper(core, 'bob: psst', 'carol@x'), answer(core, 'what?', 'carol@x'))
  expect(core.msn.lines).toEqual(['dm:carol@x: <dave (private)> bob: psst'])
  expect(core.irc.lines).toEqual(['dave: [carol] what?'])
  expect(core.matrix.lines).toEqual([])
})

test('who is only met in a group gets no private word, and the sender hears that alone', async () => {
  const core = await town({ links: [[group('bob@x', 'carol@x'), channel('#two'), inRoom]] })
  await core.say(whisper(core, 'psst'))
  expect(core.msn.lines).toEqual([])
  expect(core.matrix.lines).toEqual([])
  expect(core.irc.lines).toHaveLength(1)
  expect(core.irc.lines[0]).toMatch(/^dave: .*nobody got that: a private word/i)
})

test('what became of a private word is told in private', async () => {
  const core = await town({
    msn: {
      deliver: () => Promise.resolve({ kind: 'refused', reason: 'blocked', detail: 'blocked' }),
    },
  })
  await core.say(whisper(core, 'psst'))
  expect(core.irc.lines).toHaveLength(1)
  expect(core.irc.lines[0]).toMatch(/^dave: \* your message "psst" to bob@x was not delivered/i)
  expect(core.matrix.lines).toEqual([])
})

test('a word from a third network ends a private talk as well', async () => {
  const core = await town()
  await core.say(whisper(core, 'psst'))
  await core.say(message(room('!friends'), '@erin:hs', 'hello'))
  await core.say(answer(core, 'hello erin'))
  expect(core.irc.lines).toContain('#bob: [bob] hello erin')
})

test('a contact who goes on answering stays in private, however long that takes', async () => {
  const core = await town()
  await core.say(whisper(core, 'psst'))
  for (const said of ['one', 'two', 'three']) {
    await core.clock.advance(20 * MINUTE)
    await core.say(answer(core, said))
  }
  expect(core.irc.lines).toEqual(['dave: [bob] one', 'dave: [bob] two', 'dave: [bob] three'])
})

test.each(['', ' after a restart'])('a private word that had to wait is answered in private, too%s', async (how) => {
  const before = await town()
  await before.goOffline(relay)
  await before.say(whisper(before, 'psst'))
  if (how !== '') await before.stop()
  const core = how === '' ? before : await town({ folder: before.folder, clock: before.clock, offline: true })
  await core.clock.advance(120 * MINUTE)
  for (const account of [bot, relay]) await core.goOnline(account)
  expect(core.msn.lines).toEqual(['dm:bob@x: <dave (private)> psst'])
  await core.clock.advance(20 * MINUTE)
  await core.say(answer(core, 'what?'))
  expect(core.irc.lines.at(-1)).toBe('dave: [bob] what?')
  await core.clock.advance(40 * MINUTE)
  await core.say(answer(core, 'hello all'))
  expect(core.irc.lines.at(-1)).toBe('#bob: [bob] hello all')
})

test('a private word that never arrived is over in its time', async () => {
  let answered: 'refused' | 'delivered' = 'refused'
  const core = await town({
    msn: {
      deliver: () =>
        Promise.resolve(
          answered === 'refused'
            ? { kind: 'refused', reason: 'blocked', detail: 'blocked' }
            : { kind: 'delivered', ids: [] },
        ),
    },
  })
  await core.say(whisper(core, 'psst'))
  answered = 'delivered'
  await core.clock.advance(40 * MINUTE)
  await core.say(answer(core, 'hello all'))
  expect(core.irc.lines.at(-1)).toBe('#bob: [bob] hello all')
})

test('that a word to all comes a second time ends no private talk', async () => {
  const core = await town()
  const hello = message(ircChat('#bob'), 'amy', 'hello')
  await core.say(hello, whisper(core, 'psst'), hello, answer(core, 'what?'))
  expect(core.irc.lines).toEqual(['dave: [bob] what?'])
})

const answered = 'answered' as MessageId
const ofBob = { chat: msnChat('bob@x'), sender: msnUser('bob@x'), at: 0, id: 'more' as MessageId } as const
const words = { kind: 'text', text: plain('I meant this') } as const

test.each<StoredInbound>([
  { ...ofBob, kind: 'message', body: words, replyTo: answered },
  { ...ofBob, kind: 'edit', body: words, target: answered },
  { ...ofBob, kind: 'reaction', key: '+', target: answered },
  { ...ofBob, kind: 'redact', target: answered },
])('after the end of a talk nobody else hears what it was about: $kind', async (event) => {
  const core = await town()
  await core.say(whisper(core, 'psst'), { ...answer(core, 'a secret'), id: answered })
  await core.say(message(ircChat('#bob'), 'amy', 'hello'))
  const before = core.irc.lines
  await core.hub.accept(event)
  await core.settle()
  expect(core.irc.lines).toEqual(before)
  expect(core.matrix.lines).toEqual(['!friends: [amy] hello'])
  const isTold = event.kind === 'message' || event.kind === 'edit'
  expect(core.msn.lines.filter((line) => line.includes('that talk is over'))).toHaveLength(isTold ? 1 : 0)
})

test('what a contact says of a private word while the talk goes on reaches the other one alone', async () => {
  const core = await town()
  await core.say(whisper(core, 'psst'), { ...answer(core, 'a secret'), id: answered })
  await core.hub.accept({ ...ofBob, kind: 'edit', body: words, target: answered })
  await core.settle()
  expect(core.irc.lines).toEqual(['dave: [bob] a secret', 'dave: [bob] * corrected: I meant this'])
  expect(core.matrix.lines).toEqual([])
})

test('when the chat is linked no more from which somebody whispered, the answer reaches nobody, and the contact learns that', async () => {
  const core = await town({ links: [] })
  const linked = await core.hub.link([contact('bob@x'), channel('#bob'), inRoom])
  await core.settle()
  await core.say(whisper(core, 'psst'))
  const leg = linked.kind === 'linked' ? linked.portal.legs.find(({ network }) => network === bot.network) : undefined
  if (leg === undefined) throw new Error('not linked')
  await core.hub.unlink(leg.id)
  await core.say(answer(core, 'a secret'))
  expect(core.matrix.lines).toEqual([])
  expect(core.msn.lines.at(-1)).toMatch(/the private talk with dave is over/)
  await core.say(answer(core, 'hello all'))
  expect(core.matrix.lines).toEqual(['!friends: [bob] hello all'])
})

test('presence says in which channels a ghost is, with those for private words first', async () => {
  const core = await town({
    links: [
      [group('bob@x', 'carol@x'), channel('#two')],
      [contact('bob@x'), channel('#bob')],
      [lobby, channel('#msn')],
    ],
  })
  const contacts = ['bob@x', 'carol@x'].map((name) => ({
    user: msnUser(name),
    name: '',
    listed: true,
    blocked: false,
    hasUs: true,
  }))
  await core.hub.accept({ kind: 'roster', account: relay.id, contacts })
  for (const name of ['bob@x', 'carol@x'])
    await core.hub.accept({ kind: 'presence', account: relay.id, user: msnUser(name), state: { show: 'online' } })
  await core.settle()
  const told = core.irc.delivered.flatMap(({ delivery: { op } }) =>
    op.kind === 'presence' && op.as.kind === 'ghost' ? [[op.as.name, op.state.show, op.in]] : [],
  )
  expect(told).toEqual([
    ['bob', 'online', ['#bob', '#two']],
    ['carol', 'online', ['#msn', '#two']],
  ])

  const linked = await core.hub.link([contact('carol@x'), channel('#carol')])
  await core.settle()
  const last = core.irc.delivered.at(-1)?.delivery.op
  expect(last).toMatchObject({ kind: 'presence', in: ['#carol', '#two'] })
  const leg = linked.kind === 'linked' ? linked.portal.legs[0] : undefined
  if (leg === undefined) throw new Error('not linked')
  await core.hub.unlink(leg.id)
  await core.settle()
  expect(core.irc.delivered.at(-1)?.delivery.op).toMatchObject({ kind: 'presence', in: ['#msn', '#two'] })
})
