/** What may stand in a text, whichever way it goes. Pure. */

/** No event of Matrix is larger, so no honest text is longer. UTF-16 units. */
export const MAX_TEXT = 65_536

const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]/g

/** Line ends become '\n'; other control characters and halves of characters go. */
export const cleaned = (text: string): string => text.replace(/\r\n?/g, '\n').replace(CONTROLS, '').toWellFormed()

/** The beginning of a text, with '…' where something is missing. */
export const shortened = (text: string, max: number): string =>
  text.length <= max
    ? text
    : `${text
        .slice(0, max - 1)
        .toWellFormed()
        .replace(/\ufffd$/, '')}…`

/** Characters that turn the direction of what follows, or that nobody sees; not the joiner, which makes one emoji of several. */
const INVISIBLE = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g

/** One visible line of at most `max` UTF-16 units: names of files, keys of reactions. */
export const oneLine = (text: string, max: number): string =>
  shortened(cleaned(text).replace(INVISIBLE, '').replace(/\s+/g, ' ').trim(), max)
