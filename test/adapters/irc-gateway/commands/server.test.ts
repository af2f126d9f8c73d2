import { describe, expect, test } from 'vitest'
import { Rig } from './rig.ts'

describe('somebody asks the server', () => {
  const rows: readonly (readonly [line: string, answers: readonly string[]])[] = [
    [
      'MOTD',
      [
        ':localhost 375 alice :- localhost Message of the day - ',
        ':localhost 372 alice :- Welcome',
        ':localhost 376 alice :End of /MOTD command',
      ],
    ],
    [
      'LUSERS',
      [
        ':localhost 251 alice :There are 2 users and 0 invisible on 1 servers',
        ':localhost 252 alice 0 :operator(s) online',
        ':localhost 253 alice 1 :unknown connection(s)',
        ':localhost 254 alice 1 :channels formed',
        ':localhost 255 alice :I have 3 clients and 0 servers',
      ],
    ],
    ['VERSION', [':localhost 351 alice msn-bridge-1.0 localhost :MSN in your IRC client']],
    ['TIME', [':localhost 391 alice localhost 2004-01-01T00:00:00.000Z']],
    ['STATS u', [':localhost 242 alice :Server Up 0 days 01:01:01', ':localhost 219 alice u :End of /STATS report']],
    ['STATS', [':localhost 219 alice * :End of /STATS report']],
    ['LINKS', [':localhost 364 alice localhost localhost :0 msn-bridge', ':localhost 365 alice * :End of /LINKS list']],
    ['USERS', [':localhost 265 alice 2 2 :Current local users 2, max 2']],
    ['PING token', [':localhost PONG localhost :token']],
    ['PING', [':localhost 409 alice :No origin specified']],
    ['PONG x', []],
    ['PROTOCTL NAMESX', []],
    ['PASS x', [':localhost 462 alice :You may not reregister']],
    ['USER a b c d', [':localhost 462 alice :You may not reregister']],
    ['OPER alice', [':localhost 461 alice OPER :Not enough parameters']],
    ['REHASH', [":localhost 481 alice :Permission Denied- You're not an IRC operator"]],
    ['DIE', [":localhost 481 alice :Permission Denied- You're not an IRC operator"]],
    ['KILL bob :x', [":localhost 481 alice :Permission Denied- You're not an IRC operator"]],
    ['FROBNICATE now', [':localhost 421 alice FROBNICATE :Unknown command']],
    ['TOSTRING', [':localhost 421 alice TOSTRING :Unknown command']],
    ['HELP nonsense', [':localhost 524 alice NONSENSE :Help not found']],
    [
      'HELPOP away',
      [
        ':localhost 704 alice AWAY :AWAY [words]',
        ':localhost 705 alice AWAY :Shows you on MSN as away. The words may begin with a state: Away, Busy, BRB, Phone, Lunch.',
        ':localhost 706 alice AWAY :End of /HELP',
      ],
    ],
  ]
  test.each(rows)('%s', async (line, answers) => {
    const rig = new Rig()
    expect(await rig.ask(rig.client(), line)).toEqual(answers)
  })

  test.each(['ADMIN', 'INFO', 'HELP'])('%s ends as it should', async (line) => {
    const rig = new Rig()
    const lines = await rig.ask(rig.client(), line)
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.at(-1)).toMatch(/^:localhost (259|374|706) alice /)
  })

  test('a password that is typed as /oper reaches root, and nobody else', async () => {
    const rig = new Rig()
    expect(await rig.ask(rig.client(), 'OPER alice :my secret')).toEqual([])
    expect(rig.toRoot).toEqual(['oper alice my secret'])
  })
})

test('a handler that fails is answered and logged, without the words of the line', async () => {
  const rig = new Rig()
  rig.person.result = () => Promise.reject(new Error('oops'))
  expect(await rig.ask(rig.client(), 'PRIVMSG bob :my secret')).toEqual([
    ':localhost 400 alice PRIVMSG :That failed here; the operator finds it in the log',
  ])
  expect(rig.logged.join()).toContain('a command of a client failed')
  expect(rig.logged.join()).not.toContain('secret')
})
