/** All accounts there are: of the config, the adapters' own, and those that people signed in with by command. */
import type { Account, Clock } from './adapter.ts'
import type { AccountId, NetworkId, PersonId, UserId } from './model/ids.ts'
import type { Fault } from './model/result.ts'
import type { SecretBox } from './secrets.ts'
import type { AccountRow, Store } from './store/port.ts'

export interface AccountsDeps {
  readonly store: Pick<Store, 'signedIn' | 'putAccount' | 'removeAccount' | 'accountFacts' | 'setAccountFact'>
  readonly clock: Clock
  readonly box: SecretBox
  readonly configured: readonly Account[]
  /** The adapters' own: the bot of an IRC network, the service account on a homeserver. */
  readonly own: readonly Account[]
  /** To whom the accounts of this person belong now: a person made by `login` may have been given to another since. */
  readonly ownerOf: (person: PersonId) => PersonId
}

/** config: from the config file. own: the adapter brings it. signed-in: a person did, by command. */
export type AccountOrigin = 'config' | 'own' | 'signed-in'

/** `gone`: it is there no more. */
type Listener = (gone: AccountId | undefined) => void

/** The fact by which an account of the config is kept away after `disconnect`. */
const UNWANTED = 'disconnected'

export class Accounts {
  readonly #deps: AccountsDeps
  readonly #fixed: ReadonlyMap<AccountId, Account>
  readonly #ownIds: ReadonlySet<AccountId>
  readonly #rows = new Map<AccountId, AccountRow>()
  readonly #accounts = new Map<AccountId, Account>()
  /** Of the config, but not to be connected. */
  readonly #unwanted = new Set<AccountId>()
  readonly #listeners = new Set<Listener>()
  #all: readonly Account[]

  constructor(deps: AccountsDeps) {
    this.#deps = deps
    this.#ownIds = new Set(deps.own.map(({ id }) => id))
    this.#fixed = new Map([...deps.configured, ...deps.own].map((account) => [account.id, account]))
    this.#all = [...this.#fixed.values()]
  }

  /** Answers sentences for the log: stored accounts that cannot be used. */
  async start(): Promise<readonly string[]> {
    const { store, configured, box } = this.#deps
    for (const { id } of configured) if ((await store.accountFacts(id)).has(UNWANTED)) this.#unwanted.add(id)
    const problems: string[] = []
    for (const row of await store.signedIn()) {
      const twin = this.#configured(row.network, row.login)
      if (twin !== undefined) {
        problems.push(`${row.id} is not used: the config signs in with the same address, as ${twin.id}`)
        continue
      }
      this.#take(row)
      if (box.open(row.secret, row.id) === undefined) problems.push(`${row.id}: ${unreadable(box)}`)
    }
    this.#changed()
    return problems
  }

  all(): readonly Account[] {
    return this.#all
  }

  get(id: AccountId): Account | undefined {
    return this.#accounts.get(id) ?? this.#fixed.get(id)
  }

  /** By the address on its network. */
  find(network: NetworkId, user: UserId): Account | undefined {
    return this.#accounts.get(signedInId(network, user)) ?? this.#configured(network, user)
  }

  originOf(id: AccountId): AccountOrigin | undefined {
    if (this.#rows.has(id)) return 'signed-in'
    if (this.#ownIds.has(id)) return 'own'
    return this.#fixed.has(id) ? 'config' : undefined
  }

  /** Whether it is to be connected: nobody has disconnected it. */
  isWanted(id: AccountId): boolean {
    return this.#rows.get(id)?.wanted ?? !this.#unwanted.has(id)
  }

  /** Why there is no use in connecting it: its password cannot be read. */
  obstacle(id: AccountId): Fault | undefined {
    const row = this.#rows.get(id)
    if (row === undefined || this.#deps.box.open(row.secret, id) !== undefined) return undefined
    return { code: 'bad-credentials', detail: unreadable(this.#deps.box) }
  }

  /**
   * Stores an account, or a new password for it. Resolves when it is on disk, with what brings back how it was before;
   * or a sentence why it cannot be kept.
   */
  async put(
    account: { readonly network: NetworkId; readonly person: PersonId; readonly user: UserId },
    password: string,
  ): Promise<{ readonly account: Account; readonly undo: () => Promise<void> } | { readonly wrong: string }> {
    const { network, person, user } = account
    const { box, clock, store } = this.#deps
    const id = signedInId(network, user)
    const secret = box.seal(password, id)
    if (secret === undefined) return { wrong: box.trouble ?? 'there is no key to keep passwords with' }
    const before = this.#rows.get(id)
    const row: AccountRow = {
      id,
      network,
      person: before?.person ?? person,
      login: user,
      secret,
      wanted: true,
      createdAt: before?.createdAt ?? clock.now(),
    }
    await store.putAccount(row)
    const added = this.#take(row)
    if (before?.wanted !== true) this.#changed()
    return {
      account: added,
      undo: async () => {
        if (before === undefined) return this.remove(id)
        // It was logged out meanwhile.
        if (!this.#rows.has(id)) return
        await store.putAccount(before)
        this.#take(before)
        if (!before.wanted) this.#changed()
      },
    }
  }

  /** Those of the config and of the adapters stay. */
  async remove(id: AccountId): Promise<void> {
    if (!this.#rows.has(id)) return
    await this.#deps.store.removeAccount(id)
    this.#rows.delete(id)
    this.#accounts.delete(id)
    this.#changed(id)
  }

  async setWanted(id: AccountId, wanted: boolean): Promise<void> {
    if (this.isWanted(id) === wanted) return
    const row = this.#rows.get(id)
    if (row !== undefined) {
      await this.#deps.store.putAccount({ ...row, wanted })
      this.#rows.set(id, { ...row, wanted })
    } else {
      await this.#deps.store.setAccountFact(id, UNWANTED, wanted ? undefined : 'yes')
      if (wanted) this.#unwanted.delete(id)
      else this.#unwanted.add(id)
    }
    this.#changed()
  }

  /** Calls back whenever one was added or removed, or is wanted now or no more; returns what ends that. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #configured(network: NetworkId, login: string): Account | undefined {
    const wanted = login.toLowerCase()
    return this.#deps.configured.find((one) => one.network === network && one.login.toLowerCase() === wanted)
  }

  /** Sessions keep the account that they were made with: so person and password are asked for anew each time. */
  #take(row: AccountRow): Account {
    this.#rows.set(row.id, row)
    const known = this.#accounts.get(row.id)
    if (known !== undefined) return known
    const account = liveAccount(row, {
      person: () => this.#deps.ownerOf(this.#rows.get(row.id)?.person ?? row.person),
      secret: () => this.#deps.box.open(this.#rows.get(row.id)?.secret ?? '', row.id) ?? '',
    })
    this.#accounts.set(row.id, account)
    return account
  }

  #changed(gone?: AccountId): void {
    this.#all = [...this.#fixed.values(), ...this.#accounts.values()]
    for (const listener of this.#listeners) listener(gone)
  }
}

/** As it is typed in commands. No id of the config has a colon. */
const signedInId = (network: NetworkId, user: UserId): AccountId => `${network}:${user}` as AccountId

const liveAccount = (
  { id, network, login }: AccountRow,
  now: { readonly person: () => PersonId; readonly secret: () => string },
): Account => ({
  id,
  network,
  login,
  get person() {
    return now.person()
  },
  get secret() {
    return now.secret()
  },
})

const unreadable = ({ trouble }: SecretBox): string =>
  trouble === undefined
    ? 'its stored password was sealed with another key: bring secret.key (or the key of the config) back, or log in again'
    : `its stored password cannot be read: ${trouble}; mend that and restart, or log in again`
