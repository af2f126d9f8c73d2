/** How long to wait before the next attempt. Pure: the chance is an argument. */
export interface Backoff {
  /** Milliseconds; the last one repeats. */
  readonly waits: readonly number[]
  /** Each wait is varied by up to this share of itself, so that many do not come back at once. */
  readonly jitter: number
}

export const DEFAULT_BACKOFF: Backoff = { waits: [2_000, 5_000, 15_000, 60_000, 300_000], jitter: 0.2 }

/**
 * `failures`: how many attempts have failed in a row, the first is 1. `chance`: from 0 up to 1.
 * `askedMs`: what the network asked us to wait; never less than that.
 */
export const backoffMs = ({ waits, jitter }: Backoff, failures: number, chance: number, askedMs = 0): number => {
  const wait = waits[Math.min(Math.max(failures, 1), waits.length) - 1] ?? 0
  return Math.max(Math.round(wait * (1 - jitter + 2 * jitter * chance)), askedMs)
}
