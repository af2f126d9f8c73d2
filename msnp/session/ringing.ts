/** Invitations that may be ringing at once. */
export const MAX_RINGING = 100

interface Call {
  readonly id: number
  /** The address in lower case. */
  readonly key: string
  readonly deadline: number
}

/** Calls that the server has passed on (CAL RINGING) and whose people have not joined yet. */
export class Ringing {
  #calls: readonly Call[] = []

  get full(): boolean {
    return this.#calls.length >= MAX_RINGING
  }

  /** When to call `expire`; undefined: nothing rings. All calls ring equally long. */
  get wakeAt(): number | undefined {
    return this.#calls[0]?.deadline
  }

  add(id: number, key: string, deadline: number): void {
    this.#calls = [...this.#calls, { id, key, deadline }]
  }

  /** The ids of those that wait for this person. */
  answered(key: string): readonly number[] {
    return this.#take((call) => call.key === key)
  }

  /** The ids of those that rang too long. */
  expire(now: number): readonly number[] {
    return this.#take(({ deadline }) => deadline <= now)
  }

  #take(which: (call: Call) => boolean): readonly number[] {
    const taken = this.#calls.filter(which)
    if (taken.length > 0) this.#calls = this.#calls.filter((call) => !which(call))
    return taken.map(({ id }) => id)
  }
}
