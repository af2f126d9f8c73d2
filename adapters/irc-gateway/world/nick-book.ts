/** Who is called what, of one person: a contact keeps their nick over restarts, and no two share one. */
import type { AccountId, UserId } from '../../../bridge/model/ids.ts'
import type { ContactKey } from '../types.ts'
import { contactId } from './chats.ts'
import { foldNick, freeNick } from './nicks.ts'
import type { Shelf } from './shelf.ts'

export interface Known {
  readonly key: ContactKey
  readonly nick: string
  /** By `rename`: no other name of theirs changes it. */
  readonly named: boolean
}

export interface NickBookOptions {
  readonly shelf: Pick<Shelf, 'put'>
  /** Rows of the kind `nick`. */
  readonly rows: readonly (readonly [account: string, value: string])[]
  /** The person's own nick, and root's. */
  readonly isReserved: (folded: string) => boolean
  /** They are on a contact list of the person's. */
  readonly isListed: (key: ContactKey) => boolean
  readonly failed: (error: unknown) => void
}

const KIND = 'nick'
/** Nicks that are kept of one person; past it the oldest goes that a stranger has, whom the person gave none. */
export const MAX_NICKS = 5_000

type Row = Readonly<Record<string, string | readonly [nick: string, named: 1]>>

export class NickBook {
  readonly #options: NickBookOptions
  readonly #known = new Map<string, Known>()
  readonly #byNick = new Map<string, Known>()
  readonly #dirty = new Set<AccountId>()
  #flushing: Promise<void> | undefined

  constructor(options: NickBookOptions) {
    this.#options = options
    for (const [account, value] of options.rows)
      for (const [user, kept] of Object.entries(JSON.parse(value) as Row)) {
        const key = { account: decodeURIComponent(account) as AccountId, user: user as UserId }
        this.#put({ key, nick: typeof kept === 'string' ? kept : kept[0], named: typeof kept !== 'string' })
      }
  }

  all(): Iterable<Known> {
    return this.#known.values()
  }

  get(key: ContactKey): Known | undefined {
    return this.#known.get(contactId(key))
  }

  byNick(nick: string): Known | undefined {
    return this.#byNick.get(foldNick(nick))
  }

  /** As they are called, or from now on: as `wanted` says, or nearly so. */
  ensure(key: ContactKey, wanted: () => string): Known {
    return this.get(key) ?? this.#give(key, freeNick(wanted(), this.#isTaken), false)
  }

  /** Another nick, made anew; undefined: it stays. */
  remake(key: ContactKey, wanted: string): Known | undefined {
    const known = this.get(key)
    if (known === undefined || known.named) return undefined
    const own = foldNick(known.nick)
    const nick = freeNick(wanted, (folded) => folded !== own && this.#isTaken(folded))
    return nick === known.nick ? undefined : this.#give(key, nick, false)
  }

  /** By the person. Durable when it resolves; undefined: somebody else has that nick. */
  async rename(key: ContactKey, nick: string): Promise<Known | undefined> {
    const before = this.get(key)
    const folded = foldNick(nick)
    const isOwn = before !== undefined && foldNick(before.nick) === folded
    if (!isOwn && this.#isTaken(folded)) return undefined
    const known = this.#give(key, nick, true)
    await this.#flushing
    return known
  }

  /** As if they had never been called otherwise. Durable when it resolves. */
  async unname(key: ContactKey, wanted: string): Promise<Known> {
    const before = this.get(key)
    const own = before && foldNick(before.nick)
    const known = this.#give(
      key,
      freeNick(wanted, (folded) => folded !== own && this.#isTaken(folded)),
      false,
    )
    await this.#flushing
    return known
  }

  /** The person took this nick for themselves: whoever had it is called otherwise. */
  yield(nick: string): Known | undefined {
    const known = this.byNick(nick)
    return known === undefined ? undefined : this.#give(known.key, freeNick(known.nick, this.#isTaken), known.named)
  }

  /** The account is theirs no more. */
  forget(account: AccountId): void {
    for (const known of [...this.#known.values()]) if (known.key.account === account) this.#drop(known)
  }

  readonly #isTaken = (folded: string): boolean => this.#byNick.has(folded) || this.#options.isReserved(folded)

  #give(key: ContactKey, nick: string, named: boolean): Known {
    const known: Known = { key, nick, named }
    this.#put(known)
    if (this.#known.size > MAX_NICKS) this.#makeRoom(known)
    this.#changed(key.account)
    return known
  }

  #makeRoom(latest: Known): void {
    let oldest: Known | undefined
    for (const known of this.#known.values()) {
      if (known === latest) continue
      oldest ??= known
      if (known.named || this.#options.isListed(known.key)) continue
      this.#drop(known)
      return
    }
    if (oldest !== undefined) this.#drop(oldest)
  }

  #put(known: Known): void {
    const id = contactId(known.key)
    const before = this.#known.get(id)
    if (before !== undefined) this.#byNick.delete(foldNick(before.nick))
    this.#known.set(id, known)
    this.#byNick.set(foldNick(known.nick), known)
  }

  #drop(known: Known): void {
    this.#known.delete(contactId(known.key))
    this.#byNick.delete(foldNick(known.nick))
    this.#changed(known.key.account)
  }

  /** All that changes in one turn is one write. */
  #changed(account: AccountId): void {
    this.#dirty.add(account)
    this.#flushing ??= Promise.resolve().then(() => this.#flush())
    this.#flushing.catch(this.#options.failed)
  }

  async #flush(): Promise<void> {
    this.#flushing = undefined
    const accounts = new Map<AccountId, Record<string, Row[string]>>([...this.#dirty].map((account) => [account, {}]))
    this.#dirty.clear()
    for (const { key, nick, named } of this.#known.values()) {
      const row = accounts.get(key.account)
      if (row !== undefined) row[key.user] = named ? [nick, 1] : nick
    }
    await this.#options.shelf.put(
      ...[...accounts].map(
        ([account, row]) =>
          [
            `${KIND}/${encodeURIComponent(account)}`,
            Object.keys(row).length === 0 ? undefined : JSON.stringify(row),
          ] as const,
      ),
    )
  }
}
