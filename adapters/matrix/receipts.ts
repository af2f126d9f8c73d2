/** Read marks, both ways. Private ones stay private. */
import type { MessageId, UserId } from '../../bridge/model/ids.ts'
import { recordOf } from './untrusted.ts'
import { isEventId, isMxid } from './ids.ts'
import { path } from './paths.ts'
import {
  refOf,
  type Answer,
  type EphemeralEvent,
  type HomeserverPort,
  type MatrixDeps,
  type MatrixEventId,
  type Mxid,
  type Room,
  type RoomId,
} from './types.ts'

/** Marks that are looked at in one event; no room has so many readers in one moment. */
const MAX_MARKS = 200

export interface ReadMark {
  readonly user: Mxid
  readonly upTo: MatrixEventId
}

/** Pure. What `m.receipt` says; undefined: it makes no sense. */
const marksOf = (content: EphemeralEvent['content']): readonly ReadMark[] | undefined => {
  const marks: ReadMark[] = []
  for (const [upTo, kinds] of Object.entries(content)) {
    if (!isEventId(upTo)) return undefined
    for (const user of Object.keys(recordOf(recordOf(kinds)['m.read'])))
      if (isMxid(user) && marks.length < MAX_MARKS) marks.push({ user, upTo })
  }
  return marks
}

export interface ReceiptsDeps extends Pick<MatrixDeps, 'network' | 'context'> {
  /** Whether what they do there goes to the other side. */
  readonly maySpeak: (room: Room, user: Mxid) => boolean
}

/** What our people have read. */
export class Receipts {
  readonly #deps: ReceiptsDeps

  constructor(deps: ReceiptsDeps) {
    this.#deps = deps
  }

  /** `m.receipt` of a room. Answers who of our people reads; undefined: it makes no sense. */
  async take(event: EphemeralEvent, room: Room): Promise<readonly Mxid[] | undefined> {
    const { network, context, maySpeak } = this.#deps
    const marks = marksOf(event.content)?.filter(({ user }) => maySpeak(room, user))
    if (marks === undefined) return undefined
    const chat = refOf(network, room.chat)
    for (const { user, upTo } of marks)
      await context.emit({
        kind: 'read',
        chat,
        sender: { network, user: user as string as UserId },
        upTo: upTo as string as MessageId,
      })
    return marks.map(({ user }) => user)
  }
}

/** A ghost, or the bot, has read everything up to this event. */
export const markRead = (
  homeserver: Pick<HomeserverPort, 'request'>,
  who: Mxid,
  room: RoomId,
  upTo: MatrixEventId,
  signal?: AbortSignal,
): Promise<Answer<unknown>> =>
  homeserver.request({
    method: 'POST',
    path: path`/_matrix/client/v3/rooms/${room}/receipt/m.read/${upTo}`,
    as: who,
    body: {},
    ...(signal === undefined ? {} : { signal }),
  })
