/** A whole service without sockets: clients are bytes in and frames out. */
import { createHash } from 'node:crypto'
import { TicketBook } from '../../msnp/auth/tickets.ts'
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMINGS,
  type AccountRecord,
  type Host,
  type ServiceTimings,
} from '../../msnp/service/contract.ts'
import { Notifications } from '../../msnp/service/notification.ts'
import { Switchboards } from '../../msnp/service/switchboards.ts'
import { CLIENT_LIMITS, Framer, isFault, type Frame } from '../../msnp/wire/frame.ts'
import type { CloseReason, Machine, Output } from '../../sansio/machine.ts'

const NOW = Date.UTC(2004, 0, 1)

/** A connection of either kind: what a socket would do, at once. */
export class Served {
  readonly answers: Frame[] = []
  closed: CloseReason | undefined
  queued = 0
  readonly remoteAddress = '192.0.2.77'
  readonly remotePort = 1863
  receive: (bytes: Uint8Array | null) => void = () => undefined
  /** What was written has left. */
  flushed: () => void = () => undefined
  readonly #framer = new Framer('server', CLIENT_LIMITS)

  write(bytes: Uint8Array): void {
    this.queued += bytes.length
    this.#framer.push(bytes)
    for (let frame = this.#framer.next(); frame !== undefined; frame = this.#framer.next()) {
      if (isFault(frame)) throw new Error(`the service wrote what cannot be framed: ${frame.fault}`)
      this.answers.push(frame)
    }
    this.#framer.settle()
  }
}

interface Desk<Event> {
  event(event: Event): void
  taken?(total: number): void
  closed(): void
}

/** Both desks of a service and their tickets, in one world where nothing takes any time. */
export class WholeService {
  readonly #notifications: Notifications
  readonly #switchboards: Switchboards
  readonly #tickets: TicketBook
  readonly #connections: Served[] = []
  #count = 0

  /** `stored`: the accounts as they are on disk. `more`: what the host wants to know. */
  constructor(
    stored: Map<string, AccountRecord>,
    more: Pick<Host, 'onPresence'> & { readonly timings?: Partial<ServiceTimings> } = {},
  ) {
    const random = (bytes: number): Uint8Array =>
      createHash('sha512').update(String(this.#count++)).digest().subarray(0, bytes)
    const timings = { ...DEFAULT_TIMINGS, ...more.timings }
    const common = { limits: DEFAULT_LIMITS, timings, now: () => NOW, random }
    this.#tickets = new TicketBook({ lifetimeMs: 60_000, random })
    this.#switchboards = new Switchboards({
      ...common,
      notifications: {
        ring: (callee, ring) => this.#notifications.ring(callee, ring),
        ringSession: (email, beside, ring) => this.#notifications.ringSession(email, beside, ring),
        signedIn: (email, beside) => this.#notifications.signedIn(email, beside),
      },
      address: () => '192.0.2.1:1864',
    })
    this.#notifications = new Notifications({
      ...common,
      host: {
        verifyPassword: async () => 'right',
        load: async (email) => stored.get(email),
        save: async (records) => records.forEach((record) => stored.set(record.email, record)),
        onNotice: (notice) => {
          if (notice.kind === 'failure') throw new Error(notice.detail)
        },
        onPresence: (seen) => more.onPresence?.(seen),
      },
      tickets: this.#tickets,
      switchboards: this.#switchboards,
      addresses: { notification: () => '192.0.2.1:1863', own: () => '192.0.2.1:1863' },
    })
  }

  ticket(email: string): string {
    return this.#tickets.mint(email, NOW)
  }

  connect(role: 'NS' | 'DS' | 'SB'): Served {
    const served = new Served()
    this.#connections.push(served)
    if (role === 'SB') {
      const machine = this.#switchboards.machine(NOW)
      plug(served, machine, (line) => this.#switchboards.attach(line))
    } else {
      const machine = this.#notifications.machine(role, NOW)
      plug(served, machine, (line) => this.#notifications.attach(line, role))
    }
    return served
  }

  /** Resolves when nothing is under way, whatever that set off included. */
  async settled(): Promise<void> {
    for (let count = 0; count < 3; count++) {
      await this.#notifications.idle()
      await new Promise(setImmediate)
      for (const served of this.#connections) served.flushed()
    }
  }
}

interface PluggedLine<Command> {
  send(command: Command): void
  close(reason?: CloseReason): void
  readonly queued: number
  readonly remoteAddress: string
  readonly remotePort: number
}

function plug<Command, Event>(
  served: Served,
  machine: Machine<Command, Event>,
  attach: (line: PluggedLine<Command>) => Desk<Event>,
): void {
  const close = (reason: CloseReason): void => {
    if (served.closed !== undefined) return
    served.closed = reason
    desk.closed()
  }
  const run = (outputs: readonly Output<Event>[]): void => {
    for (const output of outputs) {
      if (served.closed !== undefined) return
      if (output.kind === 'write') served.write(output.bytes)
      else if (output.kind === 'event') desk.event(output.event)
      else close(output.reason)
    }
  }
  served.flushed = () => desk.taken?.(served.queued)
  const desk = attach({
    send: (command) => {
      if (served.closed === undefined) run(machine.command(command, NOW))
    },
    close: (reason = { kind: 'done' }) => close(reason),
    get queued() {
      return served.queued
    },
    remoteAddress: served.remoteAddress,
    remotePort: served.remotePort,
  })
  served.receive = (bytes) => {
    if (served.closed === undefined) run(machine.receive(bytes, NOW))
  }
}
