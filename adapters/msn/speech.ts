/** What goes into conversations: words with their pictures, typing, files, and who is invited. */
import type { AdapterContext, Delivery } from '../../bridge/adapter.ts'
import type { Outbound } from '../../bridge/model/events.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { AccountId, ChatId, EventId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import { relayedOp } from '../../bridge/model/relayed.ts'
import type { DeliveryResult } from '../../bridge/model/result.ts'
import { generationOf, hasFeature, typingMessage } from '../../msnp/index.ts'
import { Behind } from './behind.ts'
import type { Conversation, Spoken } from './conversation.ts'
import type { Groups } from './groups.ts'
import type { Line } from './line.ts'
import { CHUNKED_ROOM, partsOf, payloadsOf, TEXT_ROOM, type Voice } from './outbound.ts'
import type { OwnEmoticons } from './own-emoticons.ts'
import { speakerOf, type Channel } from './participants.ts'
import { DELIVERED, refused } from './results.ts'
import type { Transfers, Words } from './transfers/flow.ts'
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
  /** What waits for pictures, and files that are not offered yet. */
  readonly #behind = new Behind<Conversation>()

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
      // There is no word for having stopped: it is over by itself.
      if (op.forMs > 0) await conversation.whisper(typingMessage(this.#options.login))
      return DELIVERED
    }
    if (op.kind === 'member') return this.#changeMembers(conversation, op)
    if (op.kind === 'message' && op.body.kind === 'file')
      return this.#file(conversation, live, id, op.body.file, signal)
    if (op.kind === 'redact' && live.transfers.takeBack(op.target)) return DELIVERED
    const nudges = allKnow(conversation, live, NUDGES)
    const voice = { ownName: live.line.name, nudges, chunks: allKnow(conversation, live, CHUNKS) }
    const { channel } = this.#options
    const payloads = payloadsOf(channel === undefined ? op : relayedOp(op), voice, this.#options.random)
    if (payloads.length === 0) return DELIVERED
    const spoken = channel === undefined ? undefined : this.#spoken(op, channel, voice)
    const text = op.kind === 'message' && 'text' in op.body ? op.body.text : []
    const { promise, resolve } = Promise.withResolvers<DeliveryResult>()
    // What describes the pictures in the words goes right before them.
    this.#behind.inOrder(conversation, this.#options.emoticons.describe(text) ?? [], (before) => {
      resolve(conversation.deliver(id, payloads, signal, { spoken, before }))
      return undefined
    })
    return promise
  }

  /** As it reads from themselves; undefined: they can have no place in a conversation of the channel. */
  #spoken(op: Outbound, channel: Channel, voice: Voice): Spoken | undefined {
    const by = speakerOf(op, channel)
    const [payload, ...more] = by === undefined ? [] : payloadsOf(op, voice, this.#options.random)
    return by === undefined || payload === undefined || more.length > 0 ? undefined : { by, payload }
  }

  /** Words that are said later do not go before it. */
  #file(
    conversation: Conversation,
    { line, transfers }: Signed,
    id: EventId,
    file: FileRef,
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    const { chat } = conversation
    const user = chat.chat as string as UserId
    const name = line.contacts.get(user)?.name ?? user
    const { promise, resolve } = Promise.withResolvers<DeliveryResult>()
    this.#behind.inOrder(conversation, undefined, () => {
      const said = Promise.withResolvers<undefined>()
      const words: Words = {
        deliver: (...words) => {
          said.resolve(undefined)
          return conversation.deliver(...words)
        },
        whisper: (payload) => conversation.whisper(payload),
      }
      const result = transfers.deliver(id, file, { chat, user, name }, words, signal)
      resolve(result)
      return Promise.race([said.promise, result.then(() => undefined)])
    })
    return promise
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
