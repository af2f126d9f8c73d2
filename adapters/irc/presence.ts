/**
 * Who came and went, gathered and told in one line: somebody whose line flaps is not mentioned twice, and somebody who
 * was back before the line was said is not mentioned at all. Time is an argument.
 */
import type { Availability, PresenceState } from '../../bridge/model/presence.ts'
import { quietName } from './highlight.ts'

/** People whose last known state is kept. */
export const MAX_PEOPLE = 2_000
/** People that one digest names; the rest is a number. */
export const MAX_NAMED = 30

const WORDS: Readonly<Record<Availability, string>> = {
  online: 'online',
  idle: 'idle',
  away: 'away',
  brb: 'right back',
  busy: 'busy',
  phone: 'on the phone',
  lunch: 'out to lunch',
  hidden: 'offline',
  offline: 'offline',
}

export class PresenceDigest {
  readonly #quietMs: number
  /** What has been told; who is not in it counts as offline. */
  readonly #told = new Map<string, string>()
  readonly #news = new Map<string, { readonly name: string; readonly word: string }>()
  #since: number | undefined

  constructor(quietMs: number) {
    this.#quietMs = quietMs
  }

  /** `who`: somebody may be called differently in a lobby and in a group, and is one person all the same. */
  note(name: string, state: PresenceState, now: number, who = name): void {
    const word = WORDS[state.show]
    if (word === (this.#told.get(who) ?? WORDS.offline)) this.#news.delete(who)
    else if (this.#news.size < MAX_PEOPLE) this.#news.set(who, { name, word })
    if (this.#news.size === 0) this.#since = undefined
    else this.#since ??= now
  }

  /** When there will be something to tell. */
  get dueAt(): number | undefined {
    return this.#since === undefined ? undefined : this.#since + this.#quietMs
  }

  /** "online: alice, bob · away: carol", once. */
  take(now: number): string | undefined {
    if (this.dueAt === undefined || this.dueAt > now) return undefined
    const groups = new Map<string, string[]>()
    let unnamed = 0
    let named = 0
    for (const [who, { name, word }] of this.#news) {
      this.#remember(who, word)
      if (++named > MAX_NAMED) unnamed++
      else groups.set(word, [...(groups.get(word) ?? []), quietName(name)])
    }
    this.#news.clear()
    this.#since = undefined
    const parts = [...groups].map(([word, names]) => `${word}: ${names.join(', ')}`)
    return [...parts, ...(unnamed === 0 ? [] : [`and ${unnamed} more`])].join(' · ')
  }

  #remember(who: string, word: string): void {
    this.#told.delete(who)
    if (word === WORDS.offline) return
    this.#told.set(who, word)
    if (this.#told.size <= MAX_PEOPLE) return
    const [oldest] = this.#told.keys()
    if (oldest !== undefined) this.#told.delete(oldest)
  }
}
