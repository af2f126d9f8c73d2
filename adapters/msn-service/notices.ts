/** What the service has to say to an operator: one line each, and not more lines than anybody reads. */
import type { Logger, Metrics } from '../../bridge/adapter.ts'
import type { ServiceNotice } from '../../msnp/index.ts'

/** Those that strangers can cause at will. */
type Frequent = Exclude<ServiceNotice['kind'], 'signed-in' | 'signed-out'>

/** Lines of each kind within a minute; what is beyond is counted and told with the next line. */
export const LINES_A_MINUTE: Readonly<Record<Frequent, number>> = {
  refused: 60,
  violation: 60,
  failure: 60,
  'turned-away': 6,
}
const MINUTE_MS = 60_000

interface Budget {
  until: number
  lines: number
  unsaid: number
}

export class Notices {
  readonly #log: Logger
  readonly #metrics: Metrics
  readonly #now: () => number
  readonly #budgets = new Map<Frequent, Budget>()

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
        this.#sparingly(notice.kind, { user: notice.email, code: notice.code, address: notice.address }, (fields) =>
          this.#log.warn(fields, 'sign-in refused'),
        )
        break
      case 'violation':
        this.#sparingly(
          notice.kind,
          { server: notice.where, reason: notice.detail, address: notice.address },
          (fields) => this.#log.warn(fields, 'connection closed for bad input'),
        )
        break
      case 'turned-away':
        this.#sparingly(notice.kind, { reason: notice.detail, address: notice.address }, (fields) =>
          this.#log.warn(fields, 'connection turned away'),
        )
        break
      case 'failure':
        this.#sparingly(notice.kind, { reason: notice.detail }, (fields) =>
          this.#log.error(fields, 'the MSN service could not do something'),
        )
        break
    }
  }

  /** Whoever wants to fill the disk with our log cannot; nor does one kind of line hide another. */
  #sparingly(kind: Frequent, fields: object, say: (fields: object) => void): void {
    const now = this.#now()
    let budget = this.#budgets.get(kind)
    if (budget === undefined || now >= budget.until) {
      budget = { until: now + MINUTE_MS, lines: 0, unsaid: budget?.unsaid ?? 0 }
      this.#budgets.set(kind, budget)
    }
    if (budget.lines >= LINES_A_MINUTE[kind]) {
      budget.unsaid++
      return
    }
    budget.lines++
    say(budget.unsaid === 0 ? fields : { ...fields, unsaid: budget.unsaid })
    budget.unsaid = 0
  }
}
