import { afterEach, describe, expect, it } from 'vitest'
import { SessionFault } from '../../../bridge/adapter.ts'
import type { ChatId, EventId, UserId } from '../../../bridge/model/ids.ts'
import { Bot, chat, NETWORK, never } from './bot.ts'
import { FakeIrcd, type FakeIrcdOptions } from './fake-ircd.ts'

const ALL_CAPS = ['message-tags', 'server-time', 'account-tag', 'batch', 'echo-message', 'labeled-response', 'sasl']
const opened: (() => Promise<void>)[] = []

const ircd = async (options: FakeIrcdOptions = {}): Promise<FakeIrcd & { port: number }> => {
  const server = new FakeIrcd(options)
  const port = await server.listen()
  opened.push(() => server.close())
  return Object.assign(server, { port })
}

const bot = (port: number, config = {}, secrets = {}): Bot => {
  const made = new Bot(port, config, secrets)
  opened.push(() => made.stop())
  return made
}

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const faultOf = async (attempt: Promise<unknown>): Promise<SessionFault> => {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof SessionFault) return error
  throw new Error(`no fault but ${String(error)}`)
}

describe('a chat that is linked no more', () => {
  it('is left, and not entered again after a restart; one that the config names stays', async () => {
    const server = await ircd()
    const made = await bot(server.port, { channels: ['#ours'] }).online()
    const linked = await made.join('#linked')
    const ours = await made.join('#ours')
    await made.session.drop(linked)
    await made.session.drop(ours)
    await server.seen(/^PART #linked$/)
    expect(await made.context.state.list('channel/')).toEqual([])
    expect(made.adapter.describe()[0]).toContain('in 1 of 1 channels')
    await made.say(ours, 'still here')
    expect(server.client.lines.filter((line) => line.startsWith('PART'))).toEqual(['PART #linked'])
  })

  it('is forgotten when it was a query', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    const opened = await made.session.open({ kind: 'direct', with: 'carol' as UserId }, never)
    expect(opened.kind).toBe('opened')
    await made.session.drop(chat('carol'))
    expect(await made.context.state.list('direct/')).toEqual([])
  })
})

describe('signing in', () => {
  it('is online after registration, told once, and joins what the config names', async () => {
    const server = await ircd()
    const { context } = await bot(server.port, { channels: ['#a', '#b'] }).online()
    expect(context.states.map(({ kind }) => kind)).toEqual(['connecting', 'online'])
    await server.seen(/^JOIN #a$/)
    await server.seen(/^JOIN #b$/)
  })

  it('rejects a refused connect with a sentence, and the next attempt can succeed', async () => {
    const server = await ircd()
    await server.close()
    const made = bot(server.port)
    await made.adapter.start(made.context)
    const { session } = made
    const fault = await faultOf(session.connect(never))
    expect(fault.fault.code).toBe('network')
    expect(fault.message).toMatch(/^Cannot reach 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/)
    expect(session.state.kind).toBe('waiting')
    const again = new FakeIrcd()
    await again.listen(server.port)
    opened.push(() => again.close())
    await session.connect(never)
    expect(session.state.kind).toBe('online')
  })

  it('gives up on a server that accepts and hangs', async () => {
    const server = await ircd()
    server.silent = true
    const fault = await faultOf(bot(server.port, { timing: { connect_timeout_ms: 60 } }).online())
    expect(fault.message).toMatch(/has not finished signing us in/)
    expect(fault.fault.code).toBe('network')
  })

  it('stops at once when the attempt is aborted', async () => {
    const server = await ircd()
    server.silent = true
    const made = bot(server.port)
    await made.adapter.start(made.context)
    const { session } = made
    const abort = new AbortController()
    const attempt = faultOf(session.connect(abort.signal))
    await server.until(() => server.clients.length > 0)
    abort.abort()
    expect((await attempt).fault.code).toBe('network')
    await server.until(() => server.client.socket.destroyed)
  })

  it('can be closed while it is still trying', async () => {
    const server = await ircd()
    server.silent = true
    const made = bot(server.port)
    await made.adapter.start(made.context)
    const attempt = faultOf(made.session.connect(never))
    await server.seen(/^USER /)
    await made.session.close()
    expect((await attempt).fault.code).toBe('shutdown')
    expect(made.context.states.map(({ kind }) => kind)).toEqual(['connecting', 'offline'])
  })

  it.each([
    ['465', ':irc.example 465 * :You are banned from this server', 'banned', 'stopped'],
    ['a K-line', 'ERROR :Closing Link: x (K-Lined: go away)', 'banned', 'stopped'],
    ['464', ':irc.example 464 * :Password incorrect', 'bad-credentials', 'stopped'],
    ['throttling', 'ERROR :Trying to reconnect too fast.', 'network', 'waiting'],
    ['a full server', 'ERROR :Closing Link: x (Too many host connections (local))', 'network', 'waiting'],
  ])('reports %s as what it is', async (_, line, code, state) => {
    const server = await ircd()
    server.on = (client, verb) => {
      if (verb !== 'USER') return false
      client.send(line)
      client.socket.end()
      return true
    }
    const made = bot(server.port)
    const fault = await faultOf(made.online())
    expect(fault.fault.code).toBe(code)
    expect(made.session.state.kind).toBe(state)
    if (line.includes('too fast')) expect(fault.retryAfter).toBeGreaterThanOrEqual(60_000)
  })

  it('takes the alternates in turn when the nick is in use', async () => {
    const server = await ircd()
    server.on = (client, verb, [nick = '']) => {
      if (verb !== 'NICK' || nick === 'bridge__') return false
      client.send(`:irc.example 433 * ${nick} :Nickname is already in use.`)
      return true
    }
    const made = await bot(server.port, { alternates: ['other'] }).online()
    expect(server.all.filter((line) => line.startsWith('NICK'))).toEqual([
      'NICK bridge',
      'NICK other',
      'NICK bridge_',
      'NICK bridge__',
    ])
    expect(made.adapter.describe()[0]).toContain('as bridge__')
    server.client.send(':bridge!x@y QUIT :Ping timeout')
    await server.seen(/^NICK bridge$/, 1)
  })

  it('gives up when no nick is free', async () => {
    const server = await ircd()
    server.on = (client, verb, [nick = '']) => {
      if (verb === 'NICK') client.send(`:irc.example 432 * ${nick} :Erroneous Nickname`)
      return verb === 'NICK'
    }
    expect((await faultOf(bot(server.port).online())).message).toMatch(/none of our nicknames/)
  })

  it('needs a secret that is set', async () => {
    const server = await ircd()
    const fault = await faultOf(bot(server.port, { password: { env: 'MISSING' } }).online())
    expect(fault.fault).toEqual({ code: 'bad-credentials', detail: 'The secret is not set' })
  })
})

describe('identifying', () => {
  const sasl = { sasl: { account: 'acct', password: { env: 'PW' } } }

  it('signs in by SASL PLAIN before it joins', async () => {
    const server = await ircd({ caps: ALL_CAPS, accounts: { acct: 'geheim' } })
    await bot(server.port, { ...sasl, channels: ['#a'] }, { PW: 'geheim' }).online()
    await server.seen(/^JOIN #a/)
    const lines = server.client.lines
    expect(lines.findIndex((line) => line.startsWith('AUTHENTICATE'))).toBeLessThan(lines.indexOf('JOIN #a'))
  })

  it('stops when the password is wrong', async () => {
    const server = await ircd({ caps: ALL_CAPS, accounts: { acct: 'geheim' } })
    const made = bot(server.port, sasl, { PW: 'falsch' })
    expect((await faultOf(made.online())).fault.code).toBe('bad-credentials')
    expect(made.session.state.kind).toBe('stopped')
    expect(JSON.stringify(made.context.lines)).not.toContain('falsch')
  })

  it.each([
    ['offers no SASL', ['server-time']],
    ['offers no capabilities at all', []],
  ])('tries again later when the server %s', async (_, caps) => {
    const server = await ircd({ caps })
    const made = bot(server.port, sasl, { PW: 'geheim' })
    const fault = await faultOf(made.online())
    expect(fault.fault.code).toBe('network')
    expect(fault.message).toMatch(/offers no SASL now/)
    expect(server.all.join()).not.toContain('JOIN')
  })

  it('is not held up by services that come back while it signs in', async () => {
    const server = await ircd({ caps: ALL_CAPS.filter((cap) => cap !== 'sasl') })
    let [ended, reopened] = [false, false]
    server.on = (client, verb, [first]) => {
      // As InspIRCd does it: a CAP REQ after CAP END opens the negotiation again.
      if (verb === 'CAP' && ended) reopened ||= first === 'REQ'
      if (verb === 'PONG' && !reopened) {
        client.registered = true
        client.send(`:irc.example 001 ${client.nick} :Welcome ${client.mask}`)
        client.send(`:irc.example 422 ${client.nick} :MOTD File is missing`)
      }
      if (verb !== 'CAP' || first !== 'END' || ended) return false
      ended = true
      client.send(`:irc.example CAP ${client.nick} NEW :sasl=PLAIN`)
      client.send('PING :did you ask again?')
      return true
    }
    await bot(server.port).online()
    expect(server.all.filter((line) => line.startsWith('CAP REQ'))).toHaveLength(1)
  })

  it('never tries the password of the server for SASL', async () => {
    const server = await ircd({ caps: ALL_CAPS })
    await bot(server.port, { password: { env: 'PW' } }, { PW: 'server-pw' }).online()
    expect(server.all).toContain('PASS server-pw')
    expect(server.all.join()).not.toContain('AUTHENTICATE')
  })

  const nickserv = { nickserv: { password: { env: 'PW' } }, channels: ['#a'] }
  const services = (server: FakeIrcd, answer: string): void => {
    server.on = (client, verb, [target, text = '']) => {
      if (verb !== 'PRIVMSG' || target !== 'NickServ') return false
      if (text.startsWith('IDENTIFY')) client.send(`:NickServ!s@services NOTICE ${client.nick} :${answer}`)
      return true
    }
  }

  it('identifies with NickServ before it joins', async () => {
    const server = await ircd()
    services(server, 'Password accepted - you are now \x02recognized\x02.')
    await bot(server.port, nickserv, { PW: 'geheim' }).online()
    await server.seen(/^JOIN #a/)
    expect(server.all).toContain('PRIVMSG NickServ :IDENTIFY geheim')
  })

  it('stops when NickServ refuses', async () => {
    const server = await ircd()
    services(server, 'Invalid password for \x02bridge\x02.')
    expect((await faultOf(bot(server.port, nickserv, { PW: 'x' }).online())).fault.code).toBe('bad-credentials')
  })

  it('goes on with a warning when NickServ says nothing', async () => {
    const server = await ircd()
    const made = await bot(server.port, { ...nickserv, timing: { nickserv_ms: 30 } }, { PW: 'x' }).online()
    expect(made.context.lines.map(({ message }) => message)).toContain('no known answer from NickServ')
  })

  it('throws out whoever has its nick', async () => {
    const server = await ircd()
    let taken = true
    server.on = (client, verb, [first = '', second = '']) => {
      if (verb === 'NICK' && first === 'bridge' && taken) {
        client.send(`:irc.example 433 * bridge :Nickname is already in use.`)
        return true
      }
      if (verb !== 'PRIVMSG' || first !== 'NickServ') return false
      if (second === 'GHOST bridge geheim') taken = false
      client.send(
        `:NickServ!s@services NOTICE ${client.nick} :${second.startsWith('GHOST') ? 'Ghost killed' : 'You are now identified'}`,
      )
      return true
    }
    const made = await bot(server.port, nickserv, { PW: 'geheim' }).online()
    expect(made.adapter.describe()[0]).toContain('as bridge,')
  })
})

describe('losing the connection', () => {
  it('is reported once and leaves reconnecting to the supervisor', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    server.client.socket.destroy()
    await made.context.until(() => made.session.state.kind === 'waiting')
    expect(made.context.states.map(({ kind }) => kind)).toEqual(['connecting', 'online', 'waiting'])
    await made.session.connect(never)
    expect(server.clients).toHaveLength(2)
  })

  it.each([
    ['a KILL', ':oper!o@h KILL bridge :go away', 'banned'],
    ['the ERROR after a KILL', 'ERROR :Closing link: (bridge@h) [Killed (oper (go away))]', 'banned'],
    [
      'a GHOST by somebody with our password',
      'ERROR :Closing link: [Killed (NickServ (GHOST command used by x))]',
      'signed-in-elsewhere',
    ],
    ['a G-line', 'ERROR :Closing link: (bridge@h) [G-Lined: spam]', 'banned'],
  ])('stops for good after %s', async (_, line, code) => {
    const server = await ircd()
    const made = await bot(server.port).online()
    server.client.send(line)
    server.client.socket.end()
    const state = await made.context.until(() => made.context.states.find(({ kind }) => kind === 'stopped'))
    expect(state).toMatchObject({ kind: 'stopped', fault: { code } })
  })

  it('notices a server that says nothing any more', async () => {
    const server = await ircd()
    const made = await bot(server.port, { timing: { ping_ms: 40, ping_timeout_ms: 40 } }).online()
    server.silent = true
    const state = await made.context.until(() => made.context.states.find(({ kind }) => kind === 'waiting'))
    expect(state).toMatchObject({ fault: { code: 'network' } })
    expect(server.all.filter((line) => line.startsWith('PING')).length).toBeGreaterThan(0)
  })

  it('survives a line that does not end, and lines that make no sense', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    for (const line of [
      'PRIVMSG',
      'JOIN',
      ':x CAP',
      'KICK',
      ':a!b@c PRIVMSG',
      ' ',
      '@',
      ':',
      '@;= :  ',
      '900',
      'CAP * ACK',
    ]) {
      server.client.send(line)
    }
    server.client.send('PING :still-there')
    await server.seen(/^PONG still-there/)
    server.client.socket.write('x'.repeat(20_000))
    const state = await made.context.until(() => made.context.states.find(({ kind }) => kind === 'waiting'))
    expect(state).toMatchObject({ fault: { detail: expect.stringContaining('line that does not end') as string } })
  })

  it('says goodbye when it is stopped, twice harmlessly', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    await made.session.close()
    await made.session.close()
    expect(server.all.at(-1)).toMatch(/^QUIT :/)
    expect(made.session.state.kind).toBe('offline')
  })
})

describe('channels', () => {
  it('are opened for links and entered again after a restart', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    expect(await made.session.open({ kind: 'channel', name: '#new' as ChatId }, never)).toEqual({
      kind: 'opened',
      chat: chat('#new'),
    })
    const second = bot(server.port)
    for (const [key, value] of made.context.stored) second.context.stored.set(key, value)
    await second.online()
    await server.seen(/^JOIN #new/, 1)
  })

  it('with a key are entered with it', async () => {
    const server = await ircd()
    await bot(server.port, { channels: [{ name: '#k', key: { env: 'KEY' } }] }, { KEY: 'sesam' }).online()
    await server.seen(/^JOIN #k sesam$/)
  })

  it('that will not let us in are refused with words and tried again', async () => {
    const server = await ircd()
    let closed = true
    server.on = (client, verb) => {
      if (verb !== 'JOIN' || !closed) return false
      client.send(`:irc.example 474 ${client.nick} #club :Cannot join channel (+b)`)
      return true
    }
    const made = await bot(server.port).online()
    const answer = await made.session.open({ kind: 'channel', name: '#club' as ChatId }, never)
    expect(answer).toEqual({ kind: 'refused', reason: 'forbidden', detail: '#club: Cannot join channel (+b)' })
    const waiting = await made.say(chat('#club'), 'hello')
    expect(waiting).toMatchObject({ kind: 'retry', reason: 'forbidden' })
    closed = false
    await made.context.logged('joined')
    expect((await made.say(chat('#club'), 'hello')).kind).toBe('delivered')
  })

  it('are entered again after a kick, but not for ever', async () => {
    const server = await ircd()
    const made = await bot(server.port, { timing: { rejoin_ms: 10 } }).online()
    await made.join('#a')
    for (let kick = 1; kick <= 6; kick++) {
      server.client.send(`:op!o@h KICK #a bridge :out`)
      if (kick < 6) await server.seen(/^JOIN #a/, kick)
    }
    await made.context.logged('kicked too often, waits for an invitation')
    expect(await made.say(chat('#a'), 'x')).toMatchObject({ kind: 'refused', reason: 'forbidden' })
    server.client.send(':op!o@h INVITE bridge #a')
    await server.seen(/^JOIN #a/, 6)
    expect((await made.say(chat('#a'), 'x')).kind).toBe('delivered')
  })

  it('that a netsplit has made unavailable are tried again, and people who leave with it are not news', async () => {
    const server = await ircd()
    let split = true
    server.on = (client, verb) => {
      if (verb !== 'JOIN' || !split) return false
      client.send(`:irc.example 437 ${client.nick} #a :Nick/channel is temporarily unavailable`)
      return true
    }
    const made = await bot(server.port).online()
    const answer = await made.session.open({ kind: 'channel', name: '#a' as ChatId }, never)
    expect(answer).toMatchObject({ kind: 'retry', reason: 'network' })
    split = false
    await made.context.logged('joined')
    server.client.send(':bob!b@h QUIT :hub.example leaf.example')
    server.client.send(':ann!a@h PRIVMSG #a :they are gone')
    await made.context.until(() => made.context.events.length > 0)
    expect(made.context.said).toEqual(['ann: they are gone'])
  })

  it('are entered when an admin invites us, and when nobody else does', async () => {
    const server = await ircd({ caps: ALL_CAPS })
    const made = await bot(server.port, { permissions: { admins: { accounts: ['Boss'] } } }).online()
    server.client.send('@account=eve :eve!e@h INVITE bridge #lair')
    server.client.send('@account=boss :bob!b@h INVITE ann #hers')
    server.client.send('@account=boss :bob!b@h INVITE bridge #new')
    expect(await server.seen(/^JOIN /)).toBe('JOIN #new')
    await made.context.logged('joined')
    server.client.send('@account=boss :bob!b@h PRIVMSG #new :!msn link x')
    await made.context.until(() => made.context.commands.length > 0)
    expect(made.context.commands[0]).toMatchObject({ chat: chat('#new'), role: 'admin', trigger: '!msn ' })
  })

  it('where the server puts us are left', async () => {
    const server = await ircd()
    await bot(server.port).online()
    server.client.send(`:${server.client.mask} JOIN #trap`)
    await server.seen(/^PART #trap/)
  })

  it("are found by the server's idea of upper and lower case", async () => {
    const server = await ircd({ isupport: ['CASEMAPPING=rfc1459'] })
    const made = await bot(server.port).online()
    await made.join('#a[b]')
    server.client.send(':bob!b@h PRIVMSG #A{B} :hi')
    const event = await made.context.until(() => made.context.events[0])
    expect(event).toMatchObject({ kind: 'message', chat: chat('#a[b]') })
  })
})

describe('delivering', () => {
  it('is delivered when the echo comes, with the message id of the server', async () => {
    const server = await ircd({ caps: ALL_CAPS })
    const made = await bot(server.port).online()
    const place = await made.join('#a')
    expect(await made.say(place, 'hi')).toEqual({ kind: 'delivered', ids: ['id-b1'] })
    expect(made.context.events).toEqual([])
  })

  it('is delivered when a PING after it is answered, one for many lines', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    const place = await made.join('#a')
    const before = server.all.filter((line) => line.startsWith('PING mb')).length
    const results = await Promise.all(Array.from({ length: 10 }, (_, index) => made.say(place, `line ${index}`)))
    for (const result of results) expect(result.kind).toBe('delivered')
    expect(new Set(results.flatMap((result) => (result.kind === 'delivered' ? result.ids : []))).size).toBe(10)
    expect(server.all.filter((line) => line.startsWith('PING mb')).length).toBe(before + 1)
    expect(server.all.filter((line) => line.startsWith('PRIVMSG')).length).toBe(10)
  })

  it('is refused in the words of the server', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    const place = await made.join('#a')
    server.on = (client, verb) => {
      if (verb !== 'PRIVMSG') return false
      client.send(`:irc.example 404 ${client.nick} #a :Cannot send to channel (+m)`)
      return true
    }
    expect(await made.say(place, 'hi')).toEqual({
      kind: 'refused',
      reason: 'forbidden',
      detail: '#a: Cannot send to channel (+m)',
    })
  })

  it('tells which lines were refused when a channel falls silent in between', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    const place = await made.join('#a')
    let lines = 0
    server.on = (client, verb) => {
      if (verb !== 'PRIVMSG' || ++lines <= 2) return false
      client.send(`:irc.example 404 ${client.nick} #a :Cannot send to channel (+m)`)
      return true
    }
    const results = await Promise.all(['a', 'b', 'c', 'd'].map((text) => made.say(place, text)))
    expect(results.map(({ kind }) => kind)).toEqual(['delivered', 'delivered', 'refused', 'refused'])
  })

  it('to somebody who is not there is refused', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    server.on = (client, verb, [target = '']) => {
      if (verb !== 'PRIVMSG') return false
      client.send(`:irc.example 401 ${client.nick} ${target} :No such nick/channel`)
      return true
    }
    const direct = await made.session.open({ kind: 'direct', with: 'Bob' as UserId }, never)
    if (direct.kind !== 'opened') throw new Error(direct.kind)
    expect(direct.chat).toEqual({ network: NETWORK, chat: 'bob', account: NETWORK })
    expect(await made.say(direct.chat, 'hi')).toMatchObject({ kind: 'refused', reason: 'not-found' })
  })

  it('is uncertain when the line was written and the connection dies', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    const place = await made.join('#a')
    server.on = (client, verb) => {
      if (verb === 'PRIVMSG') client.socket.destroy()
      return verb === 'PRIVMSG' || verb === 'PING'
    }
    expect(await made.say(place, 'hi')).toMatchObject({ kind: 'uncertain' })
  })

  it('is uncertain when nothing confirms it in time', async () => {
    const server = await ircd()
    const made = await bot(server.port, { timing: { confirm_timeout_ms: 60 } }).online()
    const place = await made.join('#a')
    server.on = (_client, verb) => verb === 'PING'
    expect(await made.say(place, 'hi')).toMatchObject({ kind: 'uncertain' })
  })

  it('waits for the session when the line was not yet written', async () => {
    const server = await ircd()
    const made = await bot(server.port, { flood: { burst: 3, interval_ms: 60_000 } }).online()
    const place = await made.join('#a')
    const results = Promise.all(['a', 'b', 'c', 'd'].map((text) => made.say(place, text)))
    await server.seen(/^PRIVMSG #a :a/)
    server.on = () => true
    server.client.socket.destroy()
    const kinds = (await results).map(({ kind }) => kind)
    expect(kinds[0]).toBe('uncertain')
    expect(kinds.slice(-1)).toEqual(['retry'])
    expect(kinds.toSorted()).toEqual([...kinds].toSorted())
    expect(await made.say(place, 'e')).toMatchObject({ kind: 'retry', wait: 'session-online' })
  })

  it('takes an aborted line back, and with it what was to follow in the same chat', async () => {
    const server = await ircd()
    const made = await bot(server.port, { flood: { burst: 3, interval_ms: 60_000 } }).online()
    const place = await made.join('#a')
    const abort = new AbortController()
    const first = ['a', 'b', 'c'].map((text) => made.say(place, text))
    const taken = made.say(place, 'd', abort.signal)
    const behind = made.say(place, 'e')
    abort.abort()
    expect(await taken).toMatchObject({ kind: 'retry', reason: 'rate-limited' })
    expect(await behind).toMatchObject({ kind: 'retry', reason: 'rate-limited' })
    expect(await made.say(place, 'f')).toMatchObject({ kind: 'retry', reason: 'rate-limited' })
    await made.session.close()
    expect((await Promise.all(first)).map(({ kind }) => kind)).not.toContain('delivered')
    expect(server.all.join()).not.toMatch(/:[def]\b/)
  })

  it('writes many lines and long ones whole and in order', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    const place = await made.join('#a')
    const text = `${'Zwölf Boxkämpfer 😀 '.repeat(200)}\n\nend`
    expect((await made.say(place, text)).kind).toBe('delivered')
    const lines = server.all
      .filter((line) => line.startsWith('PRIVMSG'))
      .map((line) => line.slice('PRIVMSG #a :'.length))
    expect(lines.slice(0, -2).join('')).toBe('Zwölf Boxkämpfer 😀 '.repeat(200))
    expect(lines.slice(-2)).toEqual([' ', 'end'])
    for (const line of lines)
      expect(Buffer.byteLength(`:${server.client.mask} PRIVMSG #a :${line}`)).toBeLessThanOrEqual(510)
  })

  it("shows actions, nudges, notices and the bridge's own words", async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    const place = await made.join('#a')
    await made.send(place, { kind: 'action', text: [{ text: 'waves' }] })
    await made.send(place, { kind: 'nudge' })
    await made.send(place, { kind: 'notice', text: [{ text: 'psst' }] })
    await made.send(place, { kind: 'text', text: [{ text: '<bob> hi' }] })
    const op = { kind: 'status', text: [{ text: 'the other side is away' }] } as const
    await made.session.deliver({ id: 's' as EventId, chat: place, op }, never)
    expect(server.all.filter((line) => /^(PRIVMSG|NOTICE) #/.test(line))).toEqual([
      'PRIVMSG #a :\x01ACTION waves\x01',
      'PRIVMSG #a :\x01ACTION nudges you\x01',
      'NOTICE #a :psst',
      'PRIVMSG #a :<b\u200bob> hi',
      'NOTICE #a :the other side is away',
    ])
  })
})

describe('hearing', () => {
  it('hears text, actions and nudges, once, with time and id of the server', async () => {
    const server = await ircd({ caps: ALL_CAPS })
    const made = await bot(server.port).online()
    await made.join('#a')
    const { client } = server
    client.send('@time=2020-01-02T03:04:05.678Z;msgid=abc :Bob!b@h PRIVMSG #a :hi <b\u200bridge>')
    client.send(':Bob!b@h PRIVMSG #a :\x01ACTION \x02waves\x02\x01')
    client.send(':Bob!b@h PRIVMSG #a :\x01ACTION nudges you\x01')
    client.send(':Bob!b@h NOTICE #a :not bridged')
    client.send(`:${client.mask} PRIVMSG #a :our own words`)
    client.send(':Bob!b@h PRIVMSG #elsewhere :not ours')
    client.send(':Bob!b@h PRIVMSG @#a :for operators')
    client.send(':Bob!b@h TOPIC #a :new topic')
    await made.context.until(() => made.context.events.length >= 4)
    expect(made.context.said).toEqual(['Bob: hi <bridge>', '* Bob waves', '! Bob'])
    expect(made.context.events[0]).toMatchObject({
      id: 'abc',
      at: Date.parse('2020-01-02T03:04:05.678Z'),
      sender: { network: NETWORK, user: 'bob' },
      senderName: 'Bob',
      chat: chat('#a'),
    })
    expect(made.context.events[3]).toMatchObject({ kind: 'topic', topic: 'new topic' })
    const ids = made.context.events.map((event) => ('id' in event ? event.id : undefined))
    expect(new Set(ids).size).toBe(4)
  })

  it('reads what is no UTF-8 as the western code page', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    await made.join('#a')
    server.client.socket.write(Buffer.from(':bob!b@h PRIVMSG #a :gr\xfc\xdfe\r\n', 'latin1'))
    await made.context.until(() => made.context.said.length > 0)
    expect(made.context.said).toEqual(['bob: grüße'])
  })

  it('does not bridge a history that the server plays on joining', async () => {
    const server = await ircd({ caps: ALL_CAPS })
    const made = await bot(server.port).online()
    await made.join('#a')
    server.client.send(':irc.example BATCH +h1 chathistory #a')
    server.client.send('@batch=h1 :bob!b@h PRIVMSG #a :old')
    server.client.send(':irc.example BATCH -h1')
    server.client.send(':bob!b@h PRIVMSG #a :new')
    await made.context.until(() => made.context.said.length > 0)
    expect(made.context.said).toEqual(['bob: new'])
  })

  it('answers CTCP VERSION and is silent about other CTCP', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    server.client.send(':bob!b@h PRIVMSG bridge :\x01TIME\x01')
    server.client.send(':bob!b@h PRIVMSG bridge :\x01VERSION\x01')
    expect(await server.seen(/^NOTICE/)).toBe('NOTICE bob :\x01VERSION msn-bridge\x01')
    expect(made.context.commands).toEqual([])
  })

  it('keeps messages that cannot be stored and stores them later, in order', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    await made.join('#a')
    made.context.refuseToStore = true
    for (const text of ['one', 'two', 'three']) server.client.send(`:bob!b@h PRIVMSG #a :${text}`)
    await made.context.logged('an IRC message cannot be stored, will try again')
    made.context.refuseToStore = false
    await made.context.until(() => made.context.said.length === 3)
    expect(made.context.said).toEqual(['bob: one', 'bob: two', 'bob: three'])
  })
})

it('takes nobody for there because of what the server plays again', async () => {
  const server = await ircd({ caps: ALL_CAPS, isupport: ['MONITOR=100'] })
  const made = await bot(server.port).online()
  await made.join('#a')
  await made.session.open({ kind: 'direct', with: 'carol' as UserId }, never)
  const { client } = server
  client.send(':irc.example 731 bridge :carol')
  client.send(':irc.example BATCH +h1 chathistory #a')
  client.send('@batch=h1;time=2020-01-01T00:00:00.000Z :carol!c@h PRIVMSG #a :long ago')
  client.send(':irc.example BATCH -h1')
  client.send(':amy!a@h PRIVMSG #a :now')
  await made.context.until(() => made.context.said.length === 1)
  const shown = made.context.events.flatMap((event) => (event.kind === 'presence' ? [event.state.show] : []))
  expect(shown).toEqual(['offline'])
})

describe('members of a channel', () => {
  const QUICK = { members_quiet_ms: 20, members_latest_ms: 60, members_grace_ms: 80 }
  const names = (made: Bot): readonly string[] =>
    made.context.events.flatMap((event) =>
      event.kind === 'company' ? [event.people.map(({ name }) => name).join(' ')] : [],
    )

  it('are told without ourselves, before what somebody says who has just come, and not at all once we are away', async () => {
    const server = await ircd()
    const made = await bot(server.port, { timing: QUICK }).online()
    await made.join('#a')
    const { client } = server
    client.send(':irc.example 353 bridge = #a :@bridge +Bob amy!u@h')
    client.send(':irc.example 366 bridge #a :End of /NAMES list.')
    await made.context.until(() => names(made).length === 1)
    expect(made.context.events[0]).toEqual({
      kind: 'company',
      chat: chat('#a'),
      people: [
        { user: { network: NETWORK, user: 'bob' }, name: 'Bob' },
        { user: { network: NETWORK, user: 'amy' }, name: 'amy' },
      ],
    })
    client.send(':zoe!z@h JOIN #a')
    client.send(':zoe!z@h PRIVMSG #a :hi')
    await made.context.until(() => made.context.said.length === 1)
    expect(made.context.events.slice(1, 3).map(({ kind }) => kind)).toEqual(['company', 'message'])
    expect(names(made)[1]).toBe('zoe Bob amy')
    client.socket.destroy()
    await made.context.until(() => names(made).at(-1) === '')
    expect(names(made)).toHaveLength(3)
  })

  it('are nobody a while after somebody has disconnected us, also where a timer is early', async () => {
    const server = await ircd()
    const made = bot(server.port, { timing: QUICK })
    const { clock } = made.context
    const early = { now: () => clock.now(), sleep: (ms: number, over?: AbortSignal) => clock.sleep(ms / 2, over) }
    Object.assign(made.context, { clock: early })
    await made.online()
    await made.join('#a')
    server.client.send(':irc.example 353 bridge = #a :bob')
    server.client.send(':irc.example 366 bridge #a :End of /NAMES list.')
    await made.context.until(() => names(made).length === 1)
    await made.session.close()
    await made.context.until(() => names(made).length === 2)
    expect(names(made)).toEqual(['bob', ''])
  })

  it('are nobody where the link has gone, and still there in a channel of the config', async () => {
    const server = await ircd()
    const made = await bot(server.port, { channels: ['#a'], timing: QUICK }).online()
    await made.join('#b')
    for (const channel of ['#a', '#b']) {
      server.client.send(`:irc.example 353 bridge = ${channel} :bob`)
      server.client.send(`:irc.example 366 bridge ${channel} :End of /NAMES list.`)
    }
    await made.context.until(() => names(made).length === 2)
    await made.session.drop(chat('#a'))
    await made.session.drop(chat('#b'))
    expect(names(made).slice(2)).toEqual([''])
    expect(made.context.events.at(-1)).toMatchObject({ chat: chat('#b') })
  })

  it('have addresses that are read as they were written; we have none', async () => {
    const server = await ircd()
    const { adapter } = await bot(server.port).online()
    for (const [user, local] of [
      ['amy', 'amy'],
      ['[away]', '=5baway=5d'],
    ] as const) {
      expect(adapter.addressOf(user as UserId)).toBe(local)
      expect(adapter.addressed(local)).toMatchObject({ kind: 'user', user })
    }
    expect(adapter.addressOf('bridge' as UserId)).toBeUndefined()
  })
})

describe('commands', () => {
  const permissions = { admins: { accounts: ['Boss'] }, users: { hostmasks: ['*!*@friends.example'] } }

  it('in a channel are answered there, with the role of the account', async () => {
    const server = await ircd({ caps: ALL_CAPS })
    const made = await bot(server.port, { permissions }).online()
    await made.join('#a')
    made.context.answer = ({ role, line }) => [[{ text: `${role}: ${line}` }], [{ text: 'second line' }]]
    server.client.send('@account=boss :bob!b@h PRIVMSG #a :!MSN who  bob ')
    expect(await server.seen(/NOTICE #a/)).toBe('NOTICE #a :admin: who  bob')
    await server.seen(/NOTICE #a :second line/)
    server.client.send(':ann!a@friends.example PRIVMSG #a :!msn')
    expect(await server.seen(/NOTICE #a :user/)).toBe('NOTICE #a :user: help')
    server.client.send(':eve!e@h PRIVMSG #a :!msn add x')
    await server.seen(/NOTICE #a :none: add x/)
    expect(made.context.commands[0]).toMatchObject({ fromName: 'bob', via: NETWORK, chat: chat('#a') })
    expect(made.context.events).toEqual([])
  })

  it('in a query need no trigger and are answered in it', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    made.context.answer = ({ line }) => [[{ text: `you said ${line}` }]]
    server.client.send(':Bob!b@h PRIVMSG bridge :who')
    expect(await server.seen(/^NOTICE/)).toBe('NOTICE Bob :you said who')
    server.client.send(':Bob!b@h PRIVMSG bridge :!msn help')
    await server.seen(/^NOTICE Bob :you said help/)
    expect(made.context.commands[0]).not.toHaveProperty('chat')
  })

  it('in a linked query need the trigger, because the rest is talk', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    await made.session.open({ kind: 'direct', with: 'bob' as UserId }, never)
    server.client.send(':bob!b@h PRIVMSG bridge :who are you')
    server.client.send(':bob!b@h PRIVMSG bridge :!msn who')
    await made.context.until(() => made.context.commands.length > 0)
    expect(made.context.said).toEqual(['bob: who are you'])
    expect(made.context.commands.map(({ line }) => line)).toEqual(['who'])
  })

  it('ask the server for the account where messages are not tagged with it', async () => {
    const server = await ircd()
    const made = await bot(server.port, { permissions }).online()
    await made.join('#a')
    server.on = (client, verb, [nick = '']) => {
      if (verb !== 'WHOIS') return false
      client.send(`:irc.example 330 ${client.nick} ${nick} Boss :is logged in as`)
      client.send(`:irc.example 318 ${client.nick} ${nick} :End of /WHOIS list.`)
      return true
    }
    server.client.send(':bob!b@h PRIVMSG #a :!msn link')
    await made.context.until(() => made.context.commands.length > 0)
    expect(made.context.commands[0]?.role).toBe('admin')
  })

  it('inject no second line through their answers', async () => {
    const server = await ircd()
    const made = await bot(server.port).online()
    made.context.answer = () => [[{ text: 'a\r\nQUIT :ha' }]]
    server.client.send(':bob!b@h PRIVMSG bridge :who')
    await server.seen(/^NOTICE bob :QUIT :ha/)
    expect(server.all.filter((line) => line.startsWith('QUIT'))).toEqual([])
  })
})

describe('presence', () => {
  it('is announced in linked channels, gathered', async () => {
    const server = await ircd()
    const made = await bot(server.port, { presence: { enabled: true, seconds: 0.05 } }).online()
    await made.join('#a')
    for (const [name, show] of [
      ['alice', 'online'],
      ['bob', 'busy'],
      ['carol', 'online'],
      ['carol', 'offline'],
    ] as const) {
      const as = { kind: 'ghost', origin: { network: NETWORK, user: name as UserId }, name } as const
      await made.session.deliver({ id: name as EventId, op: { kind: 'presence', as, state: { show } } }, never)
    }
    expect(await server.seen(/^NOTICE #a/)).toBe('NOTICE #a :online: a\u200blice · busy: b\u200bob')
  })
})
