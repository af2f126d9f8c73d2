/** Which switchboard belongs to which chat during one sign-in, and what happens there as the core is told it. */
import type { AdapterContext } from '../../bridge/adapter.ts'
import type { MessageEvent, Participant } from '../../bridge/model/events.ts'
import type { AccountId, ChatId, ChatRef, MessageId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import {
  CONTENT_TYPES,
  inviteDecline,
  onList,
  type Member,
  type MsnClientEvent,
  type Switchboard,
} from '../../msnp/index.ts'
import { Behind } from './behind.ts'
import { Chunks } from './chunks.ts'
import { Comings } from './comings.ts'
import { Conversation } from './conversation.ts'
import type { Emoticons } from './emoticons.ts'
import { isGroupId, type Groups } from './groups.ts'
import type { Held } from './held.ts'
import { peerInvitation, read, TYPING_FOR_MS, type Heard } from './inbound.ts'
import type { Line } from './line.ts'
import { Participants, type Channel } from './participants.ts'
import { PeerTalk, type PeerTalkOptions } from './peer-talk.ts'
import type { Transfers } from './transfers/flow.ts'
import { incoming } from './transfers/peer.ts'
import type { Talk } from './transfers/types.ts'
import { refused, resultOfWatch, type NotDelivered } from './results.ts'
import type { Things } from './things.ts'
import { oneLine, parseAddress, userIdOf } from './words.ts'

/** Invitations to programs that one switchboard is told of; more are declined without a word. */
const MAX_INVITATIONS = 32
/** Messages of one chat that wait for pictures; further ones go without. */
const MAX_BEHIND = 64
/** Chats that are remembered during one sign-in; with more, those without a switchboard go first. */
export const MAX_CHATS = 2_000

export interface ChatsOptions {
  readonly network: NetworkId
  readonly account: AccountId
  readonly context: AdapterContext
  readonly groups: Groups
  readonly held: Held
  readonly line: Line
  readonly emoticons: Emoticons
  /** What is the same on all switchboards. */
  readonly peers: Omit<PeerTalkOptions, 'board' | 'clock' | 'offered' | 'unknown' | 'isElsewhere' | 'offeredElsewhere'>
  /** We may stand beside the person's Messenger: what others begin while it is there is for it to answer. */
  readonly beside: boolean
  /** What the account stands for, if it is a channel. */
  readonly channel: Channel | undefined
  readonly things: Pick<Things, 'bring'>
  readonly transfers: Pick<Transfers, 'hear' | 'gone' | 'offered' | 'elsewhere'>
}

export type SwitchboardEvent = Extract<MsnClientEvent, { readonly switchboard: Switchboard }>

/** What is remembered of one switchboard. */
interface Seat {
  conversation: Conversation
  readonly chunks: Chunks
  /** Cookies of invitations to programs that were told of, and ids of sessions. */
  readonly cookies: Set<string>
  /** Made when it is needed. */
  talk: PeerTalk | undefined
  /** Makes ids for events that are no message. */
  changes: number
}

export class Chats {
  readonly #options: ChatsOptions
  readonly #conversations = new Map<ChatId, Conversation>()
  readonly #seats = new Map<Switchboard, Seat>()
  /** What waits for pictures. */
  readonly #behind = new Behind<ChatId>()
  readonly #comings = new Comings()
  readonly #participants = new Map<ChatId, Participants>()

  constructor(options: ChatsOptions) {
    this.#options = options
  }

  /** undefined: no chat of this network. */
  conversation(chat: ChatId): Conversation | undefined {
    const known = this.#conversations.get(chat)
    if (known !== undefined) return known
    const group = isGroupId(chat)
    if (group ? this.#options.groups.members(chat) === undefined : parseAddress(chat) === undefined) return undefined
    const { context, groups, line } = this.#options
    const participants = group ? undefined : this.#participantsOf(chat)
    const conversation = new Conversation({
      chat: this.refOf(chat),
      kind: group ? 'group' : 'direct',
      members: () => (group ? (groups.members(chat) ?? []) : [chat as string as UserId]),
      clock: context.clock,
      open: (by) => this.#open(by),
      addressOf: (user) => line.contacts.get(user)?.email ?? user,
      isOnline: (user) => line.contacts.get(user)?.presence !== undefined,
      watch: (user) => this.#watch(user),
      ...(participants === undefined ? {} : { participants }),
    })
    this.#makeRoom()
    this.#conversations.set(chat, conversation)
    return conversation
  }

  /** They take part in that chat of the channel, and nobody else. */
  company(chat: ChatId, people: readonly Participant[]): void {
    if (!isGroupId(chat)) this.#participantsOf(chat)?.are(people)
  }

  /** They are remembered while the conversation is forgotten. */
  #participantsOf(chat: ChatId): Participants | undefined {
    const { channel, context } = this.#options
    const known = this.#participants.get(chat)
    if (known !== undefined || channel === undefined) return known
    const [oldest] = this.#participants.keys()
    if (oldest !== undefined && this.#participants.size >= MAX_CHATS) this.#participants.delete(oldest)
    const made = new Participants(channel, () => context.clock.now())
    this.#participants.set(chat, made)
    return made
  }

  get size(): number {
    return this.#conversations.size
  }

  /** Who takes part in a group just now: those who belong to it and have not left, and guests. undefined: no such group. */
  people(chat: ChatId): readonly UserId[] | undefined {
    const belong = this.#options.groups.members(chat)
    return belong && this.#comings.present(chat, belong)
  }

  refOf(chat: ChatId): ChatRef {
    return { network: this.#options.network, chat, account: this.#options.account }
  }

  on(event: SwitchboardEvent): void {
    const board = event.switchboard
    switch (event.kind) {
      case 'switchboard':
        this.#invited(board, event.invitedBy)
        return
      case 'switchboard-closed': {
        this.#closed(board)
        return
      }
      case 'joined':
        this.#joined(board, event.member)
        return
      case 'left':
        this.#memberLeft(board, event.member, event.idle)
        return
      case 'typing': {
        const seat = this.#seats.get(board)
        if (seat === undefined) return
        seat.conversation.heard(board)
        if (!this.#isOwn(event.from)) this.#typing(seat, event.from)
        return
      }
      case 'message':
        this.#message(board, event)
        return
    }
  }

  /** The conversation of two with somebody, if it is open. In a group they stay: it is not ours to end. */
  leaveDirect(user: UserId): void {
    this.#conversations.get(user as string as ChatId)?.leave()
  }

  /**
   * Does something with a person that people do not see, over a switchboard where they are, which `stays` afterwards when there is more
   * to say. undefined: they cannot be reached.
   * Never rejects as long as `work` does not.
   */
  async withPeer<Value>(
    user: UserId,
    work: (talk: PeerTalk, email: string) => Promise<Value>,
    stays: 'stays' | 'ends' = 'ends',
  ): Promise<Value | undefined> {
    const reached = await this.conversation(user as string as ChatId)?.reach(user)
    if (reached === undefined) return undefined
    const seat = this.#seats.get(reached.board)
    const member = reached.board.members.get(user)
    try {
      if (seat === undefined || member === undefined) return undefined
      return await work(this.#talk(seat, reached.board), member.email)
    } finally {
      if (stays === 'ends' && seat?.talk?.isBusy !== true) reached.release()
    }
  }

  #talk(seat: Seat, board: Switchboard): PeerTalk {
    const { peers, context, transfers } = this.#options
    return (seat.talk ??= new PeerTalk({
      ...peers,
      board,
      clock: context.clock,
      offered: (file) => {
        const from = board.members.get(userIdOf(file.peer)) ?? { email: file.peer, name: file.peer }
        transfers.offered(incoming(file), { chat: seat.conversation.chat, ...whoIs(from) }, talkOn(board, from))
      },
      isElsewhere: () => this.#isElsewhere(board),
      offeredElsewhere: (peer, call, file) => {
        const from = board.members.get(peer)
        if (from !== undefined && isNews(seat, call))
          transfers.elsewhere(file, { chat: seat.conversation.chat, ...whoIs(from) })
      },
      unknown: (peer, guid) => this.#peerInvites(seat, board, peer, guid),
    }))
  }

  /** The Messenger of the same person is there, too, and answers invitations: two answers would be one too many. */
  #isElsewhere(board: Switchboard): boolean {
    return this.#options.beside && board.isShared
  }

  cameOnline(user: UserId): void {
    for (const conversation of this.#conversations.values()) conversation.cameOnline(user)
  }

  #makeRoom(): void {
    if (this.#conversations.size < MAX_CHATS) return
    for (const [chat, conversation] of this.#conversations) {
      if (!conversation.idle) continue
      this.#conversations.delete(chat)
      this.#comings.forget(chat)
      return
    }
  }

  async #open(conversation: Conversation): ReturnType<Line['openSwitchboard']> {
    const opened = await this.#options.line.openSwitchboard()
    if (!opened.ok) return opened
    // Closed before we heard of it: nobody would tell us again.
    if (!opened.switchboard.open) return { ok: false, failure: { kind: 'unreachable', detail: 'closed at once' } }
    this.#seat(opened.switchboard, conversation)
    return opened
  }

  /** The server tells only of people on our list when they come online. */
  async #watch(user: UserId): Promise<NotDelivered | undefined> {
    const { line, account, context } = this.#options
    const contact = line.contacts.get(user)
    if (contact !== undefined && onList(contact, 'BL')) return refused('blocked', `${user} is blocked by this account`)
    if (contact !== undefined && onList(contact, 'FL')) return undefined
    const result = await line.add(contact?.email ?? user)
    if (!result.ok) return resultOfWatch(result.failure, user)
    context.log.info({ account }, 'a person was added to the contact list, to see when they come online')
    return undefined
  }

  #seat(board: Switchboard, conversation: Conversation): Seat {
    const seat: Seat = {
      conversation,
      chunks: new Chunks(),
      cookies: new Set(),
      talk: undefined,
      changes: 0,
    }
    this.#seats.set(board, seat)
    return seat
  }

  #typing(seat: Seat, from: Member): void {
    this.#options.held.passing({ kind: 'typing', ...this.#in(seat, from), forMs: TYPING_FOR_MS })
  }

  /** Somebody called us and is inside. Clients call when their user begins to write, and they are there to be told things. */
  #invited(board: Switchboard, inviter: Member): void {
    const conversation = this.#conversationOf(board)
    if (conversation === undefined) {
      board.close()
      return
    }
    const seat = this.#seat(board, conversation)
    conversation.attach(board)
    this.#typing(seat, inviter)
  }

  /** By who is inside; undefined when nobody is, or nobody whom we could answer. */
  #conversationOf(board: Switchboard): Conversation | undefined {
    const members = [...board.members.keys()].map(userIdOf)
    const [only, ...others] = members
    if (only === undefined) return undefined
    return this.conversation(others.length === 0 ? (only as string as ChatId) : this.#groupOf(members))
  }

  #groupOf(members: readonly UserId[]): ChatId {
    const known = this.#options.groups.find(members)
    if (known !== undefined) return known
    const { chat, stored } = this.#options.groups.mint(members, false)
    stored.catch((error: unknown) => {
      this.#options.context.log.warn({ error: String(error) }, 'a new group could not be stored')
    })
    return chat
  }

  #closed(board: Switchboard): void {
    const seat = this.#seats.get(board)
    if (seat === undefined) return
    const { conversation } = seat
    this.#seats.delete(board)
    seat.talk?.closed()
    if (conversation.kind === 'direct') this.#gone([conversation.chat.chat])
    conversation.detach(board)
    if (conversation.boards.length === 0) this.#comings.closed(conversation.chat.chat)
    conversation.changed()
  }

  #joined(board: Switchboard, member: Member): void {
    const seat = this.#seats.get(board)
    if (seat === undefined) return
    const before = seat.conversation
    const moved = this.#move(seat, board)
    if (seat.conversation.kind === 'group') this.#tellJoin(board, seat, member, moved)
    before.changed()
    seat.conversation.changed()
  }

  /** A second person makes a group of a chat of two; a third may make another group that we know. */
  #move(seat: Seat, board: Switchboard): boolean {
    const { conversation } = seat
    const members = [...board.members.keys()].map(userIdOf)
    if (members.length < 2) return false
    const chat = conversation.kind === 'direct' ? this.#groupOf(members) : this.#options.groups.find(members)
    const next = chat === undefined ? undefined : this.conversation(chat)
    if (next === undefined || next === conversation) return false
    conversation.detach(board)
    seat.conversation = next
    next.attach(board)
    return true
  }

  #tellJoin(board: Switchboard, seat: Seat, member: Member, moved: boolean): void {
    const user = userIdOf(member.email)
    const { chat } = seat.conversation.chat
    const belongs = this.#options.groups.members(chat)?.includes(user) === true
    if (this.#comings.joined(chat, user, belongs, moved)) this.#tell(board, seat, member, 'join')
  }

  #memberLeft(board: Switchboard, member: Member, idle: boolean): void {
    const seat = this.#seats.get(board)
    if (seat === undefined) return
    seat.talk?.left(member.email)
    const user = userIdOf(member.email)
    this.#gone([user])
    const { kind, chat } = seat.conversation
    // The last one ends the session, not the chat; and who was only idle has not left it either.
    if (kind === 'group' && !idle && board.members.size > 0) {
      this.#comings.left(chat.chat, user)
      this.#tell(board, seat, member, 'leave')
    }
    seat.conversation.changed()
  }

  #tell(board: Switchboard, seat: Seat, member: Member, change: 'join' | 'leave'): void {
    const where = this.#in(seat, member)
    const event = {
      kind: 'member',
      ...where,
      id: `${board.nonce}#${++seat.changes}` as MessageId,
      at: this.#options.context.clock.now(),
      user: where.sender,
      userName: where.senderName,
      change,
    } as const
    this.#behind.inOrder(where.chat.chat, undefined, () => {
      this.#options.held.stored(event)
      return undefined
    })
  }

  #message(board: Switchboard, event: Extract<SwitchboardEvent, { kind: 'message' }>): void {
    const seat = this.#seats.get(board)
    if (seat === undefined) return
    const at = this.#options.context.clock.now()
    const confirm = (): void => board.confirm(event.ordinal)
    const whole = seat.chunks.take(event.from.email, event.payload, at)
    // From the Messenger of the same person, beside which we stand: what it begins with others is not ours.
    const isOwn = this.#isOwn(event.from)
    const isElsewhere = this.#isElsewhere(board)
    if (whole?.contentType === CONTENT_TYPES.direct) {
      if (!isOwn) this.#talk(seat, board).receive(event.from.email, whole)
      confirm()
      return
    }
    seat.conversation.heard(board)
    if (whole === undefined) {
      confirm()
      return
    }
    const { chat } = seat.conversation
    const where = { chat, ...whoIs(event.from) }
    if (!isOwn && this.#options.transfers.hear(whole, talkOn(board, event.from), where, isElsewhere)) {
      confirm()
      return
    }
    const reading = read(whole, this.#heard(seat, event.from, `${board.nonce}:${event.ordinal}`))
    switch (reading.kind) {
      case 'nothing':
        confirm()
        return
      case 'message':
        this.#dressed(isOwn ? { ...reading.event, own: true } : reading.event, confirm)
        return
      case 'emoticons':
        // We do not ask our own Messenger for anything.
        if (!isOwn)
          this.#options.emoticons.describe(
            userIdOf(event.from.email),
            event.from.email,
            reading.emoticons,
            this.#talk(seat, board),
          )
        confirm()
        return
      case 'thing': {
        const { thing } = reading
        const about = isOwn ? ({ ...reading.event, own: true } as const) : reading.event
        const talk = this.#talk(seat, board)
        const fetch: PeerTalk['fetch'] = async (...asked) =>
          isOwn ? { kind: 'failed', how: 'left' } : talk.fetch(...asked)
        void this.#options.things
          .bring(thing, about.sender, (object, xml, signal) => fetch(event.from.email, object, xml, signal))
          .then((body) => this.#options.held.stored({ ...about, body }, confirm))
        return
      }
      case 'invitation':
        if (isOwn) {
          confirm()
          return
        }
        if (!isElsewhere) void seat.conversation.whisper(inviteDecline(reading.cookie), board)
        if (isNews(seat, reading.cookie)) this.#options.held.stored(reading.event, confirm)
        else confirm()
        return
    }
  }

  #isOwn(from: Member): boolean {
    return userIdOf(from.email) === userIdOf(this.#options.peers.own)
  }

  #peerInvites(seat: Seat, board: Switchboard, peer: string, guid: string): void {
    const from = board.members.get(peer.toLowerCase())
    if (from === undefined || !isNews(seat, guid)) return
    this.#options.held.stored(peerInvitation(guid, this.#heard(seat, from, `${board.nonce}!${guid}`)))
  }

  #heard(seat: Seat, from: Member, id: string): Heard {
    const { network, context } = this.#options
    return { network, chat: seat.conversation.chat, from, id: id as MessageId, at: context.clock.now() }
  }

  /** With the pictures in it. What is said meanwhile waits behind, so that the order stays. */
  #dressed(event: MessageEvent, confirm: () => void): void {
    const { held, emoticons } = this.#options
    const { body, sender } = event
    const hasText = body.kind === 'text' || body.kind === 'action'
    const { chat } = event.chat
    const isFull = this.#behind.waiting(chat) >= MAX_BEHIND
    const text = hasText && !isFull ? emoticons.dress(sender.user, body.text) : undefined
    this.#behind.inOrder(chat, text, (dressed) => {
      held.stored(dressed === undefined || !hasText ? event : { ...event, body: { ...body, text: dressed } }, confirm)
      return undefined
    })
  }

  /** Of whoever was on a switchboard that is over, or left it. */
  #gone(users: Iterable<string>): void {
    for (const user of users)
      if (![...this.#seats.keys()].some((board) => board.members.has(user)))
        this.#options.transfers.gone(userIdOf(user))
  }

  #in(seat: Seat, from: Member) {
    return {
      chat: seat.conversation.chat,
      sender: { network: this.#options.network, user: userIdOf(from.email) },
      senderName: oneLine(from.name, from.name.length),
    }
  }
}

/** Of an invitation, by what it is known by: each is told once, and only so many. */
const isNews = (seat: Seat, invitation: string): boolean => {
  if (seat.cookies.has(invitation) || seat.cookies.size >= MAX_INVITATIONS) return false
  seat.cookies.add(invitation)
  return true
}

const whoIs = ({ email, name }: Member) => ({ user: userIdOf(email), name: oneLine(name, name.length) })

const talkOn = (board: Switchboard, { email }: Member): Talk => ({
  user: userIdOf(email),
  say: (payload) => {
    if (board.open && board.members.has(email.toLowerCase())) void board.send(payload, 'U')
  },
})
