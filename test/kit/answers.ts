/** Answers of two servers made comparable: what each is free to choose is left out. */
import { Buffer } from 'node:buffer'
import { decodeName } from '../../msnp/wire/escape.ts'

export interface Answer {
  readonly verb: string
  readonly params: readonly string[]
  readonly payload?: Uint8Array | undefined
}

/** Where the list version stands, counted from 0 behind the verb, given the number of words there. */
const VERSION_AT: Readonly<Record<string, (params: readonly string[]) => number | undefined>> = {
  ADD: () => 2,
  REM: () => 2,
  ADG: () => 1,
  REG: () => 1,
  RMG: () => 1,
  REA: () => 1,
  PRP: (params) => (params.length > 2 && /^\d+$/.test(params[1] ?? '') ? 1 : undefined),
  BLP: ({ length }) => (length > 2 ? 1 : undefined),
  GTC: ({ length }) => (length > 2 ? 1 : undefined),
  BPR: (params) => (/^\d+$/.test(params[0] ?? '') ? 0 : undefined),
  SYN: () => 1,
}

/** From MSNP10 on no answer but that to SYN has any. */
const isKeyed = ({ verb, params }: Answer): boolean =>
  params.some((word) => GUID.test(word)) ||
  (verb === 'SYN' ? params.length > 4 : verb === 'REM' && !/^\d+$/.test(params[2] ?? ''))
const GUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/

/** The list version that an answer tells. */
export function versionOf(answer: Answer): number | undefined {
  const { verb, params } = answer
  if (isKeyed(answer)) return undefined
  const at = VERSION_AT[verb]?.(params)
  return at === undefined ? undefined : Number(params[at])
}

export function comparable(answer: Answer): string {
  const { verb, params, payload } = answer
  const words = params.map((word) => decodeName(word).replaceAll(' ', '_'))
  const version = isKeyed(answer) ? undefined : VERSION_AT[verb]?.(params)
  if (version !== undefined) words[version] = '<version>'
  if (verb === 'SYN' && isKeyed(answer)) words.splice(1, 2, '<version>', '<version>')
  switch (verb) {
    case 'CVR':
      words.splice(4, 2, '<url>', '<url>')
      break
    case 'USR':
      if (words[1] === 'TWN') words.splice(3, 1, '<policy>')
      break
    case 'MSG':
      if (words[0] === 'Hotmail') return `MSG Hotmail Hotmail ${namesOf(payload)}`
      break
    case 'NOT':
      return 'NOT'
    case 'QNG':
      if (words.length > 0) words[0] = '<seconds>'
      break
    case 'URL':
      words.splice(1, Infinity, '<url>')
      break
    case 'XFR':
      words.splice(2, 3, '<host>', 'CKI', '<token>')
      break
    case 'CAL':
      words[2] = '<session>'
      break
    case 'RNG':
      words.splice(0, 4, '<session>', '<host>', 'CKI', '<token>')
      break
  }
  const text = payload === undefined ? '' : ` ${Buffer.from(payload).toString()}`
  return [verb, ...words].join(' ') + text
}

/** Names of the headers of a profile that our clients need. */
const namesOf = (payload: Uint8Array | undefined): string =>
  ['Content-Type', 'LoginTime', 'EmailEnabled', 'sid', 'MSPAuth', 'ClientIP', 'ClientPort']
    .filter((name) => new RegExp(`^${name}:`, 'm').test(Buffer.from(payload ?? []).toString()))
    .join(' ')

export interface Difference {
  /** missing: only the foreign server says it. extra: only ours does. */
  readonly kind: 'missing' | 'extra'
  readonly line: string
}

/** What must be taken out of and put into `theirs` to get `ours`, as little as possible. */
export function differences(theirs: readonly string[], ours: readonly string[]): Difference[] {
  const common: number[][] = Array.from({ length: theirs.length + 1 }, () => Array<number>(ours.length + 1).fill(0))
  for (let a = theirs.length - 1; a >= 0; a--) {
    for (let b = ours.length - 1; b >= 0; b--) {
      common[a]![b] =
        theirs[a] === ours[b] ? common[a + 1]![b + 1]! + 1 : Math.max(common[a + 1]![b]!, common[a]![b + 1]!)
    }
  }
  const found: Difference[] = []
  let a = 0
  let b = 0
  while (a < theirs.length || b < ours.length) {
    if (a < theirs.length && b < ours.length && theirs[a] === ours[b]) {
      a++
      b++
    } else if (b >= ours.length || (a < theirs.length && common[a + 1]![b]! >= common[a]![b + 1]!)) {
      found.push({ kind: 'missing', line: theirs[a++]! })
    } else found.push({ kind: 'extra', line: ours[b++]! })
  }
  return found
}
