/**
 * Chats that are linked no more: what waits for them still goes out, or is given up, and then their network is told to
 * leave them. Remembered on disk until it was, since the network may be away just now.
 */
import type { Clock, Logger, Session } from './adapter.ts'
import type { AccountId, ChatRef } from './model/ids.ts'
import { laneOfLeg, placeOf } from './place.ts'
import type { LegEnd } from './portals.ts'
import type { LaneKey, Leg, Store } from './store/port.ts'

export interface DropsDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly sessionOf: (account: AccountId) => Session | undefined
  /** It was linked anew meanwhile, or its account is there no more. */
  readonly isMoot: (leg: Leg) => boolean
  /** Its network may be making the chat just now. */
  readonly isMaking: (leg: Leg) => boolean
  /** Resolves when nothing waits there. */
  readonly emptied: (lane: LaneKey) => Promise<void>
  /** Nothing goes out there any more, and the senders are told. */
  readonly giveUp: (lane: LaneKey) => Promise<void>
}

interface Leaving {
  readonly leg: Leg
  readonly end: LegEnd
  /** Its chat was being made: nobody knows whether there is one. */
  readonly making?: true
}

const PREFIX = 'drop:'
/** A network that does not answer within this is asked again after the next sign-in. Milliseconds. */
const DROP_MS = 60_000

export class Drops {
  readonly #deps: DropsDeps
  readonly #leaving = new Map<string, Leaving>()
  readonly #underway = new Set<string>()
  readonly #stopping = new AbortController()

  constructor(deps: DropsDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    for (const [key, value] of await this.#deps.store.listMeta(PREFIX))
      this.#leaving.set(key, JSON.parse(value) as Leaving)
    for (const key of this.#leaving.keys()) void this.#drop(key)
  }

  /** Resolves when it is on disk; `begin` follows when the legs are gone. A lobby is no chat. */
  async remember(legs: readonly Leg[], end: LegEnd): Promise<void> {
    const chats = legs.filter((leg) => placeOf(leg.request) !== undefined)
    await this.#deps.store.setMeta(chats.map((leg) => [keyOf(leg), JSON.stringify(this.#leavingOf(leg, end))]))
  }

  begin(legs: readonly Leg[], end: LegEnd): void {
    for (const leg of legs) {
      if (placeOf(leg.request) === undefined) continue
      this.#leaving.set(keyOf(leg), this.#leavingOf(leg, end))
      void this.#drop(keyOf(leg))
    }
  }

  /** The chat of a leg that went was made after all. */
  async orphaned(leg: Leg, chat: ChatRef): Promise<void> {
    const leaving: Leaving = { leg: { ...leg, chat }, end: 'given-up' }
    this.#leaving.set(keyOf(leg), leaving)
    await this.#deps.store.setMeta([[keyOf(leg), JSON.stringify(leaving)]]).catch(() => undefined)
    await this.#drop(keyOf(leg))
  }

  sessionOnline(account: AccountId): void {
    for (const [key, { leg }] of this.#leaving) if (leg.via === account) void this.#drop(key)
  }

  stop(): void {
    this.#stopping.abort()
  }

  #leavingOf(leg: Leg, end: LegEnd): Leaving {
    return leg.chat === undefined && this.#deps.isMaking(leg) ? { leg, end, making: true } : { leg, end }
  }

  async #drop(key: string): Promise<void> {
    const leaving = this.#leaving.get(key)
    if (leaving === undefined || this.#underway.has(key)) return
    this.#underway.add(key)
    try {
      const isDone = await this.#done(leaving)
      // Its chat came to light meanwhile.
      const isOld = this.#leaving.get(key) !== leaving
      if (isOld) queueMicrotask(() => void this.#drop(key))
      else if (isDone) {
        await this.#deps.store.setMeta([[key, undefined]])
        this.#leaving.delete(key)
      }
    } catch (error) {
      const account = leaving.leg.via
      this.#deps.log.warn({ account, error: String(error) }, 'a chat that is linked no more was not left yet')
    } finally {
      this.#underway.delete(key)
    }
  }

  /** Whether there is nothing left to do. */
  async #done(leaving: Leaving): Promise<boolean> {
    const { leg, end, making } = leaving
    const { sessionOf, isMoot, isMaking, emptied, giveUp } = this.#deps
    const lane = laneOfLeg(leg)
    if (isMoot(leg)) return true
    if (lane !== undefined) await (end === 'given-up' ? giveUp(lane) : emptied(lane))
    if (this.#leaving.get(keyOf(leg)) !== leaving) return false
    if ((leg.chat === undefined && making === undefined) || isMoot(leg)) return true
    const session = sessionOf(leg.via)
    if (session?.state.kind !== 'online' || isMaking(leg)) return false
    if (leg.chat !== undefined) return this.#left(session, leg.chat)
    const chat = await this.#found(session, leg)
    return chat === undefined || (chat !== 'unknown' && this.#left(session, chat))
  }

  /** The last process ended while the chat was being made. The answer is the same for each portal, so it is that chat. */
  async #found(session: Session, { request }: Leg): Promise<ChatRef | 'unknown' | undefined> {
    if (request.kind !== 'portal') return undefined
    const result = await session.open(request, this.#stopping.signal)
    if (result.kind === 'opened') return result.chat
    return result.kind === 'refused' ? undefined : 'unknown'
  }

  async #left(session: Session, chat: ChatRef): Promise<boolean> {
    const ended = new AbortController()
    const late = this.#deps.clock
      .sleep(DROP_MS, AbortSignal.any([ended.signal, this.#stopping.signal]))
      .then(() => false)
    const done = await Promise.race([session.drop(chat).then(() => true), late])
    ended.abort()
    return done
  }
}

const keyOf = (leg: Leg): string => `${PREFIX}${leg.id}`
