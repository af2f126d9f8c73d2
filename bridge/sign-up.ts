/** Somebody who lives on a network is given an account of the MSN service that this bridge hosts, and signs in with it. */
import type { Adapter, Clock, Logger, Metrics, SignUp, SignUpResult } from './adapter.ts'
import { FAULT_WORDS } from './fault-words.ts'
import type { Identity } from './identity.ts'
import type { LoginOutcome, Logins } from './logins.ts'
import type { NetworkId } from './model/ids.ts'
import { shownName } from './names.ts'
import { duration } from './tell.ts'
import { Throttle, type ThrottleRule } from './throttle.ts'

/** Makes an account; what it answers is on disk. */
export type AddAccount = (address: string, password: string) => Promise<AddAnswer>
export type AddAnswer =
  | { readonly kind: 'done'; readonly address: string }
  | { readonly kind: 'refused'; readonly wrong: string; readonly taken?: true }

export interface SignUpDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** The network on which accounts of the service sign in, and what their addresses end in. */
  readonly network: NetworkId
  readonly domain: string
  readonly adapters: ReadonlyMap<NetworkId, Pick<Adapter, 'parseUser'>>
  /** `undefined`: the service does not run. */
  readonly add: () => AddAccount | undefined
  readonly identity: Pick<Identity, 'become' | 'personOf'>
  readonly logins: Pick<Logins, 'signIn' | 'isFull'>
}

/** Accounts that one who lives here asks for, and all on their network together, whatever comes of it. */
export const SIGN_UPS_OF_ONE: ThrottleRule = { times: 5, withinMs: 10 * 60_000 }
export const SIGN_UPS_OF_NETWORK: ThrottleRule = { times: 50, withinMs: 60 * 60_000 }

type Request = Parameters<SignUp['run']>[0]

export class NetworkSignUp implements SignUp {
  readonly network: NetworkId
  readonly domain: string
  /** Where those live who are given accounts. */
  readonly #home: NetworkId
  readonly #deps: SignUpDeps
  readonly #byOne: Throttle
  readonly #byNetwork: Throttle

  constructor(home: NetworkId, deps: SignUpDeps) {
    this.network = deps.network
    this.domain = deps.domain
    this.#home = home
    this.#deps = deps
    this.#byOne = new Throttle(deps.clock, SIGN_UPS_OF_ONE)
    this.#byNetwork = new Throttle(deps.clock, SIGN_UPS_OF_NETWORK)
  }

  async run(request: Request): Promise<SignUpResult> {
    const result = await this.#run(request)
    this.#deps.metrics.count('sign_ups', { network: this.#home, outcome: result.kind })
    return result
  }

  async #run({ from, fromName, name, password }: Request): Promise<SignUpResult> {
    const { adapters, add, identity, logins, log } = this.#deps
    if (from.network !== this.#home) return refused(`${from.user} does not live on ${this.#home}.`)
    const address = `${name.trim()}@${this.domain}`
    const user = adapters.get(this.network)?.parseUser(address) ?? { wrong: `${this.network} is not there.` }
    if (name.includes('@') || typeof user !== 'string')
      return refused(`${name} is no name for an account: it becomes NAME@${this.domain}.`)
    const known = identity.personOf(from)
    if (known !== undefined && logins.isFull(known))
      return refused('You are signed in with as many accounts as are allowed. Log out of one first.')
    const make = add()
    if (make === undefined) return refused('The MSN service of this bridge is not running: try again later.')
    const waitMs = this.#byOne.take(from.user) || this.#byNetwork.take(this.#home)
    if (waitMs > 0) return refused(`Too many accounts are being made. Try again in ${duration(waitMs)}.`)
    // First of all: else there might be an account that is nobody's.
    const person = await identity.become(from, shownName(fromName, from.user))
    const made = await make(address, password)
    if (made.kind === 'refused')
      return refused(
        made.taken === true ? `${user} is taken: choose another name, or log in with its password.` : `${made.wrong}.`,
      )
    log.info({ home: this.#home, network: this.network, person }, 'somebody signed up')
    return signedIn(await logins.signIn({ person, network: this.network, user, password }), user)
  }
}

/** The account is there in any case. */
const signedIn = (outcome: LoginOutcome, login: string): SignUpResult => {
  const kept = `${login} was made, but`
  switch (outcome.kind) {
    case 'online':
      return { kind: 'done', account: outcome.account.id, login }
    case 'slow':
      return {
        kind: 'done',
        account: outcome.account.id,
        login,
        detail: `${kept} it is not signed in yet: the service has not answered. The bridge keeps trying.`,
      }
    case 'waiting':
      return {
        kind: 'done',
        account: outcome.account.id,
        login,
        detail: `${kept} it is not signed in yet: ${FAULT_WORDS[outcome.fault.code]}. The bridge keeps trying.`,
      }
    case 'stopped':
      return {
        kind: 'done',
        account: outcome.account.id,
        login,
        detail: `${kept} it is not signed in: ${FAULT_WORDS[outcome.fault.code]}. Try to connect it again.`,
      }
    case 'rejected':
      return refused(`${kept} the sign-in failed: ${FAULT_WORDS[outcome.fault.code]}. Log in with it later.`)
    case 'taken':
      return refused(`${kept} somebody else is signed in with it here.`)
    case 'configured':
      return refused(`${kept} it stands in the config of the bridge, as ${outcome.account.id}.`)
    case 'underway':
      return refused(`${kept} it is being signed in right now.`)
    case 'ended':
      return refused(`${kept} it was logged out or disconnected meanwhile.`)
    case 'too-many':
      return refused(`${kept} you are signed in with ${outcome.limit} accounts, and more are not allowed.`)
    case 'throttled':
      return refused(`${kept} too many sign-ins were tried. Log in with it in ${duration(outcome.waitMs)}.`)
    case 'unkept':
      return refused(`${kept} its password cannot be kept, because ${outcome.detail}. Tell the operator of the bridge.`)
  }
}

const refused = (detail: string): SignUpResult => ({ kind: 'refused', detail })
