/** Whether the client is still there, and what it surely has: both are found out by PING. */

/** PINGs that wait for their PONG; older ones are given up. */
export const MAX_CONFIRMATIONS = 64

export class Heartbeat {
  readonly #limits: { readonly pingMs: number; readonly pingTimeoutMs: number }
  #heardAt: number
  #pingedAt: number | undefined
  #confirmations: string[] | undefined

  constructor(limits: { readonly pingMs: number; readonly pingTimeoutMs: number }, now: number) {
    this.#limits = limits
    this.#heardAt = now
  }

  /** Anything at all is a sign of life. */
  heard(now: number): void {
    this.#heardAt = now
    this.#pingedAt = undefined
  }

  /** When silence has lasted too long for what was done about it so far. */
  get until(): number {
    const { pingMs, pingTimeoutMs } = this.#limits
    return this.#pingedAt === undefined ? this.#heardAt + pingMs : this.#pingedAt + pingTimeoutMs
  }

  /** What to do about the silence; `gone` with the seconds it has lasted. */
  due(now: number): 'nothing' | 'ping' | { readonly gone: number } {
    if (this.until > now) return 'nothing'
    if (this.#pingedAt !== undefined) return { gone: Math.round((now - this.#heardAt) / 1000) }
    this.#pingedAt = now
    return 'ping'
  }

  await(token: string): void {
    const confirmations = (this.#confirmations ??= [])
    confirmations.push(token)
    if (confirmations.length > MAX_CONFIRMATIONS) confirmations.shift()
  }

  /** The token that a PONG gives back, if somebody waits for it. Clients say `PONG token` or `PONG server token`. */
  confirmed(params: readonly string[]): string | undefined {
    const confirmations = this.#confirmations ?? []
    const at = confirmations.findIndex((token) => params.includes(token))
    const token = confirmations[at]
    if (token !== undefined) confirmations.splice(at, 1)
    if (confirmations.length === 0) this.#confirmations = undefined
    return token
  }
}
