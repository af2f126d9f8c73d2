import { afterEach, describe as always, expect, test as testAlways } from 'vitest'
import type { Puppet } from '../../../../bridge/model/events.ts'
import type { ChatId, EventId } from '../../../../bridge/model/ids.ts'
import type { Availability } from '../../../../bridge/model/presence.ts'
import type { DeliveryResult } from '../../../../bridge/model/result.ts'
import { missing } from '../../../kit/foreign-server.ts'
import { InspircdNetwork } from '../../../kit/inspircd-network.ts'
import { Inspircd, type InspircdOptions } from '../../../kit/inspircd.ts'
import { IrcClient } from '../../../kit/irc-client.ts'
import { Ngircd } from '../../../kit/ngircd.ts'
import { Bot, chat, never } from '../bot.ts'
import { ghost, HASTY_PUPPETS } from './stage.ts'

const describe = always.skipIf(missing('inspircd', 'ngircd'))
const test = testAlways.skipIf(missing('inspircd'))

const CROWD = 50
const ROOM = chat('#msn')
/** Their own addresses, so that what befalls them spares the bot and the people. */
const ELSEWHERE = '127.1.0.0/16'

const ended: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end()
})

/** A bot with puppets on a real server, and amy in the channel. */
class Town {
  readonly bot: Bot
  readonly amy: IrcClient
  #events = 0
  private constructor(bot: Bot, amy: IrcClient) {
    this.bot = bot
    this.amy = amy
  }

  static async on(port: number, puppets: Readonly<Record<string, unknown>> = {}): Promise<Town> {
    const amy = await IrcClient.connect(port, 'amy')
    ended.push(() => amy.close())
    await amy.join('#msn')
    const bot = new Bot(port, { puppets: { ...HASTY_PUPPETS, connect_ms: 20, max: 100, ...puppets } })
    ended.push(() => bot.stop())
    await bot.online()
    await bot.join('#msn')
    return new Town(bot, amy)
  }

  async presence(who: Puppet, show: Availability): Promise<void> {
    const op = { kind: 'presence', as: who, state: { show }, in: ['#msn' as ChatId] } as const
    await this.bot.session.deliver({ id: `p${++this.#events}` as EventId, op }, never)
  }

  say(who: Puppet, text: string): Promise<DeliveryResult> {
    const op = { kind: 'message', as: who, at: 0, body: { kind: 'text', text: [{ text }] } } as const
    return this.bot.session.deliver({ id: `m${++this.#events}` as EventId, chat: ROOM, op }, never)
  }

  /** Nicks that amy saw join, or quit, in order. */
  saw(verb: 'JOIN' | 'QUIT'): readonly string[] {
    return this.amy.lines.flatMap((line) => {
      const [, nick] = new RegExp(`^:([^ !]+)!\\S+ ${verb}\\b`).exec(line) ?? []
      return nick === undefined || nick === 'bridge' || nick === 'amy' ? [] : [nick]
    })
  }

  /** What was said in the channel, as "nick words" or "(name) words" by the bot. */
  get said(): readonly string[] {
    return this.amy.lines.flatMap((line) => {
      const [, nick, words] = /^:([^ !]+)!\S+ PRIVMSG #msn :(.*)$/.exec(line) ?? []
      if (nick === undefined || words === undefined) return []
      return [nick === 'bridge' ? words.replaceAll('\u200b', '').replace(/^<([^>]+)>/, '($1)') : `${nick} ${words}`]
    })
  }

  get notices(): readonly string[] {
    return this.amy.said('bridge', '#msn').filter((line) => line.includes('the bridge speaks for'))
  }

  get connections(): number {
    return this.bot.context.counts.get('irc_puppet_connections') ?? 0
  }

  /** How many have heard that they are in: the bot, and puppets. Others may have seen it before. */
  get joined(): number {
    return this.bot.context.lines.filter(({ message }) => message === 'joined').length
  }

  async live(...all: readonly Puppet[]): Promise<void> {
    await this.bot.context.until(() => this.joined > 0)
    const [seen, logged] = [this.saw('JOIN').length, this.joined]
    for (const one of all) await this.presence(one, 'online')
    await this.amy.until(() => this.saw('JOIN').length >= seen + all.length)
    await this.bot.context.until(() => this.joined >= logged + all.length)
  }
}

const crowd = Array.from({ length: CROWD }, (_, index) => ghost(`p${index}`))
const [p0 = ghost('p0'), p1 = ghost('p1'), p2 = ghost('p2')] = crowd

const inspircd = async (options: InspircdOptions = {}): Promise<Inspircd> => {
  const ircd = await Inspircd.start(options)
  ended.push(() => ircd.stop())
  return ircd
}
const ngircd = async (perHost?: number): Promise<Ngircd> => {
  const ircd = await Ngircd.start(perHost === undefined ? {} : { perHost })
  ended.push(() => ircd.stop())
  return ircd
}
const start = (name: 'inspircd' | 'ngircd'): Promise<Inspircd | Ngircd> => (name === 'inspircd' ? inspircd() : ngircd())

describe.each(['inspircd', 'ngircd'] as const)('fifty contacts on %s', (name) => {
  testAlways(
    'come and speak while they do, and every word arrives once, in order',
    async () => {
      const town = await Town.on((await start(name)).port)
      const words: Promise<DeliveryResult>[] = []
      for (const one of crowd) await town.presence(one, 'online')
      for (let round = 0; round < 4; round++) {
        await town.amy.until(() => town.saw('JOIN').length >= round * 12)
        for (const [index, one] of crowd.entries()) words.push(town.say(one, `word ${round}-${index}`))
      }
      const results = await Promise.all(words)
      expect(results.filter(({ kind }) => kind !== 'delivered')).toEqual([])
      await town.amy.until(() => town.said.length >= 4 * CROWD)
      const said = town.said.map((line) => line.replace(/^\(?(p\d+)(?:\[m\]|\)) /, '$1 '))
      const expected = Array.from({ length: 4 }, (_, round) =>
        crowd.map((_one, index) => `p${index} word ${round}-${index}`),
      )
      expect(said).toEqual(expected.flat())
      await town.amy.until(() => town.saw('JOIN').length >= CROWD)
      expect(town.connections).toBe(CROWD)
      expect(town.bot.context.said).toEqual([])
    },
    60_000,
  )

  testAlways(
    'come and go within the grace without a connection more, and leave when it is over',
    async () => {
      const town = await Town.on((await start(name)).port, { quit_grace_ms: 2_000 })
      await town.live(...crowd)
      for (let storm = 0; storm < 3; storm++) {
        for (const one of crowd) await town.presence(one, 'offline')
        for (const one of crowd) await town.presence(one, 'online')
      }
      await town.say(p0, 'still here')
      await town.amy.until(() => town.said.includes('p0[m] still here'))
      expect(town.saw('QUIT')).toEqual([])
      for (const one of crowd) await town.presence(one, 'offline')
      await town.amy.until(() => town.saw('QUIT').length >= CROWD)
      expect(town.connections).toBe(CROWD)
    },
    60_000,
  )

  testAlways(
    'a nick that somebody has is not fought for, and taken when it is free',
    async () => {
      const { port } = await start(name)
      const other = await IrcClient.connect(port, 'other')
      other.send('NICK p0[m]')
      await other.next(/^:other\S* NICK :?p0\[m\]/)
      ended.push(() => other.close())
      const town = await Town.on(port)
      await other.join('#msn')
      await town.amy.until(() => town.saw('JOIN').includes('p0[m]'))
      const before = town.saw('JOIN').length
      await town.presence(p0, 'online')
      await town.amy.until(() => town.saw('JOIN').length > before)
      expect(town.saw('JOIN').at(-1)).toBe('p02[m]')
      other.send('QUIT :bye')
      await town.amy.until(() => town.amy.lines.some((line) => /^:p02\[m\]!\S+ NICK :?p0\[m\]$/.test(line)))
      await town.say(p0, 'me again')
      await town.amy.until(() => town.said.includes('p0[m] me again'))
      expect(town.bot.context.said).toEqual([])
    },
    60_000,
  )

  testAlways(
    'who is banned from the channel is spoken for, and that is said once',
    async () => {
      const town = await Town.on((await start(name)).port)
      await town.live(p0, p1)
      town.amy.send('MODE #msn +b p0*!*@*')
      town.amy.send('KICK #msn p0[m] :out')
      await town.amy.until(() => town.notices.length > 0)
      await town.say(p0, 'by the bridge')
      await town.say(p1, 'by myself')
      await town.amy.until(() => town.said.includes('p1[m] by myself'))
      expect(town.said).toEqual(['(p0) by the bridge', 'p1[m] by myself'])
      expect(town.notices).toEqual(['p0 is banned here; the bridge speaks for them.'])
    },
    60_000,
  )

  testAlways(
    'in a moderated channel the sender is told, and with a voice the bot speaks',
    async () => {
      const town = await Town.on((await start(name)).port)
      await town.live(p0)
      town.amy.send('MODE #msn +m')
      await town.amy.next(/ MODE #msn :?\+m/)
      expect(await town.say(p0, 'nobody hears this')).toMatchObject({ kind: 'refused', reason: 'forbidden' })
      town.amy.send('MODE #msn +v bridge')
      await town.amy.next(/ MODE #msn \+v/)
      expect(await town.say(p0, 'by the bridge')).toMatchObject({ kind: 'delivered' })
      town.amy.send('MODE #msn -m')
      await town.amy.next(/ MODE #msn :?-m/)
      await town.say(p1, 'barrier')
      expect(await town.say(p0, 'by myself')).toMatchObject({ kind: 'delivered' })
      await town.amy.until(() => town.said.length >= 3)
      expect(town.said).toEqual(['(p0) by the bridge', '(p1) barrier', 'p0[m] by myself'])
    },
    60_000,
  )

  testAlways(
    'a server that takes no more is not asked again and again, and the bot speaks for the others',
    async () => {
      const { port } = await (name === 'inspircd' ? inspircd({ perHost: 4 }) : ngircd(4))
      const town = await Town.on(port, { source_address: '127.3.0.1', connect_ms: 150 })
      for (const one of crowd) await town.presence(one, 'online')
      await town.amy.until(() => town.notices.length > 0 && town.saw('JOIN').length >= 4)
      await town.bot.context.until(() => town.joined >= 5)
      await town.say(crowd[9] ?? p0, 'barrier')
      const results = await Promise.all(crowd.map((one, index) => town.say(one, `word ${index}`)))
      expect(results.filter(({ kind }) => kind !== 'delivered')).toEqual([])
      await town.amy.until(() => town.said.length >= CROWD + 1)
      expect(town.said.filter((line) => line.startsWith('('))).toHaveLength(CROWD + 1 - 4)
      expect(town.notices).toEqual([
        'No more than 4 people can be here by themselves; the bridge speaks for the others.',
      ])
      expect(town.connections).toBe(5)
      expect(town.bot.adapter.describe()[0]).toContain('4 of 100 puppets connected, 46 wait')
    },
    60_000,
  )
})

test('a ban of the whole crowd: one attempt more, then peace; the bot speaks for all', async () => {
  const ircd = await inspircd()
  const town = await Town.on(ircd.port, { source_address: ELSEWHERE, backoff_ms: 300 })
  await town.live(...crowd.slice(0, 10))
  const oper = await ircd.oper()
  ended.push(() => oper.close())
  const began = Date.now()
  await oper.ban('ZLINE', ELSEWHERE)
  await town.amy.until(() => town.saw('QUIT').length >= 10)
  const results = await Promise.all(crowd.slice(0, 10).map((one, index) => town.say(one, `word ${index}`)))
  expect(results.filter(({ kind }) => kind !== 'delivered')).toEqual([])
  await town.amy.until(() => town.said.length >= 10)
  expect(town.said.every((line) => line.startsWith('('))).toBe(true)
  await town.bot.context.until(() => town.connections >= 13)
  // After 0.3, 0.6 and 1.2 seconds: ten puppets and three attempts.
  expect(Date.now() - began).toBeGreaterThan(2_000)
  expect(town.connections).toBe(13)
  expect(town.notices).toEqual(['The IRC server lets nobody else in now; the bridge speaks for whoever is not here.'])
  await oper.unban('ZLINE', ELSEWHERE)
  expect(town.bot.session.retry?.()).toBe(true)
  await town.amy.until(() => town.saw('JOIN').length >= 20)
}, 60_000)

test('a ban of one: the others stay, and it is tried ever more rarely', async () => {
  const ircd = await inspircd()
  const town = await Town.on(ircd.port)
  await town.live(p0, p1, p2)
  const oper = await ircd.oper()
  ended.push(() => oper.close())
  await oper.ban('GLINE', 'p1@*')
  await town.amy.until(() => town.saw('QUIT').length > 0)
  await town.say(p1, 'by the bridge')
  await town.say(p2, 'by myself')
  await town.amy.until(() => town.said.length >= 2)
  expect(town.said).toEqual(['(p1) by the bridge', 'p2[m] by myself'])
  expect(town.saw('QUIT')).toEqual(['p1[m]'])
  expect(town.connections).toBe(3)
}, 60_000)

test('a kill is not answered with a reconnect, until a person wants it', async () => {
  const ircd = await inspircd()
  const town = await Town.on(ircd.port)
  await town.live(p0, p1)
  const oper = await ircd.oper()
  ended.push(() => oper.close())
  await oper.kill('p0[m]')
  await town.amy.until(() => town.notices.length > 0)
  await town.presence(p0, 'away')
  await town.live(p2)
  await town.say(p0, 'by the bridge')
  await town.amy.until(() => town.said.length > 0)
  expect(town.said).toEqual(['(p0) by the bridge'])
  expect(town.notices).toEqual(['An operator ended the connection of p0; the bridge speaks for them.'])
  expect(town.connections).toBe(3)
  expect(town.bot.session.retry?.()).toBe(true)
  await town.amy.until(() => town.saw('JOIN').length >= 4)
}, 60_000)

test('a netsplit of others moves no puppet, and whoever whispered is gone only when they stay away', async () => {
  const network = await InspircdNetwork.start()
  ended.push(() => network.stop())
  const dave = await IrcClient.connect(network.leaf.port, 'dave')
  ended.push(() => dave.close())
  const town = await Town.on(network.hub.port, { quit_grace_ms: 4_000 })
  await dave.join('#msn')
  await town.amy.until(() => town.saw('JOIN').includes('dave'))
  await town.live(...crowd.slice(0, 10))
  dave.say('p0[m]', 'psst')
  await town.bot.context.until(() => town.bot.context.said.includes('dave: psst'))
  const gone = (): number => town.bot.context.events.filter(({ kind }) => kind === 'gone').length

  await network.split()
  await town.amy.until(() => town.saw('QUIT').includes('dave'))
  await network.join()
  await town.amy.until(() => town.saw('JOIN').filter((nick) => nick === 'dave').length >= 2)
  await town.say(p0, 'all here')
  await town.amy.until(() => town.said.includes('p0[m] all here'))
  expect(gone()).toBe(0)

  await network.split()
  await town.bot.context.until(() => gone() > 0)
  expect(town.connections).toBe(10)
  expect(town.saw('QUIT')).toEqual(['dave', 'dave'])
}, 60_000)
