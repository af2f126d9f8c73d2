/**
 * What people say to the bridge itself: `help`, `who bob`, `login retro bob@example.com`. Finds the command, asks whether
 * they may, answers in lines. What must not happen by mistake asks for a `yes`, and passwords are asked for by themselves.
 */
import type { CommandReply, CommandRequest, Role } from './adapter.ts'
import { type Answer, type Command, type CommandDeps, isQuestion, type Question } from './commands/deps.ts'
import { Pending } from './commands/pending.ts'
import { commandRows, commandTable } from './commands/table.ts'
import { plain } from './model/text.ts'
import { nearest } from './nearest.ts'
import { StoreUnavailable } from './store/port.ts'

/** Longer lines are no commands. */
const MAX_LINE = 1_000
/** Longer ones are no passwords. */
const MAX_SECRET = 1_000
/** So long may somebody think about a `yes`. Milliseconds. */
const CONFIRM_MS = 60_000
/** And so long look for a password. */
const SECRET_MS = 5 * 60_000

const RANK: Readonly<Record<Role, number>> = { none: 0, user: 1, admin: 2 }

/** Words that the bridge answers itself. */
const BUILT_IN: readonly string[] = ['help', 'yes', 'cancel']

interface Asked<Go> {
  readonly command: Command
  readonly go: Go
}

type Go<Kind extends Question['kind']> = Extract<Question, { kind: Kind }>['go']

export class Commands {
  readonly #deps: CommandDeps
  readonly #confirms: Pending<Asked<Go<'confirm'>>>
  readonly #secrets: Pending<Asked<Go<'secret'>>>

  constructor(deps: CommandDeps) {
    this.#deps = deps
    this.#confirms = new Pending(deps.clock, CONFIRM_MS)
    this.#secrets = new Pending(deps.clock, SECRET_MS)
  }

  /** Never rejects: a failure is a line for the person. */
  async run(request: CommandRequest): Promise<CommandReply> {
    const answer = await this.#answer(request).catch((error: unknown): Answer => {
      if (error instanceof StoreUnavailable) return ['The disk of the bridge takes nothing now. Try again later.']
      this.#deps.log.error({ error: String(error) }, 'a command failed')
      return ['That failed inside the bridge; its log says why.']
    })
    if (!('kind' in answer)) return { lines: answer.map(plain) }
    return {
      lines: answer.lines.map(plain),
      ...(answer.kind === 'secret' ? { secretNext: true } : {}),
      ...(answer.kind === 'news' ? { about: answer.about } : {}),
    }
  }

  async #answer(request: CommandRequest): Promise<Answer> {
    const key = whereAsked(request)
    if (request.secret !== undefined) return this.#secret(key, request, request.secret)
    if (request.line.length > MAX_LINE) return ['That is too long for a command.']
    const name = wordsOf(request.line)[0]?.toLowerCase()
    // Whatever else they say: they have thought of something else.
    const confirm = this.#confirms.take(key)
    if (name === 'yes') {
      if (confirm === undefined) return ['There is nothing to confirm.']
      if (RANK[request.role] < RANK[confirm.command.role]) return [notAllowed('that', request.role)]
      return confirm.go()
    }
    if (name === 'cancel') {
      const secret = this.#secrets.take(key)
      return [confirm === undefined && secret === undefined ? 'There is nothing to cancel.' : 'Cancelled.']
    }
    return this.#command(request, (command, question) => {
      if (question.kind === 'confirm') this.#confirms.put(key, { command, go: question.go })
      else this.#secrets.put(key, { command, go: question.go })
    })
  }

  async #secret(key: string, { role }: CommandRequest, secret: string): Promise<Answer> {
    const asked = this.#secrets.take(key)
    if (asked === undefined) return ['I do not wait for a password any more. Say again what you wanted to do.']
    if (secret.trim().toLowerCase() === 'cancel') return ['Cancelled.']
    if (RANK[role] < RANK[asked.command.role]) return [notAllowed('that', role)]
    if (secret === '' || secret.length > MAX_SECRET) return ['That is no password. Say again what you wanted to do.']
    return asked.go(secret)
  }

  /** `asks`: the answer is a question. */
  async #command(
    request: CommandRequest,
    asks: (command: Command, question: Question) => void,
    isFor: 'themselves' | 'another' = 'themselves',
  ): Promise<Answer> {
    const [verb = 'help', ...words] = wordsOf(request.line)
    const name = verb.toLowerCase()
    const { role, trigger = '' } = request
    if (name === 'help') return this.#help(request, words[0])
    const command = commandTable.get(name)
    if (command === undefined) return [unknownWords(verb, trigger)]
    if (RANK[role] < RANK[command.role]) return [notAllowed(name, role)]
    if (words.length < command.least || words.length > command.most) return [`Write: ${trigger}${command.usage}`]
    const runAs = async (other: CommandRequest): Promise<Answer> =>
      isFor === 'another' ? ['One at a time.'] : this.#command(other, asks, 'another')
    const answer = await command.run({ request, words, deps: this.#deps, runAs })
    if (isQuestion(answer)) asks(command, answer)
    return answer
  }

  #help({ role, trigger = '', from }: CommandRequest, topic: string | undefined): readonly string[] {
    if (topic !== undefined) {
      const command = commandTable.get(topic.toLowerCase())
      if (command === undefined) return [unknownWords(topic, trigger)]
      const also = command.aliases === undefined ? '' : ` (also: ${command.aliases.join(', ')})`
      return [`${trigger}${command.usage}: ${command.about}${also}`]
    }
    const allowed = commandRows.filter(([, command]) => RANK[command.role] <= RANK[role])
    const [first] = allowed
    if (first === undefined) return [notAllowed('help', 'none')]
    const more = `More about one: ${trigger}help ${first[0]}`
    // One line, because a slow channel shows one line a second.
    if (this.#deps.adapters.get(from.network)?.homes === undefined)
      return [`Commands: ${allowed.map(([name]) => name).join(', ')}. ${more}`]
    const groups = Map.groupBy(allowed, ([, { group }]) => group)
    return [...[...groups].map(([group, rows]) => `${group}: ${rows.map(([name]) => name).join(', ')}`), more]
  }
}

const wordsOf = (line: string): readonly string[] => line.split(/\s+/).filter((word) => word !== '')

/** Questions are answered by whom they were asked, where they were asked. */
const whereAsked = ({ from, chat }: CommandRequest): string =>
  JSON.stringify([from.network, from.user, chat?.network ?? '', chat?.account ?? '', chat?.chat ?? ''])

const unknownWords = (verb: string, trigger: string): string => {
  const meant = nearest(verb, [...BUILT_IN, ...commandTable.keys()])
  const shown = verb.length > 40 ? `${verb.slice(0, 40)}...` : verb
  return `There is no command ${shown}${meant === undefined ? `; see ${trigger}help` : `; did you mean ${meant}?`}`
}

const notAllowed = (name: string, role: Role): string =>
  role === 'none'
    ? 'You may not command this bridge. Who may is said in its config, under permissions.'
    : `Only admins of this bridge may use ${name}.`
