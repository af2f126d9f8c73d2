/** What goes into conversations: words with their pictures, typing, files, and who is invited. */
import type { AdapterContext, Delivery } from '../../bridge/adapter.ts'
import type { Outbound } from '../../bridge/model/events.ts'
import { relayedOp } from '../../bridge/model/relayed.ts'
import type { AccountId, ChatId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../bridge/model/result.ts'
import { generationOf, hasFeature, typingMessage } from '../../msnp/index.ts'
import type { Conversation, Spoken } from './conversation.ts'
import type { Groups } from './groups.ts'
import type { Line } from './line.ts'
import { CHUNKED_ROOM, partsOf, payloadsOf, TEXT_ROOM, type Voice } from './outbound.ts'
import type { OwnEmoticons } from './own-emoticons.ts'
import { speakerOf, type Channel } from './participants.ts'
import { DELIVERED, refused } from './results.ts'
import type { Transfers } from './transfers/flow.ts'
import { parseAddress } from './words.ts'

/** Index of 7.0 among the generations of clients: the first that knows nudges. */
const NUDGE_GENERATION = 4

export interface SpeechOptions {
  readonly network: NetworkId
  readonly account: AccountId
  readonly own: UserId
  /** The own address, as the account has it. */
  readonly login: string
  /** What the account stands for, if it is a channel. */
  readonly channel: Channel | undefined
  readonly groups: Groups
  readonly context: AdapterContext
  readonly emoticons: OwnEmoticons
  /** 32 or more hexadecimal digits, never the same twice. */
  readonly random: () => string
}

/** What there is of a sign-in. */
interface Signed {
  readonly line: Line
  readonly transfers: Transfers
}

export class Speech {
  readonly #options: SpeechOptions
  readonly #describing = new Map<Conversation, Promise<readonly Uint8Array[]>>()

  constructor(options: SpeechOptions) {
    this.#options = options
  }

  /** `live` absent: nobody knows which clients will get it. */
  split(op: Outbound, live?: { readonly conversation: Conversation; readonly signed: Signed }): readonly Outbound[] {
    const { channel } = this.#options
    if (channel !== undefined) return this.#splitSpoken(op, channel)
    const chunks = live !== undefined && allKnow(live.conversation, live.signed, CHUNKS)
    return partsOf(op, chunks ? CHUNKED_ROOM : TEXT_ROOM)
  }

  /** What fits with the name in front can be said with and without it; what does not is said with it. */
  #splitSpoken(op: Outbound, channel: Channel): readonly Outbound[] {
    const named = partsOf(relayedOp(op))
    return named.length === 1 && speakerOf(op, channel) !== undefined ? [op] : named
  }

  async deliver(
    conversation: Conversation,
    live: Signed,
    { id, op }: Delivery,
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    if (op.kind === 'typing') {
      await conversation.whisper(typingMessage(this.#options.login))
      return DELIVERED
    }
    if (op.kind === 'member') return this.#changeMembers(conversation, op)
    if (op.kind === 'message' && op.body.kind === 'file') {
      const user = conversation.chat.chat as string as UserId
      const name = live.line.contacts.get(user)?.name ?? user
      return live.transfers.deliver(id, op.body.file, { chat: conversation.chat, user, name }, conversation, signal)
    }
    if (op.kind === 'redact' && live.transfers.takeBack(op.target)) return DELIVERED
    const nudges = allKnow(conversation, live, NUDGES)
    const voice = { ownName: live.line.name, nudges, chunks: allKnow(conversation, live, CHUNKS) }
    const { channel } = this.#options
    const payloads = payloadsOf(channel === undefined ? op : relayedOp(op), voice, this.#options.random)
    if (payloads.length === 0) return DELIVERED
    const spoken = channel === undefined ? undefined : this.#spoken(op, channel, voice)
    const pictured = this.#pictured(conversation, op)
    // Without a pause where there is nothing to wait for.
    return pictured === undefined
      ? conversation.deliver(id, payloads, signal, { spoken })
      : conversation.deliver(id, payloads, signal, { spoken, before: await pictured })
  }

  /** As it reads from themselves; undefined: they can have no place in a conversation of the channel. */
  #spoken(op: Outbound, channel: Channel, voice: Voice): Spoken | undefined {
    const by = speakerOf(op, channel)
    const [payload, ...more] = by === undefined ? [] : payloadsOf(op, voice, this.#options.random)
    return by === undefined || payload === undefined || more.length > 0 ? undefined : { by, payload }
  }

  /** What describes the pictures in the words. Nothing that is said later goes before. */
  #pictured(conversation: Conversation, op: Outbound): Promise<readonly Uint8Array[]> | undefined {
    const text = op.kind === 'message' && 'text' in op.body ? op.body.text : []
    const earlier = this.#describing.get(conversation)
    const described = this.#options.emoticons.describe(text)
    if (described === undefined && earlier === undefined) return undefined
    const ready = Promise.all([described ?? [], earlier]).then(([messages]) => messages)
    this.#describing.set(conversation, ready)
    void ready.then(() => {
      if (this.#describing.get(conversation) === ready) this.#describing.delete(conversation)
    })
    return ready
  }

  async #changeMembers(conversation: Conversation, op: Extract<Outbound, { kind: 'member' }>): Promise<DeliveryResult> {
    // Who comes and goes on other networks is no matter for a switchboard.
    if (op.user.network !== this.#options.network) return DELIVERED
    switch (op.change) {
      case 'join':
        return DELIVERED
      case 'invite': {
        const user = parseAddress(op.user.user)
        if (user === undefined || user === this.#options.own)
          return refused('not-found', `${op.user.user} cannot be invited`)
        const result = await conversation.invite(user)
        // Whoever asked can ask again; what is said meanwhile must not wait for it.
        if (result.kind !== 'joined') return refused('reason' in result ? result.reason : 'network', result.detail)
        if (conversation.kind === 'group') await this.#extend(conversation.chat.chat, user)
        return DELIVERED
      }
      case 'leave':
      case 'kick':
        if (op.user.user === this.#options.own) {
          conversation.leave()
          return DELIVERED
        }
        if (op.change === 'leave') return DELIVERED
        return refused('unsupported', 'nobody can be removed from an MSN conversation')
    }
  }

  async #extend(chat: ChatId, user: UserId): Promise<void> {
    try {
      await this.#options.groups.extend(chat, user)
    } catch (error) {
      this.#options.context.log.warn(
        { account: this.#options.account, error: String(error) },
        'who was invited to a group is remembered until the next start only',
      )
    }
  }
}

const NUDGES = (clientId: number): boolean => generationOf(clientId) >= NUDGE_GENERATION
const CHUNKS = (clientId: number): boolean => hasFeature(clientId, 'chunks')

/** Whether the clients of all who get it are known to be such. */
const allKnow = (conversation: Conversation, { line }: Signed, isSuch: (clientId: number) => boolean): boolean =>
  conversation.people().every((user) => {
    const presence = line.contacts.get(user)?.presence
    return presence !== undefined && isSuch(presence.clientId)
  })
