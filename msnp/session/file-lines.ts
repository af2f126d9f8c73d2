/** What sender and receiver of a file have in common: lines, codes, patience. Source: docs/protocol.md, File transfer. */
import { Buffer } from 'node:buffer'
import type { ReceiveBuffer } from '../../sansio/bytes.ts'
import type { CloseReason, Output } from '../../sansio/machine.ts'

/** A longer line is no MSNFTP. Bytes. */
export const MAX_FILE_LINE_BYTES = 512
/** Bytes of file in one block. */
export const BLOCK_BYTES = 2_045

/** How a transfer ended, as BYE says it. */
export const BYE = {
  received: 16_777_989,
  sent: 16_777_987,
  refused: 2_147_942_405,
  receiverCancelled: 2_164_261_682,
  senderCancelled: 2_164_261_683,
  timedOut: 2_164_261_694,
} as const

/** Milliseconds. */
export interface FileTimings {
  /** From the connection to the first byte of the file. */
  readonly handshakeMs: number
  /** Nothing moves. */
  readonly idleMs: number
  /** All of it. */
  readonly totalMs: number
}

export const DEFAULT_FILE_TIMINGS: FileTimings = { handshakeMs: 20_000, idleMs: 60_000, totalMs: 60 * 60_000 }

export type Line =
  | { readonly kind: 'line'; readonly words: readonly string[] }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'too-long' }

/** The next line, without its end, in words. */
export function takeLine(buffer: ReceiveBuffer): Line {
  const end = buffer.indexOf(0x0a)
  if (end > MAX_FILE_LINE_BYTES || (end === -1 && buffer.length > MAX_FILE_LINE_BYTES)) return { kind: 'too-long' }
  if (end === -1) return { kind: 'incomplete' }
  const text = Buffer.from(buffer.takeBytes(end + 1)).toString('latin1')
  return { kind: 'line', words: text.trim().split(/ +/) }
}

export const lineBytes = (text: string): Output<never> => ({
  kind: 'write',
  bytes: Buffer.from(`${text}\r\n`, 'latin1'),
})

export const closing = (reason: CloseReason): Output<never> => ({ kind: 'close', reason })

export const violation = (detail: string): Output<never> => closing({ kind: 'peer-violation', detail })

/** The deadlines of one transfer. */
export class FileClock {
  readonly #timings: FileTimings
  readonly #started: number
  #moved: number
  #isMoving = false

  constructor(timings: FileTimings, now: number) {
    this.#timings = timings
    this.#started = now
    this.#moved = now
  }

  get wakeAt(): number {
    const { handshakeMs, idleMs, totalMs } = this.#timings
    return Math.min(this.#moved + (this.#isMoving ? idleMs : handshakeMs), this.#started + totalMs)
  }

  moved(now: number): void {
    this.#isMoving = true
    this.#moved = now
  }

  late(now: number): Output<never> | undefined {
    if (now < this.wakeAt) return undefined
    const waitingFor = this.#isMoving ? 'the file to move' : 'the handshake'
    return closing({ kind: 'timeout', waitingFor })
  }
}
