/** What the notification client can be told, what it tells, and what it knows in which state. */
import type { Dialect } from '../model/dialect.ts'
import type { ListName } from '../model/lists.ts'
import type { MailNews } from '../model/mail.ts'
import type { PersonalMessage } from '../model/personal-message.ts'
import type { Status } from '../model/status.ts'
import type { ListLine } from './list-lines.ts'
import type { Presence, Privacy, Roster } from './roster.ts'

/** The state carries what exists in it, nothing that is set later. */
export type NotificationState =
  | { readonly kind: 'idle' }
  /** VER is out. */
  | { readonly kind: 'negotiating'; readonly email: string; readonly offered: readonly Dialect[] }
  /** CVR is out. */
  | { readonly kind: 'introducing'; readonly email: string; readonly dialect: Dialect }
  | {
      readonly kind: 'authenticating'
      readonly email: string
      readonly dialect: Dialect
      readonly step: 'sent-name' | 'needs-ticket' | 'sent-ticket'
    }
  /** Signed in; the first list of contacts is on its way. */
  | { readonly kind: 'synchronizing'; readonly session: SignedIn }
  | { readonly kind: 'online'; readonly session: SignedIn }
  | { readonly kind: 'closed' }

/** All that is known once the ticket was accepted. */
export interface SignedIn {
  readonly dialect: Dialect
  /** Our address, as the server writes it. */
  readonly email: string
  readonly verified: boolean
  readonly roster: Roster
  name: string
  /** Ours, as the server last confirmed it; undefined before the first CHG. */
  status: Status | undefined
  /** A list of contacts that is being told. */
  sync: Synchronization | undefined
  /** Whom a BPR line without an address is about. */
  lastListed: string | undefined
  /** When the next PNG is due, and until when its QNG must come. */
  pingAt: number
  pongBy: number | undefined
  /** The server waits for CFM before it acknowledges to others what they tell us. */
  confirms: boolean
  /** The Messenger beside which we stand, as those see it who may see the account; undefined: it is not signed in. */
  messenger: Messenger | undefined
  /** So many others may take part in a conversation through us. */
  participants: number
}

/** HDN: nobody sees it. */
export interface Messenger extends Presence {
  readonly personal: PersonalMessage
}

export interface Synchronization {
  readonly fresh: Roster
  readonly expected: number
  /** LST lines so far. */
  listed: number
  /** A list that comes to a halt for so long will not be finished. */
  deadline: number
  /** Changes that came in between and are newer than the list: applied again at its end. */
  readonly since: RosterChange[]
  /** The request that it answers; undefined: the first one, of the sign-in. */
  readonly request: number | undefined
}

export interface RosterChange extends ListLine {
  readonly change: 'added' | 'removed'
}

/** What the server can be asked for once we are signed in. */
export type NotificationRequest =
  /** `object`: a display picture, as XML; needs MSNP9. */
  | { readonly kind: 'status'; readonly status: Status; readonly clientId: number; readonly object?: string }
  /** Ourselves, or what we call a contact. */
  | { readonly kind: 'rename'; readonly email: string; readonly name: string }
  | {
      readonly kind: 'list-add'
      readonly list: EditableList
      readonly email: string
      readonly name: string
      readonly group?: string
    }
  /** PL is the one list of the server's that may be left, by MSNP10 and later. */
  | {
      readonly kind: 'list-remove'
      readonly list: EditableList | 'PL'
      readonly email: string
      readonly group?: string
    }
  | { readonly kind: 'group-add'; readonly name: string }
  | { readonly kind: 'group-rename'; readonly group: string; readonly name: string }
  | { readonly kind: 'group-remove'; readonly group: string }
  | { readonly kind: 'privacy'; readonly privacy: Privacy }
  | { readonly kind: 'prompt'; readonly prompt: boolean }
  /** One of our own numbers: PHH, PHW, PHM, MOB, MBE. Without a value it is cleared. */
  | { readonly kind: 'phone'; readonly code: string; readonly value?: string }
  /** What we write beside our name; needs MSNP11. */
  | { readonly kind: 'personal-message'; readonly message: PersonalMessage }
  /** A file of the service for its clients, as Shields.xml; needs MSNP11. */
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'url'; readonly words: readonly string[] }
  | { readonly kind: 'switchboard' }
  /** All lists anew. */
  | { readonly kind: 'synchronize' }

/** RL and PL are the server's own. */
export type EditableList = Exclude<ListName, 'RL' | 'PL'>

export type NotificationAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'switchboard'; readonly host: string; readonly port: number; readonly token: string }
  | { readonly kind: 'group'; readonly id: string }
  | { readonly kind: 'url'; readonly words: readonly string[] }
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  | { readonly kind: 'refused'; readonly code: number }
  | { readonly kind: 'timeout'; readonly verb: string }
  /** The answer came and cannot be read. */
  | { readonly kind: 'unreadable'; readonly verb: string }

export type NotificationCommand =
  /** The first command. `dialects`: best first, at least one. */
  | { readonly kind: 'sign-in'; readonly email: string; readonly dialects: readonly Dialect[] }
  /** In answer to `ticket-needed`. */
  | { readonly kind: 'ticket'; readonly ticket: string }
  /** Only once signed in. `id` comes back with the answer. */
  | { readonly kind: 'request'; readonly id: number; readonly request: NotificationRequest }
  | { readonly kind: 'sign-out' }

export type NotificationEvent =
  /** `policy` goes into the login request verbatim. */
  | { readonly kind: 'ticket-needed'; readonly policy: string }
  /** Go there and sign in anew, with the same status; this connection is over. */
  | { readonly kind: 'redirect'; readonly host: string; readonly port: number }
  /** The server refused to sign us in; this connection is over. `code` 0: no dialect in common. */
  | { readonly kind: 'refused'; readonly verb: string; readonly code: number }
  | { readonly kind: 'signed-in'; readonly session: SignedIn }
  /** The lists are complete: the first time this means that we may say our status. */
  | { readonly kind: 'synchronized'; readonly first: boolean }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: NotificationAnswer }
  /** `presence` undefined: offline. Repetitions are dropped. */
  | {
      readonly kind: 'presence'
      readonly email: string
      readonly name: string
      readonly presence: Presence | undefined
    }
  | {
      readonly kind: 'list'
      readonly list: ListName
      readonly change: 'added' | 'removed'
      readonly email: string
      readonly name: string
      /** In answer to our own command. */
      readonly asked: boolean
    }
  /** Of somebody whom we see. Repetitions are dropped. */
  | { readonly kind: 'personal-message'; readonly email: string; readonly message: PersonalMessage }
  | { readonly kind: 'own-name'; readonly name: string }
  | { readonly kind: 'own-status'; readonly status: Status }
  /** What others see of the Messenger beside which we stand; undefined: it has gone. Repetitions are dropped. */
  | { readonly kind: 'messenger'; readonly messenger: Messenger | undefined }
  /** Somebody invites us. */
  | {
      readonly kind: 'ring'
      readonly session: string
      readonly host: string
      readonly port: number
      readonly token: string
      readonly email: string
      readonly name: string
    }
  /** The service will go down in so many minutes. */
  | { readonly kind: 'going-down'; readonly minutes: number }
  /** News of mail. */
  | { readonly kind: 'mail'; readonly news: MailNews }
  /** OUT: this connection is over. bare: without a reason. */
  | { readonly kind: 'out'; readonly why: 'elsewhere' | 'shutdown' | 'bare' }
  /** The server did not like our answer to its challenge: this connection is over. */
  | { readonly kind: 'challenge-failed'; readonly code: number }
