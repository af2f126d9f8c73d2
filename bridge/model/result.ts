import type { ChatRef, MessageId, UserRef } from './ids.ts'

export type Reason =
  | 'offline'
  | 'not-found'
  | 'blocked'
  | 'forbidden'
  | 'too-large'
  | 'unsupported'
  | 'rate-limited'
  | 'network'
  | 'protocol'

/** What to wait for before the same delivery is tried again. A number is milliseconds from now. */
export type WaitFor = number | 'recipient-online' | 'session-online'

export type DeliveryResult =
  /** One canonical message may become several; the first id is the one replies point at. `missed`: people of the chat who were not there. */
  | { readonly kind: 'delivered'; readonly ids: readonly MessageId[]; readonly missed?: readonly UserRef[] }
  /** Not delivered, may work later. The lane keeps its head and waits. */
  | { readonly kind: 'retry'; readonly reason: Reason; readonly wait: WaitFor; readonly detail: string }
  /** Not delivered, never will be. The lane moves on and the origin leg gets a status. */
  | { readonly kind: 'refused'; readonly reason: Reason; readonly detail: string }
  /** Written, then the line died before the ACK. Never retried by itself: a doubled message is worse than a flagged one. */
  | { readonly kind: 'uncertain'; readonly detail: string }

export type OpenResult =
  { readonly kind: 'opened'; readonly chat: ChatRef } | Exclude<DeliveryResult, { kind: 'delivered' }>

/** The answer to a roster request; `detail` is a sentence for the person who asked. */
export type RosterResult =
  { readonly kind: 'done' } | { readonly kind: 'refused'; readonly reason: Reason; readonly detail: string }

/** The bytes of a file, from where it is. */
export type MediaResult =
  | {
      readonly kind: 'media'
      readonly body: ReadableStream<Uint8Array>
      readonly mime?: string
      /** Bytes, where the network says. */
      readonly size?: number
    }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly detail: string }

export interface Fault {
  readonly code: 'bad-credentials' | 'signed-in-elsewhere' | 'banned' | 'network' | 'protocol' | 'shutdown'
  /** A sentence for the operator, with the remedy. Never holds a secret. */
  readonly detail: string
}

/** waiting: the supervisor will try again. stopped: it will not, until a person acts. */
export type SessionState =
  | { readonly kind: 'offline' }
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'online'; readonly since: number }
  | { readonly kind: 'waiting'; readonly until: number; readonly fault: Fault }
  | { readonly kind: 'stopped'; readonly fault: Fault }
