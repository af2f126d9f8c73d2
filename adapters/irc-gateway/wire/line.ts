/** One line of a client -> its parts. Source: RFC 2812, 2.3.1; ircv3.net, message-tags. Pure. */
import { decodeTags, MAX_READ_TAG_BYTES } from './tags.ts'

export interface ClientLine {
  /** Unescaped values; a tag without one has ''. */
  readonly tags: ReadonlyMap<string, string>
  /** Upper case. */
  readonly verb: string
  readonly params: readonly string[]
}

export interface TagsTooLong {
  readonly wrong: 'tags-too-long'
}

/** "up to fifteen parameters": the last takes what is left. */
const MAX_PARAMS = 15

/** undefined: nothing in it. A source is passed over: a client speaks for itself alone. */
export const parseLine = (text: string): ClientLine | TagsTooLong | undefined => {
  const line = /[\r\n\0]/.test(text) ? cleaned(text) : text
  let at = blanks(line, 0)
  let tags = ''
  if (line.charAt(at) === '@') {
    const end = wordEnd(line, at)
    tags = line.slice(at + 1, end)
    if (Buffer.byteLength(tags) > MAX_READ_TAG_BYTES) return { wrong: 'tags-too-long' }
    at = blanks(line, end)
  }
  if (line.charAt(at) === ':') at = blanks(line, wordEnd(line, at))
  const end = wordEnd(line, at)
  if (end === at) return undefined
  return { tags: decodeTags(tags), verb: line.slice(at, end).toUpperCase(), params: paramsOf(line, blanks(line, end)) }
}

const paramsOf = (line: string, from: number): readonly string[] => {
  const params: string[] = []
  let at = from
  while (at < line.length) {
    if (line.charAt(at) === ':') {
      params.push(line.slice(at + 1))
      break
    }
    const end = params.length === MAX_PARAMS - 1 ? line.length : wordEnd(line, at)
    params.push(line.slice(at, end))
    at = blanks(line, end)
  }
  return params
}

/** Ends may be there or not; elsewhere CR and LF are as good as a blank, and NUL is nothing. */
const cleaned = (text: string): string =>
  text
    .replace(/\0/g, '')
    .replace(/[\r\n]+$/, '')
    .replace(/[\r\n]/g, ' ')

const blanks = (line: string, from: number): number => {
  let at = from
  while (line.charAt(at) === ' ') at++
  return at
}

const wordEnd = (line: string, from: number): number => {
  const end = line.indexOf(' ', from)
  return end === -1 ? line.length : end
}
