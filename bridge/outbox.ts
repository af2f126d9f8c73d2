/** All lanes: what is to be delivered, durably, in order for each account and place. Many run at once. */
import { Absences } from './absences.ts'
import type { Clock, Logger, Metrics, Session } from './adapter.ts'
import { degrade, marksDelivery, type Op } from './degrade.ts'
import { Lane } from './lane.ts'
import type { Reserved } from './lane-arrivals.ts'
import type { Enqueued, Spoken } from './lane-deps.ts'
import type { HubLimits } from './limits.ts'
import type { Capabilities } from './model/capabilities.ts'
import type { DeliveryOutcome } from './model/events.ts'
import type { AccountId, EventId, NetworkId, UserId } from './model/ids.ts'
import type { Reason } from './model/result.ts'
import type { Openings } from './opening.ts'
import { laneTarget } from './place.ts'
import type { Advance, LaneKey, NewRow, Place, Store } from './store/port.ts'
import { Spread } from './spread.ts'
import { placeName, reasonOf, type Told, tellWords } from './tell.ts'

export interface OutboxDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly limits: HubLimits
  /** Milliseconds that a delivery through this account may wait. */
  readonly patience: (account: AccountId) => number
  readonly sessionOf: (account: AccountId) => Session | undefined
  readonly openings: Openings
  readonly mint: () => string
  readonly present: (account: AccountId, user: UserId) => boolean
  /** What people call the other end of a lane; `undefined`: as its place is called. */
  readonly nameOf: (lane: LaneKey) => string | undefined
  /** Nothing more becomes of an event at the end of that lane. */
  readonly settled: (lane: LaneKey, event: EventId) => void
}

export type WaitingFor =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'delivery' }
  | { readonly kind: 'session' }
  | { readonly kind: 'recipient' }
  | { readonly kind: 'time'; readonly until: number }
  | { readonly kind: 'disk' }

export interface LaneStatus {
  readonly account: AccountId
  /** "bob@example.com", "#friends". */
  readonly place: string
  readonly depth: number
  /** Age of the oldest row, milliseconds. */
  readonly oldestMs: number
  readonly waiting: WaitingFor
  readonly reason?: Reason
}

/** Rows that a lane takes past its limit when they say what became of a message. */
const TELL_EXTRA_ROWS = 1_000

export class Outbox {
  readonly #deps: OutboxDeps
  readonly #lanes = new Map<LaneKey, Lane>()
  readonly #byAccount = new Map<AccountId, Set<Lane>>()
  readonly #absences = new Absences()
  readonly #spread = new Spread()
  readonly #outcomes: Record<DeliveryOutcome, number> = {
    delivered: 0,
    partial: 0,
    waiting: 0,
    refused: 0,
    uncertain: 0,
  }
  #stopping = false

  constructor(deps: OutboxDeps) {
    this.#deps = deps
  }

  /** Takes up what the last process left. */
  async start(): Promise<void> {
    for (const { lane, rows, oldest } of await this.#deps.store.lanes()) this.#lane(lane).stored(rows, oldest)
  }

  /** Whether this lane takes no more. */
  full(key: LaneKey): boolean {
    return (this.#lanes.get(key)?.depth ?? 0) >= this.#deps.limits.laneRows
  }

  /** Rows are on their way to the disk: the answer says how they are to be stored. Call back what became of them. */
  announce(rows: readonly NewRow[]): Enqueued {
    const announced = rows.map((row): { lane: Lane; row: NewRow; reserved: Reserved | undefined } => {
      const lane = this.#lane(row.lane)
      const reserved = lane.announce(row)
      return { lane, row: reserved?.row ?? row, reserved }
    })
    return {
      rows: announced.map(({ row }) => row),
      committed: (seqs) => {
        this.#spread.begin(rows)
        for (const [index, { lane, row, reserved }] of announced.entries())
          lane.committed(seqs[index] ?? 0, row, reserved)
      },
      cancelled: () => {
        for (const { lane, reserved } of announced) lane.cancelled(reserved)
      },
    }
  }

  /** Resolves when the rows are durable. */
  async enqueue(rows: readonly NewRow[], meta: NonNullable<Advance['meta']> = []): Promise<void> {
    const announced = this.announce(rows)
    try {
      const { seqs } = await this.#deps.store.advance({ add: announced.rows, meta })
      announced.committed(seqs)
    } catch (error) {
      announced.cancelled()
      throw error
    }
  }

  /** What to tell a sender right away, as a row; `undefined` where their network shows nothing of the kind. */
  tellRow(subjects: Spoken, told: Told, to: LaneKey): NewRow | undefined {
    return this.#tell(subjects, told, to)
  }

  /** Resolves when nothing waits there. */
  async emptied(key: LaneKey): Promise<void> {
    await this.#lanes.get(key)?.emptied()
  }

  /** Nothing that waits there goes out; the senders are told. Resolves when that is on disk, or takes too long. */
  async giveUp(key: LaneKey): Promise<void> {
    this.#lanes.get(key)?.giveUp()
    await this.#within(this.emptied(key), GIVE_UP_MS)
  }

  count(told: Told): void {
    this.#outcomes[told.outcome]++
    this.#deps.metrics.count('deliveries', { outcome: told.outcome, reason: reasonOf(told) ?? 'none' })
  }

  /** A session exists, perhaps for the first time, or changed; it is not online. */
  sessionSeen(account: AccountId): void {
    for (const lane of this.#byAccount.get(account) ?? []) lane.poke()
  }

  sessionOnline(account: AccountId): void {
    for (const lane of this.#byAccount.get(account) ?? []) lane.sessionOnline()
  }

  /** Somebody came online, or spoke, which is proof enough. */
  recipientOnline(account: AccountId, user: UserId): void {
    for (const lane of this.#byAccount.get(account) ?? [])
      if (this.#recipients(account, lane.place).includes(user)) lane.recipientOnline()
  }

  /** A chat that we know by its id only has somebody in it. */
  chatAlive(key: LaneKey): void {
    this.#lanes.get(key)?.recipientOnline()
  }

  get outcomes(): Readonly<Record<DeliveryOutcome, number>> {
    return this.#outcomes
  }

  status(): readonly LaneStatus[] {
    const now = this.#deps.clock.now()
    return [...this.#lanes.values()]
      .filter((lane) => lane.depth > 0)
      .map((lane): LaneStatus => {
        const { account, depth, oldest, hold } = lane
        const base = { account, place: this.#nameOf(lane.key), depth, oldestMs: Math.max(0, now - (oldest ?? now)) }
        if (hold === undefined) return { ...base, waiting: { kind: lane.busy ? 'delivery' : 'nothing' } }
        const waiting: WaitingFor =
          hold.kind === 'time' ? { kind: 'time', until: hold.until ?? now } : { kind: hold.kind }
        return { ...base, waiting, reason: hold.reason }
      })
  }

  /** Gauges of depth and age for each network. */
  report(networkOf: (account: AccountId) => NetworkId | undefined, networks: Iterable<NetworkId>): void {
    const totals = new Map([...networks].map((network) => [network as string, { depth: 0, oldestMs: 0 }]))
    for (const { account, depth, oldestMs } of this.status()) {
      const total = totals.get(networkOf(account) ?? 'unknown')
      if (total === undefined) continue
      total.depth += depth
      total.oldestMs = Math.max(total.oldestMs, oldestMs)
    }
    for (const [network, { depth, oldestMs }] of totals) {
      this.#deps.metrics.gauge('outbox_rows', depth, { network })
      this.#deps.metrics.gauge('outbox_oldest_seconds', oldestMs / 1_000, { network })
    }
  }

  /** Nothing new is attempted; what is under way may finish until the limit, then it is aborted. */
  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    const lanes = [...this.#lanes.values()]
    const drained = Promise.all(lanes.map((lane) => lane.drain()))
    if (await this.#within(drained, this.#deps.limits.stopMs)) return
    for (const lane of lanes) lane.abort()
    if (await this.#within(drained, ABORTED_MS)) return
    this.#deps.log.warn({}, 'deliveries did not end in time; their senders are told when the bridge starts again')
  }

  async #within(work: Promise<unknown>, ms: number): Promise<boolean> {
    const late = new AbortController()
    const done = await Promise.race([work.then(() => true), this.#deps.clock.sleep(ms, late.signal).then(() => false)])
    late.abort()
    return done
  }

  #lane(key: LaneKey): Lane {
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    const { store, clock, log, limits, patience, sessionOf, openings, present } = this.#deps
    const { account, place } = laneTarget(key)
    const lane: Lane = new Lane(key, account, place, {
      store,
      clock,
      log,
      limits: { ...limits, giveUpMs: patience(account) },
      session: () => sessionOf(account),
      chat: () => openings.ready(account, key, place),
      open: () => openings.open(account, place),
      recipientPresent: () => this.#recipients(account, place).some((user) => present(account, user)),
      tell: (subjects, told, to) => this.#tell(subjects, told, to),
      marks: (lane) => {
        const capabilities = this.#capabilitiesAt(lane)
        return capabilities !== undefined && marksDelivery(capabilities)
      },
      absences: this.#absences,
      enqueue: (rows) => this.announce(rows),
      count: (told) => this.count(told),
      settled: (event, delivered) => {
        this.#deps.settled(key, event)
        return this.#spread.settled(event, key, delivered)
      },
      idle: () => this.#drop(key, lane),
    })
    this.#lanes.set(key, lane)
    // What a last result has to tell is stored, and delivered after the next start.
    if (this.#stopping) void lane.drain()
    const siblings = this.#byAccount.get(account) ?? new Set()
    siblings.add(lane)
    this.#byAccount.set(account, siblings)
    return lane
  }

  #drop(key: LaneKey, lane: Lane): void {
    if (this.#lanes.get(key) === lane) this.#lanes.delete(key)
    const siblings = this.#byAccount.get(lane.account)
    siblings?.delete(lane)
    if (siblings?.size === 0) this.#byAccount.delete(lane.account)
  }

  #tell(subjects: Spoken, told: Told, to: LaneKey): NewRow | undefined {
    const [{ tell }] = subjects
    const lane = this.#lanes.get(tell.lane)
    if (lane !== undefined && lane.depth >= this.#deps.limits.laneRows + TELL_EXTRA_ROWS) {
      this.#deps.metrics.count('untold', { reason: 'lane-full' })
      return undefined
    }
    const op = this.#delivery(subjects, told, to)
    if (op === undefined) return undefined
    const { mint, clock } = this.#deps
    return { lane: tell.lane, event: mint() as EventId, at: clock.now(), ops: [op], split: false, attempted: 0 }
  }

  #delivery(subjects: Spoken, told: Told, to: LaneKey): Op | undefined {
    const [{ tell, event, invited }, ...more] = subjects
    const capabilities = this.#capabilitiesAt(tell.lane)
    const reason = reasonOf(told)
    const text = tellWords(
      told,
      this.#nameOf(to),
      subjects.map((subject) => ({ ...subject.tell, ...subject })),
    )
    // A mark stands at one message: what is said of several, or of none, are words.
    const words = more.length > 0 || invited !== undefined
    const op: Op = {
      kind: 'delivery',
      target: event,
      outcome: told.outcome,
      ...(reason === undefined ? {} : { reason }),
      text,
    }
    if (told.outcome === 'delivered' && (words || capabilities === undefined)) return undefined
    // While its network has not started, nobody knows what it can show: the lane will see.
    if (capabilities === undefined) return words ? { kind: 'status', text } : op
    const able = degrade(
      words && marksDelivery(capabilities) ? { kind: 'status', text } : op,
      capabilities,
      this.#deps.clock.now(),
    )
    return able.kind === 'op' ? able.op : undefined
  }

  #nameOf(key: LaneKey): string {
    return this.#deps.nameOf(key) ?? placeName(laneTarget(key).place)
  }

  /** Who is reached there, where that is known. */
  #recipients(account: AccountId, place: Place): readonly UserId[] {
    switch (place.kind) {
      case 'direct':
        return [place.with]
      case 'group':
        return place.members
      case 'chat':
        return this.#deps.sessionOf(account)?.members(place.chat) ?? []
      case 'channel':
      case 'portal':
      case 'home':
        return []
    }
  }

  #capabilitiesAt(key: LaneKey): Capabilities | undefined {
    const { account, place } = laneTarget(key)
    return this.#capabilities(account, place)
  }

  #capabilities(account: AccountId, place: Place): Capabilities | undefined {
    return this.#deps.sessionOf(account)?.capabilities(this.#deps.openings.chatOf(account, place))
  }
}

/** What an adapter may take to answer a delivery that was aborted, milliseconds. */
const ABORTED_MS = 1_000
/** How long a lane that is given up may take to tell everybody, milliseconds. */
const GIVE_UP_MS = 10_000
