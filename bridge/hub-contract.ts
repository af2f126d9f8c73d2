/** What the hub needs, and what it answers. */
import type { Account, Adapter, Clock, Logger, Metrics, Session } from './adapter.ts'
import type { HubLimits } from './limits.ts'
import type { DeliveryOutcome } from './model/events.ts'
import type { AccountId, EventId, NetworkId } from './model/ids.ts'
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
