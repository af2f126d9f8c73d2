/** Which portal an event belongs to, by which leg it came, and whom it is for where a lobby has to know. */
import type { Clock, Session } from './adapter.ts'
import type { Identity } from './identity.ts'
import type { Lobbies } from './lobbies.ts'
import type { MessageBody } from './model/body.ts'
import type { AccountId, ChatRef, UserId, UserRef } from './model/ids.ts'
import { shownName } from './names.ts'
import type { Openings } from './opening.ts'
import type { PlanContext } from './plan.ts'
import { laneKey, laneOfLeg } from './place.ts'
import type { PortalMaker } from './portal-maker.ts'
import { privateLane, privateName, type PrivateTalks } from './private-talks.ts'
import type { Found, Portals } from './portals.ts'
import type { LaneKey, Place, Portal } from './store/port.ts'
import type { Told } from './tell.ts'

export interface RouteDeps {
  readonly portals: Portals
  readonly openings: Openings
  readonly identity: Identity
  readonly lobbies: Lobbies
  readonly maker: PortalMaker
  readonly sessionOf: (account: AccountId) => Session | undefined
  readonly clock: Clock
  readonly privately: PrivateTalks
  /** Accounts that are signed in. */
  readonly online: ReadonlySet<AccountId>
}

export interface Route extends Found {
  /** The lane that leads back to where it came from. */
  readonly back: LaneKey
  /** What a lobby calls the sender. */
  readonly handle?: string
}

/** What `route` needs of an event. */
export interface Arrival {
  readonly chat: ChatRef
  readonly sender: UserRef
  readonly senderName?: string
  /** Said in private to this one. */
  readonly to?: UserRef
  /** Worth a chat of its own where nobody linked this one: it was said, and not only a sign of life. */
  readonly said: boolean
}

/** How long `route` waits for chats that are being opened, milliseconds. */
const OPENING_MS = 10_000
/** The same hint is given to the same person again after so long, milliseconds. */
const HINT_EVERY_MS = 5 * 60_000
/** Hints remembered; past it all are forgotten. */
const HINTS_LIMIT = 1_000

export class Router {
  readonly #deps: RouteDeps
  readonly #hinted = new Map<string, number>()

  constructor(deps: RouteDeps) {
    this.#deps = deps
  }

  /** At once where the chat is known. */
  route(arrival: Arrival): Route | undefined | Promise<Route | undefined> {
    if (arrival.to !== undefined) return this.#privately(arrival, arrival.to)
    const known = this.known(arrival)
    if (known !== undefined) return known
    const { account, network } = arrival.chat
    if (account !== undefined) return this.#search(arrival, account)
    const openings = this.#deps.identity
      .accountsOn(network)
      .map(({ id }) => this.#opening(id))
      .filter((opening) => opening !== undefined)
    return openings.length === 0 ? undefined : Promise.all(openings).then(() => this.known(arrival))
  }

  /** A chat that is linked and was opened once. */
  known({ chat }: Pick<Arrival, 'chat'>): Route | undefined {
    const found = this.#deps.portals.find(chat)
    const back = found === undefined ? undefined : laneOfLeg(found.leg)
    return found === undefined || back === undefined ? undefined : { ...found, back }
  }

  #privately({ chat, sender, senderName }: Arrival, to: UserRef): Route | undefined {
    const { privately, identity, online } = this.#deps
    const { account } = chat
    if (account === undefined) return undefined
    const accounts = identity.accountsOn(to.network).map(({ id }) => id)
    // Who is signed in comes first.
    const ordered = accounts.toSorted((a, b) => Number(online.has(b)) - Number(online.has(a)))
    const found = privately.conversation(account, to, ordered)
    if (found === undefined) return undefined
    return { ...found, back: privateLane(account, chat), handle: privateName(senderName, sender.user) }
  }

  async #search(arrival: Arrival, account: AccountId): Promise<Route | undefined> {
    const opening = this.#opening(account)
    if (opening !== undefined) {
      await opening
      const known = this.known(arrival)
      if (known !== undefined) return known
    }
    const other = await this.#other(arrival, account)
    return other === undefined ? this.#group(arrival, account) : this.#contact(arrival, account, other)
  }

  /** Resolves when the chats of that account that are being opened are, or are not for now; `undefined` when there are none. */
  #opening(account: AccountId): Promise<void> | undefined {
    const opening = this.#deps.openings.settled(account)
    return opening === undefined ? undefined : this.#wait(opening)
  }

  async #wait(opening: Promise<unknown>): Promise<void> {
    const late = new AbortController()
    await Promise.race([opening, this.#deps.clock.sleep(OPENING_MS, late.signal)])
    late.abort()
  }

  /** The other one of a direct chat. Only the adapter knows how that is named, so it is asked. */
  async #other({ chat, sender }: Arrival, account: AccountId): Promise<UserId | undefined> {
    const { openings } = this.#deps
    const other = this.#isSelf(sender, account) ? this.#only(chat, account) : sender.user
    if (other === undefined) return undefined
    const opened = await openings.open(account, { kind: 'direct', with: other })
    // A session that ends right now answers nothing; then the usual naming must do: a direct chat is called as the other one.
    if (opened.kind !== 'opened') return String(chat.chat) === String(other) ? other : undefined
    return opened.chat.chat === chat.chat && opened.chat.account === chat.account ? other : undefined
  }

  #isSelf(user: UserRef, account: AccountId): boolean {
    const self = this.#deps.identity.userOf(account)
    return self?.user === user.user && self.network === user.network
  }

  #only(chat: ChatRef, account: AccountId): UserId | undefined {
    const [only, ...others] = this.#deps.sessionOf(account)?.members(chat) ?? []
    return others.length === 0 ? only : undefined
  }

  async #contact(arrival: Arrival, account: AccountId, other: UserId): Promise<Route | undefined> {
    const { portals, lobbies, maker } = this.#deps
    const back = laneKey(account, { kind: 'direct', with: other })
    const direct = portals.directWith(account, other)
    if (direct !== undefined) return { ...direct, back }
    const lobby = portals.lobbyOf(account)
    if (lobby !== undefined) return { ...lobby, back, handle: lobbies.handle(lobby.portal, lobby.leg, other) }
    const name = other === arrival.sender.user ? arrival.senderName : undefined
    const made = arrival.said ? await maker.direct(account, other, arrival.chat, name) : undefined
    return made === undefined ? undefined : { ...made, back }
  }

  /**
   * A conversation of several that nobody linked: the lobby shows it, or a chat of its own is made for the owner of the
   * account, or else the link of the one who speaks takes it.
   */
  async #group({ chat, sender, senderName, said }: Arrival, account: AccountId): Promise<Route | undefined> {
    const { portals, lobbies, maker } = this.#deps
    const back = laneKey(account, { kind: 'chat', chat })
    const lobby = portals.lobbyOf(account)
    if (lobby !== undefined) {
      const who = lobbies.handle(lobby.portal, lobby.leg, sender.user)
      return { ...lobby, back, handle: `${who}/${await lobbies.group(lobby.leg, chat)}` }
    }
    const made = said ? await maker.group(account, chat, sender, senderName) : undefined
    if (made !== undefined) return { ...made, back }
    const direct = portals.directWith(account, sender.user)
    // A chat that was made for the two of them shows nothing of what is said among others.
    return direct === undefined || direct.portal.legs.some(({ request }) => request.kind === 'portal')
      ? undefined
      : { ...direct, back, handle: `${shownName(senderName, sender.user)} (in a group)` }
  }

  /** Said in a lobby's channel: to whom, or what to answer the sender. `undefined`: this portal is no lobby. */
  addressed(
    { portal, leg }: Found,
    body: MessageBody,
  ): { readonly to: PlanContext['addressed']; readonly hint: string | undefined; readonly word: string } | undefined {
    if (portal.kind !== 'lobby' || leg.request.kind === 'lobby') return undefined
    if (body.kind === 'nudge') return { to: undefined, hint: undefined, word: '' }
    const found = this.#deps.lobbies.address(portal, body.text)
    switch (found.kind) {
      case 'to': {
        const { leg: to, place } = found.to
        return { to: { leg: to, place, body: { ...body, text: found.text } }, hint: undefined, word: '' }
      }
      case 'nobody':
        return { to: undefined, hint: 'Nobody got that: begin with a name, like "bob: hello".', word: '' }
      case 'unknown':
        return { to: undefined, hint: `Nobody got that: there is no ${found.word} here.`, word: found.word }
      case 'ambiguous': {
        const hint = `Nobody got that: ${found.word} could be ${found.handles.join(' or ')}.`
        return { to: undefined, hint, word: found.word }
      }
    }
  }

  /** The hint as something to tell, unless this person had it a moment ago. */
  hint(portal: Portal, sender: UserRef, word: string, words: string): Told | undefined {
    const now = this.#deps.clock.now()
    const key = `${portal.id}\n${sender.network}\n${sender.user}\n${word.toLowerCase()}`
    if (now - (this.#hinted.get(key) ?? -HINT_EVERY_MS) < HINT_EVERY_MS) return undefined
    if (this.#hinted.size >= HINTS_LIMIT) this.#hinted.clear()
    this.#hinted.set(key, now)
    return { outcome: 'refused', reason: 'not-found', words }
  }
}

/** Where several can read, a line must say whom it speaks to. */
export const isShared = ({ kind }: Place): boolean => kind !== 'direct' && kind !== 'portal' && kind !== 'home'
