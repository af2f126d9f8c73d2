/** What was said in the conversations that chats of one network are part of. For the adapter of that network alone. */
import type { Clock, History, HistoryPoint, HistoryRange, Said } from './adapter.ts'
import { chatKey } from './ends.ts'
import type { FileRef } from './model/body.ts'
import type { MessageEvent } from './model/events.ts'
import type { ChatRef, EventId, NetworkId } from './model/ids.ts'
import { laneKey, laneOfLeg } from './place.ts'
import type { Found, Portals } from './portals.ts'
import type { SaidPoint, SaidRange, SaidRow, Store } from './store/port.ts'

export interface HistoryDeps {
  readonly store: Pick<Store, 'said' | 'saidPoint' | 'latestSaid' | 'eventOf'>
  readonly portals: Pick<Portals, 'find'>
  readonly clock: Pick<Clock, 'now'>
  /** As `HubDeps.linkOf`. */
  readonly linkOf?: (file: FileRef, at: number) => string
}

/** Messages of one answer; who wants more asks again. */
export const SAID_LIMIT = 1_000
/** Conversations that are looked through for one answer. */
export const CHATS_LIMIT = 10_000

/** No row has these numbers. */
const BEFORE_ALL = 0
const BEHIND_ALL = Number.MAX_SAFE_INTEGER

type Bound = SaidPoint | 'open' | 'unknown'

export class NetworkHistory implements History {
  readonly #network: NetworkId
  readonly #deps: HistoryDeps

  constructor(network: NetworkId, deps: HistoryDeps) {
    this.#network = network
    this.#deps = deps
  }

  async said(chat: ChatRef, { after, before, from, limit }: HistoryRange): Promise<readonly Said[]> {
    const found = this.#find(chat)
    if (found === undefined) return []
    const [lower, upper] = await Promise.all([
      this.#bound(found, chat, after, BEHIND_ALL),
      this.#bound(found, chat, before, BEFORE_ALL),
    ])
    if (lower === 'unknown' || upper === 'unknown') return []
    const range: SaidRange = {
      from,
      limit: Math.max(0, Math.min(limit, SAID_LIMIT)),
      ...(lower === 'open' ? {} : { after: lower }),
      ...(upper === 'open' ? {} : { before: upper }),
    }
    const rows = await this.#deps.store.said(found.portal.id, range)
    return rows.map((row) => this.#shown(row, chat))
  }

  async latest(chats: readonly ChatRef[], after: number, before: number, limit: number) {
    const portals = chats.slice(0, CHATS_LIMIT).flatMap((chat) => {
      const found = this.#find(chat)
      return found === undefined ? [] : [{ chat, portal: found.portal.id }]
    })
    const times = await this.#deps.store.latestSaid([...new Set(portals.map(({ portal }) => portal))], after, before)
    return portals
      .flatMap(({ chat, portal }) => {
        const at = times.get(portal)
        return at === undefined ? [] : [{ chat, at }]
      })
      .toSorted((a, b) => a.at - b.at)
      .slice(limit > 0 ? -limit : chats.length)
  }

  #find(chat: ChatRef): Found | undefined {
    return chat.network === this.#network ? this.#deps.portals.find(chat) : undefined
  }

  /** `row`: which of several messages of the same time the end is taken for. */
  async #bound({ portal, leg }: Found, chat: ChatRef, point: HistoryPoint | undefined, row: number): Promise<Bound> {
    if (point === undefined) return 'open'
    if (point.kind === 'time') return { at: point.at, row }
    const { store } = this.#deps
    const lane = laneOfLeg(leg) ?? laneKey(leg.via, { kind: 'chat', chat })
    // What is still under way to this chat has no receipt, but it will have this id there.
    const event = (await store.eventOf(chat, lane, point.id)) ?? (String(point.id) as EventId)
    return (await store.saidPoint(portal.id, event)) ?? 'unknown'
  }

  #shown({ id, event }: SaidRow, chat: ChatRef): Said {
    const isHere = chatKey(event.chat) === chatKey(chat)
    return { id: isHere ? event.id : (String(id) as Said['id']), event: this.#linked(event) }
  }

  /** The link that was made when it was said may work no more. */
  #linked(event: MessageEvent): MessageEvent {
    const { linkOf, clock } = this.#deps
    const { body } = event
    if (linkOf === undefined || body.kind !== 'file') return event
    return { ...event, body: { ...body, file: { ...body.file, url: linkOf(body.file, clock.now()) } } }
  }
}
