/** The data folder: locked, so that it has one master, and its database open. */
import { join } from 'node:path'
import type { Clock, Logger } from './adapter.ts'
import { acquire } from './store/lock.ts'
import { type Store, StoreRefused } from './store/port.ts'
import { SqliteStore } from './store/sqlite.ts'

export interface DataFolder {
  readonly store: Store
  /** Twice is harmless. */
  close(): Promise<void>
}

/** A command line that works without a daemon holds the folder for a moment: so long we wait for it. Milliseconds. */
export const LOCK_WAIT_MS = 2_000
const LOCK_POLL_MS = 100

/** Rejects with `StoreRefused`: one sentence with the remedy. */
export const openDataFolder = async (folder: string, clock: Clock, log: Logger): Promise<DataFolder> => {
  const until = clock.now() + LOCK_WAIT_MS
  let locked = acquire(folder, clock.now())
  while (locked.kind === 'held' && clock.now() < until) {
    await clock.sleep(LOCK_POLL_MS)
    locked = acquire(folder, clock.now())
  }
  if (locked.kind === 'held') throw new StoreRefused(locked.detail)
  const store = new SqliteStore({ file: join(folder, 'bridge.db'), clock, log })
  try {
    await store.open()
  } catch (error) {
    locked.lock.release()
    throw error
  }
  return {
    store,
    close: async () => {
      await store.close()
      locked.lock.release()
    },
  }
}
