/** The one table of what a registered client may ask, and who answers. */
import type { ClientPort } from '../types.ts'
import type { ClientLine } from '../wire/line.ts'
import { BITLBEE } from './bitlbee.ts'
import { CHANNELS } from './channels.ts'
import type { Answering, Asked, Commands, Desk, DispatchDeps, RootPort } from './desk.ts'
import { HISTORY } from './history.ts'
import { answerLabeled, labelOf, outsideAnswer } from './labels.ts'
import { MARKREAD } from './markread.ts'
import { MESSAGES } from './messages.ts'
import { MODES } from './modes.ts'
import { MONITOR } from './monitor.ts'
import { Monitors } from './monitors.ts'
import { PEOPLE } from './people.ts'
import { ReadMarks } from './read-marks.ts'
import { Order } from './order.ts'
import { quoted, reply } from './replies.ts'
import { SERVER } from './server.ts'
import { sightOf } from './sight.ts'
import { askWhoTheyAre } from './strangers.ts'
import { WHO } from './who.ts'
import { WHOIS } from './whois.ts'

export const COMMANDS: Commands = {
  ...MESSAGES,
  ...CHANNELS,
  ...MODES,
  ...PEOPLE,
  ...WHO,
  ...WHOIS,
  ...MONITOR,
  ...HISTORY,
  ...MARKREAD,
  ...SERVER,
  ...BITLBEE,
}

export class Dispatch {
  readonly monitors: Monitors
  readonly marks: ReadMarks
  readonly #desk: Desk
  readonly #working = new Set<Promise<void>>()
  readonly #order: Order
  #batches = 0

  constructor(deps: DispatchDeps) {
    this.monitors = new Monitors(deps.server)
    this.marks = new ReadMarks(deps.context)
    this.#order = new Order(deps.context.clock, (client, line) => this.#start(client, line))
    const inOrder = (client: ClientPort, answered: Promise<void>): Promise<void> => {
      this.#keep(this.#order.asked(client, answered))
      return answered
    }
    const root: RootPort = {
      hear: (client, line, where) => inOrder(client, deps.root.hear(client, line, where)),
      offered: (client, offer) => deps.root.offered(client, offer),
      oper: (client, name, password) => inOrder(client, deps.root.oper(client, name, password)),
      completions: () => deps.root.completions(),
    }
    this.#desk = {
      deps: { ...deps, root },
      monitors: this.monitors,
      marks: this.marks,
      reading: new WeakMap(),
      ref: () => (++this.#batches).toString(36),
    }
  }

  /** Answers one line. Never throws; what takes longer is answered later, and what is behind a line to root comes behind. */
  take(client: ClientPort, line: ClientLine): void {
    this.#order.take(client, line)
  }

  #start(client: ClientPort, line: ClientLine): void {
    const label = labelOf(client, line.tags)
    const work = (): Answering => this.#safely(client, line)
    // A line that was held back is taken while another one is answered, and is no part of that answer.
    const working =
      label === undefined ? outsideAnswer(work) : answerLabeled(client, label, () => this.#desk.ref(), work)
    if (working !== undefined) this.#keep(working)
  }

  #keep(working: Promise<void>): void {
    const done = working.finally(() => this.#working.delete(done))
    this.#working.add(done)
  }

  /** Everything that was taken by now is answered. */
  async idle(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working)
  }

  /** A failure is a bug of ours, or a full disk: said to both sides, without a word of what was in the line. */
  #safely(client: ClientPort, line: ClientLine): Answering {
    const failed = (error: unknown): void => {
      const verb = quoted(line.verb)
      this.#desk.deps.context.log.error({ verb, error: String(error) }, 'a command of a client failed')
      reply(client, 'ERR_UNKNOWNERROR', [verb], 'That failed here; the operator finds it in the log')
    }
    try {
      return this.#answer(client, line)?.catch(failed)
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  #answer(client: ClientPort, { verb, params, tags }: ClientLine): Answering {
    const command = Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb] : undefined
    const { person } = client
    const desk = this.#desk
    const asked: Asked = { desk, client, person, sight: sightOf(client, desk.deps), verb, params, tags }
    if (command === undefined) reply(client, 'ERR_UNKNOWNCOMMAND', [quoted(verb)])
    else if (params.length < command.min) reply(client, 'ERR_NEEDMOREPARAMS', [verb])
    else if (command.identified !== true) return command.run(asked)
    else if (person !== undefined) return command.run({ ...asked, person })
    else askWhoTheyAre(client, verb)
    return undefined
  }
}
