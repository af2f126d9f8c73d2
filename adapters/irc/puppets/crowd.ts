/**
 * Who of those that could be shown by a connection of their own has one: the present ones, no more than allowed, the most
 * active first, one new connection at a time. What a server thinks of that is heeded. Time is an argument.
 */
import type { Ending } from '../faults.ts'

export interface CrowdRules {
  /** Connections at once. */
  readonly max: number
  /** One new connection in so many milliseconds, as all here. */
  readonly spacingMs: number
  /** Who comes counts as there after so long. */
  readonly debounceMs: number
  /** Who goes is shown so much longer. */
  readonly graceMs: number
  /** Who said nothing for so long is not shown. */
  readonly idleMs: number
  /** The first wait after the server would not have somebody; each further one is twice as long. */
  readonly backoffMs: number
}

export type Step<Who> =
  | { readonly kind: 'connect'; readonly who: Who }
  | { readonly kind: 'quit'; readonly who: Who; readonly why: QuitReason }

export type QuitReason = 'gone' | 'idle' | 'makes-room' | 'unlinked'

/** What became worse for somebody, or for all. */
export type Setback = 'killed' | 'banned' | 'throttled' | 'full' | 'failed'

interface Member {
  present: boolean
  /** Since when. */
  since: number
  line: 'none' | 'connecting' | 'live'
  lineSince: number
  lastActive: number
  /** Said nothing for too long; speaking ends it. */
  reaped: boolean
  heldUntil: number
  failures: number
}

/** People who can be shown on one network; further ones are spoken for by the bot. */
export const MAX_CROWD = 20_000
export const MAX_BACKOFF_MS = 3_600_000
/** Whoever has a connection keeps it for so long after their last word, however active others are. */
export const HOLD_MS = 600_000
/** After a connection lived so long, the server has nothing against us any more. */
const STABLE_MS = 60_000
/** Failures in a row of whatever kind after which all wait. */
const FEW_FAILURES = 3

export class Crowd<Who> {
  readonly #rules: CrowdRules
  readonly #members = new Map<Who, Member>()
  #nextConnect = 0
  #pausedUntil = 0
  #strikes = 0
  #lastStrike = 0
  #inARow = 0
  /** What the server allows, as far as we found out, and until when that is believed. */
  #allowed: { readonly count: number; readonly until: number } | undefined

  constructor(rules: CrowdRules) {
    this.#rules = rules
  }

  present(who: Who, now: number): void {
    const member = this.#members.get(who)
    if (member === undefined) {
      if (this.#members.size >= MAX_CROWD) return
      const fresh = { line: 'none', lineSince: 0, lastActive: 0, reaped: false, heldUntil: 0, failures: 0 } as const
      this.#members.set(who, { ...fresh, present: true, since: now })
      return
    }
    if (member.present) return
    member.present = true
    member.since = now
  }

  /** After the time of grace they are forgotten: when they come anew, the past does not count. */
  absent(who: Who, now: number): void {
    const member = this.#members.get(who)
    if (member?.present !== true) return
    member.present = false
    member.since = now
  }

  /** They said something. */
  spoke(who: Who, now: number): void {
    const member = this.#members.get(who)
    if (member === undefined) return
    member.lastActive = now
    member.reaped = false
  }

  /** There is nowhere to show them. Answers whether they had a connection. */
  forget(who: Who): boolean {
    const had = this.#members.get(who)?.line
    this.#members.delete(who)
    return had !== undefined && had !== 'none'
  }

  opened(who: Who, now: number): void {
    const member = this.#members.get(who)
    if (member === undefined) return
    member.line = 'live'
    member.lineSince = now
    this.#inARow = 0
  }

  /** We ended their connection. */
  left(who: Who): void {
    const member = this.#members.get(who)
    if (member !== undefined) member.line = 'none'
  }

  /** Their connection ended, or did not come about. Answers what that means, the first time that it does. */
  ended(who: Who, { cause, retryAfter = 0 }: Ending, now: number): Setback | undefined {
    const member = this.#members.get(who)
    if (member === undefined) return undefined
    const lived = member.line === 'live' ? now - member.lineSince : 0
    member.line = 'none'
    if (lived >= STABLE_MS) member.failures = 0
    switch (cause) {
      case 'killed':
        member.heldUntil = Number.POSITIVE_INFINITY
        return 'killed'
      case 'banned':
        this.#hold(member, now)
        return this.#strike(now, retryAfter) ? 'banned' : undefined
      case 'throttled':
        return this.#strike(now, retryAfter) ? 'throttled' : undefined
      case 'full': {
        const news = this.#allowed === undefined
        this.#allowed = { count: this.#lines, until: now + this.#backoff(this.#strikes) }
        this.#strikes++
        this.#lastStrike = now
        return news ? 'full' : undefined
      }
      case 'lost':
        this.#hold(member, now)
        if (lived > 0) return undefined
        // A server that refuses us may close before its words arrive.
        if (this.#strikes === 0 && ++this.#inARow < FEW_FAILURES) return undefined
        return this.#strike(now, retryAfter) ? 'failed' : undefined
    }
  }

  /** A person wants it tried again. Answers whether anything was held back. */
  retry(): boolean {
    const held = [...this.#members.values()].filter(({ heldUntil }) => heldUntil > 0)
    for (const member of held) member.heldUntil = 0
    for (const member of held) member.failures = 0
    const any = held.length > 0 || this.#pausedUntil > 0 || this.#allowed !== undefined
    this.#pausedUntil = 0
    this.#strikes = 0
    this.#inARow = 0
    this.#allowed = undefined
    return any
  }

  /** What is to be done now; each connection that it names counts as being made. */
  due(now: number, mayConnect: boolean): readonly Step<Who>[] {
    this.#settle(now)
    const steps: Step<Who>[] = []
    for (const [who, member] of this.#members) {
      const why = this.#whyQuit(member, now)
      if (why === undefined) continue
      if (why === 'idle') member.reaped = true
      else this.#members.delete(who)
      if (member.line !== 'none' || why === 'gone') steps.push({ kind: 'quit', who, why })
      member.line = 'none'
    }
    if (!mayConnect || now < this.#nextConnect || now < this.#pausedUntil) return steps
    // After a refusal one is sent ahead, and the others wait for what becomes of it.
    if (this.#strikes > 0 && this.#isConnecting) return steps
    const best = this.#best(now)
    if (best === undefined) return steps
    if (this.#lines >= this.room) {
      const gives = this.#givesWay(best[1], now)
      if (gives === undefined) return steps
      gives[1].line = 'none'
      steps.push({ kind: 'quit', who: gives[0], why: 'makes-room' })
    }
    best[1].line = 'connecting'
    best[1].lineSince = now
    this.#nextConnect = now + this.#rules.spacingMs
    steps.push({ kind: 'connect', who: best[0] })
    return steps
  }

  counts(now: number): { readonly connected: number; readonly waiting: number; readonly held: number } {
    let connected = 0
    let waiting = 0
    let held = 0
    for (const member of this.#members.values()) {
      if (member.line === 'live') connected++
      else if (member.present && member.heldUntil > now) held++
      else if (member.line === 'connecting' || this.#wants(member, now)) waiting++
    }
    return { connected, waiting, held }
  }

  /** More want a connection than may have one. */
  isFull(now: number): boolean {
    return this.#lines >= this.room && this.#best(now) !== undefined
  }

  get #lines(): number {
    let count = 0
    for (const { line } of this.#members.values()) if (line !== 'none') count++
    return count
  }

  get #isConnecting(): boolean {
    for (const { line } of this.#members.values()) if (line === 'connecting') return true
    return false
  }

  /** Connections that may be there at once, as far as we know. */
  get room(): number {
    return Math.min(this.#rules.max, this.#allowed?.count ?? this.#rules.max)
  }

  #settle(now: number): void {
    if (this.#allowed !== undefined && this.#allowed.until <= now) this.#allowed = undefined
    if (this.#pausedUntil <= now) this.#pausedUntil = 0
    if (this.#strikes === 0) return
    for (const { line, lineSince } of this.#members.values())
      if (line === 'live' && lineSince > this.#lastStrike && now - lineSince >= STABLE_MS) this.#strikes = 0
  }

  #whyQuit(member: Member, now: number): QuitReason | undefined {
    const { graceMs, idleMs } = this.#rules
    if (!member.present) return now - member.since >= graceMs ? 'gone' : undefined
    if (member.line !== 'live') return undefined
    return now - Math.max(member.lastActive, member.lineSince) >= idleMs ? 'idle' : undefined
  }

  #wants(member: Member, now: number): boolean {
    const { present, since, line, reaped, heldUntil } = member
    return present && line === 'none' && !reaped && heldUntil <= now && now - since >= this.#rules.debounceMs
  }

  #best(now: number): [Who, Member] | undefined {
    let best: [Who, Member] | undefined
    for (const entry of this.#members) {
      if (!this.#wants(entry[1], now)) continue
      const ahead = best === undefined ? 1 : entry[1].lastActive - best[1].lastActive || best[1].since - entry[1].since
      if (ahead > 0) best = entry
    }
    return best
  }

  #givesWay({ lastActive }: Member, now: number): [Who, Member] | undefined {
    let least: [Who, Member] | undefined
    for (const entry of this.#members)
      if (entry[1].line === 'live' && (least === undefined || entry[1].lastActive < least[1].lastActive)) least = entry
    if (least === undefined) return undefined
    const shownFor = now - Math.max(least[1].lastActive, least[1].lineSince)
    return shownFor >= HOLD_MS && lastActive > least[1].lastActive ? least : undefined
  }

  #hold(member: Member, now: number): void {
    member.heldUntil = now + this.#backoff(member.failures++)
  }

  /** All wait, longer each time. False: they wait already. */
  #strike(now: number, atLeast: number): boolean {
    if (now < this.#pausedUntil) return false
    const wait = Math.min(MAX_BACKOFF_MS, this.#backoff(this.#strikes++))
    this.#lastStrike = now
    this.#pausedUntil = now + Math.max(wait, atLeast)
    return true
  }

  #backoff(times: number): number {
    return Math.min(MAX_BACKOFF_MS, this.#rules.backoffMs * 2 ** Math.min(times, 20))
  }
}
