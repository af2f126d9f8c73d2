/**
 * Who of the people that we talk with in private is there: the server tells of those on its MONITOR list; about whom it has
 * no room for, and on servers without one, it is asked with ISON now and then. Source: the IRCv3 specification of MONITOR.
 */
import type { IrcMessage } from 'irc-framework'
import type { UserId } from '../../bridge/model/ids.ts'
import type { PresenceState } from '../../bridge/model/presence.ts'
import { fold, userIdOf, type CaseMapping } from '../../irc/casemap.ts'

/** The connection, as far as the watch needs it. */
export interface Eye {
  readonly mapping: CaseMapping
  supports(option: string): unknown
  control(line: string): boolean
}

/** Between two ISON about the same nick. Milliseconds. */
export const ASK_AGAIN_MS = 60_000
/** Nicks in one line. */
const MAX_BYTES = 400
/** `:server 730 me :amy!u@host,bob!u@host`, and 731, 303 and 734 alike. */
const ONLINE = '730'
const OFFLINE = '731'
const ISON = '303'
const LIST_FULL = '734'
/** `:server 263 me ISON :Please wait a while and try again`, and where a server does not know it or not so. */
const REFUSED: ReadonlySet<string> = new Set(['263', '421', '461'])

type Show = 'online' | 'away' | 'offline'

export class Watch {
  readonly #tell: (user: UserId, state: PresenceState) => void
  readonly #nicks = new Map<UserId, Show | undefined>()
  /** Whom the server has no room for, or has not heard of. */
  readonly #asked = new Set<UserId>()
  /** What each ISON that is under way was about. */
  readonly #underway: (readonly UserId[])[] = []
  #eye: Eye | undefined
  #monitors = false
  #askAt = 0

  constructor(tell: (user: UserId, state: PresenceState) => void) {
    this.#tell = tell
  }

  add(nick: string): void {
    const user = userIdOf(nick)
    if (this.#nicks.has(user)) return
    this.#nicks.set(user, undefined)
    this.#ask([user])
  }

  remove(nick: string): void {
    const user = userIdOf(nick)
    if (!this.#nicks.delete(user)) return
    if (this.#monitors && !this.#asked.has(user)) this.#eye?.control(`MONITOR - ${user}`)
    this.#asked.delete(user)
  }

  /** Signed in anew: the server knows nothing of the list. */
  online(eye: Eye): void {
    this.#eye = eye
    this.#monitors = eye.supports('MONITOR') !== undefined
    this.#asked.clear()
    this.#underway.length = 0
    this.#ask([...this.#nicks.keys()])
  }

  /** Nobody can be reached for now, and nobody is known to have gone. */
  offline(): void {
    this.#eye = undefined
    for (const [user, show] of this.#nicks) {
      if (show === 'online') this.#note(user, 'away')
      this.#nicks.set(user, undefined)
    }
  }

  /** To be called now and then. Milliseconds. */
  tend(now: number): void {
    if (now < this.#askAt || this.#eye === undefined) return
    this.#askAt = now + ASK_AGAIN_MS
    if (this.#underway.length === 0) this.#ison([...this.#asked])
  }

  message({ command, params, nick }: IrcMessage): void {
    const last = params.at(-1) ?? ''
    // Or nothing would be asked any more.
    if (REFUSED.has(command) && params[1] === 'ISON') this.#underway.shift()
    switch (command) {
      case ONLINE:
        for (const user of this.#named(last.split(','))) this.#note(user, 'online')
        return
      case OFFLINE:
        for (const user of this.#named(last.split(','))) this.#note(user, 'offline')
        return
      case LIST_FULL:
        this.#noRoomFor(this.#named((params[2] ?? '').split(',')))
        return
      case ISON:
        this.#isOn(new Set(this.#named(last.split(' '))))
        return
      case 'AWAY':
        for (const user of this.#named([nick])) this.#note(user, last === '' ? 'online' : 'away')
        return
      // Whoever speaks is there, whatever was said of them a while ago.
      case 'PRIVMSG':
        for (const user of this.#named([nick])) if (this.#nicks.get(user) !== 'away') this.#note(user, 'online')
        return
    }
  }

  #ask(users: readonly UserId[]): void {
    if (this.#eye === undefined || users.length === 0) return
    if (!this.#monitors) this.#noRoomFor(users)
    else
      for (const line of lines(users, ','))
        // What cannot be said now is asked later.
        if (!this.#eye.control(`MONITOR + ${line.join(',')}`)) for (const user of line) this.#asked.add(user)
  }

  #noRoomFor(users: readonly UserId[]): void {
    for (const user of users) this.#asked.add(user)
    this.#ison(users)
  }

  #ison(users: readonly UserId[]): void {
    for (const line of lines(users, ' '))
      if (this.#eye?.control(`ISON ${line.join(' ')}`) === true) this.#underway.push(line)
  }

  #isOn(there: ReadonlySet<UserId>): void {
    for (const user of this.#underway.shift() ?? []) {
      if (!there.has(user)) this.#note(user, 'offline')
      else if (this.#nicks.get(user) !== 'away') this.#note(user, 'online')
    }
  }

  /** Those of ours whom the server means. */
  #named(words: readonly string[]): readonly UserId[] {
    const mapping = this.#eye?.mapping ?? 'ascii'
    const meant = new Set(words.map((word) => fold(word.replace(/[!].*$/, ''), mapping)))
    return [...this.#nicks.keys()].filter((user) => meant.has(fold(user, mapping)))
  }

  #note(user: UserId, show: Show): void {
    if (!this.#nicks.has(user) || this.#nicks.get(user) === show) return
    this.#nicks.set(user, show)
    this.#tell(user, { show })
  }
}

/** As many as fit into one line each. */
function lines(users: readonly UserId[], separator: string): readonly (readonly UserId[])[] {
  const all: UserId[][] = []
  let room = 0
  for (const user of users) {
    const bytes = Buffer.byteLength(user) + separator.length
    if (bytes > room) {
      all.push([])
      room = MAX_BYTES
    }
    room -= bytes
    all.at(-1)?.push(user)
  }
  return all
}
