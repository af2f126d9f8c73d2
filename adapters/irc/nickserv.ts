/** Identifying with NickServ, for networks without SASL. Its words differ between networks and services. */
import type { IrcMessage } from 'irc-framework'
import type { Clock } from '../../bridge/adapter.ts'
import { sameName } from '../../irc/casemap.ts'

export interface NickServSettings {
  /** Whom to write to: "NickServ", or "NickServ@services.example". */
  readonly service: string
  readonly account: string | undefined
  readonly password: string
  readonly recover: 'ghost' | 'regain'
  /** How long an answer may take. Milliseconds. */
  readonly waitMs: number
}

export interface NickServDeps {
  /** The nick that is ours by right. */
  readonly wanted: string
  readonly clock: Clock
  readonly over: AbortSignal
  readonly isMe: (nick: string) => boolean
  readonly send: (line: string) => void
}

export type NickServAnswer = 'accepted' | 'refused' | undefined

const ACCEPTED =
  /you are now (identified|logged in|recognized)|password accepted|you are (already )?(identified|logged in)/i
const REFUSED =
  /(invalid|incorrect|wrong|bad) password|password incorrect|access denied|(isn't|is not|not) (a )?registered|authentication failed|too many (invalid|failed)/i

/** What a NOTICE from NickServ says about our IDENTIFY. */
export const readNickServ = (words: string): NickServAnswer => {
  // Bold and colours stand between the words.

  const plain = words.replace(/\x03\d{0,2}(,\d{1,2})?|[\x00-\x1f]/g, '')
  return REFUSED.test(plain) ? 'refused' : ACCEPTED.test(plain) ? 'accepted' : undefined
}

export class NickServ {
  readonly #settings: NickServSettings
  readonly #deps: NickServDeps
  readonly #name: string
  #expecting: ((message: IrcMessage) => boolean) | undefined

  constructor(settings: NickServSettings, deps: NickServDeps) {
    this.#settings = settings
    this.#deps = deps
    this.#name = settings.service.replace(/@.*/, '')
  }

  /** Each message of the server while we are at it. */
  message(message: IrcMessage): void {
    if (this.#expecting?.(message) === true) this.#expecting = undefined
  }

  /** Undefined: no answer that we know. */
  async identify(): Promise<NickServAnswer> {
    const { account, password } = this.#settings
    let answer: NickServAnswer
    await this.#ask(this.#line(`IDENTIFY ${account === undefined ? '' : `${account} `}${password}`), (message) => {
      answer = this.#read(message)
      return answer !== undefined
    })
    return answer
  }

  /** Somebody, often our own last connection, has our nick: services throw them out. False: they did not. */
  async recoverNick(): Promise<boolean> {
    const { wanted, isMe } = this.#deps
    const { recover, password } = this.#settings
    const line = this.#line(`${recover.toUpperCase()} ${wanted} ${password}`)
    await this.#ask(line, ({ command, nick }) => isMe(wanted) || (command === 'NOTICE' && this.#isService(nick)))
    if (isMe(wanted)) return true
    await this.#ask(`NICK ${wanted}`, ({ command }) => isMe(wanted) || command === '433')
    return isMe(wanted)
  }

  #line(words: string): string {
    return `PRIVMSG ${this.#settings.service} :${words}`
  }

  #isService(nick: string): boolean {
    return sameName(nick, this.#name, 'rfc1459')
  }

  #read({ command, nick, params }: IrcMessage): NickServAnswer {
    const [first = '', second = ''] = params
    if (command === '900') return 'accepted'
    if (command === 'MODE' && this.#deps.isMe(first) && /^\+[^-]*r/.test(second)) return 'accepted'
    return command === 'NOTICE' && this.#isService(nick) ? readNickServ(params.at(-1) ?? '') : undefined
  }

  /** Sends a line and waits until a message is the answer, or for as long as an answer may take. */
  async #ask(line: string, isAnswer: (message: IrcMessage) => boolean): Promise<void> {
    const { clock, over, send } = this.#deps
    const answered = new AbortController()
    this.#expecting = (message) => {
      if (!isAnswer(message)) return false
      answered.abort()
      return true
    }
    send(line)
    await clock.sleep(this.#settings.waitMs, AbortSignal.any([answered.signal, over]))
    this.#expecting = undefined
  }
}
