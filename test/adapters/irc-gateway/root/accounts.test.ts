import { beforeEach, describe, expect, test } from 'vitest'
import type { NetworkId } from '../../../../bridge/model/ids.ts'
import type { FileOffer } from '../../../../adapters/irc-gateway/dcc-offer.ts'
import { accountKey } from '../../../../adapters/irc-gateway/root/settings.ts'
import { Bench, retro, SECRET, work } from './rig.ts'

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})

const setState = (index: number, change: Partial<(typeof bench.person.views)[number]>) => {
  bench.person.views = bench.person.views.map((view, at) => (at === index ? { ...view, ...change } : view))
}

describe('account list', () => {
  test('is shaped as in BitlBee', async () => {
    setState(1, { wanted: false, state: { kind: 'offline' } })
    expect(await bench.say('account list')).toEqual([
      ' 0 (retro): msn, alice@home.example (connected)',
      ' 1 (work): msn, alice@work.example',
      'End of account list',
    ])
  })

  test.each(['acc li', 'account l', 'ac list', 'ACCOUNT LIST'])('may be written %s', async (line) => {
    expect((await bench.say(line)).at(-1)).toBe('End of account list')
  })

  test('says how each one is', async () => {
    const fault = { code: 'network', detail: 'no route' } as const
    for (const [state, words] of [
      [{ kind: 'connecting', attempt: 1 }, '(connecting)'],
      [{ kind: 'waiting', until: 5, fault }, '(awaiting reconnect)'],
      [{ kind: 'stopped', fault }, '(stopped)'],
    ] as const) {
      setState(0, { state })
      expect((await bench.say('account list'))[0]).toContain(words)
    }
  })

  test('without any says how to add one', async () => {
    bench.person.views = []
    expect(await bench.say('account list')).toEqual([expect.stringContaining('account add msn')])
  })
})

describe('account add', () => {
  test('signs in with a password', async () => {
    bench.person.answers = () => ['Signed in as dora@home.example on retro. 3 contacts.']
    expect(await bench.say(`account add msn dora@home.example ${SECRET}`)).toEqual([
      'Signed in as dora@home.example on retro. 3 contacts.',
    ])
    expect(bench.person.commands).toEqual(['login retro dora@home.example *'])
    expect(bench.person.secrets).toEqual([SECRET])
  })

  test('takes the name of a network for a protocol', async () => {
    await bench.say(`acc a work dora@work.example ${SECRET}`)
    expect(bench.person.commands).toEqual(['login work dora@work.example *'])
  })

  test('takes the password by /OPER', async () => {
    expect(await bench.say('account add msn dora@home.example')).toEqual([
      expect.stringContaining('You can now use the /OPER command to enter the password'),
      expect.anything(),
    ])
    expect(bench.person.commands).toEqual([])
    bench.person.answers = () => ['Signed in.']
    expect(await bench.oper(SECRET)).toEqual(['Signed in.'])
    expect(bench.person.commands).toEqual(['login retro dora@home.example *'])
  })

  test('says what there is when the protocol is none', async () => {
    expect(await bench.say(`account add jabber dora@home.example ${SECRET}`)).toEqual([
      'Unknown protocol. There is: msn, retro, work',
    ])
  })

  test.each(['account add', 'account add msn', 'account add msn ""'])('%s gives the usage', async (line) => {
    expect((await bench.say(line))[0]).toBe('Syntax: account add <protocol> <address> [<password>]')
    expect(bench.person.commands).toEqual([])
  })

  test('does not take more words, nor an address with blanks', async () => {
    expect(await bench.say(`account add msn a@b.example ${SECRET} more`)).toEqual([
      expect.stringContaining('in quotes'),
    ])
    expect(await bench.say(`account add msn "a b" ${SECRET}`)).toEqual(['That is no address.'])
    expect(bench.person.commands).toEqual([])
  })
})

describe('account on and off', () => {
  const offline = { wanted: false, state: { kind: 'offline' } } as const

  test.each(['account 0 off', 'account off 0', 'account retro off', 'acc home of', 'account alice@home.example off'])(
    '%s disconnects that one',
    async (line) => {
      await bench.say(line)
      expect(bench.person.commands).toEqual([`disconnect ${retro}`])
    },
  )

  test('on connects one that is off', async () => {
    setState(1, offline)
    await bench.say('account 1 on')
    await bench.say('account on work')
    expect(bench.person.commands).toEqual([`reconnect ${work}`, `reconnect ${work}`])
  })

  test('say when there is nothing to do', async () => {
    setState(1, offline)
    expect(await bench.say('account 0 on')).toEqual(['Account already online'])
    expect(await bench.say('account 1 off')).toEqual(['Account already offline'])
    expect(bench.person.commands).toEqual([])
  })

  test('without an account mean all of them; on leaves out those without auto_connect', async () => {
    await bench.say('account off')
    expect(bench.person.commands).toEqual([`disconnect ${retro}`, `disconnect ${work}`])
    bench.person.commands.length = 0
    setState(0, offline)
    setState(1, offline)
    await bench.say('account work set auto_connect off')
    await bench.say('account on')
    expect(bench.person.commands).toEqual([`reconnect ${retro}`])
    expect(await bench.say('account off')).toEqual(['All accounts are offline already.'])
  })

  test('of an account that there is not, or of several, is refused', async () => {
    expect(await bench.say('account jabber on')).toEqual(['There is no such account. See: account list'])
    expect(await bench.say('account msn off')).toEqual(['Several accounts are called so: retro, work.'])
    expect(await bench.say('account 7 off')).toEqual(['There is no such account. See: account list'])
    expect(bench.person.commands).toEqual([])
  })
})

describe('account del', () => {
  test.each(['account retro del', 'account del retro', 'account 0 d'])(
    '%s logs out and answers the question',
    async (line) => {
      await bench.person.settings.set(accountKey(retro, 'tag'), 'retro')
      bench.person.answers = (said) => {
        if (said === 'yes') bench.person.views = bench.person.views.slice(1)
        return said === 'yes'
          ? ['Logged out of alice@home.example.']
          : ['Log out? Say "yes" within a minute, or "cancel".']
      }
      expect(await bench.say(line)).toEqual(['Account deleted', 'Logged out of alice@home.example.'])
      expect(bench.person.commands).toEqual([`logout ${retro}`, 'yes'])
      expect([...bench.person.settings.values.keys()]).toEqual([])
    },
  )

  test('of one that stands in the config is refused', async () => {
    setState(0, { fixed: true })
    expect(await bench.say('account 0 del')).toEqual([expect.stringContaining('locked')])
    expect(bench.person.commands).toEqual([])
  })

  test('shows why it was not done', async () => {
    bench.person.answers = (said) => (said === 'yes' ? ['There is nothing to confirm.'] : ['retro is in the config.'])
    expect(await bench.say('account 0 del')).toEqual(['retro is in the config.'])
  })
})

describe('account set', () => {
  test('shows all settings of an account, with what it is', async () => {
    const lines = await bench.say('account retro set')
    expect(lines).toContain("tag = `retro'")
    expect(lines).toContain("username = `alice@home.example'")
    expect(lines).toContain("server = `retro'")
    expect(lines).toContain("password = `********' (hidden)")
    expect(lines).toContain("nick_source = `handle'")
  })

  test.each(['account retro set tag home', 'account set retro/tag home', 'account 0 set tag home', 'acc 0 s tag home'])(
    '%s gives it another name',
    async (line) => {
      expect(await bench.say(line)).toEqual(["tag = `home'"])
      expect((await bench.say('account list'))[0]).toBe(' 0 (home): msn, alice@home.example (connected)')
      await bench.say('account home off')
      expect(bench.person.commands).toEqual([`disconnect ${retro}`])
    },
  )

  test('does not take a tag that is another one, a number or a command', async () => {
    for (const tag of ['work', '3', 'on', 'a'])
      expect(await bench.say(`account 0 set tag ${tag}`)).not.toEqual([`tag = \`${tag}'`])
    expect(bench.person.settings.values.size).toBe(0)
  })

  test('display_name goes to the network', async () => {
    expect(await bench.say('account 0 set display_name Alice in Wonderland')).toEqual(['Done.'])
    expect(await bench.say('nick retro')).toEqual(["display_name = `Alice in Wonderland'"])
    await bench.say('nick retro "The White  Rabbit"')
    expect(bench.person.commands).toEqual([
      `set-name Alice in Wonderland ${retro}`,
      `set-name The White  Rabbit ${retro}`,
    ])
  })

  test('display_name that the network did not take is not kept', async () => {
    bench.person.answers = () => ['set-name failed: not connected']
    await bench.say('nick retro Rabbit')
    expect(bench.person.settings.values.size).toBe(0)
  })

  test('password signs in again, by /OPER too', async () => {
    await bench.say(`account 0 set password ${SECRET}`)
    expect(await bench.say('account 1 set password')).toEqual([expect.stringContaining('/OPER')])
    await bench.oper(SECRET)
    expect(bench.person.commands).toEqual(['login retro alice@home.example *', 'login work alice@work.example *'])
    expect(bench.person.settings.values.size).toBe(0)
  })

  test('says what cannot be changed', async () => {
    expect(await bench.say('account 0 set username bob')).toEqual([expect.stringContaining('cannot be changed')])
    expect(await bench.say('account 0 set server example.com')).toEqual([expect.stringContaining('cannot be changed')])
    expect(await bench.say('account 0 set private true')).toEqual([expect.stringContaining('Write: set private')])
  })
})

test('what is none of these gives the usage', async () => {
  for (const line of ['account', 'account o', 'account retro', 'account retro dance'])
    expect((await bench.say(line))[0]).toMatch(/^Syntax: account add/)
})

test('a second account of a network has a number behind its tag', async () => {
  const [first] = bench.person.views
  bench.person.views = first === undefined ? [] : [first, { ...first, id: work, login: work as never }]
  expect((await bench.say('account list'))[1]).toMatch(/^ 1 \(retro2\)/)
})

describe('the own picture', () => {
  const OFFER: FileOffer = { name: 'me.png', address: '127.0.0.1', port: 5000, size: 300 }
  const offered = async (): Promise<readonly string[]> => {
    const from = bench.client.sent.length
    await bench.root.offered(bench.client, OFFER)
    return bench.client.sent.slice(from).map(({ params }) => params[1] ?? '')
  }
  beforeEach(() => {
    const file = { network: '~files' as NetworkId, ref: 'x', name: 'me.png', media: 'image' } as const
    bench.taken = { kind: 'stored', file }
    bench.person.answers = (line) => [`done: ${line}`]
  })

  test('comes by DCC for all accounts', async () => {
    expect(await offered()).toEqual([`done: set-picture ${retro}`, `done: set-picture ${work}`])
    expect(bench.person.commands).toEqual([`set-picture ${retro} <me.png>`, `set-picture ${work} <me.png>`])
    expect(bench.offered).toEqual(['me.png root'])
  })

  test('or for one, once, within five minutes', async () => {
    expect(await bench.say('account 1 set picture dcc')).toEqual([
      'Now offer me the image within five minutes: /dcc send root FILE',
      'It will be for this account alone.',
    ])
    expect(await offered()).toEqual([`done: set-picture ${work}`])
    expect(await offered()).toHaveLength(2)
    await bench.say('account 1 set picture dcc')
    await bench.clock.advance(300_000)
    expect(await offered()).toHaveLength(2)
  })

  test('is shown with where it comes from, and taken back', async () => {
    setState(0, { picture: 'set by alice on irc' })
    expect(await bench.say('account 0 set picture')).toEqual(["picture = `set by alice on irc'"])
    expect(await bench.say('account 0 set -del picture')).toEqual([`done: remove-picture ${retro}`])
    expect(await bench.say('remove-picture')).toEqual(['done: remove-picture'])
  })

  test('that cannot be had, or nobody could show, is told', async () => {
    bench.taken = { kind: 'refused', reason: 'too-large', detail: 'it is too large' }
    expect(await offered()).toEqual(['The picture was not taken: it is too large.'])
    bench.person.views = []
    expect((await offered())[0]).toMatch(/^You have no account/)
    bench.client.person = undefined
    expect((await offered())[0]).toMatch(/identify/)
    expect(bench.person.commands).toEqual([])
  })

  test('what a Messenger plays is shown beside the words, and is not for changing', async () => {
    const own = { name: 'Alice', groups: [], strangers: 'allowed', text: 'at the lake' } as const
    setState(0, { own: { ...own, playing: { title: 'Song', artist: 'Band' } } })
    expect(await bench.say('account 0 set')).toContain("now_playing = `Band - Song'")
    expect(await bench.say('account 0 set status')).toEqual(["status = `at the lake'"])
    expect((await bench.say('account 0 set now_playing x'))[0]).toContain('cannot be changed')
  })
})
