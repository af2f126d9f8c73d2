/** Commands that may wait for an answer at once on one connection; more are refused. */
export const MAX_REQUESTS = 1_000
const MAX_TRID = 0xffff_ffff

/** A command that waits for its answer. `what`: whatever the machine needs to know when it comes. */
export interface Request<What> {
  readonly trid: number
  readonly verb: string
  /** Milliseconds on the machine's clock. */
  readonly deadline: number
  readonly what: What
}

/**
 * Transaction id -> who waits, until when. Ids count up from 1 and never are 0, which servers use for lines that nobody
 * asked for. Answers may come in any order. Source: docs/protocol.md, Transaction ids.
 */
export class Requests<What> {
  readonly #waiting = new Map<number, Request<What>>()
  #next: number
  /** Never later than the first deadline; may be earlier, since answers do not move it. */
  #earliest = Infinity

  constructor(first = 1) {
    this.#next = first
  }

  get size(): number {
    return this.#waiting.size
  }

  get full(): boolean {
    return this.#waiting.size >= MAX_REQUESTS
  }

  /** The id that the next `open` will give. */
  get next(): number {
    return this.#next
  }

  /** When to call `expire`; undefined: nothing waits. */
  get wakeAt(): number | undefined {
    return this.#waiting.size === 0 ? undefined : this.#earliest
  }

  open(verb: string, deadline: number, what: What): number {
    const trid = this.#next
    this.#next = trid >= MAX_TRID ? 1 : trid + 1
    if (this.#waiting.size === 0) this.#earliest = deadline
    else this.#earliest = Math.min(this.#earliest, deadline)
    this.#waiting.set(trid, { trid, verb, deadline, what })
    return trid
  }

  /** The request that a line answers, by its first word; it no longer waits. */
  take(word: string | undefined): Request<What> | undefined {
    const request = this.find(word)
    if (request !== undefined) this.#waiting.delete(request.trid)
    return request
  }

  /** As `take`, but it goes on waiting: the first of several answers. */
  find(word: string | undefined): Request<What> | undefined {
    return word === undefined || !/^\d{1,10}$/.test(word) ? undefined : this.#waiting.get(Number(word))
  }

  /** As `take`, for a line that must answer `verb`. */
  takeFor(verb: string, word: string | undefined): Request<What> | undefined {
    const request = this.find(word)
    if (request?.verb !== verb) return undefined
    this.#waiting.delete(request.trid)
    return request
  }

  /** The one request that waits, if it is only one: some early errors carry no id. */
  takeOnly(): Request<What> | undefined {
    if (this.#waiting.size !== 1) return undefined
    const [request] = this.#waiting.values()
    this.#waiting.clear()
    return request
  }

  drop(trid: number): void {
    this.#waiting.delete(trid)
  }

  /** It waits until then at most. */
  hasten(trid: number, deadline: number): void {
    const request = this.#waiting.get(trid)
    if (request === undefined || request.deadline <= deadline) return
    this.#waiting.set(trid, { ...request, deadline })
    this.#earliest = Math.min(this.#earliest, deadline)
  }

  /** In the order of their ids. */
  *[Symbol.iterator](): Iterator<Request<What>> {
    yield* this.#waiting.values()
  }

  /** Those whose time is up; they no longer wait. */
  expire(now: number): readonly Request<What>[] {
    if (now < this.#earliest) return []
    const over: Request<What>[] = []
    let earliest = Infinity
    for (const request of this.#waiting.values()) {
      if (request.deadline <= now) over.push(request)
      else earliest = Math.min(earliest, request.deadline)
    }
    for (const { trid } of over) this.#waiting.delete(trid)
    this.#earliest = earliest
    return over
  }
}
