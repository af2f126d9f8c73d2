/** One IRC connection: a machine on a socket, and whom it belongs to. */
import type { Socket } from 'node:net'
import { drive, type Driven, type DriveOptions } from '../../sansio/drive.ts'
import type { CloseReason } from '../../sansio/machine.ts'
import { takenIntoAnswer } from './commands/labels.ts'
import type { IrcdCommand, IrcdEvent } from './machine/ircd-events.ts'
import type { IrcdMachine } from './machine/ircd.ts'
import type { ClientPort, PersonPort } from './types.ts'
import type { Cap } from './wire/caps.ts'
import type { ServerMessage } from './wire/message.ts'

/** What stands behind all clients. */
export interface Desk {
  event(client: Client, event: IrcdEvent): void
  /** Exactly once. */
  closed(client: Client, reason: CloseReason): void
  now(): number
}

export class Client implements ClientPort, DriveOptions<IrcdEvent> {
  readonly tls: boolean
  readonly localAddress: string | undefined
  readonly connectedAt: number
  /** The peer's address. */
  readonly host: string
  readonly #desk: Desk
  readonly #machine: IrcdMachine
  readonly #driven: Driven<IrcdCommand>
  #person: PersonPort | undefined
  /** Absent: as it said itself when it registered. */
  #realname: string | undefined
  #activeAt: number

  constructor(socket: Socket, host: string, tls: boolean, machine: IrcdMachine, desk: Desk) {
    const now = desk.now()
    this.tls = tls
    this.localAddress = socket.localAddress
    this.host = host
    this.connectedAt = now
    this.#activeAt = now
    this.#desk = desk
    this.#machine = machine
    this.#driven = drive(socket, machine, this)
  }

  get nick(): string {
    return this.#machine.nick
  }

  get mask(): string {
    return this.#machine.mask
  }

  get username(): string {
    return this.#machine.username
  }

  get realname(): string {
    return this.#realname ?? this.#machine.realname
  }

  setRealname(realname: string): void {
    this.#realname = realname
  }

  get caps(): ReadonlySet<Cap> {
    return this.#machine.caps
  }

  get activeAt(): number {
    return this.#activeAt
  }

  get person(): PersonPort | undefined {
    return this.#person
  }

  /** They are who they say. */
  belongsTo(person: PersonPort | undefined): void {
    this.#person = person
  }

  /** Its user did something. */
  active(): void {
    this.#activeAt = this.#desk.now()
  }

  send(...messages: readonly ServerMessage[]): void {
    if (!takenIntoAnswer(this, messages)) this.command({ kind: 'send', messages })
  }

  numeric(code: string, ...params: readonly string[]): void {
    this.send({ verb: code, params: [this.nick === '' ? '*' : this.nick, ...params] })
  }

  rename(nick: string): void {
    if (nick === this.nick) return
    const told = takenIntoAnswer(this, [{ source: this.mask, verb: 'NICK', params: [nick] }])
    this.command({ kind: 'rename', nick, told })
  }

  close(reason: string): void {
    this.command({ kind: 'close', reason })
  }

  command(command: IrcdCommand): void {
    this.#driven.command(command)
  }

  get closed(): boolean {
    return this.#driven.closed
  }

  now(): number {
    return this.#desk.now()
  }

  onEvent(event: IrcdEvent): void {
    this.#desk.event(this, event)
  }

  onClose(reason: CloseReason): void {
    this.#desk.closed(this, reason)
  }
}

/** IPv4 as people write it; an address that begins with a colon would be read as words. */
export const addressOf = (socket: Pick<Socket, 'remoteAddress'>): string => {
  const address = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '')
  return address.startsWith(':') ? `0${address}` : address
}
