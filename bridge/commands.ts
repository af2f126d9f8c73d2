/** What people say to the bridge itself: `help`, `who bob`, `add bob@example.com`. Finds the command, asks whether they may, answers in lines. */
import type { CommandRequest, Role } from './adapter.ts'
import type { Call, CommandDeps } from './commands/deps.ts'
import { commandTable } from './commands/table.ts'
import { plain, type RichText } from './model/text.ts'
import { nearest } from './nearest.ts'

/** Longer lines are no commands. */
const MAX_LINE = 1_000

const RANK: Readonly<Record<Role, number>> = { none: 0, user: 1, admin: 2 }

export class Commands {
  readonly #deps: CommandDeps

  constructor(deps: CommandDeps) {
    this.#deps = deps
  }

  /** Never rejects: a failure is a line for the person. */
  async run(request: CommandRequest): Promise<readonly RichText[]> {
    const lines = await this.#answer(request).catch((error: unknown) => {
      this.#deps.log.error({ error: String(error) }, 'a command failed')
      return ['That failed inside the bridge; its log says why.']
    })
    return lines.map(plain)
  }

  async #answer(request: CommandRequest): Promise<readonly string[]> {
    if (request.line.length > MAX_LINE) return ['That is too long for a command.']
    const [verb = 'help', ...words] = request.line
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '')
    const name = verb.toLowerCase()
    const { role, trigger = '' } = request
    if (name === 'help') return this.#help(role, trigger, words[0])
    const command = commandTable.get(name)
    if (command === undefined) return [unknownWords(verb, trigger)]
    if (RANK[role] < RANK[command.role]) return [notAllowed(name, role)]
    const call: Call = { request, words, deps: this.#deps }
    if (words.length < command.least || words.length > command.most) return [`Write: ${trigger}${command.usage}`]
    return command.run(call)
  }

  #help(role: Role, trigger: string, topic: string | undefined): readonly string[] {
    if (topic !== undefined) {
      const command = commandTable.get(topic.toLowerCase())
      return command === undefined ? [unknownWords(topic, trigger)] : [`${trigger}${command.usage}: ${command.about}`]
    }
    const allowed = [...commandTable].filter(([, command]) => RANK[command.role] <= RANK[role]).map(([name]) => name)
    if (allowed.length === 0)
      return ['You may not command this bridge. Who may is said in its config, under permissions.']
    // One line, because a slow channel shows one line a second.
    return [`Commands: ${allowed.join(', ')}. More about one: ${trigger}help ${allowed[0] ?? ''}`]
  }
}

const unknownWords = (verb: string, trigger: string): string => {
  const meant = nearest(verb, ['help', ...commandTable.keys()])
  const shown = verb.length > 40 ? `${verb.slice(0, 40)}...` : verb
  return `There is no command ${shown}${meant === undefined ? `; see ${trigger}help` : `; did you mean ${meant}?`}`
}

const notAllowed = (name: string, role: Role): string =>
  role === 'none'
    ? 'You may not command this bridge. Who may is said in its config, under permissions.'
    : `Only admins of this bridge may use ${name}.`
