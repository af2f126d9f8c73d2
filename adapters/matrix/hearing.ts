/** What is done with an event of a room: passed on, answered by the bot, acted on, or explained to whoever sent it. */
import type { Inbound } from '../../bridge/model/events.ts'
import { plain } from '../../bridge/model/text.ts'
import type { MatrixConfig } from './config.ts'
import { Courtesy } from './courtesy.ts'
import type { Faces } from './faces.ts'
import { readEvent, type Reading, type View } from './inbound.ts'
import type { Direct } from './intake.ts'
import type { Names } from './names.ts'
import { answerTo } from './outbound.ts'
import { grantOf, maySpeak } from './permissions.ts'
import type { RoomService } from './room-service.ts'
import { eventSending, sendCall } from './send-calls.ts'
import type { Talk } from './talk.ts'
import type { Mxid, Room, RoomEvent } from './types.ts'

/** State that changes what a room is to us; other state is nothing to the other side. */
const STATE: ReadonlySet<string> = new Set([
  'm.room.member',
  'm.room.tombstone',
  'm.room.encryption',
  'm.room.power_levels',
  'm.room.topic',
])

const NOT_ALLOWED =
  'This is not passed on: only the owner of this room speaks to the other side. They can allow others to, with !msn set-relay.'
const NOT_PERMITTED =
  'This is not passed on: you may not use this bridge. Who may is said in its config, under permissions.'

/** Said to the bot, who cannot read it. */
const isSealedForBot = (event: RoomEvent, room: Room): boolean =>
  room.kind === 'home' && event.type === 'm.room.encrypted'

export interface HearingDeps {
  readonly config: MatrixConfig
  readonly service: RoomService
  readonly talk: Talk
  readonly names: Names
  readonly faces: Faces
  /** Resolves when it is on disk. */
  readonly emit: (event: Inbound) => Promise<void>
}

export class Hearing {
  readonly #deps: HearingDeps
  readonly #view: View
  readonly #courtesy = new Courtesy()

  constructor(deps: HearingDeps) {
    this.#deps = deps
    const { config, service, names } = deps
    const others = config.other_bridges.map((pattern) => new RegExp(`^(?:${pattern})$`, 'u'))
    this.#view = {
      network: service.network,
      bot: service.homeserver.bot,
      isOurs: (id) => service.ghosts.isOurs(id),
      isOtherBridge: (sender) => others.some((pattern) => pattern.test(sender)),
      maySpeak: (sender, room) => maySpeak(room, sender, grantOf(config, sender)),
      nameOf: (user, room) => names.of(user, room.room),
      notices: config.notices,
    }
  }

  /** For the intake: pure. */
  direct(event: RoomEvent): Direct {
    const { service, talk, names } = this.#deps
    if (talk.hears(event)) return undefined
    if (event.state_key !== undefined) return STATE.has(event.type) ? undefined : 'nothing'
    const room = service.table.byRoom(event.room_id)
    if (room === undefined) return 'nothing'
    if (isSealedForBot(event, room)) return undefined
    const reading = readEvent(event, room, this.#view)
    switch (reading.kind) {
      case 'nothing':
        return 'nothing'
      case 'event':
        // The owner speaks through an account of their own, which has a name already.
        return room.owner === event.sender || names.knows(event.sender, event.room_id) ? reading.event : undefined
      case 'unreadable':
      case 'not-allowed':
        return undefined
    }
  }

  /** For the intake, about what is not direct. Rejects when it has to be asked again. */
  async act(event: RoomEvent, signal: AbortSignal): Promise<void> {
    const { service, talk, names, faces, emit } = this.#deps
    names.note(event)
    faces.note(event)
    if (talk.hears(event)) return talk.act(event, signal)
    const acted = await service.members.act(event)
    if (acted === 'again') throw new Error('the bridge is stopping')
    const room = service.table.byRoom(event.room_id)
    if (acted === 'done' || room === undefined) return
    if (isSealedForBot(event, room)) return service.speech.unreadable(room, event)
    await names.learn(event.sender, event.room_id, signal)
    const reading = readEvent(event, room, this.#view)
    if (reading.kind === 'event') await emit(reading.event)
    else await this.#explain(reading, event, room, signal)
  }

  async #explain(reading: Reading, event: RoomEvent, room: Room, signal: AbortSignal): Promise<void> {
    if (reading.kind === 'unreadable') {
      if (reading.encrypted === true) await this.#deps.service.speech.unreadable(room, event)
      else await this.#answer(event, room, `This is not passed on: ${reading.why}.`, signal)
      return
    }
    // Touches of others are not worth a word.
    if (reading.kind !== 'not-allowed' || event.type === 'm.reaction' || !this.#isNews(event.sender, room)) return
    const permitted = grantOf(this.#deps.config, event.sender) !== 'none'
    await this.#answer(event, room, permitted ? NOT_ALLOWED : NOT_PERMITTED, signal)
  }

  #isNews(user: Mxid, { chat }: Room): boolean {
    return this.#courtesy.isDue(`${chat} ${user}`, this.#deps.service.context.clock.now())
  }

  async #answer(event: RoomEvent, room: Room, text: string, signal: AbortSignal): Promise<void> {
    const { homeserver } = this.#deps.service
    const sending = eventSending('m.room.message', answerTo(event.event_id, plain(text), homeserver.bot))
    await homeserver.insist(sendCall(room.room, sending, `${event.event_id}/why`, { device: true, signal }))
  }
}
