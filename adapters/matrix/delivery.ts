/** Carries out what the core wants: each operation becomes requests to the homeserver, and their answers a result. */
import type { Delivery } from '../../bridge/adapter.ts'
import type { FileRef } from '../../bridge/model/body.ts'
import type { Choice, Outbound, Puppet } from '../../bridge/model/events.ts'
import type { ChatId, UserRef } from '../../bridge/model/ids.ts'
import type { PresenceState } from '../../bridge/model/presence.ts'
import type { DeliveryResult } from '../../bridge/model/result.ts'
import { withoutImage, type RichText } from '../../bridge/model/text.ts'
import { isPassing, notOpened, type NotOpened } from './answers.ts'
import { cleaned, shortened } from './clean.ts'
import type { Ghosts } from './ghosts.ts'
import { isEventId, isMxid } from './ids.ts'
import { uriOf } from './mxc.ts'
import { Marks } from './marks.ts'
import { eventOf, reactionTo, sendingOf, type Said, type Sending } from './outbound.ts'
import type { Puppets } from './puppets.ts'
import { deliveredAs, isForbidden, refused, SILENT, undelivered } from './results.ts'
import { inviteCall, kickCall, stateCall, type By } from './room-calls.ts'
import type { Rooms } from './rooms.ts'
import { eventSending, sendCall, type Sender } from './send-calls.ts'
import type { Answer, MatrixDeps, MatrixEventId, Mxid, Room, RoomTable } from './types.ts'
import type { Placed } from './upload.ts'
import { textIn } from './untrusted.ts'

/** What is older than this when it is sent carries its own time. Milliseconds. */
const OLD_MS = 10_000
/** No message is older than Messenger itself: what says so does not know its time. */
const EARLIEST = Date.UTC(1999, 6, 22)
/** Longest reason for leaving a room, UTF-16 units. */
const MAX_REASON = 200

export interface DeliveriesDeps extends MatrixDeps {
  readonly table: Pick<RoomTable, 'byChat'>
  readonly rooms: Pick<Rooms, 'ready' | 'title'>
  readonly ghosts: Pick<Ghosts, 'idOf' | 'ensure' | 'enter' | 'leave' | 'noteOut' | 'picture'>
  readonly puppets: Pick<Puppets, 'by' | 'failed'>
  /** What an answer to this event means. The bot offers them as reactions once this is on disk. */
  choices(room: Room, event: MatrixEventId, choices: readonly Choice[]): Promise<void>
  typing(room: Room, ghost: Mxid, forMs: number): void
  read(room: Room, ghost: Mxid, upTo: MatrixEventId): void
  /** `chat`: in which somebody sees it. */
  presence(ghost: Mxid, state: PresenceState, chat: ChatId | undefined): void
  /** A file from elsewhere comes to the homeserver. */
  place(file: FileRef, signal: AbortSignal): Promise<Placed>
  /** A ghost has just said something, for which homeservers show it online. */
  spoke(room: Room, ghost: Mxid): void
  /** The power levels do not let a ghost speak. `detail` is what the homeserver says. */
  muted(room: Room, detail: string): void
}

type Ghost = { readonly kind: 'ghost'; readonly user: UserRef; readonly name: string }
type Face =
  | { readonly kind: 'bot' }
  | Ghost
  | { readonly kind: 'puppet'; readonly by: By; readonly user: Mxid; readonly ghost: Ghost }

const BOT: Face = { kind: 'bot' }

export class Deliveries {
  readonly #deps: DeliveriesDeps
  readonly marks: Marks

  constructor(deps: DeliveriesDeps) {
    this.#deps = deps
    this.marks = new Marks(deps)
  }

  /** Never rejects. */
  async deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryResult> {
    if (signal.aborted) return notOpened({ kind: 'aborted', detail: 'it was taken back' }, 'not sent')
    try {
      return await this.#deliver(delivery, signal)
    } catch (error) {
      // Our own notes could not be written; nothing is sent before they are.
      const detail = error instanceof Error ? error.message : String(error)
      this.#deps.context.log.error({ detail, op: delivery.op.kind }, 'a delivery to Matrix failed')
      return notOpened({ kind: 'busy', status: 0, detail }, 'not sent')
    }
  }

  async #deliver({ id, chat, op }: Delivery, signal: AbortSignal): Promise<DeliveryResult> {
    const { ghosts, rooms, table } = this.#deps
    if (op.kind === 'presence') {
      const origin = originOf(op.as)
      if (origin !== undefined) this.#deps.presence(ghosts.idOf(origin), op.state, chat?.chat)
      return SILENT
    }
    if (op.kind === 'profile') {
      const origin = originOf(op.as)
      if (origin === undefined) return SILENT
      const named = await ghosts.ensure(origin, op.name, signal)
      if (!named.ok || op.avatar === undefined) return silent(named)
      return this.#picture(origin, op.avatar, signal)
    }
    if (chat === undefined) return GONE
    if (op.kind === 'message' || op.kind === 'status') {
      // The home of somebody may have to be made, and an owner who left be asked back.
      const ready = await rooms.ready(chat.chat, signal)
      return ready.kind === 'ready' ? this.#say(id, op, ready.room, signal) : ready
    }
    const room = table.byChat(chat.chat)
    if (room === undefined) return GONE
    switch (op.kind) {
      case 'edit':
      case 'redact':
      case 'reaction':
      case 'topic':
        return this.#say(id, op, room, signal)
      case 'delivery':
        return silent(await this.marks.mark(id, op, room, signal))
      case 'member':
        return this.#member(op, room, signal)
      case 'company':
        return SILENT
      case 'title':
        return silent(await rooms.title(room, op.title, signal))
      case 'typing':
      case 'read': {
        const face = this.#faceOf(op.as)
        if (face.kind !== 'ghost') return SILENT
        const ghost = ghosts.idOf(face.user)
        if (op.kind === 'typing') this.#deps.typing(room, ghost, op.forMs)
        else this.#deps.read(room, ghost, eventOf(op.upTo))
        return SILENT
      }
    }
  }

  async #say(id: string, said: Said, room: Room, signal: AbortSignal): Promise<DeliveryResult> {
    const { network, homeserver } = this.#deps
    const op = await this.#placed(said, signal)
    if (op.kind === 'retry' || op.kind === 'refused' || op.kind === 'uncertain') return op
    const sending = sendingOf(op, { network, bot: homeserver.bot, owner: room.owner })
    if (sending === undefined) return SILENT
    const again = homeserver.features.devices || op.kind !== 'message'
    const send: Send = { id, sending, room, signal, again, at: this.#oldTime(op) }
    // Clients know the bot as the one who may do these.
    if (op.kind === 'status') return this.#offered(op, send)
    if (op.kind === 'topic') return this.#asBot(send)
    return this.#as(this.#faceOf(op.as), send)
  }

  /** With the pictures in it on the homeserver; where that cannot be, the words stand alone. */
  async #illustrated(text: RichText, signal: AbortSignal): Promise<RichText> {
    if (text.every((span) => span.image === undefined)) return text
    return Promise.all(
      text.map(async (span) => {
        if (span.image === undefined) return span
        const url = await this.#pictureUrl(span.image, signal)
        const bare = withoutImage(span)
        return url === undefined ? bare : { ...bare, image: { ...span.image, network: this.#deps.network, ref: url } }
      }),
    )
  }

  /** Where it cannot be brought to the homeserver now, it is worth another try. */
  async #picture(origin: UserRef, avatar: FileRef | null, signal: AbortSignal): Promise<DeliveryResult> {
    const failures: NotOpened[] = []
    const place = async (file: FileRef): Promise<string | undefined> => {
      const placed = file.media === 'image' ? await this.#deps.place(file, signal) : undefined
      if (placed?.kind === 'retry') failures.push(placed.result)
      return placed?.kind === 'placed' ? uriOf(placed.file.ref) : undefined
    }
    const shown = await this.#deps.ghosts.picture(origin, avatar, place, signal)
    return failures[0] ?? silent(shown)
  }

  async #pictureUrl(file: FileRef, signal: AbortSignal): Promise<string | undefined> {
    const placed = file.media === 'image' ? await this.#deps.place(file, signal) : undefined
    return placed?.kind === 'placed' ? uriOf(placed.file.ref) : undefined
  }

  /** With its file on the homeserver, if it has one and the homeserver takes it. */
  async #placed(op: Said, signal: AbortSignal): Promise<Said | NotOpened> {
    if (op.kind !== 'message' && op.kind !== 'edit') return op
    if (op.body.kind === 'nudge') return op
    if (op.body.kind !== 'file')
      return { ...op, body: { ...op.body, text: await this.#illustrated(op.body.text, signal) } }
    const placed = await this.#deps.place(op.body.file, signal)
    switch (placed.kind) {
      case 'placed':
        return { ...op, body: { ...op.body, file: placed.file } }
      case 'link':
        return op
      case 'retry':
        return placed.result
    }
  }

  #oldTime(op: Said): number | undefined {
    if (op.kind !== 'message' || op.at < EARLIEST) return undefined
    return this.#deps.context.clock.now() - op.at > OLD_MS ? op.at : undefined
  }

  async #as(face: Face, send: Send): Promise<DeliveryResult> {
    switch (face.kind) {
      case 'bot':
        return this.#asBot(send)
      case 'ghost':
        return this.#asGhost(face, send)
      case 'puppet': {
        const sent = await this.#send({ ...send, at: undefined }, face.by)
        if (sent.ok) return deliveredAs(sent.value)
        // Without them it is said by a face like theirs, and so it is not lost.
        if (sent.failure.kind === 'token') await this.#deps.puppets.failed(face.user)
        else if (sent.failure.kind !== 'refused') return undelivered(sent.failure, send.again)
        return this.#asGhost(face.ghost, send)
      }
    }
  }

  async #asBot(send: Send): Promise<DeliveryResult> {
    const sent = await this.#send(send, { device: true })
    return sent.ok ? deliveredAs(sent.value) : undelivered(sent.failure, send.again)
  }

  async #asGhost(ghost: Ghost, send: Send): Promise<DeliveryResult> {
    const { ghosts } = this.#deps
    const { room, sending, signal } = send
    for (let attempt = 1; ; attempt++) {
      const entered = await ghosts.enter(ghost.user, ghost.name, room.room, signal)
      if (!entered.ok) {
        return entered.failure.kind === 'refused'
          ? refused('forbidden', entered.failure.detail)
          : undelivered(entered.failure, true)
      }
      const id = entered.value
      const sent = await this.#send(send, { as: id, device: true })
      if (sent.ok) {
        this.#deps.spoke(room, id)
        return deliveredAs(sent.value)
      }
      if (!isForbidden(sent.failure)) return undelivered(sent.failure, send.again)
      // Others' messages can be taken back by the bot only.
      if (sending.kind === 'redaction') return this.#asBot(send)
      if (attempt > 1) {
        if (await this.#isReplaced(room, signal)) return REPLACED
        this.#deps.muted(room, sent.failure.detail)
        return undelivered(sent.failure, true)
      }
      // It may have been removed without our knowing.
      await ghosts.noteOut(id, room.room)
    }
  }

  /** Nobody speaks in a room that was upgraded; we are about to move, or wait to be let in. */
  async #isReplaced({ room }: Room, signal: AbortSignal): Promise<boolean> {
    const tombstone = await this.#deps.homeserver.request<unknown>(stateCall(room, 'm.room.tombstone', '', { signal }))
    return tombstone.ok && textIn(tombstone.value, 'replacement_room') !== undefined
  }

  /** What can be done about a notice is offered below it, as reactions to touch. */
  async #offered(op: Extract<Said, { kind: 'status' }>, send: Send): Promise<DeliveryResult> {
    const result = await this.#asBot(send)
    const event = result.kind === 'delivered' ? result.ids[0] : undefined
    if (op.choices === undefined || event === undefined) return result
    const target = eventOf(event)
    if (!isEventId(target)) return result
    await this.#deps.choices(send.room, target, op.choices)
    for (const [index, { key }] of op.choices.entries()) {
      const offer: Send = {
        ...send,
        id: `${send.id}.${index}`,
        sending: eventSending('m.reaction', reactionTo(target, key)),
      }
      const offered = await this.#send(offer, { device: true })
      if (!offered.ok && isPassing(offered.failure)) return undelivered(offered.failure, true)
    }
    return result
  }

  async #member(op: Extract<Outbound, { kind: 'member' }>, room: Room, signal: AbortSignal): Promise<DeliveryResult> {
    const { network, ghosts, homeserver } = this.#deps
    // People of Matrix come and go by themselves, and in a room for two nobody does.
    if (op.user.network === network || room.kind === 'home' || room.request?.direct === true) return SILENT
    const reason = op.reason === undefined ? undefined : shortened(cleaned(op.reason), MAX_REASON)
    switch (op.change) {
      case 'join':
        return silent(await ghosts.enter(op.user, op.userName, room.room, signal))
      case 'leave':
        return silent(await ghosts.leave(op.user, room.room, reason, signal))
      case 'kick': {
        const ghost = ghosts.idOf(op.user)
        const kicked = await homeserver.request(kickCall(room.room, ghost, reason ?? '', { signal }))
        if (!kicked.ok) {
          return isPassing(kicked.failure)
            ? undelivered(kicked.failure, true)
            : silent(await ghosts.leave(op.user, room.room, reason, signal))
        }
        await ghosts.noteOut(ghost, room.room)
        return SILENT
      }
      case 'invite': {
        const ensured = await ghosts.ensure(op.user, op.userName, signal)
        if (!ensured.ok) return silent(ensured)
        return silent(await homeserver.request(inviteCall(room.room, ensured.value, { signal })))
      }
    }
  }

  #send({ id, sending, room, signal, at }: Send, sender: Sender): Promise<Answer<unknown>> {
    return this.#deps.homeserver.request(sendCall(room.room, sending, id, { ...sender, signal }, at))
  }

  #faceOf(as: Puppet): Face {
    if (as.kind === 'self') return BOT
    const ghost: Ghost = { kind: 'ghost', user: as.origin, name: as.name }
    if (as.kind === 'ghost' || !isMxid(as.user)) return ghost
    const by = this.#deps.puppets.by(as.user)
    return by === undefined ? ghost : { kind: 'puppet', by, user: as.user, ghost }
  }
}

/** For what shows no message: a refusal harms nobody, and nobody waits for it. */
const silent = (answer: Answer<unknown>): DeliveryResult =>
  answer.ok || !isPassing(answer.failure) ? SILENT : undelivered(answer.failure, true)

/** When a room was replaced, what is said waits so long for the new one. Milliseconds. */
const MOVE_MS = 2_000
const REPLACED = { kind: 'retry', reason: 'network', wait: MOVE_MS, detail: 'the room was replaced' } as const
const GONE = refused('not-found', 'its room is there no more')

/** One event on its way. */
interface Send {
  /** The transaction id. */
  readonly id: string
  readonly sending: Sending
  readonly room: Room
  readonly signal: AbortSignal
  /** The homeserver drops a second one. */
  readonly again: boolean
  /** When it was said, where that is not now. */
  readonly at: number | undefined
}

const originOf = (as: Puppet): UserRef | undefined => (as.kind === 'self' ? undefined : as.origin)
