/**
 * What the homeserver has stored and never brought us: Synapse forgets the events that it is about to push when it ends. So
 * rooms are looked at again when it may have been started anew, each before anything else that is said in it is taken. What
 * we have already the intake knows by its id.
 *
 * `/sync` would tell of all rooms at once, but Synapse has none for the user of an application service.
 */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import { missedIn, OVERLAP, type Place, placesIn } from './missed.ts'
import type { HomeserverPort, RoomId, RoomTable } from './types.ts'

/** Up to when everything came, as milliseconds since the epoch. */
const HEARD = 'catch-up/heard'
/** Since when a channel is linked, by its room. */
const LINKED = 'catch-up/linked/'
/** How often the first of them is written. Milliseconds. */
const HEARD_MS = 60_000
/** What came shortly before is looked at again: it may have overtaken what was lost. Milliseconds. */
const MARGIN_MS = 120_000
/** Rooms in which something was said so lately are looked at when a connection is new. Milliseconds. */
const RECENT_MS = 15 * 60_000
/** No homeserver ends and starts within this. Milliseconds. */
const FRESH_MS = 1_000
/** After so many connections in a row that brought one transaction each there is a proxy, and a new one says little. */
const PROXY_AFTER = 5
/** Where people talk is looked at so often then. Milliseconds. */
const PROXY_MS = 60_000
/** All rooms are looked at so often, in case the homeserver was started anew behind a proxy. Milliseconds. */
const ALL_MS = 60 * 60_000
/** Rooms that nobody waits for are looked at one by one, with this between them. Milliseconds. */
const PACE_MS = 50
/** What is waited before a room is asked for again: a homeserver that has just started may bring events before it answers. Milliseconds. */
const PATIENCE = [250, 500, 1_000, 2_000] as const
/** No further attempt after so long: the homeserver waits for our answer to a transaction for a minute. Milliseconds. */
const ATTEMPTS_MS = 10_000
/** So many transactions in a row are refused before the next is taken all the same, and so many for one room. */
const REFUSALS = 2
/** A room that could not be looked at so often is left until all are looked at again. */
const MAX_FAILURES = 20
/** Before rooms that could not be looked at are tried again. Milliseconds. */
const AGAIN_MS = 30_000

export interface CatchUpDeps {
  readonly network: NetworkId
  readonly context: Pick<AdapterContext, 'state' | 'log' | 'metrics' | 'clock'>
  readonly homeserver: Pick<HomeserverPort, 'request' | 'bot'>
  readonly table: Pick<RoomTable, 'all' | 'byRoom'>
  /** Resolves when they are on disk. */
  readonly take: (transaction: unknown) => Promise<void>
  /** Aborts when the bridge stops. */
  readonly life: AbortSignal
}

/** The last events of a room, oldest first, and when the last of them came. */
interface Last {
  readonly events: readonly string[]
  readonly at: number
}

export class CatchUp {
  readonly #deps: CatchUpDeps
  /** When something came last. */
  #heard = 0
  #written = 0
  /** When all rooms were last due. */
  #all = 0
  /** Rooms that are to be looked at, and what happened before which time came in them; milliseconds since the epoch. */
  readonly #due = new Map<RoomId, number>()
  /** What came last in each room, with nothing missing before it. */
  readonly #last = new Map<RoomId, Last>()
  readonly #lookedAt = new Map<RoomId, number>()
  readonly #looking = new Map<RoomId, Promise<string | undefined>>()
  /** Since when a channel is linked: what was said in it before is not for the other side. */
  readonly #linked = new Map<RoomId, number>()
  #sweeping: Promise<void> | undefined
  /** Transactions that were refused since a room could be looked at, and those of a room that still cannot. */
  #refusals = 0
  readonly #refused = new Map<RoomId, number>()
  /** How often a room could not be looked at, and since when. */
  readonly #failed = new Map<RoomId, { readonly times: number; readonly since: number }>()
  /** Transactions in a row that each came by a new connection. */
  #firsts = 0
  /** When where people talk was last due. */
  #suspected = 0

  constructor(deps: CatchUpDeps) {
    this.#deps = deps
  }

  /** The rooms are loaded. */
  async start(): Promise<void> {
    const { state, clock } = this.#deps.context
    const heard = Number(await state.get(HEARD))
    // A clock may have been set back.
    this.#heard = heard > 0 ? Math.min(heard, clock.now()) : clock.now()
    this.#all = this.#heard
    const linked = new Map(await state.list(LINKED))
    for (const { room, kind } of this.#deps.table.all())
      if (kind === 'channel') this.#linked.set(room, Number(linked.get(LINKED + room) ?? 0))
    const gone = [...linked.keys()].filter((key) => !this.#linked.has(key.slice(LINKED.length) as RoomId))
    if (gone.length > 0) await state.update(gone.map((key) => [key, undefined]))
  }

  /** The homeserver was away, or we were: all rooms are looked at, one after the other, lively ones first. */
  all(): void {
    // Those that could not be looked at are, too, also by who is at it.
    const owed = [...this.#due]
    this.#due.clear()
    const lately = [...this.#last.keys()].reverse()
    for (const room of lately) this.#owe(room)
    for (const { room } of this.#deps.table.all()) this.#owe(room)
    for (const [room, after] of owed) this.#due.set(room, after)
    this.#all = this.#deps.context.clock.now()
    this.#sweep()
  }

  /** The homeserver is still there. */
  alive(): void {
    if (Math.abs(this.#deps.context.clock.now() - this.#all) >= ALL_MS) this.all()
    else this.#sweep()
  }

  /**
   * Takes a transaction once nothing is missing before it; `first`: it came by a connection that brought none before.
   * Rejects when it should come again.
   */
  async transaction(body: unknown, first: boolean): Promise<void> {
    const places = placesIn(body)
    const rooms = [...new Set(places.map(({ room }) => room))]
    this.#firsts = first ? this.#firsts + 1 : 0
    if (first) await this.#suspect(rooms)
    const due = rooms.filter((room) => this.#due.has(room))
    const looks = await Promise.all(due.map(async (room) => ({ room, why: await this.#look(room) })))
    this.#admit(looks.filter(({ why }) => why !== undefined))
    this.#sweep()
    await this.#deps.take(body)
    this.#heard = this.#deps.context.clock.now()
    await this.#note(places)
    if (this.#heard - this.#written >= HEARD_MS) await this.#write()
  }

  /** It is no room of ours any more. What is said in it until it is one again is not for the other side. Never rejects. */
  async forget(room: RoomId): Promise<void> {
    for (const each of [this.#due, this.#last, this.#lookedAt, this.#refused, this.#failed]) each.delete(room)
    if (!this.#linked.delete(room)) return
    const { state, log } = this.#deps.context
    await state.update([[LINKED + room, undefined]]).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'since when a room was linked is left over')
    })
  }

  /** Resolves when nothing is looked at any more. */
  async settled(): Promise<void> {
    await this.#sweeping
  }

  /** It may be another homeserver than the one that brought the last: something may be missing where people talk. */
  async #suspect(rooms: readonly RoomId[]): Promise<void> {
    // Who was asked already may have answered too early.
    await Promise.all(rooms.flatMap((room) => this.#looking.get(room) ?? []))
    const now = this.#deps.context.clock.now()
    for (const room of rooms) this.#owe(room)
    if (this.#firsts > PROXY_AFTER && Math.abs(now - this.#suspected) < PROXY_MS) return
    this.#suspected = now
    for (const [room, { at }] of [...this.#last]) if (at >= now - RECENT_MS) this.#owe(room)
  }

  #admit(failures: readonly { readonly room: RoomId; readonly why: string | undefined }[]): void {
    const [failure] = failures
    if (failure === undefined) return
    const isRefused = this.#refusals < REFUSALS && failures.some(({ room }) => !this.#isHopeless(room))
    const { log } = this.#deps.context
    log.warn({ failure: failure.why, refused: isRefused }, 'what the homeserver may have forgotten was not fetched')
    if (!isRefused) return
    this.#refusals++
    for (const { room } of failures) this.#refused.set(room, (this.#refused.get(room) ?? 0) + 1)
    throw new Error('what was said before could not be fetched')
  }

  /** What others say does not wait for it any more. */
  #isHopeless(room: RoomId): boolean {
    return (this.#refused.get(room) ?? 0) >= REFUSALS
  }

  async #write(): Promise<void> {
    const { state, log } = this.#deps.context
    this.#written = this.#heard
    let upTo = this.#heard
    for (const after of this.#due.values()) upTo = Math.min(upTo, after)
    await state.update([[HEARD, String(upTo)]]).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'up to when everything came could not be written down')
    })
  }

  /** Insertion order is age. Where something may be missing, what came since says nothing. */
  async #note(places: readonly Place[]): Promise<void> {
    const { clock, state } = this.#deps.context
    const at = clock.now()
    const linked: RoomId[] = []
    for (const { room, event } of places) {
      const row = this.#deps.table.byRoom(room)
      if (row === undefined || this.#due.has(room)) continue
      const { events = [] } = this.#last.get(room) ?? {}
      this.#last.delete(room)
      this.#last.set(room, { events: [...events, event].slice(-OVERLAP), at })
      if (row.kind !== 'channel' || this.#linked.has(room)) continue
      this.#linked.set(room, at)
      linked.push(room)
    }
    if (linked.length > 0) await state.update(linked.map((room) => [LINKED + room, String(at)]))
  }

  #owe(room: RoomId): void {
    const now = this.#deps.context.clock.now()
    const row = this.#deps.table.byRoom(room)
    if (row === undefined || this.#due.has(room) || Math.abs(now - (this.#lookedAt.get(room) ?? 0)) < FRESH_MS) return
    // Nothing has come from a channel that is not known here: it was linked just now.
    const linked = row.kind === 'channel' ? (this.#linked.get(room) ?? now) : 0
    this.#due.set(room, Math.max(linked, Math.min(now, this.#last.get(room)?.at ?? this.#all) - MARGIN_MS))
  }

  /** Answers why it failed. Whoever asks for a room that is being looked at waits for that. */
  #look(room: RoomId): Promise<string | undefined> {
    const underway = this.#looking.get(room)
    if (underway !== undefined) return underway
    const look = this.#attempts(room).finally(() => this.#looking.delete(room))
    this.#looking.set(room, look)
    return look
  }

  async #attempts(room: RoomId): Promise<string | undefined> {
    const { context, life } = this.#deps
    const { clock } = context
    const started = clock.now()
    let failure = await this.#attempt(room)
    const waits = this.#refusals < REFUSALS && !this.#isHopeless(room) ? PATIENCE : []
    for (const patience of waits) {
      if (failure === undefined || life.aborted || clock.now() - started > ATTEMPTS_MS) break
      await clock.sleep(patience, life)
      failure = await this.#attempt(room)
    }
    if (failure !== undefined && !life.aborted) this.#failing(room, failure)
    return failure
  }

  /** One that fails for ever must not keep back up to when everything came: all since then is read at the next start. */
  #failing(room: RoomId, failure: string): void {
    const { clock, log } = this.#deps.context
    const { times, since } = this.#failed.get(room) ?? { times: 0, since: clock.now() }
    this.#failed.set(room, { times: times + 1, since })
    if (times + 1 < MAX_FAILURES || clock.now() - since < ALL_MS) return
    log.warn({ room, failure }, 'a room cannot be read: what the homeserver may have forgotten in it is left out')
    this.#failed.delete(room)
    this.#due.delete(room)
  }

  async #attempt(room: RoomId): Promise<string | undefined> {
    const { homeserver, context, take, network } = this.#deps
    const { clock, metrics } = context
    const after = this.#due.get(room)
    if (after === undefined) return undefined
    const asked = clock.now()
    const bounds = { after, known: this.#last.get(room)?.events ?? [] }
    const answer = await missedIn({ homeserver, room, bounds, now: () => clock.now() })
    if (!answer.ok) return answer.failure.detail
    const found = { events: answer.value }
    try {
      if (answer.value.length > 0) await take(found)
      this.#due.delete(room)
      await this.#note(placesIn(found))
    } catch (error) {
      return String(error)
    }
    this.#lookedAt.set(room, asked)
    this.#refusals = 0
    this.#refused.delete(room)
    this.#failed.delete(room)
    metrics.count('matrix_fetched_events', { network }, answer.value.length)
    return undefined
  }

  #sweep(): void {
    if (this.#due.size === 0) return
    this.#sweeping ??= this.#sweepAll().finally(() => {
      this.#sweeping = undefined
    })
  }

  async #sweepAll(): Promise<void> {
    const { context, life, network } = this.#deps
    const { clock, log, metrics } = context
    const show = (): void => metrics.gauge('matrix_rooms_to_look_at', this.#due.size, { network })
    for (const [room] of this.#due) {
      show()
      const failure = await this.#look(room)
      if (life.aborted) return
      if (failure !== undefined)
        log.warn({ failure, rooms: this.#due.size }, 'what the homeserver may have forgotten is looked for later')
      await clock.sleep(failure === undefined ? PACE_MS : AGAIN_MS, life)
    }
    show()
    // Nothing is missing up to when all were last due, also if nothing has come for long.
    if (this.#due.size === 0) this.#heard = Math.max(this.#heard, this.#all)
    await this.#write()
  }
}
