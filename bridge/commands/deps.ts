/** What a command is, and what it may use of the bridge. */
import type { Account, Adapter, Clock, CommandRequest, Logger, Role, Session } from '../adapter.ts'
import type { Accounts } from '../accounts.ts'
import type { FriendRequests } from '../friend-requests.ts'
import type { Hub } from '../hub.ts'
import type { Identity } from '../identity.ts'
import type { Logins } from '../logins.ts'
import type { AccountNews, Inbound } from '../model/events.ts'
import type { AccountId, ChatRef, NetworkId, PortalId, UserId, UserRef } from '../model/ids.ts'
import type { Availability } from '../model/presence.ts'
import type { SessionState } from '../model/result.ts'
import type { Portals } from '../portals.ts'
import type { OwnPictures } from '../own-pictures.ts'
import type { Roster } from '../roster.ts'

export interface CommandDeps {
  readonly clock: Clock
  readonly log: Logger
  /** Of the program. */
  readonly version: string
  readonly adapters: ReadonlyMap<NetworkId, Pick<Adapter, 'parseUser' | 'parseChat' | 'ownAccounts' | 'homes'>>
  readonly accounts: Pick<Accounts, 'all' | 'originOf' | 'isWanted'>
  /** Made because somebody added them by address: meant only where it is named, or nothing else can be. Absent: none are. */
  readonly isVisitor?: (account: Account) => boolean
  readonly logins: Pick<Logins, 'networks' | 'signIn' | 'signOut' | 'disconnect' | 'reconnect'>
  readonly friends: Pick<FriendRequests, 'answered'>
  readonly sessionOf: (account: AccountId) => Pick<Session, 'roster' | 'members'> | undefined
  readonly stateOf: (account: AccountId) => SessionState | undefined
  /**
   * Somebody who is signed in to a service of ours: the account with which the bridge is signed in there under the same
   * address. Both have shown its password, so it is theirs as well.
   */
  readonly heldBy: (user: UserRef) => AccountId | undefined
  /** Messages that wait to go out through an account. */
  readonly waitingOf: (account: AccountId) => number
  readonly portals: Pick<Portals, 'find' | 'findEnd' | 'legsVia' | 'all'>
  readonly chats: ChatDesk
  readonly link: Hub['link']
  readonly unlink: Hub['unlink']
  readonly roster: Pick<Roster, 'who' | 'contacts' | 'contact' | 'own' | 'setNickname'>
  readonly identity: Pick<Identity, 'personOf' | 'person' | 'userOf' | 'become' | 'people' | 'identities'>
  readonly accept: (event: Inbound) => Promise<unknown>
  readonly pictures: Pick<OwnPictures, 'choose' | 'sourceOf'>
  /** How an account appears, whatever its owner does elsewhere; `undefined`: as they do. */
  readonly pin: (account: AccountId, pin: Pin | undefined) => Promise<void>
  /** Links were made or taken away. */
  readonly linksChanged: () => void
  /** A new id that nobody has. */
  readonly mint: () => string
}

export interface Pin {
  readonly show: Availability
  readonly text?: string
}

/** Chats of people's own, where they live. */
export interface ChatDesk {
  /** The chat of `by` with these people; made if there is none. `chat`: where it is, if that is known already. */
  startChat(account: AccountId, users: readonly UserId[], by: UserRef): Promise<StartResult>
  /** The owner of the account calls somebody so, for themselves alone. */
  retitle(account: AccountId, user: UserId, title: string | undefined): Promise<unknown>
  /** Takes it down, with what was made for it. */
  deletePortal(portal: PortalId): Promise<unknown>
}

export type StartResult =
  { readonly kind: 'opened'; readonly chat?: ChatRef } | { readonly kind: 'refused'; readonly detail: string }

export interface Call {
  readonly request: CommandRequest
  /** Behind the name of the command. */
  readonly words: readonly string[]
  readonly deps: CommandDeps
  /** Runs another line as somebody else would. */
  readonly runAs: (request: CommandRequest) => Promise<Answer>
}

/** Lines, perhaps with what became of an account, or something that must be answered first. */
export type Answer = readonly string[] | News | Question

export interface News {
  readonly kind: 'news'
  readonly lines: readonly string[]
  readonly about: AccountNews
}

export const isQuestion = (answer: Answer): answer is Question => 'kind' in answer && answer.kind !== 'news'

/** secret: the next thing that they say is one. confirm: they must say `yes`. */
export type Question =
  | {
      readonly kind: 'secret'
      readonly lines: readonly string[]
      readonly go: (secret: string) => Promise<readonly string[] | News>
    }
  | { readonly kind: 'confirm'; readonly lines: readonly string[]; readonly go: () => Promise<readonly string[]> }

export type CommandGroup = 'Accounts' | 'People' | 'Chats' | 'You' | 'The bridge'

export interface Command {
  readonly usage: string
  readonly about: string
  readonly group: CommandGroup
  readonly role: Role
  /** Other names of it. */
  readonly aliases?: readonly string[]
  /** How many words it takes. */
  readonly least: number
  readonly most: number
  run(call: Call): Promise<Answer>
}

/** All that takes an account takes it as its last word. */
export interface Chosen {
  readonly account: Account
  /** The words before it. */
  readonly rest: readonly string[]
}
