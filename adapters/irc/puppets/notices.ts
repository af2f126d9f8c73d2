/** Where the bot has to speak for somebody after all: it is said once in the channel, until it is over, and logged. */
import type { Logger, Metrics } from '../../../bridge/adapter.ts'
import type { ChatId, NetworkId } from '../../../bridge/model/ids.ts'
import type { Setback } from './crowd.ts'

export interface NoticesDeps {
  readonly network: NetworkId
  readonly log: Logger
  readonly metrics: Metrics
  /** The bot says something in a channel. */
  readonly remark: (channel: ChatId, words: string) => void
}

/** Whom it is about. */
export interface About {
  readonly key: string
  readonly name: string
  readonly chats: readonly ChatId[]
}

/** What was said once; past it all may be said once more. */
const MAX_SAID = 2_000

const SHUT_OUT = { banned: 'is banned', kicked: 'was thrown out twice', refused: 'was not let in' } as const

export class Notices {
  readonly #deps: NoticesDeps
  readonly #said = new Set<string>()

  constructor(deps: NoticesDeps) {
    this.#deps = deps
  }

  /** A person acts: what happens from now on is news. */
  forget(): void {
    this.#said.clear()
  }

  /** `everywhere`: all channels with puppets. */
  setBack(who: About, setback: Setback, detail: string, everywhere: readonly ChatId[]): void {
    const { log, metrics, network } = this.#deps
    metrics.count('irc_puppet_setbacks', { network, kind: setback })
    switch (setback) {
      case 'killed': {
        log.error({ name: who.name, detail }, 'a puppet was killed, waits for a reconnect')
        const words = `An operator ended the connection of ${who.name}; the bridge speaks for them.`
        for (const chat of who.chats) this.#say(chat, `killed ${who.key}`, words)
        return
      }
      case 'full':
        log.warn({ detail }, 'the server takes no more puppets for now')
        return
      case 'banned':
      case 'throttled':
      case 'failed': {
        log.warn({ kind: setback, detail }, 'no puppets are connected for a while')
        const words = 'The IRC server lets nobody else in now; the bridge speaks for whoever is not here.'
        for (const chat of everywhere) this.#say(chat, 'nobody-else', words)
      }
    }
  }

  full(chats: readonly ChatId[], room: number): void {
    const words = `No more than ${room} people can be here by themselves; the bridge speaks for the others.`
    for (const chat of chats) this.#say(chat, 'full', words)
  }

  shutOut({ key, name }: About, chat: ChatId, how: keyof typeof SHUT_OUT): void {
    this.#say(chat, `shut-out ${key}`, `${name} ${SHUT_OUT[how]} here; the bridge speaks for them.`)
  }

  muted({ key, name }: About, chat: ChatId, nick: string | undefined, detail: string): void {
    this.#deps.log.warn({ nick, channel: chat, detail }, 'a puppet may not speak')
    this.#say(chat, `muted ${key}`, `${name} may not speak here by themselves; the bridge speaks for them.`)
  }

  joined({ key }: About, chat: ChatId): void {
    this.#said.delete(`${chat} shut-out ${key}`)
  }

  #say(chat: ChatId, what: string, words: string): void {
    const key = `${chat} ${what}`
    if (this.#said.has(key)) return
    if (this.#said.size >= MAX_SAID) this.#said.clear()
    this.#said.add(key)
    this.#deps.remark(chat, words)
  }
}
