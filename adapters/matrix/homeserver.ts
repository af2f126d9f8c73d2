/** The homeserver: requests in anybody's name with their outcome as a value, and whether it still is there. */
import type { Clock, Logger, Metrics } from '../../bridge/adapter.ts'
import type { NetworkId } from '../../bridge/model/ids.ts'
import { type Fault } from '../../bridge/model/result.ts'
import { answerOf, failureWithout } from './failures.ts'
import { DEVICE_ID } from './ghosts.ts'
import type { Library } from './library.ts'
import { loadLibrary } from './load.ts'
import type { Registration } from './registration-shape.ts'
import { pingCall, pingFault, setUp } from './setup.ts'
import { ASIDE, Transport } from './transport.ts'
import type { Answer, Call, Features, HomeserverPort, Mxid } from './types.ts'

export interface HomeserverOptions {
  readonly network: NetworkId
  /** Its URL. */
  readonly url: string
  readonly domain: string
  /** What the ids of ghosts begin with, behind the @. */
  readonly ghostPrefix: string
  readonly registration: Registration
  /** Where the registration is, for messages. */
  readonly file: string
  readonly requestTimeoutMs: number
  readonly pingMs: number
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** Waits between attempts that failed; the last one repeats. Milliseconds. */
const PATIENCE = [500, 1_000, 2_000, 5_000, 10_000, 30_000] as const
/** So many checks in a row may fail before the homeserver counts as lost; a request without an answer is one. */
const LOST_AFTER = 2
/** The next check after one that failed. */
const RECHECK_MS = 2_000

const NOTHING_KNOWN: Features = { devices: false, busy: false, roomVersion: '' }

export class Homeserver implements HomeserverPort {
  readonly domain: string
  readonly bot: Mxid
  readonly #options: HomeserverOptions
  readonly #transport: Transport
  readonly #closing = new AbortController()
  #library: Promise<Library> | undefined
  #features = NOTHING_KNOWN
  /** Asks for a check now; while somebody watches. */
  #suspect: (() => void) | undefined

  constructor(options: HomeserverOptions) {
    this.#options = options
    this.domain = options.domain
    this.bot = `@${options.registration.sender_localpart}:${options.domain}`
    this.#transport = new Transport(options.clock)
  }

  get features(): Features {
    return this.#features
  }

  /** One attempt: is it there, does it know us, does it reach us, what can it do. Rejects with `SessionFault`: one sentence. */
  async connect(signal: AbortSignal): Promise<void> {
    this.#features = await setUp({
      ...this.#options,
      bot: this.bot,
      ask: (call) => this.#once({ ...call, signal }),
    })
  }

  async request<Value>(call: Call): Promise<Answer<Value>> {
    const answer = await this.#once<Value>(call)
    const doubtful = !answer.ok && (answer.failure.kind === 'unreachable' || answer.failure.kind === 'token')
    if (doubtful && call.token === undefined) this.#suspect?.()
    return answer
  }

  async insist<Value>(call: Call): Promise<Answer<Value>> {
    const signal =
      call.signal === undefined ? this.#closing.signal : AbortSignal.any([call.signal, this.#closing.signal])
    for (let failures = 0; ; failures++) {
      const answer = await this.request<Value>({ ...call, signal })
      if (answer.ok) return answer
      const { failure } = answer
      if (failure.kind === 'refused' || failure.kind === 'token' || failure.kind === 'aborted') return answer
      const patience = PATIENCE[Math.min(failures, PATIENCE.length - 1)] ?? 0
      await this.#options.clock.sleep(failure.kind === 'limited' ? failure.retryAfterMs : patience, signal)
      if (signal.aborted) return { ok: false, failure: { kind: 'aborted', detail: failure.detail } }
    }
  }

  /**
   * Asks now and then, and when a request got no answer, whether the homeserver is there and reaches us. Calls `lost`
   * once, when it is not, and ends; also ends with `signal`. Calls `alive` after each check that went well.
   */
  watch(signal: AbortSignal, lost: (fault: Fault) => void, alive: () => void): void {
    void this.#watch(AbortSignal.any([signal, this.#closing.signal]), lost, alive)
  }

  /** Requests under way end as failures. Twice is harmless. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#transport.close()
    const library = this.#library
    this.#library = undefined
    await (await library)?.close()
  }

  async #watch(signal: AbortSignal, lost: (fault: Fault) => void, alive: () => void): Promise<void> {
    const { clock, pingMs, metrics, network } = this.#options
    for (let failures = 0; !signal.aborted;) {
      const sooner = new AbortController()
      this.#suspect = () => sooner.abort()
      await clock.sleep(failures > 0 ? RECHECK_MS : pingMs, AbortSignal.any([signal, sooner.signal]))
      this.#suspect = undefined
      if (isAborted(signal)) return
      // A request without an answer was the first failure.
      if (sooner.signal.aborted) failures++
      const answer = await this.#ping(signal)
      if (isAborted(signal)) return
      const fault = pingFault(answer, this.#options)
      metrics.gauge('matrix_homeserver_reachable', fault === undefined ? 1 : 0, { network })
      if (fault === undefined) {
        failures = 0
        alive()
        continue
      }
      failures++
      metrics.count('matrix_pings_failed', { network })
      // What is set up wrongly does not mend itself in seconds.
      if (failures < LOST_AFTER && fault.code === 'network') continue
      lost(fault)
      return
    }
  }

  #ping(signal: AbortSignal): Promise<Answer<unknown>> {
    return this.#once({ ...pingCall(this.#options.registration.id), signal })
  }

  async #once<Value>(call: Call): Promise<Answer<Value>> {
    const { clock, log, metrics, network } = this.#options
    if (this.#closing.signal.aborted)
      return { ok: false, failure: { kind: 'aborted', detail: 'the bridge is stopping' } }
    const started = clock.now()
    let answer: Answer<Value>
    try {
      const library = await (this.#library ??= this.#open())
      const response = await library.ask(
        call.method,
        call.path,
        this.#query(call),
        bodyOf(call),
        this.#options.requestTimeoutMs,
      )
      answer = answerOf<Value>(response, clock.now())
    } catch (error) {
      answer = { ok: false, failure: failureWithout(error) }
    }
    metrics.observe('matrix_request_seconds', (clock.now() - started) / 1_000, { network })
    if (!answer.ok) {
      const { kind, detail } = answer.failure
      metrics.count('matrix_requests_failed', { network, kind })
      log.debug({ method: call.method, path: call.path, kind, detail }, 'a request to the homeserver failed')
    }
    return answer
  }

  async #open(): Promise<Library> {
    const { url, domain, registration, log } = this.#options
    return (await loadLibrary()).openLibrary({ homeserver: url, domain, registration, log })
  }

  #query(call: Call) {
    const device = call.device === true && call.token === undefined && this.#features.devices
    // Synapse wants the user beside the device, also when it is the bot.
    const user = call.as ?? (device ? this.bot : undefined)
    return {
      ...call.query,
      ...(user === undefined ? {} : { user_id: user }),
      ...(device ? { device_id: DEVICE_ID } : {}),
      [ASIDE]: {
        transport: this.#transport,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
        ...(call.token === undefined ? {} : { token: call.token }),
      },
    }
  }
}

/** Behind a function, since it changes while we wait. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted

/** Homeservers want a body where there can be one. */
const bodyOf = ({ method, body }: Call): object | null => {
  if (typeof body === 'object' && body !== null) return body
  return method === 'PUT' || method === 'POST' ? {} : null
}
