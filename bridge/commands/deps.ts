/** What a command is, and what it may use of the bridge. */
import type { Account, Adapter, Clock, CommandRequest, Logger, Role, Session } from '../adapter.ts'
import type { Inbound } from '../model/events.ts'
import type { AccountId, NetworkId } from '../model/ids.ts'
import type { SessionState } from '../model/result.ts'
import type { Hub } from '../hub.ts'
import type { Identity } from '../identity.ts'
import type { Portals } from '../portals.ts'
import type { Roster } from '../roster.ts'

export interface CommandDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly adapters: ReadonlyMap<NetworkId, Pick<Adapter, 'parseUser' | 'parseChat' | 'ownAccounts'>>
  readonly accounts: () => readonly Account[]
  readonly sessionOf: (account: AccountId) => Pick<Session, 'roster'> | undefined
  readonly stateOf: (account: AccountId) => SessionState | undefined
  readonly reconnect: (account: AccountId) => boolean
  readonly portals: Pick<Portals, 'find' | 'findEnd'>
  readonly link: Hub['link']
  readonly unlink: Hub['unlink']
  readonly roster: Pick<Roster, 'who'>
  readonly identity: Pick<Identity, 'personOf' | 'accountsOf' | 'userOf'>
  readonly accept: (event: Inbound) => Promise<unknown>
  /** Links were made or taken away. */
  readonly linksChanged: () => void
  /** A new id that nobody has. */
  readonly mint: () => string
}

export interface Call {
  readonly request: CommandRequest
  /** Behind the name of the command. */
  readonly words: readonly string[]
  readonly deps: CommandDeps
}

export interface Command {
  readonly usage: string
  readonly about: string
  readonly role: Role
  /** How many words it takes. */
  readonly least: number
  readonly most: number
  run(call: Call): Promise<readonly string[]>
}
