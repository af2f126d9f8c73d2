import type { LoginHttpOptions, LoginResult } from './login-http.ts'
import { PassportClient } from './passport-client.ts'
import { RstClient } from './rst-client.ts'

/**
 * Where passwords become tickets. `nexus` is asked for the login page of Passport 1.4, `login` is that page, `rst` that of
 * later clients. With `rst` and another: the other is asked where there is no RST.
 */
export type LoginPages =
  | { readonly nexus: string; readonly rst?: string | undefined }
  | { readonly login: string; readonly rst?: string | undefined }
  | { readonly rst: string }

export interface LoginOptions extends LoginHttpOptions {
  readonly passport: LoginPages
  readonly login: string
  readonly password: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** One way to log in, or one and then another. */
export class Login {
  readonly #rst: RstClient | undefined
  readonly #passport: PassportClient | undefined
  /** There is no RST here: it is not asked for again. */
  #rstIsMissing = false

  constructor(options: LoginOptions) {
    const { passport: pages } = options
    this.#rst = pages.rst === undefined ? undefined : new RstClient({ ...options, rst: pages.rst })
    this.#passport =
      'nexus' in pages
        ? new PassportClient({ ...options, passport: { nexus: pages.nexus } })
        : 'login' in pages
          ? new PassportClient({ ...options, passport: { login: pages.login } })
          : undefined
  }

  /** `policy` is what came with `USR n TWN S`. Never rejects. */
  async ticket(policy: string, signal?: AbortSignal): Promise<LoginResult> {
    if (this.#rst === undefined || (this.#rstIsMissing && this.#passport !== undefined)) {
      return this.#passport?.ticket(policy, signal) ?? { kind: 'protocol', detail: 'no login page is configured' }
    }
    const result = await this.#rst.ticket(policy, signal)
    if (this.#passport === undefined || !isMissing(result)) return result
    this.#rstIsMissing = true
    return this.#passport.ticket(policy, signal)
  }
}

/** Whether another way may do better. A wrong password is wrong everywhere, and each try counts. */
function isMissing({ kind }: LoginResult): boolean {
  switch (kind) {
    case 'protocol':
    case 'unreachable':
    case 'tls':
    case 'timeout':
      return true
    case 'ticket':
    case 'bad-credentials':
    case 'busy':
    case 'aborted':
      return false
  }
}
