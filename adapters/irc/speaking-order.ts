/**
 * Several connections speak in one chat, and a server keeps the order of each by itself only. Who speaks after somebody else
 * waits until what those said is confirmed; what one of them says follows at once. Pure but for its own state.
 */
import type { ChatId } from '../../bridge/model/ids.ts'

interface Turn {
  readonly speaker: string
  /** Waiting for the turn before this one; `undefined`: it has begun. */
  waiting: (() => void)[] | undefined
  open: number
  next: Turn | undefined
}

export class SpeakingOrder {
  /** The last turn of each chat. */
  readonly #last = new Map<ChatId, Turn>()

  /** Runs `work` when it is its turn; within a turn the works begin in the order of the calls. */
  take<Result>(chat: ChatId, speaker: string, work: () => Promise<Result>): Promise<Result> {
    const last = this.#last.get(chat)
    const turn: Turn =
      last?.speaker === speaker
        ? last
        : { speaker, waiting: last === undefined ? undefined : [], open: 0, next: undefined }
    if (last !== undefined && last !== turn) last.next = turn
    this.#last.set(chat, turn)
    turn.open++
    const run = (): Promise<Result> => work().finally(() => this.#done(chat, turn))
    const { waiting } = turn
    if (waiting === undefined) return run()
    return new Promise((resolve, reject) => {
      waiting.push(() => void run().then(resolve, reject))
    })
  }

  #done(chat: ChatId, turn: Turn): void {
    if (--turn.open > 0) return
    if (turn.next === undefined) this.#last.delete(chat)
    else this.#begin(turn.next)
  }

  #begin(turn: Turn): void {
    const { waiting } = turn
    turn.waiting = undefined
    for (const start of waiting ?? []) start()
  }
}
