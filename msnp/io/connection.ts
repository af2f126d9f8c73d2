import { drive, type Driven, type DriveOptions, type Transport } from '../../sansio/drive.ts'
import type { CloseReason, Machine } from '../../sansio/machine.ts'

/** What a desk of the service takes from a connection. */
interface Desk<Event> {
  event(event: Event): void
  taken?(total: number): void
  closed(): void
}

/** One connection as the desks see it. */
export interface ServedLine<Command> {
  send(command: Command): void
  close(reason?: CloseReason): void
  readonly queued: number
  readonly remoteAddress: string
  readonly remotePort: number
  /** Our own IP address and port, as this client reached them. */
  readonly reachedAt: string
  readonly reachedPort: number
}

/** A TCP socket, or a session of the HTTP gateway. */
export interface ServedTransport extends Transport {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
}

/** What stands behind all connections of a kind. */
export interface Service<Command, Event> {
  /** For a connection that is there since `since`. */
  machine(since: number): Machine<Command, Event>
  attach(line: ServedLine<Command>): Desk<Event>
  /** Exactly once for each connection, after its desk knows. */
  closed(reason: CloseReason, line: ServedLine<Command>): void
  now(): number
}

/** Puts a machine on a socket and a desk behind it. */
export function serve<Command, Event>(socket: ServedTransport, service: Service<Command, Event>, since: number): void {
  new SocketLine(socket, service).open(since)
}

/** All that a connection has between its socket and its desk: one object, since there may be ten thousand. */
class SocketLine<Command, Event> implements ServedLine<Command>, DriveOptions<Event> {
  readonly #socket: ServedTransport
  readonly #service: Service<Command, Event>
  #desk: Desk<Event> | undefined
  /** Set once the socket is driven; nothing is sent before, since nothing has been read. */
  #driven: Driven<Command> | undefined

  constructor(socket: ServedTransport, service: Service<Command, Event>) {
    this.#socket = socket
    this.#service = service
  }

  open(since: number): void {
    this.#desk = this.#service.attach(this)
    this.#driven = drive(this.#socket, this.#service.machine(since), this)
  }

  get remoteAddress(): string {
    return unmapped(this.#socket.remoteAddress)
  }

  get remotePort(): number {
    return this.#socket.remotePort ?? 0
  }

  get reachedAt(): string {
    return unmapped(this.#socket.localAddress)
  }

  get reachedPort(): number {
    return this.#socket.localPort ?? 0
  }

  get queued(): number {
    return this.#driven?.queued ?? 0
  }

  send(command: Command): void {
    this.#driven?.command(command)
  }

  close(reason?: CloseReason): void {
    this.#driven?.close(reason)
  }

  now(): number {
    return this.#service.now()
  }

  onEvent(event: Event): void {
    this.#desk?.event(event)
  }

  onTaken(total: number): void {
    this.#desk?.taken?.(total)
  }

  onClose(reason: CloseReason): void {
    this.#desk?.closed()
    this.#service.closed(reason, this)
  }
}

/** `::ffff:192.0.2.1` is an IPv4 address on a socket that speaks both. */
const unmapped = (address = ''): string => address.replace(/^::ffff:(?=\d+\.)/i, '')
