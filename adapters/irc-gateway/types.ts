/**
 * What the parts of the gateway know of each other. A client is one IRC connection; a person is one account of the
 * gateway with all clients that are attached to it; a face is somebody or something that they see under a nick.
 */
import type { AccountView, AdapterContext, ContactView, PutResult } from '../../bridge/adapter.ts'
import type { FileRef, MessageBody } from '../../bridge/model/body.ts'
import type { AccountId, ChatId, MessageId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { FileOffer } from './dcc-offer.ts'
import type { Cap } from './wire/caps.ts'
import type { ServerMessage } from './wire/message.ts'

/** What every part may use. */
export interface GatewayDeps {
  readonly network: NetworkId
  /** The service account of the gateway, through which everything goes. */
  readonly account: AccountId
  readonly context: AdapterContext
  /** How the server calls itself on the wire, and in root's mask: "localhost". */
  readonly server: string
  /** Name of the first control channel: "&bitlbee". */
  readonly control: string
}

/** One IRC connection. What is sent to it leaves out whatever it did not negotiate. */
export interface ClientPort {
  readonly nick: string
  /** nick!username@host */
  readonly mask: string
  readonly username: string
  readonly realname: string
  /** Where it comes from, as a host of a mask. */
  readonly host: string
  /** Under which it has reached us; absent: it is there no more. */
  readonly localAddress?: string | undefined
  readonly tls: boolean
  readonly caps: ReadonlySet<Cap>
  readonly connectedAt: number
  /** When its user last said something. */
  readonly activeAt: number
  /** Absent until it is identified. */
  readonly person: PersonPort | undefined
  send(...messages: readonly ServerMessage[]): void
  /** A reply of the server to this client: `:localhost 401 nick bob :No such nick`. `params` come behind the nick. */
  numeric(code: string, ...params: readonly string[]): void
  /** What WHOIS and WHO say of it from now on. */
  setRealname(realname: string): void
  /** Gives it another nick. */
  rename(nick: string): void
  close(reason: string): void
}

/** Offers files to clients by DCC SEND. */
export interface DccPort {
  /** A sentence: that it is offered, or why not. `over` is told what became of it. Never rejects. */
  send(client: ClientPort, from: Face, file: FileRef, over: (line: string) => void): Promise<string>
}

/** Takes files that clients offer by DCC SEND. */
export interface InboxPort {
  /** `to`: whom it was offered to. `detail` of a refusal is a half-sentence for the person. Never rejects. */
  take(client: ClientPort, to: Face, offer: FileOffer, maxBytes: number): Promise<PutResult>
}

/** A contact of one account. */
export interface ContactKey {
  readonly account: AccountId
  readonly user: UserId
}

/** Somebody whom a person sees: a contact, or root. Their own self is none. */
export interface Face {
  /** Absent: root. */
  readonly contact: ContactKey | undefined
  readonly nick: string
  /** The part before the @ of the address, and behind it; of root "root" and the server. */
  readonly ident: string
  readonly host: string
  /** As they call themselves, or what the person calls them. */
  readonly realname: string
  /** bob@example.com; what `account-tag` and WHOX say. */
  readonly address: string
  readonly online: boolean
  /** Words of 301; absent: not away. */
  readonly away: string | undefined
  /** Personal message, where the network has one. */
  readonly status: string | undefined
  readonly listed: boolean
  readonly blocked: boolean
}

export const maskOf = ({ nick, ident, host }: Pick<Face, 'nick' | 'ident' | 'host'>): string =>
  `${nick}!${ident}@${host}`

export interface ChannelMember {
  readonly nick: string
  /** Absent: the person themselves. */
  readonly face: Face | undefined
  /** Highest first, as multi-prefix shows them: '@+' , '+', ''. */
  readonly prefixes: string
}

/** A channel that a person is in. control: contacts and root; group: a conversation of several. */
export interface ChannelPort {
  readonly name: string
  readonly kind: 'control' | 'group'
  readonly topic: string
  readonly topicBy: string
  readonly topicAt: number
  readonly createdAt: number
  members(): readonly ChannelMember[]
  /** The chat behind a group; absent until somebody was brought in, and for a control channel. */
  readonly chat: ChatId | undefined
}

/** What a setting's words mean is known to `root/settings.ts`. */
export interface SettingsPort {
  /** Own value, else the operator's default, else BitlBee's. */
  get(name: string): string
  isOn(name: string): boolean
  /** Own value only. */
  own(name: string): string | undefined
  /** `undefined` takes the own value back. Durable when it resolves. */
  set(name: string, value: string | undefined): Promise<void>
}

/** What somebody says, before it is known how it fares. */
export interface Saying {
  readonly body: MessageBody
  /** `+draft/reply`. */
  readonly replyTo?: MessageId
}

/** `said`: it is on disk. `refused`: a sentence for the person. */
export type SayResult =
  | { readonly kind: 'said'; readonly id: MessageId; readonly at: number }
  | { readonly kind: 'refused'; readonly detail: string }

/** One account of the gateway, live: it is there whether a client is attached or not. */
export interface PersonPort {
  readonly user: UserId
  /** The one nick that all attached clients have. */
  readonly nick: string
  readonly clients: ReadonlySet<ClientPort>
  readonly settings: SettingsPort
  /** Words of /away; absent: there. */
  readonly away: string | undefined

  /** To all attached clients; `make` is asked for each, since shapes differ by caps. */
  tell(make: (client: ClientPort) => readonly ServerMessage[], except?: ClientPort): void
  /** Root says it where root speaks (the control channel); kept for later while nobody is attached. */
  rootSays(...lines: readonly string[]): void

  accounts(): readonly AccountView[]
  contact(key: ContactKey): ContactView | undefined
  /** Everybody who has a nick now: root, contacts, and whoever else has spoken. */
  faces(): Iterable<Face>
  /** By nick, whatever its case. */
  face(nick: string): Face | undefined
  faceOf(key: ContactKey): Face | undefined
  /** Words of 301, if they are due: the contact is away, and `away_reply_timeout` is over since they were said last. */
  awayReply(to: ContactKey): string | undefined
  /** Who was named last in a control channel: `default_target` may be them. */
  readonly lastNamed: ContactKey | undefined
  /** The chat of the conversation with one contact, for the history; whether anything was said in it or not. */
  chatOf(key: ContactKey): ChatId
  channels(): Iterable<ChannelPort>
  channel(name: string): ChannelPort | undefined

  /** `/msg bob`, or "bob: hi" in a control channel (`where` is that channel): from one of the person's clients, shown at the others. */
  say(to: ContactKey, saying: Saying, from: ClientPort | undefined, where?: string): Promise<SayResult>
  /** In a group channel. */
  sayIn(channel: string, saying: Saying, from: ClientPort | undefined): Promise<SayResult>
  /** `forMs` 0: stopped. */
  typing(to: ContactKey | string, forMs: number): void
  /** Durable: what is said to that contact and by them goes to this place from now on ('query' or a control channel). */
  setAway(words: string | undefined): Promise<void>
  /** The friendly name on all accounts that are signed in; sentences about those where it cannot be. */
  setName(name: string): Promise<readonly string[]>
  setNick(nick: string): void

  /** What the contact is called here; '': as the rules for nicks have it. Durable when it resolves; a sentence when it cannot be. */
  rename(key: ContactKey, nick: string): Promise<string | undefined>

  /** `chat with`: a channel for the conversation with one contact, to which others can be invited. */
  openGroup(keys: readonly ContactKey[], channel?: string): Promise<ChannelPort | { readonly wrong: string }>
  invite(channel: string, key: ContactKey): Promise<string | undefined>
  part(channel: string, reason?: string): Promise<void>
  /** A group that they have left: they are in it again. False: there is none of that name. */
  rejoin?(channel: string): boolean
  setTopic(channel: string, topic: string): Promise<string | undefined>
  /** Makes another control channel; what fills it is a setting of the channel. */
  joinControl(channel: string): Promise<string | undefined>

  /**
   * Runs a command of the bridge as this person: lines of its answer. `secret` answers its question for a password, `file`
   * came with it.
   */
  command(line: string, secret?: string, file?: FileRef): Promise<readonly string[]>
}
