/** The accounts of the service in the adapter's own state: `account/<address>` and `password/<address>`. */
import type { AdapterState } from '../../bridge/adapter.ts'
import { hashPassword, type Cost } from '../../bridge/passwords.ts'
import { newAccount, parseAddress, withPending, type AccountRecord } from '../../msnp/index.ts'
import type { AccountAdmin, AccountAnswer, AccountRow } from '../module.ts'
import { bridgeAddress, elsewhereOf } from './addresses.ts'

/** Bytes of an address. */
const MAX_ADDRESS_BYTES = 129
/** Characters of a password; the oldest clients send no more than 16 of them. */
const MAX_PASSWORD = 128

const RECORD = 'account/'
const PASSWORD = 'password/'
/** Of accounts that the bridge has made for people elsewhere, and whose password it knows alone. */
const MADE = 'made/'
/** Of people elsewhere who are being brought: `visit/<address> <who has added them>`. An address has no blank. */
const VISIT = 'visit/'
/** The bit of AL. */
const LET_IN = 2
/** Which form the records have; absent: that of a time before PL. */
const FORM = 'form'
const CURRENT_FORM = '2'

export interface AccountBookOptions {
  readonly state: AdapterState
  /** What an address without @ is completed with. */
  readonly domain: string
  readonly cost?: Cost
}

/** Where the records are. What it answers is on disk. */
export class AccountBook {
  readonly #options: AccountBookOptions
  /** Accounts that are being removed: nothing is written for them any more. */
  readonly #removed = new Set<string>()

  constructor(options: AccountBookOptions) {
    this.#options = options
  }

  /** Lower case, with a domain; or what is wrong with it. */
  parse(address: string): string | { readonly wrong: string } {
    return accountAddress(address, this.#options.domain)
  }

  /** The bridge makes those by itself. */
  isElsewhere(email: string): boolean {
    return elsewhereOf(email, this.#options.domain) !== undefined
  }

  /** It stands for the bridge itself. */
  isBridge(email: string): boolean {
    return email === bridgeAddress(this.#options.domain)
  }

  /** Brings what an older version wrote into the form of today, all at once. Damaged records stay as they are. */
  async upgrade(): Promise<void> {
    const { state } = this.#options
    if ((await state.get(FORM)) === CURRENT_FORM) return
    const changes: [string, string][] = [[FORM, CURRENT_FORM]]
    for (const [key, text] of await state.list(RECORD)) {
      const next = upgraded(key.slice(RECORD.length), text)
      if (next !== undefined) changes.push([key, JSON.stringify(next)])
    }
    await state.update(changes)
  }

  /** undefined: there is no such account. Rejects when it cannot be read. */
  async load(email: string): Promise<AccountRecord | undefined> {
    const text = await this.#options.state.get(RECORD + email)
    return text === undefined ? undefined : recordOf(email, text)
  }

  async save(records: readonly AccountRecord[]): Promise<void> {
    const kept = records.filter(({ email }) => !this.#removed.has(email))
    await this.#options.state.update(kept.map((record) => [RECORD + record.email, JSON.stringify(record)]))
  }

  passwordHash(email: string): Promise<string | undefined> {
    return this.#options.state.get(PASSWORD + email)
  }

  async exists(email: string): Promise<boolean> {
    return (await this.passwordHash(email)) !== undefined
  }

  async add(email: string, password: string): Promise<void> {
    const hash = await hashPassword(password, this.#options.cost)
    this.#removed.delete(email)
    await this.#options.state.update([
      [RECORD + email, JSON.stringify(newAccount(email))],
      [PASSWORD + email, hash],
    ])
  }

  /**
   * Somebody or something of another network, whom `by` has let in already on their side. Only the password is new where the
   * account is there: nobody knew it any more. Not for `isPersons`.
   */
  async addElsewhere(email: string, name: string, by: string, password: string): Promise<void> {
    const hash = await hashPassword(password, this.#options.cost)
    this.#removed.delete(email)
    const known = await this.load(email)
    const contacts = [{ email: by, name: by, lists: LET_IN, groups: [] }]
    // Whoever has not added them talks with nobody: what is said would lead nowhere.
    const record = known ?? { ...newAccount(email, name), privacy: 'BL' as const, contacts }
    await this.#options.state.update([
      [RECORD + email, JSON.stringify(record)],
      [PASSWORD + email, hash],
      [MADE + email, ''],
    ])
  }

  /** Somebody has an account there, which is older than what the address stands for now: its password is theirs. */
  async isPersons(email: string): Promise<boolean> {
    return (await this.exists(email)) && !(await this.isMade(email))
  }

  /** By the bridge, for somebody elsewhere. */
  async isMade(email: string): Promise<boolean> {
    return (await this.#options.state.get(MADE + email)) !== undefined
  }

  /** Somebody is about to be brought; until `brought`, a restart tries it again. */
  async bringing(email: string, by: string): Promise<void> {
    await this.#options.state.update([[`${VISIT}${email} ${by}`, '']])
  }

  async brought(email: string, by: string): Promise<void> {
    await this.#options.state.update([[`${VISIT}${email} ${by}`, undefined]])
  }

  /** Those who were being brought when we ended. */
  async visits(): Promise<readonly { readonly email: string; readonly by: string }[]> {
    const pairs = await this.#options.state.list(VISIT)
    return pairs.map(([key]) => {
      const [email = '', by = ''] = key.slice(VISIT.length).split(' ')
      return { email, by }
    })
  }

  async setPassword(email: string, password: string): Promise<void> {
    await this.#options.state.update([[PASSWORD + email, await hashPassword(password, this.#options.cost)]])
  }

  async remove(email: string): Promise<void> {
    this.#removed.add(email)
    await this.#options.state.update([
      [RECORD + email, undefined],
      [PASSWORD + email, undefined],
      [MADE + email, undefined],
    ])
  }

  async all(): Promise<readonly AccountRecord[]> {
    const pairs = await this.#options.state.list(RECORD)
    return pairs.map(([key, text]) => recordOf(key.slice(RECORD.length), text))
  }
}

/** Lower case, completed with the domain where it has none; or what is wrong with it. */
export function accountAddress(address: string, domain: string): string | { readonly wrong: string } {
  const word = address.trim()
  const parsed = parseAddress(word.includes('@') ? word : `${word}@${domain}`, MAX_ADDRESS_BYTES)
  if (typeof parsed === 'string') return parsed
  return { wrong: `${address} is no address: write name@${domain}, up to ${MAX_ADDRESS_BYTES} bytes` }
}

function recordOf(email: string, text: string): AccountRecord {
  const record = JSON.parse(text) as AccountRecord
  if (record.email !== email) throw new Error(`the stored account ${email} is damaged`)
  return record
}

/** undefined: it stays as it is. */
function upgraded(email: string, text: string): AccountRecord | undefined {
  try {
    const record = recordOf(email, text)
    const next = withPending(record)
    return next === record ? undefined : next
  } catch {
    return undefined
  }
}

/** What goes on beside the book when the service is running. */
export interface LiveService {
  isOnline(email: string): boolean
  /** This is the password from now on: whoever signed in with an older one is out. */
  passwordSet(email: string, password: string): void
  /** Ends the session, takes the account off the others' lists; resolves when that is on disk. */
  removed(record: AccountRecord): Promise<void>
}

/** `msn-bridge account add|list|passwd|remove`, for the book alone or for a running service. */
export class ServiceAccounts implements AccountAdmin {
  readonly #book: AccountBook
  readonly #live: LiveService
  /** Addresses of accounts that are being made. */
  readonly #adding = new Set<string>()

  constructor(book: AccountBook, live: LiveService) {
    this.#book = book
    this.#live = live
  }

  async add(address: string, password: string): Promise<AccountAnswer> {
    const email = this.#book.parse(address)
    if (typeof email !== 'string') return refused(email.wrong)
    if (this.#book.isElsewhere(email))
      return refused(`${email} is an address of another network: those are made when somebody adds them`)
    if (this.#book.isBridge(email))
      return refused(`${email} is the bridge itself: nobody can sign in with that address`)
    const wrong = passwordProblem(password)
    if (wrong !== undefined) return refused(wrong)
    // Of two at the same time the second would get the account of the first, with another password.
    if (this.#adding.has(email)) return taken(email)
    this.#adding.add(email)
    try {
      if (await this.#book.exists(email)) return taken(email)
      await this.#book.add(email, password)
    } finally {
      this.#adding.delete(email)
    }
    this.#live.passwordSet(email, password)
    return { kind: 'done', address: email }
  }

  async passwd(address: string, password: string): Promise<AccountAnswer> {
    const email = await this.#existing(address)
    if (typeof email !== 'string') return refused(email.wrong)
    if (await this.#book.isMade(email))
      return refused(`${email} is signed in by the bridge, which must know its password: it cannot be changed`)
    const wrong = passwordProblem(password)
    if (wrong !== undefined) return refused(wrong)
    await this.#book.setPassword(email, password)
    this.#live.passwordSet(email, password)
    return { kind: 'done', address: email }
  }

  async remove(address: string): Promise<AccountAnswer> {
    const email = await this.#existing(address)
    if (typeof email !== 'string') return refused(email.wrong)
    const record = await this.#book.load(email)
    await this.#book.remove(email)
    if (record !== undefined) await this.#live.removed(record)
    return { kind: 'done', address: email }
  }

  async list(): Promise<readonly AccountRow[]> {
    const all = await this.#book.all()
    const bridge = all.find(({ email }) => this.#book.isBridge(email))
    // An account of that name may be older than the contact.
    const isOurs = bridge !== undefined && !(await this.#book.exists(bridge.email))
    const records = isOurs ? all.filter((record) => record !== bridge) : all
    return records.map(({ email, name }) => ({ address: email, name, online: this.#live.isOnline(email) }))
  }

  async #existing(address: string): Promise<string | { readonly wrong: string }> {
    const email = this.#book.parse(address)
    if (typeof email !== 'string' || (await this.#book.exists(email))) return email
    return { wrong: `there is no account ${email}; msn-bridge account list shows those there are` }
  }
}

const taken = (email: string): AccountAnswer => ({
  kind: 'refused',
  wrong: `there is an account ${email} already; for a new password: msn-bridge account passwd ${email}`,
  taken: true,
})

const refused = (wrong: string): AccountAnswer => ({ kind: 'refused', wrong })

function passwordProblem(password: string): string | undefined {
  if (password === '') return 'the password is empty: choose one'
  if (password.length > MAX_PASSWORD) return `the password is too long: choose one of up to ${MAX_PASSWORD} characters`
  if (/[\0-\x1f\x7f]/.test(password)) return 'the password holds a control character, which no client can send'
  return undefined
}
