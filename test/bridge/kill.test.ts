import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const TOTAL = 1_000
const program = new URL('../kit/kill-child.ts', import.meta.url).pathname

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msn-bridge-kill-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs until it ends, or until it has made so many steps that can be seen from outside; then it is killed. */
const run = async (pipelines: string, killAfter: number): Promise<'done' | 'killed'> => {
  const child = spawn(process.execPath, [program, folder, String(TOTAL), pipelines], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let steps = 0
  let said = ''
  let wrong = ''
  child.stderr.on('data', (data: Buffer) => (wrong += data.toString()))
  child.stdout.on('data', (data: Buffer) => {
    steps += data.length
    said = (said + data.toString()).slice(-10)
    if (steps >= killAfter) child.kill('SIGKILL')
  })
  await once(child, 'close')
  expect(wrong).toBe('')
  return said.endsWith('done\n') ? 'done' : 'killed'
}

const lines = (name: string): readonly string[] => {
  const file = join(folder, name)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
}

test.each(['1,1', '1,8'])(
  'kill -9 at any point loses and doubles nothing (pipelines %s)',
  { timeout: 120_000 },
  async (pipelines) => {
    let kills = 0
    // Right at the start, and then anywhere; each life gets a part of the work done.
    for (const most of [2, 150, 300, 450, 600, 600, 600]) {
      const end = await run(pipelines, 1 + Math.floor(Math.random() * most))
      if (end === 'done') break
      kills++
    }
    expect(kills).toBeGreaterThan(3)
    expect(await run(pipelines, Number.POSITIVE_INFINITY)).toBe('done')
    for (const [to, from] of [
      ['left', 'right'],
      ['right', 'left'],
    ] as const) {
      const got = lines(`${to}.got`).map(Number)
      const uncertain = new Set(
        lines(`${from}.told`)
          .filter((line) => line.startsWith('uncertain'))
          .map((line) => Number(line.split(' ')[1])),
      )
      expect(got, 'in order, and none twice').toEqual([...new Set(got)].toSorted((a, b) => a - b))
      const lost = Array.from({ length: TOTAL }, (_, index) => index + 1).filter((number) => !got.includes(number))
      expect(
        lost.filter((number) => !uncertain.has(number)),
        'lost and not told',
      ).toEqual([])
      expect(uncertain.size).toBeLessThanOrEqual(kills * 8)
      expect(lines(`${to}.told`).filter((line) => line === 'status').length, 'gap notices').toBeGreaterThan(0)
    }
  },
)
