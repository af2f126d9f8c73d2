/** One person from elsewhere with a connection of their own: where they are, how they look, what they hear. One connection, no more. */
import type { IrcMessage } from 'irc-framework'
import { SessionFault, type AdapterContext } from '../../../bridge/adapter.ts'
import type { ChatId } from '../../../bridge/model/ids.ts'
import { fold, sameName } from '../../../irc/casemap.ts'
import { cutToBytes } from '../../../irc/guard.ts'
import { Connection, type ConnectionSettings } from '../connection.ts'
import type { LineOutcome } from '../delivery.ts'
import { lost, type Ending } from '../faults.ts'
import { Membership, type MembershipWatch } from '../membership.ts'
import type { Prefix, Wire } from '../outbound.ts'

export interface PuppetDeps {
  readonly context: Pick<AdapterContext, 'clock' | 'log' | 'metrics'>
  /** What it is called by now. */
  readonly named: (nick: string) => void
  readonly heard: (message: IrcMessage) => void
  readonly watch: MembershipWatch
  /** Once, after it was live. */
  readonly ended: (ending: Ending) => void
}

export interface PuppetTiming {
  readonly rejoinMs: number
  readonly retryMs: number
  readonly nickBackMs: number
}

/** Whom a channel has thrown out twice within the hour is not wanted there. */
const MAX_KICKS = 1
const MAX_NICK_BACK_MS = 3_600_000
const AWAY_BYTES = 200

export class Puppet {
  readonly #settings: ConnectionSettings
  readonly #timing: PuppetTiming
  readonly #deps: PuppetDeps
  readonly #connection: Connection
  readonly #membership: Membership
  readonly #chats = new Set<ChatId>()
  readonly #muted = new Map<ChatId, number>()
  #live = false
  #wanted: string
  #away = ''
  /** When the nick that we want is asked for again, and how long after that. */
  #nickAt = Number.POSITIVE_INFINITY
  #nickWaitMs: number
  #nickAsked: string | undefined
  #nicksTried = 0

  constructor(settings: ConnectionSettings, timing: PuppetTiming, deps: PuppetDeps) {
    const { clock, log, metrics } = deps.context
    this.#settings = settings
    this.#timing = timing
    this.#deps = deps
    this.#wanted = settings.nick
    this.#nickWaitMs = timing.nickBackMs
    const kicks = { rejoinMs: timing.rejoinMs, retryMs: timing.retryMs, maxKicks: MAX_KICKS }
    this.#membership = new Membership(kicks, clock, log.child({ puppet: settings.nick }), deps.watch)
    this.#connection = new Connection(settings, clock, log, metrics, {
      online: () => this.#online(),
      message: (message) => this.#message(message),
      ended: (ending) => {
        this.#live = false
        this.#membership.offline()
        deps.ended(ending)
      },
    })
  }

  /** Undefined when it is live; why not otherwise. */
  async open(signal: AbortSignal): Promise<Ending | undefined> {
    try {
      await this.#connection.open(signal)
      return undefined
    } catch (error) {
      if (!(error instanceof SessionFault)) throw error
      return this.#connection.ending ?? lost(error.fault.detail)
    }
  }

  get isLive(): boolean {
    return this.#live
  }

  get nick(): string {
    return this.#connection.nick
  }

  get prefix(): Prefix {
    return this.#connection.prefix
  }

  /** It is there, and nothing is known to keep it from speaking. */
  canSpeak(chat: ChatId): boolean {
    if (!this.#live) return false
    return (this.#muted.get(chat) ?? 0) <= this.#deps.context.clock.now() && this.#membership.isOpen(chat)
  }

  /** Words of ours were refused there. */
  mute(chat: ChatId): void {
    this.#muted.set(chat, this.#deps.context.clock.now() + this.#timing.retryMs)
  }

  unmute(chat: ChatId): void {
    this.#muted.delete(chat)
  }

  say(wire: Wire, signal: AbortSignal): Promise<LineOutcome> {
    return this.#connection.say(wire, signal)
  }

  /** Joins what is new and leaves what is not there any more. */
  beIn(chats: readonly { readonly id: ChatId; readonly key: string | undefined }[]): void {
    for (const id of [...this.#chats])
      if (!chats.some((chat) => chat.id === id)) {
        this.#chats.delete(id)
        this.#muted.delete(id)
        this.#membership.leave(id)
      }
    for (const { id, key } of chats) {
      if (this.#chats.has(id)) continue
      this.#chats.add(id)
      this.#membership.want(id, key)
    }
    if (this.#live) this.#membership.tend()
  }

  /** Empty: not away. */
  away(words: string): void {
    const cut = cutToBytes(words, AWAY_BYTES)
    if (cut === this.#away) return
    this.#away = cut
    if (this.#live) this.#sayAway()
  }

  rename(nick: string): void {
    this.#wanted = nick
    this.#nickWaitMs = this.#timing.nickBackMs
    if (this.#live && this.nick !== nick) this.#ask(nick)
  }

  tend(): void {
    if (!this.#live) return
    this.#membership.tend()
    const now = this.#deps.context.clock.now()
    if (now < this.#nickAt) return
    this.#nickAt = now + this.#nickWaitMs
    this.#nickWaitMs = Math.min(MAX_NICK_BACK_MS, this.#nickWaitMs * 2)
    this.#nicksTried = 0
    this.#ask(this.#wanted)
  }

  async quit(reason: string): Promise<void> {
    this.#live = false
    await this.#connection.quit(reason)
  }

  #online(): void {
    this.#live = true
    this.#deps.named(this.nick)
    this.#renamed()
    this.#membership.online(this.#connection)
    if (this.#away !== '') this.#sayAway()
  }

  #sayAway(): void {
    this.#connection.control(this.#away === '' ? 'AWAY' : `AWAY :${this.#away}`)
  }

  #message(message: IrcMessage): void {
    const { command, nick, params } = message
    switch (command) {
      case 'NICK':
        if (this.#live && this.#isMe(params.at(-1) ?? '')) this.#renamed()
        return
      case '432':
      case '433':
      case '437':
        this.#nickRefused(params[1] ?? '')
        return
      // Nobody but a link brings it anywhere.
      case 'INVITE':
        return
      case 'PRIVMSG':
        if (this.#isMe(params[0] ?? '') && nick !== '') this.#deps.heard(message)
        return
      default:
        this.#membership.message(message)
    }
  }

  /** Services or a collision may have given us a nick that says nothing: ours is asked for again later, or another of ours. */
  #renamed(): void {
    this.#deps.named(this.nick)
    if (this.#isMe(this.#wanted)) {
      this.#nickAt = Number.POSITIVE_INFINITY
      this.#nickWaitMs = this.#timing.nickBackMs
    } else if (this.#nickAt === Number.POSITIVE_INFINITY) {
      this.#nickAt = this.#deps.context.clock.now() + this.#nickWaitMs
    }
  }

  #nickRefused(nick: string): void {
    if (this.#nickAsked === undefined || !sameName(nick, this.#nickAsked, this.#connection.mapping)) return
    this.#nickAsked = undefined
    const all = [this.#wanted, ...this.#settings.alternates]
    // One of ours will do until the wanted one is free.
    if (all.some((one) => this.#isMe(one))) return
    const next = this.#settings.alternates[this.#nicksTried++]
    if (next !== undefined) this.#ask(next)
  }

  #ask(nick: string): void {
    this.#nickAsked = nick
    this.#connection.control(`NICK ${nick}`)
  }

  #isMe(nick: string): boolean {
    const { mapping } = this.#connection
    return fold(nick, mapping) === fold(this.nick, mapping)
  }
}
