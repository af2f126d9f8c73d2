/** Starts and stops the adapters. One that cannot start is tried again and never keeps the others down. */
import type { Adapter, AdapterContext, Clock, Logger } from './adapter.ts'
import { type Backoff, backoffMs } from './backoff.ts'
import type { NetworkId } from './model/ids.ts'

export interface NetworksDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  readonly contextOf: (network: NetworkId) => AdapterContext
  /** From 0 up to 1. */
  readonly random: () => number
  /** A network runs now, at the start or later. */
  readonly running: (network: NetworkId) => void
}

export type NetworkState =
  { readonly kind: 'starting' } | { readonly kind: 'running' } | { readonly kind: 'failed'; readonly why: string }

/** A port that is taken is asked for again after so long. */
const RETRY: Backoff = { waits: [5_000, 15_000, 60_000, 300_000], jitter: 0.2 }

export class Networks {
  readonly #deps: NetworksDeps
  readonly #states = new Map<NetworkId, NetworkState>()
  readonly #stopping = new AbortController()
  #retries: readonly Promise<void>[] = []

  constructor(deps: NetworksDeps) {
    this.#deps = deps
  }

  /**
   * Resolves when each network has been tried once. Unless none runs at all, which is for the caller to tell, those that
   * failed are tried again behind.
   */
  async start(): Promise<void> {
    // What we host first: another of our networks may sign in to it.
    const hosting = [...this.#deps.adapters.values()].filter(({ role }) => role === 'hosts')
    const joining = [...this.#deps.adapters.values()].filter(({ role }) => role === 'joins')
    const all = [...hosting, ...joining]
    const failures = [...(await this.#tryAll(hosting)), ...(await this.#tryAll(joining))]
    if (failures.every((why) => why !== undefined)) return
    this.#retries = all.flatMap((adapter, index) => {
      const why = failures[index]
      return why === undefined ? [] : [this.#retry(adapter, why)]
    })
  }

  /** Twice is harmless. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#retries)
    await Promise.all([...this.#deps.adapters.values()].map((adapter) => this.#end(adapter)))
    this.#states.clear()
  }

  stateOf(network: NetworkId): NetworkState {
    return this.#states.get(network) ?? { kind: 'starting' }
  }

  #tryAll(adapters: readonly Adapter[]): Promise<readonly (string | undefined)[]> {
    return Promise.all(adapters.map((adapter) => this.#try(adapter)))
  }

  /** Why it did not start, or `undefined`. */
  async #try(adapter: Adapter): Promise<string | undefined> {
    const { network } = adapter
    try {
      await adapter.start(this.#deps.contextOf(network))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#states.set(network, { kind: 'failed', why })
      await this.#end(adapter)
      return why
    }
    this.#states.set(network, { kind: 'running' })
    this.#deps.running(network)
    return undefined
  }

  /** Tells each new reason once, not each attempt. */
  async #retry(adapter: Adapter, first: string): Promise<void> {
    const { log, clock, random } = this.#deps
    const { signal } = this.#stopping
    let why = first
    log.error({ network: adapter.network, detail: why }, 'network did not start, will try again')
    for (let failures = 1; ; failures++) {
      await clock.sleep(backoffMs(RETRY, failures, random()), signal)
      if (signal.aborted) return
      const now = await this.#try(adapter)
      if (now === undefined) {
        log.info({ network: adapter.network }, 'network started')
        return
      }
      if (now !== why) log.error({ network: adapter.network, detail: now }, 'network did not start, will try again')
      why = now
    }
  }

  async #end(adapter: Adapter): Promise<void> {
    try {
      await adapter.stop()
    } catch (error) {
      this.#deps.log.warn({ network: adapter.network, error: String(error) }, 'network did not stop cleanly')
    }
  }
}
