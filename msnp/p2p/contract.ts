/** What the peer-to-peer machine of one switchboard is told, and what it tells. */
import type { MsnObject } from '../model/msn-object.ts'
import type { FileOffer } from './file-context.ts'

export interface P2pLimits {
  /** Sessions at once, with all who are inside; more are declined. */
  readonly sessions: number
  /** Packets of data that may wait for the answer of the switchboard; words of people wait behind no more than these. */
  readonly window: number
  /** Bytes of a picture, an emoticon, a wink. */
  readonly objectBytes: number
  /** Bytes of a file that may wait for earlier ones. */
  readonly fileAheadBytes: number
  /** Of what comes in, so many must come within `silenceMs`, or the rest; fewer are as good as none. */
  readonly leastBytes: number
}

export const DEFAULT_P2P_LIMITS: P2pLimits = {
  sessions: 32,
  window: 16,
  objectBytes: 1024 * 1024,
  fileAheadBytes: 256 * 1024,
  leastBytes: 16 * 1024,
}

/** Milliseconds. */
export interface P2pTimings {
  /** A whole message without its acknowledgement is sent once more after so long, then given up. */
  readonly ackMs: number
  /** An object that was asked for, without an answer. */
  readonly inviteMs: number
  /** A file that was offered: a person has to decide. */
  readonly decideMs: number
  /** Nothing came or went during a transfer. */
  readonly silenceMs: number
  /** All was sent and acknowledged, and the other side does not say that it is done. */
  readonly closeMs: number
  /** A session as a whole, whatever moves in it. */
  readonly totalMs: number
}

export const DEFAULT_P2P_TIMINGS: P2pTimings = {
  ackMs: 30_000,
  inviteMs: 60_000,
  decideMs: 300_000,
  silenceMs: 120_000,
  closeMs: 30_000,
  totalMs: 4 * 60 * 60_000,
}

export interface P2pOptions {
  /** Our own address. */
  readonly own: string
  /** A random number of 32 bits. */
  readonly random: () => number
  /** What others begin is for another session of our own account: nothing is answered or acknowledged. Default: no. */
  readonly isElsewhere?: () => boolean
  readonly limits?: Partial<P2pLimits>
  readonly timings?: Partial<P2pTimings>
}

/** Ours, from 1 up; what it is called on the wire is no matter outside. */
export type SessionHandle = number

export type P2pCommand =
  /** Asks somebody for what they have described. `xml` as they wrote it. */
  | {
      readonly kind: 'fetch'
      readonly session: SessionHandle
      readonly peer: string
      readonly object: MsnObject
      readonly xml: string
    }
  | { readonly kind: 'offer'; readonly session: SessionHandle; readonly peer: string; readonly file: FileOffer }
  /** Answers to `asked`. */
  | { readonly kind: 'serve'; readonly session: SessionHandle; readonly bytes: Uint8Array }
  /** Answers to `offered`. `confirms`: that it has arrived is said with `kept`, not with its last byte. */
  | { readonly kind: 'accept'; readonly session: SessionHandle; readonly confirms?: boolean }
  /** After `received`. Whoever could not keep it says `cancel`. */
  | { readonly kind: 'kept'; readonly session: SessionHandle }
  | { readonly kind: 'decline'; readonly session: SessionHandle }
  /** Answers to `wants`: no more than was asked for. */
  | { readonly kind: 'provide'; readonly session: SessionHandle; readonly bytes: Uint8Array }
  | { readonly kind: 'cancel'; readonly session: SessionHandle }

/** Why a session is over. Sessions that we declined or cancelled end without a word. */
export type P2pEnd =
  | 'done'
  | 'declined'
  /** They ended it before it was done. */
  | 'cancelled'
  | 'timeout'
  /** They left the switchboard. */
  | 'left'
  /** What came is not what was promised: its size, its order, its digest. */
  | 'wrong'
  /** The switchboard does not take our packets. */
  | 'carrier'
  /** More sessions than allowed. */
  | 'busy'

export type P2pEvent =
  /** They want something of ours: `serve` or `decline`. */
  | { readonly kind: 'asked'; readonly session: SessionHandle; readonly peer: string; readonly object: MsnObject }
  /** They have a file for us: `accept` or `decline`. */
  | { readonly kind: 'offered'; readonly session: SessionHandle; readonly peer: string; readonly file: FileOffer }
  /** Something that we have not: it is declined already. `guid` in upper case. */
  | { readonly kind: 'unknown-invitation'; readonly peer: string; readonly guid: string }
  /** They have a file for another session of our account (see `isElsewhere`). May be told again: `call` is the same then. */
  | { readonly kind: 'offered-elsewhere'; readonly peer: string; readonly call: string; readonly file: FileOffer }
  /** Our file is wanted. */
  | { readonly kind: 'accepted'; readonly session: SessionHandle }
  /** The next part of our file; all before `offset` is on its way. */
  | { readonly kind: 'wants'; readonly session: SessionHandle; readonly offset: number; readonly length: number }
  /** The next part of their file, ours to keep. */
  | { readonly kind: 'data'; readonly session: SessionHandle; readonly bytes: Uint8Array }
  /** All of a file that was accepted with `confirms` is here. */
  | { readonly kind: 'received'; readonly session: SessionHandle }
  /** Complete, and what its description says. */
  | { readonly kind: 'fetched'; readonly session: SessionHandle; readonly bytes: Uint8Array }
  /** Once, the last of a session. */
  | { readonly kind: 'ended'; readonly session: SessionHandle; readonly how: P2pEnd }

export type P2pOutput =
  /** To be sent with acknowledgement type D; what becomes of it is told with `carried`. */
  | { readonly kind: 'send'; readonly id: number; readonly payload: Uint8Array }
  | { readonly kind: 'event'; readonly event: P2pEvent }

/** What invitations are for. Source: docs/protocol.md, Sessions. */
export const EUF = {
  object: '{A4268EEC-FEC5-49E5-95C3-F126696BDBF6}',
  file: '{5D3E02AB-6190-11D3-BBBB-00C04F795683}',
} as const
