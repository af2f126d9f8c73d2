/** The chats behind legs and contacts: found or made by `Session.open`, once for each session that comes online. */
import type { Clock, Logger, Session } from './adapter.ts'
import type { AccountId, ChatRef } from './model/ids.ts'
import type { OpenResult } from './model/result.ts'
import type { LaneKey, LegId, Place } from './store/port.ts'
import { laneKey, placeOf } from './place.ts'
import { describeLeg, type Found, type Portals } from './portals.ts'

/** Chats remembered for one account; past it they are opened again. */
const OPENED_LIMIT = 5_000
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
}

interface Account {
  readonly opened: Map<LaneKey, ChatRef>
  readonly underway: Map<LaneKey, Promise<OpenResult>>
  /** Legs that are opened, or tried again after a while. */
  readonly kept: Set<LegId>
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
    return place.kind === 'chat' ? place.chat : this.#accounts.get(account)?.opened.get(key)
  }

  /** Idempotent; calls for the same place share one attempt. Never rejects. */
  open(account: AccountId, place: Place): Promise<OpenResult> {
    if (place.kind === 'chat') return Promise.resolve({ kind: 'opened', chat: place.chat })
    const state = this.#account(account)
    const key = laneKey(account, place)
    const known = state.opened.get(key)
    // It may have been linked since.
    if (known !== undefined) return this.#store(key, known).then(() => ({ kind: 'opened', chat: known }))
    const underway = state.underway.get(key)
    if (underway !== undefined) return underway
    const attempt = this.#attempt(account, place, key, state).finally(() => state.underway.delete(key))
    state.underway.set(key, attempt)
    return attempt
  }

  /** Opens every leg through this account, and again those that may work later. */
  online(account: AccountId): void {
    const state = this.#account(account)
    for (const found of this.#deps.portals.legsVia(account)) {
      const { id } = found.leg
      if (state.kept.has(id)) continue
      state.kept.add(id)
      void this.#keep(found, state).finally(() => state.kept.delete(id))
    }
  }

  /** A leg was linked while its session was online. */
  linked(account: AccountId): void {
    if (this.#deps.sessionOf(account)?.state.kind === 'online') this.online(account)
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
    const state: Account = { opened: new Map(), underway: new Map(), kept: new Set(), life: new AbortController() }
    this.#accounts.set(account, state)
    return state
  }

  async #keep({ leg }: Found, state: Account): Promise<void> {
    const place = placeOf(leg.request)
    if (place === undefined) return
    while (!state.life.signal.aborted && this.#deps.portals.leg(leg.id) !== undefined) {
      const result = await this.open(leg.via, place)
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

  async #attempt(
    account: AccountId,
    place: Exclude<Place, { kind: 'chat' }>,
    key: LaneKey,
    state: Account,
  ): Promise<OpenResult> {
    const session = this.#deps.sessionOf(account)
    if (session?.state.kind !== 'online')
      return { kind: 'retry', reason: 'network', wait: 'session-online', detail: 'the session is not online' }
    const late = new AbortController()
    const done = new AbortController()
    void this.#deps.clock.sleep(this.#deps.openMs, done.signal).then(() => late.abort())
    try {
      const request = place.kind === 'portal' ? this.#deps.portals.byLane(key)?.leg.request : place
      if (request?.kind === undefined || request.kind === 'lobby' || request.kind === 'chat')
        return { kind: 'refused', reason: 'not-found', detail: 'that chat is linked no more' }
      const result = await session.open(request, AbortSignal.any([late.signal, state.life.signal]))
      if (result.kind !== 'opened') return result
      if (state.opened.size >= OPENED_LIMIT) state.opened.clear()
      state.opened.set(key, result.chat)
      await this.#store(key, result.chat)
      return result
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
