/** The adapter `irc`: we join an IRC network as one bot that speaks for everyone. */
import type { Account, AdapterContext, Addressed, Session } from '../../bridge/adapter.ts'
import { escapeWord, unescapeWord } from '../../bridge/model/escape.ts'
import type { AccountId, ChatId, NetworkId, PersonId, UserId } from '../../bridge/model/ids.ts'
import type { AdapterOptions, HostingAdapter } from '../module.ts'
import { parseChannel, parseNick } from '../../irc/casemap.ts'
import type { IrcConfig } from './config.ts'
import { RelaySession } from './session.ts'
import { sessionSettings } from './settings.ts'

/** To whom the bot's account belongs: nobody of the people, the bridge itself. */
const BRIDGE = 'bridge' as PersonId

export const create = (options: AdapterOptions<IrcConfig>): IrcAdapter => new IrcAdapter(options)

export class IrcAdapter implements HostingAdapter {
  readonly network: NetworkId
  readonly role = 'joins'
  readonly #options: AdapterOptions<IrcConfig>
  readonly #bot: Account
  #session: RelaySession | undefined

  constructor(options: AdapterOptions<IrcConfig>) {
    this.network = options.network
    this.#options = options
    this.#bot = {
      id: String(options.network) as AccountId,
      network: options.network,
      person: BRIDGE,
      login: options.config.nick,
      secret: '',
    }
  }

  async start(context: AdapterContext): Promise<void> {
    const session = new RelaySession(sessionSettings(this.#options, this.#bot.id), context)
    await session.load()
    this.#session = session
  }

  async stop(): Promise<void> {
    await this.#session?.stop()
  }

  session(): Session {
    if (this.#session === undefined) throw new Error('the irc adapter has not been started')
    return this.#session
  }

  ownAccounts(): readonly Account[] {
    return [this.#bot]
  }

  parseChat(name: string): ChatId | { readonly wrong: string } {
    return parseChannel(name)
  }

  parseUser(name: string): UserId | { readonly wrong: string } {
    return parseNick(name)
  }

  /** `bob`, `#channel`; what stands in no address is escaped. */
  addressed(local: string): Addressed | undefined {
    const isChannel = local.startsWith('#')
    const name = unescapeWord(isChannel ? local.slice(1) : local)
    if (name === undefined) return undefined
    if (isChannel) {
      const chat = this.parseChat(`#${name}`)
      return chat === `#${name}` ? { kind: 'channel', chat, name: `#${name}` } : undefined
    }
    const user = this.parseUser(name)
    // Capitals would be a second address of the same nick, and what we say to ourselves would come back.
    if (typeof user !== 'string' || user !== name || this.#session?.isOurs(name) !== false) return undefined
    return { kind: 'user', user, name }
  }

  addressOf(user: UserId): string | undefined {
    const local = escapeWord(user)
    return this.addressed(local) === undefined ? undefined : local
  }

  describe(): readonly string[] {
    const { host, port } = this.#options.config.server
    return [`IRC ${host}:${port} ${this.#session?.describe() ?? 'not started'}`]
  }
}
