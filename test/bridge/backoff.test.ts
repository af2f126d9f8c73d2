import { expect, test } from 'vitest'
import { backoffMs, DEFAULT_BACKOFF } from '../../bridge/backoff.ts'

const middle = 0.5

test.each([
  [1, 2_000],
  [2, 5_000],
  [3, 15_000],
  [4, 60_000],
  [5, 300_000],
  [6, 300_000],
  [1_000, 300_000],
])('after %i failures in a row the wait is %i ms', (failures, expected) => {
  expect(backoffMs(DEFAULT_BACKOFF, failures, middle)).toBe(expected)
})

test('chance moves a wait by a fifth at most, down and up', () => {
  expect(backoffMs(DEFAULT_BACKOFF, 3, 0)).toBe(12_000)
  expect(backoffMs(DEFAULT_BACKOFF, 3, 1)).toBe(18_000)
})

test('what the network asks for is a lower limit', () => {
  expect(backoffMs(DEFAULT_BACKOFF, 1, middle, 90_000)).toBe(90_000)
  expect(backoffMs(DEFAULT_BACKOFF, 4, middle, 1_000)).toBe(60_000)
})
