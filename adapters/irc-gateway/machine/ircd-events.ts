/** What goes into an IrcdMachine and what comes out of it. */
import type { Rate } from '../../../sansio/rate.ts'
import type { Cap } from '../wire/caps.ts'
import { ISUPPORT_LIMITS, type IsupportLimits } from '../wire/isupport.ts'
import type { ClientLine } from '../wire/line.ts'
import type { ServerMessage } from '../wire/message.ts'

/** Milliseconds and bytes. */
export interface IrcdLimits {
  /** From the connection to the end of the registration. */
  readonly registerMs: number
  /** Silence after which the client is asked whether it is there, and how long its answer may take. */
  readonly pingMs: number
  readonly pingTimeoutMs: number
  /** A client's line with CR LF, without its tags; and the tags with `@` and blank. Longer ones give 417. */
  readonly maxLineBytes: number
  readonly maxTagBytes: number
  /** Lines of one client: people paste, so more are read later. PING, PONG and QUIT do not count. */
  readonly lineRate: Rate
  /** Lines that wait because of `lineRate` or for a password to be checked; more end the connection. */
  readonly maxPendingLines: number
  readonly maxPendingBytes: number
  /** Base64 of one AUTHENTICATE exchange; more gives 905. */
  readonly maxSaslBytes: number
  /** What 005 promises; the network's name comes from the options. */
  readonly advertised: IsupportLimits
}

export const IRCD_LIMITS: IrcdLimits = {
  registerMs: 60_000,
  pingMs: 90_000,
  pingTimeoutMs: 60_000,
  maxLineBytes: 512,
  maxTagBytes: 8_191,
  lineRate: { burst: 60, intervalMs: 50 },
  maxPendingLines: 2_000,
  maxPendingBytes: 512 * 1024,
  maxSaslBytes: 4_096,
  advertised: ISUPPORT_LIMITS,
}

export interface IrcdOptions {
  /** Our name on the wire: "msn-bridge.local". */
  readonly server: string
  readonly network: string
  readonly version: string
  readonly createdAt: number
  /** Lower case: nicks of our own, which no client has before it is known who it is. */
  readonly ownNicks: ReadonlySet<string>
  /** Of the peer, for the host part of its mask. */
  readonly address: string
  /** No lines: 422. */
  readonly motd: readonly string[]
  /** Whether the connection is encrypted: WHOIS says so (671), whoever answers it. */
  readonly tls: boolean
  readonly limits: IrcdLimits
}

export type IrcdCommand =
  | { readonly kind: 'send'; readonly messages: readonly ServerMessage[] }
  /**
   * Answers `credentials`. A `nick` other than the client's own becomes theirs right after the welcome ('': they keep
   * their own). `mask` "nick!user@host" gives user and host instead of what the client and its address say.
   */
  | { readonly kind: 'authenticated'; readonly account: string; readonly nick: string; readonly mask?: string }
  /** Answers `credentials`. A wrong PASS ends the connection; SASL may be tried again with `retry`. */
  | { readonly kind: 'rejected'; readonly detail: string; readonly retry: boolean }
  /** `:old!user@host NICK new`; `told`: that line is on its way already, as a part of an answer. */
  | { readonly kind: 'rename'; readonly nick: string; readonly told?: boolean }
  /** `PING :token`; its PONG gives `confirmed`: the client has what was sent before. */
  | { readonly kind: 'confirm'; readonly token: string }
  /** `ERROR :Closing link: (user@host) [reason]`, and the end. No `quit` follows. */
  | { readonly kind: 'close'; readonly reason: string }

export type IrcdEvent =
  /** Nothing more is read before the answer but PING, PONG and QUIT. */
  | { readonly kind: 'credentials'; readonly by: 'sasl' | 'pass'; readonly account: string; readonly password: string }
  /** The welcome is written: what is sent now comes after it. */
  | {
      readonly kind: 'registered'
      readonly nick: string
      readonly username: string
      readonly realname: string
      readonly account: string | undefined
    }
  /** Every command after the registration that the machine does not answer itself, in order. */
  | { readonly kind: 'line'; readonly line: ClientLine }
  /** After each change. */
  | { readonly kind: 'caps'; readonly enabled: ReadonlySet<Cap> }
  | { readonly kind: 'confirmed'; readonly token: string }
  /** A registered client is gone, by its own words or as seen from here. The connection closes. */
  | { readonly kind: 'quit'; readonly reason: string }
