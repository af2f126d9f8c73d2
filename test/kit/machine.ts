/** A machine on a virtual line: what the server says goes in as text, what the machine says comes out as text. */
import { Buffer } from 'node:buffer'
import type { CloseReason, Machine, Output } from '../../sansio/machine.ts'

export class MachineBench<Command, Event extends { readonly kind: string }> {
  readonly machine: Machine<Command, Event>
  /** Everything the machine has written, as UTF-8. */
  written = ''
  readonly events: Event[] = []
  closed: CloseReason | undefined
  now: number
  #read = 0

  constructor(machine: Machine<Command, Event>, now = 1_000_000) {
    this.machine = machine
    this.now = now
  }

  /** Lines of the server, without their ends. */
  says(...lines: readonly string[]): this {
    return this.bytes(lines.map((line) => `${line}\r\n`).join(''))
  }

  /** Bytes of the server; text is UTF-8. */
  bytes(bytes: string | Uint8Array): this {
    return this.#take(this.machine.receive(Buffer.from(bytes as string), this.now))
  }

  hangsUp(): this {
    return this.#take(this.machine.receive(null, this.now))
  }

  does(command: Command): this {
    return this.#take(this.machine.command(command, this.now))
  }

  /** Lets time pass and wakes the machine whenever it wants to be woken. */
  passes(ms: number): this {
    const end = this.now + ms
    for (let turns = 0; turns < 10_000; turns++) {
      const at = this.machine.wakeAt
      if (at === undefined || at > end) break
      this.now = Math.max(this.now, at)
      this.#take(this.machine.tick(this.now))
    }
    this.now = end
    return this
  }

  /** What the machine has written since the last time it was asked; lines divided by |. */
  get said(): string {
    const said = this.written.slice(this.#read)
    this.#read = this.written.length
    return said.replace(/\r\n$/, '').replaceAll('\r\n', '|')
  }

  /** What was said so far is not asked for. */
  forget(): this {
    this.#read = this.written.length
    return this
  }

  heard<Kind extends Event['kind']>(kind: Kind): Extract<Event, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<Event, { kind: Kind }> => event.kind === kind)
  }

  #take(outputs: readonly Output<Event>[]): this {
    for (const output of outputs) {
      if (this.closed !== undefined) throw new Error(`something came after the close: ${JSON.stringify(output)}`)
      if (output.kind === 'write') this.written += Buffer.from(output.bytes).toString('utf8')
      else if (output.kind === 'event') this.events.push(output.event)
      else this.closed = output.reason
    }
    return this
  }
}
