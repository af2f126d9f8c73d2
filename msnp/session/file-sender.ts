/** The one who gives a file by MSNFTP, whoever opened the connection. Source: docs/protocol.md, File transfer. */
import { Buffer } from 'node:buffer'
import { ReceiveBuffer } from '../../sansio/bytes.ts'
import { type Machine, MisuseError, type Output } from '../../sansio/machine.ts'
import { BLOCK_BYTES, BYE, closing, FileClock, type FileTimings, lineBytes, takeLine, violation } from './file-lines.ts'

export interface FileSenderOptions {
  /** The address of whoever is to have it, in lower case. */
  readonly account: string
  /** What they must know. */
  readonly authCookie: string
  /** Bytes of the file. */
  readonly size: number
  readonly timings: FileTimings
  /** Milliseconds, as `now`. */
  readonly startedAt: number
}

/** send: only after `wanted`, and never more than the file has. */
export type FileSenderCommand = { readonly kind: 'send'; readonly bytes: Uint8Array } | { readonly kind: 'cancel' }

export type FileSenderEvent =
  /** They have proved who they are, and want the bytes. */
  | { readonly kind: 'wanted' }
  /** What they say became of it: a code of `BYE`. */
  | { readonly kind: 'finished'; readonly code: number }
  | { readonly kind: 'cancelled' }

type Outputs = readonly Output<FileSenderEvent>[]

export class FileSender implements Machine<FileSenderCommand, FileSenderEvent> {
  readonly #options: FileSenderOptions
  readonly #buffer = new ReceiveBuffer()
  readonly #clock: FileClock
  #state: 'version' | 'user' | 'transfer' | 'sending' | 'goodbye' | 'over' = 'version'
  #sent = 0

  constructor(options: FileSenderOptions) {
    this.#options = options
    this.#clock = new FileClock(options.timings, options.startedAt)
  }

  get wakeAt(): number | undefined {
    return this.#state === 'over' ? undefined : this.#clock.wakeAt
  }

  receive(bytes: Uint8Array | null, now: number): Outputs {
    if (this.#state === 'over') return []
    if (bytes === null) return this.#over(closing({ kind: 'lost', detail: 'the receiver hung up' }))
    this.#buffer.push(bytes)
    const outputs: Output<FileSenderEvent>[] = []
    while (!this.#isOver()) {
      const line = takeLine(this.#buffer)
      if (line.kind === 'incomplete') break
      if (line.kind === 'too-long') outputs.push(...this.#over(violation('a line is too long')))
      else outputs.push(...this.#line(line.words, now))
    }
    this.#buffer.settle()
    return outputs
  }

  command(command: FileSenderCommand, now: number): Outputs {
    if (this.#state === 'over') return []
    switch (command.kind) {
      case 'send':
        return this.#send(command.bytes, now)
      case 'cancel':
        return [...(this.#state === 'sending' ? [END] : []), ...this.#over(closing({ kind: 'done' }))]
    }
  }

  tick(now: number): Outputs {
    const late = this.#state === 'over' ? undefined : this.#clock.late(now)
    return late === undefined ? [] : this.#over(late)
  }

  #line([verb = '', ...words]: readonly string[], now: number): Outputs {
    switch (verb.toUpperCase()) {
      case 'VER':
        if (this.#state !== 'version') break
        if (!words.includes('MSNFTP')) return this.#over(violation('another protocol than MSNFTP'))
        this.#state = 'user'
        return [lineBytes('VER MSNFTP')]
      case 'USR': {
        if (this.#state !== 'user') break
        const [account = '', cookie] = words
        if (account.toLowerCase() !== this.#options.account || cookie !== this.#options.authCookie)
          return this.#over(violation('somebody else than the receiver'))
        this.#state = 'transfer'
        return [lineBytes(`FIL ${this.#options.size}`)]
      }
      case 'TFR':
        if (this.#state !== 'transfer') break
        this.#clock.moved(now)
        this.#state = 'sending'
        return [{ kind: 'event', event: { kind: 'wanted' } }, ...this.#end()]
      case 'CCL':
        if (this.#state === 'version' || this.#state === 'user') break
        return this.#over({ kind: 'event', event: { kind: 'cancelled' } }, closing({ kind: 'done' }))
      case 'BYE': {
        if (this.#state === 'version' || this.#state === 'user') break
        const code = Number(words[0])
        const early = this.#state !== 'goodbye' && code === BYE.received
        if (early || !Number.isSafeInteger(code)) return this.#over(violation('a goodbye that makes no sense'))
        return this.#over({ kind: 'event', event: { kind: 'finished', code } }, closing({ kind: 'done' }))
      }
      case '':
        return []
    }
    return this.#over(violation('something that has no place here'))
  }

  #send(bytes: Uint8Array, now: number): Outputs {
    if (this.#state !== 'sending') throw new MisuseError('nobody has asked for the file')
    if (this.#sent + bytes.length > this.#options.size) throw new MisuseError('the file is longer than was said')
    this.#clock.moved(now)
    this.#sent += bytes.length
    const blocks: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = bytes.subarray(at, at + BLOCK_BYTES)
      blocks.push(Uint8Array.of(0, block.length & 0xff, block.length >> 8), block)
    }
    return [...(blocks.length === 0 ? [] : [written(Buffer.concat(blocks))]), ...this.#end()]
  }

  /** The mark behind the last byte. */
  #end(): Outputs {
    if (this.#sent < this.#options.size) return []
    this.#state = 'goodbye'
    return [END]
  }

  /** Behind a method, since it changes while lines are read. */
  #isOver(): boolean {
    return this.#state === 'over'
  }

  #over(...outputs: Outputs): Outputs {
    this.#state = 'over'
    this.#buffer.clear()
    return outputs
  }
}

const written = (bytes: Uint8Array): Output<never> => ({ kind: 'write', bytes })
/** The end, or that it is given up where bytes are missing. */
const END = written(Uint8Array.of(1, 0, 0))
