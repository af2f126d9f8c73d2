import { describe, expect, it } from 'vitest'
import { MAX_HELD, OFFER_AGAIN_MS } from '../../../adapters/msn/held.ts'
import { MsnAdapter } from '../../../adapters/msn/index.ts'
import { msnConfig } from '../../../adapters/msn/config.ts'
import { SessionFault, type RosterRequest } from '../../../bridge/adapter.ts'
import type { Outbound } from '../../../bridge/model/events.ts'
import type { PersonId, UserId } from '../../../bridge/model/ids.ts'
import type { ClientCloseReason, CommandResult, PersonalMessage, Presence, SignInFailure } from '../../../msnp/index.ts'
import { account, chatOf, FakeCore, FakeLine, network, refusedWith, Rig, user, words } from './fakes.ts'

const bob = 'bob@example.com'
const present = (status: Presence['status'], clientId = 0x40000000): Presence => ({
  status,
  clientId,
  object: undefined,
})
const self = { kind: 'self' } as const

describe('signing in', () => {
  it('goes by the account, and tells each state once', async () => {
    const rig = await Rig.online()
    expect(rig.line.options).toMatchObject({ login: 'Relay@Example.com', password: 'secret', status: 'NLN' })
    expect(rig.core.states).toEqual([
      { kind: 'connecting', attempt: 1 },
      { kind: 'online', since: rig.core.clock.now() },
    ])
    expect(rig.session.state.kind).toBe('online')
  })

  it.each([
    [{ kind: 'bad-credentials', detail: 'wrong password' }, 'bad-credentials', undefined],
    [{ kind: 'busy', detail: 'too busy', retryAfterMs: 30_000 }, 'network', 30_000],
    [{ kind: 'unreachable', detail: 'ECONNREFUSED' }, 'network', undefined],
    [{ kind: 'signed-in-elsewhere', detail: '' }, 'signed-in-elsewhere', undefined],
  ] as [SignInFailure, string, number | undefined][])('fails with %j', async (failure, code, retryAfter) => {
    const rig = new Rig()
    rig.prepare = (line) => {
      line.signInResult = { ok: false, failure }
    }
    const error: unknown = await rig.connect().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SessionFault)
    expect(error).toMatchObject({ fault: { code }, retryAfter })
    expect(rig.core.states.map(({ kind }) => kind)).toEqual(['connecting', 'offline'])
    expect(rig.line.signedOut).toBe(true)
  })

  it('counts the attempts until one succeeds', async () => {
    const rig = new Rig()
    rig.prepare = (line) => {
      if (rig.lines.length < 3) line.signInResult = { ok: false, failure: { kind: 'timeout', detail: 'slow' } }
    }
    for (let attempt = 0; attempt < 2; attempt++) await rig.connect().catch(() => undefined)
    await rig.connect()
    expect(rig.core.states.flatMap((state) => (state.kind === 'connecting' ? [state.attempt] : []))).toEqual([1, 2, 3])
  })

  it('that is given up by closing ends offline', async () => {
    const rig = new Rig()
    const gate = Promise.withResolvers<undefined>()
    rig.prepare = (line) => {
      line.beforeSignIn = () => gate.promise
      line.signInResult = { ok: false, failure: { kind: 'aborted', detail: 'aborted' } }
    }
    const connecting = rig.connect().catch((error: unknown) => error)
    await rig.settle()
    await rig.session.close()
    gate.resolve(undefined)
    expect(await connecting).toBeInstanceOf(SessionFault)
    await rig.session.close()
    expect(rig.core.states.map(({ kind }) => kind)).toEqual(['connecting', 'offline'])
  })
})

describe('a store that does not answer', () => {
  it('ends the attempt, and the next one tries it again', async () => {
    const rig = new Rig()
    const list = rig.core.state.list.bind(rig.core.state)
    rig.core.state.list = () => Promise.reject(new Error('the disk is full'))
    await expect(rig.connect()).rejects.toMatchObject({ fault: { code: 'protocol' } })
    expect(rig.core.states.map(({ kind }) => kind)).toEqual(['connecting', 'offline'])
    rig.core.state.list = list
    await rig.connect()
    expect(rig.session.state.kind).toBe('online')
  })

  it('does not let a closed session sign in afterwards', async () => {
    const rig = new Rig()
    const gate = Promise.withResolvers<readonly []>()
    rig.core.state.list = () => gate.promise
    const connecting = rig.connect().catch((error: unknown) => error)
    await rig.settle()
    await rig.session.close()
    gate.resolve([])
    expect(await connecting).toBeInstanceOf(SessionFault)
    expect(rig.lines).toEqual([])
  })

  it('does not make a failure of an invitation that was heard', async () => {
    const rig = await Rig.online()
    const chat = await rig.group(bob, 'carol@example.com')
    const board = rig.line.ring(bob, 'carol@example.com')
    rig.line.answers.set('dave@example.com', 'joins')
    rig.core.state.update = () => Promise.reject(new Error('the disk is full'))
    const dave = user('dave@example.com')
    const op: Outbound = { kind: 'member', as: self, user: dave, userName: 'dave', change: 'invite' }
    expect(await rig.deliver(op, chat)).toEqual({ kind: 'delivered', ids: [] })
    expect(board.members.has('dave@example.com')).toBe(true)
  })
})

describe('a session that ends', () => {
  it.each([
    [{ kind: 'signed-in-elsewhere' }, 'stopped', 'signed-in-elsewhere'],
    [{ kind: 'server-shutdown' }, 'waiting', 'shutdown'],
    [{ kind: 'lost', detail: 'ECONNRESET' }, 'waiting', 'network'],
    [{ kind: 'timeout', waitingFor: 'QNG' }, 'waiting', 'network'],
  ] as [ClientCloseReason, string, string][])('%j: %s', async (reason, kind, code) => {
    const rig = await Rig.online()
    rig.line.event({ kind: 'closed', reason })
    expect(rig.core.states.at(-1)).toMatchObject({ kind, fault: { code } })
    expect(rig.core.states.length).toBe(3)
    expect(await rig.say('hi', chatOf(bob))).toMatchObject({ kind: 'retry', wait: 'session-online' })
    await rig.connect()
    expect(rig.session.state.kind).toBe('online')
    expect(rig.lines.length).toBe(2)
  })

  it('by our wish is offline, twice or not', async () => {
    const rig = await Rig.online()
    await rig.session.close()
    await rig.session.close()
    expect(rig.core.states.map(({ kind }) => kind)).toEqual(['connecting', 'online', 'offline'])
    expect(rig.line.signedOut).toBe(true)
  })

  it('has nothing more to say', async () => {
    const rig = await Rig.online()
    const old = rig.line
    old.event({ kind: 'closed', reason: { kind: 'lost', detail: 'x' } })
    await rig.connect()
    old.ring(bob).say(bob, 'late')
    expect(rig.core.of('message')).toEqual([])
  })
})

describe('contacts', () => {
  const contact = { email: 'Bob@Example.com', name: 'Bob', groups: [], phones: {}, presence: undefined }

  it('are told whole after the sign-in', async () => {
    const rig = new Rig()
    rig.prepare = (line) => {
      line.beforeSignIn = () =>
        line.event({
          kind: 'roster',
          contacts: [
            { ...contact, lists: 11 },
            { ...contact, email: 'eve@example.com', name: 'Eve', lists: 4 },
            { ...contact, email: 'dan@example.com', name: 'Dan\n<admin>', lists: 8 },
          ],
        })
    }
    await rig.connect()
    expect(rig.core.of('roster')).toEqual([
      {
        kind: 'roster',
        account: account.id,
        contacts: [
          { user: user(bob), name: 'Bob', listed: true, blocked: false, hasUs: true, allowed: true },
          { user: user('eve@example.com'), name: 'Eve', listed: false, blocked: true, hasUs: false },
          { user: user('dan@example.com'), name: 'Dan <admin>', listed: false, blocked: false, hasUs: true },
        ],
      },
    ])
  })

  it('come with the names of their groups, but not with that of those who are in none', async () => {
    const rig = new Rig()
    const groupsOf = async (named: string) => {
      rig.prepare = (line) => {
        line.groups = [
          { id: '0', name: named },
          { id: '3', name: 'Work\nmates' },
        ]
        line.beforeSignIn = () =>
          line.event({ kind: 'roster', contacts: [{ ...contact, groups: ['0', '3', '9'], lists: 11 }] })
      }
      await rig.connect()
      return rig.core
        .of('roster')
        .at(-1)
        ?.contacts.map(({ groups }) => groups)
    }
    expect(await groupsOf('Other Contacts')).toEqual([['Work mates']])
    expect(await groupsOf('~')).toEqual([['Work mates']])
    expect(await groupsOf('Friends')).toEqual([['Friends', 'Work mates']])
  })

  it('come with the phone numbers that they let us see', async () => {
    const rig = await Rig.online()
    const phones = { PHH: '1 555', PHM: ' 1\n777\u0007 ', PHW: '', MOB: 'Y' }
    rig.line.event({
      kind: 'roster',
      contacts: [
        { ...contact, phones, lists: 11 },
        { ...contact, email: 'c@x', lists: 11 },
      ],
    })
    expect(
      rig.core
        .of('roster')
        .at(-1)
        ?.contacts.map((entry) => entry.phones),
    ).toEqual([
      [
        { kind: 'home', number: '1 555' },
        { kind: 'mobile', number: '1 777' },
      ],
      undefined,
    ])
  })

  it('come and go; what changes nothing is not told', async () => {
    const rig = await Rig.online()
    rig.line.event({ kind: 'roster', contacts: [{ ...contact, lists: 3 }] })
    const told = (name: string, presence: Presence | undefined) =>
      rig.line.event({ kind: 'presence', email: 'Bob@Example.com', name, presence })
    told('Bob', present('NLN'))
    told('Bob', present('NLN', 1))
    told('Bob', present('AWY'))
    told('Bobby', present('AWY'))
    told('Bobby', undefined)
    told('Bobby', undefined)
    expect(rig.core.of('presence').map(({ user: who, state }) => [who.user, state.show])).toEqual([
      [bob, 'online'],
      [bob, 'away'],
      [bob, 'offline'],
    ])
    expect(rig.core.of('profile').map(({ name }) => name)).toEqual(['Bobby'])
  })

  it('say beside their names what they think and play, as part of their presence', async () => {
    const rig = await Rig.online()
    const says = (personal: PersonalMessage) => {
      rig.line.contact('Bob@Example.com', { name: 'Bob', presence: present('AWY'), personal })
      rig.line.event({ kind: 'personal-message', email: 'Bob@Example.com', message: personal })
    }
    rig.line.event({ kind: 'roster', contacts: [{ ...contact, lists: 3 }] })
    rig.line.contact('Bob@Example.com', { name: 'Bob', presence: present('AWY') })
    rig.line.event({ kind: 'presence', email: 'Bob@Example.com', name: 'Bob', presence: present('AWY') })
    says({ text: 'at the lake', media: undefined })
    const media = { application: 'WMP', type: 'Music', format: '{0} - {1}', args: ['Song', 'Artist'] }
    says({ text: 'at the lake', media })
    // The same once more, from another of their clients.
    says({ text: 'at the lake', media: { ...media, application: 'Winamp' } })
    rig.line.event({ kind: 'presence', email: 'Bob@Example.com', name: 'Bob', presence: present('NLN') })
    rig.line.event({ kind: 'presence', email: 'Bob@Example.com', name: 'Bob', presence: undefined })
    const playing = { title: 'Song', artist: 'Artist' }
    expect(rig.core.of('presence').map(({ state }) => state)).toEqual([
      { show: 'away' },
      { show: 'away', text: 'at the lake' },
      { show: 'away', text: 'at the lake', playing },
      { show: 'online', text: 'at the lake', playing },
      { show: 'offline' },
    ])
    expect(rig.core.of('profile')).toEqual([])
  })

  it('who wait for an answer have us', async () => {
    const rig = await Rig.online()
    rig.line.event({ kind: 'roster', contacts: [{ ...contact, lists: 16 }] })
    rig.line.event({ kind: 'list', list: 'PL', change: 'added', email: bob, name: 'Bob', asked: false })
    rig.line.event({ kind: 'list', list: 'PL', change: 'removed', email: bob, name: 'Bob', asked: false })
    expect(rig.core.of('roster').map(({ contacts }) => contacts)).toMatchObject([[{ listed: false, hasUs: true }]])
    expect(rig.core.of('contact')).toMatchObject([{ change: 'added-us', name: 'Bob' }])
  })

  it('are offline again when another server does not show them', async () => {
    const rig = await Rig.online()
    rig.line.event({ kind: 'roster', contacts: [{ ...contact, lists: 3, presence: present('NLN') }] })
    rig.line.event({ kind: 'roster', contacts: [{ ...contact, lists: 3, presence: present('NLN') }] })
    rig.line.event({ kind: 'roster', contacts: [{ ...contact, lists: 3 }] })
    expect(rig.core.of('presence').map(({ state }) => state.show)).toEqual(['online', 'offline'])
    expect(rig.core.of('profile')).toEqual([])
  })

  it.each([
    ['FL', 'added', 'added'],
    ['FL', 'removed', 'removed'],
    ['RL', 'added', 'added-us'],
    ['RL', 'removed', 'removed-us'],
    ['BL', 'added', 'blocked'],
    ['BL', 'removed', 'unblocked'],
  ] as const)('%s %s is %s', async (list, change, expected) => {
    const rig = await Rig.online()
    rig.line.event({ kind: 'list', list, change, email: 'Bob@Example.com', name: 'Bob', asked: false })
    rig.line.event({ kind: 'list', list: 'AL', change, email: 'Bob@Example.com', name: 'Bob', asked: false })
    expect(rig.core.of('contact')).toEqual([
      { kind: 'contact', account: account.id, user: user(bob), name: 'Bob', change: expected },
    ])
  })

  const never = new AbortController().signal
  it.each([
    [{ kind: 'add', user: bob as UserId }, 'add Bob@Example.com'],
    [{ kind: 'remove', user: bob as UserId }, 'remove Bob@Example.com'],
    [{ kind: 'block', user: bob as UserId }, 'block Bob@Example.com'],
    [{ kind: 'unblock', user: 'new@example.com' as UserId }, 'unblock new@example.com'],
    [{ kind: 'rename', name: 'The Relay' }, 'rename The Relay'],
  ] as [RosterRequest, string][])('%j asks for "%s"', async (request, asked) => {
    const rig = await Rig.online()
    rig.line.contact('Bob@Example.com')
    expect(await rig.session.roster(request, never)).toEqual({ kind: 'done' })
    expect(rig.line.asked).toEqual([asked])
  })

  it('of somebody who is not on the list is refused without asking', async () => {
    const rig = await Rig.online()
    const result = await rig.session.roster({ kind: 'remove', user: 'new@example.com' as UserId }, never)
    expect(result).toEqual({ kind: 'refused', reason: 'not-found', detail: 'new@example.com is not on the list' })
    expect(rig.line.asked).toEqual([])
  })

  it.each([
    [205, 'not-found', /bob@example.com has no account there/],
    [208, 'not-found', /has no account there/],
    [210, 'forbidden', /list is full/],
    [800, 'rate-limited', /try again in a minute/],
    [500, 'protocol', /internal error/],
  ])('error %i is said in words', async (code, reason, detail) => {
    const rig = await Rig.online()
    rig.line.replies.push({ ok: false, failure: refusedWith(code) })
    const result = await rig.session.roster({ kind: 'add', user: bob as UserId }, never)
    expect(result).toEqual({ kind: 'refused', reason, detail: expect.stringMatching(detail) })
  })

  it.each([
    [{ kind: 'closed' }, 'network'],
    [{ kind: 'timeout', waitingFor: 'ADD' }, 'network'],
    [{ kind: 'invalid', detail: 'no address' }, 'not-found'],
  ] as [Extract<CommandResult, { ok: false }>['failure'], string][])('so is %j', async (failure, reason) => {
    const rig = await Rig.online()
    rig.line.replies.push({ ok: false, failure })
    expect(await rig.session.roster({ kind: 'rename', name: 'x' }, never)).toMatchObject({ kind: 'refused', reason })
  })

  it('are not waited for past the deadline, nor asked for while offline', async () => {
    const rig = await Rig.online()
    rig.line.add = () => new Promise(() => undefined)
    const deadline = new AbortController()
    const result = rig.session.roster({ kind: 'add', user: bob as UserId }, deadline.signal)
    deadline.abort()
    expect(await result).toMatchObject({ kind: 'refused', reason: 'network' })
    await rig.session.close()
    expect(await rig.session.roster({ kind: 'add', user: bob as UserId }, never)).toMatchObject({ reason: 'network' })
  })
})

describe('our own face', () => {
  const presence = (show: 'away' | 'offline' | 'hidden'): Outbound => ({ kind: 'presence', as: self, state: { show } })

  it('is changed, and the same after the next sign-in', async () => {
    const rig = await Rig.online()
    for (let twice = 0; twice < 2; twice++) {
      expect(await rig.deliver(presence('away'), undefined)).toEqual({ kind: 'delivered', ids: [] })
    }
    expect(rig.line.asked).toEqual(['status AWY'])
    rig.line.event({ kind: 'closed', reason: { kind: 'lost', detail: 'x' } })
    await rig.connect()
    expect(rig.line.options.status).toBe('AWY')
  })

  it('has words beside it when there are some, and none when they are taken back', async () => {
    const rig = await Rig.online()
    const state = (more: object): Outbound => ({ kind: 'presence', as: self, state: { show: 'away', ...more } })
    await rig.deliver(state({}), undefined)
    await rig.deliver(state({ text: 'at lunch' }), undefined)
    await rig.deliver(state({ text: 'at lunch' }), undefined)
    await rig.deliver(state({ text: 'at lunch', playing: { title: 'Song', artist: 'Artist' } }), undefined)
    await rig.deliver(state({}), undefined)
    expect(rig.line.asked).toEqual(['status AWY', 'say at lunch', 'say at lunch | Song | Artist', 'say '])
    await rig.deliver(state({ text: 'back soon' }), undefined)
    rig.line.event({ kind: 'closed', reason: { kind: 'lost', detail: 'x' } })
    await rig.connect()
    expect(rig.line.options.personalMessage).toEqual({ text: 'back soon', media: undefined })
  })

  it('says nothing beside it that nobody asked for: the service may remember words of its own', async () => {
    const rig = await Rig.online()
    await rig.deliver(presence('away'), undefined)
    expect(rig.line.options.personalMessage).toBeUndefined()
    expect(rig.line.asked).toEqual(['status AWY'])
  })

  it('is what was asked for before the first sign-in', async () => {
    const rig = new Rig()
    expect(await rig.deliver(presence('away'), undefined)).toMatchObject({ kind: 'retry', wait: 'session-online' })
    await rig.connect()
    expect(rig.line.options.status).toBe('AWY')
    expect(rig.line.asked).toEqual([])
  })

  it('stays reachable when there is nobody to read, and hides only when asked', async () => {
    const rig = await Rig.online()
    await rig.deliver(presence('offline'), undefined)
    await rig.deliver(presence('hidden'), undefined)
    expect(rig.line.asked).toEqual(['status AWY', 'status HDN'])
  })

  it('takes a new name, not its own, nor the state of ghosts', async () => {
    const rig = await Rig.online()
    const ghost = { kind: 'ghost', origin: user('eve'), name: 'eve' } as const
    const person = {
      kind: 'person',
      person: 'alice' as PersonId,
      name: 'Alice',
      origin: { network: 'x' as never, user: 'x' as never },
    } as const
    await rig.deliver({ kind: 'profile', as: self, name: 'Relay' }, undefined)
    await rig.deliver({ kind: 'profile', as: ghost, name: 'eve' }, undefined)
    await rig.deliver({ kind: 'presence', as: ghost, state: { show: 'busy' } }, undefined)
    expect(rig.line.asked).toEqual([])
    await rig.deliver({ kind: 'profile', as: person, name: 'Alice' }, undefined)
    expect(rig.line.asked).toEqual(['rename Alice'])
  })

  it.each([
    [refusedWith(800), 'retry'],
    [refusedWith(209), 'refused'],
    [{ kind: 'closed' }, 'retry'],
    [{ kind: 'timeout', waitingFor: 'CHG' }, 'retry'],
    [{ kind: 'invalid', detail: 'x' }, 'refused'],
  ] as const)('may not be changed: %j', async (failure, kind) => {
    const rig = await Rig.online()
    rig.line.replies.push({ ok: false, failure })
    expect((await rig.deliver(presence('away'), undefined)).kind).toBe(kind)
  })
})

describe('nudges', () => {
  const nudge: Outbound = { kind: 'message', as: self, body: { kind: 'nudge' }, at: 0 }
  it.each([
    ['7.0', 0x40000000, 'ID: 1\r\n\r\n'],
    ['6.2', 0x30000000, '* Relay nudges you'],
  ])('for a client of version %s', async (_version, clientId, body) => {
    const rig = await Rig.online()
    rig.line.contact(bob, { presence: present('NLN', clientId) })
    const board = rig.line.ring(bob)
    await rig.deliver(nudge, chatOf(bob))
    expect(board.texts()).toEqual([body])
  })

  it('for one that we know nothing of', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    await rig.deliver(nudge, chatOf(bob))
    expect(board.texts()).toEqual(['* Relay nudges you'])
  })
})

describe('a store that takes nothing', () => {
  it('is offered again what was said, in order, and nothing of it twice', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    rig.core.trouble = new Error('the disk is full')
    board.say(bob, '1')
    await rig.settle()
    board.say(bob, '2')
    await rig.core.clock.advance(OFFER_AGAIN_MS)
    expect(rig.core.of('message')).toEqual([])
    rig.core.trouble = undefined
    board.say(bob, '3')
    await rig.core.clock.advance(OFFER_AGAIN_MS)
    board.say(bob, '4')
    await rig.settle()
    expect(rig.core.of('message').map(({ body }) => 'text' in body && body.text[0]?.text)).toEqual(['1', '2', '3', '4'])
    expect(rig.core.clock.sleeping).toBe(0)
  })

  it('costs the oldest when it lasts too long', async () => {
    const rig = await Rig.online()
    const board = rig.line.ring(bob)
    rig.core.trouble = new Error('the disk is full')
    for (let at = 0; at < MAX_HELD + 2; at++) board.say(bob, String(at))
    await rig.settle()
    rig.core.trouble = undefined
    await rig.core.clock.advance(OFFER_AGAIN_MS)
    for (let turn = 0; turn < 5; turn++) await rig.settle()
    const told = rig.core.of('message')
    expect(told.length).toBe(MAX_HELD)
    expect(told[0]?.id).toBe('n1:3')
  })

  it('does not keep the adapter from stopping', async () => {
    const rig = await Rig.online()
    rig.core.trouble = new Error('the disk is full')
    rig.line.ring(bob).say(bob, '1')
    await rig.settle()
    await rig.session.stop()
    expect(rig.core.clock.sleeping).toBe(0)
  })
})

describe('what MSN cannot do', () => {
  it('is refused, as are chats that are none', async () => {
    const rig = await Rig.online()
    expect(await rig.deliver({ kind: 'topic', as: self, topic: 'x' }, chatOf(bob))).toMatchObject({
      reason: 'unsupported',
    })
    expect(await rig.say('hi', chatOf('nobody'))).toMatchObject({ kind: 'refused', reason: 'not-found' })
    expect(await rig.deliver(words('hi'), undefined)).toMatchObject({ kind: 'refused', reason: 'not-found' })
  })
})

describe('the adapter', () => {
  const config = msnConfig.parse({
    id: 'retro',
    type: 'msn',
    server: 'msn.example:1863',
    passport: { nexus: 'https://nexus.example/rdr/pprdr.asp' },
    timing: { ack_timeout_ms: 7 },
  })
  const make = (more: object = {}) => {
    const lines: FakeLine[] = []
    const adapter = new MsnAdapter(
      { network, config: { ...config, ...more }, dataFolder: '/nowhere', secret: () => '' },
      (options) => {
        const line = new FakeLine(options)
        lines.push(line)
        return line
      },
    )
    return { adapter, lines }
  }

  it('signs in as the config says', async () => {
    const { adapter, lines } = make()
    const core = new FakeCore()
    await adapter.start(core.context)
    await adapter.session(account).connect(new AbortController().signal)
    expect(lines[0]?.options).toMatchObject({
      server: { host: 'msn.example', port: 1863 },
      passport: { nexus: 'https://nexus.example/rdr/pprdr.asp' },
      dialects: ['MSNP12', 'MSNP11', 'MSNP10', 'MSNP9', 'MSNP8'],
      insecure: false,
      timings: { ackMs: 7, joinMs: 30_000 },
    })
    expect(adapter.session(account)).toBe(adapter.session({ ...account }))
    expect(adapter.describe()).toEqual(['MSN network at msn.example:1863, 1 of 1 accounts signed in'])
    await adapter.stop()
    await adapter.stop()
    expect(lines[0]?.signedOut).toBe(true)
    expect(core.states.at(-1)).toEqual({ kind: 'offline' })
  })

  it('knows addresses and groups', () => {
    const { adapter } = make()
    expect(adapter.role).toBe('joins')
    expect(adapter.ownAccounts()).toEqual([])
    expect(adapter.parseUser('Bob@Example.com')).toBe(bob)
    expect(adapter.parseChat('Bob@Example.com')).toBe(bob)
    expect(adapter.parseChat('group:1')).toBe('group:1')
    expect(adapter.parseChat('#friends')).toEqual({ wrong: expect.stringContaining('write it like bob@example.com') })
  })

  it('says which file it cannot read', async () => {
    const { adapter } = make({ ca: '/nowhere/ca.pem' })
    await expect(adapter.start(new FakeCore().context)).rejects.toThrow('/nowhere/ca.pem cannot be read')
  })
})
