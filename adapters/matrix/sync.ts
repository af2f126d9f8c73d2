/** Sets a room right again: who of ours is in it, how they are called, what it says of itself. For a person who asks. */
import type { UserRef } from '../../bridge/model/ids.ts'
import { isPassing } from './answers.ts'
import { membersIn } from './members-in.ts'
import { spaceOf, type PortalRooms } from './portal-rooms.ts'
import { membersCall } from './room-calls.ts'
import type { RoomParts } from './room-parts.ts'
import type { Answer, Failure, Mxid, Room } from './types.ts'

/** A sentence about how it went. */
export const syncRoom = async (
  parts: RoomParts,
  portals: PortalRooms,
  row: Room,
  signal: AbortSignal,
): Promise<string> => {
  const failed = (await assert(parts, portals, row, signal)).find((answer) => !answer.ok)
  return failed?.ok !== false ? 'Done.' : sentence(failed.failure)
}

const assert = async (
  parts: RoomParts,
  portals: PortalRooms,
  row: Room,
  signal: AbortSignal,
): Promise<readonly Answer<unknown>[]> => {
  const { homeserver, ghosts, spaces } = parts
  const answers: Answer<unknown>[] = []
  const members = await homeserver.request<unknown>(membersCall(row.room, { signal }))
  if (!members.ok) return [members]
  const present = new Set(membersIn(members.value, ['join']))
  for (const ghost of [...ghosts.inRoom(row.room)]) if (!present.has(ghost)) await ghosts.noteOut(ghost, row.room)
  for (const id of present) if (ghosts.userOf(id) !== undefined) await ghosts.noteIn(id as Mxid, row.room)
  for (const { user, name } of peopleOf(row)) answers.push(await ghosts.enter(user, name, row.room, signal))
  if (row.kind === 'portal') {
    answers.push(await portals.dress(row, undefined, signal))
    const whose = row.request === undefined ? undefined : spaceOf(row.request)
    if (whose !== undefined) answers.push(await spaces.add(whose, row.room, signal))
  }
  return answers
}

const peopleOf = ({ request }: Room): readonly { readonly user: UserRef; readonly name: string }[] =>
  request?.with ?? []

const sentence = (failure: Failure): string =>
  isPassing(failure)
    ? `The homeserver did not answer as it should (${failure.detail}). Try again later.`
    : `Not all of it could be done: ${failure.detail}.`
