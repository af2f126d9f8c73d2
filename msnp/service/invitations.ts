import { Buffer } from 'node:buffer'

/** Invitations that nobody has used yet, in all. When there is no room for another, none is given (707, or 713 for CAL). */
export const MAX_INVITATIONS = 100_000

export interface InvitationOptions {
  /** Milliseconds that an invitation is good for. */
  readonly lifetimeMs: number
  readonly random: (bytes: number) => Uint8Array
  readonly max?: number
}

interface Entry<Room> {
  readonly email: string
  readonly room: Room
  readonly until: number
}

/** CKI tokens: good once, for one account, for a while. `Room` is where they lead. */
export class Invitations<Room> {
  readonly #options: InvitationOptions
  /** By ticket, in order of expiry, because all live equally long. */
  readonly #open = new Map<string, Entry<Room>>()
  readonly #byEmail = new Map<string, Set<string>>()

  constructor(options: InvitationOptions) {
    this.#options = options
  }

  /** undefined: there are too many. The form is the one that clients know: `17262740.1050826919.32308`. */
  mint(email: string, room: Room, now: number): string | undefined {
    for (const [ticket, entry] of this.#open) {
      if (entry.until > now) break
      this.revoke(ticket)
    }
    if (this.#open.size >= (this.#options.max ?? MAX_INVITATIONS)) return undefined
    const random = Buffer.from(this.#options.random(16))
    const ticket = [0, 4, 8, 12].map((at) => random.readUInt32LE(at)).join('.')
    this.#open.set(ticket, { email, room, until: now + this.#options.lifetimeMs })
    const own = this.#byEmail.get(email)
    if (own === undefined) this.#byEmail.set(email, new Set([ticket]))
    else own.add(ticket)
    return ticket
  }

  /** Uses it up. undefined: it is unknown, used, too old or somebody else's. `email` in lower case. */
  redeem(email: string, ticket: string, now: number): { readonly room: Room } | undefined {
    const entry = this.#open.get(ticket)
    if (entry === undefined || entry.email !== email) return undefined
    this.revoke(ticket)
    return entry.until > now ? entry : undefined
  }

  revoke(ticket: string): void {
    const entry = this.#open.get(ticket)
    if (entry === undefined) return
    this.#open.delete(ticket)
    const own = this.#byEmail.get(entry.email)
    own?.delete(ticket)
    if (own?.size === 0) this.#byEmail.delete(entry.email)
  }

  /** Of an account that signed out; gives where they would have led. */
  revokeAll(email: string): readonly Room[] {
    const tickets = [...(this.#byEmail.get(email) ?? [])]
    return tickets.flatMap((ticket) => {
      const entry = this.#open.get(ticket)
      this.revoke(ticket)
      return entry === undefined ? [] : [entry.room]
    })
  }
}
