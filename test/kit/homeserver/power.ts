/** Who may do what in a room: `m.room.power_levels`, and the creators of room version 12 who stand above it. */
export type Content = Readonly<Record<string, unknown>>

/** Versions 12 and later: ids without a domain, creators above all levels. */
export const hasCreators = (version: string): boolean => Number(version) >= 12

/** What a new room begins with. `creator` is a user of it only where creators have no power of their own. */
export const firstLevels = (version: string, creator: string, preset: string): Content => ({
  users: hasCreators(version) ? {} : { [creator]: 100 },
  users_default: 0,
  events: {
    'm.room.name': 50,
    'm.room.power_levels': 100,
    'm.room.history_visibility': 100,
    'm.room.canonical_alias': 50,
    'm.room.avatar': 50,
    'm.room.tombstone': hasCreators(version) ? 150 : 100,
    'm.room.server_acl': 100,
    'm.room.encryption': 100,
  },
  events_default: 0,
  state_default: 50,
  ban: 50,
  kick: 50,
  redact: 50,
  invite: preset === 'public_chat' ? 50 : 0,
  historical: 100,
})

const number = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise)
const table = (value: unknown): Content => (typeof value === 'object' && value !== null ? (value as Content) : {})

export class Power {
  readonly #levels: Content
  readonly #creators: ReadonlySet<string>

  /** `creators` is empty where creators have no power of their own. */
  constructor(levels: Content, creators: ReadonlySet<string>) {
    this.#levels = levels
    this.#creators = creators
  }

  of(user: string): number {
    if (this.#creators.has(user)) return Infinity
    return number(table(this.#levels['users'])[user], number(this.#levels['users_default'], 0))
  }

  /** What it takes to `ban`, `kick`, `redact`, `invite`. */
  to(action: 'ban' | 'kick' | 'redact' | 'invite'): number {
    return number(this.#levels[action], action === 'invite' ? 0 : 50)
  }

  toSend(type: string, isState: boolean): number {
    const otherwise = isState ? number(this.#levels['state_default'], 50) : number(this.#levels['events_default'], 0)
    return number(table(this.#levels['events'])[type], otherwise)
  }

  /** What is wrong with new levels by `sender`; undefined: nothing. */
  wrongWith(levels: Content, sender: string): { readonly status: 400 | 403; readonly words: string } | undefined {
    const users = table(levels['users'])
    for (const creator of this.#creators)
      if (creator in users) return { status: 400, words: `Creator user ${creator} must not appear in content.users` }
    const own = this.of(sender)
    const before = table(this.#levels['users'])
    for (const user of new Set([...Object.keys(users), ...Object.keys(before)])) {
      const [old, next] = [number(before[user], 0), number(users[user], 0)]
      if (old === next) continue
      if (Math.max(old, next) > own || (old === own && user !== sender))
        return { status: 403, words: "You don't have permission to add ops level greater than your own" }
    }
    return undefined
  }
}
