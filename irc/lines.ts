/** Bytes from a server -> lines. A line may come in pieces, in any encoding, and must end. Pure but for its own state. */

/** 8191 bytes of tags, 512 of the rest, and some for servers that cannot count. */
export const MAX_INCOMING_BYTES = 16_384

const utf8 = new TextDecoder('utf-8', { fatal: true })
const western = new TextDecoder('windows-1252')

/** What is no UTF-8 was most likely typed by somebody whose client still writes Windows' western code page. */
export const decodeLine = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    return western.decode(bytes)
  }
}

const LF = 0x0a
const CR = 0x0d

export class LineReader {
  #pieces: Uint8Array[] = []
  #held = 0

  /** Complete lines without their ends, empty ones left out; `too-long` when a line does not end, after which nothing is read. */
  read(chunk: Uint8Array): readonly string[] | 'too-long' {
    const lines: string[] = []
    let from = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      if (this.#held + end - from > MAX_INCOMING_BYTES) return 'too-long'
      const line = this.#take(chunk.subarray(from, end))
      if (line !== '') lines.push(line)
      from = end + 1
    }
    const rest = chunk.subarray(from)
    if (this.#held + rest.length > MAX_INCOMING_BYTES) return 'too-long'
    if (rest.length > 0) {
      this.#pieces.push(rest)
      this.#held += rest.length
    }
    return lines
  }

  #take(last: Uint8Array): string {
    const bytes = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    this.#held = 0
    return decodeLine(bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes)
  }
}
