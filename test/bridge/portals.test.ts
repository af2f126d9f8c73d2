import { describe, expect, test } from 'vitest'
import type { Adapter } from '../../bridge/adapter.ts'
import { linkEnd } from '../../bridge/link.ts'
import type { AccountId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import { type LinkEnd, Portals } from '../../bridge/portals.ts'
import type { Store } from '../../bridge/store/port.ts'
import { bot, channel, contact, Core, group, lobby, relay } from '../kit/core.ts'
import { account, FakeAdapter } from '../kit/fake-adapter.ts'

/** A store with portals in it, and portals that were started on it. */
const withStore = async (
  work: (
    store: Store,
    start: (links: readonly (readonly LinkEnd[])[]) => Promise<[Portals, readonly string[]]>,
  ) => Promise<void>,
) => {
  const core = new Core({ links: [] })
  await core.store.open()
  let count = 0
  try {
    await work(core.store, async (links) => {
      const portals = new Portals(core.store, () => String(++count))
      return [portals, await portals.start(links)]
    })
  } finally {
    await core.dispose()
  }
}

const bobAndChannel = [contact('bob@x'), channel('#bob')]
const ends = (portals: Portals): readonly string[] =>
  portals
    .all()
    .map((portal) => `${portal.origin} ${portal.legs.map((leg) => portals.describe(leg)).join(' - ')}`)
    .toSorted()

describe('the links of the config', () => {
  test('are made true at each start, and what stays keeps its chats', async () => {
    await withStore(async (_, start) => {
      const [first] = await start([bobAndChannel, [contact('eve@x'), channel('#eve')], [lobby, channel('#msn')]])
      const bob = first.findEnd(contact('bob@x'))
      const chat = { network: 'msn' as NetworkId, chat: 'dm:bob@x', account: relay.id } as never
      await first.opened(bob!.leg.id, chat)
      const [again] = await start([
        [contact('bob@x'), channel('#new')],
        [lobby, channel('#msn')],
        [group('b@x', 'a@x'), channel('#friends')],
      ])
      expect(ends(again)).toEqual([
        'config contact bob@x - channel #new',
        'config group of b@x and a@x - channel #friends',
        'config the lobby of relay - channel #msn',
      ])
      expect(again.find(chat)?.portal.id).toBe(bob?.portal.id)
      expect(again.findEnd(group('a@x', 'b@x', 'a@x'))?.leg.request).toMatchObject({ kind: 'group' })
      expect(again.findEnd(channel('#eve'))).toBeUndefined()
      expect(again.lobbyOf(relay.id)?.portal.kind).toBe('lobby')
      expect(again.legsVia(bot.id)).toHaveLength(3)
    })
  })

  test('leave links alone that were made by command, and say where both want the same', async () => {
    await withStore(async (_, start) => {
      const [first] = await start([])
      await first.link(bobAndChannel)
      const [again, problems] = await start([
        [contact('bob@x'), channel('#other')],
        [contact('eve@x'), channel('#eve')],
      ])
      expect(ends(again)).toEqual(['command contact bob@x - channel #bob', 'config contact eve@x - channel #eve'])
      expect(problems).toEqual(['contact bob@x is linked to channel #bob already: unlink it there first.'])
    })
  })

  test('may swap their ends', async () => {
    await withStore(async (_, start) => {
      await start([bobAndChannel, [contact('eve@x'), channel('#eve')]])
      const [again, problems] = await start([
        [contact('bob@x'), channel('#eve')],
        [contact('eve@x'), channel('#bob')],
      ])
      expect(problems).toEqual([])
      expect(again.findEnd(channel('#eve'))?.portal.legs[0]?.request).toMatchObject({ with: 'bob@x' })
    })
  })

  test.each<[string, LinkEnd[][], RegExp]>([
    [
      'one chat in two links',
      [bobAndChannel, [contact('eve@x'), channel('#bob')]],
      /channel #bob is linked .* already/,
    ],
    ['one end', [[contact('bob@x')]], /two ends/],
    ['the same end twice', [[channel('#bob'), channel('#bob')]], /same end twice/],
    ['lobbies only', [[lobby, { ...lobby, account: 'other' as AccountId }]], /not to another lobby/],
  ])('%s: a sentence, and the rest is made', async (_, links, problem) => {
    await withStore(async (__, start) => {
      const [portals, problems] = await start([...links, [contact('zoe@x'), channel('#zoe')]])
      expect(problems).toHaveLength(1)
      expect(problems[0]).toMatch(problem)
      expect(portals.findEnd(channel('#zoe'))).toBeDefined()
    })
  })
})

describe('a link by command', () => {
  test('is refused for a chat that is linked, and can be undone', async () => {
    await withStore(async (_, start) => {
      const [portals] = await start([[contact('eve@x'), channel('#eve')]])
      const made = await portals.link(bobAndChannel)
      expect(made.kind).toBe('linked')
      expect(await portals.link([contact('bob@x'), channel('#x')])).toEqual({
        kind: 'refused',
        detail: 'contact bob@x is linked to channel #bob already: unlink it there first.',
      })
      expect(await portals.unlink(portals.findEnd(channel('#bob'))!.leg.id)).toMatchObject({ kind: 'linked' })
      expect(portals.findEnd(contact('bob@x'))).toBeUndefined()
      expect(await portals.unlink(portals.findEnd(channel('#eve'))!.leg.id)).toMatchObject({ kind: 'refused' })
    })
  })

  test('with three ends loses one and keeps two', async () => {
    await withStore(async (_, start) => {
      const [portals] = await start([])
      await portals.link([...bobAndChannel, channel('#also')])
      await portals.unlink(portals.findEnd(contact('bob@x'))!.leg.id)
      expect(ends(portals)).toEqual(['command channel #bob - channel #also'])
    })
  })
})

describe('the end of a link, from its words', () => {
  const msn = new FakeAdapter({ network: 'msn' })
  const irc = new FakeAdapter({ network: 'irc', ownAccounts: [bot] })
  const adapters = new Map<NetworkId, Adapter>([msn, irc].map((adapter) => [adapter.network, adapter]))
  const accounts = [relay, account('second', 'msn', 'alice'), bot]
  const words = (one: Parameters<typeof linkEnd>[0]) => linkEnd(one, adapters, accounts)

  test('is what its adapter knows it as', () => {
    expect(words({ account: 'relay', contact: 'BOB@x' })).toEqual(contact('bob@x'))
    expect(words({ account: 'relay', group: ['BOB@x', 'carol@x'] })).toEqual(group('bob@x', 'carol@x'))
    expect(words({ account: 'relay', lobby: true })).toEqual(lobby)
    expect(words({ network: 'irc', channel: '#Bob' })).toEqual(channel('#bob'))
    expect(words({ network: 'msn', channel: '#x', account: 'second' })).toMatchObject({ account: 'second' })
  })

  test.each<[Parameters<typeof linkEnd>[0], RegExp]>([
    [{ account: 'nobody', contact: 'bob@x' }, /no account nobody; there are: relay, second, bot/],
    [{ account: 'relay', contact: 'a b' }, /is no user/],
    [{ account: 'relay', group: ['bob@x', 'BOB@x'] }, /two contacts at least/],
    [{ account: 'relay', group: ['bob@x', 'a b'] }, /is no user/],
    [{ network: 'nowhere', channel: '#x' }, /no network nowhere; there are: msn, irc/],
    [{ network: 'irc', channel: 'a b' }, /is no chat/],
    [{ network: 'msn', channel: '#x' }, /name one with `account`/],
    [{ network: 'irc', channel: '#x', account: 'relay' }, /name one with `account`/],
  ])('%j is wrong, and the sentence says how', (one, wrong) => {
    expect(words(one)).toMatchObject({ wrong: expect.stringMatching(wrong) })
  })
})

test('a person may be linked to a user of any network, also a person that nobody configured', async () => {
  const core = await new Core().start()
  const { identity } = core.hub
  const user = { network: 'irc' as NetworkId, user: 'zoe' as UserId }
  await identity.link(user, 'zoe' as never)
  expect(identity.personOf(user)).toBe('zoe')
  expect(identity.personOf({ network: 'msn' as NetworkId, user: 'relay@home.example' as UserId })).toBe('alice')
  expect(identity.userOf(relay.id)).toEqual({ network: 'msn', user: 'relay@home.example' })
  expect(identity.accountsOf('alice' as never)).toEqual([relay])
  expect(identity.accountsOn('irc' as NetworkId)).toEqual([bot])
  await core.stop()
  const again = await new Core({ folder: core.folder }).start()
  expect(again.hub.identity.personOf(user)).toBe('zoe')
  await again.hub.identity.unlink(user)
  expect(again.hub.identity.personOf(user)).toBeUndefined()
  expect(again.hub.identity.people().map((person) => person.id)).toEqual(['alice', 'bridge', 'zoe'])
  await again.dispose()
})
