/** Counters, gauges and histograms for Prometheus, behind the contract's `Metrics`. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Metrics } from '../adapter.ts'

const PREFIX = 'msn_bridge_'
/** Different sets of labels that one metric may have; more are counted nowhere, so that no peer can fill the memory. */
const MAX_SERIES = 2_000
/** Seconds. From a commit to a slow network. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

type Labels = Readonly<Record<string, string>>

interface Known<Metric> {
  readonly metric: Metric
  readonly labelNames: readonly string[]
  readonly series: Set<string>
}

export interface MetricsPage {
  readonly metrics: Metrics
  readonly contentType: string
  render(): Promise<string>
}

export const createMetrics = (): MetricsPage => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: PREFIX })
  const registers = [registry]
  const counters = family((name, labelNames) => new Counter({ name, help: helpOf(name), labelNames, registers }))
  const gauges = family((name, labelNames) => new Gauge({ name, help: helpOf(name), labelNames, registers }))
  const histograms = family(
    (name, labelNames) => new Histogram({ name, help: helpOf(name), labelNames, buckets: BUCKETS, registers }),
  )
  return {
    metrics: {
      count: (name, labels = {}, by = 1) => counters(`${name}_total`, labels)?.inc(labels, by),
      gauge: (name, value, labels = {}) => gauges(name, labels)?.set(labels, value),
      observe: (name, seconds, labels = {}) => histograms(name, labels)?.observe(labels, seconds),
    },
    contentType: registry.contentType,
    render: () => registry.metrics(),
  }
}

/** Metrics are made when they are first used; the first use decides the names of the labels. */
const family = <Metric>(make: (name: string, labelNames: string[]) => Metric) => {
  const all = new Map<string, Known<Metric>>()
  return (shortName: string, labels: Labels): Metric | undefined => {
    const name = PREFIX + shortName
    const names = Object.keys(labels).sort()
    let known = all.get(name)
    if (known === undefined) {
      known = { metric: make(name, names), labelNames: names, series: new Set() }
      all.set(name, known)
    }
    const { labelNames, series } = known
    if (names.some((label) => !labelNames.includes(label))) return undefined
    const key = names.map((label) => labels[label]).join('\n')
    if (!series.has(key)) {
      if (series.size >= MAX_SERIES) return undefined
      series.add(key)
    }
    return known.metric
  }
}

const helpOf = (name: string): string => name.slice(PREFIX.length).replaceAll('_', ' ')
