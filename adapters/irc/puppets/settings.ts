/** How the people from elsewhere are shown on one network, as the config says it. */
import type { ChatId } from '../../../bridge/model/ids.ts'
import type { ConnectionSettings } from '../connection.ts'
import { addressFor } from './addresses.ts'
import type { CrowdRules } from './crowd.ts'
import { hostnameFor, type Named, textFor, usernameFor } from './nicks.ts'

export interface PuppetSettings {
  /** Absent: all that are linked. */
  readonly channels: ReadonlySet<ChatId> | undefined
  readonly nick: string
  readonly username: string
  readonly realname: string
  readonly rules: CrowdRules
  /** A changed name is a changed nick. */
  readonly rename: boolean
  /** What a contact says goes to whoever wrote to them in private, for so long after the last private word. Milliseconds. */
  readonly answersMs: number
  /** Back into a channel after a kick, and where a JOIN or a word was refused. */
  readonly rejoinMs: number
  readonly retryMs: number
  /** A nick that services took away is asked for again after so long. */
  readonly nickBackMs: number
  /** Addresses or prefixes of ours; empty: as the system chooses. */
  readonly from: readonly string[]
  readonly webirc:
    { readonly password: string; readonly hostname: string; readonly addresses: readonly string[] } | undefined
  readonly sasl: ConnectionSettings['sasl']
}

export type Base = Omit<ConnectionSettings, 'nick' | 'alternates' | 'username' | 'realname' | 'sasl' | 'nickserv'>

/** The connection of one of them. */
export const connectionFor = (
  settings: PuppetSettings,
  base: Base,
  who: Named,
  [nick, ...alternates]: readonly [string, ...string[]],
): ConnectionSettings => {
  const from = addressFor(settings.from, who.address)
  const username = usernameFor(settings.username, who)
  const { webirc } = settings
  return {
    ...base,
    target: from === undefined ? base.target : { ...base.target, from },
    nick,
    alternates,
    username,
    realname: textFor(settings.realname, who) || nick,
    sasl: settings.sasl,
    nickserv: undefined,
    deaf: true,
    ...(webirc === undefined
      ? {}
      : {
          webirc: {
            password: webirc.password,
            username,
            hostname: hostnameFor(webirc.hostname, who),
            address: addressFor(webirc.addresses, who.address) ?? '127.0.0.1',
          },
        }),
  }
}
