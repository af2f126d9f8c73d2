/** What those who live on a network have elsewhere: their accounts and whom these know. For the adapter of that network alone. */
import type { Accounts } from './accounts.ts'
import type { Account, AccountView, Adapter, ContactView, PeopleView } from './adapter.ts'
import type { Identity } from './identity.ts'
import type { AccountId, NetworkId, UserId } from './model/ids.ts'
import type { SessionState } from './model/result.ts'
import type { Contact, Roster } from './roster.ts'

export interface PeopleDeps {
  readonly networks: PeopleView['networks']
  readonly identity: Pick<Identity, 'account' | 'accountsOf' | 'personOf' | 'userOf' | 'usersOn'>
  readonly accounts: Pick<Accounts, 'isWanted' | 'originOf'>
  readonly roster: Pick<Roster, 'contact' | 'contacts' | 'own'>
  readonly adapters: ReadonlyMap<NetworkId, Pick<Adapter, 'role'>>
  readonly stateOf: (account: AccountId) => SessionState | undefined
  /** Which picture an account shows, in words. */
  readonly pictureOf: (account: AccountId) => string
}

export class NetworkPeople implements PeopleView {
  readonly networks: PeopleView['networks']
  readonly #network: NetworkId
  readonly #deps: PeopleDeps

  constructor(network: NetworkId, deps: PeopleDeps) {
    this.networks = deps.networks
    this.#network = network
    this.#deps = deps
  }

  accountsOf(owner: UserId): readonly AccountView[] {
    const { identity } = this.#deps
    const person = identity.personOf({ network: this.#network, user: owner })
    if (person === undefined) return []
    return identity.accountsOf(person).flatMap((account) => this.#account(account) ?? [])
  }

  contactsOf(account: AccountId): readonly ContactView[] {
    return this.#shows(account) ? this.#deps.roster.contacts(account).map(viewOf) : []
  }

  contact(account: AccountId, user: UserId): ContactView | undefined {
    const found = this.#shows(account) ? this.#deps.roster.contact(account, user) : undefined
    return found && viewOf(found)
  }

  /** The bots of the networks themselves have no contacts of anybody's. */
  #account({ id, network }: Account): AccountView | undefined {
    const { identity, accounts, adapters, stateOf } = this.#deps
    const login = identity.userOf(id)?.user
    const origin = accounts.originOf(id)
    if (login === undefined || origin === 'own' || adapters.get(network)?.role !== 'joins') return undefined
    const own = this.#deps.roster.own(id)
    return {
      id,
      network,
      login,
      state: stateOf(id) ?? { kind: 'offline' },
      wanted: accounts.isWanted(id),
      fixed: origin === 'config',
      picture: this.#deps.pictureOf(id),
      ...(own === undefined ? {} : { own }),
    }
  }

  /** Its owner lives here. */
  #shows(account: AccountId): boolean {
    const { identity } = this.#deps
    const owned = identity.account(account)
    if (owned === undefined || this.#account(owned) === undefined) return false
    return identity.usersOn(owned.person, this.#network).length > 0
  }
}

const viewOf = ({ user, name, nickname, listed, blocked, hasUs, groups, phones, presence }: Contact): ContactView => ({
  user,
  name,
  ...(nickname === undefined ? {} : { nickname }),
  listed,
  blocked,
  hasUs,
  ...(groups === undefined ? {} : { groups }),
  ...(phones === undefined ? {} : { phones }),
  ...(presence === undefined ? {} : { presence }),
})
