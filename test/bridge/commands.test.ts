import { describe, expect, test } from 'vitest'
import type { Account, Adapter, CommandRequest, RosterRequest } from '../../bridge/adapter.ts'
import { Commands } from '../../bridge/commands.ts'
import type { CommandDeps } from '../../bridge/commands/deps.ts'
import type { Inbound } from '../../bridge/model/events.ts'
import type { AccountId, ChatId, ChatRef, NetworkId, PersonId, PortalId, UserId } from '../../bridge/model/ids.ts'
import type { Availability } from '../../bridge/model/presence.ts'
import type { RosterResult, SessionState } from '../../bridge/model/result.ts'
import { textOf } from '../../bridge/model/text.ts'
import type { Found, LinkEnd } from '../../bridge/portals.ts'
import type { Contact } from '../../bridge/roster.ts'
import type { Leg, LegId, Portal, PortalOrigin } from '../../bridge/store/port.ts'
import { VirtualClock } from '../kit/clock.ts'
import { recordingLog } from '../kit/observers.ts'

const RETRO = 'retro' as NetworkId
const LIBERA = 'libera' as NetworkId
const bot: Account = {
  id: 'libera' as AccountId,
  network: LIBERA,
  person: 'bridge' as PersonId,
  login: 'msnbridge',
  secret: '',
}
const OFTC = 'oftc' as NetworkId
const otherBot: Account = { ...bot, id: 'oftc' as AccountId, network: OFTC }
const accountOf = (id: string, person: string): Account => ({
  id: id as AccountId,
  network: RETRO,
  person: person as PersonId,
  login: `${id}@home.example`,
  secret: 'swordfish',
})
const relay = accountOf('relay', 'alice')
const second = accountOf('second', 'bob')

const channel = (name: string): ChatRef => ({ network: LIBERA, chat: name as ChatId })
const user = (address: string): UserId => address as UserId

const portal = (id: string, name: string, request: Leg['request'], origin: PortalOrigin = 'command'): Portal => {
  const base = { portal: id as PortalId, flow: 'both' as const }
  return {
    id: id as PortalId,
    kind: request.kind === 'lobby' ? 'lobby' : 'direct',
    origin,
    legs: [
      { ...base, id: `${id}-msn` as LegId, network: RETRO, via: relay.id, request },
      {
        ...base,
        id: `${id}-irc` as LegId,
        network: LIBERA,
        via: bot.id,
        request: { kind: 'channel', name: name as ChatId },
        chat: channel(name),
      },
    ],
  }
}

const contact = (address: string, name: string, show: Availability, text?: string): Contact => ({
  account: relay.id,
  user: user(address),
  name,
  listed: true,
  blocked: false,
  hasUs: true,
  ...(show === 'offline' ? {} : { presence: text === undefined ? { show } : { show, text } }),
})

const rig = (options: { readonly accounts?: readonly Account[]; readonly portals?: readonly Portal[] } = {}) => {
  const clock = new VirtualClock()
  const accounts = options.accounts ?? [relay, bot]
  const portals = options.portals ?? [portal('lobby', '#msn', { kind: 'lobby' })]
  const states = new Map<AccountId, SessionState>(accounts.map(({ id }) => [id, { kind: 'online', since: 0 }]))
  const asked: string[] = []
  const emitted: Inbound[] = []
  const linked: (readonly LinkEnd[])[] = []
  const answers: RosterResult[] = []
  let contacts: readonly Contact[] = []
  const find = (chat: ChatRef): Found | undefined => {
    for (const each of portals) {
      const leg = each.legs.find((one) => one.chat?.chat === chat.chat)
      if (leg !== undefined) return { portal: each, leg }
    }
    return undefined
  }
  const deps: CommandDeps = {
    clock,
    log: recordingLog(),
    adapters: new Map<NetworkId, Pick<Adapter, 'parseUser' | 'parseChat' | 'ownAccounts' | 'homes'>>([
      [
        RETRO,
        {
          parseUser: (name: string) =>
            name.includes('@') ? user(name.toLowerCase()) : { wrong: `${name} is no address` },
          parseChat: () => ({ wrong: 'no channels here' }),
          ownAccounts: () => [],
        },
      ],
      ...[LIBERA, OFTC].map(
        (network) =>
          [
            network,
            {
              parseUser: user,
              parseChat: () => ({ wrong: 'not asked here' }),
              ownAccounts: () => [bot, otherBot].filter((one) => one.network === network),
            },
          ] as const,
      ),
    ]),
    version: '1.2.3',
    accounts: {
      all: () => accounts,
      originOf: (id) => (id === bot.id || id === otherBot.id ? 'own' : 'config'),
      isWanted: () => true,
    },
    logins: {
      networks: () => [RETRO],
      signIn: () => Promise.reject(new Error('nobody signs in here')),
      signOut: () => Promise.reject(new Error('nobody signs out here')),
      disconnect: async () => true,
      reconnect: async ({ id }) => states.get(id)?.kind === 'stopped',
    },
    friends: { answered: async () => undefined },
    waitingOf: () => 0,
    chats: {
      startChat: async () => ({ kind: 'refused', detail: 'nobody lives here' }),
      retitle: async () => undefined,
      deletePortal: async () => true,
    },
    pictures: { choose: async () => undefined, sourceOf: () => ({ kind: 'none' }) },
    pin: async () => undefined,
    sessionOf: (account) => ({
      members: () => undefined,
      roster: async (request: RosterRequest, signal: AbortSignal) => {
        const { kind, ...what } = request
        asked.push([account, kind, ...Object.values(what)].join(' '))
        if (answers.length > 0) return answers.shift() ?? { kind: 'done' }
        await clock.sleep(1, signal)
        return { kind: 'done' }
      },
    }),
    heldBy: ({ user: who }) => (who === user('bob@home.example') ? second.id : undefined),
    stateOf: (account) => states.get(account),
    portals: {
      all: () => portals,
      legsVia: () => [],
      find,
      findEnd: (end) => (end.kind === 'lobby' ? find(channel('#msn')) : undefined),
    },
    link: async (ends) => {
      linked.push(ends)
      return { kind: 'linked', portal: portal('new', '#new', { kind: 'lobby' }) }
    },
    unlink: async () => ({ kind: 'linked', portal: portal('gone', '#gone', { kind: 'lobby' }) }),
    roster: {
      who: () => contacts,
      contacts: () => contacts,
      contact: () => undefined,
      own: () => undefined,
      setNickname: async () => undefined,
    },
    identity: {
      personOf: ({ user: who }) => (who === user('alice') ? ('alice' as PersonId) : undefined),
      person: () => undefined,
      people: () => [],
      identities: () => [],
      become: async () => 'alice' as PersonId,
      userOf: (account) => ({ network: RETRO, user: user(`${account}@home.example`) }),
    },
    accept: async (event) => emitted.push(event),
    linksChanged: () => undefined,
    mint: () => 'one',
  }
  const commands = new Commands(deps)
  const say = async (line: string, more: Partial<CommandRequest> = {}): Promise<readonly string[]> => {
    const answer = commands.run({
      from: { network: LIBERA, user: user('carol') },
      fromName: 'carol',
      via: bot.id,
      chat: channel('#msn'),
      role: 'admin',
      line,
      ...more,
    })
    await clock.advance(10)
    return (await answer).lines.map(textOf)
  }
  const setContacts = (all: readonly Contact[]): void => {
    contacts = all
  }
  return { clock, say, asked, emitted, linked, answers, states, setContacts }
}

describe('who may', () => {
  test('a stranger is told that they may not, and gets no list of commands', async () => {
    const { say } = rig()
    const no = ['You may not command this bridge. Who may is said in its config, under permissions.']
    expect(await say('who', { role: 'none' })).toEqual(no)
    expect(await say('help', { role: 'none' })).toEqual(no)
  })

  test('help lists what the asker may use', async () => {
    const { say } = rig()
    const userCommands =
      'login, logout, disconnect, reconnect, list-logins, ping, who, contacts, search, info, add, remove, block, unblock, requests, accept, decline, rename, list-groups, add-group, rename-group, delete-group, move, start-chat, create-group, groups, invite, leave, nudge, delete-portal'
    expect(await say('help', { role: 'user' })).toEqual([
      `Commands: ${userCommands}, set-name, set-message, set-privacy, profile, set-status, set-picture, remove-picture, status, version. More about one: help login`,
    ])
    expect(await say('', { role: 'admin' })).toEqual([
      `Commands: ${userCommands}, link, unlink, set-name, set-message, set-privacy, profile, set-status, set-picture, remove-picture, status, version, list-users, sudo, delete-all-portals. More about one: help login`,
    ])
    expect(await say('help add')).toEqual(['add ADDRESS [ACCOUNT]: put somebody on the contact list'])
  })

  test('where a command begins with a word, the answers show it', async () => {
    const { say } = rig()
    const there = { trigger: '!msn ', role: 'user' } as const
    expect(await say('add', there)).toEqual(['Write: !msn add ADDRESS [ACCOUNT]'])
    expect(await say('dancing', there)).toEqual(['There is no command dancing; see !msn help'])
    expect(await say('help leave', there)).toEqual(['!msn leave [ACCOUNT]: leave this conversation on the other side'])
    expect((await say('help', there))[0]).toMatch(/More about one: !msn help login$/)
  })

  test('somebody with a Messenger has the account of the same address, and no other', async () => {
    const { say } = rig({ accounts: [relay, second, bot] })
    const from = { network: 'home' as NetworkId, user: user('bob@home.example') }
    const there = { from, role: 'user', chat: undefined } as unknown as Partial<CommandRequest>
    expect(await say('list-logins', there)).toEqual([expect.stringMatching(/^second: /)])
    expect(await say('add dave@home.example', there)).toEqual([expect.stringContaining('dave@home.example')])
    expect(await say('add dave@home.example relay', there)).toEqual(['You may not use the account relay for that.'])
    const other = { ...there, from: { ...from, user: user('dave@home.example') } }
    expect(await say('ping', other)).toEqual(['The bridge is here. You have no account.'])
  })

  test('a user may not use what is for admins', async () => {
    const { say, linked } = rig()
    expect(await say('link bob@home.example', { role: 'user' })).toEqual(['Only admins of this bridge may use link.'])
    expect(linked).toEqual([])
  })

  test("a user may not touch the contact list of somebody else's account", async () => {
    const { say, asked } = rig()
    expect(await say('add bob@home.example', { role: 'user' })).toEqual([
      'There is no account that you may use for that.',
    ])
    expect(await say('add bob@home.example relay', { role: 'user' })).toEqual([
      'You may not use the account relay for that.',
    ])
    expect(asked).toEqual([])
  })

  test('a user may use their own account', async () => {
    const { say, asked } = rig()
    const from = { network: LIBERA, user: user('alice') }
    expect(await say('add Bob@home.example', { role: 'user', from })).toEqual([
      'bob@home.example was added to the contacts of relay.',
    ])
    expect(asked).toEqual(['relay add bob@home.example'])
  })
})

describe('what is not understood', () => {
  test.each([
    ['blok bob@home.example', 'There is no command blok; did you mean block?'],
    ['dancing', 'There is no command dancing; see help'],
    ['add', 'Write: add ADDRESS [ACCOUNT]'],
    ['add one two three', 'Write: add ADDRESS [ACCOUNT]'],
    ['add bob', 'bob is no address'],
    ['add bob@home.example rely', 'There is no account rely.'],
    ['help wo', 'There is no command wo; see help'],
    [`x${'y'.repeat(2_000)}`, 'That is too long for a command.'],
  ])('%.30s', async (line, answer) => {
    expect(await rig().say(line)).toEqual([answer])
  })
})

describe('which account', () => {
  const both = { accounts: [relay, second, bot] }

  test('never the bot of another network: it has no contacts', async () => {
    const { say, asked } = rig({ accounts: [relay, bot, otherBot], portals: [] })
    expect(await say('add bob@home.example')).toEqual(['bob@home.example was added to the contacts of relay.'])
    expect(asked).toEqual(['relay add bob@home.example'])
    expect(await say('status')).toEqual(['relay (retro): connected', 'libera: connected', 'oftc: connected'])
  })

  test('the one that is linked with the chat', async () => {
    const { say, asked } = rig(both)
    await say('block bob@home.example')
    expect(asked).toEqual(['relay block bob@home.example'])
  })

  test('is asked when more than one fits', async () => {
    const { say, asked } = rig(both)
    expect(await say('block bob@home.example', { chat: channel('#elsewhere') })).toEqual([
      'Which account? Write one of these at the end: relay, second',
    ])
    expect(asked).toEqual([])
  })

  test('is the named one', async () => {
    const { say, asked } = rig(both)
    expect(await say('unblock bob@home.example second')).toEqual(['bob@home.example was unblocked for second.'])
    expect(asked).toEqual(['second unblock bob@home.example'])
  })
})

describe('roster', () => {
  test('a refusal is told in the words of the network', async () => {
    const { say, answers } = rig()
    answers.push({ kind: 'refused', reason: 'not-found', detail: 'the network knows nobody of that address' })
    expect(await say('add nobody@home.example')).toEqual([
      'add nobody@home.example failed: the network knows nobody of that address',
    ])
  })

  test('nothing is asked of an account that is not connected', async () => {
    const { say, asked, states } = rig()
    states.set(relay.id, { kind: 'offline' })
    expect(await say('remove bob@home.example')).toEqual(['remove bob@home.example failed: relay is not connected now'])
    expect(asked).toEqual([])
  })
})

describe('who', () => {
  test('groups people by how available they are', async () => {
    const { say, setContacts } = rig()
    setContacts([
      contact('bob@home.example', 'Bob', 'online', 'at work'),
      contact('dave@home.example', 'dave@home.example', 'online'),
      contact('carol@home.example', 'Carol', 'away'),
      contact('erin@home.example', '', 'offline'),
    ])
    expect(await say('who')).toEqual([
      'Online: Bob <bob@home.example> "at work", dave@home.example',
      'Away: Carol <carol@home.example>',
      'Offline: erin@home.example',
    ])
    expect(await say('who CAR')).toEqual(['Away: Carol <carol@home.example>'])
    expect(await say('who zoe')).toEqual(['relay has no contact zoe.'])
  })

  test('names the people of a contact link only', async () => {
    const { say, setContacts } = rig({
      portals: [portal('one', '#msn', { kind: 'direct', with: user('bob@home.example') })],
    })
    setContacts([contact('bob@home.example', 'Bob', 'busy'), contact('carol@home.example', 'Carol', 'online')])
    expect(await say('who', { role: 'user' })).toEqual(['Busy: Bob <bob@home.example>'])
  })

  test('counts what would be a flood', async () => {
    const { say, setContacts } = rig()
    setContacts(Array.from({ length: 150 }, (_, index) => contact(`c${index}@home.example`, '', 'online')))
    const [line, ...more] = await say('who')
    expect(more).toEqual([])
    expect(line).toMatch(/ and 110 more$/)
  })
})

describe('conversations', () => {
  const inGroup = {
    portals: [portal('g', '#msn', { kind: 'group', members: [user('bob@home.example'), user('carol@home.example')] })],
  }

  test('invite goes through the hub as a change of members', async () => {
    const { say, emitted, clock } = rig(inGroup)
    expect(await say('invite dave@home.example')).toEqual(['Inviting dave@home.example.'])
    expect(emitted).toEqual([
      {
        kind: 'member',
        chat: channel('#msn'),
        sender: { network: LIBERA, user: 'carol' },
        senderName: 'carol',
        id: 'command-one',
        at: clock.now() - 10,
        user: { network: RETRO, user: 'dave@home.example' },
        change: 'invite',
      },
    ])
  })

  test('leave is our own account leaving', async () => {
    const { say, emitted } = rig(inGroup)
    await say('leave')
    expect(emitted).toMatchObject([{ change: 'leave', user: { user: 'relay@home.example' } }])
  })

  test('a lobby is no conversation', async () => {
    const { say, emitted } = rig()
    expect(await say('invite dave@home.example')).toEqual(['A lobby has no conversation to invite to.'])
    expect(emitted).toEqual([])
  })

  test('a chat without a link has nobody to invite', async () => {
    const { say } = rig(inGroup)
    expect(await say('invite dave@home.example', { chat: channel('#elsewhere') })).toEqual([
      'Say it in a chat that is linked with that account.',
    ])
  })
})

describe('links', () => {
  const here = { kind: 'channel', network: LIBERA, account: bot.id, chat: '#new' }

  test.each([
    ['bob@home.example', { kind: 'contact', user: 'bob@home.example' }],
    ['bob@home.example,carol@home.example', { kind: 'group', members: ['bob@home.example', 'carol@home.example'] }],
    ['lobby', { kind: 'lobby' }],
  ])('link %s', async (target, end) => {
    const { say, linked } = rig()
    const [answer] = await say(`link ${target}`, { chat: channel('#new') })
    expect(answer).toContain('This channel is linked with')
    expect(linked).toEqual([[{ ...end, network: RETRO, account: relay.id }, here]])
  })

  test('link works in a channel only', async () => {
    const { say, linked } = rig()
    const query: ChatRef = { ...channel('carol'), account: bot.id }
    expect(await say('link lobby', { chat: query })).toEqual([
      'Say it in the channel that is to be linked; if I am not in it, invite me.',
    ])
    expect(linked).toEqual([])
  })

  test('unlink takes the channel out', async () => {
    expect(await rig().say('unlink')).toEqual(['This channel is not linked any more.'])
    expect(await rig().say('unlink', { chat: channel('#elsewhere') })).toEqual(['This chat is not linked.'])
  })

  test('a link of the config file stays', async () => {
    const { say } = rig({ portals: [portal('c', '#msn', { kind: 'lobby' }, 'config')] })
    expect(await say('unlink')).toEqual(['That link is in the config file: take it out there.'])
  })
})

describe('status', () => {
  const stopped: SessionState = { kind: 'stopped', fault: { code: 'banned', detail: 'K-lined at irc.example' } }

  test('tells admins why and users only that', async () => {
    const { say, states } = rig()
    states.set(relay.id, stopped)
    expect(await say('status')).toEqual([
      'relay (retro): stopped until somebody reconnects it: K-lined at irc.example, linked here',
      'libera: connected',
    ])
    expect(await say('status', { role: 'user' })).toEqual([
      'relay (retro): stopped until somebody reconnects it, linked here',
    ])
  })

  test('reconnect wakes what has stopped', async () => {
    const { say, states } = rig()
    expect(await say('reconnect')).toEqual(['Nothing to do: no account waits.'])
    states.set(relay.id, stopped)
    expect(await say('reconnect')).toEqual(['Reconnecting relay.'])
    expect(await say('reconnect relay')).toEqual(['Reconnecting relay.'])
    expect(await say('reconnect nobody')).toEqual(['There is no account or network nobody.'])
  })
})

test('a failure inside is told without its details', async () => {
  const { say } = rig({ portals: [portal('g', '#msn', { kind: 'direct', with: user('bob@home.example') })] })
  const broken = rig()
  expect(await say('who')).toEqual(['relay has no contacts here.'])
  broken.setContacts(undefined as unknown as readonly Contact[])
  expect(await broken.say('who')).toEqual(['That failed inside the bridge; its log says why.'])
})
