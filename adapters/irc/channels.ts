/**
 * The channels that we want to be in, and whether we are. Joins are asked for by `due` and paced by the flood queue;
 * what a server refuses is tried again at a low rate, what kicks us is joined again a limited number of times.
 * Time is an argument.
 */
import type { ChatId } from '../../bridge/model/ids.ts'
import type { Reason } from '../../bridge/model/result.ts'
import { chatIdOf, fold, type CaseMapping } from '../../irc/casemap.ts'

export type ChannelState =
  | { readonly kind: 'out' }
  | { readonly kind: 'joining'; readonly until: number }
  | { readonly kind: 'joined' }
  /** Tried again at `until`. */
  | { readonly kind: 'failed'; readonly until: number; readonly reason: Reason; readonly detail: string }
  /** Not tried again before an invitation, a new link or a new connection. */
  | { readonly kind: 'given-up'; readonly detail: string }

export interface Channel {
  readonly id: ChatId
  /** As somebody wrote it. */
  readonly name: string
  readonly state: ChannelState
}

interface Entry {
  readonly id: ChatId
  readonly name: string
  key: string | undefined
  state: ChannelState
  kicks: number[]
  waiting: (() => void)[]
}

export interface ChannelTiming {
  /** After a kick. */
  readonly rejoinMs: number
  /** After a refused JOIN. */
  readonly retryMs: number
  /** More within an hour, and we are not wanted; `MAX_KICKS` unless said. */
  readonly maxKicks?: number
}

/** A JOIN that nobody answers. */
export const JOIN_DEADLINE_MS = 30_000
/** More kicks within this time, and we are not wanted. */
export const MAX_KICKS = 5
export const KICK_WINDOW_MS = 3_600_000
/** Channels on one network; servers allow fewer. */
export const MAX_CHANNELS = 500

export class Channels {
  readonly #entries = new Map<ChatId, Entry>()
  readonly #timing: ChannelTiming
  #mapping: CaseMapping = 'rfc1459'

  constructor(timing: ChannelTiming) {
    this.#timing = timing
  }

  /** False: there are too many. A second time only renews the hope of getting in. */
  want(name: string, key?: string): boolean {
    const id = chatIdOf(name)
    const known = this.#entries.get(id)
    if (known !== undefined) {
      known.key = key ?? known.key
      if (known.state.kind === 'failed' || known.state.kind === 'given-up') this.#set(known, { kind: 'out' })
      return true
    }
    if (this.#entries.size >= MAX_CHANNELS) return false
    this.#entries.set(id, { id, name, key, state: { kind: 'out' }, kicks: [], waiting: [] })
    return true
  }

  /** We want to be there no more. Answers whether we are, or may be. */
  unwant(id: ChatId): boolean {
    const entry = this.#entries.get(id)
    if (entry === undefined) return false
    const isThere = entry.state.kind === 'joined' || entry.state.kind === 'joining'
    this.#entries.delete(id)
    this.#set(entry, { kind: 'given-up', detail: `${entry.name} is linked no more` })
    return isThere
  }

  /** The channel that a server means by this name. */
  find(name: string): Channel | undefined {
    return this.#find(name)
  }

  all(): readonly Channel[] {
    return [...this.#entries.values()]
  }

  /** A new connection has registered: we are nowhere, and old failures are forgotten. */
  reset(mapping: CaseMapping): void {
    this.#mapping = mapping
    for (const entry of this.#entries.values()) this.#set(entry, { kind: 'out' })
  }

  /** JOIN lines to send now. Until `asked` is called for it, a channel counts as being joined without a deadline. */
  due(now: number): readonly { readonly id: ChatId; readonly line: string }[] {
    const lines: { id: ChatId; line: string }[] = []
    for (const entry of this.#entries.values()) {
      const { state } = entry
      if (state.kind === 'joining' && state.until <= now) {
        this.#fail(entry, now, 'network', 'the server has not answered the JOIN')
      } else if (state.kind === 'out' || (state.kind === 'failed' && state.until <= now)) {
        entry.state = { kind: 'joining', until: Number.POSITIVE_INFINITY }
        lines.push({ id: entry.id, line: `JOIN ${entry.id}${entry.key === undefined ? '' : ` ${entry.key}`}` })
      }
    }
    return lines
  }

  /** The JOIN has been written. */
  asked(id: ChatId, now: number): void {
    const entry = this.#entries.get(id)
    if (entry?.state.kind === 'joining') entry.state = { kind: 'joining', until: now + JOIN_DEADLINE_MS }
  }

  joined(name: string): boolean {
    const entry = this.#find(name)
    if (entry === undefined) return false
    this.#set(entry, { kind: 'joined' })
    return true
  }

  /** A numeric about a channel that we are trying to enter; false when it must mean something else. */
  refused(name: string, reason: Reason, detail: string, now: number): boolean {
    const entry = this.#find(name)
    if (entry?.state.kind !== 'joining') return false
    this.#fail(entry, now, reason, detail)
    return true
  }

  /** The connection is gone. Whoever waits for a channel learns that nothing comes of it. */
  left(): void {
    for (const entry of this.#entries.values()) this.#set(entry, { kind: 'failed', until: 0, ...OFFLINE })
  }

  /** `again`: milliseconds until we come back; undefined when we do not. */
  kicked(name: string, by: string, now: number): { readonly again: number | undefined } | undefined {
    const entry = this.#find(name)
    if (entry === undefined) return undefined
    entry.kicks = [...entry.kicks.filter((at) => at > now - KICK_WINDOW_MS), now]
    const detail = `${by} has kicked us out of ${entry.name}`
    if (entry.kicks.length > (this.#timing.maxKicks ?? MAX_KICKS)) {
      this.#set(entry, {
        kind: 'given-up',
        detail: `${detail} ${entry.kicks.length} times; invite the bridge to let it back`,
      })
      return { again: undefined }
    }
    this.#set(entry, { kind: 'failed', until: now + this.#timing.rejoinMs, reason: 'forbidden', detail })
    return { again: this.#timing.rejoinMs }
  }

  /** Somebody wants us back. */
  invited(name: string): void {
    const entry = this.#find(name)
    if (entry === undefined || entry.state.kind === 'joined') return
    entry.kicks = []
    this.#set(entry, { kind: 'out' })
  }

  /** Resolves, in the order of the calls, when the channel is entered or not to be entered for now. */
  settled(id: ChatId): Promise<void> {
    return new Promise((resolve) => {
      const entry = this.#entries.get(id)
      if (entry === undefined || !isOpen(entry.state)) resolve()
      else entry.waiting.push(resolve)
    })
  }

  /** Somebody waits already, so whoever comes now waits too and keeps the order. */
  hasWaiting(id: ChatId): boolean {
    return (this.#entries.get(id)?.waiting.length ?? 0) > 0
  }

  #find(name: string): Entry | undefined {
    const direct = this.#entries.get(chatIdOf(name))
    if (direct !== undefined) return direct
    const folded = fold(name, this.#mapping)
    for (const entry of this.#entries.values()) if (fold(entry.id, this.#mapping) === folded) return entry
    return undefined
  }

  #fail(entry: Entry, now: number, reason: Reason, detail: string): void {
    this.#set(entry, { kind: 'failed', until: now + this.#timing.retryMs, reason, detail: `${entry.name}: ${detail}` })
  }

  #set(entry: Entry, state: ChannelState): void {
    entry.state = state
    if (isOpen(state)) return
    const { waiting } = entry
    entry.waiting = []
    for (const resolve of waiting) resolve()
  }
}

const OFFLINE = { reason: 'network', detail: 'the IRC connection is down' } as const

const isOpen = (state: ChannelState): boolean => state.kind === 'out' || state.kind === 'joining'

const JOIN_REFUSALS: Readonly<Record<string, Reason>> = {
  '403': 'not-found',
  '405': 'rate-limited',
  '407': 'rate-limited',
  '437': 'network',
  '448': 'not-found',
  '470': 'forbidden',
  '471': 'forbidden',
  '473': 'forbidden',
  '474': 'forbidden',
  '475': 'forbidden',
  '476': 'not-found',
  '477': 'forbidden',
  '479': 'not-found',
  '480': 'forbidden',
  '485': 'forbidden',
  '489': 'forbidden',
  '495': 'forbidden',
  '520': 'forbidden',
}

/** A numeric that refuses a JOIN: `:server 475 me #chan :Cannot join channel (+k)`. */
export const readJoinRefusal = (
  command: string,
  params: readonly string[],
): { readonly channel: string; readonly reason: Reason; readonly detail: string } | undefined => {
  const reason = JOIN_REFUSALS[command]
  const [, channel = '', ...rest] = params
  if (reason === undefined || channel === '') return undefined
  return { channel, reason, detail: rest.at(-1) ?? `refused (${command})` }
}
