import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acquire, type LockResult } from '../../../bridge/store/lock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msn-bridge-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const lockOf = (result: LockResult) => {
  if (result.kind !== 'acquired') throw new Error(result.detail)
  return result.lock
}

test('a folder is held by one, and the other is told by whom', () => {
  const lock = lockOf(acquire(folder, Date.UTC(2004, 0, 1)))
  expect(acquire(folder, 1)).toMatchObject({ kind: 'held', by: { pid: process.pid } })
  const second = acquire(folder, 1)
  expect(second.kind === 'held' && second.detail).toMatch(
    new RegExp(
      `^The data folder .* is in use by another msn-bridge \\(process ${process.pid} on .*, since 2004-01-01T00:00:00.000Z\\): stop that one`,
    ),
  )
  lock.release()
  lock.release()
  lockOf(acquire(folder, 2)).release()
})

test('a process that is killed leaves no lock behind', async () => {
  const module = JSON.stringify(new URL('../../../bridge/store/lock.ts', import.meta.url).pathname)
  const program = `const { acquire } = await import(${module}); acquire(${JSON.stringify(folder)}, 1); console.log('held'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  expect(acquire(folder, 2)).toMatchObject({ kind: 'held', by: { pid: child.pid } })
  child.kill('SIGKILL')
  await once(child, 'exit')
  lockOf(acquire(folder, 3)).release()
})

test('a folder that cannot be made is refused with the remedy', () => {
  writeFileSync(join(folder, 'file'), '')
  expect(() => acquire(join(folder, 'file', 'data'), 1)).toThrow(
    /cannot be used .* check that it exists, is writable and has space/,
  )
})

test('a folder that is a file is refused with the remedy', () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  expect(() => acquire(file, 1)).toThrow(`The data folder ${file} is a file: move it away, or choose another folder.`)
})
