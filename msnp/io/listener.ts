import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import type { Doorkeeper, Turned } from './doorkeeper.ts'

/** Port 0: any free one. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** The system probes a silent connection after so long, so that a half-open one is found. Milliseconds. */
export const KEEP_ALIVE_MS = 60_000
/** How long `stop` waits for clients to hang up before it does. Milliseconds. */
export const STOP_MS = 2_500

export interface ListenerOptions {
  /** For messages: "the notification server". */
  readonly what: string
  readonly where: ListenAddress
  /** Of `node:net`, `node:http` or `node:https`, not listening yet. */
  readonly server: Server
  readonly doorkeeper: Doorkeeper
  readonly onTurned: (reason: Turned, address: string) => void
  /** Bare TCP connections that came in. A server that handles them itself needs none. */
  readonly onSocket?: (socket: Socket) => void
}

/** One listening port, and the connections that came in through it. */
export class Listener {
  readonly #options: ListenerOptions
  readonly #sockets = new Set<Socket>()
  /** One for all sockets; `this` is the socket. */
  readonly #onClose: (this: Socket) => void
  #address: ListenAddress | undefined

  constructor(options: ListenerOptions) {
    const left = (socket: Socket): void => this.#left(socket)
    this.#options = options
    this.#onClose = function () {
      left(this)
    }
    options.server.on('connection', (socket: Socket) => this.#accept(socket))
  }

  /** With its real port; undefined while it does not listen. */
  get address(): ListenAddress | undefined {
    return this.#address
  }

  async start(): Promise<ListenAddress> {
    const { server, where, what } = this.#options
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(new Error(listenProblem(error, what, where)))
      server.once('error', failed)
      server.listen({ host: where.host, port: where.port, backlog: 1024 }, () => {
        server.off('error', failed)
        // What happens while listening (no more file descriptors) ends no connection that is there.
        server.on('error', () => undefined)
        resolve()
      })
    })
    const bound = server.address()
    const address = { host: where.host, port: typeof bound === 'object' && bound !== null ? bound.port : where.port }
    this.#address = address
    return address
  }

  /** Takes no more connections and waits for those that are ending; cuts off the rest. */
  async stop(): Promise<void> {
    const { server } = this.#options
    if (this.#address === undefined) return
    this.#address = undefined
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    const cut = setTimeout(() => this.#cut(), STOP_MS)
    await closed
    // The server is closed a moment before the last of its connections say so.
    await Promise.all(Array.from(this.#sockets, (socket) => once(socket, 'close')))
    clearTimeout(cut)
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(socket: Socket): void {
    const { doorkeeper, onTurned, onSocket } = this.#options
    const address = socket.remoteAddress ?? ''
    const turned = this.#address === undefined ? 'too many connections' : doorkeeper.enter(address)
    if (turned !== undefined) {
      if (this.#address !== undefined) onTurned(turned, address)
      socket.on('error', () => undefined)
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.on('close', this.#onClose)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    onSocket?.(socket)
  }

  #left(socket: Socket): void {
    this.#sockets.delete(socket)
    // Still known once it is closed, since it was asked for while it was open.
    this.#options.doorkeeper.left(socket.remoteAddress ?? '')
  }
}

/** What is wrong and what to do, in one sentence. */
export function listenProblem(error: NodeJS.ErrnoException, what: string, { host, port }: ListenAddress): string {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
  switch (error.code ?? '') {
    case 'EADDRINUSE':
      return `cannot listen on ${place} for ${what}: the port is taken. End the program that has it or configure another port.`
    case 'EACCES':
      return `cannot listen on ${place} for ${what}: no permission. Configure a port above 1023 or grant CAP_NET_BIND_SERVICE.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot listen on ${place} for ${what}: this machine does not have that address. Configure one that it has, or 0.0.0.0 for all.`
    default:
      return `cannot listen on ${place} for ${what}: ${error.code ?? error.message}. Configure another address.`
  }
}
