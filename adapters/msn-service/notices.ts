/** What the service has to say to an operator: one line each, and not more lines than anybody reads. */
import type { Logger, Metrics } from '../../bridge/adapter.ts'
import type { ServiceNotice } from '../../msnp/index.ts'

/** Lines about refusals and violations within a minute; what is beyond is counted and told with the next line. */
export const LINES_A_MINUTE = 60
const MINUTE_MS = 60_000

export class Notices {
  readonly #log: Logger
  readonly #metrics: Metrics
  readonly #now: () => number
  #until = 0
  #lines = 0
  #unsaid = 0

  constructor(log: Logger, metrics: Metrics, now: () => number) {
    this.#log = log
    this.#metrics = metrics
    this.#now = now
  }

  take(notice: ServiceNotice): void {
    this.#metrics.count('msn_service_notices', { kind: notice.kind })
    switch (notice.kind) {
      case 'signed-in':
        this.#log.info({ user: notice.email, dialect: notice.dialect, address: notice.address }, 'signed in')
        break
      case 'signed-out':
        this.#log.info({ user: notice.email, address: notice.address }, 'signed out')
        break
      case 'refused':
        this.#sparingly({ user: notice.email, code: notice.code, address: notice.address }, 'sign-in refused')
        break
      case 'violation':
        this.#sparingly(
          { server: notice.where, reason: notice.detail, address: notice.address },
          'connection closed for bad input',
        )
        break
      case 'failure':
        this.#log.error({ reason: notice.detail }, 'the MSN service could not do something')
        break
    }
  }

  /** Whoever wants to fill the disk with our log cannot. */
  #sparingly(fields: object, message: string): void {
    const now = this.#now()
    if (now >= this.#until) {
      this.#until = now + MINUTE_MS
      this.#lines = 0
    }
    if (this.#lines >= LINES_A_MINUTE) {
      this.#unsaid++
      return
    }
    this.#lines++
    this.#log.warn(this.#unsaid === 0 ? fields : { ...fields, unsaid: this.#unsaid }, message)
    this.#unsaid = 0
  }
}
