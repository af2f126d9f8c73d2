/** How available we look on one network follows the networks that it is linked with: nobody there to read, then we are away. */
import type { Clock } from './adapter.ts'
import type { AccountId } from './model/ids.ts'
import type { Availability } from './model/presence.ts'
import type { SessionState } from './model/result.ts'

export interface OwnStatusDeps {
  readonly clock: Clock
  /** Accounts on the other legs of all that is linked through this account. */
  readonly linkedWith: (account: AccountId) => readonly AccountId[]
  readonly accounts: () => readonly AccountId[]
  readonly isOnline: (account: AccountId) => boolean
  readonly set: (account: AccountId, show: Availability) => void
}

/** A short absence of the other side is not shown. */
const AWAY_AFTER_MS = 5_000

/** Pure. `undefined`: nothing is linked, so the status is left alone. */
export const ownStatus = (linked: readonly AccountId[], isOnline: (account: AccountId) => boolean) =>
  linked.length === 0 ? undefined : linked.some(isOnline) ? 'online' : 'away'

export class OwnStatus {
  readonly #deps: OwnStatusDeps
  readonly #shown = new Map<AccountId, Availability>()
  #later: AbortController | undefined
  #waiting: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(deps: OwnStatusDeps) {
    this.#deps = deps
  }

  /** A session came or went, or the links changed. */
  changed(state?: SessionState): void {
    if (this.#stopped) return
    this.#apply('online')
    if (state?.kind === 'connecting' || this.#later !== undefined) return
    const later = new AbortController()
    this.#later = later
    this.#waiting = this.#deps.clock.sleep(AWAY_AFTER_MS, later.signal).then(() => {
      this.#later = undefined
      if (!later.signal.aborted) this.#apply('away')
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#later?.abort()
    await this.#waiting
  }

  #apply(show: 'online' | 'away'): void {
    for (const account of this.#deps.accounts()) {
      if (ownStatus(this.#deps.linkedWith(account), this.#deps.isOnline) !== show) continue
      if (this.#shown.get(account) === show) continue
      this.#shown.set(account, show)
      this.#deps.set(account, show)
    }
  }
}
