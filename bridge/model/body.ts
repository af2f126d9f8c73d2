import type { RichText } from './text.ts'

/** What somebody said. Files join this union when an adapter can carry them; the compiler then asks every adapter. */
export type MessageBody =
  | { readonly kind: 'text'; readonly text: RichText }
  | { readonly kind: 'action'; readonly text: RichText }
  | { readonly kind: 'notice'; readonly text: RichText }
  | { readonly kind: 'nudge' }

export type BodyKind = MessageBody['kind']
