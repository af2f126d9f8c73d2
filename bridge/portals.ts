/** Which chats are one conversation. In memory, backed by the store. */
import { describeLeg, type Draft, draftOf, endKey, kindOf, type LinkEnd, madeItself } from './ends.ts'
import type { AccountId, ChatRef, PortalId, UserId } from './model/ids.ts'
import { type Found, PortalIndex } from './portal-index.ts'
import type { LaneKey, Leg, LegId, Portal, PortalOrigin, Store } from './store/port.ts'

export { describeLeg, type Draft, type LinkEnd } from './ends.ts'
export type { Found } from './portal-index.ts'
export type { Leg, LegId, Portal, PortalOrigin } from './store/port.ts'

export type LinkResult =
  { readonly kind: 'linked'; readonly portal: Portal } | { readonly kind: 'refused'; readonly detail: string }

export interface PortalHooks {
  /** There are new legs: their chats want to be opened. */
  readonly linked?: (portal: Portal) => void
  /** These legs go, in the same commit: resolves when that is remembered, so that their chats are left for sure. */
  readonly leaving?: (legs: readonly Leg[], end: LegEnd) => Promise<void>
  /** They are gone. */
  readonly left?: (legs: readonly Leg[], end: LegEnd) => void
}

/** What becomes of what waits for a leg that goes. */
export type LegEnd = 'delivered' | 'given-up'

type MayTake = (found: Found) => boolean

export class Portals {
  readonly #store: Store
  readonly #mint: () => string
  readonly #hooks: PortalHooks
  readonly #index = new PortalIndex()
  #revision = 0
  #changing: Promise<unknown> = Promise.resolve()

  /** `mint`: a name that nothing else has. */
  constructor(store: Store, mint: () => string, hooks: PortalHooks = {}) {
    this.#store = store
    this.#mint = mint
    this.#hooks = hooks
  }

  /**
   * Loads, then makes the config's links true: added, removed, changed; an end that stays keeps its chat, and a chat that
   * somebody has of it where they live. Links made by command stay. Answers a sentence for each link that it could not make.
   */
  async start(links: readonly (readonly LinkEnd[])[]): Promise<readonly string[]> {
    this.#index.clear()
    for (const portal of await this.#store.portals()) this.#index.put(portal)
    this.#revision++
    const problems: string[] = []
    const claimed = new Set<string>()
    const free = new Set(this.all().filter((portal) => portal.origin === 'config'))
    const put: Portal[] = []
    const absorbed = new Set<PortalId>()
    for (const ends of links) {
      const drafts = ends.map(draftOf)
      const problem = this.#problem(drafts, givesWay, claimed)
      if (problem !== undefined) {
        problems.push(problem)
        continue
      }
      const keys = drafts.map(endKey)
      for (const key of keys) claimed.add(key)
      const taken = drafts.map((draft) => this.#index.end(draft)?.portal).filter((one) => one !== undefined)
      const before = mostAlike([...free], keys) ?? taken.find((one) => madeItself(one) && !absorbed.has(one.id))
      if (before !== undefined) free.delete(before)
      for (const one of taken) if (madeItself(one)) absorbed.add(one.id)
      const portal = this.#made([...drafts, ...this.#homesOf(drafts)], 'config', before)
      if (before === undefined || !same(before, portal)) put.push(portal)
    }
    const left = [...free].map((portal) => withoutLink(portal, claimed))
    put.push(...left.filter((portal) => portal.legs.length > 0))
    const kept = new Set(put.map(({ id }) => id))
    const gone = [...[...free].map(({ id }) => id), ...absorbed].filter((id) => !kept.has(id))
    if (put.length > 0 || gone.length > 0) await this.#write(put, gone)
    return problems
  }

  /** Changes with every change of links. */
  get revision(): number {
    return this.#revision
  }

  all(): readonly Portal[] {
    return this.#index.all()
  }

  get(id: PortalId): Portal | undefined {
    return this.#index.get(id)
  }

  leg(id: LegId): Found | undefined {
    return this.#index.leg(id)
  }

  find(chat: ChatRef): Found | undefined {
    return this.#index.find(chat)
  }

  /** By what was linked, whether opened or not. */
  findEnd(end: LinkEnd): Found | undefined {
    return this.#index.end(draftOf(end))
  }

  /** The leg that is the same end as this one. */
  sameEnd(draft: Draft): Found | undefined {
    return this.#index.end(draft)
  }

  byLane(lane: LaneKey): Found | undefined {
    return this.#index.lane(lane)
  }

  lobbyOf(account: AccountId): Found | undefined {
    return this.#index.lobbyOf(account)
  }

  directWith(account: AccountId, user: UserId): Found | undefined {
    return this.#index.directWith(account, user)
  }

  /** Legs through which this account reads and speaks. */
  legsVia(account: AccountId): readonly Found[] {
    return [...this.#index.legsVia(account)]
  }

  /** Those of them with several people behind: groups, chats and the lobby. */
  severalVia(account: AccountId): Iterable<Found> {
    return this.#index.severalVia(account)
  }

  /** Accounts on the other legs of all that is linked through this one. */
  linkedWith(account: AccountId): readonly AccountId[] {
    return this.#index.linkedWith(account)
  }

  /** `many`: it may get further ends on a network that it has already. */
  link(ends: readonly LinkEnd[], origin: PortalOrigin = 'command', many = false): Promise<LinkResult> {
    return this.#inTurn(() => this.#link(ends, origin, many))
  }

  /** Takes an end out; a portal with one end left goes with it. */
  unlink(leg: LegId): Promise<LinkResult> {
    return this.#inTurn(() => this.#unlink(leg))
  }

  /** With all its legs; what waits for them is given up. */
  remove(portal: PortalId): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.get(portal) === undefined) return false
      await this.#write([], [portal], 'given-up')
      return true
    })
  }

  /**
   * The conversation of this end with a chat for each of its people where they live: made if there is none, else only what
   * is missing is added. `homes`: the other legs, for a portal of that id. Rejects when it could not be stored.
   */
  make(end: Draft, homes: (portal: PortalId) => readonly Draft[]): Promise<Portal> {
    return this.#inTurn(async () => {
      const known = (this.#index.end(end) ?? (end.chat === undefined ? undefined : this.find(end.chat)))?.portal
      const id = known?.id ?? this.#id()
      const missing = homes(id).filter((home) => known === undefined || !hasHome(known, home))
      if (known !== undefined && missing.length === 0) return known
      const legs = [...(known?.legs ?? [end]), ...missing]
      const portal = this.#made(legs, known?.origin ?? 'command', known, id)
      await this.#write([portal], [])
      this.#hooks.linked?.(portal)
      return this.get(portal.id) ?? portal
    })
  }

  /** One change after the other: two people may want the same chat at the same time. */
  #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#changing.then(change)
    this.#changing = result.catch(() => undefined)
    return result
  }

  async #link(ends: readonly LinkEnd[], origin: PortalOrigin, many: boolean): Promise<LinkResult> {
    const drafts = ends.map(draftOf)
    const grown = this.#grown(drafts, many)
    const detail = this.#problem(drafts, (found) => found.portal === grown, new Set())
    if (detail !== undefined) return { kind: 'refused', detail }
    const fresh = drafts.filter((draft) => this.#held(draft) === undefined)
    const portal = grown === undefined ? this.#made(drafts, origin, undefined) : this.#more(grown, fresh)
    await this.#write([portal], [])
    this.#hooks.linked?.(portal)
    return { kind: 'linked', portal }
  }

  /** The one conversation that these ends can be added to: a contact, a room and a channel may be one. */
  #grown(drafts: readonly Draft[], many: boolean): Portal | undefined {
    const [portal, ...others] = new Set(
      drafts.map((draft) => this.#held(draft)?.portal).filter((one) => one !== undefined),
    )
    if (portal?.origin !== 'command' || others.length > 0) return undefined
    const fresh = drafts.filter((draft) => this.#held(draft) === undefined)
    const differ = many || fresh.every(({ network }) => portal.legs.every((leg) => leg.network !== network))
    return fresh.length > 0 && differ ? portal : undefined
  }

  async #unlink(leg: LegId): Promise<LinkResult> {
    const found = this.leg(leg)
    if (found === undefined) return { kind: 'refused', detail: 'There is no such link.' }
    const { portal } = found
    if (portal.origin === 'config' && found.leg.request.kind !== 'portal')
      return { kind: 'refused', detail: 'This link stands in the config file: take it out there.' }
    const legs = portal.legs.filter((one) => one.id !== leg && !isHomeOf(one, found.leg))
    const left: Portal = { ...portal, legs, kind: kindOf(legs.map((one) => one.request)) }
    await (legs.length < 2 ? this.#write([], [portal.id]) : this.#write([left], []))
    return { kind: 'linked', portal: left }
  }

  /** `Session.open` has answered. In memory at once; rejects when it could not be stored. */
  async opened(id: LegId, chat: ChatRef): Promise<void> {
    const found = this.leg(id)
    if (found === undefined) return
    const before = found.leg.chat
    if (before !== undefined && before.chat === chat.chat && before.account === chat.account) return
    const legs = found.portal.legs.map((leg) => (leg.id === id ? { ...leg, chat } : leg))
    this.#index.put({ ...found.portal, legs })
    this.#revision++
    await this.#store.setLegChat(id, chat)
  }

  describe(leg: Leg): string {
    return describeLeg(leg)
  }

  /** The leg that is this end already; a room that was made for somebody is no channel to be linked once more. */
  #held(draft: Draft): Found | undefined {
    const { network, request } = draft
    return (
      this.#index.end(draft) ?? (request.kind === 'channel' ? this.find({ network, chat: request.name }) : undefined)
    )
  }

  #problem(drafts: readonly Draft[], mayTake: MayTake, claimed: ReadonlySet<string>): string | undefined {
    const keys = drafts.map(endKey)
    if (keys.length < 2) return 'A link needs two ends at least.'
    if (new Set(keys).size < keys.length) return 'A link cannot have the same end twice.'
    if (drafts.every(({ request }) => request.kind === 'lobby'))
      return 'A lobby must be linked to a channel, not to another lobby.'
    for (const draft of drafts) {
      const found = this.#held(draft)
      const isClaimed = claimed.has(endKey(draft))
      if (!isClaimed && (found === undefined || mayTake(found))) continue
      const others = found?.portal.legs.filter((leg) => leg.id !== found.leg.id).map(describeLeg) ?? []
      const to = isClaimed || others.length === 0 ? 'by another link' : `to ${others.join(' and ')}`
      return `${describeLeg(draft)} is linked ${to} already: unlink it there first.`
    }
    return undefined
  }

  /** The chats that people have of these ends where they live. */
  #homesOf(drafts: readonly Draft[]): readonly Leg[] {
    return drafts.flatMap((draft) => {
      const found = this.#index.end(draft)
      return found?.portal.legs.filter((leg) => isHomeOf(leg, found.leg)) ?? []
    })
  }

  #id(): PortalId {
    return `p${this.#mint()}` as PortalId
  }

  /** A leg that is known keeps its chat. */
  #made(
    drafts: readonly (Draft | Leg)[],
    origin: PortalOrigin,
    before: Portal | undefined,
    id: PortalId = before?.id ?? this.#id(),
  ): Portal {
    const known = new Map(before?.legs.map((leg) => [endKey(leg), leg]))
    const legs = drafts.map((draft): Leg => {
      const kept = 'id' in draft ? draft : known.get(endKey(draft))
      if (kept?.via === draft.via) return kept.portal === id ? kept : { ...kept, portal: id }
      return { ...draft, id: `l${this.#mint()}` as LegId, portal: id, flow: 'both' }
    })
    return { id, origin, kind: kindOf(legs.map((leg) => leg.request)), legs }
  }

  #more(portal: Portal, drafts: readonly Draft[]): Portal {
    return this.#made([...portal.legs, ...drafts], portal.origin, portal)
  }

  async #write(put: readonly Portal[], gone: readonly PortalId[], end: LegEnd = 'delivered'): Promise<void> {
    const stays = new Set(put.flatMap(({ legs }) => legs.map(endKey)))
    const before = [...gone, ...put.map(({ id }) => id)].flatMap((id) => this.get(id)?.legs ?? [])
    const leaving = before.filter((leg) => !stays.has(endKey(leg)))
    // Asked for in one turn: one commit.
    const remembered = leaving.length === 0 ? undefined : this.#hooks.leaving?.(leaving, end)
    await Promise.all([remembered, this.#store.updatePortals(put, gone)])
    const now = put.map((portal) => this.#withChats(portal))
    const left = leaving.map((leg) => this.#withChat(leg))
    for (const id of gone) this.#index.remove(id)
    for (const { id } of now) this.#index.remove(id)
    for (const portal of now) this.#index.put(portal)
    this.#revision++
    if (left.length > 0) this.#hooks.left?.(left, end)
  }

  #withChats(portal: Portal): Portal {
    return { ...portal, legs: portal.legs.map((leg) => this.#withChat(leg)) }
  }

  /** A chat may have been opened while the disk was busy. */
  #withChat(leg: Leg): Leg {
    const chat = leg.chat ?? this.leg(leg.id)?.leg.chat
    return chat === undefined ? leg : { ...leg, chat }
  }
}

/** What a link of the config may take: what the config linked before, and what nobody linked. */
const givesWay: MayTake = ({ portal }) => portal.origin === 'config' || madeItself(portal)

/** Whether a leg is the chat that the owner of the other leg's account has of it, and not of another contact of that account. */
const isHomeOf = ({ request }: Leg, { via, request: end }: Leg): boolean => {
  if (request.kind !== 'portal' || request.account !== via) return false
  const users = new Set(request.with.map(({ user }) => user.user))
  switch (end.kind) {
    case 'direct':
      return request.direct && users.has(end.with)
    case 'group':
      return !request.direct && end.members.every((user) => users.has(user))
    case 'chat':
      return !request.direct
    case 'channel':
    case 'lobby':
    case 'portal':
    case 'home':
      return false
  }
}

/** Nobody has two chats of one conversation on one network. */
const hasHome = (portal: Portal, { network, request }: Draft): boolean =>
  portal.legs.some(
    (leg) =>
      leg.network === network &&
      leg.request.kind === 'portal' &&
      request.kind === 'portal' &&
      leg.request.owner === request.owner,
  )

/** What is left of a portal whose link was taken out of the config: the chats that people have of an end. No legs: nothing. */
const withoutLink = (portal: Portal, claimed: ReadonlySet<string>): Portal => {
  const legs = portal.legs.filter(
    (leg) =>
      (!claimed.has(endKey(leg)) && portal.legs.some((other) => isHomeOf(leg, other) && !claimed.has(endKey(other)))) ||
      (!claimed.has(endKey(leg)) && portal.legs.some((other) => isHomeOf(other, leg))),
  )
  return { ...portal, origin: 'command', legs, kind: kindOf(legs.map((leg) => leg.request)) }
}

const mostAlike = (portals: readonly Portal[], keys: readonly string[]): Portal | undefined => {
  let best: Portal | undefined
  let most = 0
  for (const portal of portals) {
    const shared = portal.legs.filter((leg) => keys.includes(endKey(leg))).length
    if (shared > most) [best, most] = [portal, shared]
  }
  return best
}

const same = (a: Portal, b: Portal): boolean =>
  a.kind === b.kind &&
  a.origin === b.origin &&
  a.legs.length === b.legs.length &&
  a.legs.every((leg, index) => leg === b.legs[index])
