import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Watch } from '../../kit/watch.ts'

/** What one client of the fake server looks like from inside. */
export class FakeClient {
  readonly lines: string[] = []
  nick = '*'
  user = 'u'
  registered = false
  negotiating = false
  caps = new Set<string>()
  readonly socket: Socket
  constructor(socket: Socket) {
    this.socket = socket
  }
  get mask(): string {
    return `${this.nick}!${this.user}@client.example`
  }
  send(line: string): void {
    if (!this.socket.destroyed) this.socket.write(`${line}\r\n`)
  }
}

export interface FakeIrcdOptions {
  readonly caps?: readonly string[]
  readonly isupport?: readonly string[]
  /** account -> password */
  readonly accounts?: Readonly<Record<string, string>>
}

/**
 * An IRC server that does just what a client of a bot needs, and fails on command: `on` sees each line first and may
 * answer for itself by returning true.
 */
export class FakeIrcd {
  readonly #options: FakeIrcdOptions
  readonly #server: Server
  readonly clients: FakeClient[] = []
  readonly #watch = new Watch()
  on: (client: FakeClient, verb: string, params: readonly string[], line: string) => boolean = () => false
  /** Accept and say nothing. */
  silent = false

  constructor(options: FakeIrcdOptions = {}) {
    this.#options = options
    this.#server = createServer((socket) => this.#accept(socket))
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const { socket } of this.clients) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  get client(): FakeClient {
    const client = this.clients.at(-1)
    if (client === undefined) throw new Error('nobody has connected')
    return client
  }

  /** Resolves with the first line, of any client, that matches; from the `after`-th match on. */
  seen(pattern: RegExp, after = 0): Promise<string> {
    return this.until(() => this.all.filter((line) => pattern.test(line))[after])
  }

  get all(): readonly string[] {
    return this.clients.flatMap((client) => client.lines)
  }

  until<Result>(ask: () => Result | undefined | false): Promise<Result> {
    return this.#watch.until(ask)
  }

  #accept(socket: Socket): void {
    const client = new FakeClient(socket)
    this.clients.push(client)
    let rest = ''
    socket.setEncoding('utf8')
    socket.on('error', () => undefined)
    socket.on('close', () => this.#watch.changed())
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        client.lines.push(line)
        this.#line(client, line)
      }
      this.#watch.changed()
    })
    this.#watch.changed()
  }

  #line(client: FakeClient, line: string): void {
    if (this.silent) return
    const [, tags = '', rest = ''] = /^(@\S* )?(.*)$/.exec(line) ?? []
    const colon = rest.indexOf(' :')
    const words = (colon < 0 ? rest : rest.slice(0, colon)).split(' ')
    const [verb = '', ...params] = colon < 0 ? words : [...words, rest.slice(colon + 2)]
    const label = /label=([^; ]+)/.exec(tags)?.[1]
    if (this.on(client, verb, params, line)) return
    const [first = '', second = ''] = params
    switch (verb) {
      case 'CAP': {
        this.#cap(client, first, second)
        return
      }
      case 'AUTHENTICATE': {
        this.#authenticate(client, first)
        return
      }
      case 'NICK': {
        if (client.registered) client.send(`:${client.mask} NICK :${first}`)
        client.nick = first
        this.#welcome(client)
        return
      }
      case 'USER':
        client.user = first
        {
          this.#welcome(client)
          return
        }
      case 'PING': {
        client.send(`:irc.example PONG irc.example :${first}`)
        return
      }
      case 'JOIN':
        client.send(`:${client.mask} JOIN :${first}`)
        {
          client.send(`:irc.example 366 ${client.nick} ${first} :End of /NAMES list.`)
          return
        }
      case 'PRIVMSG':
      case 'NOTICE':
        if (client.caps.has('echo-message')) {
          const tag = label === undefined ? '' : `@label=${label};msgid=id-${label} `
          client.send(`${tag}:${client.mask} ${verb} ${first} :${second}`)
        }
        return
      case 'QUIT':
        client.send('ERROR :Closing link: (quit)')
        client.socket.end()
        return
    }
  }

  #cap(client: FakeClient, verb: string, list: string): void {
    if (verb === 'LS') {
      client.negotiating = true
      client.send(`:irc.example CAP * LS :${(this.#options.caps ?? []).join(' ')}`)
    } else if (verb === 'REQ') {
      for (const cap of list.split(' ')) client.caps.add(cap)
      client.send(`:irc.example CAP * ACK :${list}`)
    } else if (verb === 'END') {
      client.negotiating = false
      this.#welcome(client)
    }
  }

  #authenticate(client: FakeClient, data: string): void {
    if (data === 'PLAIN' || data === 'EXTERNAL') {
      client.send('AUTHENTICATE +')
      return
    }
    const [, account = '', password = ''] = Buffer.from(data, 'base64').toString().split('\0')
    if (this.#options.accounts?.[account] !== undefined && this.#options.accounts[account] === password) {
      client.send(`:irc.example 900 * ${client.mask} ${account} :You are now logged in as ${account}`)
      client.send(':irc.example 903 * :SASL authentication successful')
    } else client.send(':irc.example 904 * :SASL authentication failed')
  }

  #welcome(client: FakeClient): void {
    if (client.registered || client.negotiating || client.nick === '*' || client.user === 'u') return
    client.registered = true
    const { nick } = client
    client.send(`:irc.example 001 ${nick} :Welcome ${client.mask}`)
    for (const token of this.#options.isupport ?? []) client.send(`:irc.example 005 ${nick} ${token} :are supported`)
    client.send(`:irc.example 422 ${nick} :MOTD File is missing`)
  }
}
