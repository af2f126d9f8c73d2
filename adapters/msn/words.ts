/** Small rules about text and addresses that both directions share. Pure. */
import type { UserId } from '../../bridge/model/ids.ts'
import type { RichText } from '../../bridge/model/text.ts'

/** Longest address of the wire, bytes. Source: docs/protocol.md, Limits of the service. */
const MAX_ADDRESS_BYTES = 129

const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]/g

/** Line ends become '\n'; other control characters and halves of characters go. */
export const cleaned = (text: string): string => text.replace(/\r\n?/g, '\n').replace(CONTROLS, '').toWellFormed()

/** Cleaned, and without spans that are empty then. */
export const cleanedText = (rich: RichText): RichText => {
  const spans = rich.map((span) => ({ ...span, text: cleaned(span.text) }))
  return spans.filter((span) => span.text !== '')
}

/** One line of at most `max` UTF-16 units, for words of others inside our own sentences. */
export const oneLine = (text: string, max: number): string => {
  const line = cleaned(text).replace(/\s+/g, ' ').trim()
  return line.length <= max ? line : `${line.slice(0, max - 1).toWellFormed()}…`
}

/** How we name people: their address in lower case. Servers keep the case, and compare without it. */
export const userIdOf = (email: string): UserId => email.toLowerCase() as UserId

/** An address as it may stand on the wire, or undefined. */
export const parseAddress = (text: string): UserId | undefined => {
  const address = text.trim()
  if (!/^[^\s@%,;:<>"()]+@[^\s@%,;:<>"()]+$/.test(address)) return undefined
  return Buffer.byteLength(address) > MAX_ADDRESS_BYTES ? undefined : userIdOf(address)
}
