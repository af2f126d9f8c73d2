import type { IrcMessage } from 'irc-framework'
import { describe, expect, test } from 'vitest'
import { Company, MOST_TOLD, type CompanyView, type Told } from '../../../adapters/irc/company.ts'
import type { ChatId } from '../../../bridge/model/ids.ts'
import { chatIdOf, fold } from '../../../irc/casemap.ts'

const SETTINGS = { quietMs: 100, latestMs: 500, graceMs: 2_000 }
const TEA = '#tea' as ChatId

class Bot {
  readonly company = new Company(SETTINGS)
  now = 0

  get view(): CompanyView {
    return {
      now: this.now,
      fold: (nick) => fold(nick, 'rfc1459'),
      isMe: (nick) => nick === 'bot',
      isOurs: (nick) => nick === 'bot' || nick.endsWith('[m]'),
      channelOf: (name) => (name.startsWith('#') ? chatIdOf(name) : undefined),
      prefixes: '@+',
    }
  }

  hears(line: string): Told | undefined {
    const [, nick = '', command = '', rest = ''] = /^:([^ !]+)\S* (\S+) ?(.*)$/.exec(line) ?? []
    const [middle = '', ...last] = rest.split(/(?:^| ):/)
    const params = [...middle.split(' ').filter((word) => word !== ''), ...(last.length > 0 ? [last.join(' :')] : [])]
    const message: IrcMessage = { tags: {}, prefix: nick, nick, ident: 'u', hostname: 'h', command, params }
    return this.company.message(message, this.view)
  }

  /** In #tea, with these. */
  static with(names: string): Bot {
    const bot = new Bot()
    bot.hears(':bot JOIN #tea')
    bot.hears(`:server 353 bot = #tea :${names}`)
    bot.hears(':server 366 bot #tea :End of /NAMES list.')
    bot.now = SETTINGS.quietMs
    bot.told()
    return bot
  }

  told(): readonly string[] | undefined {
    const [told, ...more] = this.company.due(this.view)
    expect(more).toEqual([])
    return told?.nicks
  }

  after(ms: number): readonly string[] | undefined {
    this.now += ms
    return this.told()
  }
}

describe('who is in a channel', () => {
  test('is told when all names are there, whatever stands before and behind them', () => {
    const bot = new Bot()
    bot.hears(':bot JOIN #Tea')
    bot.hears(':server 353 bot = #tea :@+amy +bob!u@host ')
    expect(bot.after(10_000)).toBeUndefined()
    bot.hears(':server 353 bot = #tea :[cat]')
    bot.hears(':server 366 bot #TEA :End of /NAMES list.')
    expect(bot.after(99)).toBeUndefined()
    expect(bot.company.due({ ...bot.view, now: bot.now + 1 })).toEqual([{ chat: TEA, nicks: ['amy', 'bob', '[cat]'] }])
  })

  test.each([
    ['JOIN', ':zoe JOIN #tea', ['amy', 'bob', 'zoe']],
    ['PART', ':amy PART #tea :bye', ['bob']],
    ['KICK', ':bob KICK #tea amy :out', ['bob']],
    ['QUIT', ':amy QUIT :Ping timeout', ['bob']],
    ['a new nick', ':amy NICK :Amelia', ['Amelia', 'bob']],
    ['the same nick in other letters', ':amy NICK AMY', ['AMY', 'bob']],
  ])('changes with %s', (_, line, nicks) => {
    const bot = Bot.with('amy bob')
    bot.hears(line)
    expect(bot.after(SETTINGS.quietMs)).toEqual(nicks)
    expect(bot.after(10_000)).toBeUndefined()
  })

  test.each([
    ':amy JOIN #elsewhere',
    ':amy PART #elsewhere',
    ':nobody QUIT :bye',
    ':nobody NICK somebody',
    ':nobody PRIVMSG #tea :from outside',
    ':amy PRIVMSG bot :hello',
    ':server 353 bot = #elsewhere :eve',
    ':server 366 bot #elsewhere :End',
  ])('does not change with %s', (line) => {
    const bot = Bot.with('amy bob')
    expect(bot.hears(line)).toBeUndefined()
    expect(bot.after(10_000)).toBeUndefined()
  })

  test('puts those first who spoke last', () => {
    const bot = Bot.with('amy bob cat')
    bot.hears(':bob PRIVMSG #tea :one')
    bot.hears(':cat PRIVMSG #tea :two')
    expect(bot.after(SETTINGS.quietMs)).toEqual(['cat', 'bob', 'amy'])
    bot.hears(':cat PRIVMSG #tea :again')
    expect(bot.after(SETTINGS.quietMs)).toBeUndefined()
  })

  test('is told at once when somebody speaks who was not told of', () => {
    const bot = Bot.with('amy')
    bot.hears(':zoe JOIN #tea')
    expect(bot.hears(':zoe PRIVMSG #tea :hi')).toEqual({ chat: TEA, nicks: ['zoe', 'amy'] })
    expect(bot.hears(':amy PRIVMSG #tea :hi')).toBeUndefined()
  })

  test('is told in a storm, too, and the flood is one word of it', () => {
    const bot = Bot.with('amy')
    const told: number[] = []
    for (let at = 0; at < 100; at++) {
      bot.hears(`:one${at} JOIN #tea`)
      if (bot.after(10) !== undefined) told.push(at)
    }
    expect(told).toEqual([49, 99])
  })

  test('has a limit', () => {
    const names = Array.from({ length: 100 }, (_, at) => `one${at}`)
    const bot = Bot.with(names.slice(0, 99).join(' '))
    const told = bot.hears(':one98 PRIVMSG #tea :last shall be first')
    expect(told?.nicks).toEqual(['one98', ...names.slice(0, MOST_TOLD - 1)])
  })

  test('leaves out those for whom we speak, however many they are and whatever they say', () => {
    const ours = Array.from({ length: MOST_TOLD }, (_, at) => `one${at}[m]`)
    const bot = Bot.with(`bot ${ours.join(' ')} amy`)
    bot.hears(':zoe JOIN #tea')
    expect(bot.after(SETTINGS.quietMs)).toEqual(['amy', 'zoe'])
    expect(bot.hears(':one1[m] PRIVMSG #tea :hi')).toBeUndefined()
    expect(bot.hears(':bot PRIVMSG #tea :hi')).toBeUndefined()
    expect(bot.after(10_000)).toBeUndefined()
  })

  test('keeps those whom a netsplit took, until they are not back in time', () => {
    const bot = Bot.with('amy bob')
    bot.hears(':amy QUIT :*.net *.split')
    bot.hears(':bob QUIT :hub.example leaf.example')
    expect(bot.after(SETTINGS.graceMs - 1)).toBeUndefined()
    bot.hears(':amy JOIN #tea')
    bot.now += 1
    bot.told()
    expect(bot.after(SETTINGS.quietMs)).toEqual(['amy'])
    expect(bot.after(SETTINGS.graceMs)).toBeUndefined()
  })

  test('stays while we are away for a moment, and is nobody after a while', () => {
    const bot = Bot.with('amy bob')
    bot.company.lost(bot.now)
    expect(bot.after(SETTINGS.graceMs - 1)).toBeUndefined()
    bot.hears(':bot JOIN #tea')
    bot.hears(':server 353 bot = #tea :bob cat')
    bot.hears(':server 366 bot #tea :End')
    expect(bot.after(SETTINGS.quietMs)).toEqual(['bob', 'cat'])
    bot.hears(':op KICK #tea bot :out')
    bot.hears(':server 353 bot = #tea :eve')
    expect(bot.after(SETTINGS.graceMs - 1)).toBeUndefined()
    expect(bot.after(1)).toEqual([])
    expect(bot.after(10_000)).toBeUndefined()
  })

  test('is nobody at once where the connection stays away', () => {
    const bot = Bot.with('amy')
    expect(bot.company.gone()).toEqual([{ chat: TEA, nicks: [] }])
    expect(bot.company.gone()).toEqual([])
    expect(bot.hears(':amy PRIVMSG #tea :hi')).toBeUndefined()
  })

  test('is nobody at once where the link has gone', () => {
    const bot = Bot.with('amy')
    expect(bot.company.forget(TEA)).toEqual({ chat: TEA, nicks: [] })
    expect(bot.company.forget(TEA)).toBeUndefined()
  })

  test('is the same person under any spelling that the server takes for one', () => {
    const bot = Bot.with('a[b] AMY')
    bot.hears(':A{B} PRIVMSG #tea :hi')
    expect(bot.after(SETTINGS.quietMs)).toEqual(['a[b]', 'AMY'])
    bot.hears(':a{b} PART #tea')
    bot.hears(':amy PART #tea')
    expect(bot.after(SETTINGS.quietMs)).toEqual([])
  })
})
