/** Accounts of the gateway: names and hashed passwords, in the adapter's state. */
import type { AdapterState } from '../../bridge/adapter.ts'
import type { UserId } from '../../bridge/model/ids.ts'
import { hashPassword } from '../../bridge/passwords.ts'
import { parseNick } from '../../irc/casemap.ts'
import type { UserResult } from './root/deps.ts'

/** Whether a password is right; throttled. */
export interface PasswordDesk {
  verify(user: string, password: string, address: string): Promise<'right' | 'wrong' | 'throttled'>
  /** It is another one from now on. */
  passwordSet(user: string, password: string): void
  forget(user: string): void
}

export interface UsersOptions {
  readonly state: AdapterState
  readonly desk: PasswordDesk
  readonly register: 'open' | 'closed'
  readonly max: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const PREFIX = 'user/'
/** It becomes the first part of an address, too. Bytes. */
const MAX_NAME = 32
/** As long as the MSN login takes them. */
const MAX_PASSWORD = 128
const NAMES_KEPT: ReadonlySet<string> = new Set(['root', 'nickserv', 'bridge'])

/** The hash behind a name, for whoever checks passwords. */
export const hashOf = async (state: Pick<AdapterState, 'get'>, user: string): Promise<string | undefined> => {
  const row = await state.get(PREFIX + user)
  return row === undefined ? undefined : (JSON.parse(row) as { readonly hash: string }).hash
}

export class Users {
  readonly #options: UsersOptions
  readonly #names = new Set<UserId>()
  /** Names that are being made. */
  readonly #making = new Set<UserId>()

  constructor(options: UsersOptions) {
    this.#options = options
  }

  async load(): Promise<void> {
    for (const [key] of await this.#options.state.list(PREFIX)) this.#names.add(key.slice(PREFIX.length) as UserId)
  }

  get size(): number {
    return this.#names.size
  }

  names(): Iterable<UserId> {
    return this.#names
  }

  has(user: UserId): boolean {
    return this.#names.has(user)
  }

  /** Durable when it resolves. */
  async register(name: string, password: string): Promise<UserResult> {
    const { register, max, desk } = this.#options
    const user = nameOf(name)
    if (typeof user !== 'string') return refused(`${user.wrong}. Say: register NAME PASSWORD`)
    if (register === 'closed')
      return refused('Nobody can make an account here: the operator has closed that. Ask them for one.')
    if (this.#names.has(user) || this.#making.has(user))
      return refused(`There is an account ${user} already. If it is yours: identify ${user} PASSWORD`)
    const wrong = passwordProblem(password)
    if (wrong !== undefined) return refused(wrong)
    if (this.#names.size + this.#making.size >= max)
      return refused('There are as many accounts as the operator allows.')
    this.#making.add(user)
    try {
      await this.#put(user, password)
      this.#names.add(user)
    } finally {
      this.#making.delete(user)
    }
    desk.passwordSet(user, password)
    return { kind: 'done', user }
  }

  async identify(name: string, password: string, address: string): Promise<UserResult> {
    const user = nameOf(name)
    if (typeof user !== 'string') return refused(user.wrong)
    switch (await this.#options.desk.verify(user, password, address)) {
      case 'right':
        return { kind: 'done', user }
      case 'wrong':
        return refused('Wrong name or password.')
      case 'throttled':
        return refused('Too many wrong passwords. Try again in a few minutes.')
    }
  }

  /** Durable when it resolves. */
  async setPassword(user: UserId, password: string): Promise<UserResult> {
    const wrong = this.#names.has(user) ? passwordProblem(password) : `There is no account ${user}.`
    if (wrong !== undefined) return refused(wrong)
    await this.#put(user, password)
    this.#options.desk.passwordSet(user, password)
    return { kind: 'done', user }
  }

  /** The account only; what else is kept of them is for others to forget. Durable when it resolves. */
  async drop(user: UserId): Promise<void> {
    await this.#options.state.update([[PREFIX + user, undefined]])
    this.#names.delete(user)
    this.#options.desk.forget(user)
  }

  async #put(user: UserId, password: string): Promise<void> {
    const row = JSON.stringify({ hash: await hashPassword(password), setAt: this.#options.now() })
    await this.#options.state.update([[PREFIX + user, row]])
  }
}

const refused = (detail: string): UserResult => ({ kind: 'refused', detail })

const nameOf = (name: string): UserId | { readonly wrong: string } => {
  const user = parseNick(name)
  if (typeof user !== 'string') return user
  if (!/^[a-z0-9._-]+$/.test(user) || user.length > MAX_NAME)
    return {
      wrong: `"${name.slice(0, MAX_NAME)}" is no name for an account: up to ${MAX_NAME} of a-z, 0-9, ".", "_" and "-"`,
    }
  return NAMES_KEPT.has(user) ? { wrong: `${user} is a name of the server itself` } : user
}

const passwordProblem = (password: string): string | undefined => {
  if (password === '') return 'A password is missing.'
  if (Buffer.byteLength(password) > MAX_PASSWORD) return `That password is too long: ${MAX_PASSWORD} bytes at most.`
  return /[\0\r\n]/.test(password) ? 'That is no password.' : undefined
}
