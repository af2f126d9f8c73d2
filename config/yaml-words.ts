/** What is wrong with a text that is no YAML, in words for somebody who does not know the grammar. */
import { type Document, isAlias, type LineCounter, visit } from 'yaml'

/** What the parser tells of an error. */
interface SyntaxProblem {
  readonly code: string
  readonly message: string
  readonly pos: readonly [start: number, end: number]
}

/**
 * `line:column is no valid YAML: ...` of the first error: those behind it are its consequences. A bracket that seems open
 * where a # has made a comment of the rest is reported at the #, since that is where it is mended.
 */
export const yamlProblem = ({ code, message, pos }: SyntaxProblem, text: string, lines: LineCounter): string => {
  const at = pos[0]
  const hash = UNCLOSED.has(code) ? commentInBrackets(text, at) : undefined
  if (hash !== undefined)
    return place(lines, hash, 'a # begins a comment: put channel names in quotes, for example "#friends"')
  const bracket = /end with an? ([\]}])/.exec(message)?.[1]
  if (bracket !== undefined)
    return place(lines, at, `a bracket is still open here: write the ${bracket} that closes it`)
  return place(lines, at, WORDS[code] ?? firstLine(message))
}

/** An alias can only be followed when the whole is read. */
export const aliasProblem = (error: unknown, document: Document, lines: LineCounter): string => {
  let at = 0
  visit(document, {
    Alias: (_key, node) => {
      if (!isAlias(node) || node.resolve(document) !== undefined) return undefined
      at = node.range?.[0] ?? 0
      return visit.BREAK
    },
  })
  return place(lines, at, firstLine(error instanceof Error ? error.message : String(error)))
}

const place = (lines: LineCounter, at: number, words: string): string => {
  const { line, col } = lines.linePos(at)
  return `${line}:${col} is no valid YAML: ${words}`
}

const UNCLOSED = new Set(['BAD_INDENT', 'MISSING_CHAR', 'COMMENT_SPACE'])

const WORDS: Readonly<Partial<Record<string, string>>> = {
  TAB_AS_INDENT: 'a tab cannot indent a line: use spaces',
  DUPLICATE_KEY: 'this key stands here twice: keep one of them',
  MULTIPLE_DOCS: 'a second document begins here: take out the ---, since a config is one document',
}

/** Where, in the line of an error or the one before it, a bracket is open and an unquoted # follows. */
const commentInBrackets = (text: string, at: number): number | undefined => {
  const end = text.indexOf('\n', at)
  const start = text.lastIndexOf('\n', Math.max(0, text.lastIndexOf('\n', Math.max(0, at - 1)) - 1)) + 1
  let offset = start
  for (const line of text.slice(start, end < 0 ? undefined : end).split('\n')) {
    const found = /^(?:[^"'#]|"[^"]*"|'[^']*')*?[{[](?:[^"'#]|"[^"]*"|'[^']*')*#/.exec(line)
    if (found !== null) return offset + found[0].length - 1
    offset += line.length + 1
  }
  return undefined
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''
