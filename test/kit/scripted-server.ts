/** A server of any kind that says what a test tells it to: for what no decent server would do. */
import { once } from 'node:events'
import https from 'node:https'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { makeCertificate } from '../../msnp/io/certificate.ts'

const DEADLINE_MS = 5_000

/** One client of it. */
export class Guest {
  readonly socket: Socket
  /** Everything it ever said, with its line ends. */
  heard = ''
  #read = 0
  #wake: (() => void)[] = []
  ended = false

  constructor(socket: Socket) {
    this.socket = socket
    const notify = (): void => this.#wake.splice(0).forEach((wake) => wake())
    socket.on('data', (chunk) => {
      this.heard += chunk.toString('utf8')
      notify()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.ended = true
      notify()
    })
  }

  says(...lines: readonly string[]): this {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(''))
    return this
  }

  raw(bytes: string): this {
    this.socket.write(bytes)
    return this
  }

  /** The next line, which must match; lines are taken in order. */
  async hears(line: string | RegExp): Promise<string> {
    const until = Date.now() + DEADLINE_MS
    for (;;) {
      const end = this.heard.indexOf('\r\n', this.#read)
      if (end !== -1) {
        const said = this.heard.slice(this.#read, end)
        this.#read = end + 2
        if (typeof line === 'string' ? said === line : line.test(said)) return said
        throw new Error(`it said ${JSON.stringify(said)} and not ${String(line)}`)
      }
      if (this.ended || Date.now() >= until) {
        throw new Error(`${this.ended ? 'it ended' : 'it said nothing'} and not ${String(line)}`)
      }
      await this.#change(until - Date.now())
    }
  }

  /** Bytes that follow a line, such as the payload of MSG. */
  async bytes(length: number): Promise<string> {
    const until = Date.now() + DEADLINE_MS
    while (this.heard.length - this.#read < length) {
      if (this.ended || Date.now() >= until) throw new Error('the payload did not come')
      await this.#change(until - Date.now())
    }
    this.#read += length
    return this.heard.slice(this.#read - length, this.#read)
  }

  async end(): Promise<void> {
    const until = Date.now() + DEADLINE_MS
    while (!this.ended) {
      if (Date.now() >= until) throw new Error('it did not end')
      await this.#change(until - Date.now())
    }
  }

  /** VER, CVR, USR, ticket, lists and CHG, each checked. */
  async signsIn(email: string, lists: readonly string[] = []): Promise<this> {
    await this.authenticates(email)
    const trid = (await this.hears(/^SYN \d+ 0$/)).split(' ')[1] ?? ''
    const count = lists.filter((line) => line.startsWith('LST')).length
    this.says(`SYN ${trid} 27 ${count} 0`, ...lists)
    await this.chooses(/^\w+$/)
    return this
  }

  /** Up to and with the ticket. */
  async authenticates(email: string): Promise<this> {
    const ver = await this.hears(/^VER \d+ (?:MSNP\d+ )+CVR0$/)
    const first = Number(ver.split(' ')[1])
    this.says(`VER ${first} MSNP9`)
    await this.hears(/^CVR \d+ 0x0409 winnt 5\.1 i386 MSNMSGR /)
    this.says(`CVR ${first + 1} 6.0.0602 6.0.0602 6.0.0602 http://example.com http://example.com`)
    await this.hears(`USR ${first + 2} TWN I ${email}`)
    this.says(`USR ${first + 2} TWN S lc=1033,id=507`)
    await this.hears(/^USR \d+ TWN S \S+$/)
    this.says(`USR ${first + 3} OK ${email} Alice 1 0`)
    return this
  }

  /** CHG, confirmed. */
  async chooses(status: RegExp): Promise<this> {
    const words = (await this.hears(/^CHG \d+ \w+ \d+$/)).split(' ')
    if (!status.test(words[2] ?? '')) throw new Error(`it chose ${String(words[2])}`)
    return this.says(words.join(' '))
  }

  async #change(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake.push(resolve)
      timer = setTimeout(resolve, ms)
    })
    clearTimeout(timer)
  }
}

/** A TCP server at 127.0.0.1; each connection is taken up with `guest`. */
export class ScriptedServer {
  readonly #server: Server
  readonly #guests: Guest[] = []
  readonly #waiting: ((guest: Guest) => void)[] = []
  readonly #all: Guest[] = []

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      const guest = new Guest(socket)
      this.#all.push(guest)
      const next = this.#waiting.shift()
      if (next === undefined) this.#guests.push(guest)
      else next(guest)
    })
  }

  static async start(): Promise<ScriptedServer> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new ScriptedServer(server)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: this.port }
  }

  get place(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Connections so far. */
  get visits(): number {
    return this.#all.length
  }

  /** The next connection, which may have come already. */
  guest(): Promise<Guest> {
    const guest = this.#guests.shift()
    if (guest !== undefined) return Promise.resolve(guest)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nobody connected')), DEADLINE_MS)
      this.#waiting.push((next) => {
        clearTimeout(timer)
        resolve(next)
      })
    })
  }

  async stop(): Promise<void> {
    for (const { socket } of this.#all) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

export interface WebAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Never answered. */
  readonly silent?: boolean
}

/** A web server with a certificate of its own that answers each request as the test says. */
export class ScriptedWeb {
  readonly #server: https.Server
  /** PEM: the authority that its clients have to trust. */
  readonly ca: string
  readonly requests: { readonly path: string; readonly authorization: string | undefined; body: string }[] = []
  answer: (path: string, authorization: string | undefined) => WebAnswer = () => ({ status: 404 })

  private constructor(server: https.Server, ca: string) {
    this.#server = server
    this.ca = ca
    server.on('request', (request, response) => {
      const path = request.url ?? ''
      const { authorization } = request.headers
      const seen = { path, authorization, body: '' }
      this.requests.push(seen)
      request.setEncoding('utf8').on('data', (chunk: string) => (seen.body += chunk))
      request.on('end', () => {
        const { status, headers = {}, body, silent = false } = this.answer(path, authorization)
        if (!silent) response.writeHead(status, headers).end(body)
      })
    })
  }

  static async start(): Promise<ScriptedWeb> {
    const { key, cert } = await makeCertificate(['127.0.0.1', 'localhost'], Date.now())
    const server = https.createServer({ key, cert })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new ScriptedWeb(server, cert)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  url(path: string, host = '127.0.0.1'): string {
    return `https://${host}:${this.port}${path}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

export const ticketAnswer = (ticket = 't=abc&p='): WebAnswer => ({
  status: 200,
  headers: { 'Authentication-Info': `Passport1.4 da-status=success,tname=MSPAuth,from-PP='${ticket}',ru=http://x` },
})
