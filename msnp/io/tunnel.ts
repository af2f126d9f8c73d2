import { EventEmitter } from 'node:events'
import type { ServedTransport } from './connection.ts'

export interface TunnelOptions {
  readonly remoteAddress: string
  readonly localAddress: string
  readonly localPort: number
  /** Our side has written. */
  readonly onWritten: (bytes: Uint8Array) => void
  /** Our side has ended, or has been cut off: it writes nothing more. Once. */
  readonly onEnded: () => void
}

/** What stands for a socket where the bytes go as bodies of HTTP requests. */
export class Tunnel extends EventEmitter implements ServedTransport {
  readonly remoteAddress: string
  /** None: the connection of a request is not that of the session. */
  readonly remotePort = 0
  readonly localAddress: string
  readonly localPort: number
  readonly #options: TunnelOptions
  /** Who wants to know when so many bytes since the beginning were taken. */
  readonly #waiting: { readonly upTo: number; readonly taken: () => void }[] = []
  #written = 0
  #taken = 0
  #ended = false
  #destroyed = false

  constructor(options: TunnelOptions) {
    super()
    this.#options = options
    this.remoteAddress = options.remoteAddress
    this.localAddress = options.localAddress
    this.localPort = options.localPort
  }

  get destroyed(): boolean {
    return this.#destroyed
  }

  get writable(): boolean {
    return !this.#ended && !this.#destroyed
  }

  get writableLength(): number {
    return this.#written - this.#taken
  }

  setNoDelay(): this {
    return this
  }

  /** What a request brings is there already. */
  pause(): this {
    return this
  }

  resume(): this {
    return this
  }

  write(bytes: Uint8Array, taken?: () => void): void {
    if (!this.writable) return
    this.#written += bytes.length
    if (taken !== undefined) this.#waiting.push({ upTo: this.#written, taken })
    this.#options.onWritten(bytes)
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.onEnded()
  }

  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#waiting.length = 0
    this.end()
    process.nextTick(() => this.emit('close'))
  }

  /** The other side has so many bytes since the beginning. */
  took(upTo: number): void {
    this.#taken = Math.max(this.#taken, upTo)
    while (this.#waiting[0] !== undefined && this.#waiting[0].upTo <= this.#taken) this.#waiting.shift()?.taken()
  }

  /** The other side has sent this. */
  receive(bytes: Buffer): void {
    if (!this.#destroyed && bytes.length > 0) this.emit('data', bytes)
  }

  /** The other side sends nothing more. */
  finish(): void {
    if (!this.#destroyed) this.emit('end')
  }

  /** `code`: as the system's word for it. */
  fail(code: string): void {
    if (this.#destroyed) return
    if (this.listenerCount('error') > 0) this.emit('error', Object.assign(new Error(code), { code }))
    this.destroy()
  }
}
