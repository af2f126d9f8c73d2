/** The state of an adapter in memory, and a disk that can be full. */
import type { AdapterState } from '../../../bridge/adapter.ts'

export interface MemoryState extends AdapterState {
  readonly rows: Map<string, string>
  full: boolean
}

export const memoryState = (): MemoryState => {
  const rows = new Map<string, string>()
  const state: MemoryState = {
    rows,
    full: false,
    get: (key) => Promise.resolve(rows.get(key)),
    list: (prefix) => Promise.resolve([...rows].filter(([key]) => key.startsWith(prefix)).toSorted()),
    update: (changes) => {
      if (state.full) return Promise.reject(new Error('disk full'))
      for (const [key, value] of changes) {
        if (value === undefined) rows.delete(key)
        else rows.set(key, value)
      }
      return Promise.resolve()
    },
  }
  return state
}
