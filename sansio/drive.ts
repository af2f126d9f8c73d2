import { Buffer } from 'node:buffer'
import type { CloseReason, Machine, Output } from './machine.ts'

/** A peer that lets more than this pile up unread is cut off. Bytes. */
export const MAX_UNSENT_BYTES = 1024 * 1024
/** After our side has ended, how long the peer may take to end too. Milliseconds. */
export const LINGER_MS = 2_000

/** What a machine is driven on: a TCP socket, or what stands for one. */
export interface Transport {
  readonly destroyed: boolean
  readonly writable: boolean
  /** Bytes that were written and that nobody has taken yet. */
  readonly writableLength: number
  setNoDelay(noDelay: boolean): unknown
  write(bytes: Uint8Array, taken?: (error?: Error | null) => void): unknown
  end(): unknown
  /** Reads nothing more until `resume`, where that can be. */
  pause(): unknown
  resume(): unknown
  destroy(): unknown
  on(event: 'data', listener: (bytes: Buffer) => void): this
  on(event: 'end' | 'close', listener: () => void): this
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): this
  once(event: 'close', listener: () => void): this
}

export interface DriveOptions<Event> {
  onEvent(event: Event): void
  /** Exactly once, after the last event. */
  onClose(reason: CloseReason): void
  /** The system has taken so many bytes since the beginning, on the scale of `Driven.queued`. */
  onTaken?(total: number): void
  /** Milliseconds; the same clock as the machine's. */
  now?(): number
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
 * loop leaves in one write. The timer is lazy: it is set anew only when something is due earlier, and goes when the
 * machine waits for nothing.
 */
export function drive<Command, Event>(
  socket: Transport,
  machine: Machine<Command, Event>,
  options: DriveOptions<Event>,
): Driven<Command> {
  return new Drive(socket, machine, options)
}

class Drive<Command, Event> implements Driven<Command> {
  readonly #socket: Transport
  readonly #machine: Machine<Command, Event>
  readonly #options: DriveOptions<Event>
  /** undefined: nothing, which is so nearly always. */
  #unsent: Uint8Array[] | undefined
  #queued = 0
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity
  #closed = false
  #paused = false

  constructor(socket: Transport, machine: Machine<Command, Event>, options: DriveOptions<Event>) {
    this.#socket = socket
    this.#machine = machine
    this.#options = options
    socket.setNoDelay(true)
    const driven: DrivenSocket = Object.assign(socket, { [DRIVE]: this })
    driven.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
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
    this.#unschedule()
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

  /** null: the peer has ended. */
  receive(bytes: Uint8Array | null): void {
    if (!this.#closed) this.#run(this.#machine.receive(bytes, this.#now()))
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now()
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
    if (this.#closed) return
    this.#schedule()
    this.#pace()
  }

  /** What is not read makes the peer wait: no sender is cut off for being fast. */
  #pace(): void {
    const isFull = this.#machine.isFull === true
    if (isFull === this.#paused) return
    this.#paused = isFull
    if (isFull) this.#socket.pause()
    else this.#socket.resume()
  }

  #write(bytes: Uint8Array): void {
    this.#queued += bytes.length
    if (this.#unsent === undefined) {
      this.#unsent = [bytes]
      process.nextTick(() => this.#flush())
    } else this.#unsent.push(bytes)
  }

  #flush(): void {
    const unsent = this.#unsent
    if (unsent === undefined) return
    this.#unsent = undefined
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
    if (this.#options.onTaken === undefined) return undefined
    return (error) => {
      if (!this.#closed && (error === undefined || error === null)) this.#options.onTaken?.(total)
    }
  }

  #schedule(): void {
    const wakeAt = this.#machine.wakeAt
    if (wakeAt === undefined) {
      this.#unschedule()
      return
    }
    if (wakeAt >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = wakeAt
    this.#timer = setTimeout(() => this.#wake(), Math.min(Math.max(0, wakeAt - this.#now()), 2 ** 31 - 1))
  }

  #unschedule(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#timerAt = Infinity
  }

  #wake(): void {
    this.#unschedule()
    const wakeAt = this.#machine.wakeAt
    if (wakeAt !== undefined && wakeAt <= this.#now()) this.#run(this.#machine.tick(this.#now()))
    else this.#schedule()
  }
}

/** Where a socket has its drive: listeners that all sockets share cost an idle connection nothing. */
const DRIVE = Symbol('drive')

interface DrivenSocket extends Transport {
  readonly [DRIVE]: Pick<Drive<never, never>, 'receive' | 'close'>
}

function onData(this: DrivenSocket, chunk: Buffer): void {
  this[DRIVE].receive(chunk)
}

function onEnd(this: DrivenSocket): void {
  this[DRIVE].receive(null)
}

function onError(this: DrivenSocket, error: NodeJS.ErrnoException): void {
  this[DRIVE].close({ kind: 'lost', detail: error.code ?? error.name })
}

function onClose(this: DrivenSocket): void {
  this[DRIVE].close({ kind: 'lost', detail: 'closed' })
}
