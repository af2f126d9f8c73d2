import type { Dialect } from '../model/dialect.ts'
import type { ContactId } from '../model/ids.ts'
import type { ListName } from '../model/lists.ts'
import type { PersonalMessage } from '../model/personal-message.ts'
import type { Status } from '../model/status.ts'
import type { PhoneCode } from '../service/contract.ts'

/** A list that a client may edit; RL and PL are the server's. */
export type EditableList = Exclude<ListName, 'RL' | 'PL'>

/** Somebody by address, or a contact on FL by id. */
export type Who = string | { readonly id: ContactId }

/**
 * What a client asks of the notification server. Fields are checked for form only; whoever answers decides the rest.
 * Each has its transaction id and is answered with one command that carries it. Names are decoded, addresses lower case.
 */
export type NsEvent =
  /** `USR 3 TWN I alice@example.com` */
  | { readonly kind: 'identify'; readonly trid: string; readonly email: string; readonly dialect: Dialect }
  /** `USR 4 TWN S t=...&p=...`; nothing more is read before it is answered. */
  | {
      readonly kind: 'prove'
      readonly trid: string
      readonly email: string
      readonly dialect: Dialect
      readonly ticket: string
      /** The client wants to stand beside the person's Messenger. */
      readonly beside?: true
    }
  /** `SYN 5 27`; 0: nothing is known, or the dialect never asks for less than everything. */
  | { readonly kind: 'sync'; readonly trid: string; readonly version: number }
  /** `GCF 6 Shields.xml` */
  | { readonly kind: 'shields'; readonly trid: string }
  /** `CFM 0 ON` */
  | { readonly kind: 'confirms'; readonly trid: string }
  /** `LST 6 RL`, the form before MSNP8. */
  | { readonly kind: 'list'; readonly trid: string; readonly list: ListName }
  /** `LSG 7`, the form before MSNP8. */
  | { readonly kind: 'groups'; readonly trid: string }
  /** `CHG 8 NLN 268435456 %3Cmsnobj...`; `words` are all words after the transaction id as they came. */
  | {
      readonly kind: 'status'
      readonly trid: string
      readonly status: Status
      readonly clientId: string
      readonly object: string | undefined
      readonly words: readonly string[]
    }
  /** `ADD 9 FL bob@example.com Bob 1`, `ADC 9 FL N=bob@example.com F=Bob`, `ADC 9 FL C=guid groupGuid` */
  | {
      readonly kind: 'add'
      readonly trid: string
      readonly list: EditableList
      readonly who: Who
      /** Missing: the address will do. */
      readonly name: string | undefined
      /** The word for the group; only looked at for FL. */
      readonly group: string | undefined
    }
  /** `REM 10 FL bob@example.com 1`, `REM 10 FL guid groupGuid` */
  | {
      readonly kind: 'remove'
      readonly trid: string
      readonly list: EditableList
      readonly who: Who
      readonly group: string | undefined
    }
  /** `ADC 10 RL N=bob@example.com`, then `REM 11 PL bob@example.com`: their adding us needs no answer any more. */
  | {
      readonly kind: 'settle'
      readonly trid: string
      readonly verb: 'ADC' | 'REM'
      readonly list: 'RL' | 'PL'
      readonly email: string
    }
  /** `REA 11 bob@example.com Bobby`, with one's own address too; `SBP 11 guid MFN Bobby` */
  | { readonly kind: 'rename'; readonly trid: string; readonly who: Who; readonly name: string }
  /** `PRP 11 MFN Alice%20B` */
  | { readonly kind: 'own-name'; readonly trid: string; readonly name: string }
  /** `UUX 12 70` and the message. */
  | { readonly kind: 'personal'; readonly trid: string; readonly personal: PersonalMessage }
  /** `ADG 12 Work 0` */
  | { readonly kind: 'add-group'; readonly trid: string; readonly name: string }
  /** `REG 13 2 Play 0` */
  | {
      readonly kind: 'rename-group'
      readonly trid: string
      readonly group: string
      readonly name: string
    }
  /** `RMG 14 2` */
  | { readonly kind: 'remove-group'; readonly trid: string; readonly group: string }
  /** `PRP 15 PHH 555%201234`; no value clears it. */
  | {
      readonly kind: 'phone'
      readonly trid: string
      readonly code: PhoneCode
      readonly value: string
    }
  /** `BLP 16 BL` */
  | { readonly kind: 'privacy'; readonly trid: string; readonly value: 'AL' | 'BL' }
  /** `GTC 17 N` */
  | { readonly kind: 'prompt'; readonly trid: string; readonly value: 'A' | 'N' }
  /** `XFR 18 SB` */
  | { readonly kind: 'switchboard'; readonly trid: string }
  /** What the machine answers by itself: `push` it once all that was asked before is answered. */
  | { readonly kind: 'in-turn'; readonly bytes: Uint8Array }

/** What the service has the notification server say. Words are as on the wire: names encoded. */
export type NsCommand =
  /** Answer to `identify`: go on at the login page with this policy. */
  | { readonly kind: 'policy'; readonly trid: string; readonly policy: string }
  /** Answer to `identify`: sign in over there; then the connection ends. Addresses are host:port. */
  | { readonly kind: 'redirect'; readonly trid: string; readonly to: string; readonly own: string }
  /** Answer to `prove`: signed in. `profile` is the payload of the first message. */
  | {
      readonly kind: 'welcome'
      readonly trid: string
      readonly email: string
      readonly name: string
      readonly profile: Uint8Array
    }
  /** An answer of one line. */
  | {
      readonly kind: 'reply'
      readonly verb: string
      readonly trid: string
      readonly words: readonly (string | number)[]
    }
  /** Whole lines, encoded already: one buffer may go to many. */
  | { readonly kind: 'push'; readonly bytes: Uint8Array }
  | { readonly kind: 'error'; readonly code: number; readonly trid: string }
  /** An error that ends the connection. */
  | { readonly kind: 'refuse'; readonly code: number; readonly trid: string }
  /** From now on the client may be challenged; to be said once, after the answer to its first CHG. */
  | { readonly kind: 'challenge' }
  /** The end: OTH signed in elsewhere, SSD the server goes down. */
  | { readonly kind: 'out'; readonly why?: 'OTH' | 'SSD' }
