/**
 * THE CONTRACT between the core and a network. Everything the bridge knows about a network goes through `Adapter` and
 * `Session`; all that an adapter may ask of the bridge is `AdapterContext`. docs/adding-an-adapter.md walks through it.
 */
import type { FileRef } from './model/body.ts'
import type { Capabilities } from './model/capabilities.ts'
import type { AccountNews, Inbound, MessageEvent, Outbound, Phone, Strangers } from './model/events.ts'
import type {
  AccountId,
  ChatId,
  ChatRef,
  EventId,
  MessageId,
  NetworkId,
  PersonId,
  PortalId,
  UserId,
  UserRef,
} from './model/ids.ts'
import type { PresenceState } from './model/presence.ts'
import type {
  DeliveryResult,
  Fault,
  MediaResult,
  OpenResult,
  Reason,
  RosterResult,
  SessionState,
} from './model/result.ts'
import type { RichText } from './model/text.ts'

/** One configured network. */
export interface Adapter {
  readonly network: NetworkId
  /** `hosts`: people sign in to us (MSN service, IRC gateway). `joins`: we sign in to it. */
  readonly role: 'hosts' | 'joins'
  /** Opens listeners. Rejects with a sentence that names the place and the remedy, e.g. a port that is taken. */
  start(context: AdapterContext): Promise<void>
  /** Undoes `start` in reverse. Twice is harmless. Hosted clients are told to go first. */
  stop(): Promise<void>
  /** Cheap and idempotent, no I/O. The supervisor decides when to connect. */
  session(account: Account): Session
  /** Accounts that the adapter itself brings, e.g. the relay bot of an IRC network. */
  ownAccounts(): readonly Account[]
  /** The id under which a name from the config or a command is known here (lower case, channel prefix ...), or why it is none. */
  parseChat(name: string): ChatId | { readonly wrong: string }
  parseUser(name: string): UserId | { readonly wrong: string }
  /**
   * Whom or what the part before the @ of an address stands for here: `bob=example.org`. `undefined`: nobody. Absent: people
   * of this network have no such addresses.
   */
  addressed?(local: string): Addressed | undefined
  /** false: the network says that there is no such person. Absent, and whenever it does not say: there may be. Never rejects. */
  exists?(user: UserId, signal: AbortSignal): Promise<boolean>
  /** The other way round. `undefined`: nobody can address them. */
  addressOf?(user: UserId): string | undefined
  /**
   * People live on this network: a conversation that nobody linked becomes a chat of theirs here, through the first of
   * `ownAccounts`. Absent: they do not.
   */
  readonly homes?: HomePolicy
  /** The bytes behind `FileRef.ref`. Never rejects. Absent: this network has no files. */
  media?(ref: string, signal: AbortSignal): Promise<MediaResult>
  /**
   * What `context.people` says of somebody who lives here has changed, or may have. Also while it does not run. Never
   * throws. Absent: nobody is shown a contact list here.
   */
  peopleChanged?(news: PeopleNews): void
  /** Lines of what it offers right now, for the terminal and `/status`: "MSN service on 127.0.0.1:1863, 3 signed in". */
  describe(): readonly string[]
}

/**
 * `owner` lives on this network. account: it came, with whom it knows, or went, or its session did, or what its owner wants
 * of it. contacts: all of its list. contact: one of them, who may be on it no more.
 */
export type PeopleNews =
  | { readonly kind: 'account' | 'contacts'; readonly owner: UserId; readonly account: AccountId }
  | { readonly kind: 'contact'; readonly owner: UserId; readonly account: AccountId; readonly user: UserId }

/** on-message: when somebody writes. all: for each contact, after the sign-in. on-command: only when the person asks. */
export type HomePolicy = 'on-message' | 'all' | 'on-command'

/** One account, live on one network. */
export interface Session {
  readonly account: AccountId
  readonly state: SessionState
  /**
   * One attempt. Resolves when online, rejects with `SessionFault`. Later loss is reported by `sessionChanged`.
   * A session never reconnects by itself: the supervisor does.
   */
  connect(signal: AbortSignal): Promise<void>
  /** Signs out and ends. Twice is harmless. */
  close(): Promise<void>
  /** A person says reconnect while this is online: what has stopped below it is tried again. `false`: nothing has. */
  retry?(): boolean
  capabilities(chat?: ChatRef): Capabilities
  /** Find or make the chat for a portal's leg. Idempotent; the answer is stored. */
  open(request: ChatRequest, signal: AbortSignal): Promise<OpenResult>
  /**
   * Pure. Cuts what does not fit into one network message (IRC's line, MSN's 1664 bytes) into parts that do, in order.
   * Asked once, before the first attempt; each part is stored and delivered by itself.
   */
  split(op: Outbound, chat: ChatRef): readonly Outbound[]
  /** Calls for one chat start in order and overlap no more than `capabilities(chat).pipeline`; results keep that order. Never rejects. */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryResult>
  /** Who belongs to the chat besides ourselves, where the network tells. */
  members(chat: ChatRef): readonly UserId[] | undefined
  /** The chat is linked no more: leave it, and take down what was made for it. Never rejects. */
  drop(chat: ChatRef): Promise<void>
  /** Something about our contact list. Typed answer, never rejects. */
  roster(request: RosterRequest, signal: AbortSignal): Promise<RosterResult>
}

export interface Delivery {
  /** The same over every retry: use it as the network's transaction id where there is one. */
  readonly id: EventId
  /** It was under way when the last run ended, so it may have arrived. Only where `capabilities.idempotent`. */
  readonly again?: true
  /** Absent for what is about the account, not a chat: presence, profile. */
  readonly chat?: ChatRef
  readonly op: Outbound
}

export type ChatRequest =
  | { readonly kind: 'direct'; readonly with: UserId }
  | { readonly kind: 'group'; readonly members: readonly UserId[] }
  /** A chat that is there already, by its id: a channel, a room, a group that somebody of the network opened. */
  | { readonly kind: 'channel'; readonly name: ChatId }
  | PortalRequest
  /** Where the bridge speaks with one of its people about their accounts. */
  | { readonly kind: 'home'; readonly user: UserId }

/**
 * A chat of its own, made for a person who lives on this network: the other side of a conversation of one of their accounts.
 * Opened once: the answer is good over restarts, until `drop`.
 */
export interface PortalRequest {
  readonly kind: 'portal'
  /** The same for good: one chat for each. */
  readonly portal: PortalId
  readonly owner: UserId
  /** Through which the owner takes part, and the address by which they know it. */
  readonly account: AccountId
  readonly login: string
  readonly direct: boolean
  readonly with: readonly { readonly user: UserRef; readonly name: string }[]
  /** What the owner calls it. */
  readonly title?: string
}

export type RosterRequest =
  | { readonly kind: 'add' | 'remove' | 'block' | 'unblock'; readonly user: UserId }
  /** How we appear to ourselves and others. */
  | { readonly kind: 'rename'; readonly name: string }
  /** What stands beside our name; empty: nothing. */
  | { readonly kind: 'personal-message'; readonly text: string }
  /** Groups of the contact list go by their names, whatever the case. */
  | { readonly kind: 'group-add' | 'group-remove'; readonly group: string }
  | { readonly kind: 'group-rename'; readonly group: string; readonly name: string }
  /** Into that group and out of all others; without one, into none. */
  | { readonly kind: 'move'; readonly user: UserId; readonly group?: string }
  /** Whether those who are neither allowed nor blocked may see us and write to us. */
  | { readonly kind: 'privacy'; readonly strangers: Strangers }
  /** Our own picture, for good, also while we are not signed in. Absent: none. Refused: the one before stays. */
  | { readonly kind: 'picture'; readonly picture?: FileRef }

export interface Account {
  readonly id: AccountId
  readonly network: NetworkId
  readonly person: PersonId
  readonly login: string
  /** Empty where none is needed. Never logged. */
  readonly secret: string
}

/** Thrown by `connect` and carried by the state: what happened and whether to try again. */
export class SessionFault extends Error {
  readonly fault: Fault
  /** Milliseconds that the network asked us to wait, if it did. */
  readonly retryAfter: number | undefined
  constructor(fault: Fault, retryAfter?: number) {
    super(fault.detail)
    this.name = 'SessionFault'
    this.fault = fault
    this.retryAfter = retryAfter
  }
}

/** All that an adapter may ask of the bridge. */
export interface AdapterContext {
  readonly log: Logger
  readonly clock: Clock
  readonly metrics: Metrics
  /** Resolves when the event is on disk. Acknowledge to your network only after that. Passing events resolve at once. */
  emit(event: Inbound): Promise<void>
  /** Tell every change of a session's state, once each. The supervisor acts on it. */
  sessionChanged(account: AccountId, state: SessionState): void
  /** The adapter's own small facts: contact lists of hosted accounts, group ids. One call of `update` is one transaction. */
  readonly state: AdapterState
  /** Encrypts small secrets of the adapter, with the key of the data folder. Absent: there is no key. */
  readonly secrets?: Secrets
  /** A person said something to the bridge itself. */
  command(request: CommandRequest): Promise<CommandReply>
  /**
   * A person who lives here made a chat of their own for people elsewhere, e.g. by inviting their ghosts: it becomes the
   * portal with them. Resolves when that is on disk.
   */
  claim(request: ClaimRequest): Promise<ClaimResult>
  /**
   * Somebody lives here no more: what they signed in with is logged out and their chats are ended, so that whoever has that
   * user id next finds nothing of it. A sentence: why that cannot be, and nothing was done. Durable when it resolves; rejects
   * with `StoreUnavailable`.
   */
  leave(user: UserId): Promise<string | undefined>
  /** What those who live here have elsewhere. */
  readonly people: PeopleView
  /** What was said in the conversations that chats of this network are part of. */
  readonly history: History
  /** Absent: this is not the service on which people of other networks have accounts. */
  readonly visitors?: Visitors
  /**
   * Under which address somebody of another network is known, or would be, on the service of ours on which accounts of this
   * network sign in. `undefined`: they can have none. Absent: that service is none of ours.
   */
  readonly addressOf?: (user: UserRef) => string | undefined
  /** Absent: this bridge hosts no service on which somebody could be given an account. */
  readonly signUp?: SignUp
  readonly files: Files
}

/** Files of all networks, and those that stay on none. */
export interface Files {
  /** Larger ones are not taken. */
  readonly maxBytes: number
  /**
   * Keeps a file that its network does not keep. Resolves when it is on disk; the answer goes into a body of kind `file`.
   * Never rejects, and ends `body` when it does not want the rest.
   */
  put(body: AsyncIterable<Uint8Array>, about: FileAbout, signal: AbortSignal): Promise<PutResult>
  /** Why a file of so many bytes from that sender would not be kept now, a half-sentence; undefined: it would. */
  refusal(from: UserRef, bytes: number): string | undefined
  /** The bytes of any file, wherever it is. Never rejects. */
  open(file: Pick<FileRef, 'network' | 'ref'>, signal: AbortSignal): Promise<MediaResult>
}

export interface FileAbout {
  /** Whose share of the room it takes up. */
  readonly from: UserRef
  /** As its sender calls it. Untrusted: it is made fit to be shown. */
  readonly name: string
  /** Absent: what its first bytes and its name say. */
  readonly mime?: string
  /** Less than `Files.maxBytes`. */
  readonly maxBytes?: number
}

/** `detail` is a half-sentence for people. */
export type PutResult =
  | { readonly kind: 'stored'; readonly file: FileRef }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly detail: string }

/** As it is now, from memory. */
export interface PeopleView {
  /** Where somebody can sign in with an account of theirs, in the order of the config. `type` is that of the config: "msn". */
  readonly networks: readonly { readonly id: NetworkId; readonly type: string }[]
  /** The accounts of one who lives here, in a steady order. */
  accountsOf(owner: UserId): readonly AccountView[]
  /** Everybody whom that account knows, by user id; empty for an account that nobody here owns. */
  contactsOf(account: AccountId): readonly ContactView[]
  contact(account: AccountId, user: UserId): ContactView | undefined
}

export interface AccountView {
  readonly id: AccountId
  readonly network: NetworkId
  readonly login: UserId
  readonly state: SessionState
  /** They want it connected. */
  readonly wanted: boolean
  /** It stands in the config: nobody can log out of it. */
  readonly fixed: boolean
  /** Absent until its network has told. */
  readonly own?: OwnView
  /** Which picture it shows, in words. */
  readonly picture: string
}

/** How an account is on its network, as that network last told. */
export type OwnView = Omit<Extract<Inbound, { kind: 'own' }>, 'kind' | 'account'>

export interface ContactView {
  readonly user: UserId
  /** As they call themselves; may be empty. */
  readonly name: string
  /** What the owner of the account calls them. */
  readonly nickname?: string
  readonly listed: boolean
  readonly blocked: boolean
  readonly hasUs: boolean
  /** Names of the groups of the contact list in which they are. */
  readonly groups?: readonly string[]
  readonly phones?: readonly Phone[]
  /** Absent: not seen. */
  readonly presence?: PresenceState
}

/** Messages only, and none that was taken back; in the order of the times that their networks gave. A file has a fresh link. */
export interface History {
  /** At most `limit` of one conversation, oldest first. `from` says which end counts where there are more. */
  said(chat: ChatRef, range: HistoryRange): Promise<readonly Said[]>
  /**
   * Those of the chats in which something was said between the two times, with the time of the last of it, oldest first.
   * Where there are more than `limit`, the latest of them.
   */
  latest(
    chats: readonly ChatRef[],
    after: number,
    before: number,
    limit: number,
  ): Promise<readonly { readonly chat: ChatRef; readonly at: number }[]>
}

export interface HistoryRange {
  /** Neither end counts itself. A message that is not known bounds nothing to be found: the answer is empty. */
  readonly after?: HistoryPoint
  readonly before?: HistoryPoint
  readonly from: 'oldest' | 'newest'
  readonly limit: number
}

/** Milliseconds since the epoch, or a message by its `Said.id`, or by an id that this network gave it when it was delivered. */
export type HistoryPoint =
  { readonly kind: 'time'; readonly at: number } | { readonly kind: 'message'; readonly id: MessageId }

export interface Said {
  /** What it is called in this chat: the id that it was emitted with here, else `Delivery.id`. */
  readonly id: MessageId
  /** As it was emitted, wherever that was; what was edited since is as it was first. */
  readonly event: MessageEvent
}

/** Makes accounts on the MSN service that this bridge hosts. */
export interface SignUp {
  /** On which network such an account signs in, and what its addresses end in. */
  readonly network: NetworkId
  readonly domain: string
  /**
   * Makes the account `name@domain`, gives it to somebody who lives here, and signs in. Durable when it resolves; rejects
   * with `StoreUnavailable`.
   */
  run(request: {
    readonly from: UserRef
    readonly fromName: string
    readonly name: string
    readonly password: string
  }): Promise<SignUpResult>
}

/** `detail` is a sentence for the person; of what is done: why it is not signed in yet. */
export type SignUpResult =
  | { readonly kind: 'done'; readonly account: AccountId; readonly login: string; readonly detail?: string }
  | { readonly kind: 'refused'; readonly detail: string }

/** `name` for people; `server`: where they live, on a network that is made of servers. */
export type Addressed =
  | { readonly kind: 'user'; readonly user: UserId; readonly name: string; readonly server?: string }
  | { readonly kind: 'channel'; readonly chat: ChatId; readonly name: string }

/** People and channels of other networks as contacts on a service that we host. */
export interface Visitors {
  find(network: NetworkId, local: string): Addressed | undefined
  /** false: there is certainly nobody of that name. Takes a few seconds at most; never rejects. */
  exists(network: NetworkId, who: Addressed): Promise<boolean>
  /** The bridge signs in for them already. */
  knows(address: string): boolean
  /** Somebody is about to add one whom the bridge knows: nobody need be asked. Durable when it resolves. */
  expect(address: string, by: UserId): Promise<void>
  /** Nobody else talks with them where one account speaks for all: two would hear each other. */
  isFree(network: NetworkId, who: Addressed, address: string, by: UserId): boolean
  /** Signs in for them if that is not so yet, and begins the conversation. What goes wrong is in the log; `false` then. Never rejects. */
  bring(request: VisitRequest): Promise<boolean>
}

export interface VisitRequest {
  readonly network: NetworkId
  readonly who: Addressed
  /** Of the account on the service, which is there, and its password if the bridge did not know it yet. */
  readonly address: string
  readonly password: string
  /** Who has added them. */
  readonly by: UserId
}

/** `open`: `undefined` when it was sealed with another key, or is damaged. */
export interface Secrets {
  seal(text: string): string
  open(sealed: string): string | undefined
}

export interface ClaimRequest {
  readonly by: UserRef
  /** All of one network. */
  readonly with: readonly UserRef[]
  readonly chat: ChatRef
  /** Through which of their accounts; absent: the one that has them as contacts. */
  readonly account?: AccountId
}

/** `request` as `open` would have got it. `elsewhere`: they have a portal with these people already. */
export type ClaimResult =
  | { readonly kind: 'claimed'; readonly request: PortalRequest }
  | { readonly kind: 'elsewhere'; readonly chat: ChatRef }
  | { readonly kind: 'refused'; readonly detail: string }

export interface CommandReply {
  /** What to show them, one RichText a line. */
  readonly lines: readonly RichText[]
  /**
   * The next thing that they say there is a secret: take it out before anything is stored, hide it from the others if the
   * network can, and give it to `command` as `secret`.
   */
  readonly secretNext?: true
  /** An account of theirs is in this state now: what `status.about` says when nobody asked. */
  readonly about?: AccountNews
}

export interface CommandRequest {
  readonly from: UserRef
  readonly fromName: string
  /** The account through which they spoke to us. */
  readonly via: AccountId
  /** Where they said it, when it was not a private query. */
  readonly chat?: ChatRef
  /** What the adapter's own permission rules say of them. */
  readonly role: Role
  /** Without the trigger word: "who bob". */
  readonly line: string
  /** A file that came with it: the image that it answers, or one that was sent to the bridge for it. */
  readonly file?: FileRef
  /** Answers `CommandReply.secretNext`; `line` is empty then. Never logged. */
  readonly secret?: string
  /** What a line begins with there to be a command, for answers that show how to write one: "!msn ". Absent: nothing. */
  readonly trigger?: string
}

/** none: may not command. user: may use commands of the chat they are in. admin: all. */
export type Role = 'none' | 'user' | 'admin'

export interface AdapterState {
  get(key: string): Promise<string | undefined>
  /** All pairs whose key begins with `prefix`, in key order. */
  list(prefix: string): Promise<readonly (readonly [key: string, value: string])[]>
  /** Resolves when on disk. `undefined` deletes. */
  update(changes: readonly (readonly [key: string, value: string | undefined])[]): Promise<void>
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Counters and gauges by name; labels must have few values. Names get the prefix `msn_bridge_`. */
export interface Metrics {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void
  observe(name: string, seconds: number, labels?: Readonly<Record<string, string>>): void
}

/** Never message text, tickets or passwords. */
export interface Logger {
  child(bindings: Readonly<Record<string, unknown>>): Logger
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
