/** Which users of which networks are our people. */
import type { Account, Adapter } from './adapter.ts'
import type { AccountId, NetworkId, PersonId, UserId, UserRef } from './model/ids.ts'
import type { IdentityRow, PersonRow, Store } from './store/port.ts'

export interface IdentityDeps {
  readonly store: Store
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  /** All accounts there are now: from the config and of the adapters themselves. */
  readonly accounts: () => readonly Account[]
}

const userKey = (user: UserRef): string => `${user.network}\n${user.user}`

export class Identity {
  readonly #deps: IdentityDeps
  readonly #people = new Map<PersonId, PersonRow>()
  readonly #linked = new Map<string, IdentityRow>()
  #accounts = new Map<AccountId, Account>()
  #users = new Map<AccountId, UserRef>()
  #byUser = new Map<string, PersonId>()

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

  /** Accounts were added or removed. */
  refresh(): void {
    this.#accounts = new Map(this.#deps.accounts().map((account) => [account.id, account]))
    this.#users = new Map()
    this.#byUser = new Map()
    for (const account of this.#accounts.values()) {
      const user = this.#deps.adapters.get(account.network)?.parseUser(account.login)
      if (typeof user !== 'string') continue
      const ref: UserRef = { network: account.network, user }
      this.#users.set(account.id, ref)
      this.#byUser.set(userKey(ref), account.person)
    }
  }

  people(): readonly PersonRow[] {
    return [...this.#people.values()]
  }

  person(id: PersonId): PersonRow | undefined {
    return this.#people.get(id)
  }

  /** What a person linked themselves comes before whose account it is. */
  personOf(user: UserRef): PersonId | undefined {
    const key = userKey(user)
    return this.#linked.get(key)?.person ?? this.#byUser.get(key)
  }

  /** Who they are there: as they linked themselves, or by an account. */
  userOn(person: PersonId, network: NetworkId): UserId | undefined {
    for (const { user, person: owner } of this.#linked.values())
      if (owner === person && user.network === network) return user.user
    for (const [account, user] of this.#users)
      if (user.network === network && this.#accounts.get(account)?.person === person) return user.user
    return undefined
  }

  account(id: AccountId): Account | undefined {
    return this.#accounts.get(id)
  }

  accountsOf(person: PersonId): readonly Account[] {
    return [...this.#accounts.values()].filter((account) => account.person === person)
  }

  accountsOn(network: NetworkId): readonly Account[] {
    return [...this.#accounts.values()].filter((account) => account.network === network)
  }

  /** The user that an account is on its network. */
  userOf(account: AccountId): UserRef | undefined {
    return this.#users.get(account)
  }

  identities(): readonly IdentityRow[] {
    return [...this.#linked.values()]
  }

  /** Makes the person if there is none of that id. */
  async link(user: UserRef, person: PersonId): Promise<void> {
    const known = this.#people.get(person) ?? { id: person, name: person }
    await this.#deps.store.putPerson(known)
    await this.#deps.store.putIdentity({ user, person })
    this.#people.set(person, known)
    this.#linked.set(userKey(user), { user, person })
  }

  async unlink(user: UserRef): Promise<void> {
    await this.#deps.store.removeIdentity(user)
    this.#linked.delete(userKey(user))
  }
}
