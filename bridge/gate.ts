/** Lets only so many through at once; the others wait in order. */
export class Gate {
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(width: number, maxWaiting: number = Number.POSITIVE_INFINITY) {
    this.#free = width
    this.#maxWaiting = maxWaiting
  }

  async through<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }

  /** undefined: too many wait already. */
  async ifRoom<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    return this.#free === 0 && this.#waiting.length >= this.#maxWaiting ? undefined : this.through(work)
  }
}
