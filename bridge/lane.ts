/**
 * One durable queue: an account and a place. In order; a part is marked as attempted, durably, before the first byte of
 * it goes out, and its result is stored before the next step that depends on it. One commit of a lane is under way at a
 * time, and it carries the results of what was delivered together with the marks of what starts next.
 */
import type { Session } from './adapter.ts'
import { type Attempt, attempt } from './attempt.ts'
import type { Hold } from './hold.ts'
import { LaneArrivals, type Reserved, reservedFor, storedRows } from './lane-arrivals.ts'
import type { LaneDeps } from './lane-deps.ts'
import { LaneHold } from './lane-hold.ts'
import { LanePreparation } from './lane-preparation.ts'
import { type Entry, LaneRows } from './lane-rows.ts'
import { laneStep, type Result, waitersOf } from './lane-step.ts'
import type { Outbound } from './model/events.ts'
import type { AccountId, ChatRef, EventId } from './model/ids.ts'
import type { DeliveryResult } from './model/result.ts'
import { prepare } from './prepare.ts'
import { type LaneKey, type NewRow, type Place, StoreUnavailable } from './store/port.ts'
import { LINKED_NO_MORE } from './tell.ts'

export class Lane {
  readonly key: LaneKey
  readonly account: AccountId
  readonly place: Place
  readonly #deps: LaneDeps
  readonly #rows: LaneRows
  readonly #hold: LaneHold
  readonly #preparation: LanePreparation
  readonly #arrivals = new LaneArrivals()
  readonly #underway = new Set<Attempt>()
  #results: Result[] = []
  #drained: (() => void)[] = []
  #emptied: (() => void)[] = []
  /** Rows with lower numbers never go out. */
  #givenUpBefore = 0
  #poked = false
  #committing = false
  #stopping = false

  constructor(key: LaneKey, account: AccountId, place: Place, deps: LaneDeps) {
    this.key = key
    this.account = account
    this.place = place
    this.#deps = deps
    this.#rows = new LaneRows(deps.limits.laneWindow)
    this.#hold = new LaneHold({
      clock: deps.clock,
      limits: deps.limits,
      online: () => deps.session()?.state.kind === 'online',
      present: deps.recipientPresent,
      oldest: () => this.#rows.oldest,
      woken: (hold) => this.#woken(hold),
    })
    this.#preparation = new LanePreparation({
      ...deps,
      key,
      account,
      rows: this.#rows,
      wait: (wait, reason) => this.#hold.wait(wait, reason),
      finish: (entry, result) => this.#finish(entry, result),
      refuse: (result) => this.#refuse(result),
      nothing: (entry) => {
        entry.phase = 'settling'
        this.#results.push({ entry, result: { kind: 'delivered', ids: [] }, silent: true })
      },
      failed: (error) => this.#failed(error),
      ended: () => this.poke(),
    })
  }

  get depth(): number {
    return this.#rows.depth + this.#arrivals.pending
  }

  get oldest(): number | undefined {
    return this.#rows.oldest
  }

  get hold(): Hold | undefined {
    return this.#hold.current
  }

  get busy(): boolean {
    return this.#underway.size > 0 || this.#committing || this.#results.length > 0 || this.#arrivals.reserved > 0
  }

  /** After a start: rows that wait on disk. */
  stored(rows: number, oldest: number): void {
    this.#rows.stored(rows, oldest)
    this.poke()
  }

  /** A new row is about to be committed. Where nothing is before it, it is cut and marked at once: one commit instead of two. */
  announce(row: NewRow): Reserved | undefined {
    const reserved = this.#reserve(row)
    this.#arrivals.announced(reserved)
    return reserved
  }

  #reserve(row: NewRow): Reserved | undefined {
    const { open, session, chat } = this.#ready()
    const [op] = row.ops
    if (!open || op === undefined || this.#arrivals.queueing > 0 || !this.#rows.empty) return undefined
    const capabilities = session.capabilities(chat)
    if (this.#arrivals.reserved >= Math.min(capabilities.pipeline, this.#deps.limits.laneWindow)) return undefined
    return reservedFor(row, prepare({ op, part: 0, parts: 0, at: row.at }, session, chat))
  }

  /** The announced row was committed under this number. */
  committed(seq: number, row: NewRow, reserved: Reserved | undefined): void {
    this.#arrivals.arrived(reserved)
    // It was linked anew.
    if (this.#givenUpBefore === Number.POSITIVE_INFINITY) this.#givenUpBefore = seq
    for (const stored of storedRows(row, seq)) {
      const entry = this.#rows.append(stored)
      // A reserved row came into an empty lane, so it is in memory.
      if (stored.part === 0 && reserved !== undefined && entry !== undefined) this.#launch(entry, reserved.wire)
    }
    this.poke()
  }

  /** The announced row will not come. */
  cancelled(reserved: Reserved | undefined): void {
    this.#arrivals.arrived(reserved)
    this.poke()
  }

  sessionOnline(): void {
    if (this.#hold.current?.kind === 'session' || this.#hold.current?.kind === 'time') this.#hold.release()
    this.poke()
  }

  recipientOnline(): void {
    if (this.#hold.current?.kind === 'recipient') this.#hold.release()
    this.poke()
  }

  /** No new attempts; resolves when nothing is under way. */
  drain(): Promise<void> {
    this.#stopping = true
    this.#hold.stop()
    if (!this.busy) return Promise.resolve()
    return new Promise((resolve) => {
      this.#drained.push(resolve)
    })
  }

  /** Ends what is under way; adapters answer what they know of it. */
  abort(): void {
    this.#stopping = true
    this.#hold.stop()
    for (const one of this.#underway) one.abort()
  }

  /** Resolves when nothing waits here. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#emptied.push(resolve)
      this.poke()
    })
  }

  /** The place is linked no more: what waits for it now never goes out, and the senders are told. */
  giveUp(): void {
    this.#givenUpBefore = Number.POSITIVE_INFINITY
    this.#hold.release()
    this.poke()
  }

  /** Something changed: see what can be done, once, after all that happens in this turn. */
  poke(): void {
    if (this.#poked) return
    this.#poked = true
    queueMicrotask(() => {
      this.#poked = false
      this.#work()
    })
  }

  #work(): void {
    if (this.#committing || this.#hold.current?.kind === 'disk') return
    const results = this.#results
    this.#results = []
    const starts = this.#pick(results)
    const hold = this.#stopping ? undefined : this.#hold.current
    const waits = waitersOf(this.#rows.entries, results, hold, this.#deps)
    if (results.length === 0 && starts.length === 0 && waits.length === 0) {
      if (!this.busy) for (const resolve of this.#drained.splice(0)) resolve()
      if (this.#rows.empty && this.#arrivals.pending === 0 && this.#underway.size === 0) {
        this.#hold.release()
        for (const resolve of this.#emptied.splice(0)) resolve()
        this.#deps.idle()
      }
      return
    }
    void this.#commit(results, starts, waits)
  }

  /** What may be delivered next, marked `starting`. */
  #pick(results: readonly Result[]): readonly Entry[] {
    for (const { result } of results) if (result.kind === 'retry') this.#hold.wait(result.wait, result.reason)
    if (this.#stopping || this.#preparation.busy || this.#rows.empty) return []
    const paged = this.#rows.entries.length === 0
    if (paged) void this.#preparation.load()
    else this.#judgeLeft()
    if (this.#givenUpBefore > 0)
      this.#refuse({ kind: 'refused', reason: 'not-found', detail: LINKED_NO_MORE }, this.#givenUpBefore)
    if (paged || this.#hold.current !== undefined) return []
    const { open, session, chat } = this.#ready()
    if (!open) {
      if (session?.state.kind !== 'online') this.#hold.enter('session', 'network')
      else void this.#preparation.open()
      return []
    }
    const pipeline = Math.max(1, session.capabilities(chat).pipeline)
    const starts: Entry[] = []
    // Their other parts go with them.
    const refused = new Set(results.filter(({ result }) => result.kind === 'refused').map(({ entry }) => entry.row.seq))
    let slots = pipeline - this.#arrivals.reserved
    for (const entry of this.#rows.entries) {
      if (slots <= 0) break
      if (entry.phase === 'queued' && refused.has(entry.row.seq)) continue
      if (entry.phase === 'queued') {
        if (!this.#preparation.isReady(entry, session, chat)) break
        entry.phase = 'starting'
        starts.push(entry)
      }
      if (entry.phase !== 'settling') slots--
    }
    if (slots > 0 && this.#rows.moreOnDisk && this.#rows.room > 0) void this.#preparation.load()
    return starts
  }

  #ready():
    | { readonly open: true; readonly session: Session; readonly chat: ChatRef }
    | { readonly open: false; readonly session: Session | undefined; readonly chat?: undefined } {
    const session = this.#deps.session()
    const chat = session?.state.kind === 'online' ? this.#deps.chat() : undefined
    if (this.#stopping || session === undefined || chat === undefined || this.#hold.current !== undefined)
      return { open: false, session }
    return { open: true, session, chat }
  }

  /**
   * What was under way when the last process ended is repeated only where the network drops a second delivery of the
   * same id; elsewhere nobody knows, and the sender is told so, once. Where there is nobody to tell it is repeated: what
   * the bridge itself says is better said twice than never.
   */
  #judgeLeft(): void {
    const session = this.#deps.session()
    if (session === undefined || !this.#rows.entries.some((entry) => entry.left)) return
    const again = session.capabilities(this.#deps.chat()).idempotent
    for (const entry of this.#rows.entries) {
      if (!entry.left) continue
      entry.left = false
      entry.again = again
      if (!again && entry.row.tell !== undefined) this.#finish(entry, INTERRUPTED)
    }
  }

  async #commit(results: readonly Result[], starts: readonly Entry[], waits: readonly Entry[]): Promise<void> {
    this.#committing = true
    const step = laneStep(
      { ...this.#deps, key: this.key, rows: this.#rows, now: this.#deps.clock.now() },
      results,
      starts,
      waits,
      this.#hold.current,
    )
    const added = this.#deps.enqueue(step.add)
    try {
      const { seqs } = await this.#deps.store.advance({ ...step.advance, add: added.rows })
      if (step.moved) this.#hold.moved()
      step.apply()
      for (const entry of starts) this.#launch(entry, entry.wire)
      added.committed(seqs)
    } catch (error) {
      added.cancelled()
      this.#results.unshift(...results)
      for (const entry of starts) entry.phase = 'queued'
      this.#failed(error)
    } finally {
      this.#committing = false
      this.poke()
    }
  }

  #launch(entry: Entry, wire: Outbound | undefined): void {
    const session = this.#deps.session()
    const chat = this.#deps.chat()
    const { row } = entry
    entry.phase = 'underway'
    if (wire === undefined || session === undefined || chat === undefined) {
      // The session ended while the mark was being written: nothing has gone out.
      this.#finish(entry, { kind: 'retry', reason: 'network', wait: 'session-online', detail: 'the session ended' })
      return
    }
    const id = row.part === 0 ? row.event : (`${row.event}.${row.part}` as EventId)
    const { clock, limits, log } = this.#deps
    const running = attempt(
      session,
      { id, ...(entry.again ? { again: true } : {}), chat, op: wire },
      clock,
      limits.deliverMs,
      (result) => {
        this.#underway.delete(running)
        this.#finish(entry, result)
      },
      (detail) => log.error({ account: this.account, detail }, 'an adapter broke the contract of deliver'),
    )
    this.#underway.add(running)
  }

  /** All that waits, or what does so before that number. */
  #refuse(result: Extract<DeliveryResult, { kind: 'refused' }>, before: number = Number.POSITIVE_INFINITY): void {
    const why = result.detail === LINKED_NO_MORE ? { detail: LINKED_NO_MORE } : {}
    for (const entry of this.#rows.entries)
      if (entry.phase === 'queued' && entry.row.seq < before) this.#finish(entry, result, why)
  }

  #finish(entry: Entry, result: DeliveryResult, why: Pick<Result, 'after' | 'detail'> = {}): void {
    entry.phase = 'settling'
    this.#results.push({ entry, result, ...why })
    // A line that died has more such results: one notice will say it of all.
    if (result.kind === 'uncertain' && this.#underway.size > 0) setImmediate(() => this.poke())
    else this.poke()
  }

  #failed(error: unknown): void {
    if (error instanceof StoreUnavailable) {
      this.#hold.enter('disk', 'network')
      void this.#deps.store.whenAvailable().then(() => {
        if (this.#hold.current?.kind === 'disk') this.#hold.release()
        this.poke()
      })
      return
    }
    const detail = error instanceof Error ? error.message : String(error)
    if (!this.#stopping) this.#deps.log.error({ account: this.account, detail }, 'a lane stopped')
    this.#results = []
    this.abort()
  }

  /** A moment of the hold has come: what waited too long is given up. */
  #woken(hold: Hold): void {
    const { clock, limits } = this.#deps
    const accepted = clock.now() - limits.giveUpMs
    for (const entry of this.#rows.entries) {
      if (entry.phase !== 'queued' || entry.row.at > accepted) continue
      if (entry.left) this.#finish(entry, INTERRUPTED)
      else this.#finish(entry, { kind: 'refused', reason: hold.reason, detail: 'given up' }, { after: limits.giveUpMs })
    }
    this.poke()
  }
}

const INTERRUPTED: DeliveryResult = { kind: 'uncertain', detail: 'the bridge was interrupted' }
