/** An HTTP listener of the bridge: bounded, closed without waiting for idle clients, and with words for a port that cannot be had. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { listen } from '../../sansio/listen.ts'

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
    const opened = await listen(server, { host, port })
    this.#server = server
    return opened
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
