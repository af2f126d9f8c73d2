/** One connection of a transfer: the bytes on their way, at the pace of the slower side. */
import type { Socket } from 'node:net'
import { drive, type Driven } from '../../sansio/drive.ts'
import type { CloseReason } from '../../sansio/machine.ts'
import { BYE, DEFAULT_FILE_TIMINGS } from '../session/file-lines.ts'
import { FileReceiver, type FileReceiverCommand, type FileReceiverEvent } from '../session/file-receiver.ts'
import { FileSender, type FileSenderCommand, type FileSenderEvent } from '../session/file-sender.ts'
import {
  ABORTED,
  type ArrivingFile,
  DECLINED,
  failureOf,
  FileBroken,
  type FileFailure,
  type FileTransferOptions,
  type SendFileResult,
} from './file-contract.ts'

/** What was received and nobody has taken yet; beyond it the sender must wait. Bytes. */
export const MAX_UNTAKEN_BYTES = 256 * 1024
/** What waits for the receiver to read. Bytes. */
const MAX_UNWRITTEN_BYTES = 128 * 1024
const PIECE_BYTES = 32 * 1024
/** We give. */
export class SendingLane {
  readonly #options: FileTransferOptions
  readonly #driven: Driven<FileSenderCommand>
  readonly #settle: (result: SendFileResult) => void
  readonly #socket: Socket
  #taken = 0
  #moved = 0
  readonly #over = Promise.withResolvers<undefined>()
  #wake: (() => void) | undefined
  #finished: number | undefined
  #isDeclined = false
  #result: SendFileResult | undefined

  constructor(
    socket: Socket,
    options: FileTransferOptions,
    chosen: () => void,
    settle: (result: SendFileResult) => void,
  ) {
    this.#socket = socket
    this.#options = options
    this.#settle = settle
    const timings = { ...DEFAULT_FILE_TIMINGS, ...options.timings }
    const machine = new FileSender({ ...options, timings, startedAt: Date.now() })
    this.#driven = drive<FileSenderCommand, FileSenderEvent>(socket, machine, {
      onEvent: (event) => {
        if (event.kind === 'wanted') chosen()
        else if (event.kind === 'finished') this.#finished = event.code
        else this.#isDeclined = true
      },
      onTaken: (total) => {
        this.#taken = total
        this.#wake?.()
      },
      onClose: (reason) => this.#closed(reason),
    })
  }

  async run(open: () => Promise<AsyncIterable<Uint8Array> | undefined>): Promise<void> {
    const { signal, size } = this.#options
    const onAbort = (): void => this.#giveUp(ABORTED)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    try {
      const body = this.#driven.closed ? undefined : await open()
      if (body === undefined) this.#giveUp({ kind: 'lost', detail: 'the file cannot be read' })
      else
        for await (const chunk of body) {
          if (this.#isGone()) break
          if (this.#moved + chunk.length > size) throw new Error('longer than it was said to be')
          await this.#write(chunk)
        }
      if (this.#moved < size) this.#giveUp({ kind: 'lost', detail: 'the file ended before its end' })
      await this.#over.promise
    } catch {
      this.#giveUp({ kind: 'lost', detail: 'the file cannot be read' })
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  stop(): void {
    this.#driven.close()
    this.#socket.destroy()
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length && !this.#driven.closed; at += PIECE_BYTES) {
      const piece = chunk.subarray(at, at + PIECE_BYTES)
      this.#driven.command({ kind: 'send', bytes: piece })
      this.#moved += piece.length
      this.#options.onProgress?.(this.#moved)
      while (!this.#isGone() && this.#driven.queued - this.#taken > MAX_UNWRITTEN_BYTES) await this.#woken()
    }
  }

  /** Behind a method, since it changes while we wait. */
  #isGone(): boolean {
    return this.#driven.closed
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }

  #giveUp(failure: FileFailure): void {
    this.#result ??= { ok: false, failure }
    this.#driven.command({ kind: 'cancel' })
  }

  #closed(reason: CloseReason): void {
    this.#settle(this.#result ?? this.#outcome(reason))
    this.#over.resolve(undefined)
    this.#wake?.()
  }

  #outcome(reason: CloseReason): SendFileResult {
    if (this.#finished === BYE.received) return { ok: true }
    const gone = this.#isDeclined || this.#finished !== undefined
    return { ok: false, failure: gone ? DECLINED : failureOf(reason) }
  }
}

/** We get. */
export class ReceivingLane implements ArrivingFile {
  readonly body: AsyncIterable<Uint8Array>
  readonly #socket: Socket
  readonly #driven: Driven<FileReceiverCommand>
  readonly #options: FileTransferOptions
  readonly #ended: (failure?: FileFailure) => void
  readonly #chunks: Uint8Array[] = []
  #untaken = 0
  #moved = 0
  #isComplete = false
  #failure: FileFailure | undefined
  #wake: (() => void) | undefined

  constructor(
    socket: Socket,
    options: FileTransferOptions,
    chosen: () => void,
    ended: (failure?: FileFailure) => void,
  ) {
    this.#socket = socket
    this.#options = options
    this.#ended = ended
    this.body = { [Symbol.asyncIterator]: () => this.#read() }
    const timings = { ...DEFAULT_FILE_TIMINGS, ...options.timings }
    const machine = new FileReceiver({
      ...options,
      maxBytes: options.size,
      timings,
      startedAt: Date.now(),
    })
    this.#driven = drive<FileReceiverCommand, FileReceiverEvent>(socket, machine, {
      onEvent: (event) => {
        switch (event.kind) {
          case 'coming':
            options.signal.addEventListener('abort', this.#abort, { once: true })
            chosen()
            return
          case 'data':
            this.#take(event.bytes)
            return
          case 'received':
            this.#isComplete = true
            this.#wake?.()
            return
          case 'cancelled':
            this.#failure ??= DECLINED
            return
        }
      },
      onClose: (reason) => this.#closed(reason),
    })
  }

  begin(): void {
    this.#driven.command({ kind: 'begin' })
  }

  done(kept: boolean): void {
    if (this.#isComplete) this.#driven.command({ kind: kept ? 'kept' : 'not-kept' })
    else this.#abort()
  }

  stop(): void {
    this.#driven.close()
    this.#socket.destroy()
  }

  readonly #abort = (): void => {
    this.#failure ??= ABORTED
    this.#driven.command({ kind: 'cancel' })
  }

  #take(bytes: Uint8Array): void {
    // It may be a view of what the socket will use again.
    this.#chunks.push(Uint8Array.from(bytes))
    this.#untaken += bytes.length
    this.#moved += bytes.length
    if (this.#untaken > MAX_UNTAKEN_BYTES) this.#socket.pause()
    this.#options.onProgress?.(this.#moved)
    this.#wake?.()
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunks = this.#chunks.splice(0)
        for (const chunk of chunks) {
          this.#untaken -= chunk.length
          if (this.#socket.isPaused() && this.#untaken <= MAX_UNTAKEN_BYTES / 2) this.#socket.resume()
          yield chunk
        }
        if (this.#chunks.length > 0) continue
        if (this.#isComplete) return
        if (this.#failure !== undefined) throw new FileBroken(this.#failure)
        await new Promise<void>((resolve) => {
          this.#wake = () => {
            this.#wake = undefined
            resolve()
          }
        })
      }
    } finally {
      // Whoever stops reading does not want the rest.
      if (!this.#isComplete) this.#abort()
    }
  }

  #closed(reason: CloseReason): void {
    this.#options.signal.removeEventListener('abort', this.#abort)
    this.#failure ??= failureOf(reason)
    this.#ended(this.#failure)
    this.#wake?.()
  }
}
