/** What ghosts do besides speaking: they type, read, come and go. Nobody waits for it, and what fails is not tried again. */
import type { ChatId } from '../../bridge/model/ids.ts'
import type { PresenceState } from '../../bridge/model/presence.ts'
import type { Audience } from './audience.ts'
import type { PresenceEngine } from './presence-engine.ts'
import { markRead } from './receipts.ts'
import type { Answer, HomeserverPort, MatrixEventId, Mxid, Room } from './types.ts'
import type { GhostTyping } from './typing.ts'

/** Requests under way at once; what comes beyond them is dropped. */
export const MAX_UNDER_WAY = 32

export interface DoingsDeps {
  readonly homeserver: Pick<HomeserverPort, 'request'>
  readonly audience: Pick<Audience, 'note'>
  readonly engine: Pick<PresenceEngine, 'set' | 'reassert'>
  readonly typing: GhostTyping
  /** Aborted when the adapter stops. */
  readonly life: AbortSignal
}

export class Doings {
  readonly #deps: DoingsDeps
  #underWay = 0

  constructor(deps: DoingsDeps) {
    this.#deps = deps
  }

  /** `chat`: in which somebody sees it. */
  presence(ghost: Mxid, state: PresenceState, chat: ChatId | undefined): void {
    if (chat !== undefined) this.#deps.audience.note(ghost, chat)
    this.#deps.engine.set(ghost, state)
  }

  typing({ room }: Room, ghost: Mxid, forMs: number): void {
    this.#do(ghost, () => this.#deps.typing.show(ghost, room, forMs, this.#deps.life))
  }

  read({ room }: Room, ghost: Mxid, upTo: MatrixEventId): void {
    this.#do(ghost, () => markRead(this.#deps.homeserver, ghost, room, upTo, this.#deps.life))
  }

  /** It has said something: it does not type any more, and is not online because of that. */
  spoke({ room }: Room, ghost: Mxid): void {
    this.#do(ghost, () => this.#deps.typing.said(ghost, room, this.#deps.life))
    this.#deps.engine.reassert(ghost)
  }

  #do(ghost: Mxid, run: () => Promise<Answer<unknown> | undefined>): void {
    if (this.#underWay >= MAX_UNDER_WAY || this.#deps.life.aborted) return
    this.#underWay++
    void run().then((answer) => {
      this.#underWay--
      if (answer?.ok === true) this.#deps.engine.reassert(ghost)
    })
  }
}
