/** Pure. What became of a message, in words for the one who sent it. */
import type { UserRef } from './model/ids.ts'
import type { Reason, WaitFor } from './model/result.ts'
import { plain, type RichText } from './model/text.ts'
import { localPart } from './names.ts'
import type { Place } from './store/port.ts'

/** "bob@home.example", "bob@home.example and carol@home.example", "#friends". */
export const placeName = (place: Place): string => {
  switch (place.kind) {
    case 'direct':
      return place.with
    case 'group':
      return list(place.members)
    case 'channel':
      return place.name
    case 'chat':
      return 'the group'
  }
}

const list = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`

const reasons: Readonly<Record<Reason, string>> = {
  offline: 'not online',
  'not-found': 'no such address',
  blocked: 'they do not accept messages from here',
  forbidden: 'not allowed there',
  'too-large': 'too long for that network',
  unsupported: 'that network cannot carry it',
  'rate-limited': 'too many messages are waiting already',
  network: 'the connection failed',
  protocol: 'the other server did not accept it',
}

export const reasonWords = (reason: Reason): string => reasons[reason]

const minute = 60_000
const spans: readonly (readonly [ms: number, unit: string])[] = [
  [24 * 60 * minute, 'day'],
  [60 * minute, 'hour'],
  [minute, 'minute'],
  [1_000, 'second'],
]

/** "7 days", "1 hour", "90 seconds" become the largest unit that fits. */
export const duration = (ms: number): string => {
  const [size, unit] = spans.find(([each]) => ms >= each) ?? [1_000, 'second']
  const count = Math.max(1, Math.round(ms / size))
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

export type Told =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'partial'; readonly missed: readonly UserRef[] }
  | { readonly outcome: 'waiting'; readonly wait: WaitFor; readonly reason: Reason }
  /**
   * `after`: it was given up after so many milliseconds of waiting. `detail`: a half-sentence instead of the reason's own.
   * `words`: all there is to say.
   */
  | {
      readonly outcome: 'refused'
      readonly reason: Reason
      readonly after?: number
      readonly detail?: string
      readonly words?: string
    }
  | { readonly outcome: 'uncertain' }

/** `name`: whom to speak to in a chat of several; empty in a chat of two. */
export const tellWords = (told: Told, place: Place, name: string): RichText => {
  const words = sentence(told, placeName(place))
  return plain(name === '' ? words : `${name}: ${words.charAt(0).toLowerCase()}${words.slice(1)}`)
}

const sentence = (told: Told, to: string): string => {
  switch (told.outcome) {
    case 'delivered':
      return `Delivered to ${to}.`
    case 'partial':
      return `Your message did not reach ${list(told.missed.map((user) => localPart(user.user)))}: not there.`
    case 'waiting':
      return told.wait === 'recipient-online'
        ? `Your message to ${to} waits until they are online.`
        : `Your message to ${to} waits: ${reasons[told.reason]}. It goes out as soon as possible.`
    case 'refused': {
      if (told.words !== undefined) return told.words
      const why = told.detail ?? reasons[told.reason]
      return told.after === undefined
        ? `Not delivered to ${to}: ${why}.`
        : `Not delivered to ${to}: given up after ${duration(told.after)} (${why}).`
    }
    case 'uncertain':
      return `Your message to ${to} may not have arrived: the connection ended before it was confirmed.`
  }
}

export const reasonOf = (told: Told): Reason | undefined => {
  switch (told.outcome) {
    case 'waiting':
    case 'refused':
      return told.reason
    case 'partial':
      return 'offline'
    case 'uncertain':
      return 'network'
    case 'delivered':
      return undefined
  }
}
