/** Portals by all that they are looked for by. A change of one portal costs as much as that portal, however many there are. */
import { chatKey, directKey, endKey, lobbyKey, type Draft } from './ends.ts'
import type { AccountId, ChatRef, PortalId, UserId } from './model/ids.ts'
import { laneOfLeg } from './place.ts'
import type { LaneKey, Leg, LegId, Portal } from './store/port.ts'

export interface Found {
  readonly portal: Portal
  readonly leg: Leg
}

type Legs = Map<LegId, Found>

export class PortalIndex {
  readonly #portals = new Map<PortalId, Portal>()
  readonly #byChat = new Map<string, Found>()
  readonly #byEnd = new Map<string, Found>()
  readonly #byLeg: Legs = new Map()
  readonly #byLane = new Map<LaneKey, Found>()
  readonly #byAccount = new Map<AccountId, Legs>()
  /** Those of `#byAccount` that have several people behind them. */
  readonly #several = new Map<AccountId, Legs>()
  /** How many portals two accounts have in common. */
  readonly #common = new Map<AccountId, Map<AccountId, number>>()

  clear(): void {
    for (const id of [...this.#portals.keys()]) this.remove(id)
  }

  /** Replaces the portal of the same id. */
  put(portal: Portal): void {
    this.remove(portal.id)
    this.#portals.set(portal.id, portal)
    for (const leg of portal.legs) {
      const found: Found = { portal, leg }
      this.#byLeg.set(leg.id, found)
      this.#byEnd.set(endKey(leg), found)
      if (leg.chat !== undefined) this.#byChat.set(chatKey(leg.chat), found)
      const lane = laneOfLeg(leg)
      if (lane !== undefined) this.#byLane.set(lane, found)
      legsIn(this.#byAccount, leg.via).set(leg.id, found)
      if (hasSeveral(leg)) legsIn(this.#several, leg.via).set(leg.id, found)
    }
    this.#count(portal, 1)
  }

  remove(id: PortalId): void {
    const portal = this.#portals.get(id)
    if (portal === undefined) return
    this.#portals.delete(id)
    for (const leg of portal.legs) {
      this.#byLeg.delete(leg.id)
      // Another portal may have taken this end over by now.
      drop(this.#byEnd, endKey(leg), leg)
      if (leg.chat !== undefined) drop(this.#byChat, chatKey(leg.chat), leg)
      const lane = laneOfLeg(leg)
      if (lane !== undefined) drop(this.#byLane, lane, leg)
      for (const legs of [this.#byAccount, this.#several]) {
        const own = legs.get(leg.via)
        own?.delete(leg.id)
        if (own?.size === 0) legs.delete(leg.via)
      }
    }
    this.#count(portal, -1)
  }

  all(): readonly Portal[] {
    return [...this.#portals.values()]
  }

  get(id: PortalId): Portal | undefined {
    return this.#portals.get(id)
  }

  leg(id: LegId): Found | undefined {
    return this.#byLeg.get(id)
  }

  find(chat: ChatRef): Found | undefined {
    return this.#byChat.get(chatKey(chat))
  }

  end(draft: Draft): Found | undefined {
    return this.#byEnd.get(endKey(draft))
  }

  lane(lane: LaneKey): Found | undefined {
    return this.#byLane.get(lane)
  }

  lobbyOf(account: AccountId): Found | undefined {
    return this.#byEnd.get(lobbyKey(account))
  }

  directWith(account: AccountId, user: UserId): Found | undefined {
    return this.#byEnd.get(directKey(account, user))
  }

  legsVia(account: AccountId): Iterable<Found> {
    return this.#byAccount.get(account)?.values() ?? []
  }

  severalVia(account: AccountId): Iterable<Found> {
    return this.#several.get(account)?.values() ?? []
  }

  linkedWith(account: AccountId): readonly AccountId[] {
    return [...(this.#common.get(account)?.keys() ?? [])]
  }

  #count(portal: Portal, by: 1 | -1): void {
    const accounts = [...new Set(portal.legs.map(({ via }) => via))]
    for (const account of accounts) {
      const common = this.#common.get(account) ?? new Map<AccountId, number>()
      for (const other of accounts) {
        if (other === account) continue
        const count = (common.get(other) ?? 0) + by
        if (count > 0) common.set(other, count)
        else common.delete(other)
      }
      if (common.size > 0) this.#common.set(account, common)
      else this.#common.delete(account)
    }
  }
}

const hasSeveral = ({ request: { kind } }: Leg): boolean => kind === 'group' || kind === 'chat' || kind === 'lobby'

const legsIn = (accounts: Map<AccountId, Legs>, account: AccountId): Legs => {
  const legs = accounts.get(account) ?? new Map<LegId, Found>()
  accounts.set(account, legs)
  return legs
}

const drop = <Key>(index: Map<Key, Found>, key: Key, leg: Leg): void => {
  if (index.get(key)?.leg.id === leg.id) index.delete(key)
}
