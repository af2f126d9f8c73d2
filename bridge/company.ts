/** Who takes part in channels, for chats elsewhere that show each of them. The newest list is the whole; nothing is stored. */
import type { Ephemeral } from './ephemeral.ts'
import { chatKey } from './ends.ts'
import type { Capabilities } from './model/capabilities.ts'
import type { PassingInbound } from './model/events.ts'
import { shownName } from './names.ts'
import { placeOf } from './place.ts'
import type { Found, Portals } from './portals.ts'
import type { Leg, LegId, Portal } from './store/port.ts'

/** Channels of which it is remembered; of more, the one that changed least lately is forgotten. */
const CHANNELS_LIMIT = 1_000

export type CompanyEvent = Extract<PassingInbound, { kind: 'company' }>

export interface CompanyDeps {
  readonly portals: Pick<Portals, 'find' | 'get'>
  readonly ephemeral: Pick<Ephemeral, 'send'>
  readonly capabilitiesOf: (leg: Leg) => Capabilities | 'unknown' | undefined
}

export class Company {
  readonly #deps: CompanyDeps
  /** By chat, also of channels that nobody has linked yet. */
  readonly #known = new Map<string, CompanyEvent['people']>()
  /** Legs that show somebody. */
  readonly #showing = new Set<LegId>()

  constructor(deps: CompanyDeps) {
    this.#deps = deps
  }

  accept({ chat, people }: CompanyEvent): void {
    const key = chatKey(chat)
    this.#known.delete(key)
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && this.#known.size >= CHANNELS_LIMIT) this.#known.delete(oldest)
    const named = people.map(({ user, name }) => ({ user, name: shownName(name, user.user) }))
    if (named.length > 0) this.#known.set(key, named)
    const found = this.#deps.portals.find(chat)
    if (found !== undefined) this.#spread(found)
  }

  /** A chat was opened: it learns of the others, and they of it. */
  opened(found: Found): void {
    const { chat } = found.leg
    if (chat !== undefined && this.#known.has(chatKey(chat))) this.#spread(found)
    this.#tell(found.portal, found.leg)
  }

  /** Who was behind them takes part no more. */
  left(legs: readonly Leg[]): void {
    for (const { id, portal } of legs) {
      this.#showing.delete(id)
      const rest = this.#deps.portals.get(portal)
      for (const leg of rest?.legs ?? []) if (rest !== undefined) this.#tell(rest, leg)
    }
  }

  #spread({ portal, leg }: Found): void {
    for (const other of portal.legs) if (other.id !== leg.id) this.#tell(portal, other)
  }

  #of(portal: Portal, leg: Leg): CompanyEvent['people'] {
    return portal.legs.flatMap((other) =>
      other.id === leg.id || other.chat === undefined ? [] : (this.#known.get(chatKey(other.chat)) ?? []),
    )
  }

  #tell(portal: Portal, leg: Leg): void {
    const { ephemeral, capabilitiesOf } = this.#deps
    const place = placeOf(leg.request)
    const able = capabilitiesOf(leg)
    if (place === undefined || leg.flow === 'in' || able === undefined || able === 'unknown') return
    const people = this.#of(portal, leg)
    if (able.ops.company !== 'native' || (people.length === 0 && !this.#showing.delete(leg.id))) return
    if (people.length > 0) this.#showing.add(leg.id)
    ephemeral.send(leg.via, place, { kind: 'company', people })
  }
}
