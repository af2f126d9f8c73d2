/** What somebody says to root -> words, and which of several names a word is short for. Pure. */

export interface Said {
  /** The name of the command, in lower case. */
  readonly name: string
  readonly words: readonly string[]
  /** All behind the name, as it was written. */
  readonly rest: string
}

/** Words of a line; the others are left away. */
const MAX_WORDS = 64

/** As BitlBee reads: words are divided by blanks, "several of them" or 'several' are one in quotes, \ keeps a quote a quote. */
export const readLine = (line: string): Said => {
  const text = line.replace(/[\r\n\t\0]/g, ' ').trim()
  const end = text.indexOf(' ')
  const name = end === -1 ? text : text.slice(0, end)
  const rest = end === -1 ? '' : text.slice(end + 1).trimStart()
  return { name: name.toLowerCase(), words: wordsOf(rest), rest }
}

const wordsOf = (text: string): readonly string[] => {
  const words: string[] = []
  let at = 0
  while (at < text.length && words.length < MAX_WORDS) {
    while (text[at] === ' ') at++
    if (at >= text.length) break
    const quote = text[at] === '"' || text[at] === "'" ? text[at] : undefined
    if (quote !== undefined) at++
    let word = ''
    for (; at < text.length && text[at] !== (quote ?? ' '); at++) {
      const next = text[at + 1]
      if (text[at] === '\\' && next !== undefined && (next === '\\' || next === (quote ?? ' ') || /["']/.test(next)))
        at++
      word += text[at] ?? ''
    }
    at++
    words.push(word)
  }
  return words
}

export type Meant<Name extends string> =
  | { readonly kind: 'one'; readonly name: Name }
  | { readonly kind: 'several'; readonly names: readonly Name[] }
  | { readonly kind: 'none' }

/** A name in full, else the only one that begins so. */
export const shortFor = <Name extends string>(word: string, names: readonly Name[]): Meant<Name> => {
  const lower = word.toLowerCase()
  const exact = names.find((name) => name === lower)
  if (exact !== undefined) return { kind: 'one', name: exact }
  const begin = lower === '' ? [] : names.filter((name) => name.startsWith(lower))
  const [only, ...others] = begin
  if (only === undefined) return { kind: 'none' }
  return others.length === 0 ? { kind: 'one', name: only } : { kind: 'several', names: begin }
}

/** The only one that is meant. */
export const oneOf = <Name extends string>(word: string | undefined, names: readonly Name[]): Name | undefined => {
  const meant = shortFor(word ?? '', names)
  return meant.kind === 'one' ? meant.name : undefined
}

/** Cells of a table, each cut or filled to its width; the last is as long as it is. */
export const columns = (widths: readonly number[], cells: readonly string[]): string =>
  cells
    .map((cell, index) => {
      const width = widths[index]
      if (width === undefined) return cell
      return Array.from(cell).slice(0, width).join('').padEnd(width)
    })
    .join('  ')
    .trimEnd()

const NEAR = 2

/** The name that was probably meant. */
export const nearest = (word: string, names: readonly string[]): string | undefined => {
  let best: string | undefined
  let least = Math.min(NEAR, Math.floor(word.length / 2)) + 1
  for (const name of names) {
    const distance = wrongLetters(word.slice(0, 40).toLowerCase(), name)
    if (distance < least) {
      best = name
      least = distance
    }
  }
  return best
}

/** Letters to put in, take out, change, or swap with their neighbour. */
const wrongLetters = (from: string, to: string): number => {
  let older: readonly number[] = []
  let old: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const now = [row]
    for (let column = 1; column <= to.length; column++) {
      const cost = from[row - 1] === to[column - 1] ? 0 : 1
      const swap =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
          ? (older[column - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY
      now.push(Math.min((old[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1, (old[column - 1] ?? 0) + cost, swap))
    }
    older = old
    old = now
  }
  return old[to.length] ?? 0
}
