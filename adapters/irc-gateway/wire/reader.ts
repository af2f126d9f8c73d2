/** Bytes from a client -> lines, each by itself good or bad. Pure but for its own state. */
import { isUtf8 } from 'node:buffer'
import { ReceiveBuffer } from '../../../sansio/bytes.ts'

/** `endless`: so much more than a line may have that no end of it is waited for. */
export type LineFault = 'too-long' | 'endless' | 'not-utf8'

export interface ReadLine {
  readonly text: string
  readonly bytes: number
}

/** A line of this many times the limit is `endless`. */
export const ENDLESS = 8

const LF = 0x0a
const CR = 0x0d
const AT = 0x40
const BLANK = 0x20

export class ClientReader {
  readonly #buffer = new ReceiveBuffer()
  /** Bytes of a line without its end: the tags with `@` and blank, and all the rest. */
  readonly #tagBytes: number
  readonly #restBytes: number
  /** So many bytes were looked at and have no LF. */
  #scanned = 0
  /** Bytes of a line that is too long, passed over so far. */
  #skipped: number | undefined

  /** Both limits as the protocol counts them: the rest includes CR LF. */
  constructor(tagBytes: number, restBytes: number) {
    this.#tagBytes = tagBytes
    this.#restBytes = restBytes - '\r\n'.length
  }

  /** Bytes of tags and rest together. */
  get limit(): number {
    return this.#tagBytes + this.#restBytes
  }

  clear(): void {
    this.#buffer.clear()
    this.#scanned = 0
  }

  push(chunk: Uint8Array): void {
    this.#buffer.push(chunk)
  }

  /** undefined: nothing until more comes. Empty lines are left out. */
  next(): ReadLine | LineFault | undefined {
    const limit = this.limit + '\r'.length
    for (;;) {
      const end = this.#buffer.indexOf(LF, this.#scanned)
      const length = end === -1 ? this.#buffer.length : end
      if (this.#skipped !== undefined) {
        const skipped = this.#skipped + length
        if (skipped > limit * ENDLESS) return 'endless'
        this.#pass(end, length)
        this.#skipped = end === -1 ? skipped : undefined
        if (end === -1) return undefined
        continue
      }
      if (length > limit) {
        this.#skipped = 0
        return 'too-long'
      }
      if (end === -1) {
        this.#scanned = length
        this.#buffer.settle()
        return undefined
      }
      const bytes = this.#buffer.takeBytes(length)
      this.#pass(end, 0)
      const line = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes
      if (line.length === 0) continue
      return this.#checked(line)
    }
  }

  /** Goes behind the LF, if there is one. */
  #pass(end: number, length: number): void {
    this.#buffer.skip(end === -1 ? length : length + 1)
    this.#scanned = 0
  }

  #checked(line: Uint8Array): ReadLine | LineFault {
    const tags = line[0] === AT ? line.indexOf(BLANK) + 1 : 0
    if (tags > this.#tagBytes || line.length - tags > this.#restBytes) return 'too-long'
    if (!isUtf8(line)) return 'not-utf8'
    return { text: Buffer.from(line.buffer, line.byteOffset, line.length).toString(), bytes: line.length }
  }
}
