/** An HTTP listener of the bridge: bounded, closed without waiting for idle clients, and with words for a port that cannot be had. */
import { createServer, type RequestListener, type Server } from 'node:http'

const MAX_HEADER_BYTES = 16 * 1024
/** A request must be complete, and an idle connection is closed, after so long. */
const REQUEST_MS = 10_000

export interface ListenerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly maxConnections: number
  readonly serve: RequestListener
}

export class HttpListener {
  readonly #options: ListenerOptions
  #server: Server | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** Resolves with the port. Rejects with a sentence when it cannot listen. */
  async start(): Promise<number> {
    const { host, port, maxConnections, serve } = this.#options
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        requestTimeout: REQUEST_MS,
        headersTimeout: REQUEST_MS,
        keepAliveTimeout: REQUEST_MS,
      },
      serve,
    )
    server.maxConnections = maxConnections
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new Error(listenWords(error, host, port), { cause: error })))
      server.listen(port, host, resolve)
    })
    this.#server = server
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** What is under way ends. Twice is harmless. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
}

/** Why a port cannot be had, and what to do. */
const listenWords = (error: NodeJS.ErrnoException, host: string, port: number): string => {
  const where = `${host}:${port}`
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is taken by another program: stop it, or choose another port`
    case 'EACCES':
      return `${where} may not be opened by this user: choose a port from 1024 on`
    case 'EADDRNOTAVAIL':
      return `${where} is no address of this machine: choose one that is, or 0.0.0.0`
    case 'ENOTFOUND':
      return `${where} cannot be found: check the name`
    case undefined:
    default:
      return `${where} cannot be opened (${error.code ?? error.message})`
  }
}
