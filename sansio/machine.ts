/**
 * A protocol peer without I/O. Bytes and time come in as arguments, bytes and events come out as values.
 * No sockets, no timers, no clock, no randomness, no logger in here: a test is a list of calls.
 */
export interface Machine<Command, Event> {
  /** `null` is end of stream. Never throws, whatever the bytes. After a `close` output, further input gives nothing. */
  receive(bytes: Uint8Array | null, now: number): readonly Output<Event>[]
  /** Throws MisuseError when the command is not legal in this state: that is our bug, not the peer's. */
  command(command: Command, now: number): readonly Output<Event>[]
  /** Call when `wakeAt` has passed. */
  tick(now: number): readonly Output<Event>[]
  /** Milliseconds on the same scale as `now`; undefined: nothing to wait for. */
  readonly wakeAt: number | undefined
  /** So many bytes wait in it for a later `tick` that whoever reads them from the peer should stop for now. */
  readonly isFull?: boolean
}

export type Output<Event> =
  | { readonly kind: 'write'; readonly bytes: Uint8Array }
  | { readonly kind: 'event'; readonly event: Event }
  /** The connection is over: what was written before is flushed, then it ends. */
  | { readonly kind: 'close'; readonly reason: CloseReason }

export type CloseReason =
  | { readonly kind: 'done' }
  | { readonly kind: 'timeout'; readonly waitingFor: string }
  /** `at.verb` and lengths only, never the line itself: it may hold a ticket. */
  | {
      readonly kind: 'peer-violation'
      readonly detail: string
      readonly at?: { readonly verb: string; readonly length: number }
    }
  /** The transport failed or the peer hung up: `detail` is the system's word for it (ECONNRESET ...). */
  | { readonly kind: 'lost'; readonly detail: string }

/** Our own code asked a machine for something that its state does not allow. */
export class MisuseError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MisuseError'
  }
}
