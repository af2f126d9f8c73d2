/** What the parts of this adapter know of each other. The parts are put together in index.ts. */
import type { Account, AdapterContext, PortalRequest } from '../../bridge/adapter.ts'
import type { ChatId, ChatRef, NetworkId, PortalId, UserId, UserRef } from '../../bridge/model/ids.ts'

/** `@alice:example.org`. */
export type Mxid = `@${string}:${string}`
/** `!opaque` or `!opaque:example.org`: never look for a server's name in it (room version 12 has none). */
export type RoomId = `!${string}`
/** `$opaque`. */
export type MatrixEventId = `$${string}`

/** An event of a room as the homeserver sends it. Everything in `content` is untrusted. */
export interface RoomEvent {
  readonly type: string
  readonly room_id: RoomId
  readonly event_id: MatrixEventId
  readonly sender: Mxid
  readonly origin_server_ts: number
  readonly content: Readonly<Record<string, unknown>>
  readonly state_key?: string
  /** Room versions before 11 have it here, later ones in `content`. */
  readonly redacts?: MatrixEventId
  readonly unsigned?: Readonly<Record<string, unknown>>
}

/** `m.typing`, `m.receipt`, `m.presence`: not stored by anybody. */
export interface EphemeralEvent {
  readonly type: string
  readonly room_id?: RoomId
  readonly sender?: Mxid
  readonly content: Readonly<Record<string, unknown>>
}

/**
 * One request to the homeserver. `path` begins with `/_matrix/`; its parts are encoded already (`path` of paths.ts).
 * `as`: whom it is made for; absent: the bot.
 */
export interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly path: string
  readonly as?: Mxid
  readonly query?: Readonly<Record<string, string | number>>
  readonly body?: unknown
  /** Instead of ours: of a double puppet. Together with `as` where it is an appservice's. */
  readonly token?: string
  /** With the device of `as`, so that the homeserver knows a transaction id again after its restart. */
  readonly device?: true
  readonly signal?: AbortSignal
}

export type Answer<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly failure: Failure }

/**
 * Why a request failed. unreachable: no answer; `sent` says whether it may have been carried out. busy: 5xx. limited: 429.
 * refused: the homeserver will not do it, now or later. token: it does not accept our token.
 */
export type Failure =
  | { readonly kind: 'unreachable'; readonly sent: boolean; readonly detail: string }
  | { readonly kind: 'busy'; readonly status: number; readonly errcode?: string; readonly detail: string }
  | { readonly kind: 'limited'; readonly retryAfterMs: number; readonly detail: string }
  | { readonly kind: 'refused'; readonly status: number; readonly errcode: string; readonly detail: string }
  | { readonly kind: 'token'; readonly errcode: string; readonly detail: string }
  | { readonly kind: 'aborted'; readonly detail: string }

/** homeserver.ts. */
export interface HomeserverPort {
  readonly domain: string
  readonly bot: Mxid
  /** What it can do, as it said when we last connected. */
  readonly features: Features
  /** One attempt. Never rejects. */
  request<Value>(call: Call): Promise<Answer<Value>>
  /**
   * Again after 429 (as long as it asks), 5xx and no answer, until it is settled or `signal` aborts. Only for requests that
   * may be repeated: state, profiles, joins, invitations.
   */
  insist<Value>(call: Call): Promise<Answer<Value>>
}

export interface Features {
  /** `device_id` on requests of ghosts, and devices made for them (MSC3202/MSC4326, MSC4190). */
  readonly devices: boolean
  /** The presence `busy` (MSC3026). */
  readonly busy: boolean
  /** The room version that it makes by default. */
  readonly roomVersion: string
}

/** A room that belongs to a chat of the bridge. `chat` stays the same when the room is upgraded. */
export interface Room {
  readonly chat: ChatId
  /** The room as it is now. */
  readonly room: RoomId
  /** portal: made for, or claimed by, a person. channel: an existing room that was linked. home: where the bot speaks with one person. */
  readonly kind: 'portal' | 'channel' | 'home'
  /** Who it was made for; absent for a channel. */
  readonly owner?: Mxid
  readonly request?: PortalRequest
  /** People without an account here may speak through the one of the leg. */
  readonly relay: boolean
  /** It was encrypted: nothing can be read, and that was said. */
  readonly encrypted: boolean
  /** As the link calls it; of a channel only. */
  readonly name?: ChatId
  /** Of a portal or home; absent for a channel. */
  readonly ownerIs?: OwnerIs
  /** That people of other networks may not speak there was said. */
  readonly muted?: boolean
  /** That an encrypted message could not be read was said. */
  readonly unread?: boolean
  /** Somebody removed the bot. */
  readonly botOut?: boolean
  /** What it was upgraded to, while the bot is not let in there. */
  readonly next?: RoomId | undefined
  /** What it was before an upgrade, while that room is not yet left. */
  readonly from?: RoomId | undefined
}

/**
 * Whether the owner is in the room. left: was in and went; invited back once, when somebody writes. declined: said no to
 * an invitation; only a command invites them again.
 */
export type OwnerIs = 'invited' | 'in' | 'left' | 'declined'

/** rooms.ts: which room is which chat. In memory; every change is on disk when it resolves. */
export interface RoomTable {
  byRoom(room: RoomId): Room | undefined
  byChat(chat: ChatId): Room | undefined
  byPortal(portal: PortalId): Room | undefined
  homeOf(user: Mxid): Room | undefined
  all(): Iterable<Room>
  /** Replaces the room of the same chat. */
  put(room: Room): Promise<void>
  remove(chat: ChatId): Promise<void>
}

/** ghosts.ts: people of other networks as users of the homeserver. */
export interface GhostPort {
  /** The id for somebody of another network, by the template. Pure. */
  idOf(user: UserRef): Mxid
  /** Who it stands for; undefined: no ghost of ours. Pure. */
  userOf(id: string): UserRef | undefined
  /** Ghosts, the bot: whatever these do came from us. */
  isOurs(id: string): boolean
  /** Registered, named, and with a device where there are some. Idempotent, cheap when done. `name` absent: as it is. */
  ensure(user: UserRef, name?: string, signal?: AbortSignal): Promise<Answer<Mxid>>
  /** `ensure`, and in the room: invited by the bot where it must be. A refusal's `detail` is for people. */
  enter(user: UserRef, name: string | undefined, room: RoomId, signal?: AbortSignal): Promise<Answer<Mxid>>
  /** Out of the room, if it is in. */
  leave(user: UserRef, room: RoomId, reason?: string, signal?: AbortSignal): Promise<Answer<unknown>>
  /** The ghosts that are in the room. */
  inRoom(room: RoomId): ReadonlySet<Mxid>
}

/** puppets.ts: people who let us speak for them. */
export interface PuppetPort {
  /** What a request for them needs: `as` with our own token, or their own token. undefined: they did not allow it. */
  of(user: Mxid): PuppetToken | undefined
}
export type PuppetToken = { readonly kind: 'appservice' } | { readonly kind: 'token'; readonly token: string }

/** What every part gets. */
export interface MatrixDeps {
  readonly network: NetworkId
  readonly account: Account
  readonly context: AdapterContext
  readonly homeserver: HomeserverPort
}

export const refOf = (network: NetworkId, chat: ChatId): ChatRef => ({ network, chat })
export const mxidOf = (user: UserId): Mxid => String(user) as Mxid
