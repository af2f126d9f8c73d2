import { Buffer } from 'node:buffer'
import { encodeNick } from '../wire/escape.ts'
import type { Person } from './switchboard-server-events.ts'

/** `MSG alice@example.com Alice%20A `: the part of a relayed message that is the same for all of one sender. */
export const relayPrefix = (sender: Person): string => `MSG ${sender.email} ${encodeNick(sender.name)} `

/** A message as the others get it: `MSG alice@example.com Alice%20A 133` and the untouched bytes. */
export function relayedMessage(prefix: string, payload: Uint8Array): Uint8Array {
  const line = `${prefix}${payload.length}\r\n`
  const bytes = Buffer.allocUnsafe(line.length + payload.length)
  bytes.write(line, 0, 'latin1')
  bytes.set(payload, line.length)
  return bytes
}
