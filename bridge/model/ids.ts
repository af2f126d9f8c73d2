/**
 * Identifiers. Each is an opaque string: only the adapter that minted it may look inside.
 * They are stored in the database, so changing a format needs a migration.
 */
declare const brand: unique symbol
type Id<Name extends string> = string & { readonly [brand]: Name }

/** A configured adapter instance: `msn`, `matrix`, `libera`. */
export type NetworkId = Id<'network'>
/** Someone on a network: `alice@hotmail.com`, `@alice:example.org`, `alice`. Unique within the network. */
export type UserId = Id<'user'>
/** Where messages go on a network: an e-mail, a room id, `#channel`. */
export type ChatId = Id<'chat'>
/** A message as its network names it. Networks without message ids mint one (MSN: a random number per connection and the ordinal of the received MSG). */
export type MessageId = Id<'message'>
/** A login the bridge holds (it joins the network) or hosts (people sign in to it). */
export type AccountId = Id<'account'>
/** A human of ours, owner of accounts on several networks. */
export type PersonId = Id<'person'>
export type PortalId = Id<'portal'>
/** Ours: minted once when an event is accepted; the idempotency key all the way down. */
export type EventId = Id<'event'>

export interface UserRef {
  readonly network: NetworkId
  readonly user: UserId
}

export interface ChatRef {
  readonly network: NetworkId
  readonly chat: ChatId
  /** Set when the chat only means something seen from one account: every direct chat, every IRC query. */
  readonly account?: AccountId
}
