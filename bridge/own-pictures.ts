/** What our people look like where they live, carried to their accounts elsewhere. */
import type { Account, Clock, Logger, Session } from './adapter.ts'
import type { Identity } from './identity.ts'
import type { FileRef } from './model/body.ts'
import type { AccountId, PersonId, UserRef } from './model/ids.ts'

export interface OwnPicturesDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly identity: Pick<Identity, 'personOf'>
  readonly accounts: () => readonly Account[]
  readonly sessionOf: (account: AccountId) => Session | undefined
}

/** Pictures of people that are remembered; past it the oldest is forgotten. */
export const PICTURES_LIMIT = 5_000
/** A network has so long to take one. Milliseconds. */
const TAKE_MS = 60_000

interface Seen {
  readonly user: UserRef
  readonly picture: FileRef | null
}

export class OwnPictures {
  readonly #deps: OwnPicturesDeps
  readonly #seen = new Map<string, Seen>()
  /** What each account was given last: `ref` of the picture, or nothing. */
  readonly #given = new Map<AccountId, string>()

  constructor(deps: OwnPicturesDeps) {
    this.#deps = deps
  }

  /** Somebody looks like that; `null`: they have no picture. */
  seen(user: UserRef, picture: FileRef | null): void {
    const key = `${user.network}\n${user.user}`
    this.#seen.delete(key)
    const [oldest] = this.#seen.keys()
    if (oldest !== undefined && this.#seen.size >= PICTURES_LIMIT) this.#seen.delete(oldest)
    this.#seen.set(key, { user, picture })
    const person = this.#deps.identity.personOf(user)
    if (person === undefined) return
    for (const account of this.#of(person)) if (account.network !== user.network) void this.#give(account.id, picture)
  }

  /** An account signed in, perhaps for the first time. */
  online(id: AccountId): void {
    const { accounts, identity } = this.#deps
    const account = accounts().find((each) => each.id === id)
    if (account === undefined) return
    for (const { user, picture } of this.#seen.values()) {
      if (user.network !== account.network && identity.personOf(user) === account.person) void this.#give(id, picture)
    }
  }

  /** The account is there no more. */
  forget(account: AccountId): void {
    this.#given.delete(account)
  }

  #of(person: PersonId): readonly Account[] {
    return this.#deps.accounts().filter((account) => account.person === person)
  }

  async #give(account: AccountId, picture: FileRef | null): Promise<void> {
    const { clock, log, sessionOf } = this.#deps
    const session = sessionOf(account)
    const given = picture?.ref ?? ''
    if (session === undefined || this.#given.get(account) === given) return
    this.#given.set(account, given)
    const late = new AbortController()
    const done = new AbortController()
    void clock.sleep(TAKE_MS, done.signal).then(() => late.abort())
    const request = { kind: 'picture', ...(picture === null ? {} : { picture }) } as const
    const result = await session.roster(request, late.signal).finally(() => done.abort())
    // Most networks have no pictures.
    if (result.kind === 'done' || result.reason === 'unsupported') return
    log.debug({ account, detail: result.detail }, 'an account did not take the picture of its owner')
    if (this.#given.get(account) === given) this.#given.delete(account)
  }
}
