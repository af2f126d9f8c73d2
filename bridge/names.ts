/** Pure. What people are called in front of others, and a few words of a message to say which one is meant. */
import type { MessageBody } from './model/body.ts'
import type { UserId } from './model/ids.ts'
import { textOf } from './model/text.ts'

/** Longer names are cut: they stand before every line of a relayed message. In characters. */
export const NAME_LIMIT = 40
/** Of a message that a notice speaks of, in characters. */
export const QUOTE_LIMIT = 40
/** One character may be a letter with hundreds of marks: a text of n characters has at most so many times n UTF-16 units. */
const UNITS_PER_CHARACTER = 4

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** `bob` of `bob@home.example`, of `@bob:example.org` and of `bob`. */
export const localPart = (user: UserId): string => {
  const bare = user.startsWith('@') ? user.slice(1) : user
  const end = bare.search(/[@:]/)
  return end <= 0 ? bare : bare.slice(0, end)
}

/**
 * A name that somebody gave themselves, safe to stand in a line: no line breaks, no brackets to forge a prefix with, not
 * endless. Who gave none, or whose name is only their address, is called by the first part of it.
 */
export const shownName = (name: string | undefined, user: UserId): string => {
  const clean = oneLine((name ?? '').replaceAll(/[<>]/g, ''))
  const bare = localPart(user)
  // Where the name is the id, as on IRC, it has its capitals.
  const isAddress = clean.toLowerCase() === user.toLowerCase() && bare !== user
  return INVISIBLE.test(clean) || isAddress ? bare : shortened(clean, NAME_LIMIT)
}

/** How a message begins; `undefined` where it has no words. */
export const quoteOf = (body: MessageBody): string | undefined => {
  if (body.kind === 'nudge') return undefined
  if (body.kind === 'file' && body.text.length === 0) return shortened(oneLine(body.file.name), QUOTE_LIMIT)
  // More than can be needed, so that a book is not cleaned for its first line.
  const clean = oneLine(textOf(body.text).slice(0, 2 * QUOTE_LIMIT * UNITS_PER_CHARACTER))
  return INVISIBLE.test(clean) ? undefined : shortened(clean, QUOTE_LIMIT)
}

/** Marks that turn the direction of all that follows them in the line. */
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const INVISIBLE = /^[\p{Cf}\p{Mn}\s]*$/u

const oneLine = (text: string): string =>
  text
    .replaceAll(DIRECTIONS, '')
    .replaceAll(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .toWellFormed()

/** At most `limit` characters as people see them. */
const shortened = (text: string, limit: number): string => {
  if (text.length <= limit) return text
  // One byte, one character: most texts need no closer look.
  if (/^[ -~]*$/.test(text)) return `${text.slice(0, limit - 1)}…`
  const most = limit * UNITS_PER_CHARACTER
  const kept: string[] = []
  let units = 0
  for (const { segment } of graphemes.segment(text)) {
    units += segment.length
    if (kept.length === limit) return `${kept.slice(0, -1).join('')}…`
    if (units > most) return `${kept.join('') || segment.slice(0, most - 1).toWellFormed()}…`
    kept.push(segment)
  }
  return text
}
