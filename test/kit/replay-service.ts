/** Plays the clients of a transcript against our service, without sockets. */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { TicketBook } from '../../msnp/auth/tickets.ts'
import { DEFAULT_LIMITS, DEFAULT_TIMINGS, type AccountRecord } from '../../msnp/service/contract.ts'
import { Notifications } from '../../msnp/service/notification.ts'
import { Switchboards } from '../../msnp/service/switchboards.ts'
import { CLIENT_LIMITS, Framer, isFault, type Frame } from '../../msnp/wire/frame.ts'
import type { CloseReason, Machine, Output } from '../../sansio/machine.ts'
import type { Mode } from './replay-client.ts'
import type { Transcript, TranscriptFrame } from './transcript.ts'

const NOW = Date.UTC(2004, 0, 1)

export interface ServedConnection {
  readonly name: string
  readonly answers: readonly Frame[]
  readonly closed: CloseReason | undefined
}

export interface ServedTranscript {
  readonly connections: ReadonlyMap<string, ServedConnection>
  /** As they are on disk at the end. */
  readonly accounts: ReadonlyMap<string, AccountRecord>
}

/** Plays all of a transcript. `accounts`: as they were before it. */
export async function playAgainstService(
  { steps, connections }: Transcript,
  accounts: readonly AccountRecord[],
  mode: Mode,
): Promise<ServedTranscript> {
  const stored = new Map(accounts.map((account) => [account.email, account]))
  const service = new Service(stored)
  const owners = new Map(connections.map(({ name, email }) => [name, email]))
  const served = new Map<string, Served>()

  /** What a client says, with our tickets, tokens and session ids in place of those of the transcript. */
  const translated = (frame: TranscriptFrame): Buffer => {
    const [verb = '', ...words] = frame.words
    const email = owners.get(frame.connection) ?? ''
    if (verb === 'USR' && words[1] === 'TWN' && words[2] === 'S') words.splice(3, Infinity, service.ticket(email))
    else if (frame.connection.endsWith('.SB') && (verb === 'USR' || verb === 'ANS')) {
      const way = wayIn(words[2]!)
      words[2] = way.token
      if (verb === 'ANS') words[3] = way.session
    } else return frame.bytes
    return Buffer.from([verb, ...words].join(' ') + '\r\n', 'latin1')
  }
  /** The XFR or RNG of ours that stands where the one with this token stands in the transcript. */
  const wayIn = (token: string): { readonly token: string; readonly session: string } => {
    for (const { name, frames } of connections) {
      const theirs = frames.filter(({ from, words }) => from === 'server' && isWayIn(words[0]!, words[2]!))
      const at = theirs.findIndex(({ words }) => words.includes(token))
      if (at === -1) continue
      const ours = served.get(name)?.answers.filter(({ verb, params }) => isWayIn(verb, params[1]!))[at]
      if (ours === undefined) break
      return ours.verb === 'RNG'
        ? { token: ours.params[3]!, session: ours.params[0]! }
        : { token: ours.params[4]!, session: '' }
    }
    throw new Error('nobody was given a way into this switchboard')
  }

  for (let at = 0; at < steps.length; at++) {
    const step = steps[at]!
    switch (step.kind) {
      case 'https':
        break
      case 'connect':
        served.set(step.connection, service.connect(step.connection))
        break
      case 'closed':
        if (step.by === 'client') served.get(step.connection)?.receive(null)
        break
      case 'frame': {
        if (step.from === 'server') break
        const connection = served.get(step.connection)
        let bytes = translated(step)
        if (mode === 'coalesced') {
          // All that this client says until anybody else does anything.
          for (; at + 1 < steps.length; at++) {
            const next = steps[at + 1]!
            if (next.kind !== 'frame') break
            if (next.from === 'server') continue
            if (next.connection !== step.connection || isLast(next)) break
            bytes = Buffer.concat([bytes, translated(next)])
          }
        }
        if (mode === 'byte by byte') for (const byte of bytes) connection?.receive(Uint8Array.of(byte))
        else connection?.receive(bytes)
        break
      }
    }
    await service.settled([...served.values()])
  }
  return { connections: served, accounts: stored }
}

/** Whether the connection ends with it: what the answers to earlier commands are then is a matter of timing. */
const isLast = ({ words, payload }: TranscriptFrame): boolean =>
  words[0] === 'OUT' || (payload?.length ?? 0) > DEFAULT_LIMITS.messageBytes

const isWayIn = (verb: string, second: string): boolean => verb === 'RNG' || (verb === 'XFR' && second === 'SB')

/** A connection of either kind: what a socket would do, at once. */
class Served implements ServedConnection {
  readonly name: string
  readonly answers: Frame[] = []
  closed: CloseReason | undefined
  queued = 0
  readonly remoteAddress = '192.0.2.77'
  readonly remotePort = 1863
  receive: (bytes: Uint8Array | null) => void = () => undefined
  /** What was written has left. */
  flushed: () => void = () => undefined
  readonly #framer = new Framer('server', CLIENT_LIMITS)

  constructor(name: string) {
    this.name = name
  }

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

class Service {
  readonly #notifications: Notifications
  readonly #switchboards: Switchboards
  readonly #tickets: TicketBook
  #count = 0

  constructor(stored: Map<string, AccountRecord>) {
    const random = (bytes: number): Uint8Array =>
      createHash('sha512').update(String(this.#count++)).digest().subarray(0, bytes)
    const common = { limits: DEFAULT_LIMITS, timings: DEFAULT_TIMINGS, now: () => NOW, random }
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
      },
      tickets: this.#tickets,
      switchboards: this.#switchboards,
      addresses: { notification: () => '192.0.2.1:1863', own: () => '192.0.2.1:1863' },
    })
  }

  ticket(email: string): string {
    return this.#tickets.mint(email, NOW)
  }

  connect(name: string): Served {
    const served = new Served(name)
    if (name.endsWith('.SB')) {
      const machine = this.#switchboards.machine(NOW)
      plug(served, machine, (line) => this.#switchboards.attach(line))
    } else {
      const machine = this.#notifications.machine('NS', NOW)
      plug(served, machine, (line) => this.#notifications.attach(line))
    }
    return served
  }

  /** Resolves when nothing is under way, whatever that set off included. */
  async settled(all: readonly Served[]): Promise<void> {
    for (let count = 0; count < 3; count++) {
      await this.#notifications.idle()
      await new Promise(setImmediate)
      for (const served of all) served.flushed()
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
