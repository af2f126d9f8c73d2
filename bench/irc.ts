/** A lean IRC client for load: lines in, lines out, nothing kept. */
import { once } from 'node:events'
import net from 'node:net'

export interface Login {
  readonly account: string
  readonly password: string
  readonly caps?: readonly string[]
}

/** One connection. `onLine` may be replaced at any time. PING is answered by itself. */
export class IrcPeer {
  readonly socket: net.Socket
  onLine: (line: string) => void = () => undefined
  #rest = ''

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => this.#receive(chunk))
    socket.on('error', () => socket.destroy())
  }

  static async connect(port: number): Promise<IrcPeer> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new IrcPeer(socket)
  }

  /** Connected, registered, and in the control channel with everybody's names read. */
  static async attach(port: number, { account, password, caps = [] }: Login): Promise<IrcPeer> {
    const peer = await IrcPeer.connect(port)
    const asks = caps.length === 0 ? '' : `CAP REQ :${caps.join(' ')}\r\nCAP END\r\n`
    await peer.request(
      `PASS ${account}:${password}\r\n${asks}NICK ${account}\r\nUSER ${account} 0 * :${account}`,
      / 366 /,
    )
    return peer
  }

  write(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Sends, then gives the first line that matches. */
  request(line: string, awaited: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error(`the connection ended after: ${line.slice(0, 40)}`))
      this.socket.once('close', gone)
      this.onLine = (got) => {
        if (/^:\S+ 464 |^ERROR /.test(got)) reject(new Error(got))
        if (!awaited.test(got)) return
        this.onLine = () => undefined
        this.socket.off('close', gone)
        resolve(got)
      }
      this.write(`${line}\r\n`)
    })
  }

  /** Resolves when the other side has closed. */
  async quit(): Promise<void> {
    const closed = once(this.socket, 'close')
    this.write('QUIT\r\n')
    await closed
  }

  #receive(chunk: string): void {
    const text = this.#rest + chunk
    let from = 0
    for (let end = text.indexOf('\r\n'); end !== -1; end = text.indexOf('\r\n', from)) {
      const line = text.slice(from, end)
      from = end + 2
      if (line.startsWith('PING ')) this.write(`PONG ${line.slice(5)}\r\n`)
      else this.onLine(line)
    }
    this.#rest = text.slice(from)
  }
}
