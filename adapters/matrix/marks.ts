/**
 * What became of a message, shown at the message itself: a read mark when it has arrived, a clock while it waits, an
 * answer of the bot when a person should know more; and `com.beeper.message_send_status` for clients that draw it.
 * The transaction ids come from the delivery, so that a second attempt doubles nothing.
 */
import type { DeliveryOutcome, Outbound } from '../../bridge/model/events.ts'
import type { ChatId } from '../../bridge/model/ids.ts'
import type { Reason } from '../../bridge/model/result.ts'
import { textOf } from '../../bridge/model/text.ts'
import { done, isPassing } from './answers.ts'
import { isEventId } from './ids.ts'
import { answerTo, eventOf, reactionTo, SOURCE, type Content } from './outbound.ts'
import { markRead } from './receipts.ts'
import { eventSending, sendCall } from './send-calls.ts'
import type { Answer, GhostPort, MatrixDeps, MatrixEventId, Room } from './types.ts'
import { jsonOf, textIn } from './untrusted.ts'

/** Messages with a clock, all rooms together; further ones wait without one. */
const MAX_CLOCKS = 10_000
const PREFIX = 'waiting/'
const CLOCK = '⏳'
const STATUS = 'com.beeper.message_send_status'

export type Mark = Extract<Outbound, { kind: 'delivery' }>

export interface MarksDeps extends Pick<MatrixDeps, 'network' | 'context' | 'homeserver'> {
  readonly ghosts: Pick<GhostPort, 'idOf'>
}

interface Waiting {
  readonly chat: ChatId
  /** The clock; absent where the bot may not react. */
  readonly clock?: MatrixEventId
}

type Step = () => Promise<Answer<unknown>>

export class Marks {
  readonly #deps: MarksDeps
  #waiting: Map<MatrixEventId, Waiting> | undefined

  constructor(deps: MarksDeps) {
    this.#deps = deps
  }

  /** `id` is the delivery's. A failure is one that passes; rejects when the disk takes nothing. */
  async mark(id: string, op: Mark, room: Room, signal: AbortSignal): Promise<Answer<unknown>> {
    const waiting = (this.#waiting ??= await this.#load())
    const target = eventOf(op.target)
    const status: Step = () => this.#send(room, `${id}.status`, STATUS, this.#statusOf(op, room), signal)
    const words: Step = () => this.#send(room, `${id}.words`, ...this.#wordsOf(op), signal)
    // A command, and no message: there is nothing to put a mark at.
    if (!isEventId(op.target)) return op.outcome === 'delivered' ? done(undefined) : inTurn([words])
    const arrived: Step = () => markRead(this.#deps.homeserver, this.#deps.homeserver.bot, room.room, target, signal)
    const uncover: Step = () => this.#uncover(id, target, room, waiting, signal)
    switch (op.outcome) {
      case 'waiting': {
        const first = ![...waiting].some(([event, { chat }]) => chat === room.chat && event !== target)
        const cover: Step = () => this.#cover(id, target, room, waiting, signal)
        return inTurn(first ? [cover, status, words] : [cover, status])
      }
      case 'delivered':
        return together([arrived, uncover, status])
      case 'partial':
        return inTurn([arrived, uncover, status, words])
      case 'refused':
      case 'uncertain':
        return inTurn([uncover, status, words])
    }
  }

  /** The room is none of ours any more. */
  async forget(chat: ChatId): Promise<void> {
    const waiting = (this.#waiting ??= await this.#load())
    const gone = [...waiting].filter(([, row]) => row.chat === chat).map(([event]) => event)
    for (const event of gone) waiting.delete(event)
    if (gone.length > 0)
      await this.#deps.context.state.update(gone.map((event) => [PREFIX + event, undefined] as const))
  }

  async #cover(
    id: string,
    target: MatrixEventId,
    room: Room,
    waiting: Map<MatrixEventId, Waiting>,
    signal: AbortSignal,
  ): Promise<Answer<unknown>> {
    if (waiting.has(target) || waiting.size >= MAX_CLOCKS) return done(undefined)
    const reacted = await this.#send(room, `${id}.clock`, 'm.reaction', reactionTo(target, CLOCK), signal)
    if (!reacted.ok && isPassing(reacted.failure)) return reacted
    const clock = reacted.ok ? textIn(reacted.value, 'event_id') : undefined
    const row: Waiting = isEventId(clock) ? { chat: room.chat, clock } : { chat: room.chat }
    await this.#deps.context.state.update([[PREFIX + target, JSON.stringify(row)]])
    waiting.set(target, row)
    return done(undefined)
  }

  async #uncover(
    id: string,
    target: MatrixEventId,
    room: Room,
    waiting: Map<MatrixEventId, Waiting>,
    signal: AbortSignal,
  ): Promise<Answer<unknown>> {
    const row = waiting.get(target)
    if (row === undefined) return done(undefined)
    const { homeserver, context } = this.#deps
    if (row.clock !== undefined) {
      const redaction = { kind: 'redaction', target: row.clock, content: {} } as const
      const taken = await homeserver.request(sendCall(room.room, redaction, `${id}.unclock`, { device: true, signal }))
      if (!taken.ok && isPassing(taken.failure)) return taken
    }
    await context.state.update([[PREFIX + target, undefined]])
    waiting.delete(target)
    return done(undefined)
  }

  #send(room: Room, id: string, type: string, content: Content, signal: AbortSignal): Promise<Answer<unknown>> {
    const { homeserver } = this.#deps
    const marked = { ...content, [SOURCE]: homeserver.bot }
    return homeserver.request(sendCall(room.room, eventSending(type, marked), id, { device: true, signal }))
  }

  #wordsOf(op: Mark): readonly [type: string, content: Content] {
    const target = isEventId(op.target) ? op.target : undefined
    return ['m.room.message', answerTo(target, op.text, this.#deps.homeserver.bot)]
  }

  #statusOf(op: Mark, room: Room): Content {
    const { network, ghosts } = this.#deps
    const reason = op.reason === undefined ? undefined : REASONS[op.reason]
    const told = op.outcome === 'delivered' ? [] : [['message', textOf(op.text)] as const]
    return {
      network,
      'm.relates_to': { rel_type: 'm.reference', event_id: op.target },
      status: STATUSES[op.outcome],
      ...(op.outcome === 'delivered' || reason === undefined ? {} : { reason }),
      ...Object.fromEntries(told),
      ...(op.outcome === 'delivered' && room.request !== undefined
        ? { delivered_to_users: room.request.with.map(({ user }) => ghosts.idOf(user)) }
        : {}),
    }
  }

  async #load(): Promise<Map<MatrixEventId, Waiting>> {
    const waiting = new Map<MatrixEventId, Waiting>()
    for (const [key, value] of await this.#deps.context.state.list(PREFIX)) {
      const row = jsonOf(value)
      const [event, chat, clock] = [
        key.slice(PREFIX.length),
        textIn(row, 'chat') as ChatId | undefined,
        textIn(row, 'clock'),
      ]
      if (isEventId(event) && chat !== undefined) waiting.set(event, isEventId(clock) ? { chat, clock } : { chat })
    }
    return waiting
  }
}

/** One after the other. What the homeserver refuses is left out: a mark that cannot be set must not hold up the next ones. */
/** What is independent of each other; all end before the result is known. */
const together = async (steps: readonly Step[]): Promise<Answer<unknown>> => {
  const answers = await Promise.all(steps.map((step) => step()))
  return answers.find((answer) => !answer.ok && isPassing(answer.failure)) ?? done(undefined)
}

const inTurn = async (steps: readonly Step[]): Promise<Answer<unknown>> => {
  for (const step of steps) {
    const answer = await step()
    if (!answer.ok && isPassing(answer.failure)) return answer
  }
  return done(undefined)
}

const STATUSES: Readonly<Record<DeliveryOutcome, string>> = {
  delivered: 'SUCCESS',
  partial: 'SUCCESS',
  waiting: 'PENDING',
  refused: 'FAIL_PERMANENT',
  uncertain: 'FAIL_RETRIABLE',
}

/** The names that clients know. */
const REASONS: Readonly<Record<Reason, string>> = {
  offline: 'm.foreign_network_error',
  'not-found': 'm.foreign_network_error',
  blocked: 'm.no_permission',
  forbidden: 'm.no_permission',
  'too-large': 'com.beeper.unsupported_event',
  unsupported: 'com.beeper.unsupported_event',
  'rate-limited': 'm.foreign_network_error',
  network: 'm.bridge_unavailable',
  protocol: 'm.foreign_network_error',
}
