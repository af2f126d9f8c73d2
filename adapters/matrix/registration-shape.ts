/** What a homeserver must know of us, from the config. Pure. */
import type { NetworkId } from '../../bridge/model/ids.ts'
import type { MatrixConfig } from './config.ts'

/** As it is written in the file. */
export interface Registration {
  readonly id: string
  readonly url: string
  readonly as_token: string
  readonly hs_token: string
  readonly sender_localpart: string
  readonly namespaces: {
    readonly users: readonly { readonly exclusive: boolean; readonly regex: string }[]
    readonly aliases: readonly { readonly exclusive: boolean; readonly regex: string }[]
    readonly rooms: readonly { readonly exclusive: boolean; readonly regex: string }[]
  }
  readonly rate_limited: boolean
  readonly protocols: readonly string[]
  /** Typing, receipts and presence: the name of the specification, and the one that homeservers knew before. */
  readonly receive_ephemeral: boolean
  readonly 'de.sorunome.msc2409.push_ephemeral': boolean
  /** Devices for ghosts. */
  readonly 'io.element.msc4190': boolean
}

export interface Tokens {
  readonly as_token: string
  readonly hs_token: string
}

/** What the bridge is called in the registration, and in `POST /_matrix/client/v1/appservice/{id}/ping`. */
const registrationId = (network: NetworkId): string => `msn-bridge-${network}`

export const registrationOf = (config: MatrixConfig, network: NetworkId, tokens: Tokens): Registration => ({
  id: registrationId(network),
  url: config.url?.replace(/\/+$/, '') ?? `http://${hostOf(config.listen.host)}:${config.listen.port}`,
  as_token: tokens.as_token,
  hs_token: tokens.hs_token,
  sender_localpart: config.bot.localpart,
  namespaces: {
    users: [{ exclusive: true, regex: `@${escaped(config.ghosts.prefix)}.+:${escaped(config.domain)}` }],
    aliases: [],
    rooms: [],
  },
  rate_limited: false,
  protocols: ['msn'],
  receive_ephemeral: true,
  'de.sorunome.msc2409.push_ephemeral': true,
  'io.element.msc4190': true,
})

const hostOf = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** Also right for homeservers whose regular expressions are not JavaScript's: only what is special everywhere is escaped. */
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
