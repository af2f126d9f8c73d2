/** Figures of a run, by name. Rates are a second, times are milliseconds unless the name says otherwise. */
export type Figures = Readonly<Record<string, number>>

export interface Part {
  readonly name: string
  /** What is measured and how, in a line. */
  readonly about: string
  /** Target by figure: at least (`min`) or at most (`max`). */
  readonly targets: Readonly<Record<string, { readonly min?: number; readonly max?: number }>>
  run(): Promise<Figures>
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Nearest rank. NaN for no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN
}

/** Milliseconds with fractions, for differences. */
export const clockMs = (): number => performance.now()
