/** Where the bot is: joins what is wanted, comes back after a kick, and tells a delivery whether it may speak in a channel. */
import type { IrcMessage } from 'irc-framework'
import type { Clock, Logger } from '../../bridge/adapter.ts'
import type { ChatId } from '../../bridge/model/ids.ts'
import type { OpenResult } from '../../bridge/model/result.ts'
import { sameName, type CaseMapping } from '../../irc/casemap.ts'
import { Channels, readJoinRefusal, type Channel, type ChannelTiming } from './channels.ts'
import { OFFLINE, retryIn } from './outcome.ts'

/** The connection, as far as membership needs it. */
export interface Voice {
  readonly nick: string
  readonly mapping: CaseMapping
  control(line: string, written?: () => void): boolean
}

export type Obstacle = Exclude<OpenResult, { kind: 'opened' }>

const TOO_MANY: Obstacle = { kind: 'refused', reason: 'rate-limited', detail: 'too many channels on this IRC network' }
const NOT_YET_MS = 5_000

export interface MembershipWatch {
  readonly joined?: (channel: ChatId) => void
  /** We are not there, for as long as we are not told of `joined`. `banned`: it says so. */
  readonly shutOut?: (channel: ChatId, how: 'banned' | 'kicked' | 'refused') => void
}

/** `:server 474 me #chan :Cannot join channel (+b)` */
const BANNED = '474'

export class Membership {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #channels: Channels
  readonly #watch: MembershipWatch
  #voice: Voice | undefined

  constructor(timing: ChannelTiming, clock: Clock, log: Logger, watch: MembershipWatch = {}) {
    this.#clock = clock
    this.#log = log
    this.#watch = watch
    this.#channels = new Channels(timing)
  }

  want(name: string, key?: string): boolean {
    return this.#channels.want(name, key)
  }

  /** Leaves it, and does not come back. */
  leave(id: ChatId): void {
    if (this.#channels.unwant(id)) this.#voice?.control(`PART ${id}`)
  }

  /** The id of the channel of ours that a server means by this name. */
  idOf(name: string): ChatId | undefined {
    return this.#channels.find(name)?.id
  }

  isIn(name: string): boolean {
    return this.#channels.find(name)?.state.kind === 'joined'
  }

  get counts(): { readonly joined: number; readonly wanted: number } {
    const all = this.#channels.all()
    return { joined: all.filter(({ state }) => state.kind === 'joined').length, wanted: all.length }
  }

  online(voice: Voice): void {
    this.#voice = voice
    this.#channels.reset(voice.mapping)
    this.tend()
  }

  offline(): void {
    this.#voice = undefined
    this.#channels.left()
  }

  /** Sends the JOINs that are due; to be called now and then. */
  tend(): void {
    const voice = this.#voice
    if (voice === undefined) return
    for (const { id, line } of this.#channels.due(this.#clock.now())) {
      voice.control(line, () => this.#channels.asked(id, this.#clock.now()))
    }
  }

  /** For a new link: refuses what the server refuses, though we go on trying. */
  async open(id: ChatId, signal: AbortSignal): Promise<Obstacle | undefined> {
    if (!this.#channels.want(id)) return TOO_MANY
    return this.#settle(id, signal, 'refuse')
  }

  /** Undefined when we are in the channel. Who comes while others wait for it waits behind them. */
  async enter(id: ChatId, signal: AbortSignal): Promise<Obstacle | undefined> {
    if (this.#channels.find(id) === undefined && !this.#channels.want(id)) return TOO_MANY
    return this.#settle(id, signal, 'wait')
  }

  /** Where `enter` need not be asked: we are in, and nobody waits before us. */
  isOpen(id: ChatId): boolean {
    return this.isIn(id) && !this.#channels.hasWaiting(id)
  }

  /** True: it was about us, and nothing that people said. */
  message({ command, params, nick }: IrcMessage): boolean {
    const voice = this.#voice
    if (voice === undefined) return false
    const [first = '', second = ''] = params
    const isMe = (name: string): boolean => sameName(name, voice.nick, voice.mapping)
    switch (command) {
      case 'JOIN':
        if (isMe(nick)) this.#joined(first, voice)
        return true
      case 'PART':
        if (isMe(nick)) this.#outOf(first, 'the server')
        return true
      case 'KICK':
        if (isMe(second)) this.#outOf(first, nick)
        return true
      case 'INVITE':
        if (isMe(first)) this.#channels.invited(second)
        this.tend()
        return true
      default:
        return this.#refused(command, params)
    }
  }

  async #settle(id: ChatId, signal: AbortSignal, when: 'refuse' | 'wait'): Promise<Obstacle | undefined> {
    this.tend()
    await unlessAborted(this.#channels.settled(id), signal)
    const channel = this.#channels.find(id)
    if (channel === undefined || signal.aborted || this.#voice === undefined) return OFFLINE
    return this.#obstacle(channel, when)
  }

  #obstacle({ name, state }: Channel, when: 'refuse' | 'wait'): Obstacle | undefined {
    switch (state.kind) {
      case 'joined':
        return undefined
      case 'given-up':
        return { kind: 'refused', reason: 'forbidden', detail: state.detail }
      case 'failed': {
        const { reason, detail, until } = state
        return when === 'refuse' && reason !== 'network'
          ? { kind: 'refused', reason, detail }
          : retryIn(until - this.#clock.now(), reason, detail)
      }
      case 'out':
      case 'joining':
        return retryIn(NOT_YET_MS, 'network', `not yet in ${name}`)
    }
  }

  #joined(channel: string, voice: Voice): void {
    // Where the server puts us without being asked, we do not stay.
    if (!this.#channels.joined(channel)) {
      voice.control(`PART ${channel}`)
      return
    }
    this.#log.info({ channel }, 'joined')
    const id = this.idOf(channel)
    if (id !== undefined) this.#watch.joined?.(id)
  }

  #outOf(channel: string, by: string): void {
    const kicked = this.#channels.kicked(channel, by, this.#clock.now())
    if (kicked === undefined) return
    const about = { channel, by }
    const id = this.idOf(channel)
    if (kicked.again === undefined) {
      this.#log.error(about, 'kicked too often, waits for an invitation')
      if (id !== undefined) this.#watch.shutOut?.(id, 'kicked')
    } else this.#log.warn({ ...about, seconds: kicked.again / 1000 }, 'kicked, will join again')
  }

  #refused(command: string, params: readonly string[]): boolean {
    const refusal = readJoinRefusal(command, params)
    if (refusal === undefined) return false
    const { channel, reason, detail } = refusal
    if (!this.#channels.refused(channel, reason, detail, this.#clock.now())) return false
    this.#log.warn({ channel, detail }, 'cannot join, will try again')
    const id = this.idOf(channel)
    if (id !== undefined) this.#watch.shutOut?.(id, command === BANNED ? 'banned' : 'refused')
    return true
  }
}

/** Waits for `work`, but not longer than the signal lets it. */
const unlessAborted = async (work: Promise<void>, signal: AbortSignal): Promise<void> => {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      signal.removeEventListener('abort', finish)
      resolve()
    }
    signal.addEventListener('abort', finish)
    void work.then(finish)
  })
}
