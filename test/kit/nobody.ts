/** What an adapter is told of people, of what was said and of files, where a test has none of them. */
import type { AdapterContext } from '../../bridge/adapter.ts'

export const nobody: Pick<AdapterContext, 'people' | 'history' | 'leave' | 'files'> = {
  leave: () => Promise.resolve(undefined),
  people: { networks: [], accountsOf: () => [], contactsOf: () => [], contact: () => undefined },
  files: {
    maxBytes: 0,
    put: () => Promise.resolve({ kind: 'refused', reason: 'unsupported', detail: 'no files here' }),
    refusal: () => 'no files here',
    open: () => Promise.resolve({ kind: 'refused', reason: 'not-found', detail: 'no files here' }),
  },
  history: { said: () => Promise.resolve([]), latest: () => Promise.resolve([]) },
}
