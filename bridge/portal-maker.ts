/**
 * Conversations that nobody links: what is said to an account becomes a chat of its owner's where they live, and a chat
 * that they begin there becomes one with their contacts. One conversation for each contact or group of an account.
 */
import type {
  Account,
  Adapter,
  ClaimRequest,
  ClaimResult,
  HomePolicy,
  Logger,
  PortalRequest,
  Session,
} from './adapter.ts'
import type { StartResult } from './hub-contract.ts'
import type { Identity } from './identity.ts'
import type { AccountId, ChatRef, NetworkId, UserId, UserRef } from './model/ids.ts'
import { shownName } from './names.ts'
import type { Openings } from './opening.ts'
import { placeOf } from './place.ts'
import type { Draft, Found, Portals } from './portals.ts'
import type { Roster } from './roster.ts'
import type { Leg, Portal } from './store/port.ts'
import { reasonWords } from './tell.ts'

export interface PortalMakerDeps {
  readonly portals: Portals
  readonly openings: Openings
  readonly identity: Identity
  readonly roster: Roster
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  readonly sessionOf: (account: AccountId) => Session | undefined
  readonly log: Logger
}

/** A network where somebody lives, and who they are there. */
interface Home {
  readonly network: NetworkId
  readonly policy: HomePolicy
  /** The account of the network itself, through which chats are made there. */
  readonly service: AccountId
  readonly owner: UserId
}

/** One contact, or several. */
interface Others {
  readonly end: Draft
  readonly direct: boolean
  readonly users: readonly UserId[]
}

type Refused = Extract<StartResult, { kind: 'refused' }>

/** Names that are known from what was just said, by user. */
type Names = ReadonlyMap<UserId, string>
const NO_NAMES: Names = new Map()

export class PortalMaker {
  readonly #deps: PortalMakerDeps
  readonly #filling = new Set<AccountId>()
  readonly #stopping = new AbortController()

  constructor(deps: PortalMakerDeps) {
    this.#deps = deps
  }

  /** Somebody wrote to this account. `undefined`: its owner lives nowhere, or wants no such chat. Durable when it resolves. */
  async direct(account: AccountId, user: UserId, chat: ChatRef, name?: string): Promise<Found | undefined> {
    const others = this.#direct(account, user, chat)
    return others && this.#unasked(account, others, name === undefined ? NO_NAMES : new Map([[user, name]]))
  }

  /** The same in a chat of several, which nobody linked. */
  async group(account: AccountId, chat: ChatRef, sender: UserRef, name?: string): Promise<Found | undefined> {
    const { identity, sessionOf } = this.#deps
    const self = identity.userOf(account)?.user
    const users = new Set([...(sessionOf(account)?.members(chat) ?? []), sender.user])
    if (self !== undefined) users.delete(self)
    const others = users.size === 0 ? undefined : this.#group(account, [...users], chat)
    return others && this.#unasked(account, others, name === undefined ? NO_NAMES : new Map([[sender.user, name]]))
  }

  /** The contact list of an account is known: where its owner wants a chat for each contact, they are made, one after the other. */
  async fill(account: AccountId): Promise<void> {
    const { portals, roster, openings, log } = this.#deps
    const homes = this.#homes(account).filter(({ policy }) => policy === 'all')
    if (homes.length === 0 || this.#filling.has(account) || portals.lobbyOf(account) !== undefined) return
    this.#filling.add(account)
    try {
      for (const { user } of roster.contacts(account).filter(({ listed }) => listed)) {
        if (this.#stopping.signal.aborted || this.#deps.sessionOf(account)?.state.kind !== 'online') return
        const others = portals.directWith(account, user) === undefined ? this.#direct(account, user) : undefined
        if (others === undefined) continue
        const portal = await this.#make(account, others, homes, NO_NAMES)
        for (const leg of portal?.legs ?? []) {
          const place = leg.request.kind === 'portal' ? placeOf(leg.request) : undefined
          if (place !== undefined) await openings.open(leg.via, place)
        }
      }
    } catch (error) {
      log.warn({ account, error: String(error) }, 'the chats of an account could not all be made')
    } finally {
      this.#filling.delete(account)
    }
  }

  /** A person asks for a conversation with these people of an account of theirs, where they live. */
  async start(account: AccountId, users: readonly UserId[], by: UserRef): Promise<StartResult> {
    const home = this.#home(by)
    if (home === undefined) return refused(`Nobody has chats of their own on ${by.network}: link a channel instead.`)
    const others = await this.#others(account, users)
    if ('detail' in others) return others
    const before = this.#homeOf(this.#known(others), by)
    const portal = await this.#make(account, others, [home, ...this.#unaskedHomes(account, home)], NO_NAMES)
    const leg = portal && this.#homeOf(portal, by)
    const place = leg && placeOf(leg.request)
    if (portal === undefined || leg === undefined || place === undefined)
      return refused(`There is no account ${account}.`)
    const opened = await (before === undefined
      ? this.#deps.openings.open(leg.via, place)
      : this.#deps.openings.again(leg.via, place))
    if (opened.kind === 'refused') return refused(`The chat cannot be made: ${reasonWords(opened.reason)}.`)
    return {
      kind: 'opened',
      portal: portal.id,
      known: before !== undefined,
      ...(opened.kind === 'opened' ? { chat: opened.chat } : {}),
    }
  }

  /** `AdapterContext.claim`. */
  async claim({ by, with: users, chat, account: through }: ClaimRequest): Promise<ClaimResult> {
    const { portals, openings } = this.#deps
    const home = this.#home(by)
    if (home === undefined) return refused(`Nobody has chats of their own on ${by.network}.`)
    if (portals.find(chat) !== undefined) return refused('This chat is linked already.')
    const account = this.#accountOf(by, users, through)
    if (account === undefined && through !== undefined) return refused(`${through} is no account of yours there.`)
    if (account === undefined)
      return refused(`You have no account on ${users[0]?.network ?? 'that network'}: sign in first, with login.`)
    const others = await this.#others(
      account.id,
      users.map(({ user }) => user),
    )
    if ('detail' in others) return others
    const before = this.#homeOf(this.#known(others), by)
    const place = before && placeOf(before.request)
    if (before !== undefined && place !== undefined) {
      const opened = await openings.open(before.via, place)
      return opened.kind === 'opened'
        ? { kind: 'elsewhere', chat: opened.chat }
        : refused('You have a chat with them already; it is about to be made.')
    }
    const homes = [home, ...this.#unaskedHomes(account.id, home)]
    const portal = await this.#make(account.id, others, homes, NO_NAMES, chat)
    const leg = portal && this.#homeOf(portal, by)
    if (leg?.request.kind !== 'portal') return refused('That account is there no more.')
    if (leg.chat === undefined || leg.chat.chat === chat.chat) return { kind: 'claimed', request: leg.request }
    return { kind: 'elsewhere', chat: leg.chat }
  }

  stop(): void {
    this.#stopping.abort()
  }

  async #unasked(account: AccountId, others: Others, names: Names): Promise<Found | undefined> {
    const homes = this.#unaskedHomes(account)
    const portal = homes.length === 0 ? undefined : await this.#make(account, others, homes, names)
    const leg = portal?.legs.find(({ via, request }) => via === account && request.kind !== 'portal')
    return portal === undefined || leg === undefined ? undefined : { portal, leg }
  }

  /** `chat`: where the first of the homes has it already. */
  async #make(
    account: AccountId,
    { end, direct, users }: Others,
    homes: readonly Home[],
    names: Names,
    chat?: ChatRef,
  ): Promise<Portal | undefined> {
    const { identity, portals, roster } = this.#deps
    const owned = identity.account(account)
    if (owned === undefined) return undefined
    const people = users.map((user) => ({
      user: { network: owned.network, user },
      name: shownName(names.get(user) ?? roster.contact(account, user)?.name, user),
    }))
    const [only] = users
    const title = direct && only !== undefined ? roster.contact(account, only)?.nickname : undefined
    return portals.make(end, (portal) =>
      homes.map(({ network, service, owner }, index): Draft => {
        const request: PortalRequest = {
          kind: 'portal',
          portal,
          owner,
          account,
          login: owned.login,
          direct,
          with: people,
          ...(title === undefined ? {} : { title }),
        }
        return { network, via: service, request, ...(index === 0 && chat !== undefined ? { chat } : {}) }
      }),
    )
  }

  async #others(account: AccountId, users: readonly UserId[]): Promise<Others | Refused> {
    const [user, ...more] = new Set(users)
    if (user === undefined) return refused('Whom? Name somebody.')
    const { identity, openings } = this.#deps
    if (identity.account(account) === undefined) return refused(`There is no account ${account}.`)
    const opened = await openings.open(
      account,
      more.length === 0 ? { kind: 'direct', with: user } : { kind: 'group', members: [user, ...more] },
    )
    if (opened.kind === 'refused') return refused(`The chat cannot be made: ${opened.detail}.`)
    const chat = opened.kind === 'opened' ? opened.chat : undefined
    const others =
      more.length === 0 ? this.#direct(account, user, chat) : chat && this.#group(account, [user, ...more], chat)
    return others ?? refused(`${account} is not connected now: try again when it is.`)
  }

  #direct(account: AccountId, user: UserId, chat?: ChatRef): Others | undefined {
    const network = this.#deps.identity.account(account)?.network
    if (network === undefined) return undefined
    const end: Draft = { network, via: account, request: { kind: 'direct', with: user } }
    return { end: chat === undefined ? end : { ...end, chat }, direct: true, users: [user] }
  }

  #group(account: AccountId, users: readonly UserId[], chat: ChatRef): Others {
    return { end: { network: chat.network, via: account, request: { kind: 'chat', chat }, chat }, direct: false, users }
  }

  #known({ end }: Others): Portal | undefined {
    const { portals } = this.#deps
    return (portals.sameEnd(end) ?? (end.chat === undefined ? undefined : portals.find(end.chat)))?.portal
  }

  /** The chat that somebody has of a conversation where they live. */
  #homeOf(portal: Portal | undefined, { network, user }: UserRef): Leg | undefined {
    return portal?.legs.find(
      (leg) => leg.network === network && leg.request.kind === 'portal' && leg.request.owner === user,
    )
  }

  #home({ network, user }: UserRef): Home | undefined {
    const adapter = this.#deps.adapters.get(network)
    const service = adapter?.ownAccounts()[0]
    if (adapter?.homes === undefined || service === undefined) return undefined
    return { network, policy: adapter.homes, service: service.id, owner: user }
  }

  /** Where the owner of an account lives. */
  #homes(account: AccountId): readonly Home[] {
    const { identity, adapters } = this.#deps
    const owned = identity.account(account)
    if (owned === undefined) return []
    return [...adapters.values()].flatMap(({ network, homes }) => {
      if (homes === undefined || network === owned.network) return []
      const user = identity.userOn(owned.person, network)
      return user === undefined ? [] : (this.#home({ network, user }) ?? [])
    })
  }

  /** Where they have a chat of what they did not ask for. `besides`: another than there. */
  #unaskedHomes(account: AccountId, besides?: Home): readonly Home[] {
    return this.#homes(account).filter(({ policy, network }) => policy !== 'on-command' && network !== besides?.network)
  }

  /** `through`, if it is theirs; else, of several accounts, the one that has them as contacts. */
  #accountOf(by: UserRef, users: readonly UserRef[], through: AccountId | undefined): Account | undefined {
    const { identity, roster } = this.#deps
    const person = identity.personOf(by)
    const network = users[0]?.network
    if (person === undefined || users.some((user) => user.network !== network)) return undefined
    const accounts = identity.accountsOf(person).filter((one) => one.network === network)
    if (through !== undefined) return accounts.find(({ id }) => id === through)
    const knows = ({ id }: Account): boolean => users.every(({ user }) => roster.contact(id, user)?.listed === true)
    return accounts.find(knows) ?? accounts[0]
  }
}

const refused = (detail: string): Refused => ({ kind: 'refused', detail })
