import { beforeEach, describe, expect, test } from 'vitest'
import type { UserId } from '../../../../bridge/model/ids.ts'
import { Bench, bob, carol, retro, work } from './rig.ts'

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})

describe('add', () => {
  const added = 'dora@home.example was added to the contacts of retro.'

  test('puts somebody on the list of the account, and says what comes next', async () => {
    bench.person.answers = () => [added]
    expect(await bench.say('add retro dora@home.example')).toEqual([
      added,
      'As soon as dora@home.example is there you see a nick for them.',
    ])
    expect(bench.person.commands).toEqual([`add dora@home.example ${retro}`])
  })

  test('gives the nick that is asked for', async () => {
    expect(await bench.say('add 0 Dora@Home.example dd')).toEqual([
      'Done.',
      'To write to dora@home.example say: /msg dd hello',
    ])
    expect(bench.person.done).toEqual(['rename dora@home.example dd'])
  })

  test('completes a name by the domain of the account', async () => {
    await bench.say('add work dora')
    expect(bench.person.commands).toEqual([`add dora@work.example ${work}`])
  })

  test('needs no account when there is one', async () => {
    bench.person.views = bench.person.views.slice(0, 1)
    await bench.say('add dora@home.example dd')
    expect(bench.person.commands).toEqual([`add dora@home.example ${retro}`])
    expect(bench.person.done).toEqual(['rename dora@home.example dd'])
  })

  test('-tmp only gives a nick', async () => {
    expect(await bench.say('add -tmp retro dora@home.example dd')).toEqual([
      'To write to dora@home.example say: /msg dd hello',
    ])
    expect(bench.person.commands).toEqual([`start-chat dora@home.example ${retro}`])
  })

  test('answers the question whether they may be a contact', async () => {
    await ask(bench, 'dora@home.example')
    await bench.say('add retro dora@home.example')
    expect(await bench.say('qlist')).toEqual(['There are no pending questions.'])
  })

  test('of somebody whom the network does not take changes nothing else', async () => {
    bench.person.answers = () => ['add dora@home.example failed: no such address']
    expect(await bench.say('add retro dora@home.example dd')).toEqual(['add dora@home.example failed: no such address'])
    expect(bench.person.done).toEqual([])
  })

  test('does not take a nick that somebody has, or that is none', async () => {
    expect(await bench.say('add retro dora@home.example Bob')).toEqual(["The requested nick `Bob' already exists"])
    expect(await bench.say('add retro dora@home.example root')).toEqual(["The requested nick `root' already exists"])
    expect(await bench.say('add retro dora@home.example #dd')).toEqual(["The requested nick `#dd' is invalid"])
    expect(bench.person.commands).toEqual([])
  })

  test.each(['add', 'add retro', 'add -tmp', 'add retro a b c d', 'add retro "a b"', 'add retro a,b'])(
    '%s gives the usage',
    async (line) => {
      expect(await bench.say(line)).toEqual(['Syntax: add [-tmp] [-g <group>] <account> <address> [<nick>]'])
      expect(bench.person.commands).toEqual([])
    },
  )

  test('says when there is no such account', async () => {
    expect(await bench.say('add jabber dora@home.example')).toEqual(['There is no such account. See: account list'])
  })
})

const ask = (on: Bench, user: string) =>
  on.root.ask(on.person, {
    text: `${user} wants to be your contact (retro). Say: accept ${user} ${retro} - or: decline ${user} ${retro}`,
    choices: [
      { key: 'y', words: 'accept', line: `accept ${user} ${retro}` },
      { key: 'n', words: 'decline', line: `decline ${user} ${retro}` },
    ],
  })

describe('remove', () => {
  test.each(['remove bob', 'rem BOB', 'remove bob@home.example', 'remove retro bob', 'remove retro bob@home.example'])(
    '%s takes them off the list, without a question',
    async (line) => {
      bench.person.answers = (said) => [
        said === 'yes' ? 'bob@home.example was removed from the contacts of retro.' : 'Take bob off?',
      ]
      expect(await bench.say(line)).toEqual(["Buddy `bob@home.example' (nick bob) removed from contact list"])
      expect(bench.person.commands).toEqual([`remove bob@home.example ${retro}`, 'yes'])
    },
  )

  test('shows why it was not done', async () => {
    const why = 'remove bob@home.example failed: retro is not connected now'
    bench.person.answers = (said) => [said === 'yes' ? 'There is nothing to confirm.' : why]
    expect(await bench.say('remove bob')).toEqual([why])
  })

  test('of nobody, or of me, is refused', async () => {
    expect(await bench.say('remove nobody')).toEqual(["Nick `nobody' does not exist"])
    expect(await bench.say('remove root')).toEqual(['root is me.'])
    expect(await bench.say('remove')).toEqual(['Syntax: remove [<account>] <nick|address>'])
    expect(await bench.say('remove a b c')).toEqual(['Syntax: remove [<account>] <nick|address>'])
    expect(bench.person.commands).toEqual([])
  })
})

describe('rename', () => {
  test('gives another nick', async () => {
    expect(await bench.say('rename bob bobby')).toEqual(['Nick successfully changed'])
    expect(bench.person.done).toEqual(['rename bob@home.example bobby'])
  })

  test('may change the case alone', async () => {
    expect(await bench.say('rename bob BOB')).toEqual(['Nick successfully changed'])
  })

  test('-del takes it back', async () => {
    await bench.say('rename bob bobby')
    expect(await bench.say('rename -del bobby')).toEqual(["Nickname reset to `bob'"])
    expect(bench.person.done.at(-1)).toBe('rename bob@home.example ')
  })

  test('of root is a setting', async () => {
    expect(await bench.say('rename root wurzel')).toEqual(['Nick successfully changed'])
    expect(bench.person.settings.own('root_nick')).toBe('wurzel')
    await bench.say('rename -del wurzel')
    expect(bench.person.settings.own('root_nick')).toBeUndefined()
  })

  test('says what is wrong', async () => {
    expect(await bench.say('rename nobody x')).toEqual(["Nick `nobody' does not exist"])
    expect(await bench.say('rename alice x')).toEqual(['Use /nick to change your own nick.'])
    expect(await bench.say('rename bob carol')).toEqual(["Nick `carol' already exists"])
    expect(await bench.say('rename bob 1bob')).toEqual(["Nick `1bob' is invalid"])
    expect((await bench.say('rename bob'))[0]).toBe('Syntax: rename <nick> <new nick>')
    expect((await bench.say('rename -del'))[0]).toBe('Syntax: rename <nick> <new nick>')
    expect((await bench.say('rename a b c'))[0]).toBe('Syntax: rename <nick> <new nick>')
    expect(bench.person.done).toEqual([])
  })
})

describe('block and allow', () => {
  test('move somebody from one list to the other', async () => {
    expect(await bench.say('block bob')).toEqual(["Buddy `bob@home.example' moved from allow- to block-list"])
    expect(await bench.say('allow retro bob@home.example')).toEqual([
      "Buddy `bob@home.example' moved from block- to allow-list",
    ])
    expect(bench.person.commands).toEqual([`block bob@home.example ${retro}`, `unblock bob@home.example ${retro}`])
  })

  test('without somebody show the lists as in BitlBee', async () => {
    bench.person.add({ account: work, user: 'eve@work.example' as UserId }, 'eve', { blocked: true })
    expect(await bench.say('block')).toEqual([
      'Handle                            Nickname',
      'eve@work.example                  eve',
      'End of list.',
    ])
    expect(await bench.say('allow retro')).toEqual([
      'Handle                            Nickname',
      'bob@home.example                  bob',
      'carol@home.example                carol',
      'End of list.',
    ])
    expect(await bench.say('block retro')).toHaveLength(2)
  })

  test('show why it was not done', async () => {
    bench.person.answers = () => ['block bob@home.example failed: not connected']
    expect(await bench.say('block bob')).toEqual(['block bob@home.example failed: not connected'])
  })

  test('of nobody are refused', async () => {
    expect(await bench.say('block nobody')).toEqual(["Nick `nobody' does not exist"])
    expect((await bench.say('allow a b c'))[0]).toMatch(/^Syntax: allow/)
    expect(bench.person.commands).toEqual([])
  })
})

describe('info', () => {
  test('says all that is known', async () => {
    bench.person.add(bob, 'bob', {
      name: 'Bob B.',
      nickname: 'Bobby',
      groups: ['Friends', 'Work'],
      phones: [
        { kind: 'home', number: '1 555' },
        { kind: 'mobile', number: '1 777' },
      ],
      presence: { show: 'busy', text: 'fixing', playing: { title: 'Help!', artist: 'The Beatles' } },
    })
    expect(await bench.say('info bob')).toEqual([
      'bob: bob@home.example, account retro',
      'Name: Bob B.',
      'You call them: Bobby',
      'Status: busy (fixing)',
      'Listens to: The Beatles - Help!',
      'Groups: Friends, Work',
      'Phone: home 1 555, mobile 1 777',
      'They are on your list, and they have you on theirs.',
    ])
  })

  test('of somebody unknown says so', async () => {
    expect(await bench.say('info retro nobody@home.example')).toEqual(['Nothing is known of nobody@home.example here.'])
    expect(await bench.say('info nobody@home.example')).toEqual(['Through which account? retro, work'])
    expect((await bench.say('info'))[0]).toMatch(/^Syntax: info/)
  })
})

describe('nudge', () => {
  test('shakes the window of somebody', async () => {
    bench.person.answers = () => ['Nudged bob@home.example.']
    expect(await bench.say('nudge bob')).toEqual(['Nudged bob.'])
    expect(bench.person.commands).toEqual([`nudge bob@home.example ${retro}`])
  })

  test('shows why it was not done', async () => {
    bench.person.answers = () => ['No chat with bob@home.example: offline']
    expect(await bench.say('nudge bob')).toEqual(['No chat with bob@home.example: offline'])
    expect((await bench.say('nudge'))[0]).toMatch(/^Syntax: nudge/)
  })
})

describe('blist', () => {
  beforeEach(() => {
    bench.person.add({ account: work, user: 'eve@work.example' as UserId }, 'eve')
  })
  const head = 'Nick              Handle/Account                            Status'
  const bobLine = 'bob               bob@home.example retro                    Online (at work)'
  const carolLine = 'carol             carol@home.example retro                  Busy'
  const eveLine = 'eve               eve@work.example work                     Offline'
  const end = '3 buddies (1 available, 1 away, 1 offline)'

  test.each([
    ['blist', [bobLine, carolLine]],
    ['bli all', [bobLine, carolLine, eveLine]],
    ['blist online', [bobLine]],
    ['blist away', [carolLine]],
    ['blist OFFLINE', [eveLine]],
    ['blist all ?o*', [bobLine]],
    ['blist all carol', [carolLine]],
    ['blist work.ex', [eveLine]],
    ['blist all *nobody*', []],
  ])('%s is shaped as in BitlBee', async (line, rows) => {
    expect(await bench.say(line)).toEqual([head, ...rows, end])
  })

  test('of a pattern made to be slow is quick', async () => {
    bench.person.add({ account: work, user: `${'a'.repeat(300)}@work.example` as UserId }, 'long')
    await bench.say(`blist all ${'*a'.repeat(150)}b`)
  }, 1_000)

  test('with other words gives the usage', async () => {
    expect((await bench.say('blist bob carol'))[0]).toMatch(/^Syntax: blist/)
    expect((await bench.say('blist all bob carol'))[0]).toMatch(/^Syntax: blist/)
  })
})

describe('group', () => {
  beforeEach(() => {
    bench.person.add(carol, 'carol', { groups: ['Work', 'Friends'] })
  })

  test('list and info are shaped as in BitlBee', async () => {
    expect(await bench.say('group list')).toEqual(['0. Friends', '1. Work', 'End of group list'])
    expect(await bench.say('g i friends')).toEqual(['0. bob', '1. carol', 'End of member list'])
  })

  test('says what is wrong', async () => {
    expect(await bench.say('group info Nobody')).toEqual(['There is no such group. See: group list'])
    for (const line of ['group', 'group info', 'group list x', 'group x'])
      expect((await bench.say(line))[0]).toBe('Syntax: group list')
  })
})
