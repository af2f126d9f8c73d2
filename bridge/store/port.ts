/**
 * What the core needs of a database. Asynchronous, batched, and it knows no SQLite: all that is asked for in one turn of
 * the event loop may share one transaction, and a promise resolves only when its work is durable. Each method is atomic.
 * A write that the disk refuses rejects with `StoreUnavailable`, and nothing of it has happened.
 */
import type { AdapterState, ChatRequest, PortalRequest } from '../adapter.ts'
import type { DeliveryOutcome, MessageEvent, Outbound, StoredInbound } from '../model/events.ts'
import type {
  AccountId,
  ChatRef,
  EventId,
  MessageId,
  NetworkId,
  PersonId,
  PortalId,
  UserId,
  UserRef,
} from '../model/ids.ts'

/** The disk is full or broken. The caller's work was not done; it may be tried again after `whenAvailable`. */
export class StoreUnavailable extends Error {
  constructor(detail: string, cause?: unknown) {
    super(detail, { cause })
    this.name = 'StoreUnavailable'
  }
}

/** The database cannot be used at all: newer schema, no permission, not a database. One sentence with the remedy. */
export class StoreRefused extends Error {
  constructor(detail: string, cause?: unknown) {
    super(detail, { cause })
    this.name = 'StoreRefused'
  }
}

export type StoreHealth =
  { readonly kind: 'ok' } | { readonly kind: 'unavailable'; readonly since: number; readonly detail: string }

declare const brand: unique symbol
/** One end of a portal. */
export type LegId = string & { readonly [brand]: 'leg' }
/** One durable queue: an account and a place where it speaks. Made and read by `bridge/place.ts`. */
export type LaneKey = string & { readonly [brand]: 'lane' }

/** Where an account speaks. `chat`: known only by its id, e.g. a group somebody else opened. `portal`: the leg has the request. */
export type Place =
  | Exclude<ChatRequest, PortalRequest>
  | { readonly kind: 'portal'; readonly portal: PortalId }
  | { readonly kind: 'chat'; readonly chat: ChatRef }

/** `config`: follows the config file. `command`: made by a person in a chat or on the command line, and kept. */
export type PortalOrigin = 'config' | 'command'
/** A lobby has one chat per contact behind it and routes by contact. */
export type PortalKind = 'direct' | 'group' | 'channel' | 'lobby'

/** The same conversation on several networks. */
export interface Portal {
  readonly id: PortalId
  readonly kind: PortalKind
  readonly origin: PortalOrigin
  readonly legs: readonly Leg[]
}

export interface Leg {
  readonly id: LegId
  readonly portal: PortalId
  readonly network: NetworkId
  /** The account that reads and speaks there. */
  readonly via: AccountId
  /** What it was linked as; `lobby`: every contact of `via` that has no link of its own. */
  readonly request: Exclude<Place, { kind: 'portal' }> | PortalRequest | { readonly kind: 'lobby' }
  /** Absent until `Session.open` has answered once. */
  readonly chat?: ChatRef
  readonly flow: 'both' | 'in' | 'out'
}

export interface PersonRow {
  readonly id: PersonId
  readonly name: string
}

/** A user of some network who is one of our people, beyond the accounts in the config. */
export interface IdentityRow {
  readonly user: UserRef
  readonly person: PersonId
}

export interface ContactRow {
  readonly account: AccountId
  readonly user: UserId
  readonly name: string
  readonly listed: boolean
  readonly blocked: boolean
  readonly hasUs: boolean
  /** What the owner of the account calls them. */
  readonly nickname?: string
}

/** An account that a person signed in with by command. `secret` is encrypted. */
export interface AccountRow {
  readonly id: AccountId
  readonly network: NetworkId
  readonly person: PersonId
  readonly login: string
  readonly secret: string
  /** They want it connected. */
  readonly wanted: boolean
  readonly createdAt: number
}

/** Where to tell what became of a message, and whom by name. */
export interface Tell {
  readonly lane: LaneKey
  readonly name: string
  /** How the message begins, so that its sender knows which one is meant; absent where it has no words. */
  readonly quote?: string
}

/** A part of an operation that waits for its delivery, or is under way. Ordered by `seq`, then `part`. */
export interface OutboxRow {
  readonly seq: number
  readonly part: number
  /** How many parts `Session.split` made of it; 0 when it has not been asked yet. */
  readonly parts: number
  readonly lane: LaneKey
  readonly event: EventId
  readonly op: Outbound<EventId>
  readonly state: 'queued' | 'attempted'
  /** When it was accepted, milliseconds since the epoch. */
  readonly at: number
  /** Absent for what nobody waits for. */
  readonly tell?: Tell
  /** What was told already. */
  readonly told?: DeliveryOutcome
}

export interface NewRow {
  readonly lane: LaneKey
  readonly event: EventId
  readonly at: number
  readonly tell?: Tell
  /** One operation that nobody has split yet, or all parts of it. */
  readonly ops: readonly Outbound<EventId>[]
  readonly split: boolean
  /** This many of the first parts are delivered as soon as this is durable. */
  readonly attempted: number
}

export interface AcceptRequest {
  readonly id: EventId
  readonly portal: PortalId
  readonly event: StoredInbound
  /** When we got it, milliseconds since the epoch; `event.at` is what the network says. */
  readonly storedAt: number
  readonly rows: readonly NewRow[]
  /** The message that this event takes back. */
  readonly unsaid?: EventId
}

/** `seqs` has one number for each of `rows`. */
export type AcceptResult =
  { readonly kind: 'stored'; readonly seqs: readonly number[] } | { readonly kind: 'duplicate' }

/** One message among all of a conversation; `row` tells those of the same time apart, in the order in which they came. */
export interface SaidPoint {
  readonly at: number
  readonly row: number
}

/** Neither end counts itself. */
export interface SaidRange {
  readonly after?: SaidPoint
  readonly before?: SaidPoint
  /** Which end counts where there are more than `limit`. */
  readonly from: 'oldest' | 'newest'
  readonly limit: number
}

export interface SaidRow {
  readonly id: EventId
  readonly event: MessageEvent
}

export interface RowRef {
  readonly seq: number
  readonly part: number
}

/** One step of a lane, all or nothing. */
export interface Advance {
  /** Finished, whatever became of them. `ids`: what the network calls them now, for edits, replies and redactions. */
  readonly done?: readonly (RowRef & {
    readonly event: EventId
    readonly lane: LaneKey
    readonly ids: readonly MessageId[]
  })[]
  readonly attempted?: readonly RowRef[]
  /** Certainly not delivered: to be tried again. */
  readonly queued?: readonly RowRef[]
  /** Replaces the one row of `seq` by all its parts; the first of them keeps the row's state. */
  readonly split?: readonly { readonly seq: number; readonly ops: readonly Outbound<EventId>[] }[]
  /** All parts of `seq` that are left. */
  readonly told?: readonly { readonly seq: number; readonly outcome: DeliveryOutcome }[]
  readonly add?: readonly NewRow[]
  readonly meta?: readonly (readonly [key: string, value: string | undefined])[]
}

export interface LaneSummary {
  readonly lane: LaneKey
  readonly rows: number
  /** `at` of the oldest row. */
  readonly oldest: number
}

export interface Store {
  /** Opens or creates, migrates, repairs nothing. Rejects with `StoreRefused`. */
  open(): Promise<void>
  /** Finishes what was asked for and closes. Twice is harmless. */
  close(): Promise<void>
  readonly health: StoreHealth
  /** Resolves when writes work (again), or when `signal` aborts. */
  whenAvailable(signal?: AbortSignal): Promise<void>
  /** Calls back on every change of `health`; returns what ends that. */
  onHealth(listener: (health: StoreHealth) => void): () => void
  /** A consistent copy while everything goes on. Rejects with a sentence when the file cannot be written. */
  backup(file: string): Promise<void>

  meta(key: string): Promise<string | undefined>
  /** Keys that begin with `prefix`, in key order. */
  listMeta(prefix: string): Promise<readonly (readonly [key: string, value: string])[]>
  setMeta(changes: readonly (readonly [key: string, value: string | undefined])[]): Promise<void>

  people(): Promise<readonly PersonRow[]>
  putPerson(person: PersonRow): Promise<void>
  /** Their identities go with them. */
  removePerson(person: PersonId): Promise<void>
  identities(): Promise<readonly IdentityRow[]>
  putIdentity(identity: IdentityRow): Promise<void>
  removeIdentity(user: UserRef): Promise<void>

  /** Small facts about an account that outlive a restart: a pinned status, why it is stopped. */
  accountFacts(account: AccountId): Promise<ReadonlyMap<string, string>>
  setAccountFact(account: AccountId, key: string, value: string | undefined): Promise<void>

  signedIn(): Promise<readonly AccountRow[]>
  putAccount(account: AccountRow): Promise<void>
  /** Its contacts and facts go with it. */
  removeAccount(account: AccountId): Promise<void>

  contacts(account: AccountId): Promise<readonly ContactRow[]>
  allContacts(): Promise<readonly ContactRow[]>
  /** `remove` first, then `put`. */
  updateContacts(account: AccountId, put: readonly ContactRow[], remove: readonly UserId[]): Promise<void>

  portals(): Promise<readonly Portal[]>
  /** Replaces portals of the same id, legs included. `remove` first, then `put`. */
  updatePortals(put: readonly Portal[], remove: readonly PortalId[]): Promise<void>
  setLegChat(leg: LegId, chat: ChatRef): Promise<void>

  /** Event and outbox rows together, unless the chat already has an event of this native id. */
  accept(request: AcceptRequest): Promise<AcceptResult>
  /** Which event the network means by this id in this chat: one we read there, or one we delivered there. */
  eventOf(chat: ChatRef, lane: LaneKey, native: MessageId): Promise<EventId | undefined>
  event(id: EventId): Promise<StoredInbound | undefined>
  /** What the network of this lane calls the event: as it came from `chat`, or as it was delivered. In order. */
  nativesOf(event: EventId, chat: ChatRef | undefined, lane: LaneKey): Promise<readonly MessageId[]>
  /** Messages of a portal that nobody has taken back, oldest first. */
  said(portal: PortalId, range: SaidRange): Promise<readonly SaidRow[]>
  saidPoint(portal: PortalId, event: EventId): Promise<SaidPoint | undefined>
  /** When the last message was said between the two times, for each of the portals that has one. */
  latestSaid(portals: readonly PortalId[], after: number, before: number): Promise<ReadonlyMap<PortalId, number>>
  /** Portals with an event stored within `windowMs` before the latest one, or with rows still waiting. */
  lastActivePortals(windowMs: number): Promise<readonly PortalId[]>

  advance(step: Advance): Promise<{ readonly seqs: readonly number[] }>
  lanes(): Promise<readonly LaneSummary[]>
  /** Rows of a lane behind `after`, in order. */
  laneRows(lane: LaneKey, after: RowRef | undefined, limit: number): Promise<readonly OutboxRow[]>

  adapterState(network: NetworkId): AdapterState

  /** Deletes at most `limit` finished events (and receipts) stored before `before`; resolves to how many. */
  prune(before: number, limit: number): Promise<number>
}
