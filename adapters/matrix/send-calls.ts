/** Pure. The requests that put something into a room. `id` is a transaction id: the same one again changes nothing. */
import type { Content, Sending } from './outbound.ts'
import { path } from './paths.ts'
import type { Call, RoomId } from './types.ts'

/** Who sends, how the homeserver knows them again, and until when. */
export type Sender = Pick<Call, 'as' | 'token' | 'device' | 'signal'>

/** `at`: when it was said, milliseconds since the epoch; absent: now. */
export const sendCall = (room: RoomId, sending: Sending, id: string, sender: Sender, at?: number): Call => {
  const call = { ...sender, method: 'PUT', body: sending.content } as const
  switch (sending.kind) {
    case 'event':
      return {
        ...call,
        path: path`/_matrix/client/v3/rooms/${room}/send/${sending.type}/${id}`,
        ...(at === undefined ? {} : { query: { ts: at } }),
      }
    case 'state':
      return { ...call, path: path`/_matrix/client/v3/rooms/${room}/state/${sending.type}/` }
    case 'redaction':
      return { ...call, path: path`/_matrix/client/v3/rooms/${room}/redact/${sending.target}/${id}` }
  }
}

export const eventSending = (type: string, content: Content): Sending => ({ kind: 'event', type, content })
