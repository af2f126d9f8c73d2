/**
 * Events of the homeserver, at least once and then once: on disk before the homeserver hears that we have them, known
 * again by their event id. Plain content goes straight to the bridge; what has to be acted on is written down first and
 * done after the answer, in order for each room, also after a crash.
 */
import type { AdapterState, Clock, Logger, Metrics } from '../../bridge/adapter.ts'
import type { Inbound } from '../../bridge/model/events.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import { readEvent, readTransaction } from './event-shape.ts'
import { writtenOf } from './untrusted.ts'
import type { EphemeralEvent, RoomEvent, RoomId } from './types.ts'

/** So many events may wait for their act; then the homeserver keeps the rest. */
export const MAX_WAITING = 10_000
/** So many acts are remembered as done, for a homeserver that brings them again. */
export const MAX_DONE = 10_000
/** An act that fails is tried again after these, milliseconds, and then given up. */
const RETRIES = [1_000, 5_000, 15_000, 60_000, 300_000] as const

const TODO = 'intake/todo/'
const DONE = 'intake/done/'

/** What plain content becomes: nothing (an echo of ours, something nobody bridges), or `undefined`: it needs acting. */
export type Direct = Inbound | readonly Inbound[] | 'nothing' | undefined

export interface IntakeDeps {
  readonly network: NetworkId
  readonly state: AdapterState
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** Pure. */
  readonly direct: (event: RoomEvent) => Direct
  /** Resolves when it is on disk. */
  readonly emit: (event: Inbound) => Promise<void>
  /** May be asked again for the same event after a crash or a failure. */
  readonly act: (event: RoomEvent, signal: AbortSignal) => Promise<void>
  readonly ephemeral: (event: EphemeralEvent) => void
  /** Takes a secret out of what is about to be stored; may be asked again for the same event. */
  readonly conceal: (event: RoomEvent) => RoomEvent
}

interface Waiting {
  readonly seq: number
  readonly event: RoomEvent
}

export class Intake {
  readonly #deps: IntakeDeps
  /** By event id; insertion order is age. */
  readonly #done = new Map<string, number>()
  readonly #known = new Set<string>()
  /** What waits, by room; a room in it has somebody at work. */
  readonly #rooms = new Map<RoomId, Waiting[]>()
  readonly #working = new Set<Promise<void>>()
  #stopping = new AbortController()
  #next = 0
  /** Transactions are taken one after the other, however they come. */
  #turn: Promise<void> = Promise.resolve()

  constructor(deps: IntakeDeps) {
    this.#deps = deps
  }

  /** Loads what was left, and goes on with it. */
  async start(): Promise<void> {
    const { state } = this.#deps
    this.#stopping = new AbortController()
    this.#done.clear()
    this.#known.clear()
    this.#rooms.clear()
    for (const [key, id] of await state.list(DONE)) this.#done.set(id, this.#seqOf(key, DONE))
    for (const [key, text] of await state.list(TODO)) {
      const event = readEvent(JSON.parse(text))
      if (event !== undefined) this.#enqueue({ seq: this.#seqOf(key, TODO), event })
    }
    for (const room of this.#rooms.keys()) this.#work(room)
  }

  /** No more is taken; what is being acted on may finish, and what waits is there at the next start. Twice is harmless. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#turn
    await Promise.all(this.#working)
  }

  /** How many events wait for their act. */
  get waiting(): number {
    return this.#known.size
  }

  /** Resolves when everything in it is on disk; a rejection is for the homeserver to bring it again. */
  transaction(body: unknown): Promise<void> {
    const taken = this.#turn.then(() => this.#take(body))
    this.#turn = taken.catch(() => undefined)
    return taken
  }

  async #take(body: unknown): Promise<void> {
    if (this.#stopping.signal.aborted) throw new Error('the bridge is stopping')
    const { events, ephemeral, malformed } = readTransaction(body)
    this.#count('malformed', malformed)
    const emits: Inbound[] = []
    const acts = new Map<string, RoomEvent>()
    const acting = new Set<RoomId>(this.#rooms.keys())
    for (const event of events) {
      if (this.#known.has(event.event_id) || this.#done.has(event.event_id) || acts.has(event.event_id)) {
        this.#count('again', 1)
        continue
      }
      const direct = this.#translate(event)
      const isBehind = acting.has(event.room_id)
      // What is said in a room that is about to become one of ours is only then something.
      if (direct === 'nothing' && (!isBehind || event.state_key !== undefined)) continue
      // Behind what waits in its room: order is kept.
      if (direct === undefined || isBehind) {
        acting.add(event.room_id)
        acts.set(event.event_id, event)
      } else if (direct !== 'nothing') emits.push(...listOf(direct))
    }
    // One transaction is taken however large it is: it would not become smaller.
    if (this.#known.size > 0 && acts.size > 0 && this.#known.size + acts.size > MAX_WAITING)
      throw new Error(`${this.#known.size} events wait to be acted on already`)
    await Promise.all(emits.map((event) => this.#deps.emit(event)))
    this.#count('emitted', emits.length)
    if (acts.size > 0) await this.#writeDown([...acts.values()])
    for (const event of ephemeral) this.#pass(event)
  }

  async #writeDown(events: readonly RoomEvent[]): Promise<void> {
    const rows = events.flatMap((event) => this.#row(event) ?? [])
    const waiting = rows.map(({ event }, index) => ({ seq: this.#next + index, event }))
    await this.#deps.state.update(rows.map(({ text }, index) => [keyOf(TODO, this.#next + index), text]))
    const idle = new Set(waiting.map(({ event }) => event.room_id).filter((room) => !this.#rooms.has(room)))
    for (const each of waiting) this.#enqueue(each)
    for (const room of idle) this.#work(room)
    this.#count('written', waiting.length)
  }

  /** undefined: it cannot be written down, and would keep out all that come after it if we waited until it can. */
  #row(event: RoomEvent): { readonly event: RoomEvent; readonly text: string } | undefined {
    const concealed = this.#deps.conceal(event)
    const text = writtenOf(concealed)
    if (text !== undefined) return { event: concealed, text }
    this.#deps.log.warn({ event: event.event_id, type: event.type }, 'an event is nested too deep and was left out')
    this.#count('malformed', 1)
    return undefined
  }

  #enqueue(waiting: Waiting): void {
    const { room_id, event_id } = waiting.event
    const queue = this.#rooms.get(room_id)
    if (queue === undefined) this.#rooms.set(room_id, [waiting])
    else queue.push(waiting)
    this.#known.add(event_id)
    this.#next = Math.max(this.#next, waiting.seq + 1)
    this.#deps.metrics.gauge('matrix_intake_waiting', this.#known.size, { network: this.#deps.network })
  }

  /** Goes on until nothing waits in the room. */
  #work(room: RoomId): void {
    const work = this.#workOff(room).finally(() => this.#working.delete(work))
    this.#working.add(work)
  }

  async #workOff(room: RoomId): Promise<void> {
    const { signal } = this.#stopping
    for (;;) {
      const head = this.#rooms.get(room)?.[0]
      if (head === undefined) break
      await this.#finish(head, signal)
      if (signal.aborted && this.#rooms.get(room)?.[0] === head) return
    }
    this.#rooms.delete(room)
  }

  /** Acts until it is done and that is on disk. Leaves the event where it is when the bridge stops. */
  async #finish({ seq, event }: Waiting, signal: AbortSignal): Promise<void> {
    const { clock, log, state } = this.#deps
    const stopping = (): boolean => signal.aborted
    for (let failures = 0; !stopping();) {
      const fault = await this.#act(event, signal)
      const wait = fault === undefined ? undefined : RETRIES[failures]
      if (fault !== undefined && stopping()) return
      if (fault !== undefined) {
        log.warn(
          { event: event.event_id, type: event.type, detail: fault, again: wait !== undefined },
          'an event could not be acted on',
        )
        failures++
      }
      if (wait !== undefined) {
        await clock.sleep(wait, signal)
        continue
      }
      try {
        await state.update([[keyOf(TODO, seq), undefined], [keyOf(DONE, seq), event.event_id], ...this.#oldest()])
        this.#settled(seq, event, fault === undefined ? 'acted' : 'given-up')
        return
      } catch {
        // The disk refuses: that is why the act failed, too, if it did.
        failures = 0
        await clock.sleep(RETRIES[1], signal)
      }
    }
  }

  /** What went wrong, if something did. */
  async #act(event: RoomEvent, signal: AbortSignal): Promise<string | undefined> {
    try {
      const direct = this.#deps.direct(event)
      if (direct === undefined) await this.#deps.act(event, signal)
      else if (direct !== 'nothing') await Promise.all(listOf(direct).map((each) => this.#deps.emit(each)))
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #settled(seq: number, event: RoomEvent, what: 'acted' | 'given-up'): void {
    this.#done.set(event.event_id, seq)
    this.#known.delete(event.event_id)
    this.#rooms.get(event.room_id)?.shift()
    this.#count(what, 1)
    this.#deps.metrics.gauge('matrix_intake_waiting', this.#known.size, { network: this.#deps.network })
  }

  /** Forgets the oldest that are too many. */
  #oldest(): readonly (readonly [string, undefined])[] {
    const gone: (readonly [string, undefined])[] = []
    for (const [id, seq] of this.#done) {
      if (this.#done.size < MAX_DONE) break
      this.#done.delete(id)
      gone.push([keyOf(DONE, seq), undefined])
    }
    return gone
  }

  /** A bug in the translation of one event must not keep out all that come after it. */
  #translate(event: RoomEvent): Direct {
    try {
      return this.#deps.direct(event)
    } catch (error) {
      this.#deps.log.error(
        { event: event.event_id, type: event.type, error: String(error) },
        'an event could not be read',
      )
      this.#count('failed', 1)
      return 'nothing'
    }
  }

  #pass(event: EphemeralEvent): void {
    try {
      this.#deps.ephemeral(event)
    } catch (error) {
      this.#deps.log.error({ type: event.type, error: String(error) }, 'a passing event could not be read')
    }
  }

  #seqOf(key: string, prefix: string): number {
    const seq = Number(key.slice(prefix.length))
    this.#next = Math.max(this.#next, seq + 1)
    return seq
  }

  #count(what: string, by: number): void {
    if (by > 0) this.#deps.metrics.count('matrix_events', { network: this.#deps.network, what }, by)
  }
}

const listOf = (direct: Inbound | readonly Inbound[]): readonly Inbound[] =>
  Array.isArray(direct) ? (direct as readonly Inbound[]) : [direct as Inbound]

/** So that keys are in order. */
const keyOf = (prefix: string, seq: number): string => `${prefix}${String(seq).padStart(15, '0')}`
