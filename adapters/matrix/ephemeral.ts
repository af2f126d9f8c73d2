/** What the homeserver tells us that nobody stores: who types, who has read, who is there. */
import type { UserId } from '../../bridge/model/ids.ts'
import type { Audience } from './audience.ts'
import { isMxid } from './ids.ts'
import { path } from './paths.ts'
import { maySpeak, roleOf, type Grant } from './permissions.ts'
import { stateOf } from './presence.ts'
import { Receipts } from './receipts.ts'
import type { EphemeralEvent, GhostPort, HomeserverPort, MatrixDeps, Mxid, RoomTable } from './types.ts'
import { PeopleTyping } from './typing.ts'
import { recordOf } from './untrusted.ts'

export interface EphemeralDeps extends Pick<MatrixDeps, 'network' | 'account' | 'context'> {
  readonly rooms: Pick<RoomTable, 'byRoom'>
  readonly ghosts: Pick<GhostPort, 'isOurs'>
  readonly grantOf: (user: Mxid) => Grant
  readonly audience: Audience
  /** Somebody came who may see ghosts. */
  readonly moreToSee: () => void
}

export class Ephemeral {
  readonly #deps: EphemeralDeps
  readonly #typing: PeopleTyping
  readonly #receipts: Receipts

  constructor(deps: EphemeralDeps) {
    const { network, context, ghosts, grantOf } = deps
    // Our own ghosts' doings come back to us.
    const passes: ConstructorParameters<typeof Receipts>[0]['maySpeak'] = (room, user) =>
      !ghosts.isOurs(user) && maySpeak(room, user, grantOf(user))
    this.#deps = deps
    this.#typing = new PeopleTyping({ network, context, maySpeak: passes })
    this.#receipts = new Receipts({ network, context, maySpeak: passes })
  }

  /** Never rejects: what cannot be understood or passed on is gone. */
  async take(event: EphemeralEvent): Promise<void> {
    const understood = await this.#take(event).catch(() => true)
    if (!understood) this.#deps.context.metrics.count('matrix_broken_ephemeral', { network: this.#deps.network })
  }

  /** The homeserver does not talk to us, or we go: whatever we knew is no longer so. */
  clear(): void {
    this.#typing.clear()
    this.#deps.audience.forget()
  }

  /** Asks how somebody is shown: the homeserver only tells changes. */
  async ask(user: Mxid, homeserver: Pick<HomeserverPort, 'request'>, signal: AbortSignal): Promise<void> {
    const answer = await homeserver.request<unknown>({
      method: 'GET',
      path: path`/_matrix/client/v3/presence/${user}/status`,
      signal,
    })
    if (answer.ok) await this.take({ type: 'm.presence', sender: user, content: recordOf(answer.value) })
  }

  async #take(event: EphemeralEvent): Promise<boolean> {
    switch (event.type) {
      case 'm.typing':
      case 'm.receipt': {
        if (event.room_id === undefined) return false
        const room = this.#deps.rooms.byRoom(event.room_id)
        if (room === undefined) return true
        const active =
          event.type === 'm.typing' ? this.#typing.take(event, room) : await this.#receipts.take(event, room)
        for (const user of active ?? []) this.#active(user)
        return active !== undefined
      }
      case 'm.presence':
        return this.#presence(event)
      default:
        return true
    }
  }

  async #presence({ sender, content }: EphemeralEvent): Promise<boolean> {
    const { network, account, context, ghosts, grantOf, audience } = this.#deps
    const state = stateOf(content)
    if (!isMxid(sender) || state === undefined) return false
    if (ghosts.isOurs(sender) || roleOf(grantOf(sender)) === 'none') return true
    if (audience.shown(sender, state.show !== 'offline')) this.#deps.moreToSee()
    await context.emit({
      kind: 'presence',
      account: account.id,
      user: { network, user: sender as string as UserId },
      state,
    })
    return true
  }

  #active(user: Mxid): void {
    if (this.#deps.audience.active(user, this.#deps.context.clock.now())) this.#deps.moreToSee()
  }
}
