/**
 * Which picture an account shows: the one that its owner chose by command, else that of the config, else what they look like
 * where they live. Carried to the account whenever it is another one; the network keeps the bytes.
 */
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
  /** Small facts about accounts that outlive a restart. */
  readonly facts: (account: AccountId) => Promise<ReadonlyMap<string, string>>
  readonly setFact: (account: AccountId, key: string, value: string | undefined) => Promise<void>
}

/** Pictures of people that are remembered; past it the oldest is forgotten. */
export const PICTURES_LIMIT = 5_000
/** A network has so long to take one. Milliseconds. */
const TAKE_MS = 60_000

const CHOSEN = 'picture.chosen'
const AVATAR = 'picture.avatar'
const GIVEN = 'picture.given'

/** How somebody is seen where they live; `picture` null: they have none. */
interface Seen {
  readonly user: UserRef
  readonly picture: FileRef | null
}

/** One that was chosen, and by whom. */
interface Picture {
  readonly file: FileRef
  readonly by: UserRef
}

/** Where the picture of an account comes from. */
export type PictureSource =
  /** `by`: whom it was chosen by, or who looks like that. */
  (
    | { readonly kind: 'chosen' | 'avatar'; readonly by: UserRef }
    | { readonly kind: 'config' }
    /** Nothing was given to it. */
    | { readonly kind: 'none' }
  ) & {
    /** A half-sentence: why its network has not taken it, so that the one before is shown. */
    readonly wrong?: string
  }

interface Known {
  chosen: Picture | undefined
  avatar: Seen | undefined
  /** What the account was given last: `ref` of the picture, or NOTHING; undefined: it is not known. */
  given: string | undefined
  /** It will not take this one, and why. */
  refused?: { readonly ref: string; readonly detail: string } | undefined
}

const NOTHING = ''

export class OwnPictures {
  readonly #deps: OwnPicturesDeps
  readonly #seen = new Map<string, Seen>()
  readonly #known = new Map<AccountId, Known>()
  readonly #configured = new Map<AccountId, FileRef>()
  /** Of each account one thing after the other. */
  readonly #turns = new Map<AccountId, Promise<unknown>>()

  constructor(deps: OwnPicturesDeps) {
    this.#deps = deps
  }

  /** Reads what was chosen. `configured`: pictures of the config. Rejects with what the store says. */
  async start(configured: ReadonlyMap<AccountId, FileRef>): Promise<void> {
    for (const [account, file] of configured) this.#configured.set(account, file)
    for (const { id } of this.#deps.accounts()) await this.#read(id)
  }

  /** Somebody looks like that; `null`: they have no picture. */
  seen(user: UserRef, picture: FileRef | null): void {
    const key = `${user.network}\n${user.user}`
    this.#seen.delete(key)
    const [oldest] = this.#seen.keys()
    if (oldest !== undefined && this.#seen.size >= PICTURES_LIMIT) this.#seen.delete(oldest)
    const seen = { user, picture }
    this.#seen.set(key, seen)
    const person = this.#deps.identity.personOf(user)
    if (person === undefined) return
    for (const account of this.#of(person)) if (account.network !== user.network) this.#look(account.id, seen)
  }

  /** An account signed in, perhaps for the first time. */
  online(id: AccountId): void {
    const { accounts, identity } = this.#deps
    const account = accounts().find((each) => each.id === id)
    if (account === undefined) return
    const seen = [...this.#seen.values()].findLast(
      ({ user }) => user.network !== account.network && identity.personOf(user) === account.person,
    )
    this.#look(id, seen)
  }

  /**
   * The owner of an account chose this one; undefined: none any more, so that it is the one of the config or their avatar
   * again. A sentence: why it could not be; then it is as before. Durable when it resolves; rejects when the store fails.
   */
  choose(account: AccountId, picture: Picture | undefined): Promise<string | undefined> {
    return this.#inTurn(account, async () => {
      const known = await this.#read(account)
      const before = known.chosen
      await this.#note(account, CHOSEN, picture)
      known.chosen = picture
      known.refused = undefined
      const wrong = await this.#settle(account, known)
      if (wrong === undefined || picture === undefined) return undefined
      await this.#note(account, CHOSEN, before)
      known.chosen = before
      known.refused = undefined
      await this.#settle(account, known)
      return wrong
    })
  }

  sourceOf(account: AccountId): PictureSource {
    const { chosen, avatar, refused } = this.#known.get(account) ?? {}
    const wrong = refused === undefined ? {} : { wrong: refused.detail }
    if (chosen !== undefined) return { kind: 'chosen', by: chosen.by, ...wrong }
    if (this.#configured.has(account)) return { kind: 'config', ...wrong }
    const isSeen = avatar !== undefined && avatar.picture !== null
    return isSeen ? { kind: 'avatar', by: avatar.user, ...wrong } : { kind: 'none' }
  }

  /** The account is there no more. */
  forget(account: AccountId): void {
    this.#known.delete(account)
  }

  #of(person: PersonId): readonly Account[] {
    return this.#deps.accounts().filter((account) => account.person === person)
  }

  /** `seen`: as its owner looks now. */
  #look(account: AccountId, seen: Seen | undefined): void {
    const done = this.#inTurn(account, async () => {
      const known = await this.#read(account)
      if (seen !== undefined && !sameLook(known.avatar, seen)) {
        await this.#note(account, AVATAR, seen)
        known.avatar = seen
      }
      const wrong = await this.#settle(account, known)
      if (wrong !== undefined)
        this.#deps.log.debug({ account, detail: wrong }, 'an account did not take the picture of its owner')
    })
    done.catch((error: unknown) => {
      this.#deps.log.warn({ account, error: String(error) }, 'the picture of an account could not be noted')
    })
  }

  #inTurn<Value>(account: AccountId, work: () => Promise<Value>): Promise<Value> {
    const done = (this.#turns.get(account) ?? Promise.resolve()).then(work)
    const tail = done.then(nothing, nothing)
    this.#turns.set(account, tail)
    void tail.then(() => {
      if (this.#turns.get(account) === tail) this.#turns.delete(account)
    })
    return done
  }

  async #read(account: AccountId): Promise<Known> {
    const before = this.#known.get(account)
    if (before !== undefined) return before
    const facts = await this.#deps.facts(account)
    const known: Known = {
      chosen: parsed<Picture>(facts.get(CHOSEN)),
      avatar: parsed<Seen>(facts.get(AVATAR)),
      given: facts.get(GIVEN),
    }
    this.#known.set(account, known)
    return known
  }

  #note(account: AccountId, key: string, value: Picture | Seen | undefined): Promise<void> {
    return this.#deps.setFact(account, key, value === undefined ? undefined : JSON.stringify(value))
  }

  /** Gives the account what it is to show. The sentence why not, or undefined when it has it. */
  async #settle(account: AccountId, known: Known): Promise<string | undefined> {
    const picture = known.chosen?.file ?? this.#configured.get(account) ?? known.avatar?.picture ?? undefined
    const wanted = picture?.ref ?? NOTHING
    // What it had before anybody told us of its owner is left alone.
    const isUntouched = known.given === undefined && picture === undefined && known.avatar === undefined
    if (known.given === wanted || isUntouched || known.refused?.ref === wanted) return undefined
    const session = this.#deps.sessionOf(account)
    if (session === undefined) return 'its network does not run'
    const result = await this.#give(session, picture)
    known.refused = undefined
    if (result.kind === 'refused') {
      // Most networks have no pictures, and what one cannot show it will not show later.
      if (result.reason === 'unsupported') known.refused = { ref: wanted, detail: result.detail }
      return result.detail
    }
    await this.#deps.setFact(account, GIVEN, wanted)
    known.given = wanted
    return undefined
  }

  async #give(session: Session, picture: FileRef | undefined) {
    const late = new AbortController()
    const done = new AbortController()
    void this.#deps.clock.sleep(TAKE_MS, done.signal).then(() => late.abort())
    const request = { kind: 'picture', ...(picture === undefined ? {} : { picture }) } as const
    return session.roster(request, late.signal).finally(() => done.abort())
  }
}

const nothing = (): void => undefined

const sameLook = (a: Seen | undefined, b: Seen): boolean =>
  a?.user.network === b.user.network && a.user.user === b.user.user && a.picture?.ref === b.picture?.ref

/** Written by us. */
const parsed = <Value>(fact: string | undefined): Value | undefined =>
  fact === undefined ? undefined : (JSON.parse(fact) as Value)
