/** Keeps the sessions of accounts connected: one loop an account, one backoff policy for all. */
import { type Account, type Adapter, type Clock, type Logger, type Metrics, SessionFault } from './adapter.ts'
import { type Backoff, backoffMs } from './backoff.ts'
import type { AccountId, NetworkId } from './model/ids.ts'
import type { Fault, SessionState } from './model/result.ts'

export interface Supervision {
  readonly connectTimeoutMs: number
  readonly backoff: Backoff
  /** Online for so long, the next loss starts the waits from the first again. */
  readonly stableMs: number
}

export interface SupervisorDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** From 0 up to 1. */
  readonly random: () => number
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  readonly supervision: (network: NetworkId) => Supervision
  /** Why there is no use in trying, before each attempt. */
  readonly obstacle?: (account: AccountId) => Fault | undefined
  /** Every change, once each, after it has happened. */
  readonly changed: (account: AccountId, state: SessionState) => void
}

/** Attempts on one network begin at least this far apart. */
const SPACING_MS = 200
/** How long a session may take to notice that its attempt was aborted, or to close. */
const GRACE_MS = 5_000

/** After these only a person can help; trying on would get the address banned or fight another client. */
const NEEDS_A_PERSON: Readonly<Record<Fault['code'], boolean>> = {
  'bad-credentials': true,
  'signed-in-elsewhere': true,
  banned: true,
  network: false,
  protocol: false,
  shutdown: false,
}

const LOST: Fault = { code: 'network', detail: 'the connection was lost' }

interface Kept {
  readonly account: Account
  readonly adapter: Adapter
  state: SessionState
  /** Ends the loop. Aborted: it is kept away. */
  ending: AbortController
  /** Set while online: the loss that the session reports. */
  lost: ((fault: Fault) => void) | undefined
  /** Set while waiting or stopped: a person wants it now. */
  wake: AbortController | undefined
  /** Absent until it is connected for the first time. */
  loop: Promise<void> | undefined
}

type Attempt =
  { readonly kind: 'online' } | { readonly kind: 'failed'; readonly fault: Fault; readonly askedMs: number }

export class Supervisor {
  readonly #deps: SupervisorDeps
  readonly #kept = new Map<AccountId, Kept>()
  readonly #nextStart = new Map<NetworkId, number>()
  #stopped = false

  constructor(deps: SupervisorDeps) {
    this.#deps = deps
  }

  /**
   * Begins to keep an account connected, or goes on after `pause`. On networks that we host only the adapter's own accounts
   * are connected by us. One that is kept already is left alone.
   */
  keep(account: Account): void {
    const kept = this.#known(account)
    if (kept === undefined || this.#stopped || !kept.ending.signal.aborted) return
    const before = kept.loop
    const { signal } = (kept.ending = new AbortController())
    kept.loop = before === undefined ? this.#run(kept, signal) : before.then(() => this.#run(kept, signal))
  }

  /** Signs out, and stays so until `keep`. */
  async pause(account: Account): Promise<void> {
    const kept = this.#known(account)
    kept?.ending.abort()
    await kept?.loop
  }

  /** Signs out and forgets. */
  async drop(account: Account): Promise<void> {
    await this.pause(account)
    this.#kept.delete(account.id)
  }

  /** Signs everybody out. Twice is harmless. */
  async stop(): Promise<void> {
    this.#stopped = true
    const all = [...this.#kept.values()]
    for (const kept of all) kept.ending.abort()
    await Promise.all(all.map(async (kept) => kept.loop))
    this.#kept.clear()
  }

  /** What an adapter tells about its session (`AdapterContext.sessionChanged`). */
  sessionChanged(account: AccountId, state: SessionState): void {
    const kept = this.#kept.get(account)
    if (kept === undefined || kept.ending.signal.aborted) return
    if (state.kind === 'online') {
      if (kept.lost !== undefined) this.#set(kept, state)
    } else if (state.kind !== 'connecting' && kept.state.kind === 'online')
      kept.lost?.('fault' in state ? state.fault : LOST)
  }

  /** A person acts: a stopped or waiting account is tried now. `false` when there is nothing to do. */
  reconnect(account: AccountId): boolean {
    const kept = this.#kept.get(account)
    if (kept?.state.kind === 'online') return kept.adapter.session(kept.account).retry?.() === true
    kept?.wake?.abort()
    return kept?.wake !== undefined
  }

  stateOf(account: AccountId): SessionState | undefined {
    return this.#kept.get(account)?.state
  }

  states(): readonly { readonly account: Account; readonly state: SessionState }[] {
    return [...this.#kept.values()].map(({ account, state }) => ({ account, state }))
  }

  /** Those that are kept away, too. */
  #known(account: Account): Kept | undefined {
    const known = this.#kept.get(account.id)
    const adapter = this.#deps.adapters.get(account.network)
    if (known !== undefined || adapter === undefined) return known
    if (adapter.role !== 'joins' && !adapter.ownAccounts().some(({ id }) => id === account.id)) return undefined
    const ending = new AbortController()
    ending.abort()
    const kept: Kept = {
      account,
      adapter,
      state: { kind: 'offline' },
      ending,
      lost: undefined,
      wake: undefined,
      loop: undefined,
    }
    this.#kept.set(account.id, kept)
    return kept
  }

  async #run(kept: Kept, ending: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    const ended = (): boolean => ending.aborted
    const { stableMs } = this.#deps.supervision(kept.account.network)
    let failures = 0
    while (!ended()) {
      await this.#turn(kept.account.network, ending)
      if (ended()) break
      const obstacle = this.#deps.obstacle?.(kept.account.id)
      if (obstacle !== undefined) {
        failures = await this.#wait(kept, obstacle, failures, 0)
        continue
      }
      this.#set(kept, { kind: 'connecting', attempt: failures + 1 })
      const lost = new AbortController()
      kept.lost = (fault) => lost.abort(fault)
      let attempt = await this.#attempt(kept)
      if (attempt.kind === 'online') {
        const since = clock.now()
        const { state } = kept.adapter.session(kept.account)
        if (state.kind === 'online') await anyAborted(lost.signal, ending)
        if (clock.now() - since >= stableMs) failures = 0
        const fault = lost.signal.aborted ? (lost.signal.reason as Fault) : 'fault' in state ? state.fault : LOST
        attempt = { kind: 'failed', fault, askedMs: 0 }
      }
      kept.lost = undefined
      if (ended()) break
      this.#deps.metrics.count('session_faults', { network: kept.account.network, code: attempt.fault.code })
      failures = await this.#wait(kept, attempt.fault, failures + 1, attempt.askedMs)
    }
    await this.#close(kept)
    this.#set(kept, { kind: 'offline' })
  }

  /** Waits as the fault demands. Answers how many failures count from now on. */
  async #wait(kept: Kept, fault: Fault, failures: number, askedMs: number): Promise<number> {
    const { clock, random, supervision } = this.#deps
    const wake = new AbortController()
    kept.wake = wake
    if (NEEDS_A_PERSON[fault.code]) {
      this.#set(kept, { kind: 'stopped', fault })
      await anyAborted(wake.signal, kept.ending.signal)
    } else {
      const wait = backoffMs(supervision(kept.account.network).backoff, failures, random(), askedMs)
      this.#set(kept, { kind: 'waiting', until: clock.now() + wait, fault })
      await clock.sleep(wait, AbortSignal.any([wake.signal, kept.ending.signal]))
    }
    kept.wake = undefined
    return wake.signal.aborted ? 0 : failures
  }

  /** One attempt with a deadline, even when the session does not heed its signal. */
  async #attempt(kept: Kept): Promise<Attempt> {
    const { clock, supervision, metrics } = this.#deps
    const { connectTimeoutMs } = supervision(kept.account.network)
    metrics.count('connect_attempts', { network: kept.account.network })
    const giveUp = new AbortController()
    const settled = new AbortController()
    const connecting = kept.adapter
      .session(kept.account)
      .connect(giveUp.signal)
      .then((): Attempt => {
        if (!giveUp.signal.aborted) this.#set(kept, { kind: 'online', since: clock.now() })
        return { kind: 'online' }
      }, failed)
      .finally(() => settled.abort())
    const watching = async (): Promise<Attempt> => {
      await clock.sleep(connectTimeoutMs, AbortSignal.any([settled.signal, kept.ending.signal]))
      if (settled.signal.aborted) return connecting
      giveUp.abort()
      await clock.sleep(GRACE_MS, settled.signal)
      return tooLate(connectTimeoutMs)
    }
    const attempt = await Promise.race([connecting, watching()])
    if (!giveUp.signal.aborted) return attempt
    await this.#close(kept)
    return tooLate(connectTimeoutMs)
  }

  async #close(kept: Kept): Promise<void> {
    const closed = new AbortController()
    const closing = kept.adapter
      .session(kept.account)
      .close()
      .catch((error: unknown) => {
        this.#deps.log.warn({ account: kept.account.id, error: String(error) }, 'session did not close cleanly')
      })
      .finally(() => closed.abort())
    await Promise.race([closing, this.#deps.clock.sleep(GRACE_MS, closed.signal)])
  }

  /** Holds back until it is this network's turn for another attempt. */
  async #turn(network: NetworkId, signal: AbortSignal): Promise<void> {
    const now = this.#deps.clock.now()
    const start = Math.max(now, this.#nextStart.get(network) ?? now)
    this.#nextStart.set(network, start + SPACING_MS)
    if (start > now) await this.#deps.clock.sleep(start - now, signal)
  }

  #set(kept: Kept, state: SessionState): void {
    const before = kept.state
    if (before.kind === state.kind && (state.kind === 'online' || state.kind === 'offline')) return
    kept.state = state
    this.#tell(kept.account, state)
    this.#deps.changed(kept.account.id, state)
  }

  #tell(account: Account, state: SessionState): void {
    const { log, metrics, clock } = this.#deps
    const about = { account: account.id, network: account.network }
    metrics.gauge('session_online', state.kind === 'online' ? 1 : 0, about)
    switch (state.kind) {
      case 'offline':
        log.info(about, 'signed out')
        return
      case 'connecting':
        log.debug({ ...about, attempt: state.attempt }, 'signing in')
        return
      case 'online':
        log.info(about, 'signed in')
        return
      case 'waiting': {
        const seconds = Math.round((state.until - clock.now()) / 100) / 10
        log.warn({ ...about, ...wordsOf(state.fault), seconds }, 'not connected, will try again')
        return
      }
      case 'stopped':
        log.error({ ...about, ...wordsOf(state.fault) }, 'not connected, needs you: mend it, then reconnect')
        return
    }
  }
}

const wordsOf = ({ code, detail }: Fault) => ({ code, detail })

const failed = (error: unknown): Attempt =>
  error instanceof SessionFault
    ? { kind: 'failed', fault: error.fault, askedMs: error.retryAfter ?? 0 }
    : { kind: 'failed', fault: { code: 'protocol', detail: `unexpected failure: ${String(error)}` }, askedMs: 0 }

const tooLate = (ms: number): Extract<Attempt, { kind: 'failed' }> => ({
  kind: 'failed',
  fault: { code: 'network', detail: `no answer within ${Math.ceil(ms / 1000)} s: check the address and the network` },
  askedMs: 0,
})

/** Leaves no listener behind: one of the signals may live as long as the daemon. */
const anyAborted = (...signals: readonly AbortSignal[]): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', finish)
      resolve()
    }
    if (signals.some((signal) => signal.aborted)) resolve()
    else for (const signal of signals) signal.addEventListener('abort', finish)
  })
