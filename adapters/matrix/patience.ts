/** For what nobody would ask for again: it is repeated until the homeserver has settled it, or the adapter stops. */
import type { Answer, Call, MatrixDeps } from './types.ts'

/** Waits between attempts; the last one repeats. Milliseconds. */
const WAITS = [1_000, 5_000, 15_000, 60_000] as const

export interface Patient extends MatrixDeps {
  /** Aborted when the adapter stops. */
  readonly life: AbortSignal
}

/** The adapter stops in the middle of something that is to be done again after the next start. */
export class Interrupted extends Error {
  constructor() {
    super('the bridge is stopping')
    this.name = 'Interrupted'
  }
}

/** Done or refused. Rejects with `Interrupted`. */
export const patiently = async <Value>(
  { context, life }: Patient,
  work: () => Promise<Answer<Value>>,
): Promise<Answer<Value>> => {
  for (let failures = 0; ; failures++) {
    if (life.aborted) throw new Interrupted()
    const answer = await work()
    if (answer.ok || answer.failure.kind === 'refused') return answer
    await context.clock.sleep(WAITS[Math.min(failures, WAITS.length - 1)] ?? 0, life)
  }
}

/** One request that may be repeated. */
export const ask = <Value = unknown>(parts: Patient, call: Call): Promise<Answer<Value>> =>
  patiently(parts, () => parts.homeserver.insist<Value>({ ...call, signal: parts.life }))
