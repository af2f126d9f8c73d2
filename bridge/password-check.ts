/** Whether a password is right: throttled, without telling accounts that exist from those that do not. */
import { Gate } from './gate.ts'
import { type GuessRule, GuessThrottle } from './guess-throttle.ts'
import { type Cost, hashPassword, HASHES_AT_ONCE, isPassword, MAX_WAITING, Verifiers } from './passwords.ts'

export interface PasswordCheckOptions {
  /** As `hashPassword` made it; `undefined`: there is no such account. Rejects when it cannot be read. */
  readonly hashOf: (account: string) => Promise<string | undefined>
  readonly guesses: GuessRule
  /** Milliseconds. */
  readonly now: () => number
  /** Of the hash that is computed for accounts that do not exist. */
  readonly cost?: Cost
}

export class PasswordCheck {
  readonly #hashOf: PasswordCheckOptions['hashOf']
  readonly #now: () => number
  readonly #cost: Cost | undefined
  readonly #gate = new Gate(HASHES_AT_ONCE, MAX_WAITING)
  readonly #verifiers = new Verifiers()
  readonly #throttle: GuessThrottle
  /** Compared against when there is no such account, so that the answer takes as long. */
  #decoy: Promise<string> | undefined

  constructor({ hashOf, guesses, now, cost }: PasswordCheckOptions) {
    this.#hashOf = hashOf
    this.#now = now
    this.#cost = cost
    this.#throttle = new GuessThrottle(guesses)
  }

  /** `account` as it is kept, for example in lower case; `address`: where the attempt comes from. Rejects as `hashOf` does. */
  async verify(account: string, password: string, address: string): Promise<'right' | 'wrong' | 'throttled'> {
    if (this.#throttle.holds(account, address, this.#now())) return 'throttled'
    const right =
      this.#verifiers.check(account, password) === true ||
      (await this.#gate.ifRoom(() => this.#attempt(account, password, address)))
    if (right === undefined) return 'throttled'
    if (right) this.#throttle.succeeded(account, address)
    return right ? 'right' : 'wrong'
  }

  /** undefined: so many others have failed while this one waited for its turn that it must wait longer. */
  async #attempt(account: string, password: string, address: string): Promise<boolean | undefined> {
    if (this.#throttle.holds(account, address, this.#now())) return undefined
    const right = await this.#compare(account, password)
    if (!right) this.#throttle.failed(account, address, this.#now())
    return right
  }

  /** It is another one from now on, and known to be right. */
  passwordSet(account: string, password: string): void {
    this.forget(account)
    this.#verifiers.learn(account, password)
  }

  /** The account is gone. */
  forget(account: string): void {
    this.#verifiers.forget(account)
    this.#throttle.forget(account)
  }

  async #compare(account: string, password: string): Promise<boolean> {
    // Only a right one is spared the hash: a quick no would tell that the account exists.
    if (this.#verifiers.check(account, password) === true) return true
    const stored = await this.#hashOf(account)
    if (stored === undefined) {
      this.#decoy ??= hashPassword('', this.#cost)
      await isPassword(password, await this.#decoy)
      return false
    }
    const right = await isPassword(password, stored)
    // A new password may have been set while this one was hashed.
    if (right && (await this.#hashOf(account)) === stored) this.#verifiers.learn(account, password)
    return right
  }
}
