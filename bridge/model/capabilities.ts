import type { BodyKind } from './body.ts'
import type { OutboundKind } from './events.ts'

/**
 * native: the network has it. emulated: the adapter fakes it well. text: the hub must rewrite it into a message.
 * dropped: lost, harmlessly. refused: the sender must be told.
 */
export type Support = 'native' | 'emulated' | 'text' | 'dropped' | 'refused'

export interface Capabilities {
  /** Exhaustive on purpose: a new kind of Outbound does not compile until each adapter has decided. */
  readonly ops: Readonly<Record<OutboundKind, Support>>
  readonly bodies: Readonly<Record<BodyKind, Support>>
  /** native: a ghost has its own name on this network. prefix: one account speaks for all, "<alice> hi". */
  readonly puppets: 'native' | 'prefix'
  /** Ghosts must go where they take part: their presence says `in` which chats that is. */
  readonly placesGhosts?: true
  /**
   * How an answer to a message shows which one it answers. native: the network points at it. lines: its first words in a
   * line above. inline: its first words in the same line.
   */
  readonly replies: 'native' | 'lines' | 'inline'
  /** The network drops a second delivery with the same id, so an interrupted one may be repeated without asking. */
  readonly idempotent: boolean
  /** How many deliveries of one chat may be under way at once, in order. 1: each waits for the one before. */
  readonly pipeline: number
}
