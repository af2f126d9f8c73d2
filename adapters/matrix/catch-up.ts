/**
 * What the homeserver has stored and never brought us: Synapse forgets the events that it is about to push when it ends. The
 * bot asks for everything since the last time, now and then and whenever the homeserver comes anew; what we have already
 * the intake knows by its id.
 */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import { isRoomId } from './ids.ts'
import { path } from './paths.ts'
import type { Answer, HomeserverPort, RoomId, RoomTable } from './types.ts'
import { isRecord, recordOf, textIn } from './untrusted.ts'

/** Up to where everything was asked for. */
const SINCE = 'catch-up/since'
/** Events of one room in one answer; more are asked for page by page. */
const PAGE = 100
/** Pages of one room; what is older than that is not fetched. */
const MAX_PAGES = 50
/** What a run waits before it asks again; a homeserver that is just starting may bring events before it answers. Milliseconds. */
const PATIENCE = [250, 500, 1_000, 2_000] as const
/** A run does not ask again after so long: the homeserver waits for our answer to a transaction for a minute. Milliseconds. */
const RUN_MS = 10_000
/** So many runs in a row fail before what comes next is taken all the same. */
const GIVEN_UP_AFTER = 3

const TYPES = [
  'm.room.message',
  'm.room.encrypted',
  'm.room.redaction',
  'm.room.member',
  'm.room.topic',
  'm.room.tombstone',
  'm.room.encryption',
  'm.room.power_levels',
  'm.reaction',
  'm.sticker',
]
const NONE = { types: [] }
const nothingElse = { presence: NONE, account_data: NONE }
/** Only the token, without a room. */
const START = JSON.stringify({ ...nothingElse, room: { rooms: [] } })
const SINCE_THEN = JSON.stringify({
  ...nothingElse,
  room: { timeline: { limit: PAGE, types: TYPES }, state: NONE, ephemeral: NONE, account_data: NONE },
})
const TYPES_OF_ROOM = JSON.stringify({ types: TYPES })

export interface CatchUpDeps {
  readonly network: NetworkId
  readonly context: Pick<AdapterContext, 'state' | 'log' | 'metrics' | 'clock'>
  readonly homeserver: Pick<HomeserverPort, 'request' | 'bot'>
  readonly table: Pick<RoomTable, 'all' | 'byRoom'>
  /** Resolves when they are on disk. */
  readonly take: (events: readonly unknown[]) => Promise<void>
  /** Aborts when the bridge stops. */
  readonly life: AbortSignal
}

export class CatchUp {
  readonly #deps: CatchUpDeps
  #running: Promise<boolean> | undefined
  /** Begins when the running one has ended. */
  #next: Promise<boolean> | undefined
  /** Runs that failed in a row. */
  #failures = 0
  /** Rooms that were linked the last time already: what was said in one before it was linked is not for the other side. */
  #linked: ReadonlySet<RoomId> = new Set()
  #unsupported = false

  constructor(deps: CatchUpDeps) {
    this.#deps = deps
  }

  /** The rooms are loaded. */
  start(): void {
    const channels = [...this.#deps.table.all()].filter(({ kind }) => kind === 'channel')
    this.#linked = new Set(channels.map(({ room }) => room))
  }

  /** The homeserver may be another version by now. */
  reset(): void {
    this.#unsupported = false
  }

  /**
   * Fetches what the homeserver had when this was called; calls that wait share a run. Never rejects. False: it failed, and
   * what the homeserver brings now would overtake what is missing; after three failures in a row that is not waited for.
   */
  run(): Promise<boolean> {
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return (this.#running = this.#attempts())
    // The one under way may have been answered before the last thing happened.
    this.#next = this.#running.then(() => {
      this.#next = undefined
      return (this.#running = this.#attempts())
    })
    return this.#next
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await (this.#next ?? this.#running)
  }

  async #attempts(): Promise<boolean> {
    const { context, life } = this.#deps
    const started = context.clock.now()
    let failure = await this.#attempt()
    for (const patience of PATIENCE) {
      if (failure === undefined || life.aborted || context.clock.now() - started > RUN_MS) break
      await context.clock.sleep(patience, life)
      failure = await this.#attempt()
    }
    this.#running = undefined
    this.#failures = failure === undefined ? 0 : this.#failures + 1
    if (failure === undefined) return true
    context.log.warn({ failure, failures: this.#failures }, 'what the homeserver may have forgotten was not fetched')
    return this.#failures >= GIVEN_UP_AFTER
  }

  /** Answers why it failed. */
  async #attempt(): Promise<string | undefined> {
    try {
      return await this.#fetch()
    } catch (error) {
      return String(error)
    }
  }

  async #fetch(): Promise<string | undefined> {
    if (this.#unsupported) return undefined
    const { context } = this.#deps
    const since = await context.state.get(SINCE)
    const answer = await this.#sync(since)
    if (!answer.ok) {
      this.#unsupported = answer.failure.kind === 'refused'
      if (!this.#unsupported) return answer.failure.detail
      if (since !== undefined) await context.state.update([[SINCE, undefined]])
      return undefined
    }
    const next = textIn(answer.value, 'next_batch')
    if (next === undefined) return undefined
    if (since !== undefined) await this.#take(answer.value, since)
    this.start()
    if (next !== since) await context.state.update([[SINCE, next]])
    return undefined
  }

  #sync(since: string | undefined): Promise<Answer<unknown>> {
    return this.#deps.homeserver.request<unknown>({
      method: 'GET',
      path: '/_matrix/client/v3/sync',
      query: {
        timeout: 0,
        set_presence: 'offline',
        ...(since === undefined ? { filter: START } : { filter: SINCE_THEN, since }),
      },
    })
  }

  async #take(answer: unknown, since: string): Promise<void> {
    const joined = recordOf(recordOf(recordOf(answer)['rooms'])['join'])
    for (const [room, about] of Object.entries(joined)) {
      if (!isRoomId(room) || !this.#isOurs(room)) continue
      const timeline = recordOf(recordOf(about)['timeline'])
      const { events, limited } = timeline
      const latest = Array.isArray(events) ? (events as readonly unknown[]) : []
      const from = textIn(timeline, 'prev_batch')
      const before = limited === true && from !== undefined ? await this.#before(room, from, since) : []
      const missing = this.#sinceJoin([...before, ...latest]).map((event) =>
        isRecord(event) ? { ...event, room_id: room } : event,
      )
      if (missing.length === 0) continue
      await this.#deps.take(missing)
      this.#deps.context.metrics.count('matrix_fetched_events', { network: this.#deps.network }, missing.length)
    }
  }

  #isOurs(room: RoomId): boolean {
    const row = this.#deps.table.byRoom(room)
    return row !== undefined && (row.kind !== 'channel' || this.#linked.has(room))
  }

  /** Between two tokens, oldest first. */
  async #before(room: RoomId, from: string, to: string): Promise<readonly unknown[]> {
    const pages: (readonly unknown[])[] = []
    let next: string | undefined = from
    for (let page = 0; next !== undefined && page < MAX_PAGES; page++) {
      const answer: Answer<unknown> = await this.#deps.homeserver.request<unknown>({
        method: 'GET',
        path: path`/_matrix/client/v3/rooms/${room}/messages`,
        query: { dir: 'b', from: next, to, limit: PAGE, filter: TYPES_OF_ROOM },
      })
      if (!answer.ok) throw new Error(answer.failure.detail)
      const { chunk } = recordOf(answer.value)
      if (Array.isArray(chunk)) pages.push((chunk as readonly unknown[]).toReversed())
      next = textIn(answer.value, 'end')
    }
    return pages.toReversed().flat()
  }

  /** A room that the bot has just entered shows what was said before, too. */
  #sinceJoin(events: readonly unknown[]): readonly unknown[] {
    const { bot } = this.#deps.homeserver
    const joined = events.findLastIndex((event) => {
      const { type, state_key, content } = recordOf(event)
      return type === 'm.room.member' && state_key === bot && recordOf(content)['membership'] === 'join'
    })
    return events.slice(joined + 1)
  }
}
