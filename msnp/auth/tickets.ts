import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Tickets } from '../service/contract.ts'

/** Unused tickets that are remembered; beyond it the oldest is forgotten, and its owner logs in again. */
export const MAX_TICKETS = 50_000
const TICKET_BYTES = 30

export interface TicketOptions {
  /** Milliseconds that a ticket is good for. */
  readonly lifetimeMs: number
  /** So many bytes that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array
  readonly max?: number
}

/**
 * Tickets of the login page: `t=...&p=`, good once, for one account, for a short time. Only a digest is kept, so that
 * neither a dump of the memory nor the time a comparison takes gives one away. What stands behind the secret is not looked
 * at: some clients show the rest of the login page's answer with it, others `&amp;` as RST writes it. Source: docs/protocol.md,
 * Passport.
 */
export class TicketBook implements Tickets {
  readonly #options: TicketOptions
  /** By digest, in order of expiry, because all live equally long. */
  readonly #unused = new Map<string, { readonly email: string; readonly until: number }>()

  constructor(options: TicketOptions) {
    this.#options = options
  }

  /** Tickets that wait to be used. */
  get size(): number {
    return this.#unused.size
  }

  mint(email: string, now: number): string {
    this.#forgetExpired(now)
    const secret = Buffer.from(this.#options.random(TICKET_BYTES)).toString('base64url')
    this.#unused.set(digest(secret), { email: email.toLowerCase(), until: now + this.#options.lifetimeMs })
    return `t=${secret}&p=`
  }

  redeem(email: string, ticket: string, now: number): boolean {
    const key = digest(/^t=([^&]*)&/.exec(ticket)?.[1] ?? '')
    const found = this.#unused.get(key)
    if (found === undefined) return false
    if (found.until <= now) {
      this.#unused.delete(key)
      return false
    }
    if (found.email !== email.toLowerCase()) return false
    return this.#unused.delete(key)
  }

  /** All tickets of an account become worthless, e.g. because its password changed. */
  revoke(email: string): void {
    const lower = email.toLowerCase()
    for (const [key, entry] of this.#unused) if (entry.email === lower) this.#unused.delete(key)
  }

  #forgetExpired(now: number): void {
    const max = this.#options.max ?? MAX_TICKETS
    for (const [key, entry] of this.#unused) {
      if (entry.until > now && this.#unused.size < max) return
      this.#unused.delete(key)
    }
  }
}

const digest = (secret: string): string => createHash('sha256').update(secret).digest('base64')
