/** In one conversation nothing goes before what came earlier, also where that waits for a picture or is still being prepared. */

interface Queue {
  waiting: number
  order: Promise<void>
}

export class Behind<Key> {
  /** Only where something waits. */
  readonly #queues = new Map<Key, Queue>()

  /** How many wait there. */
  waiting(key: Key): number {
    return this.#queues.get(key)?.waiting ?? 0
  }

  /**
   * At once where nothing is waited for, and nothing that came before waits. What comes later waits for what `go` returns.
   * `value` must not reject.
   */
  inOrder<Value>(key: Key, value: Value | Promise<Value>, go: (value: Value) => Promise<void> | undefined): void {
    const earlier = this.#queues.get(key)
    if (earlier !== undefined || value instanceof Promise) {
      this.#wait(
        key,
        Promise.all([value, earlier?.order]).then(([ready]) => go(ready)),
      )
      return
    }
    const going = go(value)
    if (going !== undefined) this.#wait(key, going)
  }

  #wait(key: Key, work: Promise<void>): void {
    const queue = this.#queues.get(key) ?? { waiting: 0, order: work }
    this.#queues.set(key, queue)
    queue.waiting++
    const done = (): void => {
      if (--queue.waiting === 0) this.#queues.delete(key)
    }
    // Whatever went wrong with it: what comes behind it does not wait for ever.
    queue.order = work.then(done, done)
  }
}
