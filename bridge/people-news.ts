/** Tells the adapters of networks where people live what changes in their contact lists elsewhere. */
import type { Accounts } from './accounts.ts'
import type { Adapter, Logger, PeopleNews } from './adapter.ts'
import type { Identity } from './identity.ts'
import type { AccountId, NetworkId, UserId } from './model/ids.ts'

export interface PeopleWatchDeps {
  readonly identity: Pick<Identity, 'account' | 'usersOn'>
  readonly accounts: Pick<Accounts, 'all' | 'isWanted' | 'originOf'>
  readonly adapters: ReadonlyMap<NetworkId, Pick<Adapter, 'network' | 'peopleChanged'>>
  readonly log: Logger
}

/** What was told last of an account: somebody who owns it no more must hear so. */
interface Known {
  readonly owners: readonly Owner[]
  readonly wanted: boolean
}

interface Owner {
  readonly network: NetworkId
  readonly user: UserId
}

export class PeopleWatch {
  readonly #deps: PeopleWatchDeps
  readonly #shown: readonly NetworkId[]
  #known = new Map<AccountId, Known>()

  constructor(deps: PeopleWatchDeps) {
    this.#deps = deps
    this.#shown = [...deps.adapters.values()]
      .filter(({ peopleChanged }) => peopleChanged !== undefined)
      .map(({ network }) => network)
  }

  /** Accounts came, went, are wanted or not, or belong to somebody else. */
  ownersChanged(): void {
    if (this.#shown.length === 0) return
    const before = this.#known
    this.#known = new Map(
      this.#deps.accounts
        .all()
        .filter(({ id }) => this.#deps.accounts.originOf(id) !== 'own')
        .map(({ id }) => [id, { owners: this.#ownersOf(id), wanted: this.#deps.accounts.isWanted(id) }]),
    )
    for (const account of new Set([...before.keys(), ...this.#known.keys()])) {
      const was = before.get(account)
      const is = this.#known.get(account)
      const all = new Map([...(was?.owners ?? []), ...(is?.owners ?? [])].map((owner) => [keyOf(owner), owner]))
      for (const owner of all.values())
        if (was?.wanted !== is?.wanted || !isOf(owner, was) || !isOf(owner, is))
          this.#tell(owner.network, { kind: 'account', owner: owner.user, account })
    }
  }

  sessionChanged(account: AccountId): void {
    for (const { network, user } of this.#ownersOf(account))
      this.#tell(network, { kind: 'account', owner: user, account })
  }

  /** `user`: absent where it is the whole list. */
  rosterChanged(account: AccountId, user?: UserId): void {
    for (const { network, user: owner } of this.#ownersOf(account))
      this.#tell(
        network,
        user === undefined ? { kind: 'contacts', owner, account } : { kind: 'contact', owner, account, user },
      )
  }

  #ownersOf(id: AccountId): readonly Owner[] {
    const { identity } = this.#deps
    const person = this.#shown.length === 0 ? undefined : identity.account(id)?.person
    if (person === undefined) return []
    return this.#shown.flatMap((network) => identity.usersOn(person, network).map((user) => ({ network, user })))
  }

  #tell(network: NetworkId, news: PeopleNews): void {
    try {
      this.#deps.adapters.get(network)?.peopleChanged?.(news)
    } catch (error) {
      this.#deps.log.error(
        { network, account: news.account, error: String(error) },
        'an adapter broke the contract of peopleChanged',
      )
    }
  }
}

const keyOf = ({ network, user }: Owner): string => `${network}\n${user}`

const isOf = (owner: Owner, known: Known | undefined): boolean =>
  known?.owners.some((one) => keyOf(one) === keyOf(owner)) === true
