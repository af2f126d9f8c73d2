import type { NetworkId } from './ids.ts'
import type { RichText } from './text.ts'

/** What somebody said: a new kind does not compile until every adapter has decided what it does with it. */
export type MessageBody =
  | { readonly kind: 'text'; readonly text: RichText }
  | { readonly kind: 'action'; readonly text: RichText }
  | { readonly kind: 'notice'; readonly text: RichText }
  | { readonly kind: 'nudge' }
  /** `text`: what was said along with it; mostly empty. */
  | { readonly kind: 'file'; readonly file: FileRef; readonly text: RichText }

/** A file that stays where it is; its bytes are asked for with `Files.open`. */
export interface FileRef {
  /** Where it is, and what it is called there: only that adapter may look inside. Or the bridge itself keeps it. */
  readonly network: NetworkId
  readonly ref: string
  /** As its sender calls it. Untrusted. */
  readonly name: string
  readonly media: 'image' | 'audio' | 'video' | 'file'
  readonly mime?: string
  /** Bytes, as the sender says. */
  readonly size?: number
  /** A signed link that anybody can open for a while; the hub fills it in where links are served. */
  readonly url?: string
}

export type BodyKind = MessageBody['kind']
