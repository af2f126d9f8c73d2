import { expect, test } from 'vitest'
import { createMetrics } from '../../../bridge/ops/metrics.ts'

test('a metric has a limit of series, so that no peer can fill the memory', async () => {
  const page = createMetrics()
  const { metrics } = page
  for (let index = 0; index < 3_000; index++) metrics.count('things', { name: `n${index}` })
  const lines = (await page.render()).split('\n').filter((line) => line.startsWith('msn_bridge_things_total{'))
  expect(lines).toHaveLength(2_000)
})

test('labels that the first use did not have are no reason to fail', async () => {
  const page = createMetrics()
  const { metrics } = page
  metrics.count('things', { name: 'one' })
  metrics.count('things', { other: 'two' })
  metrics.count('things', { name: 'one' }, 2)
  expect(await page.render()).toContain('msn_bridge_things_total{name="one"} 3')
})
