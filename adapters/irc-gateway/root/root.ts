/**
 * Root, to whom people talk in a control channel (`account list`) or by /msg root, as in BitlBee. Finds the command, runs
 * one after the other for each person, and answers where it was said, to the client that said it.
 */
import { render } from '../../../irc/formatting.ts'
import { splitText } from '../../../irc/split.ts'
import { plain } from '../../../bridge/model/text.ts'
import type { FileOffer } from '../dcc-offer.ts'
import { type ClientPort, maskOf, type PersonPort } from '../types.ts'
import { rootFace } from '../world/faces.ts'
import { BRIDGE_WORDS, bridgeWord } from './bridge-commands.ts'
import { commandNames, commandOf, commandRows } from './commands.ts'
import type { Answer, Call, RootCommand, RootDeps, Where } from './deps.ts'
import { completions, usageLines } from './help.ts'
import { passwordCame, STRANGER } from './identity-commands.ts'
import type { Passwords } from './passwords.ts'
import { PictureOffers } from './picture-offers.ts'
import { type Asking, Questions, type QuestionsPort } from './questions.ts'
import { Waits } from './waits.ts'
import { nearest, readLine, type Said, shortFor } from './words.ts'

/** Bytes of a line of an answer, as in BitlBee; and no more than fits into a line of IRC. */
const WRAP_BYTES = 425
const LINE_BYTES = 510
/** Characters of a line that somebody says. */
const LONGEST_LINE = 2_000
/** Lines of one person that wait for the one before them to be done. */
const MOST_WAITING = 200

const TOO_MANY = 'That is too much at once; I did not read all of it.'

interface Turn {
  tail: Promise<void>
  waiting: number
  /** They were told that there is too much. */
  told: boolean
}

export class Root implements QuestionsPort {
  readonly #deps: RootDeps
  readonly #passwords: Passwords
  readonly #questions: Questions
  readonly #pictures: PictureOffers
  /** By person, else by client. */
  readonly #turns = new WeakMap<object, Turn>()

  constructor(deps: RootDeps) {
    this.#deps = deps
    this.#passwords = new Waits(deps.context.clock)
    this.#questions = new Questions(deps.context.state)
    this.#pictures = new PictureOffers(deps.inbox, deps.context.clock)
  }

  /** Somebody said it to root. Never rejects; resolves when it is answered. */
  hear(client: ClientPort, line: string, where: Where): Promise<void> {
    return this.#inTurn(client, where, () => this.#run(client, line, where))
  }

  /** A file was offered. Never rejects; what is said meanwhile does not wait for it. */
  async offered(client: ClientPort, offer: FileOffer): Promise<void> {
    const { person } = client
    const root = rootFace(this.#nick(client), this.#deps.server)
    const taken = person === undefined ? [STRANGER] : this.#pictures.take(client, person, root, offer)
    this.#say(client, 'query', await Promise.resolve(taken).catch((error: unknown) => this.#failed(error)))
  }

  /** /OPER: a password that something waits for. Never rejects. */
  oper(client: ClientPort, name: string, password: string): Promise<void> {
    return this.#inTurn(client, 'query', () => {
      const waiting = this.#passwords.take(client)
      return passwordCame(waiting, client, name, password, this.#deps, this.#questions)
    })
  }

  completions(): readonly string[] {
    return completions(commandRows)
  }

  ask(person: PersonPort, asking: Asking): Promise<void> {
    return this.#questions.ask(person, asking)
  }

  async #inTurn(client: ClientPort, where: Where, run: () => Promise<readonly string[]>): Promise<void> {
    const owner = client.person ?? client
    const turn = this.#turns.get(owner) ?? { tail: Promise.resolve(), waiting: 0, told: false }
    this.#turns.set(owner, turn)
    if (turn.waiting >= MOST_WAITING) {
      if (!turn.told) this.#say(client, where, [TOO_MANY])
      turn.told = true
      return
    }
    turn.waiting++
    turn.tail = turn.tail.then(async () => {
      const lines = await run().catch((error: unknown) => this.#failed(error))
      turn.waiting--
      if (turn.waiting === 0) turn.told = false
      this.#say(client, where, lines)
    })
    await turn.tail
  }

  #failed(error: unknown): readonly string[] {
    this.#deps.context.log.error({ error: reasonOf(error) }, 'a command of root failed')
    return ['That failed inside the bridge; its log says why.']
  }

  async #run(client: ClientPort, line: string, where: Where): Promise<readonly string[]> {
    if (line.length > LONGEST_LINE) return ['That is too long for a command.']
    const said = readLine(this.#unaddressed(client, line))
    if (said.name === '') return []
    const call: Call = {
      client,
      deps: this.#deps,
      words: said.words,
      rest: said.rest,
      where,
      confirms: this.#questions.expected(client),
      passwords: this.#passwords,
      questions: this.#questions,
      pictures: this.#pictures,
    }
    const meant = shortFor(said.name, commandNames)
    const command = meant.kind === 'one' ? commandOf.get(meant.name) : undefined
    // In full, one of the bridge's own words is no short form of another.
    if (command?.name !== said.name && BRIDGE_WORDS.includes(said.name)) return this.#bridgeWord(said, call)
    if (command !== undefined) return this.#command(command, call)
    if (meant.kind === 'several') return [`That may be ${meant.names.join(', ')}: write some more of it.`]
    // What it was is not repeated: it may have been a password.
    const near = nearest(said.name, commandNames)
    return [`Unknown command${near === undefined ? '.' : `; did you mean ${near}?`} See: help commands`]
  }

  async #command(command: RootCommand, call: Call): Promise<readonly string[]> {
    const { person } = call.client
    const run = runOf(command, call, person)
    if (run === undefined) return [STRANGER]
    const answer = call.words.length < command.least ? 'usage' : await run()
    return answer === 'usage' ? usageLines(command.usage) : answer
  }

  async #bridgeWord({ name }: Said, call: Call): Promise<readonly string[]> {
    const { person } = call.client
    if (person === undefined) return [STRANGER]
    const answer = await bridgeWord(name, { ...call, person })
    return answer === 'usage' ? [] : answer
  }

  /** "root: help", too. */
  #unaddressed(client: ClientPort, line: string): string {
    const nick = this.#nick(client)
    const text = line.trimStart()
    const isAddressed = text.toLowerCase().startsWith(nick.toLowerCase()) && /^[:,]\s/.test(text.slice(nick.length))
    return isAddressed ? text.slice(nick.length + 1) : text
  }

  #nick({ person }: ClientPort): string {
    return person?.settings.get('root_nick') ?? 'root'
  }

  #say(client: ClientPort, where: Where, lines: readonly string[]): void {
    if (lines.length === 0) return
    const source = maskOf({ nick: this.#nick(client), ident: 'root', host: this.#deps.server })
    const target = where === 'query' ? client.nick : where
    const room = LINE_BYTES - Buffer.byteLength(`:${source} PRIVMSG ${target} :`)
    for (const text of wrap(lines, Math.min(WRAP_BYTES, room)))
      client.send({ source, verb: 'PRIVMSG', params: [target, text] })
  }
}

/** `undefined`: it is not for strangers. */
const runOf = (
  command: RootCommand,
  call: Call,
  person: PersonPort | undefined,
): (() => Promise<Answer>) | undefined => {
  if (command.who === 'anyone') return () => command.run(call)
  return person === undefined ? undefined : () => command.run({ ...call, person })
}

/** Lines of IRC; table columns keep their blanks. */
export const wrap = (lines: readonly string[], bytes: number): readonly string[] =>
  lines.flatMap((line) =>
    splitText(plain(line), bytes).map((piece, index) => (index === 0 ? render(piece) : render(piece).trimStart())),
  )

/** What went wrong, without what was said: the name of the error alone says nothing of a secret. */
const reasonOf = (error: unknown): string =>
  error instanceof Error ? `${error.name} ${error.stack?.split('\n')[1]?.trim() ?? ''}` : 'unknown'
