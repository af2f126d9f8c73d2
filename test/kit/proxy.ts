/** A wire between a client and a server that fails on command. */
import { once } from 'node:events'
import net from 'node:net'

export type Direction = 'to-server' | 'to-client'

export class Proxy {
  readonly #server: net.Server
  readonly #links = new Set<{ readonly client: net.Socket; readonly upstream: net.Socket }>()
  #target: number
  /** Sees each chunk before it goes on; `drop` lets it vanish. */
  onChunk: (direction: Direction, chunk: Buffer) => 'pass' | 'drop' = () => 'pass'
  /** How many connections have come in. */
  accepted = 0

  private constructor(target: number) {
    this.#target = target
    this.#server = net.createServer((client) => this.#link(client))
  }

  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(target)
    await proxy.#listen(0)
    return proxy
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  get open(): number {
    return this.#links.size
  }

  /** New connections go to another server. */
  aim(target: number): void {
    this.#target = target
  }

  /** Says it to all clients, as if the server had. */
  inject(bytes: string): void {
    for (const { client } of this.#links) client.write(bytes)
  }

  /** All cables are pulled. */
  cut(): void {
    for (const { client, upstream } of this.#links) {
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    }
    this.#links.clear()
  }

  /** From now on nobody gets in: connections are refused. Resolves to what opens it again, on the same port. */
  async refuse(): Promise<() => Promise<void>> {
    const port = this.port
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
    return () => this.#listen(port)
  }

  async stop(): Promise<void> {
    this.cut()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  async #listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  #link(client: net.Socket): void {
    this.accepted++
    const upstream = net.connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    client.setNoDelay(true)
    const link = { client, upstream }
    this.#links.add(link)
    const join = (from: net.Socket, to: net.Socket, direction: Direction): void => {
      from.on('data', (chunk) => {
        if (this.onChunk(direction, chunk) === 'pass' && to.writable) to.write(chunk)
      })
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#links.delete(link)
        to.end()
      })
    }
    join(client, upstream, 'to-server')
    join(upstream, client, 'to-client')
  }
}
