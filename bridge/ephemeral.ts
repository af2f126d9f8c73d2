/** What passes: typing, read marks, presence, names. Newest wins for each chat, kind and user; nothing is stored. */
import { backoffMs, DEFAULT_BACKOFF } from './backoff.ts'
import type { Clock, Logger, Metrics, Session } from './adapter.ts'
import type { Op } from './degrade.ts'
import type { Outbound } from './model/events.ts'
import type { AccountId, ChatRef, EventId } from './model/ids.ts'
import type { DeliveryResult } from './model/result.ts'
import type { Openings } from './opening.ts'
import { laneKey } from './place.ts'
import { referenceOf, resolve } from './references.ts'
import type { LaneKey, Place, Store } from './store/port.ts'

export interface EphemeralDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly sessionOf: (account: AccountId) => Session | undefined
  readonly openings: Openings
  readonly mint: () => string
  readonly deliverMs: number
}

export type OwnState = Extract<Outbound, { kind: 'presence' | 'profile' }>

/** Things waiting for one chat; past it the oldest is forgotten. */
const SLOTS_LIMIT = 500
/** The same for one account: all whom it shows may come and go at once. */
const ACCOUNT_SLOTS_LIMIT = 20_000
/** Names and pictures that failed and are tried again; of further ones the next sign-in or change tells. */
const FAILED_LIMIT = 2_000

interface Stream {
  readonly account: AccountId
  /** Absent for what is about the account itself. */
  readonly place: Place | undefined
  /** Oldest first. */
  readonly slots: Map<string, Op>
}

interface Failed {
  readonly op: Op
  readonly failures: number
}

export class Ephemeral {
  readonly #deps: EphemeralDeps
  readonly #streams = new Map<LaneKey | AccountId, Stream>()
  readonly #own = new Map<AccountId, Map<OwnState['kind'], OwnState>>()
  /** The newest name and picture of somebody, by account and slot, where it failed and may yet succeed. */
  readonly #failed = new Map<string, Failed>()
  readonly #stopping = new AbortController()

  constructor(deps: EphemeralDeps) {
    this.#deps = deps
  }

  /** To a chat, if it is open now; typing never opens one. */
  send(account: AccountId, place: Place, op: Op): void {
    const key = laneKey(account, place)
    if (this.#deps.openings.ready(account, key, place) === undefined) return
    this.#put(key, account, place, op)
  }

  /** About somebody, wherever this account shows them. */
  show(account: AccountId, op: OwnState): void {
    this.#put(account, account, undefined, op)
  }

  /** How we appear: now if the session is online, and at each sign-in. */
  setOwn(account: AccountId, op: OwnState): void {
    const own = this.#own.get(account) ?? new Map<OwnState['kind'], OwnState>()
    own.set(op.kind, op)
    this.#own.set(account, own)
    this.#put(account, account, undefined, op)
    this.#foretell(account, op)
  }

  /** Before the sign-in, so that it can begin with how we want to appear. */
  sessionComing(account: AccountId): void {
    for (const op of this.#own.get(account)?.values() ?? []) this.#foretell(account, op)
  }

  sessionOnline(account: AccountId): void {
    for (const op of this.#own.get(account)?.values() ?? []) this.#put(account, account, undefined, op)
  }

  stop(): void {
    this.#stopping.abort()
    this.#streams.clear()
  }

  /** A session that is not online yet takes note, or does not. */
  #foretell(account: AccountId, op: OwnState): void {
    const session = this.#deps.sessionOf(account)
    if (session === undefined || session.state.kind === 'online') return
    void session.deliver({ id: this.#deps.mint() as EventId, op }, this.#stopping.signal)
  }

  #put(key: LaneKey | AccountId, account: AccountId, place: Place | undefined, op: Op): void {
    if (this.#stopping.signal.aborted || this.#deps.sessionOf(account)?.state.kind !== 'online') return
    const running = this.#streams.get(key)
    const stream = running ?? { account, place, slots: new Map<string, Op>() }
    const slot = slotOf(op)
    if (this.#failed.get(failedKey(account, slot))?.op !== op) this.#failed.delete(failedKey(account, slot))
    stream.slots.delete(slot)
    if (stream.slots.size >= (place === undefined ? ACCOUNT_SLOTS_LIMIT : SLOTS_LIMIT)) {
      const [oldest] = stream.slots.keys()
      if (oldest !== undefined) stream.slots.delete(oldest)
    }
    stream.slots.set(slot, op)
    if (running !== undefined) return
    this.#streams.set(key, stream)
    void this.#run(key, stream)
  }

  /** One at a time for each chat, so that the newest overtakes what it replaces. */
  async #run(key: LaneKey | AccountId, stream: Stream): Promise<void> {
    for (const [slot, op] of nextOf(stream.slots)) {
      stream.slots.delete(slot)
      try {
        const result = await this.#deliver(stream, op)
        if (op.kind === 'profile' && stream.place === undefined) this.#settled(stream, slot, op, result)
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error)
        this.#deps.log.debug({ account: stream.account, kind: op.kind, detail }, 'something passing was not delivered')
      }
    }
    if (this.#streams.get(key) === stream) this.#streams.delete(key)
  }

  /** A picture that could not be brought is tried again, unless something newer comes meanwhile. */
  #settled({ account, slots }: Stream, slot: string, op: Op, result: DeliveryResult | undefined): void {
    if (result?.kind === 'retry' && !slots.has(slot))
      this.#tryLater(account, slot, op, typeof result.wait === 'number' ? result.wait : 0)
    else this.#failed.delete(failedKey(account, slot))
  }

  #tryLater(account: AccountId, slot: string, op: Op, askedMs: number): void {
    const key = failedKey(account, slot)
    const failures = (this.#failed.get(key)?.failures ?? 0) + 1
    if (failures === 1 && this.#failed.size >= FAILED_LIMIT) return
    const failed: Failed = { op, failures }
    this.#failed.set(key, failed)
    // No chance in it: they go one after the other anyway.
    const wait = backoffMs(DEFAULT_BACKOFF, failures, 0.5, askedMs)
    void this.#deps.clock.sleep(wait, this.#stopping.signal).then(() => {
      if (this.#failed.get(key) !== failed || this.#stopping.signal.aborted) return
      const session = this.#deps.sessionOf(account)
      // The account is there no more.
      if (session === undefined) this.#failed.delete(key)
      else if (session.state.kind === 'online') this.#put(account, account, undefined, op)
      else this.#tryLater(account, slot, op, 0)
    })
  }

  /** undefined: nowhere to deliver it now. */
  async #deliver({ account, place }: Stream, op: Op): Promise<DeliveryResult | undefined> {
    const session = this.#deps.sessionOf(account)
    const chat = place === undefined ? undefined : this.#deps.openings.chatOf(account, place)
    const wire = await this.#resolved(account, place, chat, op)
    if (wire === undefined || session?.state.kind !== 'online' || (place !== undefined && chat === undefined))
      return undefined
    const done = new AbortController()
    const late = new AbortController()
    void this.#deps.clock.sleep(this.#deps.deliverMs, done.signal).then(() => late.abort())
    const id = this.#deps.mint() as EventId
    const signal = AbortSignal.any([late.signal, this.#stopping.signal])
    const result = await session
      .deliver({ id, ...(chat === undefined ? {} : { chat }), op: wire }, signal)
      .finally(() => done.abort())
    this.#deps.metrics.count('passing', { kind: op.kind, outcome: result.kind })
    return result
  }

  async #resolved(
    account: AccountId,
    place: Place | undefined,
    chat: ChatRef | undefined,
    op: Op,
  ): Promise<Outbound | undefined> {
    const reference = referenceOf(op)
    if (reference === undefined || place === undefined) return resolve(op, [], 0)
    return resolve(op, await this.#deps.store.nativesOf(reference, chat, laneKey(account, place)), 0)
  }
}

/** The first slot there is, until there is none: they come and go meanwhile. */
function* nextOf(slots: ReadonlyMap<string, Op>): Generator<readonly [string, Op]> {
  for (let [first] = slots; first !== undefined; [first] = slots) yield first
}

const failedKey = (account: AccountId, slot: string): string => `${account}\n${slot}`

const slotOf = (op: Op): string => {
  if (!('as' in op)) return op.kind
  switch (op.as.kind) {
    case 'self':
      return op.kind
    case 'person':
      return `${op.kind}\n${op.as.person}`
    case 'ghost':
      return `${op.kind}\n${op.as.origin.network}\n${op.as.origin.user}`
  }
}
