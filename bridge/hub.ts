/** The middle: what one network says becomes what the others are asked to do. Knows no network by name. */
import { Ephemeral, type OwnState } from './ephemeral.ts'
import { CLEAN_KEY, crashed, gapRows } from './gap.ts'
import type { Accepted, HubDeps, HubStart, HubStatus } from './hub-contract.ts'
import { Identity } from './identity.ts'
import { defaultLimits, type HubLimits } from './limits.ts'
import { Lobbies } from './lobbies.ts'
import { makeMint } from './mint.ts'
import type { Capabilities } from './model/capabilities.ts'
import type { Inbound, StoredInbound } from './model/events.ts'
import type { AccountId, EventId, NetworkId, PortalId } from './model/ids.ts'
import type { SessionState } from './model/result.ts'
import type { RichText } from './model/text.ts'
import { quoteOf, shownName } from './names.ts'
import { Openings } from './opening.ts'
import { Outbox } from './outbox.ts'
import { Passing } from './passing.ts'
import { laneKey, laneOfLeg, laneTarget } from './place.ts'
import { type Cast, invitedBy, plan, type PlanContext } from './plan.ts'
import { type Found, type LinkEnd, type LinkResult, Portals } from './portals.ts'
import { keepHistory } from './retention.ts'
import { isPresent, Roster } from './roster.ts'
import { isShared, type Route, Router } from './route.ts'
import { type Leg, type LegId, type NewRow, StoreUnavailable, type Tell } from './store/port.ts'
import type { Told } from './tell.ts'
import { Turns } from './turns.ts'

export type { HubLimits } from './limits.ts'
export type { Accepted, HubDeps, HubStart, HubStatus } from './hub-contract.ts'
export type { LaneStatus, WaitingFor } from './outbox.ts'

/** An event that knows where it belongs and what it refers to. */
interface Placed {
  readonly event: StoredInbound
  readonly route: Route
  readonly target: EventId | undefined
  readonly replyTo: EventId | undefined
}

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
  readonly #router: Router
  readonly #outbox: Outbox
  readonly #ephemeral: Ephemeral
  readonly #passing: Passing
  readonly #cast: Cast
  readonly #turns = new Turns()
  readonly #online = new Set<AccountId>()
  readonly #stopping = new AbortController()
  #accepted = 0
  #duplicates = 0
  #unlinked = 0

  constructor(deps: HubDeps) {
    const { store, clock, log, metrics, adapters, sessionOf, accounts } = deps
    this.#deps = deps
    this.#limits = { ...defaultLimits, ...deps.limits }
    this.#mint = makeMint(clock.now())
    this.identity = new Identity({ store, adapters, accounts })
    this.portals = new Portals(store, this.#mint, (portal) => {
      for (const leg of portal.legs) this.#openings.linked(leg.via)
    })
    this.roster = new Roster(store)
    this.#lobbies = new Lobbies({ store, portals: this.portals, roster: this.roster, adapters })
    const openMs = this.#limits.deliverMs
    this.#openings = new Openings({ portals: this.portals, sessionOf, clock, log, openMs })
    this.#router = new Router({
      portals: this.portals,
      openings: this.#openings,
      identity: this.identity,
      lobbies: this.#lobbies,
      clock,
    })
    const shared = { store, clock, log, metrics, sessionOf, openings: this.#openings, mint: this.#mint }
    this.#outbox = new Outbox({
      ...shared,
      limits: this.#limits,
      patience: (account) => deps.patience?.(account) ?? this.#limits.giveUpMs,
      present: (account, user) => isPresent(this.roster.presence(account, user)),
    })
    this.#ephemeral = new Ephemeral({ ...shared, deliverMs: this.#limits.deliverMs })
    this.#passing = new Passing({
      store,
      portals: this.portals,
      roster: this.roster,
      identity: this.identity,
      lobbies: this.#lobbies,
      router: this.#router,
      outbox: this.#outbox,
      ephemeral: this.#ephemeral,
      contextOf: (found) => this.#context(found),
      online: this.#online,
    })
    this.#cast = {
      personOf: (user) => this.identity.personOf(user),
      userOn: (person, network) => this.identity.userOn(person, network),
      ownerOf: (account) => this.identity.account(account)?.person,
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
    const interrupted = await crashed(store)
    const active = interrupted ? await store.lastActivePortals(this.#limits.gapWindowMs) : []
    await this.#outbox.start()
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
        return this.#stored(event)
      case 'typing':
      case 'read':
      case 'presence':
      case 'profile':
      case 'contact':
      case 'roster':
        await this.#passing.accept(event)
        return 'passing'
    }
  }

  /** Every change of a session's state, once each; the supervisor passes them on. */
  sessionChanged(account: AccountId, state: SessionState): void {
    if (state.kind === 'online') {
      this.#wentOnline(account)
      return
    }
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

  /** Takes one end out of its link. */
  unlink(leg: LegId): Promise<LinkResult> {
    return this.portals.unlink(leg)
  }

  /** The bridge itself says something in all chats of a portal, but not through `except`. Resolves when it is durable. */
  async announce(portal: PortalId, text: RichText, except?: AccountId): Promise<void> {
    const now = this.#deps.clock.now()
    const legs = (this.portals.get(portal)?.legs ?? []).filter((leg) => leg.flow !== 'in' && leg.via !== except)
    const lanes = legs.map(laneOfLeg)
    const rows = lanes
      .filter((lane) => lane !== undefined)
      .map((lane): NewRow => ({
        lane,
        event: this.#mint() as EventId,
        at: now,
        ops: [{ kind: 'status', text }],
        split: false,
        attempted: 0,
      }))
    await this.#outbox.enqueue(rows)
  }

  status(): HubStatus {
    return {
      lanes: this.#outbox.status(),
      accepted: this.#accepted,
      duplicates: this.#duplicates,
      unlinked: this.#unlinked,
      outcomes: this.#outbox.outcomes,
      store: this.#deps.store.health,
    }
  }

  /** In order for each chat. */
  #stored(event: StoredInbound): Promise<Accepted> {
    if (this.#stopping.signal.aborted) return Promise.reject(new StoreUnavailable('The bridge is stopping.'))
    const key = `${event.chat.network}\n${event.chat.account ?? ''}\n${event.chat.chat}`
    return this.#turns.take(
      key,
      () => this.#place(event),
      (placed) => this.#issue(event, placed),
    )
  }

  #place(event: StoredInbound): Placed | undefined | Promise<Placed | undefined> {
    const route = this.#router.route(event)
    if (route instanceof Promise) return route.then((found) => this.#refer(event, found))
    return this.#refer(event, route)
  }

  #refer(event: StoredInbound, route: Route | undefined): Placed | undefined | Promise<Placed | undefined> {
    if (route === undefined || route.leg.flow === 'out') return undefined
    const native = event.kind === 'edit' || event.kind === 'redact' ? event.target : undefined
    const reply = event.kind === 'message' ? event.replyTo : undefined
    if (native === undefined && reply === undefined) return { event, route, target: undefined, replyTo: undefined }
    return this.#deps.store
      .eventOf(event.chat, route.back, native ?? reply ?? ('' as StoredInbound['id']))
      .then((found) => ({
        event,
        route,
        target: native === undefined ? undefined : found,
        replyTo: reply === undefined ? undefined : found,
      }))
  }

  async #issue(event: StoredInbound, placed: Placed | undefined): Promise<Accepted> {
    const { network } = event.chat
    if (placed === undefined) {
      this.#unlinked++
      this.#deps.metrics.count('events', { network, outcome: 'unlinked' })
      this.#deps.log.debug({ network, kind: event.kind }, 'an event belongs to no link')
      return 'unlinked'
    }
    const { route } = placed
    const id = this.#mint() as EventId
    const storedAt = this.#deps.clock.now()
    const { rows, told } = this.#rows(placed, id, storedAt)
    const announced = this.#outbox.announce(rows)
    try {
      const request = { id, portal: route.portal.id, event, storedAt, rows: announced.rows }
      const result = await this.#deps.store.accept(request)
      if (result.kind === 'duplicate') {
        announced.cancelled()
        this.#duplicates++
        this.#deps.metrics.count('events', { network, outcome: 'duplicate' })
        return 'duplicate'
      }
      announced.committed(result.seqs)
    } catch (error) {
      announced.cancelled()
      throw error
    }
    for (const one of told) this.#outbox.count(one)
    this.#accepted++
    this.#deps.metrics.count('events', { network, outcome: 'stored' })
    this.#alive(event, route)
    return id
  }

  /** What becomes of an event: rows for the other legs, and what the sender has to hear at once. */
  #rows({ event, route, target, replyTo }: Placed, id: EventId, at: number): { rows: NewRow[]; told: Told[] } {
    const { portal, handle, back } = route
    const said = event.kind === 'message' || event.kind === 'edit' ? event.body : undefined
    const lobby = said === undefined ? undefined : this.#router.addressed(route, said)
    const context: PlanContext = {
      ...this.#context(route),
      ...(target === undefined ? {} : { target }),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(handle === undefined ? {} : { handle }),
      ...(lobby?.to === undefined ? {} : { addressed: lobby.to }),
    }
    const quote = said === undefined ? undefined : quoteOf(lobby?.to?.body ?? said)
    const tell: Tell = {
      lane: back,
      name: isShared(laneTarget(back).place) ? shownName(event.senderName, event.sender.user) : '',
      ...(quote === undefined ? {} : { quote }),
    }
    const invited = invitedBy(event)
    const answerable = said !== undefined || invited !== undefined
    const rows: NewRow[] = []
    const told: Told[] = []
    const say = (one: Told, place: NewRow['lane']): void => {
      told.push(one)
      const row = answerable
        ? this.#outbox.tellRow(
            [{ tell, event: id, ...(invited === undefined ? {} : { invited }) }],
            one,
            laneTarget(place).place,
          )
        : undefined
      if (row !== undefined) rows.push(row)
    }
    const { ops, refused } = plan(event, context)
    for (const { leg: to, place, op } of ops) {
      const lane = laneKey(to.via, place)
      if (this.#outbox.full(lane)) say({ outcome: 'refused', reason: 'rate-limited' }, lane)
      else rows.push({ lane, event: id, at, ops: [op], split: false, attempted: 0, ...(answerable ? { tell } : {}) })
    }
    for (const { leg: to, place, reason, detail } of refused)
      say({ outcome: 'refused', reason, detail }, laneKey(to.via, place))
    const mayHint = event.kind === 'message' && event.own !== true && event.body.kind === 'text'
    const hint =
      mayHint && lobby?.hint !== undefined ? this.#router.hint(portal, event.sender, lobby.word, lobby.hint) : undefined
    if (hint !== undefined) say(hint, back)
    return { rows, told }
  }

  /** Who speaks is there: what waits for them may go. */
  #alive(event: StoredInbound, route: Route): void {
    this.#outbox.recipientOnline(route.leg.via, event.sender.user)
    this.#outbox.chatAlive(route.back)
  }

  #context({ portal, leg }: Found): PlanContext {
    return { portal, origin: leg, cast: this.#cast, capabilitiesOf: (other) => this.#capabilitiesOf(other) }
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
