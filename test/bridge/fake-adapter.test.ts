/** The suite for adapters, on the fake one: it must be passable, and notice an adapter that breaks it. */
import { account, FakeAdapter, plainCapabilities } from '../kit/fake-adapter.ts'
import { adapterContract } from '../kit/adapter-contract.ts'
import { textOf } from '../../bridge/model/text.ts'
import type { ChatId } from '../../bridge/model/ids.ts'

adapterContract('the fake network', async () => {
  const own = account('bot', 'fake', 'bridge')
  let frozen = false
  const adapter: FakeAdapter = new FakeAdapter({
    network: 'fake',
    capabilities: { ...plainCapabilities, pipeline: 3 },
    ownAccounts: [own],
    longest: 50,
    deliver: (_, __, signal) => {
      if (signal.aborted) return Promise.resolve({ kind: 'retry', reason: 'network', wait: 1, detail: 'aborted' })
      if (!frozen) return Promise.resolve(adapter.done())
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'uncertain', detail: 'aborted' }))
      })
    },
    open: async (request, of) =>
      request.kind === 'channel' && request.name === '#nowhere'
        ? { kind: 'refused', reason: 'not-found', detail: 'no such channel' }
        : { kind: 'opened', chat: adapter.chat(request, of) },
  })
  return {
    adapter,
    session: adapter.session(own),
    place: { kind: 'channel', name: '#room' as ChatId },
    nowhere: { kind: 'channel', name: '#nowhere' as ChatId },
    freeze: () => {
      frozen = true
    },
    arrived: async () =>
      adapter.delivered.map(({ delivery: { op } }) =>
        op.kind === 'message' && op.body.kind !== 'nudge' ? textOf(op.body.text) : '',
      ),
    end: () => adapter.stop(),
  }
})
