/** The rows that are kept of one person, in the adapter's state. */
import type { AdapterState } from '../../../bridge/adapter.ts'
import type { UserId } from '../../../bridge/model/ids.ts'

/** In the order of their keys. */
export type Rows = readonly (readonly [key: string, value: string])[]

type Change = readonly [key: string, value: string | undefined]

export class Shelf {
  readonly #state: AdapterState
  readonly #prefix: string
  #closed = false

  constructor(state: AdapterState, user: UserId) {
    this.#state = state
    this.#prefix = `person/${encodeURIComponent(user)}/`
  }

  /** Nothing is kept any more: the account is gone. */
  close(): void {
    this.#closed = true
  }

  /** In the order of their keys. */
  async list(): Promise<Rows> {
    const rows = await this.#state.list(this.#prefix)
    return rows.map(([key, value]) => [key.slice(this.#prefix.length), value] as const)
  }

  /** How many rows of one kind there are. */
  async count(kind: string): Promise<number> {
    return (await this.#state.list(`${this.#prefix}${kind}/`)).length
  }

  /** Durable when it resolves. */
  put(...changes: readonly Change[]): Promise<void> {
    return changes.length === 0 || this.#closed
      ? Promise.resolve()
      : this.#state.update(changes.map(([key, value]) => [this.#prefix + key, value] as const))
  }
}

/** Rows of one kind, without its name. */
export const rowsOf = (rows: Rows, kind: string): Rows =>
  rows.flatMap(([key, value]) => (key.startsWith(`${kind}/`) ? [[key.slice(kind.length + 1), value] as const] : []))
