/**
 * Words between two: somebody writes in private to one whom a network shows there. They go to that contact alone, and what
 * the contact answers goes to whoever wrote, and to no chat in which others read.
 */
import { chatKey } from './ends.ts'
import type { MessageEvent, StoredInbound } from './model/events.ts'
import type { AccountId, ChatRef, EventId, UserId, UserRef } from './model/ids.ts'
import { shownName } from './names.ts'
import { laneKey, laneTarget, placeOf } from './place.ts'
import type { PlanContext } from './plan.ts'
import type { Found, Portals } from './portals.ts'
import type { LaneKey, LegId, Store } from './store/port.ts'

export interface PrivateTalksDeps {
  readonly store: Pick<Store, 'listMeta' | 'setMeta'>
  readonly portals: Portals
}

/** A contact who was last spoken to in private. */
export interface Talk {
  /** Where their answers go. */
  readonly chat: ChatRef
  readonly leg: LegId
  readonly with: UserRef
  /** What that one is called. */
  readonly name: string
  readonly until: number
  readonly answersMs: number
  /** The last private word is still on its way: who has not read it has not answered either. */
  readonly word?: EventId
}

/** Who may get an event. nobody: `to` would have been the only one, `words` say why not, and `over` is the talk that ends with that. */
export type Audience =
  | { readonly kind: 'all' }
  | { readonly kind: 'one'; readonly only: NonNullable<PlanContext['only']> }
  | { readonly kind: 'nobody'; readonly to: UserRef; readonly words: string; readonly over?: LaneKey }

export interface Ended {
  readonly lane: LaneKey
  readonly talk: Talk
}

/** Contacts who may be in such a talk; past it the oldest talk is over. */
const TALKS_LIMIT = 10_000
/** Where a network does not say how long answers go to whoever wrote. Milliseconds. */
const ANSWERS_MS = 30 * 60_000
const KEY = 'private-talk:'

const NOT_IN_PRIVATE =
  'Nobody got that: a private word reaches only those who are linked by themselves or as contacts of a lobby.'
const TALK_IS_OVER = 'Nobody got that: it is about a private word, and that talk is over.'

export class PrivateTalks {
  readonly #deps: PrivateTalksDeps
  /** By the lane that leads to the contact. */
  readonly #talks = new Map<LaneKey, Talk>()

  constructor(deps: PrivateTalksDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    for (const [key, value] of await this.#deps.store.listMeta(KEY)) {
      const talk = JSON.parse(value) as Talk
      this.#talks.set(key.slice(KEY.length) as LaneKey, talk)
    }
  }

  /** The conversation to which a private word for `to` belongs, as the account sees it that heard the word. */
  conversation(account: AccountId, to: UserRef, accounts: readonly AccountId[]): Found | undefined {
    const { portals } = this.#deps
    const own = (found: Found | undefined): Found | undefined => {
      const leg = found?.portal.legs.find(({ via }) => via === account)
      return found === undefined || leg === undefined ? undefined : { portal: found.portal, leg }
    }
    for (const id of accounts) {
      const direct = portals.directWith(id, to.user)
      const found = own(direct ?? portals.lobbyOf(id))
      if (found !== undefined) return found
    }
    // Only among others: it is said that no private word reaches them.
    for (const id of accounts) for (const several of portals.severalVia(id)) if (own(several)) return own(several)
    return undefined
  }

  /** `about`: with whom the message that the event speaks of was private. */
  audience(event: StoredInbound, { portal, leg }: Found, back: LaneKey, about: UserRef | undefined): Audience {
    if (event.kind === 'message' && event.to !== undefined) {
      const { network, user } = event.to
      for (const other of portal.legs) {
        const { request } = other
        if (other.id === leg.id || other.network !== network) continue
        if (request.kind === 'direct' ? request.with === user : request.kind === 'lobby')
          return { kind: 'one', only: { leg: other.id, place: { kind: 'direct', with: user }, to: event.to } }
      }
      return { kind: 'nobody', to: event.to, words: NOT_IN_PRIVATE }
    }
    const found = this.#talks.get(back)
    const talk = found === undefined || isOver(found, event.at) ? undefined : found
    if (about !== undefined && (talk === undefined || !isSame(about, talk.with)))
      return { kind: 'nobody', to: about, words: TALK_IS_OVER }
    if (talk === undefined || laneTarget(back).place.kind !== 'direct') return ALL
    if (!portal.legs.some(({ id }) => id === talk.leg)) {
      const words = `Nobody got that: the private talk with ${talk.name} is over, since that chat is linked no more. What you write now is for all.`
      return { kind: 'nobody', to: talk.with, words, ...(event.kind === 'message' ? { over: back } : {}) }
    }
    return { kind: 'one', only: { leg: talk.leg, place: { kind: 'chat', chat: talk.chat }, to: talk.with } }
  }

  /** From now on the contact behind that lane answers whoever wrote. Resolves when it is durable. */
  async begin(lane: LaneKey, event: MessageEvent, leg: LegId, word: EventId): Promise<void> {
    const name = shownName(event.senderName, event.sender.user)
    const answersMs = event.answersMs ?? ANSWERS_MS
    const until = event.at + answersMs
    const talk: Talk = { chat: event.chat, leg, with: event.sender, name, until, answersMs, word }
    this.#talks.delete(lane)
    const [oldest] = this.#talks.size >= TALKS_LIMIT ? this.#talks.keys() : []
    if (oldest !== undefined) this.#talks.delete(oldest)
    this.#talks.set(lane, talk)
    await this.#deps.store.setMeta([
      [KEY + lane, JSON.stringify(talk)],
      ...(oldest === undefined ? [] : [[KEY + oldest, undefined] as const]),
    ])
  }

  /** The contact behind that lane answered: whoever is in the middle of it goes on in private. Resolves when it is durable. */
  async answered(lane: LaneKey, at: number): Promise<void> {
    const known = this.#talks.get(lane)
    if (known !== undefined && known.until < at + known.answersMs) await this.#extend(lane, known, at)
  }

  /** The word has arrived, or never will: the time runs from now on. */
  settled(lane: LaneKey, word: EventId, now: number): void {
    const known = this.#talks.get(lane)
    if (known === undefined || known.word !== word) return
    // If it is not stored, the talk goes on after a restart until somebody ends it.
    void this.#extend(lane, known, now).catch(() => undefined)
  }

  /** Others spoke to that contact: their answers are for all again. */
  end(lane: LaneKey): void {
    if (!this.#talks.has(lane)) return
    this.#talks.delete(lane)
    // If it is not stored, the next answer after a restart goes to one instead of all.
    void this.#deps.store.setMeta([[KEY + lane, undefined]]).catch(() => undefined)
  }

  /** Whoever wrote is there no more. Answers whose talks that ends. */
  gone(account: AccountId, { network, user }: UserRef, now: number): readonly Ended[] {
    const ended = [...this.#talks]
      .filter(([, talk]) => talk.with.network === network && talk.with.user === user && talk.chat.account === account)
      .map(([lane, talk]): Ended => ({ lane, talk }))
    for (const { lane } of ended) this.end(lane)
    return ended.filter(({ talk }) => !isOver(talk, now))
  }

  /** Whatever was on its way is there. */
  async #extend(lane: LaneKey, known: Talk, at: number): Promise<void> {
    const { chat, leg, with: other, name, answersMs } = known
    const until = Math.max(known.until, at + answersMs)
    const talk: Talk = { chat, leg, with: other, name, until, answersMs }
    this.#talks.set(lane, talk)
    await this.#deps.store.setMeta([[KEY + lane, JSON.stringify(talk)]])
  }

  /** What the one at the end of a lane is called, if they wrote in private. */
  nameOf(lane: LaneKey): string | undefined {
    const { place } = laneTarget(lane)
    if (place.kind !== 'chat') return undefined
    const { chat } = place
    for (const talk of this.#talks.values())
      if (talk.chat.chat === chat.chat && talk.chat.account === chat.account && talk.chat.network === chat.network)
        return talk.name
    return undefined
  }

  /** What is read there by all, in words. */
  placeOf({ leg }: Talk): string {
    const found = this.#deps.portals.leg(leg)
    const place = found === undefined ? undefined : placeOf(found.leg.request)
    return place?.kind === 'channel' ? place.name : 'the chat'
  }
}

/** With whom a message was private, as one sees it who speaks of it in that chat. */
export const privateWith = (spoken: StoredInbound, chat: ChatRef): UserRef | undefined => {
  if (spoken.kind !== 'message' || spoken.to === undefined) return undefined
  return chatKey(spoken.chat) === chatKey(chat) ? spoken.to : spoken.sender
}

const ALL: Audience = { kind: 'all' }

const isOver = ({ until, word }: Talk, at: number): boolean => word === undefined && until <= at

const isSame = (a: UserRef, b: UserRef): boolean => a.network === b.network && a.user === b.user

/** The lane to somebody who writes in private, for what is told to them. */
export const privateLane = (account: AccountId, chat: ChatRef): LaneKey => laneKey(account, { kind: 'chat', chat })

/** "dave (private)": who reads it shall know that the others do not. */
export const privateName = (name: string | undefined, user: UserId): string => `${shownName(name, user)} (private)`
