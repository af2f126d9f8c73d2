/** The lobbies of all accounts: who can be addressed in which, and the handles of groups that others opened. */
import type { Adapter } from './adapter.ts'
import { type Addressee, type Address, address, handleOf, lobbyBook, type LobbyBook, type LobbyGroup } from './lobby.ts'
import type { ChatRef, NetworkId, PortalId, UserId } from './model/ids.ts'
import type { RichText } from './model/text.ts'
import type { Portals } from './portals.ts'
import type { Roster } from './roster.ts'
import type { Leg, LegId, Portal, Store } from './store/port.ts'

/** Groups remembered for one lobby; past it the oldest loses its handle. */
const GROUPS_LIMIT = 100
/** People who spoke without being contacts, remembered for one lobby; a full address reaches the others. */
const GUESTS_LIMIT = 100

export interface LobbiesDeps {
  readonly store: Store
  readonly portals: Portals
  readonly roster: Roster
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
}

interface Kept {
  readonly book: LobbyBook
  readonly revision: string
}

const groupKey = (leg: LegId): string => `lobby-group:${leg}:`

export class Lobbies {
  readonly #deps: LobbiesDeps
  readonly #groups = new Map<LegId, LobbyGroup[]>()
  readonly #guests = new Map<LegId, Set<UserId>>()
  readonly #books = new Map<PortalId, Kept>()
  #revision = 0

  constructor(deps: LobbiesDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    for (const portal of this.#deps.portals.all())
      for (const leg of lobbyLegs(portal)) {
        const rows = await this.#deps.store.listMeta(groupKey(leg.id))
        const groups = rows.map(([key, value]): LobbyGroup => ({
          leg: leg.id,
          handle: key.slice(groupKey(leg.id).length),
          chat: JSON.parse(value) as ChatRef,
        }))
        this.#groups.set(
          leg.id,
          groups.toSorted((a, b) => numberOf(a) - numberOf(b)),
        )
      }
  }

  /** What to call a contact so that an answer finds them. */
  handle(portal: Portal, leg: Leg, user: UserId): string {
    const known = handleOf(this.#book(portal), leg.id, user)
    if (known !== undefined) return known
    const guests = this.#guests.get(leg.id) ?? new Set()
    if (guests.size >= GUESTS_LIMIT) guests.clear()
    guests.add(user)
    this.#guests.set(leg.id, guests)
    this.#revision++
    return handleOf(this.#book(portal), leg.id, user) ?? user
  }

  /** The handle of a group; a new one is durable when this resolves. */
  group(leg: Leg, chat: ChatRef): string | Promise<string> {
    const groups = this.#groups.get(leg.id) ?? []
    const known = groups.find((group) => group.chat.chat === chat.chat && group.chat.account === chat.account)
    if (known !== undefined) return known.handle
    const handle = `g${Math.max(0, ...groups.map(numberOf)) + 1}`
    const oldest = groups.length >= GROUPS_LIMIT ? groups[0] : undefined
    this.#groups.set(leg.id, [...groups.filter((group) => group !== oldest), { leg: leg.id, handle, chat }])
    this.#revision++
    return this.#deps.store
      .setMeta([
        [`${groupKey(leg.id)}${handle}`, JSON.stringify(chat)],
        ...(oldest === undefined ? [] : [[`${groupKey(leg.id)}${oldest.handle}`, undefined] as const]),
      ])
      .then(() => handle)
  }

  address(portal: Portal, text: RichText): Address {
    const found = address(text, this.#book(portal))
    if (found.kind !== 'unknown' || !found.word.includes('@')) return found
    // Somebody may be written to by their address before they are a contact.
    const to = this.#stranger(portal, found.word)
    return to === undefined
      ? found
      : address(text, { byWord: new Map([[found.word.toLowerCase(), [to]]]), handles: new Map() })
  }

  #stranger(portal: Portal, word: string): Addressee | undefined {
    const [leg, ...more] = lobbyLegs(portal)
    if (leg === undefined || more.length > 0) return undefined
    const user = this.#deps.adapters.get(leg.network)?.parseUser(word)
    return typeof user === 'string' ? { leg: leg.id, handle: user, place: { kind: 'direct', with: user } } : undefined
  }

  #book(portal: Portal): LobbyBook {
    const { portals, roster } = this.#deps
    const revision = `${portals.revision} ${roster.revision} ${this.#revision}`
    const kept = this.#books.get(portal.id)
    if (kept?.revision === revision) return kept.book
    const legs = lobbyLegs(portal)
    const contacts = legs.flatMap((leg) => {
      const users = new Map<UserId, string>([...(this.#guests.get(leg.id) ?? [])].map((user) => [user, '']))
      for (const contact of roster.contacts(leg.via))
        if (portals.directWith(leg.via, contact.user) === undefined) users.set(contact.user, contact.name)
      return [...users].map(([user, name]) => ({ leg: leg.id, user, name }))
    })
    const book = lobbyBook(
      contacts,
      legs.flatMap((leg) => this.#groups.get(leg.id) ?? []),
    )
    this.#books.set(portal.id, { book, revision })
    return book
  }
}

const lobbyLegs = (portal: Portal): readonly Leg[] => portal.legs.filter((leg) => leg.request.kind === 'lobby')

const numberOf = (group: LobbyGroup): number => Number(group.handle.slice(1))
