import type { Dialect } from '../model/dialect.ts'
import type { Spoken } from '../model/spoken.ts'

/**
 * U: no answer. N: NAK only. A and D: ACK or NAK. S: ACK only. Source: docs/protocol.md, Switchboard messages.
 */
export type AckType = 'U' | 'N' | 'A' | 'D' | 'S'

/** What a client asks of the room; each is answered by a command of the same transaction. */
export type SwitchboardEvent =
  /** `USR 1 alice@example.com 17262740.1050826919.32308`. Nothing more is read before `admitted` or `refused`. */
  | { readonly kind: 'enter'; readonly email: string; readonly ticket: string }
  /** `ANS 1 bob@example.com 849102291.520491113 11752013`. Likewise. */
  | { readonly kind: 'answer'; readonly email: string; readonly ticket: string; readonly session: string }
  /** `CAL 2 bob@example.com` */
  | { readonly kind: 'call'; readonly trid: string; readonly email: string }
  /** `CFM 0 17`: the first 17 messages that this client was given are stored where it keeps them. */
  | { readonly kind: 'confirmed'; readonly count: number }
  /** `SIT 0 amy@irc.example.com Amy`: she takes part through this client; without a name: no more. */
  | { readonly kind: 'sit'; readonly trid: string; readonly email: string; readonly name: string | undefined }
  /** `SPK 0 amy@irc.example.com 120`: how the next message reads as hers. The payload may share memory with the received chunk. */
  | ({ readonly kind: 'speak' } & Spoken)
  /** `MSG 3 A 133`. The payload may share memory with the received chunk. */
  | { readonly kind: 'message'; readonly trid: string; readonly ack: AckType; readonly payload: Uint8Array }

export interface Person {
  readonly email: string
  readonly name: string
  /** What their client can do: a sum of bits. Told from MSNP12 on. */
  readonly clientId?: number
}

export type SwitchboardCommand =
  /** They are in. `present`: who was there before, for ANS. */
  | { readonly kind: 'admitted'; readonly self: Person; readonly dialect: Dialect; readonly present: readonly Person[] }
  /** They are not, and the connection ends. */
  | { readonly kind: 'refused'; readonly code: number }
  | { readonly kind: 'ringing'; readonly trid: string; readonly session: string }
  | { readonly kind: 'error'; readonly trid: string; readonly code: number }
  | { readonly kind: 'ack' | 'nak'; readonly trid: string }
  /** Bytes from `relayedMessage`. */
  | { readonly kind: 'relay'; readonly bytes: Uint8Array }
  | { readonly kind: 'joined'; readonly person: Person }
  | { readonly kind: 'left'; readonly email: string }
  /** OUT, and the connection ends. */
  | { readonly kind: 'end' }
