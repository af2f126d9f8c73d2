/**
 * The socket under the library: every line in and out of an IRC connection passes here. In: bounded, tolerant of
 * encodings. Out: guarded against injection, paced by the flood queue. What the library writes itself (CAP, PONG,
 * AUTHENTICATE, answers to CTCP VERSION) goes the same way as what we write.
 */
import { EventEmitter } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Transport } from 'irc-framework'
import type { Clock } from '../../bridge/adapter.ts'
import { FloodQueue, laneOf, type Lane, type Pace } from './flood.ts'
import { guardLine } from '../../irc/guard.ts'
import { LineReader } from '../../irc/lines.ts'

export interface Target {
  readonly host: string
  readonly port: number
  /** Our own address of several; absent: as the system chooses. */
  readonly from?: string
  /** Absent: plain TCP. */
  readonly tls?: ConnectionOptions
}

export interface Ticket {
  readonly line: string
  /** Lines of one chat, which keep their order whatever happens to one of them. */
  readonly group?: string
  /** Called as the line goes to the socket, and never after `dropped`. */
  readonly written?: () => void
  /** The connection ended, or the line was taken back, before it was written. */
  readonly dropped?: (why: 'over' | 'taken-back') => void
}

export interface TransportHooks {
  readonly opened: () => void
  /** Once; `error` tells why when it was one. */
  readonly closed: () => void
  readonly line: (line: string) => void
  /** A line was mended by the guard: a bug, counted. */
  readonly guarded: () => void
  /** A lane was full. */
  readonly overflow: (lane: Lane) => void
}

/** How long a QUIT may take to be answered. */
const FAREWELL_MS = 2_000

export class LineTransport extends EventEmitter implements Transport {
  readonly #target: Target
  readonly #clock: Clock
  readonly #hooks: TransportHooks
  readonly #queue: FloodQueue<Ticket>
  readonly #reader = new LineReader()
  readonly #over = new AbortController()
  #socket: Socket | undefined
  #open = false
  #writing = false
  #sleeping = false
  #error: Error | undefined
  #negotiated = false
  /** The handshake is over: from now on lines count. */
  registered = false

  constructor(target: Target, pace: Pace, clock: Clock, hooks: TransportHooks) {
    super()
    this.#target = target
    this.#clock = clock
    this.#hooks = hooks
    this.#queue = new FloodQueue(pace, clock.now())
  }

  connect(): void {
    const { tls, from, ...place } = this.#target
    const target = from === undefined ? place : { ...place, localAddress: from }
    const opened = (): void => {
      this.#open = true
      // In one piece: a server that closes at once must not make the second line fail before its reason is read.
      this.#socket?.cork()
      this.#hooks.opened()
      this.emit('open')
      this.#pump()
      this.#socket?.uncork()
    }
    const socket = tls === undefined ? connectTcp(target, opened) : connectTls({ ...tls, ...target }, opened)
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('drain', () => this.#pump())
    socket.on('error', (error: Error) => {
      this.#error ??= error
    })
    socket.on('close', () => this.#closed())
  }

  /** The error that ended the connection, if it was one. */
  get error(): Error | undefined {
    return this.#error
  }

  writeLine(line: string, written?: () => void): void {
    if (line === 'CAP END') this.#negotiated = true
    // The library answers each `CAP NEW` with a CAP REQ, even an empty one. Between `CAP END` and the welcome that opens the
    // negotiation again, and the library would never end it: services that come back just then would hold up the sign-in.
    if (line.startsWith('CAP REQ') && this.#negotiated && !this.registered) return
    this.send({ line, ...(written === undefined ? {} : { written }) })
  }

  /** False: not taken, because the connection is over or the lane is full. */
  send(ticket: Ticket, lane: Lane = laneOf(ticket.line, this.registered)): boolean {
    if (this.#over.signal.aborted) return false
    if (!this.#queue.push(lane, ticket)) {
      this.#hooks.overflow(lane)
      return false
    }
    this.#pump()
    return true
  }

  /** Takes a line back, and those that were to follow it in its group. False: it has been written, or is not ours. */
  cancel(ticket: Ticket): boolean {
    let found = false
    const removed = this.#queue.remove((line) => {
      found ||= line === ticket
      return line === ticket || (found && line.group !== undefined && line.group === ticket.group)
    })
    for (const line of removed) line.dropped?.('taken-back')
    return removed.length > 0
  }

  waiting(lane: Lane): number {
    return this.#queue.size(lane)
  }

  /** One last line past the queue; then the server closes, or we do. What was queued is dropped. */
  async farewell(line: string): Promise<void> {
    this.#drop()
    if (this.#open) {
      this.#socket?.end(`${guardLine(line).line}\r\n`)
      await this.#clock.sleep(FAREWELL_MS, this.#over.signal)
    }
    this.disposeSocket()
  }

  close(force: boolean): void {
    if (force) this.disposeSocket()
    else this.#socket?.end()
  }

  disposeSocket(): void {
    this.#socket?.destroy()
    this.#socket?.unref()
  }

  /** The library asks for UTF-8, and that is what we write; what we read may be anything. */
  setEncoding(): boolean {
    return true
  }

  #receive(chunk: Buffer): void {
    const lines = this.#reader.read(chunk)
    if (lines === 'too-long') {
      this.#error ??= new Error('the server sent a line that does not end')
      this.disposeSocket()
      return
    }
    for (const line of lines) this.#hooks.line(line)
  }

  #closed(): void {
    if (this.#over.signal.aborted) return
    this.#open = false
    this.#over.abort()
    this.#drop()
    this.emit('close', this.#error)
    this.#hooks.closed()
  }

  #drop(): void {
    for (const ticket of this.#queue.remove(() => true)) ticket.dropped?.('over')
  }

  /** Writes what may be written, then waits for the next token or for a full socket to drain. */
  #pump(): void {
    const socket = this.#socket
    // A line written may make us want to write another: the loop below comes to it.
    if (socket === undefined || !this.#open || this.#writing) return
    this.#writing = true
    let next: Ticket | undefined
    while (!socket.writableNeedDrain && (next = this.#queue.take(this.#clock.now())) !== undefined) {
      const { line, changed } = guardLine(next.line)
      if (changed) this.#hooks.guarded()
      socket.write(`${line}\r\n`)
      next.written?.()
    }
    this.#writing = false
    const at = this.#queue.wakeAt(this.#clock.now())
    if (at === undefined || socket.writableNeedDrain || this.#sleeping) return
    this.#sleeping = true
    void this.#clock.sleep(Math.max(1, at - this.#clock.now()), this.#over.signal).then(() => {
      this.#sleeping = false
      if (!this.#over.signal.aborted) this.#pump()
    })
  }
}
