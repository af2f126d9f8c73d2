/** Takes a message of somebody out of a room: as the bot, or where that has no power, as themselves if they let us. */
import { path } from './paths.ts'
import type { Puppets } from './puppets.ts'
import type { Call, HomeserverPort, RoomEvent } from './types.ts'

export interface RedactionDeps {
  readonly homeserver: Pick<HomeserverPort, 'insist'>
  readonly puppets: Pick<Puppets, 'by'>
}

/** Whether it is gone. */
export const redact = async (
  { room_id: room, event_id: event, sender }: RoomEvent,
  { homeserver, puppets }: RedactionDeps,
  signal: AbortSignal,
): Promise<boolean> => {
  const call: Call = {
    method: 'PUT',
    path: path`/_matrix/client/v3/rooms/${room}/redact/${event}/${`${event}/secret`}`,
    body: { reason: 'A secret' },
    signal,
  }
  const asBot = await homeserver.insist({ ...call, device: true })
  if (asBot.ok) return true
  const by = puppets.by(sender)
  if (by === undefined || asBot.failure.kind !== 'refused') return false
  return (await homeserver.insist({ ...call, ...by })).ok
}
