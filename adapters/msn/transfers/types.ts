/**
 * What the flow of a file needs of the protocol that moves its bytes. A courier speaks one such protocol on one account; which
 * one it is, the flow never asks.
 */
import type { UserId } from '../../../bridge/model/ids.ts'
import type { MimeMessage } from '../../../msnp/index.ts'

/** One person on one switchboard. */
export interface Talk {
  readonly user: UserId
  /** Only while they are there; nobody is called for it. */
  say(payload: Uint8Array): void
}

export interface Courier {
  /** Whether clients of that generation can be offered a file so. */
  understands(generation: number): boolean
  /** undefined: it is none of ours. taken: it is, and there is nothing more to do. */
  hear(message: MimeMessage, talk: Talk): IncomingOffer | 'taken' | undefined
  /** Nothing is sent yet. */
  offer(to: UserId, file: OfferedFile): OutgoingOffer
  /** They are on no switchboard of ours any more: what they have not answered, they never will. */
  gone(user: UserId): void
}

export interface IncomingOffer {
  readonly name: string
  readonly size: number
  /** They have taken it back, before or in the middle. */
  readonly withdrawn: AbortSignal
  /** Once, and no `decline` then. Never rejects. */
  accept(signal: AbortSignal, onProgress: (bytes: number) => void): Promise<Arrival>
  /** unwanted: not this one. unsupported: none at all. elsewhere: the person's Messenger answers, and we say nothing. */
  decline(why: 'unwanted' | 'unsupported' | 'elsewhere'): void
}

/** `detail` is a half-sentence. */
export type Arrival =
  | {
      readonly kind: 'arriving'
      /** Ends after the last byte; throws when it breaks off. */
      readonly body: AsyncIterable<Uint8Array>
      /** It is safe with us, or could not be kept: always to be said. */
      done(kept: boolean): void
    }
  | { readonly kind: 'failed'; readonly detail: string }

export interface OfferedFile {
  readonly name: string
  readonly size: number
  /** The bytes, when they are wanted; undefined: they are gone. */
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>
}

export interface OutgoingOffer {
  /** What says it, to be sent on a switchboard. undefined: `run` says it. */
  readonly payload: Uint8Array | undefined
  /** After `payload` has reached them. Ends with `signal`. Never rejects. */
  run(talk: Talk, signal: AbortSignal, onProgress: (bytes: number) => void): Promise<OfferResult>
  /** It could not be said. */
  forget(): void
}

/** unanswered: nobody has said yes or no in time. cancelled: by them, in the middle. `detail` is a half-sentence. */
export type OfferResult =
  | { readonly kind: 'received' | 'declined' | 'unanswered' | 'cancelled' | 'taken-back' }
  | { readonly kind: 'failed'; readonly detail: string }
