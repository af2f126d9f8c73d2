/** Times of messages, gathered from the child that saw them come. */
import { setTimeout as pause } from 'node:timers/promises'
import { quantile } from './measure.ts'
import type { Child } from './processes.ts'

export interface Taken {
  /** Microseconds on the way, one for each message. */
  readonly times: readonly number[]
  /** When the last one came, microseconds of the shared clock. */
  readonly last: number
}

const DEADLINE_MS = 30_000

/** Collects until `count` messages have arrived. */
export async function collect(from: Child, what: 'arrived' | 'heard', count: number): Promise<Taken> {
  const times: number[] = []
  const until = Date.now() + DEADLINE_MS
  for (;;) {
    const taken = await from.ask<Taken>(what)
    times.push(...taken.times)
    if (times.length >= count) return { times, last: taken.last }
    if (Date.now() > until) throw new Error(`${times.length} of ${count} messages arrived`)
    await pause(5)
  }
}

/** Milliseconds. */
export const ms = (times: readonly number[], q: number): number => quantile(times, q) / 1000
