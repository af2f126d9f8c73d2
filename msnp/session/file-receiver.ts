/** The one who gets a file by MSNFTP, whoever opened the connection. Source: docs/protocol.md, File transfer. */
import { ReceiveBuffer } from '../../sansio/bytes.ts'
import { type Machine, MisuseError, type Output } from '../../sansio/machine.ts'
import { BYE, closing, FileClock, type FileTimings, lineBytes, takeLine, violation } from './file-lines.ts'

export interface FileReceiverOptions {
  /** Our own address. */
  readonly account: string
  /** What proves that we are the ones who were invited. */
  readonly authCookie: string
  /** The sender said so when it offered the file. */
  readonly size: number
  /** Larger ones are refused, whatever was said before. Bytes. */
  readonly maxBytes: number
  readonly timings: FileTimings
  /** Milliseconds, as `now`. */
  readonly startedAt: number
}

export type FileReceiverCommand =
  | { readonly kind: 'begin' }
  /** After `received`: it is safe with us, or it could not be kept. */
  | { readonly kind: 'kept' | 'not-kept' }
  | { readonly kind: 'cancel' }

export type FileReceiverEvent =
  /** The sender has answered, and the bytes will come. */
  | { readonly kind: 'coming' }
  /** May share memory with what was received. */
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** All of it is here; say what becomes of it. */
  | { readonly kind: 'received' }
  | { readonly kind: 'cancelled' }

type Outputs = readonly Output<FileReceiverEvent>[]

export class FileReceiver implements Machine<FileReceiverCommand, FileReceiverEvent> {
  readonly #options: FileReceiverOptions
  readonly #buffer = new ReceiveBuffer()
  readonly #clock: FileClock
  #state: 'new' | 'version' | 'file' | 'data' | 'received' | 'over' = 'new'
  /** Of the file, and of the block that has begun. */
  #left = 0
  #leftOfBlock = 0

  constructor(options: FileReceiverOptions) {
    this.#options = options
    this.#clock = new FileClock(options.timings, options.startedAt)
  }

  get wakeAt(): number | undefined {
    return this.#state === 'over' ? undefined : this.#clock.wakeAt
  }

  receive(bytes: Uint8Array | null, now: number): Outputs {
    if (this.#state === 'over') return []
    if (bytes === null) return this.#over(closing({ kind: 'lost', detail: 'the sender hung up' }))
    this.#buffer.push(bytes)
    const outputs: Output<FileReceiverEvent>[] = []
    for (let more = true; more;) {
      const step = this.#step(now)
      more = step !== undefined
      outputs.push(...(step ?? []))
    }
    this.#buffer.settle()
    return outputs
  }

  command(command: FileReceiverCommand): Outputs {
    if (this.#state === 'over') return []
    switch (command.kind) {
      case 'begin':
        if (this.#state !== 'new') throw new MisuseError('it has begun already')
        this.#state = 'version'
        return [lineBytes('VER MSNFTP')]
      case 'kept':
      case 'not-kept': {
        if (this.#state !== 'received') throw new MisuseError('the file is not here yet')
        const code = command.kind === 'kept' ? BYE.received : BYE.refused
        return this.#over(lineBytes(`BYE ${code}`), closing({ kind: 'done' }))
      }
      case 'cancel':
        return this.#over(...(this.#state === 'new' ? [] : [lineBytes('CCL')]), closing({ kind: 'done' }))
    }
  }

  tick(now: number): Outputs {
    const late = this.#state === 'over' ? undefined : this.#clock.late(now)
    if (late === undefined) return []
    return this.#over(...(this.#state === 'data' ? [lineBytes(`BYE ${BYE.timedOut}`)] : []), late)
  }

  /** undefined: there is nothing to do before more comes. */
  #step(now: number): Outputs | undefined {
    switch (this.#state) {
      case 'new':
      case 'version':
      case 'file': {
        const line = takeLine(this.#buffer)
        if (line.kind === 'incomplete') return undefined
        if (line.kind === 'too-long') return this.#over(violation('a line is too long'))
        return this.#line(line.words, now)
      }
      case 'data':
        return this.#data(now)
      case 'received':
        // The mark of the end, and whatever else comes behind it.
        this.#buffer.clear()
        return undefined
      case 'over':
        return undefined
    }
  }

  #line([verb = '', ...words]: readonly string[], now: number): Outputs {
    switch (verb.toUpperCase()) {
      case 'VER':
        if (this.#state !== 'version') break
        if (!words.includes('MSNFTP')) return this.#over(violation('another protocol than MSNFTP'))
        this.#state = 'file'
        return [lineBytes(`USR ${this.#options.account} ${this.#options.authCookie}`)]
      case 'FIL': {
        if (this.#state !== 'file') break
        const [size = ''] = words
        if (!/^\d{1,15}$/.test(size)) return this.#over(violation('a file without a size'))
        return this.#file(Number(size), now)
      }
      case 'CCL':
      case 'BYE':
        return this.#over({ kind: 'event', event: { kind: 'cancelled' } }, closing({ kind: 'done' }))
      case '':
        return []
    }
    return this.#over(violation('something that has no place here'))
  }

  #file(size: number, now: number): Outputs {
    const { maxBytes, size: offered } = this.#options
    // Whoever offered it knows its size: somebody else may have found the port.
    if (size !== offered || size > maxBytes)
      return this.#over(lineBytes(`BYE ${BYE.refused}`), violation('a file of another size than was offered'))
    this.#clock.moved(now)
    this.#left = size
    this.#state = size === 0 ? 'received' : 'data'
    const coming: Outputs = [lineBytes('TFR'), { kind: 'event', event: { kind: 'coming' } }]
    return size === 0 ? [...coming, RECEIVED] : coming
  }

  #data(now: number): Outputs | undefined {
    if (this.#leftOfBlock === 0) {
      if (this.#buffer.length < 3) return undefined
      const [flag = 0, low = 0, high = 0] = this.#buffer.takeBytes(3)
      const length = low + high * 256
      if (flag === 1 && length === 0)
        return this.#over({ kind: 'event', event: { kind: 'cancelled' } }, closing({ kind: 'done' }))
      if (flag !== 0 || length === 0 || length > this.#left)
        return this.#over(violation('a block that has no place here'))
      this.#leftOfBlock = length
    }
    const length = Math.min(this.#leftOfBlock, this.#buffer.length)
    if (length === 0) return undefined
    this.#clock.moved(now)
    this.#leftOfBlock -= length
    this.#left -= length
    const data: Output<FileReceiverEvent> = {
      kind: 'event',
      event: { kind: 'data', bytes: this.#buffer.takeBytes(length) },
    }
    if (this.#left > 0) return [data]
    this.#state = 'received'
    return [data, RECEIVED]
  }

  #over(...outputs: Outputs): Outputs {
    this.#state = 'over'
    this.#buffer.clear()
    return outputs
  }
}

const RECEIVED: Output<FileReceiverEvent> = { kind: 'event', event: { kind: 'received' } }
