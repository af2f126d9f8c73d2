import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../bridge/clock.ts'
import { LOCK_WAIT_MS, openDataFolder } from '../../bridge/data-folder.ts'
import { StoreRefused } from '../../bridge/store/port.ts'
import { makeFolder, removeFolder } from '../kit/daemon.ts'
import { recordingLog } from '../kit/observers.ts'

const folders: string[] = []
const folder = (): string => {
  const made = makeFolder()
  folders.push(made)
  return made
}
afterEach(() => folders.splice(0).forEach(removeFolder))

test('who comes while a command line has the folder waits for it', async () => {
  const data = folder()
  const first = await openDataFolder(data, systemClock, recordingLog())
  let waited = 0
  const clock = {
    now: () => waited,
    sleep: async (ms: number) => {
      waited += ms
      if (waited === 300) await first.close()
    },
  }
  const second = await openDataFolder(data, clock, recordingLog())
  expect(waited).toBe(300)
  await second.close()
  expect(existsSync(join(data, 'daemon.json'))).toBe(false)
})

test('and is refused with the name of the holder when it does not let go', async () => {
  const data = folder()
  const first = await openDataFolder(data, systemClock, recordingLog())
  let waited = 0
  const clock = { now: () => waited, sleep: async (ms: number) => void (waited += ms) }
  const second = openDataFolder(data, clock, recordingLog())
  await expect(second).rejects.toThrow(StoreRefused)
  await expect(second).rejects.toThrow(`process ${process.pid}`)
  expect(waited).toBe(LOCK_WAIT_MS)
  await first.close()
})
