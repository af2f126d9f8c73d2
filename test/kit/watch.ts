/** For tests that wait until something has happened: whoever changes something says so. */
export class Watch {
  readonly #looks = new Set<() => void>()

  /** Everybody who waits looks again. */
  changed(): void {
    for (const look of [...this.#looks]) look()
  }

  /** Resolves with the first defined answer, asked again after each change. The test's own time limit is the deadline. */
  until<Result>(ask: () => Result | undefined | false): Promise<Result> {
    return new Promise((resolve) => {
      const look = (): void => {
        const answer = ask()
        if (answer === undefined || answer === false) return
        this.#looks.delete(look)
        resolve(answer)
      }
      this.#looks.add(look)
      look()
    })
  }
}
