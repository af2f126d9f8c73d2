import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  formatGatewayHeader,
  GATEWAY_CONTENT_TYPE,
  GATEWAY_HEADER,
  GatewaySession,
  parseGatewayQuery,
  type GatewayAnswer,
  type GatewayAsk,
  type GatewayOutput,
} from '../session/gateway-session.ts'
import type { ServedTransport } from './connection.ts'
import { placeOf, type Doorkeeper } from './doorkeeper.ts'
import { Tunnel } from './tunnel.ts'
import { clientOf, queryOf, readBody, reply } from './web.ts'

export interface GatewayLimits {
  /** Sessions at once; one more is answered with 503. */
  readonly sessions: number
  /** From one address. By default a quarter of all, and never less than `FOR_ONE_ADDRESS`. */
  readonly sessionsPerAddress?: number
  /** A session without a request for so long is over. Milliseconds. */
  readonly idleMs: number
  /** How long a request with commands waits for what the service says to them. Milliseconds. */
  readonly lingerMs: number
  /** How long a poll may be held (`Lifespan`). Milliseconds. */
  readonly holdMs: number
  /** Bytes of one request's body. */
  readonly requestBytes: number
  /** Bytes of one answer's body. */
  readonly answerBytes: number
  /** Bytes that may wait for a client in one session. */
  readonly waitingBytes: number
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  sessions: 1_000,
  idleMs: 60_000,
  lingerMs: 300,
  holdMs: 30_000,
  requestBytes: 64 * 1024,
  answerBytes: 64 * 1024,
  waitingBytes: 512 * 1024,
}

/** So many people may well sit behind one address. */
const FOR_ONE_ADDRESS = 100

/** 96 bits that nobody can guess, in decimal as clients know it. With the suffix below 40 characters: some have no more room. */
const ID_BYTES = 12
const FIRST_SUFFIX = 10_000
const RETRY_AFTER_S = 30

export interface GatewayOptions {
  readonly limits: GatewayLimits
  /** A session is counted as a connection from its client's address. */
  readonly doorkeeper: Pick<Doorkeeper, 'enter' | 'left'>
  /** Where the bytes of a session go: to the service itself, and nowhere else. */
  readonly serve: Readonly<Record<'NS' | 'SB', (transport: ServedTransport) => void>>
  /** The host that clients shall ask next. By default the address at which they reached us. */
  readonly publicName: string | undefined
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  readonly onRefused: (reason: string) => void
}

interface Live {
  readonly id: string
  readonly address: string
  readonly session: GatewaySession
  readonly tunnel: Tunnel
  readonly responses: Map<number, ServerResponse>
  timer: NodeJS.Timeout | undefined
}

/** MSNP in HTTP, for clients that reach no other port than that of the web. Source: docs/protocol.md, HTTP gateway. */
export class HttpGateway {
  readonly #options: GatewayOptions
  readonly #live = new Map<string, Live>()
  #requests = 0
  #stopped = false

  constructor(options: GatewayOptions) {
    this.#options = options
  }

  get sessions(): number {
    return this.#live.size
  }

  /** `plain`: a proxy on this machine may say whose request it is. Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse, plain: boolean): Promise<void> {
    const { limits, onRefused } = this.#options
    const ask = parseGatewayQuery(queryOf(request.url ?? ''), limits.holdMs)
    if (ask === undefined || !['GET', 'POST'].includes(request.method ?? '')) {
      request.resume()
      onRefused('a gateway request that is none')
      reply(response, { status: 400 })
      return
    }
    const body = await readBody(request, limits.requestBytes)
    if (body === 'gone') return
    if (body === 'too large') {
      onRefused('a gateway request that is too large')
      reply(response, { status: 413 })
      return
    }
    const live = ask.kind === 'open' ? this.#open(ask.server, request, plain) : this.#live.get(ask.id)
    if (live === undefined || live === 'full') {
      onRefused(live === 'full' ? 'too many gateway sessions' : 'an unknown gateway session')
      reply(response, live === 'full' ? { status: 503, headers: { 'Retry-After': RETRY_AFTER_S } } : { status: 400 })
      return
    }
    this.#pass(live, ask, body, response)
  }

  /** All sessions end; what the service has said until now is still answered where a request waits. */
  stop(): void {
    this.#stopped = true
    for (const live of this.#live.values()) live.tunnel.destroy()
    for (const live of [...this.#live.values()]) this.#over(live)
  }

  #pass(live: Live, ask: GatewayAsk, body: Buffer, response: ServerResponse): void {
    const request = this.#requests++
    live.responses.set(request, response)
    response.on('close', () => {
      if (live.responses.delete(request)) live.session.gone(request)
    })
    const suffix = ask.kind === 'open' ? undefined : ask.suffix
    const holdMs = ask.kind === 'poll' ? ask.holdMs : 0
    this.#run(live, live.session.request({ request, suffix, body, holdMs }, this.#options.now()))
  }

  #open(server: 'NS' | 'SB', request: IncomingMessage, plain: boolean): Live | 'full' {
    const { limits, doorkeeper, serve, random, now } = this.#options
    const address = clientOf(request, plain)
    if (this.#stopped || this.#live.size >= limits.sessions || this.#hasEnough(address)) return 'full'
    if (doorkeeper.enter(address) !== undefined) return 'full'
    const id = BigInt(`0x${Buffer.from(random(ID_BYTES)).toString('hex')}`)
      .toString()
      .padStart(29, '0')
    const { localAddress = '127.0.0.1', localPort = 80 } = request.socket
    const session = new GatewaySession(
      {
        id,
        suffix: FIRST_SUFFIX,
        idleMs: limits.idleMs,
        lingerMs: limits.lingerMs,
        maxAnswer: limits.answerBytes,
        maxWaiting: limits.waitingBytes,
      },
      now(),
    )
    const tunnel = new Tunnel({
      remoteAddress: address,
      localAddress,
      localPort,
      onWritten: (bytes) => this.#run(live, session.write(bytes, now())),
      onEnded: () => this.#run(live, session.end(now())),
    })
    const live: Live = { id, address, session, tunnel, responses: new Map(), timer: undefined }
    this.#live.set(id, live)
    serve[server](tunnel)
    return live
  }

  /** A stranger must not take all the places. */
  #hasEnough(address: string): boolean {
    const { sessions, sessionsPerAddress = Math.max(FOR_ONE_ADDRESS, sessions / 4) } = this.#options.limits
    const place = placeOf(address)
    let theirs = 0
    for (const live of this.#live.values()) if (placeOf(live.address) === place) theirs++
    return theirs >= sessionsPerAddress
  }

  #run(live: Live, outputs: readonly GatewayOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'received':
          live.tunnel.receive(Buffer.from(output.bytes))
          break
        case 'answer':
          this.#reply(live, output.request, output.answer)
          break
        case 'refuse': {
          const response = live.responses.get(output.request)
          live.responses.delete(output.request)
          this.#options.onRefused('an unknown gateway session')
          if (response !== undefined) reply(response, { status: 400 })
          break
        }
        case 'over':
          if (output.why === 'too much waits') this.#options.onRefused('a gateway client that does not read')
          this.#over(live)
          return
      }
    }
    this.#schedule(live)
  }

  #reply(live: Live, request: number, { session, closes, body, upTo }: GatewayAnswer): void {
    const response = live.responses.get(request)
    live.responses.delete(request)
    if (response === undefined) return
    const host = this.#options.publicName ?? hostOf(live.tunnel.localAddress)
    const headers = {
      'Content-Type': GATEWAY_CONTENT_TYPE,
      [GATEWAY_HEADER]: formatGatewayHeader(session, host, closes),
    }
    reply(response, { status: 200, headers, body, keep: true }, () => live.tunnel.took(upTo))
  }

  #schedule(live: Live): void {
    clearTimeout(live.timer)
    const { wakeAt } = live.session
    if (wakeAt === undefined || !this.#live.has(live.id)) return
    live.timer = setTimeout(
      () => this.#run(live, live.session.tick(this.#options.now())),
      Math.max(0, wakeAt - this.#options.now()),
    )
  }

  #over(live: Live): void {
    if (!this.#live.delete(live.id)) return
    clearTimeout(live.timer)
    this.#options.doorkeeper.left(live.address)
    for (const response of live.responses.values()) reply(response, { status: 400 })
    live.responses.clear()
    live.tunnel.destroy()
  }
}

/** As it stands in a URL. */
const hostOf = (address: string): string => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return plain.includes(':') ? `[${plain}]` : plain
}
