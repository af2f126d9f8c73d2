/** How the person looks to others: there while a client is attached, away as they say. */
import type { PresenceState } from '../../../bridge/model/presence.ts'
import { presenceOf } from './away-words.ts'
import { logged, type Self } from './types.ts'

const OFFLINE: PresenceState = { show: 'offline' }

export class OwnPresence {
  readonly #self: Self
  #words: string | undefined
  #accounts = 0

  constructor(self: Self) {
    this.#self = self
  }

  get words(): string | undefined {
    return this.#words
  }

  async setAway(words: string | undefined): Promise<void> {
    this.#words = words === '' ? undefined : words
    if (this.#self.clients.size > 0) await this.#tell(presenceOf(this.#words))
  }

  /** The first client came, or the last one went. */
  changed(): void {
    const state = this.#self.clients.size > 0 ? presenceOf(this.#words) : OFFLINE
    this.#tell(state).catch(logged(this.#self, 'a change of presence was lost'))
  }

  /** With their first account they become somebody whom the bridge knows: what was told before nobody has heard. */
  accountsChanged(): void {
    const { length } = this.#self.accounts()
    if (length > this.#accounts) this.changed()
    this.#accounts = length
  }

  #tell(state: PresenceState): Promise<void> {
    const { context, deps, user } = this.#self
    return context.emit({ kind: 'presence', account: deps.account, user: { network: deps.network, user }, state })
  }
}
