/** What people with accounts of their own say to the bridge, from where they live. */
import { describe, expect, test } from 'vitest'
import type { Account, ChatRequest, RosterRequest } from '../../bridge/adapter.ts'
import type { AccountId, ChatId, PersonId, UserId } from '../../bridge/model/ids.ts'
import type { RosterResult } from '../../bridge/model/result.ts'
import { textOf } from '../../bridge/model/text.ts'
import { type House, LIBERA, MATRIX, RETRO, startsHouses } from '../kit/house.ts'

const startHouse = startsHouses()
const ID = 'retro:alice@x' as AccountId

const signedIn = async (...more: readonly string[]) => {
  const house = await startHouse()
  for (const address of ['alice@x', ...more]) await house.login(address)
  const asked: (RosterRequest & { readonly by: AccountId })[] = []
  house.retro.askedRoster = async (request, by): Promise<RosterResult> => {
    asked.push({ ...request, by })
    return { kind: 'done' }
  }
  return { house, asked }
}

const see = (house: House, user: string, show: 'online' | 'away', text?: string): Promise<void> =>
  house.emit({
    kind: 'presence',
    account: ID,
    user: house.user(user, RETRO),
    state: text === undefined ? { show } : { show, text },
  })

/** The room of the portal with a contact. */
const roomOf = (house: House, user: string) => {
  const legs = house.parts.hub.portals.directWith(ID, user as UserId)?.portal.legs ?? []
  const chat = legs.find(({ network }) => network === MATRIX)?.chat
  if (chat === undefined) throw new Error(`no room with ${user}`)
  return chat
}

test('help is in groups where people live', async () => {
  const { house } = await signedIn()
  expect(await house.ask('help', { trigger: '!msn ' })).toEqual([
    'Accounts: login, logout, disconnect, reconnect, list-logins, ping',
    'People: who, contacts, search, info, add, remove, block, unblock, requests, accept, decline, rename, list-groups, add-group, rename-group, delete-group, move',
    'Chats: start-chat, create-group, groups, invite, leave, nudge, delete-portal',
    'You: set-name, set-message, set-privacy, profile, set-status, set-picture, remove-picture',
    'The bridge: status, version',
    'More about one: !msn help login',
  ])
  expect(await house.ask('help pm', { trigger: '!msn ' })).toEqual([
    '!msn start-chat ADDRESS [ACCOUNT]: open the chat with somebody (also: pm)',
  ])
  expect(await house.ask('version')).toEqual(['msn-bridge 1.2.3'])
})

describe('contacts', () => {
  test('come by presence, with the names that they and you give them', async () => {
    const { house } = await signedIn()
    await house.roster(
      ID,
      { address: 'bob@x', name: 'Bob' },
      { address: 'carol@x', name: 'Carol' },
      { address: 'dan@x' },
    )
    await see(house, 'bob@x', 'online', 'at work')
    await house.ask('rename dan@x Daniel the Great')
    expect(await house.ask('contacts')).toEqual([
      'Online (1):',
      '  Bob <bob@x> "at work"',
      'Offline (2):',
      '  Carol <carol@x>',
      '  Daniel the Great <dan@x>',
    ])
    expect(await house.ask('contacts CAR')).toEqual(['Offline (1):', '  Carol <carol@x>'])
    expect(await house.ask('contacts nobody')).toEqual([`${ID} has no such contacts.`])
    expect(await house.ask('search great daniel')).toEqual([`Daniel the Great <dan@x> (${ID})`])
    expect(await house.ask('search zoe')).toEqual([
      'Nobody of your contacts is called so. To write to an address: start-chat ADDRESS',
    ])
  })

  test('are told with all that is known of one', async () => {
    const { house } = await signedIn()
    const entry = { name: 'Bob', listed: true, blocked: true, hasUs: true, user: house.user('bob@x', RETRO) }
    const phones = [
      { kind: 'home', number: '1 555' },
      { kind: 'mobile', number: '1 777' },
    ] as const
    await house.emit({ kind: 'roster', account: ID, contacts: [{ ...entry, groups: ['Friends'], phones }] })
    await see(house, 'bob@x', 'away', 'at work')
    await house.ask('rename bob@x Bobby')
    const all = [
      `bob@x, on the list of ${ID}, and has you on theirs`,
      'Name: Bob',
      'You call them: Bobby',
      'Status: Away (at work)',
      'Groups: Friends',
      'Phone (home): 1 555',
      'Phone (mobile): 1 777',
      'They are blocked. To undo that: unblock bob@x',
    ]
    expect(await house.ask('info bob@x')).toEqual(all)
    expect(await house.ask('info nobody@x')).toEqual([`Nothing is known of nobody@x (${ID}).`])
    // A list without them: they are forgotten.
    await house.emit({ kind: 'roster', account: ID, contacts: [entry] })
    expect(await house.ask('info bob@x')).toEqual(all.filter((line) => !/^(Groups|Phone)/.test(line)))
  })

  test('three hundred of them are listed up to a limit, and open no chat', async () => {
    const { house } = await signedIn()
    await house.roster(ID, ...Array.from({ length: 300 }, (_, index) => ({ address: `c${index}@x` })))
    const lines = await house.ask('contacts')
    expect(lines).toHaveLength(102)
    expect(lines.at(-1)).toBe('and 200 more: write a part of a name, as in contacts bob')
    expect(house.parts.hub.portals.all()).toEqual([])
    expect(house.matrix.delivered).toEqual([])
  })

  test('of several accounts are told apart', async () => {
    const { house } = await signedIn('second@x')
    await house.roster(ID, { address: 'bob@x' })
    await house.roster('retro:second@x', { address: 'carol@x' })
    expect(await house.ask('contacts')).toEqual([
      `${ID}, 1 contact`,
      'Offline (1):',
      '  bob@x',
      'retro:second@x, 1 contact',
      'Offline (1):',
      '  carol@x',
    ])
    expect(await house.ask('contacts second@x')).toEqual(['Offline (1):', '  carol@x'])
  })
})

describe('the contact list', () => {
  test('an account is chosen by its address, but not when that is who is meant', async () => {
    const { house, asked } = await signedIn('second@x')
    expect(await house.ask('add bob@x')).toEqual([
      `Which account? Write one of these at the end: ${ID}, retro:second@x`,
    ])
    await house.ask('add bob@x second@x')
    await house.ask(`add second@x ${ID}`)
    expect(await house.ask('add second@x')).toEqual([expect.stringMatching(/^Which account\?/)])
    expect(asked).toEqual([
      { kind: 'add', user: 'bob@x', by: 'retro:second@x' },
      { kind: 'add', user: 'second@x', by: ID },
    ])
  })

  test('somebody is removed after a yes', async () => {
    const { house, asked } = await signedIn()
    expect(await house.ask('remove bob@x', { trigger: '!msn ' })).toEqual([
      `Take bob@x off the contact list of ${ID}? Say "!msn yes" within a minute, or "!msn cancel".`,
    ])
    expect(asked).toEqual([])
    expect(await house.ask('yes')).toEqual([`bob@x was removed from the contacts of ${ID}.`])
    expect(await house.ask('yes')).toEqual(['There is nothing to confirm.'])
    expect(asked).toHaveLength(1)
  })

  test('an admin is not asked about accounts of others where they have one', async () => {
    const { house, asked } = await signedIn()
    await house.login('eve@x', 'hunter2', { from: house.user('@eve:hs') })
    await house.ask('block bob@x', { role: 'admin' })
    expect(asked).toMatchObject([{ by: ID }])
    await house.ask('block bob@x retro:eve@x', { role: 'admin' })
    expect(asked.at(-1)).toMatchObject({ by: 'retro:eve@x' })
  })

  test('a private name reaches nobody but its owner, and outlives a restart', async () => {
    const { house } = await signedIn()
    await house.login('eve@x', 'hunter2', { from: house.user('@eve:hs') })
    await house.roster(ID, { address: 'bob@x', name: 'Bob' })
    await house.roster('retro:eve@x', { address: 'bob@x', name: 'Bob' })
    await house.ask('start-chat bob@x')
    await house.ask('start-chat bob@x', { from: house.user('@eve:hs') })
    expect(await house.ask('rename bob@x Honeybee')).toEqual(['bob@x is called Honeybee, for you.'])
    await house.settle()
    expect(house.matrix.ops('title').map(({ title, in: chat }) => [title, chat])).toEqual([
      ['Honeybee', roomOf(house, 'bob@x').chat],
    ])
    expect(await house.ask('contacts', { from: house.user('@eve:hs') })).toEqual(['Offline (1):', '  Bob <bob@x>'])
    await house.stop()
    const again = await startHouse({ folder: house.folder, clock: house.clock })
    // The list that the network sends knows nothing of it.
    await again.roster(ID, { address: 'bob@x', name: 'Bob' })
    expect(await again.ask('contacts')).toEqual(['Offline (1):', '  Honeybee, Bob <bob@x>'])
    expect(await again.ask('rename bob@x')).toEqual(['bob@x is called as they call themselves.'])
    expect(await again.ask('contacts')).toEqual(['Offline (1):', '  Bob <bob@x>'])
  })
})

describe('chats', () => {
  test('start-chat opens one, and says it when they are no contact', async () => {
    const { house } = await signedIn()
    await house.roster(ID, { address: 'bob@x' })
    expect(await house.ask('pm BOB@x')).toEqual([`The chat with bob@x is open (${ID}).`])
    expect(await house.ask('start-chat carol@x')).toEqual([
      `The chat with carol@x is open (${ID}). They are not on your contact list; to put them there: add carol@x`,
    ])
    expect(house.parts.hub.portals.all()).toHaveLength(2)
    await house.ask('start-chat bob@x')
    expect(house.parts.hub.portals.all()).toHaveLength(2)
  })

  test('create-group opens one with several, and groups lists it', async () => {
    const { house } = await signedIn()
    await house.roster(ID, { address: 'bob@x', name: 'Bob' })
    expect(await house.ask('create-group bob@x BOB@x')).toEqual([
      'A group needs two others at least; for one write: start-chat ADDRESS',
    ])
    expect(await house.ask('create-group bob@x carol@x')).toEqual([`The group with bob@x, carol@x is open (${ID}).`])
    expect(await house.ask('groups')).toEqual([`Bob, carol@x (${ID})`])
    expect(await house.ask('groups', { from: house.user('@eve:hs') })).toEqual([
      'You are in no group. To begin one: create-group ADDRESS ADDRESS',
    ])
  })

  test('nudge goes to the chat where it is said, or to an address', async () => {
    const { house } = await signedIn()
    await house.roster(ID, { address: 'bob@x' })
    await house.ask('start-chat bob@x')
    expect(await house.ask('nudge')).toEqual(['Whom? Say it in the chat with them, or write the address.'])
    expect(await house.ask('nudge', { chat: roomOf(house, 'bob@x') })).toEqual(['Nudged.'])
    expect(await house.ask('nudge bob@x')).toEqual(['Nudged bob@x.'])
    await house.clock.advance(1_000)
    expect(house.retro.ops('message').map(({ in: chat }) => chat)).toEqual(['dm:bob@x', 'dm:bob@x'])
  })

  test('delete-portal asks first, and only the owner may', async () => {
    const { house } = await signedIn()
    await house.ask('start-chat bob@x')
    const chat = roomOf(house, 'bob@x')
    expect(await house.ask('delete-portal', { chat, from: house.user('@eve:hs') })).toEqual([
      'This chat belongs to somebody else.',
    ])
    expect(await house.ask('delete-portal')).toEqual(['This chat is not linked.'])
    await house.ask('delete-portal', { chat })
    expect(house.parts.hub.portals.all()).toHaveLength(1)
    expect(await house.ask('yes', { chat })).toEqual(['The chat is taken down.'])
    expect(house.parts.hub.portals.all()).toEqual([])
  })

  test('delete-portal takes nothing down that an admin linked by hand, but the chat itself', async () => {
    const { house } = await signedIn()
    await house.ask('start-chat bob@x')
    const chat = roomOf(house, 'bob@x')
    const channel = { network: LIBERA, chat: '#bob' as ChatId }
    await house.ask(`link bob@x ${ID}`, { role: 'admin', chat: channel, via: 'libera' as AccountId })
    const there = { chat: channel, via: 'libera' as AccountId, from: house.user('alice', LIBERA) }
    await house.parts.hub.identity.link(there.from, house.parts.accounts.all().at(-1)?.person as PersonId)
    expect(await house.ask('delete-portal', there)).toEqual(['This chat belongs to somebody else.'])
    await house.ask('delete-portal', { chat })
    expect(await house.ask('yes', { chat })).toEqual(['The chat is taken down.'])
    const [portal] = house.parts.hub.portals.all()
    expect(portal?.legs.map(({ request }) => request.kind)).toEqual(['direct', 'channel'])
    await house.clock.advance(1_000)
    expect(house.matrix.session(house.matrix.ownAccounts()[0] as Account).dropped).toEqual([chat])
  })

  test('whoever else is in the chat of somebody reads nothing of their list and uses nothing of theirs', async () => {
    const { house, asked } = await signedIn()
    await house.roster(ID, { address: 'bob@x' }, { address: 'carol@x' }, { address: 'dora@x' })
    await house.ask('create-group bob@x carol@x')
    const chat = house.matrix.chat(
      house.parts.hub.portals.all()[0]?.legs.find(({ request }) => request.kind === 'portal')?.request as ChatRequest,
      'matrix' as AccountId,
    )
    expect(await house.ask('who', { chat })).toEqual(['Offline: bob@x, carol@x'])
    const eve = { chat, from: house.user('@eve:hs') }
    for (const line of ['who', 'who dora', 'invite eve@x', 'leave', `who ${ID}`, `invite eve@x ${ID}`])
      expect(await house.ask(line, eve)).toEqual([expect.stringMatching(/^You (are not signed in|may not use)/)])
    expect(await house.ask('nudge', eve)).toEqual(['This chat belongs to somebody else.'])
    await house.clock.advance(1_000)
    expect([asked, house.retro.lines, house.retro.ops('member')]).toEqual([[], [], []])
  })
})

describe('how one appears', () => {
  test('set-name asks the network', async () => {
    const { house, asked } = await signedIn()
    expect(await house.ask('set-name Alice the First')).toEqual([`${ID} is called Alice the First now.`])
    expect(asked).toEqual([{ kind: 'rename', name: 'Alice the First', by: ID }])
  })

  test('set-status pins, in all accounts, until auto', async () => {
    const { house } = await signedIn('second@x')
    expect(await house.ask('set-status phone with mum')).toEqual([
      'Your status is "On the phone" until you say: set-status auto',
    ])
    expect(house.parts.ownStatus.pinned(ID)).toEqual({ show: 'phone', text: 'with mum' })
    expect(house.parts.ownStatus.pinned('retro:second@x' as AccountId)).toEqual({ show: 'phone', text: 'with mum' })
    await house.clock.advance(1_000)
    expect(house.retro.ops('presence').at(-1)).toMatchObject({ state: { show: 'phone', text: 'with mum' } })
    expect(await house.ask('set-status auto')).toEqual(['Your status follows what you do.'])
    expect(house.parts.ownStatus.pinned(ID)).toBeUndefined()
    expect(await house.ask('set-status offline')).toEqual([
      'There is no status offline. There is: online, away, busy, brb, phone, lunch, idle, hidden, and auto to follow what you do.',
    ])
  })
})

describe('for admins', () => {
  const admin = { role: 'admin' } as const

  test('what somebody else signed in with is never meant by chance', async () => {
    const { house, asked } = await signedIn()
    await house.roster(ID, { address: 'bob@x' })
    const root = { ...admin, from: house.user('@root:hs') }
    for (const line of ['add carol@x', 'start-chat bob@x', 'contacts', 'logout', 'set-name Root'])
      expect(await house.ask(line, root)).toEqual(['You are not signed in. Say: login'])
    expect(await house.ask('search bob', root)).toEqual([expect.stringMatching(/^Nobody/)])
    expect(asked).toEqual([])
    await house.ask(`add carol@x ${ID}`, root)
    expect(asked).toEqual([{ kind: 'add', user: 'carol@x', by: ID }])
    expect(await house.ask(`contacts ${ID}`, root)).toEqual(['Offline (1):', '  bob@x'])
  })

  test('sudo runs a command as somebody, who may no more than themselves, and asks the one who asked', async () => {
    const { house } = await signedIn()
    const root = { ...admin, from: house.user('@root:hs') }
    expect(await house.ask('sudo @alice:hs list-logins', root)).toEqual([expect.stringContaining(ID)])
    expect(await house.ask('sudo @alice:hs list-users', root)).toEqual([
      'Only admins of this bridge may use list-users.',
    ])
    expect(await house.ask('sudo @alice:hs sudo @eve:hs ping', root)).toEqual([
      'Only admins of this bridge may use sudo.',
    ])
    await house.ask('sudo @alice:hs logout', root)
    expect(await house.ask('yes')).toEqual(['There is nothing to confirm.'])
    await house.ask('sudo @alice:hs logout', root)
    expect(await house.ask('yes', root)).toEqual(['Logged out of alice@x on retro.'])
    expect(await house.ask('sudo @alice:hs ping')).toEqual(['Only admins of this bridge may use sudo.'])
  })

  test('list-users names people, where they are, and their accounts', async () => {
    const { house } = await signedIn()
    expect(await house.ask('list-users', admin)).toEqual([`Alice: @alice:hs on matrix, ${ID} (connected)`])
  })

  test('delete-all-portals takes down what was made for one, or for all, and no links', async () => {
    const { house } = await signedIn()
    const eve = { from: house.user('@eve:hs') }
    await house.login('eve@x', 'hunter2', eve)
    for (const user of ['bob@x', 'carol@x']) await house.ask(`start-chat ${user}`)
    await house.ask('start-chat bob@x', eve)
    const before = house.parts.hub.portals.all().length
    expect(await house.ask('delete-all-portals @alice:hs', admin)).toEqual([
      '2 chats of @alice:hs that the bridge made will be taken down. Links that were made by hand stay. Say "yes" within a minute, or "cancel".',
    ])
    expect(await house.ask('yes', admin)).toEqual(['2 chats of @alice:hs are taken down.'])
    expect([before, house.parts.hub.portals.all().length]).toEqual([3, 1])
    expect(await house.ask('delete-all-portals @alice:hs', admin)).toEqual(['There is no chat to take down.'])
  })
})

test('after logout the chats say that nothing goes through them', async () => {
  const { house } = await signedIn()
  await house.roster(ID, { address: 'bob@x' })
  await house.ask('start-chat bob@x')
  const chat = roomOf(house, 'bob@x')
  await house.ask('logout')
  await house.ask('yes')
  await house.matrix.context?.emit({
    kind: 'message',
    chat,
    sender: house.user('@alice:hs'),
    id: 'm1' as never,
    at: house.clock.now(),
    body: { kind: 'text', text: [{ text: 'hello?' }] },
  })
  await house.settle()
  const told = house.matrix.ops('delivery')
  expect(told).toMatchObject([{ outcome: 'refused' }])
  expect(told.map(({ text }) => textOf(text)).join()).toContain('there no more')
})

describe('the picture of an account', () => {
  const image = { network: MATRIX, ref: 'mxc://hs/face', name: 'me.png', media: 'image' } as const
  const own = (house: House, more: object = {}) =>
    house.emit({ kind: 'own', account: ID, name: 'Alice', groups: [], strangers: 'allowed', ...more })
  const shown = async (house: House) => (await house.ask('profile')).find((line) => line.startsWith('Picture: '))

  test('is chosen with an image, and taken back', async () => {
    const { house, asked } = await signedIn()
    await own(house)
    expect(await shown(house)).toBe('Picture: none')
    expect(await house.ask('set-picture', { file: image, trigger: '!msn ' })).toEqual([
      `${ID} shows that picture now. To undo it: !msn remove-picture`,
    ])
    expect(await shown(house)).toBe('Picture: set by @alice:hs on matrix')
    expect(await house.ask('remove-picture')).toEqual([`Taken back. The picture of ${ID} now: none.`])
    expect(await house.ask('remove-picture')).toEqual([
      `Nothing was set with set-picture for ${ID}. Its picture: none.`,
    ])
    expect(asked).toEqual([
      { kind: 'picture', picture: image, by: ID },
      { kind: 'picture', by: ID },
    ])
  })

  test('is not chosen without an image, or where the network will not have it', async () => {
    const { house, asked } = await signedIn()
    await own(house)
    expect(await house.ask('set-picture')).toEqual([expect.stringMatching(/^No picture came with it\./)])
    expect(await house.ask('set-picture', { file: { ...image, media: 'file' } })).toEqual([
      'set-picture failed: that is no image',
    ])
    expect(await house.ask('set-picture nobody@x', { file: image })).toEqual(['There is no account nobody@x.'])
    expect(asked).toEqual([])
    house.retro.askedRoster = async () => ({
      kind: 'refused',
      reason: 'unsupported',
      detail: 'the picture is too large',
    })
    expect(await house.ask('set-picture', { file: image })).toEqual(['set-picture failed: the picture is too large'])
    expect(await shown(house)).toBe('Picture: none')
  })

  test('is told together with that of another client, and with what is said and played beside the name', async () => {
    const { house } = await signedIn()
    await house.ask('set-picture', { file: image })
    await own(house, { text: 'at the lake', playing: { title: 'Song', artist: 'Band' }, beside: { picture: 12_001 } })
    const lines = await house.ask('profile')
    expect(lines).toContain('Personal message: at the lake')
    expect(lines).toContain('Listening to: Band - Song')
    expect(lines).toContain(
      'Picture: that of your other client (13 kB), while that is signed in; then: set by @alice:hs on matrix',
    )
    await own(house, { beside: {} })
    expect(await shown(house)).toBe(
      'Picture: none, as your other client has it, while that is signed in; then: set by @alice:hs on matrix',
    )
  })

  test('of somebody who lives here is their avatar until they choose another one', async () => {
    const { house } = await signedIn()
    await own(house, { picture: 700 })
    expect(await shown(house)).toBe('Picture: one that it had before')
    const alice = house.user('@alice:hs')
    await house.emit({ kind: 'profile', account: 'matrix' as AccountId, user: alice, name: 'Alice', avatar: image })
    await expect.poll(() => shown(house)).toBe('Picture: your avatar on matrix')
  })
})
