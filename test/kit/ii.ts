import { join } from 'node:path'
import { Fifo } from './fifo.ts'
import { findProgram, ForeignServer, temporaryFolder } from './foreign-server.ts'
import {
  bareEnvironment,
  escaped,
  oneLine,
  textOf,
  textsOf,
  untilLog,
  welcomed,
  type Fits,
  type RealClient,
  type Registration,
} from './real-client.ts'

export interface IiOptions extends Registration {
  /** The server's password (PASS). ii knows neither TLS nor capabilities. */
  readonly password?: string
}

type Folder = Awaited<ReturnType<typeof temporaryFolder>>

/** Longer lines it cuts without a word, and their line end with them. */
const LINE_BYTES = 510

/**
 * Real ii: one folder for each place, with a FIFO for what is said and a file of what was. The oldest kind of client. Who
 * sent a NOTICE it does not write down, and it ends when the connection does.
 */
export class Ii implements RealClient {
  readonly nick: string
  readonly #folder: Folder
  readonly #program: ForeignServer
  readonly #fifos = new Map<string, Fifo>()
  #stopped = false

  private constructor(nick: string, folder: Folder, program: ForeignServer) {
    this.nick = nick
    this.#folder = folder
    this.#program = program
  }

  /** Resolves when it is registered. */
  static async start(options: IiOptions): Promise<Ii> {
    return welcomed(await Ii.launch(options), '', /Welcome to /)
  }

  /** Resolves when the program runs; nobody knows whether the server takes it. */
  static async launch({ port, nick, password }: IiOptions): Promise<Ii> {
    const folder = await temporaryFolder('ii')
    const key = password === undefined ? [] : ['-k', 'IRC_PASSWORD']
    const args = ['-s', HOST, '-p', String(port), '-n', nick, '-f', nick, '-i', folder.path, ...key]
    const env = { ...bareEnvironment(folder.path), ...(password === undefined ? {} : { IRC_PASSWORD: password }) }
    return new Ii(nick, folder, new ForeignServer(findProgram('ii') ?? 'ii', args, { cwd: folder.path, env }))
  }

  /** Writes into the FIFO of the server: `/j #channel`, `/n nick`, or any line of the protocol after a slash. */
  async raw(line: string): Promise<void> {
    this.#write('', line)
  }

  async join(channel: string): Promise<void> {
    await this.raw(`/j ${channel}`)
    await this.until(channel, new RegExp(`-!- ${escaped(this.nick)}\\(\\S+ has joined`), 'our own JOIN')
  }

  async say(target: string, text: string): Promise<void> {
    const bytes = Buffer.byteLength(`PRIVMSG ${target} :${text}`)
    if (bytes > LINE_BYTES) throw new Error(`ii sends no line of ${bytes} bytes whole`)
    // What begins with a slash is a command to ii, and it would not write down what it passes on.
    if (text.startsWith('/')) throw new Error('ii cannot say a text with a slash at the beginning')
    if (this.logOf(target) === '' && !/^[#&]/.test(target)) await this.raw(`/j ${target} ${text}`)
    else this.#write(target, text)
  }

  async act(target: string, text: string): Promise<void> {
    await this.say(target, `\x01ACTION ${text}\x01`)
  }

  /** The same as `logOf`, under the name that the file has. */
  out(target: string): string {
    return textOf(join(this.#place(target), 'out'))
  }

  logOf(target: string): string {
    return this.out(target)
  }

  said(by: string, target: string): readonly string[] {
    // `1700000000 <bob> hello`
    const pattern = new RegExp(`^\\d+ <${escaped(by)}> (?:\x01ACTION (?<action>.*)\x01|(?<text>.*))$`, 'i')
    return textsOf(this.out(target), pattern)
  }

  until(target: string, fits: Fits, what?: string, ms?: number): Promise<string> {
    return untilLog({
      log: () => this.out(target),
      fits,
      what,
      ms,
      ended: () => this.#program.ended,
      seen: () => `${this.out('').slice(-1_000)}\n${this.#program.output}`,
    })
  }

  async quit(): Promise<void> {
    await this.raw('/q')
    await untilLog({ log: () => '', fits: () => this.#program.ended, ended: () => false, seen: () => 'it still runs' })
    await this.stop()
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    for (const fifo of this.#fifos.values()) fifo.close()
    await this.#program.stop()
    await this.#folder.remove()
  }

  #place(target: string): string {
    const name = target.toLowerCase().replace(/[^a-z0-9.#&+!-]/g, '_')
    return join(this.#folder.path, HOST, name)
  }

  #write(target: string, line: string): void {
    const path = join(this.#place(target), 'in')
    const fifo = this.#fifos.get(path) ?? Fifo.open(path)
    this.#fifos.set(path, fifo)
    fifo.line(oneLine(line))
  }
}

const HOST = '127.0.0.1'
