/** Pure. What became of a message, in words for the one who sent it. */
import type { UserId, UserRef } from './model/ids.ts'
import type { Reason, WaitFor } from './model/result.ts'
import { plain, type RichText } from './model/text.ts'
import { localPart } from './names.ts'
import type { Place, Tell } from './store/port.ts'

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
    case 'portal':
      return 'the other side'
    case 'home':
      return place.user
  }
}

/** More names than this are only counted: a notice is one line. */
const NAMES_LIMIT = 5

const list = (names: readonly string[]): string => {
  if (names.length > NAMES_LIMIT)
    return `${names.slice(0, NAMES_LIMIT - 1).join(', ')} and ${names.length - NAMES_LIMIT + 1} others`
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}

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

/** Why nothing goes to a chat whose link was taken away: a half-sentence. */
export const LINKED_NO_MORE = 'that chat is linked no more'

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

/** One message that a notice speaks of: who sent it and how it begins. */
export interface Subject extends Pick<Tell, 'name' | 'quote'> {
  /** It was no message: this person was to be brought in. */
  readonly invited?: UserId
}
/** In their order, one at least. */
export type Subjects = readonly Subject[]

/** `to`: what the other end is called. An empty name is that of the only one who reads it, in a chat of two. */
export const tellWords = (told: Told, to: string, subjects: Subjects): RichText => {
  const words = sentence(told, to, subjects)
  const names = [...new Set(subjects.map(({ name }) => name))].filter((name) => name !== '')
  return plain(names.length === 0 ? words : `${list(names)}: ${words.charAt(0).toLowerCase()}${words.slice(1)}`)
}

const sentence = (told: Told, to: string, subjects: Subjects): string => {
  const one = subjects.length === 1
  const what = `${spoken(subjects)} to ${to}${one ? '' : span(subjects)}`
  switch (told.outcome) {
    case 'delivered':
      return `${what} ${one ? 'was' : 'were'} delivered.`
    case 'partial':
      return `${spoken(subjects)}${one ? '' : span(subjects)} did not reach ${list(told.missed.map((user) => localPart(user.user)))}: not there.`
    case 'waiting': {
      const wait = one ? 'waits' : 'wait'
      return told.wait === 'recipient-online'
        ? `${what} ${wait} until they are online.`
        : `${what} ${wait}: ${reasons[told.reason]}. ${one ? 'It goes' : 'They go'} out as soon as possible.`
    }
    case 'refused': {
      if (told.words !== undefined) return told.words
      const why = told.detail ?? reasons[told.reason]
      const not = `${what} ${one ? 'was' : 'were'} not delivered`
      return told.after === undefined ? `${not}: ${why}.` : `${not}: given up after ${duration(told.after)} (${why}).`
    }
    case 'uncertain':
      return `${what} may not have arrived: the connection ended before ${one ? 'it was' : 'they were'} confirmed.`
  }
}

/** `Your message "hello"`, `12 of your messages`, `Your invitation of dave@home.example`. */
const spoken = (subjects: Subjects): string => {
  const { invited, quote } = subjects[0] ?? {}
  if (subjects.length > 1) return `${subjects.length} of your ${invited === undefined ? 'messages' : 'invitations'}`
  if (invited !== undefined) return `Your invitation of ${invited}`
  return quote === undefined ? 'Your message' : `Your message "${quote}"`
}

/** The first and the last of several, as far as they can be quoted: `, from "hello" to "bye",`. */
const span = (subjects: Subjects): string => {
  const first = subjects[0]?.quote
  const last = subjects.at(-1)?.quote
  return first === undefined || last === undefined ? '' : `, from "${first}" to "${last}",`
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
