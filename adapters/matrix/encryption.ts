/** Whether a room is encrypted, which we cannot read, and what is said about it. */
import { done, unlessMissing } from './answers.ts'
import { stateCall, type By } from './room-calls.ts'
import type { Answer, HomeserverPort, Room, RoomId } from './types.ts'

export const isEncrypted = async (
  homeserver: Pick<HomeserverPort, 'request'>,
  room: RoomId,
  by: By,
): Promise<Answer<boolean>> => {
  const asked = unlessMissing(await homeserver.request<unknown>(stateCall(room, 'm.room.encryption', '', by)))
  return asked.ok ? done(asked.value !== undefined) : asked
}

const remedyOf = ({ kind }: Pick<Room, 'kind'>): string => {
  switch (kind) {
    case 'portal':
      return 'Encryption cannot be taken back: say "delete-portal" to the bot, and the conversation goes on in a new room.'
    case 'channel':
      return 'Encryption cannot be taken back: make a new room without it and bridge that one.'
    case 'home':
      return 'Encryption cannot be taken back: make a new room with me, without it.'
  }
}

/** Once for a room. */
export const encryptedWords = (row: Pick<Room, 'kind'>): string =>
  row.kind === 'home'
    ? `This room is encrypted, and the bridge cannot read it: what you say here does not reach me. ${remedyOf(row)}`
    : `This room is encrypted, and the bridge cannot read it. Nothing that is said here reaches the other side. ${remedyOf(row)}`

/** Of a room that the homeserver has encrypted as it was made: another one would be the same. */
export const BORN_ENCRYPTED =
  'The homeserver encrypts every new room, and the bridge cannot read that: nothing that is said here reaches the other ' +
  'side. Its administrator can turn that off (Synapse: encryption_enabled_by_default_for_room_type: off).'

/** To the first message of a room that could not be read. */
export const unreadWords = (row: Pick<Room, 'kind'>): string =>
  `This message was encrypted and could not be read${row.kind === 'home' ? '' : ', so it has not reached the other side'}. ${remedyOf(row)}`
