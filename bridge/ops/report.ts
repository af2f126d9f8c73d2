/** What `/status` and `msn-bridge status` say: plain data, and the same as text for people. Holds no secret and no message. */

export interface Report {
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly now: number
  readonly dataFolder: string
  readonly ready: boolean
  readonly networks: readonly NetworkReport[]
  readonly accounts: readonly AccountReport[]
  readonly lanes: readonly LaneReport[]
  /** Since the start. */
  readonly messages: Readonly<Record<string, number>>
  /** Absent when all is well. */
  readonly trouble?: string
}

export interface NetworkReport {
  readonly id: string
  readonly type: string
  readonly state: 'running' | 'failed' | 'starting'
  /** What it says of itself, or what is wrong and what to do. */
  readonly lines: readonly string[]
}

export interface AccountReport {
  readonly id: string
  readonly network: string
  readonly state: string
  readonly detail?: string
}

/** Messages that wait for one place. */
export interface LaneReport {
  readonly account: string
  readonly place: string
  readonly depth: number
  readonly oldestSeconds: number
  readonly waitingFor: string
}

export const reportText = (report: Report): readonly string[] => [
  `msn-bridge ${report.version}, up ${duration(report.now - report.startedAt)}, data in ${report.dataFolder}`,
  report.ready ? 'Ready.' : 'Not ready.',
  ...(report.trouble === undefined ? [] : [`Trouble: ${report.trouble}`]),
  '',
  'Networks',
  ...report.networks.flatMap(({ id, type, state, lines }) => [
    `  ${id} (${type}): ${state}`,
    ...lines.map((line) => `    ${line}`),
  ]),
  '',
  'Accounts',
  ...listed(
    report.accounts.map(
      ({ id, network, state, detail }) => `  ${id} on ${network}: ${state}${detail === undefined ? '' : `, ${detail}`}`,
    ),
  ),
  '',
  'Waiting messages',
  ...listed(
    report.lanes.map(
      ({ account, place, depth, oldestSeconds, waitingFor }) =>
        `  ${account}, ${place}: ${depth}, oldest ${duration(oldestSeconds * 1000)}, waits for ${waitingFor}`,
    ),
  ),
  '',
  `Since the start: ${Object.entries(report.messages)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')}`,
]

const listed = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? ['  none'] : lines)

export const reportHtml = (report: Report): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="10"><title>msn-bridge</title>` +
  `<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:60rem}pre{font:inherit;white-space:pre-wrap}</style>` +
  `<h1>msn-bridge</h1><pre>${escapeHtml(reportText(report).join('\n'))}</pre>` +
  `<p><a href="/status?format=json">JSON</a> · <a href="/metrics">metrics</a></p></html>\n`

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
]

/** "3 h", "12 s": one unit is enough to act on. */
export const duration = (ms: number): string => {
  const unit = UNITS.find(([, size]) => ms >= size)
  return unit === undefined ? `${Math.max(0, Math.round(ms / 1000))} s` : `${Math.floor(ms / unit[1])} ${unit[0]}`
}
