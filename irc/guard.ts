/**
 * The one place that every line to an IRC server passes. Whatever text people, networks or the library hand us, what
 * leaves is one line: no CR, LF or NUL, and no longer than the protocol allows. Pure.
 */

/** Bytes of a line without its CR LF (docs/protocol.md, IRC lines). */
export const MAX_LINE_BYTES = 510
/** Bytes of the tags that a client may send, with `@` and the space. */
export const MAX_TAG_BYTES = 4_094

export interface Guarded {
  readonly line: string
  /** Something had to be taken out or cut off: whoever wrote the line has a bug. */
  readonly changed: boolean
}

/** The longest beginning of `text` within `bytes` of UTF-8 that cuts no character. */
export const cutToBytes = (text: string, bytes: number): string => {
  if (Buffer.byteLength(text) <= bytes) return text
  const buffer = Buffer.from(text).subarray(0, bytes + 1)
  let end = bytes
  while (end > 0 && ((buffer[end] ?? 0) & 0xc0) === 0x80) end--
  return buffer.subarray(0, end).toString()
}

export const guardLine = (raw: string): Guarded => {
  const flat = raw.replace(/[\r\n\0]+/g, ' ')
  const space = flat.startsWith('@') ? flat.indexOf(' ') + 1 : 0
  const tags = space <= MAX_TAG_BYTES ? flat.slice(0, space) : ''
  const line = tags + cutToBytes(flat.slice(space), MAX_LINE_BYTES)
  return { line, changed: line !== raw }
}
