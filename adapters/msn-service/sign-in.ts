/** Whether a password is right: throttled, without telling accounts that exist from those that do not. */
import type { AccountBook } from './accounts.ts'
import { Gate, hashPassword, HASHES_AT_ONCE, isPassword, MAX_WAITING, Verifiers, type Cost } from './passwords.ts'
import { Throttle, type ThrottleOptions } from './throttle.ts'

export interface SignInOptions {
  readonly book: AccountBook
  readonly throttle: ThrottleOptions
  /** Milliseconds. */
  readonly now: () => number
  /** Of the hash that is computed for accounts that do not exist. */
  readonly cost?: Cost
}

export class SignIn {
  readonly #book: AccountBook
  readonly #now: () => number
  readonly #cost: Cost | undefined
  readonly #gate = new Gate(HASHES_AT_ONCE, MAX_WAITING)
  readonly #verifiers = new Verifiers()
  readonly #throttle: Throttle
  /** Compared against when there is no such account, so that the answer takes as long. */
  #decoy: Promise<string> | undefined

  constructor({ book, throttle, now, cost }: SignInOptions) {
    this.#book = book
    this.#now = now
    this.#cost = cost
    this.#throttle = new Throttle(throttle)
  }

  /** `email` in lower case. Rejects when the password cannot be read. */
  async verify(email: string, password: string, address: string): Promise<'right' | 'wrong' | 'throttled'> {
    if (this.#throttle.holds(email, address, this.#now())) return 'throttled'
    const right =
      this.#verifiers.check(email, password) === true ||
      (await this.#gate.run(() => this.#attempt(email, password, address)))
    if (right === undefined) return 'throttled'
    if (right) this.#throttle.succeeded(email, address)
    return right ? 'right' : 'wrong'
  }

  /** undefined: so many others have failed while this one waited for its turn that it must wait longer. */
  async #attempt(email: string, password: string, address: string): Promise<boolean | undefined> {
    if (this.#throttle.holds(email, address, this.#now())) return undefined
    const right = await this.#compare(email, password)
    if (!right) this.#throttle.failed(email, address, this.#now())
    return right
  }

  /** It is another one from now on, and known to be right. */
  passwordSet(email: string, password: string): void {
    this.forget(email)
    this.#verifiers.learn(email, password)
  }

  /** The account is gone. */
  forget(email: string): void {
    this.#verifiers.forget(email)
    this.#throttle.forget(email)
  }

  async #compare(email: string, password: string): Promise<boolean> {
    // Only a right one is spared the hash: a quick no would tell that the account exists.
    if (this.#verifiers.check(email, password) === true) return true
    const stored = await this.#book.passwordHash(email)
    if (stored === undefined) {
      this.#decoy ??= hashPassword('', this.#cost)
      await isPassword(password, await this.#decoy)
      return false
    }
    const right = await isPassword(password, stored)
    // A new password may have been set while this one was hashed.
    if (right && (await this.#book.passwordHash(email)) === stored) this.#verifiers.learn(email, password)
    return right
  }
}
