import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { GatewayClient, type GatewayClientAnswer, type GatewayClientOutput } from '../session/gateway-client.ts'
import { GATEWAY_CONTENT_TYPE, GATEWAY_HEADER } from '../session/gateway-session.ts'
import { publicLookup } from './connect.ts'
import { isPrivateAddress } from './hosts.ts'
import { Tunnel } from './tunnel.ts'

/** Bytes of one request's body. */
const MAX_REQUEST_BYTES = 16 * 1024
/** Bytes of one answer's body. */
export const MAX_ANSWER_BYTES = 1024 * 1024
const MAX_HEADER_BYTES = 16 * 1024
/** How much longer the pause between two polls may get. */
const SLOWEST = 4

export interface HttpTunnelOptions {
  /** http or https, with any path: that of the gateway is put in its place. */
  readonly gateway: URL
  readonly server: 'NS' | 'SB'
  /** Where the gateway shall connect us to. */
  readonly host: string
  readonly pollMs: number
  /** One request. Milliseconds. */
  readonly timeoutMs: number
  /** Whether the gateway may send us to a private address. Default: only when it has one itself. */
  readonly allowPrivate: boolean | undefined
  readonly ca?: string | undefined
  readonly insecure?: boolean | undefined
  readonly now: () => number
}

/**
 * A connection through an HTTP gateway, for a machine like any other. It never fails at once: what is wrong with the
 * gateway ends it as a lost connection, with words. Source: docs/protocol.md, HTTP gateway.
 */
export function openHttpTunnel(options: HttpTunnelOptions): Tunnel {
  return new HttpTunnel(options).tunnel
}

class HttpTunnel {
  readonly tunnel: Tunnel
  readonly #options: HttpTunnelOptions
  readonly #client: GatewayClient
  readonly #agent: http.Agent
  #url: URL
  /** The gateway sent us there; undefined: we are where we were told to go. */
  #sentTo: string | undefined
  #allowPrivate: boolean | undefined
  #asking: http.ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: HttpTunnelOptions) {
    const { gateway, server, host, pollMs } = options
    this.#options = options
    this.#url = gateway
    this.#allowPrivate = options.allowPrivate
    const settings = { keepAlive: true, maxSockets: 1 }
    this.#agent = gateway.protocol === 'https:' ? new https.Agent(settings) : new http.Agent(settings)
    this.#client = new GatewayClient({
      server,
      host,
      pollMs,
      maxPollMs: pollMs * SLOWEST,
      maxBody: MAX_REQUEST_BYTES,
    })
    this.tunnel = new Tunnel({
      remoteAddress: '',
      localAddress: '',
      localPort: 0,
      onWritten: (bytes) => this.#run(this.#client.write(bytes)),
      onEnded: () => {
        if (this.tunnel.destroyed) this.#run(this.#client.failed('cut off'))
        else this.#run(this.#client.end())
      },
    })
  }

  #run(outputs: readonly GatewayClientOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'ask':
          this.#ask(output.path, output.body, true)
          break
        case 'received':
          this.tunnel.receive(Buffer.from(output.bytes))
          break
        case 'taken':
          this.tunnel.took(output.upTo)
          break
        case 'host':
          this.#follow(output.host)
          break
        case 'over':
          this.#over(output.wrong)
          return
      }
    }
    clearTimeout(this.#timer)
    const { wakeAt } = this.#client
    if (wakeAt === undefined) return
    const { now } = this.#options
    this.#timer = setTimeout(() => this.#run(this.#client.tick(now())), Math.max(0, wakeAt - now()))
  }

  #ask(path: string, body: Uint8Array, mayRepeat: boolean): void {
    const { timeoutMs, ca, insecure, now } = this.#options
    const url = new URL(path, this.#url)
    const isSecure = url.protocol === 'https:'
    const request = (isSecure ? https : http).request(url, {
      method: 'POST',
      agent: this.#agent,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: {
        Accept: '*/*',
        'User-Agent': 'MSMSGS',
        'Content-Type': GATEWAY_CONTENT_TYPE,
        'Content-Length': body.length,
        'Cache-Control': 'no-cache',
      },
      ...(isSecure && ca !== undefined ? { ca } : {}),
      ...(isSecure ? { rejectUnauthorized: insecure !== true } : {}),
      ...(this.#sentTo === undefined || this.#allowPrivate === true ? {} : { lookup: publicLookup }),
    })
    this.#asking = request
    let isDone = false
    const settle = (outputs: () => readonly GatewayClientOutput[]): void => {
      if (isDone) return
      isDone = true
      clearTimeout(deadline)
      if (this.#asking === request) this.#asking = undefined
      this.#run(outputs())
    }
    const fail = (why: string): void => {
      settle(() => this.#client.failed(why))
      request.destroy()
    }
    const deadline = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs)
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The gateway closed the connection between two requests: it has not seen this one.
      if (!isDone && mayRepeat && request.reusedSocket && error.code === 'ECONNRESET') {
        isDone = true
        clearTimeout(deadline)
        this.#ask(path, body, false)
      } else fail(error.code ?? error.name)
    })
    request.on('response', (response) => {
      this.#allowPrivate ??= isPrivateAddress(response.socket.remoteAddress ?? '')
      collect(response, (answer) => {
        if (typeof answer === 'string') fail(answer)
        else settle(() => this.#client.answered(answer, now()))
      })
    })
    request.end(body)
  }

  /** GW-IP. Over HTTPS it stays where the certificate holds. */
  #follow(host: string): void {
    if (this.#url.protocol === 'https:' || host === this.#sentTo) return
    const url = URL.parse(`http://${isIP(host) === 6 ? `[${host}]` : host}`)
    if (url === null) return
    if (this.#allowPrivate !== true && isPrivateAddress(url.hostname.replace(/^\[|\]$/g, ''))) return
    this.#sentTo = host
    const next = new URL(this.#url)
    next.hostname = url.hostname
    if (url.port !== '') next.port = url.port
    this.#url = next
  }

  #over(wrong: string | undefined): void {
    clearTimeout(this.#timer)
    this.#asking?.on('error', () => undefined).destroy()
    this.#asking = undefined
    this.#agent.destroy()
    if (this.tunnel.destroyed) return
    if (wrong !== undefined) this.tunnel.fail(`the HTTP gateway ${this.#url.host}: ${wrong}`)
    else {
      this.tunnel.finish()
      this.tunnel.destroy()
    }
  }
}

/** A sentence: what is wrong with it. */
function collect(response: http.IncomingMessage, done: (answer: GatewayClientAnswer | string) => void): void {
  const chunks: Buffer[] = []
  let length = 0
  response.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length > MAX_ANSWER_BYTES) done(`an answer of more than ${MAX_ANSWER_BYTES} bytes`)
    else chunks.push(chunk)
  })
  response.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.name))
  response.on('end', () => {
    const header = response.headers[GATEWAY_HEADER.toLowerCase()]
    done({
      status: response.statusCode ?? 0,
      header: (Array.isArray(header) ? header[0] : header) ?? '',
      body: Buffer.concat(chunks),
    })
  })
}
