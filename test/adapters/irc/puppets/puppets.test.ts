import { describe, expect, test } from 'vitest'
import { never, NETWORK } from '../bot.ts'
import { ghost, setsStages } from './stage.ts'

const set = setsStages()
const bob = ghost('Bob')

describe('coming and going', () => {
  test('who comes online connects under a nick of their name, and joins', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    expect(client.lines).toContain('JOIN #msn')
    expect(client.lines).toContain('USER bob 0 * :Bob (MSN)')
  })

  test('who is away says so with the words, and back again', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    await stage.presence(bob, 'brb')
    await stage.ircd.until(() => client.lines.includes('AWAY :Be right back'))
    await stage.presence(bob, { show: 'busy', text: 'fixing bugs' })
    await stage.ircd.until(() => client.lines.includes('AWAY :Busy - fixing bugs'))
    await stage.presence(bob, 'online')
    await stage.ircd.until(() => client.lines.includes('AWAY'))
  })

  test('who goes offline quits after the time of grace, and not before', async () => {
    const stage = await set({ quit_grace_ms: 150 })
    const client = await stage.live(bob, 'Bob[m]')
    await stage.presence(bob, 'offline')
    await stage.presence(bob, 'online')
    const gone = Date.now()
    await stage.presence(bob, 'offline')
    await stage.ircd.until(() => client.lines.some((line) => line.startsWith('QUIT')))
    expect(Date.now() - gone).toBeGreaterThanOrEqual(140)
    expect(stage.ircd.clients).toHaveLength(2)
  })

  test('whoever comes and goes within the debounce makes no connection', async () => {
    const stage = await set({ debounce_ms: 200, quit_grace_ms: 20 })
    for (let index = 0; index < 50; index++) await stage.presence(ghost(`p${index}`))
    for (let index = 0; index < 50; index++) await stage.presence(ghost(`p${index}`), 'offline')
    const client = await stage.live(bob, 'Bob[m]')
    expect(stage.ircd.clients.filter(({ nick }) => nick !== 'bridge')).toEqual([client])
  })

  test('connections are made one by one', async () => {
    const stage = await set({ connect_ms: 80 })
    const times: number[] = []
    stage.ircd.on = (_client, verb) => {
      if (verb === 'USER') times.push(Date.now())
      return false
    }
    for (const name of ['a', 'b', 'c', 'd']) await stage.presence(ghost(name))
    await stage.ircd.until(() => times.length === 4)
    // A busy machine may be late with one, but not early with all.
    expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(200)
  })

  test('all quit with the bot', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    await stage.bot.session.close()
    expect(client.lines.at(-1)).toBe('QUIT :The bridge is going down')
  })

  test('only in the channels of the config', async () => {
    const stage = await set({ channels: ['#Friends'] })
    await stage.bot.join('#friends')
    await stage.presence(bob, 'online', '#msn', '#friends')
    await stage.ircd.until(() => stage.client('Bob[m]')?.lines.includes('JOIN #friends'))
    expect(stage.client('Bob[m]')?.lines).not.toContain('JOIN #msn')
    expect(stage.bot.session.capabilities(stage.channel).puppets).toBe('prefix')
  })

  test('a channel that is linked no more is left, and with the last one they quit', async () => {
    const stage = await set()
    await stage.bot.join('#two')
    const client = await stage.live(bob, 'Bob[m]')
    await stage.presence(bob, 'online', '#msn', '#two')
    await stage.ircd.until(() => client.lines.includes('JOIN #two'))
    await stage.bot.session.drop({ network: NETWORK, chat: '#two' as never })
    await stage.ircd.until(() => client.lines.includes('PART #two'))
    await stage.bot.session.drop(stage.channel)
    await stage.ircd.until(() => client.lines.some((line) => line.startsWith('QUIT')))
  })
})

describe('speaking', () => {
  test('whoever is there speaks without a name in front, each line by itself', async () => {
    const stage = await set()
    await stage.live(bob, 'Bob[m]')
    expect(await stage.say(bob, 'one\ntwo')).toMatchObject({ kind: 'delivered' })
    expect(stage.said).toEqual(['Bob[m]: one', 'Bob[m]: two'])
  })

  test('for whoever is not there the bot speaks, with the name', async () => {
    const stage = await set()
    expect(await stage.say(bob, 'hello')).toMatchObject({ kind: 'delivered' })
    expect(stage.said).toEqual(['bridge: <Bob> hello'])
  })

  test('actions and nudges are those of the puppet, or named by the bot', async () => {
    const stage = await set()
    const wave = { kind: 'message', as: bob, at: 0, body: { kind: 'action', text: [{ text: 'waves' }] } } as const
    const nudge = { kind: 'message', as: bob, at: 0, body: { kind: 'nudge' } } as const
    const say = (op: typeof wave | typeof nudge) =>
      stage.bot.session.deliver({ id: 'x' as never, chat: stage.channel, op }, never)
    await say(wave)
    await say(nudge)
    await stage.live(bob, 'Bob[m]')
    await say(wave)
    await say(nudge)
    expect(stage.said).toEqual([
      'bridge: * Bob waves',
      'bridge: * Bob sends a nudge',
      'Bob[m]: \x01ACTION waves\x01',
      'Bob[m]: \x01ACTION nudges you\x01',
    ])
  })

  test('the order is kept over the change from bot to puppet', async () => {
    const stage = await set({}, { flood: { burst: 1, interval_ms: 30 } })
    const order: string[] = []
    stage.ircd.on = (client, verb, params) => {
      if (verb === 'PRIVMSG') order.push(`${client.nick} ${params[1] ?? ''}`.replaceAll('\u200b', ''))
      return false
    }
    const before = [stage.say(bob, '1'), stage.say(bob, '2'), stage.say(bob, '3')]
    await stage.live(bob, 'Bob[m]')
    await Promise.all([...before, stage.say(bob, '4'), stage.say(ghost('Carol'), '5'), stage.say(bob, '6')])
    expect(order.map((line) => line.slice(-1)).join('')).toBe('123456')
    expect(order[0]).toContain('bridge')
    expect(order[5]).toContain('Bob[m]')
  })

  test('a line that was written when the connection died is uncertain, and not said again', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    stage.ircd.on = (from, verb) => {
      if (verb === 'PRIVMSG' && from === client) client.socket.destroy()
      return from === client
    }
    expect((await stage.say(bob, 'lost?')).kind).toBe('uncertain')
    expect(stage.said).toEqual(['Bob[m]: lost?'])
  })

  test('what was not written when the connection died is said by the bot, in order', async () => {
    const stage = await set({}, { flood: { burst: 3, interval_ms: 100 } })
    const client = await stage.live(bob, 'Bob[m]')
    let seen = 0
    stage.ircd.on = (from, verb) => {
      if (verb === 'PRIVMSG' && from === client && ++seen === 1) client.socket.destroy()
      return false
    }
    const results = await Promise.all(['1', '2', '3', '4', '5', '6'].map((text) => stage.say(bob, text)))
    const uncertain = results.filter(({ kind }) => kind === 'uncertain').length
    expect(uncertain).toBeGreaterThan(0)
    expect(results.filter(({ kind }) => kind === 'delivered')).toHaveLength(6 - uncertain)
    const byBot = stage.said.filter((line) => line.startsWith('bridge')).map((line) => line.slice(-1))
    expect(byBot).toEqual(['1', '2', '3', '4', '5', '6'].slice(uncertain))
  })

  test('what the channel refuses from a puppet is said by the bot, and that is said once', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    stage.ircd.on = (from, verb) => {
      if (verb !== 'PRIVMSG' || from !== client) return false
      client.send(':irc.example 404 Bob[m] #msn :Cannot send to channel (+m)')
      return true
    }
    expect((await stage.say(bob, 'one')).kind).toBe('delivered')
    expect((await stage.say(bob, 'two')).kind).toBe('delivered')
    expect(stage.said.filter((line) => line.startsWith('bridge'))).toEqual(['bridge: <Bob> one', 'bridge: <Bob> two'])
    expect(stage.notices).toEqual(['bridge: Bob may not speak here by themselves; the bridge speaks for them.'])
    stage.ircd.on = () => false
    stage.ircd.clients[0]?.send(':op!o@h MODE #msn -m')
    await stage.ircd.until(() => stage.bot.session.state.kind === 'online')
    await stage.say(ghost('Carol'), 'wait')
    await stage.say(bob, 'three')
    expect(stage.said).toContain('Bob[m]: three')
  })

  test('what neither may say is refused, with the words of the server', async () => {
    const stage = await set()
    await stage.live(bob, 'Bob[m]')
    stage.ircd.on = (from, verb) => {
      if (verb !== 'PRIVMSG') return false
      from.send(`:irc.example 404 ${from.nick} #msn :Cannot send to channel (+m)`)
      return true
    }
    expect(await stage.say(bob, 'one')).toMatchObject({
      kind: 'refused',
      reason: 'forbidden',
      detail: expect.stringContaining('+m'),
    })
  })

  test('where colours are not let through none are sent', async () => {
    const stage = await set()
    await stage.live(bob, 'Bob[m]')
    stage.ircd.clients[0]?.send(':irc.example 324 bridge #msn +cnt')
    const op = {
      kind: 'message',
      as: bob,
      at: 0,
      body: { kind: 'text', text: [{ text: 'red', bold: true, color: '#ff0000' }] },
    } as const
    await stage.say(ghost('Carol'), 'barrier')
    await stage.bot.session.deliver({ id: 'x' as never, chat: stage.channel, op }, never)
    expect(stage.said.at(-1)).toBe('Bob[m]: red')
  })

  test('long words fit the line whoever says them', async () => {
    const stage = await set()
    const text = 'abcdefghi '.repeat(200).trim()
    const op = { kind: 'message', as: bob, at: 0, body: { kind: 'text', text: [{ text }] } } as const
    const parts = stage.bot.session.split(op, stage.channel)
    expect(parts.length).toBeGreaterThan(3)
    const half = Math.floor(parts.length / 2)
    const say = (part: (typeof parts)[number]) =>
      stage.bot.session.deliver({ id: 'x' as never, chat: stage.channel, op: part }, never)
    for (const part of parts.slice(0, half)) await say(part)
    await stage.live(bob, 'Bob[m]')
    for (const part of parts.slice(half)) await say(part)
    expect(stage.said).toHaveLength(parts.length)
    expect(stage.said.map((line) => line.replace(/^(bridge: <Bob> |Bob\[m\]: )/, '')).join('')).toBe(text)
  })
})

describe('hearing', () => {
  test('what a puppet says is not heard again by the bot', async () => {
    const stage = await set()
    await stage.live(bob, 'Bob[m]')
    const bridge = stage.ircd.clients[0]
    bridge?.send(':Bob[m]!u@h PRIVMSG #msn :hello')
    bridge?.send(':bob{M}!u@h PRIVMSG #msn :hello')
    bridge?.send(':amy!u@h PRIVMSG #msn :hi')
    await stage.bot.context.until(() => stage.bot.context.said.length > 0)
    expect(stage.bot.context.said).toEqual(['amy: hi'])
  })

  test('what is said in a channel is not heard by the puppets', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    client.send(':amy!u@h PRIVMSG #msn :hi')
    client.send(':amy!u@h PRIVMSG Bob[m] :psst')
    await stage.bot.context.until(() => stage.bot.context.said.length > 0)
    expect(stage.bot.context.said).toEqual(['amy: psst'])
  })

  test('a private word is for that contact, with the time for answers', async () => {
    const stage = await set({ private_minutes: 5 })
    const client = await stage.live(bob, 'Bob[m]')
    client.send('@msgid=xyz :Dave!u@h PRIVMSG Bob[m] :psst')
    const event = await stage.bot.context.until(() => stage.bot.context.events.find(({ kind }) => kind === 'message'))
    expect(event).toMatchObject({
      id: 'xyz',
      chat: { network: NETWORK, chat: 'dave', account: NETWORK },
      senderName: 'Dave',
      to: { network: 'retro', user: 'bob@home.example' },
      answersMs: 300_000,
    })
  })

  test('the answer is a query from the puppet, and one from the bot when it is not there', async () => {
    const stage = await set()
    const query = { network: NETWORK, chat: 'dave' as never, account: NETWORK as never }
    await stage.say(bob, 'early', query)
    await stage.live(bob, 'Bob[m]')
    await stage.say(bob, 'what?', query)
    expect(stage.heard('PRIVMSG dave')).toEqual(['bridge: <Bob> early', 'Bob[m]: what?'])
    expect(stage.said).toEqual([])
  })

  test('who quits or changes their name is gone; whom a netsplit takes, after a while', async () => {
    const stage = await set({ quit_grace_ms: 80 })
    await stage.live(bob, 'Bob[m]')
    const gone = (): readonly string[] =>
      stage.bot.context.events.flatMap((event) => (event.kind === 'gone' ? [event.user.user] : []))
    const bridge = stage.ircd.clients[0]
    bridge?.send(':split!u@h QUIT :hub.example leaf.example')
    bridge?.send(':back!u@h QUIT :*.net *.split')
    bridge?.send(':back!u@h JOIN #msn')
    bridge?.send(':erin!u@h NICK :erin2')
    bridge?.send(':dave!u@h QUIT :bye for now')
    await stage.bot.context.until(() => gone().length >= 2)
    expect(gone()).toEqual(['erin', 'dave'])
    await stage.bot.context.until(() => gone().length >= 3)
    expect(gone()).toEqual(['erin', 'dave', 'split'])
  })

  test('nobody there any more to answer: that talk is over', async () => {
    const stage = await set()
    await stage.live(bob, 'Bob[m]')
    stage.ircd.on = (from, verb, [target = '']) => {
      if (verb !== 'PRIVMSG' || target !== 'dave') return false
      from.send(`:irc.example 401 ${from.nick} dave :No such nick`)
      return true
    }
    const query = { network: NETWORK, chat: 'dave' as never, account: NETWORK as never }
    expect(await stage.say(bob, 'what?', query)).toMatchObject({ kind: 'refused', reason: 'not-found' })
    expect(stage.bot.context.events).toContainEqual(expect.objectContaining({ kind: 'gone', name: 'dave' }))
  })

  test('VERSION is answered, an invitation is not followed', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    client.send(':amy!u@h INVITE Bob[m] #elsewhere')
    client.send(':amy!u@h PRIVMSG Bob[m] :\x01VERSION\x01')
    await stage.ircd.until(() => client.lines.some((line) => line.startsWith('NOTICE amy :\x01VERSION msn-bridge')))
    expect(client.lines.filter((line) => line.startsWith('JOIN'))).toEqual(['JOIN #msn'])
  })
})

describe('nicks', () => {
  test('two of one name get two nicks, and keep them over a restart', async () => {
    const stage = await set()
    await stage.live(ghost('Bob', 'bob@a.example'), 'Bob[m]')
    await stage.live(ghost('Bob', 'bob@b.example'), 'Bob2[m]')
    const again = await set({}, {}, {}, stage.bot.context.stored)
    await again.live(ghost('Robert', 'bob@b.example'), 'Bob2[m]')
  })

  test('where the nick is taken another one of ours is used, and the first when it is free', async () => {
    const stage = await set()
    stage.ircd.on = (client, verb, [nick]) => {
      if (verb !== 'NICK' || nick !== 'Bob[m]') return false
      client.send(`:irc.example 433 * Bob[m] :Nickname is already in use`)
      return true
    }
    const client = await stage.live(bob, 'Bob2[m]')
    stage.ircd.on = () => false
    client.send(':Bob[m]!u@h QUIT :bye')
    await stage.ircd.until(() => client.nick === 'Bob[m]')
    await stage.say(bob, 'hi')
    stage.ircd.clients[0]?.send(':Bob[m]!u@h PRIVMSG #msn :hi')
    stage.ircd.clients[0]?.send(':amy!u@h PRIVMSG #msn :barrier')
    await stage.bot.context.until(() => stage.bot.context.said.includes('amy: barrier'))
    expect(stage.bot.context.said).toEqual(['amy: barrier'])
  })

  test('a nick that says nothing is given up for ours later, and its words are not heard either', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    for (const one of [stage.ircd.clients[0], client]) one?.send(':Bob[m]!u@h NICK :042AAAAAB')
    client.nick = '042AAAAAB'
    stage.ircd.clients[0]?.send(':042AAAAAB!u@h PRIVMSG #msn :mine')
    await stage.ircd.until(() => client.nick === 'Bob[m]')
    expect(stage.bot.context.said).toEqual([])
  })

  test('a changed name changes the nick only where that is wanted', async () => {
    const profile = { kind: 'profile', as: bob, name: 'Robert' } as const
    for (const rename of [false, true]) {
      const stage = await set({ rename })
      const client = await stage.live(bob, 'Bob[m]')
      await stage.bot.session.deliver({ id: 'x' as never, op: profile }, never)
      if (rename) await stage.ircd.until(() => client.nick === 'Robert[m]')
      await stage.say(bob, 'hi')
      expect(stage.said).toEqual([rename ? 'Robert[m]: hi' : 'Bob[m]: hi'])
    }
  })
})

describe('what servers and operators do', () => {
  test('a kick is followed by one return, a second one by the bot speaking', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    client.send(':op!o@h KICK #msn Bob[m] :out')
    await stage.ircd.until(() => client.lines.filter((line) => line === 'JOIN #msn').length === 2)
    await stage.say(ghost('Carol'), 'barrier')
    client.send(':op!o@h KICK #msn Bob[m] :out')
    await stage.ircd.until(() => stage.notices.length > 0)
    expect(stage.notices).toEqual(['bridge: Bob was thrown out twice here; the bridge speaks for them.'])
    await stage.say(bob, 'still here')
    expect(stage.said.at(-1)).toBe('bridge: <Bob> still here')
  })

  test('for whom the channel has banned the bot speaks, and says so once', async () => {
    const stage = await set()
    stage.ircd.on = (client, verb) => {
      if (verb !== 'JOIN') return false
      client.send(`:irc.example 474 ${client.nick} #msn :Cannot join channel (+b)`)
      return true
    }
    await stage.presence(bob)
    await stage.ircd.until(() => stage.notices.length > 0)
    await stage.ircd.until(() => stage.client('Bob[m]')?.lines.filter((line) => line === 'JOIN #msn').length === 3)
    expect(stage.notices).toEqual(['bridge: Bob is banned here; the bridge speaks for them.'])
    await stage.say(bob, 'hello')
    expect(stage.said).toEqual(['bridge: <Bob> hello'])
  })

  test('a puppet that was killed comes back when a person says so', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    client.send(':op!o@h KILL Bob[m] :op (no bots)')
    client.send('ERROR :Closing Link: (Killed (op (no bots)))')
    client.socket.end()
    await stage.bot.context.logged('a puppet was killed, waits for a reconnect')
    await stage.live(ghost('Carol'), 'Carol[m]')
    await stage.presence(bob, 'away')
    expect(stage.client('Bob[m]')).toBeUndefined()
    await stage.say(bob, 'hello')
    expect(stage.said).toEqual(['bridge: <Bob> hello'])
    expect(stage.bot.adapter.describe()[0]).toMatch(/1 of 50 puppets connected, 1 refused$/)
    expect(stage.bot.session.retry?.()).toBe(true)
    await stage.ircd.until(() => stage.client('Bob[m]'))
    expect(stage.bot.session.retry?.()).toBe(false)
  })

  test('a puppet that was killed comes back when the contact signs in anew', async () => {
    const stage = await set()
    const client = await stage.live(bob, 'Bob[m]')
    client.send(':op!o@h KILL Bob[m] :op (no bots)')
    client.socket.end()
    await stage.bot.context.logged('a puppet was killed, waits for a reconnect')
    await stage.presence(bob, 'offline')
    await stage.live(ghost('Carol'), 'Carol[m]')
    await stage.presence(ghost('Carol'), 'offline')
    await stage.ircd.until(() => stage.client('Carol[m]') === undefined)
    await stage.presence(bob)
    await stage.ircd.until(() => stage.client('Bob[m]'))
  })

  test('a server that bans us is left in peace, and that is said once', async () => {
    const stage = await set({ connect_ms: 100 })
    stage.ircd.on = (client, verb) => {
      if (verb !== 'USER') return false
      client.send('ERROR :Closing link: (u@h) [K-lined: go away]')
      client.socket.end()
      return true
    }
    for (let index = 0; index < 50; index++) await stage.presence(ghost(`p${index}`))
    await stage.bot.context.logged('no puppets are connected for a while')
    await stage.say(ghost('p1'), 'hello')
    expect(stage.ircd.clients).toHaveLength(2)
    expect(stage.notices).toHaveLength(1)
    expect(stage.said).toEqual(['bridge: <p1> hello'])
  })

  test('at the limit the bot speaks for the others, and says so once', async () => {
    const stage = await set({ max: 2 })
    await stage.live(ghost('a'), 'a[m]')
    await stage.live(ghost('b'), 'b[m]')
    for (const name of ['c', 'd']) await stage.presence(ghost(name))
    await stage.ircd.until(() => stage.notices.length > 0)
    await stage.say(ghost('c'), 'hello')
    expect(stage.notices).toEqual([
      'bridge: No more than 2 people can be here by themselves; the bridge speaks for the others.',
    ])
    expect(stage.said).toEqual(['bridge: <c> hello'])
    expect(stage.bot.adapter.describe()[0]).toMatch(/2 of 2 puppets connected, 2 wait$/)
  })

  test('a server without room for more is not asked again and again', async () => {
    const stage = await set({ connect_ms: 100 })
    stage.ircd.on = (client, verb) => {
      if (verb !== 'USER' || stage.ircd.clients.length <= 3) return false
      client.send(
        'ERROR :Closing link: (u@h) [No more connections allowed from your host via this connect class (local)]',
      )
      client.socket.end()
      return true
    }
    for (let index = 0; index < 10; index++) await stage.presence(ghost(`p${index}`))
    await stage.ircd.until(() => stage.notices.length > 0)
    await stage.say(ghost('p9'), 'hello')
    expect(stage.ircd.clients).toHaveLength(4)
    expect(stage.notices).toEqual([
      'bridge: No more than 2 people can be here by themselves; the bridge speaks for the others.',
    ])
  })

  test('a short loss of the bot makes nobody leave', async () => {
    const stage = await set({ quit_grace_ms: 5_000 })
    const client = await stage.live(bob, 'Bob[m]')
    stage.ircd.clients[0]?.socket.destroy()
    await stage.bot.context.until(() => stage.bot.session.state.kind === 'waiting')
    expect((await stage.say(bob, 'hello')).kind).toBe('retry')
    await stage.bot.session.connect(never)
    await stage.bot.join('#msn')
    await stage.say(bob, 'hello')
    expect(stage.said).toEqual(['Bob[m]: hello'])
    expect(client.socket.destroyed).toBe(false)
  })

  test('after a long loss of the bot nobody seems to listen any more', async () => {
    const stage = await set({ quit_grace_ms: 50 })
    const client = await stage.live(bob, 'Bob[m]')
    stage.ircd.clients[0]?.socket.destroy()
    await stage.ircd.until(() => client.lines.some((line) => line.startsWith('QUIT')))
    await stage.bot.session.connect(never)
    await stage.ircd.until(() => stage.client('Bob[m]'))
  })
})

describe('who they seem to be', () => {
  test('WEBIRC comes first, with a host and an address that stay the same', async () => {
    const stage = await set({
      webirc: { password: { env: 'WEBIRC' }, hostname: '{local}.msn.example', addresses: '2001:db8:1::/64' },
    })
    const client = await stage.live(bob, 'Bob[m]')
    expect(client.lines[0]).toMatch(/^WEBIRC webirc-password bob bob\.msn\.example 2001:db8:1:0(:[\da-f]{1,4}){4} ?$/)
    const again = await set({
      webirc: { password: { env: 'WEBIRC' }, hostname: '{local}.msn.example', addresses: '2001:db8:1::/64' },
    })
    expect((await again.live(bob, 'Bob[m]')).lines[0]).toBe(client.lines[0])
  })

  test('each connects from its own address', async () => {
    const stage = await set({ source_address: '127.1.0.0/16' })
    const one = await stage.live(bob, 'Bob[m]')
    const other = await stage.live(ghost('Carol'), 'Carol[m]')
    expect(one.socket.remoteAddress).toMatch(/^127\.1\./)
    expect(other.socket.remoteAddress).not.toBe(one.socket.remoteAddress)
  })

  test('they identify with an account of their own', async () => {
    const stage = await set(
      { sasl: { account: 'puppets', password: { env: 'SERVICES' } } },
      {},
      { caps: ['sasl=PLAIN'], accounts: { puppets: 'services-password' } },
    )
    const client = await stage.live(bob, 'Bob[m]')
    expect(client.lines).toContain('AUTHENTICATE PLAIN')
    expect(stage.ircd.clients[0]?.lines).not.toContain('AUTHENTICATE PLAIN')
  })
})
