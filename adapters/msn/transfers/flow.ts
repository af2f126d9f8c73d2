/**
 * Files between MSN and the others, whichever protocol moves their bytes: what is offered to us goes into the store of the bridge
 * and into the chat; what others send is offered, and becomes a link where the offer comes to nothing.
 */
import type { AdapterContext } from '../../../bridge/adapter.ts'
import type { FileRef, MessageBody } from '../../../bridge/model/body.ts'
import type { AccountId, ChatRef, EventId, MessageId, NetworkId, UserId } from '../../../bridge/model/ids.ts'
import { fileWords } from '../../../bridge/model/file-words.ts'
import type { DeliveryResult } from '../../../bridge/model/result.ts'
import { textMessage, type MimeMessage } from '../../../msnp/index.ts'
import type { Held } from '../held.ts'
import { cleaned, oneLine } from '../words.ts'
import { declined, notArrived, notTaken, onItsWay, outcome, tooLarge } from './notices.ts'
import type { Courier, IncomingOffer, OfferResult, OutgoingOffer, Talk } from './types.ts'
import type { OwedLinks } from './owed.ts'

export interface TransfersOptions {
  readonly network: NetworkId
  readonly account: AccountId
  readonly context: AdapterContext
  readonly held: Held
  /** The first that understands a client is taken. */
  readonly couriers: readonly Courier[]
  readonly owed: OwedLinks
  readonly receives: boolean
  readonly sends: boolean
  /** Both ways. Bytes. */
  readonly maxBytes: number
  /** undefined: they are offline, or hidden. */
  readonly generationOf: (user: UserId) => number | undefined
  readonly random: () => string
}

/** Where something is said, and to whom it is sent. */
export interface Where {
  readonly chat: ChatRef
  readonly user: UserId
  readonly name: string
}

/** The chat as far as files need it. */
export interface Words {
  deliver(id: EventId, payload: Uint8Array, signal: AbortSignal): Promise<DeliveryResult>
  whisper(payload: Uint8Array): Promise<void>
}

/** Under way at once on one account, and from one person. */
export const MAX_TRANSFERS = 16
export const MAX_FROM_ONE = 4
/** What takes longer is told of, and again after each of these. Milliseconds. */
export const PROGRESS_MS = 15_000
/** Offers that are refused are told of so often in so many milliseconds. */
export const MAX_TOLD = 20
const TOLD_WITHIN_MS = 60_000
/** Of a file in the words before its link, UTF-16 units. */
const MAX_NAME = 100

/** The link is owed from now on: they get one or the other. */
const OFFERED: DeliveryResult = { kind: 'delivered', ids: [] }

export class Transfers {
  readonly #options: TransfersOptions
  readonly #life = new AbortController()
  readonly #incoming = new Map<IncomingOffer, UserId>()
  /** Offers of ours by the ids of their messages. */
  readonly #outgoing = new Map<MessageId, { readonly user: UserId; readonly over: AbortController }>()
  /** When refusals were told of, lately. */
  readonly #told: number[] = []
  readonly #running = new Set<Promise<void>>()

  constructor(options: TransfersOptions) {
    this.#options = options
  }

  /** Whether that message is about a file, and needs no more. `isElsewhere`: what they offer is for the person's Messenger. */
  hear(message: MimeMessage, talk: Talk, where: Where, isElsewhere = false): boolean {
    for (const courier of this.#options.couriers) {
      const heard = courier.hear(message, talk)
      if (heard === undefined) continue
      if (heard === 'taken') return true
      if (isElsewhere) {
        heard.decline('elsewhere')
        this.elsewhere(heard, where)
      } else this.offered(heard, where, talk)
      return true
    }
    return false
  }

  /** They offer it to the person's Messenger: only told of. */
  elsewhere(file: { readonly name: string; readonly size: number }, where: Where): void {
    this.#count('in', 'refused')
    if (this.#mayTell()) this.#say(where, notTaken(file, 'your Messenger is asked'))
  }

  /** They are on no switchboard any more. */
  gone(user: UserId): void {
    for (const courier of this.#options.couriers) courier.gone(user)
  }

  /** Whether files can be offered to them now. */
  canOffer(user: UserId): boolean {
    return this.#options.sends && this.#courierFor(user) !== undefined && this.#outgoing.size < MAX_TRANSFERS
  }

  /** Offers a file. Resolves when the offer, or the link, has reached them; what becomes of it is told later. */
  async deliver(id: EventId, file: FileRef, where: Where, words: Words, signal: AbortSignal): Promise<DeliveryResult> {
    const { context, maxBytes, owed } = this.#options
    // We ended between the offer and the answer to it: they get the link, and not the file as well.
    if (owed.isInherited(id)) return OFFERED
    const courier = this.canOffer(where.user) ? this.#courierFor(where.user) : undefined
    const size = courier === undefined ? undefined : await sizeOf(context, file, signal)
    if (courier === undefined || size === undefined || size > maxBytes) return words.deliver(id, linkOf(file), signal)
    const offer = courier.offer(where.user, {
      name: file.name,
      size,
      open: async (late) => {
        const media = await context.files.open(file, late)
        return media.kind === 'media' ? media.body : undefined
      },
    })
    try {
      // From here on a crash must not cost them the file.
      await owed.note(id, { chat: where.chat.chat, words: linkWords(file) })
    } catch {
      offer.forget()
      return words.deliver(id, linkOf(file), signal)
    }
    const result = offer.payload === undefined ? OFFERED : await words.deliver(id, offer.payload, signal)
    if (result.kind !== 'delivered') {
      offer.forget()
      await owed.settle(id)
      return result
    }
    this.#run(this.#offer(id, offer, { name: file.name, size }, where, words, result.ids))
    return result
  }

  /** Something that is offered to them could still be taken back. */
  isOffering(user: UserId): boolean {
    return [...this.#outgoing.values()].some((offer) => offer.user === user)
  }

  /** false: no offer under way was said by that message. */
  takeBack(message: MessageId): boolean {
    const offer = this.#outgoing.get(message)
    offer?.over.abort()
    return offer !== undefined
  }

  /** The link that is owed. */
  give(id: EventId, words: Words): Promise<void> {
    return this.#options.owed.give(id, words, this.#life.signal)
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#running.size === 0
  }

  /** What is under way is given up. Links that are owed are given at the next sign-in. */
  async stop(): Promise<void> {
    this.#life.abort()
    await Promise.all(this.#running)
  }

  /** Somebody has a file for us. `talk`: with them, where they hear why not. */
  offered(offer: IncomingOffer, where: Where, talk: Talk): void {
    const why = this.#whyNot(offer.size, where.user)
    if (why === undefined) {
      this.#incoming.set(offer, where.user)
      this.#run(this.#take(offer, where, talk).finally(() => this.#incoming.delete(offer)))
      return
    }
    offer.decline(this.#options.receives ? 'unwanted' : 'unsupported')
    this.#count('in', 'refused')
    if (!this.#mayTell()) return
    this.#say(where, notTaken(offer, why))
    talk.say(textMessage(declined(offer, why)))
  }

  /** A half-sentence; undefined: it is taken. */
  #whyNot(size: number, user: UserId): string | undefined {
    const { receives, maxBytes, network, context } = this.#options
    const most = Math.min(maxBytes, context.files.maxBytes)
    if (!receives) return 'it takes none'
    if (size > most) return tooLarge(most)
    if (this.#isFull(user)) return 'too many files are on their way'
    return context.files.refusal({ network, user }, size)
  }

  /** A flood of offers is no flood of notices. */
  #mayTell(): boolean {
    const now = this.#options.context.clock.now()
    while (this.#told[0] !== undefined && now - this.#told[0] >= TOLD_WITHIN_MS) this.#told.shift()
    if (this.#told.length >= MAX_TOLD) return false
    this.#told.push(now)
    return true
  }

  #isFull(user: UserId): boolean {
    const theirs = [...this.#incoming.values()].filter((other) => other === user)
    return this.#incoming.size >= MAX_TRANSFERS || theirs.length >= MAX_FROM_ONE
  }

  async #take(offer: IncomingOffer, where: Where, talk: Talk): Promise<void> {
    const { network, context, held } = this.#options
    const signal = AbortSignal.any([this.#life.signal, offer.withdrawn])
    const progress = this.#progress(where, offer, 'them')
    try {
      const arrival = await offer.accept(this.#life.signal, progress.moved)
      if (arrival.kind === 'failed') {
        this.#count('in', 'failed')
        this.#say(where, notArrived(offer, arrival.detail))
        return
      }
      const about = { name: offer.name, maxBytes: offer.size, from: { network, user: where.user } }
      const put = await context.files.put(arrival.body, about, signal)
      if (put.kind === 'refused') {
        arrival.done(false)
        this.#count('in', 'failed')
        const isTheirs = offer.withdrawn.aborted
        this.#say(where, notArrived(offer, isTheirs ? 'they have cancelled it' : put.detail))
        if (!isTheirs && this.#mayTell()) talk.say(textMessage(declined(offer, put.detail)))
        return
      }
      this.#count('in', 'received')
      // They hear that we have it when the message is on disk, too.
      held.stored(this.#event(where, { kind: 'file', file: put.file, text: [] }), () => arrival.done(true))
    } finally {
      progress.end()
    }
  }

  async #offer(
    id: EventId,
    offer: OutgoingOffer,
    file: { readonly name: string; readonly size: number },
    where: Where,
    words: Words,
    ids: readonly MessageId[],
  ): Promise<void> {
    const { owed } = this.#options
    const talk: Talk = { user: where.user, say: (payload) => void words.whisper(payload) }
    const progress = this.#progress(where, file, 'us')
    const over = new AbortController()
    for (const message of ids) this.#outgoing.set(message, { user: where.user, over })
    let result: OfferResult
    try {
      result = await offer.run(talk, AbortSignal.any([this.#life.signal, over.signal]), progress.moved)
    } finally {
      progress.end()
      for (const message of ids) this.#outgoing.delete(message)
    }
    if (this.#life.signal.aborted && result.kind !== 'received') {
      this.#count('out', result.kind)
      // We are going: the next sign-in gives the link.
      owed.leave(id)
      return
    }
    this.#say(where, outcome(file, result))
    if (result.kind === 'received' || result.kind === 'taken-back') await owed.settle(id)
    else await owed.give(id, words, this.#life.signal)
  }

  #courierFor(user: UserId): Courier | undefined {
    const generation = this.#options.generationOf(user)
    return generation === undefined
      ? undefined
      : this.#options.couriers.find((courier) => courier.understands(generation))
  }

  /** Says now and then how far it is, if it takes long. */
  #progress(where: Where, file: { readonly name: string; readonly size: number }, from: 'them' | 'us') {
    const { clock } = this.#options.context
    const ended = new AbortController()
    let [moved, told] = [0, 0]
    const watch = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(PROGRESS_MS, ended.signal)
        if (ended.signal.aborted) return
        if (moved > told) this.#say(where, onItsWay(file, moved, from))
        told = moved
      }
    }
    void watch()
    return { moved: (bytes: number) => void (moved = bytes), end: () => ended.abort() }
  }

  #run(work: Promise<void>): void {
    const running = work
      .catch((error: unknown) => {
        this.#options.context.log.error({ error: String(error) }, 'a file transfer failed')
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  #count(way: 'in' | 'out', outcome: string): void {
    this.#options.context.metrics.count('msn_files', { network: this.#options.network, way, outcome })
  }

  #say(where: Where, body: MessageBody): void {
    this.#options.held.stored(this.#event(where, body))
  }

  #event({ chat, user, name }: Where, body: MessageBody) {
    const { network, random, context } = this.#options
    return {
      kind: 'message',
      chat,
      sender: { network, user },
      senderName: name,
      id: `file:${random()}` as MessageId,
      at: context.clock.now(),
      body,
    } as const
  }
}

/** By asking: what the sender says of it need not be so. */
const sizeOf = async (context: AdapterContext, file: FileRef, signal: AbortSignal): Promise<number | undefined> => {
  const media = await context.files.open(file, signal)
  if (media.kind === 'refused') return undefined
  await media.body.cancel().catch(() => undefined)
  return media.size
}

/** In one message, whatever it is called. */
const linkWords = (file: FileRef): string => cleaned(fileWords({ ...file, name: oneLine(file.name, MAX_NAME) }))
const linkOf = (file: FileRef): Uint8Array => textMessage(linkWords(file))
