/** The adapter `irc`: we join an IRC network as one bot that speaks for everyone. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Account, AdapterContext, Session } from '../../bridge/adapter.ts'
import type { AccountId, ChatId, NetworkId, PersonId, UserId } from '../../bridge/model/ids.ts'
import type { AdapterOptions, HostingAdapter } from '../module.ts'
import { parseChannel, parseNick } from '../../irc/casemap.ts'
import type { IrcConfig } from './config.ts'
import type { ConnectionSettings } from './connection.ts'
import { RelaySession, type SessionSettings } from './session.ts'

/** To whom the bot's account belongs: nobody of the people, the bridge itself. */
const BRIDGE = 'bridge' as PersonId
const VERSION = 'msn-bridge'

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

  describe(): readonly string[] {
    const { host, port } = this.#options.config.server
    return [`IRC ${host}:${port} ${this.#session?.describe() ?? 'not started'}`]
  }
}

type Options = AdapterOptions<IrcConfig>

const sessionSettings = (options: Options, account: AccountId): SessionSettings => {
  const { config } = options
  return {
    network: options.network,
    account,
    trigger: config.command,
    permissions: config.permissions,
    channels: config.channels.map((channel) =>
      typeof channel === 'string'
        ? { name: channel, key: undefined }
        : { name: channel.name, key: options.secret(channel.key) },
    ),
    rejoinMs: config.timing.rejoin_ms,
    joinRetryMs: config.timing.join_retry_ms,
    presence: config.presence.enabled
      ? { quietMs: config.presence.seconds * 1000, channels: config.presence.channels }
      : undefined,
    nick: config.nick,
    connection: () => connectionSettings(options),
  }
}

const connectionSettings = (options: Options): ConnectionSettings => {
  const { network, config } = options
  const { nickserv, timing, flood } = config
  const tls = tlsOptions(config)
  return {
    network,
    target: { host: config.server.host, port: config.server.port, ...(tls === undefined ? {} : { tls }) },
    nick: config.nick,
    alternates: config.alternates,
    username: config.username,
    realname: config.realname,
    password: config.password === undefined ? undefined : options.secret(config.password),
    sasl: saslOf(config, (reference) => options.secret(reference)),
    nickserv:
      nickserv === undefined
        ? undefined
        : {
            service: nickserv.service,
            account: nickserv.account,
            password: options.secret(nickserv.password),
            recover: nickserv.recover,
            waitMs: timing.nickserv_ms,
          },
    version: VERSION,
    pace: { burst: flood.burst, intervalMs: flood.interval_ms },
    registerMs: timing.connect_timeout_ms,
    pingMs: timing.ping_ms,
    pingTimeoutMs: timing.ping_timeout_ms,
    confirmMs: timing.confirm_timeout_ms,
  }
}

const saslOf = ({ sasl, nick }: IrcConfig, secret: Options['secret']): ConnectionSettings['sasl'] => {
  if (sasl === undefined) return undefined
  if (sasl.mechanism === 'external') return { mechanism: 'EXTERNAL' }
  if (sasl.password === undefined) {
    throw new Error('SASL PLAIN needs a password: set "sasl.password" of this network')
  }
  return { mechanism: 'PLAIN', account: sasl.account ?? nick, password: secret(sasl.password) }
}

const tlsOptions = ({ tls, server }: IrcConfig): ConnectionOptions | undefined => {
  if (tls === false) return undefined
  const name = isIP(server.host) === 0 ? { servername: server.host } : {}
  if (tls === true) return name
  return {
    ...name,
    rejectUnauthorized: !tls.insecure,
    ...(tls.ca === undefined ? {} : { ca: readFileSync(tls.ca) }),
    ...(tls.cert === undefined ? {} : { cert: readFileSync(tls.cert) }),
    ...(tls.key === undefined ? {} : { key: readFileSync(tls.key) }),
  }
}
