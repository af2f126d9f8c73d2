import type { FileRef, MessageBody } from './body.ts'
import type { AccountId, ChatId, ChatRef, MessageId, NetworkId, PersonId, UserId, UserRef } from './ids.ts'
import type { PresenceState } from './presence.ts'
import type { Reason } from './result.ts'
import type { RichText } from './text.ts'

interface InChat {
  readonly chat: ChatRef
  readonly sender: UserRef
  /** The sender's name as the network shows it now, when the adapter knows it. */
  readonly senderName?: string
}
/** Kinds that are stored. `id` is the network's own id for the event: accepting it twice is harmless. `at` is milliseconds since the epoch. */
interface Stamped {
  readonly id: MessageId
  readonly at: number
}

export interface MessageEvent extends InChat, Stamped {
  readonly kind: 'message'
  readonly body: MessageBody
  readonly replyTo?: MessageId
  /** Sent by our own account from another client: shown on the other legs, never echoed back. */
  readonly own?: true
  /**
   * Said in private to this one, whom the network shows there: only the leg behind which they are gets it. `chat` is the talk
   * of the two, and `chat.account` who heard it. What they answer goes there as well, until others speak to them, the sender
   * is `gone`, or `answersMs` have passed since the last word of either arrived.
   */
  readonly to?: UserRef
  readonly answersMs?: number
}

/** What happened in a chat and is worth storing. Plain data, complete in itself: it can be logged, stored, replayed. */
export type StoredInbound =
  | MessageEvent
  | (InChat & Stamped & { readonly kind: 'edit'; readonly target: MessageId; readonly body: MessageBody })
  | (InChat & Stamped & { readonly kind: 'redact'; readonly target: MessageId })
  /** `key` is the emoji. Taken back by a `redact` of this event's own id. */
  | (InChat & Stamped & { readonly kind: 'reaction'; readonly target: MessageId; readonly key: string })
  | (InChat &
      Stamped & {
        readonly kind: 'member'
        readonly user: UserRef
        readonly userName?: string
        readonly change: Membership
        readonly reason?: string
      })
  | (InChat & Stamped & { readonly kind: 'topic'; readonly topic: string })

/** Not stored: the newest one wins, and none is worth replaying. */
export type PassingInbound =
  | (InChat & { readonly kind: 'typing'; readonly forMs: number })
  | (InChat & { readonly kind: 'read'; readonly upTo: MessageId })
  /**
   * Who takes part in a channel besides ourselves and those for whom we speak there: whoever spoke last comes first. All of
   * them, or the first of many.
   */
  | { readonly kind: 'company'; readonly chat: ChatRef; readonly people: readonly Participant[] }
  /** `account` is the observer: a shared ghost shows a contact only as present as every observer sees them. */
  | { readonly kind: 'presence'; readonly account: AccountId; readonly user: UserRef; readonly state: PresenceState }
  /** `avatar`: null where they have none; absent: not said, as it was. */
  | {
      readonly kind: 'profile'
      readonly account: AccountId
      readonly user: UserRef
      readonly name: string
      readonly avatar?: FileRef | null
    }
  /** The network itself has something to say to the owner of `account`, which belongs to no chat. */
  | { readonly kind: 'notice'; readonly account: AccountId; readonly text: RichText }
  /** Somebody who may have spoken in private through that account is there no more. */
  | { readonly kind: 'gone'; readonly account: AccountId; readonly user: UserRef; readonly name: string }
  /** The roster of `account` changed, here or from another client of the same account. */
  | {
      readonly kind: 'contact'
      readonly account: AccountId
      readonly user: UserRef
      readonly change: RosterChange
      readonly name?: string
    }
  /** The whole roster of `account`, after each sign-in: contacts that are not in it are gone. */
  | { readonly kind: 'roster'; readonly account: AccountId; readonly contacts: readonly RosterEntry[] }
  /** How the account itself is on its network: after each sign-in, and whenever something of it is another. */
  | {
      readonly kind: 'own'
      readonly account: AccountId
      readonly name: string
      /** All groups of its contact list, those without contacts included. */
      readonly groups: readonly string[]
      readonly strangers: Strangers
      /** The personal message, and what is played, where the network has such; as others see it. */
      readonly text?: string
      readonly playing?: PresenceState['playing']
      /** Bytes of the picture that we show; absent: none. */
      readonly picture?: number
      /** Another client of the account is signed in as well, and others see the picture of that one: its bytes; absent: it has none. */
      readonly beside?: { readonly picture?: number }
    }

export interface Participant {
  readonly user: UserRef
  /** As the network shows it. */
  readonly name: string
}

export type Inbound = StoredInbound | PassingInbound

export type Membership = 'invite' | 'join' | 'leave' | 'kick'
export type RosterChange = 'added-us' | 'removed-us' | 'added' | 'removed' | 'blocked' | 'unblocked'

/** Whether those who are neither allowed nor blocked may see an account and write to it. */
export type Strangers = 'allowed' | 'blocked'

export interface RosterEntry {
  readonly user: UserRef
  readonly name: string
  /** On our contact list. Somebody may only have added us, or only be blocked. */
  readonly listed: boolean
  readonly blocked: boolean
  /** They have us on their list. */
  readonly hasUs: boolean
  /** Names of the groups of the contact list in which they are. */
  readonly groups?: readonly string[]
  /** That they let their contacts see. Untrusted. */
  readonly phones?: readonly Phone[]
  /** They were let in before, on whatever client: there is nothing to ask. */
  readonly allowed?: true
}

export interface Phone {
  readonly kind: 'home' | 'work' | 'mobile'
  /** As they wrote it. */
  readonly number: string
}

/**
 * Who it should look like. `self` is the account; `person` is one of ours: through the account of the leg, or, where
 * `user` says who they are on the leg's network, as that user if the adapter may speak for them, else with a face made
 * from `origin`. A ghost is a foreign user that the adapter gives a local face.
 */
export type Puppet =
  | { readonly kind: 'self' }
  | {
      readonly kind: 'person'
      readonly person: PersonId
      readonly name: string
      readonly origin: UserRef
      readonly user?: UserId
    }
  | { readonly kind: 'ghost'; readonly origin: UserRef; readonly name: string }

/** How the message that is spoken of begins, and whose it was, for networks that cannot point at it. */
export interface Quote {
  readonly name: string
  readonly text: string
}

interface As {
  readonly as: Puppet
}

/**
 * What a session is asked to do. In the outbox `Ref` is our EventId, so that an edit can be queued behind the message
 * it edits; the lane resolves it to the network's MessageId just before delivery.
 */
export type Outbound<Ref = MessageId> =
  | (As & {
      readonly kind: 'message'
      readonly body: MessageBody
      readonly at: number
      readonly replyTo?: Ref
      /** Of the message that it answers. */
      readonly quote?: Quote
    })
  | (As & { readonly kind: 'edit'; readonly target: Ref; readonly body: MessageBody })
  /** `reaction`: it takes back a reaction, and not a message. */
  | (As & { readonly kind: 'redact'; readonly target: Ref; readonly quote?: Quote; readonly reaction?: true })
  | (As & { readonly kind: 'reaction'; readonly target: Ref; readonly key: string; readonly quote?: Quote })
  | (As & {
      readonly kind: 'member'
      readonly user: UserRef
      readonly userName: string
      readonly change: Membership
      readonly reason?: string
    })
  | (As & { readonly kind: 'topic'; readonly topic: string })
  | (As & { readonly kind: 'typing'; readonly forMs: number })
  | (As & { readonly kind: 'read'; readonly upTo: Ref })
  /** Who takes part elsewhere, as `company` of what comes in: from now on they, and nobody else. */
  | { readonly kind: 'company'; readonly people: readonly Participant[] }
  /** `in`: of a ghost, if the network places ghosts, the chats where they take part; those in which a private word reaches them come first. */
  | (As & { readonly kind: 'presence'; readonly state: PresenceState; readonly in?: readonly ChatId[] })
  /** `avatar`: null where they have none; absent: it stays. */
  | (As & { readonly kind: 'profile'; readonly name: string; readonly avatar?: FileRef | null })
  /** What the owner of a portal calls it, for them alone; absent: as the contact calls themselves. */
  | { readonly kind: 'title'; readonly title?: string }
  /** What became of a message that this leg's side sent. `text` says it in words for networks without marks of their own. */
  | {
      readonly kind: 'delivery'
      readonly target: Ref
      readonly outcome: DeliveryOutcome
      readonly reason?: Reason
      readonly text: RichText
    }
  /** The bridge itself speaking: "the IRC server is unreachable". `mention`: a person must act. */
  | {
      readonly kind: 'status'
      readonly text: RichText
      readonly mention?: true
      /** What the one who reads it can answer with one touch. */
      readonly choices?: readonly Choice[]
      readonly about?: AccountNews
    }

/** `line` is a command as it would be typed: "accept bob@example.com retro". */
export interface Choice {
  readonly key: string
  readonly words: string
  readonly line: string
}

/** What became of one account of the person who reads it. */
export interface AccountNews {
  readonly account: AccountId
  readonly network: NetworkId
  readonly login: string
  readonly state: AccountState
}

/** The names that bridges of Matrix use. */
export type AccountState =
  'CONNECTING' | 'CONNECTED' | 'TRANSIENT_DISCONNECT' | 'BAD_CREDENTIALS' | 'LOGGED_OUT' | 'UNKNOWN_ERROR'

export type DeliveryOutcome = 'delivered' | 'partial' | 'waiting' | 'refused' | 'uncertain'

export type OutboundKind = Outbound['kind']
