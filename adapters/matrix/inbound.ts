/** Events of our rooms -> what the core is told. Pure. */
import type { StoredInbound } from '../../bridge/model/events.ts'
import type { MessageId, NetworkId, UserId } from '../../bridge/model/ids.ts'
import { recordOf } from './untrusted.ts'
import { type Body, ENCRYPTED, readBody, readFile } from './body-in.ts'
import { cleaned, oneLine, shortened } from './clean.ts'
import { isEventId } from './ids.ts'
import { SOURCE } from './outbound.ts'
import { type MatrixEventId, type Mxid, refOf, type Room, type RoomEvent } from './types.ts'

export interface View {
  readonly network: NetworkId
  readonly bot: Mxid
  /** Ghosts and the bot. */
  readonly isOurs: (id: string) => boolean
  /** A user of another bridge, by the config. */
  readonly isOtherBridge: (sender: Mxid) => boolean
  /** What they do in this room goes to the other side. */
  readonly maySpeak: (sender: Mxid, room: Room) => boolean
  /** How somebody is called in a room, where that is known. */
  readonly nameOf: (user: Mxid, room: Room) => string | undefined
  /** `m.notice` is passed on, too. */
  readonly notices: boolean
}

/**
 * unreadable: it was meant to be passed on and cannot be; `why` is a half-sentence for its sender, `encrypted`: all of
 * this room is so. not-allowed: it would
 * be passed on, if its sender had a part in the room. nothing: it is ours, or not for the other side.
 */
export type Reading =
  | { readonly kind: 'event'; readonly event: StoredInbound }
  | { readonly kind: 'unreadable'; readonly why: string; readonly encrypted?: true }
  | { readonly kind: 'not-allowed' }
  | { readonly kind: 'nothing' }

const NOTHING: Reading = { kind: 'nothing' }
/** UTF-16 units. */
const MAX_KEY = 100
const MAX_TOPIC = 10_000
const MAX_NAME = 200

export const readEvent = (event: RoomEvent, room: Room, view: View): Reading => {
  if (room.kind === 'home' || view.isOurs(event.sender) || view.isOtherBridge(event.sender)) return NOTHING
  // What we sent as one of our people comes back as theirs.
  if (event.content[SOURCE] === view.bot) return NOTHING
  const reading = read(event, room, view)
  return reading.kind === 'nothing' || view.maySpeak(event.sender, room) ? reading : { kind: 'not-allowed' }
}

const read = (event: RoomEvent, room: Room, view: View): Reading => {
  switch (event.type) {
    case 'm.room.message':
      return readMessage(event, room, view)
    case 'm.sticker':
      return message(readFile('image', event.content, bodyView(room, view, false)), event, room, view)
    case 'm.reaction':
      return readReaction(event, room, view)
    case 'm.room.redaction': {
      const target = event.redacts ?? event.content['redacts']
      if (!isEventId(target)) return NOTHING
      return { kind: 'event', event: { kind: 'redact', target: idOf(target), ...origin(event, room, view) } }
    }
    case 'm.room.topic': {
      const { topic } = event.content
      if (room.kind !== 'channel' || event.state_key !== '' || typeof topic !== 'string') return NOTHING
      const words = shortened(cleaned(topic), MAX_TOPIC)
      return { kind: 'event', event: { kind: 'topic', topic: words, ...origin(event, room, view) } }
    }
    case 'm.room.encrypted':
      return { kind: 'unreadable', why: ENCRYPTED, encrypted: true }
    case 'm.poll.start':
    case 'org.matrix.msc3381.poll.start':
      return { kind: 'unreadable', why: 'polls exist on Matrix only' }
    default:
      return NOTHING
  }
}

const readMessage = (event: RoomEvent, room: Room, view: View): Reading => {
  const relation = recordOf(event.content['m.relates_to'])
  if (relation['rel_type'] === 'm.replace') return readEdit(event, relation['event_id'], room, view)
  const replyTo = answered(relation)
  return message(readBody(event.content, bodyView(room, view, replyTo !== undefined)), event, room, view, replyTo)
}

const readEdit = (event: RoomEvent, target: unknown, room: Room, view: View): Reading => {
  const content = event.content['m.new_content']
  if (!isEventId(target) || content === undefined) return NOTHING
  const read = readBody(recordOf(content), bodyView(room, view, false))
  if (read.kind !== 'body') return read
  return {
    kind: 'event',
    event: { kind: 'edit', target: idOf(target), body: read.body, ...origin(event, room, view) },
  }
}

const readReaction = (event: RoomEvent, room: Room, view: View): Reading => {
  const { rel_type: type, event_id: target, key } = recordOf(event.content['m.relates_to'])
  if (type !== 'm.annotation' || !isEventId(target) || typeof key !== 'string') return NOTHING
  // A picture as a reaction has a name beside it: ":party_blob:".
  const names = [event.content['shortcode'], event.content['com.beeper.reaction.shortcode']]
  const shown = key.startsWith('mxc://') ? names.find((name) => typeof name === 'string') : key
  const words = typeof shown === 'string' ? oneLine(shown, MAX_KEY) : ''
  if (words === '') return NOTHING
  return {
    kind: 'event',
    event: { kind: 'reaction', target: idOf(target), key: words, ...origin(event, room, view) },
  }
}

const message = (read: Body, event: RoomEvent, room: Room, view: View, replyTo?: MatrixEventId): Reading => {
  if (read.kind !== 'body') return read
  return {
    kind: 'event',
    event: {
      kind: 'message',
      body: read.body,
      ...(replyTo === undefined ? {} : { replyTo: idOf(replyTo) }),
      ...origin(event, room, view),
    },
  }
}

/** In a thread each message answers the one before, for clients without threads; then the thread's first one is meant. */
const answered = (relation: Readonly<Record<string, unknown>>): MatrixEventId | undefined => {
  const { event_id: reply } = recordOf(relation['m.in_reply_to'])
  const thread = relation['rel_type'] === 'm.thread' ? relation['event_id'] : undefined
  if (isEventId(thread) && relation['is_falling_back'] === true) return thread
  return isEventId(reply) ? reply : isEventId(thread) ? thread : undefined
}

const bodyView = (room: Room, { network, notices, nameOf }: View, reply: boolean) => ({
  network,
  notices,
  reply,
  nameOf: (user: Mxid) => nameOf(user, room),
})

const origin = (event: RoomEvent, room: Room, view: View) => {
  const name = oneLine(view.nameOf(event.sender, room) ?? '', MAX_NAME)
  return {
    id: idOf(event.event_id),
    at: event.origin_server_ts,
    chat: refOf(view.network, room.chat),
    sender: { network: view.network, user: event.sender as string as UserId },
    ...(name === '' ? {} : { senderName: name }),
  }
}

const idOf = (event: MatrixEventId): MessageId => event as string as MessageId
