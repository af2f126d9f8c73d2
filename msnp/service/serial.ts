/**
 * Tasks that share a key run one after the other, in the order in which they came; others run side by side. A task
 * takes its place under all its keys at once, so that no two can wait for each other.
 */
export class Serial {
  /** The last task under each key; no entry, nobody at work. */
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs at once when nobody is before it, else later. The task reports its own failures: it never rejects. */
  run(keys: readonly string[], task: () => Promise<void> | undefined): void {
    const before = keys.flatMap((key) => this.#tails.get(key) ?? [])
    if (before.length > 0) this.#follow(keys, Promise.all(before).then(task))
    else {
      const running = task()
      if (running !== undefined) this.#follow(keys, running)
    }
  }

  /** Resolves when nobody is at work. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values())
  }

  #follow(keys: readonly string[], running: Promise<void>): void {
    const tail = running.then(() => {
      for (const key of keys) if (this.#tails.get(key) === tail) this.#tails.delete(key)
    })
    for (const key of keys) this.#tails.set(key, tail)
  }
}
