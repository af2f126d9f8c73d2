/** Finds out the services account of somebody who commands us, on servers that do not tag messages with it. */
import type { IrcMessage } from 'irc-framework'
import type { Clock } from '../../bridge/adapter.ts'
import { fold } from '../../irc/casemap.ts'

/** Questions under way; more are answered "nobody knows". */
export const MAX_QUESTIONS = 16
const ANSWER_MS = 5_000

interface Question {
  account: string | undefined
  readonly done: AbortController
}

export class AccountLookup {
  readonly #clock: Clock
  readonly #questions = new Map<string, Question>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `ask` sends the WHOIS. Undefined: not identified, or no answer in time. */
  async accountOf(nick: string, ask: (line: string) => boolean): Promise<string | undefined> {
    const key = fold(nick, 'rfc1459')
    const known = this.#questions.get(key)
    if (known === undefined && this.#questions.size >= MAX_QUESTIONS) return undefined
    const question = known ?? { account: undefined, done: new AbortController() }
    if (known === undefined) {
      this.#questions.set(key, question)
      if (!ask(`WHOIS ${nick}`)) question.done.abort()
    }
    await this.#clock.sleep(ANSWER_MS, question.done.signal)
    this.#questions.delete(key)
    return question.account
  }

  message({ command, params }: IrcMessage): void {
    const question = this.#questions.get(fold(params[1] ?? '', 'rfc1459'))
    if (question === undefined) return
    // 307: older services only say that the nick is identified for, and accounts are named like nicks.
    if (command === '330') question.account = params[2]
    else if (command === '307') question.account ??= params[1]
    else if (command === '318' || command === '401') question.done.abort()
  }
}
