import type { CloseReason, Output } from '../../sansio/machine.ts'
import { CLIENT_LIMITS, encodeFrame, Framer, isFault, type Frame, type FrameLimits } from '../wire/frame.ts'
import { Requests } from './requests.ts'

/**
 * The line of a client's machine to its server: frames in, commands and events out, requests with their deadlines, and
 * one end. What the frames mean is the machine's business.
 */
export class ClientLine<Event, What> {
  readonly requests: Requests<What>
  /** Lines that nobody had a use for, and lines of a known verb that lack what they must have. */
  unknownLines = 0
  malformedLines = 0
  /** Milliseconds: the time of the call that is being worked on. */
  now = 0
  readonly #framer: Framer
  #outputs: Output<Event>[] = []
  #closed = false

  constructor(firstTrid = 1, limits: FrameLimits = CLIENT_LIMITS) {
    this.requests = new Requests(firstTrid)
    this.#framer = new Framer('server', limits)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** All complete frames of what has arrived, one by one, until the line is closed. null: end of stream. */
  read(bytes: Uint8Array | null, now: number, handle: (frame: Frame) => void): readonly Output<Event>[] {
    if (this.#closed) return []
    this.now = now
    if (bytes === null) {
      this.finish({ kind: 'lost', detail: 'ended by the server' })
      return this.flush()
    }
    this.#framer.push(bytes)
    while (!this.closed) {
      const frame = this.#framer.next()
      if (frame === undefined) break
      if (isFault(frame)) {
        const at = { verb: frame.verb, length: frame.length }
        this.finish({ kind: 'peer-violation', detail: frame.fault, at })
      } else handle(frame)
    }
    this.#framer.settle()
    return this.flush()
  }

  /** Writes a command that gets an answer within `timeoutMs`; gives its transaction id. */
  ask(verb: string, params: readonly (string | number)[], what: What, timeoutMs: number, payload?: Uint8Array): number {
    const trid = this.requests.open(verb, this.now + timeoutMs, what)
    this.say(verb, [trid, ...params], payload)
    return trid
  }

  /** Writes a command that gets none. */
  say(verb: string, params: readonly (string | number)[] = [], payload?: Uint8Array): void {
    if (!this.#closed) this.#outputs.push({ kind: 'write', bytes: encodeFrame(verb, params, payload) })
  }

  emit(event: Event): void {
    if (!this.#closed) this.#outputs.push({ kind: 'event', event })
  }

  finish(reason: CloseReason): void {
    if (this.#closed) return
    this.#outputs.push({ kind: 'close', reason })
    this.#closed = true
  }

  /** A line that we cannot go on without is not what it must be. */
  violation(detail: string, frame: Frame): void {
    const length = frame.params.reduce((sum, param) => sum + param.length + 1, frame.verb.length)
    this.finish({ kind: 'peer-violation', detail, at: { verb: frame.verb.slice(0, 16), length } })
  }

  /** What the machine gives back to who called it. */
  flush(): readonly Output<Event>[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }
}
