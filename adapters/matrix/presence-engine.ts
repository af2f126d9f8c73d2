/**
 * Keeps what ghosts show in step with what they should show, under a budget of requests: newest wins for each ghost,
 * whoever changed first is told first, and changes go before repetitions. A homeserver forgets who is there after half a
 * minute unless it is told again, and takes everybody who writes for online.
 */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import type { PresenceState } from '../../bridge/model/presence.ts'
import type { MatrixConfig } from './config.ts'
import { path } from './paths.ts'
import { type Look, lookOf } from './presence.ts'
import type { StatusField } from './status-field.ts'
import type { Answer, Failure, HomeserverPort, Mxid } from './types.ts'

/** Ghosts that are kept in step; further ones are not told. */
export const MAX_GHOSTS = 20_000
/** Requests under way at once, one for each ghost at most. */
export const MAX_IN_FLIGHT = 4
/** Synapse takes somebody for gone after 30 s. */
export const REFRESH_MS = 25_000
/** After no answer, when nobody says before that we are connected again. */
const DOWN_MS = 30_000
/** After a 5xx. */
const BUSY_MS = 5_000
/** A status that was written before the start, and of whose ghost nothing was heard for so long, is taken out. */
export const STALE_MS = 120_000
/** Nothing to do: look again after this, though whoever brings work wakes us. */
const IDLE_MS = 3_600_000

export interface PresenceEngineDeps {
  readonly network: NetworkId
  readonly homeserver: Pick<HomeserverPort, 'request' | 'features'>
  readonly context: Pick<AdapterContext, 'clock' | 'log' | 'metrics'>
  readonly status: StatusField
  readonly mode: MatrixConfig['presence']
  /** Requests a second. */
  readonly perSecond: number
  readonly refreshMs: number
  /** Whether anybody would see it. */
  readonly canSee: (ghost: Mxid) => boolean
}

interface Entry {
  state: PresenceState
  /** What the homeserver shows; undefined: nobody knows. */
  told: Look | undefined
  /** Told, but about to be forgotten. */
  isDue: boolean
  inFlight: boolean
}

export class PresenceEngine {
  readonly #deps: PresenceEngineDeps
  readonly #entries = new Map<Mxid, Entry>()
  /** Those that show something else than they should, the first that changed first. */
  readonly #waiting = new Set<Mxid>()
  /** When those that are shown as there were last told, oldest first. */
  readonly #told = new Map<Mxid, number>()
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #wake = new AbortController()
  #inFlight = 0
  /** When the budget allows the next request. */
  #nextAt = 0
  #pausedUntil = 0
  #unsupported = false

  constructor(deps: PresenceEngineDeps) {
    this.#deps = deps
  }

  get #isOff(): boolean {
    return this.#deps.mode === 'off' || this.#unsupported || this.#stopping.signal.aborted
  }

  /** Begins to work. Rejects when our own notes cannot be read. */
  async start(): Promise<void> {
    if (this.#deps.mode === 'off' || this.#running !== undefined) return
    const stale = await this.#deps.status.load()
    this.#running = Promise.all([this.#run(), this.#tidy(stale)]).then(() => undefined)
  }

  /** Twice is harmless. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#wake.abort()
    await this.#running
  }

  /** We are connected to the homeserver, again perhaps: whatever it was told may be forgotten. */
  online(): void {
    this.#unsupported = false
    this.#deps.status.online()
    this.#pausedUntil = 0
    this.#forget()
  }

  set(ghost: Mxid, state: PresenceState): void {
    if (this.#isOff) return
    const entry = this.#entries.get(ghost) ?? this.#add(ghost, state)
    if (entry === undefined) return
    entry.state = state
    this.#queue(ghost, entry)
  }

  /**
   * It wrote, typed or read something, so that the homeserver takes it for online: that may be untrue. Of whom we were told
   * nothing we leave it so: they did just write.
   */
  reassert(ghost: Mxid): void {
    const entry = this.#entries.get(ghost)
    if (this.#isOff || entry === undefined || this.#look(entry).presence === 'online') return
    entry.told = { presence: 'online' }
    this.#queue(ghost, entry)
  }

  /** More people are there to see than before. */
  look(): void {
    for (const [ghost, entry] of this.#entries) this.#queue(ghost, entry)
  }

  #add(ghost: Mxid, state: PresenceState): Entry | undefined {
    if (this.#entries.size >= MAX_GHOSTS && !this.#evict()) {
      this.#count('dropped')
      return undefined
    }
    const entry: Entry = { state, told: undefined, isDue: false, inFlight: false }
    this.#entries.set(ghost, entry)
    return entry
  }

  /** Whoever is offline, and known to be, can be forgotten. */
  #evict(): boolean {
    for (const [ghost, entry] of this.#entries) {
      if (entry.inFlight || this.#waiting.has(ghost) || this.#look(entry).presence !== 'offline') continue
      return this.#entries.delete(ghost)
    }
    return false
  }

  #look({ state }: Entry): Look {
    return lookOf(state, this.#deps.homeserver.features.busy)
  }

  /** What is to be done for it. That it left is told even when nobody looks: they may look before it is forgotten. */
  #next(ghost: Mxid, entry: Entry): 'presence' | 'status' | undefined {
    const look = this.#look(entry)
    if (look.presence !== 'offline' && !this.#deps.canSee(ghost)) return undefined
    if (entry.isDue || !sameShown(entry.told, look)) return 'presence'
    return this.#deps.status.differs(ghost, look) ? 'status' : undefined
  }

  /** Whoever waits already keeps their place. */
  #queue(ghost: Mxid, entry: Entry): void {
    if (entry.inFlight) return
    if (this.#next(ghost, entry) === undefined) this.#waiting.delete(ghost)
    else this.#waiting.add(ghost)
    this.#gauge()
    this.#wake.abort()
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps.context
    while (!this.#stopping.signal.aborted) {
      // Armed before looking, so that what comes in meanwhile is not missed.
      if (this.#wake.signal.aborted) this.#wake = new AbortController()
      const now = clock.now()
      const at = this.#dueAt(now)
      if (at > now) await clock.sleep(Math.ceil(at - now), this.#wake.signal)
      else this.#launch(now)
    }
  }

  /** When there will be something to do. */
  #dueAt(now: number): number {
    const never = now + IDLE_MS
    if (this.#inFlight >= MAX_IN_FLIGHT) return never
    return Math.max(this.#waiting.size > 0 ? now : this.#refreshAt(never), this.#nextAt, this.#pausedUntil)
  }

  #refreshAt(never: number): number {
    const [oldest] = this.#told.values()
    return this.#deps.mode === 'full' && oldest !== undefined ? oldest + this.#deps.refreshMs : never
  }

  #launch(now: number): void {
    const [ghost] = this.#waiting.size > 0 ? this.#waiting : this.#told.keys()
    const entry = ghost === undefined ? undefined : this.#entries.get(ghost)
    if (ghost === undefined || entry === undefined) return
    if (!this.#waiting.delete(ghost)) {
      this.#told.delete(ghost)
      entry.isDue = true
    }
    const what = this.#next(ghost, entry)
    this.#gauge()
    if (what === undefined || entry.inFlight) return
    const interval = 1000 / this.#deps.perSecond
    // Nothing is caught up with: what the homeserver counts must never be more than was allowed.
    this.#nextAt = now + interval
    entry.inFlight = true
    this.#inFlight++
    void this.#send(ghost, entry, what)
  }

  async #send(ghost: Mxid, entry: Entry, what: 'presence' | 'status'): Promise<void> {
    const look = this.#look(entry)
    const { signal } = this.#stopping
    const answer =
      what === 'status' ? await this.#deps.status.put(ghost, look, signal) : await this.#put(ghost, look, signal)
    entry.inFlight = false
    this.#inFlight--
    if (what === 'presence' && (answer.ok || answer.failure.kind === 'refused')) this.#wasTold(ghost, entry, look)
    if (answer.ok) this.#count('done')
    else this.#failed(answer.failure, what)
    this.#queue(ghost, entry)
  }

  #put(ghost: Mxid, { presence, text }: Look, signal: AbortSignal): Promise<Answer<unknown>> {
    return this.#deps.homeserver.request({
      method: 'PUT',
      path: path`/_matrix/client/v3/presence/${ghost}/status`,
      as: ghost,
      body: { presence, ...(text === undefined ? {} : { status_msg: text }) },
      signal,
    })
  }

  #wasTold(ghost: Mxid, entry: Entry, look: Look): void {
    entry.told = look
    entry.isDue = false
    this.#told.delete(ghost)
    if (look.presence !== 'offline') this.#told.set(ghost, this.#deps.context.clock.now())
  }

  #failed(failure: Failure, what: 'presence' | 'status'): void {
    const now = this.#deps.context.clock.now()
    this.#count(failure.kind)
    switch (failure.kind) {
      case 'limited':
        this.#pausedUntil = Math.max(this.#pausedUntil, now + failure.retryAfterMs)
        return
      case 'busy':
        this.#pausedUntil = Math.max(this.#pausedUntil, now + BUSY_MS)
        return
      case 'unreachable':
      case 'token':
        this.#pausedUntil = now + DOWN_MS
        this.#forget()
        return
      case 'refused':
        if (what === 'status' || (failure.errcode !== 'M_UNRECOGNIZED' && failure.status !== 405)) return
        this.#unsupported = true
        this.#entries.clear()
        this.#waiting.clear()
        this.#told.clear()
        this.#deps.context.log.info({ detail: failure.detail }, 'the homeserver has no presence')
        return
      case 'aborted':
    }
  }

  #forget(): void {
    this.#told.clear()
    for (const [ghost, entry] of this.#entries) {
      // Offline is what a homeserver believes by itself.
      if (entry.told?.presence !== 'offline') entry.told = undefined
      this.#queue(ghost, entry)
    }
  }

  async #tidy(stale: readonly Mxid[]): Promise<void> {
    if (stale.length === 0) return
    await this.#deps.context.clock.sleep(STALE_MS, this.#stopping.signal)
    for (const ghost of stale) if (!this.#entries.has(ghost)) this.set(ghost, { show: 'offline' })
  }

  #gauge(): void {
    this.#deps.context.metrics.gauge('presence_waiting', this.#waiting.size, { network: this.#deps.network })
  }

  #count(outcome: string): void {
    this.#deps.context.metrics.count('presence_requests', { network: this.#deps.network, outcome })
  }
}

/** `m.status` has a request of its own, so its emoji does not count here. */
const sameShown = (told: Look | undefined, look: Look): boolean =>
  told?.presence === look.presence && told.text === look.text
