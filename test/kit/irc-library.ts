/** irc-framework as somebody's client: an implementation of IRC that is not ours. Events are waited for by name. */
import type { EventEmitter } from 'node:events'
import framework from 'irc-framework'
import { Watch } from './watch.ts'

interface LibraryMessage {
  tags: Readonly<Record<string, string>>
}

/** The parts of the library that tests use; it has no types of its own. */
interface Library extends EventEmitter {
  readonly network: {
    readonly cap: { readonly enabled: readonly string[] }
    supports(name: string): unknown
  }
  readonly user: { readonly nick: string }
  requestCap(names: readonly string[]): void
  connect(options: object): void
  say(target: string, text: string, tags?: Readonly<Record<string, string>>): void
  action(target: string, text: string): void
  tagmsg(target: string, tags: Readonly<Record<string, string>>): void
  whois(nick: string): void
  whowas(nick: string): void
  who(target: string): void
  addMonitor(nick: string): void
  raw(...words: readonly (string | LibraryMessage)[]): void
  readonly Message: new (verb: string, ...params: readonly string[]) => LibraryMessage
  quit(reason: string): void
}

export type LibraryEvent = Readonly<Record<string, unknown>>

interface Happened {
  readonly name: string
  readonly event: LibraryEvent
}

export class LibraryClient {
  readonly library: Library
  readonly #happened: Happened[] = []
  readonly #watch = new Watch()
  #read = 0

  private constructor() {
    this.library = new framework.Client() as unknown as Library
    const emit = this.library.emit.bind(this.library)
    // All of them, in order, whatever their names are.
    this.library.emit = (name: string, ...values: unknown[]) => {
      this.#happened.push({ name, event: (values[0] ?? {}) as LibraryEvent })
      const heard = emit(name, ...values)
      this.#watch.changed()
      return heard
    }
  }

  /** Signed in by SASL PLAIN, and in the control channel. */
  static async connect(port: number, name: string, password: string, caps: readonly string[]): Promise<LibraryClient> {
    const client = new LibraryClient()
    client.library.requestCap(caps)
    client.library.connect({
      host: '127.0.0.1',
      port,
      nick: name,
      username: name,
      gecos: name,
      account: { account: name, password },
      enable_echomessage: true,
      enable_setname: true,
      enable_chghost: true,
      auto_reconnect: false,
      ping_interval: 0,
      ping_timeout: 0,
      // Below it the library cuts by itself.
      message_max_length: 400,
    })
    await client.next('userlist')
    return client
  }

  /** The next event of that name that fits; those before it are passed over. */
  next(name: string, fits: (event: LibraryEvent) => boolean = () => true): Promise<LibraryEvent> {
    return this.#watch.until(() => {
      for (let index = this.#read; index < this.#happened.length; index++) {
        const one = this.#happened[index]
        if (one?.name !== name || !fits(one.event)) continue
        this.#read = index + 1
        return one.event
      }
      return undefined
    })
  }

  /** A line with a label. */
  ask(label: string, verb: string, ...params: readonly string[]): void {
    const message = new this.library.Message(verb, ...params)
    message.tags = { label }
    this.library.raw(message)
  }

  /** All events of that name so far. */
  all(name: string): readonly LibraryEvent[] {
    return this.#happened.filter((one) => one.name === name).map(({ event }) => event)
  }

  until<Result>(ask: () => Result | undefined | false): Promise<Result> {
    return this.#watch.until(ask)
  }

  close(): void {
    this.library.quit('bye')
  }
}
