/** The homeserver as the parts of the adapter see it: every request is kept, and the test says how each is answered. */
import type { AccountId, ChatId, NetworkId, PersonId } from '../../../bridge/model/ids.ts'
import type { Account, Metrics } from '../../../bridge/adapter.ts'
import type {
  Answer,
  Call,
  Failure,
  Features,
  HomeserverPort,
  Mxid,
  Room,
  RoomId,
  RoomTable,
} from '../../../adapters/matrix/types.ts'
import { Watch } from '../../kit/watch.ts'
import { VirtualClock } from '../../kit/clock.ts'
import { FakeContext } from '../irc/fake-context.ts'

export const NETWORK = 'matrix' as NetworkId
export const BOT: Mxid = '@msnbot:example.org'
export const ALICE: Mxid = '@alice:example.org'
export const CAROL: Mxid = '@carol:example.org'
export const BOB: Mxid = '@msn_retro_bob=40example.com:example.org'
export const ACCOUNT: Account = {
  id: 'matrix' as AccountId,
  network: NETWORK,
  person: 'bridge' as PersonId,
  login: BOT,
  secret: '',
}

export const isOurs = (id: string): boolean => id.startsWith('@msn')

/** The bridge with a time that the test turns. */
export class TimedContext extends FakeContext {
  override readonly clock = new VirtualClock()
  readonly gauges = new Map<string, number>()
  /** By name and outcome: "presence_requests done". */
  readonly counted = new Map<string, number>()
  override readonly metrics: Metrics = {
    count: (name, labels, by = 1) => {
      const key = labels?.['outcome'] === undefined ? name : `${name} ${labels['outcome']}`
      this.counted.set(key, (this.counted.get(key) ?? 0) + by)
    },
    gauge: (name, value) => {
      this.gauges.set(name, value)
    },
    observe: () => undefined,
  }
}

export class ScriptedHomeserver implements HomeserverPort {
  readonly domain = 'example.org'
  readonly bot = BOT
  features: Features = { devices: true, busy: false, roomVersion: '11' }
  readonly calls: Call[] = []
  answer: (call: Call) => Answer<unknown> | Promise<Answer<unknown>> = () => ({ ok: true, value: {} })
  readonly #watch = new Watch()

  async request<Value>(call: Call): Promise<Answer<Value>> {
    this.calls.push(call)
    const answer = await this.answer(call)
    this.#watch.changed()
    return answer as Answer<Value>
  }

  insist<Value>(call: Call): Promise<Answer<Value>> {
    return this.request(call)
  }

  until<Result>(ask: () => Result | undefined | false): Promise<Result> {
    return this.#watch.until(ask)
  }

  /** Method, path behind `/_matrix/client/v3`, body, of each call. */
  get said(): readonly (readonly [string, unknown])[] {
    return this.calls.map(({ method, path, body }) => [
      `${method} ${decodeURIComponent(path).replace('/_matrix/client/v3', '')}`,
      body,
    ])
  }
}

export const failing = (failure: Failure): Answer<never> => ({ ok: false, failure })

export const roomOf = (room: RoomId, rest: Partial<Room> = {}): Room => ({
  chat: room as string as ChatId,
  room,
  kind: 'portal',
  owner: ALICE,
  relay: false,
  encrypted: false,
  ...rest,
})

export class Rooms implements RoomTable {
  readonly #rooms = new Map<ChatId, Room>()

  constructor(...rooms: readonly Room[]) {
    for (const room of rooms) this.#rooms.set(room.chat, room)
  }

  byRoom(room: RoomId): Room | undefined {
    return [...this.#rooms.values()].find((each) => each.room === room)
  }
  byChat(chat: ChatId): Room | undefined {
    return this.#rooms.get(chat)
  }
  byPortal(): undefined {
    return undefined
  }
  homeOf(user: Mxid): Room | undefined {
    return [...this.#rooms.values()].find(({ kind, owner }) => kind === 'home' && owner === user)
  }
  all(): Iterable<Room> {
    return this.#rooms.values()
  }
  put(room: Room): Promise<void> {
    this.#rooms.set(room.chat, room)
    return Promise.resolve()
  }
  remove(chat: ChatId): Promise<void> {
    this.#rooms.delete(chat)
    return Promise.resolve()
  }
}
