/** A log and metrics that remember what they were told. */
import type { Logger, Metrics } from '../../bridge/adapter.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface RecordingLog extends Logger {
  readonly lines: readonly LogLine[]
}

export const recordingLog = (): RecordingLog => {
  const lines: LogLine[] = []
  const at = (bindings: object): Logger => {
    const take = (level: LogLine['level']) => (fields: object, message: string) => {
      lines.push({ level, message, fields: { ...bindings, ...fields } })
    }
    return {
      child: (more) => at({ ...bindings, ...more }),
      debug: take('debug'),
      info: take('info'),
      warn: take('warn'),
      error: take('error'),
    }
  }
  return { ...at({}), lines }
}

/** Counts by name and labels, e.g. `session_faults{code=banned,network=libera}`. */
export const recordingMetrics = (): Metrics & { readonly values: ReadonlyMap<string, number> } => {
  const values = new Map<string, number>()
  const key = (name: string, labels: Readonly<Record<string, string>> = {}): string => {
    const words = Object.entries(labels)
      .sort(([one], [other]) => one.localeCompare(other))
      .map(([label, value]) => `${label}=${value}`)
    return words.length === 0 ? name : `${name}{${words.join(',')}}`
  }
  return {
    values,
    count: (name, labels, by = 1) => values.set(key(name, labels), (values.get(key(name, labels)) ?? 0) + by),
    gauge: (name, value, labels) => values.set(key(name, labels), value),
    observe: (name, seconds, labels) => values.set(key(name, labels), seconds),
  }
}
