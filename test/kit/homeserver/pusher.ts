/**
 * Brings events to one application service as Synapse does: one transaction at a time, in order, again under the same id
 * until it is answered with 200. What waits outlives `halt`.
 */
import { Agent, request } from 'node:http'
import type { Registration } from './registration.ts'

/** As Synapse: so much in one transaction. */
const EVENTS_MAX = 100
const EPHEMERAL_MAX = 100
const PATIENCE_MS = 60_000
/** Finished transactions that are remembered for tests. */
const REMEMBERED = 1_000

export interface Transaction {
  readonly id: number
  readonly events: readonly object[]
  ephemeral: readonly object[]
  /** How often it was tried. */
  tries: number
}

export interface Reply {
  readonly status: number
  readonly body: string
}

export class Pusher {
  readonly registration: Registration
  /** Finished ones, the last at the end. */
  readonly sent: Transaction[] = []
  /** The token that it shows; another one than registered to be refused. */
  token: string
  readonly #users: readonly RegExp[]
  readonly #bot: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 })
  readonly #backoffMs: number
  readonly #taken: () => void
  #events: object[] = []
  #ephemeral: object[] = []
  #current: Transaction | undefined
  #next = 1
  #going = false
  #running = true
  #held = 0
  #losing = 0
  #wake: (() => void) | undefined

  /** `taken`: a transaction was answered with 200. */
  constructor(registration: Registration, domain: string, backoffMs: number, taken: () => void) {
    this.registration = registration
    this.token = registration.hs_token
    this.#users = registration.namespaces.users.map(({ regex }) => new RegExp(`^(?:${regex})$`))
    this.#bot = `@${registration.sender_localpart}:${domain}`
    this.#backoffMs = backoffMs
    this.#taken = taken
  }

  get bot(): string {
    return this.#bot
  }

  /** The bot or somebody of its namespace. */
  owns(user: string): boolean {
    return user === this.#bot || this.#users.some((pattern) => pattern.test(user))
  }

  /** Events that have not been taken yet. */
  get waiting(): number {
    return this.#events.length + (this.#current?.events.length ?? 0)
  }

  /** So many of the next events are stored and never pushed: Synapse loses those that it is about to push when it ends. */
  lose(count: number): void {
    this.#losing = count
  }

  push(event: object): void {
    if (this.#losing > 0) {
      this.#losing--
      return
    }
    this.#events.push(event)
    this.#go()
  }

  /** Lost while the service does not answer. */
  pushEphemeral(event: object): void {
    if (this.#current !== undefined && this.#current.tries > 1) return
    this.#ephemeral.push(event)
    this.#go()
  }

  /** Nothing is sent until `release`, so that a large transaction can grow. Twice needs releasing twice. */
  hold(): () => void {
    this.#held++
    let released = false
    return () => {
      if (released) return
      released = true
      this.#held--
      this.#go()
    }
  }

  /** As a homeserver whose database was made anew. */
  restartIds(): void {
    this.#next = 1
  }

  /** The wait between two attempts is over now. */
  retryNow(): void {
    this.#wake?.()
  }

  halt(): void {
    this.#running = false
    this.#ephemeral = []
    this.#agent.destroy()
    this.retryNow()
  }

  resume(): void {
    this.#running = true
    this.#go()
  }

  /** Asks the service something. Rejects when it cannot be reached. */
  call(method: string, path: string, body?: unknown): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const url = new URL(this.registration.url.replace(/\/$/, '') + path)
    const headers = {
      authorization: `Bearer ${this.token}`,
      ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }),
    }
    const outgoing = request(url, { method, headers, agent: this.#agent, timeout: PATIENCE_MS }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')))
    outgoing.on('error', reject)
    outgoing.end(bytes)
    return promise
  }

  #go(): void {
    if (this.#going || !this.#running || this.#held > 0) return
    this.#going = true
    void this.#work().finally(() => {
      this.#going = false
      // Something may have come while the last answer was read.
      if (this.#more()) this.#go()
    })
  }

  #more(): boolean {
    if (!this.#running || this.#held > 0) return false
    return this.#current !== undefined || this.#events.length > 0 || this.#ephemeral.length > 0
  }

  async #work(): Promise<void> {
    while (this.#more()) {
      this.#current ??= {
        id: this.#next++,
        events: this.#events.splice(0, EVENTS_MAX),
        ephemeral: this.#ephemeral.splice(0, EPHEMERAL_MAX),
        tries: 0,
      }
      const transaction = this.#current
      transaction.tries++
      if (await this.#deliver(transaction)) {
        this.#current = undefined
        this.sent.push(transaction)
        if (this.sent.length > REMEMBERED) this.sent.shift()
        this.#taken()
        continue
      }
      transaction.ephemeral = []
      this.#ephemeral = []
      if (this.#more()) await this.#wait(Math.min(this.#backoffMs * 2 ** (transaction.tries - 1), 20 * this.#backoffMs))
    }
  }

  async #deliver({ id, events, ephemeral }: Transaction): Promise<boolean> {
    const wants = this.registration
    const body = {
      events,
      ...(wants.receive_ephemeral === true ? { ephemeral } : {}),
      ...(wants['de.sorunome.msc2409.push_ephemeral'] === true ? { 'de.sorunome.msc2409.ephemeral': ephemeral } : {}),
    }
    try {
      return (await this.call('PUT', `/_matrix/app/v1/transactions/${id}`, body)).status === 200
    } catch {
      return false
    }
  }

  async #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => resolve(undefined), ms)
    this.#wake = () => resolve(undefined)
    await promise
    clearTimeout(timer)
    this.#wake = undefined
  }
}
