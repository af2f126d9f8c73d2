/** A notification desk with clients on machines, without sockets: bytes go in, lines come out, time is a number. */
import { Buffer } from 'node:buffer'
import type { CloseReason, Output } from '../../sansio/machine.ts'
import type { Dialect } from '../../msnp/model/dialect.ts'
import { TicketBook } from '../../msnp/auth/tickets.ts'
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMINGS,
  newAccount,
  type AccountRecord,
  type Host,
  type Invitation,
  type ServiceLimits,
  type ServiceNotice,
  type ServiceTimings,
  type SwitchboardDesk,
} from '../../msnp/service/contract.ts'
import { Notifications, type Attachment, type Line } from '../../msnp/service/notification.ts'
import type { NsCommand, NsEvent } from '../../msnp/session/notification-server-events.ts'
import type { NotificationServer } from '../../msnp/session/notification-server.ts'

export const account = (email: string, more: Partial<AccountRecord> = {}): AccountRecord => ({
  ...newAccount(email, email.split('@')[0] ?? email),
  ...more,
})

/** Accounts in memory. `fail` makes the store refuse. */
export class MemoryHost implements Host {
  readonly records = new Map<string, AccountRecord>()
  readonly notices: ServiceNotice[] = []
  readonly saves: (readonly AccountRecord[])[] = []
  fail: 'load' | 'save' | undefined
  /** While set, saves wait for it. */
  gate: Promise<void> | undefined

  constructor(records: readonly AccountRecord[]) {
    for (const record of records) this.records.set(record.email, record)
  }

  verifyPassword(): Promise<'right'> {
    return Promise.resolve('right')
  }

  load(email: string): Promise<AccountRecord | undefined> {
    if (this.fail === 'load') return Promise.reject(new Error('the disk is on fire'))
    return Promise.resolve(this.records.get(email))
  }

  async save(records: readonly AccountRecord[]): Promise<void> {
    await this.gate
    if (this.fail === 'save') throw new Error('the disk is full')
    this.saves.push(records)
    for (const record of records) this.records.set(record.email, record)
  }

  onNotice(notice: ServiceNotice): void {
    this.notices.push(notice)
  }
}

export class FakeSwitchboards implements SwitchboardDesk {
  readonly gone: string[] = []
  down = false
  #count = 0

  open(): Invitation | undefined {
    return this.down ? undefined : { address: '192.0.2.9:1863', ticket: `cki${++this.#count}` }
  }

  signedOut(email: string): void {
    this.gone.push(email)
  }
}

export class DeskWorld {
  readonly host: MemoryHost
  readonly switchboards = new FakeSwitchboards()
  readonly tickets: TicketBook
  readonly desk: Notifications
  now = 1_000_000_000
  #ports = 1863

  constructor(
    records: readonly AccountRecord[] = [
      account('alice@example.com'),
      account('bob@example.com'),
      account('carol@example.com'),
    ],
    limits: Partial<ServiceLimits> = {},
    timings: Partial<ServiceTimings> = {},
  ) {
    const allTimings = { ...DEFAULT_TIMINGS, ...timings }
    let seed = 7
    const random = (bytes: number): Uint8Array =>
      Uint8Array.from({ length: bytes }, () => ((seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) >>> 8) & 0xff)
    this.host = new MemoryHost(records)
    this.tickets = new TicketBook({ lifetimeMs: allTimings.ticketMs, random })
    this.desk = new Notifications({
      host: this.host,
      tickets: this.tickets,
      switchboards: this.switchboards,
      limits: { ...DEFAULT_LIMITS, ...limits },
      timings: allTimings,
      addresses: { notification: () => '192.0.2.5:1863', own: () => '192.0.2.1:1863' },
      site: 'http://home.example',
      now: () => this.now,
      random,
    })
  }

  connect(role: 'NS' | 'DS' = 'NS'): DeskClient {
    return new DeskClient(this, role, this.#ports++)
  }

  /** Signed in; what was said so far is taken. */
  async signIn(email: string, dialect: Dialect = 'MSNP9', product = 'MSMSGS'): Promise<DeskClient> {
    const client = this.connect()
    client.send(`VER 1 ${dialect} CVR0`)
    client.send(`CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 ${product} ${email}`)
    client.send(`USR 3 TWN I ${email}`)
    const answer = await client.ask(`USR 4 TWN S ${this.tickets.mint(email, this.now)}`)
    if (!answer.some((line) => line.startsWith('USR 4 OK'))) throw new Error(`no sign-in: ${answer.join(' | ')}`)
    return client
  }

  /** Signed in, with lists, and NLN. */
  async online(email: string, dialect: Dialect = 'MSNP9', status = 'NLN', product = 'MSMSGS'): Promise<DeskClient> {
    const client = await this.signIn(email, dialect, product)
    client.send('SYN 5 0')
    await client.ask(`CHG 6 ${status} 268435456`)
    return client
  }

  record(email: string): AccountRecord {
    const record = this.host.records.get(email)
    if (record === undefined) throw new Error(`no account ${email}`)
    return record
  }
}

const WITH_PAYLOAD: readonly string[] = ['MSG ', 'UBX ', 'GCF ']

export class DeskClient implements Line {
  readonly remoteAddress = '192.0.2.77'
  readonly remotePort: number
  readonly machine: NotificationServer
  /** Payloads of MSG, in order. */
  readonly messages: string[] = []
  closed: CloseReason | undefined
  readonly #world: DeskWorld
  readonly #attachment: Attachment
  #received = ''

  constructor(world: DeskWorld, role: 'NS' | 'DS', port: number) {
    this.#world = world
    this.remotePort = port
    this.machine = world.desk.machine(role, world.now)
    this.#attachment = world.desk.attach(this, role)
  }

  send(input: string | NsCommand): void {
    if (typeof input !== 'string') this.#run(this.machine.command(input, this.#world.now))
    else this.raw(Buffer.from(`${input}\r\n`, 'utf8'))
  }

  raw(bytes: Uint8Array | null): void {
    this.#run(this.machine.receive(bytes, this.#world.now))
  }

  tick(): void {
    this.#run(this.machine.tick(this.#world.now))
  }

  close(reason: CloseReason = { kind: 'done' }): void {
    if (this.closed !== undefined) return
    this.closed = reason
    this.#attachment.closed()
  }

  /** The line goes out; what came back until nothing is under way, with what was not taken before. */
  async ask(line: string): Promise<readonly string[]> {
    this.send(line)
    await this.#world.desk.idle()
    return this.take()
  }

  /** Lines that came since the last time. Payloads of MSG go to `messages`, those of UBX and GCF stand behind their lines. */
  take(): readonly string[] {
    const lines: string[] = []
    while (this.#received !== '') {
      const end = this.#received.indexOf('\r\n')
      const line = this.#received.slice(0, end)
      this.#received = this.#received.slice(end + 2)
      const verb = line.slice(0, 4)
      const length = WITH_PAYLOAD.includes(verb) ? Number(line.split(' ').at(-1)) : 0
      const payload = this.#received.slice(0, length)
      this.#received = this.#received.slice(length)
      if (verb === 'MSG ') this.messages.push(payload)
      lines.push(length === 0 || verb === 'MSG ' ? line : `${line} ${payload}`)
    }
    return lines
  }

  #run(outputs: readonly Output<NsEvent>[]): void {
    for (const output of outputs) {
      if (this.closed !== undefined) return
      switch (output.kind) {
        case 'write':
          this.#received += Buffer.from(output.bytes).toString('latin1')
          break
        case 'event':
          this.#attachment.event(output.event)
          break
        case 'close':
          this.close(output.reason)
          break
      }
    }
  }
}
