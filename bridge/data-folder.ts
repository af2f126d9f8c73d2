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

/** Rejects with `StoreRefused`: one sentence with the remedy. */
export const openDataFolder = async (folder: string, clock: Clock, log: Logger): Promise<DataFolder> => {
  const locked = acquire(folder, clock.now())
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
