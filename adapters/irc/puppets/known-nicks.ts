/** Which nick belongs to whom, for good: kept by address in the adapter's state. */
import type { AdapterState } from '../../../bridge/adapter.ts'
import { fold } from '../../../irc/casemap.ts'
import { LEAST_NICK_LENGTH, lengthOf, type Named, nicksFor, type NickRules } from './nicks.ts'

const KEY = 'puppet/'
/** Further people get a nick that is good until the next start. */
export const MAX_KNOWN = 20_000

export class KnownNicks {
  readonly #state: AdapterState
  readonly #template: string
  readonly #nicks = new Map<string, string>()
  /** Whose a nick is, by the nick as the strictest servers fold it. */
  readonly #owners = new Map<string, string>()

  constructor(state: AdapterState, template: string) {
    this.#state = state
    this.#template = template
  }

  async load(): Promise<void> {
    for (const [key, nick] of await this.#state.list(KEY)) this.#set(key.slice(KEY.length), nick)
  }

  /** Theirs, or one that is made now, and what to try when it is taken. `reserved`: nicks that are ours for other things. */
  async of(
    key: string,
    who: Named,
    rules: NickRules,
    reserved: readonly string[],
    anew = false,
  ): Promise<readonly [string, ...string[]]> {
    const known = this.#nicks.get(key)
    const others = nicksFor(this.#template, who, rules, (folded) => {
      const owner = this.#owners.get(strict(folded))
      return (owner !== undefined && owner !== key) || reserved.some((nick) => fold(nick, rules.mapping) === folded)
    })
    // What the server cuts off would be another nick.
    if (known !== undefined && !anew && lengthOf(known) <= Math.max(rules.length, LEAST_NICK_LENGTH))
      return [known, ...others.filter((nick) => strict(nick) !== strict(known))]
    const [made] = others
    if (made !== known) {
      if (this.#nicks.has(key) || this.#nicks.size < MAX_KNOWN) this.#set(key, made)
      await this.#state.update([[KEY + key, this.#nicks.get(key)]])
    }
    return others
  }

  #set(key: string, nick: string): void {
    const before = this.#nicks.get(key)
    if (before !== undefined) this.#owners.delete(strict(before))
    this.#nicks.set(key, nick)
    this.#owners.set(strict(nick), key)
  }
}

/** Two nicks that any server takes for the same are the same. */
const strict = (nick: string): string => fold(nick, 'rfc1459')
