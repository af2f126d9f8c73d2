/** The config of a network -> what its parts need to know. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { AccountId } from '../../bridge/model/ids.ts'
import { chatIdOf } from '../../irc/casemap.ts'
import type { AdapterOptions } from '../module.ts'
import type { IrcConfig } from './config.ts'
import type { ConnectionSettings } from './connection.ts'
import { isAddressOrPrefix } from './puppets/addresses.ts'
import type { PuppetSettings } from './puppets/settings.ts'
import type { SessionSettings } from './session.ts'

const VERSION = 'msn-bridge'
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

type Options = AdapterOptions<IrcConfig>

export const sessionSettings = (options: Options, account: AccountId): SessionSettings => {
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
    company: {
      quietMs: config.timing.members_quiet_ms,
      latestMs: config.timing.members_latest_ms,
      graceMs: config.timing.members_grace_ms,
    },
    presence: config.presence.enabled
      ? { quietMs: config.presence.seconds * 1000, channels: config.presence.channels }
      : undefined,
    nick: config.nick,
    alternates: config.alternates,
    puppets: config.puppets.enabled ? puppetSettings(options) : undefined,
    connection: () => connectionSettings(options),
  }
}

const puppetSettings = (options: Options): PuppetSettings => {
  const { puppets, timing } = options.config
  const secret: Options['secret'] = (reference) => options.secret(reference)
  const { webirc, sasl } = puppets
  return {
    channels: puppets.channels === undefined ? undefined : new Set(puppets.channels.map(chatIdOf)),
    nick: puppets.nick,
    username: puppets.username,
    realname: puppets.realname,
    rules: {
      max: puppets.max,
      spacingMs: puppets.connect_ms,
      debounceMs: puppets.debounce_ms,
      graceMs: puppets.quit_grace_ms,
      idleMs: puppets.idle_days * DAY_MS,
      backoffMs: puppets.backoff_ms,
    },
    rename: puppets.rename,
    answersMs: puppets.private_minutes * MINUTE_MS,
    rejoinMs: timing.rejoin_ms,
    retryMs: timing.join_retry_ms,
    nickBackMs: puppets.nick_back_ms,
    from: checked(puppets.source_address ?? []),
    webirc:
      webirc === undefined
        ? undefined
        : { password: secret(webirc.password), hostname: webirc.hostname, addresses: checked(webirc.addresses) },
    sasl:
      sasl === undefined ? undefined : { mechanism: 'PLAIN', account: sasl.account, password: secret(sasl.password) },
  }
}

/** Throws a sentence for the operator: the network does not start. */
const checked = (addresses: readonly string[]): readonly string[] => {
  const wrong = addresses.find((address) => !isAddressOrPrefix(address))
  if (wrong !== undefined) throw new Error(`"${wrong}" is no address: correct it under "puppets" of this network`)
  return addresses
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
