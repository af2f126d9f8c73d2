/** Pure. The requests of the client-server API about rooms and who is in them. */
import { path } from './paths.ts'
import type { Call, Mxid, RoomId } from './types.ts'

/** Who asks, and until when. `token`: of a person who lets us speak for them. */
export type By = Pick<Call, 'as' | 'token' | 'signal'>

/** `via`: a server that knows the room. */
export const joinCall = (room: string, by: By, via?: string): Call => ({
  ...by,
  method: 'POST',
  path: path`/_matrix/client/v3/join/${room}`,
  ...(via === undefined ? {} : { query: { via, server_name: via } }),
  body: {},
})

export const leaveCall = (room: RoomId, by: By, reason?: string): Call => ({
  ...by,
  method: 'POST',
  path: path`/_matrix/client/v3/rooms/${room}/leave`,
  body: reason === undefined ? {} : { reason },
})

export const kickCall = (room: RoomId, user: string, reason: string, by: By): Call => ({
  ...by,
  method: 'POST',
  path: path`/_matrix/client/v3/rooms/${room}/kick`,
  body: { user_id: user, reason },
})

export const inviteCall = (room: RoomId, user: Mxid, by: By): Call => ({
  ...by,
  method: 'POST',
  path: path`/_matrix/client/v3/rooms/${room}/invite`,
  body: { user_id: user },
})

/** An invitation that says that the room is for the two alone; `/invite` cannot say so. */
export const directInviteCall = (room: RoomId, user: Mxid, by: By): Call =>
  putStateCall(room, 'm.room.member', user, { membership: 'invite', is_direct: true }, by)

export const stateCall = (room: RoomId, type: string, key: string, by: By): Call => ({
  ...by,
  method: 'GET',
  path: path`/_matrix/client/v3/rooms/${room}/state/${type}/${key}`,
})

export const putStateCall = (
  room: RoomId,
  type: string,
  key: string,
  content: Readonly<Record<string, unknown>>,
  by: By,
): Call => ({
  ...by,
  method: 'PUT',
  path: path`/_matrix/client/v3/rooms/${room}/state/${type}/${key}`,
  body: content,
})

export const membersCall = (room: RoomId, by: By): Call => ({
  ...by,
  method: 'GET',
  path: path`/_matrix/client/v3/rooms/${room}/members`,
})

/** The newest `limit` events, newest first. */
export const newestCall = (room: RoomId, limit: number, by: By): Call => ({
  ...by,
  method: 'GET',
  path: path`/_matrix/client/v3/rooms/${room}/messages`,
  query: { dir: 'b', limit },
})

/** `id` makes a repetition harmless. */
export const noticeCall = (room: RoomId, id: string, text: string, by: By): Call => ({
  ...by,
  device: true,
  method: 'PUT',
  path: path`/_matrix/client/v3/rooms/${room}/send/m.room.message/${id}`,
  body: { msgtype: 'm.notice', body: text },
})
