/**
 * One chat: a person, or a group of people. Knows the switchboards that lead there, opens one when there is something to
 * say, and reports for each message what became of it. Never tries again by itself: that is the lane's decision.
 */
import type { Clock } from '../../bridge/adapter.ts'
import type { ChatRef, EventId, MessageId, UserId } from '../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../bridge/model/result.ts'
import type {
  InviteResult,
  OpenSwitchboardResult,
  SendResult,
  Spoken as SpokenMessage,
  Switchboard,
} from '../../msnp/index.ts'
import { PIPELINE } from './capabilities.ts'
import type { Participants, Speaker } from './participants.ts'
import {
  refused,
  resultOfInvite,
  resultOfInvites,
  resultOfOpen,
  resultOfSend,
  retry,
  SOON_MS,
  type InviteFailure,
  type NotDelivered,
} from './results.ts'
import { userIdOf } from './words.ts'

/** Messages that wait for a switchboard; a lane never has more than its pipeline under way. */
export const MAX_WAITING = 4 * PIPELINE
/** Once somebody of a group is there, the others have so long to come before the first words are said. Milliseconds. */
export const GATHER_MS = 5_000
/** Somebody of a group who is online but not there is called again, at most so often. Milliseconds. */
export const RECALL_MS = 60_000
/** Messages that were answered with NAK and may come back. */
const MAX_REMEMBERED_NAKS = 100

export interface ConversationOptions {
  readonly chat: ChatRef
  readonly kind: 'direct' | 'group'
  /** Who should be there, now: addresses in lower case. */
  readonly members: () => readonly UserId[]
  readonly clock: Clock
  /** A new switchboard with nobody inside. Whoever opens it hears of it before anything happens there. */
  readonly open: (conversation: Conversation) => Promise<OpenSwitchboardResult>
  /** How the server writes that address. */
  readonly addressOf: (user: UserId) => string
  readonly isOnline: (user: UserId) => boolean
  /** They are offline: see to it that we hear when they come. Answers why that will never be, or not be heard. */
  readonly watch: (user: UserId) => Promise<NotDelivered | undefined>
  /** Of a channel. */
  readonly participants?: Participants
}

/** The same message as it reads when somebody says it who has a place there. */
export interface Spoken {
  readonly by: Speaker
  readonly payload: Uint8Array
}

export interface Before {
  /** What goes right before a message, on the same switchboard. */
  readonly before?: readonly Uint8Array[]
  readonly spoken?: Spoken | undefined
}

interface Waiting {
  readonly id: EventId
  /** The message, in one part or, for clients that know that, several. */
  readonly payloads: readonly Uint8Array[]
  readonly before: readonly Uint8Array[]
  readonly spoken: Spoken | undefined
  readonly settle: (result: DeliveryResult) => void
}

export class Conversation {
  readonly chat: ChatRef
  readonly kind: 'direct' | 'group'
  readonly #options: ConversationOptions
  /** The one that last received is last. */
  #boards: Switchboard[] = []
  /** Closed as soon as nothing waits for an answer there: nobody is inside, or a message came back. */
  readonly #leaving = new Set<Switchboard>()
  readonly #waiting: Waiting[] = []
  /** Where the messages under way went. They all go one way, so that they cannot overtake each other. */
  #writing: Switchboard | undefined
  #underWay = 0
  #opening = false
  /** New ones, while the people are called together. */
  readonly #gathering = new Set<Switchboard>()
  /** Opened for what people do not see, and nothing else happened there. */
  readonly #quiet = new Set<Switchboard>()
  readonly #called = new Map<UserId, number>()
  readonly #naks = new Map<EventId, number>()
  #sent = 0
  #results: Promise<unknown> = Promise.resolve()

  constructor(options: ConversationOptions) {
    this.chat = options.chat
    this.kind = options.kind
    this.#options = options
  }

  get boards(): readonly Switchboard[] {
    return this.#boards
  }

  /** Nothing would be lost without it. */
  get idle(): boolean {
    return this.#boards.length === 0 && this.#waiting.length === 0 && this.#underWay === 0 && !this.#opening
  }

  /** Who would get it now: those inside, else those who would be called. */
  people(): readonly UserId[] {
    const board = this.#usable()
    return board === undefined ? this.#options.members() : [...board.members.keys()].map(userIdOf)
  }

  /** Results come in the order of the calls. Never rejects. Several payloads are one message: it is there when all of them are. */
  deliver(
    id: EventId,
    payload: Uint8Array | readonly Uint8Array[],
    signal: AbortSignal,
    { before = [], spoken }: Before = {},
  ): Promise<DeliveryResult> {
    const payloads = payload instanceof Uint8Array ? [payload] : payload
    const result = this.#accept({ id, payloads, before, spoken }, signal)
    const inOrder = this.#results.then(() => result)
    this.#results = inOrder
    return inOrder
  }

  /** Typing and answers to invitations: only to who is there, never a reason to call anybody. */
  async whisper(payload: Uint8Array, board = this.#usable()): Promise<void> {
    if (board?.open === true && board.members.size > 0) await board.send(payload, 'U')
  }

  /** Calls somebody in, and the others first where there is nobody yet. */
  async invite(user: UserId): Promise<{ readonly kind: 'joined' } | NotDelivered> {
    let board = this.#usable()
    if (board === undefined) {
      const opened = await this.#options.open(this)
      if (!opened.ok) return resultOfOpen(opened.failure)
      board = opened.switchboard
      const failure = await this.#gather(board)
      if (failure !== undefined) return failure
    }
    if (board.members.has(user)) return { kind: 'joined' }
    // Who belongs here was called with the others, and is called again when there is something to say.
    if (this.#options.members().includes(user) && this.#calledLately(user)) {
      return retry('offline', RECALL_MS, `${user} was called and has not come yet`)
    }
    const result = await this.#call(board, user)
    return result.kind === 'joined' ? { kind: 'joined' } : this.#notReached(user, result)
  }

  /**
   * A switchboard where that member is, for what people do not see: one that is there, else a new one, which `release` closes
   * unless somebody has said something on it meanwhile.
   */
  async reach(member: UserId): Promise<{ readonly board: Switchboard; readonly release: () => void } | undefined> {
    const usable = this.#usable()
    if (usable?.members.has(member) === true) return { board: usable, release: () => undefined }
    const opened = await this.#options.open(this)
    if (!opened.ok) return undefined
    const board = opened.switchboard
    this.#gathering.add(board)
    this.#attach(board, 'quiet')
    const called = await board.invite(this.#options.addressOf(member))
    this.#gathering.delete(board)
    if (called.kind !== 'joined') {
      board.close()
      return undefined
    }
    this.changed()
    const release = (): void => {
      if (this.#quiet.delete(board)) this.#close(board)
    }
    return { board, release }
  }

  /** Says OUT everywhere. */
  leave(): void {
    for (const board of this.#boards) this.#close(board)
  }

  attach(board: Switchboard): void {
    this.#attach(board, 'seen')
  }

  #attach(board: Switchboard, how: 'seen' | 'quiet'): void {
    this.detach(board)
    this.#boards.push(board)
    if (how === 'quiet') this.#quiet.add(board)
    else this.#options.participants?.enter(board)
    this.changed()
  }

  /** Something happens there that people see. */
  #stir(board: Switchboard): void {
    if (this.#quiet.delete(board)) this.#options.participants?.enter(board)
  }

  detach(board: Switchboard): void {
    if (this.#boards.includes(board)) this.#options.participants?.leave(board)
    this.#boards = this.#boards.filter((known) => known !== board)
    this.#leaving.delete(board)
    this.#quiet.delete(board)
  }

  /** Answers go where the last words came from. */
  heard(board: Switchboard): void {
    this.#stir(board)
    if (this.#boards.at(-1) === board || !this.#boards.includes(board)) return
    this.#boards = [...this.#boards.filter((known) => known !== board), board]
  }

  /** Somebody came or went, or a switchboard opened or closed. */
  changed(): void {
    for (const board of this.#boards) {
      if (board.open && board.members.size === 0 && !this.#gathering.has(board)) this.#close(board)
    }
    this.#drain()
  }

  /** They were offline when they were last called, and are not any more. */
  cameOnline(user: UserId): void {
    this.#called.delete(user)
  }

  async #accept(message: Omit<Waiting, 'settle'>, signal: AbortSignal): Promise<DeliveryResult> {
    if (signal.aborted) return TAKEN_BACK
    if (this.#waiting.length >= MAX_WAITING) {
      return retry('rate-limited', SOON_MS, 'too many messages wait for this conversation')
    }
    const { promise, resolve } = Promise.withResolvers<DeliveryResult>()
    const waiting: Waiting = { ...message, settle: resolve }
    const aborted = (): void => {
      const at = this.#waiting.indexOf(waiting)
      if (at < 0) resolve({ kind: 'uncertain', detail: 'there was no time left to wait for the acknowledgement' })
      // What is behind it must not overtake it.
      else this.#giveBack(TAKEN_BACK, at)
    }
    signal.addEventListener('abort', aborted, { once: true })
    this.#waiting.push(waiting)
    this.#drain()
    const result = await promise
    signal.removeEventListener('abort', aborted)
    return result
  }

  /** Writes what can be written now. */
  #drain(): void {
    while (this.#waiting.length > 0) {
      const board = this.#usable()
      if (board === undefined) {
        void this.#open()
        return
      }
      // What is under way elsewhere must be answered first, or this could overtake it.
      if (this.#underWay > 0 && this.#writing !== board) return
      const next = this.#waiting.shift()
      if (next !== undefined) this.#write(board, next)
    }
  }

  #usable(): Switchboard | undefined {
    return this.#boards.findLast(
      (board) =>
        board.open &&
        !this.#leaving.has(board) &&
        (this.kind === 'group'
          ? board.members.size > 0 && !this.#gathering.has(board)
          : this.#options.members().some((member) => board.members.has(member))),
    )
  }

  #write(board: Switchboard, message: Waiting): void {
    this.#stir(board)
    this.#writing = board
    this.#underWay++
    for (const payload of message.before) void board.send(payload, 'U')
    const spoken = this.#spoken(board, message)
    void Promise.all(message.payloads.map((payload) => board.send(payload, 'A', spoken))).then((results) => {
      this.#underWay--
      this.#answered(board, message, weakest(results))
      if (this.#underWay === 0) for (const leaving of this.#leaving) this.#close(leaving)
      this.#drain()
    })
    if (this.kind === 'group') this.#recall(board)
  }

  /** As they say it, if they have a place there. */
  #spoken(board: Switchboard, { payloads, spoken }: Waiting): SpokenMessage | undefined {
    if (spoken === undefined || payloads.length > 1) return undefined
    const has = this.#options.participants?.speaks(board, spoken.by) === true
    return has ? { email: spoken.by.address, payload: spoken.payload } : undefined
  }

  #answered(board: Switchboard, message: Waiting, result: SendResult): void {
    switch (result.kind) {
      case 'acked':
      case 'sent':
        this.#naks.delete(message.id)
        message.settle(this.#delivered(board, result.members))
        return
      case 'nak': {
        const failure = resultOfSend(result, this.#countNak(message.id))
        message.settle(failure)
        // What is not written yet must not overtake it.
        if (failure.kind === 'retry') this.#giveBack(failure)
        this.#close(board)
        return
      }
      case 'not-written': {
        const failure = resultOfSend(result, 0)
        message.settle(failure)
        if (failure.kind === 'retry') this.#giveBack(failure)
        return
      }
      case 'timeout':
        this.#close(board)
        message.settle(resultOfSend(result, 0))
        return
      case 'left-before-ack':
      case 'lost':
        message.settle(resultOfSend(result, 0))
        return
    }
  }

  #delivered(board: Switchboard, reached: readonly string[]): DeliveryResult {
    const ids = [`${board.nonce}>${++this.#sent}` as MessageId]
    const missed = this.kind === 'direct' ? [] : this.#options.members().filter((member) => !reached.includes(member))
    if (missed.length === 0) return { kind: 'delivered', ids }
    return { kind: 'delivered', ids, missed: missed.map((user) => ({ network: this.chat.network, user })) }
  }

  #countNak(id: EventId): number {
    const naks = (this.#naks.get(id) ?? 0) + 1
    this.#naks.delete(id)
    this.#naks.set(id, naks)
    const [oldest] = this.#naks.keys()
    if (oldest !== undefined && this.#naks.size > MAX_REMEMBERED_NAKS) this.#naks.delete(oldest)
    return naks
  }

  /** All that waits, or what does from there on. */
  #giveBack(result: NotDelivered, from = 0): void {
    for (const message of this.#waiting.splice(from)) message.settle(result)
  }

  /** At once, or when the last message on it is answered. */
  #close(board: Switchboard): void {
    if (this.#underWay > 0 && this.#writing === board && board.open) this.#leaving.add(board)
    else {
      this.#leaving.delete(board)
      board.close()
    }
  }

  async #open(): Promise<void> {
    if (this.#opening) return
    this.#opening = true
    const opened = await this.#options.open(this)
    const failure = opened.ok ? await this.#gather(opened.switchboard) : resultOfOpen(opened.failure)
    this.#opening = false
    // They may have called us meanwhile; or come, and left again at once.
    if (this.#usable() === undefined) this.#giveBack(failure ?? retry('network', SOON_MS, 'they came and left again'))
    this.changed()
  }

  /** Calls everybody who belongs here. undefined: somebody came; else the switchboard is closed again. */
  async #gather(board: Switchboard): Promise<NotDelivered | undefined> {
    this.#gathering.add(board)
    this.attach(board)
    const failure = await this.#callAll(board)
    this.#gathering.delete(board)
    if (failure !== undefined) board.close()
    return failure
  }

  async #callAll(board: Switchboard): Promise<NotDelivered | undefined> {
    const members = this.#options.members()
    const came = new AbortController()
    const calls = members.map(async (member) => {
      const result = await this.#call(board, member)
      if (result.kind !== 'joined') return this.#notReached(member, result)
      came.abort()
      return undefined
    })
    const all = Promise.all(calls)
    const enough = new AbortController()
    await Promise.race([all, aborted(came.signal).then(() => this.#options.clock.sleep(GATHER_MS, enough.signal))])
    enough.abort()
    if (came.signal.aborted) return undefined
    const failures = (await all).filter((failure) => failure !== undefined)
    if (this.kind === 'group') return resultOfInvites(failures)
    return failures[0] ?? refused('not-found', 'the chat has nobody in it')
  }

  async #notReached(user: UserId, failure: InviteFailure): Promise<NotDelivered> {
    const result = resultOfInvite(failure, user)
    if (result.kind !== 'retry' || result.wait !== 'recipient-online') return result
    return (await this.#options.watch(user)) ?? result
  }

  async #call(board: Switchboard, user: UserId): Promise<InviteResult> {
    this.#called.set(user, this.#options.clock.now())
    return board.invite(this.#options.addressOf(user))
  }

  /** Members who are online but not there, because they closed the window, hear the next words again. */
  #recall(board: Switchboard): void {
    for (const member of this.#options.members()) {
      if (board.members.has(member) || !this.#options.isOnline(member) || this.#calledLately(member)) continue
      void this.#call(board, member)
    }
  }

  #calledLately(user: UserId): boolean {
    return this.#options.clock.now() - (this.#called.get(user) ?? -Infinity) < RECALL_MS
  }
}

/** What is said of all parts: a part that is missing, else that of the fewest people. */
const weakest = (results: readonly SendResult[]): SendResult =>
  results.reduce((one, other) => (reach(other) < reach(one) ? other : one))

const reach = (result: SendResult): number => ('members' in result ? result.members.length : -1)

const TAKEN_BACK = retry('network', SOON_MS, 'the message was taken back before it was written')

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
