/** A switchboard desk with clients on machines, without sockets: bytes go in, lines come out, time is a number. */
import { Buffer } from 'node:buffer'
import type { CloseReason, Output } from '../../sansio/machine.ts'
import type { Dialect } from '../../msnp/model/dialect.ts'
import type { Status } from '../../msnp/model/status.ts'
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMINGS,
  type Participants,
  type Ring,
  type ServiceLimits,
  type ServiceTimings,
  type SignedIn,
} from '../../msnp/service/contract.ts'
import type { SwitchboardLine } from '../../msnp/service/room.ts'
import { Switchboards, type SwitchboardAttachment } from '../../msnp/service/switchboards.ts'
import type { SwitchboardCommand, SwitchboardEvent } from '../../msnp/session/switchboard-server-events.ts'
import type { SwitchboardServer } from '../../msnp/session/switchboard-server.ts'

export interface DeskOptions {
  readonly limits?: Partial<ServiceLimits>
  readonly timings?: Partial<ServiceTimings>
}

/** Far from random, but no two are equal, and each run has the same. */
export const counting = (): ((bytes: number) => Uint8Array) => {
  let next = 0
  return (bytes) => Uint8Array.from({ length: bytes }, () => (next = (next * 197 + 41) & 0xffff) >> 8)
}

export class SwitchboardBench {
  now = 1_000_000
  readonly desk: Switchboards
  readonly online = new Map<string, SignedIn>()
  /** What the notification desk answers to a ring; by default the rules of presence alone. */
  refusals = new Map<string, 208 | 216 | 217>()
  readonly rings: (Ring & { readonly callee: string })[] = []
  /** Of sessions that stand beside another of the same person. */
  readonly sessionRings: (Ring & { readonly callee: string; readonly beside: boolean })[] = []
  /** Whom an account may let take part. */
  readonly participants = new Map<string, Participants>()
  readonly peers: Peer[] = []
  address: string | undefined = '127.0.0.1:1863'
  /** While set, connections keep what they are given: the other side does not read. */
  stuck = new Set<Peer>()

  constructor({ limits, timings }: DeskOptions = {}) {
    this.desk = new Switchboards({
      notifications: {
        ring: (callee, ring) => {
          const refusal = this.refusals.get(callee) ?? (this.online.has(callee) ? undefined : 217)
          if (refusal === undefined) this.rings.push({ ...ring, callee })
          return refusal ?? 'ringing'
        },
        ringSession: (callee, beside, ring) => this.sessionRings.push({ ...ring, callee, beside }),
        signedIn: (email, beside) =>
          this.online.get(beside === true ? `${email} beside` : email) ??
          (beside === undefined ? this.online.get(`${email} beside`) : undefined),
      },
      participants: (email) => this.participants.get(email),
      limits: { ...DEFAULT_LIMITS, ...limits },
      timings: { ...DEFAULT_TIMINGS, ...timings },
      now: () => this.now,
      random: counting(),
      address: () => this.address,
    })
  }

  signIn(email: string, more: { name?: string; dialect?: Dialect; status?: Status; confirms?: boolean } = {}): void {
    const { name = email.split('@')[0] ?? email, dialect = 'MSNP9', status = 'NLN', confirms = false } = more
    this.online.set(email, { email, name, dialect, status, confirms })
  }

  connect(): Peer {
    const peer = new Peer(this)
    this.peers.push(peer)
    return peer
  }

  /** A new room with its first member; what they were told so far is read. */
  enter(email: string): Peer {
    if (!this.online.has(email)) this.signIn(email)
    const invitation = this.desk.open(email, this.now)
    const peer = this.connect()
    peer.say(`USR 1 ${email} ${invitation?.ticket ?? 'none'}\r\n`)
    peer.read()
    return peer
  }

  /** Somebody inside calls somebody, who comes; what both were told is read. */
  join(caller: Peer, email: string): Peer {
    if (!this.online.has(email)) this.signIn(email)
    caller.say(`CAL 9 ${email}\r\n`)
    const ring = this.rings.at(-1)
    const peer = this.connect()
    peer.say(`ANS 1 ${email} ${ring?.ticket ?? 'none'} ${ring?.session ?? '0'}\r\n`)
    for (const each of this.peers) each.read()
    return peer
  }

  /** Time passes; whatever is due happens. */
  pass(ms: number): void {
    const until = this.now + ms
    for (;;) {
      const due = this.peers
        .map((peer) => peer.wakeAt)
        .filter((at) => at !== undefined && at <= until)
        .sort((a, b) => (a ?? 0) - (b ?? 0))[0]
      if (due === undefined) break
      this.now = Math.max(this.now, due)
      for (const peer of this.peers) peer.tick()
      this.flush()
    }
    this.now = until
  }

  /** The system takes what every connection was given. */
  flush(): void {
    for (let turn = 0; turn < 4; turn++) for (const peer of this.peers) if (!this.stuck.has(peer)) peer.take()
  }
}

/** One client. */
export class Peer implements SwitchboardLine {
  readonly #bench: SwitchboardBench
  readonly #machine: SwitchboardServer
  readonly #attachment: SwitchboardAttachment
  #out: Buffer[] = []
  #taken = 0
  queued = 0
  closed: CloseReason | undefined

  constructor(bench: SwitchboardBench) {
    this.#bench = bench
    this.#machine = bench.desk.machine(bench.now)
    this.#attachment = bench.desk.attach(this)
  }

  get wakeAt(): number | undefined {
    return this.closed === undefined ? this.#machine.wakeAt : undefined
  }

  get isFull(): boolean {
    return this.#machine.isFull
  }

  /** What the client sends. */
  say(bytes: string | Uint8Array): void {
    this.#run(this.#machine.receive(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, this.#bench.now))
    this.#bench.flush()
  }

  /** `MSG trid ack length` and the payload. */
  message(trid: number, ack: string, payload: string): void {
    this.say(`MSG ${trid} ${ack} ${Buffer.byteLength(payload)}\r\n${payload}`)
  }

  /** All that came since the last time. */
  read(): string {
    const text = Buffer.concat(this.#out).toString()
    this.#out = []
    return text
  }

  /** The cable is cut. */
  vanish(): void {
    if (this.closed === undefined) this.#close({ kind: 'lost', detail: 'ECONNRESET' })
    this.#bench.flush()
  }

  hangUp(): void {
    this.#run(this.#machine.receive(null, this.#bench.now))
    this.#bench.flush()
  }

  tick(): void {
    const at = this.wakeAt
    if (at !== undefined && at <= this.#bench.now) this.#run(this.#machine.tick(this.#bench.now))
  }

  take(): void {
    if (this.closed !== undefined || this.#taken === this.queued) return
    this.#taken = this.queued
    this.#attachment.taken(this.queued)
  }

  send(command: SwitchboardCommand): void {
    if (this.closed === undefined) this.#run(this.#machine.command(command, this.#bench.now))
  }

  #run(outputs: readonly Output<SwitchboardEvent>[]): void {
    for (const output of outputs) {
      if (this.closed !== undefined) return
      switch (output.kind) {
        case 'write':
          this.queued += output.bytes.length
          this.#out.push(Buffer.from(output.bytes))
          break
        case 'event':
          this.#attachment.event(output.event)
          break
        case 'close':
          this.#close(output.reason)
          return
      }
    }
  }

  #close(reason: CloseReason): void {
    this.closed = reason
    this.#attachment.closed()
  }
}
