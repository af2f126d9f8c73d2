/**
 * The PINGs of a connection: is the server still there, and has it taken what we wrote? One PING answers for all lines
 * before it. Runs on the clock it is given.
 */
import type { Clock } from '../../bridge/adapter.ts'
import type { Confirmations } from './delivery.ts'

export interface PulseTiming {
  /** A PING is sent after so much silence. Milliseconds, as all here. */
  readonly pingMs: number
  /** Then so much more silence ends the connection. */
  readonly pingTimeoutMs: number
  /** A line that is not confirmed within this is uncertain. */
  readonly confirmMs: number
}

export interface PulseDeps {
  readonly clock: Clock
  readonly confirmations: Confirmations
  /** The server echoes or labels what it takes, so a PING is only for what went unconfirmed. */
  readonly tells: () => boolean
  /** Messages that wait to be written. */
  readonly backlog: () => number
  /** False: not taken. */
  readonly send: (line: string, written: () => void) => boolean
  readonly silent: (ms: number) => void
}

/** Lines after which a PING asks for confirmation though more wait. */
const LINES_PER_PING = 16
/** Lines said at once get one PING. */
const PAUSE_MS = 30
const ECHO_GRACE_MS = 2_000
const MIN_BEAT_MS = 10
const MAX_BEAT_MS = 1_000

export class Pulse {
  readonly #timing: PulseTiming
  readonly #deps: PulseDeps
  #heardAt = 0
  #pingedAt: number | undefined
  #asking = false
  #pausing = false
  #over: AbortSignal | undefined

  constructor(timing: PulseTiming, deps: PulseDeps) {
    this.#timing = timing
    this.#deps = deps
  }

  /** The server has sent something. */
  heard(): void {
    this.#heardAt = this.#deps.clock.now()
    this.#pingedAt = undefined
  }

  /** A line that wants confirmation has gone out. */
  wrote(): void {
    if (this.#deps.confirmations.uncovered >= LINES_PER_PING) this.#confirm()
    if (this.#pausing) return
    this.#pausing = true
    void this.#deps.clock.sleep(PAUSE_MS, this.#over).then(() => {
      this.#pausing = false
      if (this.#over?.aborted !== true) this.#confirm()
    })
  }

  async run(over: AbortSignal): Promise<void> {
    const { clock, confirmations, silent } = this.#deps
    const { pingMs, pingTimeoutMs, confirmMs } = this.#timing
    this.#over = over
    this.#heardAt = clock.now()
    const beatMs = Math.min(MAX_BEAT_MS, Math.max(MIN_BEAT_MS, Math.min(pingMs, pingTimeoutMs, confirmMs) / 4))
    while (!over.aborted) {
      await clock.sleep(beatMs, over)
      const now = clock.now()
      confirmations.expire(now - confirmMs)
      this.#confirm()
      if (this.#pingedAt !== undefined && now - this.#pingedAt >= pingTimeoutMs) silent(now - this.#heardAt)
      else if (this.#pingedAt === undefined && now - this.#heardAt >= pingMs) {
        this.#pingedAt = now
        this.#ping()
      }
    }
  }

  #confirm(): void {
    const { clock, confirmations, tells, backlog } = this.#deps
    const { uncovered, uncoveredSince } = confirmations
    if (this.#asking || uncoveredSince === undefined) return
    const due = tells() ? clock.now() - uncoveredSince >= ECHO_GRACE_MS : backlog() === 0 || uncovered >= LINES_PER_PING
    if (due) this.#ping()
  }

  #ping(): void {
    const { confirmations, send } = this.#deps
    const token = confirmations.nextToken()
    let written = false
    const taken = send(`PING ${token}`, () => {
      written = true
      this.#asking = false
      confirmations.pinged(token)
    })
    this.#asking = taken && !written
  }
}
