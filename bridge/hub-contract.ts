/** What the hub needs, and what it answers. */
import type { Account, Adapter, Clock, Logger, Metrics, Session } from './adapter.ts'
import type { HubLimits } from './limits.ts'
import type { DeliveryOutcome } from './model/events.ts'
import type { FileRef } from './model/body.ts'
import type { AccountId, ChatRef, EventId, NetworkId, PersonId, PortalId, UserId, UserRef } from './model/ids.ts'
import type { PresenceState } from './model/presence.ts'
import type { LaneStatus } from './outbox.ts'
import type { LinkEnd } from './portals.ts'
import type { PersonRow, Store } from './store/port.ts'

export interface HubDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  /** The live object of an account, online or not; `undefined` while its network has not started. */
  readonly sessionOf: (account: AccountId) => Session | undefined
  /** All accounts there are now: from the config and of the adapters themselves. */
  readonly accounts: () => readonly Account[]
  readonly limits?: Partial<HubLimits>
  /** Milliseconds that a delivery through this account may wait; by default `limits.giveUpMs`. */
  readonly patience?: (account: AccountId) => number | undefined
  /** A link to a file that anybody can open for a while from `at` on, milliseconds since the epoch. Absent: none are served. */
  readonly linkOf?: (file: FileRef, at: number) => string
  /** A contact of an account, or without `user` its whole list, is not what it was. */
  readonly rosterChanged?: (account: AccountId, user?: UserId) => void
  /** Accounts or people came or went, or an account belongs to somebody else. */
  readonly ownersChanged?: () => void
  /** One of our people is seen on a network, by others than the bridge. */
  readonly ownPresence?: (person: PersonId, user: UserRef, state: PresenceState) => void
  /** Somebody looks like that where they live, who may be one of our people. */
  readonly ownPicture?: (user: UserRef, picture: FileRef | null) => void
}

/** passing: was not to be stored. unlinked: no portal and no lobby; nothing was stored. */
export type Accepted = EventId | 'duplicate' | 'unlinked' | 'passing'

export interface HubStatus {
  readonly lanes: readonly LaneStatus[]
  /** Since the start. */
  readonly accepted: number
  readonly duplicates: number
  readonly unlinked: number
  readonly outcomes: Readonly<Record<DeliveryOutcome, number>>
  readonly store: Store['health']
}

export interface HubStart {
  readonly people: readonly PersonRow[]
  readonly links: readonly (readonly LinkEnd[])[]
}

/**
 * A conversation that a person asked for. `chat`: where it is for them; absent: it is on disk and will be made as soon as
 * possible. `known`: it was there before.
 */
export type StartResult =
  | { readonly kind: 'opened'; readonly portal: PortalId; readonly chat?: ChatRef; readonly known: boolean }
  | { readonly kind: 'refused'; readonly detail: string }
