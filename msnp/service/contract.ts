/**
 * What the parts of the MSN service know of each other. The notification desk (lists, presence, rings) and the
 * switchboard desk (rooms, invitations) meet only here; `Host` is what whoever runs the service provides.
 */
import type { Rate } from '../../sansio/rate.ts'
import type { Dialect } from '../model/dialect.ts'
import type { PersonalMessage } from '../model/personal-message.ts'
import type { Status } from '../model/status.ts'
import type { Person } from '../session/switchboard-server-events.ts'

/** All that is kept of one account. Plain JSON; `email` is lower case and the key. */
export interface AccountRecord {
  readonly email: string
  readonly name: string
  /** List version: rises by one with every successful change. */
  readonly version: number
  readonly privacy: 'AL' | 'BL'
  readonly prompt: 'A' | 'N'
  readonly phones: Readonly<Partial<Record<PhoneCode, string>>>
  /** Group 0 always exists and is not listed here. */
  readonly groups: readonly GroupRecord[]
  readonly group0: string
  readonly contacts: readonly ContactRecord[]
  /** What they write beside their name, as they last said it; absent: nothing. */
  readonly personal?: string
}

export interface GroupRecord {
  readonly id: number
  readonly name: string
  /** The list version that made it, so that no other group ever has its GUID. Absent in older records. */
  readonly since?: number
}

export type PhoneCode = 'PHH' | 'PHW' | 'PHM' | 'MOB' | 'MBE'

export interface ContactRecord {
  readonly email: string
  readonly name: string
  /** Sum of the bits of the lists they are on. PL: they added us and we have not answered; they are on RL then, too. */
  readonly lists: number
  /** Ids of the groups of a contact on FL; never empty there: whoever is in none is in group 0. */
  readonly groups: readonly number[]
}

/** An account that was just made: nobody on its lists, everybody may see it. `email` in lower case. */
export const newAccount = (email: string, name: string = email): AccountRecord => ({
  email,
  name,
  version: 1,
  privacy: 'AL',
  prompt: 'A',
  phones: {},
  groups: [],
  group0: 'Other Contacts',
  contacts: [],
})

/** What the one who runs the service provides. Rejections are taken as 500 to the client and told through `onNotice`. */
export interface Host {
  /** throttled: too many wrong tries for this account or address. `address` is the client's IP address. */
  verifyPassword(email: string, password: string, address: string): Promise<'right' | 'wrong' | 'throttled'>
  /** undefined: there is no such account. */
  load(email: string): Promise<AccountRecord | undefined>
  /** All of them or none; resolves when they are on disk. Nothing is answered to the client before. */
  save(records: readonly AccountRecord[]): Promise<void>
  /** Somebody puts an address on their FL that was not there. It may make that account; 'as-it-is': look for it. */
  introduce?(by: string, email: string): Promise<Introduction>
  /** Whom an account may let take part in its conversations, under addresses of their own. undefined: nobody. */
  participants?(email: string): Participants | undefined
  /** Something an operator should know; never holds a secret. */
  onNotice?(notice: ServiceNotice): void
  /** Somebody came, changed or went, as those see it whom they allow to. Never throws. */
  onPresence?(seen: SeenPresence): void
}

/**
 * A contact that the service is itself: always online, under an address that nobody signs in with. It takes part in
 * conversations of two, one for each that is opened with it, and in no other.
 */
export interface Resident {
  /** As it is on disk. `host` saves it like any other. */
  readonly record: AccountRecord
  /** Somebody opens a conversation with it. `say` sends a message in it, and does nothing once it is over. */
  meets(person: Person, say: (payload: Uint8Array) => void): ResidentTalk
}

/** What the resident takes from a conversation. Never throws. */
export interface ResidentTalk {
  /** A message as it came; it may share memory with the received chunk. */
  heard(payload: Uint8Array): void
  /** Exactly once. */
  ended(): void
}

/** One of the service's people, as others see them. What they write is theirs: it never belongs in a log. */
export interface SeenPresence {
  readonly email: string
  readonly name: string
  /** undefined: offline, or hidden. */
  readonly status: Exclude<Status, 'HDN'> | undefined
  readonly clientId: string
  /** Their display picture, as XML; undefined: none, or their client knows no pictures. */
  readonly object: string | undefined
  readonly personal: PersonalMessage
}

/** At most so many in one conversation; their addresses end in `@` and the domain. */
export interface Participants {
  readonly most: number
  readonly domain: string
}

/** unknown: no such account. wrong: no address (201). too-often: later (800). */
export type Introduction = 'as-it-is' | 'unknown' | 'wrong' | 'too-often'

export type ServiceNotice =
  | {
      readonly kind: 'signed-in' | 'signed-out'
      readonly email: string
      readonly dialect: Dialect
      readonly address: string
    }
  /** `code` as in the protocol; 503: throttled by the host. */
  | { readonly kind: 'refused'; readonly email: string; readonly code: number; readonly address: string }
  | {
      readonly kind: 'violation'
      readonly where: 'DS' | 'NS' | 'SB' | 'HTTP'
      readonly detail: string
      readonly address: string
    }
  /** A connection that was cut before it said anything: there are too many, or they come too fast. */
  | { readonly kind: 'turned-away'; readonly detail: string; readonly address: string }
  | { readonly kind: 'failure'; readonly detail: string }

/** Configurable limits with their documented codes. Source: docs/protocol.md, Limits of the service. */
export interface ServiceLimits {
  /** People on FL, on AL and on BL each; more give 210. */
  readonly contacts: number
  /** Groups; more give 223. */
  readonly groups: number
  /** Bytes of a group name as it came on the wire; more give 229. */
  readonly groupNameBytes: number
  /** Bytes of a friendly name as it came on the wire; more give 209. */
  readonly nameBytes: number
  /** Bytes of a phone number as it came on the wire; more give 201. */
  readonly phoneBytes: number
  /** Bytes of an address; more give 201. */
  readonly addressBytes: number
  /** Bytes of a switchboard message; more close the switchboard connection. */
  readonly messageBytes: number
  /** Words that a friendly name may not hold (209), lower case. */
  readonly bannedWords: readonly string[]
  /** Signed-in sessions; more give 910 (and 600 to those who have not yet shown a ticket). */
  readonly sessions: number
  /** Open connections in all, and from one address. */
  readonly connections: number
  readonly connectionsPerAddress: number
  /** New connections from one address; more are cut at once. */
  readonly connectionRate: Rate
  /** Switchboard requests: burst, then one per interval; more give 800. `burst: 0` switches the limit off. */
  readonly switchboardRate: Rate
  /** Messages of one switchboard connection; more wait, and close it when too many wait. */
  readonly messageRate: Rate
  /** Commands of one connection, messages aside; more give 800 on a notification connection, and in the end close it. */
  readonly commandRate: Rate
  /** Calls (CAL) of one switchboard connection; more give 713. */
  readonly callRate: Rate
  /** People in one switchboard, those who are still ringing included; more give 713. */
  readonly roomMembers: number
  /** Switchboard connections of one account; more give 714. */
  readonly switchboardsPerAccount: number
}

export const DEFAULT_LIMITS: ServiceLimits = {
  contacts: 150,
  groups: 30,
  groupNameBytes: 61,
  nameBytes: 387,
  phoneBytes: 95,
  addressBytes: 129,
  messageBytes: 1664,
  bannedWords: [],
  sessions: 20_000,
  connections: 25_000,
  connectionsPerAddress: 2_000,
  connectionRate: { burst: 1_000, intervalMs: 10 },
  switchboardRate: { burst: 10, intervalMs: 2_000 },
  messageRate: { burst: 200, intervalMs: 10 },
  commandRate: { burst: 400, intervalMs: 20 },
  callRate: { burst: 20, intervalMs: 1_000 },
  roomMembers: 50,
  switchboardsPerAccount: 64,
}

/** Deadlines, milliseconds. */
export interface ServiceTimings {
  /** From connect to `USR OK` (or ANS OK). */
  readonly signInMs: number
  /** A ticket from the login page is good this long, once. */
  readonly ticketMs: number
  /** A switchboard invitation (XFR, RNG) is good this long, once. */
  readonly invitationMs: number
  /** Somebody who was called and has not joined after so long may be called again. */
  readonly ringMs: number
  /** The number in QNG: when the next PNG should come. */
  readonly pingMs: number
  /** off; once after the first CHG; or every so many milliseconds after it too. */
  readonly challenge: 'off' | 'once' | number
  /** The same for switchboards, counted from joining. Most clients do not expect it there. */
  readonly switchboardChallenge: 'off' | 'once' | number
  /** How long the answer to a challenge may take before 540. */
  readonly challengeMs: number
  /** When the port of the switchboards cannot be opened, it is tried again after so long. */
  readonly reopenMs: number
}

export const DEFAULT_TIMINGS: ServiceTimings = {
  signInMs: 60_000,
  ticketMs: 30_000,
  invitationMs: 120_000,
  ringMs: 60_000,
  pingMs: 50_000,
  challenge: 'off',
  switchboardChallenge: 'off',
  challengeMs: 50_000,
  reopenMs: 10_000,
}

/** Tickets of the login page. In memory: a restart only asks people to log in again. */
export interface Tickets {
  /** The ticket as it goes into `from-PP='...'` and `USR TWN S`. */
  mint(email: string, now: number): string
  /** Whether it is this account's, in time and unused; uses it up. */
  redeem(email: string, ticket: string, now: number): boolean
}

/** A way into a switchboard room. */
export interface Invitation {
  /** host:port as clients should see it. */
  readonly address: string
  /** The CKI token, one word. */
  readonly ticket: string
}

/** The switchboard desk, as the notification desk sees it. */
export interface SwitchboardDesk {
  /** For `XFR SB`. undefined: no switchboard can take it (707). */
  open(email: string, now: number, beside?: boolean): Invitation | undefined
  /** Ends all rooms' connections of a session that signed out: it must receive nothing more. */
  signedOut(email: string, beside?: boolean): void
}

/** The notification desk, as the switchboard desk sees it. */
export interface NotificationDesk {
  /** For CAL. Decides by address syntax (208), presence (217), lists and privacy (216); `ringing`: RNG is on its way. */
  ring(callee: string, ring: Ring): 'ringing' | 208 | 216 | 217
  /** RNG to that session of somebody who takes part already. */
  ringSession(email: string, beside: boolean, ring: Ring): void
  /** The signed-in session of an account: that one, or by default the one by which others see them. */
  signedIn(email: string, beside?: boolean): SignedIn | undefined
}

export interface SignedIn {
  readonly email: string
  readonly name: string
  readonly dialect: Dialect
  readonly status: Status
  /** It stands beside the person's Messenger. */
  readonly beside?: boolean
  /** It is the service itself. */
  readonly resident?: boolean
  /** What their client can do: a sum of bits. */
  readonly clientId?: number
  /** Their client says with CFM what it has stored, and an ACK waits for that. */
  readonly confirms?: boolean
  /** Our own IP address as this client reached it: where invitations send it when no public name is configured. */
  readonly reachedAt?: string
}

export interface Ring extends Invitation {
  /** Decimal, below 2^31: some clients read it with atoi. */
  readonly session: string
  readonly caller: { readonly email: string; readonly name: string }
}
