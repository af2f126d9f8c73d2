import type {
  AdapterContext,
  ClaimResult,
  CommandReply,
  CommandRequest,
  Logger,
  Metrics,
} from '../../../bridge/adapter.ts'
import { systemClock } from '../../../bridge/clock.ts'
import type { Inbound } from '../../../bridge/model/events.ts'
import type { SessionState } from '../../../bridge/model/result.ts'
import { textOf, type RichText } from '../../../bridge/model/text.ts'
import { nobody } from '../../kit/nobody.ts'
import { Watch } from '../../kit/watch.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}

/** The bridge as an adapter sees it: everything that it is told is kept, and can be waited for. */
export class FakeContext implements AdapterContext {
  readonly clock = systemClock
  readonly events: Inbound[] = []
  readonly states: SessionState[] = []
  readonly commands: CommandRequest[] = []
  readonly lines: LogLine[] = []
  readonly counts = new Map<string, number>()
  readonly stored = new Map<string, string>()
  readonly people = nobody.people
  readonly history = nobody.history
  readonly files = nobody.files
  answer: (request: CommandRequest) => readonly RichText[] = () => []
  refuseToStore = false
  readonly #watch = new Watch()

  readonly log: Logger = this.#logger()
  readonly metrics: Metrics = {
    count: (name, _labels, by = 1) => {
      this.counts.set(name, (this.counts.get(name) ?? 0) + by)
      this.#watch.changed()
    },
    gauge: () => undefined,
    observe: () => undefined,
  }
  readonly state = {
    get: (key: string) => Promise.resolve(this.stored.get(key)),
    list: (prefix: string) => Promise.resolve([...this.stored].filter(([key]) => key.startsWith(prefix)).toSorted()),
    update: (changes: readonly (readonly [string, string | undefined])[]) => {
      for (const [key, value] of changes) {
        if (value === undefined) this.stored.delete(key)
        else this.stored.set(key, value)
      }
      return Promise.resolve()
    },
  }

  emit(event: Inbound): Promise<void> {
    if (this.refuseToStore) return Promise.reject(new Error('disk full'))
    this.events.push(event)
    this.#watch.changed()
    return Promise.resolve()
  }

  sessionChanged(_account: unknown, state: SessionState): void {
    this.states.push(state)
    this.#watch.changed()
  }

  leave(): Promise<string | undefined> {
    return Promise.resolve(undefined)
  }

  claim(): Promise<ClaimResult> {
    return Promise.resolve({ kind: 'refused', detail: 'not here' })
  }

  command(request: CommandRequest): Promise<CommandReply> {
    this.commands.push(request)
    this.#watch.changed()
    return Promise.resolve({ lines: this.answer(request) })
  }

  /** Text and action messages that came in, "nick: text" or "* nick text". */
  get said(): readonly string[] {
    return this.events.flatMap((event) => {
      if (event.kind !== 'message') return []
      const { body, senderName = '?' } = event
      return body.kind === 'nudge'
        ? [`! ${senderName}`]
        : [body.kind === 'action' ? `* ${senderName} ${textOf(body.text)}` : `${senderName}: ${textOf(body.text)}`]
    })
  }

  /** Resolves with the first defined answer, asked again after each change. The test's own time limit is the deadline. */
  until<Result>(ask: () => Result | undefined | false): Promise<Result> {
    return this.#watch.until(ask)
  }

  online(): Promise<SessionState> {
    return this.until(() => this.states.findLast((state) => state.kind === 'online'))
  }

  logged(message: string): Promise<LogLine> {
    return this.until(() => this.lines.find((line) => line.message === message))
  }

  #logger(): Logger {
    const at =
      (level: LogLine['level']) =>
      (fields: object, message: string): void => {
        this.lines.push({ level, fields, message })
        this.#watch.changed()
      }
    const logger: Logger = {
      child: () => logger,
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
    }
    return logger
  }
}
