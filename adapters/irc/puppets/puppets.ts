/**
 * The people from elsewhere who are shown by connections of their own. Crowd says who has one; here they are made and ended,
 * and it is said, once, where the bot has to speak for somebody after all.
 */
import type { IrcMessage } from 'irc-framework'
import type { AdapterContext } from '../../../bridge/adapter.ts'
import type { Inbound, Puppet as Face } from '../../../bridge/model/events.ts'
import type { AccountId, ChatId, MessageId, NetworkId, UserRef } from '../../../bridge/model/ids.ts'
import type { Availability, PresenceState } from '../../../bridge/model/presence.ts'
import { caseMappingOf, chatIdOf, fold, isChannelName, userIdOf, type CaseMapping } from '../../../irc/casemap.ts'
import type { Connection } from '../connection.ts'
import { lost, type Ending } from '../faults.ts'
import { readText, timeOf } from '../inbound.ts'
import { Crowd, type QuitReason } from './crowd.ts'
import { KnownNicks } from './known-nicks.ts'
import { Leavers } from './leavers.ts'
import { LEAST_NICK_LENGTH, MOST_NICK_LENGTH, type NickRules } from './nicks.ts'
import { type About, Notices } from './notices.ts'
import { OwnNicks } from './own-nicks.ts'
import { Puppet } from './puppet.ts'
import { type Base, connectionFor, type PuppetSettings } from './settings.ts'

export interface PuppetsDeps {
  readonly network: NetworkId
  readonly account: AccountId
  readonly context: AdapterContext
  /** Read anew for each connection; throws a sentence when a secret is missing. */
  readonly base: () => Base
  /** Nicks of the bot. */
  readonly reserved: readonly string[]
  readonly keyOf: (channel: ChatId) => string | undefined
  readonly offer: (event: Inbound) => void
  readonly mint: () => MessageId
  /** The bot says something in a channel. */
  readonly remark: (channel: ChatId, words: string) => void
}

/** The one who is shown. */
interface Shown extends About {
  readonly user: UserRef
  name: string
  state: PresenceState
  /** Since when they look so. */
  stateSince: number
  chats: readonly ChatId[]
  puppet: Puppet | undefined
  /** Counts connections, made or given up. */
  attempt: number
}

const MIN_TEND_MS = 10
const MAX_TEND_MS = 1_000
const BYE = 'The bridge is going down'

const AWAY: Readonly<Record<Availability, string>> = {
  online: '',
  idle: 'Idle',
  away: 'Away',
  brb: 'Be right back',
  busy: 'Busy',
  phone: 'On the phone',
  lunch: 'Out to lunch',
  hidden: '',
  offline: '',
}

const PARTING: Readonly<Record<QuitReason, string>> = {
  gone: 'Offline',
  unlinked: 'Linked no more',
  idle: 'Said nothing for long',
  'makes-room': 'Makes room for somebody who speaks',
}

export class Puppets {
  readonly #settings: PuppetSettings
  readonly #deps: PuppetsDeps
  readonly #crowd: Crowd<string>
  readonly #nicks: KnownNicks
  readonly #leavers: Leavers
  readonly #shown = new Map<string, Shown>()
  readonly #ours = new OwnNicks<Puppet>()
  readonly #notices: Notices
  readonly #over = new AbortController()
  #bot: Connection | undefined
  #botLostAt: number | undefined

  constructor(settings: PuppetSettings, deps: PuppetsDeps) {
    this.#settings = settings
    this.#deps = deps
    this.#crowd = new Crowd(settings.rules)
    this.#nicks = new KnownNicks(deps.context.state, settings.nick)
    const { network, context, remark } = deps
    this.#notices = new Notices({ network, log: context.log, metrics: context.metrics, remark })
    this.#leavers = new Leavers(settings.rules.graceMs)
  }

  async start(): Promise<void> {
    await this.#nicks.load()
    void this.#tend()
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await this.#leave()
  }

  /** People are shown by connections of their own there. A query is spoken by who has one. */
  covers(chat: ChatId): boolean {
    return !isChannelName(chat) || this.#settings.channels === undefined || this.#settings.channels.has(chat)
  }

  botOnline(bot: Connection): void {
    this.#bot = bot
    this.#botLostAt = undefined
  }

  /** It may be back in a moment: nobody leaves for that. */
  botLost(): void {
    this.#bot = undefined
    this.#botLostAt ??= this.#now
  }

  /** The bot signs out, and all with it. */
  async close(): Promise<void> {
    this.#bot = undefined
    await this.#leave()
  }

  /** `3 of 50 puppets connected, 2 wait` */
  describe(): string {
    const { connected, waiting, held } = this.#crowd.counts(this.#now)
    const words = [
      `${connected} of ${this.#settings.rules.max} puppets connected`,
      ...(waiting === 0 ? [] : [`${waiting} ${waiting === 1 ? 'waits' : 'wait'}`]),
      ...(held === 0 ? [] : [`${held} refused`]),
    ]
    return words.join(', ')
  }

  /** A person wants what has stopped tried again. */
  retry(): boolean {
    this.#notices.forget()
    return this.#crowd.retry()
  }

  presence(as: Face, state: PresenceState, chats: readonly ChatId[]): void {
    if (as.kind !== 'ghost') return
    const key = keyOf(as.origin)
    const inChannels = chats.filter((chat) => isChannelName(chat) && this.covers(chat))
    const isThere = state.show !== 'offline' && state.show !== 'hidden'
    const known = this.#shown.get(key)
    if (known === undefined && (!isThere || inChannels.length === 0)) return
    const shown: Shown = known ?? {
      key,
      user: as.origin,
      name: as.name,
      state,
      stateSince: this.#now,
      chats: [],
      puppet: undefined,
      attempt: 0,
    }
    this.#shown.set(key, shown)
    if (isThere) {
      if (known?.state.show !== state.show || known.state.text !== state.text) shown.stateSince = this.#now
      shown.state = state
      this.#place(shown, inChannels)
    }
    if (shown.chats.length === 0) this.#forget(shown, 'unlinked')
    else if (isThere) this.#crowd.present(key, this.#now)
    else this.#crowd.absent(key, this.#now)
  }

  async renamed(as: Face, name: string): Promise<void> {
    const shown = as.kind === 'ghost' ? this.#shown.get(keyOf(as.origin)) : undefined
    if (shown === undefined || shown.name === name) return
    shown.name = name
    if (!this.#settings.rename) return
    const [nick] = await this.#nicksOf(shown, true)
    shown.puppet?.rename(nick)
  }

  /** Whoever speaks wants to be seen. */
  spoke(as: Face): void {
    if (as.kind === 'ghost') this.#crowd.spoke(keyOf(as.origin), this.#now)
  }

  /** The one who can say it there now. */
  voiceOf(as: Face, chat: ChatId): Puppet | undefined {
    if (as.kind !== 'ghost') return undefined
    const puppet = this.#shown.get(keyOf(as.origin))?.puppet
    if (puppet?.isLive !== true) return undefined
    return !isChannelName(chat) || puppet.canSpeak(chat) ? puppet : undefined
  }

  isOurs(nick: string): boolean {
    return this.#ours.has(this.#fold(nick), this.#now)
  }

  /** The channel is linked no more. */
  dropped(chat: ChatId): void {
    for (const shown of [...this.#shown.values()]) {
      if (!shown.chats.includes(chat)) continue
      this.#place(
        shown,
        shown.chats.filter((one) => one !== chat),
      )
      if (shown.chats.length === 0) this.#forget(shown, 'unlinked')
    }
  }

  /** Words were refused there until now, and may not be any more. */
  eased(chat: ChatId): void {
    for (const { puppet } of this.#shown.values()) puppet?.unmute(chat)
  }

  /** What the puppet wanted to say there was refused: the bot says it, and so with the next words. */
  muted(as: Face, chat: ChatId, detail: string): void {
    if (as.kind !== 'ghost') return
    const shown = this.#shown.get(keyOf(as.origin))
    if (shown === undefined) return
    shown.puppet?.mute(chat)
    this.#notices.muted(shown, chat, shown.puppet?.nick, detail)
  }

  /** Each message that the bot gets. */
  seen(message: IrcMessage): void {
    const { command, nick, params } = message
    if (nick !== '' && this.isOurs(nick)) {
      if (command === 'NICK') this.#ours.seenRenamed(this.#fold(nick), this.#fold(params.at(-1) ?? ''), this.#now)
      else if (command === 'QUIT') this.#ours.seenGone(this.#fold(nick))
      return
    }
    const gone = this.#leavers.message(message, (name) => this.#fold(name), this.#now)
    if (gone !== undefined && gone !== '') this.gone(gone)
  }

  /** Nobody of that name is there any more. */
  gone(nick: string): void {
    const { network, account } = this.#deps
    this.#deps.offer({ kind: 'gone', account, user: { network, user: userIdOf(nick) }, name: nick })
  }

  get #now(): number {
    return this.#deps.context.clock.now()
  }

  get #mapping(): CaseMapping {
    return this.#bot?.mapping ?? caseMappingOf(undefined)
  }

  #fold(nick: string): string {
    return fold(nick, this.#mapping)
  }

  #place(shown: Shown, chats: readonly ChatId[]): void {
    shown.chats = chats
    shown.puppet?.beIn(chats.map((id) => ({ id, key: this.#deps.keyOf(id) })))
  }

  #forget(shown: Shown, why: QuitReason): void {
    this.#crowd.forget(shown.key)
    this.#shown.delete(shown.key)
    this.#quit(shown, PARTING[why])
  }

  async #tend(): Promise<void> {
    const { rules, rejoinMs, retryMs } = this.#settings
    const { clock, log } = this.#deps.context
    const shortest = Math.min(rules.spacingMs, rules.graceMs, rules.backoffMs, rejoinMs, retryMs)
    const tendMs = Math.min(MAX_TEND_MS, Math.max(MIN_TEND_MS, shortest / 4))
    while (!this.#over.signal.aborted) {
      try {
        this.#turn()
      } catch (error) {
        log.error({ error: String(error) }, 'the puppets stumbled')
      }
      await clock.sleep(tendMs, this.#over.signal)
    }
  }

  #turn(): void {
    const now = this.#now
    const { rules } = this.#settings
    for (const nick of this.#leavers.due(now)) this.gone(nick)
    // Nobody reads what is said to them any more.
    if (this.#botLostAt !== undefined && now - this.#botLostAt >= rules.graceMs) {
      this.#botLostAt = undefined
      void this.#leave()
    }
    for (const step of this.#crowd.due(now, this.#bot !== undefined)) {
      const shown = this.#shown.get(step.who)
      if (shown === undefined) continue
      if (step.kind === 'connect') void this.#connect(shown)
      else {
        if (step.why === 'gone') this.#shown.delete(shown.key)
        this.#quit(shown, PARTING[step.why])
      }
    }
    for (const { puppet, state, stateSince } of this.#shown.values()) {
      if (puppet === undefined) continue
      if (now - stateSince >= rules.debounceMs) puppet.away(awayWords(state))
      puppet.tend()
    }
    if (this.#crowd.isFull(now)) this.#tellFull()
    this.#ours.tend(now)
    this.#measure(now)
  }

  #measure(now: number): void {
    const { metrics } = this.#deps.context
    const { connected, waiting, held } = this.#crowd.counts(now)
    const { network } = this.#deps
    metrics.gauge('irc_puppets', connected, { network, state: 'connected' })
    metrics.gauge('irc_puppets', waiting, { network, state: 'waiting' })
    metrics.gauge('irc_puppets', held, { network, state: 'refused' })
  }

  async #connect(shown: Shown): Promise<void> {
    const { context, network } = this.#deps
    const attempt = ++shown.attempt
    const puppet = await this.#make(shown)
    if (shown.attempt !== attempt) return
    if (puppet === undefined) {
      this.#ended(shown, undefined, lost('it could not be set up'))
      return
    }
    shown.puppet = puppet
    puppet.beIn(shown.chats.map((id) => ({ id, key: this.#deps.keyOf(id) })))
    puppet.away(awayWords(shown.state))
    const ending = await puppet.open(this.#over.signal)
    context.metrics.count('irc_puppet_connections', { network, outcome: ending?.cause ?? 'connected' })
    if (shown.puppet !== puppet) {
      // It was given up before it was called anything.
      this.#ours.left(puppet, this.#now)
      if (ending === undefined) await puppet.quit(BYE)
    } else if (ending === undefined) {
      context.log.info({ nick: puppet.nick }, 'a puppet is connected')
      this.#crowd.opened(shown.key, this.#now)
    } else this.#ended(shown, puppet, ending)
  }

  async #make(shown: Shown): Promise<Puppet | undefined> {
    const { context, base } = this.#deps
    const { rejoinMs, retryMs, nickBackMs } = this.#settings
    try {
      const who = { name: shown.name, address: shown.user.user }
      const settings = connectionFor(this.#settings, base(), who, await this.#nicksOf(shown, false))
      const puppet: Puppet = new Puppet(
        settings,
        { rejoinMs, retryMs, nickBackMs },
        {
          context,
          named: (nick) => this.#ours.called(puppet, this.#fold(nick), this.#now),
          heard: (message) => this.#heard(shown, message),
          watch: {
            joined: (chat) => this.#notices.joined(shown, chat),
            shutOut: (chat, how) => this.#notices.shutOut(shown, chat, how),
          },
          ended: (ending) => {
            if (shown.puppet === puppet) this.#ended(shown, puppet, ending)
          },
        },
      )
      return puppet
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      context.log.warn({ detail }, 'a puppet cannot be set up')
      return undefined
    }
  }

  #nicksOf(shown: Shown, anew: boolean): Promise<readonly [string, ...string[]]> {
    const who = { name: shown.name, address: shown.user.user }
    const { reserved } = this.#deps
    const bot = this.#bot === undefined ? [] : [this.#bot.nick]
    return this.#nicks.of(shown.key, who, this.#rules(), [...reserved, ...bot], anew)
  }

  #rules(): NickRules {
    const length = Number(this.#bot?.supports('NICKLEN'))
    const mapping = this.#bot?.supports('CASEMAPPING')
    return {
      length: Number.isInteger(length) && length > 0 ? Math.min(length, MOST_NICK_LENGTH) : LEAST_NICK_LENGTH,
      mapping: this.#mapping,
      // The servers that fold letters of all languages are those that take them.
      unicode: typeof mapping === 'string' && /^(rfc8265|rfc7613|precis|utf-?8)/i.test(mapping),
    }
  }

  #quit(shown: Shown, reason: string): void {
    const { puppet } = shown
    shown.puppet = undefined
    shown.attempt++
    this.#crowd.left(shown.key)
    if (puppet === undefined) return
    this.#ours.left(puppet, this.#now)
    void puppet.quit(reason)
  }

  async #leave(): Promise<void> {
    const puppets = [...this.#shown.values()].flatMap((shown) => {
      const { puppet } = shown
      shown.puppet = undefined
      shown.attempt++
      this.#crowd.left(shown.key)
      if (puppet !== undefined) this.#ours.left(puppet, this.#now)
      return puppet === undefined ? [] : [puppet]
    })
    await Promise.all(puppets.map((puppet) => puppet.quit(BYE)))
  }

  #ended(shown: Shown, puppet: Puppet | undefined, ending: Ending): void {
    if (puppet !== undefined) this.#ours.left(puppet, this.#now)
    shown.puppet = undefined
    const { detail } = ending.fault
    this.#deps.context.log.info({ nick: puppet?.nick, detail }, 'the connection of a puppet ended')
    const setback = this.#crowd.ended(shown.key, ending, this.#now)
    if (setback !== undefined) this.#notices.setBack(shown, setback, detail, this.#allChats())
  }

  #tellFull(): void {
    const unseen = [...this.#shown.values()].filter(({ puppet }) => puppet === undefined)
    this.#notices.full([...new Set(unseen.flatMap(({ chats }) => chats))], this.#crowd.room)
  }

  #allChats(): readonly ChatId[] {
    return [...new Set([...this.#shown.values()].flatMap(({ chats }) => chats))]
  }

  #heard(shown: Shown, message: IrcMessage): void {
    const { nick, params, tags } = message
    const body = readText(params[1] ?? '')
    if (body === undefined || this.isOurs(nick) || this.#fold(nick) === this.#fold(this.#bot?.nick ?? '')) return
    const { network, account, offer, mint } = this.#deps
    offer({
      kind: 'message',
      chat: { network, chat: chatIdOf(nick), account },
      sender: { network, user: userIdOf(nick) },
      senderName: nick,
      id: (tags['msgid'] as MessageId | undefined) ?? mint(),
      at: timeOf(tags['time']) ?? this.#now,
      body,
      to: shown.user,
      answersMs: this.#settings.answersMs,
    })
  }
}

const keyOf = ({ network, user }: UserRef): string => `${network}/${user}`

/** "Busy - fixing bugs" */
const awayWords = ({ show, text }: PresenceState): string => {
  const words = AWAY[show]
  return words === '' || text === undefined || text === '' ? words : `${words} - ${text}`
}
