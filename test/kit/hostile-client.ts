/** A client that keeps no rules: bytes out, as many as one likes, and what comes back, if it is read at all. */
import { connect, type Socket } from 'node:net'
import { Watch } from './watch.ts'

export class HostileClient {
  readonly #socket: Socket
  readonly #watch = new Watch()
  /** All that came, as Latin-1. */
  text = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1')
      // Whoever is answered with so much is not looked at any more, only for how it ends.
      if (this.text.length > 1_000_000) this.text = this.text.slice(-10_000)
      this.#watch.changed()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => this.#watch.changed())
  }

  /** Resolves when it is connected, or was refused. */
  static connect(port: number): Promise<HostileClient> {
    const socket = connect(port, '127.0.0.1')
    const client = new HostileClient(socket)
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(client))
      socket.once('close', () => resolve(client))
    })
  }

  /** One that is registered, and identified where it has a password. */
  static async registered(port: number, nick: string, password?: string): Promise<HostileClient> {
    const client = await HostileClient.connect(port)
    const pass = password === undefined ? '' : `PASS ${nick}:${password}\r\n`
    await client.write(`${pass}NICK ${nick}\r\nUSER ${nick} 0 * :${nick}\r\n`)
    await client.until(() => / 366 /.test(client.text))
    return client
  }

  /** Resolves when the system has taken it, or will take no more. */
  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed) resolve()
      else this.#socket.write(bytes, () => resolve())
    })
  }

  until<Result>(ask: () => Result | undefined | false): Promise<Result> {
    return this.#watch.until(ask)
  }

  /** The other side has ended it. */
  async ended(): Promise<void> {
    await this.until(() => this.closed)
  }

  /** Nothing more is read. */
  deaf(): void {
    this.#socket.pause()
  }

  /** It is read again. */
  hears(): void {
    this.#socket.resume()
  }

  get closed(): boolean {
    return this.#socket.destroyed
  }

  close(): void {
    this.#socket.destroy()
  }
}
