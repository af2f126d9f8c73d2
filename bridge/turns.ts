/** Keeps what happens in one place in order, though some of it has to look something up first. */
export class Turns {
  /** The last thing of a place that had to look something up: later ones of that place wait for it. */
  readonly #tails = new Map<string, Promise<unknown>>()

  /**
   * What needs no lookup is issued at once, unless it is behind something that does. What follows may be issued as soon
   * as this one has been, before it is done.
   */
  take<Found, Outcome>(
    place: string,
    look: () => Found | Promise<Found>,
    issue: (found: Found) => Promise<Outcome>,
  ): Promise<Outcome> {
    const tail = this.#tails.get(place)
    const found = tail === undefined ? look() : tail.then(look)
    if (!(found instanceof Promise)) return issue(found)
    const issued = found.then((ready) => ({ outcome: issue(ready) }))
    const ended = issued.then(
      () => undefined,
      () => undefined,
    )
    this.#tails.set(place, ended)
    void ended.then(() => {
      if (this.#tails.get(place) === ended) this.#tails.delete(place)
    })
    return issued.then(({ outcome }) => outcome)
  }
}
