import { Buffer } from 'node:buffer'

const EMPTY = Buffer.alloc(0)

/**
 * Bytes that have arrived and were not used yet. While a chunk is used up in one go nothing is copied; what is left of
 * it moves into a buffer that grows by doubling, so that a peer who sends byte by byte costs linear work.
 */
export class ReceiveBuffer {
  #bytes: Buffer = EMPTY
  #start = 0
  #end = 0
  /** Whether `#bytes` is ours to write into and to compact; otherwise it is the chunk of the caller. */
  #owned = false

  /** Unused bytes. */
  get length(): number {
    return this.#end - this.#start
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    if (this.#start === this.#end) {
      this.#bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      this.#start = 0
      this.#end = chunk.length
      this.#owned = false
      return
    }
    const need = this.length + chunk.length
    if (!this.#owned || this.#end + chunk.length > this.#bytes.length) {
      const target = this.#owned && need <= this.#bytes.length ? this.#bytes : Buffer.allocUnsafeSlow(capacityFor(need))
      this.#bytes.copy(target, 0, this.#start, this.#end)
      this.#end = this.length
      this.#start = 0
      this.#bytes = target
      this.#owned = true
    }
    this.#bytes.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /** Position of `byte` counted from the first unused byte, looking from `from` on; -1 if it is not there. */
  indexOf(byte: number, from = 0): number {
    const at = this.#bytes.indexOf(byte, this.#start + from)
    return at === -1 || at >= this.#end ? -1 : at - this.#start
  }

  /** The byte at `offset` from the first unused one; undefined past the end. */
  at(offset: number): number | undefined {
    return offset < this.length ? this.#bytes[this.#start + offset] : undefined
  }

  /** Uses up `length` bytes as a byte string: one character a byte, U+0000 to U+00FF. */
  takeString(length: number): string {
    const text = this.#bytes.toString('latin1', this.#start, this.#start + length)
    this.skip(length)
    return text
  }

  /** Uses up `length` bytes. The result may share memory with the chunk that was pushed: copy it to keep it. */
  takeBytes(length: number): Uint8Array {
    const view = this.#bytes.subarray(this.#start, this.#start + length)
    const bytes = this.#owned ? Buffer.from(view) : view
    this.skip(length)
    return bytes
  }

  skip(length: number): void {
    this.#start += length
    if (this.#start >= this.#end) this.clear()
  }

  clear(): void {
    this.#bytes = EMPTY
    this.#start = 0
    this.#end = 0
    this.#owned = false
  }

  /** Call when the caller goes back to wait: what is left must not pin a large chunk. */
  settle(): void {
    if (this.#owned || this.length === 0) return
    const rest = Buffer.allocUnsafeSlow(capacityFor(this.length))
    this.#bytes.copy(rest, 0, this.#start, this.#end)
    this.#end = this.length
    this.#start = 0
    this.#bytes = rest
    this.#owned = true
  }
}

const capacityFor = (length: number): number => Math.max(256, 2 ** Math.ceil(Math.log2(length)))
