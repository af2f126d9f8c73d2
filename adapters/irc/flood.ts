/**
 * Paces what we send, so that no server throws us out for flooding: a bucket of tokens, and lanes in order of urgency.
 * Burst 4, then one line each 1.1 s loses nothing on InspIRCd and ngIRCd. Time is an argument. Pure but for its own state.
 */

export type Lane = 'handshake' | 'pong' | 'control' | 'message' | 'notice'

/** Most urgent first: a PONG overtakes everything; command answers wait behind what people say. */
const LANES: readonly Lane[] = ['handshake', 'pong', 'control', 'message', 'notice']

/** Lines that may wait in each lane; more are refused by `push`. */
export const LANE_LIMITS: Readonly<Record<Lane, number>> = {
  handshake: 64,
  pong: 8,
  control: 512,
  message: 4_096,
  notice: 256,
}

export interface Pace {
  readonly burst: number
  /** Milliseconds for one more token. 0: no limit. */
  readonly intervalMs: number
}

export class FloodQueue<Line> {
  readonly #pace: Pace
  readonly #lanes: Readonly<Record<Lane, Line[]>> = { handshake: [], pong: [], control: [], message: [], notice: [] }
  #tokens: number
  #filledAt: number

  constructor(pace: Pace, now: number) {
    this.#pace = pace
    this.#tokens = pace.burst
    this.#filledAt = now
  }

  /** False: the lane is full and the line was not taken. */
  push(lane: Lane, line: Line): boolean {
    if (this.#lanes[lane].length >= LANE_LIMITS[lane]) return false
    this.#lanes[lane].push(line)
    return true
  }

  /** The next line that may go out now. The handshake is a handful of lines that servers do not count. */
  take(now: number): Line | undefined {
    this.#refill(now)
    for (const lane of LANES) {
      const lines = this.#lanes[lane]
      if (lines.length === 0) continue
      if (lane === 'handshake' || this.#pace.intervalMs === 0) return lines.shift()
      if (this.#tokens < 1) return undefined
      this.#tokens--
      return lines.shift()
    }
    return undefined
  }

  /** When `take` will next give something; undefined when nothing waits. */
  wakeAt(now: number): number | undefined {
    this.#refill(now)
    if (LANES.every((lane) => this.#lanes[lane].length === 0)) return undefined
    if (this.#lanes.handshake.length > 0 || this.#pace.intervalMs === 0 || this.#tokens >= 1) return now
    return this.#filledAt + this.#pace.intervalMs
  }

  /** Takes back lines that have not gone out. */
  remove(unwanted: (line: Line) => boolean): readonly Line[] {
    const removed: Line[] = []
    for (const lane of LANES) {
      const kept = this.#lanes[lane].filter((line) => !unwanted(line) || removed.push(line) === 0)
      this.#lanes[lane].splice(0, this.#lanes[lane].length, ...kept)
    }
    return removed
  }

  size(lane: Lane): number {
    return this.#lanes[lane].length
  }

  #refill(now: number): void {
    const { burst, intervalMs } = this.#pace
    if (intervalMs === 0) return
    // A clock set back must not stop us.
    if (now < this.#filledAt) this.#filledAt = now
    const gained = Math.floor((now - this.#filledAt) / intervalMs)
    if (gained === 0) return
    this.#tokens = Math.min(burst, this.#tokens + gained)
    this.#filledAt = this.#tokens === burst ? now : this.#filledAt + gained * intervalMs
  }
}

/** The lane of a line that the library or we write. `registered`: the handshake is over. */
export const laneOf = (line: string, registered: boolean): Lane => {
  const verb = (line.startsWith('@') ? line.slice(line.indexOf(' ') + 1) : line).split(' ', 1)[0]?.toUpperCase()
  if (verb === 'PONG') return 'pong'
  if (!registered) return 'handshake'
  return verb === 'PRIVMSG' ? 'message' : verb === 'NOTICE' ? 'notice' : 'control'
}
