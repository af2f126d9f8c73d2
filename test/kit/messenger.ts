/**
 * A classic Messenger as the wire sees it, written against the protocol and not against our library, so that the two
 * check each other. Every wait has a deadline and says what it waited for.
 */
import { once } from 'node:events'
import https from 'node:https'
import http from 'node:http'
import net from 'node:net'

export interface Received {
  /** Without its line end, bytes read as UTF-8. */
  readonly line: string
  readonly words: readonly string[]
  /** Bytes read as UTF-8; '' where there is none. */
  readonly payload: string
  /** The payload as it came. */
  readonly bytes: Buffer
}

const WITH_PAYLOAD = new Set(['MSG', 'NOT', 'UBX', 'IPG', 'GCF'])
export const DEADLINE_MS = 10_000

/** One connection to any of the servers. */
export class Wire {
  readonly #socket: net.Socket
  /** Everything that ever came, for messages and for assertions about what did not come. */
  readonly received: Received[] = []
  #unread: Received[] = []
  #buffer = Buffer.alloc(0)
  #wake: (() => void)[] = []
  ended = false

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      this.#parse()
    })
    const end = (): void => {
      this.ended = true
      this.#notify()
    }
    socket.on('end', end).on('close', end).on('error', end)
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<Wire> {
    const socket = net.connect({ port, host, noDelay: true })
    await once(socket, 'connect')
    return new Wire(socket)
  }

  /** Sends a line; with a payload, its length is added. */
  send(line: string, payload?: string | Buffer): void {
    if (payload === undefined) this.#socket.write(`${line}\r\n`)
    else {
      const bytes = Buffer.from(payload)
      this.#socket.write(Buffer.concat([Buffer.from(`${line} ${bytes.length}\r\n`), bytes]))
    }
  }

  raw(bytes: string | Buffer): void {
    this.#socket.write(bytes)
  }

  /** The first unread line that fits; it alone counts as read. */
  async next(fits: string | RegExp | ((received: Received) => boolean), ms = DEADLINE_MS): Promise<Received> {
    const test =
      typeof fits === 'function'
        ? fits
        : typeof fits === 'string'
          ? (received: Received) => received.line === fits || received.line.startsWith(`${fits} `)
          : (received: Received) => fits.test(received.line)
    const until = Date.now() + ms
    for (;;) {
      const at = this.#unread.findIndex(test)
      const [found] = at === -1 ? [] : this.#unread.splice(at, 1)
      if (found !== undefined) return found
      const left = until - Date.now()
      if (this.ended || left <= 0) {
        throw new Error(
          `${this.ended ? 'the connection ended' : 'nothing came'} while waiting for ${String(fits)}; last lines:\n${this.received
            .slice(-8)
            .map((received) => `  ${received.line}`)
            .join('\n')}`,
        )
      }
      await this.#change(left)
    }
  }

  /** Resolves when the other side has hung up. */
  async end(ms = DEADLINE_MS): Promise<void> {
    const until = Date.now() + ms
    while (!this.ended) {
      if (Date.now() >= until) throw new Error('the connection is still open')
      await this.#change(until - Date.now())
    }
  }

  /** Ends politely. */
  close(): void {
    this.#socket.end()
  }

  /** The cable is pulled: RST, no goodbye. */
  kill(): void {
    this.#socket.resetAndDestroy()
  }

  /** Reads nothing more until `resume`. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  async #change(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake.push(resolve)
      timer = setTimeout(resolve, ms)
    })
    clearTimeout(timer)
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = []
    for (const resolve of wake) resolve()
  }

  #parse(): void {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n')
      if (end === -1) break
      const line = this.#buffer.subarray(0, end).toString()
      const words = line.split(' ')
      const length = WITH_PAYLOAD.has(words[0]!) ? Number(words.at(-1)) : 0
      if (this.#buffer.length < end + 2 + length) break
      const bytes = this.#buffer.subarray(end + 2, end + 2 + length)
      const payload = bytes.toString()
      this.#buffer = this.#buffer.subarray(end + 2 + length)
      const received = { line, words, payload, bytes }
      this.received.push(received)
      this.#unread.push(received)
    }
    this.#notify()
  }
}

export interface Where {
  readonly notification: number
  readonly passport: number
  /** Plain HTTP instead of HTTPS. */
  readonly plain?: boolean
}

/** The ticket for an account, as the login page gives it. Rejects with the status when it gives none. */
export async function passportTicket(where: Where, email: string, password: string, policy: string): Promise<string> {
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: where.passport,
      path: '/login2.srf',
      agent: false,
      rejectUnauthorized: false,
      headers: {
        Authorization: `Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in=${encodeURIComponent(email)},pwd=${encodeURIComponent(password)},${policy}`,
      },
    }
    ;(where.plain === true ? http : https).get(options, resolve).on('error', reject)
  })
  answer.resume()
  const ticket = /from-PP='([^']*)'/.exec(String(answer.headers['authentication-info'] ?? ''))?.[1]
  if (answer.statusCode !== 200 || ticket === undefined) throw new Error(`login answered ${answer.statusCode}`)
  return ticket
}

export interface SignInOptions {
  readonly dialect?: 'MSNP8' | 'MSNP9' | 'MSNP10' | 'MSNP11' | 'MSNP12'
  readonly status?: string
  /** What it calls itself. */
  readonly product?: string
}

/** Somebody signed in, with a contact list that lets everybody in by default. */
export class Messenger {
  readonly ns: Wire
  readonly email: string
  #trid = 100
  readonly #rooms: Room[] = []

  /** From MSNP10 on. */
  readonly #keyed: boolean

  private constructor(ns: Wire, email: string, keyed: boolean) {
    this.ns = ns
    this.email = email
    this.#keyed = keyed
  }

  static async signIn(where: Where, email: string, password: string, options: SignInOptions = {}): Promise<Messenger> {
    const ns = await Wire.connect(where.notification)
    const dialect = options.dialect ?? 'MSNP9'
    ns.send(`VER 1 ${dialect} CVR0`)
    await ns.next(`VER 1 ${dialect}`)
    ns.send(`CVR 2 0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 ${options.product ?? 'MSMSGS'} ${email}`)
    await ns.next('CVR 2')
    ns.send(`USR 3 TWN I ${email}`)
    const policy = (await ns.next('USR 3 TWN S')).words.slice(4).join(' ')
    ns.send(`USR 4 TWN S ${await passportTicket(where, email, password, policy)}`)
    await ns.next('USR 4 OK')
    const keyed = Number(dialect.slice(4)) >= 10
    const messenger = new Messenger(ns, email, keyed)
    ns.send(keyed ? 'SYN 5 0 0' : 'SYN 5 0')
    const sync = await ns.next('SYN 5')
    for (let left = Number(sync.words[keyed ? 4 : 3] ?? 0); left > 0; left--) await ns.next('LST')
    await messenger.status(options.status ?? 'NLN')
    return messenger
  }

  get trid(): number {
    return ++this.#trid
  }

  /** `picture`: the description of a display picture, as XML. */
  async status(code: string, picture?: string): Promise<void> {
    const trid = this.trid
    this.ns.send(`CHG ${trid} ${code} 268435456${picture === undefined ? '' : ` ${encodeURIComponent(picture)}`}`)
    await this.ns.next(`CHG ${trid} ${code}`)
  }

  /** What stands beside the name, as XML; from MSNP11 on. */
  async says(data: string): Promise<void> {
    const trid = this.trid
    this.ns.send(`UUX ${trid}`, data)
    await this.ns.next(`UUX ${trid} 0`)
  }

  /** Sends a command and gives its answer, an error included. */
  async ask(verb: string, ...params: string[]): Promise<Received> {
    const trid = String(this.trid)
    this.ns.send([verb, trid, ...params].join(' '))
    return this.ns.next((received) => received.words[1] === trid)
  }

  async add(email: string): Promise<void> {
    if (this.#keyed) {
      await this.ask('ADC', 'AL', `N=${email}`)
      await this.ask('ADC', 'FL', `N=${email}`, `F=${email}`)
      return
    }
    await this.ask('ADD', 'AL', email, email)
    await this.ask('ADD', 'FL', email, email, '0')
  }

  /** Opens a switchboard and invites people, in order; resolves when all have joined. */
  async call(...emails: string[]): Promise<Room> {
    const answer = await this.ask('XFR', 'SB')
    if (answer.words[0] !== 'XFR') throw new Error(`XFR was answered ${answer.line}`)
    const room = await Room.enter(answer.words[3]!, `USR 1 ${this.email} ${answer.words[5]!}`, 'USR 1 OK')
    this.#rooms.push(room)
    for (const email of emails) await room.invite(email)
    return room
  }

  /** Waits for an invitation and accepts it. */
  async answer(ms?: number): Promise<Room> {
    const ring = await this.ns.next('RNG', ms)
    const [, session, address, , ticket] = ring.words
    const room = await Room.enter(address!, `ANS 1 ${this.email} ${ticket!} ${session!}`, 'ANS 1 OK')
    this.#rooms.push(room)
    return room
  }

  /** Signs out and leaves all rooms. */
  signOut(): void {
    for (const room of this.#rooms) room.wire.close()
    this.ns.send('OUT')
    this.ns.close()
  }
}

/** One switchboard connection. */
export class Room {
  readonly wire: Wire
  #trid = 1

  private constructor(wire: Wire) {
    this.wire = wire
  }

  static async enter(address: string, hello: string, welcome: string): Promise<Room> {
    const wire = await Wire.connect(Number(address.slice(address.lastIndexOf(':') + 1)))
    wire.send(hello)
    await wire.next(welcome)
    return new Room(wire)
  }

  async invite(email: string): Promise<void> {
    const trid = ++this.#trid
    this.wire.send(`CAL ${trid} ${email}`)
    const answer = await this.wire.next((received) => received.words[1] === String(trid))
    if (answer.words[2] !== 'RINGING') throw new Error(`CAL was answered ${answer.line}`)
    await this.wire.next(`JOI ${email}`)
  }

  /** Sends a MIME payload; gives the transaction id. */
  send(payload: string | Buffer, ack: 'U' | 'N' | 'A' | 'D' = 'A'): number {
    const trid = ++this.#trid
    this.wire.send(`MSG ${trid} ${ack}`, payload)
    return trid
  }

  /** Sends text; gives the transaction id. */
  text(body: string, ack: 'U' | 'N' | 'A' | 'D' = 'A', format = 'FN=Arial; EF=; CO=0; CS=0; PF=0'): number {
    return this.send(
      `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nX-MMS-IM-Format: ${format}\r\n\r\n${body}`,
      ack,
    )
  }

  typing(email: string): void {
    this.send(`MIME-Version: 1.0\r\nContent-Type: text/x-msmsgscontrol\r\nTypingUser: ${email}\r\n\r\n\r\n`, 'U')
  }

  async acked(trid: number): Promise<void> {
    await this.wire.next(`ACK ${trid}`)
  }

  /** The body of the next text message, and who said it. */
  async heard(ms?: number): Promise<{ readonly from: string; readonly text: string; readonly payload: string }> {
    const received = await this.wire.next(
      (line) => line.words[0] === 'MSG' && /\r\nContent-Type: text\/plain/i.test(line.payload),
      ms,
    )
    const cut = received.payload.indexOf('\r\n\r\n')
    return { from: received.words[1]!, text: received.payload.slice(cut + 4), payload: received.payload }
  }

  leave(): void {
    this.wire.send('OUT')
    this.wire.close()
  }
}
