import type { AccountRecord, Host, SeenPresence } from './contract.ts'
import type { Online } from './online.ts'
import { visiblePhones } from './phones.ts'

/** Accounts known to have no phone numbers: SYN need not load them. */
export const MAX_PHONELESS = 50_000

/** Who is signed in, and the records behind: those of signed-in people in memory, others from the host. */
export class Accounts {
  readonly #host: Host
  readonly #online = new Map<string, Online>()
  readonly #phoneless = new Set<string>()

  constructor(host: Host) {
    this.#host = host
  }

  get size(): number {
    return this.#online.size
  }

  all(): Iterable<Online> {
    return this.#online.values()
  }

  online(email: string): Online | undefined {
    return this.#online.get(email)
  }

  enter(online: Online): void {
    this.#online.set(online.email, online)
  }

  /** Whether it was this session that was signed in. */
  leave(online: Online): boolean {
    return this.#online.get(online.email) === online && this.#online.delete(online.email)
  }

  /** undefined: there is no such account. Rejects when the store fails. */
  async read(email: string): Promise<AccountRecord | undefined> {
    const record = this.#online.get(email)?.record ?? (await this.#host.load(email))
    if (record !== undefined) this.#notePhones(record)
    return record
  }

  /** Writes all of them or none; what is in memory follows the disk. Rejects when the store fails. */
  async commit(records: readonly AccountRecord[]): Promise<void> {
    await this.#host.save(records)
    for (const record of records) {
      const online = this.#online.get(record.email)
      if (online !== undefined) online.record = record
      this.#notePhones(record)
    }
  }

  /** The record, if it may hold phone numbers; at once for those signed in or known to have none. */
  withPhones(email: string): AccountRecord | undefined | Promise<AccountRecord | undefined> {
    const online = this.#online.get(email)
    if (online !== undefined) return online.record
    return this.#phoneless.has(email) ? undefined : this.read(email)
  }

  /** Somebody came, changed or went: the host may want to know. */
  shows(seen: SeenPresence): void {
    this.#host.onPresence?.(seen)
  }

  /** The account was changed behind our back. */
  forget(email: string): void {
    this.#phoneless.delete(email)
  }

  #notePhones(record: AccountRecord): void {
    if (visiblePhones(record).length > 0) this.#phoneless.delete(record.email)
    else if (this.#phoneless.size < MAX_PHONELESS) this.#phoneless.add(record.email)
  }
}
