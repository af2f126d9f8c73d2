/** An IRC client at our machine, with a clock that stands still, and somebody above who answers at once. */
import { IrcdMachine } from '../../../../adapters/irc-gateway/machine/ircd.ts'
import {
  IRCD_LIMITS,
  type IrcdCommand,
  type IrcdEvent,
  type IrcdLimits,
  type IrcdOptions,
} from '../../../../adapters/irc-gateway/machine/ircd-events.ts'
import type { CloseReason, Output } from '../../../../sansio/machine.ts'

type Check = (event: Extract<IrcdEvent, { kind: 'credentials' }>) => IrcdCommand

export interface BenchOptions extends Partial<Omit<IrcdOptions, 'limits'>> {
  readonly limits?: Partial<IrcdLimits>
  /** What is said to credentials; absent: nothing, until `command` does. */
  readonly check?: Check
}

export const SECRET = 'correct horse'

/** Whoever knows the password is who they say, under the nick they have chosen. */
export const checked: Check = ({ account, password }) =>
  password === SECRET
    ? { kind: 'authenticated', account, nick: '' }
    : { kind: 'rejected', detail: 'Wrong password', retry: true }

export class ClientBench {
  readonly machine: IrcdMachine
  readonly events: IrcdEvent[] = []
  closed: CloseReason | undefined
  now = 0
  /** What happened, in order: lines that were written, and the kinds of events. */
  readonly trace: string[] = []
  readonly #check: Check | undefined
  #unread = ''

  constructor({ check, limits, ...options }: BenchOptions = {}) {
    this.#check = check
    this.machine = new IrcdMachine(
      {
        server: 'gw',
        network: 'MSN',
        version: 'msn-bridge-1',
        createdAt: 0,
        ownNicks: new Set(['root']),
        address: '127.0.0.1',
        motd: [],
        tls: false,
        ...options,
        limits: { ...IRCD_LIMITS, ...limits },
      },
      0,
    )
  }

  say(...lines: readonly string[]): this {
    return this.bytes(Buffer.from(lines.map((line) => `${line}\r\n`).join('')))
  }

  bytes(bytes: Uint8Array | null): this {
    return this.#run(this.machine.receive(bytes, this.now))
  }

  command(command: IrcdCommand): this {
    return this.#run(this.machine.command(command, this.now))
  }

  /** Lets time pass, waking the machine whenever it wants to be. */
  wait(ms: number): this {
    const end = this.now + ms
    for (;;) {
      const at = this.machine.wakeAt
      if (at === undefined || at > end) break
      this.now = Math.max(this.now, at)
      this.#run(this.machine.tick(this.now))
    }
    this.now = end
    return this
  }

  /** Lines since the last call. */
  read(): readonly string[] {
    const lines = this.#unread.split('\r\n')
    this.#unread = lines.pop() ?? ''
    return lines
  }

  /** "VERB param|param" of every `line` so far. */
  get lines(): readonly string[] {
    return this.events.flatMap((event) =>
      event.kind === 'line' ? [`${event.line.verb} ${event.line.params.join('|')}`] : [],
    )
  }

  kinds(): readonly string[] {
    return this.events.map(({ kind }) => kind)
  }

  #run(outputs: readonly Output<IrcdEvent>[]): this {
    for (const output of outputs) {
      switch (output.kind) {
        case 'write': {
          const text = Buffer.from(output.bytes).toString()
          this.#unread += text
          this.trace.push(...text.split('\r\n').slice(0, -1))
          break
        }
        case 'event':
          this.events.push(output.event)
          this.trace.push(`[${JSON.stringify(output.event, (_, value: unknown) => plainOf(value))}]`)
          if (output.event.kind === 'credentials' && this.#check !== undefined) this.command(this.#check(output.event))
          break
        case 'close':
          this.closed = output.reason
          this.trace.push(`<${JSON.stringify(output.reason)}>`)
          break
      }
    }
    return this
  }
}

const plainOf = (value: unknown): unknown =>
  value instanceof Map ? Object.fromEntries(value) : value instanceof Set ? [...(value as Set<unknown>)] : value

/** Somebody who is in, with what they were told on the way read. */
export const inside = (caps = '', options: BenchOptions = {}): ClientBench => {
  const bench = new ClientBench(options)
  if (caps !== '') bench.say(`CAP REQ :${caps}`, 'CAP END')
  bench.say('NICK alice', 'USER alice 0 * :Alice')
  bench.read()
  bench.events.length = 0
  bench.trace.length = 0
  return bench
}
