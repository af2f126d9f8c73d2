import { describe, expect, test } from 'vitest'
import { BOB, CAROL, FakeClient, RETRO, WORK, World, key } from './rig.ts'
import { Person } from '../../../../adapters/irc-gateway/world/person.ts'

const waiting = {
  kind: 'waiting',
  until: 0,
  fault: { code: 'network', detail: 'gone' },
} as const

const world = (): World => {
  const made = new World()
  made.account()
  return made
}

describe('contacts in the control channel, in the shapes of BitlBee', () => {
  test('a client that comes gets the channel with its topic and names, and who is there has a voice', async () => {
    const w = world()
    w.contact(BOB, 'online')
    w.contact(CAROL, 'busy')
    w.contact(key('dave@home.example'), 'offline')
    const client = new FakeClient()
    ;(await w.alice()).attach(client, { greeting: ['Welcome to the gateway!'] })
    expect(client.lines).toEqual([
      ':alice!al@localhost JOIN &bitlbee',
      ':localhost 332 alice &bitlbee :Welcome to the control channel. Type \x02help\x02 for help information.',
      ':localhost 333 alice &bitlbee root!root@localhost 1072951860',
      ':localhost 353 alice = &bitlbee :@root @alice +bob carol',
      ':localhost 366 alice &bitlbee :End of /NAMES list',
      ':root!root@localhost PRIVMSG &bitlbee :Welcome to the gateway!',
    ])
  })

  test('names are left out for who negotiated that, and are whole masks for who wants them', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const quiet = new FakeClient('alice', ['no-implicit-names'])
    const masks = new FakeClient('alice', ['userhost-in-names', 'multi-prefix', 'extended-join'])
    const person = await w.alice()
    person.attach(quiet)
    person.attach(masks)
    expect(quiet.lines.some((line) => line.includes(' 353 '))).toBe(false)
    expect(masks.lines[0]).toBe(':alice!al@localhost JOIN &bitlbee alice Alice')
    expect(masks.lines).toContain(
      ':localhost 353 alice = &bitlbee :@root!root@localhost @alice!al@localhost +bob!bob@home.example',
    )
  })

  test('somebody comes online: JOIN and a voice', async () => {
    const w = world()
    const { client } = await w.attached()
    w.contact(BOB, 'online')
    expect(client.news()).toEqual([':bob!bob@home.example JOIN &bitlbee', ':localhost MODE &bitlbee +v bob'])
  })

  test('with extended-join the address and the name stand in it', async () => {
    const w = world()
    const { client } = await w.attached(new FakeClient('alice', ['extended-join']))
    w.contact(BOB, 'online', { name: 'Bob the Builder' })
    expect(client.news()[0]).toBe(':bob!bob@home.example JOIN &bitlbee bob@home.example :Bob the Builder')
  })

  test('away takes the voice, and the words go to who has away-notify alone; back brings it', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const { client } = await w.attached(new FakeClient('alice', ['away-notify']))
    const plain = new FakeClient()
    ;(await w.alice()).attach(plain)
    plain.news()
    w.contact(BOB, 'busy', { text: 'fixing bugs' })
    expect(client.news()).toEqual([':localhost MODE &bitlbee -v bob', ':bob!bob@home.example AWAY :Busy (fixing bugs)'])
    expect(plain.news()).toEqual([':localhost MODE &bitlbee -v bob'])
    w.contact(BOB, 'busy', { text: 'done' })
    expect(client.news()).toEqual([':bob!bob@home.example AWAY :Busy (done)'])
    w.contact(BOB, 'online')
    expect(client.news()).toEqual([':bob!bob@home.example AWAY', ':localhost MODE &bitlbee +v bob'])
  })

  test('who comes and is away is told so behind the JOIN', async () => {
    const w = world()
    const { client } = await w.attached(new FakeClient('alice', ['away-notify']))
    w.contact(BOB, 'lunch')
    expect(client.news()).toEqual([':bob!bob@home.example JOIN &bitlbee', ':bob!bob@home.example AWAY :Out to Lunch'])
  })

  test('offline is a QUIT, and nothing is said twice', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const { client } = await w.attached()
    w.contact(BOB, 'offline')
    w.contact(BOB, 'offline')
    w.contact(BOB, undefined)
    expect(client.news()).toEqual([':bob!bob@home.example QUIT :Leaving...'])
  })

  test('without offline_user_quits it is a PART, or only the voice where show_users keeps them', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const { client, person } = await w.attached()
    await person.settings.set('offline_user_quits', 'false')
    w.contact(BOB, 'offline')
    expect(client.news()).toEqual([':bob!bob@home.example PART &bitlbee'])
    await person.settings.set('channel/&bitlbee/show_users', 'online+,away,offline')
    expect(client.news()).toEqual([':bob!bob@home.example JOIN &bitlbee'])
    w.contact(BOB, 'online')
    w.contact(BOB, 'offline')
    expect(client.news()).toEqual([':localhost MODE &bitlbee +v bob', ':localhost MODE &bitlbee -v bob'])
  })

  test('a channel that shows those who are offline gets them back behind the QUIT', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const { client, person } = await w.attached()
    await person.settings.set('channel/&bitlbee/show_users', 'online+,away,offline')
    w.contact(BOB, 'offline')
    expect(client.news()).toEqual([':bob!bob@home.example QUIT :Leaving...', ':bob!bob@home.example JOIN &bitlbee'])
  })

  test('removed from the list is a QUIT that says so', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const { client } = await w.attached()
    w.remove(BOB)
    expect(client.news()).toEqual([':bob!bob@home.example QUIT :Removed'])
  })

  test('an account that is lost takes its contacts along as in a netsplit, and only those', async () => {
    const w = world()
    w.account(WORK, undefined, 'alice@work.example')
    w.contact(BOB, 'online')
    w.contact(CAROL, 'away')
    w.contact(key('erin@work.example', WORK), 'online')
    const { client } = await w.attached()
    w.account(RETRO, waiting)
    expect(client.news()).toEqual([
      ':bob!bob@home.example QUIT :localhost.localdomain home.example',
      ':carol!carol@home.example QUIT :localhost.localdomain home.example',
    ])
    w.contact(BOB, undefined)
    expect(client.news()).toEqual([])
    w.account(RETRO)
    w.contact(BOB, 'online')
    expect(client.news()).toEqual([
      ':carol!carol@home.example JOIN &bitlbee',
      ':bob!bob@home.example JOIN &bitlbee',
      ':localhost MODE &bitlbee +v bob',
    ])
  })

  test('without simulate_netsplit they leave like anybody', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const { client, person } = await w.attached()
    await person.settings.set('simulate_netsplit', 'false')
    w.account(RETRO, waiting)
    expect(client.news()).toEqual([':bob!bob@home.example QUIT :Leaving...'])
  })

  test('an account that is deleted leaves nobody behind', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const { client, person } = await w.attached()
    w.without(RETRO)
    expect(client.news()).toEqual([':bob!bob@home.example QUIT :localhost.localdomain retro.localdomain'])
    expect(person.face('bob')).toBeUndefined()
  })

  test('a session that is back tells only what is different', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const { client } = await w.attached()
    w.account(RETRO)
    w.tell({ kind: 'contacts', owner: 'alice' as never, account: RETRO })
    w.contact(BOB, 'online')
    expect(client.news()).toEqual([])
  })

  test('another name is a SETNAME for who has that, and a line of root where display_namechanges is on', async () => {
    const w = world()
    w.contact(BOB, 'online', { name: 'Bob' })
    const { client, person } = await w.attached(new FakeClient('alice', ['setname']))
    w.contact(BOB, 'online', { name: 'Robert' })
    expect(client.news()).toEqual([':bob!bob@home.example SETNAME :Robert'])
    await person.settings.set('display_namechanges', 'true')
    w.contact(BOB, 'online', { name: 'Rob' })
    expect(
      client.news().some((line) => line.startsWith(':root!root@localhost PRIVMSG &bitlbee :bob is called Rob now')),
    ).toBe(true)
  })

  test('a client that was in the channel before it said who it is sees the contacts join', async () => {
    const w = world()
    w.contact(BOB, 'online')
    w.contact(CAROL, 'away')
    const client = new FakeClient('alice', ['away-notify'])
    ;(await w.alice()).attach(client, { inControl: true })
    expect(client.lines).toEqual([
      ':bob!bob@home.example JOIN &bitlbee',
      ':localhost MODE &bitlbee +v bob',
      ':carol!carol@home.example JOIN &bitlbee',
      ':carol!carol@home.example AWAY :Away',
    ])
  })

  test('who looks for presence is told of each change with both faces', async () => {
    const w = world()
    await w.attached()
    w.contact(BOB, 'online')
    w.contact(BOB, 'busy')
    w.contact(BOB, 'offline')
    expect(w.faces).toEqual(['nobody -> bob', 'bob -> bob Busy', 'bob Busy -> bob offline'])
  })

  test('ops says who is an operator, and a change is a MODE', async () => {
    const w = world()
    const { client, person } = await w.attached()
    await person.settings.set('ops', 'root')
    expect(client.news()).toEqual([':localhost MODE &bitlbee -o alice'])
    await person.settings.set('ops', 'none')
    expect(client.news()).toEqual([':localhost MODE &bitlbee -o root'])
    const prefixes = [...(person.channel('&bitlbee')?.members() ?? [])].map(({ prefixes: each }) => each)
    expect(prefixes).toEqual(['', ''])
  })

  test('root may be called otherwise', async () => {
    const w = world()
    const { client, person } = await w.attached()
    await person.settings.set('root_nick', 'boss')
    expect(client.news()).toEqual([':root!root@localhost NICK :boss'])
    person.rootSays('hello')
    expect(client.news()).toEqual([':boss!root@localhost PRIVMSG &bitlbee :hello'])
  })
})

describe('more control channels', () => {
  test('one that is called like a group holds that group', async () => {
    const w = world()
    w.contact(BOB, 'online', { groups: ['Friends'] })
    w.contact(CAROL, 'online', { groups: ['Family'] })
    const { client, person } = await w.attached()
    expect(await person.joinControl('&friends')).toBeUndefined()
    const lines = client.news()
    expect(lines[0]).toBe(':alice!al@localhost JOIN &friends')
    expect(lines).toContain(':localhost 353 alice = &friends :@root @alice +bob')
    w.contact(CAROL, 'online', { groups: ['Family', 'Friends'] })
    expect(client.news()).toEqual([':carol!carol@home.example JOIN &friends', ':localhost MODE &friends +v carol'])
    w.contact(BOB, 'online', { groups: [] })
    expect(client.news()).toEqual([':bob!bob@home.example PART &friends'])
    w.contact(CAROL, 'offline')
    expect(client.news()).toEqual([':carol!carol@home.example QUIT :Leaving...'])
  })

  test('one that is called like an account holds that account, and all but it with "!"', async () => {
    const w = world()
    w.account(WORK, undefined, 'alice@work.example')
    w.contact(BOB, 'online')
    w.contact(key('erin@work.example', WORK), 'online')
    const { client, person } = await w.attached()
    await person.joinControl('&work')
    expect(client.news()).toContain(':localhost 353 alice = &work :@root @alice +erin')
    await person.settings.set('channel/&work/fill_by', '!account')
    expect(client.news()).toEqual([
      ':bob!bob@home.example JOIN &work',
      ':localhost MODE &work +v bob',
      ':erin!erin@work.example PART &work',
    ])
  })

  test('they are there again after a restart, until they are parted', async () => {
    const w = world()
    const { person } = await w.attached()
    await person.joinControl('&more')
    const again = new World({ stored: w.bridge.stored })
    const { person: later, client } = await again.attached()
    expect([...later.channels()].map(({ name }) => name)).toEqual(['&bitlbee', '&more'])
    await later.part('&MORE', 'bye')
    expect(client.news()).toEqual([':alice!al@localhost PART &more :bye'])
    expect([...later.channels()].map(({ name }) => name)).toEqual(['&bitlbee'])
    expect(await later.joinControl('& no')).toMatch(/is called &/)
  })

  test('who parts the first hears root in a query until they are back', async () => {
    const w = world()
    const { person, client } = await w.attached()
    await person.part('&bitlbee')
    person.rootSays('over here')
    expect(client.news()).toEqual([
      ':alice!al@localhost PART &bitlbee',
      ':root!root@localhost PRIVMSG alice :over here',
    ])
    await person.joinControl('&bitlbee')
    expect(client.news()[0]).toBe(':alice!al@localhost JOIN &bitlbee')
  })
})

describe('several clients of one person', () => {
  test('all have one nick and the same channels', async () => {
    const w = world()
    w.contact(BOB, 'online')
    const { person } = await w.attached(new FakeClient('Alice'))
    const second = new FakeClient('ally')
    person.attach(second)
    expect(person).toBeInstanceOf(Person)
    expect(second.lines.slice(0, 2)).toEqual([':ally!al@localhost NICK :Alice', ':Alice!al@localhost JOIN &bitlbee'])
    expect(second.nick).toBe('Alice')
  })

  test('the first that comes and the last that goes are told as presence', async () => {
    const w = world()
    const { person, client } = await w.attached()
    const second = new FakeClient()
    person.attach(second)
    person.detach(client, 'quit')
    await person.setAway('Busy - fixing bugs')
    person.detach(second, 'quit')
    expect(w.bridge.events.map((event) => (event.kind === 'presence' ? event.state : event.kind))).toEqual([
      { show: 'online' },
      { show: 'busy', text: 'fixing bugs' },
      { show: 'offline' },
    ])
    expect(w.people.size).toBe(1)
  })
})
