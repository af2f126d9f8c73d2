/** The ports of the gateway: plain, and with TLS where it has a certificate. */
import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { listen, placeWords, type Place } from '../../sansio/listen.ts'

export interface ListenersOptions {
  readonly plain: Place
  readonly tls: (Place & { readonly cert: string; readonly key: string }) | undefined
  /** Connections at once, on all ports together. */
  readonly maxConnections: number
  readonly onSocket: (socket: Socket, tls: boolean) => void
  readonly onTurned: () => void
}

/** A TLS handshake must be over after so long. Milliseconds. */
const HANDSHAKE_MS = 10_000
/** How long `stop` waits for those who do not read their last words. Milliseconds. */
const STOP_MS = 2_000
/** The system probes a silent connection after so long. Milliseconds. */
const KEEP_ALIVE_MS = 60_000

interface Open {
  readonly server: Server
  readonly where: string
}

export class Listeners {
  readonly #options: ListenersOptions
  readonly #sockets = new Set<Socket>()
  #open: readonly Open[] = []

  constructor(options: ListenersOptions) {
    this.#options = options
  }

  /** "127.0.0.1:6667", "0.0.0.0:6697 (TLS)" */
  get places(): readonly string[] {
    return this.#open.map(({ where }) => where)
  }

  /** Rejects with a sentence when a port cannot be had; none is open then. */
  async start(): Promise<void> {
    const { plain, tls } = this.#options
    try {
      await this.#add(
        createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket, false)),
        plain,
        '',
      )
      if (tls === undefined) return
      const { cert, key } = tls
      const server = createTlsServer(
        { cert: readFileSync(cert), key: readFileSync(key), handshakeTimeout: HANDSHAKE_MS, allowHalfOpen: true },
        (socket) => this.#accept(socket, true),
      )
      server.on('connection', (socket: Socket) => this.#count(socket))
      server.on('tlsClientError', (_, socket) => socket.destroy())
      await this.#add(server, tls, ' (TLS)')
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Takes nobody more. Those who are there have been told to go: what is left is cut off. */
  async stop(): Promise<void> {
    const open = this.#open
    this.#open = []
    const closed = open.map(({ server }) => new Promise<void>((resolve) => server.close(() => resolve())))
    for (const socket of this.#sockets) socket.destroySoon()
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, STOP_MS)
    await Promise.all(closed)
    clearTimeout(cut)
  }

  async #add(server: Server, place: Place, note: string): Promise<void> {
    const port = await listen(server, place)
    // What happens while listening (no more file descriptors) ends no connection that is there.
    server.on('error', () => undefined)
    this.#open = [...this.#open, { server, where: `${placeWords({ ...place, port })}${note}` }]
  }

  #accept(socket: Socket, tls: boolean): void {
    if (!tls && !this.#count(socket)) return
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    this.#options.onSocket(socket, tls)
  }

  #count(socket: Socket): boolean {
    socket.on('error', () => undefined)
    if (this.#sockets.size >= this.#options.maxConnections) {
      this.#options.onTurned()
      socket.destroy()
      return false
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return true
  }
}
