/** Small steps between HTTP and the rooms of the fake homeserver. */
import type { IncomingMessage } from 'node:http'
import { badRequest, MatrixError } from './errors.ts'
import type { Failing } from './faults.ts'
import type { FakeRoom, StoredEvent } from './room.ts'
import { tableOf, type Media } from './state.ts'

const BODY_MAX = 64 * 1024 * 1024

/** With the state of the room that somebody who is invited may see. */
export const withRoomState = (event: StoredEvent, room: FakeRoom): object => {
  const shown = ['m.room.create', 'm.room.join_rules', 'm.room.name', 'm.room.avatar', 'm.room.encryption']
  const stripped = room
    .allState()
    .filter(({ type, state_key: key }) => shown.includes(type) || (type === 'm.room.member' && key === event.sender))
    .map(({ type, state_key, sender, content }) => ({ type, state_key, sender, content }))
  return { ...event, unsigned: { ...event.unsigned, invite_room_state: stripped } }
}

/** The whole body. Rejects when it is too large or the line dies. */
export const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_MAX) throw new Error('too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** {} for an empty body. */
export const parse = (raw: Buffer): Readonly<Record<string, unknown>> => {
  if (raw.length === 0) return {}
  try {
    return tableOf(JSON.parse(raw.toString('utf8')))
  } catch {
    throw badRequest('Content not JSON.', 'M_NOT_JSON')
  }
}

/** The answer of a fault. */
export const failure = ({ status, errcode, retryAfterMs }: Failing): MatrixError => {
  const code = errcode ?? (status === 429 ? 'M_LIMIT_EXCEEDED' : status >= 500 ? 'M_UNKNOWN' : 'M_FORBIDDEN')
  return new MatrixError(status, code, 'on command', retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs })
}

export const isMedia = (answer: unknown): answer is Media =>
  typeof answer === 'object' && answer !== null && 'bytes' in answer && Buffer.isBuffer(answer.bytes)

/** Decoded if it can be. */
export const safely = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
