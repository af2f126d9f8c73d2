/** Somebody put one of our people on their list: the person is asked where they live, once, and may answer with one touch. */
import type { Account, Clock, Logger } from './adapter.ts'
import type { News } from './account-news.ts'
import { accountName } from './fault-words.ts'
import type { Inbound } from './model/events.ts'
import type { AccountId, PersonId, UserId } from './model/ids.ts'
import { plain } from './model/text.ts'
import { shownName } from './names.ts'
import type { Roster } from './roster.ts'
import type { Store } from './store/port.ts'
import { Throttle, type ThrottleRule } from './throttle.ts'

/** ask: the person decides. accept: everybody is let in. ignore: nothing happens. */
export type FriendPolicy = 'ask' | 'accept' | 'ignore'

export interface FriendRequestsDeps {
  readonly store: Pick<Store, 'accountFacts' | 'setAccountFact'>
  readonly clock: Clock
  readonly log: Logger
  /** `undefined`: nobody's, such as a bot. */
  readonly account: (id: AccountId) => Account | undefined
  readonly roster: Pick<Roster, 'contact'>
  /** `undefined`: they live nowhere, so nobody can be asked. */
  readonly policyOf: (person: PersonId) => FriendPolicy | undefined
  readonly tell: (person: PersonId, news: News) => Promise<void>
  /** Puts somebody on the list of the account. The sentence why not, or `undefined` when it was done. */
  readonly add: (account: Account, user: UserId) => Promise<string | undefined>
  readonly isOnline: (account: AccountId) => boolean
}

type Answer = 'asked' | 'accepted' | 'declined'
type ContactNews = Extract<Inbound, { kind: 'contact' | 'roster' }>

interface Requester {
  readonly user: UserId
  readonly name: string
}

/** How often they are asked about the same one who comes and goes, and about all of an account; the others wait for the next sign-in. */
export const ASKED_OF_ONE: ThrottleRule = { times: 2, withinMs: 24 * 60 * 60_000 }
export const ASKED_OF_ALL: ThrottleRule = { times: 20, withinMs: 60 * 60_000 }
/** After a sign-in at most so many are asked about one by one; the others are named in one line. */
export const ASKED_ONE_BY_ONE = 5
/** Names in that line; the rest is counted. */
const NAMED = 20
const FACT = 'request:'

export class FriendRequests {
  readonly #deps: FriendRequestsDeps
  readonly #answers = new Map<AccountId, Promise<Map<UserId, Answer>>>()
  /** One event after the other for each account, so that nobody is asked about twice. */
  readonly #underway = new Map<AccountId, Promise<void>>()
  /** Lists that came during a sign-in: nobody can be let in before it is through. */
  readonly #early = new Map<AccountId, ContactNews>()

  readonly #askedOfOne: Throttle
  readonly #askedOfAll: Throttle

  constructor(deps: FriendRequestsDeps) {
    this.#deps = deps
    this.#askedOfOne = new Throttle(deps.clock, ASKED_OF_ONE)
    this.#askedOfAll = new Throttle(deps.clock, ASKED_OF_ALL)
  }

  /** The roster knows of it already. */
  seen(event: Inbound): void {
    if (event.kind !== 'contact' && event.kind !== 'roster') return
    const { account } = event
    const before = this.#underway.get(account) ?? Promise.resolve()
    const working = before
      .then(() => this.#take(event))
      .catch((error: unknown) => {
        this.#deps.log.warn({ account, error: String(error) }, 'a friend request could not be passed on')
      })
      .finally(() => {
        if (this.#underway.get(account) === working) this.#underway.delete(account)
      })
    this.#underway.set(account, working)
  }

  /** The account is signed in. */
  online(account: AccountId): void {
    const early = this.#early.get(account)
    this.#early.delete(account)
    if (early !== undefined) this.seen(early)
  }

  /** They were answered by a command. */
  async answered(account: AccountId, user: UserId, answer: 'accepted' | 'declined'): Promise<void> {
    await this.#remember(account, user, answer)
  }

  /** The account is there no more. */
  forget(account: AccountId): void {
    this.#answers.delete(account)
    this.#early.delete(account)
  }

  /** Nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#underway.values())
  }

  async #take(event: ContactNews): Promise<void> {
    const account = this.#deps.account(event.account)
    const policy = account === undefined ? undefined : this.#deps.policyOf(account.person)
    if (account === undefined || policy === undefined) return
    const answers = await this.#answersOf(account.id)
    if (event.kind === 'contact' && event.change === 'removed-us') await this.#remember(account.id, event.user.user)
    const requesters = requestersIn(event)
      .filter(({ user }) => !answers.has(user) && this.#isOpen(account.id, user))
      .map(({ user, name }) => ({ user, name: shownName(name, user) }))
    if (policy === 'ignore' || requesters.length === 0) return
    if (policy === 'accept' && event.kind === 'roster' && !this.#deps.isOnline(account.id)) {
      this.#early.set(account.id, event)
      return
    }
    if (policy === 'accept') {
      await this.#accept(account, requesters)
      return
    }
    if (event.kind === 'contact' && !this.#mayAsk(account.id, event.user.user)) return
    const { person } = account
    // Better asked twice, after a crash right here, than never.
    for (const one of requesters.slice(0, ASKED_ONE_BY_ONE)) {
      await this.#deps.tell(person, question(account, one))
      await this.#remember(account.id, one.user, 'asked')
    }
    const others = requesters.slice(ASKED_ONE_BY_ONE)
    if (others.length === 0) return
    await this.#deps.tell(person, summary(account, others))
    await Promise.all(others.map(({ user }) => this.#remember(account.id, user, 'asked')))
  }

  #mayAsk(account: AccountId, user: UserId): boolean {
    return this.#askedOfOne.take(`${account}\n${user}`) === 0 && this.#askedOfAll.take(account) === 0
  }

  /** Nobody has answered it on another client either. */
  #isOpen(account: AccountId, user: UserId): boolean {
    const contact = this.#deps.roster.contact(account, user)
    return contact?.hasUs === true && !contact.listed && !contact.blocked
  }

  async #accept(account: Account, requesters: readonly Requester[]): Promise<void> {
    const added: Requester[] = []
    const left: Requester[] = []
    let why = ''
    for (const one of requesters) {
      const wrong = await this.#deps.add(account, one.user)
      if (wrong === undefined) await this.#remember(account.id, one.user, 'accepted')
      else why = wrong
      const some = wrong === undefined ? added : left
      some.push(one)
    }
    const end = (some: readonly Requester[], single: string, several: string): string =>
      `${everybody(some)} added you (${accountName(account)}), ${some.length === 1 ? single : several}`
    const lines = [
      ...(added.length === 0 ? [] : [end(added, 'and is on your list now.', 'and are on your list now.')]),
      ...(left.length === 0 ? [] : [`${end(left, CANNOT, CANNOT)}: ${why}.`]),
    ]
    for (const words of lines) await this.#deps.tell(account.person, { kind: 'status', text: plain(words) })
  }

  #answersOf(account: AccountId): Promise<Map<UserId, Answer>> {
    const known = this.#answers.get(account)
    if (known !== undefined) return known
    const loading = this.#deps.store
      .accountFacts(account)
      .then(
        (facts) =>
          new Map(
            [...facts]
              .filter(([key]) => key.startsWith(FACT))
              .map(([key, answer]) => [key.slice(FACT.length) as UserId, answer as Answer] as const),
          ),
      )
    this.#answers.set(account, loading)
    loading.catch(() => this.#answers.delete(account))
    return loading
  }

  async #remember(account: AccountId, user: UserId, answer?: Answer): Promise<void> {
    const answers = await this.#answersOf(account)
    if (answers.get(user) === answer) return
    await this.#deps.store.setAccountFact(account, FACT + user, answer)
    if (answer === undefined) answers.delete(user)
    else answers.set(user, answer)
  }
}

const requestersIn = (event: ContactNews): readonly Requester[] => {
  if (event.kind === 'contact')
    return event.change === 'added-us' ? [{ user: event.user.user, name: event.name ?? '' }] : []
  return event.contacts
    .filter(({ hasUs, listed, blocked, allowed }) => hasUs && !listed && !blocked && allowed !== true)
    .map(({ user, name }) => ({ user: user.user, name }))
}

const who = (user: UserId, name: string): string => (user.startsWith(name) ? user : `${name} <${user}>`)

const question = (account: Account, { user, name }: Requester): News => ({
  kind: 'status',
  text: plain(
    `${who(user, name)} wants to be your contact (${accountName(account)}). Say: accept ${user} ${account.id} - or: decline ${user} ${account.id}`,
  ),
  mention: true,
  choices: [
    { key: '✅', words: 'accept', line: `accept ${user} ${account.id}` },
    { key: '❌', words: 'decline', line: `decline ${user} ${account.id}` },
  ],
})

const CANNOT = 'but cannot be put on your list'

/** With name and address where it is one; of many the rest is counted. */
const everybody = (some: readonly Requester[]): string => {
  const [only, ...others] = some
  if (only !== undefined && others.length === 0) return who(only.user, only.name)
  const more = some.length - NAMED
  const named = some.slice(0, NAMED).map(({ user }) => user)
  return `${named.join(', ')}${more > 0 ? ` and ${more} others` : ''}`
}

const summary = (account: Account, others: readonly Requester[]): News => ({
  kind: 'status',
  text: plain(
    `${others.length} more have you on their lists (${accountName(account)}), without being on yours: ${everybody(others)}. Say accept or decline with an address, as you like.`,
  ),
})
