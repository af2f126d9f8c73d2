/** Lines that are said shortly after each other become one message: the setting `paste_buffer`. */
import type { Clock } from '../../../bridge/adapter.ts'
import type { RichText } from '../../../bridge/model/text.ts'
import type { SayResult } from '../types.ts'

/** Lines of one message; with more it goes out at once. */
export const MAX_LINES = 200

interface Buffer {
  readonly lines: RichText[]
  readonly answers: ((result: Promise<SayResult>) => void)[]
  readonly send: (text: RichText) => Promise<SayResult>
  later: AbortController
}

export class Paste {
  readonly #clock: Clock
  readonly #buffers = new Map<string, Buffer>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get busy(): boolean {
    return this.#buffers.size > 0
  }

  /** All lines of one message have the answer of the message. The first says how it is sent. */
  add(to: string, line: RichText, delayMs: number, send: Buffer['send']): Promise<SayResult> {
    return new Promise((resolve) => {
      const buffer = this.#buffers.get(to) ?? { lines: [], answers: [], send, later: new AbortController() }
      this.#buffers.set(to, buffer)
      buffer.lines.push(line)
      buffer.answers.push(resolve)
      buffer.later.abort()
      if (buffer.lines.length >= MAX_LINES) {
        this.flush(to)
        return
      }
      const later = new AbortController()
      buffer.later = later
      void this.#clock.sleep(delayMs, later.signal).then(() => {
        if (!later.signal.aborted) this.flush(to)
      })
    })
  }

  /** Something else is said there: it must not overtake. */
  flush(to: string): void {
    const buffer = this.#buffers.get(to)
    if (buffer === undefined) return
    this.#buffers.delete(to)
    buffer.later.abort()
    const text = buffer.lines.flatMap((line, index) => (index === 0 ? line : [{ text: '\n' }, ...line]))
    const result = buffer.send(text)
    for (const answer of buffer.answers) answer(result)
  }

  flushAll(): void {
    for (const to of [...this.#buffers.keys()]) this.flush(to)
  }
}
