/** How often somebody may try a wrong password. */

/** Accounts and addresses that are watched; beyond it the oldest is forgotten. */
export const MAX_WATCHED = 100_000

export interface GuessRule {
  /** Wrong passwords of one account, or from one address, before it must wait. */
  readonly failures: number
  /** From the first wrong one; what is counted within it is forgotten with it. Milliseconds. */
  readonly windowMs: number
}

interface Count {
  readonly until: number
  failures: number
}

/**
 * Counts wrong passwords per account, per address and for both together. An account at an address from which it signed
 * in before is held up only by what was tried for it there: nobody is locked out by a stranger elsewhere, nor by one who
 * comes from the same address, as everybody does behind a proxy.
 */
export class GuessThrottle {
  readonly #rule: GuessRule
  readonly #accounts = new Map<string, Count>()
  readonly #addresses = new Map<string, Count>()
  readonly #pairs = new Map<string, Count>()
  readonly #known = new Set<string>()

  constructor(rule: GuessRule) {
    this.#rule = rule
  }

  /** Whether this sign-in must wait. */
  holds(account: string, address: string, now: number): boolean {
    const both = pair(account, address)
    if (this.#known.has(both)) return this.#isFull(this.#pairs, both, now)
    return this.#isFull(this.#addresses, address, now) || this.#isFull(this.#accounts, account, now)
  }

  failed(account: string, address: string, now: number): void {
    this.#note(this.#accounts, account, now)
    this.#note(this.#addresses, address, now)
    this.#note(this.#pairs, pair(account, address), now)
  }

  succeeded(account: string, address: string): void {
    const key = pair(account, address)
    this.#accounts.delete(account)
    this.#pairs.delete(key)
    this.#known.delete(key)
    makeRoom(this.#known)
    this.#known.add(key)
  }

  /** The account is gone or has a new password. */
  forget(account: string): void {
    this.#accounts.delete(account)
    for (const key of this.#known) if (key.startsWith(`${account} `)) this.#known.delete(key)
    for (const key of this.#pairs.keys()) if (key.startsWith(`${account} `)) this.#pairs.delete(key)
  }

  #isFull(counts: Map<string, Count>, key: string, now: number): boolean {
    const count = counts.get(key)
    if (count === undefined) return false
    if (count.until > now) return count.failures >= this.#rule.failures
    counts.delete(key)
    return false
  }

  #note(counts: Map<string, Count>, key: string, now: number): void {
    const count = counts.get(key)
    if (count !== undefined && count.until > now) {
      count.failures++
      return
    }
    counts.delete(key)
    makeRoom(counts)
    counts.set(key, { until: now + this.#rule.windowMs, failures: 1 })
  }
}

const pair = (account: string, address: string): string => `${account} ${address}`

function makeRoom(collection: { readonly size: number; keys(): Iterable<string>; delete(key: string): boolean }): void {
  if (collection.size < MAX_WATCHED) return
  for (const oldest of collection.keys()) {
    collection.delete(oldest)
    return
  }
}
