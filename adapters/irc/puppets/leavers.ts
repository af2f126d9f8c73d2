/** Who left the network, as far as we see: a person whom a netsplit took away is given time to come back. Time is an argument. */
import type { IrcMessage } from 'irc-framework'

/** `QUIT :hub.example leaf.example`, or `*.net *.split` where servers keep their names to themselves. */
const NETSPLIT = /^(?:[\w*-]+\.)+[\w*-]+ (?:[\w*-]+\.)+[\w*-]+$/

/** Whether these words of a QUIT are those of a server that lost another one. */
export const isNetsplit = (reason: string): boolean => NETSPLIT.test(reason)

/** People who may be behind a split at once; further ones count as gone. */
const MAX_SPLIT = 10_000

export class Leavers {
  readonly #graceMs: number
  readonly #split = new Map<string, { readonly nick: string; readonly mask: string; readonly at: number }>()

  constructor(graceMs: number) {
    this.#graceMs = graceMs
  }

  /** The nick of whoever is gone now, if somebody is. */
  message(message: IrcMessage, fold: (nick: string) => string, now: number): string | undefined {
    const { command, nick, params } = message
    switch (command) {
      case 'JOIN': {
        const known = this.#split.get(fold(nick))
        this.#split.delete(fold(nick))
        // While somebody is behind a split, their nick is anybody's.
        return known === undefined || known.mask === maskOf(message) ? undefined : nick
      }
      // Under another name they are nobody whom we know.
      case 'NICK':
        return nick
      case 'QUIT':
        if (!isNetsplit(params.at(-1) ?? '') || this.#split.size >= MAX_SPLIT) return nick
        this.#split.set(fold(nick), { nick, mask: maskOf(message), at: now })
        return undefined
      default:
        return undefined
    }
  }

  /** Those who did not come back in time. */
  due(now: number): readonly string[] {
    const gone: string[] = []
    for (const [key, { nick, at }] of this.#split) {
      if (now - at < this.#graceMs) break
      this.#split.delete(key)
      gone.push(nick)
    }
    return gone
  }
}

const maskOf = ({ ident, hostname }: IrcMessage): string => `${ident}@${hostname}`
