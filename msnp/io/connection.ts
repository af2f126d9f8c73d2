import type { Socket } from 'node:net'
import { drive, type Driven } from '../../sansio/drive.ts'
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

export interface Served<Command, Event> {
  readonly machine: Machine<Command, Event>
  readonly attach: (line: ServedLine<Command>) => Desk<Event>
  readonly onClose: (reason: CloseReason, line: ServedLine<Command>) => void
  readonly now: () => number
}

/** Puts a machine on a socket and a desk behind it. */
export function serve<Command, Event>(socket: Socket, { machine, attach, onClose, now }: Served<Command, Event>): void {
  const line = new SocketLine<Command>(socket)
  const desk = attach(line)
  line.driven = drive(socket, machine, {
    now,
    onEvent: (event) => desk.event(event),
    ...(desk.taken === undefined ? {} : { onTaken: (total: number) => desk.taken?.(total) }),
    onClose: (reason) => {
      desk.closed()
      onClose(reason, line)
    },
  })
}

class SocketLine<Command> implements ServedLine<Command> {
  /** Set once the socket is driven; nothing is sent before, since nothing has been read. */
  driven: Driven<Command> | undefined
  readonly remoteAddress: string
  readonly remotePort: number
  readonly reachedAt: string
  readonly reachedPort: number

  constructor(socket: Socket) {
    this.remoteAddress = unmapped(socket.remoteAddress)
    this.remotePort = socket.remotePort ?? 0
    this.reachedAt = unmapped(socket.localAddress)
    this.reachedPort = socket.localPort ?? 0
  }

  get queued(): number {
    return this.driven?.queued ?? 0
  }

  send(command: Command): void {
    this.driven?.command(command)
  }

  close(reason?: CloseReason): void {
    this.driven?.close(reason)
  }
}

/** `::ffff:192.0.2.1` is an IPv4 address on a socket that speaks both. */
const unmapped = (address = ''): string => address.replace(/^::ffff:(?=\d+\.)/i, '')
