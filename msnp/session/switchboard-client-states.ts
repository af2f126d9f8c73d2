/** What the switchboard client can be told, what it tells, and what it knows in which state. */
import type { Dialect } from '../model/dialect.ts'
import type { Spoken } from '../model/spoken.ts'

/** What the server answers to a message. A: ACK or NAK. N: NAK only. U: nothing. D: as A, for peer-to-peer data. */
export type AckType = 'A' | 'N' | 'U' | 'D'

export interface Member {
  readonly email: string
  readonly name: string
  /** Sum of the bits of what their client can do; known from MSNP12 on, and of who is inside only. */
  readonly clientId?: number
}

export type SwitchboardState =
  | { readonly kind: 'idle' }
  /** USR or ANS is out. */
  | { readonly kind: 'entering'; readonly verb: 'USR' | 'ANS' }
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' }

export type SwitchboardCommand =
  /** The first command: with what XFR gave, or with what RNG gave. */
  | { readonly kind: 'open'; readonly token: string }
  | { readonly kind: 'answer'; readonly token: string; readonly session: string }
  /** Only when open, as the rest. `id` comes back with the result. */
  | { readonly kind: 'invite'; readonly id: number; readonly email: string }
  | {
      readonly kind: 'send'
      readonly id: number
      readonly payload: Uint8Array
      readonly ack: AckType
      readonly spoken?: Spoken
    }
  /** Somebody takes part through us; without a name: no more. Only where `participants` of the sign-in allows it. */
  | { readonly kind: 'sit'; readonly email: string; readonly name?: string }
  /** The message of that ordinal is stored. Nothing is said where the server does not wait for it. */
  | { readonly kind: 'confirm'; readonly ordinal: number }
  | { readonly kind: 'leave' }

export type InviteOutcome =
  | { readonly kind: 'joined'; readonly member: Member }
  | { readonly kind: 'refused'; readonly code: number }
  /** No answer to CAL, or it rang and nobody came. */
  | { readonly kind: 'timeout'; readonly waitingFor: 'CAL' | 'JOI' }

export type SendOutcome =
  /** `members` were inside when it was written and still when the ACK came: addresses in lower case. */
  | { readonly kind: 'acked'; readonly members: readonly string[] }
  /** Written; nothing more can be known (U), or no NAK came in time (N). */
  | { readonly kind: 'sent'; readonly members: readonly string[] }
  /** It did not reach them. */
  | { readonly kind: 'nak'; readonly code?: number }
  /** Written, and all who could have had it left before the answer; no NAK came within `nakMs`. */
  | { readonly kind: 'left-before-ack' }
  /** Written, no answer. */
  | { readonly kind: 'timeout' }
  /**
   * Nothing was written: nobody is inside, the payload is over 1664 bytes, too much waits for an answer. Servers ACK
   * what they are told in an empty room, hence the first.
   */
  | { readonly kind: 'not-written'; readonly why: 'empty' | 'too-large' | 'backlog' }

export type SwitchboardEvent =
  /** We are in; `members` of the client tells who else is. */
  | { readonly kind: 'ready' }
  /** The server did not let us in; this connection is over. */
  | { readonly kind: 'refused'; readonly code: number }
  | { readonly kind: 'invited'; readonly id: number; readonly outcome: InviteOutcome }
  | { readonly kind: 'sent'; readonly id: number; readonly outcome: SendOutcome }
  | { readonly kind: 'joined'; readonly member: Member }
  /** `idle`: the server removed them for inactivity. */
  | { readonly kind: 'left'; readonly member: Member; readonly idle: boolean }
  /** `payload` is ours to keep. `ordinal`: 1 for the first MSG on this connection, counting all. */
  | { readonly kind: 'message'; readonly from: Member; readonly payload: Uint8Array; readonly ordinal: number }
  | { readonly kind: 'typing'; readonly from: Member }
  /** OUT: the server ends it. */
  | { readonly kind: 'out' }
  /** Nothing was said for so long that we leave. */
  | { readonly kind: 'idle' }

export interface SwitchboardTimings {
  /** Milliseconds, as the rest. USR, ANS and CAL. */
  readonly commandMs: number
  readonly ackMs: number
  readonly nakMs: number
  readonly joinMs: number
  /** 0: never. */
  readonly switchboardIdleMs: number
}

export interface SwitchboardClientOptions {
  /** Our own address, as the account has it. */
  readonly email: string
  readonly dialect: Dialect
  readonly timings: SwitchboardTimings
  /** The server waits for CFM before it acknowledges to others what they tell us. Default: no. */
  readonly confirms?: boolean
}
