/** Names that nothing else has: the time and randomness of this process, and a count. */
import { randomBytes } from 'node:crypto'

/** `now`: milliseconds since the epoch. Names of one mint sort in the order in which they were made. */
export const makeMint = (now: number): (() => string) => {
  const prefix = `${now.toString(36)}${randomBytes(5).toString('hex')}`
  let count = 0
  return () => {
    const digits = (count++).toString(36)
    // The length before the digits keeps the order: 9 < z < 110.
    return `${prefix}${digits.length.toString(36)}${digits}`
  }
}
