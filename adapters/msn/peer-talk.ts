/** The peer-to-peer sessions over one switchboard: the machine on its clock, its packets on the wire, and its results as promises. */
import type { Clock } from '../../bridge/adapter.ts'
import {
  P2pEndpoint,
  type FileOffer,
  type MimeMessage,
  type MsnObject,
  type P2pCommand,
  type P2pEnd,
  type P2pEvent,
  type P2pLimits,
  type P2pOutput,
  type P2pTimings,
  type SessionHandle,
  type Switchboard,
} from '../../msnp/index.ts'

/** Bytes of a file from somebody that may wait for whoever reads it; with more it is given up. */
export const MAX_UNREAD_BYTES = 4 * 1024 * 1024

export interface PeerTalkOptions {
  readonly board: Switchboard
  /** Our own address. */
  readonly own: string
  readonly clock: Clock
  /** A random number of 32 bits. */
  readonly random: () => number
  readonly limits?: Partial<P2pLimits>
  readonly timings?: Partial<P2pTimings>
  /** The bytes of something of ours that somebody asks for; undefined: we have it not. */
  readonly serve: (object: MsnObject, peer: string) => Uint8Array | undefined
  /** Somebody has a file for us. Absent: all are declined. */
  readonly offered?: (file: IncomingFile) => void
  /** What others begin on this switchboard is for the person's Messenger. Absent: it is not. */
  readonly isElsewhere?: () => boolean
  /** They offer a file to the person's Messenger. */
  readonly offeredElsewhere?: (peer: string, call: string, file: FileOffer) => void
  /** Something that we have not was declined. */
  readonly unknown?: (peer: string, guid: string) => void
}

/** A file that somebody offers over this switchboard; nothing comes before `accept`. */
export interface IncomingFile {
  readonly peer: string
  readonly file: FileOffer
  /**
   * Its bytes in order. Throws `TransferEnded` when it breaks off; whoever stops reading cancels it. `confirms`: they hear that
   * it has arrived with `done(true)`.
   */
  accept(confirms?: 'confirms'): AsyncIterable<Uint8Array>
  decline(): void
  /** It is safe with us; or could not be kept, whether its bytes were read or not. Nothing happens when it is over. */
  done(kept: boolean): void
  /** Resolves when it is over, whatever became of it. */
  readonly ended: Promise<P2pEnd>
}

export class TransferEnded extends Error {
  readonly how: P2pEnd
  constructor(how: P2pEnd) {
    super(`the transfer ended: ${how}`)
    this.how = how
  }
}

export type Fetched =
  { readonly kind: 'fetched'; readonly bytes: Uint8Array } | { readonly kind: 'failed'; readonly how: P2pEnd }

interface Outgoing {
  readonly kind: 'outgoing'
  readonly read: (offset: number, length: number) => Promise<Uint8Array | undefined>
  readonly accepted: () => void
  readonly ended: (how: P2pEnd) => void
}

interface Incoming {
  readonly kind: 'incoming'
  readonly pieces: Uint8Array[]
  unread: number
  isHere: boolean
  end: P2pEnd | undefined
  wake: () => void
  readonly ended: (how: P2pEnd) => void
}

interface Fetching {
  readonly kind: 'fetching'
  bytes: Uint8Array | undefined
  readonly settle: (result: Fetched) => void
}

export class PeerTalk {
  readonly #options: PeerTalkOptions
  readonly #endpoint: P2pEndpoint
  readonly #open = new Map<SessionHandle, Outgoing | Incoming | Fetching>()
  #sleep: AbortController | undefined
  #wakeAt = Infinity
  #isOver = false

  constructor(options: PeerTalkOptions) {
    const { own, random, isElsewhere, limits, timings } = options
    this.#options = options
    this.#endpoint = new P2pEndpoint({
      own,
      random,
      ...(isElsewhere === undefined ? {} : { isElsewhere }),
      ...(limits === undefined ? {} : { limits }),
      ...(timings === undefined ? {} : { timings }),
    })
  }

  /** Whether anything is under way. */
  get isBusy(): boolean {
    return this.#endpoint.size > 0
  }

  receive(from: string, message: MimeMessage): void {
    if (!this.#isOver) this.#take(this.#endpoint.receive(from, message, this.#now()))
  }

  left(email: string): void {
    if (!this.#isOver) this.#take(this.#endpoint.left(email))
  }

  closed(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#sleep?.abort()
    this.#take(this.#endpoint.closed())
  }

  /** What somebody has described: `xml` as they wrote it. Never rejects. */
  fetch(peer: string, object: MsnObject, xml: string, signal: AbortSignal): Promise<Fetched> {
    if (this.#isOver || signal.aborted) return Promise.resolve({ kind: 'failed', how: 'left' })
    const { promise, resolve } = Promise.withResolvers<Fetched>()
    const session = this.#endpoint.handle()
    this.#open.set(session, { kind: 'fetching', bytes: undefined, settle: resolve })
    this.#cancelOn(signal, session, promise)
    this.#do({ kind: 'fetch', session, peer, object, xml })
    return promise
  }

  /**
   * A file of ours for somebody inside. `read` gives so many bytes from a place on; fewer or undefined: it cannot be read, and
   * the transfer is cancelled. Never rejects.
   */
  offer(
    peer: string,
    file: FileOffer,
    read: (offset: number, length: number) => Promise<Uint8Array | undefined>,
    signal: AbortSignal,
    accepted: () => void = () => undefined,
  ): Promise<P2pEnd> {
    if (this.#isOver || signal.aborted) return Promise.resolve('left')
    const { promise, resolve } = Promise.withResolvers<P2pEnd>()
    const session = this.#endpoint.handle()
    this.#open.set(session, { kind: 'outgoing', read, accepted, ended: resolve })
    this.#cancelOn(signal, session, promise)
    this.#do({ kind: 'offer', session, peer, file })
    return promise
  }

  #cancelOn(signal: AbortSignal, session: SessionHandle, over: Promise<unknown>): void {
    const cancel = (): void => this.#cancel(session)
    signal.addEventListener('abort', cancel, { once: true })
    void over.then(() => signal.removeEventListener('abort', cancel))
  }

  #cancel(session: SessionHandle): void {
    this.#do({ kind: 'cancel', session })
    this.#ended(session, 'cancelled')
  }

  #do(command: P2pCommand): void {
    if (!this.#isOver) this.#take(this.#endpoint.command(command, this.#now()))
  }

  #take(outputs: readonly P2pOutput[]): void {
    for (const output of outputs) {
      if (output.kind === 'event') this.#heard(output.event)
      else if (!this.#isOver) void this.#send(output.id, output.payload)
    }
    this.#schedule()
  }

  async #send(id: number, payload: Uint8Array): Promise<void> {
    const result = await this.#options.board.send(payload, 'D')
    if (this.#isOver) return
    const ok = result.kind === 'acked' || result.kind === 'sent'
    this.#take(this.#endpoint.carried(id, ok, this.#now()))
  }

  #heard(event: P2pEvent): void {
    switch (event.kind) {
      case 'asked': {
        const bytes = this.#options.serve(event.object, event.peer)
        if (bytes === undefined) this.#do({ kind: 'decline', session: event.session })
        else this.#do({ kind: 'serve', session: event.session, bytes })
        return
      }
      case 'offered':
        this.#offered(event)
        return
      case 'offered-elsewhere':
        this.#options.offeredElsewhere?.(event.peer, event.call, event.file)
        return
      case 'unknown-invitation':
        this.#options.unknown?.(event.peer, event.guid)
        return
      case 'accepted': {
        const open = this.#open.get(event.session)
        if (open?.kind === 'outgoing') open.accepted()
        return
      }
      case 'wants':
        void this.#provide(event)
        return
      case 'data':
        this.#data(event)
        return
      case 'received': {
        const open = this.#open.get(event.session)
        if (open?.kind !== 'incoming') return
        open.isHere = true
        open.wake()
        return
      }
      case 'fetched': {
        const open = this.#open.get(event.session)
        if (open?.kind === 'fetching') open.bytes = event.bytes
        return
      }
      case 'ended':
        this.#ended(event.session, event.how)
        return
    }
  }

  #ended(session: SessionHandle, how: P2pEnd): void {
    const open = this.#open.get(session)
    this.#open.delete(session)
    switch (open?.kind) {
      case 'fetching':
        open.settle(open.bytes === undefined ? { kind: 'failed', how } : { kind: 'fetched', bytes: open.bytes })
        return
      case 'outgoing':
        open.ended(how)
        return
      case 'incoming':
        open.end = how
        open.wake()
        open.ended(how)
        return
      case undefined:
        return
    }
  }

  async #provide({ session, offset, length }: Extract<P2pEvent, { kind: 'wants' }>): Promise<void> {
    const open = this.#open.get(session)
    if (open?.kind !== 'outgoing') return
    const bytes = await open.read(offset, length).catch(() => undefined)
    if (!this.#open.has(session)) return
    if (bytes?.length === length) this.#do({ kind: 'provide', session, bytes })
    else this.#cancel(session)
  }

  #offered({ session, peer, file }: Extract<P2pEvent, { kind: 'offered' }>): void {
    const { offered } = this.#options
    if (offered === undefined) {
      this.#do({ kind: 'decline', session })
      return
    }
    const { promise, resolve } = Promise.withResolvers<P2pEnd>()
    const incoming: Incoming = {
      kind: 'incoming',
      pieces: [],
      unread: 0,
      isHere: false,
      end: undefined,
      wake: () => undefined,
      ended: resolve,
    }
    this.#open.set(session, incoming)
    offered({
      peer,
      file,
      ended: promise,
      accept: (confirms) => {
        this.#do({ kind: 'accept', session, confirms: confirms === 'confirms' })
        return this.#read(session, incoming)
      },
      decline: () => {
        this.#do({ kind: 'decline', session })
        this.#ended(session, 'declined')
      },
      done: (kept) => {
        if (kept) this.#do({ kind: 'kept', session })
        else this.#cancel(session)
      },
    })
  }

  #data({ session, bytes }: Extract<P2pEvent, { kind: 'data' }>): void {
    const open = this.#open.get(session)
    if (open?.kind !== 'incoming') return
    open.pieces.push(bytes)
    open.unread += bytes.length
    if (open.unread > MAX_UNREAD_BYTES) this.#cancel(session)
    else open.wake()
  }

  async *#read(session: SessionHandle, incoming: Incoming): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const pieces = incoming.pieces.splice(0)
        incoming.unread = 0
        if (pieces.length > 0) yield Buffer.concat(pieces)
        else if (incoming.isHere || incoming.end === 'done') return
        else if (incoming.end !== undefined) throw new TransferEnded(incoming.end)
        else await new Promise<void>((resolve) => (incoming.wake = resolve))
      }
    } finally {
      if (incoming.end === undefined && !incoming.isHere) this.#cancel(session)
    }
  }

  #now(): number {
    return this.#options.clock.now()
  }

  /** One timer, set anew only for something earlier. */
  #schedule(): void {
    const at = this.#isOver ? undefined : this.#endpoint.wakeAt
    if (at === undefined || at >= this.#wakeAt) return
    this.#sleep?.abort()
    const sleep = new AbortController()
    this.#sleep = sleep
    this.#wakeAt = at
    void this.#options.clock.sleep(Math.max(0, at - this.#now()), sleep.signal).then(() => {
      if (sleep.signal.aborted || this.#isOver) return
      this.#wakeAt = Infinity
      const due = this.#endpoint.wakeAt
      if (due !== undefined && due <= this.#now()) this.#take(this.#endpoint.tick(this.#now()))
      else this.#schedule()
    })
  }
}
