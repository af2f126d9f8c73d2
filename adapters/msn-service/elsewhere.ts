/** Addresses of people and channels of other networks, and who may add them. */
import { randomBytes } from 'node:crypto'
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { Introduction } from '../../msnp/index.ts'
import type { AccountBook } from './accounts.ts'
import { elsewhereOf } from './addresses.ts'
import type { MsnServiceConfig } from './config.ts'

/** Times of adding that are remembered, people. */
const MAX_REMEMBERED = 10_000
const HOUR_MS = 60 * 60_000

export interface ElsewhereOptions {
  readonly config: MsnServiceConfig
  readonly book: AccountBook
  readonly context: Pick<AdapterContext, 'visitors' | 'clock'>
}

export class Elsewhere {
  readonly #options: ElsewhereOptions
  readonly #times = new Map<string, readonly number[]>()

  constructor(options: ElsewhereOptions) {
    this.#options = options
  }

  /** Somebody of ours puts an address on their list. What it answers is on disk. */
  async introduce(by: string, email: string): Promise<Introduction> {
    const { config, book, context } = this.#options
    const { visitors } = context
    const place = elsewhereOf(email, config.domain)
    if (place === undefined) return 'as-it-is'
    const { elsewhere } = config
    const network = elsewhere?.networks.find((id) => id.toLowerCase() === place.label) as NetworkId | undefined
    if (elsewhere === undefined || network === undefined || visitors === undefined) return 'unknown'
    // Those who speak for others may not bring more of them.
    if (elsewhereOf(by, config.domain) !== undefined || !fits(elsewhere.people, by)) return 'unknown'
    const who = visitors.find(network, place.local)
    if (who === undefined) return 'wrong'
    if (who.kind === 'user' && who.server !== undefined && !fits(elsewhere.servers, who.server)) return 'unknown'
    if (!this.#mayInvite(by)) return 'too-often'
    const isThere = visitors.knows(email)
    const password = randomBytes(24).toString('hex')
    if (isThere) await visitors.expect(email, by as UserId)
    else await book.addElsewhere(email, who.name, by, password)
    // Not before the list is written: whoever comes must find them on it.
    setImmediate(() => visitors.bring({ network, who, address: email, password, by: by as UserId }))
    return 'as-it-is'
  }

  #mayInvite(by: string): boolean {
    const { config, context } = this.#options
    const { times = 0, hours = 1 } = config.elsewhere?.invitations ?? {}
    const now = context.clock.now()
    const recent = (this.#times.get(by) ?? []).filter((at) => now - at < hours * HOUR_MS)
    if (recent.length >= times) return false
    const [oldest] = this.#times.keys()
    if (oldest !== undefined && this.#times.size >= MAX_REMEMBERED) this.#times.delete(oldest)
    this.#times.set(by, [...recent, now])
    return true
  }
}

/** `*`, a whole name, or `*.example.org`. */
const fits = (patterns: readonly string[], name: string): boolean =>
  patterns.some((pattern) => {
    const wanted = pattern.toLowerCase()
    return (
      wanted === '*' ||
      wanted === name.toLowerCase() ||
      (wanted.startsWith('*.') && name.toLowerCase().endsWith(wanted.slice(1)))
    )
  })
