/**
 * Who of a group missed what was said there. Somebody who is never online would otherwise be named behind every message:
 * it is news when others are missing than before, and again after a while.
 */
import type { UserRef } from './model/ids.ts'
import type { LaneKey } from './store/port.ts'

/** The same is said again after so long, milliseconds. */
export const SAY_AGAIN_MS = 60 * 60_000
/** Groups remembered; past it the oldest is forgotten, and named once more. */
const GROUPS_LIMIT = 1_000

interface Said {
  readonly who: string
  readonly at: number
}

const nameOf = (missed: readonly UserRef[]): string =>
  missed
    .map(({ network, user }) => `${network} ${user}`)
    .toSorted()
    .join('\n')

/** `lane`: where the message went. `to`: where the one who wrote it reads the notice. */
export class Absences {
  readonly #said = new Map<string, Said>()

  isNews(lane: LaneKey, to: LaneKey, missed: readonly UserRef[], now: number): boolean {
    const said = this.#said.get(`${lane}\n${to}`)
    return said === undefined || said.who !== nameOf(missed) || now - said.at >= SAY_AGAIN_MS
  }

  /** It was said; nobody missed: the next one who does is news. */
  note(lane: LaneKey, to: LaneKey, missed: readonly UserRef[], now: number): void {
    const key = `${lane}\n${to}`
    this.#said.delete(key)
    if (missed.length === 0) return
    const [oldest] = this.#said.keys()
    if (oldest !== undefined && this.#said.size >= GROUPS_LIMIT) this.#said.delete(oldest)
    this.#said.set(key, { who: nameOf(missed), at: now })
  }
}
