/** The middle: what one network says becomes what the others are asked to do. Knows no network by name. */
import type { ClaimRequest, ClaimResult } from './adapter.ts'
import type { Op } from './degrade.ts'
import { Company } from './company.ts'
import { Drops } from './drops.ts'
import { bridgeSpeaksIn } from './ends.ts'
import { Ephemeral, type OwnState } from './ephemeral.ts'
import { CLEAN_KEY, crashed, gapRows } from './gap.ts'
import type { Accepted, HubDeps, HubStart, HubStatus, StartResult } from './hub-contract.ts'
import { Identity } from './identity.ts'
import { Intake } from './intake.ts'
import { defaultLimits, type HubLimits } from './limits.ts'
import { Lobbies } from './lobbies.ts'
import { makeMint } from './mint.ts'
import type { Capabilities } from './model/capabilities.ts'
import type { Inbound } from './model/events.ts'
import type { AccountId, ChatRef, EventId, NetworkId, PersonId, PortalId, UserId, UserRef } from './model/ids.ts'
import type { SessionState } from './model/result.ts'
import { plain, type RichText } from './model/text.ts'
import { Openings } from './opening.ts'
import { Outbox } from './outbox.ts'
import { Passing } from './passing.ts'
import { laneKey, laneOfLeg } from './place.ts'
import type { Cast, PlanContext } from './plan.ts'
import { PortalMaker } from './portal-maker.ts'
import { type Found, type LinkEnd, type LinkResult, Portals } from './portals.ts'
import { PrivateTalks } from './private-talks.ts'
import { keepHistory } from './retention.ts'
import { isPresent, Roster } from './roster.ts'
import { Router } from './route.ts'
import { type LaneKey, type Leg, type LegId, type NewRow, StoreUnavailable } from './store/port.ts'

export type { HubLimits } from './limits.ts'
export type { Accepted, HubDeps, HubStart, HubStatus, StartResult } from './hub-contract.ts'
export type { LaneStatus, WaitingFor } from './outbox.ts'

const REPORT_MS = 10_000

export class Hub {
  readonly identity: Identity
  readonly portals: Portals
  readonly roster: Roster
  readonly #deps: HubDeps
  readonly #limits: HubLimits
  readonly #mint: () => string
  readonly #lobbies: Lobbies
  readonly #openings: Openings
  readonly #maker: PortalMaker
  readonly #drops: Drops
  readonly #privately: PrivateTalks
  readonly #intake: Intake
  readonly #outbox: Outbox
  readonly #ephemeral: Ephemeral
  readonly #passing: Passing
  readonly #company: Company
  readonly #cast: Cast
  readonly #online = new Set<AccountId>()
  readonly #stopping = new AbortController()

  constructor(deps: HubDeps) {
    const { store, clock, log, metrics, adapters, sessionOf, accounts } = deps
    this.#deps = deps
    this.#limits = { ...defaultLimits, ...deps.limits }
    this.#mint = makeMint(clock.now())
    this.identity = new Identity({ store, adapters, accounts, changed: () => deps.ownersChanged?.() })
    this.portals = new Portals(store, this.#mint, {
      linked: (portal) => {
        this.#openings.linked(portal)
        for (const leg of portal.legs) this.#shown({ portal, leg })
      },
      leaving: (legs, end) => this.#drops.remember(legs, end),
      left: (legs, end) => {
        this.#drops.begin(legs, end)
        this.#passing.left(legs)
        this.#company.left(legs)
      },
    })
    this.roster = new Roster(store, (account, user) => deps.rosterChanged?.(account, user))
    this.#lobbies = new Lobbies({ store, portals: this.portals, roster: this.roster, adapters })
    const openMs = this.#limits.deliverMs
    const { portals, identity, roster } = this
    const made = (found: Found): void => this.#shown(found)
    const orphaned = (leg: Leg, chat: ChatRef): void => void this.#drops.orphaned(leg, chat)
    this.#openings = new Openings({ portals, sessionOf, clock, log, openMs, made, orphaned })
    this.#maker = new PortalMaker({ portals, openings: this.#openings, identity, roster, adapters, sessionOf, log })
    this.#privately = new PrivateTalks({ store, portals })
    const router = new Router({
      portals,
      openings: this.#openings,
      identity,
      lobbies: this.#lobbies,
      maker: this.#maker,
      sessionOf,
      clock,
      privately: this.#privately,
      online: this.#online,
    })
    const shared = { store, clock, log, metrics, sessionOf, openings: this.#openings, mint: this.#mint }
    this.#outbox = new Outbox({
      ...shared,
      limits: this.#limits,
      patience: (account) => deps.patience?.(account) ?? this.#limits.giveUpMs,
      present: (account, user) => isPresent(roster.presence(account, user)),
      nameOf: (lane) => this.#nameOf(lane),
      settled: (lane, event) => this.#privately.settled(lane, event, clock.now()),
    })
    this.#drops = new Drops({
      store,
      clock,
      log,
      sessionOf,
      isMoot: (leg) => portals.sameEnd(leg) !== undefined || identity.account(leg.via) === undefined,
      isMaking: (leg) => this.#openings.isMaking(leg),
      emptied: (lane) => this.#outbox.emptied(lane),
      giveUp: (lane) => this.#outbox.giveUp(lane),
    })
    this.#ephemeral = new Ephemeral({ ...shared, deliverMs: this.#limits.deliverMs })
    const contextOf = (found: Found): PlanContext => this.#context(found)
    const capabilitiesOf = (leg: Leg): Capabilities | 'unknown' | undefined => this.#capabilitiesOf(leg)
    this.#company = new Company({ portals, ephemeral: this.#ephemeral, capabilitiesOf })
    this.#passing = new Passing({
      store,
      clock,
      portals,
      roster,
      identity,
      lobbies: this.#lobbies,
      router,
      outbox: this.#outbox,
      ephemeral: this.#ephemeral,
      sessionOf,
      contextOf,
      online: this.#online,
      ownPresence: (person, user, state) => deps.ownPresence?.(person, user, state),
      ownPicture: (user, picture) => deps.ownPicture?.(user, picture),
      rosterKnown: (account) => void this.#maker.fill(account),
    })
    this.#intake = new Intake({
      store,
      clock,
      log,
      metrics,
      mint: this.#mint,
      router,
      outbox: this.#outbox,
      privately: this.#privately,
      contextOf,
      linkOf: deps.linkOf,
    })
    this.#cast = {
      personOf: (user) => this.identity.personOf(user),
      userOn: (person, network) => this.identity.userOn(person, network),
      ownerOf: (account) => this.identity.account(account)?.person,
      selfOf: (account) => this.identity.userOf(account),
      rosterName: (user, observer) => this.roster.contact(observer, user.user)?.name,
    }
  }

  /**
   * Loads, recovers what was under way, announces gaps after a crash. The store is open; adapters may start after it.
   * Answers a sentence for each link of the config that could not be made.
   */
  async start({ people, links }: HubStart): Promise<readonly string[]> {
    const { store, clock, log, adapters } = this.#deps
    await this.identity.start(people)
    const problems = await this.portals.start(links)
    for (const detail of problems) log.warn({ detail }, 'a link of the config cannot be made')
    await this.roster.start()
    await this.#lobbies.start()
    await this.#privately.start()
    const interrupted = await crashed(store)
    const active = interrupted ? await store.lastActivePortals(this.#limits.gapWindowMs) : []
    await this.#outbox.start()
    await this.#drops.start()
    const joins = (network: NetworkId): boolean => adapters.get(network)?.role === 'joins'
    const gaps = gapRows(this.portals.all(), active, joins, clock.now(), this.#mint)
    // In one transaction: another crash right now announces it again only if it was not announced.
    await this.#outbox.enqueue(gaps, [[CLEAN_KEY, 'no']])
    if (interrupted) log.warn({ chats: gaps.length }, 'the last run ended without a stop')
    void this.#report()
    void keepHistory(store, clock, log, this.#limits.historyDays, this.#stopping.signal)
    for (const account of this.#deps.accounts())
      if (this.#deps.sessionOf(account.id)?.state.kind === 'online') this.#wentOnline(account.id)
    return problems
  }

  /** Lets deliveries under way finish (until `stopMs`), then marks the stop as clean. Sessions must still be up. Twice is harmless. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort()
    this.#maker.stop()
    this.#drops.stop()
    this.#passing.stop()
    this.#ephemeral.stop()
    await this.#outbox.stop()
    this.#openings.stop()
    if (this.#deps.store.health.kind !== 'ok') return
    await this.roster.settled()
    await this.#deps.store.setMeta([[CLEAN_KEY, 'yes']])
  }

  /** `AdapterContext.emit`. Rejects with `StoreUnavailable` when the disk is full: the network must not be acknowledged. */
  async accept(event: Inbound): Promise<Accepted> {
    switch (event.kind) {
      case 'message':
      case 'edit':
      case 'redact':
      case 'reaction':
      case 'member':
      case 'topic':
        if (this.#stopping.signal.aborted) throw new StoreUnavailable('The bridge is stopping.')
        return this.#intake.accept(event)
      case 'typing':
      case 'read':
      case 'presence':
      case 'profile':
      case 'contact':
      case 'roster':
      case 'own':
        await this.#passing.accept(event)
        return 'passing'
      case 'company':
        this.#company.accept(event)
        return 'passing'
      case 'gone':
        await this.#gone(event)
        return 'passing'
      case 'notice': {
        const person = this.identity.account(event.account)?.person
        if (person !== undefined) await this.tellPerson(person, { kind: 'status', text: event.text })
        return 'passing'
      }
    }
  }

  /** Every change of a session's state, once each; the supervisor passes them on. */
  sessionChanged(account: AccountId, state: SessionState): void {
    if (state.kind === 'online') {
      this.#wentOnline(account)
      return
    }
    if (state.kind === 'connecting') this.#ephemeral.sessionComing(account)
    if (this.#online.delete(account)) this.#wentOffline(account)
    this.#outbox.sessionSeen(account)
  }

  /** Accounts were added or removed. */
  accountsChanged(): void {
    this.identity.refresh()
  }

  /** How we want to appear on that account's network: sent now if it is online, and again after each sign-in. */
  setOwn(account: AccountId, op: OwnState): void {
    this.#ephemeral.setOwn(account, op)
  }

  /** Links chats by command; they are opened at once. */
  link(ends: readonly LinkEnd[]): Promise<LinkResult> {
    return this.portals.link(ends)
  }

  /** As `link`, but a conversation may get another contact of an account that it has already. */
  linkMore(ends: readonly LinkEnd[]): Promise<LinkResult> {
    return this.portals.link(ends, 'command', true)
  }

  /** Takes one end out of its link. */
  unlink(leg: LegId): Promise<LinkResult> {
    return this.portals.unlink(leg)
  }

  /** `AdapterContext.claim`: a chat that somebody made where they live becomes the portal with people of an account of theirs. */
  claim(request: ClaimRequest): Promise<ClaimResult> {
    return this.#maker.claim(request)
  }

  /** The conversation of an account with these people, as a chat of `by` where they live: as it is, or made now. */
  startChat(account: AccountId, users: readonly UserId[], by: UserRef): Promise<StartResult> {
    return this.#maker.start(account, users, by)
  }

  /**
   * Ends a conversation: what waits in it is given up, and its chats are left or taken down as soon as their networks are
   * there. Resolves when that is on disk. `false`: there is none, or it stands in the config file.
   */
  async deletePortal(portal: PortalId): Promise<boolean> {
    return this.portals.get(portal)?.origin === 'command' && this.portals.remove(portal)
  }

  /** What the owner of an account calls a contact, in their own chats with them. Resolves when it is durable. */
  async retitle(account: AccountId, user: UserId, title: string | undefined): Promise<void> {
    const legs = this.portals.directWith(account, user)?.portal.legs ?? []
    const own = legs.filter(({ request }) => request.kind === 'portal' && request.account === account)
    await this.#outbox.enqueue(
      this.#spoken(own.map(laneOfLeg), title === undefined ? { kind: 'title' } : { kind: 'title', title }),
    )
  }

  /** The bridge says something to one of its people, wherever they live. Resolves when it is durable; says nothing where they live nowhere. */
  async tellPerson(person: PersonId, op: Extract<Op, { kind: 'status' }>): Promise<void> {
    const lanes = [...this.#deps.adapters.values()].map(({ network, homes }) => {
      const user = homes === undefined ? undefined : this.identity.userOn(person, network)
      const service = this.#serviceOf(network)
      return user === undefined || service === undefined ? undefined : laneKey(service, { kind: 'home', user })
    })
    await this.#outbox.enqueue(this.#spoken(lanes, op))
  }

  /** The bridge itself says something in all chats of a portal, but not through `except`. Resolves when it is durable. */
  async announce(portal: PortalId, text: RichText, except?: AccountId): Promise<void> {
    const known = this.portals.get(portal)
    const legs = known === undefined ? [] : bridgeSpeaksIn(known).filter(({ via }) => via !== except)
    await this.#outbox.enqueue(this.#spoken(legs.map(laneOfLeg), { kind: 'status', text }))
  }

  status(): HubStatus {
    return {
      ...this.#intake.counts,
      lanes: this.#outbox.status(),
      outcomes: this.#outbox.outcomes,
      store: this.#deps.store.health,
    }
  }

  /** Whoever is in a private talk with them learns that the next words are for all again. */
  async #gone({ account, user, name }: Extract<Inbound, { kind: 'gone' }>): Promise<void> {
    const ended = this.#privately.gone(account, user, this.#deps.clock.now())
    const rows = ended.flatMap(({ lane, talk }) => {
      const place = this.#privately.placeOf(talk)
      const text = plain(`${name} has left. What you write now is read in ${place} again.`)
      return this.#spoken([lane], { kind: 'status', text })
    })
    if (rows.length > 0) await this.#outbox.enqueue(rows)
  }

  #spoken(lanes: readonly (LaneKey | undefined)[], op: Op): readonly NewRow[] {
    const at = this.#deps.clock.now()
    const event = (): EventId => this.#mint() as EventId
    return lanes
      .filter((lane) => lane !== undefined)
      .map((lane) => ({ lane, event: event(), at, ops: [op], split: false, attempted: 0 }))
  }

  /** The account through which a network makes chats for those who live there. */
  #serviceOf(network: NetworkId): AccountId | undefined {
    const adapter = this.#deps.adapters.get(network)
    return adapter?.homes === undefined ? undefined : adapter.ownAccounts()[0]?.id
  }

  /** Who reads a chat that was made for them. */
  #nameOf(lane: LaneKey): string | undefined {
    const found = this.portals.byLane(lane)
    if (found === undefined) return this.#privately.nameOf(lane)
    if (found.leg.request.kind !== 'portal') return undefined
    const { owner, account } = found.leg.request
    const person = this.identity.account(account)?.person
    const name = person === undefined ? undefined : this.identity.person(person)?.name
    return name === undefined || name === String(owner) ? owner : `${name} (${owner})`
  }

  #context({ portal, leg }: Found): PlanContext {
    return { portal, origin: leg, cast: this.#cast, capabilitiesOf: (other) => this.#capabilitiesOf(other) }
  }

  /** A chat can be written to from now on: it is shown who is there. */
  #shown(found: Found): void {
    this.#passing.opened(found)
    this.#company.opened(found)
  }

  #capabilitiesOf(leg: Leg): Capabilities | 'unknown' | undefined {
    const session = this.#deps.sessionOf(leg.via)
    if (session !== undefined) return session.capabilities(leg.chat)
    return this.identity.account(leg.via) === undefined ? undefined : 'unknown'
  }

  #wentOnline(account: AccountId): void {
    this.#online.add(account)
    if (this.identity.account(account) === undefined) this.identity.refresh()
    this.#openings.online(account)
    this.#ephemeral.sessionOnline(account)
    this.#outbox.sessionOnline(account)
    this.#passing.sessionOnline(account)
    this.#drops.sessionOnline(account)
  }

  #wentOffline(account: AccountId): void {
    this.#openings.offline(account)
    this.#passing.sessionGone(account)
  }

  async #report(): Promise<void> {
    const { clock, adapters } = this.#deps
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#outbox.report((account) => this.identity.account(account)?.network, adapters.keys())
      await clock.sleep(REPORT_MS, signal)
    }
  }
}
