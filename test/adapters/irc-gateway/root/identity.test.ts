import { beforeEach, describe, expect, test } from 'vitest'
import type { AccountId, NetworkId } from '../../../../bridge/model/ids.ts'
import { Bench, FakeClient, SECRET } from './rig.ts'

let bench: Bench
let stranger: FakeClient
beforeEach(() => {
  bench = new Bench()
  stranger = new FakeClient()
})

const say = (line: string) => bench.say(line, 'query', stranger)

describe('a stranger', () => {
  test.each([
    'account list',
    'account',
    'add retro bob@home.example',
    'blist',
    'set',
    'yes',
    'save',
    'drop x',
    'login retro a@b.example',
  ])('hears how to get in when they say %s', async (line) => {
    expect(await say(line)).toEqual([
      expect.stringMatching(/^This server only accepts registered users\..*identify.*register/),
    ])
    expect(bench.person.commands).toEqual([])
  })

  test('gets help', async () => {
    expect(await say('help quickstart')).toContainEqual(expect.stringContaining('register PASSWORD'))
  })
})

describe('register', () => {
  test('makes an account under the nick, and says the next step', async () => {
    expect(await say(`register ${SECRET}`)).toEqual([
      'Account successfully created. From now on say when you connect: identify alice PASSWORD',
      'To use an MSN account that you have say: account add msn you@example.com',
    ])
    expect(bench.users.calls).toEqual(['register alice *'])
    expect(stranger.person).toBe(bench.person)
  })

  test('makes an MSN account with the same password where the bridge has a service, and says how friends find it', async () => {
    const asked: unknown[] = []
    bench.signUp = {
      network: 'retro' as NetworkId,
      domain: 'home.example',
      run: async (request) => {
        asked.push(request)
        return { kind: 'done', account: 'retro:dora@home.example' as AccountId, login: 'dora@home.example' }
      },
    }
    bench.start()
    const lines = await say(`register Dora ${SECRET}`)
    expect(asked).toEqual([
      { from: { network: 'gateway', user: 'dora' }, fromName: 'Dora', name: 'dora', password: SECRET },
    ])
    expect(lines).toEqual([
      expect.stringContaining('identify dora PASSWORD'),
      expect.stringContaining('dora@home.example, with the same password'),
      expect.stringContaining('add retro friend@home.example'),
    ])
  })

  test('says why there is no MSN account, and keeps the one here', async () => {
    bench.signUp = {
      network: 'retro' as NetworkId,
      domain: 'home.example',
      run: async () => ({ kind: 'refused', detail: 'That address is taken.' }),
    }
    bench.start()
    expect(await say(`register ${SECRET}`)).toEqual([
      expect.stringContaining('Account successfully created'),
      'You got no MSN account here: That address is taken.',
      expect.stringContaining('account add msn'),
    ])
  })

  test('without a word asks for the password, which comes by /OPER', async () => {
    expect(await say('register')).toEqual([expect.stringContaining('/OPER')])
    expect(bench.users.calls).toEqual([])
    expect(await bench.oper(SECRET, 'whatever', stranger)).toContainEqual(
      expect.stringContaining('successfully created'),
    )
    expect(bench.users.calls).toEqual(['register alice *'])
  })

  test('says why not', async () => {
    bench.users.refusal = 'Nick is already registered'
    expect(await say(`register ${SECRET}`)).toEqual(['Nick is already registered'])
    expect(stranger.person).toBeUndefined()
  })

  test('is not for those who are in, and takes two words at most', async () => {
    expect(await bench.say(`register ${SECRET}`)).toEqual(['You are identified: you have an account here.'])
    expect(await say('register a b c')).toEqual(['Syntax: register [<account>] <password>', '    or: register'])
    expect(bench.users.calls).toEqual([])
  })
})

describe('identify', () => {
  test('attaches the client', async () => {
    expect(await say(`identify ${SECRET}`)).toEqual(['Password accepted, settings and accounts loaded'])
    expect(stranger.person).toBe(bench.person)
  })

  test('takes a name, and the flags of BitlBee', async () => {
    await say(`identify -noload Dora ${SECRET}`)
    await bench.say(`identify -force ${SECRET}`, 'query', new FakeClient())
    expect(bench.users.calls).toEqual(['identify Dora *', 'identify alice *'])
  })

  test('takes the password by /OPER, asked for or not', async () => {
    expect(await say('identify')).toEqual([expect.stringContaining('/OPER')])
    expect(await bench.oper(SECRET, 'x', stranger)).toEqual(['Password accepted, settings and accounts loaded'])
    const other = new FakeClient()
    expect(await bench.oper(SECRET, 'Dora', other)).toEqual(['Password accepted, settings and accounts loaded'])
    expect(bench.users.calls).toEqual(['identify alice *', 'identify Dora *'])
  })

  test('says why not, and when it is not needed', async () => {
    expect(await bench.say(`identify ${SECRET}`)).toEqual(["You're already logged in."])
    bench.users.refusal = 'Incorrect password'
    expect(await say(`identify ${SECRET}`)).toEqual(['Incorrect password'])
    expect(await say('identify a b c')).toEqual([expect.stringMatching(/^Syntax:/), expect.anything()])
  })
})

describe('/OPER', () => {
  test('is asked for by somebody only, and taken once', async () => {
    expect(await bench.oper(SECRET)).toEqual(['I have not asked for a password.'])
    await bench.say('drop')
    await bench.oper(SECRET)
    expect(await bench.oper(SECRET)).toEqual(['I have not asked for a password.'])
    expect(bench.users.calls).toEqual(['drop alice *'])
  })

  test('is not waited for after five minutes', async () => {
    await bench.say('drop')
    await bench.clock.advance(5 * 60_000)
    expect(await bench.oper(SECRET)).toEqual(['I have not asked for a password.'])
  })

  test('without a password changes nothing', async () => {
    await bench.say('drop')
    expect(await bench.oper('')).toEqual(['That is no password.'])
    expect(bench.users.calls).toEqual([])
  })
})

describe('drop', () => {
  test('takes the account away, and forgets what was asked', async () => {
    await bench.root.ask(bench.person, {
      text: 'bob wants in.',
      choices: [
        { key: 'y', words: 'accept', line: 'accept bob@home.example retro' },
        { key: 'n', words: 'decline', line: 'decline bob@home.example retro' },
      ],
    })
    expect(bench.stored.size).toBe(1)
    expect(await bench.say(`drop ${SECRET}`)).toEqual(["Account `alice' removed"])
    expect(bench.stored.size).toBe(0)
  })

  test('says why not', async () => {
    bench.users.refusal = 'Password invalid'
    expect(await bench.say(`drop ${SECRET}`)).toEqual(['Password invalid'])
  })
})

test('save says that everything is kept', async () => {
  expect(await bench.say('save')).toEqual([expect.stringContaining('Configuration saved')])
})
