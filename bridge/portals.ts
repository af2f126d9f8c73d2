/** Which chats are one conversation. In memory, backed by the store. */
import type { AccountId, ChatId, ChatRef, NetworkId, PortalId, UserId } from './model/ids.ts'
import { laneOfLeg } from './place.ts'
import type { LaneKey, Leg, LegId, Portal, PortalKind, PortalOrigin, Store } from './store/port.ts'
import { placeName } from './tell.ts'

export type { Leg, LegId, Portal, PortalOrigin } from './store/port.ts'

/** One end of a link, parsed by its adapter (`linkEnd` in link.ts does that). */
export type LinkEnd =
  | { readonly kind: 'contact'; readonly network: NetworkId; readonly account: AccountId; readonly user: UserId }
  | {
      readonly kind: 'group'
      readonly network: NetworkId
      readonly account: AccountId
      readonly members: readonly UserId[]
    }
  | { readonly kind: 'lobby'; readonly network: NetworkId; readonly account: AccountId }
  | { readonly kind: 'channel'; readonly network: NetworkId; readonly account: AccountId; readonly chat: ChatId }

export type LinkResult =
  { readonly kind: 'linked'; readonly portal: Portal } | { readonly kind: 'refused'; readonly detail: string }

export interface Found {
  readonly portal: Portal
  readonly leg: Leg
}

const chatKey = (chat: ChatRef): string => `${chat.network}\n${chat.account ?? ''}\n${chat.chat}`

const requestOf = (end: LinkEnd): Leg['request'] => {
  switch (end.kind) {
    case 'contact':
      return { kind: 'direct', with: end.user }
    case 'group':
      return { kind: 'group', members: end.members }
    case 'lobby':
      return { kind: 'lobby' }
    case 'channel':
      return { kind: 'channel', name: end.chat }
  }
}

/** The same for two ends that are one chat. A channel is the same whoever reads it. */
const endKey = (network: NetworkId, via: AccountId, request: Leg['request']): string => {
  switch (request.kind) {
    case 'direct':
      return `direct\n${via}\n${request.with}`
    case 'group':
      return ['group', via, ...new Set(request.members.toSorted())].join('\n')
    case 'channel':
      return `channel\n${network}\n${request.name}`
    case 'lobby':
      return `lobby\n${via}`
    case 'portal':
      return `portal\n${via}\n${request.portal}`
    case 'home':
      return `home\n${via}\n${request.user}`
    case 'chat':
      return `chat\n${via}\n${chatKey(request.chat)}`
  }
}

const keyOfEnd = (end: LinkEnd): string => endKey(end.network, end.account, requestOf(end))
const keyOfLeg = (leg: Leg): string => endKey(leg.network, leg.via, leg.request)

const kindOf = (requests: readonly Leg['request'][]): PortalKind => {
  for (const kind of ['lobby', 'group', 'direct'] as const) if (requests.some((one) => one.kind === kind)) return kind
  return 'channel'
}

/** "contact bob@home.example", "channel #friends", "the lobby of relay". */
export const describeLeg = (leg: Leg): string => {
  switch (leg.request.kind) {
    case 'direct':
      return `contact ${placeName(leg.request)}`
    case 'group':
      return `group of ${placeName(leg.request)}`
    case 'channel':
      return `channel ${placeName(leg.request)}`
    case 'lobby':
      return `the lobby of ${leg.via}`
    case 'portal':
      return `portal of ${leg.request.owner}`
    case 'home':
      return `home of ${leg.request.user}`
    case 'chat':
      return `chat ${leg.request.chat.chat}`
  }
}

export class Portals {
  readonly #store: Store
  readonly #mint: () => string
  readonly #linked: (portal: Portal) => void
  readonly #portals = new Map<PortalId, Portal>()
  #byChat = new Map<string, Found>()
  #byEnd = new Map<string, Found>()
  #byLeg = new Map<LegId, Found>()
  #byLane = new Map<LaneKey, Found>()
  #byAccount = new Map<AccountId, Found[]>()
  #revision = 0
  #changing: Promise<unknown> = Promise.resolve()

  /** `mint`: a name that nothing else has. `linked`: a portal was made by command; its chats want to be opened. */
  constructor(store: Store, mint: () => string, linked: (portal: Portal) => void = () => undefined) {
    this.#store = store
    this.#mint = mint
    this.#linked = linked
  }

  /**
   * Loads, then makes the config's links true: added, removed, changed; an end that stays keeps its chat. Links made by
   * command stay. Answers a sentence for each link that it could not make.
   */
  async start(links: readonly (readonly LinkEnd[])[]): Promise<readonly string[]> {
    this.#portals.clear()
    for (const portal of await this.#store.portals()) this.#portals.set(portal.id, portal)
    this.#index()
    const problems: string[] = []
    const claimed = new Set<string>()
    const free = new Set([...this.#portals.values()].filter((portal) => portal.origin === 'config'))
    const put: Portal[] = []
    for (const ends of links) {
      const problem = this.#problem(ends, (found) => found.portal.origin === 'config', claimed)
      if (problem !== undefined) {
        problems.push(problem)
        continue
      }
      const keys = ends.map(keyOfEnd)
      for (const key of keys) claimed.add(key)
      const before = mostAlike([...free], keys)
      if (before !== undefined) free.delete(before)
      const portal = this.#made(ends, 'config', before)
      if (before === undefined || !same(before, portal)) put.push(portal)
    }
    const gone = [...free].map((portal) => portal.id)
    if (put.length > 0 || gone.length > 0) await this.#write(put, gone)
    return problems
  }

  /** Changes with every change of links. */
  get revision(): number {
    return this.#revision
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

  /** By what was linked, whether opened or not. */
  findEnd(end: LinkEnd): Found | undefined {
    return this.#byEnd.get(keyOfEnd(end))
  }

  byLane(lane: LaneKey): Found | undefined {
    return this.#byLane.get(lane)
  }

  lobbyOf(account: AccountId): Found | undefined {
    return this.#byEnd.get(`lobby\n${account}`)
  }

  directWith(account: AccountId, user: UserId): Found | undefined {
    return this.#byEnd.get(`direct\n${account}\n${user}`)
  }

  /** Legs through which this account reads and speaks. */
  legsVia(account: AccountId): readonly Found[] {
    return this.#byAccount.get(account) ?? []
  }

  link(ends: readonly LinkEnd[], origin: PortalOrigin = 'command'): Promise<LinkResult> {
    return this.#inTurn(() => this.#link(ends, origin))
  }

  /** Takes an end out; a portal with one end left goes with it. */
  unlink(leg: LegId): Promise<LinkResult> {
    return this.#inTurn(() => this.#unlink(leg))
  }

  remove(portal: PortalId): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!this.#portals.has(portal)) return false
      await this.#write([], [portal])
      return true
    })
  }

  /** One change after the other: two people may want the same chat at the same time. */
  #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#changing.then(change)
    this.#changing = result.catch(() => undefined)
    return result
  }

  async #link(ends: readonly LinkEnd[], origin: PortalOrigin): Promise<LinkResult> {
    const detail = this.#problem(ends, () => false, new Set())
    if (detail !== undefined) return { kind: 'refused', detail }
    const portal = this.#made(ends, origin, undefined)
    await this.#write([portal], [])
    this.#linked(portal)
    return { kind: 'linked', portal }
  }

  async #unlink(leg: LegId): Promise<LinkResult> {
    const found = this.#byLeg.get(leg)
    if (found === undefined) return { kind: 'refused', detail: 'There is no such link.' }
    const { portal } = found
    if (portal.origin === 'config')
      return { kind: 'refused', detail: 'This link stands in the config file: take it out there.' }
    const legs = portal.legs.filter((one) => one.id !== leg)
    const left: Portal = { ...portal, legs, kind: kindOf(legs.map((one) => one.request)) }
    await (legs.length < 2 ? this.#write([], [portal.id]) : this.#write([left], []))
    return { kind: 'linked', portal: left }
  }

  /** `Session.open` has answered. In memory at once; rejects when it could not be stored. */
  async opened(id: LegId, chat: ChatRef): Promise<void> {
    const found = this.#byLeg.get(id)
    if (found === undefined) return
    const before = found.leg.chat
    if (before !== undefined && chatKey(before) === chatKey(chat)) return
    const legs = found.portal.legs.map((leg) => (leg.id === id ? { ...leg, chat } : leg))
    this.#portals.set(found.portal.id, { ...found.portal, legs })
    this.#index()
    await this.#store.setLegChat(id, chat)
  }

  describe(leg: Leg): string {
    return describeLeg(leg)
  }

  #problem(
    ends: readonly LinkEnd[],
    mayTake: (found: Found) => boolean,
    claimed: ReadonlySet<string>,
  ): string | undefined {
    const keys = ends.map(keyOfEnd)
    if (keys.length < 2) return 'A link needs two ends at least.'
    if (new Set(keys).size < keys.length) return 'A link cannot have the same end twice.'
    if (ends.every((end) => end.kind === 'lobby')) return 'A lobby must be linked to a channel, not to another lobby.'
    for (const end of ends) {
      const key = keyOfEnd(end)
      const found = this.#byEnd.get(key)
      if (!claimed.has(key) && (found === undefined || mayTake(found))) continue
      const what = describeLeg({ ...emptyLeg, network: end.network, via: end.account, request: requestOf(end) })
      const others = found?.portal.legs.filter((leg) => leg.id !== found.leg.id).map(describeLeg) ?? []
      const to = claimed.has(key) || others.length === 0 ? 'by another link' : `to ${others.join(' and ')}`
      return `${what} is linked ${to} already: unlink it there first.`
    }
    return undefined
  }

  #made(ends: readonly LinkEnd[], origin: PortalOrigin, before: Portal | undefined): Portal {
    const id = before?.id ?? (`p${this.#mint()}` as PortalId)
    const known = new Map(before?.legs.map((leg) => [keyOfLeg(leg), leg]))
    const legs = ends.map((end): Leg => {
      const request = requestOf(end)
      const kept = known.get(keyOfEnd(end))
      if (kept?.via === end.account) return kept
      return {
        id: `l${this.#mint()}` as LegId,
        portal: id,
        network: end.network,
        via: end.account,
        request,
        flow: 'both',
      }
    })
    return { id, origin, kind: kindOf(legs.map((leg) => leg.request)), legs }
  }

  async #write(put: readonly Portal[], gone: readonly PortalId[]): Promise<void> {
    await this.#store.updatePortals(put, gone)
    for (const id of gone) this.#portals.delete(id)
    for (const portal of put) this.#portals.set(portal.id, this.#withChats(portal))
    this.#index()
  }

  /** A chat may have been opened while the disk was busy. */
  #withChats(portal: Portal): Portal {
    const legs = portal.legs.map((leg) => {
      const chat = leg.chat ?? this.#byLeg.get(leg.id)?.leg.chat
      return chat === undefined ? leg : { ...leg, chat }
    })
    return { ...portal, legs }
  }

  #index(): void {
    this.#revision++
    this.#byChat = new Map()
    this.#byEnd = new Map()
    this.#byLeg = new Map()
    this.#byLane = new Map()
    this.#byAccount = new Map()
    for (const portal of this.#portals.values())
      for (const leg of portal.legs) {
        const found: Found = { portal, leg }
        this.#byLeg.set(leg.id, found)
        this.#byEnd.set(keyOfLeg(leg), found)
        if (leg.chat !== undefined) this.#byChat.set(chatKey(leg.chat), found)
        const lane = laneOfLeg(leg)
        if (lane !== undefined) this.#byLane.set(lane, found)
        this.#byAccount.set(leg.via, [...(this.#byAccount.get(leg.via) ?? []), found])
      }
  }
}

const emptyLeg = { id: '' as LegId, portal: '' as PortalId, flow: 'both' } as const

const mostAlike = (portals: readonly Portal[], keys: readonly string[]): Portal | undefined => {
  let best: Portal | undefined
  let most = 0
  for (const portal of portals) {
    const shared = portal.legs.filter((leg) => keys.includes(keyOfLeg(leg))).length
    if (shared > most) [best, most] = [portal, shared]
  }
  return best
}

const same = (a: Portal, b: Portal): boolean =>
  a.kind === b.kind && a.legs.length === b.legs.length && a.legs.every((leg, index) => leg === b.legs[index])
