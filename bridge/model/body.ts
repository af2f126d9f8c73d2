import type { FileRef } from './file.ts'
import type { RichText } from './text.ts'

export type { FileRef } from './file.ts'

/** What somebody said: a new kind does not compile until every adapter has decided what it does with it. */
export type MessageBody =
  | { readonly kind: 'text'; readonly text: RichText }
  | { readonly kind: 'action'; readonly text: RichText }
  | { readonly kind: 'notice'; readonly text: RichText }
  | { readonly kind: 'nudge' }
  /** `text`: what was said along with it; mostly empty. */
  | { readonly kind: 'file'; readonly file: FileRef; readonly text: RichText }

export type BodyKind = MessageBody['kind']
