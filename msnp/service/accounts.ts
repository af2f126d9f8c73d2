import type { AccountRecord, Host, Introduction, SeenPresence } from './contract.ts'
import type { Online } from './online.ts'
import { visiblePhones } from './phones.ts'

/** Accounts known to have no phone numbers: SYN need not load them. */
export const MAX_PHONELESS = 50_000

/**
 * Who is signed in, and the records behind: those of signed-in people in memory, others from the host. An account has at
 * most two sessions: that of a Messenger, and one beside it. Source: docs/protocol.md, A session beside the Messenger.
 */
export class Accounts {
  readonly #host: Host
  readonly #online = new Map<string, Online>()
  readonly #beside = new Map<string, Online>()
  /** The service itself: no session, and counted as none. */
  readonly #resident: Online | undefined
  readonly #phoneless = new Set<string>()

  constructor(host: Host, resident?: Online) {
    this.#host = host
    this.#resident = resident
  }

  get size(): number {
    return this.#online.size + this.#beside.size
  }

  *all(): Iterable<Online> {
    yield* this.#online.values()
    yield* this.#beside.values()
  }

  /** The session by which others see them: that of the Messenger as soon as it has said its status. */
  online(email: string): Online | undefined {
    if (email === this.#resident?.email) return this.#resident
    const messenger = this.#online.get(email)
    const beside = this.#beside.get(email)
    return messenger?.presence === undefined ? (beside ?? messenger) : messenger
  }

  session(email: string, beside: boolean): Online | undefined {
    return this.#of(beside).get(email)
  }

  /** All sessions of an account: what it is told, each is told. */
  sessions(email: string): readonly Online[] {
    const resident = email === this.#resident?.email ? this.#resident : undefined
    return [resident, this.#online.get(email), this.#beside.get(email)].filter((one) => one !== undefined)
  }

  enter(online: Online): void {
    this.#of(online.beside).set(online.email, online)
  }

  /** Whether it was this session that was signed in. */
  leave(online: Online): boolean {
    const sessions = this.#of(online.beside)
    return sessions.get(online.email) === online && sessions.delete(online.email)
  }

  /** undefined: there is no such account. Rejects when the store fails. */
  async read(email: string): Promise<AccountRecord | undefined> {
    const record = this.online(email)?.record ?? (await this.#host.load(email))
    if (record !== undefined) this.#notePhones(record)
    return record
  }

  /** Somebody is about to be put on a list. Rejects when the store fails. */
  introduce(by: string, email: string): Promise<Introduction> {
    return this.#host.introduce?.(by, email) ?? Promise.resolve('as-it-is')
  }

  /** Writes all of them or none; what is in memory follows the disk. Rejects when the store fails. */
  async commit(records: readonly AccountRecord[]): Promise<void> {
    await this.#host.save(records)
    for (const record of records) {
      for (const online of this.sessions(record.email)) online.record = record
      this.#notePhones(record)
    }
  }

  /** The record, if it may hold phone numbers; at once for those signed in or known to have none. */
  withPhones(email: string): AccountRecord | undefined | Promise<AccountRecord | undefined> {
    const online = this.online(email)
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

  #of(beside: boolean): Map<string, Online> {
    return beside ? this.#beside : this.#online
  }

  #notePhones(record: AccountRecord): void {
    if (visiblePhones(record).length > 0) this.#phoneless.delete(record.email)
    else if (this.#phoneless.size < MAX_PHONELESS) this.#phoneless.add(record.email)
  }
}
