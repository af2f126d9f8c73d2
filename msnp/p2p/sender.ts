/**
 * Our messages on their way: cut into packets, paced by the answers of the switchboard, and waited for until the other side
 * has acknowledged them whole.
 */
import { MAX_BODY_BYTES, p2pMessage, type Packet } from './packet.ts'
import type { P2pLimits, P2pOutput, P2pTimings, SessionHandle } from './contract.ts'

/** How often one packet is tried that the switchboard gives back. */
const MAX_TRIES = 3
/** Packets that may wait for an answer; acknowledgements beyond are not given. */
const MAX_UNANSWERED = 512
/** Messages that may wait for their acknowledgement. */
const MAX_MESSAGES = 256

export interface Message {
  readonly peer: string
  /** undefined: it belongs to none, and nobody is told what becomes of it. */
  readonly session: SessionHandle | undefined
  readonly id: number
  readonly wire: number
  readonly ackId: number
  readonly flags: number
  readonly footer: number
  readonly total: number
  /** data: what is sent, paced. control: everything else, at once. */
  readonly kind: 'control' | 'data'
  /** All of it, when it can be sent again; a file comes piece by piece. */
  readonly whole: Uint8Array | undefined
  readonly pieces: Uint8Array[]
  /** Bytes in `pieces`. */
  buffered: number
  /** Bytes that are on their way or there. */
  sent: number
  unanswered: number
  resent: boolean
  deadline: number
}

interface InFlight {
  readonly payload: Uint8Array
  readonly message: Message | undefined
  tries: number
}

export interface SenderDeps {
  readonly limits: P2pLimits
  readonly timings: P2pTimings
  readonly random: () => number
  readonly out: (output: P2pOutput) => void
  /** The message with all its bytes is there. */
  readonly onAcked: (message: Message, now: number) => void
  readonly onFailed: (message: Message, how: 'carrier' | 'timeout', now: number) => void
  /** A packet of data arrived, and there is room for more. */
  readonly onProgress: (message: Message, now: number) => void
}

export class Sender {
  readonly #deps: SenderDeps
  readonly #messages = new Map<number, Message>()
  readonly #inFlight = new Map<number, InFlight>()
  #nextId: number
  #nextPacket = 1
  #dataInFlight = 0

  constructor(deps: SenderDeps) {
    this.#deps = deps
    this.#nextId = deps.random() & 0x3fffffff
  }

  get wakeAt(): number | undefined {
    let at = Infinity
    for (const { deadline } of this.#messages.values()) at = Math.min(at, deadline)
    return at === Infinity ? undefined : at
  }

  /** Sent at once. `flags` 0. */
  control(
    to: { peer: string; session?: SessionHandle; wire?: number; footer?: number },
    bytes: Uint8Array,
    now: number,
  ): Message {
    const message = this.#message('control', to, {
      flags: 0,
      footer: to.footer ?? 0,
      total: bytes.length,
      whole: bytes,
    })
    message.deadline = now + this.#deps.timings.ackMs
    this.#keep(message)
    while (message.sent < message.total) this.#packet(message)
    return message
  }

  /** `whole` absent: its bytes come with `provide`. */
  data(
    to: { readonly peer: string; readonly session: SessionHandle; readonly wire: number },
    about: { readonly flags: number; readonly footer: number; readonly total: number; readonly whole?: Uint8Array },
    now: number,
  ): Message {
    const message = this.#message('data', to, { whole: undefined, ...about })
    this.#keep(message)
    this.pump(now)
    return message
  }

  provide(message: Message, bytes: Uint8Array, now: number): void {
    message.pieces.push(bytes)
    message.buffered += bytes.length
    this.pump(now)
  }

  /** What came whole is acknowledged. */
  acknowledge(peer: string, packet: Packet): void {
    if (this.#inFlight.size >= MAX_UNANSWERED) return
    this.#send(
      p2pMessage(peer, {
        session: packet.session,
        id: this.#takeId(),
        offset: 0,
        total: packet.total,
        flags: 2,
        ackId: packet.id,
        ackUid: packet.ackId,
        ackSize: packet.total,
        body: new Uint8Array(),
        footer: 0,
      }),
      undefined,
    )
  }

  /** They have acknowledged a message of ours. */
  acknowledged(peer: string, packet: Packet, now: number): void {
    const message = this.#messages.get(packet.ackId)
    if (message?.peer !== peer) return
    if (message.sent < message.total) return
    this.#messages.delete(message.id)
    this.#deps.onAcked(message, now)
  }

  /** The switchboard has taken a packet, or has not. */
  carried(id: number, ok: boolean, now: number): void {
    const flight = this.#inFlight.get(id)
    if (flight === undefined) return
    const { message } = flight
    if (!ok && ++flight.tries < MAX_TRIES && (message === undefined || this.#messages.has(message.id))) {
      this.#deps.out({ kind: 'send', id, payload: flight.payload })
      return
    }
    this.#inFlight.delete(id)
    if (message?.kind === 'data') this.#dataInFlight--
    if (message !== undefined && this.#messages.get(message.id) === message) {
      message.unanswered--
      if (!ok) this.#fail(message, 'carrier', now)
      else this.#arrived(message, now)
    }
    this.pump(now)
  }

  /** Nothing more of that session goes out. */
  drop(session: SessionHandle): void {
    for (const [id, message] of this.#messages) if (message.session === session) this.#messages.delete(id)
  }

  dropPeer(peer: string): void {
    for (const [id, message] of this.#messages) if (message.peer === peer) this.#messages.delete(id)
  }

  tick(now: number): void {
    for (const message of [...this.#messages.values()]) {
      if (message.deadline > now) continue
      if (message.resent || message.whole === undefined) {
        this.#fail(message, 'timeout', now)
        continue
      }
      message.resent = true
      message.sent = 0
      message.deadline = message.kind === 'control' ? now + this.#deps.timings.ackMs : Infinity
      if (message.kind === 'control') while (message.sent < message.total) this.#packet(message)
    }
    this.pump(now)
  }

  /** Takes turns among all that has data, while there is room. */
  pump(now: number): void {
    let isGoing = true
    while (isGoing) {
      isGoing = false
      for (const message of this.#messages.values()) {
        if (message.kind !== 'data' || message.sent >= message.total) continue
        if (this.#dataInFlight >= this.#deps.limits.window) return
        if (message.whole === undefined && !isReady(message)) continue
        this.#packet(message)
        isGoing = true
        if (message.sent === message.total) message.deadline = now + this.#deps.timings.ackMs
      }
    }
  }

  #arrived(message: Message, now: number): void {
    if (message.kind !== 'data') return
    if (message.sent === message.total) message.deadline = now + this.#deps.timings.ackMs
    this.#deps.onProgress(message, now)
  }

  #fail(message: Message, how: 'carrier' | 'timeout', now: number): void {
    this.#messages.delete(message.id)
    this.#deps.onFailed(message, how, now)
  }

  #message(
    kind: Message['kind'],
    to: { readonly peer: string; readonly session?: SessionHandle; readonly wire?: number },
    about: Pick<Message, 'flags' | 'footer' | 'total' | 'whole'>,
  ): Message {
    return {
      kind,
      peer: to.peer,
      session: to.session,
      wire: to.wire ?? 0,
      id: this.#takeId(),
      ackId: this.#deps.random() >>> 0,
      ...about,
      pieces: [],
      buffered: 0,
      sent: 0,
      unanswered: 0,
      resent: false,
      deadline: Infinity,
    }
  }

  #keep(message: Message): void {
    if (this.#messages.size >= MAX_MESSAGES) {
      for (const [id, old] of this.#messages) {
        if (old.session !== undefined) continue
        this.#messages.delete(id)
        break
      }
    }
    this.#messages.set(message.id, message)
  }

  #packet(message: Message): void {
    const body = this.#next(message)
    const payload = p2pMessage(message.peer, {
      session: message.wire,
      id: message.id,
      offset: message.sent,
      total: message.total,
      flags: message.flags,
      ackId: message.ackId,
      ackUid: 0,
      ackSize: 0,
      body,
      footer: message.footer,
    })
    message.sent += body.length
    message.unanswered++
    if (message.kind === 'data') this.#dataInFlight++
    this.#send(payload, message)
  }

  #next(message: Message): Uint8Array {
    if (message.whole !== undefined) return message.whole.subarray(message.sent, message.sent + MAX_BODY_BYTES)
    const length = Math.min(MAX_BODY_BYTES, message.buffered)
    message.buffered -= length
    return takeFrom(message.pieces, length)
  }

  #send(payload: Uint8Array, message: Message | undefined): void {
    const id = this.#nextPacket++
    this.#inFlight.set(id, { payload, message, tries: 0 })
    this.#deps.out({ kind: 'send', id, payload })
  }

  #takeId(): number {
    this.#nextId = (this.#nextId + 1) >>> 0 || 1
    return this.#nextId
  }
}

/** Whole packets only, but for the last. */
const isReady = ({ buffered, sent, total }: Message): boolean =>
  buffered > 0 && (buffered >= MAX_BODY_BYTES || sent + buffered === total)

function takeFrom(pieces: Uint8Array[], length: number): Uint8Array {
  const [first] = pieces
  if (first === undefined || length === 0) return new Uint8Array()
  if (first.length > length) {
    pieces[0] = first.subarray(length)
    return first.subarray(0, length)
  }
  if (first.length === length) {
    pieces.shift()
    return first
  }
  const bytes = new Uint8Array(length)
  let at = 0
  while (at < length) {
    const [piece] = pieces
    if (piece === undefined) break
    const part = piece.subarray(0, length - at)
    bytes.set(part, at)
    at += part.length
    if (part.length === piece.length) pieces.shift()
    else pieces[0] = piece.subarray(part.length)
  }
  return bytes
}
