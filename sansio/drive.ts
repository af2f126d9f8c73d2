import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { CloseReason, Machine, Output } from './machine.ts'

/** A peer that lets more than this pile up unread is cut off. Bytes. */
export const MAX_UNSENT_BYTES = 1024 * 1024
/** After our side has ended, how long the peer may take to end too. Milliseconds. */
export const LINGER_MS = 2_000

export interface DriveOptions<Event> {
  onEvent(event: Event): void
  /** Exactly once, after the last event. */
  onClose(reason: CloseReason): void
  /** The system has taken so many bytes since the beginning, on the scale of `Driven.queued`. */
  readonly onTaken?: (total: number) => void
  /** Milliseconds; the same clock as the machine's. */
  readonly now?: () => number
  readonly maxUnsentBytes?: number
}

/** A machine on a socket. */
export interface Driven<Command> {
  /** Nothing happens once it is closed. */
  command(command: Command): void
  /** Ends the connection from our side after what was written; `onClose` follows. */
  close(reason?: CloseReason): void
  readonly closed: boolean
  /** Bytes that the machine has written since the beginning. */
  readonly queued: number
}

/**
 * Machine <-> socket: the only place where a protocol meets a timer. What the machine writes in one turn of the event
 * loop leaves in one write. The timer is lazy: it is set anew only when something is due earlier.
 */
export function drive<Command, Event>(
  socket: Socket,
  machine: Machine<Command, Event>,
  options: DriveOptions<Event>,
): Driven<Command> {
  return new Drive(socket, machine, options)
}

class Drive<Command, Event> implements Driven<Command> {
  readonly #socket: Socket
  readonly #machine: Machine<Command, Event>
  readonly #options: DriveOptions<Event>
  #unsent: Uint8Array[] = []
  #queued = 0
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity
  #closed = false

  constructor(socket: Socket, machine: Machine<Command, Event>, options: DriveOptions<Event>) {
    this.#socket = socket
    this.#machine = machine
    this.#options = options
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('end', () => this.#receive(null))
    socket.on('error', (error: NodeJS.ErrnoException) => this.close({ kind: 'lost', detail: error.code ?? error.name }))
    socket.on('close', () => this.close({ kind: 'lost', detail: 'closed' }))
    this.#schedule()
  }

  get closed(): boolean {
    return this.#closed
  }

  get queued(): number {
    return this.#queued
  }

  command(command: Command): void {
    if (!this.#closed) this.#run(this.#machine.command(command, this.#now()))
  }

  close(reason: CloseReason = { kind: 'done' }): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    this.#flush()
    const socket = this.#socket
    if (!socket.destroyed) {
      socket.end()
      socket.resume()
      const linger = setTimeout(() => socket.destroy(), LINGER_MS)
      linger.unref()
      socket.once('close', () => clearTimeout(linger))
    }
    this.#options.onClose(reason)
  }

  #receive(bytes: Uint8Array | null): void {
    if (!this.#closed) this.#run(this.#machine.receive(bytes, this.#now()))
  }

  #now(): number {
    return this.#options.now === undefined ? Date.now() : this.#options.now()
  }

  #run(outputs: readonly Output<Event>[]): void {
    for (const output of outputs) {
      if (this.#closed) return
      switch (output.kind) {
        case 'write':
          this.#write(output.bytes)
          break
        case 'event':
          this.#options.onEvent(output.event)
          break
        case 'close':
          this.close(output.reason)
          return
      }
    }
    if (!this.#closed) this.#schedule()
  }

  #write(bytes: Uint8Array): void {
    this.#queued += bytes.length
    if (this.#unsent.push(bytes) === 1) process.nextTick(() => this.#flush())
  }

  #flush(): void {
    const unsent = this.#unsent
    if (unsent.length === 0) return
    this.#unsent = []
    const socket = this.#socket
    if (!socket.writable) return
    const [first] = unsent
    socket.write(unsent.length === 1 && first !== undefined ? first : Buffer.concat(unsent), this.#taken(this.#queued))
    if (!this.#closed && socket.writableLength > (this.#options.maxUnsentBytes ?? MAX_UNSENT_BYTES)) {
      this.close({ kind: 'timeout', waitingFor: 'the peer to read' })
      socket.destroy()
    }
  }

  #taken(total: number): ((error?: Error | null) => void) | undefined {
    const { onTaken } = this.#options
    return onTaken === undefined
      ? undefined
      : (error) => {
          if (!this.#closed && (error === undefined || error === null)) onTaken(total)
        }
  }

  #schedule(): void {
    const wakeAt = this.#machine.wakeAt
    if (wakeAt === undefined || wakeAt >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = wakeAt
    this.#timer = setTimeout(() => this.#wake(), Math.min(Math.max(0, wakeAt - this.#now()), 2 ** 31 - 1))
  }

  #wake(): void {
    this.#timerAt = Infinity
    const wakeAt = this.#machine.wakeAt
    if (wakeAt !== undefined && wakeAt <= this.#now()) this.#run(this.#machine.tick(this.#now()))
    else this.#schedule()
  }
}
