/** Whether a room is one to speak in. */
import { done, unlessMissing } from './answers.ts'
import { stateCall, type By } from './room-calls.ts'
import type { Answer, HomeserverPort, RoomId } from './types.ts'
import { textIn } from './untrusted.ts'

/** A space, or another kind whose messages clients do not show. */
export const isNoChat = async (
  homeserver: Pick<HomeserverPort, 'request'>,
  room: RoomId,
  by: By,
): Promise<Answer<boolean>> => {
  const creation = unlessMissing(await homeserver.request<unknown>(stateCall(room, 'm.room.create', '', by)))
  return creation.ok ? done((textIn(creation.value, 'type') ?? '') !== '') : creation
}
