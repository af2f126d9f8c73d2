import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

/**
 * One session of the HTTP gateway on the side of the service, without I/O: what a client says comes as bodies of requests,
 * what it shall hear waits for one. Source: docs/protocol.md, HTTP gateway.
 */

export interface GatewaySessionOptions {
  /** What nobody can guess; the suffix comes behind it. */
  readonly id: string
  /** The first suffix. */
  readonly suffix: number
  /** Without a request for so long the client is gone. Milliseconds. */
  readonly idleMs: number
  /** How long a request with commands waits for what the service says to them. Milliseconds. */
  readonly lingerMs: number
  /** Bytes that one answer holds at most; the rest waits for the next request. */
  readonly maxAnswer: number
  /** Bytes that may wait; with more the client is given up. */
  readonly maxWaiting: number
}

export interface GatewayRequest {
  /** Ours, to know it again. */
  readonly request: number
  /** undefined: the request that opened the session. */
  readonly suffix: number | undefined
  readonly body: Uint8Array
  /** How long a poll wants to be held while there is nothing to say. Milliseconds. */
  readonly holdMs: number
}

export interface GatewayAnswer {
  /** The whole SessionID of the next request. */
  readonly session: string
  /** There is no next request. */
  readonly closes: boolean
  readonly body: Uint8Array
  /** With this answer the client has so many bytes since the beginning. */
  readonly upTo: number
}

export type GatewayOutput =
  | { readonly kind: 'received'; readonly bytes: Uint8Array }
  | { readonly kind: 'answer'; readonly request: number; readonly answer: GatewayAnswer }
  /** It is not of this session, or not of this moment. */
  | { readonly kind: 'refuse'; readonly request: number }
  /** Nothing follows. */
  | { readonly kind: 'over'; readonly why: 'done' | 'idle' | 'too much waits' }

interface Held {
  readonly request: number
  /** As it came; undefined: the request that opened the session. */
  readonly suffix: number | undefined
  readonly digest: string
  readonly until: number
}

/** Clients with several requests under way use suffixes that were good a moment ago. */
const OLD_SUFFIXES = 8

export class GatewaySession {
  readonly #options: GatewaySessionOptions
  #suffix: number
  #lastSeen: number
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #given = 0
  #held: Held | undefined
  /** What was answered last: a client whose connection broke before the answer came asks the same again. */
  #last: { readonly suffix: number | undefined; readonly digest: string; readonly answer: GatewayAnswer } | undefined
  #ended = false
  #over = false

  constructor(options: GatewaySessionOptions, now: number) {
    this.#options = options
    this.#suffix = options.suffix
    this.#lastSeen = now
  }

  get wakeAt(): number | undefined {
    if (this.#over) return undefined
    return this.#held?.until ?? this.#lastSeen + this.#options.idleMs
  }

  request({ request, suffix, body, holdMs }: GatewayRequest, now: number): readonly GatewayOutput[] {
    if (this.#over || !this.#knows(suffix)) return [{ kind: 'refuse', request }]
    this.#lastSeen = now
    const digest = createHash('sha256').update(body).digest('base64')
    const held = this.#held
    const isHeld = held !== undefined && body.length > 0 && suffix === held.suffix && digest === held.digest
    // Their connection broke, and they have seen it before we have.
    if (isHeld) return [...this.#answer(held), ...this.#again(request)]
    const last = this.#last
    const isAgain = last !== undefined && suffix !== this.#suffix && suffix === last.suffix && digest === last.digest
    if (isAgain) return this.#again(request)
    const outputs = held === undefined ? [] : this.#answer(held)
    const waits = body.length === 0 ? holdMs : this.#options.lingerMs
    this.#held = { request, suffix, digest, until: now + waits }
    if (body.length > 0) outputs.push({ kind: 'received', bytes: body })
    return [...outputs, ...this.#settle(now)]
  }

  /** The service says this. */
  write(bytes: Uint8Array, now: number): readonly GatewayOutput[] {
    if (this.#over || this.#ended) return []
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    return this.#waitingBytes > this.#options.maxWaiting ? this.#end('too much waits') : this.#settle(now)
  }

  /** The service says nothing more. */
  end(now: number): readonly GatewayOutput[] {
    if (this.#over || this.#ended) return []
    this.#ended = true
    return this.#settle(now)
  }

  /** The connection of a request that waits for its answer broke. What it said was heard; the answer goes to the next. */
  gone(request: number): void {
    const held = this.#held
    if (held?.request !== request) return
    this.#held = undefined
    this.#suffix++
    const answer = { session: this.#name(), closes: false, body: new Uint8Array(), upTo: this.#given }
    this.#last = { suffix: held.suffix, digest: held.digest, answer }
  }

  tick(now: number): readonly GatewayOutput[] {
    if (this.#over) return []
    if (this.#held !== undefined) return this.#settle(now)
    return now >= this.#lastSeen + this.#options.idleMs ? this.#end('idle') : []
  }

  /** The last answer once more. */
  #again(request: number): readonly GatewayOutput[] {
    return [
      this.#last === undefined ? { kind: 'refuse', request } : { kind: 'answer', request, answer: this.#last.answer },
    ]
  }

  #knows(suffix: number | undefined): boolean {
    return suffix === undefined || (suffix <= this.#suffix && suffix >= this.#suffix - OLD_SUFFIXES)
  }

  /** Answers the request that waits, if there is something to say or it has waited long enough. */
  #settle(now: number): readonly GatewayOutput[] {
    const held = this.#held
    if (held === undefined || (this.#waitingBytes === 0 && !this.#ended && now < held.until)) return []
    this.#lastSeen = now
    return this.#answer(held)
  }

  #answer(held: Held): GatewayOutput[] {
    const body = this.#take()
    const closes = this.#ended && this.#waitingBytes === 0
    this.#held = undefined
    this.#suffix++
    this.#given += body.length
    const answer = { session: this.#name(), closes, body, upTo: this.#given }
    this.#last = { suffix: held.suffix, digest: held.digest, answer }
    const answered: GatewayOutput = { kind: 'answer', request: held.request, answer }
    return closes ? [answered, ...this.#end('done')] : [answered]
  }

  #take(): Uint8Array {
    const all = Buffer.concat(this.#waiting)
    const body = all.subarray(0, this.#options.maxAnswer)
    const rest = all.subarray(body.length)
    this.#waiting = rest.length === 0 ? [] : [rest]
    this.#waitingBytes = rest.length
    return body
  }

  #end(why: 'done' | 'idle' | 'too much waits'): readonly GatewayOutput[] {
    const held = this.#held
    this.#held = undefined
    this.#over = true
    this.#waiting = []
    this.#waitingBytes = 0
    this.#last = undefined
    return [...(held === undefined ? [] : [{ kind: 'refuse', request: held.request } as const]), { kind: 'over', why }]
  }

  #name(): string {
    return `${this.#options.id}.${this.#suffix}`
  }
}

/** What the query of a request asks for; undefined: nothing that there is. */
export type GatewayAsk =
  | { readonly kind: 'open'; readonly server: 'NS' | 'SB' }
  | { readonly kind: 'commands'; readonly id: string; readonly suffix: number }
  | { readonly kind: 'poll'; readonly id: string; readonly suffix: number; readonly holdMs: number }

/** `IP` is not looked at: there is no way through the gateway but to the service itself. */
export function parseGatewayQuery(query: string, maxHoldMs: number): GatewayAsk | undefined {
  const fields = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query)) {
    if (!fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value)
  }
  const action = fields.get('action')?.toLowerCase()
  if (action === 'open') {
    const server = fields.get('server')?.toUpperCase()
    return server === 'NS' || server === 'SB' ? { kind: 'open', server } : undefined
  }
  const named = /^(\d{1,64})\.(\d{1,9})$/.exec(fields.get('sessionid') ?? '')
  if (named === null) return undefined
  const [, id = '', suffix = ''] = named
  if (action === undefined) return { kind: 'commands', id, suffix: Number(suffix) }
  if (action !== 'poll') return undefined
  const lifespan = /^\d{1,6}$/.exec(fields.get('lifespan') ?? '')?.[0]
  return { kind: 'poll', id, suffix: Number(suffix), holdMs: Math.min(maxHoldMs, Number(lifespan ?? 0) * 1_000) }
}

export const GATEWAY_PATH = '/gateway/gateway.dll'
export const GATEWAY_CONTENT_TYPE = 'application/x-msn-messenger'
export const GATEWAY_HEADER = 'X-MSN-Messenger'

/** `host`: where the next request shall go. */
export const formatGatewayHeader = (session: string, host: string, closes: boolean): string =>
  `SessionID=${session}; GW-IP=${host}${closes ? '; Session=close' : ''}`

export interface GatewayHeader {
  readonly session: string | undefined
  readonly host: string | undefined
  readonly closes: boolean
}

export function parseGatewayHeader(header: string): GatewayHeader {
  const items = new Map<string, string>()
  for (const item of header.slice(0, 1_024).split(';')) {
    const equals = item.indexOf('=')
    if (equals > 0) items.set(item.slice(0, equals).trim().toLowerCase(), item.slice(equals + 1).trim())
  }
  const session = items.get('sessionid')
  const host = items.get('gw-ip')
  return {
    session: session !== undefined && /^[\x21-\x7e]{1,256}$/.test(session) ? session : undefined,
    host: host !== undefined && /^[A-Za-z0-9.\-:[\]]{1,255}$/.test(host) ? host : undefined,
    closes: items.get('session')?.toLowerCase() === 'close',
  }
}
