/** Addresses of people and channels of other networks, and who may add them. */
import { randomBytes } from 'node:crypto'
import type { AdapterContext, VisitRequest } from '../../bridge/adapter.ts'
import type { NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { Introduction, Participants } from '../../msnp/index.ts'
import type { AccountBook } from './accounts.ts'
import { elsewhereOf, type Place } from './addresses.ts'
import type { MsnServiceConfig } from './config.ts'
import { Invitations } from './invitations.ts'

const HOUR_MS = 60 * 60_000
/** After a restart: when it is tried, milliseconds after the time before. */
const AGAIN_MS = [1_000, 5_000, 15_000, 60_000, 300_000]
/** The bit of FL. */
const LISTED = 1
const PERSONS = 'an account of somebody has an address of another network, so nobody can add that contact'

export interface ElsewhereOptions {
  readonly config: MsnServiceConfig
  readonly book: AccountBook
  readonly context: Pick<AdapterContext, 'visitors' | 'clock' | 'state' | 'log'>
}

export class Elsewhere {
  readonly #options: ElsewhereOptions
  readonly #invitations: Invitations
  readonly #made = new Map<string, Promise<string>>()

  constructor(options: ElsewhereOptions) {
    const { config, context } = options
    const { times = 0, hours = 1 } = config.elsewhere?.invitations ?? {}
    this.#options = options
    this.#invitations = new Invitations(context.state, context.clock, { times, withinMs: hours * HOUR_MS })
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
    if (!visitors.isFree(network, who, email, by as UserId)) return 'unknown'
    const isThere = visitors.knows(email)
    if (!isThere && (await book.isPersons(email))) {
      context.log.warn({ account: email }, PERSONS)
      return 'unknown'
    }
    if (!(await this.#invitations.take(by))) return 'too-often'
    if (!isThere && !(await visitors.exists(network, who))) return 'unknown'
    await book.bringing(email, by)
    const password = isThere ? '' : await this.#make(email, who.name, by)
    if (isThere) await visitors.expect(email, by as UserId)
    // Not before the list is written: whoever comes must find them on it.
    setImmediate(() => {
      const request = { network, who, address: email, password, by: by as UserId }
      void this.#bring(request).then(() => this.#brought(email, by))
    })
    return 'as-it-is'
  }

  /** Whom the account of a channel lets take part in its conversations: people of the same network. */
  participants(email: string): Participants | undefined {
    const { domain, elsewhere } = this.#options.config
    const place = elsewhereOf(email, domain)
    if (elsewhere === undefined || elsewhere.participants === 0 || !isChannel(place)) return undefined
    return { most: elsewhere.participants, domain: `${place.label}.${domain}` }
  }

  /** What a restart has cut short. The networks may not be there yet, so each is tried a few times. */
  async resume(signal: AbortSignal): Promise<void> {
    const { book } = this.#options
    await this.#invitations.sweep()
    for (const email of await this.#persons()) this.#options.context.log.warn({ account: email }, PERSONS)
    const visits = await book.visits()
    await Promise.all(visits.map((visit) => this.#again(visit, signal)))
  }

  /** Accounts that people have under addresses of networks that are `elsewhere` now. */
  async #persons(): Promise<readonly string[]> {
    const { config, book, context } = this.#options
    const persons: string[] = []
    for (const { email } of await book.all()) {
      const place = elsewhereOf(email, config.domain)
      const isTaken = config.elsewhere?.networks.some((id) => id.toLowerCase() === place?.label) === true
      if (isTaken && context.visitors?.knows(email) !== true && (await book.isPersons(email))) persons.push(email)
    }
    return persons
  }

  async #again({ email, by }: { readonly email: string; readonly by: string }, signal: AbortSignal): Promise<void> {
    const { config, book, context } = this.#options
    const { visitors, clock } = context
    const place = elsewhereOf(email, config.domain)
    const network = config.elsewhere?.networks.find((id) => id.toLowerCase() === place?.label) as NetworkId | undefined
    for (const ms of AGAIN_MS) {
      await clock.sleep(ms, signal)
      if (signal.aborted) return
      const record = await book.load(by)
      const isWanted = record?.contacts.some((contact) => contact.email === email && (contact.lists & LISTED) !== 0)
      if (place === undefined || network === undefined || visitors === undefined || isWanted !== true) break
      const who = visitors.find(network, place.local)
      if (who === undefined) continue
      const isThere = visitors.knows(email)
      if (!isThere && (await book.isPersons(email))) break
      const password = isThere ? '' : await this.#make(email, who.name, by)
      if (await this.#bring({ network, who, address: email, password, by: by as UserId })) break
    }
    await this.#brought(email, by)
  }

  async #bring(request: VisitRequest): Promise<boolean> {
    const isDone = (await this.#options.context.visitors?.bring(request)) === true
    this.#made.delete(request.address)
    return isDone
  }

  /** If that cannot be written, a restart tries once more, which is harmless. */
  async #brought(email: string, by: string): Promise<void> {
    await this.#options.book.brought(email, by).catch(() => undefined)
  }

  /** Its password: one for all who add them before the bridge has signed in, or none of them would be right. */
  #make(email: string, name: string, by: string): Promise<string> {
    const known = this.#made.get(email)
    if (known !== undefined) return known
    const password = randomBytes(24).toString('hex')
    const made = this.#options.book.addElsewhere(email, name, by, password).then(() => password)
    this.#made.set(email, made)
    made.catch(() => this.#made.delete(email))
    return made
  }
}

/** `#tea@irc.home.example`. */
const isChannel = (place: ReturnType<typeof elsewhereOf>): place is Place => place?.local.startsWith('#') === true

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
