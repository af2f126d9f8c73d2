import { Buffer } from 'node:buffer'
import { MisuseError } from '../../sansio/machine.ts'
import { trimBlanks } from './escape.ts'

/** Bytes of headers that are read; what comes after them counts as their end. */
export const MAX_HEADER_BYTES = 8 * 1024
/** Headers that are read; later ones are passed over. */
export const MAX_HEADERS = 64

/**
 * Lines of `Name: value`. Nothing is looked at before it is asked for: a relay that only passes messages on pays
 * nothing, and who wants one header does not pay for a table of all.
 */
export class HeaderBlock {
  readonly #text: string

  /** `text`: the lines, as a byte string. */
  constructor(text: string) {
    this.#text = text
  }

  /** The first value of that name, whatever its case, without white space around it: a byte string. */
  get(name: string): string | undefined {
    const text = this.#text
    const wanted = name.toLowerCase()
    let at = 0
    for (let count = 0; at < text.length && count < MAX_HEADERS; count++) {
      const colon = text.indexOf(':', at)
      if (colon === -1) return undefined
      const end = lineEnd(text, at)
      if (colon < end && isName(text, at, colon, wanted)) return trimBlanks(text.slice(colon + 1, end))
      at = afterLine(text, end)
    }
    return undefined
  }

  /** All of them in order, names in lower case. */
  entries(): readonly (readonly [name: string, value: string])[] {
    const text = this.#text
    const entries: [string, string][] = []
    let at = 0
    while (at < text.length && entries.length < MAX_HEADERS) {
      const end = lineEnd(text, at)
      const colon = text.indexOf(':', at)
      if (colon === -1) break
      if (colon < end) {
        const name = trimBlanks(text.slice(at, colon)).toLowerCase()
        if (name !== '') entries.push([name, trimBlanks(text.slice(colon + 1, end))])
      }
      at = afterLine(text, end)
    }
    return entries
  }
}

/** A payload of MSG. Tolerant: headers in any case, lines that end in CRLF, CR or LF, broken lines are passed over. */
export class MimeMessage {
  readonly headers: HeaderBlock
  /** Shares memory with the payload. */
  readonly body: Uint8Array
  #type: string | undefined

  constructor(headers: HeaderBlock, body: Uint8Array) {
    this.headers = headers
    this.body = body
  }

  /** Lower case, without its parameters; empty when there is none. */
  get contentType(): string {
    const type = this.#contentType()
    const semicolon = type.indexOf(';')
    return (semicolon === -1 ? type : type.slice(0, semicolon).trimEnd()).toLowerCase()
  }

  /** Lower case; undefined when none is given, which means ISO-8859-1. */
  get charset(): string | undefined {
    const type = this.#contentType()
    if (type.endsWith('; charset=UTF-8')) return 'utf-8'
    const semicolon = type.indexOf(';')
    if (semicolon === -1) return undefined
    return /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase()
  }

  /** The body as text. A charset that nobody knows is read as ISO-8859-1: odd letters are better than a lost message. */
  text(): string {
    const bytes = bufferOf(this.body)
    const charset = this.charset
    switch (charset) {
      case 'utf-8':
      case 'utf8':
        return bytes.toString('utf8')
      case undefined:
      case 'iso-8859-1':
      case 'us-ascii':
        return bytes.toString('latin1')
      default:
        return decodeAs(charset, bytes)
    }
  }

  /** Several types keep a second block of headers in the body. */
  bodyHeaders(): HeaderBlock {
    return new HeaderBlock(bufferOf(this.body).toString('latin1', 0, MAX_HEADER_BYTES))
  }

  #contentType(): string {
    this.#type ??= this.headers.get('content-type') ?? ''
    return this.#type
  }
}

export function parseMime(payload: Uint8Array): MimeMessage {
  const bytes = bufferOf(payload)
  const head = bytes.toString('latin1', 0, Math.min(bytes.length, MAX_HEADER_BYTES))
  let at = 0
  while (at < head.length) {
    const end = lineEnd(head, at)
    const next = afterLine(head, end)
    if (end === at) return new MimeMessage(new HeaderBlock(head.slice(0, at)), bytes.subarray(next))
    at = next
  }
  return new MimeMessage(new HeaderBlock(head), bytes.subarray(bytes.length))
}

/** Bytes of a message. A line end or a character beyond a byte in a header is our own bug and throws. */
export function formatMime(headers: readonly (readonly [name: string, value: string])[], body: string): Uint8Array {
  let head = ''
  for (const [name, value] of headers) {
    if (!/^[A-Za-z0-9_-]+$/.test(name) || /[\r\n]|[^\x00-\xff]/.test(value)) {
      throw new MisuseError(`the header ${name} cannot be written`)
    }
    head += `${name}: ${value}\r\n`
  }
  head += '\r\n'
  const size = Buffer.byteLength(body, 'utf8')
  const bytes = Buffer.allocUnsafe(head.length + size)
  bytes.write(head, 0, 'latin1')
  bytes.write(body, head.length, 'utf8')
  return bytes
}

const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Where the line that begins at `at` ends: at the next CR or LF, else at the end of the text. */
function lineEnd(text: string, at: number): number {
  const lf = text.indexOf('\n', at)
  const end = lf === -1 ? text.length : lf
  if (lf > at && text.charCodeAt(lf - 1) === 13 && text.indexOf('\r', at) === lf - 1) return lf - 1
  const cr = text.slice(at, end).indexOf('\r')
  return cr === -1 ? end : at + cr
}

const afterLine = (text: string, end: number): number =>
  text.charCodeAt(end) === 13 && text.charCodeAt(end + 1) === 10 ? end + 2 : end + 1

/** Whether a name stands between two places, in any case and with blanks around it. `wanted` is lower case. */
function isName(text: string, from: number, to: number, wanted: string): boolean {
  if (to - from !== wanted.length) {
    return to - from > wanted.length && trimBlanks(text.slice(from, to)).toLowerCase() === wanted
  }
  for (let at = 0; at < wanted.length; at++) {
    const code = text.charCodeAt(from + at)
    if (code !== wanted.charCodeAt(at) && (code < 65 || code > 90 || code + 32 !== wanted.charCodeAt(at))) return false
  }
  return true
}

function decodeAs(charset: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return Buffer.from(bytes).toString('latin1')
  }
}
