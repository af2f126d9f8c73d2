import { Buffer } from 'node:buffer'
import { GATEWAY_PATH, parseGatewayHeader } from './gateway-session.ts'

/**
 * Our end of a session through an HTTP gateway, without I/O: one request at a time; while there is nothing to say, it asks
 * whether there is something to hear, less often the longer there is not. Source: docs/protocol.md, HTTP gateway.
 */

export interface GatewayClientOptions {
  readonly server: 'NS' | 'SB'
  /** Where the gateway shall connect us to. */
  readonly host: string
  /** Between an answer that brought something and the next request. Milliseconds. */
  readonly pollMs: number
  /** As `pollMs`, after a while without anything. Milliseconds. */
  readonly maxPollMs: number
  /** Bytes of one request's body, unless one piece alone is longer. */
  readonly maxBody: number
}

export type GatewayClientOutput =
  /** Post that; say `answered` or `failed`. */
  | { readonly kind: 'ask'; readonly path: string; readonly body: Uint8Array }
  | { readonly kind: 'received'; readonly bytes: Uint8Array }
  /** The gateway has so many bytes of ours since the beginning. */
  | { readonly kind: 'taken'; readonly upTo: number }
  /** Requests go to this host from now on. */
  | { readonly kind: 'host'; readonly host: string }
  /** `wrong` undefined: as it should. */
  | { readonly kind: 'over'; readonly wrong: string | undefined }

export interface GatewayClientAnswer {
  readonly status: number
  /** `X-MSN-Messenger`; empty: it is not there. */
  readonly header: string
  readonly body: Uint8Array
}

type Phase = 'new' | 'asking' | 'idle' | 'over'

export class GatewayClient {
  readonly #options: GatewayClientOptions
  #phase: Phase = 'new'
  #session: string | undefined
  #unsent: Uint8Array[] = []
  #asked = 0
  #given = 0
  #pollAt = 0
  #interval: number
  #ended = false

  constructor(options: GatewayClientOptions) {
    this.#options = options
    this.#interval = options.pollMs
  }

  get wakeAt(): number | undefined {
    return this.#phase === 'idle' ? this.#pollAt : undefined
  }

  write(bytes: Uint8Array): readonly GatewayClientOutput[] {
    if (this.#phase === 'over' || this.#ended) return []
    this.#unsent.push(bytes)
    return this.#phase === 'asking' ? [] : this.#ask()
  }

  /** We say nothing more. What was said is still sent. */
  end(): readonly GatewayClientOutput[] {
    if (this.#phase === 'over' || this.#ended) return []
    this.#ended = true
    return this.#phase === 'asking' ? [] : this.#over(undefined)
  }

  answered({ status, header, body }: GatewayClientAnswer, now: number): readonly GatewayClientOutput[] {
    if (this.#phase !== 'asking') return []
    if (status !== 200) return this.#over(`it answered ${status}`)
    const { session, host, closes } = parseGatewayHeader(header)
    this.#given += this.#asked
    const outputs: GatewayClientOutput[] = [{ kind: 'taken', upTo: this.#given }]
    if (host !== undefined) outputs.push({ kind: 'host', host })
    if (body.length > 0) outputs.push({ kind: 'received', bytes: body })
    if (closes) return [...outputs, ...this.#over(undefined)]
    this.#session = session ?? this.#session
    if (this.#session === undefined) return [...outputs, ...this.#over('it gave no SessionID')]
    if (this.#unsent.length > 0) return [...outputs, ...this.#ask()]
    if (this.#ended) return [...outputs, ...this.#over(undefined)]
    const { pollMs, maxPollMs } = this.#options
    this.#interval = body.length > 0 || this.#asked > 0 ? pollMs : Math.min(maxPollMs, this.#interval * 1.5)
    this.#phase = 'idle'
    this.#pollAt = now + this.#interval
    return outputs
  }

  /** A request came to nothing. What it said may have been heard: it is not said again. */
  failed(wrong: string): readonly GatewayClientOutput[] {
    return this.#phase === 'over' ? [] : this.#over(wrong)
  }

  tick(now: number): readonly GatewayClientOutput[] {
    return this.#phase === 'idle' && now >= this.#pollAt ? this.#ask() : []
  }

  #ask(): readonly GatewayClientOutput[] {
    const body = this.#next()
    this.#asked = body.length
    this.#phase = 'asking'
    return [{ kind: 'ask', path: `${GATEWAY_PATH}?${this.#query(body.length === 0)}`, body }]
  }

  #query(isPoll: boolean): string {
    const { server, host } = this.#options
    if (this.#session === undefined) return `Action=open&Server=${server}&IP=${encodeURIComponent(host)}`
    return `${isPoll ? 'Action=poll&' : ''}SessionID=${encodeURIComponent(this.#session)}`
  }

  #next(): Uint8Array {
    const taken: Uint8Array[] = []
    let length = 0
    for (let piece = this.#unsent[0]; piece !== undefined; piece = this.#unsent[0]) {
      if (length > 0 && length + piece.length > this.#options.maxBody) break
      taken.push(piece)
      length += piece.length
      this.#unsent.shift()
    }
    return Buffer.concat(taken)
  }

  #over(wrong: string | undefined): readonly GatewayClientOutput[] {
    this.#phase = 'over'
    this.#unsent = []
    return [{ kind: 'over', wrong }]
  }
}
