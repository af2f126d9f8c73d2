/** What `MsnClient` takes and gives. */
import type { CloseReason } from '../../sansio/machine.ts'
import type { Dialect } from '../model/dialect.ts'
import type { ListName } from '../model/lists.ts'
import type { MailNews } from '../model/mail.ts'
import type { PersonalMessage } from '../model/personal-message.ts'
import type { Spoken } from '../model/spoken.ts'
import type { Status } from '../model/status.ts'
import type { Contact, Presence } from '../session/roster.ts'
import type { Messenger } from '../session/notification-states.ts'
import type { AckType, Member, SendOutcome } from '../session/switchboard-client-states.ts'
import type { LoginPages } from './login.ts'

export type { LoginPages } from './login.ts'
export type { Messenger } from '../session/notification-states.ts'
export type { AckType, Member } from '../session/switchboard-client-states.ts'

export interface MsnClientOptions {
  /** The dispatch server, or the notification server where there is no dispatch. */
  readonly server: { readonly host: string; readonly port: number }
  /** URL of an HTTP gateway, if the servers shall be reached through one. `server` is then what it is asked for. */
  readonly gateway?: string
  /** Where passwords become tickets. */
  readonly passport: LoginPages
  /** The address, as the account has it. */
  readonly login: string
  readonly password: string
  /** Best first. Default: all that we speak. */
  readonly dialects?: readonly Dialect[]
  /** Certificate authority of the login servers and of the gateway, PEM; trusted instead of the public ones. */
  readonly ca?: string
  /** Do not check their certificate. For tests. */
  readonly insecure?: boolean
  /** Hosts that the login may redirect to, besides those under the same parent domain. */
  readonly loginHosts?: readonly string[]
  /** Whether RNG and XFR may lead to private addresses. Default: only when the server itself has one. */
  readonly allowPrivateHosts?: boolean
  /** Default NLN. */
  readonly status?: Status
  /** What we write beside our name, where the dialect has it. Default: nothing. */
  readonly personalMessage?: PersonalMessage
  /** The description of our display picture, as XML; what has no room for it in its dialect goes without. Default: none. */
  readonly picture?: string
  /** What our client can do, sum of bits. Default: `DEFAULT_CLIENT_ID`. */
  readonly clientId?: number
  readonly timings?: Partial<ClientTimings>
  /** We will `confirm` each message that we have stored. Default: no, and what has reached us counts as received. */
  readonly confirms?: boolean
  /**
   * Say that we stand beside the person's Messenger: a service of ours then lets both be signed in. Default: no, and
   * whoever signs in last puts the other out.
   */
  readonly beside?: boolean
  /** Whether to answer an invitation to a switchboard. Default: yes, unless they are on BL. */
  readonly answers?: (invitation: { readonly email: string; readonly name: string }) => boolean
  /** Milliseconds. Default: Date.now. */
  readonly now?: () => number
  /** 32 hexadecimal digits, never the same twice: what switchboards are told apart by. Default: of the system. */
  readonly random?: () => string
  /** Called in the order of the wire, never before `signIn` was called, never after `closed`. Must not throw. */
  readonly onEvent: (event: MsnClientEvent) => void
}

/** Deadlines and intervals, milliseconds. */
export interface ClientTimings {
  /** One command and its answer. */
  readonly commandMs: number
  /** All of `signIn`. */
  readonly signInMs: number
  /** From sign-in to the first PNG; then what QNG says, else this. */
  readonly pingMs: number
  /** PNG without QNG for so long: the line is dead. */
  readonly pongMs: number
  /** MSG without ACK or NAK. */
  readonly ackMs: number
  /** How long a NAK may take for a message that asked for nothing else (N). */
  readonly nakMs: number
  /** CAL answered with RINGING, but nobody joins. */
  readonly joinMs: number
  /** One TCP connect. */
  readonly connectMs: number
  /** One request to the nexus or the login page. */
  readonly passportMs: number
  /** A switchboard without messages for so long is closed. 0: never. */
  readonly switchboardIdleMs: number
  /** Through an HTTP gateway: how soon it is asked again when it had something; when it had not, up to four times later. */
  readonly gatewayPollMs: number
}

export const DEFAULT_CLIENT_TIMINGS: ClientTimings = {
  commandMs: 30_000,
  signInMs: 90_000,
  pingMs: 45_000,
  pongMs: 30_000,
  ackMs: 30_000,
  nakMs: 5_000,
  joinMs: 30_000,
  connectMs: 20_000,
  passportMs: 20_000,
  switchboardIdleMs: 300_000,
  gatewayPollMs: 1_000,
}

export type SignInResult = { readonly ok: true } | { readonly ok: false; readonly failure: SignInFailure }

/** `detail` is a sentence for the operator and never holds a secret. */
export interface SignInFailure {
  readonly kind:
    /** Wrong address or password, or an account that may not sign in: a person must act. */
    | 'bad-credentials'
    /** The server does not want us as we are: no common dialect, an error that will not go away. */
    | 'refused'
    /** Somebody signed in with this account while we did. */
    | 'signed-in-elsewhere'
    /** The server is overloaded or going down. */
    | 'busy'
    | 'unreachable'
    /** The certificate of the login server is not trusted. */
    | 'tls'
    | 'protocol'
    | 'timeout'
    | 'aborted'
  readonly detail: string
  /** The error of the notification server, if it was one. */
  readonly code?: number
  readonly retryAfterMs?: number
}

/** The answer to something asked of the server. */
export type CommandResult = { readonly ok: true } | { readonly ok: false; readonly failure: CommandFailure }

export type CommandFailure =
  /** The server answered with an error: name, meaning and pause are those of the error table. */
  | {
      readonly kind: 'refused'
      readonly code: number
      readonly name: string
      readonly meaning: string
      /** The server wants us to wait so long before we ask again. */
      readonly retryAfterMs?: number
    }
  | { readonly kind: 'timeout'; readonly waitingFor: string }
  /** We are not signed in, or were cut off before the answer came. */
  | { readonly kind: 'closed' }
  /** It cannot be said on the wire: an empty address, a name that is too long. */
  | { readonly kind: 'invalid'; readonly detail: string }

export type OpenSwitchboardResult =
  | { readonly ok: true; readonly switchboard: Switchboard }
  | {
      readonly ok: false
      readonly failure:
        | CommandFailure
        | { readonly kind: 'unreachable'; readonly detail: string }
        /** We appear offline or hidden and may not open switchboards. */
        | { readonly kind: 'hidden' }
        | { readonly kind: 'aborted' }
    }

/** One conversation. Valid until `switchboard-closed`. */
export interface Switchboard {
  /** Random, ours, the same for as long as this connection lives: message ids are made of it and the ordinal. */
  readonly nonce: string
  /** The server's session id; undefined until the first CAL was answered. Never an identity. */
  readonly session: string | undefined
  /** Who is inside besides us, by address in lower case. */
  readonly members: ReadonlyMap<string, Member>
  /** Another session of our own account is here, or on its way: see `beside`. */
  readonly isShared: boolean
  readonly open: boolean
  /** When something was last said, by anybody, on the clock of the client. */
  readonly lastUsed: number
  /** So many others may take part in it through us; 0 on services that do not know that. */
  readonly participants: number
  /** Calls somebody in; who is in already counts as joined. Several may be under way. Never rejects. */
  invite(email: string): Promise<InviteResult>
  /**
   * Many may be under way; they are written in the order of the calls. `spoken`: the same as somebody says it who takes part
   * through us; whoever does not see them, or sees them no more, gets `payload`. Never rejects.
   */
  send(payload: Uint8Array, ack: AckType, spoken?: Spoken): Promise<SendResult>
  /** Somebody takes part through us from now on; without a name: no more. What the service refuses is not told. */
  sit(email: string, name?: string): void
  /**
   * The message of that ordinal is stored where we keep it. Needed for every message when `confirms` is set; a service
   * that has an ear for it acknowledges to the sender only then. Source: docs/protocol.md, Confirmed receipt.
   */
  confirm(ordinal: number): void
  /** Says OUT and ends it. Twice is harmless. */
  close(): void
}

export type InviteResult =
  | { readonly kind: 'joined'; readonly member: Member }
  /** 216 blocked, 217 offline, 208 no address, 713 too many calls ... */
  | { readonly kind: 'refused'; readonly code: number; readonly name: string; readonly meaning: string }
  /** No answer to CAL, or it rang and nobody came. */
  | { readonly kind: 'timeout'; readonly waitingFor: 'CAL' | 'JOI' }
  | { readonly kind: 'closed' }

export type SendResult =
  | SendOutcome
  /** Written, then the connection died. */
  | { readonly kind: 'lost' }
  /** Nothing was written: the connection is over. */
  | { readonly kind: 'not-written'; readonly why: 'closed' }

/** Why a sign-in is over. */
export type ClientCloseReason =
  /** `signOut` was called. */
  | { readonly kind: 'signed-out' }
  /** OUT OTH. Do not fight. */
  | { readonly kind: 'signed-in-elsewhere' }
  /** OUT SSD. */
  | { readonly kind: 'server-shutdown' }
  /** The connection broke, or the server ended it without a word. */
  | { readonly kind: 'lost'; readonly detail: string }
  | { readonly kind: 'timeout'; readonly waitingFor: string }
  | { readonly kind: 'protocol'; readonly detail: string }
  /** The server threw us out with an error, e.g. 540. */
  | { readonly kind: 'refused'; readonly code: number; readonly detail: string }
  /** The server sent us to another one, and signing in there failed. */
  | { readonly kind: 'move-failed'; readonly failure: SignInFailure }

export type SwitchboardCloseReason =
  | CloseReason
  /** Nothing was said for `switchboardIdleMs`. */
  | { readonly kind: 'idle' }
  /** The server said OUT. */
  | { readonly kind: 'ended-by-server' }
  | { readonly kind: 'refused'; readonly code: number }

export type MsnClientEvent =
  /** Our lists, whole: after SYN, and again after each re-SYN. Before any `presence`. */
  | { readonly kind: 'roster'; readonly contacts: readonly Contact[] }
  /** A contact came, went, changed status or name. Repetitions are dropped. `presence` undefined: offline. */
  | {
      readonly kind: 'presence'
      readonly email: string
      readonly name: string
      readonly presence: Presence | undefined
    }
  /** A list changed: RL by them, the others by us, here or from another client of ours. */
  | {
      readonly kind: 'list'
      readonly list: ListName
      readonly change: 'added' | 'removed'
      readonly email: string
      readonly name: string
      /** In answer to a command of this client. */
      readonly asked: boolean
    }
  /** Groups, who is in them, or whether strangers may see us are others now: `contacts`, `groups` and `privacy` say how. */
  | { readonly kind: 'arranged' }
  /** What a contact writes beside their name, or plays, is another one; from MSNP11 on. Repetitions are dropped. */
  | { readonly kind: 'personal-message'; readonly email: string; readonly message: PersonalMessage }
  | { readonly kind: 'own-name'; readonly name: string }
  /** The server says that our status is this, unasked or in answer. */
  | { readonly kind: 'own-status'; readonly status: Status }
  /** What others see of the Messenger beside which we stand (`beside`); undefined: it has gone. Repetitions are dropped. */
  | { readonly kind: 'messenger'; readonly messenger: Messenger | undefined }
  /** We answered an invitation and are in; `members` are those who were there. */
  | { readonly kind: 'switchboard'; readonly switchboard: Switchboard; readonly invitedBy: Member }
  | {
      readonly kind: 'message'
      readonly switchboard: Switchboard
      readonly from: Member
      /** MIME, ours to keep. Typing notices come as `typing`. */
      readonly payload: Uint8Array
      /** 1 for the first MSG that arrived on this switchboard, counting all. */
      readonly ordinal: number
    }
  | { readonly kind: 'typing'; readonly switchboard: Switchboard; readonly from: Member }
  | { readonly kind: 'joined'; readonly switchboard: Switchboard; readonly member: Member }
  /** `idle`: the server removed them for inactivity. */
  | {
      readonly kind: 'left'
      readonly switchboard: Switchboard
      readonly member: Member
      readonly idle: boolean
    }
  | {
      readonly kind: 'switchboard-closed'
      readonly switchboard: Switchboard
      readonly reason: SwitchboardCloseReason
    }
  /** The service announces that it goes down in so many minutes. */
  | { readonly kind: 'announcement'; readonly minutes: number }
  /** News of the mail of this account. */
  | { readonly kind: 'mail'; readonly news: MailNews }
  /** Somebody invited us and it came to nothing. */
  | { readonly kind: 'invitation-failed'; readonly from: Member; readonly detail: string }
  /** Once, the last event; only after a sign-in that went well. */
  | { readonly kind: 'closed'; readonly reason: ClientCloseReason }
