/**
 * People and channels of other networks as contacts on the MSN service that this bridge hosts: each has an account there,
 * with which the bridge signs in for them as it does for its own people. Whoever adds one begins a conversation with them.
 */
import type { Accounts } from './accounts.ts'
import type { Account, Adapter, Addressed, Clock, Logger, Metrics, VisitRequest, Visitors } from './adapter.ts'
import { askRoster } from './commands/ask-roster.ts'
import type { CommandDeps } from './commands/deps.ts'
import type { FriendRequests } from './friend-requests.ts'
import type { Hub } from './hub.ts'
import type { Logins } from './logins.ts'
import type { NetworkId, UserId } from './model/ids.ts'
import type { LinkEnd } from './portals.ts'
import { Turns } from './turns.ts'

/** A network that does not say within so long whether somebody is there does not say it. Milliseconds. */
const EXISTS_MS = 5_000

export interface VisitorsDeps extends Pick<CommandDeps, 'sessionOf' | 'stateOf'> {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** The network on which accounts of the service sign in. */
  readonly network: NetworkId
  readonly adapters: ReadonlyMap<NetworkId, Pick<Adapter, 'addressed' | 'exists' | 'homes' | 'ownAccounts'>>
  readonly accounts: Pick<Accounts, 'find'>
  readonly logins: Pick<Logins, 'signIn'>
  readonly friends: Pick<FriendRequests, 'answered'>
  readonly hub: Pick<Hub, 'identity' | 'portals' | 'roster' | 'startChat' | 'linkMore'>
}

export class NetworkVisitors implements Visitors {
  readonly #deps: VisitorsDeps
  readonly #turns = new Turns()

  constructor(deps: VisitorsDeps) {
    this.#deps = deps
  }

  find(network: NetworkId, local: string): Addressed | undefined {
    return network === this.#deps.network ? undefined : this.#deps.adapters.get(network)?.addressed?.(local)
  }

  async exists(network: NetworkId, who: Addressed): Promise<boolean> {
    const { adapters, clock } = this.#deps
    const adapter = adapters.get(network)
    if (who.kind === 'channel' || adapter?.exists === undefined) return true
    const [late, done] = [new AbortController(), new AbortController()]
    const over = clock.sleep(EXISTS_MS, done.signal).then(() => {
      late.abort()
      return true
    })
    return Promise.race([adapter.exists(who.user, late.signal), over]).finally(() => done.abort())
  }

  knows(address: string): boolean {
    return this.#account(address) !== undefined
  }

  async expect(address: string, by: UserId): Promise<void> {
    const account = this.#account(address)
    if (account !== undefined) await this.#deps.friends.answered(account.id, by, 'accepted')
  }

  isFree(network: NetworkId, who: Addressed, address: string, by: UserId): boolean {
    const { adapters, hub } = this.#deps
    const adapter = adapters.get(network)
    const via = adapter?.homes === undefined ? adapter?.ownAccounts()[0] : undefined
    if (who.kind === 'channel' || via === undefined) return true
    const talk = hub.portals.directWith(via.id, who.user)?.portal.id
    const account = this.#account(address)
    return talk === undefined || (account && hub.portals.directWith(account.id, by))?.portal.id === talk
  }

  bring(request: VisitRequest): Promise<boolean> {
    const { log, metrics } = this.#deps
    // Two may add the same one at once, and one sign-in is for both.
    return this.#turns
      .take(
        request.address,
        () => this.#bring(request).catch((error: unknown) => String(error)),
        async (detail) => detail,
      )
      .then((detail) => {
        metrics.count('visitors', { network: request.network, outcome: detail === undefined ? 'done' : 'refused' })
        if (detail !== undefined)
          log.warn({ network: request.network, detail }, 'a contact elsewhere cannot be brought')
        return detail === undefined
      })
  }

  /** Why not, or `undefined` when the conversation is there. */
  async #bring({ network, who, address, password, by }: VisitRequest): Promise<string | undefined> {
    const { hub, friends } = this.#deps
    const user = who.kind === 'user' ? who.user : (who.chat as string as UserId)
    const person = await hub.identity.become({ network, user }, who.name)
    const account = this.#account(address) ?? (await this.#signIn(person, address, password))
    if ('wrong' in account) return account.wrong
    if (hub.roster.contact(account.id, by)?.blocked === true) return `${address} has blocked them`
    await friends.answered(account.id, by, 'accepted')
    const isHome = who.kind === 'user' && this.#deps.adapters.get(network)?.homes !== undefined
    // Before they are seen: what is said to them from then on has somewhere to go.
    const unlinked = isHome ? undefined : await this.#link(network, who, account, by)
    if (unlinked !== undefined) return unlinked
    const wrong = await askRoster({ kind: 'add', user: by }, account, this.#deps)
    if (wrong !== undefined) return wrong
    if (isHome) {
      const started = await hub.startChat(account.id, [by], { network, user: who.user })
      return started.kind === 'refused' ? started.detail : undefined
    }
    return undefined
  }

  async #signIn(
    person: Account['person'],
    address: string,
    password: string,
  ): Promise<Account | { readonly wrong: string }> {
    const { logins, network } = this.#deps
    const outcome = await logins.signIn({ person, network, user: address as UserId, password })
    return 'account' in outcome ? outcome.account : { wrong: `the sign-in came to nothing: ${outcome.kind}` }
  }

  /** Where nobody lives, the account of that network speaks with them. */
  async #link(network: NetworkId, who: Addressed, account: Account, by: UserId): Promise<string | undefined> {
    const via = this.#deps.adapters.get(network)?.ownAccounts()[0]
    if (via === undefined) return `${network} has no account that could speak with them`
    if (!this.isFree(network, who, account.login, by)) return `${who.name} talks with somebody else through the bridge`
    const legs = this.#deps.hub.portals.directWith(account.id, by)?.portal.legs ?? []
    const isLinked = legs.some((leg) => {
      if (leg.via !== via.id) return false
      const { request } = leg
      if (who.kind === 'channel') return request.kind === 'channel' && request.name === who.chat
      return request.kind === 'direct' && request.with === who.user
    })
    if (isLinked) return undefined
    const here: LinkEnd = { kind: 'contact', network: account.network, account: account.id, user: by }
    const there: LinkEnd =
      who.kind === 'channel'
        ? { kind: 'channel', network, account: via.id, chat: who.chat }
        : { kind: 'contact', network, account: via.id, user: who.user }
    const result = await this.#deps.hub.linkMore([here, there])
    return result.kind === 'refused' ? result.detail : undefined
  }

  #account(address: string): Account | undefined {
    return this.#deps.accounts.find(this.#deps.network, address as UserId)
  }
}
