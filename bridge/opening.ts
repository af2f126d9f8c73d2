/**
 * The chats behind legs and contacts: found or made by `Session.open`, once for each session that comes online. A chat that
 * was made for somebody where they live is the same for good: it is opened once.
 */
import type { ChatRequest, Clock, Logger, Session } from './adapter.ts'
import { Gate } from './gate.ts'
import type { AccountId, ChatRef } from './model/ids.ts'
import type { OpenResult } from './model/result.ts'
import type { LaneKey, Leg, LegId, Place, Portal } from './store/port.ts'
import { laneKey, placeOf } from './place.ts'
import { describeLeg, type Found, type Portals } from './portals.ts'
import { LINKED_NO_MORE } from './tell.ts'

/** Chats remembered for one account; past it they are opened again. */
const OPENED_LIMIT = 5_000
/** Chats of people that one account makes at once: each is a room, with people to bring in. */
export const PORTALS_AT_ONCE = 4
/** Waits between two attempts to open a leg, milliseconds: the network's own number counts within these. */
const RETRY_MIN_MS = 1_000
const RETRY_MAX_MS = 5 * 60_000

export interface OpeningDeps {
  readonly portals: Portals
  readonly sessionOf: (account: AccountId) => Session | undefined
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds that one attempt may take. */
  readonly openMs: number
  /** A chat was opened, or made for somebody where they live. */
  readonly made?: (found: Found) => void
  /** It was made, but its leg was taken away meanwhile. */
  readonly orphaned?: (leg: Leg, chat: ChatRef) => void
}

interface Account {
  readonly opened: Map<LaneKey, ChatRef>
  readonly underway: Map<LaneKey, Promise<OpenResult>>
  /** Chats of people that the network is just asked to make. */
  readonly asking: Set<LegId>
  /** Legs that are opened, or tried again after a while. */
  readonly kept: Set<LegId>
  readonly making: Gate
  /** Aborted when the session ends. */
  readonly life: AbortController
}

export class Openings {
  readonly #deps: OpeningDeps
  readonly #accounts = new Map<AccountId, Account>()

  constructor(deps: OpeningDeps) {
    this.#deps = deps
  }

  /** Known, though perhaps not opened in this session yet. */
  chatOf(account: AccountId, place: Place): ChatRef | undefined {
    if (place.kind === 'chat') return place.chat
    const key = laneKey(account, place)
    return this.#accounts.get(account)?.opened.get(key) ?? this.#deps.portals.byLane(key)?.leg.chat
  }

  /** Opened in this session: deliveries may go there. */
  ready(account: AccountId, key: LaneKey, place: Place): ChatRef | undefined {
    if (place.kind === 'chat') return place.chat
    return place.kind === 'portal'
      ? this.#deps.portals.byLane(key)?.leg.chat
      : this.#accounts.get(account)?.opened.get(key)
  }

  /** Idempotent; calls for the same place share one attempt. Never rejects. */
  open(account: AccountId, place: Place): Promise<OpenResult> {
    if (place.kind === 'chat') return Promise.resolve({ kind: 'opened', chat: place.chat })
    const state = this.#account(account)
    const key = laneKey(account, place)
    const made = place.kind === 'portal' ? this.ready(account, key, place) : undefined
    if (made !== undefined) return Promise.resolve({ kind: 'opened', chat: made })
    const known = state.opened.get(key)
    // It may have been linked since.
    if (known !== undefined) return this.#store(key, known).then(() => ({ kind: 'opened', chat: known }))
    const underway = state.underway.get(key)
    if (underway !== undefined) return underway
    const work = (): Promise<OpenResult> => this.#attempt(account, place, key, state)
    const attempt = (place.kind === 'portal' ? state.making.through(work) : work()).finally(() =>
      state.underway.delete(key),
    )
    state.underway.set(key, attempt)
    return attempt
  }

  /** Asks the network anew, also for what is open: a person wants to be in it. */
  again(account: AccountId, place: Place): Promise<OpenResult> {
    if (place.kind === 'chat') return this.open(account, place)
    return this.#attempt(account, place, laneKey(account, place), this.#account(account))
  }

  /** Whether the network may be making the chat of somebody just now. */
  isMaking({ via, id }: Leg): boolean {
    return this.#accounts.get(via)?.asking.has(id) === true
  }

  /** Opens every leg through this account, and again those that may work later. */
  online(account: AccountId): void {
    for (const found of this.#deps.portals.legsVia(account)) this.#begin(found)
  }

  /** Legs were linked: those whose session is online are opened now, the others when it is. */
  linked(portal: Portal): void {
    for (const leg of portal.legs)
      if (this.#deps.sessionOf(leg.via)?.state.kind === 'online') this.#begin({ portal, leg })
  }

  offline(account: AccountId): void {
    this.#accounts.get(account)?.life.abort()
    this.#accounts.delete(account)
  }

  stop(): void {
    for (const account of [...this.#accounts.keys()]) this.offline(account)
  }

  /** Resolves when the attempts that are under way have ended; `undefined` when there are none. */
  settled(account: AccountId): Promise<unknown> | undefined {
    const underway = this.#accounts.get(account)?.underway
    return underway === undefined || underway.size === 0 ? undefined : Promise.all(underway.values())
  }

  #account(account: AccountId): Account {
    const known = this.#accounts.get(account)
    if (known !== undefined) return known
    const state: Account = {
      opened: new Map(),
      underway: new Map(),
      asking: new Set(),
      kept: new Set(),
      making: new Gate(PORTALS_AT_ONCE),
      life: new AbortController(),
    }
    this.#accounts.set(account, state)
    return state
  }

  #begin(found: Found): void {
    const { leg } = found
    if (leg.request.kind === 'lobby' || (leg.request.kind === 'portal' && leg.chat !== undefined)) return
    const state = this.#account(leg.via)
    if (state.kept.has(leg.id)) return
    state.kept.add(leg.id)
    void this.#keep(found, state).finally(() => state.kept.delete(leg.id))
  }

  async #keep({ leg }: Found, state: Account): Promise<void> {
    const place = placeOf(leg.request)
    if (place === undefined) return
    while (!state.life.signal.aborted && this.#deps.portals.leg(leg.id) !== undefined) {
      const result = await (place.kind === 'chat' ? this.#enter(leg.via, place, state) : this.open(leg.via, place))
      if (result.kind === 'opened') return
      if (result.kind === 'refused') {
        const fields = { account: leg.via, leg: describeLeg(leg), reason: result.reason, detail: result.detail }
        this.#deps.log.warn(fields, 'a linked chat cannot be opened')
        return
      }
      const asked = result.kind === 'retry' && typeof result.wait === 'number' ? result.wait : RETRY_MAX_MS
      await this.#deps.clock.sleep(Math.min(Math.max(asked, RETRY_MIN_MS), RETRY_MAX_MS), state.life.signal)
    }
  }

  /** A chat that is known by its id: its network is told that it is linked. */
  #enter(account: AccountId, { chat }: Extract<Place, { kind: 'chat' }>, state: Account): Promise<OpenResult> {
    return this.#ask(account, { kind: 'channel', name: chat.chat }, state)
  }

  async #attempt(
    account: AccountId,
    place: Exclude<Place, { kind: 'chat' }>,
    key: LaneKey,
    state: Account,
  ): Promise<OpenResult> {
    const leg = place.kind === 'portal' ? this.#deps.portals.byLane(key)?.leg : undefined
    const request = place.kind === 'portal' ? leg?.request : place
    if (request?.kind === undefined || request.kind === 'lobby' || request.kind === 'chat')
      return { kind: 'refused', reason: 'not-found', detail: LINKED_NO_MORE }
    if (leg !== undefined) state.asking.add(leg.id)
    const result = await this.#ask(account, request, state)
    if (leg !== undefined) state.asking.delete(leg.id)
    if (result.kind !== 'opened') return result
    if (leg !== undefined && this.#deps.portals.byLane(key) === undefined) {
      this.#deps.orphaned?.(leg, result.chat)
      return { kind: 'refused', reason: 'not-found', detail: LINKED_NO_MORE }
    }
    if (state.opened.size >= OPENED_LIMIT) state.opened.clear()
    if (place.kind !== 'portal') state.opened.set(key, result.chat)
    await this.#store(key, result.chat)
    const found = this.#deps.portals.byLane(key)
    if (found !== undefined) this.#deps.made?.(found)
    return result
  }

  async #ask(account: AccountId, request: ChatRequest, state: Account): Promise<OpenResult> {
    const session = this.#deps.sessionOf(account)
    if (session?.state.kind !== 'online')
      return { kind: 'retry', reason: 'network', wait: 'session-online', detail: 'the session is not online' }
    const late = new AbortController()
    const done = new AbortController()
    void this.#deps.clock.sleep(this.#deps.openMs, done.signal).then(() => late.abort())
    try {
      return await session.open(request, AbortSignal.any([late.signal, state.life.signal]))
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      this.#deps.log.error({ account, detail }, 'an adapter failed to open a chat')
      return { kind: 'retry', reason: 'protocol', wait: RETRY_MAX_MS, detail }
    } finally {
      done.abort()
    }
  }

  /** In memory it is known already; the next opening stores it if the disk refuses now. */
  async #store(key: LaneKey, chat: ChatRef): Promise<void> {
    const found = this.#deps.portals.byLane(key)
    if (found === undefined) return
    await this.#deps.portals.opened(found.leg.id, chat).catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error)
      this.#deps.log.warn({ leg: describeLeg(found.leg), detail }, 'the chat of a link could not be stored')
    })
  }
}
