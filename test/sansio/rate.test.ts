import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TokenBucket } from '../../sansio/rate.ts'

it('gives a burst, then one token an interval', () => {
  const bucket = new TokenBucket({ burst: 2, intervalMs: 100 }, 0)
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, false])
  expect(bucket.readyAt(40)).toBe(100)
  expect(bucket.take(99)).toBe(false)
  expect(bucket.take(100)).toBe(true)
  expect(bucket.take(1_000_000)).toBe(true)
  expect(bucket.take(1_000_000)).toBe(true)
  expect(bucket.take(1_000_000)).toBe(false)
})

it('has no limit with a burst of 0', () => {
  const bucket = new TokenBucket({ burst: 0, intervalMs: 100 }, 0)
  for (let index = 0; index < 1_000; index++) expect(bucket.take(0)).toBe(true)
  expect(bucket.readyAt(5)).toBe(5)
})

it('never gives more than burst and elapsed time allow, and is ready when it says so', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.integer({ min: -50, max: 500 }), { maxLength: 100 }),
      (burst, intervalMs, steps) => {
        const bucket = new TokenBucket({ burst, intervalMs }, 0)
        let now = 0
        let latest = 0
        let given = 0
        for (const step of steps) {
          now += step
          latest = Math.max(latest, now)
          if (bucket.take(now)) given++
          else expect(bucket.readyAt(now)).toBeGreaterThan(now)
        }
        expect(given).toBeLessThanOrEqual(burst + latest / intervalMs)
        const ready = bucket.readyAt(latest)
        expect(bucket.take(ready)).toBe(true)
      },
    ),
  )
})
