import { describe, expect, it } from 'vitest'
import { MisuseError } from '../../../../sansio/machine.ts'
import { checked, ClientBench, SECRET } from './bench.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const plain = (account: string, password = SECRET, actsFor = ''): string =>
  base64(`${actsFor}\0${account}\0${password}`)
const registered = (nick: string, account?: string, username = nick, realname = nick) => ({
  kind: 'registered',
  nick,
  username,
  realname,
  account,
})

describe('the first words of real clients', () => {
  it('irssi 1.4: JOIN without a channel, lower case, SASL (notes, 6)', () => {
    const irssi = new ClientBench({ check: checked })
    irssi.say('CAP LS 302', 'JOIN :')
    const [ls = ''] = irssi.read()
    expect(ls).toMatch(/^:gw CAP \* LS :sasl=PLAIN server-time /)
    irssi.say('CAP REQ :multi-prefix extended-join setname account-notify chghost sasl server-time')
    expect(irssi.read()).toEqual([
      ':gw CAP * ACK :multi-prefix extended-join setname account-notify chghost sasl server-time',
    ])
    irssi.say('AUTHENTICATE PLAIN')
    expect(irssi.read()).toEqual(['AUTHENTICATE +'])
    irssi.say(`AUTHENTICATE ${plain('alice', SECRET, 'alice')}`)
    expect(irssi.read()).toEqual([
      ':gw 900 * *!*@127.0.0.1 alice :You are now logged in as alice',
      ':gw 903 * :SASL authentication successful',
    ])
    irssi.say('CAP END', 'nick alice', 'user alice alice 127.0.0.1 :Alice')
    expect(irssi.read().map((line) => line.split(' ')[1])).toEqual(['001', '002', '003', '004', '005', '005', '422'])
    irssi.say('mode alice +i', 'WHO &bitlbee %tcuhnfrao,743')
    expect(irssi.events.at(-3)).toEqual(registered('alice', 'alice', 'alice', 'Alice'))
    expect(irssi.lines).toEqual(['MODE alice|+i', 'WHO &bitlbee|%tcuhnfrao,743'])
  })

  it('WeeChat 3.8: PING before the registration is over (notes, 6)', () => {
    const wee = new ClientBench()
    wee.say('CAP LS 302', 'NICK wee', 'USER wee 0 * :wee', 'PING gw')
    expect(wee.read().slice(1)).toEqual([':gw PONG gw :gw'])
    wee.say('CAP REQ :batch echo-message', 'CAP END')
    expect(wee.events.at(-1)).toEqual(registered('wee'))
  })

  it('ii 1.8: NICK and USER, nothing else (notes, 6)', () => {
    const ii = new ClientBench().bytes(Buffer.from('NICK iiuser\r\nUSER iiuser localhost 127.0.0.1 :iiuser\r\n'))
    expect(ii.events).toEqual([registered('iiuser')])
    expect(ii.read()[0]).toBe(':gw 001 iiuser :Welcome to the MSN network, iiuser!iiuser@127.0.0.1')
  })

  it('irc-framework 4.14: CAP END at 900 already, before 903 (notes, 2)', () => {
    const bot = new ClientBench()
    bot.say('CAP LS 302', 'NICK bot', 'USER bot 0 * :bot', 'CAP REQ :sasl message-tags', 'AUTHENTICATE PLAIN')
    bot.say(`AUTHENTICATE ${plain('bot')}`, 'CAP END')
    expect(bot.kinds()).toEqual(['caps', 'caps', 'credentials'])
    bot.command({ kind: 'authenticated', account: 'bot', nick: '' })
    expect(
      bot
        .read()
        .slice(3, 6)
        .map((line) => line.split(' ')[1]),
    ).toEqual(['900', '903', '001'])
    expect(bot.events.at(-1)).toEqual(registered('bot', 'bot'))
  })

  it('HexChat 2.16: PASS, and USER with its host and port', () => {
    const hex = new ClientBench({ check: checked })
    hex.say('CAP LS 302', `PASS :${SECRET}`, 'NICK hex', 'USER hex 0 * :realname', 'CAP REQ :away-notify', 'CAP END')
    expect(hex.events.find(({ kind }) => kind === 'credentials')).toEqual({
      kind: 'credentials',
      by: 'pass',
      account: 'hex',
      password: SECRET,
    })
    expect(hex.events.at(-1)).toEqual(registered('hex', 'hex', 'hex', 'realname'))
  })
})

describe('the welcome', () => {
  it('is 001 to 005 with at most 13 tokens a line, and the message of the day', () => {
    const bench = new ClientBench({ motd: ['Hello.', ''], createdAt: Date.UTC(2004, 0, 1) })
    bench.say('NICK alice', 'USER alice 0 * :Alice')
    const lines = bench.read()
    expect(lines.slice(1, 4)).toEqual([
      ':gw 002 alice :Your host is gw, running version msn-bridge-1',
      ':gw 003 alice :This server was created Thu, 01 Jan 2004 00:00:00 GMT',
      ':gw 004 alice gw msn-bridge-1 aiow Cnthov hov',
    ])
    const tokens = lines.filter((line) => line.startsWith(':gw 005 ')).map((line) => line.split(' ').slice(3, -5))
    expect(tokens.map(({ length }) => length)).toEqual([13, 8])
    expect(tokens.flat()).toContain('PREFIX=(ohv)@%+')
    expect(lines.slice(-4)).toEqual([
      ':gw 375 alice :- gw Message of the day -',
      ':gw 372 alice :- Hello.',
      ':gw 372 alice :- ',
      ':gw 376 alice :End of /MOTD command',
    ])
  })

  it('is written before anybody hears of the client', () => {
    const bench = new ClientBench().say('NICK alice', 'USER alice 0 * :Alice', 'JOIN &bitlbee')
    expect(bench.trace.slice(-3).map((step) => step.slice(0, 20))).toEqual([
      ':gw 422 alice :MOTD ',
      '[{"kind":"registered',
      '[{"kind":"line","lin',
    ])
  })

  it('is followed by the nick that our side gives, which every client understands', () => {
    const bench = new ClientBench({
      check: () => ({ kind: 'authenticated', account: 'alice', nick: 'Alice', mask: 'Alice!alice@home.example' }),
    })
    bench.say('PASS alice:x', 'NICK al', 'USER whoever 0 * :Alice')
    expect(bench.read().at(-1)).toBe(':al!alice@home.example NICK :Alice')
    expect(bench.events.at(-1)).toEqual(registered('Alice', 'alice', 'alice', 'Alice'))
    expect(bench.machine.mask).toBe('Alice!alice@home.example')
  })
})

describe('NICK and USER before the registration', () => {
  it.each([
    ['NICK', ':gw 431 * :No nickname given'],
    ['NICK :', ':gw 431 * :No nickname given'],
    ['NICK 1st', ':gw 432 * 1st :Erroneous nickname'],
    ['NICK a!b', ':gw 432 * a!b :Erroneous nickname'],
    ['NICK &bitlbee', ':gw 432 * &bitlbee :Erroneous nickname'],
    ['NICK Root', ':gw 433 * Root :Nickname is already in use'],
    ['USER alice', ':gw 461 * USER :Not enough parameters'],
    ['USER alice 0 *', ':gw 461 * USER :Not enough parameters'],
    ['PASS', ':gw 461 * PASS :Not enough parameters'],
    ['CAP', ':gw 461 * CAP :Not enough parameters'],
    ['PRIVMSG root :hi', ':gw 451 * :You have not registered'],
    ['JOIN #a', ':gw 451 * :You have not registered'],
    ['NONSENSE', ':gw 451 * :You have not registered'],
    ['PING', ':gw 409 * :No origin specified'],
    ['CAP FOO', ':gw 410 * FOO :Invalid CAP command'],
  ])('%s -> %s (RFC 2812, 3.1)', (line, answer) => {
    const bench = new ClientBench().say(line)
    expect(bench.read()).toEqual([answer])
    expect(bench.events).toEqual([])
    expect(bench.closed).toBeUndefined()
  })

  it('cuts what is longer than 005 will say, and takes characters out of a user name that a mask has no place for', () => {
    const bench = new ClientBench().say(`NICK ${'é'.repeat(40)}`, `USER a@b!c:d 0 * :${'x'.repeat(200)}`)
    expect(bench.machine.nick).toBe('é'.repeat(32))
    expect(bench.machine.username).toBe('abcd')
    expect(bench.machine.realname).toHaveLength(150)
    expect(new ClientBench().say('USER @ 0 * :x').machine.username).toBe('user')
  })

  it('takes the last of several', () => {
    const bench = new ClientBench().say('NICK one', 'NICK two', 'USER a 0 * :A')
    expect(bench.events).toEqual([registered('two', undefined, 'a', 'A')])
  })
})

describe('PASS', () => {
  it.each([
    ['PASS alice@example.com:pa:ss', 'alice@example.com', 'pa:ss'],
    ['PASS :correct horse', 'al', 'correct horse'],
    ['PASS ::secret', 'al', 'secret'],
  ])('%s is of %s', (line, account, password) => {
    const bench = new ClientBench().say(line, 'NICK al', 'USER al 0 * :Al')
    expect(bench.events).toEqual([{ kind: 'credentials', by: 'pass', account, password }])
    expect(bench.read()).toEqual([])
  })

  it('that is wrong ends the connection with 464, and what came behind it is never seen', () => {
    const bench = new ClientBench().say('PASS no', 'NICK al', 'USER al 0 * :Al', 'JOIN #a')
    bench.command({ kind: 'rejected', detail: '', retry: true })
    expect(bench.read()).toEqual([
      ':gw 464 al :Password incorrect',
      'ERROR :Closing link: (al@127.0.0.1) [Access denied]',
    ])
    expect(bench.closed).toEqual({ kind: 'done' })
    expect(bench.kinds()).toEqual(['credentials'])
  })

  it('that is being checked lets commands wait, not PING', () => {
    const bench = new ClientBench().say('PASS yes', 'NICK al', 'USER al 0 * :Al', 'JOIN #a', 'PING now', 'WHO #a')
    expect(bench.read()).toEqual([':gw PONG gw :now'])
    bench.command({ kind: 'authenticated', account: 'al', nick: 'al' })
    expect(bench.read()[0]).toBe(':gw 900 al al!al@127.0.0.1 al :You are now logged in as al')
    expect(bench.kinds()).toEqual(['credentials', 'registered', 'line', 'line'])
    expect(bench.lines).toEqual(['JOIN #a', 'WHO #a'])
  })

  it('is not asked for again after SASL, and comes too late after the registration', () => {
    const bench = new ClientBench({ check: checked })
    bench.say('CAP REQ sasl', 'PASS other', 'AUTHENTICATE PLAIN', `AUTHENTICATE ${plain('alice')}`, 'CAP END')
    bench.say('NICK alice', 'USER alice 0 * :Alice')
    expect(bench.kinds()).toEqual(['caps', 'credentials', 'registered'])
    bench.read()
    bench.say('PASS x', 'USER a b c d')
    expect(bench.read()).toEqual([':gw 462 alice :You may not reregister', ':gw 462 alice :You may not reregister'])
  })
})

describe('AUTHENTICATE (IRCv3 sasl-3.1, RFC 4616)', () => {
  const sasl = () => {
    const bench = new ClientBench({ check: checked }).say('CAP REQ :sasl', 'NICK alice', 'USER alice 0 * :Alice')
    bench.read()
    return bench
  }
  const FAILED = ':gw 904 alice :SASL authentication failed'

  it('takes 400-byte chunks, the last of which may be empty', () => {
    const bench = sasl().say('AUTHENTICATE PLAIN')
    // 300 bytes make exactly 400 of base64.
    const password = 'x'.repeat(300 - '\0alice\0'.length)
    bench.say(`AUTHENTICATE ${base64(`\0alice\0${password}`)}`)
    expect(bench.kinds()).toEqual(['caps'])
    bench.say('AUTHENTICATE +')
    expect(bench.events.at(-1)).toEqual({ kind: 'credentials', by: 'sasl', account: 'alice', password })
    const long = 'y'.repeat(500)
    const words = base64(`\0alice\0${long}`)
    bench.say('AUTHENTICATE plain', `AUTHENTICATE ${words.slice(0, 400)}`, `AUTHENTICATE ${words.slice(400)}`)
    expect(bench.events.at(-1)).toEqual({ kind: 'credentials', by: 'sasl', account: 'alice', password: long })
  })

  it.each([
    ['AUTHENTICATE *', ':gw 906 alice :SASL authentication aborted'],
    ['AUTHENTICATE +', FAILED],
    ['AUTHENTICATE !!!!', FAILED],
    ['AUTHENTICATE YQ', FAILED],
    [`AUTHENTICATE ${base64('alice\0pass')}`, FAILED],
    [`AUTHENTICATE ${base64('\0alice\0a\0b')}`, FAILED],
    [`AUTHENTICATE ${base64('\0\0pass')}`, FAILED],
    [`AUTHENTICATE ${base64('\0alice\0')}`, FAILED],
    [`AUTHENTICATE ${plain('alice', SECRET, 'bob')}`, FAILED],
    [`AUTHENTICATE ${Buffer.from('\0alice\0\xff', 'latin1').toString('base64')}`, FAILED],
    [`AUTHENTICATE ${plain('alice', 'wrong')}`, ':gw 904 alice :Wrong password'],
    [`AUTHENTICATE ${'A'.repeat(401)}`, ':gw 905 alice :SASL message too long'],
  ])('%s is refused, and may be tried again', (line, answer) => {
    const bench = sasl().say('AUTHENTICATE PLAIN')
    bench.read()
    bench.say(line)
    expect(bench.read()).toEqual([answer])
    bench.say('AUTHENTICATE PLAIN', `AUTHENTICATE ${plain('alice')}`)
    expect(bench.read().at(-1)).toBe(':gw 903 alice :SASL authentication successful')
    bench.say('AUTHENTICATE PLAIN')
    expect(bench.read()).toEqual([':gw 907 alice :You have already authenticated using SASL'])
  })

  it('names its mechanisms to who asks for another', () => {
    const bench = sasl().say('AUTHENTICATE EXTERNAL')
    expect(bench.read()).toEqual([':gw 908 alice PLAIN :are available SASL mechanisms', FAILED])
  })

  it('does not collect chunks without end', () => {
    const bench = sasl().say('AUTHENTICATE PLAIN')
    bench.read()
    for (let chunk = 0; chunk < 11; chunk++) bench.say(`AUTHENTICATE ${'A'.repeat(400)}`)
    expect(bench.read()).toEqual([':gw 905 alice :SASL message too long'])
  })

  it('is aborted when the client ends the negotiation in the middle, and goes on without an account', () => {
    const bench = sasl().say('AUTHENTICATE PLAIN', 'CAP END')
    expect(bench.read().slice(1, 3)).toEqual([
      ':gw 906 alice :SASL authentication aborted',
      ':gw 001 alice :Welcome to the MSN network, alice!alice@127.0.0.1',
    ])
    expect(bench.events.at(-1)).toEqual(registered('alice', undefined, 'alice', 'Alice'))
  })

  it('ends the connection when our side says that trying again is useless', () => {
    const bench = new ClientBench().say('CAP REQ :sasl', 'AUTHENTICATE PLAIN', `AUTHENTICATE ${plain('a')}`)
    bench.command({ kind: 'rejected', detail: 'Too many attempts', retry: false })
    expect(bench.read().slice(-2)).toEqual([
      ':gw 904 * :Too many attempts',
      'ERROR :Closing link: (*@127.0.0.1) [Access denied]',
    ])
    expect(bench.closed).toEqual({ kind: 'done' })
  })

  it('is over after the registration', () => {
    const bench = new ClientBench().say('NICK a', 'USER a 0 * :a')
    bench.read()
    bench.say('AUTHENTICATE PLAIN')
    expect(bench.read()).toEqual([':gw 907 a :You have already authenticated using SASL'])
  })
})

describe('our own mistakes', () => {
  it('are thrown: an answer that nobody asked for, a name before there is one', () => {
    const bench = new ClientBench()
    expect(() => bench.command({ kind: 'authenticated', account: 'a', nick: 'a' })).toThrow(MisuseError)
    expect(() => bench.command({ kind: 'rejected', detail: '', retry: true })).toThrow(MisuseError)
    expect(() => bench.command({ kind: 'rename', nick: 'a' })).toThrow(MisuseError)
  })

  it('are none when the client has gone in the meantime', () => {
    const bench = new ClientBench().say('PASS a', 'NICK a', 'USER a 0 * :a', 'QUIT')
    bench.read()
    bench.command({ kind: 'authenticated', account: 'a', nick: 'a' })
    bench.command({ kind: 'rename', nick: 'b' })
    expect(bench.read()).toEqual([])
    expect(bench.kinds()).toEqual(['credentials'])
  })
})
