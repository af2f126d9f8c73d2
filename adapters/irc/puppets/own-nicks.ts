/** Nicks that connections of ours have, or had until a moment ago: what is said under them comes from us. Time is an argument. */

/** What somebody said last may still be on its way to the bot, and nobody else gets their nick for so long, unless the bot sees it leave. */
export const NICK_LEAVES_MS = 60_000

/** All nicks are folded as the server folds them. */
export class OwnNicks<Owner> {
  readonly #nicks = new Map<Owner, string>()
  /** How many of ours have it. A connection that ended may still be known beside the one that took its place. */
  readonly #holders = new Map<string, number>()
  readonly #leaving = new Map<string, number>()

  has(nick: string, now: number): boolean {
    return this.#holders.has(nick) || (this.#leaving.get(nick) ?? 0) > now
  }

  /** This is what they are called now. */
  called(owner: Owner, nick: string, now: number): void {
    if (this.#nicks.get(owner) === nick) return
    this.left(owner, now)
    this.#hold(owner, nick)
  }

  left(owner: Owner, now: number): void {
    const nick = this.#drop(owner)
    if (nick !== undefined) this.#leaving.set(nick, now + NICK_LEAVES_MS)
  }

  /** The bot sees the change; whose connection it is may hear of it later. */
  seenRenamed(from: string, to: string, now: number): void {
    this.#leaving.delete(from)
    const [owner] = [...this.#nicks].find(([, nick]) => nick === from) ?? []
    if (owner === undefined) this.#leaving.set(to, now + NICK_LEAVES_MS)
    else {
      this.#drop(owner)
      this.#hold(owner, to)
    }
  }

  /** The bot sees it go. */
  seenGone(nick: string): void {
    this.#leaving.delete(nick)
  }

  tend(now: number): void {
    for (const [nick, until] of this.#leaving) if (until <= now) this.#leaving.delete(nick)
  }

  #hold(owner: Owner, nick: string): void {
    this.#nicks.set(owner, nick)
    this.#holders.set(nick, (this.#holders.get(nick) ?? 0) + 1)
  }

  #drop(owner: Owner): string | undefined {
    const nick = this.#nicks.get(owner)
    if (nick === undefined) return undefined
    this.#nicks.delete(owner)
    const others = (this.#holders.get(nick) ?? 0) - 1
    if (others > 0) this.#holders.set(nick, others)
    else this.#holders.delete(nick)
    return nick
  }
}
