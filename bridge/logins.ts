/** People sign in to networks with accounts of their own, and out again; what comes of it is answered as data. */
import type { Account, Adapter, Clock, Logger, Metrics } from './adapter.ts'
import type { Accounts } from './accounts.ts'
import type { AccountId, NetworkId, PersonId, UserId } from './model/ids.ts'
import type { Fault, SessionState } from './model/result.ts'
import type { Roster } from './roster.ts'
import type { Supervisor } from './supervisor.ts'
import { Throttle, type ThrottleRule } from './throttle.ts'

export interface LoginsDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly adapters: ReadonlyMap<NetworkId, Pick<Adapter, 'role' | 'ownAccounts'>>
  readonly accounts: Accounts
  /** Whether sessions can be had on a network now. */
  readonly isRunning: (network: NetworkId) => boolean
  readonly supervisor: Pick<Supervisor, 'keep' | 'pause' | 'drop' | 'reconnect' | 'stateOf'>
  readonly roster: Pick<Roster, 'forget' | 'settled'>
}

export interface LoginRequest {
  readonly person: PersonId
  readonly network: NetworkId
  readonly user: UserId
  readonly password: string
}

/**
 * online, waiting, stopped and slow: the account is kept. slow: it is still being connected. rejected: nothing is kept; a
 * password that was there before stays. taken: it belongs to somebody else. unkept: `detail` says why it cannot be stored.
 * ended: it was logged out or disconnected meanwhile.
 */
export type LoginOutcome =
  | { readonly kind: 'online' | 'slow'; readonly account: Account; readonly again: boolean }
  | { readonly kind: 'waiting' | 'stopped'; readonly account: Account; readonly fault: Fault }
  | { readonly kind: 'rejected'; readonly fault: Fault; readonly again: boolean }
  | { readonly kind: 'taken' | 'underway' | 'ended' }
  | { readonly kind: 'configured'; readonly account: Account }
  | { readonly kind: 'too-many'; readonly limit: number }
  | { readonly kind: 'throttled'; readonly waitMs: number }
  | { readonly kind: 'unkept'; readonly detail: string }

/** Accounts that one person may sign in with. */
export const ACCOUNTS_PER_PERSON = 10
/** Attempts of one person, and those for one address, whoever tries. */
export const LOGIN_ATTEMPTS: ThrottleRule = { times: 5, withinMs: 10 * 60_000 }
/** Who signs in hears after so long at the latest. Milliseconds. */
const FIRST_OUTCOME_MS = 20_000

const NOT_RUNNING: Fault = {
  code: 'network',
  detail: 'the bridge could not start it; its operator sees why in the log',
}

type FirstState = Extract<SessionState, { kind: 'online' | 'waiting' | 'stopped' }>

export class Logins {
  readonly #deps: LoginsDeps
  readonly #byPerson: Throttle
  readonly #byAddress: Throttle
  /** Accounts that somebody is signing in with right now. */
  readonly #underway = new Map<AccountId, (state: FirstState | undefined) => void>()
  readonly #busy = new Set<string>()

  constructor(deps: LoginsDeps) {
    this.#deps = deps
    this.#byPerson = new Throttle(deps.clock, LOGIN_ATTEMPTS)
    this.#byAddress = new Throttle(deps.clock, LOGIN_ATTEMPTS)
  }

  /** Networks that people can sign in to: we join them, and not with one account for everybody. */
  networks(): readonly NetworkId[] {
    return [...this.#deps.adapters]
      .filter(([, adapter]) => adapter.role === 'joins' && adapter.ownAccounts().length === 0)
      .map(([network]) => network)
  }

  /** Rejects with `StoreUnavailable`; then nothing was kept. */
  async signIn(request: LoginRequest): Promise<LoginOutcome> {
    const key = `${request.network}\n${request.user}`
    if (this.#busy.has(key)) return { kind: 'underway' }
    this.#busy.add(key)
    try {
      const outcome = await this.#signIn(request, key)
      this.#deps.metrics.count('logins', { network: request.network, outcome: outcome.kind })
      return outcome
    } finally {
      this.#busy.delete(key)
    }
  }

  /** Signs out and forgets the account with its password, contacts and nicknames. */
  async signOut(account: Account): Promise<void> {
    const { supervisor, roster, accounts, log } = this.#deps
    await supervisor.drop(account)
    await roster.settled()
    roster.forget(account.id)
    await accounts.remove(account.id)
    this.#underway.get(account.id)?.(undefined)
    log.info({ account: account.id, network: account.network }, 'an account was logged out')
  }

  /** Signs out until `reconnect`, also over a restart. `false`: it was so already. */
  async disconnect(account: Account): Promise<boolean> {
    const { supervisor, accounts } = this.#deps
    if (!accounts.isWanted(account.id)) return false
    await accounts.setWanted(account.id, false)
    await supervisor.pause(account)
    this.#underway.get(account.id)?.(undefined)
    return true
  }

  /** Tries it now. `false`: it is connected, or just being connected. */
  async reconnect(account: Account): Promise<boolean> {
    const { supervisor, accounts, isRunning } = this.#deps
    if (accounts.isWanted(account.id)) return supervisor.reconnect(account.id)
    await accounts.setWanted(account.id, true)
    // Else it is connected as soon as its network runs.
    if (isRunning(account.network)) supervisor.keep(account)
    return true
  }

  /** Whether somebody is signed in with as many accounts as they may be. */
  isFull(person: PersonId): boolean {
    const { accounts } = this.#deps
    const theirs = accounts.all().filter((one) => one.person === person && accounts.originOf(one.id) === 'signed-in')
    return theirs.length >= ACCOUNTS_PER_PERSON
  }

  /** Whether what becomes of it right now is the answer to a `signIn`. */
  isUnderway(account: AccountId): boolean {
    return this.#underway.has(account)
  }

  /** Every change of a session's state. */
  changed(account: AccountId, state: SessionState): void {
    if (state.kind === 'online' || state.kind === 'waiting' || state.kind === 'stopped')
      this.#underway.get(account)?.(state)
  }

  async #signIn({ person, network, user, password }: LoginRequest, key: string): Promise<LoginOutcome> {
    const { accounts, supervisor, isRunning } = this.#deps
    const known = accounts.find(network, user)
    if (known !== undefined && known.person !== person) return { kind: 'taken' }
    if (known !== undefined && accounts.originOf(known.id) !== 'signed-in')
      return { kind: 'configured', account: known }
    if (known === undefined && this.isFull(person)) return { kind: 'too-many', limit: ACCOUNTS_PER_PERSON }
    // Who must wait does not make others wait for that address.
    const waitMs = this.#byPerson.take(person) || this.#byAddress.take(key)
    if (waitMs > 0) return { kind: 'throttled', waitMs }
    const again = known !== undefined
    const wasWanted = known === undefined || accounts.isWanted(known.id)
    const put = await accounts.put({ network, person, user }, password)
    if ('wrong' in put) return { kind: 'unkept', detail: put.wrong }
    const { account } = put
    if (!isRunning(network)) return { kind: 'waiting', account, fault: NOT_RUNNING }
    if (again) await supervisor.pause(account)
    const state = await this.#firstState(account)
    const isKept = (): boolean => accounts.get(account.id) !== undefined && accounts.isWanted(account.id)
    if (state === undefined) return isKept() ? { kind: 'slow', account, again } : { kind: 'ended' }
    if (state.kind === 'online') {
      this.#byPerson.forget(person)
      this.#byAddress.forget(key)
      return { kind: 'online', account, again }
    }
    const { fault } = state
    if (fault.code !== 'bad-credentials' && fault.code !== 'banned') return { kind: state.kind, account, fault }
    await supervisor.drop(account)
    await put.undo()
    if (again && wasWanted && isKept()) supervisor.keep(account)
    return { kind: 'rejected', fault, again }
  }

  /** What the first attempt came to; `undefined`: nothing yet. */
  async #firstState(account: Account): Promise<FirstState | undefined> {
    const { clock, supervisor } = this.#deps
    const { promise, resolve } = Promise.withResolvers<FirstState | undefined>()
    const decided = new AbortController()
    this.#underway.set(account.id, resolve)
    void clock.sleep(FIRST_OUTCOME_MS, decided.signal).then(() => resolve(undefined))
    supervisor.keep(account)
    try {
      return await promise
    } finally {
      decided.abort()
      this.#underway.delete(account.id)
    }
  }
}
