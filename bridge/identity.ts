/** Which users of which networks are our people. */
import type { Account, Adapter } from './adapter.ts'
import type { AccountId, NetworkId, PersonId, UserId, UserRef } from './model/ids.ts'
import type { IdentityRow, PersonRow, Store } from './store/port.ts'

export interface IdentityDeps {
  readonly store: Store
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  /** All accounts there are now: from the config and of the adapters themselves. */
  readonly accounts: () => readonly Account[]
  /** Who somebody is, or whose an account is, may have changed. */
  readonly changed?: () => void
}

const personKey = (person: PersonId, network: NetworkId): string => `${network}\n${person}`
const userKey = (user: UserRef): string => `${user.network}\n${user.user}`

export class Identity {
  readonly #deps: IdentityDeps
  readonly #people = new Map<PersonId, PersonRow>()
  readonly #linked = new Map<string, IdentityRow>()
  /** As the config says it: before what was linked by command, and gone when it is taken out there. */
  readonly #configured = new Map<string, IdentityRow>()
  #accounts = new Map<AccountId, Account>()
  #users = new Map<AccountId, UserRef>()
  #byUser = new Map<string, PersonId>()
  #byPerson = new Map<string, readonly UserId[]>()
  #owned = new Map<PersonId, readonly Account[]>()

  constructor(deps: IdentityDeps) {
    this.#deps = deps
  }

  /** `configured`: people of the config file; they are stored so that identities can refer to them. */
  async start(configured: readonly PersonRow[]): Promise<void> {
    const { store } = this.#deps
    await Promise.all(configured.map((person) => store.putPerson(person)))
    for (const person of await store.people()) this.#people.set(person.id, person)
    for (const identity of await store.identities()) this.#linked.set(userKey(identity.user), identity)
    this.refresh()
  }

  /** Users that the config gives to people. Each of those people is known. */
  configure(users: readonly IdentityRow[]): void {
    this.#configured.clear()
    for (const row of users) this.#configured.set(userKey(row.user), row)
    this.refresh()
  }

  /** Accounts were added or removed, or belong to somebody else now. */
  refresh(): void {
    this.#accounts = new Map(this.#deps.accounts().map((account) => [account.id, account]))
    this.#owned = Map.groupBy(this.#accounts.values(), ({ person }) => person)
    this.#users = new Map()
    this.#byUser = new Map()
    for (const account of this.#accounts.values()) {
      const user = this.#deps.adapters.get(account.network)?.parseUser(account.login)
      if (typeof user !== 'string') continue
      const ref: UserRef = { network: account.network, user }
      this.#users.set(account.id, ref)
      this.#byUser.set(userKey(ref), account.person)
    }
    this.#byPerson = new Map()
    const accounts = [...this.#users].map(([id, user]) => ({ user, person: this.#accounts.get(id)?.person }))
    // What people said of themselves counts more than an account.
    for (const { user, person } of [...this.identities(), ...accounts]) {
      const key = person === undefined ? undefined : personKey(person, user.network)
      const known = key === undefined ? undefined : (this.#byPerson.get(key) ?? [])
      if (key !== undefined && known?.includes(user.user) === false) this.#byPerson.set(key, [...known, user.user])
    }
    this.#deps.changed?.()
  }

  people(): readonly PersonRow[] {
    return [...this.#people.values()]
  }

  person(id: PersonId): PersonRow | undefined {
    return this.#people.get(id)
  }

  /** The config comes first, then what was linked by command, then whose account it is. */
  personOf(user: UserRef): PersonId | undefined {
    const key = userKey(user)
    return (this.#configured.get(key) ?? this.#linked.get(key))?.person ?? this.#byUser.get(key)
  }

  /** The config says who they are. */
  isConfigured(user: UserRef): boolean {
    return this.#configured.has(userKey(user))
  }

  /**
   * Whose are the accounts of somebody who was made a person by signing in: theirs, or those of the person that their user
   * was given to since.
   */
  ownerNow(person: PersonId): PersonId {
    const user = userOfPerson(person)
    const key = user === undefined ? '' : userKey(user)
    return (this.#configured.get(key) ?? this.#linked.get(key))?.person ?? person
  }

  /** Who they are there: as they linked themselves, or by an account. */
  userOn(person: PersonId, network: NetworkId): UserId | undefined {
    return this.usersOn(person, network)[0]
  }

  /** All that they are there. */
  usersOn(person: PersonId, network: NetworkId): readonly UserId[] {
    return this.#byPerson.get(personKey(person, network)) ?? []
  }

  account(id: AccountId): Account | undefined {
    return this.#accounts.get(id)
  }

  accountsOf(person: PersonId): readonly Account[] {
    return this.#owned.get(person) ?? []
  }

  accountsOn(network: NetworkId): readonly Account[] {
    return [...this.#accounts.values()].filter((account) => account.network === network)
  }

  /** The user that an account is on its network. */
  userOf(account: AccountId): UserRef | undefined {
    return this.#users.get(account)
  }

  /** One row for each user. */
  identities(): readonly IdentityRow[] {
    return [...new Map([...this.#linked, ...this.#configured]).values()]
  }

  /** The person that a user is; who is none yet becomes one of their own. */
  async become(user: UserRef, name: string): Promise<PersonId> {
    const known = this.personOf(user)
    if (known !== undefined) return known
    const person = personOfUser(user)
    await this.link(user, person, name)
    return person
  }

  /** Makes the person if there is none of that id. */
  async link(user: UserRef, person: PersonId, name: string = person): Promise<void> {
    const known = this.#people.get(person) ?? { id: person, name }
    await this.#deps.store.putPerson(known)
    await this.#deps.store.putIdentity({ user, person })
    this.#people.set(person, known)
    this.#linked.set(userKey(user), { user, person })
    this.refresh()
  }

  /** Who has signed in is the person again that they became by that: else nobody would own their accounts. */
  async unlink(user: UserRef): Promise<void> {
    const person = personOfUser(user)
    if (this.#people.has(person)) return this.link(user, person)
    await this.#deps.store.removeIdentity(user)
    this.#linked.delete(userKey(user))
    this.refresh()
  }
}

/** No person of the config has a colon in their id, so that nobody becomes one of them by their name. */
const personOfUser = ({ network, user }: UserRef): PersonId => `${network}:${user}` as PersonId

const userOfPerson = (person: PersonId): UserRef | undefined => {
  const end = person.indexOf(':')
  if (end < 0) return undefined
  return { network: person.slice(0, end) as NetworkId, user: person.slice(end + 1) as UserId }
}
