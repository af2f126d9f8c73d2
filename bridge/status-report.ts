/** Gathers what `/status` says from the parts that know. */
import type { Account, Adapter } from './adapter.ts'
import type { HubStatus, WaitingFor } from './hub.ts'
import type { SessionState } from './model/result.ts'
import type { NetworkState } from './networks.ts'
import type { AccountReport, NetworkReport, Report } from './ops/report.ts'
import { duration } from './ops/report.ts'

export interface ReportParts {
  readonly version: string
  readonly startedAt: number
  readonly now: number
  readonly dataFolder: string
  readonly started: boolean
  readonly networks: readonly {
    readonly id: string
    readonly type: string
    readonly adapter: Pick<Adapter, 'describe'> | undefined
    readonly state: NetworkState
  }[]
  readonly sessions: readonly { readonly account: Account; readonly state: SessionState }[]
  readonly hub: HubStatus | undefined
}

/** Lanes that are shown; the rest is counted. */
const MAX_LANES = 200

export const buildReport = (parts: ReportParts): Report => {
  const { hub, now } = parts
  const health = hub?.store
  const troubles = [
    ...(health?.kind === 'unavailable' ? [health.detail] : []),
    ...parts.networks.flatMap(({ id, state }) => (state.kind === 'failed' ? [`${id}: ${state.why}`] : [])),
  ]
  const lanes = (hub?.lanes ?? []).filter(({ depth }) => depth > 0)
  return {
    version: parts.version,
    startedAt: parts.startedAt,
    now,
    dataFolder: parts.dataFolder,
    ready: parts.started && troubles.length === 0,
    networks: parts.networks.map(networkReport),
    accounts: parts.sessions.map(({ account, state }) => accountReport(account, state, now)),
    lanes: lanes.slice(0, MAX_LANES).map(({ account, place, depth, oldestMs, waiting }) => ({
      account,
      place,
      depth,
      oldestSeconds: Math.round(oldestMs / 1000),
      waitingFor: waitingWords(waiting, now),
    })),
    messages:
      hub === undefined
        ? {}
        : { accepted: hub.accepted, duplicates: hub.duplicates, unlinked: hub.unlinked, ...hub.outcomes },
    ...(troubles.length === 0 ? {} : { trouble: troubles.join(' ') }),
  }
}

const networkReport = ({ id, type, adapter, state }: ReportParts['networks'][number]): NetworkReport => {
  switch (state.kind) {
    case 'running':
      return { id, type, state: 'running', lines: adapter?.describe() ?? [] }
    case 'starting':
      return { id, type, state: 'starting', lines: [] }
    case 'failed':
      return { id, type, state: 'failed', lines: [state.why] }
  }
}

const accountReport = ({ id, network }: Account, state: SessionState, now: number): AccountReport => {
  const about = { id, network, state: state.kind }
  switch (state.kind) {
    case 'online':
      return { ...about, detail: `for ${duration(now - state.since)}` }
    case 'waiting':
      return { ...about, detail: `${state.fault.detail}; next attempt in ${duration(state.until - now)}` }
    case 'stopped':
      return { ...about, detail: `${state.fault.detail}; then: msn-bridge reconnect ${id}` }
    case 'connecting':
      return { ...about, detail: `attempt ${state.attempt}` }
    case 'offline':
      return { ...about, detail: `disconnected; then: msn-bridge reconnect ${id}` }
  }
}

const waitingWords = (waiting: WaitingFor, now: number): string => {
  switch (waiting.kind) {
    case 'nothing':
      return 'its turn'
    case 'delivery':
      return 'the answer of the network'
    case 'session':
      return 'the account to be connected'
    case 'recipient':
      return 'the recipient to come online'
    case 'time':
      return `another try in ${duration(waiting.until - now)}`
    case 'disk':
      return 'space on the disk'
  }
}
