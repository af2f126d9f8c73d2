import type { CloseReason } from '../../sansio/machine.ts'
import type { NsCommand, NsEvent } from '../session/notification-server-events.ts'

/** One client's connection as the desk sees it: `drive()` around a `NotificationServer` machine. */
export interface Line {
  send(command: NsCommand): void
  close(reason?: CloseReason): void
  /** The client's IP address and port, for the profile and for throttling. */
  readonly remoteAddress: string
  readonly remotePort: number
  /** Our own IP address and port as this client reached them. */
  readonly reachedAt?: string
  readonly reachedPort?: number
}

/** What the desk takes from a line. */
export interface Attachment {
  event(event: NsEvent): void
  /** Exactly once, when the connection is over, whoever ended it. */
  closed(): void
}
