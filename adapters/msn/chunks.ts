/**
 * Messages that a client cut into several MSG, to be put together again. We do not ask for them (they are a feature in
 * the client id), some clients send them all the same. Source: docs/protocol.md, Messages. Time is an argument.
 */
import { parseMime, type MimeMessage } from '../../msnp/index.ts'

/** Sets that may be incomplete at once on one switchboard; the oldest goes first. */
export const MAX_OPEN_SETS = 8
/** Messages of one set. */
export const MAX_CHUNKS = 64
/** An incomplete set is forgotten after so long. Milliseconds. */
export const CHUNK_PATIENCE_MS = 60_000

interface Chunked {
  readonly since: number
  /** The first is a whole payload: its headers are those of the message. */
  readonly parts: (Uint8Array | undefined)[]
}

export class Chunks {
  readonly #open = new Map<string, Chunked>()

  /** The message itself if it is whole, the whole one when this was its last part, else undefined. Nobody adds to what another began. */
  take(from: string, payload: Uint8Array, now: number): MimeMessage | undefined {
    const message = parseMime(payload)
    const name = message.headers.get('message-id')
    const chunks = numberOf(message.headers.get('chunks'))
    const chunk = numberOf(message.headers.get('chunk'))
    if (name === undefined || (chunks === undefined && chunk === undefined)) return message
    const id = `${from.toLowerCase()} ${name}`
    this.#forget(now)
    if (chunks !== undefined) {
      if (chunks < 2 || chunks > MAX_CHUNKS) return message
      this.#makeRoom()
      this.#open.set(id, { since: now, parts: [payload, ...Array.from<undefined>({ length: chunks - 1 })] })
      return undefined
    }
    const set = this.#open.get(id)
    if (set === undefined || chunk === undefined || chunk < 1 || chunk >= set.parts.length) return undefined
    set.parts[chunk] = message.body
    const parts = set.parts.filter((part) => part !== undefined)
    if (parts.length < set.parts.length) return undefined
    this.#open.delete(id)
    return parseMime(Buffer.concat(parts))
  }

  #forget(now: number): void {
    for (const [id, set] of this.#open) if (now - set.since >= CHUNK_PATIENCE_MS) this.#open.delete(id)
  }

  #makeRoom(): void {
    const [oldest] = this.#open.keys()
    if (oldest !== undefined && this.#open.size >= MAX_OPEN_SETS) this.#open.delete(oldest)
  }
}

const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : undefined
