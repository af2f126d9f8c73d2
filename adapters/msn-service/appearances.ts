/** How those who are signed in to the service look to others: status, name, display picture, personal message. */
import type { UserId } from '../../bridge/model/ids.ts'
import type { SeenPresence } from '../../msnp/index.ts'

/**
 * In memory only, one for each session. What people write and play is theirs: it goes to nobody whom they block, and never
 * to a log.
 */
export class Appearances {
  readonly #seen = new Map<string, SeenPresence>()
  readonly #watchers = new Set<(seen: SeenPresence) => void>()

  take(seen: SeenPresence): void {
    if (seen.status === undefined) this.#seen.delete(seen.email)
    else this.#seen.set(seen.email, seen)
    for (const watcher of this.#watchers) watcher(seen)
  }

  /** undefined: offline, or hidden. */
  of(user: UserId): SeenPresence | undefined {
    return this.#seen.get(user)
  }

  /** Calls for each change from now on, until the returned function is called. The watcher never throws. */
  watch(watcher: (seen: SeenPresence) => void): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }
}
