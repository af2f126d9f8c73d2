/**
 * An address as accounts have it, lower case; or the code of what is wrong: 206 the domain is missing, 201 anything
 * else. One `@`, something on both sides, printable ASCII, no longer than `maxBytes`. Source: docs/protocol.md, Errors.
 */
export function parseAddress(word: string, maxBytes: number): string | 201 | 206 {
  if (word.length > maxBytes || !ADDRESS.test(word)) return 201
  return word.endsWith('@') ? 206 : word.toLowerCase()
}

const ADDRESS = /^[\x21-\x3f\x41-\x7e]+@[\x21-\x3f\x41-\x7e]*$/

/** Characters of an address that a client keeps. */
const MAX_EMAIL = 256

/** As little as a client asks of an address that a server names. */
export const isAddress = (word: string | undefined): word is string =>
  word !== undefined && word.length <= MAX_EMAIL && word.includes('@')
