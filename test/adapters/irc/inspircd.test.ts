import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SessionFault } from '../../../bridge/adapter.ts'
import type { ChatId, EventId, UserId } from '../../../bridge/model/ids.ts'
import { missing } from '../../kit/foreign-server.ts'
import { Inspircd } from '../../kit/inspircd.ts'
import { IrcClient } from '../../kit/irc-client.ts'
import { Bot, chat, never } from './bot.ts'

/** A modern network: InspIRCd with TLS and IRCv3, Atheme beside it. */
describe.skipIf(missing('inspircd', 'atheme-services'))('a real InspIRCd', () => {
  let ircd: Inspircd
  const opened: (() => Promise<void> | void)[] = []

  beforeAll(async () => {
    ircd = await Inspircd.start({ services: true })
  })
  afterAll(async () => {
    await ircd.stop()
  })
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close()
  })

  const person = async (nick: string): Promise<IrcClient> => {
    const client = await IrcClient.connect(ircd.port, nick)
    opened.push(() => client.close())
    return client
  }
  const bot = (config = {}, secrets = {}, port = ircd.port): Bot => {
    const made = new Bot(port, config, secrets)
    opened.push(() => made.stop())
    return made
  }
  /** Makes the account that `nick` is the name of. */
  const register = async (nick: string, fingerprint?: string): Promise<void> => {
    const owner = await person(nick)
    owner.say('NickServ', 'REGISTER geheim a@example.org')
    await owner.next(/ 900 /)
    if (fingerprint !== undefined) {
      owner.say('NickServ', `CERT ADD ${fingerprint}`)
      await owner.next(/NOTICE \S+ :Added fingerprint/)
    }
    owner.send('QUIT')
    await owner.until(() => owner.closed)
  }
  const faultOf = async (made: Bot): Promise<SessionFault['fault']> => {
    const error: unknown = await made.online().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (error instanceof SessionFault) return error.fault
    throw new Error(`no fault but ${String(error)}`)
  }

  it('signs in over TLS to a server whose authority is configured, and to no other', async () => {
    const made = await bot({ tls: { ca: ircd.ca } }, {}, ircd.tlsPort).online()
    expect(made.session.state.kind).toBe('online')
    const fault = await faultOf(bot({ tls: true }, {}, ircd.tlsPort))
    expect(fault.detail).toMatch(/certificate of 127\.0\.0\.1:\d+ is not trusted .*tls: \{ ca: FILE \}/)
    const plain = bot({ tls: true, timing: { connect_timeout_ms: 500 } })
    expect((await faultOf(plain)).detail).toMatch(/speaks no TLS|not finished/)
  })

  it('identifies by SASL PLAIN, and stops when services refuse', async () => {
    await register('plainbot')
    const sasl = { nick: 'plainbot', sasl: { account: 'plainbot', password: { env: 'PW' } } }
    await bot(sasl, { PW: 'geheim' }).online()
    const asker = await person('asker')
    asker.send('WHOIS plainbot')
    expect(await asker.next(/ (330|318) /)).toContain(' 330 ')
    const wrong = bot({ ...sasl, nick: 'other' }, { PW: 'falsch' })
    expect((await faultOf(wrong)).code).toBe('bad-credentials')
    expect(wrong.session.state.kind).toBe('stopped')
  })

  it('identifies by its certificate with SASL EXTERNAL', async () => {
    const { cert, key, fingerprint } = await ircd.clientCertificate('extbot')
    await register('extbot', fingerprint)
    const config = { nick: 'extbot', tls: { ca: ircd.ca, cert, key }, sasl: { mechanism: 'external' } }
    await bot(config, {}, ircd.tlsPort).online()
    const asker = await person('asker')
    asker.send('WHOIS extbot')
    expect(await asker.next(/ (330|318) /)).toContain(' 330 ')
  })

  it('identifies with NickServ and takes its nick back from whoever has it', async () => {
    await register('nsbot')
    const thief = await person('nsbot')
    const made = await bot({ nick: 'nsbot', nickserv: { password: { env: 'PW' } } }, { PW: 'geheim' }).online()
    expect(made.adapter.describe()[0]).toContain('as nsbot,')
    await thief.until(() => thief.closed)
    const wrong = bot({ nick: 'nsbot2', nickserv: { account: 'nsbot', password: { env: 'PW' } } }, { PW: 'falsch' })
    expect((await faultOf(wrong)).code).toBe('bad-credentials')
  })

  it('carries emoji, 4000 characters and many lines both ways, with the ids and times of the server', async () => {
    const ann = await person('ann')
    await ann.join('#talk')
    ann.send('MODE #talk +k sesam')
    const made = await bot({ channels: [{ name: '#Talk', key: { env: 'KEY' } }] }, { KEY: 'sesam' }).online()
    await ann.next(/:bridge!\S+ JOIN/)
    const long = 'Zwölf Boxkämpfer jagen Viktor 👨‍👩‍👧‍👦 quer '.repeat(100).slice(0, 4000)
    expect((await made.say(chat('#talk'), `${long}\nzwei\n\nvier`)).kind).toBe('delivered')
    await ann.until(() => ann.said('bridge', '#talk').includes('vier'))
    const heard = ann.said('bridge', '#talk')
    expect(heard.slice(0, -3).join('')).toBe(long)
    expect(heard.slice(-3)).toEqual(['zwei', ' ', 'vier'])
    const before = Date.now()
    ann.say('#talk', 'grüße 😀')
    ann.say('#talk', '\x01ACTION \x02winkt\x02\x01')
    await made.context.until(() => made.context.said.length === 2)
    expect(made.context.said).toEqual(['ann: grüße 😀', '* ann winkt'])
    const [event] = made.context.events.filter(({ kind }) => kind === 'message')
    expect(event).toMatchObject({ kind: 'message', chat: chat('#talk') })
    if (event?.kind !== 'message') throw new Error('no message')
    expect(Math.abs(event.at - before)).toBeLessThan(5_000)
    const [again] = await Promise.all([made.say(chat('#talk'), 'id?')])
    expect(again.kind === 'delivered' && again.ids[0]).toMatch(/^\d+~/)
  })

  it('loses nothing of 200 lines at once, in order', async () => {
    const ann = await person('ann')
    await ann.join('#flood')
    const made = await bot({ flood: { burst: 4, interval_ms: 2 } }).online()
    const place = await made.join('#flood')
    const texts = Array.from({ length: 200 }, (_, index) => `line ${index}`)
    const results = await Promise.all(texts.map((text) => made.say(place, text)))
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['delivered']))
    await ann.until(() => ann.said('bridge', '#flood').length === 200)
    expect(ann.said('bridge', '#flood')).toEqual(texts)
  })

  it('comes back after a kick, and waits outside while it is banned', async () => {
    const ann = await person('ann')
    await ann.join('#kick')
    const made = await bot().online()
    const place = await made.join('#kick')
    await ann.next(/:bridge!\S+ JOIN/)
    ann.send('KICK #kick bridge :out')
    await ann.next(/:bridge!\S+ JOIN/)
    expect((await made.say(place, 'back')).kind).toBe('delivered')
    ann.send('MODE #kick +b bridge!*@*')
    ann.send('KICK #kick bridge :and stay out')
    await made.context.logged('cannot join, will try again')
    const outside = await made.say(place, 'hello?')
    expect(outside).toMatchObject({ kind: 'retry', reason: 'forbidden' })
    const answer = await made.session.open({ kind: 'channel', name: '#kick' as ChatId }, never)
    expect(answer).toMatchObject({ kind: 'refused', reason: 'forbidden' })
    ann.send('MODE #kick -b bridge!*@*')
    await ann.next(/:bridge!\S+ JOIN/)
    expect((await made.say(place, 'thanks')).kind).toBe('delivered')
  })

  it('is told in words what the server will not carry', async () => {
    const ann = await person('ann')
    await ann.join('#muted')
    const made = await bot().online()
    const place = await made.join('#muted')
    ann.send('MODE #muted +m')
    await ann.next(/MODE #muted :?\+m/)
    const refused = await made.say(place, 'hello')
    expect(refused).toMatchObject({ kind: 'refused', reason: 'forbidden' })
    const direct = await made.session.open({ kind: 'direct', with: 'nobody-here' as UserId }, never)
    if (direct.kind !== 'opened') throw new Error(direct.kind)
    expect(await made.say(direct.chat, 'hello')).toMatchObject({ kind: 'refused', reason: 'not-found' })
  })

  it('knows the services account of who commands it', async () => {
    await register('boss')
    const boss = await person('boss')
    boss.say('NickServ', 'IDENTIFY geheim')
    await boss.next(/ 900 /)
    await boss.join('#cmd')
    const made = await bot({ permissions: { admins: { accounts: ['boss'] } } }).online()
    await made.join('#cmd')
    made.context.answer = ({ role, line }) => [[{ text: `${role} said ${line}` }]]
    boss.say('#cmd', '!msn who')
    await boss.until(() => boss.said('bridge', '#cmd').includes('admin said who'))
    boss.say('bridge', 'help')
    await boss.until(() => boss.said('bridge', 'boss').includes('admin said help'))
    const eve = await person('eve')
    await eve.join('#cmd')
    eve.say('#cmd', '!msn link')
    await eve.until(() => eve.said('bridge', '#cmd').includes('none said link'))
  })

  it('stops for good when an operator kills or bans it', async () => {
    const oper = await person('oper')
    oper.send('OPER oper operpass')
    await oper.next(/ 381 /)
    const killed = await bot({ nick: 'victim' }).online()
    oper.send('KILL victim :go away')
    await killed.context.until(() => killed.session.state.kind === 'stopped')
    expect(killed.context.states.at(-1)).toMatchObject({ fault: { code: 'banned' } })
    const banned = await bot({ nick: 'spammer', username: 'spammer' }).online()
    oper.send('KLINE *spammer@* 1h :spam')
    await banned.context.until(() => banned.session.state.kind === 'stopped')
    expect(banned.context.states.at(-1)).toMatchObject({ fault: { code: 'banned' } })
    expect((await faultOf(bot({ nick: 'spammer2', username: 'spammer' }))).code).toBe('banned')
  })

  it('tells the topic', async () => {
    const ann = await person('ann')
    await ann.join('#topic')
    const made = await bot().online()
    await made.join('#topic')
    ann.send('TOPIC #topic :what we talk of')
    await made.context.until(() => made.context.events.length > 0)
    expect(made.context.events[0]).toMatchObject({ kind: 'topic', topic: 'what we talk of', senderName: 'ann' })
    // A second change within the same second would be refused.
    const other = await made.join('#topic2')
    const op = { kind: 'topic', as: { kind: 'self' }, topic: 'neu 😀' } as const
    expect((await made.session.deliver({ id: 't' as EventId, chat: other, op }, never)).kind).toBe('delivered')
    await ann.join('#topic2')
    expect(ann.lines.some((line) => line.endsWith(' 332 ann #topic2 :neu 😀'))).toBe(true)
    expect(made.context.events).toHaveLength(1)
  })
})

describe.skipIf(missing('inspircd'))('a real InspIRCd that goes away', () => {
  it('leaves nothing counted as delivered that was not, and takes us back', async () => {
    const ircd = await Inspircd.start()
    const made = new Bot(ircd.port, { flood: { burst: 4, interval_ms: 20 } })
    try {
      const ann = await IrcClient.connect(ircd.port, 'ann')
      await ann.join('#gone')
      await made.online()
      const place = await made.join('#gone')
      const texts = Array.from({ length: 60 }, (_, index) => `line ${index}`)
      const results = Promise.all(texts.map((text) => made.say(place, text)))
      await ann.until(() => ann.said('bridge', '#gone').length >= 10)
      await ircd.halt()
      const kinds = (await results).map(({ kind }) => kind)
      // Written and not confirmed when the server died: uncertain. Not written yet: retry.
      const order = ['delivered', 'uncertain', 'retry']
      expect(kinds).toEqual(kinds.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)))
      expect(kinds[0]).toBe('delivered')
      expect(kinds.at(-1)).toBe('retry')
      expect(made.context.states.at(-1)).toMatchObject({ kind: 'waiting', fault: { code: 'network' } })
      await expect(made.session.connect(never)).rejects.toThrow(/Cannot reach/)
      ann.close()
      await ircd.restart()
      await made.session.connect(never)
      const bob = await IrcClient.connect(ircd.port, 'bob')
      await bob.join('#gone')
      expect((await made.say(place, 'back')).kind).toBe('delivered')
      bob.close()
    } finally {
      await made.stop()
      await ircd.stop()
    }
  })
})
