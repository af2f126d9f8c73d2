/** Tells the linked chats when an account is away for long or for good, once, and when it is back. */
import type { Account, Clock } from './adapter.ts'
import { FAULT_WORDS } from './fault-words.ts'
import type { AccountId, NetworkId } from './model/ids.ts'
import type { Fault, SessionState } from './model/result.ts'
import { plain, type RichText } from './model/text.ts'

export interface OutageDeps {
  readonly clock: Clock
  readonly account: (id: AccountId) => Account | undefined
  /** An outage is told when it has lasted so long. */
  readonly noticeAfterMs: (network: NetworkId) => number
  /** Says it in the chats that are linked through this account. */
  readonly announce: (account: AccountId, text: RichText) => void
}

interface Outage {
  fault: Fault | undefined
  told: 'nothing' | 'down' | 'stopped'
  readonly over: AbortController
}

export class OutageNotices {
  readonly #deps: OutageDeps
  readonly #outages = new Map<AccountId, Outage>()
  readonly #pending = new Set<Promise<void>>()

  constructor(deps: OutageDeps) {
    this.#deps = deps
  }

  changed(account: AccountId, state: SessionState): void {
    switch (state.kind) {
      case 'online':
        this.#over(account)
        return
      case 'connecting':
      case 'waiting':
        this.#down(account, 'fault' in state ? state.fault : undefined)
        return
      case 'stopped':
        this.#down(account, state.fault)
        this.#tell(account, 'stopped')
        return
      case 'offline':
        return
    }
  }

  /** The account is there no more. */
  forget(account: AccountId): void {
    this.#outages.get(account)?.over.abort()
    this.#outages.delete(account)
  }

  /** No notice comes after this. */
  async stop(): Promise<void> {
    for (const outage of this.#outages.values()) outage.over.abort()
    this.#outages.clear()
    await Promise.all(this.#pending)
  }

  #down(account: AccountId, fault: Fault | undefined): void {
    const known = this.#outages.get(account)
    if (known !== undefined) {
      known.fault = fault ?? known.fault
      return
    }
    const network = this.#deps.account(account)?.network
    if (network === undefined) return
    const outage: Outage = { fault, told: 'nothing', over: new AbortController() }
    this.#outages.set(account, outage)
    const waiting = this.#deps.clock.sleep(this.#deps.noticeAfterMs(network), outage.over.signal).then(() => {
      if (!outage.over.signal.aborted) this.#tell(account, 'down')
      this.#pending.delete(waiting)
    })
    this.#pending.add(waiting)
  }

  #tell(account: AccountId, what: 'down' | 'stopped'): void {
    const outage = this.#outages.get(account)
    if (outage === undefined || outage.told === what || outage.told === 'stopped') return
    outage.told = what
    const name = this.#name(account)
    const why = outage.fault === undefined ? 'it does not answer' : FAULT_WORDS[outage.fault.code]
    this.#deps.announce(
      account,
      plain(
        what === 'down'
          ? `${name} is not connected: ${why}. Messages wait until it is back.`
          : `${name} is not connected: ${why}. It stays so until somebody mends it and reconnects; messages wait.`,
      ),
    )
  }

  #over(account: AccountId): void {
    const outage = this.#outages.get(account)
    if (outage === undefined) return
    outage.over.abort()
    this.#outages.delete(account)
    if (outage.told !== 'nothing') this.#deps.announce(account, plain(`${this.#name(account)} is connected again.`))
  }

  #name(account: AccountId): string {
    const network = this.#deps.account(account)?.network
    return network === undefined || String(network) === account ? account : `${account} (${network})`
  }
}
