import { Buffer } from 'node:buffer'
import { ReceiveBuffer } from '../../sansio/bytes.ts'
import { MisuseError } from '../../sansio/machine.ts'
import { payloadRule, type Side } from './verbs.ts'

/** One command of the wire. */
export interface Frame {
  /** Upper case, as far as it is made of letters: `MSG`, `217`. */
  readonly verb: string
  /** Byte strings (one character a byte): names among them need `decodeName`. The payload's length is the last one. */
  readonly params: readonly string[]
  /** May share memory with the received chunk: copy it to keep it. */
  readonly payload?: Uint8Array
}

/** Why the stream cannot be read any further. `verb` is at most 16 characters; no parameter is ever told. */
export interface FrameFault {
  readonly fault: 'line-too-long' | 'payload-too-long' | 'bad-length'
  readonly verb: string
  readonly length: number
}

export interface FrameLimits {
  /** Bytes of a line without its end. */
  readonly line: number
  /** Bytes of a payload. */
  readonly payload: number
}

/** What we take from a server: no limit is documented, clients in the wild take 8 KiB lines. */
export const CLIENT_LIMITS: FrameLimits = { line: 64 * 1024, payload: 512 * 1024 }
/** What a service takes from a client. */
export const SERVER_LIMITS: FrameLimits = { line: 8 * 1024, payload: 64 * 1024 }

const LF = 10
const CR = 13
const LENGTH = /^\d{1,9}$/

/**
 * Cuts a stream of bytes into commands. `push` what has arrived, then call `next` until it gives undefined; then
 * `settle`. A line ends with CRLF or a bare LF; empty lines are skipped; runs of spaces count as one; what follows the
 * line end is the payload where the verb table says so. Source: docs/protocol.md, Framing.
 */
export class Framer {
  readonly #buffer = new ReceiveBuffer()
  readonly #side: Side
  readonly #limits: FrameLimits
  /** How far we have looked for a line end already. */
  #scanned = 0
  #pending: { readonly verb: string; readonly params: string[]; readonly length: number } | undefined
  #fault: FrameFault | undefined

  /** `side`: who sends what we read. */
  constructor(side: Side, limits: FrameLimits) {
    this.#side = side
    this.#limits = limits
  }

  push(bytes: Uint8Array): void {
    if (this.#fault === undefined) this.#buffer.push(bytes)
  }

  /** Call when `next` has given undefined, so that a rest does not pin a large chunk. */
  settle(): void {
    this.#buffer.settle()
  }

  /** Bytes that wait for more. */
  get waiting(): number {
    return this.#buffer.length
  }

  /** undefined: more bytes are needed. A fault stays. */
  next(): Frame | FrameFault | undefined {
    if (this.#fault !== undefined) return this.#fault
    if (this.#pending !== undefined) return this.#takePayload(this.#pending)
    for (;;) {
      const end = this.#buffer.indexOf(LF, this.#scanned)
      if (end === -1) {
        this.#scanned = this.#buffer.length
        if (this.#scanned > this.#limits.line + 1) return this.#fail('line-too-long', this.#verbSoFar(), this.#scanned)
        return undefined
      }
      this.#scanned = 0
      const length = end > 0 && this.#buffer.at(end - 1) === CR ? end - 1 : end
      if (length > this.#limits.line) return this.#fail('line-too-long', this.#verbSoFar(), length)
      const line = this.#buffer.takeString(length)
      this.#buffer.skip(end - length + 1)
      const words = split(line)
      const verb = words.shift()
      if (verb === undefined) continue
      return this.#command(verb, words)
    }
  }

  #command(word: string, params: string[]): Frame | FrameFault | undefined {
    const verb = word.length === 3 ? word.toUpperCase() : word
    const rule = payloadRule(verb, this.#side)
    if (rule === undefined) return { verb, params }
    const last = params.at(-1)
    if (last === undefined || !LENGTH.test(last)) {
      return rule === 'maybe' ? { verb, params } : this.#fail('bad-length', verb, last?.length ?? 0)
    }
    const length = Number(last)
    if (length > this.#limits.payload) return this.#fail('payload-too-long', verb, length)
    this.#pending = { verb, params, length }
    return this.#takePayload(this.#pending)
  }

  #takePayload(pending: {
    readonly verb: string
    readonly params: string[]
    readonly length: number
  }): Frame | undefined {
    if (this.#buffer.length < pending.length) return undefined
    this.#pending = undefined
    return { verb: pending.verb, params: pending.params, payload: this.#buffer.takeBytes(pending.length) }
  }

  #verbSoFar(): string {
    const verb = split(this.#buffer.takeString(Math.min(16, this.#buffer.length)))[0] ?? ''
    return /^[A-Za-z0-9]{3}$/.test(verb) ? verb.toUpperCase() : ''
  }

  #fail(fault: FrameFault['fault'], verb: string, length: number): FrameFault {
    this.#fault = { fault, verb: verb.slice(0, 16), length }
    this.#pending = undefined
    this.#buffer.clear()
    return this.#fault
  }
}

/** Words of a line, however many spaces (or a stray CR) stand between, before or after them. */
function split(line: string): string[] {
  const words = line.split(' ')
  return line.includes('  ') || line.endsWith(' ') || line.startsWith(' ') || line.includes('\r')
    ? line.split(/[ \r]+/).filter((word) => word !== '')
    : words.length === 1 && words[0] === ''
      ? []
      : words
}

/** Whether `next` gave a fault. */
export const isFault = (frame: Frame | FrameFault): frame is FrameFault => 'fault' in frame

const FORBIDDEN = /[ \r\n]|[^\x00-\xff]/

/**
 * The bytes of one command. Parameters are byte strings without space or line end (names through `encodeName`);
 * anything else is our own bug and throws. With a payload its length is added as the last parameter.
 */
export function encodeFrame(verb: string, params: readonly (string | number)[] = [], payload?: Uint8Array): Uint8Array {
  let line = verb
  for (const param of params) {
    if (typeof param === 'string' && (param === '' || FORBIDDEN.test(param))) {
      throw new MisuseError(`a parameter of ${verb} is empty or holds a space, a line end or a character beyond a byte`)
    }
    line += ` ${param}`
  }
  if (payload === undefined) return Buffer.from(`${line}\r\n`, 'latin1')
  line += ` ${payload.length}\r\n`
  const bytes = Buffer.allocUnsafe(line.length + payload.length)
  bytes.write(line, 0, 'latin1')
  bytes.set(payload, line.length)
  return bytes
}
