/** Lines that were read and may not be acted on yet: people paste, and passwords take a while to check. */
import { TokenBucket } from '../../../sansio/rate.ts'
import type { ClientLine } from '../wire/line.ts'
import type { LineFault } from '../wire/reader.ts'
import type { IrcdLimits } from './ircd-events.ts'

/** A line, or what was wrong with one: that is answered in its turn, too. */
export type Read = ClientLine | Exclude<LineFault, 'endless'>

interface Waiting {
  readonly read: Read
  readonly bytes: number
}

export class LineQueue {
  readonly #limits: IrcdLimits
  readonly #rate: TokenBucket
  /** undefined: nothing, which is so nearly always. */
  #waiting: Waiting[] | undefined
  #bytes = 0

  constructor(limits: IrcdLimits, now: number) {
    this.#limits = limits
    this.#rate = new TokenBucket(limits.lineRate, now)
  }

  get isEmpty(): boolean {
    return this.#waiting === undefined
  }

  get bytes(): number {
    return this.#bytes
  }

  get isOverfull(): boolean {
    const { maxPendingLines, maxPendingBytes } = this.#limits
    return (this.#waiting?.length ?? 0) > maxPendingLines || this.#bytes > maxPendingBytes
  }

  /** Whether a line may be acted on now; it counts then. */
  admits(now: number): boolean {
    return this.#rate.take(now)
  }

  readyAt(now: number): number {
    return this.#rate.readyAt(now)
  }

  push(read: Read, bytes: number): void {
    const waiting = (this.#waiting ??= [])
    waiting.push({ read, bytes })
    this.#bytes += bytes
  }

  shift(): Read | undefined {
    const first = this.#waiting?.shift()
    if (this.#waiting?.length === 0) this.#waiting = undefined
    this.#bytes -= first?.bytes ?? 0
    return first?.read
  }

  clear(): void {
    this.#waiting = undefined
    this.#bytes = 0
  }
}
