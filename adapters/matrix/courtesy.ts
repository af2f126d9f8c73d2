/** Who was told something lately, so that nobody hears the same again with every word that they write. */

/** The same is told again after so long. Milliseconds. */
export const POLITE_MS = 60 * 60_000
/** People who were told; past it the oldest is forgotten. */
const MAX_TOLD = 10_000

export class Courtesy {
  /** When, oldest first. */
  readonly #told = new Map<string, number>()

  /** Whether it is time to tell; notes that it is told now. */
  isDue(whom: string, now: number): boolean {
    const told = this.#told.get(whom)
    if (told !== undefined && now - told < POLITE_MS) return false
    this.#told.delete(whom)
    const [oldest] = this.#told.keys()
    if (this.#told.size >= MAX_TOLD && oldest !== undefined) this.#told.delete(oldest)
    this.#told.set(whom, now)
    return true
  }
}
