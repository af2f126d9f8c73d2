import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Watch } from './watch.ts'

/** A person's IRC client, as bare as it gets: lines out, lines in, and waiting for one. */
export class IrcClient {
  readonly nick: string
  /** All lines received, without CR LF. */
  readonly lines: string[] = []
  /** Off: like a client whose line is dead. */
  answersPings = true
  readonly #socket: Socket
  readonly #watch = new Watch()
  #rest = ''
  #looked = 0

  private constructor(nick: string, socket: Socket) {
    this.nick = nick
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => this.#receive(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#watch.changed())
  }

  /** On 127.0.0.1, and nothing is said yet. */
  static async open(port: number, nick: string): Promise<IrcClient> {
    const socket = connectTcp({ host: '127.0.0.1', port })
    const client = new IrcClient(nick, socket)
    await once(socket, 'connect')
    return client
  }

  /** Registered, on 127.0.0.1. `insecureTls`: over TLS, whatever the certificate. `before`: lines that go first. */
  static async connect(
    port: number,
    nick: string,
    insecureTls = false,
    before: readonly string[] = [],
  ): Promise<IrcClient> {
    const target = { host: '127.0.0.1', port }
    const socket = insecureTls ? connectTls({ ...target, rejectUnauthorized: false }) : connectTcp(target)
    const client = new IrcClient(nick, socket)
    for (const line of before) client.send(line)
    client.send(`NICK ${nick}`)
    client.send(`USER ${nick} 0 * :${nick}`)
    await client.next(/^(?:@\S+ )?\S+ 001 /)
    return client
  }

  send(line: string): void {
    if (!this.#socket.destroyed) this.#socket.write(`${line}\r\n`)
  }

  say(target: string, text: string): void {
    this.send(`PRIVMSG ${target} :${text}`)
  }

  async join(channel: string, key = ''): Promise<void> {
    this.send(`JOIN ${channel} ${key}`.trimEnd())
    await this.next(/^\S+ 366 /)
  }

  /** The next line not yet waited for that matches. The test's own time limit is the deadline. */
  next(pattern: RegExp): Promise<string> {
    return this.until(() => {
      while (this.#looked < this.lines.length) {
        const line = this.lines[this.#looked++]
        if (line !== undefined && pattern.test(line)) return line
      }
      return undefined
    })
  }

  until<Result>(ask: () => Result | undefined | false): Promise<Result> {
    return this.#watch.until(ask)
  }

  /** What somebody said to a channel or to us, by PRIVMSG or NOTICE, in order. */
  said(by: string, target: string): readonly string[] {
    const start = new RegExp(`^(?:@\\S+ )?:${by}![^ ]+ (?:PRIVMSG|NOTICE) ${target.replace(/[^\w]/g, '\\$&')} :`, 'i')
    return this.lines.flatMap((line) => (start.test(line) ? [line.replace(start, '')] : []))
  }

  get closed(): boolean {
    return this.#socket.destroyed
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: string): void {
    const lines = (this.#rest + chunk).split('\r\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('PING ') && !this.answersPings) continue
      if (line.startsWith('PING ')) this.send(line.replace('PING', 'PONG'))
      else this.lines.push(line)
    }
    this.#watch.changed()
  }
}

/** Asks for capabilities before the registration ends. */
export const requesting = (caps: readonly string[]): readonly string[] => [
  'CAP LS 302',
  `CAP REQ :${caps.join(' ')}`,
  'CAP END',
]
