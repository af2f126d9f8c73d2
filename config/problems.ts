/** What is wrong with a config, in words: `file:line:column path: what is wrong and what would be right`. */
import { type Document, isMap, isScalar, isSeq, type LineCounter } from 'yaml'
import type { z } from 'zod'
import { nearest } from '../bridge/nearest.ts'

export interface Problem {
  readonly path: readonly PropertyKey[]
  readonly message: string
  /** The problem is the key at the end of the path, not its value. */
  readonly atKey?: true
}

type Issue = z.core.$ZodIssue

/** A schema's own message wins over these. */
export const wording: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing'
      return `must be ${typeWord(issue.expected)}, but is ${valueWord(issue.input)}${issue.input === null ? EMPTY : ''}`
    case 'invalid_value': {
      const values = issue.values.map(String)
      const meant = typeof issue.input === 'string' ? nearest(issue.input, values) : undefined
      const list = values.length === 1 ? `must be ${values.join()}` : `must be one of ${values.join(', ')}`
      return `${list}${issue.input === undefined ? '' : `, but is ${valueWord(issue.input)}`}${didYouMean(meant)}`
    }
    case 'too_small':
      return issue.origin === 'array'
        ? `must have at least ${String(issue.minimum)} ${issue.minimum === 1 ? 'entry' : 'entries'}`
        : `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${String(issue.minimum)}`
    case 'too_big':
      return `must be at most ${String(issue.maximum)}`
    case 'invalid_union':
      return issue.discriminator === undefined ? undefined : discriminatorWords(issue)
    case 'invalid_key':
      return issue.issues[0]?.message
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return undefined
  }
}

/** Nearly always a key whose own keys are all comments. */
const EMPTY = ': give it a value or take the line out'

const discriminatorWords = (issue: z.core.$ZodRawIssue): string => {
  const valid = issue.code === 'invalid_union' && Array.isArray(issue['options']) ? issue['options'].map(String) : []
  const input: unknown = issue.input
  const given = isRecord(input) ? input[String(issue['discriminator'])] : undefined
  if (given === undefined) return `is missing: write one of ${valid.join(', ')}`
  const meant = typeof given === 'string' ? nearest(given, valid) : undefined
  return `must be one of ${valid.join(', ')}, but is ${valueWord(given)}${didYouMean(meant)}`
}

export const didYouMean = (meant: string | undefined): string => (meant === undefined ? '' : `; did you mean ${meant}?`)

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const typeWord = (expected: string): string => {
  const words: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a map of keys',
    record: 'a map of keys',
  }
  return words[expected] ?? expected
}

const valueWord = (value: unknown): string => {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map of keys'
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') return JSON.stringify(value)
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)
}

/** Zod's issues as problems. `keysAt` names the keys that would be valid in the map at a path. */
export const problemsOf = (
  issues: readonly Issue[],
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): Problem[] =>
  issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(issue.path)
      return issue.keys.map((key): Problem => {
        const meant = nearest(key, known)
        const remedy = meant === undefined ? `; possible here: ${known.join(', ')}` : didYouMean(meant)
        return { path: [...issue.path, key], message: `is no known key${remedy}`, atKey: true }
      })
    }
    const inner = issue.code === 'invalid_union' ? meantBranch(issue.errors) : undefined
    if (inner !== undefined) {
      const moved = inner.map((each) => ({ ...each, path: [...issue.path, ...each.path] }))
      return problemsOf(moved, keysAt)
    }
    const inside = issue.code === 'invalid_type' && issue.expected === 'object' ? keysAt(issue.path) : []
    const possible = inside.length > 0 ? `; possible in it: ${inside.join(', ')}` : ''
    return [{ path: issue.path, message: `${issue.message}${possible}` }]
  })

/** Of the shapes that a value may have, the one whose keys fit: what is wrong inside it is more telling than the list of shapes. */
const meantBranch = (branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined => {
  const fitting = branches.filter(
    (issues) =>
      issues.length > 0 &&
      issues.every(
        (issue) => issue.code !== 'unrecognized_keys' && issue.path.length > 0 && issue.message !== 'is missing',
      ),
  )
  return fitting.length === 1 ? fitting[0] : undefined
}

/** The place of a problem in the text. What is missing is reported at the map that lacks it. */
export const placeOf = (problem: Problem, document: Document, lines: LineCounter): { line: number; column: number } => {
  let node: unknown = document.contents
  let offset = rangeStart(node) ?? 0
  for (const [index, part] of problem.path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part)
      if (pair === undefined) break
      const last = index === problem.path.length - 1
      node = pair.value
      offset =
        (last && problem.atKey === true ? rangeStart(pair.key) : (rangeStart(node) ?? rangeStart(pair.key))) ?? offset
    } else if (isSeq(node)) {
      node = node.items[Number(part)]
      offset = rangeStart(node) ?? offset
    } else break
  }
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}

const rangeStart = (node: unknown): number | undefined =>
  isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined

/** `links.0.1.channel` */
export const pathText = (path: readonly PropertyKey[]): string => path.map(String).join('.')
