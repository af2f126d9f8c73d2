import { afterEach } from 'vitest'
import type { Puppet } from '../../../../bridge/model/events.ts'
import type { ChatId, ChatRef, EventId, NetworkId, UserId } from '../../../../bridge/model/ids.ts'
import type { PresenceState } from '../../../../bridge/model/presence.ts'
import type { DeliveryResult } from '../../../../bridge/model/result.ts'
import { Bot, chat, never } from '../bot.ts'
import { FakeIrcd, type FakeClient, type FakeIrcdOptions } from '../fake-ircd.ts'

/** Puppets that are quick, and one channel. */
export const HASTY_PUPPETS = {
  enabled: true,
  connect_ms: 0,
  debounce_ms: 0,
  quit_grace_ms: 60,
  backoff_ms: 60_000,
  nick_back_ms: 40,
}

export const ghost = (name: string, address = `${name.toLowerCase()}@home.example`): Puppet => ({
  kind: 'ghost',
  origin: { network: 'retro' as NetworkId, user: address as UserId },
  name,
})

/** A bot in #msn on a fake server, and ghosts that come and go. */
export class Stage {
  readonly ircd: FakeIrcd
  readonly bot: Bot
  readonly port: number
  readonly channel = chat('#msn')
  #events = 0

  private constructor(ircd: FakeIrcd, port: number, bot: Bot) {
    this.ircd = ircd
    this.port = port
    this.bot = bot
  }

  static async set(
    puppets: Readonly<Record<string, unknown>> = {},
    config: Readonly<Record<string, unknown>> = {},
    server: FakeIrcdOptions = {},
    stored: Iterable<readonly [string, string]> = [],
  ): Promise<Stage> {
    const ircd = new FakeIrcd({ isupport: ['NICKLEN=30', 'CASEMAPPING=rfc1459'], ...server })
    const port = await ircd.listen()
    const bot = new Bot(
      port,
      { puppets: { ...HASTY_PUPPETS, ...puppets }, ...config },
      { WEBIRC: 'webirc-password', SERVICES: 'services-password' },
    )
    for (const [key, value] of stored) bot.context.stored.set(key, value)
    const stage = new Stage(ircd, port, bot)
    await bot.online()
    await bot.join('#msn')
    return stage
  }

  async presence(
    as: Puppet,
    state: PresenceState['show'] | PresenceState = 'online',
    ...chats: readonly string[]
  ): Promise<void> {
    const where = chats.length === 0 ? ['#msn'] : chats
    const op = {
      kind: 'presence',
      as,
      state: typeof state === 'string' ? { show: state } : state,
      in: where as readonly ChatId[],
    } as const
    await this.bot.session.deliver({ id: `p${++this.#events}` as EventId, op }, never)
  }

  /** There, and in #msn. */
  async live(as: Puppet, nick: string): Promise<FakeClient> {
    const joined = (): number => this.bot.context.lines.filter(({ message }) => message === 'joined').length
    const before = joined()
    await this.presence(as)
    await this.bot.context.until(() => joined() > before)
    await this.ircd.until(() => this.client(nick))
    const client = this.client(nick)
    if (client === undefined) throw new Error(`${nick} is not there`)
    return client
  }

  /** The one that has that nick now, and is there. */
  client(nick: string): FakeClient | undefined {
    return this.ircd.clients.findLast((client) => client.nick === nick && client.registered && !client.socket.destroyed)
  }

  say(as: Puppet, text: string, where: ChatRef = this.channel): Promise<DeliveryResult> {
    const op = { kind: 'message', as, at: 0, body: { kind: 'text', text: [{ text }] } } as const
    return this.bot.session.deliver({ id: `m${++this.#events}` as EventId, chat: where, op }, never)
  }

  /** Words to #msn, as "nick: words", in the order of their coming. */
  get said(): readonly string[] {
    return this.heard('PRIVMSG #msn')
  }

  get notices(): readonly string[] {
    return this.heard('NOTICE #msn')
  }

  heard(start: string): readonly string[] {
    return this.ircd.clients.flatMap(({ lines, nick }) =>
      lines.flatMap((line) => {
        const words = line.replace(/^@\S+ /, '')
        return words.startsWith(`${start} :`)
          ? [`${nick}: ${words.slice(start.length + 2).replaceAll('\u200b', '')}`]
          : []
      }),
    )
  }
}

/** Takes down what was set up. */
export const setsStages = (): typeof Stage.set => {
  const stages: Stage[] = []
  afterEach(async () => {
    for (const { bot, ircd } of stages.splice(0)) {
      await bot.stop()
      await ircd.close()
    }
  })
  return async (...options) => {
    const stage = await Stage.set(...options)
    stages.push(stage)
    return stage
  }
}
