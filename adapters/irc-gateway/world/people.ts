/** The people of the gateway who are in memory: those with clients, and those to whom something happened lately. */
import type { PeopleNews } from '../../../bridge/adapter.ts'
import type { UserId } from '../../../bridge/model/ids.ts'
import { KIND } from './missed.ts'
import { Person } from './person.ts'
import { Shelf } from './shelf.ts'
import type { WorldOptions } from './types.ts'

/** People without clients who are kept in memory. */
export const MAX_IDLE = 200
/** Accounts that are asked at the start for what waits for them. */
export const MAX_RECALLED = 1_000
/** Whoever asked for somebody is done with them by then, or has attached a client. Milliseconds. */
export const IN_USE_MS = 60_000

/** For whom something is connected, or waits. */
export interface Waiting {
  readonly user: UserId
  readonly clients: number
  readonly missed: number
}

interface Live {
  readonly loading: Promise<Person>
  readonly shelf: Shelf
  person: Person | undefined
  /** When somebody asked for them. */
  asked: number
}

export class People {
  readonly #options: WorldOptions
  readonly #attended = new Map<UserId, Live>()
  /** The one that was needed longest ago first. */
  readonly #idle = new Map<UserId, Live>()
  /** What waits for those who are not in memory. */
  readonly #missed = new Map<UserId, number>()

  constructor(options: WorldOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#attended.size + this.#idle.size
  }

  /** Those with clients. */
  *attended(): Generator<Person> {
    for (const { person } of this.#attended.values()) if (person !== undefined) yield person
  }

  /** Those with clients, then those for whom something waits. */
  *waiting(): Generator<Waiting> {
    for (const { user, clients, missed } of this.attended()) yield { user, clients: clients.size, missed }
    for (const [user, { person }] of this.#idle) {
      const missed = person?.missed ?? this.#missed.get(user) ?? 0
      if (missed > 0) yield { user, clients: 0, missed }
    }
    for (const [user, missed] of this.#missed)
      if (!this.#idle.has(user) && !this.#attended.has(user)) yield { user, clients: 0, missed }
  }

  /** Finds out for whom something waits since the last run. */
  async recall(users: Iterable<UserId>): Promise<void> {
    let asked = 0
    for (const user of users) {
      if (++asked > MAX_RECALLED) return
      const missed = await new Shelf(this.#options.deps.context.state, user).count(KIND)
      if (missed > 0) this.#missed.set(user, missed)
    }
  }

  /** In memory right now. */
  live(user: UserId): Person | undefined {
    return (this.#attended.get(user) ?? this.#idle.get(user))?.person
  }

  /** The same for all who ask. Rejects when the store does not answer. */
  get(user: UserId): Promise<Person> {
    const now = this.#options.deps.context.clock.now()
    const attended = this.#attended.get(user)
    if (attended !== undefined) return attended.loading
    const idle = this.#idle.get(user)
    if (idle !== undefined) {
      this.#idle.delete(user)
      this.#idle.set(user, idle)
      idle.asked = now
      return idle.loading
    }
    const shelf = new Shelf(this.#options.deps.context.state, user)
    const live: Live = { loading: this.#load(user, shelf), shelf, person: undefined, asked: now }
    this.#idle.set(user, live)
    live.loading.then(
      (person) => {
        live.person = person
        this.#missed.delete(user)
      },
      () => {
        if (this.#idle.get(user) === live) this.#idle.delete(user)
      },
    )
    this.#makeRoom()
    return live.loading
  }

  peopleChanged(news: PeopleNews): void {
    this.live(news.owner)?.changed(news)
  }

  /** Their account is gone, and all that is kept of it. */
  async erase(user: UserId): Promise<void> {
    for (const live of [this.#attended.get(user), this.#idle.get(user)]) live?.shelf.close()
    this.#attended.delete(user)
    this.#idle.delete(user)
    this.#missed.delete(user)
    const shelf = new Shelf(this.#options.deps.context.state, user)
    await shelf.put(...(await shelf.list()).map(([key]) => [key, undefined] as const))
  }

  async #load(user: UserId, shelf: Shelf): Promise<Person> {
    return new Person({
      world: this.#options,
      user,
      shelf,
      rows: await shelf.list(),
      attended: (person) => this.#moved(person),
    })
  }

  #moved(person: Person): void {
    const { user, clients } = person
    const from = clients.size > 0 ? this.#idle : this.#attended
    const to = clients.size > 0 ? this.#attended : this.#idle
    const live = from.get(user)
    if (live?.person !== person) return
    from.delete(user)
    to.set(user, live)
    live.asked = this.#options.deps.context.clock.now()
    this.#makeRoom()
  }

  #makeRoom(): void {
    if (this.#idle.size <= MAX_IDLE) return
    const before = this.#options.deps.context.clock.now() - IN_USE_MS
    for (const [user, { person, asked }] of this.#idle) {
      // Those behind were asked for later.
      if (asked > before) return
      if (person === undefined || person.busy) continue
      this.#idle.delete(user)
      if (person.missed > 0) this.#missed.set(user, person.missed)
      if (this.#idle.size <= MAX_IDLE) return
    }
  }
}
