/**
 * How available we look on one network. What a person pinned comes first; then how they are seen where they live; for
 * accounts of nobody who lives elsewhere, whether there is anybody on the networks that they are linked with.
 */
import type { Clock, Logger } from './adapter.ts'
import type { AccountId, NetworkId, PersonId, UserRef } from './model/ids.ts'
import type { Availability, PresenceState } from './model/presence.ts'
import type { SessionState } from './model/result.ts'
import { moreAvailable } from './roster.ts'

export interface OwnStatusDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly accounts: () => readonly OwnAccount[]
  /** Accounts on the other legs of all that is linked through this account. */
  readonly linkedWith: (account: AccountId) => readonly AccountId[]
  readonly isOnline: (account: AccountId) => boolean
  /** Networks where a person lives, as far as they tell who is there. */
  readonly livesOn: (person: PersonId) => readonly NetworkId[]
  /** How somebody looks elsewhere who is not there on that network. */
  readonly offlineAs: (network: NetworkId) => 'away' | 'hidden'
  readonly set: (account: AccountId, state: PresenceState) => void
  /** Small facts about accounts that outlive a restart. */
  readonly facts: (account: AccountId) => Promise<ReadonlyMap<string, string>>
  readonly setFact: (account: AccountId, key: string, value: string | undefined) => Promise<void>
}

export interface OwnAccount {
  readonly id: AccountId
  readonly network: NetworkId
  readonly person: PersonId
}

/** A short absence of the other side is not shown. */
const AWAY_AFTER_MS = 5_000
/** People, and places where one of them is seen, that are remembered; past it the oldest is forgotten. */
const PEOPLE_LIMIT = 20_000
const PLACES_LIMIT = 20
const PINNED = 'status.pinned'

/** Pure. `undefined`: nothing is linked, so the status is left alone. */
export const ownStatus = (linked: readonly AccountId[], isOnline: (account: AccountId) => boolean) =>
  linked.length === 0 ? undefined : linked.some(isOnline) ? 'online' : 'away'

/** Where somebody is seen. */
export interface Sighting {
  readonly network: NetworkId
  readonly state: PresenceState
}

/**
 * Pure. As they are where they are most available. Nobody is shown as there because the bridge is: whom no network sees is
 * away, or what `offlineAs` says of the network that does not see them.
 */
export const seenStatus = (
  sightings: readonly Sighting[],
  offlineAs: (network: NetworkId) => 'away' | 'hidden',
): PresenceState => {
  const [best] = sightings.toSorted((a, b) => moreAvailable(a.state, b.state))
  if (best === undefined) return { show: 'away' }
  if (best.state.show !== 'offline') return best.state
  // Who wants to be hidden while they are away from one network is seen as away while they are away from another.
  return { ...best.state, show: sightings.every(({ network }) => offlineAs(network) === 'hidden') ? 'hidden' : 'away' }
}

export class OwnStatus {
  readonly #deps: OwnStatusDeps
  readonly #shown = new Map<AccountId, string>()
  /** Absent: not read from the store yet. */
  readonly #pins = new Map<AccountId, PresenceState | undefined>()
  readonly #reading = new Set<AccountId>()
  readonly #people = new Map<PersonId, Map<string, Sighting>>()
  #later: AbortController | undefined
  #waiting: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(deps: OwnStatusDeps) {
    this.#deps = deps
  }

  /** Reads what was pinned, so that nobody is shown otherwise for a moment. */
  async start(): Promise<void> {
    await Promise.all(this.#deps.accounts().map(({ id }) => this.#read(id)))
    this.changed()
  }

  /** A session came or went, or accounts or links changed. */
  changed(state?: SessionState): void {
    if (this.#stopped) return
    this.#apply(false)
    if (state?.kind === 'connecting' || this.#later !== undefined) return
    const later = new AbortController()
    this.#later = later
    this.#waiting = this.#deps.clock.sleep(AWAY_AFTER_MS, later.signal).then(() => {
      this.#later = undefined
      if (!later.signal.aborted) this.#apply(true)
    })
  }

  /** One of our people is seen on a network, by others than the bridge. */
  seen(person: PersonId, user: UserRef, state: PresenceState): void {
    if (this.#stopped) return
    const places = this.#people.get(person) ?? new Map<string, Sighting>()
    this.#people.delete(person)
    places.delete(placeKey(user))
    makeRoom(this.#people, PEOPLE_LIMIT)
    makeRoom(places, PLACES_LIMIT)
    this.#people.set(person, places.set(placeKey(user), { network: user.network, state }))
    for (const account of this.#deps.accounts()) if (account.person === person) this.#one(account, true)
  }

  /** How an account appears, whatever its owner does elsewhere; `undefined`: as they do. Resolves when it is on disk. */
  async pin(account: AccountId, state: PresenceState | undefined): Promise<void> {
    await this.#deps.setFact(account, PINNED, state === undefined ? undefined : JSON.stringify(state))
    this.#pins.set(account, state)
    const own = this.#deps.accounts().find(({ id }) => id === account)
    if (own !== undefined) this.#one(own, true)
  }

  pinned(account: AccountId): PresenceState | undefined {
    return this.#pins.get(account)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#later?.abort()
    await this.#waiting
  }

  /** `lasting`: what the links say of absence has lasted a while. */
  #apply(lasting: boolean): void {
    const accounts = this.#deps.accounts()
    for (const account of accounts) this.#one(account, lasting)
    const known = new Set(accounts.map(({ id }) => id))
    for (const id of this.#shown.keys()) if (!known.has(id)) this.#forget(id)
  }

  /** Another account of that id begins anew. */
  #forget(account: AccountId): void {
    this.#shown.delete(account)
    this.#pins.delete(account)
  }

  #one(account: OwnAccount, lasting: boolean): void {
    const { id } = account
    if (!this.#pins.has(id)) {
      if (!this.#reading.has(id)) void this.#read(id).then(() => this.#one(account, lasting))
      return
    }
    const state = this.#pins.get(id) ?? this.#seen(account) ?? this.#linked(id, lasting)
    if (state === undefined || this.#stopped) return
    const words = JSON.stringify(state)
    if (this.#shown.get(id) === words) return
    this.#shown.set(id, words)
    this.#deps.set(id, state)
  }

  /** `undefined`: their owner lives nowhere else, or nobody tells whether they are there. */
  #seen({ person, network }: OwnAccount): PresenceState | undefined {
    const { livesOn, offlineAs } = this.#deps
    const sightings = [...(this.#people.get(person)?.values() ?? [])].filter((one) => one.network !== network)
    if (sightings.length === 0 && !livesOn(person).some((home) => home !== network)) return undefined
    return seenStatus(sightings, offlineAs)
  }

  #linked(account: AccountId, lasting: boolean): PresenceState | undefined {
    const show: Availability | undefined = ownStatus(this.#deps.linkedWith(account), this.#deps.isOnline)
    return show === undefined || (show === 'away' && !lasting) ? undefined : { show }
  }

  async #read(account: AccountId): Promise<void> {
    if (this.#pins.has(account) || this.#reading.has(account)) return
    this.#reading.add(account)
    try {
      const fact = (await this.#deps.facts(account)).get(PINNED)
      // It may have been pinned meanwhile.
      if (!this.#pins.has(account))
        this.#pins.set(account, fact === undefined ? undefined : (JSON.parse(fact) as PresenceState))
    } catch (error) {
      this.#deps.log.warn({ account, error: String(error) }, 'whether a status is pinned could not be read')
      this.#pins.set(account, undefined)
    } finally {
      this.#reading.delete(account)
    }
  }
}

const placeKey = ({ network, user }: UserRef): string => `${network}\n${user}`

const makeRoom = <Key>(map: Map<Key, unknown>, limit: number): void => {
  const [oldest] = map.keys()
  if (oldest !== undefined && map.size >= limit) map.delete(oldest)
}
