/** Deliveries with the parts that they stand on, against a homeserver that the test scripts. */
import type { Delivery } from '../../../bridge/adapter.ts'
import type { Outbound, Puppet } from '../../../bridge/model/events.ts'
import type { ChatId, EventId, MessageId, NetworkId, PersonId, UserId, UserRef } from '../../../bridge/model/ids.ts'
import type { DeliveryResult } from '../../../bridge/model/result.ts'
import { plain } from '../../../bridge/model/text.ts'
import { Deliveries, type DeliveriesDeps } from '../../../adapters/matrix/delivery.ts'
import { Ghosts } from '../../../adapters/matrix/ghosts.ts'
import { Puppets } from '../../../adapters/matrix/puppets.ts'
import type { Answer, Call, PuppetToken, Room } from '../../../adapters/matrix/types.ts'
import { ACCOUNT, ALICE, NETWORK, Rooms, roomOf, ScriptedHomeserver, TimedContext } from './scripted.ts'

export const TARGET = '$target' as MessageId
export const bob: UserRef = { network: 'retro' as NetworkId, user: 'bob@example.com' as UserId }
export const asBob: Puppet = { kind: 'ghost', origin: bob, name: 'Bob' }
export const asAlice: Puppet = {
  kind: 'person',
  person: 'alice' as PersonId,
  name: 'Alice',
  origin: { network: 'libera' as NetworkId, user: 'alice' as UserId },
  user: ALICE as string as UserId,
}
export const saying = (words: string, as: Puppet = asBob, at = 0): Outbound => ({
  kind: 'message',
  as,
  body: { kind: 'text', text: plain(words) },
  at,
})

/** A request as one line: "PUT /rooms/!room/send/m.room.message/d1 @msn_retro_bob...:example.org device". */
export const lineOf = ({ method, path, as, query, token, device }: Call): string =>
  [
    method,
    decodeURIComponent(path).replace('/_matrix/client/v3', ''),
    ...(as === undefined ? [] : [as]),
    ...(token === undefined ? [] : ['token']),
    ...(device === true ? ['device'] : []),
    ...Object.entries(query ?? {}).map(([key, value]) => `${key}=${value}`),
  ].join(' ')

export class Rig {
  readonly context = new TimedContext()
  readonly homeserver = new ScriptedHomeserver()
  readonly ghosts: Ghosts
  readonly puppets: Puppets
  readonly deliveries: Deliveries
  /** What the other parts were told. */
  readonly told: string[] = []
  readonly rooms: Rooms

  constructor(room: Room = roomOf('!room'), puppet?: PuppetToken, more: Partial<DeliveriesDeps> = {}) {
    const deps = { network: NETWORK, account: ACCOUNT, context: this.context, homeserver: this.homeserver }
    this.rooms = new Rooms(room)
    this.ghosts = new Ghosts(deps, { prefix: 'msn_', name: '{name}' })
    this.puppets = new Puppets(
      deps,
      { lost: () => Promise.resolve(), ...(puppet === undefined ? {} : { everybody: puppet }) },
      this.ghosts.isOurs.bind(this.ghosts),
    )
    this.homeserver.answer = (call) => this.answer(call) ?? this.#ordinary(call)
    this.deliveries = new Deliveries({
      ...deps,
      ghosts: this.ghosts,
      puppets: this.puppets,
      table: this.rooms,
      rooms: {
        ready: (chat) => {
          const found = this.rooms.byChat(chat)
          return Promise.resolve(
            found === undefined
              ? { kind: 'refused', reason: 'not-found', detail: 'the room is bridged no more' }
              : { kind: 'ready', room: found },
          )
        },
        title: ({ chat }, title) => {
          this.told.push(`title ${chat} ${title ?? '-'}`)
          return Promise.resolve({ ok: true, value: undefined })
        },
      },
      place: (file) => Promise.resolve(file.network === NETWORK ? { kind: 'placed', file } : { kind: 'link' }),
      choices: (_, event, choices) => {
        this.told.push(`choices ${event} ${choices.map(({ line }) => line).join(', ')}`)
        return Promise.resolve()
      },
      typing: (_, ghost, ms) => this.told.push(`typing ${ghost} ${ms}`),
      read: (_, ghost, upTo) => this.told.push(`read ${ghost} ${upTo}`),
      presence: (ghost, { show }) => this.told.push(`presence ${ghost} ${show}`),
      spoke: (_, ghost) => this.told.push(`spoke ${ghost}`),
      muted: (_, detail) => this.told.push(`muted ${detail}`),
      ...more,
    })
  }

  /** What the homeserver answers instead of the ordinary; undefined: the ordinary. */
  answer: (call: Call) => Answer<unknown> | undefined = () => undefined

  deliver(op: Outbound, id = 'd1', signal = new AbortController().signal): Promise<DeliveryResult> {
    const delivery: Delivery = { id: id as EventId, chat: { network: NETWORK, chat: '!room' as ChatId }, op }
    return this.deliveries.deliver(delivery, signal)
  }

  /** Requests, without those that make a ghost. */
  get lines(): readonly string[] {
    return this.homeserver.calls.map(lineOf).filter((line) => !/\/(register|devices|profile)\b/.test(line))
  }

  clear(): void {
    this.homeserver.calls.length = 0
    this.told.length = 0
  }

  /** The id of an event says with which transaction it was made: the same one again is the same event. */
  #ordinary({ path }: Call): Answer<unknown> {
    const id = /\/(?:send\/[^/]+|redact\/[^/]+)\/([^/]+)$/.exec(decodeURIComponent(path))?.[1]
    return { ok: true, value: id === undefined ? {} : { event_id: `$of-${id}` } }
  }
}
