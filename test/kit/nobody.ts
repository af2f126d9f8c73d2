/** What an adapter is told of people and of what was said, where a test has neither. */
import type { AdapterContext } from '../../bridge/adapter.ts'

export const nobody: Pick<AdapterContext, 'people' | 'history' | 'leave'> = {
  leave: () => Promise.resolve(undefined),
  people: { networks: [], accountsOf: () => [], contactsOf: () => [], contact: () => undefined },
  history: { said: () => Promise.resolve([]), latest: () => Promise.resolve([]) },
}
