/** The messages that we were told on one switchboard, and up to which all are stored. Source: docs/protocol.md, Confirmed receipt. */
export class Receipts {
  #received = 0
  /** All messages up to this ordinal are stored, */
  #confirmed = 0
  /** and these later ones. */
  readonly #stored = new Set<number>()

  /** The ordinal of a message that has come. */
  next(): number {
    return ++this.#received
  }

  /**
   * That message is stored. What CFM has to say now: it counts from the first on, so one that is stored before an earlier
   * one waits for that. undefined: nothing new.
   */
  stored(ordinal: number): number | undefined {
    if (ordinal <= this.#confirmed) return undefined
    this.#stored.add(ordinal)
    const before = this.#confirmed
    while (this.#stored.delete(this.#confirmed + 1)) this.#confirmed++
    return this.#confirmed > before ? this.#confirmed : undefined
  }
}

/** The service's end of it: how many messages a client was given, and up to which it has confirmed them. */
export class Given {
  #given = 0
  #confirmed = 0

  give(): void {
    this.#given++
  }

  /** That says something that was not known, about messages that there were. */
  isNew(count: number): boolean {
    return count > this.#confirmed && count <= this.#given
  }

  confirmed(count: number): void {
    if (this.isNew(count)) this.#confirmed = count
  }
}
