import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Choices, MAX_ASKS } from '../../../adapters/matrix/choices.ts'
import { PictureAsks, WANTED_MS } from '../../../adapters/matrix/picture-asks.ts'
import type { By } from '../../../adapters/matrix/room-calls.ts'
import type { Grant } from '../../../adapters/matrix/permissions.ts'
import { MAX_ANSWERS, SaidOnce } from '../../../adapters/matrix/said-once.ts'
import { ASKED_MS, Secrets } from '../../../adapters/matrix/secrets.ts'
import { POLITE_MS } from '../../../adapters/matrix/courtesy.ts'
import { Talk } from '../../../adapters/matrix/talk.ts'
import type { MatrixEventId, Mxid, RoomEvent, RoomId } from '../../../adapters/matrix/types.ts'
import type { CommandReply, CommandRequest } from '../../../bridge/adapter.ts'
import { plain } from '../../../bridge/model/text.ts'
import '../../kit/properties.ts'
import {
  ACCOUNT,
  ALICE,
  BOB,
  BOT,
  CAROL,
  failing,
  isOurs,
  NETWORK,
  roomOf,
  Rooms,
  ScriptedHomeserver,
  TimedContext,
} from './scripted.ts'

const HOME: RoomId = '!home'
const PORTAL: RoomId = '!portal'
const PLUMBED: RoomId = '!plumbed'
const ADMIN: Mxid = '@root:example.org'

class Bridge extends TimedContext {
  reply: (request: CommandRequest) => CommandReply = ({ line }) => ({ lines: [plain(`done: ${line}`)] })
  override command(request: CommandRequest): Promise<CommandReply> {
    this.commands.push(request)
    return Promise.resolve(this.reply(request))
  }
}

class Desk {
  readonly context: Bridge
  readonly homeserver = new ScriptedHomeserver()
  readonly rooms = new Rooms(
    roomOf(HOME, { kind: 'home' }),
    roomOf(PORTAL),
    roomOf(PLUMBED, { kind: 'channel', owner: undefined as never }),
  )
  readonly tokens: string[] = []
  readonly never = new AbortController()
  by: By | undefined
  readonly choices: Choices
  readonly talk: Talk
  #ids = 0

  constructor(context = new Bridge()) {
    this.context = context
    this.choices = new Choices(context)
    const grants = new Map<Mxid, Grant>([
      [ALICE, 'user'],
      [CAROL, 'relay'],
      [ADMIN, 'admin'],
    ])
    this.talk = new Talk({
      network: NETWORK,
      account: ACCOUNT,
      context,
      homeserver: this.homeserver,
      table: this.rooms,
      ghosts: { isOurs },
      grantOf: (user) => grants.get(user) ?? 'none',
      nameOf: (user) => (user === ALICE ? 'Alice' : undefined),
      own: {
        homeserver: this.homeserver,
        table: this.rooms,
        setHome: (user, room) =>
          Promise.resolve(room === PORTAL ? { kind: 'refused', detail: `Not for ${user}.` } : { kind: 'done' }),
        puppets: {
          by: () => this.by,
          login: (_user, token) => {
            this.tokens.push(token)
            return Promise.resolve({ kind: 'done', detail: 'You are you.' })
          },
          logout: () => Promise.resolve({ kind: 'done', detail: 'Your token is deleted.' }),
          failed: () => Promise.resolve(),
        },
        sync: (room) => Promise.resolve(`${room.room} is right.`),
      },
      secrets: new Secrets(context),
      choices: this.choices,
      pictures: new PictureAsks({ network: NETWORK, clock: context.clock, homeserver: this.homeserver }),
      answers: new SaidOnce(context),
      signedIn: () => undefined,
    })
  }

  event(rest: Partial<RoomEvent> & { readonly body?: string }): RoomEvent {
    const { body, ...event } = rest
    return {
      type: 'm.room.message',
      room_id: HOME,
      event_id: `$${++this.#ids}`,
      sender: ALICE,
      origin_server_ts: 0,
      content: { msgtype: 'm.text', body: body ?? '' },
      ...event,
    }
  }

  /** As the intake does: what is for the bot is concealed, stored, and then acted on. Answers what was stored. */
  async hear(event: RoomEvent): Promise<RoomEvent | undefined> {
    if (!this.talk.hears(event)) return undefined
    const stored = JSON.parse(JSON.stringify(this.talk.conceal(event))) as RoomEvent
    if (this.talk.hears(stored)) await this.talk.act(stored, this.never.signal)
    return stored
  }

  say(body: string, rest: Partial<RoomEvent> = {}): Promise<RoomEvent | undefined> {
    return this.hear(this.event({ body, ...rest }))
  }

  /** What the bot said, without the ids. */
  get notices(): readonly string[] {
    return this.homeserver.calls.flatMap(({ path, body }) =>
      path.includes('/send/m.room.message/') ? [(body as { body: string }).body] : [],
    )
  }

  get redacted(): readonly string[] {
    return this.homeserver.calls.flatMap(({ path }) => /\/redact\/([^/]+)\//.exec(decodeURIComponent(path))?.[1] ?? [])
  }
}

const asking = ({ line, secret }: CommandRequest): CommandReply =>
  secret !== undefined
    ? { lines: [plain('You are signed in.')] }
    : line.startsWith('login')
      ? { lines: [plain('Write your password.')], secretNext: true }
      : { lines: [plain(`done: ${line}`)] }

it('takes every line of a home as a command, and answers under it', async () => {
  const desk = new Desk()
  await desk.say('who bob')
  expect(desk.context.commands).toEqual([
    {
      from: { network: 'matrix', user: ALICE },
      fromName: 'Alice',
      via: 'matrix',
      role: 'user',
      line: 'who bob',
    },
  ])
  expect(desk.homeserver.calls).toEqual([
    {
      method: 'PUT',
      path: `/_matrix/client/v3/rooms/${encodeURIComponent(HOME)}/send/m.room.message/${encodeURIComponent('$1/answer-0')}`,
      device: true,
      signal: desk.never.signal,
      body: {
        msgtype: 'm.notice',
        body: 'done: who bob',
        'm.mentions': {},
        'm.relates_to': { 'm.in_reply_to': { event_id: '$1' } },
        'org.msn-bridge.source': BOT,
      },
    },
  ])
})

it('wants the trigger everywhere else, also in rooms that it does not know', async () => {
  const desk = new Desk()
  expect(await desk.say('who', { room_id: PORTAL })).toBeUndefined()
  expect(await desk.say('!msnx who', { room_id: PORTAL })).toBeUndefined()
  await desk.say('!MSN who', { room_id: PORTAL })
  await desk.say('!msn', { room_id: '!unknown' })
  await desk.say('!msn who', { sender: ADMIN, room_id: HOME })
  await desk.say('who', { sender: ADMIN, room_id: HOME })
  expect(desk.context.commands.map(({ line, chat, role, trigger }) => [line, chat?.chat, role, trigger])).toEqual([
    ['who', PORTAL, 'user', '!msn '],
    ['help', '!unknown', 'user', '!msn '],
    ['who', HOME, 'admin', '!msn '],
  ])
})

it('does not take for a command what is none', async () => {
  const desk = new Desk()
  const relation = { rel_type: 'm.replace', event_id: '$0' }
  await desk.hear(desk.event({ content: { msgtype: 'm.notice', body: 'who' } }))
  await desk.hear(desk.event({ content: { msgtype: 'm.image', body: 'who' } }))
  await desk.hear(desk.event({ content: { msgtype: 'm.text', body: '* who', 'm.relates_to': relation } }))
  await desk.hear(desk.event({ content: { msgtype: 'm.text', body: { who: 1 } } }))
  await desk.say('who', { sender: BOB })
  await desk.say('who', { content: { msgtype: 'm.text', body: 'who', 'org.msn-bridge.source': BOT } })
  expect(desk.context.commands).toEqual([])
  expect(desk.notices).toEqual([])
})

it('finds the command behind what an old client quotes', async () => {
  const desk = new Desk()
  const body = `> <${BOT}> hello\n\nwho`
  const content = { msgtype: 'm.text', body, 'm.relates_to': { 'm.in_reply_to': { event_id: '$0' } } }
  await desk.hear(desk.event({ content }))
  expect(desk.context.commands.map(({ line }) => line)).toEqual(['who'])
})

it('puts several lines into one notice, and cuts one that is too long', async () => {
  const desk = new Desk()
  desk.context.reply = () => ({ lines: [[{ text: 'one', bold: true }], plain('two')] })
  await desk.say('who')
  expect(desk.homeserver.calls[0]?.body).toMatchObject({
    body: 'one\ntwo',
    formatted_body: '<strong>one</strong><br>two',
  })
  const long = Array.from({ length: 3_000 }, (_, number) => plain(`contact number ${number}`))
  desk.context.reply = () => ({ lines: long })
  await desk.say('contacts')
  const parts = desk.notices.slice(1)
  expect(parts.length).toBeGreaterThan(1)
  expect(parts.join('')).toBe(long.map(([span]) => span?.text ?? '').join('\n'))
  const ids = desk.homeserver.calls.slice(1).map(({ path }) => decodeURIComponent(path).split('/').at(-1))
  expect(ids).toEqual(parts.map((_, index) => `answer-${index}`))
})

it('tells those who may not, but not again within the hour', async () => {
  const desk = new Desk()
  await desk.say('!msn who', { sender: CAROL, room_id: PLUMBED })
  await desk.say('!msn who', { sender: CAROL, room_id: PLUMBED })
  await desk.say('!msn who', { sender: '@stranger:elsewhere.example', room_id: PLUMBED })
  await desk.context.clock.advance(POLITE_MS)
  await desk.say('!msn who', { sender: CAROL, room_id: PLUMBED })
  expect(desk.notices).toEqual([
    'You may speak through this bridge where a relay is set, but not command it.',
    'You may not use this bridge. Who may is said in its config, under permissions.',
    'You may speak through this bridge where a relay is set, but not command it.',
  ])
  expect(desk.context.commands).toEqual([])
})

it('takes a password out before it is stored, deletes it, and hands it on', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  await desk.say('login retro bob@example.com')
  const stored = await desk.hear(
    desk.event({
      content: { msgtype: 'm.text', body: 's3cret', format: 'org.matrix.custom.html', formatted_body: '<b>s3cret</b>' },
      unsigned: { prev_content: { body: 's3cret' } },
    }),
  )
  expect(JSON.stringify(stored)).not.toContain('s3cret')
  expect(desk.redacted).toEqual(['$2'])
  expect(desk.context.commands.at(-1)).toMatchObject({ line: '', secret: 's3cret' })
  expect(desk.notices).toEqual(['Write your password.', 'You are signed in.'])
  // It was asked for once.
  await desk.say('who')
  expect(desk.context.commands.at(-1)).toMatchObject({ line: 'who' })
  expect(desk.redacted).toHaveLength(1)
  expect(JSON.stringify([...desk.context.stored])).not.toContain('s3cret')
})

it('deletes a password before it tries it', async () => {
  const desk = new Desk()
  const order: string[] = []
  desk.context.reply = (request) => {
    order.push(request.secret === undefined ? 'command' : 'sign in')
    return asking(request)
  }
  desk.homeserver.answer = ({ method, path }) => {
    if (method === 'PUT') order.push(path.includes('/redact/') ? 'redact' : 'send')
    return { ok: true, value: {} }
  }
  await desk.say('login retro bob@example.com')
  await desk.say('s3cret')
  expect(order).toEqual(['command', 'send', 'redact', 'sign in', 'send'])
})

it('deletes as the person where it has no power, and else says that they must', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  desk.homeserver.answer = ({ path, as }) =>
    path.includes('/redact/') && as === undefined
      ? failing({ kind: 'refused', status: 403, errcode: 'M_FORBIDDEN', detail: 'no power' })
      : { ok: true, value: {} }
  await desk.say('login retro bob@example.com')
  await desk.say('s3cret')
  expect(desk.notices.at(-1)).toBe(
    'You are signed in.\nI may not delete messages in this room: delete the one with your password yourself.',
  )
  desk.by = { as: ALICE }
  await desk.say('login retro bob@example.com')
  await desk.say('s3cret')
  expect(desk.notices.at(-1)).toBe('You are signed in.')
  expect(desk.homeserver.calls.filter(({ path }) => path.includes('/redact/')).map(({ as }) => as)).toEqual([
    undefined,
    undefined,
    ALICE,
  ])
})

it('asks again when the bridge does, and conceals that answer, too', async () => {
  const desk = new Desk()
  desk.context.reply = ({ secret }) =>
    secret === 'right' ? { lines: [plain('In.')] } : { lines: [plain('Again?')], secretNext: true }
  await desk.say('login retro bob@example.com')
  for (const word of ['wrong', 'right']) {
    const stored = await desk.say(word)
    expect(stored?.content['body']).toBe('')
  }
  expect(desk.notices).toEqual(['Again?', 'Again?', 'In.'])
  expect([...desk.context.stored.keys()].filter((key) => key.startsWith('secret/'))).toEqual([])
})

it('conceals a password that comes before it could ask', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  const login = desk.talk.conceal(desk.event({ body: 'login retro bob@example.com' }))
  const early = desk.talk.conceal(desk.event({ body: 's3cret' }))
  expect(JSON.stringify(early)).not.toContain('s3cret')
  await desk.talk.act(login, desk.never.signal)
  await desk.talk.act(early, desk.never.signal)
  expect(desk.context.commands.at(-1)).toMatchObject({ secret: 's3cret' })
  expect(desk.redacted).toEqual([early.event_id])
})

it('takes what came before it could ask for a command when it did not ask', async () => {
  const desk = new Desk()
  const login = desk.talk.conceal(desk.event({ body: 'login' }))
  const next = desk.talk.conceal(desk.event({ body: 'who bob' }))
  await desk.talk.act(login, desk.never.signal)
  await desk.talk.act(next, desk.never.signal)
  expect(desk.context.commands.map(({ line }) => line)).toEqual(['login', 'who bob'])
  expect(desk.redacted).toEqual([])
  // And not for ever.
  expect(desk.talk.conceal(desk.event({ body: 'who' })).content['body']).toBe('who')
})

it.each([
  ['login retro bob@example.com s3cret word', 'login retro bob@example.com', 's3cret word'],
  ['login bob@example.com s3cret', 'login bob@example.com', 's3cret'],
  ['sudo @alice:example.org login retro bob s3cret', 'sudo @alice:example.org login retro bob', 's3cret'],
])('takes the password out of "%s"', async (line, left, secret) => {
  const desk = new Desk()
  desk.context.reply = (request) =>
    request.secret === undefined ? { lines: [plain('Password?')], secretNext: true } : { lines: [plain('In.')] }
  const stored = await desk.say(line)
  expect(stored?.content['body']).toBe(left)
  expect(desk.context.commands.map((each) => each.secret ?? each.line)).toEqual([left, secret])
  expect(desk.redacted).toEqual(['$1'])
  expect(desk.notices).toEqual(['In.'])
})

it('does not use a password that others could read, and does not ask for one there', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  const stored = await desk.say('!msn login retro bob@example.com s3cret', { room_id: PLUMBED })
  expect(JSON.stringify(stored)).not.toContain('s3cret')
  expect(desk.redacted).toEqual(['$1'])
  expect(desk.context.commands).toEqual([])
  await desk.say('!msn login retro bob@example.com', { room_id: PLUMBED })
  expect(desk.context.commands.map(({ line }) => line)).toEqual(['login retro bob@example.com', 'cancel'])
  expect(desk.notices.every((notice) => notice.startsWith('Others can read along here'))).toBe(true)
  // What they say there next is for the others.
  const next = desk.event({ body: 'hello', room_id: PLUMBED })
  expect(desk.talk.conceal(next)).toEqual(next)
  expect(desk.talk.hears(next)).toBe(false)
})

it('lets a plain message through that comes behind a login in a room with others', () => {
  const desk = new Desk()
  desk.talk.conceal(desk.event({ body: '!msn login retro bob@example.com', room_id: PLUMBED }))
  const next = desk.event({ body: 'hello', room_id: PLUMBED })
  expect(desk.talk.conceal(next)).toEqual(next)
})

it('hides the correction of a password', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  const edit = (of: MatrixEventId): RoomEvent =>
    desk.event({
      content: {
        msgtype: 'm.text',
        body: '* s3cret',
        'm.new_content': { msgtype: 'm.text', body: 's3cret' },
        'm.relates_to': { rel_type: 'm.replace', event_id: of },
      },
    })
  await desk.say('login retro bob@example.com')
  await desk.say('secret')
  const before = desk.notices.length
  const stored = await desk.hear(edit('$2'))
  expect(JSON.stringify(stored)).not.toContain('s3cret')
  expect(desk.redacted).toEqual(['$2', stored?.event_id])
  expect(desk.notices).toHaveLength(before)
})

it('still hides the answer when it was restarted in between', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  await desk.say('login retro bob@example.com')
  const again = new Desk(desk.context)
  await again.talk.load()
  const event = again.event({ event_id: '$later', body: 's3cret' })
  const stored = await again.hear(event)
  expect(JSON.stringify(stored)).not.toContain('s3cret')
  expect(desk.context.commands.at(-1)).toMatchObject({ secret: 's3cret' })
})

it('says so when the password got lost with it', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  await desk.say('login retro bob@example.com')
  const stored = desk.talk.conceal(desk.event({ body: 's3cret' }))
  const again = new Desk(desk.context)
  await again.talk.load()
  expect(again.talk.hears(stored)).toBe(true)
  await again.talk.act(stored, again.never.signal)
  expect(again.notices).toEqual(['I was restarted before I could read that. Say again what you wanted to do.'])
  expect(again.redacted).toEqual([stored.event_id])
  await again.say('who', { event_id: '$later' })
  expect(desk.context.commands.at(-1)).toMatchObject({ line: 'who' })
})

it('hides the same event again while it is not stored', () => {
  const desk = new Desk()
  const login = desk.event({ body: 'login retro bob@example.com s3cret' })
  const first = desk.talk.conceal(login)
  expect(desk.talk.conceal(login)).toEqual(first)
})

it('throws away what comes too late, once', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  await desk.say('login retro bob@example.com')
  await desk.context.clock.advance(ASKED_MS)
  const stored = await desk.say('s3cret')
  expect(JSON.stringify(stored)).not.toContain('s3cret')
  expect(desk.context.commands).toHaveLength(1)
  expect(desk.notices.at(-1)).toMatch(/^I did not wait for that any more/)
  await desk.say('who')
  expect(desk.context.commands.at(-1)).toMatchObject({ line: 'who' })
})

it('forgets the question when they cancel', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  await desk.say('login retro bob@example.com')
  const stored = await desk.say(' Cancel ')
  expect(stored?.content['body']).toBe(' Cancel ')
  expect(desk.context.commands.at(-1)).toMatchObject({ line: 'Cancel' })
  await desk.say('who')
  expect(desk.redacted).toEqual([])
  expect(desk.context.commands.at(-1)).toMatchObject({ line: 'who' })
})

it('is not fooled by somebody who writes its mark', async () => {
  const desk = new Desk()
  const event = desk.event({
    room_id: PLUMBED,
    content: { msgtype: 'm.text', body: 'hello', 'org.msn-bridge.secret': 'answer' },
  })
  const stored = await desk.hear(event)
  expect(stored?.content).toEqual({ msgtype: 'm.text', body: 'hello' })
  expect(desk.homeserver.calls).toEqual([])
})

it('does not carry out a command again that it had not yet answered', async () => {
  const desk = new Desk()
  desk.homeserver.answer = () => failing({ kind: 'aborted', detail: 'going down' })
  const event = desk.event({ body: 'logout' })
  await expect(desk.talk.act(event, desk.never.signal)).rejects.toThrow('going down')
  const again = new Desk(desk.context)
  await again.talk.load()
  await again.talk.act(event, again.never.signal)
  expect(desk.context.commands).toHaveLength(1)
  expect(again.notices).toEqual(['done: logout'])
})

it('remembers only so many answers', async () => {
  const desk = new Desk()
  for (let number = 0; number < MAX_ANSWERS + 10; number++) await desk.say('who')
  const kept = [...desk.context.stored.keys()].filter((key) => key.startsWith('answer/'))
  expect(kept).toHaveLength(MAX_ANSWERS)
  expect(kept).not.toContain('answer/$1')
})

it('lets it be when it was thrown out of the room', async () => {
  const desk = new Desk()
  desk.homeserver.answer = () =>
    failing({ kind: 'refused', status: 403, errcode: 'M_FORBIDDEN', detail: 'not in room' })
  await desk.say('!msn who', { room_id: PLUMBED })
  expect(desk.homeserver.calls).toHaveLength(1)
})

const choices = [
  { key: '✔️', words: 'accept', line: 'accept bob@example.com retro' },
  { key: '❌', words: 'decline', line: 'decline bob@example.com retro' },
]
const touch = (desk: Desk, key: string, rest: Partial<RoomEvent> = {}): RoomEvent =>
  desk.event({
    type: 'm.reaction',
    content: { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$ask', key } },
    ...rest,
  })

it('carries out the answer that is touched, once', async () => {
  const desk = new Desk()
  await desk.choices.note(desk.rooms.byRoom(HOME)!, '$ask', choices)
  // After a restart, without the variation selector, and only by whom it was asked.
  const again = new Desk(desk.context)
  await again.talk.load()
  expect(again.talk.hears(touch(again, '✔', { sender: ADMIN }))).toBe(false)
  expect(again.talk.hears(touch(again, '👍'))).toBe(false)
  await again.hear(touch(again, '✔'))
  await again.hear(touch(again, '❌'))
  expect(desk.context.commands.map(({ line }) => line)).toEqual(['accept bob@example.com retro'])
  expect(again.homeserver.calls.map(({ body }) => body)).toMatchObject([
    { body: 'done: accept bob@example.com retro', 'm.relates_to': { 'm.in_reply_to': { event_id: '$ask' } } },
  ])
  expect([...desk.context.stored.keys()].filter((key) => key.startsWith('ask/'))).toEqual([])
})

it('keeps only so many questions, and none where nobody is asked', async () => {
  const desk = new Desk()
  const home = desk.rooms.byRoom(HOME)!
  for (let number = 0; number <= MAX_ASKS; number++) await desk.choices.note(home, `$ask${number}`, choices)
  await desk.choices.note(desk.rooms.byRoom(PLUMBED)!, '$channel', choices)
  const kept = [...desk.context.stored.keys()].filter((key) => key.startsWith('ask/'))
  expect(kept).toHaveLength(MAX_ASKS)
  expect(kept).not.toContain('ask/$ask0')
  expect(kept).not.toContain('ask/$channel')
})

it('greets whoever opens a room with it, and tells the others why it does not', async () => {
  const desk = new Desk()
  for (const user of [ALICE, CAROL, CAROL]) await desk.talk.greet(user, HOME, desk.never.signal)
  await desk.talk.greet(ALICE, '!new', desk.never.signal)
  expect(desk.notices).toEqual([
    'Hello! I bring your MSN contacts into Matrix. Write login to sign in to MSN with your own account, or help for all that I can do.',
    'You may speak through this bridge where a relay is set, but not command it.',
    expect.stringContaining('!msn help'),
  ])
})

it('lists its own commands in help, and explains them', async () => {
  const desk = new Desk()
  desk.context.reply = () => ({ lines: [plain('People: who'), plain('More about one: help who')] })
  await desk.say('help')
  await desk.say('!msn help set-relay', { room_id: PORTAL })
  await desk.say('help who')
  expect(desk.notices).toEqual([
    'People: who\nMatrix: login-matrix, logout-matrix, ping-matrix, set-management-room, set-relay, sync, unset-relay\nMore about one: help who',
    '!msn set-relay: pass on what people without an account write in this room',
    'People: who\nMore about one: help who',
  ])
})

it('lets owners and admins set the relay', async () => {
  const desk = new Desk()
  await desk.say('set-relay')
  await desk.say('!msn set-relay', { room_id: '!unknown' })
  await desk.say('!msn set-relay', { room_id: PLUMBED })
  expect(desk.rooms.byRoom(PLUMBED)?.relay).toBe(false)
  await desk.say('!msn set-relay', { room_id: PLUMBED, sender: ADMIN })
  expect(desk.rooms.byRoom(PLUMBED)?.relay).toBe(true)
  await desk.say('!msn set-relay', { room_id: PORTAL })
  expect(desk.rooms.byRoom(PORTAL)?.relay).toBe(true)
  await desk.say('!msn unset-relay', { room_id: PORTAL })
  expect(desk.rooms.byRoom(PORTAL)?.relay).toBe(false)
  expect(desk.notices).toEqual([
    'Say it in a room that is bridged.',
    'Say it in a room that is bridged.',
    'Only the owner of this room and admins may change that.',
    'From now on, what people without an account of their own write here is passed on with their names.',
    'From now on, what people without an account of their own write here is passed on with their names.',
    'From now on only what you write yourself is passed on.',
  ])
  expect(desk.context.commands).toEqual([])
})

it('asks for a token of Matrix as for a password', async () => {
  const desk = new Desk()
  await desk.say('login-matrix')
  const stored = await desk.say('syt_token')
  expect(JSON.stringify(stored)).not.toContain('syt_token')
  await desk.say('login-matrix syt_other')
  await desk.say('login-matrix')
  await desk.say('cancel')
  await desk.say('logout-matrix')
  expect(desk.tokens).toEqual(['syt_token', 'syt_other'])
  expect(desk.redacted).toEqual(['$2', '$3'])
  expect(desk.notices.slice(1)).toEqual([
    'You are you.',
    'You are you.',
    expect.stringMatching(/^Write your access token/),
    'Cancelled.',
    'Your token is deleted.',
  ])
  expect(desk.context.commands).toEqual([])
})

it('tells whether it can speak for somebody', async () => {
  const desk = new Desk()
  await desk.say('ping-matrix')
  desk.by = { as: ALICE, token: 'syt' }
  await desk.say('ping-matrix')
  desk.homeserver.answer = ({ path }) =>
    path.endsWith('/whoami')
      ? failing({ kind: 'token', errcode: 'M_UNKNOWN_TOKEN', detail: 'unknown' })
      : { ok: true, value: {} }
  await desk.say('ping-matrix')
  expect(desk.notices).toEqual([
    'I have no token of yours; login-matrix gives me one.',
    'I can speak for you: what you write elsewhere appears here as you.',
    'Your token is not accepted any more. Give me a new one: login-matrix',
  ])
})

it('moves home, and puts a room right, when asked', async () => {
  const desk = new Desk()
  await desk.say('!msn set-management-room', { room_id: '!new' })
  await desk.say('!msn set-management-room', { room_id: PORTAL })
  await desk.say('!msn sync', { room_id: PORTAL })
  await desk.say('sync')
  expect(desk.notices).toEqual([
    'From now on I speak with you here, and every line of yours is a command.',
    `Not for ${ALICE}.`,
    `${PORTAL} is right.`,
    'Say it in a room that is bridged.',
  ])
})

it('asks for no password where somebody else is in the room, too', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  const member = (user: Mxid, membership: string) => ({ state_key: user, content: { membership } })
  const chunk = [member(ALICE, 'join'), member(BOT, 'join'), member(CAROL, 'leave')]
  desk.homeserver.answer = ({ path }) => ({ ok: true, value: path.endsWith('/members') ? { chunk } : {} })
  await desk.say('login retro bob@example.com')
  expect(desk.notices).toEqual(['Write your password.'])
  await desk.say('cancel')
  chunk.push(member(CAROL, 'invite'))
  await desk.say('login retro bob@example.com')
  expect(desk.notices.at(-1)).toMatch(/^Others can read along here/)
  expect(desk.context.commands.at(-1)).toMatchObject({ line: 'cancel' })
})

it.each([
  [HOME, ''],
  [HOME, '!msn '],
  [PORTAL, '!msn '],
])('stores and passes on no password that a correction brings: in %s with "%s"', async (room_id, trigger) => {
  const desk = new Desk()
  const correction = (content: object) =>
    desk.event({ room_id, content: { ...content, 'm.relates_to': { rel_type: 'm.replace', event_id: '$old' } } })
  const line = `${trigger}login retro bob@example.com s3cret`
  for (const content of [
    { msgtype: 'm.text', body: `* ${line}`, 'm.new_content': { msgtype: 'm.text', body: line } },
    { msgtype: 'm.text', body: `* ${line}` },
    { msgtype: 'm.text', body: '*', 'm.new_content': { body: line } },
  ]) {
    const event = correction(content)
    expect(JSON.stringify(await desk.hear(event))).not.toMatch(/s3cret/)
    expect(desk.redacted.at(-1)).toBe(event.event_id)
  }
  expect(desk.context.commands).toEqual([])
})

it('stores no password that is said in a room which is not yet the one of the bot and them', () => {
  const desk = new Desk()
  const stored = [
    desk.talk.conceal(desk.event({ room_id: '!new', body: 'login retro bob@example.com s3cret' })),
    desk.talk.conceal(desk.event({ room_id: '!new', body: 'login retro bob@example.com' })),
    desk.talk.conceal(desk.event({ room_id: '!new', body: 's3cret' })),
  ]
  expect(JSON.stringify(stored)).not.toMatch(/s3cret/)
})

it('passes on no correction of a command, and none is carried out', async () => {
  const desk = new Desk()
  const content = { msgtype: 'm.text', body: '* !msn who', 'm.new_content': { msgtype: 'm.text', body: '!msn who' } }
  const relation = { 'm.relates_to': { rel_type: 'm.replace', event_id: '$old' } }
  expect(await desk.hear(desk.event({ room_id: PORTAL, content: { ...content, ...relation } }))).toBeDefined()
  expect(desk.context.commands).toEqual([])
})

it.each(['m.emote', 'm.notice', 'com.example.unknown'])('takes a password out that is said as %s', async (msgtype) => {
  const desk = new Desk()
  desk.context.reply = asking
  await desk.say('login retro bob@example.com')
  const event = desk.event({ content: { msgtype, body: 's3cret' } })
  expect(JSON.stringify(await desk.hear(event))).not.toMatch(/s3cret/)
  expect(desk.redacted).toEqual([event.event_id])
  expect(desk.context.commands.at(-1)).toMatchObject({ secret: 's3cret' })
})

it('does not take the quote of the question for a part of the password', async () => {
  const desk = new Desk()
  desk.context.reply = asking
  await desk.say('login retro bob@example.com')
  const body = `> <${BOT}> Write your password.\n\ns3cret`
  const relation = { 'm.relates_to': { 'm.in_reply_to': { event_id: '$question' } } }
  await desk.hear(desk.event({ content: { msgtype: 'm.text', body, ...relation } }))
  expect(desk.context.commands.at(-1)).toMatchObject({ secret: 's3cret' })
})

it.each([
  'lgoin retro',
  'logn retro',
  '/login retro',
  '!login',
  'Login: retro',
  'log in retro',
  'sign-in retro',
  'signin',
])('takes a password out also behind "%s"', async (command) => {
  const desk = new Desk()
  const event = desk.event({ body: `${command} bob@example.com s3cret` })
  expect(JSON.stringify(await desk.hear(event))).not.toMatch(/s3cret/)
  expect(desk.redacted).toEqual([event.event_id])
  expect(desk.context.commands).toMatchObject([{ line: `${command} bob@example.com` }])
})

it('stores no password, however it is written behind the command', () => {
  const word = fc.stringMatching(/^[!-~]{6,20}$/)
  fc.assert(
    fc.property(
      fc.constantFrom('login retro bob@example.com', 'login bob@example.com', 'LOGIN retro bob', 'login-matrix'),
      fc.array(word, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('', '!msn ', ' !MSN  '),
      fc.constantFrom(HOME, PLUMBED),
      (command, secret, trigger, room_id) => {
        const desk = new Desk()
        const event = desk.event({ body: `${trigger}${command} ${secret.join(' ')}`, room_id })
        if (!desk.talk.hears(event)) return
        const stored = JSON.stringify(desk.talk.conceal(event).content)
        for (const each of secret) expect(stored).not.toContain(JSON.stringify(each).slice(1, -1))
      },
    ),
  )
})

it('takes any content without a complaint', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('m.room.message', 'm.reaction', 'm.room.encrypted', 'm.sticker'),
      fc.dictionary(
        fc.constantFrom('msgtype', 'body', 'm.relates_to', 'm.new_content', 'org.msn-bridge.secret'),
        fc.oneof(
          fc.jsonValue(),
          fc.constantFrom('m.text', 'login a b c', 'inline', 'answer', 'perhaps', 'late', 'edit'),
        ),
      ),
      fc.constantFrom(HOME, PORTAL),
      async (type, content, room_id) => {
        const desk = new Desk()
        await desk.hear(desk.event({ type, content, room_id }))
      },
    ),
  )
})

const image = (more: object = {}) => ({ msgtype: 'm.image', body: 'me.png', url: 'mxc://example.org/face', ...more })
const FACE = { network: 'matrix', ref: 'mxc://example.org/face#96', name: 'me.png', media: 'image' }
const pictures = ({ context }: Desk) => context.commands.map(({ line, file, trigger }) => [line, file, trigger])

it('takes the image that set-picture answers, small, in any room', async () => {
  const desk = new Desk()
  desk.homeserver.answer = ({ method, path }) =>
    method === 'GET'
      ? path.endsWith('%240')
        ? { ok: true, value: { content: image() } }
        : path.endsWith('%2400')
          ? {
              ok: true,
              value: { content: { msgtype: 'm.image', body: 'x', file: { url: 'mxc://example.org/sealed' } } },
            }
          : failing({ kind: 'refused', status: 404, errcode: 'M_NOT_FOUND', detail: 'not there' })
      : { ok: true, value: {} }
  const answering = (event_id: string, body: string, room_id: RoomId = HOME) =>
    desk.hear(
      desk.event({
        room_id,
        content: { msgtype: 'm.text', body, 'm.relates_to': { 'm.in_reply_to': { event_id } } },
      }),
    )
  await answering('$0', 'set-picture retro')
  await answering('$0', `> <${BOT}> me.png\n\n!msn set-picture`, PORTAL)
  await answering('$00', 'set-picture')
  await answering('$1', 'set-picture')
  expect(pictures(desk)).toEqual([
    ['set-picture retro', FACE, undefined],
    ['set-picture', FACE, '!msn '],
  ])
  const NO_IMAGE = 'The message that you answered has no image that I can read.'
  expect(desk.notices.slice(2)).toEqual([NO_IMAGE, NO_IMAGE])
})

it('takes the next image, once, within five minutes, until cancelled', async () => {
  const desk = new Desk()
  const send = (more?: object) => desk.hear(desk.event({ content: image(more) }))
  await desk.say('set-picture retro')
  await desk.say('who')
  await send()
  await send()
  await desk.say('set-picture')
  await desk.say('cancel')
  await send()
  await desk.say('set-picture')
  await desk.context.clock.advance(WANTED_MS)
  await send()
  const UNASKED = 'To show this image to your MSN contacts, answer to it with: set-picture'
  const ASK = 'Send the image here now, or answer to one with set-picture. To leave it: cancel'
  expect(pictures(desk)).toEqual([
    ['who', undefined, undefined],
    ['set-picture retro', FACE, undefined],
  ])
  expect(desk.notices).toEqual([
    ASK,
    'done: who',
    'done: set-picture retro',
    UNASKED,
    ASK,
    'Cancelled.',
    UNASKED,
    ASK,
    UNASKED,
  ])
})

it('takes an image that says it in its caption, and one by its address', async () => {
  const desk = new Desk()
  await desk.hear(desk.event({ content: image({ filename: 'me.png', body: 'set-picture retro' }) }))
  await desk.say('set-picture mxc://example.org/face retro')
  await desk.say('set-picture mxc://../x')
  expect(pictures(desk)).toEqual([
    ['set-picture retro', FACE, undefined],
    ['set-picture retro', { ...FACE, name: 'picture' }, undefined],
  ])
  expect(desk.notices.at(-1)).toBe('mxc://../x is no address of an image: it is mxc://SERVER/ID')
})

it('waits for no image where others read along, and takes none from others', async () => {
  const desk = new Desk()
  await desk.say('!msn set-picture', { room_id: PORTAL })
  expect(await desk.hear(desk.event({ room_id: PORTAL, content: image() }))).toBeUndefined()
  await desk.say('set-picture')
  await desk.hear(desk.event({ sender: ADMIN, content: image() }))
  expect(desk.context.commands).toEqual([])
  expect(desk.notices[0]).toBe('Answer with it to a message with an image.')
})
