/** What CHATHISTORY is asked for: `BEFORE bob timestamp=2004-01-01T00:00:00.000Z 50`. Source: ircv3.net, chathistory. Pure. */
import type { HistoryPoint } from '../../../bridge/adapter.ts'
import type { MessageId } from '../../../bridge/model/ids.ts'
import { ISUPPORT_LIMITS } from '../wire/isupport.ts'
import { quoted } from './replies.ts'

export type HistoryAsk =
  | {
      readonly kind: 'before' | 'after' | 'around'
      readonly target: string
      readonly point: HistoryPoint
      readonly limit: number
    }
  | {
      readonly kind: 'latest'
      readonly target: string
      readonly point: HistoryPoint | undefined
      readonly limit: number
    }
  | {
      readonly kind: 'between'
      readonly target: string
      readonly from: HistoryPoint
      readonly to: HistoryPoint
      readonly limit: number
    }
  | { readonly kind: 'targets'; readonly from: number; readonly to: number; readonly limit: number }

export interface HistoryFault {
  readonly code: 'INVALID_PARAMS' | 'INVALID_MSGREFTYPE'
  readonly context: readonly string[]
  readonly words: string
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/

/** undefined: no time in the form of server-time. */
export const timeIn = (text: string): number | undefined => {
  if (!TIME.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

/** Behind the subcommand; with the subcommand itself it is one more. */
const COUNTS: Readonly<Record<string, number>> = { BEFORE: 3, AFTER: 3, LATEST: 3, AROUND: 3, BETWEEN: 4, TARGETS: 3 }

export const askOf = (params: readonly string[]): HistoryAsk | HistoryFault => {
  const [given = '', ...rest] = params
  const subcommand = given.toUpperCase()
  const name = quoted(given)
  const wrong = (words: string, ...context: readonly string[]): HistoryFault => ({
    code: 'INVALID_PARAMS',
    context: [name, ...context],
    words,
  })
  const count = Object.hasOwn(COUNTS, subcommand) ? COUNTS[subcommand] : undefined
  if (count === undefined) return wrong(given === '' ? 'Insufficient parameters' : 'Unknown command')
  if (rest.length < count) return wrong('Insufficient parameters')
  if (rest.length > count) return wrong('Too many parameters')
  const limit = limitIn(rest.at(-1) ?? '')
  if (limit === undefined) return wrong('Invalid limit', quoted(rest.at(-1) ?? ''))
  if (subcommand === 'TARGETS') {
    const [from, to] = rest.slice(0, 2).map((word) => pointIn(word))
    if (from?.kind !== 'time') return wrong('Invalid timestamp', quoted(rest[0] ?? ''))
    if (to?.kind !== 'time') return wrong('Invalid timestamp', quoted(rest[1] ?? ''))
    return { kind: 'targets', from: from.at, to: to.at, limit }
  }
  const [target = '', first = '', second = ''] = rest
  if (subcommand === 'LATEST' && first === '*') return { kind: 'latest', target, point: undefined, limit }
  const words = subcommand === 'BETWEEN' ? [first, second] : [first]
  const points: HistoryPoint[] = []
  for (const word of words) {
    const point = pointIn(word)
    if (point === undefined) return pointFault(name, target, word)
    points.push(point)
  }
  const [from, to] = points
  if (from === undefined) return wrong('Insufficient parameters')
  switch (subcommand) {
    case 'BETWEEN':
      return to === undefined ? wrong('Insufficient parameters') : { kind: 'between', target, from, to, limit }
    case 'LATEST':
      return { kind: 'latest', target, point: from, limit }
    case 'BEFORE':
      return { kind: 'before', target, point: from, limit }
    case 'AFTER':
      return { kind: 'after', target, point: from, limit }
    default:
      return { kind: 'around', target, point: from, limit }
  }
}

/** More than 005 offers is as much as it offers. */
const limitIn = (word: string): number | undefined => {
  const limit = /^\d{1,9}$/.test(word) ? Number(word) : 0
  return limit === 0 ? undefined : Math.min(limit, ISUPPORT_LIMITS.chathistory)
}

const pointIn = (word: string): HistoryPoint | undefined => {
  if (word.startsWith('msgid=') && word.length > 'msgid='.length)
    return { kind: 'message', id: word.slice('msgid='.length) as MessageId }
  const at = word.startsWith('timestamp=') ? timeIn(word.slice('timestamp='.length)) : undefined
  return at === undefined ? undefined : { kind: 'time', at }
}

const pointFault = (name: string, target: string, word: string): HistoryFault => {
  const type = /^([^=]+)=/.exec(word)?.[1]
  if (type === undefined || type === 'msgid' || type === 'timestamp')
    return { code: 'INVALID_PARAMS', context: [name, quoted(word)], words: 'Invalid timestamp or msgid' }
  return {
    code: 'INVALID_MSGREFTYPE',
    context: [name, quoted(target)],
    words: 'Messages are found by timestamp= and msgid= here',
  }
}
