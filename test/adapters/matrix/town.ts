/** Rooms, ghosts and people on the homeserver in memory, with one bridge that can be stopped and started again. */
import type { Account, AdapterContext, ClaimRequest, ClaimResult, PortalRequest } from '../../../bridge/adapter.ts'
import type { AccountId, NetworkId, PersonId, PortalId, UserId, UserRef } from '../../../bridge/model/ids.ts'
import type { Grant } from '../../../adapters/matrix/permissions.ts'
import { RoomService, type RoomServiceDeps } from '../../../adapters/matrix/room-service.ts'
import type { Acted } from '../../../adapters/matrix/members.ts'
import type { Mxid, RoomEvent, RoomId } from '../../../adapters/matrix/types.ts'
import { VirtualClock } from '../../kit/clock.ts'
import { nobody } from '../../kit/nobody.ts'
import { FakeContext } from '../irc/fake-context.ts'
import { FakeHomeserver } from './fake-homeserver-port.ts'

export const alice: Mxid = '@alice:example.org'
export const matrix = 'matrix' as NetworkId
export const retro = 'retro' as NetworkId
export const bob: UserRef = { network: retro, user: 'bob@example.com' as UserId }
export const carol: UserRef = { network: retro, user: 'carol@example.com' as UserId }
export const bobGhost: Mxid = '@msn_retro_bob=40example.com:example.org'
export const carolGhost: Mxid = '@msn_retro_carol=40example.com:example.org'

const account: Account = {
  id: 'matrix' as AccountId,
  network: matrix,
  person: 'bridge' as PersonId,
  login: '@msnbot:example.org',
  secret: '',
}

export const portalOf = (change: Partial<PortalRequest> = {}): PortalRequest => ({
  kind: 'portal',
  portal: 'p1' as PortalId,
  owner: alice as string as UserId,
  account: 'alice-msn' as AccountId,
  login: 'alice@example.com',
  direct: true,
  with: [{ user: bob, name: 'Bob' }],
  ...change,
})

export class Town {
  readonly homeserver = new FakeHomeserver()
  readonly clock = new VirtualClock()
  readonly bridge = new FakeContext()
  readonly context: AdapterContext
  readonly claims: ClaimRequest[] = []
  readonly greeted: (readonly [Mxid, RoomId])[] = []
  readonly missed: RoomEvent[] = []
  readonly roles = new Map<Mxid, Grant>()
  /** What the bridge says to a claim. */
  claim: (request: ClaimRequest) => Promise<ClaimResult> = () =>
    Promise.resolve({ kind: 'refused', detail: 'no account' })
  readonly signal = new AbortController().signal
  #life = new AbortController()
  service: RoomService
  readonly #extra: Partial<RoomServiceDeps>

  constructor(extra: Partial<RoomServiceDeps> = {}) {
    const { log, metrics, state } = this.bridge
    this.#extra = extra
    this.context = {
      log,
      metrics,
      state,
      clock: this.clock,
      emit: (event) => this.bridge.emit(event),
      sessionChanged: () => undefined,
      command: () => Promise.resolve({ lines: [] }),
      claim: (request) => {
        this.claims.push(request)
        return this.claim(request)
      },
      ...nobody,
    }
    this.service = this.#make()
  }

  get rooms() {
    return this.service.rooms
  }

  /** As after a crash: nothing but the disk is left. */
  async restart(): Promise<void> {
    this.#life.abort()
    this.#life = new AbortController()
    this.service = this.#make()
    await this.service.start()
  }

  /** What the homeserver brings. Time passes where the work waits for it. */
  async act(event: RoomEvent): Promise<Acted> {
    let settled = false
    const work = this.service.members.act(event).finally(() => {
      settled = true
    })
    while (!settled) await this.clock.advance(1_000)
    return work
  }

  /** The room of the first portal, made and entered by Alice. */
  async portal(request = portalOf()): Promise<RoomId> {
    const opened = await this.rooms.open(request, this.signal)
    if (opened.kind !== 'opened') throw new Error(opened.detail)
    const room = this.service.table.byPortal(request.portal)?.room ?? '!none'
    await this.act(this.homeserver.member(room, alice, 'join'))
    return room
  }

  stop(): void {
    this.#life.abort()
  }

  #make(): RoomService {
    return new RoomService({
      network: matrix,
      account,
      context: this.context,
      homeserver: this.homeserver,
      life: this.#life.signal,
      ghostNames: { prefix: 'msn_', name: '{name}' },
      newRooms: { version: undefined, federate: true },
      withSpaces: true,
      roleOf: (user) => this.roles.get(user) ?? 'user',
      greet: (user, room) => {
        this.greeted.push([user, room])
        return Promise.resolve()
      },
      missed: (_, events) => {
        this.missed.push(...(events as readonly RoomEvent[]))
        return Promise.resolve()
      },
      ...this.#extra,
    })
  }
}
