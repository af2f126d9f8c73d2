/** What is not stored: where it goes, and what it changes in the roster. */
import type { Clock, Session } from './adapter.ts'
import type { Ephemeral } from './ephemeral.ts'
import { Faces } from './faces.ts'
import type { Identity } from './identity.ts'
import type { Lobbies } from './lobbies.ts'
import type { FileRef } from './model/body.ts'
import type { PassingInbound } from './model/events.ts'
import type { AccountId, ChatId, PersonId, UserId, UserRef } from './model/ids.ts'
import type { PresenceState } from './model/presence.ts'
import { shownName } from './names.ts'
import type { Outbox } from './outbox.ts'
import { type PassingContext, type PassingToChat, planPassing, type PlanContext } from './plan.ts'
import type { Found, Portals } from './portals.ts'
import { isPresent, type Roster } from './roster.ts'
import type { Router } from './route.ts'
import type { Leg, Store } from './store/port.ts'

export interface PassingDeps {
  readonly store: Store
  readonly clock: Clock
  readonly portals: Portals
  readonly roster: Roster
  readonly identity: Identity
  readonly lobbies: Lobbies
  readonly router: Router
  readonly outbox: Outbox
  readonly ephemeral: Ephemeral
  readonly sessionOf: (account: AccountId) => Session | undefined
  readonly contextOf: (found: Found) => PlanContext
  /** Accounts that are signed in. */
  readonly online: ReadonlySet<AccountId>
  /** One of our people is seen, and not by an account that we hold ourselves. */
  readonly ownPresence: (person: PersonId, user: UserRef, state: PresenceState) => void
  /** Somebody is seen with that picture, and not by an account that we hold ourselves. */
  readonly ownPicture: (user: UserRef, picture: FileRef | null) => void
  /** The whole contact list of an account is known. */
  readonly rosterKnown: (account: AccountId) => void
}

/** After its contact list, an account has heard of everybody who is there within this. Milliseconds. */
const HEARD_MS = 5_000

type About = Extract<PassingInbound, { kind: 'presence' | 'profile' }>

export class Passing {
  readonly #deps: PassingDeps
  readonly #faces = new Faces()
  readonly #stopping = new AbortController()

  constructor(deps: PassingDeps) {
    this.#deps = deps
  }

  async accept(event: Exclude<PassingInbound, { kind: 'gone' | 'notice' | 'company' }>): Promise<void> {
    const { store, router, roster, outbox, contextOf } = this.#deps
    switch (event.kind) {
      case 'typing':
      case 'read': {
        const route = router.known(event)
        const via = route?.leg.via ?? event.chat.account
        // Whoever writes is there, hidden or not; so is whoever has just called us.
        if (via !== undefined && event.kind === 'typing') outbox.recipientOnline(via, event.sender.user)
        if (route === undefined || route.leg.flow === 'out') return
        if (event.kind === 'typing') outbox.chatAlive(route.back)
        const target = event.kind === 'read' ? await store.eventOf(event.chat, route.back, event.upTo) : undefined
        this.#send(event, { ...contextOf(route), ...(target === undefined ? {} : { target }) })
        return
      }
      case 'presence':
      case 'profile': {
        if (event.kind === 'presence') this.#ownPresence(event)
        else if (event.avatar !== undefined && !this.#isHeld(event.user))
          this.#deps.ownPicture(event.user, event.avatar)
        const changed = roster.apply(event)
        if (event.kind === 'presence' && isPresent(event.state)) outbox.recipientOnline(event.account, event.user.user)
        if (changed) this.#spread(event)
        return
      }
      case 'contact':
        // Of whom an account has no more, it shows nothing.
        if (roster.apply(event)) this.#show(event.user)
        return
      case 'own':
        roster.apply(event)
        return
      case 'roster':
        roster.apply(event)
        this.#deps.rosterKnown(event.account)
        void this.#heard(event.account)
    }
  }

  /** An account that shows others signed in: they are shown as they are now. */
  sessionOnline(account: AccountId): void {
    if (this.#deps.sessionOf(account)?.capabilities().puppets !== 'native') return
    for (const found of this.#deps.portals.legsVia(account)) this.opened(found)
  }

  /** The session of this account ended: whoever it saw is seen no more, and nobody knows how those look whom it showed. */
  sessionGone(account: AccountId): void {
    const { identity, roster } = this.#deps
    this.#faces.lost(account)
    const network = identity.account(account)?.network
    const gone = new Set(roster.sessionGone(account))
    if (network === undefined) return
    for (const user of gone) this.#spread({ kind: 'presence', account, user: { network, user }, state: OFFLINE })
    // Whom it did not see was shown as absent to all.
    for (const { user, listed } of roster.contacts(account))
      if (listed && !gone.has(user)) this.#show({ network, user })
  }

  /** A chat was made, with ghosts in it that may be there just now. */
  opened({ portal, leg }: Found): void {
    if (!this.#shows(leg)) return
    for (const other of portal.legs)
      if (other.id !== leg.id)
        for (const user of this.#people(other)) {
          this.#tell({ portal, leg: other }, leg, this.#seen(user, other))
          this.#picture({ portal, leg: other }, leg, user)
        }
  }

  /** Legs were taken away: who was behind them is shown in fewer chats, or in none. */
  left(legs: readonly Leg[]): void {
    const { ephemeral, online } = this.#deps
    for (const leg of legs)
      for (const user of this.#people(leg)) {
        const ref: UserRef = { network: leg.network, user }
        this.#show(ref)
        for (const via of this.#faces.accounts()) {
          if (!online.has(via) || !this.#places(via) || this.#chatsOf(ref, via).length > 0) continue
          const as = {
            kind: 'ghost',
            origin: ref,
            name: shownName(this.#deps.roster.contact(leg.via, user)?.name, user),
          } as const
          const op = { kind: 'presence', as, state: OFFLINE, in: [] } as const
          if (this.#faces.isNews(via, ref, op)) ephemeral.show(via, op)
        }
      }
  }

  stop(): void {
    this.#stopping.abort()
  }

  /** Accounts that we hold look as we say, so what is seen of them is no news. */
  #ownPresence({ user, state }: Extract<About, { kind: 'presence' }>): void {
    const person = this.#deps.identity.personOf(user)
    if (person !== undefined && !this.#isHeld(user)) this.#deps.ownPresence(person, user, state)
  }

  /** They are an account of ours. */
  #isHeld(user: UserRef): boolean {
    const { identity } = this.#deps
    const person = identity.personOf(user)
    return (
      person !== undefined &&
      identity.accountsOf(person).some(({ id }) => {
        const own = identity.userOf(id)
        return own?.user === user.user && own.network === user.network
      })
    )
  }

  /** Whom this account does not see by now, it does not see: they are shown as absent to all. */
  async #heard(account: AccountId): Promise<void> {
    const { clock, identity, roster, online } = this.#deps
    await clock.sleep(HEARD_MS, this.#stopping.signal)
    const network = identity.account(account)?.network
    if (this.#stopping.signal.aborted || network === undefined || !online.has(account)) return
    for (const { user, listed } of roster.contacts(account)) if (listed) this.#show({ network, user })
  }

  /** To every chat in which that contact takes part, as this account sees them. Where they are shown as one for all, once. */
  #spread(event: About): void {
    const { lobbies, contextOf } = this.#deps
    const { account, user } = event
    for (const found of this.#legsOf(account, user.user)) {
      const { portal, leg } = found
      const handle = leg.request.kind === 'lobby' ? { handle: lobbies.handle(portal, leg, user.user) } : {}
      this.#send(event, { ...contextOf(found), ...handle })
    }
    this.#show(user, event.kind === 'profile' ? { ...event, ...this.#avatarOf(account, user.user) } : undefined)
  }

  /** What somebody looks like, where that is known. */
  #picture(found: Found, to: Leg, user: UserId): void {
    const { via, network } = found.leg
    const avatar = this.#avatarOf(via, user)
    if (!('avatar' in avatar)) return
    const name = this.#deps.roster.contact(via, user)?.name ?? ''
    this.#tell(found, to, { kind: 'profile', account: via, user: { network, user }, name, ...avatar })
  }

  #avatarOf(account: AccountId, user: UserId): { readonly avatar?: FileRef | null } {
    const avatar = this.#deps.roster.avatar(account, user)
    return avatar === undefined ? {} : { avatar }
  }

  /** Through each account that shows them somewhere, whoever has them as a contact there. */
  #show(user: UserRef, profile?: About): void {
    const told = new Set<AccountId>()
    for (const { id } of this.#deps.identity.accountsOn(user.network))
      for (const found of this.#legsOf(id, user.user))
        for (const leg of found.portal.legs) {
          if (leg.id === found.leg.id || told.has(leg.via) || !this.#shows(leg)) continue
          told.add(leg.via)
          this.#tell(found, leg, this.#seen(user.user, found.leg))
          if (profile !== undefined) this.#tell(found, leg, profile)
        }
  }

  #tell(found: Found, to: Leg, event: About): void {
    const { contextOf, ephemeral, online } = this.#deps
    // Nobody hears it now: it is told when that account is back.
    if (!online.has(to.via)) return
    for (const { leg, op } of planPassing(event, contextOf(found)))
      if (leg.id === to.id && (op.kind === 'presence' || op.kind === 'profile')) {
        const shown =
          op.kind === 'presence' && this.#places(to.via) ? { ...op, in: this.#chatsOf(event.user, to.via) } : op
        if (this.#faces.isNews(to.via, event.user, shown)) ephemeral.show(to.via, shown)
      }
  }

  /** Where that account shows somebody: links of their own, then lobbies, then groups. */
  #chatsOf({ network, user }: UserRef, via: AccountId): readonly ChatId[] {
    const chats = { direct: new Set<ChatId>(), lobby: new Set<ChatId>(), among: new Set<ChatId>() }
    for (const { id } of this.#deps.identity.accountsOn(network))
      for (const { portal, leg } of this.#legsOf(id, user)) {
        const { kind } = leg.request
        const list = kind === 'direct' || kind === 'lobby' ? chats[kind] : chats.among
        for (const other of portal.legs)
          if (other.via === via && other.id !== leg.id && other.chat !== undefined && this.#shows(other))
            list.add(other.chat.chat)
      }
    return [...new Set([...chats.direct, ...chats.lobby, ...chats.among])]
  }

  /** As every signed-in observer sees them at least. */
  #seen(user: UserId, { via, network }: Leg): About {
    const { identity, roster, online } = this.#deps
    const ref: UserRef = { network, user }
    const observers = [...online].filter((account) => identity.account(account)?.network === network)
    return { kind: 'presence', account: via, user: ref, state: roster.effective(ref, observers) }
  }

  /** Whether people of other networks have one face there for all chats of that account, and this is one of them. */
  #shows(leg: Leg): boolean {
    if (leg.chat === undefined || leg.flow === 'in') return false
    return this.#deps.sessionOf(leg.via)?.capabilities(leg.chat).puppets === 'native'
  }

  #places(account: AccountId): boolean {
    return this.#deps.sessionOf(account)?.capabilities().placesGhosts === true
  }

  #send(event: PassingToChat, context: PassingContext): void {
    const about = event.kind === 'presence' || event.kind === 'profile'
    for (const { leg, place, op } of planPassing(event, context))
      if (!about || !this.#shows(leg)) this.#deps.ephemeral.send(leg.via, place, op)
  }

  /** Legs of an account behind which that contact is. */
  *#legsOf(account: AccountId, user: UserId): Generator<Found> {
    const { portals } = this.#deps
    const direct = portals.directWith(account, user)
    if (direct !== undefined) yield direct
    for (const found of portals.severalVia(account))
      if (found.leg.request.kind === 'lobby' ? direct === undefined : this.#people(found.leg).includes(user))
        yield found
  }

  /** Who is behind a leg; of a channel nobody knows. */
  #people({ request, via }: Leg): readonly UserId[] {
    const { roster, portals } = this.#deps
    switch (request.kind) {
      case 'direct':
        return [request.with]
      case 'group':
        return request.members
      case 'chat':
        return this.#deps.sessionOf(via)?.members(request.chat) ?? []
      case 'lobby':
        return roster
          .contacts(via)
          .filter(({ user, listed }) => listed && portals.directWith(via, user) === undefined)
          .map(({ user }) => user)
      case 'channel':
      case 'portal':
      case 'home':
        return []
    }
  }
}

const OFFLINE: PresenceState = { show: 'offline' }
