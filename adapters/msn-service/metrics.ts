/** The counters of the service as metrics of the bridge. */
import type { Metrics } from '../../bridge/adapter.ts'
import type { ServerCounters } from '../../msnp/index.ts'

/** How often the counters are read. Milliseconds. */
export const READ_EVERY_MS = 5_000

export class ServiceMetrics {
  readonly #metrics: Metrics
  readonly #read: () => ServerCounters
  readonly #network: string
  #before: ServerCounters | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(metrics: Metrics, read: () => ServerCounters, network: string) {
    this.#metrics = metrics
    this.#read = read
    this.#network = network
  }

  start(): void {
    this.update()
    this.#timer ??= setInterval(() => this.update(), READ_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.update()
  }

  update(): void {
    const now = this.#read()
    const before = this.#before
    const network = this.#network
    this.#before = now
    this.#metrics.gauge('msn_service_connections', now.connections, { network })
    this.#metrics.gauge('msn_service_sessions', now.signedIn, { network })
    this.#metrics.gauge('msn_service_tunnels', now.tunnels, { network })
    this.#metrics.gauge('msn_service_rooms', now.rooms, { network })
    this.#metrics.count('msn_service_messages', { network }, now.messages - (before?.messages ?? 0))
    this.#metrics.count('msn_service_sign_ins', { network }, now.signIns - (before?.signIns ?? 0))
    for (const [reason, total] of Object.entries(now.refused)) {
      const more = total - (before?.refused[reason] ?? 0)
      if (more > 0) this.#metrics.count('msn_service_refused', { network, reason }, more)
    }
  }
}
