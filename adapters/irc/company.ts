/**
 * Who is in the channels where the bot is, as it is told to the core: gathered, because people come and go in storms, and whom
 * a netsplit takes is given time to come back. Time is an argument.
 */
import type { IrcMessage } from 'irc-framework'
import type { ChatId } from '../../bridge/model/ids.ts'
import { isNetsplit } from './puppets/leavers.ts'

/** Members of a channel that are told of. */
export const MOST_TOLD = 64
/** Members of one channel that are remembered; of more, the last are not. */
export const MAX_MEMBERS = 20_000

export interface CompanySettings {
  /** It is told when nobody has come, gone or spoken for so long, milliseconds, */
  readonly quietMs: number
  /** and at the latest so long after the first. */
  readonly latestMs: number
  /** Whom a netsplit took is gone after this, and so is everybody when we are not in the channel for so long. */
  readonly graceMs: number
}

export interface CompanyView {
  readonly now: number
  readonly fold: (nick: string) => string
  readonly isMe: (nick: string) => boolean
  /** We, or somebody for whom we speak: they are seen where they are, and not told of. */
  readonly isOurs: (nick: string) => boolean
  /** The channel of ours that a name means. */
  readonly channelOf: (name: string) => ChatId | undefined
  /** What stands before a nick in a list of names, as the server says: `~&@%+`. */
  readonly prefixes: string
}

export interface Told {
  readonly chat: ChatId
  /** Whoever spoke last comes first; behind those who spoke, whoever has been there longest. */
  readonly nicks: readonly string[]
}

interface Member {
  readonly nick: string
  readonly came: number
  /** Rises with each word; 0: has not spoken. */
  readonly spoke: number
  /** A netsplit took them then. */
  readonly split?: number
}

interface Hall {
  members: Map<string, Member>
  /** We are in it and know all of its names. */
  complete: boolean
  /** Since when we are not in it. */
  absent: number | undefined
  /** What is to be told: since when, and since when there was nothing more. */
  news: { readonly first: number; readonly last: number } | undefined
  /** Folded nicks that were told last. */
  told: ReadonlySet<string>
}

export class Company {
  readonly #settings: CompanySettings
  readonly #halls = new Map<ChatId, Hall>()
  #ordinal = 0

  constructor(settings: CompanySettings) {
    this.#settings = settings
  }

  /** What must be told before the message is: who says it has come just now. */
  message({ command, nick, params }: IrcMessage, view: CompanyView): Told | undefined {
    const [first = '', second = '', third = ''] = params
    switch (command) {
      case 'JOIN':
        if (view.isMe(nick)) this.#entered(first, view)
        else this.#came(first, nick, view)
        return undefined
      case 'PART':
        this.#went(first, nick, view)
        return undefined
      case 'KICK':
        this.#went(first, second, view)
        return undefined
      case 'QUIT':
        this.#quit(nick, isNetsplit(params.at(-1) ?? ''), view)
        return undefined
      case 'NICK':
        this.#renamed(nick, params.at(-1) ?? '', view)
        return undefined
      case 'PRIVMSG':
        return this.#spoke(first, nick, view)
      // :server 353 me = #tea :@amy +bob carol!carol@host
      case '353':
        this.#names(third, params.at(-1) ?? '', view)
        return undefined
      // :server 366 me #tea :End of /NAMES list.
      case '366':
        this.#listed(second, view)
        return undefined
      default:
        return undefined
    }
  }

  /** The connection is gone; who was there may be there again when it is back. */
  lost(now: number): void {
    for (const hall of this.#halls.values()) leave(hall, now)
  }

  /** The connection has been gone for longer than a moment. */
  gone(): readonly Told[] {
    const told = Array.from(this.#halls.keys(), (chat) => ({ chat, nicks: [] }))
    this.#halls.clear()
    return told
  }

  /** We are not to be there any more. */
  forget(chat: ChatId): Told | undefined {
    return this.#halls.delete(chat) ? { chat, nicks: [] } : undefined
  }

  due(view: CompanyView): readonly Told[] {
    const { now } = view
    const { quietMs, latestMs, graceMs } = this.#settings
    const told: Told[] = []
    for (const [chat, hall] of this.#halls) {
      if (hall.absent !== undefined && now - hall.absent >= graceMs) {
        this.#halls.delete(chat)
        told.push({ chat, nicks: [] })
        continue
      }
      for (const [key, { split }] of hall.members)
        if (split !== undefined && now - split >= graceMs) {
          hall.members.delete(key)
          changed(hall, now)
        }
      const { news } = hall
      if (!hall.complete || news === undefined) continue
      if (now - news.last >= quietMs || now - news.first >= latestMs) told.push(tell(chat, hall, view))
    }
    return told
  }

  #hall(name: string, { channelOf }: CompanyView): Hall | undefined {
    const chat = channelOf(name)
    return chat === undefined ? undefined : this.#halls.get(chat)
  }

  #entered(name: string, { channelOf }: CompanyView): void {
    const chat = channelOf(name)
    if (chat === undefined) return
    const told = this.#halls.get(chat)?.told ?? new Set<string>()
    this.#halls.set(chat, { members: new Map(), complete: false, absent: undefined, news: undefined, told })
  }

  #names(name: string, list: string, view: CompanyView): void {
    const hall = this.#hall(name, view)
    if (hall === undefined || hall.absent !== undefined) return
    for (const word of list.split(' ')) {
      let at = 0
      while (at < word.length && view.prefixes.includes(word.charAt(at))) at++
      // userhost-in-names
      const nick = word.slice(at).split('!', 1)[0] ?? ''
      if (nick !== '') this.#put(hall, nick, view)
    }
  }

  #listed(name: string, view: CompanyView): void {
    const hall = this.#hall(name, view)
    if (hall === undefined || hall.absent !== undefined) return
    hall.complete = true
    changed(hall, view.now)
  }

  #came(name: string, nick: string, view: CompanyView): void {
    const hall = this.#hall(name, view)
    if (hall === undefined) return
    this.#put(hall, nick, view)
    changed(hall, view.now)
  }

  #put({ members }: Hall, nick: string, { fold }: CompanyView): void {
    const key = fold(nick)
    const known = members.get(key)
    if (known === undefined && members.size >= MAX_MEMBERS) return
    members.set(key, { nick, came: known?.came ?? ++this.#ordinal, spoke: known?.spoke ?? 0 })
  }

  #went(name: string, nick: string, view: CompanyView): void {
    const hall = this.#hall(name, view)
    if (hall === undefined) return
    if (view.isMe(nick)) leave(hall, view.now)
    else if (hall.members.delete(view.fold(nick))) changed(hall, view.now)
  }

  #quit(nick: string, isSplit: boolean, { fold, now }: CompanyView): void {
    const key = fold(nick)
    for (const hall of this.#halls.values()) {
      const member = hall.members.get(key)
      if (member === undefined) continue
      if (isSplit) hall.members.set(key, { ...member, split: now })
      else {
        hall.members.delete(key)
        changed(hall, now)
      }
    }
  }

  #renamed(from: string, to: string, { fold, now }: CompanyView): void {
    for (const hall of this.#halls.values()) {
      const member = hall.members.get(fold(from))
      if (member === undefined || to === '') continue
      hall.members.delete(fold(from))
      hall.members.set(fold(to), { ...member, nick: to })
      changed(hall, now)
    }
  }

  #spoke(name: string, nick: string, view: CompanyView): Told | undefined {
    const chat = view.channelOf(name)
    const hall = chat === undefined ? undefined : this.#halls.get(chat)
    const key = view.fold(nick)
    const member = hall?.members.get(key)
    if (chat === undefined || hall === undefined || member === undefined || view.isOurs(nick)) return undefined
    const isLast = member.spoke > 0 && member.spoke === this.#ordinal
    if (!isLast) {
      hall.members.set(key, { ...member, spoke: ++this.#ordinal })
      changed(hall, view.now)
    }
    return hall.complete && !hall.told.has(key) ? tell(chat, hall, view) : undefined
  }
}

const changed = (hall: Hall, now: number): void => {
  hall.news = { first: hall.news?.first ?? now, last: now }
}

const leave = (hall: Hall, now: number): void => {
  hall.absent ??= now
  hall.complete = false
}

const tell = (chat: ChatId, hall: Hall, { fold, isOurs }: CompanyView): Told => {
  const ordered = [...hall.members.values()].sort((one, other) => other.spoke - one.spoke || one.came - other.came)
  const nicks: string[] = []
  for (const { nick } of ordered) {
    if (nicks.length >= MOST_TOLD) break
    if (!isOurs(nick)) nicks.push(nick)
  }
  hall.news = undefined
  hall.told = new Set(nicks.map(fold))
  return { chat, nicks }
}
