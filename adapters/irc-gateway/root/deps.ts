/** What a command of root is, and what it may use. */
import type { NetworkId, UserId } from '../../../bridge/model/ids.ts'
import type { ClientPort, DccPort, GatewayDeps, InboxPort, PersonPort } from '../types.ts'
import type { Passwords } from './passwords.ts'
import type { PictureOffers } from './picture-offers.ts'
import type { Questions } from './questions.ts'

export interface RootDeps extends GatewayDeps {
  readonly users: UsersPort
  readonly dcc: DccPort
  readonly inbox: InboxPort
  /** On which somebody can sign in with an account of theirs, in the order of the config. `type` is BitlBee's protocol. */
  knownNetworks(): readonly { readonly id: NetworkId; readonly type: string }[]
  /** They may use all commands of the bridge. */
  isAdmin(user: UserId): boolean
}

/** The accounts of the gateway. No password is ever in an answer. */
export interface UsersPort {
  /** Makes the account and attaches the client to its person. */
  register(client: ClientPort, name: string, password: string): Promise<UserResult>
  /** Attaches the client to the person. */
  identify(client: ClientPort, name: string, password: string): Promise<UserResult>
  setPassword(user: UserId, password: string): Promise<UserResult>
  /** Takes the account away, with all that it has. */
  drop(user: UserId, password: string): Promise<UserResult>
}

/** `detail` is a sentence for the person. */
export type UserResult =
  { readonly kind: 'done'; readonly user: UserId } | { readonly kind: 'refused'; readonly detail: string }

/** Where something was said to root: a channel, or a query. */
export type Where = 'query' | (string & {})

export interface Call {
  readonly client: ClientPort
  readonly deps: RootDeps
  /** Behind the name of the command, quotes taken away. */
  readonly words: readonly string[]
  /** Behind the name of the command, as it was written. */
  readonly rest: string
  readonly where: Where
  /** The core waits for a yes or no of this client. */
  readonly confirms: boolean
  readonly passwords: Passwords
  readonly questions: Questions
  readonly pictures: PictureOffers
}

export interface PersonCall extends Call {
  readonly person: PersonPort
}

/** Lines of root, or: it was written wrong, so that its usage is shown. */
export type Answer = readonly string[] | 'usage'

interface Row {
  readonly name: string
  /** How it is written, one line for each form. */
  readonly usage: readonly string[]
  /** In one line, for the list of commands. */
  readonly about: string
  /** What `help` says besides. */
  readonly help: readonly string[]
  /** Words that it needs. */
  readonly least: number
}

/** anyone: whoever is connected. identified: who has an account here, and has said so. */
export type RootCommand =
  | (Row & { readonly who: 'anyone'; run(call: Call): Promise<Answer> })
  | (Row & { readonly who: 'identified'; run(call: PersonCall): Promise<Answer> })
