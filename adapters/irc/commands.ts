/** `!msn who` in a channel, or `who` to the bot itself: asked of the bridge, answered where it was asked. */
import type { AdapterContext, CommandRequest } from '../../bridge/adapter.ts'
import type { AccountId } from '../../bridge/model/ids.ts'
import { plain, type RichText } from '../../bridge/model/text.ts'
import type { Asker, Reading } from './inbound.ts'
import { accountCouldHelp, roleOf, type Permissions } from './permissions.ts'

/** Commands under way at once; more are not heard. */
export const MAX_COMMANDS = 8

export interface CommandDeps {
  readonly context: Pick<AdapterContext, 'command' | 'log' | 'metrics'>
  readonly account: AccountId
  readonly permissions: Permissions
  /** The word before a command in a channel. */
  readonly trigger: string
  /** Asks the server; undefined where nobody knows. */
  readonly accountOf: (nick: string) => Promise<string | undefined>
  /** Says one line to a channel or a nick. */
  readonly answer: (target: string, line: RichText) => void
}

type Command = Extract<Reading, { kind: 'command' }>

export class Commands {
  readonly #deps: CommandDeps
  #running = 0

  constructor(deps: CommandDeps) {
    this.#deps = deps
  }

  /** Too many questions are being answered. */
  get isBusy(): boolean {
    return this.#running >= MAX_COMMANDS
  }

  async run(command: Command): Promise<void> {
    const { context, answer } = this.#deps
    if (this.isBusy) {
      context.metrics.count('irc_dropped_commands', { network: command.from.user.network })
      return
    }
    this.#running++
    const target = command.chat?.chat ?? command.from.nick
    try {
      const { lines } = await context.command(await this.#request(command))
      for (const line of lines) answer(target, line)
    } catch (error) {
      context.log.error({ error: String(error) }, 'a command failed')
      answer(target, plain('That went wrong; the log of the bridge says why.'))
    } finally {
      this.#running--
    }
  }

  /** Whether somebody may do what only admins may. */
  async mayManage(from: Asker): Promise<boolean> {
    return roleOf(this.#deps.permissions, from.mask, await this.#account(from)) === 'admin'
  }

  async #request({ from, chat, line }: Command): Promise<CommandRequest> {
    return {
      from: from.user,
      fromName: from.nick,
      via: this.#deps.account,
      ...(chat === undefined ? {} : { chat }),
      role: roleOf(this.#deps.permissions, from.mask, await this.#account(from)),
      line: line === '' ? 'help' : line,
      ...(chat === undefined ? {} : { trigger: `${this.#deps.trigger} ` }),
    }
  }

  async #account(from: Asker): Promise<string | undefined> {
    if (from.account !== undefined) return from.account
    return accountCouldHelp(this.#deps.permissions, from.mask) ? this.#deps.accountOf(from.nick) : undefined
  }
}
