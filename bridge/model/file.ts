import type { NetworkId } from './ids.ts'

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
