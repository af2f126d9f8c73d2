/**
 * Names of other networks as words of an address: lower case letters, digits, dot, hyphen and underscore stand for
 * themselves, every other byte is `=` and two hexadecimal digits. Reversible. Pure.
 */

const PLAIN = /[a-z0-9._-]/

export const escapeWord = (name: string): string =>
  [...new TextEncoder().encode(name)]
    .map((byte) => {
      const letter = String.fromCharCode(byte)
      return PLAIN.test(letter) ? letter : `=${byte.toString(16).padStart(2, '0')}`
    })
    .join('')

/** `undefined`: no name is written so. */
export const unescapeWord = (word: string): string | undefined => {
  const bytes: number[] = []
  for (let at = 0; at < word.length; at++) {
    const hex = word[at] === '=' ? word.slice(at + 1, at + 3) : undefined
    if (hex !== undefined) at += 2
    bytes.push(hex === undefined ? word.charCodeAt(at) : Number.parseInt(hex, 16))
  }
  const name = bytes.some((byte) => !(byte >= 0 && byte < 256)) ? '' : new TextDecoder().decode(Uint8Array.from(bytes))
  // What is written in another way than we would write it is somebody's trick, or a slip.
  return name !== '' && escapeWord(name) === word ? name : undefined
}
