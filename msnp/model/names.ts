import { decodeName } from '../wire/escape.ts'

/** Characters of a name that are kept; servers allow a third of it. */
export const MAX_NAME_LENGTH = 512

/** A name from a word of a line, cut to a sane length. */
export const nameOf = (word: string): string => decodeName(word).slice(0, MAX_NAME_LENGTH)
