import { Buffer } from 'node:buffer'

const NEEDS_DECODING = /[%\x80-\xff]/
const NEEDS_ENCODING = /[^A-Za-z0-9\-_.~]/
const PERCENT = 37

/** Decoded bytes of the name at hand; longer words get a buffer of their own. */
const scratch = Buffer.allocUnsafeSlow(1024)

/**
 * A name as people read it, from a word of a line. The word is a byte string (one character a byte): `%HH` becomes a
 * byte, then the bytes are read as UTF-8, so both raw UTF-8 and escaped names come out right. A `%` that begins no
 * escape stays, a broken sequence becomes U+FFFD. `+` is a plus. Source: docs/protocol.md, Percent-encoding.
 */
export function decodeName(word: string): string {
  if (!NEEDS_DECODING.test(word)) return word
  const bytes = word.length <= scratch.length ? scratch : Buffer.allocUnsafe(word.length)
  let length = 0
  for (let at = 0; at < word.length; at++) {
    let byte = word.charCodeAt(at)
    if (byte === PERCENT) {
      const high = hexDigit(word.charCodeAt(at + 1))
      const low = hexDigit(word.charCodeAt(at + 2))
      if (high !== -1 && low !== -1) {
        byte = high * 16 + low
        at += 2
      }
    }
    bytes[length++] = byte
  }
  return bytes.toString('utf8', 0, length)
}

/** 0 to 15, or -1. */
const hexDigit = (code: number): number =>
  code >= 48 && code <= 57
    ? code - 48
    : code >= 65 && code <= 70
      ? code - 55
      : code >= 97 && code <= 102
        ? code - 87
        : -1

/** A word of a line, from a name: all but letters, digits and `-_.~` escaped, so it holds no space and no line end. */
export function encodeName(name: string): string {
  if (!NEEDS_ENCODING.test(name)) return name
  return encodeURIComponent(name.isWellFormed() ? name : name.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** The same for friendly names and group names, which often are addresses: the `@` stays, as real servers have it. */
export const encodeNick = (name: string): string => encodeName(name).replaceAll('%40', '@')

/**
 * A byte string without blanks and tabs around it. `trim` would not do: it takes U+00A0 too, which may be the last byte
 * of a letter.
 */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

const isBlank = (code: number): boolean => code === 32 || code === 9
