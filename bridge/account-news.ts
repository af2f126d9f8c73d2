/** Tells people what becomes of their accounts, where they live: one line for each change, and never a storm of them. */
import type { Account, Clock, Logger, Metrics } from './adapter.ts'
import { accountName, accountState, FAULT_WORDS, remedy } from './fault-words.ts'
import type { AccountState, Outbound } from './model/events.ts'
import type { AccountId, NetworkId, PersonId } from './model/ids.ts'
import type { Fault, SessionState } from './model/result.ts'
import { plain } from './model/text.ts'
import type { Store } from './store/port.ts'

export type News = Extract<Outbound, { kind: 'status' }>

export interface AccountNewsDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly store: Pick<Store, 'accountFacts' | 'setAccountFact'>
  /** `undefined`: nobody's, such as a bot, or not there any more. */
  readonly account: (id: AccountId) => Account | undefined
  /** Whether its password was given by `login`; else it stands in the config. */
  readonly takesLogin: (id: AccountId) => boolean
  /** An outage is told when it has lasted so long. */
  readonly noticeAfterMs: (network: NetworkId) => number
  /** Says it where its person lives; nowhere: nothing happens. Rejects when it could not be stored. */
  readonly tell: (person: PersonId, news: News) => Promise<void>
}

/** So many outages within `FLAPPING_MS` are told; with the next they hear that it comes and goes, and then nothing ... */
export const FLAPPING_TIMES = 3
const FLAPPING_MS = 60 * 60_000
/** ... until it has been connected for so long. Milliseconds. */
export const STABLE_MS = 30 * 60_000
/** The fact that says what was told last, so that a restart does not tell it again. */
const TOLD = 'news'

const STATES: readonly AccountState[] = [
  'CONNECTING',
  'CONNECTED',
  'TRANSIENT_DISCONNECT',
  'BAD_CREDENTIALS',
  'LOGGED_OUT',
  'UNKNOWN_ERROR',
]

interface Watched {
  state: AccountState
  /** Its session has been heard of since the start. */
  seen: boolean
  /** What its person believes. CONNECTING: they wait to hear how it ends. */
  told: AccountState
  /** Why it was not connected last. */
  fault: Fault | undefined
  /** When outages were told, oldest first. */
  outages: readonly number[]
  /** They were told that it comes and goes. */
  flapping: boolean
  /** Ends the wait before an outage, or a return, is told. */
  later: AbortController | undefined
}

export class AccountNews {
  readonly #deps: AccountNewsDeps
  readonly #watched = new Map<AccountId, Watched>()
  readonly #pending = new Set<Promise<void>>()
  #stopped = false

  constructor(deps: AccountNewsDeps) {
    this.#deps = deps
  }

  /** Remembers what was told before the restart. */
  async start(accounts: readonly AccountId[]): Promise<void> {
    for (const id of accounts) {
      const fact = (await this.#deps.store.accountFacts(id)).get(TOLD)
      const told = STATES.find((state) => state === fact)
      if (told !== undefined) this.#of(id).told = told
    }
  }

  /** Every change of a session's state. `answered`: somebody asked for it, and hears of it in the answer. */
  changed(id: AccountId, state: SessionState, answered = false): void {
    if (this.#stopped || this.#deps.account(id) === undefined) return
    const watched = this.#of(id)
    const { state: before, seen: wasSeen } = watched
    watched.seen = true
    const now = accountState(state)
    // An attempt to come back is still the same outage.
    if (now !== 'CONNECTING' || before !== 'TRANSIENT_DISCONNECT') watched.state = now
    if ('fault' in state) watched.fault = state.fault
    this.#measure()
    if (answered) {
      this.#cancel(watched)
      this.#believe(id, watched, now)
      return
    }
    switch (state.kind) {
      case 'connecting':
        // It had stopped: somebody wants it back, and waits to hear.
        if (wasSeen && NEEDS_THEM.has(before)) watched.told = 'CONNECTING'
        this.#lost(id, watched)
        return
      case 'waiting':
        this.#lost(id, watched)
        return
      case 'online':
        this.#back(id, watched)
        return
      case 'stopped':
        this.#cancel(watched)
        this.#tell(id, watched, now)
        return
      case 'offline':
        // Whoever asked for that was answered.
        this.#cancel(watched)
        this.#believe(id, watched, now)
        return
    }
  }

  /** The account is there no more. */
  forget(id: AccountId): void {
    const watched = this.#watched.get(id)
    if (watched !== undefined) this.#cancel(watched)
    this.#watched.delete(id)
    this.#measure()
  }

  /** No news comes after this. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const watched of this.#watched.values()) this.#cancel(watched)
    await Promise.all(this.#pending)
  }

  #of(id: AccountId): Watched {
    const known = this.#watched.get(id)
    if (known !== undefined) return known
    const watched: Watched = {
      state: 'LOGGED_OUT',
      seen: false,
      told: 'CONNECTED',
      fault: undefined,
      outages: [],
      flapping: false,
      later: undefined,
    }
    this.#watched.set(id, watched)
    return watched
  }

  #lost(id: AccountId, watched: Watched): void {
    if (watched.told !== 'CONNECTED' && watched.told !== 'CONNECTING') {
      // They know; what was to be told was that it is back.
      this.#cancel(watched)
      return
    }
    const network = this.#deps.account(id)?.network
    if (watched.later !== undefined || network === undefined) return
    this.#after(watched, this.#deps.noticeAfterMs(network), () => {
      const now = this.#deps.clock.now()
      watched.outages = [...watched.outages.filter((at) => now - at < FLAPPING_MS), now]
      watched.flapping = watched.outages.length > FLAPPING_TIMES
      this.#tell(id, watched, 'TRANSIENT_DISCONNECT')
    })
  }

  #back(id: AccountId, watched: Watched): void {
    this.#cancel(watched)
    if (!watched.flapping) {
      this.#tell(id, watched, 'CONNECTED')
      return
    }
    this.#after(watched, STABLE_MS, () => {
      watched.flapping = false
      watched.outages = []
      this.#tell(id, watched, 'CONNECTED')
    })
  }

  #after(watched: Watched, ms: number, then: () => void): void {
    const later = new AbortController()
    watched.later = later
    const waiting = this.#deps.clock.sleep(ms, later.signal).then(() => {
      this.#pending.delete(waiting)
      if (later.signal.aborted) return
      watched.later = undefined
      then()
    })
    this.#pending.add(waiting)
  }

  #cancel(watched: Watched): void {
    watched.later?.abort()
    watched.later = undefined
  }

  #tell(id: AccountId, watched: Watched, state: AccountState): void {
    const account = this.#deps.account(id)
    if (account === undefined || watched.told === state) return
    const news = newsOf(account, watched, state, this.#deps.takesLogin(id))
    this.#believe(id, watched, state)
    this.#deps.tell(account.person, news).catch((error: unknown) => {
      this.#deps.log.warn({ account: id, error: String(error) }, 'a notice could not be stored')
    })
  }

  #believe(id: AccountId, watched: Watched, state: AccountState): void {
    if (watched.told === state) return
    watched.told = state
    // At worst it is told once more after a restart.
    this.#deps.store.setAccountFact(id, TOLD, state).catch((error: unknown) => {
      this.#deps.log.debug({ account: id, error: String(error) }, 'what was told cannot be remembered')
    })
  }

  #measure(): void {
    const counts = new Map<AccountState, number>()
    for (const { state } of this.#watched.values()) counts.set(state, (counts.get(state) ?? 0) + 1)
    for (const state of STATES) this.#deps.metrics.gauge('account_state', counts.get(state) ?? 0, { state })
  }
}

/** A person must act: nothing else brings it back. */
const NEEDS_THEM: ReadonlySet<AccountState> = new Set(['BAD_CREDENTIALS', 'LOGGED_OUT', 'UNKNOWN_ERROR'])

const newsOf = (account: Account, watched: Watched, state: AccountState, takesLogin: boolean): News => {
  const { id, network, login } = account
  const elsewhere = state === 'LOGGED_OUT'
  return {
    kind: 'status',
    text: plain(newsText(account, watched, state, takesLogin)),
    about: { account: id, network, login, state },
    ...(NEEDS_THEM.has(state) ? { mention: true } : {}),
    ...(elsewhere ? { choices: [{ key: '🔄', words: 'take it back', line: `reconnect ${id}` }] } : {}),
  }
}

const newsText = (account: Account, watched: Watched, state: AccountState, takesLogin: boolean): string => {
  const { fault, told, flapping, outages } = watched
  const name = accountName(account)
  const why =
    fault === undefined
      ? 'the network does not answer'
      : takesLogin && account.secret === ''
        ? 'its stored password cannot be read any more'
        : FAULT_WORDS[fault.code]
  switch (state) {
    case 'CONNECTED':
      return told === 'CONNECTING' ? `${name} is connected.` : `${name} is connected again.`
    case 'TRANSIENT_DISCONNECT':
      return flapping
        ? `${name} comes and goes (${outages.length} times within an hour): ${why}. I keep trying, and tell you when it has held for ${STABLE_MS / 60_000} minutes.`
        : `${name} is not connected: ${why}. I keep trying; messages wait.`
    case 'CONNECTING':
    case 'BAD_CREDENTIALS':
    case 'LOGGED_OUT':
    case 'UNKNOWN_ERROR':
      return `${name} is not connected: ${why}. Messages wait. ${fault === undefined ? '' : remedy(account, fault, takesLogin)}`.trimEnd()
  }
}
