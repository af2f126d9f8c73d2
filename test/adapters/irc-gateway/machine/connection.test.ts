import { describe, expect, it } from 'vitest'
import { CAP_NAMES } from '../../../../adapters/irc-gateway/wire/caps.ts'
import { ClientBench, inside } from './bench.ts'

describe('CAP (IRCv3 capability-negotiation)', () => {
  it('names values to those who say 302 or more, and to them only', () => {
    const of = (line: string): readonly string[] =>
      new ClientBench().say(line).read()[0]?.split(' :')[1]?.split(' ') ?? []
    expect(of('CAP LS')).toEqual(CAP_NAMES)
    expect(of('CAP LS 301')[0]).toBe('sasl')
    expect(of('CAP LS 302')[0]).toBe('sasl=PLAIN')
    expect(of('cap ls 307')[0]).toBe('sasl=PLAIN')
  })

  it('continues a list that is too long, marked with an asterisk from 302 on', () => {
    const server = 'a-very-long-name.'.repeat(15)
    const modern = new ClientBench({ server }).say('CAP LS 302').read()
    expect(modern.length).toBeGreaterThan(1)
    for (const line of modern) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(510)
    expect(modern.map((line) => line.includes(' LS * :'))).toEqual(modern.map((_, index) => index < modern.length - 1))
    expect(modern.flatMap((line) => line.split(' :')[1]?.split(' ')).join(' ')).toBe(
      CAP_NAMES.join(' ').replace('sasl', 'sasl=PLAIN'),
    )
    const old = new ClientBench({ server }).say('CAP LS').read()
    expect(old.length).toBe(modern.length)
    expect(old.some((line) => line.includes(' LS * :'))).toBe(false)
  })

  it('holds the registration until END, after REQ as after LS', () => {
    for (const first of ['CAP LS', 'CAP REQ :batch', 'CAP REQ :nonsense']) {
      const bench = new ClientBench().say(first, 'NICK a', 'USER a 0 * :a')
      expect(bench.kinds()).not.toContain('registered')
      expect(bench.say('CAP END').kinds()).toContain('registered')
    }
    expect(new ClientBench().say('CAP LIST', 'NICK a', 'USER a 0 * :a').kinds()).toContain('registered')
  })

  it('grants a request as a whole or not at all', () => {
    const bench = new ClientBench().say(
      'CAP REQ :batch unheard-of',
      'CAP REQ :batch  setname ',
      'CAP REQ batch -setname -batch',
    )
    bench.say('CAP REQ :sasl=PLAIN', 'CAP REQ :constructor', 'CAP REQ :', 'CAP LIST')
    expect(bench.read()).toEqual([
      ':gw CAP * NAK :batch unheard-of',
      ':gw CAP * ACK :batch setname',
      ':gw CAP * ACK :batch -setname -batch',
      ':gw CAP * NAK :sasl=PLAIN',
      ':gw CAP * NAK :constructor',
      ':gw CAP * ACK :',
      ':gw CAP * LIST :',
    ])
    expect(bench.events).toEqual([
      { kind: 'caps', enabled: new Set(['batch', 'setname']) },
      { kind: 'caps', enabled: new Set() },
    ])
  })

  it('takes the words of a request from left to right', () => {
    const bench = new ClientBench().say('CAP REQ :batch -batch setname')
    expect([...bench.machine.caps]).toEqual(['setname'])
  })

  it('switches cap-notify on with 302, and never off again; by itself it goes both ways', () => {
    const modern = new ClientBench().say('CAP LS 302')
    modern.read()
    modern.say('CAP REQ :cap-notify', 'CAP REQ :-cap-notify', 'CAP LS', 'CAP LIST')
    expect(modern.read().map((line) => line.slice(0, 40))).toEqual([
      ':gw CAP * ACK :cap-notify',
      ':gw CAP * NAK :-cap-notify',
      ':gw CAP * LS :sasl server-time message-t',
      ':gw CAP * LIST :cap-notify',
    ])
    expect(modern.kinds()).toEqual(['caps'])
    const old = new ClientBench().say('CAP REQ :cap-notify', 'CAP REQ :-cap-notify')
    expect(old.read()[1]).toBe(':gw CAP * ACK :-cap-notify')
  })

  it('works after the registration, where END means nothing', () => {
    const bench = inside().say('CAP REQ :batch', 'CAP END', 'CAP LIST')
    expect(bench.read()).toEqual([':gw CAP alice ACK :batch', ':gw CAP alice LIST :batch'])
    expect(bench.kinds()).toEqual(['caps'])
  })
})

describe('after the registration', () => {
  it('every command is given out in order, known or not, with its tags', () => {
    const bench = inside('message-tags').say('NICK bob', 'JOIN #a,#b', '@+typing=active;x TAGMSG bob', 'nonsense :a b')
    expect(bench.lines).toEqual(['NICK bob', 'JOIN #a,#b', 'TAGMSG bob', 'NONSENSE a b'])
    const tags = bench.events.flatMap((event) => (event.kind === 'line' ? [Object.fromEntries(event.line.tags)] : []))
    expect(tags[2]).toEqual({ '+typing': 'active', x: '' })
    expect(bench.read()).toEqual([])
  })

  it('sends what it is told to, in one write, with the tags that the client knows', () => {
    const bench = inside('server-time')
    bench.command({
      kind: 'send',
      messages: [
        { source: 'bob!bob@x', verb: 'PRIVMSG', params: ['alice', 'hi'], tags: { time: 'T', msgid: '1' } },
        { verb: '318', params: ['alice', 'bob', 'End'] },
      ],
    })
    expect(bench.read()).toEqual(['@time=T :bob!bob@x PRIVMSG alice :hi', ':gw 318 alice bob End'])
  })

  it('gives another nick, under which replies go from then on', () => {
    const bench = inside().command({ kind: 'rename', nick: 'bob' }).say('CAP FOO')
    expect(bench.read()).toEqual([':alice!alice@127.0.0.1 NICK :bob', ':gw 410 bob FOO :Invalid CAP command'])
    expect(bench.machine.mask).toBe('bob!alice@127.0.0.1')
  })

  it('says good-bye to QUIT, and to nobody any more after it', () => {
    const bench = inside().say('QUIT :see you', 'PRIVMSG bob :too late')
    expect(bench.events).toEqual([{ kind: 'quit', reason: 'see you' }])
    expect(bench.read()).toEqual(['ERROR :Closing link: (alice@127.0.0.1) [Quit: see you]'])
    expect(bench.closed).toEqual({ kind: 'done' })
    expect(bench.say('PING x').bytes(null).wait(1e6).read()).toEqual([])
    expect(bench.machine.wakeAt).toBeUndefined()
  })

  it('closes on command, without an event', () => {
    const bench = inside().command({ kind: 'close', reason: 'Replaced\r\nQUIT' })
    expect(bench.read()).toEqual(['ERROR :Closing link: (alice@127.0.0.1) [Replaced QUIT]'])
    expect(bench.events).toEqual([])
    expect(bench.closed).toEqual({ kind: 'done' })
  })

  it('takes the end of the stream for an end, and a line that it cut off for none', () => {
    const bench = inside().bytes(Buffer.from('PRIVMSG bob :whole\nPRIVMSG bob :hal')).bytes(null)
    expect(bench.lines).toEqual(['PRIVMSG bob|whole'])
    expect(bench.events.at(-1)).toEqual({ kind: 'quit', reason: 'Connection closed' })
    expect(bench.closed).toEqual({ kind: 'lost', detail: 'end of stream' })
  })

  it('writes an address with colons so that it is no trailing parameter', () => {
    expect(inside('', { address: '::1' }).machine.mask).toBe('alice!alice@0::1')
  })
})

describe('labels (IRCv3 labeled-response)', () => {
  const CAPS = 'batch labeled-response'

  it('are on the one line of an answer', () => {
    const bench = inside(CAPS).say(
      '@label=a PING x',
      '@label=b CAP LIST',
      '@label=c USER x',
      '@label=d AUTHENTICATE PLAIN',
    )
    expect(bench.read()).toEqual([
      '@label=a :gw PONG gw :x',
      '@label=b :gw CAP alice LIST :labeled-response batch',
      '@label=c :gw 461 alice USER :Not enough parameters',
      '@label=d :gw 907 alice :You have already authenticated using SASL',
    ])
  })

  it('give ACK where there is nothing to say', () => {
    const bench = inside(CAPS).say('@label=abc PONG :foobar', '@label=d CAP END')
    expect(bench.read()).toEqual(['@label=abc :gw ACK', '@label=d :gw ACK'])
  })

  it('give a batch where there are several lines', () => {
    const bench = new ClientBench({ server: 'a-very-long-name.'.repeat(15) }).say(`CAP REQ :${CAPS}`)
    bench.read()
    const lines = bench.say('@label=x CAP LS 302').read()
    const server = `:${'a-very-long-name.'.repeat(15)}`
    expect(lines[0]).toBe(`@label=x ${server} BATCH +m-1 labeled-response`)
    expect(lines.slice(1, -1).every((line) => line.startsWith(`@batch=m-1 ${server} CAP * LS `))).toBe(true)
    expect(lines.at(-1)).toBe(`${server} BATCH -m-1`)
    expect(lines.length).toBeGreaterThan(3)
  })

  it('reach whoever answers the other commands, and no answer of theirs is made up here', () => {
    const bench = inside(CAPS).say('@label=a WHOIS bob')
    expect(bench.read()).toEqual([])
    const [event] = bench.events
    expect(event?.kind === 'line' ? event.line.tags.get('label') : undefined).toBe('a')
  })

  it.each([
    ['without batch', 'labeled-response', 'a'],
    ['without having been asked for', 'batch', 'a'],
    ['of more than 64 bytes', CAPS, 'a'.repeat(65)],
    ['that are empty', CAPS, ''],
  ])('%s mean nothing', (_, caps, label) => {
    expect(inside(caps).say(`@label=${label} PING x`).read()).toEqual([':gw PONG gw :x'])
  })
})

describe('what is no line', () => {
  it.each([
    ['a line of 513 bytes', `PRIVMSG bob :${'x'.repeat(498)}`],
    ['tags of 4095 bytes (IRCv3 message-tags, size limit)', `@${'t'.repeat(4095)} PING x`],
    ['tags without an end', `@${'t'.repeat(9_000)}`],
    ['a line of 60 kB', 'x'.repeat(60_000)],
  ])('%s gives 417 and is passed over', (_, line) => {
    const bench = inside().say(line, 'PING after')
    expect(bench.read()).toEqual([':gw 417 alice :Input line was too long', ':gw PONG gw :after'])
    expect(bench.closed).toBeUndefined()
  })

  it('exactly as much is one', () => {
    const text = `PRIVMSG bob :${'x'.repeat(497)}`
    const bench = inside('message-tags').say(`@${'t'.repeat(4094)} ${text}`)
    expect(bench.lines).toEqual([text.replace(' :', '|')])
  })

  it('a line that does not end at all ends the connection', () => {
    const bench = inside()
    for (let piece = 0; piece < 80; piece++) bench.bytes(Buffer.alloc(1_000, 'x'))
    expect(bench.read()).toEqual([
      ':gw 417 alice :Input line was too long',
      'ERROR :Closing link: (alice@127.0.0.1) [Input line was too long]',
    ])
    expect(bench.closed).toMatchObject({ kind: 'peer-violation', detail: 'a line without an end' })
    expect(bench.events.at(-1)).toEqual({ kind: 'quit', reason: 'Input line was too long' })
  })

  it('what is no UTF-8 is refused by FAIL, or by a notice to those who do not know it (IRCv3 utf8-only)', () => {
    const line = Buffer.from('PRIVMSG bob :gr\xfc\xdfe\r\nPING x\r\n', 'latin1')
    const words = 'Message rejected, your IRC software MUST use UTF-8 encoding on this network'
    expect(inside('standard-replies').bytes(line).read()).toEqual([
      `:gw FAIL * INVALID_UTF8 :${words}`,
      ':gw PONG gw :x',
    ])
    expect(inside().bytes(line).read()).toEqual([`:gw NOTICE alice :${words}`, ':gw PONG gw :x'])
    expect(inside().bytes(line).events).toEqual([])
  })

  it('NUL is left out, empty lines are passed over, LF alone ends a line', () => {
    const bench = inside().bytes(Buffer.from('\r\n\n  \r\nPRIV\0MSG bob :a\0b\nPING\r\r\n'))
    expect(bench.lines).toEqual(['PRIVMSG bob|ab'])
    expect(bench.read()).toEqual([':gw 409 alice :No origin specified'])
  })

  it('a web page gets no further than its first word', () => {
    const bench = new ClientBench().say('POST / HTTP/1.1', 'Host: gw', '', 'NICK a', 'USER a 0 * :a')
    expect(bench.closed).toEqual({ kind: 'peer-violation', detail: 'a browser', at: { verb: 'POST', length: 0 } })
    expect(bench.events).toEqual([])
  })
})

describe('more lines than may be read at once', () => {
  const limits = { lineRate: { burst: 5, intervalMs: 1_000 }, maxPendingLines: 10 }
  /** NICK and USER were two of the burst. */
  const busy = () => inside('', { limits }).wait(10_000)
  const paste = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => `PRIVMSG bob :${n}`)

  it('wait for their turn, none is lost and none overtakes', () => {
    const bench = busy().say(...paste(12))
    expect(bench.lines).toHaveLength(5)
    bench.wait(2_500)
    expect(bench.lines).toHaveLength(7)
    bench.say('PRIVMSG bob :last').wait(20_000)
    expect(bench.lines).toEqual([...paste(12), 'PRIVMSG bob :last'].map((line) => line.replace(' :', '|')))
    expect(bench.closed).toBeUndefined()
  })

  it('are not overtaken by one that comes when their time has come, either', () => {
    const bench = busy().say(...paste(7))
    bench.now += 5_000
    bench.say('PRIVMSG bob :last').wait(10_000)
    expect(bench.lines.slice(-3)).toEqual(['PRIVMSG bob|5', 'PRIVMSG bob|6', 'PRIVMSG bob|last'])
  })

  it('are overtaken by PING, PONG and the confirmation that it brings (notes, 1)', () => {
    const bench = busy()
      .say(...paste(8))
      .command({ kind: 'confirm', token: 't' })
    bench.say('PONG :t', 'PING x')
    expect(bench.read()).toEqual(['PING :t', ':gw PONG gw :x'])
    expect(bench.events.at(-1)).toEqual({ kind: 'confirmed', token: 't' })
    expect(bench.lines).toHaveLength(5)
  })

  it('are all given out before their writer leaves', () => {
    for (const leave of ['QUIT', null]) {
      const bench = busy().say(...paste(9))
      if (leave === null) bench.bytes(null)
      else bench.say(leave)
      expect(bench.lines).toHaveLength(9)
      expect(bench.events.at(-1)?.kind).toBe('quit')
    }
  })

  it('end the connection when there are far too many', () => {
    const bench = busy().say(...paste(16))
    expect(bench.read()).toEqual(['ERROR :Closing link: (alice@127.0.0.1) [Excess Flood]'])
    expect(bench.closed).toMatchObject({ kind: 'peer-violation', detail: 'too many lines' })
    expect(bench.events.at(-1)).toEqual({ kind: 'quit', reason: 'Excess Flood' })
    const bytes = inside('', { limits: { ...limits, maxPendingLines: 1e6, maxPendingBytes: 4_000 } })
    bytes.say(...Array.from({ length: 20 }, () => `PRIVMSG bob :${'x'.repeat(400)}`))
    expect(bytes.closed?.kind).toBe('peer-violation')
  })

  it('are lines of somebody who is not in yet, too', () => {
    const bench = new ClientBench({ limits }).say(...Array.from({ length: 8 }, () => 'NICK 1'))
    expect(bench.read()).toHaveLength(5)
    expect(bench.wait(1_000).read()).toHaveLength(1)
  })
})

describe('silence', () => {
  it('before the registration is over is ended after a minute', () => {
    const bench = new ClientBench().say('CAP LS 302', 'NICK a').wait(59_999)
    expect(bench.closed).toBeUndefined()
    bench.say('PING x').wait(1)
    expect(bench.read().at(-1)).toBe('ERROR :Closing link: (*@127.0.0.1) [Registration timed out]')
    expect(bench.closed).toEqual({ kind: 'timeout', waitingFor: 'registration' })
    expect(bench.kinds()).toEqual(['caps'])
  })

  it('is asked about, and taken for an end when nothing comes back', () => {
    const bench = inside().wait(89_999)
    expect(bench.read()).toEqual([])
    expect(bench.wait(1).read()).toEqual(['PING :gw'])
    bench.wait(59_999).say('PONG :gw')
    expect(bench.wait(90_000).read()).toEqual(['PING :gw'])
    bench.wait(60_000)
    expect(bench.read()).toEqual(['ERROR :Closing link: (alice@127.0.0.1) [Ping timeout: 150 seconds]'])
    expect(bench.events).toEqual([{ kind: 'quit', reason: 'Ping timeout: 150 seconds' }])
    expect(bench.closed).toEqual({ kind: 'timeout', waitingFor: 'PONG' })
  })

  it('is none while anything comes', () => {
    const bench = inside()
    for (let minute = 0; minute < 60; minute++) bench.wait(60_000).bytes(Buffer.from('\r\n'))
    expect(bench.read()).toEqual([])
  })
})

describe('confirmations', () => {
  it('come once for each token, however the client writes its PONG', () => {
    const bench = inside()
    for (const token of ['1', '2', '3']) bench.command({ kind: 'confirm', token })
    bench.say('PONG 1', 'PONG gw :2', 'PONG 1', 'PONG :other', 'PONG', 'PONG :3')
    expect(bench.events).toEqual(['1', '2', '3'].map((token) => ({ kind: 'confirmed', token })))
  })

  it('of clients that never answer do not pile up', () => {
    const bench = inside()
    for (let token = 0; token < 100; token++) bench.command({ kind: 'confirm', token: `t${token}` })
    bench.say('PONG t0', 'PONG t35', 'PONG t36', 'PONG t99')
    expect(bench.events).toEqual(['t36', 't99'].map((token) => ({ kind: 'confirmed', token })))
  })
})
