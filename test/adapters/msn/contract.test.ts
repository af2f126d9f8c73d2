/** The adapter on a real service, with a Messenger on the other side that answers every call. */
import type { UserId } from '../../../bridge/model/ids.ts'
import type { Room } from '../../kit/messenger.ts'
import { adapterContract } from '../../kit/adapter-contract.ts'
import { bob, Town } from './town.ts'

adapterContract('msn', async () => {
  const town = await Town.build()
  const rooms: Room[] = []
  const messenger = await town.messenger(bob)
  const answering = (async () => {
    for (;;) rooms.push(await messenger.answer(60_000))
  })().catch(() => undefined)
  const texts = (): readonly string[] =>
    rooms.flatMap(({ wire }) =>
      wire.received.filter(({ payload }) => payload.includes('text/plain')).map(({ payload }) => bodyOf(payload)),
    )
  return {
    adapter: town.adapter,
    session: town.session,
    place: { kind: 'direct', with: bob as UserId },
    nowhere: { kind: 'direct', with: 'no address' as UserId },
    freeze: () => {
      town.sb.onChunk = () => 'drop'
    },
    arrived: async (count) => {
      while (texts().length < count) await new Promise((resolve) => setImmediate(resolve))
      return texts()
    },
    end: async () => {
      await town.end()
      await answering
    },
  }
})

const bodyOf = (payload: string): string => payload.slice(payload.indexOf('\r\n\r\n') + 4)
