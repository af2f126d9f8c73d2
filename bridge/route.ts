/** Which portal an event belongs to, by which leg it came, and whom it is for where a lobby has to know. */
import type { Clock } from './adapter.ts'
import type { Identity } from './identity.ts'
import type { Lobbies } from './lobbies.ts'
import type { MessageBody } from './model/body.ts'
import type { AccountId, ChatRef, UserRef } from './model/ids.ts'
import { shownName } from './names.ts'
import type { Openings } from './opening.ts'
import type { PlanContext } from './plan.ts'
import { laneKey, laneOfLeg } from './place.ts'
import type { Found, Portals } from './portals.ts'
import type { LaneKey, Place, Portal } from './store/port.ts'
import type { Told } from './tell.ts'

export interface RouteDeps {
  readonly portals: Portals
  readonly openings: Openings
  readonly identity: Identity
  readonly lobbies: Lobbies
  readonly clock: Clock
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
    const known = this.known(arrival)
    if (known !== undefined) return known
    const { account } = arrival.chat
    return account === undefined ? undefined : this.#search(arrival, account)
  }

  /** A chat that is linked and was opened once. */
  known({ chat }: Pick<Arrival, 'chat'>): Route | undefined {
    const found = this.#deps.portals.find(chat)
    const back = found === undefined ? undefined : laneOfLeg(found.leg)
    return found === undefined || back === undefined ? undefined : { ...found, back }
  }

  async #search(arrival: Arrival, account: AccountId): Promise<Route | undefined> {
    const { openings, clock } = this.#deps
    const opening = openings.settled(account)
    if (opening !== undefined) {
      const late = new AbortController()
      await Promise.race([opening, clock.sleep(OPENING_MS, late.signal)])
      late.abort()
      const known = this.known(arrival)
      if (known !== undefined) return known
    }
    return (await this.#isDirect(arrival, account)) ? this.#contact(arrival, account) : this.#group(arrival, account)
  }

  /** Only the adapter knows how a direct chat is named, so it is asked. */
  async #isDirect({ chat, sender }: Arrival, account: AccountId): Promise<boolean> {
    const { openings, identity } = this.#deps
    const self = identity.userOf(account)
    if (self?.user === sender.user && self.network === sender.network) return false
    const opened = await openings.open(account, { kind: 'direct', with: sender.user })
    // A session that ends right now answers nothing; then the usual naming must do: a direct chat is called as the other one.
    if (opened.kind !== 'opened') return String(chat.chat) === String(sender.user)
    return opened.chat.chat === chat.chat && opened.chat.account === chat.account
  }

  #contact({ sender }: Arrival, account: AccountId): Route | undefined {
    const { portals, lobbies } = this.#deps
    const back = laneKey(account, { kind: 'direct', with: sender.user })
    const direct = portals.directWith(account, sender.user)
    if (direct !== undefined) return { ...direct, back }
    const lobby = portals.lobbyOf(account)
    if (lobby === undefined) return undefined
    return { ...lobby, back, handle: lobbies.handle(lobby.portal, lobby.leg, sender.user) }
  }

  /** A conversation of several that nobody linked: the lobby shows it, or else the link of the one who speaks. */
  async #group({ chat, sender, senderName }: Arrival, account: AccountId): Promise<Route | undefined> {
    const { portals, lobbies } = this.#deps
    const back = laneKey(account, { kind: 'chat', chat })
    const lobby = portals.lobbyOf(account)
    if (lobby !== undefined) {
      const who = lobbies.handle(lobby.portal, lobby.leg, sender.user)
      return { ...lobby, back, handle: `${who}/${await lobbies.group(lobby.leg, chat)}` }
    }
    const direct = portals.directWith(account, sender.user)
    return direct === undefined
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
export const isShared = (place: Place): boolean => place.kind !== 'direct'
